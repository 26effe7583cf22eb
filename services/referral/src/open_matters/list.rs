//! Of which cases it was told what is open, so that nothing stays untold.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use super::OpenMatters;

/// Table, projection and query of what was told.
pub struct Told;

impl ReadModel for Told {
    fn name(&self) -> &'static str {
        "open_matters"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["open_matters_told"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table open_matters_told (
            office text not null,
            case_id text not null,
            primary key (office, case_id)
        )"]
    }

    fn apply<'a>(
        &'a self,
        recorded: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let (Some(Ok(_)), Some((office, case))) = (recorded.event::<OpenMatters>(), recorded.id.split_once('/'))
            else {
                return Ok(());
            };
            sqlx::query(
                "insert into open_matters_told (office, case_id) values ($1, $2)
                 on conflict (office, case_id) do nothing",
            )
            .bind(office)
            .bind(case)
            .execute(connection)
            .await
            .map(drop)
        })
    }
}

/// The cases with something open of which nothing was ever told.
pub async fn untold(executor: impl Executor<'_, Database = Any>) -> Result<Vec<(OfficeId, CaseId)>, sqlx::Error> {
    let rows = sqlx::query(
        "select office, case_id from (
            select office, case_id from offer
            where direction = 'out' and (state = 'OFFERED' or (state = 'ACCEPTED' and kind = 'service'))
            union
            select office, case_id from case_need where state in ('OPEN', 'OFFERED', 'SERVED')
         ) open
         where not exists (select 1 from open_matters_told told
            where told.office = open.office and told.case_id = open.case_id)
         order by office, case_id",
    )
    .fetch_all(executor)
    .await?;
    let mut cases = Vec::with_capacity(rows.len());
    for row in rows {
        let (office, case): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if let (Ok(office), Ok(case)) = (office.parse(), case.parse()) {
            cases.push((office, case));
        }
    }
    Ok(cases)
}
