//! What people do besides handing cases over: arrivals at the border, places in a house, visits, dangers.

use spean_contracts::followup::v1::followup_service_client::FollowupServiceClient;
use spean_contracts::followup::v1::safety_service_client::SafetyServiceClient;
use spean_contracts::followup::v1::{
    AssessDangerRequest, DangerSign, FoundPlace, ListDangersRequest, ListFollowUpsRequest, LossReason,
    PlanFollowUpRequest, RaiseDangerRequest, RecordContactLostRequest, RecordFoundRequest, RecordVisitRequest,
    VisitOutcome,
};
use spean_contracts::repatriation::v1::repatriation_service_client::RepatriationServiceClient;
use spean_contracts::repatriation::v1::{Circumstances, RegisterArrivalRequest, Route};
use spean_contracts::shelter::v1::shelter_service_client::ShelterServiceClient;
use spean_contracts::shelter::v1::{
    AbsenceReason, AdmitResidentRequest, DeclareCapacityRequest, ExitKind, ExitResidentRequest, ListResidentsRequest,
    Places, RecordAbsenceRequest, RecordReturnRequest, Resident,
};
use spean_contracts::vocabulary::v1::{PageRequest, Sex, Urgency};
use tonic::Status;

use crate::staff::{PAGE, Staff, invented};

/// Something that people do for somebody, on a day as they write it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Register somebody who arrived; a case of the same id follows from it.
    Arrive { case: String, number: usize },
    /// Say how many places a house has.
    Places { persons: i32 },
    /// Take somebody in.
    Admit { stay: String, case: String, on: String },
    /// Let somebody go who wants to.
    Exit { stay: String, on: String },
    /// Note that somebody is away.
    Miss { stay: String, on: String },
    /// Note that they are back.
    Return { stay: String, on: String },
    /// Begin to visit somebody.
    Plan { case: String, on: String },
    /// Report a visit.
    Visit { visit: String, case: String, number: i32, on: String },
    /// Report a danger.
    Raise { danger: String, case: String, on: String },
    /// Say that it is over.
    Lower { danger: String, on: String },
    /// Report that contact is lost.
    Lose { case: String, on: String },
    /// Report that it is found again.
    Find { case: String, on: String },
}

impl Staff {
    /// Asks for it, under this command id.
    pub(crate) async fn work(&self, work: &Work, command: &str) -> Result<(), Status> {
        let mut border = RepatriationServiceClient::new(self.routes.clone());
        let mut house = ShelterServiceClient::new(self.routes.clone());
        let mut visits = FollowupServiceClient::new(self.routes.clone());
        let mut safety = SafetyServiceClient::new(self.routes.clone());
        let command = Some(command);
        match work.clone() {
            Work::Arrive { case, number } => {
                let circumstances = Circumstances {
                    route: Route::Self_.into(),
                    from_country: "TH".to_owned(),
                    ..Circumstances::default()
                };
                let request = RegisterArrivalRequest {
                    arrival_id: case,
                    person: Some(invented(number)),
                    circumstances: Some(circumstances),
                    ..RegisterArrivalRequest::default()
                };
                border.register_arrival(self.request(request, command)?).await.map(drop)
            }
            Work::Places { persons } => {
                let places = Places { sex: Sex::Female.into(), capacity_persons: persons, ..Places::default() };
                let request = DeclareCapacityRequest { places: vec![places] };
                house.declare_capacity(self.request(request, command)?).await.map(drop)
            }
            Work::Admit { stay, case, on } => {
                let request = AdmitResidentRequest {
                    admission_id: stay,
                    case_id: case,
                    admitted_on: on,
                    ..AdmitResidentRequest::default()
                };
                house.admit_resident(self.request(request, command)?).await.map(drop)
            }
            Work::Exit { stay, on } => {
                let request = ExitResidentRequest { admission_id: stay, kind: ExitKind::OwnWill.into(), exited_on: on };
                house.exit_resident(self.request(request, command)?).await.map(drop)
            }
            Work::Miss { stay, on } => {
                let request = RecordAbsenceRequest {
                    admission_id: stay,
                    since: on,
                    reason: AbsenceReason::Unknown.into(),
                    expected_back_on: String::new(),
                };
                house.record_absence(self.request(request, command)?).await.map(drop)
            }
            Work::Return { stay, on } => {
                let request = RecordReturnRequest { admission_id: stay, returned_on: on };
                house.record_return(self.request(request, command)?).await.map(drop)
            }
            Work::Plan { case, on } => {
                let request = PlanFollowUpRequest { case_id: case, reintegrated_on: on };
                visits.plan_follow_up(self.request(request, command)?).await.map(drop)
            }
            Work::Visit { visit, case, number, on } => {
                let request = RecordVisitRequest {
                    visit_id: visit,
                    case_id: case,
                    number,
                    visited_on: on,
                    outcome: VisitOutcome::Met.into(),
                    ..RecordVisitRequest::default()
                };
                visits.record_visit(self.request(request, command)?).await.map(drop)
            }
            Work::Raise { danger, case, on } => {
                let request = RaiseDangerRequest {
                    danger_id: danger,
                    case_id: case,
                    signs: vec![DangerSign::Threat.into()],
                    urgency: Urgency::Urgent.into(),
                    found_on: on,
                };
                safety.raise_danger(self.request(request, command)?).await.map(drop)
            }
            Work::Lower { danger, on } => {
                let request =
                    AssessDangerRequest { danger_id: danger, assessed_on: on, is_over: true, findings: String::new() };
                safety.assess_danger(self.request(request, command)?).await.map(drop)
            }
            Work::Lose { case, on } => {
                let reason = LossReason::LeftWithoutWord.into();
                let request = RecordContactLostRequest { case_id: case, lost_on: on, reason };
                safety.record_contact_lost(self.request(request, command)?).await.map(drop)
            }
            Work::Find { case, on } => {
                let request = RecordFoundRequest { case_id: case, found_on: on, place: FoundPlace::AtHome.into() };
                safety.record_found(self.request(request, command)?).await.map(drop)
            }
        }
    }

    /// Who is in the house of the office, and who was.
    pub(crate) async fn residents(&self) -> Result<Vec<Resident>, Status> {
        let mut house = ShelterServiceClient::new(self.routes.clone());
        let request = ListResidentsRequest { page: page(), include_exited: true };
        Ok(house.list_residents(self.request(request, None)?).await?.into_inner().residents)
    }

    /// The cases that the office visits, or visited.
    pub(crate) async fn visited(&self) -> Result<Vec<String>, Status> {
        let mut visits = FollowupServiceClient::new(self.routes.clone());
        let request = ListFollowUpsRequest { page: page(), ..ListFollowUpsRequest::default() };
        let answer = visits.list_follow_ups(self.request(request, None)?).await?.into_inner();
        Ok(answer.follow_ups.into_iter().map(|follow_up| follow_up.case_id).collect())
    }

    /// The dangers that the office knows and that are not over.
    pub(crate) async fn dangers(&self) -> Result<Vec<String>, Status> {
        let mut safety = SafetyServiceClient::new(self.routes.clone());
        let request = ListDangersRequest { page: page(), with_ended: false };
        let answer = safety.list_dangers(self.request(request, None)?).await?.into_inner();
        Ok(answer.dangers.into_iter().map(|danger| danger.danger_id).collect())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as requests have it")]
fn page() -> Option<PageRequest> {
    Some(PageRequest { size: PAGE, token: String::new() })
}
