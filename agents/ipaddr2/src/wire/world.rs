// SPDX-License-Identifier: Apache-2.0 OR MIT
//! For tests: two hosts, each a network namespace of its own, and the wire between them. `v0` is ours,
//! `v1` the other host's; who listens there sees every frame, header and all.

use super::frame::Frame;
use super::socket::Packets;
use crate::kernel::{Kernel, Link};
use crate::testing::{in_namespace, ip};
use nix::cmsg_space;
use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
    recvmsg, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use ocf::deadline::Deadline;
use std::fs::{self, File};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// The hardware addresses of both ends.
pub(crate) const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0x0a];
pub(crate) const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 0x0b];

/// A frame, and when the kernel got it (from 1970 on).
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    /// What stands at a place, in hexadecimal digits.
    pub(crate) fn hex(&self, from: usize, to: usize) -> String {
        self.bytes[from..to].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn is_arp(&self) -> bool {
        self.hex(12, 14) == "0806"
    }

    /// An unsolicited advertisement for an address that ends with these digits.
    pub(crate) fn is_advertisement_of(&self, end: &str) -> bool {
        self.bytes.len() >= 78 && self.bytes[54] == 136 && self.hex(62, 78).ends_with(end)
    }
}

/// Both hosts, and an ear at the other one.
pub(crate) struct World {
    ours: File,
    theirs: File,
    ear: OwnedFd,
    mouth: Packets,
    pub(crate) kernel: Kernel,
}

impl World {
    /// Runs a test with both hosts. The thread is in our namespace.
    pub(crate) fn run(test: impl FnOnce(&World) + Send + 'static) {
        in_namespace(|| test(&World::new()));
    }

    fn new() -> Self {
        let namespace = || File::open("/proc/thread-self/ns/net").expect("a namespace");
        let ours = namespace();
        unshare(CloneFlags::CLONE_NEWNET).expect("a second namespace");
        let theirs = namespace();
        let path = format!("/proc/{}/fd/{}", std::process::id(), ours.as_raw_fd());
        ip("link set lo up");
        // Nothing of the other kernel's own on the wire.
        fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("sysctl");
        ip(&format!(
            "link add v1 address 02:00:00:00:00:0b type veth peer name v0 address 02:00:00:00:00:0a netns {path}"
        ));
        ip("link set v1 up");
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let all = SockProtocol::EthAll;
        let ear = socket(AddressFamily::Packet, SockType::Raw, flags, all).expect("a socket");
        let mouth = Packets::to_send(if_nametoindex("v1").expect("v1")).expect("a socket");
        setsockopt(&ear, sockopt::ReceiveTimestampns, &true).expect("times");
        setns(&ours, CloneFlags::CLONE_NEWNET).expect("back");
        ip("link set v0 up");
        let kernel = Kernel::open().expect("netlink");
        let world = Self { ours, theirs, ear, mouth, kernel };
        // A carrier alone isn't enough: until the kernel has seen to it, what is sent is dropped.
        until("our link", || world.link().operstate == 6);
        world.theirs(|| until("their link", || ip("-o link show v1").contains("state UP")));
        world
    }

    /// Our interface.
    pub(crate) fn link(&self) -> Link {
        self.kernel.find_link("v0").expect("no refusal").expect("v0")
    }

    /// Does something as the other host.
    pub(crate) fn theirs<T>(&self, act: impl FnOnce() -> T) -> T {
        setns(&self.theirs, CloneFlags::CLONE_NEWNET).expect("over there");
        let done = act();
        setns(&self.ours, CloneFlags::CLONE_NEWNET).expect("back");
        done
    }

    /// Has the other host send a packet.
    pub(crate) fn say(&self, frame: &Frame) {
        self.mouth.send(frame).expect("sent");
    }

    /// The other host's end as a link: to make its packets.
    pub(crate) fn their_link(&self) -> Link {
        Link { mac: THEIRS.to_vec(), name: "v1".to_owned(), ..self.link() }
    }

    /// The next frame that is there already. The kernel's time: this process may be late.
    fn hear(&self) -> Option<Seen> {
        let mut buffer = [0; 2048];
        let mut room = cmsg_space!(TimeSpec);
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let flags = MsgFlags::empty();
        let message =
            recvmsg::<LinkAddr>(self.ear.as_raw_fd(), &mut parts, Some(&mut room), flags).ok()?;
        let time = message.cmsgs().ok()?.find_map(|part| match part {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        });
        let (at, length) = (time.expect("a time"), message.bytes);
        Some(Seen { at, bytes: buffer[..length].to_vec() })
    }

    /// The next frame of ours that the other host sees; `None` when none comes in that time.
    pub(crate) fn next(&self, within: Duration) -> Option<Seen> {
        let until = Instant::now() + within;
        loop {
            if let Some(seen) = self.hear() {
                if seen.bytes.len() >= 14 && seen.bytes[6..12] == OURS {
                    return Some(seen);
                }
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let mut fds = [PollFd::new(self.ear.as_fd(), PollFlags::POLLIN)];
            let _woken = poll(&mut fds, super::socket::timeout(left));
        }
    }

    /// Whether one of the frames that came by now, whoever sent it, holds these bytes.
    pub(crate) fn has_heard(&self, hex: &str) -> bool {
        while let Some(seen) = self.hear() {
            if seen.hex(0, seen.bytes.len()).contains(hex) {
                return true;
            }
        }
        false
    }

    /// All frames of ours that matter, until so many have come or the time is over.
    pub(crate) fn collect(
        &self,
        count: usize,
        within: Duration,
        matters: impl Fn(&Seen) -> bool,
    ) -> Vec<Seen> {
        let until = Instant::now() + within;
        let mut seen = Vec::new();
        while seen.len() < count {
            match self.next(until.saturating_duration_since(Instant::now())) {
                Some(frame) if matters(&frame) => seen.push(frame),
                Some(_) => {}
                None => break,
            }
        }
        seen
    }
}

/// Asks again and again until the answer is yes.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < limit, "{what}");
        super::announce::rest(Duration::from_millis(2));
    }
}

/// A deadline so far from now.
pub(crate) fn seconds(seconds: u64) -> Deadline {
    Deadline::since(Instant::now(), Duration::from_secs(seconds + 2))
}

/// The same numbers on every run (xorshift64*).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap()
    }
}
