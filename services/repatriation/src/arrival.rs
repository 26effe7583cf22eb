//! One person's arrival at a transit centre, from the border to the door: what was found, how many nights, who took
//! over. Nobody leaves unaccounted for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_chassis::person::Codes;
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseNumber, Date, Need, OfferId, OfficeId, PersonId};

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
    responsible_adult: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Departure {
    kind: DepartureKind,
    on: Date,
}

/// How and when somebody came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// How.
    pub route: Route,
    /// The country come from, as ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_country: Option<String>,
    /// The authority that handed the person over; no names of officers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_by: Option<String>,
    /// The day.
    pub arrived_on: Date,
}

/// How somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
}

/// What may be asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold, each explained in the vocabulary")]
pub enum Command {
    /// Write down that somebody came; the needs are those that the list of the handing authority names.
    Register { person: PersonId, circumstances: Circumstances, codes: Codes, needs: BTreeSet<Need> },
    /// Note the number of the case that was opened.
    NoteCase { case_number: CaseNumber },
    /// Write down what the identification interview found, whole.
    RecordNeeds { needs: BTreeSet<Need>, urgent: bool, responsible_adult: Option<String> },
    /// Write down a night, by its evening.
    RecordStay { night_of: Date },
    /// Note that an office has taken the case over.
    NoteAcceptance { offer: Option<OfferId>, office: OfficeId },
    /// Note that the case came back to the centre.
    NoteReturn { offer: OfferId },
    /// Write down that the person left.
    RecordDeparture { kind: DepartureKind, on: Date },
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
    },
    /// The case was opened.
    CaseOpened { case_number: CaseNumber },
    /// The interview found this.
    NeedsRecorded {
        needs: BTreeSet<Need>,
        urgent: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        responsible_adult: Option<String>,
    },
    /// A night here.
    Stayed { night_of: Date },
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
    },
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
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchArrival => Fault::NotThere,
            Self::ResponsibleAdultNeeded => Fault::Field("responsible_adult"),
            Self::NightBeforeArrival | Self::NightAfterDeparture => Fault::Field("night_of"),
            Self::DepartedBeforeArrival | Self::NightOnRecord => Fault::Field("departed_on"),
            Self::ArrivalIdTaken | Self::NobodyHasAccepted | Self::AlreadyDeparted => Fault::ForbiddenNow,
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
            Command::Register { person, circumstances, codes, needs } => {
                let office = context.office.clone();
                self.register(person, Registered { office, circumstances, codes, needs })
            }
            Command::NoteCase { case_number } => {
                self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
                Ok(if self.case_number.is_some() { vec![] } else { vec![Event::CaseOpened { case_number }] })
            }
            Command::RecordNeeds { needs, urgent, responsible_adult } => {
                self.record_needs(Found { needs, urgent, responsible_adult }, context)
            }
            Command::RecordStay { night_of } => self.record_stay(night_of, context),
            Command::NoteAcceptance { offer, office } => self.note_acceptance(offer, office),
            Command::NoteReturn { offer } => {
                self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
                let news = self.accepted_by.is_some() && !self.heard.contains(&offer);
                Ok(if news { vec![Event::TakenBack { offer }] } else { vec![] })
            }
            Command::RecordDeparture { kind, on } => self.record_departure(kind, on, context),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Registered { office, circumstances, codes, needs, .. } => {
                self.registered = Some(Registered { office, circumstances, codes, needs });
            }
            Event::CaseOpened { case_number } => self.case_number = Some(case_number),
            Event::NeedsRecorded { needs, urgent, responsible_adult } => {
                self.found = Some(Found { needs, urgent, responsible_adult });
            }
            Event::Stayed { night_of } => {
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
            Event::Departed { kind, on, .. } => self.departed = Some(Departure { kind, on }),
        }
        self
    }
}

impl Arrival {
    /// Whether somebody was registered under this id.
    pub fn exists(&self) -> bool {
        self.registered.is_some()
    }

    /// The day of arrival on record.
    pub fn arrived_on(&self) -> Option<Date> {
        self.registered.as_ref().map(|registered| registered.circumstances.arrived_on)
    }

    /// Other offices of the same node hear that there is no such arrival.
    fn at_office(&self, context: &Context) -> Result<&Registered, Error> {
        let registered = self.registered.as_ref().filter(|registered| registered.office == context.office);
        registered.ok_or(Error::NoSuchArrival)
    }

    fn register(&self, person: PersonId, asked: Registered) -> Result<Vec<Event>, Error> {
        match &self.registered {
            None => {
                let Registered { office, circumstances, codes, needs } = asked;
                Ok(vec![Event::Registered { person, office, circumstances, codes, needs }])
            }
            Some(known) if *known == asked => Ok(vec![]),
            Some(_) => Err(Error::ArrivalIdTaken),
        }
    }

    fn record_needs(&self, found: Found, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        if registered.codes.age_band.is_child() && found.responsible_adult.is_none() {
            return Err(Error::ResponsibleAdultNeeded);
        }
        if self.found.as_ref() == Some(&found) {
            return Ok(vec![]);
        }
        let Found { needs, urgent, responsible_adult } = found;
        Ok(vec![Event::NeedsRecorded { needs, urgent, responsible_adult }])
    }

    fn record_stay(&self, night_of: Date, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        if self.nights.contains(&night_of) {
            return Ok(vec![]);
        }
        if night_of < registered.circumstances.arrived_on {
            return Err(Error::NightBeforeArrival);
        }
        // A night that was forgotten may still be written down after the departure.
        if self.departed.as_ref().is_some_and(|departed| night_of >= departed.on) {
            return Err(Error::NightAfterDeparture);
        }
        Ok(vec![Event::Stayed { night_of }])
    }

    fn note_acceptance(&self, offer: Option<OfferId>, office: OfficeId) -> Result<Vec<Event>, Error> {
        self.registered.as_ref().ok_or(Error::NoSuchArrival)?;
        let known = match &offer {
            Some(offer) => self.heard.contains(offer),
            // By an override of the authority, which has no offer.
            None => self.accepted_by.as_ref() == Some(&office),
        };
        Ok(if known { vec![] } else { vec![Event::Accepted { offer, office }] })
    }

    fn record_departure(&self, kind: DepartureKind, on: Date, context: &Context) -> Result<Vec<Event>, Error> {
        let registered = self.at_office(context)?;
        match &self.departed {
            Some(on_record) if *on_record == (Departure { kind, on }) => return Ok(vec![]),
            Some(_) => return Err(Error::AlreadyDeparted),
            None => {}
        }
        if on < registered.circumstances.arrived_on {
            return Err(Error::DepartedBeforeArrival);
        }
        if self.nights.last().is_some_and(|night_of| *night_of >= on) {
            return Err(Error::NightOnRecord);
        }
        let to = match kind {
            DepartureKind::HandedOver => Some(self.accepted_by.clone().ok_or(Error::NobodyHasAccepted)?),
            DepartureKind::OwnWill => None,
        };
        Ok(vec![Event::Departed { kind, on, to }])
    }
}

#[cfg(test)]
mod tests;
