//! A real PostgreSQL that waits for the disk, as the log demands: the shared one of the testkit does not, and is refused.
//! It ends with the test program, however that ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use spean_testkit::{a_folder, free_port};

/// Runs the server until its own standard input is closed, which the kernel does at the end of the test program. Of the
/// signals, only TERM is heard also while the server is being started: a shell has its background jobs ignore the others.
const WHILE_PIPE_IS_OPEN: &str = r#"folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -TERM $server; wait $server; rm -rf "$folder""#;

const GLANCES: u32 = 600;
const GLANCE: Duration = Duration::from_millis(50);

struct Server {
    programs: PathBuf,
    port: String,
    /// Kept, so that its standard input stays open.
    _keeper: Child,
}

/// Makes an empty database in the server of this test program, and returns its URL.
pub(crate) fn database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(Server::start);
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    succeed(server.client("createdb").arg(&name));
    format!("postgres://spean@127.0.0.1:{}/{name}", server.port)
}

impl Server {
    fn start() -> Self {
        let programs = programs();
        let folder = a_folder().keep();
        if is_root() {
            succeed(Command::new("chown").arg("nobody").arg(&folder));
        }
        let data = folder.join("data");
        let mut initdb = as_nobody(&programs.join("initdb"));
        initdb.args(["-U", "spean", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]);
        succeed(initdb.arg(&data).current_dir(&folder));
        let port = free_port().to_string();
        let mut server = as_nobody(&programs.join("postgres"));
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", &port, "-D"]);
        server.arg(&data);
        let mut keeper = Command::new("sh");
        keeper.args(["-c", WHILE_PIPE_IS_OPEN, "keeper"]).arg(&folder);
        keeper.arg(server.get_program()).args(server.get_args()).current_dir("/");
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { programs, port, _keeper: keeper.spawn().expect("a shell can be started") };
        for _ in 0..GLANCES {
            if server.client("pg_isready").output().expect("it comes with the server").status.success() {
                return server;
            }
            std::thread::sleep(GLANCE);
        }
        panic!("PostgreSQL is not ready after {:?}", GLANCE * GLANCES);
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", "spean", "-p", &self.port]).env("PGDATABASE", "postgres");
        command
    }
}

/// The folder of the installed programs: that of a package of Debian, or on the PATH.
fn programs() -> PathBuf {
    let packages = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packages = packages.map(|package| package.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain(packages);
    let is_whole = |folder: &PathBuf| {
        ["initdb", "postgres", "createdb", "pg_isready"].iter().all(|program| folder.join(program).is_file())
    };
    folders.find(is_whole).expect("PostgreSQL's server is installed")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// PostgreSQL refuses to run as root.
fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--clear-groups", "--"]).arg(program);
    command
}

fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
