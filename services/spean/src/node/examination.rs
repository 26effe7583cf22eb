//! Is what stands in the databases what was written? Every log from its first event to its last, every read model, every
//! certificate, every record of the vault.

use std::collections::BTreeMap;
use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use spean_eventstore::{Beside, Chain, Snapshot, StoreError, VerifyError};
use spean_identity::{Directory, NodeKeys};
use spean_messaging::post::{BackedUp, Marked};
use spean_referral::audit::Audit;
use spean_vault::Examination;
use spean_vocabulary::Service;

use super::databases::{Databases, VAULT};
use crate::services;

/// How many events are looked at in one go.
const PAGE: i64 = 500;
/// How many differences of one kind are told.
const TOLD: usize = 5;
/// Widest table, in columns.
const WIDTH: u16 = 110;

/// What is known of a node from outside its databases.
pub(super) struct Examiner<'n> {
    pub(super) directory: &'n Directory,
    pub(super) keys: &'n NodeKeys,
    /// A folder for what is built beside.
    pub(super) scratch: &'n Path,
    /// How far each log must have got.
    pub(super) recorded: Vec<(Service, Marked)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<Line>,
    /// How far each log has got.
    pub(super) heads: BTreeMap<Service, BackedUp>,
}

#[derive(Debug)]
struct Line {
    what: String,
    sound: bool,
    found: String,
}

impl Report {
    fn note(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.lines.push(Line { what: what.into(), sound: true, found: found.into() });
    }

    fn differ(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.lines.push(Line { what: what.into(), sound: false, found: found.into() });
    }

    /// How many lines tell of a difference.
    pub(super) fn differences(&self) -> usize {
        self.lines.iter().filter(|line| !line.sound).count()
    }

    /// Prints it as a table.
    pub(super) fn print(&self) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
        table.set_header(["WHAT", "IS", "FOUND"]);
        for line in &self.lines {
            table.add_row([line.what.as_str(), if line.sound { "sound" } else { "DIFFERENT" }, &line.found]);
        }
        println!("{table}");
    }
}

impl Examiner<'_> {
    /// Goes through everything. Fails only when something cannot be looked at; what it finds stands in the report.
    pub(super) async fn examine(&self, databases: &Databases) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let services = databases.services().await?;
        for service in &services {
            self.log(databases, *service, &mut report).await?;
        }
        for (service, recorded) in &self.recorded {
            if recorded.position > 0 && !services.contains(service) {
                report.differ(format!("{service}: log"), format!("gone; it had {} events", recorded.position));
            }
        }
        self.vault(databases, &mut report).await?;
        Ok(report)
    }

    async fn log(&self, databases: &Databases, service: Service, report: &mut Report) -> anyhow::Result<()> {
        let name = service.to_string();
        let log = services::log(service);
        let mut snapshot = Snapshot::open(&databases.url(&name), &name).await?;
        let beside = self.scratch.join(format!("{name}-beside.sqlite"));
        let mut beside = Beside::open(&beside, &log.tables, log.read_models.clone()).await?;
        let mut audit = (service == Service::Referral).then(|| Audit::new(self.directory));
        let mut chain = Chain::default();
        let mut unread = Vec::new();
        let mut buildable = Ok(());
        loop {
            let events = match snapshot.events_after(chain.verified().events, PAGE).await {
                Err(StoreError::Unreadable { position }) => {
                    report.differ(format!("{name}: log"), format!("broken at position {position}"));
                    return Ok(());
                }
                events => events?,
            };
            if events.is_empty() {
                break;
            }
            for event in &events {
                match chain.follow(event) {
                    Ok(()) => {}
                    Err(VerifyError::Broken { position }) => {
                        report.differ(format!("{name}: log"), format!("broken at position {position}"));
                        return Ok(());
                    }
                    Err(VerifyError::Store(error)) => return Err(error.into()),
                }
                if !log.reads(event) {
                    unread.push(format!("{} ({} of {})", event.position, event.event_type, event.category));
                }
                if let Some(audit) = &mut audit {
                    audit.take(event);
                }
                for recorded in self.recorded_of(service).filter(|recorded| recorded.position == event.position) {
                    if recorded.hash != event.hash.to_string() {
                        let found = format!("another event than recorded at {}", event.position);
                        report.differ(format!("{name}: head"), found);
                    }
                }
            }
            if buildable.is_ok() {
                buildable = beside.take(&events).await;
            }
        }
        let verified = chain.verified();
        report.note(
            format!("{name}: log"),
            format!("{} events, head {}", verified.events, short(&verified.head_hash.to_string())),
        );
        if let Some(recorded) = self.recorded_of(service).find(|recorded| recorded.position > verified.events) {
            let found = format!("{} events are recorded, {} are there", recorded.position, verified.events);
            report.differ(format!("{name}: head"), found);
        }
        if !unread.is_empty() {
            report.differ(format!("{name}: events"), told(unread, "cannot be read by this version, at "));
        }
        match buildable {
            Ok(()) => compare(&name, &mut beside, &mut snapshot, verified.events, report).await?,
            Err(error) => report.differ(format!("{name}: lists"), format!("cannot be built from the log: {error}")),
        }
        if let Some(audit) = audit {
            custody(audit, report);
        }
        let head = BackedUp::of_copy(verified.events, hash_of(&verified), snapshot.connection()).await?;
        report.heads.insert(service, head);
        snapshot.close().await;
        beside.close().await;
        Ok(())
    }

    fn recorded_of(&self, service: Service) -> impl Iterator<Item = &Marked> {
        self.recorded.iter().filter(move |(of, _)| *of == service).map(|(_, recorded)| recorded)
    }

    async fn vault(&self, databases: &Databases, report: &mut Report) -> anyhow::Result<()> {
        if !databases.has(VAULT).await? {
            report.note(VAULT, "none");
            return Ok(());
        }
        let examination = Examination::of(&databases.url(VAULT), self.keys).await?;
        let Examination { people, records, erased, sealed_for_others, flaws } = examination;
        if sealed_for_others {
            report.differ(VAULT, format!("sealed with the keys of another node: {records} records of {people} people"));
        } else if flaws.is_empty() {
            report.note(VAULT, format!("{records} records of {people} people open, {erased} went with erasures"));
        } else {
            report.differ(VAULT, told(flaws.iter().map(ToString::to_string).collect(), ""));
        }
        Ok(())
    }
}

async fn compare(
    name: &str,
    beside: &mut Beside,
    snapshot: &mut Snapshot,
    events: i64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let comparisons = beside.compare(snapshot).await?;
    let (tables, mut rows) = (comparisons.len(), 0);
    let mut sound = true;
    let mut looked_at = "";
    for comparison in comparisons {
        rows += comparison.rows;
        let state = snapshot.read_model(comparison.read_model).await?;
        let is_another = std::mem::replace(&mut looked_at, comparison.read_model) != comparison.read_model;
        if let Some(state) = state.filter(|state| is_another && state.is_live && state.position != events) {
            sound = false;
            let found = format!("is at event {}, the log at {events}", state.position);
            report.differ(format!("{name}: {}", comparison.read_model), found);
        }
        if comparison.differences > 0 {
            sound = false;
            let differences = comparison.told.iter().map(ToString::to_string).collect();
            let found = format!("{} rows: {}", comparison.differences, told(differences, ""));
            report.differ(format!("{name}: {}", comparison.table), found);
        }
    }
    if sound {
        report.note(format!("{name}: lists"), format!("{rows} rows in {tables} tables are what the log says"));
    }
    Ok(())
}

fn custody(audit: Audit<'_>, report: &mut Report) {
    let findings = audit.finish();
    if findings.flaws.is_empty() {
        let found = format!(
            "{} cases, {} certificates genuine, one holder each; {} held here",
            findings.cases, findings.certificates, findings.held
        );
        report.note("custody", found);
    } else {
        report.differ("custody", told(findings.flaws.iter().map(ToString::to_string).collect(), ""));
    }
}

fn told(mut differences: Vec<String>, before: &str) -> String {
    let more = differences.len().saturating_sub(TOLD);
    differences.truncate(TOLD);
    let differences = differences.join("; ");
    if more == 0 { format!("{before}{differences}") } else { format!("{before}{differences}; and {more} more") }
}

fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}

/// As marks have it: nothing before the first event.
fn hash_of(verified: &spean_eventstore::Verified) -> String {
    if verified.events == 0 { String::new() } else { verified.head_hash.to_string() }
}
