//! The disk under a small program: rows are acknowledged one by one, the power fails anywhere, and every row that was
//! acknowledged is there. With a database that does not wait for the disk, rows are missing: the disk does notice.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spean_disk::{Control, Counts, Disk};
use spean_testkit::a_folder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _, SqliteConnection};

/// What the child is told by its environment.
const DATABASE: &str = "SPEAN_DISK_TEST_DATABASE";
const SYNCHRONOUS: &str = "SPEAN_DISK_TEST_SYNCHRONOUS";

const ROWS: i64 = 200;

/// A row, and how long the journal was when it was acknowledged.
type Acknowledged = Vec<(i64, u64)>;

#[tokio::test]
async fn whatever_is_acknowledged_outlives_the_power_at_any_moment() {
    let run = Run::of("full", |control| control.pretend_syncs().unwrap());
    assert_eq!(run.acknowledged.len(), 200, "every row is acknowledged");
    run.is_what_lies_on_the_disk();
    let lost = run.rows_lost(120).await;
    assert_eq!(lost, 0);
}

#[tokio::test]
async fn a_database_that_does_not_wait_for_the_disk_is_found_out() {
    let run = Run::of("off", |control| control.pretend_syncs().unwrap());
    assert!(run.rows_lost(40).await > 0, "rows that were never synced cannot all be there");
}

#[tokio::test]
async fn a_row_whose_sync_failed_is_not_acknowledged_and_no_other_is_lost() {
    let run = Run::of("full", |control| {
        control.pretend_syncs().unwrap();
        control.only("-wal").unwrap();
        control.fail_sync(50).unwrap();
    });
    assert_eq!(run.counts.faults, 1);
    assert_eq!(run.acknowledged.len(), 199, "all but one are acknowledged");
    assert_eq!(run.rows_lost(60).await, 0);
}

#[tokio::test]
async fn a_full_disk_refuses_rows_and_loses_none() {
    let run = Run::of("full", |control| {
        control.pretend_syncs().unwrap();
        control.limit_space(Some(120_000)).unwrap();
    });
    assert!(run.counts.faults > 0);
    let acknowledged = run.acknowledged.len();
    assert!(acknowledged > 5 && acknowledged < 200, "{acknowledged} rows were acknowledged");
    assert_eq!(run.rows_lost(40).await, 0);
}

#[tokio::test]
async fn half_a_write_is_written_to_its_end() {
    let run = Run::of("full", |control| {
        control.pretend_syncs().unwrap();
        control.shorten_write(70).unwrap();
    });
    assert_eq!((run.counts.faults, run.acknowledged.len()), (1, 200));
    run.is_what_lies_on_the_disk();
    assert_eq!(run.rows_lost(20).await, 0);
}

/// What a child did, and the disk under it.
struct Run {
    disk: Disk,
    data: PathBuf,
    acknowledged: Acknowledged,
    counts: Counts,
    folder: spean_testkit::TempDir,
}

impl Run {
    fn of(synchronous: &str, order: impl FnOnce(&Control)) -> Self {
        let folder = a_folder();
        let data = folder.path().join("data");
        let disk = Disk::over(std::slice::from_ref(&data), &folder.path().join("disk")).expect("the folder is ours");
        let control = disk.control().expect("the folder is ours");
        order(&control);
        let mut child = Command::new(std::env::current_exe().expect("the folder is ours"));
        child.args(["--exact", "child_that_writes_rows", "--ignored", "--nocapture"]).envs(disk.environment());
        child.env(DATABASE, data.join("rows.sqlite")).env(SYNCHRONOUS, synchronous).stdout(Stdio::piped());
        let mut child = child.spawn().expect("the folder is ours");
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("the folder is ours")).lines() {
            let line = line.expect("the child says lines");
            if let Some((_, row)) = line.split_once("row ") {
                acknowledged
                    .push((row.parse().expect("the child says numbers"), disk.written().expect("the folder is ours")));
            }
        }
        assert!(child.wait().expect("the folder is ours").success());
        let counts = control.counts().expect("the folder is ours");
        Self { disk, data, acknowledged, counts, folder }
    }

    /// Nothing was written that the journal does not have.
    fn is_what_lies_on_the_disk(&self) {
        let seen = self.disk.seen(u64::MAX).expect("the folder is ours");
        for (path, bytes) in seen.files() {
            let on_disk = std::fs::read(path).expect("the folder is ours");
            assert!(bytes == &on_disk, "{}: {} bytes and {}", path.display(), bytes.len(), on_disk.len());
        }
        let on_disk = std::fs::read_dir(&self.data)
            .expect("the folder is ours")
            .map(|entry| entry.expect("the folder is ours").path());
        let missing: Vec<_> = on_disk.filter(|path| !seen.files().contains_key(path)).collect();
        assert!(missing.iter().all(|path| path.to_string_lossy().ends_with("-shm")), "{missing:?}");
    }

    /// Cuts the power at so many moments, and counts the acknowledged rows that are gone.
    async fn rows_lost(&self, cuts: u64) -> usize {
        let ends = self.disk.records().expect("the folder is ours").ends();
        let count = u64::try_from(ends.len()).expect("a small number");
        // Every part of the run, but no two runs of this test differ.
        let cuts: Vec<_> = (1..=cuts)
            .map(|cut| (ends[usize::try_from(cut * (count - 1) / cuts).expect("a small number")], cut))
            .collect();
        let mut lost = 0;
        for ((cut, _), picture) in cuts.iter().zip(self.disk.pictures(&cuts).expect("the folder is ours")) {
            let after = self.folder.path().join("after");
            picture.put_into(&self.data, &after).expect("the folder is ours");
            let rows = rows(&after.join("rows.sqlite")).await;
            lost += self.acknowledged.iter().filter(|(row, when)| when <= cut && !rows.contains(row)).count();
        }
        lost
    }
}

/// The rows of a database as its next start finds them; none when it is not whole.
async fn rows(database: &Path) -> Vec<i64> {
    let attempt = async {
        let mut connection = SqliteConnectOptions::new().filename(database).connect().await?;
        let check: String = sqlx::query("pragma integrity_check").fetch_one(&mut connection).await?.try_get(0)?;
        if check != "ok" {
            return Ok(Vec::new());
        }
        let rows = sqlx::query("select number from row order by number").fetch_all(&mut connection).await?;
        connection.close().await?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, sqlx::Error>>()
    };
    attempt.await.unwrap_or_default()
}

#[tokio::test]
#[ignore = "a process of its own, which the tests above start under the disk"]
async fn child_that_writes_rows() {
    let database = PathBuf::from(std::env::var_os(DATABASE).expect("the folder is ours"));
    let synchronous = std::env::var(SYNCHRONOUS).expect("the folder is ours");
    let mut connection = connect(&database, &synchronous).await;
    connection
        .execute("create table if not exists row (number bigint primary key, text text not null)")
        .await
        .expect("the folder is ours");
    for row in 1..=ROWS {
        // Long enough that a row needs more than a page now and then, and checkpoints come about.
        let text = "spean ".repeat(usize::try_from(row * 37 % 2_000).expect("a small number"));
        let inserted = sqlx::query("insert into row (number, text) values ($1, $2)").bind(row).bind(text);
        if inserted.execute(&mut connection).await.is_ok() {
            println!("row {row}");
        }
        if row % 60 == 0 {
            // On a full disk that is refused as well.
            let _ = connection.execute("pragma wal_checkpoint(truncate)").await;
        }
    }
    // Else its last writes and the end of the process would race.
    connection.close().await.expect("the folder is ours");
}

async fn connect(database: &Path, synchronous: &str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
    let mut connection = options.connect().await.expect("the folder is ours");
    connection.execute("pragma journal_mode = wal; pragma wal_autocheckpoint = 40").await.expect("the folder is ours");
    let set = if synchronous == "off" { "pragma synchronous = off" } else { "pragma synchronous = full" };
    connection.execute(set).await.expect("the folder is ours");
    connection
}
