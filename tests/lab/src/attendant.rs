// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The process that looks after the hosts of a run: it is the fence device, and it removes the
//! hosts when the run ends, however that ends.
//!
//! It is a process of its own because the run may be killed, and because kept hosts (`--keep`)
//! are still to be fenced when the run is over. It holds the other end of a pipe from the run:
//! when the pipe is closed the hosts go, unless `keep` was written before. With kept hosts it
//! ends when the last of them has been removed.

use crate::container::Container;
use crate::docker::{Docker, HOST_LABEL, KEPT_LABEL, LABEL, RUN_DIR, RUN_LABEL};
use crate::engine::{Engine, lock_file, wait_for_lock};
use crate::fence::{Request, read_line};
use crate::process::{Invocation, Runner};
use crate::progress::{Progress, Stream, complain};
use crate::{Error, Result, power};
use nix::poll::{PollFd, PollFlags, poll};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the run writes when its hosts are to stay.
pub const KEEP: &str = "keep\n";

/// How often kept hosts are looked for, in milliseconds.
const LOOK: u16 = 1000;

/// The directory of a run: the device's socket and its log.
#[must_use]
pub fn directory(run: &str) -> PathBuf {
    PathBuf::from(RUN_DIR).join(run)
}

/// The device's socket, in the directory that nodes are given.
pub const SOCKET: &str = "device/socket";

/// What the device was asked and what it did, a line each.
pub const LOG: &str = "device.log";

/// What the attendant itself says.
const OUTPUT: &str = "attendant.log";

/// How the names of runs end.
const RUN_SUFFIX: &str = "-run";

/// Looks after the hosts of `run` until they are gone or to be gone.
///
/// # Errors
/// The socket cannot be made, or a host cannot be removed.
pub fn attend(runner: Runner, run: &str) -> Result<()> {
    let docker = Docker::new(Arc::new(runner));
    let engine = Engine::start(&docker, &Progress::new(Stream::Err))?;
    let attendant = Attendant { docker, run: run.to_owned(), begun: Instant::now() };
    let attended = attendant.work();
    let cleaned = remove(&attendant.docker, run);
    engine.release()?;
    attended.and(cleaned)
}

/// Hosts that nobody looks after any more: their run was killed, and its attendant too. Those that
/// were to stay are none of them, nor are those that run and whose run we can't see: it may be a
/// lab on the same Engine with another `/run`.
///
/// # Errors
/// The Engine does not answer.
pub fn abandoned(docker: &Docker) -> Result<Vec<String>> {
    let format =
        format!("{{{{.Names}}}} {{{{.Label \"{RUN_LABEL}\"}}}} {{{{.State}}}} {{{{.Labels}}}}");
    let all = docker.list(&["ps", "--all", "--format", &format], RUN_LABEL)?;
    let is_abandoned = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let (name, run) = (words.next()?, words.next()?);
        let (state, labels) = (words.next()?, words.next()?);
        let is_seen = state != "running" || directory(run).exists();
        let is_kept = labels.contains(KEPT_LABEL);
        (is_seen && !is_kept && !is_attended(run)).then(|| name.to_owned())
    };
    let mut abandoned: Vec<_> = all.iter().filter_map(|line| is_abandoned(line)).collect();
    abandoned.extend(never_started(docker)?);
    Ok(abandoned)
}

/// Containers of runs that were killed between making one and starting it; one that was started
/// goes with its run by itself, see [`crate::transient`].
fn never_started(docker: &Docker) -> Result<Vec<String>> {
    let list = ["ps", "--all", "--filter", "status=created", "--format", "{{.Names}}"];
    let names = docker.list(&list, LABEL)?;
    Ok(names.into_iter().filter(|name| maker(name).is_some_and(|pid| !is_alive(pid))).collect())
}

/// The process id in a name of the lab's, see [`crate::transient::unique_name`].
fn maker(name: &str) -> Option<u32> {
    name.strip_prefix("ocf-agents-lab-")?.split('-').nth(1)?.parse().ok()
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

/// Removes what nobody looks after any more, hosts and directories of runs.
///
/// # Errors
/// The Engine does not answer, or cannot remove a host.
pub fn sweep(docker: &Docker) -> Result<()> {
    for name in abandoned(docker)? {
        docker.remove_container(&name)?;
    }
    // A run that is just beginning has a directory, and no attendant yet.
    let _beginning = lock_beginning(docker)?;
    for entry in std::fs::read_dir(RUN_DIR).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_of_run = name.ends_with(RUN_SUFFIX) && !is_attended(&name);
        // Hosts that were kept still have their fence device's log there.
        if is_of_run && power::hosts(docker, &name)?.is_empty() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Starts the attendant of a run, and with it the run's directory.
///
/// # Errors
/// The directory cannot be made, or the program cannot be started.
pub fn start(docker: &Docker, program: &Path, run: &str) -> Result<Child> {
    let _beginning = lock_beginning(docker)?;
    let directory = directory(run);
    let device = directory.join("device");
    std::fs::create_dir_all(&device)
        .map_err(|e| Error::new(format!("cannot make {}: {e}", device.display())))?;
    let cannot = |e: std::io::Error| {
        let _ = std::fs::remove_dir_all(&directory);
        Error::new(format!("cannot write in {}: {e}", directory.display()))
    };
    let log = File::create(directory.join(OUTPUT)).map_err(cannot)?;
    // It goes with the open file: the attendant has it as long as it lives, and nobody else.
    log.lock().map_err(cannot)?;
    docker.runner.spawn_attended(&Invocation::new(program).args(["attend", run]), log)
}

/// Whether the attendant of a run lives: it holds the lock on its own output. One of an older lab
/// doesn't, but it answers.
fn is_attended(run: &str) -> bool {
    let output = File::open(directory(run).join(OUTPUT));
    output.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
        || UnixStream::connect(directory(run).join(SOCKET)).is_ok()
}

fn lock_beginning(docker: &Docker) -> Result<File> {
    let lock = lock_file("run-beginning.lock")?;
    wait_for_lock(docker, &lock)?;
    Ok(lock)
}

/// Removes every host of a run, and its directory.
///
/// # Errors
/// The Engine cannot remove a host.
pub fn remove(docker: &Docker, run: &str) -> Result<()> {
    let mut first = Ok(());
    for host in power::hosts(docker, run)? {
        let removed = docker.remove_container(host.name());
        first = first.and(removed);
    }
    let _ = std::fs::remove_dir_all(directory(run));
    first
}

struct Attendant {
    docker: Docker,
    run: String,
    begun: Instant,
}

impl Attendant {
    fn work(&self) -> Result<()> {
        let path = directory(&self.run).join(SOCKET);
        let socket = UnixListener::bind(&path)
            .map_err(|e| Error::new(format!("cannot listen at {}: {e}", path.display())))?;
        let mut pipe = Some(std::io::stdin());
        let mut is_kept = false;
        // A signal ends this as the closed pipe does.
        while self.docker.runner.pause(Duration::ZERO).is_ok() {
            let fds = [pipe.as_ref().map(AsFd::as_fd), Some(socket.as_fd())];
            let mut fds: Vec<_> =
                fds.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
            let _ = poll(&mut fds, LOOK);
            let ready: Vec<_> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
            if ready.last() == Some(&true) {
                self.serve(&socket);
            }
            if let Some(input) = pipe.as_mut() {
                let mut said = [0; 64];
                let read = if ready.first() == Some(&true) { input.read(&mut said) } else { Ok(1) };
                is_kept |= said.starts_with(KEEP.as_bytes());
                match read {
                    Ok(0) | Err(_) if is_kept => pipe = None,
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(_) => {}
                }
            } else if power::hosts(&self.docker, &self.run)?.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn serve(&self, socket: &UnixListener) {
        let Ok((mut stream, _)) = socket.accept() else { return };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let line = read_line(&stream).unwrap_or_default();
        let Some(request) = Request::parse(&line) else {
            return answer(&mut stream, &Err(Error::new("this is no request")));
        };
        let done = self.obey(&request);
        self.log(&request, &done);
        answer(&mut stream, &done);
        drop(stream);
        // Behind the answer: the power is on, and how long a boot takes is the host's affair.
        let is_powered = ["on", "reboot"].contains(&request.action.as_str());
        if is_powered && done.is_ok() {
            let booted = self.host(&request).and_then(|host| power::boot(&host));
            self.log(&Request { action: "boot".into(), ..request }, &booted.map(|()| "ok".into()));
        }
    }

    fn obey(&self, request: &Request) -> Result<String> {
        match request.action.as_str() {
            "list" => {
                let hosts = power::hosts(&self.docker, &self.run)?;
                let format = format!("{{{{index .Config.Labels \"{HOST_LABEL}\"}}}}");
                let names = hosts.iter().map(|host| host.inspect(&format));
                Ok(names.collect::<Result<Vec<_>>>()?.join(" "))
            }
            "status" => {
                let is_on = power::is_on(&self.host(request)?)?;
                Ok(if is_on { "on" } else { "off" }.to_owned())
            }
            "off" => power::off(&self.host(request)?).map(|()| "ok".to_owned()),
            "on" => power::on(&self.host(request)?).map(|()| "ok".to_owned()),
            "reboot" => {
                let host = self.host(request)?;
                power::off(&host).and_then(|()| power::on(&host)).map(|()| "ok".to_owned())
            }
            other => Err(Error::new(format!("there is no action '{other}'"))),
        }
    }

    fn host(&self, request: &Request) -> Result<Container> {
        power::host_named(&self.docker, &self.run, &request.host)
    }

    fn log(&self, request: &Request, done: &Result<String>) {
        let Request { action, host, asker } = request;
        if ["list", "status"].contains(&action.as_str()) && done.is_ok() {
            return;
        }
        let after = self.begun.elapsed().as_secs_f64();
        let said = done.as_ref().map_or_else(ToString::to_string, Clone::clone);
        let line = format!("{after:.1} {action} {host} asked by {asker}: {said}\n");
        let mut options = File::options();
        let file = options.append(true).create(true).open(directory(&self.run).join(LOG));
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

fn answer(stream: &mut UnixStream, done: &Result<String>) {
    let line = match done {
        Ok(said) => format!("{said}\n"),
        Err(error) => format!("error: {error}\n"),
    };
    if let Err(error) = stream.write_all(line.as_bytes()) {
        complain(&format!("nobody took the fence device's answer: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transient::unique_name;

    #[test]
    fn a_containers_name_tells_who_made_it() {
        assert_eq!(maker(&unique_name("exec")), Some(std::process::id()));
        assert!(is_alive(std::process::id()));
        assert_eq!(maker("somebodys-container"), None);
    }
}
