//! The rules of a request, each sent twice.

use spean_eventsourcing::specification::given;
use spean_vocabulary::{Id, Timestamp};

use super::*;

const MINISTRY: &str = "mosvy-atro";
const CENTRE: &str = "poipet-transit-centre";

/// Ten days for each step.
const DEADLINES: Deadlines = Deadlines([10; 7]);

fn at(office: &str) -> Context {
    Context {
        office: office.parse().expect("a code"),
        staff: Some("staff-7".parse().expect("a code")),
        now: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("an id")
}

fn people(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<PersonId> {
    numbers.into_iter().map(id).collect()
}

fn owner(office: &str, staff: Option<&str>) -> Owner {
    Owner {
        office: office.parse().expect("a code"),
        function: StaffFunction::RepatriationOfficer,
        staff: staff.map(|staff| staff.parse().expect("a code")),
    }
}

fn due(step: Step, since: &str) -> Due {
    Due { step, since: day(since), due_on: day(since).plus_days(10) }
}

fn open() -> Command {
    Command::Open {
        direction: Direction::ToHere,
        country: "TH".to_owned(),
        people: people([1, 2]),
        owner: owner(MINISTRY, Some("mo-11")),
        owner_is_here: true,
        requested_on: day("2026-09-01"),
        deadlines: DEADLINES,
    }
}

fn opened_towards(direction: Direction) -> Event {
    Event::Opened {
        office: MINISTRY.parse().expect("a code"),
        direction,
        country: "TH".to_owned(),
        people: people([1, 2]),
        owner: owner(MINISTRY, Some("mo-11")),
        requested_on: day("2026-09-01"),
        first: due(Step::Documents, "2026-09-01"),
    }
}

fn opened() -> Event {
    opened_towards(Direction::ToHere)
}

fn complete(step: Step, on: &str) -> Command {
    Command::Complete { step, on: day(on), deadlines: DEADLINES }
}

fn completed(step: Step, on: &str) -> Event {
    let next = Step::iter().find(|next| *next > step).map(|next| due(next, on));
    Event::StepCompleted { step, on: day(on), next }
}

fn skip(step: Step) -> Command {
    Command::Skip { step, reason: SkipReason::Emergency, on: day("2026-09-05"), deadlines: DEADLINES }
}

fn travel(on: &str) -> Travel {
    Travel {
        on: day(on),
        means: TravelMeans::Road,
        border_place: "0110".parse().ok(),
        escort: EscortFunction::SocialWorker,
        receiving_office: CENTRE.parse().ok(),
    }
}

fn arrange(on: &str) -> Command {
    Command::ArrangeTravel { travel: travel(on), on: day("2026-09-10"), deadlines: DEADLINES }
}

fn arranged(on: &str) -> Event {
    Event::TravelArranged { travel: travel(on), on: day("2026-09-10"), next: due(Step::Reception, on) }
}

fn receive(person: u8, arrival: Option<u8>) -> Command {
    Command::Receive { person: id(person), arrival: arrival.map(id), on: day("2026-09-20") }
}

fn received(person: u8, arrival: Option<u8>) -> Event {
    Event::Received { person: id(person), arrival: arrival.map(id), on: day("2026-09-20") }
}

fn end(numbers: impl IntoIterator<Item = u8>, reason: EndReason) -> Command {
    Command::End { people: people(numbers), reason, on: day("2026-09-06") }
}

fn taken_off(numbers: impl IntoIterator<Item = u8>, reason: EndReason) -> Event {
    Event::TakenOff { people: people(numbers), reason, on: day("2026-09-06") }
}

fn ended(standing: Standing, on: &str) -> Event {
    Event::Ended { standing, on: day(on) }
}

fn delegate(step: Step, to: Owner) -> Command {
    let (reason, on) = (DelegateReason::StaffLeft, day("2026-09-04"));
    Command::Delegate { step, to, to_is_here: true, reason, on }
}

fn delegated(step: Step, to: Owner) -> Event {
    let (from, reason, on) = (owner(MINISTRY, Some("mo-11")), DelegateReason::StaffLeft, day("2026-09-04"));
    Event::Delegated { step, from, to, reason, on }
}

/// Everything up to the approvals.
fn approved() -> Vec<Event> {
    let steps = [Step::Documents, Step::Nationality, Step::Family, Step::ApprovalHere, Step::ApprovalThere];
    let days = ["2026-09-02", "2026-09-03", "2026-09-04", "2026-09-05", "2026-09-06"];
    let steps = steps.into_iter().zip(days).map(|(step, on)| completed(step, on));
    std::iter::once(opened()).chain(steps).collect()
}

/// Everything up to the journey.
fn on_the_way() -> Vec<Event> {
    approved().into_iter().chain([arranged("2026-09-19")]).collect()
}

#[test]
fn a_request_is_opened_and_its_first_step_is_due() {
    given::<Request>([]).when(&at(MINISTRY), open()).then([opened()]);
}

#[test]
fn a_request_under_another_ones_id_without_people_or_with_an_owner_elsewhere_is_refused() {
    given::<Request>([opened()]).when(&at(CENTRE), open()).then_error(&Error::RequestIdTaken);
    let Command::Open { direction, country, people, owner, requested_on, deadlines, .. } = open() else {
        unreachable!("it is an opening")
    };
    let elsewhere = Command::Open {
        direction,
        country: country.clone(),
        people,
        owner: owner.clone(),
        owner_is_here: false,
        requested_on,
        deadlines,
    };
    given::<Request>([]).when(&at(MINISTRY), elsewhere).then_error(&Error::OwnerElsewhere);
    let people = BTreeSet::new();
    let nobody = Command::Open { direction, country, people, owner, owner_is_here: true, requested_on, deadlines };
    given::<Request>([]).when(&at(MINISTRY), nobody).then_error(&Error::NobodyRequested);
}

#[test]
fn each_step_is_done_in_its_turn_and_makes_the_next_one_due() {
    let mut history = vec![opened()];
    let steps = [Step::Documents, Step::Nationality, Step::Family, Step::ApprovalHere, Step::ApprovalThere];
    for (step, on) in steps.into_iter().zip(["2026-09-02", "2026-09-09", "2026-09-16", "2026-09-23", "2026-09-30"]) {
        given::<Request>(history.clone()).when(&at(MINISTRY), complete(step, on)).then([completed(step, on)]);
        history.push(completed(step, on));
        assert!(Request::fold(&history).current().is_some_and(|due| due.step > step && due.since == day(on)));
    }
}

#[test]
fn no_step_is_done_before_the_ones_before_it() {
    given::<Request>([opened()])
        .when(&at(MINISTRY), complete(Step::Nationality, "2026-09-02"))
        .then_error(&Error::EarlierStepOpen);
    given::<Request>([opened()]).when(&at(MINISTRY), arrange("2026-09-19")).then_error(&Error::EarlierStepOpen);
    given::<Request>(approved()).when(&at(MINISTRY), receive(1, Some(1))).then_error(&Error::EarlierStepOpen);
    given::<Request>([opened()]).when(&at(MINISTRY), skip(Step::Family)).then_error(&Error::EarlierStepOpen);
}

#[test]
fn a_step_is_left_out_with_a_reason_only_and_a_reception_never() {
    let skipped = Event::StepSkipped {
        step: Step::Documents,
        reason: SkipReason::Emergency,
        on: day("2026-09-05"),
        next: Some(due(Step::Nationality, "2026-09-05")),
    };
    given::<Request>([opened()]).when(&at(MINISTRY), skip(Step::Documents)).then([skipped.clone()]);
    given::<Request>([opened(), skipped])
        .when(&at(MINISTRY), complete(Step::Documents, "2026-09-05"))
        .then_error(&Error::StepClosed);
    given::<Request>(on_the_way()).when(&at(MINISTRY), skip(Step::Reception)).then_error(&Error::ReceptionNotSkippable);
}

#[test]
fn a_step_that_is_done_stays_done_and_travel_and_reception_have_their_own_way() {
    given::<Request>([opened(), completed(Step::Documents, "2026-09-02")])
        .when(&at(MINISTRY), complete(Step::Documents, "2026-09-03"))
        .then_error(&Error::StepClosed);
    for step in [Step::Travel, Step::Reception] {
        given::<Request>(approved())
            .when(&at(MINISTRY), complete(step, "2026-09-10"))
            .then_error(&Error::StepHasItsOwnWay);
    }
}

#[test]
fn nothing_happens_before_the_request() {
    let early = Command::Delegate {
        step: Step::Documents,
        to: owner(MINISTRY, None),
        to_is_here: true,
        reason: DelegateReason::Workload,
        on: day("2026-08-31"),
    };
    let cancelled = Command::End { people: BTreeSet::new(), reason: EndReason::PersonDeclined, on: day("2026-08-31") };
    for command in [complete(Step::Documents, "2026-08-31"), early, cancelled] {
        given::<Request>([opened()]).when(&at(MINISTRY), command).then_error(&Error::BeforeRequest);
    }
}

#[test]
fn the_journey_is_arranged_and_planned_anew_until_somebody_is_received() {
    given::<Request>(approved()).when(&at(MINISTRY), arrange("2026-09-19")).then([arranged("2026-09-19")]);
    given::<Request>(on_the_way()).when(&at(MINISTRY), arrange("2026-09-21")).then([arranged("2026-09-21")]);
    let history = [on_the_way(), vec![received(1, Some(1))]].concat();
    given::<Request>(history).when(&at(MINISTRY), arrange("2026-09-21")).then_error(&Error::StepClosed);
}

#[test]
fn the_last_reception_ends_the_request() {
    given::<Request>(on_the_way()).when(&at(MINISTRY), receive(1, Some(1))).then([received(1, Some(1))]);
    // The office that was to receive them says so itself.
    given::<Request>([on_the_way(), vec![received(1, Some(1))]].concat())
        .when(&at(CENTRE), receive(2, Some(5)))
        .then([received(2, Some(5)), ended(Standing::Received, "2026-09-20")]);
}

#[test]
fn who_comes_here_is_received_by_an_arrival_and_who_goes_abroad_by_none() {
    given::<Request>(on_the_way()).when(&at(MINISTRY), receive(1, None)).then_error(&Error::ArrivalNeeded);
    let mut history = on_the_way();
    history[0] = opened_towards(Direction::FromHere);
    given::<Request>(history).when(&at(MINISTRY), receive(1, None)).then([received(1, None)]);
}

#[test]
fn somebody_who_is_not_on_the_request_is_neither_received_nor_taken_off() {
    given::<Request>(on_the_way()).when(&at(MINISTRY), receive(9, Some(9))).then_error(&Error::PersonNotRequested);
    given::<Request>([opened()])
        .when(&at(MINISTRY), end([9], EndReason::PersonDeclined))
        .then_error(&Error::PersonNotRequested);
}

#[test]
fn a_denied_nationality_ends_it_with_its_reason_and_the_person_stays_on_record() {
    given::<Request>([opened()])
        .when(&at(MINISTRY), end([], EndReason::OtherNational))
        .then([taken_off([1, 2], EndReason::OtherNational), ended(Standing::NationalityDenied, "2026-09-06")]);
    let request = Request::fold(&[
        opened(),
        taken_off([1, 2], EndReason::OtherNational),
        ended(Standing::NationalityDenied, "2026-09-06"),
    ]);
    let reason = Part::Ended { reason: EndReason::OtherNational, on: day("2026-09-06") };
    assert_eq!(request.people().collect::<Vec<_>>(), [(id(1), reason), (id(2), reason)]);
    assert_eq!((request.standing(), request.current()), (Standing::NationalityDenied, None));
}

#[test]
fn it_ends_for_one_and_goes_on_for_the_others() {
    let one = taken_off([2], EndReason::NationalityNotEstablished);
    given::<Request>([opened()])
        .when(&at(MINISTRY), end([2], EndReason::NationalityNotEstablished))
        .then([one.clone()]);
    given::<Request>([on_the_way(), vec![one]].concat())
        .when(&at(MINISTRY), receive(1, Some(1)))
        .then([received(1, Some(1)), ended(Standing::Received, "2026-09-20")]);
}

#[test]
fn what_ended_for_somebody_is_not_ended_otherwise() {
    let history = vec![opened(), taken_off([2], EndReason::PersonDied)];
    given::<Request>(history.clone())
        .when(&at(MINISTRY), end([2], EndReason::RefusedThere))
        .then_error(&Error::PersonEnded);
    let history = [on_the_way(), vec![taken_off([2], EndReason::PersonDied)]].concat();
    given::<Request>(history).when(&at(MINISTRY), receive(2, Some(2))).then_error(&Error::PersonEnded);
}

#[test]
fn nothing_happens_to_a_request_that_has_ended() {
    let history = [opened(), taken_off([1, 2], EndReason::RefusedHere), ended(Standing::Refused, "2026-09-06")];
    let commands = [
        complete(Step::Documents, "2026-09-07"),
        end([], EndReason::PersonDeclined),
        delegate(Step::Documents, owner(MINISTRY, None)),
        arrange("2026-09-19"),
    ];
    for command in commands {
        given::<Request>(history.clone()).when(&at(MINISTRY), command).then_error(&Error::RequestEnded);
    }
}

#[test]
fn a_step_changes_hands_and_the_new_owner_goes_on_with_it() {
    let centre = owner(CENTRE, Some("ptc-11"));
    given::<Request>([opened()])
        .when(&at(MINISTRY), delegate(Step::Documents, centre.clone()))
        .then([delegated(Step::Documents, centre.clone())]);
    let history = [opened(), delegated(Step::Documents, centre.clone())];
    given::<Request>(history.clone())
        .when(&at(CENTRE), complete(Step::Documents, "2026-09-05"))
        .then([completed(Step::Documents, "2026-09-05")]);
    given::<Request>(history.clone())
        .when(&at(CENTRE), complete(Step::Nationality, "2026-09-05"))
        .then_error(&Error::NotTheOwner);
    let request = Request::fold(&history);
    assert_eq!(request.delegations(Step::Documents).map(|known| &known.to).collect::<Vec<_>>(), [&centre]);
}

#[test]
fn a_step_is_not_handed_to_another_node_nor_when_it_is_closed() {
    let elsewhere = Command::Delegate {
        step: Step::Documents,
        to: owner("dsvy-kandal", None),
        to_is_here: false,
        reason: DelegateReason::NotInCharge,
        on: day("2026-09-04"),
    };
    given::<Request>([opened()]).when(&at(MINISTRY), elsewhere).then_error(&Error::OwnerElsewhere);
    given::<Request>([opened(), completed(Step::Documents, "2026-09-02")])
        .when(&at(MINISTRY), delegate(Step::Documents, owner(CENTRE, None)))
        .then_error(&Error::StepClosed);
}

#[test]
fn another_office_hears_that_there_is_no_such_request() {
    let commands = [
        complete(Step::Documents, "2026-09-02"),
        skip(Step::Documents),
        arrange("2026-09-19"),
        receive(1, Some(1)),
        end([], EndReason::PersonDeclined),
        delegate(Step::Documents, owner(CENTRE, None)),
    ];
    for command in commands {
        given::<Request>([opened()]).when(&at("battambang"), command.clone()).then_error(&Error::NoSuchRequest);
        given::<Request>([]).when(&at(MINISTRY), command).then_error(&Error::NoSuchRequest);
    }
}
