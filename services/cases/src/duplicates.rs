//! Looks at everybody who was registered or amended and notes who may be known already. People decide; this only points.

use std::collections::BTreeMap;
use std::time::Duration;

use spean_chassis::{Next, Node, Round, When};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Recorded, StoreError};
use spean_vault::{Contact, Identity, Reader};
use spean_vocabulary::{CaseId, OfficeId, PersonId};
use tokio::time::Instant;

use crate::case::{Case, Command, Event};
use crate::similarity::{Likeness, Traits, likeliest};

/// Name of the saved position.
const READER: &str = "duplicates";
/// Events looked at together.
const BATCH: i64 = 200;
/// Most others that are pointed out for one person at a time, the likeliest. A list that names half a village is read by
/// nobody; whoever wants more searches for the name.
const MOST_POINTED_OUT: usize = 10;
/// After each look comes a pause of so many times its length: whole groups that arrive together are then looked at
/// together, and opening everybody never takes more than a fifth of the machine.
const PAUSE: u32 = 4;
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Somebody to look at: whose case it is, for which office, and in which trace.
type Sought = BTreeMap<CaseId, (OfficeId, Option<String>)>;

/// Follows the log.
pub(crate) fn round(node: &Node, store: &EventStore) -> Round {
    let (node, store) = (node.clone(), store.clone());
    Round::new("search for duplicates", When::Following(store.clone()), move || {
        let (node, store) = (node.clone(), store.clone());
        async move { catch_up(&node, &store).await }
    })
}

async fn catch_up(node: &Node, store: &EventStore) -> anyhow::Result<Next> {
    loop {
        let position = store.saved_position(READER).await?;
        let events = store.events_after(position, BATCH).await?;
        let Some(last) = events.last().map(|event| event.position) else { return Ok(Next::Rest) };
        let sought: Sought = events
            .iter()
            .filter(|event| is_description(event))
            .filter_map(|event| {
                let who = (event.metadata.office.clone(), event.metadata.trace.clone());
                Some((event.id.parse().ok()?, who))
            })
            .collect();
        let begun = Instant::now();
        if !sought.is_empty() {
            point_out(node, store, &sought).await?;
        }
        let saved =
            store.transact(move |transaction| Box::pin(async move { transaction.save_position(READER, last).await }));
        saved.await.map_err(|error: spean_eventstore::TransactError<StoreError>| anyhow::anyhow!("{error}"))?;
        if !sought.is_empty() {
            return Ok(Next::After((begun.elapsed() * PAUSE).min(LONGEST_PAUSE)));
        }
    }
}

/// Somebody who came without a name may get one later.
fn is_description(event: &Recorded) -> bool {
    matches!(event.event::<Case>(), Some(Ok(Event::Registered { .. } | Event::Amended { .. })))
}

/// Looks who else may be the person of a case, because a correction changed words alone and left no event.
pub(crate) async fn look_again(node: &Node, store: &EventStore, case: CaseId, office: &OfficeId) -> anyhow::Result<()> {
    point_out(node, store, &Sought::from([(case, (office.clone(), None))])).await
}

async fn point_out(node: &Node, store: &EventStore, sought: &Sought) -> anyhow::Result<()> {
    let Some((office, _)) = sought.values().next() else { return Ok(()) };
    let reader = Reader {
        staff: "duplicate-search".parse()?,
        office: office.clone(),
        purpose: "to notice people who are registered twice".to_owned(),
    };
    let now = node.clock.now();
    let people: Vec<PersonId> = sought.keys().map(CaseId::reinterpret).collect();
    let found = node.vault.search(&reader, now, move |everybody| alike(&people, &everybody)).await?;
    for (person, likenesses) in found {
        let case: CaseId = person.reinterpret();
        let Some((office, trace)) = sought.get(&case) else { continue };
        for (other, likeness) in likenesses {
            let other: CaseId = other.reinterpret();
            let known = store.load::<Case>(&other.to_string()).await?.state;
            if !known.exists() || known.is_paired_with(case) {
                continue;
            }
            let reasons: Vec<_> = likeness.reasons.iter().map(|reason| (*reason).to_owned()).collect();
            let context = Context { office: office.clone(), staff: None, now };
            let metadata = Metadata { trace: trace.clone(), ..Metadata::of(&context) };
            let command = Command::NotePossibleDuplicate { other, score: likeness.score, reasons };
            store.handle::<Case>(case.to_string(), command, context, metadata).await?;
        }
    }
    Ok(())
}

/// Who of everybody may be one of these people.
fn alike(
    people: &[PersonId],
    everybody: &[(PersonId, Identity, Option<Contact>)],
) -> Vec<(PersonId, Vec<(PersonId, Likeness)>)> {
    let traits: BTreeMap<PersonId, Traits> =
        everybody.iter().map(|(person, identity, contact)| (*person, Traits::of(identity, contact.as_ref()))).collect();
    let alike = |person: &PersonId| {
        let others = traits.iter().filter(|(other, _)| *other != person).map(|(other, traits)| (*other, traits));
        Some((*person, likeliest(traits.get(person)?, others, MOST_POINTED_OUT)))
    };
    people.iter().filter_map(alike).collect()
}
