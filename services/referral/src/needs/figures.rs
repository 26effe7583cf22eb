//! How many places of an office are taken, held and wanted: counted from the custody of cases, never kept by hand.
//!
//! An open offer holds a place, one that was accepted takes it until the service has ended or the case has moved on. Who
//! was offered first has the better right, but for those for whom a place is kept.

use spean_eventsourcing::Context;
use spean_eventstore::{HandleError, Metadata, Transaction};
use spean_messaging::Unusable;
use spean_vocabulary::{CaseId, Date, Need, OfferId, OfficeId};
use sqlx::{AnyConnection, Row as _};

use super::known;
use crate::availability::{self, Availability, Figures, Room};
use crate::desk::Desk;
use crate::waiting_list::{self, WaitingList};

/// How an incoming offer takes a place.
const TAKES: &str = "(o.state = 'BOUND' or (o.state = 'ACCEPTED' and (o.kind = 'service' or exists (
        select 1 from custody_view v
        where v.office = o.office and v.case_id = o.case_id and v.holder_office = o.office))))
    and not exists (
        select 1 from place_left l where l.office = o.office and l.case_id = o.case_id and l.need = o.need
            and l.left_at >= o.offered_at)";

/// How it stands with the places of an office for a need.
pub(crate) async fn count(
    office: &OfficeId,
    need: Need,
    today: Date,
    connection: &mut AnyConnection,
) -> Result<Figures, sqlx::Error> {
    let taken = taken(office, need, "", connection).await?;
    let row = sqlx::query(
        "select
            (select count(*) from (
                select case_id from offer
                where office = $1 and need = $2 and direction = 'in' and state = 'OFFERED'
                union select case_id from waiting where office = $1 and need = $2 and kept_until > 0) held),
            (select count(*) from waiting where office = $1 and need = $2)",
    )
    .bind(office.as_str())
    .bind(need.to_string())
    .fetch_one(&mut *connection)
    .await?;
    Ok(Figures {
        capacity_persons: capacity(office, need, today, connection).await?,
        taken_persons: taken,
        reserved_persons: persons(row.try_get(0)?),
        waiting_persons: persons(row.try_get(1)?),
    })
}

/// The room that there is for one offer, whether it was answered already or not.
pub(crate) async fn room(
    office: &OfficeId,
    need: Need,
    (offer, case): (OfferId, CaseId),
    today: Date,
    connection: &mut AnyConnection,
) -> Result<Room, sqlx::Error> {
    let taken_persons = taken(office, need, &offer.to_string(), connection).await?;
    let row = sqlx::query(
        "select count(*) from (
            select case_id from waiting
            where office = $1 and need = $2 and kept_until > 0 and case_id <> $4
            union
            select o.case_id from offer o join offer mine on mine.office = o.office and mine.offer_id = $3
                and mine.direction = 'in'
            where o.office = $1 and o.need = $2 and o.direction = 'in' and o.state = 'OFFERED' and o.case_id <> $4
                and (o.offered_at < mine.offered_at or (o.offered_at = mine.offered_at and o.offer_id < mine.offer_id))
                and not exists (select 1 from waiting k
                    where k.office = $1 and k.need = $2 and k.kept_until > 0 and k.case_id = $4)) ahead",
    )
    .bind(office.as_str())
    .bind(need.to_string())
    .bind(offer.to_string())
    .bind(case.to_string())
    .fetch_one(&mut *connection)
    .await?;
    let capacity_persons = capacity(office, need, today, connection).await?;
    Ok(Room { capacity_persons, taken_persons, ahead_persons: persons(row.try_get(0)?) })
}

/// Counts again: tells what changed, and keeps a place for whoever waits when one has become free.
pub(crate) async fn recount(
    desk: &Desk,
    office: &OfficeId,
    need: Need,
    trace: Option<&String>,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let now = desk.node.clock.now();
    let context = Context { office: office.clone(), staff: None, now };
    let metadata = Metadata { trace: trace.cloned(), ..Metadata::of(&context) };
    let id = format!("{office}/{need}");
    let today = now.date_in_cambodia();
    let figures = count(office, need, today, transaction.connection()).await?;
    if figures.waiting_persons > 0 {
        // Not limited any more: there is room for everybody.
        let free_persons = match figures.capacity_persons {
            None => figures.waiting_persons,
            Some(capacity) => {
                let asking = asking_without_a_kept_place(office, need, transaction.connection()).await?;
                capacity.saturating_sub(figures.taken_persons).saturating_sub(asking)
            }
        };
        let keep_until = now.plus_hours(desk.node.policy.waiting_list.place_held_for_hours);
        let command = waiting_list::Command::Fill { free_persons, keep_until };
        transaction.decide::<WaitingList>(&id, command, &context, &metadata).await.map_err(unusable)?;
    }
    let figures = count(office, need, today, transaction.connection()).await?;
    let command = availability::Command::Count(figures);
    transaction.decide::<Availability>(&id, command, &context, &metadata).await.map_err(unusable)?;
    Ok(())
}

/// A refusal of our own rules as the post knows it.
pub(crate) fn unusable<E: spean_eventsourcing::Refusal>(error: HandleError<E>) -> Unusable {
    match error {
        HandleError::Refused(error) => Unusable::Refused(error.reason().to_owned()),
        HandleError::CommandIdReused => Unusable::Refused("COMMAND_ID_REUSED".to_owned()),
        HandleError::Store(error) => Unusable::Store(error),
    }
}

async fn taken(office: &OfficeId, need: Need, but: &str, connection: &mut AnyConnection) -> Result<u32, sqlx::Error> {
    let sql = format!(
        "select count(distinct o.case_id) from offer o
         where o.office = $1 and o.need = $2 and o.direction = 'in' and o.offer_id <> $3 and {TAKES}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(need.to_string())
        .bind(but)
        .fetch_one(&mut *connection)
        .await?;
    let counted = persons(row.try_get(0)?);
    let occupied = match need {
        Need::Shelter => known::occupancy(office, connection).await?.map_or(0, |(_, occupied)| occupied),
        _ => 0,
    };
    // Somebody may be in a bed without an offer, and somebody may be on the way to one.
    Ok(counted.max(occupied))
}

async fn asking_without_a_kept_place(
    office: &OfficeId,
    need: Need,
    connection: &mut AnyConnection,
) -> Result<u32, sqlx::Error> {
    let row = sqlx::query(
        "select count(distinct o.case_id) from offer o
         where o.office = $1 and o.need = $2 and o.direction = 'in' and o.state = 'OFFERED'
           and not exists (select 1 from waiting k
               where k.office = o.office and k.need = o.need and k.case_id = o.case_id and k.kept_until > 0)",
    )
    .bind(office.as_str())
    .bind(need.to_string())
    .fetch_one(connection)
    .await?;
    Ok(persons(row.try_get(0)?))
}

/// For how many persons an office has places today; none when it never limited them.
async fn capacity(
    office: &OfficeId,
    need: Need,
    today: Date,
    connection: &mut AnyConnection,
) -> Result<Option<u32>, sqlx::Error> {
    let offerings = known::offerings(need, connection).await?;
    let today_on_offer = offerings.iter().filter(|offering| {
        offering.office == *office
            && offering.valid_from <= today
            && offering.withdrawn_on.is_none_or(|last| last >= today)
    });
    let limits: Vec<_> = today_on_offer.map(|offering| offering.capacity_persons).collect();
    if limits.is_empty() {
        return Ok(None);
    }
    let limited = limits.iter().try_fold(0u32, |sum, limit| limit.map(|limit| sum.saturating_add(limit)));
    if limited.is_none() && need == Need::Shelter {
        let beds = known::occupancy(office, connection).await?;
        return Ok(beds.map(|(beds, _)| beds).filter(|beds| *beds > 0));
    }
    Ok(limited)
}

fn persons(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
