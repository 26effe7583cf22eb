//! What the register knows of a person, put down in the vault for whoever holds the case next.
//!
//! Two sections: what concerns the person's health goes under the consent for health, everything else under that for the
//! narrative. Written when the case changes, and by following the log, so that a power cut between the two loses nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use spean_chassis::{Next, Node, Round, When};
use spean_eventstore::{EventStore, StoreError, TransactError};
use spean_vocabulary::{CaseId, Part, PersonId, Service};
use tokio::sync::Mutex;

use crate::case::words::RiskKind;
use crate::case::{Case, KnownRisk};
use crate::holders::{self, Holder};

/// Name of the saved position.
const READER: &str = "sections";
/// Events looked at together.
const BATCH: i64 = 200;
/// The shape of what is written: raised when a reader would misunderstand it.
const VERSION: u32 = 1;

/// Writes the sections of the register. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sections {
    node: Node,
    store: EventStore,
    /// One at a time, so that an earlier look never overwrites a later one.
    turn: Arc<Mutex<()>>,
}

impl Sections {
    pub(crate) fn new(node: Node, store: EventStore) -> Self {
        Self { node, store, turn: Arc::default() }
    }

    /// Writes down how a case stands now.
    pub(crate) async fn write(&self, case: CaseId) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        let id = case.to_string();
        let state = self.store.load::<Case>(&id).await?.state;
        if !state.exists() || state.is_erased() {
            return Ok(());
        }
        let holders = holders::of_case(&id, self.store.reader()).await?;
        let (person, now): (PersonId, _) = (case.reinterpret(), self.node.clock.now());
        for (part, section) in [(Part::Narrative, Some(whole(&state, &holders))), (Part::Health, health(&state))] {
            let Some(section) = section else { continue };
            let vault = &self.node.vault;
            vault.keep_section(person, Service::Cases, part, &section.to_string(), now).await?;
        }
        Ok(())
    }

    /// Follows the log.
    pub(crate) fn round(&self) -> Round {
        let sections = self.clone();
        Round::new("what the next holder must know", When::Following(self.store.clone()), move || {
            let sections = sections.clone();
            async move { sections.catch_up().await }
        })
    }

    async fn catch_up(&self) -> anyhow::Result<Next> {
        loop {
            let position = self.store.saved_position(READER).await?;
            let events = self.store.events_after(position, BATCH).await?;
            let Some(last) = events.last().map(|event| event.position) else { return Ok(Next::Rest) };
            let cases = events.iter().filter(|event| event.category == "case");
            let cases: BTreeSet<CaseId> = cases.filter_map(|event| event.id.parse().ok()).collect();
            for case in cases {
                self.write(case).await?;
            }
            let saved = self
                .store
                .transact(move |transaction| Box::pin(async move { transaction.save_position(READER, last).await }));
            saved.await.map_err(|error: TransactError<StoreError>| anyhow::anyhow!("{error}"))?;
        }
    }
}

const fn is_of_health(kind: RiskKind) -> bool {
    matches!(kind, RiskKind::SelfHarm | RiskKind::Medical | RiskKind::Pregnancy | RiskKind::Substances)
}

fn risks(case: &Case, of_health: bool) -> Vec<Value> {
    let risk = |known: &KnownRisk| {
        let risk = &known.risk;
        json!({ "kind": risk.kind, "severity": risk.severity, "raised_on": risk.raised_on,
                "lowered_on": known.lowered_on })
    };
    let concerned = case.risks().filter(|(_, known)| is_of_health(known.risk.kind) == of_health);
    concerned.map(|(_, known)| risk(known)).collect()
}

fn whole(case: &Case, holders: &[Holder]) -> Value {
    let facts: Vec<_> = case.facts().map(|(_, fact)| fact).collect();
    let conclusions: Vec<_> = case
        .conclusions()
        .map(|(id, known)| json!({ "id": id, "conclusion": known.conclusion, "revised_by": known.revised_by }))
        .collect();
    let holders: Vec<_> = holders
        .iter()
        .map(|holder| {
            let Holder { office, held_from, held_until } = holder;
            json!({ "office": office, "from_micros": held_from, "until_micros": held_until })
        })
        .collect();
    json!({
        "version": VERSION,
        "case_number": case.case_number(),
        "consents": case.consents().values().collect::<Vec<_>>(),
        "needs": case.needs(),
        "facts": facts,
        "conclusions": conclusions,
        "risks": risks(case, false),
        "holders": holders,
        "returned_on": case.returned_on(),
    })
}

fn health(case: &Case) -> Option<Value> {
    let risks = risks(case, true);
    (!risks.is_empty()).then(|| json!({ "version": VERSION, "risks": risks }))
}
