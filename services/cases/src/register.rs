//! The register: the list of cases that an office looks at.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{AgeBand, CaseId, OfficeId, Sex, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::case::{Case, Event};

/// Table, projection and queries of the register.
pub struct Register;

impl ReadModel for Register {
    fn name(&self) -> &'static str {
        "register"
    }

    fn version(&self) -> i64 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_file"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table case_file (
                case_id text primary key,
                case_number text unique,
                person_id text not null,
                registered_position bigint not null,
                registered_on text not null,
                sex text not null,
                age_band text not null,
                home_place text not null,
                missing text not null,
                returned_on text not null,
                merged_into text not null,
                erased bigint not null
            );
            create index case_file_merged on case_file (merged_into)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Case>() else { return Ok(()) };
            apply(&event.id, event.position, what, connection).await
        })
    }
}

async fn apply(case: &str, position: i64, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let statement = match event {
        Event::Registered { case_number, person, codes, registered_on, .. } => sqlx::query(
            "insert into case_file (case_id, case_number, person_id, registered_position, registered_on, sex, age_band,
                home_place, missing, returned_on, merged_into, erased)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', 0)",
        )
        .bind(case.to_owned())
        .bind(case_number.to_string())
        .bind(person.to_string())
        .bind(position)
        .bind(registered_on.to_string())
        .bind(codes.sex.to_string())
        .bind(codes.age_band.to_string())
        .bind(codes.home_place.map(|place| place.to_string()).unwrap_or_default())
        .bind(codes.missing.join(",")),
        Event::Received { case_number, person, on, sex, age_band, .. } => sqlx::query(
            "insert into case_file (case_id, case_number, person_id, registered_position, registered_on, sex, age_band,
                home_place, missing, returned_on, merged_into, erased)
             values ($1, $2, $3, $4, $5, $6, $7, '', '', '', '', 0)",
        )
        .bind(case.to_owned())
        .bind(case_number.map(|number| number.to_string()))
        .bind(person.to_string())
        .bind(position)
        .bind(on.to_string())
        .bind(sex.unwrap_or(Sex::Unknown).to_string())
        .bind(age_band.unwrap_or(AgeBand::Unknown).to_string()),
        Event::Amended { codes, .. } => sqlx::query(
            "update case_file set sex = $2, age_band = $3, home_place = $4, missing = $5 where case_id = $1",
        )
        .bind(case.to_owned())
        .bind(codes.sex.to_string())
        .bind(codes.age_band.to_string())
        .bind(codes.home_place.map(|place| place.to_string()).unwrap_or_default())
        .bind(codes.missing.join(",")),
        Event::Returned { returned_on, .. } => sqlx::query("update case_file set returned_on = $2 where case_id = $1")
            .bind(case.to_owned())
            .bind(returned_on.to_string()),
        Event::PersonErased { .. } => {
            sqlx::query("update case_file set erased = 1 where case_id = $1").bind(case.to_owned())
        }
        Event::MergedInto { into, .. } => merged(case, &into.to_string()),
        Event::Unmerged { .. } => merged(case, ""),
        _ => return Ok(()),
    };
    statement.execute(connection).await?;
    Ok(())
}

fn merged(case: &str, into: &str) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    sqlx::query("update case_file set merged_into = $2 where case_id = $1").bind(case.to_owned()).bind(into.to_owned())
}

/// A row of the register.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's CaseSummary")]
pub struct Entry {
    pub case_id: String,
    pub case_number: String,
    pub person_id: String,
    pub registered_on: String,
    pub sex: String,
    pub age_band: String,
    pub home_place: String,
    pub missing: String,
    pub returned_on: String,
    pub office: String,
    pub standing: String,
    pub merged_into: String,
}

const ENTRY: &str = "select case_file.case_id, coalesce(case_file.case_number, case_standing.case_number),
    person_id, registered_on, case_file.sex, case_file.age_band, home_place, missing, returned_on, standing, case_standing.office, merged_into
    from case_file join case_standing on case_standing.case_id = case_file.case_id and case_standing.office = $1";

/// The cases of an office, the newest first.
pub async fn of_office(
    office: &OfficeId,
    held_only: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let held = if held_only { "and standing = 'HOLDS'" } else { "" };
    let sql = format!("{ENTRY} where 1 = 1 {held} order by registered_position desc limit $2 offset $3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// One case as an office sees it.
pub async fn find(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where case_file.case_id = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(case.to_string())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

/// The case with a number for people.
pub async fn by_number(
    number: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query("select case_id from case_file where case_number = $1")
        .bind(number)
        .fetch_optional(executor)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// The number of each case, for showing candidates.
pub async fn number_of(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<String, sqlx::Error> {
    let row = sqlx::query("select coalesce(case_number, '') from case_file where case_id = $1")
        .bind(case)
        .fetch_optional(executor)
        .await?;
    row.map_or(Ok(String::new()), |row| row.try_get(0))
}

/// The cases that were merged into one.
pub async fn merged_into(case: &str, executor: impl Executor<'_, Database = Any>) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select case_id from case_file where merged_into = $1 order by case_id")
        .bind(case)
        .fetch_all(executor)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        case_id: row.try_get(0)?,
        case_number: row.try_get::<Option<String>, _>(1)?.unwrap_or_default(),
        person_id: row.try_get(2)?,
        registered_on: row.try_get(3)?,
        sex: row.try_get(4)?,
        age_band: row.try_get(5)?,
        home_place: row.try_get(6)?,
        missing: row.try_get(7)?,
        returned_on: row.try_get(8)?,
        standing: row.try_get(9)?,
        office: row.try_get(10)?,
        merged_into: row.try_get(11)?,
    })
}

/// When a person's key was destroyed, by the log; none when it was not.
pub(crate) async fn erased_at(
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let row = sqlx::query(
        "select min(recorded_at) from event where category = 'case' and id = $1 and event_type = 'person_erased'",
    )
    .bind(case.to_string())
    .fetch_one(executor)
    .await?;
    Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_micros))
}
