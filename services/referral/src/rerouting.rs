//! Offers to offices that cannot answer any more: taken back and made to whoever can, at once.
//!
//! What is to be done follows from the tables alone, so it does not matter when the news of an office came, in which order,
//! or whether the node was running. The sender's node does it for what it offered; the node of a closed office says no to
//! what still comes there, and whom to ask instead, for senders that have not heard yet.

use spean_chassis::{Next, Round, When};
use spean_custody::case::{CaseCustody, Command, OfferOutState};
use spean_eventstore::EventStore;
use spean_messaging::Post;
use spean_vocabulary::{CaseId, OfferId, OfficeId, Redirection, Timestamp, WithdrawReason};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::desk::{Desk, stream};
use crate::escalation::{Instead, LOOK_EVERY, decide, offer_instead};
use crate::routing::{Route, Routing, Standing, Statuses};

/// Looks as often as at the clock.
pub(crate) fn round(desk: &Desk, store: &EventStore, post: &Post) -> Round {
    let (desk, store) = (desk.clone(), store.clone());
    Round::new("offers to offices that cannot answer", When::Every(LOOK_EVERY, post.clone()), move || {
        let (desk, store) = (desk.clone(), store.clone());
        async move { look(&desk, &store).await.map(|()| Next::Rest) }
    })
}

async fn look(desk: &Desk, store: &EventStore) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    let directory = desk.directory();
    let statuses = Statuses::load(store.reader()).await?;
    let routing = Routing { directory: &directory, statuses: &statuses, today: now.date_in_cambodia() };
    for waiting in waiting_where_nobody_answers(&routing, store).await? {
        let offer = waiting.offer;
        if let Err(error) = reroute(desk, store, &routing, waiting, now).await {
            tracing::warn!(%offer, error = %error, "this offer goes elsewhere later");
        }
    }
    for (waiting, successor) in sent_on(store).await? {
        let offer = waiting.offer;
        if let Err(error) = follow(desk, store, &routing, waiting, &successor, now).await {
            tracing::warn!(%offer, error = %error, "this offer follows the office that moved later");
        }
    }
    for office in directory.offices_of(&desk.node.id) {
        if let (Some(Standing::Closed { .. }), Some(Route { to, because: Some(_) })) =
            (routing.standing(&office.id), routing.route(&office.id))
        {
            redirect(desk, store, &office.id, &to, now).await?;
        }
    }
    Ok(())
}

struct Waiting {
    office: OfficeId,
    case: CaseId,
    offer: OfferId,
}

fn waiting(row: &AnyRow) -> anyhow::Result<Waiting> {
    Ok(Waiting {
        office: row.try_get::<&str, _>(0)?.parse()?,
        case: row.try_get::<&str, _>(1)?.parse()?,
        offer: row.try_get::<&str, _>(2)?.parse()?,
    })
}

/// Open offers to offices at which nobody can answer, while somebody can elsewhere.
async fn waiting_where_nobody_answers(routing: &Routing<'_>, store: &EventStore) -> anyhow::Result<Vec<Waiting>> {
    let asked = sqlx::query("select distinct other_office from offer where direction = 'out' and state = 'OFFERED'");
    let mut found = Vec::new();
    for row in asked.fetch_all(store.reader()).await? {
        let office: OfficeId = row.try_get::<&str, _>(0)?.parse()?;
        if routing.answers(&office) || routing.route(&office).is_none() {
            continue;
        }
        let rows = sqlx::query(
            "select office, case_id, offer_id from offer
             where direction = 'out' and state = 'OFFERED' and other_office = $1 order by offered_at, offer_id",
        )
        .bind(office.to_string())
        .fetch_all(store.reader())
        .await?;
        for row in &rows {
            found.push(waiting(row)?);
        }
    }
    Ok(found)
}

async fn reroute(
    desk: &Desk,
    store: &EventStore,
    routing: &Routing<'_>,
    waiting: Waiting,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Waiting { office, case, offer } = waiting;
    let custody = store.load::<CaseCustody>(&stream(&office, case)).await?.state;
    let Some((_, made)) = custody.offers_out().find(|(id, _)| *id == offer) else { return Ok(()) };
    if made.state != OfferOutState::Open {
        return Ok(());
    }
    let reason = match routing.standing(&made.to.office) {
        Some(Standing::Closed { .. }) => WithdrawReason::OfficeClosed,
        _ => WithdrawReason::Rerouted,
    };
    // What went elsewhere because nobody was there looks for its first office again; what went up because that one was
    // silent does not.
    let (meant_for, earlier) = match (&made.terms.meant_for, made.terms.redirected_because) {
        (Some(meant_for), Some(Redirection::Unanswered)) => (meant_for, Some(Redirection::Unanswered)),
        (Some(meant_for), _) => (meant_for, None),
        (None, _) => (&made.to.office, None),
    };
    let from = if earlier.is_some() { &made.to.office } else { meant_for };
    let Some(Route { to, because }) = routing.route(from) else { return Ok(()) };
    let Some(party) = desk.party(&to).filter(|_| to != office) else {
        // The office that asks would be asked itself: it goes on holding the case, and sees it on its list.
        let commands = vec![Command::Withdraw { offer, reason }];
        return decide(desk, store, &office, case, commands, now).await;
    };
    let redirected = earlier.or(because).map(|because| (meant_for.clone(), because));
    let purpose = "nobody can answer at the office that was asked; the offer goes to another";
    let made_instead =
        Instead { office: &office, case, offer, made, withdraw: Some(reason), to: party, redirected, purpose };
    offer_instead(desk, store, &custody, made_instead, now).await
}

/// Offers that an office which had closed declined, with whom to ask instead, and nothing was done about yet.
async fn sent_on(store: &EventStore) -> anyhow::Result<Vec<(Waiting, OfficeId)>> {
    let sql = "select o.office, o.case_id, o.offer_id, o.successor from offer o
         where o.direction = 'out' and o.state = 'DECLINED' and o.successor <> ''
           and exists (select 1 from custody_view v
                       where v.office = o.office and v.case_id = o.case_id and v.holder_office = o.office)
           and not exists (select 1 from offer n
                       where n.office = o.office and n.direction = 'out' and n.case_id = o.case_id
                         and (n.instead_of = o.offer_id or (n.need = o.need and n.state in ('OFFERED', 'ACCEPTED'))))
         order by o.offered_at, o.offer_id";
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(store.reader()).await?;
    rows.iter().map(|row| Ok((waiting(row)?, row.try_get::<&str, _>(3)?.parse()?))).collect()
}

async fn follow(
    desk: &Desk,
    store: &EventStore,
    routing: &Routing<'_>,
    waiting: Waiting,
    successor: &OfficeId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Waiting { office, case, offer } = waiting;
    let custody = store.load::<CaseCustody>(&stream(&office, case)).await?.state;
    let Some((_, made)) = custody.offers_out().find(|(id, _)| *id == offer) else { return Ok(()) };
    // An office that our directory does not know yet: the ladder above the one that closed will do.
    let way = routing.route(successor).or_else(|| routing.route(&made.to.office));
    let Some(party) =
        way.filter(|way| way.to != office && way.to != made.to.office).and_then(|way| desk.party(&way.to))
    else {
        return Ok(());
    };
    let meant_for = made.terms.meant_for.clone().unwrap_or_else(|| made.to.office.clone());
    let redirected = Some((meant_for, made.terms.redirected_because.unwrap_or(Redirection::Moved)));
    let purpose = "the office that was asked has closed; the offer follows it";
    let made_instead = Instead { office: &office, case, offer, made, withdraw: None, to: party, redirected, purpose };
    offer_instead(desk, store, &custody, made_instead, now).await
}

/// Says no to what came to a closed office of this node, and whom to ask.
async fn redirect(
    desk: &Desk,
    store: &EventStore,
    closed: &OfficeId,
    successor: &OfficeId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let rows = sqlx::query(
        "select office, case_id, offer_id from offer
         where direction = 'in' and state = 'OFFERED' and office = $1 order by offered_at, offer_id",
    )
    .bind(closed.to_string())
    .fetch_all(store.reader())
    .await?;
    for row in &rows {
        let Waiting { office, case, offer } = waiting(row)?;
        let commands = vec![Command::Redirect { offer, successor: successor.clone() }];
        decide(desk, store, &office, case, commands, now).await?;
    }
    Ok(())
}
