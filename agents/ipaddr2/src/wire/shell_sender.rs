// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the shell agent left announcing in the background, where our stop follows its start: `send_arp`, or
//! an arping, with its pid in a file beside ours. It doesn't look whether the address is still there, so it
//! would go on telling the network of it while another node has it.
//!
//! Such a file may be stale, and its pid somebody else's. Only a process that is called like a sender, has
//! the address among its arguments and is in our network namespace is taken for it.

use ocf::deadline::Deadline;
use ocf::process::{Identity, Signal};
use ocf::{Error, Result, StateFile};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// What the shell agent's senders are called. (That of IPv6 leaves no file.)
const SENDERS: [&[u8]; 3] = [b"send_arp", b"arping", b"ipoibarping"];

/// How long its end is waited for.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Ends what the shell agent left, and removes its file, which the shell agent's own stop would do.
///
/// # Errors
/// When it can't be ended, or the file can't be read or removed.
pub(crate) fn end(rsctmp: &Path, ip: IpAddr, deadline: &Deadline) -> Result<()> {
    let file = StateFile::at(rsctmp.join(format!("send_arp-{ip}")));
    let Some(content) = file.read()? else { return Ok(()) };
    let pid = std::str::from_utf8(&content).ok().and_then(|text| text.trim().parse().ok());
    // The identity first: what is read afterwards is about the same process, or it isn't signalled.
    let Some(process) = pid.filter(|pid| *pid > 1).and_then(Identity::of) else {
        return file.remove();
    };
    match whose(process.pid, ip) {
        Some(Namespace::Ours) => {}
        // The same address may be in another namespace, and its file is this one.
        Some(Namespace::Another) => return Ok(()),
        None => return file.remove(),
    }
    process.signal(Signal::SIGKILL)?;
    if !process.wait_gone(&deadline.within(END_WITHIN)) {
        let sentence = format!("send_arp of {ip} goes on: end process {} by hand", process.pid);
        return Err(Error::generic(sentence));
    }
    file.remove()
}

enum Namespace {
    Ours,
    Another,
}

/// Where a process announces an address; `None` when it doesn't.
fn whose(pid: i32, ip: IpAddr) -> Option<Namespace> {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let (name, line, ip) = (read("comm"), read("cmdline"), ip.to_string());
    let is_sender = SENDERS.contains(&name.trim_ascii_end());
    let mut words = line.split(|byte| *byte == 0);
    if !is_sender || !words.any(|word| word == ip.as_bytes()) {
        return None;
    }
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/net")).ok();
    let is_ours = namespace(&pid.to_string()) == namespace("thread-self");
    Some(if is_ours { Namespace::Ours } else { Namespace::Another })
}

#[cfg(test)]
mod tests {
    use super::super::world::{World, seconds};
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};

    /// A directory for the shell agent's files, with something that is called like a sender.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("ipaddr2-sender-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            for sender in ["send_arp", "other"] {
                // It waits for a line that never comes, whatever it is told.
                fs::write(path.join(sender), "#!/bin/sh\nread line\n").unwrap();
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(path.join(sender), mode).unwrap();
            }
            Self(path)
        }

        #[expect(clippy::disallowed_methods, reason = "the shell agent's way")]
        fn run(&self, sender: &str, ip: &str) -> Child {
            let mut command = Command::new(self.0.join(sender));
            command.args(["-i", "200", "-r", "100", "v0", ip, "auto", "not_used", "not_used"]);
            let child = command.stdin(Stdio::piped()).spawn().unwrap();
            super::super::world::until("it is what it is called", || {
                let comm = fs::read_to_string(format!("/proc/{}/comm", child.id()));
                comm.is_ok_and(|comm| comm.trim() == sender)
            });
            fs::write(self.file(), format!("{}\n", child.id())).unwrap();
            child
        }

        fn file(&self) -> PathBuf {
            self.0.join("send_arp-192.168.144.2")
        }

        fn end(&self) -> Result<()> {
            end(&self.0, "192.168.144.2".parse().unwrap(), &seconds(5))
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    fn stop(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn the_shell_agents_sender_is_ended() {
        let directory = Directory::new("ended");
        let mut sender = directory.run("send_arp", "192.168.144.2");
        directory.end().unwrap();
        assert!(!directory.file().exists());
        assert!(sender.try_wait().unwrap().is_some());
    }

    #[test]
    fn nobody_else_is() {
        let directory = Directory::new("else");
        for (sender, ip) in [("other", "192.168.144.2"), ("send_arp", "192.168.144.22")] {
            let mut other = directory.run(sender, ip);
            directory.end().unwrap();
            assert!(other.try_wait().unwrap().is_none(), "{sender} {ip}");
            assert!(!directory.file().exists(), "it named nobody");
            stop(other);
        }
        for content in ["", "1", "0", "-1", "999999999", "99999999999", "x", "\u{ff}"] {
            fs::write(directory.file(), content).unwrap();
            directory.end().unwrap();
            assert!(!directory.file().exists(), "{content}");
        }
        directory.end().unwrap();
    }

    #[test]
    fn the_same_address_in_another_namespace_goes_on() {
        World::run(|world| {
            let directory = Directory::new("namespace");
            let mut other = world.theirs(|| directory.run("send_arp", "192.168.144.2"));
            directory.end().unwrap();
            assert!(other.try_wait().unwrap().is_none());
            assert!(directory.file().exists());
            stop(other);
        });
    }
}
