//! The hall in which a province meets, and the desks of the offices whose cases it speaks of.

use std::collections::{BTreeMap, BTreeSet};

use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::followup::v1::{
    AgendaItem, ConveneMeetingRequest, DangerSign, DecideCaseRequest, Decision, EndReason, ExtendReason, FollowUp,
    FollowUpState, GetMeetingRequest, GetMeetingResponse, Guest, ListAgendaRequest, ListFollowUpsRequest,
    ListMandatesRequest, Mandate, MandateState, MeetingCase, PlanFollowUpRequest, RaiseDangerRequest,
    RecordAttendanceRequest, RecordContactLostRequest, RecordVisitRequest, RefreshAgendaRequest, ReopenReason,
    SignMinutesRequest, Topic, Visit, VisitOutcome,
};
use spean_contracts::vocabulary::v1::Urgency;
use spean_identity::Role;
use spean_tests::{Desk, Network, open_case};
use spean_vocabulary::Date;
use tonic::{Code, Status};

/// The day on which the network is.
pub(crate) fn today(network: &Network) -> Date {
    network.clock().now().date_in_cambodia()
}

/// A day as the wire says it.
pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// What was refused, by its reason.
///
/// # Panics
/// When it was not refused.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    reason(&answer.expect_err("it should have been refused"))
}

/// Nothing, when it is not here yet.
fn present<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// A new case whose person went home so many months ago, and was met at the first visits.
pub(crate) async fn at_home(desk: &Desk, number: usize, since: Date, met: usize) -> String {
    let case = open_case(desk, number).await;
    let request = PlanFollowUpRequest { case_id: case.clone(), reintegrated_on: since.to_string() };
    let planned = desk.until("the case in follow-up", async |staff: Staff| {
        present(staff.followup().plan_follow_up(staff.ask(request.clone())).await)
    });
    let visits = planned.await.into_inner().visits;
    assert_eq!(visits.len(), 12, "a year, month by month");
    for visit in visits.iter().take(met) {
        visited(desk, visit, day(&visit.due_on)).await;
    }
    case
}

/// A visit at which the person is met.
pub(crate) async fn visited(desk: &Desk, visit: &Visit, on: Date) {
    let request = meets(&visit.case_id, visit.number, on);
    desk.ask("a visit", async |staff: Staff| staff.followup().record_visit(staff.ask(request.clone())).await).await;
}

/// What a worker reports who met somebody.
pub(crate) fn meets(case: &str, number: i32, on: Date) -> RecordVisitRequest {
    RecordVisitRequest {
        visit_id: new_id(),
        case_id: case.to_owned(),
        number,
        visited_on: on.to_string(),
        outcome: VisitOutcome::Met.into(),
        ..RecordVisitRequest::default()
    }
}

/// Somebody is in danger; the answer is the danger.
pub(crate) async fn danger(desk: &Desk, case: &str, on: Date) -> String {
    let request = RaiseDangerRequest {
        danger_id: new_id(),
        case_id: case.to_owned(),
        signs: vec![DangerSign::Threat.into()],
        urgency: Urgency::Urgent.into(),
        found_on: on.to_string(),
    };
    desk.ask("a danger", async |staff: Staff| staff.safety().raise_danger(staff.ask(request.clone())).await).await;
    request.danger_id
}

/// Nobody knows where somebody is.
pub(crate) async fn lost(desk: &Desk, case: &str, on: Date) {
    let reason = spean_contracts::followup::v1::LossReason::LeftWithoutWord.into();
    let request = RecordContactLostRequest { case_id: case.to_owned(), lost_on: on.to_string(), reason };
    desk.ask("the loss", async |staff: Staff| staff.safety().record_contact_lost(staff.ask(request.clone())).await)
        .await;
}

/// How a follow-up stands at its office.
pub(crate) async fn follow_up(desk: &Desk, case: &str) -> FollowUp {
    let listed = desk.ask("the follow-ups", async |staff: Staff| {
        let request = ListFollowUpsRequest::default();
        Ok(staff.followup().list_follow_ups(staff.ask(request)).await?.into_inner().follow_ups)
    });
    listed.await.into_iter().find(|listed| listed.case_id == case).expect("a follow-up")
}

/// Waits until a follow-up stands so.
pub(crate) async fn stands(desk: &Desk, case: &str, state: FollowUpState) -> FollowUp {
    let what = format!("the follow-up to be {state:?}");
    desk.until(&what, async |_: Staff| {
        let seen = follow_up(desk, case).await;
        Ok((seen.state() == state).then_some(seen))
    })
    .await
}

/// What an office has to do about a decision.
pub(crate) async fn mandate(desk: &Desk, case: &str, decision: Decision) -> Mandate {
    let what = format!("the decision {decision:?}");
    desk.until(&what, async |staff: Staff| {
        let request = ListMandatesRequest { with_done: true, ..ListMandatesRequest::default() };
        let mandates = staff.meeting().list_mandates(staff.ask(request)).await?.into_inner().mandates;
        Ok(mandates.into_iter().find(|mandate| mandate.case_id == case && mandate.decision() == decision))
    })
    .await
}

/// The agenda of a province.
pub(crate) async fn agenda(desk: &Desk) -> Vec<AgendaItem> {
    desk.ask("the agenda", async |staff: Staff| {
        Ok(staff.meeting().list_agenda(staff.ask(ListAgendaRequest::default())).await?.into_inner().items)
    })
    .await
}

/// Waits until a case is on the agenda for these reasons and no other; for none, until it is not on it.
pub(crate) async fn on_agenda(desk: &Desk, case: &str, topics: &[Topic]) {
    let wanted: BTreeSet<i32> = topics.iter().map(|topic| (*topic).into()).collect();
    let what = format!("the agenda to say {topics:?} of {case}");
    desk.until(&what, async |_: Staff| {
        let told = agenda(desk).await.into_iter().find(|item| item.case_id == case);
        let told: BTreeSet<i32> = told.into_iter().flat_map(|item| item.topics).collect();
        Ok((told == wanted).then_some(()))
    })
    .await;
}

/// Waits until exactly these cases are on the agenda, for these reasons and no other.
pub(crate) async fn whole_agenda(desk: &Desk, cases: &[(&String, &[Topic])]) {
    let codes = |topics: &[Topic]| topics.iter().map(|topic| i32::from(*topic)).collect::<BTreeSet<i32>>();
    let wanted: BTreeMap<String, BTreeSet<i32>> =
        cases.iter().map(|(case, topics)| ((*case).clone(), codes(topics))).collect();
    let what = format!("the agenda to be {cases:?}");
    desk.until(&what, async |_: Staff| {
        let told = agenda(desk).await.into_iter();
        let told: BTreeMap<_, BTreeSet<_>> =
            told.map(|item| (item.case_id, item.topics.into_iter().collect())).collect();
        Ok((told == wanted).then_some(()))
    })
    .await;
}

/// What a meeting may decide of a case.
pub(crate) fn decision(case: &str, decision: Decision) -> DecideCaseRequest {
    DecideCaseRequest {
        decision_id: new_id(),
        case_id: case.to_owned(),
        decision: decision.into(),
        ..DecideCaseRequest::default()
    }
}

/// To close it.
pub(crate) fn close(case: &str) -> DecideCaseRequest {
    DecideCaseRequest { end_reason: EndReason::GoalReached.into(), ..decision(case, Decision::Close) }
}

/// To go on for some months.
pub(crate) fn extend(case: &str, reason: ExtendReason, months: i32) -> DecideCaseRequest {
    DecideCaseRequest { extend_reason: reason.into(), months, ..decision(case, Decision::Extend) }
}

/// To open it again because of a new danger.
pub(crate) fn reopen(case: &str) -> DecideCaseRequest {
    DecideCaseRequest { reopen_reason: ReopenReason::NewDanger.into(), ..decision(case, Decision::Reopen) }
}

/// One meeting of a province.
pub(crate) struct Meeting {
    /// The desk of whoever is in the chair.
    pub(crate) chair: Desk,
    /// The meeting.
    pub(crate) id: String,
    held_on: Date,
}

/// Somebody of a provincial office who may call its meeting.
pub(crate) fn chair(network: &Network, province: &str) -> Desk {
    network.desk_as(province, &[Role::Supervisor, Role::Caseworker])
}

impl Meeting {
    /// Calls it for today.
    pub(crate) async fn convene(network: &Network, province: &str) -> Self {
        let (chair, held_on) = (chair(network, province), today(network));
        let id = new_id();
        let request = ConveneMeetingRequest { meeting_id: id.clone(), planned_on: held_on.to_string() };
        chair
            .ask("a meeting", async |staff: Staff| staff.meeting().convene_meeting(staff.ask(request.clone())).await)
            .await;
        Self { chair, id, held_on }
    }

    /// The same meeting, when days have passed and whoever was in the chair has a token of today.
    pub(crate) fn remembered(self, network: &Network) -> Self {
        Self { chair: chair(network, self.chair.office()), ..self }
    }

    /// Brings the agenda up to now; how many cases are on it.
    pub(crate) async fn refresh(&self) -> i32 {
        let request = RefreshAgendaRequest { meeting_id: self.id.clone() };
        let items = self.chair.ask("the agenda", async |staff: Staff| {
            Ok(staff.meeting().refresh_agenda(staff.ask(request.clone())).await?.into_inner().items)
        });
        items.await
    }

    /// Notes who is there. Whether they may decide, and who is missing.
    pub(crate) async fn attend(&self, offices: &[&str]) -> (bool, Vec<Guest>) {
        let request = RecordAttendanceRequest {
            meeting_id: self.id.clone(),
            held_on: self.held_on.to_string(),
            office_ids: offices.iter().map(|office| (*office).to_owned()).collect(),
            guests: vec![],
        };
        let noted = self.chair.ask("attendance", async |staff: Staff| {
            Ok(staff.meeting().record_attendance(staff.ask(request.clone())).await?.into_inner())
        });
        let noted = noted.await;
        (noted.quorum, noted.missing)
    }

    /// Asks for a decision.
    pub(crate) async fn try_to_decide(&self, request: &DecideCaseRequest) -> Result<(), Status> {
        let staff = self.chair.staff().await;
        let request = DecideCaseRequest { meeting_id: self.id.clone(), ..request.clone() };
        staff.meeting().decide_case(staff.ask(request)).await.map(drop)
    }

    /// Asks for the minutes to be signed.
    pub(crate) async fn try_to_sign(&self) -> Result<i32, Status> {
        let staff = self.chair.staff().await;
        let request = SignMinutesRequest { meeting_id: self.id.clone() };
        Ok(staff.meeting().sign_minutes(staff.ask(request)).await?.into_inner().decisions)
    }

    /// Decides so, goes on as it is with all other cases of the agenda, and signs.
    pub(crate) async fn conclude(&self, decisions: &[DecideCaseRequest]) {
        let decided: BTreeMap<_, _> = decisions.iter().map(|request| (request.case_id.as_str(), request)).collect();
        for case in self.seen().await.cases {
            let as_it_is = decision(&case.case_id, Decision::Continue);
            let request = decided.get(case.case_id.as_str()).map_or(&as_it_is, |request| *request);
            self.try_to_decide(request).await.unwrap_or_else(|status| panic!("{:?}: {status:?}", case.topics));
        }
        self.try_to_sign().await.expect("the minutes are signed");
    }

    /// The meeting as its minutes have it.
    pub(crate) async fn seen(&self) -> GetMeetingResponse {
        let request = GetMeetingRequest { meeting_id: self.id.clone() };
        self.chair
            .ask("the minutes", async |staff: Staff| {
                Ok(staff.meeting().get_meeting(staff.ask(request.clone())).await?.into_inner())
            })
            .await
    }

    /// A case as the minutes have it.
    pub(crate) async fn case(&self, case: &str) -> MeetingCase {
        let cases = self.seen().await.cases;
        cases.into_iter().find(|seen| seen.case_id == case).expect("a case of the agenda")
    }

    /// Waits until the minutes tell what became of a decision.
    pub(crate) async fn told(&self, case: &str, state: MandateState) -> MeetingCase {
        let what = format!("the decision to be {state:?}");
        self.chair
            .until(&what, async |_: Staff| {
                let seen = self.case(case).await;
                Ok((seen.state() == state).then_some(seen))
            })
            .await
    }
}
