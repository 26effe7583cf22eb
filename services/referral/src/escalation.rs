//! The clock on every unanswered offer: a reminder, a word to the office above, then an offer to that office.
//!
//! Due dates are stored and judged by the node's clock, so it does not matter whether the node was running when one
//! passed. A timer never moves custody: until somebody's acceptance is certified, the holder holds.

use std::time::Duration;

use spean_chassis::mint;
use spean_custody::case::{CaseCustody, Command, OfferOut, OfferOutState, OfferTerms};
use spean_custody::{Digest, Party};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, HandleError, Metadata, TransactError};
use spean_messaging::Post;
use spean_vault::Reader;
use spean_vocabulary::{CaseId, OfferId, OfficeId, Timestamp, Urgency, WithdrawReason};
use sqlx::Row as _;

use crate::desk::{Desk, stream};
use crate::dossiers::Handoff;
use crate::{dossiers, subject};

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The steps of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Remind,
    NotifyAbove,
    Escalate,
}

/// Hours after the due date until the office above is told, and until the offer goes to it.
const fn patience(urgency: Urgency) -> (i64, i64) {
    match urgency {
        Urgency::Emergency => (2, 4),
        Urgency::Urgent => (24, 48),
        Urgency::Routine => (3 * 24, 7 * 24),
    }
}

/// The step that is due; none when it is not time, or the top of the ladder is reached.
fn step_due(offer: &OfferOut, above: Option<&OfficeId>, now: Timestamp) -> Option<Step> {
    let late_by = now.hours_since(offer.terms.answer_due_at);
    if offer.state != OfferOutState::Open || now < offer.terms.answer_due_at {
        return None;
    }
    let (notify, escalate) = patience(offer.terms.urgency);
    match above {
        Some(_) if late_by >= escalate => Some(Step::Escalate),
        Some(above) if late_by >= notify && !offer.notified.contains(above) => Some(Step::NotifyAbove),
        _ if !offer.reminded => Some(Step::Remind),
        _ => None,
    }
}

struct Waiting {
    office: OfficeId,
    case: CaseId,
    offer: OfferId,
}

/// Looks at the clock for ever.
pub(crate) async fn watch(desk: Desk, store: EventStore, post: Post) {
    loop {
        if !post.is_recovering()
            && let Err(error) = look(&desk, &store).await
        {
            tracing::warn!(error = %error, "the ladder is climbed later");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn look(desk: &Desk, store: &EventStore) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    let rows = sqlx::query(
        "select office, case_id, offer_id from offer
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
        };
        let offer = waiting.offer;
        if let Err(error) = climb(desk, store, waiting, now).await {
            tracing::warn!(%offer, error = %error, "this offer's next step is tried again");
        }
    }
    Ok(())
}

async fn climb(desk: &Desk, store: &EventStore, waiting: Waiting, now: Timestamp) -> anyhow::Result<()> {
    let Waiting { office, case, offer } = waiting;
    let custody = store.load::<CaseCustody>(&stream(&office, case)).await?.state;
    let Some((_, made)) = custody.offers_out().find(|(id, _)| *id == offer) else { return Ok(()) };
    let directory = desk.directory();
    // The nearest office above that has somebody in it, is not the one that asks, and was not asked the same already.
    let asked = |office: &OfficeId| {
        custody.offers_out().any(|(_, other)| {
            let lives = matches!(other.state, OfferOutState::Open | OfferOutState::Agreed);
            lives && other.to.office == *office && other.terms.need == made.terms.need
        })
    };
    let above =
        directory.ladder(&made.to.office).find(|above| above.staffed && above.id != office && !asked(&above.id));
    let above = above.map(|above| Party { node: above.node.clone(), office: above.id.clone() });
    let step = step_due(made, above.as_ref().map(|above| &above.office), now);
    match (step, above) {
        (Some(Step::Remind), _) => decide(desk, store, &office, case, vec![Command::Remind { offer }], now).await,
        (Some(Step::NotifyAbove), Some(above)) => {
            let commands = vec![Command::Remind { offer }, Command::NotifyAbove { offer, above }];
            decide(desk, store, &office, case, commands, now).await
        }
        (Some(Step::Escalate), Some(above)) => escalate(desk, store, &office, case, offer, made, above, now).await,
        (None | Some(Step::NotifyAbove | Step::Escalate), _) => Ok(()),
    }
}

#[expect(clippy::too_many_arguments, reason = "one step of one procedure, called from one place")]
async fn escalate(
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    offer: OfferId,
    made: &OfferOut,
    above: Party,
    now: Timestamp,
) -> anyhow::Result<()> {
    let permission = subject::permission(case, &above.office, made.terms.need, store.reader()).await?;
    let afresh: OfferId = mint();
    let dossier_digest = match &permission {
        None => None,
        Some(permission) => {
            let reader = Reader {
                staff: "escalation".parse()?,
                office: office.clone(),
                purpose: "nobody answered; the offer goes to the office above".to_owned(),
            };
            let handoff = Handoff { offer: afresh, case, from: office, to: &above.office, permission };
            let digest = dossiers::prepare(desk, &handoff, String::new(), &reader, now).await?;
            Some(Digest::from_bytes(digest))
        }
    };
    let terms = OfferTerms {
        answer_due_at: now.plus_hours(made.terms.urgency.answer_within_hours()),
        dossier_digest,
        consent: permission.map(|permission| permission.consent),
        instead_of: Some(offer),
        ..made.terms.clone()
    };
    tracing::info!(%offer, %afresh, to = %above, "nobody answered; the offer goes to the office above");
    let commands = vec![
        Command::Withdraw { offer, reason: WithdrawReason::Escalated },
        Command::Offer { offer: afresh, to: above, terms },
    ];
    decide(desk, store, office, case, commands, now).await
}

/// All of these or none.
async fn decide(
    desk: &Desk,
    store: &EventStore,
    office: &OfficeId,
    case: CaseId,
    commands: Vec<Command>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let context = Context { office: office.clone(), staff: None, now };
    let metadata = Metadata::of(&context);
    let Some(situation) = desk.situation(context) else { return Ok(()) };
    let id = stream(office, case);
    let decided = store.transact(move |transaction| {
        Box::pin(async move {
            for command in commands {
                transaction.decide::<CaseCustody>(&id, command, &situation, &metadata).await?;
            }
            Ok::<_, HandleError<spean_custody::case::Error>>(())
        })
    });
    match decided.await {
        Ok(()) => Ok(()),
        // An answer came in the same moment: whatever was committed first stands.
        Err(TransactError::Work(HandleError::Refused(error))) => {
            tracing::debug!(reason = %error, "the offer was answered meanwhile");
            Ok(())
        }
        Err(error) => Err(anyhow::anyhow!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spean_custody::case::{Position, Preview};
    use spean_vocabulary::{AgeBand, Need, OfferKind, Sex};

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
        };
        OfferOut {
            to: Party { node: "kandal".parse().unwrap(), office: "kandal-district".parse().unwrap() },
            position: Position::default(),
            terms,
            state: OfferOutState::Open,
            reminded: false,
            notified: BTreeSet::new(),
        }
    }

    #[test]
    fn silence_is_answered_by_a_reminder_then_a_word_above_then_an_offer_above() {
        let province: OfficeId = "kandal-province".parse().unwrap();
        let after = |hours| DUE.plus_hours(hours);
        let mut urgent = offer(Urgency::Urgent);
        assert_eq!(step_due(&urgent, Some(&province), after(-1)), None);
        assert_eq!(step_due(&urgent, Some(&province), after(0)), Some(Step::Remind));
        urgent.reminded = true;
        assert_eq!(step_due(&urgent, Some(&province), after(23)), None);
        assert_eq!(step_due(&urgent, Some(&province), after(24)), Some(Step::NotifyAbove));
        urgent.notified.insert(province.clone());
        assert_eq!(step_due(&urgent, Some(&province), after(47)), None);
        assert_eq!(step_due(&urgent, Some(&province), after(48)), Some(Step::Escalate));
    }

    #[test]
    fn a_node_that_was_dark_for_three_weeks_escalates_at_once() {
        let province = "kandal-province".parse().unwrap();
        let step = step_due(&offer(Urgency::Routine), Some(&province), DUE.plus_days(21));
        assert_eq!(step, Some(Step::Escalate));
    }

    #[test]
    fn at_the_top_of_the_ladder_there_is_only_the_reminder() {
        let mut emergency = offer(Urgency::Emergency);
        assert_eq!(step_due(&emergency, None, DUE.plus_days(1)), Some(Step::Remind));
        emergency.reminded = true;
        assert_eq!(step_due(&emergency, None, DUE.plus_days(1)), None);
    }

    #[test]
    fn an_answered_offer_is_left_alone() {
        let declined = OfferOut {
            state: OfferOutState::Withdrawn { reason: WithdrawReason::AnotherWayFound, repeated: false },
            ..offer(Urgency::Routine)
        };
        assert_eq!(step_due(&declined, None, DUE.plus_days(21)), None);
    }
}
