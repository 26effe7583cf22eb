//! Who is missing: the list of them, and the clock that begins to look for those who have been away for too long.

use std::time::Duration;

use spean_chassis::{Next, Node, Policies, Round, When};
use spean_contracts::referral::v1::PersonSeenAgain;
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Tables};
use spean_messaging::Post;
use spean_vocabulary::{AdmissionId, OfficeId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::house::absence::Absence;
use crate::house::{Command, House};

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where other offices have registered people of ours, as the desk told.
pub const TABLES: Tables = Tables {
    name: "seen_elsewhere",
    steps: &["create table seen_elsewhere (
        case_id text not null,
        office text not null,
        seen_by text not null,
        seen_on text not null,
        primary key (case_id, office)
    )"],
};

/// Somebody who is away, or left and was not heard of since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Missing")]
pub struct Missing {
    pub admission_id: String,
    pub case_id: String,
    pub case_number: String,
    pub since: String,
    pub reason: String,
    pub contact_lost: bool,
    pub left: bool,
    pub bed_released: bool,
    pub seen_by: String,
    pub seen_on: String,
}

/// Writes down where a person of ours was seen; of several places the latest.
pub async fn record_seen(told: &PersonSeenAgain, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into seen_elsewhere (case_id, office, seen_by, seen_on) values ($1, $2, $3, $4)
         on conflict (case_id, office) do update set seen_by = excluded.seen_by, seen_on = excluded.seen_on
         where seen_elsewhere.seen_on <= excluded.seen_on",
    )
    .bind(&told.case_id)
    .bind(&told.office_id)
    .bind(&told.seen_by_office_id)
    .bind(&told.seen_on)
    .execute(connection)
    .await?;
    Ok(())
}

/// Who is missing at an office, the longest first.
pub async fn missing(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Missing>, sqlx::Error> {
    let rows = sqlx::query(
        "select admission_id, stay.case_id, coalesce(nullif(case_standing.case_number, ''), stay.case_number),
            coalesce(nullif(away_since, ''), lost_since) as since, away_reason, lost_since, exited_on, released,
            coalesce(seen_by, ''), coalesce(seen_on, '')
         from stay
         left join seen_elsewhere on seen_elsewhere.case_id = stay.case_id and seen_elsewhere.office = stay.office
            and seen_on >= coalesce(nullif(away_since, ''), lost_since)
         left join case_standing on case_standing.case_id = stay.case_id and case_standing.office = stay.office
         where stay.office = $1 and (away_since <> '' or lost_since <> '')
         order by 4, admission_id
         limit $2 offset $3",
    )
    .bind(office.as_str())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let missing = |row: &sqlx::any::AnyRow| {
        Ok(Missing {
            admission_id: row.try_get(0)?,
            case_id: row.try_get(1)?,
            case_number: row.try_get(2)?,
            since: row.try_get(3)?,
            reason: row.try_get(4)?,
            contact_lost: !row.try_get::<&str, _>(5)?.is_empty(),
            left: !row.try_get::<&str, _>(6)?.is_empty(),
            bed_released: row.try_get::<i64, _>(7)? == 1,
            seen_by: row.try_get(8)?,
            seen_on: row.try_get(9)?,
        })
    };
    rows.iter().map(missing).collect()
}

/// Looks at the clock.
pub(crate) fn round(node: &Node, policies: &Policies, store: &EventStore, post: &Post) -> Round {
    let (clock, policies, store) = (node.clock.clone(), policies.clone(), store.clone());
    Round::new("those who are away", When::Every(LOOK_EVERY, post.clone()), move || {
        let (policies, store, now) = (policies.clone(), store.clone(), clock.now());
        async move { look(&store, &policies, now).await.map(|()| Next::Rest) }
    })
}

/// Begins to look for everybody who has been away for longer than the policy of that day allows.
pub async fn look(store: &EventStore, policies: &Policies, now: Timestamp) -> anyhow::Result<()> {
    let rows = sqlx::query(
        "select office, admission_id, away_recorded_at, away_since, away_reason, away_expected from stay
         where away_since <> '' and lost_since = '' and away_recorded_at > 0",
    )
    .fetch_all(store.reader())
    .await?;
    for row in rows {
        let office: OfficeId = row.try_get::<&str, _>(0)?.parse()?;
        let admission_id: AdmissionId = row.try_get::<&str, _>(1)?.parse()?;
        let policy = policies.on(Timestamp::from_micros(row.try_get(2)?));
        let expected: &str = row.try_get(5)?;
        let absence = Absence {
            since: row.try_get::<&str, _>(3)?.parse()?,
            reason: row.try_get::<&str, _>(4)?.parse()?,
            expected_back_on: if expected.is_empty() { None } else { Some(expected.parse()?) },
        };
        let after_days = policy.shelter.tracing_after_absent_days;
        if absence.lost_on(after_days) > now.date_in_cambodia() {
            continue;
        }
        let command = Command::BeginTracing { admission_id, after_days };
        let context = Context { office: office.clone(), staff: None, now };
        let metadata = Metadata::of(&context);
        store.handle::<House>(office.as_str(), command, context, metadata).await?;
    }
    Ok(())
}
