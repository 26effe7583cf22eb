//! Which staff tokens are accepted, and which are not.
#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

mod support;

use spean_identity::token::{LONGEST_LIFE_HOURS, USUAL_LIFE_HOURS, issue, verify};
use spean_identity::{Caller, Claims, Role, TokenError};
use spean_vocabulary::{CommandId, NodeId, Timestamp};
use support::Network;

fn now() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(now().as_micros() + seconds * 1_000_000)
}

fn kandal() -> NodeId {
    "kandal".parse().unwrap()
}

fn claims() -> Claims {
    Claims {
        agency: "mosvy".parse().unwrap(),
        node: kandal(),
        staff: "staff-17".parse().unwrap(),
        offices: vec!["kandal-province".parse().unwrap()],
        roles: vec![Role::Caseworker],
        issued_at: now(),
        expires_at: now().plus_hours(USUAL_LIFE_HOURS),
        id: CommandId::from_uuid(uuid::Uuid::from_u128(1)),
    }
}

fn checked(network: &Network, claims: &Claims, at: Timestamp) -> Result<Caller, TokenError> {
    verify(&issue(&network.kandal, claims).unwrap(), &kandal(), &network.directory, at)
}

#[test]
fn a_token_says_who_is_calling() {
    let caller = checked(&Network::new(), &claims(), now()).unwrap();
    let Claims { agency, node, staff, offices, roles, .. } = claims();
    assert_eq!(caller, Caller { agency, node, staff, offices, roles });
}

#[test]
fn an_expired_token_is_refused_even_ten_seconds_after() {
    let network = Network::new();
    let mut claims = claims();
    claims.expires_at = later(60);
    assert!(checked(&network, &claims, later(65)).is_ok());
    assert_eq!(checked(&network, &claims, later(66)).unwrap_err(), TokenError::Expired);
    assert_eq!(checked(&network, &claims, later(70)).unwrap_err(), TokenError::Expired);
}

#[test]
fn a_token_from_the_future_is_refused() {
    let network = Network::new();
    assert!(checked(&network, &claims(), later(-5)).is_ok());
    assert_eq!(checked(&network, &claims(), later(-6)).unwrap_err(), TokenError::NotYet);
}

#[test]
fn no_token_holds_for_more_than_three_days() {
    let network = Network::new();
    let mut claims = claims();
    claims.expires_at = now().plus_hours(LONGEST_LIFE_HOURS);
    assert!(issue(&network.kandal, &claims).is_ok());
    claims.expires_at = later(LONGEST_LIFE_HOURS * 3600 + 1);
    assert_eq!(issue(&network.kandal, &claims).unwrap_err(), TokenError::TooLong);
    claims.expires_at = later(-1);
    assert_eq!(issue(&network.kandal, &claims).unwrap_err(), TokenError::TooLong);
}

#[test]
fn a_token_signed_by_another_node_is_refused() {
    let network = Network::new();
    let forged = issue(&network.poipet, &claims()).unwrap();
    assert_eq!(verify(&forged, &kandal(), &network.directory, now()).unwrap_err(), TokenError::BadSignature);

    let mut theirs = claims();
    theirs.node = "poipet".parse().unwrap();
    let theirs = issue(&network.poipet, &theirs).unwrap();
    assert_eq!(verify(&theirs, &kandal(), &network.directory, now()).unwrap_err(), TokenError::OtherNode);
    let nowhere = "nowhere".parse().unwrap();
    assert_eq!(verify(&theirs, &nowhere, &network.directory, now()).unwrap_err(), TokenError::OtherNode);
}

#[test]
fn offices_and_agency_must_be_the_nodes_own() {
    let network = Network::new();
    for office in ["poipet-transit", "nowhere"] {
        let mut claims = claims();
        claims.offices.push(office.parse().unwrap());
        assert_eq!(checked(&network, &claims, now()).unwrap_err(), TokenError::OtherOffice, "{office}");
    }
    let mut claims = claims();
    claims.agency = "imm".parse().unwrap();
    assert_eq!(checked(&network, &claims, now()).unwrap_err(), TokenError::OtherOffice);
}

#[test]
fn a_changed_or_cut_token_is_refused() {
    let network = Network::new();
    let token = issue(&network.kandal, &claims()).unwrap();
    for length in 0..token.len() {
        assert!(verify(&token[..length], &kandal(), &network.directory, now()).is_err(), "{length} characters");
    }
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(&changed, &kandal(), &network.directory, now()).is_err(), "character {position}");
    }
    assert!(verify(&format!("{token}.Zm9vdGVy"), &kandal(), &network.directory, now()).is_err(), "a footer was added");
    assert_eq!(verify("", &kandal(), &network.directory, now()).unwrap_err(), TokenError::Malformed);
}
