//! What a network has in it, and how much may happen there.

use spean_vocabulary::{Need, OfferKind};

use crate::network::{Place, Plan, Seat};
use crate::pieces::Without;

/// How much may happen in a model.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own that may happen or not")]
pub struct Scenario {
    /// A name without spaces.
    pub name: &'static str,
    /// The network.
    pub plan: Plan,
    /// The offices that make offers and are made them.
    pub offices: &'static [Seat],
    /// How many offers are made, those aside that a restored node makes afresh.
    pub offers: u8,
    /// What is offered.
    pub kinds: &'static [(OfferKind, Need)],
    /// The nodes that may come back from a backup.
    pub restorable: &'static [Place],
    /// How many restores there may be in all.
    pub restores: u8,
    /// Whether a node may be restored while another one is in quarantine.
    pub at_once: bool,
    /// How often the authority may propose an override.
    pub overrides: u8,
    /// Whom it may propose.
    pub heirs: &'static [Seat],
    /// Whether letters come before their turn and are parked, and whether a node in quarantine keeps what comes.
    pub early: bool,
    /// Whether receipts are lost one by one; otherwise they are lost with their letter only.
    pub lossy: bool,
    /// Whether answers to a restored node are lost or late.
    pub late_answers: bool,
    /// Whether letters that the peer has in a backup are thrown away.
    pub prunes: bool,
    /// Whether timers remind, and whom they tell.
    pub timers: Option<Seat>,
    /// The node that forges.
    pub hostile: Option<Place>,
    /// What is taken away.
    pub without: Without,
    /// At most so many states are looked at.
    pub most_states: u32,
}

const TRANSFER: &[(OfferKind, Need)] = &[(OfferKind::Transfer, Need::Shelter)];
const SERVICE: &[(OfferKind, Need)] = &[(OfferKind::Service, Need::Legal)];

/// Two nodes with an office each, and nobody else.
const PAIR: Plan = Plan { places: &[0, 1], registry: None, authority: 2, cosigner: 3 };
/// Three nodes with an office each, and no registry.
const TRIO: Plan = Plan { places: &[0, 1, 2], registry: None, authority: 3, cosigner: 4 };
/// Two offices, and the authority, which keeps the registry; the second office cosigns.
const STATE: Plan = Plan { places: &[0, 1, 2], registry: Some(2), authority: 2, cosigner: 1 };
/// Three offices, and the authority, which keeps the registry; the third office cosigns.
const COUNTRY: Plan = Plan { places: &[0, 1, 2, 3], registry: Some(3), authority: 3, cosigner: 2 };
/// Two offices of one node, and the registry at another.
const HOUSE: Plan = Plan { places: &[0, 0, 1], registry: Some(2), authority: 2, cosigner: 3 };
/// An office at one node, and two at another.
const SHARED: Plan = Plan { places: &[0, 1, 1], registry: None, authority: 3, cosigner: 4 };

impl Scenario {
    const BASE: Self = Self {
        name: "",
        plan: PAIR,
        offices: &[0, 1],
        offers: 1,
        kinds: TRANSFER,
        restorable: &[],
        restores: 0,
        at_once: false,
        overrides: 0,
        heirs: &[],
        early: false,
        lossy: false,
        late_answers: false,
        prunes: false,
        timers: None,
        hostile: None,
        without: Without::NOTHING,
        most_states: u32::MAX,
    };

    /// Two offices and one offer, with all that a network can do to it.
    pub const ONE_OFFER: Self = Self { name: "one-offer", early: true, lossy: true, timers: Some(1), ..Self::BASE };
    /// Two offices and two offers: back and forth, or a second try.
    pub const TWO_OFFERS: Self = Self { name: "two-offers", offers: 2, early: true, lossy: true, ..Self::BASE };
    /// Two offices and three offers.
    pub const THREE_OFFERS: Self = Self { name: "three-offers", offers: 3, ..Self::BASE };
    /// Three offices and two offers.
    pub const TRIANGLE: Self =
        Self { name: "triangle", plan: TRIO, offices: &[0, 1, 2], offers: 2, lossy: true, ..Self::BASE };
    /// A service that is asked for, beside an offer of the case.
    pub const SERVICE: Self = Self {
        name: "service",
        offers: 2,
        kinds: &[(OfferKind::Transfer, Need::Shelter), (OfferKind::Service, Need::Legal)],
        ..Self::BASE
    };
    /// Two offices of one node among three.
    pub const NEIGHBOURS: Self =
        Self { name: "neighbours", plan: SHARED, offices: &[0, 1, 2], offers: 2, ..Self::BASE };
    /// One offer, and any node comes back from any backup.
    pub const RESTORE: Self = Self {
        name: "restore",
        restorable: &[0, 1],
        restores: 1,
        early: true,
        lossy: true,
        late_answers: true,
        prunes: true,
        ..Self::BASE
    };
    /// One offer, and two restores, one after the other.
    pub const RESTORED_TWICE: Self =
        Self { name: "restored-twice", restorable: &[0, 1], restores: 2, late_answers: true, ..Self::BASE };
    /// One offer, and both nodes come back at once.
    pub const BOTH_RESTORED: Self = Self { name: "both-restored", at_once: true, ..Self::RESTORED_TWICE };
    /// Two offers, and any node comes back from any backup.
    pub const TWO_OFFERS_RESTORE: Self =
        Self { name: "two-offers-restore", offers: 2, restorable: &[0, 1], restores: 1, prunes: true, ..Self::BASE };
    /// Two offers, and both nodes come back at once.
    pub const TWO_OFFERS_BOTH_RESTORED: Self = Self {
        name: "two-offers-both-restored",
        restores: 2,
        at_once: true,
        prunes: false,
        ..Self::TWO_OFFERS_RESTORE
    };
    /// Two offices of one node among three, whose node comes back from any backup.
    pub const NEIGHBOURS_RESTORE: Self =
        Self { name: "neighbours-restore", restorable: &[1], restores: 1, ..Self::NEIGHBOURS };
    /// Two offices of one node and a registry elsewhere: the node comes back from any backup.
    pub const HOUSE_RESTORE: Self =
        Self { name: "house-restore", plan: HOUSE, offers: 2, restorable: &[0, 1], restores: 1, ..Self::BASE };
    /// A service, and any node comes back from any backup.
    pub const SERVICE_RESTORE: Self = Self { name: "service-restore", kinds: SERVICE, ..Self::TWO_OFFERS_RESTORE };
    /// Three offices, two offers, and any node comes back from any backup.
    pub const TRIANGLE_RESTORE: Self = Self {
        name: "triangle-restore",
        plan: TRIO,
        offices: &[0, 1, 2],
        offers: 2,
        restorable: &[0, 1, 2],
        restores: 1,
        ..Self::BASE
    };
    /// Two offices and a registry, one offer, and two of the three nodes come back at once.
    pub const TWO_OF_THREE_RESTORED: Self = Self {
        name: "two-of-three-restored",
        plan: STATE,
        restorable: &[0, 1, 2],
        restores: 2,
        at_once: true,
        ..Self::BASE
    };
    /// Three offices without a registry, two offers, and two of the nodes come back at once.
    pub const TRIANGLE_BOTH_RESTORED: Self =
        Self { name: "triangle-both-restored", restores: 2, at_once: true, ..Self::TRIANGLE_RESTORE };
    /// One offer, and an override at any time.
    pub const OVERRIDE: Self =
        Self { name: "override", plan: STATE, overrides: 1, heirs: &[0, 1, 2], lossy: true, ..Self::BASE };
    /// Two offers, and an override at any time.
    pub const TWO_OFFERS_OVERRIDE: Self =
        Self { name: "two-offers-override", offers: 2, lossy: false, ..Self::OVERRIDE };
    /// One offer, and two overrides.
    pub const TWO_OVERRIDES: Self = Self { name: "two-overrides", overrides: 2, lossy: false, ..Self::OVERRIDE };
    /// Three offices, one offer, and an override at any time.
    pub const COUNTRY_OVERRIDE: Self = Self {
        name: "country-override",
        plan: COUNTRY,
        offices: &[0, 1, 2],
        heirs: &[0, 1, 2, 3],
        lossy: false,
        ..Self::OVERRIDE
    };
    /// One offer, an override at any time, and any node comes back from any backup.
    pub const OVERRIDE_RESTORE: Self =
        Self { name: "override-restore", restorable: &[0, 1, 2], restores: 1, lossy: false, ..Self::OVERRIDE };
    /// Two offers, any node comes back from any backup, letters come before their turn, and receipts and answers are lost
    /// one by one.
    pub const TWO_OFFERS_RESTORE_FULL: Self = Self {
        name: "two-offers-restore-full",
        early: true,
        lossy: true,
        late_answers: true,
        ..Self::TWO_OFFERS_RESTORE
    };
    /// Two offers, and two restores, one after the other.
    pub const TWO_OFFERS_RESTORED_TWICE: Self =
        Self { name: "two-offers-restored-twice", at_once: false, ..Self::TWO_OFFERS_BOTH_RESTORED };
    /// Two offers, an override at any time, and any node comes back from any backup.
    pub const TWO_OFFERS_OVERRIDE_RESTORE: Self =
        Self { name: "two-offers-override-restore", offers: 2, ..Self::OVERRIDE_RESTORE };
    /// A node that forges a certificate over the heads of all.
    pub const FORGER: Self = Self { name: "forger", plan: TRIO, hostile: Some(2), ..Self::BASE };
}

/// The scenarios of the ordinary tests, each searched to its end.
pub fn ordinary() -> Vec<Scenario> {
    vec![
        Scenario::ONE_OFFER,
        Scenario::FORGER,
        Scenario::NEIGHBOURS,
        Scenario::TWO_OFFERS,
        Scenario::SERVICE,
        Scenario::TRIANGLE,
        Scenario::RESTORE,
        Scenario::OVERRIDE,
        Scenario::THREE_OFFERS,
        Scenario::TWO_OFFERS_RESTORE,
        Scenario::SERVICE_RESTORE,
        Scenario::NEIGHBOURS_RESTORE,
        Scenario::HOUSE_RESTORE,
        Scenario::RESTORED_TWICE,
        Scenario::BOTH_RESTORED,
        Scenario::TWO_OFFERS_OVERRIDE,
        Scenario::TWO_OVERRIDES,
        Scenario::COUNTRY_OVERRIDE,
        Scenario::TRIANGLE_RESTORE,
    ]
}

/// The scenarios that take minutes or hours.
pub fn long() -> Vec<Scenario> {
    vec![
        Scenario::OVERRIDE_RESTORE,
        Scenario::TWO_OFFERS_RESTORE_FULL,
        Scenario::TWO_OFFERS_OVERRIDE_RESTORE,
        Scenario::TWO_OFFERS_RESTORED_TWICE,
        Scenario::TWO_OFFERS_BOTH_RESTORED,
    ]
}

/// What is beyond the protocol: two nodes are restored at once and forget the same acceptance, while a third one knows
/// the certificate that came of it.
pub fn beyond() -> Vec<Scenario> {
    vec![Scenario::TWO_OF_THREE_RESTORED, Scenario::TRIANGLE_BOTH_RESTORED]
}
