//! The way home: where a child lives until then, the family that is looked for at home, and somebody who leaves on her own.

use spean::demonstration::agencies::{KIEN_SVAY, RATANAK_KIRI, SHELTER};
use spean_contracts::followup::v1::FamilySearchOutcome;
use spean_contracts::referral::v1::{
    ConcludeServiceRequest, ListNeedsRequest, NeedState, OfferKind, OpenNeedRequest, ServiceOutcome,
};
use spean_contracts::shelter::v1::{
    AssessFamilyRequest, CareDueKind, CareOption, ContactOutcome, DecidePlacementRequest, DecideReintegrationRequest,
    ExitKind, FamilyAssessment, GetCareRequest, Home, HomeRisk, ImpossibleReason, ListCareDueRequest,
    ListMissingRequest, ListTracingRequest, Missing, NotPossible, Placement, Recommendation, RecordContactRequest,
    Reintegration, RequestTracingRequest, ResponsibleAdult, Tracing, TracingEntry, TracingOutcome, TracingStep,
};
use spean_contracts::vocabulary::v1::{Need, Urgency};
use spean_tests::{hand_over, network, one_holder, settled};

use super::whereabouts::{a_place, admit, exit};
use super::*;

fn placement(network: &Network, option: CareOption, not_possible: &[(CareOption, ImpossibleReason)]) -> Placement {
    let not_possible =
        not_possible.iter().map(|(option, reason)| NotPossible { option: (*option).into(), reason: (*reason).into() });
    Placement {
        placement_id: new_id(),
        option: option.into(),
        not_possible: not_possible.collect(),
        decided_on: today(network),
    }
}

async fn place(staff: &Staff, case: &str, placement: Placement) -> Result<(), Status> {
    let request = DecidePlacementRequest { case_id: case.to_owned(), placement: Some(placement) };
    staff.shelter().decide_placement(staff.ask(request)).await.map(drop)
}

async fn care_due(desk: &Desk, kind: CareDueKind) -> usize {
    let ask = ListCareDueRequest { page: None, within_days: 30 };
    let due = desk.ask("what is due", async |staff: Staff| staff.shelter().list_care_due(staff.ask(ask.clone())).await);
    due.await.into_inner().due.iter().filter(|due| due.kind() == kind).count()
}

#[tokio::test]
async fn a_child_lives_in_an_institution_only_for_reasons_and_the_next_holder_can_read_them() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let case = open_case_of(&shelter, invented_child(&network, 30), ConsentBasis::BestInterest).await;
    a_place(&shelter, true, Sex::Male).await;
    admit(&shelter, &case).await;
    assert_eq!(care_due(&shelter, CareDueKind::Placement).await, 1, "nobody has said why the child is here");
    let staff = shelter.staff().await;
    let earlier = [
        (CareOption::FamilyPreservation, ImpossibleReason::NotSafe),
        (CareOption::Reunification, ImpossibleReason::NotYetClear),
        (CareOption::KinOrFoster, ImpossibleReason::NobodyAvailable),
    ];
    for said in [&earlier[..0], &earlier[..2], &earlier[1..]] {
        let refused = place(&staff, &case, placement(&network, CareOption::Institution, said)).await;
        assert_eq!(reason(&refused.expect_err("an option was passed over")), "EARLIER_OPTIONS_NOT_EXPLAINED");
    }
    assert_eq!(care_due(&shelter, CareDueKind::Placement).await, 1);
    let decided = placement(&network, CareOption::Institution, &earlier);
    place(&staff, &case, decided.clone()).await.expect("every earlier option has its reason");
    place(&staff, &case, decided).await.expect("said twice it is said once");
    assert_eq!(care_due(&shelter, CareDueKind::Placement).await, 0);

    // The reasons go along with the file.
    let district = network.desk(KIEN_SVAY);
    hand_on(&shelter, &district, &case, ConsentBasis::BestInterest).await;
    let file = district.until("the file", async |staff: Staff| {
        let file = format!("{:?}", staff.case(&case, "to know where the child lives").await?);
        Ok(file.contains("nobody_available").then_some(file))
    });
    let file = file.await;
    for code in ["institution", "not_safe", "not_yet_clear", "nobody_available"] {
        assert!(file.contains(code), "{code} in {file}");
    }
    settled(&network).await;
}

async fn tracings(staff: &Staff) -> Result<Vec<TracingEntry>, Status> {
    Ok(staff.shelter().list_tracing(staff.ask(ListTracingRequest { page: None })).await?.into_inner().tracings)
}

async fn assess(network: &Network, case: &str, recommendation: Recommendation, risks: &[HomeRisk]) {
    let assessment = FamilyAssessment {
        assessment_id: new_id(),
        assessed_on: today(network),
        recommendation: recommendation.into(),
        risks: risks.iter().map(|risk| (*risk).into()).collect(),
        responsible_adult: ResponsibleAdult::Relative.into(),
        ..FamilyAssessment::default()
    };
    let request = AssessFamilyRequest { case_id: case.to_owned(), assessment: Some(assessment), notes: String::new() };
    network
        .desk(SHELTER)
        .ask("a visit to the family", async |staff: Staff| {
            staff.shelter().assess_family(staff.ask(request.clone())).await
        })
        .await;
}

async fn decide(network: &Network, case: &str, agreed_by: &[ConsentBasis]) -> Result<(), Status> {
    let reintegration = Reintegration {
        decision_id: new_id(),
        decided_on: today(network),
        home: Home::Family.into(),
        agreed_by: agreed_by.iter().map(|basis| (*basis).into()).collect(),
    };
    let staff = network.desk(SHELTER).staff().await;
    let request = DecideReintegrationRequest { case_id: case.to_owned(), reintegration: Some(reintegration) };
    staff.shelter().decide_reintegration(staff.ask(request)).await.map(drop)
}

#[tokio::test]
async fn the_home_district_finds_the_family_a_risk_there_stops_the_return_and_somebody_will_visit() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let case = open_case_of(&shelter, invented_child(&network, 31), ConsentBasis::BestInterest).await;
    a_place(&shelter, true, Sex::Male).await;
    let (stay, _) = admit(&shelter, &case).await;
    the_district_is_asked_and_answers(&network, &case).await;

    network.pass_time(10 * 24).expect("the clock is ours");
    let both = [ConsentBasis::Person, ConsentBasis::Guardian];
    assess(&network, &case, Recommendation::Return, &[]).await;
    assert_eq!(reason(&decide(&network, &case, &[ConsentBasis::Guardian]).await.unwrap_err()), "PERSON_HAS_NOT_AGREED");
    assert_eq!(reason(&decide(&network, &case, &[ConsentBasis::Person]).await.unwrap_err()), "NOBODY_AGREED_FOR_CHILD");
    decide(&network, &case, &both).await.expect("he wants to go home, and his guardian agrees");
    // What was decided falls when somebody sees a risk.
    network.pass_time(24).expect("the clock is ours");
    assess(&network, &case, Recommendation::NotSafe, &[HomeRisk::TraffickerNear]).await;
    assert_eq!(reason(&decide(&network, &case, &both).await.unwrap_err()), "RISK_AT_HOME");
    let step = tracings(&network.desk(SHELTER).staff().await).await.expect("it answers");
    assert_eq!(step.iter().map(TracingEntry::step).collect::<Vec<_>>(), [TracingStep::OtherHome]);

    let district = network.desk(KIEN_SVAY);
    hand_on(&network.desk(SHELTER), &district, &case, ConsentBasis::BestInterest).await;
    let leave = |staff: Staff| {
        let request = exit(&stay, ExitKind::Reintegrated);
        async move { staff.shelter().exit_resident(staff.ask(request)).await.map(drop) }
    };
    network
        .desk(SHELTER)
        .until("the shelter to hear of the acceptance", async |staff: Staff| {
            let refused = leave(staff).await.expect_err("the decision does not stand");
            Ok((reason(&refused) == "RETURN_NOT_DECIDED").then_some(()))
        })
        .await;
    network.pass_time(30 * 24).expect("the clock is ours");
    assess(&network, &case, Recommendation::Return, &[]).await;
    decide(&network, &case, &both).await.expect("he is safe there by now");
    leave(network.desk(SHELTER).staff().await).await.expect("the district will visit him");
    assert_eq!(tracings(&network.desk(SHELTER).staff().await).await.expect("it answers"), []);
    assert_eq!(plan(&network.desk(KIEN_SVAY), &case).await.visits.len(), 12);
    settled(&network).await;
    one_holder(&network, KIEN_SVAY, &[&case]).await;
}

async fn the_district_is_asked_and_answers(network: &Network, case: &str) {
    let (shelter, district) = (network.desk(SHELTER), network.desk(KIEN_SVAY));
    let asking = Asking { kind: OfferKind::Service, need: Need::FamilyTracing, urgency: Urgency::Routine };
    let offer = ask_for(&shelter, case, KIEN_SVAY, asking).await;
    let request =
        RequestTracingRequest { case_id: case.to_owned(), offer_id: offer.clone(), requested_on: String::new() };
    shelter
        .ask("the request", async |staff: Staff| staff.shelter().request_tracing(staff.ask(request.clone())).await)
        .await;
    let waits = tracings(&shelter.staff().await).await.expect("it answers");
    assert_eq!(waits.iter().map(TracingEntry::step).collect::<Vec<_>>(), [TracingStep::Answer]);
    district.accept(&offer).await;
    network.pass_time(20 * 24).expect("the clock is ours");
    let (shelter, district) = (network.desk(SHELTER), network.desk(KIEN_SVAY));
    let answer = wire::AnswerTracingRequest {
        case_id: case.to_owned(),
        offer_id: offer.clone(),
        outcome: FamilySearchOutcome::Found.into(),
        answered_on: String::new(),
    };
    let elsewhere = wire::AnswerTracingRequest { offer_id: new_id(), ..answer.clone() };
    let told = district.until("the service", async |staff: Staff| {
        known(staff.followup().answer_tracing(staff.ask(answer.clone())).await)
    });
    assert_eq!(told.await.into_inner().told_office_id, SHELTER);
    let staff = district.staff().await;
    let refused = staff.followup().answer_tracing(staff.ask(elsewhere)).await.expect_err("nobody asked for that");
    assert_eq!(reason(&refused), "NOT_ASKED_TO_SEARCH");
    let conclude = ConcludeServiceRequest { offer_id: offer.clone(), outcome: ServiceOutcome::Completed.into() };
    district
        .until("the end of the service", async |staff: Staff| {
            match staff.referral().conclude_service(staff.ask(conclude.clone())).await {
                Err(status) if reason(&status) == "NOT_AGREED_YET" => Ok(None),
                answer => answer.map(Some),
            }
        })
        .await;

    let found = shelter.until("the answer", async |staff: Staff| {
        let step = tracings(&staff).await?.into_iter().find(|entry| entry.step() == TracingStep::Assessment);
        Ok(step)
    });
    let found = found.await;
    assert_eq!((found.case_id.as_str(), found.offer_id.as_str()), (case, offer.as_str()));
    assert_eq!((found.since, found.due_on), (today(network), day(network).plus_days(30).to_string()));
    let request = GetCareRequest { case_id: case.to_owned() };
    let asked =
        shelter.ask("the care", async |staff: Staff| staff.shelter().get_care(staff.ask(request.clone())).await);
    let known = asked.await.into_inner();
    assert_eq!(known.tracings.iter().map(Tracing::outcome).collect::<Vec<_>>(), [TracingOutcome::Found]);
}

async fn missing(staff: &Staff) -> Result<Vec<Missing>, Status> {
    Ok(staff.shelter().list_missing(staff.ask(ListMissingRequest { page: None })).await?.into_inner().missing)
}

#[tokio::test]
async fn who_leaves_of_her_own_will_is_looked_for_and_her_case_and_her_need_stay_open() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let case = hand_over(&network.desk(RATANAK_KIRI), &shelter, 32).await.case;
    a_place(&shelter, false, Sex::Female).await;
    let (stay, before) = admit(&shelter, &case).await;
    assert!(!before);
    let need = OpenNeedRequest {
        need_id: new_id(),
        case_id: case.clone(),
        need: Need::Medical.into(),
        urgency: Urgency::Urgent.into(),
        ..OpenNeedRequest::default()
    };
    shelter.ask("a need", async |staff: Staff| staff.needs().open_need(staff.ask(need.clone())).await).await;
    let staff = shelter.staff().await;
    let home = staff.shelter().exit_resident(staff.ask(exit(&stay, ExitKind::Reintegrated))).await;
    assert_eq!(reason(&home.expect_err("nobody would visit her")), "FOLLOW_UP_NOT_ACCEPTED");
    staff.shelter().exit_resident(staff.ask(exit(&stay, ExitKind::OwnWill))).await.expect("nobody is kept");

    // Those who referred her look for her too; here she stays on the list, however long it takes.
    heard(&network.desk(RATANAK_KIRI), &case, came_to(Stage::ContactLost)).await;
    network.pass_time(3 * A_MONTH).expect("the clock is ours");
    let shelter = network.desk(SHELTER);
    let [gone] = <[Missing; 1]>::try_from(missing(&shelter.staff().await).await.expect("it answers")).expect("one");
    assert_eq!((gone.left, gone.contact_lost, gone.age_days), (true, true, 93));
    one_holder(&network, SHELTER, &[&case]).await;
    let found = RecordContactRequest {
        admission_id: stay,
        found_on: String::new(),
        outcome: ContactOutcome::DeclinesHelp.into(),
    };
    shelter
        .ask("word of her", async |staff: Staff| staff.shelter().record_contact(staff.ask(found.clone())).await)
        .await;
    assert_eq!(missing(&shelter.staff().await).await.expect("it answers"), []);
    // Her word is respected, and what she needs is not forgotten.
    let ask = ListNeedsRequest { case_id: case.clone(), ..ListNeedsRequest::default() };
    let needs = shelter.ask("the needs", async |staff: Staff| staff.needs().list_needs(staff.ask(ask.clone())).await);
    let needs = needs.await.into_inner().needs;
    assert_eq!(
        needs.iter().map(|need| (need.need(), need.state())).collect::<Vec<_>>(),
        [(Need::Medical, NeedState::Open)]
    );
    assert!(needs[0].age_hours >= 3 * A_MONTH);
    one_holder(&network, SHELTER, &[&case]).await;

    // She comes back, and it is known that she was here.
    let (_, before) = admit(&shelter, &case).await;
    assert!(before, "recognised");
    heard(&network.desk(RATANAK_KIRI), &case, came_to(Stage::InShelter)).await;
    settled(&network).await;
}
