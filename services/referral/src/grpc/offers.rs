//! Offering, answering, and what came of it.

use std::time::Duration;

use spean_chassis::words::{instant, stored};
use spean_chassis::{Call, Page, field, person, status};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{Command, ServiceOutcome};
use spean_identity::Standing;
use spean_vault::{Direction, DossierError, Reader};
use spean_vocabulary::{CaseId, Need, OfficeId, Timestamp};
use tonic::Status;

use super::asked::Asked;
use super::{Answered, Grpc, read, write};
use crate::needs::offers::Along;
use crate::routing::Route;
use crate::subject::{Permission, Subject};
use crate::worklist::{self, Entry, List};
use crate::{dossiers, subject};

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
        let asked = self.asked(call, "", &request)?;
        let statuses = self.statuses().await?;
        let route = self.route(&asked.to, "", &statuses, call)?;
        self.refuse_while_recovering()?;
        let office = call.office()?.clone();
        let subject = self.subject(call, asked.case).await?;
        if let Some(known) = worklist::find(&office, asked.offer, self.store.reader()).await.map_err(status::query)? {
            return known_already(&known, &asked);
        }
        if let Some(against) = subject.against() {
            return Err(against.status());
        }
        not_to_oneself(&office, &route)?;
        let permission = self.permission(asked.case, &route, asked.need).await?;
        let offering = asked.offering(&self.desk, &route, subject, Some(permission))?;
        let command = self.sealed(call, &office, &offering).await?;
        self.handle_with(call, (&office, asked.case), command, offering.along()).await?;
        Ok(offering.response())
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
        let beyond_because = super::needs::over_capacity(request.over_capacity_reason)?;
        let Answered { office, offer, case, .. } = self.to_answer(call, "offer_id", &request.offer_id).await?;
        let along = Along { beyond_because, ..Along::default() };
        self.handle_with(call, (&office, case), Command::Accept { offer }, along).await?;
        Ok(wire::AcceptOfferResponse {})
    }

    pub(super) async fn decline_offer(
        &self,
        call: &Call,
        request: wire::DeclineOfferRequest,
    ) -> Result<wire::DeclineOfferResponse, Status> {
        let reason = read::decline_reason("reason", request.reason)?;
        let answered = self.to_answer(call, "offer_id", &request.offer_id).await?;
        self.handle_for(call, &answered.office, answered.case, Command::Decline { offer: answered.offer, reason })
            .await?;
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
        let Answered { entry, .. } = self.to_answer(call, "offer_id", &request.offer_id).await?;
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
            Ok(wire::Worklist::UnansweredAtTheTop) => List::UnansweredAtTheTop,
            Err(_) => return Err(status::invalid("worklist", "one of the values of Worklist")),
        };
        let offices = self.answering_for(call).await?;
        let entries = worklist::list(&offices, list, page.limit(), page.offset, self.store.reader()).await;
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
    pub(super) async fn subject(&self, call: &Call, case: CaseId) -> Result<Subject, Status> {
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
    async fn permission(&self, case: CaseId, route: &Route, need: Need) -> Result<Permission, Status> {
        let mut head = self.store.head();
        let found = tokio::time::timeout(CONSENT_WITHIN, async {
            loop {
                let permission = subject::permission(case, &route.to, need, self.store.reader()).await;
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
        found.await.unwrap_or_else(|_| Err(consent_missing(route)))
    }
}
/// No consent covers the office that would be asked. Another one is never asked without the person's word for it.
pub(super) fn consent_missing(route: &Route) -> Status {
    let message = match route.because {
        None => "no consent covers this office and this need; record it first, or a best-interest decision for a child",
        Some(_) => {
            "nobody can answer at this office, and no consent covers the one that would be asked instead; record it \
             first, or a best-interest decision for a child"
        }
    };
    status::forbidden("CONSENT_MISSING", message)
}

/// An office is not asked to stand in for one that it asks.
pub(super) fn not_to_oneself(office: &OfficeId, route: &Route) -> Result<(), Status> {
    if route.because.is_some() && route.to == *office {
        let message = "nobody can answer there, and your own office would be asked instead: the case stays with you";
        return Err(status::forbidden("YOUR_OFFICE_STANDS_IN", message));
    }
    Ok(())
}

/// The same offer again is harmless; another one under the same id is not.
pub(super) fn known_already(known: &Entry, asked: &Asked) -> Result<wire::OfferReferralResponse, Status> {
    let same = known.case_id == asked.case.to_string()
        && (known.other_office == asked.to.as_str() || known.meant_for == asked.to.as_str())
        && known.kind == asked.kind.to_string()
        && known.need == asked.need.to_string()
        && known.urgency == asked.urgency.to_string()
        && known.direction == "out";
    if same {
        let due = Timestamp::from_micros(known.answer_due_at);
        Ok(wire::OfferReferralResponse {
            answer_due_at: Some(instant(due)),
            to_office_id: known.other_office.clone(),
            redirected_because: stored(&known.redirected_because, write::redirection),
        })
    } else {
        Err(status::forbidden("OFFER_ID_TAKEN", "another offer already has this id"))
    }
}

pub(super) fn dossier_status(error: DossierError) -> Status {
    match error {
        DossierError::TooLarge => status::invalid("note", "less: the dossier is too large to travel"),
        DossierError::Vault(error) => status::vault(&error),
        DossierError::Seal(_) | DossierError::Malformed => status::bug(&error),
    }
}
