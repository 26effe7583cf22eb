//! A network is set up with the program alone, as the documents in `deploy/` say, and its nodes run and answer.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use spean::network;
use spean_contracts::cases::v1::RegisterPersonRequest;
use spean_contracts::cases::v1::cases_service_client::CasesServiceClient;
use spean_contracts::vocabulary::v1::{Person, Sex};
use spean_messaging::server::{NatsBinary, NatsServer};
use spean_testkit::{TempDir, a_folder, eventually_some, free_port};
use tonic::Request;
use tonic::transport::Endpoint;

const LAPTOP: &str = include_str!("../../../deploy/laptop/network.toml");
const OFFICE: &str = include_str!("../../../deploy/office/network.toml");
const CLUSTER: &str = include_str!("../../../deploy/cluster/network.toml");
const NODE: &str = include_str!("../../../deploy/laptop/node.toml");

/// How long a node may take to be ready on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The folder of whoever follows `deploy/laptop`.
struct Laptop {
    folder: TempDir,
    root: String,
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spean(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spean"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    // Settings of whoever runs the tests are not settings of the node.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPEAN_")) {
        command.env_remove(name);
    }
    command
}

impl Laptop {
    fn new() -> Self {
        let laptop = Self { folder: a_folder(), root: String::new() };
        fs::write(laptop.path().join("network.toml"), LAPTOP).expect("a new folder can be written");
        laptop.says("admin keys create --folder keys/mosvy-hq");
        laptop.says("admin keys create --folder keys/poipet");
        let root = laptop.says("admin root create --folder root").trim().to_owned();
        laptop.says("admin directory sign --input network.toml --root root --output directory.json");
        Self { root, ..laptop }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &str) -> Output {
        spean(self.path(), arguments).output().expect("the program is there")
    }

    fn says(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "spean {arguments}: {error}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn refuses(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "spean {arguments} was done");
        String::from_utf8(output.stderr).expect("text")
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{file} holds no {from}");
        fs::write(path, text.replace(from, to)).expect("it can be written");
    }

    fn token(&self, rest: &str) -> String {
        let root = &self.root;
        format!("admin token issue --keys keys/poipet --directory directory.json --root {root} --node poipet {rest}")
    }

    /// The settings of `deploy/laptop`, with free ports and these services.
    fn settings(&self, services: &str, client_port: u16, monitor_port: u16, domain: &str) {
        let text = NODE
            .replace("REPLACE-ME-WITH-THE-ROOT-KEY", &self.root)
            .replace("127.0.0.1:50051", "127.0.0.1:0")
            .replace("# services = [", &format!("services = [{services}] # ["))
            .replace("127.0.0.1:4222", &format!("127.0.0.1:{client_port}"))
            .replace("127.0.0.1:8222", &format!("127.0.0.1:{monitor_port}"));
        fs::write(self.path().join("node.toml"), text + domain).expect("it can be written");
    }

    async fn hub(&self, client_port: u16, leaf_port: u16) -> NatsServer {
        let monitor_port = free_port();
        self.says(&format!(
            "admin broker hub-config --directory directory.json --root {} --folder hub --listen 127.0.0.1:{client_port} \
             --leaf-listen 127.0.0.1:{leaf_port} --monitor-port {monitor_port} --mailbox-bytes 1000000",
            self.root
        ));
        let configuration = fs::read_to_string(self.path().join("hub/nats.conf")).expect("just written");
        let binary = NatsBinary::find_or_fetch().await.expect("there is a broker");
        NatsServer::start(&binary, &self.path().join("hub"), &configuration, monitor_port).await.expect("it starts")
    }

    /// Runs the node until the value is dropped, and says where it listens.
    async fn node(&self, options: &str) -> (Process, String) {
        let log = fs::File::create(self.path().join("node.log")).expect("it can be written");
        let mut command = spean(self.path(), &format!("run --config node.toml {options}"));
        let process = Process(command.stderr(log).spawn().expect("the program is there"));
        let address = eventually_some(PATIENCE, "the node's address", async || {
            fs::read_to_string(self.path().join("data/poipet/address")).ok().filter(|address| !address.is_empty())
        });
        (process, address.await)
    }
}

#[test]
fn a_network_is_set_up_signed_and_verified() {
    let laptop = Laptop::new();
    let verified = laptop.says(&format!("admin directory verify --directory directory.json --root {}", laptop.root));
    assert!(verified.contains("edition 1: 2 agencies, 2 nodes, 3 offices"), "{verified}");

    let stranger = laptop.says("admin root create --folder stranger").trim().to_owned();
    let refusal = laptop.refuses(&format!("admin directory verify --directory directory.json --root {stranger}"));
    assert!(refusal.contains("not signed by the root of this network"), "{refusal}");
}

#[test]
fn a_changed_directory_needs_a_higher_edition() {
    let laptop = Laptop::new();
    let sign = "admin directory sign --input network.toml --root root --output directory.json";
    laptop.says(sign);
    laptop.change("network.toml", "level = \"province\"", "level = \"province\"\nstaffed = false");
    let refusal = laptop.refuses(sign);
    assert!(refusal.contains("every change needs a higher edition"), "{refusal}");
    laptop.change("network.toml", "edition = 1", "edition = 2");
    assert!(laptop.says(sign).contains("edition 2"));
}

#[test]
fn a_directory_with_a_mistake_is_not_signed_and_the_mistake_is_named() {
    let laptop = Laptop::new();
    laptop.change("network.toml", "above = \"mosvy\"", "above = \"nowhere\"");
    let sign = "admin directory sign --input network.toml --root root --output other.json";
    assert!(laptop.refuses(sign).contains("there is no such office"));
    laptop.change("network.toml", "keys_folder = \"keys/poipet\"", "keys_folder = \"keys/missing\"");
    assert!(laptop.refuses(sign).contains("node poipet"));
    assert!(!laptop.path().join("other.json").exists());
}

#[test]
fn changes_of_places_are_signed_with_the_directory_and_no_office_is_taken_out_of_it() {
    let laptop = Laptop::new();
    let places = "[[place_edition]]\nyear = 2027\nin_force_on = \"2027-04-01\"\n[[place_edition.change]]\n\
        kind = \"renamed\"\nfrom = \"0213\"\nto = [{ code = \"0299\", name_en = \"Invented Krala\" }]\n";
    fs::write(laptop.path().join("places.toml"), places).expect("the folder can be written");
    laptop.change("network.toml", "edition = 1", "edition = 2");
    let sign = "admin directory sign --input network.toml --places places.toml --root root --output directory.json";
    assert!(laptop.says(sign).contains("1 changed places"));
    laptop.change("network.toml", "edition = 2", "edition = 3");
    let refusal = laptop.refuses("admin directory sign --input network.toml --root root --output directory.json");
    assert!(refusal.contains("never taken back"), "{refusal}");
    laptop.change("places.toml", "code = \"0299\"", "code = \"029901\"");
    assert!(laptop.refuses(sign).contains("a place of the same level"));
}

#[test]
fn keys_are_never_overwritten_and_only_their_public_halves_are_shown() {
    let laptop = Laptop::new();
    assert!(laptop.refuses("admin keys create --folder keys/poipet").contains("is there already"));
    let shown = laptop.says("admin keys show --folder keys/poipet");
    let secret = fs::read_to_string(laptop.path().join("keys/poipet/signing.key")).expect("it is there");
    assert!(shown.contains("sealing = ") && !shown.contains(secret.trim()));
}

#[test]
fn a_token_is_issued_for_the_offices_of_the_node_alone() {
    let laptop = Laptop::new();
    let token = laptop.says(&laptop.token("--staff staff-17 --office poipet-transit --role intake_officer"));
    assert!(token.starts_with("v4.public."), "{token}");
    for (rest, reason) in [
        ("--staff staff-17 --office mosvy --role supervisor", "is served by node mosvy-hq"),
        ("--staff staff-17 --office poipet-transit --role king", "one of caseworker, supervisor"),
        ("--staff staff-17 --office poipet-transit --role supervisor --hours 73", "1 to 72 hours"),
        ("--staff Name --office poipet-transit --role supervisor", "a-z"),
    ] {
        let refusal = laptop.refuses(&laptop.token(rest));
        assert!(refusal.contains(reason), "{rest}: {refusal}");
    }
}

#[test]
fn what_others_could_read_is_not_configured() {
    let laptop = Laptop::new();
    let source = format!("--directory directory.json --root {} --folder broker", laptop.root);
    let open = laptop.refuses(&format!("admin broker hub-config {source} --listen 0.0.0.0:4222"));
    assert!(open.contains("--tls is needed"), "{open}");
    let far = "--node poipet --keys keys/poipet --hub hub.example.org:7422";
    let open = laptop.refuses(&format!("admin broker leaf-config {source} {far}"));
    assert!(open.contains("needs certificates"), "{open}");

    laptop.says("admin tls authority --folder authority");
    laptop.says("admin tls issue --authority authority --folder tls --node poipet --name poipet.example.org");
    laptop.says(&format!("admin broker leaf-config {source} {far} --tls tls"));
    let written = fs::read_to_string(laptop.path().join("broker/nats.conf")).expect("just written");
    let secret = fs::read_to_string(laptop.path().join("keys/poipet/broker.nk")).expect("it is there");
    assert!(written.contains("tls://hub.example.org:7422") && !written.contains(secret.trim()));
}

#[test]
fn the_directories_in_the_documents_can_be_signed() {
    let laptop = Laptop::new();
    fs::create_dir(laptop.path().join("public")).expect("a new folder");
    for node in ["mosvy-hq", "poipet", "kandal"] {
        laptop.says(&format!("admin keys create --folder keys/{node}-too"));
        let public = laptop.says(&format!("admin keys show --folder keys/{node}-too"));
        fs::write(laptop.path().join(format!("public/{node}.toml")), public).expect("it can be written");
    }
    for text in [LAPTOP, OFFICE, CLUSTER] {
        let directory = network::parse(text, laptop.path()).expect("it can be read");
        assert_eq!(directory.defects(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_runs_as_on_a_laptop_and_answers_its_staff() {
    let laptop = Laptop::new();
    let (client_port, leaf_port) = (free_port(), free_port());
    let hub = laptop.hub(client_port, leaf_port).await;
    laptop.settings("\"cases\"", client_port, port_of(&hub), "mailbox_bytes = 1000000\n");
    let (_node, address) = laptop.node("").await;

    let token = laptop.says(&laptop.token("--staff staff-17 --office poipet-transit --role supervisor"));
    fs::write(laptop.path().join("token"), token).expect("it can be written");
    let ask = format!("--node {address} --token-file token");
    assert_eq!(laptop.says(&format!("case list {ask}")), "Nothing.\n");
    let listed: serde_json::Value =
        serde_json::from_str(&laptop.says(&format!("case list --json {ask}"))).expect("JSON");
    assert!(listed.is_object() && listed["cases"].as_array().is_none_or(Vec::is_empty), "{listed}");
    assert!(laptop.refuses(&format!("node status --json {ask}")).contains("\"exit_code\": 13"));

    let reporter = laptop.says(&laptop.token("--staff staff-18 --office poipet-transit --role reporter"));
    fs::write(laptop.path().join("reporter"), reporter).expect("it can be written");
    let refusal = laptop.refuses(&format!("case list --json --node {address} --token-file reporter"));
    assert!(refusal.contains("\"NOT_PERMITTED\""), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_certificate_speaks_tls_and_nothing_else() {
    let laptop = Laptop::new();
    let (client_port, leaf_port) = (free_port(), free_port());
    let hub = laptop.hub(client_port, leaf_port).await;
    laptop.says("admin tls authority --folder authority");
    laptop.says("admin tls issue --authority authority --folder tls --node poipet --name localhost --name 127.0.0.1");
    laptop.settings("\"cases\"", client_port, port_of(&hub), "mailbox_bytes = 1000000\n");
    let files = "tls = { certificate = \"tls/server.pem\", key = \"tls/server.key\" }\n[broker]";
    laptop.change("node.toml", "[broker]", files);
    let (_node, address) = laptop.node("").await;

    let token = laptop.says(&laptop.token("--staff staff-17 --office poipet-transit --role supervisor"));
    fs::write(laptop.path().join("token"), token).expect("it can be written");
    let ask = format!("case list --node {address} --token-file token");
    assert_eq!(laptop.says(&format!("{ask} --authority authority/authority.pem")), "Nothing.\n");
    laptop.refuses(&ask);
    laptop.says("admin tls authority --folder another");
    laptop.refuses(&format!("{ask} --authority another/authority.pem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_case_is_proven_from_the_chain_and_the_directory_alone() {
    let laptop = Laptop::new();
    let (client_port, leaf_port) = (free_port(), free_port());
    let hub = laptop.hub(client_port, leaf_port).await;
    laptop.settings(r#""cases", "referral""#, client_port, port_of(&hub), "mailbox_bytes = 1000000\n");
    let (_node, address) = laptop.node("").await;
    let token = laptop.says(&laptop.token("--staff staff-17 --office poipet-transit --role supervisor"));
    fs::write(laptop.path().join("token"), &token).expect("it can be written");
    let case = "5d1e2f30-0000-4000-8000-000000000001";
    register(&address, token.trim(), case).await;

    let ask = format!("--node {address} --token-file token");
    eventually_some(PATIENCE, "the first certificate", async || {
        laptop.says(&format!("case held --json {ask}")).contains(case).then_some(())
    })
    .await;
    let verify = format!("node proof {case} {ask} --directory directory.json --root");
    let proven = laptop.says(&format!("{verify} {}", laptop.root));
    assert!(proven.contains("poipet-transit@poipet, by edition 1"), "{proven}");
    assert!(laptop.says(&format!("case list --json {ask}")).contains(case));
    assert!(laptop.says(&format!("node status --json {ask}")).contains(r#""broker_connected": true"#));
    let books: serde_json::Value =
        serde_json::from_str(&laptop.says(&format!("node books --json {ask}"))).expect("JSON");
    assert_eq!(
        (&books["balances"][0]["office_id"], &books["balances"][0]["held"]),
        (&"poipet-transit".into(), &1.into())
    );
    assert_eq!(laptop.says(&format!("referral inbox {ask}")), "Nothing.\n");
    assert_eq!(laptop.says(&format!("node dead-letters list {ask}")), "Nothing.\n");
    assert!(laptop.refuses(&format!("referral accept {case} --json {ask}")).contains("\"exit_code\": 5"));

    // Whoever believes another root, or a directory with another key for the node, believes no word of it.
    let stranger = laptop.says("admin root create --folder stranger").trim().to_owned();
    assert!(laptop.refuses(&format!("{verify} {stranger}")).contains("not signed by the root"));
    laptop.says("admin keys create --folder keys/other");
    laptop.change("network.toml", "keys/poipet", "keys/other");
    laptop.says("admin directory sign --input network.toml --root root --output other.json");
    let verify = verify.replace("directory.json", "other.json");
    let refusal = laptop.refuses(&format!("{verify} {}", laptop.root));
    assert!(refusal.contains("a signature in the chain does not verify"), "{refusal}");
}

fn port_of(hub: &NatsServer) -> u16 {
    hub.monitor().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("it has a port")
}

async fn register(address: &str, token: &str, case: &str) {
    let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address").connect().await;
    let mut request = Request::new(RegisterPersonRequest {
        case_id: case.to_owned(),
        person: Some(Person { sex: Sex::Unknown.into(), ..Person::default() }),
        ..RegisterPersonRequest::default()
    });
    let token = format!("Bearer {token}").parse().expect("a token is ASCII");
    request.metadata_mut().insert("authorization", token);
    let command = "7b0c2f30-0000-4000-8000-000000000002".parse().expect("ASCII");
    request.metadata_mut().insert("spean-command-id", command);
    let mut cases = CasesServiceClient::new(channel.expect("the node answers"));
    cases.register_person(request).await.expect("it registers whoever comes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_runs_a_broker_of_its_own_and_starts_it_again_when_it_ends() {
    let laptop = Laptop::new();
    let (hub_port, leaf_port, client_port, monitor_port) = (free_port(), free_port(), free_port(), free_port());
    let _hub = laptop.hub(hub_port, leaf_port).await;
    laptop.settings("\"cases\"", client_port, monitor_port, "domain = \"hub\"\nmailbox_bytes = 1000000\n");
    let (_node, _address) = laptop.node(&format!("--with-broker broker --hub 127.0.0.1:{leaf_port}")).await;

    let log = laptop.path().join("broker/nats.log");
    let starts = || fs::read_to_string(&log).unwrap_or_default().matches("Server is ready").count();
    let connections = async || {
        let log = fs::read_to_string(&log).unwrap_or_default();
        log.contains("Leafnode connection created").then_some(())
    };
    eventually_some(PATIENCE, "the link to the hub", connections).await;
    assert_eq!(starts(), 1);

    let text = fs::read_to_string(&log).expect("it is there");
    let process = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(id, _)| id.to_owned());
    let killed =
        Command::new("sh").args(["-c", "kill -KILL \"$1\"", "sh"]).arg(process.expect("a line has it")).status();
    assert!(killed.expect("there is a shell").success());
    eventually_some(PATIENCE, "the broker again", async || (starts() == 2).then_some(())).await;
}
