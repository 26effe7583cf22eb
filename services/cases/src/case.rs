//! One case as its agency's file sees it: who it is for (by codes), what was consented to, what became of it.

mod checklist;
mod consents;
mod error;
mod facts;
mod history;
mod papers;
mod risks;
mod twins;
pub mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{
    AgeBand, AttachmentId, CaseId, CaseNumber, Codes, ConclusionId, ConsentId, Date, FactId, Need, OfferId, OfficeId,
    PersonId, RiskId, Sex,
};

pub use checklist::{Checklist, Entry};
pub use consents::{Consent, Decision};
pub use error::Error;
pub use facts::{Conclusion, Fact, KnownConclusion, KnownFact};
pub use history::{detail, occurred_on};
pub use papers::{Attachment, KnownAttachment, MOST_ATTACHMENTS};
pub use risks::{KnownRisk, Risk};
use words::{FileItem, FileItemState, RetractReason, WaiveReason};

/// One case.
#[derive(Clone, Debug, Default)]
pub struct Case {
    file: Option<File>,
    consents: BTreeMap<ConsentId, Consent>,
    needs: BTreeSet<Need>,
    facts: BTreeMap<FactId, KnownFact>,
    conclusions: BTreeMap<ConclusionId, KnownConclusion>,
    risks: BTreeMap<RiskId, KnownRisk>,
    attachments: BTreeMap<AttachmentId, KnownAttachment>,
    checklist: Checklist,
    linked: BTreeSet<CaseId>,
    unlinked: BTreeSet<CaseId>,
    ruled_out: BTreeSet<CaseId>,
    possible_duplicates: BTreeSet<CaseId>,
    merged_into: Option<CaseId>,
    was_merged: bool,
    absorbed: BTreeSet<CaseId>,
    /// Where the person was registered since, and whether somebody has seen to it.
    seen_again: BTreeMap<CaseId, bool>,
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

/// What may be asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold, each explained in the vocabulary")]
pub enum Command {
    /// Open the case here.
    Register { case_number: CaseNumber, person: PersonId, codes: Codes, registered_on: Date },
    /// Open a file for a case that another office handed over or asked help with.
    Receive {
        case_number: Option<CaseNumber>,
        person: PersonId,
        from: OfficeId,
        offer: Option<OfferId>,
        on: Date,
        sex: Sex,
        age_band: AgeBand,
    },
    /// Correct what is known.
    Amend { codes: Codes },
    /// Note a permission.
    RecordConsent { consent_id: ConsentId, consent: Consent },
    /// Note that a permission was taken back.
    WithdrawConsent { consent_id: ConsentId, withdrawn_on: Date },
    /// Note what the person needs.
    RecordNeeds { needs: BTreeSet<Need>, found_on: Date },
    /// Note what was done to the person.
    RecordFact { fact_id: FactId, fact: Fact },
    /// Take it back.
    RetractFact { fact_id: FactId, reason: RetractReason },
    /// Note what somebody concluded from the facts.
    RecordConclusion { conclusion_id: ConclusionId, conclusion: Conclusion },
    /// Note a danger.
    RaiseRisk { risk_id: RiskId, risk: Risk },
    /// Note that it has passed.
    LowerRisk { risk_id: RiskId, lowered_on: Date },
    /// Note a file.
    Attach { attachment_id: AttachmentId, attachment: Attachment },
    /// Note that it was destroyed.
    RemoveAttachment { attachment_id: AttachmentId, reason: RetractReason },
    /// Say that something of the file will not be had.
    Waive { item: FileItem, reason: WaiveReason },
    /// Say that another case is of the same person.
    Link { this: CaseId, other: CaseId, on: Option<Date> },
    /// Take that back.
    Unlink { other: CaseId, on: Date },
    /// Say that another case is of somebody else.
    RuleOut { this: CaseId, other: CaseId, on: Date },
    /// Note that another case may be of the same person.
    NotePossibleDuplicate { other: CaseId, score: u8, reasons: Vec<String> },
    /// Put this case at rest in favour of another; whether the office that asks holds both.
    Merge { this: CaseId, into: CaseId, on: Date, both_held: bool },
    /// Go on in the place of another case.
    Absorb { other: CaseId, on: Date },
    /// Take this case up again.
    Unmerge { on: Date },
    /// Go on without the other case.
    Release { other: CaseId, on: Date },
    /// Note that the person was registered elsewhere.
    NoteSeenAgain { other: CaseId, by: OfficeId, on: Date },
    /// Note that somebody has seen to it.
    AcknowledgeSeenAgain { other: CaseId },
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
        /// As the certificate tells; the first version did not keep them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sex: Option<Sex>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        age_band: Option<AgeBand>,
    },
    /// What is known was corrected. The first version did not tell the day.
    Amended {
        codes: Codes,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
    },
    /// A permission was given.
    ConsentRecorded { consent_id: ConsentId, consent: Consent },
    /// A permission was taken back.
    ConsentWithdrawn { consent_id: ConsentId, withdrawn_on: Date },
    /// A permission ended, because the person who gave it alone may be a child.
    ConsentLapsed { consent_id: ConsentId, lapsed_on: Date },
    /// What the person needs was found.
    NeedsRecorded { needs: BTreeSet<Need>, found_on: Date },
    /// What was done to the person became known.
    FactRecorded { fact_id: FactId, fact: Fact, on: Date },
    /// It was taken back.
    FactRetracted { fact_id: FactId, reason: RetractReason, on: Date },
    /// Somebody concluded something from the facts.
    ConclusionRecorded { conclusion_id: ConclusionId, conclusion: Conclusion },
    /// Something endangers the person.
    RiskRaised { risk_id: RiskId, risk: Risk },
    /// It has passed.
    RiskLowered { risk_id: RiskId, lowered_on: Date },
    /// A file was added.
    AttachmentAdded { attachment_id: AttachmentId, attachment: Attachment },
    /// It was destroyed.
    AttachmentRemoved { attachment_id: AttachmentId, reason: RetractReason, on: Date },
    /// Something of the file will not be had.
    FileItemWaived { item: FileItem, reason: WaiveReason, on: Date },
    /// Another case is of the same person. The first version did not tell the day.
    Linked {
        other: CaseId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
    },
    /// It is not, after all.
    Unlinked { other: CaseId, on: Date },
    /// Another case is of somebody else.
    DuplicateRuledOut { other: CaseId, on: Date },
    /// Another case may be of the same person.
    PossibleDuplicateFound { other: CaseId, score: u8, reasons: Vec<String> },
    /// This case rests; the other goes on.
    MergedInto { into: CaseId, on: Date },
    /// This case goes on in the place of the other.
    Absorbed { other: CaseId, on: Date },
    /// This case was taken up again.
    Unmerged { from: CaseId, on: Date },
    /// This case goes on without the other.
    Released { other: CaseId, on: Date },
    /// The person was registered elsewhere.
    SeenAgain { other: CaseId, by: OfficeId, on: Date },
    /// Somebody has seen to it.
    SeenAgainAcknowledged { other: CaseId },
    /// The person went home.
    Returned { returned_on: Date, followed_up_by: OfficeId },
    /// The person's key was destroyed; the facts stay.
    PersonErased { ground: String },
}

impl Aggregate for Case {
    const CATEGORY: &'static str = "case";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let today = context.now.date_in_cambodia();
        match command {
            Command::Register { case_number, person, codes, registered_on } => {
                self.register(case_number, person, codes, registered_on, context)
            }
            Command::Receive { .. } if self.file.is_some() => Ok(vec![]),
            Command::Receive { case_number, person, from, offer, on, sex, age_band } => {
                let (sex, age_band) = (Some(sex), Some(age_band));
                Ok(vec![Event::Received { case_number, person, from, offer, on, sex, age_band }])
            }
            Command::Amend { codes } => self.amend(codes, today),
            Command::RecordConsent { consent_id, consent } => self.record_consent(consent_id, consent),
            Command::WithdrawConsent { consent_id, withdrawn_on } => self.withdraw_consent(consent_id, withdrawn_on),
            Command::RecordNeeds { needs, found_on } => self.record_needs(needs, found_on),
            Command::RecordFact { fact_id, fact } => self.record_fact(fact_id, fact, today),
            Command::RetractFact { fact_id, reason } => self.retract_fact(fact_id, reason, today),
            Command::RecordConclusion { conclusion_id, conclusion } => {
                self.record_conclusion(conclusion_id, conclusion)
            }
            Command::RaiseRisk { risk_id, risk } => self.raise_risk(risk_id, risk),
            Command::LowerRisk { risk_id, lowered_on } => self.lower_risk(risk_id, lowered_on),
            Command::Attach { attachment_id, attachment } => self.attach(attachment_id, attachment),
            Command::RemoveAttachment { attachment_id, reason } => self.remove_attachment(attachment_id, reason, today),
            Command::Waive { item, reason } => self.waive(item, reason, today),
            Command::Link { this, other, on } => self.link(this, other, on),
            Command::Unlink { other, on } => self.unlink(other, on),
            Command::RuleOut { this, other, on } => self.rule_out(this, other, on),
            Command::NotePossibleDuplicate { other, score, reasons } => {
                Ok(self.note_possible_duplicate(other, score, reasons))
            }
            Command::Merge { this, into, on, both_held } => self.merge(this, into, on, both_held),
            Command::Absorb { other, on } => self.absorb(other, on),
            Command::Unmerge { on } => self.unmerge(on),
            Command::Release { other, on } => Ok(self.release(other, on)),
            Command::NoteSeenAgain { other, by, on } => Ok(self.note_seen_again(other, by, on)),
            Command::AcknowledgeSeenAgain { other } => self.acknowledge_seen_again(other),
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
        self.checklist = self.checklist.after(event);
        match event.clone() {
            Event::Registered { case_number, office, codes, registered_on, .. } => {
                let is_child = codes.age_band.is_child();
                let (opened_by, case_number, codes) = (Some(office), Some(case_number), Some(codes));
                self.file = Some(File { opened_by, case_number, registered_on, is_child, codes });
            }
            Event::Received { case_number, on, age_band, .. } => {
                // Of whoever's age is not known, the protection of a child is assumed.
                let is_child = age_band.is_none_or(AgeBand::is_child);
                self.file = Some(File { opened_by: None, case_number, registered_on: on, is_child, codes: None });
            }
            Event::Amended { codes, .. } => {
                if let Some(file) = &mut self.file {
                    file.is_child = codes.age_band.is_child();
                    file.codes = Some(codes);
                }
            }
            Event::ConsentRecorded { consent_id, consent } => {
                self.consents.insert(consent_id, consent);
            }
            Event::ConsentWithdrawn { consent_id, withdrawn_on: on }
            | Event::ConsentLapsed { consent_id, lapsed_on: on } => {
                if let Some(consent) = self.consents.get_mut(&consent_id) {
                    consent.withdrawn_on = Some(on);
                }
            }
            Event::NeedsRecorded { needs, .. } => self.needs = needs,
            Event::FactRecorded { fact_id, fact, .. } => {
                self.facts.insert(fact_id, KnownFact { fact, retracted: false });
            }
            Event::FactRetracted { fact_id, .. } => {
                self.facts.entry(fact_id).and_modify(|known| known.retracted = true);
            }
            Event::ConclusionRecorded { conclusion_id, conclusion } => {
                if let Some(earlier) = conclusion.revises.and_then(|id| self.conclusions.get_mut(&id)) {
                    earlier.revised_by = Some(conclusion_id);
                }
                self.conclusions.insert(conclusion_id, KnownConclusion { conclusion, revised_by: None });
            }
            Event::RiskRaised { risk_id, risk } => {
                self.risks.insert(risk_id, KnownRisk { risk, lowered_on: None });
            }
            Event::RiskLowered { risk_id, lowered_on } => {
                self.risks.entry(risk_id).and_modify(|known| known.lowered_on = Some(lowered_on));
            }
            Event::AttachmentAdded { attachment_id, attachment } => {
                self.attachments.insert(attachment_id, KnownAttachment { attachment, removed: false });
            }
            Event::AttachmentRemoved { attachment_id, .. } => {
                self.attachments.entry(attachment_id).and_modify(|known| known.removed = true);
            }
            Event::Linked { other, .. } => self.is_linked(other),
            Event::Unlinked { other, .. } => {
                self.linked.remove(&other);
                self.unlinked.insert(other);
            }
            Event::DuplicateRuledOut { other, .. } => {
                self.possible_duplicates.remove(&other);
                self.ruled_out.insert(other);
            }
            Event::PossibleDuplicateFound { other, .. } => {
                self.possible_duplicates.insert(other);
            }
            // Who merges two cases says that they are of one person.
            Event::MergedInto { into, .. } => {
                self.is_linked(into);
                self.merged_into = Some(into);
                self.was_merged = true;
            }
            Event::Absorbed { other, .. } => {
                self.is_linked(other);
                self.absorbed.insert(other);
            }
            Event::Unmerged { .. } => self.merged_into = None,
            Event::Released { other, .. } => {
                self.absorbed.remove(&other);
            }
            Event::SeenAgain { other, .. } => {
                self.seen_again.insert(other, false);
            }
            Event::SeenAgainAcknowledged { other } => {
                self.seen_again.insert(other, true);
            }
            Event::Returned { returned_on, .. } => self.returned_on = Some(returned_on),
            Event::PersonErased { .. } => self.erased = true,
            Event::FileItemWaived { .. } => {}
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

    /// Whether the person's data were destroyed.
    pub fn is_erased(&self) -> bool {
        self.erased
    }

    /// The consents, also those taken back.
    pub fn consents(&self) -> &BTreeMap<ConsentId, Consent> {
        &self.consents
    }

    /// What the person needs, as last recorded.
    pub fn needs(&self) -> &BTreeSet<Need> {
        &self.needs
    }

    /// What the file holds and what is missing.
    pub fn checklist(&self) -> &Checklist {
        &self.checklist
    }

    /// The day on which the person went home, when recorded.
    pub fn returned_on(&self) -> Option<Date> {
        self.returned_on
    }

    fn is_linked(&mut self, other: CaseId) {
        self.possible_duplicates.remove(&other);
        self.ruled_out.remove(&other);
        self.unlinked.remove(&other);
        self.linked.insert(other);
    }

    fn open_or_merged(&self) -> Result<&File, Error> {
        let file = self.file.as_ref().ok_or(Error::NoSuchCase)?;
        if self.erased { Err(Error::Erased) } else { Ok(file) }
    }

    fn open_file(&self) -> Result<&File, Error> {
        let file = self.open_or_merged()?;
        if self.merged_into.is_some() { Err(Error::Merged) } else { Ok(file) }
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

    fn amend(&self, codes: Codes, today: Date) -> Result<Vec<Event>, Error> {
        let file = self.open_file()?;
        if file.codes.as_ref() == Some(&codes) {
            return Ok(vec![]);
        }
        let may_be_a_child = codes.age_band.is_child();
        let mut events = vec![Event::Amended { codes, on: Some(today) }];
        if may_be_a_child {
            events.extend(self.lapsing(today));
        }
        Ok(events)
    }

    fn record_needs(&self, needs: BTreeSet<Need>, found_on: Date) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if needs.is_empty() {
            return Err(Error::NothingNeeded);
        }
        Ok(if self.needs == needs { vec![] } else { vec![Event::NeedsRecorded { needs, found_on }] })
    }

    fn waive(&self, item: FileItem, reason: WaiveReason, on: Date) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if item == FileItem::Consent {
            return Err(Error::ConsentCannotBeWaived);
        }
        let known = self.checklist.entries().find(|(known, _)| *known == item).map(|(_, entry)| entry);
        match known {
            Some(entry) if entry.state == FileItemState::Done => Err(Error::AlreadyInTheFile),
            Some(entry) if entry.waived_for == Some(reason) => Ok(vec![]),
            _ => Ok(vec![Event::FileItemWaived { item, reason, on }]),
        }
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
