//! What supervisors looked at, and what must still be mended.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::lists::text;
use crate::supervision::{Event, Supervision};

/// Table, projection and queries of supervision.
pub struct Supervisions;

impl ReadModel for Supervisions {
    fn name(&self) -> &'static str {
        "supervisions"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["supervision_point"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table supervision_point (
            supervision_id text not null,
            point text not null,
            office text not null,
            by_office text not null,
            worker text not null,
            visited_on text not null,
            result text not null,
            mend_by text not null,
            outcome text not null,
            seen_on text not null,
            primary key (supervision_id, point)
        );
        create index supervision_point_office on supervision_point (office)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            match event.event::<Supervision>() {
                Some(Ok(Event::Supervised(visit) | Event::SupervisionHeard(visit))) => {
                    for (check, point) in &visit.points {
                        sqlx::query(
                            "insert into supervision_point (supervision_id, point, office, by_office, worker,
                                visited_on, result, mend_by, outcome, seen_on)
                             values ($1, $2, $3, $4, $5, $6, $7, $8, '', '')",
                        )
                        .bind(event.id.clone())
                        .bind(check.to_string())
                        .bind(visit.office.to_string())
                        .bind(visit.by.to_string())
                        .bind(text(visit.worker.as_ref()))
                        .bind(visit.visited_on.to_string())
                        .bind(point.result.to_string())
                        .bind(text(point.mend_by))
                        .execute(&mut *connection)
                        .await?;
                    }
                    Ok(())
                }
                Some(Ok(Event::PointSeen { check, result, seen_on, .. })) => sqlx::query(
                    "update supervision_point set outcome = $3, seen_on = $4
                     where supervision_id = $1 and point = $2 and seen_on <= $4",
                )
                .bind(event.id.clone())
                .bind(check.to_string())
                .bind(result.to_string())
                .bind(seen_on.to_string())
                .execute(connection)
                .await
                .map(drop),
                _ => Ok(()),
            }
        })
    }
}

/// One point of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's SupervisionEntry")]
pub struct Entry {
    pub supervision_id: String,
    pub check: String,
    pub office: String,
    pub by_office: String,
    pub worker: String,
    pub visited_on: String,
    pub result: String,
    pub mend_by: String,
    pub outcome: String,
    pub seen_on: String,
}

impl Entry {
    /// How many days it is over the day by which it must be mended; 0 when not, or when it was mended.
    pub fn overdue_days(&self, today: Date) -> i32 {
        let mended = self.result == "good" || self.outcome == "good";
        let mend_by = if mended { None } else { self.mend_by.parse().ok() };
        mend_by.map_or(0, |mend_by| today.days_since(mend_by).max(0))
    }
}

/// The points of visits to an office, or by it; what must still be mended first.
pub async fn of_office(
    office: &OfficeId,
    open_only: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select supervision_id, point, office, by_office, worker, visited_on, result, mend_by, outcome, seen_on
         from supervision_point
         where (office = $1 or by_office = $1) and ($2 = 0 or result <> 'good' and outcome <> 'good')
         order by case when result <> 'good' and outcome <> 'good' then 0 else 1 end, mend_by, visited_on,
            supervision_id, point
         limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(i64::from(open_only))
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                supervision_id: row.try_get(0)?,
                check: row.try_get(1)?,
                office: row.try_get(2)?,
                by_office: row.try_get(3)?,
                worker: row.try_get(4)?,
                visited_on: row.try_get(5)?,
                result: row.try_get(6)?,
                mend_by: row.try_get(7)?,
                outcome: row.try_get(8)?,
                seen_on: row.try_get(9)?,
            })
        })
        .collect()
}
