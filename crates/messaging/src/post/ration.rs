//! What one peer may have of a node's work in a while, so that there is enough of it for the others.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::locked;
use crate::letter::Address;

/// So many for each peer in so long a time.
pub(crate) struct Ration {
    most: u32,
    within: Duration,
    used: Mutex<BTreeMap<Address, (Instant, u32)>>,
}

impl Ration {
    pub(crate) fn new(most: u32, within: Duration) -> Self {
        Self { most, within, used: Mutex::default() }
    }

    /// Takes one; false when the peer has had all of its own.
    pub(crate) fn take(&self, peer: &Address) -> bool {
        let mut used = locked(&self.used);
        let (since, taken) = used.entry(peer.clone()).or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= self.within {
            (*since, *taken) = (Instant::now(), 0);
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

    #[test]
    fn one_peer_does_not_use_up_what_another_has() {
        let ration = Ration::new(2, Duration::from_hours(1));
        assert_eq!([0; 3].map(|_| ration.take(&peer("kandal"))), [true, true, false]);
        assert!(ration.take(&peer("takeo")));
    }

    #[test]
    fn there_is_as_much_again_in_the_next_while() {
        let ration = Ration::new(1, Duration::ZERO);
        assert!(ration.take(&peer("kandal")) && ration.take(&peer("kandal")));
    }
}
