//! The tables that figures are drawn from, filled from the log and from nothing else; and the questions asked of them.

use std::collections::BTreeMap;

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, NodeId};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use crate::measure::{Dimension, Measure, OpenThing};
use crate::period::Period;
use crate::publication::{self, Publication, Published};
use crate::report::{self, Figure, Issued, REPORTED_BY, Report};
use crate::subject::{self, Description, Fact, Subject};

/// What stands for a value that nobody knows.
pub const UNKNOWN: &str = "UNKNOWN";

/// Most groups of an answer.
const MOST_GROUPS: usize = 2_000;

/// Tables, projection and queries of the figures.
pub struct Figures;

impl ReadModel for Figures {
    fn name(&self) -> &'static str {
        "figures"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["counted_subject", "counted_fact", "report", "publication"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table counted_subject (
                subject_id text primary key,
                sex text not null,
                age_band text not null,
                home_province text not null,
                route text not null,
                country text not null,
                sector text not null
            )",
            "create table counted_fact (
                subject_id text not null,
                fact_id text not null,
                measure text not null,
                office text not null,
                province text not null,
                occurred_on text not null,
                detail text not null,
                thing text not null,
                hours bigint not null,
                reported bigint not null,
                primary key (subject_id, fact_id)
            );
            create index counted_fact_measure on counted_fact (measure, occurred_on);
            create index counted_fact_reported on counted_fact (reported, occurred_on)",
            "create table report (
                node text not null,
                period text not null,
                agency text not null,
                published bigint not null,
                body text not null,
                primary key (node, period)
            )",
            "create table publication (
                period text primary key,
                body text not null
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        recorded: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if let Some(Ok(event)) = recorded.event::<Subject>() {
                return match event {
                    subject::Event::Described(more) => describe(&recorded.id, &more, connection).await,
                    subject::Event::Recorded(fact) => count(&recorded.id, &fact, connection).await,
                };
            }
            if let Some(Ok(event)) = recorded.event::<Report>() {
                let (report::Event::Issued(report) | report::Event::Received(report)) = &event;
                if matches!(event, report::Event::Issued(_)) {
                    close(report.period, connection).await?;
                }
                return keep_report(report, connection).await;
            }
            if let Some(Ok(event)) = recorded.event::<Publication>() {
                let (publication::Event::Published(published) | publication::Event::Received(published)) = &event;
                return keep_publication(published, connection).await;
            }
            Ok(())
        })
    }
}

async fn describe(subject: &str, more: &Description, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let text = |value: Option<String>| value.unwrap_or_default();
    sqlx::query(
        "insert into counted_subject (subject_id, sex, age_band, home_province, route, country, sector)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (subject_id) do update set
            sex = case when excluded.sex = '' then counted_subject.sex else excluded.sex end,
            age_band = case when excluded.age_band = '' then counted_subject.age_band else excluded.age_band end,
            home_province = case when excluded.home_province = '' then counted_subject.home_province
                                 else excluded.home_province end,
            route = case when excluded.route = '' then counted_subject.route else excluded.route end,
            country = case when excluded.country = '' then counted_subject.country else excluded.country end,
            sector = case when excluded.sector = '' then counted_subject.sector else excluded.sector end",
    )
    .bind(subject)
    .bind(text(more.sex.map(|sex| sex.to_string())))
    .bind(text(more.age_band.map(|band| band.to_string())))
    .bind(text(more.home_province.map(|place| place.to_string())))
    .bind(text(more.route.clone()))
    .bind(text(more.country.clone()))
    .bind(text(more.sector.clone()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn count(subject: &str, fact: &Fact, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into counted_fact (subject_id, fact_id, measure, office, province, occurred_on, detail, thing, hours,
            reported)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
    )
    .bind(subject)
    .bind(&fact.fact_id)
    .bind(fact.measure.to_string())
    .bind(fact.office.to_string())
    .bind(fact.province.map(|place| place.to_string()).unwrap_or_default())
    .bind(fact.occurred_on.to_string())
    .bind(&fact.detail)
    .bind(&fact.thing)
    .bind(fact.hours.unwrap_or(-1))
    .execute(connection)
    .await?;
    Ok(())
}

/// From now on these facts are in a report.
async fn close(period: Period, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update counted_fact set reported = 1 where reported = 0 and occurred_on <= $1")
        .bind(period.last_day().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_report(report: &Issued, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("insert into report (node, period, agency, published, body) values ($1, $2, $3, 0, $4)")
        .bind(report.node.to_string())
        .bind(report.period.to_string())
        .bind(report.agency.to_string())
        .bind(written(report))
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_publication(published: &Published, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update report set published = 1 where published = 0 and period <= $1")
        .bind(published.period.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query("insert into publication (period, body) values ($1, $2)")
        .bind(published.period.to_string())
        .bind(written(published))
        .execute(connection)
        .await?;
    Ok(())
}

fn written(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("reports have text keys only")
}

fn read<T: serde::de::DeserializeOwned>(row: &AnyRow) -> Result<T, sqlx::Error> {
    let body: String = row.try_get(0)?;
    serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// A count with the hours that each took, in ascending order, where that is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// Hours, the quickest first; empty where nothing is measured.
    pub hours: Vec<i64>,
}

/// Counts by group: what happened from one day to another, both included.
pub async fn by_group(
    measure: Measure,
    from: Date,
    to: Date,
    by: &[Dimension],
    executor: impl Executor<'_, Database = Any> + Copy,
) -> Result<BTreeMap<Vec<String>, Counted>, sqlx::Error> {
    let at = |index: usize| by.get(index).map_or("''", |dimension| column(*dimension));
    let (first, second) = (at(0), at(1));
    let mut groups = BTreeMap::<Vec<String>, Counted>::new();
    let sql = format!(
        "select {first}, {second}, cast(count(*) as bigint) {FROM}
         where f.measure = $1 and f.occurred_on between $2 and $3 group by 1, 2 order by 3 desc, 1, 2"
    );
    let bounds = [measure.to_string(), from.to_string(), to.to_string()];
    let rows = bound(&sql, &bounds).fetch_all(executor).await?;
    for row in rows.iter().take(MOST_GROUPS) {
        groups.entry(values(row, by.len())?).or_default().count = unsigned(row.try_get(2)?);
    }
    let sql = format!(
        "select {first}, {second}, f.hours {FROM}
         where f.measure = $1 and f.occurred_on between $2 and $3 and f.hours >= 0 order by f.hours"
    );
    for row in bound(&sql, &bounds).fetch_all(executor).await? {
        if let Some(counted) = groups.get_mut(&values(&row, by.len())?) {
            counted.hours.push(row.try_get(2)?);
        }
    }
    Ok(groups)
}

/// Facts with what is known of their subjects.
const FROM: &str = "from counted_fact f left join counted_subject s on s.subject_id = f.subject_id";

/// What a dimension is in the tables. Nothing that a caller gave goes into it.
const fn column(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Province => "f.province",
        Dimension::Office => "f.office",
        Dimension::Month => "substr(f.occurred_on, 1, 7)",
        Dimension::Sex => "coalesce(s.sex, '')",
        Dimension::AgeBand => "coalesce(s.age_band, '')",
        Dimension::HomeProvince => "coalesce(s.home_province, '')",
        Dimension::Route => "coalesce(s.route, '')",
        Dimension::Country => "coalesce(s.country, '')",
        Dimension::Sector => "coalesce(s.sector, '')",
        Dimension::Detail => "f.detail",
        Dimension::Waited => {
            "case when f.hours < 0 then '' when f.hours < 4 then 'UNDER_4_HOURS' when f.hours < 48 then 'UNDER_2_DAYS'
                  when f.hours < 168 then 'UNDER_7_DAYS' when f.hours < 720 then 'UNDER_30_DAYS' else 'LONGER' end"
        }
    }
}

fn bound<'q>(sql: &'q str, values: &'q [String]) -> sqlx::query::Query<'q, Any, sqlx::any::AnyArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    values.iter().fold(query, |query, value| query.bind(value.clone()))
}

fn values(row: &AnyRow, count: usize) -> Result<Vec<String>, sqlx::Error> {
    (0..count).map(|index| row.try_get::<String, _>(index).map(known)).collect()
}

fn known(value: String) -> String {
    if value.is_empty() { UNKNOWN.to_owned() } else { value }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Something that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The value of the dimension that was asked for; empty when none was.
    pub value: String,
    /// Since which day.
    pub since: Date,
}

/// What is open. A thing that began again after its end is open since the last beginning.
pub async fn open(
    thing: OpenThing,
    by: Option<Dimension>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Open>, sqlx::Error> {
    let (begins, ends) = thing.bounds();
    let list =
        |measures: &[Measure]| measures.iter().map(|measure| format!("'{measure}'")).collect::<Vec<_>>().join(", ");
    let (begins, ends) = (list(begins), list(ends));
    let column = by.map_or("''", column);
    let sql = format!(
        "select max({column}), max(case when f.measure in ({begins}) then f.occurred_on else '' end) {FROM}
         where f.thing <> '' and f.measure in ({begins}, {ends}) group by f.thing
         having sum(case when f.measure in ({begins}) then 1 else -1 end) > 0
         order by 2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(executor).await?;
    let read = |row: &AnyRow| {
        let since: String = row.try_get(1)?;
        let since = since.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let value: String = row.try_get(0)?;
        Ok(Open { value: if by.is_some() { known(value) } else { value }, since })
    };
    rows.iter().map(read).collect()
}

/// The numbers of all facts until a period's end that are in no report.
pub async fn unreported(period: Period, connection: &mut AnyConnection) -> Result<Vec<Figure>, sqlx::Error> {
    let mut figures = Vec::new();
    for dimension in std::iter::once(None).chain(REPORTED_BY.map(Some)) {
        let column = dimension.map_or("''", column);
        let sql = format!(
            "select f.measure, {column}, cast(count(*) as bigint) {FROM}
             where f.reported = 0 and f.occurred_on <= $1 group by 1, 2 order by 1, 2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(period.last_day().to_string()).fetch_all(&mut *connection);
        for row in rows.await? {
            let Ok(measure) = row.try_get::<String, _>(0)?.parse() else { continue };
            let value: String = row.try_get(1)?;
            let value = if dimension.is_some() { known(value) } else { value };
            figures.push(Figure { measure, dimension, value, count: unsigned(row.try_get(2)?) });
        }
    }
    Ok(figures)
}

/// Reports, the newest period first; all of them unless a period is named.
pub async fn reports(
    period: Option<Period>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Issued>, sqlx::Error> {
    let rows = sqlx::query("select body from report where $1 = '' or period = $1 order by period desc, agency, node")
        .bind(period.map(|period| period.to_string()).unwrap_or_default())
        .fetch_all(executor)
        .await?;
    rows.iter().map(read).collect()
}

/// Reports up to a period that are in no publication.
pub async fn unpublished(period: Period, connection: &mut AnyConnection) -> Result<Vec<Issued>, sqlx::Error> {
    let rows = sqlx::query("select body from report where published = 0 and period <= $1 order by period, node")
        .bind(period.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// A publication; the newest unless a period is named.
pub async fn publication(
    period: Option<Period>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Published>, sqlx::Error> {
    let row = sqlx::query("select body from publication where $1 = '' or period = $1 order by period desc limit 1")
        .bind(period.map(|period| period.to_string()).unwrap_or_default())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The nodes of these whose report of a period has come in.
pub async fn reported_nodes(
    period: Period,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let rows = sqlx::query("select node from report where period = $1").bind(period.to_string()).fetch_all(executor);
    let nodes = rows.await?.iter().filter_map(|row| row.try_get::<String, _>(0).ok()?.parse().ok()).collect();
    Ok(nodes)
}
