//! A household is threatened.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, MINISTRY, RATANAK_KIRI, SHELTER};
use spean_contracts::followup::v1::DangerSign;
use spean_contracts::vocabulary::v1::Urgency;
use spean_tests::{Canary, hand_over, network, settled};

use super::*;

fn a_threat(case: &str, urgency: Urgency) -> wire::RaiseDangerRequest {
    wire::RaiseDangerRequest {
        danger_id: new_id(),
        case_id: case.to_owned(),
        signs: vec![DangerSign::Threat.into(), DangerSign::OffenderNear.into()],
        urgency: urgency.into(),
        found_on: String::new(),
    }
}

#[tokio::test]
async fn of_a_threatened_household_the_province_hears_the_same_hour_and_until_it_is_safe_a_plan_is_due() {
    let network = network().await;
    let case = hand_over(&network.desk(SHELTER), &network.desk(KIEN_SVAY), 11).await.case;
    let (district, province) = (network.desk(KIEN_SVAY), network.desk(KANDAL));
    plan(&district, &case).await;
    let staff = district.staff().await;
    let later = staff.safety().raise_danger(staff.ask(a_threat(&case, Urgency::Routine))).await;
    let later = refusal(&later.expect_err("it does not wait for a week"));
    assert_eq!(later, (Code::InvalidArgument, "NOT_URGENT".to_owned()));

    let danger = a_threat(&case, Urgency::Emergency);
    let raised = raise(&district, &danger).await;
    assert_eq!((raised.told_office_id.as_str(), raised.safe_contact.as_str()), (KANDAL, Canary::CONTACT));
    raise(&district, &danger).await;
    let told = danger_at(&province, &danger.danger_id).await;
    assert_eq!((told.office_id.as_str(), told.urgency(), told.age_hours), (KIEN_SVAY, Urgency::Emergency, 0));
    assert_eq!((told.plan_overdue, told.plan_made_on.as_str()), (false, ""));
    assert!(told.safe_contact.is_empty(), "who watches does not visit");
    heard(&network.desk(SHELTER), &case, came_to(Stage::Danger)).await;
    on_the_agenda(&province, &case, &[Topic::Danger]).await;

    // A day without a plan is seen at both offices, before everything else.
    network.pass_time(25).expect("the clock is ours");
    for office in [KIEN_SVAY, KANDAL] {
        assert!(danger_at(&network.desk(office), &danger.danger_id).await.plan_overdue, "at {office}");
    }
    let district = network.desk(KIEN_SVAY);
    let made_on = today(&network);
    let review_on = day(&network).plus_days(7).to_string();
    let request = wire::RecordSafetyPlanRequest {
        danger_id: danger.danger_id.clone(),
        made_on: made_on.clone(),
        review_on,
        plan: Canary::NARRATIVE.to_owned(),
    };
    district
        .ask("a plan", async |staff: Staff| staff.safety().record_safety_plan(staff.ask(request.clone())).await)
        .await;
    network
        .desk(KANDAL)
        .until("the plan", async |staff: Staff| {
            let entry = listed_danger(&staff, &danger.danger_id).await?;
            Ok(entry.filter(|entry| entry.plan_made_on == made_on && !entry.plan_overdue))
        })
        .await;
    // An assessment that finds it still there ends nothing.
    for is_over in [false, true] {
        network.pass_time(7 * 24).expect("the clock is ours");
        let danger_id = danger.danger_id.clone();
        let assess =
            wire::AssessDangerRequest { danger_id, assessed_on: today(&network), is_over, findings: String::new() };
        network
            .desk(KIEN_SVAY)
            .ask("a look", async |staff: Staff| staff.safety().assess_danger(staff.ask(assess.clone())).await)
            .await;
        let province = network.desk(KANDAL);
        if is_over {
            let gone = async |staff: Staff| Ok(listed_danger(&staff, &danger.danger_id).await?.is_none().then_some(()));
            province.until("the end of the danger", gone).await;
        } else {
            danger_at(&province, &danger.danger_id).await;
        }
    }
    settled(&network).await;
}

#[tokio::test]
async fn a_danger_that_a_province_finds_is_heard_by_the_ministry_on_its_own_node() {
    let network = network().await;
    let province = network.desk(RATANAK_KIRI);
    let case = spean_tests::open_case(&province, 12).await;
    plan(&province, &case).await;
    let danger = a_threat(&case, Urgency::Urgent);
    assert_eq!(raise(&province, &danger).await.told_office_id, MINISTRY);
    let told = danger_at(&network.desk(MINISTRY), &danger.danger_id).await;
    assert_eq!((told.office_id.as_str(), told.age_hours), (RATANAK_KIRI, 0));
    assert_eq!(told.signs().collect::<Vec<_>>(), [DangerSign::Threat, DangerSign::OffenderNear]);
    let staff = network.desk(MINISTRY).staff().await;
    let assess = wire::AssessDangerRequest {
        danger_id: danger.danger_id,
        assessed_on: String::new(),
        is_over: true,
        findings: String::new(),
    };
    let refused = staff.safety().assess_danger(staff.ask(assess)).await.expect_err("who watches does not assess");
    assert_eq!(refused.code(), Code::NotFound);
    settled(&network).await;
}
