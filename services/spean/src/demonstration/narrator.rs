//! Tells what happens, in words that a person enjoys reading.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use spean_vocabulary::PlaceCode;

/// How often something is looked at while waiting for it.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tells a story, or keeps silent in a test.
#[derive(Clone, Copy, Debug)]
pub struct Narrator {
    aloud: bool,
}

impl Narrator {
    /// Tells.
    pub const fn aloud() -> Self {
        Self { aloud: true }
    }

    /// Keeps silent.
    pub const fn silent() -> Self {
        Self { aloud: false }
    }

    /// Begins a chapter.
    pub fn chapter(&self, title: &str) {
        self.line(&format!("\n── {title} {}", "─".repeat(76_usize.saturating_sub(title.chars().count()))));
    }

    /// Tells one thing.
    pub fn tell(&self, sentence: &str) {
        self.line(&format!("   {sentence}"));
    }

    /// A promise that was kept.
    pub fn kept(&self, sentence: &str) {
        self.line(&format!(" ✓ {sentence}"));
    }

    /// Prints as it is.
    pub fn line(&self, line: &str) {
        if self.aloud {
            println!("{line}");
        }
    }

    /// Waits until something is so, and says what it waits for when that takes a while.
    pub async fn until<T, E>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Option<T>, E>,
    ) -> anyhow::Result<T>
    where
        E: Into<anyhow::Error>,
    {
        let mut waited = Duration::ZERO;
        let mut told = false;
        loop {
            if let Some(found) = look().await.map_err(Into::into)? {
                if told {
                    wipe(self.aloud);
                }
                return Ok(found);
            }
            anyhow::ensure!(waited < PATIENCE, "waited {} s in vain: {what}", PATIENCE.as_secs());
            if waited.as_millis().is_multiple_of(1_000) && !waited.is_zero() {
                told = progress(self.aloud, &format!("   … {what} ({} s)", waited.as_secs())) || told;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
    }
}

/// A line that is replaced by the next one; only where somebody watches.
fn progress(aloud: bool, line: &str) -> bool {
    if !aloud || !std::io::stdout().is_terminal() {
        return false;
    }
    print!("\r{line}");
    // Nobody is harmed when progress is not seen.
    let _ = std::io::stdout().flush();
    true
}

fn wipe(aloud: bool) {
    if aloud {
        print!("\r{}\r", " ".repeat(79));
    }
}

/// A place by its code, in Khmer and English; the code itself when the lists do not know it.
pub fn place(code: &str) -> String {
    let known = code.parse::<PlaceCode>().ok().and_then(|code| spean_directory::place_name(&code));
    known.map_or_else(|| code.to_owned(), |(khmer, english)| format!("{khmer} {english}"))
}
