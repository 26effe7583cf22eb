//! The life of offices on both databases: editions, declarations of ours and of others, and what the desk is told.

use spean_identity::Directory;
use spean_messaging::Letter;

use super::*;
use crate::examples::{a_directory, a_node, an_office};
use crate::office::{Command, Error, Reason, Said, Status};
use crate::offices;
use crate::published::{OFFICE_STATUS_CHANGED, OFFICE_STATUS_DECLARED};
use crate::stage::{HERE, PROVINCE, SHELTER, Stage, desk_of, directory_of, letter, on_both_databases};

on_both_databases! {
    a_later_edition_is_compared_with_what_was_known,
    an_edition_worked_through_twice_says_nothing_twice,
    a_declaration_is_told_to_all_and_ends_with_its_day,
    what_another_node_declares_of_its_office_counts_here,
    nobody_is_believed_about_an_office_that_is_not_theirs_or_below_theirs,
    a_declaration_of_an_office_that_is_not_known_yet_waits,
    who_joins_later_hears_what_was_declared,
    what_a_backup_had_forgotten_is_heard_again,
    a_rebuilt_book_is_the_same,
    an_office_that_no_edition_lists_any_more_is_still_known,
}

const DISTRICT: &str = "bavel-district";

async fn declare(stage: &Stage, by: &str, of: &str, until_day: Option<&str>) -> Result<(), Error> {
    let said = Said {
        status: Status::Unstaffed,
        stand_in: Some(SHELTER.parse().unwrap()),
        from_day: None,
        until_day: until_day.map(|day| day.parse().unwrap()),
        reason: Reason::StaffAway,
    };
    let directory = stage.live.current();
    let office = directory.office(&of.parse().unwrap()).unwrap();
    let facts = offices::facts(&directory, office, &said, stage.today());
    stage.handle::<Office>(by, of, Command::Declare { said, facts }).await
}

async fn kinds(stage: &Stage, office: &str) -> Vec<OfficeChangeKind> {
    let changes = history(&office.parse().unwrap(), 100, 0, stage.store.reader()).await.unwrap();
    changes.iter().map(wire::OfficeChange::kind).collect()
}

async fn told_desk(stage: &Stage) -> Vec<(String, i32, String)> {
    let letters = stage.letters(OFFICE_STATUS_CHANGED).await;
    let read = |letter: &spean_messaging::Posting| {
        assert_eq!(letter.to, desk_of(HERE));
        let told = wire::OfficeStatusChanged::decode(letter.body.as_slice()).unwrap();
        (told.office_id, told.status, told.stand_in_office_id + &told.successor_office_id)
    };
    letters.iter().map(read).collect()
}

const OPEN: i32 = wire::OfficeStatus::Open as i32;
const UNSTAFFED: i32 = wire::OfficeStatus::Unstaffed as i32;
const CLOSED: i32 = wire::OfficeStatus::Closed as i32;

fn they_declare(from: &str, by: &str, of: &str, version: i64) -> Letter {
    let told = wire::OfficeStatusDeclared {
        office_id: of.to_owned(),
        declared_by_office_id: by.to_owned(),
        status: UNSTAFFED,
        from_day: "2026-11-20".to_owned(),
        reason: wire::OfficeStatusReason::PostVacant.into(),
        version,
        declared_at: Some(instant(spean_vocabulary::Timestamp::from_micros(1_795_300_200_000_000))),
        ..Default::default()
    };
    letter(90, directory_of(from), OFFICE_STATUS_DECLARED, &told)
}

async fn unstaffed_on(stage: &Stage, day: &str) -> Vec<String> {
    let declared = declared_on(day.parse().unwrap(), stage.store.reader()).await.unwrap();
    declared.keys().map(ToString::to_string).collect()
}

/// Edition 8: Bavel closes at the end of November and another office follows it; somebody works in Koas Krala.
fn a_later_edition() -> Directory {
    let mut directory = Directory { edition: 8, ..a_directory() };
    directory.offices[2].closed_on = Some("2026-12-01".parse().unwrap());
    directory.offices[2].successor = Some("bavel-two".parse().unwrap());
    directory.offices[3].staffed = true;
    directory.offices[1].name_en = "Battambang".to_owned();
    directory.offices.push(an_office("bavel-two", "battambang", spean_identity::OfficeLevel::District, "0213"));
    directory
}

async fn a_later_edition_is_compared_with_what_was_known(stage: Stage) {
    use OfficeChangeKind::{Amended, Closed, Opened, PostFilled, PostVacant, Stands, Succeeded};
    stage.work_through().await;
    assert_eq!(kinds(&stage, "koas-krala-district").await, [Opened, PostVacant, Stands]);
    stage.take(a_later_edition()).await;
    assert_eq!(kinds(&stage, PROVINCE).await, [Opened, Amended]);
    assert_eq!(kinds(&stage, DISTRICT).await, [Opened, Closed]);
    assert_eq!(kinds(&stage, "bavel-two").await, [Opened, Succeeded]);
    assert_eq!(kinds(&stage, "koas-krala-district").await, [Opened, PostVacant, Stands, PostFilled, Stands]);
    stage.on_day("2026-12-01");
    stage.work_through().await;
    assert_eq!(kinds(&stage, DISTRICT).await, [Opened, Closed, Stands], "the day has come");
    let changes = history(&DISTRICT.parse().unwrap(), 1, 1, stage.store.reader()).await.unwrap();
    assert_eq!((changes[0].on_day.as_str(), changes[0].other_office_id.as_str()), ("2026-12-01", "bavel-two"));
    assert_eq!((changes[0].edition, changes.len()), (8, 1), "in pages");
    let koas = "koas-krala-district".to_owned();
    let expected = [
        (koas.clone(), UNSTAFFED, String::new()),
        (koas, OPEN, String::new()),
        (DISTRICT.to_owned(), CLOSED, "bavel-two".to_owned()),
    ];
    assert_eq!(told_desk(&stage).await, expected);
}

async fn an_edition_worked_through_twice_says_nothing_twice(stage: Stage) {
    stage.work_through().await;
    stage.take(a_later_edition()).await;
    let before = stage.recorded().await.len();
    stage.work_through().await;
    assert_eq!(stage.recorded().await.len(), before);
}

async fn a_declaration_is_told_to_all_and_ends_with_its_day(stage: Stage) {
    stage.work_through().await;
    let before = told_desk(&stage).await.len();
    for _ in 0..2 {
        declare(&stage, DISTRICT, DISTRICT, Some("2026-11-30")).await.unwrap();
    }
    let letters = stage.letters(OFFICE_STATUS_DECLARED).await;
    let to: Vec<_> = letters.iter().map(|letter| letter.to.clone()).collect();
    assert_eq!(to, ["national", "poipet"].map(directory_of));
    let told = wire::OfficeStatusDeclared::decode(letters[0].body.as_slice()).unwrap();
    assert_eq!((told.version, told.until_day.as_str(), told.stand_in_office_id.as_str()), (1, "2026-11-30", SHELTER));
    assert_eq!(unstaffed_on(&stage, "2026-11-30").await, [DISTRICT]);
    assert_eq!(unstaffed_on(&stage, "2026-12-01").await, Vec::<String>::new());
    for day in ["2026-11-30", "2026-12-01", "2026-12-01"] {
        stage.on_day(day);
        stage.work_through().await;
    }
    let told = told_desk(&stage).await.split_off(before);
    let district = DISTRICT.to_owned();
    assert_eq!(told, [(district.clone(), UNSTAFFED, SHELTER.to_owned()), (district, OPEN, String::new())]);
}

async fn what_another_node_declares_of_its_office_counts_here(stage: Stage) {
    stage.work_through().await;
    for _ in 0..2 {
        stage.receive(they_declare("poipet", SHELTER, SHELTER, 1)).await.unwrap();
    }
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, [SHELTER]);
    assert_eq!(told_desk(&stage).await.last().unwrap(), &(SHELTER.to_owned(), UNSTAFFED, String::new()));
    assert_eq!(stage.letters(OFFICE_STATUS_DECLARED).await, [], "that node told the others itself");
    stage.receive(they_declare("national", "ministry", PROVINCE, 1)).await.unwrap();
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, [PROVINCE, SHELTER], "the ministry is above our office");
}

async fn nobody_is_believed_about_an_office_that_is_not_theirs_or_below_theirs(stage: Stage) {
    stage.work_through().await;
    let refusals = [
        (they_declare("poipet", "ministry", PROVINCE, 1), "NOT_THEIR_OFFICE"),
        (they_declare("poipet", SHELTER, PROVINCE, 1), "NOT_ABOVE_THIS_OFFICE"),
        (Letter { body: vec![255], ..they_declare("poipet", SHELTER, SHELTER, 1) }, "MALFORMED"),
    ];
    for (letter, code) in refusals {
        assert_eq!(stage.receive(letter).await, Err(code.to_owned()));
    }
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, Vec::<String>::new());
    assert_eq!(declare(&stage, PROVINCE, SHELTER, None).await, Err(Error::NotAboveThisOffice));
}

async fn a_declaration_of_an_office_that_is_not_known_yet_waits(stage: Stage) {
    stage.receive(they_declare("poipet", SHELTER, "second-shelter", 1)).await.unwrap();
    stage
        .receive(Letter {
            id: crate::stage::id(91).parse().unwrap(),
            ..they_declare("poipet", "second-shelter", "second-shelter", 2)
        })
        .await
        .unwrap();
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, Vec::<String>::new());
    let mut directory = Directory { edition: 8, ..a_directory() };
    directory.offices.push(an_office("second-shelter", "poipet", spean_identity::OfficeLevel::Facility, "0110"));
    stage.take(directory).await;
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, ["second-shelter"]);
    let declared = declared_on("2026-11-22".parse().unwrap(), stage.store.reader()).await.unwrap();
    let versions: Vec<_> = declared.values().flatten().map(|declaration| declaration.version).collect();
    assert_eq!(versions, [2], "the shelter is not above the second one");
}

async fn who_joins_later_hears_what_was_declared(stage: Stage) {
    stage.work_through().await;
    declare(&stage, PROVINCE, PROVINCE, None).await.unwrap();
    stage.receive(they_declare("poipet", SHELTER, SHELTER, 1)).await.unwrap();
    let mut joined = Directory { edition: 9, ..a_directory() };
    joined.nodes.push(a_node("kampot", "friends", "DD"));
    for _ in 0..2 {
        stage.take(joined.clone()).await;
        let letters = stage.letters(OFFICE_STATUS_DECLARED).await;
        let to_the_new: Vec<_> = letters.iter().filter(|letter| letter.to == directory_of("kampot")).collect();
        // Played again with the directory of today, the first telling goes to it as well.
        assert_eq!(to_the_new.len(), 2);
        assert!(to_the_new.iter().all(|letter| letter.body == letters[0].body), "nothing of others");
    }
}

async fn what_a_backup_had_forgotten_is_heard_again(stage: Stage) {
    stage.work_through().await;
    for _ in 0..2 {
        stage.receive(they_declare(HERE, PROVINCE, DISTRICT, 4)).await.unwrap();
    }
    assert_eq!(unstaffed_on(&stage, "2026-11-22").await, [DISTRICT]);
    let answer = stage.receive(they_declare(HERE, SHELTER, SHELTER, 4)).await;
    assert_eq!(answer, Err("NOT_OUR_OFFICE".to_owned()));
    let changed = wire::OfficeStatusChanged { office_id: DISTRICT.to_owned(), ..Default::default() };
    stage.receive(letter(89, directory_of(HERE), OFFICE_STATUS_CHANGED, &changed)).await.unwrap();
}

async fn a_rebuilt_book_is_the_same(stage: Stage) {
    stage.work_through().await;
    declare(&stage, PROVINCE, PROVINCE, None).await.unwrap();
    stage.receive(they_declare("poipet", SHELTER, SHELTER, 1)).await.unwrap();
    stage.take(a_later_edition()).await;
    let look = async || {
        let mut histories = Vec::new();
        for office in &stage.live.current().offices {
            histories.push(history(&office.id, 100, 0, stage.store.reader()).await.unwrap());
        }
        let listed = as_last_listed(&PROVINCE.parse().unwrap(), stage.store.reader()).await.unwrap();
        (histories, listed, declared_on(stage.today(), stage.store.reader()).await.unwrap())
    };
    let before = look().await;
    stage.store.rebuild("office_book").await.unwrap();
    assert_eq!(look().await, before);
}

async fn an_office_that_no_edition_lists_any_more_is_still_known(stage: Stage) {
    stage.take(a_later_edition()).await;
    let known = as_last_listed(&DISTRICT.parse().unwrap(), stage.store.reader()).await.unwrap().unwrap();
    assert_eq!((known.office_id.as_str(), known.node_id.as_str(), known.level.as_str()), (DISTRICT, HERE, "DISTRICT"));
    assert_eq!(as_last_listed(&"nowhere".parse().unwrap(), stage.store.reader()).await.unwrap(), None);
}
