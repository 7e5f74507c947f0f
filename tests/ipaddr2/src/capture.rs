// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a host sees on its wires, from the moment the capture begins.

use crate::{Namespace, PATIENCE, pause};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType,
    recvmsg, setsockopt, socket, sockopt,
};
use std::fmt;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Packets that this host sent itself (linux/if_packet.h).
const OUTGOING: u8 = 4;

/// A frame that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When the kernel saw it, since the epoch.
    pub time: Duration,
    /// The index of the interface it came in on.
    pub interface: usize,
    pub bytes: Vec<u8>,
}

/// An ARP packet (RFC 826), and its frame's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arp {
    pub destination: [u8; 6],
    pub source: [u8; 6],
    /// 1 is a request, 2 a reply.
    pub operation: u16,
    pub sender_mac: Vec<u8>,
    pub sender: Vec<u8>,
    pub target_mac: Vec<u8>,
    pub target: Vec<u8>,
}

/// An ICMPv6 message, and what carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icmp {
    pub destination_mac: [u8; 6],
    pub source_mac: [u8; 6],
    pub source: std::net::Ipv6Addr,
    pub destination: std::net::Ipv6Addr,
    pub hop_limit: u8,
    /// 135 is a neighbour solicitation, 136 an advertisement.
    pub kind: u8,
    /// Whether the checksum is right.
    pub is_sound: bool,
    /// Everything behind the checksum.
    pub body: Vec<u8>,
}

impl Frame {
    /// The ARP packet in it.
    #[must_use]
    pub fn arp(&self) -> Option<Arp> {
        let packet = SlicedPacket::from_ethernet(&self.bytes).ok()?;
        let NetSlice::Arp(arp) = packet.net? else { return None };
        let ethernet = self.bytes.get(..12)?;
        let part = |range: std::ops::Range<usize>| ethernet[range].try_into().ok();
        let arp = arp.to_packet();
        Some(Arp {
            destination: part(0..6)?,
            source: part(6..12)?,
            operation: arp.operation.0,
            sender_mac: arp.sender_hw_addr().to_vec(),
            sender: arp.sender_protocol_addr().to_vec(),
            target_mac: arp.target_hw_addr().to_vec(),
            target: arp.target_protocol_addr().to_vec(),
        })
    }

    /// The ICMPv6 message in it.
    #[must_use]
    pub fn icmp(&self) -> Option<Icmp> {
        let packet = SlicedPacket::from_ethernet(&self.bytes).ok()?;
        let NetSlice::Ipv6(ip) = packet.net? else { return None };
        let TransportSlice::Icmpv6(icmp) = packet.transport? else { return None };
        let header = ip.header();
        Some(Icmp {
            destination_mac: self.bytes[0..6].try_into().ok()?,
            source_mac: self.bytes[6..12].try_into().ok()?,
            source: header.source_addr(),
            destination: header.destination_addr(),
            hop_limit: header.hop_limit(),
            kind: icmp.type_u8(),
            is_sound: icmp.is_checksum_valid(header.source(), header.destination()),
            body: icmp.slice()[4..].to_vec(),
        })
    }

    /// Whether the address is that of an ARP packet's sender, or what a neighbour advertisement or
    /// solicitation is about.
    #[must_use]
    pub fn is_about(&self, address: std::net::IpAddr) -> bool {
        match address {
            std::net::IpAddr::V4(address) => {
                self.arp().is_some_and(|arp| arp.sender == address.octets())
            }
            std::net::IpAddr::V6(address) => self.icmp().is_some_and(|icmp| {
                matches!(icmp.kind, 135 | 136) && icmp.body.get(4..20) == Some(&address.octets())
            }),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} on {}: ", self.time.as_secs_f64() % 1000.0, self.interface)?;
        match (self.arp(), self.icmp()) {
            (Some(arp), _) => write!(f, "{arp:?}"),
            (_, Some(icmp)) => write!(f, "{icmp:?}"),
            _ => write!(f, "{:02x?}", self.bytes),
        }
    }
}

/// A capture on all interfaces of a host.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
}

impl Capture {
    /// Begins: every frame that comes in from now on is kept by the kernel.
    #[must_use]
    pub fn on(host: &Namespace) -> Self {
        let open = || {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let all = SockProtocol::EthAll;
            let socket = socket(AddressFamily::Packet, SockType::Raw, flags, all).unwrap();
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true).unwrap();
            // A burst of many addresses has to fit.
            setsockopt(&socket, sockopt::RcvBufForce, &(64 << 20)).unwrap();
            socket
        };
        Self { socket: host.inside(open) }
    }

    /// What has come in since the last look.
    #[must_use]
    pub fn take(&self) -> Vec<Frame> {
        std::iter::from_fn(|| self.next()).flatten().collect()
    }

    /// Forgets what has come in.
    pub fn clear(&self) {
        drop(self.take());
    }

    /// The next frame; an inner `None` is one that this host sent.
    fn next(&self) -> Option<Option<Frame>> {
        let mut buffer = [0_u8; 2048];
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
        let received = recvmsg::<LinkAddr>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::empty(),
        );
        let message = match received {
            Ok(message) => message,
            Err(Errno::EAGAIN) => return None,
            Err(error) => panic!("capture: {error}"),
        };
        let from = message.address.unwrap();
        let mut time = Duration::ZERO;
        for part in message.cmsgs().unwrap() {
            if let ControlMessageOwned::ScmTimestampns(stamp) = part {
                time = stamp.into();
            }
        }
        let length = message.bytes;
        let is_incoming = from.pkttype() != OUTGOING;
        Some(is_incoming.then(|| Frame {
            time,
            interface: from.ifindex(),
            bytes: buffer[..length].to_vec(),
        }))
    }

    /// Collects frames that are wanted, until there are so many.
    #[must_use]
    pub fn wait(&self, count: usize, is_wanted: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let begun = Instant::now();
        let mut found = Vec::new();
        while found.len() < count {
            let late = begun.elapsed() >= PATIENCE;
            assert!(!late, "{} of {count} frames within {PATIENCE:?}: {found:?}", found.len());
            found.extend(self.take().into_iter().filter(|frame| is_wanted(frame)));
            pause(Duration::from_millis(2));
        }
        found
    }
}
