//! Who may do what: one table, one line for each RPC method.
//!
//! Denied unless a line allows it, and a foreign office is denied whatever the table says. The table says who may *ask*;
//! whether it can be done now is for the rules of the service.

use std::collections::BTreeMap;

use spean_vocabulary::OfficeId;
use strum::{Display, EnumIter};

use crate::token::{Caller, Role};

use Place::{AtNode, AtOffice};
use Role::{Administrator, Authority, Caseworker, IntakeOfficer, Reporter, ShelterManager, Supervisor};
use Standing::{Bound, HeldBefore, Holds, Offered};

/// What the acting office has to do with the case, the offer or the person in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// Nothing at all: that it exists is none of its business.
    Stranger,
    /// It is, or was, asked to take it.
    Offered,
    /// It accepted, owes care, and is not yet accountable (or gives a service while the case stays with its holder).
    Bound,
    /// It is accountable.
    Holds,
    /// It was accountable once.
    HeldBefore,
}

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// The office that the caller acts for: one of their own. None when the request concerns the node as a whole.
    pub office: Option<OfficeId>,
    /// What that office has to do with the matter. None when there is no case yet, or the service cannot know.
    pub standing: Option<Standing>,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller does not work at the office that they act for, or named none where one is needed.
    #[error("you do not work at this office")]
    NotYourOffice,
    /// No role of the caller includes this.
    #[error("this is not part of your work")]
    NotYourWork,
    /// The office has nothing to do with it. To be answered like something that is not there.
    #[error("there is no such thing")]
    Stranger,
    /// The office has to do with it, but not in the way that this needs.
    #[error("this is not for your office to do")]
    NotForYourOffice,
}

/// Decides; made once and shared.
#[derive(Clone, Debug)]
pub struct Access {
    rules: BTreeMap<&'static str, Vec<&'static Rule>>,
}

#[derive(Debug)]
struct Rule {
    action: &'static str,
    roles: &'static [Role],
    place: Place,
    custody: Custody,
}

/// Whether an acting office must be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    AtNode,
    AtOffice,
}

/// What the office must have to do with the case.
#[derive(Clone, Copy, Debug)]
enum Custody {
    /// It does not matter: the request is about no case, or is open to every office of the role.
    Any,
    /// One of these, where the service knows it.
    IfKnown(&'static [Standing]),
    /// One of these, known.
    Must(&'static [Standing]),
}
use Custody::{Any, IfKnown, Must};

const EVERYBODY: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Administrator, Authority, Reporter];
const CASEWORK: &[Role] = &[Caseworker, Supervisor];
const INTAKE: &[Role] = &[IntakeOfficer, Supervisor];
const SENDING: &[Role] = &[Caseworker, Supervisor, IntakeOfficer];
const RECEIVING: &[Role] = &[Caseworker, Supervisor, ShelterManager];
const PEOPLE: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager];
const REPORTING: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Reporter];
const SHELTER: &[Role] = &[ShelterManager, Supervisor];
const OPERATION: &[Role] = &[Administrator, Supervisor];
const REPATRIATION: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, Authority];
const APPROVAL: &[Role] = &[Supervisor, Authority];

const ASKED: &[Standing] = &[Offered, Bound, Holds, HeldBefore];
const CARING: &[Standing] = &[Bound, Holds];
const CARED: &[Standing] = &[Bound, Holds, HeldBefore];
const HOLDING: &[Standing] = &[Holds];
const HELD: &[Standing] = &[Holds, HeldBefore];
const KEPT: &[Standing] = &[Bound, Holds, HeldBefore];
const PARTY: &[Standing] = &[Offered, Bound, Holds, HeldBefore];

const fn rule(action: &'static str, roles: &'static [Role], place: Place, custody: Custody) -> Rule {
    Rule { action, roles, place, custody }
}

/// The table. An action may stand here more than once: one line that allows it is enough.
static RULES: &[Rule] = &[
    // cases
    rule("RegisterPerson", SENDING, AtOffice, Any),
    rule("AmendPerson", SENDING, AtOffice, IfKnown(CARING)),
    rule("GetCase", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("ListCases", PEOPLE, AtOffice, Any),
    rule("SearchPeople", SENDING, AtOffice, Any),
    rule("RecordConsent", SENDING, AtOffice, IfKnown(CARING)),
    // People say no where they once said yes, and data are erased where they were kept.
    rule("WithdrawConsent", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("ErasePerson", &[Supervisor], AtOffice, IfKnown(HELD)),
    rule("LinkCases", CASEWORK, AtOffice, IfKnown(CARING)),
    // The office that brings the person home has handed the case over by then.
    rule("CompleteReturn", CASEWORK, AtOffice, IfKnown(HELD)),
    rule("UnlinkCases", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RuleOutDuplicate", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListPossibleDuplicates", PEOPLE, AtOffice, Any),
    rule("MergeCases", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("UnmergeCases", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListPeopleSeenAgain", PEOPLE, AtOffice, Any),
    rule("AcknowledgeSeenAgain", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("RecordCaseNeeds", SENDING, AtOffice, IfKnown(CARING)),
    // Whoever is with the person sees the danger first.
    rule("RaiseRisk", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("LowerRisk", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("ListRaisedRisks", PEOPLE, AtOffice, Any),
    rule("RecordFact", SENDING, AtOffice, IfKnown(CARING)),
    rule("RetractFact", SENDING, AtOffice, IfKnown(CARING)),
    rule("RecordConclusion", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("WaiveFileItem", SENDING, AtOffice, IfKnown(CARING)),
    rule("ListIncompleteFiles", PEOPLE, AtOffice, Any),
    // Codes and days; who held a case can be asked by those who held it.
    rule("GetCaseHistory", PEOPLE, AtOffice, IfKnown(KEPT)),
    rule("AddAttachment", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("ReadAttachment", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("ListAttachments", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("RemoveAttachment", CASEWORK, AtOffice, IfKnown(CARING)),
    // repatriation
    rule("RegisterArrival", INTAKE, AtOffice, Any),
    rule("ImportManifest", INTAKE, AtOffice, Any),
    rule("GetManifest", INTAKE, AtOffice, Any),
    rule("ListArrivals", INTAKE, AtOffice, Any),
    rule("RecordNeeds", INTAKE, AtOffice, Any),
    rule("RecordStay", INTAKE, AtOffice, Any),
    rule("RecordDeparture", INTAKE, AtOffice, Any),
    rule("ReconcileArrivals", INTAKE, AtOffice, Any),
    rule("ConfirmSamePerson", INTAKE, AtOffice, Any),
    rule("GetArrival", INTAKE, AtOffice, Any),
    rule("ListWaitingArrivals", INTAKE, AtOffice, Any),
    rule("ListUrgentNeeds", INTAKE, AtOffice, Any),
    rule("RecordNeedServed", INTAKE, AtOffice, Any),
    rule("DeclareCentreBeds", INTAKE, AtOffice, Any),
    rule("AssignCentreBed", INTAKE, AtOffice, Any),
    rule("GetCentreOccupancy", INTAKE, AtOffice, Any),
    rule("OpenRepatriationRequest", REPATRIATION, AtOffice, Any),
    rule("CompleteRepatriationStep", REPATRIATION, AtOffice, Any),
    // An approval is given by those who answer for the office, or for the network.
    rule("ApproveRepatriation", APPROVAL, AtOffice, Any),
    rule("ArrangeTravel", REPATRIATION, AtOffice, Any),
    rule("RecordReception", REPATRIATION, AtOffice, Any),
    rule("SkipRepatriationStep", REPATRIATION, AtOffice, Any),
    rule("EndRepatriation", REPATRIATION, AtOffice, Any),
    rule("DelegateStep", REPATRIATION, AtOffice, Any),
    rule("SucceedOwner", APPROVAL, AtOffice, Any),
    rule("ListRepatriationRequests", REPATRIATION, AtOffice, Any),
    rule("GetRepatriationRequest", REPATRIATION, AtOffice, Any),
    // referral
    rule("OfferReferral", SENDING, AtOffice, Must(HOLDING)),
    rule("WithdrawOffer", SENDING, AtOffice, Must(HELD)),
    // Accepting again, or after a withdrawal, must reach the rules: they answer with what was decided.
    rule("AcceptOffer", RECEIVING, AtOffice, Must(ASKED)),
    rule("DeclineOffer", RECEIVING, AtOffice, Must(ASKED)),
    rule("OfferMany", SENDING, AtOffice, Must(HOLDING)),
    rule("AcceptMany", RECEIVING, AtOffice, Must(ASKED)),
    rule("DeclineMany", RECEIVING, AtOffice, Must(ASKED)),
    rule("ListCasesToMoveDown", PEOPLE, AtOffice, Any),
    rule("MoveDown", SENDING, AtOffice, Must(HOLDING)),
    rule("ListCasesToHandOver", PEOPLE, AtOffice, Any),
    rule("HandOverCases", SENDING, AtOffice, Must(HOLDING)),
    rule("ConcludeService", RECEIVING, AtOffice, Must(CARING)),
    rule("GetOffer", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("ListWorklist", PEOPLE, AtOffice, Any),
    rule("ListHeldCases", PEOPLE, AtOffice, Any),
    rule("OpenDossier", RECEIVING, AtOffice, Must(CARING)),
    rule("GetCustody", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("GetCustody", &[Authority], AtOffice, Any),
    rule("ProposeOverride", &[Authority], AtOffice, Any),
    rule("ConsentToOverride", &[Supervisor], AtOffice, Any),
    rule("CosignOverride", &[Authority], AtOffice, Any),
    rule("ListOverrideProposals", &[Supervisor, Authority], AtOffice, Any),
    rule("Reconcile", OPERATION, AtNode, Any),
    rule("Reconcile", &[Authority], AtNode, Any),
    rule("ListDeadLetters", OPERATION, AtNode, Any),
    rule("RetryDeadLetter", OPERATION, AtNode, Any),
    rule("DiscardDeadLetter", OPERATION, AtNode, Any),
    rule("GetNodeStatus", EVERYBODY, AtNode, Any),
    // reports and news
    rule("SubmitReport", REPORTING, AtOffice, Any),
    rule("GetReportStatus", REPORTING, AtOffice, Any),
    rule("GetReport", CASEWORK, AtOffice, Any),
    rule("ListReports", CASEWORK, AtOffice, Any),
    rule("TakeUpReport", CASEWORK, AtOffice, Any),
    rule("PassOnReport", CASEWORK, AtOffice, Any),
    rule("LinkReportToCase", CASEWORK, AtOffice, IfKnown(HELD)),
    rule("FindReportUnfounded", CASEWORK, AtOffice, Any),
    rule("CloseReport", CASEWORK, AtOffice, Any),
    // Who reports is protected even from colleagues.
    rule("ReadReporter", &[Supervisor], AtOffice, Any),
    rule("EraseReporter", &[Supervisor], AtOffice, Any),
    rule("ListProgress", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("ListNews", PEOPLE, AtOffice, Any),
    rule("AcknowledgeNews", PEOPLE, AtOffice, IfKnown(PARTY)),
    // needs
    rule("OpenNeed", SENDING, AtOffice, Must(HOLDING)),
    rule("RecordNeedMet", SENDING, AtOffice, Must(HELD)),
    rule("RecordNeedRefused", SENDING, AtOffice, Must(HELD)),
    rule("ReopenNeed", SENDING, AtOffice, Must(HELD)),
    rule("MarkNeedUnmet", SENDING, AtOffice, Must(HELD)),
    rule("WithdrawNeed", SENDING, AtOffice, Must(HELD)),
    rule("GetNeed", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("ListNeeds", PEOPLE, AtOffice, Any),
    rule("ListNeedTasks", PEOPLE, AtOffice, Any),
    rule("FindServices", PEOPLE, AtOffice, IfKnown(PARTY)),
    rule("ListWaiting", PEOPLE, AtOffice, Any),
    rule("LeaveWaitingList", PEOPLE, AtOffice, Must(ASKED)),
    rule("CountUnmetNeeds", EVERYBODY, AtNode, Any),
    // shelter
    rule("DeclareCapacity", SHELTER, AtOffice, Any),
    rule("GetCapacity", PEOPLE, AtOffice, Any),
    rule("GetCapacity", &[Reporter], AtNode, Any),
    // Somebody whose case was handed over may stand at the door again: they are taken in, and the holder hears of it.
    rule("AdmitResident", SHELTER, AtOffice, IfKnown(CARED)),
    rule("ExitResident", SHELTER, AtOffice, Any),
    rule("ListResidents", SHELTER, AtOffice, Any),
    rule("AssignBed", SHELTER, AtOffice, Any),
    rule("RecordAbsence", SHELTER, AtOffice, Any),
    rule("RecordReturn", SHELTER, AtOffice, Any),
    rule("ReleaseBed", SHELTER, AtOffice, Any),
    rule("RecordContact", SHELTER, AtOffice, Any),
    rule("ListMissing", RECEIVING, AtOffice, Any),
    rule("ListCareDue", RECEIVING, AtOffice, Any),
    rule("ListTracing", RECEIVING, AtOffice, Any),
    // The case may have been handed over while the person is still here, and papers come late.
    rule("AgreeCarePlan", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("ReviewCarePlan", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("RecordSession", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("AssessMarket", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("ChooseTraining", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("GetCare", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("RequestTracing", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("RecordTracingAnswer", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("AssessFamily", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("DecidePlacement", RECEIVING, AtOffice, IfKnown(CARED)),
    rule("DecideReintegration", RECEIVING, AtOffice, IfKnown(CARED)),
    // followup
    rule("PlanFollowUp", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RecordVisit", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RescheduleVisit", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("AddVisit", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RecordMove", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("CloseFollowUp", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ReopenFollowUp", CASEWORK, AtOffice, IfKnown(HOLDING)),
    rule("RecordInformalVisit", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("AnswerTracing", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListFollowUps", CASEWORK, AtOffice, Any),
    // Who held the case once sees what it did itself.
    rule("ListVisits", CASEWORK, AtOffice, IfKnown(CARED)),
    rule("ListDueVisits", CASEWORK, AtOffice, Any),
    rule("RaiseDanger", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("RecordSafetyPlan", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("AssessDanger", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListDangers", PEOPLE, AtOffice, Any),
    rule("RecordContactLost", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RecordSearchStep", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("RecordFound", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListLostContacts", CASEWORK, AtOffice, Any),
    // A shelter that gave a case away and has the person again must be able to say so.
    rule("ReportWhereabouts", PEOPLE, AtOffice, IfKnown(CARED)),
    rule("ListContradictions", PEOPLE, AtOffice, Any),
    rule("ResolveContradiction", &[Supervisor], AtOffice, Any),
    // followup: money. Who approves and pays is not who asks.
    rule("PayIn", &[Supervisor], AtOffice, Any),
    rule("RequestPayment", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ApprovePayment", &[Supervisor], AtOffice, Any),
    rule("RefusePayment", &[Supervisor], AtOffice, Any),
    rule("RecordPayment", &[Supervisor], AtOffice, Any),
    rule("RecordReceipt", CASEWORK, AtOffice, Any),
    rule("GetFund", CASEWORK, AtOffice, Any),
    rule("ListPayments", CASEWORK, AtOffice, Any),
    // followup: help and its outcomes
    rule("RecordSupport", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("RecordSupportOutcome", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("ListSupport", PEOPLE, AtOffice, IfKnown(CARING)),
    rule("ListDueOutcomes", CASEWORK, AtOffice, Any),
    // followup: who does the work
    rule("AssignWorker", CASEWORK, AtOffice, IfKnown(CARING)),
    rule("HandOverPost", &[Supervisor], AtOffice, Any),
    rule("AcknowledgeHandedOver", CASEWORK, AtOffice, Any),
    rule("ListHandedOver", CASEWORK, AtOffice, Any),
    rule("GetCaseload", CASEWORK, AtOffice, Any),
    rule("RecordSupervision", &[Supervisor], AtOffice, Any),
    rule("RecordSupervisionOutcome", &[Supervisor], AtOffice, Any),
    rule("ListSupervision", CASEWORK, AtOffice, Any),
    // policy, of every node
    rule("GetPolicy", EVERYBODY, AtNode, Any),
    // the meeting of a province
    rule("ListAgenda", CASEWORK, AtOffice, Any),
    rule("ConveneMeeting", &[Supervisor], AtOffice, Any),
    rule("RefreshAgenda", &[Supervisor], AtOffice, Any),
    rule("RecordAttendance", &[Supervisor], AtOffice, Any),
    rule("DecideCase", &[Supervisor], AtOffice, Any),
    rule("SignMinutes", &[Supervisor], AtOffice, Any),
    rule("GetMeeting", CASEWORK, AtOffice, Any),
    rule("ListMeetings", CASEWORK, AtOffice, Any),
    rule("ListMandates", CASEWORK, AtOffice, Any),
    // insight: counts, and never a person
    rule("CountFacts", &[Supervisor, Authority], AtOffice, Any),
    rule("CountOpen", &[Supervisor, Authority], AtOffice, Any),
    rule("IssueReport", &[Supervisor, Authority], AtOffice, Any),
    rule("ListPeriodReports", &[Supervisor, Authority], AtOffice, Any),
    rule("PublishFigures", &[Supervisor, Authority], AtOffice, Any),
    rule("GetFigures", EVERYBODY, AtNode, Any),
    // directory
    rule("ImportDirectory", &[Administrator], AtNode, Any),
    rule("ListAgencies", EVERYBODY, AtNode, Any),
    rule("ListOffices", EVERYBODY, AtNode, Any),
    rule("GetOffice", EVERYBODY, AtNode, Any),
    rule("GetOfficeHistory", EVERYBODY, AtNode, Any),
    // Whoever is the last to leave an office says so; which offices they may speak of is a rule of the directory.
    rule("DeclareOfficeStatus", PEOPLE, AtOffice, Any),
    rule("WhoServes", EVERYBODY, AtNode, Any),
    rule("GetPlace", EVERYBODY, AtNode, Any),
    rule("SearchPlaces", EVERYBODY, AtNode, Any),
    rule("ListPlaces", EVERYBODY, AtNode, Any),
    rule("PublishOffering", SHELTER, AtOffice, Any),
    rule("WithdrawOffering", SHELTER, AtOffice, Any),
    rule("ListOfferings", EVERYBODY, AtNode, Any),
    rule("ListOfferingChanges", EVERYBODY, AtNode, Any),
];

impl Access {
    /// Reads the table.
    pub fn new() -> Self {
        let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for rule in RULES {
            rules.entry(rule.action).or_default().push(rule);
        }
        Self { rules }
    }

    /// Whether this caller may do this. `action` is the name of the RPC method, such as `AcceptOffer`; one that is not
    /// in the table is denied to everybody.
    pub fn decide(&self, caller: &Caller, action: &str, resource: &Resource) -> Result<(), Denied> {
        if resource.office.as_ref().is_some_and(|office| !caller.offices.contains(office)) {
            return Err(Denied::NotYourOffice);
        }
        let rules = self.rules.get(action).map_or([].as_slice(), Vec::as_slice);
        let answers =
            rules.iter().filter(|rule| rule.roles.iter().any(|role| caller.roles.contains(role))).map(|rule| {
                if rule.place == AtOffice && resource.office.is_none() {
                    return Err(Denied::NotYourOffice);
                }
                rule.custody.allows(resource.standing)
            });
        answers.reduce(Result::or).unwrap_or(Err(Denied::NotYourWork))
    }

    /// All actions of the table, in alphabetical order: to check that no RPC method was forgotten.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.rules.keys().copied()
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new()
    }
}

impl Custody {
    fn allows(self, standing: Option<Standing>) -> Result<(), Denied> {
        match (self, standing) {
            (Any, _) | (IfKnown(_), None) => Ok(()),
            (IfKnown(allowed) | Must(allowed), Some(standing)) if allowed.contains(&standing) => Ok(()),
            (_, None | Some(Standing::Stranger)) => Err(Denied::Stranger),
            _ => Err(Denied::NotForYourOffice),
        }
    }
}
