//! Everything in a vault is tried, on SQLite and on PostgreSQL, and nothing of what it says is told.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]
#![allow(dead_code, reason = "the support is shared with the specifications of parts and files")]

mod support;

use std::collections::BTreeSet;

use spean_identity::NodeKeys;
use spean_vault::{Direction, Dossier, Examination, Part};
use spean_vocabulary::Service;
use sqlx::Row as _;
use support::{CANARY, Place, case, contact, health, id, identity, narrative, now, offer, office, person, reader};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_sqlite().await).await; })* }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_postgres().await).await; })* }
    };
}

on_both! {
    every_record_of_a_vault_opens_while_it_is_in_use,
    a_flipped_bit_is_named_by_its_place_in_every_table,
    what_went_with_an_erasure_is_no_flaw,
    the_vault_of_another_node_is_told_as_such,
}

async fn fill(place: &Place) {
    let vault = &place.vault;
    vault.put(person(), &identity(), now()).await.unwrap();
    vault.put(person(), &contact(), now()).await.unwrap();
    vault.put(person(), &narrative(), now()).await.unwrap();
    vault.put(person(), &health(), now()).await.unwrap();
    vault.keep_section(person(), Service::Shelter, Part::Health, "{}", now()).await.unwrap();
    vault.keep_attachment(person(), id(20), CANARY.as_bytes(), now()).await.unwrap();
    vault.keep_dossier(offer(), Direction::Out, person(), b"sealed to another", now()).await.unwrap();
    let parts = BTreeSet::from([Part::Health]);
    let mut dossier = Dossier::compose(vault, case(), person(), &parts, String::new(), &reader(), now()).await.unwrap();
    dossier.add_sections(vault, &parts, &office("poipet-transit"), &reader(), now()).await.unwrap();
    vault.adopt(&dossier, now()).await.unwrap();
}

async fn examined(place: &Place) -> Examination {
    let examination = Examination::of(&place.url, &place.keys).await.unwrap();
    assert!(!format!("{examination:?}").contains(CANARY));
    examination
}

async fn every_record_of_a_vault_opens_while_it_is_in_use(place: Place) {
    fill(&place).await;
    let before = place.vault.readings(person()).await.unwrap().len();
    let examination = examined(&place).await;
    assert!(examination.is_sound(), "{examination:?}");
    // A mark, a key, four parts, a dossier, two sections, an attachment, and the readings.
    assert_eq!((examination.people, examination.records), (1, 10 + u64::try_from(before).unwrap()));
    assert_eq!(place.vault.readings(person()).await.unwrap().len(), before, "nobody read");
}

async fn a_flipped_bit_is_named_by_its_place_in_every_table(place: Place) {
    fill(&place).await;
    let outside = place.past_the_vault().await;
    for (table, column) in [
        ("sealed_part", "sealed"),
        ("dossier", "sealed"),
        ("dossier", "digest"),
        ("file_section", "sealed"),
        ("history_section", "sealed"),
        ("attachment", "sealed"),
        ("reading", "purpose"),
        ("person_key", "wrapped"),
    ] {
        let select = sqlx::AssertSqlSafe(format!("select {column} from {table} order by {column} limit 1"));
        let whole: Vec<u8> = sqlx::query(select).fetch_one(&outside).await.unwrap().get(0);
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        let update = format!("update {table} set {column} = $1 where {column} = $2");
        let put = async |new: &[u8], old: &[u8]| {
            let update = sqlx::query(sqlx::AssertSqlSafe(update.clone())).bind(new.to_vec()).bind(old.to_vec());
            assert_eq!(update.execute(&outside).await.unwrap().rows_affected(), 1);
        };
        put(&flipped, &whole).await;
        let flaws = examined(&place).await.flaws;
        assert_eq!(flaws.first().map(|flaw| flaw.table), Some(table));
        put(&whole, &flipped).await;
    }
    assert!(examined(&place).await.is_sound());
}

async fn what_went_with_an_erasure_is_no_flaw(place: Place) {
    fill(&place).await;
    let readings = u64::try_from(place.vault.readings(person()).await.unwrap().len()).unwrap();
    place.vault.erase(person()).await.unwrap();
    let examination = examined(&place).await;
    assert!(examination.is_sound(), "{examination:?}");
    assert_eq!((examination.people, examination.erased), (0, readings));
    // Known again, under another key.
    place.vault.put(person(), &identity(), now().plus_hours(1)).await.unwrap();
    assert!(examined(&place).await.is_sound());
}

async fn the_vault_of_another_node_is_told_as_such(place: Place) {
    fill(&place).await;
    let others = NodeKeys::create(&place.folder.path().join("others")).unwrap();
    let examination = Examination::of(&place.url, &others).await.unwrap();
    assert!(examination.sealed_for_others && !examination.is_sound());
}
