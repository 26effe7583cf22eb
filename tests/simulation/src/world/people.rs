//! What people ask of their nodes, sensible and senseless, and what is noted of the answers.

use anyhow::{Context as _, bail};
use spean_contracts::referral::v1::{OfferKind, Worklist};
use spean_vocabulary::Service;
use tonic::Code;

use super::casework::words_of;
use super::{World, said};
use crate::history::{Answer, Case};
use crate::network::{AUTHORITY, COSIGNER, OFFICES};
use crate::staff::{Ask, Staff};

/// Most cases of a history.
const MOST_CASES: usize = 8;
/// How often somebody who finds nothing to do looks for something else.
const LOOKS: usize = 4;

impl World {
    pub(super) async fn ask_something(&mut self, node: usize) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            if self.ask_if_there_is_something(node).await? {
                break;
            }
        }
        Ok(())
    }

    /// False when there was nothing to ask for.
    async fn ask_if_there_is_something(&mut self, node: usize) -> anyhow::Result<bool> {
        let offices: Vec<usize> = (0..OFFICES.len()).filter(|office| OFFICES[*office].1 == node).collect();
        let office = self.dice.pick(&offices).context("every node has an office")?;
        let Some(up) = self.nodes[node].up() else { return Ok(true) };
        let staff = Staff::at(up, office);
        let ask = match self.dice.below(22) {
            0 => self.senseless(office),
            1 => match self.dice.pick(&[0, 1, 2]) {
                Some(0) if office == AUTHORITY && self.mix.overrides => self.proposal(),
                _ if self.mix.overrides => self.answer_to_proposal(office, &staff).await?,
                _ => None,
            },
            2 if !self.asked.is_empty() => return self.ask_again(node).await.map(|()| true),
            3..=5 => self.registration(office),
            6..=8 => self.offer(office, &staff).await?,
            9 => self.withdrawal(&staff).await?,
            10 => self.conclusion(&staff).await?,
            11..=15 => self.answer(&staff).await?,
            _ => self.casework(office, &staff).await?,
        };
        let Some(ask) = ask else { return Ok(false) };
        let command = self.new_id();
        self.ask(node, office, ask, command).await.map(|()| true)
    }

    /// The same request once more under its command id, or another one under it.
    async fn ask_again(&mut self, node: usize) -> anyhow::Result<()> {
        let here: Vec<_> = self.asked.iter().filter(|(office, _, _)| OFFICES[*office].1 == node).cloned().collect();
        if here.is_empty() {
            return Ok(());
        }
        let (office, ask, command) = here[self.dice.below(here.len())].clone();
        // An offer of a case that the desk does not know waits for news of it, and nothing else moves meanwhile.
        let waits = matches!(ask, Ask::Offer { .. });
        let ask = if self.dice.one_in(3) && !waits { Ask::Accept { offer: self.new_id() } } else { ask };
        if let Ask::Offer { case, .. } = &ask
            && !self.may_be_offered(node, case).await?
        {
            return Ok(());
        }
        self.ask(node, office, ask, command).await
    }

    /// Asks, and notes what the one who asked was told.
    pub(super) async fn ask(&mut self, node: usize, office: usize, ask: Ask, command: String) -> anyhow::Result<()> {
        let words = self.words(&ask);
        let up = self.nodes[node].up().context("the node is up")?;
        let answered = Staff::at(up, office).ask(&ask, &command).await;
        let answer = match &answered {
            _ if self.is_failing => Answer::Unknown,
            Ok(()) => Answer::Done(self.step + 1),
            Err(status) if matches!(status.code(), Code::Internal | Code::Unavailable | Code::Unknown) => {
                // The disk is sound and the node is up.
                if status.code() != Code::Unavailable || !self.nodes[node].is_recovering() {
                    bail!("{} asked to {words} and heard {:?}: {}", OFFICES[office].0, status.code(), status.message());
                }
                Answer::Refused
            }
            Err(_) => Answer::Refused,
        };
        let heard = match (&answer, &answered) {
            (Answer::Unknown, _) => "hears nothing".to_owned(),
            (_, Ok(())) => "is told that it is done".to_owned(),
            (_, Err(status)) => format!("hears {:?}", status.code()),
        };
        self.tell(&format!("{} asks to {words}, and {heard}", OFFICES[office].0));
        self.note(office, &ask, answer);
        self.asked.push((office, ask, command));
        Ok(())
    }

    fn note(&mut self, office: usize, ask: &Ask, answer: Answer) {
        let done = match answer {
            Answer::Done(step) => Some((office, step)),
            Answer::Refused | Answer::Unknown => None,
        };
        self.lived.asked += 1;
        match ask {
            Ask::Register { case, .. } => self.note_registration(case, answer),
            Ask::Work(work) => self.note_work(office, work, answer),
            Ask::Consent { case, .. } => {
                if let Some(known) = self.history.cases.iter_mut().find(|known| known.id == *case)
                    && answer != Answer::Refused
                {
                    known.consent = answer;
                }
            }
            Ask::Offer { offer, .. } => self.history.offers.entry(offer.clone()).or_default().offered = done,
            Ask::Accept { offer } if done.is_some() => {
                self.history.offers.entry(offer.clone()).or_default().accepted = done;
            }
            Ask::Decline { offer } if done.is_some() => {
                self.history.offers.entry(offer.clone()).or_default().declined = done;
            }
            Ask::Withdraw { offer } if done.is_some() => {
                self.history.offers.entry(offer.clone()).or_default().withdrawn = done;
            }
            _ => {}
        }
    }

    pub(super) fn note_registration(&mut self, case: &str, answer: Answer) {
        if let Some(known) = self.history.cases.iter_mut().find(|known| known.id == *case)
            && !matches!(known.registered, Answer::Done(_))
        {
            known.registered = if answer == Answer::Refused { known.registered } else { answer };
        }
    }

    fn words(&mut self, ask: &Ask) -> String {
        let history = &mut self.history;
        match ask {
            Ask::Register { case, .. } => format!("open {}", history.name("case", case)),
            Ask::Consent { case, .. } => format!("record a consent for {}", history.name("case", case)),
            Ask::Offer { offer, case, to, kind } => {
                let what = if *kind == OfferKind::Transfer { "hand over" } else { "share" };
                let (offer, case) = (history.name("offer", offer), history.name("case", case));
                format!("{what} {case} to {} by {offer}", OFFICES[*to].0)
            }
            Ask::Accept { offer } => format!("accept {}", history.name("offer", offer)),
            Ask::Decline { offer } => format!("decline {}", history.name("offer", offer)),
            Ask::Withdraw { offer } => format!("withdraw {}", history.name("offer", offer)),
            Ask::Conclude { offer } => format!("conclude {}", history.name("offer", offer)),
            Ask::Propose { case, to } => {
                format!("give {} to {} over its holder's head", history.name("case", case), OFFICES[*to].0)
            }
            Ask::ConsentToOverride { case, .. } => format!("take {} as proposed", history.name("case", case)),
            Ask::Cosign { case, .. } => format!("sign what was proposed for {}", history.name("case", case)),
            Ask::Work(work) => words_of(work, history),
        }
    }

    fn registration(&mut self, office: usize) -> Option<Ask> {
        let waiting = self.history.cases.iter().find(|case| {
            case.office == office && matches!(case.registered, Answer::Done(_)) && case.consent == Answer::Refused
        });
        if let Some(case) = waiting {
            let case = case.id.clone();
            return Some(Ask::Consent { case, consent: self.new_id() });
        }
        let is_unknown = |case: &Case| case.office == office && !case.arrived && case.registered == Answer::Unknown;
        let unknown = self.history.cases.iter().position(is_unknown);
        if let Some(number) = unknown {
            return Some(Ask::Register { case: self.history.cases[number].id.clone(), number });
        }
        let case = self.new_case(office, false)?;
        Some(Ask::Register { number: self.history.cases.len() - 1, case })
    }

    /// The id of a case that somebody is about to open; none when there are enough.
    pub(super) fn new_case(&mut self, office: usize, arrived: bool) -> Option<String> {
        if self.history.cases.len() >= MOST_CASES {
            return None;
        }
        let id = self.new_id();
        let (registered, consent) = (Answer::Refused, Answer::Refused);
        self.history.cases.push(Case { id: id.clone(), office, registered, consent, arrived });
        Some(id)
    }

    async fn offer(&mut self, office: usize, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let held = said(staff.held().await)?;
        if held.is_empty() {
            return Ok(None);
        }
        let case = held[self.dice.below(held.len())].case_id.clone();
        let to = self.dice.below(OFFICES.len());
        let kind = if self.dice.one_in(4) { OfferKind::Service } else { OfferKind::Transfer };
        let offer = self.new_id();
        let may = to != office && self.may_be_offered(OFFICES[office].1, &case).await?;
        Ok(may.then_some(Ask::Offer { offer, case, to, kind }))
    }

    /// Whether the desk knows the case and the consent: an offer waits a while for news of either, and nothing else may
    /// move meanwhile.
    async fn may_be_offered(&self, node: usize, case: &str) -> anyhow::Result<bool> {
        let Some(store) = self.nodes[node].store(Service::Referral) else { return Ok(false) };
        let known = sqlx::query(
            "select 1 from subject join consent on consent.case_id = subject.case_id where subject.case_id = $1",
        );
        Ok(known.bind(case).fetch_optional(store.reader()).await?.is_some())
    }

    async fn answer(&mut self, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let open = said(staff.worklist(Worklist::ToAnswer).await)?;
        if open.is_empty() {
            return Ok(None);
        }
        let offer = open[self.dice.below(open.len())].offer_id.clone();
        Ok(Some(if self.dice.one_in(4) { Ask::Decline { offer } } else { Ask::Accept { offer } }))
    }

    async fn withdrawal(&mut self, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let open = said(staff.worklist(Worklist::Waiting).await)?;
        if open.is_empty() {
            return Ok(None);
        }
        Ok(Some(Ask::Withdraw { offer: open[self.dice.below(open.len())].offer_id.clone() }))
    }

    async fn conclusion(&mut self, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let all = said(staff.worklist(Worklist::Unspecified).await)?;
        if all.is_empty() {
            return Ok(None);
        }
        Ok(Some(Ask::Conclude { offer: all[self.dice.below(all.len())].offer_id.clone() }))
    }

    fn senseless(&mut self, office: usize) -> Option<Ask> {
        let offers: Vec<String> = self.history.offers.keys().cloned().collect();
        // By the order of their coming, as ids are not the same in another build.
        let any = if offers.is_empty() { self.new_id() } else { offers[self.dice.below(offers.len())].clone() };
        Some(match self.dice.below(5) {
            0 => Ask::Accept { offer: self.new_id() },
            1 => Ask::Accept { offer: any },
            2 => Ask::Withdraw { offer: any },
            3 => Ask::Conclude { offer: any },
            _ => {
                // An id that another node has given to another person is what may never be: ids are made once. Nor may it be
                // where the register may have forgotten the first one with a disk.
                let node = OFFICES[office].1;
                if self.history.restores.iter().any(|restored| restored.node == node) {
                    return None;
                }
                // That of an arrival, too, may not have come to the register yet.
                let is_here =
                    |case: &Case| case.office != office && !case.arrived && OFFICES[case.office].1 == OFFICES[office].1;
                let taken = self.history.cases.iter().position(is_here)?;
                Ask::Register { case: self.history.cases[taken].id.clone(), number: taken + 1_000 }
            }
        })
    }

    fn proposal(&mut self) -> Option<Ask> {
        if self.history.cases.is_empty() {
            return None;
        }
        let case = self.history.cases[self.dice.below(self.history.cases.len())].id.clone();
        Some(Ask::Propose { case, to: self.dice.below(OFFICES.len()) })
    }

    async fn answer_to_proposal(&mut self, office: usize, staff: &Staff) -> anyhow::Result<Option<Ask>> {
        let waiting = said(staff.proposals().await)?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let proposal = waiting[self.dice.below(waiting.len())].clone();
        let (case, proposal) = (proposal.case_id, proposal.proposal);
        let cosigns = office == COSIGNER && self.dice.one_in(2);
        Ok(Some(if cosigns { Ask::Cosign { case, proposal } } else { Ask::ConsentToOverride { case, proposal } }))
    }

    pub(super) fn new_id(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        bytes.fill_with(|| u8::try_from(self.dice.below(256)).expect("a byte"));
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
