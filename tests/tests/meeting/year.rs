//! A whole year of follow-up with its six meetings, by the clock of the network.

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY};
use spean::demonstration::staff::{Staff, new_id};
use spean_contracts::followup::v1::{
    ExtendReason, FollowUpState, FoundPlace, ListMeetingsRequest, ListMeetingsResponse, ListVisitsRequest,
    MandateState, RecordFoundRequest, RecordSearchStepRequest, SearchAction, Topic, Visit,
};
use spean_tests::{Desk, Network, network, settled};
use spean_vocabulary::Date;

use crate::ENOUGH;
use crate::hall::{Meeting, agenda, at_home, chair, close, day, decision, extend, lost, stands, today, whole_agenda};

/// Who is visited in this year.
struct Cases {
    /// All goes well.
    steady: String,
    /// Visits are late for some months.
    remote: String,
    /// Gone for some months, and found again.
    gone: String,
}

/// Moves the clock to a day.
fn wait_until(network: &Network, until: Date) {
    let days = until.days_since(today(network));
    network.pass_time(i64::from(days) * 24).expect("the clock can be moved");
}

async fn visits(desk: &Desk, case: &str) -> Vec<Visit> {
    let request = ListVisitsRequest { case_id: case.to_owned() };
    desk.ask("the visits", async |staff: Staff| {
        Ok(staff.followup().list_visits(staff.ask(request.clone())).await?.into_inner().visits)
    })
    .await
}

/// Makes every visit that is due by today and was not made, on its day or today.
async fn visit(network: &Network, case: &str, late: bool) {
    let (district, now) = (network.desk(KIEN_SVAY), today(network));
    for visit in visits(&district, case).await {
        let due_on = day(&visit.due_on);
        if due_on <= now && visit.visited_on.is_empty() {
            crate::visited(&district, &visit, if late { now } else { due_on }).await;
        }
    }
}

async fn meetings(network: &Network) -> ListMeetingsResponse {
    chair(network, KANDAL)
        .ask("the meetings", async |staff: Staff| {
            Ok(staff.meeting().list_meetings(staff.ask(ListMeetingsRequest::default())).await?.into_inner())
        })
        .await
}

async fn meeting(network: &Network) -> Meeting {
    let meeting = Meeting::convene(network, KANDAL).await;
    assert_eq!(meeting.attend(&ENOUGH).await, (true, vec![]));
    meeting
}

#[tokio::test]
async fn a_year_of_visits_has_six_meetings_and_ends_when_the_last_of_them_says_so() {
    let network = network().await;
    let begun_on = today(&network);
    let district = network.desk(KIEN_SVAY);
    let cases = Cases {
        steady: at_home(&district, 1, begun_on, 0).await,
        remote: at_home(&district, 2, begun_on, 0).await,
        gone: at_home(&district, 3, begun_on, 0).await,
    };
    for number in 1..=6 {
        wait_until(&network, begun_on.plus_months(2 * number));
        visit(&network, &cases.steady, false).await;
        two_months(&network, &cases, number).await;
        let known = meetings(&network).await;
        assert_eq!(known.meetings.len(), usize::try_from(number).expect("a small number"));
        assert_eq!((known.next_due_on, known.overdue), (today(&network).plus_months(2).to_string(), false));
    }
    let district = network.desk(KIEN_SVAY);
    for case in [&cases.steady, &cases.remote] {
        stands(&district, case, FollowUpState::Closed).await;
    }
    let prolonged = stands(&district, &cases.gone, FollowUpState::Open).await;
    assert_eq!((prolonged.visits, prolonged.visits_open), (14, 2), "two months more");

    // The seventh is late, and then it is held.
    wait_until(&network, begun_on.plus_months(14).plus_days(3));
    assert!(meetings(&network).await.overdue, "everybody can see that it is late");
    visit(&network, &cases.gone, false).await;
    let province = network.desk(KANDAL);
    whole_agenda(&province, &[(&cases.gone, &[Topic::DueToClose])]).await;
    let last = meeting(&network).await;
    last.conclude(&[close(&cases.gone)]).await;
    last.told(&cases.gone, MandateState::CarriedOut).await;
    whole_agenda(&province, &[]).await;
    settled(&network).await;
}

/// What happens in two months, and what the meeting at their end makes of it.
async fn two_months(network: &Network, cases: &Cases, number: i32) {
    let Cases { steady, remote, gone } = cases;
    let (district, province, now) = (network.desk(KIEN_SVAY), network.desk(KANDAL), today(network));
    match number {
        // The road to one of them is closed.
        1 => {
            visit(network, gone, false).await;
            whole_agenda(&province, &[(remote, &[Topic::Overdue])]).await;
            let meeting = meeting(network).await;
            meeting.conclude(&[]).await;
            meeting.told(remote, MandateState::CarriedOut).await;
            assert_eq!(agenda(&province).await.len(), 1, "to go on as it is settles nothing");
        }
        // It is open again; another one is gone.
        2 => {
            visit(network, remote, true).await;
            lost(&district, gone, now.plus_days(-30)).await;
            whole_agenda(&province, &[(gone, &[Topic::ContactLost, Topic::Overdue])]).await;
            let meeting = meeting(network).await;
            let tracing = spean_contracts::followup::v1::Decision::FurtherTracing;
            meeting.conclude(&[decision(gone, tracing)]).await;
            meeting.told(gone, MandateState::Open).await;
            search(&district, gone, now).await;
            meeting.told(gone, MandateState::CarriedOut).await;
        }
        // Nobody knows more.
        3 => {
            visit(network, remote, false).await;
            whole_agenda(&province, &[(gone, &[Topic::ContactLost, Topic::Overdue])]).await;
            meeting(network).await.conclude(&[]).await;
        }
        // Found, and visited again.
        4 => {
            visit(network, remote, false).await;
            found(&district, gone, now).await;
            visit(network, gone, true).await;
            whole_agenda(&province, &[]).await;
            meeting(network).await.conclude(&[]).await;
        }
        5 => {
            visit(network, remote, false).await;
            visit(network, gone, false).await;
            whole_agenda(&province, &[]).await;
            meeting(network).await.conclude(&[]).await;
        }
        // The year is over: two have reached what they wanted, the third lost some months of it.
        _ => {
            for case in [remote, gone] {
                visit(network, case, false).await;
            }
            let due: &[Topic] = &[Topic::DueToClose];
            whole_agenda(&province, &[(steady, due), (remote, due), (gone, due)]).await;
            let meeting = meeting(network).await;
            let more = extend(gone, ExtendReason::ContactWasLost, 2);
            meeting.conclude(&[close(steady), close(remote), more]).await;
            for case in [steady, remote, gone] {
                meeting.told(case, MandateState::CarriedOut).await;
            }
        }
    }
}

async fn search(desk: &Desk, case: &str, on: Date) {
    let request = RecordSearchStepRequest {
        case_id: case.to_owned(),
        step_id: new_id(),
        action: SearchAction::FamilyAsked.into(),
        done_on: on.to_string(),
    };
    desk.ask("a search", async |staff: Staff| staff.safety().record_search_step(staff.ask(request.clone())).await)
        .await;
}

async fn found(desk: &Desk, case: &str, on: Date) {
    let request = RecordFoundRequest {
        case_id: case.to_owned(),
        found_on: on.to_string(),
        place: FoundPlace::InTheCountry.into(),
    };
    desk.ask("the end of the search", async |staff: Staff| {
        staff.safety().record_found(staff.ask(request.clone())).await
    })
    .await;
}
