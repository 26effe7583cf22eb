//! Dossiers: sealed at the offer, sent when the handoff is recorded, adopted by the vault when they arrive.

use spean_chassis::{Next, Round, When};
use spean_custody::Digest;
use spean_custody::case::{CaseCustody, Event, OfferInState};
use spean_eventstore::{EventStore, Recorded, StoreError, TransactError};
use spean_identity::digest;
use spean_messaging::Unusable;
use spean_vault::{Direction, Dossier, DossierError, Reader, Vault};
use spean_vocabulary::{CaseId, Id, OfferId, OfficeId, Timestamp};
use sqlx::Row as _;

use crate::desk::{Desk, place, stream};
use crate::reactions::vault_away;
use crate::subject::Permission;

/// Name of the saved position.
const READER: &str = "dossiers";
/// Events looked at together.
const BATCH: i64 = 200;
/// How many offers back the first one of a series of restores is looked for.
const MOST_RESTORES: usize = 16;

/// For which handoff a dossier is made, and what may be in it.
pub(crate) struct Handoff<'h> {
    pub(crate) offer: OfferId,
    pub(crate) case: CaseId,
    pub(crate) from: &'h OfficeId,
    pub(crate) to: &'h OfficeId,
    pub(crate) permission: &'h Permission,
}

/// Puts together what may travel, seals it to the receiver's node, and puts it away until the handoff is recorded.
/// The answer is the digest that the signed offer carries, and by which it is found again: what was put together for an
/// offer that was refused then, or that the power took, is not what the recorded one promises, and never travels.
pub(crate) async fn prepare(
    desk: &Desk,
    handoff: &Handoff<'_>,
    note: String,
    reader: &Reader,
    now: Timestamp,
) -> Result<Digest, DossierError> {
    let Handoff { offer, case, from, to, permission } = *handoff;
    let vault = &desk.node.vault;
    let person = case.reinterpret();
    let mut dossier = Dossier::compose(vault, case, person, &permission.parts, note, reader, now).await?;
    dossier.add_sections(vault, &permission.parts, from, reader, now).await?;
    let directory = desk.directory();
    let receiver = directory.office(to).and_then(|office| directory.node(&office.node));
    let key = receiver.map(|receiver| receiver.keys.sealing.as_str()).unwrap_or_default();
    let (sealed, digest) = dossier.seal_for(key, offer, from, to)?;
    let digest = Digest::from_bytes(digest);
    vault.keep_dossier(kept_as(offer, digest), Direction::Out, person, &sealed, now).await?;
    Ok(digest)
}

/// Deletes what was put together for an offer that was refused. Should the power go before, it stays where nobody looks,
/// and goes with the person's key.
pub(crate) async fn discard(vault: &Vault, offer: OfferId, digest: Digest) {
    if let Err(error) = vault.discard_dossier(kept_as(offer, digest), Direction::Out).await {
        tracing::debug!(%offer, error = %error, "what was put together for a refused offer stays in the vault");
    }
}

/// Under which id a dossier is kept until it travels: several may have been put together for one offer.
fn kept_as(offer: OfferId, digest: Digest) -> OfferId {
    derived("spean dossier of an offer v1", &[offer.as_uuid().as_bytes(), digest.as_bytes()])
}

/// An id that follows from others, and that nobody can choose.
pub(crate) fn derived<K>(purpose: &str, from: &[&[u8]]) -> Id<K> {
    let digest = digest(&[&[purpose.as_bytes()], from].concat().concat());
    let bytes: [u8; 16] = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
    Id::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The sealed dossier that an offer promised, to be sent; none when it promised none. An offer that was made afresh after
/// a restore has that of the first one.
pub(crate) async fn sealed(vault: &Vault, store: &EventStore, offer: OfferId) -> Result<Option<Vec<u8>>, Unusable> {
    let Some(promised) = promised(store, offer).await? else { return Ok(None) };
    let mut offer = offer;
    for _ in 0..MOST_RESTORES {
        // Earlier versions kept it under the offer's own id.
        for id in [kept_as(offer, promised), offer] {
            let kept = vault.sealed_dossier(id, Direction::Out).await.map_err(vault_away)?;
            if let Some(sealed) = kept.filter(|sealed| digest(sealed) == *promised.as_bytes()) {
                return Ok(Some(sealed));
            }
        }
        let row = sqlx::query("select instead_of from offer where offer_id = $1 and direction = 'out'")
            .bind(offer.to_string())
            .fetch_optional(store.reader())
            .await?;
        let earlier = row.map(|row| row.try_get::<String, _>(0)).transpose()?;
        match earlier.and_then(|earlier| earlier.parse().ok()) {
            Some(earlier) => offer = earlier,
            None => break,
        }
    }
    Ok(None)
}

/// The digest of the dossier that goes with an offer, by the log of the office that made it.
async fn promised(store: &EventStore, offer: OfferId) -> Result<Option<Digest>, Unusable> {
    let rows = sqlx::query("select office, case_id from offer where offer_id = $1 and direction = 'out'")
        .bind(offer.to_string())
        .fetch_all(store.reader())
        .await?;
    for row in rows {
        let (office, case): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let custody = store.load::<CaseCustody>(&format!("{office}/{case}")).await?.state;
        let made = custody.offers_out().find(|(id, _)| *id == offer);
        if let Some(digest) = made.and_then(|(_, made)| made.terms.dossier_digest) {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}

/// Follows the log: what arrived with a handoff that is recorded becomes part of our own vault.
pub(crate) fn round(desk: &Desk, store: &EventStore) -> Round {
    let (desk, store) = (desk.clone(), store.clone());
    Round::new("dossiers that came", When::Following(store.clone()), move || {
        let (desk, store) = (desk.clone(), store.clone());
        async move { catch_up(&desk, &store).await }
    })
}

async fn catch_up(desk: &Desk, store: &EventStore) -> anyhow::Result<Next> {
    loop {
        let position = store.saved_position(READER).await?;
        let events = store.events_after(position, BATCH).await?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(Next::Rest) };
        for event in &events {
            match (place(event), of_dossier(event)) {
                (Some((office, case)), Some(OfDossier::Came(offer))) => {
                    adopt_one(desk, store, &office, case, offer).await?;
                }
                (Some((office, case)), Some(OfDossier::NotWanted(offer))) => {
                    return_one(&desk.node.vault, store, &office, case, offer).await?;
                }
                _ => {}
            }
        }
        let saved =
            store.transact(move |transaction| Box::pin(async move { transaction.save_position(READER, last).await }));
        saved.await.map_err(|error: TransactError<StoreError>| anyhow::anyhow!("{error}"))?;
    }
}

/// What an event means for the dossier of an offer that came in.
enum OfDossier {
    /// It came with the handoff.
    Came(OfferId),
    /// The handoff does not happen.
    NotWanted(OfferId),
}

fn of_dossier(event: &Recorded) -> Option<OfDossier> {
    match event.event::<CaseCustody>()?.ok()? {
        Event::TransferReceived { offer, .. } | Event::AgreementReceived { offer, .. } => Some(OfDossier::Came(offer)),
        Event::WithdrawalReceived { offer, .. } | Event::Declined { offer, .. } => Some(OfDossier::NotWanted(offer)),
        _ => None,
    }
}

/// Whether an office may have the dossier of an offer to it: not before the holder has recorded the handoff, nor when it
/// does not happen. The vault may have it all the same, where a log was put back to before the handoff, and the vault,
/// which is copied last, was not.
fn is_due(state: OfferInState) -> bool {
    match state {
        OfferInState::Received | OfferInState::Accepted | OfferInState::Declined(_) | OfferInState::Withdrawn(_) => {
            false
        }
        OfferInState::Transferred | OfferInState::Agreed | OfferInState::Concluded(_) | OfferInState::Voided => true,
    }
}

/// Deletes the dossier of a handoff that a restore undid, and that does not happen again.
async fn return_one(
    vault: &Vault,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    offer: OfferId,
) -> anyhow::Result<()> {
    let custody = store.load::<CaseCustody>(&stream(office, case)).await?.state;
    let ended = custody.offers_in().find(|(id, _)| *id == offer).map(|(_, received)| received.state);
    if let Some(OfferInState::Declined(_) | OfferInState::Withdrawn(_)) = ended {
        vault.discard_dossier(offer, Direction::In).await?;
    }
    Ok(())
}

async fn adopt_one(
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    offer: OfferId,
) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    match open(desk, store, office, case, offer, None, now).await {
        Ok(Some(dossier)) => Ok(desk.node.vault.adopt(&dossier, now).await?),
        Ok(None) => {
            tracing::info!(%offer, "no dossier came with this handoff");
            Ok(())
        }
        Err(DossierError::Vault(error)) => Err(error.into()),
        Err(error) => {
            tracing::error!(%offer, error = %error, "the dossier that came with a handoff cannot be used");
            Ok(())
        }
    }
}

/// Opens the dossier of an offer to this office. With a reader the reading is recorded; without, the vault itself reads.
pub(crate) async fn open(
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    offer: OfferId,
    reader: Option<&Reader>,
    now: Timestamp,
) -> Result<Option<Dossier>, DossierError> {
    let custody = store.load::<CaseCustody>(&stream(office, case)).await;
    let custody = custody.map_err(|_| DossierError::Malformed)?.state;
    let Some((_, received)) = custody.offers_in().find(|(id, _)| *id == offer) else { return Ok(None) };
    if !is_due(received.state) {
        return Ok(None);
    }
    let (vault, keys) = (&desk.node.vault, &desk.node.keys);
    let Some(sealed) = vault.sealed_dossier(offer, Direction::In).await? else { return Ok(None) };
    match received.terms.as_ref().map(|terms| terms.dossier_digest) {
        // What came was promised by nobody.
        Some(None) => return Ok(None),
        Some(Some(promised)) if *promised.as_bytes() != digest(&sealed) => return Err(DossierError::Malformed),
        Some(Some(_)) | None => {}
    }
    // After restores of the sender the offer has another id than the one that the dossier was sealed for.
    let from = &received.from.office;
    let mut opened = Dossier::open(keys, offer, from, office, &sealed);
    let mut id = offer;
    for _ in 0..MOST_RESTORES {
        let earlier = custody.offers_in().find(|(known, _)| *known == id);
        let earlier = earlier.and_then(|(_, known)| known.terms.as_ref()?.instead_of);
        match (&opened, earlier) {
            (Err(DossierError::Seal(_)), Some(earlier)) => {
                opened = Dossier::open(keys, earlier, from, office, &sealed);
                id = earlier;
            }
            _ => break,
        }
    }
    let dossier = opened?;
    if let Some(reader) = reader {
        vault.note_dossier_reading(dossier.person, reader, now).await?;
    }
    Ok(Some(dossier))
}

#[cfg(test)]
mod tests;
