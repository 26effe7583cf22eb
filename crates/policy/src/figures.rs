//! What a policy says. Names end with their unit; `deploy/policy.toml` says where each figure comes from.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use spean_vocabulary::Urgency;

use crate::PolicyError;

/// All figures of an agency.
///
/// Stored with the events of every service: add fields, never rename or remove. A field that is left out, in a file of
/// today or in an event of years ago, is as in [`Policy::standard`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long an office has to answer an offer, and what follows when it does not.
    pub answer: Answer,
    /// Visits after somebody went home.
    pub visits: Visits,
    /// The coordination meeting of a province.
    pub meeting: Meeting,
    /// The steps of a repatriation between two countries.
    pub repatriation: Repatriation,
    /// Waiting for a place.
    pub waiting_list: WaitingList,
    /// Shelters.
    pub shelter: Shelter,
    /// Until when the parts of a file are due.
    pub file: File,
    /// Looking for a family.
    pub tracing: Tracing,
    /// Plans for somebody in danger.
    pub safety_plan: SafetyPlan,
    /// Money that people wait for.
    pub expenses: Expenses,
}

/// Deadlines of an offer, by its urgency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// Somebody is in danger.
    #[serde(deserialize_with = "emergency")]
    pub emergency: Deadlines,
    /// Within days.
    #[serde(deserialize_with = "urgent")]
    pub urgent: Deadlines,
    /// Within weeks.
    #[serde(deserialize_with = "routine")]
    pub routine: Deadlines,
}

/// The steps of the ladder on which silence is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// Hours from the offer until an answer is due; the receiving office is reminded then.
    pub answer_within_hours: i64,
    /// Hours after the due date until the office above the receiver is told.
    pub tell_office_above_after_hours: i64,
    /// Hours after the due date until the offer goes to the office above.
    pub escalate_after_hours: i64,
}

/// Visits after somebody went home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visits {
    /// For so many months. Longer only by a decision of the meeting.
    pub months: i32,
    /// One visit every so many months.
    pub every_months: i32,
    /// A visit that was due counts as late after so many days.
    pub late_after_days: i32,
}

/// The coordination meeting of a province.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Meeting {
    /// It meets every so many months.
    pub every_months: i32,
    /// Who must at least be there for it to decide.
    pub quorum: Quorum,
}

/// The least number of offices present, by kind of agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quorum {
    /// Provincial departments of social affairs: the chair.
    pub provincial_offices: i32,
    /// District offices of social affairs.
    pub district_offices: i32,
    /// Organisations other than the government's.
    pub organisations: i32,
}

/// Days that each step of a repatriation may take before it is late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repatriation {
    /// From the request until it is taken up by its owner.
    pub request_days: i32,
    /// Collecting the documents.
    pub documents_days: i32,
    /// Confirming the nationality.
    pub nationality_check_days: i32,
    /// Approval by the other country.
    pub approval_abroad_days: i32,
    /// Approval by the ministry.
    pub approval_at_home_days: i32,
    /// From the approvals until the person travels.
    pub travel_days: i32,
    /// From the journey until somebody has received the person.
    pub reception_days: i32,
}

/// Waiting for a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitingList {
    /// Hours for which a place that became free is kept for the one who waited for it.
    pub place_held_for_hours: i64,
}

/// Shelters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shelter {
    /// Days from admission until there is a care plan.
    pub plan_within_days: i32,
    /// Days until a care plan is looked at again.
    pub plan_review_every_days: i32,
    /// Days of absence after which somebody is looked for: contact is lost.
    pub tracing_after_absent_days: i32,
    /// Days of absence after which the bed may be given to somebody else; the stay goes on.
    pub bed_released_after_absent_days: i32,
}

/// Days from the opening of a case until a part of its file is due. A missing part is shown, and stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Who the person is, and where home is.
    pub identity_due_after_days: i32,
    /// What the person agreed to.
    pub consent_due_after_days: i32,
    /// What happened, and what the person needs.
    pub assessment_due_after_days: i32,
    /// What is to be done.
    pub plan_due_after_days: i32,
}

/// Days that each step of looking for a family may take before it is late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracing {
    /// From the request to the home district until it answers.
    pub answer_days: i32,
    /// From the family being found until it has been assessed.
    pub assessment_days: i32,
}

/// Plans for somebody in danger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SafetyPlan {
    /// Hours from the report of a danger until a safety plan is due.
    pub due_within_hours: i64,
}

/// Days after which money that people wait for is late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expenses {
    /// From the request of an emergency grant until it is paid.
    pub emergency_fund_days: i32,
    /// From the expense of a visit until it is paid back.
    pub visit_expenses_days: i32,
}

const EMERGENCY: Deadlines =
    Deadlines { answer_within_hours: 4, tell_office_above_after_hours: 2, escalate_after_hours: 4 };
const URGENT: Deadlines =
    Deadlines { answer_within_hours: 48, tell_office_above_after_hours: 24, escalate_after_hours: 48 };
const ROUTINE: Deadlines =
    Deadlines { answer_within_hours: 7 * 24, tell_office_above_after_hours: 3 * 24, escalate_after_hours: 7 * 24 };

impl Policy {
    /// The policy of an agency that wrote none.
    pub fn standard() -> Self {
        Self::default()
    }

    /// Reads and checks a file. What it leaves out is as in the standard.
    ///
    /// # Errors
    /// The field that cannot be, and why.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::malformed(&error))?;
        policy.check()?;
        Ok(policy)
    }

    /// SHA-256 over all its figures, in hexadecimal.
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("figures under names are always JSON");
        Sha256::digest(json).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// Every figure with the path of its field, in alphabetical order: `answer.urgent.answer_within_hours`, 48.
    pub fn figures(&self) -> Vec<(String, i64)> {
        fn collect(path: &str, value: &serde_json::Value, figures: &mut Vec<(String, i64)>) {
            if let Some(fields) = value.as_object() {
                for (name, value) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    collect(&path, value, figures);
                }
            } else if let Some(figure) = value.as_i64() {
                figures.push((path.to_owned(), figure));
            }
        }
        let json = serde_json::to_value(self).expect("figures under names are always JSON");
        let mut figures = Vec::new();
        collect("", &json, &mut figures);
        figures.sort();
        figures
    }
}

impl Answer {
    /// The deadlines of one urgency.
    pub const fn of(&self, urgency: Urgency) -> Deadlines {
        match urgency {
            Urgency::Emergency => self.emergency,
            Urgency::Urgent => self.urgent,
            Urgency::Routine => self.routine,
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { emergency: EMERGENCY, urgent: URGENT, routine: ROUTINE }
    }
}

impl Default for Visits {
    fn default() -> Self {
        Self { months: 12, every_months: 1, late_after_days: 7 }
    }
}

impl Default for Meeting {
    fn default() -> Self {
        Self { every_months: 2, quorum: Quorum::default() }
    }
}

impl Default for Quorum {
    fn default() -> Self {
        Self { provincial_offices: 1, district_offices: 1, organisations: 1 }
    }
}

impl Default for Repatriation {
    fn default() -> Self {
        Self {
            request_days: 3,
            documents_days: 14,
            nationality_check_days: 30,
            approval_abroad_days: 14,
            approval_at_home_days: 14,
            travel_days: 14,
            reception_days: 1,
        }
    }
}

impl Default for WaitingList {
    fn default() -> Self {
        Self { place_held_for_hours: 48 }
    }
}

impl Default for Shelter {
    fn default() -> Self {
        Self {
            plan_within_days: 14,
            plan_review_every_days: 90,
            tracing_after_absent_days: 3,
            bed_released_after_absent_days: 14,
        }
    }
}

impl Default for File {
    fn default() -> Self {
        Self {
            identity_due_after_days: 7,
            consent_due_after_days: 7,
            assessment_due_after_days: 14,
            plan_due_after_days: 30,
        }
    }
}

impl Default for Tracing {
    fn default() -> Self {
        Self { answer_days: 30, assessment_days: 30 }
    }
}

impl Default for SafetyPlan {
    fn default() -> Self {
        Self { due_within_hours: 24 }
    }
}

impl Default for Expenses {
    fn default() -> Self {
        Self { emergency_fund_days: 14, visit_expenses_days: 90 }
    }
}

/// Deadlines of which a file may leave out some: those are as in the standard of the same urgency.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names end with their unit")]
struct SomeDeadlines {
    answer_within_hours: Option<i64>,
    tell_office_above_after_hours: Option<i64>,
    escalate_after_hours: Option<i64>,
}

impl SomeDeadlines {
    fn or(self, standard: Deadlines) -> Deadlines {
        Deadlines {
            answer_within_hours: self.answer_within_hours.unwrap_or(standard.answer_within_hours),
            tell_office_above_after_hours: self
                .tell_office_above_after_hours
                .unwrap_or(standard.tell_office_above_after_hours),
            escalate_after_hours: self.escalate_after_hours.unwrap_or(standard.escalate_after_hours),
        }
    }
}

fn emergency<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Deadlines, D::Error> {
    SomeDeadlines::deserialize(deserializer).map(|some| some.or(EMERGENCY))
}

fn urgent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Deadlines, D::Error> {
    SomeDeadlines::deserialize(deserializer).map(|some| some.or(URGENT))
}

fn routine<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Deadlines, D::Error> {
    SomeDeadlines::deserialize(deserializer).map(|some| some.or(ROUTINE))
}
