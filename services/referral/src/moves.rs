//! Cases that are where they are only for want of somebody elsewhere: those to move down to the office they were meant
//! for, and those to hand over from an office at which nobody works any more.

use spean_eventstore::EventStore;
use spean_vocabulary::{CaseId, OfficeId, Redirection};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _};

use crate::desk::Desk;
use crate::routing::{Route, Routing};

/// What an office holds in the place of another: by the offer that brought the case, or because an offer of its own came
/// back from an office at which nobody works, and nothing was offered since.
const HELD_FOR_OTHERS: &str = "(
    select v.office, v.case_id, v.since, o.meant_for, o.redirected_because as because, o.need, o.urgency
    from custody_view v
    join offer o on o.office = v.office and o.offer_id = v.by_offer and o.direction = 'in'
    where v.holder_office = v.office and o.meant_for <> '' and o.meant_for <> v.office
    union all
    select v.office, v.case_id, v.since,
        case when o.meant_for <> '' then o.meant_for else o.other_office end,
        case when o.withdraw_reason = 'office_closed' then 'closed' else 'unstaffed' end,
        o.need, o.urgency
    from custody_view v
    join offer o on o.office = v.office and o.case_id = v.case_id and o.direction = 'out'
    where v.holder_office = v.office and o.kind = 'transfer' and o.state = 'WITHDRAWN'
        and o.withdraw_reason in ('rerouted', 'office_closed') and o.offered_at >= v.since
        and not exists (select 1 from offer n where n.office = o.office and n.case_id = o.case_id and n.direction = 'out'
                        and n.kind = 'transfer' and n.offered_at > o.offered_at)
    ) as held";

/// How many transfers of a case are on offer.
const OPEN: &str = "(select count(*) from offer t where t.office = held.office and t.case_id = held.case_id
    and t.direction = 'out' and t.kind = 'transfer' and t.state = 'OFFERED')";

/// A case that an office holds in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToMoveDown {
    pub(crate) case_id: String,
    pub(crate) meant_for: String,
    pub(crate) because: String,
    pub(crate) need: String,
    pub(crate) urgency: String,
    pub(crate) since: i64,
    pub(crate) transfer_open: bool,
}

/// Which of them are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'w> {
    pub(crate) meant_for: Option<&'w OfficeId>,
    pub(crate) case: Option<CaseId>,
}

/// The cases that an office holds in the place of others at which somebody can answer now, those held longest first.
pub(crate) async fn to_move_down(
    office: &OfficeId,
    wanted: Wanted<'_>,
    routing: &Routing<'_>,
    limit: i64,
    offset: i64,
    store: &EventStore,
) -> Result<Vec<ToMoveDown>, sqlx::Error> {
    let sql = format!("select distinct meant_for from {HELD_FOR_OTHERS} where held.office = $1 order by 1");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(office.to_string()).fetch_all(store.reader()).await?;
    let mut answering = Vec::new();
    for row in rows {
        let meant_for: Option<OfficeId> = row.try_get::<&str, _>(0)?.parse().ok();
        let asked_for = |meant_for: &OfficeId| wanted.meant_for.is_none_or(|wanted| wanted == meant_for);
        answering.extend(meant_for.filter(|meant_for| asked_for(meant_for) && routing.answers(meant_for)));
    }
    if answering.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "select case_id, meant_for, because, need, urgency, since, {OPEN} from {HELD_FOR_OTHERS}
         where held.office = $1 and ($2 = '' or held.case_id = $2) and held.meant_for in ({})
         order by since, case_id limit $3 offset $4",
        places(5, answering.len())
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(office.to_string())
        .bind(wanted.case.map(|case| case.to_string()).unwrap_or_default())
        .bind(limit)
        .bind(offset);
    let rows = with(query, &answering).fetch_all(store.reader()).await?;
    rows.iter().map(moved).collect()
}

fn moved(row: &AnyRow) -> Result<ToMoveDown, sqlx::Error> {
    Ok(ToMoveDown {
        case_id: row.try_get(0)?,
        meant_for: row.try_get(1)?,
        because: row.try_get(2)?,
        need: row.try_get(3)?,
        urgency: row.try_get(4)?,
        since: row.try_get(5)?,
        transfer_open: row.try_get::<i64, _>(6)? > 0,
    })
}

/// A case held by an office at which nobody can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToHandOver {
    pub(crate) office: String,
    pub(crate) case_id: String,
    pub(crate) since: i64,
    pub(crate) transfer_open: bool,
}

/// The cases held by any of these offices, those held longest first.
pub(crate) async fn held_by(
    offices: &[OfficeId],
    limit: i64,
    offset: i64,
    store: &EventStore,
) -> Result<Vec<ToHandOver>, sqlx::Error> {
    if offices.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "select office, case_id, since, {OPEN} from custody_view held
         where holder_office = office and office in ({}) order by since, case_id limit $1 offset $2",
        places(3, offices.len())
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(limit).bind(offset);
    let rows = with(query, offices).fetch_all(store.reader()).await?;
    rows.iter()
        .map(|row| {
            Ok(ToHandOver {
                office: row.try_get(0)?,
                case_id: row.try_get(1)?,
                since: row.try_get(2)?,
                transfer_open: row.try_get::<i64, _>(3)? > 0,
            })
        })
        .collect()
}

fn places(first: usize, count: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|index| format!("${index}")).collect();
    places.join(", ")
}

fn with<'q>(query: Query<'q, Any, AnyArguments>, offices: &[OfficeId]) -> Query<'q, Any, AnyArguments> {
    offices.iter().fold(query, |query, office| query.bind(office.to_string()))
}

/// The other offices of this node for which an office answers: nobody can answer there, and it is the one to be asked.
pub(crate) fn stood_in_for(desk: &Desk, routing: &Routing<'_>, office: &OfficeId) -> Vec<OfficeId> {
    let led_here =
        |other: &OfficeId| matches!(routing.route(other), Some(Route { to, because: Some(_) }) if to == *office);
    let others = routing.directory.offices_of(&desk.node.id).map(|other| &other.id);
    others.filter(|other| *other != office && led_here(other)).cloned().collect()
}

/// The offices of this node at which nobody can answer and whose cases an office may hand over: its own, those that it
/// answers for, and those below it; each with where they go and why.
pub(crate) fn to_wind_up(
    desk: &Desk,
    routing: &Routing<'_>,
    office: &OfficeId,
) -> Vec<(OfficeId, OfficeId, Redirection)> {
    let others = routing.directory.offices_of(&desk.node.id);
    others
        .filter_map(|other| match routing.route(&other.id)? {
            Route { to, because: Some(because) } => Some((other.id.clone(), to, because)),
            Route { because: None, .. } => None,
        })
        .filter(|(other, to, _)| {
            other == office || to == office || routing.directory.ladder(other).any(|above| above.id == *office)
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
