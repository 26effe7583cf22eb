//! Where needs and places meet the handoff: an offer is made for a need, and somebody is taken into a place. What stands
//! against it is found before the offer is decided, what follows is stored in the same transaction.

use spean_chassis::status;
use spean_custody::case::{CaseCustody, Command, Error, OfferInState, Situation};
use spean_eventsourcing::Aggregate as _;
use spean_eventstore::{HandleError, Metadata, Transaction};
use spean_messaging::Unusable;
use spean_vocabulary::{CaseId, Need, NeedId, OfferId, OfferKind, OfficeId};
use tonic::Status;

use super::codes::OverCapacityReason;
use super::figures;
use super::need::{self, CaseNeed};
use super::register;
use super::search::stream;
use crate::availability::{self, Availability};
use crate::desk;
use crate::subject::{self, Permission};

/// What goes along with a command about an offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Along {
    /// The need that the offer is to meet; none: the oldest open one that it could.
    pub(crate) need: Option<NeedId>,
    /// By what the dossier of an offer was put together; none when no dossier goes along.
    pub(crate) permission: Option<Permission>,
    /// Why somebody is taken although no place is free.
    pub(crate) beyond_because: Option<OverCapacityReason>,
}

/// Why it is not done.
pub(crate) enum Undone {
    /// The rules say no; nothing was written.
    Refused(Status),
    /// The log failed, or the command id was another request's.
    Failed(HandleError<Error>),
}

/// What follows when the offer is decided.
enum Follows {
    Nothing,
    Asked(NeedId, need::Command),
    Taken(Need, availability::Command),
}

/// Decides about an offer, with what it means for needs and places.
pub(crate) async fn decide(
    (office, case): (&OfficeId, CaseId),
    mut command: Command,
    along: &Along,
    situation: &Situation,
    metadata: &Metadata,
    transaction: &mut Transaction,
) -> Result<(), Undone> {
    let follows = prepare(office, case, &mut command, along, situation, transaction).await?;
    let id = desk::stream(office, case);
    transaction.decide::<CaseCustody>(&id, command, situation, metadata).await.map_err(|error| match error {
        HandleError::Refused(error) => Undone::Refused(status::refused(&error)),
        error => Undone::Failed(error),
    })?;
    let context = &situation.context;
    match follows {
        Follows::Nothing => Ok(()),
        Follows::Asked(need, command) => {
            let id = stream(office, need);
            transaction.decide::<CaseNeed>(&id, command, context, metadata).await.map(drop).map_err(refused)
        }
        Follows::Taken(need, command) => {
            let id = format!("{office}/{need}");
            transaction.decide::<Availability>(&id, command, context, metadata).await.map(drop).map_err(refused)
        }
    }
}

async fn prepare(
    office: &OfficeId,
    case: CaseId,
    command: &mut Command,
    along: &Along,
    situation: &Situation,
    transaction: &mut Transaction,
) -> Result<Follows, Undone> {
    let custody = transaction.load::<CaseCustody>(&desk::stream(office, case)).await.map_err(failed)?.state;
    match command {
        Command::Offer { offer, to, terms } => {
            if let Some((_, known)) = custody.offers_out().find(|(known, _)| known == offer) {
                // The same offer was asked for twice in one moment: what was put together first stands.
                terms.dossier_digest = known.terms.dossier_digest;
                terms.consent = known.terms.consent;
                terms.answer_due_at = known.terms.answer_due_at;
                return Ok(Follows::Nothing);
            }
            let asked = (&to.office, terms.need);
            let against = subject::against(case, asked, along.permission.as_ref(), transaction.connection()).await;
            if let Some(against) = against.map_err(|error| failed(error.into()))? {
                return Err(Undone::Refused(against.status()));
            }
            let ask = need::Command::Ask { case, need: terms.need, offer: *offer, to: to.office.clone() };
            let need = meant(office, case, (terms.need, terms.kind, &to.office), along.need, transaction).await?;
            let Some(need) = need else { return Ok(Follows::Nothing) };
            let known = transaction.load::<CaseNeed>(&stream(office, need)).await.map_err(failed)?.state;
            known.decide(ask.clone(), &situation.context).map_err(|error| Undone::Refused(status::refused(&error)))?;
            Ok(Follows::Asked(need, ask))
        }
        Command::Accept { offer } => {
            let known = custody.offers_in().find(|(known, _)| known == offer).map(|(_, known)| known);
            let Some(known) = known.filter(|known| known.state == OfferInState::Received) else {
                return Ok(Follows::Nothing);
            };
            let Some(terms) = &known.terms else { return Ok(Follows::Nothing) };
            take(office, (*offer, case), terms.need, along, situation, transaction).await
        }
        _ => Ok(Follows::Nothing),
    }
}

/// Which need an offer is to meet; none when the office has none that it could.
async fn meant(
    office: &OfficeId,
    case: CaseId,
    (what, kind, to): (Need, OfferKind, &OfficeId),
    named: Option<NeedId>,
    transaction: &mut Transaction,
) -> Result<Option<NeedId>, Undone> {
    if named.is_some() {
        return Ok(named);
    }
    let mut unwanted = None;
    let mut open = None;
    for id in register::of_case(office, case, transaction.connection()).await.map_err(|error| failed(error.into()))? {
        let need = transaction.load::<CaseNeed>(&stream(office, id)).await.map_err(failed)?.state;
        if need.described().is_none_or(|described| described.need != what) {
            continue;
        }
        if need.is_ours_to_meet() {
            if need.refused().contains(to) {
                return Err(Undone::Refused(status::refused(&need::Error::RefusedByPerson)));
            }
            let is_served = need.lives().any(|(_, asked)| asked.stands == need::Stands::Agreed);
            open = open.or((!is_served).then_some(id));
        } else if need.is_not_wanted() {
            unwanted = unwanted.or(Some(id));
        }
    }
    match (open, unwanted) {
        // The case itself may have to move whatever the person wants of its services.
        (None, Some(_)) if kind == OfferKind::Service => Err(Undone::Refused(status::refused(&need::Error::NotWanted))),
        (open, _) => Ok(open),
    }
}

async fn take(
    office: &OfficeId,
    (offer, case): (OfferId, CaseId),
    need: Need,
    along: &Along,
    situation: &Situation,
    transaction: &mut Transaction,
) -> Result<Follows, Undone> {
    let today = situation.context.now.date_in_cambodia();
    let room = figures::room(office, need, (offer, case), today, transaction.connection()).await;
    let room = room.map_err(|error| failed(error.into()))?;
    let command = availability::Command::Take { offer, room, beyond_because: along.beyond_because };
    let known = transaction.load::<Availability>(&format!("{office}/{need}")).await.map_err(failed)?.state;
    known.decide(command.clone(), &situation.context).map_err(|error| Undone::Refused(status::refused(&error)))?;
    Ok(Follows::Taken(need, command))
}

fn failed(error: spean_eventstore::StoreError) -> Undone {
    Undone::Failed(HandleError::Store(error))
}

fn refused<E: spean_eventsourcing::Refusal>(error: HandleError<E>) -> Undone {
    match error {
        HandleError::Refused(error) => Undone::Refused(status::refused(&error)),
        HandleError::CommandIdReused => Undone::Failed(HandleError::CommandIdReused),
        HandleError::Store(error) => Undone::Failed(HandleError::Store(error)),
    }
}

/// A refusal of the post's rules, as a caller hears it.
pub(crate) fn told(error: Unusable) -> Status {
    match error {
        Unusable::Store(error) => status::store(&error),
        refused @ Unusable::Refused(_) => status::bug(&refused),
    }
}
