//! Whole services through drawn histories. `SPEAN_HISTORIES` raises how many are played.

use spean_simulation::{Sabotage, Stage};

/// How many histories the ordinary tests play.
const HISTORIES: u64 = 5;

/// How many histories may be played until one of them notices that a piece is missing.
const SEEDS_THAT_NOTICE: u64 = 4;

#[test]
fn whole_services_keep_every_promise_through_power_cuts_restores_and_lost_letters() {
    let histories = std::env::var("SPEAN_HISTORIES").ok().and_then(|number| number.parse().ok()).unwrap_or(HISTORIES);
    let stage = Stage::set().unwrap();
    let failed: Vec<_> = (1..=histories).filter_map(|seed| stage.play(seed, None).err()).collect();
    assert!(failed.is_empty(), "{}", failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_same_seed_twice_is_the_same_history() {
    let tell = || Stage::set().unwrap().tell(3, None);
    let ((first, one), (second, other)) = (tell(), tell());
    assert_eq!(first, second);
    assert_eq!(one.unwrap(), other.unwrap());
}

#[test]
fn a_piece_that_is_taken_away_is_noticed() {
    let stage = Stage::set().unwrap();
    let sabotage = Sabotage::LettersApart;
    let noticed = (1..=SEEDS_THAT_NOTICE).any(|seed| stage.play(seed, Some(sabotage)).is_err());
    assert!(noticed, "{sabotage:?} goes unnoticed");
}
