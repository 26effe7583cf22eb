//! The empty post: an offer to an office where nobody works goes to whoever can answer and says so, cases come down again
//! when a worker arrives, and what an office leaves behind goes to its successor. Through running programs alone.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, MINISTRY, RATANAK_KIRI, SAANG, SHELTER};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::{Consent, RecordConsentRequest};
use spean_contracts::directory::v1::{
    DeclareOfficeStatusRequest, ImportDirectoryRequest, OfficeStatus, OfficeStatusReason,
};
use spean_contracts::referral::v1::{
    AcceptManyRequest, BulkMode, CaseToHandOver, CaseToMoveDown, CaseToOffer, DeclineReason, HandOverCasesRequest,
    ListCasesToHandOverRequest, ListCasesToMoveDownRequest, MoveDownRequest, Offer, OfferKind, OfferReferralRequest,
    OfferReferralResponse, OfferState, Redirection, Verdict, WithdrawReason, Worklist,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Part, Urgency};
use spean_identity::{Role, RootKey, SignedDirectory};
use spean_testkit::eventually;
use spean_tests::{Desk, Network, PATIENCE, hand_over, invented, network, one_holder, open_case, settled};
use tonic::{Code, Status};

#[tokio::test]
async fn a_referral_to_an_empty_post_goes_to_the_province_and_moves_down_when_a_worker_arrives() {
    let mut network = network().await;
    let cases = the_post_is_empty(&mut network).await;
    a_worker_arrives(&network, &cases).await;
    settled(&network).await;
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    one_holder(&network, KIEN_SVAY, &cases).await;
}

/// One offer waits at the district when its post falls empty, another is made after that, and a third after the sender's
/// node was restarted.
async fn the_post_is_empty(network: &mut Network) -> Vec<String> {
    let (sender, province, district) = (network.desk(RATANAK_KIRI), network.desk(KANDAL), network.desk(KIEN_SVAY));
    let first = open_case(&sender, 0).await;
    let waiting = sender.offer(&first, KIEN_SVAY).await;
    known(&district, &waiting, OfferState::Offered).await;
    declare(&district, OfficeStatus::Unstaffed, "").await;

    let taken_back = known(&sender, &waiting, OfferState::Withdrawn).await;
    assert_eq!(taken_back.withdraw_reason(), WithdrawReason::Rerouted);
    known(&district, &waiting, OfferState::Withdrawn).await;
    let made_instead = offer_of(&province, &first, Worklist::ToAnswer).await;
    assert_eq!(made_instead.instead_of_offer_id, waiting);
    meant_for(&made_instead, KIEN_SVAY, Redirection::Unstaffed);
    assert!(!made_instead.dossier_withheld, "her consent covers every office");
    meant_for(&known(&sender, &made_instead.offer_id, OfferState::Offered).await, KIEN_SVAY, Redirection::Unstaffed);

    let second = open_case(&sender, 1).await;
    let answer = ask(&sender, &transfer(&new_id(), &second, KIEN_SVAY)).await;
    assert_eq!((answer.to_office_id.as_str(), answer.redirected_because()), (KANDAL, Redirection::Unstaffed));
    let node = network.node_of(RATANAK_KIRI);
    network.cut_power(&node).expect("a node can be killed");
    network.start(&node).await.expect("it comes back");
    let third = open_case(&sender, 2).await;
    let answer = ask(&sender, &transfer(&new_id(), &third, KIEN_SVAY)).await;
    assert_eq!(answer.to_office_id, KANDAL, "the sender's node knows after a restart as well");

    let own = open_case(&province, 3).await;
    let refused = refused_offer(&province, &transfer(&new_id(), &own, KIEN_SVAY)).await;
    assert_eq!(reason(&refused), "YOUR_OFFICE_STANDS_IN", "the province is not asked to stand in for itself");

    let cases = vec![first, second, third];
    let mut offers = Vec::new();
    for case in &cases {
        offers.push(offer_of(&province, case, Worklist::ToAnswer).await.offer_id);
    }
    let verdicts = accept_all(&province, &offers).await;
    assert!(verdicts.iter().all(|verdict| verdict.done), "{verdicts:?}");
    for case in &cases {
        province.held(case).await;
    }
    assert!(to_move_down(&province).await.is_empty(), "nobody is there yet");
    let too_early = move_down(&province.staff().await, &cases, BulkMode::All).await;
    assert_eq!(reason(&too_early.expect_err("nobody could answer")), "NOBODY_THERE_YET");
    cases
}

/// The cases come down, all or none, and the second time it is said nothing happens.
async fn a_worker_arrives(network: &Network, cases: &[String]) {
    let (province, district) = (network.desk(KANDAL), network.desk(KIEN_SVAY));
    declare(&district, OfficeStatus::Open, "").await;
    let listed = province
        .until("the cases to move down", async |_| {
            let listed = to_move_down(&province).await;
            Ok((listed.len() == cases.len()).then_some(listed))
        })
        .await;
    for case in &listed {
        assert_eq!((case.meant_for_office_id.as_str(), case.redirected_because()), (KIEN_SVAY, Redirection::Unstaffed));
        assert!(!case.transfer_open && !case.case_number.is_empty() && cases.contains(&case.case_id), "{case:?}");
    }
    let staff = province.staff().await;
    let stranger = open_case(&province, 4).await;
    province.held(&stranger).await;
    let with_another = [cases, &[stranger]].concat();
    let verdicts = move_down(&staff, &with_another, BulkMode::All).await.expect("it is answered");
    let reasons: Vec<_> = verdicts.iter().map(|verdict| verdict.reason.as_str()).collect();
    let stopped = "ANOTHER_WAS_REFUSED";
    assert_eq!(reasons, [stopped, stopped, stopped, "NOT_MEANT_FOR_THAT_OFFICE"], "all or none: none");
    assert!(to_move_down(&province).await.iter().all(|case| !case.transfer_open), "nothing was offered");

    let verdicts = move_down(&staff, cases, BulkMode::All).await.expect("it is answered");
    assert!(verdicts.iter().all(|verdict| verdict.done && verdict.to_office_id == KIEN_SVAY), "{verdicts:?}");
    assert!(to_move_down(&province).await.iter().all(|case| case.transfer_open), "they are on offer");
    let mut offers = Vec::new();
    for case in cases {
        offers.push(offer_of(&district, case, Worklist::ToAnswer).await.offer_id);
    }
    let verdicts = accept_all(&district, &offers).await;
    assert!(verdicts.iter().all(|verdict| verdict.done), "{verdicts:?}");
    for case in cases {
        district.held(case).await;
    }
    eventually(PATIENCE, "the list to be empty", async || to_move_down(&province).await.is_empty()).await;
}

#[tokio::test]
async fn an_office_that_closes_leaves_nothing_behind() {
    let mut network = network().await;
    let (sender, province) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let (closing, successor) = (network.desk(SAANG), network.desk(KIEN_SVAY));
    let held = [hand_over(&sender, &closing, 0).await.case, hand_over(&sender, &closing, 1).await.case];
    let waiting = open_case(&sender, 2).await;
    let offer = sender.offer(&waiting, SAANG).await;
    known(&closing, &offer, OfferState::Offered).await;
    settled(&network).await;

    // The old office's node hears of it first: it answers for the sender, who has not heard.
    let edition = closed(&network, SAANG, KIEN_SVAY);
    import(&network, KANDAL, &edition).await;
    let declined = known(&sender, &offer, OfferState::Declined).await;
    assert_eq!(declined.decline_reason(), DeclineReason::OfficeMoved);
    let follows = offer_of(&successor, &waiting, Worklist::ToAnswer).await;
    assert_eq!(follows.instead_of_offer_id, offer);
    meant_for(&follows, SAANG, Redirection::Moved);
    successor.accept(&follows.offer_id).await;
    successor.held(&waiting).await;

    // Who has heard asks the successor at once.
    import(&network, RATANAK_KIRI, &edition).await;
    let late = open_case(&sender, 3).await;
    let answer = ask(&sender, &transfer(&new_id(), &late, SAANG)).await;
    assert_eq!((answer.to_office_id.as_str(), answer.redirected_because()), (KIEN_SVAY, Redirection::Moved));

    // What the closed office holds goes over in one command; a case that it does not hold stops no other.
    let listed = to_hand_over(&province).await;
    assert_eq!(listed.len(), held.len(), "{listed:?}");
    for case in &listed {
        assert_eq!((case.holder_office_id.as_str(), case.successor_office_id.as_str()), (SAANG, KIEN_SVAY));
        assert!(held.contains(&case.case_id));
    }
    let with_another: Vec<_> = held.iter().cloned().chain([new_id()]).map(|case| to_offer(&case)).collect();
    let request =
        HandOverCasesRequest { office_id: SAANG.to_owned(), cases: with_another, mode: BulkMode::Each.into() };
    let staff = province.staff().await;
    for _ in 0..2 {
        let answer =
            staff.referral().hand_over_cases(staff.ask(request.clone())).await.expect("it answers").into_inner();
        let done: Vec<_> = answer.verdicts.iter().map(|verdict| verdict.done).collect();
        assert_eq!((done.as_slice(), answer.all_done), ([true, true, false].as_slice(), false));
        assert_eq!(answer.verdicts[2].reason, "NOT_FOUND");
    }
    let mut offers = Vec::new();
    for case in &held {
        offers.push(offer_of(&successor, case, Worklist::ToAnswer).await.offer_id);
    }
    accept_all(&successor, &offers).await;
    for case in &held {
        successor.held(case).await;
    }
    eventually(PATIENCE, "nothing to be left", async || to_hand_over(&province).await.is_empty()).await;
    let not_left = HandOverCasesRequest { office_id: KIEN_SVAY.to_owned(), ..request };
    let refused = staff.referral().hand_over_cases(staff.ask(not_left)).await.expect_err("somebody works there");
    assert_eq!(reason(&refused), "OFFICE_NOT_LEFT");
    let node = network.node_of(KANDAL);
    network.cut_power(&node).expect("a node can be killed");
    network.start(&node).await.expect("it comes back");
    settled(&network).await;
    one_holder(&network, KIEN_SVAY, &[&held[0], &held[1], &waiting]).await;
}

#[tokio::test]
async fn who_stands_in_answers_and_whoever_is_at_the_top_is_reminded_again_and_again() {
    let mut network = network().await;
    the_stand_in_answers_while_the_sender_is_dark(&mut network).await;
    nobody_is_asked_without_the_persons_word(&network).await;
    nobody_is_left_to_ask(&network).await;
}

/// An offer lies at the district, the sender is dark, and the province stands in: its staff see the offer and answer it.
async fn the_stand_in_answers_while_the_sender_is_dark(network: &mut Network) {
    let (sender, province, district) = (network.desk(RATANAK_KIRI), network.desk(KANDAL), network.desk(KIEN_SVAY));
    let case = open_case(&sender, 0).await;
    let offer = sender.offer(&case, KIEN_SVAY).await;
    known(&district, &offer, OfferState::Offered).await;
    settled(network).await;
    let node = network.node_of(RATANAK_KIRI);
    network.cut_power(&node).expect("a node can be killed");
    declare(&district, OfficeStatus::Unstaffed, KANDAL).await;
    let seen = offer_of(&province, &case, Worklist::ToAnswer).await;
    assert_eq!((seen.offer_id.as_str(), seen.to_office_id.as_str()), (offer.as_str(), KIEN_SVAY));
    let stranger = network.desk(SAANG).staff().await.accept(&offer).await;
    assert_eq!(stranger.expect_err("Saang stands in for nobody").code(), Code::NotFound);
    province.accept(&offer).await;
    network.start(&node).await.expect("it comes back");
    let settled_as = district
        .until("the acceptance to be settled", async |staff: Staff| {
            Ok(staff
                .see(&offer)
                .await?
                .filter(|offer| !matches!(offer.state(), OfferState::Offered | OfferState::Bound)))
        })
        .await;
    // The sender heard of the empty post and of the acceptance at the same moment: either came first, and nothing is lost.
    if settled_as.state() == OfferState::Accepted {
        let listed = to_hand_over(&province).await;
        assert_eq!(listed.iter().map(|listed| listed.case_id.as_str()).collect::<Vec<_>>(), [case.as_str()]);
    } else {
        meant_for(&offer_of(&province, &case, Worklist::ToAnswer).await, KIEN_SVAY, Redirection::StandsIn);
    }
    declare(&district, OfficeStatus::Open, "").await;
    settled(network).await;
}

/// She agreed that Kien Svay may know, and nobody else. When nobody answers there, the offer goes up without her file,
/// and both sides are told so.
async fn nobody_is_asked_without_the_persons_word(network: &Network) {
    let sender = network.desk(RATANAK_KIRI);
    let case = new_id();
    sender.ask("registering", async |staff| staff.register(&case, invented(5)).await.map(drop)).await;
    let consent = Consent {
        consent_id: new_id(),
        basis: ConsentBasis::Person.into(),
        parts: vec![Part::Identity.into()],
        office_ids: vec![KIEN_SVAY.to_owned()],
        ..Consent::default()
    };
    let request = RecordConsentRequest { case_id: case.clone(), consent: Some(consent) };
    sender.ask("consent", async |staff: Staff| staff.cases().record_consent(staff.ask(request.clone())).await).await;
    let offer = new_id();
    let answer = ask(&sender, &transfer(&offer, &case, KIEN_SVAY)).await;
    assert_eq!(answer.to_office_id, KIEN_SVAY);
    let elsewhere = OfferReferralRequest { kind: OfferKind::Service.into(), ..transfer(&new_id(), &case, SHELTER) };
    assert_eq!(reason(&refused_offer(&sender, &elsewhere).await), "CONSENT_MISSING");
    network.pass_time(48 + 48 + 1).expect("time can pass");
    let (sender, province) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let went_up = offer_of(&province, &case, Worklist::ToAnswer).await;
    assert!(went_up.dossier_withheld, "the receiver is told that no file comes");
    meant_for(&went_up, KIEN_SVAY, Redirection::Unanswered);
    let made = known(&sender, &went_up.offer_id, OfferState::Offered).await;
    assert!(made.dossier_withheld, "and so is the sender");
    assert_eq!(known(&sender, &offer, OfferState::Escalated).await.withdraw_reason(), WithdrawReason::Escalated);
}

/// The ministry does not answer, and nobody stands above it: it is reminded each time that an answer could have come.
async fn nobody_is_left_to_ask(network: &Network) {
    let sender = network.desk(RATANAK_KIRI);
    let case = open_case(&sender, 6).await;
    let offer = sender.offer(&case, MINISTRY).await;
    known(&network.desk(MINISTRY), &offer, OfferState::Offered).await;
    for (hours, reminders) in [(49, 1), (48, 2), (48, 3)] {
        network.pass_time(hours).expect("time can pass");
        for office in [RATANAK_KIRI, MINISTRY] {
            let desk = network.desk(office);
            let what = format!("reminder {reminders}");
            let seen = desk
                .until(&what, async |staff: Staff| {
                    Ok(staff.see(&offer).await?.filter(|offer| offer.reminders == reminders))
                })
                .await;
            assert_eq!(seen.state(), OfferState::Offered, "at {office}");
            assert_eq!(seen.unanswered_at_the_top, reminders > 1, "at {office} after {reminders}");
        }
    }
    for office in [RATANAK_KIRI, MINISTRY] {
        let listed = offer_of(&network.desk(office), &case, Worklist::UnansweredAtTheTop).await;
        assert_eq!(listed.offer_id, offer, "at {office}");
    }
    assert!(network.desk(RATANAK_KIRI).staff().await.holds(&case).await.expect("it answers"), "the holder holds");
}

// What is asked, and what is waited for.

fn transfer(offer: &str, case: &str, to: &str) -> OfferReferralRequest {
    OfferReferralRequest {
        offer_id: offer.to_owned(),
        case_id: case.to_owned(),
        to_office_id: to.to_owned(),
        kind: OfferKind::Transfer.into(),
        need: Need::ReintegrationFollowUp.into(),
        urgency: Urgency::Urgent.into(),
        ..OfferReferralRequest::default()
    }
}

fn to_offer(case: &str) -> CaseToOffer {
    CaseToOffer {
        // One offer of each case, however often it is asked for.
        offer_id: case.replacen(case.get(..4).expect("a UUID"), "0ffe", 1),
        case_id: case.to_owned(),
        need: Need::ReintegrationFollowUp.into(),
        urgency: Urgency::Urgent.into(),
    }
}

async fn ask(desk: &Desk, request: &OfferReferralRequest) -> OfferReferralResponse {
    desk.until("offering", async |staff: Staff| {
        match staff.referral().offer_referral(staff.ask(request.clone())).await {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == Code::NotFound || reason(&status) == "CONSENT_MISSING" => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await
}

async fn refused_offer(desk: &Desk, request: &OfferReferralRequest) -> Status {
    let staff = desk.staff().await;
    staff.referral().offer_referral(staff.ask(request.clone())).await.expect_err("it is refused")
}

async fn declare(desk: &Desk, status: OfficeStatus, stand_in: &str) {
    let reason = match status {
        OfficeStatus::Open => OfficeStatusReason::StaffBack,
        _ => OfficeStatusReason::PostVacant,
    };
    let request = DeclareOfficeStatusRequest {
        office_id: desk.office().to_owned(),
        status: status.into(),
        stand_in_office_id: stand_in.to_owned(),
        reason: reason.into(),
        ..DeclareOfficeStatusRequest::default()
    };
    desk.ask("the status", async |staff: Staff| {
        staff.directory().declare_office_status(staff.ask(request.clone())).await.map(drop)
    })
    .await;
}

/// An offer, once it stands so at this office.
async fn known(desk: &Desk, offer: &str, state: OfferState) -> Offer {
    let what = format!("the offer to be {}", state.as_str_name());
    desk.until(&what, async |staff: Staff| Ok(staff.see(offer).await?.filter(|offer| offer.state() == state))).await
}

/// The offer of a case on a worklist.
async fn offer_of(desk: &Desk, case: &str, worklist: Worklist) -> Offer {
    let what = format!("the offer on {}", worklist.as_str_name());
    desk.until(&what, async |staff: Staff| {
        Ok(staff.worklist(worklist).await?.into_iter().find(|offer| offer.case_id == case))
    })
    .await
}

fn meant_for(offer: &Offer, office: &str, because: Redirection) {
    assert_eq!((offer.meant_for_office_id.as_str(), offer.redirected_because()), (office, because), "{offer:?}");
}

async fn accept_all(desk: &Desk, offers: &[String]) -> Vec<Verdict> {
    let request = AcceptManyRequest { offer_ids: offers.to_vec(), mode: BulkMode::All.into() };
    desk.ask("accepting many", async |staff: Staff| {
        Ok(staff.referral().accept_many(staff.ask(request.clone())).await?.into_inner().verdicts)
    })
    .await
}

async fn to_move_down(desk: &Desk) -> Vec<CaseToMoveDown> {
    let request = ListCasesToMoveDownRequest::default();
    desk.ask("cases to move down", async |staff: Staff| {
        Ok(staff.referral().list_cases_to_move_down(staff.ask(request.clone())).await?.into_inner().cases)
    })
    .await
}

async fn move_down(staff: &Staff, cases: &[String], mode: BulkMode) -> Result<Vec<Verdict>, Status> {
    let cases = cases.iter().map(|case| to_offer(case)).collect();
    let request = MoveDownRequest { office_id: KIEN_SVAY.to_owned(), cases, mode: mode.into() };
    Ok(staff.referral().move_down(staff.ask(request)).await?.into_inner().verdicts)
}

async fn to_hand_over(desk: &Desk) -> Vec<CaseToHandOver> {
    let request = ListCasesToHandOverRequest::default();
    desk.ask("cases to hand over", async |staff: Staff| {
        Ok(staff.referral().list_cases_to_hand_over(staff.ask(request.clone())).await?.into_inner().cases)
    })
    .await
}

/// The next edition of the directory, in which an office is closed as of today.
fn closed(network: &Network, office: &str, successor: &str) -> String {
    let root = RootKey::load(&network.folder().join("root")).expect("the network's root key");
    let mut directory = network.directory().clone();
    directory.edition += 1;
    let closing = directory.offices.iter_mut().find(|known| known.id.as_str() == office).expect("a known office");
    closing.closed_on = Some(network.clock().now().date_in_cambodia());
    closing.successor = Some(successor.parse().expect("the code of an office"));
    SignedDirectory::sign(&directory, &root).expect("an edition without defects").to_json()
}

async fn import(network: &Network, office: &str, edition: &str) {
    let administrator = network.desk_as(office, &[Role::Administrator]);
    let request = ImportDirectoryRequest { signed_directory: edition.to_owned() };
    administrator
        .ask("the edition", async |staff: Staff| {
            staff.directory().import_directory(staff.ask(request.clone())).await.map(drop)
        })
        .await;
}
