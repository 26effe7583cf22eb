//! Protobuf to commands and queries, and back. No rules.

mod asked;
mod bulk;
mod custody;
mod moves;
mod needs;
mod news;
mod offers;
mod operations;
pub(crate) mod read;
mod reports;
pub(crate) mod write;

pub(crate) use reports::Reports;

use spean_chassis::{Call, status};
use spean_contracts::referral::v1 as wire;
use spean_contracts::referral::v1::referral_service_server::ReferralService;
use spean_custody::case::{CaseCustody, Command, Situation};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, TransactError};
use spean_identity::Standing;
use spean_messaging::Post;
use spean_vocabulary::{CaseId, OfferId, OfficeId};
use tonic::{Code, Request, Response, Status};

use crate::desk::{Desk, stream};
use crate::needs::offers::{Along, Undone};
use crate::routing::Routing;
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
    offer_many OfferMany OfferManyRequest OfferManyResponse
    accept_many AcceptMany AcceptManyRequest AcceptManyResponse
    decline_many DeclineMany DeclineManyRequest DeclineManyResponse
    list_cases_to_move_down ListCasesToMoveDown ListCasesToMoveDownRequest ListCasesToMoveDownResponse
    move_down MoveDown MoveDownRequest MoveDownResponse
    list_cases_to_hand_over ListCasesToHandOver ListCasesToHandOverRequest ListCasesToHandOverResponse
    hand_over_cases HandOverCases HandOverCasesRequest HandOverCasesResponse
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
        if self.post.is_recovering() { Err(recovering()) } else { Ok(()) }
    }

    /// The circumstances in which a caller decides for an office: their own, or one that it answers for.
    fn situation(&self, call: &Call, office: &OfficeId) -> Result<Situation, Status> {
        let context = Context { office: office.clone(), ..call.context()? };
        let situation = self.desk.situation(context);
        situation.ok_or_else(|| status::forbidden("OFFICE_NOT_IN_DIRECTORY", "the directory does not know this office"))
    }

    async fn handle(&self, call: &Call, case: CaseId, command: Command) -> Result<CaseCustody, Status> {
        self.handle_for(call, call.office()?, case, command).await
    }

    async fn handle_for(
        &self,
        call: &Call,
        office: &OfficeId,
        case: CaseId,
        command: Command,
    ) -> Result<CaseCustody, Status> {
        self.refuse_while_recovering()?;
        let id = stream(office, case);
        let metadata = Metadata { office: office.clone(), ..call.metadata()? };
        let handled = self.store.handle::<CaseCustody>(id.clone(), command, self.situation(call, office)?, metadata);
        handled.await.map_err(status::handled)?;
        Ok(self.store.load::<CaseCustody>(&id).await.map_err(|error| status::store(&error))?.state)
    }

    /// Decides about an offer, with what it means for needs and places.
    async fn handle_with(
        &self,
        call: &Call,
        (office, case): (&OfficeId, CaseId),
        command: Command,
        along: Along,
    ) -> Result<(), Status> {
        self.refuse_while_recovering()?;
        let metadata = Metadata { office: office.clone(), ..call.metadata()? };
        let (office, situation) = (office.clone(), self.situation(call, office)?);
        let prepared = command.clone();
        let decided = self.store.transact(move |transaction| {
            Box::pin(async move {
                let place = (&office, case);
                let decided = crate::needs::offers::decide(place, command, &along, &situation, &metadata, transaction);
                decided.await.map_err(|undone| match undone {
                    Undone::Refused(refused) => refused,
                    Undone::Failed(error) => status::handled(error),
                })
            })
        });
        let decided = decided.await;
        if let Err(TransactError::Work(_)) = &decided {
            self.discard(&prepared).await;
        }
        decided.map_err(status::transacted)
    }

    /// Deletes what was put together for an offer that was refused.
    async fn discard(&self, refused: &Command) {
        if let Command::Offer { offer, terms, .. } = refused
            && let Some(digest) = terms.dossier_digest
        {
            crate::dossiers::discard(&self.desk.node.vault, *offer, digest).await;
        }
    }

    /// What an office has to do with a case, by its own log: never by a copy.
    async fn standing(&self, office: &OfficeId, case: CaseId) -> Result<Standing, Status> {
        standing_of(&self.store, office, case).await
    }

    async fn permit(&self, call: &Call, what: &'static str, case: CaseId) -> Result<(), Status> {
        let standing = self.standing(call.office()?, case).await?;
        self.desk.node.gate.permit(call, what, standing)
    }

    /// An offer that the caller's office knows, and may ask about in this way.
    async fn offer(&self, call: &Call, offer: &str) -> Result<(OfferId, CaseId, Entry), Status> {
        let Answered { offer, case, entry, .. } = self.of_office(call, call.office()?, "offer_id", offer).await?;
        Ok((offer, case, entry))
    }

    /// An offer that the caller's office knows, or else one that it answers for.
    async fn to_answer(&self, call: &Call, field: &str, offer: &str) -> Result<Answered, Status> {
        let own = self.of_office(call, call.office()?, field, offer).await;
        if own.as_ref().is_err_and(|status| status.code() == Code::NotFound) {
            for other in self.answering_for(call).await?.iter().skip(1) {
                if let Ok(answered) = self.of_office(call, other, field, offer).await {
                    return Ok(answered);
                }
            }
        }
        own
    }

    async fn of_office(&self, call: &Call, office: &OfficeId, field: &str, offer: &str) -> Result<Answered, Status> {
        let offer = spean_chassis::field::parse(field, offer)?;
        let entry = worklist::find(office, offer, self.store.reader()).await.map_err(status::query)?;
        let entry = entry.ok_or_else(|| status::not_found("offer"))?;
        let case = entry.case_id.parse().map_err(|_| status::not_found("offer"))?;
        let standing = self.standing(office, case).await?;
        self.desk.node.gate.permit(call, "offer", standing)?;
        Ok(Answered { office: office.clone(), offer, case, entry })
    }

    /// The offices for which the caller answers: their own first, then those of this node that it stands in for.
    async fn answering_for(&self, call: &Call) -> Result<Vec<OfficeId>, Status> {
        let office = call.office()?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today: call.today() };
        let mut offices = vec![office.clone()];
        offices.extend(crate::moves::stood_in_for(&self.desk, &routing, office));
        Ok(offices)
    }
}

/// An offer, and the office whose view of it is meant.
struct Answered {
    office: OfficeId,
    offer: OfferId,
    case: CaseId,
    entry: Entry,
}

fn recovering() -> Status {
    status::unavailable(
        "RECOVERING",
        "this node came back from a backup and waits for its peers; nothing is decided meanwhile",
    )
}

/// What an office has to do with a case, by its own log: never by a copy.
async fn standing_of(store: &EventStore, office: &OfficeId, case: CaseId) -> Result<Standing, Status> {
    use spean_custody::case::Standing as Custody;
    let custody = store.load::<CaseCustody>(&stream(office, case)).await;
    Ok(match custody.map_err(|error| status::store(&error))?.state.standing() {
        Custody::None => Standing::Stranger,
        Custody::Offered | Custody::Informed => Standing::Offered,
        Custody::Bound | Custody::Serving => Standing::Bound,
        Custody::Held => Standing::Holds,
        Custody::Former => Standing::HeldBefore,
    })
}
