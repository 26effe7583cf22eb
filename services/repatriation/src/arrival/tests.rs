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
        authority: None,
        arrived_on: day("2026-09-01"),
    }
}

fn register(age_band: AgeBand) -> Command {
    Command::Register {
        person: id(1),
        circumstances: circumstances(),
        codes: codes(age_band),
        needs: BTreeSet::from([Need::Medical]),
        by_request: None,
    }
}

fn registered(age_band: AgeBand) -> Event {
    Event::Registered {
        person: id(1),
        office: at_centre().office,
        circumstances: circumstances(),
        codes: codes(age_band),
        needs: BTreeSet::from([Need::Medical]),
        by_request: None,
    }
}

fn adult() -> ResponsibleAdult {
    ResponsibleAdult { function: AdultFunction::SocialWorker, staff: "sw-3".parse().ok() }
}

fn needs(adult: Option<ResponsibleAdult>) -> Command {
    Command::RecordNeeds {
        needs: BTreeSet::from([Need::Shelter, Need::FamilyTracing]),
        urgent: true,
        urgent_needs: BTreeSet::from([Need::Shelter]),
        adult,
    }
}

fn needs_recorded(adult: Option<ResponsibleAdult>) -> Event {
    Event::NeedsRecorded {
        needs: BTreeSet::from([Need::Shelter, Need::FamilyTracing]),
        urgent: true,
        responsible_adult: None,
        urgent_needs: BTreeSet::from([Need::Shelter]),
        adult,
    }
}

fn leave(kind: DepartureKind, on: &str) -> Command {
    Command::RecordDeparture { kind, on: day(on), to: None }
}

fn stay(night_of: &str) -> Command {
    Command::RecordStay { night_of: day(night_of) }
}

fn stayed(night_of: &str) -> Event {
    Event::Stayed { night_of: day(night_of), first: true }
}

fn departed(kind: DepartureKind, on: &str) -> Event {
    Event::Departed { kind, on: day(on), to: None, stayed: false }
}

fn handed_over() -> Event {
    let (kind, on) = (DepartureKind::HandedOver, day("2026-09-03"));
    Event::Departed { kind, on, to: Some(office("kandal")), stayed: false }
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
            .when(&at_centre(), needs(Some(adult())))
            .then([needs_recorded(Some(adult()))]);
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
    let departed = departed(DepartureKind::OwnWill, "2026-09-03");
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
        .then([handed_over()]);
}

#[test]
fn everybody_may_leave_of_their_own_will() {
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), leave(DepartureKind::OwnWill, "2026-09-01"))
        .then([departed(DepartureKind::OwnWill, "2026-09-01")]);
}

#[test]
fn a_second_departure_is_refused() {
    let departed = departed(DepartureKind::OwnWill, "2026-09-03");
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

#[test]
fn what_cannot_wait_is_one_of_the_needs() {
    let command = Command::RecordNeeds {
        needs: BTreeSet::from([Need::Shelter]),
        urgent: true,
        urgent_needs: BTreeSet::from([Need::Medical]),
        adult: None,
    };
    given::<Arrival>([registered(AgeBand::Adult)]).when(&at_centre(), command).then_error(&Error::UrgentNeedNotFound);
}

#[test]
fn an_adult_who_was_written_down_in_words_was_there() {
    let in_words = Event::NeedsRecorded {
        needs: BTreeSet::from([Need::Shelter]),
        urgent: false,
        responsible_adult: Some("social worker on duty".to_owned()),
        urgent_needs: BTreeSet::new(),
        adult: None,
    };
    let again = Command::RecordNeeds {
        needs: BTreeSet::from([Need::Shelter]),
        urgent: false,
        urgent_needs: BTreeSet::new(),
        adult: Some(ResponsibleAdult { function: AdultFunction::Other, staff: None }),
    };
    given::<Arrival>([registered(AgeBand::Child), in_words]).when(&at_centre(), again).then_nothing();
}

fn serve(need: Need, on: &str) -> Command {
    Command::RecordNeedServed { need, on: day(on), by: ServedBy::HealthFacility }
}

#[test]
fn a_need_is_served_once_and_only_one_that_was_found() {
    let served = Event::NeedServed { need: Need::Medical, on: day("2026-09-02"), by: ServedBy::HealthFacility };
    let history = [registered(AgeBand::Adult)];
    given::<Arrival>(history.clone()).when(&at_centre(), serve(Need::Medical, "2026-09-02")).then([served.clone()]);
    given::<Arrival>(history.clone())
        .when(&at_centre(), serve(Need::Legal, "2026-09-02"))
        .then_error(&Error::NeedNotFound);
    given::<Arrival>(history.clone())
        .when(&at_centre(), serve(Need::Medical, "2026-08-31"))
        .then_error(&Error::ServedBeforeArrival);
    given::<Arrival>([history[0].clone(), served])
        .when(&at_centre(), serve(Need::Medical, "2026-09-03"))
        .then_error(&Error::AlreadyServed);
}

fn bed(group: BedGroup, has_room: bool, over_capacity: Option<OverCapacityReason>) -> Command {
    Command::AssignBed { group, from_night: day("2026-09-01"), has_room, over_capacity }
}

fn bed_assigned(group: BedGroup, over_capacity: Option<OverCapacityReason>) -> Event {
    Event::BedAssigned { group, from_night: day("2026-09-01"), over_capacity }
}

#[test]
fn a_full_house_takes_in_whoever_it_is_said_why_and_says_so_of_them() {
    let reason = Some(OverCapacityReason::NowhereElse);
    let history = [registered(AgeBand::Adult)];
    given::<Arrival>(history.clone())
        .when(&at_centre(), bed(BedGroup::Men, true, reason))
        .then([bed_assigned(BedGroup::Men, None)]);
    given::<Arrival>(history.clone()).when(&at_centre(), bed(BedGroup::Men, false, None)).then_error(&Error::HouseFull);
    given::<Arrival>(history)
        .when(&at_centre(), bed(BedGroup::Men, false, reason))
        .then([bed_assigned(BedGroup::Men, reason)]);
}

#[test]
fn a_bed_fits_its_sleeper_and_is_given_back_on_departure() {
    let misfits = [
        (AgeBand::Adult, BedGroup::Women),
        (AgeBand::Adult, BedGroup::Boys),
        (AgeBand::Child, BedGroup::Men),
        (AgeBand::Adolescent, BedGroup::Girls),
    ];
    for (age_band, group) in misfits {
        given::<Arrival>([registered(age_band)])
            .when(&at_centre(), bed(group, true, None))
            .then_error(&Error::BedNotForThem);
    }
    for (age_band, group) in [
        (AgeBand::Infant, BedGroup::Women),
        (AgeBand::Child, BedGroup::Family),
        (AgeBand::Unknown, BedGroup::Boys),
        (AgeBand::Unknown, BedGroup::Men),
    ] {
        given::<Arrival>([registered(age_band)])
            .when(&at_centre(), bed(group, true, None))
            .then([bed_assigned(group, None)]);
    }
    let left = [registered(AgeBand::Adult), departed(DepartureKind::OwnWill, "2026-09-03")];
    given::<Arrival>(left).when(&at_centre(), bed(BedGroup::Men, true, None)).then_error(&Error::AlreadyDeparted);
    let early =
        Command::AssignBed { group: BedGroup::Men, from_night: day("2026-08-31"), has_room: true, over_capacity: None };
    given::<Arrival>([registered(AgeBand::Adult)]).when(&at_centre(), early).then_error(&Error::NightBeforeArrival);
}

#[test]
fn nobody_is_handed_over_to_an_office_that_did_not_accept() {
    let to = |office_code: &str| Command::RecordDeparture {
        kind: DepartureKind::HandedOver,
        on: day("2026-09-03"),
        to: Some(office(office_code)),
    };
    let history = [registered(AgeBand::Adult), accepted(5, "kandal")];
    given::<Arrival>(history.clone()).when(&at_centre(), to("battambang")).then_error(&Error::NotTheAcceptingOffice);
    given::<Arrival>(history).when(&at_centre(), to("kandal")).then([handed_over()]);
}

#[test]
fn who_is_missing_is_on_record_as_missing_until_found() {
    let missing = departed(DepartureKind::Missing, "2026-09-02");
    let history = [registered(AgeBand::Adult), missing.clone()];
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), leave(DepartureKind::Missing, "2026-09-02"))
        .then([missing]);
    given::<Arrival>(history.clone())
        .when(&at_centre(), stay("2026-09-04"))
        .then([Event::FoundAgain { on: day("2026-09-04") }, stayed("2026-09-04")]);
    given::<Arrival>(history)
        .when(&at_centre(), leave(DepartureKind::OwnWill, "2026-09-05"))
        .then([departed(DepartureKind::OwnWill, "2026-09-05")]);
}

#[test]
fn the_end_of_an_offer_is_noted_once_and_its_later_end_too() {
    let note = |end| Command::NoteAnswer {
        offer: id(5),
        office: office("kandal"),
        kind: OfferKind::Service,
        need: Some(Need::Medical),
        end,
    };
    let noted = |end| Event::OfferEnded {
        offer: id(5),
        office: office("kandal"),
        kind: OfferKind::Service,
        need: Some(Need::Medical),
        end,
    };
    let history = [registered(AgeBand::Adult), noted(OfferEnd::Accepted)];
    given::<Arrival>([registered(AgeBand::Adult)])
        .when(&at_centre(), note(OfferEnd::Accepted))
        .then([noted(OfferEnd::Accepted)]);
    given::<Arrival>(history).when(&at_centre(), note(OfferEnd::Concluded)).then([noted(OfferEnd::Concluded)]);
}

#[test]
fn a_person_who_is_known_is_linked_with_the_earlier_case() {
    let confirm = |other: u8, is_known| Command::ConfirmSamePerson {
        arrival: id(1),
        other: id(other),
        is_known,
        on: day("2026-09-02"),
    };
    let history = [registered(AgeBand::Adult)];
    given::<Arrival>(history.clone())
        .when(&at_centre(), confirm(2, true))
        .then([Event::SamePersonConfirmed { other: id(2), on: day("2026-09-02") }]);
    given::<Arrival>(history.clone()).when(&at_centre(), confirm(2, false)).then_error(&Error::NoSuchCase);
    given::<Arrival>(history).when(&at_centre(), confirm(1, true)).then_error(&Error::LinkedWithItself);
}
