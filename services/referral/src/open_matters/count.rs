//! Counting what is open of a case at an office, from its offers and needs as they stand.

use std::time::Duration;

use spean_chassis::{Next, Round, When};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, TransactError, Transaction};
use spean_messaging::{Letter, Post, Unusable};
use spean_vocabulary::{CaseId, OfficeId, Service, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::letters::NeedTurned;
use super::{Command, Matters, Open, OpenMatters, list};
use crate::desk::{Desk, stream};
use crate::needs::figures::unusable;
use crate::needs::letters::{malformed, refused};

/// Most cases that are counted in one transaction when a log of an earlier version is opened.
const CASES_AT_ONCE: usize = 50;
/// How long to wait before cases that could not be counted are counted again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What is open of a case at an office.
pub(crate) async fn count(
    office: &OfficeId,
    case: CaseId,
    connection: &mut AnyConnection,
) -> Result<Matters, sqlx::Error> {
    let offers = sqlx::query(
        "select count(*), coalesce(min(offered_at), 0) from offer
         where office = $1 and case_id = $2 and direction = 'out' and state = 'OFFERED'",
    );
    let needs = sqlx::query(
        "select count(*), coalesce(min(opened_at), 0) from case_need
         where office = $1 and case_id = $2 and state in ('OPEN', 'OFFERED')",
    );
    // A service that an earlier holder asked for is known by the need alone, which came with the case.
    let services = sqlx::query(
        "select count(*), coalesce(min(since), 0) from (
            select offer_id as offer_id, offered_at as since from offer
            where office = $1 and case_id = $2 and direction = 'out' and state = 'ACCEPTED' and kind = 'service'
            union
            select asked.offer_id as offer_id, need.opened_at as since from case_need need
            join need_asked asked on asked.office = need.office and asked.need_id = need.need_id
            where need.office = $1 and need.case_id = $2 and need.state = 'SERVED' and asked.state = 'ACCEPTED'
                and asked.to_office <> $1 and not exists (
                    select 1 from offer own where own.office = need.office and own.offer_id = asked.offer_id
                        and own.direction = 'out')
         ) given",
    );
    let mut found = [None; 3];
    for (matter, query) in found.iter_mut().zip([offers, needs, services]) {
        let row = query.bind(office.as_str()).bind(case.to_string()).fetch_one(&mut *connection).await?;
        *matter = open(&row)?;
    }
    let [offers, needs, services] = found;
    Ok(Matters { offers, needs, services })
}

fn open(row: &AnyRow) -> Result<Option<Open>, sqlx::Error> {
    let (count, since): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let since = Timestamp::from_micros(since).date_in_cambodia();
    Ok((count > 0).then(|| Open { count: u32::try_from(count).unwrap_or(u32::MAX), since }))
}

/// Counts again, and tells what changed.
pub(crate) async fn recount(
    desk: &Desk,
    office: &OfficeId,
    case: CaseId,
    trace: Option<&String>,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let matters = count(office, case, transaction.connection()).await?;
    let context = Context { office: office.clone(), staff: None, now: desk.node.clock.now() };
    let metadata = Metadata { trace: trace.cloned(), ..Metadata::of(&context) };
    let id = stream(office, case);
    transaction.decide::<OpenMatters>(&id, Command::Count(matters), &context, &metadata).await.map_err(unusable)?;
    Ok(())
}

/// A need has turned at an office of this node.
pub(crate) async fn need_turned(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    if letter.from != desk.node.address(Service::Referral) {
        return Err(refused("NOT_OUR_SERVICE"));
    }
    let NeedTurned { office, need } = serde_json::from_slice(&letter.body).map_err(malformed)?;
    let row = sqlx::query("select case_id from case_need where office = $1 and need_id = $2")
        .bind(office.as_str())
        .bind(need.to_string())
        .fetch_optional(transaction.connection())
        .await?;
    let Some(row) = row else { return Ok(()) };
    let case = row.try_get::<String, _>(0)?.parse().map_err(malformed)?;
    recount(desk, &office, case, letter.trace.as_ref(), transaction).await
}

/// Tells once of all that was open before this program told of it.
pub(crate) fn round(desk: &Desk, store: &EventStore, post: &Post) -> Round {
    let (desk, store) = (desk.clone(), store.clone());
    Round::new("what is open of older cases", When::Every(AGAIN_AFTER, post.clone()), move || {
        let (desk, store) = (desk.clone(), store.clone());
        async move { tell_untold(&desk, &store).await.map(|()| Next::Never) }
    })
}

async fn tell_untold(desk: &Desk, store: &EventStore) -> anyhow::Result<()> {
    let untold = list::untold(store.reader()).await?;
    for cases in untold.chunks(CASES_AT_ONCE) {
        let (desk, cases) = (desk.clone(), cases.to_vec());
        let counted = store.transact(move |transaction| {
            Box::pin(async move {
                for (office, case) in &cases {
                    recount(&desk, office, *case, None, transaction).await?;
                }
                Ok(())
            })
        });
        counted.await.map_err(|error: TransactError<Unusable>| anyhow::anyhow!("{error}"))?;
    }
    Ok(())
}
