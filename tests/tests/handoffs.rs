//! The ways in which a handoff gets lost elsewhere, played through running programs: each ends in one holder, the same
//! answer on both sides, and a reason where something is refused.

use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, MINISTRY, RATANAK_KIRI, SHELTER};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::{AmendPersonRequest, ErasePersonRequest};
use spean_contracts::referral::v1::{
    AcceptManyRequest, BulkMode, ConsentToOverrideRequest, CosignOverrideRequest, DeclineManyRequest,
    DeclineOfferRequest, DeclineReason, GetCustodyRequest, LegalBasis, ListOverrideProposalsRequest, OfferKind,
    OfferManyRequest, OfferReferralRequest, OfferState, ProposeOverrideRequest, Verdict, WithdrawOfferRequest,
    WithdrawReason,
};
use spean_contracts::shelter::v1::{AdmitResidentRequest, ExitKind, ExitResidentRequest, OverCapacityReason};
use spean_contracts::vocabulary::v1::{Need, Urgency};
use spean_identity::Role;
use spean_tests::{Desk, Network, hand_over, invented, network, network_on_postgres, one_holder, open_case, settled};
use tonic::{Code, Status};

#[tokio::test]
async fn no_handoff_gets_lost_in_the_ways_known_from_elsewhere() {
    let network = network().await;
    an_offer_belongs_to_the_office_and_not_to_one_of_its_staff(&network).await;
    who_may_read_an_offer_may_not_therefore_answer_it(&network).await;
    of_two_transfers_of_one_case_the_second_is_refused(&network).await;
    what_was_accepted_is_not_taken_back(&network).await;
    an_action_that_comes_when_responsibility_has_moved_is_refused(&network).await;
    who_is_erased_before_the_acceptance_is_handed_to_nobody(&network).await;
    nobody_leaves_a_shelter_for_another_place_that_did_not_agree(&network).await;
    settled(&network).await;
}

#[tokio::test]
async fn many_cases_move_together_or_each_for_itself_and_never_half_on_sqlite() {
    many_cases_move(&network().await).await;
}

#[tokio::test]
async fn many_cases_move_together_or_each_for_itself_and_never_half_on_postgres() {
    many_cases_move(&network_on_postgres().await).await;
}

#[tokio::test]
async fn whoever_signs_an_override_sees_by_what_right_the_case_is_moved() {
    let network = network().await;
    let ministry = network.desk_as(MINISTRY, &[Role::Authority, Role::Supervisor, Role::Caseworker]);
    let cosigner = network.desk_as(BANTEAY_MEANCHEY, &[Role::Authority, Role::Supervisor]);
    let (old_holder, new_holder) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let case = hand_over(&network.desk(SHELTER), &old_holder, 0).await.case;
    let request = |legal_basis: i32| ProposeOverrideRequest {
        case_id: case.clone(),
        new_holder_office_id: KANDAL.to_owned(),
        legal_basis,
    };
    let staff = ministry.staff().await;
    let unsaid = staff.referral().propose_override(staff.ask(request(0))).await.expect_err("no right, no override");
    assert_eq!(unsaid.code(), Code::InvalidArgument);
    let proposal = ministry
        .until("proposing the override", async |staff: Staff| {
            match staff.referral().propose_override(staff.ask(request(LegalBasis::CourtOrder.into()))).await {
                Ok(answer) => Ok(Some(answer.into_inner().proposal)),
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    for desk in [&cosigner, &new_holder] {
        let shown = desk
            .until("the proposal", async |staff: Staff| {
                let list = staff.referral().list_override_proposals(staff.ask(ListOverrideProposalsRequest {})).await?;
                Ok(list.into_inner().proposals.into_iter().find(|waiting| waiting.proposal == proposal))
            })
            .await;
        assert_eq!(shown.legal_basis(), LegalBasis::CourtOrder, "before {} signs", desk.office());
    }
    let sign = CosignOverrideRequest { case_id: case.clone(), proposal: proposal.clone() };
    cosigner.ask("signing", async |staff: Staff| staff.referral().cosign_override(staff.ask(sign.clone())).await).await;
    let agree = ConsentToOverrideRequest { case_id: case.clone(), proposal };
    new_holder
        .ask("agreeing", async |staff: Staff| staff.referral().consent_to_override(staff.ask(agree.clone())).await)
        .await;
    new_holder.held(&case).await;
    for desk in [&new_holder, &ministry] {
        let staff = desk.staff().await;
        let custody = staff.referral().get_custody(staff.ask(GetCustodyRequest { case_id: case.clone() })).await;
        let newest = custody.expect("it answers").into_inner().chain.pop().expect("a certificate");
        assert_eq!(newest.legal_basis(), LegalBasis::CourtOrder, "signed along, as {} knows it", desk.office());
    }
    settled(&network).await;
    one_holder(&network, KANDAL, &[&case]).await;
}

/// R1: elsewhere the handoff goes to a named user, who leaves, and it hangs for ever.
async fn an_offer_belongs_to_the_office_and_not_to_one_of_its_staff(network: &Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let colleague = |name: &str| {
        let token = network.token(name, KANDAL, &[Role::Caseworker]).expect("a token can be issued");
        Desk::new(network.data("kandal").join("address"), KANDAL, &token)
    };
    let case = open_case(&sender, 10).await;
    let offer = sender.offer(&case, KANDAL).await;
    known(&receiver, &offer, OfferState::Offered).await;
    // Whoever saw it first is gone; somebody who has never seen it says yes, and a third repeats it.
    colleague("kd-77").accept(&offer).await;
    colleague("kd-78").accept(&offer).await;
    receiver.held(&case).await;
    one_holder(network, KANDAL, &[&case]).await;
}

/// R3: elsewhere anybody who may read the record may accept it, and only the button is hidden.
async fn who_may_read_an_offer_may_not_therefore_answer_it(network: &Network) {
    let sender = network.desk(RATANAK_KIRI);
    let reader = network.desk_as(KANDAL, &[Role::IntakeOfficer]);
    let case = open_case(&sender, 11).await;
    let offer = sender.offer(&case, KANDAL).await;
    known(&reader, &offer, OfferState::Offered).await;
    let staff = reader.staff().await;
    assert_eq!(staff.accept(&offer).await.expect_err("reading is not answering").code(), Code::PermissionDenied);
    let decline = DeclineOfferRequest { offer_id: offer.clone(), reason: DeclineReason::NoCapacity.into() };
    let refused = staff.referral().decline_offer(staff.ask(decline)).await.expect_err("neither is this");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let many = AcceptManyRequest { offer_ids: vec![offer.clone()], mode: BulkMode::Each.into() };
    let refused = staff.referral().accept_many(staff.ask(many)).await.expect_err("nor by the other door");
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(staff.state(&offer).await.expect("it answers"), OfferState::Offered);
}

/// R4: elsewhere two transfers of one case wait at once, both are accepted, and the later one silently wins.
async fn of_two_transfers_of_one_case_the_second_is_refused(network: &Network) {
    let sender = network.desk(RATANAK_KIRI);
    let case = open_case(&sender, 12).await;
    let offer = sender.offer(&case, KANDAL).await;
    let staff = sender.staff().await;
    let second = transfer(&new_id(), &case, SHELTER);
    let refused = staff.referral().offer_referral(staff.ask(second)).await.expect_err("one at a time");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "TRANSFER_ALREADY_OPEN"));
    let receiver = network.desk(KANDAL);
    receiver.accept(&offer).await;
    receiver.held(&case).await;
    one_holder(network, KANDAL, &[&case]).await;
}

/// R5: elsewhere revoking after the acceptance seems to work, and the case stays where it went.
async fn what_was_accepted_is_not_taken_back(network: &Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let handed = hand_over(&sender, &receiver, 13).await;
    let staff = sender.staff().await;
    let reason_given = WithdrawReason::AnotherWayFound.into();
    let request = WithdrawOfferRequest { offer_id: handed.offer.clone(), reason: reason_given };
    let refused = staff.referral().withdraw_offer(staff.ask(request)).await.expect_err("it has moved");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ALREADY_ACCEPTED"));
    for desk in [&sender, &receiver] {
        known(desk, &handed.offer, OfferState::Accepted).await;
    }
    one_holder(network, KANDAL, &[&handed.case]).await;
}

/// R15: elsewhere what was entered offline is carried out when somebody else is responsible long since.
async fn an_action_that_comes_when_responsibility_has_moved_is_refused(network: &Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let handed = hand_over(&sender, &receiver, 14).await;
    settled(network).await;
    let staff = sender.staff().await;
    let offered_on = staff.referral().offer_referral(staff.ask(transfer(&new_id(), &handed.case, SHELTER))).await;
    assert_eq!(offered_on.expect_err("it is not theirs to offer").code(), Code::PermissionDenied);
    let amend = AmendPersonRequest { case_id: handed.case.clone(), person: Some(invented(15)) };
    let refused = staff.cases().amend_person(staff.ask(amend)).await.expect_err("it is not theirs to write");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "NOT_PERMITTED"));
    one_holder(network, KANDAL, &[&handed.case]).await;
}

/// R14: elsewhere the source is deleted before the acceptance, and the receiver accepts nothing at all.
async fn who_is_erased_before_the_acceptance_is_handed_to_nobody(network: &Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let case = open_case(&sender, 16).await;
    let offer = sender.offer(&case, KANDAL).await;
    known(&receiver, &offer, OfferState::Offered).await;
    let erase = ErasePersonRequest { case_id: case.clone(), ground: "REQUEST_OF_PERSON".to_owned() };
    sender.ask("erasing", async |staff: Staff| staff.cases().erase_person(staff.ask(erase.clone())).await).await;
    for desk in [&sender, &receiver] {
        let ended = known(desk, &offer, OfferState::Withdrawn).await;
        assert_eq!(ended.withdraw_reason(), WithdrawReason::PersonErased, "at {}", desk.office());
    }
    let refused = receiver.staff().await.accept(&offer).await.expect_err("there is nobody left to take over");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "OFFER_WITHDRAWN"));
}

/// R11: elsewhere somebody is "exited to another organisation" to which no referral was ever made.
async fn nobody_leaves_a_shelter_for_another_place_that_did_not_agree(network: &Network) {
    let shelter = network.desk(SHELTER);
    let case = hand_over(&network.desk(RATANAK_KIRI), &shelter, 17).await.case;
    let stay = new_id();
    let admitted_on = network.clock().now().date_in_cambodia().to_string();
    let admission = AdmitResidentRequest {
        admission_id: stay.clone(),
        case_id: case,
        admitted_on: admitted_on.clone(),
        over_capacity: OverCapacityReason::NoOtherHouse.into(),
        ..Default::default()
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
    let staff = shelter.staff().await;
    let exit = ExitResidentRequest { admission_id: stay, kind: ExitKind::Moved.into(), exited_on: admitted_on };
    let refused = staff.shelter().exit_resident(staff.ask(exit)).await.expect_err("nobody has agreed to take her");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NO_OTHER_PLACE_OF_CARE"));
}

/// R6: elsewhere a transfer of many cases stops in the middle, and is answered as an error.
async fn many_cases_move(network: &Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KIEN_SVAY));
    let mut cases = Vec::new();
    for number in 20..26 {
        cases.push(open_case(&sender, number).await);
    }
    settled(network).await;
    let mut offers: Vec<_> = cases.iter().map(|case| transfer(&new_id(), case, KIEN_SVAY)).collect();
    let faulty = transfer(&new_id(), &new_id(), KIEN_SVAY);
    offers.insert(3, faulty.clone());

    // All or none: none, and each is told why.
    let verdicts = offer_many(&sender, &offers, BulkMode::All).await;
    assert_eq!(verdicts[3].reason, "NOT_FOUND");
    assert!(verdicts[3].case_id.is_empty(), "a case that is none of theirs is not spoken of");
    for (index, verdict) in verdicts.iter().enumerate().filter(|(index, _)| *index != 3) {
        assert_eq!((verdict.done, verdict.reason.as_str()), (false, "ANOTHER_WAS_REFUSED"), "{index}");
    }
    for offer in &offers {
        let state = sender.staff().await.state(&offer.offer_id).await.expect("it answers");
        assert_eq!(state, OfferState::Unspecified, "nothing was offered");
    }

    // Each for itself: one stops no other; again, nothing happens twice; and other words under an id are refused.
    let twice = [offers.clone(), vec![offers[0].clone()]].concat();
    for _ in 0..2 {
        let verdicts = offer_many(&sender, &twice, BulkMode::Each).await;
        let done: Vec<_> = verdicts.iter().map(|verdict| verdict.done).collect();
        assert_eq!(done, [true, true, true, false, true, true, true, false]);
        assert_eq!(verdicts[7].reason, "TWICE_IN_THE_REQUEST");
        assert!(verdicts.iter().filter(|verdict| verdict.done).all(|verdict| verdict.answer_due_at.is_some()));
    }
    let other = OfferReferralRequest { need: Need::Legal.into(), ..offers[0].clone() };
    assert_eq!(offer_many(&sender, &[other], BulkMode::Each).await[0].reason, "OFFER_ID_TAKEN");
    offers.remove(3);
    let all_again = offer_many(&sender, &offers, BulkMode::All).await;
    assert!(all_again.iter().all(|verdict| verdict.done), "what was done before is done: {all_again:?}");

    // Half of them are accepted together, the others declined together.
    for offer in &offers {
        known(&receiver, &offer.offer_id, OfferState::Offered).await;
    }
    let (taken, refused) = offers.split_at(3);
    let ids = |offers: &[OfferReferralRequest]| offers.iter().map(|offer| offer.offer_id.clone()).collect::<Vec<_>>();
    let with_a_stranger = [ids(taken), vec![faulty.offer_id]].concat();
    let verdicts = accept_many(&receiver, &with_a_stranger, BulkMode::All).await;
    assert_eq!(verdicts[3].reason, "NOT_FOUND");
    assert!(verdicts.iter().all(|verdict| !verdict.done), "all or none: none");
    let verdicts = accept_many(&receiver, &ids(taken), BulkMode::All).await;
    assert!(verdicts.iter().all(|verdict| verdict.done), "{verdicts:?}");
    let verdicts = decline_many(&receiver, &ids(&offers)).await;
    let done: Vec<_> = verdicts.iter().map(|verdict| verdict.done).collect();
    assert_eq!(done, [false, false, false, true, true, true], "{verdicts:?}");
    for case in &cases[..3] {
        receiver.held(case).await;
    }
    for offer in refused {
        known(&sender, &offer.offer_id, OfferState::Declined).await;
    }
    settled(network).await;
    one_holder(network, KIEN_SVAY, &[&cases[0], &cases[1], &cases[2]]).await;
    one_holder(network, RATANAK_KIRI, &[&cases[3], &cases[4], &cases[5]]).await;
}

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

/// An offer, once it stands so at this office.
async fn known(desk: &Desk, offer: &str, state: OfferState) -> spean_contracts::referral::v1::Offer {
    let what = format!("the offer to be {}", state.as_str_name());
    desk.until(&what, async |staff: Staff| Ok(staff.see(offer).await?.filter(|offer| offer.state() == state))).await
}

async fn offer_many(desk: &Desk, offers: &[OfferReferralRequest], mode: BulkMode) -> Vec<Verdict> {
    let request = OfferManyRequest { offers: offers.to_vec(), mode: mode.into() };
    verdicts(desk.ask("offering many", async |staff: Staff| {
        let answer = staff.referral().offer_many(staff.ask(request.clone())).await?.into_inner();
        Ok((answer.all_done, answer.verdicts))
    }))
    .await
}

async fn accept_many(desk: &Desk, offers: &[String], mode: BulkMode) -> Vec<Verdict> {
    let request = AcceptManyRequest { offer_ids: offers.to_vec(), mode: mode.into() };
    verdicts(desk.ask("accepting many", async |staff: Staff| {
        let answer = staff.referral().accept_many(staff.ask(request.clone())).await?.into_inner();
        Ok((answer.all_done, answer.verdicts))
    }))
    .await
}

async fn decline_many(desk: &Desk, offers: &[String]) -> Vec<Verdict> {
    let decline = |offer: &String| {
        let reason = DeclineReason::NoCapacity.into();
        DeclineOfferRequest { offer_id: offer.clone(), reason }
    };
    let request = DeclineManyRequest { offers: offers.iter().map(decline).collect(), mode: BulkMode::Each.into() };
    verdicts(desk.ask("declining many", async |staff: Staff| {
        let answer = staff.referral().decline_many(staff.ask(request.clone())).await?.into_inner();
        Ok::<_, Status>((answer.all_done, answer.verdicts))
    }))
    .await
}

/// The verdicts; that all are done is said when it is so.
async fn verdicts(answer: impl Future<Output = (bool, Vec<Verdict>)>) -> Vec<Verdict> {
    let (all_done, verdicts) = answer.await;
    assert_eq!(all_done, verdicts.iter().all(|verdict| verdict.done));
    verdicts
}
