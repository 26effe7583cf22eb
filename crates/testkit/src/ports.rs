//! TCP ports on the loopback interface that nobody uses.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The ports given out. They lie below those that the system gives to outgoing connections, so that no connection
/// takes one between its being found free and its being used.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// How many ports one test process has for itself before it comes to those of another.
const STEP: u32 = 97;

/// A port that is free now and that this process was not given before.
///
/// # Panics
/// When all are taken.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id().wrapping_mul(STEP) % u32::from(COUNT);
    for _ in 0..COUNT {
        let next = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let offset = u16::try_from((start + next) % u32::from(COUNT)).expect("it is less than the count");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)).is_ok() {
            return FIRST + offset;
        }
    }
    panic!("no port from {FIRST} to {} is free", FIRST + COUNT - 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_never_while_it_is_in_use() {
        let first = free_port();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let others: Vec<u16> = (0..20).map(|_| free_port()).collect();
        assert!(!others.contains(&taken.local_addr().unwrap().port()));
        assert!(others.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()));
    }
}
