//! C4: the sealed dossiers that came with handoffs. The vault seals them once more with the person's key, so that their
//! bytes cannot be hashed here: the digest that it took when they came is compared with the one that was promised.

use sqlx::{AnyConnection, Row as _};

use crate::certificate::hex;
use crate::custody::{Custody, State};
use crate::directory::Directory;
use crate::report::{Check, Report};

/// Checks the dossiers of one node.
pub(crate) async fn check(
    node: &str,
    custody: &Custody,
    directory: &Directory,
    connection: &mut AnyConnection,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query("select offer_id, digest from dossier where direction = 'in'");
    let rows = rows.fetch_all(connection).await?;
    report.count("dossiers", rows.len());
    for row in rows {
        let (offer, digest): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let Some(got) = custody.got.get(&offer).filter(|got| directory.node_of(&got.office) == node) else {
            report.find(Check::C4, format!("offer {offer}: {node} has its dossier and was not asked"));
            continue;
        };
        if !matches!(got.state, State::Transferred | State::Agreed | State::Concluded(_) | State::Voided) {
            let words = format!("offer {offer}: {} has its dossier, and the offer is {:?}", got.office, got.state);
            report.find(Check::C4, words);
        }
        if got.dossier.as_ref() != Some(&hex(&digest)) {
            report.find(Check::C4, format!("offer {offer}: {node} has another dossier than was promised"));
        }
    }
    Ok(())
}
