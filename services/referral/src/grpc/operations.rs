//! For administrators: the books, the dead letters, and how the node is.

use std::collections::BTreeMap;

use spean_chassis::words::instant;
use spean_chassis::{Call, Page, field, status};
use spean_contracts::referral::v1 as wire;
use spean_messaging::post::Retried;
use spean_vocabulary::{OfficeId, Timestamp};
use tonic::Status;

use super::Grpc;
use crate::worklist;

/// Longest reason for setting a dead letter aside, in characters.
const LONGEST_REASON: usize = 200;

impl Grpc {
    pub(super) async fn reconcile(
        &self,
        call: &Call,
        request: wire::ReconcileRequest,
    ) -> Result<wire::ReconcileResponse, Status> {
        let only: Option<OfficeId> = field::parse_optional("office_id", &request.office_id)?;
        let counts = worklist::counts(self.store.reader()).await.map_err(status::query)?;
        let mut balances: BTreeMap<String, wire::Balance> = BTreeMap::new();
        let wanted = counts.into_iter().filter(|count| only.as_ref().is_none_or(|only| only.as_str() == count.office));
        for count in wanted {
            let balance = balances.entry(count.office.clone()).or_default();
            balance.office_id = count.office;
            match (count.direction.as_str(), count.state.as_str()) {
                ("held", _) => balance.held += count.offers,
                ("in", "OFFERED") => balance.to_answer += count.offers,
                ("in", "BOUND") => balance.bound += count.offers,
                ("in", _) => {}
                (_, state) => {
                    balance.offered += count.offers;
                    match state {
                        "ACCEPTED" | "CONCLUDED" => balance.accepted += count.offers,
                        "DECLINED" => balance.declined += count.offers,
                        "WITHDRAWN" => balance.withdrawn += count.offers,
                        "ESCALATED" => balance.escalated += count.offers,
                        "VOIDED" => balance.voided += count.offers,
                        _ => {
                            balance.open += count.offers;
                            balance.oldest_open_hours = call.now.hours_since(Timestamp::from_micros(count.oldest_at));
                        }
                    }
                }
            }
        }
        Ok(wire::ReconcileResponse { balances: balances.into_values().collect() })
    }

    pub(super) async fn list_dead_letters(
        &self,
        _call: &Call,
        request: wire::ListDeadLettersRequest,
    ) -> Result<wire::ListDeadLettersResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let letters = self.desk.node.post_offices.dead_letters(page.limit(), page.offset).await;
        let (letters, page) = page.cut(letters);
        let dead_letters = letters.into_iter().map(|(service, letter)| wire::DeadLetter {
            service: service.to_string(),
            letter_id: letter.id,
            from_node_id: letter.from.as_ref().map(|from| from.node.to_string()).unwrap_or_default(),
            from_service: letter.from.as_ref().map(|from| from.service.to_string()).unwrap_or_default(),
            kind: letter.kind,
            reason: letter.reason,
            arrived_at: Some(instant(letter.arrived_at)),
            waiting_behind: letter.waiting_behind,
            attempts: letter.attempts,
        });
        Ok(wire::ListDeadLettersResponse { dead_letters: dead_letters.collect(), page })
    }

    pub(super) async fn retry_dead_letter(
        &self,
        _call: &Call,
        request: wire::RetryDeadLetterRequest,
    ) -> Result<wire::RetryDeadLetterResponse, Status> {
        let id = field::required_text("letter_id", &request.letter_id, 64)?;
        match self.desk.node.post_offices.retry(&id).await.map_err(|error| status::store(&error))? {
            None => Err(status::not_found("dead letter")),
            Some(Retried::Applied) => Ok(wire::RetryDeadLetterResponse { applied: true, reason: String::new() }),
            Some(Retried::Refused(reason)) => Ok(wire::RetryDeadLetterResponse { applied: false, reason }),
        }
    }

    pub(super) async fn discard_dead_letter(
        &self,
        _call: &Call,
        request: wire::DiscardDeadLetterRequest,
    ) -> Result<wire::DiscardDeadLetterResponse, Status> {
        let id = field::required_text("letter_id", &request.letter_id, 64)?;
        let reason = field::required_text("reason", &request.reason, LONGEST_REASON)?;
        let discarded =
            self.desk.node.post_offices.discard(&id, &reason).await.map_err(|error| status::store(&error))?;
        if discarded { Ok(wire::DiscardDeadLetterResponse {}) } else { Err(status::not_found("dead letter")) }
    }

    pub(super) async fn get_node_status(
        &self,
        call: &Call,
        _request: wire::GetNodeStatusRequest,
    ) -> Result<wire::GetNodeStatusResponse, Status> {
        let failed = |error| status::store(&error);
        let peers = self.post.peers().await.map_err(failed)?;
        let awaited = self.post.awaited().await.map_err(failed)?;
        let dead_letters = self.desk.node.post_offices.dead_letter_count().await;
        let broker_connected = self.post.is_connected();
        let peers = peers.into_iter().map(|peer| wire::Peer {
            node_id: peer.peer.node.to_string(),
            service: peer.peer.service.to_string(),
            unconfirmed: peer.unconfirmed,
            oldest_hours: peer.oldest_posted_at.map_or(0, |oldest| call.now.hours_since(oldest)),
            heard_at: peer.heard_at.map(instant),
        });
        Ok(wire::GetNodeStatusResponse {
            node_id: self.desk.node.id.to_string(),
            incarnation: self.post.incarnation(),
            recovering_from: awaited.into_iter().map(|peer| peer.to_string()).collect(),
            broker_connected,
            peers: peers.collect(),
            dead_letters,
            log_position: *self.store.head().borrow(),
            now: Some(instant(call.now)),
        })
    }
}
