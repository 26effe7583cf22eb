//! After the shelter: a year of visits, dangers, people who are lost, moves to another province, money and the work of those
//! who do it, and the way home that comes before. Through running programs alone; whole years pass on the network's clock.

mod danger;
mod going_home;
mod lost;
mod moves;
mod whereabouts;
mod work;
mod year;

use spean::demonstration::agencies::KIEN_SVAY;
use spean::demonstration::staff::{Asking, Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::{FollowUpState, PersonFunction, Topic, VisitOutcome};
use spean_contracts::referral::v1::news::What;
use spean_contracts::referral::v1::{ListNewsRequest, News, Stage};
use spean_contracts::vocabulary::v1::{Birth, ConsentBasis, Person, Sex, birth};
use spean_tests::{Desk, Network, invented};
use spean_vocabulary::Date;
use tonic::{Code, Status};

/// Hours of the longest month: whatever is due once a month is due after so many.
const A_MONTH: i64 = 31 * 24;

fn day(network: &Network) -> Date {
    network.clock().now().date_in_cambodia()
}

fn today(network: &Network) -> String {
    day(network).to_string()
}

/// Somebody of 14 who does not exist.
fn invented_child(network: &Network, number: usize) -> Person {
    let year: i32 = today(network)[..4].parse().expect("a year");
    let birth = Some(Birth { known: Some(birth::Known::Year(year - 14)) });
    Person { birth, sex: Sex::Male.into(), ..invented(number) }
}

async fn open_case_of(desk: &Desk, person: Person, basis: ConsentBasis) -> String {
    let case = new_id();
    desk.ask("registering", async |staff| staff.register(&case, person.clone()).await.map(drop)).await;
    desk.ask("consent", async |staff| staff.consent(&case, basis).await).await;
    case
}

/// Begins the visits today.
async fn plan(desk: &Desk, case: &str) -> wire::PlanFollowUpResponse {
    let request = wire::PlanFollowUpRequest { case_id: case.to_owned(), reintegrated_on: String::new() };
    let planned = desk.until("the plan", async |staff: Staff| {
        known(staff.followup().plan_follow_up(staff.ask(request.clone())).await)
    });
    planned.await.into_inner()
}

/// A report of a visit.
fn visit(case: &str, number: i32, outcome: VisitOutcome) -> wire::RecordVisitRequest {
    wire::RecordVisitRequest {
        visit_id: new_id(),
        case_id: case.to_owned(),
        number,
        outcome: outcome.into(),
        ..wire::RecordVisitRequest::default()
    }
}

/// A report of a visit to a child, with a grandmother.
fn visit_to_child(case: &str, number: i32, outcome: VisitOutcome) -> wire::RecordVisitRequest {
    let responsible_adult_function = PersonFunction::Grandparent.into();
    wire::RecordVisitRequest { responsible_adult_function, ..visit(case, number, outcome) }
}

async fn record(desk: &Desk, report: &wire::RecordVisitRequest) -> wire::RecordVisitResponse {
    let record = async |staff: Staff| staff.followup().record_visit(staff.ask(report.clone())).await;
    desk.ask("a visit", record).await.into_inner()
}

async fn refused_visit(desk: &Desk, report: wire::RecordVisitRequest) -> (Code, String) {
    let staff = desk.staff().await;
    refusal(&staff.followup().record_visit(staff.ask(report)).await.expect_err("it is refused"))
}

fn refusal(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

/// The visits that an office has to make in a case.
async fn due_visits(staff: &Staff, case: &str) -> Result<Vec<wire::Visit>, Status> {
    let ask = wire::ListDueVisitsRequest { page: None, within_days: 0 };
    let visits = staff.followup().list_due_visits(staff.ask(ask)).await?.into_inner().visits;
    Ok(visits.into_iter().filter(|visit| visit.case_id == case).collect())
}

async fn due(desk: &Desk, case: &str) -> Vec<wire::Visit> {
    desk.ask("what is due", async |staff: Staff| due_visits(&staff, case).await).await
}

async fn visits_of(desk: &Desk, case: &str) -> wire::ListVisitsResponse {
    let request = wire::ListVisitsRequest { case_id: case.to_owned() };
    let visits =
        desk.ask("the visits", async |staff: Staff| staff.followup().list_visits(staff.ask(request.clone())).await);
    visits.await.into_inner()
}

/// How a follow-up stands at an office; none when it is not listed there.
async fn follow_up(staff: &Staff, case: &str) -> Result<Option<wire::FollowUp>, Status> {
    let listed = staff.followup().list_follow_ups(staff.ask(wire::ListFollowUpsRequest::default())).await?;
    Ok(listed.into_inner().follow_ups.into_iter().find(|entry| entry.case_id == case))
}

async fn stands(desk: &Desk, case: &str, state: FollowUpState) -> wire::FollowUp {
    let what = format!("the follow-up to be {state:?}");
    desk.until(&what, async |staff: Staff| Ok(follow_up(&staff, case).await?.filter(|entry| entry.state() == state)))
        .await
}

/// Waits until a case stands on the agenda of the province for all of these reasons.
async fn on_the_agenda(province: &Desk, case: &str, topics: &[Topic]) {
    let what = format!("{topics:?} on the agenda");
    province
        .until(&what, async |staff: Staff| {
            let listed = staff.meeting().list_agenda(staff.ask(wire::ListAgendaRequest { page: None })).await?;
            let item = listed.into_inner().items.into_iter().find(|item| item.case_id == case);
            let found: Vec<_> = item.iter().flat_map(wire::AgendaItem::topics).collect();
            Ok(topics.iter().all(|topic| found.contains(topic)).then_some(()))
        })
        .await;
}

/// Nobody ends a follow-up alone, however it stands.
async fn cannot_be_closed(desk: &Desk, case: &str) {
    let staff = desk.staff().await;
    let close = wire::CloseFollowUpRequest { case_id: case.to_owned() };
    let refused = staff.followup().close_follow_up(staff.ask(close)).await.expect_err("the meeting has not decided");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "CLOSURE_NEEDS_MEETING".to_owned()));
}

async fn raise(desk: &Desk, danger: &wire::RaiseDangerRequest) -> wire::RaiseDangerResponse {
    let raise = async |staff: Staff| staff.safety().raise_danger(staff.ask(danger.clone())).await;
    desk.ask("a danger", raise).await.into_inner()
}

async fn listed_danger(staff: &Staff, danger: &str) -> Result<Option<wire::DangerEntry>, Status> {
    let dangers = staff.safety().list_dangers(staff.ask(wire::ListDangersRequest::default())).await?;
    Ok(dangers.into_inner().dangers.into_iter().find(|entry| entry.danger_id == danger))
}

async fn danger_at(desk: &Desk, danger: &str) -> wire::DangerEntry {
    desk.until("the danger", async |staff: Staff| listed_danger(&staff, danger).await).await
}

async fn lost_contacts(staff: &Staff) -> Result<Vec<wire::LostContact>, Status> {
    let listed = staff.safety().list_lost_contacts(staff.ask(wire::ListLostContactsRequest::default())).await?;
    Ok(listed.into_inner().contacts)
}

async fn lose(desk: &Desk, case: &str, reason: wire::LossReason) -> String {
    let request =
        wire::RecordContactLostRequest { case_id: case.to_owned(), lost_on: String::new(), reason: reason.into() };
    let lose = async |staff: Staff| staff.safety().record_contact_lost(staff.ask(request.clone())).await;
    desk.ask("the loss", lose).await.into_inner().to_meeting_on
}

async fn search(desk: &Desk, case: &str, action: wire::SearchAction) {
    let step = wire::RecordSearchStepRequest {
        case_id: case.to_owned(),
        step_id: new_id(),
        action: action.into(),
        done_on: String::new(),
    };
    desk.ask("a step", async |staff: Staff| staff.safety().record_search_step(staff.ask(step.clone())).await).await;
}

/// Waits for a piece of news of a case.
async fn heard(desk: &Desk, case: &str, wanted: impl Fn(&News) -> bool) -> News {
    desk.until("the news", async |staff: Staff| {
        let asked = staff.ask(ListNewsRequest { include_read: true, page: None });
        let news = staff.reports().list_news(asked).await?.into_inner().news;
        Ok(news.into_iter().find(|news| news.case_id == case && wanted(news)))
    })
    .await
}

fn came_to(stage: Stage) -> impl Fn(&News) -> bool {
    move |news| matches!(news.what, Some(What::Stage(reached)) if reached == i32::from(stage))
}

/// Asks another office for a service, as soon as the desk knows what it needs to know.
async fn ask_for(desk: &Desk, case: &str, to: &str, asking: Asking) -> String {
    desk.until("an offer", async |staff: Staff| match staff.offer(case, to, asking).await {
        Ok(offer) => Ok(Some(offer)),
        Err(status) if status.code() == Code::NotFound || reason(&status) == "CONSENT_MISSING" => Ok(None),
        Err(status) => Err(status),
    })
    .await
}

/// Moves a case on to an office that agrees to it.
async fn hand_on(from: &Desk, to: &Desk, case: &str, basis: ConsentBasis) {
    from.ask("consent", async |staff: Staff| staff.consent(case, basis).await).await;
    let offer = from.offer(case, to.office()).await;
    to.accept(&offer).await;
    to.held(case).await;
}

/// A grown-up of Kien Svay whose visits begin today.
async fn a_follow_up(network: &Network, number: usize) -> String {
    let desk = network.desk(KIEN_SVAY);
    let case = spean_tests::open_case(&desk, number).await;
    plan(&desk, &case).await;
    case
}

/// What the node was told is on its way.
fn known<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Err(status)
            if matches!(status.code(), Code::NotFound | Code::PermissionDenied)
                || reason(&status) == "NOT_THE_HOLDER" =>
        {
            Ok(None)
        }
        answer => answer.map(Some),
    }
}
