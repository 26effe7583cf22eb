//! What is stored is stored for ever.

use super::*;

/// The lines of the first version. None of them may ever change, and all of them must stay readable.
const FIRST_VERSION: usize = 9;

fn events_of_the_first_version() -> Vec<Event> {
    vec![
        registered(AgeBand::Adult),
        Event::Received {
            case_number: Some(number()),
            person: id(1),
            from: "kandal".parse().expect("a code"),
            offer: Some(id(7)),
            on: day("2026-09-03"),
            sex: None,
            age_band: None,
        },
        Event::Amended { codes: codes(AgeBand::Child), on: None },
        Event::ConsentRecorded {
            consent_id: id(2),
            consent: Consent { given_by: None, ..consent(ConsentBasis::Guardian) },
        },
        Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-04") },
        Event::Linked { other: id(9), on: None },
        Event::PossibleDuplicateFound { other: id(9), score: 90, reasons: vec!["SAME_DOCUMENT".to_owned()] },
        Event::Returned { returned_on: day("2026-09-10"), followed_up_by: "kandal".parse().expect("a code") },
        Event::PersonErased { ground: "REQUEST_OF_PERSON".to_owned() },
    ]
}

/// One of each kind of event, those of the first version first.
fn every_event() -> Vec<Event> {
    let on = day("2026-09-05");
    let since = [
        Event::Amended { codes: codes(AgeBand::Child), on: Some(on) },
        Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) },
        Event::ConsentRecorded { consent_id: id(3), consent: consent(ConsentBasis::BestInterest) },
        Event::ConsentLapsed { consent_id: id(2), lapsed_on: on },
        Event::NeedsRecorded { needs: BTreeSet::from([Need::Shelter, Need::Medical]), found_on: on },
        Event::FactRecorded { fact_id: id(4), fact: fact(), on },
        Event::FactRetracted { fact_id: id(4), reason: RetractReason::RecordedByMistake, on },
        Event::ConclusionRecorded { conclusion_id: id(5), conclusion: conclusion(None) },
        Event::ConclusionRecorded { conclusion_id: id(6), conclusion: conclusion(Some(5)) },
        Event::RiskRaised { risk_id: id(7), risk: risk() },
        Event::RiskLowered { risk_id: id(7), lowered_on: on },
        Event::AttachmentAdded { attachment_id: id(8), attachment: paper(AttachmentKind::Photograph) },
        Event::AttachmentRemoved { attachment_id: id(8), reason: RetractReason::OtherPerson, on },
        Event::FileItemWaived { item: FileItem::Photograph, reason: WaiveReason::PersonDeclined, on },
        Event::Linked { other: id(9), on: Some(on) },
        Event::Unlinked { other: id(9), on },
        Event::DuplicateRuledOut { other: id(9), on },
        Event::MergedInto { into: id(9), on },
        Event::Absorbed { other: id(9), on },
        Event::Unmerged { from: id(9), on },
        Event::Released { other: id(9), on },
        Event::SeenAgain { other: id(9), by: "kandal".parse().expect("a code"), on },
        Event::SeenAgainAcknowledged { other: id(9) },
        Event::Received {
            case_number: None,
            person: id(1),
            from: "kandal".parse().expect("a code"),
            offer: None,
            on,
            sex: Some(Sex::Female),
            age_band: Some(AgeBand::Adolescent),
        },
    ];
    events_of_the_first_version().into_iter().chain(since).collect()
}

#[test]
fn stored_events_are_read_as_they_were_written() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/case.jsonl");
    let line = |event: &Event| serde_json::to_string(event).expect("an event is JSON") + "\n";
    let lines: String = every_event().iter().map(line).collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(FILE, &lines).expect("the file can be written");
    }
    let golden = std::fs::read_to_string(FILE).expect("the golden lines are there");
    assert_eq!(lines, golden, "stored events may not change; if this is meant, run again with SPEAN_BLESS=1");
    let read: Vec<Event> = golden.lines().map(|line| serde_json::from_str(line).expect("readable")).collect();
    assert_eq!(read, every_event());
    assert_eq!(read[..FIRST_VERSION], events_of_the_first_version());
}

#[test]
fn every_event_has_its_line_in_a_history() {
    for event in every_event() {
        let told = detail(&event);
        assert!(!told.is_empty() && !told.contains(','), "{event:?} is told as {told:?}");
    }
    let without_a_day = every_event().iter().filter(|event| occurred_on(event).is_none()).count();
    assert_eq!(without_a_day, 5, "what the system found, an erasure, and what the first version did not tell");
}
