//! One case as its agency's file sees it: who it is for (by codes), what was consented to, what became of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_chassis::person::Codes;
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vault::Part;
use spean_vocabulary::{CaseId, CaseNumber, ConsentBasis, ConsentId, Date, Need, OfferId, OfficeId, PersonId};

/// One case.
#[derive(Clone, Debug, Default)]
pub struct Case {
    file: Option<File>,
    consents: BTreeMap<ConsentId, Consent>,
    linked: BTreeSet<CaseId>,
    possible_duplicates: BTreeSet<CaseId>,
    returned_on: Option<Date>,
    erased: bool,
}

#[derive(Clone, Debug)]
struct File {
    /// The office that opened the case; none when it came from elsewhere.
    opened_by: Option<OfficeId>,
    case_number: Option<CaseNumber>,
    registered_on: Date,
    is_child: bool,
    codes: Option<Codes>,
}

/// A permission that personal data may travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// On whose word.
    pub basis: ConsentBasis,
    /// The parts of the file that it covers.
    pub parts: BTreeSet<Part>,
    /// The offices that it covers; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub offices: BTreeSet<OfficeId>,
    /// The needs that it was given for; none means any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub purposes: BTreeSet<Need>,
    /// The day on which it was given.
    pub given_on: Date,
    /// The day on which it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_on: Option<Date>,
}

/// What may be asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold, each explained in the vocabulary")]
pub enum Command {
    /// Open the case here.
    Register { case_number: CaseNumber, person: PersonId, codes: Codes, registered_on: Date },
    /// Open a file for a case that another office handed over or asked help with.
    Receive { case_number: Option<CaseNumber>, person: PersonId, from: OfficeId, offer: Option<OfferId>, on: Date },
    /// Correct what is known.
    Amend { codes: Codes },
    /// Note a permission.
    RecordConsent { consent_id: ConsentId, consent: Consent },
    /// Note that a permission was taken back.
    WithdrawConsent { consent_id: ConsentId, withdrawn_on: Date },
    /// Say that another case is of the same person.
    Link { this: CaseId, other: CaseId },
    /// Note that another case may be of the same person.
    NotePossibleDuplicate { other: CaseId, score: u8, reasons: Vec<String> },
    /// Note that the person went home; the office that follows up, if one has taken the case.
    CompleteReturn { returned_on: Date, followed_up_by: Option<OfficeId> },
    /// Note that the person's key was destroyed.
    Erase { ground: String },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// The case was opened here.
    Registered { case_number: CaseNumber, person: PersonId, office: OfficeId, codes: Codes, registered_on: Date },
    /// A file was opened for a case that came from another office.
    Received {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case_number: Option<CaseNumber>,
        person: PersonId,
        from: OfficeId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        on: Date,
    },
    /// What is known was corrected.
    Amended { codes: Codes },
    /// A permission was given.
    ConsentRecorded { consent_id: ConsentId, consent: Consent },
    /// A permission was taken back.
    ConsentWithdrawn { consent_id: ConsentId, withdrawn_on: Date },
    /// Another case is of the same person.
    Linked { other: CaseId },
    /// Another case may be of the same person.
    PossibleDuplicateFound { other: CaseId, score: u8, reasons: Vec<String> },
    /// The person went home.
    Returned { returned_on: Date, followed_up_by: OfficeId },
    /// The person's key was destroyed; the facts stay.
    PersonErased { ground: String },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// There is no file of this case here.
    #[error("there is no such case")]
    NoSuchCase,
    /// The id is taken.
    #[error("a case with this id was opened with other particulars")]
    CaseIdTaken,
    /// The person's data were destroyed.
    #[error("the person's data were erased; nothing can be added")]
    Erased,
    /// Nothing is covered.
    #[error("a consent must cover at least one part of the file")]
    CoversNothing,
    /// The id is taken.
    #[error("a consent with this id says something else")]
    ConsentIdTaken,
    /// There is no such consent.
    #[error("there is no such consent in this case")]
    NoSuchConsent,
    /// It was taken back before it was given.
    #[error("a consent cannot be withdrawn before the day on which it was given")]
    WithdrawnBeforeGiven,
    /// A child cannot consent alone.
    #[error("for a child, or when the age is unknown, a guardian consents or a best-interest decision is recorded")]
    ChildNeedsGuardian,
    /// A case is not its own duplicate.
    #[error("a case cannot be linked to itself")]
    LinkedToItself,
    /// Nobody will visit.
    #[error("the return cannot be completed: no office has accepted the follow-up yet")]
    FollowUpNotAccepted,
    /// It happened before anything else.
    #[error("the person cannot have returned before the day of registration")]
    ReturnedBeforeRegistration,
    /// Another day is on record.
    #[error("another day of return is on record")]
    AlreadyReturned,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchCase | Self::NoSuchConsent => Fault::NotThere,
            Self::CoversNothing => Fault::Field("consent.parts"),
            Self::ChildNeedsGuardian => Fault::Field("consent.basis"),
            Self::LinkedToItself => Fault::Field("other_case_id"),
            Self::WithdrawnBeforeGiven => Fault::Field("withdrawn_on"),
            Self::ReturnedBeforeRegistration => Fault::Field("returned_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Case {
    const CATEGORY: &'static str = "case";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Register { case_number, person, codes, registered_on } => {
                self.register(case_number, person, codes, registered_on, context)
            }
            Command::Receive { case_number, person, from, offer, on } => {
                let known = self.file.is_some();
                Ok(if known { vec![] } else { vec![Event::Received { case_number, person, from, offer, on }] })
            }
            Command::Amend { codes } => {
                let file = self.open_file()?;
                Ok(if file.codes.as_ref() == Some(&codes) { vec![] } else { vec![Event::Amended { codes }] })
            }
            Command::RecordConsent { consent_id, consent } => self.record_consent(consent_id, consent),
            Command::WithdrawConsent { consent_id, withdrawn_on } => self.withdraw_consent(consent_id, withdrawn_on),
            Command::Link { this, other } => self.link(this, other),
            Command::NotePossibleDuplicate { other, score, reasons } => {
                let known = self.linked.contains(&other) || self.possible_duplicates.contains(&other);
                Ok(if known { vec![] } else { vec![Event::PossibleDuplicateFound { other, score, reasons }] })
            }
            Command::CompleteReturn { returned_on, followed_up_by } => {
                self.complete_return(returned_on, followed_up_by)
            }
            Command::Erase { ground } => {
                self.file.as_ref().ok_or(Error::NoSuchCase)?;
                Ok(if self.erased { vec![] } else { vec![Event::PersonErased { ground }] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Registered { case_number, office, codes, registered_on, .. } => {
                let is_child = codes.age_band.is_child();
                let (opened_by, case_number, codes) = (Some(office), Some(case_number), Some(codes));
                self.file = Some(File { opened_by, case_number, registered_on, is_child, codes });
            }
            Event::Received { case_number, on, .. } => {
                // Until the age is amended here, the protection of a child is assumed.
                self.file = Some(File { opened_by: None, case_number, registered_on: on, is_child: true, codes: None });
            }
            Event::Amended { codes } => {
                if let Some(file) = &mut self.file {
                    file.is_child = codes.age_band.is_child();
                    file.codes = Some(codes);
                }
            }
            Event::ConsentRecorded { consent_id, consent } => {
                self.consents.insert(consent_id, consent);
            }
            Event::ConsentWithdrawn { consent_id, withdrawn_on } => {
                if let Some(consent) = self.consents.get_mut(&consent_id) {
                    consent.withdrawn_on = Some(withdrawn_on);
                }
            }
            Event::Linked { other } => {
                self.possible_duplicates.remove(&other);
                self.linked.insert(other);
            }
            Event::PossibleDuplicateFound { other, .. } => {
                self.possible_duplicates.insert(other);
            }
            Event::Returned { returned_on, .. } => self.returned_on = Some(returned_on),
            Event::PersonErased { .. } => self.erased = true,
        }
        self
    }
}

impl Case {
    /// The number for people, once there is one.
    pub fn case_number(&self) -> Option<CaseNumber> {
        self.file.as_ref().and_then(|file| file.case_number)
    }

    /// Whether a file exists here.
    pub fn exists(&self) -> bool {
        self.file.is_some()
    }

    /// The consents, also those taken back.
    pub fn consents(&self) -> &BTreeMap<ConsentId, Consent> {
        &self.consents
    }

    fn open_file(&self) -> Result<&File, Error> {
        let file = self.file.as_ref().ok_or(Error::NoSuchCase)?;
        if self.erased { Err(Error::Erased) } else { Ok(file) }
    }

    fn register(
        &self,
        case_number: CaseNumber,
        person: PersonId,
        codes: Codes,
        registered_on: Date,
        context: &Context,
    ) -> Result<Vec<Event>, Error> {
        match &self.file {
            None => {
                let office = context.office.clone();
                Ok(vec![Event::Registered { case_number, person, office, codes, registered_on }])
            }
            // The number is drawn anew with each attempt; the first one stays.
            Some(file)
                if file.opened_by.as_ref() == Some(&context.office)
                    && file.codes.as_ref() == Some(&codes)
                    && file.registered_on == registered_on =>
            {
                Ok(vec![])
            }
            Some(_) => Err(Error::CaseIdTaken),
        }
    }

    fn record_consent(&self, consent_id: ConsentId, consent: Consent) -> Result<Vec<Event>, Error> {
        let file = self.open_file()?;
        if let Some(known) = self.consents.get(&consent_id) {
            let same = Consent { withdrawn_on: None, ..known.clone() } == consent;
            return if same { Ok(vec![]) } else { Err(Error::ConsentIdTaken) };
        }
        if consent.parts.is_empty() {
            return Err(Error::CoversNothing);
        }
        if file.is_child && consent.basis == ConsentBasis::Person {
            return Err(Error::ChildNeedsGuardian);
        }
        Ok(vec![Event::ConsentRecorded { consent_id, consent }])
    }

    fn withdraw_consent(&self, consent_id: ConsentId, withdrawn_on: Date) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        let consent = self.consents.get(&consent_id).ok_or(Error::NoSuchConsent)?;
        if consent.withdrawn_on.is_some() {
            return Ok(vec![]);
        }
        if withdrawn_on < consent.given_on {
            return Err(Error::WithdrawnBeforeGiven);
        }
        Ok(vec![Event::ConsentWithdrawn { consent_id, withdrawn_on }])
    }

    fn link(&self, this: CaseId, other: CaseId) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if this == other {
            return Err(Error::LinkedToItself);
        }
        Ok(if self.linked.contains(&other) { vec![] } else { vec![Event::Linked { other }] })
    }

    fn complete_return(&self, returned_on: Date, followed_up_by: Option<OfficeId>) -> Result<Vec<Event>, Error> {
        let file = self.open_file()?;
        match self.returned_on {
            Some(on_record) if on_record == returned_on => return Ok(vec![]),
            Some(_) => return Err(Error::AlreadyReturned),
            None => {}
        }
        if returned_on < file.registered_on {
            return Err(Error::ReturnedBeforeRegistration);
        }
        let followed_up_by = followed_up_by.ok_or(Error::FollowUpNotAccepted)?;
        Ok(vec![Event::Returned { returned_on, followed_up_by }])
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;
    use spean_vocabulary::{AgeBand, Sex, Timestamp};

    use super::*;

    fn at_office() -> Context {
        Context {
            office: "ratanak-kiri".parse().expect("a code"),
            staff: Some("staff-7".parse().expect("a code")),
            now: Timestamp::from_micros(1_790_000_000_000_000),
        }
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn id<K>(number: u8) -> spean_vocabulary::Id<K> {
        format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
    }

    fn codes(age_band: AgeBand) -> Codes {
        Codes { sex: Sex::Female, age_band, language: None, home_place: None, missing: vec!["home_place".to_owned()] }
    }

    fn number() -> CaseNumber {
        CaseNumber::draw("RK".parse().expect("a tag"), [1, 2, 3, 4, 5])
    }

    fn registered(age_band: AgeBand) -> Event {
        Event::Registered {
            case_number: number(),
            person: id(1),
            office: at_office().office,
            codes: codes(age_band),
            registered_on: day("2026-09-01"),
        }
    }

    fn consent(basis: ConsentBasis) -> Consent {
        Consent {
            basis,
            parts: BTreeSet::from([Part::Identity]),
            offices: BTreeSet::new(),
            purposes: BTreeSet::new(),
            given_on: day("2026-09-02"),
            withdrawn_on: None,
        }
    }

    #[test]
    fn a_case_is_opened_with_whatever_is_known() {
        let command = Command::Register {
            case_number: number(),
            person: id(1),
            codes: codes(AgeBand::Unknown),
            registered_on: day("2026-09-01"),
        };
        given::<Case>([]).when(&at_office(), command).then([registered(AgeBand::Unknown)]);
    }

    #[test]
    fn the_same_id_for_somebody_else_is_refused() {
        let command = Command::Register {
            case_number: number(),
            person: id(1),
            codes: codes(AgeBand::Adult),
            registered_on: day("2026-09-01"),
        };
        given::<Case>([registered(AgeBand::Child)]).when(&at_office(), command).then_error(&Error::CaseIdTaken);
    }

    #[test]
    fn another_office_cannot_take_a_case_by_registering_it_again() {
        let command = Command::Register {
            case_number: number(),
            person: id(1),
            codes: codes(AgeBand::Adult),
            registered_on: day("2026-09-01"),
        };
        let stranger = Context { office: "kandal".parse().expect("a code"), ..at_office() };
        given::<Case>([registered(AgeBand::Adult)]).when(&stranger, command).then_error(&Error::CaseIdTaken);
    }

    #[test]
    fn an_adult_consents_for_herself() {
        let command = Command::RecordConsent { consent_id: id(2), consent: consent(ConsentBasis::Person) };
        let event = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Person) };
        given::<Case>([registered(AgeBand::Adult)]).when(&at_office(), command).then([event]);
    }

    #[test]
    fn a_child_does_not_consent_alone_and_neither_does_somebody_of_unknown_age() {
        for age_band in [AgeBand::Adolescent, AgeBand::Unknown] {
            let command = Command::RecordConsent { consent_id: id(2), consent: consent(ConsentBasis::Person) };
            given::<Case>([registered(age_band)]).when(&at_office(), command).then_error(&Error::ChildNeedsGuardian);
        }
    }

    #[test]
    fn a_consent_is_taken_back_and_never_before_it_was_given() {
        let recorded = Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) };
        let history = [registered(AgeBand::Child), recorded];
        let withdraw = |on| Command::WithdrawConsent { consent_id: id(2), withdrawn_on: day(on) };
        given::<Case>(history.clone())
            .when(&at_office(), withdraw("2026-09-03"))
            .then([Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-03") }]);
        given::<Case>(history).when(&at_office(), withdraw("2026-09-01")).then_error(&Error::WithdrawnBeforeGiven);
    }

    #[test]
    fn nobody_is_sent_home_before_an_office_has_taken_the_follow_up() {
        let complete = |office: Option<&str>| Command::CompleteReturn {
            returned_on: day("2026-09-10"),
            followed_up_by: office.map(|office| office.parse().expect("a code")),
        };
        given::<Case>([registered(AgeBand::Child)])
            .when(&at_office(), complete(None))
            .then_error(&Error::FollowUpNotAccepted);
        let followed_up_by = "kandal".parse().expect("a code");
        given::<Case>([registered(AgeBand::Child)])
            .when(&at_office(), complete(Some("kandal")))
            .then([Event::Returned { returned_on: day("2026-09-10"), followed_up_by }]);
    }

    #[test]
    fn two_cases_of_one_person_are_linked_by_people_and_not_to_themselves() {
        let found =
            Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec!["SAME_DOCUMENT".to_owned()] };
        given::<Case>([registered(AgeBand::Adult), found])
            .when(&at_office(), Command::Link { this: id(1), other: id(9) })
            .then([Event::Linked { other: id(9) }]);
        given::<Case>([registered(AgeBand::Adult)])
            .when(&at_office(), Command::Link { this: id(1), other: id(1) })
            .then_error(&Error::LinkedToItself);
    }

    #[test]
    fn after_an_erasure_nothing_is_added() {
        let erased = Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() };
        given::<Case>([registered(AgeBand::Adult), erased])
            .when(&at_office(), Command::Amend { codes: codes(AgeBand::Adult) })
            .then_error(&Error::Erased);
    }

    /// One of each kind of event, as it is stored for ever.
    fn every_event() -> Vec<Event> {
        vec![
            registered(AgeBand::Adult),
            Event::Received {
                case_number: Some(number()),
                person: id(1),
                from: "kandal".parse().expect("a code"),
                offer: Some(id(7)),
                on: day("2026-09-03"),
            },
            Event::Amended { codes: codes(AgeBand::Child) },
            Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) },
            Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-04") },
            Event::Linked { other: id(9) },
            Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec!["SAME_DOCUMENT".to_owned()] },
            Event::Returned { returned_on: day("2026-09-10"), followed_up_by: "kandal".parse().expect("a code") },
            Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() },
        ]
    }

    #[test]
    fn stored_events_are_read_as_they_were_written() {
        const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/case.jsonl");
        let line = |event: &Event| serde_json::to_string(event).expect("an event is JSON") + "\n";
        let lines: String = every_event().iter().map(line).collect();
        if std::env::var_os("SPEAN_BLESS").is_some() {
            std::fs::write(FILE, &lines).expect("the file can be written");
        }
        let golden = std::fs::read_to_string(FILE).expect("the golden lines are there");
        assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
        let read: Vec<Event> = golden.lines().map(|line| serde_json::from_str(line).expect("readable")).collect();
        assert_eq!(read, every_event());
    }
}
