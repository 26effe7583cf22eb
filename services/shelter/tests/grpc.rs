//! The shelter over gRPC: a real node with its own database, whose broker is away, as it often is.

#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::time::Duration;

use spean_chassis::{BrokerSettings, Clock, Configuration, Running, mint, standing};
use spean_contracts::policy::v1::GetPolicyRequest;
use spean_contracts::policy::v1::policy_service_client::PolicyServiceClient;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_contracts::shelter::v1 as wire;
use spean_contracts::shelter::v1::shelter_service_client::ShelterServiceClient;
use spean_contracts::vocabulary::v1::{AgeBand, ConsentBasis, Sex};
use spean_eventstore::{EventStore, Options};
use spean_identity::{
    Agency, Claims, Directory, Node, NodeKeys, Office, OfficeLevel, Role, RootKey, SignedDirectory, token,
};
use spean_testkit::{TempDir, a_folder, eventually_some, free_port};
use spean_vocabulary::Service;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

const CASE: &str = "00000000-0000-4000-8000-000000000001";
const ANOTHER_CASE: &str = "00000000-0000-4000-8000-000000000002";
const OFFICE: &str = "poipet-shelter";

struct Network {
    _folder: TempDir,
    keys: NodeKeys,
    channel: Channel,
}

impl Network {
    /// With the node running, after its desk has told that the office holds the case of a girl.
    async fn start() -> Self {
        let folder = a_folder();
        let root = RootKey::create(&folder.path().join("root")).unwrap();
        let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
        let signed = SignedDirectory::sign(&a_directory(&keys), &root).unwrap().to_json();
        std::fs::write(folder.path().join("directory.json"), signed).unwrap();
        let configuration = Configuration {
            node: "poipet".parse().unwrap(),
            services: vec![Service::Shelter],
            listen: ([127, 0, 0, 1], 0).into(),
            tls: None,
            data: folder.path().join("data"),
            keys: folder.path().join("keys"),
            directory: folder.path().join("directory.json"),
            root: root.public(),
            database: None,
            broker: BrokerSettings {
                url: format!("nats://127.0.0.1:{}", free_port()),
                domain: None,
                authority: None,
                monitor: None,
                mailbox_bytes: 1 << 20,
            },
            telemetry: None,
            policy: None,
            limits: spean_chassis::Limits::default(),
            clock_offset_file: None,
        };
        std::fs::create_dir_all(&configuration.data).unwrap();
        hold_a_case(&configuration.database_of("shelter")).await;
        let address_file = configuration.data.join("address");
        // It runs until the test program ends.
        std::thread::spawn(move || {
            let start =
                async |node: &spean_chassis::Node, running: &mut Running| spean_shelter::start(node, running).await;
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(spean_chassis::run(configuration, start)).expect("the node runs");
        });
        let address = eventually_some(Duration::from_secs(30), "the node listens", async || {
            std::fs::read_to_string(&address_file).ok().filter(|address| !address.is_empty())
        });
        let channel = Channel::from_shared(format!("http://{}", address.await)).unwrap().connect_lazy();
        Self { _folder: folder, keys, channel }
    }

    fn asked<T>(&self, message: T) -> Request<T> {
        let now = Clock::system().now();
        let claims = Claims {
            agency: "friends".parse().unwrap(),
            node: "poipet".parse().unwrap(),
            staff: "staff-7".parse().unwrap(),
            offices: vec![OFFICE.parse().unwrap()],
            roles: vec![Role::Supervisor],
            issued_at: now,
            expires_at: now.plus_hours(1),
            id: mint(),
        };
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", token::issue(&self.keys, &claims).unwrap());
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        request
    }
}

fn a_directory(keys: &NodeKeys) -> Directory {
    let agency = |id: &str| Agency { id: id.parse().unwrap(), name_en: id.to_owned(), name_km: id.to_owned() };
    let node = |id: &str, agency: &str, tag: &str| Node {
        id: id.parse().unwrap(),
        agency: agency.parse().unwrap(),
        tag: tag.parse().unwrap(),
        keys: keys.public(),
    };
    let office = |id: &str, node: &str, level, above: Option<&str>| Office {
        id: id.parse().unwrap(),
        node: node.parse().unwrap(),
        name_en: id.to_owned(),
        name_km: id.to_owned(),
        level,
        place: "0110".parse().unwrap(),
        above: above.map(|above| above.parse().unwrap()),
        staffed: true,
        opened_on: None,
        closed_on: None,
        successor: None,
    };
    Directory {
        network: "test".to_owned(),
        edition: 1,
        authority: "ministry".parse().unwrap(),
        cosigner: OFFICE.parse().unwrap(),
        registry: "ministry".parse().unwrap(),
        agencies: vec![agency("mosvy"), agency("friends")],
        nodes: vec![node("mosvy", "mosvy", "AA"), node("poipet", "friends", "BB")],
        offices: vec![
            office("ministry", "mosvy", OfficeLevel::National, None),
            office(OFFICE, "poipet", OfficeLevel::Facility, Some("ministry")),
        ],
        place_editions: vec![],
    }
}

async fn hold_a_case(database: &str) {
    let options = Options { tables: vec![standing::TABLES], ..Options::new(database, "shelter", "test") };
    let store = EventStore::open(options).await.unwrap();
    let told = StandingChanged {
        case_id: CASE.to_owned(),
        case_number: "BB-1".to_owned(),
        office_id: OFFICE.to_owned(),
        standing: Standing::Holds.into(),
        sex: Sex::Female.into(),
        age_band: AgeBand::Child.into(),
        ..StandingChanged::default()
    };
    let recorded = store
        .transact(move |transaction| Box::pin(async move { standing::record(&told, transaction.connection()).await }));
    recorded.await.unwrap();
    store.close().await;
}

fn reason(refusal: &Status) -> String {
    refusal.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn day(days_ago: i64) -> String {
    Clock::system().now().plus_days(-days_ago).date_in_cambodia().to_string()
}

fn admission(id: u8, case: &str, days_ago: i64) -> wire::AdmitResidentRequest {
    let admission_id = format!("00000000-0000-4000-8000-0000000000{id:02x}");
    wire::AdmitResidentRequest {
        admission_id,
        case_id: case.to_owned(),
        admitted_on: day(days_ago),
        ..Default::default()
    }
}

fn exit(id: u8, kind: wire::ExitKind, days_ago: i64) -> wire::ExitResidentRequest {
    let admission_id = admission(id, CASE, 0).admission_id;
    wire::ExitResidentRequest { admission_id, kind: kind.into(), exited_on: day(days_ago) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_admitted_leaves_and_comes_back() {
    let network = Network::start().await;
    let mut client = ShelterServiceClient::new(network.channel.clone());

    let refusal = client.admit_resident(network.asked(admission(16, CASE, 9))).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "NO_FREE_PLACE"));
    let girls = wire::Places { sex: Sex::Female.into(), children: true, capacity_persons: 1, occupied_persons: 0 };
    let twice = wire::DeclareCapacityRequest { places: vec![girls, girls] };
    let refusal = client.declare_capacity(network.asked(twice)).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "GROUP_DECLARED_TWICE"));
    client.declare_capacity(network.asked(wire::DeclareCapacityRequest { places: vec![girls] })).await.unwrap();

    let refusal = client.admit_resident(network.asked(admission(16, ANOTHER_CASE, 9))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound, "a stranger to the case learns nothing");
    let refusal = client.admit_resident(network.asked(admission(16, CASE, -2))).await.unwrap_err();
    assert!(refusal.message().starts_with("admitted_on"), "{refusal:?}");
    for _ in 0..2 {
        let admitted = client.admit_resident(network.asked(admission(16, CASE, 9))).await.unwrap().into_inner();
        assert!(!admitted.readmission);
    }
    let places = client.get_capacity(network.asked(wire::GetCapacityRequest {})).await.unwrap().into_inner().places;
    assert_eq!(places, [wire::Places { occupied_persons: 1, ..girls }]);

    for (kind, expected) in [
        (wire::ExitKind::Reintegrated, "FOLLOW_UP_NOT_ACCEPTED"),
        (wire::ExitKind::Moved, "NO_OTHER_PLACE_OF_CARE"),
        (wire::ExitKind::Unspecified, "INVALID_FIELD"),
    ] {
        let refusal = client.exit_resident(network.asked(exit(16, kind, 5))).await.unwrap_err();
        assert_eq!(reason(&refusal), expected);
    }
    let refusal = client.exit_resident(network.asked(exit(17, wire::ExitKind::OwnWill, 5))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound);
    client.exit_resident(network.asked(exit(16, wire::ExitKind::OwnWill, 5))).await.unwrap();
    let back = client.admit_resident(network.asked(admission(17, CASE, 1))).await.unwrap().into_inner();
    assert!(back.readmission);

    let list = wire::ListResidentsRequest { page: None, include_exited: true };
    let residents = client.list_residents(network.asked(list)).await.unwrap().into_inner().residents;
    let seen: Vec<_> = residents.iter().map(|resident| (resident.exited_on.clone(), resident.exit())).collect();
    assert_eq!(seen, [(String::new(), wire::ExitKind::Unspecified), (day(5), wire::ExitKind::OwnWill)]);
    assert_eq!(residents[0].case_number, "BB-1");
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

/// A girl is questioned, her family is visited, and she does not go home before somebody follows up.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_cared_for_and_her_return_is_decided_with_her() {
    let network = Network::start().await;
    let mut client = ShelterServiceClient::new(network.channel.clone());
    let girls = wire::Places { sex: Sex::Female.into(), children: true, capacity_persons: 1, occupied_persons: 0 };
    client.declare_capacity(network.asked(wire::DeclareCapacityRequest { places: vec![girls] })).await.unwrap();
    client.admit_resident(network.asked(admission(16, CASE, 40))).await.unwrap();

    let due = || wire::ListCareDueRequest { page: None, within_days: 0 };
    let listed = client.list_care_due(network.asked(due())).await.unwrap().into_inner().due;
    let kinds: Vec<_> = listed.iter().map(|due| (due.kind(), due.overdue_days)).collect();
    assert_eq!(kinds, [(wire::CareDueKind::Placement, 26), (wire::CareDueKind::Plan, 26)]);

    let mut session = wire::Session {
        session_id: id(20),
        kind: wire::SessionKind::Interview.into(),
        held_on: day(30),
        ..wire::Session::default()
    };
    let record = |session: &wire::Session| wire::RecordSessionRequest {
        case_id: CASE.to_owned(),
        session: Some(session.clone()),
        notes: "Told once.".to_owned(),
    };
    let refusal = client.record_session(network.asked(record(&session))).await.unwrap_err();
    assert_eq!(reason(&refusal), "RESPONSIBLE_ADULT_MISSING");
    session.responsible_adult = wire::ResponsibleAdult::SocialWorker.into();
    for _ in 0..2 {
        client.record_session(network.asked(record(&session))).await.unwrap();
    }

    let mut assessment = wire::FamilyAssessment {
        assessment_id: id(21),
        assessed_on: day(20),
        recommendation: wire::Recommendation::NotSafe.into(),
        risks: vec![wire::HomeRisk::TraffickerNear.into()],
        responsible_adult: wire::ResponsibleAdult::Relative.into(),
        ..wire::FamilyAssessment::default()
    };
    let assess = |assessment: &wire::FamilyAssessment| wire::AssessFamilyRequest {
        case_id: CASE.to_owned(),
        assessment: Some(assessment.clone()),
        notes: String::new(),
    };
    client.assess_family(network.asked(assess(&assessment))).await.unwrap();
    let decide = wire::DecideReintegrationRequest {
        case_id: CASE.to_owned(),
        reintegration: Some(wire::Reintegration {
            decision_id: id(22),
            decided_on: day(10),
            home: wire::Home::Family.into(),
            agreed_by: vec![ConsentBasis::Person.into(), ConsentBasis::BestInterest.into()],
        }),
    };
    let refusal = client.decide_reintegration(network.asked(decide.clone())).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "RISK_AT_HOME"));
    assessment = wire::FamilyAssessment {
        assessment_id: id(23),
        assessed_on: day(15),
        recommendation: wire::Recommendation::Return.into(),
        risks: vec![],
        ..assessment
    };
    client.assess_family(network.asked(assess(&assessment))).await.unwrap();
    client.decide_reintegration(network.asked(decide)).await.unwrap();
    let refusal = client.exit_resident(network.asked(exit(16, wire::ExitKind::Reintegrated, 5))).await.unwrap_err();
    assert_eq!(reason(&refusal), "FOLLOW_UP_NOT_ACCEPTED", "decided, but nobody would visit her");

    let ask = wire::GetCareRequest { case_id: CASE.to_owned() };
    let care = client.get_care(network.asked(ask)).await.unwrap().into_inner();
    assert_eq!((care.sessions.len(), care.assessments.len()), (1, 2));
    assert_eq!(care.sessions[0].held_by, "staff-7");
    assert_eq!(care.reintegration.unwrap().decision_id, id(22));
}

/// She goes home without a word, comes back, and leaves for good: each time she is listed until she was heard of.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_twice_is_looked_for_twice() {
    let network = Network::start().await;
    let mut client = ShelterServiceClient::new(network.channel.clone());
    let girls = wire::Places { sex: Sex::Female.into(), children: true, capacity_persons: 1, occupied_persons: 0 };
    client.declare_capacity(network.asked(wire::DeclareCapacityRequest { places: vec![girls] })).await.unwrap();
    client.admit_resident(network.asked(admission(16, CASE, 40))).await.unwrap();
    let absence = wire::RecordAbsenceRequest {
        admission_id: id(16),
        since: day(2),
        reason: wire::AbsenceReason::OwnWill.into(),
        expected_back_on: String::new(),
    };
    client.record_absence(network.asked(absence)).await.unwrap();
    let refusal = network.asked(wire::ReleaseBedRequest { admission_id: id(16), released_on: day(0) });
    assert_eq!(reason(&client.release_bed(refusal).await.unwrap_err()), "BED_IS_KEPT");
    let list = || wire::ListMissingRequest { page: None };
    let missing = client.list_missing(network.asked(list())).await.unwrap().into_inner().missing;
    let shown: Vec<_> = missing.iter().map(|missing| (missing.age_days, missing.contact_lost, missing.left)).collect();
    assert_eq!(shown, [(2, false, false)]);
    let back = wire::RecordReturnRequest { admission_id: id(16), returned_on: day(1) };
    client.record_return(network.asked(back)).await.unwrap();
    assert!(client.list_missing(network.asked(list())).await.unwrap().into_inner().missing.is_empty());
    client.exit_resident(network.asked(exit(16, wire::ExitKind::OwnWill, 0))).await.unwrap();
    let missing = client.list_missing(network.asked(list())).await.unwrap().into_inner().missing;
    let shown: Vec<_> = missing.iter().map(|missing| (missing.age_days, missing.contact_lost, missing.left)).collect();
    assert_eq!(shown, [(0, true, true)]);
    let heard = wire::RecordContactRequest {
        admission_id: id(16),
        found_on: day(0),
        outcome: wire::ContactOutcome::DeclinesHelp.into(),
    };
    client.record_contact(network.asked(heard)).await.unwrap();
    assert!(client.list_missing(network.asked(list())).await.unwrap().into_inner().missing.is_empty());
}

/// The node was started without a policy of its own: it works by the standard, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_in_force_is_shown_to_whoever_asks() {
    let network = Network::start().await;
    let mut client = PolicyServiceClient::new(network.channel.clone());
    let today = client.get_policy(network.asked(GetPolicyRequest::default())).await.unwrap().into_inner();
    assert_eq!(today.version, 1);
    let visits = today.figures.iter().find(|figure| figure.name == "visits.months").unwrap();
    assert_eq!(visits.number, 12);
    let earlier = GetPolicyRequest { on: day(9) };
    let earlier = client.get_policy(network.asked(earlier)).await.unwrap().into_inner();
    assert_eq!((earlier.version, &earlier.digest), (0, &today.digest), "the standard, before it was written down");
    let refusal = client.get_policy(network.asked(GetPolicyRequest { on: day(-2) })).await.unwrap_err();
    assert!(refusal.message().starts_with("on:"), "{refusal:?}");
}
