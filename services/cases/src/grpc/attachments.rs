//! Papers and photographs: their content goes to the vault and to nowhere else.

use spean_chassis::{Call, field, status};
use spean_contracts::cases::v1 as wire;
use spean_eventstore::Digest;
use spean_vault::LARGEST_ATTACHMENT_BYTES;
use spean_vocabulary::{AttachmentId, CaseId, PersonId};
use tonic::Status;

use super::words::{read_attachment_kind, read_retract_reason, write_media_type};
use super::{Grpc, read, reader, write};
use crate::case::{Attachment, Case, Command};
use crate::{shelf, sniff};

impl Grpc {
    pub(super) async fn add_attachment(
        &self,
        call: &Call,
        request: wire::AddAttachmentRequest,
    ) -> Result<wire::AddAttachmentResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let attachment_id: AttachmentId = field::parse("attachment_id", &request.attachment_id)?;
        let bytes = request.content;
        if bytes.len() > LARGEST_ATTACHMENT_BYTES {
            return Err(status::invalid("content", format_args!("at most {LARGEST_ATTACHMENT_BYTES} bytes")));
        }
        let media_type = sniff::media_type(&bytes);
        let media_type = media_type.ok_or_else(|| status::invalid("content", "a JPEG, PNG, PDF or TIFF file"))?;
        let digest = Digest::of(&bytes).to_string();
        let attachment = Attachment {
            kind: read_attachment_kind("kind", request.kind)?,
            media_type,
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            digest: digest.clone(),
            made_on: field::day_so_far("made_on", &request.made_on, call.today())?,
        };
        self.permit(call, case).await?;
        let (context, metadata) = (call.context()?, call.metadata()?);
        let (node, person): (_, PersonId) = (self.node.clone(), case.reinterpret());
        let added = self.store.transact(move |transaction| {
            Box::pin(async move {
                let id = case.to_string();
                let command = Command::Attach { attachment_id, attachment };
                let decided = transaction.decide::<Case>(&id, command, &context, &metadata).await;
                decided.map_err(status::handled)?;
                // Between the decision and its commit: what is refused is not kept, and what is on record is there.
                // Asked again, what was destroyed meanwhile stays so.
                let known = transaction.load::<Case>(&id).await.map_err(|error| status::store(&error))?;
                if known.state.attachment(attachment_id).is_some() {
                    let kept = node.vault.keep_attachment(person, attachment_id, &bytes, context.now).await;
                    kept.map_err(|error| status::vault(&error))?;
                }
                Ok::<_, Status>(())
            })
        });
        added.await.map_err(status::transacted)?;
        self.put_down(case).await;
        Ok(wire::AddAttachmentResponse { media_type: write_media_type(media_type).into(), digest })
    }

    pub(super) async fn read_attachment(
        &self,
        call: &Call,
        request: wire::ReadAttachmentRequest,
    ) -> Result<wire::ReadAttachmentResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let attachment_id: AttachmentId = field::parse("attachment_id", &request.attachment_id)?;
        let purpose = field::required_text("purpose", &request.purpose, read::LONGEST_PURPOSE)?;
        self.permit(call, case).await?;
        let papers = shelf::of_case(&request.case_id, self.store.reader()).await.map_err(status::query)?;
        let paper = papers.into_iter().find(|paper| paper.attachment_id == attachment_id.to_string());
        let paper = paper.ok_or_else(|| status::not_found("attachment"))?;
        let reader = reader(call, purpose)?;
        let content = self.node.vault.attachment(case.reinterpret(), attachment_id, &reader, call.now).await;
        let content = content.map_err(|error| status::vault(&error))?;
        let content = content.ok_or_else(|| status::not_found("attachment"))?;
        Ok(wire::ReadAttachmentResponse { attachment: Some(write::attachment(paper)), content: content.to_vec() })
    }

    pub(super) async fn list_attachments(
        &self,
        call: &Call,
        request: wire::ListAttachmentsRequest,
    ) -> Result<wire::ListAttachmentsResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        self.permit(call, case).await?;
        let papers = shelf::of_case(&case.to_string(), self.store.reader()).await.map_err(status::query)?;
        Ok(wire::ListAttachmentsResponse { attachments: papers.into_iter().map(write::attachment).collect() })
    }

    pub(super) async fn remove_attachment(
        &self,
        call: &Call,
        request: wire::RemoveAttachmentRequest,
    ) -> Result<wire::RemoveAttachmentResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let attachment_id: AttachmentId = field::parse("attachment_id", &request.attachment_id)?;
        let reason = read_retract_reason("reason", request.reason)?;
        self.permit(call, case).await?;
        self.handle(case, Command::RemoveAttachment { attachment_id, reason }, call).await?;
        // Should the power fail between the two, asking again completes it.
        let discarded = self.node.vault.discard_attachment(case.reinterpret(), attachment_id).await;
        discarded.map_err(|error| status::vault(&error))?;
        Ok(wire::RemoveAttachmentResponse {})
    }
}
