//! Follow-up over gRPC: a real node with its own database, whose broker is away, as it often is.

#![expect(clippy::unwrap_used, reason = "a specification fails by panicking")]

use std::time::Duration;

use spean_chassis::{BrokerSettings, Clock, Configuration, Running, mint, standing};
use spean_contracts::followup::v1 as wire;
use spean_contracts::followup::v1::followup_service_client::FollowupServiceClient;
use spean_contracts::referral::v1::{Standing, StandingChanged};
use spean_contracts::vocabulary::v1::{AgeBand, Sex};
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
            services: vec![Service::Followup],
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
        hold_a_case(&configuration.database_of("followup")).await;
        let address_file = configuration.data.join("address");
        // It runs until the test program ends.
        std::thread::spawn(move || {
            let start =
                async |node: &spean_chassis::Node, running: &mut Running| spean_followup::start(node, running).await;
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
    let options = Options { tables: vec![standing::TABLES], ..Options::new(database, "followup", "test") };
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

fn visit(id: u8, number: i32, days_ago: i64, outcome: wire::VisitOutcome) -> wire::RecordVisitRequest {
    wire::RecordVisitRequest {
        visit_id: format!("00000000-0000-4000-8000-0000000000{id:02x}"),
        case_id: CASE.to_owned(),
        number,
        visited_on: day(days_ago),
        outcome: outcome.into(),
        findings: "Goes to school.".to_owned(),
        ..wire::RecordVisitRequest::default()
    }
}

async fn due(network: &Network, within_days: i32) -> Vec<wire::Visit> {
    let mut client = FollowupServiceClient::new(network.channel.clone());
    let ask = wire::ListDueVisitsRequest { page: None, within_days };
    client.list_due_visits(network.asked(ask)).await.unwrap().into_inner().visits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_at_home_is_visited_and_what_was_missed_stays_due() {
    let network = Network::start().await;
    let mut client = FollowupServiceClient::new(network.channel.clone());
    let plan =
        |case: &str, days_ago| wire::PlanFollowUpRequest { case_id: case.to_owned(), reintegrated_on: day(days_ago) };
    let early = client.record_visit(network.asked(visit(16, 1, 5, wire::VisitOutcome::Missed))).await.unwrap_err();
    assert_eq!(reason(&early), "NOT_BEGUN");
    let stranger = client.plan_follow_up(network.asked(plan(ANOTHER_CASE, 40))).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);
    for _ in 0..2 {
        let planned = client.plan_follow_up(network.asked(plan(CASE, 40))).await.unwrap().into_inner();
        assert_eq!(planned.visits.len(), 12);
        assert!(planned.visits[0].overdue_days >= 9 && planned.visits[1].overdue_days == 0, "{planned:?}");
    }
    let other = client.plan_follow_up(network.asked(plan(CASE, 39))).await.unwrap_err();
    assert_eq!(reason(&other), "ALREADY_BEGUN");

    client.record_visit(network.asked(visit(16, 1, 5, wire::VisitOutcome::Missed))).await.unwrap();
    let overdue = due(&network, 0).await;
    assert_eq!(overdue.iter().map(|visit| visit.number).collect::<Vec<_>>(), [1]);
    assert_eq!((overdue[0].outcome(), overdue[0].case_number.as_str()), (wire::VisitOutcome::Missed, "BB-1"));

    let met = visit(17, 1, 3, wire::VisitOutcome::Met);
    let alone = client.record_visit(network.asked(met.clone())).await.unwrap_err();
    assert_eq!((alone.code(), reason(&alone).as_str()), (Code::InvalidArgument, "RESPONSIBLE_ADULT_MISSING"));
    let met = wire::RecordVisitRequest { responsible_adult: "grandmother".to_owned(), ..met };
    for _ in 0..2 {
        client.record_visit(network.asked(met.clone())).await.unwrap();
    }
    assert_eq!(due(&network, 0).await, []);
    assert_eq!(due(&network, 366).await.len(), 11);
    let tomorrow = client.record_visit(network.asked(visit(18, 2, -1, wire::VisitOutcome::Met))).await.unwrap_err();
    assert!(tomorrow.message().starts_with("visited_on"), "{tomorrow:?}");

    let ask = wire::ListVisitsRequest { case_id: CASE.to_owned() };
    let visits = client.list_visits(network.asked(ask)).await.unwrap().into_inner().visits;
    assert_eq!((visits[0].outcome(), visits[0].visited_on.clone()), (wire::VisitOutcome::Met, day(3)));
    assert!(visits[0].recorded_at.is_some() && visits[1].recorded_at.is_none());
}
