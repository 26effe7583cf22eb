//! The end of the demonstration: every case has exactly one holder, and every office's books balance.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use spean_contracts::referral::v1::{Balance, GetNodeStatusRequest, ReconcileRequest};
use spean_identity::Role;

use super::narrator::Narrator;
use super::stage::Stage;

/// Compares the books of all offices. Fails when a case has no holder or two, or when offers do not add up.
pub async fn compare(stage: &Stage, narrator: &Narrator, cases: &[String]) -> anyhow::Result<()> {
    narrator.chapter("The books");
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["office", "holds", "offers", "= acc", "+ dec", "+ wdr", "+ esc", "+ void", "+ open, age"]);
    let offices: Vec<_> = stage.directory().offices.iter().filter(|office| office.staffed).collect();
    for office in offices {
        let staff = stage.staff("auditor", office.id.as_str(), &[Role::Supervisor]).await?;
        for held in staff.held().await? {
            numbers.insert(held.case_id.clone(), held.case_number);
            holders.entry(held.case_id).or_default().insert(office.id.to_string());
        }
        let request = ReconcileRequest { office_id: office.id.to_string() };
        for balance in staff.referral().reconcile(staff.ask(request)).await?.into_inner().balances {
            ensure!(balances(&balance), "the books of {} do not balance", balance.office_id);
            table.add_row(row(&balance));
        }
        let status = staff.referral().get_node_status(staff.ask(GetNodeStatusRequest::default())).await?;
        let dead = status.into_inner().dead_letters;
        ensure!(dead == 0, "{dead} letters wait for a person at {}", office.node);
    }
    narrator.line(&table.to_string());
    narrator.line("");
    let mut lines = Table::new();
    lines.load_style(NOTHING);
    let named: Vec<_> = cases.iter().map(|case| numbers.get(case).cloned().unwrap_or_else(|| case.clone())).collect();
    for pair in named.iter().zip(cases).collect::<Vec<_>>().chunks(2) {
        let cells = pair.iter().flat_map(|(number, case)| {
            let holder = holders.get(*case).map(|holders| holders.iter().cloned().collect::<Vec<_>>().join(", "));
            [(*number).clone(), holder.unwrap_or_default()]
        });
        lines.add_row(cells);
    }
    narrator.line(&lines.to_string());
    for case in cases {
        let held_by = holders.get(case).map_or(0, BTreeSet::len);
        ensure!(held_by == 1, "case {case} is held by {held_by} offices: {:?}", holders.get(case));
    }
    narrator.kept(&format!("{} cases, each with exactly one holder", cases.len()));
    narrator.kept("For every office: offered = accepted + declined + withdrawn + escalated + voided + open");
    Ok(())
}

fn balances(balance: &Balance) -> bool {
    let Balance { offered, accepted, declined, withdrawn, escalated, voided, open, .. } = *balance;
    offered == accepted + declined + withdrawn + escalated + voided + open
}

fn row(balance: &Balance) -> [String; 9] {
    let open =
        if balance.open == 0 { "0".to_owned() } else { format!("{} ({} h)", balance.open, balance.oldest_open_hours) };
    [
        balance.office_id.clone(),
        balance.held.to_string(),
        balance.offered.to_string(),
        balance.accepted.to_string(),
        balance.declined.to_string(),
        balance.withdrawn.to_string(),
        balance.escalated.to_string(),
        balance.voided.to_string(),
        open,
    ]
}
