// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A packet socket (packet(7)) on one interface, in the network namespace of whoever opened it. The
//! kernel writes and takes off the link's header, so that Ethernet and InfiniBand look alike here.

use super::frame::Frame;
use crate::sys;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockType, recvfrom, setsockopt, socket, sockopt,
};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

/// `ETH_P_ARP` and `ETH_P_IPV6` (linux/if_ether.h).
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;

/// Room for some thousand small packets while this process waits for the processor.
const ROOM: usize = 4 << 20;

/// Longer than any packet that is looked for.
const LONGEST: usize = 2048;

/// A packet socket.
#[derive(Debug)]
pub(crate) struct Packets {
    fd: OwnedFd,
    index: u32,
}

/// What came in: the packet, and the hardware address that sent it, where it has six bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    pub(crate) from: Option<[u8; 6]>,
}

impl Packets {
    /// One that only sends, from the interface of that index.
    ///
    /// # Errors
    /// When the kernel gives none: EPERM without `CAP_NET_RAW`.
    pub(crate) fn to_send(index: u32) -> Result<Self, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Packet, SockType::Datagram, flags, None)?;
        Ok(Self { fd, index })
    }

    /// One that also hears what tells of addresses of that one's family: ARP packets, or Neighbor
    /// Advertisements and Solicitations.
    ///
    /// # Errors
    /// When the kernel gives none; ENODEV when the interface is gone.
    pub(crate) fn to_hear(index: u32, ip: IpAddr) -> Result<Self, Errno> {
        let packets = Self::to_send(index)?;
        // Less room only makes it likelier that a storm hides an answer; there are several questions.
        let _less = setsockopt(&packets.fd, sockopt::RcvBufForce, &ROOM);
        if ip.is_ipv4() {
            sys::bind_packets(packets.fd.as_fd(), index, ARP)?;
        } else {
            // Without it all IPv6 traffic of a busy interface would come by here.
            sys::attach_filter(packets.fd.as_fd(), &mut neighbor_discovery())?;
            sys::bind_packets(packets.fd.as_fd(), index, IPV6)?;
        }
        Ok(packets)
    }

    /// Sends a packet. Never waits.
    ///
    /// # Errors
    /// What the kernel says: ENETDOWN when the interface is down, ENXIO when it is gone, ENOBUFS…
    pub(crate) fn send(&self, frame: &Frame) -> Result<(), Errno> {
        let Frame { protocol, destination, payload } = frame;
        sys::send_packet(self.fd.as_fd(), self.index, *protocol, destination, payload)
    }

    /// The next packet that comes before a moment; `None` when none does.
    ///
    /// # Errors
    /// When the kernel can't be asked any more: ENETDOWN when the interface went down or away.
    pub(crate) fn receive(&self, until: Instant) -> Result<Option<Heard>, Errno> {
        let mut buffer = [0; LONGEST];
        loop {
            match recvfrom::<LinkAddr>(self.fd.as_raw_fd(), &mut buffer) {
                Ok((length, from)) => {
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    return Ok(Some(Heard { bytes, from: from.and_then(|from| from.addr()) }));
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            // What woke us shows when we look again.
            let _woken = poll(&mut fds, timeout(left));
        }
    }
}

impl AsRawFd for Packets {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// A time to poll for, rounded up: rounded down the last millisecond would be spent asking.
pub(super) fn timeout(left: Duration) -> PollTimeout {
    PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
}

/// A program for the kernel that lets pass Neighbor Solicitations (135) and Advertisements (136) of
/// ICMPv6 (58) that stands right behind the IPv6 header, as it has to (RFC 4861, 7.1).
fn neighbor_discovery() -> [libc::sock_filter; 7] {
    const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
    const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let step =
        |code: u32, (jt, jf): (u8, u8), k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    [
        step(LOAD_BYTE, (0, 0), 6),
        step(IF_EQUAL, (0, 4), 58),
        step(LOAD_BYTE, (0, 0), 40),
        step(IF_EQUAL, (1, 0), 135),
        step(IF_EQUAL, (0, 1), 136),
        step(RETURN, (0, 0), LONGEST as u32),
        step(RETURN, (0, 0), 0),
    ]
}
