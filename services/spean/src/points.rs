//! Points at which tests break the program: it dies there, or goes on without a safety piece.
//!
//! The points themselves (`fail::fail_point!`) stand where the pieces live. In a program as it is delivered they are
//! nothing, not even a branch; only the feature `failpoints`, which the tests' packages switch on, makes something of
//! them. Such a program serves nobody but tests: it refuses to run where others than this machine can connect.
//!
//! Two variables of the environment say what happens: `FAILPOINTS="sabotage::receipt=return;store::commit=1*off->panic"`
//! as the crate `fail` reads it, and `SPEAN_DIE_AT="store::after_commit:3"`, by which the process ends at the third pass
//! of that point as if its power had been cut: no destructor, no flush, no farewell.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use fail::FailScenario;
use spean_chassis::Configuration;

/// The variable that names a point and the pass at which the process ends there.
const DIE_AT: &str = "SPEAN_DIE_AT";

/// The points as they were set; they are nothing again when this is dropped.
pub struct Points(#[expect(dead_code, reason = "what it does is to end")] FailScenario<'static>);

/// Sets the points as the environment says; none in a program without points.
///
/// # Errors
/// When the environment says something that cannot be set.
pub fn set() -> anyhow::Result<Option<Points>> {
    if !fail::has_failpoints() {
        return Ok(None);
    }
    let points = Points(FailScenario::setup());
    if let Ok(place) = std::env::var(DIE_AT) {
        let (point, pass) = place.rsplit_once(':').with_context(|| format!("{DIE_AT} is no point:pass"))?;
        let pass: u64 = pass.parse().with_context(|| format!("{DIE_AT} names no pass"))?;
        let passed = AtomicU64::new(0);
        let die = move || {
            if passed.fetch_add(1, Ordering::AcqRel) + 1 == pass {
                std::process::abort();
            }
        };
        fail::cfg_callback(point, die).map_err(anyhow::Error::msg)?;
    }
    Ok(Some(points))
}

/// Refuses to serve others with a program that tests can break.
///
/// # Errors
/// When it would.
pub fn refuse_production(configuration: &Configuration) -> anyhow::Result<()> {
    may_run(fail::has_failpoints(), configuration.is_production())
}

fn may_run(has_points: bool, is_production: bool) -> anyhow::Result<()> {
    ensure!(
        !(has_points && is_production),
        "this program was built for tests that break it; it serves this machine only"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_tests_can_break_serves_nobody_else() {
        assert!(may_run(true, true).is_err());
        assert!(may_run(true, false).is_ok() && may_run(false, true).is_ok() && may_run(false, false).is_ok());
    }
}
