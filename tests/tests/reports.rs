//! A light way in, and the way back. A hotline and a commune report the same girl; the district looks into it and opens a
//! case; what came of it is heard by both, who never learn of the case, while nobody learns who reported. Silence goes to
//! the office above. And a boy whom the transit centre registers a second time is known to his district on the same day.

use std::path::PathBuf;

use spean::demonstration::agencies::{BANTEAY_DAEK, HOTLINE, KANDAL, KIEN_SVAY, SAANG, SHELTER, TRANSIT_CENTRE};
use spean::demonstration::staff::{Asking, Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::cases::v1::LinkCasesRequest;
use spean_contracts::referral::v1::{
    AcknowledgeNewsRequest, Channel, CloseReason, CloseReportRequest, Concern, ConcludeServiceRequest,
    EraseReporterRequest, GetReportRequest, GetReportStatusRequest, GetReportStatusResponse, LinkReportToCaseRequest,
    ListNewsRequest, ListProgressRequest, ListReportsRequest, News, OfferKind, OfferState, OpenDossierRequest,
    PassReason, ReadReporterRequest, Report, ReportList, ReportState, Reporter, ServiceOutcome, SubmitReportRequest,
    SubmitReportResponse, TakeUpReportRequest, news,
};
use spean_contracts::vocabulary::v1::{ConsentBasis, Need, Urgency};
use spean_identity::Role;
use spean_tests::{
    Desk, Files, Network, hand_over, keep_what_lies_at_the_hub, network, one_holder, open_case, settled,
};
use tonic::Status;

/// Somebody who reports and does not exist.
const REPORTER_NAME: &str = "Kumru Chanrasmey";
const REPORTER_TELEPHONE: &str = "+855 99 000 833";
const WORDS: &str = "a girl of the next house was taken along by a man in a white car";

#[tokio::test]
async fn a_report_becomes_a_case_and_those_who_reported_hear_what_came_of_it() {
    let network = network().await;
    let (by_hotline, by_commune) = two_reports_of_one_girl(&network).await;
    let (case, offer) = the_district_opens_a_case(&network, &by_hotline, &by_commune).await;
    keep_what_lies_at_the_hub(&network);
    a_service_comes_to_its_end(&network, &case, &offer, [&by_hotline, &by_commune]).await;
    keep_what_lies_at_the_hub(&network);
    who_reported_stands_nowhere(&network, &by_hotline, &offer).await;
    silence_goes_to_the_office_above(&network).await;
    settled(&network).await;
}

#[tokio::test]
async fn a_boy_who_is_registered_again_is_known_to_his_district_the_same_day() {
    let network = network().await;
    let (centre, province) = (network.desk(TRANSIT_CENTRE), network.desk(KANDAL));
    let first = hand_over(&centre, &province, 0).await.case;
    province.held(&first).await;
    // What the centre was allowed does not go on for the province: whoever offers asks for consent again.
    province.ask("the consent", async |staff: Staff| staff.consent(&first, ConsentBasis::BestInterest).await).await;
    let on = province.offer(&first, KIEN_SVAY).await;
    let district = network.desk(KIEN_SVAY);
    district.accept(&on).await;
    district.held(&first).await;
    settled(&network).await;
    network.pass_time(5 * 7 * 24).expect("the clock is ours");

    let (centre, province, district) = (network.desk(TRANSIT_CENTRE), network.desk(KANDAL), network.desk(KIEN_SVAY));
    let second = open_case(&centre, 0).await;
    let link =
        LinkCasesRequest { case_id: second.clone(), other_case_id: first.clone(), ..LinkCasesRequest::default() };
    centre
        .ask("the link", async |staff: Staff| staff.cases().link_cases(staff.ask(link.clone())).await.map(drop))
        .await;

    let today = network.clock().now().date_in_cambodia().to_string();
    for (desk, case, other) in [(&district, &first, &second), (&centre, &second, &first)] {
        let told = heard(desk, |told| told.case_id == *case && other_case(told) == Some(other)).await;
        assert_eq!(told.occurred_on, today, "at {}", desk.office());
        assert_eq!(told.seen_by_office_id, TRANSIT_CENTRE);
    }
    // The centre knows of the first handing over alone: the province sent it after the case.
    let passed_on = heard(&province, |told| other_case(told) == Some(&second)).await;
    assert_eq!(passed_on.from_office_id, TRANSIT_CENTRE);
    settled(&network).await;
    let told = district.ask("the news", async |staff: Staff| unread(&staff).await).await;
    assert_eq!(told.iter().filter(|told| other_case(told).is_some()).count(), 1, "once, whoever told it");
    one_holder(&network, KIEN_SVAY, &[&first]).await;
    one_holder(&network, TRANSIT_CENTRE, &[&second]).await;
}

/// A report as the office knows it that took it down.
struct TakenDown {
    report: String,
    reference: String,
    office: &'static str,
}

async fn two_reports_of_one_girl(network: &Network) -> (TakenDown, TakenDown) {
    let hotline = network.desk_as(HOTLINE, &[Role::Reporter]);
    let by_hotline = SubmitReportRequest {
        channel: Channel::Hotline.into(),
        reporter: Some(Reporter {
            name: REPORTER_NAME.to_owned(),
            telephone: REPORTER_TELEPHONE.to_owned(),
            safe_contact: String::new(),
        }),
        ..about("080201")
    };
    let answer = submit(&hotline, &by_hotline).await;
    assert_eq!(answer.looked_into_by_office_id, KIEN_SVAY, "the commune holds no cases");
    assert_eq!(submit(&hotline, &by_hotline).await, answer, "told again it is the same report");

    let commune = network.desk_as(BANTEAY_DAEK, &[Role::Reporter]);
    let by_commune = SubmitReportRequest { channel: Channel::Commune.into(), ..about("08020103") };
    let heard = submit(&commune, &by_commune).await;
    assert_eq!(heard.looked_into_by_office_id, KIEN_SVAY);
    let taken_down = |report: SubmitReportRequest, answer: SubmitReportResponse, office| TakenDown {
        report: report.report_id,
        reference: answer.reference,
        office,
    };
    (taken_down(by_hotline, answer, HOTLINE), taken_down(by_commune, heard, BANTEAY_DAEK))
}

async fn the_district_opens_a_case(
    network: &Network,
    by_hotline: &TakenDown,
    by_commune: &TakenDown,
) -> (String, String) {
    let district = network.desk(KIEN_SVAY);
    let waiting = district
        .until("both reports", async |staff: Staff| {
            let reports = reports(&staff, ReportList::ToDo).await?;
            Ok((reports.len() == 2).then_some(reports))
        })
        .await;
    for report in &waiting {
        assert!(!report.has_reporter && report.channel == 0, "who reported, and how, is the other office's secret");
        assert_eq!(report.stations, []);
    }
    let staff = district.staff().await;
    let read = GetReportRequest { report_id: by_hotline.report.clone(), purpose: "to find the house".to_owned() };
    let read = staff.reports().get_report(staff.ask(read)).await.expect("it is for this office");
    assert_eq!(read.into_inner().words, WORDS);
    let who = ReadReporterRequest { report_id: by_hotline.report.clone(), purpose: "curiosity".to_owned() };
    let refused = staff.reports().read_reporter(staff.ask(who)).await.expect_err("it is not here");
    assert_eq!(reason(&refused), "NO_REPORTER_KEPT");

    for taken_down in [by_hotline, by_commune] {
        let take_up = TakeUpReportRequest { report_id: taken_down.report.clone() };
        staff.reports().take_up_report(staff.ask(take_up)).await.expect("somebody goes there");
        stands(network, taken_down, |status| status.state() == ReportState::LookedInto).await;
    }
    let case = open_case(&district, 7).await;
    for taken_down in [by_hotline, by_commune] {
        let link = LinkReportToCaseRequest { report_id: taken_down.report.clone(), case_id: case.clone() };
        staff.reports().link_report_to_case(staff.ask(link)).await.expect("the case is this office's");
        let status = stands(network, taken_down, |status| status.state() == ReportState::BecameCase).await;
        assert_eq!(status.persons.len(), 1);
    }
    let asking = Asking { kind: OfferKind::Service, need: Need::Shelter, urgency: Urgency::Urgent };
    let offer = district
        .until("an offer", async |staff: Staff| match staff.offer(&case, SHELTER, asking).await {
            Ok(offer) => Ok(Some(offer)),
            Err(status) if reason(&status) == "CONSENT_MISSING" => Ok(None),
            Err(status) => Err(status),
        })
        .await;
    network.desk(SHELTER).accept(&offer).await;
    let close = CloseReportRequest { report_id: by_commune.report.clone(), reason: CloseReason::CasesGoOn.into() };
    staff.reports().close_report(staff.ask(close)).await.expect("a case came of it");
    stands(network, by_commune, |status| status.close_reason() == CloseReason::CasesGoOn).await;
    (case, offer)
}

/// Meanwhile the case has moved to the next district. What came of the service goes to the office that asked for it, from
/// there to the one that holds the case now, and to those who reported.
async fn a_service_comes_to_its_end(network: &Network, case: &str, offer: &str, reports: [&TakenDown; 2]) {
    let (district, next, shelter) = (network.desk(KIEN_SVAY), network.desk(SAANG), network.desk(SHELTER));
    let transfer = district.offer(case, SAANG).await;
    next.accept(&transfer).await;
    next.held(case).await;
    shelter
        .until(
            "the service",
            async |staff: Staff| Ok((staff.state(offer).await? == OfferState::Accepted).then_some(())),
        )
        .await;
    let conclude = ConcludeServiceRequest { offer_id: offer.to_owned(), outcome: ServiceOutcome::Completed.into() };
    shelter
        .ask("its end", async |staff: Staff| {
            staff.referral().conclude_service(staff.ask(conclude.clone())).await.map(drop)
        })
        .await;
    for taken_down in reports {
        let told = |status: &GetReportStatusResponse| {
            status.persons.iter().any(|person| person.outcome() == ServiceOutcome::Completed)
        };
        let status = stands(network, taken_down, told).await;
        assert!(!format!("{status:?}").contains(case), "no case is named at {}", taken_down.office);
    }
    let ended = |told: &News| matches!(&told.what, Some(news::What::Service(service)) if service.offer_id == offer);
    let told = heard(&next, ended).await;
    assert_eq!((told.from_office_id.as_str(), told.seen_by_office_id.as_str()), (KIEN_SVAY, SHELTER));
    let told = heard(&district, ended).await;
    assert_eq!(told.from_office_id, SHELTER);
    let read = AcknowledgeNewsRequest { case_id: case.to_owned(), up_to_number: told.number };
    district
        .ask("reading", async |staff: Staff| staff.reports().acknowledge_news(staff.ask(read.clone())).await.map(drop))
        .await;
    let staff = district.staff().await;
    assert!(!unread(&staff).await.expect("it answers").iter().any(ended), "it was read");
    let progress = ListProgressRequest { case_id: case.to_owned(), page: None };
    let progress = staff.reports().list_progress(staff.ask(progress)).await.expect("it answers").into_inner();
    assert_eq!(progress.news.iter().filter(|told| ended(told)).count(), 1, "once, and still there");
}

/// Not in a dossier, a database, a log or the broker's store of any node; and erased alone.
async fn who_reported_stands_nowhere(network: &Network, by_hotline: &TakenDown, offer: &str) {
    settled(network).await;
    let shelter = network.desk(SHELTER);
    let staff = shelter.staff().await;
    let open = OpenDossierRequest { offer_id: offer.to_owned(), purpose: "to see what came along".to_owned() };
    if let Ok(dossier) = staff.referral().open_dossier(staff.ask(open)).await {
        assert!(!format!("{:?}", dossier.into_inner()).contains(REPORTER_NAME));
    }
    let supervisor = network.desk_as(HOTLINE, &[Role::Supervisor]);
    let staff = supervisor.staff().await;
    let who = ReadReporterRequest { report_id: by_hotline.report.clone(), purpose: "to thank them".to_owned() };
    let read = staff.reports().read_reporter(staff.ask(who.clone())).await.expect("the supervisor may").into_inner();
    assert_eq!(read.reporter.expect("somebody").name, REPORTER_NAME);
    let files = Files::of(network.folder());
    for secret in [REPORTER_NAME, REPORTER_TELEPHONE, WORDS] {
        assert_eq!(files.holding(secret), Vec::<PathBuf>::new(), "{secret:?} stands in the clear");
    }
    let known = files.holding(&by_hotline.report);
    assert!(
        known.iter().any(|file| file.starts_with("house-of-hope")),
        "the search does find what is there: {known:?}"
    );

    let erase = EraseReporterRequest { report_id: by_hotline.report.clone(), ground: "REQUEST_OF_PERSON".to_owned() };
    for _ in 0..2 {
        staff.reports().erase_reporter(staff.ask(erase.clone())).await.expect("it is theirs to ask for");
    }
    let refused = staff.reports().read_reporter(staff.ask(who)).await.expect_err("it is gone");
    assert_eq!(reason(&refused), "NO_REPORTER_KEPT");
    let read = GetReportRequest { report_id: by_hotline.report.clone(), purpose: "to look again".to_owned() };
    let read = staff.reports().get_report(staff.ask(read)).await.expect("the report stays").into_inner();
    assert_eq!(read.words, WORDS);
}

/// Nobody at the district looks into a report, so it goes to the province when the time is over, and says why.
async fn silence_goes_to_the_office_above(network: &Network) {
    let hotline = network.desk_as(HOTLINE, &[Role::Reporter]);
    let request = about("0802");
    let answer = submit(&hotline, &request).await;
    let taken_down = TakenDown { report: request.report_id.clone(), reference: answer.reference, office: HOTLINE };
    // Two days for an answer to what is urgent, and one until the office above is told.
    network.pass_time(48 + 24 + 1).expect("the clock is ours");
    let province = network.desk(KANDAL);
    let report = province
        .until("the report", async |staff: Staff| {
            let reports = reports(&staff, ReportList::ToDo).await?;
            Ok(reports.into_iter().find(|report| report.report_id == request.report_id))
        })
        .await;
    assert_eq!(report.silent_office_ids, [KIEN_SVAY]);
    assert_eq!(report.from_office_ids, [HOTLINE]);
    let status = stands(network, &taken_down, |status| !status.silent_office_ids.is_empty()).await;
    assert_eq!(status.looked_into_by_office_id, KANDAL);
    let supervisor = network.desk_as(HOTLINE, &[Role::Supervisor]).staff().await;
    let waiting = reports(&supervisor, ReportList::Waiting).await.expect("it answers");
    let waiting = waiting.iter().find(|waiting| waiting.report_id == request.report_id).expect("it waits");
    let stations: Vec<_> = waiting
        .stations
        .iter()
        .map(|station| (station.office_id.as_str(), station.because(), station.silent))
        .collect();
    let expected = [(KIEN_SVAY, PassReason::ServesPlace, true), (KANDAL, PassReason::NobodyAnswered, false)];
    assert_eq!(stations, expected);
    let staff = province.staff().await;
    let take_up = TakeUpReportRequest { report_id: request.report_id.clone() };
    staff.reports().take_up_report(staff.ask(take_up)).await.expect("somebody goes there");
    stands(network, &taken_down, |status| status.state() == ReportState::LookedInto).await;
}

fn about(place: &str) -> SubmitReportRequest {
    SubmitReportRequest {
        report_id: new_id(),
        channel: Channel::Gatekeeper.into(),
        place: place.to_owned(),
        concerns: vec![Concern::TraffickingSuspected.into(), Concern::StrangerRecruiting.into()],
        urgency: Urgency::Urgent.into(),
        people: 1,
        words: WORDS.to_owned(),
        ..SubmitReportRequest::default()
    }
}

async fn submit(desk: &Desk, request: &SubmitReportRequest) -> SubmitReportResponse {
    desk.ask("a report", async |staff: Staff| {
        Ok(staff.reports().submit_report(staff.ask(request.clone())).await?.into_inner())
    })
    .await
}

async fn reports(staff: &Staff, list: ReportList) -> Result<Vec<Report>, Status> {
    let request = ListReportsRequest { list: list.into(), ..ListReportsRequest::default() };
    Ok(staff.reports().list_reports(staff.ask(request)).await?.into_inner().reports)
}

/// Waits until a report stands so, as those see it who took it down.
async fn stands(
    network: &Network,
    taken_down: &TakenDown,
    so: impl Fn(&GetReportStatusResponse) -> bool,
) -> GetReportStatusResponse {
    let request = GetReportStatusRequest { reference: taken_down.reference.clone() };
    network
        .desk_as(taken_down.office, &[Role::Reporter])
        .until("word of the report", async |staff: Staff| {
            let status = staff.reports().get_report_status(staff.ask(request.clone())).await?.into_inner();
            Ok(so(&status).then_some(status))
        })
        .await
}

async fn unread(staff: &Staff) -> Result<Vec<News>, Status> {
    Ok(staff.reports().list_news(staff.ask(ListNewsRequest::default())).await?.into_inner().news)
}

/// Waits for a piece of news that nobody has read.
async fn heard(desk: &Desk, wanted: impl Fn(&News) -> bool) -> News {
    desk.until("the news", async |staff: Staff| Ok(unread(&staff).await?.into_iter().find(|told| wanted(told)))).await
}

fn other_case(told: &News) -> Option<&String> {
    match &told.what {
        Some(news::What::SeenAgain(seen)) => Some(&seen.other_case_id),
        _ => None,
    }
}
