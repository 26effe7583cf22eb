//! What of a count may be published: no figure, and no difference of figures, tells of few people.
//!
//! A table has the counts of one dimension, and its total is known from elsewhere. Values with fewer than [`SMALLEST`]
//! people are not named. So that the total does not give them away, the first of the large values (by its name, never by
//! its size, which would tell something) is counted together with them as *other*. Where that is not enough, or where
//! no large value would be left, nothing of the table is said but its total.
//!
//! Why that is enough, also for somebody who knows this procedure and who knows which values can occur at all: let *other*
//! be the sum of `k` small counts and one large one. Put any of 1 to 4 in the place of a small count, and take the
//! difference from the large one: it is still large, since the sum is at least `4k + 5`; it is still the first; and all
//! that is published stays the same. Of a table of which only the total is told there is a table with any of 1 to 4
//! in the place of the small count and the rest in one other value, of which only the total would be told as well.
//! So each small count may have been 1, 2, 3 or 4.
//!
//! Tables of a measure have one dimension each and share nothing but their total, and each fact is in one publication only
//! ([`crate::publication`]), so there is nothing else to subtract. No two published dimensions are such that one is known
//! to be a part of the other: there is a table by province, and for that reason none by office or by agency.
//!
//! The tests try to break it: one takes every table of a size and looks how many of them look alike, others take whole
//! sets of publications of random histories and solve them for what was withheld.

use std::collections::BTreeMap;

/// The smallest count that is named: five people, a usual threshold of official statistics.
pub const SMALLEST: u64 = 5;

/// The least number of values that a withheld count may have had, for all that was published: 1, 2, 3 and 4.
pub const POSSIBILITIES: u64 = SMALLEST - 1;

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

/// Decides what of a table is published. A value that nobody has may stand in the table or not: it comes to the same.
pub fn publish(cells: &BTreeMap<String, u64>) -> Published {
    let total: u64 = cells.values().sum();
    if total < SMALLEST {
        return Published { total: None, named: BTreeMap::new(), other: None };
    }
    let mut named = BTreeMap::new();
    let (mut small, mut other) = (0_u64, 0_u64);
    for (value, count) in cells.iter().filter(|(_, count)| **count > 0) {
        if *count < SMALLEST {
            small += 1;
            other += count;
        } else {
            named.insert(value.clone(), *count);
        }
    }
    if small > 0 {
        let joining = named.pop_first().map_or(0, |(_, count)| count);
        other += joining;
        if other < POSSIBILITIES * small + SMALLEST {
            named.clear();
        }
        if named.is_empty() {
            other = total;
        }
    }
    Published { total: Some(total), named, other: Some(other).filter(|other| *other > 0) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    /// Whoever tries knows the procedure, and knows that no other value than these can occur.
    #[test]
    fn no_small_count_can_be_recovered_even_by_those_who_know_the_procedure() {
        for (values, highest) in [(2, 60), (3, 28), (4, 12)] {
            let mut alike = BTreeMap::<Published, Vec<BTreeSet<u64>>>::new();
            let tables = every_table(values, highest);
            for counts in &tables {
                let possible = alike.entry(publish(&table(counts))).or_insert_with(|| vec![BTreeSet::new(); values]);
                for (possible, count) in possible.iter_mut().zip(counts) {
                    possible.insert(*count);
                }
            }
            let mut tried = 0;
            for counts in &tables {
                let published = publish(&table(counts));
                // Of larger tables some of those that look alike were not made.
                let largest =
                    if published.named.is_empty() { counts.iter().sum() } else { counts.iter().sum::<u64>() / 2 };
                if largest > highest || counts.iter().any(|count| *count + SMALLEST > highest) {
                    continue;
                }
                for (value, possible) in alike[&published].iter().enumerate() {
                    if (1..SMALLEST).contains(&counts[value]) {
                        tried += 1;
                        let possible: BTreeSet<_> = possible.range(1..SMALLEST).copied().collect();
                        let least = usize::try_from(POSSIBILITIES).expect("a small number");
                        assert!(possible.len() >= least, "{published:?} tells v{value}: one of {possible:?}");
                    }
                }
            }
            assert!(tried > 300, "hardly anything was tried");
        }
    }

    #[test]
    fn the_published_figures_add_up_to_the_total() {
        for counts in every_table(4, 13) {
            let published = publish(&table(&counts));
            if let Some(total) = published.total {
                assert_eq!(published.named.values().sum::<u64>() + published.other.unwrap_or(0), total);
                assert_eq!(total, counts.iter().sum::<u64>());
            }
        }
    }

    #[test]
    fn values_that_nobody_has_change_nothing() {
        assert_eq!(publish(&table(&[0, 40, 3, 0, 12])).named, BTreeMap::from([("v4".to_owned(), 12)]));
        let without = BTreeMap::from([("v1".to_owned(), 40), ("v2".to_owned(), 3), ("v4".to_owned(), 12)]);
        assert_eq!(publish(&without), publish(&table(&[0, 40, 3, 0, 12])));
    }

    #[test]
    fn where_nobody_is_few_everything_is_named() {
        let published = publish(&table(&[40, 22, 5]));
        assert_eq!((published.named, published.other), (table(&[40, 22, 5]), None));
    }

    #[test]
    fn small_values_take_the_first_large_one_with_them() {
        let published = publish(&table(&[40, 22, 16, 3]));
        let named = BTreeMap::from([("v1".to_owned(), 22), ("v2".to_owned(), 16)]);
        assert_eq!((published.named, published.other), (named, Some(43)));
    }

    #[test]
    fn where_no_large_value_would_be_left_only_the_total_is_told() {
        let published = publish(&table(&[40, 3]));
        assert_eq!((published.total, published.named, published.other), (Some(43), BTreeMap::new(), Some(43)));
    }

    #[test]
    fn a_large_value_that_is_not_large_enough_to_hide_the_small_ones_hides_the_table() {
        let published = publish(&table(&[5, 30, 3]));
        assert_eq!((published.named, published.other), (BTreeMap::new(), Some(38)));
    }

    #[test]
    fn of_fewer_than_five_people_nothing_is_said() {
        assert_eq!(publish(&table(&[3, 1])), Published { total: None, named: BTreeMap::new(), other: None });
    }
}
