//! A young woman in a shelter who leaves, comes back and goes home: nobody drops her meanwhile, those who referred her
//! hear of it, and she goes home only when it was decided with her and somebody will visit. Through running programs.

use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI, SHELTER};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::policy::v1::policy_service_client::PolicyServiceClient;
use spean_contracts::policy::v1::{GetPolicyRequest, GetPolicyResponse};
use spean_contracts::referral::v1::news::What;
use spean_contracts::referral::v1::{ListNewsRequest, Stage};
use spean_contracts::shelter::v1::{
    AbsenceReason, AdmitResidentRequest, AssessFamilyRequest, DecideReintegrationRequest, DeclareCapacityRequest,
    ExitKind, ExitResidentRequest, FamilyAssessment, Home, ListMissingRequest, Missing, Places, Recommendation,
    RecordAbsenceRequest, RecordReturnRequest, Reintegration,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Sex};
use spean_tests::{Network, hand_over, network, settled};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

#[tokio::test]
async fn the_young_woman_who_ran_home_is_looked_for_comes_back_and_goes_home_to_be_visited() {
    let mut network = network().await;
    let case = hand_over(&network.desk(RATANAK_KIRI), &network.desk(SHELTER), 5).await.case;
    let stay = admitted(&network, &case).await;
    a_shelter_that_is_less_patient(&mut network).await;
    she_leaves_and_is_looked_for(&network, &stay, &case).await;
    she_comes_back_and_goes_home(&network, &stay, &case).await;
    settled(&network).await;
}

fn today(network: &Network) -> String {
    network.clock().now().date_in_cambodia().to_string()
}

async fn admitted(network: &Network, case: &str) -> String {
    let shelter = network.desk(SHELTER);
    let places = Places { sex: Sex::Female.into(), children: false, capacity_persons: 9, occupied_persons: 0 };
    let capacity = DeclareCapacityRequest { places: vec![places] };
    shelter
        .ask("places", async |staff: Staff| staff.shelter().declare_capacity(staff.ask(capacity.clone())).await)
        .await;
    let stay = new_id();
    let admission = AdmitResidentRequest {
        admission_id: stay.clone(),
        case_id: case.to_owned(),
        admitted_on: today(network),
        bed: "a-1".to_owned(),
        ..AdmitResidentRequest::default()
    };
    shelter
        .until("the admission", async |staff: Staff| {
            match staff.shelter().admit_resident(staff.ask(admission.clone())).await {
                Ok(_) => Ok(Some(())),
                Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    stay
}

async fn policy(network: &Network, on: &str) -> GetPolicyResponse {
    let node = network.node_of(SHELTER);
    let address = network.address(&node).expect("it listens");
    let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_lazy();
    let asked = network.desk(SHELTER).staff().await.ask(GetPolicyRequest { on: on.to_owned() });
    PolicyServiceClient::new(channel).get_policy(asked).await.expect("it answers").into_inner()
}

/// The agency changes its file and starts its node again: the new figures hold from then on, the old ones for before.
async fn a_shelter_that_is_less_patient(network: &mut Network) {
    let before = today(network);
    let first = policy(network, "").await;
    assert_eq!(first.version, 1);
    network.pass_time(24).expect("the clock is ours");
    let node = network.node_of(SHELTER);
    let home = network.folder().join(&node);
    std::fs::write(home.join("policy.toml"), "[shelter]\ntracing_after_absent_days = 2\n").expect("the folder is ours");
    let mut settings = network.settings(&node);
    settings.policy = Some(home.join("policy.toml"));
    std::fs::write(home.join("node.toml"), toml::to_string(&settings).expect("settings are TOML"))
        .expect("the folder is ours");
    network.cut_power(&node).expect("a node can be killed");
    network.start(&node).await.expect("it comes back");
    let now = policy(network, "").await;
    let days = |policy: &GetPolicyResponse| {
        let figure = policy.figures.iter().find(|figure| figure.name == "shelter.tracing_after_absent_days");
        figure.expect("every figure is shown").number
    };
    assert_eq!((now.version, days(&now), days(&first)), (2, 2, 3));
    assert_eq!(policy(network, &before).await.digest, first.digest, "that day it was the other one");
    network.cut_power(&node).expect("a node can be killed");
    network.start(&node).await.expect("it comes back");
    assert_eq!(policy(network, "").await.version, 2, "the same file is no new version");
}

async fn missing(staff: &Staff) -> Result<Vec<Missing>, Status> {
    Ok(staff.shelter().list_missing(staff.ask(ListMissingRequest { page: None })).await?.into_inner().missing)
}

/// Waits until an office has heard that a case came to a stage.
async fn heard(network: &Network, office: &str, case: &str, stage: Stage) {
    let what = format!("news of {stage:?}");
    network
        .desk(office)
        .until(&what, async |staff: Staff| {
            let asked = staff.ask(ListNewsRequest { include_read: true, page: None });
            let news = staff.reports().list_news(asked).await?.into_inner().news;
            let told = |what: &Option<What>| matches!(what, Some(What::Stage(reached)) if *reached == i32::from(stage));
            Ok(news.iter().any(|news| news.case_id == case && told(&news.what)).then_some(()))
        })
        .await;
}

async fn she_leaves_and_is_looked_for(network: &Network, stay: &str, case: &str) {
    heard(network, RATANAK_KIRI, case, Stage::InShelter).await;
    let shelter = network.desk(SHELTER);
    let absence = RecordAbsenceRequest {
        admission_id: stay.to_owned(),
        since: today(network),
        reason: AbsenceReason::OwnWill.into(),
        expected_back_on: String::new(),
    };
    shelter.ask("absence", async |staff: Staff| staff.shelter().record_absence(staff.ask(absence.clone())).await).await;
    let away = missing(&shelter.staff().await).await.expect("it answers");
    assert_eq!(away.iter().map(|away| (away.contact_lost, away.left)).collect::<Vec<_>>(), [(false, false)]);
    network.pass_time(48).expect("the clock is ours");
    network
        .desk(SHELTER)
        .until("the search", async |staff: Staff| {
            Ok(missing(&staff).await?.iter().any(|away| away.contact_lost && away.age_days == 2).then_some(()))
        })
        .await;
    heard(network, RATANAK_KIRI, case, Stage::ContactLost).await;
}

async fn she_comes_back_and_goes_home(network: &Network, stay: &str, case: &str) {
    let shelter = network.desk(SHELTER);
    let back = RecordReturnRequest { admission_id: stay.to_owned(), returned_on: today(network) };
    shelter.ask("return", async |staff: Staff| staff.shelter().record_return(staff.ask(back.clone())).await).await;
    assert_eq!(missing(&shelter.staff().await).await.expect("it answers"), []);

    let staff = shelter.staff().await;
    let exit = || {
        let kind = ExitKind::Reintegrated.into();
        staff.ask(ExitResidentRequest { admission_id: stay.to_owned(), kind, exited_on: today(network) })
    };
    let refused = staff.shelter().exit_resident(exit()).await.expect_err("nobody would visit her");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FOLLOW_UP_NOT_ACCEPTED"));
    shelter.ask("consent", async |staff: Staff| staff.consent(case, ConsentBasis::BestInterest).await).await;
    let offer = shelter.offer(case, KANDAL).await;
    network.desk(KANDAL).accept(&offer).await;
    network.desk(KANDAL).held(case).await;
    shelter
        .until("the shelter to hear of the acceptance", async |staff: Staff| {
            let exit = ExitResidentRequest {
                admission_id: stay.to_owned(),
                kind: ExitKind::Reintegrated.into(),
                exited_on: today(network),
            };
            let refused = staff.shelter().exit_resident(staff.ask(exit)).await.expect_err("nobody has asked her");
            Ok((reason(&refused) == "RETURN_NOT_DECIDED").then_some(()))
        })
        .await;
    let assessment = FamilyAssessment {
        assessment_id: new_id(),
        assessed_on: today(network),
        recommendation: Recommendation::Return.into(),
        ..FamilyAssessment::default()
    };
    let notes = "Her aunt has a room for her.".to_owned();
    let assess = AssessFamilyRequest { case_id: case.to_owned(), assessment: Some(assessment), notes };
    staff.shelter().assess_family(staff.ask(assess)).await.expect("the case has moved, she is still here");
    let decision = Reintegration {
        decision_id: new_id(),
        decided_on: today(network),
        home: Home::Family.into(),
        agreed_by: vec![ConsentBasis::Person.into()],
    };
    let decide = DecideReintegrationRequest { case_id: case.to_owned(), reintegration: Some(decision) };
    staff.shelter().decide_reintegration(staff.ask(decide)).await.expect("she wants to go home");
    staff.shelter().exit_resident(exit()).await.expect("Kandal will visit her");
    assert!(network.desk(KANDAL).staff().await.holds(case).await.expect("it answers"));
}
