//! Needs, services that fit, and waiting lists over gRPC.

use std::collections::BTreeSet;

use spean_chassis::status::invalid;
use spean_chassis::words::{
    instant, read_age_band, read_need, read_sex, read_urgency, stored, write_need, write_sex, write_urgency,
};
use spean_chassis::{Call, Page, field, status};
use spean_contracts::referral::v1 as wire;
use spean_contracts::referral::v1::need_service_server::NeedService;
use spean_custody::case::{CaseCustody, Command as Custody, OfferOutState, ServiceOutcome};
use spean_eventstore::Transaction;
use spean_identity::Standing;
use spean_vocabulary::{
    AgeBand, CaseId, Date, Need, NeedId, OfferId, OfficeId, PlaceCode, Sex, Timestamp, WithdrawReason,
};
use tonic::{Request, Response, Status};

use super::Grpc;
use crate::desk::stream as custody_stream;
use crate::matching::{self, Wanted};
use crate::needs::codes::WaitingEnd;
use crate::needs::elsewhere::{self, WaitingElsewhere};
use crate::needs::need::{CaseNeed, Command, Described, Preferences};
use crate::needs::offers::told;
use crate::needs::reactions::standing as offer_standing;
use crate::needs::register::{self, Entry, Filter};
use crate::needs::search::{judge, services, services_for, stream};
use crate::needs::{figures, lines, words};
use crate::waiting_list::{self, WaitingList};

mod wire_words;

pub(super) use wire_words::over_capacity;
use wire_words::{read_preferences, write_match};

/// Most reasons of one refusal: there are no more.
const MOST_REASONS: usize = 9;
/// Most services in one answer.
const MOST_SERVICES: usize = 200;

macro_rules! methods {
    ($($method:ident $name:ident $request:ident $response:ident)*) => {
        #[tonic::async_trait]
        impl NeedService for Grpc {
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
    open_need OpenNeed OpenNeedRequest OpenNeedResponse
    record_need_met RecordNeedMet RecordNeedMetRequest RecordNeedMetResponse
    record_need_refused RecordNeedRefused RecordNeedRefusedRequest RecordNeedRefusedResponse
    reopen_need ReopenNeed ReopenNeedRequest ReopenNeedResponse
    mark_need_unmet MarkNeedUnmet MarkNeedUnmetRequest MarkNeedUnmetResponse
    withdraw_need WithdrawNeed WithdrawNeedRequest WithdrawNeedResponse
    get_need GetNeed GetNeedRequest GetNeedResponse
    list_needs ListNeeds ListNeedsRequest ListNeedsResponse
    list_need_tasks ListNeedTasks ListNeedTasksRequest ListNeedTasksResponse
    find_services FindServices FindServicesRequest FindServicesResponse
    list_waiting ListWaiting ListWaitingRequest ListWaitingResponse
    leave_waiting_list LeaveWaitingList LeaveWaitingListRequest LeaveWaitingListResponse
    count_unmet_needs CountUnmetNeeds CountUnmetNeedsRequest CountUnmetNeedsResponse
}

/// A need of the caller's office.
struct Known {
    office: OfficeId,
    id: NeedId,
    case: CaseId,
    entry: Entry,
}

/// Which offers of a need are taken back because of what is said of it.
#[derive(Clone)]
enum TakeBack {
    None,
    /// Those to this office.
    To(OfficeId, WithdrawReason),
    /// All that are open, and services that are being given too.
    All(WithdrawReason),
    /// All that wait for an answer.
    Open(WithdrawReason),
}

impl Grpc {
    async fn open_need(&self, call: &Call, request: wire::OpenNeedRequest) -> Result<wire::OpenNeedResponse, Status> {
        let id: NeedId = field::parse("need_id", &request.need_id)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let need = read_need("need", request.need)?;
        let urgency = read_urgency("urgency", request.urgency)?;
        let preferences = read_preferences("preferences", request.preferences)?;
        let known_since = field::day_so_far("known_since", &request.known_since, call.today())?;
        self.refuse_while_recovering()?;
        self.subject(call, case).await?;
        let office = call.office()?.clone();
        let place = preferences.near.unwrap_or(self.place_of(&office)?);
        let described = Described { case, need, urgency, preferences, place, known_since };
        self.decide_need(call, &office, id, Command::Open(described), TakeBack::None, true).await?;
        let entry = register::find(&office, id, self.store.reader()).await.map_err(status::query)?;
        let unmet = entry.map(|entry| stored(&entry.unmet_reason, words::write_unmet)).unwrap_or_default();
        Ok(wire::OpenNeedResponse { unmet_reason: unmet })
    }

    async fn record_need_met(
        &self,
        call: &Call,
        request: wire::RecordNeedMetRequest,
    ) -> Result<wire::RecordNeedMetResponse, Status> {
        let id = field::parse("need_id", &request.need_id)?;
        let outcome = words::read_outcome(request.outcome);
        let given = [ServiceOutcome::Completed, ServiceOutcome::PartlyCompleted];
        let outcome = outcome.filter(|outcome| given.contains(outcome));
        let outcome = outcome.ok_or_else(|| invalid("outcome", "COMPLETED or PARTLY_COMPLETED"))?;
        let met_on = field::day_so_far("met_on", &request.met_on, call.today())?;
        let known = self.need(call, id).await?;
        let back = TakeBack::Open(WithdrawReason::AnotherWayFound);
        self.decide_need(call, &known.office, id, Command::Meet { outcome, met_on }, back, false).await?;
        self.give_up_waiting(call, &known, None, WaitingEnd::AnotherWayFound).await?;
        Ok(wire::RecordNeedMetResponse {})
    }

    async fn record_need_refused(
        &self,
        call: &Call,
        request: wire::RecordNeedRefusedRequest,
    ) -> Result<wire::RecordNeedRefusedResponse, Status> {
        let id = field::parse("need_id", &request.need_id)?;
        let provider: Option<OfficeId> = field::parse_optional("provider_office_id", &request.provider_office_id)?;
        field::at_most("reasons", &request.reasons, MOST_REASONS)?;
        if request.reasons.is_empty() {
            return Err(invalid("reasons", "at least one"));
        }
        let read = |(index, reason): (usize, &i32)| {
            words::read_refusal(*reason)
                .ok_or_else(|| invalid(&format!("reasons[{index}]"), "one of the values of RefusalReason"))
        };
        let reasons: BTreeSet<_> = request.reasons.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let refused_on = field::day_so_far("refused_on", &request.refused_on, call.today())?;
        let known = self.need(call, id).await?;
        let withdraw = WithdrawReason::ConsentWithdrawn;
        let back = match &provider {
            Some(provider) => TakeBack::To(provider.clone(), withdraw),
            None => TakeBack::All(withdraw),
        };
        let command = Command::Refuse { provider: provider.clone(), reasons, refused_on };
        self.decide_need(call, &known.office, id, command, back, true).await?;
        self.give_up_waiting(call, &known, provider, WaitingEnd::PersonRefused).await?;
        Ok(wire::RecordNeedRefusedResponse {})
    }

    async fn reopen_need(
        &self,
        call: &Call,
        request: wire::ReopenNeedRequest,
    ) -> Result<wire::ReopenNeedResponse, Status> {
        let id = field::parse("need_id", &request.need_id)?;
        let provider = field::parse_optional("provider_office_id", &request.provider_office_id)?;
        let known = self.need(call, id).await?;
        self.decide_need(call, &known.office, id, Command::Reopen { provider }, TakeBack::None, true).await?;
        Ok(wire::ReopenNeedResponse {})
    }

    async fn mark_need_unmet(
        &self,
        call: &Call,
        request: wire::MarkNeedUnmetRequest,
    ) -> Result<wire::MarkNeedUnmetResponse, Status> {
        let id = field::parse("need_id", &request.need_id)?;
        let said = match wire::UnmetReason::try_from(request.reason) {
            Ok(wire::UnmetReason::Unspecified) => None,
            Ok(_) => words::read_unmet(request.reason),
            Err(_) => return Err(invalid("reason", "one of the values of UnmetReason")),
        };
        let known = self.need(call, id).await?;
        let reason = if let Some(reason) = said {
            reason
        } else {
            let need = self.load_need(&known).await?;
            let mut connection = self.reader().await?;
            let found = services_for(&self.desk, &known.office, &need, call.now, &mut connection).await;
            matching::unmet(&found.map_err(status::query)?).ok_or_else(|| {
                status::forbidden("A_SERVICE_FITS", "a service that fits is known; ask it, or say why it cannot")
            })?
        };
        let command = Command::MarkUnmet { reason, on: call.today() };
        self.decide_need(call, &known.office, id, command, TakeBack::None, false).await?;
        Ok(wire::MarkNeedUnmetResponse { reason: words::write_unmet(reason).into() })
    }

    async fn withdraw_need(
        &self,
        call: &Call,
        request: wire::WithdrawNeedRequest,
    ) -> Result<wire::WithdrawNeedResponse, Status> {
        let id = field::parse("need_id", &request.need_id)?;
        let known = self.need(call, id).await?;
        let back = TakeBack::Open(WithdrawReason::SentByMistake);
        self.decide_need(call, &known.office, id, Command::Withdraw, back, false).await?;
        self.give_up_waiting(call, &known, None, WaitingEnd::Mistake).await?;
        Ok(wire::WithdrawNeedResponse {})
    }

    async fn get_need(&self, call: &Call, request: wire::GetNeedRequest) -> Result<wire::GetNeedResponse, Status> {
        let known = self.need(call, field::parse("need_id", &request.need_id)?).await?;
        Ok(wire::GetNeedResponse { need: Some(self.shown_need(&known.office, known.entry, call.now).await?) })
    }

    async fn list_needs(
        &self,
        call: &Call,
        request: wire::ListNeedsRequest,
    ) -> Result<wire::ListNeedsResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let state = match wire::NeedState::try_from(request.state) {
            Ok(wire::NeedState::Unspecified) => None,
            Ok(state) => state.as_str_name().strip_prefix("NEED_STATE_"),
            Err(_) => return Err(invalid("state", "one of the values of NeedState")),
        };
        let case = field::parse_optional("case_id", &request.case_id)?;
        let filter = Filter { case, state, unmet_only: request.unmet_only };
        let office = call.office()?;
        let entries = register::list(office, &filter, page.limit(), page.offset, self.store.reader()).await;
        let (entries, page) = page.cut(entries.map_err(status::query)?);
        let mut needs = Vec::with_capacity(entries.len());
        for entry in entries {
            needs.push(self.shown_need(office, entry, call.now).await?);
        }
        Ok(wire::ListNeedsResponse { needs, page })
    }

    async fn list_need_tasks(
        &self,
        call: &Call,
        request: wire::ListNeedTasksRequest,
    ) -> Result<wire::ListNeedTasksResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let tasks = lines::tasks(call.office()?, call.now, page.limit(), page.offset, self.store.reader()).await;
        let (tasks, page) = page.cut(tasks.map_err(status::query)?);
        let tasks = tasks.into_iter().map(|task| {
            let kind = wire::NeedTaskKind::from_str_name(&format!("NEED_TASK_KIND_{}", task.kind));
            let since = Timestamp::from_micros(task.since);
            wire::NeedTask {
                kind: kind.unwrap_or_default().into(),
                case_id: task.case_id,
                offer_id: task.offer_id,
                office_id: task.other_office,
                need: stored(&task.need, write_need),
                urgency: stored(&task.urgency, write_urgency),
                since: Some(instant(since)),
                kept_until: (task.kept_until > 0).then(|| instant(Timestamp::from_micros(task.kept_until))),
                age_hours: call.now.hours_since(since).max(0),
            }
        });
        Ok(wire::ListNeedTasksResponse { tasks: tasks.collect(), page })
    }

    async fn find_services(
        &self,
        call: &Call,
        request: wire::FindServicesRequest,
    ) -> Result<wire::FindServicesResponse, Status> {
        let need: Option<NeedId> = field::parse_optional("need_id", &request.need_id)?;
        let found = if let Some(need) = need {
            let known = self.need(call, need).await?;
            let need = self.load_need(&known).await?;
            let mut connection = self.reader().await?;
            services_for(&self.desk, &known.office, &need, call.now, &mut connection).await
        } else {
            let wanted = self.read_criteria(call, request.criteria)?;
            let mut connection = self.reader().await?;
            services(&self.desk, &wanted, &std::collections::BTreeMap::new(), call.now, &mut connection).await
        };
        let matches = found.map_err(status::query)?.into_iter().take(MOST_SERVICES).map(write_match).collect();
        Ok(wire::FindServicesResponse { matches })
    }

    async fn list_waiting(
        &self,
        call: &Call,
        request: wire::ListWaitingRequest,
    ) -> Result<wire::ListWaitingResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let need = if request.need == 0 { None } else { Some(read_need("need", request.need)?) };
        let waiting = lines::waiting(call.office()?, need, page.limit(), page.offset, self.store.reader()).await;
        let (waiting, page) = page.cut(waiting.map_err(status::query)?);
        let waiting = waiting.into_iter().map(|waiting| {
            let since = Timestamp::from_micros(waiting.since);
            wire::Waiting {
                offer_id: waiting.offer_id,
                case_id: waiting.case_id,
                from_office_id: waiting.from_office,
                need: stored(&waiting.need, write_need),
                urgency: stored(&waiting.urgency, write_urgency),
                since: Some(instant(since)),
                position: i32::try_from(waiting.position).unwrap_or(i32::MAX),
                kept_until: (waiting.kept_until > 0).then(|| instant(Timestamp::from_micros(waiting.kept_until))),
                age_hours: call.now.hours_since(since).max(0),
            }
        });
        Ok(wire::ListWaitingResponse { waiting: waiting.collect(), page })
    }

    async fn leave_waiting_list(
        &self,
        call: &Call,
        request: wire::LeaveWaitingListRequest,
    ) -> Result<wire::LeaveWaitingListResponse, Status> {
        let system = [WaitingEnd::PlaceGiven, WaitingEnd::OfferedAgain];
        let why = words::read_waiting_end(request.reason).filter(|why| !system.contains(why));
        let why = why.ok_or_else(|| invalid("reason", "one of the values of WaitingEnd that people choose"))?;
        let (offer, _, entry) = self.offer(call, &request.offer_id).await?;
        self.refuse_while_recovering()?;
        if entry.direction == "out" {
            self.leave_elsewhere(call, offer, why).await?;
        } else {
            let need: Need = entry.need.parse().map_err(|_| status::not_found("offer"))?;
            self.leave_here(call, need, offer, why).await?;
        }
        Ok(wire::LeaveWaitingListResponse {})
    }

    async fn count_unmet_needs(
        &self,
        call: &Call,
        request: wire::CountUnmetNeedsRequest,
    ) -> Result<wire::CountUnmetNeedsResponse, Status> {
        let from: Option<Date> = field::parse_optional("from", &request.from)?;
        let to: Option<Date> = field::parse_optional("to", &request.to)?;
        let place: Option<PlaceCode> = field::parse_optional("place", &request.place)?;
        let (from, to) = (from.unwrap_or(call.today().plus_months(-11)), to.unwrap_or(call.today()));
        let place = place.map(|place| place.to_string()).unwrap_or_default();
        let counts = register::count_unmet(&month(from), &month(to), &place, self.store.reader()).await;
        let counts = counts.map_err(status::query)?.into_iter().map(|count| wire::UnmetCount {
            province: count.province,
            district: count.district,
            need: stored(&count.need, write_need),
            month: count.month,
            reason: stored(&count.reason, words::write_unmet),
            needs: count.needs,
            still_unmet: count.still_unmet,
        });
        Ok(wire::CountUnmetNeedsResponse { counts: counts.collect() })
    }
}

impl Grpc {
    /// A need that the caller's office knows, and may ask about in this way.
    async fn need(&self, call: &Call, id: NeedId) -> Result<Known, Status> {
        let office = call.office()?.clone();
        let entry = register::find(&office, id, self.store.reader()).await.map_err(status::query)?;
        let entry = entry.ok_or_else(|| status::not_found("need"))?;
        let case: CaseId = entry.case_id.parse().map_err(|_| status::not_found("need"))?;
        let standing = self.standing(&office, case).await?;
        if standing == Standing::Stranger {
            return Err(status::not_found("need"));
        }
        self.desk.node.gate.permit(call, "need", standing)?;
        Ok(Known { office, id, case, entry })
    }

    async fn load_need(&self, known: &Known) -> Result<CaseNeed, Status> {
        let loaded = self.store.load::<CaseNeed>(&stream(&known.office, known.id)).await;
        Ok(loaded.map_err(|error| status::store(&error))?.state)
    }

    async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Any>, Status> {
        self.store.reader().acquire().await.map_err(status::query)
    }

    fn place_of(&self, office: &OfficeId) -> Result<PlaceCode, Status> {
        let place = self.desk.directory().office(office).map(|office| office.place);
        place.ok_or_else(|| status::forbidden("OFFICE_NOT_IN_DIRECTORY", "the directory does not know this office"))
    }

    /// Takes back what is to be taken back, decides, and looks whether anybody can meet the need: all of it or none.
    async fn decide_need(
        &self,
        call: &Call,
        office: &OfficeId,
        id: NeedId,
        command: Command,
        back: TakeBack,
        look: bool,
    ) -> Result<(), Status> {
        self.refuse_while_recovering()?;
        let (context, metadata) = (call.context()?, call.metadata()?);
        let situation = self.situation(call, office)?;
        let (desk, office) = (self.desk.clone(), office.clone());
        let decided = self.store.transact(move |transaction| {
            Box::pin(async move {
                let at = stream(&office, id);
                for (case, custody) in withdrawals(&office, id, &back, transaction).await? {
                    let place = custody_stream(&office, case);
                    let withdrawn = transaction.decide::<CaseCustody>(&place, custody, &situation, &metadata).await;
                    withdrawn.map_err(status::handled)?;
                    settle(&office, case, &at, &context, &metadata, transaction).await?;
                }
                transaction.decide::<CaseNeed>(&at, command, &context, &metadata).await.map_err(status::handled)?;
                if look {
                    judge(&desk, (&office, id), &context, &metadata, transaction).await.map_err(told)?;
                }
                Ok(())
            })
        });
        decided.await.map_err(status::transacted)
    }

    /// Leaves the lists of other offices on which the person of a need waits: of all, or of one.
    async fn give_up_waiting(
        &self,
        call: &Call,
        known: &Known,
        only: Option<OfficeId>,
        why: WaitingEnd,
    ) -> Result<(), Status> {
        let Ok(need) = known.entry.need.parse() else { return Ok(()) };
        let mut connection = self.reader().await?;
        let waits = lines::of_case_elsewhere(&known.office, known.case, need, &mut connection).await;
        for (at, offer, ..) in waits.map_err(status::query)? {
            if only.as_ref().is_none_or(|only| *only == at) {
                self.leave_elsewhere(call, offer, why).await?;
            }
        }
        Ok(())
    }

    async fn leave_elsewhere(&self, call: &Call, offer: OfferId, why: WaitingEnd) -> Result<(), Status> {
        let id = format!("{}/{offer}", call.office()?);
        let (context, metadata) = (call.context()?, call.metadata()?);
        let left = self.store.transact(move |transaction| {
            Box::pin(async move {
                let command = elsewhere::Command::GiveUp { why };
                let left = transaction.decide::<WaitingElsewhere>(&id, command, &context, &metadata).await;
                left.map(drop).map_err(status::handled)
            })
        });
        left.await.map_err(status::transacted)
    }

    async fn leave_here(&self, call: &Call, need: Need, offer: OfferId, why: WaitingEnd) -> Result<(), Status> {
        let office = call.office()?.clone();
        let (context, metadata, desk) = (call.context()?, call.metadata()?, self.desk.clone());
        let left = self.store.transact(move |transaction| {
            Box::pin(async move {
                let id = format!("{office}/{need}");
                let command = waiting_list::Command::Leave { offer, why };
                let left = transaction.decide::<WaitingList>(&id, command, &context, &metadata).await;
                left.map_err(status::handled)?;
                figures::recount(&desk, &office, need, metadata.trace.as_ref(), transaction).await.map_err(told)
            })
        });
        left.await.map_err(status::transacted)
    }

    fn read_criteria(&self, call: &Call, criteria: Option<wire::ServiceCriteria>) -> Result<Wanted, Status> {
        let criteria = field::required("criteria", criteria)?;
        let need = read_need("criteria.need", criteria.need)?;
        let sex = if criteria.sex == 0 { Sex::Unknown } else { read_sex("criteria.sex", criteria.sex)? };
        let age_band = match criteria.age_band {
            0 => AgeBand::Unknown,
            band => read_age_band("criteria.age_band", band)?,
        };
        let preferences = read_preferences("criteria.preferences", criteria.preferences)?;
        let by = call.office()?.clone();
        let near = preferences.near.unwrap_or(self.place_of(&by)?);
        let Preferences { worker_sex, language, reach, .. } = preferences;
        Ok(Wanted { need, sex, age_band, language, worker_sex, near, reach, by })
    }

    async fn shown_need(&self, office: &OfficeId, entry: Entry, now: Timestamp) -> Result<wire::CaseNeed, Status> {
        let asked = register::asked(office, &entry.need_id, self.store.reader()).await.map_err(status::query)?;
        let refused = register::refused(office, &entry.need_id, self.store.reader()).await.map_err(status::query)?;
        let asked = asked.into_iter().map(|[offer_id, office_id, state, declined, outcome]| wire::AskedOffice {
            offer_id,
            office_id,
            state: match state.as_str() {
                "TRANSFERRED" => wire::OfferState::Accepted,
                state => wire::OfferState::from_str_name(&format!("OFFER_STATE_{state}")).unwrap_or_default(),
            }
            .into(),
            decline_reason: stored(&declined, words::write_decline),
            outcome: stored(&outcome, words::write_outcome),
        });
        let state = wire::NeedState::from_str_name(&format!("NEED_STATE_{}", entry.state)).unwrap_or_default();
        let opened_at = Timestamp::from_micros(entry.opened_at);
        Ok(wire::CaseNeed {
            need_id: entry.need_id,
            case_id: entry.case_id,
            case_number: entry.case_number,
            need: stored(&entry.need, write_need),
            urgency: stored(&entry.urgency, write_urgency),
            preferences: Some(wire::NeedPreferences {
                worker_sex: stored(&entry.worker_sex, write_sex),
                language: entry.language,
                near_place: entry.near_place,
                reach: stored(&entry.reach, words::write_reach),
            }),
            state: state.into(),
            known_since: entry.known_since,
            age_hours: now.hours_since(opened_at).max(0),
            unmet_reason: stored(&entry.unmet_reason, words::write_unmet),
            unmet_since: entry.unmet_on,
            asked: asked.collect(),
            refused_office_ids: refused,
            other_office_id: entry.other_office,
        })
    }
}

/// The commands that take back the offers of a need.
async fn withdrawals(
    office: &OfficeId,
    id: NeedId,
    back: &TakeBack,
    transaction: &mut Transaction,
) -> Result<Vec<(CaseId, Custody)>, Status> {
    let need = transaction.load::<CaseNeed>(&stream(office, id)).await.map_err(|error| status::store(&error))?.state;
    let Some(case) = need.described().map(|described| described.case) else { return Ok(vec![]) };
    let custody = transaction.load::<CaseCustody>(&custody_stream(office, case)).await;
    let custody = custody.map_err(|error| status::store(&error))?.state;
    let commands =
        custody.offers_out().filter(|(offer, _)| need.asked().contains_key(offer)).filter_map(|(offer, made)| {
            let open = made.state == OfferOutState::Open;
            let lives = open || made.state == OfferOutState::Agreed;
            let reason = match back {
                TakeBack::To(to, reason) if lives && made.to.office == *to => *reason,
                TakeBack::All(reason) if lives => *reason,
                TakeBack::Open(reason) if open => *reason,
                _ => return None,
            };
            Some((case, Custody::Withdraw { offer, reason }))
        });
    Ok(commands.collect())
}

/// Follows the offers of a case, for one of its needs.
async fn settle(
    office: &OfficeId,
    case: CaseId,
    at: &str,
    context: &spean_eventsourcing::Context,
    metadata: &spean_eventstore::Metadata,
    transaction: &mut Transaction,
) -> Result<(), Status> {
    let custody = transaction.load::<CaseCustody>(&custody_stream(office, case)).await;
    let custody = custody.map_err(|error| status::store(&error))?.state;
    let offers = custody.offers_out().map(|(offer, made)| offer_standing(offer, made)).collect();
    let holder = custody.holder().map(|holder| holder.office.clone());
    let settled = transaction.decide::<CaseNeed>(at, Command::Settle { offers, holder }, context, metadata).await;
    settled.map(drop).map_err(status::handled)
}

fn month(day: Date) -> String {
    day.to_string().chars().take(7).collect()
}
