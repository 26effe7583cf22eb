//! Who takes part: nodes, the offices at them, and the two that may override.

use spean_custody::Party;
use spean_custody::case::{Command, Mandate, OfferTerms, Preview, Signer, Situation};
use spean_custody::{Digest, recovery::Recovery};
use spean_eventsourcing::Context;
use spean_vocabulary::{AgeBand, CaseId, Need, NodeId, OfferId, OfferKind, OfficeId, Sex, Timestamp, Urgency};

use crate::pieces::Without;

/// The number of a node.
pub type Place = u8;
/// The number of an office, in the network.
pub type Seat = u8;

const NODES: [&str; 4] = ["north", "south", "capital", "coast"];
const OFFICES: [&str; 5] = ["poipet", "kandal", "takeo", "ministry", "kampot"];

/// A network of offices that handle one case, and the surroundings of the protocol as far as they are left in place.
#[derive(Debug)]
pub struct Network {
    offices: Vec<(Party, Place)>,
    nodes: Vec<NodeId>,
    situations: Vec<Situation>,
    registry: Option<Seat>,
    authority: Seat,
    /// The safety pieces that are taken away.
    pub without: Without,
    /// Whether every event is kept, to be told and to be replayed.
    pub keeps_log: bool,
    /// The node whose letters may be forged.
    pub hostile: Option<Place>,
}

/// Which node each office is at, and who has which part.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The node of each office, in the order of the offices.
    pub places: &'static [Place],
    /// The office that is told of every certificate.
    pub registry: Option<Seat>,
    /// The office that may override; it need not be at any node when nobody overrides.
    pub authority: Seat,
    /// The office whose signature an override needs as well.
    pub cosigner: Seat,
}

impl Network {
    /// A network after a plan.
    pub fn new(plan: &Plan, without: Without) -> Self {
        let party = |seat: usize, place: Place| Party {
            node: NODES[usize::from(place)].parse().expect("a sound id"),
            office: OFFICES[seat].parse().expect("a sound id"),
        };
        let offices: Vec<(Party, Place)> =
            plan.places.iter().enumerate().map(|(seat, &place)| (party(seat, place), place)).collect();
        let count = plan.places.iter().max().map_or(0, |&place| usize::from(place) + 1);
        let nodes = NODES[..count].iter().map(|node| node.parse().expect("a sound id")).collect();
        // Offices that nobody is at only lend their names.
        let named = |seat: Seat| {
            let elsewhere = || party(usize::from(seat), 3);
            offices.get(usize::from(seat)).map_or_else(elsewhere, |(party, _)| party.clone())
        };
        let (registry, authority, cosigner) = (plan.registry.map(named), named(plan.authority), named(plan.cosigner));
        let situation = |me: &Party| {
            let node = me.node.clone();
            Situation {
                context: Context {
                    office: me.office.clone(),
                    staff: Some("s-1".parse().expect("a sound id")),
                    now: Timestamp::from_micros(0),
                },
                me: me.clone(),
                registry: registry.clone(),
                authority: authority.clone(),
                cosigner: cosigner.clone(),
                signer: Signer::new(move |bytes| seal(&node, bytes)),
            }
        };
        let situations = offices.iter().map(|(me, _)| situation(me)).collect();
        let keeps_log = without.needs_log();
        Self {
            offices,
            nodes,
            situations,
            registry: plan.registry,
            authority: plan.authority,
            without,
            keeps_log,
            hostile: None,
        }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> Place {
        Place::try_from(self.nodes.len()).expect("a handful")
    }

    /// Every node but this one.
    pub fn peers(&self, me: Place) -> impl Iterator<Item = Place> {
        (0..self.nodes()).filter(move |&peer| peer != me)
    }

    /// All offices.
    pub fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        0..Seat::try_from(self.offices.len()).expect("a handful")
    }

    /// The offices at a node.
    pub fn seats_at(&self, place: Place) -> impl Iterator<Item = Seat> {
        self.seats().filter(move |&seat| self.place(seat) == place)
    }

    /// An office with its node.
    pub fn party(&self, seat: Seat) -> &Party {
        &self.offices[usize::from(seat)].0
    }

    /// The node of an office.
    pub fn place(&self, seat: Seat) -> Place {
        self.offices[usize::from(seat)].1
    }

    /// Which office this is; none when it is only named.
    pub fn known(&self, office: &OfficeId) -> Option<Seat> {
        self.seats().find(|&seat| self.party(seat).office == *office)
    }

    /// Which office this is.
    pub fn seat_of(&self, office: &OfficeId) -> Seat {
        self.known(office).expect("letters go to offices of the network only")
    }

    /// The id of a node.
    pub fn node(&self, place: Place) -> &NodeId {
        &self.nodes[usize::from(place)]
    }

    /// The office that is told of every certificate.
    pub const fn registry(&self) -> Option<Seat> {
        self.registry
    }

    /// The office that may override.
    pub const fn authority(&self) -> Seat {
        self.authority
    }

    /// The circumstances of a decision.
    pub fn situation(&self, seat: Seat, now: i64) -> Situation {
        let mut situation = self.situations[usize::from(seat)].clone();
        situation.context.now = Timestamp::from_micros(now);
        situation
    }

    /// Who may override.
    pub fn mandate(&self) -> Mandate<'_> {
        self.situations[0].mandate()
    }

    /// A node as it starts, and what it waits for when it was restored.
    pub fn recovery(&self, me: Place, incarnation: u64) -> Recovery {
        if incarnation == 1 || self.without.lacks(crate::pieces::Piece::Quarantine) {
            Recovery::normal(incarnation)
        } else {
            Recovery::restored(incarnation, self.peers(me).map(|peer| self.node(peer).clone()).collect())
        }
    }
}

/// The case that all is about.
pub fn case() -> CaseId {
    "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d".parse().expect("a sound id")
}

/// The offer of this number.
pub fn offer_id(number: u32) -> OfferId {
    format!("{number:08x}-0000-4000-8000-000000000000").parse().expect("a sound id")
}

/// The id under which a node makes an offer afresh. Like a random one it is never used twice, since a node has each
/// incarnation once.
pub fn afresh(offer: OfferId, incarnation: u64) -> OfferId {
    let text = offer.to_string();
    format!("{}-{incarnation:04x}{}", &text[..8], &text[13..]).parse().expect("a sound id")
}

/// An offer's id as people say it: its number, with a stroke for each time that it was made afresh.
pub fn offer_name(offer: OfferId) -> String {
    let text = offer.to_string();
    let number = u32::from_str_radix(&text[..8], 16).unwrap_or_default();
    match u32::from_str_radix(&text[9..13], 16).unwrap_or_default() {
        0 => format!("offer {number}"),
        incarnation => format!("offer {number} as renewed in incarnation {incarnation}"),
    }
}

/// What a node's key makes of some bytes. Nobody in the model forges by computing it for another node.
pub fn seal(node: &NodeId, bytes: &[u8]) -> Vec<u8> {
    Digest::of(&[node.as_str().as_bytes(), bytes].concat()).as_bytes().to_vec()
}

/// What is offered.
pub fn terms(kind: OfferKind, need: Need) -> OfferTerms {
    OfferTerms {
        kind,
        need,
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

/// The command that begins the case.
pub fn opening() -> Command {
    Command::Open { case: case() }
}
