//! The till of one office: the emergency fund and the expenses of visits.
//!
//! One till, one stream: a payment is refused when there is not enough, and the balance is at every moment what was paid
//! in, less what was paid out, more what was given back with a receipt. Sums are whole riel or whole cents, and those of
//! different currencies are never added. Who asks for money does not approve it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{CaseId, Date, OfficeId, PaymentId, StaffId};

use crate::codes::{Currency, PaymentPurpose, RefusalReason};

/// The till of one office.
#[derive(Clone, Debug, Default)]
pub struct Fund {
    /// Entries of money that came in.
    entries: BTreeMap<PaymentId, (Money, Date)>,
    payments: BTreeMap<PaymentId, Payment>,
    tills: BTreeMap<Currency, Till>,
}

/// What ever went through the till in one currency, in its smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Till {
    /// Came in.
    pub paid_in: i64,
    /// Was paid out.
    pub paid_out: i64,
    /// Was paid out and came back with a receipt.
    pub given_back: i64,
    /// Was paid out and has no receipt yet.
    pub without_receipt: i64,
}

/// A sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// Whole riel, or cents.
    pub amount: i64,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The office that asks.
    pub office: OfficeId,
    /// Who asks.
    pub requested_by: Option<StaffId>,
    /// For which case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// What for.
    pub purpose: PaymentPurpose,
    /// How much.
    pub money: Money,
    /// When it was needed, or spent by the worker.
    pub needed_on: Date,
    /// Until when it should be paid.
    pub due_on: Date,
}

#[derive(Clone, Debug)]
struct Payment {
    request: Request,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Requested,
    Approved,
    Refused(RefusalReason),
    Paid(Date),
    Receipted { paid_on: Date, receipt_on: Date, spent: i64 },
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Put money into the till.
    PayIn {
        /// Id of the entry.
        payment_id: PaymentId,
        /// How much.
        money: Money,
        /// When.
        paid_in_on: Date,
    },
    /// Ask for money.
    Ask {
        /// Its id.
        payment_id: PaymentId,
        /// What for.
        request: Request,
    },
    /// Approve a request.
    Approve {
        /// Which.
        payment_id: PaymentId,
    },
    /// Refuse a request.
    Refuse {
        /// Which.
        payment_id: PaymentId,
        /// Why.
        reason: RefusalReason,
    },
    /// Pay it out.
    Pay {
        /// Which.
        payment_id: PaymentId,
        /// When.
        paid_on: Date,
        /// Until when a receipt is due.
        receipt_due_on: Date,
    },
    /// Account for it.
    Receipt {
        /// Which.
        payment_id: PaymentId,
        /// When.
        receipt_on: Date,
        /// How much of it was spent.
        spent: i64,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Money came in.
    PaidIn {
        /// Id of the entry.
        payment_id: PaymentId,
        /// How much.
        money: Money,
        /// When.
        paid_in_on: Date,
    },
    /// Money was asked for.
    Requested {
        /// Its id.
        payment_id: PaymentId,
        /// What for.
        request: Request,
    },
    /// A request was approved.
    Approved {
        /// Which.
        payment_id: PaymentId,
        /// By whom.
        approved_by: Option<StaffId>,
    },
    /// A request was refused.
    Refused {
        /// Which.
        payment_id: PaymentId,
        /// Why.
        reason: RefusalReason,
    },
    /// It was paid out.
    Paid {
        /// Which.
        payment_id: PaymentId,
        /// When.
        paid_on: Date,
        /// Until when a receipt is due.
        receipt_due_on: Date,
    },
    /// It is accounted for.
    Receipted {
        /// Which.
        payment_id: PaymentId,
        /// When.
        receipt_on: Date,
        /// Spent.
        spent: i64,
        /// Back in the till.
        given_back: i64,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// The id is taken.
    #[error("a payment or an entry with this id says something else")]
    PaymentIdTaken,
    /// Nobody is asked twice.
    #[error("this payment was approved or refused already")]
    AlreadyDecided,
    /// Four eyes.
    #[error("who asks for money does not approve it")]
    OwnRequest,
    /// First the approval.
    #[error("this payment was not approved")]
    NotApproved,
    /// Not more than there is.
    #[error("there is not enough in the till")]
    NotEnough,
    /// First the payment.
    #[error("this payment was not paid out")]
    NotPaid,
    /// It was paid once.
    #[error("this payment was paid out on another day")]
    PaidAlready,
    /// It is accounted for.
    #[error("there is another receipt of this payment")]
    ReceiptedAlready,
    /// Nobody spends more than they were given.
    #[error("what was spent lies between nothing and what was paid out")]
    SpentMoreThanPaid,
    /// The receipt comes after the payment.
    #[error("a receipt cannot be older than the payment")]
    ReceiptBeforePayment,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchPayment => Fault::NotThere,
            Self::OwnRequest => Fault::NotTheirs,
            Self::SpentMoreThanPaid => Fault::Field("spent"),
            Self::ReceiptBeforePayment => Fault::Field("receipt_on"),
            _ => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Fund {
    const CATEGORY: &'static str = "fund";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::PayIn { payment_id, money, paid_in_on } => self.pay_in(payment_id, money, paid_in_on),
            Command::Ask { payment_id, request } => self.ask(payment_id, request),
            Command::Approve { payment_id } => self.approve(payment_id, context),
            Command::Refuse { payment_id, reason } => self.refuse(payment_id, reason),
            Command::Pay { payment_id, paid_on, receipt_due_on } => self.pay(payment_id, paid_on, receipt_due_on),
            Command::Receipt { payment_id, receipt_on, spent } => self.receipt(payment_id, receipt_on, spent),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::PaidIn { payment_id, money, paid_in_on } => {
                self.tills.entry(money.currency).or_default().paid_in += money.amount;
                self.entries.insert(payment_id, (money, paid_in_on));
            }
            Event::Requested { payment_id, request } => {
                self.payments.insert(payment_id, Payment { request, step: Step::Requested });
            }
            Event::Approved { payment_id, .. } => self.step(payment_id, Step::Approved),
            Event::Refused { payment_id, reason } => self.step(payment_id, Step::Refused(reason)),
            Event::Paid { payment_id, paid_on, .. } => {
                self.step(payment_id, Step::Paid(paid_on));
                self.with_till(payment_id, |till, amount| {
                    till.paid_out += amount;
                    till.without_receipt += amount;
                });
            }
            Event::Receipted { payment_id, receipt_on, spent, given_back } => {
                if let Some(Step::Paid(paid_on)) = self.payments.get(&payment_id).map(|payment| payment.step) {
                    self.step(payment_id, Step::Receipted { paid_on, receipt_on, spent });
                }
                self.with_till(payment_id, |till, amount| {
                    till.given_back += given_back;
                    till.without_receipt -= amount;
                });
            }
        }
        self
    }
}

impl Till {
    /// What is in it.
    pub const fn balance(&self) -> i64 {
        self.paid_in - self.paid_out + self.given_back
    }
}

impl PaymentPurpose {
    /// Whether somebody waits for it in need; otherwise a worker waits for what they spent.
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::EmergencyFood | Self::EmergencyHealth | Self::EmergencyShelter | Self::EmergencyTransport)
    }
}

impl Fund {
    /// What went through the till, by currency.
    pub fn tills(&self) -> &BTreeMap<Currency, Till> {
        &self.tills
    }

    fn step(&mut self, payment_id: PaymentId, step: Step) {
        if let Some(payment) = self.payments.get_mut(&payment_id) {
            payment.step = step;
        }
    }

    fn with_till(&mut self, payment_id: PaymentId, change: impl FnOnce(&mut Till, i64)) {
        if let Some(payment) = self.payments.get(&payment_id) {
            let Money { currency, amount } = payment.request.money;
            change(self.tills.entry(currency).or_default(), amount);
        }
    }

    fn payment(&self, payment_id: PaymentId) -> Result<&Payment, Error> {
        self.payments.get(&payment_id).ok_or(Error::NoSuchPayment)
    }

    fn pay_in(&self, payment_id: PaymentId, money: Money, paid_in_on: Date) -> Result<Vec<Event>, Error> {
        match self.entries.get(&payment_id) {
            Some(known) if *known == (money, paid_in_on) => Ok(vec![]),
            None if !self.payments.contains_key(&payment_id) => {
                Ok(vec![Event::PaidIn { payment_id, money, paid_in_on }])
            }
            _ => Err(Error::PaymentIdTaken),
        }
    }

    fn ask(&self, payment_id: PaymentId, request: Request) -> Result<Vec<Event>, Error> {
        match self.payments.get(&payment_id) {
            Some(known) if known.request == Request { due_on: known.request.due_on, ..request.clone() } => Ok(vec![]),
            None if !self.entries.contains_key(&payment_id) => Ok(vec![Event::Requested { payment_id, request }]),
            _ => Err(Error::PaymentIdTaken),
        }
    }

    fn approve(&self, payment_id: PaymentId, context: &Context) -> Result<Vec<Event>, Error> {
        let payment = self.payment(payment_id)?;
        match payment.step {
            Step::Requested if context.staff.is_none() || context.staff == payment.request.requested_by => {
                Err(Error::OwnRequest)
            }
            Step::Requested => Ok(vec![Event::Approved { payment_id, approved_by: context.staff.clone() }]),
            Step::Refused(_) => Err(Error::AlreadyDecided),
            _ => Ok(vec![]),
        }
    }

    fn refuse(&self, payment_id: PaymentId, reason: RefusalReason) -> Result<Vec<Event>, Error> {
        match self.payment(payment_id)?.step {
            Step::Requested => Ok(vec![Event::Refused { payment_id, reason }]),
            Step::Refused(known) if known == reason => Ok(vec![]),
            _ => Err(Error::AlreadyDecided),
        }
    }

    fn pay(&self, payment_id: PaymentId, paid_on: Date, receipt_due_on: Date) -> Result<Vec<Event>, Error> {
        let payment = self.payment(payment_id)?;
        match payment.step {
            Step::Approved => {}
            Step::Requested | Step::Refused(_) => return Err(Error::NotApproved),
            Step::Paid(known) | Step::Receipted { paid_on: known, .. } if known == paid_on => return Ok(vec![]),
            Step::Paid(_) | Step::Receipted { .. } => return Err(Error::PaidAlready),
        }
        let Money { currency, amount } = payment.request.money;
        if self.tills.get(&currency).is_none_or(|till| till.balance() < amount) {
            return Err(Error::NotEnough);
        }
        Ok(vec![Event::Paid { payment_id, paid_on, receipt_due_on }])
    }

    fn receipt(&self, payment_id: PaymentId, receipt_on: Date, spent: i64) -> Result<Vec<Event>, Error> {
        let payment = self.payment(payment_id)?;
        let paid_on = match payment.step {
            Step::Paid(paid_on) => paid_on,
            Step::Receipted { receipt_on: on, spent: known, .. } if (on, known) == (receipt_on, spent) => {
                return Ok(vec![]);
            }
            Step::Receipted { .. } => return Err(Error::ReceiptedAlready),
            _ => return Err(Error::NotPaid),
        };
        if receipt_on < paid_on {
            return Err(Error::ReceiptBeforePayment);
        }
        let paid = payment.request.money.amount;
        if !(0..=paid).contains(&spent) {
            return Err(Error::SpentMoreThanPaid);
        }
        Ok(vec![Event::Receipted { payment_id, receipt_on, spent, given_back: paid - spent }])
    }
}

#[cfg(test)]
mod tests;
