//! Papers and photographs: that they are there. What they show is in the vault.

use serde::{Deserialize, Serialize};
use spean_vocabulary::{AttachmentId, Date};

use super::words::{AttachmentKind, MediaType, RetractReason};
use super::{Case, Error, Event};

/// Most files of a person: enough for every paper of a long procedure.
pub const MOST_ATTACHMENTS: usize = 50;

/// A file, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it holds.
    pub kind: AttachmentKind,
    /// What form it has.
    pub media_type: MediaType,
    /// How large it is.
    pub size_bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
    /// The day on which it was made or received.
    pub made_on: Date,
}

/// A file with whether it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAttachment {
    /// The file.
    pub attachment: Attachment,
    /// Whether it was destroyed.
    pub removed: bool,
}

impl Case {
    /// A file that is there; none when it never was, or is no more.
    pub fn attachment(&self, id: AttachmentId) -> Option<&Attachment> {
        let known = self.attachments.get(&id).filter(|known| !known.removed && !self.erased)?;
        Some(&known.attachment)
    }

    pub(super) fn attach(&self, attachment_id: AttachmentId, attachment: Attachment) -> Result<Vec<Event>, Error> {
        self.open_file()?;
        if let Some(known) = self.attachments.get(&attachment_id) {
            return if known.attachment == attachment { Ok(vec![]) } else { Err(Error::AttachmentIdTaken) };
        }
        if self.attachments.values().filter(|known| !known.removed).count() >= MOST_ATTACHMENTS {
            return Err(Error::TooManyAttachments);
        }
        Ok(vec![Event::AttachmentAdded { attachment_id, attachment }])
    }

    pub(super) fn remove_attachment(
        &self,
        attachment_id: AttachmentId,
        reason: RetractReason,
        on: Date,
    ) -> Result<Vec<Event>, Error> {
        self.file.as_ref().ok_or(Error::NoSuchCase)?;
        let known = self.attachments.get(&attachment_id).ok_or(Error::NoSuchAttachment)?;
        Ok(if known.removed { vec![] } else { vec![Event::AttachmentRemoved { attachment_id, reason, on }] })
    }
}
