//! Offers of an office, and its answers to them.

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use spean_contracts::referral::v1::{
    AcceptOfferRequest, DeclineOfferRequest, DeclineReason, GetOfferRequest, ListWorklistRequest, Offer, Worklist,
};

use super::connection::{Connection, all_pages, refusal};
use super::output::{Output, Row, instant, word};

/// Which worklist.
#[derive(Debug, Args)]
pub(super) struct WorklistArguments {
    /// Offers that wait for this office's answer, the most pressing first.
    #[arg(long, conflicts_with_all = ["waiting", "bound"])]
    to_answer: bool,
    /// Offers of this office that wait for another's answer, the oldest first.
    #[arg(long, conflicts_with = "bound")]
    waiting: bool,
    /// Accepted here, the certificate not here yet.
    #[arg(long)]
    bound: bool,
}

impl WorklistArguments {
    const fn worklist(&self) -> Worklist {
        match (self.to_answer, self.waiting, self.bound) {
            (true, ..) => Worklist::ToAnswer,
            (_, true, _) => Worklist::Waiting,
            (.., true) => Worklist::Bound,
            _ => Worklist::Unspecified,
        }
    }
}

pub(super) async fn worklist(
    connection: &Connection,
    output: Output,
    wanted: &WorklistArguments,
) -> anyhow::Result<()> {
    let offers = all_pages(async |page| {
        let request = connection.question(ListWorklistRequest { worklist: wanted.worklist().into(), page });
        let answer = connection.referral().list_worklist(request).await?.into_inner();
        Ok((answer.offers, answer.page))
    });
    output.list(&offers.await?.into_iter().map(OfferRow::from).collect::<Vec<_>>())
}

pub(super) async fn show(connection: &Connection, output: Output, offer_id: String) -> anyhow::Result<()> {
    let request = connection.question(GetOfferRequest { offer_id });
    let answer = connection.referral().get_offer(request).await.map_err(|status| refusal(&status))?;
    let offer = OfferRow::from(answer.into_inner().offer.context("the node answered without an offer")?);
    output.one(&offer, &offer.fields())
}

pub(super) async fn accept(connection: &Connection, offer_id: String) -> anyhow::Result<()> {
    let request = connection.command(AcceptOfferRequest { offer_id, ..AcceptOfferRequest::default() });
    connection.referral().accept_offer(request).await.map_err(|status| refusal(&status))?;
    println!("Accepted. The office owes care from now on, and holds the case once the certificate is here.");
    Ok(())
}

pub(super) async fn decline(connection: &Connection, offer_id: String, reason: DeclineReason) -> anyhow::Result<()> {
    let request = connection.command(DeclineOfferRequest { offer_id, reason: reason.into() });
    connection.referral().decline_offer(request).await.map_err(|status| refusal(&status))?;
    println!("Declined.");
    Ok(())
}

/// Reads a reason such as `no_capacity`.
pub(super) fn decline_reason(text: &str) -> Result<DeclineReason, String> {
    let reasons: Vec<_> = (1..).map_while(|number| DeclineReason::try_from(number).ok()).collect();
    let said = |reason: &DeclineReason| word(reason.as_str_name(), "DECLINE_REASON_");
    let wanted = text.replace('-', "_");
    reasons
        .iter()
        .find(|reason| said(reason) == wanted)
        .copied()
        .ok_or_else(|| format!("one of {}", reasons.iter().map(said).collect::<Vec<_>>().join(", ")))
}

#[derive(Serialize)]
struct OfferRow {
    offer_id: String,
    case_id: String,
    case_number: String,
    kind: String,
    need: String,
    urgency: String,
    from_office_id: String,
    to_office_id: String,
    state: String,
    offered_at: String,
    answer_due_at: String,
    age_hours: i64,
    reminders: i32,
    sex: String,
    age_band: String,
    language: String,
    decline_reason: String,
    withdraw_reason: String,
    outcome: String,
    instead_of_offer_id: String,
    dossier_available: bool,
}

impl From<Offer> for OfferRow {
    fn from(offer: Offer) -> Self {
        Self {
            kind: word(offer.kind().as_str_name(), "OFFER_KIND_"),
            need: word(offer.need().as_str_name(), "NEED_"),
            urgency: word(offer.urgency().as_str_name(), "URGENCY_"),
            state: word(offer.state().as_str_name(), "OFFER_STATE_"),
            offered_at: instant(offer.offered_at.as_ref()),
            answer_due_at: instant(offer.answer_due_at.as_ref()),
            sex: word(offer.sex().as_str_name(), "SEX_"),
            age_band: word(offer.age_band().as_str_name(), "AGE_BAND_"),
            decline_reason: word(offer.decline_reason().as_str_name(), "DECLINE_REASON_"),
            withdraw_reason: word(offer.withdraw_reason().as_str_name(), "WITHDRAW_REASON_"),
            outcome: word(offer.outcome().as_str_name(), "SERVICE_OUTCOME_"),
            offer_id: offer.offer_id,
            case_id: offer.case_id,
            case_number: offer.case_number,
            from_office_id: offer.from_office_id,
            to_office_id: offer.to_office_id,
            age_hours: offer.age_hours,
            reminders: offer.reminders,
            language: offer.language,
            instead_of_offer_id: offer.instead_of_offer_id,
            dossier_available: offer.dossier_available,
        }
    }
}

impl Row for OfferRow {
    const HEADER: &'static [&'static str] = &["offer", "case", "what", "between", "state"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.offer_id.clone(),
            self.case_number.clone(),
            format!("{} {} {}", self.kind, self.need, self.urgency),
            format!("{} to {}", self.from_office_id, self.to_office_id),
            format!("{} {} h", self.state, self.age_hours),
        ]
    }
}

impl OfferRow {
    fn fields(&self) -> [(&'static str, String); 20] {
        let text = String::clone;
        [
            ("offer", text(&self.offer_id)),
            ("state", text(&self.state)),
            ("case", text(&self.case_id)),
            ("number", text(&self.case_number)),
            ("kind", text(&self.kind)),
            ("need", text(&self.need)),
            ("urgency", text(&self.urgency)),
            ("from", text(&self.from_office_id)),
            ("to", text(&self.to_office_id)),
            ("offered at", text(&self.offered_at)),
            ("answer due at", text(&self.answer_due_at)),
            ("age", format!("{} h, {} reminders", self.age_hours, self.reminders)),
            ("sex", text(&self.sex)),
            ("age band", text(&self.age_band)),
            ("language", text(&self.language)),
            ("declined for", text(&self.decline_reason)),
            ("withdrawn for", text(&self.withdraw_reason)),
            ("outcome", text(&self.outcome)),
            ("instead of", text(&self.instead_of_offer_id)),
            ("dossier", if self.dossier_available { "here, may be opened".to_owned() } else { String::new() }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_in_words_and_a_wrong_one_answered_with_all() {
        assert_eq!(decline_reason("no-capacity"), Ok(DeclineReason::NoCapacity));
        assert_eq!(decline_reason("not_safe"), Ok(DeclineReason::NotSafe));
        let refusal = decline_reason("unspecified").expect_err("no reason");
        assert!(refusal.contains("waiting_list") && refusal.contains("not_safe"), "{refusal}");
    }
}
