//! What the meeting of the province hears and decides, and what an office does about a decision.

use spean_contracts::followup::v1 as wire;
use spean_contracts::referral::v1::{OpenMatter, OpenMattersChanged};
use spean_eventsourcing::{Context, Refusal};
use spean_eventstore::{HandleError, Metadata, Transaction};
use spean_messaging::{Address, Letter, Unusable};
use spean_vocabulary::{CaseId, DecisionId, OfficeId, Service};

use super::{Reactions, malformed, parse, parse_optional, read};
use crate::agenda::{self, Agenda, Told};
use crate::codes::{EndReason, ExtendReason, ReopenReason, Topic};
use crate::desk::{AtTheDesk, Command as Tell, Matters, Open};
use crate::mandate::{self, Answer, Mandate, Received};
use crate::meeting::{self, Decision, Meeting};
use crate::plan::{self, OpenMatters, Plan, Rhythm};
use crate::{follow_ups, watch};

/// What stops a closure when the meeting did not know of it.
const GRAVE: [Topic; 6] =
    [Topic::Danger, Topic::Contradictory, Topic::ContactLost, Topic::SeenAgain, Topic::Unanswered, Topic::Overdue];

impl Reactions {
    /// An office tells why the meeting should speak of a case.
    pub(super) async fn agenda_told(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::AgendaTold = read(letter)?;
        let (office, to) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let case: CaseId = parse(&told.case_id)?;
        let topic =
            |told: &wire::AgendaTopic| Ok((Topic::read("topics", told.topic).map_err(malformed)?, parse(&told.since)?));
        let told = Told {
            office,
            to: to.clone(),
            case_number: parse_optional(&told.case_number)?,
            topics: told.topics.iter().map(topic).collect::<Result<_, Unusable>>()?,
        };
        self.decide::<Agenda>(&case.to_string(), agenda::Command::Hear(told), &to, letter, transaction).await
    }

    /// Our desk tells what is open of a case.
    pub(super) async fn open_matters_changed(
        &self,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        if letter.from != (Address { node: self.node.clone(), service: Service::Referral }) {
            return Err(Unusable::Refused("NOT_OUR_DESK".to_owned()));
        }
        let told: OpenMattersChanged = read(letter)?;
        let (case, office): (CaseId, OfficeId) = (parse(&told.case_id)?, parse(&told.office_id)?);
        let matters = Matters {
            offers: read_open(told.offers.as_ref())?,
            needs: read_open(told.needs.as_ref())?,
            services: read_open(told.services.as_ref())?,
        };
        self.decide::<AtTheDesk>(&format!("{office}/{case}"), Tell::Hear(matters), &office, letter, transaction).await
    }

    /// The meeting of our province has decided on a case that we keep.
    pub(super) async fn meeting_decided(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told: wire::MeetingDecided = read(letter)?;
        let (province, office) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let known = told.known_topics.iter().map(|topic| Topic::read("known_topics", *topic).map_err(malformed));
        let received = Received {
            meeting: told.meeting_id.clone(),
            case: parse(&told.case_id)?,
            office: office.clone(),
            province: province.clone(),
            decision: read_decision(&told)?,
            known: known.collect::<Result<_, _>>()?,
            decided_on: parse(&told.decided_on)?,
        };
        let id: DecisionId = parse(&told.decision_id)?;
        let command = |answer| mandate::Command::Receive { received: received.clone(), answer };
        if transaction.load::<Mandate>(&id.to_string()).await?.state.is_known() {
            return self
                .decide::<Mandate>(&id.to_string(), command(Answer::CarriedOut), &office, letter, transaction)
                .await;
        }
        let answer = if watch::province(&self.directory.current(), &office).as_ref() == Some(&province) {
            self.carry_out(id, &received, letter, transaction).await?
        } else {
            Answer::Refused { reason: "NOT_OUR_PROVINCE".to_owned() }
        };
        self.decide::<Mandate>(&id.to_string(), command(answer), &office, letter, transaction).await
    }

    /// An office has answered a decision of ours.
    pub(super) async fn decision_answered(
        &self,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let told: wire::DecisionAnswered = read(letter)?;
        let (from, province) = self.between(&told.from_office_id, &told.to_office_id, letter)?;
        let answer = match told.state() {
            wire::MandateState::CarriedOut => Answer::CarriedOut,
            wire::MandateState::Open => Answer::Open,
            wire::MandateState::Refused => Answer::Refused { reason: code(&told.refusal)? },
            wire::MandateState::Unspecified | wire::MandateState::Sent => return Err(malformed(())),
        };
        let meeting: DecisionId = parse(&told.meeting_id)?;
        let command = meeting::Command::HearAnswer { decision_id: parse(&told.decision_id)?, from, answer };
        self.decide::<Meeting>(&meeting.to_string(), command, &province, letter, transaction).await
    }

    async fn carry_out(
        &self,
        id: DecisionId,
        received: &Received,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<Answer, Unusable> {
        let case = received.case;
        if follow_ups::keeper(case, transaction.connection()).await?.as_ref() != Some(&received.office) {
            return Ok(Answer::Refused { reason: "CASE_MOVED".to_owned() });
        }
        let today = self.clock.now().date_in_cambodia();
        let standing = watch::observe(Some(case), today, self.late_after_days, transaction.connection()).await?;
        let topics = standing.into_iter().next().map(|(_, standing)| standing.topics).unwrap_or_default();
        let rhythm = self.rhythm;
        let command = match &received.decision {
            Decision::Continue => return Ok(Answer::CarriedOut),
            Decision::Transfer { .. } | Decision::FurtherTracing => return Ok(Answer::Open),
            Decision::Close { reason } => {
                if GRAVE.iter().any(|topic| topics.contains_key(topic) && !received.known.contains(topic)) {
                    return Ok(Answer::Refused { reason: "FACTS_HAVE_CHANGED".to_owned() });
                }
                let matters = watch::open_matters(case, &received.office, transaction.connection()).await?;
                let open = OpenMatters {
                    danger: topics.contains_key(&Topic::Danger),
                    contradiction: topics.contains_key(&Topic::Contradictory),
                    ..matters
                };
                let (decision, closed_on, reason) = (Some(id), received.decided_on, *reason);
                plan::Command::Close { decision, closed_on, reason, open }
            }
            Decision::Extend { months, .. } => {
                let last = transaction.load::<Plan>(&case.to_string()).await?.state.last_due_on();
                let from = last.map_or(received.decided_on, |last| last.max(received.decided_on));
                let rhythm = Rhythm { months: (*months).into(), ..rhythm };
                plan::Command::Extend { decision: id, due_on: rhythm.days_after(from) }
            }
            Decision::Reopen { reason } => {
                plan::Command::Reopen { reason: *reason, reopened_on: received.decided_on, rhythm }
            }
        };
        self.try_plan(case, command, &received.office, letter, transaction).await
    }

    /// What the rules of the follow-up say to a decision is an answer and no failure.
    async fn try_plan(
        &self,
        case: CaseId,
        command: plan::Command,
        office: &OfficeId,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<Answer, Unusable> {
        let context = Context { office: office.clone(), staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        match transaction.decide::<Plan>(&case.to_string(), command, &context, &metadata).await {
            Ok(_) => Ok(Answer::CarriedOut),
            Err(HandleError::Refused(error)) => Ok(Answer::Refused { reason: error.reason().to_owned() }),
            Err(HandleError::CommandIdReused) => Err(Unusable::Refused("COMMAND_ID_REUSED".to_owned())),
            Err(HandleError::Store(error)) => Err(Unusable::Store(error)),
        }
    }
}

fn read_open(told: Option<&OpenMatter>) -> Result<Option<Open>, Unusable> {
    let Some(told) = told else { return Ok(None) };
    Ok(Some(Open { count: u32::try_from(told.count).map_err(malformed)?, since: parse(&told.since)? }))
}

fn read_decision(told: &wire::MeetingDecided) -> Result<Decision, Unusable> {
    Ok(match told.decision() {
        wire::Decision::Close => {
            Decision::Close { reason: EndReason::read("end_reason", told.end_reason).map_err(malformed)? }
        }
        wire::Decision::Extend => Decision::Extend {
            reason: ExtendReason::read("extend_reason", told.extend_reason).map_err(malformed)?,
            months: u8::try_from(told.months).map_err(malformed)?,
        },
        wire::Decision::Reopen => {
            Decision::Reopen { reason: ReopenReason::read("reopen_reason", told.reopen_reason).map_err(malformed)? }
        }
        wire::Decision::Transfer => Decision::Transfer { to: parse(&told.transfer_to_office_id)? },
        wire::Decision::FurtherTracing => Decision::FurtherTracing,
        wire::Decision::Continue => Decision::Continue,
        wire::Decision::Unspecified => return Err(malformed(())),
    })
}

/// A reason as a code: nothing personal can hide in it.
fn code(text: &str) -> Result<String, Unusable> {
    let plain = text.len() <= 60 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if plain { Ok(text.to_owned()) } else { Err(malformed(())) }
}
