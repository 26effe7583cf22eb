//! Evidence made by hand: what is good passes, and each kind of damage is found by its check.

mod world;

use serde_json::json;
use world::{KANDAL, MOSVY, POIPET, World, office_of, story};

use crate::journal::{Answered, Asked, CustodyRead, Intent, Line, Outcome};
use crate::{Check, find_canaries};

const CASE: &str = world::CASE;
const OFFER: &str = world::OFFER;

/// What a story of a handoff is found guilty of after it was damaged.
async fn guilty_of(damage: impl FnOnce(&mut World)) -> Vec<Check> {
    let mut world = story();
    damage(&mut world);
    world.judge().await.violated().into_iter().collect()
}

#[tokio::test]
async fn a_handoff_as_it_should_be_is_found_to_be_so() {
    let report = story().judge().await;
    assert!(report.is_clean(), "{report}");
    for (what, count) in [("cases", 1), ("offers", 1), ("dossiers", 1), ("confirmed letters", 3), ("intents", 3)] {
        assert_eq!(report.looked_at.get(what), Some(&count), "{what} in {report}");
    }
}

#[tokio::test]
async fn what_was_promised_and_is_gone_is_found() {
    let decline = Intent::Decline { offer: OFFER.to_owned() };
    assert_eq!(guilty_of(|world| world.asked(7, KANDAL, decline, Some(Outcome::Ok))).await, [Check::C1]);
    let other = Intent::Register { case: "another".to_owned() };
    assert_eq!(guilty_of(|world| world.asked(7, KANDAL, other, Some(Outcome::Ok))).await, [Check::C1]);
}

#[tokio::test]
async fn what_was_refused_and_is_there_is_found() {
    let refused = |world: &mut World| {
        world.journal.retain(|line| !matches!(line, Line::Answered(answered) if answered.n == 3));
        world.answered(3, Outcome::Failed);
    };
    assert_eq!(guilty_of(refused).await, [Check::C1]);
}

#[tokio::test]
async fn what_nobody_knows_may_be_there_as_a_whole_or_not_at_all() {
    let unknown = |world: &mut World| {
        world.journal.retain(|line| !matches!(line, Line::Answered(_)));
        world.asked(7, KANDAL, Intent::Decline { offer: OFFER.to_owned() }, None);
        world.asked(8, KANDAL, Intent::Register { case: "another".to_owned() }, Some(Outcome::Unknown));
    };
    assert_eq!(guilty_of(unknown).await, []);
    let in_parts = |world: &mut World| {
        unknown(world);
        world.node(KANDAL).cases.push(("case", "another".to_owned(), json!({ "type": "registered" })));
    };
    assert_eq!(guilty_of(in_parts).await, [Check::C1]);
}

#[tokio::test]
async fn of_several_calls_with_one_intent_the_best_answer_counts() {
    let again = |world: &mut World| {
        let accept = Intent::Accept { offer: OFFER.to_owned() };
        world.asked(7, KANDAL, accept.clone(), Some(Outcome::Unknown));
        world.asked(8, KANDAL, accept, Some(Outcome::Failed));
    };
    assert_eq!(guilty_of(again).await, []);
}

#[tokio::test]
async fn what_was_said_to_be_done_before_a_restore_that_may_lose_it_need_not_be_there() {
    let decline = || Intent::Decline { offer: OFFER.to_owned() };
    let restored = |since: i64, may_lose: bool| Line::Restored { at: 90, since, node: KANDAL.to_owned(), may_lose };
    let lost = |line: Line| {
        move |world: &mut World| {
            world.asked(7, KANDAL, decline(), Some(Outcome::Ok));
            world.journal.push(line);
        }
    };
    assert_eq!(guilty_of(lost(restored(10, true))).await, []);
    assert_eq!(guilty_of(lost(restored(80, true))).await, [Check::C1], "it was said before the copy was taken");
    assert_eq!(guilty_of(lost(restored(10, false))).await, [Check::C1]);
    let asked_again = |outcome: Outcome| {
        move |world: &mut World| {
            lost(restored(10, true))(world);
            world.asked(120, KANDAL, decline(), Some(outcome));
        }
    };
    assert_eq!(guilty_of(asked_again(Outcome::Unknown)).await, [], "nobody was told that it was done again");
    assert_eq!(guilty_of(asked_again(Outcome::Ok)).await, [Check::C1], "it was done again");
}

#[tokio::test]
async fn a_second_certificate_at_one_place_is_found() {
    let second = |world: &mut World| {
        let chain = world.chain_to(MOSVY);
        let learned = json!({ "type": "certificates_learned", "at": world::party(MOSVY), "chain": chain });
        world.custody(MOSVY, learned);
    };
    assert_eq!(guilty_of(second).await, [Check::C2]);
}

#[tokio::test]
async fn two_that_hold_a_case_and_a_case_that_nobody_holds_are_found() {
    let forgets = |world: &mut World| {
        world.node(KANDAL).referral.retain(|(_, _, event)| event["type"] != "transfer_received");
        world.node(KANDAL).views.clear();
        world.node(KANDAL).offers[0].3 = "BOUND";
        world.node(KANDAL).dossiers.clear();
    };
    assert_eq!(guilty_of(forgets).await, [Check::C2, Check::C3]);
    let goes_on = |world: &mut World| {
        world.node(POIPET).referral.retain(|(_, _, event)| event["type"] != "transferred");
        world.node(POIPET).views[0] = (office_of(POIPET), office_of(POIPET), (0, 0));
        world.node(POIPET).offers[0].3 = "OFFERED";
    };
    assert_eq!(guilty_of(goes_on).await, [Check::C2, Check::C3]);
}

#[tokio::test]
async fn a_forged_signature_and_one_of_somebody_else_are_found() {
    for signer in [MOSVY, ""] {
        let forged = |world: &mut World| {
            let mut chain = world.chain_to(KANDAL);
            chain[1]["signatures"][0]["signature"] = json!(world.signature_of(signer, &chain[1]["certificate"]));
            for (_, _, event) in world.nodes.values_mut().flat_map(|node| &mut node.referral) {
                if event["chain"].as_array().is_some_and(|known| known.len() == 2) {
                    event["chain"] = json!(chain);
                }
            }
        };
        assert_eq!(guilty_of(forged).await, [Check::C2], "signed by {signer:?}");
    }
}

#[tokio::test]
async fn a_certificate_by_somebody_who_did_not_hold_the_case_is_found() {
    let stolen = |world: &mut World| {
        let chain = world.chain_issued_by(MOSVY, KANDAL, 1, 0);
        world.custody(MOSVY, json!({ "type": "certificates_learned", "chain": chain }));
        world.view(MOSVY, KANDAL, (0, 1));
    };
    assert_eq!(guilty_of(stolen).await, [Check::C2]);
}

#[tokio::test]
async fn an_override_with_two_signatures_is_good_and_one_without_is_found() {
    let moved = |signers: &'static [&'static str]| {
        move |world: &mut World| {
            let chain = world.overridden(signers);
            for node in [POIPET, KANDAL, MOSVY] {
                world.custody(node, json!({ "type": "certificates_learned", "chain": chain }));
                world.node(node).views.clear();
                world.view(node, MOSVY, (1, 2));
            }
        }
    };
    assert_eq!(guilty_of(moved(&[MOSVY, KANDAL])).await, []);
    assert_eq!(guilty_of(moved(&[MOSVY])).await, [Check::C2]);
    assert_eq!(guilty_of(moved(&[KANDAL, MOSVY])).await, [Check::C2]);
}

#[tokio::test]
async fn an_offer_that_came_in_twice_and_one_that_ended_twice_are_found() {
    let twice = |kind: &'static str, node: &'static str| {
        move |world: &mut World| {
            let again = world.node(node).referral.iter().find(|(_, _, event)| event["type"] == kind).cloned();
            world.node(node).referral.push(again.expect("it is in the story"));
        }
    };
    assert_eq!(guilty_of(twice("offer_received", KANDAL)).await, [Check::C3]);
    assert_eq!(guilty_of(twice("accepted", KANDAL)).await, [Check::C1, Check::C3]);
    assert_eq!(guilty_of(twice("transferred", POIPET)).await, [Check::C3]);
    let withdrawn_first = |world: &mut World| {
        let withdrawn = json!({ "type": "withdrawn", "case": CASE, "offer": OFFER, "reason": "sent_by_mistake" });
        world.node(POIPET).referral.insert(2, ("custody", world::stream(POIPET), withdrawn));
    };
    assert_eq!(guilty_of(withdrawn_first).await, [Check::C3]);
}

#[tokio::test]
async fn two_sides_that_tell_different_ends_are_found() {
    let declined = |world: &mut World| {
        let declined = json!({ "type": "withdrawal_received", "case": CASE, "offer": OFFER,
            "from": world::party(POIPET), "reason": "sent_by_mistake" });
        world.custody(KANDAL, declined);
        world.node(KANDAL).offers[0].3 = "WITHDRAWN";
        world.node(KANDAL).dossiers.clear();
    };
    assert_eq!(guilty_of(declined).await, [Check::C3]);
    let bound_to_the_dead = |world: &mut World| {
        for (node, kind) in [(POIPET, "transferred"), (KANDAL, "transfer_received")] {
            world.node(node).referral.retain(|(_, _, event)| event["type"] != kind);
        }
        let accepted = world.node(KANDAL).referral.pop().expect("the acceptance");
        let reason = "sent_by_mistake";
        let taken_back = json!({ "type": "withdrawn", "case": CASE, "offer": OFFER, "reason": reason });
        world.custody(POIPET, taken_back);
        let came = json!({ "type": "withdrawal_received", "case": CASE, "offer": OFFER,
            "from": world::party(POIPET), "reason": reason });
        world.custody(KANDAL, came);
        world.node(KANDAL).referral.push(accepted);
        world.node(KANDAL).dossiers.clear();
        world.node(KANDAL).views.clear();
        world.node(MOSVY).views.clear();
        world.node(MOSVY).referral.clear();
        world.node(POIPET).views[0] = (office_of(POIPET), office_of(POIPET), (0, 0));
        (world.node(POIPET).offers[0].3, world.node(KANDAL).offers[0].3) = ("WITHDRAWN", "BOUND");
    };
    assert_eq!(guilty_of(bound_to_the_dead).await, [Check::C3]);
}

#[tokio::test]
async fn a_withdrawal_and_a_refusal_that_crossed_are_each_true() {
    let crossed = |world: &mut World| {
        world.node(POIPET).referral.retain(|(_, _, event)| event["type"] != "transferred");
        world.node(KANDAL).referral.retain(|(_, _, event)| event["type"] == "offer_received");
        let reason = "another_way_found";
        world.custody(POIPET, json!({ "type": "withdrawn", "case": CASE, "offer": OFFER, "reason": reason }));
        let declined = json!({ "type": "declined", "case": CASE, "offer": OFFER, "to": world::party(POIPET),
            "reason": "no_capacity" });
        world.custody(KANDAL, declined);
        world.node(MOSVY).referral.clear();
        for node in [KANDAL, MOSVY] {
            world.node(node).views.clear();
        }
        world.node(POIPET).views[0] = (office_of(POIPET), office_of(POIPET), (0, 0));
        (world.node(POIPET).offers[0].3, world.node(KANDAL).offers[0].3) = ("WITHDRAWN", "DECLINED");
        world.node(KANDAL).dossiers.clear();
        world.journal.retain(|line| !matches!(line, Line::Asked(asked) if asked.n == 3));
        world.asked(4, POIPET, Intent::Withdraw { offer: OFFER.to_owned() }, Some(Outcome::Ok));
        world.asked(5, KANDAL, Intent::Decline { offer: OFFER.to_owned() }, Some(Outcome::Ok));
    };
    assert_eq!(guilty_of(crossed).await, []);
}

#[tokio::test]
async fn an_offer_that_both_sides_forgot_may_be_known_by_what_came_of_it_alone() {
    let restored = |node: &str| Line::Restored { at: 90, since: 0, node: node.to_owned(), may_lose: true };
    let forgotten = |also_by_the_addressee: bool, put_back: &'static [&'static str]| {
        move |world: &mut World| {
            let forgotten = ["offered", "offer_received", "accepted"];
            world.node(POIPET).referral.retain(|(_, _, event)| event["type"] != "offered");
            if also_by_the_addressee {
                world.node(KANDAL).referral.retain(|(_, _, event)| forgotten.iter().all(|kind| event["type"] != *kind));
            }
            world.node(KANDAL).dossiers.clear();
            world.journal.retain(|line| !matches!(line, Line::Asked(asked) if asked.n > 1));
            world.journal.extend(put_back.iter().map(|node| restored(node)));
        }
    };
    assert_eq!(guilty_of(forgotten(true, &[POIPET, KANDAL])).await, []);
    assert!(
        guilty_of(forgotten(false, &[POIPET, KANDAL])).await.contains(&Check::C3),
        "one side alone does not forget it"
    );
    assert!(guilty_of(forgotten(true, &[POIPET])).await.contains(&Check::C3), "only who is put back forgets");

    let learned = |world: &mut World| {
        forgotten(true, &[POIPET, KANDAL])(world);
        for (_, _, event) in &mut world.node(KANDAL).referral {
            event["type"] = json!("certificates_learned");
        }
        world.node(KANDAL).offers.clear();
    };
    assert_eq!(guilty_of(learned).await, [], "what a neighbour told of a certificate is as good as a letter with it");
    let untold = |world: &mut World| {
        forgotten(true, &[POIPET, KANDAL])(world);
        world.node(KANDAL).referral.clear();
        world.node(KANDAL).offers.clear();
    };
    assert!(guilty_of(untold).await.contains(&Check::C3), "the addressee must know that it holds the case");
}

#[tokio::test]
async fn an_offer_that_was_void_and_transferred_all_the_same_is_found() {
    let obeyed = |world: &mut World| {
        let events = &mut world.node(POIPET).referral;
        let transferred = events.iter().position(|(_, _, event)| event["type"] == "transferred").expect("it moves");
        let (office, case, _) = events[transferred].clone();
        let offer = events[transferred].2["offer"].clone();
        let voided = json!({ "type": "offer_voided", "case": CASE, "offer": offer });
        events.insert(transferred, (office, case, voided));
    };
    assert_eq!(guilty_of(obeyed).await, [Check::C3]);
    let put_back = |world: &mut World| {
        obeyed(world);
        world.journal.push(Line::Restored { at: 90, since: 0, node: POIPET.to_owned(), may_lose: true });
    };
    assert_eq!(guilty_of(put_back).await, []);
}

#[tokio::test]
async fn an_offer_that_never_came_and_one_that_nobody_made_are_found() {
    let never_came = |world: &mut World| {
        let offered = json!({ "type": "offered", "case": CASE, "offer": "lost", "to": world::party(MOSVY),
            "terms": { "kind": "service" } });
        world.custody(POIPET, offered);
        world.node(POIPET).offers.push((office_of(POIPET), "lost".to_owned(), "out", "OFFERED"));
    };
    assert_eq!(guilty_of(never_came).await, [Check::C3]);
    let nobody_made = |world: &mut World| {
        let received = json!({ "type": "offer_received", "case": CASE, "offer": "invented", "from": world::party(MOSVY),
            "terms": { "kind": "service" } });
        world.custody(KANDAL, received);
        world.node(KANDAL).offers.push((office_of(KANDAL), "invented".to_owned(), "in", "OFFERED"));
    };
    assert_eq!(guilty_of(nobody_made).await, [Check::C3]);
}

#[tokio::test]
async fn two_open_transfers_of_one_case_are_found() {
    let two = |world: &mut World| {
        for (offer, to) in [("one", KANDAL), ("two", MOSVY)] {
            let terms = json!({ "kind": "transfer" });
            let (from, to_party) = (world::party(POIPET), world::party(to));
            let offered = json!({ "type": "offered", "case": CASE, "offer": offer, "to": to_party, "terms": terms });
            world.custody(POIPET, offered);
            let received =
                json!({ "type": "offer_received", "case": CASE, "offer": offer, "from": from, "terms": terms });
            world.custody(to, received);
            world.node(POIPET).offers.push((office_of(POIPET), offer.to_owned(), "out", "OFFERED"));
            world.node(to).offers.push((office_of(to), offer.to_owned(), "in", "OFFERED"));
        }
    };
    assert_eq!(guilty_of(two).await, [Check::C3]);
}

#[tokio::test]
async fn another_dossier_than_was_promised_and_one_at_a_stranger_are_found() {
    let another = |world: &mut World| world.node(KANDAL).dossiers[0].1.push(0);
    assert_eq!(guilty_of(another).await, [Check::C4]);
    let at_a_stranger = |world: &mut World| {
        let dossier = world.node(KANDAL).dossiers[0].clone();
        world.node(MOSVY).dossiers.push(dossier);
    };
    assert_eq!(guilty_of(at_a_stranger).await, [Check::C4]);
    let promised_otherwise = |world: &mut World| {
        let offer = &mut world.node(KANDAL).referral[0].2;
        offer["terms"]["dossier_digest"] = json!("00");
    };
    assert_eq!(guilty_of(promised_otherwise).await, [Check::C4]);
}

#[tokio::test]
async fn letters_that_wait_lie_dead_or_never_came_are_found() {
    assert_eq!(guilty_of(|world| world.node(POIPET).out[0].settled = false).await, [Check::C5]);
    assert_eq!(guilty_of(|world| drop(world.node(KANDAL).got.remove(0))).await, [Check::C5]);
    assert_eq!(guilty_of(|world| world.node(KANDAL).got[0].body.push(1)).await, [Check::C5]);
    for state in ["dead", "parked", "waiting"] {
        let found = guilty_of(|world| world.node(KANDAL).got[0].state = state).await;
        assert_eq!(found, [Check::C5], "{state}");
    }
    assert_eq!(guilty_of(|world| world.node(KANDAL).unreadable.push("noise")).await, [Check::C5]);
    assert_eq!(guilty_of(|world| world.node(KANDAL).awaits.push(POIPET)).await, [Check::C5]);
}

#[tokio::test]
async fn what_the_run_itself_brought_about_is_explained() {
    let explained = |world: &mut World| {
        (world.node(KANDAL).got[0].state, world.node(KANDAL).got[0].reason) = ("dead", "FORGED");
        world.node(KANDAL).unreadable.push("noise");
        world.explained = ["FORGED".to_owned(), "noise".to_owned()].into();
    };
    assert_eq!(guilty_of(explained).await, []);
}

#[tokio::test]
async fn a_changed_event_and_tables_that_tell_otherwise_are_found() {
    assert_eq!(guilty_of(|world| world.node(MOSVY).flips_a_hash = true).await, [Check::C6]);
    assert_eq!(guilty_of(|world| world.node(KANDAL).offers[0].3 = "DECLINED").await, [Check::C6]);
    assert_eq!(guilty_of(|world| world.node(KANDAL).views[0].2 = (0, 0)).await, [Check::C6]);
    assert_eq!(guilty_of(|world| world.node(KANDAL).views.clear()).await, [Check::C6]);
    assert_eq!(guilty_of(|world| world.view(POIPET, POIPET, (0, 0))).await, [Check::C6]);
}

#[test]
fn a_planted_word_is_found_in_every_writing() {
    use base64::Engine as _;
    use std::io::Write as _;
    let word = "គំរូ Kumru";
    let text = format!("\u{feff}x{word}y");
    let packed = |gzip: bool| {
        let mut packed = vec![7; 11];
        if gzip {
            let mut writer = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::default());
            writer.write_all(text.as_bytes()).unwrap();
            writer.finish().unwrap();
        } else {
            let mut writer = flate2::write::ZlibEncoder::new(&mut packed, flate2::Compression::default());
            writer.write_all(text.as_bytes()).unwrap();
            writer.finish().unwrap();
        }
        packed
    };
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    raw.write_all(text.as_bytes()).unwrap();
    let base64 = |before: &str| base64::engine::general_purpose::STANDARD.encode(format!("{before}{text}"));
    let writings: [Vec<u8>; 10] = [
        text.clone().into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        base64("").into_bytes(),
        base64("a").into_bytes(),
        base64("ab").into_bytes(),
        crate::certificate::hex(text.as_bytes()).into_bytes(),
        packed(true),
        packed(false),
        raw.finish().unwrap(),
    ];
    for (number, bytes) in writings.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner/file"), &bytes).unwrap();
        let (found, files) = find_canaries(folder.path(), &[word.to_owned()], &["keys"]).unwrap();
        assert_eq!((found.is_empty(), files), (false, 1), "writing {number}");
        assert!(found.iter().all(|words| !words.contains("Kumru")), "the finding does not repeat it");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "Kumr, and nothing else").unwrap();
    assert_eq!(find_canaries(folder.path(), &[word.to_owned()], &[]).unwrap(), (vec![], 1));
}

#[tokio::test]
async fn a_planted_word_in_the_evidence_is_found() {
    let spilt = |world: &mut World| {
        world.canaries = vec!["third house behind the pagoda".to_owned()];
        world.log_of_the_hub = "third house behind the pagoda".to_owned();
    };
    assert_eq!(guilty_of(spilt).await, [Check::C7]);
    assert_eq!(guilty_of(|world| world.canaries = vec!["third house".to_owned()]).await, []);
}

/// Two readings at an office: of these places, the second asked before or after the first was answered.
fn readings(places: [(u32, u32); 2], overlapping: bool) -> Vec<Line> {
    let asked = |n: u64| {
        let what = Intent::ReadCustody { case: CASE.to_owned() };
        Line::Asked(Asked { n, office: office_of(KANDAL), method: "GetCustody".to_owned(), what, ..Asked::default() })
    };
    let answered = |n: u64, (term, epoch): (u32, u32)| {
        let custody = Some(CustodyRead { term, epoch, holder: office_of(KANDAL) });
        Line::Answered(Answered { n, at: 0, outcome: Outcome::Ok, code: String::new(), custody })
    };
    let mut lines = vec![asked(20), answered(20, places[0]), asked(21), answered(21, places[1])];
    if overlapping {
        lines.swap(1, 2);
    }
    lines
}

#[tokio::test]
async fn a_reading_that_goes_back_is_found() {
    for (places, overlapping, expected) in [
        ([(0, 0), (0, 1)], false, vec![]),
        ([(0, 1), (0, 0)], false, vec![Check::C8]),
        ([(1, 1), (0, 2)], false, vec![Check::C8]),
        ([(0, 1), (0, 0)], true, vec![]),
    ] {
        let found = guilty_of(|world| world.journal.extend(readings(places, overlapping))).await;
        assert_eq!(found, expected, "{places:?}, overlapping: {overlapping}");
    }
    let restored = |world: &mut World| {
        let mut lines = readings([(0, 1), (0, 0)], false);
        let line = Line::Restored { at: 0, since: 0, node: KANDAL.to_owned(), may_lose: false };
        lines.insert(2, line);
        world.journal.extend(lines);
    };
    assert_eq!(guilty_of(restored).await, []);
}
