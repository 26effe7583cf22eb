//! Somebody is gone, and nobody says that it is over.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, TRANSIT_CENTRE};
use spean_contracts::cases::v1::LinkCasesRequest;
use spean_contracts::followup::v1::{LossReason, SearchAction};
use spean_tests::{Canary, network, one_holder, settled};

use super::*;

#[tokio::test]
async fn a_boy_who_is_gone_at_the_third_visit_is_looked_for_until_he_is_registered_again() {
    let network = network().await;
    let (centre, district) = (network.desk(TRANSIT_CENTRE), network.desk(KIEN_SVAY));
    let boy = Person { birth: Some(seventeen(&network)), ..invented_child(&network, 17) };
    let case = open_case_of(&centre, boy.clone(), ConsentBasis::BestInterest).await;
    hand_on(&centre, &district, &case, ConsentBasis::BestInterest).await;
    plan(&district, &case).await;
    for number in 1..=3 {
        network.pass_time(A_MONTH).expect("the clock is ours");
        let outcome = if number == 3 { VisitOutcome::Missed } else { VisitOutcome::Met };
        record(&network.desk(KIEN_SVAY), &visit_to_child(&case, number, outcome)).await;
    }
    let district = network.desk(KIEN_SVAY);
    let to_meeting_on = lose(&district, &case, LossReason::CrossedBorder).await;
    assert_eq!(to_meeting_on, day(&network).plus_days(7).to_string());
    // Who brought him home hears it, and nothing is over.
    heard(&network.desk(TRANSIT_CENTRE), &case, came_to(Stage::ContactLost)).await;
    stands(&district, &case, FollowUpState::ContactLost).await;
    cannot_be_closed(&district, &case).await;
    let still = due(&district, &case).await;
    assert_eq!(still.iter().map(|visit| (visit.number, visit.contact_lost)).collect::<Vec<_>>(), [(3, true)]);
    for action in [SearchAction::FamilyAsked, SearchAction::VillageChiefAsked, SearchAction::TransitCentreAsked] {
        network.pass_time(3 * 24).expect("the clock is ours");
        search(&network.desk(KIEN_SVAY), &case, action).await;
    }
    let (district, province) = (network.desk(KIEN_SVAY), network.desk(KANDAL));
    let [lost] = <[wire::LostContact; 1]>::try_from(lost_contacts(&district.staff().await).await.expect("it answers"))
        .expect("one boy");
    assert_eq!((lost.age_days, lost.steps, lost.last_action()), (9, 3, SearchAction::TransitCentreAsked));
    assert_eq!((lost.to_meeting, lost.safe_contact.as_str()), (true, Canary::CONTACT));
    on_the_agenda(&province, &case, &[Topic::ContactLost]).await;

    // Weeks later he stands before the centre again.
    network.pass_time(3 * 7 * 24).expect("the clock is ours");
    let (centre, district, province) = (network.desk(TRANSIT_CENTRE), network.desk(KIEN_SVAY), network.desk(KANDAL));
    let again = open_case_of(&centre, boy, ConsentBasis::BestInterest).await;
    let link = LinkCasesRequest { case_id: again.clone(), other_case_id: case.clone(), ..LinkCasesRequest::default() };
    centre
        .ask("the link", async |staff: Staff| staff.cases().link_cases(staff.ask(link.clone())).await.map(drop))
        .await;
    for (desk, case) in [(&district, &case), (&centre, &again)] {
        let told = heard(desk, case, |told| matches!(told.what, Some(What::SeenAgain(_)))).await;
        assert_eq!((told.occurred_on, told.seen_by_office_id.as_str()), (today(&network), TRANSIT_CENTRE));
    }
    let seen = district.until("where he is", async |staff: Staff| {
        Ok(lost_contacts(&staff).await?.into_iter().find(|lost| !lost.seen_by_office_id.is_empty()))
    });
    let seen = seen.await;
    assert_eq!((seen.seen_by_office_id.as_str(), seen.seen_on), (TRANSIT_CENTRE, today(&network)));
    on_the_agenda(&province, &case, &[Topic::ContactLost, Topic::SeenAgain]).await;
    // Only a person says that he is found, and that it is he; his visits go on.
    stands(&district, &case, FollowUpState::ContactLost).await;
    let found = wire::RecordFoundRequest {
        case_id: case.clone(),
        found_on: String::new(),
        place: wire::FoundPlace::WithAnOffice.into(),
    };
    district.ask("the finding", async |staff: Staff| staff.safety().record_found(staff.ask(found.clone())).await).await;
    stands(&district, &case, FollowUpState::Open).await;
    assert_eq!(lost_contacts(&district.staff().await).await.expect("it answers"), []);
    settled(&network).await;
    one_holder(&network, KIEN_SVAY, &[&case]).await;
    one_holder(&network, TRANSIT_CENTRE, &[&again]).await;
}

/// The year of somebody who is 17 all this year.
fn seventeen(network: &Network) -> Birth {
    let year: i32 = today(network)[..4].parse().expect("a year");
    Birth { known: Some(birth::Known::Year(year - 16)) }
}
