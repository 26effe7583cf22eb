//! A run from the empty network to the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{bail, ensure};
use futures::future::join_all;
use spean::demonstration::compare;
use spean::demonstration::narrator::Narrator;
use spean::demonstration::staff::Staff;
use spean_checker::{Evidence, judge, on_their_way};
use spean_tests::{Canary, PATIENCE};
use tokio::time::{Instant, sleep};

use crate::clerk::Clerk;
use crate::draw::Draw;
use crate::fault::{self, Demand, Kind};
use crate::figures::Figures;
use crate::ground::{Databases, Ground, OFFICES};
use crate::ledger::{Ledger, Phase};
use crate::nemesis::Nemesis;
use crate::office::Office;

/// How long no case may move while staff work and nothing is broken.
const STALLED: Duration = PATIENCE;
/// How long it may take, when all faults are mended, until everything is answered and confirmed (L2): as long as any
/// test of a network waits for anything. How long it took stands in the figures.
const SETTLED_WITHIN: Duration = PATIENCE;
/// The longest pause between two faults.
const PAUSE: Duration = Duration::from_secs(4);
const GLANCE: Duration = Duration::from_millis(100);

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// By which faults and choices are drawn.
    pub seed: u64,
    /// How many cases must move.
    pub handoffs: usize,
    /// What strikes meanwhile.
    pub demand: Demand,
    /// Where the nodes keep what they know.
    pub databases: Databases,
    /// After how long nothing more strikes and no more cases need move, although not all of it has happened.
    pub within: Option<Duration>,
}

/// Plays it and judges what is left.
///
/// # Panics
/// When a promise is broken; the message says seed and folder, which stays.
pub async fn play(plan: Plan) -> Figures {
    let Plan { seed, databases, .. } = plan;
    let mut ground = match Ground::build(databases).await {
        Ok(ground) => ground,
        Err(error) => panic!("seed {seed} on {databases:?}: the network does not start: {error:#}"),
    };
    match through_everything(plan, &mut ground).await {
        Ok(figures) => figures,
        Err(error) => panic!("seed {seed} on {databases:?}, in {}: {error:#}", ground.folder().display()),
    }
}

async fn through_everything(plan: Plan, ground: &mut Ground) -> anyhow::Result<Figures> {
    let Plan { seed, databases, .. } = plan;
    let faults = fault::plan(plan.demand, databases, &mut Draw::new(seed, 0));
    let ledger = Rc::new(Ledger::new());
    let offices: Vec<(String, String)> =
        OFFICES.map(|office| (office.to_owned(), ground.network().node_of(office))).to_vec();
    let staff = (1..).zip(&offices).map(|(purpose, (office, _))| {
        let draw = Draw::new(seed, purpose);
        Office::new(ground.clerk(office), &offices, Rc::clone(&ledger), draw).work()
    });
    let staff: Vec<_> = staff.collect();
    let observers: Vec<Clerk> = offices.iter().map(|(office, _)| ground.clerk(office)).collect();
    let nemesis = Nemesis::new(Draw::new(seed, 100), Rc::clone(&ledger), clerks(&offices, ground));
    let began = Instant::now();
    let script = async {
        let outcome = script(plan, &faults, nemesis, &observers, &ledger, ground).await;
        ledger.enter(Phase::Over);
        outcome
    };
    let (_, times) = tokio::join!(join_all(staff), script);
    let Went { struck, worked_until, settled } = times?;
    let faults = &faults[..struck];
    let cases = ledger.cases();
    one_holder_each(&cases, &observers).await?;
    let surely: Vec<String> =
        cases.iter().filter(|(_, forgotten)| !**forgotten).map(|(case, _)| case.clone()).collect();
    compare(ground.network(), &Narrator::silent(), &surely).await?;
    let folder = ground.stop().await?;
    is_clean(&folder).await?;
    let sum = |of: fn(Kind) -> usize| faults.iter().map(|kind| of(*kind)).sum();
    Ok(Figures {
        seed,
        databases,
        handoffs: ledger.handoffs(),
        cases: cases.len(),
        otherwise: ledger.otherwise(),
        kills: sum(Kind::kills),
        restores: sum(Kind::restores),
        wipes: sum(Kind::wipes),
        faults: faults.len(),
        worked: worked_until - began,
        settled,
        recoveries: ledger.recoveries(),
    })
}

fn clerks(offices: &[(String, String)], ground: &Ground) -> Vec<Clerk> {
    offices.iter().map(|(office, _)| ground.clerk(office)).collect()
}

/// How the script of a run went.
struct Went {
    /// How many of the faults struck.
    struck: usize,
    worked_until: Instant,
    settled: Duration,
}

/// All faults, each after its share of the work; then the rest of the work, and the end of it.
async fn script(
    plan: Plan,
    faults: &[Kind],
    mut nemesis: Nemesis,
    observers: &[Clerk],
    ledger: &Ledger,
    ground: &mut Ground,
) -> anyhow::Result<Went> {
    let began = Instant::now();
    let time_is_over = || plan.within.is_some_and(|within| began.elapsed() >= within);
    let mut struck = 0;
    for (number, kind) in faults.iter().enumerate() {
        if time_is_over() {
            break;
        }
        let due = plan.handoffs * (number + 1) / (faults.len() + 1);
        let pause = Instant::now() + PAUSE;
        while ledger.handoffs() < due && Instant::now() < pause {
            sleep(GLANCE).await;
        }
        eprintln!("{:>6.1} s {:>5} handoffs: {kind}", began.elapsed().as_secs_f64(), ledger.handoffs());
        if let Err(error) = nemesis.strike(*kind, ground).await {
            bail!("fault {} of {}, {kind}: {error:#}", number + 1, faults.len());
        }
        struck += 1;
    }
    let (mut last, mut moved_at) = (ledger.handoffs(), Instant::now());
    while ledger.handoffs() < plan.handoffs && !time_is_over() {
        if ledger.handoffs() > last {
            (last, moved_at) = (ledger.handoffs(), Instant::now());
        }
        ensure!(moved_at.elapsed() < STALLED, "no case has moved for {STALLED:?}, and nothing is broken");
        sleep(GLANCE).await;
    }
    ledger.enter(Phase::Winding);
    let worked_until = Instant::now();
    loop {
        let mut missing = missing(ledger, observers).await;
        if missing.is_empty() {
            // A node says so of the service that it was asked; the others have letters as well.
            missing = on_their_way(ground.folder()).await?;
        }
        if missing.is_empty() {
            return Ok(Went { struck, worked_until, settled: worked_until.elapsed() });
        }
        ensure!(worked_until.elapsed() < SETTLED_WITHIN, "not settled after {SETTLED_WITHIN:?}: {missing:?}");
        sleep(GLANCE).await;
    }
}

/// What is not settled yet.
async fn missing(ledger: &Ledger, observers: &[Clerk]) -> Vec<String> {
    let waiting = ledger.under_way().into_iter().filter(|(_, things)| *things > 0);
    let mut missing: Vec<String> =
        waiting.map(|(office, things)| format!("{office} waits for {things} things")).collect();
    for clerk in observers {
        let Some(status) = clerk.status().await else {
            missing.push(format!("{} says nothing", clerk.node()));
            continue;
        };
        let unconfirmed: i64 = status.peers.iter().map(|peer| peer.unconfirmed).sum();
        if !status.broker_connected || !status.recovering_from.is_empty() || unconfirmed > 0 || status.dead_letters > 0
        {
            missing.push(format!(
                "{}: connected {}, recovering from {:?}, {unconfirmed} letters unconfirmed, {} dead",
                clerk.node(),
                status.broker_connected,
                status.recovering_from,
                status.dead_letters
            ));
        }
    }
    missing
}

/// Each case is held by one office; one that may have been forgotten, by one or none.
async fn one_holder_each(cases: &BTreeMap<String, bool>, observers: &[Clerk]) -> anyhow::Result<()> {
    let mut holders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for clerk in observers {
        let held = clerk.look(async |staff: Staff| staff.held().await).await;
        let Some(held) = held else { bail!("{} does not say what it holds", clerk.office()) };
        for case in held {
            holders.entry(case.case_id).or_default().insert(clerk.office());
        }
    }
    for (case, may_be_forgotten) in cases {
        let held_by = holders.get(case).cloned().unwrap_or_default();
        let right = held_by.len() == 1 || (*may_be_forgotten && held_by.is_empty());
        ensure!(right, "case {case} is held by {held_by:?}");
    }
    Ok(())
}

/// The verdict of somebody who shares nothing with the services.
async fn is_clean(folder: &Path) -> anyhow::Result<()> {
    let evidence = Evidence {
        folder: folder.to_owned(),
        journals: vec![folder.join("journal.jsonl")],
        canaries: Canary::ALL.map(str::to_owned).to_vec(),
        explained: BTreeSet::default(),
        but: BTreeSet::default(),
    };
    let report = judge(&evidence).await?;
    ensure!(report.is_clean(), "the checker found:\n{report}");
    Ok(())
}
