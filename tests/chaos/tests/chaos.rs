//! Handoffs go on while everything around them breaks; what is left is judged by a checker that shares nothing with the
//! services.
//!
//! Ordinarily as much as fits into a few minutes of a busy machine. `SPEAN_CHAOS_HANDOFFS`, `SPEAN_CHAOS_KILLS` and
//! `SPEAN_CHAOS_OTHERS` (how often each other kind of fault strikes) ask for more, `SPEAN_CHAOS_SEED` for another order;
//! `cargo xtask prove chaos` plays thousands, with every second seed on PostgreSQL as well.

use std::num::ParseIntError;
use std::str::FromStr;

use spean_chaos::{Databases, Demand, Plan, play};

/// What is asked for when the environment says nothing.
const HANDOFFS: usize = 150;
const KILLS: usize = 10;
const OTHERS: usize = 0;
const SEED: u64 = 1;

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_nodes_die_and_are_cut_off_and_put_back() {
    let handoffs = asked("SPEAN_CHAOS_HANDOFFS", HANDOFFS);
    let kills = asked("SPEAN_CHAOS_KILLS", KILLS);
    let demand = Demand { kills, restores: 1, wipes: 1, others: asked("SPEAN_CHAOS_OTHERS", OTHERS) };
    let seed = asked("SPEAN_CHAOS_SEED", SEED);
    let figures = play(Plan { seed, handoffs, demand, databases: Databases::Sqlite }).await;
    println!("{figures}\n\n{}", figures.recoveries);
    assert!(figures.handoffs >= handoffs && figures.kills >= kills);
}

/// What the environment asks for by this name.
fn asked<T: FromStr<Err = ParseIntError>>(name: &str, otherwise: T) -> T {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
