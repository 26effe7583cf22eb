//! The catalogue on both databases: through the log, through letters of other nodes and of our desk, and through queries.

use spean_contracts::referral::v1::AvailabilityChanged;
use spean_identity::Directory;
use spean_messaging::Letter;
use spean_vocabulary::{AgeBand, Sex};

use super::*;
use crate::examples::{a_directory, a_node};
use crate::offering::{Command, Event, Terms};
use crate::places;
use crate::published::{AVAILABILITY_REPORTED, OFFERING_CHANGED};
use crate::stage::{HERE, PROVINCE, SHELTER, Stage, desk_of, directory_of, id, letter, on_both_databases};

on_both_databases! {
    an_offering_is_found_by_need_and_by_where_people_come_from,
    an_offering_for_a_place_by_its_old_code_is_found_by_the_new_one,
    what_has_ended_is_shown_only_when_asked_for,
    what_begins_later_does_not_hide_what_holds_until_then,
    each_change_is_kept_with_its_day,
    a_long_catalogue_is_read_in_pages,
    of_others_the_newest_word_counts_whatever_the_order,
    our_desk_hears_of_all_offerings_and_the_others_of_ours,
    the_room_that_a_desk_counts_is_shown_with_its_age_and_passed_on,
    the_room_of_another_node_is_shown_and_told_to_our_desk_alone,
    only_the_newest_count_of_the_right_desk_is_believed,
    nobody_is_believed_about_an_office_of_another_node,
    what_comes_before_the_edition_that_explains_it_waits,
    a_rebuilt_catalogue_is_the_same,
    what_an_earlier_program_was_told_is_moved_into_the_log,
    a_node_that_joins_later_hears_of_everything_once,
    what_a_backup_had_forgotten_comes_back_from_a_peer,
}

async fn handle(stage: &Stage, number: u8, command: Command) {
    stage.handle::<Offering>(PROVINCE, &id(number), command).await.unwrap();
}

async fn publish(stage: &Stage, number: u8, need: Need, places: &[&str]) {
    handle(stage, number, Command::Publish { need, terms: terms(places), valid_from: None }).await;
}

fn all(stage: &Stage) -> Filter {
    Filter { include_withdrawn: true, ..Filter::on(stage.today()) }
}

async fn listed(stage: &Stage, filter: &Filter) -> Vec<wire::Offering> {
    list(filter, 100, 0, stage.store.reader()).await.unwrap()
}

async fn ids(stage: &Stage, filter: &Filter) -> Vec<String> {
    listed(stage, filter).await.into_iter().map(|offering| offering.offering_id).collect()
}

fn terms(places: &[&str]) -> Terms {
    Terms {
        serves_sexes: [Sex::Female].into(),
        serves_age_bands: [AgeBand::Adult].into(),
        languages: ["km".parse().unwrap()].into(),
        places_served: places.iter().map(|place| place.parse().unwrap()).collect(),
        capacity_persons: None,
        worker_sexes: [Sex::Female].into(),
    }
}

fn told(from: &str, office: &str, version: i64, capacity_persons: i32) -> Letter {
    let offering = wire::Offering {
        offering_id: id(1),
        office_id: office.to_owned(),
        need: write_need(Need::Shelter).into(),
        languages: vec!["th".to_owned()],
        capacity_persons,
        valid_from: "2026-12-01".to_owned(),
        ..Default::default()
    };
    letter(99, directory_of(from), OFFERING_CHANGED, &wire::OfferingChanged { offering: Some(offering), version })
}

/// What a desk counted, so many minutes after noon.
fn counted(office: &str, taken_persons: i64, minutes: i64) -> AvailabilityChanged {
    AvailabilityChanged {
        office_id: office.to_owned(),
        need: write_need(Need::Shelter).into(),
        capacity_persons: 24,
        taken_persons,
        reserved_persons: 2,
        waiting_persons: 3,
        as_of: Some(instant(Timestamp::from_micros(1_795_300_200_000_000 + minutes * 60_000_000))),
    }
}

fn desk_says(node: &str, counted: &AvailabilityChanged) -> Letter {
    letter(98, desk_of(node), "spean.referral.v1.AvailabilityChanged", counted)
}

fn from_place(stage: &Stage, place: &str) -> Filter {
    let places = places::of(&stage.live.current());
    let areas = places.areas(&place.parse().unwrap(), None, stage.today());
    let names = areas.iter().flat_map(|area| places.names_of(area, stage.today()));
    Filter { from_place: names.collect(), ..all(stage) }
}

async fn an_offering_is_found_by_need_and_by_where_people_come_from(stage: Stage) {
    assert_eq!(changed_at(stage.store.reader()).await.unwrap(), None);
    publish(&stage, 1, Need::Shelter, &["02", "0110"]).await;
    publish(&stage, 2, Need::Medical, &[]).await;
    publish(&stage, 3, Need::Shelter, &["021405"]).await;
    let legal = Filter { need: Some(Need::Legal), ..all(&stage) };
    let shelter = Filter { need: Some(Need::Shelter), ..all(&stage) };
    assert_eq!(ids(&stage, &all(&stage)).await, [id(1), id(2), id(3)]);
    assert_eq!(ids(&stage, &shelter).await, [id(1), id(3)]);
    assert_eq!(ids(&stage, &legal).await, Vec::<String>::new());
    assert_eq!(
        ids(&stage, &from_place(&stage, "011001")).await,
        [id(1), id(2)],
        "a commune in a district that is served"
    );
    assert_eq!(ids(&stage, &from_place(&stage, "12")).await, [id(2)], "from anywhere");
    assert_eq!(
        ids(&stage, &from_place(&stage, "02140408")).await,
        [id(1), id(2), id(3)],
        "by the list, not by its code"
    );
    assert_eq!(
        ids(&stage, &Filter { need: Some(Need::Shelter), ..from_place(&stage, "12") }).await,
        Vec::<String>::new()
    );
    assert_eq!(changed_at(stage.store.reader()).await.unwrap().map(Timestamp::date_in_cambodia), Some(stage.today()));
}

async fn what_has_ended_is_shown_only_when_asked_for(stage: Stage) {
    for (number, withdrawn_on) in
        [(1, stage.today().plus_days(-1)), (2, stage.today()), (3, stage.today().plus_days(30))]
    {
        publish(&stage, number, Need::Shelter, &["02"]).await;
        handle(&stage, number, Command::Withdraw { withdrawn_on }).await;
    }
    let open = Filter::on(stage.today());
    assert_eq!(ids(&stage, &open).await, [id(2), id(3)], "the last day still counts");
    assert_eq!(ids(&stage, &all(&stage)).await, [id(1), id(2), id(3)]);
    assert_eq!(listed(&stage, &open).await[1].withdrawn_on, "2026-12-22");
}

async fn a_long_catalogue_is_read_in_pages(stage: Stage) {
    for number in 1..=5 {
        publish(&stage, number, Need::Shelter, &[]).await;
    }
    let page = list(&all(&stage), 2, 3, stage.store.reader()).await.unwrap();
    assert_eq!(page.iter().map(|offering| offering.offering_id.clone()).collect::<Vec<_>>(), [id(4), id(5)]);
}

async fn of_others_the_newest_word_counts_whatever_the_order(stage: Stage) {
    publish(&stage, 1, Need::Medical, &[]).await;
    for (version, capacity) in [(1, 10), (3, 30), (2, 20), (3, 33)] {
        stage.receive(told("poipet", SHELTER, version, capacity)).await.unwrap();
    }
    let offerings = listed(&stage, &all(&stage)).await;
    let seen: Vec<_> = offerings.iter().map(|one| (one.office_id.as_str(), one.capacity_persons)).collect();
    assert_eq!(seen, [(PROVINCE, 0), (SHELTER, 30)], "an id that somebody else uses as well is no conflict");
}

async fn an_offering_for_a_place_by_its_old_code_is_found_by_the_new_one(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &["0213"]).await;
    let mut directory = Directory { edition: 8, ..a_directory() };
    directory.place_editions = crate::examples::invented_changes("2026-11-01");
    stage.take(directory).await;
    assert_eq!(ids(&stage, &from_place(&stage, "0299")).await, [id(1)], "what the district is called now");
    assert_eq!(ids(&stage, &from_place(&stage, "0213")).await, [id(1)]);
    assert_eq!(ids(&stage, &from_place(&stage, "0214")).await, Vec::<String>::new());
}

async fn what_begins_later_does_not_hide_what_holds_until_then(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &["02"]).await;
    let (need, valid_from) = (Need::Shelter, Some(stage.today().plus_days(10)));
    handle(&stage, 1, Command::Publish { need, terms: terms(&["01"]), valid_from }).await;
    handle(&stage, 2, Command::Publish { need, terms: terms(&["03"]), valid_from }).await;
    let places = async |on: Date| -> Vec<String> {
        listed(&stage, &Filter::on(on)).await.into_iter().map(|offering| offering.places.join(",")).collect()
    };
    assert_eq!(places(stage.today()).await, ["02", "03"], "the second is announced, with its first day");
    assert_eq!(places(stage.today().plus_days(10)).await, ["01", "03"]);
    handle(&stage, 1, Command::Withdraw { withdrawn_on: stage.today().plus_days(5) }).await;
    assert_eq!(listed(&stage, &Filter::on(stage.today())).await[0].withdrawn_on, "2026-11-27");
    assert_eq!(places(stage.today().plus_days(10)).await, ["03"]);
}

async fn each_change_is_kept_with_its_day(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &["02"]).await;
    stage.on_day("2026-11-25");
    publish(&stage, 1, Need::Shelter, &["01"]).await;
    handle(&stage, 1, Command::Withdraw { withdrawn_on: "2026-12-24".parse().unwrap() }).await;
    let changes = changes(&id(1).parse().unwrap(), 10, 0, stage.store.reader()).await.unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| {
            let offering = change.offering.as_ref().unwrap();
            (change.version, offering.places[0].as_str(), offering.valid_from.as_str(), offering.withdrawn_on.as_str())
        })
        .collect();
    let expected = [(1, "02", "2026-11-22", ""), (2, "01", "2026-11-25", ""), (3, "01", "2026-11-25", "2026-12-24")];
    assert_eq!(seen, expected);
    assert!(changes[0].recorded_at.unwrap().seconds < changes[1].recorded_at.unwrap().seconds);
    let page = super::changes(&id(1).parse().unwrap(), 1, 1, stage.store.reader()).await.unwrap();
    assert_eq!(page[0].version, 2);
}

async fn our_desk_hears_of_all_offerings_and_the_others_of_ours(stage: Stage) {
    publish(&stage, 2, Need::Medical, &[]).await;
    for _ in 0..2 {
        stage.receive(told("poipet", SHELTER, 4, 20)).await.unwrap();
    }
    let letters = stage.letters(OFFERING_CHANGED).await;
    let to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    assert_eq!(to, [directory_of("national"), directory_of("poipet"), desk_of(HERE), desk_of(HERE)]);
    let passed_on = wire::OfferingChanged::decode(letters[3].body.as_slice()).unwrap();
    let offering = passed_on.offering.unwrap();
    assert_eq!((passed_on.version, offering.office_id.as_str(), offering.capacity_persons), (4, SHELTER, 20));
}

async fn the_room_that_a_desk_counts_is_shown_with_its_age_and_passed_on(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &[]).await;
    assert_eq!(listed(&stage, &all(&stage)).await[0].as_of, None, "nobody counted yet");
    for _ in 0..2 {
        stage.receive(desk_says(HERE, &counted(PROVINCE, 20, 1))).await.unwrap();
    }
    let shown = &listed(&stage, &all(&stage)).await[0];
    assert_eq!((shown.taken_persons, shown.reserved_persons, shown.waiting_persons), (20, 2, 3));
    assert_eq!((shown.free_persons, shown.as_of), (Some(2), counted(PROVINCE, 20, 1).as_of));
    let letters = stage.letters(AVAILABILITY_REPORTED).await;
    let to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    assert_eq!(to, ["national", "poipet"].map(directory_of));
    let unlimited = AvailabilityChanged { capacity_persons: 0, ..counted(PROVINCE, 30, 2) };
    stage.receive(desk_says(HERE, &unlimited)).await.unwrap();
    assert_eq!(listed(&stage, &all(&stage)).await[0].free_persons, None);
}

async fn the_room_of_another_node_is_shown_and_told_to_our_desk_alone(stage: Stage) {
    stage.receive(told("poipet", SHELTER, 1, 24)).await.unwrap();
    let reported = wire::AvailabilityReported {
        office_id: SHELTER.to_owned(),
        need: write_need(Need::Shelter).into(),
        capacity_persons: 24,
        taken_persons: 23,
        reserved_persons: 0,
        waiting_persons: 1,
        as_of: counted(SHELTER, 0, 1).as_of,
    };
    stage.receive(letter(97, directory_of("poipet"), AVAILABILITY_REPORTED, &reported)).await.unwrap();
    let shown = &listed(&stage, &all(&stage)).await[0];
    assert_eq!((shown.taken_persons, shown.free_persons), (23, Some(1)));
    let letters = stage.letters(AVAILABILITY_REPORTED).await;
    assert_eq!(letters.iter().map(|letter| letter.to.clone()).collect::<Vec<_>>(), [desk_of(HERE)]);
    assert_eq!(letters[0].body, reported.encode_to_vec());
    let ours = wire::AvailabilityReported { office_id: PROVINCE.to_owned(), ..reported };
    let answer = stage.receive(letter(96, directory_of("poipet"), AVAILABILITY_REPORTED, &ours)).await;
    assert_eq!(answer, Err("NOT_THEIR_OFFICE".to_owned()));
}

async fn only_the_newest_count_of_the_right_desk_is_believed(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &[]).await;
    stage.receive(desk_says(HERE, &counted(PROVINCE, 20, 2))).await.unwrap();
    stage.receive(desk_says(HERE, &counted(PROVINCE, 5, 1))).await.unwrap();
    assert_eq!(listed(&stage, &all(&stage)).await[0].taken_persons, 20, "what comes late is passed over");
    let refusals = [
        (desk_says("poipet", &counted(SHELTER, 1, 3)), "NOT_OUR_DESK"),
        (desk_says(HERE, &counted(SHELTER, 1, 3)), "NOT_OUR_OFFICE"),
        (desk_says(HERE, &counted(PROVINCE, -1, 3)), "MALFORMED"),
        (Letter { from: directory_of("poipet"), ..desk_says(HERE, &counted(PROVINCE, 1, 3)) }, "UNKNOWN_KIND"),
    ];
    for (letter, code) in refusals {
        assert_eq!(stage.receive(letter).await, Err(code.to_owned()));
    }
    assert_eq!(listed(&stage, &all(&stage)).await[0].taken_persons, 20);
}

async fn nobody_is_believed_about_an_office_of_another_node(stage: Stage) {
    for office in [SHELTER, PROVINCE] {
        let answer = stage.receive(told("national", office, 1, 1)).await;
        assert_eq!(answer, Err("NOT_THEIR_OFFICE".to_owned()), "{office}");
    }
    let answer = stage.receive(Letter { from: desk_of("poipet"), ..told("poipet", SHELTER, 1, 1) }).await;
    assert_eq!(answer, Err("NOT_A_DIRECTORY".to_owned()), "only a directory tells of offerings");
    let gibberish = Letter { body: vec![255], ..told("poipet", SHELTER, 1, 1) };
    assert_eq!(stage.receive(gibberish).await, Err("MALFORMED".to_owned()));
    let unknown = Letter { kind: "spean.directory.v1.Nothing".to_owned(), ..told("poipet", SHELTER, 1, 1) };
    assert_eq!(stage.receive(unknown).await, Err("UNKNOWN_KIND".to_owned()));
    assert_eq!(ids(&stage, &all(&stage)).await, Vec::<String>::new());
}

async fn what_comes_before_the_edition_that_explains_it_waits(stage: Stage) {
    for _ in 0..2 {
        stage.receive(told("poipet", "second-shelter", 1, 8)).await.unwrap();
    }
    stage.work_through().await;
    assert_eq!(ids(&stage, &all(&stage)).await, Vec::<String>::new());
    let mut directory = Directory { edition: 8, ..a_directory() };
    let shelter = directory.offices.last().unwrap().clone();
    directory.offices.push(spean_identity::Office { id: "second-shelter".parse().unwrap(), ..shelter });
    stage.take(directory).await;
    stage.work_through().await;
    assert_eq!(listed(&stage, &all(&stage)).await[0].capacity_persons, 8);
    assert_eq!(stage.events::<HeardOffering>().await.len(), 1);
}

async fn a_rebuilt_catalogue_is_the_same(stage: Stage) {
    publish(&stage, 1, Need::Shelter, &["02"]).await;
    publish(&stage, 1, Need::Shelter, &["02", "01"]).await;
    publish(&stage, 2, Need::Medical, &[]).await;
    handle(&stage, 2, Command::Withdraw { withdrawn_on: stage.today() }).await;
    stage.receive(told("poipet", SHELTER, 1, 10)).await.unwrap();
    stage.receive(desk_says(HERE, &counted(PROVINCE, 20, 1))).await.unwrap();
    let before = listed(&stage, &all(&stage)).await;
    assert_eq!(before.len(), 3);
    stage.store.rebuild("catalogue").await.unwrap();
    assert_eq!(listed(&stage, &all(&stage)).await, before);
}

async fn what_an_earlier_program_was_told_is_moved_into_the_log(stage: Stage) {
    let offering =
        wire::OfferingChanged::decode(told("poipet", SHELTER, 3, 30).body.as_slice()).unwrap().offering.unwrap();
    let row = stage.store.transact(move |transaction| {
        Box::pin(async move {
            let sql = "insert into told_offering
                (node, offering_id, version, office, need, places, withdrawn_on, offering, changed_at)
                values ('poipet', $1, 3, 'poipet-shelter', 1, '', '', $2, 1)";
            let query = sqlx::query(sql).bind(id(1)).bind(offering.encode_to_vec());
            query.execute(transaction.connection()).await.map(drop)
        })
    });
    row.await.unwrap();
    for _ in 0..2 {
        stage.work_through().await;
        assert_eq!(listed(&stage, &all(&stage)).await[0].capacity_persons, 30);
        assert_eq!(stage.letters(OFFERING_CHANGED).await.len(), 1, "our desk hears of it too");
    }
}

async fn a_node_that_joins_later_hears_of_everything_once(stage: Stage) {
    stage.work_through().await;
    publish(&stage, 1, Need::Shelter, &[]).await;
    publish(&stage, 2, Need::Medical, &[]).await;
    handle(&stage, 2, Command::Withdraw { withdrawn_on: stage.today() }).await;
    stage.take(Directory { edition: 8, ..a_directory() }).await;
    assert_eq!(stage.events::<Offering>().await.len(), 3, "nobody joined");
    let mut joined = Directory { edition: 9, ..a_directory() };
    joined.nodes.push(a_node("kampot", "friends", "DD"));
    stage.take(joined).await;
    stage.work_through().await;
    let events = stage.events::<Offering>().await;
    assert_eq!(events.len(), 4);
    assert!(matches!(events[3].1, Event::Repeated { edition: 9, .. }));
    let letters = stage.letters(OFFERING_CHANGED).await.split_off(3 * 4);
    let to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    let all = [directory_of("national"), directory_of("poipet"), directory_of("kampot"), desk_of(HERE)];
    assert_eq!(to, all);
    let body = wire::OfferingChanged::decode(letters[2].body.as_slice()).unwrap();
    assert_eq!((body.version, body.offering.unwrap().offering_id), (2, id(1)));
}

async fn what_a_backup_had_forgotten_comes_back_from_a_peer(stage: Stage) {
    handle(&stage, 1, Command::Publish { need: Need::Shelter, terms: terms(&[]), valid_from: None }).await;
    for _ in 0..2 {
        for (version, capacity) in [(1, 10), (2, 20), (3, 30)] {
            stage.receive(told(HERE, PROVINCE, version, capacity)).await.unwrap();
        }
    }
    assert_eq!(stage.events::<Offering>().await.len(), 3, "the first was not forgotten");
    assert_eq!(stage.receive(told(HERE, SHELTER, 9, 90)).await, Err("NOT_OUR_OFFICE".to_owned()));
    let offerings = listed(&stage, &Filter::on("2026-12-01".parse().unwrap())).await;
    assert_eq!(offerings.iter().map(|offering| offering.capacity_persons).collect::<Vec<_>>(), [30]);
}
