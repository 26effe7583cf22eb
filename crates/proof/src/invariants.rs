//! What must hold, by the names that the design gives it.
//!
//! | name | in words | where it is asked |
//! |---|---|---|
//! | I1 | never two offices that hold the case in the same term, restored nodes in quarantine left aside | [`broken_between`] |
//! | I2 | never nobody: somebody holds it, or the certificate waits to be sent and its addressee is bound; as long as nothing was restored or overridden | [`nobody`] |
//! | I3 | one intake for each offer | [`crate::node::Node::alarms`] |
//! | I4 | both sides of an offer agree on how it ended | [`broken_between`] |
//! | I5 | one open transfer for each case | [`broken_at`] |
//! | I6 | one place in the history names one office | [`broken_between`] |
//! | I7 | no letter that cannot be true is ever met | [`crate::node::Node::alarms`] |
//! | I8 | the highest certificate that an office knows never goes down, but by a restore | [`crate::node::Node::alarms`] |
//! | I9 | what an office knows follows from its stored events alone | [`crate::simulation`], at the end of each history |
//! | L1 | from every state all can still be settled, by resending and answering alone | [`Verdict`](crate::model::Verdict), [`unsettled_at`], [`unsettled_between`] |

use std::fmt;

use spean_custody::Party;
use spean_custody::case::{CaseCustody, OfferInState, OfferOut, OfferOutState};
use spean_vocabulary::{OfferId, OfferKind};

use crate::network::offer_name;

/// The name of what must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Never two holders.
    I1,
    /// Never nobody.
    I2,
    /// One intake for each offer.
    I3,
    /// Both sides agree.
    I4,
    /// One open transfer.
    I5,
    /// One place, one office.
    I6,
    /// Nothing impossible is met.
    I7,
    /// Places never go down.
    I8,
    /// Events give the state.
    I9,
    /// All can be settled.
    L1,
}

/// What does not hold, in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broken {
    /// What should hold.
    pub invariant: Invariant,
    /// What is there instead.
    pub words: String,
}

impl Broken {
    pub(crate) fn new(invariant: Invariant, words: impl Into<String>) -> Self {
        Self { invariant, words: words.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.invariant, self.words)
    }
}

/// One office as an onlooker sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'s> {
    /// The office.
    pub party: &'s Party,
    /// What it knows.
    pub view: &'s CaseCustody,
    /// Whether its node is in quarantine: it may believe anything and decides nothing.
    pub recovering: bool,
}

/// What is wrong at one office.
pub fn broken_at(sight: Sight<'_>) -> Option<Broken> {
    let open = sight.view.open_offers().filter(|(_, offer)| offer.terms.kind == OfferKind::Transfer).count();
    let broken = open > 1 && !sight.recovering;
    broken.then(|| Broken::new(Invariant::I5, format!("{} has {open} transfers open", sight.party.office)))
}

/// What is wrong between two offices.
pub fn broken_between(one: Sight<'_>, other: Sight<'_>) -> Option<Broken> {
    let act = !one.recovering && !other.recovering;
    if act && one.view.holds() && other.view.holds() && one.view.position().term == other.view.position().term {
        let words = format!("{} and {} both hold the case", one.party.office, other.party.office);
        return Some(Broken::new(Invariant::I1, words));
    }
    for signed in one.view.certificates() {
        let place = signed.certificate.position();
        let theirs = other.view.certificates().find(|other| other.certificate.position() == place);
        if theirs.is_some_and(|theirs| theirs.certificate != signed.certificate) {
            let words =
                format!("{} and {} know different certificates at {place:?}", one.party.office, other.party.office);
            return Some(Broken::new(Invariant::I6, words));
        }
    }
    let disagreement = || {
        let mut both = made(one, other).chain(made(other, one));
        both.find(|(_, there, here)| {
            there.is_some_and(|there| contradict(there.state, *here) && !waits_for_neighbour(one, other, there.state))
        })
    };
    let (offer, there, here) = act.then(disagreement)??;
    let words = format!("{} is {:?} at its holder and {here:?} at its addressee", offer_name(offer), there?.state);
    Some(Broken::new(Invariant::I4, words))
}

/// What the addressee knows of the offers that the maker made to it, and what the maker knows of them.
fn made<'s>(
    maker: Sight<'s>,
    addressee: Sight<'s>,
) -> impl Iterator<Item = (OfferId, Option<&'s OfferOut>, OfferInState)> {
    let from_maker = addressee.view.offers_in().filter(move |(_, incoming)| incoming.from.is_same_office(maker.party));
    from_maker.map(move |(offer, incoming)| {
        let made = maker.view.offers_out().find(|(made, _)| *made == offer);
        (offer, made.map(|(_, made)| made), incoming.state)
    })
}

/// Two offices of one node were restored together, and the certificate that others returned is still in the queue between
/// them. It settles whatever was said meanwhile, and must: see [`unsettled_between`].
fn waits_for_neighbour(one: Sight<'_>, other: Sight<'_>, there: OfferOutState) -> bool {
    one.party.node == other.party.node && there == OfferOutState::Transferred
}

/// Whether two states of an offer can never be brought together, whatever is still on its way.
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

/// What keeps one office from being settled.
pub fn unsettled_at(sight: Sight<'_>) -> Option<Broken> {
    if let Some((offer, made)) = sight.view.open_offers().next() {
        let words = format!("{} from {} to {} is still open", offer_name(offer), sight.party.office, made.to.office);
        return Some(Broken::new(Invariant::L1, words));
    }
    let waits = |state| matches!(state, OfferInState::Received | OfferInState::Accepted);
    let (offer, incoming) = sight.view.offers_in().find(|(_, incoming)| waits(incoming.state))?;
    let words = format!("{} is still {:?} at {}", offer_name(offer), incoming.state, sight.party.office);
    Some(Broken::new(Invariant::L1, words))
}

/// What keeps two offices from being settled.
pub fn unsettled_between(one: Sight<'_>, other: Sight<'_>) -> Option<Broken> {
    let differ = |there: Option<OfferOutState>, here| match there {
        None => true,
        Some(there @ (OfferOutState::Agreed | OfferOutState::Concluded(_))) => {
            matches!(here, OfferInState::Voided | OfferInState::Withdrawn(_)) || contradict(there, here)
        }
        Some(there) => contradict(there, here),
    };
    let mut both = made(one, other).chain(made(other, one));
    let (offer, there, here) = both.find(|(_, there, here)| differ(there.map(|there| there.state), *here))?;
    let there = there.map(|there| there.state);
    Some(Broken::new(
        Invariant::L1,
        format!("{} is {there:?} at its holder and {here:?} at its addressee", offer_name(offer)),
    ))
}

/// Who should know who holds the case, and does not.
pub fn unsettled_custody(sights: &[Sight<'_>], registry: Option<&Party>) -> Option<Broken> {
    let l1 = |words: String| Some(Broken::new(Invariant::L1, words));
    if sights.iter().all(|sight| sight.view.newest().is_none()) {
        // The first holder was restored to before the case, and nobody had heard of it: it never happened.
        return None;
    }
    let holders: Vec<&Sight<'_>> = sights.iter().filter(|sight| sight.view.holds()).collect();
    let &[holder] = holders.as_slice() else {
        let names: Vec<&str> = holders.iter().map(|sight| sight.party.office.as_str()).collect();
        return l1(format!("the holders are {names:?}"));
    };
    let told = |sight: &&Sight<'_>| registry.is_some_and(|registry| sight.party.is_same_office(registry));
    let behind = sights.iter().find(told).is_some_and(|sight| sight.view.position() != holder.view.position());
    if behind { l1(format!("the registry does not know that {} holds the case", holder.party.office)) } else { None }
}

/// Whether nobody is responsible: no holder, and no acceptance whose certificate is still to be sent. `is_posted` says
/// whether a letter with a certificate waits to be sent from one office to another.
pub fn nobody(sights: &[Sight<'_>], is_posted: impl Fn(&Party, &Party) -> bool) -> Option<Broken> {
    if sights.iter().any(|sight| sight.view.holds()) {
        return None;
    }
    let newest =
        sights.iter().filter_map(|sight| sight.view.newest()).max_by_key(|signed| signed.certificate.position());
    let certificate = &newest?.certificate;
    let heir = sights.iter().find(|sight| sight.party.is_same_office(&certificate.holder));
    let bound = heir.is_some_and(|heir| {
        heir.view
            .offers_in()
            .any(|(offer, incoming)| Some(offer) == certificate.offer && incoming.state == OfferInState::Accepted)
    });
    let posted = is_posted(&certificate.issued_by, &certificate.holder);
    (!bound || !posted).then(|| Broken::new(Invariant::I2, "nobody holds the case and no certificate is to be sent"))
}
