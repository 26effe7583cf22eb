//! The one place that reads a clock and draws at random. Everything else gets both as values.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use spean_vocabulary::{Id, Timestamp};

/// What time it is. A clock of a demonstration can be moved, all the nodes of it together.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_file: Option<Arc<PathBuf>>,
}

impl Clock {
    /// The clock of the machine.
    pub const fn system() -> Self {
        Self { offset_file: None }
    }

    /// A clock that is moved by the number of microseconds written in a file. For demonstrations and tests: a node in
    /// production refuses it.
    pub fn shifted_by(offset_file: PathBuf) -> Self {
        Self { offset_file: Some(Arc::new(offset_file)) }
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
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
    Id::from_uuid(uuid::Uuid::new_v4())
}

/// Random bytes from the operating system.
#[expect(clippy::disallowed_methods, reason = "randomness is drawn here")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has a source of randomness");
    bytes
}
