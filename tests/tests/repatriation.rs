//! How people come home across a border: a request whose steps change hands and are not forgotten, an arrival, an
//! offer, a departure; and somebody who comes a second time.

use spean::demonstration::agencies::{BANTEAY_MEANCHEY, KANDAL, TRANSIT_CENTRE};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::referral::v1::{OfferState, WithdrawOfferRequest, WithdrawReason};
use spean_contracts::repatriation::v1::{
    AdultFunction, ApproveRepatriationRequest, ArrangeTravelRequest, Circumstances, CompleteRepatriationStepRequest,
    DelegateReason, DelegateStepRequest, DepartureKind, EndReason, EndRepatriationRequest, EscortFunction,
    GetArrivalRequest, GetRepatriationRequestRequest, GetRepatriationRequestResponse, KnownPerson,
    ListRepatriationRequestsRequest, ListUrgentNeedsRequest, OpenRepatriationRequestRequest, ReconcileArrivalsRequest,
    RecordDepartureRequest, RecordNeedsRequest, RegisterArrivalRequest, RepatriationDirection, RepatriationState,
    RepatriationStep as Step, RepatriationStepState, RepatriationStepView, RepatriationSummary, RepatriationView,
    ResponsibleAdult, Route, SkipReason, SkipRepatriationStepRequest, StaffFunction, StepOwner, SucceedOwnerRequest,
    Travel, TravelMeans, UrgentNeed,
};
use spean_contracts::vocabulary::v1::{Birth, ConsentBasis, Document, Name, Need, Person, Sex, birth};
use spean_tests::{Desk, network};
use tonic::{Code, Status};

/// Another office of the node of the province.
const DISTRICT: &str = "osvy-poipet";

fn owner(staff: &str) -> StepOwner {
    let function = StaffFunction::RepatriationOfficer.into();
    StepOwner { function, staff_id: staff.to_owned(), ..StepOwner::default() }
}

/// A boy of seventeen.
fn the_boy(year: i32) -> Person {
    Person {
        latin_name: Some(Name { family: "Kumru".to_owned(), given: "Rithy".to_owned() }),
        sex: Sex::Male.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(year)) }),
        documents: vec![Document { kind: "border pass".to_owned(), number: "BP-0417-17".to_owned() }],
        home_place: "0802".to_owned(),
        ..Person::default()
    }
}

async fn open(desk: &Desk, people: &[&str]) -> String {
    let request = OpenRepatriationRequestRequest {
        request_id: new_id(),
        direction: RepatriationDirection::ToHere.into(),
        country: "TH".to_owned(),
        person_ids: people.iter().map(|person| (*person).to_owned()).collect(),
        owner: Some(owner("ptc-11")),
        requested_on: String::new(),
    };
    let due_on = desk
        .ask("a request", async |staff: Staff| {
            Ok(staff.repatriation().open_repatriation_request(staff.ask(request.clone())).await?.into_inner().due_on)
        })
        .await;
    assert!(!due_on.is_empty(), "the first step is due some day");
    request.request_id
}

async fn complete(staff: &Staff, request: &str, step: Step) -> Result<(), Status> {
    let request_id = request.to_owned();
    if matches!(step, Step::ApprovalHere | Step::ApprovalThere) {
        let request = ApproveRepatriationRequest { request_id, step: step.into(), approved_on: String::new() };
        staff.repatriation().approve_repatriation(staff.ask(request)).await?;
    } else {
        let request = CompleteRepatriationStepRequest { request_id, step: step.into(), done_on: String::new() };
        staff.repatriation().complete_repatriation_step(staff.ask(request)).await?;
    }
    Ok(())
}

async fn delegate(staff: &Staff, request: &str, step: Step, to: StepOwner) -> Result<(), Status> {
    let request = DelegateStepRequest {
        request_id: request.to_owned(),
        step: step.into(),
        to: Some(to),
        reason: DelegateReason::NotInCharge.into(),
        delegated_on: String::new(),
    };
    staff.repatriation().delegate_step(staff.ask(request)).await?;
    Ok(())
}

async fn list(desk: &Desk, view: RepatriationView) -> Vec<RepatriationSummary> {
    desk.ask("the requests", async |staff: Staff| {
        let request = ListRepatriationRequestsRequest { view: view.into(), ..Default::default() };
        Ok(staff.repatriation().list_repatriation_requests(staff.ask(request)).await?.into_inner().requests)
    })
    .await
}

async fn see(desk: &Desk, request: &str) -> GetRepatriationRequestResponse {
    desk.ask("the request", async |staff: Staff| {
        let request = GetRepatriationRequestRequest { request_id: request.to_owned() };
        Ok(staff.repatriation().get_repatriation_request(staff.ask(request)).await?.into_inner())
    })
    .await
}

fn arrival(person: Person, request: &str, of_request: &str) -> RegisterArrivalRequest {
    let route = if request.is_empty() { Route::Self_ } else { Route::Repatriation };
    RegisterArrivalRequest {
        arrival_id: new_id(),
        person: Some(person),
        circumstances: Some(Circumstances { route: route.into(), from_country: "TH".to_owned(), ..Default::default() }),
        repatriation_request_id: request.to_owned(),
        repatriation_person_id: of_request.to_owned(),
    }
}

async fn register(desk: &Desk, arrival: &RegisterArrivalRequest) -> Vec<KnownPerson> {
    desk.ask("an arrival", async |staff: Staff| {
        Ok(staff.repatriation().register_arrival(staff.ask(arrival.clone())).await?.into_inner().known)
    })
    .await
}

#[tokio::test]
async fn people_come_home_step_by_step_and_no_step_is_forgotten_when_staff_change() {
    let network = network().await;
    let centre = network.desk(TRANSIT_CENTRE);
    let today = network.clock().now().date_in_cambodia();
    let (boy, other) = (new_id(), new_id());
    let request = open(&centre, &[&boy, &other]).await;
    let left_behind = open(&centre, &[&new_id()]).await;
    to_the_border(&centre, &request, &today.to_string()).await;

    let arrived = arrival(the_boy(today.year() - 17), &request, &boy);
    assert!(register(&centre, &arrived).await.is_empty(), "he is here for the first time");
    register(&centre, &arrived).await;
    nobody_else_comes(&centre, &request, &other).await;
    let seen = see(&centre, &request).await;
    assert_eq!(seen.summary.map(|summary| summary.state()), Some(RepatriationState::Received));
    let received = seen.people.iter().find(|person| person.person_id == boy).expect("the boy");
    assert_eq!((received.state(), &received.arrival_id), (RepatriationState::Received, &arrived.arrival_id));

    onwards(&centre, &network.desk(KANDAL), &arrived.arrival_id).await;
    he_comes_again(&centre, &arrived.arrival_id, today.year() - 17).await;

    // Who had the other request leaves, and so does the time.
    let succession = SucceedOwnerRequest {
        from_staff_id: "ptc-11".to_owned(),
        to: Some(owner("ptc-12")),
        reason: DelegateReason::StaffLeft.into(),
        delegated_on: String::new(),
    };
    let succeeded = centre
        .ask("a successor", async |staff: Staff| {
            Ok(staff.repatriation().succeed_owner(staff.ask(succession.clone())).await?.into_inner())
        })
        .await;
    assert_eq!((succeeded.steps.len(), succeeded.left), (7, 0));
    assert!(succeeded.steps.iter().all(|step| step.refusal.is_empty() && step.request_id == left_behind));
    assert!(list(&centre, RepatriationView::Late).await.is_empty());
    network.pass_time(40 * 24).expect("the clock can be moved");
    let centre = network.desk(TRANSIT_CENTRE);
    let late = list(&centre, RepatriationView::Late).await;
    assert_eq!(late.iter().map(|late| &late.request_id).collect::<Vec<_>>(), [&left_behind]);
    assert!(late[0].late && late[0].age_days >= 40 && late[0].step() == Step::Documents);
    assert_eq!(late[0].owner.as_ref().map(|owner| owner.staff_id.as_str()), Some("ptc-12"));
}

/// All steps up to the journey, each in its turn and in the hands of its owner.
async fn to_the_border(centre: &Desk, request: &str, today: &str) {
    let staff = centre.staff().await;
    let early = complete(&staff, request, Step::ApprovalThere).await.expect_err("it is not its turn");
    assert_eq!(reason(&early), "EARLIER_STEP_OPEN");
    complete(&staff, request, Step::Documents).await.expect("the documents");
    let colleague = owner("ptc-13");
    delegate(&staff, request, Step::Nationality, colleague).await.expect("a delegation");
    complete(&staff, request, Step::Nationality).await.expect("the nationality");
    let skip = SkipRepatriationStepRequest {
        request_id: request.to_owned(),
        step: Step::Family.into(),
        reason: SkipReason::FamilyNotFound.into(),
        skipped_on: String::new(),
    };
    staff.repatriation().skip_repatriation_step(staff.ask(skip)).await.expect("a step left out");
    complete(&staff, request, Step::ApprovalHere).await.expect("the approval here");
    complete(&staff, request, Step::ApprovalThere).await.expect("the approval there");
    let travel = ArrangeTravelRequest {
        request_id: request.to_owned(),
        travel: Some(Travel {
            travels_on: today.to_owned(),
            means: TravelMeans::Road.into(),
            border_place: "0110".to_owned(),
            escort: EscortFunction::SocialWorker.into(),
            receiving_office_id: TRANSIT_CENTRE.to_owned(),
        }),
        arranged_on: String::new(),
    };
    staff.repatriation().arrange_travel(staff.ask(travel)).await.expect("the journey");
    let seen = see(centre, request).await;
    let states: Vec<_> = seen.steps.iter().map(RepatriationStepView::state).collect();
    let (done, open) = (RepatriationStepState::Done, RepatriationStepState::Open);
    assert_eq!(states, [done, done, RepatriationStepState::Skipped, done, done, done, open]);
    assert_eq!(seen.steps[1].delegations.len(), 1, "who had it before is on record");
}

/// The other one turns out to be of another nationality. The request has received whoever came, and still shows it.
async fn nobody_else_comes(centre: &Desk, request: &str, other: &str) {
    let staff = centre.staff().await;
    let denied = EndRepatriationRequest {
        request_id: request.to_owned(),
        person_ids: vec![other.to_owned()],
        reason: EndReason::OtherNational.into(),
        ended_on: String::new(),
    };
    staff.repatriation().end_repatriation(staff.ask(denied)).await.expect("an end");
    let visible = list(centre, RepatriationView::NationalityDenied).await;
    assert_eq!(visible.iter().map(|request| &request.request_id).collect::<Vec<_>>(), [request]);
    assert_eq!((visible[0].received, visible[0].nationality_denied), (1, 1));
}

/// The interview, the offer, and the departure to nobody but the office that accepted.
async fn onwards(centre: &Desk, kandal: &Desk, arrival: &str) {
    let staff = centre.staff().await;
    let mut found = RecordNeedsRequest {
        arrival_id: arrival.to_owned(),
        needs: vec![Need::Medical.into(), Need::ReintegrationFollowUp.into()],
        urgent_needs: vec![Need::Medical.into()],
        ..RecordNeedsRequest::default()
    };
    let alone = staff.repatriation().record_needs(staff.ask(found.clone())).await;
    assert_eq!(reason(&alone.expect_err("a child is not interviewed alone")), "RESPONSIBLE_ADULT_NEEDED");
    found.adult = Some(ResponsibleAdult { function: AdultFunction::SocialWorker.into(), ..Default::default() });
    staff.repatriation().record_needs(staff.ask(found)).await.expect("the interview");
    let urgent = async || {
        let request = staff.ask(ListUrgentNeedsRequest::default());
        staff.repatriation().list_urgent_needs(request).await.expect("a list").into_inner().needs
    };
    assert_eq!(urgent().await.iter().map(UrgentNeed::need).collect::<Vec<_>>(), [Need::Medical]);

    centre
        .until("consent", async |staff: Staff| match staff.consent(arrival, ConsentBasis::BestInterest).await {
            Ok(()) => Ok(Some(())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        })
        .await;
    let mistaken = centre.offer(arrival, BANTEAY_MEANCHEY).await;
    let withdraw = WithdrawOfferRequest { offer_id: mistaken, reason: WithdrawReason::SentByMistake.into() };
    staff.referral().withdraw_offer(staff.ask(withdraw)).await.expect("nobody has answered yet");
    assert_eq!(what_became_of(centre, arrival, 1).await, [(OfferState::Withdrawn, BANTEAY_MEANCHEY.to_owned())]);
    let offer = centre.offer(arrival, KANDAL).await;
    kandal.accept(&offer).await;
    kandal.held(arrival).await;
    assert_eq!(what_became_of(centre, arrival, 2).await[0], (OfferState::Accepted, KANDAL.to_owned()));
    assert!(urgent().await.is_empty(), "whoever accepted answers for it");

    let departure = |to: &str| RecordDepartureRequest {
        arrival_id: arrival.to_owned(),
        kind: DepartureKind::HandedOver.into(),
        departed_on: String::new(),
        to_office_id: to.to_owned(),
    };
    let strange = staff.repatriation().record_departure(staff.ask(departure(BANTEAY_MEANCHEY))).await;
    assert_eq!(reason(&strange.expect_err("they did not accept")), "NOT_THE_ACCEPTING_OFFICE");
    staff.repatriation().record_departure(staff.ask(departure(KANDAL))).await.expect("a departure");
    let books = staff.repatriation().reconcile_arrivals(staff.ask(ReconcileArrivalsRequest::default())).await;
    let books = books.expect("the books").into_inner();
    assert_eq!((books.arrived, books.handed_over, books.unaccounted_arrival_ids.len()), (1, 1, 0));
    assert_eq!(books.days.len(), 1);
}

/// The ends of so many offers, the latest first.
async fn what_became_of(centre: &Desk, arrival: &str, offers: usize) -> Vec<(OfferState, String)> {
    let shown = centre
        .until("what became of the offers", async |staff: Staff| {
            let request = GetArrivalRequest { arrival_id: arrival.to_owned() };
            let shown = staff.repatriation().get_arrival(staff.ask(request)).await?.into_inner();
            Ok((shown.offers.len() == offers).then_some(shown))
        })
        .await;
    shown.offers.iter().map(|offer| (offer.state(), offer.office_id.clone())).collect()
}

/// The same paper at the same border: the centre is told at once.
async fn he_comes_again(centre: &Desk, earlier: &str, year: i32) {
    let known = register(centre, &arrival(the_boy(year), "", "")).await;
    assert_eq!(known.iter().map(|known| known.case_id.as_str()).collect::<Vec<_>>(), [earlier]);
    assert_eq!(known[0].reasons, ["SAME_DOCUMENT", "SAME_NAME_AND_BIRTH"]);
    assert!(!known[0].case_number.is_empty());
}

#[tokio::test]
async fn a_step_in_the_hands_of_another_office_is_done_there_and_by_no_stranger() {
    let network = network().await;
    let (province, district) = (network.desk(BANTEAY_MEANCHEY), network.desk(DISTRICT));
    let request = open(&province, &[&new_id()]).await;
    let staff = district.staff().await;
    let hidden = complete(&staff, &request, Step::Documents).await.expect_err("it does not concern them");
    assert_eq!(hidden.code(), Code::NotFound);
    let to = |office: &str| StepOwner {
        office_id: office.to_owned(),
        function: StaffFunction::Caseworker.into(),
        staff_id: String::new(),
    };
    let far_away = delegate(&province.staff().await, &request, Step::Documents, to(KANDAL)).await;
    assert_eq!(reason(&far_away.expect_err("another node")), "OWNER_ELSEWHERE");
    delegate(&province.staff().await, &request, Step::Documents, to(DISTRICT)).await.expect("a delegation");
    assert_eq!(list(&district, RepatriationView::Open).await.len(), 1);
    complete(&staff, &request, Step::Documents).await.expect("their step");
    let not_theirs = complete(&staff, &request, Step::Nationality).await.expect_err("not their step");
    assert_eq!((not_theirs.code(), reason(&not_theirs)), (Code::PermissionDenied, "NOT_THE_OWNER".to_owned()));
    // Sent again it is harmless.
    complete(&staff, &request, Step::Documents).await.expect("it was done before");
}
