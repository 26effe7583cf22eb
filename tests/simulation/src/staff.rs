//! What people ask for, through the gRPC interface of their node and nothing else.

use spean::staff::{Wanted, token};
use spean_chassis::Node;
use spean_contracts::cases::v1::cases_service_client::CasesServiceClient;
use spean_contracts::cases::v1::{Consent, GetCaseRequest, RecordConsentRequest, RegisterPersonRequest};
use spean_contracts::referral::v1::referral_service_client::ReferralServiceClient;
use spean_contracts::referral::v1::{
    AcceptOfferRequest, ConcludeServiceRequest, ConsentToOverrideRequest, CosignOverrideRequest, DeclineOfferRequest,
    DeclineReason, GetCustodyRequest, GetCustodyResponse, HeldCase, LegalBasis, ListHeldCasesRequest,
    ListOverrideProposalsRequest, ListWorklistRequest, Offer, OfferKind, OfferReferralRequest, OverrideProposal,
    ProposeOverrideRequest, ServiceOutcome, WithdrawOfferRequest, WithdrawReason, Worklist,
};
use spean_contracts::vocabulary::v1::{
    Birth, ConsentBasis, Name, Need, PageRequest, Part, Person, Sex, Urgency, birth,
};
use spean_identity::Role;
use tonic::service::Routes;
use tonic::{Request, Status};

use crate::casework::Work;
use crate::network::{OFFICES, node_id};
use crate::node::Up;

/// Rows asked for at a time: all there will ever be.
pub(crate) const PAGE: i32 = 200;

/// Something that people ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Register { case: String, number: usize },
    Consent { case: String, consent: String },
    Offer { offer: String, case: String, to: usize, kind: OfferKind },
    Accept { offer: String },
    Decline { offer: String },
    Withdraw { offer: String },
    Conclude { offer: String },
    Propose { case: String, to: usize },
    ConsentToOverride { case: String, proposal: String },
    Cosign { case: String, proposal: String },
    Work(Work),
}

/// Somebody at work at an office.
pub(crate) struct Staff {
    node: Node,
    pub(crate) routes: Routes,
    office: usize,
}

impl Staff {
    /// At an office that this node serves.
    pub(crate) fn at(up: &Up, office: usize) -> Self {
        Self { node: up.node.clone(), routes: up.parts.routes.clone(), office }
    }

    pub(crate) fn request<T>(&self, message: T, command: Option<&str>) -> Result<Request<T>, Status> {
        let (office, node) = OFFICES[self.office];
        let wanted = Wanted {
            node: node_id(node),
            staff: "sim-01".parse().expect("a sound staff number"),
            offices: vec![office.parse().expect("a sound name of an office")],
            roles: vec![Role::Caseworker, Role::Supervisor, Role::Administrator, Role::Authority],
            hours: 1,
        };
        let (keys, directory) = (&self.node.keys, self.node.directory.current());
        let token = token(keys, &directory, wanted, self.node.clock.now());
        let token = token.map_err(|error| Status::unauthenticated(error.to_string()))?;
        let mut request = Request::new(message);
        let header = format!("Bearer {token}").parse().expect("a token is text");
        request.metadata_mut().insert("authorization", header);
        if let Some(command) = command {
            request.metadata_mut().insert("spean-command-id", command.parse().expect("an id is text"));
        }
        Ok(request)
    }

    /// Asks, under this command id.
    pub(crate) async fn ask(&self, ask: &Ask, under: &str) -> Result<(), Status> {
        let mut cases = CasesServiceClient::new(self.routes.clone());
        let mut desk = ReferralServiceClient::new(self.routes.clone());
        let command = Some(under);
        match ask.clone() {
            Ask::Register { case, number } => {
                let request = RegisterPersonRequest {
                    case_id: case,
                    person: Some(invented(number)),
                    registered_on: String::new(),
                };
                cases.register_person(self.request(request, command)?).await.map(drop)
            }
            Ask::Consent { case, consent } => {
                let consent = Consent {
                    consent_id: consent,
                    basis: ConsentBasis::Person.into(),
                    parts: [Part::Identity, Part::Contact, Part::Narrative].map(Into::into).to_vec(),
                    ..Consent::default()
                };
                let request = RecordConsentRequest { case_id: case, consent: Some(consent) };
                cases.record_consent(self.request(request, command)?).await.map(drop)
            }
            Ask::Offer { offer, case, to, kind } => {
                let request = OfferReferralRequest {
                    offer_id: offer,
                    case_id: case,
                    to_office_id: OFFICES[to].0.to_owned(),
                    kind: kind.into(),
                    need: Need::ReintegrationFollowUp.into(),
                    urgency: Urgency::Urgent.into(),
                    ..OfferReferralRequest::default()
                };
                desk.offer_referral(self.request(request, command)?).await.map(drop)
            }
            Ask::Accept { offer } => {
                let request = AcceptOfferRequest { offer_id: offer, ..AcceptOfferRequest::default() };
                desk.accept_offer(self.request(request, command)?).await.map(drop)
            }
            Ask::Decline { offer } => {
                let request = DeclineOfferRequest { offer_id: offer, reason: DeclineReason::NotEligible.into() };
                desk.decline_offer(self.request(request, command)?).await.map(drop)
            }
            Ask::Withdraw { offer } => {
                let request = WithdrawOfferRequest { offer_id: offer, reason: WithdrawReason::SentByMistake.into() };
                desk.withdraw_offer(self.request(request, command)?).await.map(drop)
            }
            Ask::Conclude { offer } => {
                let request = ConcludeServiceRequest { offer_id: offer, outcome: ServiceOutcome::Completed.into() };
                desk.conclude_service(self.request(request, command)?).await.map(drop)
            }
            Ask::Propose { case, to } => {
                let request = ProposeOverrideRequest {
                    case_id: case,
                    new_holder_office_id: OFFICES[to].0.to_owned(),
                    legal_basis: LegalBasis::CourtOrder.into(),
                };
                desk.propose_override(self.request(request, command)?).await.map(drop)
            }
            Ask::ConsentToOverride { case, proposal } => {
                let request = ConsentToOverrideRequest { case_id: case, proposal };
                desk.consent_to_override(self.request(request, command)?).await.map(drop)
            }
            Ask::Cosign { case, proposal } => {
                let request = CosignOverrideRequest { case_id: case, proposal };
                desk.cosign_override(self.request(request, command)?).await.map(drop)
            }
            Ask::Work(work) => self.work(&work, under).await,
        }
    }

    /// The offers of the office on a worklist.
    pub(crate) async fn worklist(&self, worklist: Worklist) -> Result<Vec<Offer>, Status> {
        let mut desk = ReferralServiceClient::new(self.routes.clone());
        let page = Some(PageRequest { size: PAGE, token: String::new() });
        let request = ListWorklistRequest { worklist: worklist.into(), page };
        Ok(desk.list_worklist(self.request(request, None)?).await?.into_inner().offers)
    }

    /// The cases that it holds.
    pub(crate) async fn held(&self) -> Result<Vec<HeldCase>, Status> {
        let mut desk = ReferralServiceClient::new(self.routes.clone());
        let page = Some(PageRequest { size: PAGE, token: String::new() });
        Ok(desk.list_held_cases(self.request(ListHeldCasesRequest { page }, None)?).await?.into_inner().cases)
    }

    /// Who holds a case, as the office knows it.
    pub(crate) async fn custody(&self, case: &str) -> Result<Option<GetCustodyResponse>, Status> {
        let mut desk = ReferralServiceClient::new(self.routes.clone());
        let request = GetCustodyRequest { case_id: case.to_owned() };
        match desk.get_custody(self.request(request, None)?).await {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// Whether the register of the node has a case, and whose it is.
    pub(crate) async fn has_case(&self, case: &str) -> Result<bool, Status> {
        let mut cases = CasesServiceClient::new(self.routes.clone());
        let request = GetCaseRequest { case_id: case.to_owned(), purpose: String::new() };
        match cases.get_case(self.request(request, None)?).await {
            Ok(_) => Ok(true),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(false),
            Err(status) => Err(status),
        }
    }

    /// The overrides that wait for the office.
    pub(crate) async fn proposals(&self) -> Result<Vec<OverrideProposal>, Status> {
        let mut desk = ReferralServiceClient::new(self.routes.clone());
        let answer = desk.list_override_proposals(self.request(ListOverrideProposalsRequest {}, None)?).await?;
        Ok(answer.into_inner().proposals)
    }
}

/// A grown-up who does not exist; another one for each number.
pub(crate) fn invented(number: usize) -> Person {
    // Letters that never resemble each other much, so that nobody seems to be known already.
    let word = |salt: usize| -> String {
        let mut left = (number + 1).wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(40_503));
        (0..7)
            .map(|_| {
                let letter = char::from(b'a' + u8::try_from(left % 26).expect("one of 26"));
                left /= 7;
                letter
            })
            .collect()
    };
    let name = |salt| Some(Name { family: word(salt), given: word(salt + 1) });
    Person {
        khmer_name: None,
        latin_name: name(1),
        sex: Sex::Female.into(),
        birth: Some(Birth {
            known: Some(birth::Known::Year(1950 + i32::try_from(number % 50).expect("a small number"))),
        }),
        nationality: "KH".to_owned(),
        languages: vec!["km".to_owned()],
        home_place: "0802".to_owned(),
        narrative: "somebody who was never there".to_owned(),
        ..Person::default()
    }
}
