//! What a member of staff shows when calling a service: a PASETO `v4.public` token, signed by the node that serves
//! their office. Any service of the node can check it offline, with the directory alone.

use pasetors::keys::AsymmetricPublicKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use serde::{Deserialize, Serialize};
use spean_vocabulary::{AgencyId, CommandId, NodeId, OfficeId, StaffId, Timestamp};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::{Directory, NodeKeys};

/// How long a token holds unless somebody decides otherwise: a working day, in hours.
pub const USUAL_LIFE_HOURS: i64 = 12;

/// How long a token may hold at most, for an office without a network: three days, in hours.
pub const LONGEST_LIFE_HOURS: i64 = 72;

/// By how much two clocks of one node may differ, in microseconds. Not more: a token is over when it says so.
const CLOCK_DIFFERENCE_MICROS: i64 = 5_000_000;

/// Signed along with every token, so that nothing else signed with the key can pass for one.
const PURPOSE: &[u8] = b"spean staff token v1";

/// What somebody's work is. A member of staff may have several.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    EnumIter,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Works with people and their cases.
    Caseworker,
    /// Answers for an office's caseworkers.
    Supervisor,
    /// Receives those who come back, at a transit centre.
    IntakeOfficer,
    /// Runs a shelter.
    ShelterManager,
    /// Runs the node; sees no case.
    Administrator,
    /// Decides on overrides, for the authority or its cosigner.
    Authority,
    /// Reads what holds no person: counts, capacities, offices.
    Reporter,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The agency that employs them.
    pub agency: AgencyId,
    /// The node that signs.
    pub node: NodeId,
    /// Who: a staff number, never a name.
    pub staff: StaffId,
    /// The offices they work at; all served by the node.
    pub offices: Vec<OfficeId>,
    /// What their work is.
    pub roles: Vec<Role>,
    /// From when on it holds.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// The token itself, to speak of it in a list of revoked ones.
    pub id: CommandId,
}

/// Who is calling, after their token was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their agency.
    pub agency: AgencyId,
    /// The node that vouches for them, which is the node that they call.
    pub node: NodeId,
    /// Who.
    pub staff: StaffId,
    /// The offices they may act for.
    pub offices: Vec<OfficeId>,
    /// What their work is.
    pub roles: Vec<Role>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of this kind.
    #[error("the token is malformed")]
    Malformed,
    /// Signed by another node than the one that is called, or by one that the directory does not know.
    #[error("the token is another node's")]
    OtherNode,
    /// The node did not sign this.
    #[error("the token is not signed by its node")]
    BadSignature,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It will be good later: a clock is wrong.
    #[error("the token is not valid yet")]
    NotYet,
    /// It ends before it begins, or would hold for more than three days.
    #[error("the token holds for too long")]
    TooLong,
    /// It names an agency or an office that the node does not serve.
    #[error("the token names an office or agency that is not its node's")]
    OtherOffice,
}

/// Signs a token as the node.
///
/// # Errors
/// [`TokenError::TooLong`] when it would hold for more than [`LONGEST_LIFE_HOURS`].
pub fn issue(keys: &NodeKeys, claims: &Claims) -> Result<String, TokenError> {
    refuse_long_life(claims)?;
    let payload = serde_json::to_vec(claims).map_err(|_| TokenError::Malformed)?;
    PublicToken::sign(keys.token(), &payload, None, Some(PURPOSE)).map_err(|_| TokenError::Malformed)
}

/// Who shows this token, if the node `here` signed it, its time has come and is not over (by more than 5 seconds), and
/// the directory says that its offices are the node's.
pub fn verify(token: &str, here: &NodeId, directory: &Directory, now: Timestamp) -> Result<Caller, TokenError> {
    let node = directory.node(here).ok_or(TokenError::OtherNode)?;
    let key = BASE64.decode(&node.keys.token).map_err(|_| TokenError::OtherNode)?;
    let key = AsymmetricPublicKey::<V4>::from(&key).map_err(|_| TokenError::OtherNode)?;
    let untrusted = UntrustedToken::try_from(token).map_err(|_| TokenError::Malformed)?;
    let said: Claims = serde_json::from_slice(untrusted.untrusted_payload()).map_err(|_| TokenError::Malformed)?;
    if said.node != *here {
        return Err(TokenError::OtherNode);
    }
    let trusted = PublicToken::verify(&key, &untrusted, None, Some(PURPOSE)).map_err(|_| TokenError::BadSignature)?;
    let claims: Claims = serde_json::from_str(trusted.payload()).map_err(|_| TokenError::Malformed)?;
    refuse_long_life(&claims)?;
    if now.as_micros() > claims.expires_at.as_micros().saturating_add(CLOCK_DIFFERENCE_MICROS) {
        return Err(TokenError::Expired);
    }
    if now.as_micros() < claims.issued_at.as_micros().saturating_sub(CLOCK_DIFFERENCE_MICROS) {
        return Err(TokenError::NotYet);
    }
    let of_this_node = |id: &OfficeId| directory.office(id).is_some_and(|office| office.node == *here);
    if claims.agency != node.agency || !claims.offices.iter().all(of_this_node) {
        return Err(TokenError::OtherOffice);
    }
    let Claims { agency, node, staff, offices, roles, .. } = claims;
    Ok(Caller { agency, node, staff, offices, roles })
}

fn refuse_long_life(claims: &Claims) -> Result<(), TokenError> {
    let ends_last = claims.issued_at.plus_hours(LONGEST_LIFE_HOURS);
    if (claims.issued_at..=ends_last).contains(&claims.expires_at) { Ok(()) } else { Err(TokenError::TooLong) }
}
