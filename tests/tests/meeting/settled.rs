//! A case is not closed over what is open at the desk: an offer that nobody has answered, a need that nobody meets, a
//! service that somebody gives.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, SHELTER};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::followup::v1::{Decision, FollowUpState, MandateState, Topic};
use spean_contracts::referral::v1::{
    ConcludeServiceRequest, DeclineOfferRequest, DeclineReason, OfferKind, OfferReferralRequest, OfferState,
    OpenNeedRequest, ServiceOutcome,
};
use spean_contracts::vocabulary::v1::{Need, Urgency};
use spean_tests::{Desk, Network, network, settled};

use crate::ENOUGH;
use crate::hall::{Meeting, at_home, close, follow_up, mandate, on_agenda, stands, today};

async fn ask_the_shelter(desk: &Desk, case: &str) -> String {
    let request = OfferReferralRequest {
        offer_id: new_id(),
        case_id: case.to_owned(),
        to_office_id: SHELTER.to_owned(),
        kind: OfferKind::Service.into(),
        need: Need::VocationalTraining.into(),
        urgency: Urgency::Routine.into(),
        ..OfferReferralRequest::default()
    };
    desk.until("an offer", async |staff: Staff| {
        match staff.referral().offer_referral(staff.ask(request.clone())).await {
            Ok(_) => Ok(Some(())),
            // What the register was told is on its way to the desk.
            Err(status) if reason(&status) == "CONSENT_MISSING" => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await;
    request.offer_id
}

async fn arrived(desk: &Desk, offer: &str) {
    desk.until("the offer", async |staff: Staff| Ok((staff.state(offer).await? == OfferState::Offered).then_some(())))
        .await;
}

/// Meets, decides to close whatever the agenda says, and waits for the answer of the district.
async fn refused(network: &Network, case: &str) -> String {
    let meeting = Meeting::convene(network, KANDAL).await;
    meeting.attend(&ENOUGH).await;
    meeting.conclude(&[close(case)]).await;
    let refusal = meeting.told(case, MandateState::Refused).await.refusal;
    let district = network.desk(KIEN_SVAY);
    assert_eq!(mandate(&district, case, Decision::Close).await.state(), MandateState::Refused);
    assert_eq!(follow_up(&district, case).await.state(), FollowUpState::DueToClose);
    refusal
}

#[tokio::test]
async fn nothing_is_closed_while_an_offer_a_need_or_a_service_is_open() {
    let network = network().await;
    let (district, province, shelter) = (network.desk(KIEN_SVAY), network.desk(KANDAL), network.desk(SHELTER));
    let case = at_home(&district, 1, today(&network).plus_months(-12), 12).await;
    on_agenda(&province, &case, &[Topic::DueToClose]).await;

    // An offer that was made after the agenda was drawn up, and one that the meeting knows of.
    let meeting = Meeting::convene(&network, KANDAL).await;
    let need = OpenNeedRequest {
        need_id: new_id(),
        case_id: case.clone(),
        need: Need::VocationalTraining.into(),
        urgency: Urgency::Routine.into(),
        ..OpenNeedRequest::default()
    };
    district.ask("a need", async |staff: Staff| staff.needs().open_need(staff.ask(need.clone())).await).await;
    let first = ask_the_shelter(&district, &case).await;
    on_agenda(&province, &case, &[Topic::DueToExtend, Topic::OfferOpen, Topic::NeedOpen]).await;
    meeting.attend(&ENOUGH).await;
    meeting.conclude(&[close(&case)]).await;
    assert_eq!(meeting.told(&case, MandateState::Refused).await.refusal, "OFFER_OPEN");
    assert_eq!(refused(&network, &case).await, "OFFER_OPEN");

    // The answer is no: the need is still there.
    arrived(&shelter, &first).await;
    let no = DeclineOfferRequest { offer_id: first, reason: DeclineReason::NotEligible.into() };
    shelter.ask("a no", async |staff: Staff| staff.referral().decline_offer(staff.ask(no.clone())).await).await;
    on_agenda(&province, &case, &[Topic::DueToExtend, Topic::NeedOpen]).await;
    assert_eq!(refused(&network, &case).await, "NEED_OPEN");

    // The answer is yes: somebody is learning a trade.
    let second = ask_the_shelter(&district, &case).await;
    shelter.accept(&second).await;
    on_agenda(&province, &case, &[Topic::DueToExtend, Topic::ServiceOpen]).await;
    assert_eq!(refused(&network, &case).await, "SERVICE_OPEN");

    // It is learnt; now there is nothing left to settle.
    let end = ConcludeServiceRequest { offer_id: second, outcome: ServiceOutcome::Completed.into() };
    shelter
        .until("the end", async |staff: Staff| {
            match staff.referral().conclude_service(staff.ask(end.clone())).await {
                Ok(_) => Ok(Some(())),
                // That the holder has recorded the yes is on its way.
                Err(status) if reason(&status) == "NOT_AGREED_YET" => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    on_agenda(&province, &case, &[Topic::DueToClose]).await;
    let last = Meeting::convene(&network, KANDAL).await;
    last.attend(&ENOUGH).await;
    last.conclude(&[close(&case)]).await;
    last.told(&case, MandateState::CarriedOut).await;
    stands(&district, &case, FollowUpState::Closed).await;
    settled(&network).await;
}
