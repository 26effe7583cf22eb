//! A desk at an office, whose node may be killed and come back elsewhere at any moment.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use spean::demonstration::staff::Staff;
use tonic::{Code, Status};

/// How long anything may take on a busy machine, with nodes that are killed meanwhile.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Pause between two looks. Twenty desks that look without a pause leave nothing of a small machine for the nodes.
const GLANCE: Duration = Duration::from_millis(100);

/// Somebody at work, who connects again whenever the node is back.
#[derive(Clone)]
pub struct Desk {
    address: PathBuf,
    office: String,
    token: String,
    connection: RefCell<Option<Staff>>,
}

impl Desk {
    /// A desk at a node that writes its address into this file.
    pub fn new(address: PathBuf, office: &str, token: &str) -> Self {
        Self { address, office: office.to_owned(), token: token.to_owned(), connection: RefCell::default() }
    }

    /// The same member of staff at another instance of the node.
    #[must_use]
    pub fn moved_to(&self, address: PathBuf) -> Self {
        Self::new(address, &self.office, &self.token)
    }

    /// The office.
    pub fn office(&self) -> &str {
        &self.office
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A connection, as soon as the node serves.
    ///
    /// # Panics
    /// When it does not for a long time.
    pub async fn staff(&self) -> Staff {
        let what = format!("the node of {} to serve", self.office);
        patiently(&what, async || {
            if let Some(staff) = self.connection.borrow().clone() {
                return Some(staff);
            }
            let address = std::fs::read_to_string(&self.address).ok()?;
            let staff = Staff::connect(address.trim(), &self.office, &self.token).await.ok()?;
            self.connection.replace(Some(staff.clone()));
            Some(staff)
        })
        .await
    }

    /// Asks until the answer is there. A node that is away is asked again, and so is one that does not have it yet
    /// (`None`); so must be whatever can be asked twice.
    ///
    /// # Panics
    /// When it is refused for good, or does not come.
    pub async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut(Staff) -> Result<Option<T>, Status>) -> T {
        let what = format!("{what} at {}", self.office);
        patiently(&what, async || {
            let staff = self.staff().await;
            match ask(staff).await {
                Ok(answer) => answer,
                Err(status) if is_passing(&status) => {
                    self.connection.replace(None);
                    None
                }
                Err(status) => panic!("{what}: {status:?}"),
            }
        })
        .await
    }

    /// Asks until the node has answered. What is asked must be harmless when asked twice.
    ///
    /// # Panics
    /// When it is refused for good, or no answer comes.
    pub async fn ask<T>(&self, what: &str, mut ask: impl AsyncFnMut(Staff) -> Result<T, Status>) -> T {
        self.until(what, async |staff| ask(staff).await.map(Some)).await
    }
}

async fn patiently<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let patient = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, patient).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for: {what}"))
}

/// Whether a refusal says that the node is away, was killed while it answered, or has too much to do.
fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded | Code::ResourceExhausted
    )
}
