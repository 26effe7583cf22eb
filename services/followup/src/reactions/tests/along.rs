//! What two nodes tell each other of help, of supervision and of families, and that a word about a person follows the case.

use spean_vocabulary::kind;

use super::*;
use crate::codes::{Check, CheckResult, FamilySearchOutcome, SupportKind, SupportOutcome};
use crate::family_search::{self, Answer, FamilySearch};
use crate::supervision::{self, Point as Looked, Supervision};
use crate::support::{self, Given, Support};
use crate::{supervisions, supports};

async fn outcomes(post: &Post, at: &str) -> Vec<(i64, String)> {
    let due = supports::due(&office(at), day("2026-08-01"), 9, 0, post.store.reader()).await.unwrap();
    due.into_iter().map(|entry| (entry.after_months, entry.due_on)).collect()
}

#[tokio::test]
async fn help_goes_along_with_the_case_there_and_back_and_no_outcome_is_asked_for_twice() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    let given = Given {
        case: CASE.parse().unwrap(),
        kind: SupportKind::Tools,
        given_on: day("2026-01-31"),
        given_by: office("house-of-hope"),
    };
    let tools = id::<kind::Support>(0x40).to_string();
    kandal.order::<Support>(OFFICE, &tools, support::Command::Give(given)).await;
    let see =
        |after_months, on| support::Command::See { after_months, outcome: SupportOutcome::GoesWell, seen_on: day(on) };
    kandal.order::<Support>(OFFICE, &tools, see(3, "2026-05-02")).await;
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    takeo.says_of("takeo-district", Standing::Holds, OFFICE).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(outcomes(&kandal, OFFICE).await, []);
    assert_eq!(outcomes(&takeo, "takeo-district").await, [(6, "2026-07-31".to_owned())]);
    takeo.order::<Support>("takeo-district", &tools, see(6, "2026-07-31")).await;
    takeo.says_of("takeo-district", Standing::Held, OFFICE).await;
    kandal.says_of(OFFICE, Standing::Holds, "takeo-district").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(outcomes(&kandal, OFFICE).await, []);
    let all = supports::of_case(CASE.parse().unwrap(), &office(OFFICE), kandal.store.reader()).await.unwrap();
    let seen: Vec<_> = all.iter().map(|entry| (entry.after_months, entry.seen_on.as_str())).collect();
    assert_eq!(seen, [(3, "2026-05-02"), (6, "2026-07-31"), (12, "")]);
}

#[tokio::test]
async fn who_has_a_person_is_told_to_whoever_has_the_case_by_then() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    // Another office of Takeo had the case before Kandal, and has the person again.
    let sighting = Sighting {
        office: office("takeo-province"),
        whereabouts: Seen::InShelter,
        from_day: day("2026-03-01"),
        until_day: None,
    };
    let sight = whereabouts::Command::Sight { sighting, met: vec![], tell: Some(office(OFFICE)), above: None };
    takeo.order::<Whereabouts>("takeo-province", CASE, sight).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    let known = kandal.store.load::<Whereabouts>(CASE).await.unwrap();
    assert_eq!(known.version, 1, "Kandal passed it on, and heard no more of it");
    // The case comes to Kandal again: a visit there is compared with what is known.
    let visit_id: VisitId = id(21);
    let met = whereabouts::Met { visit_id, office: office(OFFICE), visited_on: day("2026-03-09") };
    let compare = whereabouts::Command::Compare { met, above: Some(office("kandal-province")) };
    kandal.order::<Whereabouts>(OFFICE, CASE, compare).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!(takeo.contradictions("takeo-province").await.len(), 1);
}

#[tokio::test]
async fn who_is_with_another_office_when_the_case_moves_is_known_to_the_next() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    kandal.says(Standing::Holds).await;
    let sighting = Sighting {
        office: office("kandal-other"),
        whereabouts: Seen::InShelter,
        from_day: day("2026-03-01"),
        until_day: None,
    };
    let sight = whereabouts::Command::Sight { sighting, met: vec![], tell: None, above: None };
    kandal.order::<Whereabouts>("kandal-other", CASE, sight).await;
    kandal.says_of(OFFICE, Standing::Held, "takeo-district").await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    let met = whereabouts::Met { visit_id: id(21), office: office("takeo-district"), visited_on: day("2026-03-09") };
    let compare = whereabouts::Command::Compare { met, above: Some(office("takeo-province")) };
    takeo.order::<Whereabouts>("takeo-district", CASE, compare).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    for (post, at) in [(&takeo, "takeo-district"), (&takeo, "takeo-province"), (&kandal, "kandal-other")] {
        assert_eq!(post.contradictions(at).await.len(), 1, "{at}");
    }
}

async fn points(post: &Post, at: &str) -> Vec<(String, String)> {
    let listed = supervisions::of_office(&office(at), true, 9, 0, post.store.reader()).await.unwrap();
    listed.into_iter().map(|entry| (entry.check, entry.mend_by)).collect()
}

#[tokio::test]
async fn an_office_of_another_node_sees_what_its_supervisor_wrote_down_and_the_supervisor_what_came_of_it() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    let looked = Looked { result: CheckResult::Serious, mend_by: Some(day("2026-07-01")) };
    let visit = supervision::Visit {
        office: office("kandal-branch"),
        by: office("takeo-province"),
        worker: None,
        visited_on: day("2026-06-01"),
        points: [(Check::Visits, looked)].into(),
    };
    let supervision = id::<kind::Supervision>(0x50).to_string();
    takeo.order::<Supervision>("takeo-province", &supervision, supervision::Command::Visit(visit)).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    let open = [("visits".to_owned(), "2026-07-01".to_owned())];
    assert_eq!(
        (points(&kandal, "kandal-branch").await, points(&takeo, "takeo-province").await),
        (open.to_vec(), open.to_vec())
    );
    let (check, result, seen_on) = (Check::Visits, CheckResult::Good, day("2026-06-20"));
    let see = supervision::Command::See { check, result, seen_on };
    kandal.order::<Supervision>("kandal-branch", &supervision, see).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    assert_eq!((points(&kandal, "kandal-branch").await, points(&takeo, "takeo-province").await), (vec![], vec![]));
}

#[tokio::test]
async fn only_an_office_above_tells_what_is_to_be_mended() {
    let kandal = Post::of("kandal").await;
    let told = wire::SupervisionTold {
        supervision_id: id::<kind::Supervision>(0x50).to_string(),
        from_office_id: "takeo-province".to_owned(),
        to_office_id: OFFICE.to_owned(),
        ..wire::SupervisionTold::default()
    };
    let from = Address { node: "takeo".parse().unwrap(), service: Service::Followup };
    let refused = kandal.brings_from(from, published::SUPERVISION_TOLD, told.encode_to_vec()).await.unwrap_err();
    assert!(matches!(&refused, Unusable::Refused(said) if said == "NOT_ABOVE_THIS_OFFICE"), "{refused:?}");
}

#[tokio::test]
async fn the_office_that_asked_hears_what_came_of_looking_for_a_family_and_so_does_its_shelter() {
    let (mut kandal, mut takeo) = (Post::of("kandal").await, Post::of("takeo").await);
    let answer = Answer {
        case: CASE.parse().unwrap(),
        offer: id(0x60),
        from: office(OFFICE),
        to: office("takeo-district"),
        outcome: FamilySearchOutcome::Found,
        answered_on: day("2026-06-01"),
    };
    let give = family_search::Command::Give(answer);
    kandal.order::<FamilySearch>(OFFICE, &id::<kind::Offer>(0x60).to_string(), give).await;
    deliver(&mut [&mut kandal, &mut takeo]).await;
    let published = Published { node: takeo.node.clone(), directory: takeo.directory.clone() };
    let heard = takeo.store.events_after(0, 9).await.unwrap();
    let told: Vec<_> = heard.iter().flat_map(|event| published.postings(event)).collect();
    assert_eq!(
        told.iter().map(|posting| (posting.to.service, posting.kind)).collect::<Vec<_>>(),
        [(Service::Shelter, published::FAMILY_SEARCHED)]
    );
    let told = wire::FamilySearched::decode(told[0].body.as_slice()).unwrap();
    assert_eq!((told.from_office_id.as_str(), told.outcome()), (OFFICE, wire::FamilySearchOutcome::Found));
}
