//! What people do at their desks, and what must be true of the network when they have done it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_checker::on_their_way;
use spean_contracts::referral::v1::{GetNodeStatusRequest, GetNodeStatusResponse, OfferKind, OfferReferralRequest};
use spean_contracts::vocabulary::v1::{Birth, ConsentBasis, Name, Need, Person, Sex, Urgency, birth};
use spean_identity::Role;
use spean_testkit::{a_person, eventually};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::desk::{Desk, PATIENCE};
use crate::network::Network;

/// How long the databases of all services are left alone between two looks at them.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A case on its way from one desk to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// The case.
    pub case: String,
    /// The offer.
    pub offer: String,
}

/// Words that may stand nowhere in the clear.
#[derive(Clone, Copy, Debug)]
pub struct Canary;

impl Canary {
    /// Family name of every invented person in Khmer script.
    pub const FAMILY_KHMER: &str = "គំរូ";
    /// The same in Latin letters.
    pub const FAMILY_LATIN: &str = "Kumru";
    /// Begins every narrative.
    pub const NARRATIVE: &str = "she was promised work beyond the border";
    /// Begins every narrative in Khmer.
    pub const NARRATIVE_KHMER: &str = "នាងត្រូវបានសន្យាថាមានការងារ";
    /// How every person may be reached.
    pub const CONTACT: &str = "only through the midwife of the village";
    /// Every person's telephone.
    pub const TELEPHONE: &str = "+855 99 000 417";
    /// Every address.
    pub const ADDRESS: &str = "third house behind the pagoda";
    /// What the referring office adds.
    pub const NOTE: &str = "the uncle must not learn where she is";

    /// All of them.
    pub const ALL: [&str; 8] = [
        Self::FAMILY_KHMER,
        Self::FAMILY_LATIN,
        Self::NARRATIVE,
        Self::NARRATIVE_KHMER,
        Self::CONTACT,
        Self::TELEPHONE,
        Self::ADDRESS,
        Self::NOTE,
    ];
}

/// A grown-up who does not exist; another one for each number.
pub fn invented(number: usize) -> Person {
    let invented = a_person(number);
    let name = |full: &str| {
        let (family, given) = full.split_once(' ').expect("family name and given name");
        Some(Name { family: family.to_owned(), given: given.to_owned() })
    };
    let year = 1960 + i32::try_from(number % 40).expect("a small number");
    Person {
        khmer_name: name(invented.name_km),
        latin_name: name(invented.name_latin),
        sex: Sex::Female.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(year)) }),
        nationality: "KH".to_owned(),
        languages: vec!["km".to_owned()],
        home_place: "0802".to_owned(),
        address: Canary::ADDRESS.to_owned(),
        telephone: Canary::TELEPHONE.to_owned(),
        safe_contact: Canary::CONTACT.to_owned(),
        narrative: format!("{} {}", Canary::NARRATIVE, Canary::NARRATIVE_KHMER),
        ..Person::default()
    }
}

/// Opens a case for an invented person who agrees that all of it may be passed on.
///
/// # Panics
/// When it is refused.
pub async fn open_case(desk: &Desk, number: usize) -> String {
    let case = new_id();
    desk.ask("registering", async |staff| staff.register(&case, invented(number)).await.map(drop)).await;
    desk.ask("consent", async |staff| staff.consent(&case, ConsentBasis::Person).await).await;
    case
}

impl Desk {
    /// Offers a case that this office holds; the answer is the offer.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn offer(&self, case: &str, to: &str) -> String {
        let offer_id = new_id();
        let request = OfferReferralRequest {
            offer_id: offer_id.clone(),
            case_id: case.to_owned(),
            to_office_id: to.to_owned(),
            kind: OfferKind::Transfer.into(),
            need: Need::ReintegrationFollowUp.into(),
            urgency: Urgency::Urgent.into(),
            note: Canary::NOTE.to_owned(),
            ..OfferReferralRequest::default()
        };
        self.until("offering", async |staff: Staff| {
            match staff.referral().offer_referral(staff.ask(request.clone())).await {
                Ok(_) => Ok(Some(())),
                // What the register was told is on its way to the desk.
                Err(status) if status.code() == Code::NotFound || reason(&status) == "CONSENT_MISSING" => Ok(None),
                Err(status) => Err(status),
            }
        })
        .await;
        offer_id
    }

    /// Says yes as soon as the offer is here.
    ///
    /// # Panics
    /// When it is refused, or does not come.
    pub async fn accept(&self, offer: &str) {
        self.until("the offer", async |staff: Staff| present(staff.accept(offer).await)).await;
    }

    /// Waits until this office holds a case.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn held(&self, case: &str) {
        self.until("the certificate", async |staff: Staff| Ok(staff.holds(case).await?.then_some(()))).await;
    }
}

/// Opens a case at one desk and hands it over to another, whatever happens to the nodes and the broker meanwhile.
///
/// # Panics
/// When any step is refused for good, or waits too long.
pub async fn hand_over(from: &Desk, to: &Desk, number: usize) -> Handoff {
    let case = open_case(from, number).await;
    let offer = from.offer(&case, to.office()).await;
    to.accept(&offer).await;
    to.held(&case).await;
    Handoff { case, offer }
}

/// The offices that say that they hold a case.
pub async fn holders(network: &Network, case: &str) -> BTreeSet<String> {
    holders_of_all(network).await.remove(case).unwrap_or_default()
}

/// Checks that exactly this office holds each of these cases, by what all offices say.
///
/// # Panics
/// When another does, or none.
pub async fn one_holder(network: &Network, office: &str, cases: &[&str]) {
    let holders = holders_of_all(network).await;
    for case in cases {
        assert_eq!(holders.get(*case), Some(&BTreeSet::from([office.to_owned()])), "the holders of case {case}");
    }
}

async fn holders_of_all(network: &Network) -> BTreeMap<String, BTreeSet<String>> {
    let mut holders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for office in network.staffed_offices() {
        for held in network.desk(&office).ask("the cases held", async |staff: Staff| staff.held().await).await {
            holders.entry(held.case_id).or_default().insert(office.clone());
        }
    }
    holders
}

/// How a node says it is.
pub async fn status(desk: &Desk) -> GetNodeStatusResponse {
    desk.ask("the status", async |staff: Staff| {
        Ok(staff.referral().get_node_status(staff.ask(GetNodeStatusRequest {})).await?.into_inner())
    })
    .await
}

/// How the node of an office says it is.
pub async fn status_of(network: &Network, office: &str) -> GetNodeStatusResponse {
    status(&network.desk_as(office, &[Role::Administrator])).await
}

/// Waits until everything that was said has arrived: no service of any node waits for a receipt, no letter for a person.
///
/// # Panics
/// When it does not come to that.
pub async fn settled(network: &Network) {
    for office in network.staffed_offices() {
        let desk = network.desk_as(&office, &[Role::Administrator]);
        let what = format!("all letters of {office}'s node to be confirmed");
        eventually(PATIENCE, &what, async || {
            let status = status(&desk).await;
            status.broker_connected
                && status.recovering_from.is_empty()
                && status.peers.iter().all(|peer| peer.unconfirmed == 0)
        })
        .await;
    }
    // A node says this of its desk for referrals alone.
    let since = Instant::now();
    loop {
        let on_their_way = on_their_way(network.folder()).await.expect("the databases can be read");
        if on_their_way.is_empty() {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "after {PATIENCE:?} there are still {on_their_way:#?}");
        sleep(BETWEEN_LOOKS).await;
    }
    for office in network.staffed_offices() {
        let dead_letters = status_of(network, &office).await.dead_letters;
        assert_eq!(dead_letters, 0, "letters wait for a person at the node of {office}");
    }
}

/// Nothing, when it is not here yet.
fn present<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}
