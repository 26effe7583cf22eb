//! Needs that cannot wait: which of them nobody has served yet, the oldest first.

use std::collections::BTreeSet;

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{ArrivalId, Need, OfferKind, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::arrival::{Arrival, DepartureKind, Event, OfferEnd};
use crate::words::UrgentNeedState as State;

/// Table and projection of the urgent needs.
pub struct UrgentNeeds;

impl ReadModel for UrgentNeeds {
    fn name(&self) -> &'static str {
        "urgent_needs"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["urgent_need"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table urgent_need (
                arrival_id text not null,
                need text not null,
                since bigint not null,
                position bigint not null,
                state text not null,
                primary key (arrival_id, need)
            )",
            "create index urgent_need_state on urgent_need (state, since)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Arrival>() else { return Ok(()) };
            apply(event, what, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let arrival = recorded.id.as_str();
    match event {
        Event::NeedsRecorded { needs, urgent, urgent_needs, .. } => {
            let found = match (urgent, urgent_needs.is_empty()) {
                (false, _) => BTreeSet::new(),
                (true, true) => needs,
                (true, false) => urgent_needs,
            };
            interviewed(recorded, &found, connection).await
        }
        Event::NeedServed { need, .. } => {
            sqlx::query("update urgent_need set state = 'served' where arrival_id = $1 and need = $2")
                .bind(arrival)
                .bind(need.to_string())
                .execute(connection)
                .await?;
            Ok(())
        }
        Event::OfferEnded { kind: OfferKind::Service, need: Some(need), end: OfferEnd::Accepted, .. } => {
            sqlx::query(
                "update urgent_need set state = 'passed_on' where arrival_id = $1 and need = $2 and state = 'open'",
            )
            .bind(arrival)
            .bind(need.to_string())
            .execute(connection)
            .await?;
            Ok(())
        }
        Event::Accepted { .. } => turn(arrival, State::Open, State::PassedOn, connection).await,
        Event::TakenBack { .. } => turn(arrival, State::PassedOn, State::Open, connection).await,
        Event::Departed { kind: DepartureKind::OwnWill | DepartureKind::Missing, .. } => {
            turn(arrival, State::Open, State::LeftUnserved, connection).await
        }
        Event::FoundAgain { .. } => turn(arrival, State::LeftUnserved, State::Open, connection).await,
        _ => Ok(()),
    }
}

async fn interviewed(
    recorded: &Recorded,
    found: &BTreeSet<Need>,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    turn(&recorded.id, State::Open, State::NoLongerUrgent, connection).await?;
    for need in found {
        // What was found before is as old as it was, and what was served is served.
        sqlx::query(
            "insert into urgent_need (arrival_id, need, since, position, state) values ($1, $2, $3, $4, 'open')
             on conflict (arrival_id, need) do update set state = 'open' where urgent_need.state = 'no_longer_urgent'",
        )
        .bind(&recorded.id)
        .bind(need.to_string())
        .bind(recorded.metadata.recorded_at.as_micros())
        .bind(recorded.position)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn turn(arrival: &str, from: State, to: State, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update urgent_need set state = $3 where arrival_id = $1 and state = $2")
        .bind(arrival)
        .bind(from.to_string())
        .bind(to.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// An urgent need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's UrgentNeed")]
pub struct Urgent {
    pub arrival_id: String,
    pub need: String,
    pub state: String,
    pub since: Timestamp,
    pub sex: String,
    pub age_band: String,
}

const COLUMNS: &str = "urgent_need.arrival_id, need, state, since, sex, age_band";

/// The urgent needs at an office that are not served, the oldest first; those of people who left come last.
pub async fn unserved(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Urgent>, sqlx::Error> {
    let sql = format!(
        "select {COLUMNS} from urgent_need join arrival on arrival.arrival_id = urgent_need.arrival_id
         where office = $1 and state in ('open', 'left_unserved')
         order by case when state = 'open' then 0 else 1 end, since, position, need limit $2 offset $3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(urgent).collect()
}

/// The urgent needs of one arrival, the oldest first.
pub async fn of_arrival(
    arrival: ArrivalId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Urgent>, sqlx::Error> {
    let sql = format!(
        "select {COLUMNS} from urgent_need join arrival on arrival.arrival_id = urgent_need.arrival_id
         where urgent_need.arrival_id = $1 order by since, position, need"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(arrival.to_string()).fetch_all(executor).await?;
    rows.iter().map(urgent).collect()
}

fn urgent(row: &AnyRow) -> Result<Urgent, sqlx::Error> {
    Ok(Urgent {
        arrival_id: row.try_get(0)?,
        need: row.try_get(1)?,
        state: row.try_get(2)?,
        since: Timestamp::from_micros(row.try_get(3)?),
        sex: row.try_get(4)?,
        age_band: row.try_get(5)?,
    })
}
