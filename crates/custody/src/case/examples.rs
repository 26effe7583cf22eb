//! Invented offices, offers and histories for the specifications.

use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{
    AgeBand, CaseId, DeclineReason, LegalBasis, Need, OfferId, OfferKind, Redirection, Sex, Timestamp, Urgency,
    WithdrawReason,
};

use super::{CaseCustody, Command, Event, Message, OfferTerms, Preview, ServiceOutcome, Signer, Situation, messages};
use crate::{Digest, Party};

pub(super) fn party(office: &str) -> Party {
    Party { node: format!("{office}-node").parse().unwrap(), office: office.parse().unwrap() }
}

pub(super) fn poipet() -> Party {
    party("poipet")
}

pub(super) fn kandal() -> Party {
    party("kandal")
}

pub(super) fn takeo() -> Party {
    party("takeo")
}

pub(super) fn ministry() -> Party {
    party("ministry")
}

pub(super) fn case() -> CaseId {
    "0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c4d".parse().unwrap()
}

pub(super) fn offer(number: u32) -> OfferId {
    format!("{number:08x}-0000-4000-8000-000000000000").parse().unwrap()
}

/// A stand-in for Ed25519 that is just as deterministic.
pub(super) fn seal(by: &Party, bytes: &[u8]) -> Vec<u8> {
    Digest::of(&[by.node.as_str().as_bytes(), bytes].concat()).as_bytes().to_vec()
}

pub(super) fn at(me: &Party) -> Situation {
    let signing = me.clone();
    Situation {
        context: Context {
            office: me.office.clone(),
            staff: Some("s-17".parse().unwrap()),
            now: Timestamp::from_micros(1_795_300_200_000_000),
        },
        me: me.clone(),
        registry: Some(ministry()),
        authority: ministry(),
        cosigner: party("ngo-board"),
        signer: Signer::new(move |bytes| seal(&signing, bytes)),
    }
}

pub(super) fn terms(kind: OfferKind) -> OfferTerms {
    OfferTerms {
        kind,
        need: Need::ReintegrationFollowUp,
        urgency: Urgency::Urgent,
        answer_due_at: Timestamp::from_micros(1_795_473_000_000_000),
        case_number: None,
        preview: Preview { sex: Sex::Female, age_band: AgeBand::Adolescent, language: Some("km".to_owned()) },
        dossier_digest: Some(Digest::of(b"sealed")),
        consent: None,
        instead_of: None,
        meant_for: None,
        redirected_because: None,
    }
}

/// Several offices with perfect post, to arrive quickly at a state worth a specification.
#[derive(Debug, Default)]
pub(super) struct Story {
    logs: Vec<(Party, Vec<Event>)>,
}

impl Story {
    pub(super) fn begun() -> Self {
        Self::default().then(&poipet(), Command::Open { case: case() })
    }

    pub(super) fn offered(kind: OfferKind) -> Self {
        Self::begun().then(&poipet(), Command::Offer { offer: offer(1), to: kandal(), terms: terms(kind) })
    }

    pub(super) fn accepted(kind: OfferKind) -> Self {
        Self::offered(kind).then(&kandal(), Command::Accept { offer: offer(1) })
    }

    /// Meant for a district without anybody, and so made to Kandal.
    pub(super) fn redirected() -> Self {
        let terms = OfferTerms {
            meant_for: Some(party("kien-svay").office),
            redirected_because: Some(Redirection::Unstaffed),
            ..terms(OfferKind::Transfer)
        };
        Self::begun().then(&poipet(), Command::Offer { offer: offer(2), to: kandal(), terms })
    }

    pub(super) fn declined() -> Self {
        let reason = DeclineReason::NoCapacity;
        Self::offered(OfferKind::Transfer).then(&kandal(), Command::Decline { offer: offer(1), reason })
    }

    pub(super) fn withdrawn(kind: OfferKind) -> Self {
        let reason = WithdrawReason::Escalated;
        Self::offered(kind).then(&poipet(), Command::Withdraw { offer: offer(1), reason })
    }

    pub(super) fn concluded() -> Self {
        let outcome = ServiceOutcome::Completed;
        Self::accepted(OfferKind::Service).then(&kandal(), Command::Conclude { offer: offer(1), outcome })
    }

    /// The ministry gives the case to Takeo.
    pub(super) fn overridden(self) -> Self {
        let story = self.then(
            &ministry(),
            Command::ProposeOverride { new_holder: takeo(), basis: LegalBasis::HolderUnreachable, chain: vec![] },
        );
        let proposal = story.state(&takeo()).request().unwrap().digest();
        let story = story.then(&takeo(), Command::ConsentToOverride { proposal });
        story.then(&party("ngo-board"), Command::CosignOverride { proposal })
    }

    /// The command, and all letters that follow from it, delivered at once.
    pub(super) fn then(mut self, me: &Party, command: Command) -> Self {
        let mut waiting = vec![(me.clone(), command)];
        while let Some((me, command)) = waiting.pop() {
            let events = self.state(&me).decide(command, &at(&me)).unwrap();
            for event in &events {
                let letters = messages(event, &me, Some(&ministry())).into_iter();
                waiting.extend(
                    letters.map(|letter| (letter.to, Command::Receive { from: me.clone(), message: letter.message })),
                );
            }
            match self.logs.iter_mut().find(|(party, _)| *party == me) {
                Some((_, log)) => log.extend(events),
                None => self.logs.push((me, events)),
            }
        }
        self
    }

    pub(super) fn log(&self, me: &Party) -> Vec<Event> {
        self.logs.iter().find(|(party, _)| party == me).map(|(_, log)| log.clone()).unwrap_or_default()
    }

    pub(super) fn state(&self, me: &Party) -> CaseCustody {
        CaseCustody::fold(&self.log(me))
    }

    /// What one office told another, in order.
    pub(super) fn said(&self, me: &Party, to: &Party) -> Vec<Message> {
        let events = self.log(me);
        let letters = events.iter().flat_map(|event| messages(event, me, Some(&ministry())));
        letters.filter(|letter| letter.to == *to).map(|letter| letter.message).collect()
    }
}

pub(super) fn receive(from: &Party, message: Message) -> Command {
    Command::Receive { from: from.clone(), message }
}
