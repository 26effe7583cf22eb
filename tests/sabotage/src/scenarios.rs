//! For each safety piece of the running program: what is taken away, and the fault that shows it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::json;
use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, MINISTRY, SHELTER, TRANSIT_CENTRE};
use spean_checker::Check;
use spean_custody::Party;

use crate::injury::{self, Lie};
use crate::stand::Stand;

/// Plays once: with the piece in its place, or without it.
type Play = for<'s> fn(&'s mut Stand, bool) -> Pin<Box<dyn Future<Output = ()> + 's>>;

/// One way to break a program.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What is taken away, in words.
    pub taken_away: &'static str,
    /// The checks that must notice, among others.
    pub by: &'static [Check],
    /// The nodes that are broken, or that the fault leaves in another environment.
    pub(crate) nodes: &'static [&'static str],
    pub(crate) play: Play,
}

/// Those of the ordinary tests: of each kind one.
pub const ORDINARY: [&str; 5] = ["one-commit", "inbox", "archive", "dossier-digest", "silence"];

const POIPET: &str = "poipet";
const NEAR: &str = "kandal";
const THIRD: &str = "banteay-meanchey";
const MOSVY: &str = "mosvy";

/// Long enough for a letter to get to a node that runs.
const A_WHILE: Duration = Duration::from_secs(2);

macro_rules! scenarios {
    ($($name:literal $play:ident [$($node:ident)*] [$($check:ident)*] $taken_away:literal;)*) => {
        /// All of them.
        pub const SCENARIOS: &[Scenario] = &[$(Scenario {
            name: $name,
            taken_away: $taken_away,
            by: &[$(Check::$check),*],
            nodes: &[$($node),*],
            play: |stand, broken| Box::pin($play(stand, broken)),
        }),*];
    };
}

scenarios! {
    "resending" resending [POIPET NEAR] [C3 C5] "resending until the receipt: the broker's word is taken for it";
    "one-commit" one_commit [POIPET] [C3] "one commit for an event and its letters";
    "receipt-after-commit" receipt_after_commit [POIPET NEAR] [C3 C5] "the receipt only after the commit, and resending what a greeting lacks";
    "holder-decides" holder_decides [POIPET NEAR] [C3] "the holder decides: a withdrawal is forgotten when an acceptance comes";
    "one-open-transfer" one_open_transfer [POIPET] [C3] "one open transfer";
    "inbox" inbox [POIPET NEAR] [C3] "the inbox, and the rules' knowledge of repetitions";
    "epochs" epochs [POIPET] [C2] "the fence of epochs: that the case was given away is forgotten";
    "order" order [POIPET NEAR] [C3] "the order of letters, the tombstone and the late answer";
    "archive" archive [POIPET NEAR] [C3] "letters kept after the receipt";
    "quarantine" quarantine [POIPET] [C2 C3] "quarantine after a restore";
    "incarnations" incarnations [POIPET NEAR] [C3] "the fence of incarnations";
    "return-of-said" return_of_said [POIPET NEAR MOSVY] [C1 C2 C3] "the return of what was said";
    "return-of-heard" return_of_heard [POIPET NEAR] [C3 C5] "the return of what was heard";
    "renumbering" renumbering [POIPET] [C5] "new numbers for what nobody got";
    "renewal" renewal [POIPET NEAR THIRD] [C3] "offers made afresh after a restore";
    "mutual-answers" mutual_answers [POIPET] [C5] "answers between services in quarantine";
    "forwarding" forwarding [POIPET] [C3] "passing an override on to those who were asked";
    "terms" terms [POIPET] [C2 C3] "the fence of terms: the override is forgotten, and passed on to nobody";
    "dossier-digest" dossier_digest [POIPET NEAR] [C4] "the digest of a dossier is compared";
    "signatures" signatures [POIPET THIRD] [C2] "signatures under certificates";
    "their-office" their_office [POIPET NEAR] [C3] "a letter about a case comes from the node of the office it speaks for";
    "silence" silence [POIPET] [C7] "the log says nothing of persons";
}

/// Points that are set only when the piece is to be missing.
fn only(broken: bool, points: &str) -> String {
    if broken { points.to_owned() } else { String::new() }
}

async fn a_while() {
    tokio::time::sleep(A_WHILE).await;
}

async fn resending(stand: &mut Stand, broken: bool) {
    stand.restart(&[(POIPET, only(broken, "sabotage::resending=return"))]).await;
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.network.cut_power(NEAR).expect("a node can be killed");
    stand.offer(TRANSIT_CENTRE, &case, KANDAL).await.1.expect("the holder may offer");
    a_while().await;
    the_broker_loses_everything(stand).await;
    stand.network.start(NEAR).await.expect("the node starts again");
}

async fn the_broker_loses_everything(stand: &mut Stand) {
    stand.network.hub().wipe().await.expect("the broker can lose everything");
    stand.network.hub().restart().await.expect("the broker starts again");
}

async fn one_commit(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let torn = only(broken, "sabotage::letters_with_their_event=return(offered)");
    stand.restart(&[(POIPET, torn)]).await;
    stand.offer(TRANSIT_CENTRE, &case, KANDAL).await.1.expect("the holder may offer");
    stand.restart(&[(POIPET, String::new())]).await;
}

async fn receipt_after_commit(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.clean_or_known().await;
    stand.restart(&[(POIPET, only(broken, "sabotage::resending=return"))]).await;
    let dies = format!("die:inbox::before_apply:1 {}", only(broken, "sabotage::receipt_after_commit=return"));
    stand.restart(&[(NEAR, dies)]).await;
    stand.offer(TRANSIT_CENTRE, &case, KANDAL).await.1.expect("the holder may offer");
    a_while().await;
    stand.network.cut_power(NEAR).expect("it is dead already");
    the_broker_loses_everything(stand).await;
    stand.set(NEAR, "");
    stand.network.start(NEAR).await.expect("the node starts again");
}

async fn holder_decides(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let held_back = (NEAR, "fault::held_back=return(accept)".to_owned());
    stand.restart(&[(POIPET, only(broken, "sabotage::memory=return(withdrawn)")), held_back]).await;
    let offer = stand.offered(TRANSIT_CENTRE, &case, KANDAL).await;
    stand.accept(KANDAL, &offer).await.expect("the addressee may accept");
    stand.withdraw(TRANSIT_CENTRE, &offer).await.expect("the holder may withdraw until it knows");
    stand.restart(&[(NEAR, String::new())]).await;
}

async fn one_open_transfer(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.restart(&[(POIPET, only(broken, "sabotage::memory=return(offered)"))]).await;
    stand.offered(TRANSIT_CENTRE, &case, KANDAL).await;
    let (_, second) = stand.offer(TRANSIT_CENTRE, &case, BANTEAY_MEANCHEY).await;
    assert_eq!(second.is_ok(), broken, "a second transfer: {second:?}");
}

async fn inbox(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let forgetful = only(broken, "sabotage::inbox=return sabotage::memory=return(offer_received)");
    stand.restart(&[(POIPET, "fault::doubled=return(offer)".to_owned()), (NEAR, forgetful)]).await;
    stand.offer(TRANSIT_CENTRE, &case, KANDAL).await.1.expect("the holder may offer");
    tokio::time::sleep(A_WHILE * 2).await;
    stand.restart(&[(POIPET, String::new())]).await;
}

async fn epochs(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.hand_over(TRANSIT_CENTRE, &case, KANDAL).await;
    // First it forgets both the offer and that the case is gone, so that it offers again.
    stand.restart(&[(POIPET, only(broken, "sabotage::memory=return(offered,transferred)"))]).await;
    let (offer, second) = stand.offer(TRANSIT_CENTRE, &case, BANTEAY_MEANCHEY).await;
    assert_eq!(second.is_ok(), broken, "an offer of a case that is gone: {second:?}");
    stand.restart(&[(POIPET, only(broken, "sabotage::memory=return(transferred)"))]).await;
    if broken {
        stand.sees(BANTEAY_MEANCHEY, &offer).await;
        stand.accept(BANTEAY_MEANCHEY, &offer).await.expect("the addressee knows no better");
    }
}

async fn order(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let near = only(broken, "sabotage::order=return sabotage::memory=return(withdrawal_received)");
    stand.restart(&[(POIPET, "fault::held_back=return(offer)".to_owned()), (NEAR, near)]).await;
    let (offer, outcome) = stand.offer(TRANSIT_CENTRE, &case, KANDAL).await;
    outcome.expect("the holder may offer");
    stand.withdraw(TRANSIT_CENTRE, &offer).await.expect("the holder may withdraw");
    a_while().await;
    let silent = only(broken, "sabotage::letters_with_their_event=return(withdrawal_repeated)");
    stand.restart(&[(POIPET, silent)]).await;
    if broken {
        stand.sees(KANDAL, &offer).await;
    }
    a_while().await;
    let accepted = stand.accept(KANDAL, &offer).await;
    assert_eq!(accepted.is_ok(), broken, "the acceptance of what was taken back: {accepted:?}");
}

async fn archive(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.restart(&[(POIPET, only(broken, "sabotage::archive=return"))]).await;
    kandal_forgets_an_offer(stand, &case).await;
}

async fn return_of_heard(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.restart(&[(POIPET, only(broken, "sabotage::return_of_what_was_heard=return"))]).await;
    kandal_forgets_an_offer(stand, &case).await;
}

/// It was confirmed, and the node that confirmed it is put back to before.
async fn kandal_forgets_an_offer(stand: &mut Stand, case: &str) {
    let copy = stand.copy(NEAR);
    stand.restart(&[(NEAR, String::new())]).await;
    stand.offered(TRANSIT_CENTRE, case, KANDAL).await;
    a_while().await;
    stand.put_back(NEAR, &copy, false, "").await;
}

async fn quarantine(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let offer = stand.offered(TRANSIT_CENTRE, &case, KANDAL).await;
    a_while().await;
    let copy = stand.copy(POIPET);
    stand.restart(&[(POIPET, String::new())]).await;
    stand.accept(KANDAL, &offer).await.expect("the addressee may accept");
    stand.holds(KANDAL, &case).await;
    a_while().await;
    stand.put_back(POIPET, &copy, false, &only(broken, "sabotage::quarantine=return")).await;
    let withdrawn = stand.withdraw(TRANSIT_CENTRE, &offer).await;
    assert_eq!(withdrawn.is_ok(), broken, "what was accepted is taken back: {withdrawn:?}");
}

async fn incarnations(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let copy = stand.copy(POIPET);
    stand.restart(&[(POIPET, String::new()), (NEAR, "fault::put_off=return(offer)".to_owned())]).await;
    let (_, outcome) = stand.offer(TRANSIT_CENTRE, &case, KANDAL).await;
    outcome.expect("the holder may offer");
    a_while().await;
    // Nobody got the offer: it never happened.
    stand.put_back(POIPET, &copy, true, "").await;
    stand.acts(TRANSIT_CENTRE).await;
    stand.restart(&[(NEAR, only(broken, "sabotage::incarnations=return"))]).await;
    tokio::time::sleep(A_WHILE * 3).await;
}

async fn return_of_said(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    a_while().await;
    let copy = stand.copy(POIPET);
    let silent = only(broken, "sabotage::return_of_what_was_said=return");
    stand.restart(&[(POIPET, String::new()), (NEAR, silent.clone()), (MOSVY, silent)]).await;
    stand.hand_over(TRANSIT_CENTRE, &case, KANDAL).await;
    a_while().await;
    stand.put_back(POIPET, &copy, false, "").await;
    stand.acts(TRANSIT_CENTRE).await;
}

async fn renumbering(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    stand.restart(&[(POIPET, "fault::held_back=return(offer)".to_owned())]).await;
    stand.offer(TRANSIT_CENTRE, &case, KANDAL).await.1.expect("the holder may offer");
    a_while().await;
    let copy = stand.copy(POIPET);
    stand.restart(&[(POIPET, "fault::held_back=return(offer)".to_owned())]).await;
    stand.case(TRANSIT_CENTRE).await;
    a_while().await;
    stand.put_back(POIPET, &copy, true, &only(broken, "sabotage::renumbering=return")).await;
    stand.acts(TRANSIT_CENTRE).await;
}

async fn renewal(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let first = stand.offered(TRANSIT_CENTRE, &case, KANDAL).await;
    a_while().await;
    let copy = stand.copy(POIPET);
    stand.restart(&[(POIPET, "fault::held_back=return(withdraw)".to_owned())]).await;
    stand.withdraw(TRANSIT_CENTRE, &first).await.expect("the holder may withdraw");
    stand.offered(TRANSIT_CENTRE, &case, BANTEAY_MEANCHEY).await;
    a_while().await;
    // Nobody got the withdrawal; the other offer is returned.
    stand.put_back(POIPET, &copy, true, &only(broken, "sabotage::renewal=return")).await;
    stand.acts(TRANSIT_CENTRE).await;
}

async fn mutual_answers(stand: &mut Stand, broken: bool) {
    let copy = stand.copy(POIPET);
    stand.restart(&[(POIPET, String::new())]).await;
    stand.case(TRANSIT_CENTRE).await;
    a_while().await;
    stand.put_back(POIPET, &copy, true, &only(broken, "sabotage::mutual_answers=return")).await;
}

/// An office above moves a case over its holder's head while somebody is asked to take it. Gives the offer.
async fn overridden_while_offered(stand: &mut Stand, points: &str) -> String {
    let case = stand.case(TRANSIT_CENTRE).await;
    let offer = stand.offered(TRANSIT_CENTRE, &case, KANDAL).await;
    a_while().await;
    stand.restart(&[(POIPET, points.to_owned())]).await;
    stand.override_to(SHELTER, &case).await;
    a_while().await;
    offer
}

async fn forwarding(stand: &mut Stand, broken: bool) {
    let silent = only(broken, "sabotage::letters_with_their_event=return(override_forwarded)");
    overridden_while_offered(stand, &silent).await;
}

async fn terms(stand: &mut Stand, broken: bool) {
    let forgetful = "sabotage::letters_with_their_event=return(override_forwarded) \
                     sabotage::memory=return(certificates_learned,offer_voided)";
    let offer = overridden_while_offered(stand, &only(broken, forgetful)).await;
    let accepted = stand.accept(KANDAL, &offer).await;
    assert_eq!(accepted.is_ok(), broken, "the acceptance of a void offer: {accepted:?}");
}

async fn dossier_digest(stand: &mut Stand, broken: bool) {
    let case = stand.case(TRANSIT_CENTRE).await;
    let careless = only(broken, "sabotage::dossier_digest=return");
    stand.restart(&[(POIPET, "fault::dossier=return".to_owned()), (NEAR, careless)]).await;
    stand.hand_over(TRANSIT_CENTRE, &case, KANDAL).await;
    stand.restart(&[(POIPET, String::new())]).await;
}

async fn silence(stand: &mut Stand, broken: bool) {
    stand.restart(&[(POIPET, only(broken, "sabotage::silence_of_the_log=return"))]).await;
    stand.case(TRANSIT_CENTRE).await;
}

/// A node tells another agency of an override that it made up, by which it takes that agency's case.
async fn signatures(stand: &mut Stand, broken: bool) {
    stand.explain("CERTIFICATE_NOT_GENUINE");
    let case = stand.case(BANTEAY_MEANCHEY).await;
    // So that the two have written to each other.
    let own = stand.case(TRANSIT_CENTRE).await;
    stand.offered(TRANSIT_CENTRE, &own, BANTEAY_MEANCHEY).await;
    a_while().await;
    stand.restart(&[(THIRD, only(broken, "sabotage::signatures=return"))]).await;
    let (thief, authority, cosigner) =
        (party(POIPET, TRANSIT_CENTRE), party(MOSVY, MINISTRY), party(THIRD, BANTEAY_MEANCHEY));
    let chain = injury::forged_override(&stand.network, THIRD, &case, &thief, [authority, cosigner]).await;
    let lie = Lie {
        node: POIPET,
        to: THIRD,
        message: json!({ "type": "override", "case": case, "chain": chain }),
        from_office: (TRANSIT_CENTRE, POIPET),
        to_office: BANTEAY_MEANCHEY,
        case: &case,
    };
    tell(stand, lie).await;
}

fn party(node: &str, office: &str) -> Party {
    Party { node: node.parse().expect("the id of a node"), office: office.parse().expect("the id of an office") }
}

/// Has a node tell a lie.
async fn tell(stand: &mut Stand, lie: Lie<'_>) {
    let node = lie.node;
    stand.network.cut_power(node).expect("a node can be killed");
    injury::post(&stand.network, lie).await;
    stand.set(node, "");
    stand.network.start(node).await.expect("the node starts again");
    a_while().await;
}

/// A node takes back, in the name of another agency, what that agency has offered.
async fn their_office(stand: &mut Stand, broken: bool) {
    stand.explain("NOT_THEIR_OFFICE");
    let own = stand.case(TRANSIT_CENTRE).await;
    stand.offered(TRANSIT_CENTRE, &own, KANDAL).await;
    let case = stand.case(BANTEAY_MEANCHEY).await;
    let offer = stand.offered(BANTEAY_MEANCHEY, &case, KANDAL).await;
    a_while().await;
    stand.restart(&[(NEAR, only(broken, "sabotage::their_office=return"))]).await;
    let lie = Lie {
        node: POIPET,
        to: NEAR,
        message: json!({ "type": "withdraw", "case": case, "offer": offer, "reason": "sent_by_mistake" }),
        from_office: (BANTEAY_MEANCHEY, THIRD),
        to_office: KANDAL,
        case: &case,
    };
    tell(stand, lie).await;
}
