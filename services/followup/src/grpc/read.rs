//! Requests of follow-up, field by field.

use spean_chassis::words::{read_need, read_urgency};
use spean_chassis::{Call, field, status};
use spean_contracts::followup::v1 as wire;
use spean_vocabulary::{Date, VisitOutcome};
use tonic::Status;

use super::{MOST_CODES, codes, offices, optional_code};
use crate::codes::{Finding, PersonFunction, VisitPlace};
use crate::plan::{FoundNeed, Visit};

/// Most needs that one visit finds.
const MOST_NEEDS: usize = 10;
/// Longest word of an older caller for a function, in characters.
const LONGEST_FUNCTION: usize = 60;

pub(super) fn number(field: &str, number: i32) -> Result<u8, Status> {
    let number = field::within(field, number.into(), 1, u8::MAX.into())?;
    Ok(u8::try_from(number).expect("it is between 1 and 255"))
}

pub(super) fn visit(request: &wire::RecordVisitRequest, call: &Call) -> Result<Visit, Status> {
    let responsible_adult = responsible_adult(&request.responsible_adult, request.responsible_adult_function)?;
    field::at_most("needs", &request.needs, MOST_NEEDS)?;
    let needs = request.needs.iter().enumerate().map(|(index, found)| {
        let at = |name: &str| format!("needs[{index}].{name}");
        Ok(FoundNeed {
            need_id: field::parse(&at("need_id"), &found.need_id)?,
            need: read_need(&at("need"), found.need)?,
            urgency: read_urgency(&at("urgency"), found.urgency)?,
        })
    });
    Ok(Visit {
        visit_id: field::parse("visit_id", &request.visit_id)?,
        number: number("number", request.number)?,
        visited_on: field::day_so_far("visited_on", &request.visited_on, call.today())?,
        outcome: outcome(request.outcome)?,
        responsible_adult_present: responsible_adult.is_some(),
        responsible_adult,
        present: codes("present", &request.present, MOST_CODES, PersonFunction::read)?,
        findings: codes("finding_codes", &request.finding_codes, MOST_CODES, Finding::read)?,
        place: Some(optional_code("place", request.place, VisitPlace::read)?.unwrap_or(VisitPlace::Home)),
        with_offices: offices("with_office_ids", &request.with_office_ids)?,
        needs: needs.collect::<Result<_, Status>>()?,
        next_on: field::parse_optional::<Date>("next_on", &request.next_on)?,
    })
}

/// The function as a code, or as the word of an older caller.
fn responsible_adult(word: &str, code: i32) -> Result<Option<PersonFunction>, Status> {
    if let Some(code) = optional_code("responsible_adult_function", code, PersonFunction::read)? {
        return Ok(Some(code));
    }
    let Some(word) = field::text("responsible_adult", word, LONGEST_FUNCTION)? else { return Ok(None) };
    let function = match word.to_lowercase().as_str() {
        "grandmother" | "grandfather" => Ok(PersonFunction::Grandparent),
        "aunt" | "uncle" => Ok(PersonFunction::AuntOrUncle),
        "sister" | "brother" => Ok(PersonFunction::AdultSibling),
        word => word.parse(),
    };
    function.map(Some).map_err(|_| status::invalid("responsible_adult", "a word of PersonFunction in small letters"))
}

fn outcome(outcome: i32) -> Result<VisitOutcome, Status> {
    match wire::VisitOutcome::try_from(outcome) {
        Ok(wire::VisitOutcome::Met) => Ok(VisitOutcome::Met),
        Ok(wire::VisitOutcome::Missed) => Ok(VisitOutcome::Missed),
        Ok(wire::VisitOutcome::Refused) => Ok(VisitOutcome::Refused),
        _ => Err(status::invalid("outcome", "one of the values of VisitOutcome, not the unspecified one")),
    }
}
