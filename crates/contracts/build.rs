//! Compiles `proto/` with a compiler written in Rust, so that nobody has to install `protoc`.

use std::env;
use std::path::PathBuf;

use prost::Message as _;

const PROTOS: &[&str] = &[
    "spean/cases/v1/attachment_service.proto",
    "spean/cases/v1/cases.proto",
    "spean/cases/v1/cases_events.proto",
    "spean/cases/v1/cases_service.proto",
    "spean/directory/v1/directory_events.proto",
    "spean/directory/v1/directory_service.proto",
    "spean/followup/v1/followup.proto",
    "spean/followup/v1/followup_events.proto",
    "spean/followup/v1/followup_service.proto",
    "spean/followup/v1/fund_service.proto",
    "spean/followup/v1/meeting.proto",
    "spean/followup/v1/meeting_events.proto",
    "spean/followup/v1/meeting_service.proto",
    "spean/followup/v1/safety_service.proto",
    "spean/followup/v1/supervision_service.proto",
    "spean/followup/v1/support_service.proto",
    "spean/insight/v1/insight_events.proto",
    "spean/insight/v1/insight_service.proto",
    "spean/policy/v1/policy_service.proto",
    "spean/referral/v1/need_events.proto",
    "spean/referral/v1/need_service.proto",
    "spean/referral/v1/referral.proto",
    "spean/referral/v1/referral_events.proto",
    "spean/referral/v1/referral_service.proto",
    "spean/referral/v1/report.proto",
    "spean/referral/v1/report_events.proto",
    "spean/referral/v1/report_service.proto",
    "spean/repatriation/v1/repatriation_events.proto",
    "spean/repatriation/v1/repatriation_service.proto",
    "spean/shelter/v1/shelter_events.proto",
    "spean/shelter/v1/shelter_service.proto",
    "spean/vocabulary/v1/vocabulary.proto",
];

fn main() -> anyhow::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let descriptors = protox::compile(PROTOS, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
