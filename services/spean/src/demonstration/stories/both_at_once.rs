//! Both at once: the sender withdraws while the receiver accepts. One result, the same on both sides.

use std::time::Duration;

use anyhow::ensure;
use spean_contracts::referral::v1::{OfferKind, OfferState, WithdrawOfferRequest, WithdrawReason};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Sex, Urgency};
use spean_identity::Role;
use tonic::Status;

use super::invented;
use super::six_girls::until_state;
use crate::demonstration::agencies::{BANTEAY_MEANCHEY, TRANSIT_CENTRE};
use crate::demonstration::narrator::Narrator;
use crate::demonstration::staff::{Asking, Staff, new_id};
use crate::demonstration::stage::Stage;

const ASKING: Asking =
    Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Routine };
const ROUNDS: i32 = 8;

/// Plays the story. Returns the cases.
pub async fn both_at_once(stage: &Stage, narrator: &Narrator) -> anyhow::Result<Vec<String>> {
    narrator.chapter("Both at once: one withdraws while the other accepts");
    let sender = stage.staff("ptc-11", TRANSIT_CENTRE, &[Role::IntakeOfficer, Role::Caseworker]).await?;
    let receiver = stage.staff("bm-03", BANTEAY_MEANCHEY, &[Role::Caseworker]).await?;
    let mut cases = Vec::new();
    let mut moved = 0;
    for round in 0..ROUNDS {
        let case = new_id();
        sender.register(&case, invented(("វិបុល", "Vibol"), Sex::Male, 1980 + round, "01")).await?;
        sender.consent(&case, ConsentBasis::Person).await?;
        let offer = sender.offer(&case, BANTEAY_MEANCHEY, ASKING).await?;
        until_state(&receiver, narrator, &offer, OfferState::Offered).await?;
        // An acceptance has a way to go before the holder can record it; drawing the head start decides who wins.
        let [head_start] = spean_chassis::random();
        let head_start = Duration::from_millis(u64::from(head_start));
        let withdrawing = async {
            tokio::time::sleep(head_start).await;
            withdraw(&sender, &offer).await
        };
        let (accepted, withdrawn) = tokio::join!(receiver.accept(&offer), withdrawing);
        let outcome = narrator
            .until("both sides to agree", async || {
                let ends = (sender.state(&offer).await?, receiver.state(&offer).await?);
                Ok::<_, Status>(match ends {
                    (OfferState::Accepted, OfferState::Accepted) | (OfferState::Withdrawn, OfferState::Withdrawn) => {
                        Some(ends.0)
                    }
                    _ => None,
                })
            })
            .await?;
        let holders = (sender.holds(&case).await?, receiver.holds(&case).await?);
        if outcome == OfferState::Accepted {
            moved += 1;
            ensure!(holders == (false, true), "the case moved, but {holders:?} hold it");
            ensure!(accepted.is_ok(), "the case moved without an acceptance");
        } else {
            ensure!(holders == (true, false), "the case stayed, but {holders:?} hold it");
            ensure!(withdrawn.is_ok(), "the offer is withdrawn though the sender was refused");
        }
        cases.push(case);
    }
    narrator.kept(&format!(
        "{ROUNDS} times at once: {moved} cases moved, {} stayed, and both sides always agree",
        ROUNDS - moved
    ));
    Ok(cases)
}

async fn withdraw(sender: &Staff, offer: &str) -> Result<(), Status> {
    let request = WithdrawOfferRequest { offer_id: offer.to_owned(), reason: WithdrawReason::AnotherWayFound.into() };
    sender.referral().withdraw_offer(sender.ask(request)).await?;
    Ok(())
}
