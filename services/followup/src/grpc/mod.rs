//! Protobuf to commands and queries, and back. No rules.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::{Call, Node, field, standing, status};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::{EventStore, Metadata};
use spean_identity::Standing;
use spean_vault::{Contact, Reader};
use spean_vocabulary::{CaseId, Date, Malformed, OfficeId};
use tokio::sync::Mutex;
use tonic::Status;

use crate::findings::{self, Words};
use crate::plan::Plan;

mod followup;
mod fund;
mod meeting;
mod read;
mod safety;
mod supervision;
mod support;
mod write;

/// Longest words of any kind, in characters.
const LONGEST_WORDS: usize = 4_000;
/// Most codes in a list.
const MOST_CODES: usize = 20;
/// Most offices in a list.
const MOST_OFFICES: usize = 10;

/// Follow-up over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    /// Held while words are added to a narrative: it is read and written back.
    pub(crate) appending: Mutex<()>,
}

impl Grpc {
    async fn handle<A>(&self, id: String, command: A::Command, on: Option<Date>, call: &Call) -> Result<(), Status>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        let metadata = Metadata { occurred_on: on, ..call.metadata()? };
        self.store.handle::<A>(id, command, call.context()?, metadata).await.map_err(status::handled)?;
        Ok(())
    }

    async fn load<A: Aggregate>(&self, id: &str) -> Result<A, Status> {
        Ok(self.store.load::<A>(id).await.map_err(|error| status::store(&error))?.state)
    }

    /// Asks whether the caller's office has to do with the case in the way that the action needs.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<standing::Known, Status> {
        let known = standing::of(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let has = known.as_ref().map_or(Standing::Stranger, |known| known.standing);
        self.node.gate.permit(call, "case", has)?;
        known.ok_or_else(|| status::not_found("case"))
    }

    /// The office above one.
    fn above(&self, office: &OfficeId) -> Option<OfficeId> {
        self.node.directory.current().ladder(office).next().map(|above| above.id.clone())
    }

    /// How to make contact with people without danger, by their cases; its reading is recorded.
    async fn safe_contacts(
        &self,
        cases: impl IntoIterator<Item = CaseId>,
        call: &Call,
    ) -> Result<BTreeMap<String, String>, Status> {
        let people: BTreeSet<_> = cases.into_iter().map(|case| case.reinterpret()).collect();
        let people: Vec<_> = people.into_iter().collect();
        let reader = self.reader(call, "to make contact without danger")?;
        let contacts = self.node.vault.get_many::<Contact>(&people, &reader, call.now).await;
        let contacts = contacts.map_err(|error| status::vault(&error))?;
        let safe =
            contacts.into_iter().filter_map(|(person, contact)| Some((person.to_string(), contact.safe_contact?)));
        Ok(safe.collect())
    }

    /// The same for one case; empty when nothing is known.
    async fn safe_contact(&self, case: CaseId, call: &Call) -> Result<String, Status> {
        Ok(self.safe_contacts([case], call).await?.remove(&case.to_string()).unwrap_or_default())
    }

    /// Keeps words in the vault, unless the person's data were erased.
    async fn keep_words(&self, case: CaseId, words: &Words<'_>, call: &Call) -> Result<(), Status> {
        let _appending = self.appending.lock().await;
        if self.load::<Plan>(&case.to_string()).await?.is_erased() {
            return Ok(());
        }
        let reader = self.reader(call, "to add what follow-up found")?;
        let kept = findings::keep(&self.node.vault, case.reinterpret(), words, &reader, call.now).await;
        kept.map_err(|error| status::vault(&error))
    }

    fn reader(&self, call: &Call, purpose: &str) -> Result<Reader, Status> {
        let _ = self;
        Ok(Reader { staff: call.caller.staff.clone(), office: call.office()?.clone(), purpose: purpose.to_owned() })
    }
}

/// Reads a list of codes, each once.
fn codes<T: Ord>(
    field: &str,
    values: &[i32],
    most: usize,
    read: impl Fn(&str, i32) -> Result<T, Status>,
) -> Result<BTreeSet<T>, Status> {
    field::at_most(field, values, most)?;
    values.iter().enumerate().map(|(index, value)| read(&format!("{field}[{index}]"), *value)).collect()
}

/// Reads a code that may be left out.
fn optional_code<T>(
    field: &str,
    value: i32,
    read: impl Fn(&str, i32) -> Result<T, Status>,
) -> Result<Option<T>, Status> {
    if value == 0 { Ok(None) } else { read(field, value).map(Some) }
}

/// Reads a list of offices and organisations, each once.
fn offices(field: &str, values: &[String]) -> Result<BTreeSet<OfficeId>, Status> {
    field::at_most(field, values, MOST_OFFICES)?;
    let read = |(index, value): (usize, &String)| field::parse(&format!("{field}[{index}]"), value);
    values.iter().enumerate().map(read).collect()
}

/// Reads a day that may lie ahead, and must be there.
fn day_ahead(field: &str, text: &str) -> Result<Date, Status> {
    field::parse::<Date>(field, text)
}

/// Cases as the lists name them; what is none is left out.
fn cases<'e>(ids: impl IntoIterator<Item = &'e String>) -> Vec<CaseId> {
    ids.into_iter().filter_map(|id| id.parse::<CaseId>().map_err(|_: Malformed| ()).ok()).collect()
}

/// A number of the database for the wire.
fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
