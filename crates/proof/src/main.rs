//! `prove model` and `prove simulate`: the long runs.
fn main() {
    let mut total = 0_u64;
    let only: Vec<String> = std::env::args().skip(1).collect();
    for scenario in spean_proof::model::everything() {
        if !only.is_empty() && !only.iter().any(|name| name == scenario.name) { continue; }
        #[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
        let start = std::time::Instant::now();
        let scenario = spean_proof::model::Scenario { most_states: 6_000_000, ..scenario };
        let verdict = spean_proof::model::explore(&scenario);
        total += u64::from(verdict.states);
        println!("{:28} {:9} states {:10} steps depth {:3} nodes {:6} settled {:7} complete {} {:?}", scenario.name, verdict.states, verdict.steps, verdict.depth, verdict.node_states, verdict.settled, verdict.complete, start.elapsed());
        if let Some((broken, way)) = verdict.broken {
            println!("  BROKEN {broken}");
            for (number, step) in way.iter().enumerate() { println!("   {:3} {step}", number + 1); }
        }
    }
    println!("{total} states");
}
