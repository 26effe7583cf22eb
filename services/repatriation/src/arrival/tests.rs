//! The rules of an arrival, each sent twice.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{AgeBand, Id, Sex, Timestamp};

use super::*;

fn at(office: &str) -> Context {
    Context {
        office: office.parse().expect("a code"),
        staff: Some("staff-7".parse().expect("a code")),
        now: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

fn at_centre() -> Context {
    at("poipet-transit-centre")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn office(code: &str) -> OfficeId {
    code.parse().expect("a code")
}

fn codes(age_band: AgeBand) -> Codes {
    Codes { sex: Sex::Male, age_band, language: None, home_place: None, missing: vec!["home_place".to_owned()] }
}

fn circumstances() -> Circumstances {
    Circumstances {
        route: Route::Deportation,
        from_country: Some("TH".to_owned()),
        handed_over_by: None,
        arrived_on: day("2026-09-01"),
    }
}

fn register(age_band: AgeBand) -> Command {
    Command::Register {
        person: id(1),
        circumstances: circumstances(),
        codes: codes(age_band),
        needs: BTreeSet::from([Need::Medical]),
    }
}

fn registered(age_band: AgeBand) -> Event {
    Event::Registered {
        person: id(1),
        office: at_centre().office,
        circumstances: circumstances(),
        codes: codes(age_band),
        needs: BTreeSet::from([Need::Medical]),
    }
}

fn needs(responsible_adult: Option<&str>) -> Command {
    Command::RecordNeeds {
        needs: BTreeSet::from([Need::Shelter, Need::FamilyTracing]),
        urgent: true,
        responsible_adult: responsible_adult.map(str::to_owned),
    }
}

fn needs_recorded(responsible_adult: Option<&str>) -> Event {
    Event::NeedsRecorded {
        needs: BTreeSet::from([Need::Shelter, Need::FamilyTracing]),
        urgent: true,
        responsible_adult: responsible_adult.map(str::to_owned),
    }
}

fn leave(kind: DepartureKind, on: &str) -> Command {
    Command::RecordDeparture { kind, on: day(on) }
}

fn stay(night_of: &str) -> Command {
    Command::RecordStay { night_of: day(night_of) }
}

fn stayed(night_of: &str) -> Event {
    Event::Stayed { night_of: day(night_of) }
}

fn accepted(offer: u8, by: &str) -> Event {
    Event::Accepted { offer: Some(id(offer)), office: office(by) }
}

#[test]
fn somebody_arrives_and_is_registered_with_whatever_is_known() {
    given::<Arrival>([]).when(&at_centre(), register(AgeBand::Unknown)).then([registered(AgeBand::Unknown)]);
}

#[test]
fn the_same_id_for_somebody_else_or_at_another_office_is_refused() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), register(AgeBand::Child))
        .then_error(&Error::ArrivalIdTaken);
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at("battambang"), register(AgeBand::Adult))
        .then_error(&Error::ArrivalIdTaken);
}

#[test]
fn an_adult_is_interviewed_alone() {
    given::<Arrival>([registered(AgeBand::Adult)]).when(&at_centre(), needs(None)).then([needs_recorded(None)]);
}

#[test]
fn a_child_or_somebody_of_unknown_age_is_not_interviewed_without_a_responsible_adult() {
    for age_band in [AgeBand::Infant, AgeBand::Child, AgeBand::Adolescent, AgeBand::Unknown] {
        given::<Arrival>([registered(age_band)])
            .when(&at_centre(), needs(None))
            .then_error(&Error::ResponsibleAdultNeeded);
        given::<Arrival>([registered(age_band)])
            .when(&at_centre(), needs(Some("social worker on duty")))
            .then([needs_recorded(Some("social worker on duty"))]);
    }
}

#[test]
fn a_night_counts_once() {
    given::<Arrival>([registered(AgeBand::Adult)]).when(&at_centre(), stay("2026-09-01")).then([stayed("2026-09-01")]);
    given::<Arrival>([registered(AgeBand::Adult), stayed("2026-09-01")])
        .when(&at_centre(), stay("2026-09-01"))
        .then_nothing();
}

#[test]
fn no_night_begins_before_the_arrival_or_after_the_departure() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), stay("2026-08-31"))
        .then_error(&Error::NightBeforeArrival);
    let departed = Event::Departed { kind: DepartureKind::OwnWill, on: day("2026-09-03"), to: None };
    let history = [registered(AgeBand::Adult), departed];
    given::<Arrival>(history.clone()).when(&at_centre(), stay("2026-09-03")).then_error(&Error::NightAfterDeparture);
    given::<Arrival>(history).when(&at_centre(), stay("2026-09-02")).then([stayed("2026-09-02")]);
}

#[test]
fn nobody_is_handed_over_before_an_office_has_accepted() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), leave(DepartureKind::HandedOver, "2026-09-03"))
        .then_error(&Error::NobodyHasAccepted);
    given::<Arrival>([registered(AgeBand::Adult), accepted(5, "kandal")])
        .when(&at_centre(), leave(DepartureKind::HandedOver, "2026-09-03"))
        .then([Event::Departed { kind: DepartureKind::HandedOver, on: day("2026-09-03"), to: Some(office("kandal")) }]);
}

#[test]
fn everybody_may_leave_of_their_own_will() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), leave(DepartureKind::OwnWill, "2026-09-01"))
        .then([Event::Departed { kind: DepartureKind::OwnWill, on: day("2026-09-01"), to: None }]);
}

#[test]
fn a_second_departure_is_refused() {
    let departed = Event::Departed { kind: DepartureKind::OwnWill, on: day("2026-09-03"), to: None };
    let history = [registered(AgeBand::Adult), accepted(5, "kandal"), departed];
    for command in [leave(DepartureKind::OwnWill, "2026-09-04"), leave(DepartureKind::HandedOver, "2026-09-03")] {
        given::<Arrival>(history.clone()).when(&at_centre(), command).then_error(&Error::AlreadyDeparted);
    }
}

#[test]
fn a_departure_fits_the_arrival_and_the_nights() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), leave(DepartureKind::OwnWill, "2026-08-31"))
        .then_error(&Error::DepartedBeforeArrival);
    given::<Arrival>([registered(AgeBand::Adult), stayed("2026-09-04")])
        .when(&at_centre(), leave(DepartureKind::OwnWill, "2026-09-04"))
        .then_error(&Error::NightOnRecord);
}

#[test]
fn an_acceptance_is_noted_once_however_often_it_is_told() {
    let note = |offer: Option<u8>| Command::NoteAcceptance { offer: offer.map(id), office: office("kandal") };
    given::<Arrival>([registered(AgeBand::Adult)]).when(&at_centre(), note(Some(5))).then([accepted(5, "kandal")]);
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), note(None))
        .then([Event::Accepted { offer: None, office: office("kandal") }]);
}

#[test]
fn a_case_that_comes_back_waits_again_and_old_news_do_not_change_that() {
    let back = Event::TakenBack { offer: id(6) };
    let history = [registered(AgeBand::Adult), accepted(5, "kandal")];
    given::<Arrival>(history.clone()).when(&at_centre(), Command::NoteReturn { offer: id(6) }).then([back.clone()]);
    let history = [&history[..], &[back]].concat();
    given::<Arrival>(history.clone())
        .when(&at_centre(), leave(DepartureKind::HandedOver, "2026-09-03"))
        .then_error(&Error::NobodyHasAccepted);
    let old_news = Command::NoteAcceptance { offer: Some(id(5)), office: office("kandal") };
    given::<Arrival>(history).when(&at_centre(), old_news).then_nothing();
}

#[test]
fn the_number_of_the_case_is_noted() {
    let case_number = CaseNumber::draw("PP".parse().expect("a tag"), [1, 2, 3, 4, 5]);
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), Command::NoteCase { case_number })
        .then([Event::CaseOpened { case_number }]);
}

#[test]
fn another_office_hears_that_there_is_no_such_arrival() {
    for command in [needs(None), stay("2026-09-01"), leave(DepartureKind::OwnWill, "2026-09-02")] {
        given::<Arrival>([registered(AgeBand::Adult)])
            .when(&at("battambang"), command.clone())
            .then_error(&Error::NoSuchArrival);
        given::<Arrival>([]).when(&at_centre(), command).then_error(&Error::NoSuchArrival);
    }
}
