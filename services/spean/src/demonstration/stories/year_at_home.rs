//! A year of visits at home, and the meetings of the province at its end: the district cannot close the case alone, too
//! few cannot decide, and what is still open stops even those who may.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail, ensure};
use spean_contracts::followup::v1::{
    CloseFollowUpRequest, ConveneMeetingRequest, DecideCaseRequest, Decision, EndReason, FollowUpState,
    GetMeetingRequest, GetMeetingResponse, ListAgendaRequest, ListContradictionsRequest, ListFollowUpsRequest,
    MandateState, NeedFoundThere, PlanFollowUpRequest, RecordAttendanceRequest, RecordSupportRequest,
    RecordVisitRequest, Resolution, ResolveContradictionRequest, SignMinutesRequest, SupportKind, Topic, VisitOutcome,
};
use spean_contracts::referral::v1::{RecordNeedMetRequest, ServiceOutcome};
use spean_contracts::vocabulary::v1::{Need, Urgency};
use spean_identity::Role;
use tonic::Status;

use super::reason;
use super::whole_way::once_heard;
use crate::demonstration::agencies::{KANDAL, SHELTER};
use crate::demonstration::narrator::Narrator;
use crate::demonstration::staff::{Staff, new_id};
use crate::demonstration::stage::Stage;

/// Plans the visits, and makes them, as the worker writes them down and enters them later. The answer is the need that
/// the first of them found: she has no way to make a living.
pub(super) async fn visits(stage: &Stage, narrator: &Narrator, case: &str, district: &str) -> anyhow::Result<String> {
    let worker = stage.staff("kd-21", district, &[Role::Caseworker]).await?;
    let home_on = stage.clock().now().date_in_cambodia();
    let plan = PlanFollowUpRequest { case_id: case.to_owned(), reintegrated_on: home_on.to_string() };
    let begin = async || worker.followup().plan_follow_up(worker.ask(plan.clone())).await;
    let planned = once_heard(narrator, "follow-up to hear of the case", begin).await?.into_inner().visits;
    ensure!(planned.len() == 12, "a year of visits, month by month");
    stage.pass_time(i64::from(home_on.plus_months(12).days_since(home_on)) * 24)?;
    let worker = stage.staff("kd-21", district, &[Role::Caseworker]).await?;
    let need_id = new_id();
    let livelihood =
        NeedFoundThere { need_id: need_id.clone(), need: Need::Livelihood.into(), urgency: Urgency::Routine.into() };
    for visit in &planned {
        let request = RecordVisitRequest {
            visit_id: new_id(),
            case_id: case.to_owned(),
            number: visit.number,
            visited_on: visit.due_on.clone(),
            outcome: VisitOutcome::Met.into(),
            needs: if visit.number == 1 { vec![livelihood.clone()] } else { vec![] },
            ..RecordVisitRequest::default()
        };
        worker.followup().record_visit(worker.ask(request)).await?;
    }
    narrator.tell("A year passes: twelve visits, written on paper and entered later. She has no livelihood yet.");
    let close = CloseFollowUpRequest { case_id: case.to_owned() };
    match worker.followup().close_follow_up(worker.ask(close)).await {
        Err(status) if reason(&status) == "CLOSURE_NEEDS_MEETING" => {}
        other => bail!("a closure was not refused as it should be: {other:?}"),
    }
    narrator.kept("The district cannot close her case by itself: that is for the meeting of the province");
    Ok(need_id)
}

/// Two meetings: the first decides to close while something is open, the second when it is settled.
pub(super) async fn meetings(
    stage: &Stage,
    narrator: &Narrator,
    case: &str,
    district: &str,
    need: &str,
) -> anyhow::Result<()> {
    let chair = stage.staff("kd-02", KANDAL, &[Role::Supervisor, Role::Caseworker]).await?;
    let supervisor = stage.staff("kd-22", district, &[Role::Supervisor]).await?;
    let visits_are_right = async || resolve_doubts(&supervisor, case).await;
    let due = [Topic::DueToExtend, Topic::NeedOpen];
    let cases = on_agenda(&chair, narrator, case, &due, visits_are_right).await?;
    narrator.tell(&format!("Kandal meets. On its agenda, drawn up from the records of the districts: {cases} cases."));
    let first = convene(stage, &chair).await?;
    ensure!(!attend(stage, &chair, &first, &[KANDAL, district]).await?, "too few were enough");
    match decide(&chair, &first, case).await {
        Err(status) if reason(&status) == "QUORUM_MISSING" => {}
        other => bail!("a decision without a quorum was not refused: {other:?}"),
    }
    narrator.kept("Without an organisation at the table the meeting decides nothing");
    conclude(stage, &chair, &first, case, district).await?;
    let refused = told(&chair, narrator, &first, case, MandateState::Refused).await?;
    ensure!(refused == "NEED_OPEN", "the closure was refused as {refused}");
    narrator.kept("With it, the meeting decides to close; the district refuses: NEED_OPEN, and both can see it");

    let worker = stage.staff("kd-21", district, &[Role::Caseworker]).await?;
    settle(stage, &worker, case, need).await?;
    on_agenda(&chair, narrator, case, &[Topic::DueToClose], async || Ok(())).await?;
    narrator.tell("She is given a sewing machine, and lives by it. Two months later they meet again.");
    stage.pass_time(61 * 24)?;
    let chair = stage.staff("kd-03", KANDAL, &[Role::Supervisor, Role::Caseworker]).await?;
    let second = convene(stage, &chair).await?;
    conclude(stage, &chair, &second, case, district).await?;
    told(&chair, narrator, &second, case, MandateState::CarriedOut).await?;
    let worker = stage.staff("kd-21", district, &[Role::Caseworker]).await?;
    let listed = worker.followup().list_follow_ups(worker.ask(ListFollowUpsRequest::default())).await?.into_inner();
    let stands = listed.follow_ups.iter().find(|listed| listed.case_id == case).context("her follow-up")?.state();
    ensure!(stands == FollowUpState::Closed, "her case is {stands:?} after the meeting");
    narrator.kept("Nothing is open any more: her case is closed, by a decision in signed minutes");
    Ok(())
}

/// A year that passes in a moment may overtake the word of the shelter that she has left; then her visits at home are
/// doubted, and a supervisor says that they were made.
async fn resolve_doubts(supervisor: &Staff, case: &str) -> Result<(), Status> {
    let request = supervisor.ask(ListContradictionsRequest::default());
    let doubts = supervisor.safety().list_contradictions(request).await?.into_inner().contradictions;
    for doubt in doubts.into_iter().filter(|doubt| doubt.case_id == case) {
        let resolution = Resolution::VisitConfirmed.into();
        let request = ResolveContradictionRequest { visit_id: doubt.visit_id, resolution };
        supervisor.safety().resolve_contradiction(supervisor.ask(request)).await?;
    }
    Ok(())
}

/// Waits until her case is on the agenda for these reasons and no other, while somebody sees to what else is said of it;
/// the answer is how many cases are on it.
async fn on_agenda(
    chair: &Staff,
    narrator: &Narrator,
    case: &str,
    topics: &[Topic],
    mut see_to_it: impl AsyncFnMut() -> Result<(), Status>,
) -> anyhow::Result<usize> {
    let wanted: BTreeSet<i32> = topics.iter().map(|topic| (*topic).into()).collect();
    narrator
        .until("her case on the agenda of the province", async || {
            see_to_it().await?;
            let items = chair.meeting().list_agenda(chair.ask(ListAgendaRequest::default())).await?.into_inner().items;
            let hers = items.iter().find(|item| item.case_id == case);
            let told: BTreeSet<i32> = hers.into_iter().flat_map(|item| item.topics.iter().copied()).collect();
            Ok::<_, Status>((told == wanted).then_some(items.len()))
        })
        .await
}

async fn convene(stage: &Stage, chair: &Staff) -> anyhow::Result<String> {
    let meeting = new_id();
    let planned_on = stage.clock().now().date_in_cambodia().to_string();
    let request = ConveneMeetingRequest { meeting_id: meeting.clone(), planned_on };
    chair.meeting().convene_meeting(chair.ask(request)).await?;
    Ok(meeting)
}

/// Whether those who are there may decide.
async fn attend(stage: &Stage, chair: &Staff, meeting: &str, offices: &[&str]) -> anyhow::Result<bool> {
    let request = RecordAttendanceRequest {
        meeting_id: meeting.to_owned(),
        held_on: stage.clock().now().date_in_cambodia().to_string(),
        office_ids: offices.iter().map(|office| (*office).to_owned()).collect(),
        guests: vec![],
    };
    Ok(chair.meeting().record_attendance(chair.ask(request)).await?.into_inner().quorum)
}

/// To close her case.
async fn decide(chair: &Staff, meeting: &str, case: &str) -> Result<(), Status> {
    let request = DecideCaseRequest {
        decision_id: new_id(),
        meeting_id: meeting.to_owned(),
        case_id: case.to_owned(),
        decision: Decision::Close.into(),
        end_reason: EndReason::GoalReached.into(),
        ..DecideCaseRequest::default()
    };
    chair.meeting().decide_case(chair.ask(request)).await.map(drop)
}

/// With an organisation at the table: her case is to be closed, all others go on as they are.
async fn conclude(stage: &Stage, chair: &Staff, meeting: &str, case: &str, district: &str) -> anyhow::Result<()> {
    ensure!(attend(stage, chair, meeting, &[KANDAL, district, SHELTER]).await?, "they are enough");
    decide(chair, meeting, case).await?;
    for other in seen(chair, meeting).await?.cases.into_iter().filter(|other| other.case_id != case) {
        let request = DecideCaseRequest {
            decision_id: new_id(),
            meeting_id: meeting.to_owned(),
            case_id: other.case_id,
            decision: Decision::Continue.into(),
            ..DecideCaseRequest::default()
        };
        chair.meeting().decide_case(chair.ask(request)).await?;
    }
    let request = SignMinutesRequest { meeting_id: meeting.to_owned() };
    chair.meeting().sign_minutes(chair.ask(request)).await?;
    Ok(())
}

async fn seen(chair: &Staff, meeting: &str) -> Result<GetMeetingResponse, Status> {
    let request = GetMeetingRequest { meeting_id: meeting.to_owned() };
    Ok(chair.meeting().get_meeting(chair.ask(request)).await?.into_inner())
}

/// Waits until the minutes tell what became of the decision, and why it was refused.
async fn told(
    chair: &Staff,
    narrator: &Narrator,
    meeting: &str,
    case: &str,
    state: MandateState,
) -> anyhow::Result<String> {
    narrator
        .until("the answer of the district in the minutes", async || {
            let cases = seen(chair, meeting).await?.cases;
            let hers = cases.into_iter().find(|seen| seen.case_id == case && seen.state() == state);
            Ok::<_, Status>(hers.map(|hers| hers.refusal))
        })
        .await
}

/// She gets what she needs to make a living.
async fn settle(stage: &Stage, worker: &Staff, case: &str, need: &str) -> anyhow::Result<()> {
    let support = RecordSupportRequest {
        support_id: new_id(),
        case_id: case.to_owned(),
        kind: SupportKind::Tools.into(),
        given_on: stage.clock().now().date_in_cambodia().to_string(),
        given_by_office_id: worker.office().to_owned(),
    };
    worker.support().record_support(worker.ask(support)).await?;
    let met = RecordNeedMetRequest {
        need_id: need.to_owned(),
        outcome: ServiceOutcome::Completed.into(),
        met_on: String::new(),
    };
    worker.needs().record_need_met(worker.ask(met)).await?;
    Ok(())
}
