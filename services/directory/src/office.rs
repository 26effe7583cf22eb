//! One office, from the edition that opens it to the one that closes it, and what was declared of it in between.
//!
//! Editions come seldom and say what stays; a declaration comes at once and says who is away until when. What holds on a
//! day follows from both. Whenever what holds *today* is not what was last told, [`Event::Stands`] tells it, so that a
//! declaration ends by itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_identity::OfficeLevel;
use spean_vocabulary::{Date, NodeId, OfficeId, PlaceCode};

mod standing;

pub use standing::{Closing, Declaration, Reason, Standing, Status, counting, standing};

/// An office as the log of this node knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Office {
    edition: u64,
    details: Option<Details>,
    opened_on: Option<Date>,
    closing: Option<Closing>,
    post_vacant: bool,
    predecessors: BTreeSet<OfficeId>,
    declarations: Vec<Declaration>,
    told: Option<Standing>,
    /// The edition whose newcomers were told last.
    told_to: u64,
}

/// What an edition of the directory says of an office that stays the same for years.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The node that serves it.
    pub node: NodeId,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Khmer.
    pub name_km: String,
    /// What it is there for.
    pub level: OfficeLevel,
    /// Where it is, or what it serves.
    pub place: PlaceCode,
    /// The office above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<OfficeId>,
}

/// All that an edition says of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What stays the same.
    pub details: Details,
    /// The first day on which it works, if anybody wrote it down.
    pub opened_on: Option<Date>,
    /// When it closes, if it does.
    pub closing: Option<Closing>,
    /// Whether anybody works there by the edition.
    pub staffed: bool,
    /// The offices that it follows, each with the day on which that one closes.
    pub predecessors: Vec<(OfficeId, Date)>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note what an edition of the directory says, and look whether what holds today was told.
    Take {
        /// The edition.
        edition: u64,
        /// What it says of this office.
        entry: Box<Entry>,
    },
    /// Say how the office stands for a while.
    Declare {
        /// What is said. Its version is made here.
        said: Said,
        /// What the directory says of those concerned.
        facts: Facts,
    },
    /// Note what an office of another node declared, or what our own declared before a restore from a backup.
    Hear {
        /// What was declared.
        declaration: Declaration,
    },
    /// Tell again what our offices declared and still holds, for nodes that have joined the network since.
    Repeat {
        /// The edition of the directory that names them.
        edition: u64,
        /// Our offices.
        ours: BTreeSet<OfficeId>,
    },
}

/// What somebody says of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Open or unstaffed.
    pub status: Status,
    /// Who stands in; none means the office above.
    pub stand_in: Option<OfficeId>,
    /// The first day; none means today.
    pub from_day: Option<Date>,
    /// The last day; none means until further notice.
    pub until_day: Option<Date>,
    /// Why.
    pub reason: Reason,
}

/// What the directory says of the offices that a declaration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Who may speak: the office itself and those above it.
    pub may_speak: BTreeSet<OfficeId>,
    /// Whether the office is closed today.
    pub closed: bool,
    /// Whether the office that is to stand in exists and is not closed today; true when none is named.
    pub stand_in_exists: bool,
    /// Whether the office that is to stand in is this very office.
    pub stands_in_for_itself: bool,
}

/// Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An edition names it for the first time.
    Opened {
        /// The edition.
        edition: u64,
        /// The first day on which it works, if anybody wrote it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opened_on: Option<Date>,
        /// What it says.
        details: Details,
    },
    /// An edition says something else of it.
    Amended {
        /// The edition.
        edition: u64,
        /// The first day on which it works, if anybody wrote it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opened_on: Option<Date>,
        /// What it says now.
        details: Details,
    },
    /// An edition closes it.
    Closed {
        /// The edition.
        edition: u64,
        /// How.
        #[serde(flatten)]
        closing: Closing,
    },
    /// A later edition says that it does not close.
    Reopened {
        /// The edition.
        edition: u64,
    },
    /// It follows an office that closes.
    Succeeded {
        /// The edition.
        edition: u64,
        /// The office that closes.
        predecessor: OfficeId,
        /// The first day on which that one is closed.
        on: Date,
    },
    /// By an edition nobody works there.
    PostVacated {
        /// The edition.
        edition: u64,
    },
    /// By an edition somebody works there again.
    PostFilled {
        /// The edition.
        edition: u64,
    },
    /// An office of this node declared how it stands.
    Declared(Declaration),
    /// An office of another node declared how it stands.
    Heard(Declaration),
    /// It was declared before, and said again for nodes that have joined the network since.
    Repeated {
        /// The edition that names them.
        edition: u64,
        /// What was declared.
        #[serde(flatten)]
        declaration: Declaration,
    },
    /// From now on it stands like this.
    Stands(Standing),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Neither the office itself nor one above it asks.
    #[error("only the office itself or an office above it says how it stands")]
    NotAboveThisOffice,
    /// It is closed for good.
    #[error("the office is closed; an edition of the directory says who follows it")]
    OfficeClosed,
    /// A closure is declared.
    #[error("an office is closed by an edition of the directory, not by a declaration")]
    ClosedByEditionOnly,
    /// The stand-in is unknown or closed.
    #[error("the office that is to stand in does not exist or is closed")]
    NoSuchStandIn,
    /// The office stands in for itself.
    #[error("an office cannot stand in for itself")]
    StandsInForItself,
    /// An open office needs no stand-in.
    #[error("nobody stands in for an office where somebody works")]
    StandInForOpen,
    /// The last day lies before the first.
    #[error("it ends before it begins")]
    EndsBeforeItBegins,
    /// The last day has passed.
    #[error("its last day has passed already")]
    OverAlready,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotAboveThisOffice => Fault::NotTheirs,
            Self::OfficeClosed => Fault::ForbiddenNow,
            Self::ClosedByEditionOnly => Fault::Field("status"),
            Self::NoSuchStandIn | Self::StandsInForItself | Self::StandInForOpen => Fault::Field("stand_in_office_id"),
            Self::EndsBeforeItBegins | Self::OverAlready => Fault::Field("until_day"),
        }
    }
}

impl Aggregate for Office {
    const CATEGORY: &'static str = "office";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let today = context.now.date_in_cambodia();
        let events = match command {
            Command::Take { edition, entry } => self.take(edition, *entry),
            Command::Declare { said, facts } => self.declare(said, &facts, context)?,
            Command::Hear { declaration } => self.hear(declaration),
            Command::Repeat { edition, ours } => return Ok(self.repeat(edition, &ours, today)),
        };
        let after = events.iter().fold(self.clone(), Self::evolve);
        Ok(events.into_iter().chain(after.look(today)).collect())
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { edition, opened_on, details } | Event::Amended { edition, opened_on, details } => {
                self.edition = *edition;
                self.opened_on = *opened_on;
                self.details = Some(details.clone());
            }
            Event::Closed { edition, closing } => {
                self.edition = *edition;
                self.closing = Some(closing.clone());
            }
            Event::Reopened { edition } => {
                self.edition = *edition;
                self.closing = None;
            }
            Event::Succeeded { edition, predecessor, .. } => {
                self.edition = *edition;
                self.predecessors.insert(predecessor.clone());
            }
            Event::PostVacated { edition } => (self.edition, self.post_vacant) = (*edition, true),
            Event::PostFilled { edition } => (self.edition, self.post_vacant) = (*edition, false),
            Event::Declared(declaration) | Event::Heard(declaration) => self.declarations.push(declaration.clone()),
            Event::Repeated { edition, .. } => self.told_to = *edition,
            Event::Stands(standing) => self.told = Some(standing.clone()),
        }
        self
    }
}

impl Office {
    fn take(&self, edition: u64, entry: Entry) -> Vec<Event> {
        if edition < self.edition {
            return vec![];
        }
        let Entry { details, opened_on, closing, staffed, predecessors } = entry;
        let mut events = vec![];
        match &self.details {
            None => events.push(Event::Opened { edition, opened_on, details }),
            Some(before) if *before != details || self.opened_on != opened_on => {
                events.push(Event::Amended { edition, opened_on, details });
            }
            Some(_) => {}
        }
        match closing {
            Some(closing) if self.closing.as_ref() != Some(&closing) => events.push(Event::Closed { edition, closing }),
            None if self.closing.is_some() => events.push(Event::Reopened { edition }),
            _ => {}
        }
        for (predecessor, on) in predecessors {
            if !self.predecessors.contains(&predecessor) {
                events.push(Event::Succeeded { edition, predecessor, on });
            }
        }
        match (self.post_vacant, staffed) {
            (false, false) => events.push(Event::PostVacated { edition }),
            (true, true) => events.push(Event::PostFilled { edition }),
            _ => {}
        }
        events
    }

    fn declare(&self, said: Said, facts: &Facts, context: &Context) -> Result<Vec<Event>, Error> {
        let today = context.now.date_in_cambodia();
        if !facts.may_speak.contains(&context.office) {
            return Err(Error::NotAboveThisOffice);
        }
        if facts.closed {
            return Err(Error::OfficeClosed);
        }
        let Said { status, stand_in, from_day, until_day, reason } = said;
        match status {
            Status::Closed => return Err(Error::ClosedByEditionOnly),
            Status::Open if stand_in.is_some() => return Err(Error::StandInForOpen),
            _ if facts.stands_in_for_itself => return Err(Error::StandsInForItself),
            _ if !facts.stand_in_exists => return Err(Error::NoSuchStandIn),
            _ => {}
        }
        let last = self.declarations.iter().max_by_key(|declaration| declaration.order());
        let again = last.is_some_and(|last| {
            last.declared_by == context.office
                && (last.status, &last.stand_in, last.until_day, last.reason) == (status, &stand_in, until_day, reason)
                // Said again without a first day, it began when it began.
                && from_day.map_or(last.from_day <= today, |from_day| from_day == last.from_day)
        });
        if again {
            return Ok(vec![]);
        }
        let from_day = from_day.unwrap_or(today);
        if until_day.is_some_and(|until_day| until_day < from_day) {
            return Err(Error::EndsBeforeItBegins);
        }
        if until_day.is_some_and(|until_day| until_day < today) {
            return Err(Error::OverAlready);
        }
        let version = last.map_or(1, |last| last.version + 1);
        let (declared_by, declared_at) = (context.office.clone(), context.now);
        let declaration =
            Declaration { declared_by, version, status, stand_in, from_day, until_day, reason, declared_at };
        Ok(vec![Event::Declared(declaration)])
    }

    fn hear(&self, declaration: Declaration) -> Vec<Event> {
        let known = self.declarations.iter().any(|known| known.order() == declaration.order());
        if known { vec![] } else { vec![Event::Heard(declaration)] }
    }

    fn look(&self, today: Date) -> Option<Event> {
        let open = Standing { status: Status::Open, stand_in: None, successor: None, from_day: None, until_day: None };
        let standing = standing(self.closing.as_ref(), !self.post_vacant, &self.declarations, today);
        // Nobody needs to be told that an office where nothing was ever amiss is open.
        (standing != *self.told.as_ref().unwrap_or(&open)).then_some(Event::Stands(standing))
    }

    fn repeat(&self, edition: u64, ours: &BTreeSet<OfficeId>, today: Date) -> Vec<Event> {
        if self.told_to >= edition {
            return vec![];
        }
        let still = self.declarations.iter().filter(|declaration| {
            ours.contains(&declaration.declared_by) && declaration.until_day.is_none_or(|until_day| today <= until_day)
        });
        still.map(|declaration| Event::Repeated { edition, declaration: declaration.clone() }).collect()
    }
}

#[cfg(test)]
mod tests;
