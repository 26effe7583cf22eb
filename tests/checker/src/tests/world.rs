//! A small network that never ran: its files are written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions as _, Executor as _};

use crate::certificate::{Certificate, hex};
use crate::journal::{Answered, Asked, Intent, Line, Outcome};
use crate::log::Stored;
use crate::{Evidence, Report, judge};

pub(super) const POIPET: &str = "poipet";
pub(super) const KANDAL: &str = "kandal";
/// The authority; its cosigner is Kandal.
pub(super) const MOSVY: &str = "mosvy";
pub(super) const CASE: &str = "the-case";
pub(super) const OFFER: &str = "the-offer";

const TABLES: &str = "
    create table event (position bigint, category text, id text, version bigint, event_type text, payload text,
        command_id text, request_digest blob, office text, staff text, recorded_at bigint, occurred_on text, trace text,
        hash blob);
    create table post_out (peer text, incarnation bigint, sequence bigint, kind text, case_id text, body blob,
        settled_at bigint);
    create table post_in (peer text, incarnation bigint, sequence bigint, kind text, case_id text, content blob,
        state text, reason text);
    create table post_unreadable (reason text);
    create table post_recovery (peer text);
    create table post_returned (peer text);
    create table custody_view (office text, case_id text, holder_office text, term bigint, epoch bigint);
    create table offer (office text, offer_id text, direction text, state text);
    create table dossier (offer_id text, direction text, sealed blob, digest blob)";

type Event = (&'static str, String, Value);

#[derive(Default)]
pub(super) struct Node {
    pub(super) referral: Vec<Event>,
    pub(super) cases: Vec<Event>,
    pub(super) out: Vec<Letter>,
    pub(super) got: Vec<Letter>,
    pub(super) unreadable: Vec<&'static str>,
    pub(super) awaits: Vec<&'static str>,
    /// Office, holder, place.
    pub(super) views: Vec<(String, String, (u32, u32))>,
    /// Office, offer, direction, state.
    pub(super) offers: Vec<(String, String, &'static str, &'static str)>,
    /// Offer, and what is sealed.
    pub(super) dossiers: Vec<(String, Vec<u8>)>,
    pub(super) flips_a_hash: bool,
}

#[derive(Clone)]
pub(super) struct Letter {
    peer: String,
    sequence: i64,
    kind: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) settled: bool,
    pub(super) state: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) nodes: BTreeMap<&'static str, Node>,
    pub(super) journal: Vec<Line>,
    pub(super) canaries: Vec<String>,
    pub(super) explained: BTreeSet<String>,
    pub(super) log_of_the_hub: String,
}

pub(super) fn office_of(node: &str) -> String {
    format!("office-of-{node}")
}

pub(super) fn party(node: &str) -> Value {
    json!({ "node": node, "office": office_of(node) })
}

pub(super) fn stream(node: &str) -> String {
    format!("{}/{CASE}", office_of(node))
}

fn key(node: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(node.as_bytes()).into())
}

fn public(node: &str) -> String {
    BASE64.encode(key(node).verifying_key().to_bytes())
}

/// A case that was registered at Poipet, offered to Kandal, accepted there, and handed over, with all that belongs to it.
pub(super) fn story() -> World {
    let mut world =
        World { nodes: [POIPET, KANDAL, MOSVY].map(|node| (node, Node::default())).into(), ..World::default() };
    let sealed = b"sealed".to_vec();
    let terms = json!({ "kind": "transfer", "dossier_digest": hex(&Sha256::digest(&sealed)) });
    let chain = world.chain_to(KANDAL);
    let (from, to) = (party(POIPET), party(KANDAL));
    world.node(POIPET).cases.push(("case", CASE.to_owned(), json!({ "type": "registered" })));
    world.custody(POIPET, json!({ "type": "opened", "certificate": chain[0] }));
    let offered = json!({ "type": "offered", "case": CASE, "offer": OFFER, "from": from, "to": to, "terms": terms });
    world.custody(POIPET, offered);
    world.custody(POIPET, json!({ "type": "transferred", "case": CASE, "offer": OFFER, "to": to, "chain": chain }));
    let received =
        json!({ "type": "offer_received", "case": CASE, "offer": OFFER, "from": from, "to": to, "terms": terms });
    world.custody(KANDAL, received);
    world.custody(KANDAL, json!({ "type": "accepted", "case": CASE, "offer": OFFER, "to": from, "term": 0 }));
    let came = json!({ "type": "transfer_received", "case": CASE, "offer": OFFER, "at": to, "chain": chain });
    world.custody(KANDAL, came);
    world.custody(MOSVY, json!({ "type": "certificates_learned", "at": party(MOSVY), "chain": chain }));
    for node in [POIPET, KANDAL, MOSVY] {
        world.view(node, KANDAL, (0, 1));
    }
    world.node(POIPET).offers.push((office_of(POIPET), OFFER.to_owned(), "out", "ACCEPTED"));
    world.node(KANDAL).offers.push((office_of(KANDAL), OFFER.to_owned(), "in", "ACCEPTED"));
    world.node(KANDAL).dossiers.push((OFFER.to_owned(), sealed));
    world.letter(POIPET, KANDAL, 1, "offer");
    world.letter(KANDAL, POIPET, 1, "accept");
    world.letter(POIPET, KANDAL, 2, "transfer");
    world.asked(1, POIPET, Intent::Register { case: CASE.to_owned() }, Some(Outcome::Ok));
    let offer = Intent::Offer { case: CASE.to_owned(), offer: OFFER.to_owned(), to: office_of(KANDAL), transfer: true };
    world.asked(2, POIPET, offer, Some(Outcome::Ok));
    world.asked(3, KANDAL, Intent::Accept { offer: OFFER.to_owned() }, Some(Outcome::Ok));
    world
}

impl World {
    pub(super) fn node(&mut self, node: &str) -> &mut Node {
        self.nodes.get_mut(node).expect("a node of the story")
    }

    pub(super) fn custody(&mut self, node: &str, event: Value) {
        self.node(node).referral.push(("custody", stream(node), event));
    }

    pub(super) fn view(&mut self, node: &str, holder: &str, place: (u32, u32)) {
        self.node(node).views.push((office_of(node), office_of(holder), place));
    }

    fn letter(&mut self, from: &'static str, to: &'static str, sequence: i64, kind: &'static str) {
        let letter = |peer: &str| Letter {
            peer: format!("{peer}/referral"),
            sequence,
            kind,
            body: kind.as_bytes().to_vec(),
            settled: true,
            state: "applied",
            reason: "",
        };
        self.node(from).out.push(letter(to));
        self.node(to).got.push(letter(from));
    }

    pub(super) fn asked(&mut self, n: u64, node: &str, what: Intent, outcome: Option<Outcome>) {
        let at = i64::try_from(n).expect("a small number") * 10;
        let asked = Asked { n, at, office: office_of(node), method: "Method".to_owned(), what, ..Asked::default() };
        self.journal.push(Line::Asked(asked));
        if let Some(outcome) = outcome {
            self.answered(n, outcome);
        }
    }

    pub(super) fn answered(&mut self, n: u64, outcome: Outcome) {
        let at = i64::try_from(n).expect("a small number") * 10 + 1;
        self.journal.push(Line::Answered(Answered { n, at, outcome, code: String::new(), custody: None }));
    }

    /// The certificate that Poipet opened the case with, and the one by which it gave it away.
    pub(super) fn chain_to(&self, holder: &str) -> Vec<Value> {
        self.chain_issued_by(POIPET, holder, 1, 0)
    }

    pub(super) fn chain_issued_by(&self, issuer: &str, holder: &str, epoch: u32, term: u32) -> Vec<Value> {
        let first = json!({ "case": CASE, "term": 0, "epoch": 0, "holder": party(POIPET), "issued_by": party(POIPET),
            "offer": null, "previous": null, "issued_at": 1 });
        let next = json!({ "case": CASE, "term": term, "epoch": epoch, "holder": party(holder),
            "issued_by": party(issuer), "offer": OFFER, "previous": digest(&first), "issued_at": 2 });
        vec![self.signed(&first, &[POIPET]), self.signed(&next, &[issuer])]
    }

    pub(super) fn overridden(&self, signers: &[&str]) -> Vec<Value> {
        let mut chain = self.chain_to(KANDAL);
        let moved = json!({ "case": CASE, "term": 1, "epoch": 2, "holder": party(MOSVY), "issued_by": party(MOSVY),
            "offer": null, "previous": digest(&chain[1]["certificate"]), "issued_at": 3, "basis": "court_order" });
        chain.push(self.signed(&moved, signers));
        chain
    }

    fn signed(&self, certificate: &Value, signers: &[&str]) -> Value {
        let signature = |node: &&str| json!({ "by": party(node), "signature": self.signature_of(node, certificate) });
        json!({ "certificate": certificate, "signatures": signers.iter().map(signature).collect::<Vec<_>>() })
    }

    /// What a node signs for a certificate; a signature of nobody when there is no such node.
    #[expect(clippy::unused_self, reason = "it reads as what somebody of this world does")]
    pub(super) fn signature_of(&self, node: &str, certificate: &Value) -> String {
        let message = [b"spean custody certificate v1\0", canonical(certificate).as_slice()].concat();
        hex(&key(node).sign(&message).to_bytes())
    }

    /// Writes all of it, and has it judged.
    pub(super) async fn judge(&self) -> Report {
        sqlx::any::install_default_drivers();
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join("network");
        fs::create_dir_all(folder.join("hub")).expect("the folder is ours");
        fs::write(folder.join("hub/log.txt"), &self.log_of_the_hub).expect("the folder is ours");
        fs::write(folder.join("directory.json"), directory()).expect("the folder is ours");
        for (node, kept) in &self.nodes {
            let data = folder.join(node).join("data");
            fs::create_dir_all(&data).expect("the folder is ours");
            let settings = format!("node = {node:?}\ndata = {data:?}\nroot = {:?}\nother = 1\n", public("root"));
            fs::write(folder.join(node).join("node.toml"), settings).expect("the folder is ours");
            for (name, events) in [("referral", &kept.referral), ("cases", &kept.cases), ("vault", &vec![])] {
                let url = format!("sqlite://{}?mode=rwc", data.join(format!("{name}.sqlite")).display());
                let options: AnyConnectOptions = url.parse().expect("a url");
                let mut database = options.connect().await.expect("a new file");
                // Nothing of it must outlive the test.
                database.execute("pragma synchronous = off").await.expect("SQL");
                database.execute(sqlx::raw_sql(TABLES)).await.expect("SQL");
                kept.write(name, events, &mut database).await.expect("SQL");
                sqlx::Connection::close(database).await.expect("it closes");
            }
        }
        let journal = temporary.path().join("journal.jsonl");
        let lines = self.journal.iter().map(|line| serde_json::to_string(line).expect("JSON") + "\n");
        fs::write(&journal, lines.collect::<String>()).expect("the folder is ours");
        let (canaries, explained) = (self.canaries.clone(), self.explained.clone());
        let evidence = Evidence { folder, journals: vec![journal], canaries, explained, ..Evidence::default() };
        judge(&evidence).await.expect("the evidence can be read")
    }
}

impl Node {
    async fn write(&self, name: &str, events: &[Event], database: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let (mut before, mut versions) = (vec![0; 32], BTreeMap::<String, i64>::new());
        for (position, (category, id, event)) in (1..).zip(events) {
            let version = versions.entry(format!("{category}/{id}")).or_default();
            *version += 1;
            let mut stored = Stored {
                position,
                category: (*category).to_owned(),
                id: id.clone(),
                version: *version,
                kind: event["type"].as_str().expect("every event has a type").to_owned(),
                payload: event.to_string(),
                office: id.split('/').next().unwrap_or_default().to_owned(),
                ..Stored::default()
            };
            stored.hash = stored.hash_after(&before);
            before.clone_from(&stored.hash);
            if self.flips_a_hash {
                stored.hash[7] ^= 1;
            }
            let sql =
                "insert into event (position, category, id, version, event_type, payload, office, recorded_at, hash)
                values ($1, $2, $3, $4, $5, $6, $7, 0, $8)";
            let query = sqlx::query(sql).bind(stored.position).bind(stored.category).bind(stored.id);
            let query = query.bind(stored.version).bind(stored.kind).bind(stored.payload).bind(stored.office);
            query.bind(stored.hash).execute(&mut *database).await?;
        }
        if name == "referral" { self.write_desk(database).await } else { self.write_vault(name, database).await }
    }

    async fn write_desk(&self, database: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for letter in &self.out {
            let query = sqlx::query("insert into post_out values ($1, 1, $2, $3, $4, $5, $6)");
            let query = query.bind(letter.peer.clone()).bind(letter.sequence).bind(letter.kind).bind(CASE);
            query.bind(letter.body.clone()).bind(letter.settled.then_some(1_i64)).execute(&mut *database).await?;
        }
        for letter in &self.got {
            let length = u8::try_from(letter.body.len()).expect("a short body");
            let content = [&[0x0a, 1, b'x', 0x10, 0x96, 0x01, 0x2a, length], letter.body.as_slice()].concat();
            let query = sqlx::query("insert into post_in values ($1, 1, $2, $3, $4, $5, $6, $7)");
            let query = query.bind(letter.peer.clone()).bind(letter.sequence).bind(letter.kind).bind(CASE);
            query.bind(content).bind(letter.state).bind(letter.reason).execute(&mut *database).await?;
        }
        for reason in &self.unreadable {
            sqlx::query("insert into post_unreadable values ($1)").bind(*reason).execute(&mut *database).await?;
        }
        for peer in &self.awaits {
            sqlx::query("insert into post_recovery values ($1)").bind(*peer).execute(&mut *database).await?;
        }
        for (office, holder, (term, epoch)) in &self.views {
            let query = sqlx::query("insert into custody_view values ($1, $2, $3, $4, $5)");
            let query = query.bind(office.clone()).bind(CASE).bind(holder.clone());
            query.bind(i64::from(*term)).bind(i64::from(*epoch)).execute(&mut *database).await?;
        }
        for (office, offer, direction, state) in &self.offers {
            let query = sqlx::query("insert into offer values ($1, $2, $3, $4)");
            query
                .bind(office.clone())
                .bind(offer.clone())
                .bind(*direction)
                .bind(*state)
                .execute(&mut *database)
                .await?;
        }
        Ok(())
    }

    async fn write_vault(&self, name: &str, database: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for (offer, sealed) in self.dossiers.iter().filter(|_| name == "vault") {
            let query = sqlx::query("insert into dossier values ($1, 'in', $2, $3)");
            let digest = Sha256::digest(sealed).to_vec();
            query.bind(offer.clone()).bind(sealed.clone()).bind(digest).execute(&mut *database).await?;
        }
        Ok(())
    }
}

fn canonical(certificate: &Value) -> Vec<u8> {
    let certificate: Certificate = serde_json::from_value(certificate.clone()).expect("a certificate");
    [b"spean custody certificate 1\n", serde_json::to_vec(&certificate).expect("JSON").as_slice()].concat()
}

fn digest(certificate: &Value) -> String {
    hex(&Sha256::digest(canonical(certificate)))
}

fn directory() -> String {
    let nodes = [POIPET, KANDAL, MOSVY];
    let node = |node: &str| json!({ "id": node, "keys": { "signing": public(node) } });
    let office = |node: &str| json!({ "id": office_of(node), "node": node });
    let document = json!({ "authority": office_of(MOSVY), "cosigner": office_of(KANDAL),
        "node": nodes.map(node), "office": nodes.map(office) })
    .to_string();
    let message = [b"spean directory v1\0", document.as_bytes()].concat();
    json!({ "document": document, "signature": BASE64.encode(key("root").sign(&message).to_bytes()) }).to_string()
}
