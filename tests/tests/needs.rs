//! From a need to a service that is really given, across the network: a young woman whom nobody may drop, the last free
//! place, and the line of those who wait for one.

use std::collections::BTreeSet;

use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, RATANAK_KIRI, SHELTER};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::directory::v1::{Offering, PublishOfferingRequest};
use spean_contracts::referral::v1::{
    AcceptOfferRequest, CaseNeed, ConcludeServiceRequest, CountUnmetNeedsRequest, DeclineOfferRequest, DeclineReason,
    FindServicesRequest, GetNeedRequest, LeaveWaitingListRequest, ListNeedTasksRequest, ListNeedsRequest,
    ListWaitingRequest, MatchPoint, NeedPreferences, NeedState, NeedTask, NeedTaskKind, OfferKind,
    OfferReferralRequest, OpenNeedRequest, OverCapacityReason, Reach, RecordNeedRefusedRequest, RefusalReason,
    ReopenNeedRequest, ServiceCriteria, ServiceMatch, ServiceOutcome, UnmetReason, Waiting, WaitingEnd,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Sex, Urgency};
use spean_tests::{Desk, invented, network, settled};
use tonic::{Code, Status};

/// An adult woman whose home is Kien Svay and who speaks no Khmer.
async fn open_case(desk: &Desk, number: usize) -> String {
    let case = new_id();
    let mut person = invented(number);
    person.languages = vec!["vi".to_owned()];
    desk.ask("registering", async |staff| staff.register(&case, person.clone()).await.map(drop)).await;
    desk.ask("consent", async |staff| staff.consent(&case, ConsentBasis::Person).await).await;
    case
}

async fn publish(desk: &Desk, need: Need, languages: &[&str], capacity_persons: i32) {
    let offering = Offering {
        offering_id: new_id(),
        need: need.into(),
        sexes: vec![Sex::Female.into()],
        languages: languages.iter().map(|language| (*language).to_owned()).collect(),
        capacity_persons,
        ..Offering::default()
    };
    let request = PublishOfferingRequest { offering: Some(offering) };
    desk.ask("publishing", async |staff: Staff| {
        staff.directory().publish_offering(staff.ask(request.clone())).await.map(drop)
    })
    .await;
}

async fn open_need(desk: &Desk, case: &str, need: Need) -> (String, UnmetReason) {
    let need_id = new_id();
    let preferences = NeedPreferences {
        worker_sex: Sex::Female.into(),
        language: "vi".to_owned(),
        near_place: "0802".to_owned(),
        reach: Reach::District.into(),
    };
    let request = OpenNeedRequest {
        need_id: need_id.clone(),
        case_id: case.to_owned(),
        need: need.into(),
        urgency: Urgency::Urgent.into(),
        preferences: Some(preferences),
        known_since: String::new(),
    };
    let answer =
        desk.ask("opening a need", async |staff: Staff| staff.needs().open_need(staff.ask(request.clone())).await);
    let answer = answer.await.into_inner();
    (need_id, answer.unmet_reason())
}

async fn see(desk: &Desk, need: &str) -> CaseNeed {
    let request = GetNeedRequest { need_id: need.to_owned() };
    let seen = desk.ask("a need", async |staff: Staff| staff.needs().get_need(staff.ask(request.clone())).await);
    seen.await.into_inner().need.expect("a need")
}

/// Waits until a need stands so.
async fn stands(desk: &Desk, need: &str, state: NeedState) -> CaseNeed {
    let request = GetNeedRequest { need_id: need.to_owned() };
    let what = format!("the need to be {state:?}");
    desk.until(&what, async |staff: Staff| match staff.needs().get_need(staff.ask(request.clone())).await {
        Ok(seen) => Ok(seen.into_inner().need.filter(|need| need.state() == state)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    })
    .await
}

async fn find(staff: &Staff, need: &str) -> Result<Vec<ServiceMatch>, Status> {
    let request = FindServicesRequest { need_id: need.to_owned(), ..FindServicesRequest::default() };
    Ok(staff.needs().find_services(staff.ask(request)).await?.into_inner().matches)
}

/// Waits until so many services are known for a need, and how many places the shelter has.
async fn found(desk: &Desk, need: &str, services: usize) -> Vec<ServiceMatch> {
    desk.until("the services", async |staff: Staff| {
        let found = find(&staff, need).await?;
        // The offering comes before the figure of its places does.
        let is_told = found.iter().any(|found| found.office_id == SHELTER && found.free_persons.is_some());
        Ok((found.len() == services && is_told).then_some(found))
    })
    .await
}

fn reasons(points: &[MatchPoint]) -> BTreeSet<&'static str> {
    points.iter().map(|point| point.reason().as_str_name().trim_start_matches("MATCH_REASON_")).collect()
}

async fn try_to_offer(staff: &Staff, case: &str, to: &str, need: Need, need_id: &str) -> Result<String, Status> {
    let offer_id = new_id();
    let request = OfferReferralRequest {
        offer_id: offer_id.clone(),
        case_id: case.to_owned(),
        to_office_id: to.to_owned(),
        kind: OfferKind::Service.into(),
        need: need.into(),
        urgency: Urgency::Urgent.into(),
        need_id: need_id.to_owned(),
        ..OfferReferralRequest::default()
    };
    staff.referral().offer_referral(staff.ask(request)).await?;
    Ok(offer_id)
}

/// Offers, as soon as the desk has heard of the case and the consent.
async fn offer(desk: &Desk, case: &str, to: &str, need: Need, need_id: &str) -> String {
    desk.until("offering", async |staff: Staff| match try_to_offer(&staff, case, to, need, need_id).await {
        Ok(offer) => Ok(Some(offer)),
        Err(status) if status.code() == Code::NotFound || reason(&status) == "CONSENT_MISSING" => Ok(None),
        Err(status) => Err(status),
    })
    .await
}

async fn arrived(desk: &Desk, offer: &str) {
    desk.until("the offer", async |staff: Staff| staff.see(offer).await).await;
}

async fn conclude(desk: &Desk, offer: &str, outcome: ServiceOutcome) {
    let request = ConcludeServiceRequest { offer_id: offer.to_owned(), outcome: outcome.into() };
    desk.until("the conclusion", async |staff: Staff| {
        match staff.referral().conclude_service(staff.ask(request.clone())).await {
            Ok(_) => Ok(Some(())),
            Err(status) if reason(&status) == "NOT_AGREED_YET" => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await;
}

async fn unmet(desk: &Desk) -> Vec<(String, Need, i64, i64)> {
    let request = CountUnmetNeedsRequest { place: "08".to_owned(), ..CountUnmetNeedsRequest::default() };
    let counts = desk.ask("counting", async |staff: Staff| {
        Ok(staff.needs().count_unmet_needs(staff.ask(request.clone())).await?.into_inner().counts)
    });
    let counts = counts.await.into_iter();
    counts.map(|count| (count.district.clone(), count.need(), count.needs, count.still_unmet)).collect()
}

/// She ran home from a shelter, needs treatment, and there is none in her district in a language that she speaks. She
/// leaves twice. Nobody drops her.
#[tokio::test]
async fn the_young_woman_who_ran_home_is_dropped_by_nobody() {
    let network = network().await;
    let (home, shelter, far) = (network.desk(KIEN_SVAY), network.desk(SHELTER), network.desk(BANTEAY_MEANCHEY));
    let case = open_case(&home, 4).await;
    let (need, unmet_reason) = open_need(&home, &case, Need::Medical).await;
    assert_eq!(unmet_reason, UnmetReason::NobodyOffersIt, "nobody offers it, and that is said");
    assert_eq!(unmet(&home).await, [("0802".to_owned(), Need::Medical, 1, 1)], "it is counted");

    publish(&shelter, Need::Medical, &["km"], 5).await;
    publish(&far, Need::Medical, &["km"], 0).await;
    let services = found(&home, &need, 2).await;
    assert_eq!(services.iter().map(|found| found.office_id.as_str()).collect::<Vec<_>>(), [SHELTER, BANTEAY_MEANCHEY]);
    assert!(reasons(&services[0].reasons_for).contains("NEIGHBOURING_PROVINCE"));
    let against = reasons(&services[0].reasons_against);
    assert!(against.contains("LANGUAGE_NOT_SPOKEN") && against.contains("FARTHER_THAN_WISHED"), "{against:?}");

    // She goes there, and is gone the same week.
    let first = offer(&home, &case, SHELTER, Need::Medical, &need).await;
    stands(&home, &need, NeedState::Offered).await;
    shelter.accept(&first).await;
    stands(&home, &need, NeedState::Served).await;
    conclude(&shelter, &first, ServiceOutcome::PersonNotReached).await;
    let open = stands(&home, &need, NeedState::Open).await;
    assert_eq!(open.asked.len(), 1);

    // She is asked again, goes again, and says that she will not stay where nobody understands her.
    let second = offer(&home, &case, SHELTER, Need::Medical, "").await;
    stands(&home, &need, NeedState::Offered).await;
    shelter.accept(&second).await;
    stands(&home, &need, NeedState::Served).await;
    let refusal = RecordNeedRefusedRequest {
        need_id: need.clone(),
        provider_office_id: SHELTER.to_owned(),
        reasons: vec![RefusalReason::Language.into()],
        refused_on: String::new(),
    };
    for _ in 0..2 {
        home.ask("her refusal", async |staff: Staff| {
            staff.needs().record_need_refused(staff.ask(refusal.clone())).await.map(drop)
        })
        .await;
    }
    let open = see(&home, &need).await;
    assert_eq!((open.state(), open.refused_office_ids.as_slice()), (NeedState::Open, [SHELTER.to_owned()].as_slice()));
    let services = found(&home, &need, 2).await;
    assert_eq!(services[0].office_id, BANTEAY_MEANCHEY, "the nearest that she did not refuse comes first");
    assert!(services[0].eligible && reasons(&services[0].reasons_for).contains("NOT_LIMITED"));
    assert_eq!(reasons(&services[1].excluded_because), BTreeSet::from(["REFUSED_BY_PERSON"]));
    let staff = home.staff().await;
    for named in [need.as_str(), ""] {
        let refused = try_to_offer(&staff, &case, SHELTER, Need::Medical, named).await.expect_err("she refused it");
        assert_eq!(reason(&refused), "REFUSED_BY_PERSON");
    }

    // Days later it is still on the list, with its age.
    network.pass_time(72).expect("the clock can be moved");
    let mine = network.desk(KIEN_SVAY);
    let listed = mine
        .ask("the list", async |staff: Staff| {
            Ok(staff.needs().list_needs(staff.ask(ListNeedsRequest::default())).await?.into_inner().needs)
        })
        .await;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].age_hours >= 72, "{} hours", listed[0].age_hours);

    // She moves; the need, and what she refused, go with her case.
    let (province, shelter) = (network.desk(KANDAL), network.desk(SHELTER));
    let moved = mine.offer(&case, KANDAL).await;
    province.accept(&moved).await;
    province.held(&case).await;
    let there = stands(&province, &need, NeedState::Open).await;
    assert_eq!(there.refused_office_ids, [SHELTER]);
    assert_eq!(there.other_office_id, KIEN_SVAY);
    assert!(there.age_hours >= 72, "it is as old as it is");
    assert_eq!(stands(&mine, &need, NeedState::HandedOver).await.other_office_id, KANDAL);

    // She thinks again.
    let reopen = ReopenNeedRequest { need_id: need.clone(), provider_office_id: SHELTER.to_owned() };
    province
        .ask("her second thought", async |staff: Staff| {
            staff.needs().reopen_need(staff.ask(reopen.clone())).await.map(drop)
        })
        .await;
    let third = offer(&province, &case, SHELTER, Need::Medical, &need).await;
    shelter.accept(&third).await;
    stands(&province, &need, NeedState::Served).await;
    conclude(&shelter, &third, ServiceOutcome::Completed).await;
    stands(&province, &need, NeedState::Met).await;
    settled(&network).await;
}

async fn tasks(desk: &Desk, kind: NeedTaskKind) -> Vec<NeedTask> {
    let tasks = desk.ask("tasks", async |staff: Staff| {
        Ok(staff.needs().list_need_tasks(staff.ask(ListNeedTasksRequest::default())).await?.into_inner().tasks)
    });
    tasks.await.into_iter().filter(|task| task.kind() == kind).collect()
}

async fn task(desk: &Desk, kind: NeedTaskKind, offer: &str) -> NeedTask {
    desk.until("the task", async |_: Staff| Ok(tasks(desk, kind).await.into_iter().find(|task| task.offer_id == offer)))
        .await
}

async fn free_at_the_shelter(desk: &Desk, expected: i64) {
    let criteria =
        ServiceCriteria { need: Need::Shelter.into(), sex: Sex::Female.into(), ..ServiceCriteria::default() };
    let request = FindServicesRequest { criteria: Some(criteria), ..FindServicesRequest::default() };
    desk.until("the figure", async |staff: Staff| {
        let found = staff.needs().find_services(staff.ask(request.clone())).await?.into_inner().matches;
        let free = found.first().and_then(|found| found.free_persons);
        Ok((free == Some(expected)).then_some(()))
    })
    .await;
}

async fn decline(desk: &Desk, offer: &str, why: DeclineReason) {
    let request = DeclineOfferRequest { offer_id: offer.to_owned(), reason: why.into() };
    desk.until("the offer", async |staff: Staff| {
        match staff.referral().decline_offer(staff.ask(request.clone())).await {
            Ok(_) => Ok(Some(())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await;
}

/// Waits until so many wait at the shelter.
async fn waiting(desk: &Desk, persons: usize) -> Vec<Waiting> {
    desk.until("the line", async |staff: Staff| {
        let request = ListWaitingRequest { need: Need::Shelter.into(), page: None };
        let waiting = staff.needs().list_waiting(staff.ask(request)).await?.into_inner().waiting;
        Ok((waiting.len() == persons).then_some(waiting))
    })
    .await
}

async fn refused_for_want_of_a_place(desk: &Desk, offer: &str) {
    let refused = desk.staff().await.accept(offer).await.expect_err("no place is free");
    assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "NO_PLACE_FREE".to_owned()));
}

/// One bed. Who was offered first holds it, the others see that none is free and wait; when it is free again it is kept
/// for the first in the line, and for nobody else.
#[tokio::test]
async fn the_last_place_is_held_and_then_kept_for_whoever_waited_first() {
    let network = network().await;
    let shelter = network.desk(SHELTER);
    let (kandal, ratanak_kiri, far) =
        (network.desk(KANDAL), network.desk(RATANAK_KIRI), network.desk(BANTEAY_MEANCHEY));
    publish(&shelter, Need::Shelter, &["km"], 1).await;
    free_at_the_shelter(&ratanak_kiri, 1).await;
    let mut cases = Vec::new();
    for (number, desk) in [&kandal, &ratanak_kiri, &far].into_iter().enumerate() {
        cases.push(open_case(desk, number).await);
    }

    let first = offer(&kandal, &cases[0], SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &first).await;
    free_at_the_shelter(&ratanak_kiri, 0).await;
    let second = offer(&ratanak_kiri, &cases[1], SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &second).await;
    refused_for_want_of_a_place(&shelter, &second).await;
    decline(&shelter, &second, DeclineReason::WaitingList).await;
    assert_eq!(waiting(&shelter, 1).await[0].position, 1);
    shelter.accept(&first).await;

    let third = offer(&far, &cases[2], SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &third).await;
    decline(&shelter, &third, DeclineReason::WaitingList).await;
    let line: Vec<_> = waiting(&shelter, 2).await.into_iter().map(|waiting| waiting.offer_id).collect();
    assert_eq!(line, [second.clone(), third.clone()]);

    // The bed is free again.
    conclude(&shelter, &first, ServiceOutcome::Completed).await;
    let kept = task(&ratanak_kiri, NeedTaskKind::OfferAgain, &second).await;
    assert!(kept.kept_until.is_some() && kept.office_id == SHELTER);
    assert_eq!(tasks(&far, NeedTaskKind::OfferAgain).await.len(), 0, "it is kept for one");
    let pushing = offer(&far, &cases[2], SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &pushing).await;
    refused_for_want_of_a_place(&shelter, &pushing).await;
    let again = offer(&ratanak_kiri, &cases[1], SHELTER, Need::Shelter, "").await;
    shelter.accept(&again).await;
    let staff = shelter.staff().await;
    let reason_given =
        AcceptOfferRequest { offer_id: pushing.clone(), over_capacity_reason: OverCapacityReason::Emergency.into() };
    refused_for_want_of_a_place(&shelter, &pushing).await;
    staff.referral().accept_offer(staff.ask(reason_given)).await.expect("with a reason one more is taken");
    waiting(&shelter, 0).await;

    // Both are gone, nobody waits, and the place that nobody takes is not kept for ever.
    let fourth = open_case(&kandal, 7).await;
    let fourth_offer = offer(&kandal, &fourth, SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &fourth_offer).await;
    decline(&shelter, &fourth_offer, DeclineReason::WaitingList).await;
    let fifth = open_case(&far, 8).await;
    let fifth_offer = offer(&far, &fifth, SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &fifth_offer).await;
    decline(&shelter, &fifth_offer, DeclineReason::WaitingList).await;
    waiting(&shelter, 2).await;
    conclude(&shelter, &again, ServiceOutcome::Completed).await;
    conclude(&shelter, &pushing, ServiceOutcome::Completed).await;
    task(&kandal, NeedTaskKind::OfferAgain, &fourth_offer).await;
    network.pass_time(24 * 15).expect("the clock can be moved");
    let (kandal, far, shelter) = (network.desk(KANDAL), network.desk(BANTEAY_MEANCHEY), network.desk(SHELTER));
    task(&far, NeedTaskKind::OfferAgain, &fifth_offer).await;

    // Whoever does not wait any longer says so, and the line moves up.
    let leave = LeaveWaitingListRequest { offer_id: fifth_offer.clone(), reason: WaitingEnd::PersonRefused.into() };
    far.ask("leaving", async |staff: Staff| staff.needs().leave_waiting_list(staff.ask(leave.clone())).await.map(drop))
        .await;
    waiting(&shelter, 1).await;
    task(&kandal, NeedTaskKind::OfferAgain, &fourth_offer).await;

    // Who must know more before saying yes gives the sender something to do.
    let sixth = open_case(&kandal, 9).await;
    let question = offer(&kandal, &sixth, SHELTER, Need::Shelter, "").await;
    arrived(&shelter, &question).await;
    decline(&shelter, &question, DeclineReason::MoreAssessmentNeeded).await;
    task(&kandal, NeedTaskKind::AssessMore, &question).await;
    settled(&network).await;
}
