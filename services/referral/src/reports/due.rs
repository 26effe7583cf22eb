//! The clock on every report that nobody looks into: over the head of a silent office it goes to the one above.
//!
//! The office that passed a report on keeps the clock on it; for a report that nobody passed on, the office that took it
//! down does. As with offers, due dates are stored and judged by the node's clock.

use std::time::Duration;

use spean_chassis::{Next, Policies, Round, When, mint, status};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata};
use spean_messaging::Post;
use spean_vault::Reader;
use spean_vocabulary::{OfficeId, ReportId, Timestamp, Urgency};
use sqlx::Row as _;
use tonic::Status;

use super::report::{Command, Pass, Report};
use super::words::PassReason;
use super::{addressee, sealed};
use crate::desk::{Desk, report_stream};
use crate::routing::{Routing, Statuses};

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A report that an office is silent about.
struct Silence {
    office: OfficeId,
    report: ReportId,
    silent: OfficeId,
    due_at: Timestamp,
    received_at: Timestamp,
    urgency: Urgency,
}

/// Looks at the clock.
pub(crate) fn round(desk: &Desk, policies: &Policies, store: &EventStore, post: &Post) -> Round {
    let (desk, policies, store) = (desk.clone(), policies.clone(), store.clone());
    Round::new("silence about reports", When::Every(LOOK_EVERY, post.clone()), move || {
        let (desk, policies, store) = (desk.clone(), policies.clone(), store.clone());
        async move { look(&desk, &policies, &store).await.map(|()| Next::Rest) }
    })
}

async fn look(desk: &Desk, policies: &Policies, store: &EventStore) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    let rows = sqlx::query(
        "select office, report_id, office, answer_due_at, received_at, urgency from report
         where state = 'received' and from_offices = '' and answer_due_at <= $1
         union all
         select report_station.office, report_station.report_id, to_office, due_at, passed_at, urgency
         from report_station join report on report.office = report_station.office
            and report.report_id = report_station.report_id
         where said = '' and silent = 0 and report.state in ('received', 'passed_on') and due_at <= $1
         order by 4",
    )
    .bind(now.as_micros())
    .fetch_all(store.reader())
    .await?;
    for row in rows {
        let silence = Silence {
            office: row.try_get::<&str, _>(0)?.parse()?,
            report: row.try_get::<&str, _>(1)?.parse()?,
            silent: row.try_get::<&str, _>(2)?.parse()?,
            due_at: Timestamp::from_micros(row.try_get(3)?),
            received_at: Timestamp::from_micros(row.try_get(4)?),
            urgency: row.try_get::<&str, _>(5)?.parse()?,
        };
        // An old report is judged by the figures of its day.
        let patience = policies.on(silence.received_at).answer.of(silence.urgency).tell_office_above_after_hours;
        if now.hours_since(silence.due_at) < patience {
            continue;
        }
        let report = silence.report;
        if let Err(error) = climb(desk, store, silence, now).await {
            tracing::warn!(%report, error = %error, "this report goes to the office above later");
        }
    }
    Ok(())
}

async fn climb(desk: &Desk, store: &EventStore, silence: Silence, now: Timestamp) -> anyhow::Result<()> {
    let Silence { office, report, silent, urgency, .. } = silence;
    let id = report_stream(&office, report);
    let known = store.load::<Report>(&id).await?.state;
    let (directory, statuses) = (desk.directory(), Statuses::load(store.reader()).await?);
    let routing = Routing { directory: &directory, statuses: &statuses, today: now.date_in_cambodia() };
    // At the top of the ladder there is nobody left to tell: the report ages on the worklist.
    let Some(above) = addressee::above(&routing, &known, &office, &silent) else { return Ok(()) };
    let due_at = now.plus_hours(desk.node.policy.answer.of(urgency).answer_within_hours);
    let mut silent_offices = known.silent();
    silent_offices.insert(silent.clone());
    let pass = (above != office).then(|| Pass {
        to: above.clone(),
        pass: mint(),
        because: PassReason::NobodyAnswered,
        silent: silent_offices,
        due_at,
    });
    tracing::info!(%report, to = %above, "nobody looks into a report; it goes to the office above");
    let has_words = known.file().is_some_and(|file| file.has_words);
    let reader = Reader {
        staff: "escalation".parse()?,
        office: office.clone(),
        purpose: "nobody looked into it; the report goes to the office above".to_owned(),
    };
    let context = Context { office, staff: None, now };
    let metadata = Metadata::of(&context);
    let desk = desk.clone();
    let decided = store.transact(move |transaction| {
        Box::pin(async move {
            let command = Command::ClimbOver { silent, pass: pass.clone(), due_at };
            let events = transaction.decide::<Report>(&id, command, &context, &metadata).await;
            let events = events.map_err(status::handled)?;
            // Between the decision and its commit, so that no words are sealed for nothing.
            if let Some(pass) = pass.filter(|_| has_words && !events.is_empty()) {
                sealed::seal(&desk, report, &pass, &reader, now).await.map_err(|error| status::bug(&error))?;
            }
            Ok::<_, Status>(())
        })
    });
    decided.await.map_err(|error| anyhow::anyhow!("{error}"))
}
