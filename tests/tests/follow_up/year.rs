//! The year of visits itself.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, SHELTER};
use spean_contracts::followup::v1::{
    Finding, NeedFoundThere, RescheduleReason, SupportKind, SupportOutcome, VisitPlace,
};
use spean_contracts::referral::v1::{ListNeedsRequest, NeedState, OfferKind, OfferReferralRequest};
use spean_contracts::shelter::v1::{RecordSessionRequest, ResponsibleAdult, Session, SessionKind};
use spean_contracts::vocabulary::v1::{Need, Urgency};
use spean_tests::{Canary, hand_over, network, settled};

use super::*;

#[tokio::test]
async fn a_year_of_visits_hides_neither_what_was_found_nor_what_was_never_reported() {
    let network = network().await;
    let case = hand_over(&network.desk(SHELTER), &network.desk(KIEN_SVAY), 7).await.case;
    let began = day(&network);
    let planned = plan(&network.desk(KIEN_SVAY), &case).await;
    let days: Vec<_> = planned.visits.iter().map(|visit| visit.due_on.clone()).collect();
    assert_eq!(days, (1..=12).map(|month| began.plus_months(month).to_string()).collect::<Vec<_>>());
    assert_eq!(planned.safe_contact, Canary::CONTACT, "how to come without danger comes first");

    network.pass_time(A_MONTH).expect("the clock is ours");
    joint_visit(&network, &case).await;
    the_second_is_moved_missed_and_made(&network, &case).await;
    // Of the third nobody says anything; the fourth is refused.
    for number in 4..=12 {
        network.pass_time(A_MONTH).expect("the clock is ours");
        let outcome = if number == 4 { VisitOutcome::Refused } else { VisitOutcome::Met };
        record(&network.desk(KIEN_SVAY), &visit(&case, number, outcome)).await;
    }
    let desk = network.desk(KIEN_SVAY);
    let left = due(&desk, &case).await;
    let [third] = left.as_slice() else { panic!("the one that was never reported, not {left:?}") };
    assert_eq!((third.number, third.unreported), (3, true));
    assert_eq!(third.overdue_days, day(&network).days_since(began.plus_months(3)));
    assert_eq!(third.safe_contact, Canary::CONTACT);
    on_the_agenda(&network.desk(KANDAL), &case, &[Topic::Overdue]).await;
    // Written on paper when it was made, entered months later.
    let visited_on = began.plus_months(3).plus_days(2).to_string();
    record(&desk, &wire::RecordVisitRequest { visited_on, ..visit(&case, 3, VisitOutcome::Met) }).await;
    stands(&desk, &case, FollowUpState::DueToClose).await;
    longer_is_for_the_meeting(&network, &case).await;
    settled(&network).await;
}

/// The first visit is made together with the shelter that had her, at her sewing machine; she needs work.
async fn joint_visit(network: &Network, case: &str) {
    let need = NeedFoundThere { need_id: new_id(), need: Need::Livelihood.into(), urgency: Urgency::Routine.into() };
    let report = wire::RecordVisitRequest {
        place: VisitPlace::Business.into(),
        present: vec![PersonFunction::Mother.into(), PersonFunction::NgoWorker.into()],
        finding_codes: vec![Finding::Work.into(), Finding::Debt.into()],
        with_office_ids: vec![SHELTER.to_owned()],
        findings: Canary::NARRATIVE.to_owned(),
        needs: vec![need.clone()],
        ..visit(case, 1, VisitOutcome::Met)
    };
    let desk = network.desk(KIEN_SVAY);
    let recorded = record(&desk, &report).await;
    assert_eq!(recorded.safe_contact, Canary::CONTACT);
    record(&desk, &report).await;
    let known = visits_of(&desk, case).await;
    let [told] = known.reports.as_slice() else { panic!("one report, not {:?}", known.reports) };
    assert_eq!((told.office_id.as_str(), told.staff.as_str()), (KIEN_SVAY, "t-01"));
    assert_eq!((told.place(), &told.with_office_ids), (VisitPlace::Business, &vec![SHELTER.to_owned()]));
    assert_eq!(told.present().collect::<Vec<_>>(), [PersonFunction::Mother, PersonFunction::NgoWorker]);
    assert_eq!(told.findings().collect::<Vec<_>>(), [Finding::Work, Finding::Debt]);

    // They mean to come again together, beside the monthly visits.
    let again = wire::AddVisitRequest {
        case_id: case.to_owned(),
        number: 13,
        due_on: today(network),
        reason: wire::ExtraVisitReason::Business.into(),
        with_office_ids: vec![SHELTER.to_owned()],
    };
    desk.ask("one more", async |staff: Staff| staff.followup().add_visit(staff.ask(again.clone())).await).await;
    let [extra] = <[wire::Visit; 1]>::try_from(due(&desk, case).await).expect("the extra one");
    assert_eq!((extra.number, &extra.with_office_ids), (13, &again.with_office_ids));
    let with_office_ids = again.with_office_ids;
    record(&desk, &wire::RecordVisitRequest { with_office_ids, ..visit(case, 13, VisitOutcome::Met) }).await;

    // What she needs is on the desk's list, and the shelter is asked for it.
    let ask = ListNeedsRequest { case_id: case.to_owned(), ..ListNeedsRequest::default() };
    desk.until("the need", async |staff: Staff| {
        let needs = staff.needs().list_needs(staff.ask(ask.clone())).await?.into_inner().needs;
        let found = needs.into_iter().find(|found| found.need_id == need.need_id);
        Ok(found.filter(|found| found.need() == Need::Livelihood && found.state() == NeedState::Open))
    })
    .await;
    desk.ask("consent", async |staff: Staff| staff.consent(case, ConsentBasis::BestInterest).await).await;
    let offer = OfferReferralRequest {
        offer_id: new_id(),
        case_id: case.to_owned(),
        to_office_id: SHELTER.to_owned(),
        kind: OfferKind::Service.into(),
        need: Need::Livelihood.into(),
        urgency: Urgency::Routine.into(),
        need_id: need.need_id,
        ..OfferReferralRequest::default()
    };
    desk.until("the referral", async |staff: Staff| {
        match staff.referral().offer_referral(staff.ask(offer.clone())).await {
            Err(status) if reason(&status) == "CONSENT_MISSING" => Ok(None),
            answer => answer.map(Some),
        }
    })
    .await;
    network.desk(SHELTER).accept(&offer.offer_id).await;
}

async fn the_second_is_moved_missed_and_made(network: &Network, case: &str) {
    network.pass_time(A_MONTH).expect("the clock is ours");
    let desk = network.desk(KIEN_SVAY);
    let first_due_on = due(&desk, case).await[0].due_on.clone();
    let due_on = day(network).plus_days(10).to_string();
    let (number, reason) = (2, RescheduleReason::RoadClosed.into());
    let moved = wire::RescheduleVisitRequest { case_id: case.to_owned(), number, due_on: due_on.clone(), reason };
    desk.ask("another day", async |staff: Staff| staff.followup().reschedule_visit(staff.ask(moved.clone())).await)
        .await;
    assert_eq!(due(&desk, case).await, []);
    network.pass_time(11 * 24).expect("the clock is ours");
    let desk = network.desk(KIEN_SVAY);
    let next_on = day(network).plus_days(7).to_string();
    let missed = wire::RecordVisitRequest { next_on: next_on.clone(), ..visit(case, 2, VisitOutcome::Missed) };
    record(&desk, &missed).await;
    let [second] = <[wire::Visit; 1]>::try_from(due(&desk, case).await).expect("a missed visit stays due");
    assert_eq!((second.first_due_on, second.due_on, second.next_on), (first_due_on, due_on, next_on));
    assert_eq!((second.outcome, second.unreported), (VisitOutcome::Missed.into(), false));
    network.pass_time(20 * 24).expect("the clock is ours");
    record(&network.desk(KIEN_SVAY), &visit(case, 2, VisitOutcome::Met)).await;
    assert_eq!(visits_of(&network.desk(KIEN_SVAY), case).await.reports.len(), 4, "the missed one is kept");
}

async fn longer_is_for_the_meeting(network: &Network, case: &str) {
    let desk = network.desk(KIEN_SVAY);
    let staff = desk.staff().await;
    let more = wire::AddVisitRequest {
        case_id: case.to_owned(),
        number: 14,
        due_on: day(network).plus_months(2).to_string(),
        reason: wire::ExtraVisitReason::Need.into(),
        with_office_ids: vec![],
    };
    let refused = staff.followup().add_visit(staff.ask(more)).await.expect_err("the year is over");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "EXTENSION_NEEDS_MEETING".to_owned()));
    cannot_be_closed(&desk, case).await;
}

#[tokio::test]
async fn a_child_is_neither_questioned_nor_visited_without_a_responsible_adult_wherever_the_case_goes() {
    let network = network().await;
    let (shelter, district) = (network.desk(SHELTER), network.desk(KIEN_SVAY));
    let case = open_case_of(&shelter, invented_child(&network, 3), ConsentBasis::BestInterest).await;
    let session = |responsible_adult: ResponsibleAdult| RecordSessionRequest {
        case_id: case.clone(),
        session: Some(Session {
            session_id: new_id(),
            kind: SessionKind::Interview.into(),
            held_on: today(&network),
            held_by: String::new(),
            responsible_adult: responsible_adult.into(),
        }),
        notes: Canary::NARRATIVE.to_owned(),
    };
    let alone = session(ResponsibleAdult::Unspecified);
    let refused = shelter.until("the shelter to know of the child", async |staff: Staff| {
        let refused = staff.shelter().record_session(staff.ask(alone.clone())).await.expect_err("a child alone");
        Ok((refused.code() != Code::NotFound).then(|| refusal(&refused)))
    });
    let alone = (Code::InvalidArgument, "RESPONSIBLE_ADULT_MISSING".to_owned());
    assert_eq!(refused.await, alone);
    let lawyer = session(ResponsibleAdult::Lawyer);
    shelter
        .ask("an interview", async |staff: Staff| staff.shelter().record_session(staff.ask(lawyer.clone())).await)
        .await;

    // The next office is told that it is a child, and nothing more is needed for the same protection.
    hand_on(&shelter, &district, &case, ConsentBasis::BestInterest).await;
    plan(&district, &case).await;
    network.pass_time(A_MONTH).expect("the clock is ours");
    let district = network.desk(KIEN_SVAY);
    assert_eq!(refused_visit(&district, visit(&case, 1, VisitOutcome::Met)).await, alone);
    for stranger in [PersonFunction::Employer, PersonFunction::Neighbour, PersonFunction::Child, PersonFunction::Other]
    {
        let with_stranger = wire::RecordVisitRequest {
            responsible_adult_function: stranger.into(),
            ..visit(&case, 1, VisitOutcome::Met)
        };
        let refused = refused_visit(&district, with_stranger).await;
        assert_eq!(refused, (Code::InvalidArgument, "NOT_A_RESPONSIBLE_ADULT".to_owned()), "{stranger:?}");
    }
    let nobody_among_many = wire::RecordVisitRequest {
        present: vec![PersonFunction::Grandparent.into()],
        ..visit(&case, 1, VisitOutcome::Met)
    };
    assert_eq!(refused_visit(&district, nobody_among_many).await, alone, "somebody answers for the child");
    assert_eq!(visits_of(&district, &case).await.reports, [], "nothing was kept of what was refused");
    record(&district, &visit(&case, 1, VisitOutcome::Missed)).await;
    record(&district, &visit_to_child(&case, 1, VisitOutcome::Met)).await;
    let seen = visits_of(&district, &case).await.reports;
    let adults: Vec<_> = seen.iter().map(wire::VisitReport::responsible_adult).collect();
    assert_eq!(adults, [PersonFunction::Unspecified, PersonFunction::Grandparent]);
    settled(&network).await;
}

#[tokio::test]
async fn what_became_of_a_sewing_machine_is_asked_after_three_six_and_twelve_months() {
    let network = network().await;
    let case = a_follow_up(&network, 9).await;
    let given_on = day(&network);
    let machine = wire::RecordSupportRequest {
        support_id: new_id(),
        case_id: case.clone(),
        kind: SupportKind::Tools.into(),
        given_on: given_on.to_string(),
        given_by_office_id: SHELTER.to_owned(),
    };
    let give = async |staff: Staff| staff.support().record_support(staff.ask(machine.clone())).await;
    let due_on = network.desk(KIEN_SVAY).ask("a machine", give).await.into_inner().outcomes_due_on;
    assert_eq!(due_on, [3, 6, 12].map(|months| given_on.plus_months(months).to_string()));
    let outcomes = [(3, SupportOutcome::NotEnough), (6, SupportOutcome::GoesWell), (12, SupportOutcome::Sold)];
    let mut month = 0;
    for (after_months, outcome) in outcomes {
        network.pass_time(A_MONTH * (i64::from(after_months) - month)).expect("the clock is ours");
        month = after_months.into();
        let desk = network.desk(KIEN_SVAY);
        let listed = async |staff: Staff| {
            staff.support().list_due_outcomes(staff.ask(wire::ListDueOutcomesRequest::default())).await
        };
        let due = desk.ask("what is due", listed).await.into_inner().outcomes;
        let [due] = due.as_slice() else { panic!("one at a time, not {due:?}") };
        assert_eq!((due.after_months, due.safe_contact.as_str()), (after_months, Canary::CONTACT));
        assert_eq!(due.overdue_days, day(&network).days_since(given_on.plus_months(after_months)));
        let seen = wire::RecordSupportOutcomeRequest {
            support_id: machine.support_id.clone(),
            after_months,
            outcome: outcome.into(),
            seen_on: today(&network),
        };
        desk.ask("how it goes", async |staff: Staff| {
            staff.support().record_support_outcome(staff.ask(seen.clone())).await
        })
        .await;
    }
    let all = wire::ListSupportRequest { case_id: case.clone() };
    let listed = async |staff: Staff| staff.support().list_support(staff.ask(all.clone())).await;
    let seen = network.desk(KIEN_SVAY).ask("the help", listed).await.into_inner().outcomes;
    let seen: Vec<_> = seen.iter().map(|seen| (seen.after_months, seen.outcome())).collect();
    assert_eq!(seen, outcomes);
    settled(&network).await;
}
