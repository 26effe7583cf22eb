//! What a network lives through: a broker that loses everything, nodes that die, databases restored from old copies,
//! an office that is gone for good. Real processes, killed for real.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use futures::future::join_all;
use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, MINISTRY, NODES, RATANAK_KIRI, SHELTER, TRANSIT_CENTRE,
};
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean::demonstration::staff::Staff;
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::AmendPersonRequest;
use spean_contracts::followup::v1::PlanFollowUpRequest;
use spean_contracts::referral::v1::{
    ConsentToOverrideRequest, CosignOverrideRequest, GetCustodyRequest, GetCustodyResponse, LegalBasis,
    ListOverrideProposalsRequest, OfferState, OpenDossierRequest, ProposeOverrideRequest, WithdrawReason, Worklist,
};
use spean_contracts::vocabulary::v1::ConsentBasis;
use spean_identity::Role;
use spean_testkit::{eventually, eventually_some};
use spean_tests::{
    Canary, Desk, Handoff, Network, PATIENCE, copy_folder, hand_over, holders, invented, network, network_on_postgres,
    one_holder, open_case, settled, spean_program, status, status_of,
};
use tonic::{Code, Status};

/// An office of each node, so that every node gives and takes.
const OFFICES: [&str; 6] = [MINISTRY, TRANSIT_CENTRE, SHELTER, BANTEAY_MEANCHEY, RATANAK_KIRI, KANDAL];

#[tokio::test]
async fn nothing_is_lost_with_the_broker_or_with_any_node() {
    let mut network = network().await;
    let mut handoffs = Vec::new();
    handoffs.extend(the_broker_loses_everything(&mut network).await);
    handoffs.extend(the_broker_is_away_for_a_while(&mut network).await);
    handoffs.extend(every_node_dies_once(&mut network).await);
    settled(&network).await;
    let cases: Vec<_> = handoffs.into_iter().map(|handoff| handoff.case).collect();
    let books = compare(&network, &Narrator::silent(), &cases).await;
    books.unwrap_or_else(|error| panic!("the books do not balance: {error:#}"));
}

/// Twenty handoffs are under way when the broker is killed and its disk is gone.
async fn the_broker_loses_everything(network: &mut Network) -> Vec<Handoff> {
    let pairs =
        [(RATANAK_KIRI, KANDAL), (BANTEAY_MEANCHEY, KANDAL), (KANDAL, RATANAK_KIRI), (TRANSIT_CENTRE, MINISTRY)];
    let desks = pairs.map(|(from, to)| (network.desk(from), network.desk(to)));
    let under_way = join_all((0..20).map(|number| {
        let (from, to) = &desks[number % desks.len()];
        hand_over(from, to, number)
    }));
    let watch = network.desk(KANDAL);
    let disaster = async {
        at_least_one_arrived(&watch).await;
        network.hub().wipe().await.expect("the broker can be killed and its disk be lost");
        network.hub().restart().await.expect("the broker starts again");
    };
    let (handoffs, ()) = tokio::join!(under_way, disaster);
    settled(network).await;
    for (pair, (_, to)) in pairs.into_iter().enumerate() {
        let cases: Vec<_> =
            handoffs.iter().skip(pair).step_by(pairs.len()).map(|handoff| handoff.case.as_str()).collect();
        one_holder(network, to, &cases).await;
    }
    handoffs
}

async fn at_least_one_arrived(desk: &Desk) {
    desk.until("the first of many cases", async |staff: Staff| Ok((!staff.held().await?.is_empty()).then_some(())))
        .await;
}

/// While the broker is away staff register, offer and accept: each is committed where it is said. An office with a
/// broker of its own can do all of it with a case that it opened meanwhile.
async fn the_broker_is_away_for_a_while(network: &mut Network) -> Vec<Handoff> {
    let (sender, receiver) = (network.desk(BANTEAY_MEANCHEY), network.desk(KANDAL));
    let remote = network.desk(RATANAK_KIRI);
    let offered_before = open_case(&sender, 30).await;
    let accepted_meanwhile = sender.offer(&offered_before, KANDAL).await;
    receiver.until("the offer", async |staff: Staff| is(&staff, &accepted_meanwhile, OfferState::Offered).await).await;
    let known_before = open_case(&sender, 31).await;
    let withdrawn = sender.offer(&known_before, MINISTRY).await;
    sender.ask("withdrawing", async |staff: Staff| withdraw(&staff, &withdrawn).await).await;
    settled(network).await;

    network.hub().kill().await.expect("the broker can be killed");
    eventually(PATIENCE, "both nodes to notice that the broker is away", async || {
        !status(&sender).await.broker_connected && !status(&receiver).await.broker_connected
    })
    .await;
    let opened_meanwhile = open_case(&sender, 32).await;
    let summary =
        sender.staff().await.case(&opened_meanwhile, "").await.expect("it answers").summary.expect("a summary");
    assert!(!summary.case_number.is_empty(), "the case has a number at once");
    let offered_meanwhile = sender.offer(&known_before, KANDAL).await;
    receiver.staff().await.accept(&accepted_meanwhile).await.expect("an offer can be accepted without the broker");
    let remote_case = open_case(&remote, 33).await;
    let remote_offer = remote.offer(&remote_case, KANDAL).await;
    assert_eq!(receiver.staff().await.state(&accepted_meanwhile).await.expect("it answers"), OfferState::Bound);
    for (desk, offer) in [(&sender, &offered_meanwhile), (&remote, &remote_offer)] {
        assert_eq!(
            desk.staff().await.state(offer).await.expect("it answers"),
            OfferState::Offered,
            "at {}",
            desk.office()
        );
    }
    assert_eq!(
        receiver.staff().await.state(&remote_offer).await.expect("it answers"),
        OfferState::Unspecified,
        "it cannot be there"
    );
    assert_eq!(holders(network, &offered_before).await, BTreeSet::from([BANTEAY_MEANCHEY.to_owned()]));
    for desk in [&sender, &receiver, &remote] {
        let waiting: i64 = status(desk).await.peers.iter().map(|peer| peer.unconfirmed).sum();
        assert!(waiting > 0, "what was said waits in the log of {}", desk.office());
    }

    network.hub().restart().await.expect("the broker starts again");
    receiver.held(&offered_before).await;
    receiver.accept(&offered_meanwhile).await;
    receiver.held(&known_before).await;
    receiver.accept(&remote_offer).await;
    receiver.held(&remote_case).await;
    let offer = sender.offer(&opened_meanwhile, KANDAL).await;
    receiver.accept(&offer).await;
    receiver.held(&opened_meanwhile).await;
    settled(network).await;
    one_holder(network, KANDAL, &[&offered_before, &known_before, &opened_meanwhile, &remote_case]).await;
    vec![
        Handoff { case: offered_before, offer: accepted_meanwhile },
        Handoff { case: known_before, offer: offered_meanwhile },
        Handoff { case: opened_meanwhile, offer },
        Handoff { case: remote_case, offer: remote_offer },
    ]
}

/// Twelve handoffs run from each node to the next while each node is killed in its turn.
async fn every_node_dies_once(network: &mut Network) -> Vec<Handoff> {
    let desks = OFFICES.map(|office| network.desk(office));
    let to = |number: usize| (number + 1) % OFFICES.len();
    let under_way =
        join_all((0..12).map(|number| hand_over(&desks[number % OFFICES.len()], &desks[to(number % 6)], 40 + number)));
    let deaths = async {
        for node in NODES {
            network.cut_power(node).expect("a node can be killed");
            network.start(node).await.unwrap_or_else(|error| panic!("{node} does not come back: {error:#}"));
        }
    };
    let (handoffs, ()) = tokio::join!(under_way, deaths);
    settled(network).await;
    for from in 0..OFFICES.len() {
        let cases: Vec<_> =
            handoffs.iter().skip(from).step_by(OFFICES.len()).map(|handoff| handoff.case.as_str()).collect();
        one_holder(network, OFFICES[to(from)], &cases).await;
    }
    for office in OFFICES {
        assert_eq!(status_of(network, office).await.incarnation, 1, "a power cut is no restore, at {office}");
    }
    handoffs
}

/// Copies of the receiver's data from before the offer, after its acceptance and after the certificate; then one of the
/// sender's. Each time the node notices, decides nothing until all peers have answered, and knows again what it said.
#[tokio::test]
async fn a_node_restored_from_an_old_copy_knows_again_who_holds_what() {
    let mut network = network().await;
    let mut incarnation = 1;
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));

    // From before the offer.
    let before_the_offer = copy(&mut network, "kandal").await;
    let first = hand_over(&sender, &receiver, 0).await;
    let open = open_case(&sender, 1).await;
    let open_offer = sender.offer(&open, KANDAL).await;
    receiver.until("the offer", async |staff: Staff| is(&staff, &open_offer, OfferState::Offered).await).await;
    settled(&network).await;
    restore(&mut network, "kandal", &before_the_offer, &open_offer).await;
    incarnation += 1;
    recovered(&network, KANDAL, incarnation).await;
    one_holder(&network, KANDAL, &[&first.case]).await;
    agree(&sender, &receiver, &first.offer, OfferState::Accepted).await;
    knows_whom_it_holds(&receiver, &first.offer).await;
    plans_visits(&network, &receiver, &first.case).await;
    receiver.accept(&open_offer).await;
    receiver.held(&open).await;
    one_holder(&network, KANDAL, &[&open]).await;

    // From after its acceptance, which nobody had heard yet.
    let second = open_case(&sender, 2).await;
    let second_offer = sender.offer(&second, KANDAL).await;
    receiver.until("the offer", async |staff: Staff| is(&staff, &second_offer, OfferState::Offered).await).await;
    settled(&network).await;
    network.hub().kill().await.expect("the broker can be killed");
    receiver.ask("accepting", async |staff: Staff| staff.accept(&second_offer).await).await;
    let after_the_acceptance = copy(&mut network, "kandal").await;
    network.hub().restart().await.expect("the broker starts again");
    receiver.held(&second).await;
    // And a case of its own, handed over since: its register was restored with its desk.
    let own = hand_over(&receiver, &sender, 3).await;
    settled(&network).await;
    restore(&mut network, "kandal", &after_the_acceptance, &second_offer).await;
    incarnation += 1;
    recovered(&network, KANDAL, incarnation).await;
    one_holder(&network, KANDAL, &[&first.case, &open, &second]).await;
    one_holder(&network, RATANAK_KIRI, &[&own.case]).await;
    agree(&sender, &receiver, &second_offer, OfferState::Accepted).await;

    // From after the certificate.
    let after_the_certificate = copy(&mut network, "kandal").await;
    let third = hand_over(&sender, &receiver, 4).await;
    settled(&network).await;
    restore(&mut network, "kandal", &after_the_certificate, &third.offer).await;
    incarnation += 1;
    recovered(&network, KANDAL, incarnation).await;
    one_holder(&network, KANDAL, &[&first.case, &open, &second, &third.case]).await;
    agree(&sender, &receiver, &third.offer, OfferState::Accepted).await;

    the_holder_is_restored(&mut network).await;
    settled(&network).await;
    let cases = [first.case, open, second, own.case, third.case];
    let books = compare(&network, &Narrator::silent(), &cases).await;
    books.unwrap_or_else(|error| panic!("the books do not balance: {error:#}"));
}

/// The sender comes back from before it certified: the case has moved all the same, and what was still open is offered
/// afresh.
async fn the_holder_is_restored(network: &mut Network) {
    let (sender, receiver) = (network.desk(BANTEAY_MEANCHEY), network.desk(KANDAL));
    let moved = open_case(&sender, 10).await;
    let moved_offer = sender.offer(&moved, KANDAL).await;
    let open = open_case(&sender, 11).await;
    let open_offer = sender.offer(&open, KANDAL).await;
    receiver.until("the offer", async |staff: Staff| is(&staff, &open_offer, OfferState::Offered).await).await;
    let with_both_open = copy(network, "banteay-meanchey").await;
    receiver.accept(&moved_offer).await;
    receiver.held(&moved).await;
    settled(network).await;
    restore(network, "banteay-meanchey", &with_both_open, "").await;
    recovered(network, BANTEAY_MEANCHEY, 2).await;
    one_holder(network, KANDAL, &[&moved]).await;
    agree(&sender, &receiver, &moved_offer, OfferState::Accepted).await;
    agree(&sender, &receiver, &open_offer, OfferState::Withdrawn).await;
    let withdrawn = receiver.staff().await.see(&open_offer).await.expect("it answers").expect("the offer is known");
    assert_eq!(withdrawn.withdraw_reason(), WithdrawReason::HolderRestored);
    let afresh = receiver
        .until("the offer made afresh", async |staff: Staff| {
            let waiting = staff.worklist(Worklist::ToAnswer).await?;
            Ok(waiting.into_iter().find(|offer| offer.case_id == open))
        })
        .await;
    receiver.accept(&afresh.offer_id).await;
    receiver.held(&open).await;
    one_holder(network, KANDAL, &[&open]).await;
}

/// A copy of a node's data, taken while it does not run.
async fn copy(network: &mut Network, node: &str) -> PathBuf {
    network.cut_power(node).expect("a node can be killed");
    let copy = network.folder().join(format!("copy-of-{node}"));
    copy_folder(&network.data(node), &copy);
    network.start(node).await.unwrap_or_else(|error| panic!("{node} does not come back: {error:#}"));
    copy
}

/// Puts a copy in the place of a node's data, while one of its peers is away: until that one has answered, the node
/// decides nothing. Then the peer comes back.
async fn restore(network: &mut Network, node: &str, copy: &std::path::Path, offer: &str) {
    const AWAY: &str = "house-of-hope";
    network.cut_power(AWAY).expect("a node can be killed");
    network.cut_power(node).expect("a node can be killed");
    copy_folder(copy, &network.data(node));
    network.start(node).await.unwrap_or_else(|error| panic!("{node} does not come back: {error:#}"));
    let office = OFFICES.into_iter().find(|office| network.node_of(office) == node).expect("an office of the node");
    let desk = network.desk(office);
    // All others have answered; the node waits for the last.
    eventually(PATIENCE, "all peers but one to answer", async || {
        status(&desk).await.recovering_from == [format!("{AWAY}/referral")]
    })
    .await;
    let staff = desk.staff().await;
    staff.held().await.expect("what is known can be read meanwhile");
    if !offer.is_empty() && staff.see(offer).await.expect("it answers").is_some() {
        let refused = staff.accept(offer).await.expect_err("nothing is decided meanwhile");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "RECOVERING"));
    }
    for held in staff.held().await.expect("it answers") {
        let refused = desk_offers(&staff, &held.case_id).await.expect_err("nothing is decided meanwhile");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "RECOVERING"));
    }
    assert_eq!(status(&desk).await.recovering_from, [format!("{AWAY}/referral")], "it still waits for the last");
    network.start(AWAY).await.unwrap_or_else(|error| panic!("{AWAY} does not come back: {error:#}"));
}

async fn desk_offers(staff: &Staff, case: &str) -> Result<String, Status> {
    use spean::demonstration::staff::Asking;
    use spean_contracts::referral::v1::OfferKind;
    use spean_contracts::vocabulary::v1::{Need, Urgency};
    let asking = Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Urgent };
    staff.offer(case, MINISTRY, asking).await
}

/// The node acts again, under a new incarnation.
async fn recovered(network: &Network, office: &str, incarnation: u64) {
    let desk = network.desk(office);
    eventually(PATIENCE, "the node to act again", async || status(&desk).await.recovering_from.is_empty()).await;
    assert_eq!(status(&desk).await.incarnation, incarnation);
    settled(network).await;
}

/// The file on the person, which was lost with the data, came back with the letters.
async fn knows_whom_it_holds(desk: &Desk, offer: &str) {
    let request = OpenDossierRequest { offer_id: offer.to_owned(), purpose: "the visit of this month".to_owned() };
    let dossier =
        desk.ask("the dossier", async |staff: Staff| staff.referral().open_dossier(staff.ask(request.clone())).await);
    let person = dossier.await.into_inner().person.expect("the person is in the dossier");
    assert_eq!(person.latin_name.map(|name| name.family).as_deref(), Some(Canary::FAMILY_LATIN));
}

/// The service for visits had said nothing since the copy, so its log looked complete; what it had been told came again.
async fn plans_visits(network: &Network, desk: &Desk, case: &str) {
    let reintegrated_on = network.clock().now().date_in_cambodia().to_string();
    let plan = PlanFollowUpRequest { case_id: case.to_owned(), reintegrated_on };
    let planned = desk.until("the visits", async |staff: Staff| {
        match staff.followup().plan_follow_up(staff.ask(plan.clone())).await {
            Ok(planned) => Ok(Some(planned.into_inner().visits.len())),
            Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => Ok(None),
            Err(status) => Err(status),
        }
    });
    assert_eq!(planned.await, 12);
}

/// Both sides say that an offer ended like this.
async fn agree(sender: &Desk, receiver: &Desk, offer: &str, state: OfferState) {
    for desk in [sender, receiver] {
        let what = format!("the offer to be {}", state.as_str_name());
        desk.until(&what, async |staff: Staff| is(&staff, offer, state).await).await;
    }
}

#[tokio::test]
async fn of_two_instances_on_one_postgres_one_stands_by_and_takes_over() {
    let mut network = network_on_postgres().await;
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let second = network.second_instance("kandal");
    eventually(PATIENCE, "the second instance to stand by", async || second.stands_by()).await;
    let before = hand_over(&sender, &receiver, 0).await;
    assert!(!second.address.exists(), "it serves nobody while the first lives");
    let under_way = open_case(&sender, 1).await;
    let offer = sender.offer(&under_way, KANDAL).await;
    receiver.until("the offer", async |staff: Staff| is(&staff, &offer, OfferState::Offered).await).await;
    receiver.accept(&offer).await;
    network.cut_power("kandal").expect("a node can be killed");
    let receiver = receiver.moved_to(second.address.clone());
    receiver.held(&before.case).await;
    receiver.held(&under_way).await;
    let after = hand_over(&sender, &receiver, 2).await;
    assert_eq!(status(&receiver).await.incarnation, 1, "taking over is no restore");
    for case in [&before.case, &under_way, &after.case] {
        assert!(!sender.ask("cases held", async |staff: Staff| staff.holds(case).await).await, "two hold one case");
    }
    // And back.
    let mut network = network;
    drop(second);
    network.start("kandal").await.expect("the first instance comes back");
    settled(&network).await;
    one_holder(&network, KANDAL, &[&before.case, &under_way, &after.case]).await;
}

#[tokio::test]
async fn an_office_that_is_gone_for_good_loses_its_case_to_an_override() {
    let mut network = network().await;
    let ministry = network.desk_as(MINISTRY, &[Role::Authority, Role::Supervisor, Role::Caseworker]);
    let cosigner = network.desk_as(BANTEAY_MEANCHEY, &[Role::Authority, Role::Supervisor]);
    let new_holder = network.desk(KANDAL);
    let old_holder = network.desk(RATANAK_KIRI);
    let case = hand_over(&network.desk(TRANSIT_CENTRE), &old_holder, 0).await.case;
    // The office fills its register from the file that came along, and asks her anew before it passes that on.
    old_holder
        .until("the case in the register", async |staff: Staff| {
            let amend = AmendPersonRequest { case_id: case.clone(), person: Some(invented(0)) };
            match staff.cases().amend_person(staff.ask(amend)).await {
                Ok(_) => Ok(Some(())),
                Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    old_holder.ask("consent", async |staff: Staff| staff.consent(&case, ConsentBasis::Person).await).await;
    let open = old_holder.offer(&case, SHELTER).await;
    let shelter = network.desk(SHELTER);
    shelter.until("the offer", async |staff: Staff| is(&staff, &open, OfferState::Offered).await).await;
    settled(&network).await;
    network.cut_power("ratanak-kiri").expect("a node can be killed");

    let propose = ProposeOverrideRequest {
        case_id: case.clone(),
        new_holder_office_id: KANDAL.to_owned(),
        legal_basis: LegalBasis::HolderUnreachable.into(),
    };
    let proposal = ministry
        .until("proposing the override", async |staff: Staff| {
            match staff.referral().propose_override(staff.ask(propose.clone())).await {
                Ok(answer) => Ok(Some(answer.into_inner().proposal)),
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
    let too_early = CosignOverrideRequest { case_id: case.clone(), proposal: proposal.clone() };
    let staff = new_holder.staff().await;
    let refused = staff.referral().cosign_override(staff.ask(too_early.clone())).await;
    assert_eq!(refused.expect_err("nobody else can sign").code(), Code::PermissionDenied);
    proposed(&cosigner, &proposal).await;
    let staff = cosigner.staff().await;
    staff.referral().cosign_override(staff.ask(too_early)).await.expect("the second body signs");
    settled_but_for(&network, RATANAK_KIRI).await;
    assert!(!held(&new_holder, &case).await, "without its consent nobody becomes the holder");
    proposed(&new_holder, &proposal).await;
    let staff = new_holder.staff().await;
    let consent = ConsentToOverrideRequest { case_id: case.clone(), proposal: proposal.clone() };
    staff.referral().consent_to_override(staff.ask(consent)).await.expect("the new holder agrees");
    new_holder.held(&case).await;
    let by_term = new_holder.staff().await.held().await.expect("it answers");
    assert_eq!(by_term.iter().find(|held| held.case_id == case).map(|held| held.term), Some(1));

    network.start("ratanak-kiri").await.expect("the old holder comes back");
    eventually(PATIENCE, "the old holder to learn of it", async || !held(&old_holder, &case).await).await;
    settled(&network).await;
    one_holder(&network, KANDAL, &[&case]).await;
    shelter.until("the offer to be void", async |staff: Staff| is(&staff, &open, OfferState::Voided).await).await;
    let refused = shelter.staff().await.accept(&open).await.expect_err("the old holder's offer is void");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    for desk in [&new_holder, &old_holder, &ministry] {
        let custody = custody(desk, &case).await;
        assert_eq!(custody.holder_office_id, KANDAL, "as {} knows it", desk.office());
        assert_eq!(custody.chain.last().map(|certificate| certificate.term), Some(1));
    }
    the_chain_proves_it(&network, &new_holder, &case);
}

/// The command line believes the directory and nobody else.
fn the_chain_proves_it(network: &Network, desk: &Desk, case: &str) {
    let token = network.folder().join("token");
    std::fs::write(&token, desk.token()).expect("the folder is ours");
    let ask = |root: &str| {
        let mut ask = Command::new(spean_program());
        ask.args(["node", "proof", case, "--json", "--root", root]);
        ask.args(["--node", &network.address("kandal").expect("it runs")]);
        ask.arg("--token-file").arg(&token).arg("--directory").arg(network.folder().join("directory.json"));
        ask.output().expect("the program starts")
    };
    let root = network.settings("kandal").root;
    let proven = ask(&root);
    let said = String::from_utf8_lossy(&proven.stdout);
    assert!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));
    assert!(said.contains("\"proven\"") && said.contains(KANDAL), "{said}");
    let other = spean_identity::RootKey::create(&network.folder().join("other-root")).expect("a key").public();
    assert!(!ask(&other).status.success(), "a directory that another root signed proves nothing");
}

/// Waits until a proposal is on the list of an office.
async fn proposed(desk: &Desk, proposal: &str) {
    desk.until("the proposal", async |staff: Staff| {
        let list = staff.referral().list_override_proposals(staff.ask(ListOverrideProposalsRequest {})).await?;
        Ok(list.into_inner().proposals.iter().any(|waiting| waiting.proposal == proposal).then_some(()))
    })
    .await;
}

/// All that was said has arrived, but for what waits for the node of one office.
async fn settled_but_for(network: &Network, office: &str) {
    let dark = network.node_of(office);
    for office in network.staffed_offices().into_iter().filter(|office| network.node_of(office) != dark) {
        let desk = network.desk(&office);
        eventually_some(PATIENCE, "all letters to nodes that live", async || {
            let peers = status(&desk).await.peers;
            peers.iter().all(|peer| peer.node_id == dark || peer.unconfirmed == 0).then_some(())
        })
        .await;
    }
}

async fn custody(desk: &Desk, case: &str) -> GetCustodyResponse {
    let request = GetCustodyRequest { case_id: case.to_owned() };
    desk.ask("custody", async |staff: Staff| {
        Ok(staff.referral().get_custody(staff.ask(request.clone())).await?.into_inner())
    })
    .await
}

async fn held(desk: &Desk, case: &str) -> bool {
    desk.ask("cases held", async |staff: Staff| staff.holds(case).await).await
}

/// That an offer stands so; nothing when it does not.
async fn is(staff: &Staff, offer: &str, state: OfferState) -> Result<Option<()>, Status> {
    Ok((staff.state(offer).await? == state).then_some(()))
}

async fn withdraw(staff: &Staff, offer: &str) -> Result<(), Status> {
    use spean_contracts::referral::v1::WithdrawOfferRequest;
    let reason = WithdrawReason::SentByMistake.into();
    let request = WithdrawOfferRequest { offer_id: offer.to_owned(), reason };
    staff.referral().withdraw_offer(staff.ask(request)).await.map(drop)
}
