//! Why a step on the way home is refused.

use spean_eventsourcing::{Fault, Refusal};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// The id is taken.
    #[error("this id was used for something else")]
    IdTaken,
    /// Nobody was asked.
    #[error("nobody was asked to look for the family by this offer")]
    NoSuchTracing,
    /// Answered before asked.
    #[error("the answer cannot be of a day before the request")]
    AnsweredBeforeRequest,
    /// Two answers.
    #[error("this request was answered in another way or on another day")]
    TracingAnsweredAlready,
    /// A risk and a return.
    #[error(
        "a return cannot be advised while a risk at home is named, and danger at home cannot go without naming one"
    )]
    RisksContradictAdvice,
    /// A child alone.
    #[error("a child is not questioned without a responsible adult: say who was there")]
    ResponsibleAdultMissing,
    /// The order is for children.
    #[error("the order of options is for children")]
    NotAChild,
    /// A step was left out.
    #[error("say of each earlier option why it was not possible, and of no other")]
    EarlierOptionsNotExplained,
    /// The person was not asked.
    #[error("nobody goes home without their own agreement")]
    PersonHasNotAgreed,
    /// Nobody decided for the child.
    #[error("for a child a guardian agrees as well, or it is decided to be in the child's best interest")]
    NobodyAgreedForChild,
    /// A child on its own.
    #[error("a child goes home to somebody")]
    ChildWithoutHousehold,
    /// Nobody looked.
    #[error("nobody has visited those who would take the person in")]
    HomeNotAssessed,
    /// Home is dangerous, or not ready.
    #[error("the latest assessment advises against a return")]
    RiskAtHome,
    /// Decided on what was not yet known.
    #[error("the decision cannot be of a day before the assessment that it rests on")]
    DecidedBeforeAssessment,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchTracing => Fault::NotThere,
            Self::AnsweredBeforeRequest => Fault::Field("answered_on"),
            Self::RisksContradictAdvice => Fault::Field("risks"),
            Self::ResponsibleAdultMissing => Fault::Field("responsible_adult"),
            Self::EarlierOptionsNotExplained => Fault::Field("not_possible"),
            Self::DecidedBeforeAssessment => Fault::Field("decided_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}
