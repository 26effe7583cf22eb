//! `chaos`: as many runs as are asked for, each with the next seed, and what came of them.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use spean_chaos::{Databases, Demand, Figures, Plan, Recoveries, play};
use tokio::time::Instant;

/// Handoffs of one run: its databases stay as small as those of an office, and a run that fails is looked at in minutes.
const OF_A_RUN: usize = 2_000;

/// Moves cases between six nodes while they are killed, cut off, put back and lied to, and judges what is left.
#[derive(Debug, Parser)]
struct Chaos {
    /// How many cases shall move.
    #[arg(long, default_value_t = OF_A_RUN)]
    handoffs: usize,
    /// How many processes of nodes shall be killed.
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// How many nodes shall be put back to an older state.
    #[arg(long, default_value_t = 3)]
    restores: usize,
    /// How often the broker shall lose something.
    #[arg(long, default_value_t = 3)]
    wipes: usize,
    /// How often each of the other kinds of faults shall strike in one run.
    #[arg(long, default_value_t = 1)]
    others: usize,
    /// The first seed; each run has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends after so many minutes, when the run that goes on then is over.
    #[arg(long)]
    minutes: Option<u64>,
    /// A file to which the figures of each run are appended.
    #[arg(long, value_name = "FILE", default_value = "chaos-figures.txt")]
    figures: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let chaos = Chaos::parse();
    let runs = chaos.handoffs.div_ceil(OF_A_RUN).max(1);
    let began = Instant::now();
    let mut all: Vec<Figures> = Vec::new();
    let mut recoveries = Recoveries::default();
    for (run, seed) in (0..runs).zip(chaos.seed..) {
        if chaos.minutes.is_some_and(|minutes| began.elapsed() > Duration::from_mins(minutes)) {
            println!("The time is over after {run} of {runs} runs.");
            break;
        }
        let share = |of: usize| of * (run + 1) / runs - of * run / runs;
        let demand = Demand {
            kills: share(chaos.kills),
            restores: share(chaos.restores),
            wipes: share(chaos.wipes),
            others: chaos.others,
        };
        let databases = if seed.is_multiple_of(2) { Databases::Mixed } else { Databases::Sqlite };
        let figures = play(Plan { seed, handoffs: share(chaos.handoffs), demand, databases, within: None }).await;
        println!("{figures}");
        writeln!(File::options().create(true).append(true).open(&chaos.figures)?, "{figures}")?;
        recoveries.extend(&figures.recoveries);
        all.push(figures);
    }
    let sum = |of: fn(&Figures) -> usize| all.iter().map(of).sum::<usize>();
    let told = format!(
        "{} runs, none failed: {} handoffs, {} kills, {} restores, {} losses of the broker, {} faults, {:.0} s\n\n{recoveries}",
        all.len(),
        sum(|figures| figures.handoffs),
        sum(|figures| figures.kills),
        sum(|figures| figures.restores),
        sum(|figures| figures.wipes),
        sum(|figures| figures.faults),
        began.elapsed().as_secs_f64(),
    );
    println!("\n{told}");
    write!(File::options().create(true).append(true).open(&chaos.figures)?, "\n{told}")?;
    Ok(())
}
