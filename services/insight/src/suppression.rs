//! What of a count may be published: no figure, and no difference of figures, tells of few people.
//!
//! A table has the counts of one dimension, and its total is known from elsewhere. Values with fewer than
//! [`SMALLEST`] people are not named: they are counted together as *other*. Where the sum of the others would tell how
//! many a single value has, the smallest named values join them, until it does not. All published tables of a measure
//! are of one dimension and share nothing but the total, and every person is in one publication only, so there is
//! nothing else to subtract.
//!
//! The test below tries it: it takes every possible table of a size, groups them by what would be published of them, and
//! demands that each small count could have been at least [`POSSIBILITIES`] different numbers, also for somebody who
//! knows this procedure.

use std::collections::{BTreeMap, BTreeSet};

/// The smallest count that is named: five people, a usual threshold of official statistics.
pub const SMALLEST: u64 = 5;

/// The least number of values that a withheld count may have had, for all that was published.
pub const POSSIBILITIES: u64 = 4;

/// What is published of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// The sum; none when it is itself too small, and then nothing else is said.
    pub total: Option<u64>,
    /// The values that are named, with their counts.
    pub named: BTreeMap<String, u64>,
    /// All others together; none when nobody is among them.
    pub other: Option<u64>,
}

/// Decides what of a table is published. Values that could occur and did not are there with a count of 0.
pub fn publish(cells: &BTreeMap<String, u64>) -> Published {
    let total: u64 = cells.values().sum();
    if total < SMALLEST {
        return Published { total: None, named: BTreeMap::new(), other: None };
    }
    let mut named: BTreeMap<_, _> =
        cells.iter().filter(|(_, count)| **count >= SMALLEST).map(|(value, count)| (value.clone(), *count)).collect();
    let small = u64::try_from(cells.len() - named.len()).unwrap_or(u64::MAX);
    let mut other = total - named.values().sum::<u64>();
    if other > 0 && tells(other, small) {
        // The smallest first; among equals by name, so that it comes out the same each time.
        let by_size: BTreeSet<_> = named.iter().map(|(value, count)| (*count, value.clone())).collect();
        for (count, value) in by_size {
            named.remove(&value);
            other += count;
            if other >= 3 * SMALLEST {
                break;
            }
        }
    }
    Published { total: Some(total), named, other: Some(other).filter(|other| *other > 0) }
}

/// Whether a sum of so many small counts leaves too few possibilities for any of them.
fn tells(sum: u64, small: u64) -> bool {
    let largest = SMALLEST - 1;
    let least = sum.saturating_sub(largest.saturating_mul(small - 1));
    sum < SMALLEST || least + POSSIBILITIES > largest.min(sum) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(counts: &[u64]) -> BTreeMap<String, u64> {
        counts.iter().enumerate().map(|(index, count)| (format!("v{index}"), *count)).collect()
    }

    /// Every table with so many values and no count above `highest`.
    fn every_table(values: usize, highest: u64) -> Vec<Vec<u64>> {
        let mut tables = vec![vec![]];
        for _ in 0..values {
            tables = tables
                .into_iter()
                .flat_map(|table: Vec<u64>| (0..=highest).map(move |count| [table.clone(), vec![count]].concat()))
                .collect();
        }
        tables
    }

    #[test]
    fn no_small_count_can_be_recovered_even_by_those_who_know_the_procedure() {
        for (values, highest) in [(2, 24), (3, 20), (4, 13)] {
            let mut alike = BTreeMap::<Published, Vec<Vec<u64>>>::new();
            for counts in every_table(values, highest) {
                alike.entry(publish(&table(&counts))).or_default().push(counts);
            }
            // Above that, some of the tables that look alike are beyond those that were made.
            let whole = |published: &&Published| published.total.is_some_and(|total| total <= highest);
            let mut tried = 0;
            for published in alike.keys().filter(whole) {
                for value in 0..values {
                    let possible: BTreeSet<u64> = alike[published].iter().map(|counts| counts[value]).collect();
                    if possible.iter().any(|count| (1..SMALLEST).contains(count)) {
                        tried += 1;
                        let possibilities = u64::try_from(possible.len()).expect("a small number");
                        assert!(possibilities >= POSSIBILITIES, "{published:?} tells v{value}: one of {possible:?}");
                    }
                }
            }
            assert!(tried > 10, "nothing was tried");
        }
    }

    #[test]
    fn the_published_figures_add_up_to_the_total() {
        for counts in every_table(4, 9) {
            let published = publish(&table(&counts));
            if let Some(total) = published.total {
                assert_eq!(published.named.values().sum::<u64>() + published.other.unwrap_or(0), total);
                assert_eq!(total, counts.iter().sum::<u64>());
            }
        }
    }

    #[test]
    fn large_values_are_named_and_small_ones_counted_together() {
        let published = publish(&table(&[40, 22, 3, 4, 0]));
        assert_eq!(published.named, table(&[40, 22]));
        assert_eq!(published.other, Some(7));
    }

    #[test]
    fn one_small_value_takes_others_with_it() {
        let published = publish(&table(&[40, 22, 16, 3]));
        assert_eq!(published.named, table(&[40, 22]));
        assert_eq!(published.other, Some(19));
    }

    #[test]
    fn of_fewer_than_five_people_nothing_is_said() {
        assert_eq!(publish(&table(&[3, 1])), Published { total: None, named: BTreeMap::new(), other: None });
    }
}
