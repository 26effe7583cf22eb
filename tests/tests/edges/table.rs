//! Every RPC of the six services: a sound request, who may send it, and what each of its fields may hold.

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
    /// Refused by the rules as things stand in the scene.
    Refused(Code, &'static str),
}

use About::{Everybody, Nothing, Office as Own, Published};
use Outcome::{Done, Read, Refused, Write};

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
    ("circumstances.handed_over_by", Text(100)),
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
    [cases(ids), shelter(ids), followup(ids), repatriation(ids), directory(ids), referral(ids), policy()]
        .into_iter()
        .flatten()
        .collect()
}

macro_rules! row {
    ($service:literal $name:literal, $roles:expr, $place:ident, $about:expr, $request:tt, $outcome:expr, [$($fields:expr),*]) => {
        Row {
            rpc: concat!("spean.", $service, "/", $name),
            roles: $roles,
            place: self::Place::$place,
            about: $about,
            request: json!($request),
            outcome: $outcome,
            fields: fields(&[$($fields),*]),
        }
    };
}

fn cases(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, fresh_case, erasable, consent, fresh_consent, .. } = ids;
    vec![
        row!("cases.v1.CasesService" "RegisterPerson", SENDING, Office, Nothing,
            { "case_id": fresh_case, "person": person("Dara"), "registered_on": "2026-01-02" },
            Write("case_id", json!(ids.unused)),
            [&[("case_id", Id), ("registered_on", PastDay)], PERSON]),
        row!("cases.v1.CasesService" "AmendPerson", SENDING, Office, Own("case_id"),
            { "case_id": case, "person": person("Sita") }, Write("person.home_place", json!("0803")),
            [&[("case_id", Id)], PERSON]),
        row!("cases.v1.CasesService" "GetCase", PEOPLE, Office, Own("case_id"),
            { "case_id": case, "purpose": "" }, Read,
            [&[("case_id", IdOrNumber), ("purpose", Text(200))]]),
        row!("cases.v1.CasesService" "ListCases", PEOPLE, Office, Nothing, {}, Read,
            [&[("page", Page), ("held_only", Free)]]),
        row!("cases.v1.CasesService" "SearchPeople", SENDING, Office, Nothing,
            { "person": person("Nobody"), "purpose": "a knock at the door" }, Done,
            [&[("purpose", RequiredText(200))], PERSON]),
        row!("cases.v1.CasesService" "RecordConsent", SENDING, Office, Own("case_id"),
            { "case_id": case, "consent": {
                "consent_id": fresh_consent, "basis": 3, "parts": [1], "office_ids": ["dsvy-kandal"], "purposes": [1],
                "given_on": "2026-01-02" } },
            Write("consent.given_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent", Message), ("consent.consent_id", Id), ("consent.basis", Word(&[])),
               ("consent.parts", Words(Some(100))), ("consent.office_ids", AtMost(100, Entry::Office)),
               ("consent.office_ids[0]", Code(Yes)), ("consent.purposes", Words(Some(100))),
               ("consent.given_on", PastDay), ("consent.withdrawn_on", NotForRequests)]]),
        row!("cases.v1.CasesService" "WithdrawConsent", PEOPLE, Office, Own("case_id"),
            { "case_id": other, "consent_id": consent, "withdrawn_on": "" },
            Write("withdrawn_on", json!("2026-01-03")),
            [&[("case_id", Id), ("consent_id", Id), ("withdrawn_on", PastDay)]]),
        row!("cases.v1.CasesService" "LinkCases", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "other_case_id": other }, Write("other_case_id", json!(erasable)),
            [&[("case_id", Id), ("other_case_id", Id)]]),
        row!("cases.v1.CasesService" "CompleteReturn", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "returned_on": "" }, Refused(Code::FailedPrecondition, "FOLLOW_UP_NOT_ACCEPTED"),
            [&[("case_id", Id), ("returned_on", PastDay)]]),
        row!("cases.v1.CasesService" "ErasePerson", &[Supervisor], Office, Own("case_id"),
            { "case_id": erasable, "ground": "REQUEST_OF_PERSON" }, Write("ground", json!("RETENTION_ENDED")),
            [&[("case_id", Id), ("ground", RequiredText(60))]]),
    ]
}

fn shelter(ids: &Ids) -> Vec<Row> {
    let Ids { case, stay, fresh_stay, .. } = ids;
    vec![
        row!("shelter.v1.ShelterService" "DeclareCapacity", SHELTER, Office, Nothing,
            { "places": [{ "sex": 1, "children": true, "capacity_persons": 9 }] },
            Write("places[0].capacity_persons", json!(10)),
            [&[("places", AtMost(20, Entry::Places)), ("places[0].sex", Word(&[])), ("places[0].children", Free),
               ("places[0].capacity_persons", Number(0, 10_000)), ("places[0].occupied_persons", Free)]]),
        row!("shelter.v1.ShelterService" "GetCapacity", COUNTING, OfficeOrNode, Nothing, {}, Read, []),
        row!("shelter.v1.ShelterService" "AdmitResident", SHELTER, Office, Own("case_id"),
            { "admission_id": fresh_stay, "case_id": case, "admitted_on": "2026-01-04" },
            Write("admitted_on", json!("2026-01-05")),
            [&[("admission_id", Id), ("case_id", Id), ("admitted_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "ExitResident", SHELTER, Office, Own("admission_id"),
            { "admission_id": stay, "kind": 3, "exited_on": "2026-01-06" }, Write("exited_on", json!("2026-01-07")),
            [&[("admission_id", Id), ("kind", Word(&[])), ("exited_on", PastDay)]]),
        row!("shelter.v1.ShelterService" "ListResidents", SHELTER, Office, Nothing, {}, Read,
            [&[("page", Page), ("include_exited", Free)]]),
    ]
}

fn policy() -> Vec<Row> {
    vec![row!("policy.v1.PolicyService" "GetPolicy", EVERYBODY, Node, Nothing, {}, Read, [&[("on", PastDay)]])]
}

fn followup(ids: &Ids) -> Vec<Row> {
    let Ids { case, other, visit, .. } = ids;
    vec![
        row!("followup.v1.FollowupService" "PlanFollowUp", CASEWORK, Office, Own("case_id"),
            { "case_id": case, "reintegrated_on": "2026-01-05" }, Write("reintegrated_on", json!("2026-01-06")),
            [&[("case_id", Id), ("reintegrated_on", PastDay)]]),
        row!("followup.v1.FollowupService" "RecordVisit", CASEWORK, Office, Own("case_id"),
            { "visit_id": visit, "case_id": other, "number": 1, "visited_on": "2026-02-05", "outcome": 1,
              "responsible_adult": "aunt", "findings": "Well, and at school." },
            Write("visited_on", json!("2026-02-06")),
            [&[("visit_id", Id), ("case_id", Id), ("number", Number(1, 12)), ("visited_on", PastDay),
               ("outcome", Word(&[])), ("responsible_adult", Text(60)), ("findings", Text(4_000))]]),
        row!("followup.v1.FollowupService" "ListVisits", CASEWORK, Office, Own("case_id"), { "case_id": other }, Read,
            [&[("case_id", Id)]]),
        row!("followup.v1.FollowupService" "ListDueVisits", CASEWORK, Office, Nothing, {}, Read,
            [&[("page", Page), ("within_days", Number(0, 366))]]),
    ]
}

fn repatriation(ids: &Ids) -> Vec<Row> {
    let Ids { arrival, fresh_arrival, manifest, fresh_manifest, .. } = ids;
    let circumstances = json!({ "route": 1, "from_country": "TH", "arrived_on": "2026-01-02" });
    vec![
        row!("repatriation.v1.RepatriationService" "RegisterArrival", INTAKE, Office, Nothing,
            { "arrival_id": fresh_arrival, "person": person("Bora"), "circumstances": circumstances },
            Write("arrival_id", json!(ids.unused)),
            [&[("arrival_id", Id)], PERSON, CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "ImportManifest", INTAKE, Office, Nothing,
            { "manifest_id": fresh_manifest, "csv": super::scene::MANIFEST, "circumstances": circumstances },
            Write("circumstances.arrived_on", json!("2026-01-03")),
            [&[("manifest_id", Id), ("csv", Csv), ("preview", Free)], CIRCUMSTANCES]),
        row!("repatriation.v1.RepatriationService" "GetManifest", INTAKE, Office, Own("manifest_id"),
            { "manifest_id": manifest }, Read, [&[("manifest_id", Id)]]),
        row!("repatriation.v1.RepatriationService" "ListArrivals", INTAKE, Office, Nothing, {}, Read,
            [&[("page", Page), ("present_only", Free)]]),
        row!("repatriation.v1.RepatriationService" "RecordNeeds", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "needs": [1, 2], "responsible_adult": "staff 7" }, Write("needs", json!([1, 3])),
            [&[("arrival_id", Id), ("needs", Words(Some(20))), ("urgent", Free), ("responsible_adult", Text(60))]]),
        row!("repatriation.v1.RepatriationService" "RecordStay", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "night_of": "2026-01-02" }, Write("night_of", json!("2026-01-03")),
            [&[("arrival_id", Id), ("night_of", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "RecordDeparture", INTAKE, Office, Own("arrival_id"),
            { "arrival_id": arrival, "kind": 2, "departed_on": "2026-01-04" }, Write("departed_on", json!("2026-01-05")),
            [&[("arrival_id", Id), ("kind", Word(&[])), ("departed_on", PastDay)]]),
        row!("repatriation.v1.RepatriationService" "ReconcileArrivals", INTAKE, Office, Nothing,
            { "from": "2026-01-01", "to": "2026-12-31" }, Read, [&[("from", AnyDay), ("to", AnyDay)]]),
    ]
}

fn directory(ids: &Ids) -> Vec<Row> {
    let Ids { offering, fresh_offering, .. } = ids;
    vec![
        row!("directory.v1.DirectoryService" "ImportDirectory", &[Administrator], Node, Nothing,
            { "signed_directory": ids.signed_directory }, Done, [&[("signed_directory", SignedDirectory)]]),
        row!("directory.v1.DirectoryService" "ListAgencies", EVERYBODY, Node, Nothing, {}, Read, []),
        row!("directory.v1.DirectoryService" "ListOffices", EVERYBODY, Node, Nothing, { "agency_id": "mosvy" }, Read,
            [&[("agency_id", Code(No))]]),
        row!("directory.v1.DirectoryService" "GetOffice", EVERYBODY, Node, Everybody("office_id", json!("no-such-office")),
            { "office_id": "dsvy-kandal" }, Read, [&[("office_id", Code(Yes))]]),
        row!("directory.v1.DirectoryService" "WhoServes", EVERYBODY, Node, Nothing, { "place": "0802" }, Read,
            [&[("place", Place(Yes))]]),
        row!("directory.v1.DirectoryService" "GetPlace", EVERYBODY, Node, Everybody("code", json!("99")),
            { "code": "0802" }, Read, [&[("code", Place(Yes))]]),
        row!("directory.v1.DirectoryService" "ListPlaces", EVERYBODY, Node, Everybody("within", json!("99")),
            { "within": "08" }, Read, [&[("within", Place(No)), ("page", Page)]]),
        row!("directory.v1.DirectoryService" "SearchPlaces", EVERYBODY, Node, Nothing,
            { "name": "Kien Svay", "within": "08" }, Read, [&[("name", RequiredText(100)), ("within", Place(No))]]),
        row!("directory.v1.DirectoryService" "PublishOffering", SHELTER, Office, Nothing,
            { "offering": { "offering_id": fresh_offering, "need": 1, "sexes": [1], "age_bands": [3],
                "languages": ["km"], "places": ["16"], "capacity_persons": 4, "valid_from": "2026-01-02" } },
            Write("offering.capacity_persons", json!(5)),
            [&[("offering", Message), ("offering.offering_id", Id), ("offering.office_id", Free),
               ("offering.need", Word(&[])), ("offering.sexes", Words(None)), ("offering.age_bands", Words(None)),
               ("offering.languages", AtMost(500, Entry::Language)), ("offering.languages[0]", Code(Yes)),
               ("offering.places", AtMost(500, Entry::Place)), ("offering.places[0]", Place(Yes)),
               ("offering.capacity_persons", Number(0, 1_000_000)), ("offering.valid_from", AnyDay),
               ("offering.withdrawn_on", NotForRequests)]]),
        row!("directory.v1.DirectoryService" "WithdrawOffering", SHELTER, Office, Published("offering_id"),
            { "offering_id": offering, "withdrawn_on": "" }, Write("withdrawn_on", json!("2199-01-03")),
            [&[("offering_id", Id), ("withdrawn_on", AnyDay)]]),
        row!("directory.v1.DirectoryService" "ListOfferings", EVERYBODY, Node, Nothing, { "need": 1, "place": "16" }, Read,
            [&[("need", OptionalWord), ("place", Place(No)), ("include_withdrawn", Free), ("page", Page)]]),
    ]
}

fn referral(ids: &Ids) -> Vec<Row> {
    let Ids { case, offered, asked, declinable, served, fresh_offer, .. } = ids;
    let letter = "6ecd8c99-47a6-4a3b-bd3f-0f5f0b1c2d3e";
    let proposal = "ab".repeat(32);
    vec![
        row!("referral.v1.ReferralService" "OfferReferral", SENDING, Office, Own("case_id"),
            { "offer_id": fresh_offer, "case_id": case, "to_office_id": "osvy-saang", "kind": 1, "need": 3, "urgency": 2,
              "note": "She likes to draw." },
            Write("offer_id", json!(ids.unused)),
            [&[("offer_id", Id), ("case_id", Id), ("to_office_id", Code(Yes)), ("kind", Word(&[])),
               ("need", Word(&[])), ("urgency", Word(&[])), ("answer_due_at", DueInstant), ("note", Text(4_000))]]),
        row!("referral.v1.ReferralService" "WithdrawOffer", SENDING, Office, Own("offer_id"),
            { "offer_id": offered, "reason": 2 }, Write("reason", json!(4)),
            [&[("offer_id", Id), ("reason", Word(&[1, 5, 6, 7, 8, 9]))]]),
        row!("referral.v1.ReferralService" "AcceptOffer", RECEIVING, Office, Own("offer_id"),
            { "offer_id": asked }, Write("offer_id", json!(served)), [&[("offer_id", Id)]]),
        row!("referral.v1.ReferralService" "DeclineOffer", RECEIVING, Office, Own("offer_id"),
            { "offer_id": declinable, "reason": 1 }, Write("reason", json!(2)),
            [&[("offer_id", Id), ("reason", Word(&[7]))]]),
        row!("referral.v1.ReferralService" "AcceptMany", RECEIVING, Office, Nothing,
            { "offer_ids": [asked], "mode": 1 }, Done,
            [&[("offer_ids", AtMost(200, Entry::Id)), ("offer_ids[0]", Id), ("mode", Word(&[]))]]),
        row!("referral.v1.ReferralService" "DeclineMany", RECEIVING, Office, Nothing,
            { "offers": [{ "offer_id": declinable, "reason": 1 }], "mode": 2 }, Done,
            [&[("offers", AtMost(200, Entry::Offer)), ("offers[0].offer_id", Id), ("offers[0].reason", Word(&[7])),
               ("mode", Word(&[]))]]),
        row!("referral.v1.ReferralService" "OfferMany", SENDING, Office, Nothing,
            { "offers": [{ "offer_id": ids.one_of_many, "case_id": case, "to_office_id": "osvy-saang", "kind": 1,
                "need": 4, "urgency": 2, "note": "She asks for a lawyer." }], "mode": 1 },
            Write("offers[0].offer_id", json!(ids.unused)),
            [&[("offers", AtMost(200, Entry::Offer)), ("offers[0].offer_id", Id), ("offers[0].case_id", Id),
               ("offers[0].to_office_id", Code(Yes)), ("offers[0].kind", Word(&[])), ("offers[0].need", Word(&[])),
               ("offers[0].urgency", Word(&[])), ("offers[0].answer_due_at", DueInstant),
               ("offers[0].note", Text(4_000)), ("mode", Word(&[]))]]),
        row!("referral.v1.ReferralService" "ListCasesToMoveDown", PEOPLE, Office, Nothing,
            { "office_id": "osvy-saang" }, Read, [&[("office_id", Code(No)), ("page", Page)]]),
        row!("referral.v1.ReferralService" "MoveDown", SENDING, Office, Nothing,
            { "office_id": "osvy-saang", "cases": [{ "offer_id": ids.unused, "case_id": case, "need": 3, "urgency": 3 }],
              "mode": 2 }, Read,
            [&[("office_id", Code(Yes)), ("mode", Word(&[]))], CASES_TO_OFFER]),
        row!("referral.v1.ReferralService" "ListCasesToHandOver", PEOPLE, Office, Nothing,
            { "office_id": "osvy-ban-lung" }, Read, [&[("office_id", Code(No)), ("page", Page)]]),
        row!("referral.v1.ReferralService" "HandOverCases", SENDING, Office, Nothing,
            { "office_id": "osvy-ban-lung", "cases": [{ "offer_id": ids.unused, "case_id": case, "need": 3, "urgency": 3 }],
              "mode": 1 }, Read,
            [&[("office_id", Code(Yes)), ("mode", Word(&[]))], CASES_TO_OFFER]),
        row!("referral.v1.ReferralService" "OpenDossier", RECEIVING, Office, Own("offer_id"),
            { "offer_id": served, "purpose": "to prepare the first talk" }, Done,
            [&[("offer_id", Id), ("purpose", RequiredText(200))]]),
        row!("referral.v1.ReferralService" "ConcludeService", RECEIVING, Office, Own("offer_id"),
            { "offer_id": served, "outcome": 1 }, Write("offer_id", json!(asked)),
            [&[("offer_id", Id), ("outcome", Word(&[]))]]),
        row!("referral.v1.ReferralService" "GetOffer", PEOPLE, Office, Own("offer_id"), { "offer_id": served }, Read,
            [&[("offer_id", Id)]]),
        row!("referral.v1.ReferralService" "ListWorklist", PEOPLE, Office, Nothing, {}, Read,
            [&[("worklist", OptionalWord), ("page", Page)]]),
        row!("referral.v1.ReferralService" "ListHeldCases", PEOPLE, Office, Nothing, {}, Read, [&[("page", Page)]]),
        row!("referral.v1.ReferralService" "GetCustody", CUSTODY, Office, Own("case_id"), { "case_id": case }, Read,
            [&[("case_id", Id)]]),
        row!("referral.v1.ReferralService" "ProposeOverride", &[Authority], Office, Nothing,
            { "case_id": case, "new_holder_office_id": "dsvy-kandal", "legal_basis": 3 },
            Refused(Code::PermissionDenied, "NOT_THE_AUTHORITY"),
            [&[("case_id", Id), ("new_holder_office_id", Code(Yes)), ("legal_basis", Word(&[]))]]),
        row!("referral.v1.ReferralService" "ConsentToOverride", &[Supervisor], Office, Nothing,
            { "case_id": case, "proposal": proposal }, Refused(Code::NotFound, "NO_SUCH_PROPOSAL"),
            [&[("case_id", Id), ("proposal", Digest)]]),
        row!("referral.v1.ReferralService" "CosignOverride", &[Authority], Office, Nothing,
            { "case_id": case, "proposal": proposal }, Refused(Code::NotFound, "NO_SUCH_PROPOSAL"),
            [&[("case_id", Id), ("proposal", Digest)]]),
        row!("referral.v1.ReferralService" "ListOverrideProposals", &[Supervisor, Authority], Office, Nothing, {}, Read, []),
        row!("referral.v1.ReferralService" "Reconcile", RECONCILING, Node, Nothing,
            { "office_id": "dsvy-ratanak-kiri" }, Read, [&[("office_id", Code(No))]]),
        row!("referral.v1.ReferralService" "ListDeadLetters", OPERATION, Node, Nothing, {}, Read, [&[("page", Page)]]),
        row!("referral.v1.ReferralService" "RetryDeadLetter", OPERATION, Node, Everybody("letter_id", json!(letter)),
            { "letter_id": letter }, Refused(Code::NotFound, "NOT_FOUND"), [&[("letter_id", RequiredText(64))]]),
        row!("referral.v1.ReferralService" "DiscardDeadLetter", OPERATION, Node, Everybody("letter_id", json!(letter)),
            { "letter_id": letter, "reason": "sent twice" }, Refused(Code::NotFound, "NOT_FOUND"),
            [&[("letter_id", RequiredText(64)), ("reason", RequiredText(200))]]),
        row!("referral.v1.ReferralService" "GetNodeStatus", EVERYBODY, Node, Nothing, {}, Done, []),
    ]
}
