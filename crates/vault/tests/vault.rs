//! What the vault promises, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use spean_identity::{NodeKeys, SealError};
use spean_vault::{
    Contact, Direction, Dossier, DossierError, Health, Identity, Narrative, Part, Parts, Vault, VaultError,
};
use spean_vocabulary::PersonId;
use sqlx::Row as _;
use support::{CANARY, Place, case, contact, health, id, identity, narrative, now, offer, office, person, reader};

/// Each specification as a test on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_sqlite().await).await; })* }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_postgres().await).await; })* }
    };
}

on_both! {
    what_was_put_in_comes_out_again,
    people_are_kept_together_and_what_is_not_given_stays,
    the_last_version_is_kept,
    every_reading_is_recorded,
    erasing_makes_a_person_unreadable_and_forgets_the_key,
    erasing_one_person_leaves_the_others,
    a_row_in_the_place_of_another_is_refused,
    a_row_of_an_earlier_version_is_refused,
    another_nodes_keys_do_not_open_the_vault,
    a_vault_opened_again_still_knows_everybody,
    identities_are_found_for_the_search_and_the_search_is_recorded,
    a_dossier_arrives_in_the_other_vault,
    a_dossier_holds_the_chosen_parts_only,
    a_dossier_opens_for_its_receiver_offer_and_offices_only,
    an_erased_persons_dossiers_are_gone,
    nothing_personal_is_stored_in_the_clear,
}

async fn fill(place: &Place, person: PersonId) {
    place.vault.put(person, &identity(), now()).await.unwrap();
    place.vault.put(person, &contact(), now()).await.unwrap();
    place.vault.put(person, &narrative(), now()).await.unwrap();
    place.vault.put(person, &health(), now()).await.unwrap();
}

async fn what_was_put_in_comes_out_again(place: Place) {
    fill(&place, person()).await;
    let vault = &place.vault;
    assert!(vault.get::<Identity>(person(), &reader(), now()).await.unwrap() == Some(identity()));
    assert!(vault.get::<Contact>(person(), &reader(), now()).await.unwrap() == Some(contact()));
    assert!(vault.get::<Narrative>(person(), &reader(), now()).await.unwrap() == Some(narrative()));
    assert!(vault.get::<Health>(person(), &reader(), now()).await.unwrap() == Some(health()));
    assert!(vault.get::<Identity>(id(9), &reader(), now()).await.unwrap().is_none());
    let many = vault.get_many::<Identity>(&[id(9), person()], &reader(), now()).await.unwrap();
    assert!(many == [(person(), identity())]);
}

async fn people_are_kept_together_and_what_is_not_given_stays(place: Place) {
    fill(&place, person()).await;
    let amended = Identity { nationality: None, ..identity() };
    let told = narrative();
    let group = [
        Parts { person: person(), identity: &amended, contact: None, narrative: None },
        Parts { person: id(9), identity: &identity(), contact: Some(&contact()), narrative: Some(&told) },
    ];
    place.vault.put_people(&group, now()).await.unwrap();
    place.vault.put_people(&group, now()).await.unwrap();
    assert!(place.vault.get(person(), &reader(), now()).await.unwrap() == Some(amended));
    assert!(place.vault.get(person(), &reader(), now()).await.unwrap() == Some(contact()));
    assert!(place.vault.get(id(9), &reader(), now()).await.unwrap() == Some(identity()));
    assert!(place.vault.get(id(9), &reader(), now()).await.unwrap() == Some(narrative()));
}

async fn the_last_version_is_kept(place: Place) {
    fill(&place, person()).await;
    let mut amended = identity();
    amended.nationality = None;
    place.vault.put(person(), &amended, now()).await.unwrap();
    assert!(place.vault.get(person(), &reader(), now()).await.unwrap() == Some(amended));
}

async fn every_reading_is_recorded(place: Place) {
    fill(&place, person()).await;
    assert!(place.vault.readings(person()).await.unwrap().is_empty());
    place.vault.get::<Identity>(person(), &reader(), now()).await.unwrap();
    place.vault.get_many::<Health>(&[person()], &reader(), now().plus_hours(1)).await.unwrap();
    let readings = place.vault.readings(person()).await.unwrap();
    let seen: Vec<_> = readings.iter().map(|reading| (reading.what.as_str(), reading.read_at)).collect();
    assert_eq!(seen, [("identity", now()), ("health", now().plus_hours(1))]);
    assert_eq!((&readings[0].staff, &readings[0].office), (&reader().staff, &reader().office));
    assert_eq!(readings[0].purpose, Some(reader().purpose));
}

async fn erasing_makes_a_person_unreadable_and_forgets_the_key(place: Place) {
    fill(&place, person()).await;
    place.vault.get::<Identity>(person(), &reader(), now()).await.unwrap();
    let outside = place.past_the_vault().await;
    let wrapped: Vec<u8> = column(&outside, "select wrapped from person_key").await;
    let sealed: Vec<u8> = column(&outside, "select sealed from sealed_part where part = 'identity'").await;

    if place.url.starts_with("sqlite") {
        assert!(folder_holds(place.folder.path(), &wrapped) && folder_holds(place.folder.path(), &sealed));
    }
    place.vault.erase(person()).await.unwrap();
    place.vault.erase(person()).await.unwrap();
    assert!(place.vault.get::<Identity>(person(), &reader(), now()).await.unwrap().is_none());
    let readings = place.vault.readings(person()).await.unwrap();
    assert_eq!((readings.len(), &readings[0].purpose), (1, &None), "that it was read outlives what was read");

    if place.url.starts_with("sqlite") {
        drop(outside);
        for secret in [&wrapped, &sealed] {
            assert!(!folder_holds(place.folder.path(), secret), "what was deleted is still on the disk");
        }
    } else {
        // Somebody kept the sealed row. Under the key that the person gets when they come back, it does not open.
        place.vault.put(person(), &contact(), now()).await.unwrap();
        sqlx::query(
            "insert into sealed_part (person_id, part, version, sealed, recorded_at) values ($1, $2, 1, $3, 0)",
        )
        .bind(person().to_string())
        .bind("identity")
        .bind(sealed)
        .execute(&outside)
        .await
        .unwrap();
        let answer = place.vault.get::<Identity>(person(), &reader(), now()).await;
        assert!(matches!(answer, Err(VaultError::Damaged)));
    }
}

async fn erasing_one_person_leaves_the_others(place: Place) {
    fill(&place, person()).await;
    fill(&place, id(9)).await;
    place.vault.erase(person()).await.unwrap();
    assert!(place.vault.get(id(9), &reader(), now()).await.unwrap() == Some(identity()));
}

async fn a_row_in_the_place_of_another_is_refused(place: Place) {
    fill(&place, person()).await;
    fill(&place, id(9)).await;
    let outside = place.past_the_vault().await;
    for (column, from) in
        [("person_id", id::<spean_vocabulary::kind::Person>(9).to_string()), ("part", "health".to_owned())]
    {
        let sealed: Vec<u8> =
            sqlx::query(sqlx::AssertSqlSafe(format!("select sealed from sealed_part where {column} = $1")))
                .bind(from)
                .fetch_one(&outside)
                .await
                .unwrap()
                .get(0);
        sqlx::query("update sealed_part set sealed = $1 where person_id = $2 and part = 'identity'")
            .bind(sealed)
            .bind(person().to_string())
            .execute(&outside)
            .await
            .unwrap();
        let answer = place.vault.get::<Identity>(person(), &reader(), now()).await;
        assert!(matches!(answer, Err(VaultError::Damaged)), "another {column}'s row was read");
    }
    let key: Vec<u8> = column(&outside, "select wrapped from person_key order by person_id desc").await;
    sqlx::query("update person_key set wrapped = $1").bind(key).execute(&outside).await.unwrap();
    let answer = place.vault.get::<Contact>(person(), &reader(), now()).await;
    assert!(matches!(answer, Err(VaultError::Damaged)), "another person's key was used");
}

async fn a_row_of_an_earlier_version_is_refused(place: Place) {
    fill(&place, person()).await;
    let outside = place.past_the_vault().await;
    let first: Vec<u8> = column(&outside, "select sealed from sealed_part where part = 'identity'").await;
    place.vault.put(person(), &identity(), now()).await.unwrap();
    sqlx::query("update sealed_part set sealed = $1 where part = 'identity'")
        .bind(first)
        .execute(&outside)
        .await
        .unwrap();
    assert!(matches!(place.vault.get::<Identity>(person(), &reader(), now()).await, Err(VaultError::Damaged)));
}

async fn another_nodes_keys_do_not_open_the_vault(place: Place) {
    let other = NodeKeys::create(&place.folder.path().join("other")).unwrap();
    assert!(matches!(Vault::open(&place.url, &other).await, Err(VaultError::OtherKeys)));
}

async fn a_vault_opened_again_still_knows_everybody(place: Place) {
    fill(&place, person()).await;
    let keys = NodeKeys::load(&place.folder.path().join("keys")).unwrap();
    let again = Vault::open(&place.url, &keys).await.unwrap();
    assert!(again.get(person(), &reader(), now()).await.unwrap() == Some(identity()));
}

async fn identities_are_found_for_the_search_and_the_search_is_recorded(place: Place) {
    fill(&place, person()).await;
    fill(&place, id(9)).await;
    place.vault.put(id(10), &health(), now()).await.unwrap();
    let found = place.vault.search(&reader(), now(), |people| people).await.unwrap();
    assert!(found == [(person(), identity(), Some(contact())), (id(9), identity(), Some(contact()))]);
    let searches = place.vault.searches().await.unwrap();
    assert_eq!((searches.len(), &searches[0].purpose), (1, &Some(reader().purpose)));
}

async fn composed(place: &Place, parts: &[Part]) -> Dossier {
    fill(place, person()).await;
    let parts: BTreeSet<Part> = parts.iter().copied().collect();
    Dossier::compose(&place.vault, case(), person(), &parts, "a note".to_owned(), &reader(), now()).await.unwrap()
}

async fn a_dossier_arrives_in_the_other_vault(place: Place) {
    let other = Place::on_sqlite().await;
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    let dossier = composed(&place, &[Part::Identity, Part::Contact, Part::Narrative, Part::Health]).await;
    let (sealed, digest) = dossier.seal_for(&other.keys.public().sealing, offer(), &from, &to).unwrap();

    let kept = other.vault.keep_dossier(offer(), Direction::In, person(), &sealed, now()).await.unwrap();
    assert_eq!(kept, digest);
    assert_eq!(other.vault.sealed_dossier(offer(), Direction::In).await.unwrap(), Some(sealed));
    assert_eq!(other.vault.sealed_dossier(offer(), Direction::Out).await.unwrap(), None);
    let opened = other.vault.read_dossier(&other.keys, offer(), &from, &to, &reader(), now()).await.unwrap().unwrap();
    assert!(opened == dossier);
    assert_eq!(other.vault.readings(person()).await.unwrap()[0].what, "dossier");

    other.vault.adopt(&opened, now()).await.unwrap();
    other.vault.adopt(&opened, now()).await.unwrap();
    assert!(other.vault.get(person(), &reader(), now()).await.unwrap() == Some(identity()));
    assert!(other.vault.get(person(), &reader(), now()).await.unwrap() == Some(health()));

    other.vault.discard_dossier(offer(), Direction::In).await.unwrap();
    assert_eq!(other.vault.sealed_dossier(offer(), Direction::In).await.unwrap(), None);
}

async fn a_dossier_holds_the_chosen_parts_only(place: Place) {
    let dossier = composed(&place, &[Part::Contact]).await;
    assert_eq!(dossier.parts(), BTreeSet::from([Part::Contact]));
    assert!(dossier.identity.is_none() && dossier.narrative.is_none() && dossier.health.is_none());
    let printed = format!("{dossier:?}");
    assert!(!printed.contains(CANARY) && !printed.contains("morning"), "{printed}");
}

async fn a_dossier_opens_for_its_receiver_offer_and_offices_only(place: Place) {
    let stranger = NodeKeys::create(&place.folder.path().join("stranger")).unwrap();
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    let dossier = composed(&place, &[Part::Identity]).await;
    let (sealed, _) = dossier.seal_for(&place.keys.public().sealing, offer(), &from, &to).unwrap();
    assert!(Dossier::open(&place.keys, offer(), &from, &to, &sealed).unwrap() == dossier);
    let mut changed = sealed.clone();
    changed[2_000] ^= 1;
    for refused in [
        Dossier::open(&stranger, offer(), &from, &to, &sealed),
        Dossier::open(&place.keys, id(9), &from, &to, &sealed),
        Dossier::open(&place.keys, offer(), &to, &from, &sealed),
        Dossier::open(&place.keys, offer(), &from, &to, &changed),
        Dossier::open(&place.keys, offer(), &from, &to, &sealed[..100]),
    ] {
        assert!(matches!(refused, Err(DossierError::Seal(SealError::DoesNotOpen))));
    }
}

async fn an_erased_persons_dossiers_are_gone(place: Place) {
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    let (sealed, _) =
        composed(&place, &[Part::Identity]).await.seal_for(&place.keys.public().sealing, offer(), &from, &to).unwrap();
    for direction in [Direction::In, Direction::Out] {
        place.vault.keep_dossier(offer(), direction, person(), &sealed, now()).await.unwrap();
    }
    place.vault.erase(person()).await.unwrap();
    for direction in [Direction::In, Direction::Out] {
        assert_eq!(place.vault.sealed_dossier(offer(), direction).await.unwrap(), None);
    }
    assert!(place.vault.read_dossier(&place.keys, offer(), &from, &to, &reader(), now()).await.unwrap().is_none());
}

async fn nothing_personal_is_stored_in_the_clear(place: Place) {
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    let dossier = composed(&place, &[Part::Identity, Part::Narrative]).await;
    let (sealed, _) = dossier.seal_for(&place.keys.public().sealing, offer(), &from, &to).unwrap();
    place.vault.keep_dossier(offer(), Direction::In, person(), &sealed, now()).await.unwrap();
    place.vault.search(&reader(), now(), |people| people).await.unwrap();
    for _ in ["before erasing", "after"] {
        if place.url.starts_with("sqlite") {
            assert!(folder_holds(place.folder.path(), b"sealed_part"), "the scan does not read the database");
            assert!(!folder_holds(place.folder.path(), CANARY.as_bytes()));
        } else {
            let outside = place.past_the_vault().await;
            for table in ["person_key", "sealed_part", "dossier", "reading"] {
                let rows = format!("select coalesce(string_agg(t::text, ' '), '') from {table} t");
                let rows: String = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_one(&outside).await.unwrap().get(0);
                // A bytea prints as hexadecimal digits.
                let hexadecimal = CANARY.bytes().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
                assert!(!rows.contains(CANARY) && !rows.contains(&hexadecimal), "{table}");
            }
        }
        place.vault.erase(person()).await.unwrap();
    }
}

async fn column(outside: &sqlx::AnyPool, query: &'static str) -> Vec<u8> {
    sqlx::query(query).fetch_one(outside).await.unwrap().get(0)
}

/// Whether the bytes stand in any file of the database: the file itself, its write-ahead log, its index.
fn folder_holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .any(|path| std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes))
}
