//! Specifications of a till: every sum is accounted for, and nobody pays themselves.

use spean_eventsourcing::specification::given;

use super::*;
use crate::examples::{at, day, id, office, staff, the_district};

fn riel(amount: i64) -> Money {
    Money { currency: Currency::Khr, amount }
}

fn paid_in(money: Money) -> Event {
    Event::PaidIn { payment_id: id(1), money, paid_in_on: day("2026-01-02") }
}

fn request() -> Request {
    Request {
        office: office("kandal-district"),
        requested_by: Some(staff("staff-7")),
        case: Some(id(8)),
        purpose: PaymentPurpose::EmergencyFood,
        money: riel(40_000),
        needed_on: day("2026-01-05"),
        due_on: day("2026-01-19"),
    }
}

fn requested() -> Event {
    Event::Requested { payment_id: id(2), request: request() }
}

fn approved() -> Event {
    Event::Approved { payment_id: id(2), approved_by: Some(staff("staff-9")) }
}

fn paid() -> Event {
    Event::Paid { payment_id: id(2), paid_on: day("2026-01-06"), receipt_due_on: day("2026-01-20") }
}

fn receipted() -> Event {
    Event::Receipted { payment_id: id(2), receipt_on: day("2026-01-08"), spent: 35_000, given_back: 5_000 }
}

fn pay(paid_on: &str) -> Command {
    Command::Pay { payment_id: id(2), paid_on: day(paid_on), receipt_due_on: day("2026-01-20") }
}

fn receipt(spent: i64) -> Command {
    Command::Receipt { payment_id: id(2), receipt_on: day("2026-01-08"), spent }
}

fn the_province() -> Context {
    at("kandal-province", "staff-9")
}

#[test]
fn money_comes_in_once() {
    let pay_in = |amount| Command::PayIn { payment_id: id(1), money: riel(amount), paid_in_on: day("2026-01-02") };
    given::<Fund>([]).when(&the_province(), pay_in(90_000)).then([paid_in(riel(90_000))]);
    given::<Fund>([paid_in(riel(90_000))]).when(&the_province(), pay_in(90_000)).then_nothing();
    given::<Fund>([paid_in(riel(90_000))]).when(&the_province(), pay_in(80_000)).then_error(&Error::PaymentIdTaken);
}

#[test]
fn who_asks_does_not_approve() {
    let ask = Command::Ask { payment_id: id(2), request: request() };
    let approve = Command::Approve { payment_id: id(2) };
    given::<Fund>([]).when(&the_district(), ask.clone()).then([requested()]);
    given::<Fund>([requested()]).when(&the_district(), ask).then_nothing();
    let other = Command::Ask { payment_id: id(2), request: Request { money: riel(50_000), ..request() } };
    given::<Fund>([requested()]).when(&the_district(), other).then_error(&Error::PaymentIdTaken);
    given::<Fund>([requested()]).when(&the_district(), approve.clone()).then_error(&Error::OwnRequest);
    given::<Fund>([requested()]).when(&the_province(), approve.clone()).then([approved()]);
    given::<Fund>([requested(), approved()]).when(&the_province(), approve.clone()).then_nothing();
    given::<Fund>([]).when(&the_province(), approve).then_error(&Error::NoSuchPayment);
}

#[test]
fn a_request_is_decided_once() {
    let refuse = |reason| Command::Refuse { payment_id: id(2), reason };
    let refused = Event::Refused { payment_id: id(2), reason: RefusalReason::FundEmpty };
    given::<Fund>([requested()]).when(&the_province(), refuse(RefusalReason::FundEmpty)).then([refused.clone()]);
    given::<Fund>([requested(), refused.clone()])
        .when(&the_province(), refuse(RefusalReason::FundEmpty))
        .then_nothing();
    given::<Fund>([requested(), refused.clone()])
        .when(&the_province(), Command::Approve { payment_id: id(2) })
        .then_error(&Error::AlreadyDecided);
    given::<Fund>([requested(), approved()])
        .when(&the_province(), refuse(RefusalReason::FundEmpty))
        .then_error(&Error::AlreadyDecided);
    given::<Fund>([requested(), refused]).when(&the_province(), pay("2026-01-06")).then_error(&Error::NotApproved);
}

#[test]
fn no_more_is_paid_than_there_is_in_that_currency() {
    let dollars = paid_in(Money { currency: Currency::Usd, amount: 90_000 });
    for till in [vec![], vec![paid_in(riel(39_999))], vec![dollars]] {
        let history = till.into_iter().chain([requested(), approved()]);
        given::<Fund>(history).when(&the_province(), pay("2026-01-06")).then_error(&Error::NotEnough);
    }
    let history = [paid_in(riel(40_000)), requested(), approved()];
    given::<Fund>(history).when(&the_province(), pay("2026-01-06")).then([paid()]);
}

#[test]
fn it_is_paid_once() {
    let history = [paid_in(riel(90_000)), requested(), approved(), paid()];
    given::<Fund>(history.clone()).when(&the_province(), pay("2026-01-06")).then_nothing();
    given::<Fund>(history).when(&the_province(), pay("2026-01-07")).then_error(&Error::PaidAlready);
}

#[test]
fn a_receipt_accounts_for_all_of_it() {
    let history = [paid_in(riel(90_000)), requested(), approved(), paid()];
    given::<Fund>(history.clone()).when(&the_district(), receipt(35_000)).then([receipted()]);
    for too_much in [40_001, -1] {
        given::<Fund>(history.clone()).when(&the_district(), receipt(too_much)).then_error(&Error::SpentMoreThanPaid);
    }
    let early = Command::Receipt { payment_id: id(2), receipt_on: day("2026-01-05"), spent: 35_000 };
    given::<Fund>(history.clone()).when(&the_district(), early).then_error(&Error::ReceiptBeforePayment);
    let done = history.into_iter().chain([receipted()]);
    given::<Fund>(done.clone()).when(&the_district(), receipt(35_000)).then_nothing();
    given::<Fund>(done).when(&the_district(), receipt(36_000)).then_error(&Error::ReceiptedAlready);
    given::<Fund>([requested(), approved()]).when(&the_district(), receipt(35_000)).then_error(&Error::NotPaid);
}

#[test]
fn the_balance_is_what_came_in_less_what_went_out() {
    let history = [paid_in(riel(90_000)), requested(), approved(), paid()];
    let till = Fund::fold(&history).tills()[&Currency::Khr];
    assert_eq!((till.balance(), till.without_receipt), (50_000, 40_000));
    let done: Vec<_> = history.into_iter().chain([receipted()]).collect();
    let till = Fund::fold(&done).tills()[&Currency::Khr];
    assert_eq!(till, Till { paid_in: 90_000, paid_out: 40_000, given_back: 5_000, without_receipt: 0 });
    assert_eq!(till.balance(), 55_000);
}

#[test]
fn stored_events_are_read_for_ever() {
    let refused = Event::Refused { payment_id: id(2), reason: RefusalReason::MoreNeeded };
    crate::golden::check("fund", &[paid_in(riel(90_000)), requested(), approved(), refused, paid(), receipted()]);
}
