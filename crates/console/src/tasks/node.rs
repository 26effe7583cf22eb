//! `spean node`: how a node is, and what waits for its administrator.

use super::{Task, task};

const PEERS: &str = "peers: node_id service unconfirmed oldest_hours heard_at";

pub(super) const TASKS: &[Task] = &[
    task("node status", "GetNodeStatus", "spean node status").lists(PEERS),
    task("node letters", "GetNodeStatus", "spean node letters").lists(PEERS).only("unconfirmed"),
    // Waits with a bar until all peers have answered; see the module `recovery`.
    task("node recovery", "GetNodeStatus", "spean node recovery").lists(PEERS),
    task("node books", "Reconcile", "spean node books --office-id kandal-province").lists(
        "balances: office_id held offered accepted declined withdrawn escalated voided open oldest_open_hours to_answer bound",
    ),
    task("node dead-letters list", "ListDeadLetters", "spean node dead-letters list")
        .lists("dead_letters: letter_id service from_node_id from_service kind reason arrived_at waiting_behind"),
    task("node dead-letters retry", "RetryDeadLetter", "spean node dead-letters retry 7b0c1a2e").at(&["letter_id"]),
    task("node dead-letters discard", "DiscardDeadLetter", "spean node dead-letters discard 7b0c1a2e --reason 'sent twice'")
        .at(&["letter_id"])
        .irreversible(),
    task("node policy", "GetPolicy", "spean node policy").lists("figures: name number"),
    task("node import-directory", "ImportDirectory", "spean node import-directory directory.json")
        .at(&["signed_directory"]),
];
