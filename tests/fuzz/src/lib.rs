//! Bad input for everything that reads what comes from outside: bytes of other nodes, files that people hand in, settings,
//! tokens, and the log itself.
//!
//! A [`Target`] is one such reader with what it must keep: it never panics, it never takes more memory than it says, it
//! never accepts what was forged. Its input is drawn from a seed ([`Draw`]): sound examples with bytes flipped, cut, put in
//! twice, crossed with another example, or nothing but chance. So a seed is an input, on every machine, and a run is a range
//! of seeds. The same targets serve the ordinary tests, some thousand inputs of each, the program `fuzz`, which goes on
//! for as long as it is told, and `fuzz-guided`, where libFuzzer chooses in the place of a seed what was seen to reach
//! something new.

mod draw;
pub mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

pub use draw::Draw;

/// Something that reads what comes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, for the command line.
    pub name: &'static str,
    /// How many inputs the ordinary tests try.
    pub ordinarily: u64,
    /// The most memory, in bytes, that one input may take at a time.
    pub most_bytes: u64,
    /// Draws an input and tries it. Panics when something is not as it must be.
    pub body: fn(&mut Draw<'_>),
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// How many inputs were tried.
    pub inputs: u64,
    /// The most memory that one of them took, in bytes.
    pub most_bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// The seed of the first input that was not taken as it must be, and why.
    pub failed: Option<(u64, String)>,
}

impl Target {
    /// Tries the inputs of these seeds until one fails, or until the time is over.
    #[expect(clippy::disallowed_methods, reason = "a tool that tells how long it took")]
    pub fn run(&self, seeds: std::ops::Range<u64>, at_most: Option<Duration>) -> Tried {
        let began = Instant::now();
        let mut tried = Tried::default();
        for seed in seeds {
            if let Err(why) = self.attempt(&mut Draw::new(seed), &mut tried.most_bytes) {
                tried.failed = Some((seed, why));
                break;
            }
            tried.inputs += 1;
            if tried.inputs.is_multiple_of(64) && at_most.is_some_and(|most| began.elapsed() >= most) {
                break;
            }
        }
        tried.took = began.elapsed();
        tried
    }

    /// Tries the input that follows from somebody's choices.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn try_choices(&self, choices: &[u8]) -> Result<(), String> {
        self.attempt(&mut Draw::of(choices), &mut 0)
    }

    /// Tries one input.
    fn attempt(&self, draw: &mut Draw<'_>, most_bytes: &mut u64) -> Result<(), String> {
        let mut outcome = Ok(());
        let taken = allocation_counter::measure(|| {
            outcome = catch_unwind(AssertUnwindSafe(|| (self.body)(draw)));
        });
        *most_bytes = taken.bytes_max.max(*most_bytes);
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().cloned();
            return Err(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default());
        }
        if taken.bytes_max > self.most_bytes {
            return Err(format!("it took {} bytes; {} is the most", taken.bytes_max, self.most_bytes));
        }
        Ok(())
    }
}
