//! The payments that wait for something, and how long they have.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{Date, OfficeId, PaymentId, Timestamp};
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::fund::{Event, Fund};
use crate::lists::text;

/// Table, projection and queries of the payments.
pub struct Payments;

impl ReadModel for Payments {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["payment"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table payment (
            fund text not null,
            payment_id text not null,
            office text not null,
            requested_by text not null,
            case_id text not null,
            purpose text not null,
            currency text not null,
            amount bigint not null,
            state text not null,
            since bigint not null,
            due_on text not null,
            primary key (fund, payment_id)
        );
        create index payment_office on payment (office, state)"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(what)) = event.event::<Fund>() else { return Ok(()) };
            match what {
                Event::PaidIn { .. } => Ok(()),
                Event::Requested { payment_id, request } => sqlx::query(
                    "insert into payment (fund, payment_id, office, requested_by, case_id, purpose, currency, amount,
                        state, since, due_on)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', $9, $10)",
                )
                .bind(event.id.clone())
                .bind(payment_id.to_string())
                .bind(request.office.to_string())
                .bind(text(request.requested_by))
                .bind(text(request.case))
                .bind(request.purpose.to_string())
                .bind(request.money.currency.to_string())
                .bind(request.money.amount)
                .bind(event.metadata.recorded_at.as_micros())
                .bind(request.due_on.to_string())
                .execute(connection)
                .await
                .map(drop),
                Event::Approved { payment_id, .. } => step(event, payment_id, "approved", None, connection).await,
                Event::Refused { payment_id, .. } => step(event, payment_id, "refused", None, connection).await,
                Event::Paid { payment_id, receipt_due_on, .. } => {
                    step(event, payment_id, "paid", Some(receipt_due_on), connection).await
                }
                Event::Receipted { payment_id, .. } => step(event, payment_id, "receipted", None, connection).await,
            }
        })
    }
}

async fn step(
    event: &Recorded,
    payment: PaymentId,
    state: &str,
    due_on: Option<Date>,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update payment set state = $3, since = $4, due_on = case when $5 = '' then due_on else $5 end
         where fund = $1 and payment_id = $2",
    )
    .bind(event.id.clone())
    .bind(payment.to_string())
    .bind(state.to_owned())
    .bind(event.metadata.recorded_at.as_micros())
    .bind(text(due_on))
    .execute(connection)
    .await
    .map(drop)
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's PaymentEntry")]
pub struct Entry {
    pub payment_id: String,
    pub fund: String,
    pub office: String,
    pub requested_by: String,
    pub case_id: String,
    pub purpose: String,
    pub currency: String,
    pub amount: i64,
    pub state: String,
    pub since: Timestamp,
    pub due_on: String,
}

impl Entry {
    /// Whether something is still to be done.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "requested" | "approved" | "paid")
    }
}

const COLUMNS: &str = "payment_id, fund, office, requested_by, case_id, purpose, currency, amount, state, since, due_on
    from payment";

/// The payments of an office's till, and those that it asked for elsewhere; what is longest over its time first.
pub async fn of_office(
    office: &OfficeId,
    with_finished: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS}
         where (fund = $1 or office = $1) and ($2 = 1 or state in ('requested', 'approved', 'paid'))
         order by case when state in ('requested', 'approved', 'paid') then 0 else 1 end, due_on, since, payment_id
         limit $3 offset $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(office.as_str())
        .bind(i64::from(with_finished))
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// A payment that concerns an office: of its till, or asked for by it; none when there is none.
pub async fn find(
    payment: PaymentId,
    office: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let statement = format!(
        "select {COLUMNS} where payment_id = $1 and (fund = $2 or office = $2)
         order by case when fund = $2 then 0 else 1 end limit 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(payment.to_string())
        .bind(office.as_str())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        payment_id: row.try_get(0)?,
        fund: row.try_get(1)?,
        office: row.try_get(2)?,
        requested_by: row.try_get(3)?,
        case_id: row.try_get(4)?,
        purpose: row.try_get(5)?,
        currency: row.try_get(6)?,
        amount: row.try_get(7)?,
        state: row.try_get(8)?,
        since: Timestamp::from_micros(row.try_get(9)?),
        due_on: row.try_get(10)?,
    })
}
