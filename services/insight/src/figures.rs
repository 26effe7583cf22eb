//! The tables that figures are drawn from, filled from the log and from nothing else; and the questions asked of them.

use std::collections::{BTreeMap, BTreeSet};

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, NodeId};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Executor, Row as _};

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
        2
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
                sector text not null,
                need text not null,
                case_id text not null
            )",
            "create table counted_fact (
                subject_id text not null,
                fact_id text not null,
                measure text not null,
                office text not null,
                agency text not null,
                province text not null,
                occurred_on text not null,
                detail text not null,
                thing text not null,
                hours bigint not null,
                hours_told bigint not null,
                recorded_hour bigint not null,
                primary key (subject_id, fact_id)
            );
            create index counted_fact_measure on counted_fact (measure, occurred_on);
            create index counted_fact_day on counted_fact (occurred_on)",
            "create table report (
                node text not null,
                period text not null,
                edition bigint not null,
                agency text not null,
                body text not null,
                primary key (node, period, edition)
            )",
            "create table publication (
                period text not null,
                edition bigint not null,
                body text not null,
                primary key (period, edition)
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

/// What is said here is what counts: [`Subject`] lets nothing through that gives way to what is known.
async fn describe(subject: &str, more: &Description, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let said = [
        ("sex", more.sex.map(|sex| sex.to_string())),
        ("age_band", more.age_band.map(|band| band.to_string())),
        ("home_province", more.home_province.map(|place| place.to_string())),
        ("route", more.route.clone()),
        ("country", more.country.clone()),
        ("sector", more.sector.clone()),
        ("need", more.need.clone()),
        ("case_id", more.case.map(|case| case.to_string())),
    ];
    sqlx::query(
        "insert into counted_subject (subject_id, sex, age_band, home_province, route, country, sector, need, case_id)
         values ($1, '', '', '', '', '', '', '', '') on conflict (subject_id) do nothing",
    )
    .bind(subject)
    .execute(&mut *connection)
    .await?;
    for (column, value) in said {
        let Some(value) = value else { continue };
        let sql = format!("update counted_subject set {column} = $2 where subject_id = $1");
        sqlx::query(AssertSqlSafe(sql)).bind(subject).bind(value).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn count(subject: &str, fact: &Fact, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into counted_fact (subject_id, fact_id, measure, office, agency, province, occurred_on, detail, thing,
            hours, hours_told, recorded_hour)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(subject)
    .bind(&fact.fact_id)
    .bind(fact.measure.to_string())
    .bind(fact.office.to_string())
    .bind(fact.agency.as_ref().map(ToString::to_string).unwrap_or_default())
    .bind(fact.province.map(|place| place.to_string()).unwrap_or_default())
    .bind(fact.occurred_on.to_string())
    .bind(&fact.detail)
    .bind(&fact.thing)
    .bind(fact.hours.unwrap_or(-1))
    .bind(i64::from(fact.hours.is_some()))
    .bind(fact.recorded_hour)
    .execute(&mut *connection)
    .await?;
    let question = if fact.measure.answers().is_empty() { fact.measure.question() } else { Some(fact.measure) };
    match question.filter(|_| !fact.thing.is_empty()) {
        Some(question) => measure_answers(subject, &fact.thing, question, connection).await,
        None => Ok(()),
    }
}

/// How long the answers to a question took, from the last time that it was asked before. Counted anew whenever a question
/// or an answer comes in, so that it does not matter which comes first.
async fn measure_answers(
    subject: &str,
    thing: &str,
    question: Measure,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let answers = list(question.answers());
    let sql = format!(
        "update counted_fact set hours = coalesce((
             select counted_fact.recorded_hour - max(asked.recorded_hour) from counted_fact asked
             where asked.subject_id = $1 and asked.thing = $2 and asked.measure = $3
                and asked.recorded_hour <= counted_fact.recorded_hour
         ), -1)
         where subject_id = $1 and thing = $2 and measure in ({answers}) and hours_told = 0"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(subject).bind(thing).bind(question.to_string());
    query.execute(connection).await?;
    Ok(())
}

fn list(measures: &[Measure]) -> String {
    measures.iter().map(|measure| format!("'{measure}'")).collect::<Vec<_>>().join(", ")
}

async fn keep_report(report: &Issued, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("insert into report (node, period, edition, agency, body) values ($1, $2, $3, $4, $5)")
        .bind(report.node.to_string())
        .bind(report.period.to_string())
        .bind(i64::from(report.edition))
        .bind(report.agency.to_string())
        .bind(written(report))
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_publication(published: &Published, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("insert into publication (period, edition, body) values ($1, $2, $3)")
        .bind(published.period.to_string())
        .bind(i64::from(published.edition))
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

/// Facts with what is known of their subjects, and of the cases that those belong to.
const FROM: &str = "from counted_fact f left join counted_subject s on s.subject_id = f.subject_id
         left join counted_subject c on c.subject_id = s.case_id and s.case_id <> ''";

/// What a dimension is in the tables. Nothing that a caller gave goes into it.
const fn column(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Province => "f.province",
        Dimension::Office => "f.office",
        Dimension::Agency => "f.agency",
        Dimension::Month => "substr(f.occurred_on, 1, 7)",
        Dimension::Sex => "coalesce(nullif(s.sex, ''), c.sex, '')",
        Dimension::AgeBand => "coalesce(nullif(s.age_band, ''), c.age_band, '')",
        Dimension::HomeProvince => "coalesce(nullif(s.home_province, ''), c.home_province, '')",
        Dimension::Route => "coalesce(nullif(s.route, ''), c.route, '')",
        Dimension::Country => "coalesce(nullif(s.country, ''), c.country, '')",
        Dimension::Sector => "coalesce(nullif(s.sector, ''), c.sector, '')",
        Dimension::Need => "coalesce(s.need, '')",
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

/// What is open. A thing that began again after its end is open since the last beginning; where it has no end of its own, it
/// ends with its case. By a dimension it is counted as it began.
pub async fn open(thing: OpenThing, by: Option<Dimension>, executor: &AnyPool) -> Result<Vec<Open>, sqlx::Error> {
    let (begins, ends) = thing.bounds();
    let (begins, ends) = (list(begins), list(ends));
    let column = by.map_or("''", column);
    let sql = format!(
        "select max(case when f.measure in ({begins}) then {column} else '' end),
            max(case when f.measure in ({begins}) then f.occurred_on else '' end),
            max(coalesce(nullif(s.case_id, ''), f.subject_id)),
            max(case when f.measure in ({begins}) then f.recorded_hour else 0 end) {FROM}
         where f.thing <> '' and f.measure in ({begins}, {ends}) group by f.thing
         having sum(case when f.measure in ({begins}) then 1 else -1 end) > 0
         order by 2"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(executor).await?;
    let ended = ended_cases(thing, executor).await?;
    let mut open = Vec::with_capacity(rows.len());
    for row in rows {
        let (value, since): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (subject, begun): (String, i64) = (row.try_get(2)?, row.try_get(3)?);
        if ended.get(&subject).is_some_and(|ended| *ended >= begun) {
            continue;
        }
        let since = since.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        open.push(Open { value: if by.is_some() { known(value) } else { value }, since });
    }
    Ok(open)
}

/// In which hour the cases ended that such a thing ends with.
async fn ended_cases(thing: OpenThing, executor: &AnyPool) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    if thing.ends_with_case().is_empty() {
        return Ok(BTreeMap::new());
    }
    let ends = list(thing.ends_with_case());
    let sql = format!(
        "select subject_id, max(recorded_hour) from counted_fact where measure in ({ends}) group by subject_id"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(executor).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The reports of a node that would say something else today than their newest edition, with what they would say: those
/// of all periods until one, and of that one also when nothing happened in it; those of all periods when none is named.
pub async fn outdated(
    until: Option<Period>,
    node: &NodeId,
    connection: &mut AnyConnection,
) -> Result<Vec<(Period, Vec<Figure>)>, sqlx::Error> {
    let months = sqlx::query("select distinct substr(occurred_on, 1, 7) from counted_fact").fetch_all(&mut *connection);
    let mut periods: BTreeSet<Period> = until.into_iter().collect();
    for row in months.await? {
        let month: String = row.try_get(0)?;
        let first = format!("{month}-01").parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        periods.insert(Period::of(first));
    }
    let mut said = BTreeMap::<Period, Issued>::new();
    for report in reports(None, &mut *connection).await?.into_iter().rev().filter(|report| report.node == *node) {
        said.insert(report.period, report);
    }
    let mut outdated = Vec::new();
    for period in periods.into_iter().filter(|period| until.is_none_or(|until| *period <= until)) {
        let figures = of_period(period, connection).await?;
        if said.get(&period).is_none_or(|report| report.figures != figures) {
            outdated.push((period, figures));
        }
    }
    Ok(outdated)
}

/// The numbers of all facts of a period: totals, and counts by each dimension of a report.
pub async fn of_period(period: Period, connection: &mut AnyConnection) -> Result<Vec<Figure>, sqlx::Error> {
    let bounds = [period.first_day().to_string(), period.last_day().to_string()];
    let mut figures = Vec::new();
    for dimension in std::iter::once(None).chain(REPORTED_BY.map(Some)) {
        let column = dimension.map_or("''", column);
        let sql = format!(
            "select f.measure, {column}, cast(count(*) as bigint) {FROM}
             where f.occurred_on between $1 and $2 group by 1, 2 order by 1, 2"
        );
        for row in bound(&sql, &bounds).fetch_all(&mut *connection).await? {
            let Ok(measure) = row.try_get::<String, _>(0)?.parse() else { continue };
            let value: String = row.try_get(1)?;
            let value = if dimension.is_some() { known(value) } else { value };
            figures.push(Figure { measure, dimension, value, count: unsigned(row.try_get(2)?) });
        }
    }
    // Databases sort text in more than one way.
    figures.sort_by(|one, other| {
        (one.dimension, one.measure, &one.value).cmp(&(other.dimension, other.measure, &other.value))
    });
    Ok(figures)
}

/// Reports in all editions, the newest period and the newest edition first; all of them unless a period is named.
pub async fn reports(
    period: Option<Period>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Issued>, sqlx::Error> {
    let sql = "select body from report where $1 = '' or period = $1 order by period desc, agency, node, edition desc";
    let rows = sqlx::query(sql).bind(period.map(|period| period.to_string()).unwrap_or_default()).fetch_all(executor);
    rows.await?.iter().map(read).collect()
}

/// What was published of a period, the first publication first; of the newest unless a period is named.
pub async fn publications(
    period: Option<Period>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Published>, sqlx::Error> {
    let sql = "select body from publication
               where period = $1 or ($1 = '' and period = (select max(period) from publication)) order by edition";
    let rows = sqlx::query(sql).bind(period.map(|period| period.to_string()).unwrap_or_default()).fetch_all(executor);
    rows.await?.iter().map(read).collect()
}

/// The nodes of these whose report of a period has come in.
pub async fn reported_nodes(
    period: Period,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<NodeId>, sqlx::Error> {
    let sql = "select distinct node from report where period = $1";
    let rows = sqlx::query(sql).bind(period.to_string()).fetch_all(executor);
    let nodes = rows.await?.iter().filter_map(|row| row.try_get::<String, _>(0).ok()?.parse().ok()).collect();
    Ok(nodes)
}
