//! A server process of our own: started, watched, stopped, killed, and ended with this program.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tokio::time::{Duration, sleep, timeout};

use super::guard::Guard;
use super::{NatsBinary, monitor};

/// How long a server may take to be ready. Reading many streams again after a power cut takes its time.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to end when asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// How often a starting or ending server is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// What a server writes when all its ports are open.
const READY: &str = "Server is ready";

/// A `nats-server` with a folder of its own. It ends when this value is dropped or this program ends.
#[derive(Debug)]
pub struct NatsServer {
    program: PathBuf,
    folder: PathBuf,
    monitor: String,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Kept for what it does when this program ends without dropping it.
    _guard: Guard,
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It ended by itself, usually for an error in its configuration or a port in use.
    #[error("the broker ended at its start, {status}; its last line in {log}: {last_line}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// Where it wrote why.
        log: PathBuf,
        /// The last line there.
        last_line: String,
    },
    /// It runs and does not become ready.
    #[error("the broker is not ready after {} s; see {log}", START_PATIENCE.as_secs())]
    NotReady {
        /// Where it may have written why.
        log: PathBuf,
    },
    /// Its folder or its process cannot be worked with.
    #[error("the broker's folder or process cannot be used")]
    Io(#[from] io::Error),
}

impl NatsServer {
    /// Starts a server with this configuration in this folder and waits until it is ready.
    ///
    /// `monitor_port` must be the one of the configuration. The configuration is written to `nats.conf` in the folder,
    /// the log to `nats.log`; let its `store_dir` be [`NatsServer::store`] of the same folder.
    pub async fn start(
        binary: &NatsBinary,
        folder: &Path,
        configuration: &str,
        monitor_port: u16,
    ) -> Result<Self, ServerError> {
        tokio::fs::create_dir_all(folder).await?;
        let monitor = format!("http://127.0.0.1:{monitor_port}");
        let mut server = Self { program: binary.path().to_owned(), folder: folder.to_owned(), monitor, process: None };
        tokio::fs::write(server.configuration(), configuration).await?;
        server.run().await?;
        Ok(server)
    }

    /// Where a server in this folder keeps its streams, and what [`NatsServer::wipe`] removes.
    pub fn store(folder: &Path) -> PathBuf {
        folder.join("store")
    }

    /// Its process id; none when it does not run.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// The address of its monitoring page, as [`super::check_sync_always`] wants it.
    pub fn monitor(&self) -> &str {
        &self.monitor
    }

    /// Its log, of this start and all before.
    pub fn log(&self) -> PathBuf {
        self.folder.join("nats.log")
    }

    /// Asks it to end, as an administrator would, and waits; it is killed when it takes too long.
    pub async fn stop(&mut self) -> Result<(), ServerError> {
        let Some(process) = &mut self.process else { return Ok(()) };
        let id = process.child.id().to_string();
        // The child is not yet reaped, so the id cannot be another's.
        let asked = tokio::process::Command::new("sh").args(["-c", r#"kill -TERM "$1""#, "stop", &id]).status().await?;
        if asked.success() && timeout(STOP_PATIENCE, ended(&mut process.child)).await.is_ok() {
            self.process = None;
            return Ok(());
        }
        self.kill().await
    }

    /// Kills it (SIGKILL), as a failing machine would, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<(), ServerError> {
        if let Some(mut process) = self.process.take() {
            process.child.kill()?;
            ended(&mut process.child).await?;
        }
        Ok(())
    }

    /// Starts it again with the same configuration and the streams it had; stops it before if it runs.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.stop().await?;
        self.run().await
    }

    /// Starts it again with another configuration and the streams it had.
    pub async fn reconfigure(&mut self, configuration: &str) -> Result<(), ServerError> {
        self.stop().await?;
        tokio::fs::write(self.configuration(), configuration).await?;
        self.run().await
    }

    /// Loses everything it kept, as a broken disk would. Kills it before if it runs; [`NatsServer::restart`] starts it
    /// empty.
    pub async fn wipe(&mut self) -> Result<(), ServerError> {
        self.kill().await?;
        match tokio::fs::remove_dir_all(Self::store(&self.folder)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("nats.conf")
    }

    async fn run(&mut self) -> Result<(), ServerError> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let written_before = log.metadata()?.len();
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.configuration());
        // A group of its own: Ctrl-C at a terminal is for this program, which then stops the server last.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn()?;
        let process = match Guard::over(child.id()) {
            Ok(guard) => self.process.insert(Process { child, _guard: guard }),
            Err(error) => return Err(end_unguarded(child, error).into()),
        };
        let log = self.folder.join("nats.log");
        let outcome = timeout(START_PATIENCE, ready(process, &self.monitor, &log, written_before)).await;
        match outcome.unwrap_or(Err(ServerError::NotReady { log })) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.kill().await?;
                Err(error)
            }
        }
    }
}

/// Ready is: our process lives, it wrote so itself, and its monitoring page agrees. An answer alone could come from a
/// server left over on the same port.
async fn ready(process: &mut Process, monitor: &str, log: &Path, written_before: u64) -> Result<(), ServerError> {
    loop {
        let written = tokio::fs::read(log).await?;
        let new = written.get(usize::try_from(written_before).unwrap_or(0)..).unwrap_or_default();
        let new = String::from_utf8_lossy(new);
        if let Some(status) = process.child.try_wait()? {
            let last_line = new.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned();
            return Err(ServerError::Ended { status, log: log.to_owned(), last_line });
        }
        if new.contains(READY) && monitor::is_healthy(monitor).await {
            return Ok(());
        }
        sleep(GLANCE).await;
    }
}

async fn ended(child: &mut Child) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        sleep(GLANCE).await;
    }
}

/// A server that nobody watches over is not left running.
fn end_unguarded(mut child: Child, error: io::Error) -> io::Error {
    let _ = child.kill();
    let _ = child.wait();
    error
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
