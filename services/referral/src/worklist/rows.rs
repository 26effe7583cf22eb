//! The rows of the list of offers: how one begins, and how it stands after each event.

use spean_custody::case::OfferTerms;
use spean_vocabulary::{CaseId, DeclineReason, OfferId, OfficeId, WithdrawReason};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

pub(super) type Statement = Query<'static, Any, AnyArguments>;

pub(super) fn begin(
    office: &OfficeId,
    direction: &'static str,
    offer: OfferId,
    case: CaseId,
    other: &OfficeId,
    terms: &OfferTerms,
    at: i64,
) -> Statement {
    sqlx::query(
        "insert into offer (office, offer_id, direction, case_id, case_number, kind, need, urgency, other_office, state,
            offered_at, answer_due_at, sex, age_band, language, decline_reason, withdraw_reason, outcome, instead_of,
            reminders, meant_for, redirected_because, successor, dossier_withheld, at_the_top)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce(state, 'OFFERED'), $10, $11, $12, $13, $14,
            coalesce(decline_reason, ''), coalesce(withdraw_reason, ''), coalesce(outcome, ''), $15, 0, $16, $17,
            coalesce(successor, ''), $18, 0
         from (select 1 as one) given
         left join offer_before on office = $1 and offer_id = $2 and direction = $3
         where 1 = 1
         on conflict (office, offer_id, direction) do nothing",
    )
    .bind(office.to_string())
    .bind(offer.to_string())
    .bind(direction)
    .bind(case.to_string())
    .bind(terms.case_number.map(|number| number.to_string()).unwrap_or_default())
    .bind(terms.kind.to_string())
    .bind(terms.need.to_string())
    .bind(terms.urgency.to_string())
    .bind(other.to_string())
    .bind(at)
    .bind(terms.answer_due_at.as_micros())
    .bind(terms.preview.sex.to_string())
    .bind(terms.preview.age_band.to_string())
    .bind(terms.preview.language.clone().unwrap_or_default())
    .bind(terms.instead_of.map(|offer| offer.to_string()).unwrap_or_default())
    .bind(terms.meant_for.as_ref().map(ToString::to_string).unwrap_or_default())
    .bind(terms.redirected_because.map(|because| because.to_string()).unwrap_or_default())
    .bind(i64::from(terms.dossier_digest.is_none()))
}

/// How an offer stands, from one of the states in which that is news: what the rules fold from the same event.
///
/// After a restore it may be known before the offer is: who heard of the answer returns it, and who made the offer sends
/// that again later. Then it is kept until the offer comes, which must not look open.
pub(super) struct End {
    pub(super) direction: &'static str,
    pub(super) offer: OfferId,
    pub(super) state: &'static str,
    /// The states in which it is news; all when there is none.
    pub(super) from: &'static [&'static str],
    /// Whether the rules know of the offer by this alone.
    pub(super) may_be_first: bool,
    pub(super) decline_reason: String,
    pub(super) withdraw_reason: String,
    pub(super) outcome: String,
    pub(super) successor: String,
}

impl End {
    pub(super) fn of(direction: &'static str, offer: OfferId, state: &'static str) -> Self {
        let (decline_reason, withdraw_reason) = (String::new(), String::new());
        let (outcome, successor) = (String::new(), String::new());
        let (from, may_be_first): (&[&str], _) = (&[], false);
        Self { direction, offer, state, from, may_be_first, decline_reason, withdraw_reason, outcome, successor }
    }

    pub(super) async fn note(self, office: &OfficeId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let news = match self.from {
            [] => String::new(),
            from => format!(" and state in ('{}')", from.join("', '")),
        };
        // Of an offer that an office has not made, the rules know nothing but its certificate.
        let needs_the_offer = self.direction == "out" && !self.may_be_first;
        let tables: &[&str] = if needs_the_offer { &["offer"] } else { &["offer", "offer_before"] };
        for table in tables {
            let update = format!(
                "update {table} set state = $4,
                    decline_reason = case when $5 = '' then decline_reason else $5 end,
                    withdraw_reason = case when $6 = '' then withdraw_reason else $6 end,
                    outcome = case when $7 = '' then outcome else $7 end,
                    successor = case when $8 = '' then successor else $8 end
                 where office = $1 and offer_id = $2 and direction = $3{news}"
            );
            if self.bound(office, update).execute(&mut *connection).await?.rows_affected() > 0 {
                return Ok(());
            }
        }
        if self.may_be_first {
            let insert =
                "insert into offer_before (office, offer_id, direction, state, decline_reason, withdraw_reason,
                    outcome, successor)
                 select $1, $2, $3, $4, $5, $6, $7, $8
                 where not exists (select 1 from offer where office = $1 and offer_id = $2 and direction = $3)
                 on conflict (office, offer_id, direction) do nothing";
            self.bound(office, insert.to_owned()).execute(connection).await?;
        }
        Ok(())
    }

    fn bound(&self, office: &OfficeId, sql: String) -> Statement {
        sqlx::query(AssertSqlSafe(sql))
            .bind(office.to_string())
            .bind(self.offer.to_string())
            .bind(self.direction)
            .bind(self.state)
            .bind(self.decline_reason.clone())
            .bind(self.withdraw_reason.clone())
            .bind(self.outcome.clone())
            .bind(self.successor.clone())
    }
}

pub(super) fn declined(
    direction: &'static str,
    offer: OfferId,
    reason: DeclineReason,
    successor: Option<OfficeId>,
) -> End {
    let (decline_reason, successor) = (reason.to_string(), successor.map(|successor| successor.to_string()));
    End { decline_reason, successor: successor.unwrap_or_default(), ..End::of(direction, offer, "DECLINED") }
}

pub(super) fn withdrawn(direction: &'static str, offer: OfferId, reason: WithdrawReason) -> End {
    let state = if reason == WithdrawReason::Escalated { "ESCALATED" } else { "WITHDRAWN" };
    End { withdraw_reason: reason.to_string(), ..End::of(direction, offer, state) }
}

/// The offer has come, and has taken over what was known before.
pub(super) fn forget_before(office: &OfficeId, direction: &'static str, offer: OfferId) -> Statement {
    sqlx::query("delete from offer_before where office = $1 and offer_id = $2 and direction = $3")
        .bind(office.to_string())
        .bind(offer.to_string())
        .bind(direction)
}

/// A second reminder is only sent where nobody else can be asked.
pub(super) fn remind(office: &OfficeId, direction: &'static str, offer: OfferId, number: u32) -> Statement {
    sqlx::query(
        "update offer set reminders = reminders + 1, at_the_top = $4
         where office = $1 and offer_id = $2 and direction = $3",
    )
    .bind(office.to_string())
    .bind(offer.to_string())
    .bind(direction)
    .bind(i64::from(number > 1))
}
