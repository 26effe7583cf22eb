//! Waiting for something to become true, as long as it needs and no longer.

use tokio::time::{Duration, sleep, timeout};

/// Pause between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits until the condition holds.
///
/// # Panics
/// When it does not hold at the deadline; the message says `what` was waited for.
pub async fn eventually(deadline: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    eventually_some(deadline, what, async || condition().await.then_some(())).await;
}

/// Waits until there is a value, and returns it.
///
/// # Panics
/// When there is none at the deadline; the message says `what` was waited for.
pub async fn eventually_some<T>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let patient = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(GLANCE).await;
        }
    };
    timeout(deadline, patient).await.unwrap_or_else(|_| panic!("waited {deadline:?} for: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_is_asked_until_it_holds() {
        let mut asked = 0;
        let third = eventually_some(Duration::from_secs(5), "the third look", async || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(third.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "for: the impossible")]
    async fn what_never_happens_is_named() {
        eventually(Duration::from_millis(50), "the impossible", async || false).await;
    }
}
