//! Waiting lists as people read them: who waits here, and where our people wait.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Need, OfferId, OfficeId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use super::elsewhere::{self, WaitingElsewhere};
use super::register::pressing;
use crate::waiting_list::{self, WaitingList};

/// Tables, projection and queries.
pub(crate) struct Lines;

impl ReadModel for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["waiting", "waiting_elsewhere"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table waiting (
                office text not null,
                need text not null,
                offer_id text not null,
                case_id text not null,
                from_office text not null,
                urgency text not null,
                since bigint not null,
                position bigint not null,
                kept_until bigint not null,
                primary key (office, need, offer_id)
            )",
            "create table waiting_elsewhere (
                office text not null,
                offer_id text not null,
                at_office text not null,
                case_id text not null,
                need text not null,
                urgency text not null,
                pressing bigint not null,
                position bigint not null,
                kept_until bigint not null,
                heard_at bigint not null,
                primary key (office, offer_id)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        recorded: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some((office, other)) = recorded.id.split_once('/') else { return Ok(()) };
            if let Some(Ok(event)) = recorded.event::<WaitingList>() {
                return here(office, other, event, connection).await;
            }
            if let Some(Ok(event)) = recorded.event::<WaitingElsewhere>() {
                let heard_at = recorded.metadata.recorded_at.as_micros();
                return there(office, other, event, heard_at, connection).await;
            }
            Ok(())
        })
    }
}

async fn here(
    office: &str,
    need: &str,
    event: waiting_list::Event,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    use waiting_list::Event;
    let statement = match event {
        Event::Joined { offer, entry } => sqlx::query(
            "insert into waiting (office, need, offer_id, case_id, from_office, urgency, since, position, kept_until)
             values ($1, $2, $3, $4, $5, $6, $7, 0, 0) on conflict (office, need, offer_id) do nothing",
        )
        .bind(office)
        .bind(need)
        .bind(offer.to_string())
        .bind(entry.case.to_string())
        .bind(entry.from.to_string())
        .bind(entry.urgency.to_string())
        .bind(entry.since.as_micros()),
        Event::PositionTold { offer, position, .. } => {
            sqlx::query("update waiting set position = $4 where office = $1 and need = $2 and offer_id = $3")
                .bind(office)
                .bind(need)
                .bind(offer.to_string())
                .bind(i64::from(position))
        }
        Event::PlaceKept { offer, until, .. } => sqlx::query(
            "update waiting set position = 0, kept_until = $4 where office = $1 and need = $2 and offer_id = $3",
        )
        .bind(office)
        .bind(need)
        .bind(offer.to_string())
        .bind(until.as_micros()),
        Event::PlaceLapsed { offer } => {
            sqlx::query("update waiting set kept_until = 0 where office = $1 and need = $2 and offer_id = $3")
                .bind(office)
                .bind(need)
                .bind(offer.to_string())
        }
        Event::Left { offer, .. } => {
            sqlx::query("delete from waiting where office = $1 and need = $2 and offer_id = $3")
                .bind(office)
                .bind(need)
                .bind(offer.to_string())
        }
    };
    statement.execute(connection).await?;
    Ok(())
}

async fn there(
    office: &str,
    offer: &str,
    event: elsewhere::Event,
    heard_at: i64,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    use elsewhere::Event;
    let (line, position, kept_until) = match event {
        Event::PositionHeard { line, position } => (line, i64::from(position), 0),
        Event::PlaceKeptHeard { line, until } => (line, 0, until.as_micros()),
        Event::EndHeard { .. } | Event::GivenUp { .. } => {
            sqlx::query("delete from waiting_elsewhere where office = $1 and offer_id = $2")
                .bind(office)
                .bind(offer)
                .execute(connection)
                .await?;
            return Ok(());
        }
    };
    sqlx::query(
        "insert into waiting_elsewhere (office, offer_id, at_office, case_id, need, urgency, pressing, position,
            kept_until, heard_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (office, offer_id) do update set position = excluded.position, kept_until = excluded.kept_until,
            heard_at = excluded.heard_at",
    )
    .bind(office)
    .bind(offer)
    .bind(line.at.to_string())
    .bind(line.case.to_string())
    .bind(line.need.to_string())
    .bind(line.urgency.to_string())
    .bind(pressing(line.urgency))
    .bind(position)
    .bind(kept_until)
    .bind(heard_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody who waits here.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) offer_id: String,
    pub(crate) case_id: String,
    pub(crate) from_office: String,
    pub(crate) need: String,
    pub(crate) urgency: String,
    pub(crate) since: i64,
    pub(crate) position: i64,
    pub(crate) kept_until: i64,
}

/// Who waits at an office, by need, places kept first.
pub(crate) async fn waiting(
    office: &OfficeId,
    need: Option<Need>,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Waiting>, sqlx::Error> {
    let rows = sqlx::query(
        "select offer_id, case_id, from_office, need, urgency, since, position, kept_until from waiting
         where office = $1 and ($2 = '' or need = $2) order by need, position, since, offer_id limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(need.map(|need| need.to_string()).unwrap_or_default())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                offer_id: row.try_get(0)?,
                case_id: row.try_get(1)?,
                from_office: row.try_get(2)?,
                need: row.try_get(3)?,
                urgency: row.try_get(4)?,
                since: row.try_get(5)?,
                position: row.try_get(6)?,
                kept_until: row.try_get(7)?,
            })
        })
        .collect()
}

/// Where the person of a case waits for a need: (office, offer, position, until when a place is kept).
pub(crate) async fn of_case_elsewhere(
    office: &OfficeId,
    case: CaseId,
    need: Need,
    connection: &mut AnyConnection,
) -> Result<Vec<(OfficeId, OfferId, u32, Option<Timestamp>)>, sqlx::Error> {
    let rows = sqlx::query(
        "select at_office, offer_id, position, kept_until from waiting_elsewhere
         where office = $1 and case_id = $2 and need = $3 order by offer_id",
    )
    .bind(office.as_str())
    .bind(case.to_string())
    .bind(need.to_string())
    .fetch_all(connection)
    .await?;
    let mut lines = Vec::new();
    for row in rows {
        let (at, offer) = (row.try_get::<String, _>(0)?.parse(), row.try_get::<String, _>(1)?.parse());
        let position = u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0);
        let kept: i64 = row.try_get(3)?;
        if let (Ok(at), Ok(offer)) = (at, offer) {
            lines.push((at, offer, position, (kept > 0).then(|| Timestamp::from_micros(kept))));
        }
    }
    Ok(lines)
}

/// All places in other offices' lines of a case: the offers by which its person waits.
pub(crate) async fn offers_of_case(
    office: &OfficeId,
    case: CaseId,
    connection: &mut AnyConnection,
) -> Result<Vec<OfferId>, sqlx::Error> {
    let rows = sqlx::query("select offer_id from waiting_elsewhere where office = $1 and case_id = $2")
        .bind(office.as_str())
        .bind(case.to_string())
        .fetch_all(connection)
        .await?;
    let ids = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Something to be done for a need.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) kind: String,
    pub(crate) case_id: String,
    pub(crate) offer_id: String,
    pub(crate) other_office: String,
    pub(crate) need: String,
    pub(crate) urgency: String,
    pub(crate) since: i64,
    pub(crate) kept_until: i64,
}

/// Places that are kept for an office's people, and questions of those who must know more, as long as the office holds
/// the case, and until it has offered there again.
pub(crate) async fn tasks(
    office: &OfficeId,
    now: Timestamp,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Task>, sqlx::Error> {
    let rows = sqlx::query(
        "select 'OFFER_AGAIN' as kind, w.case_id, w.offer_id, w.at_office, w.need, w.urgency, w.heard_at, w.kept_until,
            cast(0 as bigint) as sorting, w.kept_until as pressing
         from waiting_elsewhere w
         where w.office = $1 and w.kept_until > $2
           and not exists (select 1 from offer n where n.office = w.office and n.direction = 'out'
               and n.case_id = w.case_id and n.other_office = w.at_office and n.need = w.need and n.state = 'OFFERED')
         union all
         select 'ASSESS_MORE', o.case_id, o.offer_id, o.other_office, o.need, o.urgency, o.offered_at, cast(0 as bigint),
            cast(1 as bigint),
            case o.urgency when 'emergency' then cast(0 as bigint) when 'urgent' then cast(1 as bigint)
                else cast(2 as bigint) end
         from offer o join custody_view v on v.office = o.office and v.case_id = o.case_id
         where o.office = $1 and o.direction = 'out' and o.state = 'DECLINED'
           and o.decline_reason = 'more_assessment_needed' and v.holder_office = o.office
           and not exists (select 1 from offer n where n.office = o.office and n.direction = 'out'
               and n.case_id = o.case_id and n.other_office = o.other_office and n.need = o.need
               and n.offered_at > o.offered_at)
           and not exists (select 1 from need_asked a join case_need c on c.office = a.office and c.need_id = a.need_id
               where a.office = o.office and a.offer_id = o.offer_id and c.closed <> '')
         order by 9, 10, 7, 3 limit $3 offset $4",
    )
    .bind(office.as_str())
    .bind(now.as_micros())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Task {
                kind: row.try_get(0)?,
                case_id: row.try_get(1)?,
                offer_id: row.try_get(2)?,
                other_office: row.try_get(3)?,
                need: row.try_get(4)?,
                urgency: row.try_get(5)?,
                since: row.try_get(6)?,
                kept_until: row.try_get(7)?,
            })
        })
        .collect()
}
