//! The book of offices: what was declared of each, what happened to it, and what it was, however long ago.

use std::collections::BTreeMap;

use prost::Message as _;
use spean_chassis::words::instant;
use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::OfficeChangeKind;
use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::declared;
use crate::office::{Declaration, Details, Event, Office, Standing};
use crate::offices::word;

/// Tables, projection and queries.
pub(crate) struct OfficeBook;

impl ReadModel for OfficeBook {
    fn name(&self) -> &'static str {
        "office_book"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["office_change", "declared_status", "known_office"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table office_change (
                office text not null,
                version bigint not null,
                change blob not null,
                primary key (office, version)
            )",
            "create table declared_status (
                office text not null,
                declared_by text not null,
                version bigint not null,
                from_day text not null,
                until_day text not null,
                declaration text not null,
                primary key (office, declared_by, version)
            )",
            "create table known_office (
                office text primary key,
                as_last_listed blob not null
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Office>() else { return Ok(()) };
            let change = wire::OfficeChange { recorded_at: Some(instant(event.metadata.recorded_at)), ..change(&what) };
            // What is only said again is nothing that happened.
            if change.kind() != OfficeChangeKind::Unspecified {
                sqlx::query("insert into office_change (office, version, change) values ($1, $2, $3)")
                    .bind(&event.id)
                    .bind(event.version)
                    .bind(change.encode_to_vec())
                    .execute(&mut *connection)
                    .await?;
            }
            match &what {
                Event::Declared(declaration) | Event::Heard(declaration) => {
                    note_declaration(&event.id, declaration, connection).await
                }
                Event::Opened { opened_on, details, .. } | Event::Amended { opened_on, details, .. } => {
                    note_office(&event.id, *opened_on, details, connection).await
                }
                _ => Ok(()),
            }
        })
    }
}

async fn note_declaration(
    office: &str,
    declaration: &Declaration,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let text = serde_json::to_string(declaration).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query(
        "insert into declared_status (office, declared_by, version, from_day, until_day, declaration)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (office, declared_by, version) do nothing",
    )
    .bind(office)
    .bind(declaration.declared_by.as_str())
    .bind(declaration.version)
    .bind(declaration.from_day.to_string())
    .bind(declaration.until_day.map(|day| day.to_string()).unwrap_or_default())
    .bind(text)
    .execute(connection)
    .await?;
    Ok(())
}

async fn note_office(
    office: &str,
    opened_on: Option<Date>,
    details: &Details,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let as_last_listed = wire::Office {
        office_id: office.to_owned(),
        node_id: details.node.to_string(),
        name_en: details.name_en.clone(),
        name_km: details.name_km.clone(),
        level: word(details.level).to_owned(),
        place: Some(wire::Place { code: details.place.to_string(), ..Default::default() }),
        above_office_id: details.above.as_ref().map(ToString::to_string).unwrap_or_default(),
        opened_on: opened_on.map(|day| day.to_string()).unwrap_or_default(),
        ..Default::default()
    };
    sqlx::query(
        "insert into known_office (office, as_last_listed) values ($1, $2)
         on conflict (office) do update set as_last_listed = excluded.as_last_listed",
    )
    .bind(office)
    .bind(as_last_listed.encode_to_vec())
    .execute(connection)
    .await?;
    Ok(())
}

/// The event as a history shows it.
fn change(event: &Event) -> wire::OfficeChange {
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let text = |id: Option<&OfficeId>| id.map(ToString::to_string).unwrap_or_default();
    let by_edition =
        |kind: OfficeChangeKind, edition: u64| wire::OfficeChange { kind: kind.into(), edition, ..Default::default() };
    match event {
        Event::Opened { edition, opened_on, .. } => {
            wire::OfficeChange { on_day: day(*opened_on), ..by_edition(OfficeChangeKind::Opened, *edition) }
        }
        Event::Amended { edition, .. } => by_edition(OfficeChangeKind::Amended, *edition),
        Event::Closed { edition, closing } => wire::OfficeChange {
            on_day: closing.closed_on.to_string(),
            other_office_id: text(closing.successor.as_ref()),
            ..by_edition(OfficeChangeKind::Closed, *edition)
        },
        Event::Reopened { edition } => by_edition(OfficeChangeKind::Reopened, *edition),
        Event::Succeeded { edition, predecessor, on } => wire::OfficeChange {
            on_day: on.to_string(),
            other_office_id: predecessor.to_string(),
            ..by_edition(OfficeChangeKind::Succeeded, *edition)
        },
        Event::PostVacated { edition } => by_edition(OfficeChangeKind::PostVacant, *edition),
        Event::PostFilled { edition } => by_edition(OfficeChangeKind::PostFilled, *edition),
        Event::Declared(declaration) | Event::Heard(declaration) => wire::OfficeChange {
            kind: OfficeChangeKind::Declared.into(),
            on_day: declaration.from_day.to_string(),
            until_day: day(declaration.until_day),
            status: declared::write_status(declaration.status).into(),
            stand_in_office_id: text(declaration.stand_in.as_ref()),
            reason: declared::write_reason(declaration.reason).into(),
            declared_by_office_id: declaration.declared_by.to_string(),
            ..Default::default()
        },
        Event::Repeated { .. } => wire::OfficeChange::default(),
        Event::Stands(Standing { status, stand_in, successor, from_day, until_day }) => wire::OfficeChange {
            kind: OfficeChangeKind::Stands.into(),
            on_day: day(*from_day),
            until_day: day(*until_day),
            status: declared::write_status(*status).into(),
            stand_in_office_id: text(stand_in.as_ref()),
            other_office_id: text(successor.as_ref()),
            ..Default::default()
        },
    }
}

/// What was declared of any office and says something of this day.
pub(crate) async fn declared_on(
    day: Date,
    executor: impl Executor<'_, Database = Any>,
) -> Result<BTreeMap<OfficeId, Vec<Declaration>>, sqlx::Error> {
    let rows = sqlx::query(
        "select office, declaration from declared_status
         where from_day <= $1 and (until_day = '' or until_day >= $1) order by office, version, declared_by",
    )
    .bind(day.to_string())
    .fetch_all(executor)
    .await?;
    let mut declared: BTreeMap<OfficeId, Vec<Declaration>> = BTreeMap::new();
    for row in rows {
        let (office, declaration): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let declaration = serde_json::from_str(declaration).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let office = office.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        declared.entry(office).or_default().push(declaration);
    }
    Ok(declared)
}

/// The offices of which something was ever declared.
pub(crate) async fn ever_declared(connection: &mut AnyConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select distinct office from declared_status order by office").fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// What happened to an office, the oldest first.
pub(crate) async fn history(
    office: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<wire::OfficeChange>, sqlx::Error> {
    let rows = sqlx::query("select change from office_change where office = $1 order by version limit $2 offset $3")
        .bind(office.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    let decode = |row: &sqlx::any::AnyRow| {
        wire::OfficeChange::decode(row.try_get::<&[u8], _>(0)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    rows.iter().map(decode).collect()
}

/// An office as the last edition that listed it described it; none when no edition ever did.
pub(crate) async fn as_last_listed(
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<wire::Office>, sqlx::Error> {
    let row = sqlx::query("select as_last_listed from known_office where office = $1")
        .bind(office.as_str())
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let bytes: &[u8] = row.try_get(0)?;
    wire::Office::decode(bytes).map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

#[cfg(test)]
mod tests;
