//! A real PostgreSQL server: one for a whole run of tests where somebody ends it, else one for each test process.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::ports::free_port;

/// Name of the superuser inside the server. It has nothing to do with users of the machine.
const SUPERUSER: &str = "spean";

/// How often and how long a starting server is asked whether it is ready.
const GLANCE: Duration = Duration::from_millis(50);
const GLANCES: u32 = 1200;

/// In the environment of tests that run together: the process that lives as long as all of them. They share one server,
/// which ends with that process. To set up a server takes longer than most tests.
const RUN: &str = "SPEAN_TEST_RUN";

/// Runs the server as a child, waits until the pipe on its standard input closes (because it is told to, or because
/// the test process is gone, however it went), then ends the server at once and removes its folder.
///
/// Arguments: the process that it lives as long as, or nothing for the pipe; the folder; then the command.
const RUN_WHILE_PIPE_IS_OPEN: &str = r#"
trap "" HUP INT TERM
run=$1; folder=$2; shift 2
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1
if [ -n "$run" ]; then
    while kill -0 "$run"; do sleep 1; done
else
    read -r _
fi
kill -QUIT "$server"
wait "$server"
rm -rf "$folder" ${run:+"${TMPDIR:-/tmp}/spean-postgres-run-$run" "${TMPDIR:-/tmp}/spean-postgres-run-$run.lock"}
"#;

/// A server that listens on the loopback interface only. It ends, and its folder goes, when the value is dropped or
/// the process ends.
///
/// It waits for the disk like a real one: the stores refuse a server that does not.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    port: u16,
    process_id: u32,
    databases: AtomicU32,
    /// None when others use the server too.
    keeper: Option<Keeper>,
    folder: PathBuf,
    /// Whom it runs as, when not as this process.
    user: Option<&'static str>,
    environment: BTreeMap<String, String>,
}

/// The shell that ends the server.
#[derive(Debug)]
struct Keeper {
    process: Child,
    /// Taken and closed to end the server.
    pipe: Option<ChildStdin>,
}

impl Postgres {
    /// The server of this run of tests, or else of this test process, started at the first call. Make a database of your own in it with
    /// [`Postgres::database`].
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says what to do.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match env::var(RUN).ok().filter(|run| !run.is_empty()) {
            None => Self::start(),
            Some(run) => Self::of_run(&run),
        })
    }

    /// The server of a whole run. Whichever test comes first starts it.
    fn of_run(run: &str) -> Self {
        let told = env::temp_dir().join(format!("spean-postgres-run-{run}"));
        let lock = File::create(told.with_extension("lock")).expect("temporary files work");
        lock.lock().expect("files can be locked");
        if let Ok(text) = fs::read_to_string(&told)
            && let Some((port, process_id)) = text.trim().split_once(' ')
        {
            let (port, process_id) = (port.parse().expect("a port"), process_id.parse().expect("a process id"));
            let server = Self {
                programs: programs(),
                port,
                process_id,
                databases: AtomicU32::new(0),
                keeper: None,
                folder: PathBuf::new(),
                user: None,
                environment: BTreeMap::new(),
            };
            // A machine that went down in the middle of a run leaves its word behind, and numbers of processes come again.
            if server.is_ready() {
                return server;
            }
        }
        let mut server = Self::begin(run, |_| BTreeMap::new());
        // The keeper goes on without this process, and ends by itself.
        server.keeper = None;
        fs::write(&told, format!("{} {}", server.port, server.process_id)).expect("temporary files work");
        server
    }

    /// A server of its own, for a test that stops it or kills its connections.
    ///
    /// # Panics
    /// As [`Postgres::shared`].
    pub fn start() -> Self {
        Self::start_with(|_| BTreeMap::new())
    }

    /// A server of its own that finds something in its environment; what, may depend on the folder with its data.
    ///
    /// # Panics
    /// As [`Postgres::shared`].
    pub fn start_with(environment: impl FnOnce(&Path) -> BTreeMap<String, String>) -> Self {
        Self::begin("", environment)
    }

    /// Starts a server that lives as long as a process, or as this value when none is named.
    fn begin(as_long_as: &str, environment: impl FnOnce(&Path) -> BTreeMap<String, String>) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("spean-postgres-").tempdir().expect("temporary files work").keep();
        let user = other_user(&folder);
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(&folder));
        }
        let data = folder.join("data");
        let mut initdb = as_user(user, &programs.join("initdb"));
        initdb.args(["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username"]);
        run(initdb.arg(SUPERUSER).arg("--pgdata").arg(&data).current_dir(&folder));

        let port = free_port();
        let environment = environment(&data);
        let (keeper, process_id) = keep(as_long_as, user, &folder, &programs, port, &environment);
        let databases = AtomicU32::new(0);
        let server = Self { programs, port, process_id, databases, keeper: Some(keeper), folder, user, environment };
        server.wait_until_ready();
        server
    }

    /// Kills the server with all its processes (SIGKILL), as a failing machine would, and starts it again with the
    /// databases that it had. Only for a server of one's own.
    ///
    /// # Panics
    /// When others use the server too, or it does not come back.
    pub fn kill_and_restart(&mut self) {
        let mut keeper = self.keeper.take().expect("a server of one's own");
        let processes: Vec<u32> = children(self.process_id).into_iter().chain([self.process_id]).collect();
        let mut kill = Command::new("kill");
        // One of them may have ended meanwhile.
        let _ = kill.arg("-KILL").args(processes.iter().map(u32::to_string)).stderr(Stdio::null()).status();
        // The keeper goes the same way, or it would remove the folder.
        keeper.process.kill().expect("it runs until its pipe closes");
        keeper.process.wait().expect("it is our child");
        let gone = |process: &u32| !is_running(*process);
        for _ in 0..GLANCES {
            if processes.iter().all(gone) {
                break;
            }
            thread::sleep(GLANCE);
        }
        assert!(processes.iter().all(gone), "the server cannot be killed");
        // Where nobody reaps orphans the number is still taken, and a new server would think that this one lives.
        let _ = fs::remove_file(self.folder.join("data/postmaster.pid"));
        let (keeper, process_id) = keep("", self.user, &self.folder, &self.programs, self.port, &self.environment);
        (self.keeper, self.process_id) = (Some(keeper), process_id);
        self.wait_until_ready();
    }

    /// Makes a new empty database and returns its URL.
    ///
    /// # Panics
    /// When the server is gone.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        // A long run starts more processes than a machine has numbers for them; chance tells two of one number apart.
        let chance = RandomState::new().build_hasher().finish();
        let name = format!("test_{}_{number}_{chance:016x}", std::process::id());
        run(self.program("createdb").arg(&name));
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{name}", self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Process id of the server itself.
    pub fn process_id(&self) -> u32 {
        self.process_id
    }

    fn wait_until_ready(&self) {
        let log = self.folder.join("log");
        for _ in 0..GLANCES {
            if self.is_ready() {
                return;
            }
            let log = fs::read_to_string(&log).unwrap_or_default();
            assert!(
                !log.contains("FATAL:  could not") && !log.contains("postgres: could not"),
                "PostgreSQL did not start:\n{log}"
            );
            thread::sleep(GLANCE);
        }
        panic!("PostgreSQL is not ready after {:?}", GLANCE * GLANCES);
    }

    fn is_ready(&self) -> bool {
        let answer = self.program("pg_isready").output().expect("pg_isready is installed with the server");
        answer.status.success()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.args(["-h", "127.0.0.1", "-U", SUPERUSER, "-p"]).arg(self.port.to_string());
        command.env("PGDATABASE", "postgres");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(Keeper { process, pipe }) = &mut self.keeper else { return };
        drop(pipe.take());
        // An error says that the keeper is gone already.
        let _ = process.wait();
    }
}

/// Starts a server on this port and the shell that ends it; its process id as well.
fn keep(
    as_long_as: &str,
    user: Option<&str>,
    folder: &Path,
    programs: &Path,
    port: u16,
    environment: &BTreeMap<String, String>,
) -> (Keeper, u32) {
    let mut server = as_user(user, &programs.join("postgres"));
    server.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=500"] {
        server.args(["-c", setting]);
    }
    let mut keeper = Command::new("sh");
    keeper.args(["-c", RUN_WHILE_PIPE_IS_OPEN, "postgres", as_long_as]).arg(folder);
    // Only the server finds it, and not the shell.
    keeper.arg("env").args(environment.iter().map(|(name, value)| format!("{name}={value}")));
    keeper.arg(server.get_program()).args(server.get_args()).current_dir(folder);
    // A group of its own: what kills the group of the test must not kill the keeper before it has cleaned up.
    keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut keeper = keeper.spawn().expect("a shell can be started");
    let pipe = keeper.stdin.take();
    let mut said = String::new();
    keeper.stdout.take().expect("it is piped").read_to_string(&mut said).expect("the shell says the process id");
    let process_id = said.trim().parse().expect("the shell says the process id");
    (Keeper { process: keeper, pipe }, process_id)
}

/// The processes that a process has started and that still run.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|process| state(*process).is_some_and(|(_, of)| of == parent)).collect()
}

fn is_running(process: u32) -> bool {
    state(process).is_some_and(|(state, _)| state != 'Z')
}

/// The state of a process and its parent, by the second and third field after its name.
fn state(process: u32) -> Option<(char, u32)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn programs() -> PathBuf {
    installed().unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not installed: neither on the PATH nor in /usr/lib/postgresql is a `postgres`. \
             Install the server (on Debian: apt-get install postgresql)"
        )
    })
}

/// The folder with the programs of the newest server.
fn installed() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    packaged.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let homebrew = ["/opt/homebrew/opt/postgresql/bin", "/usr/local/opt/postgresql/bin"].map(PathBuf::from);
    on_path.chain(packaged).chain(homebrew).find(|folder| {
        ["postgres", "initdb", "createdb", "pg_isready"].iter().all(|program| folder.join(program).is_file())
    })
}

/// PostgreSQL refuses to run as root. For root, the user to run it as.
fn other_user(folder: &Path) -> Option<&'static str> {
    let is_root = fs::metadata(folder).expect("it was just made").uid() == 0;
    let exists = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
    is_root.then(|| {
        ["postgres", "nobody"].into_iter().find(exists).expect("root needs a user `postgres` or `nobody` to run it as")
    })
}

/// A command as another user. Both ways replace themselves by the command, so that its process id is the server's.
fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    let mut command = Command::new(if has_setpriv { "setpriv" } else { "runuser" });
    if has_setpriv {
        let group = Command::new("id").args(["-g", user]).output().expect("id is a standard program").stdout;
        let group = String::from_utf8(group).expect("a group's number is text");
        command.args([format!("--reuid={user}"), format!("--regid={}", group.trim())]).arg("--clear-groups").arg("--");
    } else {
        command.args(["-u", user, "--"]);
    }
    command.arg(program);
    command
}

fn run(command: &mut Command) {
    let Output { status, stderr, .. } =
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
}
