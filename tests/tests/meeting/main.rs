//! The two-monthly meeting of a province, across the network: its agenda comes from what is on record at each office,
//! those who are there decide when they are enough, each decision is carried out where the case is kept or visibly
//! refused there, and nothing is closed in any other way.

mod hall;
mod settled;
mod year;

use hall::{
    Meeting, at_home, close, danger, decision, extend, follow_up, lost, mandate, meets, on_agenda, refusal, reopen,
    stands, today, visited,
};
use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, RATANAK_KIRI, SAANG, SHELTER, TRANSIT_CENTRE,
};
use spean::demonstration::staff::{Staff, new_id};
use spean_contracts::followup::v1::{
    Attendee, CloseFollowUpRequest, ConveneMeetingRequest, DecideCaseRequest, Decision, ExtendReason, FollowUpState,
    Guest, MandateState, PersonFunction, RecordInformalVisitRequest, RecordSearchStepRequest, ReopenFollowUpRequest,
    ReopenReason, SearchAction, Topic,
};
use spean_identity::Role;
use spean_tests::{Desk, network, settled as all_settled};
use tonic::{Code, Status};

/// An office of every kind that must be there.
const ENOUGH: [&str; 3] = [KANDAL, KIEN_SVAY, SHELTER];

async fn try_to_close(desk: &Desk, case: &str) -> Result<(), Status> {
    let staff = desk.staff().await;
    let request = CloseFollowUpRequest { case_id: case.to_owned() };
    staff.followup().close_follow_up(staff.ask(request)).await.map(drop)
}

async fn try_to_convene(desk: &Desk, on: &str) -> Result<(), Status> {
    let staff = desk.staff().await;
    let request = ConveneMeetingRequest { meeting_id: new_id(), planned_on: on.to_owned() };
    staff.meeting().convene_meeting(staff.ask(request)).await.map(drop)
}

async fn look_in(desk: &Desk, case: &str, on: &str) -> Result<(), Status> {
    let staff = desk.staff().await;
    let request = RecordInformalVisitRequest {
        visit_id: new_id(),
        case_id: case.to_owned(),
        visited_on: on.to_owned(),
        responsible_adult_function: PersonFunction::Mother.into(),
        ..RecordInformalVisitRequest::default()
    };
    staff.followup().record_informal_visit(staff.ask(request)).await.map(drop)
}

async fn try_to_reopen(desk: &Desk, case: &str, on: &str) -> Result<(), Status> {
    let staff = desk.staff().await;
    let request = ReopenFollowUpRequest {
        case_id: case.to_owned(),
        reason: ReopenReason::PersonAsked.into(),
        reopened_on: on.to_owned(),
    };
    staff.followup().reopen_follow_up(staff.ask(request)).await.map(drop)
}

#[tokio::test]
async fn a_case_that_is_closed_too_early_is_not_closed_in_any_way() {
    let network = network().await;
    let (district, day) = (network.desk(KIEN_SVAY), today(&network));
    let done = at_home(&district, 1, day.plus_months(-12), 12).await;
    let under_way = at_home(&district, 2, day.plus_months(-1), 1).await;

    // The office that holds it, the one above it, and a meeting of somebody else.
    assert_eq!(refusal(try_to_close(&district, &done).await), "CLOSURE_NEEDS_MEETING");
    let province = network.desk(KANDAL);
    let stranger = try_to_close(&province, &done).await.expect_err("it has nothing to do with the case");
    assert_eq!(stranger.code(), Code::NotFound);
    let on = day.to_string();
    assert_eq!(refusal(try_to_convene(&district, &on).await), "NOT_A_PROVINCE");
    let worker = network.desk_as(KANDAL, &[Role::Caseworker]);
    let refused = try_to_convene(&worker, &on).await.expect_err("a worker does not take the chair");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let foreign = Meeting::convene(&network, RATANAK_KIRI).await;
    assert_eq!(foreign.attend(&[RATANAK_KIRI, KIEN_SVAY, SHELTER]).await, (true, vec![]));
    assert_eq!(refusal(foreign.try_to_decide(&close(&done)).await), "NOT_ON_AGENDA");

    // The right meeting, too early, with too few, about another case, and without an end.
    on_agenda(&province, &done, &[Topic::DueToClose]).await;
    let meeting = Meeting::convene(&network, KANDAL).await;
    assert_eq!(refusal(meeting.try_to_decide(&close(&done)).await), "NOT_HELD");
    let missing = |kind: Attendee| Guest { kind: kind.into(), count: 1 };
    let absent = [(vec![KANDAL, KIEN_SVAY], Attendee::Organisation), (vec![KANDAL, SHELTER], Attendee::DistrictOffice)];
    for (offices, kind) in absent {
        assert_eq!(meeting.attend(&offices).await, (false, vec![missing(kind)]));
        assert_eq!(refusal(meeting.try_to_decide(&close(&done)).await), "QUORUM_MISSING");
        assert_eq!(refusal(meeting.try_to_sign().await), "QUORUM_MISSING");
    }
    assert_eq!(meeting.attend(&ENOUGH).await, (true, vec![]));
    assert_eq!(refusal(meeting.try_to_decide(&close(&under_way)).await), "NOT_ON_AGENDA");
    assert_eq!(refusal(meeting.try_to_sign().await), "CASES_UNDECIDED");
    meeting.try_to_decide(&close(&done)).await.expect("now it is decided");
    assert_eq!(refusal(try_to_close(&district, &done).await), "CLOSURE_NEEDS_MEETING", "nothing is signed yet");
    for case in [&done, &under_way] {
        assert_eq!(refusal(look_in(&district, case, &on).await), "NOT_CLOSED");
        assert_eq!(refusal(try_to_reopen(&district, case, &on).await), "NOT_CLOSED");
    }
    assert_eq!(follow_up(&district, &done).await.state(), FollowUpState::DueToClose);
    assert_eq!(meeting.try_to_sign().await.expect("every case has its decision"), 1);
    stands(&district, &done, FollowUpState::Closed).await;
    assert_eq!(follow_up(&district, &under_way).await.state(), FollowUpState::Open);
    all_settled(&network).await;
}

#[tokio::test]
async fn after_the_end_a_worker_looks_in_and_the_case_is_opened_again() {
    let network = network().await;
    let (district, province, day) = (network.desk(KIEN_SVAY), network.desk(KANDAL), today(&network));
    let asked = at_home(&district, 1, day.plus_months(-12), 12).await;
    let threatened = at_home(&district, 2, day.plus_months(-12), 12).await;
    for case in [&asked, &threatened] {
        on_agenda(&province, case, &[Topic::DueToClose]).await;
    }
    let meeting = Meeting::convene(&network, KANDAL).await;
    meeting.attend(&ENOUGH).await;
    meeting.conclude(&[close(&asked), close(&threatened)]).await;
    for case in [&asked, &threatened] {
        stands(&district, case, FollowUpState::Closed).await;
        meeting.told(case, MandateState::CarriedOut).await;
        on_agenda(&province, case, &[]).await;
        let staff = district.staff().await;
        let visit = staff.followup().record_visit(staff.ask(meets(case, 12, day))).await;
        assert_eq!(refusal(visit), "FOLLOW_UP_CLOSED");
        look_in(&district, case, &day.to_string()).await.expect("an informal visit is recorded");
    }

    // The one asks for more visits; of the other the meeting hears that there is a danger.
    try_to_reopen(&district, &asked, &day.to_string()).await.expect("it is opened again");
    assert_eq!(follow_up(&district, &asked).await.state(), FollowUpState::Open);
    danger(&district, &threatened, day).await;
    on_agenda(&province, &threatened, &[Topic::Danger]).await;
    let next = Meeting::convene(&network, KANDAL).await;
    next.attend(&ENOUGH).await;
    assert_eq!(refusal(next.try_to_decide(&close(&threatened)).await), "NOT_SAFE_TO_CLOSE");
    next.conclude(&[reopen(&threatened)]).await;
    next.told(&threatened, MandateState::CarriedOut).await;
    for case in [&asked, &threatened] {
        let seen = stands(&district, case, FollowUpState::Open).await;
        assert_eq!((seen.visits, seen.visits_open), (24, 12), "another year of visits");
    }
    all_settled(&network).await;
}

#[tokio::test]
async fn each_case_of_the_agenda_gets_its_decision_and_the_district_does_what_was_decided() {
    let network = network().await;
    let (district, province, day) = (network.desk(KIEN_SVAY), network.desk(KANDAL), today(&network));
    let done = at_home(&district, 1, day.plus_months(-12), 12).await;
    let late = at_home(&district, 2, day.plus_months(-3), 1).await;
    let gone = at_home(&district, 3, day.plus_months(-3), 2).await;
    let threatened = at_home(&district, 4, day.plus_months(-12), 12).await;
    let moving = at_home(&district, 5, day.plus_months(-2), 0).await;
    lost(&district, &gone, day.plus_days(-20)).await;
    danger(&district, &threatened, day.plus_days(-1)).await;
    let facts: [(&String, &[Topic]); 5] = [
        (&done, &[Topic::DueToClose]),
        (&late, &[Topic::Overdue]),
        (&gone, &[Topic::ContactLost]),
        (&threatened, &[Topic::Danger, Topic::DueToExtend]),
        (&moving, &[Topic::Overdue]),
    ];
    for (case, topics) in facts {
        on_agenda(&province, case, topics).await;
    }

    let meeting = Meeting::convene(&network, KANDAL).await;
    let unheard = at_home(&district, 6, day.plus_months(-12), 12).await;
    on_agenda(&province, &unheard, &[Topic::DueToClose]).await;
    assert_eq!(meeting.refresh().await, 6, "it was called before the last case came up");
    meeting.attend(&ENOUGH).await;
    assert_eq!(refusal(meeting.try_to_decide(&close(&threatened)).await), "NOT_SAFE_TO_CLOSE");
    let transfer =
        DecideCaseRequest { transfer_to_office_id: SAANG.to_owned(), ..decision(&moving, Decision::Transfer) };
    let tracing = decision(&gone, Decision::FurtherTracing);
    let prolonged = extend(&threatened, ExtendReason::Danger, 3);
    meeting.conclude(&[close(&done), tracing, prolonged, transfer]).await;

    // What can be done at once is done, what is work waits for the office.
    for case in [&done, &late, &threatened, &unheard] {
        meeting.told(case, MandateState::CarriedOut).await;
    }
    stands(&district, &done, FollowUpState::Closed).await;
    assert_eq!(follow_up(&district, &unheard).await.state(), FollowUpState::DueToClose, "it goes on as it is");
    let seen = follow_up(&district, &threatened).await;
    assert_eq!((seen.visits, seen.visits_open), (15, 3));
    meeting.told(&gone, MandateState::Open).await;
    meeting.told(&moving, MandateState::Open).await;
    assert_eq!(mandate(&district, &moving, Decision::Transfer).await.transfer_to_office_id, SAANG);

    let search = RecordSearchStepRequest {
        case_id: gone.clone(),
        step_id: new_id(),
        action: SearchAction::FamilyAsked.into(),
        done_on: day.to_string(),
    };
    district
        .ask("a search", async |staff: Staff| staff.safety().record_search_step(staff.ask(search.clone())).await)
        .await;
    meeting.told(&gone, MandateState::CarriedOut).await;
    let next_district = network.desk(SAANG);
    let offer = district.offer(&moving, SAANG).await;
    next_district.accept(&offer).await;
    next_district.held(&moving).await;
    meeting.told(&moving, MandateState::CarriedOut).await;
    stands(&next_district, &moving, FollowUpState::Open).await;
    all_settled(&network).await;
}

#[tokio::test]
async fn a_node_that_was_dark_when_the_meeting_decided_hears_it_later_and_refuses_what_no_longer_holds() {
    let mut network = network().await;
    let (centre, province, day) = (network.desk(TRANSIT_CENTRE), network.desk(BANTEAY_MEANCHEY), today(&network));
    let done = at_home(&centre, 1, day.plus_months(-12), 12).await;
    let threatened = at_home(&centre, 2, day.plus_months(-12), 12).await;
    for case in [&done, &threatened] {
        on_agenda(&province, case, &[Topic::DueToClose]).await;
    }
    let meeting = Meeting::convene(&network, BANTEAY_MEANCHEY).await;
    assert_eq!(meeting.attend(&[BANTEAY_MEANCHEY, "osvy-poipet", TRANSIT_CENTRE]).await, (true, vec![]));
    // While they meet, somebody is threatened at home; then the power is gone.
    danger(&centre, &threatened, day).await;
    on_agenda(&province, &threatened, &[Topic::Danger, Topic::DueToExtend]).await;
    network.cut_power("poipet").expect("the power can be cut");
    meeting.conclude(&[close(&done), close(&threatened)]).await;
    for case in [&done, &threatened] {
        assert_eq!(meeting.case(case).await.state(), MandateState::Sent, "nobody has heard it");
    }
    network.pass_time(21 * 24).expect("the clock can be moved");
    network.start("poipet").await.expect("the lights are on again");

    let (centre, meeting) = (network.desk(TRANSIT_CENTRE), meeting.remembered(&network));
    meeting.told(&done, MandateState::CarriedOut).await;
    stands(&centre, &done, FollowUpState::Closed).await;
    assert_eq!(meeting.told(&threatened, MandateState::Refused).await.refusal, "FACTS_HAVE_CHANGED");
    let seen = mandate(&centre, &threatened, Decision::Close).await;
    assert_eq!((seen.state(), seen.refusal.as_str()), (MandateState::Refused, "FACTS_HAVE_CHANGED"));
    assert_eq!(seen.decided_on, day.to_string());
    assert_eq!(follow_up(&centre, &threatened).await.state(), FollowUpState::DueToClose);
    let province = network.desk(BANTEAY_MEANCHEY);
    on_agenda(&province, &threatened, &[Topic::Danger, Topic::DueToExtend]).await;
    let next = Meeting::convene(&network, BANTEAY_MEANCHEY).await;
    next.attend(&[BANTEAY_MEANCHEY, "osvy-poipet", TRANSIT_CENTRE]).await;
    next.conclude(&[extend(&threatened, ExtendReason::Danger, 2)]).await;
    next.told(&threatened, MandateState::CarriedOut).await;
    assert_eq!(follow_up(&centre, &threatened).await.visits_open, 2);
    all_settled(&network).await;
}
