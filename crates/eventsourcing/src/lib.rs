//! Event sourcing in one trait: commands ask, events tell, state is folded from events and from nowhere else.
//!
//! No input or output, no clock, nothing asynchronous. What an aggregate decides is a pure function of its state, the
//! command and the circumstances; [`specification`] turns that into given-when-then.

pub mod specification;

use serde::Serialize;
use serde::de::DeserializeOwned;
use spean_vocabulary::{OfficeId, StaffId, Timestamp};

/// One thing with rules of its own, folded from its stream of events.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// First part of the stream's name: `case`, `custody`. Stored for ever, so never renamed.
    const CATEGORY: &'static str;

    /// What may be asked. Facts from elsewhere are looked up first and put into the command.
    type Command: Clone + Send + 'static;
    /// What happened. Stored for ever: add variants and optional fields, never rename or remove.
    type Event: Serialize + DeserializeOwned + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static;
    /// Why not: the sentence that the caller will hear.
    type Error: std::fmt::Debug + PartialEq + Send + Sync + 'static;
    /// Who asks and when. Nearly always [`Context`].
    type Context: Sync;

    /// The rule: events; or an error; or nothing, because it was already done.
    fn decide(&self, command: Self::Command, context: &Self::Context) -> Result<Vec<Self::Event>, Self::Error>;

    /// The state after an event. Has no rules and cannot fail.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// The state after all these events, from the beginning.
    fn fold<'e>(events: impl IntoIterator<Item = &'e Self::Event>) -> Self {
        events.into_iter().fold(Self::default(), Self::evolve)
    }
}

/// Who asks, for which office, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The office that the caller acts for.
    pub office: OfficeId,
    /// The member of staff, or none when the system itself acts: a timer, or news from a peer.
    pub staff: Option<StaffId>,
    /// The time of the decision, by the node's clock.
    pub now: Timestamp,
}

/// Why a command was refused, in a form that every edge of the system can pass on.
///
/// The variant's name in `SCREAMING_SNAKE_CASE` is the machine-readable reason; `Display` is the sentence for people.
pub trait Refusal: std::fmt::Display {
    /// The machine-readable reason, such as `ALREADY_ANSWERED`.
    fn reason(&self) -> &'static str;

    /// What kind of fault it is. Most rules forbid something *now*.
    fn fault(&self) -> Fault {
        Fault::ForbiddenNow
    }
}

/// The kinds of refusal, as a caller must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A field of the request is wrong and would be wrong at any time; the path of the field.
    Field(&'static str),
    /// The rules forbid it in the present state.
    ForbiddenNow,
    /// There is no such thing, or the caller may not know of it: the same answer for both.
    NotThere,
    /// The caller may see it, but it is not theirs to do.
    NotTheirs,
}
