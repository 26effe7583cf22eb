//! What the people of a run asked for and what they were answered, written down at the moment.
//!
//! One JSON object in a line. A call is a line *before* it ([`Line::Asked`]) and a line *after* it ([`Line::Answered`]);
//! both are flushed at once, so that a caller that is killed leaves a call without an answer, which counts as unknown.
//! Numbers never repeat within a file. A restore of a node is a line as well, since what was read before it may be newer
//! than what is read after it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A call is about to be made.
    Asked(Asked),
    /// What came of it.
    Answered(Answered),
    /// A node was put back to an older state of its data. Written before it starts again.
    Restored {
        /// When, in microseconds of the journal's writer.
        at: i64,
        /// When that older state was taken.
        since: i64,
        /// The node.
        node: String,
        /// Whether what the node acknowledged since that state is gone for its peers as well, as when several nodes are
        /// put back at once or a broken disk had told lies: what was answered `ok` there between `since` and `at` may
        /// then be absent.
        may_lose: bool,
    },
}

impl Line {
    /// The node that was put back to an older state.
    pub(crate) fn put_back(&self) -> Option<&str> {
        match self {
            Self::Restored { node, .. } => Some(node),
            Self::Asked(_) | Self::Answered(_) => None,
        }
    }
}

/// A call that is about to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The number of the call.
    pub n: u64,
    /// When, in microseconds. Only differences matter.
    pub at: i64,
    /// The office of whoever asks.
    pub office: String,
    /// The name of the method, such as `AcceptOffer`.
    pub method: String,
    /// The ids in the request by the names of its fields, such as `case_id`; only what [`Asked::what`] does not name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
    /// What shall be so afterwards.
    pub what: Intent,
}

/// What shall be so after a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// Nothing that the checker looks for.
    #[default]
    None,
    /// The case is registered, once, and the office holds it.
    Register {
        /// The case.
        case: String,
    },
    /// The offer is made, once.
    Offer {
        /// The case.
        case: String,
        /// The offer.
        offer: String,
        /// The addressee.
        to: String,
        /// Whether the case is to move, or only a service to be given.
        transfer: bool,
    },
    /// The addressee says yes, once.
    Accept {
        /// The offer.
        offer: String,
    },
    /// The addressee says no, once.
    Decline {
        /// The offer.
        offer: String,
    },
    /// The holder takes the offer back, once.
    Withdraw {
        /// The offer.
        offer: String,
    },
    /// Several of these, each for itself.
    Many {
        /// Which.
        intents: Vec<Intent>,
    },
    /// The custody of a case is read; the answer brings [`Answered::custody`].
    ReadCustody {
        /// The case.
        case: String,
    },
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The number of the call.
    pub n: u64,
    /// When, in microseconds.
    pub at: i64,
    /// What the caller knows of it.
    pub outcome: Outcome,
    /// The status of gRPC and the reason, such as `FailedPrecondition OFFER_ID_TAKEN`; empty for success.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What was read, when custody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custody: Option<CustodyRead>,
}

/// What the caller of a method knows afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was said to be done.
    Ok,
    /// It was refused: a status that says that nothing was done.
    Failed,
    /// No answer, or one that leaves it open (`Unavailable`, `DeadlineExceeded`, `Cancelled`, `Unknown`, `Internal`).
    Unknown,
}

/// What an office said of the custody of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyRead {
    /// The term of the newest certificate that the office knew.
    pub term: u32,
    /// Its epoch.
    pub epoch: u32,
    /// The office that holds the case by it.
    pub holder: String,
}

/// A journal that is being written. Many tasks may share one.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
    next: AtomicU64,
}

impl Journal {
    /// Begins a new file, or goes on at the end of one that is there.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let last = if path.exists() { read(path)?.iter().map(Line::number).max().unwrap_or(0) } else { 0 };
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file: Mutex::new(file), next: AtomicU64::new(last + 1) })
    }

    /// Writes that a call is about to be made, and gives its number.
    ///
    /// # Errors
    /// When it cannot be written; then the call must not be made.
    pub fn asks(&self, at: i64, office: &str, method: &str, what: Intent) -> io::Result<u64> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let (office, method) = (office.to_owned(), method.to_owned());
        self.write(&Line::Asked(Asked { n, at, office, method, ids: BTreeMap::new(), what }))?;
        Ok(n)
    }

    /// Writes what came of a call.
    ///
    /// # Errors
    /// When it cannot be written; the call then counts as unknown.
    pub fn answered(&self, n: u64, at: i64, outcome: Outcome, code: &str) -> io::Result<()> {
        self.write(&Line::Answered(Answered { n, at, outcome, code: code.to_owned(), custody: None }))
    }

    /// Writes what was read of the custody of a case.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn read_custody(&self, n: u64, at: i64, custody: CustodyRead) -> io::Result<()> {
        let code = String::new();
        self.write(&Line::Answered(Answered { n, at, outcome: Outcome::Ok, code, custody: Some(custody) }))
    }

    /// Writes any line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        // One write for a line: lines of several tasks never mix.
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes())
    }
}

impl Line {
    fn number(&self) -> u64 {
        match self {
            Self::Asked(asked) => asked.n,
            Self::Answered(answered) => answered.n,
            Self::Restored { .. } => 0,
        }
    }
}

/// Reads a journal. A last line that was broken off is passed over: it is that of a call that was never made, or of an
/// answer that nobody wrote down.
///
/// # Errors
/// When the file cannot be read, or a line before the last is none of a journal.
pub fn read(path: &Path) -> io::Result<Vec<Line>> {
    let texts = BufReader::new(File::open(path)?).lines().collect::<io::Result<Vec<_>>>()?;
    let mut lines = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match serde_json::from_str(text) {
            Ok(line) => lines.push(line),
            Err(_) if index + 1 == texts.len() => {}
            Err(error) => return Err(io::Error::other(format!("line {}: {error}", index + 1))),
        }
    }
    Ok(lines)
}
