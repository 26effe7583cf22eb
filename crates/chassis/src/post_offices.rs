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
    /// # Errors
    /// When a database cannot be read.
    pub async fn dead_letters(&self, limit: i64, offset: i64) -> Result<Vec<(Service, DeadLetter)>, StoreError> {
        let mut letters = Vec::new();
        for (service, post) in self.open() {
            let waiting = post.dead_letters(limit.saturating_add(offset), 0).await?;
            letters.extend(waiting.into_iter().map(|letter| (service, letter)));
        }
        letters.sort_by_key(|(service, letter)| (letter.arrived_at, *service));
        let (skipped, wanted) = (usize::try_from(offset).unwrap_or(0), usize::try_from(limit).unwrap_or(0));
        Ok(letters.into_iter().skip(skipped).take(wanted).collect())
    }

    /// How many letters wait for a person.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn dead_letter_count(&self) -> Result<i64, StoreError> {
        let mut count = 0;
        for (_, post) in self.open() {
            count += post.dead_letter_count().await?;
        }
        Ok(count)
    }

    /// Tries a dead letter once more; none when no service has it.
    ///
    /// # Errors
    /// When a database cannot be read or written.
    pub async fn retry(&self, id: &str) -> Result<Option<Retried>, StoreError> {
        for (_, post) in self.open() {
            if let Some(retried) = post.retry(id).await? {
                return Ok(Some(retried));
            }
        }
        Ok(None)
    }

    /// Sets a dead letter aside for good; false when no service has it.
    ///
    /// # Errors
    /// When a database cannot be read or written.
    pub async fn discard(&self, id: &str, reason: &str) -> Result<bool, StoreError> {
        for (_, post) in self.open() {
            if post.discard(id, reason).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
