//! A server must not outlive the program that started it, however that program ends.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A shell that waits on a pipe of which only this program holds the other end. When this program ends, even by
/// SIGKILL, the pipe closes and the shell kills the server.
///
/// The kernel's parent-death signal would be shorter, but it goes by thread: it would end the server together with
/// the thread that happened to start it.
#[derive(Debug)]
pub struct Guard(Child);

const WAIT_THEN_KILL: &str = r#"trap "" HUP INT TERM; read -r _; kill -KILL "$1""#;

impl Guard {
    /// Watches over the process with this id until dropped.
    pub fn over(process: u32) -> io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", WAIT_THEN_KILL, "guard", &process.to_string()]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        shell.spawn().map(Self)
    }
}

impl Drop for Guard {
    /// Ends the watch before the pipe closes, so that the server lives on.
    fn drop(&mut self) {
        // An error says that the shell has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
