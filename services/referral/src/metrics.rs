//! Open handoffs by number and age: the figure that says whether somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use spean_chassis::Clock;
use spean_eventstore::EventStore;
use spean_vocabulary::Timestamp;

use crate::worklist;

/// How often the figures are read from the database.
const READ_EVERY: Duration = Duration::from_secs(10);

/// Reads the figures for ever. Only started when somebody collects them.
pub(crate) async fn observe(clock: Clock, store: EventStore) {
    let open = gauge("spean.handoffs.open", "{offer}");
    let oldest = gauge("spean.handoffs.oldest", "s");
    loop {
        match worklist::counts(store.reader()).await {
            Ok(counts) => {
                let waiting = || counts.iter().filter(|count| count.direction == "out" && count.state == "OFFERED");
                let oldest_at = waiting().map(|count| Timestamp::from_micros(count.oldest_at)).min();
                let now = clock.now();
                let age = oldest_at.map_or(0, |oldest| (now.as_micros() - oldest.as_micros()) / 1_000_000);
                open.store(waiting().map(|count| count.offers).sum(), Ordering::Relaxed);
                oldest.store(age, Ordering::Relaxed);
            }
            Err(error) => tracing::debug!(error = %error, "open handoffs are counted later"),
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}

fn gauge(name: &'static str, unit: &'static str) -> Arc<AtomicI64> {
    let value = Arc::new(AtomicI64::new(0));
    let observed = Arc::clone(&value);
    opentelemetry::global::meter("spean")
        .i64_observable_gauge(name)
        .with_unit(unit)
        .with_callback(move |observer| observer.observe(observed.load(Ordering::Relaxed), &[]))
        .build();
    value
}
