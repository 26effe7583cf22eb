//! What services and desks say of a case, and who hears of it in turn.

use std::collections::BTreeSet;

use prost::Message as _;
use spean_contracts::cases::v1::CasesLinked;
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{CaseCustody, OfferInState, ServiceOutcome};
use spean_eventsourcing::Context;
use spean_eventstore::{HandleError, Metadata, Transaction};
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{CaseId, OfferId, OfficeId};
use sqlx::{AnyConnection, Row as _};

use super::letters::{malformed, read_progress, read_seen_again};
use super::{CaseNews, Chain, Command, Error, Event, News, Tell, What, who_is_told};
use crate::desk::{Desk, stream};
use crate::reports;
use crate::reports::wire::read_stage;

/// A piece of news as it comes to an office.
struct Coming<'c> {
    office: &'c OfficeId,
    case: CaseId,
    news: News,
    /// Who told it; none when this office saw it itself.
    from: Option<&'c OfficeId>,
    for_information: bool,
}

/// A service of this node saw a case come to a stage.
pub(crate) async fn stage_reached(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    if letter.from.node != desk.node.id {
        return Err(Unusable::Refused("NOT_OUR_SERVICE".to_owned()));
    }
    let told = wire::StageReached::decode(letter.body.as_slice()).map_err(malformed)?;
    let case = told.case_id.parse().map_err(malformed)?;
    let office: OfficeId = told.office_id.parse().map_err(malformed)?;
    let news = News {
        what: What::Stage { stage: read_stage("stage", told.stage).map_err(malformed)? },
        seen_by: office.clone(),
        on: told.occurred_on.parse().map_err(malformed)?,
    };
    hear(desk, Coming { office: &office, case, news, from: None, for_information: false }, letter, transaction).await
}

/// Another desk tells what became of a case.
pub(crate) async fn progress(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::Progress::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.to_office_id)?;
    let case = told.case_id.parse().map_err(malformed)?;
    let news = read_progress(&told)?;
    let for_information = told.for_information;
    let coming = Coming { office: &office, case, news, from: Some(&from), for_information };
    hear(desk, coming, letter, transaction).await
}

/// Another desk says that the person of a case was registered again.
pub(crate) async fn seen_again(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = wire::PersonSeenAgain::decode(letter.body.as_slice()).map_err(malformed)?;
    let (from, office) = desk.parties(letter, &told.from_office_id, &told.office_id)?;
    let case = told.case_id.parse().map_err(malformed)?;
    let news = read_seen_again(&told)?;
    let coming = Coming { office: &office, case, news, from: Some(&from), for_information: false };
    hear(desk, coming, letter, transaction).await
}

/// The register's people found that two cases are of one person, or that they are not after all. Both cases hear of it:
/// the one that is held here, and the one that another office holds.
pub(crate) async fn cases_linked(desk: &Desk, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let told = CasesLinked::decode(letter.body.as_slice()).map_err(malformed)?;
    let office: OfficeId = told.office_id.parse().map_err(malformed)?;
    let one: CaseId = told.case_id.parse().map_err(malformed)?;
    let other: CaseId = told.other_case_id.parse().map_err(malformed)?;
    let on = told.linked_on.parse().map_err(malformed)?;
    for (case, other) in [(one, other), (other, one)] {
        let what = What::SeenAgain { other, taken_back: !told.linked };
        let news = News { what, seen_by: office.clone(), on };
        let coming = Coming { office: &office, case, news, from: None, for_information: false };
        hear(desk, coming, letter, transaction).await?;
    }
    Ok(())
}

/// A service that this office had asked for has ended: those who referred the person hear of it.
pub(crate) async fn service_concluded(
    desk: &Desk,
    office: &OfficeId,
    case: CaseId,
    (by, offer, outcome): (&OfficeId, OfferId, ServiceOutcome),
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let custody = transaction.load::<CaseCustody>(&stream(office, case)).await?.state;
    let need = custody.offers_out().find(|(id, _)| *id == offer).map(|(_, made)| made.terms.need);
    let what = What::Service { offer, need, outcome };
    let news = News { what, seen_by: by.clone(), on: letter.posted_at.date_in_cambodia() };
    hear(desk, Coming { office, case, news, from: Some(by), for_information: false }, letter, transaction).await
}

async fn hear(desk: &Desk, coming: Coming<'_>, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
    let Coming { office, case, news, from, for_information } = coming;
    let custody = transaction.load::<CaseCustody>(&stream(office, case)).await?.state;
    let holders = custody.certificates().map(|signed| signed.certificate.holder.office.clone());
    let earlier: BTreeSet<OfficeId> = holders.collect();
    let helps = |state: OfferInState| {
        matches!(state, OfferInState::Accepted | OfferInState::Agreed | OfferInState::Concluded(_))
    };
    let asked_by = custody.offers_in().filter(|(_, offer)| helps(offer.state));
    let asked_by: BTreeSet<OfficeId> = asked_by.map(|(_, offer)| offer.from.office.clone()).collect();
    let chain = Chain { holder: custody.holder().map(|holder| &holder.office), earlier: &earlier, asked_by: &asked_by };
    let consents = consents(case, transaction.connection()).await?;
    let left_out = earlier.iter().filter(|office| !consents.allow(office)).cloned().collect();
    let tell = who_is_told(office, &news, from, for_information, &chain, &left_out);
    let heard = write_down(desk, office, case, (&news, from, tell), letter, transaction).await?;
    if heard {
        reports::reactions::progress(desk, office, case, &news, &consents, letter, transaction).await?;
    }
    Ok(())
}

/// Whether it was new.
async fn write_down(
    desk: &Desk,
    office: &OfficeId,
    case: CaseId,
    (news, from, tell): (&News, Option<&OfficeId>, Tell),
    letter: &Letter,
    transaction: &mut Transaction,
) -> Result<bool, Unusable> {
    let context = Context { office: office.clone(), staff: None, now: desk.node.clock.now() };
    let metadata = Metadata { trace: letter.trace.clone(), occurred_on: Some(news.on), ..Metadata::of(&context) };
    let command = Command::Hear { news: news.clone(), from: from.cloned(), tell };
    let decided = transaction.decide::<CaseNews>(&stream(office, case), command, &context, &metadata).await;
    let decided = decided.map_err(unusable)?;
    Ok(decided.iter().any(|event| matches!(event.event::<CaseNews>(), Some(Ok(Event::Heard { .. })))))
}

fn unusable(error: HandleError<Error>) -> Unusable {
    match error {
        HandleError::Refused(error) => Unusable::Refused(<&str>::from(error).to_owned()),
        HandleError::CommandIdReused => Unusable::Refused("COMMAND_ID_REUSED".to_owned()),
        HandleError::Store(error) => Unusable::Store(error),
    }
}

/// The consents of a case, as far as they say who may know of it.
pub(crate) struct Consents {
    /// For each that stands, the offices that it names; none means all.
    standing: Vec<Vec<String>>,
    any: bool,
}

impl Consents {
    /// Whether an office may hear what became of the case. Where no consent was ever recorded, nothing stands against
    /// codes; one that names offices leaves the others out, and one that was taken back leaves out everybody.
    pub(crate) fn allow(&self, office: &OfficeId) -> bool {
        let covers = |offices: &Vec<String>| offices.is_empty() || offices.iter().any(|named| named == office.as_str());
        !self.any || self.standing.iter().any(covers)
    }
}

async fn consents(case: CaseId, connection: &mut AnyConnection) -> Result<Consents, sqlx::Error> {
    let rows = sqlx::query("select parts, offices from consent where case_id = $1")
        .bind(case.to_string())
        .fetch_all(connection)
        .await?;
    let mut consents = Consents { standing: Vec::new(), any: !rows.is_empty() };
    for row in rows {
        let (parts, offices): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if !parts.is_empty() {
            let named = offices.split(',').filter(|office| !office.is_empty()).map(str::to_owned);
            consents.standing.push(named.collect());
        }
    }
    Ok(consents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consents(standing: &[&[&str]], any: bool) -> Consents {
        let named = |offices: &&[&str]| offices.iter().map(|office| (*office).to_owned()).collect();
        Consents { standing: standing.iter().map(named).collect(), any }
    }

    #[test]
    fn a_consent_that_names_offices_leaves_the_others_out() {
        let [transit_centre, province]: [OfficeId; 2] =
            ["poipet-transit-centre", "dsvy-kandal"].map(|code| code.parse().expect("a code"));
        assert!(consents(&[], false).allow(&province), "nobody was ever asked, and codes harm nobody");
        assert!(consents(&[&[]], true).allow(&province), "it covers everybody");
        let named = consents(&[&["dsvy-kandal"]], true);
        assert!(named.allow(&province) && !named.allow(&transit_centre));
        assert!(consents(&[&["dsvy-kandal"], &[]], true).allow(&transit_centre), "one that covers everybody is enough");
        assert!(!consents(&[], true).allow(&province), "it was taken back");
    }
}
