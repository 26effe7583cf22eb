//! What of an event a history shows: codes, ids and days.

use spean_vocabulary::Date;

use super::Event;

/// The day on which it happened in the field, when the event says so.
pub fn occurred_on(event: &Event) -> Option<Date> {
    match event {
        Event::Registered { registered_on: on, .. }
        | Event::Received { on, .. }
        | Event::ConsentWithdrawn { withdrawn_on: on, .. }
        | Event::ConsentLapsed { lapsed_on: on, .. }
        | Event::NeedsRecorded { found_on: on, .. }
        | Event::FactRecorded { on, .. }
        | Event::FactRetracted { on, .. }
        | Event::RiskLowered { lowered_on: on, .. }
        | Event::AttachmentRemoved { on, .. }
        | Event::FileItemWaived { on, .. }
        | Event::Unlinked { on, .. }
        | Event::DuplicateRuledOut { on, .. }
        | Event::MergedInto { on, .. }
        | Event::Absorbed { on, .. }
        | Event::Unmerged { on, .. }
        | Event::Released { on, .. }
        | Event::SeenAgain { on, .. }
        | Event::Returned { returned_on: on, .. } => Some(*on),
        Event::Amended { on, .. } | Event::Linked { on, .. } => *on,
        Event::ConsentRecorded { consent, .. } => Some(consent.given_on),
        Event::ConclusionRecorded { conclusion, .. } => Some(conclusion.concluded_on),
        Event::RiskRaised { risk, .. } => Some(risk.raised_on),
        Event::AttachmentAdded { attachment, .. } => Some(attachment.made_on),
        Event::PossibleDuplicateFound { .. } | Event::SeenAgainAcknowledged { .. } | Event::PersonErased { .. } => None,
    }
}

/// More of it: codes and ids, with blanks between them.
pub fn detail(event: &Event) -> String {
    match event {
        Event::Registered { case_number, .. } => case_number.to_string(),
        Event::Received { from, .. } => from.to_string(),
        Event::Amended { codes, .. } => codes.age_band.to_string(),
        Event::ConsentRecorded { consent_id, consent } => format!("{} {consent_id}", consent.basis),
        Event::ConsentWithdrawn { consent_id, .. } | Event::ConsentLapsed { consent_id, .. } => consent_id.to_string(),
        Event::NeedsRecorded { needs, .. } => needs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Event::FactRecorded { fact_id, .. } => fact_id.to_string(),
        Event::FactRetracted { fact_id, reason, .. } => format!("{reason} {fact_id}"),
        Event::ConclusionRecorded { conclusion, .. } => {
            format!("{} {}", conclusion.finding, conclusion.concluded_by)
        }
        Event::RiskRaised { risk_id, risk } => format!("{} {} {risk_id}", risk.severity, risk.kind),
        Event::RiskLowered { risk_id, .. } => risk_id.to_string(),
        Event::AttachmentAdded { attachment_id, attachment } => format!("{} {attachment_id}", attachment.kind),
        Event::AttachmentRemoved { attachment_id, reason, .. } => format!("{reason} {attachment_id}"),
        Event::FileItemWaived { item, reason, .. } => format!("{item} {reason}"),
        Event::Linked { other, .. }
        | Event::Unlinked { other, .. }
        | Event::DuplicateRuledOut { other, .. }
        | Event::PossibleDuplicateFound { other, .. }
        | Event::MergedInto { into: other, .. }
        | Event::Absorbed { other, .. }
        | Event::Unmerged { from: other, .. }
        | Event::Released { other, .. }
        | Event::SeenAgainAcknowledged { other } => other.to_string(),
        Event::SeenAgain { other, by, .. } => format!("{by} {other}"),
        Event::Returned { followed_up_by, .. } => followed_up_by.to_string(),
        Event::PersonErased { ground } => ground.clone(),
    }
}
