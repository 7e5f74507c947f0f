// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the kernel tells by itself: links that come up, addresses whose duplicate detection ends.

use super::netlink::{Kernel, Refusal, receive_one};
use super::{Assigned, Link, address, answer, link};
use netlink_packet_core::NetlinkBuffer;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use nix::libc::{RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ocf::deadline::Deadline;
use std::collections::VecDeque;
use std::os::fd::AsFd;

/// What can be listened to (`RTNLGRP_*`, linux/rtnetlink.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Group {
    /// Interfaces.
    Link = 1,
    /// IPv6 addresses.
    Ipv6Address = 9,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// An interface came or changed.
    Link(Link),
    /// An interface went.
    LinkGone(Link),
    /// An address came or changed.
    Address(Assigned),
    /// An address went.
    AddressGone(Assigned),
    /// Something was missed: whoever waits has to ask.
    Lost,
}

/// Events since [`Kernel::subscribe`].
#[derive(Debug)]
pub(crate) struct Events {
    socket: Socket,
    waiting: VecDeque<Event>,
}

impl Kernel {
    /// Listens from now on. Ask for the state afterwards: what happens then is told.
    pub(crate) fn subscribe(&self, groups: &[Group]) -> Result<Events, Refusal> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        // Without a port of its own it would count as the kernel's, which isn't told of what it says.
        socket.bind(&SocketAddr::new(0, 0))?;
        for &group in groups {
            socket.add_membership(group as u32)?;
        }
        Ok(Events { socket, waiting: VecDeque::new() })
    }

    /// Waits until an interface has a link; how it is then, or when the time is over.
    pub(crate) fn wait_for_carrier(&self, index: u32, until: &Deadline) -> Result<Link, Refusal> {
        let mut events = self.subscribe(&[Group::Link])?;
        loop {
            let link = self.find_link_by_index(index)?.ok_or(Errno::ENODEV)?;
            // The operational state follows the carrier a little later.
            let is_up = link.has_carrier && !link.is_down();
            if is_up || events.next(until)?.is_none() {
                return Ok(link);
            }
        }
    }
}

impl Events {
    /// The next event; `None` when the time is over.
    pub(crate) fn next(&mut self, until: &Deadline) -> Result<Option<Event>, Refusal> {
        let mut datagram = Vec::with_capacity(answer::DATAGRAM);
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            match receive_one(&self.socket, &mut datagram) {
                Ok(true) => self.waiting.extend(read(&datagram)),
                Ok(false) if until.is_over() => return Ok(None),
                Ok(false) => self.wait(until)?,
                Err(Refusal { errno: Errno::ENOBUFS | Errno::EBADMSG, .. }) => {
                    return Ok(Some(Event::Lost));
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }

    fn wait(&self, until: &Deadline) -> Result<(), Refusal> {
        let mut descriptors = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        // A millisecond more, so that the last wait isn't followed by some of no length.
        let left = until.left().as_millis().saturating_add(1);
        let timeout = PollTimeout::from(u16::try_from(left).unwrap_or(u16::MAX));
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// The events of a datagram. One that can't be read is one that was missed.
pub(super) fn read(datagram: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = datagram;
    while let Ok(message) = NetlinkBuffer::new_checked(rest) {
        let length = usize::try_from(message.length()).unwrap_or(rest.len());
        let payload = rest.get(answer::HEADER..length).unwrap_or_default();
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // A bridge tells of its ports, too, with less: such a message says nothing of a carrier.
        let is_plain = payload.first() == Some(&0);
        let event = match message.message_type() {
            RTM_NEWLINK if is_plain => link::read(payload).map(Event::Link),
            RTM_DELLINK if is_plain => link::read(payload).map(Event::LinkGone),
            RTM_NEWADDR => address::read(payload).map(Event::Address),
            RTM_DELADDR => address::read(payload).map(Event::AddressGone),
            _ => continue,
        };
        events.push(event.unwrap_or(Event::Lost));
    }
    if !rest.is_empty() {
        events.push(Event::Lost);
    }
    events
}
