//! One person's arrival at a transit centre, from the border to the door: what was found, how many nights, who took
//! over. Nobody leaves unaccounted for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_chassis::person::Codes;
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{
    CaseId, CaseNumber, Date, Need, OfferId, OfferKind, OfficeId, PersonId, RepatriationRequestId, StaffId,
};

use crate::words::{AdultFunction, AuthorityKind, BedGroup, OverCapacityReason, ServedBy};

mod rules;

/// One arrival.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    registered: Option<Registered>,
    case_number: Option<CaseNumber>,
    found: Option<Found>,
    nights: BTreeSet<Date>,
    /// Every acceptance and every return that was heard of, so that old news changes nothing.
    heard: BTreeSet<OfferId>,
    accepted_by: Option<OfficeId>,
    /// How each offer ended that was heard of.
    answers: BTreeMap<OfferId, OfferEnd>,
    served: BTreeMap<Need, Served>,
    bed: Option<BedGroup>,
    same_as: BTreeSet<CaseId>,
    departed: Option<Departure>,
}

#[derive(Clone, Debug, PartialEq)]
struct Registered {
    office: OfficeId,
    circumstances: Circumstances,
    codes: Codes,
    needs: BTreeSet<Need>,
}

#[derive(Clone, Debug, PartialEq)]
struct Found {
    needs: BTreeSet<Need>,
    urgent: bool,
    urgent_needs: BTreeSet<Need>,
    adult: Option<ResponsibleAdult>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Served {
    on: Date,
    by: ServedBy,
}

#[derive(Clone, Debug, PartialEq)]
struct Departure {
    kind: DepartureKind,
    on: Date,
    to: Option<OfficeId>,
}

/// How and when somebody came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// How.
    pub route: Route,
    /// The country come from, as ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_country: Option<String>,
    /// The authority that handed the person over, as it was written before there was a list. Never written any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_by: Option<String>,
    /// The authority that handed the person over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// The day.
    pub arrived_on: Date,
}

/// An authority, by its kind and the number of its post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its kind.
    pub kind: AuthorityKind,
    /// The number of its post or station: capital letters, digits and hyphens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
}

/// A responsible adult, by function and never by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponsibleAdult {
    /// In what function.
    pub function: AdultFunction,
    /// The staff number, when they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
}

/// The request by which somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByRequest {
    /// The request.
    pub request: RepatriationRequestId,
    /// The person of the request.
    pub person: PersonId,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OfferEnd {
    /// The office said yes.
    Accepted,
    /// It said no.
    Declined,
    /// It was taken back.
    Withdrawn,
    /// Nobody answered in time, and it went to a higher office.
    Escalated,
    /// The authority ended it.
    Voided,
    /// The service that was asked for has ended.
    Concluded,
}

/// How somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Route {
    /// By a request from country to country.
    Repatriation,
    /// Sent back without any request.
    Deportation,
    /// Alone.
    Alone,
}

/// How somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DepartureKind {
    /// To the office that accepted the person's referral.
    HandedOver,
    /// Of their own will.
    OwnWill,
    /// Gone, and nobody knows where. Not the last word: who is found may be handed over, or leave.
    Missing,
}

/// What may be asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold, each explained in the vocabulary")]
pub enum Command {
    /// Write down that somebody came; the needs are those that the list of the handing authority names.
    Register {
        person: PersonId,
        circumstances: Circumstances,
        codes: Codes,
        needs: BTreeSet<Need>,
        by_request: Option<ByRequest>,
    },
    /// Note the number of the case that was opened.
    NoteCase { case_number: CaseNumber },
    /// Write down what the identification interview found, whole.
    RecordNeeds { needs: BTreeSet<Need>, urgent: bool, urgent_needs: BTreeSet<Need>, adult: Option<ResponsibleAdult> },
    /// Write down that a need was served.
    RecordNeedServed { need: Need, on: Date, by: ServedBy },
    /// Give a bed. `has_room`: one of that kind is free.
    AssignBed { group: BedGroup, from_night: Date, has_room: bool, over_capacity: Option<OverCapacityReason> },
    /// Write down that an earlier case is of the same person. `is_known`: there is such a case here.
    ConfirmSamePerson { arrival: CaseId, other: CaseId, is_known: bool, on: Date },
    /// Write down a night, by its evening.
    RecordStay { night_of: Date },
    /// Note that an office has taken the case over.
    NoteAcceptance { offer: Option<OfferId>, office: OfficeId },
    /// Note that the case came back to the centre.
    NoteReturn { offer: OfferId },
    /// Note how an offer ended.
    NoteAnswer { offer: OfferId, office: OfficeId, kind: OfferKind, need: Option<Need>, end: OfferEnd },
    /// Write down that the person left; to whom, when the caller says it.
    RecordDeparture { kind: DepartureKind, on: Date, to: Option<OfficeId> },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// Somebody came.
    Registered {
        person: PersonId,
        office: OfficeId,
        circumstances: Circumstances,
        codes: Codes,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        needs: BTreeSet<Need>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_request: Option<ByRequest>,
    },
    /// The case was opened.
    CaseOpened { case_number: CaseNumber },
    /// The interview found this. Who was present stands in `adult`; in the words of `responsible_adult` it was written
    /// before there was a list. Urgent without `urgent_needs`: all of them.
    NeedsRecorded {
        needs: BTreeSet<Need>,
        urgent: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        responsible_adult: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        urgent_needs: BTreeSet<Need>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        adult: Option<ResponsibleAdult>,
    },
    /// A need was served.
    NeedServed { need: Need, on: Date, by: ServedBy },
    /// A bed was given; why, when the house was full.
    BedAssigned {
        group: BedGroup,
        from_night: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over_capacity: Option<OverCapacityReason>,
    },
    /// An earlier case is of the same person.
    SamePersonConfirmed { other: CaseId, on: Date },
    /// A night here; whether it was the first that was written down.
    Stayed {
        night_of: Date,
        #[serde(default, skip_serializing_if = "is_no")]
        first: bool,
    },
    /// Somebody who was missing is here again.
    FoundAgain { on: Date },
    /// An offer ended.
    OfferEnded {
        offer: OfferId,
        office: OfficeId,
        kind: OfferKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        need: Option<Need>,
        end: OfferEnd,
    },
    /// An office has taken the case over.
    Accepted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        office: OfficeId,
    },
    /// The case came back to the centre: nobody else answers for the person any more.
    TakenBack { offer: OfferId },
    /// The person left; to which office, when handed over.
    Departed {
        kind: DepartureKind,
        on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<OfficeId>,
        /// Whether a night here is on record.
        #[serde(default, skip_serializing_if = "is_no")]
        stayed: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_no(value: &bool) -> bool {
    !value
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nobody with this id arrived at this office.
    #[error("there is no such arrival")]
    NoSuchArrival,
    /// The id is taken.
    #[error("an arrival or a case with this id exists with other particulars")]
    ArrivalIdTaken,
    /// A child is not interviewed alone.
    #[error("the interview of a child, or of somebody of unknown age, needs a responsible adult, named by function")]
    ResponsibleAdultNeeded,
    /// The night came too early.
    #[error("a night cannot begin before the day of arrival")]
    NightBeforeArrival,
    /// The night came too late.
    #[error("a night cannot begin on or after the day of departure")]
    NightAfterDeparture,
    /// The day of departure is too early.
    #[error("nobody leaves before the day of arrival")]
    DepartedBeforeArrival,
    /// A night is on record that began that day or later.
    #[error("a night is on record that began on that day or later")]
    NightOnRecord,
    /// Nobody else answers for the person.
    #[error("the person cannot be handed over: no office has accepted the referral yet")]
    NobodyHasAccepted,
    /// Another departure is on record.
    #[error("another departure is on record")]
    AlreadyDeparted,
    /// Another office accepted.
    #[error("the person can only be handed over to the office that accepted the referral")]
    NotTheAcceptingOffice,
    /// What cannot wait is not among the needs.
    #[error("a need that cannot wait must be one of the needs")]
    UrgentNeedNotFound,
    /// Nobody found this need.
    #[error("the interview did not find this need")]
    NeedNotFound,
    /// It was served otherwise.
    #[error("the need was served before, on another day or by others")]
    AlreadyServed,
    /// The day is too early.
    #[error("a need cannot be served before the day of arrival")]
    ServedBeforeArrival,
    /// All beds are taken.
    #[error("no bed of this kind is free: choose another kind, or say why the person is taken in all the same")]
    HouseFull,
    /// The bed is for others.
    #[error("this kind of bed is not for a person of this sex or age")]
    BedNotForThem,
    /// There is no such case.
    #[error("there is no such case here")]
    NoSuchCase,
    /// A case is not its own double.
    #[error("an arrival cannot be linked with itself")]
    LinkedWithItself,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchArrival => Fault::NotThere,
            Self::ResponsibleAdultNeeded => Fault::Field("adult"),
            Self::NightBeforeArrival | Self::NightAfterDeparture => Fault::Field("night_of"),
            Self::DepartedBeforeArrival | Self::NightOnRecord => Fault::Field("departed_on"),
            Self::UrgentNeedNotFound => Fault::Field("urgent_needs"),
            Self::ServedBeforeArrival => Fault::Field("served_on"),
            Self::LinkedWithItself | Self::NoSuchCase => Fault::Field("other_case_id"),
            Self::ArrivalIdTaken
            | Self::NobodyHasAccepted
            | Self::AlreadyDeparted
            | Self::NotTheAcceptingOffice
            | Self::NeedNotFound
            | Self::AlreadyServed
            | Self::HouseFull
            | Self::BedNotForThem => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Arrival {
    const CATEGORY: &'static str = "arrival";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Register { person, circumstances, codes, needs, by_request } => {
                let office = context.office.clone();
                self.register(person, by_request, Registered { office, circumstances, codes, needs })
            }
            Command::NoteCase { case_number } => {
                self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
                Ok(if self.case_number.is_some() { vec![] } else { vec![Event::CaseOpened { case_number }] })
            }
            Command::RecordNeeds { needs, urgent, urgent_needs, adult } => {
                self.record_needs(Found { needs, urgent, urgent_needs, adult }, context)
            }
            Command::RecordNeedServed { need, on, by } => self.record_served(need, Served { on, by }, context),
            Command::AssignBed { group, from_night, has_room, over_capacity } => {
                self.assign_bed(group, from_night, has_room, over_capacity, context)
            }
            Command::ConfirmSamePerson { arrival, other, is_known, on } => {
                self.confirm_same(arrival, other, is_known, on, context)
            }
            Command::NoteAnswer { offer, office, kind, need, end } => {
                self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
                let known = self.answers.get(&offer) == Some(&end);
                Ok(if known { vec![] } else { vec![Event::OfferEnded { offer, office, kind, need, end }] })
            }
            Command::RecordStay { night_of } => self.record_stay(night_of, context),
            Command::NoteAcceptance { offer, office } => self.note_acceptance(offer, office),
            Command::NoteReturn { offer } => {
                self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
                let news = self.accepted_by.is_some() && !self.heard.contains(&offer);
                Ok(if news { vec![Event::TakenBack { offer }] } else { vec![] })
            }
            Command::RecordDeparture { kind, on, to } => self.record_departure(kind, on, to.as_ref(), context),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Registered { office, circumstances, codes, needs, .. } => {
                self.registered = Some(Registered { office, circumstances, codes, needs });
            }
            Event::CaseOpened { case_number } => self.case_number = Some(case_number),
            Event::NeedsRecorded { needs, urgent, urgent_needs, adult, responsible_adult } => {
                // Whoever was written down in words was there, in a function that no list had yet.
                let other = ResponsibleAdult { function: AdultFunction::Other, staff: None };
                let adult = adult.or(responsible_adult.map(|_| other));
                self.found = Some(Found { needs, urgent, urgent_needs, adult });
            }
            Event::NeedServed { need, on, by } => {
                self.served.insert(need, Served { on, by });
            }
            Event::BedAssigned { group, .. } => self.bed = Some(group),
            Event::SamePersonConfirmed { other, .. } => {
                self.same_as.insert(other);
            }
            Event::OfferEnded { offer, end, .. } => {
                self.answers.insert(offer, end);
            }
            Event::FoundAgain { .. } => self.departed = None,
            Event::Stayed { night_of, .. } => {
                self.nights.insert(night_of);
            }
            Event::Accepted { offer, office } => {
                self.heard.extend(offer);
                self.accepted_by = Some(office);
            }
            Event::TakenBack { offer } => {
                self.heard.insert(offer);
                self.accepted_by = None;
            }
            Event::Departed { kind, on, to, .. } => {
                self.departed = Some(Departure { kind, on, to });
                self.bed = None;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
