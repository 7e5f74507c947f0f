// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether what we see of this host is what the Engine sees.

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt,
};
use std::fs::read_link;
use std::os::fd::AsRawFd;
use std::path::Path;

/// What we have in common with the Engine. An Engine in a container, or in a network namespace of its
/// own, has other files and other ports.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared {
    pub(super) has_our_files: bool,
    pub(super) has_our_network: bool,
}

impl Shared {
    /// What we share with the one who listens on a socket.
    pub(super) fn of(path: &Path) -> Self {
        let Some(pid) = listener(path) else { return Self::default() };
        let is_ours = |namespace: &str| {
            let theirs = read_link(format!("/proc/{pid}/ns/{namespace}"));
            let ours = read_link(format!("/proc/self/ns/{namespace}"));
            matches!((theirs, ours), (Ok(theirs), Ok(ours)) if theirs == ours)
        };
        Self { has_our_files: is_ours("mnt"), has_our_network: is_ours("net") }
    }
}

/// Who listens on a socket (SO_PEERCRED, unix(7)); without waiting to be let in.
fn listener(path: &Path) -> Option<i32> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    connect(client.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    let peer = getsockopt(&client, sockopt::PeerCredentials).ok()?;
    Some(peer.pid()).filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn who_listens_here_shares_all_with_us() {
        let path = std::env::temp_dir().join(format!("shared-{}", std::process::id()));
        assert_eq!(Shared::of(&path), Shared::default());
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Shared { has_our_files: true, has_our_network: true };
        assert_eq!(Shared::of(&path), shared);
        drop(listener);
        assert_eq!(Shared::of(&path), Shared::default(), "nobody listens any more");
        std::fs::remove_file(&path).unwrap();
    }
}
