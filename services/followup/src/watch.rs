//! Draws up what the meetings should hear of, from what is on record and the node's clock; and sees when a decision that
//! had to wait is carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use spean_chassis::Node;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata};
use spean_identity::{Directory, OfficeLevel};
use spean_messaging::Post;
use spean_vocabulary::{CaseId, CaseNumber, Date, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Row as _};

use crate::agenda::{Agenda, Command, Told};
use crate::codes::Topic;
use crate::mandate::{self, Mandate};
use crate::meetings;

/// How often it is looked whether there is something new, or a new day.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks for ever.
pub(crate) async fn watch(node: Node, store: EventStore, post: Post, late_after_days: i32) {
    let mut seen = None;
    loop {
        let today = node.clock.now().date_in_cambodia();
        let now = (*store.head().borrow(), today);
        if seen != Some(now) && !post.is_recovering() {
            match look(&node, &store, today, late_after_days).await {
                Ok(()) => seen = Some(now),
                Err(error) => tracing::warn!(error = %error, "the agenda is drawn up later"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
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

/// How all cases stand that are kept here and not closed; one of them when it is named.
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
                where contradiction.case_id = follow_up.case_id and resolution = ''), 0)
         from follow_up left join lost_contact on lost_contact.case_id = follow_up.case_id
         where state in ('open', 'handed_over') and ($1 = '' or follow_up.case_id = $1)
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
    let mut topics = BTreeMap::new();
    if row.try_get::<String, _>(2)? == "handed_over" {
        topics.insert(Topic::Unanswered, since);
    }
    if let (Some(lost_on), Some(to_meeting_on)) = (day(8)?, day(9)?)
        && to_meeting_on <= today
    {
        topics.insert(Topic::ContactLost, lost_on);
    }
    if let Some(seen_on) = day(10)? {
        topics.insert(Topic::SeenAgain, seen_on);
    }
    if let Some(found_on) = day(11)? {
        topics.insert(Topic::Danger, found_on);
    }
    let raised_at: i64 = row.try_get(12)?;
    if raised_at > 0 {
        topics.insert(Topic::Contradictory, Timestamp::from_micros(raised_at).date_in_cambodia());
    }
    if let Some(due_on) = day(6)?
        && due_on.plus_days(late_after_days) < today
    {
        topics.insert(Topic::Overdue, due_on);
    }
    if row.try_get::<i64, _>(5)? == 0 {
        let due = if topics.is_empty() { Topic::DueToClose } else { Topic::DueToExtend };
        topics.insert(due, day(7)?.unwrap_or(since));
    }
    Ok(topics)
}

/// Decisions that had to wait: a transfer is carried out when the case has moved, a search when it went on.
async fn complete(store: &EventStore, now: Timestamp) -> anyhow::Result<()> {
    for waiting in meetings::open_mandates(store.reader()).await? {
        let moved =
            "select count(*) from follow_up where case_id = $1 and state in ('handed_over', 'elsewhere') and $2 <> ''";
        let searched = "select count(*) from follow_up where case_id = $1 and not exists
            (select 1 from lost_contact where lost_contact.case_id = follow_up.case_id and last_step_on < $2)";
        let done = if waiting.decision == "transfer" { moved } else { searched };
        let row = sqlx::query(done).bind(&waiting.case_id).bind(&waiting.decided_on).fetch_one(store.reader()).await?;
        if row.try_get::<i64, _>(0)? > 0 {
            let context = Context { office: waiting.office.parse()?, staff: None, now };
            let metadata = Metadata::of(&context);
            store.handle::<Mandate>(waiting.decision_id, mandate::Command::Complete, context, metadata).await?;
        }
    }
    Ok(())
}
