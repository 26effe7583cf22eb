//! A network that is broken on purpose, people who write down what they ask for, and the checker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use spean::demonstration::agencies::{BANTEAY_MEANCHEY, MINISTRY};
use spean::demonstration::staff::{Staff, new_id};
use spean_checker::journal::{Intent, Journal, Line, Outcome};
use spean_checker::{Evidence, Finding, judge};
use spean_contracts::referral::v1::{
    ConsentToOverrideRequest, CosignOverrideRequest, LegalBasis, ListOverrideProposalsRequest, OfferKind,
    OfferReferralRequest, OfferState, ProposeOverrideRequest, WithdrawOfferRequest, WithdrawReason,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Urgency};
use spean_identity::Role;
use spean_testkit::eventually;
use spean_tests::{Canary, Desk, Network, PATIENCE, copy_folder, invented, network, status};
use tokio::time::Instant;
use tonic::{Code, Status};

/// How long a whole network may take until everything is settled.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);
/// How long a broken one is given at least, before what is wrong then counts as wrong for good.
const LEAST_WAIT: Duration = Duration::from_secs(5);
/// The pause between two judgements.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The network, the journal, and what is known to be wrong from what was broken before.
pub(crate) struct Stand {
    pub(crate) network: Network,
    pub(crate) journal: Journal,
    journal_file: PathBuf,
    known: BTreeSet<Finding>,
    explained: BTreeSet<String>,
    next_person: usize,
    started: Instant,
}

impl Stand {
    pub(crate) async fn new() -> Self {
        let network = network().await;
        // Beside the network's folder, in which planted words are looked for.
        let journal_file = network.folder().with_file_name("journal.jsonl");
        let journal = Journal::open(&journal_file).expect("the folder is ours");
        let (known, explained) = (BTreeSet::new(), BTreeSet::new());
        Self { network, journal, journal_file, known, explained, next_person: 0, started: Instant::now() }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).expect("a short run")
    }

    /// A letter may lie dead for this reason: the fault itself wrote it.
    pub(crate) fn explain(&mut self, reason: &str) {
        self.explained.insert(reason.to_owned());
    }

    /// Kills nodes and starts them again with these points.
    pub(crate) async fn restart(&mut self, nodes: &[(&str, String)]) {
        for (node, points) in nodes {
            self.network.cut_power(node).expect("a node can be killed");
            self.set(node, points);
        }
        for (node, _) in nodes {
            self.network.start(node).await.expect("the node starts again");
        }
    }

    /// What a node lacks from its next start on.
    pub(crate) fn set(&mut self, node: &str, points: &str) {
        let mut environment = BTreeMap::new();
        for point in points.split(' ').filter(|point| !point.is_empty()) {
            if let Some(place) = point.strip_prefix("die:") {
                environment.insert("SPEAN_DIE_AT".to_owned(), place.to_owned());
            } else {
                let all: &mut String = environment.entry("FAILPOINTS".to_owned()).or_default();
                all.push_str(point);
                all.push(';');
            }
        }
        self.network.set_environment(node, environment).expect("a node of this network");
    }

    /// Everything that the checker finds now and that was not wrong before.
    pub(crate) async fn findings(&self) -> BTreeSet<Finding> {
        let evidence = Evidence {
            folder: self.network.folder().to_owned(),
            journals: vec![self.journal_file.clone()],
            canaries: Canary::ALL.map(str::to_owned).to_vec(),
            explained: self.explained.clone(),
            ..Evidence::default()
        };
        let report = judge(&evidence).await.expect("the evidence can be read");
        report.findings.into_iter().filter(|finding| !self.known.contains(finding)).collect()
    }

    /// Waits until the checker finds nothing. Gives how long that took.
    pub(crate) async fn clean(&self, scenario: &str) -> Duration {
        let begun = Instant::now();
        loop {
            let findings = self.findings().await;
            if findings.is_empty() {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < SETTLED_WITHIN, "{scenario}, with every piece in its place: {findings:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until a node that was put back decides again.
    pub(crate) async fn acts(&self, office: &str) {
        let desk = self.desk_as(office, &[Role::Administrator]);
        eventually(PATIENCE, "the node to act again", async || {
            let status = status(&desk).await;
            status.recovering_from.is_empty()
        })
        .await;
    }

    /// Waits until nothing is on its way.
    pub(crate) async fn clean_or_known(&self) {
        self.clean("before the fault").await;
    }

    /// What is wrong for good in a broken network: what is still so after twice the time that a whole one took.
    pub(crate) async fn caught(&self, whole_took: Duration) -> BTreeSet<Finding> {
        tokio::time::sleep(LEAST_WAIT.max(whole_took * 2)).await;
        self.findings().await
    }

    /// All nodes are whole again. What is wrong by now stays so and is known.
    pub(crate) async fn mend(&mut self, nodes: &[&str]) {
        let whole: Vec<_> = nodes.iter().map(|node| (*node, String::new())).collect();
        self.restart(&whole).await;
        let mut before = self.findings().await;
        for _ in 0..20 {
            tokio::time::sleep(LOOK_EVERY * 4).await;
            let now = self.findings().await;
            if now == before {
                break;
            }
            before = now;
        }
        self.known.extend(before);
    }

    /// A copy of all that a node keeps, but for its keys and the mark that shows a restore. The node is killed for it.
    pub(crate) fn copy(&mut self, node: &str) -> (PathBuf, i64) {
        let at = self.now();
        self.network.cut_power(node).expect("a node can be killed");
        let copy = self.network.folder().with_file_name(format!("copy-of-{node}"));
        copy_folder(&self.network.data(node), &copy);
        (copy, at)
    }

    /// Puts a copy back, and starts the node with these points.
    pub(crate) async fn put_back(&mut self, node: &str, (copy, since): &(PathBuf, i64), may_lose: bool, points: &str) {
        self.network.cut_power(node).expect("a node can be killed");
        copy_folder(copy, &self.network.data(node));
        let line = Line::Restored { at: self.now(), since: *since, node: node.to_owned(), may_lose };
        self.journal.write(&line).expect("the journal can be written");
        self.restart(&[(node, points.to_owned())]).await;
    }

    pub(crate) fn desk(&self, office: &str) -> Desk {
        self.network.desk(office)
    }

    pub(crate) fn desk_as(&self, office: &str, roles: &[Role]) -> Desk {
        self.network.desk_as(office, roles)
    }

    /// Opens a case for somebody new, who agrees to everything.
    pub(crate) async fn case(&mut self, office: &str) -> String {
        let (case, desk) = (new_id(), self.desk(office));
        self.next_person += 1;
        let number = self.next_person;
        let asked = self.asks(office, "RegisterPerson", Intent::Register { case: case.clone() });
        desk.ask("registering", async |staff| staff.register(&case, invented(number)).await.map(drop)).await;
        self.answered(asked, &Ok(()));
        desk.ask("consent", async |staff| staff.consent(&case, ConsentBasis::Person).await).await;
        self.holds(office, &case).await;
        case
    }

    /// Waits until an office says that it holds a case.
    pub(crate) async fn holds(&self, office: &str, case: &str) {
        self.desk(office).held(case).await;
    }

    /// Offers a case; the answer is the offer, or why not.
    pub(crate) async fn offer(&self, from: &str, case: &str, to: &str) -> (String, Result<(), Status>) {
        let offer = new_id();
        let request = OfferReferralRequest {
            offer_id: offer.clone(),
            case_id: case.to_owned(),
            to_office_id: to.to_owned(),
            kind: OfferKind::Transfer.into(),
            need: Need::ReintegrationFollowUp.into(),
            urgency: Urgency::Urgent.into(),
            note: Canary::NOTE.to_owned(),
            ..OfferReferralRequest::default()
        };
        let (case, to) = (case.to_owned(), to.to_owned());
        let intent = Intent::Offer { case, offer: offer.clone(), to, transfer: true };
        let outcome = self.call(from, "OfferReferral", intent, async |staff: Staff| {
            staff.referral().offer_referral(staff.ask(request.clone())).await.map(drop)
        });
        (offer, outcome.await)
    }

    /// Offers a case that must be taken, and waits until the addressee has it.
    pub(crate) async fn offered(&self, from: &str, case: &str, to: &str) -> String {
        let (offer, outcome) = self.offer(from, case, to).await;
        outcome.expect("the holder may offer");
        self.sees(to, &offer).await;
        offer
    }

    pub(crate) async fn sees(&self, office: &str, offer: &str) {
        let seen = async |staff: Staff| Ok((staff.state(offer).await? != OfferState::Unspecified).then_some(()));
        self.desk(office).until("the offer", seen).await;
    }

    pub(crate) async fn accept(&self, office: &str, offer: &str) -> Result<(), Status> {
        let intent = Intent::Accept { offer: offer.to_owned() };
        self.call(office, "AcceptOffer", intent, async |staff: Staff| staff.accept(offer).await).await
    }

    pub(crate) async fn withdraw(&self, office: &str, offer: &str) -> Result<(), Status> {
        let request =
            WithdrawOfferRequest { offer_id: offer.to_owned(), reason: WithdrawReason::AnotherWayFound.into() };
        let intent = Intent::Withdraw { offer: offer.to_owned() };
        self.call(office, "WithdrawOffer", intent, async |staff: Staff| {
            staff.referral().withdraw_offer(staff.ask(request.clone())).await.map(drop)
        })
        .await
    }

    /// Hands a case over to the end.
    pub(crate) async fn hand_over(&self, from: &str, case: &str, to: &str) -> String {
        let offer = self.offered(from, case, to).await;
        self.accept(to, &offer).await.expect("the addressee may accept");
        self.holds(to, case).await;
        offer
    }

    /// The ministry and a second body move a case to an office that agrees.
    pub(crate) async fn override_to(&self, new_holder: &str, case: &str) {
        let bodies = [Role::Authority, Role::Supervisor];
        let (ministry, cosigner) = (self.desk_as(MINISTRY, &bodies), self.desk_as(BANTEAY_MEANCHEY, &bodies));
        let propose = ProposeOverrideRequest {
            case_id: case.to_owned(),
            new_holder_office_id: new_holder.to_owned(),
            legal_basis: LegalBasis::HolderUnreachable.into(),
        };
        let proposal = ministry
            .until("proposing", async |staff: Staff| {
                match staff.referral().propose_override(staff.ask(propose.clone())).await {
                    Ok(answer) => Ok(Some(answer.into_inner().proposal)),
                    Err(status) if status.code() == Code::NotFound => Ok(None),
                    Err(status) => Err(status),
                }
            })
            .await;
        let cosign = CosignOverrideRequest { case_id: case.to_owned(), proposal: proposal.clone() };
        is_proposed(&cosigner, &cosign.proposal).await;
        cosigner
            .ask("signing", async |staff: Staff| {
                staff.referral().cosign_override(staff.ask(cosign.clone())).await.map(drop)
            })
            .await;
        let consent = ConsentToOverrideRequest { case_id: case.to_owned(), proposal };
        let desk = self.desk(new_holder);
        is_proposed(&desk, &consent.proposal).await;
        desk.ask("agreeing", async |staff: Staff| {
            staff.referral().consent_to_override(staff.ask(consent.clone())).await.map(drop)
        })
        .await;
        self.holds(new_holder, case).await;
    }

    /// A call that is written down, before and after. What the desk has not heard of yet, and a node that is away or
    /// recovers, is asked again.
    async fn call(
        &self,
        office: &str,
        method: &str,
        intent: Intent,
        mut ask: impl AsyncFnMut(Staff) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let asked = self.asks(office, method, intent);
        let mut patience = 40;
        let outcome = self
            .desk(office)
            .until(method, async |staff: Staff| {
                patience -= 1;
                match ask(staff).await {
                    Err(status) if is_early(&status) && patience > 0 => Ok(None),
                    Err(status) if status.code() == Code::Unavailable => Err(status),
                    outcome => Ok(Some(outcome)),
                }
            })
            .await;
        self.answered(asked, &outcome);
        outcome
    }

    fn asks(&self, office: &str, method: &str, intent: Intent) -> u64 {
        self.journal.asks(self.now(), office, method, intent).expect("the journal can be written")
    }

    fn answered(&self, asked: u64, outcome: &Result<(), Status>) {
        let (outcome, code) = match outcome {
            Ok(()) => (Outcome::Ok, String::new()),
            Err(status) => (Outcome::Failed, format!("{:?}", status.code())),
        };
        self.journal.answered(asked, self.now(), outcome, &code).expect("the journal can be written");
    }
}

/// Waits until an office is asked for an override.
async fn is_proposed(desk: &Desk, proposal: &str) {
    desk.until("the proposal", async |staff: Staff| {
        let list = staff.referral().list_override_proposals(staff.ask(ListOverrideProposalsRequest {})).await?;
        Ok(list.into_inner().proposals.iter().any(|waiting| waiting.proposal == proposal).then_some(()))
    })
    .await;
}

/// Whether the desk may simply not have heard yet of what it is asked for.
fn is_early(status: &Status) -> bool {
    status.code() == Code::NotFound || status.message().starts_with("no consent covers")
}
