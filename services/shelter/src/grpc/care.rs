//! Plans, sessions and trades.

use spean_chassis::words::{read_need, stored, write_need};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::shelter::v1::{self as wire};
use spean_vocabulary::{CaseId, Date};
use tonic::Status;

use super::homecoming::{write_assessment, write_placement, write_reintegration, write_tracing};
use super::words::{
    optional, read_demand, read_goal_state, read_optional_adult, read_session_kind, write_adult, write_demand,
    write_due, write_goal_state, write_session_kind,
};
use super::{Grpc, LONGEST_NOTES, overdue, staff};
use crate::care::{Care, Command, Goal, Market, Plan, Review, Session, Training};
use crate::due;
use crate::file::Known;
use crate::notes::Note;

/// Most goals of a plan.
const MOST_GOALS: usize = 50;
/// How far ahead one may look, in days.
const FARTHEST_AHEAD: i64 = 366;

impl Grpc {
    pub(super) async fn agree_care_plan(
        &self,
        call: &Call,
        request: wire::AgreeCarePlanRequest,
    ) -> Result<wire::AgreeCarePlanResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let plan = Plan {
            plan_id: field::parse("plan_id", &request.plan_id)?,
            agreed_on: field::day_so_far("agreed_on", &request.agreed_on, call.today())?,
            goals: read_goals(&request.goals)?,
        };
        self.permit(call, case).await?;
        let review_after_days = self.node.policy.shelter.plan_review_every_days;
        let on = plan.agreed_on;
        self.care_for::<Care>(call, case, on, Command::AgreePlan { plan, review_after_days }, None).await?;
        Ok(wire::AgreeCarePlanResponse { review_due_on: self.review_due_on(call, case).await? })
    }

    pub(super) async fn review_care_plan(
        &self,
        call: &Call,
        request: wire::ReviewCarePlanRequest,
    ) -> Result<wire::ReviewCarePlanResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        field::at_most("goals", &request.goals, MOST_GOALS)?;
        let progress = |(index, goal): (usize, &wire::GoalProgress)| {
            let id = field::parse(&format!("goals[{index}].goal_id"), &goal.goal_id)?;
            Ok((id, read_goal_state(&format!("goals[{index}].state"), goal.state)?))
        };
        let review = Review {
            review_id: field::parse("review_id", &request.review_id)?,
            reviewed_on: field::day_so_far("reviewed_on", &request.reviewed_on, call.today())?,
            goals: request.goals.iter().enumerate().map(progress).collect::<Result<_, Status>>()?,
        };
        let notes = field::text("notes", &request.notes, LONGEST_NOTES)?;
        self.permit(call, case).await?;
        let on = review.reviewed_on;
        let note = Note::of(&"look at the care plan", review.review_id, on, notes);
        let review_after_days = self.node.policy.shelter.plan_review_every_days;
        self.care_for::<Care>(call, case, on, Command::ReviewPlan { review, review_after_days }, note).await?;
        Ok(wire::ReviewCarePlanResponse { review_due_on: self.review_due_on(call, case).await? })
    }

    pub(super) async fn record_session(
        &self,
        call: &Call,
        request: wire::RecordSessionRequest,
    ) -> Result<wire::RecordSessionResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let session = field::required("session", request.session)?;
        let session = Session {
            session_id: field::parse("session.session_id", &session.session_id)?,
            kind: read_session_kind("session.kind", session.kind)?,
            held_on: field::day_so_far("session.held_on", &session.held_on, call.today())?,
            by: staff(call, "session.held_by", &session.held_by)?,
            responsible_adult: read_optional_adult("session.responsible_adult", session.responsible_adult)?,
        };
        let notes = field::text("notes", &request.notes, LONGEST_NOTES)?;
        let is_child = self.permit(call, case).await?.is_child;
        let on = session.held_on;
        let note = Note::of(&session.kind, session.session_id, on, notes);
        self.care_for::<Care>(call, case, on, Command::RecordSession { session, is_child }, note).await?;
        Ok(wire::RecordSessionResponse {})
    }

    pub(super) async fn assess_market(
        &self,
        call: &Call,
        request: wire::AssessMarketRequest,
    ) -> Result<wire::AssessMarketResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let market = field::required("market", request.market)?;
        let market = Market {
            assessment_id: field::parse("market.assessment_id", &market.assessment_id)?,
            trade: field::parse("market.trade", &market.trade)?,
            place: field::parse("market.place", &market.place)?,
            demand: read_demand("market.demand", market.demand)?,
            assessed_on: field::day_so_far("market.assessed_on", &market.assessed_on, call.today())?,
            by: staff(call, "market.assessed_by", &market.assessed_by)?,
        };
        self.permit(call, case).await?;
        let on = market.assessed_on;
        self.care_for::<Care>(call, case, on, Command::AssessMarket(market), None).await?;
        Ok(wire::AssessMarketResponse {})
    }

    pub(super) async fn choose_training(
        &self,
        call: &Call,
        request: wire::ChooseTrainingRequest,
    ) -> Result<wire::ChooseTrainingResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let training = field::required("training", request.training)?;
        let training = Training {
            training_id: field::parse("training.training_id", &training.training_id)?,
            trade: field::parse("training.trade", &training.trade)?,
            assessment_id: field::parse("training.assessment_id", &training.assessment_id)?,
            chosen_on: field::day_so_far("training.chosen_on", &training.chosen_on, call.today())?,
            person_insists: training.person_insists,
        };
        self.permit(call, case).await?;
        let on = training.chosen_on;
        self.care_for::<Care>(call, case, on, Command::ChooseTraining(training), None).await?;
        Ok(wire::ChooseTrainingResponse {})
    }

    pub(super) async fn get_care(
        &self,
        call: &Call,
        request: wire::GetCareRequest,
    ) -> Result<wire::GetCareResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        self.permit(call, case).await?;
        let Known { care: given, homecoming } = self.load(call, case).await?;
        let mut sessions: Vec<_> = given.sessions().collect();
        sessions.sort_by_key(|session| (session.held_on, session.session_id));
        let mut markets: Vec<_> = given.markets().collect();
        markets.sort_by_key(|market| (market.assessed_on, market.assessment_id));
        let mut trainings: Vec<_> = given.trainings().collect();
        trainings.sort_by_key(|training| (training.chosen_on, training.training_id));
        let mut assessments: Vec<_> = homecoming.assessments().collect();
        assessments.sort_by_key(|assessment| (assessment.assessed_on, assessment.assessment_id));
        let mut placements: Vec<_> = homecoming.placements().collect();
        placements.sort_by_key(|placement| (placement.decided_on, placement.placement_id));
        let plan = given.plan();
        let goal = |goal: &Goal| wire::Goal {
            goal_id: goal.goal_id.to_string(),
            need: write_need(goal.need).into(),
            target_on: goal.target_on.to_string(),
            state: optional(given.goal_state(goal.goal_id), write_goal_state),
        };
        Ok(wire::GetCareResponse {
            plan_id: plan.map(|plan| plan.plan_id.to_string()).unwrap_or_default(),
            agreed_on: plan.map(|plan| plan.agreed_on.to_string()).unwrap_or_default(),
            goals: plan.map(|plan| plan.goals.iter().map(goal).collect()).unwrap_or_default(),
            review_due_on: write_day(given.review_due_on()),
            sessions: sessions.into_iter().map(write_session).collect(),
            markets: markets.into_iter().map(write_market).collect(),
            trainings: trainings.into_iter().map(write_training).collect(),
            tracings: homecoming.tracings().map(|(offer, tracing)| write_tracing(offer, tracing)).collect(),
            assessments: assessments.into_iter().map(write_assessment).collect(),
            placements: placements.into_iter().map(write_placement).collect(),
            reintegration: homecoming.decision().map(write_reintegration),
        })
    }

    pub(super) async fn list_care_due(
        &self,
        call: &Call,
        request: wire::ListCareDueRequest,
    ) -> Result<wire::ListCareDueResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let ahead = field::within("within_days", request.within_days.into(), 0, FARTHEST_AHEAD)?;
        let until = call.today().plus_days(i32::try_from(ahead).expect("it is at most 366"));
        let entries = due::care(call.office()?, until, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let due = entries.into_iter().map(|entry| wire::CareDue {
            kind: stored(&entry.kind, write_due),
            overdue_days: overdue(&entry.due_on, call.today()),
            case_id: entry.case_id,
            case_number: entry.case_number,
            due_on: entry.due_on,
        });
        Ok(wire::ListCareDueResponse { due: due.collect(), page })
    }

    async fn review_due_on(&self, call: &Call, case: CaseId) -> Result<String, Status> {
        Ok(write_day(self.load(call, case).await?.care.review_due_on()))
    }
}

fn read_goals(goals: &[wire::Goal]) -> Result<Vec<Goal>, Status> {
    field::at_most("goals", goals, MOST_GOALS)?;
    let read = |(index, goal): (usize, &wire::Goal)| {
        let at = |name: &str| format!("goals[{index}].{name}");
        Ok(Goal {
            goal_id: field::parse(&at("goal_id"), &goal.goal_id)?,
            need: read_need(&at("need"), goal.need)?,
            target_on: field::parse(&at("target_on"), &goal.target_on)?,
        })
    };
    goals.iter().enumerate().map(read).collect()
}

fn write_day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn write_session(session: &Session) -> wire::Session {
    wire::Session {
        session_id: session.session_id.to_string(),
        kind: write_session_kind(session.kind).into(),
        held_on: session.held_on.to_string(),
        held_by: session.by.to_string(),
        responsible_adult: optional(session.responsible_adult, write_adult),
    }
}

fn write_market(market: &Market) -> wire::Market {
    wire::Market {
        assessment_id: market.assessment_id.to_string(),
        trade: market.trade.to_string(),
        place: market.place.to_string(),
        demand: write_demand(market.demand).into(),
        assessed_on: market.assessed_on.to_string(),
        assessed_by: market.by.to_string(),
    }
}

fn write_training(training: &Training) -> wire::Training {
    wire::Training {
        training_id: training.training_id.to_string(),
        trade: training.trade.to_string(),
        assessment_id: training.assessment_id.to_string(),
        chosen_on: training.chosen_on.to_string(),
        person_insists: training.person_insists,
    }
}
