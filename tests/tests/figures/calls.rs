//! What people ask of the nodes in this story.

use spean::demonstration::staff::{Staff, new_id};
use spean_contracts::followup::v1::{PlanFollowUpRequest, RecordVisitRequest, VisitOutcome};
use spean_contracts::insight::v1::{
    CountFactsRequest, CountFactsResponse, CountOpenRequest, CountOpenResponse, Dimension, GetFiguresRequest,
    GetFiguresResponse, IssueReportRequest, ListPeriodReportsRequest, ListPeriodReportsResponse, Measure, OpenThing,
    Publication, PublishFiguresRequest, Report, Window,
};
use spean_contracts::referral::v1::{
    DeclineOfferRequest, DeclineReason, OpenNeedRequest, WithdrawOfferRequest, WithdrawReason,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Urgency};
use spean_tests::Desk;
use spean_vocabulary::Date;
use tonic::{Code, Status};

pub(crate) async fn consent(desk: &Desk, case: &str) {
    desk.until("consent", async |staff: Staff| match staff.consent(case, ConsentBasis::Person).await {
        Ok(()) => Ok(Some(())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    })
    .await;
}

pub(crate) async fn decline(desk: &Desk, offer: &str) {
    let reason = DeclineReason::PersonElsewhere.into();
    let request = DeclineOfferRequest { offer_id: offer.to_owned(), reason };
    desk.until("the offer", async |staff: Staff| {
        match staff.referral().decline_offer(staff.ask(request.clone())).await {
            Ok(_) => Ok(Some(())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await;
}

pub(crate) async fn withdraw(desk: &Desk, offer: &str) {
    let reason = WithdrawReason::AnotherWayFound.into();
    let request = WithdrawOfferRequest { offer_id: offer.to_owned(), reason };
    desk.ask("the withdrawal", async |staff: Staff| {
        staff.referral().withdraw_offer(staff.ask(request.clone())).await.map(drop)
    })
    .await;
}

pub(crate) async fn open_need(desk: &Desk, case: &str) {
    let request = OpenNeedRequest {
        need_id: new_id(),
        case_id: case.to_owned(),
        need: Need::Medical.into(),
        urgency: Urgency::Routine.into(),
        ..OpenNeedRequest::default()
    };
    desk.ask("a need", async |staff: Staff| staff.needs().open_need(staff.ask(request.clone())).await.map(drop)).await;
}

pub(crate) async fn plan(desk: &Desk, case: &str, on: Date) {
    let request = PlanFollowUpRequest { case_id: case.to_owned(), reintegrated_on: on.to_string() };
    desk.until("the plan", async |staff: Staff| {
        match staff.followup().plan_follow_up(staff.ask(request.clone())).await {
            Ok(_) => Ok(Some(())),
            Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await;
}

pub(crate) async fn visit(desk: &Desk, case: &str, number: i32, on: Date) {
    let request = RecordVisitRequest {
        visit_id: new_id(),
        case_id: case.to_owned(),
        number,
        visited_on: on.to_string(),
        outcome: VisitOutcome::Missed.into(),
        ..RecordVisitRequest::default()
    };
    desk.ask("a visit", async |staff: Staff| staff.followup().record_visit(staff.ask(request.clone())).await.map(drop))
        .await;
}

pub(crate) async fn count(desk: &Desk, measure: Measure, around: Date, by: &[Dimension]) -> CountFactsResponse {
    let window = Window { from: around.plus_days(-20).to_string(), to: around.plus_days(60).to_string() };
    let by = by.iter().map(|by| (*by).into()).collect();
    let request = CountFactsRequest { measure: measure.into(), windows: vec![window], by };
    desk.ask("a count", async |staff: Staff| {
        Ok(staff.insight().count_facts(staff.ask(request.clone())).await?.into_inner())
    })
    .await
}

pub(crate) async fn count_open(desk: &Desk, thing: OpenThing, by: Dimension) -> CountOpenResponse {
    let request = CountOpenRequest { thing: thing.into(), by: by.into() };
    desk.ask("what is open", async |staff: Staff| {
        Ok(staff.insight().count_open(staff.ask(request)).await?.into_inner())
    })
    .await
}

pub(crate) async fn try_to_issue(staff: &Staff, period: &str) -> Result<Report, Status> {
    let request = IssueReportRequest { period: period.to_owned() };
    Ok(staff.insight().issue_report(staff.ask(request)).await?.into_inner().report.expect("a report"))
}

pub(crate) async fn issue(desk: &Desk, period: &str) -> Report {
    desk.ask("a report", async |staff: Staff| try_to_issue(&staff, period).await).await
}

pub(crate) async fn list(desk: &Desk, period: &str) -> ListPeriodReportsResponse {
    desk.ask("the reports", async |staff: Staff| {
        let request = ListPeriodReportsRequest { period: period.to_owned() };
        Ok(staff.insight().list_period_reports(staff.ask(request)).await?.into_inner())
    })
    .await
}

pub(crate) async fn try_to_publish(staff: &Staff, period: &str) -> Result<Publication, Status> {
    let request = PublishFiguresRequest { period: period.to_owned() };
    Ok(staff.insight().publish_figures(staff.ask(request)).await?.into_inner().publication.expect("a publication"))
}

pub(crate) async fn publish(desk: &Desk, period: &str) -> Publication {
    desk.ask("a publication", async |staff: Staff| try_to_publish(&staff, period).await).await
}

/// Waits until figures with so many corrections are here.
pub(crate) async fn figures(desk: &Desk, period: &str, corrections: usize) -> GetFiguresResponse {
    desk.until("the figures", async |staff: Staff| {
        let request = GetFiguresRequest { period: period.to_owned() };
        match staff.insight().get_figures(staff.ask(request)).await {
            Ok(figures) => Ok(Some(figures.into_inner()).filter(|figures| figures.corrections.len() == corrections)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    })
    .await
}
