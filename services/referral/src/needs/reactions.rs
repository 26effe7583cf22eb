//! What turns at a case, and what other desks say of needs and waiting lists; and what this desk does about it.
//!
//! When a case has turned, the desk does not follow the event: it looks at the case as it stands. So it does not matter
//! how often it looks, or what it missed.

use std::collections::BTreeSet;

use prost::Message as _;
use spean_chassis::words::{read_need, read_urgency};
use spean_contracts::followup::v1::NeedFound;
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{CaseCustody, OfferInState, OfferOut, OfferOutState};
use spean_eventsourcing::Context;
use spean_eventstore::{HandleError, Metadata, Transaction};
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{CaseId, DeclineReason, Need, NeedId, OfferId, OfficeId, Service};

use super::codes::WaitingEnd;
use super::elsewhere::{self, Line, WaitingElsewhere};
use super::figures::{recount, unusable};
use super::letters::{CaseTurned, malformed, read_handed, read_instant, refused};
use super::need::{CaseNeed, Command, Described, OfferStanding, Preferences, Stands};
use super::search::{judge, stream};
use super::{lines, register, words};
use crate::desk::{self, Desk};
use crate::open_matters;
use crate::waiting_list::{self, Entry, WaitingList};

/// A case has turned at an office of this node.
pub(crate) async fn case_turned(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    if letter.from != desk.node.address(Service::Referral) {
        return Err(refused("NOT_OUR_SERVICE"));
    }
    let CaseTurned { office, case } = serde_json::from_slice(&letter.body).map_err(malformed)?;
    let custody = transaction.load::<CaseCustody>(&desk::stream(&office, case)).await?.state;
    let at = At::of(desk, &office, letter);
    follow_offers(desk, &at, case, &custody, transaction).await?;
    let holder = custody.holder().map(|holder| &holder.office);
    if holder.is_some_and(|holder| *holder != office) {
        // Whoever holds the case asks in its own name; a place in this office's would be kept for nobody.
        for offer in lines::offers_of_case(&office, case, transaction.connection()).await? {
            let command = elsewhere::Command::GiveUp { why: WaitingEnd::AnotherWayFound };
            at.decide_elsewhere(offer, command, transaction).await?;
        }
    }
    follow_requests(desk, &at, case, &custody, transaction).await?;
    open_matters::count::recount(desk, &office, case, letter.trace.as_ref(), transaction).await
}

/// A visit of our follow-up found that somebody needs something.
pub(crate) async fn need_found(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    if letter.from != desk.node.address(Service::Followup) {
        return Err(refused("NOT_OUR_SERVICE"));
    }
    let told = NeedFound::decode(letter.body.as_slice()).map_err(malformed)?;
    let need: NeedId = told.need_id.parse().map_err(malformed)?;
    let office: OfficeId = told.office_id.parse().map_err(malformed)?;
    let place = desk.directory().office(&office).map(|office| office.place);
    let described = Described {
        case: told.case_id.parse().map_err(malformed)?,
        need: read_need("need", told.need).map_err(malformed)?,
        urgency: read_urgency("urgency", told.urgency).map_err(malformed)?,
        preferences: Preferences::default(),
        place: place.ok_or_else(|| refused("NOT_OUR_OFFICE"))?,
        known_since: told.found_on.parse().map_err(malformed)?,
    };
    let at = At::of(desk, &office, letter);
    at.decide_need(need, Command::Open(described), transaction).await?;
    judge(desk, (&office, need), &at.context, &at.metadata, transaction).await
}

/// Another desk hands over a need, with the case that it belongs to.
pub(crate) async fn need_handed_over(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let told = wire::NeedHandedOver::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let need: NeedId = told.need_id.parse().map_err(malformed)?;
    let told = Box::new(read_handed(&told)?);
    let custody = transaction.load::<CaseCustody>(&desk::stream(&office, told.described.case)).await?.state;
    let holder = custody.holder().map(|holder| holder.office.clone());
    let at = At::of(desk, &office, letter);
    at.decide_need(need, Command::TakeOver { from, told, holder }, transaction).await?;
    judge(desk, (&office, need), &at.context, &at.metadata, transaction).await
}

/// A service that was agreed on before the case came here has ended.
pub(crate) async fn need_service_ended(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let told = wire::NeedServiceEnded::decode(letter.body.as_slice()).map_err(malformed)?;
    let (_, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let need: NeedId = told.need_id.parse().map_err(malformed)?;
    let offer = told.offer_id.parse().map_err(malformed)?;
    let at = At::of(desk, &office, letter);
    let command = Command::HearEnd { offer, outcome: words::read_outcome(told.outcome) };
    at.decide_need(need, command, transaction).await?;
    judge(desk, (&office, need), &at.context, &at.metadata, transaction).await
}

/// Another office says where our person stands on its list.
pub(crate) async fn waiting_position_changed(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let told = wire::WaitingPositionChanged::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let line = read_line(from, &told.case_id, told.need, told.urgency)?;
    let offer = told.offer_id.parse().map_err(malformed)?;
    let command = match words::read_waiting_end(told.ended) {
        Some(why) => elsewhere::Command::HearEnd { line, why },
        None => elsewhere::Command::HearPosition { line, position: told.position.unsigned_abs() },
    };
    At::of(desk, &office, letter).decide_elsewhere(offer, command, transaction).await
}

/// Another office keeps a place for our person.
pub(crate) async fn place_free(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::PlaceFree::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let line = read_line(from, &told.case_id, told.need, told.urgency)?;
    let offer = told.offer_id.parse().map_err(malformed)?;
    let until = read_instant(told.kept_until.as_ref().ok_or_else(|| refused("MALFORMED"))?);
    let command = elsewhere::Command::HearPlaceKept { line, until };
    At::of(desk, &office, letter).decide_elsewhere(offer, command, transaction).await
}

/// Whoever offered says that nobody waits any longer.
pub(crate) async fn waiting_given_up(
    desk: &Desk,
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let told = wire::WaitingGivenUp::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let need = read_need("need", told.need).map_err(malformed)?;
    let offer: OfferId = told.offer_id.parse().map_err(malformed)?;
    let case: CaseId = told.case_id.parse().map_err(malformed)?;
    let custody = transaction.load::<CaseCustody>(&desk::stream(&office, case)).await?.state;
    if custody.offers_in().any(|(id, known)| id == offer && known.from.office != from) {
        return Err(refused("NOT_THE_SENDER"));
    }
    let why = words::read_waiting_end(told.reason).unwrap_or(WaitingEnd::AnotherWayFound);
    let at = At::of(desk, &office, letter);
    match at.decide_list(need, waiting_list::Command::Leave { offer, why }, transaction).await {
        // Gone already, as when the place was given at the same moment.
        Ok(()) | Err(Unusable::Refused(_)) => {}
        Err(error) => return Err(error),
    }
    recount(desk, &office, need, letter.trace.as_ref(), transaction).await
}

/// Where and when something is decided because of a letter.
struct At {
    context: Context,
    metadata: Metadata,
}

impl At {
    fn of(desk: &Desk, office: &OfficeId, letter: &Letter) -> Self {
        let context = Context { office: office.clone(), staff: None, now: desk.node.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        Self { context, metadata }
    }

    async fn decide_need(
        &self,
        need: NeedId,
        command: Command,
        transaction: &mut Transaction,
    ) -> Result<bool, Unusable> {
        let id = stream(&self.context.office, need);
        let decided = transaction.decide::<CaseNeed>(&id, command, &self.context, &self.metadata).await;
        Ok(!decided.map_err(unusable)?.is_empty())
    }

    async fn decide_list(
        &self,
        need: Need,
        command: waiting_list::Command,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let id = format!("{}/{need}", self.context.office);
        let decided = transaction.decide::<WaitingList>(&id, command, &self.context, &self.metadata).await;
        decided.map(drop).map_err(unusable)
    }

    async fn decide_elsewhere(
        &self,
        offer: OfferId,
        command: elsewhere::Command,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let id = format!("{}/{offer}", self.context.office);
        let decided = transaction.decide::<WaitingElsewhere>(&id, command, &self.context, &self.metadata).await;
        match decided {
            Ok(_) | Err(HandleError::Refused(_)) => Ok(()),
            Err(error) => Err(unusable(error)),
        }
    }
}

/// What became of this office's offers, for the needs that they were to meet.
async fn follow_offers(
    desk: &Desk,
    at: &At,
    case: CaseId,
    custody: &CaseCustody,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let office = &at.context.office;
    let offers: Vec<_> = custody.offers_out().map(|(offer, made)| standing(offer, made)).collect();
    let holder = custody.holder().map(|holder| holder.office.clone());
    for need in register::of_case(office, case, transaction.connection()).await? {
        let command = Command::Settle { offers: offers.clone(), holder: holder.clone() };
        if at.decide_need(need, command, transaction).await? {
            judge(desk, (office, need), &at.context, &at.metadata, transaction).await?;
        }
    }
    Ok(())
}

/// What other offices asked of this one, for its places and its waiting lists.
async fn follow_requests(
    desk: &Desk,
    at: &At,
    case: CaseId,
    custody: &CaseCustody,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let mut needs = BTreeSet::new();
    for (offer, known) in custody.offers_in() {
        let Some(terms) = &known.terms else { continue };
        needs.insert(terms.need);
        if known.state == OfferInState::Declined(DeclineReason::WaitingList) {
            let (from, since) = (known.from.office.clone(), at.context.now);
            let entry = Entry { case, from, urgency: terms.urgency, since };
            at.decide_list(terms.need, waiting_list::Command::Join { offer, entry }, transaction).await?;
        }
    }
    for (_, known) in custody.offers_in() {
        let helps = match known.state {
            OfferInState::Accepted | OfferInState::Agreed => true,
            OfferInState::Transferred => custody.holds(),
            _ => false,
        };
        if let (true, Some(terms)) = (helps, &known.terms) {
            let command = waiting_list::Command::LeaveAll { case, why: WaitingEnd::PlaceGiven };
            at.decide_list(terms.need, command, transaction).await?;
        }
    }
    for need in needs {
        recount(desk, &at.context.office, need, at.metadata.trace.as_ref(), transaction).await?;
    }
    Ok(())
}

/// An offer as its need sees it.
pub(crate) fn standing(offer: OfferId, made: &OfferOut) -> OfferStanding {
    let stands = match made.state {
        OfferOutState::Open => Stands::Open,
        OfferOutState::Agreed => Stands::Agreed,
        OfferOutState::Transferred => Stands::Transferred,
        OfferOutState::Declined(reason) => Stands::Declined { reason },
        OfferOutState::Withdrawn { reason, .. } => Stands::Withdrawn { reason },
        OfferOutState::Concluded(outcome) => Stands::Concluded { outcome },
        OfferOutState::Voided => Stands::Voided,
    };
    OfferStanding { offer, to: made.to.office.clone(), instead_of: made.terms.instead_of, stands }
}

fn read_line(at: OfficeId, case: &str, need: i32, urgency: i32) -> Result<Line, Unusable> {
    Ok(Line {
        at,
        case: case.parse().map_err(malformed)?,
        need: read_need("need", need).map_err(malformed)?,
        urgency: read_urgency("urgency", urgency).map_err(malformed)?,
    })
}
