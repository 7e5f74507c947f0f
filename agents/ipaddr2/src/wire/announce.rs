// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Announcements: who has the address from now on, said to everybody who may have known it elsewhere.
//!
//! ARP (IPv4) is sent as often and as fast as `arp_count` and `arp_interval` say. send_arp's form is a
//! request and a reply each time: both are right (RFC 826 looks at the sender before the operation), and
//! some switches and firewalls heed only one of them. The pair leaves together, so that the first moment
//! of the takeover serves both sorts.
//!
//! Neighbor Advertisements (IPv6) keep the pace that RFC 4861, 7.2.6 demands: at most three in a row, at
//! least the interface's retransmission timer (one second by default) apart, whatever smaller numbers
//! `arp_interval` says. The first leaves at once in any case; what the others are for, a switch that
//! doesn't forward yet, takes seconds.

use super::find_obstacle;
use super::frame::{self, Audience, Frame};
use super::socket::Packets;
use crate::Parameters;
use crate::configuration::Sender;
use crate::kernel::{Assigned, Kernel, Link};
use nix::errno::Errno;
use nix::libc;
use ocf::deadline::Deadline;
use ocf::tracing;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

/// How many unsolicited advertisements may follow each other (`MAX_NEIGHBOR_ADVERTISEMENT`, RFC 4861, 10).
const MOST_ADVERTISEMENTS: u32 = 3;

/// The time between them where the kernel doesn't say (`RETRANS_TIMER`, RFC 4861, 10).
const RETRANSMISSION: Duration = Duration::from_secs(1);

/// `ARPHRD_INFINIBAND` (linux/if_arp.h).
const INFINIBAND: u16 = 32;

/// What ARP announcements look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A request and a reply each time, as send_arp does.
    Both,
    /// Requests whose target is nobody (RFC 5227).
    Requests,
    /// Requests whose target is everybody, as arping's -U.
    RequestsToAll,
    /// Replies, as arping's -A.
    Replies,
}

impl Form {
    /// The form that a sender's packets have, and those of its options that mean nothing here.
    pub(crate) fn of(sender: Option<Sender>, options: &str, hardware: u16) -> (Self, Vec<&str>) {
        let arping = match sender {
            Some(Sender::IputilsArping | Sender::Ipoibarping) => true,
            None => hardware == INFINIBAND,
            Some(Sender::SendArp | Sender::LibnetArping) => false,
        };
        let form = match sender {
            _ if arping => Self::RequestsToAll,
            Some(Sender::LibnetArping) => Self::Requests,
            _ => Self::Both,
        };
        options.split_ascii_whitespace().fold((form, Vec::new()), |(form, mut others), option| {
            match option {
                "-U" if arping => (Self::RequestsToAll, others),
                "-A" if arping => (Self::Replies, others),
                _ => {
                    others.push(option);
                    (form, others)
                }
            }
        })
    }
}

/// What is told of one address, how often, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) ip: IpAddr,
    pub(crate) prefix: u8,
    /// The label of the IPv4 address; the interface's name where it has none.
    pub(crate) label: String,
    pub(crate) link: Link,
    /// How often: `arp_count`.
    pub(crate) count: u32,
    /// How far apart: `arp_interval`.
    pub(crate) interval: Duration,
    pub(crate) form: Form,
    /// The hardware address that the clones of a load-sharing address have in common.
    pub(crate) shared_mac: Option<Vec<u8>>,
}

impl Plan {
    /// What the parameters say of an address of an interface.
    pub(crate) fn of(assigned: &Assigned, link: &Link, parameters: &Parameters) -> Self {
        let (form, _) = Form::of(parameters.arp_sender, &parameters.send_arp_opts, link.hardware);
        Self {
            ip: assigned.ip,
            prefix: assigned.prefix,
            label: assigned.label.clone().unwrap_or_else(|| link.name.clone()),
            link: link.clone(),
            count: parameters.arp_count,
            interval: Duration::from_millis(u64::from(parameters.arp_interval)),
            form,
            shared_mac: None,
        }
    }

    /// The same, so many times: what a monitor sends.
    pub(crate) fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// The same with the hardware address that clones share.
    pub(crate) fn with_shared_mac(self, mac: Vec<u8>) -> Self {
        Self { shared_mac: Some(mac), ..self }
    }

    /// How many steps a burst has: pairs of ARP packets, or advertisements.
    pub(crate) fn steps(&self) -> u32 {
        if self.ip.is_ipv4() { self.count } else { self.count.min(MOST_ADVERTISEMENTS) }
    }

    /// The time from one step to the next.
    pub(crate) fn pause(&self) -> Duration {
        if self.ip.is_ipv4() {
            return self.interval;
        }
        let file = format!("/proc/sys/net/ipv6/neigh/{}/retrans_time_ms", self.link.name);
        let timer = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        self.interval.max(timer.map_or(RETRANSMISSION, Duration::from_millis))
    }

    /// The longest that an announcer lives: both bursts as they were asked for, and time to spare for the
    /// pause between them, a slower pace and a busy node.
    pub(crate) fn longest(&self) -> Duration {
        let bursts = self.interval.saturating_mul(self.count).saturating_mul(2);
        bursts.saturating_add(Duration::from_secs(10))
    }

    /// Sends a whole burst and waits between its steps; what the deadline cuts off counts as not sent. What
    /// went wrong is told in the log: an address that nobody has been told of works none the less, only
    /// later.
    pub(crate) fn send_all(&self, kernel: &Kernel, deadline: &Deadline) -> Tally {
        let mut tally = Tally::default();
        if let Some(packets) = self.open(&mut tally) {
            let pause = self.pause();
            for step in 0..self.steps() {
                if step > 0 {
                    if pause > deadline.left() {
                        tally.unsent = self.steps() - step;
                        break;
                    }
                    rest(pause);
                }
                if !self.tell(kernel, &packets, step, &mut tally) {
                    break;
                }
            }
        }
        tally.report(self);
        tally
    }

    /// Sends one step, if there is reason to; `false` when there won't be any more.
    pub(super) fn tell(
        &self,
        kernel: &Kernel,
        packets: &Packets,
        step: u32,
        tally: &mut Tally,
    ) -> bool {
        match self.look(kernel) {
            Ok(Subject::There(link)) => self.send_step(packets, &link, step, tally),
            Ok(Subject::NotYet) => {}
            Ok(Subject::Gone) => return false,
            Err(errno) => tally.count(Err(errno)),
        }
        true
    }

    /// Asks the kernel of what is to be announced.
    fn look(&self, kernel: &Kernel) -> Result<Subject, Errno> {
        let index = self.link.index;
        let found = kernel.find_link_by_index(index).map_err(|refusal| refusal.errno)?;
        let Some(link) = found else { return Ok(Subject::Gone) };
        // The kernel renames an interface's labels with it.
        let rest_of_label = self.label.strip_prefix(&self.link.name).unwrap_or_default();
        let label = format!("{}{rest_of_label}", link.name);
        let held = kernel.holds(&label, index, self.ip, self.prefix);
        Ok(match held.map_err(|refusal| refusal.errno)?.map(|assigned| assigned.flags) {
            None => Subject::Gone,
            Some(flags) if flags & libc::IFA_F_DADFAILED != 0 => Subject::Gone,
            Some(flags) if flags & libc::IFA_F_TENTATIVE != 0 => Subject::NotYet,
            Some(_) => Subject::There(link),
        })
    }

    /// A socket to send by; `None`, with the reason in the log or the tally, where nothing can be sent.
    pub(super) fn open(&self, tally: &mut Tally) -> Option<Packets> {
        if let Some(why) = find_obstacle(&self.link) {
            tracing::debug!("{}: {} isn't announced: {why}", self.link.name, self.ip);
            return None;
        }
        Packets::to_send(self.link.index).map_err(|errno| tally.count(Err(errno))).ok()
    }

    fn send_step(&self, packets: &Packets, link: &Link, step: u32, tally: &mut Tally) {
        for frame in self.frames(link, step) {
            tally.count(packets.send(&frame));
        }
    }

    /// The packets of one step.
    fn frames(&self, link: &Link, step: u32) -> Vec<Frame> {
        let mac = self.shared_mac.as_ref().unwrap_or(&link.mac);
        match self.ip {
            IpAddr::V4(ip) => {
                let nobody = vec![0; link.mac.len()];
                let request = |target: &[u8]| frame::request(link, mac, ip, target);
                let frames = match self.form {
                    Form::Both => [request(&nobody), frame::reply(link, mac, ip)],
                    Form::Requests => [request(&nobody), None],
                    Form::RequestsToAll => [request(&link.broadcast), None],
                    Form::Replies => [frame::reply(link, mac, ip), None],
                };
                frames.into_iter().flatten().collect()
            }
            IpAddr::V6(ip) => {
                let is_router = is_router(&link.name);
                let to = |audience| frame::advertisement(link, mac, ip, audience, is_router);
                // Routers need to hear the news once; the others may have missed what corrects them.
                let routers = (step == 0).then(|| to(Audience::Routers)).flatten();
                to(Audience::Nodes).into_iter().chain(routers).collect()
            }
        }
    }
}

/// What there is to announce.
enum Subject {
    /// The address, on this interface as it is now: its hardware address may have changed.
    There(Link),
    /// It is there, and the kernel still looks for another owner: using it would spoil that.
    NotYet,
    /// It isn't there, or isn't to be used.
    Gone,
}

/// Whether this node forwards what comes in by an interface: then an advertisement that doesn't say so
/// would make its neighbours look for another router (RFC 4861, 7.2.5).
fn is_router(interface: &str) -> bool {
    let file = format!("/proc/sys/net/ipv6/conf/{interface}/forwarding");
    fs::read_to_string(file).is_ok_and(|text| !matches!(text.trim(), "0" | ""))
}

/// How many packets left, and how many didn't.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sent: u32,
    pub(crate) failed: u32,
    /// Steps for which there was no time.
    pub(crate) unsent: u32,
    pub(crate) last: Option<Errno>,
}

impl Tally {
    pub(super) fn count(&mut self, sent: Result<(), Errno>) {
        match sent {
            Ok(()) => self.sent += 1,
            Err(errno) => {
                self.failed += 1;
                self.last = Some(errno);
            }
        }
    }

    /// Tells of it in the log: as a warning where something didn't leave.
    pub(super) fn report(&self, plan: &Plan) {
        let (ip, name) = (plan.ip, &plan.link.name);
        if self.failed + self.unsent > 0 {
            tracing::warn!("{ip} isn't announced on {name} as it should be: {self}");
        } else if self.sent > 0 {
            tracing::debug!("{ip} is announced on {name}: {self}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets sent", self.sent)?;
        if self.failed > 0 {
            let why = self.last.map_or("unknown", Errno::desc);
            write!(f, ", {} refused by the kernel ({})", self.failed, why.to_lowercase())?;
        }
        if self.unsent > 0 {
            write!(f, ", no time for {} more", self.unsent)?;
        }
        Ok(())
    }
}

/// Waits; for callers that have looked at their deadline.
pub(super) fn rest(duration: Duration) {
    let until = std::time::Instant::now() + duration;
    loop {
        let left = until.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return;
        }
        let _interrupted = nix::poll::poll(&mut [], super::socket::timeout(left));
    }
}

#[cfg(test)]
mod tests;
