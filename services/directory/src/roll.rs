//! What must happen without anybody asking: each edition of the directory is compared with what is known of every office,
//! each new day is looked at for what begins and ends with it, letters that came too early are read again, and nodes that
//! join are told what was said before.

use std::sync::Arc;
use std::time::Duration;

use spean_chassis::{Next, Round, When};
use spean_eventstore::{EventStore, TransactError};
use spean_messaging::{Post, Unusable};
use spean_vocabulary::Date;
use tokio::sync::Mutex;

use crate::heard_offering::{self, HeardOffering, Told};
use crate::office::{self, Office};
use crate::reactions::{Reactions, read_whole};
use crate::{catalogue, early, newcomers, offices};

/// How often the edition of the directory and the day are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps the roll of offices.
#[derive(Clone)]
pub(crate) struct Roll {
    pub(crate) reactions: Reactions,
    pub(crate) store: EventStore,
    pub(crate) post: Post,
}

impl Roll {
    /// Works through each new edition and each new day.
    pub(crate) fn round(&self) -> Round {
        let (roll, kept) = (self.clone(), Arc::new(Mutex::new(None)));
        Round::new("the roll of offices", When::Every(LOOK_EVERY, self.post.clone()), move || {
            let (roll, kept) = (roll.clone(), Arc::clone(&kept));
            async move {
                let mut kept = kept.lock().await;
                if *kept != Some(roll.now_in_force()) {
                    *kept = roll.keep_once().await;
                }
                Ok(Next::Rest)
            }
        })
    }

    /// Works through the edition and the day of this moment, and says which these were; none when it must be done again.
    /// After a restore nothing is said before the peers have answered.
    pub(crate) async fn keep_once(&self) -> Option<(u64, Date)> {
        if self.post.is_recovering() {
            return None;
        }
        let now = self.now_in_force();
        match work_through(&self.reactions, &self.store).await {
            Ok(()) => Some(now),
            Err(error) => {
                tracing::warn!(error = %error, "the roll of offices is kept later");
                None
            }
        }
    }

    fn now_in_force(&self) -> (u64, Date) {
        let edition = self.reactions.directory.current().edition;
        (edition, self.reactions.clock.now().date_in_cambodia())
    }
}

/// All of it, in one transaction. Doing it again is harmless.
pub(crate) async fn work_through(reactions: &Reactions, store: &EventStore) -> Result<(), TransactError<Unusable>> {
    let reactions = reactions.clone();
    let directory = reactions.directory.current();
    let work = store.transact(move |transaction| {
        Box::pin(async move {
            for office in &directory.offices {
                let entry = Box::new(offices::entry(&directory, office));
                let command = office::Command::Take { edition: directory.edition, entry };
                reactions.decide::<Office>(office.id.as_str(), &office.id, command, None, transaction).await?;
            }
            for (node, version, offering) in catalogue::take_out_told(transaction.connection()).await? {
                let node = node.parse().map_err(|_| Unusable::Refused("MALFORMED".to_owned()))?;
                let Some((offering_id, said, withdrawn_on)) = read_whole(&offering) else { continue };
                let office = said.office.clone();
                let told = Told { node, offering_id, version, said, withdrawn_on };
                let (stream, command) = (told.stream(), heard_offering::Command::Hear(told));
                reactions.decide::<HeardOffering>(&stream, &office, command, None, transaction).await?;
            }
            for letter in early::waiting(transaction.connection()).await? {
                match reactions.peer_says(&letter.node, &letter.kind, &letter.body, transaction).await {
                    Ok(()) => early::forget(&letter.id, transaction.connection()).await?,
                    Err(Unusable::Refused(code)) if code == early::UNKNOWN_OFFICE => {}
                    Err(Unusable::Refused(code)) => {
                        tracing::warn!(code, node = %letter.node, "a letter that waited for an edition makes no sense");
                        early::forget(&letter.id, transaction.connection()).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            newcomers::greet(&reactions, &directory, transaction).await
        })
    });
    work.await
}
