//! The coordination meeting over gRPC.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::words::instant;
use spean_chassis::{Page, field, status};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::meeting_service_server::MeetingService;
use spean_identity::{Directory, OfficeLevel};
use spean_vocabulary::{CaseId, Date, DecisionId, OfficeId};
use tonic::{Request, Response, Status};

use super::{Grpc, day_ahead, small};
use crate::codes::{Attendee, EndReason, ExtendReason, ReopenReason};
use crate::meeting::{Command, Decision, MOST_MONTHS, Meeting, missing};
use crate::meetings::{self, MeetingEntry};

/// Most cases on an agenda: what is beyond comes to the next meeting, the oldest go first.
const MOST_CASES: i64 = 2_000;
/// Most offices at a meeting.
const MOST_PRESENT: usize = 200;
/// Most kinds of guests, and most of one kind.
const MOST_GUESTS: usize = 10;
const MOST_OF_A_KIND: i64 = 100;

#[tonic::async_trait]
impl MeetingService for Grpc {
    async fn list_agenda(
        &self,
        request: Request<wire::ListAgendaRequest>,
    ) -> Result<Response<wire::ListAgendaResponse>, Status> {
        let (call, request) = self.node.gate.open("ListAgenda", request)?;
        let page = Page::read(request.page.as_ref())?;
        let items = meetings::agenda_of(call.office()?, page.limit(), page.offset, self.store.reader()).await;
        let (items, page) = page.cut(items.map_err(status::query)?);
        let today = call.today();
        let items = items.into_iter().map(|item| {
            let since = item.topics.values().min().copied();
            wire::AgendaItem {
                case_id: item.case.to_string(),
                case_number: item.case_number.map(|number| number.to_string()).unwrap_or_default(),
                office_id: item.office.to_string(),
                topics: item.topics.keys().map(|topic| topic.on_the_wire()).collect(),
                since: since.map(|since| since.to_string()).unwrap_or_default(),
                age_days: since.map_or(0, |since| today.days_since(since)),
            }
        });
        Ok(Response::new(wire::ListAgendaResponse { items: items.collect(), page }))
    }

    async fn convene_meeting(
        &self,
        request: Request<wire::ConveneMeetingRequest>,
    ) -> Result<Response<wire::ConveneMeetingResponse>, Status> {
        let (call, request) = self.node.gate.open("ConveneMeeting", request)?;
        let id: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        let planned_on = day_ahead("planned_on", &request.planned_on)?;
        let office = call.office()?;
        let level = self.node.directory.current().office(office).map(|office| office.level);
        let agenda = self.agenda(office).await?;
        let is_province = level == Some(OfficeLevel::Province);
        let command = Command::Convene { planned_on, agenda, is_province };
        self.handle::<Meeting>(id.to_string(), command, None, &call).await?;
        let items = self.load::<Meeting>(&id.to_string()).await?.cases();
        Ok(Response::new(wire::ConveneMeetingResponse { items: count(items) }))
    }

    async fn refresh_agenda(
        &self,
        request: Request<wire::RefreshAgendaRequest>,
    ) -> Result<Response<wire::RefreshAgendaResponse>, Status> {
        let (call, request) = self.node.gate.open("RefreshAgenda", request)?;
        let id: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        let agenda = self.agenda(call.office()?).await?;
        self.handle::<Meeting>(id.to_string(), Command::Refresh { agenda }, None, &call).await?;
        let items = self.load::<Meeting>(&id.to_string()).await?.cases();
        Ok(Response::new(wire::RefreshAgendaResponse { items: count(items) }))
    }

    async fn record_attendance(
        &self,
        request: Request<wire::RecordAttendanceRequest>,
    ) -> Result<Response<wire::RecordAttendanceResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordAttendance", request)?;
        let id: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        let held_on = field::day_so_far("held_on", &request.held_on, call.today())?;
        field::at_most("office_ids", &request.office_ids, MOST_PRESENT)?;
        field::at_most("guests", &request.guests, MOST_GUESTS)?;
        let directory = self.node.directory.current();
        let mut offices = BTreeSet::new();
        let mut present = BTreeMap::<Attendee, u32>::new();
        for (index, office) in request.office_ids.iter().enumerate() {
            let at = format!("office_ids[{index}]");
            let office: OfficeId = field::parse(&at, office)?;
            let kind = kind_of(&directory, &office);
            let kind = kind.ok_or_else(|| status::invalid(&at, "an office of the directory"))?;
            if offices.insert(office) {
                *present.entry(kind).or_default() += 1;
            }
        }
        for (index, guest) in request.guests.iter().enumerate() {
            let at = |name: &str| format!("guests[{index}].{name}");
            let kind = Attendee::read(&at("kind"), guest.kind)?;
            let many = field::within(&at("count"), guest.count.into(), 1, MOST_OF_A_KIND)?;
            *present.entry(kind).or_default() += u32::try_from(many).expect("it is between 1 and 100");
        }
        let quorum = self.quorum(held_on).await?;
        let lacking = missing(&present, &quorum);
        let command = Command::Hold { held_on, offices, present, quorum };
        self.handle::<Meeting>(id.to_string(), command, Some(held_on), &call).await?;
        Ok(Response::new(wire::RecordAttendanceResponse { quorum: lacking.is_empty(), missing: guests(lacking) }))
    }

    async fn decide_case(
        &self,
        request: Request<wire::DecideCaseRequest>,
    ) -> Result<Response<wire::DecideCaseResponse>, Status> {
        let (call, request) = self.node.gate.open("DecideCase", request)?;
        let meeting: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        let decision_id: DecisionId = field::parse("decision_id", &request.decision_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let decision = self.read_decision(&request)?;
        let command = Command::Decide { decision_id, case, decision };
        self.handle::<Meeting>(meeting.to_string(), command, None, &call).await?;
        Ok(Response::new(wire::DecideCaseResponse {}))
    }

    async fn sign_minutes(
        &self,
        request: Request<wire::SignMinutesRequest>,
    ) -> Result<Response<wire::SignMinutesResponse>, Status> {
        let (call, request) = self.node.gate.open("SignMinutes", request)?;
        let id: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        self.handle::<Meeting>(id.to_string(), Command::Sign, None, &call).await?;
        let decisions = self.load::<Meeting>(&id.to_string()).await?.cases();
        Ok(Response::new(wire::SignMinutesResponse { decisions: count(decisions) }))
    }

    async fn get_meeting(
        &self,
        request: Request<wire::GetMeetingRequest>,
    ) -> Result<Response<wire::GetMeetingResponse>, Status> {
        let (call, request) = self.node.gate.open("GetMeeting", request)?;
        let id: DecisionId = field::parse("meeting_id", &request.meeting_id)?;
        let found = meetings::of_province(call.office()?, &id.to_string(), 1, 0, self.store.reader()).await;
        let found = found.map_err(status::query)?.into_iter().next();
        let found = found.ok_or_else(|| status::not_found("meeting"))?;
        let cases = meetings::cases_of(&found.meeting_id, self.store.reader()).await.map_err(status::query)?;
        let cases = cases.into_iter().map(|case| wire::MeetingCase {
            case_id: case.case_id,
            case_number: case.case_number,
            office_id: case.office,
            topics: case.topics.iter().map(|topic| topic.on_the_wire()).collect(),
            decision_id: case.decision_id,
            decision: decision(&case.decision),
            state: state(&case.state),
            refusal: case.refusal,
        });
        Ok(Response::new(wire::GetMeetingResponse { meeting: Some(shown(found)), cases: cases.collect() }))
    }

    async fn list_meetings(
        &self,
        request: Request<wire::ListMeetingsRequest>,
    ) -> Result<Response<wire::ListMeetingsResponse>, Status> {
        let (call, request) = self.node.gate.open("ListMeetings", request)?;
        let page = Page::read(request.page.as_ref())?;
        let office = call.office()?;
        let found = meetings::of_province(office, "", page.limit(), page.offset, self.store.reader()).await;
        let (found, page) = page.cut(found.map_err(status::query)?);
        let next = meetings::last_held(office, self.store.reader()).await.map_err(status::query)?;
        let next = next.map(|held_on| held_on.plus_months(self.node.policy.meeting.every_months));
        Ok(Response::new(wire::ListMeetingsResponse {
            meetings: found.into_iter().map(shown).collect(),
            page,
            next_due_on: next.map(|due_on| due_on.to_string()).unwrap_or_default(),
            overdue: next.is_some_and(|due_on| due_on < call.today()),
        }))
    }

    async fn list_mandates(
        &self,
        request: Request<wire::ListMandatesRequest>,
    ) -> Result<Response<wire::ListMandatesResponse>, Status> {
        let (call, request) = self.node.gate.open("ListMandates", request)?;
        let page = Page::read(request.page.as_ref())?;
        let (office, reader) = (call.office()?, self.store.reader());
        let found = meetings::mandates_of(office, request.with_done, page.limit(), page.offset, reader).await;
        let (found, page) = page.cut(found.map_err(status::query)?);
        let today = call.today();
        let mandates = found.into_iter().map(|mandate| wire::Mandate {
            decision_id: mandate.decision_id,
            case_id: mandate.case_id,
            case_number: mandate.case_number,
            decision: decision(&mandate.decision),
            transfer_to_office_id: mandate.transfer_to,
            state: state(&mandate.state),
            refusal: mandate.refusal,
            age_days: mandate.decided_on.parse::<Date>().map_or(0, |decided_on| today.days_since(decided_on)),
            decided_on: mandate.decided_on,
        });
        Ok(Response::new(wire::ListMandatesResponse { mandates: mandates.collect(), page }))
    }
}

impl Grpc {
    async fn agenda(&self, office: &OfficeId) -> Result<Vec<crate::meeting::Item>, Status> {
        meetings::agenda_of(office, MOST_CASES, 0, self.store.reader()).await.map_err(status::query)
    }

    /// Who must be there, by the policy of the day of the meeting.
    async fn quorum(&self, held_on: Date) -> Result<BTreeMap<Attendee, u32>, Status> {
        let policies = self.node.policies(&self.store).await.map_err(|error| status::bug(&*error))?;
        let policy = policies.on(held_on.plus_days(1).begins_at());
        let quorum = &policy.meeting.quorum;
        let needed = |many: i32| u32::try_from(many).unwrap_or(0);
        Ok(BTreeMap::from([
            (Attendee::ProvincialOffice, needed(quorum.provincial_offices)),
            (Attendee::DistrictOffice, needed(quorum.district_offices)),
            (Attendee::Organisation, needed(quorum.organisations)),
        ]))
    }

    fn read_decision(&self, request: &wire::DecideCaseRequest) -> Result<Decision, Status> {
        match wire::Decision::try_from(request.decision) {
            Ok(wire::Decision::Close) => {
                Ok(Decision::Close { reason: EndReason::read("end_reason", request.end_reason)? })
            }
            Ok(wire::Decision::Extend) => {
                let months = field::within("months", request.months.into(), 1, MOST_MONTHS.into())?;
                let reason = ExtendReason::read("extend_reason", request.extend_reason)?;
                Ok(Decision::Extend { reason, months: u8::try_from(months).expect("it is between 1 and 12") })
            }
            Ok(wire::Decision::Reopen) => {
                Ok(Decision::Reopen { reason: ReopenReason::read("reopen_reason", request.reopen_reason)? })
            }
            Ok(wire::Decision::Transfer) => {
                let to: OfficeId = field::parse("transfer_to_office_id", &request.transfer_to_office_id)?;
                if self.node.directory.current().office(&to).is_none() {
                    return Err(status::invalid("transfer_to_office_id", "an office of the directory"));
                }
                Ok(Decision::Transfer { to })
            }
            Ok(wire::Decision::FurtherTracing) => Ok(Decision::FurtherTracing),
            Ok(wire::Decision::Continue) => Ok(Decision::Continue),
            _ => Err(status::invalid("decision", "one of the values of Decision, not the unspecified one")),
        }
    }
}

/// As what an office of the directory sits at the table.
fn kind_of(directory: &Directory, office: &OfficeId) -> Option<Attendee> {
    let level = directory.office(office)?.level;
    Some(match level {
        OfficeLevel::National => Attendee::Ministry,
        OfficeLevel::Province => Attendee::ProvincialOffice,
        OfficeLevel::District => Attendee::DistrictOffice,
        OfficeLevel::Commune => Attendee::Commune,
        OfficeLevel::Facility => Attendee::Organisation,
    })
}

fn guests(kinds: BTreeMap<Attendee, u32>) -> Vec<wire::Guest> {
    let guest = |(kind, count): (Attendee, u32)| wire::Guest {
        kind: kind.on_the_wire(),
        count: i32::try_from(count).unwrap_or(i32::MAX),
    };
    kinds.into_iter().map(guest).collect()
}

fn shown(entry: MeetingEntry) -> wire::Meeting {
    let guest =
        |(kind, count): (String, i32)| Some(wire::Guest { kind: kind.parse::<Attendee>().ok()?.on_the_wire(), count });
    wire::Meeting {
        meeting_id: entry.meeting_id,
        office_id: entry.office,
        planned_on: entry.planned_on,
        held_on: entry.held_on,
        office_ids: entry.offices,
        guests: entry.present.into_iter().filter_map(guest).collect(),
        quorum: entry.quorum,
        signed_at: entry.signed_at.map(instant),
        cases: small(entry.cases),
        undecided: small(entry.undecided),
    }
}

/// A decision as it goes in the tables, for the wire.
fn decision(name: &str) -> i32 {
    let name = format!("DECISION_{}", name.to_ascii_uppercase());
    wire::Decision::from_str_name(&name).unwrap_or_default().into()
}

fn state(name: &str) -> i32 {
    let name = format!("MANDATE_STATE_{}", name.to_ascii_uppercase());
    wire::MandateState::from_str_name(&name).unwrap_or_default().into()
}

fn count(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}
