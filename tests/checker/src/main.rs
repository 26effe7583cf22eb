//! `checker`: judges a network by what it left behind, and ends with 0 only when all is as it should be.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use spean_checker::{Evidence, judge};

/// Was anything lost or doubled, and has every case one holder?
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of a network that is stopped or quiet: `directory.json`, and a folder with a `node.toml` for each node.
    folder: PathBuf,
    /// What people asked for and were answered; more than once when there are several journals.
    #[arg(long = "journal", value_name = "FILE")]
    journals: Vec<PathBuf>,
    /// A word that was planted in the data of persons; more than once when there are several.
    #[arg(long = "canary", value_name = "WORD")]
    canaries: Vec<String>,
    /// A reason by which a letter may lie dead or set aside, because the run brought it about.
    #[arg(long = "explained", value_name = "REASON")]
    explained: Vec<String>,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { folder, journals, canaries, explained, json } = Arguments::parse();
    let explained = explained.into_iter().collect();
    let report = judge(&Evidence { folder, journals, canaries, explained, ..Evidence::default() }).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
