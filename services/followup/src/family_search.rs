//! What came of looking for a family: said by the office at home that was asked for it, heard by the one that asked.

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, Date, OfferId, OfficeId};

use crate::codes::FamilySearchOutcome;

/// One search, by the offer that asked for it. Between two offices of one node both ends are in it.
#[derive(Clone, Debug, Default)]
pub struct FamilySearch {
    given: Option<Answer>,
    heard: Option<Answer>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The case.
    pub case: CaseId,
    /// The offer that asked.
    pub offer: OfferId,
    /// The office that looked.
    pub from: OfficeId,
    /// The office that asked.
    pub to: OfficeId,
    /// What came of it.
    pub outcome: FamilySearchOutcome,
    /// The day.
    pub answered_on: Date,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Answer.
    Give(Answer),
    /// Note the answer of another office.
    Hear(Answer),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An office answered.
    AnswerGiven(Answer),
    /// The office that asked has heard it.
    AnswerHeard(Answer),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// It was answered.
    #[error("this request was answered in another way or on another day")]
    AnsweredOtherwise,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        Fault::ForbiddenNow
    }
}

impl Aggregate for FamilySearch {
    const CATEGORY: &'static str = "family_search";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        let (known, event) = match command {
            Command::Give(answer) => (&self.given, Event::AnswerGiven(answer)),
            Command::Hear(answer) => (&self.heard, Event::AnswerHeard(answer)),
        };
        match known {
            None => Ok(vec![event]),
            Some(known) if known == event.answer() => Ok(vec![]),
            Some(_) => Err(Error::AnsweredOtherwise),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::AnswerGiven(answer) => self.given = Some(answer),
            Event::AnswerHeard(answer) => self.heard = Some(answer),
        }
        self
    }
}

impl Event {
    const fn answer(&self) -> &Answer {
        let (Self::AnswerGiven(answer) | Self::AnswerHeard(answer)) = self;
        answer
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;

    use super::*;
    use crate::examples::{day, id, office, the_district};

    fn answer(outcome: FamilySearchOutcome) -> Answer {
        let (from, to) = (office("kandal-district"), office("house-of-hope"));
        Answer { case: id(1), offer: id(2), from, to, outcome, answered_on: day("2026-06-01") }
    }

    #[test]
    fn a_search_is_answered_once_at_either_end() {
        let found = answer(FamilySearchOutcome::Found);
        let (gave, heard) = (Event::AnswerGiven(found.clone()), Event::AnswerHeard(found.clone()));
        given::<FamilySearch>([]).when(&the_district(), Command::Give(found.clone())).then([gave.clone()]);
        given::<FamilySearch>([gave.clone()]).when(&the_district(), Command::Give(found.clone())).then_nothing();
        given::<FamilySearch>([gave.clone()]).when(&the_district(), Command::Hear(found.clone())).then([heard.clone()]);
        given::<FamilySearch>([gave, heard]).when(&the_district(), Command::Hear(found)).then_nothing();
    }

    #[test]
    fn an_answer_is_not_changed_behind_the_back_of_those_who_rely_on_it() {
        let gave = Event::AnswerGiven(answer(FamilySearchOutcome::Found));
        given::<FamilySearch>([gave])
            .when(&the_district(), Command::Give(answer(FamilySearchOutcome::Unsafe)))
            .then_error(&Error::AnsweredOtherwise);
    }

    #[test]
    fn stored_events_are_read_for_ever() {
        let refuses = answer(FamilySearchOutcome::FamilyRefuses);
        crate::golden::check("family_search", &[Event::AnswerGiven(refuses.clone()), Event::AnswerHeard(refuses)]);
    }
}
