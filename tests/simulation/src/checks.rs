//! What must hold while things fail, and what must be true when all has healed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use spean_contracts::referral::v1::Worklist;
use spean_custody::case::{CaseCustody, Event};
use spean_eventstore::EventStore;
use spean_referral::audit::Audit;
use spean_vocabulary::Service;
use sqlx::Row as _;

use crate::network::{AUTHORITY, NODES, OFFICES};
use crate::node::PostRound;
use crate::staff::{Ask, Staff};
use crate::world::{HOUR, SECOND, World, said};

/// After so many rounds of everybody all must be settled.
const ROUNDS: usize = 120;
/// Rounds without any news after which some hours are let go by: whatever waits for its time has waited.
const QUIET: usize = 3;

impl World {
    /// Never two offices that hold a case in the same term, restored nodes that wait for their peers left aside.
    pub(crate) async fn nobody_is_held_twice(&self) -> anyhow::Result<()> {
        let mut holders: BTreeMap<(String, u32), Vec<&str>> = BTreeMap::new();
        for (office, node) in OFFICES {
            let node = &self.nodes[node];
            let Some(up) = node.up().filter(|_| !node.is_recovering()) else { continue };
            let index = OFFICES.iter().position(|(name, _)| *name == office).context("an office")?;
            for held in said(Staff::at(up, index).held().await)? {
                holders.entry((held.case_id, held.term)).or_default().push(office);
            }
        }
        match holders.into_iter().find(|(_, offices)| offices.len() > 1) {
            Some(((case, term), offices)) => bail!("one holder: {offices:?} hold case {case} in term {term}"),
            None => Ok(()),
        }
    }

    /// Nothing fails any more, everybody answers: all must be settled.
    pub(crate) async fn heal(&mut self) -> anyhow::Result<()> {
        self.broker.heal();
        for node in &mut self.nodes {
            node.start().await?;
        }
        self.set_clocks_right();
        self.tell("all is whole again");
        let mut quiet = 0;
        for round in 0..ROUNDS {
            let before: Vec<i64> = self.nodes.iter().map(crate::node::SimulatedNode::heads).collect();
            let moved = self.everybody_once(round % 10 == 0).await?;
            let answered = self.answer_all().await?;
            let unsettled = self.unsettled().await?;
            if unsettled.is_empty() && !answered {
                self.nobody_recovers();
                return Ok(());
            }
            let news = moved
                || answered
                || before != self.nodes.iter().map(crate::node::SimulatedNode::heads).collect::<Vec<_>>();
            quiet = if news { 0 } else { quiet + 1 };
            let passes = if quiet >= QUIET { HOUR } else { SECOND };
            self.nodes.iter().for_each(|node| node.move_clock(passes));
        }
        bail!("all is settled: {}", self.unsettled().await?.join("; "))
    }

    /// Every post office and every service does all its rounds, and all mail is brought. True when a letter moved.
    async fn everybody_once(&mut self, greet: bool) -> anyhow::Result<bool> {
        let mut moved = false;
        for node in 0..NODES.len() {
            for service in spean_chassis::every_service() {
                if greet {
                    self.nodes[node].post_round(service, PostRound::Greet).await?;
                }
                for round in [PostRound::Recover, PostRound::Local, PostRound::Free] {
                    self.nodes[node].post_round(service, round).await?;
                }
                moved |= self.nodes[node].post_round(service, PostRound::Send).await?;
                for round in [PostRound::Receipts, PostRound::Mark] {
                    self.nodes[node].post_round(service, round).await?;
                }
            }
            let rounds = self.nodes[node].up().context("all nodes are up")?.parts.rounds.clone();
            for round in rounds {
                round.once().await.with_context(|| round.name)?;
            }
        }
        self.broker.sort();
        for node in 0..NODES.len() {
            for _ in 0..self.broker.waiting(node) {
                let mail = self.broker.take(node, 0);
                if !self.nodes[node].receive(&mail).await? {
                    self.broker.put_back(node, mail);
                }
            }
        }
        self.broker.sort();
        Ok(moved)
    }

    /// Whoever is asked answers.
    async fn answer_all(&mut self) -> anyhow::Result<bool> {
        let mut answered = false;
        for (office, (_, node)) in OFFICES.into_iter().enumerate() {
            if self.nodes[node].is_recovering() {
                continue;
            }
            let up = self.nodes[node].up().context("all nodes are up")?;
            let open = said(Staff::at(up, office).worklist(Worklist::ToAnswer).await)?;
            for offer in open {
                let offer = offer.offer_id;
                let ask = if self.declines() { Ask::Decline { offer } } else { Ask::Accept { offer } };
                self.ask_at_last(office, ask).await?;
                answered = true;
            }
        }
        Ok(answered)
    }

    /// What is not settled yet, in words.
    async fn unsettled(&self) -> anyhow::Result<Vec<String>> {
        let mut unsettled = Vec::new();
        for node in &self.nodes {
            for (service, store, post) in &node.up().context("all nodes are up")?.parts.services {
                let name = format!("{} ({service})", node.name());
                if post.is_recovering() {
                    unsettled.push(format!("{name} waits for {:?}", post.awaited().await?));
                }
                for peer in post.peers().await?.into_iter().filter(|peer| peer.unconfirmed > 0) {
                    unsettled
                        .push(format!("{name} has {} letters that {} did not confirm", peer.unconfirmed, peer.peer));
                }
                let parked = number(store, "select count(*) from post_in where state in ('parked', 'waiting')").await?;
                if parked > 0 {
                    unsettled.push(format!("{name} has {parked} letters that it did not apply"));
                }
                if *service == Service::Referral {
                    let open = "select count(*) from offer where state in ('OFFERED', 'BOUND')";
                    let open = number(store, open).await?;
                    if open > 0 {
                        unsettled.push(format!("{name} has {open} offers without an end"));
                    }
                }
            }
        }
        Ok(unsettled)
    }

    /// All that must be true in the end.
    pub(crate) async fn all_is_well(&mut self) -> anyhow::Result<()> {
        self.nothing_is_dead().await?;
        self.nobody_is_held_twice().await?;
        self.everybody_has_one_holder().await?;
        self.both_sides_agree().await?;
        self.services_agree().await?;
        self.logs_are_sound().await
    }

    async fn nothing_is_dead(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            for (service, _, post) in &node.up().context("all nodes are up")?.parts.services {
                let dead: Vec<_> = post.dead_letters(10, 0).await?;
                let dead: Vec<_> = dead.iter().map(|letter| (letter.kind.as_str(), letter.reason.as_str())).collect();
                ensure!(dead.is_empty(), "nothing is refused: {} ({service}) has dead letters: {dead:?}", node.name());
            }
        }
        Ok(())
    }

    /// Every case that somebody was told is open is held by one office, and the registry knows by which. A case of which
    /// nobody knows whether it was opened is there or is not.
    async fn everybody_has_one_holder(&mut self) -> anyhow::Result<()> {
        for case in self.history.cases.clone() {
            let mut holders = Vec::new();
            let mut places: BTreeMap<(u32, u32), BTreeSet<String>> = BTreeMap::new();
            let mut believed = BTreeMap::new();
            for (office, (name, node)) in OFFICES.into_iter().enumerate() {
                let up = self.nodes[node].up().context("all nodes are up")?;
                let Some(custody) = said(Staff::at(up, office).custody(&case.id).await)? else { continue };
                if custody.held_here {
                    holders.push(name);
                }
                for certificate in &custody.chain {
                    places.entry((certificate.term, certificate.epoch)).or_default().insert(certificate.digest.clone());
                }
                believed.insert(office, custody.holder_office_id);
            }
            let name = self.history.name("case", &case.id);
            if let Some((place, digests)) = places.iter().find(|(_, digests)| digests.len() > 1) {
                bail!("one chain: {name} has {} certificates in place {place:?}", digests.len());
            }
            self.lived.handoffs += places.len().saturating_sub(1) as u64;
            let is_certain = !self.history.opening_may_be_lost(&case);
            match holders.as_slice() {
                [] if is_certain => bail!("one holder: nobody holds {name}"),
                [] => {}
                [holder] => {
                    let registry = believed.get(&AUTHORITY).map(String::as_str);
                    ensure!(
                        registry == Some(*holder),
                        "the registry knows: {holder} holds {name}, it says {registry:?}"
                    );
                    let index = OFFICES.iter().position(|(office, _)| office == holder).context("an office")?;
                    // Of a case that was opened after the backup its last holder has the certificate, and no file.
                    if index == case.office && is_certain {
                        let up = self.nodes[OFFICES[index].1].up().context("all nodes are up")?;
                        let has = said(Staff::at(up, index).has_case(&case.id).await)?;
                        ensure!(has, "whole or absent: {holder} holds {name} and its register has no file of it");
                    }
                }
                more => bail!("one holder: {more:?} hold {name}"),
            }
        }
        Ok(())
    }

    /// Both sides of each offer say the same of it, and what people were told of it is true.
    async fn both_sides_agree(&mut self) -> anyhow::Result<()> {
        let mut sides: BTreeMap<String, BTreeMap<String, (String, usize)>> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let store = node.store(Service::Referral).context("every node has a desk")?;
            let rows = sqlx::query("select offer_id, direction, state from offer").fetch_all(store.reader()).await?;
            for row in rows {
                let (offer, direction, state): (String, String, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                sides.entry(offer).or_default().insert(direction, (state, index));
            }
        }
        for (offer, sides) in &sides {
            let name = self.history.name("offer", offer);
            let of = |direction: &str| sides.get(direction).map(|(state, _)| state.as_str());
            let (out, inward) = (of("out"), of("in"));
            ensure!(
                agree(out, inward),
                "both sides agree: {name} is {out:?} where it came from, {inward:?} where it went"
            );
            let Some(said) = self.history.offers.get(offer).cloned() else { continue };
            let known = |told: Option<(usize, u64)>| {
                told.is_some_and(|(office, step)| !self.history.may_be_lost(OFFICES[office].1, step))
            };
            if known(said.withdrawn) {
                ensure!(out != Some("ACCEPTED"), "what was said is true: {name} was withdrawn, and is {out:?}");
            }
            if known(said.accepted) {
                let unanswered = matches!(inward, None | Some("OFFERED" | "DECLINED"));
                ensure!(!unanswered, "what was said is true: {name} was accepted, and is {inward:?}");
            }
            if known(said.declined) {
                ensure!(!matches!(inward, Some("ACCEPTED" | "BOUND")), "what was said is true: {name} was declined");
            }
        }
        for (offer, said) in self.history.offers.clone() {
            if let Some((office, step)) = said.offered
                && !self.history.may_be_lost(OFFICES[office].1, step)
            {
                let name = self.history.name("offer", &offer);
                ensure!(sides.contains_key(&offer), "what was said is true: {name} was made, and is nowhere");
            }
        }
        Ok(())
    }

    /// One intake for each offer; certificates that prove what they say; logs that were not changed.
    async fn logs_are_sound(&self) -> anyhow::Result<()> {
        for node in &self.nodes {
            let directory = &node.ground().directory;
            let mut audit = Audit::new(directory);
            let mut intakes: BTreeMap<(String, String), u32> = BTreeMap::new();
            for (service, store, _) in &node.up().context("all nodes are up")?.parts.services {
                store.verify().await.with_context(|| format!("the log of {service} at {}", node.name()))?;
                if *service != Service::Referral {
                    continue;
                }
                for event in store.events_after(0, i64::MAX).await? {
                    audit.take(&event);
                    if let Some(Ok(Event::TransferReceived { offer, .. } | Event::AgreementReceived { offer, .. })) =
                        event.event::<CaseCustody>()
                    {
                        *intakes.entry((event.id.clone(), offer.to_string())).or_default() += 1;
                    }
                }
            }
            let twice = intakes.values().filter(|times| **times > 1).count();
            ensure!(twice == 0, "one intake: {twice} offers were received twice at {}", node.name());
            let findings = audit.finish();
            ensure!(findings.flaws.is_empty(), "certificates are sound: {:?} at {}", findings.flaws, node.name());
        }
        Ok(())
    }
}

/// Whether the two sides of an offer may end like this: the holder decides, and whoever said no before they heard that it
/// was withdrawn has said no.
fn agree(out: Option<&str>, inward: Option<&str>) -> bool {
    let Some(inward) = inward else {
        // It ended before the other side heard of it.
        return matches!(out, Some("WITHDRAWN" | "VOIDED" | "ESCALATED"));
    };
    match out {
        Some("ACCEPTED" | "CONCLUDED") => matches!(inward, "ACCEPTED" | "CONCLUDED" | "VOIDED"),
        Some("DECLINED") => inward == "DECLINED",
        // Withdrawn, escalated, voided, or forgotten with a disk.
        _ => !matches!(inward, "ACCEPTED" | "CONCLUDED"),
    }
}

async fn number(store: &EventStore, query: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query(query).fetch_one(store.reader()).await?.try_get(0)?)
}
