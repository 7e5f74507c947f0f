// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Requests of clients that are gone. An Engine that was frozen, or is busy, still does what a client
//! asked for that was killed meanwhile. The kernel knows: the Engine's end of such a connection stays
//! until the request has been dealt with (sock_diag(7), UNIX sockets).

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// `SOCK_DIAG_BY_FAMILY`, `NLM_F_REQUEST | NLM_F_DUMP`, and the ends of a dump (linux/netlink.h).
const BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// The lengths of `struct nlmsghdr` and `struct unix_diag_msg` (linux/unix_diag.h).
const HEADER: usize = 16;
const MESSAGE: usize = 16;
/// What is to be shown, and as which attribute it comes: the inode, the queue, what is shut down.
const SHOW: u32 = 0x2 | 0x10 | 0x20;
const VFS: u16 = 1;
const RQLEN: u16 = 4;
const SHUTDOWN: u16 = 6;
/// Both directions (`RCV_SHUTDOWN | SEND_SHUTDOWN`): the other end is closed.
const BOTH: u8 = 3;
/// `TCP_LISTEN`, which UNIX sockets use too.
const LISTENING: u8 = 10;

/// What the Engine has of clients that are gone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InFlight {
    /// Its ends of their connections, by the inodes of the sockets.
    pub(crate) connections: Vec<u32>,
    /// Clients that it hasn't let in yet: some of them may be gone.
    pub(crate) queue: usize,
}

impl InFlight {
    /// How many requests that may be, without connections that are known to be none.
    pub(crate) fn count(&self, strangers: &[u32]) -> usize {
        let unknown = self.connections.iter().filter(|inode| !strangers.contains(inode));
        self.queue + unknown.count()
    }
}

/// What is in flight on a socket; `None` where the kernel doesn't tell.
pub(crate) fn find(path: &Path) -> Option<InFlight> {
    // The kernel's answer has room for 32 bits of the inode.
    let inode = u32::try_from(fs::metadata(path).ok()?.ino() & u64::from(u32::MAX)).ok()?;
    let netlink = open()?;
    ask(&netlink)?;
    let mut found = InFlight::default();
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty()).ok()?;
        let mut rest = buffer.get(..length)?;
        while !rest.is_empty() {
            let kind = number16(rest, 4)?;
            let length = usize::try_from(number32(rest, 0)?).ok()?;
            match kind {
                NLMSG_DONE => return Some(found),
                NLMSG_ERROR => return None,
                BY_FAMILY => note(rest.get(HEADER..length)?, inode, &mut found)?,
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

fn open() -> Option<OwnedFd> {
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )
    .ok()?;
    bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, 0)).ok()?;
    setsockopt(&netlink, sockopt::ReceiveTimeout, &TimeVal::seconds(2)).ok()?;
    Some(netlink)
}

/// Sends `struct unix_diag_req`: every UNIX socket, in any state.
fn ask(netlink: &OwnedFd) -> Option<()> {
    let mut request = Vec::with_capacity(40);
    request.extend(40_u32.to_ne_bytes());
    request.extend(BY_FAMILY.to_ne_bytes());
    request.extend(REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([AddressFamily::Unix as u8, 0, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(0_u32.to_ne_bytes());
    request.extend(SHOW.to_ne_bytes());
    request.extend([0xff; 8]);
    sendto(netlink.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty()).ok()?;
    Some(())
}

/// Notes one socket: a listener's queue, or an end of the Engine's whose other end is gone.
fn note(message: &[u8], wanted: u32, found: &mut InFlight) -> Option<()> {
    let state = *message.get(2)?;
    let (mut is_wanted, mut queue, mut is_shut) = (false, 0, false);
    let mut rest = message.get(MESSAGE..)?;
    while rest.len() >= 4 {
        let length = usize::from(number16(rest, 0)?).max(4);
        let value = rest.get(4..length)?;
        match number16(rest, 2)? {
            VFS => is_wanted = number32(value, 0)? == wanted,
            RQLEN => queue = usize::try_from(number32(value, 0)?).ok()?,
            SHUTDOWN => is_shut = value.first() == Some(&BOTH),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    match state {
        _ if !is_wanted => {}
        LISTENING => found.queue += queue,
        _ if is_shut => found.connections.push(number32(message, 4)?),
        _ => {}
    }
    Some(())
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_request_counts_until_it_is_dealt_with_although_its_client_is_gone() {
        let path = std::env::temp_dir().join(format!("ocf-in-flight-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let count = || find(&path).map(|found| found.count(&[]));
        assert_eq!(count(), Some(0));
        let mut alive = UnixStream::connect(&path).unwrap();
        alive.write_all(b"POST").unwrap();
        let (served, _) = listener.accept().unwrap();
        assert_eq!(count(), Some(0), "a client that is there waits for its answer itself");
        let mut dead = UnixStream::connect(&path).unwrap();
        dead.write_all(b"POST").unwrap();
        drop(dead);
        assert_eq!(count(), Some(1), "not let in yet");
        let (of_dead, _) = listener.accept().unwrap();
        assert_eq!(count(), Some(1), "let in");
        let found = find(&path).unwrap();
        assert_eq!(found.count(&found.connections), 0, "known before");
        drop(of_dead);
        assert_eq!(count(), Some(0), "dealt with");
        drop((alive, served));
        fs::remove_file(&path).unwrap();
    }
}
