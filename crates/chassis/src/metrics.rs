//! What an administrator watches: letters that wait and for how long, dead letters, the growth of the logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use spean_eventstore::EventStore;
use spean_messaging::Post;
use spean_vocabulary::Service;

use crate::node::Node;

/// How often the figures are read from the databases, when somebody collects them.
const READ_EVERY: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    log_position: i64,
    unconfirmed: i64,
    oldest_seconds: i64,
    dead_letters: i64,
}

/// Starts to observe the services of a node. Without a collector nothing is read and nothing is spent.
pub(crate) fn observe(node: &Node, services: &[(Service, EventStore, Post)]) {
    if node.configuration.telemetry.is_none() {
        return;
    }
    let figures: Arc<Mutex<BTreeMap<String, Figures>>> = Arc::default();
    let meter = opentelemetry::global::meter("spean");
    let gauge = |name: &'static str, unit: &'static str, read: fn(&Figures) -> i64| {
        let figures = Arc::clone(&figures);
        meter
            .i64_observable_gauge(name)
            .with_unit(unit)
            .with_callback(move |observer| {
                for (service, figures) in figures.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    observer.observe(read(figures), &[KeyValue::new("spean.service", service.clone())]);
                }
            })
            .build();
    };
    gauge("spean.log.position", "{event}", |figures| figures.log_position);
    gauge("spean.outbox.depth", "{letter}", |figures| figures.unconfirmed);
    gauge("spean.outbox.age", "s", |figures| figures.oldest_seconds);
    gauge("spean.dead_letters", "{letter}", |figures| figures.dead_letters);
    for (service, store, post) in services {
        let (service, store, post) = (service.to_string(), store.clone(), post.clone());
        let (figures, clock, mut stop) = (Arc::clone(&figures), node.clock.clone(), node.stop());
        tokio::spawn(async move {
            loop {
                let now = clock.now();
                if let (Ok(peers), Ok(dead_letters)) = (post.peers().await, post.dead_letter_count().await) {
                    let oldest = peers.iter().filter_map(|peer| peer.oldest_posted_at).min();
                    let oldest_seconds = oldest.map_or(0, |oldest| (now.as_micros() - oldest.as_micros()) / 1_000_000);
                    let unconfirmed = peers.iter().map(|peer| peer.unconfirmed).sum();
                    let log_position = *store.head().borrow();
                    let read = Figures { log_position, unconfirmed, oldest_seconds, dead_letters };
                    figures.lock().unwrap_or_else(PoisonError::into_inner).insert(service.clone(), read);
                }
                tokio::select! {
                    () = tokio::time::sleep(READ_EVERY) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
        });
    }
}
