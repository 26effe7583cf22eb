//! Every RPC of all services: a sound request, who may send it, and what each of its fields may hold.

/// A row.
macro_rules! row {
    ($service:literal $name:literal, $roles:expr, $place:ident, $about:expr, $request:tt, $outcome:expr, [$($fields:expr),*]) => {
        super::Row {
            rpc: concat!("spean.", $service, "/", $name),
            roles: $roles,
            place: super::Place::$place,
            about: $about,
            request: json!($request),
            outcome: $outcome,
            fields: super::fields(&[$($fields),*]),
        }
    };
}

mod cases;
mod directory;
mod followup;
mod insight;
mod needs;
mod policy;
mod referral;
mod repatriation;
mod reports;
mod shelter;

use serde_json::{Value, json};
use spean_identity::Role::{self, Administrator, Authority, Caseworker, IntakeOfficer, ShelterManager, Supervisor};
use tonic::Code;

use super::rules::Entry;
use super::rules::Needed::{No, Yes};
use super::rules::Rule::{self, *};
use super::scene::Ids;

/// One RPC.
pub(crate) struct Row {
    /// Its name, as `package.Service/Method`.
    pub(crate) rpc: &'static str,
    /// Who may send it; everybody else is refused.
    pub(crate) roles: &'static [Role],
    /// Whether the caller must act for one office, or asks about the node as a whole.
    pub(crate) place: Place,
    /// Whose thing it is about.
    pub(crate) about: About,
    /// A sound request of the office of the scene.
    pub(crate) request: Value,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// What each field may hold; every field of the request stands here.
    pub(crate) fields: Vec<(String, Rule)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Office,
    Node,
    /// The office for most, the node for reporters.
    OfficeOrNode,
}

/// Whose thing a request is about.
#[derive(Clone, Debug)]
pub(crate) enum About {
    /// Nobody's.
    Nothing,
    /// An office's: the field that names it. For other offices it does not exist.
    Office(&'static str),
    /// An office's, and known to all: the field that names it.
    Published(&'static str),
    /// The node's or the network's: the field that names it, and a name that nothing has.
    Everybody(&'static str, Value),
}

/// What came of a sound request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It reads.
    Read,
    /// It writes. The same again writes nothing; with this field changed, the same command id is refused.
    Write(&'static str, Value),
    /// Done, and known by its content alone: it leaves no event.
    Done,
    /// Done, and what it writes depends on what others have told meanwhile.
    Current,
    /// Refused by the rules as things stand in the scene.
    Refused(Code, &'static str),
}

use About::{Everybody, Nothing, Office as Own, Published};
use Outcome::{Current, Done, Read, Refused, Write};

const EVERYBODY: &[Role] =
    &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Administrator, Authority, Role::Reporter];
const CASEWORK: &[Role] = &[Caseworker, Supervisor];
const INTAKE: &[Role] = &[IntakeOfficer, Supervisor];
const SENDING: &[Role] = &[Caseworker, Supervisor, IntakeOfficer];
const RECEIVING: &[Role] = &[Caseworker, Supervisor, ShelterManager];
const PEOPLE: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager];
const SHELTER: &[Role] = &[ShelterManager, Supervisor];
const OPERATION: &[Role] = &[Administrator, Supervisor];
const CUSTODY: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Authority];
const RECONCILING: &[Role] = &[Administrator, Supervisor, Authority];
const COUNTING: &[Role] = &[Caseworker, Supervisor, IntakeOfficer, ShelterManager, Role::Reporter];

type Fields<'a> = &'a [(&'a str, Rule)];

const PERSON: Fields<'static> = &[
    ("person", Message),
    ("person.khmer_name.family", Text(100)),
    ("person.khmer_name.given", Text(100)),
    ("person.latin_name.family", Text(100)),
    ("person.latin_name.given", Text(100)),
    ("person.sex", Word(&[])),
    ("person.birth.on", BirthDay),
    ("person.birth.year", Number(1_900, 2_999)),
    ("person.nationality", ShortCode),
    ("person.languages", AtMost(10, Entry::Language)),
    ("person.languages[0]", ShortCode),
    ("person.documents", AtMost(10, Entry::Document)),
    ("person.documents[0].kind", RequiredText(60)),
    ("person.documents[0].number", RequiredText(60)),
    ("person.home_place", Place(No)),
    ("person.address", Text(500)),
    ("person.telephone", Text(40)),
    ("person.safe_contact", Text(500)),
    ("person.narrative", Text(4_000)),
];

const CIRCUMSTANCES: Fields<'static> = &[
    ("circumstances", Message),
    ("circumstances.route", Word(&[])),
    ("circumstances.from_country", ShortCode),
    ("circumstances.handed_over_by", NotForRequests),
    ("circumstances.authority.kind", Word(&[])),
    ("circumstances.authority.post_number", Text(12)),
    ("circumstances.arrived_on", PastDay),
];

const CASES_TO_OFFER: Fields<'static> = &[
    ("cases", AtMost(200, Entry::Offer)),
    ("cases[0].offer_id", Id),
    ("cases[0].case_id", Id),
    ("cases[0].need", Word(&[])),
    ("cases[0].urgency", Word(&[])),
];

fn fields(lists: &[Fields<'_>]) -> Vec<(String, Rule)> {
    lists.iter().flat_map(|list| list.iter().map(|(field, rule)| ((*field).to_owned(), *rule))).collect()
}

fn person(given: &str) -> Value {
    json!({
        "khmer_name": { "family": "គំរូ", "given": "តារា" },
        "latin_name": { "family": "Kumru", "given": given },
        "sex": 1,
        "birth": { "year": 2010 },
        "nationality": "KH",
        "languages": ["km"],
        "documents": [{ "kind": "passport", "number": given }],
        "home_place": "0802",
        "narrative": "Told once.",
    })
}

/// The table. Played from top to bottom, each sound request comes out as its row says.
pub(crate) fn rows(ids: &Ids) -> Vec<Row> {
    [
        cases::rows(ids),
        shelter::rows(ids),
        followup::rows(ids),
        repatriation::rows(ids),
        directory::rows(ids),
        referral::rows(ids),
        needs::rows(ids),
        reports::rows(ids),
        policy::rows(),
        insight::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
