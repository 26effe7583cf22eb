//! Given-when-then: what happened, what is asked, and what must follow. Every accepted command is sent twice.

use std::fmt::Debug;

use crate::Aggregate;

/// What happened before.
#[derive(Debug)]
pub struct Given<A: Aggregate> {
    state: A,
}

/// What came of the command.
#[derive(Debug)]
pub struct When<'c, A: Aggregate> {
    state: A,
    command: A::Command,
    context: &'c A::Context,
    outcome: Result<Vec<A::Event>, A::Error>,
}

/// Starts a specification from the events so far.
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let events: Vec<_> = events.into_iter().collect();
    Given { state: A::fold(&events) }
}

impl<A: Aggregate> Given<A> {
    /// Asks for something.
    pub fn when(self, context: &A::Context, command: A::Command) -> When<'_, A> {
        let outcome = self.state.decide(command.clone(), context);
        When { state: self.state, command, context, outcome }
    }
}

impl<A: Aggregate> When<'_, A> {
    /// It must lead to exactly these events, and asking again to nothing at all.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>)
    where
        A::Error: Debug,
    {
        let expected: Vec<_> = expected.into_iter().collect();
        let events = self.outcome.expect("the command was refused");
        assert_eq!(events, expected);
        let after = events.iter().fold(self.state, A::evolve);
        let again = after.decide(self.command, self.context);
        assert_eq!(again, Ok(vec![]), "doing it again must change nothing");
    }

    /// Nothing must follow: it was already done.
    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.outcome, Ok(vec![]));
    }

    /// It must be refused, with this reason.
    #[track_caller]
    pub fn then_error(self, expected: &A::Error) {
        match self.outcome {
            Ok(events) => panic!("expected {expected:?}, but it led to {events:?}"),
            Err(error) => assert_eq!(&error, expected),
        }
    }
}
