//! The clock on every unanswered offer: a reminder, a word to the office above, then an offer to that office. At the top
//! of the ladder, where nobody else can be asked, the reminder is repeated for as long as it takes.
//!
//! Due dates are stored and judged by the node's clock, so it does not matter whether the node was running when one
//! passed. How patient the ladder is says the agency's policy of the day on which the offer was made. A timer never moves
//! custody: until somebody's acceptance is certified, the holder holds.

use std::sync::Arc;
use std::time::Duration;

use spean_chassis::{Next, Policies, Round, When, mint};
use spean_custody::Party;
use spean_custody::case::{CaseCustody, Command, Error, OfferOut, OfferOutState, OfferTerms, Situation};
use spean_eventsourcing::{Aggregate as _, Context};
use spean_eventstore::{EventStore, HandleError, Metadata, TransactError};
use spean_messaging::Post;
use spean_policy::{Deadlines, Policy};
use spean_vault::Reader;
use spean_vocabulary::{CaseId, OfferId, OfficeId, Redirection, Timestamp, WithdrawReason};
use sqlx::Row as _;

use crate::desk::{Desk, stream};
use crate::dossiers::Handoff;
use crate::routing::{Routing, Statuses};
use crate::subject::Permission;
use crate::{dossiers, subject};

/// How often the clock is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The steps of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// With the number of the reminder.
    Remind(u32),
    NotifyAbove,
    Escalate,
}

/// The step that is due; none when it is not time. Without an office above, the top of the ladder is reached: the
/// reminder is repeated each time that an answer could have come, once however long the node was dark.
fn step_due(offer: &OfferOut, above: Option<&OfficeId>, patience: Deadlines, now: Timestamp) -> Option<Step> {
    let late_by = now.hours_since(offer.terms.answer_due_at);
    if offer.state != OfferOutState::Open || now < offer.terms.answer_due_at {
        return None;
    }
    let Some(above) = above else {
        let number = 1 + late_by / patience.answer_within_hours.max(1);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        return (number > offer.reminders).then_some(Step::Remind(number));
    };
    if late_by >= patience.escalate_after_hours {
        Some(Step::Escalate)
    } else if late_by >= patience.tell_office_above_after_hours && !offer.notified.contains(above) {
        Some(Step::NotifyAbove)
    } else {
        (offer.reminders == 0).then_some(Step::Remind(1))
    }
}

struct Waiting {
    office: OfficeId,
    case: CaseId,
    offer: OfferId,
    policy: Arc<Policy>,
}

/// Looks at the clock.
pub(crate) fn round(desk: &Desk, policies: &Policies, store: &EventStore, post: &Post) -> Round {
    let (desk, policies, store) = (desk.clone(), policies.clone(), store.clone());
    Round::new("the ladder", When::Every(LOOK_EVERY, post.clone()), move || {
        let (desk, policies, store) = (desk.clone(), policies.clone(), store.clone());
        async move { look(&desk, &policies, &store).await.map(|()| Next::Rest) }
    })
}

async fn look(desk: &Desk, policies: &Policies, store: &EventStore) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    let rows = sqlx::query(
        "select office, case_id, offer_id, offered_at from offer
         where direction = 'out' and state = 'OFFERED' and answer_due_at <= $1 order by answer_due_at",
    )
    .bind(now.as_micros())
    .fetch_all(store.reader())
    .await?;
    for row in rows {
        let waiting = Waiting {
            office: row.try_get::<&str, _>(0)?.parse()?,
            case: row.try_get::<&str, _>(1)?.parse()?,
            offer: row.try_get::<&str, _>(2)?.parse()?,
            policy: policies.on(Timestamp::from_micros(row.try_get(3)?)),
        };
        let offer = waiting.offer;
        if let Err(error) = climb(desk, store, waiting, now).await {
            tracing::warn!(%offer, error = %error, "this offer's next step is tried again");
        }
    }
    Ok(())
}

async fn climb(desk: &Desk, store: &EventStore, waiting: Waiting, now: Timestamp) -> anyhow::Result<()> {
    let Waiting { office, case, offer, policy } = waiting;
    let custody = store.load::<CaseCustody>(&stream(&office, case)).await?.state;
    let Some((_, made)) = custody.offers_out().find(|(id, _)| *id == offer) else { return Ok(()) };
    let directory = desk.directory();
    let statuses = Statuses::load(store.reader()).await?;
    let routing = Routing { directory: &directory, statuses: &statuses, today: now.date_in_cambodia() };
    // The nearest office above at which somebody can answer, is not the one that asks, and was not asked the same already.
    let asked = |office: &OfficeId| {
        custody.offers_out().any(|(_, other)| {
            let lives = matches!(other.state, OfferOutState::Open | OfferOutState::Agreed);
            lives && other.to.office == *office && other.terms.need == made.terms.need
        })
    };
    let above = routing.ladder(&made.to.office).find(|above| above.id != office && !asked(&above.id));
    let above = above.map(|above| Party { node: above.node.clone(), office: above.id.clone() });
    let step = step_due(made, above.as_ref().map(|above| &above.office), policy.answer.of(made.terms.urgency), now);
    match (step, above) {
        (Some(Step::Remind(number)), _) => {
            decide(desk, store, &office, case, vec![Command::Remind { offer, number }], now).await
        }
        (Some(Step::NotifyAbove), Some(above)) => {
            let commands = vec![Command::Remind { offer, number: 1 }, Command::NotifyAbove { offer, above }];
            decide(desk, store, &office, case, commands, now).await
        }
        (Some(Step::Escalate), Some(above)) => {
            let meant_for = made.terms.meant_for.clone().unwrap_or_else(|| made.to.office.clone());
            let because = made.terms.redirected_because.unwrap_or(Redirection::Unanswered);
            let instead = Instead {
                office: &office,
                case,
                offer,
                made,
                withdraw: Some(WithdrawReason::Escalated),
                to: above,
                redirected: Some((meant_for, because)),
                purpose: "nobody answered; the offer goes to the office above",
            };
            offer_instead(desk, store, &custody, instead, now).await
        }
        (None | Some(Step::NotifyAbove | Step::Escalate), _) => Ok(()),
    }
}

/// An offer that is to be made in the place of another.
pub(crate) struct Instead<'o> {
    pub(crate) office: &'o OfficeId,
    pub(crate) case: CaseId,
    pub(crate) offer: OfferId,
    pub(crate) made: &'o OfferOut,
    /// Why the other one is taken back; none when it has ended.
    pub(crate) withdraw: Option<WithdrawReason>,
    pub(crate) to: Party,
    /// For whom it was meant, and why it does not go there; none when it goes there.
    pub(crate) redirected: Option<(OfficeId, Redirection)>,
    /// Why, for the record of who read the file.
    pub(crate) purpose: &'static str,
}

/// Takes one offer back and makes another in its place, together or not at all. What no consent covers stays behind, and
/// the offer says so: nobody is left waiting for want of a signature.
pub(crate) async fn offer_instead(
    desk: &Desk,
    store: &EventStore,
    custody: &CaseCustody,
    instead: Instead<'_>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let Instead { office, case, offer, made, withdraw, to, redirected, purpose } = instead;
    let Some(situation) = desk.situation(Context { office: office.clone(), staff: None, now }) else { return Ok(()) };
    let afresh: OfferId = mint();
    let (meant_for, because) = redirected.unzip();
    let terms = OfferTerms {
        answer_due_at: now.plus_hours(desk.node.policy.answer.of(made.terms.urgency).answer_within_hours),
        dossier_digest: None,
        consent: None,
        instead_of: Some(offer),
        meant_for,
        redirected_because: because,
        ..made.terms.clone()
    };
    let withdraw = withdraw.map(|reason| Command::Withdraw { offer, reason });
    let asking = |terms| Command::Offer { offer: afresh, to: to.clone(), terms };
    let commands = |terms| withdraw.clone().into_iter().chain([asking(terms)]).collect::<Vec<_>>();
    // Asked of the rules first, so that no dossier is sealed for an offer that cannot be made.
    if let Err(error) = would_do(custody, commands(terms.clone()), &situation) {
        tracing::debug!(%offer, reason = %error, "no other offer can be made in its place");
        return Ok(());
    }
    if let Some(against) = subject::find(case, store.reader()).await?.and_then(|subject| subject.against()) {
        tracing::debug!(%offer, reason = %against, "no other offer is made in its place");
        return Ok(());
    }
    let permission = subject::permission(case, &to.office, made.terms.need, store.reader()).await?;
    let dossier_digest = match &permission {
        None => None,
        Some(permission) => {
            let reader = Reader { staff: "escalation".parse()?, office: office.clone(), purpose: purpose.to_owned() };
            let handoff = Handoff { offer: afresh, case, from: office, to: &to.office, permission };
            Some(dossiers::prepare(desk, &handoff, String::new(), &reader, now).await?)
        }
    };
    let consent = permission.as_ref().map(|permission| permission.consent);
    let terms = OfferTerms { dossier_digest, consent, ..terms };
    let made = decide_by(permission, desk, store, office, case, commands(terms), now).await?;
    match dossier_digest {
        _ if made => tracing::info!(%offer, %afresh, %to, "{purpose}"),
        Some(digest) => dossiers::discard(&desk.node.vault, afresh, digest).await,
        None => {}
    }
    Ok(())
}

/// Whether the rules allow these commands one after the other.
pub(crate) fn would_do(custody: &CaseCustody, commands: Vec<Command>, situation: &Situation) -> Result<(), Error> {
    let mut custody = custody.clone();
    for command in commands {
        let events = custody.decide(command, situation)?;
        custody = events.iter().fold(custody, CaseCustody::evolve);
    }
    Ok(())
}

/// All of these or none.
pub(crate) async fn decide(
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    commands: Vec<Command>,
    now: Timestamp,
) -> anyhow::Result<()> {
    decide_by(None, desk, store, office, case, commands, now).await.map(drop)
}

/// All of these or none. An offer among them is made only when the register said nothing against it meanwhile. Tells
/// whether it was done.
async fn decide_by(
    prepared: Option<Permission>,
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    commands: Vec<Command>,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let context = Context { office: office.clone(), staff: None, now };
    let metadata = Metadata::of(&context);
    let Some(situation) = desk.situation(context) else { return Ok(false) };
    let id = stream(office, case);
    let decided = store.transact(move |transaction| {
        Box::pin(async move {
            for command in &commands {
                let Command::Offer { to, terms, .. } = command else { continue };
                let asked = (&to.office, terms.need);
                let against = subject::against(case, asked, prepared.as_ref(), transaction.connection()).await;
                if let Some(against) = against.map_err(|error| HandleError::Store(error.into()))? {
                    return Ok(Some(against));
                }
            }
            for command in commands {
                transaction.decide::<CaseCustody>(&id, command, &situation, &metadata).await?;
            }
            Ok::<_, HandleError<Error>>(None)
        })
    });
    match decided.await {
        Ok(None) => Ok(true),
        Ok(Some(against)) => {
            tracing::debug!(reason = %against, "the offer is not made");
            Ok(false)
        }
        // An answer came in the same moment: whatever was committed first stands.
        Err(TransactError::Work(HandleError::Refused(error))) => {
            tracing::debug!(reason = %error, "the offer was answered meanwhile");
            Ok(false)
        }
        Err(error) => Err(anyhow::anyhow!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spean_custody::case::{Position, Preview};
    use spean_vocabulary::{AgeBand, Need, OfferKind, Sex, Urgency};

    use super::*;

    const DUE: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn offer(urgency: Urgency) -> OfferOut {
        let terms = OfferTerms {
            kind: OfferKind::Transfer,
            need: Need::ReintegrationFollowUp,
            urgency,
            answer_due_at: DUE,
            case_number: None,
            preview: Preview { sex: Sex::Female, age_band: AgeBand::Adolescent, language: None },
            dossier_digest: None,
            consent: None,
            instead_of: None,
            meant_for: None,
            redirected_because: None,
        };
        OfferOut {
            to: Party { node: "kandal".parse().unwrap(), office: "kandal-district".parse().unwrap() },
            position: Position::default(),
            terms,
            state: OfferOutState::Open,
            reminders: 0,
            notified: BTreeSet::new(),
        }
    }

    fn step(offer: &OfferOut, above: Option<&OfficeId>, now: Timestamp) -> Option<Step> {
        step_due(offer, above, Policy::standard().answer.of(offer.terms.urgency), now)
    }

    #[test]
    fn silence_is_answered_by_a_reminder_then_a_word_above_then_an_offer_above() {
        let province: OfficeId = "kandal-province".parse().unwrap();
        let after = |hours| DUE.plus_hours(hours);
        let mut urgent = offer(Urgency::Urgent);
        assert_eq!(step(&urgent, Some(&province), after(-1)), None);
        assert_eq!(step(&urgent, Some(&province), after(0)), Some(Step::Remind(1)));
        urgent.reminders = 1;
        assert_eq!(step(&urgent, Some(&province), after(23)), None);
        assert_eq!(step(&urgent, Some(&province), after(24)), Some(Step::NotifyAbove));
        urgent.notified.insert(province.clone());
        assert_eq!(step(&urgent, Some(&province), after(47)), None);
        assert_eq!(step(&urgent, Some(&province), after(48)), Some(Step::Escalate));
    }

    #[test]
    fn a_node_that_was_dark_for_three_weeks_escalates_at_once() {
        let province = "kandal-province".parse().unwrap();
        assert_eq!(step(&offer(Urgency::Routine), Some(&province), DUE.plus_days(21)), Some(Step::Escalate));
    }

    #[test]
    fn an_agency_that_is_less_patient_climbs_sooner() {
        let province: OfficeId = "kandal-province".parse().unwrap();
        let deadlines =
            Deadlines { answer_within_hours: 168, tell_office_above_after_hours: 1, escalate_after_hours: 2 };
        let offer = offer(Urgency::Routine);
        let due = |hours| step_due(&offer, Some(&province), deadlines, DUE.plus_hours(hours));
        assert_eq!((due(1), due(2)), (Some(Step::NotifyAbove), Some(Step::Escalate)));
    }

    #[test]
    fn at_the_top_of_the_ladder_the_reminder_is_repeated_for_as_long_as_it_takes() {
        let mut emergency = offer(Urgency::Emergency);
        let within = Policy::standard().answer.of(Urgency::Emergency).answer_within_hours;
        let after = |times: i64| DUE.plus_hours(times * within);
        assert_eq!(step(&emergency, None, after(0)), Some(Step::Remind(1)));
        emergency.reminders = 1;
        assert_eq!(step(&emergency, None, after(1).plus_hours(-1)), None);
        assert_eq!(step(&emergency, None, after(1)), Some(Step::Remind(2)));
        emergency.reminders = 2;
        assert_eq!(step(&emergency, None, after(1)), None);
        assert_eq!(step(&emergency, None, after(9)), Some(Step::Remind(10)), "one, however long the node was dark");
    }

    #[test]
    fn an_answered_offer_is_left_alone() {
        let declined = OfferOut {
            state: OfferOutState::Withdrawn { reason: WithdrawReason::AnotherWayFound, repeated: false },
            ..offer(Urgency::Routine)
        };
        assert_eq!(step(&declined, None, DUE.plus_days(21)), None);
    }
}
