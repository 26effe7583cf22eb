//! The five stories of the demonstration, on either database: six girls far from home, seventeen men with one manifest,
//! two who act at the same moment, a power cut, and the whole way of one woman from the border to a closure that a meeting
//! decided. Then the books of all offices are compared.

use spean::demonstration::narrator::Narrator;
use spean::demonstration::stories;
use spean_tests::{Network, network, network_on_postgres, settled};

#[tokio::test]
async fn all_stories_come_out_right_on_sqlite() {
    play(network().await).await;
}

#[tokio::test]
async fn all_stories_come_out_right_on_postgres() {
    play(network_on_postgres().await).await;
}

async fn play(mut network: Network) {
    let told = stories(&mut network, &Narrator::silent()).await;
    told.unwrap_or_else(|error| panic!("a promise was broken: {error:#}"));
    settled(&network).await;
}
