//! Tokens for the staff of a node.

use anyhow::{bail, ensure};
use spean_identity::token::{Claims, LONGEST_LIFE_HOURS, issue, verify};
use spean_identity::{Directory, NodeKeys, Role};
use spean_vocabulary::{NodeId, OfficeId, StaffId, Timestamp};

use crate::network;

/// What a token shall say.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The node that the member of staff will call.
    pub node: NodeId,
    /// Who: a staff number, never a name.
    pub staff: StaffId,
    /// Where they work; all served by the node.
    pub offices: Vec<OfficeId>,
    /// What their work is.
    pub roles: Vec<Role>,
    /// For how many hours it holds, at most 72.
    pub hours: i64,
}

/// Issues a token as the node whose keys these are; it holds from `now` on.
pub fn token(keys: &NodeKeys, directory: &Directory, wanted: Wanted, now: Timestamp) -> anyhow::Result<String> {
    let Wanted { node, staff, offices, roles, hours } = wanted;
    let entry = network::node(directory, &node)?;
    ensure!(keys.are(&entry.keys), "the directory names other keys for node {node}");
    ensure!(!offices.is_empty() && !roles.is_empty(), "a token names at least one office and one role");
    ensure!((1..=LONGEST_LIFE_HOURS).contains(&hours), "a token holds for 1 to {LONGEST_LIFE_HOURS} hours");
    for office in &offices {
        match directory.office(office) {
            Some(known) if known.node == node => {}
            Some(known) => bail!("office {office} is served by node {}, not by {node}", known.node),
            None => bail!("the directory knows no office {office}"),
        }
    }
    let agency = entry.agency.clone();
    let expires_at = now.plus_hours(hours);
    let id = spean_chassis::mint();
    let claims = Claims { agency, node: node.clone(), staff, offices, roles, issued_at: now, expires_at, id };
    let token = issue(keys, &claims)?;
    verify(&token, &node, directory, now)?;
    Ok(token)
}
