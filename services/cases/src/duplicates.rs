//! Looks at everybody who was registered and notes who may be known already. People decide; this only points.

use std::time::Duration;

use spean_chassis::Node;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Recorded, StoreError};
use spean_vault::{Identity, Reader};
use spean_vocabulary::{CaseId, PersonId};

use crate::case::{Case, Command, Event};
use crate::similarity::{CANDIDATE, compare};

/// Name of the saved position.
const READER: &str = "duplicates";
/// Events looked at together.
const BATCH: i64 = 200;
/// The pause after the database or the vault was away.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Follows the log for ever.
pub(crate) async fn watch(node: Node, store: EventStore) {
    let mut head = store.head();
    loop {
        match catch_up(&node, &store).await {
            Ok(()) => {
                if head.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "the search for duplicates goes on later");
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}

async fn catch_up(node: &Node, store: &EventStore) -> anyhow::Result<()> {
    loop {
        let position = store.saved_position(READER).await?;
        let events = store.events_after(position, BATCH).await?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
        let registered: Vec<_> = events.iter().filter(|event| is_registration(event)).collect();
        if !registered.is_empty() {
            point_out(node, store, &registered).await?;
        }
        let saved =
            store.transact(move |transaction| Box::pin(async move { transaction.save_position(READER, last).await }));
        saved.await.map_err(|error: spean_eventstore::TransactError<StoreError>| anyhow::anyhow!("{error}"))?;
    }
}

fn is_registration(event: &Recorded) -> bool {
    matches!(event.event::<Case>(), Some(Ok(Event::Registered { .. })))
}

async fn point_out(node: &Node, store: &EventStore, registered: &[&Recorded]) -> anyhow::Result<()> {
    let Some(first) = registered.first() else { return Ok(()) };
    let reader = Reader {
        staff: "duplicate-search".parse()?,
        office: first.metadata.office.clone(),
        purpose: "to notice people who are registered twice".to_owned(),
    };
    let now = node.clock.now();
    let everybody: Vec<(PersonId, Identity)> = node.vault.identities(&reader, now).await?;
    for event in registered {
        let case: CaseId = event.id.parse()?;
        let Some((_, identity)) = everybody.iter().find(|(person, _)| *person == case.reinterpret()) else { continue };
        for (person, other) in everybody.iter().filter(|(person, _)| *person != case.reinterpret()) {
            let likeness = compare(identity, other);
            let other: CaseId = person.reinterpret();
            if likeness.score < CANDIDATE || !store.load::<Case>(&other.to_string()).await?.state.exists() {
                continue;
            }
            let reasons: Vec<_> = likeness.reasons.iter().map(|reason| (*reason).to_owned()).collect();
            let context = Context { office: event.metadata.office.clone(), staff: None, now };
            let metadata = Metadata { trace: event.metadata.trace.clone(), ..Metadata::of(&context) };
            let command = Command::NotePossibleDuplicate { other, score: likeness.score, reasons };
            store.handle::<Case>(case.to_string(), command, context, metadata).await?;
        }
    }
    Ok(())
}
