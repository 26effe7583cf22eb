//! The whole service over gRPC: a real node with its own database, whose broker is away, as it often is.

#![expect(clippy::unwrap_used, reason = "all of it is a test, and a panic names the line")]

use spean_chassis::{BrokerSettings, Clock, Configuration, Running, mint};
use spean_contracts::directory::v1 as wire;
use spean_contracts::directory::v1::directory_service_client::DirectoryServiceClient;
use spean_contracts::vocabulary::v1::{Need, PageRequest};
use spean_identity::{
    Agency, Claims, Directory, Node, NodeKeys, Office, OfficeLevel, Role, RootKey, SignedDirectory, token,
};
use spean_testkit::{TempDir, a_folder, eventually_some, free_port};
use spean_vocabulary::Service;
use tonic::transport::Channel;
use tonic::{Code, Request};

struct Network {
    folder: TempDir,
    root: RootKey,
    keys: NodeKeys,
    channel: Channel,
}

fn an_office(id: &str, node: &str, level: OfficeLevel, place: &str) -> Office {
    Office {
        id: id.parse().unwrap(),
        node: node.parse().unwrap(),
        name_en: id.to_owned(),
        name_km: id.to_owned(),
        level,
        place: place.parse().unwrap(),
        above: (level != OfficeLevel::National).then(|| "ministry".parse().unwrap()),
        staffed: true,
        opened_on: None,
        closed_on: None,
        successor: None,
    }
}

fn a_directory(edition: u64, keys: &NodeKeys) -> Directory {
    let agency = |id: &str| Agency { id: id.parse().unwrap(), name_en: id.to_owned(), name_km: id.to_owned() };
    let node = |id: &str, agency: &str, tag: &str| Node {
        id: id.parse().unwrap(),
        agency: agency.parse().unwrap(),
        tag: tag.parse().unwrap(),
        keys: keys.public(),
    };
    Directory {
        network: "test".to_owned(),
        edition,
        authority: "ministry".parse().unwrap(),
        cosigner: "poipet-shelter".parse().unwrap(),
        registry: "ministry".parse().unwrap(),
        agencies: vec![agency("mosvy"), agency("friends")],
        nodes: vec![node("mosvy", "mosvy", "AA"), node("poipet", "friends", "BB")],
        offices: vec![
            an_office("ministry", "mosvy", OfficeLevel::National, "12"),
            an_office("battambang-province", "mosvy", OfficeLevel::Province, "02"),
            Office { staffed: false, ..an_office("bavel-district", "mosvy", OfficeLevel::District, "0213") },
            an_office("poipet-shelter", "poipet", OfficeLevel::Facility, "0110"),
        ],
        place_editions: vec![],
    }
}

impl Network {
    /// With the node `poipet` running.
    async fn start() -> Self {
        let folder = a_folder();
        let root = RootKey::create(&folder.path().join("root")).unwrap();
        let keys = NodeKeys::create(&folder.path().join("keys")).unwrap();
        let signed = SignedDirectory::sign(&a_directory(1, &keys), &root).unwrap().to_json();
        std::fs::write(folder.path().join("directory.json"), signed).unwrap();
        let configuration = Configuration {
            node: "poipet".parse().unwrap(),
            services: vec![Service::Directory],
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
        let address_file = configuration.data.join("address");
        // It runs until the test program ends.
        std::thread::spawn(move || {
            let start =
                async |node: &spean_chassis::Node, running: &mut Running| spean_directory::start(node, running).await;
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(spean_chassis::run(configuration, start)).expect("the node runs");
        });
        let address = eventually_some(std::time::Duration::from_secs(30), "the node listens", async || {
            std::fs::read_to_string(&address_file).ok().filter(|address| !address.is_empty())
        });
        let channel = Channel::from_shared(format!("http://{}", address.await)).unwrap().connect_lazy();
        Self { folder, root, keys, channel }
    }

    fn client(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    fn asked_by<T>(&self, role: Role, message: T) -> Request<T> {
        let now = Clock::system().now();
        let claims = Claims {
            agency: "friends".parse().unwrap(),
            node: "poipet".parse().unwrap(),
            staff: "staff-7".parse().unwrap(),
            offices: vec!["poipet-shelter".parse().unwrap()],
            roles: vec![role],
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

fn an_offering(places: &[&str]) -> wire::Offering {
    wire::Offering {
        offering_id: "00000000-0000-4000-8000-000000000001".to_owned(),
        need: Need::Shelter.into(),
        languages: vec!["km".to_owned()],
        places: places.iter().map(|place| (*place).to_owned()).collect(),
        capacity_persons: 24,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_find_places_and_who_serves_them() {
    let network = Network::start().await;
    let mut client = network.client();
    let ask = wire::WhoServesRequest { place: "02130101".to_owned(), ..Default::default() };
    let answer = client.who_serves(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
    let office = answer.office.unwrap();
    assert_eq!((office.office_id.as_str(), office.level.as_str()), ("battambang-province", "PROVINCE"));
    assert_eq!((office.node_id.as_str(), office.agency_id.as_str()), ("mosvy", "mosvy"));
    assert_eq!(office.place.unwrap().name_en, "Battambang");
    let empty: Vec<_> = answer.stands_in_for.iter().map(|office| (office.office_id.as_str(), office.staffed)).collect();
    assert_eq!(empty, [("bavel-district", false)]);

    let ask = wire::ListOfficesRequest { agency_id: "friends".to_owned() };
    let offices = client.list_offices(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner().offices;
    assert_eq!(offices.iter().map(|office| office.office_id.as_str()).collect::<Vec<_>>(), ["poipet-shelter"]);
    let ask = wire::GetOfficeRequest { office_id: "nowhere".to_owned() };
    let refusal = client.get_office(network.asked_by(Role::Reporter, ask)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound);

    let ask = wire::GetPlaceRequest { code: "0213".to_owned(), ..Default::default() };
    let answer = client.get_place(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
    assert_eq!(answer.within.iter().map(|place| place.code.as_str()).collect::<Vec<_>>(), ["02"]);
    let ask = wire::SearchPlacesRequest { name: "Poi Pet".to_owned(), within: "01".to_owned() };
    let places = client.search_places(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner().places;
    assert_eq!(places[0].name_en, "Paoy Paet");
    let (mut token, mut provinces) = (String::new(), 0);
    loop {
        let page = Some(PageRequest { size: 10, token });
        let ask = wire::ListPlacesRequest { within: String::new(), page };
        let answer = client.list_places(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
        provinces += answer.places.len();
        token = answer.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(provinces, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_says_what_it_offers_and_takes_it_back() {
    let network = Network::start().await;
    let mut client = network.client();
    let publish = |places: &[&str]| wire::PublishOfferingRequest { offering: Some(an_offering(places)) };
    let refusal = client.publish_offering(network.asked_by(Role::ShelterManager, publish(&["99"]))).await.unwrap_err();
    assert!(refusal.code() == Code::InvalidArgument && refusal.message().starts_with("offering.places[0]"));
    let refusal = client.publish_offering(network.asked_by(Role::Reporter, publish(&["02"]))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    for _ in 0..2 {
        client.publish_offering(network.asked_by(Role::ShelterManager, publish(&["02"]))).await.unwrap();
    }
    let list = |place: &str| wire::ListOfferingsRequest { place: place.to_owned(), ..Default::default() };
    let answer = client.list_offerings(network.asked_by(Role::Reporter, list("021301"))).await.unwrap().into_inner();
    assert_eq!(answer.offerings.len(), 1);
    assert_eq!(answer.offerings[0].office_id, "poipet-shelter");
    assert!(answer.changed_at.is_some());
    let answer = client.list_offerings(network.asked_by(Role::Reporter, list("12"))).await.unwrap().into_inner();
    assert_eq!(answer.offerings, []);
    let ask = wire::ListOfferingChangesRequest { offering_id: an_offering(&[]).offering_id, page: None };
    let answer = client.list_offering_changes(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
    assert_eq!((answer.changes.len(), answer.changes[0].version), (1, 1));
    let ask = wire::ListOfferingChangesRequest { offering_id: mint::<()>().to_string(), page: None };
    let refusal = client.list_offering_changes(network.asked_by(Role::Reporter, ask)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound);
    let yesterday = Clock::system().now().plus_days(-1).date_in_cambodia().to_string();
    let offering_id = an_offering(&[]).offering_id;
    let withdraw = wire::WithdrawOfferingRequest { offering_id, withdrawn_on: yesterday };
    client.withdraw_offering(network.asked_by(Role::ShelterManager, withdraw)).await.unwrap();
    let answer = client.list_offerings(network.asked_by(Role::Reporter, list(""))).await.unwrap().into_inner();
    assert_eq!(answer.offerings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_says_that_nobody_is_there_and_its_history_tells() {
    use wire::OfficeChangeKind::{Declared, Opened, Stands};
    let network = Network::start().await;
    let mut client = network.client();
    let declare = |office: &str, status: wire::OfficeStatus| wire::DeclareOfficeStatusRequest {
        office_id: office.to_owned(),
        status: status.into(),
        reason: wire::OfficeStatusReason::StaffAway.into(),
        ..Default::default()
    };
    let away = declare("poipet-shelter", wire::OfficeStatus::Unstaffed);
    let refusals = [
        (Role::Reporter, away.clone(), Code::PermissionDenied, ""),
        (Role::Caseworker, declare("nowhere", wire::OfficeStatus::Unstaffed), Code::NotFound, ""),
        (
            Role::Caseworker,
            declare("ministry", wire::OfficeStatus::Unstaffed),
            Code::PermissionDenied,
            "only the office",
        ),
        (
            Role::Caseworker,
            declare("poipet-shelter", wire::OfficeStatus::Closed),
            Code::InvalidArgument,
            "an office is closed",
        ),
        (Role::Caseworker, declare("poipet-shelter", wire::OfficeStatus::Unspecified), Code::InvalidArgument, "status"),
        (
            Role::Caseworker,
            wire::DeclareOfficeStatusRequest { stand_in_office_id: "nowhere".to_owned(), ..away.clone() },
            Code::InvalidArgument,
            "the office that is to stand in",
        ),
        (
            Role::Caseworker,
            wire::DeclareOfficeStatusRequest { until_day: "2020-01-01".to_owned(), ..away.clone() },
            Code::InvalidArgument,
            "it ends before it begins",
        ),
    ];
    for (role, request, code, begins) in refusals {
        let refusal = client.declare_office_status(network.asked_by(role, request)).await.unwrap_err();
        assert!(refusal.code() == code && refusal.message().starts_with(begins), "{refusal:?}");
    }
    for _ in 0..2 {
        client.declare_office_status(network.asked_by(Role::Caseworker, away.clone())).await.unwrap();
    }
    let ask = wire::GetOfficeRequest { office_id: "poipet-shelter".to_owned() };
    let office = client.get_office(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner().office.unwrap();
    assert_eq!((office.status(), office.write_to_office_id.as_str()), (wire::OfficeStatus::Unstaffed, "ministry"));
    // What holds today is written down a moment after what was said.
    for _ in 0..100 {
        let page = Some(PageRequest { size: 3, token: String::new() });
        let ask = wire::GetOfficeHistoryRequest { office_id: "poipet-shelter".to_owned(), page };
        let answer = client.get_office_history(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
        if answer.changes.len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (mut token, mut kinds) = (String::new(), Vec::new());
    loop {
        let page = Some(PageRequest { size: 2, token });
        let ask = wire::GetOfficeHistoryRequest { office_id: "poipet-shelter".to_owned(), page };
        let answer = client.get_office_history(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
        kinds.extend(answer.changes.iter().map(wire::OfficeChange::kind));
        token = answer.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(kinds, [Opened, Declared, Stands]);
    let ask = wire::GetOfficeHistoryRequest { office_id: "nowhere".to_owned(), page: None };
    let refusal = client.get_office_history(network.asked_by(Role::Reporter, ask)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound);
}

/// Of the invented edition of 2027: Koas Krala, which the real list of 2025 calls 0213, is renumbered.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_address_is_understood_after_the_places_changed() {
    let network = Network::start().await;
    let mut client = network.client();
    let mut directory = a_directory(2, &network.keys);
    let edition = serde_json::json!({ "year": 2027, "in_force_on": "2026-01-01", "change": [
        { "kind": "renamed", "from": "0213", "to": [{ "code": "0299", "name_en": "Invented Krala" }] },
    ] });
    directory.place_editions = vec![serde_json::from_value(edition).unwrap()];
    let signed_directory = SignedDirectory::sign(&directory, &network.root).unwrap().to_json();
    let import = wire::ImportDirectoryRequest { signed_directory };
    client.import_directory(network.asked_by(Role::Administrator, import)).await.unwrap();

    let ask = wire::GetPlaceRequest { code: "0213".to_owned(), edition: 0 };
    let answer = client.get_place(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
    assert_eq!(answer.place.unwrap().name_en, "Koas Krala");
    assert_eq!((answer.became[0].code.as_str(), answer.became[0].name_en.as_str()), ("0299", "Invented Krala"));
    assert_eq!(answer.changes[0].kind(), wire::PlaceChangeKind::Renamed);
    assert_eq!((answer.changes[0].edition, answer.changes[0].in_force_on.as_str()), (2027, "2026-01-01"));
    let ask = wire::GetPlaceRequest { code: "0299".to_owned(), edition: 2025 };
    let refusal = client.get_place(network.asked_by(Role::Reporter, ask)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound, "the edition of 2025 does not know it");
    for (code, became) in [("02130101", vec![]), ("0299", vec![]), ("0213", vec!["0299".to_owned()])] {
        let ask = wire::WhoServesRequest { place: code.to_owned(), ..Default::default() };
        let answer = client.who_serves(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner();
        assert_eq!(answer.office.unwrap().office_id, "battambang-province", "{code}");
        assert_eq!(answer.stands_in_for[0].office_id, "bavel-district", "{code}");
        assert_eq!(answer.because, i32::from(wire::ServesBecause::Above));
        assert_eq!(answer.became.into_iter().map(|place| place.code).collect::<Vec<_>>(), became, "{code}");
    }
    let ask = wire::SearchPlacesRequest { name: "Koas Krala".to_owned(), within: "02".to_owned() };
    let found = client.search_places(network.asked_by(Role::Reporter, ask)).await.unwrap().into_inner().places;
    assert_eq!(found[0].became_codes, ["0299"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_edition_of_the_directory_is_in_force_at_once() {
    let network = Network::start().await;
    let mut client = network.client();
    let import = |edition| wire::ImportDirectoryRequest {
        signed_directory: SignedDirectory::sign(&a_directory(edition, &network.keys), &network.root).unwrap().to_json(),
    };
    let refusal = client.import_directory(network.asked_by(Role::Caseworker, import(2))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    for _ in 0..2 {
        let answer = client.import_directory(network.asked_by(Role::Administrator, import(2))).await.unwrap();
        assert_eq!(answer.into_inner().edition, 2);
    }
    let refusal = client.import_directory(network.asked_by(Role::Administrator, import(1))).await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert_eq!(refusal.message(), "edition 1 of the directory is older than ours, 2");
    let mut without = a_directory(3, &network.keys);
    without.offices.remove(2);
    let without = SignedDirectory::sign(&without, &network.root).unwrap().to_json();
    let import = wire::ImportDirectoryRequest { signed_directory: without };
    let refusal = client.import_directory(network.asked_by(Role::Administrator, import)).await.unwrap_err();
    assert!(refusal.message().contains("office[bavel-district]"), "an office is never taken out: {refusal:?}");
    let agencies = client.list_agencies(network.asked_by(Role::Reporter, wire::ListAgenciesRequest {})).await.unwrap();
    assert_eq!(agencies.into_inner().edition, 2);
    let file = std::fs::read_to_string(network.folder.path().join("directory.json")).unwrap();
    let kept = SignedDirectory::from_json(&file).unwrap().verify(&network.root.public(), None).unwrap();
    assert_eq!(kept.edition, 2, "the edition after a restart");
}
