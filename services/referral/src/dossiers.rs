//! Dossiers: sealed at the offer, sent when the handoff is recorded, adopted by the vault when they arrive.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use spean_chassis::{Next, Round, When};
use spean_custody::case::{CaseCustody, Event};
use spean_eventstore::{EventStore, Recorded, StoreError, TransactError};
use spean_identity::digest;
use spean_vault::{Direction, Dossier, DossierError, Reader, Vault, VaultError};
use spean_vocabulary::{CaseId, OfferId, OfficeId, Timestamp};
use sqlx::Row as _;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::desk::{Desk, place, stream};
use crate::subject::Permission;

/// Name of the saved position.
const READER: &str = "dossiers";
/// Events looked at together.
const BATCH: i64 = 200;
/// Into how many lanes the offers that are being made fall. Two of different cases seldom meet in one.
const LANES: usize = 64;
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

/// Offers that are being made. Between the sealing of a dossier and the record that promises it nobody else may seal one
/// for the same offer: the record would promise a dossier that is not kept any more.
#[derive(Clone, Debug)]
pub(crate) struct BeingMade(Arc<[Arc<Mutex<()>>; LANES]>);

/// The right to seal dossiers for some offers, and to record them.
#[derive(Debug, Default)]
pub(crate) struct Alone(#[expect(dead_code, reason = "held until it is dropped")] Vec<OwnedMutexGuard<()>>);

impl BeingMade {
    pub(crate) fn new() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Arc::default())))
    }

    /// Waits until nobody else makes one of these offers.
    pub(crate) async fn alone(&self, offers: impl IntoIterator<Item = OfferId>) -> Alone {
        // In order, so that two who want the same ones never wait for each other.
        let lanes: BTreeSet<usize> = offers.into_iter().map(lane).collect();
        let mut held = Vec::with_capacity(lanes.len());
        for lane in lanes {
            held.push(Arc::clone(&self.0[lane]).lock_owned().await);
        }
        Alone(held)
    }
}

fn lane(offer: OfferId) -> usize {
    let mut hasher = DefaultHasher::new();
    offer.hash(&mut hasher);
    usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default()
}

/// Puts together what may travel, seals it to the receiver's node, and puts it away until the handoff is recorded.
/// The answer is the digest that the signed offer carries. What was kept for an offer that was refused, or that the
/// power took, is replaced: it was put together by what was known and allowed then.
///
/// Whoever calls it is [`Alone`] with the offer, and knows that it is not recorded yet.
pub(crate) async fn prepare(
    desk: &Desk,
    handoff: &Handoff<'_>,
    note: String,
    reader: &Reader,
    now: Timestamp,
) -> Result<[u8; 32], DossierError> {
    let Handoff { offer, case, from, to, permission } = *handoff;
    let vault = &desk.node.vault;
    let person = case.reinterpret();
    let mut dossier = Dossier::compose(vault, case, person, &permission.parts, note, reader, now).await?;
    dossier.add_sections(vault, &permission.parts, from, reader, now).await?;
    let directory = desk.directory();
    let receiver = directory.office(to).and_then(|office| directory.node(&office.node));
    let key = receiver.map(|receiver| receiver.keys.sealing.as_str()).unwrap_or_default();
    let (sealed, digest) = dossier.seal_for(key, offer, from, to)?;
    vault.keep_dossier(offer, Direction::Out, person, &sealed, now).await?;
    Ok(digest)
}

/// The sealed dossier of an offer, to be sent. An offer that was made afresh after a restore has that of the first one.
pub(crate) async fn sealed(vault: &Vault, store: &EventStore, offer: OfferId) -> Result<Option<Vec<u8>>, VaultError> {
    let mut offer = offer;
    for _ in 0..MOST_RESTORES {
        if let Some(sealed) = vault.sealed_dossier(offer, Direction::Out).await? {
            return Ok(Some(sealed));
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
            if let (Some((office, case)), Some(offer)) = (place(event), arrived(event)) {
                adopt_one(desk, store, &office, case, offer).await?;
            }
        }
        let saved =
            store.transact(move |transaction| Box::pin(async move { transaction.save_position(READER, last).await }));
        saved.await.map_err(|error: TransactError<StoreError>| anyhow::anyhow!("{error}"))?;
    }
}

fn arrived(event: &Recorded) -> Option<OfferId> {
    match event.event::<CaseCustody>()?.ok()? {
        Event::TransferReceived { offer, .. } | Event::AgreementReceived { offer, .. } => Some(offer),
        _ => None,
    }
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
    let (vault, keys) = (&desk.node.vault, &desk.node.keys);
    let Some(sealed) = vault.sealed_dossier(offer, Direction::In).await? else { return Ok(None) };
    let expected = received.terms.as_ref().and_then(|terms| terms.dossier_digest);
    if expected.is_some_and(|expected| *expected.as_bytes() != digest(&sealed)) {
        return Err(DossierError::Malformed);
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
