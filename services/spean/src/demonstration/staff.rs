//! A member of staff at their desk: the public gRPC interface and nothing else.

use anyhow::Context as _;
use spean_contracts::cases::v1::attachment_service_client::AttachmentServiceClient;
use spean_contracts::cases::v1::cases_service_client::CasesServiceClient;
use spean_contracts::cases::v1::{
    BestInterestDecision, Consent, Function, GetCaseRequest, GetCaseResponse, Guardian, RecordConsentRequest,
    RegisterPersonRequest, RegisterPersonResponse,
};
use spean_contracts::directory::v1::WhoServesRequest;
use spean_contracts::directory::v1::WhoServesResponse;
use spean_contracts::directory::v1::directory_service_client::DirectoryServiceClient;
use spean_contracts::followup::v1::followup_service_client::FollowupServiceClient;
use spean_contracts::followup::v1::fund_service_client::FundServiceClient;
use spean_contracts::followup::v1::meeting_service_client::MeetingServiceClient;
use spean_contracts::followup::v1::safety_service_client::SafetyServiceClient;
use spean_contracts::followup::v1::supervision_service_client::SupervisionServiceClient;
use spean_contracts::followup::v1::support_service_client::SupportServiceClient;
use spean_contracts::insight::v1::insight_service_client::InsightServiceClient;
use spean_contracts::referral::v1::need_service_client::NeedServiceClient;
use spean_contracts::referral::v1::referral_service_client::ReferralServiceClient;
use spean_contracts::referral::v1::report_service_client::ReportServiceClient;
use spean_contracts::referral::v1::{
    AcceptOfferRequest, GetOfferRequest, HeldCase, ListHeldCasesRequest, ListWorklistRequest, Offer, OfferKind,
    OfferReferralRequest, OfferState, Worklist,
};
use spean_contracts::repatriation::v1::repatriation_service_client::RepatriationServiceClient;
use spean_contracts::shelter::v1::shelter_service_client::ShelterServiceClient;
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, PageRequest, Part, Person, Urgency};
use spean_vocabulary::kind;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The day of the decisions of the demonstration: before any case of it.
const DECIDED_ON: &str = "2026-01-01";
/// The largest answer with a file, in bytes.
const LARGEST_FILE_BYTES: usize = 6 * 1024 * 1024;
/// Rows asked for at a time.
const PAGE: i32 = 200;

/// How often an offer is asked for again while the consent is on its way.
const ASKED_AGAIN: usize = 9;

/// Somebody at work.
#[derive(Clone)]
pub struct Staff {
    channel: Channel,
    token: MetadataValue<Ascii>,
    office: String,
}

/// What is asked for with an offer.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Service or transfer.
    pub kind: OfferKind,
    /// What is needed.
    pub need: Need,
    /// How soon.
    pub urgency: Urgency,
}

impl Staff {
    /// Connects to a node.
    pub async fn connect(address: &str, office: &str, token: &str) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await;
        let channel = channel.with_context(|| format!("{office} at {address}"))?;
        let token = format!("Bearer {token}").parse().context("the token")?;
        Ok(Self { channel, token, office: office.to_owned() })
    }

    /// The office they work for.
    pub fn office(&self) -> &str {
        &self.office
    }

    /// A request in their name.
    pub fn ask<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }

    /// The register.
    pub fn cases(&self) -> CasesServiceClient<Channel> {
        CasesServiceClient::new(self.channel.clone())
    }

    /// Papers and photographs of people.
    pub fn attachments(&self) -> AttachmentServiceClient<Channel> {
        AttachmentServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_FILE_BYTES)
    }

    /// The directory.
    pub fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    /// The visits.
    pub fn followup(&self) -> FollowupServiceClient<Channel> {
        FollowupServiceClient::new(self.channel.clone())
    }

    /// Dangers, people who are lost, contradictions.
    pub fn safety(&self) -> SafetyServiceClient<Channel> {
        SafetyServiceClient::new(self.channel.clone())
    }

    /// The office's till.
    pub fn fund(&self) -> FundServiceClient<Channel> {
        FundServiceClient::new(self.channel.clone())
    }

    /// Help that was given.
    pub fn support(&self) -> SupportServiceClient<Channel> {
        SupportServiceClient::new(self.channel.clone())
    }

    /// The coordination meeting.
    pub fn meeting(&self) -> MeetingServiceClient<Channel> {
        MeetingServiceClient::new(self.channel.clone())
    }

    /// Figures.
    pub fn insight(&self) -> InsightServiceClient<Channel> {
        InsightServiceClient::new(self.channel.clone())
    }

    /// Who does the work.
    pub fn supervision(&self) -> SupervisionServiceClient<Channel> {
        SupervisionServiceClient::new(self.channel.clone())
    }

    /// The desk.
    pub fn referral(&self) -> ReferralServiceClient<Channel> {
        ReferralServiceClient::new(self.channel.clone())
    }

    /// Needs, places and waiting lists.
    pub fn needs(&self) -> NeedServiceClient<Channel> {
        NeedServiceClient::new(self.channel.clone())
    }

    /// Reports, and news of cases.
    pub fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel.clone())
    }

    /// The transit centre's register.
    pub fn repatriation(&self) -> RepatriationServiceClient<Channel> {
        RepatriationServiceClient::new(self.channel.clone())
    }

    /// The shelter.
    pub fn shelter(&self) -> ShelterServiceClient<Channel> {
        ShelterServiceClient::new(self.channel.clone())
    }

    /// Opens a case.
    pub async fn register(&self, case: &str, person: Person) -> Result<RegisterPersonResponse, Status> {
        let request =
            RegisterPersonRequest { case_id: case.to_owned(), person: Some(person), registered_on: String::new() };
        Ok(self.cases().register_person(self.ask(request)).await?.into_inner())
    }

    /// That the whole file may go to any office that is asked to help, on the given word: of the person, of a grandparent,
    /// or by a decision of two social workers of this office.
    fn wide_consent(&self, basis: ConsentBasis) -> Consent {
        Consent {
            consent_id: new_id(),
            basis: basis.into(),
            parts: [Part::Identity, Part::Contact, Part::Narrative].map(Into::into).to_vec(),
            given_by: match basis {
                ConsentBasis::Guardian => Guardian::Grandparent.into(),
                _ => Guardian::Unspecified.into(),
            },
            decision: (basis == ConsentBasis::BestInterest).then(|| decision(DECIDED_ON, &self.office)),
            ..Consent::default()
        }
    }

    /// Records that the whole file may go to any office that is asked to help.
    pub async fn consent(&self, case: &str, basis: ConsentBasis) -> Result<(), Status> {
        let consent = self.wide_consent(basis);
        let request = RecordConsentRequest { case_id: case.to_owned(), consent: Some(consent) };
        self.cases().record_consent(self.ask(request)).await?;
        Ok(())
    }

    /// Offers a case; the answer is the offer's id.
    pub async fn offer(&self, case: &str, to: &str, asking: Asking) -> Result<String, Status> {
        let offer_id = new_id();
        let request = OfferReferralRequest {
            offer_id: offer_id.clone(),
            case_id: case.to_owned(),
            to_office_id: to.to_owned(),
            kind: asking.kind.into(),
            need: asking.need.into(),
            urgency: asking.urgency.into(),
            ..OfferReferralRequest::default()
        };
        // The desk hears of a consent a moment after the register has it; on a busy machine the moment is longer than
        // it waits. People ask again, and the same id makes that harmless.
        for _ in 0..ASKED_AGAIN {
            match self.referral().offer_referral(self.ask(request.clone())).await {
                Err(status) if status.message().starts_with("no consent covers") => {}
                // It waits for news of a case that was opened a moment ago, too.
                Err(status) if status.code() == tonic::Code::NotFound => {}
                answered => return answered.map(|_| offer_id),
            }
        }
        self.referral().offer_referral(self.ask(request)).await?;
        Ok(offer_id)
    }

    /// Says yes.
    pub async fn accept(&self, offer: &str) -> Result<(), Status> {
        let request = AcceptOfferRequest { offer_id: offer.to_owned(), ..AcceptOfferRequest::default() };
        self.referral().accept_offer(self.ask(request)).await?;
        Ok(())
    }

    /// An offer as this office sees it; none when it has not heard of it.
    pub async fn see(&self, offer: &str) -> Result<Option<Offer>, Status> {
        let request = GetOfferRequest { offer_id: offer.to_owned() };
        match self.referral().get_offer(self.ask(request)).await {
            Ok(response) => Ok(response.into_inner().offer),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// How an offer stands here; unspecified when this office has not heard of it.
    pub async fn state(&self, offer: &str) -> Result<OfferState, Status> {
        Ok(self.see(offer).await?.map_or(OfferState::Unspecified, |offer| offer.state()))
    }

    /// The offers on a worklist, all pages.
    pub async fn worklist(&self, worklist: Worklist) -> Result<Vec<Offer>, Status> {
        let mut offers = Vec::new();
        let mut token = String::new();
        loop {
            let page = Some(PageRequest { size: PAGE, token });
            let request = ListWorklistRequest { worklist: worklist.into(), page };
            let response = self.referral().list_worklist(self.ask(request)).await?.into_inner();
            offers.extend(response.offers);
            token = response.page.map(|page| page.next_token).unwrap_or_default();
            if token.is_empty() {
                return Ok(offers);
            }
        }
    }

    /// The cases that this office holds, all pages.
    pub async fn held(&self) -> Result<Vec<HeldCase>, Status> {
        let mut cases = Vec::new();
        let mut token = String::new();
        loop {
            let request = ListHeldCasesRequest { page: Some(PageRequest { size: PAGE, token }) };
            let response = self.referral().list_held_cases(self.ask(request)).await?.into_inner();
            cases.extend(response.cases);
            token = response.page.map(|page| page.next_token).unwrap_or_default();
            if token.is_empty() {
                return Ok(cases);
            }
        }
    }

    /// Whether this office holds a case.
    pub async fn holds(&self, case: &str) -> Result<bool, Status> {
        Ok(self.held().await?.iter().any(|held| held.case_id == case))
    }

    /// A case, with the person when a purpose is given.
    pub async fn case(&self, case: &str, purpose: &str) -> Result<GetCaseResponse, Status> {
        let request = GetCaseRequest { case_id: case.to_owned(), purpose: purpose.to_owned() };
        Ok(self.cases().get_case(self.ask(request)).await?.into_inner())
    }

    /// Who serves a place.
    pub async fn who_serves(&self, place: &str) -> Result<WhoServesResponse, Status> {
        let request = WhoServesRequest { place: place.to_owned(), ..WhoServesRequest::default() };
        Ok(self.directory().who_serves(self.ask(request)).await?.into_inner())
    }
}

/// A decision in the best interest, by two social workers of an office.
pub fn decision(decided_on: &str, office: &str) -> BestInterestDecision {
    BestInterestDecision {
        decided_on: decided_on.to_owned(),
        decided_by: office.to_owned(),
        deciders: vec![Function::SocialWorker.into(); 2],
    }
}

/// A fresh id, as any client makes one.
pub fn new_id() -> String {
    spean_chassis::mint::<kind::Command>().to_string()
}
