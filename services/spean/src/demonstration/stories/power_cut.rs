//! The power cut: an office goes dark in the middle of an acceptance and comes back three weeks later. Either it had
//! accepted or it had not; both sides agree; and the clock ran meanwhile.

use std::time::Duration;

use anyhow::{bail, ensure};
use spean_contracts::referral::v1::{OfferKind, OfferState};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Sex, Urgency};
use spean_identity::Role;
use tonic::Status;

use super::invented;
use super::six_girls::until_state;
use crate::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, MINISTRY};
use crate::demonstration::narrator::{Narrator, place};
use crate::demonstration::staff::{Asking, new_id};
use crate::demonstration::stage::Stage;

const ASKING: Asking =
    Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Urgent };
/// Cases whose acceptance is under way when the power goes.
const CASES: u8 = 4;

/// Plays the story. Returns the cases.
pub async fn power_cut(stage: &mut Stage, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    narrator.chapter("The power cut: three weeks of darkness in Kandal");
    let sender = stage.staff("bm-03", BANTEAY_MEANCHEY, &[Role::Caseworker]).await?;
    let receiver = stage.staff("kd-02", KANDAL, &[Role::Caseworker]).await?;
    let mut offers = Vec::new();
    for number in 0..CASES {
        let case = new_id();
        let born = 1985 + i32::from(number);
        sender.register(&case, invented(("សុភា", "Sophea"), Sex::Female, born, "08")).await?;
        sender.consent(&case, ConsentBasis::Person).await?;
        let offer = sender.offer(&case, KANDAL, ASKING).await?;
        until_state(&receiver, narrator, &offer, OfferState::Offered).await?;
        offers.push((case, offer));
    }
    // The power goes while these are under way: at once, and a little later each.
    let answers: Vec<_> = offers
        .iter()
        .zip(0_u64..)
        .map(|((_, offer), number)| {
            let (receiver, offer) = (receiver.clone(), offer.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(number * 60)).await;
                receiver.accept(&offer).await
            })
        })
        .collect();
    let [random] = spean_chassis::random();
    tokio::time::sleep(Duration::from_millis(90 + u64::from(random) / 2)).await;
    stage.cut_power("kandal")?;
    narrator.tell(&format!("{}: four acceptances under way, and the power is gone (SIGKILL)", place("08")));
    let mut said_yes = Vec::new();
    for answer in answers {
        said_yes.push(answer.await?.is_ok());
    }
    stage.pass_time(21 * 24)?;
    narrator.tell("Three weeks pass. The sender's clock runs: reminders, a word to the ministry, escalation …");
    let sender = stage.staff("bm-03", BANTEAY_MEANCHEY, &[Role::Caseworker]).await?;
    for (_, offer) in &offers {
        narrator
            .until("every offer to be certified or escalated at the sender", async || {
                let stands = sender.state(offer).await?;
                Ok::<_, Status>(matches!(stands, OfferState::Accepted | OfferState::Escalated).then_some(()))
            })
            .await?;
    }
    stage.start("kandal").await?;
    narrator.tell("The lights in Kandal are on again. What was said meanwhile arrives, in order.");
    settle(stage, narrator, &offers, &said_yes).await?;
    Ok(offers.into_iter().map(|(case, _)| case).collect())
}

async fn settle(
    stage: &Stage,
    narrator: &Narrator,
    offers: &[(String, String)],
    said_yes: &[bool],
) -> anyhow::Result<()> {
    let sender = stage.staff("bm-03", BANTEAY_MEANCHEY, &[Role::Caseworker]).await?;
    let receiver = stage.staff("kd-02", KANDAL, &[Role::Caseworker]).await?;
    let ministry = stage.staff("mo-01", MINISTRY, &[Role::Caseworker, Role::Supervisor]).await?;
    let (mut certified, mut escalated, mut kept_word) = (0, 0, 0);
    for ((case, offer), said_yes) in offers.iter().zip(said_yes) {
        let ended = narrator
            .until("both sides to agree", async || {
                let ends = (sender.state(offer).await?, receiver.state(offer).await?);
                Ok::<_, Status>((ends.0 == ends.1).then_some(ends.0))
            })
            .await?;
        match ended {
            OfferState::Accepted => {
                certified += 1;
                kept_word += usize::from(*said_yes);
                ensure!(receiver.holds(case).await?, "the certificate is lost");
            }
            OfferState::Escalated => {
                escalated += 1;
                ensure!(!receiver.holds(case).await?, "two offices hold one case");
                // An acceptance that was committed but could not leave before the dark is answered with the
                // withdrawal: the office was bound, and is told at once that it no longer is.
                let waiting = narrator
                    .until("the offer on the ministry's desk", async || {
                        use spean_contracts::referral::v1::Worklist;
                        let waiting = ministry.worklist(Worklist::ToAnswer).await?;
                        Ok::<_, Status>(waiting.into_iter().find(|waiting| waiting.instead_of_offer_id == *offer))
                    })
                    .await?;
                ministry.accept(&waiting.offer_id).await?;
                super::six_girls::held_by(&ministry, narrator, case).await?;
            }
            other => bail!("both sides agree on {other:?}, which is no end of this story"),
        }
    }
    narrator.kept(&format!(
        "{certified} were certified ({kept_word} of them had been answered with yes before the dark), {escalated} went to \
         the ministry"
    ));
    narrator.kept("Both sides agree on each, and the clock ran all the while");
    Ok(())
}
