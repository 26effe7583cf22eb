//! What the staff of all offices have done so far, and what the faults want to know of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Kind;
use crate::figures::Recoveries;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Cases are opened, offered and answered.
    Working,
    /// Nothing new is begun; what is under way is answered.
    Winding,
    /// The staff go home.
    Over,
}

/// A fault that is mended, and whose node has not handed over or taken over any case since.
struct Mended {
    kind: Kind,
    /// Any of these nodes; any node at all when there is none.
    nodes: Vec<String>,
    at: Instant,
}

/// What all tasks of one run share. They run on one thread, so nothing here is held across a wait.
pub(crate) struct Ledger {
    phase: Cell<Phase>,
    /// The offers that ended in a certificate at their receiver.
    handed_over: RefCell<BTreeSet<String>>,
    /// The cases that were opened: the node and the moment.
    opened: RefCell<BTreeMap<String, (String, i64)>>,
    declined: Cell<usize>,
    withdrawn: Cell<usize>,
    given_up: Cell<usize>,
    /// What each office still waits for, as of its last look.
    under_way: RefCell<BTreeMap<String, usize>>,
    /// Nodes whose offices offer nothing to each other for the moment.
    apart: RefCell<BTreeSet<String>>,
    mended: RefCell<Vec<Mended>>,
    recoveries: RefCell<Recoveries>,
    /// Which nodes have forgotten what they did from when to when.
    put_back: RefCell<Vec<(String, i64, i64)>>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            phase: Cell::new(Phase::Working),
            handed_over: RefCell::default(),
            opened: RefCell::default(),
            declined: Cell::new(0),
            withdrawn: Cell::new(0),
            given_up: Cell::new(0),
            under_way: RefCell::default(),
            apart: RefCell::default(),
            mended: RefCell::default(),
            recoveries: RefCell::default(),
            put_back: RefCell::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// How many cases have moved.
    pub(crate) fn handoffs(&self) -> usize {
        self.handed_over.borrow().len()
    }

    /// A case has moved by this offer, between these nodes. The same offer counts once.
    pub(crate) fn handed_over(&self, offer: &str, from: &str, to: &str) {
        if !self.handed_over.borrow_mut().insert(offer.to_owned()) {
            return;
        }
        let now = Instant::now();
        let mut recoveries = self.recoveries.borrow_mut();
        self.mended.borrow_mut().retain(|mended| {
            let concerns = mended.nodes.is_empty() || mended.nodes.iter().any(|node| node == from || node == to);
            if concerns {
                recoveries.add(mended.kind, now - mended.at);
            }
            !concerns
        });
    }

    /// A fault is mended: the next handoff of one of these nodes shows that it is over.
    pub(crate) fn mended(&self, kind: Kind, nodes: Vec<String>) {
        self.mended.borrow_mut().push(Mended { kind, nodes, at: Instant::now() });
    }

    /// A fault that is over when something else than a handoff shows it.
    pub(crate) fn recovered(&self, kind: Kind, took: Duration) {
        self.recoveries.borrow_mut().add(kind, took);
    }

    /// What came of all faults.
    pub(crate) fn recoveries(&self) -> Recoveries {
        self.recoveries.borrow().clone()
    }

    pub(crate) fn opened(&self, case: &str, node: &str, at: i64) {
        self.opened.borrow_mut().insert(case.to_owned(), (node.to_owned(), at));
    }

    /// A node forgets what it did between these moments, but for what others know of it.
    pub(crate) fn put_back(&self, node: &str, since: i64, at: i64) {
        self.put_back.borrow_mut().push((node.to_owned(), since, at));
    }

    /// All cases whose opening was answered with yes, and whether that may have been forgotten since.
    pub(crate) fn cases(&self) -> BTreeMap<String, bool> {
        let put_back = self.put_back.borrow();
        let forgotten = |node: &str, at: i64| {
            put_back.iter().any(|(of, since, until)| of == node && (*since..=*until).contains(&at))
        };
        let opened = self.opened.borrow();
        opened.iter().map(|(case, (node, at))| (case.clone(), forgotten(node, *at))).collect()
    }

    pub(crate) fn declined(&self) {
        self.declined.set(self.declined.get() + 1);
    }

    pub(crate) fn withdrawn(&self) {
        self.withdrawn.set(self.withdrawn.get() + 1);
    }

    pub(crate) fn gave_up(&self) {
        self.given_up.set(self.given_up.get() + 1);
    }

    /// Declined, withdrawn, and given up because nothing was known of the case any more.
    pub(crate) fn otherwise(&self) -> (usize, usize, usize) {
        (self.declined.get(), self.withdrawn.get(), self.given_up.get())
    }

    /// What an office waits for.
    pub(crate) fn waits_for(&self, office: &str, things: usize) {
        self.under_way.borrow_mut().insert(office.to_owned(), things);
    }

    /// What all offices wait for, by office.
    pub(crate) fn under_way(&self) -> BTreeMap<String, usize> {
        self.under_way.borrow().clone()
    }

    /// The offices of these nodes offer each other nothing until told otherwise.
    pub(crate) fn keep_apart(&self, nodes: &[String]) {
        *self.apart.borrow_mut() = nodes.iter().cloned().collect();
    }

    /// Whether the offices of two nodes may offer each other cases.
    pub(crate) fn may_offer(&self, from: &str, to: &str) -> bool {
        let apart = self.apart.borrow();
        from == to || !(apart.contains(from) && apart.contains(to))
    }
}
