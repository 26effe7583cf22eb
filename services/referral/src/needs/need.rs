//! One thing that somebody needs, at the office that answers for it: from the day it is known to the day it is met.
//!
//! Nobody is dropped: whatever becomes of an offer, the need is open again as long as nobody has met it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_custody::case::ServiceOutcome;
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{
    CaseId, Date, DeclineReason, Need, OfferId, OfficeId, PlaceCode, Sex, Timestamp, Urgency, WithdrawReason,
};

use super::codes::{Reach, RefusalReason, UnmetReason};
use rules::ended;

/// What is needed, by whom, and how soon. The same for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The case.
    pub case: CaseId,
    /// What is needed.
    pub need: Need,
    /// How soon.
    pub urgency: Urgency,
    /// How.
    pub preferences: Preferences,
    /// Where the person is, for the figures: the place that help should be near, else that of the office.
    pub place: PlaceCode,
    /// Since when it is known.
    pub known_since: Date,
}

/// How somebody wants to be helped. Wishes, not conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// The sex of who helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_sex: Option<Sex>,
    /// The language, as ISO 639.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Near this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<PlaceCode>,
    /// How far from there.
    #[serde(default)]
    pub reach: Reach,
}

/// An office that was asked to meet the need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The office.
    pub to: OfficeId,
    /// How its offer stands.
    pub stands: Stands,
}

/// How an offer stands, as its sender knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stands", rename_all = "snake_case")]
pub enum Stands {
    /// No answer yet.
    Open,
    /// The service is given.
    Agreed,
    /// The case itself went there.
    Transferred,
    /// The answer was no.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// Taken back.
    Withdrawn {
        /// Why.
        reason: WithdrawReason,
    },
    /// Void because of an override.
    Voided,
    /// The service has ended.
    Concluded {
        /// What came of it.
        outcome: ServiceOutcome,
    },
}

/// An offer of the case, as the custody of it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferStanding {
    /// The offer.
    pub offer: OfferId,
    /// Who was asked.
    pub to: OfficeId,
    /// The offer that it replaces.
    pub instead_of: Option<OfferId>,
    /// How it stands.
    pub stands: Stands,
}

/// A need as it goes to the office that holds the case from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// What is needed.
    pub described: Described,
    /// When it was first recorded.
    pub opened_at: Timestamp,
    /// Everybody who was asked.
    pub asked: BTreeMap<OfferId, Asked>,
    /// Whom the person refused.
    pub refused: BTreeSet<OfficeId>,
    /// The person does not want it.
    pub not_wanted: bool,
    /// How often it was handed over, this time included: a letter that says less is an old one.
    pub handovers: u32,
}

/// How a need ended, or left the office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was met.
    Met(ServiceOutcome),
    /// The person does not want it. Can be opened again.
    NotWanted,
    /// It was never a need.
    Mistaken,
    /// It went with the case.
    HandedOver(OfficeId),
}

/// A need, as one office knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseNeed {
    described: Option<Described>,
    opened_at: Option<Timestamp>,
    asked: BTreeMap<OfferId, Asked>,
    refused: BTreeSet<OfficeId>,
    unmet: Option<UnmetReason>,
    closed: Option<Closed>,
    handovers: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Record it.
    Open(Described),
    /// An offer is made to meet it.
    Ask {
        /// The case of the offer.
        case: CaseId,
        /// What the offer asks for.
        need: Need,
        /// The offer.
        offer: OfferId,
        /// The office.
        to: OfficeId,
    },
    /// The offers of the case stand so, and this office holds it: follow them.
    Settle {
        /// All offers of the case that this office made.
        offers: Vec<OfferStanding>,
        /// Who holds the case, as far as this office knows.
        holder: Option<OfficeId>,
    },
    /// The person does not want this provider, or the help at all.
    Refuse {
        /// The provider; none for the help at all.
        provider: Option<OfficeId>,
        /// Why.
        reasons: BTreeSet<RefusalReason>,
        /// When.
        refused_on: Date,
    },
    /// The person thought again.
    Reopen {
        /// About this provider; none: about the help.
        provider: Option<OfficeId>,
    },
    /// Nobody can meet it now.
    MarkUnmet {
        /// Why.
        reason: UnmetReason,
        /// When.
        on: Date,
    },
    /// It was met, outside the offers of the network.
    Meet {
        /// What came of it.
        outcome: ServiceOutcome,
        /// When.
        met_on: Date,
    },
    /// It was recorded by mistake.
    Withdraw,
    /// It came with the case.
    TakeOver {
        /// From there.
        from: OfficeId,
        /// As it is.
        told: Box<Handed>,
        /// Who holds the case, as far as this office knows.
        holder: Option<OfficeId>,
    },
    /// A service that was agreed on before the case came here has ended.
    HearEnd {
        /// The offer.
        offer: OfferId,
        /// What came of it; none when it was taken back or void.
        outcome: Option<ServiceOutcome>,
    },
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// It was recorded.
    Opened {
        /// What is needed.
        described: Described,
        /// When, by the node's clock.
        opened_at: Timestamp,
    },
    /// An office was asked.
    Asked {
        /// The offer.
        offer: OfferId,
        /// The office.
        to: OfficeId,
    },
    /// The office gives the service.
    Agreed {
        /// The offer.
        offer: OfferId,
        /// The office.
        to: OfficeId,
    },
    /// The offer came to nothing.
    CameBack {
        /// The offer.
        offer: OfferId,
        /// The office.
        to: OfficeId,
        /// How.
        how: Stands,
    },
    /// The service has ended.
    ServiceEnded {
        /// The offer.
        offer: OfferId,
        /// The office.
        to: OfficeId,
        /// What came of it.
        outcome: ServiceOutcome,
    },
    /// The person does not want this provider.
    ProviderRefused {
        /// The provider.
        provider: OfficeId,
        /// Why; none when only the provider said so.
        reasons: BTreeSet<RefusalReason>,
        /// When.
        refused_on: Date,
    },
    /// The person wants the provider after all.
    RefusalTakenBack {
        /// The provider.
        provider: OfficeId,
    },
    /// The person does not want the help.
    NotWanted {
        /// Why.
        reasons: BTreeSet<RefusalReason>,
        /// When.
        refused_on: Date,
    },
    /// The person wants the help after all.
    Reopened,
    /// Nobody can meet it now.
    FoundUnmet {
        /// Why.
        reason: UnmetReason,
        /// When.
        on: Date,
    },
    /// It was met.
    Met {
        /// What came of it.
        outcome: ServiceOutcome,
        /// When.
        met_on: Date,
    },
    /// It was never a need.
    WithdrawnAsMistaken,
    /// It went with the case.
    HandedOver {
        /// To whom.
        to: OfficeId,
        /// As it is.
        told: Box<Handed>,
    },
    /// It came with the case.
    TakenOver {
        /// From whom.
        from: OfficeId,
        /// As it was.
        told: Box<Handed>,
    },
    /// A service that was agreed on before the case moved on has ended: its new holder is told.
    EndPassedOn {
        /// Who is told.
        to: OfficeId,
        /// The case.
        case: CaseId,
        /// The offer.
        offer: OfferId,
        /// What came of it; none when it was taken back or void.
        outcome: Option<ServiceOutcome>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// There is none.
    #[error("this office knows no such need")]
    NoSuchNeed,
    /// Another one has this id.
    #[error("another need already has this id")]
    NeedIdTaken,
    /// The offer is of another case.
    #[error("the need belongs to another case")]
    AnotherCase,
    /// The offer asks for something else.
    #[error("the offer asks for something else than what is needed")]
    AnotherNeed,
    /// The person does not want to go there.
    #[error("the person refused this provider; it is asked again only when the person thinks again")]
    RefusedByPerson,
    /// An office gives the service already.
    #[error("the service is being given already")]
    AlreadyServed,
    /// It was met.
    #[error("the need was already met")]
    AlreadyMet,
    /// The person does not want it.
    #[error("the person does not want this help; open the need again when the person thinks again")]
    NotWanted,
    /// It was a mistake.
    #[error("the need was recorded by mistake and withdrawn")]
    RecordedByMistake,
    /// It went with the case.
    #[error("the need went with the case to another office")]
    WentWithTheCase,
    /// Somebody is still asked.
    #[error("an offer for this need is still open, or the service is being given; take it back first")]
    OfferStillOpen,
    /// A refusal without a reason.
    #[error("at least one reason is needed, also when it is that none was given")]
    NoReasonGiven,
    /// Not an outcome by which a need is met.
    #[error("only what was given, wholly or in part, meets a need")]
    NothingWasGiven,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchNeed => Fault::NotThere,
            Self::AnotherCase | Self::AnotherNeed => Fault::Field("need_id"),
            Self::NoReasonGiven => Fault::Field("reasons"),
            Self::NothingWasGiven => Fault::Field("outcome"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for CaseNeed {
    const CATEGORY: &'static str = "need";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Open(described) => self.open(described, context.now),
            Command::TakeOver { from, told, holder } => Ok(self.take_over(from, told, holder.as_ref(), context)),
            Command::Settle { offers, holder } => Ok(self.settle(&offers, holder.as_ref(), context)),
            Command::HearEnd { offer, outcome } => Ok(self.hear_end(offer, outcome, context)),
            Command::Ask { case, need, offer, to } => self.ask(case, need, offer, to),
            Command::Refuse { provider, reasons, refused_on } => self.refuse(provider, reasons, refused_on),
            Command::Reopen { provider } => self.reopen(provider),
            Command::MarkUnmet { reason, on } => self.mark_unmet(reason, on),
            Command::Meet { outcome, met_on } => self.meet(outcome, met_on),
            Command::Withdraw => self.withdraw(),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { described, opened_at } => {
                self.described = Some(described.clone());
                self.opened_at = Some(*opened_at);
            }
            Event::Asked { offer, to } => {
                self.asked.insert(*offer, Asked { to: to.clone(), stands: Stands::Open });
                self.unmet = None;
            }
            Event::Agreed { offer, .. } => self.stand(*offer, Stands::Agreed),
            Event::CameBack { offer, how, .. } => self.stand(*offer, *how),
            Event::ServiceEnded { offer, outcome, .. } => self.stand(*offer, Stands::Concluded { outcome: *outcome }),
            Event::EndPassedOn { offer, outcome, .. } => self.stand(*offer, ended(*outcome)),
            Event::ProviderRefused { provider, .. } => {
                self.refused.insert(provider.clone());
            }
            Event::RefusalTakenBack { provider } => {
                self.refused.remove(provider);
            }
            Event::NotWanted { .. } => (self.closed, self.unmet) = (Some(Closed::NotWanted), None),
            Event::Reopened => self.closed = None,
            Event::FoundUnmet { reason, .. } => self.unmet = Some(*reason),
            Event::Met { outcome, .. } => (self.closed, self.unmet) = (Some(Closed::Met(*outcome)), None),
            Event::WithdrawnAsMistaken => (self.closed, self.unmet) = (Some(Closed::Mistaken), None),
            Event::HandedOver { to, told } => {
                self.handovers = told.handovers;
                self.asked = told.asked.clone();
                (self.closed, self.unmet) = (Some(Closed::HandedOver(to.clone())), None);
            }
            Event::TakenOver { told, .. } => {
                self.described = Some(told.described.clone());
                self.opened_at = Some(told.opened_at);
                self.asked.extend(told.asked.iter().map(|(offer, asked)| (*offer, asked.clone())));
                self.refused.clone_from(&told.refused);
                self.handovers = told.handovers;
                self.closed = told.not_wanted.then_some(Closed::NotWanted);
                self.unmet = None;
            }
        }
        self
    }
}

/// What others may read of it.
impl CaseNeed {
    /// What is needed; none when there is no such need.
    pub const fn described(&self) -> Option<&Described> {
        self.described.as_ref()
    }

    /// Everybody who was asked.
    pub const fn asked(&self) -> &BTreeMap<OfferId, Asked> {
        &self.asked
    }

    /// Whom the person refused.
    pub const fn refused(&self) -> &BTreeSet<OfficeId> {
        &self.refused
    }

    /// Whether nobody is asked, nobody gives the service, and it has not ended.
    pub fn waits_for_somebody(&self) -> bool {
        self.described.is_some() && self.closed.is_none() && self.lives().next().is_none()
    }

    /// Whether this office answers for it, and it has not ended.
    pub const fn is_ours_to_meet(&self) -> bool {
        self.described.is_some() && self.closed.is_none()
    }

    /// Whether the person does not want the help.
    pub fn is_not_wanted(&self) -> bool {
        self.closed == Some(Closed::NotWanted)
    }

    /// The offers that are open, or by which the service is given.
    pub fn lives(&self) -> impl Iterator<Item = (OfferId, &Asked)> {
        let living = |asked: &Asked| matches!(asked.stands, Stands::Open | Stands::Agreed);
        self.asked.iter().filter(move |(_, asked)| living(asked)).map(|(offer, asked)| (*offer, asked))
    }
}

mod rules;
#[cfg(test)]
mod specifications;
