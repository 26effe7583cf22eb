//! What is known to what callers are told.

use spean_chassis::person::write_part;
use spean_chassis::words::{instant, stored, write_age_band, write_consent_basis, write_need, write_sex};
use spean_contracts::cases::v1 as wire;
use spean_vault::HistorySection;
use spean_vocabulary::{ConclusionId, ConsentId, FactId, Timestamp};

use super::words::{
    write_abuse, write_act, write_attachment_kind, write_body, write_exploitation_purpose, write_file_item,
    write_file_item_state, write_finding, write_function, write_guardian, write_means, write_media_type,
    write_risk_kind, write_severity, write_waive_reason,
};
use crate::case::words::FileItem;
use crate::case::{Case, Consent, Entry as FileEntry, Fact, KnownConclusion};
use crate::dangers::Danger;
use crate::holders::Holder;
use crate::pairs::Pair;
use crate::register::Entry;
use crate::shelf::Paper;
use crate::sightings::Sighting;
use crate::timeline::Moment;

pub(super) fn summary(
    entry: Entry,
    raised: Vec<Danger>,
    sightings: Vec<Sighting>,
    pairs: Vec<(String, String)>,
    merged: Vec<String>,
) -> wire::CaseSummary {
    let (linked, possible): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, state)| state == "LINKED");
    wire::CaseSummary {
        case_id: entry.case_id,
        case_number: entry.case_number,
        person_id: entry.person_id,
        office_id: entry.office,
        standing: entry.standing,
        sex: stored(&entry.sex, write_sex),
        age_band: stored(&entry.age_band, write_age_band),
        home_place: entry.home_place,
        registered_on: entry.registered_on,
        missing: entry.missing.split(',').filter(|missing| !missing.is_empty()).map(str::to_owned).collect(),
        linked_case_ids: linked.into_iter().map(|(case, _)| case).collect(),
        possible_duplicate_case_ids: possible.into_iter().map(|(case, _)| case).collect(),
        returned_on: entry.returned_on,
        merged_into_case_id: entry.merged_into,
        merged_case_ids: merged,
        raised_risks: raised.into_iter().map(risk).collect(),
        seen_again: sightings.into_iter().map(seen_again).collect(),
    }
}

pub(super) fn risk(danger: Danger) -> wire::Risk {
    wire::Risk {
        risk_id: danger.risk_id,
        kind: stored(&danger.kind, write_risk_kind),
        severity: stored(&danger.severity, write_severity),
        raised_on: danger.raised_on,
        raised_by: danger.raised_by,
        lowered_on: String::new(),
    }
}

pub(super) fn seen_again(sighting: Sighting) -> wire::SeenAgain {
    wire::SeenAgain {
        other_case_id: sighting.other_case_id,
        seen_by_office_id: sighting.seen_by,
        seen_on: sighting.seen_on,
    }
}

pub(super) fn pair(pair: Pair) -> wire::PossibleDuplicate {
    wire::PossibleDuplicate {
        case_id: pair.case_id,
        case_number: pair.case_number,
        other: Some(wire::Candidate {
            case_id: pair.other_case_id,
            case_number: pair.other_case_number,
            score: i32::try_from(pair.score).unwrap_or(i32::MAX),
            reasons: pair.reasons,
        }),
        found_at: Some(instant(Timestamp::from_micros(pair.found_at))),
    }
}

/// The newest first.
pub(super) fn consents(case: &Case) -> Vec<wire::Consent> {
    let mut consents: Vec<_> = case.consents().iter().map(|(id, told)| consent(*id, told)).collect();
    consents.sort_by(|one, other| other.given_on.cmp(&one.given_on));
    consents
}

fn consent(id: ConsentId, consent: &Consent) -> wire::Consent {
    wire::Consent {
        consent_id: id.to_string(),
        basis: write_consent_basis(consent.basis).into(),
        parts: consent.parts.iter().map(|part| write_part(*part).into()).collect(),
        office_ids: consent.offices.iter().map(ToString::to_string).collect(),
        purposes: consent.purposes.iter().map(|need| write_need(*need).into()).collect(),
        given_on: consent.given_on.to_string(),
        withdrawn_on: consent.withdrawn_on.map(|day| day.to_string()).unwrap_or_default(),
        given_by: consent.given_by.map(write_guardian).unwrap_or_default().into(),
        decision: consent.decision.as_ref().map(|decision| wire::BestInterestDecision {
            decided_on: decision.decided_on.to_string(),
            decided_by: decision.decided_by.to_string(),
            deciders: decision.deciders.iter().map(|function| write_function(*function).into()).collect(),
        }),
    }
}

pub(super) fn fact(id: FactId, fact: &Fact) -> wire::Fact {
    wire::Fact {
        fact_id: id.to_string(),
        acts: fact.acts.iter().map(|act| write_act(*act).into()).collect(),
        means: fact.means.iter().map(|means| write_means(*means).into()).collect(),
        purposes: fact.purposes.iter().map(|purpose| write_exploitation_purpose(*purpose).into()).collect(),
        abuses: fact.abuses.iter().map(|abuse| write_abuse(*abuse).into()).collect(),
        from_day: fact.from_day.map(|day| day.to_string()).unwrap_or_default(),
        until_day: fact.until_day.map(|day| day.to_string()).unwrap_or_default(),
        countries: fact.countries.iter().cloned().collect(),
    }
}

/// The newest first.
pub(super) fn conclusions(case: &Case) -> Vec<wire::Conclusion> {
    let mut conclusions: Vec<_> = case.conclusions().map(|(id, known)| conclusion(id, known)).collect();
    conclusions.sort_by(|one, other| {
        let stands = |conclusion: &wire::Conclusion| conclusion.revised_by_conclusion_id.is_empty();
        other.concluded_on.cmp(&one.concluded_on).then(stands(other).cmp(&stands(one)))
    });
    conclusions
}

fn conclusion(id: ConclusionId, known: &KnownConclusion) -> wire::Conclusion {
    let told = &known.conclusion;
    wire::Conclusion {
        conclusion_id: id.to_string(),
        finding: write_finding(told.finding).into(),
        concluded_by: write_body(told.concluded_by).into(),
        concluded_on: told.concluded_on.to_string(),
        revises_conclusion_id: told.revises.map(|id| id.to_string()).unwrap_or_default(),
        revised_by_conclusion_id: known.revised_by.map(|id| id.to_string()).unwrap_or_default(),
    }
}

pub(super) fn checklist_entry((item, entry): (FileItem, FileEntry)) -> wire::ChecklistEntry {
    wire::ChecklistEntry {
        item: write_file_item(item).into(),
        state: write_file_item_state(entry.state).into(),
        since: entry.since.to_string(),
        waived_for: entry.waived_for.map(write_waive_reason).unwrap_or_default().into(),
    }
}

pub(super) fn history_section(section: HistorySection) -> wire::HistorySection {
    wire::HistorySection {
        office_id: section.origin.to_string(),
        service: section.service.to_string(),
        part: write_part(section.part).into(),
        json: section.json,
        written_at: Some(instant(section.written_at)),
        received_at: Some(instant(section.received_at)),
    }
}

pub(super) fn attachment(paper: Paper) -> wire::Attachment {
    wire::Attachment {
        attachment_id: paper.attachment_id,
        kind: stored(&paper.kind, write_attachment_kind),
        media_type: stored(&paper.media_type, write_media_type),
        size_bytes: paper.size_bytes,
        digest: paper.digest,
        made_on: paper.made_on,
        added_at: Some(instant(Timestamp::from_micros(paper.added_at))),
        added_by: paper.added_by,
    }
}

pub(super) fn moment(moment: Moment) -> wire::HistoryEntry {
    wire::HistoryEntry {
        what: moment.what,
        detail: moment.detail,
        occurred_on: moment.occurred_on,
        recorded_at: Some(instant(Timestamp::from_micros(moment.recorded_at))),
        staff: moment.staff,
        office_id: moment.office,
    }
}

pub(super) fn holder(holder: Holder) -> wire::Holder {
    let at = |micros: Option<i64>| micros.map(|micros| instant(Timestamp::from_micros(micros)));
    wire::Holder { office_id: holder.office, held_from: at(holder.held_from), held_until: at(holder.held_until) }
}
