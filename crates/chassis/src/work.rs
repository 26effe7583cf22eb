//! What services do without being asked, in rounds: a look at what is to be done, and the doing of it. A node in production
//! goes round by itself; a simulation says which round comes next.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use spean_eventstore::EventStore;
use spean_messaging::Post;
use tokio::sync::watch;

/// The pause after a round that failed, where nothing else says when to look again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// When it is time for the next round.
#[derive(Clone)]
pub enum When {
    /// Every so often, but not while the node recovers from a restore.
    Every(Duration, Post),
    /// Whenever the log has grown.
    Following(EventStore),
}

/// What a round says of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// All is done for now.
    Rest,
    /// There is more to do, after a pause.
    After(Duration),
    /// All is done for good.
    Never,
}

type Looking = Pin<Box<dyn Future<Output = anyhow::Result<Next>> + Send>>;

/// Something that a service does again and again. Cheap to clone.
#[derive(Clone)]
pub struct Round {
    /// What it does, for the log.
    pub name: &'static str,
    when: When,
    look: Arc<dyn Fn() -> Looking + Send + Sync>,
}

impl fmt::Debug for Round {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Round").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Round {
    /// Does something whenever it is time for it. One look is done to its end before the next begins, and must not sleep.
    pub fn new<F>(name: &'static str, when: When, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<Next>> + Send + 'static,
    {
        Self { name, when, look: Arc::new(move || Box::pin(look())) }
    }

    /// One look, whatever the time; none while the node recovers and this has to wait for it.
    ///
    /// # Errors
    /// When it must be done again.
    pub async fn once(&self) -> anyhow::Result<Next> {
        match &self.when {
            When::Every(_, post) if post.is_recovering() => Ok(Next::Rest),
            _ => (self.look)().await,
        }
    }

    /// Goes round until all is done for good, the log is closed or `stop` says so.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.run_for_ever() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn run_for_ever(self) {
        let mut head = match &self.when {
            When::Following(store) => Some(store.head()),
            When::Every(..) => None,
        };
        loop {
            let next = self.once().await;
            if let Err(error) = &next {
                tracing::warn!(round = self.name, error = %error, "this is gone on with later");
            }
            let pause = match (next, &self.when) {
                (Ok(Next::Never), _) => return,
                (Ok(Next::After(pause)), _) => Some(pause),
                (_, When::Every(every, _)) => Some(*every),
                (Err(_), When::Following(_)) => Some(TRY_AGAIN),
                (Ok(Next::Rest), When::Following(_)) => None,
            };
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            } else if let Some(head) = &mut head
                && head.changed().await.is_err()
            {
                return;
            }
        }
    }
}
