//! Each safety piece is taken away, and the model must notice. Where one piece covers for another, nothing is found until
//! both are gone; that nothing is found is asserted as well, so that these lines stay true.

use spean_proof::invariants::Invariant;
use spean_proof::model::{Scenario, explore};
use spean_proof::pieces::{Piece, Without};

/// Where a search without a counter-example may stop: some of these networks have no end.
const MOST_STATES: u32 = 60_000;

/// The invariant that is broken first, in so many steps; the shortest that there are.
fn found(lacking: &[Piece], scenario: Scenario) -> Option<(Invariant, usize)> {
    let without = Without::these(lacking);
    let verdict = explore(&Scenario { without, most_states: MOST_STATES, ..scenario });
    let found = verdict.broken.as_ref().map(|(broken, way)| (broken.invariant, way.len()));
    let way =
        verdict.broken.iter().flat_map(|(broken, way)| [broken.to_string()].into_iter().chain(way.iter().cloned()));
    println!(
        "without {without:?}: {:?} of {} states\n  {}",
        found,
        verdict.states,
        way.collect::<Vec<_>>().join("\n  ")
    );
    assert!(found.is_some() || verdict.complete, "without {without:?} there was no end");
    found
}

#[test]
fn without_resending_nobody_is_responsible() {
    assert_eq!(found(&[Piece::Resending], Scenario::TWO_OFFERS), Some((Invariant::I2, 4)));
}

#[test]
fn without_one_commit_nobody_is_responsible() {
    assert_eq!(found(&[Piece::OneCommit], Scenario::TWO_OFFERS), Some((Invariant::I2, 4)));
}

#[test]
fn with_a_receipt_before_the_commit_nobody_is_responsible() {
    assert_eq!(found(&[Piece::ReceiptAfterCommit], Scenario::TWO_OFFERS), Some((Invariant::I2, 5)));
}

#[test]
fn without_the_inbox_and_the_memory_of_the_rules_there_are_two_intakes() {
    assert_eq!(found(&[Piece::Inbox], Scenario::TWO_OFFERS), None);
    assert_eq!(found(&[Piece::Repetitions], Scenario::TWO_OFFERS), None);
    assert_eq!(found(&[Piece::Inbox, Piece::Repetitions], Scenario::TWO_OFFERS), Some((Invariant::I3, 3)));
    // After a restore a letter comes again under another number, which no inbox knows.
    assert_eq!(found(&[Piece::Repetitions], Scenario::RESTORE), Some((Invariant::I3, 5)));
}

#[test]
fn without_the_inbox_and_the_fence_two_offices_hold_the_case() {
    assert_eq!(found(&[Piece::Fence], Scenario::TWO_OFFERS), None);
    assert_eq!(found(&[Piece::Inbox, Piece::Fence], Scenario::TWO_OFFERS), Some((Invariant::I1, 11)));
}

#[test]
fn unless_the_holder_decides_both_sides_disagree() {
    assert_eq!(found(&[Piece::HolderDecides], Scenario::TWO_OFFERS), Some((Invariant::I4, 6)));
}

#[test]
fn unless_one_transfer_at_a_time_is_open_there_are_two() {
    assert_eq!(found(&[Piece::OneOpenTransfer], Scenario::TWO_OFFERS), Some((Invariant::I5, 2)));
}

#[test]
fn without_order_tombstone_and_late_answer_an_office_is_bound_for_ever() {
    let all = [Piece::Order, Piece::Tombstone, Piece::LateAnswer];
    for two in [[all[0], all[1]], [all[0], all[2]], [all[1], all[2]]] {
        assert_eq!(found(&two, Scenario::TWO_OFFERS), None);
    }
    assert_eq!(found(&all, Scenario::TWO_OFFERS), Some((Invariant::L1, 5)));
}

#[test]
fn without_order_a_restored_node_is_told_what_makes_no_sense() {
    assert_eq!(found(&[Piece::Order], Scenario::RESTORE), Some((Invariant::I7, 5)));
}

#[test]
fn without_signatures_a_forger_takes_the_case_away() {
    assert_eq!(found(&[Piece::Signatures], Scenario::FORGER), Some((Invariant::I2, 2)));
}

#[test]
fn without_the_archive_a_restored_node_is_never_settled() {
    assert_eq!(found(&[Piece::Archive], Scenario::RESTORE), Some((Invariant::L1, 3)));
}

#[test]
fn without_the_quarantine_a_restored_node_is_told_what_makes_no_sense() {
    assert_eq!(found(&[Piece::Quarantine], Scenario::RESTORE), Some((Invariant::I7, 5)));
}

#[test]
fn without_the_fence_of_incarnations_both_sides_disagree() {
    assert_eq!(found(&[Piece::IncarnationFence], Scenario::TWO_OFFERS_RESTORE), Some((Invariant::I4, 6)));
}

#[test]
fn unless_a_peer_returns_what_was_said_a_restored_node_is_told_what_makes_no_sense() {
    assert_eq!(found(&[Piece::ReturnOfWhatWasSaid], Scenario::RESTORE), Some((Invariant::I7, 5)));
}

#[test]
fn unless_a_peer_returns_what_it_had_said_a_restored_node_is_never_settled() {
    assert_eq!(found(&[Piece::ReturnOfWhatWasHeard], Scenario::RESTORE), Some((Invariant::L1, 2)));
}

#[test]
fn unless_letters_are_numbered_anew_a_restored_node_is_never_settled() {
    assert_eq!(found(&[Piece::Renumbering], Scenario::RESTORE), Some((Invariant::L1, 5)));
}

#[test]
fn unless_offers_are_made_afresh_a_restored_node_has_two_open() {
    assert_eq!(found(&[Piece::Renewal], Scenario::RESTORE), None);
    assert_eq!(found(&[Piece::Renewal], Scenario::TRIANGLE_RESTORE), Some((Invariant::I5, 8)));
}

#[test]
fn unless_restored_nodes_answer_each_other_they_wait_for_ever() {
    let both = Scenario { late_answers: false, ..Scenario::BOTH_RESTORED };
    assert_eq!(found(&[Piece::MutualAnswers], both), Some((Invariant::L1, 2)));
}

#[test]
fn unless_a_peer_is_asked_again_after_its_own_restore_what_never_happened_is_merged() {
    assert_eq!(found(&[Piece::AskingAgain], Scenario::BOTH_RESTORED), Some((Invariant::I7, 8)));
}

#[test]
fn without_the_fence_of_terms_a_transfer_is_obeyed_that_an_override_made_void() {
    assert_eq!(found(&[Piece::TermFence], Scenario::TWO_OFFERS_OVERRIDE), Some((Invariant::I7, 11)));
}

#[test]
fn unless_an_override_is_passed_on_an_old_offer_stays_open_for_ever() {
    assert_eq!(found(&[Piece::Forwarding], Scenario::COUNTRY_OVERRIDE), Some((Invariant::L1, 8)));
}

#[test]
fn offers_that_an_override_left_open_are_closed_by_the_rule_that_only_a_holder_gives_away() {
    // Voiding tells people at once; the rule stands inside the same function and cannot be taken away from outside.
    assert_eq!(found(&[Piece::Voiding], Scenario::COUNTRY_OVERRIDE), None);
}
