//! What the directories of other nodes say, and what ours does about it.

use prost::Message as _;
use spean_chassis::Clock;
use spean_contracts::directory::v1 as wire;
use spean_eventsourcing::Context;
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{Date, NodeId, OfferingId, OfficeId, Service, Timestamp};

use crate::announcement::{self, Read};
use crate::catalogue;
use crate::offering::{Announcement, Command, Offering};
use crate::published::{OFFERING_CHANGED, other_directories};

/// Applies the letters of the directory.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        other_directories(&self.node, &self.directory.current()).collect()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            match letter.kind.as_str() {
                OFFERING_CHANGED => self.offering_changed(letter, transaction).await,
                _ => Err(refused("UNKNOWN_KIND")),
            }
        })
    }

    fn recall<'a>(
        &'a self,
        _to: &'a Address,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            let Changed { offering_id, version, said, withdrawn_on } = read(letter)?;
            if !self.belongs(&said.office, &self.node) {
                return Err(refused("NOT_OUR_OFFICE"));
            }
            let context = Context { office: said.office.clone(), staff: None, now: self.now() };
            let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
            let command = Command::Recall { version, said, withdrawn_on };
            let recalled = transaction.decide::<Offering>(&offering_id.to_string(), command, &context, &metadata).await;
            recalled.map(|_| ()).map_err(|error| match error {
                HandleError::Refused(error) => refused(error.into()),
                HandleError::CommandIdReused => refused("COMMAND_ID_REUSED"),
                HandleError::Store(error) => Unusable::Store(error),
            })
        })
    }
}

impl Reactions {
    async fn offering_changed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let Changed { offering_id, version, said, withdrawn_on } = read(letter)?;
        if !self.belongs(&said.office, &letter.from.node) || letter.from.service != Service::Directory {
            return Err(refused("NOT_THEIR_OFFICE"));
        }
        let offering = announcement::write(&offering_id.to_string(), &said, withdrawn_on);
        catalogue::record(&letter.from.node, version, &offering, self.now(), transaction.connection()).await?;
        Ok(())
    }

    fn belongs(&self, office: &OfficeId, node: &NodeId) -> bool {
        self.directory.current().office(office).is_some_and(|office| office.node == *node)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// An offering as a letter tells it.
struct Changed {
    offering_id: OfferingId,
    version: i64,
    said: Announcement,
    withdrawn_on: Option<Date>,
}

fn read(letter: &Letter) -> Result<Changed, Unusable> {
    let told = wire::OfferingChanged::decode(letter.body.as_slice()).map_err(malformed)?;
    let offering = told.offering.ok_or_else(|| refused("MALFORMED"))?;
    let Read { offering_id, need, terms, valid_from } = announcement::read(&offering).map_err(malformed)?;
    let withdrawn_on = match offering.withdrawn_on.as_str() {
        "" => None,
        day => Some(day.parse().map_err(malformed)?),
    };
    let office = offering.office_id.parse().map_err(malformed)?;
    let valid_from = valid_from.ok_or_else(|| refused("MALFORMED"))?;
    let said = Announcement { office, need, terms, valid_from };
    Ok(Changed { offering_id, version: told.version, said, withdrawn_on })
}

fn malformed<E>(_: E) -> Unusable {
    refused("MALFORMED")
}

fn refused(code: &str) -> Unusable {
    Unusable::Refused(code.to_owned())
}
