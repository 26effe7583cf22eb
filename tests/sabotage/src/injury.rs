//! Letters that no program writes: what a node lies, with its real keys, is put into its outbox while it does not run.

use serde_json::{Value, json};
use spean_custody::Party;
use spean_custody::case::{Certificate, CertificateSignature, SignedCertificate};
use spean_tests::Network;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions as _, Row as _};

/// Who writes to whom, about what.
pub(crate) struct Lie<'l> {
    /// The node that lies.
    pub(crate) node: &'l str,
    /// The node that is told.
    pub(crate) to: &'l str,
    /// The message of the custody protocol, with its `type`.
    pub(crate) message: Value,
    /// In whose name: office and node.
    pub(crate) from_office: (&'l str, &'l str),
    /// The office that is told.
    pub(crate) to_office: &'l str,
    pub(crate) case: &'l str,
}

/// Writes the letter with the next number, as the post office would have.
pub(crate) async fn post(network: &Network, lie: Lie<'_>) {
    let mut database = open(network, lie.node).await;
    let peer = format!("{}/referral", lie.to);
    let row = sqlx::query("select state from post_link where peer = $1").bind(&peer).fetch_one(&mut database).await;
    let mut link: Value = serde_json::from_str(row.expect("they have written before").get(0)).expect("JSON");
    let sequence = link["assigned"].as_u64().expect("a number") + 1;
    link["assigned"] = json!(sequence);
    let party = |office: &str, node: &str| json!({ "node": node, "office": office });
    let letter = json!({
        "from": party(lie.from_office.0, lie.from_office.1),
        "to": party(lie.to_office, lie.to),
        "message": lie.message,
    });
    let kind = lie.message["type"].as_str().expect("a message has a type").to_owned();
    let statement =
        "insert into post_out (peer, incarnation, sequence, kind, case_id, body, attachment, trace, posted_at,
        attempt, next_attempt_at) values ($1, $2, $3, $4, $5, $6, null, '', 0, 0, 0)";
    let posted = sqlx::query(statement)
        .bind(&peer)
        .bind(link["incarnation"].as_i64().expect("a number"))
        .bind(i64::try_from(sequence).expect("a small number"))
        .bind(kind)
        .bind(lie.case)
        .bind(serde_json::to_vec(&letter).expect("JSON"))
        .execute(&mut database);
    posted.await.expect("the outbox takes it");
    let noted = sqlx::query("update post_link set state = $1 where peer = $2").bind(link.to_string()).bind(&peer);
    noted.execute(&mut database).await.expect("the link takes it");
    sqlx::Connection::close(database).await.expect("it closes");
}

/// The chain of a case as a node knows it, with an override behind it by which a thief takes the case. It names both
/// who must sign, and neither has.
pub(crate) async fn forged_override(
    network: &Network,
    node: &str,
    case: &str,
    thief: &Party,
    bodies: [Party; 2],
) -> Value {
    let mut database = open(network, node).await;
    let row =
        sqlx::query("select chain from custody_view where case_id = $1").bind(case).fetch_one(&mut database).await;
    let mut chain: Vec<SignedCertificate> =
        serde_json::from_str(row.expect("the node knows the case").get(0)).expect("a chain");
    sqlx::Connection::close(database).await.expect("it closes");
    let last = chain.last().expect("a certificate").certificate.clone();
    let certificate = Certificate {
        term: last.term + 1,
        epoch: last.epoch + 1,
        holder: thief.clone(),
        issued_by: bodies[0].clone(),
        offer: None,
        previous: Some(last.digest()),
        ..last
    };
    let signatures = bodies.map(|body| CertificateSignature::new(body, &[7; 64])).to_vec();
    chain.push(SignedCertificate { certificate, signatures });
    serde_json::to_value(chain).expect("JSON")
}

async fn open(network: &Network, node: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rw", network.data(node).join("referral.sqlite").display());
    let options: AnyConnectOptions = url.parse().expect("a url");
    options.connect().await.expect("the database of a node that does not run")
}
