//! The generated configuration, proven on real servers: who can write to whom, who can read what, and what crosses
//! the link of an office.

mod network;

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use futures::StreamExt;
use network::{Network, connect, everything_heard, mail, user};
use spean_messaging::server::{MonitorError, NatsServer, check_sync_always};
use spean_messaging::topology::{self, HUB_DOMAIN, mailbox_stream, mailbox_subject, node_domain};
use spean_testkit::{eventually, eventually_some, free_port};
use spean_vocabulary::Service;

/// Long enough for a slow machine.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_letter_to_another_agency_lands_in_the_receivers_stream_and_is_acknowledged() {
    let network = Network::start().await;
    let (sender, receiver) = (network.client("mosvy-hq").await, network.client("poipet").await);
    let mut stream = network.mailbox(&receiver, "poipet").await;

    let acknowledgement = mail(&sender, "poipet", "mosvy-hq", "a letter").await.unwrap();

    assert_eq!((acknowledgement.stream.as_str(), acknowledgement.sequence), ("INBOX_POIPET", 1));
    assert_eq!(acknowledgement.domain, HUB_DOMAIN);
    assert_eq!(stream.get_raw_message(1).await.unwrap().payload, "a letter");
    assert_eq!(stream.info().await.unwrap().state.messages, 1);
}

#[tokio::test]
async fn a_node_fetches_only_its_own_mail_by_service_and_acknowledges_it() {
    let network = Network::start().await;
    let (sender, receiver) = (network.client("mosvy-hq").await, network.client("poipet").await);
    network.mailbox(&receiver, "poipet").await;
    mail(&sender, "poipet", "mosvy-hq", "a letter").await.unwrap();

    let fetched = network::fetch(&receiver, "poipet", 1).await;

    assert_eq!(fetched, ["a letter"]);
    let consumer = network::consumer(&receiver, "poipet").await;
    assert_eq!(consumer.cached_info().ack_floor.stream_sequence, 1);
}

#[tokio::test]
async fn nodes_of_one_agency_write_to_each_other_and_to_themselves_in_their_account() {
    let network = Network::start().await;
    let (capital, province) = (network.client("mosvy-hq").await, network.client("mosvy-kandal").await);
    network.mailbox(&province, "mosvy-kandal").await;

    mail(&capital, "mosvy-kandal", "mosvy-hq", "from a colleague").await.unwrap();
    mail(&province, "mosvy-kandal", "mosvy-kandal", "from myself").await.unwrap();

    assert_eq!(network::fetch(&province, "mosvy-kandal", 2).await, ["from a colleague", "from myself"]);
}

#[tokio::test]
async fn nobody_can_write_as_another_node() {
    let network = Network::start().await;
    let receiver = network.client("poipet").await;
    let mut stream = network.mailbox(&receiver, "poipet").await;

    for (impostor, pretended) in [("ngo", "mosvy-hq"), ("mosvy-kandal", "mosvy-hq"), ("poipet", "mosvy-hq")] {
        let client = network.client(impostor).await;
        assert!(mail(&client, "poipet", pretended, "a forgery").await.is_err(), "{impostor} as {pretended}");
    }

    assert_eq!(stream.info().await.unwrap().state.messages, 0);
}

#[tokio::test]
async fn nobody_can_read_change_or_remove_the_mail_of_another_node() {
    let network = Network::start().await;
    let (sender, receiver) = (network.client("mosvy-hq").await, network.client("mosvy-kandal").await);
    let mut stream = network.mailbox(&receiver, "mosvy-kandal").await;
    mail(&sender, "mosvy-kandal", "mosvy-hq", "a letter").await.unwrap();

    for stranger in ["ngo", "poipet", "mosvy-hq"] {
        let client = network.client(stranger).await;
        let jetstream = network::jetstream(&client);
        let name = &mailbox_stream(&"mosvy-kandal".parse().unwrap());
        let unchecked: stream::Stream<()> = jetstream.get_stream_no_info(name).await.unwrap();
        let spy = jetstream::consumer::pull::Config { durable_name: Some("spy".to_owned()), ..Default::default() };
        // What is not permitted is not answered: all at once, so that the test waits for no answer only once.
        let succeeded = tokio::join!(
            async { jetstream.get_stream(name).await.is_ok() },
            async { jetstream.delete_stream(name).await.is_ok() },
            async { unchecked.get_raw_message(1).await.is_ok() },
            async { unchecked.direct_get(1).await.is_ok() },
            async { unchecked.purge().await.is_ok() },
            async { unchecked.create_consumer(spy).await.is_ok() },
        );
        assert_eq!(succeeded, (false, false, false, false, false, false), "{stranger}");
    }

    let state = stream.info().await.unwrap().state.clone();
    assert_eq!((state.messages, state.consumer_count), (1, 0));
}

#[tokio::test]
async fn nobody_overhears_the_mail_or_the_answers_of_others() {
    let network = Network::start().await;
    let (sender, receiver) = (network.client("mosvy-hq").await, network.client("mosvy-kandal").await);
    network.mailbox(&receiver, "mosvy-kandal").await;
    let mut ears = Vec::new();
    for stranger in ["ngo", "poipet", "mosvy-hq", "mosvy-kandal"] {
        let client = network.client(stranger).await;
        for subject in [">", "inbox.>", "inbox.mosvy-kandal.>", "_INBOX.>", "$JS.>"] {
            ears.push(client.subscribe(subject).await.unwrap());
        }
        // The answer to a question asked later proves that the server has judged the subscriptions.
        assert!(network::jetstream(&client).query_account().await.is_ok());
    }

    mail(&sender, "mosvy-kandal", "mosvy-hq", "a letter").await.unwrap();
    network::fetch(&receiver, "mosvy-kandal", 1).await;

    assert_eq!(everything_heard(ears).await, Vec::<String>::new());
}

#[tokio::test]
async fn strangers_are_not_let_in() {
    let network = Network::start().await;
    assert!(async_nats::connect(network.hub_address()).await.is_err());
    assert!(connect(&network.hub_address(), &nkeys::KeyPair::new_user(), "poipet").await.is_err());
}

#[tokio::test]
async fn a_full_mailbox_refuses_and_keeps_what_it_has() {
    let network = Network::start().await;
    let (sender, receiver) = (network.client("mosvy-hq").await, network.client("poipet").await);
    let mut stream = network.mailbox(&receiver, "poipet").await;
    let letter = "x".repeat(1024 * 1024);

    let mut taken = 0;
    while mail(&sender, "poipet", "mosvy-hq", &letter).await.is_ok() {
        taken += 1;
        assert!(taken < 100, "the mailbox has a limit");
    }

    assert!(taken > 0);
    assert_eq!(stream.info().await.unwrap().state.messages, taken);
    assert_eq!(stream.info().await.unwrap().state.first_sequence, 1);
}

#[tokio::test]
async fn an_office_sends_and_fetches_mail_through_its_own_server() {
    let network = Network::start().await;
    let office = network.office("mosvy-kandal").await;
    let at_office = connect(&office.address, &user("mosvy-kandal"), "mosvy-kandal").await.unwrap();
    let far = network.client("poipet").await;
    network.mailbox(&far, "poipet").await;
    eventually(SOON, "the link to the hub", async || network::jetstream(&at_office).query_account().await.is_ok())
        .await;
    network.mailbox(&at_office, "mosvy-kandal").await;

    let acknowledgement = mail(&at_office, "poipet", "mosvy-kandal", "out").await.unwrap();
    assert_eq!((acknowledgement.stream.as_str(), acknowledgement.domain.as_str()), ("INBOX_POIPET", HUB_DOMAIN));
    assert_eq!(network::fetch(&far, "poipet", 1).await, ["out"]);

    mail(&far, "mosvy-kandal", "poipet", "back").await.unwrap();
    assert_eq!(network::fetch(&at_office, "mosvy-kandal", 1).await, ["back"]);

    // The office's server hears a moment later that the hub has a new mailbox; until then nobody takes the letter.
    network.mailbox(&network.client("mosvy-hq").await, "mosvy-hq").await;
    let to_a_colleague = async || mail(&at_office, "mosvy-hq", "mosvy-kandal", "to a colleague").await.ok();
    let acknowledgement = eventually_some(SOON, "the colleague's mailbox", to_a_colleague).await;
    assert_eq!(acknowledgement.stream, "INBOX_MOSVY_HQ");

    // As another node it cannot write from there either: the hub holds the link to the rights of its user.
    assert!(mail(&at_office, "poipet", "mosvy-hq", "a forgery").await.is_err());
    assert!(network::jetstream(&at_office).get_stream("INBOX_POIPET").await.is_err());
}

#[tokio::test]
async fn what_an_office_says_to_itself_stays_there() {
    let network = Network::start().await;
    let office = network.office("mosvy-kandal").await;
    let at_office = connect(&office.address, &user("mosvy-kandal"), "mosvy-kandal").await.unwrap();
    eventually(SOON, "the link to the hub", async || network::jetstream(&at_office).query_account().await.is_ok())
        .await;
    let mut at_hub = network.mailbox(&at_office, "mosvy-kandal").await;
    let node = "mosvy-kandal".parse().unwrap();
    let own = jetstream::with_domain(at_office.clone(), node_domain(&node));
    let mut at_home = own.create_stream(topology::mailbox(&node, 4 * 1024 * 1024)).await.unwrap();

    let acknowledgement = mail(&at_office, "mosvy-kandal", "mosvy-kandal", "a note to myself").await.unwrap();
    let colleague = network.client("mosvy-hq").await;
    mail(&colleague, "mosvy-kandal", "mosvy-hq", "from outside").await.unwrap();

    assert_eq!(acknowledgement.domain, node_domain(&node));
    assert_eq!(at_home.info().await.unwrap().state.messages, 1);
    assert_eq!(at_hub.info().await.unwrap().state.messages, 1);
    assert_eq!(at_hub.get_raw_message(1).await.unwrap().payload, "from outside");
}

/// The permissions at the hub would be enough, but they are the hub's. This hub grants everything.
#[tokio::test]
async fn nothing_private_leaves_an_office_even_to_a_hub_that_asks_for_everything() {
    let network = Network::start().await;
    let (folder, leaf_port, client_port) = (spean_testkit::a_folder(), free_port(), free_port());
    let prying = network::prying_hub(client_port, leaf_port, folder.path());
    let port = free_port();
    let _hub = NatsServer::start(&network.binary, folder.path(), &prying(port), port).await.unwrap();
    let spy = connect(&format!("nats://127.0.0.1:{client_port}"), &user("mosvy-hq"), "mosvy-hq").await.unwrap();
    let mut heard = spy.subscribe(">").await.unwrap();
    let office = network.office_of_hub("mosvy-kandal", leaf_port).await;
    let at_office = connect(&office.address, &user("mosvy-kandal"), "mosvy-kandal").await.unwrap();
    let own = jetstream::with_domain(at_office.clone(), "node-mosvy-kandal");
    let linked = async || {
        at_office.publish("inbox.ngo.mosvy-kandal.referral.referral", "are you there".into()).await.unwrap();
        tokio::time::timeout(Duration::from_millis(200), heard.next()).await.is_ok()
    };
    eventually(SOON, "the link to the hub", linked).await;

    let node = "mosvy-kandal".parse().unwrap();
    own.create_stream(topology::mailbox(&node, 4 * 1024 * 1024)).await.unwrap();
    for subject in
        ["inbox.mosvy-kandal.mosvy-kandal.a.b", "local.visits", "$KV.b.k", "$O.b.C", "$SRV.PING", "_INBOX.x.y"]
    {
        at_office.publish(subject, "private".into()).await.unwrap();
    }
    at_office.publish("inbox.ngo.mosvy-kandal.referral.last", "the last".into()).await.unwrap();
    while let Some(message) = heard.next().await {
        assert!(message.subject.starts_with("inbox.ngo.mosvy-kandal."), "{} left the office", message.subject);
        if message.payload == "the last" {
            break;
        }
    }

    // Nor can it steer the office's JetStream or put mail into the office's own stream.
    assert!(jetstream::with_domain(spy.clone(), "node-mosvy-kandal").query_account().await.is_err());
    let forged = mail(&spy, "mosvy-kandal", "mosvy-kandal", "a forgery").await;
    assert!(forged.is_err());
    assert_eq!(own.get_stream("INBOX_MOSVY_KANDAL").await.unwrap().cached_info().state.messages, 1);
}

#[tokio::test]
async fn an_office_without_its_link_is_told_at_once_and_goes_on_when_the_link_is_back() {
    let mut network = Network::start().await;
    let office = network.office("mosvy-kandal").await;
    let at_office = connect(&office.address, &user("mosvy-kandal"), "mosvy-kandal").await.unwrap();
    eventually(SOON, "the link to the hub", async || network::jetstream(&at_office).query_account().await.is_ok())
        .await;
    network.mailbox(&network.client("poipet").await, "poipet").await;
    mail(&at_office, "poipet", "mosvy-kandal", "before").await.unwrap();

    network.hub.kill().await.unwrap();
    eventually(SOON, "the link's end", async || mail(&at_office, "poipet", "mosvy-kandal", "lost").await.is_err())
        .await;
    network.hub.restart().await.unwrap();

    eventually(SOON, "the link", async || mail(&at_office, "poipet", "mosvy-kandal", "after").await.is_ok()).await;
    let fetched = network::fetch(&network.client("poipet").await, "poipet", 2).await;
    assert_eq!(fetched, ["before", "after"]);
}

#[tokio::test]
async fn the_server_accepts_every_generated_file() {
    let network = Network::start().await;
    let folder = spean_testkit::a_folder();
    let plain = network::hub_options(folder.path());
    let tls = network::certificates(folder.path());
    let secured =
        topology::HubOptions { tls: Some(tls.clone()), operator: Some(user("operator").public_key()), ..plain.clone() };
    let mut files = vec![topology::hub(&network.directory, &plain), topology::hub(&network.directory, &secured)];
    for node in &network.directory.nodes {
        let plain = network::leaf_options(folder.path(), &node.id, 7422);
        network::write_seed(folder.path(), node.id.as_str());
        let secured = topology::LeafOptions { tls: Some(tls.clone()), ..plain.clone() };
        files.extend([plain, secured].map(|options| topology::leaf(&network.directory, &node.id, &options).unwrap()));
    }
    for file in files {
        let path = folder.path().join("tried.conf");
        std::fs::write(&path, &file).unwrap();
        let tried = std::process::Command::new(network.binary.path()).arg("-t").arg("-c").arg(&path).output().unwrap();
        assert!(tried.status.success(), "{}\n{file}", String::from_utf8_lossy(&tried.stderr));
    }
}

#[tokio::test]
async fn a_node_that_is_not_in_the_directory_gets_no_configuration() {
    let network = Network::start().await;
    let (folder, unknown) = (spean_testkit::a_folder(), "unknown".parse().unwrap());
    let options = network::leaf_options(folder.path(), &unknown, 7422);
    assert_eq!(topology::leaf(&network.directory, &unknown, &options), None);
}

#[tokio::test]
async fn only_a_server_that_writes_before_it_acknowledges_passes_the_check() {
    let network = Network::start().await;
    assert!(check_sync_always(network.hub.monitor()).await.is_ok());

    let (folder, port) = (spean_testkit::a_folder(), free_port());
    let store = NatsServer::store(folder.path());
    let careless = format!(
        "listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {store:?} }}\n",
        free_port()
    );
    let server = NatsServer::start(&network.binary, folder.path(), &careless, port).await.unwrap();
    assert!(matches!(check_sync_always(server.monitor()).await, Err(MonitorError::NotSynchronous)));

    let nobody = format!("http://127.0.0.1:{}", free_port());
    assert!(matches!(check_sync_always(&nobody).await, Err(MonitorError::Unreachable(_))));
    assert!(matches!(check_sync_always("nowhere").await, Err(MonitorError::Address)));
}

#[tokio::test]
async fn a_killed_hub_comes_back_with_its_mail_and_a_wiped_one_without() {
    let mut network = Network::start().await;
    let sender = network.client("mosvy-hq").await;
    network.mailbox(&network.client("poipet").await, "poipet").await;
    mail(&sender, "poipet", "mosvy-hq", "a letter").await.unwrap();

    network.hub.kill().await.unwrap();
    network.hub.restart().await.unwrap();
    let receiver = network.client("poipet").await;
    let stream = network::jetstream(&receiver).get_stream("INBOX_POIPET").await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 1);

    network.hub.wipe().await.unwrap();
    network.hub.restart().await.unwrap();
    let receiver = network.client("poipet").await;
    assert!(network::jetstream(&receiver).get_stream("INBOX_POIPET").await.is_err());
}

#[test]
fn subjects_of_mail_name_the_receiver_then_the_sender() {
    let (to, from) = ("poipet".parse().unwrap(), "mosvy-hq".parse().unwrap());
    let subject = mailbox_subject(&to, Service::Referral, &from, Service::Referral);
    assert_eq!(subject, "inbox.poipet.mosvy-hq.referral.referral");
}
