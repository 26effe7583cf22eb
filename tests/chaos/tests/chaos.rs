//! Handoffs go on while everything around them breaks; what is left is judged by a checker that shares nothing with the
//! services.
//!
//! Ordinarily 2,000 handoffs and 60 kills, as far as they fit into [`WITHIN`], which is some of them on a busy machine and
//! all on a quiet one. `SPEAN_CHAOS_HANDOFFS`, `SPEAN_CHAOS_KILLS`, `SPEAN_CHAOS_OTHERS` (how often each other kind of fault
//! strikes) and `SPEAN_CHAOS_MINUTES` ask for something else, `SPEAN_CHAOS_SEED` for another order; `cargo xtask prove chaos`
//! plays thousands, with every second seed on PostgreSQL as well.

use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use spean_chaos::{Databases, Demand, Plan, play};

/// What is asked for when the environment says nothing.
const HANDOFFS: usize = 2_000;
const KILLS: usize = 60;
const OTHERS: usize = 0;
const SEED: u64 = 1;
/// How many minutes it may strike; then all is mended and judged.
const WITHIN: u64 = 8;
/// How much of it must have happened on the slowest machine.
const AT_LEAST: (usize, usize) = (150, 10);

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_nodes_die_and_are_cut_off_and_put_back() {
    let handoffs = asked("SPEAN_CHAOS_HANDOFFS", HANDOFFS);
    let kills = asked("SPEAN_CHAOS_KILLS", KILLS);
    let demand = Demand { kills, restores: 1, wipes: 1, others: asked("SPEAN_CHAOS_OTHERS", OTHERS) };
    let seed = asked("SPEAN_CHAOS_SEED", SEED);
    let within = Some(Duration::from_mins(asked("SPEAN_CHAOS_MINUTES", WITHIN)));
    let figures = play(Plan { seed, handoffs, demand, databases: Databases::Sqlite, within }).await;
    println!("{figures}\n\n{}", figures.recoveries);
    let (least_handoffs, least_kills) = AT_LEAST;
    assert!(figures.handoffs >= handoffs.min(least_handoffs), "{} handoffs", figures.handoffs);
    assert!(figures.kills >= kills.min(least_kills), "{} kills", figures.kills);
}

/// What the environment asks for by this name.
fn asked<T: FromStr<Err = ParseIntError>>(name: &str, otherwise: T) -> T {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
