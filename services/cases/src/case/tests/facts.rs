//! Needs, facts, conclusions, dangers, papers, and what of a file is missing.

use super::words::FileItemState;
use super::*;
use crate::case::MOST_ATTACHMENTS;

fn here() -> Vec<Event> {
    vec![registered(AgeBand::Child)]
}

fn with(event: Event) -> Vec<Event> {
    vec![registered(AgeBand::Child), event]
}

fn fact_recorded() -> Event {
    Event::FactRecorded { fact_id: id(4), fact: fact(), on: day(TODAY) }
}

fn concluded(number: u8, revises: Option<u8>) -> Event {
    Event::ConclusionRecorded { conclusion_id: id(number), conclusion: conclusion(revises) }
}

fn added(number: u8, kind: AttachmentKind) -> Event {
    Event::AttachmentAdded { attachment_id: id(number), attachment: paper(kind) }
}

#[test]
fn facts_are_recorded_of_everybody_and_no_label_is_asked_for() {
    let command = Command::RecordFact { fact_id: id(4), fact: fact() };
    for age_band in [AgeBand::Infant, AgeBand::Adult, AgeBand::Unknown] {
        done_once(vec![registered(age_band)], command.clone(), vec![fact_recorded()]);
    }
    let abuse_alone = Fact {
        abuses: BTreeSet::from([Abuse::Neglect]),
        acts: BTreeSet::new(),
        means: BTreeSet::new(),
        purposes: BTreeSet::new(),
        ..fact()
    };
    let event = Event::FactRecorded { fact_id: id(4), fact: abuse_alone.clone(), on: day(TODAY) };
    done_once(here(), Command::RecordFact { fact_id: id(4), fact: abuse_alone }, vec![event]);
}

#[test]
fn a_fact_says_something_possible_and_its_id_one_thing() {
    let nothing = Fact {
        abuses: BTreeSet::new(),
        acts: BTreeSet::new(),
        means: BTreeSet::new(),
        purposes: BTreeSet::new(),
        ..fact()
    };
    let record = |fact| Command::RecordFact { fact_id: id(4), fact };
    refused(here(), record(nothing), Error::FactSaysNothing);
    refused(here(), record(Fact { until_day: Some(day("2025-12-31")), ..fact() }), Error::EndedBeforeItBegan);
    refused(with(fact_recorded()), record(Fact { from_day: None, ..fact() }), Error::FactIdTaken);
}

#[test]
fn a_fact_is_taken_back_and_stays_in_the_history() {
    let retract = Command::RetractFact { fact_id: id(4), reason: RetractReason::OtherPerson };
    let retracted = Event::FactRetracted { fact_id: id(4), reason: RetractReason::OtherPerson, on: day(TODAY) };
    done_once(with(fact_recorded()), retract.clone(), vec![retracted.clone()]);
    refused(here(), retract, Error::NoSuchFact);
    assert_eq!(Case::fold(&[registered(AgeBand::Child), fact_recorded(), retracted]).facts().count(), 0);
}

#[test]
fn a_conclusion_is_apart_from_the_facts_and_may_be_revised() {
    let conclude =
        |number, revises| Command::RecordConclusion { conclusion_id: id(number), conclusion: conclusion(revises) };
    done_once(here(), conclude(5, None), vec![concluded(5, None)]);
    done_once(with(concluded(5, None)), conclude(6, Some(5)), vec![concluded(6, Some(5))]);
    let revised = vec![registered(AgeBand::Child), concluded(5, None), concluded(6, Some(5))];
    let case = Case::fold(&revised);
    let told: Vec<_> = case.conclusions().map(|(_, known)| known.revised_by).collect();
    assert_eq!(told, [Some(id(6)), None], "both stay on record");
    refused(revised, conclude(7, Some(5)), Error::AlreadyRevised);
    refused(here(), conclude(6, Some(5)), Error::NoSuchConclusion);
    let other = Conclusion { finding: Finding::Undetermined, ..conclusion(None) };
    let other = Command::RecordConclusion { conclusion_id: id(5), conclusion: other };
    refused(with(concluded(5, None)), other, Error::ConclusionIdTaken);
}

#[test]
fn a_danger_lasts_until_somebody_says_that_it_has_passed() {
    let raised = Event::RiskRaised { risk_id: id(7), risk: risk() };
    done_once(here(), Command::RaiseRisk { risk_id: id(7), risk: risk() }, vec![raised.clone()]);
    let lower = |on| Command::LowerRisk { risk_id: id(7), lowered_on: day(on) };
    let lowered = Event::RiskLowered { risk_id: id(7), lowered_on: day("2026-09-10") };
    done_once(with(raised.clone()), lower("2026-09-10"), vec![lowered]);
    refused(with(raised.clone()), lower("2026-09-02"), Error::LoweredBeforeRaised);
    refused(here(), lower("2026-09-10"), Error::NoSuchRisk);
    let other = Risk { severity: Severity::Watch, ..risk() };
    refused(with(raised), Command::RaiseRisk { risk_id: id(7), risk: other }, Error::RiskIdTaken);
}

#[test]
fn needs_are_recorded_as_they_are_now() {
    let record =
        |needs: &[Need]| Command::RecordNeeds { needs: needs.iter().copied().collect(), found_on: day("2026-09-05") };
    let needs = BTreeSet::from([Need::Shelter]);
    let recorded = Event::NeedsRecorded { needs, found_on: day("2026-09-05") };
    done_once(here(), record(&[Need::Shelter]), vec![recorded]);
    refused(here(), record(&[]), Error::NothingNeeded);
}

#[test]
fn a_paper_is_added_once_and_destroyed_once() {
    let add = |kind| Command::Attach { attachment_id: id(8), attachment: paper(kind) };
    let kept = added(8, AttachmentKind::Photograph);
    done_once(here(), add(AttachmentKind::Photograph), vec![kept.clone()]);
    refused(with(kept.clone()), add(AttachmentKind::Other), Error::AttachmentIdTaken);
    let remove = Command::RemoveAttachment { attachment_id: id(8), reason: RetractReason::RecordedByMistake };
    let removed =
        Event::AttachmentRemoved { attachment_id: id(8), reason: RetractReason::RecordedByMistake, on: day(TODAY) };
    done_once(with(kept.clone()), remove.clone(), vec![removed.clone()]);
    refused(here(), remove, Error::NoSuchAttachment);
    let case = Case::fold(&[registered(AgeBand::Child), kept, removed]);
    assert!(case.attachment(id(8)).is_none());
}

#[test]
fn a_file_holds_fifty_papers_and_what_was_destroyed_makes_room() {
    let number = |number: usize| u8::try_from(number + 10).expect("small");
    let mut history = here();
    history.extend((0..MOST_ATTACHMENTS).map(|place| added(number(place), AttachmentKind::Other)));
    let one_more = Command::Attach { attachment_id: id(8), attachment: paper(AttachmentKind::Other) };
    refused(history.clone(), one_more.clone(), Error::TooManyAttachments);
    history.push(Event::AttachmentRemoved { attachment_id: id(10), reason: RetractReason::Replaced, on: day(TODAY) });
    given::<Case>(history).when(&at_office(), one_more).then([added(8, AttachmentKind::Other)]);
}

#[test]
fn what_will_not_be_had_is_said_with_its_reason_and_consent_never_is() {
    let waive = |item| Command::Waive { item, reason: WaiveReason::PersonDeclined };
    let waived =
        Event::FileItemWaived { item: FileItem::Photograph, reason: WaiveReason::PersonDeclined, on: day(TODAY) };
    done_once(here(), waive(FileItem::Photograph), vec![waived]);
    refused(here(), waive(FileItem::Consent), Error::ConsentCannotBeWaived);
    refused(here(), waive(FileItem::Sex), Error::AlreadyInTheFile);
}

#[test]
fn a_checklist_tells_what_is_missing_and_since_when() {
    let state = |history: &[Event], item| {
        let case = Case::fold(history);
        let (_, entry) = case.checklist().entries().find(|(known, _)| *known == item).expect("every item is there");
        (entry.state, entry.since.to_string())
    };
    let mut history = here();
    assert_eq!(state(&history, FileItem::Name), (FileItemState::Done, "2026-09-01".to_owned()));
    assert_eq!(state(&history, FileItem::HomePlace), (FileItemState::Missing, "2026-09-01".to_owned()));
    history.push(added(8, AttachmentKind::TravelPaper));
    assert_eq!(state(&history, FileItem::IdentityPaper), (FileItemState::Done, "2026-09-04".to_owned()));
    history.push(Event::ConsentRecorded { consent_id: id(2), consent: consent(ConsentBasis::Guardian) });
    assert_eq!(state(&history, FileItem::Consent), (FileItemState::Done, "2026-09-02".to_owned()));
    history.push(Event::ConsentWithdrawn { consent_id: id(2), withdrawn_on: day("2026-09-08") });
    assert_eq!(state(&history, FileItem::Consent), (FileItemState::Missing, "2026-09-08".to_owned()));
    history.push(fact_recorded());
    history.push(Event::FactRetracted { fact_id: id(4), reason: RetractReason::Replaced, on: day("2026-09-22") });
    assert_eq!(state(&history, FileItem::Facts), (FileItemState::Missing, "2026-09-22".to_owned()));
    let waived = Event::FileItemWaived { item: FileItem::Risk, reason: WaiveReason::NothingFound, on: day(TODAY) };
    history.push(waived);
    assert_eq!(state(&history, FileItem::Risk).0, FileItemState::Waived);
    history.push(Event::RiskRaised { risk_id: id(7), risk: risk() });
    assert_eq!(state(&history, FileItem::Risk).0, FileItemState::Done, "what is there after all is there");
    let first = Case::fold(&history).checklist().missing();
    assert_eq!(first.first().map(|(item, _)| *item), Some(FileItem::HomePlace), "missing for the longest time");
}
