//! Places and residents: the lists that a shelter looks at.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::house::{Event, Group, House};

/// Tables, projection and queries of the lists.
pub struct Residents;

impl ReadModel for Residents {
    fn name(&self) -> &'static str {
        "residents"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["house_place", "stay"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table house_place (
                office text not null,
                sex text not null,
                children bigint not null,
                capacity_persons bigint not null,
                occupied_persons bigint not null,
                primary key (office, sex, children)
            )",
            "create table stay (
                office text not null,
                admission_id text not null,
                case_id text not null,
                case_number text not null,
                sex text not null,
                children bigint not null,
                admitted_on text not null,
                exited_on text not null,
                exit_kind text not null,
                position bigint not null,
                primary key (office, admission_id)
            );
            create index stay_case on stay (case_id, exited_on)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<House>() else { return Ok(()) };
            apply(&event.id, event.position, what, connection).await
        })
    }
}

async fn apply(office: &str, position: i64, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match event {
        Event::CapacityDeclared { places } => {
            sqlx::query("update house_place set capacity_persons = 0 where office = $1")
                .bind(office.to_owned())
                .execute(&mut *connection)
                .await?;
            for places in places {
                sqlx::query(
                    "insert into house_place (office, sex, children, capacity_persons, occupied_persons)
                     values ($1, $2, $3, $4, 0)
                     on conflict (office, sex, children) do update set capacity_persons = excluded.capacity_persons",
                )
                .bind(office.to_owned())
                .bind(places.group.sex.to_string())
                .bind(i64::from(places.group.children))
                .bind(i64::from(places.capacity_persons))
                .execute(&mut *connection)
                .await?;
            }
        }
        Event::Admitted { admission_id, case_id, case_number, group, admitted_on, .. } => {
            sqlx::query(
                "insert into stay (office, admission_id, case_id, case_number, sex, children, admitted_on, exited_on,
                    exit_kind, position)
                 values ($1, $2, $3, $4, $5, $6, $7, '', '', $8)",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .bind(case_id.to_string())
            .bind(case_number.map(|number| number.to_string()).unwrap_or_default())
            .bind(group.sex.to_string())
            .bind(i64::from(group.children))
            .bind(admitted_on.to_string())
            .bind(position)
            .execute(&mut *connection)
            .await?;
            occupy(office, group, connection).await?;
        }
        Event::Exited { admission_id, kind, exited_on, .. } => {
            sqlx::query("update stay set exited_on = $3, exit_kind = $4 where office = $1 and admission_id = $2")
                .bind(office.to_owned())
                .bind(admission_id.to_string())
                .bind(exited_on.to_string())
                .bind(kind.to_string())
                .execute(&mut *connection)
                .await?;
            sqlx::query(
                "update house_place set occupied_persons = occupied_persons - 1
                 where office = $1
                   and sex = (select sex from stay where stay.office = $1 and admission_id = $2)
                   and children = (select children from stay where stay.office = $1 and admission_id = $2)",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

async fn occupy(office: &str, group: Group, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into house_place (office, sex, children, capacity_persons, occupied_persons) values ($1, $2, $3, 0, 1)
         on conflict (office, sex, children) do update set occupied_persons = house_place.occupied_persons + 1",
    )
    .bind(office.to_owned())
    .bind(group.sex.to_string())
    .bind(i64::from(group.children))
    .execute(connection)
    .await?;
    Ok(())
}

/// Places of one group, and how many of them are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Places")]
pub struct Occupancy {
    pub sex: String,
    pub children: bool,
    pub capacity_persons: i64,
    pub occupied_persons: i64,
}

/// A stay in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Resident")]
pub struct Entry {
    pub admission_id: String,
    pub case_id: String,
    pub case_number: String,
    pub admitted_on: String,
    pub exited_on: String,
    pub exit_kind: String,
}

/// The places of an office, or of all offices of the node together. Groups without places and residents are left out.
pub async fn capacity(
    office: Option<&OfficeId>,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Occupancy>, sqlx::Error> {
    let rows = sqlx::query(
        "select sex, children, cast(sum(capacity_persons) as bigint), cast(sum(occupied_persons) as bigint)
         from house_place
         where (office = $1 or $1 = '') and (capacity_persons > 0 or occupied_persons > 0)
         group by sex, children
         order by children desc, sex",
    )
    .bind(office.map(OfficeId::as_str).unwrap_or_default())
    .fetch_all(executor)
    .await?;
    let occupancy = |row: &sqlx::any::AnyRow| {
        Ok(Occupancy {
            sex: row.try_get(0)?,
            children: row.try_get::<i64, _>(1)? == 1,
            capacity_persons: row.try_get(2)?,
            occupied_persons: row.try_get(3)?,
        })
    };
    rows.iter().map(occupancy).collect()
}

/// Who stays at an office, the latest admission first; on wish also who has left.
pub async fn of_office(
    office: &OfficeId,
    include_exited: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "select admission_id, stay.case_id, coalesce(nullif(case_standing.case_number, ''), stay.case_number),
            admitted_on, exited_on, exit_kind
         from stay
         left join case_standing on case_standing.case_id = stay.case_id and case_standing.office = stay.office
         where stay.office = $1 and (exited_on = '' or $2 = 1)
         order by admitted_on desc, position desc
         limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(i64::from(include_exited))
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let entry = |row: &sqlx::any::AnyRow| {
        Ok(Entry {
            admission_id: row.try_get(0)?,
            case_id: row.try_get(1)?,
            case_number: row.try_get(2)?,
            admitted_on: row.try_get(3)?,
            exited_on: row.try_get(4)?,
            exit_kind: row.try_get(5)?,
        })
    };
    rows.iter().map(entry).collect()
}

/// Whether somebody stays in another house of this node now.
pub async fn stays_elsewhere(
    case: CaseId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select 1 from stay where case_id = $1 and exited_on = '' and office <> $2 limit 1")
        .bind(case.to_string())
        .bind(office.as_str())
        .fetch_optional(executor)
        .await?;
    Ok(row.is_some())
}
