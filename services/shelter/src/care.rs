//! What is done for one person in one house: the plan, the sessions, and the trade that is learned.
//!
//! It belongs to the person, not to the stay: whoever is admitted again finds the plan of the last time. A plan is looked
//! at again and again, each time with a day for the next look. A trade is chosen only against what somebody found out of
//! the market at home, so that nobody learns tailoring for a village where nobody buys clothes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, Need, PlaceCode, StaffId};

use crate::labels::{AssessmentId, CarePlanId, GoalId, ReviewId, SessionId, Trade, TrainingId};

#[cfg(test)]
mod tests;

/// The care for one person in one house.
#[derive(Clone, Debug, Default)]
pub struct Care {
    plans: Vec<Plan>,
    reviews: BTreeMap<ReviewId, Review>,
    sessions: BTreeMap<SessionId, Session>,
    markets: BTreeMap<AssessmentId, Market>,
    trainings: BTreeMap<TrainingId, Training>,
    goals: BTreeMap<GoalId, GoalState>,
    review_due_on: Option<Date>,
}

/// A care plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub plan_id: CarePlanId,
    /// The day on which it was agreed.
    pub agreed_on: Date,
    /// What is to be reached.
    pub goals: Vec<Goal>,
}

/// A goal of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Its id.
    pub goal_id: GoalId,
    /// Which need it meets.
    pub need: Need,
    /// Until when.
    pub target_on: Date,
}

/// How far a goal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum GoalState {
    /// Nothing was done yet.
    NotBegun,
    /// It is being worked at.
    UnderWay,
    /// It is reached.
    Reached,
    /// The person does not want it any more, or it cannot be reached.
    Dropped,
}

/// A look at the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub review_id: ReviewId,
    /// The day.
    pub reviewed_on: Date,
    /// How far the goals have come that were spoken of.
    pub goals: BTreeMap<GoalId, GoalState>,
}

/// One session with the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub session_id: SessionId,
    /// What it was.
    pub kind: SessionKind,
    /// The day.
    pub held_on: Date,
    /// Who held it, by staff number.
    pub by: StaffId,
    /// Who was there for a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_adult: Option<ResponsibleAdult>,
}

/// What a session was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SessionKind {
    /// Counselling.
    Counselling,
    /// Medical care.
    Medical,
    /// Legal help.
    Legal,
    /// School.
    Education,
    /// A lesson in the chosen trade.
    VocationalTraining,
    /// Something done in a group.
    Group,
    /// Questions about what happened.
    Interview,
    /// Questions about what the person needs or can do.
    Assessment,
}

/// Who stands by a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ResponsibleAdult {
    /// Mother or father.
    Parent,
    /// A guardian.
    Guardian,
    /// Another grown-up of the family.
    Relative,
    /// A social worker who was appointed for it.
    SocialWorker,
    /// A lawyer.
    Lawyer,
    /// Another grown-up whom the child trusts.
    TrustedAdult,
}

/// What somebody found out of the market for a trade at home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// Its id.
    pub assessment_id: AssessmentId,
    /// The trade.
    pub trade: Trade,
    /// Where: mostly the home district.
    pub place: PlaceCode,
    /// Whether somebody pays for it there.
    pub demand: Demand,
    /// The day.
    pub assessed_on: Date,
    /// Who asked around, by staff number.
    pub by: StaffId,
}

/// Whether somebody pays for a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Demand {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It could not be found out.
    Unknown,
}

/// A trade that the person has chosen to learn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// Its id.
    pub training_id: TrainingId,
    /// The trade.
    pub trade: Trade,
    /// What was known of the market.
    pub assessment_id: AssessmentId,
    /// The day of the choice.
    pub chosen_on: Date,
    /// Whether the person insists although nobody pays for it at home.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub person_insists: bool,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Agree on a plan, in the place of the one before.
    AgreePlan {
        /// The plan.
        plan: Plan,
        /// Days until it is looked at again.
        review_after_days: i32,
    },
    /// Look at the plan.
    ReviewPlan {
        /// What was seen.
        review: Review,
        /// Days until it is looked at again.
        review_after_days: i32,
    },
    /// Note a session.
    RecordSession {
        /// The session.
        session: Session,
        /// Whether the protection of a child is due.
        is_child: bool,
    },
    /// Note what was found out of a market.
    AssessMarket(Market),
    /// Choose a trade.
    ChooseTraining(Training),
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// There is a plan.
    PlanAgreed {
        /// The plan.
        #[serde(flatten)]
        plan: Plan,
        /// When it is to be looked at again.
        review_due_on: Date,
    },
    /// Somebody looked at the plan.
    PlanReviewed {
        /// What was seen.
        #[serde(flatten)]
        review: Review,
        /// When it is to be looked at again.
        review_due_on: Date,
    },
    /// There was a session.
    SessionHeld {
        /// The session.
        #[serde(flatten)]
        session: Session,
    },
    /// Somebody asked around in a market.
    MarketAssessed {
        /// What was found.
        #[serde(flatten)]
        market: Market,
    },
    /// A trade was chosen.
    TrainingChosen {
        /// The choice.
        #[serde(flatten)]
        training: Training,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// A plan for nothing.
    #[error("a plan has at least one goal, and each stands there once")]
    GoalsMissingOrTwice,
    /// Too late before it began.
    #[error("a goal cannot be due before the plan was agreed")]
    GoalBeforePlan,
    /// The id is taken.
    #[error("this id was used for something else")]
    IdTaken,
    /// An old paper.
    #[error("there is a plan of a later day")]
    LaterPlanExists,
    /// Nothing to look at.
    #[error("there is no plan yet")]
    NoPlan,
    /// Not in the plan.
    #[error("the plan has no such goal")]
    NoSuchGoal,
    /// Seen before it was there.
    #[error("the plan cannot have been looked at before it was agreed")]
    ReviewedBeforePlan,
    /// A child alone.
    #[error("a child is not questioned without a responsible adult: say who was there")]
    ResponsibleAdultMissing,
    /// No trade to learn.
    #[error("no trade was chosen yet")]
    NoTrainingChosen,
    /// Nobody asked around.
    #[error("nobody has found out yet whether this trade is wanted at home")]
    NoMarketAssessment,
    /// Asked around too late.
    #[error("the market was looked at after the choice")]
    AssessedAfterChoice,
    /// Nobody pays for it.
    #[error("nobody at home pays for this trade; choose another one, unless the person insists")]
    NoLocalDemand,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::GoalsMissingOrTwice | Self::GoalBeforePlan => Fault::Field("goals"),
            Self::ResponsibleAdultMissing => Fault::Field("responsible_adult"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl SessionKind {
    /// Whether the person is questioned, which no child is alone.
    const fn is_questioning(self) -> bool {
        matches!(self, Self::Interview | Self::Assessment)
    }
}

impl Aggregate for Care {
    const CATEGORY: &'static str = "care";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, _: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::AgreePlan { plan, review_after_days } => self.agree(plan, review_after_days),
            Command::ReviewPlan { review, review_after_days } => self.review(review, review_after_days),
            Command::RecordSession { session, is_child } => self.record(&session, is_child),
            Command::AssessMarket(market) => once(self.markets.get(&market.assessment_id), &market, || {
                Event::MarketAssessed { market: market.clone() }
            }),
            Command::ChooseTraining(training) => self.choose(training),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::PlanAgreed { plan, review_due_on } => {
                self.goals = plan.goals.iter().map(|goal| (goal.goal_id, GoalState::NotBegun)).collect();
                self.plans.push(plan);
                self.review_due_on = Some(review_due_on);
            }
            Event::PlanReviewed { review, review_due_on } => {
                self.goals.extend(review.goals.iter().map(|(goal, state)| (*goal, *state)));
                self.reviews.insert(review.review_id, review);
                self.review_due_on = Some(review_due_on);
            }
            Event::SessionHeld { session } => {
                self.sessions.insert(session.session_id, session);
            }
            Event::MarketAssessed { market } => {
                self.markets.insert(market.assessment_id, market);
            }
            Event::TrainingChosen { training } => {
                self.trainings.insert(training.training_id, training);
            }
        }
        self
    }
}

/// Nothing when the same is known, an error when something else is, else the event.
fn once<T: PartialEq>(known: Option<&T>, said: &T, event: impl FnOnce() -> Event) -> Result<Vec<Event>, Error> {
    match known {
        Some(known) if known == said => Ok(vec![]),
        Some(_) => Err(Error::IdTaken),
        None => Ok(vec![event()]),
    }
}

impl Care {
    /// The plan in force.
    pub fn plan(&self) -> Option<&Plan> {
        self.plans.last()
    }

    /// How far a goal of the plan in force has come.
    pub fn goal_state(&self, goal: GoalId) -> Option<GoalState> {
        self.goals.get(&goal).copied()
    }

    /// When the plan is to be looked at again.
    pub const fn review_due_on(&self) -> Option<Date> {
        self.review_due_on
    }

    /// All sessions.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// All that was found out of markets.
    pub fn markets(&self) -> impl Iterator<Item = &Market> {
        self.markets.values()
    }

    /// All trades that were chosen.
    pub fn trainings(&self) -> impl Iterator<Item = &Training> {
        self.trainings.values()
    }

    fn agree(&self, plan: Plan, review_after_days: i32) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.plans.iter().find(|known| known.plan_id == plan.plan_id) {
            return if *known == plan { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        let goals: BTreeMap<_, _> = plan.goals.iter().map(|goal| (goal.goal_id, goal.target_on)).collect();
        if goals.is_empty() || goals.len() < plan.goals.len() {
            return Err(Error::GoalsMissingOrTwice);
        }
        if goals.values().any(|target_on| *target_on < plan.agreed_on) {
            return Err(Error::GoalBeforePlan);
        }
        if self.plan().is_some_and(|present| plan.agreed_on < present.agreed_on) {
            return Err(Error::LaterPlanExists);
        }
        let review_due_on = plan.agreed_on.plus_days(review_after_days);
        Ok(vec![Event::PlanAgreed { plan, review_due_on }])
    }

    fn review(&self, review: Review, review_after_days: i32) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.reviews.get(&review.review_id) {
            return if *known == review { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        let plan = self.plan().ok_or(Error::NoPlan)?;
        if review.reviewed_on < plan.agreed_on {
            return Err(Error::ReviewedBeforePlan);
        }
        if review.goals.keys().any(|goal| !self.goals.contains_key(goal)) {
            return Err(Error::NoSuchGoal);
        }
        // A paper that was entered late does not bring the next look forward.
        let next = review.reviewed_on.plus_days(review_after_days);
        let later = self.reviews.values().any(|known| known.reviewed_on > review.reviewed_on);
        let review_due_on = if later { self.review_due_on.unwrap_or(next) } else { next };
        Ok(vec![Event::PlanReviewed { review, review_due_on }])
    }

    fn record(&self, session: &Session, is_child: bool) -> Result<Vec<Event>, Error> {
        if is_child && session.kind.is_questioning() && session.responsible_adult.is_none() {
            return Err(Error::ResponsibleAdultMissing);
        }
        if session.kind == SessionKind::VocationalTraining && self.trainings.is_empty() {
            return Err(Error::NoTrainingChosen);
        }
        once(self.sessions.get(&session.session_id), session, || Event::SessionHeld { session: session.clone() })
    }

    fn choose(&self, training: Training) -> Result<Vec<Event>, Error> {
        if let Some(known) = self.trainings.get(&training.training_id) {
            return if *known == training { Ok(vec![]) } else { Err(Error::IdTaken) };
        }
        let market = self.markets.get(&training.assessment_id).filter(|market| market.trade == training.trade);
        let market = market.ok_or(Error::NoMarketAssessment)?;
        if market.assessed_on > training.chosen_on {
            return Err(Error::AssessedAfterChoice);
        }
        if market.demand == Demand::No && !training.person_insists {
            return Err(Error::NoLocalDemand);
        }
        Ok(vec![Event::TrainingChosen { training }])
    }
}
