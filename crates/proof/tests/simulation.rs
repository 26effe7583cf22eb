//! Histories drawn from seeds, and the same with a safety piece taken away.

use spean_proof::invariants::Invariant;
use spean_proof::pieces::{Piece, Without};
use spean_proof::simulation::{Mix, Sum, play, play_with, tell};

/// Losses, repetitions, crashes and wipes, and nothing else.
const SOUND: Mix = Mix {
    delivery: 450,
    repetition: 80,
    loss: 50,
    wipe: 4,
    cut: 4,
    resending: 116,
    carrying: 40,
    backup: 20,
    restore: 0,
    jump: 2,
    proposal: 0,
    asking: 220,
};

/// Every history that ever failed, with what it showed.
const ONCE_FAILED: [(u64, &str); 11] = [
    (663, "an acceptance that two offices of one node forgot, and a certificate that the registry returned"),
    (1603, "the same, while the certificate is in the queue between the two"),
    (4740, "the same, and the one that had accepted declines before the certificate comes"),
    (89_828, "an acceptance whose certificate came by another way than the holder's letter"),
    (104_595, "the same"),
    (107_979, "the same"),
    (123_766, "the same"),
    (47_902, "a certificate that only a later proposal of an override remembered"),
    (150_765, "a transfer of which only the certificate was left after an override, and whose addressee nobody told"),
    (970_875, "a case that had gone from a neighbour to another and on, and the first of them was told by nobody"),
    (3297, "a refusal was recalled after the override that had made it void"),
];

fn play_all(seeds: std::ops::RangeInclusive<u64>, mix: Mix) {
    let mut sum = Sum::default();
    for seed in seeds {
        sum.add(&play_with(seed, mix, Without::NOTHING).unwrap_or_else(|failure| panic!("{mix:?}: {failure}")));
    }
    println!("{sum}");
    assert!(sum.lived.faults > 0 && sum.lived.handoffs > 0, "nothing happened: {sum}");
    assert!((mix.restore > 0) == (sum.lived.restores > 0) && (mix.proposal > 0) == (sum.lived.overrides > 0), "{sum}");
}

/// How many of so many histories show that something is missing, and what the first one broke.
fn caught(lacking: &[Piece], histories: u64) -> (usize, Option<Invariant>) {
    let without = Without::these(lacking);
    let failures: Vec<_> = (1..=histories).filter_map(|seed| play(seed, without).err()).collect();
    let first = failures.first();
    println!("without {without:?}: {} of {histories}, first {first:?}", failures.len());
    (failures.len(), first.map(|failure| failure.broken.invariant))
}

#[test]
fn five_thousand_histories_each_with_its_own_faults_all_settle() {
    let mut sum = Sum::default();
    for seed in 1..=5_000 {
        sum.add(&play(seed, Without::NOTHING).unwrap_or_else(|failure| panic!("{failure}")));
    }
    println!("{sum}");
    assert!(sum.lived.faults > 500_000 && sum.lived.restores > 5_000 && sum.lived.handoffs > 2_000, "{sum}");
}

#[test]
fn every_history_that_ever_failed_settles_now() {
    for (seed, showed) in ONCE_FAILED {
        play(seed, Without::NOTHING).unwrap_or_else(|failure| panic!("{showed}: {failure}"));
    }
}

#[test]
fn one_holder_through_losses_repetitions_crashes_and_wipes() {
    play_all(1..=100, SOUND);
}

#[test]
fn one_holder_through_restores_from_old_backups() {
    play_all(1..=100, Mix { restore: 8, ..SOUND });
}

#[test]
fn one_holder_through_overrides() {
    play_all(1..=100, Mix { proposal: 12, ..SOUND });
}

#[test]
fn one_holder_through_restores_and_overrides_together() {
    play_all(1..=100, Mix { restore: 8, proposal: 12, ..SOUND });
}

#[test]
fn the_same_seed_twice_is_the_same_history() {
    for seed in [1, 7, 663] {
        let (one, other) = (tell(seed, Without::NOTHING), tell(seed, Without::NOTHING));
        assert_eq!(one, other);
        assert_eq!(one.1, play(seed, Without::NOTHING), "telling it changes nothing");
        assert!(one.0.len() > 100, "{} lines", one.0.len());
    }
    assert_ne!(play(1, Without::NOTHING), play(2, Without::NOTHING));
}

#[test]
fn a_failing_seed_fails_again_at_the_same_step_and_is_told_in_words() {
    let without = Without::these(&[Piece::HolderDecides]);
    let failure = (1..).find_map(|seed| play(seed, without).err()).expect("some history shows it");
    let (told, again) = tell(failure.seed, without);
    assert_eq!(again, Err(failure.clone()));
    let last = told.last().expect("something happened");
    assert!(last.trim_start().starts_with(&failure.step.to_string()), "{last} is not step {}", failure.step);
    assert!(told.iter().any(|line| line.contains("accept offer")), "{told:#?}");
}

#[test]
fn sending_once_and_never_again_is_caught() {
    assert!(caught(&[Piece::Resending], 60).0 > 20);
}

#[test]
fn committing_events_and_letters_separately_is_caught() {
    assert!(caught(&[Piece::OneCommit], 60).0 > 5);
}

#[test]
fn a_receipt_before_the_commit_is_caught() {
    // Seldom: the next hello says how far the node really is, and what was lost is sent again.
    assert!(caught(&[Piece::ReceiptAfterCommit], 60).0 > 0);
}

#[test]
fn throwing_letters_away_at_the_receipt_is_caught() {
    assert!(caught(&[Piece::Archive], 60).0 > 2);
}

#[test]
fn a_restore_without_quarantine_is_caught() {
    assert!(caught(&[Piece::Quarantine], 60).0 > 5);
}

#[test]
fn other_missing_pieces_are_caught_as_well() {
    for piece in [
        Piece::Order,
        Piece::Repetitions,
        Piece::HolderDecides,
        Piece::OneOpenTransfer,
        Piece::ReturnOfWhatWasSaid,
        Piece::ReturnOfWhatWasHeard,
        Piece::TermFence,
    ] {
        assert!(caught(&[piece], 60).0 > 0, "without {piece:?} nothing was noticed");
    }
}
