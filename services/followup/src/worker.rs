//! Who in an office looks after a case, or after another duty. A staff number, never a name.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{OfficeId, StaffId};

use crate::codes::Duty;

/// The worker of one case or duty in one office.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    worker: Option<StaffId>,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Give it to a worker.
    Assign {
        /// What kind of work.
        duty: Duty,
        /// Id of the case or duty.
        item: String,
        /// To whom.
        worker: StaffId,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A worker has it.
    Assigned {
        /// What kind of work.
        duty: Duty,
        /// Id of the case or duty.
        item: String,
        /// In which office.
        office: OfficeId,
        /// Who.
        worker: StaffId,
    },
}

/// There is no reason to refuse: whoever may ask may assign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        match *self {}
    }

    fn fault(&self) -> Fault {
        match *self {}
    }
}

impl Aggregate for Assignment {
    const CATEGORY: &'static str = "assignment";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let Command::Assign { duty, item, worker } = command;
        let office = context.office.clone();
        let done = self.worker.as_ref() == Some(&worker);
        Ok(if done { vec![] } else { vec![Event::Assigned { duty, item, office, worker }] })
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::Assigned { worker, .. } = event;
        self.worker = Some(worker.clone());
        self
    }
}

/// The stream of an assignment.
pub fn stream(office: &OfficeId, duty: Duty, item: &str) -> String {
    format!("{office}/{duty}/{item}")
}

#[cfg(test)]
mod tests;
