//! What a shelter puts down for whoever holds the case next: codes and days of the care and of the way home, as one section
//! of the person's file.

use serde_json::json;
use spean_vault::{Part, Vault, VaultError};
use spean_vocabulary::{CaseId, OfficeId, Service, Timestamp};

use crate::care::{Care, Goal};
use crate::homecoming::{Homecoming, Tracing};

/// The latest sessions that are put down; of years of them, those before are counted.
const MOST_SESSIONS: usize = 200;

/// What a house knows of a person.
pub(crate) struct Known {
    /// The care.
    pub(crate) care: Care,
    /// The way home.
    pub(crate) homecoming: Homecoming,
}

/// Puts it down, in the place of what was put down before.
pub(crate) async fn keep(
    vault: &Vault,
    case: CaseId,
    office: &OfficeId,
    Known { care: given, homecoming }: &Known,
    now: Timestamp,
) -> Result<(), VaultError> {
    let mut sessions: Vec<_> = given.sessions().collect();
    sessions.sort_by_key(|session| (session.held_on, session.session_id.to_string()));
    let earlier = sessions.len().saturating_sub(MOST_SESSIONS);
    let goals = given.plan().map(|plan| {
        let goal = |goal: &Goal| {
            json!({ "need": goal.need, "target_on": goal.target_on, "state": given.goal_state(goal.goal_id) })
        };
        json!({ "agreed_on": plan.agreed_on, "goals": plan.goals.iter().map(goal).collect::<Vec<_>>() })
    });
    let tracing = |tracing: &Tracing| json!({ "requested_on": tracing.requested_on, "answer": tracing.answer });
    let section = json!({
        "office": office,
        "plan": goals,
        "earlier_sessions": earlier,
        "sessions": sessions[earlier..].iter().map(|session| json!([session.held_on, session.kind])).collect::<Vec<_>>(),
        "markets": given.markets().collect::<Vec<_>>(),
        "trainings": given.trainings().collect::<Vec<_>>(),
        "tracings": homecoming.tracings().map(|(_, of)| tracing(of)).collect::<Vec<_>>(),
        "family": homecoming.assessments().collect::<Vec<_>>(),
        "placements": homecoming.placements().collect::<Vec<_>>(),
        "reintegration": homecoming.decision(),
    });
    // Of somebody who was erased nothing is kept.
    vault.keep_section(case.reinterpret(), Service::Shelter, Part::Narrative, &section.to_string(), now).await?;
    Ok(())
}
