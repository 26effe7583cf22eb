//! What no caller may do, for every RPC of the six services: each way to be wrong has its answer, and nothing of it is
//! stored. An RPC or a field that the table does not know fails the first test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

mod books;
mod call;
mod drawn;
mod rules;
mod scene;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use call::{Headers, encode, every_rpc, send};
use prost_reflect::{Kind, MessageDescriptor};
use rules::Fault;
use scene::{Bearer, Ids, NEIGHBOUR, NODE, Scene};
use serde_json::{Value, json};
use spean::demonstration::agencies::RATANAK_KIRI;
use spean::demonstration::staff::new_id;
use spean_identity::Role;
use table::{About, Outcome, Place, Row, rows};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const EVERY_ROLE: [Role; 7] = [
    Role::Caseworker,
    Role::Supervisor,
    Role::IntakeOfficer,
    Role::ShelterManager,
    Role::Administrator,
    Role::Authority,
    Role::Reporter,
];

/// Seals the dossier before the offer is decided, since the offer names its digest: the vault may keep one that no offer
/// names, and has on record that it was read.
const SEALS_FIRST: &str = "spean.referral.v1.ReferralService/OfferReferral";

impl Bearer<'_> {
    /// Somebody at the office of the scene who may do everything.
    const fn ours() -> Bearer<'static> {
        Bearer {
            node: NODE,
            signed_by: NODE,
            agency: "dsvy-ratanak-kiri",
            offices: &[RATANAK_KIRI],
            roles: &EVERY_ROLE,
            from: 0,
            until: 12,
        }
    }
}

#[test]
fn every_rpc_and_every_field_has_its_row() {
    let ids = Ids::mint();
    let rows = rows(&ids);
    let listed: BTreeSet<_> = rows.iter().map(|row| row.rpc.to_owned()).collect();
    let offered: BTreeSet<_> = every_rpc().iter().map(|(rpc, _)| rpc.clone()).collect();
    assert_eq!(listed, offered);
    assert_eq!(rows.len(), offered.len(), "a row stands twice");
    for (rpc, method) in every_rpc() {
        let row = rows.iter().find(|row| row.rpc == *rpc).unwrap();
        let mut leaves = BTreeSet::new();
        collect_fields(&method.input(), "", &mut leaves);
        for leaf in leaves {
            let covered = row.fields.iter().any(|(field, _)| *field == leaf || *field == format!("{leaf}[0]"));
            assert!(covered, "{rpc}: no rule for the field {leaf}");
        }
        encode(rpc, &row.request).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_request_is_refused_by_name_and_leaves_nothing() {
    let stage = spean_tests::network().await;
    let scene = Scene::set(stage).await;
    let ours = Headers::token(&scene.token(&Bearer::ours()));
    let before = scene.books.stored().await;
    let mut cases = 0;
    for row in rows(&scene.ids) {
        for (field, rule) in &row.fields {
            for fault in rule.faults(field) {
                refuse_field(&scene, &row, &fault, &ours).await;
                cases += 1;
            }
        }
        cases += refuse_headers(&scene, &row, &ours).await;
        cases += refuse_unreadable(&scene, &row, &ours).await;
        assert_eq!(scene.books.stored().await, before, "{} stored something of a faulty request", row.rpc);
    }
    cases += refuse_oversized(&scene, &ours).await;
    assert_eq!(scene.books.stored().await, before);
    println!("{cases} faulty requests refused");
}

/// Requests that no rule was thought of for: sound ones with anything changed, and such as only the descriptors allow.
/// `SPEAN_DRAWN_REQUESTS` says how many.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_drawn_is_answered_by_name_and_what_is_refused_leaves_nothing() {
    let wanted = std::env::var("SPEAN_DRAWN_REQUESTS").ok().and_then(|wanted| wanted.parse().ok()).unwrap_or(1_500);
    let stage = spean_tests::network().await;
    let scene = Scene::set(stage).await;
    let token = Headers::token(&scene.token(&Bearer::ours()));
    let process = scene.stage.process_id(NODE).unwrap();
    let before = drawn::memory_of(process);
    let told = drawn::send_many(&scene, &token, wanted).await;
    println!("{wanted} requests: {:?}", told.answers);
    assert!(told.broken.is_empty(), "{} were not answered by name, such as {:?}", told.broken.len(), told.broken[0]);
    let kept = scene.books.commands().await;
    let kept: Vec<_> = told.refused.iter().filter(|command| kept.contains(*command)).collect();
    assert!(kept.is_empty(), "{} refused commands stand in a log, such as {:?}", kept.len(), kept[0]);
    let after = drawn::memory_of(process);
    println!("the node took {before} KiB before and {after} KiB after");
    assert!(after < before + 256 * 1024, "the node grew from {before} to {after} KiB");
    let sound = rows(&scene.ids).into_iter().find(|row| row.rpc.ends_with("/GetNodeStatus")).unwrap();
    let request = encode(sound.rpc, &sound.request).unwrap();
    send(&scene.channel, sound.rpc, &token, request).await.expect("the node still answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_does_what_is_not_theirs() {
    let stage = spean_tests::network().await;
    let scene = Scene::set(stage).await;
    let before = scene.books.stored().await;
    let mut cases = 0;
    for row in rows(&scene.ids) {
        cases += refuse_callers(&scene, &row).await;
        cases += refuse_roles(&scene, &row).await;
        cases += refuse_offices(&scene, &row).await;
        cases += hide(&scene, &row).await;
        assert_eq!(scene.books.stored().await, before, "{} stored something for a stranger", row.rpc);
    }
    println!("{cases} strangers refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_sent_again_is_done_once() {
    let stage = spean_tests::network().await;
    let scene = Scene::set(stage).await;
    let token = Headers::token(&scene.token(&Bearer::ours()));
    for row in rows(&scene.ids) {
        let command = new_id();
        let ours = token.and("spean-command-id", &command);
        let request = encode(row.rpc, &row.request).unwrap();
        let before = scene.books.stored().await;
        let events = scene.books.events().await;
        let first = send(&scene.channel, row.rpc, &ours, request.clone()).await;
        match &row.outcome {
            Outcome::Refused(code, expected) => {
                let refused = first.expect_err(row.rpc);
                assert_eq!((refused.code(), reason(&refused)), (*code, (*expected).to_owned()), "{}", row.rpc);
                assert_eq!(scene.books.stored().await, before, "{}", row.rpc);
            }
            Outcome::Read => {
                let first = first.unwrap_or_else(|status| panic!("{}: {status:?}", row.rpc));
                assert_eq!(send(&scene.channel, row.rpc, &ours, request).await.unwrap(), first, "{}", row.rpc);
                assert_eq!(scene.books.stored().await, before, "{} reads, and wrote", row.rpc);
            }
            Outcome::Current => {
                first.unwrap_or_else(|status| panic!("{}: {status:?}", row.rpc));
                send(&scene.channel, row.rpc, &ours, request).await.unwrap();
            }
            Outcome::Done => {
                first.unwrap_or_else(|status| panic!("{}: {status:?}", row.rpc));
                send(&scene.channel, row.rpc, &ours, request).await.unwrap();
                assert_eq!(scene.books.events().await, events, "{}", row.rpc);
            }
            Outcome::Write(field, other) => {
                let first = first.unwrap_or_else(|status| panic!("{}: {status:?}", row.rpc));
                scene.rest().await;
                assert_ne!(scene.books.stored().await, before, "{} wrote nothing", row.rpc);
                let events = scene.books.events().await;
                let again = send(&scene.channel, row.rpc, &ours, request.clone()).await;
                assert_eq!(
                    again.unwrap_or_else(|status| panic!("{} again: {status:?}", row.rpc)),
                    first,
                    "{}",
                    row.rpc
                );
                let fresh = token.and("spean-command-id", &new_id());
                let afresh = send(&scene.channel, row.rpc, &fresh, request).await;
                assert_eq!(
                    afresh.unwrap_or_else(|status| panic!("{} afresh: {status:?}", row.rpc)),
                    first,
                    "{}",
                    row.rpc
                );
                scene.rest().await;
                assert_eq!(scene.books.events().await, events, "{} was done twice", row.rpc);
                let kept = scene.books.stored().await;
                let other = encode(row.rpc, &changed(&row.request, field, Some(other))).unwrap();
                let reused = send(&scene.channel, row.rpc, &ours, other).await.expect_err(row.rpc);
                let said = (reused.code(), reason(&reused));
                assert_eq!(said, (Code::AlreadyExists, "COMMAND_ID_REUSED".to_owned()), "{}: {reused:?}", row.rpc);
                if row.rpc == SEALS_FIRST {
                    assert_eq!(scene.books.events().await, events, "{} stored what it refused", row.rpc);
                } else {
                    assert_eq!(scene.books.stored().await, kept, "{} stored what it refused", row.rpc);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_not_brought_back_by_a_registration_that_is_sent_again() {
    let stage = spean_tests::network().await;
    let scene = Scene::set(stage).await;
    let ours = Headers::token(&scene.token(&Bearer::ours()));
    let ask = async |rpc: &str, request: Value| {
        let request = encode(rpc, &request).unwrap();
        send(&scene.channel, rpc, &ours, request).await.unwrap_or_else(|status| panic!("{rpc}: {status:?}"));
    };
    let rows = rows(&scene.ids);
    for (rpc, id) in [
        ("spean.cases.v1.CasesService/RegisterPerson", "case_id"),
        ("spean.repatriation.v1.RepatriationService/RegisterArrival", "arrival_id"),
    ] {
        let registration = &rows.iter().find(|row| row.rpc == rpc).unwrap().request;
        ask(rpc, registration.clone()).await;
        scene.rest().await;
        let erasure = json!({ "case_id": registration[id], "ground": "REQUEST_OF_PERSON" });
        ask("spean.cases.v1.CasesService/ErasePerson", erasure).await;
        scene.rest().await;
        let person = registration[id].as_str().unwrap();
        assert_eq!(scene.books.parts_of(person).await, 0, "{rpc}");
        ask(rpc, registration.clone()).await;
        scene.rest().await;
        assert_eq!(scene.books.parts_of(person).await, 0, "{rpc} brought back what was erased");
    }
}

async fn refuse_field(scene: &Scene, row: &Row, fault: &Fault, ours: &Headers) {
    let request = changed(&row.request, &fault.field, fault.value.as_ref());
    let case = format!("{} with {} = {}", row.rpc, fault.field, shortened(fault.value.as_ref()));
    let answer = send(&scene.channel, row.rpc, ours, encode(row.rpc, &request).unwrap()).await;
    let Err(refused) = answer else { panic!("{case} was taken") };
    assert_eq!(refused.code(), Code::InvalidArgument, "{case}: {refused:?}");
    assert!(!reason(&refused).is_empty(), "{case} has no reason");
    let named: Vec<_> = refused.get_details_bad_request().into_iter().flat_map(|bad| bad.field_violations).collect();
    let named: Vec<_> = named.into_iter().map(|violation| violation.field).collect();
    assert_eq!(named, [fault.named.as_str()], "{case}: {refused:?}");
    assert!(!format!("{refused:?}").contains(rules::MARK), "{case} is repeated in the refusal: {refused:?}");
}

async fn refuse_headers(scene: &Scene, row: &Row, ours: &Headers) -> usize {
    let request = encode(row.rpc, &row.request).unwrap();
    let nil = "00000000-0000-0000-0000-000000000000";
    let wrong = [
        ("spean-command-id", rules::MARK),
        ("spean-command-id", nil),
        ("spean-command-id", ""),
        ("spean-office", "No Office"),
    ];
    for (header, value) in wrong {
        let refused = send(&scene.channel, row.rpc, &ours.and(header, value), request.clone()).await;
        let refused = refused.expect_err(row.rpc);
        assert_eq!(refused.code(), Code::InvalidArgument, "{} with {header}: {value}: {refused:?}", row.rpc);
        let named = refused.get_details_bad_request().unwrap().field_violations.remove(0).field;
        assert_eq!(named, format!("metadata: {header}"), "{}", row.rpc);
        assert!(!refused.message().contains(rules::MARK));
    }
    wrong.len()
}

/// Bytes that are no such message.
async fn refuse_unreadable(scene: &Scene, row: &Row, ours: &Headers) -> usize {
    // A field of bytes that ends before it is as long as it says.
    let refused = send(&scene.channel, row.rpc, ours, vec![0x0a, 0x7f, 0x5a]).await.expect_err(row.rpc);
    assert!(matches!(refused.code(), Code::Internal | Code::InvalidArgument), "{}: {refused:?}", row.rpc);
    1
}

/// More than a request may hold is not even read; and what there is not cannot be asked for.
async fn refuse_oversized(scene: &Scene, ours: &Headers) -> usize {
    let services: BTreeMap<_, _> =
        every_rpc().iter().map(|(rpc, method)| (method.parent_service().full_name().to_owned(), rpc)).collect();
    for (service, rpc) in &services {
        let refused = send(&scene.channel, rpc, ours, vec![0x0a; 7 * 1024 * 1024]).await.expect_err(rpc);
        assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{rpc}: {refused:?}");
        let unknown = format!("{service}/ForgetEverything");
        let refused = send(&scene.channel, &unknown, ours, vec![]).await.expect_err(&unknown);
        assert_eq!(refused.code(), Code::Unimplemented, "{unknown}");
    }
    2 * services.len()
}

/// No token, and tokens that are none.
async fn refuse_callers(scene: &Scene, row: &Row) -> usize {
    let ours = Bearer::ours;
    let good = scene.token(&ours());
    let mut forged = good.clone();
    forged.replace_range(20..21, if good.as_bytes()[20] == b'A' { "B" } else { "A" });
    let theirs = Bearer { signed_by: "kandal", ..ours() };
    let elsewhere =
        Bearer { node: "kandal", signed_by: "kandal", agency: "dsvy-kandal", offices: &["dsvy-kandal"], ..ours() };
    let callers = [
        (Headers::none(), "NO_TOKEN"),
        (Headers::none().and("authorization", "Basic c3RhZmY6c2VjcmV0"), "NO_TOKEN"),
        (Headers::none().and("authorization", &good), "NO_TOKEN"),
        (Headers::token(""), "TOKEN_NOT_VALID"),
        (Headers::token(rules::MARK), "TOKEN_NOT_VALID"),
        (Headers::token(&forged), "TOKEN_NOT_VALID"),
        (Headers::token(&scene.token(&Bearer { from: -13, until: -1, ..ours() })), "TOKEN_EXPIRED"),
        (Headers::token(&scene.token(&Bearer { from: 1, until: 2, ..ours() })), "TOKEN_NOT_YET_VALID"),
        (Headers::token(&scene.token(&theirs)), "TOKEN_NOT_VALID"),
        (Headers::token(&scene.token(&elsewhere)), "TOKEN_NOT_VALID"),
        (Headers::token(&scene.token(&Bearer { agency: "mosvy", ..ours() })), "TOKEN_NOT_VALID"),
        (Headers::token(&scene.token(&Bearer { offices: &["dsvy-kandal"], ..ours() })), "TOKEN_NOT_VALID"),
    ];
    let request = encode(row.rpc, &row.request).unwrap();
    for (headers, expected) in &callers {
        let refused = send(&scene.channel, row.rpc, headers, request.clone()).await.expect_err(row.rpc);
        let said = (refused.code(), reason(&refused));
        assert_eq!(said, (Code::Unauthenticated, (*expected).to_owned()), "{}: {refused:?}", row.rpc);
        assert!(!refused.message().contains(rules::MARK));
    }
    callers.len()
}

/// Every role that the table does not name, and no role at all.
async fn refuse_roles(scene: &Scene, row: &Row) -> usize {
    let request = encode(row.rpc, &row.request).unwrap();
    let strangers = EVERY_ROLE.iter().filter(|role| !row.roles.contains(role)).map(std::slice::from_ref);
    let mut cases = 0;
    for roles in strangers.chain([[].as_slice()]) {
        let headers = Headers::token(&scene.token(&Bearer { roles, ..Bearer::ours() }));
        let refused = send(&scene.channel, row.rpc, &headers, request.clone()).await;
        let refused = refused.expect_err(&format!("{} as {roles:?}", row.rpc));
        let said = (refused.code(), reason(&refused));
        assert_eq!(said, (Code::PermissionDenied, "NOT_PERMITTED".to_owned()), "{} as {roles:?}", row.rpc);
        cases += 1;
    }
    cases
}

/// Acting for an office that is not the caller's, or for nobody knows which.
async fn refuse_offices(scene: &Scene, row: &Row) -> usize {
    let request = encode(row.rpc, &row.request).unwrap();
    let ours = Headers::token(&scene.token(&Bearer::ours()));
    for office in ["dsvy-kandal", NEIGHBOUR, "no-such-office"] {
        let refused = send(&scene.channel, row.rpc, &ours.and("spean-office", office), request.clone()).await;
        assert_eq!(refused.expect_err(row.rpc).code(), Code::PermissionDenied, "{} for {office}", row.rpc);
    }
    if row.place != Place::Office {
        return 3;
    }
    let offices = [RATANAK_KIRI, NEIGHBOUR];
    let both = Headers::token(&scene.token(&Bearer { offices: &offices, ..Bearer::ours() }));
    let refused = send(&scene.channel, row.rpc, &both, request).await.expect_err(row.rpc);
    let named = refused.get_details_bad_request().map(|mut bad| bad.field_violations.remove(0).field);
    assert_eq!(refused.code(), Code::InvalidArgument, "{}", row.rpc);
    assert_eq!(named.as_deref(), Some("metadata: spean-office"), "{}", row.rpc);
    4
}

/// What is not there and what is another office's are answered alike, to the last byte.
async fn hide(scene: &Scene, row: &Row) -> usize {
    let ours = Headers::token(&scene.token(&Bearer::ours()));
    let (field, nothing) = match &row.about {
        About::Nothing => return 0,
        About::Everybody(field, nothing) => (*field, nothing.clone()),
        About::Office(field) | About::Published(field) => (*field, json!(new_id())),
    };
    let request = encode(row.rpc, &changed(&row.request, field, Some(&nothing))).unwrap();
    let unknown = send(&scene.channel, row.rpc, &ours, request).await.expect_err(row.rpc);
    assert_eq!(unknown.code(), Code::NotFound, "{}: {unknown:?}", row.rpc);
    assert!(!reason(&unknown).is_empty(), "{}", row.rpc);
    let said = nothing.as_str().unwrap();
    assert!(!unknown.message().contains(said), "{} repeats what was asked for", row.rpc);
    if matches!(row.about, About::Everybody(..)) {
        return 1;
    }
    let neighbour = Bearer { offices: &[NEIGHBOUR], ..Bearer::ours() };
    let neighbour = Headers::token(&scene.token(&neighbour));
    let request = encode(row.rpc, &row.request).unwrap();
    let hidden = send(&scene.channel, row.rpc, &neighbour, request).await;
    let hidden = hidden.expect_err(&format!("{} by a neighbour", row.rpc));
    if matches!(row.about, About::Published(_)) {
        assert_eq!(hidden.code(), Code::PermissionDenied, "{}: {hidden:?}", row.rpc);
        return 2;
    }
    assert_eq!(telling(&hidden), telling(&unknown), "{} tells a neighbour that there is something", row.rpc);
    2
}

/// All that a refusal tells.
fn telling(status: &Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

fn shortened(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect())
}

/// The request with one field changed; none leaves it out.
fn changed(request: &Value, field: &str, value: Option<&Value>) -> Value {
    let mut changed = request.clone();
    let pointer = field.replace("[0]", ".0");
    let mut steps: Vec<_> = pointer.split('.').collect();
    let last = steps.pop().expect("a path has a last step");
    let mut place = &mut changed;
    for step in steps {
        place = match place {
            Value::Array(entries) => &mut entries[step.parse::<usize>().unwrap()],
            Value::Object(fields) => {
                // Of what is known of a birth, one thing alone can be said.
                if step == "birth" {
                    fields.insert(step.to_owned(), json!({}));
                }
                fields.entry(step).or_insert_with(|| json!({}))
            }
            other => panic!("there is no {step} in {other}"),
        };
    }
    match (place, value) {
        (Value::Array(entries), value) => {
            entries[last.parse::<usize>().unwrap()] = value.cloned().unwrap_or_else(|| json!(""));
        }
        (Value::Object(fields), Some(value)) => {
            fields.insert(last.to_owned(), value.clone());
        }
        (Value::Object(fields), None) => {
            fields.remove(last);
        }
        (other, _) => panic!("there is no {last} in {other}"),
    }
    changed
}

/// The paths of all fields that hold a value.
fn collect_fields(message: &MessageDescriptor, prefix: &str, into: &mut BTreeSet<String>) {
    for field in message.fields() {
        let path = format!(
            "{prefix}{}{}",
            field.name(),
            if is_message(&field.kind()) && field.is_list() { "[0]" } else { "" }
        );
        match field.kind() {
            Kind::Message(inner) if is_nested(&inner) => collect_fields(&inner, &format!("{path}."), into),
            _ => {
                into.insert(path);
            }
        }
    }
}

fn is_message(kind: &Kind) -> bool {
    matches!(kind, Kind::Message(_))
}

/// Whether a message's fields have rules of their own.
fn is_nested(message: &MessageDescriptor) -> bool {
    !["google.protobuf.Timestamp", "spean.vocabulary.v1.PageRequest"].contains(&message.full_name())
}
