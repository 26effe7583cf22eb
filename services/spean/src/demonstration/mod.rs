//! `spean demo`: a network of six agencies on this machine, and five stories in it that must come out right.

pub mod agencies;
mod books;
pub mod narrator;
pub mod staff;
pub mod stage;
pub mod stories;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
pub use books::compare;
use clap::Args;
use narrator::Narrator;
use spean_identity::Role;
use stage::{Layout, Stage};

use crate::files;

/// Plays the demonstration.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  spean demo --keep")]
pub struct Demonstration {
    /// Leaves the network running afterwards, and says what to try next.
    #[arg(long)]
    keep: bool,
    /// Keeps all files of the network in this folder, which must not exist; a temporary one when left out.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Demonstration {
    /// Plays it. An error means that a promise was broken.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(self.play())
    }

    async fn play(self) -> anyhow::Result<()> {
        let narrator = Narrator::aloud();
        let temporary = tempfile::tempdir()?;
        let folder = self.folder.clone().unwrap_or_else(|| temporary.path().join("network"));
        anyhow::ensure!(!folder.exists(), "{} exists already", folder.display());
        narrator.line("ស្ពាន Spean: a case that is handed over here can't get lost.");
        narrator.tell("Six agencies, each its own process, database, keys and account at the broker.");
        let program = std::env::current_exe().context("the path of this program")?;
        let began = tokio::time::Instant::now();
        let mut stage = Stage::set(Layout { folder, program, databases: BTreeMap::new(), telemetry: None }).await?;
        narrator.kept(&format!("The network is up after {:.1} s", began.elapsed().as_secs_f64()));
        let outcome = tokio::select! {
            outcome = stories(&mut stage, &narrator) => outcome,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
        };
        if outcome.is_err() {
            let kept = temporary.keep();
            narrator.line(&format!("\n ✗ A promise was broken. Logs and databases: {}", kept.display()));
            return outcome;
        }
        let memory: u64 = stage.process_ids().into_iter().filter_map(resident_kilobytes).sum();
        let seconds = began.elapsed().as_secs_f64();
        narrator.line(&format!("\n   {seconds:.0} s, {} MB of memory for the whole network.", memory / 1024));
        if self.keep {
            keep(&stage, &narrator).await?;
        }
        Ok(())
    }
}

/// Plays all stories, then compares the books.
pub async fn stories(stage: &mut Stage, narrator: &Narrator) -> anyhow::Result<()> {
    let mut cases = stories::six_girls(stage, narrator).await?;
    cases.extend(stories::seventeen_men(stage, narrator).await?);
    cases.extend(stories::both_at_once(stage, narrator).await?);
    cases.extend(stories::power_cut(stage, narrator).await?);
    cases.extend(stories::whole_way(stage, narrator).await?);
    compare(stage, narrator, &cases).await
}

/// Leaves the network running until Ctrl-C.
async fn keep(stage: &Stage, narrator: &Narrator) -> anyhow::Result<()> {
    let address = stage.address("kandal")?;
    let token = stage.token("kd-02", agencies::KANDAL, &[Role::Caseworker, Role::Supervisor])?;
    let token_file = stage.folder().join("kandal-token");
    files::replace_secret(&token_file, &token)?;
    let program = std::env::current_exe()?;
    let (program, token_file) = (program.display(), token_file.display());
    narrator.chapter("The network is yours until Ctrl-C");
    for node in agencies::NODES {
        narrator.tell(&format!("{node:<18} {}", stage.address(node)?));
    }
    narrator.line(&format!(
        "\n   With our own command line:\n\
         \x20  {program} case held --node {address} --token-file {token_file}\n\
         \x20  {program} referral inbox --node {address} --token-file {token_file}\n\
         \n   With any gRPC client; reflection is on:\n\
         \x20  buf curl --protocol grpc --http2-prior-knowledge --list-methods http://{address}\n\
         \x20  buf curl --protocol grpc --http2-prior-knowledge -H \"authorization: Bearer $(cat {token_file})\" \\\n\
         \x20    -d '{{\"place\":\"080205\"}}' http://{address}/spean.directory.v1.DirectoryService/WhoServes"
    ));
    tokio::signal::ctrl_c().await?;
    // The last words of the nodes are written before their folder goes.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}

fn resident_kilobytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
