//! What comes along with a case, what a supervisor of another node found, and what came of looking for a family.

use std::collections::BTreeMap;

use spean_contracts::followup::v1 as wire;
use spean_eventstore::Transaction;
use spean_messaging::{Letter, Unusable};
use spean_vocabulary::{CaseId, Date, OfficeId, SupervisionId, SupportId};

use super::{Reactions, malformed, parse, parse_optional, read};
use crate::codes::{Check, CheckResult, FamilySearchOutcome, SupportKind, SupportOutcome};
use crate::family_search::{self, Answer, FamilySearch};
use crate::supervision::{self, Point, Supervision, Visit};
use crate::support::{self, Given, Seen, Support};
use crate::supports;
use crate::whereabouts::{self, Whereabouts};

impl Reactions {
    /// Help whose outcomes must be looked for, and who says to have the person, go along with the case.
    pub(super) async fn hand_on_the_rest(
        &self,
        case: CaseId,
        from: &OfficeId,
        to: &OfficeId,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        for support in supports::of_case_known(case, transaction.connection()).await? {
            let command = support::Command::HandOn { to: to.clone() };
            self.decide::<Support>(&support.to_string(), command, from, letter, transaction).await?;
        }
        let command = whereabouts::Command::PassOn { to: to.clone() };
        self.decide::<Whereabouts>(&case.to_string(), command, from, letter, transaction).await
    }

    pub(super) async fn support_handed_on(
        &self,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let told: wire::SupportHandedOn = read(letter)?;
        let (_, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let support: SupportId = parse(&told.support_id)?;
        let given = Given {
            case: parse(&told.case_id)?,
            kind: SupportKind::read("kind", told.kind).map_err(malformed)?,
            given_on: parse(&told.given_on)?,
            given_by: parse(&told.given_by_office_id)?,
        };
        let seen = told.outcomes.iter().map(read_seen).collect::<Result<_, _>>()?;
        let command = support::Command::TakeUp { given, seen };
        self.decide::<Support>(&support.to_string(), command, &to, letter, transaction).await
    }

    pub(super) async fn supervision_told(
        &self,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let told: wire::SupervisionTold = read(letter)?;
        let (by, office) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        if !self.directory.current().ladder(&office).any(|above| above.id == by) {
            return Err(Unusable::Refused("NOT_ABOVE_THIS_OFFICE".to_owned()));
        }
        let id: SupervisionId = parse(&told.supervision_id)?;
        let visit = Visit {
            by,
            worker: parse_optional(&told.worker)?,
            visited_on: parse(&told.visited_on)?,
            points: told.points.iter().map(read_point).collect::<Result<BTreeMap<_, _>, _>>()?,
            office: office.clone(),
        };
        let command = supervision::Command::Hear(visit);
        self.decide::<Supervision>(&id.to_string(), command, &office, letter, transaction).await
    }

    pub(super) async fn supervision_point_told(
        &self,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let told: wire::SupervisionPointTold = read(letter)?;
        let (from, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let id: SupervisionId = parse(&told.supervision_id)?;
        let known = transaction.load::<Supervision>(&id.to_string()).await?.state;
        if known.visit().is_none_or(|visit| ![&visit.by, &visit.office].contains(&&from)) {
            return Err(Unusable::Refused("NOT_THEIR_SUPERVISION".to_owned()));
        }
        let command = supervision::Command::HearPoint {
            check: Check::read("check", told.check).map_err(malformed)?,
            result: CheckResult::read("result", told.result).map_err(malformed)?,
            seen_on: parse(&told.seen_on)?,
        };
        self.decide::<Supervision>(&id.to_string(), command, &to, letter, transaction).await
    }

    pub(super) async fn family_searched(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::FamilySearched = read(letter)?;
        let (from, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let answer = Answer {
            case: parse(&told.case_id)?,
            offer: parse(&told.offer_id)?,
            from,
            to: to.clone(),
            outcome: FamilySearchOutcome::read("outcome", told.outcome).map_err(malformed)?,
            answered_on: parse(&told.answered_on)?,
        };
        let command = family_search::Command::Hear(answer.clone());
        self.decide::<FamilySearch>(&answer.offer.to_string(), command, &to, letter, transaction).await
    }
}

fn read_seen(seen: &wire::OutcomeSeenBefore) -> Result<Seen, Unusable> {
    Ok(Seen {
        after_months: u8::try_from(seen.after_months).map_err(malformed)?,
        outcome: SupportOutcome::read("outcome", seen.outcome).map_err(malformed)?,
        seen_on: parse(&seen.seen_on)?,
    })
}

fn read_point(point: &wire::SupervisedPoint) -> Result<(Check, Point), Unusable> {
    let check = Check::read("check", point.check).map_err(malformed)?;
    let result = CheckResult::read("result", point.result).map_err(malformed)?;
    Ok((check, Point { result, mend_by: parse_optional::<Date>(&point.mend_by)? }))
}
