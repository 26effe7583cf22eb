//! The staff of one office at work: they open cases, offer them, answer what is offered to them, take back, offer
//! elsewhere, pass on, and look again at what they do not know.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use spean::demonstration::staff::Staff;
use spean_checker::journal::Intent;
use spean_contracts::cases::v1::AmendPersonRequest;
use spean_contracts::referral::v1::{
    AcceptManyRequest, BulkMode, DeclineManyRequest, DeclineOfferRequest, DeclineReason, Offer, OfferKind,
    OfferManyRequest, OfferReferralRequest, OfferState, Verdict, WithdrawOfferRequest, WithdrawReason, Worklist,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Urgency};
use spean_tests::{Canary, invented};
use tokio::time::{Instant, sleep};

use crate::clerk::Clerk;
use crate::draw::Draw;
use crate::ledger::{Ledger, Phase};

/// The pause between two looks at the lists.
const GLANCE: Duration = Duration::from_millis(300);
/// The pause before something that could not be done is tried again, for each time that it was tried, and the longest.
const AGAIN: Duration = Duration::from_millis(400);
const LATEST: u32 = 8;
/// How often it is tried before the case counts as forgotten: its office was put back to before it was opened.
const TRIES: usize = 40;
/// How many cases one office has on its way at a time.
const ON_THE_WAY: usize = 16;
/// How many are opened, offered or answered together.
const TOGETHER: usize = 12;
/// Of a hundred offers, how many are declined, are taken back, and of the cases that arrive, how many are passed on.
const DECLINED: usize = 6;
const TAKEN_BACK: usize = 5;
const PASSED_ON: usize = 88;
/// Of a hundred handovers, after how many who holds the case is read.
const READ: usize = 40;

/// A case that is to be offered.
struct Due {
    case: String,
    offer: String,
    to: String,
    is_new: bool,
    is_ready: bool,
    tries: usize,
    not_before: Instant,
}

/// An office and what its staff remember. What they do not remember is on the lists of their node.
pub(crate) struct Office {
    clerk: Clerk,
    /// The other offices with their nodes.
    others: Vec<(String, String)>,
    ledger: Rc<Ledger>,
    draw: Draw,
    due: Vec<Due>,
    /// Offers made here that nobody has answered as far as the staff know, with their cases.
    waiting: BTreeMap<String, String>,
    /// Offers accepted here whose certificate has not come, with their senders.
    bound: BTreeMap<String, String>,
}

impl Office {
    pub(crate) fn new(clerk: Clerk, offices: &[(String, String)], ledger: Rc<Ledger>, draw: Draw) -> Self {
        let others = offices.iter().filter(|(office, _)| office != clerk.office()).cloned().collect();
        Self { clerk, others, ledger, draw, due: Vec::new(), waiting: BTreeMap::new(), bound: BTreeMap::new() }
    }

    /// Works until the run is over.
    pub(crate) async fn work(mut self) {
        while self.ledger.phase() != Phase::Over {
            let answered_all = self.answer().await;
            let seen_all = self.see_what_came_of_acceptances().await & self.see_what_came_of_offers().await;
            if self.ledger.phase() == Phase::Working {
                self.open_cases();
                self.make_ready().await;
                self.offer().await;
            } else {
                self.due.clear();
            }
            let unseen = usize::from(!(answered_all && seen_all));
            self.ledger.waits_for(self.clerk.office(), self.waiting.len() + self.bound.len() + unseen);
            sleep(GLANCE).await;
        }
    }

    /// Answers what waits for an answer. False when there may be more.
    async fn answer(&mut self) -> bool {
        let list = self.clerk.look(async |staff: Staff| staff.worklist(Worklist::ToAnswer).await).await;
        let Some(offers) = list else { return false };
        let all = offers.len();
        for together in offers.chunks(TOGETHER) {
            let (declined, accepted): (Vec<&Offer>, Vec<&Offer>) =
                together.iter().partition(|_| self.ledger.phase() == Phase::Working && self.draw.percent(DECLINED));
            self.accept(&accepted).await;
            self.decline(&declined).await;
        }
        all == 0
    }

    async fn accept(&mut self, offers: &[&Offer]) {
        if offers.is_empty() {
            return;
        }
        let intents = offers.iter().map(|offer| Intent::Accept { offer: offer.offer_id.clone() }).collect();
        let offer_ids = offers.iter().map(|offer| offer.offer_id.clone()).collect();
        let request = AcceptManyRequest { offer_ids, mode: BulkMode::Each.into() };
        let asked = self.clerk.ask_many(
            "AcceptMany",
            intents,
            async |staff: Staff| Ok(staff.referral().accept_many(staff.ask(request)).await?.into_inner().verdicts),
            |verdicts| refusals(verdicts),
        );
        asked.await;
        // Whether it was said to be done, refused or nothing was heard: what became of it is looked up.
        self.bound.extend(offers.iter().map(|offer| (offer.offer_id.clone(), offer.from_office_id.clone())));
    }

    async fn decline(&mut self, offers: &[&Offer]) {
        if offers.is_empty() {
            return;
        }
        let intents = offers.iter().map(|offer| Intent::Decline { offer: offer.offer_id.clone() }).collect();
        let reason = DeclineReason::NoCapacity.into();
        let offers =
            offers.iter().map(|offer| DeclineOfferRequest { offer_id: offer.offer_id.clone(), reason }).collect();
        let request = DeclineManyRequest { offers, mode: BulkMode::Each.into() };
        let asked = self.clerk.ask_many(
            "DeclineMany",
            intents,
            async |staff: Staff| Ok(staff.referral().decline_many(staff.ask(request)).await?.into_inner().verdicts),
            |verdicts| refusals(verdicts),
        );
        let done = asked.await.map_or(0, |verdicts| verdicts.iter().filter(|verdict| verdict.done).count());
        (0..done).for_each(|_| self.ledger.declined());
    }

    /// Looks whether certificates have come. False when nothing could be seen.
    async fn see_what_came_of_acceptances(&mut self) -> bool {
        if self.bound.is_empty() {
            return true;
        }
        let list = self.clerk.look(async |staff: Staff| staff.worklist(Worklist::Bound).await).await;
        let Some(bound) = list else { return false };
        let left = self.bound.keys().filter(|offer| !bound.iter().any(|bound| bound.offer_id == **offer));
        let left: Vec<String> = left.cloned().collect();
        for (offer, seen) in self.see(left).await {
            match seen {
                Some(Some(seen)) if seen.state() == OfferState::Bound => {}
                Some(Some(seen)) if seen.state() == OfferState::Accepted => {
                    let sender = self.bound.remove(&offer).unwrap_or_default();
                    self.arrived(&seen, &sender).await;
                }
                // Answered otherwise, or forgotten by a node that was put back; if it still waits it is on the list.
                Some(_) => {
                    self.bound.remove(&offer);
                }
                None => {}
            }
        }
        true
    }

    async fn arrived(&mut self, offer: &Offer, sender: &str) {
        let node = self.others.iter().find(|(office, _)| office == sender).map_or("", |(_, node)| node);
        self.ledger.handed_over(&offer.offer_id, node, self.clerk.node());
        if self.draw.percent(READ) {
            self.clerk.read_custody(&offer.case_id).await;
        }
        if self.ledger.phase() == Phase::Working && self.draw.percent(PASSED_ON) {
            let case = offer.case_id.clone();
            self.note_for_offering(case, false);
        }
    }

    /// Looks what came of the offers made here. False when nothing could be seen.
    async fn see_what_came_of_offers(&mut self) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        let list = self.clerk.look(async |staff: Staff| staff.worklist(Worklist::Waiting).await).await;
        let Some(waiting) = list else { return false };
        let left = self.waiting.keys().filter(|offer| !waiting.iter().any(|known| known.offer_id == **offer));
        let left: Vec<String> = left.cloned().collect();
        for (offer, seen) in self.see(left).await {
            let Some(seen) = seen else { continue };
            let state = seen.map_or(OfferState::Unspecified, |seen| seen.state());
            if state == OfferState::Offered {
                continue;
            }
            let Some(case) = self.waiting.remove(&offer) else { continue };
            // Declined, taken back, or forgotten: the case is still here, and another office is asked. What the node
            // offered afresh by itself is in the way of that, and then it is left alone.
            let ended = [OfferState::Declined, OfferState::Withdrawn, OfferState::Unspecified].contains(&state);
            if ended && self.ledger.phase() == Phase::Working {
                self.note_for_offering(case, false);
            }
        }
        true
    }

    /// How offers stand here: nothing when that could not be seen, and none when they are not known.
    async fn see(&self, offers: Vec<String>) -> Vec<(String, Option<Option<Offer>>)> {
        let looks = offers.into_iter().take(2 * TOGETHER).map(async |offer| {
            let seen = self.clerk.look(async |staff: Staff| staff.see(&offer).await).await;
            (offer, seen)
        });
        join_all(looks).await
    }

    fn open_cases(&mut self) {
        let on_the_way = self.waiting.len() + self.due.len();
        for _ in on_the_way..ON_THE_WAY.min(on_the_way + TOGETHER) {
            let case = self.draw.id();
            self.note_for_offering(case, true);
        }
    }

    fn note_for_offering(&mut self, case: String, is_new: bool) {
        let own = self.clerk.node();
        let free: Vec<&str> = self
            .others
            .iter()
            .filter(|(_, node)| self.ledger.may_offer(own, node))
            .map(|(to, _)| to.as_str())
            .collect();
        let to = (*self.draw.one(&free)).to_owned();
        let offer = self.draw.id();
        let not_before = Instant::now();
        self.due.push(Due { case, offer, to, is_new, is_ready: false, tries: 0, not_before });
    }

    /// Opens the cases that are new, and asks the people of all for their consent.
    async fn make_ready(&mut self) {
        let now = Instant::now();
        let (mut chosen, left): (Vec<Due>, Vec<Due>) =
            std::mem::take(&mut self.due).into_iter().partition(|due| !due.is_ready && due.not_before <= now);
        self.due = left;
        let rest = chosen.split_off(TOGETHER.min(chosen.len()));
        self.due.extend(rest);
        let prepared = join_all(chosen.into_iter().map(async |due| {
            let ready = self.prepare(&due).await;
            (due, ready)
        }));
        for (due, ready) in prepared.await {
            self.keep(Due { is_ready: ready, ..due }, !ready);
        }
    }

    async fn prepare(&self, due: &Due) -> bool {
        // The same case, the same person, however often it is asked.
        let person = invented(number_of(&due.case));
        let known = if due.is_new {
            let intent = Intent::Register { case: due.case.clone() };
            let asked =
                self.clerk.ask("RegisterPerson", intent, async |staff: Staff| staff.register(&due.case, person).await);
            let done = asked.await.is_some();
            if done {
                self.ledger.opened(&due.case, self.clerk.node(), self.clerk.now());
            }
            done
        } else {
            let amend = AmendPersonRequest { case_id: due.case.clone(), person: Some(person) };
            let asked = self.clerk.ask("AmendPerson", Intent::None, async |staff: Staff| {
                staff.cases().amend_person(staff.ask(amend)).await.map(drop)
            });
            asked.await.is_some()
        };
        if !known {
            return false;
        }
        let consent = self.clerk.ask("RecordConsent", Intent::None, async |staff: Staff| {
            staff.consent(&due.case, ConsentBasis::Person).await
        });
        consent.await.is_some()
    }

    /// Offers what is ready, and takes some of it back at once.
    async fn offer(&mut self) {
        let now = Instant::now();
        let (mut chosen, left): (Vec<Due>, Vec<Due>) =
            std::mem::take(&mut self.due).into_iter().partition(|due| due.is_ready && due.not_before <= now);
        self.due = left;
        let rest = chosen.split_off(TOGETHER.min(chosen.len()));
        self.due.extend(rest);
        if chosen.is_empty() {
            return;
        }
        let intents = chosen.iter().map(|due| Intent::Offer {
            case: due.case.clone(),
            offer: due.offer.clone(),
            to: due.to.clone(),
            transfer: true,
        });
        let intents = intents.collect();
        let request = OfferManyRequest { offers: chosen.iter().map(transfer).collect(), mode: BulkMode::Each.into() };
        let asked = self.clerk.ask_many(
            "OfferMany",
            intents,
            async |staff: Staff| Ok(staff.referral().offer_many(staff.ask(request)).await?.into_inner().verdicts),
            |verdicts| refusals(verdicts),
        );
        let verdicts = asked.await.unwrap_or_default();
        for (index, due) in chosen.into_iter().enumerate() {
            match verdicts.get(index) {
                Some(verdict) if verdict.done => {
                    self.waiting.insert(due.offer.clone(), due.case);
                    if self.draw.percent(TAKEN_BACK) {
                        self.withdraw(&due.offer).await;
                    }
                }
                // Somebody else holds it by now: they see to it.
                Some(verdict) if verdict.reason == "NOT_THE_HOLDER" => {}
                _ => self.keep(due, true),
            }
        }
    }

    async fn withdraw(&self, offer: &str) {
        let reason = WithdrawReason::AnotherWayFound.into();
        let request = WithdrawOfferRequest { offer_id: offer.to_owned(), reason };
        let intent = Intent::Withdraw { offer: offer.to_owned() };
        let asked = self.clerk.ask("WithdrawOffer", intent, async |staff: Staff| {
            staff.referral().withdraw_offer(staff.ask(request)).await.map(drop)
        });
        if asked.await.is_some() {
            self.ledger.withdrawn();
        }
    }

    /// Keeps what is to be offered, for another try when this one failed, unless it has been tried too often.
    fn keep(&mut self, mut due: Due, failed: bool) {
        if failed {
            due.tries += 1;
            due.not_before = Instant::now() + AGAIN * u32::try_from(due.tries).unwrap_or(LATEST).min(LATEST);
        }
        if due.tries < TRIES {
            self.due.push(due);
        } else {
            self.ledger.gave_up();
        }
    }
}

fn transfer(due: &Due) -> OfferReferralRequest {
    OfferReferralRequest {
        offer_id: due.offer.clone(),
        case_id: due.case.clone(),
        to_office_id: due.to.clone(),
        kind: OfferKind::Transfer.into(),
        need: Need::ReintegrationFollowUp.into(),
        urgency: Urgency::Urgent.into(),
        note: Canary::NOTE.to_owned(),
        ..OfferReferralRequest::default()
    }
}

/// Why each of many was refused; none for what is done.
fn refusals(verdicts: &[Verdict]) -> Vec<Option<String>> {
    verdicts.iter().map(|verdict| (!verdict.done).then(|| verdict.reason.clone())).collect()
}

/// A number that belongs to a case, by the first digits of its id.
fn number_of(case: &str) -> usize {
    usize::from_str_radix(&case[..6], 16).expect("an id begins with eight hexadecimal digits")
}
