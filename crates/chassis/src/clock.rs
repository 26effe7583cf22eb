//! The one place that reads a clock and draws at random. Everything else gets both as values.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use spean_vocabulary::{Id, Timestamp};

/// What time it is. A clock of a demonstration can be moved, all the nodes of it together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_file: Option<Arc<PathBuf>>,
    held: Option<Arc<AtomicI64>>,
}

thread_local! {
    /// Where the chance of this thread begins, and how often it was asked; none as a rule.
    static SEEDED: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

impl Clock {
    /// The clock of the machine.
    pub const fn system() -> Self {
        Self { offset_file: None, held: None }
    }

    /// A clock that is moved by the number of microseconds written in a file. For demonstrations and tests: a node in
    /// production refuses it.
    pub fn shifted_by(offset_file: PathBuf) -> Self {
        Self { offset_file: Some(Arc::new(offset_file)), held: None }
    }

    /// A clock that shows what it is set to, in microseconds since the epoch, and never moves by itself. For simulations.
    pub const fn held(shows: Arc<AtomicI64>) -> Self {
        Self { offset_file: None, held: Some(shows) }
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        if let Some(held) = &self.held {
            return Timestamp::from_micros(held.load(Ordering::Acquire));
        }
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.saturating_add(self.offset()))
    }

    fn offset(&self) -> i64 {
        let Some(file) = &self.offset_file else { return 0 };
        std::fs::read_to_string(file.as_path()).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}

/// A new random id, for what this node itself begins.
#[expect(clippy::disallowed_methods, reason = "ids are minted here")]
pub fn mint<K>() -> Id<K> {
    Id::from_uuid(match seeded() {
        Some(drawn) => uuid::Builder::from_random_bytes(drawn).into_uuid(),
        None => uuid::Uuid::new_v4(),
    })
}

/// Lets the ids and numbers that this thread draws follow from a seed, for simulations. Keys and nonces are drawn elsewhere
/// and stay random.
pub fn draw_from_seed(seed: u64) {
    SEEDED.set(Some((seed, 0)));
}

fn seeded<const N: usize>() -> Option<[u8; N]> {
    let (seed, asked) = SEEDED.get()?;
    SEEDED.set(Some((seed, asked + 1)));
    let mut bytes = [0; N];
    for (part, chunk) in bytes.chunks_mut(32).enumerate() {
        let digest = Sha256::digest(format!("{seed} {asked} {part}").as_bytes());
        chunk.copy_from_slice(&digest[..chunk.len()]);
    }
    Some(bytes)
}

/// Random bytes, from the operating system as a rule.
#[expect(clippy::disallowed_methods, reason = "randomness is drawn here")]
pub fn random<const N: usize>() -> [u8; N] {
    if let Some(drawn) = seeded() {
        return drawn;
    }
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}
