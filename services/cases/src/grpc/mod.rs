//! Protobuf to commands and queries, and back. No rules.

mod attachments;
mod facts;
mod lists;
mod pairs;
mod people;
mod read;
mod words;
mod write;

use spean_chassis::{Call, Node, standing, status};
use spean_contracts::cases::v1 as wire;
use spean_contracts::cases::v1::attachment_service_server::AttachmentService;
use spean_contracts::cases::v1::cases_service_server::CasesService;
use spean_eventstore::{EventStore, Handled};
use spean_identity::Standing;
use spean_vault::Reader;
use spean_vocabulary::{CaseId, CaseNumber};
use tonic::{Request, Response, Status};

use crate::case::{Case, Command};
use crate::register;
use crate::sections::Sections;

/// The register over gRPC.
#[derive(Clone)]
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
    pub(crate) sections: Sections,
}

macro_rules! methods {
    ($service:ident { $($method:ident $name:ident $request:ident $response:ident)* }) => {
        #[tonic::async_trait]
        impl $service for Grpc {
            $(
                async fn $method(&self, request: Request<wire::$request>) -> Result<Response<wire::$response>, Status> {
                    let (call, request) = self.node.gate.open(stringify!($name), request)?;
                    self.$method(&call, request).await.map(Response::new)
                }
            )*
        }
    };
}

methods! {
    CasesService {
        register_person RegisterPerson RegisterPersonRequest RegisterPersonResponse
        amend_person AmendPerson AmendPersonRequest AmendPersonResponse
        get_case GetCase GetCaseRequest GetCaseResponse
        list_cases ListCases ListCasesRequest ListCasesResponse
        search_people SearchPeople SearchPeopleRequest SearchPeopleResponse
        record_consent RecordConsent RecordConsentRequest RecordConsentResponse
        withdraw_consent WithdrawConsent WithdrawConsentRequest WithdrawConsentResponse
        link_cases LinkCases LinkCasesRequest LinkCasesResponse
        unlink_cases UnlinkCases UnlinkCasesRequest UnlinkCasesResponse
        rule_out_duplicate RuleOutDuplicate RuleOutDuplicateRequest RuleOutDuplicateResponse
        list_possible_duplicates ListPossibleDuplicates ListPossibleDuplicatesRequest ListPossibleDuplicatesResponse
        merge_cases MergeCases MergeCasesRequest MergeCasesResponse
        unmerge_cases UnmergeCases UnmergeCasesRequest UnmergeCasesResponse
        list_people_seen_again ListPeopleSeenAgain ListPeopleSeenAgainRequest ListPeopleSeenAgainResponse
        acknowledge_seen_again AcknowledgeSeenAgain AcknowledgeSeenAgainRequest AcknowledgeSeenAgainResponse
        record_case_needs RecordCaseNeeds RecordCaseNeedsRequest RecordCaseNeedsResponse
        raise_risk RaiseRisk RaiseRiskRequest RaiseRiskResponse
        lower_risk LowerRisk LowerRiskRequest LowerRiskResponse
        list_raised_risks ListRaisedRisks ListRaisedRisksRequest ListRaisedRisksResponse
        record_fact RecordFact RecordFactRequest RecordFactResponse
        retract_fact RetractFact RetractFactRequest RetractFactResponse
        record_conclusion RecordConclusion RecordConclusionRequest RecordConclusionResponse
        waive_file_item WaiveFileItem WaiveFileItemRequest WaiveFileItemResponse
        list_incomplete_files ListIncompleteFiles ListIncompleteFilesRequest ListIncompleteFilesResponse
        get_case_history GetCaseHistory GetCaseHistoryRequest GetCaseHistoryResponse
        complete_return CompleteReturn CompleteReturnRequest CompleteReturnResponse
        erase_person ErasePerson ErasePersonRequest ErasePersonResponse
    }
}

methods! {
    AttachmentService {
        add_attachment AddAttachment AddAttachmentRequest AddAttachmentResponse
        read_attachment ReadAttachment ReadAttachmentRequest ReadAttachmentResponse
        list_attachments ListAttachments ListAttachmentsRequest ListAttachmentsResponse
        remove_attachment RemoveAttachment RemoveAttachmentRequest RemoveAttachmentResponse
    }
}

impl Grpc {
    async fn handle(&self, case: CaseId, command: Command, call: &Call) -> Result<Handled, Status> {
        let handled = self.store.handle::<Case>(case.to_string(), command, call.context()?, call.metadata()?);
        let handled = handled.await.map_err(status::handled)?;
        self.put_down(case).await;
        Ok(handled)
    }

    /// Puts down for the next holder how the case stands now. What fails here is done by following the log.
    async fn put_down(&self, case: CaseId) {
        if let Err(error) = self.sections.write(case).await {
            tracing::warn!(error = %error, "what the next holder must know is written down later");
        }
    }

    async fn load(&self, case: CaseId) -> Result<Case, Status> {
        Ok(self.store.load::<Case>(&case.to_string()).await.map_err(|error| status::store(&error))?.state)
    }

    /// Asks whether the caller's office has to do with the case in the way that the action needs.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<Option<standing::Known>, Status> {
        let known = standing::of(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let has = known.as_ref().map_or(Standing::Stranger, |known| known.standing);
        self.node.gate.permit(call, "case", has)?;
        Ok(known)
    }

    /// A case by its id, or by its number for people.
    async fn find(&self, text: &str) -> Result<CaseId, Status> {
        if let Ok(number) = text.parse::<CaseNumber>() {
            let number = number.to_string();
            let registered = register::by_number(&number, self.store.reader()).await.map_err(status::query)?;
            let case = match registered {
                Some(case) => Some(case),
                None => standing::by_number(&number, self.store.reader()).await.map_err(status::query)?,
            };
            return case.and_then(|case| case.parse().ok()).ok_or_else(|| status::not_found("case"));
        }
        spean_chassis::field::parse("case_id", text)
    }
}

fn reader(call: &Call, purpose: String) -> Result<Reader, Status> {
    Ok(Reader { staff: call.caller.staff.clone(), office: call.office()?.clone(), purpose })
}
