//! Who may do what: the whole table as a golden file, and the promises that hold whatever the table says.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::fmt::Write as _;

use spean_identity::{Access, Caller, Denied, Resource, Role, Standing};

const GOLDEN: &str = include_str!("../golden/access.txt");
const ROLES: [Role; 7] = [
    Role::Caseworker,
    Role::Supervisor,
    Role::IntakeOfficer,
    Role::ShelterManager,
    Role::Administrator,
    Role::Authority,
    Role::Reporter,
];
const STANDINGS: [(Option<Standing>, char); 6] = [
    (None, '?'),
    (Some(Standing::Stranger), 's'),
    (Some(Standing::Offered), 'o'),
    (Some(Standing::Bound), 'b'),
    (Some(Standing::Holds), 'h'),
    (Some(Standing::HeldBefore), 'f'),
];

fn caller(role: Role) -> Caller {
    Caller {
        agency: "mosvy".parse().unwrap(),
        node: "kandal".parse().unwrap(),
        staff: "staff-17".parse().unwrap(),
        offices: vec!["kandal-province".parse().unwrap()],
        roles: vec![role],
    }
}

fn own(standing: Option<Standing>) -> Resource {
    Resource { office: Some("kandal-province".parse().unwrap()), standing }
}

#[test]
fn the_table_is_the_one_that_was_reviewed() {
    let access = Access::new();
    let mut table = String::from(
        "# Who may do what, at an office of their own. For each role the standings with which it is allowed:\n\
         # ? not known, s stranger, o offered, b bound, h holds, f held before; - never. A star: no office is needed.\n",
    );
    write!(table, "{:<28}", "").unwrap();
    for role in ROLES {
        write!(table, " {role:<15}").unwrap();
    }
    for action in access.actions() {
        write!(table, "\n{action:<28}").unwrap();
        for role in ROLES {
            let allowed = |resource: &Resource| access.decide(&caller(role), action, resource).is_ok();
            let mut cell: String =
                STANDINGS.iter().filter(|(standing, _)| allowed(&own(*standing))).map(|(_, letter)| letter).collect();
            if allowed(&Resource::default()) {
                cell.push('*');
            }
            write!(table, " {:<15}", if cell.is_empty() { "-" } else { &cell }).unwrap();
        }
    }
    let table = table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/access.txt"), &table).unwrap();
        return;
    }
    assert!(table == GOLDEN, "the table changed; if that is meant, golden/access.txt becomes:\n{table}");
}

#[test]
fn what_is_not_in_the_table_is_denied_to_everybody() {
    for role in ROLES {
        for (standing, _) in STANDINGS {
            assert_eq!(Access::new().decide(&caller(role), "DropEverything", &own(standing)), Err(Denied::NotYourWork));
        }
    }
}

#[test]
fn nobody_acts_for_an_office_where_they_do_not_work() {
    let access = Access::new();
    let foreign = Resource { office: Some("poipet-transit".parse().unwrap()), standing: Some(Standing::Holds) };
    let mut caller = caller(Role::Caseworker);
    caller.roles = ROLES.to_vec();
    for action in access.actions() {
        assert_eq!(access.decide(&caller, action, &foreign), Err(Denied::NotYourOffice), "{action}");
    }
}

#[test]
fn after_a_transfer_the_old_holder_can_see_and_change_nothing_more_of_the_case() {
    let access = Access::new();
    let mut caller = caller(Role::Caseworker);
    caller.roles = vec![Role::Caseworker, Role::Supervisor, Role::IntakeOfficer, Role::ShelterManager];
    for action in [
        "GetCase",
        "AmendPerson",
        "RecordConsent",
        "LinkCases",
        "OfferReferral",
        "OpenDossier",
        "ConcludeService",
        "PlanFollowUp",
        "RecordVisit",
        "RaiseDanger",
        "ListSupport",
    ] {
        let before = own(Some(Standing::HeldBefore));
        assert_eq!(access.decide(&caller, action, &before), Err(Denied::NotForYourOffice), "{action}");
    }
    // A shelter takes in again whoever stands at its door; the case stays where it is.
    assert_eq!(access.decide(&caller, "AdmitResident", &own(Some(Standing::HeldBefore))), Ok(()));
}

#[test]
fn an_office_that_was_only_asked_does_not_see_the_dossier() {
    let decide = |standing| Access::new().decide(&caller(Role::Caseworker), "OpenDossier", &own(standing));
    assert_eq!(decide(Some(Standing::Offered)), Err(Denied::NotForYourOffice));
    assert_eq!(decide(Some(Standing::Stranger)), Err(Denied::Stranger));
    assert_eq!(decide(None), Err(Denied::Stranger));
    assert_eq!(decide(Some(Standing::Bound)), Ok(()));
}

#[test]
fn administrators_and_reporters_never_see_a_case() {
    let access = Access::new();
    for role in [Role::Administrator, Role::Reporter] {
        for action in ["GetCase", "SearchPeople", "ListCases", "OpenDossier", "GetOffer", "ListResidents", "ListVisits"]
        {
            assert_eq!(access.decide(&caller(role), action, &own(Some(Standing::Holds))), Err(Denied::NotYourWork));
        }
    }
}

#[test]
fn without_a_role_nothing_is_allowed() {
    let access = Access::new();
    let mut caller = caller(Role::Reporter);
    caller.roles.clear();
    for action in access.actions() {
        assert_eq!(access.decide(&caller, action, &own(None)), Err(Denied::NotYourWork), "{action}");
    }
}
