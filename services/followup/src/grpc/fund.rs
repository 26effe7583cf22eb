//! The till over gRPC.

use spean_chassis::{Call, Page, field, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::fund_service_server::FundService;
use spean_vocabulary::{CaseId, Date, OfficeId, PaymentId};
use tonic::{Request, Response, Status};

use super::{Grpc, write};
use crate::codes::{Currency, PaymentPurpose, RefusalReason};
use crate::fund::{Command, Fund, Money, Request as Asked, Till};
use crate::payments;

/// Largest sum of one entry, in the smallest unit.
const LARGEST_SUM: i64 = 1_000_000_000;

#[tonic::async_trait]
impl FundService for Grpc {
    async fn pay_in(&self, request: Request<wire::PayInRequest>) -> Result<Response<wire::PayInResponse>, Status> {
        let (call, request) = self.node.gate.open("PayIn", request)?;
        let payment_id = field::parse("payment_id", &request.payment_id)?;
        let money = read_money(request.money)?;
        let paid_in_on = field::day_so_far("paid_in_on", &request.paid_in_on, call.today())?;
        let fund = call.office()?.to_string();
        let command = Command::PayIn { payment_id, money, paid_in_on };
        self.handle::<Fund>(fund.clone(), command, Some(paid_in_on), &call).await?;
        Ok(Response::new(wire::PayInResponse { balance: self.balance(&fund).await? }))
    }

    async fn request_payment(
        &self,
        request: Request<wire::RequestPaymentRequest>,
    ) -> Result<Response<wire::RequestPaymentResponse>, Status> {
        let (call, request) = self.node.gate.open("RequestPayment", request)?;
        let payment_id: PaymentId = field::parse("payment_id", &request.payment_id)?;
        let office = call.office()?.clone();
        let fund = field::parse_optional("fund_office_id", &request.fund_office_id)?;
        let fund: OfficeId = fund.unwrap_or_else(|| office.clone());
        let case: Option<CaseId> = field::parse_optional("case_id", &request.case_id)?;
        let purpose = PaymentPurpose::read("purpose", request.purpose)?;
        let needed_on = field::day_so_far("needed_on", &request.needed_on, call.today())?;
        let expenses = &self.node.policy.expenses;
        let due_on = if purpose.is_emergency() {
            call.today().plus_days(expenses.emergency_fund_days)
        } else {
            needed_on.plus_days(expenses.visit_expenses_days)
        };
        let requested_by = Some(call.caller.staff.clone());
        let money = read_money(request.money)?;
        self.may_ask(&office, &fund)?;
        if let Some(case) = case {
            self.permit(&call, case).await?;
        }
        let asked = Asked { office, requested_by, case, purpose, money, needed_on, due_on };
        let command = Command::Ask { payment_id, request: asked };
        self.handle::<Fund>(fund.to_string(), command, Some(needed_on), &call).await?;
        Ok(Response::new(wire::RequestPaymentResponse { due_on: due_on.to_string() }))
    }

    async fn approve_payment(
        &self,
        request: Request<wire::ApprovePaymentRequest>,
    ) -> Result<Response<wire::ApprovePaymentResponse>, Status> {
        let (call, request) = self.node.gate.open("ApprovePayment", request)?;
        let payment_id = field::parse("payment_id", &request.payment_id)?;
        let fund = self.fund_of(payment_id, true, &call).await?;
        self.handle::<Fund>(fund, Command::Approve { payment_id }, None, &call).await?;
        Ok(Response::new(wire::ApprovePaymentResponse {}))
    }

    async fn refuse_payment(
        &self,
        request: Request<wire::RefusePaymentRequest>,
    ) -> Result<Response<wire::RefusePaymentResponse>, Status> {
        let (call, request) = self.node.gate.open("RefusePayment", request)?;
        let payment_id = field::parse("payment_id", &request.payment_id)?;
        let reason = RefusalReason::read("reason", request.reason)?;
        let fund = self.fund_of(payment_id, true, &call).await?;
        self.handle::<Fund>(fund, Command::Refuse { payment_id, reason }, None, &call).await?;
        Ok(Response::new(wire::RefusePaymentResponse {}))
    }

    async fn record_payment(
        &self,
        request: Request<wire::RecordPaymentRequest>,
    ) -> Result<Response<wire::RecordPaymentResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordPayment", request)?;
        let payment_id = field::parse("payment_id", &request.payment_id)?;
        let paid_on: Date = field::day_so_far("paid_on", &request.paid_on, call.today())?;
        let fund = self.fund_of(payment_id, true, &call).await?;
        let receipt_due_on = paid_on.plus_days(self.node.policy.expenses.emergency_fund_days);
        let command = Command::Pay { payment_id, paid_on, receipt_due_on };
        self.handle::<Fund>(fund.clone(), command, Some(paid_on), &call).await?;
        Ok(Response::new(wire::RecordPaymentResponse { balance: self.balance(&fund).await? }))
    }

    async fn record_receipt(
        &self,
        request: Request<wire::RecordReceiptRequest>,
    ) -> Result<Response<wire::RecordReceiptResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordReceipt", request)?;
        let payment_id = field::parse("payment_id", &request.payment_id)?;
        let receipt_on = field::day_so_far("receipt_on", &request.receipt_on, call.today())?;
        let spent = field::within("spent", request.spent, 0, LARGEST_SUM)?;
        let fund = self.fund_of(payment_id, false, &call).await?;
        let command = Command::Receipt { payment_id, receipt_on, spent };
        self.handle::<Fund>(fund.clone(), command, Some(receipt_on), &call).await?;
        Ok(Response::new(wire::RecordReceiptResponse { balance: self.balance(&fund).await? }))
    }

    async fn get_fund(
        &self,
        request: Request<wire::GetFundRequest>,
    ) -> Result<Response<wire::GetFundResponse>, Status> {
        let (call, _) = self.node.gate.open("GetFund", request)?;
        let fund = self.load::<Fund>(call.office()?.as_str()).await?;
        let sums = |of: fn(&Till) -> i64| write_sums(&fund, of);
        Ok(Response::new(wire::GetFundResponse {
            balance: sums(Till::balance),
            paid_in: sums(|till| till.paid_in),
            paid_out: sums(|till| till.paid_out),
            given_back: sums(|till| till.given_back),
            without_receipt: sums(|till| till.without_receipt),
        }))
    }

    async fn list_payments(
        &self,
        request: Request<wire::ListPaymentsRequest>,
    ) -> Result<Response<wire::ListPaymentsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListPayments", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (finished, limit, offset) = (request.with_finished, page.limit(), page.offset);
        let entries = payments::of_office(call.office()?, finished, limit, offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let payments = entries.into_iter().map(|entry| write::payment(entry, call.now)).collect();
        Ok(Response::new(wire::ListPaymentsResponse { payments, page }))
    }
}

impl Grpc {
    /// Asks whether an office may ask for money from a till: its own, or that of an office above it, on this node.
    fn may_ask(&self, office: &OfficeId, fund: &OfficeId) -> Result<(), Status> {
        let directory = self.node.directory.current();
        let here = directory.office(fund).is_some_and(|fund| fund.node == self.node.id);
        let theirs = office == fund || directory.ladder(office).any(|above| above.id == *fund);
        if here && theirs {
            return Ok(());
        }
        Err(status::invalid("fund_office_id", "your office, or one above it on the same node"))
    }

    /// The till of a payment that concerns the caller's office.
    async fn fund_of(&self, payment: PaymentId, own_till: bool, call: &Call) -> Result<String, Status> {
        let office = call.office()?;
        let found = payments::find(payment, office, self.store.reader()).await.map_err(status::query)?;
        let found = found.filter(|found| !own_till || found.fund == office.as_str());
        found.map(|found| found.fund).ok_or_else(|| status::not_found("payment"))
    }

    async fn balance(&self, fund: &str) -> Result<Vec<wire::Money>, Status> {
        Ok(write_sums(&self.load::<Fund>(fund).await?, Till::balance))
    }
}

fn write_sums(fund: &Fund, of: impl Fn(&Till) -> i64) -> Vec<wire::Money> {
    let money =
        |(currency, till): (&Currency, &Till)| wire::Money { currency: currency.on_the_wire(), amount: of(till) };
    fund.tills().iter().map(money).collect()
}

fn read_money(money: Option<wire::Money>) -> Result<Money, Status> {
    let money = field::required("money", money)?;
    Ok(Money {
        currency: Currency::read("money.currency", money.currency)?,
        amount: field::within("money.amount", money.amount, 1, LARGEST_SUM)?,
    })
}
