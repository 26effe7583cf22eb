//! What may be asked of a report, and what it says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_custody::case::ServiceOutcome;
use spean_vocabulary::{
    AgeBand, CaseId, CaseNumber, Date, OfferId, OfficeId, PersonId, PlaceCode, Sex, Timestamp, Urgency,
};

use crate::news::Stage;
use crate::reports::words::{Channel, CloseReason, Concern, PassReason, ReportState, UnfoundedReason};

/// What a report says, in codes: this travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its number for the telephone.
    pub reference: CaseNumber,
    /// The office that took it down.
    pub taken_down_by: OfficeId,
    /// When, by the clock of that office.
    pub taken_down_at: Timestamp,
    /// Where it is about.
    pub place: PlaceCode,
    /// What gives rise to worry.
    pub concerns: BTreeSet<Concern>,
    /// How soon somebody must look into it.
    pub urgency: Urgency,
    /// How many people; none when not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
    /// Their sex.
    pub sex: Sex,
    /// Their age.
    pub age_band: AgeBand,
    /// The day on which it was seen; none when not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_on: Option<Date>,
    /// Whether there are words about what was seen. They are in the vault.
    pub has_words: bool,
}

/// To whom a report goes, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The office.
    pub to: OfficeId,
    /// What the words are sealed for.
    pub pass: OfferId,
    /// Why it goes there.
    pub because: PassReason,
    /// Offices that did not answer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub silent: BTreeSet<OfficeId>,
    /// Until when that office should say that it looks into it.
    pub due_at: Timestamp,
}

/// What an office tells those that passed a report on to it. Codes only: no case, no person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The office where it happened.
    pub at: OfficeId,
    /// Where the report stands there.
    pub state: ReportState,
    /// Why it was unfounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfounded: Option<UnfoundedReason>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<CloseReason>,
    /// Counts the people of the report at that office, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
    /// How far that person's case has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What came of a service for that person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ServiceOutcome>,
    /// The day on which stage or outcome came about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Take a report down. It goes on at once when another office serves the place.
    Submit {
        /// What it says.
        file: File,
        /// By which way it came in.
        channel: Channel,
        /// The id under which it is kept who reports; none when they did not say.
        reporter: Option<PersonId>,
        /// Until when somebody should look into it.
        due_at: Timestamp,
        /// To whom it goes at once.
        pass: Option<Pass>,
    },
    /// Another office passes it on to this one.
    Arrive {
        /// What it says.
        file: File,
        /// Who passes it on.
        from: OfficeId,
        /// Why.
        because: PassReason,
        /// Offices that did not answer.
        silent: BTreeSet<OfficeId>,
        /// Until when this office should say that it looks into it.
        due_at: Timestamp,
    },
    /// This office looks into it.
    TakeUp,
    /// Pass it on.
    PassOn(Pass),
    /// Nobody answered in time: pass it on over the head of an office, or take it back when this office stands above.
    ClimbOver {
        /// Who is silent; this office itself when nobody here looked into it.
        silent: OfficeId,
        /// To whom it goes; none when this office looks into it itself from now on.
        pass: Option<Pass>,
        /// Until when this office should, in that case.
        due_at: Timestamp,
    },
    /// A case came of it.
    LinkCase {
        /// The case.
        case: CaseId,
    },
    /// There was nothing in it.
    FindUnfounded {
        /// Why.
        reason: UnfoundedReason,
    },
    /// It is done.
    Close {
        /// How.
        reason: CloseReason,
    },
    /// The reporter's key is destroyed.
    EraseReporter {
        /// The legal ground, as a code.
        ground: String,
    },
    /// An office that it was passed on to tells what became of it.
    Hear {
        /// Who tells it.
        from: OfficeId,
        /// What.
        told: Told,
    },
    /// Something became of a case that came of it.
    NoteProgress {
        /// The case.
        case: CaseId,
        /// The stage that it came to.
        stage: Option<Stage>,
        /// What came of a service.
        outcome: Option<ServiceOutcome>,
        /// When.
        on: Date,
        /// Offices that the person's consent leaves out: they are not told.
        left_out: BTreeSet<OfficeId>,
    },
    /// After a restore: a peer returns a report that this office had passed on to it and forgot.
    Recall {
        /// What it says.
        file: File,
        /// To whom it had gone.
        pass: Pass,
    },
}
