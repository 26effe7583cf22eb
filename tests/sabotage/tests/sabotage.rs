//! Of each kind of safety piece one is taken away; `cargo xtask prove sabotage` takes away all of them.

use spean_sabotage::{ORDINARY, named, play};

#[tokio::test]
async fn a_missing_safety_piece_is_noticed_by_the_checker_and_nothing_is_found_where_none_is_missing() {
    for outcome in play(&named(&ORDINARY)).await {
        assert!(outcome.is_caught(), "{}: {:#?}", outcome.scenario.name, outcome.findings);
    }
}
