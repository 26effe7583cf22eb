//! How a node is: its books, its peers, what waits for a person.

use serde::Serialize;
use spean_contracts::referral::v1::{
    Balance, DeadLetter, GetNodeStatusRequest, GetNodeStatusResponse, ListDeadLettersRequest, Peer, ReconcileRequest,
};

use super::connection::{Connection, all_pages, refusal};
use super::output::{Output, Row, instant};

pub(super) async fn balance(connection: &Connection, output: Output) -> anyhow::Result<()> {
    let office_id = connection.office.as_ref().map(ToString::to_string).unwrap_or_default();
    let request = connection.question(ReconcileRequest { office_id });
    let answer = connection.referral().reconcile(request).await.map_err(|status| refusal(&status))?;
    output.list(&answer.into_inner().balances.into_iter().map(BalanceRow::from).collect::<Vec<_>>())
}

pub(super) async fn status(connection: &Connection, output: Output) -> anyhow::Result<()> {
    let request = connection.question(GetNodeStatusRequest {});
    let answer = connection.referral().get_node_status(request).await.map_err(|status| refusal(&status))?;
    let status = NodeStatus::from(answer.into_inner());
    output.one(&status, &status.fields())?;
    if output.json { Ok(()) } else { output.list(&status.peers) }
}

pub(super) async fn dead_letters(connection: &Connection, output: Output) -> anyhow::Result<()> {
    let letters = all_pages(async |page| {
        let request = connection.question(ListDeadLettersRequest { page });
        let answer = connection.referral().list_dead_letters(request).await?.into_inner();
        Ok((answer.dead_letters, answer.page))
    });
    output.list(&letters.await?.into_iter().map(DeadLetterRow::from).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct BalanceRow {
    office_id: String,
    held: i64,
    offered: i64,
    accepted: i64,
    declined: i64,
    withdrawn: i64,
    escalated: i64,
    voided: i64,
    open: i64,
    oldest_open_hours: i64,
    to_answer: i64,
    bound: i64,
    /// Whether every offer is accounted for.
    balanced: bool,
}

impl From<Balance> for BalanceRow {
    fn from(balance: Balance) -> Self {
        let Balance { accepted, declined, withdrawn, escalated, voided, open, offered, .. } = balance;
        Self {
            office_id: balance.office_id,
            held: balance.held,
            offered,
            accepted,
            declined,
            withdrawn,
            escalated,
            voided,
            open,
            oldest_open_hours: balance.oldest_open_hours,
            to_answer: balance.to_answer,
            bound: balance.bound,
            balanced: offered == accepted + declined + withdrawn + escalated + voided + open,
        }
    }
}

impl Row for BalanceRow {
    const HEADER: &'static [&'static str] = &["office", "holds", "offered", "of these", "asked", "balanced"];

    fn cells(&self) -> Vec<String> {
        let counts = |pairs: &[(i64, &str)]| {
            let said = pairs.iter().filter(|(count, _)| *count != 0).map(|(count, what)| format!("{count} {what}"));
            said.collect::<Vec<_>>().join(", ")
        };
        let open = format!("open (oldest {} h)", self.oldest_open_hours);
        let ends = [
            (self.accepted, "accepted"),
            (self.declined, "declined"),
            (self.withdrawn, "withdrawn"),
            (self.escalated, "escalated"),
            (self.voided, "voided"),
            (self.open, open.as_str()),
        ];
        vec![
            self.office_id.clone(),
            self.held.to_string(),
            self.offered.to_string(),
            counts(&ends),
            counts(&[(self.to_answer, "to answer"), (self.bound, "bound")]),
            if self.balanced { "yes" } else { "NO" }.to_owned(),
        ]
    }
}

#[derive(Serialize)]
struct NodeStatus {
    node_id: String,
    incarnation: u64,
    recovering_from: Vec<String>,
    broker_connected: bool,
    dead_letters: i64,
    log_position: i64,
    now: String,
    peers: Vec<PeerRow>,
}

impl From<GetNodeStatusResponse> for NodeStatus {
    fn from(status: GetNodeStatusResponse) -> Self {
        Self {
            now: instant(status.now.as_ref()),
            node_id: status.node_id,
            incarnation: status.incarnation,
            recovering_from: status.recovering_from,
            broker_connected: status.broker_connected,
            dead_letters: status.dead_letters,
            log_position: status.log_position,
            peers: status.peers.into_iter().map(PeerRow::from).collect(),
        }
    }
}

impl NodeStatus {
    fn fields(&self) -> [(&'static str, String); 7] {
        [
            ("node", self.node_id.clone()),
            ("broker", if self.broker_connected { "connected" } else { "away; letters wait here" }.to_owned()),
            ("recovering, waits for", self.recovering_from.join(", ")),
            ("dead letters", self.dead_letters.to_string()),
            ("events in the log", self.log_position.to_string()),
            ("incarnation", self.incarnation.to_string()),
            ("clock", self.now.clone()),
        ]
    }
}

#[derive(Serialize)]
struct PeerRow {
    node_id: String,
    service: String,
    unconfirmed: i64,
    oldest_hours: i64,
    heard_at: String,
}

impl From<Peer> for PeerRow {
    fn from(peer: Peer) -> Self {
        let Peer { node_id, service, unconfirmed, oldest_hours, heard_at } = peer;
        Self { node_id, service, unconfirmed, oldest_hours, heard_at: instant(heard_at.as_ref()) }
    }
}

impl Row for PeerRow {
    const HEADER: &'static [&'static str] = &["peer", "service", "unconfirmed", "oldest", "heard at"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.node_id.clone(),
            self.service.clone(),
            self.unconfirmed.to_string(),
            if self.unconfirmed == 0 { String::new() } else { format!("{} h", self.oldest_hours) },
            self.heard_at.clone(),
        ]
    }
}

#[derive(Serialize)]
struct DeadLetterRow {
    letter_id: String,
    from_node_id: String,
    from_service: String,
    kind: String,
    reason: String,
    arrived_at: String,
    waiting_behind: i64,
    attempts: i64,
}

impl From<DeadLetter> for DeadLetterRow {
    fn from(letter: DeadLetter) -> Self {
        Self {
            arrived_at: instant(letter.arrived_at.as_ref()),
            letter_id: letter.letter_id,
            from_node_id: letter.from_node_id,
            from_service: letter.from_service,
            kind: letter.kind,
            reason: letter.reason,
            waiting_behind: letter.waiting_behind,
            attempts: letter.attempts,
        }
    }
}

impl Row for DeadLetterRow {
    const HEADER: &'static [&'static str] = &["letter", "from", "kind", "reason", "arrived", "behind"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.letter_id.clone(),
            format!("{} {}", self.from_node_id, self.from_service),
            self.kind.clone(),
            self.reason.clone(),
            self.arrived_at.clone(),
            self.waiting_behind.to_string(),
        ]
    }
}
