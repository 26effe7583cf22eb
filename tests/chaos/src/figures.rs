//! What came of a run, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::fault::Kind;
use crate::ground::Databases;

/// How long it took, by the kind of fault, until it was over.
#[derive(Clone, Debug, Default)]
pub struct Recoveries(BTreeMap<Kind, Vec<Duration>>);

impl Recoveries {
    /// One more.
    pub(crate) fn add(&mut self, kind: Kind, took: Duration) {
        self.0.entry(kind).or_default().push(took);
    }

    /// Those of another run as well.
    pub fn extend(&mut self, others: &Self) {
        for (kind, took) in &others.0 {
            self.0.entry(*kind).or_default().extend(took);
        }
    }
}

impl fmt::Display for Recoveries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| Fault | Times | min | median | p95 | max |")?;
        writeln!(formatter, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
        for (kind, took) in &self.0 {
            let mut took = took.clone();
            took.sort();
            let at = |of_a_hundred: usize| took[(took.len() - 1) * of_a_hundred / 100].as_secs_f64();
            let (least, median, high, most) = (at(0), at(50), at(95), at(100));
            writeln!(
                formatter,
                "| {kind} | {} | {least:.1} s | {median:.1} s | {high:.1} s | {most:.1} s |",
                took.len()
            )?;
        }
        Ok(())
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Figures {
    /// By which it is told.
    pub seed: u64,
    /// Where the nodes kept what they knew.
    pub databases: Databases,
    /// Cases that moved to another office, each with a certificate there.
    pub handoffs: usize,
    /// Cases that were opened.
    pub cases: usize,
    /// Offers declined, taken back, and given up because nobody knew the case any more.
    pub otherwise: (usize, usize, usize),
    /// Processes of nodes that were killed.
    pub kills: usize,
    /// Nodes put back to an older state.
    pub restores: usize,
    /// Losses of the broker.
    pub wipes: usize,
    /// All faults.
    pub faults: usize,
    /// From the start of the staff's work until nothing new was begun.
    pub worked: Duration,
    /// From there, with all faults mended, until everything was answered and confirmed.
    pub settled: Duration,
    /// By the kind of fault, how long it took until its node handed over or took over a case again; for nodes that were
    /// put back, until they decided again.
    pub recoveries: Recoveries,
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, databases, handoffs, cases, kills, restores, wipes, faults, .. } = self;
        let (declined, withdrawn, given_up) = self.otherwise;
        let (worked, settled) = (self.worked.as_secs_f64(), self.settled.as_secs_f64());
        write!(
            formatter,
            "seed {seed} {databases:?}: {handoffs} handoffs of {cases} cases ({declined} declined, {withdrawn} taken back, \
             {given_up} given up), {kills} kills, {restores} restores, {wipes} losses of the broker, {faults} faults in \
             all; worked {worked:.0} s, settled in {settled:.1} s"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_names_its_ends_and_its_middle() {
        let mut recoveries = Recoveries::default();
        (1..=101).for_each(|tenths| recoveries.add(Kind::HubKilled, Duration::from_millis(tenths * 100)));
        let told = recoveries.to_string();
        assert!(told.contains("| hub killed | 101 | 0.1 s | 5.1 s | 9.6 s | 10.1 s |"), "{told}");
    }
}
