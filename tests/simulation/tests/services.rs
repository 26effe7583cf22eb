//! Whole services through drawn histories, on disks of which every change is written down. `SPEAN_HISTORIES` raises how many
//! are played.

use std::process::{Command, Output};

/// How many histories the ordinary tests play.
const HISTORIES: u64 = 8;

/// How many histories may be played until one of them notices that a piece is missing.
const SEEDS_THAT_NOTICE: &str = "4";

#[test]
fn whole_services_keep_every_promise_through_power_cuts_restores_and_lost_letters() {
    let histories = std::env::var("SPEAN_HISTORIES").ok().and_then(|number| number.parse().ok()).unwrap_or(HISTORIES);
    let played = simulate(&[&histories.to_string()]);
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{said}");
    for what in ["power_cuts", "torn", "restores", "handoffs"] {
        assert!(!said.contains(&format!("{what}: 0")), "no {what} at all: {said}");
    }
}

#[test]
fn the_same_seed_twice_is_the_same_history() {
    let [first, second] = [simulate(&["--tell", "3"]), simulate(&["--tell", "3"])];
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stdout));
    assert_eq!(String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&second.stdout));
}

#[test]
fn a_piece_that_is_taken_away_is_noticed() {
    for piece in ["LettersApart", "DisksThatLie"] {
        let played = simulate(&["--without", piece, SEEDS_THAT_NOTICE]);
        assert_eq!(
            played.status.code(),
            Some(1),
            "{piece} goes unnoticed: {}",
            String::from_utf8_lossy(&played.stdout)
        );
    }
}

fn simulate(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate-services"))
        .args(words)
        .output()
        .expect("the program was built with this test")
}
