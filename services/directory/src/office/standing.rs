//! How an office stands on a day: by the edition in force, and by what was declared since.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{Date, OfficeId, Timestamp};

/// How an office ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The first day on which it is closed.
    pub closed_on: Date,
    /// The office that follows it; none means that the office above is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<OfficeId>,
}

/// Whether an office can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody works there.
    Open,
    /// It exists and nobody works there.
    Unstaffed,
    /// It is closed for good.
    Closed,
}

/// Why something was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The staff are away.
    StaffAway,
    /// The post is vacant.
    PostVacant,
    /// Flood, epidemic, unrest.
    Emergency,
    /// No electricity, network or transport.
    NoMeans,
    /// It moves to another building.
    Moving,
    /// Somebody works there again.
    StaffBack,
    /// Something else.
    Other,
}

/// What was declared of an office between two editions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The office that says so: itself, or one above.
    pub declared_by: OfficeId,
    /// Higher than all that were known where it was made. Of two with the same number that of the greater code counts.
    pub version: i64,
    /// Open or unstaffed.
    pub status: Status,
    /// The office that stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<OfficeId>,
    /// The first day of it.
    pub from_day: Date,
    /// The last day of it; none means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_day: Option<Date>,
    /// Why.
    pub reason: Reason,
    /// When it was recorded where it was made.
    pub declared_at: Timestamp,
}

/// How an office stands on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether it can be written to.
    pub status: Status,
    /// Who stands in for an office where nobody works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<OfficeId>,
    /// Who follows a closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<OfficeId>,
    /// The first day of it, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<Date>,
    /// The last day of it; none means until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_day: Option<Date>,
}

impl Declaration {
    /// Whether it says how the office stands on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.from_day <= day && self.until_day.is_none_or(|until_day| day <= until_day)
    }

    /// By what it counts against another one: at every node the same.
    pub fn order(&self) -> (i64, &OfficeId) {
        (self.version, &self.declared_by)
    }
}

/// Of several declarations the one that counts on a day.
pub fn counting(declarations: &[Declaration], day: Date) -> Option<&Declaration> {
    declarations.iter().filter(|declaration| declaration.covers(day)).max_by_key(|declaration| declaration.order())
}

/// How an office stands on a day, by the edition in force and by what was declared. An edition that closes it counts
/// against every declaration.
pub fn standing(closing: Option<&Closing>, staffed: bool, declarations: &[Declaration], day: Date) -> Standing {
    if let Some(closing) = closing.filter(|closing| closing.closed_on <= day) {
        let successor = closing.successor.clone();
        let from_day = Some(closing.closed_on);
        return Standing { status: Status::Closed, stand_in: None, successor, from_day, until_day: None };
    }
    let nothing = Standing { status: Status::Open, stand_in: None, successor: None, from_day: None, until_day: None };
    match counting(declarations, day) {
        Some(declaration) => Standing {
            status: declaration.status,
            stand_in: declaration.stand_in.clone(),
            from_day: Some(declaration.from_day),
            until_day: declaration.until_day,
            ..nothing
        },
        None if staffed => nothing,
        None => Standing { status: Status::Unstaffed, ..nothing },
    }
}
