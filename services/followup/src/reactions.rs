//! What the desk, the register and the follow-up of other offices say, and what follow-up does about it.

use prost::Message;
use spean_chassis::words::read_urgency;
use spean_chassis::{Clock, standing};
use spean_contracts::cases::v1::{CaseRegistered, PersonErased};
use spean_contracts::followup::v1 as wire;
use spean_contracts::referral::v1::{PersonSeenAgain, Stage, StageReached, Standing};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{CaseId, DangerId, Date, NodeId, OfficeId, Service, Timestamp};
use sqlx::Row as _;

use crate::codes::{DangerSign, ExtraVisitReason, LossReason, Resolution, Whereabouts as Seen};
use crate::contact::{self, Contact};
use crate::danger::{self, Danger};
use crate::plan::{self, HandedOver, Plan, Planned};
use crate::published;
use crate::whereabouts::{self, Contradiction, Sighting, Whereabouts};
use crate::{contradictions, dangers, follow_ups};

mod along;
mod meeting;
#[cfg(test)]
mod tests;

/// Applies the letters of follow-up.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
    pub(crate) clock: Clock,
    /// A person who is lost comes before the meeting after so many days.
    pub(crate) late_after_days: i32,
    /// The rhythm of visits, for a follow-up that goes on or begins anew.
    pub(crate) rhythm: plan::Rhythm,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        let own = [Service::Referral, Service::Cases, Service::Shelter, Service::Insight]
            .map(|service| Address { node: self.node.clone(), service });
        let directory = self.directory.current();
        let others = directory.nodes.iter().filter(|node| node.id != self.node);
        own.into_iter()
            .chain(others.map(|node| Address { node: node.id.clone(), service: Service::Followup }))
            .collect()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            // What follow-ups do not say to each other is said by the services of this node, and believed as it stands.
            if !letter.kind.starts_with("spean.followup.") && letter.from.node != self.node {
                return Err(Unusable::Refused("NOT_OUR_SERVICE".to_owned()));
            }
            match letter.kind.as_str() {
                "spean.referral.v1.StandingChanged" => self.standing_changed(letter, transaction).await,
                "spean.referral.v1.PersonSeenAgain" => self.seen_again(letter, transaction).await,
                "spean.referral.v1.OpenMattersChanged" => self.open_matters_changed(letter, transaction).await,
                "spean.referral.v1.StageReached" => self.stage_reached(letter, transaction).await,
                "spean.cases.v1.CaseRegistered" => {
                    let told: CaseRegistered = read(letter)?;
                    Ok(standing::record_registered(&told, transaction.connection()).await?)
                }
                "spean.cases.v1.PersonErased" => self.person_erased(letter, transaction).await,
                published::PLAN_HANDED_OVER => self.plan_handed_over(letter, transaction).await,
                published::PLAN_TAKEN_UP => self.plan_taken_up(letter, transaction).await,
                published::DANGER_RAISED => self.danger_raised(letter, transaction).await,
                published::DANGER_ANSWERED => self.danger_answered(letter, transaction).await,
                published::PERSON_ELSEWHERE => self.person_elsewhere(letter, transaction).await,
                published::CONTRADICTION_RAISED => self.contradiction_raised(letter, transaction).await,
                published::AGENDA_TOLD => self.agenda_told(letter, transaction).await,
                published::MEETING_DECIDED => self.meeting_decided(letter, transaction).await,
                published::DECISION_ANSWERED => self.decision_answered(letter, transaction).await,
                published::SUPPORT_HANDED_ON => self.support_handed_on(letter, transaction).await,
                published::SUPERVISION_TOLD => self.supervision_told(letter, transaction).await,
                published::SUPERVISION_POINT_TOLD => self.supervision_point_told(letter, transaction).await,
                published::FAMILY_SEARCHED => self.family_searched(letter, transaction).await,
                published::CONTRADICTION_RESOLVED => self.contradiction_resolved(letter, transaction).await,
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

impl Reactions {
    /// The desk says what an office is to a case. The plan goes with a case that was handed over.
    async fn standing_changed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = standing::record(&read(letter)?, transaction.connection()).await?;
        if told.standing() != Standing::Held {
            return Ok(());
        }
        let case: CaseId = parse(&told.case_id)?;
        let office: OfficeId = parse(&told.office_id)?;
        self.hand_over(case, &office, told.other_office_id.parse().ok(), letter, transaction).await
    }

    async fn hand_over(
        &self,
        case: CaseId,
        from: &OfficeId,
        to: Option<OfficeId>,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        if follow_ups::keeper(case, transaction.connection()).await?.as_ref() == Some(from) {
            let contact = transaction.load::<Contact>(&case.to_string()).await?.state;
            let (from, to, contact_lost_on) = (from.clone(), to.clone(), contact.lost_on());
            let command = plan::Command::HandOver { from: from.clone(), to, contact_lost_on };
            self.decide::<Plan>(&case.to_string(), command, &from, letter, transaction).await?;
        }
        let Some(to) = to else { return Ok(()) };
        for danger in dangers::open_of(case, transaction.connection()).await? {
            let command = danger::Command::HandOn { to: to.clone() };
            self.decide::<Danger>(&danger.to_string(), command, from, letter, transaction).await?;
        }
        self.hand_on_the_rest(case, from, &to, letter, transaction).await
    }

    /// Another office handed a plan over to one of ours.
    async fn plan_handed_over(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::PlanHandedOver = read(letter)?;
        let (from, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let contact_lost_on = parse_optional(&told.contact_lost_on)?;
        let plan = HandedOver {
            from,
            to: to.clone(),
            reintegrated_on: parse(&told.reintegrated_on)?,
            visits: told.visits.iter().map(read_planned).collect::<Result<_, _>>()?,
            contact_lost_on,
            handovers: u32::try_from(told.handovers).map_err(malformed)?,
        };
        let id = case.to_string();
        self.decide::<Plan>(&id, plan::Command::TakeUp(plan), &to, letter, transaction).await?;
        if let Some(lost_on) = contact_lost_on
            && transaction.load::<Contact>(&id).await?.state.lost_on().is_none()
        {
            let to_meeting_on = self.clock.now().date_in_cambodia().plus_days(self.late_after_days);
            let command = contact::Command::Lose { lost_on, reason: LossReason::Other, to_meeting_on };
            self.decide::<Contact>(&id, command, &to, letter, transaction).await?;
        }
        // The case may have moved on before the plan came.
        let known = standing::of(case, &to, transaction.connection()).await?;
        match known {
            Some(known) if known.word == "HELD" => {
                self.hand_over(case, &to, known.other_office.parse().ok(), letter, transaction).await
            }
            _ => Ok(()),
        }
    }

    async fn plan_taken_up(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::PlanTakenUp = read(letter)?;
        let (by, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let command = plan::Command::NoteTakenUp { by };
        self.decide::<Plan>(&case.to_string(), command, &to, letter, transaction).await
    }

    async fn danger_raised(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::DangerRaised = read(letter)?;
        let (from, by) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let signs = told.signs.iter().map(|sign| DangerSign::read("signs", *sign).map_err(malformed));
        let report = danger::Report {
            case: parse(&told.case_id)?,
            office: from,
            signs: signs.collect::<Result<_, _>>()?,
            urgency: read_urgency("urgency", told.urgency).map_err(malformed)?,
            found_on: parse(&told.found_on)?,
            raised_at: Timestamp::from_micros(told.raised_at_micros),
            plan_due_at: Timestamp::from_micros(told.plan_due_at_micros),
        };
        let tell = if told.takes_over { self.above(&by) } else { None };
        let command = danger::Command::Hear { report, by: by.clone(), tell, takes_over: told.takes_over };
        let danger: DangerId = parse(&told.danger_id)?;
        self.decide::<Danger>(&danger.to_string(), command, &by, letter, transaction).await
    }

    async fn danger_answered(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::DangerAnswered = read(letter)?;
        let (from, by) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let (plan_made_on, ended_on) = (parse_optional(&told.plan_made_on)?, parse_optional(&told.lowered_on)?);
        let command = danger::Command::HearAnswer { from, plan_made_on, ended_on };
        let danger: DangerId = parse(&told.danger_id)?;
        self.decide::<Danger>(&danger.to_string(), command, &by, letter, transaction).await
    }

    /// The desk says that the person of a case was registered elsewhere.
    async fn seen_again(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: PersonSeenAgain = read(letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let (office, by): (OfficeId, OfficeId) = (parse(&told.office_id)?, parse(&told.seen_by_office_id)?);
        let seen_on: Date = parse(&told.seen_on)?;
        let command = contact::Command::SeeAgain { by: by.clone(), seen_on };
        self.decide::<Contact>(&case.to_string(), command, &office, letter, transaction).await?;
        let whereabouts = Seen::RegisteredElsewhere;
        let sighting = Sighting { office: by, whereabouts, from_day: seen_on, until_day: None };
        self.sight(case, &office, sighting, None, letter, transaction).await
    }

    /// Our shelter has somebody, or no longer has them: an office that shares the case, or holds it now, must hear.
    async fn stage_reached(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: StageReached = read(letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let office: OfficeId = parse(&told.office_id)?;
        let day: Date = parse(&told.occurred_on)?;
        let known = standing::of(case, &office, transaction.connection()).await?;
        let tell = known.and_then(|known| known.other_office.parse().ok());
        let command = match told.stage() {
            Stage::InShelter => {
                let met = contradictions::met(case, transaction.connection()).await?;
                let above = met.last().and_then(|met| self.above(&met.office));
                let whereabouts = Seen::InShelter;
                let sighting = Sighting { office: office.clone(), whereabouts, from_day: day, until_day: None };
                whereabouts::Command::Sight { sighting, met, tell, above }
            }
            Stage::LeftShelter => whereabouts::Command::Leave { office: office.clone(), left_on: day, tell },
            _ => return Ok(()),
        };
        self.decide::<Whereabouts>(&case.to_string(), command, &office, letter, transaction).await
    }

    async fn person_elsewhere(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::PersonElsewhere = read(letter)?;
        let (from, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let sighting = Sighting {
            office: parse_optional(&told.seen_by_office_id)?.unwrap_or(from),
            whereabouts: Seen::read("whereabouts", told.whereabouts).map_err(malformed)?,
            from_day: parse(&told.from_day)?,
            until_day: parse_optional(&told.until_day)?,
        };
        // The case may have moved on since: then the word follows it.
        let known = standing::of(case, &to, transaction.connection()).await?.filter(|known| known.word == "HELD");
        let next = known.and_then(|known| known.other_office.parse().ok()).filter(|next| *next != sighting.office);
        self.sight(case, &to, sighting, next, letter, transaction).await
    }

    async fn sight(
        &self,
        case: CaseId,
        office: &OfficeId,
        sighting: Sighting,
        tell: Option<OfficeId>,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let met = contradictions::met(case, transaction.connection()).await?;
        // It may be told to the province, while a district of the same node visits.
        let above = self.above(met.last().map_or(office, |met| &met.office));
        let command = whereabouts::Command::Sight { sighting, met, tell, above };
        self.decide::<Whereabouts>(&case.to_string(), command, office, letter, transaction).await
    }

    async fn contradiction_raised(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::ContradictionRaised = read(letter)?;
        let (from, by) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let contradiction = Contradiction {
            visit_id: parse(&told.visit_id)?,
            visited_by: from.clone(),
            visited_on: parse(&told.visited_on)?,
            seen_by: parse(&told.seen_by_office_id)?,
            whereabouts: Seen::read("whereabouts", told.whereabouts).map_err(malformed)?,
            seen_on: parse(&told.seen_on)?,
        };
        let command = whereabouts::Command::Hear { contradiction, by: by.clone(), from };
        self.decide::<Whereabouts>(&case.to_string(), command, &by, letter, transaction).await
    }

    async fn contradiction_resolved(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::ContradictionResolved = read(letter)?;
        let (by, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let resolution = Resolution::read("resolution", told.resolution).map_err(malformed)?;
        let command = whereabouts::Command::HearResolution { visit_id: parse(&told.visit_id)?, resolution, by };
        self.decide::<Whereabouts>(&case.to_string(), command, &to, letter, transaction).await
    }

    async fn person_erased(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: PersonErased = read(letter)?;
        let case: CaseId = parse(&told.case_id)?;
        // Where no office has to do with the case, there is no plan of it.
        let Some(office) = office_of(case, transaction).await? else { return Ok(()) };
        self.decide::<Plan>(&case.to_string(), plan::Command::Erase, &parse(&office)?, letter, transaction).await
    }

    /// The two offices of a letter between two follow-ups: the sender's node serves the one, we serve the other.
    fn between(&self, from: &str, to: &str, letter: &Letter) -> Result<(OfficeId, OfficeId), Unusable> {
        let (from, to): (OfficeId, OfficeId) = (parse(from)?, parse(to)?);
        let directory = self.directory.current();
        let served_by = |office: &OfficeId| directory.office(office).map(|office| &office.node);
        if letter.from.service != Service::Followup || served_by(&from) != Some(&letter.from.node) {
            return Err(Unusable::Refused("NOT_THEIR_OFFICE".to_owned()));
        }
        if served_by(&to) != Some(&self.node) {
            return Err(Unusable::Refused("NOT_OUR_OFFICE".to_owned()));
        }
        Ok((from, to))
    }

    fn above(&self, office: &OfficeId) -> Option<OfficeId> {
        self.directory.current().ladder(office).next().map(|above| above.id.clone())
    }

    async fn decide<A>(
        &self,
        id: &str,
        command: A::Command,
        office: &OfficeId,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        let context = Context { office: office.clone(), staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        match transaction.decide::<A>(id, command, &context, &metadata).await {
            Ok(_) => Ok(()),
            Err(HandleError::Refused(error)) => Err(Unusable::Refused(error.reason().to_owned())),
            Err(HandleError::CommandIdReused) => Err(Unusable::Refused("COMMAND_ID_REUSED".to_owned())),
            Err(HandleError::Store(error)) => Err(Unusable::Store(error)),
        }
    }
}

/// An office of this node that has to do with a case, the holder before all others: the letter names none.
async fn office_of(case: CaseId, transaction: &mut Transaction) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query(
        "select office from case_standing where case_id = $1
         order by case when standing = 'HOLDS' then 0 else 1 end, office
         limit 1",
    )
    .bind(case.to_string())
    .fetch_optional(transaction.connection())
    .await?;
    row.map(|row| row.try_get(0)).transpose()
}

fn read_planned(visit: &wire::HandedOverVisit) -> Result<Planned, Unusable> {
    let extra = match visit.extra {
        0 => None,
        extra => Some(ExtraVisitReason::read("extra", extra).map_err(malformed)?),
    };
    Ok(Planned {
        due_on: parse(&visit.due_on)?,
        first_due_on: parse_optional(&visit.first_due_on)?,
        settled: visit.settled,
        extra,
        with_offices: [].into(),
    })
}

fn read<M: Message + Default>(letter: &Letter) -> Result<M, Unusable> {
    M::decode(letter.body.as_slice()).map_err(malformed)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Unusable> {
    text.parse().map_err(malformed)
}

fn parse_optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Unusable> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn malformed<E>(_: E) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}
