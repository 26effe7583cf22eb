//! The post offices of all services of a process: a letter that waits for a person is found wherever it waits.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use spean_eventstore::StoreError;
use spean_messaging::Post;
use spean_messaging::post::{DeadLetter, PostHandle, Retried};
use spean_vocabulary::Service;

/// The post offices of the services that run in one process. Cheap to clone.
#[derive(Clone, Default)]
pub struct PostOffices {
    of: Arc<RwLock<BTreeMap<Service, PostHandle>>>,
}

impl PostOffices {
    pub(crate) fn add(&self, service: Service, post: &Post) {
        self.of.write().unwrap_or_else(PoisonError::into_inner).insert(service, post.handle());
    }

    fn open(&self) -> Vec<(Service, Post)> {
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        of.iter().filter_map(|(service, post)| Some((*service, post.get()?))).collect()
    }

    /// Letters that could not be applied, and the service at which they wait: the oldest first.
    ///
    /// A service whose database cannot be read is left out, and the log says so: the others must be seen all the same.
    pub async fn dead_letters(&self, limit: i64, offset: i64) -> Vec<(Service, DeadLetter)> {
        let mut letters = Vec::new();
        for (service, post) in self.open() {
            let waiting = post.dead_letters(limit.saturating_add(offset), 0).await;
            let waiting = waiting.unwrap_or_else(|error| left_out(service, &error));
            letters.extend(waiting.into_iter().map(|letter| (service, letter)));
        }
        letters.sort_by_key(|(service, letter)| (letter.arrived_at, *service));
        let (skipped, wanted) = (usize::try_from(offset).unwrap_or(0), usize::try_from(limit).unwrap_or(0));
        letters.into_iter().skip(skipped).take(wanted).collect()
    }

    /// How many letters wait for a person, at the services whose database can be read.
    pub async fn dead_letter_count(&self) -> i64 {
        let mut count = 0;
        for (service, post) in self.open() {
            count += post.dead_letter_count().await.unwrap_or_else(|error| left_out(service, &error));
        }
        count
    }

    /// Tries a dead letter once more; none when no service has it.
    ///
    /// # Errors
    /// When no service has it, and a database could not be read or written.
    pub async fn retry(&self, id: &str) -> Result<Option<Retried>, StoreError> {
        let mut outcome = Ok(None);
        for (_, post) in self.open() {
            match post.retry(id).await {
                Ok(None) => {}
                Ok(retried) => return Ok(retried),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// Sets a dead letter aside for good; false when no service has it.
    ///
    /// # Errors
    /// When no service has it, and a database could not be read or written.
    pub async fn discard(&self, id: &str, reason: &str) -> Result<bool, StoreError> {
        let mut outcome = Ok(false);
        for (_, post) in self.open() {
            match post.discard(id, reason).await {
                Ok(false) => {}
                Ok(true) => return Ok(true),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}

fn left_out<T: Default>(service: Service, error: &StoreError) -> T {
    tracing::warn!(service = %service, error = %error, "its dead letters cannot be read now");
    T::default()
}
