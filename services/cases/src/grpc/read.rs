//! Requests to what the rules understand.

use std::collections::BTreeSet;

use spean_chassis::words::{read_consent_basis, read_need};
use spean_chassis::{Call, field, person, status};
use spean_contracts::cases::v1 as wire;
use spean_vocabulary::{ConsentId, Date, FactId, OfficeId};
use tonic::Status;

use super::words::{read_abuse, read_act, read_exploitation_purpose, read_function, read_guardian, read_means};
use crate::case::{Consent, Decision, Fact};

/// Longest purpose of a reading, in characters.
pub(super) const LONGEST_PURPOSE: usize = 200;
/// Most offices or needs in one consent.
const MOST_IN_CONSENT: usize = 100;
/// Most people who are said to have taken part in a decision.
const MOST_DECIDERS: usize = 20;
/// Most entries of one list of a fact.
const MOST_IN_FACT: usize = 20;

/// A list of words of the same kind.
pub(super) fn words<T, C: FromIterator<T>>(
    field: &str,
    values: &[i32],
    most: usize,
    read: fn(&str, i32) -> Result<T, Status>,
) -> Result<C, Status> {
    field::at_most(field, values, most)?;
    values.iter().enumerate().map(|(index, value)| read(&format!("{field}[{index}]"), *value)).collect()
}

pub(super) fn consent(consent: Option<wire::Consent>, call: &Call) -> Result<(ConsentId, Consent), Status> {
    let consent = field::required("consent", consent)?;
    if !consent.withdrawn_on.is_empty() {
        return Err(status::invalid("consent.withdrawn_on", "nothing: a consent is withdrawn by WithdrawConsent"));
    }
    field::at_most("consent.office_ids", &consent.office_ids, MOST_IN_CONSENT)?;
    let read = Consent {
        basis: read_consent_basis("consent.basis", consent.basis)?,
        parts: words("consent.parts", &consent.parts, MOST_IN_CONSENT, person::read_part)?,
        offices: offices(&consent.office_ids)?,
        purposes: words("consent.purposes", &consent.purposes, MOST_IN_CONSENT, read_need)?,
        given_on: field::day_so_far("consent.given_on", &consent.given_on, call.today())?,
        withdrawn_on: None,
        given_by: match consent.given_by {
            0 => None,
            given_by => Some(read_guardian("consent.given_by", given_by)?),
        },
        decision: consent.decision.map(|decision| read_decision(&decision, call)).transpose()?,
    };
    Ok((field::parse("consent.consent_id", &consent.consent_id)?, read))
}

fn read_decision(decision: &wire::BestInterestDecision, call: &Call) -> Result<Decision, Status> {
    const FIELD: &str = "consent.decision.decided_on";
    let decided_on: Date = field::parse(FIELD, &decision.decided_on)?;
    if decided_on > call.today() {
        return Err(status::invalid(FIELD, "a day that is not in the future"));
    }
    Ok(Decision {
        decided_on,
        decided_by: field::parse("consent.decision.decided_by", &decision.decided_by)?,
        deciders: words("consent.decision.deciders", &decision.deciders, MOST_DECIDERS, read_function)?,
    })
}

fn offices(offices: &[String]) -> Result<BTreeSet<OfficeId>, Status> {
    let read = |(index, office): (usize, &String)| field::parse(&format!("consent.office_ids[{index}]"), office);
    offices.iter().enumerate().map(read).collect()
}

pub(super) fn fact(fact: Option<wire::Fact>, call: &Call) -> Result<(FactId, Fact), Status> {
    let fact = field::required("fact", fact)?;
    field::at_most("fact.countries", &fact.countries, MOST_IN_FACT)?;
    let read = Fact {
        acts: words("fact.acts", &fact.acts, MOST_IN_FACT, read_act)?,
        means: words("fact.means", &fact.means, MOST_IN_FACT, read_means)?,
        purposes: words("fact.purposes", &fact.purposes, MOST_IN_FACT, read_exploitation_purpose)?,
        abuses: words("fact.abuses", &fact.abuses, MOST_IN_FACT, read_abuse)?,
        from_day: past_day("fact.from_day", &fact.from_day, call)?,
        until_day: past_day("fact.until_day", &fact.until_day, call)?,
        countries: fact
            .countries
            .iter()
            .enumerate()
            .map(|(index, country)| read_country(&format!("fact.countries[{index}]"), country))
            .collect::<Result<_, _>>()?,
    };
    Ok((field::parse("fact.fact_id", &fact.fact_id)?, read))
}

fn past_day(field: &str, text: &str, call: &Call) -> Result<Option<Date>, Status> {
    if text.is_empty() { Ok(None) } else { field::day_so_far(field, text, call.today()).map(Some) }
}

fn read_country(field: &str, country: &str) -> Result<String, Status> {
    if country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        Ok(country.to_owned())
    } else {
        Err(status::invalid(field, "a country as ISO 3166 alpha-2, such as TH"))
    }
}
