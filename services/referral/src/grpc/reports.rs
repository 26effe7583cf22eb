//! Reports, from the first word to what came of them.

mod shown;

use std::collections::BTreeSet;
use std::time::Duration;

use spean_chassis::words::{
    instant, read_age_band, read_sex, read_urgency, stored, write_age_band, write_sex, write_urgency,
};
use spean_chassis::{Call, Page, field, mint, random, status};
use spean_contracts::referral::v1 as wire;
use spean_contracts::referral::v1::report_service_server::ReportService;
use spean_eventstore::{EventStore, Transaction};
use spean_identity::{OfficeLevel, Standing};
use spean_messaging::Post;
use spean_vault::{DossierError, Reader};
use spean_vocabulary::{AgeBand, CaseId, CaseNumber, Date, OfficeId, PersonId, PlaceCode, ReportId, Sex, Timestamp};
use tonic::{Request, Response, Status};

use self::shown::{is_overdue, listed, overall, person, station};
use super::standing_of;
use crate::desk::{Desk, report_stream};
use crate::reports::addressee;
use crate::reports::list::{self, Entry, List, Wanted};
use crate::reports::report::{Command, Error, File, Pass, Report};
use crate::reports::sealed::{self, Reporter};
use crate::reports::wire::{
    read_channel, read_close_reason, read_concern, read_report_state, read_unfounded_reason, write_channel,
    write_close_reason, write_concern, write_report_state, write_unfounded_reason,
};
use crate::reports::words::PassReason;
use crate::routing::{Routing, Statuses};

/// Longest words about what was seen, in characters.
const LONGEST_WORDS: usize = 4_000;
/// Longest purpose of a reading, in characters.
const LONGEST_PURPOSE: usize = 200;
/// Most concerns in one report.
const MOST_CONCERNS: usize = 10;
/// Most people in one report: more is a mistake.
const MOST_PEOPLE: i64 = 1_000;
/// The oldest age that can be asked for, in hours: ten years.
const OLDEST_HOURS: i64 = 10 * 366 * 24;

/// How long the linking of a case waits for news of one that was opened a moment ago.
const NEWS_WITHIN: Duration = Duration::from_secs(5);

/// Reports and news over gRPC.
pub(crate) struct Reports {
    pub(crate) desk: Desk,
    pub(crate) store: EventStore,
    pub(crate) post: Post,
}

macro_rules! methods {
    ($($method:ident $name:ident $request:ident $response:ident)*) => {
        #[tonic::async_trait]
        impl ReportService for Reports {
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
    submit_report SubmitReport SubmitReportRequest SubmitReportResponse
    get_report_status GetReportStatus GetReportStatusRequest GetReportStatusResponse
    get_report GetReport GetReportRequest GetReportResponse
    list_reports ListReports ListReportsRequest ListReportsResponse
    take_up_report TakeUpReport TakeUpReportRequest TakeUpReportResponse
    pass_on_report PassOnReport PassOnReportRequest PassOnReportResponse
    link_report_to_case LinkReportToCase LinkReportToCaseRequest LinkReportToCaseResponse
    find_report_unfounded FindReportUnfounded FindReportUnfoundedRequest FindReportUnfoundedResponse
    close_report CloseReport CloseReportRequest CloseReportResponse
    read_reporter ReadReporter ReadReporterRequest ReadReporterResponse
    erase_reporter EraseReporter EraseReporterRequest EraseReporterResponse
    list_progress ListProgress ListProgressRequest ListProgressResponse
    list_news ListNews ListNewsRequest ListNewsResponse
    acknowledge_news AcknowledgeNews AcknowledgeNewsRequest AcknowledgeNewsResponse
}

/// What a report says, as it was read from a request.
struct Described {
    report: ReportId,
    command: Command,
    words: Option<String>,
    reporter: Option<(PersonId, Reporter)>,
    pass: Option<Pass>,
}

impl Reports {
    async fn submit_report(
        &self,
        call: &Call,
        request: wire::SubmitReportRequest,
    ) -> Result<wire::SubmitReportResponse, Status> {
        let office = call.office()?.clone();
        let tag = self.desk.directory().node(&self.desk.node.id).map(|node| node.tag);
        let tag =
            tag.ok_or_else(|| status::forbidden("NODE_NOT_IN_DIRECTORY", "the directory does not know this node"))?;
        let Described { report, command, words, reporter, pass } = self.described(call, &office, request).await?;
        self.refuse_while_recovering()?;
        let (desk, asked) = (self.desk.clone(), call.clone());
        let reader = Reader {
            staff: call.caller.staff.clone(),
            office: office.clone(),
            purpose: "the report goes to the office that serves the place".to_owned(),
        };
        let (context, metadata, stream) = (call.context()?, call.metadata()?, report_stream(&office, report));
        let submitted = self.store.transact(move |transaction| {
            Box::pin(async move {
                let command = numbered(command, CaseNumber::draw(tag, random()), tag, transaction).await?;
                let known = transaction.load::<Report>(&stream).await.map_err(|error| status::store(&error))?;
                transaction.decide::<Report>(&stream, command, &context, &metadata).await.map_err(status::handled)?;
                // Between the decision and its commit: nothing is kept of a report that is refused, nothing is missing
                // of one that is on record, and telling it again brings back nothing that was erased.
                if known.state.file().is_some() {
                    return Ok(());
                }
                let vault = &desk.node.vault;
                if let Some(text) = words {
                    let words = spean_vault::Narrative { text };
                    let kept = vault.put(sealed::words_id(report), &words, asked.now).await;
                    kept.map_err(|error| status::vault(&error))?;
                    if let Some(pass) = pass {
                        let sealed = sealed::seal(&desk, report, &pass, &reader, asked.now).await;
                        sealed.map_err(|error| sealing_status(&error))?;
                    }
                }
                if let Some((id, reporter)) = reporter {
                    vault.put(id, &reporter, asked.now).await.map_err(|error| status::vault(&error))?;
                }
                Ok::<_, Status>(())
            })
        });
        submitted.await.map_err(status::transacted)?;
        let entry = self.find(&office, report).await?;
        Ok(wire::SubmitReportResponse {
            reference: entry.reference,
            looked_into_by_office_id: self.first_addressee(&office, &entry.report_id).await?,
        })
    }

    async fn get_report_status(
        &self,
        call: &Call,
        request: wire::GetReportStatusRequest,
    ) -> Result<wire::GetReportStatusResponse, Status> {
        let reference: CaseNumber = field::parse("reference", &request.reference)?;
        let office = call.office()?;
        let entry = list::by_reference(office, &reference.to_string(), self.store.reader()).await;
        let entry = entry.map_err(status::query)?.ok_or_else(|| status::not_found("report"))?;
        let persons = list::persons(office, &entry.report_id, self.store.reader()).await.map_err(status::query)?;
        let stations = list::stations(office, &entry.report_id, self.store.reader()).await.map_err(status::query)?;
        Ok(wire::GetReportStatusResponse {
            state: overall(&entry).map(write_report_state).unwrap_or_default().into(),
            overdue: is_overdue(&entry, &stations, call.now),
            reference: entry.reference,
            looked_into_by_office_id: entry.looked_into_by,
            received_at: Some(instant(Timestamp::from_micros(entry.received_at))),
            heard_at: Some(instant(Timestamp::from_micros(entry.heard_at))),
            silent_office_ids: listed(&entry.silent_offices),
            persons: persons.into_iter().map(person).collect(),
            unfounded_reason: stored(&entry.unfounded, write_unfounded_reason),
            close_reason: stored(&entry.closed, write_close_reason),
        })
    }

    async fn get_report(
        &self,
        call: &Call,
        request: wire::GetReportRequest,
    ) -> Result<wire::GetReportResponse, Status> {
        let report: ReportId = field::parse("report_id", &request.report_id)?;
        let purpose = field::text("purpose", &request.purpose, LONGEST_PURPOSE)?;
        let entry = self.find(call.office()?, report).await?;
        let words = match purpose {
            None => None,
            Some(purpose) => {
                let reader = reader(call, purpose)?;
                sealed::words(&self.desk, report, &reader, call.now).await.map_err(|error| status::vault(&error))?
            }
        };
        let report = self.shown(call, entry).await?;
        Ok(wire::GetReportResponse { report: Some(report), words: words.unwrap_or_default() })
    }

    async fn list_reports(
        &self,
        call: &Call,
        request: wire::ListReportsRequest,
    ) -> Result<wire::ListReportsResponse, Status> {
        let list = match wire::ReportList::try_from(request.list) {
            Ok(wire::ReportList::Unspecified) => List::All,
            Ok(wire::ReportList::ToDo) => List::ToDo,
            Ok(wire::ReportList::Waiting) => List::Waiting,
            Ok(wire::ReportList::Ended) => List::Ended,
            Err(_) => return Err(status::invalid("list", "one of the values of ReportList")),
        };
        let state = match request.state {
            0 => None,
            state => Some(read_report_state("state", state)?),
        };
        let hours = field::within("older_than_hours", request.older_than_hours.into(), 0, OLDEST_HOURS)?;
        let page = Page::read(request.page.as_ref())?;
        let wanted = Wanted { list, state, received_until: call.now.plus_hours(-hours) };
        let entries = list::list(call.office()?, wanted, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let mut reports = Vec::with_capacity(entries.len());
        for entry in entries {
            reports.push(self.shown(call, entry).await?);
        }
        Ok(wire::ListReportsResponse { reports, page })
    }

    async fn take_up_report(
        &self,
        call: &Call,
        request: wire::TakeUpReportRequest,
    ) -> Result<wire::TakeUpReportResponse, Status> {
        let report = field::parse("report_id", &request.report_id)?;
        self.refuse_at_commune(call.office()?)?;
        self.handle(call, report, Command::TakeUp).await?;
        Ok(wire::TakeUpReportResponse {})
    }

    async fn pass_on_report(
        &self,
        call: &Call,
        request: wire::PassOnReportRequest,
    ) -> Result<wire::PassOnReportResponse, Status> {
        let report: ReportId = field::parse("report_id", &request.report_id)?;
        let chosen: Option<OfficeId> = field::parse_optional("to_office_id", &request.to_office_id)?;
        let office = call.office()?.clone();
        let entry = self.find(&office, report).await?;
        self.refuse_while_recovering()?;
        let (to, because) = match chosen {
            Some(chosen) => (self.routed(&chosen, call.today()).await?, PassReason::Chosen),
            None => (self.responsible(&entry.place, call.today()).await?, PassReason::ServesPlace),
        };
        let pass = Pass {
            to: to.clone(),
            pass: mint(),
            because,
            silent: BTreeSet::new(),
            due_at: self.due_at(stored_urgency(&entry.urgency)?, call.now),
        };
        let reader = reader(call, format!("the report goes to {to}"))?;
        let (desk, now, id) = (self.desk.clone(), call.now, report_stream(&office, report));
        let (context, metadata) = (call.context()?, call.metadata()?);
        let passed = self.store.transact(move |transaction| {
            Box::pin(async move {
                let known = transaction.load::<Report>(&id).await.map_err(|error| status::store(&error))?.version;
                let command = Command::PassOn(pass.clone());
                let events = transaction.decide::<Report>(&id, command, &context, &metadata).await;
                let is_new = events.map_err(status::handled)?.iter().any(|event| event.version > known);
                if is_new && entry.has_words {
                    let sealed = sealed::seal(&desk, report, &pass, &reader, now).await;
                    sealed.map_err(|error| sealing_status(&error))?;
                }
                Ok::<_, Status>(())
            })
        });
        passed.await.map_err(status::transacted)?;
        Ok(wire::PassOnReportResponse { to_office_id: to.to_string() })
    }

    async fn link_report_to_case(
        &self,
        call: &Call,
        request: wire::LinkReportToCaseRequest,
    ) -> Result<wire::LinkReportToCaseResponse, Status> {
        let report = field::parse("report_id", &request.report_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        self.find(call.office()?, report).await?;
        self.permit(call, case).await?;
        self.handle(call, report, Command::LinkCase { case }).await?;
        Ok(wire::LinkReportToCaseResponse {})
    }

    async fn find_report_unfounded(
        &self,
        call: &Call,
        request: wire::FindReportUnfoundedRequest,
    ) -> Result<wire::FindReportUnfoundedResponse, Status> {
        let report = field::parse("report_id", &request.report_id)?;
        let reason = read_unfounded_reason("reason", request.reason)?;
        self.handle(call, report, Command::FindUnfounded { reason }).await?;
        Ok(wire::FindReportUnfoundedResponse {})
    }

    async fn close_report(
        &self,
        call: &Call,
        request: wire::CloseReportRequest,
    ) -> Result<wire::CloseReportResponse, Status> {
        let report = field::parse("report_id", &request.report_id)?;
        let reason = read_close_reason("reason", request.reason)?;
        self.handle(call, report, Command::Close { reason }).await?;
        Ok(wire::CloseReportResponse {})
    }

    async fn read_reporter(
        &self,
        call: &Call,
        request: wire::ReadReporterRequest,
    ) -> Result<wire::ReadReporterResponse, Status> {
        let report: ReportId = field::parse("report_id", &request.report_id)?;
        let purpose = field::required_text("purpose", &request.purpose, LONGEST_PURPOSE)?;
        let office = call.office()?;
        let known = self.store.load::<Report>(&report_stream(office, report)).await;
        let known = known.map_err(|error| status::store(&error))?.state;
        known.file().ok_or_else(|| status::refused(&Error::NoSuchReport))?;
        let id = known.reporter().ok_or_else(|| status::refused(&Error::NoReporterKept))?;
        let reporter: Option<Reporter> = self
            .desk
            .node
            .vault
            .get(id, &reader(call, purpose)?, call.now)
            .await
            .map_err(|error| status::vault(&error))?;
        let reporter = reporter.ok_or_else(|| status::refused(&Error::NoReporterKept))?;
        Ok(wire::ReadReporterResponse {
            reporter: Some(wire::Reporter {
                name: reporter.name.unwrap_or_default(),
                telephone: reporter.telephone.unwrap_or_default(),
                safe_contact: reporter.safe_contact.unwrap_or_default(),
            }),
        })
    }

    async fn erase_reporter(
        &self,
        call: &Call,
        request: wire::EraseReporterRequest,
    ) -> Result<wire::EraseReporterResponse, Status> {
        let report: ReportId = field::parse("report_id", &request.report_id)?;
        let ground = field::required_text("ground", &request.ground, 60)?;
        if !ground.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Err(status::invalid("ground", "a code of capital letters such as REQUEST_OF_PERSON"));
        }
        let office = call.office()?;
        let known = self.store.load::<Report>(&report_stream(office, report)).await;
        let reporter = known.map_err(|error| status::store(&error))?.state.reporter();
        self.handle(call, report, Command::EraseReporter { ground }).await?;
        if let Some(reporter) = reporter {
            self.desk.node.vault.erase(reporter).await.map_err(|error| status::vault(&error))?;
        }
        Ok(wire::EraseReporterResponse {})
    }
}

impl Reports {
    /// A node that came back from a backup decides nothing until its peers have answered.
    pub(super) fn refuse_while_recovering(&self) -> Result<(), Status> {
        if self.post.is_recovering() { Err(super::recovering()) } else { Ok(()) }
    }

    /// A commune helps first, and holds no cases: what it cannot solve is for the district to look into.
    fn refuse_at_commune(&self, office: &OfficeId) -> Result<(), Status> {
        let is_commune = self.desk.directory().office(office).is_some_and(|it| it.level == OfficeLevel::Commune);
        if is_commune {
            return Err(status::forbidden(
                "A_COMMUNE_HOLDS_NO_CASES",
                "a commune holds no cases; the office above it looks into its reports",
            ));
        }
        Ok(())
    }

    async fn handle(&self, call: &Call, report: ReportId, command: Command) -> Result<(), Status> {
        self.refuse_while_recovering()?;
        let id = report_stream(call.office()?, report);
        let handled = self.store.handle::<Report>(id, command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }

    /// Asks whether the office has the case. One that was opened a moment ago may still be on its way here.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<(), Status> {
        let mut head = self.store.head();
        let known = tokio::time::timeout(NEWS_WITHIN, async {
            loop {
                let standing = standing_of(&self.store, call.office()?, case).await?;
                if standing != Standing::Stranger {
                    return Ok(standing);
                }
                let changed = head.changed().await;
                changed.map_err(|_| status::unavailable("ENDING", "the node is ending"))?;
            }
        });
        let standing = known.await.unwrap_or(Ok::<_, Status>(Standing::Stranger))?;
        self.desk.node.gate.permit(call, "case", standing)
    }

    async fn find(&self, office: &OfficeId, report: ReportId) -> Result<Entry, Status> {
        let entry = list::find(office, report, self.store.reader()).await.map_err(status::query)?;
        entry.ok_or_else(|| status::refused(&Error::NoSuchReport))
    }

    fn due_at(&self, urgency: spean_vocabulary::Urgency, now: Timestamp) -> Timestamp {
        now.plus_hours(self.desk.node.policy.answer.of(urgency).answer_within_hours)
    }

    /// Where a report went first, or this office: the same however far it has come since.
    async fn first_addressee(&self, office: &OfficeId, report: &str) -> Result<String, Status> {
        let stations = list::stations(office, report, self.store.reader()).await.map_err(status::query)?;
        let first = stations.into_iter().next().filter(|first| first.because == PassReason::ServesPlace.to_string());
        Ok(first.map_or_else(|| office.to_string(), |first| first.office))
    }

    /// Who looks into what happens at a place today.
    async fn responsible(&self, place: &str, today: Date) -> Result<OfficeId, Status> {
        let place = place.parse().map_err(|_| status::invalid("place", "the code of a place"))?;
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let routing = Routing { directory: &directory, statuses: &statuses, today };
        addressee::responsible(&routing, &place).ok_or_else(|| {
            status::forbidden("NOBODY_SERVES_THE_PLACE", "nobody in the network serves this place today")
        })
    }

    /// The office that somebody chose, or whoever answers in its stead.
    async fn routed(&self, chosen: &OfficeId, today: Date) -> Result<OfficeId, Status> {
        let (directory, statuses) = (self.desk.directory(), self.statuses().await?);
        let office = directory.office(chosen);
        let office = office.ok_or_else(|| status::invalid("to_office_id", "an office of the directory"))?;
        if office.level == OfficeLevel::Commune {
            return Err(status::invalid("to_office_id", "an office that holds cases; a commune does not"));
        }
        let routing = Routing { directory: &directory, statuses: &statuses, today };
        let route = routing.route(chosen);
        Ok(route.ok_or_else(|| status::forbidden("NOBODY_ANSWERS", "nobody in the network answers today"))?.to)
    }

    async fn statuses(&self) -> Result<Statuses, Status> {
        Statuses::load(self.store.reader()).await.map_err(status::query)
    }

    async fn described(
        &self,
        call: &Call,
        office: &OfficeId,
        request: wire::SubmitReportRequest,
    ) -> Result<Described, Status> {
        let report = field::parse("report_id", &request.report_id)?;
        let channel = read_channel("channel", request.channel)?;
        let place: PlaceCode = field::parse("place", &request.place)?;
        field::at_most("concerns", &request.concerns, MOST_CONCERNS)?;
        let concern = |(index, concern): (usize, &i32)| read_concern(&format!("concerns[{index}]"), *concern);
        let concerns = request.concerns.iter().enumerate().map(concern).collect::<Result<BTreeSet<_>, _>>()?;
        if concerns.is_empty() {
            return Err(status::invalid("concerns", "at least one; OTHER when no other fits"));
        }
        let urgency = read_urgency("urgency", request.urgency)?;
        let people = field::within("people", request.people.into(), 0, MOST_PEOPLE)?;
        let sex = if request.sex == 0 { Sex::Unknown } else { read_sex("sex", request.sex)? };
        let age_band =
            if request.age_band == 0 { AgeBand::Unknown } else { read_age_band("age_band", request.age_band)? };
        let seen_on = match request.seen_on.as_str() {
            "" => None,
            day => Some(field::day_so_far("seen_on", day, call.today())?),
        };
        let words = field::text("words", &request.words, LONGEST_WORDS)?;
        let reporter = request.reporter.as_ref().map(read_reporter).transpose()?.flatten();
        let reporter = reporter.map(|reporter| (mint(), reporter));
        let to = self.responsible(place.as_str(), call.today()).await?;
        let due_at = self.due_at(urgency, call.now);
        let pass = (to != *office).then(|| Pass {
            to: to.clone(),
            pass: mint(),
            because: PassReason::ServesPlace,
            silent: BTreeSet::new(),
            due_at,
        });
        let file = File {
            reference: CaseNumber::draw("00".parse().expect("two of the alphabet"), [0; 5]),
            taken_down_by: office.clone(),
            taken_down_at: call.now,
            place,
            concerns,
            urgency,
            people: u32::try_from(people).ok().filter(|people| *people > 0),
            sex,
            age_band,
            seen_on,
            has_words: words.is_some(),
        };
        let id = reporter.as_ref().map(|(id, _)| *id);
        let command = Command::Submit { file, channel, reporter: id, due_at, pass: pass.clone() };
        Ok(Described { report, command, words, reporter, pass })
    }

    async fn shown(&self, call: &Call, entry: Entry) -> Result<wire::Report, Status> {
        let office = call.office()?;
        let persons = list::persons(office, &entry.report_id, self.store.reader()).await.map_err(status::query)?;
        let stations = list::stations(office, &entry.report_id, self.store.reader()).await.map_err(status::query)?;
        let received_at = Timestamp::from_micros(entry.received_at);
        Ok(wire::Report {
            state: stored(&entry.state, write_report_state),
            concerns: entry.concerns.split(',').map(|concern| stored(concern, write_concern)).collect(),
            urgency: stored(&entry.urgency, write_urgency),
            people: i32::try_from(entry.people).unwrap_or(i32::MAX),
            sex: stored(&entry.sex, write_sex),
            age_band: stored(&entry.age_band, write_age_band),
            channel: stored(&entry.channel, write_channel),
            from_office_ids: listed(&entry.from_offices),
            received_at: Some(instant(received_at)),
            answer_due_at: Some(instant(Timestamp::from_micros(entry.answer_due_at))),
            age_hours: call.now.hours_since(received_at).max(0),
            overdue: is_overdue(&entry, &stations, call.now),
            silent_office_ids: listed(&entry.silent_offices),
            stations: stations.into_iter().map(station).collect(),
            case_ids: persons.iter().map(|person| person.case_id.clone()).filter(|case| !case.is_empty()).collect(),
            persons: persons.into_iter().map(person).collect(),
            unfounded_reason: stored(&entry.unfounded, write_unfounded_reason),
            close_reason: stored(&entry.closed, write_close_reason),
            report_id: entry.report_id,
            reference: entry.reference,
            place: entry.place,
            seen_on: entry.seen_on,
            taken_down_by_office_id: entry.taken_down_by,
            has_words: entry.has_words,
            has_reporter: entry.has_reporter,
        })
    }
}

/// Gives a report a number that no report here has.
async fn numbered(
    command: Command,
    first: CaseNumber,
    tag: spean_vocabulary::NodeTag,
    transaction: &mut Transaction,
) -> Result<Command, Status> {
    let mut reference = first;
    while list::is_taken(&reference.to_string(), transaction.connection()).await.map_err(status::query)? {
        reference = CaseNumber::draw(tag, random());
    }
    Ok(match command {
        Command::Submit { file, channel, reporter, due_at, pass } => {
            Command::Submit { file: File { reference, ..file }, channel, reporter, due_at, pass }
        }
        other => other,
    })
}

fn read_reporter(reporter: &wire::Reporter) -> Result<Option<Reporter>, Status> {
    let reporter = Reporter {
        name: field::text("reporter.name", &reporter.name, 100)?,
        telephone: field::text("reporter.telephone", &reporter.telephone, 40)?,
        safe_contact: field::text("reporter.safe_contact", &reporter.safe_contact, 500)?,
    };
    let said = reporter.name.is_some() || reporter.telephone.is_some() || reporter.safe_contact.is_some();
    Ok(said.then_some(reporter))
}

fn reader(call: &Call, purpose: String) -> Result<Reader, Status> {
    Ok(Reader { staff: call.caller.staff.clone(), office: call.office()?.clone(), purpose })
}

fn stored_urgency(urgency: &str) -> Result<spean_vocabulary::Urgency, Status> {
    urgency.parse().map_err(|_| status::not_found("report"))
}

fn sealing_status(error: &DossierError) -> Status {
    match error {
        DossierError::Vault(error) => status::vault(error),
        other => status::bug(other),
    }
}
