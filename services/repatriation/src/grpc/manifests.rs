//! Lists of arrivals.

use spean_chassis::words::instant;
use spean_chassis::{Call, field, status};
use spean_contracts::repatriation::v1::{self as wire};
use spean_eventstore::HandleError;
use spean_vocabulary::ManifestId;
use tonic::{Request, Status};

use super::{Grpc, count, read_circumstances};
use crate::import::{ImportError, Submission};
use crate::manifest::Manifest;
use crate::sheet::File;
use crate::verdicts::{self, Seen};

pub(super) async fn import_manifest(
    grpc: &Grpc,
    request: Request<wire::ImportManifestRequest>,
) -> Result<wire::ImportManifestResponse, Status> {
    let (call, request) = grpc.node.gate.open("ImportManifest", request)?;
    let manifest: ManifestId = field::parse("manifest_id", &request.manifest_id)?;
    let (field, file) = match (request.csv.is_empty(), request.xlsx.is_empty()) {
        (_, true) => ("csv", File::Csv(request.csv)),
        (true, false) => ("xlsx", File::Xlsx(request.xlsx)),
        (false, false) => return Err(status::invalid("xlsx", "nothing beside csv: one list at a time")),
    };
    let known = grpc.store.load::<Manifest>(&manifest.to_string()).await.map_err(|error| status::store(&error))?;
    let today = known.state.circumstances().map_or(call.today(), |circumstances| circumstances.arrived_on);
    let circumstances = read_circumstances(request.circumstances, today, &call)?;
    let (context, metadata) = (call.context()?, call.metadata()?);
    let submission = Submission { manifest, file, circumstances, context, metadata };
    let refused = |error| import_status(field, error);
    let verdicts = if request.preview {
        let preview = grpc.importer.preview(&submission).await.map_err(refused)?;
        let preview = preview.into_iter().map(|verdict| write_verdict(verdict.into()));
        preview.map(|verdict| wire::RowVerdict { arrival_id: String::new(), ..verdict }).collect()
    } else {
        // In a task of its own, which goes on when the caller hangs up: the line of an office may be bad.
        let importer = grpc.importer.clone();
        let import = tokio::spawn(async move { importer.import(submission).await });
        import.await.map_err(|error| status::bug(&error))?.map_err(refused)?;
        report(grpc, manifest, &call).await?.verdicts.into_iter().map(write_verdict).collect::<Vec<_>>()
    };
    let accepted = verdicts.iter().filter(|verdict| verdict.accepted).count();
    Ok(wire::ImportManifestResponse {
        rows: count(verdicts.len()),
        accepted: count(accepted),
        refused: count(verdicts.len() - accepted),
        verdicts,
    })
}

pub(super) async fn get_manifest(
    grpc: &Grpc,
    request: Request<wire::GetManifestRequest>,
) -> Result<wire::GetManifestResponse, Status> {
    let (call, request) = grpc.node.gate.open("GetManifest", request)?;
    let manifest = field::parse("manifest_id", &request.manifest_id)?;
    let report = report(grpc, manifest, &call).await?;
    let accepted = report.verdicts.iter().filter(|row| row.reason.is_empty()).count();
    Ok(wire::GetManifestResponse {
        rows: count(report.rows),
        accepted: count(accepted),
        refused: count(report.verdicts.len() - accepted),
        verdicts: report.verdicts.into_iter().map(write_verdict).collect(),
        finished_at: report.finished_at.map(instant),
    })
}

async fn report(grpc: &Grpc, manifest: ManifestId, call: &Call) -> Result<verdicts::Report, Status> {
    let report = verdicts::report(manifest, call.office()?, grpc.store.reader()).await.map_err(status::query)?;
    report.ok_or_else(|| status::not_found("manifest"))
}

fn write_verdict(seen: Seen) -> wire::RowVerdict {
    wire::RowVerdict {
        line: count(seen.line),
        accepted: seen.reason.is_empty(),
        reason: seen.reason,
        column: seen.column,
        arrival_id: seen.arrival_id,
        missing: seen.missing,
        notes: seen.notes,
        known_case_ids: seen.known,
        same_as_line: count(seen.same_as),
    }
}

fn import_status(field: &str, error: ImportError) -> Status {
    match error {
        ImportError::Unreadable(unreadable) => status::invalid(field, unreadable),
        ImportError::Manifest(error @ (HandleError::Refused(_) | HandleError::CommandIdReused)) => {
            status::handled(error)
        }
        ImportError::Manifest(HandleError::Store(error)) | ImportError::Store(error) => status::store(&error),
        ImportError::Vault(error) => status::vault(&error),
    }
}
