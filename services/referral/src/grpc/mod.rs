//! Protobuf to commands and queries, and back. No rules.

mod custody;
mod offers;
mod operations;
mod read;
mod write;

use spean_chassis::{Call, status};
use spean_contracts::referral::v1 as wire;
use spean_contracts::referral::v1::referral_service_server::ReferralService;
use spean_custody::case::{CaseCustody, Command, Situation};
use spean_eventstore::EventStore;
use spean_identity::Standing;
use spean_messaging::Post;
use spean_vocabulary::{CaseId, OfficeId};
use tonic::{Request, Response, Status};

use crate::desk::{Desk, stream};
use crate::worklist::{self, Entry};

/// The desk over gRPC.
pub(crate) struct Grpc {
    pub(crate) desk: Desk,
    pub(crate) store: EventStore,
    pub(crate) post: Post,
}

macro_rules! methods {
    ($($method:ident $name:ident $request:ident $response:ident)*) => {
        #[tonic::async_trait]
        impl ReferralService for Grpc {
            $(
                async fn $method(&self, request: Request<wire::$request>) -> Result<Response<wire::$response>, Status> {
                    let (call, request) = self.desk.node.gate.open(stringify!($name), request)?;
                    self.$method(&call, request).await.map(Response::new)
                }
            )*
        }
    };
}

methods! {
    offer_referral OfferReferral OfferReferralRequest OfferReferralResponse
    withdraw_offer WithdrawOffer WithdrawOfferRequest WithdrawOfferResponse
    accept_offer AcceptOffer AcceptOfferRequest AcceptOfferResponse
    decline_offer DeclineOffer DeclineOfferRequest DeclineOfferResponse
    conclude_service ConcludeService ConcludeServiceRequest ConcludeServiceResponse
    get_offer GetOffer GetOfferRequest GetOfferResponse
    list_worklist ListWorklist ListWorklistRequest ListWorklistResponse
    list_held_cases ListHeldCases ListHeldCasesRequest ListHeldCasesResponse
    open_dossier OpenDossier OpenDossierRequest OpenDossierResponse
    get_custody GetCustody GetCustodyRequest GetCustodyResponse
    propose_override ProposeOverride ProposeOverrideRequest ProposeOverrideResponse
    consent_to_override ConsentToOverride ConsentToOverrideRequest ConsentToOverrideResponse
    cosign_override CosignOverride CosignOverrideRequest CosignOverrideResponse
    list_override_proposals ListOverrideProposals ListOverrideProposalsRequest ListOverrideProposalsResponse
    reconcile Reconcile ReconcileRequest ReconcileResponse
    list_dead_letters ListDeadLetters ListDeadLettersRequest ListDeadLettersResponse
    retry_dead_letter RetryDeadLetter RetryDeadLetterRequest RetryDeadLetterResponse
    discard_dead_letter DiscardDeadLetter DiscardDeadLetterRequest DiscardDeadLetterResponse
    get_node_status GetNodeStatus GetNodeStatusRequest GetNodeStatusResponse
}

impl Grpc {
    /// A node that came back from a backup decides nothing until its peers have answered.
    fn refuse_while_recovering(&self) -> Result<(), Status> {
        if self.post.is_recovering() {
            return Err(status::unavailable(
                "RECOVERING",
                "this node came back from a backup and waits for its peers; nothing is decided meanwhile",
            ));
        }
        Ok(())
    }

    fn situation(&self, call: &Call) -> Result<Situation, Status> {
        let situation = self.desk.situation(call.context()?);
        situation.ok_or_else(|| status::forbidden("OFFICE_NOT_IN_DIRECTORY", "the directory does not know this office"))
    }

    async fn handle(&self, call: &Call, case: CaseId, command: Command) -> Result<CaseCustody, Status> {
        self.refuse_while_recovering()?;
        let id = stream(call.office()?, case);
        let handled = self.store.handle::<CaseCustody>(id.clone(), command, self.situation(call)?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(self.store.load::<CaseCustody>(&id).await.map_err(|error| status::store(&error))?.state)
    }

    /// What an office has to do with a case, by its own log: never by a copy.
    async fn standing(&self, office: &OfficeId, case: CaseId) -> Result<Standing, Status> {
        use spean_custody::case::Standing as Custody;
        let custody = self.store.load::<CaseCustody>(&stream(office, case)).await;
        Ok(match custody.map_err(|error| status::store(&error))?.state.standing() {
            Custody::None => Standing::Stranger,
            Custody::Offered | Custody::Informed => Standing::Offered,
            Custody::Bound | Custody::Serving => Standing::Bound,
            Custody::Held => Standing::Holds,
            Custody::Former => Standing::HeldBefore,
        })
    }

    async fn permit(&self, call: &Call, what: &'static str, case: CaseId) -> Result<(), Status> {
        let standing = self.standing(call.office()?, case).await?;
        self.desk.node.gate.permit(call, what, standing)
    }

    /// An offer that the caller's office knows, and may ask about in this way.
    async fn offer(&self, call: &Call, offer: &str) -> Result<(spean_vocabulary::OfferId, CaseId, Entry), Status> {
        let offer = spean_chassis::field::parse("offer_id", offer)?;
        let entry = worklist::find(call.office()?, offer, self.store.reader()).await.map_err(status::query)?;
        let entry = entry.ok_or_else(|| status::not_found("offer"))?;
        let case = entry.case_id.parse().map_err(|_| status::not_found("offer"))?;
        self.permit(call, "offer", case).await?;
        Ok((offer, case, entry))
    }
}
