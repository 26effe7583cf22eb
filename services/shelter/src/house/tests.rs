//! Specifications of a house: the way it goes, doing it again, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{Id, Timestamp};

use super::absence::{Absence, AbsenceReason};
use super::*;

mod absences;

fn the_shelter() -> Context {
    Context {
        office: "poipet-shelter".parse().unwrap(),
        staff: Some("staff-7".parse().unwrap()),
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

const GIRLS: Group = Group { sex: Sex::Female, children: true };
const WOMEN: Group = Group { sex: Sex::Female, children: false };
const BOYS: Group = Group { sex: Sex::Male, children: true };

fn declared(places: &[(Group, u32)]) -> Event {
    let places = places.iter().map(|&(group, capacity_persons)| Places { group, capacity_persons }).collect();
    Event::CapacityDeclared { places }
}

fn declare(places: &[(Group, u32)]) -> Command {
    let places = places.iter().map(|&(group, capacity_persons)| Places { group, capacity_persons }).collect();
    Command::DeclareCapacity { places }
}

/// A girl whose case this office holds.
fn a_girl(stay: u8, case: u8, on: &str) -> Admission {
    Admission {
        admission_id: id(stay),
        case_id: id(case),
        case_number: None,
        sex: Sex::Female,
        is_child: true,
        admitted_on: day(on),
        helping: false,
        stays_elsewhere: false,
        bed: None,
        over_capacity: None,
        plan_due_on: None,
    }
}

fn admitted(stay: u8, case: u8, group: Group, on: &str) -> Event {
    Event::Admitted {
        admission_id: id(stay),
        case_id: id(case),
        case_number: None,
        group,
        admitted_on: day(on),
        readmission: false,
        helping: false,
        bed: None,
        over_capacity: None,
        plan_due_on: None,
    }
}

/// What the desk is told of how full the house is.
fn counted(capacity_persons: u32, occupied_persons: u32) -> Event {
    Event::OccupancyChanged { occupancy: Occupancy { capacity_persons, occupied_persons } }
}

fn lost(since: &str, lost_on: &str) -> Event {
    Event::ContactLost { admission_id: id(1), case_id: id(2), since: day(since), lost_on: day(lost_on) }
}

fn helped(stay: u8, case: u8) -> Event {
    Event::Admitted {
        admission_id: id(stay),
        case_id: id(case),
        case_number: None,
        group: GIRLS,
        admitted_on: day("2026-09-01"),
        readmission: false,
        helping: true,
        bed: None,
        over_capacity: None,
        plan_due_on: None,
    }
}

fn away(since: &str, reason: AbsenceReason) -> Event {
    let absence = Absence { since: day(since), reason, expected_back_on: None };
    Event::AbsenceRecorded { admission_id: id(1), case_id: id(2), absence }
}

fn back(on: &str) -> Event {
    Event::Returned { admission_id: id(1), case_id: id(2), returned_on: day(on), over_capacity: None }
}

fn exit(kind: ExitKind, on: &str, accountable: Accountable) -> Command {
    Command::Exit { admission_id: id(1), kind, exited_on: day(on), accountable, agreed: None, decided: true }
}

fn exited(kind: ExitKind, on: &str, passed_to: Option<&str>) -> Event {
    let passed_to = passed_to.map(|office| office.parse().unwrap());
    Event::Exited { admission_id: id(1), case_id: Some(id(2)), kind, exited_on: day(on), passed_to }
}

fn another_office() -> Accountable {
    Accountable::Other(Some("kandal".parse().unwrap()))
}

#[test]
fn a_house_declares_its_places_and_leaves_out_what_it_has_not() {
    given::<House>([])
        .when(&the_shelter(), declare(&[(GIRLS, 12), (BOYS, 0), (WOMEN, 4)]))
        .then([declared(&[(WOMEN, 4), (GIRLS, 12)]), counted(16, 0)]);
}

#[test]
fn the_same_places_declared_again_change_nothing() {
    given::<House>([declared(&[(WOMEN, 4), (GIRLS, 12)])])
        .when(&the_shelter(), declare(&[(GIRLS, 12), (WOMEN, 4)]))
        .then_nothing();
}

#[test]
fn one_group_has_one_number() {
    given::<House>([]).when(&the_shelter(), declare(&[(GIRLS, 12), (GIRLS, 0)])).then_error(&Error::GroupDeclaredTwice);
}

#[test]
fn a_resident_is_admitted_to_a_place_of_her_group() {
    given::<House>([declared(&[(GIRLS, 1)])])
        .when(&the_shelter(), Command::Admit(a_girl(1, 2, "2026-09-01")))
        .then([admitted(1, 2, GIRLS, "2026-09-01"), counted(1, 1)]);
}

#[test]
fn the_same_admission_again_changes_nothing_even_in_a_full_house() {
    given::<House>([declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")])
        .when(&the_shelter(), Command::Admit(a_girl(1, 2, "2026-09-01")))
        .then_nothing();
}

#[test]
fn an_admission_id_is_for_one_person_and_one_day() {
    for other in [a_girl(1, 3, "2026-09-01"), a_girl(1, 2, "2026-09-02")] {
        given::<House>([declared(&[(GIRLS, 9)]), admitted(1, 2, GIRLS, "2026-09-01")])
            .when(&the_shelter(), Command::Admit(other))
            .then_error(&Error::AdmissionIdTaken);
    }
}

#[test]
fn a_full_house_refuses_and_free_places_of_others_do_not_count() {
    given::<House>([declared(&[(GIRLS, 1), (WOMEN, 9), (BOYS, 9)]), admitted(1, 2, GIRLS, "2026-09-01")])
        .when(&the_shelter(), Command::Admit(a_girl(3, 4, "2026-09-02")))
        .then_error(&Error::NoFreePlace);
}

#[test]
fn a_house_that_declared_nothing_has_no_place() {
    given::<House>([]).when(&the_shelter(), Command::Admit(a_girl(1, 2, "2026-09-01"))).then_error(&Error::NoFreePlace);
}

#[test]
fn a_place_that_was_left_is_free_again() {
    let history =
        [declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01"), exited(ExitKind::OwnWill, "2026-09-03", None)];
    given::<House>(history)
        .when(&the_shelter(), Command::Admit(a_girl(3, 4, "2026-09-03")))
        .then([admitted(3, 4, GIRLS, "2026-09-03"), counted(1, 1)]);
}

#[test]
fn fewer_places_than_residents_put_nobody_out_and_let_nobody_in() {
    let history = [declared(&[(GIRLS, 2)]), admitted(1, 2, GIRLS, "2026-09-01"), admitted(3, 4, GIRLS, "2026-09-01")];
    given::<House>(history.clone())
        .when(&the_shelter(), declare(&[(GIRLS, 1)]))
        .then([declared(&[(GIRLS, 1)]), counted(1, 2)]);
    let left = exited(ExitKind::OwnWill, "2026-09-03", None);
    given::<House>(history.into_iter().chain([declared(&[(GIRLS, 1)]), left]))
        .when(&the_shelter(), Command::Admit(a_girl(5, 6, "2026-09-04")))
        .then_error(&Error::NoFreePlace);
}

#[test]
fn a_child_of_unknown_sex_takes_a_place_among_children_where_most_are_free() {
    let unknown = Admission { sex: Sex::Unknown, ..a_girl(1, 2, "2026-09-01") };
    given::<House>([declared(&[(GIRLS, 2), (BOYS, 3), (WOMEN, 9)])])
        .when(&the_shelter(), Command::Admit(unknown.clone()))
        .then([admitted(1, 2, BOYS, "2026-09-01"), counted(14, 1)]);
    given::<House>([declared(&[(WOMEN, 9)])])
        .when(&the_shelter(), Command::Admit(unknown))
        .then_error(&Error::NoFreePlace);
}

#[test]
fn who_stays_here_is_not_admitted_a_second_time() {
    given::<House>([declared(&[(GIRLS, 9)]), admitted(1, 2, GIRLS, "2026-09-01")])
        .when(&the_shelter(), Command::Admit(a_girl(3, 2, "2026-09-02")))
        .then_error(&Error::StaysHereAlready);
}

#[test]
fn who_stays_in_another_house_of_the_agency_is_not_admitted() {
    let elsewhere = Admission { stays_elsewhere: true, ..a_girl(1, 2, "2026-09-01") };
    given::<House>([declared(&[(GIRLS, 9)])])
        .when(&the_shelter(), Command::Admit(elsewhere))
        .then_error(&Error::StaysElsewhere);
}

#[test]
fn a_readmission_is_recognised_and_does_not_reach_into_the_last_stay() {
    let history =
        [declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01"), exited(ExitKind::OwnWill, "2026-09-10", None)];
    given::<House>(history.clone())
        .when(&the_shelter(), Command::Admit(a_girl(3, 2, "2026-09-09")))
        .then_error(&Error::AdmittedBeforeLastExit);
    let mut again = admitted(3, 2, GIRLS, "2026-09-10");
    if let Event::Admitted { readmission, .. } = &mut again {
        *readmission = true;
    }
    given::<House>(history)
        .when(&the_shelter(), Command::Admit(a_girl(3, 2, "2026-09-10")))
        .then([again, counted(1, 1)]);
}

#[test]
fn nobody_goes_home_before_another_office_has_taken_the_case() {
    let history = [declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")];
    for accountable in [Accountable::ThisOffice, Accountable::NotTold] {
        given::<House>(history.clone())
            .when(&the_shelter(), exit(ExitKind::Reintegrated, "2026-09-10", accountable))
            .then_error(&Error::FollowUpNotAccepted);
    }
    given::<House>(history)
        .when(&the_shelter(), exit(ExitKind::Reintegrated, "2026-09-10", another_office()))
        .then([exited(ExitKind::Reintegrated, "2026-09-10", Some("kandal")), counted(1, 0)]);
}

#[test]
fn nobody_goes_home_before_it_was_decided_with_them() {
    let command = Command::Exit {
        admission_id: id(1),
        kind: ExitKind::Reintegrated,
        exited_on: day("2026-09-10"),
        accountable: another_office(),
        agreed: None,
        decided: false,
    };
    given::<House>([declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")])
        .when(&the_shelter(), command)
        .then_error(&Error::ReturnNotDecided);
}

#[test]
fn an_agreement_to_shelter_the_person_does_not_make_up_for_follow_up() {
    let command = Command::Exit {
        admission_id: id(1),
        kind: ExitKind::Reintegrated,
        exited_on: day("2026-09-10"),
        accountable: Accountable::ThisOffice,
        agreed: Some("kandal".parse().unwrap()),
        decided: true,
    };
    given::<House>([declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")])
        .when(&the_shelter(), command)
        .then_error(&Error::FollowUpNotAccepted);
}

#[test]
fn where_the_house_only_helped_the_holder_follows_up_also_when_the_help_has_ended() {
    for (accountable, holder) in [
        (Accountable::Other(Some("takeo".parse().unwrap())), Some("takeo")),
        (Accountable::Other(None), None),
        (Accountable::NotTold, None),
    ] {
        given::<House>([declared(&[(GIRLS, 1)]), helped(1, 2)])
            .when(&the_shelter(), exit(ExitKind::Reintegrated, "2026-09-10", accountable))
            .then([exited(ExitKind::Reintegrated, "2026-09-10", holder), counted(1, 0)]);
    }
}

#[test]
fn a_helper_that_has_promised_to_take_the_case_answers_for_it_itself() {
    given::<House>([declared(&[(GIRLS, 1)]), helped(1, 2)])
        .when(&the_shelter(), exit(ExitKind::Reintegrated, "2026-09-10", Accountable::ThisOffice))
        .then_error(&Error::FollowUpNotAccepted);
}

#[test]
fn nobody_is_moved_where_nobody_has_agreed_to_care_for_them() {
    let history = [declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")];
    let moved = |accountable, agreed: Option<&str>| Command::Exit {
        admission_id: id(1),
        kind: ExitKind::Moved,
        exited_on: day("2026-09-10"),
        accountable,
        agreed: agreed.map(|office| office.parse().unwrap()),
        decided: false,
    };
    given::<House>(history.clone())
        .when(&the_shelter(), moved(Accountable::ThisOffice, None))
        .then_error(&Error::NoOtherPlaceOfCare);
    given::<House>(history.clone())
        .when(&the_shelter(), moved(Accountable::ThisOffice, Some("hospital")))
        .then([exited(ExitKind::Moved, "2026-09-10", Some("hospital")), counted(1, 0)]);
    given::<House>(history)
        .when(&the_shelter(), moved(another_office(), None))
        .then([exited(ExitKind::Moved, "2026-09-10", Some("kandal")), counted(1, 0)]);
}

#[test]
fn everybody_may_leave_of_their_own_will_and_is_looked_for_from_then_on() {
    for accountable in [Accountable::ThisOffice, another_office(), Accountable::NotTold] {
        given::<House>([declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-01")])
            .when(&the_shelter(), exit(ExitKind::OwnWill, "2026-09-01", accountable))
            .then([exited(ExitKind::OwnWill, "2026-09-01", None), lost("2026-09-01", "2026-09-01"), counted(1, 0)]);
    }
}

#[test]
fn a_stay_ends_once_and_not_before_it_began() {
    let history = [declared(&[(GIRLS, 1)]), admitted(1, 2, GIRLS, "2026-09-05")];
    given::<House>(history.clone())
        .when(&the_shelter(), exit(ExitKind::OwnWill, "2026-09-04", Accountable::ThisOffice))
        .then_error(&Error::ExitedBeforeAdmission);
    let over = || history.clone().into_iter().chain([exited(ExitKind::OwnWill, "2026-09-06", None)]);
    for (kind, on) in [(ExitKind::OwnWill, "2026-09-07"), (ExitKind::Moved, "2026-09-06")] {
        given::<House>(over()).when(&the_shelter(), exit(kind, on, another_office())).then_error(&Error::AlreadyExited);
    }
    given::<House>(over())
        .when(&the_shelter(), exit(ExitKind::OwnWill, "2026-09-06", Accountable::ThisOffice))
        .then_nothing();
}

#[test]
fn a_stay_of_another_house_is_not_there() {
    given::<House>([declared(&[(GIRLS, 1)])])
        .when(&the_shelter(), exit(ExitKind::OwnWill, "2026-09-06", Accountable::ThisOffice))
        .then_error(&Error::NoSuchStay);
}

/// `SPEAN_BLESS=1` adds what is new; a line that is already stored somewhere may never change.
#[test]
fn stored_events_are_read_for_ever() {
    let mut numbered = admitted(5, 6, WOMEN, "2026-09-01");
    if let Event::Admitted { case_number, bed, over_capacity, plan_due_on, .. } = &mut numbered {
        *case_number = Some(CaseNumber::draw("RK".parse().unwrap(), [1, 2, 3, 4, 5]));
        *bed = Some("a-12".parse().unwrap());
        *over_capacity = Some(OverCapacity::FamilyTogether);
        *plan_due_on = Some(day("2026-09-15"));
    }
    let agreed = Absence {
        since: day("2026-09-03"),
        reason: AbsenceReason::HomeVisit,
        expected_back_on: Some(day("2026-09-06")),
    };
    let (admission_id, case_id) = (id(1), id(2));
    let over_capacity = Some(OverCapacity::CameBack);
    let events = [
        declared(&[(WOMEN, 4), (GIRLS, 12)]),
        admitted(1, 2, GIRLS, "2026-09-01"),
        numbered,
        exited(ExitKind::OwnWill, "2026-09-03", None),
        exited(ExitKind::Moved, "2026-09-03", Some("kandal")),
        Event::BedAssigned { admission_id, bed: "b-1".parse().unwrap() },
        away("2026-09-03", AbsenceReason::OwnWill),
        Event::AbsenceRecorded { admission_id, case_id, absence: agreed },
        back("2026-09-05"),
        Event::Returned { admission_id, case_id, returned_on: day("2026-09-25"), over_capacity },
        Event::BedReleased { admission_id, released_on: day("2026-09-20") },
        lost("2026-09-03", "2026-09-06"),
        Event::ContactFound { admission_id, found_on: day("2026-09-09"), outcome: ContactOutcome::WithFamily },
        counted(16, 3),
    ];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/house.jsonl");
    crate::golden::check(path, &events);
}
