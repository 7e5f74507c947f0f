// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The socket: requests, acknowledgements, and what the kernel says when it refuses.
//!
//! rtnetlink works in the caller's own system call: when send(2) returns the answer is there, and the rest of
//! a dump is made by each recv(2). So nothing here waits, and nothing can hang: no answer is an error.

use super::answer::{self, Each, End};
use netlink_packet_core::{Emitable, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use nix::libc;
use std::cell::Cell;
use std::fmt;
use std::io;

/// A connection to the kernel's routing sockets, in the namespace of whoever opened it.
#[derive(Debug)]
pub(crate) struct Kernel {
    socket: Socket,
    sequence: Cell<u32>,
}

/// Why the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The number; `EBADMSG` for an answer that can't be read.
    pub(crate) errno: Errno,
    /// The kernel's own words, where it has some (`NLMSGERR_ATTR_MSG`).
    pub(crate) text: Option<String>,
}

impl Refusal {
    /// An answer that isn't one: never to be taken for "there is none".
    pub(crate) fn unreadable(why: impl fmt::Display) -> Self {
        Self { errno: Errno::EBADMSG, text: Some(why.to_string()) }
    }

    /// The failure to do `what`, such as `add 10.0.0.5/24 to eth1`.
    pub(crate) fn error(&self, what: &str) -> ocf::Error {
        match self.errno {
            Errno::EPERM => ocf::Error::permission(format!("cannot {what}: run it as root")),
            _ => ocf::Error::generic(format!("cannot {what}: {self}")),
        }
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, text: None }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)).into()
    }
}

impl From<netlink_packet_core::DecodeError> for Refusal {
    fn from(error: netlink_packet_core::DecodeError) -> Self {
        Self::unreadable(error)
    }
}

impl From<Refusal> for ocf::Error {
    fn from(refusal: Refusal) -> Self {
        refusal.error("ask the kernel about its network")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.errno.desc().to_lowercase())?;
        match &self.text {
            Some(text) => write!(f, " ({})", text.trim_end_matches('.')),
            None => Ok(()),
        }
    }
}

impl Kernel {
    /// A connection in the network namespace that this thread is in now.
    pub(crate) fn open() -> Result<Self, Refusal> {
        Self::of(NETLINK_ROUTE)
    }

    /// A connection to another of the kernel's parts that speak netlink in the same way.
    pub(super) fn of(part: isize) -> Result<Self, Refusal> {
        let socket = Socket::new(part)?;
        // What the kernel doesn't understand it refuses, instead of answering another question.
        socket.set_netlink_get_strict_chk(true)?;
        socket.set_ext_ack(true)?;
        Ok(Self { socket, sequence: Cell::new(0) })
    }

    /// Has something done, and waits for the acknowledgement.
    pub(super) fn tell(&self, kind: u16, flags: u16, body: &impl Emitable) -> Result<(), Refusal> {
        let sequence = self.send(kind, flags | NLM_F_ACK, body)?;
        self.receive(sequence, &mut |_, _| Ok(())).map(drop)
    }

    /// Has something done between two other messages, which begin and end it, and waits for its
    /// acknowledgement.
    pub(super) fn tell_between(
        &self,
        [begin, end]: [u16; 2],
        frame: &impl Emitable,
        (kind, flags): (u16, u16),
        body: &impl Emitable,
    ) -> Result<(), Refusal> {
        let sequence = self.sequence.get().wrapping_add(1);
        self.sequence.set(sequence.wrapping_add(1));
        let parts = [
            emit(begin, NLM_F_REQUEST, sequence.wrapping_sub(1), frame)?,
            emit(kind, flags | NLM_F_REQUEST | NLM_F_ACK, sequence, body)?,
            emit(end, NLM_F_REQUEST, sequence.wrapping_add(1), frame)?,
        ];
        self.socket.send_to(&parts.concat(), &SocketAddr::new(0, 0), 0)?;
        self.receive(sequence, &mut |_, _| Ok(())).map(drop)
    }

    /// Asks for one object. `read` gets the kind and the payload of the answer.
    pub(super) fn ask<T>(
        &self,
        kind: u16,
        body: &impl Emitable,
        read: impl Fn(u16, &[u8]) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let sequence = self.send(kind, 0, body)?;
        let mut found = None;
        self.receive(sequence, &mut |kind, payload| {
            found = Some(read(kind, payload)?);
            Ok(())
        })?;
        found.ok_or_else(|| Refusal::unreadable("an acknowledgement without an answer"))
    }

    /// Asks for all objects that a request means. `read` picks those that matter.
    pub(super) fn dump<T>(
        &self,
        kind: u16,
        body: &impl Emitable,
        read: impl Fn(u16, &[u8]) -> Result<Option<T>, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        answer::until_consistent(|| {
            let sequence = self.send(kind, NLM_F_DUMP, body)?;
            let mut found = Vec::new();
            let end = self.receive(sequence, &mut |kind, payload| {
                found.extend(read(kind, payload)?);
                Ok(())
            })?;
            Ok((found, end))
        })
    }

    /// Where the answers come.
    pub(super) const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends a request; its number.
    pub(super) fn send(&self, kind: u16, flags: u16, body: &impl Emitable) -> Result<u32, Refusal> {
        let sequence = self.sequence.get().wrapping_add(1);
        self.sequence.set(sequence);
        let request = emit(kind, flags | NLM_F_REQUEST, sequence, body)?;
        self.socket.send_to(&request, &SocketAddr::new(0, 0), 0)?;
        Ok(sequence)
    }

    /// Reads datagrams until the answers to a request have ended.
    fn receive(&self, sequence: u32, each: &mut Each<'_>) -> Result<End, Refusal> {
        answer::collect(sequence, |datagram| receive_one(&self.socket, datagram), each)
    }
}

/// The bytes of a request.
fn emit(kind: u16, flags: u16, sequence: u32, body: &impl Emitable) -> Result<Vec<u8>, Refusal> {
    let mut header = NetlinkHeader::default();
    let length = header.buffer_len() + body.buffer_len();
    header.length = u32::try_from(length).map_err(Refusal::unreadable)?;
    header.message_type = kind;
    header.flags = flags;
    header.sequence_number = sequence;
    let mut bytes = vec![0; length];
    let (head, rest) = bytes.split_at_mut(header.buffer_len());
    header.emit(head);
    body.emit(rest);
    Ok(bytes)
}

/// Receives one datagram of the kernel's; false where there is none.
pub(super) fn receive_one(socket: &Socket, datagram: &mut Vec<u8>) -> Result<bool, Refusal> {
    loop {
        datagram.clear();
        match socket.recv_from(datagram, libc::MSG_DONTWAIT | libc::MSG_TRUNC) {
            // Only the kernel speaks from port 0.
            Ok((_, sender)) if sender.port_number() != 0 => {}
            Ok((length, _)) if length > datagram.len() => {
                return Err(Errno::EMSGSIZE.into());
            }
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
