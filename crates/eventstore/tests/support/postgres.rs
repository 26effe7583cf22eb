//! A real `PostgreSQL` server on loopback that a test can stop and start again. It ends with the test program.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::any::AnyConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::eventually;

/// A server with its files.
pub(crate) struct Server {
    directory: PathBuf,
    port: u16,
    child: Option<Child>,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Starts a server of its own. It must be kept, and used, by the thread that starts it.
    pub(crate) fn start(name: &str) -> Self {
        remove_leftovers();
        let directory = std::env::temp_dir().join(format!("spean-eventstore-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a place for the server");
        if let Some(user) = server_user() {
            succeed(Command::new("chown").arg(user).arg(&directory));
        }
        let data = directory.join("data");
        let mut initdb = as_server_user(&program("initdb"));
        succeed(initdb.arg("-D").arg(&data).args(["-U", "spean", "--auth=trust", "--no-sync", "-E", "UTF8"]));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let mut server = Self { directory, port, child: None };
        server.resume();
        server
    }

    /// Starts it again after [`Self::stop`].
    pub(crate) fn resume(&mut self) {
        let mut command = as_server_user(&program("postgres"));
        command.arg("-D").arg(self.directory.join("data")).args(["-p", &self.port.to_string()]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=60",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("PostgreSQL starts"));
    }

    /// Stops it, breaking off all sessions.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            succeed(Command::new("kill").args(["-INT", &child.id().to_string()]));
            child.wait().expect("it was a child");
        }
    }

    /// Makes a database and tells its URL.
    pub(crate) async fn create_database(&self) -> String {
        sqlx::any::install_default_drivers();
        let options: AnyConnectOptions = self.url("postgres").parse().expect("a well-formed url");
        eventually("PostgreSQL accepts connections", || async { options.connect().await.is_ok() }).await;
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut connection = options.connect().await.expect("it did just now");
        connection.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("a database");
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://spean@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Removes what servers of earlier test programs left behind.
fn remove_leftovers() {
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("the temporary folder");
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix("spean-eventstore-")?.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin"));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&on_path).chain(installed).map(|folder| folder.join(name));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{name} was not found on PATH nor in /usr/lib/postgresql/*/bin: install PostgreSQL, for instance with 'apt-get install postgresql'")
    })
}

/// Who runs the server: `PostgreSQL` refuses to run as root.
fn server_user() -> Option<&'static str> {
    let exists = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
    let id = Command::new("id").arg("-u").output().expect("id runs");
    (id.stdout.trim_ascii() == b"0")
        .then(|| ["postgres", "nobody"].into_iter().find(exists).expect("a user other than root"))
}

fn as_server_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some(user) = server_user() {
        let group = Command::new("id").args(["-g", user]).output().expect("id runs");
        let group = String::from_utf8(group.stdout).expect("a number");
        command.args(["--reuid", user, "--regid", group.trim(), "--clear-groups"]);
    }
    command.arg("--").arg(program).current_dir("/");
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
