//! News as people read it: what became of a case, and what nobody has read yet.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use super::{CaseNews, Event, What};
use crate::desk::split;

/// Table, projection and queries of the news.
pub struct NewsList;

impl ReadModel for NewsList {
    fn name(&self) -> &'static str {
        "news"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["news"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table news (
            office text not null,
            case_id text not null,
            number bigint not null,
            stage text not null,
            offer_id text not null,
            need text not null,
            outcome text not null,
            other_case_id text not null,
            taken_back bigint not null,
            seen_by text not null,
            occurred_on text not null,
            from_office text not null,
            heard_at bigint not null,
            read_at bigint,
            primary key (office, case_id, number)
        );
        create index news_unread on news (office, read_at, heard_at)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(news)) = event.event::<CaseNews>() else { return Ok(()) };
            let Some((office, case)) = split::<CaseId>(&event.id) else { return Ok(()) };
            apply(&office, case, news, event.metadata.recorded_at, connection).await
        })
    }
}

async fn apply(
    office: &OfficeId,
    case: CaseId,
    event: Event,
    at: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    match event {
        Event::Heard { number, news, from, .. } => {
            let [mut stage, mut offer, mut need, mut outcome, mut other] = [const { String::new() }; 5];
            let mut back = false;
            match news.what {
                What::Stage { stage: reached } => stage = reached.to_string(),
                What::Service { offer: made, need: asked, outcome: result } => {
                    offer = made.to_string();
                    need = asked.map(|need| need.to_string()).unwrap_or_default();
                    outcome = result.to_string();
                }
                What::SeenAgain { other: case, taken_back } => (other, back) = (case.to_string(), taken_back),
            }
            sqlx::query(
                "insert into news (office, case_id, number, stage, offer_id, need, outcome, other_case_id, taken_back,
                    seen_by, occurred_on, from_office, heard_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(office.to_string())
            .bind(case.to_string())
            .bind(i64::from(number))
            .bind(stage)
            .bind(offer)
            .bind(need)
            .bind(outcome)
            .bind(other)
            .bind(i64::from(back))
            .bind(news.seen_by.to_string())
            .bind(news.on.to_string())
            .bind(from.map(|from| from.to_string()).unwrap_or_default())
            .bind(at.as_micros())
            .execute(connection)
            .await?;
        }
        Event::Acknowledged { up_to } => {
            sqlx::query(
                "update news set read_at = $4 where office = $1 and case_id = $2 and number <= $3 and read_at is null",
            )
            .bind(office.to_string())
            .bind(case.to_string())
            .bind(i64::from(up_to))
            .bind(at.as_micros())
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

/// A piece of news as a list shows it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's News")]
pub struct Entry {
    pub case_id: String,
    pub number: i64,
    pub stage: String,
    pub offer_id: String,
    pub need: String,
    pub outcome: String,
    pub other_case_id: String,
    pub taken_back: bool,
    pub seen_by: String,
    pub occurred_on: String,
    pub from_office: String,
    pub heard_at: i64,
    pub read_at: Option<i64>,
    pub case_number: String,
}

const ENTRY: &str = "select news.case_id, number, stage, offer_id, need, outcome, other_case_id, taken_back, seen_by,
    occurred_on, from_office, heard_at, read_at, coalesce(subject.case_number, '')
    from news left join subject on subject.case_id = news.case_id";

/// All that an office heard of a case, in the order in which it did.
pub async fn of_case(
    office: &OfficeId,
    case: CaseId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and news.case_id = $2 order by number limit $3 offset $4");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(case.to_string())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// What others told an office, or is for it to act on: the oldest first. What nobody has read yet, unless all is wanted.
pub async fn of_office(
    office: &OfficeId,
    include_read: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    // What an office saw itself is no news to it; but that somebody it registers is known already is.
    let unread = if include_read { "" } else { "and read_at is null" };
    let sql = format!(
        "{ENTRY} where office = $1 and (from_office <> '' or other_case_id <> '') {unread}
         order by heard_at, news.case_id, number limit $2 offset $3"
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(limit).bind(offset).fetch_all(executor).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        case_id: row.try_get(0)?,
        number: row.try_get(1)?,
        stage: row.try_get(2)?,
        offer_id: row.try_get(3)?,
        need: row.try_get(4)?,
        outcome: row.try_get(5)?,
        other_case_id: row.try_get(6)?,
        taken_back: row.try_get::<i64, _>(7)? == 1,
        seen_by: row.try_get(8)?,
        occurred_on: row.try_get(9)?,
        from_office: row.try_get(10)?,
        heard_at: row.try_get(11)?,
        read_at: row.try_get(12)?,
        case_number: row.try_get(13)?,
    })
}

#[cfg(test)]
mod tests;
