//! She moves to another province in the middle of her year.

use spean::demonstration::agencies::{KIEN_SVAY, MINISTRY, RATANAK_KIRI};
use spean_contracts::followup::v1::{DangerSign, LossReason, SearchAction, SupportKind, SupportOutcome};
use spean_contracts::vocabulary::v1::Urgency;
use spean_tests::{Canary, network, one_holder, settled};

use super::*;

async fn due_outcomes(staff: &Staff) -> Result<Vec<wire::OutcomeEntry>, Status> {
    Ok(staff
        .support()
        .list_due_outcomes(staff.ask(wire::ListDueOutcomesRequest::default()))
        .await?
        .into_inner()
        .outcomes)
}

#[tokio::test]
async fn a_client_moves_to_another_province_and_nothing_that_was_due_is_lost_or_due_twice() {
    let network = network().await;
    let case = a_follow_up(&network, 8).await;
    let began = day(&network);
    let (tools, danger) = what_goes_along(&network, &case).await;
    for number in 1..=4 {
        network.pass_time(A_MONTH).expect("the clock is ours");
        let outcome = if number == 2 { VisitOutcome::Missed } else { VisitOutcome::Met };
        record(&network.desk(KIEN_SVAY), &visit(&case, number, outcome)).await;
    }
    let (here, there) = (network.desk(KIEN_SVAY), network.desk(RATANAK_KIRI));
    seen(&here, &tools, 3).await;
    let request = wire::RecordMoveRequest { case_id: case.clone(), place: "16".to_owned(), moved_on: String::new() };
    let moved = here.ask("a move", async |staff: Staff| staff.followup().record_move(staff.ask(request.clone())).await);
    assert_eq!(moved.await.into_inner().serving_office_id, RATANAK_KIRI);
    hand_on(&here, &there, &case, ConsentBasis::Person).await;

    let taken_up = stands(&there, &case, FollowUpState::Open).await;
    assert_eq!((taken_up.visits, taken_up.visits_open, taken_up.reintegrated_on), (12, 9, began.to_string()));
    stands(&here, &case, FollowUpState::TakenUpElsewhere).await;
    let left = due(&there, &case).await;
    assert_eq!(left.iter().map(|visit| visit.number).collect::<Vec<_>>(), [2], "the missed one is still due");
    assert_eq!(
        (left[0].due_on.clone(), left[0].safe_contact.as_str()),
        (began.plus_months(2).to_string(), Canary::CONTACT)
    );
    assert_eq!(due(&here, &case).await, [], "nobody is asked twice");
    // The old office sees what it did itself, and no longer how to find her.
    let before = visits_of(&here, &case).await;
    assert_eq!((before.reports.len(), before.safe_contact.as_str()), (4, ""));
    // The danger went along, and the superior of the new office hears of it.
    for office in [RATANAK_KIRI, MINISTRY] {
        danger_at(&network.desk(office), &danger).await;
    }

    // The outcome after three months is on record here; that after six months is asked there and there alone.
    network.pass_time(3 * A_MONTH).expect("the clock is ours");
    let (here, there) = (network.desk(KIEN_SVAY), network.desk(RATANAK_KIRI));
    let asked = there
        .until("the outcome", async |staff: Staff| {
            Ok(Some(due_outcomes(&staff).await?).filter(|outcomes| !outcomes.is_empty()))
        })
        .await;
    assert_eq!(asked.iter().map(|due| (&due.support_id, due.after_months)).collect::<Vec<_>>(), [(&tools, 6)]);
    assert_eq!(due_outcomes(&here.staff().await).await.expect("it answers"), []);
    seen(&there, &tools, 6).await;
    assert_eq!(due_outcomes(&there.staff().await).await.expect("it answers"), []);
    // The visits of these months too, in their order, each once.
    let left: Vec<_> = due(&there, &case).await.iter().map(|visit| visit.number).collect();
    assert_eq!(left, [2, 5, 6, 7]);
    record(&there, &visit(&case, 5, VisitOutcome::Met)).await;
    let (code, why) = refused_visit(&network.desk(KIEN_SVAY), visit(&case, 6, VisitOutcome::Met)).await;
    assert_eq!((code, why.is_empty()), (Code::PermissionDenied, false), "the old office visits no more");
    settled(&network).await;
    one_holder(&network, RATANAK_KIRI, &[&case]).await;
}

async fn what_goes_along(network: &Network, case: &str) -> (String, String) {
    let desk = network.desk(KIEN_SVAY);
    let tools = wire::RecordSupportRequest {
        support_id: new_id(),
        case_id: case.to_owned(),
        kind: SupportKind::Tools.into(),
        given_on: today(network),
        given_by_office_id: String::new(),
    };
    desk.ask("tools", async |staff: Staff| staff.support().record_support(staff.ask(tools.clone())).await).await;
    let danger = wire::RaiseDangerRequest {
        danger_id: new_id(),
        case_id: case.to_owned(),
        signs: vec![DangerSign::DebtCollection.into()],
        urgency: Urgency::Urgent.into(),
        found_on: String::new(),
    };
    raise(&desk, &danger).await;
    (tools.support_id, danger.danger_id)
}

async fn seen(desk: &Desk, support: &str, after_months: i32) {
    let seen = wire::RecordSupportOutcomeRequest {
        support_id: support.to_owned(),
        after_months,
        outcome: SupportOutcome::GoesWell.into(),
        seen_on: String::new(),
    };
    desk.ask("an outcome", async |staff: Staff| staff.support().record_support_outcome(staff.ask(seen.clone())).await)
        .await;
}

#[tokio::test]
async fn a_search_goes_along_to_the_next_province_and_is_not_forgotten_there() {
    let network = network().await;
    let case = a_follow_up(&network, 10).await;
    network.pass_time(A_MONTH).expect("the clock is ours");
    let (here, there) = (network.desk(KIEN_SVAY), network.desk(RATANAK_KIRI));
    record(&here, &visit(&case, 1, VisitOutcome::Missed)).await;
    lose(&here, &case, LossReason::FamilyMoved).await;
    search(&here, &case, SearchAction::CommuneAsked).await;
    hand_on(&here, &there, &case, ConsentBasis::Person).await;
    stands(&there, &case, FollowUpState::ContactLost).await;
    let lost = lost_contacts(&there.staff().await).await.expect("it answers");
    assert_eq!(lost.iter().map(|lost| &lost.case_id).collect::<Vec<_>>(), [&case]);
    stands(&here, &case, FollowUpState::TakenUpElsewhere).await;
    let listed = lost_contacts(&here.staff().await).await.expect("it answers");
    assert_eq!(listed, [], "who looks for her is one office");
    network.pass_time(8 * 24).expect("the clock is ours");
    on_the_agenda(&network.desk(RATANAK_KIRI), &case, &[Topic::ContactLost]).await;
    record(&network.desk(RATANAK_KIRI), &visit(&case, 1, VisitOutcome::Met)).await;
    stands(&network.desk(RATANAK_KIRI), &case, FollowUpState::Open).await;
    settled(&network).await;
}
