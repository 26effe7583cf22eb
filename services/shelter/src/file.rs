//! What a shelter puts down for whoever holds the case next: codes and days of the care and of the way home, as one section
//! of the person's file.

use serde_json::json;
use spean_vault::{Part, Vault, VaultError};
use spean_vocabulary::{CaseId, OfficeId, Service, Timestamp};

use crate::care::Care;
use crate::homecoming::Homecoming;

/// The latest sessions that are put down; of years of them, those before are counted.
const MOST_SESSIONS: usize = 200;

/// Puts it down, in the place of what was put down before.
pub(crate) async fn keep(
    vault: &Vault,
    case: CaseId,
    office: &OfficeId,
    (care, homecoming): (&Care, &Homecoming),
    now: Timestamp,
) -> Result<(), VaultError> {
    let mut sessions: Vec<_> = care.sessions().collect();
    sessions.sort_by_key(|session| (session.held_on, session.session_id.to_string()));
    let earlier = sessions.len().saturating_sub(MOST_SESSIONS);
    let goals = care.plan().map(|plan| {
        let goal = |goal: &crate::care::Goal| {
            json!({ "need": goal.need, "target_on": goal.target_on, "state": care.goal_state(goal.goal_id) })
        };
        json!({ "agreed_on": plan.agreed_on, "goals": plan.goals.iter().map(goal).collect::<Vec<_>>() })
    });
    let tracing = |tracing: &crate::homecoming::Tracing| json!({ "requested_on": tracing.requested_on, "answer": tracing.answer });
    let section = json!({
        "office": office,
        "plan": goals,
        "earlier_sessions": earlier,
        "sessions": sessions[earlier..].iter().map(|session| json!([session.held_on, session.kind])).collect::<Vec<_>>(),
        "markets": care.markets().collect::<Vec<_>>(),
        "trainings": care.trainings().collect::<Vec<_>>(),
        "tracings": homecoming.tracings().map(|(_, of)| tracing(of)).collect::<Vec<_>>(),
        "family": homecoming.assessments().collect::<Vec<_>>(),
        "placements": homecoming.placements().collect::<Vec<_>>(),
        "reintegration": homecoming.decision(),
    });
    // Of somebody who was erased nothing is kept.
    vault.keep_section(case.reinterpret(), Service::Shelter, Part::Narrative, &section.to_string(), now).await?;
    Ok(())
}
