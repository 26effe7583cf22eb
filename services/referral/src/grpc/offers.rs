//! Offering, answering, and what came of it.

use std::time::Duration;

use spean_chassis::words::{instant, read_instant, read_need, read_urgency};
use spean_chassis::{Call, Page, field, person, status};
use spean_contracts::referral::v1 as wire;
use spean_custody::Digest;
use spean_custody::case::{Command, OfferTerms, ServiceOutcome};
use spean_identity::{OfficeLevel, Standing};
use spean_vault::{Direction, DossierError, Reader};
use spean_vocabulary::{CaseId, Need, OfferId, OfficeId, Timestamp};
use tonic::Status;

use super::{Grpc, read, write};
use crate::dossiers::Handoff;
use crate::subject::{Permission, Subject};
use crate::worklist::{self, Entry, List};
use crate::{dossiers, subject};

/// Longest note to the receiver, in characters.
const LONGEST_NOTE: usize = 4_000;
/// Longest purpose of a reading, in characters.
const LONGEST_PURPOSE: usize = 200;
/// How long an offer waits for news of a case that was opened a moment ago.
const NEWS_WITHIN: Duration = Duration::from_secs(5);
/// How long it waits for news of a consent.
const CONSENT_WITHIN: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Grpc {
    pub(super) async fn offer_referral(
        &self,
        call: &Call,
        request: wire::OfferReferralRequest,
    ) -> Result<wire::OfferReferralResponse, Status> {
        let offer: OfferId = field::parse("offer_id", &request.offer_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let to: OfficeId = field::parse("to_office_id", &request.to_office_id)?;
        let kind = read::kind(request.kind)?;
        let need = read_need("need", request.need)?;
        let urgency = read_urgency("urgency", request.urgency)?;
        let answer_due_at = match &request.answer_due_at {
            None => call.now.plus_hours(urgency.answer_within_hours()),
            Some(due) => read_instant("answer_due_at", due, call.now)?,
        };
        if answer_due_at < call.now {
            return Err(status::invalid("answer_due_at", "an instant that is still to come"));
        }
        let note = field::text("note", &request.note, LONGEST_NOTE)?.unwrap_or_default();
        let addressee = self.desk.party(&to);
        let addressee = addressee.ok_or_else(|| status::invalid("to_office_id", "an office of the directory"))?;
        if self.desk.directory().office(&to).is_some_and(|office| office.level == OfficeLevel::Commune) {
            return Err(status::invalid("to_office_id", "an office that holds cases; a commune does not"));
        }
        self.refuse_while_recovering()?;
        let office = call.office()?.clone();
        let subject = self.subject(call, case).await?;
        if let Some(known) = worklist::find(&office, offer, self.store.reader()).await.map_err(status::query)? {
            return repeated(&known, case, &to, [kind.to_string(), need.to_string(), urgency.to_string()]);
        }
        let permission = self.permission(case, &to, need).await?;
        let reader =
            Reader { staff: call.caller.staff.clone(), office: office.clone(), purpose: format!("a referral to {to}") };
        let handoff = Handoff { offer, case, from: &office, to: &to, permission: &permission };
        let digest = dossiers::prepare(&self.desk, &handoff, note, &reader, call.now).await;
        let terms = OfferTerms {
            kind,
            need,
            urgency,
            answer_due_at,
            case_number: subject.case_number,
            preview: subject.preview,
            dossier_digest: Some(Digest::from_bytes(digest.map_err(dossier_status)?)),
            consent: Some(permission.consent),
            instead_of: None,
        };
        self.handle(call, case, Command::Offer { offer, to: addressee, terms }).await?;
        Ok(wire::OfferReferralResponse { answer_due_at: Some(instant(answer_due_at)) })
    }

    pub(super) async fn withdraw_offer(
        &self,
        call: &Call,
        request: wire::WithdrawOfferRequest,
    ) -> Result<wire::WithdrawOfferResponse, Status> {
        let reason = read::withdraw_reason(request.reason)?;
        let (offer, case, _) = self.offer(call, &request.offer_id).await?;
        self.handle(call, case, Command::Withdraw { offer, reason }).await?;
        Ok(wire::WithdrawOfferResponse {})
    }

    pub(super) async fn accept_offer(
        &self,
        call: &Call,
        request: wire::AcceptOfferRequest,
    ) -> Result<wire::AcceptOfferResponse, Status> {
        let (offer, case, _) = self.offer(call, &request.offer_id).await?;
        self.handle(call, case, Command::Accept { offer }).await?;
        Ok(wire::AcceptOfferResponse {})
    }

    pub(super) async fn decline_offer(
        &self,
        call: &Call,
        request: wire::DeclineOfferRequest,
    ) -> Result<wire::DeclineOfferResponse, Status> {
        let reason = read::decline_reason(request.reason)?;
        let (offer, case, _) = self.offer(call, &request.offer_id).await?;
        self.handle(call, case, Command::Decline { offer, reason }).await?;
        Ok(wire::DeclineOfferResponse {})
    }

    pub(super) async fn conclude_service(
        &self,
        call: &Call,
        request: wire::ConcludeServiceRequest,
    ) -> Result<wire::ConcludeServiceResponse, Status> {
        let outcome = read::outcome(request.outcome)?;
        if self.is_concluded(call, &request.offer_id, outcome).await? {
            return Ok(wire::ConcludeServiceResponse {});
        }
        let (offer, case, _) = self.offer(call, &request.offer_id).await?;
        self.handle(call, case, Command::Conclude { offer, outcome }).await?;
        Ok(wire::ConcludeServiceResponse {})
    }

    pub(super) async fn get_offer(
        &self,
        call: &Call,
        request: wire::GetOfferRequest,
    ) -> Result<wire::GetOfferResponse, Status> {
        let (_, _, entry) = self.offer(call, &request.offer_id).await?;
        Ok(wire::GetOfferResponse { offer: Some(self.shown(entry, call.now).await?) })
    }

    pub(super) async fn list_worklist(
        &self,
        call: &Call,
        request: wire::ListWorklistRequest,
    ) -> Result<wire::ListWorklistResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let list = match wire::Worklist::try_from(request.worklist) {
            Ok(wire::Worklist::Unspecified) => List::All,
            Ok(wire::Worklist::ToAnswer) => List::ToAnswer,
            Ok(wire::Worklist::Waiting) => List::Waiting,
            Ok(wire::Worklist::Bound) => List::Bound,
            Err(_) => return Err(status::invalid("worklist", "one of the values of Worklist")),
        };
        let entries = worklist::list(call.office()?, list, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let mut offers = Vec::with_capacity(entries.len());
        for entry in entries {
            offers.push(self.shown(entry, call.now).await?);
        }
        Ok(wire::ListWorklistResponse { offers, page })
    }

    pub(super) async fn open_dossier(
        &self,
        call: &Call,
        request: wire::OpenDossierRequest,
    ) -> Result<wire::OpenDossierResponse, Status> {
        let purpose = field::required_text("purpose", &request.purpose, LONGEST_PURPOSE)?;
        let (offer, case, _) = self.offer(call, &request.offer_id).await?;
        let office = call.office()?.clone();
        let reader = Reader { staff: call.caller.staff.clone(), office: office.clone(), purpose };
        let dossier = dossiers::open(&self.desk, &self.store, &office, case, offer, Some(&reader), call.now).await;
        let dossier = dossier.map_err(dossier_status)?.ok_or_else(|| {
            status::forbidden("NO_DOSSIER_YET", "the dossier comes when the holder has recorded the acceptance")
        })?;
        Ok(wire::OpenDossierResponse {
            person: Some(person::write(dossier.identity, dossier.contact, dossier.narrative)),
            note: dossier.note,
        })
    }

    async fn shown(&self, entry: Entry, now: Timestamp) -> Result<wire::Offer, Status> {
        let mut available = false;
        if let (true, Ok(offer)) = (entry.direction == "in", entry.offer_id.parse()) {
            let sealed = self.desk.node.vault.sealed_dossier(offer, Direction::In).await;
            available = sealed.map_err(|error| status::vault(&error))?.is_some();
        }
        Ok(write::offer(entry, available, now))
    }

    /// What the register said of the case. A case that was opened a moment ago may still be on its way here: a person
    /// at a counter should not have to ask twice for that.
    async fn subject(&self, call: &Call, case: CaseId) -> Result<Subject, Status> {
        let office = call.office()?;
        let mut head = self.store.head();
        let known = tokio::time::timeout(NEWS_WITHIN, async {
            loop {
                let standing = self.standing(office, case).await?;
                let subject = subject::find(case, self.store.reader()).await.map_err(status::query)?;
                match subject {
                    Some(subject) if standing != Standing::Stranger => return Ok((standing, subject)),
                    _ => head.changed().await.map_err(|_| status::unavailable("ENDING", "the node is ending"))?,
                }
            }
        });
        match known.await {
            Ok(Ok((standing, subject))) => {
                self.desk.node.gate.permit(call, "case", standing)?;
                Ok(subject)
            }
            Ok(Err(refused)) => Err(refused),
            Err(_) => Err(status::not_found("case")),
        }
    }
}

impl Grpc {
    /// Whether the caller's office has said just this before. With the conclusion its part in the case ended, so that it
    /// may do nothing more; asking again is harmless all the same.
    async fn is_concluded(&self, call: &Call, offer: &str, outcome: ServiceOutcome) -> Result<bool, Status> {
        let offer = field::parse("offer_id", offer)?;
        let known = worklist::find(call.office()?, offer, self.store.reader()).await.map_err(status::query)?;
        let said = outcome.to_string();
        Ok(known.is_some_and(|known| known.direction == "in" && known.state == "CONCLUDED" && known.outcome == said))
    }

    /// The consent that covers an office and a need. One that was recorded a moment ago may still be on its way here.
    async fn permission(&self, case: CaseId, to: &OfficeId, need: Need) -> Result<Permission, Status> {
        let mut head = self.store.head();
        let found = tokio::time::timeout(CONSENT_WITHIN, async {
            loop {
                let permission = subject::permission(case, to, need, self.store.reader()).await;
                if let Some(permission) = permission.map_err(status::query)? {
                    return Ok(permission);
                }
                tokio::select! {
                    changed = head.changed() => changed.map_err(|_| status::unavailable("ENDING", "the node is ending"))?,
                    // A consent alone moves nothing in this log.
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
        });
        found.await.unwrap_or_else(|_| {
            Err(status::forbidden(
                "CONSENT_MISSING",
                "no consent covers this office and this need; record it first, or a best-interest decision for a child",
            ))
        })
    }
}

/// The same offer again is harmless; another one under the same id is not.
fn repeated(
    known: &Entry,
    case: CaseId,
    to: &OfficeId,
    [kind, need, urgency]: [String; 3],
) -> Result<wire::OfferReferralResponse, Status> {
    let same = known.case_id == case.to_string()
        && known.other_office == to.as_str()
        && known.kind == kind
        && known.need == need
        && known.urgency == urgency
        && known.direction == "out";
    if same {
        let due = Timestamp::from_micros(known.answer_due_at);
        Ok(wire::OfferReferralResponse { answer_due_at: Some(instant(due)) })
    } else {
        Err(status::forbidden("OFFER_ID_TAKEN", "another offer already has this id"))
    }
}

fn dossier_status(error: DossierError) -> Status {
    match error {
        DossierError::TooLarge => status::invalid("note", "less: the dossier is too large to travel"),
        DossierError::Vault(error) => status::vault(&error),
        DossierError::Seal(_) | DossierError::Malformed => status::bug(&error),
    }
}
