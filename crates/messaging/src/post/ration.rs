//! What one peer may have of a node's work in a while, so that there is enough of it for the others.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use spean_vocabulary::Timestamp;

use super::locked;
use crate::letter::Address;

/// So many for each peer in so long a time.
pub(crate) struct Ration {
    most: u32,
    within: Duration,
    used: Mutex<BTreeMap<Address, (Timestamp, u32)>>,
}

impl Ration {
    pub(crate) fn new(most: u32, within: Duration) -> Self {
        Self { most, within, used: Mutex::default() }
    }

    /// Takes one, by the node's clock; false when the peer has had all of its own. A clock that was set back begins anew.
    pub(crate) fn take(&self, peer: &Address, now: Timestamp) -> bool {
        let mut used = locked(&self.used);
        let (since, taken) = used.entry(peer.clone()).or_insert((now, 0));
        let within = i64::try_from(self.within.as_micros()).unwrap_or(i64::MAX);
        if now < *since || now.as_micros() - since.as_micros() >= within {
            (*since, *taken) = (now, 0);
        }
        *taken = taken.saturating_add(1);
        *taken <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(node: &str) -> Address {
        Address { node: node.parse().unwrap(), service: spean_vocabulary::Service::Referral }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn one_peer_does_not_use_up_what_another_has() {
        let ration = Ration::new(2, Duration::from_hours(1));
        assert_eq!([0; 3].map(|_| ration.take(&peer("kandal"), at(5))), [true, true, false]);
        assert!(ration.take(&peer("takeo"), at(5)));
    }

    #[test]
    fn there_is_as_much_again_in_the_next_while() {
        let ration = Ration::new(1, Duration::from_secs(2));
        assert_eq!([5, 6, 7].map(|second| ration.take(&peer("kandal"), at(second))), [true, false, true]);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let ration = Ration::new(1, Duration::from_secs(2));
        assert_eq!([5, 1].map(|second| ration.take(&peer("kandal"), at(second))), [true, true]);
    }
}
