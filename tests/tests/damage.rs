//! Every kind of damage to what a node keeps is told by `spean node verify`, by table and key, and never by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI};
use spean_chassis::Configuration;
use spean_eventstore::{Digest, Recorded, Snapshot};
use spean_testkit::eventually;
use spean_tests::{Canary, Network, PATIENCE, copy_folder, hand_over, network, settled, spean_program};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};

/// A copy of a node's data that is damaged, and verified as the node would be.
struct Bench {
    whole: PathBuf,
    data: PathBuf,
    settings: PathBuf,
}

#[tokio::test]
async fn every_kind_of_damage_is_found_and_told_without_a_name() {
    let mut network = network().await;
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    hand_over(&sender, &receiver, 0).await;
    hand_over(&receiver, &sender, 1).await;
    settled(&network).await;
    let bench = Bench::of(&mut network).await;
    bench.finds("", None, async || {}).await;

    // The log itself.
    let flipped = "update event set payload = replace(payload, 'routine', 'urgent ') where position = 3;
                   update event set payload = payload || ' ' where position = 3";
    bench.finds("referral: log", Some("broken at position 3"), async || bench.meddle("referral", flipped).await).await;
    let missing = "delete from event where position = 2";
    bench.finds("cases: log", Some("broken at position 2"), async || bench.meddle("cases", missing).await).await;
    let moved = "update event set occurred_on = '2026-01-01' where position = 2";
    bench.finds("cases: log", Some("broken at position 2"), async || bench.meddle("cases", moved).await).await;
    let cut = "delete from event where position = (select max(position) from event)";
    bench.finds("referral: head", Some("events are recorded"), async || bench.meddle("referral", cut).await).await;
    bench
        .finds("followup: log", Some("gone; it had"), async || {
            fs::remove_file(bench.data.join("followup.sqlite")).expect("it is there");
        })
        .await;

    // Somebody who knows how the hashes are made, and makes them anew.
    let unknown = |event: &mut Recorded| event.payload = event.payload.replacen("\"type\":\"", "\"type\":\"un", 1);
    bench
        .finds("cases: events", Some("cannot be read by this version"), async || {
            bench.rewrite("cases", |event| event.position == 2, unknown).await;
        })
        .await;
    let forged = |event: &mut Recorded| event.payload = forge(&event.payload);
    bench
        .finds("custody", Some("BAD_SIGNATURE"), async || {
            bench.rewrite("referral", |event| event.event_type == "opened", forged).await;
        })
        .await;

    // What is derived from it.
    let changed = "update case_file set age_band = 'elderly' where registered_position =
                   (select min(registered_position) from case_file)";
    bench
        .finds("cases: case_file", Some("is not as the log says"), async || bench.meddle("cases", changed).await)
        .await;
    let lost = "delete from case_file";
    bench.finds("cases: case_file", Some("is missing"), async || bench.meddle("cases", lost).await).await;
    let invented = "insert into case_file select 'nobody', null, person_id, registered_position, registered_on, sex,
                        age_band, home_place, missing, returned_on, merged_into, erased from case_file limit 1";
    bench
        .finds("cases: case_file", Some("nobody is not from the log"), async || {
            bench.meddle("cases", invented).await;
        })
        .await;
    let behind = "update read_model set position = position - 1 where name = 'register'";
    bench.finds("cases: register", Some("the log at"), async || bench.meddle("cases", behind).await).await;

    bench.is_mended_by_rebuilding().await;

    // The vault.
    for (table, column) in [("sealed_part", "sealed"), ("dossier", "sealed"), ("person_key", "wrapped")] {
        let flaw = format!("{table} ");
        bench.finds(&flaw, Some("does not open"), async || bench.flip("vault", table, column).await).await;
    }
    let swapped = "update sealed_part set sealed = coalesce((select sealed from sealed_part other
                       where other.person_id <> sealed_part.person_id and other.part = sealed_part.part limit 1), sealed)";
    bench.finds("sealed_part ", Some("does not open"), async || bench.meddle("vault", swapped).await).await;
    let others = network.data("ratanak-kiri").join("vault.sqlite");
    bench
        .finds("vault", Some("keys of another node"), async || {
            network.cut_power("ratanak-kiri").expect("a node can be killed");
            for ending in ["", "-wal", "-shm"] {
                let with = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
                let (from, to) = (with(&others), with(&bench.data.join("vault.sqlite")));
                if from.exists() {
                    fs::copy(from, to).expect("a file can be copied");
                } else if to.exists() {
                    fs::remove_file(to).expect("a file can be removed");
                }
            }
        })
        .await;
}

impl Bench {
    async fn of(network: &mut Network) -> Self {
        // The mark follows the log within a second.
        for service in ["referral", "followup"] {
            let file = network.data("kandal").join(format!("{service}.sqlite"));
            let mark = network.settings("kandal").mark_of(service);
            eventually(PATIENCE, "the mark to be where the log is", async || {
                let mut connection = connect(&file).await;
                let row = sqlx::query("select max(position) from event").fetch_one(&mut connection).await;
                let end: i64 = row.expect("the query runs").get(0);
                let mark = fs::read_to_string(&mark).unwrap_or_default();
                mark.contains(&format!("\"position\":{end},"))
            })
            .await;
        }
        network.cut_power("kandal").expect("a node can be killed");
        let (whole, data) = (network.folder().join("whole"), network.folder().join("damaged"));
        copy_folder(&network.data("kandal"), &whole);
        let settings = network.folder().join("damaged.toml");
        let configuration = Configuration { data: data.clone(), ..network.settings("kandal") };
        fs::write(&settings, toml::to_string(&configuration).expect("settings are TOML")).expect("the folder is ours");
        Self { whole, data, settings }
    }

    /// Damages a whole copy and verifies it; nothing is expected of a copy that was left whole.
    async fn finds(&self, what: &str, expected: Option<&str>, damage: impl AsyncFnOnce()) {
        copy_folder(&self.whole, &self.data);
        damage().await;
        let verify = Command::new(spean_program()).args(["node", "verify", "--config"]).arg(&self.settings).output();
        let verify = verify.expect("the program starts");
        let report = String::from_utf8_lossy(&verify.stdout);
        let all = format!("{report}{}", String::from_utf8_lossy(&verify.stderr));
        assert_eq!(verify.status.success(), expected.is_none(), "{what}:\n{all}");
        assert_eq!(report.contains("DIFFERENT"), expected.is_some(), "{what}:\n{all}");
        if let Some(expected) = expected {
            // A cell may be broken into several lines.
            let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(what.trim()) && words.contains(expected), "{what:?}, {expected:?}:\n{all}");
        }
        for word in Canary::ALL {
            assert!(!all.contains(word), "it said {word:?}");
        }
    }

    /// Lists that are not what the logs say are made anew from them: by name, or all. A log is never touched.
    async fn is_mended_by_rebuilding(&self) {
        copy_folder(&self.whole, &self.data);
        let before = self.events().await;
        self.meddle("cases", "delete from case_file").await;
        self.meddle("referral", "update offer set state = 'WITHDRAWN'").await;
        assert!(!self.node(&["verify"]).0, "there is something to mend");
        let (done, said) = self.node(&["rebuild", "--read-model", "register"]);
        assert!(done && said.starts_with("1 read models"), "{said}");
        let (whole, said) = self.node(&["verify"]);
        // A cell may be broken into several lines.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            !whole && said.contains("referral: offer") && !said.contains("cases: case_file"),
            "only the one was asked for: {said}"
        );
        let (done, said) = self.node(&["rebuild", "--read-model", "no-such-list"]);
        assert!(!done && said.contains("no service of this node has such a read model"), "{said}");
        let (done, said) = self.node(&["rebuild"]);
        assert!(done, "{said}");
        let (whole, said) = self.node(&["verify"]);
        assert!(whole, "{said}");
        assert_eq!(self.events().await, before, "no log was touched");
    }

    /// Where the log of each service ends, with the hash of all that stands in it.
    async fn events(&self) -> Vec<(i64, Vec<u8>)> {
        let mut ends = Vec::new();
        for service in ["cases", "referral", "followup"] {
            let mut connection = connect(&self.data.join(format!("{service}.sqlite"))).await;
            let last = sqlx::query("select position, hash from event order by position desc limit 1");
            let row = last.fetch_one(&mut connection).await.expect("there are events");
            ends.push((row.get(0), row.get(1)));
        }
        ends
    }

    /// Runs a command of `spean node` on the copy: whether it succeeded, and what it said.
    fn node(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(spean_program());
        let run = command.arg("node").args(arguments).arg("--config").arg(&self.settings).output();
        let run = run.expect("the program starts");
        let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        (run.status.success(), said)
    }

    async fn meddle(&self, database: &str, statements: &'static str) {
        let mut connection = connect(&self.data.join(format!("{database}.sqlite"))).await;
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("the statements run");
    }

    /// One bit of the first sealed value of a table.
    async fn flip(&self, database: &str, table: &str, column: &str) {
        let mut connection = connect(&self.data.join(format!("{database}.sqlite"))).await;
        let select = AssertSqlSafe(format!("select rowid, {column} from {table} order by rowid limit 1"));
        let row = sqlx::query(select).fetch_one(&mut connection).await.expect("there is one");
        let (place, mut sealed): (i64, Vec<u8>) = (row.get(0), row.get(1));
        let middle = sealed.len() / 2;
        sealed[middle] ^= 1;
        let update = AssertSqlSafe(format!("update {table} set {column} = $1 where rowid = $2"));
        sqlx::query(update).bind(sealed).bind(place).execute(&mut connection).await.expect("the statement runs");
    }

    /// Changes an event and makes all hashes from there on anew, and takes the marks to where the log then ends.
    async fn rewrite(&self, service: &str, wanted: impl Fn(&Recorded) -> bool, change: impl Fn(&mut Recorded)) {
        let file = self.data.join(format!("{service}.sqlite"));
        let mut snapshot = Snapshot::open(&format!("sqlite://{}", file.display()), service).await.expect("a log");
        let mut events = snapshot.events_after(0, i64::MAX).await.expect("events");
        snapshot.close().await;
        let place = events.iter().position(wanted).expect("there is such an event");
        change(&mut events[place]);
        let mut connection = connect(&file).await;
        connection.execute("begin").await.expect("a transaction");
        let mut before = place.checked_sub(1).map_or(Digest::default(), |before| events[before].hash);
        for event in &mut events[place..] {
            event.hash = event.hash_after(&before);
            before = event.hash;
            sqlx::query("update event set payload = $1, hash = $2 where position = $3")
                .bind(&event.payload)
                .bind(event.hash.as_bytes().to_vec())
                .bind(event.position)
                .execute(&mut connection)
                .await
                .expect("the statement runs");
        }
        connection.execute("commit").await.expect("it can be committed");
    }
}

/// Another time of issue under the same signature.
fn forge(payload: &str) -> String {
    let mut event: serde_json::Value = serde_json::from_str(payload).expect("JSON");
    event["certificate"]["certificate"]["issued_at"] = 1.into();
    event.to_string()
}

async fn connect(file: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = format!("sqlite://{}?mode=rw", file.display()).parse().expect("a URL");
    options.connect().await.expect("the database can be opened")
}
