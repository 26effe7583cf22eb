//! What the directories of other nodes and our own desk say, and what ours does about it.

use prost::Message as _;
use spean_chassis::words::{read_instant, read_need};
use spean_chassis::{Clock, field};
use spean_contracts::directory::v1 as wire;
use spean_contracts::referral::v1::AvailabilityChanged;
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{Date, NodeId, OfferingId, OfficeId, Service, Timestamp};

use crate::announcement::{self, Read};
use crate::availability::{self, Availability, Counted};
use crate::heard_offering::{self, HeardOffering, Told};
use crate::offering::{self, Announcement, Offering};
use crate::office::{self, Declaration, Office};
use crate::published::{
    AVAILABILITY_REPORTED, OFFERING_CHANGED, OFFICE_STATUS_CHANGED, OFFICE_STATUS_DECLARED, desk, other_directories,
};
use crate::{declared, early, offices};

/// Name of [`AvailabilityChanged`] on the wire.
const AVAILABILITY_CHANGED: &str = "spean.referral.v1.AvailabilityChanged";

/// Applies the letters of the directory.
#[derive(Clone)]
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        other_directories(&self.node, &self.directory.current()).chain([desk(&self.node)]).collect()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            if letter.from.service == Service::Referral && letter.kind == AVAILABILITY_CHANGED {
                return self.availability_changed(letter, transaction).await;
            }
            if letter.from.service != Service::Directory {
                return Err(refused("NOT_A_DIRECTORY"));
            }
            let done = self.peer_says(&letter.from.node, &letter.kind, &letter.body, transaction).await;
            match done {
                // Their edition of the directory is newer than ours: it will make sense then.
                Err(Unusable::Refused(code)) if code == early::UNKNOWN_OFFICE => {
                    early::keep(letter, self.now(), transaction.connection()).await?;
                    Ok(())
                }
                done => done,
            }
        })
    }

    fn recall<'a>(
        &'a self,
        to: &'a Address,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            let body = letter.body.as_slice();
            match letter.kind.as_str() {
                OFFERING_CHANGED => self.recall_offering(to, letter, transaction).await,
                // The desk has what it was told, and what holds is told again when it changes.
                OFFICE_STATUS_CHANGED => Ok(()),
                OFFICE_STATUS_DECLARED => {
                    let (office, declaration) = self.read_declared(body)?;
                    self.must_be_ours(&declaration.declared_by)?;
                    let command = office::Command::Hear { declaration };
                    self.decide::<Office>(&office.to_string(), &office, command, letter.trace.as_ref(), transaction)
                        .await
                }
                AVAILABILITY_REPORTED => {
                    let counted = self.read_reported(body)?;
                    if *to == desk(&self.node) {
                        // Another node's, passed on to our desk, which keeps it.
                        return Ok(());
                    }
                    self.must_be_ours(&counted.office)?;
                    let (stream, office) = (counted.stream(), counted.office.clone());
                    let command = availability::Command::Report(counted);
                    self.decide::<Availability>(&stream, &office, command, letter.trace.as_ref(), transaction).await
                }
                _ => Err(refused("UNKNOWN_KIND")),
            }
        })
    }
}

impl Reactions {
    /// What another node's directory says of its offices, or of one below them.
    pub(crate) async fn peer_says(
        &self,
        node: &NodeId,
        kind: &str,
        body: &[u8],
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        match kind {
            OFFERING_CHANGED => {
                let Changed { offering_id, version, said, withdrawn_on } = read(body)?;
                self.must_be_theirs(&said.office, node)?;
                let office = said.office.clone();
                let told = Told { node: node.clone(), offering_id, version, said, withdrawn_on };
                let stream = told.stream();
                let command = heard_offering::Command::Hear(told);
                self.decide::<HeardOffering>(&stream, &office, command, None, transaction).await
            }
            OFFICE_STATUS_DECLARED => {
                let (office, declaration) = self.read_declared(body)?;
                self.must_be_theirs(&declaration.declared_by, node)?;
                let directory = self.directory.current();
                if directory.office(&office).is_none() {
                    return Err(refused(early::UNKNOWN_OFFICE));
                }
                if !offices::may_speak(&directory, &office).contains(&declaration.declared_by) {
                    return Err(refused("NOT_ABOVE_THIS_OFFICE"));
                }
                let command = office::Command::Hear { declaration };
                self.decide::<Office>(office.as_str(), &office, command, None, transaction).await
            }
            AVAILABILITY_REPORTED => {
                let counted = self.read_reported(body)?;
                self.must_be_theirs(&counted.office, node)?;
                let (stream, office) = (counted.stream(), counted.office.clone());
                let command = availability::Command::Hear(counted);
                self.decide::<Availability>(&stream, &office, command, None, transaction).await
            }
            _ => Err(refused("UNKNOWN_KIND")),
        }
    }

    async fn availability_changed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        if letter.from.node != self.node {
            return Err(refused("NOT_OUR_DESK"));
        }
        let told = AvailabilityChanged::decode(letter.body.as_slice()).map_err(malformed)?;
        let as_of = told.as_of.ok_or_else(|| refused("MALFORMED"))?;
        let counted = Counted {
            office: field::parse("office_id", &told.office_id).map_err(malformed)?,
            need: read_need("need", told.need).map_err(malformed)?,
            capacity_persons: u32::try_from(told.capacity_persons).map_err(malformed)?,
            taken_persons: u32::try_from(told.taken_persons).map_err(malformed)?,
            reserved_persons: u32::try_from(told.reserved_persons).map_err(malformed)?,
            waiting_persons: u32::try_from(told.waiting_persons).map_err(malformed)?,
            as_of: read_instant("as_of", &as_of, self.now()).map_err(malformed)?,
        };
        self.must_be_ours(&counted.office)?;
        let (stream, office) = (counted.stream(), counted.office.clone());
        let command = availability::Command::Report(counted);
        self.decide::<Availability>(&stream, &office, command, letter.trace.as_ref(), transaction).await
    }

    async fn recall_offering(
        &self,
        to: &Address,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let Changed { offering_id, version, said, withdrawn_on } = read(&letter.body)?;
        if *to == desk(&self.node) && !self.is_ours(&said.office) {
            // Another node's, passed on to our desk: that node tells us again.
            return Ok(());
        }
        self.must_be_ours(&said.office)?;
        let office = said.office.clone();
        let command = offering::Command::Recall { version, said, withdrawn_on };
        self.decide::<Offering>(&offering_id.to_string(), &office, command, letter.trace.as_ref(), transaction).await
    }

    /// Decides as this service itself, for an office.
    pub(crate) async fn decide<A>(
        &self,
        stream: &str,
        office: &OfficeId,
        command: A::Command,
        trace: Option<&String>,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        let context = Context { office: office.clone(), staff: None, now: self.now() };
        let metadata = Metadata { trace: trace.cloned(), ..Metadata::of(&context) };
        let decided = transaction.decide::<A>(stream, command, &context, &metadata).await;
        decided.map(|_| ()).map_err(|error| match error {
            HandleError::Refused(error) => refused(error.reason()),
            HandleError::CommandIdReused => refused("COMMAND_ID_REUSED"),
            HandleError::Store(error) => Unusable::Store(error),
        })
    }

    fn read_declared(&self, body: &[u8]) -> Result<(OfficeId, Declaration), Unusable> {
        let told = wire::OfficeStatusDeclared::decode(body).map_err(malformed)?;
        declared::read_told(&told, self.now()).map_err(malformed)
    }

    fn read_reported(&self, body: &[u8]) -> Result<Counted, Unusable> {
        let told = wire::AvailabilityReported::decode(body).map_err(malformed)?;
        let as_of = told.as_of.ok_or_else(|| refused("MALFORMED"))?;
        Ok(Counted {
            office: field::parse("office_id", &told.office_id).map_err(malformed)?,
            need: read_need("need", told.need).map_err(malformed)?,
            capacity_persons: u32::try_from(told.capacity_persons).map_err(malformed)?,
            taken_persons: u32::try_from(told.taken_persons).map_err(malformed)?,
            reserved_persons: u32::try_from(told.reserved_persons).map_err(malformed)?,
            waiting_persons: u32::try_from(told.waiting_persons).map_err(malformed)?,
            as_of: read_instant("as_of", &as_of, self.now()).map_err(malformed)?,
        })
    }

    fn must_be_theirs(&self, office: &OfficeId, node: &NodeId) -> Result<(), Unusable> {
        match self.directory.current().office(office) {
            None => Err(refused(early::UNKNOWN_OFFICE)),
            Some(office) if office.node != *node => Err(refused("NOT_THEIR_OFFICE")),
            Some(_) => Ok(()),
        }
    }

    fn must_be_ours(&self, office: &OfficeId) -> Result<(), Unusable> {
        if self.is_ours(office) { Ok(()) } else { Err(refused("NOT_OUR_OFFICE")) }
    }

    fn is_ours(&self, office: &OfficeId) -> bool {
        self.directory.current().office(office).is_some_and(|office| office.node == self.node)
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

fn read(body: &[u8]) -> Result<Changed, Unusable> {
    let told = wire::OfferingChanged::decode(body).map_err(malformed)?;
    let offering = told.offering.ok_or_else(|| refused("MALFORMED"))?;
    let (offering_id, said, withdrawn_on) = read_whole(&offering).ok_or_else(|| refused("MALFORMED"))?;
    Ok(Changed { offering_id, version: told.version, said, withdrawn_on })
}

/// What another node says of its offering, whole; none when something is missing or makes no sense.
pub(crate) fn read_whole(offering: &wire::Offering) -> Option<(OfferingId, Announcement, Option<Date>)> {
    let Read { offering_id, need, terms, valid_from } = announcement::read(offering).ok()?;
    let withdrawn_on = match offering.withdrawn_on.as_str() {
        "" => None,
        day => Some(day.parse().ok()?),
    };
    let office = offering.office_id.parse().ok()?;
    Some((offering_id, Announcement { office, need, terms, valid_from: valid_from? }, withdrawn_on))
}

fn malformed<E>(_: E) -> Unusable {
    refused("MALFORMED")
}

fn refused(code: &str) -> Unusable {
    Unusable::Refused(code.to_owned())
}
