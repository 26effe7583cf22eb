//! Carries out a manifest: batch by batch, each with its arrivals and their verdicts in one commit. After a power cut the
//! same file goes on where it stopped; nobody arrives twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use spean_eventsourcing::{Aggregate as _, Context, Refusal as _};
use spean_eventstore::{Digest, EventStore, HandleError, Metadata, StoreError, TransactError};
use spean_vault::{Reader, Vault, VaultError};
use spean_vocabulary::{ArrivalId, CaseId, ManifestId, StaffId};
use tokio::sync::Mutex;

use crate::arrival::{self, Arrival, Circumstances};
use crate::known::KnownPeople;
use crate::manifest::{self, Command, Manifest, Outcome, Reason, Verdict};
use crate::sheet::{self, Arriving, File, Row, Unfit, Unreadable};

/// Rows that are committed together. Everybody who writes waits for a batch, so it is small.
const BATCH: usize = 50;

/// Carries out manifests, one at a time. Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    store: EventStore,
    vault: Arc<Vault>,
    turn: Arc<Mutex<()>>,
}

/// A manifest that was handed in.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its id, made by the caller.
    pub manifest: ManifestId,
    /// The list.
    pub file: File,
    /// How and when the group came.
    pub circumstances: Circumstances,
    /// Who asks.
    pub context: Context,
    /// What is stored with the events. The id of the command is kept with the beginning alone; what follows is
    /// idempotent by the id of the manifest.
    pub metadata: Metadata,
}

/// Why a manifest was not carried out, or not to its end. What was committed stays: send the same file again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] Unreadable),
    /// It was not begun, or not ended.
    #[error("the manifest was refused")]
    Manifest(HandleError<manifest::Error>),
    /// The log could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault could not be written.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Importer {
    /// An importer that writes into this log and this vault.
    pub fn new(store: EventStore, vault: Arc<Vault>) -> Self {
        Self { store, vault, turn: Arc::default() }
    }

    /// What would become of each row. Stores nothing; the arrivals of the verdicts do not exist.
    ///
    /// # Errors
    /// As for [`Importer::import`].
    pub async fn preview(&self, submission: &Submission) -> Result<Vec<Verdict>, ImportError> {
        let Submission { manifest, file, circumstances, context, .. } = submission;
        let rows = read(file.clone(), circumstances).await?;
        let begun = self.store.load::<Manifest>(&manifest.to_string()).await?;
        let accepted = begun.state.decide(begin(file, &rows, circumstances), context);
        accepted.map_err(|error| ImportError::Manifest(HandleError::Refused(error)))?;
        let known = self.known_people(*manifest, &rows, context).await?;
        Ok(rows.iter().map(|row| verdict(*manifest, row, &known)).collect())
    }

    /// Carries out a manifest to its end. Doing it again, also after it was cut off anywhere, leads to the same.
    ///
    /// # Errors
    /// When the file cannot be read, the id was used for another file, or a database failed.
    pub async fn import(&self, submission: Submission) -> Result<(), ImportError> {
        let _turn = self.turn.lock().await;
        let Submission { manifest, file, circumstances, context, metadata } = submission;
        let rows = read(file.clone(), &circumstances).await?;
        self.handle(manifest, begin(&file, &rows, &circumstances), &context, metadata.clone()).await?;
        let metadata = Metadata { command_id: None, request_digest: None, ..metadata };
        let begun = self.store.load::<Manifest>(&manifest.to_string()).await?.state;
        let known = if begun.is_finished() {
            KnownPeople::default()
        } else {
            self.known_people(manifest, &rows, &context).await?
        };
        let outstanding: Vec<_> = rows.into_iter().filter(|row| !begun.is_judged(row.line)).collect();
        for rows in outstanding.chunks(BATCH) {
            self.keep(manifest, rows, &context).await?;
            let prepare = |row| (verdict(manifest, row, &known), command(manifest, row, &circumstances));
            self.commit(manifest, rows.iter().map(prepare).collect(), &context, &metadata).await?;
        }
        self.handle(manifest, Command::Finish, &context, metadata).await
    }

    /// Everybody in the vault but those of this manifest, who may be there since it was cut off.
    async fn known_people(
        &self,
        manifest: ManifestId,
        rows: &[Row],
        context: &Context,
    ) -> Result<KnownPeople, VaultError> {
        let anybody: StaffId = "manifest-import".parse().expect("it has the form of a code");
        let reader = Reader {
            staff: context.staff.clone().unwrap_or(anybody),
            office: context.office.clone(),
            purpose: "to notice people on a manifest who are known already".to_owned(),
        };
        let ours: BTreeSet<CaseId> = rows.iter().map(|row| arrival_of(manifest, row.line).reinterpret()).collect();
        self.vault.search(&reader, context.now, move |people| KnownPeople::of(&people, &ours)).await
    }

    async fn handle(
        &self,
        manifest: ManifestId,
        command: Command,
        context: &Context,
        metadata: Metadata,
    ) -> Result<(), ImportError> {
        let handled = self.store.handle::<Manifest>(manifest.to_string(), command, context.clone(), metadata);
        handled.await.map_err(ImportError::Manifest)?;
        Ok(())
    }

    /// Personal data first: an arrival without its person would be worse than a person without an arrival.
    async fn keep(&self, manifest: ManifestId, rows: &[Row], context: &Context) -> Result<(), VaultError> {
        let arriving = rows.iter().filter_map(|row| Some((row.line, row.content.as_ref().ok()?)));
        let parts = arriving.map(|(line, row)| row.described.parts(arrival_of(manifest, line).reinterpret()));
        let people: Vec<_> = parts.collect();
        self.vault.put_people(&people, context.now).await
    }

    async fn commit(
        &self,
        manifest: ManifestId,
        prepared: Vec<(Verdict, Option<(ArrivalId, arrival::Command)>)>,
        context: &Context,
        metadata: &Metadata,
    ) -> Result<(), ImportError> {
        let (context, metadata, manifest) = (context.clone(), metadata.clone(), manifest.to_string());
        let committed = self.store.transact(move |transaction| {
            Box::pin(async move {
                let mut verdicts = Vec::new();
                for (mut verdict, register) in prepared {
                    if let Some((arrival, command)) = register {
                        let id = arrival.to_string();
                        match transaction.decide::<Arrival>(&id, command, &context, &metadata).await {
                            Ok(_) => {}
                            Err(HandleError::Refused(error)) => verdict.outcome = refused(error),
                            Err(HandleError::Store(error)) => return Err(HandleError::Store(error)),
                            Err(HandleError::CommandIdReused) => return Err(HandleError::CommandIdReused),
                        }
                    }
                    verdicts.push(verdict);
                }
                let record = Command::RecordRows { verdicts };
                transaction.decide::<Manifest>(&manifest, record, &context, &metadata).await
            })
        });
        committed.await.map_err(|error: TransactError<HandleError<manifest::Error>>| match error {
            TransactError::Work(error) => ImportError::Manifest(error),
            TransactError::Store(error) => ImportError::Store(error),
        })?;
        Ok(())
    }
}

/// The arrival of a row: the same whenever the same manifest is sent.
pub fn arrival_of(manifest: ManifestId, line: u32) -> ArrivalId {
    let digest = Sha256::digest(format!("spean arrival {manifest} {line}").as_bytes());
    let bytes: [u8; 16] = digest[..16].try_into().expect("a SHA-256 has 32 bytes");
    ArrivalId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Takes a file apart where it stops nobody else.
async fn read(file: File, circumstances: &Circumstances) -> Result<Vec<Row>, Unreadable> {
    let arrived_on = circumstances.arrived_on;
    let read = tokio::task::spawn_blocking(move || sheet::read(&file, arrived_on)).await;
    // It ends early only with the process.
    read.unwrap_or(Err(Unreadable::NotAWorkbook))
}

fn begin(file: &File, rows: &[Row], circumstances: &Circumstances) -> Command {
    let digest = Digest::of(file.bytes()).to_string();
    let rows = u32::try_from(rows.len()).expect("there are at most 5,000");
    Command::Begin { digest, rows, circumstances: circumstances.clone() }
}

fn verdict(manifest: ManifestId, row: &Row, known: &KnownPeople) -> Verdict {
    let outcome = match &row.content {
        Ok(Arriving { described, codes, notes, .. }) => Outcome::Accepted {
            arrival: arrival_of(manifest, row.line),
            missing: codes.missing.clone(),
            notes: notes.clone(),
            known: known.like(&described.identity).into_keys().collect(),
        },
        Err(Unfit { reason, column, same_as }) => {
            Outcome::Refused { reason: *reason, column: *column, same_as: *same_as }
        }
    };
    Verdict { line: row.line, outcome }
}

fn command(manifest: ManifestId, row: &Row, circumstances: &Circumstances) -> Option<(ArrivalId, arrival::Command)> {
    let Arriving { codes, needs, .. } = row.content.as_ref().ok()?;
    let arrival = arrival_of(manifest, row.line);
    let command = arrival::Command::Register {
        person: arrival.reinterpret(),
        circumstances: circumstances.clone(),
        codes: codes.clone(),
        needs: needs.clone(),
        by_request: None,
    };
    Some((arrival, command))
}

/// An arrival is refused only when its id is taken.
fn refused(error: arrival::Error) -> Outcome {
    Outcome::Refused { reason: error.reason().parse().unwrap_or(Reason::ArrivalIdTaken), column: None, same_as: None }
}
