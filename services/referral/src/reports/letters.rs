//! Reports between desks: codes, and a reference to the sealed words. Who reports is in none of them.

use prost::Message as _;
use spean_chassis::words::{
    instant, read_age_band, read_instant, read_sex, read_urgency, write_age_band, write_sex, write_urgency,
};
use spean_contracts::referral::v1 as wire;
use spean_eventstore::Recorded;
use spean_messaging::{Address, Letter, Posting, Unusable};
use spean_vocabulary::{AgeBand, OfficeId, ReportId, Service, Sex, Timestamp};

use super::report::{Event, File, Pass, Report, Told};
use super::sealed;
use super::wire::{
    read_close_reason, read_concern, read_pass_reason, read_report_state, read_stage, read_unfounded_reason,
    write_close_reason, write_concern, write_pass_reason, write_report_state, write_stage, write_unfounded_reason,
};
use crate::desk::{Desk, split};
use crate::grpc::{read, write};
use crate::news::letters::malformed;

/// Name of [`wire::ReportPassedOn`] on the wire.
pub(crate) const REPORT_PASSED_ON: &str = "spean.referral.v1.ReportPassedOn";
/// Name of [`wire::ReportTold`] on the wire.
pub(crate) const REPORT_TOLD: &str = "spean.referral.v1.ReportTold";

/// The letters that follow from an event of a report.
pub(crate) fn postings(desk: &Desk, recorded: &Recorded) -> Vec<Posting> {
    let Some(Ok(event)) = recorded.event::<Report>() else { return vec![] };
    let Some((office, report)) = split::<ReportId>(&recorded.id) else { return vec![] };
    let to_desk_of =
        |to: &OfficeId| desk.party(to).map(|party| Address { node: party.node, service: Service::Referral });
    if let Event::PassedOn { file, pass } = &event {
        let attachment = file.has_words.then(|| sealed::reference(pass.pass));
        let body = passed_on(report, &office, file, pass).encode_to_vec();
        let posting = |to| Posting { to, kind: REPORT_PASSED_ON, case: None, body, attachment };
        return to_desk_of(&pass.to).map(posting).into_iter().collect();
    }
    let Some((told, tell)) = event.told(&office) else { return vec![] };
    let posting = |to: &OfficeId| {
        let body = write_told(report, &office, to, &told).encode_to_vec();
        Some(Posting { to: to_desk_of(to)?, kind: REPORT_TOLD, case: None, body, attachment: None })
    };
    tell.iter().filter_map(posting).collect()
}

fn passed_on(report: ReportId, from: &OfficeId, file: &File, pass: &Pass) -> wire::ReportPassedOn {
    wire::ReportPassedOn {
        report_id: report.to_string(),
        from_office_id: from.to_string(),
        to_office_id: pass.to.to_string(),
        taken_down_by_office_id: file.taken_down_by.to_string(),
        reference: file.reference.to_string(),
        place: file.place.to_string(),
        concerns: file.concerns.iter().map(|concern| write_concern(*concern).into()).collect(),
        urgency: write_urgency(file.urgency).into(),
        people: file.people.and_then(|people| i32::try_from(people).ok()).unwrap_or(0),
        sex: write_sex(file.sex).into(),
        age_band: write_age_band(file.age_band).into(),
        seen_on: file.seen_on.map(|day| day.to_string()).unwrap_or_default(),
        taken_down_at: Some(instant(file.taken_down_at)),
        because: write_pass_reason(pass.because).into(),
        silent_office_ids: pass.silent.iter().map(ToString::to_string).collect(),
        pass_id: pass.pass.to_string(),
        has_words: file.has_words,
    }
}

/// What a report that another office passes on says. Whatever is new to this version of the program is left out: a report
/// must not be lost for a word.
pub(super) fn read_passed_on(told: &wire::ReportPassedOn, now: Timestamp) -> Result<(File, Pass), Unusable> {
    let concerns = told.concerns.iter().filter_map(|concern| read_concern("concerns", *concern).ok());
    let taken_down_at = told.taken_down_at.as_ref().and_then(|at| read_instant("taken_down_at", at, now).ok());
    let file = File {
        reference: told.reference.parse().map_err(malformed)?,
        taken_down_by: told.taken_down_by_office_id.parse().map_err(malformed)?,
        taken_down_at: taken_down_at.unwrap_or(now),
        place: told.place.parse().map_err(malformed)?,
        concerns: concerns.collect(),
        urgency: read_urgency("urgency", told.urgency).map_err(malformed)?,
        people: u32::try_from(told.people).ok().filter(|people| *people > 0),
        sex: read_sex("sex", told.sex).unwrap_or(Sex::Unknown),
        age_band: read_age_band("age_band", told.age_band).unwrap_or(AgeBand::Unknown),
        seen_on: told.seen_on.parse().ok(),
        has_words: told.has_words,
    };
    let pass = Pass {
        to: told.to_office_id.parse().map_err(malformed)?,
        pass: told.pass_id.parse().map_err(malformed)?,
        because: read_pass_reason("because", told.because).map_err(malformed)?,
        silent: told.silent_office_ids.iter().filter_map(|office| office.parse().ok()).collect(),
        due_at: now,
    };
    Ok((file, pass))
}

/// The reference of the words that travel with a letter between two offices of this node.
pub(crate) fn travels_with(letter: &Letter) -> Option<String> {
    let told = wire::ReportPassedOn::decode(letter.body.as_slice()).ok()?;
    let pass = told.pass_id.parse().ok()?;
    told.has_words.then(|| sealed::reference(pass))
}

fn write_told(report: ReportId, from: &OfficeId, to: &OfficeId, told: &Told) -> wire::ReportTold {
    wire::ReportTold {
        report_id: report.to_string(),
        from_office_id: from.to_string(),
        to_office_id: to.to_string(),
        at_office_id: told.at.to_string(),
        state: write_report_state(told.state).into(),
        unfounded_reason: told.unfounded.map(write_unfounded_reason).unwrap_or_default().into(),
        close_reason: told.closed.map(write_close_reason).unwrap_or_default().into(),
        person_number: told.person.and_then(|person| i32::try_from(person).ok()).unwrap_or(0),
        stage: told.stage.map(write_stage).unwrap_or_default().into(),
        outcome: told.outcome.map(write::outcome).unwrap_or_default().into(),
        occurred_on: told.on.map(|on| on.to_string()).unwrap_or_default(),
    }
}

/// What an office tells of a report.
pub(super) fn read_told(told: &wire::ReportTold) -> Result<Told, Unusable> {
    Ok(Told {
        at: told.at_office_id.parse().map_err(malformed)?,
        state: read_report_state("state", told.state).map_err(malformed)?,
        unfounded: read_unfounded_reason("unfounded_reason", told.unfounded_reason).ok(),
        closed: read_close_reason("close_reason", told.close_reason).ok(),
        person: u32::try_from(told.person_number).ok().filter(|person| *person > 0),
        stage: read_stage("stage", told.stage).ok(),
        outcome: read::outcome(told.outcome).ok(),
        on: told.occurred_on.parse().ok(),
    })
}
