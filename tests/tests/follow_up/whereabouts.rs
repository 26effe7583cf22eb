//! Reports about somebody who is not there.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, SHELTER};
use spean_contracts::followup::v1::{Resolution, Whereabouts};
use spean_contracts::shelter::v1::{
    AdmitResidentRequest, DeclareCapacityRequest, ExitKind, ExitResidentRequest, Places,
};
use spean_tests::{hand_over, network, settled};

use super::*;

async fn contradictions(staff: &Staff) -> Result<Vec<wire::ContradictionEntry>, Status> {
    let ask = wire::ListContradictionsRequest::default();
    Ok(staff.safety().list_contradictions(staff.ask(ask)).await?.into_inner().contradictions)
}

pub(crate) async fn a_place(shelter: &Desk, children: bool, sex: Sex) {
    let places = Places { sex: sex.into(), children, capacity_persons: 9, occupied_persons: 0 };
    let capacity = DeclareCapacityRequest { places: vec![places] };
    shelter
        .ask("places", async |staff: Staff| staff.shelter().declare_capacity(staff.ask(capacity.clone())).await)
        .await;
}

/// Takes somebody in; the answer is the stay, and whether they had been here before.
pub(crate) async fn admit(shelter: &Desk, case: &str) -> (String, bool) {
    let admission =
        AdmitResidentRequest { admission_id: new_id(), case_id: case.to_owned(), ..AdmitResidentRequest::default() };
    let admitted = shelter.until("the admission", async |staff: Staff| {
        known(staff.shelter().admit_resident(staff.ask(admission.clone())).await)
    });
    let readmission = admitted.await.into_inner().readmission;
    (admission.admission_id, readmission)
}

pub(crate) fn exit(stay: &str, kind: ExitKind) -> ExitResidentRequest {
    ExitResidentRequest { admission_id: stay.to_owned(), kind: kind.into(), exited_on: String::new() }
}

/// She stands at the shelter's door again while her district writes visits to her home.
#[tokio::test]
async fn visits_to_somebody_whom_a_shelter_took_in_again_are_contradicted_for_both_and_for_the_province() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let case = hand_over(&shelter, &network.desk(KIEN_SVAY), 13).await.case;
    a_place(&shelter, false, Sex::Female).await;
    plan(&network.desk(KIEN_SVAY), &case).await;
    let (stay, _) = admit(&shelter, &case).await;
    assert!(network.desk(KIEN_SVAY).staff().await.holds(&case).await.expect("it answers"), "a bed moves no case");
    network.pass_time(A_MONTH).expect("the clock is ours");
    let (shelter, district, province) = (network.desk(SHELTER), network.desk(KIEN_SVAY), network.desk(KANDAL));
    // The district was told a month ago; what it writes now is not refused, and not believed.
    let met = visit(&case, 1, VisitOutcome::Met);
    record(&district, &met).await;
    for desk in [&shelter, &district, &province] {
        let entry = desk.until("the contradiction", async |staff: Staff| Ok(contradictions(&staff).await?.pop())).await;
        assert_eq!((&entry.visit_id, &entry.case_id), (&met.visit_id, &case), "at {}", desk.office());
        assert_eq!((entry.visited_by_office_id.as_str(), entry.seen_by_office_id.as_str()), (KIEN_SVAY, SHELTER));
        assert_eq!(entry.whereabouts(), Whereabouts::InShelter);
    }
    on_the_agenda(&province, &case, &[Topic::Contradictory]).await;

    // Time does not end it, nor does her leaving; somebody who looks into it does.
    let staff = shelter.staff().await;
    staff.shelter().exit_resident(staff.ask(exit(&stay, ExitKind::OwnWill))).await.expect("nobody is kept");
    network.pass_time(A_MONTH).expect("the clock is ours");
    let (shelter, district, province) = (network.desk(SHELTER), network.desk(KIEN_SVAY), network.desk(KANDAL));
    for desk in [&shelter, &district, &province] {
        let open = contradictions(&desk.staff().await).await.expect("it answers");
        assert_eq!(open.iter().map(|open| &open.visit_id).collect::<Vec<_>>(), [&met.visit_id], "at {}", desk.office());
    }
    let resolution = Resolution::VisitNotMade.into();
    let resolve = wire::ResolveContradictionRequest { visit_id: met.visit_id.clone(), resolution };
    province
        .ask("a resolution", async |staff: Staff| {
            staff.safety().resolve_contradiction(staff.ask(resolve.clone())).await
        })
        .await;
    for desk in [&shelter, &district, &province] {
        let gone = async |staff: Staff| Ok(contradictions(&staff).await?.is_empty().then_some(()));
        desk.until("the resolution", gone).await;
    }
    settled(&network).await;
}

/// The report is written first, the shelter speaks later; and meanwhile the case has moved to the next district.
#[tokio::test]
async fn a_word_of_the_shelter_follows_a_case_that_has_moved_on() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let case = hand_over(&shelter, &network.desk(KANDAL), 14).await.case;
    let province = network.desk(KANDAL);
    let banteay = network.desk(spean::demonstration::agencies::BANTEAY_MEANCHEY);
    hand_on(&province, &banteay, &case, ConsentBasis::BestInterest).await;
    plan(&banteay, &case).await;
    network.pass_time(A_MONTH).expect("the clock is ours");
    let banteay = network.desk(spean::demonstration::agencies::BANTEAY_MEANCHEY);
    record(&banteay, &visit(&case, 1, VisitOutcome::Met)).await;
    // All that the shelter knows is that Kandal had the case.
    let from_day = day(&network).plus_days(-5).to_string();
    let whereabouts = wire::ReportWhereaboutsRequest {
        case_id: case.clone(),
        whereabouts: Whereabouts::InShelter.into(),
        from_day,
        until_day: String::new(),
    };
    let report = async |staff: Staff| staff.safety().report_whereabouts(staff.ask(whereabouts.clone())).await;
    let told = network.desk(SHELTER).ask("whereabouts", report).await.into_inner();
    assert_ne!(told.told_office_id, "");
    for office in [SHELTER, banteay.office(), spean::demonstration::agencies::MINISTRY] {
        let found = async |staff: Staff| Ok(contradictions(&staff).await?.pop());
        let entry = network.desk(office).until("the contradiction", found).await;
        assert_eq!(entry.visited_by_office_id, banteay.office());
    }
    settled(&network).await;
}
