//! Somebody with all publications, paper and time: sets up what they say as equations, and solves them.

use std::collections::{BTreeMap, BTreeSet};

/// An unknown number, by its place.
pub(crate) type Unknown = usize;

/// Large enough for any count, small enough that sums do not overflow.
const MANY: i64 = 1_000_000;

/// A prime: what has one solution modulo it has one among the numbers, but for the rarest chance.
const PRIME: i64 = 2_147_483_647;

/// Unknown numbers, none of them negative, and what is known of them.
#[derive(Default)]
pub(crate) struct Equations {
    bounds: Vec<(i64, i64)>,
    sums: Vec<(Vec<Unknown>, i64)>,
    /// The first is at most the second.
    at_most: Vec<(Unknown, Unknown)>,
}

impl Equations {
    /// An unknown between these bounds.
    pub(crate) fn unknown(&mut self, least: i64, most: i64) -> Unknown {
        self.bounds.push((least, most.min(MANY)));
        self.bounds.len() - 1
    }

    /// An unknown of which nothing is known but that it is a count.
    pub(crate) fn count(&mut self) -> Unknown {
        self.unknown(0, MANY)
    }

    /// These come to so many together.
    pub(crate) fn sum(&mut self, of: Vec<Unknown>, is: i64) {
        self.sums.push((of, is));
    }

    /// The first comes to as many as the others together.
    pub(crate) fn is_sum(&mut self, whole: Unknown, parts: &[Unknown]) {
        // The whole and what it lacks of many come to many.
        let lacks = self.count();
        self.sums.push((vec![whole, lacks], MANY));
        self.sums.push((parts.iter().copied().chain([lacks]).collect(), MANY));
    }

    /// The first is a part of the second.
    pub(crate) fn part(&mut self, part: Unknown, whole: Unknown) {
        self.at_most.push((part, whole));
    }

    /// What each number can be at least and at most, as far as intervals tell.
    pub(crate) fn narrow(&self) -> Vec<(i64, i64)> {
        let mut bounds = self.bounds.clone();
        loop {
            let before = bounds.clone();
            for (of, is) in &self.sums {
                let least: i64 = of.iter().map(|unknown| bounds[*unknown].0).sum();
                let most: i64 = of.iter().map(|unknown| bounds[*unknown].1).sum();
                assert!(least <= *is && *is <= most, "what was published contradicts itself");
                for unknown in of {
                    let (low, high) = bounds[*unknown];
                    bounds[*unknown] = (low.max(is - (most - high)), high.min(is - (least - low)));
                }
            }
            for (part, whole) in &self.at_most {
                bounds[*whole].0 = bounds[*whole].0.max(bounds[*part].0);
                bounds[*part].1 = bounds[*part].1.min(bounds[*whole].1);
            }
            if bounds == before {
                return bounds;
            }
        }
    }

    /// The numbers that the equations leave one value for, by elimination.
    pub(crate) fn solved(&self) -> BTreeSet<Unknown> {
        let mut pivots = BTreeMap::<Unknown, BTreeMap<Unknown, i64>>::new();
        for (of, _) in &self.sums {
            let mut row = BTreeMap::<Unknown, i64>::new();
            for unknown in of {
                *row.entry(*unknown).or_default() += 1;
            }
            let known: Vec<_> = row.keys().copied().filter(|unknown| pivots.contains_key(unknown)).collect();
            for pivot in known {
                take(&mut row, &pivots[&pivot], pivot);
            }
            let Some((&pivot, &factor)) = row.iter().next() else { continue };
            let inverse = power(factor, PRIME - 2);
            for value in row.values_mut() {
                *value = *value * inverse % PRIME;
            }
            for other in pivots.values_mut() {
                take(other, &row, pivot);
            }
            pivots.insert(pivot, row);
        }
        pivots.into_iter().filter(|(_, row)| row.len() == 1).map(|(pivot, _)| pivot).collect()
    }
}

/// Takes a row away from another as often as its pivot stands in it.
fn take(row: &mut BTreeMap<Unknown, i64>, away: &BTreeMap<Unknown, i64>, pivot: Unknown) {
    let Some(times) = row.get(&pivot).copied() else { return };
    for (unknown, value) in away {
        let left = row.entry(*unknown).or_default();
        *left = (*left - times * value % PRIME + PRIME) % PRIME;
        if *left == 0 {
            row.remove(unknown);
        }
    }
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut result, mut base, mut exponent) = (1, base % PRIME, exponent);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent /= 2;
    }
    result
}
