// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Engine's server, where nobody else runs one.
//!
//! On a machine with systemd the package's own service is up already, and the lab only uses it.
//! Otherwise the first run of the lab starts `dockerd`, and the last one to leave ends it: every
//! run holds a shared lock, so that a run that ends (or is killed) never takes the Engine away
//! from another one.

use crate::docker::{Docker, RUN_DIR};
use crate::process::Invocation;
use crate::progress::Progress;
use crate::{Error, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long `dockerd` may take to answer, and to end.
const LIMIT: Duration = Duration::from_secs(60);

/// Where the kernel shows the bridge that `dockerd` takes for its own. Unlike `/sys`, this place
/// always tells of the reader's network namespace, in which `dockerd` will be too.
const DEFAULT_BRIDGE: &str = "/proc/sys/net/ipv4/conf/docker0";

/// The right to use the Engine; when it is dropped and nobody else has it, a `dockerd` that the
/// lab started is ended.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    in_use: File,
    is_released: bool,
}

impl Engine {
    /// Finds an Engine that answers, or starts one.
    ///
    /// # Errors
    /// There is no Engine, and none can be started.
    pub fn start(docker: &Docker, progress: &Progress) -> Result<Self> {
        let changing = lock_file("engine-changing.lock")?;
        wait_for_lock(docker, &changing)?;
        let in_use = lock_file("engine-in-use.lock")?;
        // Only who holds the other lock takes this one for itself alone, so this never waits.
        in_use.lock_shared().map_err(|e| Error::new(format!("cannot lock the Engine: {e}")))?;
        let engine = Self { docker: docker.clone(), in_use, is_released: false };
        let ready = engine.make_ready(progress);
        // Before the engine: when that is dropped it takes this lock itself.
        drop(changing);
        ready.map(|()| engine)
    }

    fn make_ready(&self, progress: &Progress) -> Result<()> {
        if self.docker.answers()?.is_ok() {
            return Ok(());
        }
        progress.step("Docker Engine (none was running)", || self.spawn())
    }

    fn spawn(&self) -> Result<()> {
        let log_path = path("dockerd.log");
        let log = File::create(&log_path).map_err(|e| cannot(&log_path, &e))?;
        let has_bridge = Path::new(DEFAULT_BRIDGE).exists();
        let server = Invocation::new("dockerd").args(server_arguments(has_bridge));
        let mut child = self.docker.runner.spawn_logged(&server, log)?;
        Owned { pid: child.id(), started: started(child.id()) }.record()?;
        self.docker.runner.poll("dockerd answering", LIMIT, || {
            if let Ok(Some(status)) = child.try_wait() {
                let log = std::fs::read_to_string(&log_path).unwrap_or_default();
                let last = log.lines().last().unwrap_or("its log is empty");
                return Err(Error::new(format!(
                    "dockerd ended with {status}: {last}; see {}",
                    log_path.display()
                )));
            }
            Ok(self.docker.answers()?.ok())
        })
    }

    /// Gives the right up now; see [`Engine`].
    ///
    /// # Errors
    /// A `dockerd` of the lab's that nobody uses does not end.
    pub fn release(mut self) -> Result<()> {
        self.is_released = true;
        self.end_if_last()
    }

    fn end_if_last(&self) -> Result<()> {
        let changing = lock_file("engine-changing.lock")?;
        let start = Instant::now();
        // A signal may be why we are here, so it doesn't end this wait; but no wait is for ever.
        while changing.try_lock().is_err() {
            if start.elapsed() > LIMIT {
                return Err(Error::new("another run of the lab doesn't finish with it"));
            }
            let _ = nix::poll::poll(&mut [], 50u8);
        }
        // Ours is let go first: a lock is shared with ourselves as with anybody.
        self.in_use.unlock().map_err(|e| Error::new(format!("cannot unlock the Engine: {e}")))?;
        if self.in_use.try_lock().is_err() {
            return Ok(());
        }
        let Some(owned) = Owned::recorded().filter(Owned::is_alive) else { return Ok(()) };
        if self.docker.has_running_containers()? {
            return Ok(());
        }
        owned.end()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.is_released {
            return;
        }
        if let Err(error) = self.end_if_last() {
            crate::progress::complain(&format!("the Engine was not ended: {error}"));
        }
    }
}

/// How the lab's own `dockerd` is started. Containers of the lab need no bridge, and the host's
/// packet filter and routing are left alone. With `--bridge=none` dockerd removes a `docker0` that
/// it finds; one that exists is the administrator's, so then the option is left out, and dockerd
/// uses the bridge: up, and with an address of its own choice only if it has none.
fn server_arguments(has_bridge: bool) -> Vec<&'static str> {
    let filter = ["--iptables=false", "--ip-forward=false", "--ip-masq=false"];
    (!has_bridge).then_some("--bridge=none").into_iter().chain(filter).collect()
}

/// A `dockerd` that some run of the lab started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owned {
    pid: u32,
    /// Its start, in clock ticks since boot: the same pid can be another process later.
    started: Option<u64>,
}

impl Owned {
    fn record(&self) -> Result<()> {
        let text = format!("{} {}\n", self.pid, self.started.unwrap_or(0));
        let file = path("dockerd.pid");
        std::fs::write(&file, text).map_err(|e| cannot(&file, &e))
    }

    fn recorded() -> Option<Self> {
        let text = std::fs::read_to_string(path("dockerd.pid")).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, started: started.parse().ok() })
    }

    fn is_alive(&self) -> bool {
        self.started.is_some() && started(self.pid) == self.started
    }

    fn end(&self) -> Result<()> {
        let pid = i32::try_from(self.pid).map_or(Pid::from_raw(i32::MAX), Pid::from_raw);
        kill(pid, Signal::SIGTERM).map_err(|e| Error::new(format!("cannot end {pid}: {e}")))?;
        let start = Instant::now();
        while self.is_alive() {
            if start.elapsed() > LIMIT {
                return Err(Error::new(format!("dockerd ({pid}) did not end within a minute")));
            }
            let _ = nix::poll::poll(&mut [], 50u8);
        }
        let _ = std::fs::remove_file(path("dockerd.pid"));
        Ok(())
    }
}

/// Whether the Engine at work was started by the lab, and its process id.
#[must_use]
pub fn own_server() -> Option<u32> {
    Owned::recorded().filter(Owned::is_alive).map(|owned| owned.pid)
}

/// Makes the lab's directory.
///
/// # Errors
/// It cannot be made.
pub fn make_run_dir() -> Result<()> {
    let client = path("client");
    std::fs::create_dir_all(&client).map_err(|e| cannot(&client, &e))
}

/// Opens a lock file of the lab's.
///
/// # Errors
/// It cannot be opened.
pub fn lock_file(name: &str) -> Result<File> {
    let path = path(name);
    let mut options = File::options();
    options.create(true).truncate(false).write(true).read(true);
    options.open(&path).map_err(|e| cannot(&path, &e))
}

/// Waits until `file` is locked for us alone.
///
/// # Errors
/// A signal came, or it took longer than twenty minutes.
pub fn wait_for_lock(docker: &Docker, file: &File) -> Result<()> {
    let limit = Duration::from_secs(1200);
    docker.runner.poll("another run of the lab finishing its part", limit, || {
        match file.try_lock() {
            Ok(()) => Ok(Some(())),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::new(format!("cannot lock: {e}"))),
        }
    })
}

/// When a process started, in clock ticks since boot (proc(5), field 22 of `stat`); a process
/// that has ended but not been waited for counts as gone.
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold blanks and parentheses itself.
    let mut fields = stat.get(stat.rfind(')')? + 2..)?.split(' ');
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(RUN_DIR).join(name)
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_of_the_administrators_is_not_deleted() {
        // The first lab asked for no bridge at all, and dockerd removed the one that was there.
        let asks_for_none = |has_bridge| server_arguments(has_bridge).contains(&"--bridge=none");
        assert!(!asks_for_none(true));
        assert!(asks_for_none(false), "where there is none, dockerd must not make one");
        for arguments in [server_arguments(true), server_arguments(false)] {
            assert!(arguments.contains(&"--iptables=false"), "{arguments:?}");
        }
    }

    #[test]
    fn a_process_is_known_by_its_start_not_by_its_pid() {
        let pid = std::process::id();
        let here = Owned { pid, started: started(pid) };
        assert!(here.is_alive());
        assert!(!Owned { started: here.started.map(|t| t + 1), ..here }.is_alive());
        assert!(!Owned { started: None, ..here }.is_alive());
    }
}
