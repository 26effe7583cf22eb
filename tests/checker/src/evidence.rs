//! All that a network left behind, and the judgement on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::canary;
use crate::custody::Custody;
use crate::database::Databases;
use crate::directory::Directory;
use crate::journal::{self, Line};
use crate::letters::{self, Letters};
use crate::report::{Check, Report};
use crate::{calls, log, vault};

/// The services that have a log and a post office.
const SERVICES: [&str; 7] = ["cases", "directory", "followup", "insight", "referral", "repatriation", "shelter"];

/// What is judged.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// A folder with `directory.json` and a folder for each node, in which its `node.toml` lies; whatever else lies in
    /// it (broker files, logs, backups) is searched for planted words. The network is stopped, or quiet.
    pub folder: PathBuf,
    /// What people asked for and were answered.
    pub journals: Vec<PathBuf>,
    /// Words that were planted in the data of persons.
    pub canaries: Vec<String>,
    /// Reasons by which a letter may lie dead or set aside, because the run itself brought it about.
    pub explained: BTreeSet<String>,
    /// Checks that the run cannot stand, such as [`Check::C7`] when its words were planted in the open.
    pub but: BTreeSet<Check>,
}

/// What the checker needs of a node's settings.
#[derive(Debug, Deserialize)]
struct Settings {
    node: String,
    data: PathBuf,
    root: String,
    database: Option<String>,
}

/// Judges a network by what it left behind.
///
/// # Errors
/// When the evidence cannot be read. That is no acquittal.
pub async fn judge(evidence: &Evidence) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let nodes = nodes(&evidence.folder)?;
    let root = &nodes.first().context("there is no node in this folder")?.root;
    let directory = Directory::read(&evidence.folder.join("directory.json"), root)?;
    let mut lines = Vec::new();
    for journal in &evidence.journals {
        lines.extend(journal::read(journal).with_context(|| format!("the journal {}", journal.display()))?);
    }
    let (mut custody, mut letters, mut registered) = (Custody::default(), Letters::default(), BTreeMap::new());
    for settings in &nodes {
        for service in SERVICES {
            let Some(mut database) = settings.databases().open(service).await? else { continue };
            let name = format!("{}/{service}", settings.node);
            let read = log::read(&mut database, |event| {
                custody.take(event);
                if event.category == "case" && event.kind == "registered" {
                    *registered.entry(event.id.clone()).or_default() += 1;
                }
            });
            let (wrong, events) = read.await.with_context(|| format!("the log of {name}"))?;
            report.count("events", events);
            for words in wrong {
                report.find(Check::C6, format!("{name}: {words}"));
            }
            let read = letters.read(&name, &evidence.explained, &mut database, &mut report);
            read.await.with_context(|| format!("the post of {name}"))?;
        }
    }
    custody.certificates.check(&directory, &mut report);
    custody.certificates.check_holders(&custody.mine(), &mut report);
    let put_back: BTreeSet<&str> = lines.iter().filter_map(Line::put_back).collect();
    custody.check(&|office| put_back.contains(directory.node_of(office)), &mut report);
    letters.check(&mut report);
    for settings in &nodes {
        if let Some(mut database) = settings.databases().open("referral").await? {
            let compared = custody.compare(&settings.node, &directory, &mut database, &mut report);
            compared.await.with_context(|| format!("the tables of {}", settings.node))?;
        }
        if let Some(mut database) = settings.databases().open("vault").await? {
            let checked = vault::check(&settings.node, &custody, &directory, &mut database, &mut report);
            checked.await.with_context(|| format!("the vault of {}", settings.node))?;
        }
    }
    report.count("cases", custody.certificates.cases().count());
    report.count("calls", lines.iter().filter(|line| matches!(line, Line::Asked(_))).count());
    calls::check_effects(&lines, &custody, &registered, &directory, &mut report);
    calls::check_reads(&lines, &directory, &mut report);
    if !evidence.canaries.is_empty() && !evidence.but.contains(&Check::C7) {
        let (found, files) = canary::find(&evidence.folder, &evidence.canaries, &["keys"])?;
        report.count("files", files);
        for words in found {
            report.find(Check::C7, words);
        }
    }
    report.findings.retain(|finding| !evidence.but.contains(&finding.check));
    report.findings.sort();
    report.findings.dedup();
    Ok(report)
}

/// The letters of all services that are still on their way, or that wait for others or for people: what there is before
/// a network is quiet.
///
/// # Errors
/// When a database cannot be read.
pub async fn on_their_way(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut report = Report::default();
    for settings in nodes(folder)? {
        for service in SERVICES {
            let Some(mut database) = settings.databases().open(service).await? else { continue };
            let name = format!("{}/{service}", settings.node);
            letters::waiting(&name, &mut database, &mut report).await.with_context(|| format!("the post of {name}"))?;
        }
    }
    Ok(report.findings.into_iter().map(|finding| finding.words).collect())
}

fn nodes(folder: &Path) -> anyhow::Result<Vec<Settings>> {
    let mut nodes = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("the folder {}", folder.display()))? {
        let file = entry?.path().join("node.toml");
        if let Ok(text) = fs::read_to_string(&file) {
            nodes.push(toml::from_str(&text).with_context(|| format!("the settings {}", file.display()))?);
        }
    }
    nodes.sort_by(|one: &Settings, other| one.node.cmp(&other.node));
    Ok(nodes)
}

impl Settings {
    fn databases(&self) -> Databases {
        match &self.database {
            Some(url) => Databases::Server(url.clone()),
            None => Databases::Files(self.data.clone()),
        }
    }
}
