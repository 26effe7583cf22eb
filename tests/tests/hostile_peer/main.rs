//! A node whose keys are in the wrong hands. What it signs and seals is genuine; what it says is not. Nobody else's case
//! may be changed or held up by it, what it can fill is bounded, and whoever runs the node sees who does it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

mod lies;
mod rogue;
mod victim;

use std::collections::BTreeMap;
use std::time::Duration;

use lies::{about_cases, as_our_own_services, forged_chain};
use rogue::{DESKS, Lie, Rogue};
use serde_json::json;
use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI, SHELTER};
use spean::demonstration::staff::Staff;
use spean_contracts::referral::v1::{DeadLetter, GetNodeStatusRequest, ListDeadLettersRequest, OfferState, Worklist};
use spean_custody::Party;
use spean_identity::Role;
use spean_messaging::broker::MailboxPlace;
use spean_testkit::eventually;
use spean_tests::{Network, PATIENCE, hand_over, network, open_case, settled, status_of};
use spean_vocabulary::Service;
use victim::Victim;

/// The node with the stolen keys, and the one it writes to.
const EVIL: &str = "house-of-hope";
const NODE: &str = "kandal";
const SERVICES: [Service; 7] = [
    Service::Cases,
    Service::Directory,
    Service::Followup,
    Service::Insight,
    Service::Referral,
    Service::Repatriation,
    Service::Shelter,
];
/// As long as an honest handoff may take while the node is flooded.
const HANDOFF_WITHIN: Duration = Duration::from_secs(30);

/// The offers and cases of the scene.
struct Scene {
    /// Held by Kandal.
    held: String,
    /// Held by Kandal and offered to Ratanak Kiri, who has not answered.
    offered: (String, String),
    /// Held by Ratanak Kiri and offered to Kandal, who has not answered.
    asked: (String, String),
    /// Held by Ratanak Kiri; Kandal never heard of it.
    theirs: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_stolen_keys_harms_no_case_of_others_and_fills_no_disk() {
    let mut network = network().await;
    let mut scene = set(&network).await;
    network.cut_power(EVIL).unwrap();
    let rogue = Rogue::of(&network, EVIL, NODE).await;
    let victim = Victim::of(&network.data(NODE));

    let next = nothing_is_believed_that_is_not_theirs_to_say(&network, &scene, &rogue, &victim).await;
    numbers_and_receipts_stop_nobody(&network, &rogue, &victim, next).await;
    a_flood_is_bounded_and_holds_up_nobody(&network, &rogue, &victim, next).await;
    whoever_runs_the_node_sees_who_it_is(&network).await;
    a_recovering_node_is_told_nothing_that_was_not_said(&mut network, &scene, &rogue, &victim).await;
    scene.offered.1 = made_afresh(&network, &scene.offered.1).await;
    untouched(&network, &scene).await;
}

async fn set(network: &Network) -> Scene {
    let (kandal, ratanak_kiri) = (network.desk(KANDAL), network.desk(RATANAK_KIRI));
    let held = hand_over(&ratanak_kiri, &kandal, 0).await.case;
    let offered = open_case(&kandal, 1).await;
    let offered = (kandal.offer(&offered, RATANAK_KIRI).await, offered);
    let asked = open_case(&ratanak_kiri, 2).await;
    let asked = (ratanak_kiri.offer(&asked, KANDAL).await, asked);
    let theirs = open_case(&ratanak_kiri, 3).await;
    let scene = Scene { held, offered: (offered.1, offered.0), asked: (asked.1, asked.0), theirs };
    settled(network).await;
    untouched(network, &scene).await;
    scene
}

/// Everything is as it was: who holds what, and which offers are open.
async fn untouched(network: &Network, scene: &Scene) {
    let (kandal, ratanak_kiri) = (network.desk(KANDAL).staff().await, network.desk(RATANAK_KIRI).staff().await);
    for (case, holder, other) in [
        (&scene.held, &kandal, &ratanak_kiri),
        (&scene.offered.0, &kandal, &ratanak_kiri),
        (&scene.asked.0, &ratanak_kiri, &kandal),
        (&scene.theirs, &ratanak_kiri, &kandal),
    ] {
        assert!(holder.holds(case).await.unwrap(), "{case} is not held by whoever held it");
        assert!(!other.holds(case).await.unwrap(), "{case} is held twice");
    }
    for (offer, from, to) in [(&scene.offered.1, &kandal, &ratanak_kiri), (&scene.asked.1, &ratanak_kiri, &kandal)] {
        assert_eq!(from.state(offer).await.unwrap(), OfferState::Offered);
        assert_eq!(to.state(offer).await.unwrap(), OfferState::Offered);
    }
}

/// Whoever is at an office of a node.
fn party(network: &Network, office: &str) -> Party {
    Party { node: network.node_of(office).parse().unwrap(), office: office.parse().unwrap() }
}

/// What the node's own register, shelter and directory say is believed as it stands; what desks say of cases must be
/// theirs to say. Gives the number of the next letter.
async fn nothing_is_believed_that_is_not_theirs_to_say(
    network: &Network,
    scene: &Scene,
    rogue: &Rogue,
    victim: &Victim,
) -> u64 {
    let before = victim.contents().await;
    let mut sent = BTreeMap::new();
    for lie in as_our_own_services(&scene.held, &scene.offered.0, &scene.theirs) {
        for to in SERVICES {
            for from in [to, Service::Referral, Service::Cases] {
                let number = sent.entry((from, to)).or_insert(0);
                *number += 1;
                assert!(rogue.write((from, to), (1, *number), &lie).await);
            }
        }
    }
    let next = sent[&DESKS] + 1;
    let (us, them, evil) = (party(network, KANDAL), party(network, RATANAK_KIRI), party(network, SHELTER));
    let lies = about_cases(scene, rogue, [&us, &them, &evil]);
    let count = lies.len() as u64;
    assert_eq!(rogue.flood(DESKS, 1, next, lies).await as u64, count);
    let through = next + count - 1;
    eventually(PATIENCE, "all lies to be read", async || {
        let query = format!("select count(*) from post_in where peer = '{EVIL}/referral' and sequence <= {through}");
        victim.count("referral", &query).await == i64::try_from(through).unwrap()
    })
    .await;
    for service in ["cases", "shelter", "repatriation"] {
        let refused = "select count(*) from post_unreadable";
        eventually(PATIENCE, "a service to refuse them", async || victim.count(service, refused).await >= 20).await;
        let stored = format!("select count(*) from post_in where peer like '{EVIL}/%'");
        assert_eq!(victim.count(service, &stored).await, 0, "{service} has letters of a node that has none for it");
    }
    let dead =
        format!("select count(*) from post_in where peer = '{EVIL}/referral' and state not in ('dead', 'waiting')");
    let taken = victim.count("referral", &dead).await;
    let changed = changes(&before, &victim.contents().await);
    println!(
        "{} lies of seven services and {count} of cases: {taken} taken, changed: {changed:?}",
        sent.values().sum::<u64>()
    );
    assert!(changed.is_empty(), "lies were believed: {changed:?}");
    untouched(network, scene).await;
    through + 1
}

/// The tables that are not as they were.
fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    after.iter().filter(|(table, digest)| before.get(*table) != Some(*digest)).map(|(table, _)| table.clone()).collect()
}

/// Replays, forks, numbers beyond all sense, and receipts for what nobody wrote. None of it puts the node into quarantine.
async fn numbers_and_receipts_stop_nobody(network: &Network, rogue: &Rogue, victim: &Victim, next: u64) {
    let stored = format!("select count(*) from post_in where peer = '{EVIL}/referral'");
    let before = victim.count("referral", &stored).await;
    let lie = Lie::new("offer", "", b"again".to_vec());
    for number in [(1, 1), (1, next - 1), (1, 1 << 63), (1, u64::MAX), (2, 1), (u64::MAX, 1)] {
        assert!(rogue.write(DESKS, number, &lie).await);
    }
    for (incarnation, applied) in [(1, 1_000_000_u64), (1, u64::MAX), (u64::MAX, 1), (2, 0)] {
        let receipt =
            json!({ "incarnation": incarnation, "applied_up_to": applied, "failed": [], "backed_up_through": 0 });
        for service in [Service::Referral, Service::Followup, Service::Directory, Service::Insight] {
            let ends = (service, service);
            assert!(rogue.say(ends, 1, "receipt", receipt.to_string().into_bytes()).await);
            let hello = json!({ "incarnation": 1, "receipt": receipt });
            assert!(rogue.say(ends, 1, "hello", hello.to_string().into_bytes()).await);
        }
    }
    let failed: Vec<u64> = (1..=20_000).collect();
    let absurd = json!({ "incarnation": 1, "applied_up_to": 0, "failed": failed, "backed_up_through": 9 });
    assert!(rogue.say(DESKS, 1, "receipt", absurd.to_string().into_bytes()).await);
    assert!(rogue.say(DESKS, 1, "hello", b"{".to_vec()).await);
    assert!(rogue.say(DESKS, 1, "returned", vec![0x18, 0xff, 0xff, 0xff, 0xff, 0x0f]).await);
    assert!(rogue.say(DESKS, 1, "nothing that is known", vec![]).await);
    let unknown = "select count(*) from post_unreadable where reason like '%kind of message%'";
    eventually(PATIENCE, "all of it to be read", async || victim.count("referral", unknown).await == 1).await;
    let status = status_of(network, KANDAL).await;
    assert_eq!(status.incarnation, 1, "somebody's word alone made the node believe that it was restored");
    assert!(status.recovering_from.is_empty());
    for service in ["followup", "directory", "insight"] {
        assert_eq!(victim.count(service, "select incarnation from post_self").await, 1);
        assert_eq!(victim.count(service, "select count(*) from post_recovery").await, 0);
    }
    // The two forks and what is far ahead: none is stored in the place of another.
    assert!(victim.count("referral", &stored).await <= before + 2);
}

const PARKED: &str = " and state = 'parked'";
const STUCK: &str = " and state in ('dead', 'waiting')";

fn of_evil(what: &str) -> String {
    format!("select {what} from post_in where peer = '{EVIL}/referral'")
}

/// Gaps that never fill, letters as large as the broker takes, dossiers nobody asked for, and thousands of small ones.
async fn a_flood_is_bounded_and_holds_up_nobody(network: &Network, rogue: &Rogue, victim: &Victim, next: u64) {
    let before = victim.bytes();
    let dossiers = victim.count("vault", "select count(*) from dossier").await;
    let large = |kind: &str, count: usize| vec![Lie::new(kind, "", vec![7; 900 * 1024]); count];
    let honest = async {
        let began = tokio::time::Instant::now();
        let case = hand_over(&network.desk(RATANAK_KIRI), &network.desk(KANDAL), 4).await.case;
        (case, began.elapsed())
    };
    let flood = async {
        let mut with_dossier = forged_chain(rogue, 5);
        for lie in &mut with_dossier {
            lie.attachment = Some(vec![7; 700 * 1024]);
        }
        let mut taken = rogue.flood(DESKS, 1, next, with_dossier).await;
        taken += rogue.flood(DESKS, 1, next + 5, vec![Lie::new("nonsense", "", vec![7; 60]); 1_060]).await;
        reached(victim, &(of_evil("count(*)") + STUCK), 1_000).await;
        taken += rogue.flood(DESKS, 1, 2_000_000, large("offer", 30)).await;
        reached(victim, &(of_evil("coalesce(sum(length(content)), 0)") + PARKED), 16 * 1024 * 1024).await;
        taken += rogue.flood(DESKS, 1, 3_000_000, vec![Lie::new("offer", "", vec![7; 60]); 600]).await;
        for _ in 0..150 {
            taken += usize::from(rogue.publish(DESKS, spean_chassis::random::<600>().to_vec()).await);
        }
        reached(victim, "select count(*) from post_unreadable", 100).await;
        taken
    };
    let ((_, took), taken) = tokio::join!(honest, flood);
    println!("{taken} letters of the flood were taken by the broker; a handoff of others took {took:?} meanwhile");
    assert!(took < HANDOFF_WITHIN, "a handoff between others took {took:?}");
    let (parked, parked_bytes) = (of_evil("count(*)") + PARKED, of_evil("coalesce(sum(length(content)), 0)") + PARKED);
    let (parked, parked_bytes) =
        (victim.count("referral", &parked).await, victim.count("referral", &parked_bytes).await);
    let stuck = victim.count("referral", &(of_evil("count(*)") + STUCK)).await;
    let unreadable = victim.count("referral", "select count(*) from post_unreadable").await;
    let grown = victim.bytes().saturating_sub(before);
    println!(
        "kept of it: {parked} parked ({parked_bytes} bytes), {stuck} dead, {unreadable} unreadable; files grew by {grown} bytes"
    );
    assert!(parked <= 1_000, "{parked} letters are kept before their turn");
    assert!(parked_bytes <= 17 * 1024 * 1024, "{parked_bytes} bytes are kept before their turn");
    // Those that were parked already when the bound was reached may come to wait as well.
    assert!(stuck + parked <= 2_000, "{stuck} letters wait for people, and {parked} for their turn");
    assert!(unreadable <= 100, "{unreadable} unreadable messages of one node are kept");
    assert_eq!(
        victim.count("vault", "select count(*) from dossier").await,
        dossiers + 1,
        "of the honest handoff alone"
    );
    assert!(grown < 128 * 1024 * 1024, "the node's files grew by {grown} bytes");
    // What nobody can take lies there for a while and no longer: behind it the letters of all others would pile up.
    let mailbox = network.broker_of(NODE).await;
    eventually(PATIENCE, "the node's mailbox to be empty", async || {
        mailbox.clear(Service::Referral, MailboxPlace::Hub).await.is_ok_and(|is_clear| is_clear)
    })
    .await;
}

/// Waits until so much of the flood is stored as there may be.
async fn reached(victim: &Victim, what: &str, at_least: i64) {
    eventually(2 * PATIENCE, what, async || victim.count("referral", what).await >= at_least).await;
}

/// Without a word of what was said.
async fn whoever_runs_the_node_sees_who_it_is(network: &Network) {
    let staff = network.desk_as(KANDAL, &[Role::Administrator]).staff().await;
    let letters = staff.referral().list_dead_letters(staff.ask(ListDeadLettersRequest::default())).await.unwrap();
    let letters = letters.into_inner().dead_letters;
    let by_evil = |letter: &DeadLetter| letter.from_node_id == EVIL || letter.kind.contains(&format!(".{EVIL}."));
    assert!(letters.len() >= 20 && letters.iter().all(by_evil), "{letters:?}");
}

/// A node that was put back makes its open offers afresh, and takes back what it made before: nothing else of the scene
/// may have changed.
async fn made_afresh(network: &Network, offer: &str) -> String {
    let desk = network.desk(KANDAL);
    let afresh = desk.until("the offer to be made afresh", async |staff: Staff| {
        let sent = staff.worklist(Worklist::Waiting).await?;
        Ok(sent.into_iter().find(|other| other.instead_of_offer_id == offer).map(|other| other.offer_id))
    });
    let afresh = afresh.await;
    let addressee = network.desk(RATANAK_KIRI);
    addressee
        .until("the fresh offer to arrive", async |staff: Staff| {
            Ok((staff.see(&afresh).await?.is_some() && staff.state(offer).await? == OfferState::Withdrawn)
                .then_some(()))
        })
        .await;
    afresh
}

/// Answers a node that recovers; the flood before may have filled the sender's share of the mailbox until it is cleared.
async fn insist(rogue: &Rogue, answer: Vec<u8>) {
    eventually(PATIENCE, "the broker to take an answer", async || {
        rogue.say(DESKS, 1, "returned", answer.clone()).await
    })
    .await;
}

/// The node's database is an old one, by its mark. The rogue answers as a peer must, with more parts than there can be,
/// with what others are supposed to have been told, and with a certificate that nobody signed.
async fn a_recovering_node_is_told_nothing_that_was_not_said(
    network: &mut Network,
    scene: &Scene,
    rogue: &Rogue,
    victim: &Victim,
) {
    network.cut_power(NODE).unwrap();
    std::fs::remove_file(network.settings(NODE).mark_of("referral")).unwrap();
    network.start(NODE).await.unwrap();
    let waits = format!("select count(*) from post_recovery where peer = '{EVIL}/referral' and answered_at is null");
    eventually(PATIENCE, "the node to ask its peers", async || victim.count("referral", &waits).await == 1).await;
    let returned = |part: u32, parts: u32, got: Vec<lies::Numbered>| lies::returned(2, part, parts, got);
    for part in 1..200 {
        let large = vec![lies::Numbered { incarnation: 1, sequence: u64::from(part), content: vec![7; 4_000] }];
        insist(rogue, returned(part, u32::MAX, large)).await;
    }
    let parts = format!("select count(*) from post_returned where peer = '{EVIL}/referral'");
    let (us, them, evil) = (party(network, KANDAL), party(network, RATANAK_KIRI), party(network, SHELTER));
    let got = lies::never_said(scene, rogue, [&us, &them, &evil]);
    insist(rogue, returned(1, 1, got)).await;
    let desk = network.desk_as(KANDAL, &[Role::Administrator]);
    desk.until("the node to act again", async |staff: Staff| {
        let status = staff.referral().get_node_status(staff.ask(GetNodeStatusRequest {})).await?.into_inner();
        Ok((status.recovering_from.is_empty() && status.incarnation == 2).then_some(()))
    })
    .await;
    eventually(PATIENCE, "what was returned to be merged", async || victim.count("referral", &parts).await == 0).await;
}
