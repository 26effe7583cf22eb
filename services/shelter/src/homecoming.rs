//! The way home of one person, or to another home: the family is looked for, visited and judged, and the return is decided
//! with the person.
//!
//! - **Tracing** is asked of the home district by a referral of the desk; what came of it is recorded here. It stays on a
//!   worklist until a family was found and assessed, or another way was chosen.
//! - **The family's assessment** says return, not yet, or not safe. A risk at home and "return" exclude each other, and
//!   anything but "return" stops a decision and voids one that was made.
//! - **Where a child lives** follows an order: with the family, back to the family, with kin or foster parents, in an
//!   institution, for good elsewhere. Each later option says of every earlier one why it was not possible.
//! - **The decision to go home** is the person's. For a child somebody who decides for children agrees as well.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{ConsentBasis, Date, OfferId, StaffId};

use crate::care::ResponsibleAdult;
use crate::labels::{AssessmentId, PlacementId, ReintegrationId};

mod error;
#[cfg(test)]
mod tests;

pub use error::Error;

/// The way home of one person, as one house sees it.
#[derive(Clone, Debug, Default)]
pub struct Homecoming {
    tracings: BTreeMap<OfferId, Tracing>,
    assessments: BTreeMap<AssessmentId, FamilyAssessment>,
    latest: Option<AssessmentId>,
    placements: BTreeMap<PlacementId, Placement>,
    decisions: BTreeMap<ReintegrationId, Reintegration>,
    standing: Option<ReintegrationId>,
}

/// A request to look for a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// The day of the request.
    pub requested_on: Date,
    /// What came of it, and when.
    pub answer: Option<(TracingOutcome, Date)>,
}

/// What came of looking for a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TracingOutcome {
    /// It was found.
    Found,
    /// It was not found.
    NotFound,
    /// It was found and does not want the person back.
    FamilyRefuses,
    /// It was found and is not safe.
    Unsafe,
}

/// What somebody thinks of a family after a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyAssessment {
    /// Its id.
    pub assessment_id: AssessmentId,
    /// The day of the visit.
    pub assessed_on: Date,
    /// Who visited, by staff number.
    pub by: StaffId,
    /// What they advise.
    pub recommendation: Recommendation,
    /// What threatens the person at home.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub risks: BTreeSet<HomeRisk>,
    /// Who was there when a child was questioned for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_adult: Option<ResponsibleAdult>,
}

/// What an assessment advises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Recommendation {
    /// The person can go home.
    Return,
    /// Not before something has changed.
    NotYet,
    /// Home is not safe.
    NotSafe,
}

/// What threatens somebody at home.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HomeRisk {
    /// Violence in the household.
    Violence,
    /// Sexual abuse in the household or nearby.
    SexualAbuse,
    /// Whoever sold or took the person is near.
    TraffickerNear,
    /// The household would sell or send the person away again.
    SentAwayAgain,
    /// Debts that the person would have to work off.
    Debt,
    /// Nobody there can care for the person.
    NoCarer,
    /// The family or the village turns the person away.
    Rejection,
}

/// The options for a child, in the order in which they are tried.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CareOption {
    /// The child stays with the family, with help.
    FamilyPreservation,
    /// The child goes back to the family.
    Reunification,
    /// The child lives with kin or foster parents for a time.
    KinOrFoster,
    /// The child lives in an institution for a time.
    Institution,
    /// The child lives elsewhere for good.
    Permanency,
}

/// Why an option was not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Impossible {
    /// The family is not known or not found.
    FamilyNotFound,
    /// The family refuses.
    FamilyRefuses,
    /// It would not be safe.
    NotSafe,
    /// The child does not want it.
    ChildRefuses,
    /// There is nobody who could do it.
    NobodyAvailable,
    /// It is being looked into; the child must sleep somewhere tonight.
    NotYetClear,
}

/// A decision about where a child lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its id.
    pub placement_id: PlacementId,
    /// The option.
    pub option: CareOption,
    /// Why each earlier option was not possible.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_possible: BTreeMap<CareOption, Impossible>,
    /// The day.
    pub decided_on: Date,
}

/// A decision to go home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reintegration {
    /// Its id.
    pub decision_id: ReintegrationId,
    /// The day.
    pub decided_on: Date,
    /// Where to.
    pub home: Home,
    /// On whose word. The person's own is always among them.
    pub agreed_by: BTreeSet<ConsentBasis>,
}

/// Where somebody goes home to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Home {
    /// The family.
    Family,
    /// Kin or foster parents.
    KinOrFoster,
    /// A place of their own. For adults.
    OwnPlace,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note that the home district was asked to look for the family.
    RequestTracing {
        /// The referral that asks for it.
        offer: OfferId,
        /// The day.
        requested_on: Date,
        /// Days until an answer is due.
        answer_days: i32,
    },
    /// Note what came of it.
    RecordAnswer {
        /// The referral that asked for it.
        offer: OfferId,
        /// What came of it.
        outcome: TracingOutcome,
        /// The day.
        answered_on: Date,
        /// Days until the family that was found must have been assessed.
        assessment_days: i32,
    },
    /// Note what the home district itself told of it.
    HearAnswer {
        /// The referral that asked for it.
        offer: OfferId,
        /// What came of it.
        outcome: TracingOutcome,
        /// The day.
        answered_on: Date,
        /// Days until the family that was found must have been assessed.
        assessment_days: i32,
    },
    /// Note what somebody thinks of the family.
    AssessFamily {
        /// What.
        assessment: FamilyAssessment,
        /// Whether the protection of a child is due.
        is_child: bool,
        /// Days until a family that cannot take the person back yet is visited again.
        assessment_days: i32,
    },
    /// Decide where a child lives.
    DecidePlacement {
        /// The decision.
        placement: Placement,
        /// Whether the protection of a child is due.
        is_child: bool,
    },
    /// Decide that the person goes home.
    DecideReintegration {
        /// The decision.
        decision: Reintegration,
        /// Whether the protection of a child is due.
        is_child: bool,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// The home district was asked to look for the family.
    TracingRequested { offer: OfferId, requested_on: Date, answer_due_on: Date },
    /// The home district answered; when a family was found, it is to be assessed until a day.
    TracingAnswered {
        offer: OfferId,
        outcome: TracingOutcome,
        answered_on: Date,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assessment_due_on: Option<Date>,
    },
    /// Somebody visited the family; when it is not yet time, it is to be visited again until a day.
    FamilyAssessed {
        #[serde(flatten)]
        assessment: FamilyAssessment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_due_on: Option<Date>,
    },
    /// It was decided where a child lives.
    PlacementDecided {
        #[serde(flatten)]
        placement: Placement,
    },
    /// It was decided that the person goes home.
    ReintegrationDecided {
        #[serde(flatten)]
        decision: Reintegration,
    },
}

impl Aggregate for Homecoming {
    const CATEGORY: &'static str = "homecoming";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::RequestTracing { offer, requested_on, answer_days } => {
                self.request_tracing(offer, requested_on, answer_days)
            }
            Command::RecordAnswer { offer, outcome, answered_on, assessment_days } => {
                self.record_answer(offer, outcome, answered_on, assessment_days)
            }
            Command::HearAnswer { offer, outcome, answered_on, assessment_days } => {
                Ok(self.hear_answer(offer, outcome, answered_on, assessment_days))
            }
            Command::AssessFamily { assessment, is_child, assessment_days } => {
                self.assess(assessment, is_child, assessment_days)
            }
            Command::DecidePlacement { placement, is_child } => self.place(placement, is_child),
            Command::DecideReintegration { decision, is_child } => self.decide_return(decision, is_child),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::TracingRequested { offer, requested_on, .. } => {
                self.tracings.insert(offer, Tracing { requested_on, answer: None });
            }
            Event::TracingAnswered { offer, outcome, answered_on, .. } => {
                if let Some(tracing) = self.tracings.get_mut(&offer) {
                    tracing.answer = Some((outcome, answered_on));
                }
            }
            Event::FamilyAssessed { assessment, .. } => {
                let is_latest = self.latest().is_none_or(|latest| latest.assessed_on <= assessment.assessed_on);
                if is_latest {
                    self.latest = Some(assessment.assessment_id);
                    // What was decided before rests on what is no longer so.
                    if assessment.recommendation != Recommendation::Return {
                        self.standing = None;
                    }
                }
                self.assessments.insert(assessment.assessment_id, assessment);
            }
            Event::PlacementDecided { placement } => {
                self.placements.insert(placement.placement_id, placement);
            }
            Event::ReintegrationDecided { decision } => {
                self.standing = Some(decision.decision_id);
                self.decisions.insert(decision.decision_id, decision);
            }
        }
        self
    }
}

impl Homecoming {
    /// The decision to go home that stands; none when there is none, or a later assessment spoke against it.
    pub fn decision(&self) -> Option<&Reintegration> {
        self.decisions.get(self.standing.as_ref()?)
    }

    /// All requests to look for the family.
    pub fn tracings(&self) -> impl Iterator<Item = (OfferId, &Tracing)> {
        self.tracings.iter().map(|(offer, tracing)| (*offer, tracing))
    }

    /// All assessments of families.
    pub fn assessments(&self) -> impl Iterator<Item = &FamilyAssessment> {
        self.assessments.values()
    }

    /// All decisions about where a child lives.
    pub fn placements(&self) -> impl Iterator<Item = &Placement> {
        self.placements.values()
    }

    fn latest(&self) -> Option<&FamilyAssessment> {
        self.assessments.get(self.latest.as_ref()?)
    }

    fn request_tracing(&self, offer: OfferId, requested_on: Date, answer_days: i32) -> Result<Vec<Event>, Error> {
        match self.tracings.get(&offer) {
            Some(known) if known.requested_on == requested_on => Ok(vec![]),
            Some(_) => Err(Error::IdTaken),
            None => {
                let answer_due_on = requested_on.plus_days(answer_days);
                Ok(vec![Event::TracingRequested { offer, requested_on, answer_due_on }])
            }
        }
    }

    fn record_answer(
        &self,
        offer: OfferId,
        outcome: TracingOutcome,
        answered_on: Date,
        assessment_days: i32,
    ) -> Result<Vec<Event>, Error> {
        let tracing = self.tracings.get(&offer).ok_or(Error::NoSuchTracing)?;
        match tracing.answer {
            Some(known) if known == (outcome, answered_on) => return Ok(vec![]),
            Some(_) => return Err(Error::TracingAnsweredAlready),
            None => {}
        }
        if answered_on < tracing.requested_on {
            return Err(Error::AnsweredBeforeRequest);
        }
        Ok(vec![Self::answered(offer, outcome, answered_on, assessment_days)])
    }

    /// What was entered by hand stands. A request that nobody wrote down is as old as its answer.
    fn hear_answer(
        &self,
        offer: OfferId,
        outcome: TracingOutcome,
        answered_on: Date,
        assessment_days: i32,
    ) -> Vec<Event> {
        let answered = Self::answered(offer, outcome, answered_on, assessment_days);
        match self.tracings.get(&offer) {
            Some(Tracing { answer: Some(_), .. }) => vec![],
            Some(_) => vec![answered],
            None => {
                let requested =
                    Event::TracingRequested { offer, requested_on: answered_on, answer_due_on: answered_on };
                vec![requested, answered]
            }
        }
    }

    fn answered(offer: OfferId, outcome: TracingOutcome, answered_on: Date, assessment_days: i32) -> Event {
        let found = outcome == TracingOutcome::Found;
        let assessment_due_on = found.then(|| answered_on.plus_days(assessment_days));
        Event::TracingAnswered { offer, outcome, answered_on, assessment_due_on }
    }

    fn assess(&self, assessment: FamilyAssessment, is_child: bool, assessment_days: i32) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.assessments.get(&assessment.assessment_id) {
            return if *known == assessment { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        let contradiction = match assessment.recommendation {
            Recommendation::Return => !assessment.risks.is_empty(),
            Recommendation::NotSafe => assessment.risks.is_empty(),
            Recommendation::NotYet => false,
        };
        if contradiction {
            return Err(Error::RisksContradictAdvice);
        }
        if is_child && assessment.responsible_adult.is_none() {
            return Err(Error::ResponsibleAdultMissing);
        }
        let again = assessment.recommendation == Recommendation::NotYet;
        let again_due_on = again.then(|| assessment.assessed_on.plus_days(assessment_days));
        Ok(vec![Event::FamilyAssessed { assessment, again_due_on }])
    }

    fn place(&self, placement: Placement, is_child: bool) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.placements.get(&placement.placement_id) {
            return if *known == placement { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        if !is_child {
            return Err(Error::NotAChild);
        }
        if !placement.not_possible.keys().copied().eq(placement.option.earlier()) {
            return Err(Error::EarlierOptionsNotExplained);
        }
        Ok(vec![Event::PlacementDecided { placement }])
    }

    fn decide_return(&self, decision: Reintegration, is_child: bool) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.decisions.get(&decision.decision_id) {
            return if *known == decision { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        if !decision.agreed_by.contains(&ConsentBasis::Person) {
            return Err(Error::PersonHasNotAgreed);
        }
        if is_child && decision.agreed_by.len() < 2 {
            return Err(Error::NobodyAgreedForChild);
        }
        if is_child && decision.home == Home::OwnPlace {
            return Err(Error::ChildWithoutHousehold);
        }
        match (self.latest(), decision.home) {
            // Those who live on their own go back to nobody; what is known of the family does not keep them.
            (_, Home::OwnPlace) => {}
            (None, _) => return Err(Error::HomeNotAssessed),
            (Some(latest), _) if latest.recommendation != Recommendation::Return => return Err(Error::RiskAtHome),
            (Some(latest), _) if decision.decided_on < latest.assessed_on => {
                return Err(Error::DecidedBeforeAssessment);
            }
            _ => {}
        }
        Ok(vec![Event::ReintegrationDecided { decision }])
    }
}

impl CareOption {
    /// The options before this one.
    fn earlier(self) -> impl Iterator<Item = Self> {
        <Self as strum::IntoEnumIterator>::iter().take_while(move |option| *option < self)
    }
}
