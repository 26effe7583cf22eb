//! Many at once: all or none, or each for itself, with a verdict for every one.
//!
//! A request is held in memory once, decided in one transaction of the log, and answered when that is committed: after a
//! power cut it is done as a whole or not at all, and asking again is harmless, because every offer has an id of its own.

use std::collections::BTreeSet;

use spean_chassis::{Call, field, status};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{CaseCustody, Command, Error};
use spean_eventsourcing::Aggregate as _;
use spean_eventstore::{HandleError, Metadata, TransactError};
use spean_vocabulary::{CaseId, OfferId, OfficeId};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::asked::{Asked, Offering};
use super::offers::{consent_missing, known_already, not_to_oneself};
use super::{Answered, Grpc, read};
use crate::desk::stream;
use crate::needs::offers::Along;
use crate::routing::Route;
use crate::{needs, subject, worklist};

/// Most things that are done together.
pub(super) const MOST: usize = 200;

/// Why a sound one of all or none is not done.
const ANOTHER_WAS_REFUSED: &str = "ANOTHER_WAS_REFUSED";

/// One of many: what it is about, and what came of it so far.
pub(super) struct Item {
    offer: String,
    /// The case, once it is clear that the caller may know of it.
    case: Option<CaseId>,
    state: State,
}

pub(super) enum State {
    /// Nothing is left to do.
    Done(wire::OfferReferralResponse),
    /// It cannot be done.
    Refused(Status),
    /// The rules allow it, as things stand.
    ToDo(Box<ToDo>),
}

pub(super) struct ToDo {
    office: OfficeId,
    case: CaseId,
    what: What,
}

enum What {
    Offer(Offering),
    Answer(Command),
}

/// What the transaction found.
enum Undone {
    /// All or none: none. What was said of each.
    Refused(Vec<Option<Status>>),
    /// The log failed.
    Failed(HandleError<Error>),
}

/// Whether a missing consent stops an offer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// It does.
    Needed,
    /// It only keeps the dossier back.
    ForTheDossierOnly,
}

impl Grpc {
    pub(super) async fn offer_many(
        &self,
        call: &Call,
        request: wire::OfferManyRequest,
    ) -> Result<wire::OfferManyResponse, Status> {
        let all = read::all_or_none(request.mode)?;
        field::at_most("offers", &request.offers, MOST)?;
        let read = |(index, offer)| self.asked(call, &format!("offers[{index}]."), offer);
        let asked: Vec<_> = request.offers.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        self.begin(call).await?;
        let statuses = self.statuses().await?;
        let office = call.office()?;
        let mut items = Vec::with_capacity(asked.len());
        for (index, asked) in asked.iter().enumerate() {
            let route = self.route(&asked.to, &format!("offers[{index}]."), &statuses, call);
            let item = async { self.offering(call, office, asked, route?, Consent::Needed).await };
            items.push(Item::of(asked, item.await));
        }
        let (all_done, verdicts) = self.decide_many(call, items, all).await?;
        Ok(wire::OfferManyResponse { all_done, verdicts })
    }

    pub(super) async fn accept_many(
        &self,
        call: &Call,
        request: wire::AcceptManyRequest,
    ) -> Result<wire::AcceptManyResponse, Status> {
        let all = read::all_or_none(request.mode)?;
        field::at_most("offer_ids", &request.offer_ids, MOST)?;
        for (index, offer) in request.offer_ids.iter().enumerate() {
            field::parse::<OfferId>(&format!("offer_ids[{index}]"), offer)?;
        }
        self.begin(call).await?;
        let mut items = Vec::with_capacity(request.offer_ids.len());
        for offer in &request.offer_ids {
            items.push(self.answer(call, offer, |offer| Command::Accept { offer }).await);
        }
        let (all_done, verdicts) = self.decide_many(call, items, all).await?;
        Ok(wire::AcceptManyResponse { all_done, verdicts })
    }

    pub(super) async fn decline_many(
        &self,
        call: &Call,
        request: wire::DeclineManyRequest,
    ) -> Result<wire::DeclineManyResponse, Status> {
        let all = read::all_or_none(request.mode)?;
        field::at_most("offers", &request.offers, MOST)?;
        let mut reasons = Vec::with_capacity(request.offers.len());
        for (index, offer) in request.offers.iter().enumerate() {
            field::parse::<OfferId>(&format!("offers[{index}].offer_id"), &offer.offer_id)?;
            reasons.push(read::decline_reason(&format!("offers[{index}].reason"), offer.reason)?);
        }
        self.begin(call).await?;
        let mut items = Vec::with_capacity(request.offers.len());
        for (offer, reason) in request.offers.iter().zip(reasons) {
            items.push(self.answer(call, &offer.offer_id, |offer| Command::Decline { offer, reason }).await);
        }
        let (all_done, verdicts) = self.decide_many(call, items, all).await?;
        Ok(wire::DeclineManyResponse { all_done, verdicts })
    }

    /// Before anything is looked up: whether the node may decide, and whether this command id was another request's.
    pub(super) async fn begin(&self, call: &Call) -> Result<(), Status> {
        self.refuse_while_recovering()?;
        let metadata = call.metadata()?;
        let seen =
            self.store.transact(move |transaction| Box::pin(async move { transaction.seen::<Error>(&metadata).await }));
        seen.await.map(drop).map_err(|error| match error {
            TransactError::Work(error) => status::handled(error),
            TransactError::Store(error) => status::store(&error),
        })
    }

    /// An offer of many, made ready: nothing of it is stored yet, and no dossier sealed.
    pub(super) async fn offering(
        &self,
        call: &Call,
        office: &OfficeId,
        asked: &Asked,
        route: Route,
        consent: Consent,
    ) -> Result<State, Status> {
        let standing = self.standing(office, asked.case).await?;
        self.desk.node.gate.permit(call, "case", standing)?;
        let reader = || self.store.reader();
        if let Some(known) = worklist::find(office, asked.offer, reader()).await.map_err(status::query)? {
            return known_already(&known, asked).map(State::Done);
        }
        let subject = subject::find(asked.case, reader()).await.map_err(status::query)?;
        let subject = subject.ok_or_else(|| status::not_found("case"))?;
        not_to_oneself(office, &route)?;
        let permission =
            subject::permission(asked.case, &route.to, asked.need, reader()).await.map_err(status::query)?;
        if permission.is_none() && consent == Consent::Needed {
            return Err(consent_missing(&route));
        }
        let offering = asked.offering(&self.desk, &route, subject, permission)?;
        self.allowed(call, office, asked.case, offering.command()).await?;
        Ok(State::ToDo(Box::new(ToDo { office: office.clone(), case: asked.case, what: What::Offer(offering) })))
    }

    async fn answer(&self, call: &Call, offer: &str, command: impl FnOnce(OfferId) -> Command) -> Item {
        let answered = match self.to_answer(call, "offer_id", offer).await {
            Ok(answered) => answered,
            Err(refused) => return Item { offer: offer.to_owned(), case: None, state: State::Refused(refused) },
        };
        let Answered { office, offer: id, case, .. } = answered;
        let command = command(id);
        let allowed = self.allowed(call, &office, case, command.clone()).await;
        let to_do = |()| State::ToDo(Box::new(ToDo { office, case, what: What::Answer(command) }));
        let state = allowed.map_or_else(State::Refused, to_do);
        Item { offer: id.to_string(), case: Some(case), state }
    }

    /// Asks the rules without doing anything.
    async fn allowed(&self, call: &Call, office: &OfficeId, case: CaseId, command: Command) -> Result<(), Status> {
        let custody = self.store.load::<CaseCustody>(&stream(office, case)).await;
        let custody = custody.map_err(|error| status::store(&error))?.state;
        let decided = custody.decide(command, &self.situation(call, office)?);
        decided.map(drop).map_err(|error| status::refused(&error))
    }

    /// Does what can be done, in one transaction.
    pub(super) async fn decide_many(
        &self,
        call: &Call,
        mut items: Vec<Item>,
        all: bool,
    ) -> Result<(bool, Vec<wire::Verdict>), Status> {
        refuse_repetitions(&mut items);
        if all && items.iter().any(|item| matches!(item.state, State::Refused(_))) {
            return Ok(verdicts(items, true));
        }
        let mut commands = Vec::new();
        for item in &items {
            let State::ToDo(to_do) = &item.state else { continue };
            let ToDo { office, case, what } = &**to_do;
            let (command, along) = match what {
                What::Offer(offering) => (self.sealed(call, office, offering).await?, offering.along()),
                What::Answer(command) => (command.clone(), Along::default()),
            };
            let metadata = Metadata { office: office.clone(), ..call.metadata()? };
            commands.push((office.clone(), *case, command, along, self.situation(call, office)?, metadata));
        }
        let prepared: Vec<Command> = commands.iter().map(|(_, _, command, ..)| command.clone()).collect();
        let decided = self.store.transact(move |transaction| {
            Box::pin(async move {
                let mut refused = Vec::with_capacity(commands.len());
                for (office, case, command, along, situation, metadata) in commands {
                    let place = (&office, case);
                    match needs::offers::decide(place, command, &along, &situation, &metadata, transaction).await {
                        Ok(()) => refused.push(None),
                        Err(needs::offers::Undone::Refused(status)) => refused.push(Some(status)),
                        Err(needs::offers::Undone::Failed(error)) => return Err(Undone::Failed(error)),
                    }
                }
                if all && refused.iter().any(Option::is_some) { Err(Undone::Refused(refused)) } else { Ok(refused) }
            })
        });
        let (refused, undone) = match decided.await {
            Ok(refused) => (refused, false),
            Err(TransactError::Work(Undone::Refused(refused))) => (refused, true),
            Err(TransactError::Work(Undone::Failed(error))) => return Err(status::handled(error)),
            Err(TransactError::Store(error)) => return Err(status::store(&error)),
        };
        for (command, refused) in prepared.iter().zip(&refused) {
            if undone || refused.is_some() {
                self.discard(command).await;
            }
        }
        let to_do = items.iter_mut().filter(|item| matches!(item.state, State::ToDo(_)));
        for (item, refused) in to_do.zip(refused) {
            match refused {
                Some(refused) => item.state = State::Refused(refused),
                None if undone => {}
                None => item.state = State::Done(item.response()),
            }
        }
        Ok(verdicts(items, undone))
    }
}

impl State {
    /// Whether it was done before.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl Item {
    /// One of many offers.
    pub(super) fn of(asked: &Asked, state: Result<State, Status>) -> Self {
        let hidden = matches!(&state, Err(status) if status.code() == tonic::Code::NotFound);
        let case = (!hidden).then_some(asked.case);
        Self { offer: asked.offer.to_string(), case, state: state.unwrap_or_else(State::Refused) }
    }

    fn response(&self) -> wire::OfferReferralResponse {
        match &self.state {
            State::ToDo(to_do) => match &to_do.what {
                What::Offer(offering) => offering.response(),
                What::Answer(_) => wire::OfferReferralResponse::default(),
            },
            State::Done(response) => response.clone(),
            State::Refused(_) => wire::OfferReferralResponse::default(),
        }
    }
}

/// The same offer twice in one request: the second is refused, since the two may differ.
fn refuse_repetitions(items: &mut [Item]) {
    let mut seen = BTreeSet::new();
    for item in items {
        if !seen.insert(item.offer.clone()) {
            let refused = status::forbidden("TWICE_IN_THE_REQUEST", "this offer stands in the request twice");
            item.state = State::Refused(refused);
        }
    }
}

fn verdicts(items: Vec<Item>, undone: bool) -> (bool, Vec<wire::Verdict>) {
    let verdicts: Vec<_> = items.into_iter().map(|item| verdict(item, undone)).collect();
    (verdicts.iter().all(|verdict| verdict.done), verdicts)
}

fn verdict(item: Item, undone: bool) -> wire::Verdict {
    let case_id = item.case.map(|case| case.to_string()).unwrap_or_default();
    let told = wire::Verdict { offer_id: item.offer, case_id, ..wire::Verdict::default() };
    match item.state {
        State::Done(response) => wire::Verdict {
            done: true,
            to_office_id: response.to_office_id,
            redirected_because: response.redirected_because,
            answer_due_at: response.answer_due_at,
            ..told
        },
        State::Refused(refused) => {
            let reason = refused.get_details_error_info().map(|info| info.reason).unwrap_or_default();
            wire::Verdict { reason, message: refused.message().to_owned(), ..told }
        }
        State::ToDo(_) => {
            debug_assert!(undone, "what was to be done was decided");
            let message = "it could be done, and is not because another of the request could not".to_owned();
            wire::Verdict { reason: ANOTHER_WAS_REFUSED.to_owned(), message, ..told }
        }
    }
}
