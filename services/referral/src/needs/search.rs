//! Looks for services: puts together what this desk knows, for the rules of matching to judge.

use std::collections::BTreeMap;

use spean_eventsourcing::Context;
use spean_eventstore::{Metadata, Transaction};
use spean_messaging::Unusable;
use spean_vocabulary::{AgeBand, CaseId, DeclineReason, Need, NeedId, OfficeId, Sex, Timestamp};
use sqlx::{AnyConnection, Row as _};

use super::figures::unusable;
use super::need::{CaseNeed, Command, Stands};
use super::{figures, known, lines};
use crate::desk::Desk;
use crate::matching::{self, Before, Candidate, Match, OfficeState, Wanted};
use crate::routing::{Routing, Standing, Statuses};
use crate::subject;

/// The services for what is wanted, judged with what became of asking before.
pub(crate) async fn services(
    desk: &Desk,
    wanted: &Wanted,
    before: &BTreeMap<OfficeId, Before>,
    now: Timestamp,
    connection: &mut AnyConnection,
) -> Result<Vec<Match>, sqlx::Error> {
    let directory = desk.directory();
    let statuses = Statuses::load(&mut *connection).await?;
    let routing = Routing { directory: &directory, statuses: &statuses, today: now.date_in_cambodia() };
    let mut candidates = Vec::new();
    for offering in known::offerings(wanted.need, connection).await? {
        let office = &offering.office;
        let figures = if known::is_ours(desk, office) {
            Some((figures::count(office, wanted.need, now.date_in_cambodia(), connection).await?, now))
        } else {
            known::figures(office, wanted.need, connection).await?
        };
        let state = match routing.standing(office) {
            Some(Standing::Open) => OfficeState::Open,
            Some(Standing::Unstaffed { .. }) => OfficeState::Unstaffed,
            Some(Standing::Closed { .. }) | None => OfficeState::Closed,
        };
        let place = directory.office(office).map(|office| office.place);
        let before = before.get(office).copied();
        candidates.push(Candidate { offering, place, state, figures, before });
    }
    Ok(matching::rank(wanted, &candidates, now))
}

/// The services for a need of an office.
pub(crate) async fn services_for(
    desk: &Desk,
    office: &OfficeId,
    need: &CaseNeed,
    now: Timestamp,
    connection: &mut AnyConnection,
) -> Result<Vec<Match>, sqlx::Error> {
    let Some(described) = need.described() else { return Ok(vec![]) };
    let subject = subject::find(described.case, &mut *connection).await?;
    let preview = subject.map(|subject| subject.preview);
    let preferences = &described.preferences;
    let wanted = Wanted {
        need: described.need,
        sex: preview.as_ref().map_or(Sex::Unknown, |preview| preview.sex),
        age_band: preview.as_ref().map_or(AgeBand::Unknown, |preview| preview.age_band),
        language: preferences.language.clone().or_else(|| preview.and_then(|preview| preview.language)),
        worker_sex: preferences.worker_sex,
        near: preferences.near.unwrap_or(described.place),
        reach: preferences.reach,
        by: office.clone(),
    };
    let before = before(office, need, described.case, described.need, now, connection).await?;
    services(desk, &wanted, &before, now, connection).await
}

/// What became of asking each office for this before.
async fn before(
    office: &OfficeId,
    need: &CaseNeed,
    case: CaseId,
    what: Need,
    now: Timestamp,
    connection: &mut AnyConnection,
) -> Result<BTreeMap<OfficeId, Before>, sqlx::Error> {
    let mut words: Vec<_> = need.refused().iter().map(|refused| (refused.clone(), Before::Refused)).collect();
    words.extend(need.asked().values().filter_map(|asked| {
        let word = match asked.stands {
            Stands::Open | Stands::Agreed => Before::Asked,
            Stands::Declined { reason } => Before::Declined { reason },
            _ => return None,
        };
        Some((asked.to.clone(), word))
    }));
    let rows = sqlx::query(
        "select other_office, state, decline_reason from offer
         where office = $1 and direction = 'out' and case_id = $2 and need = $3 and state in ('OFFERED', 'DECLINED')",
    )
    .bind(office.as_str())
    .bind(case.to_string())
    .bind(what.to_string())
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let (other, state, reason): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let reason = reason.parse().unwrap_or(DeclineReason::NotEligible);
        let word = if state == "OFFERED" { Before::Asked } else { Before::Declined { reason } };
        words.extend(other.parse().ok().map(|other| (other, word)));
    }
    for (at, _, position, kept_until) in lines::of_case_elsewhere(office, case, what, connection).await? {
        let place_kept = kept_until.is_some_and(|until| until > now);
        words.push((at, Before::Waits { position: (position > 0).then_some(position), place_kept }));
    }
    Ok(matching::strongest(words))
}

/// Looks whether anybody can meet a need that waits for somebody, and says so when nobody can.
pub(crate) async fn judge(
    desk: &Desk,
    (office, id): (&OfficeId, NeedId),
    context: &Context,
    metadata: &Metadata,
    transaction: &mut Transaction,
) -> Result<(), Unusable> {
    let stream = stream(office, id);
    let need = transaction.load::<CaseNeed>(&stream).await?.state;
    if !need.waits_for_somebody() {
        return Ok(());
    }
    let matches = services_for(desk, office, &need, context.now, transaction.connection()).await?;
    if let Some(reason) = matching::unmet(&matches) {
        let command = Command::MarkUnmet { reason, on: context.now.date_in_cambodia() };
        transaction.decide::<CaseNeed>(&stream, command, context, metadata).await.map_err(unusable)?;
    }
    Ok(())
}

/// The stream of a need at an office.
pub(crate) fn stream(office: &OfficeId, need: NeedId) -> String {
    format!("{office}/{need}")
}
