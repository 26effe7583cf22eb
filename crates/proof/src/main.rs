//! `prove model` and `prove simulate`: the long runs.
use spean_proof::pieces::*;
use spean_proof::model::*;
fn main() {
    let mut total = 0_u64;
    let mut only: Vec<String> = std::env::args().skip(1).collect();
    if only.first().is_some_and(|w| w == "simulate") {
        let count: u64 = only[1].parse().unwrap();
        let first: u64 = only.get(2).map_or(1, |f| f.parse().unwrap());
        let names: Vec<String> = only.get(3).map_or(vec![], |n| n.split('+').map(str::to_owned).collect());
        let without = Without::these(&Piece::ALL.into_iter().filter(|p| names.contains(&format!("{p:?}"))).collect::<Vec<_>>());
        let mut sum = spean_proof::simulation::Sum::default();
        let mut failed = 0;
        #[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
        let start = std::time::Instant::now();
        for seed in first..first + count {
            match spean_proof::simulation::play(seed, without) {
                Ok(lived) => sum.add(&lived),
                Err(failure) => { failed += 1; if failed < 6 { println!("{failure}"); } }
            }
        }
        println!("{sum}; {failed} failed {:?}", start.elapsed());
        return;
    }
    if only.first().is_some_and(|w| w == "tell") {
        let (told, outcome) = spean_proof::simulation::tell(only[1].parse().unwrap(), Without::NOTHING);
        for line in told { println!("{line}"); }
        println!("{outcome:?}");
        return;
    }
    let mut withouts = vec![Without::NOTHING];
    let mut cap = 6_000_000;
    if only.first().is_some_and(|w| w == "singles") {
        withouts = Piece::ALL.iter().map(|p| Without::these(&[*p])).collect();
        only.remove(0);
        cap = 200_000;
    } else if only.first().is_some_and(|w| w == "these") {
        let names: Vec<String> = only[1].split('+').map(str::to_owned).collect();
        let pieces: Vec<Piece> = Piece::ALL.into_iter().filter(|p| names.contains(&format!("{p:?}"))).collect();
        assert_eq!(names.len(), pieces.len());
        withouts = vec![Without::these(&pieces)];
        only.drain(..2);
        cap = 400_000;
    }
    for without in withouts {
    for scenario in spean_proof::model::everything() {
        if !only.is_empty() && !only.iter().any(|name| name == scenario.name) { continue; }
        #[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
        let start = std::time::Instant::now();
        let scenario = spean_proof::model::Scenario { most_states: cap, without, ..scenario };
        let verdict = spean_proof::model::explore(&scenario);
        total += u64::from(verdict.states);
        println!("{without:?} {:28} {:9} states {:10} steps depth {:3} nodes {:6} settled {:7} complete {} {:?}", scenario.name, verdict.states, verdict.steps, verdict.depth, verdict.node_states, verdict.settled, verdict.complete, start.elapsed());
        if let Some((broken, way)) = verdict.broken {
            println!("  BROKEN {broken} in {}", way.len());
            for (number, step) in way.iter().enumerate() { println!("   {:3} {step}", number + 1); }
        }
    }
    }
    println!("{total} states");
}
