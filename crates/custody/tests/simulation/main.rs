//! Random histories of one case: staff and timers act at any moment, the network and the machines fail, and whatever
//! happens there must be one holder at most, and in the end exactly one, with both sides of every offer agreed.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use spean_custody::Party;
use spean_custody::case::{
    CaseCustody, Command, Event, OfferInState, OfferOutState, OfferTerms, Position, Preview, ServiceOutcome,
};
use spean_vocabulary::{
    AgeBand, DeclineReason, LegalBasis, Need, OfferId, OfferKind, Sex, Timestamp, Urgency, WithdrawReason,
};

use world::{NODES, Sabotage, World, case, node_of, offices};

/// What may go wrong in a history.
#[derive(Clone, Copy, Debug)]
struct Profile {
    restores: bool,
    overrides: bool,
    sabotage: Sabotage,
}

const SOUND: Profile = Profile { restores: false, overrides: false, sabotage: Sabotage::Nothing };
const STEPS: usize = 400;

/// Plays a history; gives what went wrong, or how many faults it survived.
fn play(seed: u64, profile: Profile) -> Result<usize, String> {
    let mut world = World::new(seed, profile.sabotage);
    let mut highest = BTreeMap::new();
    let everybody = offices();
    world.ask(&everybody[0], Command::Open { case: case() });
    for step in 0..STEPS {
        let restored = one_step(&mut world, profile);
        if let Some(node) = restored {
            highest.retain(|office: &Party, _| node_of(office) != node);
        }
        check(&world, &mut highest).map_err(|broken| format!("seed {seed}, step {step}: {broken}"))?;
    }
    heal(&mut world);
    check(&world, &mut highest).map_err(|broken| format!("seed {seed}, healing: {broken}"))?;
    settled(&world).map_err(|broken| format!("seed {seed}, healed: {broken}"))?;
    Ok(world.faults)
}

fn one_step(world: &mut World, profile: Profile) -> Option<usize> {
    let node = world.dice.below(NODES);
    let many = world.network.len();
    match world.dice.below(1000) {
        0..450 if many > 0 => {
            let which = world.dice.below(many);
            let packet = world.network.swap_remove(which);
            world.deliver(packet);
        }
        450..530 if many > 0 => {
            let which = world.dice.below(many);
            let packet = world.network[which].clone();
            world.faults += 1;
            world.deliver(packet);
        }
        530..580 if many > 0 => {
            let which = world.dice.below(many);
            world.network.swap_remove(which);
            world.faults += 1;
        }
        580..584 => {
            world.network.clear();
            world.faults += 1;
        }
        584..700 => world.pump(node),
        700..740 => world.carry_local(node),
        740..760 => world.backup(node),
        760..768 if profile.restores => {
            world.restore(node);
            return Some(node);
        }
        768..780 if profile.overrides => {
            let everybody = offices();
            let new_holder = world.dice.pick(&everybody).expect("four of them");
            world.ask(
                &everybody[3],
                Command::ProposeOverride { new_holder, basis: LegalBasis::HolderUnreachable, chain: vec![] },
            );
        }
        780.. => somebody_acts(world),
        _ => {}
    }
    None
}

fn somebody_acts(world: &mut World) {
    let everybody = offices();
    let me = world.dice.pick(&everybody).expect("four of them");
    let view = world.view(&me);
    let made: Vec<OfferId> = view.offers_out().map(|(offer, _)| offer).collect();
    let was_made: Vec<OfferId> = view.offers_in().map(|(offer, _)| offer).collect();
    match world.dice.below(9) {
        0 | 1 => {
            let offer = world.fresh_offer();
            let to = world.dice.pick(&everybody).expect("four of them");
            let terms = terms(world);
            world.ask(&me, Command::Offer { offer, to, terms });
        }
        2 => {
            if let Some(offer) = world.dice.pick(&made) {
                let reasons = [WithdrawReason::Escalated, WithdrawReason::ConsentWithdrawn];
                let reason = world.dice.pick(&reasons).expect("two");
                world.ask(&me, Command::Withdraw { offer, reason });
            }
        }
        3 => {
            if let Some(offer) = world.dice.pick(&made) {
                let number = u32::from(world.dice.one_in(3)) + 1;
                world.ask(&me, Command::Remind { offer, number });
                world.ask(&me, Command::NotifyAbove { offer, above: everybody[3].clone() });
            }
        }
        4 | 5 => {
            if let Some(offer) = world.dice.pick(&was_made) {
                world.ask(&me, Command::Accept { offer });
            }
        }
        6 => {
            if let Some(offer) = world.dice.pick(&was_made) {
                if world.dice.one_in(4) {
                    let successor = world.dice.pick(&everybody).expect("four of them").office;
                    world.ask(&me, Command::Redirect { offer, successor });
                }
                world.ask(&me, Command::Decline { offer, reason: DeclineReason::NoCapacity });
            }
        }
        7 => {
            if let Some(offer) = world.dice.pick(&was_made) {
                world.ask(&me, Command::Conclude { offer, outcome: ServiceOutcome::Completed });
            }
        }
        _ => answer_override(world, &me),
    }
}

fn answer_override(world: &mut World, me: &Party) {
    if let Some(request) = world.view(me).request() {
        world.ask(me, Command::ConsentToOverride { proposal: request.digest() });
        world.ask(me, Command::CosignOverride { proposal: request.digest() });
    }
}

fn terms(world: &mut World) -> OfferTerms {
    let kinds = [OfferKind::Transfer, OfferKind::Transfer, OfferKind::Service];
    OfferTerms {
        kind: world.dice.pick(&kinds).expect("three"),
        need: world.dice.pick(&[Need::Shelter, Need::Legal]).expect("two"),
        urgency: Urgency::Urgent,
        answer_due_at: Timestamp::from_micros(0),
        case_number: None,
        preview: Preview { sex: Sex::Unknown, age_band: AgeBand::Adolescent, language: Some("km".to_owned()) },
        dossier_digest: None,
        consent: None,
        instead_of: None,
        meant_for: None,
        redirected_because: None,
    }
}

/// No more faults and no more offers; everybody answers what lies on the table.
fn heal(world: &mut World) {
    for _ in 0..300 {
        for me in offices() {
            answer_override(world, &me);
            let unanswered: Vec<_> = world.view(&me).unanswered_offers().map(|(offer, _)| offer).collect();
            for offer in unanswered {
                if world.dice.one_in(2) {
                    world.ask(&me, Command::Accept { offer });
                }
                world.ask(&me, Command::Decline { offer, reason: DeclineReason::NotSafe });
            }
        }
        for node in 0..NODES {
            while !world.nodes[node].durable.local.is_empty() && !world.nodes[node].recovery.is_recovering() {
                world.carry_local(node);
            }
            world.pump(node);
        }
        for _ in 0..2 {
            let mut packets = std::mem::take(&mut world.network);
            while !packets.is_empty() {
                let which = world.dice.below(packets.len());
                world.deliver(packets.swap_remove(which));
            }
        }
        if world.is_quiet() && settled(world).is_ok() {
            return;
        }
    }
}

/// What must hold at every moment.
fn check(world: &World, highest: &mut BTreeMap<Party, Position>) -> Result<(), String> {
    let everybody = offices();
    let views: Vec<(Party, CaseCustody)> =
        everybody.iter().map(|office| (office.clone(), world.view(office))).collect();
    let mut holders = BTreeMap::new();
    let mut certificates = BTreeMap::new();
    for (office, view) in &views {
        let acts = !world.is_recovering(office);
        if acts && view.holds() {
            let term = view.position().term;
            if let Some(other) = holders.insert(term, office) {
                return Err(format!("I1: {other} and {office} both hold the case in term {term}"));
            }
        }
        let open = view.open_offers().filter(|(_, offer)| offer.terms.kind == OfferKind::Transfer).count();
        if acts && open > 1 {
            return Err(format!("I5: {office} has {open} transfers open"));
        }
        for signed in view.certificates() {
            let certificate = &signed.certificate;
            let known = certificates.entry(certificate.position()).or_insert_with(|| certificate.clone());
            if known != certificate {
                return Err(format!("I6: two certificates at {:?}", certificate.position()));
            }
        }
        let before = highest.entry(office.clone()).or_default();
        if view.position() < *before {
            return Err(format!("I8: the position at {office} went down"));
        }
        *before = view.position();
        for (offer, incoming) in view.offers_in() {
            let made = views.iter().find(|(party, _)| party.is_same_office(&incoming.from));
            let outgoing = made.and_then(|(_, view)| view.offers_out().find(|(id, _)| *id == offer));
            let contradiction = outgoing.is_some_and(|(_, outgoing)| contradict(outgoing.state, incoming.state));
            if contradiction && !world.is_recovering(&incoming.from) && acts {
                return Err(format!("I4: {offer} is {outgoing:?} there and {incoming:?} here"));
            }
        }
    }
    for (node, one) in world.nodes.iter().enumerate() {
        let mut taken = BTreeSet::new();
        for (office, event) in &one.durable.log {
            if let Event::OfferReceived { offer, .. } = event
                && !taken.insert((office, *offer))
            {
                return Err(format!("I3: two intakes for {offer} at node {node}"));
            }
        }
    }
    match world.dead_letters().first() {
        Some(reason) => Err(format!("I7: an impossible letter: {reason}")),
        None => Ok(()),
    }
}

fn contradict(there: OfferOutState, here: OfferInState) -> bool {
    match there {
        OfferOutState::Transferred => {
            !matches!(here, OfferInState::Accepted | OfferInState::Transferred | OfferInState::Voided)
        }
        OfferOutState::Agreed | OfferOutState::Concluded(_) => {
            matches!(here, OfferInState::Received | OfferInState::Declined(_) | OfferInState::Transferred)
        }
        OfferOutState::Declined(_) => !matches!(here, OfferInState::Declined(_)),
        OfferOutState::Withdrawn { .. } | OfferOutState::Open | OfferOutState::Voided => {
            here == OfferInState::Transferred
        }
    }
}

/// What must hold when all faults are healed and all letters have arrived.
fn settled(world: &World) -> Result<(), String> {
    if !world.is_quiet() {
        return Err("L1: letters are still waiting".to_owned());
    }
    let everybody = offices();
    if everybody.iter().all(|office| world.view(office).newest().is_none()) {
        // The first holder was restored to before the case, and nobody had heard of it: it never happened.
        return Ok(());
    }
    let holders: Vec<_> = everybody.iter().filter(|office| world.view(office).holds()).collect();
    let &[holder] = holders.as_slice() else { return Err(format!("I2: the holders are {holders:?}")) };
    let position = world.view(holder).position();
    if world.view(&everybody[3]).position() != position {
        return Err(format!("I6: the registry does not know the certificate of {holder}"));
    }
    for office in &everybody {
        let view = world.view(office);
        for (offer, incoming) in view.offers_in() {
            let there = world.view(&incoming.from);
            let outgoing = there.offers_out().find(|(id, _)| *id == offer).map(|(_, outgoing)| outgoing.state);
            let outgoing = outgoing.ok_or_else(|| format!("I4: {} forgot {offer}", incoming.from))?;
            let agrees = matches!(outgoing, OfferOutState::Agreed | OfferOutState::Concluded(_));
            let waits = outgoing == OfferOutState::Open
                || agrees && matches!(incoming.state, OfferInState::Voided | OfferInState::Withdrawn(_))
                || matches!(incoming.state, OfferInState::Received | OfferInState::Accepted);
            if waits || contradict(outgoing, incoming.state) {
                return Err(format!("L1: {offer} is {outgoing:?} there and {:?} at {office}", incoming.state));
            }
        }
        if let Some((offer, outgoing)) = view.open_offers().next() {
            return Err(format!("L1: {offer} from {office} to {} is still open", outgoing.to));
        }
    }
    Ok(())
}

/// Plays 120 histories, or as many as `SPEAN_SEEDS` says.
fn play_all(profile: Profile) {
    let seeds = std::env::var("SPEAN_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(120);
    let mut faults = 0;
    for seed in 1..=seeds {
        faults += play(seed, profile).unwrap_or_else(|broken| panic!("{profile:?}: {broken}"));
    }
    assert!(faults > 0, "the histories had no faults");
}

/// How many of thirty histories show that something is broken.
fn caught(profile: Profile) -> usize {
    let caught = (1..=30).filter(|&seed| play(seed, profile).is_err()).count();
    println!("{:?}: {caught} of 30 histories", profile.sabotage);
    caught
}

#[test]
fn one_holder_through_losses_repetitions_crashes_and_wipes() {
    play_all(SOUND);
}

#[test]
fn one_holder_through_restores_from_old_backups() {
    play_all(Profile { restores: true, ..SOUND });
}

#[test]
fn one_holder_through_overrides() {
    play_all(Profile { overrides: true, ..SOUND });
}

#[test]
fn one_holder_through_restores_and_overrides_together() {
    play_all(Profile { restores: true, overrides: true, ..SOUND });
}

#[test]
fn sending_once_and_never_again_is_caught() {
    assert!(caught(Profile { sabotage: Sabotage::FireAndForget, ..SOUND }) > 5);
}

#[test]
fn committing_events_and_letters_separately_is_caught() {
    assert!(caught(Profile { sabotage: Sabotage::TwoCommits, ..SOUND }) > 5);
}

#[test]
fn a_receipt_before_the_commit_is_caught() {
    assert!(caught(Profile { sabotage: Sabotage::EarlyReceipt, ..SOUND }) > 5);
}

#[test]
fn throwing_letters_away_at_the_receipt_is_caught() {
    assert!(caught(Profile { sabotage: Sabotage::PruneAtReceipt, restores: true, ..SOUND }) > 2);
}

#[test]
fn a_restore_without_quarantine_is_caught() {
    assert!(caught(Profile { sabotage: Sabotage::NoQuarantine, restores: true, ..SOUND }) > 2);
}
