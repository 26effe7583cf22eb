//! Draws up what the meetings should hear of, from what is on record and the node's clock; and sees when a decision that
//! had to wait is carried out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use spean_chassis::{Next, Node, Round, When};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata};
use spean_identity::{Directory, OfficeLevel};
use spean_messaging::Post;
use spean_vocabulary::{CaseId, CaseNumber, Date, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row as _};
use tokio::sync::Mutex;

use crate::agenda::{Agenda, Command, Told};
use crate::codes::Topic;
use crate::mandate::{self, Mandate};
use crate::meetings;
use crate::plan::OpenMatters;

/// How often it is looked whether there is something new, or a new day.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks whenever there is something new, or a new day.
pub(crate) fn round(node: &Node, store: &EventStore, post: &Post, late_after_days: i32) -> Round {
    let (node, store, seen) = (node.clone(), store.clone(), Arc::new(Mutex::new(None)));
    Round::new("the agenda", When::Every(LOOK_EVERY, post.clone()), move || {
        let (node, store, seen) = (node.clone(), store.clone(), Arc::clone(&seen));
        async move {
            let mut seen = seen.lock().await;
            let today = node.clock.now().date_in_cambodia();
            let now = (*store.head().borrow(), today);
            if *seen != Some(now) {
                look(&node, &store, today, late_after_days).await?;
                *seen = Some(now);
            }
            Ok(Next::Rest)
        }
    })
}

async fn look(node: &Node, store: &EventStore, today: Date, late_after_days: i32) -> anyhow::Result<()> {
    let directory = node.directory.current();
    let mut told = meetings::told_lines(store.reader()).await?;
    for (case, standing) in observe(None, today, late_after_days, store.reader()).await? {
        let now = standing.told(&directory);
        let before = told.remove(&case).unwrap_or_default();
        if before != meetings::line(now.as_ref()) {
            tell(store, case, &standing.keeper, now, node.clock.now()).await?;
        }
    }
    // What is left stands on an agenda, and is no longer kept here.
    for (case, line) in told {
        if let Some(Ok(keeper)) = line.split(' ').next().map(str::parse) {
            tell(store, case, &keeper, None, node.clock.now()).await?;
        }
    }
    complete(store, node.clock.now()).await
}

async fn tell(
    store: &EventStore,
    case: CaseId,
    office: &OfficeId,
    now: Option<Told>,
    at: Timestamp,
) -> anyhow::Result<()> {
    let context = Context { office: office.clone(), staff: None, now: at };
    let metadata = Metadata::of(&context);
    store.handle::<Agenda>(case.to_string(), Command::Observe(now), context, metadata).await?;
    Ok(())
}

/// A case as it stands, with all that a meeting should hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) keeper: OfficeId,
    pub(crate) case_number: Option<CaseNumber>,
    pub(crate) topics: BTreeMap<Topic, Date>,
}

impl Standing {
    /// What the province is told; none when the office has no province above it.
    fn told(&self, directory: &Directory) -> Option<Told> {
        let to = province(directory, &self.keeper)?;
        Some(Told { office: self.keeper.clone(), to, case_number: self.case_number, topics: self.topics.clone() })
    }
}

/// The provincial office whose meeting speaks of the cases of an office; a provincial office speaks of its own.
pub(crate) fn province(directory: &Directory, office: &OfficeId) -> Option<OfficeId> {
    let own = directory.office(office).into_iter();
    own.chain(directory.ladder(office)).find(|above| above.level == OfficeLevel::Province).map(|above| above.id.clone())
}

/// What the desk of an office says is open of a case.
pub(crate) async fn open_matters(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<OpenMatters, sqlx::Error> {
    let row = sqlx::query(
        "select offers_since, needs_since, services_since from desk_matter where case_id = $1 and office = $2",
    )
    .bind(case.to_string())
    .bind(office.as_str())
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(OpenMatters::default()) };
    let is_open = |column: usize| Ok::<_, sqlx::Error>(!row.try_get::<String, _>(column)?.is_empty());
    Ok(OpenMatters { offer: is_open(0)?, need: is_open(1)?, service: is_open(2)?, ..OpenMatters::default() })
}

/// How all cases stand that are kept here, one of them when it is named. Of what is closed the meeting hears only what
/// has come up since.
pub(crate) async fn observe(
    case: Option<CaseId>,
    today: Date,
    late_after_days: i32,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<(CaseId, Standing)>, sqlx::Error> {
    let rows = sqlx::query(
        "select follow_up.case_id, keeper, state, since,
            coalesce((select max(case_number) from case_standing where case_standing.case_id = follow_up.case_id), ''),
            (select count(*) from visit where visit.case_id = follow_up.case_id and settled = 0),
            coalesce((select min(due_on) from visit where visit.case_id = follow_up.case_id and settled = 0), ''),
            coalesce((select max(visited_on) from visit where visit.case_id = follow_up.case_id), ''),
            coalesce(lost_on, ''), coalesce(to_meeting_on, ''), coalesce(seen_on, ''),
            coalesce((select min(found_on) from danger where danger.case_id = follow_up.case_id and ended_on = ''), ''),
            coalesce((select min(raised_at) from contradiction
                where contradiction.case_id = follow_up.case_id and resolution = ''), 0),
            coalesce(offers_since, ''), coalesce(needs_since, ''), coalesce(services_since, '')
         from follow_up left join lost_contact on lost_contact.case_id = follow_up.case_id
         left join desk_matter on desk_matter.case_id = follow_up.case_id and desk_matter.office = keeper
         where state in ('open', 'handed_over', 'closed') and ($1 = '' or follow_up.case_id = $1)
         order by follow_up.case_id",
    )
    .bind(case.map(|case| case.to_string()).unwrap_or_default())
    .fetch_all(executor)
    .await?;
    let mut standings = Vec::with_capacity(rows.len());
    for row in &rows {
        let (case, keeper): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if let (Ok(case), Ok(keeper)) = (case.parse(), keeper.parse()) {
            let number: String = row.try_get(4)?;
            let topics = topics(row, today, late_after_days)?;
            standings.push((case, Standing { keeper, case_number: number.parse().ok(), topics }));
        }
    }
    Ok(standings)
}

fn topics(row: &AnyRow, today: Date, late_after_days: i32) -> Result<BTreeMap<Topic, Date>, sqlx::Error> {
    let day = |index: usize| Ok::<Option<Date>, sqlx::Error>(row.try_get::<String, _>(index)?.parse().ok());
    let since = day(3)?.unwrap_or(today);
    let state: String = row.try_get(2)?;
    let is_closed = state == "closed";
    let mut topics = BTreeMap::new();
    if let Some(seen_on) = day(10)?.filter(|seen_on| !is_closed || *seen_on >= since) {
        topics.insert(Topic::SeenAgain, seen_on);
    }
    if let Some(found_on) = day(11)? {
        topics.insert(Topic::Danger, found_on);
    }
    let raised_at: i64 = row.try_get(12)?;
    if raised_at > 0 {
        topics.insert(Topic::Contradictory, Timestamp::from_micros(raised_at).date_in_cambodia());
    }
    if is_closed {
        return Ok(topics);
    }
    if state == "handed_over" {
        topics.insert(Topic::Unanswered, since);
    }
    if let (Some(lost_on), Some(to_meeting_on)) = (day(8)?, day(9)?)
        && to_meeting_on <= today
    {
        topics.insert(Topic::ContactLost, lost_on);
    }
    if let Some(due_on) = day(6)?
        && due_on.plus_days(late_after_days) < today
    {
        topics.insert(Topic::Overdue, due_on);
    }
    let is_due = row.try_get::<i64, _>(5)? == 0;
    let is_heard = is_due || !topics.is_empty();
    for (topic, column) in [(Topic::OfferOpen, 13), (Topic::NeedOpen, 14), (Topic::ServiceOpen, 15)] {
        // Whatever waits for an answer comes before the meeting when it has waited long; a service that is given may run.
        let is_late = |since: &Date| topic != Topic::ServiceOpen && since.plus_days(late_after_days) < today;
        if let Some(since) = day(column)?.filter(|since| is_heard || is_late(since)) {
            topics.insert(topic, since);
        }
    }
    if is_due {
        let due = if topics.is_empty() { Topic::DueToClose } else { Topic::DueToExtend };
        topics.insert(due, day(7)?.unwrap_or(since));
    }
    Ok(topics)
}

/// Decisions that had to wait: a transfer is carried out when the case has moved, a search when it went on.
async fn complete(store: &EventStore, now: Timestamp) -> anyhow::Result<()> {
    for waiting in meetings::open_mandates(store.reader()).await? {
        // Between two offices of one node the plan is taken up in a moment, and has another keeper then.
        let moved = "select count(*) from follow_up where case_id = $1 and (keeper <> $3 or state = 'elsewhere'
            or (state = 'handed_over' and since >= $2))";
        let searched = "select count(*) from follow_up where case_id = $1 and (keeper <> $3 or not exists
            (select 1 from lost_contact where lost_contact.case_id = follow_up.case_id and last_step_on < $2))";
        let done = sqlx::query(if waiting.decision == "transfer" { moved } else { searched });
        let done = done.bind(&waiting.case_id).bind(&waiting.decided_on).bind(&waiting.office);
        let row = done.fetch_one(store.reader()).await?;
        if row.try_get::<i64, _>(0)? > 0 {
            let context = Context { office: waiting.office.parse()?, staff: None, now };
            let metadata = Metadata::of(&context);
            store.handle::<Mandate>(waiting.decision_id, mandate::Command::Complete, context, metadata).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
