//! Who is pointed out, and who is not.

use spean_vault::Document;

use super::*;

fn person(family: &str, given: &str, year: Option<i32>) -> Identity {
    Identity {
        khmer: None,
        latin: Some(Name { family: family.to_owned(), given: given.to_owned() }),
        birth: year.map_or(Birth::Unknown, |year| Birth::Year { year, approximate: true }),
        sex: Sex::Male,
        nationality: None,
        languages: vec![],
        documents: vec![],
    }
}

fn khmer(family: &str, given: &str, year: i32) -> Identity {
    let name = Name { family: family.to_owned(), given: given.to_owned() };
    Identity { khmer: Some(name), latin: None, ..person("", "", Some(year)) }
}

fn likeness(one: &Identity, other: &Identity) -> Likeness {
    compare(Known { identity: one, contact: None }, Known { identity: other, contact: None })
}

fn reached(telephone: &str, home: &str) -> Contact {
    Contact {
        telephone: Some(telephone.to_owned()),
        home_place: Some(home.parse().expect("a place")),
        ..Contact::default()
    }
}

#[test]
fn another_spelling_and_a_guessed_age_are_tolerated() {
    let found = likeness(&person("Kumru", "Sovannara", Some(1990)), &person("Kumrou", "Sovanara", Some(1991)));
    assert!(found.score >= CANDIDATE, "{found:?}");
    assert_eq!(found.reasons, ["SAME_SOUND", "SIMILAR_AGE", "SAME_SEX"]);
    let guessed = likeness(&person("Kumru", "Sovannara", Some(1990)), &person("Kumru", "Sovannara", Some(1994)));
    assert_eq!(guessed.reasons, ["SAME_NAME", "SIMILAR_AGE", "SAME_SEX"]);
}

#[test]
fn a_letter_that_was_misheard_is_tolerated_when_the_year_agrees() {
    let found = likeness(&person("Kumru", "Sovannara", Some(1990)), &person("Kumru", "Sovannary", Some(1990)));
    assert!(found.reasons.contains(&"SIMILAR_NAME"), "{found:?}");
}

#[test]
fn swapped_names_of_the_same_year_make_a_candidate() {
    let found = likeness(&person("Kumru", "Dara", Some(1990)), &person("Tara", "Kumrou", Some(1990)));
    assert!(found.score >= CANDIDATE && found.reasons.contains(&"SWAPPED_NAME"), "{found:?}");
}

#[test]
fn the_two_scripts_meet_also_when_the_names_are_swapped() {
    let found = likeness(&khmer("គំរូ", "តារា", 1990), &person("Kumru", "Dara", Some(1990)));
    assert!(found.score >= CANDIDATE && found.reasons.contains(&"SAME_SOUND"), "{found:?}");
    let found = likeness(&khmer("គំរូ", "តារា", 1990), &person("Dara", "Kumru", Some(1990)));
    assert!(found.score >= CANDIDATE && found.reasons.contains(&"SWAPPED_NAME"), "{found:?}");
}

#[test]
fn one_name_alone_is_found_in_the_whole_name() {
    let found = likeness(&person("", "Dara", Some(1990)), &person("Kumru", "Dara", Some(1990)));
    assert_eq!(found.reasons, ["PART_OF_NAME", "SAME_BIRTH_YEAR", "SAME_SEX"]);
    let one_field = likeness(&person("", "Kumru Dara", Some(1990)), &person("Kumru", "Dara", Some(1990)));
    assert!(one_field.score >= CANDIDATE && one_field.reasons.contains(&"SAME_SOUND"), "{one_field:?}");
    let other = likeness(&person("", "Sophea", Some(1990)), &person("Kumru", "Dara", Some(1990)));
    assert!(!other.reasons.contains(&"PART_OF_NAME"), "{other:?}");
}

#[test]
fn one_paper_makes_a_candidate_whatever_the_name() {
    let paper = Document { kind: "passport".to_owned(), number: "N 0123-456".to_owned() };
    let one = Identity { documents: vec![paper.clone()], ..person("Kumru", "Dara", None) };
    let number = "n0123456".to_owned();
    let other = Identity { documents: vec![Document { number, ..paper }], ..person("Kumru", "Vibol", None) };
    let found = likeness(&one, &other);
    assert!(found.score >= CANDIDATE && found.reasons.contains(&"SAME_DOCUMENT"), "{found:?}");
}

#[test]
fn one_telephone_and_one_village_speak_for_one_person() {
    let (one, other) = (person("Kumru", "Dara", None), person("Kumrou", "Dara", None));
    let (here, there) = (reached("+855 99 000 417", "08020101"), reached("099-000-417", "08020101"));
    let known = |identity, contact| Known { identity, contact: Some(contact) };
    let found = compare(known(&one, &here), known(&other, &there));
    assert!(found.score >= CANDIDATE, "{found:?}");
    assert_eq!(found.reasons, ["SAME_TELEPHONE", "SAME_SOUND", "SAME_SEX", "SAME_VILLAGE"]);
    let province = compare(known(&one, &reached("1", "08020101")), known(&other, &reached("2", "0805")));
    assert_eq!(province.reasons, ["SAME_SOUND", "SAME_SEX", "SAME_PROVINCE"]);
}

#[test]
fn a_common_name_alone_accuses_nobody() {
    let found = likeness(&person("Kumru", "Dara", Some(1960)), &person("Kumru", "Dara", Some(2005)));
    assert!(found.score < CANDIDATE && found.reasons.contains(&"OTHER_AGE"), "{found:?}");
    let unnamed = Identity { latin: None, sex: Sex::Unknown, ..person("", "", None) };
    assert_eq!(likeness(&unnamed, &unnamed), Likeness { score: 0, reasons: vec![] });
    let women = Identity { sex: Sex::Female, ..person("Kumru", "Dara", Some(1990)) };
    assert!(likeness(&women, &person("Kumru", "Dara", Some(1990))).reasons.contains(&"OTHER_SEX"));
}
