//! Those who do the work, and the money that they wait for.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, MINISTRY};
use spean_contracts::followup::v1::{
    Check, CheckResult, Currency, DangerSign, Duty, LossReason, PaymentPurpose, PaymentState,
};
use spean_contracts::vocabulary::v1::Urgency;
use spean_identity::Role;
use spean_tests::{network, settled};

use super::*;

fn riel(amount: i64) -> wire::Money {
    wire::Money { currency: Currency::Khr.into(), amount }
}

async fn payments(desk: &Desk) -> Vec<wire::PaymentEntry> {
    let ask = wire::ListPaymentsRequest { page: None, with_finished: true };
    let listed = async |staff: Staff| staff.fund().list_payments(staff.ask(ask.clone())).await;
    desk.ask("the payments", listed).await.into_inner().payments
}

async fn till(desk: &Desk) -> wire::GetFundResponse {
    let ask = async |staff: Staff| staff.fund().get_fund(staff.ask(wire::GetFundRequest {})).await;
    desk.ask("the till", ask).await.into_inner()
}

async fn ask_for_money(desk: &Desk, case: &str, purpose: PaymentPurpose, money: wire::Money) -> (String, String) {
    let request = wire::RequestPaymentRequest {
        payment_id: new_id(),
        fund_office_id: KANDAL.to_owned(),
        case_id: case.to_owned(),
        purpose: purpose.into(),
        money: Some(money),
        needed_on: String::new(),
    };
    let ask = async |staff: Staff| staff.fund().request_payment(staff.ask(request.clone())).await;
    let due_on = desk.ask("a request", ask).await.into_inner().due_on;
    (request.payment_id, due_on)
}

async fn approve(desk: &Desk, payment_id: &str) {
    let request = wire::ApprovePaymentRequest { payment_id: payment_id.to_owned() };
    desk.ask("an approval", async |staff: Staff| staff.fund().approve_payment(staff.ask(request.clone())).await).await;
}

async fn pay(staff: &Staff, payment_id: &str) -> Result<Vec<wire::Money>, Status> {
    let request = wire::RecordPaymentRequest { payment_id: payment_id.to_owned(), paid_on: String::new() };
    Ok(staff.fund().record_payment(staff.ask(request)).await?.into_inner().balance)
}

#[tokio::test]
async fn every_riel_is_accounted_for_from_the_request_to_the_receipt() {
    let network = network().await;
    let case = a_follow_up(&network, 20).await;
    let (worker, province) = (network.desk(KIEN_SVAY), network.desk_of("t-09", KANDAL, &[Role::Supervisor]));
    let paid_in = wire::PayInRequest { payment_id: new_id(), money: Some(riel(100_000)), paid_in_on: String::new() };
    for _ in 0..2 {
        let pay_in = async |staff: Staff| staff.fund().pay_in(staff.ask(paid_in.clone())).await;
        assert_eq!(province.ask("money", pay_in).await.into_inner().balance, [riel(100_000)]);
    }
    let (food, due_on) = ask_for_money(&worker, &case, PaymentPurpose::EmergencyFood, riel(60_000)).await;
    assert_eq!(due_on, day(&network).plus_days(14).to_string(), "two weeks for an emergency");
    let (fuel, due_on) = ask_for_money(&worker, &case, PaymentPurpose::VisitFuel, riel(70_000)).await;
    assert_eq!(due_on, day(&network).plus_days(90).to_string(), "three months for a visit");
    // Nobody approves what they asked for, not even with the keys to the till.
    let same = network.desk_of("t-01", KANDAL, &[Role::Supervisor]).staff().await;
    let own = same.fund().approve_payment(same.ask(wire::ApprovePaymentRequest { payment_id: food.clone() })).await;
    assert_eq!(refusal(&own.expect_err("their own")), (Code::PermissionDenied, "OWN_REQUEST".to_owned()));
    let staff = province.staff().await;
    assert_eq!(reason(&pay(&staff, &food).await.expect_err("nobody approved it")), "NOT_APPROVED");

    network.pass_time(16 * 24).expect("the clock is ours");
    let (worker, province) = (network.desk(KIEN_SVAY), network.desk_of("t-09", KANDAL, &[Role::Supervisor]));
    for desk in [&worker, &province] {
        let late = payments(desk).await.into_iter().find(|entry| entry.payment_id == food).expect("it is listed");
        assert_eq!((late.state(), late.age_days, late.overdue_days), (PaymentState::Requested, 16, 2));
        assert_eq!((late.requested_by.as_str(), late.office_id.as_str()), ("t-01", KIEN_SVAY));
    }
    for payment in [&food, &fuel] {
        approve(&province, payment).await;
    }
    let staff = province.staff().await;
    assert_eq!(pay(&staff, &food).await.expect("it is approved"), [riel(40_000)]);
    assert_eq!(pay(&staff, &food).await.expect("asked again"), [riel(40_000)], "nobody is paid twice");
    assert_eq!(reason(&pay(&staff, &fuel).await.expect_err("there is not enough")), "NOT_ENOUGH");
    let known = till(&province).await;
    assert_eq!((known.balance, known.without_receipt), (vec![riel(40_000)], vec![riel(60_000)]));

    let receipt = wire::RecordReceiptRequest { payment_id: food.clone(), receipt_on: String::new(), spent: 45_000 };
    let record = async |staff: Staff| staff.fund().record_receipt(staff.ask(receipt.clone())).await;
    assert_eq!(worker.ask("a receipt", record).await.into_inner().balance, [riel(55_000)], "the rest comes back");
    let more = wire::PayInRequest { payment_id: new_id(), money: Some(riel(50_000)), paid_in_on: String::new() };
    province.ask("money", async |staff: Staff| staff.fund().pay_in(staff.ask(more.clone())).await).await;
    assert_eq!(pay(&staff, &fuel).await.expect("now there is enough"), [riel(35_000)]);
    let (rent, _) = ask_for_money(&worker, &case, PaymentPurpose::EmergencyShelter, riel(10_000)).await;
    let refuse = wire::RefusePaymentRequest { payment_id: rent, reason: wire::RefusalReason::GivenElsewhere.into() };
    province.ask("a refusal", async |staff: Staff| staff.fund().refuse_payment(staff.ask(refuse.clone())).await).await;
    let known = till(&province).await;
    let amount = |sums: &[wire::Money]| sums.iter().map(|money| money.amount).sum::<i64>();
    let (paid_in, paid_out, given_back) = (amount(&known.paid_in), amount(&known.paid_out), amount(&known.given_back));
    assert_eq!((paid_in, paid_out, given_back), (150_000, 130_000, 15_000));
    assert_eq!(amount(&known.balance), paid_in - paid_out + given_back);
    assert_eq!(known.without_receipt, [riel(70_000)]);

    // What was paid out and never accounted for is not forgotten either.
    network.pass_time(20 * 24).expect("the clock is ours");
    let listed = payments(&network.desk(KANDAL)).await;
    let late = listed.iter().find(|entry| entry.payment_id == fuel).expect("it waits for its receipt");
    assert_eq!((late.state(), late.age_days, late.overdue_days), (PaymentState::Paid, 20, 6));
    let finished: Vec<_> =
        listed.iter().filter(|entry| entry.payment_id != fuel).map(wire::PaymentEntry::state).collect();
    assert!(finished.contains(&PaymentState::Receipted) && finished.contains(&PaymentState::Refused), "{finished:?}");
    settled(&network).await;
}

async fn assign(desk: &Desk, case: &str, worker: &str) {
    let request = wire::AssignWorkerRequest { case_id: case.to_owned(), worker: worker.to_owned() };
    desk.ask("a worker", async |staff: Staff| staff.supervision().assign_worker(staff.ask(request.clone())).await)
        .await;
}

async fn caseload(desk: &Desk) -> Vec<wire::Caseload> {
    let ask = wire::GetCaseloadRequest::default();
    let load = async |staff: Staff| staff.supervision().get_caseload(staff.ask(ask.clone())).await;
    desk.ask("the caseload", load).await.into_inner().caseloads
}

async fn waiting(desk: &Desk) -> Vec<wire::HandedOverItem> {
    let ask = wire::ListHandedOverRequest::default();
    let listed = async |staff: Staff| staff.supervision().list_handed_over(staff.ask(ask.clone())).await;
    desk.ask("what waits", listed).await.into_inner().items
}

#[tokio::test]
async fn the_post_of_a_worker_who_leaves_changes_hands_item_by_item() {
    let network = network().await;
    let (one, other) = (a_follow_up(&network, 21).await, a_follow_up(&network, 22).await);
    let desk = network.desk(KIEN_SVAY);
    for case in [&one, &other] {
        assign(&desk, case, "t-01").await;
    }
    let danger = wire::RaiseDangerRequest {
        danger_id: new_id(),
        case_id: one.clone(),
        signs: vec![DangerSign::Threat.into()],
        urgency: Urgency::Urgent.into(),
        found_on: String::new(),
    };
    raise(&desk, &danger).await;
    lose(&desk, &other, LossReason::NeverMet).await;
    let (payment, _) = ask_for_money(&desk, &one, PaymentPurpose::VisitAllowance, riel(20_000)).await;
    network.pass_time(40 * 24).expect("the clock is ours");
    let leaves = network.desk(KIEN_SVAY);
    let [load] = <[wire::Caseload; 1]>::try_from(caseload(&leaves).await).expect("one worker has all");
    assert_eq!((load.worker.as_str(), load.open_cases, load.overdue_visits, load.unreported_visits), ("t-01", 2, 2, 2));
    assert_eq!((load.open_dangers, load.lost_contacts), (1, 1));

    let request = wire::HandOverPostRequest {
        handover_id: new_id(),
        from_worker: "t-01".to_owned(),
        to_worker: "t-02".to_owned(),
        handed_over_on: String::new(),
    };
    let hand_over = async |staff: Staff| staff.supervision().hand_over_post(staff.ask(request.clone())).await;
    let items = leaves.ask("the handover", hand_over).await.into_inner().items;
    let expected = [
        (Duty::Case, one.clone()),
        (Duty::Case, other.clone()),
        (Duty::Payment, payment),
        (Duty::SafetyPlan, danger.danger_id),
        (Duty::Search, other.clone()),
    ];
    for item in &expected {
        assert!(items.iter().any(|found| (found.duty(), &found.item_id) == (item.0, &item.1)), "{item:?} in {items:?}");
    }
    assert_eq!(items.len(), expected.len());
    let staff = leaves.staff().await;
    let acknowledge = |duty: Duty, item: &str| wire::AcknowledgeHandedOverRequest {
        handover_id: request.handover_id.clone(),
        duty: duty.into(),
        item_id: item.to_owned(),
    };
    let refused = staff.supervision().acknowledge_handed_over(staff.ask(acknowledge(Duty::Case, &one))).await;
    assert_eq!(refused.expect_err("not by who leaves").code(), Code::PermissionDenied);
    let loads = caseload(&leaves).await;
    assert!(loads.iter().all(|load| load.worker == "t-01"), "until it is acknowledged it is the old worker's");

    network.pass_time(5 * 24).expect("the clock is ours");
    let follows = network.desk_of("t-02", KIEN_SVAY, &[Role::Caseworker]);
    for (done, (duty, item)) in expected.iter().enumerate() {
        let left = waiting(&follows).await;
        assert_eq!(left.len(), expected.len() - done);
        assert!(left.iter().all(|item| item.age_days == 5 && item.to_worker == "t-02"), "{left:?}");
        let request = acknowledge(*duty, item);
        let say = async |staff: Staff| staff.supervision().acknowledge_handed_over(staff.ask(request.clone())).await;
        follows.ask("one item", say).await;
    }
    assert_eq!(waiting(&follows).await, []);
    let loads = caseload(&follows).await;
    assert_eq!(loads.iter().map(|load| (load.worker.as_str(), load.open_cases)).collect::<Vec<_>>(), [("t-02", 2)]);
    settled(&network).await;
}

async fn to_mend(desk: &Desk) -> Vec<wire::SupervisionEntry> {
    let ask = wire::ListSupervisionRequest { page: None, open_only: true };
    let listed = async |staff: Staff| staff.supervision().list_supervision(staff.ask(ask.clone())).await;
    desk.ask("what is to be mended", listed).await.into_inner().entries
}

#[tokio::test]
async fn what_the_ministry_found_at_a_province_is_known_there_and_its_end_at_the_ministry() {
    let network = network().await;
    let ministry = network.desk(MINISTRY);
    let mend_by = day(&network).plus_days(30).to_string();
    let point = |check: Check, result: CheckResult, mend_by: &str| wire::SupervisionPoint {
        check: check.into(),
        result: result.into(),
        mend_by: mend_by.to_owned(),
    };
    let visit = wire::RecordSupervisionRequest {
        supervision_id: new_id(),
        office_id: KANDAL.to_owned(),
        worker: String::new(),
        visited_on: String::new(),
        points: vec![point(Check::Files, CheckResult::Good, ""), point(Check::Visits, CheckResult::Serious, &mend_by)],
    };
    for _ in 0..2 {
        ministry
            .ask("a visit", async |staff: Staff| staff.supervision().record_supervision(staff.ask(visit.clone())).await)
            .await;
    }
    let upwards =
        wire::RecordSupervisionRequest { supervision_id: new_id(), office_id: MINISTRY.to_owned(), ..visit.clone() };
    let staff = network.desk(KANDAL).staff().await;
    let refused = staff.supervision().record_supervision(staff.ask(upwards)).await.expect_err("not of those above");
    assert_eq!(refused.code(), Code::InvalidArgument);

    let there = |staff: Staff| async move {
        let ask = wire::ListSupervisionRequest { page: None, open_only: true };
        let entries = staff.supervision().list_supervision(staff.ask(ask)).await?.into_inner().entries;
        Ok(entries.into_iter().find(|entry| entry.by_office_id == MINISTRY))
    };
    let told = network.desk(KANDAL).until("what was found", async |staff: Staff| there(staff).await).await;
    assert_eq!((told.check(), told.mend_by.as_str()), (Check::Visits, mend_by.as_str()));
    network.pass_time(33 * 24).expect("the clock is ours");
    let (province, ministry) = (network.desk(KANDAL), network.desk(MINISTRY));
    for desk in [&province, &ministry] {
        let late: Vec<_> = to_mend(desk).await.iter().map(|entry| entry.overdue_days).collect();
        assert_eq!(late, [3], "at {}", desk.office());
    }
    let mended = wire::RecordSupervisionOutcomeRequest {
        supervision_id: visit.supervision_id.clone(),
        check: Check::Visits.into(),
        result: CheckResult::Good.into(),
        seen_on: String::new(),
    };
    province
        .ask("its end", async |staff: Staff| {
            staff.supervision().record_supervision_outcome(staff.ask(mended.clone())).await
        })
        .await;
    let gone = async |staff: Staff| Ok(there(staff).await?.is_none().then_some(()));
    ministry.until("the end", gone).await;
    settled(&network).await;
}
