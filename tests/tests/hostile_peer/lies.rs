//! What is said that is not so.

use prost::Message as _;
use spean_contracts::cases::v1::{CaseMerged, CaseRegistered, CasesLinked, ConsentsChanged, PersonErased};
use spean_contracts::directory::v1::OfficeStatusChanged;
use spean_contracts::insight::v1::{FactRecorded, SubjectDescribed};
use spean_contracts::referral::v1::{OfferAnswered, PersonSeenAgain, Stage, StageReached, Standing, StandingChanged};
use spean_contracts::repatriation::v1::{ArrivalRegistered, SamePersonConfirmed};
use spean_custody::Party;
use spean_custody::case::{
    Certificate, CertificateSignature, Message, OfferTerms, Position, Preview, SIGNATURE_PURPOSE, ServiceOutcome,
    SignedCertificate,
};
use spean_identity::sign;
use spean_vocabulary::{
    AgeBand, CaseId, DeclineReason, LegalBasis, Need, OfferId, OfferKind, Sex, Timestamp, Urgency, WithdrawReason,
};

use super::Scene;
use super::rogue::{Content, Lie, Rogue};
use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI, SHELTER};

/// What the register, the shelter, the directory and the desk of the node itself tell each other.
pub(crate) fn as_our_own_services(held: &str, offered: &str, theirs: &str) -> Vec<Lie> {
    let id = |case: &str| case.to_owned();
    let office = || KANDAL.to_owned();
    let standing = |case: &str, office: &str, standing: Standing| StandingChanged {
        case_id: id(case),
        office_id: office.to_owned(),
        standing: standing.into(),
        other_office_id: SHELTER.to_owned(),
        offer_id: spean::demonstration::staff::new_id(),
        ..StandingChanged::default()
    };
    let registered =
        |case: &str| CaseRegistered { case_id: id(case), office_id: office(), ..CaseRegistered::default() };
    let stage = StageReached {
        case_id: id(offered),
        office_id: office(),
        stage: Stage::Closed.into(),
        occurred_on: "2026-01-05".to_owned(),
    };
    let arrival = ArrivalRegistered {
        arrival_id: spean::demonstration::staff::new_id(),
        person_id: spean::demonstration::staff::new_id(),
        office_id: office(),
        arrived_on: "2026-01-05".to_owned(),
        ..ArrivalRegistered::default()
    };
    let linked = CasesLinked {
        case_id: id(held),
        other_case_id: id(offered),
        office_id: office(),
        linked_on: "2026-01-05".to_owned(),
        linked: true,
    };
    let same = SamePersonConfirmed {
        case_id: id(held),
        other_case_id: id(offered),
        office_id: office(),
        confirmed_on: "2026-01-05".to_owned(),
    };
    let seen = PersonSeenAgain {
        case_id: id(held),
        office_id: office(),
        other_case_id: id(offered),
        seen_by_office_id: office(),
        seen_on: "2026-01-05".to_owned(),
        ..PersonSeenAgain::default()
    };
    let answered = OfferAnswered {
        case_id: id(held),
        offer_id: spean::demonstration::staff::new_id(),
        from_office_id: office(),
        to_office_id: SHELTER.to_owned(),
        ..OfferAnswered::default()
    };
    let merged = CaseMerged { case_id: id(offered), into_case_id: id(held), merged: true, ..CaseMerged::default() };
    let status = OfficeStatusChanged { office_id: RATANAK_KIRI.to_owned(), ..OfficeStatusChanged::default() };
    let fact = FactRecorded { subject_id: id(held), office_id: office(), ..FactRecorded::default() };
    let described = SubjectDescribed { subject_id: id(held), ..SubjectDescribed::default() };
    let consents = ConsentsChanged { case_id: id(offered), ..ConsentsChanged::default() };
    let erased = |case: &str| PersonErased { case_id: id(case), ..PersonErased::default() };
    let said = [
        ("spean.cases.v1.CaseRegistered", theirs, registered(theirs).encode_to_vec()),
        ("spean.cases.v1.CaseRegistered", held, registered(held).encode_to_vec()),
        ("spean.cases.v1.PersonErased", offered, erased(offered).encode_to_vec()),
        ("spean.cases.v1.PersonErased", held, erased(held).encode_to_vec()),
        ("spean.cases.v1.ConsentsChanged", offered, consents.encode_to_vec()),
        ("spean.cases.v1.CaseMerged", offered, merged.encode_to_vec()),
        ("spean.cases.v1.CasesLinked", held, linked.encode_to_vec()),
        ("spean.referral.v1.StandingChanged", held, standing(held, KANDAL, Standing::Held).encode_to_vec()),
        ("spean.referral.v1.StandingChanged", theirs, standing(theirs, KANDAL, Standing::Holds).encode_to_vec()),
        ("spean.referral.v1.StageReached", offered, stage.encode_to_vec()),
        ("spean.referral.v1.PersonSeenAgain", held, seen.encode_to_vec()),
        ("spean.referral.v1.OfferAnswered", held, answered.encode_to_vec()),
        ("spean.repatriation.v1.ArrivalRegistered", held, arrival.encode_to_vec()),
        ("spean.repatriation.v1.SamePersonConfirmed", held, same.encode_to_vec()),
        ("spean.directory.v1.OfficeStatusChanged", "", status.encode_to_vec()),
        ("spean.insight.v1.FactRecorded", "", fact.encode_to_vec()),
        ("spean.insight.v1.SubjectDescribed", "", described.encode_to_vec()),
    ];
    said.into_iter().map(|(kind, case, body)| Lie::new(kind, case, body)).collect()
}

fn case(text: &str) -> CaseId {
    text.parse().unwrap()
}

fn offer(text: &str) -> OfferId {
    text.parse().unwrap()
}

fn new_offer() -> OfferId {
    offer(&spean::demonstration::staff::new_id())
}

fn terms() -> OfferTerms {
    OfferTerms {
        kind: OfferKind::Transfer,
        need: Need::Shelter,
        urgency: Urgency::Urgent,
        answer_due_at: Timestamp::from_micros(0),
        case_number: None,
        preview: Preview { sex: Sex::Female, age_band: AgeBand::Unknown, language: None },
        dossier_digest: None,
        consent: None,
        instead_of: None,
        meant_for: None,
        redirected_because: None,
    }
}

/// Certificates by which a case belongs to whoever has the keys, signed with these keys.
fn chain(rogue: &Rogue, of: CaseId, by: &Party, holder: &Party, through: Option<OfferId>) -> Vec<SignedCertificate> {
    let signed = |certificate: Certificate| {
        let signature = sign(&rogue.keys, SIGNATURE_PURPOSE, &certificate.canonical_bytes());
        let signature = CertificateSignature::new(certificate.issued_by.clone(), &signature);
        SignedCertificate { certificate, signatures: vec![signature] }
    };
    let first = Certificate {
        case: of,
        term: 0,
        epoch: 0,
        holder: by.clone(),
        issued_by: by.clone(),
        offer: None,
        previous: None,
        issued_at: Timestamp::from_micros(0),
        basis: None,
    };
    let second = Certificate {
        epoch: 1,
        holder: holder.clone(),
        offer: through,
        previous: Some(first.digest()),
        ..first.clone()
    };
    vec![signed(first), signed(second)]
}

/// What another desk says of cases that are not its own. `us` is whom it is said to, `them` somebody honest.
pub(crate) fn about_cases(scene: &Scene, rogue: &Rogue, [us, them, evil]: [&Party; 3]) -> Vec<Lie> {
    let (held, theirs) = (case(&scene.held), case(&scene.theirs));
    let (offered, our_offer) = (case(&scene.offered.0), offer(&scene.offered.1));
    let (asked, their_offer) = (case(&scene.asked.0), offer(&scene.asked.1));
    let position = Position { term: 0, epoch: 9 };
    let overriding = Certificate {
        case: held,
        term: 7,
        epoch: 7,
        holder: evil.clone(),
        issued_by: evil.clone(),
        offer: None,
        previous: None,
        issued_at: Timestamp::from_micros(0),
        basis: Some(LegalBasis::HolderUnreachable),
    };
    let proposal = overriding.digest();
    let signature = CertificateSignature::new(evil.clone(), &sign(&rogue.keys, SIGNATURE_PURPOSE, b"something else"));
    let mine = [
        Message::Offer { case: held, offer: new_offer(), position, terms: terms() },
        Message::Withdraw { case: asked, offer: their_offer, reason: WithdrawReason::AnotherWayFound },
        Message::Accept { case: offered, offer: our_offer, term: 0 },
        Message::Accept { case: held, offer: new_offer(), term: 0 },
        Message::Decline { case: offered, offer: our_offer, reason: DeclineReason::NoCapacity, successor: None },
        Message::Agreed { case: asked, offer: their_offer },
        Message::Reminder { case: asked, offer: their_offer, number: 3 },
        Message::Conclusion { case: offered, offer: our_offer, outcome: ServiceOutcome::Completed },
        Message::Transfer { case: asked, offer: their_offer, chain: chain(rogue, asked, them, us, Some(their_offer)) },
        Message::Transfer { case: theirs, offer: new_offer(), chain: chain(rogue, theirs, them, evil, None) },
        Message::Witness { case: held, chain: chain(rogue, held, us, evil, Some(our_offer)) },
        Message::Witness { case: theirs, chain: chain(rogue, theirs, them, evil, None) },
        Message::Override { case: held, chain: chain(rogue, held, evil, evil, None) },
        Message::OverrideProposed { case: held, certificate: overriding, chain: chain(rogue, held, us, evil, None) },
        Message::OverrideConsented { case: held, proposal },
        Message::OverrideCosigned { case: held, proposal, signature },
    ];
    let elsewhere = Party { node: them.node.clone(), office: us.office.clone() };
    let withdrawal = Message::Withdraw { case: asked, offer: their_offer, reason: WithdrawReason::AnotherWayFound };
    let spoofs = [
        Lie::of_custody(them, us, &withdrawal),
        Lie::of_custody(&Party { node: evil.node.clone(), office: them.office.clone() }, us, &withdrawal),
        Lie::of_custody(evil, them, &withdrawal),
        Lie::of_custody(evil, &elsewhere, &withdrawal),
        Lie { case: scene.held.clone(), ..Lie::of_custody(evil, us, &withdrawal) },
    ];
    mine.iter().map(|message| Lie::of_custody(evil, us, message)).chain(spoofs).collect()
}

/// Transfers of cases that nobody offered, with a chain that says so.
pub(crate) fn forged_chain(rogue: &Rogue, count: usize) -> Vec<Lie> {
    let party = |node: &str, office: &str| Party { node: node.parse().unwrap(), office: office.parse().unwrap() };
    let (evil, us) = (party(rogue.node.as_str(), SHELTER), party(rogue.victim.as_str(), KANDAL));
    let forged = |_| {
        let (of, through) = (case(&spean::demonstration::staff::new_id()), new_offer());
        let chain = chain(rogue, of, &evil, &us, Some(through));
        Lie::of_custody(&evil, &us, &Message::Transfer { case: of, offer: through, chain })
    };
    (0..count).map(forged).collect()
}

/// A letter as it is returned to a node that lost it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Numbered {
    #[prost(uint64, tag = "1")]
    pub(crate) incarnation: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) sequence: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) content: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Returned {
    #[prost(uint64, tag = "1")]
    for_incarnation: u64,
    #[prost(uint32, tag = "2")]
    part: u32,
    #[prost(uint32, tag = "3")]
    parts: u32,
    #[prost(message, repeated, tag = "4")]
    got: Vec<Numbered>,
    #[prost(uint64, tag = "6")]
    incarnation: u64,
}

/// What a peer returns.
pub(crate) fn returned(for_incarnation: u64, part: u32, parts: u32, got: Vec<Numbered>) -> Vec<u8> {
    Returned { for_incarnation, part, parts, got, incarnation: 1 }.encode_to_vec()
}

/// What the node is supposed to have said and forgot.
pub(crate) fn never_said(scene: &Scene, rogue: &Rogue, [us, them, evil]: [&Party; 3]) -> Vec<Numbered> {
    let held = case(&scene.held);
    let (offered, our_offer) = (case(&scene.offered.0), offer(&scene.offered.1));
    let (asked, their_offer) = (case(&scene.asked.0), offer(&scene.asked.1));
    let chain = chain(rogue, held, us, evil, Some(our_offer));
    let said = [
        Lie::of_custody(us, evil, &Message::Transfer { case: held, offer: our_offer, chain: chain.clone() }),
        Lie::of_custody(us, evil, &Message::Witness { case: held, chain }),
        Lie::of_custody(us, them, &Message::Accept { case: asked, offer: their_offer, term: 0 }),
        Lie::of_custody(
            us,
            them,
            &Message::Withdraw { case: offered, offer: our_offer, reason: WithdrawReason::AnotherWayFound },
        ),
        Lie::of_custody(them, evil, &Message::Accept { case: asked, offer: their_offer, term: 0 }),
    ];
    let numbered = said.into_iter().zip(1..).map(|(lie, sequence)| {
        let content = Content {
            from_service: "referral".to_owned(),
            to_service: "referral".to_owned(),
            kind: lie.kind,
            case: lie.case,
            body: lie.body,
            attachment: None,
        };
        Numbered { incarnation: 1, sequence, content: content.encode_to_vec() }
    });
    numbered.collect()
}
