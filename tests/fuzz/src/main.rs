//! `fuzz`: tries bad input for as long as it is told.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use spean_fuzz::Target;
use spean_fuzz::targets::ALL;

/// Tries bad input on everything that reads what comes from outside.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which reader; `all` tries one after the other.
    target: String,
    /// How long each is tried.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// The first seed. The same seed is the same input.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many inputs at most.
    #[arg(long)]
    inputs: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = |target: &&Target| arguments.target == "all" || arguments.target == target.name;
    let targets: Vec<_> = ALL.iter().filter(wanted).collect();
    if targets.is_empty() {
        let names: Vec<_> = ALL.iter().map(|target| target.name).collect();
        eprintln!("there is no such reader; there are: all, {}", names.join(", "));
        return ExitCode::from(2);
    }
    // What is expected is told in one line, not in a page for each.
    std::panic::set_hook(Box::new(|_| {}));
    let mut sound = true;
    for target in targets {
        let until = arguments.inputs.map_or(u64::MAX, |inputs| arguments.from.saturating_add(inputs));
        let tried = target.run(arguments.from..until, Some(Duration::from_secs_f64(arguments.minutes * 60.0)));
        let rate = u128::from(tried.inputs) * 1_000 / tried.took.as_millis().max(1);
        println!(
            "{}: {} inputs from seed {}, {rate} a second, at most {} bytes at a time",
            target.name, tried.inputs, arguments.from, tried.most_bytes
        );
        if let Some((seed, why)) = tried.failed {
            println!("  seed {seed}: {why}");
            sound = false;
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
