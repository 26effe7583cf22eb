//! What the vault promises of papers, photographs and sections, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]
#![allow(dead_code, reason = "the support is shared with the specification of the parts")]

mod support;

use std::collections::BTreeSet;

use spean_identity::NodeKeys;
use spean_vault::{Dossier, LARGEST_ATTACHMENT_BYTES, LARGEST_SECTION_BYTES, Narrative, Part, VaultError};
use spean_vocabulary::Service;
use support::{CANARY, Place, case, contact, id, identity, narrative, now, offer, office, person, reader};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_sqlite().await).await; })* }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name(super::Place::on_postgres().await).await; })* }
    };
}

on_both! {
    a_paper_is_kept_read_and_destroyed,
    every_reading_of_a_paper_is_recorded_and_none_of_what_is_not_there,
    a_paper_that_is_too_large_is_not_kept,
    a_paper_in_the_place_of_another_is_refused,
    an_erasure_takes_papers_and_sections_along,
    a_section_is_kept_anew_and_only_of_somebody_who_is_known,
    sections_travel_under_the_parts_that_consent_covers_and_stay_as_history,
    history_goes_on_to_the_next_holder_and_an_older_copy_says_nothing_new,
    a_long_history_never_keeps_a_dossier_from_travelling,
    a_part_is_revised_in_one_step,
    people_are_found_with_how_to_reach_them,
}

async fn a_paper_is_kept_read_and_destroyed(place: Place) {
    let vault = &place.vault;
    vault.keep_attachment(person(), id(20), CANARY.as_bytes(), now()).await.unwrap();
    // The first content stays.
    vault.keep_attachment(person(), id(20), b"another", now()).await.unwrap();
    let read = vault.attachment(person(), id(20), &reader(), now()).await.unwrap().unwrap();
    assert_eq!(read.as_slice(), CANARY.as_bytes());
    let outside = place.past_the_vault().await;
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from attachment").fetch_one(&outside).await.unwrap();
    assert!(!sealed.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
    vault.discard_attachment(person(), id(20)).await.unwrap();
    vault.discard_attachment(person(), id(20)).await.unwrap();
    assert!(vault.attachment(person(), id(20), &reader(), now()).await.unwrap().is_none());
}

async fn every_reading_of_a_paper_is_recorded_and_none_of_what_is_not_there(place: Place) {
    let vault = &place.vault;
    vault.keep_attachment(person(), id(20), b"a paper", now()).await.unwrap();
    vault.attachment(person(), id(21), &reader(), now()).await.unwrap();
    vault.attachment(person(), id(20), &reader(), now()).await.unwrap();
    let readings = vault.readings(person()).await.unwrap();
    assert_eq!(readings.iter().map(|reading| reading.what.as_str()).collect::<Vec<_>>(), ["attachment"]);
}

async fn a_paper_that_is_too_large_is_not_kept(place: Place) {
    let refused = place.vault.keep_attachment(person(), id(20), &vec![0; LARGEST_ATTACHMENT_BYTES + 1], now()).await;
    assert!(matches!(refused, Err(VaultError::TooLarge)));
    assert!(place.vault.attachment(person(), id(20), &reader(), now()).await.unwrap().is_none());
}

async fn a_paper_in_the_place_of_another_is_refused(place: Place) {
    let vault = &place.vault;
    vault.keep_attachment(person(), id(20), b"one", now()).await.unwrap();
    vault.keep_attachment(person(), id(21), b"two", now()).await.unwrap();
    let outside = place.past_the_vault().await;
    sqlx::query("update attachment set sealed = (select sealed from attachment where attachment_id = $1)")
        .bind(id::<spean_vocabulary::kind::Attachment>(20).to_string())
        .execute(&outside)
        .await
        .unwrap();
    drop(outside);
    let refused = vault.attachment(person(), id(21), &reader(), now()).await;
    assert!(matches!(refused, Err(VaultError::Damaged)));
}

async fn an_erasure_takes_papers_and_sections_along(place: Place) {
    let vault = &place.vault;
    vault.put(person(), &identity(), now()).await.unwrap();
    vault.keep_attachment(person(), id(20), b"a paper", now()).await.unwrap();
    assert!(vault.keep_section(person(), Service::Cases, Part::Narrative, "{}", now()).await.unwrap());
    let dossier = composed(&place, &[Part::Narrative]).await;
    vault.adopt(&dossier, now()).await.unwrap();
    vault.erase(person()).await.unwrap();
    assert!(vault.attachment(person(), id(20), &reader(), now()).await.unwrap().is_none());
    assert!(vault.sections(person(), &reader(), now()).await.unwrap().is_empty());
    assert!(vault.history_sections(person(), &reader(), now()).await.unwrap().is_empty());
    let outside = place.past_the_vault().await;
    for table in ["attachment", "file_section", "history_section", "person_key"] {
        let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!("select count(*) from {table}")));
        assert_eq!(count.fetch_one(&outside).await.unwrap(), 0, "{table}");
    }
    drop(outside);
    assert!(!vault.keep_section(person(), Service::Cases, Part::Narrative, "{}", now()).await.unwrap());
}

async fn a_section_is_kept_anew_and_only_of_somebody_who_is_known(place: Place) {
    let vault = &place.vault;
    assert!(!vault.keep_section(person(), Service::Cases, Part::Narrative, "{}", now()).await.unwrap());
    vault.put(person(), &identity(), now()).await.unwrap();
    for json in ["{\"a\":1}", "{\"a\":2}"] {
        assert!(vault.keep_section(person(), Service::Cases, Part::Narrative, json, now()).await.unwrap());
    }
    assert!(vault.keep_section(person(), Service::Shelter, Part::Health, "{}", now()).await.unwrap());
    let kept = vault.sections(person(), &reader(), now()).await.unwrap();
    assert_eq!(kept.iter().map(|section| section.json.as_str()).collect::<Vec<_>>(), ["{\"a\":2}", "{}"]);
    assert_eq!(vault.readings(person()).await.unwrap().last().unwrap().what, "sections");
    let large = "x".repeat(LARGEST_SECTION_BYTES + 1);
    let refused = vault.keep_section(person(), Service::Cases, Part::Narrative, &large, now()).await;
    assert!(matches!(refused, Err(VaultError::TooLarge)));
}

async fn composed(place: &Place, parts: &[Part]) -> Dossier {
    let parts: BTreeSet<Part> = parts.iter().copied().collect();
    let vault = &place.vault;
    let mut dossier = Dossier::compose(vault, case(), person(), &parts, String::new(), &reader(), now()).await.unwrap();
    dossier.add_sections(vault, &parts, &office("poipet-transit"), &reader(), now()).await.unwrap();
    dossier
}

async fn sections_travel_under_the_parts_that_consent_covers_and_stay_as_history(place: Place) {
    place.vault.put(person(), &identity(), now()).await.unwrap();
    for (part, json) in [(Part::Narrative, "{\"facts\":[]}"), (Part::Health, "{\"risks\":[]}")] {
        place.vault.keep_section(person(), Service::Cases, part, json, now()).await.unwrap();
    }
    let dossier = composed(&place, &[Part::Identity, Part::Narrative]).await;
    assert_eq!(dossier.sections.iter().map(|section| section.part).collect::<Vec<_>>(), [Part::Narrative]);
    let other = Place::on_sqlite().await;
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    let (sealed, _) = dossier.seal_for(&other.keys.public().sealing, offer(), &from, &to).unwrap();
    let opened = Dossier::open(&other.keys, offer(), &from, &to, &sealed).unwrap();
    for _ in ["once", "twice"] {
        other.vault.adopt(&opened, now()).await.unwrap();
    }
    let history = other.vault.history_sections(person(), &reader(), now()).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!((&history[0].origin, history[0].json.as_str()), (&from, "{\"facts\":[]}"));
    assert!(other.vault.sections(person(), &reader(), now()).await.unwrap().is_empty(), "it is not theirs");
}

async fn history_goes_on_to_the_next_holder_and_an_older_copy_says_nothing_new(place: Place) {
    let vault = &place.vault;
    vault.put(person(), &identity(), now()).await.unwrap();
    vault.keep_section(person(), Service::Cases, Part::Narrative, "{\"at\":1}", now()).await.unwrap();
    let first = composed(&place, &[Part::Narrative]).await;
    vault.keep_section(person(), Service::Cases, Part::Narrative, "{\"at\":2}", now().plus_hours(1)).await.unwrap();
    let second = composed(&place, &[Part::Narrative]).await;
    let other = Place::on_sqlite().await;
    other.vault.adopt(&second, now()).await.unwrap();
    other.vault.adopt(&first, now()).await.unwrap();
    let next = {
        let parts = BTreeSet::from([Part::Narrative]);
        let mut dossier =
            Dossier::compose(&other.vault, case(), person(), &parts, String::new(), &reader(), now()).await.unwrap();
        let from = office("kandal-province");
        dossier.add_sections(&other.vault, &parts, &from, &reader(), now()).await.unwrap();
        dossier
    };
    let told: Vec<_> = next.sections.iter().map(|section| (section.origin.as_str(), section.json.as_str())).collect();
    assert_eq!(told, [("poipet-transit", "{\"at\":2}")]);
}

async fn a_long_history_never_keeps_a_dossier_from_travelling(place: Place) {
    let vault = &place.vault;
    vault.put(person(), &identity(), now()).await.unwrap();
    let long = format!("{{\"words\":\"{}\"}}", "x".repeat(LARGEST_SECTION_BYTES - 20));
    for service in [Service::Cases, Service::Followup, Service::Repatriation, Service::Shelter, Service::Referral] {
        assert!(vault.keep_section(person(), service, Part::Narrative, &long, now()).await.unwrap());
    }
    let dossier = composed(&place, &[Part::Identity, Part::Narrative]).await;
    assert!(dossier.sections_left_behind > 0);
    assert_eq!(dossier.sections.len() + usize::try_from(dossier.sections_left_behind).unwrap(), 5);
    let keys = NodeKeys::create(&place.folder.path().join("theirs")).unwrap();
    let (from, to) = (office("poipet-transit"), office("kandal-province"));
    dossier.seal_for(&keys.public().sealing, offer(), &from, &to).unwrap();
}

async fn a_part_is_revised_in_one_step(place: Place) {
    let vault = &place.vault;
    let words = |text: &str| Narrative { text: text.to_owned() };
    vault.revise(person(), &reader(), now(), |present: Option<Narrative>| present).await.unwrap();
    assert!(vault.readings(person()).await.unwrap().is_empty(), "there was nothing to read");
    vault.put(person(), &narrative(), now()).await.unwrap();
    let added = |present: Option<Narrative>| present.map(|it| Narrative { text: format!("{} And more.", it.text) });
    vault.revise(person(), &reader(), now(), added).await.unwrap();
    let expected = words(&format!("{} And more.", narrative().text));
    assert!(vault.get::<Narrative>(person(), &reader(), now()).await.unwrap() == Some(expected));
    assert_eq!(vault.readings(person()).await.unwrap()[0].what, "narrative");
}

async fn people_are_found_with_how_to_reach_them(place: Place) {
    let vault = &place.vault;
    vault.put(person(), &identity(), now()).await.unwrap();
    vault.put(id(9), &identity(), now()).await.unwrap();
    vault.put(id(9), &contact(), now()).await.unwrap();
    let people = vault.search(&reader(), now(), |people| people).await.unwrap();
    assert_eq!(people.len(), 2);
    assert!(people.iter().any(|(who, _, reached)| *who == person() && reached.is_none()));
    assert!(
        people.iter().any(|(who, known, reached)| *who == id(9) && *known == identity() && *reached == Some(contact()))
    );
    assert_eq!(vault.searches().await.unwrap().len(), 1);
}
