//! Places and residents, who is missing and what is due: the lists that a shelter looks at.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{AdmissionId, CaseId, OfficeId};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::due;
use crate::house::absence::Absence;
use crate::house::{Event, Group, House};

/// Tables, projection and queries of the lists.
pub struct Residents;

impl ReadModel for Residents {
    fn name(&self) -> &'static str {
        "residents"
    }

    fn version(&self) -> i64 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["house_place", "stay", "care_due", "tracing_step"]
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
                bed text not null,
                over_capacity text not null,
                released bigint not null,
                away_since text not null,
                away_reason text not null,
                away_expected text not null,
                away_recorded_at bigint not null,
                lost_since text not null,
                position bigint not null,
                primary key (office, admission_id)
            );
            create index stay_case on stay (case_id, exited_on);
            create index stay_away on stay (away_since, lost_since)",
            due::CARE_DUE,
            due::TRACING_STEP,
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if let Some(Ok(what)) = event.event::<House>() {
                due::apply_house(&event.id, &what, &mut *connection).await?;
                return apply(event, what, connection).await;
            }
            due::apply(event, connection).await
        })
    }
}

async fn apply(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let office = recorded.id.as_str();
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
        Event::Admitted { admission_id, case_id, case_number, group, admitted_on, bed, over_capacity, .. } => {
            sqlx::query("update stay set lost_since = '' where office = $1 and case_id = $2")
                .bind(office.to_owned())
                .bind(case_id.to_string())
                .execute(&mut *connection)
                .await?;
            sqlx::query(
                "insert into stay (office, admission_id, case_id, case_number, sex, children, admitted_on, exited_on,
                    exit_kind, bed, over_capacity, released, away_since, away_reason, away_expected, away_recorded_at,
                    lost_since, position)
                 values ($1, $2, $3, $4, $5, $6, $7, '', '', $8, $9, 0, '', '', '', 0, '', $10)",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .bind(case_id.to_string())
            .bind(case_number.map(|number| number.to_string()).unwrap_or_default())
            .bind(group.sex.to_string())
            .bind(i64::from(group.children))
            .bind(admitted_on.to_string())
            .bind(bed.map(String::from).unwrap_or_default())
            .bind(over_capacity.map(|reason| reason.to_string()).unwrap_or_default())
            .bind(recorded.position)
            .execute(&mut *connection)
            .await?;
            occupy(office, group, connection).await?;
        }
        Event::Exited { admission_id, kind, exited_on, .. } => {
            // A place that was given to others already is not given back a second time.
            count_place(office, admission_id, -1, connection).await?;
            sqlx::query(
                "update stay set exited_on = $3, exit_kind = $4, away_since = '',
                    lost_since = case when $4 = 'own_will' then lost_since else '' end
                 where office = $1 and admission_id = $2",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .bind(exited_on.to_string())
            .bind(kind.to_string())
            .execute(&mut *connection)
            .await?;
        }
        other => apply_to_stay(recorded, other, connection).await?,
    }
    Ok(())
}

/// What happens to a stay that goes on.
async fn apply_to_stay(recorded: &Recorded, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let office = recorded.id.as_str();
    match event {
        Event::BedAssigned { admission_id, bed } => {
            set(
                office,
                admission_id,
                "update stay set bed = $3 where office = $1 and admission_id = $2",
                bed,
                connection,
            )
            .await?;
        }
        Event::AbsenceRecorded { admission_id, absence, .. } => {
            let Absence { since, reason, expected_back_on } = absence;
            sqlx::query(
                "update stay set away_since = $3, away_reason = $4, away_expected = $5, away_recorded_at = $6
                 where office = $1 and admission_id = $2",
            )
            .bind(office.to_owned())
            .bind(admission_id.to_string())
            .bind(since.to_string())
            .bind(reason.to_string())
            .bind(expected_back_on.map(|day| day.to_string()).unwrap_or_default())
            .bind(recorded.metadata.recorded_at.as_micros())
            .execute(connection)
            .await?;
        }
        Event::Returned { admission_id, over_capacity, .. } => {
            let over = over_capacity.map(|reason| reason.to_string()).unwrap_or_default();
            let sql = "update stay set over_capacity = $3 where office = $1 and admission_id = $2 and $3 <> ''";
            set(office, admission_id, sql, over, connection).await?;
            let was_released =
                sqlx::query("update stay set released = 0 where office = $1 and admission_id = $2 and released = 1")
                    .bind(office.to_owned())
                    .bind(admission_id.to_string())
                    .execute(&mut *connection)
                    .await?;
            if was_released.rows_affected() > 0 {
                count_place(office, admission_id, 1, connection).await?;
            }
            sqlx::query("update stay set away_since = '', lost_since = '' where office = $1 and admission_id = $2")
                .bind(office.to_owned())
                .bind(admission_id.to_string())
                .execute(connection)
                .await?;
        }
        Event::BedReleased { admission_id, .. } => {
            count_place(office, admission_id, -1, connection).await?;
            sqlx::query("update stay set released = 1, bed = '' where office = $1 and admission_id = $2")
                .bind(office.to_owned())
                .bind(admission_id.to_string())
                .execute(connection)
                .await?;
        }
        Event::ContactLost { admission_id, since, .. } => {
            let sql = "update stay set lost_since = $3 where office = $1 and admission_id = $2";
            set(office, admission_id, sql, since, connection).await?;
        }
        Event::ContactFound { admission_id, .. } => {
            // Who was heard of and stays away is not looked for a second time.
            let sql = "update stay set lost_since = $3, away_recorded_at = 0 where office = $1 and admission_id = $2";
            set(office, admission_id, sql, "", connection).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Changes one stay; `$3` is the value.
async fn set(
    office: &str,
    admission_id: AdmissionId,
    sql: &'static str,
    value: impl ToString,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(sql).bind(office.to_owned()).bind(admission_id.to_string()).bind(value.to_string());
    statement.execute(connection).await?;
    Ok(())
}

/// Counts the place of a stay as taken or as free, unless it was given to others.
async fn count_place(
    office: &str,
    admission_id: AdmissionId,
    change: i64,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update house_place set occupied_persons = occupied_persons + $3
         where office = $1
           and sex = (select sex from stay where stay.office = $1 and admission_id = $2 and released = 0)
           and children = (select children from stay where stay.office = $1 and admission_id = $2 and released = 0)",
    )
    .bind(office.to_owned())
    .bind(admission_id.to_string())
    .bind(change)
    .execute(connection)
    .await?;
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
    pub bed: String,
    pub over_capacity: String,
    pub away_since: String,
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
            admitted_on, exited_on, exit_kind, bed, over_capacity, away_since
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
            bed: row.try_get(6)?,
            over_capacity: row.try_get(7)?,
            away_since: row.try_get(8)?,
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
