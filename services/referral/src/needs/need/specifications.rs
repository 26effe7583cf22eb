//! A need from the day it is known to the day it is met: the way it goes, doing it again, and each refusal.

use spean_eventsourcing::specification::given;
use spean_vocabulary::Id;

use super::*;

fn id<K>(number: u8) -> Id<K> {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

fn office(code: &str) -> OfficeId {
    code.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn the_shelter() -> Context {
    Context {
        office: office("house-of-hope-phnom-penh"),
        staff: Some("hh-01".parse().unwrap()),
        now: Timestamp::from_micros(1_795_300_200_000_000),
    }
}

fn treatment() -> Described {
    let preferences = Preferences {
        worker_sex: Some(Sex::Female),
        language: Some("vi".to_owned()),
        near: Some("0802".parse().unwrap()),
        reach: Reach::District,
    };
    Described {
        case: id(1),
        need: Need::Medical,
        urgency: Urgency::Urgent,
        preferences,
        place: "0802".parse().unwrap(),
        known_since: day("2026-11-01"),
    }
}

fn opened() -> Event {
    Event::Opened { described: treatment(), opened_at: the_shelter().now }
}

fn kandal() -> OfficeId {
    office("dsvy-kandal")
}

fn asked(offer: u8) -> Event {
    Event::Asked { offer: id(offer), to: kandal() }
}

fn ask(offer: u8, to: OfficeId) -> Command {
    Command::Ask { case: id(1), need: Need::Medical, offer: id(offer), to }
}

fn stands(offer: u8, stands: Stands) -> OfferStanding {
    OfferStanding { offer: id(offer), to: kandal(), instead_of: None, stands }
}

fn settle(offers: &[OfferStanding]) -> Command {
    Command::Settle { offers: offers.to_vec(), holder: Some(the_shelter().office) }
}

fn moved(offers: &[OfferStanding]) -> Command {
    Command::Settle { offers: offers.to_vec(), holder: Some(kandal()) }
}

fn came_back(how: Stands) -> Event {
    Event::CameBack { offer: id(2), to: kandal(), how }
}

fn refuse(provider: Option<OfficeId>) -> Command {
    Command::Refuse { provider, reasons: [RefusalReason::Language].into(), refused_on: day("2026-11-20") }
}

fn kandal_refused() -> Event {
    let (provider, reasons) = (kandal(), [RefusalReason::Language].into());
    Event::ProviderRefused { provider, reasons, refused_on: day("2026-11-20") }
}

fn not_wanted() -> Event {
    Event::NotWanted { reasons: [RefusalReason::Language].into(), refused_on: day("2026-11-20") }
}

fn met() -> Event {
    Event::Met { outcome: ServiceOutcome::Completed, met_on: day("2026-11-21") }
}

fn meet(outcome: ServiceOutcome) -> Command {
    Command::Meet { outcome, met_on: day("2026-11-21") }
}

fn handed(asked: &[(u8, Stands)]) -> Handed {
    let asked = asked.iter().map(|(offer, stands)| (id(*offer), Asked { to: kandal(), stands: *stands }));
    Handed {
        described: treatment(),
        opened_at: the_shelter().now,
        asked: asked.collect(),
        refused: BTreeSet::new(),
        not_wanted: false,
        handovers: 1,
    }
}

fn handed_over(asked: &[(u8, Stands)]) -> Event {
    Event::HandedOver { to: kandal(), told: Box::new(handed(asked)) }
}

fn take_over(told: Handed, holder: OfficeId) -> Command {
    Command::TakeOver { from: office("poipet-transit-centre"), told: Box::new(told), holder: Some(holder) }
}

fn all() -> [Command; 6] {
    [
        ask(2, kandal()),
        refuse(None),
        Command::Reopen { provider: None },
        Command::MarkUnmet { reason: UnmetReason::AllFull, on: day("2026-11-20") },
        meet(ServiceOutcome::Completed),
        Command::Withdraw,
    ]
}

#[test]
fn a_need_is_opened_offered_served_and_met() {
    let now = the_shelter();
    given::<CaseNeed>([]).when(&now, Command::Open(treatment())).then([opened()]);
    given::<CaseNeed>([opened()]).when(&now, ask(2, kandal())).then([asked(2)]);
    let agreed = Event::Agreed { offer: id(2), to: kandal() };
    given::<CaseNeed>([opened(), asked(2)]).when(&now, settle(&[stands(2, Stands::Agreed)])).then([agreed.clone()]);
    let concluded = Stands::Concluded { outcome: ServiceOutcome::Completed };
    let ended = Event::ServiceEnded { offer: id(2), to: kandal(), outcome: ServiceOutcome::Completed };
    let met = Event::Met { outcome: ServiceOutcome::Completed, met_on: now.now.date_in_cambodia() };
    given::<CaseNeed>([opened(), asked(2), agreed]).when(&now, settle(&[stands(2, concluded)])).then([ended, met]);
}

#[test]
fn whatever_becomes_of_an_offer_the_need_is_open_again() {
    let ends = [
        Stands::Declined { reason: DeclineReason::NoCapacity },
        Stands::Withdrawn { reason: WithdrawReason::SentByMistake },
        Stands::Withdrawn { reason: WithdrawReason::Escalated },
        Stands::Voided,
    ];
    for end in ends {
        given::<CaseNeed>([opened(), asked(2)]).when(&the_shelter(), settle(&[stands(2, end)])).then([came_back(end)]);
        assert!(CaseNeed::fold(&[opened(), asked(2), came_back(end)]).waits_for_somebody());
    }
}

#[test]
fn a_service_that_ends_without_success_leaves_the_need_open() {
    for outcome in [ServiceOutcome::PartlyCompleted, ServiceOutcome::PersonNotReached, ServiceOutcome::NotPossible] {
        let ended = Event::ServiceEnded { offer: id(2), to: kandal(), outcome };
        given::<CaseNeed>([opened(), asked(2)])
            .when(&the_shelter(), settle(&[stands(2, Stands::Concluded { outcome })]))
            .then([ended.clone()]);
        assert!(CaseNeed::fold(&[opened(), asked(2), ended]).waits_for_somebody());
    }
}

#[test]
fn what_the_person_told_the_provider_counts_as_told_here() {
    let outcome = ServiceOutcome::DeclinedByPerson;
    let refused = Event::ProviderRefused {
        provider: kandal(),
        reasons: BTreeSet::new(),
        refused_on: the_shelter().now.date_in_cambodia(),
    };
    given::<CaseNeed>([opened(), asked(2)])
        .when(&the_shelter(), settle(&[stands(2, Stands::Concluded { outcome })]))
        .then([Event::ServiceEnded { offer: id(2), to: kandal(), outcome }, refused]);
}

#[test]
fn an_offer_in_the_place_of_another_is_for_the_same_need() {
    let escalated = Stands::Withdrawn { reason: WithdrawReason::Escalated };
    let ministry = office("mosvy-atro");
    let again = OfferStanding { offer: id(3), to: ministry.clone(), instead_of: Some(id(2)), stands: Stands::Open };
    given::<CaseNeed>([opened(), asked(2)])
        .when(&the_shelter(), settle(&[stands(2, escalated), again]))
        .then([Event::Asked { offer: id(3), to: ministry }, came_back(escalated)]);
}

#[test]
fn offers_for_something_else_are_left_alone() {
    let other = stands(9, Stands::Declined { reason: DeclineReason::NotSafe });
    given::<CaseNeed>([opened(), asked(2)]).when(&the_shelter(), settle(&[other])).then_nothing();
}

#[test]
fn a_refused_provider_is_not_asked_again_until_the_person_thinks_again() {
    let now = the_shelter();
    given::<CaseNeed>([opened()]).when(&now, refuse(Some(kandal()))).then([kandal_refused()]);
    given::<CaseNeed>([opened(), kandal_refused()]).when(&now, ask(2, kandal())).then_error(&Error::RefusedByPerson);
    let elsewhere = office("mosvy-atro");
    given::<CaseNeed>([opened(), kandal_refused()])
        .when(&now, ask(2, elsewhere.clone()))
        .then([Event::Asked { offer: id(2), to: elsewhere }]);
    let back = Event::RefusalTakenBack { provider: kandal() };
    given::<CaseNeed>([opened(), kandal_refused()])
        .when(&now, Command::Reopen { provider: Some(kandal()) })
        .then([back.clone()]);
    given::<CaseNeed>([opened(), kandal_refused(), back]).when(&now, ask(2, kandal())).then([asked(2)]);
}

#[test]
fn help_that_is_not_wanted_can_be_wanted_again() {
    let now = the_shelter();
    given::<CaseNeed>([opened()]).when(&now, refuse(None)).then([not_wanted()]);
    given::<CaseNeed>([opened(), not_wanted()]).when(&now, ask(2, kandal())).then_error(&Error::NotWanted);
    given::<CaseNeed>([opened(), not_wanted()]).when(&now, Command::Reopen { provider: None }).then([Event::Reopened]);
    given::<CaseNeed>([opened(), not_wanted(), Event::Reopened]).when(&now, ask(2, kandal())).then([asked(2)]);
}

#[test]
fn nobody_refuses_for_no_reason_and_nothing_is_refused_over_an_open_offer() {
    let none = Command::Refuse { provider: None, reasons: BTreeSet::new(), refused_on: day("2026-11-20") };
    given::<CaseNeed>([opened()]).when(&the_shelter(), none).then_error(&Error::NoReasonGiven);
    for provider in [None, Some(kandal())] {
        given::<CaseNeed>([opened(), asked(2)])
            .when(&the_shelter(), refuse(provider))
            .then_error(&Error::OfferStillOpen);
    }
}

#[test]
fn a_need_that_nobody_can_meet_stays_open_and_is_asked_for_again() {
    let on = day("2026-11-20");
    let unmet = Event::FoundUnmet { reason: UnmetReason::NobodyOffersIt, on };
    let mark = Command::MarkUnmet { reason: UnmetReason::NobodyOffersIt, on };
    given::<CaseNeed>([opened()]).when(&the_shelter(), mark.clone()).then([unmet.clone()]);
    given::<CaseNeed>([opened(), unmet.clone()]).when(&the_shelter(), ask(2, kandal())).then([asked(2)]);
    assert!(CaseNeed::fold(&[opened(), unmet]).waits_for_somebody());
    given::<CaseNeed>([opened(), asked(2)]).when(&the_shelter(), mark).then_error(&Error::OfferStillOpen);
}

#[test]
fn only_what_was_given_meets_a_need() {
    given::<CaseNeed>([opened()]).when(&the_shelter(), meet(ServiceOutcome::Completed)).then([met()]);
    given::<CaseNeed>([opened()])
        .when(&the_shelter(), meet(ServiceOutcome::NotPossible))
        .then_error(&Error::NothingWasGiven);
    given::<CaseNeed>([opened(), asked(2)])
        .when(&the_shelter(), meet(ServiceOutcome::Completed))
        .then_error(&Error::OfferStillOpen);
    given::<CaseNeed>([opened(), met()])
        .when(&the_shelter(), meet(ServiceOutcome::PartlyCompleted))
        .then_error(&Error::AlreadyMet);
}

#[test]
fn a_mistake_is_taken_back_and_stays_so() {
    let now = the_shelter();
    given::<CaseNeed>([opened()]).when(&now, Command::Withdraw).then([Event::WithdrawnAsMistaken]);
    given::<CaseNeed>([opened(), Event::WithdrawnAsMistaken])
        .when(&now, ask(2, kandal()))
        .then_error(&Error::RecordedByMistake);
    given::<CaseNeed>([opened(), asked(2)]).when(&now, Command::Withdraw).then_error(&Error::OfferStillOpen);
}

#[test]
fn an_offer_must_be_of_the_same_case_and_for_the_same_help() {
    let now = the_shelter();
    let other_case = Command::Ask { case: id(9), need: Need::Medical, offer: id(2), to: kandal() };
    given::<CaseNeed>([opened()]).when(&now, other_case).then_error(&Error::AnotherCase);
    let other_help = Command::Ask { case: id(1), need: Need::Legal, offer: id(2), to: kandal() };
    given::<CaseNeed>([opened()]).when(&now, other_help).then_error(&Error::AnotherNeed);
    let agreed = Event::Agreed { offer: id(2), to: kandal() };
    given::<CaseNeed>([opened(), asked(2), agreed])
        .when(&now, ask(3, office("mosvy-atro")))
        .then_error(&Error::AlreadyServed);
}

#[test]
fn a_need_id_says_one_thing() {
    let other = Described { urgency: Urgency::Routine, ..treatment() };
    given::<CaseNeed>([opened()]).when(&the_shelter(), Command::Open(other)).then_error(&Error::NeedIdTaken);
}

#[test]
fn nothing_can_be_said_of_a_need_that_nobody_recorded() {
    for command in all() {
        given::<CaseNeed>([]).when(&the_shelter(), command).then_error(&Error::NoSuchNeed);
    }
    given::<CaseNeed>([]).when(&the_shelter(), settle(&[stands(2, Stands::Open)])).then_nothing();
}

#[test]
fn an_open_need_goes_with_the_case() {
    let declined = Stands::Declined { reason: DeclineReason::NoCapacity };
    given::<CaseNeed>([opened(), asked(2), came_back(declined)])
        .when(&the_shelter(), moved(&[stands(2, declined)]))
        .then([handed_over(&[(2, declined)])]);
    given::<CaseNeed>([opened(), handed_over(&[])])
        .when(&the_shelter(), ask(3, kandal()))
        .then_error(&Error::WentWithTheCase);
    given::<CaseNeed>([opened(), met()]).when(&the_shelter(), moved(&[])).then_nothing();
}

#[test]
fn whoever_takes_the_case_for_a_need_serves_it() {
    given::<CaseNeed>([opened(), asked(2)])
        .when(&the_shelter(), moved(&[stands(2, Stands::Transferred)]))
        .then([handed_over(&[(2, Stands::Agreed)])]);
}

#[test]
fn what_the_person_does_not_want_goes_along_as_such() {
    let told = Handed { not_wanted: true, ..handed(&[]) };
    given::<CaseNeed>([opened(), not_wanted()])
        .when(&the_shelter(), moved(&[]))
        .then([Event::HandedOver { to: kandal(), told: Box::new(told.clone()) }]);
    let taken = Event::TakenOver { from: kandal(), told: Box::new(told) };
    assert!(CaseNeed::fold(&[taken]).is_not_wanted());
}

#[test]
fn a_need_is_taken_over_once_and_goes_on_when_the_case_has_gone_on() {
    let here = the_shelter();
    let told = handed(&[]);
    let taken = Event::TakenOver { from: office("poipet-transit-centre"), told: Box::new(told.clone()) };
    given::<CaseNeed>([]).when(&here, take_over(told.clone(), here.office.clone())).then([taken.clone()]);
    let onward = Handed { handovers: 2, ..told.clone() };
    let gone_on = Event::HandedOver { to: kandal(), told: Box::new(onward) };
    given::<CaseNeed>([]).when(&here, take_over(told.clone(), kandal())).then([taken.clone(), gone_on.clone()]);
    let back = Handed { handovers: 3, ..told };
    given::<CaseNeed>([taken, gone_on])
        .when(&here, take_over(back.clone(), here.office.clone()))
        .then([Event::TakenOver { from: office("poipet-transit-centre"), told: Box::new(back) }]);
}

#[test]
fn the_end_of_a_service_is_passed_on_to_whoever_holds_the_case_now() {
    let agreed = Event::Agreed { offer: id(2), to: kandal() };
    let history = [opened(), asked(2), agreed, handed_over(&[(2, Stands::Agreed)])];
    let ends = [
        (Stands::Concluded { outcome: ServiceOutcome::NotPossible }, Some(ServiceOutcome::NotPossible)),
        (Stands::Voided, None),
    ];
    for (end, outcome) in ends {
        given::<CaseNeed>(history.clone()).when(&the_shelter(), moved(&[stands(2, end)])).then([Event::EndPassedOn {
            to: kandal(),
            case: id(1),
            offer: id(2),
            outcome,
        }]);
    }
    let taken = Event::TakenOver { from: kandal(), told: Box::new(handed(&[(2, Stands::Agreed)])) };
    let hear = Command::HearEnd { offer: id(2), outcome: None };
    given::<CaseNeed>([taken.clone()]).when(&the_shelter(), hear).then([came_back(Stands::Voided)]);
    let hear = Command::HearEnd { offer: id(7), outcome: None };
    given::<CaseNeed>([taken]).when(&the_shelter(), hear).then_nothing();
}

#[test]
fn every_refusal_has_its_kind() {
    assert_eq!(Error::NoSuchNeed.fault(), Fault::NotThere);
    assert_eq!(Error::AnotherNeed.fault(), Fault::Field("need_id"));
    assert_eq!(Error::NoReasonGiven.fault(), Fault::Field("reasons"));
    assert_eq!(Error::NothingWasGiven.fault(), Fault::Field("outcome"));
    assert_eq!((Error::AlreadyMet.fault(), Error::AlreadyMet.reason()), (Fault::ForbiddenNow, "ALREADY_MET"));
}
