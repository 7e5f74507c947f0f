// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reading what the kernel answers: messages of a datagram, attributes of a message. What can't be read is
//! an error, whatever it was about: an unreadable answer says nothing about what exists.

use super::netlink::Refusal;
use netlink_packet_core::{
    DecodeError, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLMSG_DONE,
    NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, NetlinkBuffer, NlasIterator, parse_i32, parse_ip,
    parse_u32,
};
use nix::errno::Errno;
use std::net::IpAddr;

/// How often a dump is asked for again that changed while it was read.
const TRIES: u32 = 20;

/// The most that the kernel puts in one datagram of a dump.
pub(super) const DATAGRAM: usize = 32 * 1024;

/// `NLMSGERR_ATTR_MSG` (linux/netlink.h): the kernel's words.
const WORDS: u16 = 1;

/// The bytes of `struct nlmsghdr`.
pub(super) const HEADER: usize = 16;

/// What takes the kind and the payload of a message.
pub(super) type Each<'a> = dyn FnMut(u16, &[u8]) -> Result<(), Refusal> + 'a;

/// How the answers to a request ended, when they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// What was dumped changed meanwhile, so that something may be missing.
    pub(super) is_interrupted: bool,
}

/// Asks again until nothing changed meanwhile: then nothing is missing.
pub(super) fn until_consistent<T>(
    mut ask: impl FnMut() -> Result<(T, End), Refusal>,
) -> Result<T, Refusal> {
    let mut refusal = Refusal {
        errno: Errno::EAGAIN,
        text: Some("it changes faster than it can be read".to_owned()),
    };
    for _ in 0..TRIES {
        match ask() {
            Ok((found, End { is_interrupted: false })) => return Ok(found),
            Ok(_) => {}
            Err(again @ Refusal { errno: Errno::ENOBUFS, .. }) => refusal = again,
            Err(other) => return Err(other),
        }
    }
    Err(refusal)
}

/// Reads datagrams until the answers to the request with this number have ended.
pub(super) fn collect(
    sequence: u32,
    mut receive: impl FnMut(&mut Vec<u8>) -> Result<bool, Refusal>,
    each: &mut Each<'_>,
) -> Result<End, Refusal> {
    let mut datagram = Vec::with_capacity(DATAGRAM);
    let mut is_interrupted = false;
    loop {
        if !receive(&mut datagram)? {
            return Err(Refusal::unreadable("the kernel gave no answer"));
        }
        let progress = read(&datagram, sequence, each)?;
        is_interrupted |= progress.is_interrupted;
        if progress.is_over {
            return Ok(End { is_interrupted });
        }
    }
}

/// What one datagram brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    pub(super) is_over: bool,
    pub(super) is_interrupted: bool,
}

/// Hands on the messages of a datagram that answer the request with this number.
pub(super) fn read(
    datagram: &[u8],
    sequence: u32,
    each: &mut Each<'_>,
) -> Result<Progress, Refusal> {
    let mut progress = Progress::default();
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkBuffer::new_checked(rest)?;
        let length = usize::try_from(message.length()).map_err(Refusal::unreadable)?;
        let payload = rest.get(HEADER..length).unwrap_or_default();
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // An answer to a question that was given up.
        if message.sequence_number() != sequence {
            continue;
        }
        let flags = message.flags();
        progress.is_interrupted |= flags & NLM_F_DUMP_INTR != 0;
        match message.message_type() {
            NLMSG_NOOP => {}
            NLMSG_OVERRUN => return Err(Errno::ENOBUFS.into()),
            NLMSG_ERROR | NLMSG_DONE => {
                verdict(message.message_type(), flags, payload)?;
                progress.is_over = true;
            }
            kind => {
                each(kind, payload)?;
                progress.is_over |= flags & NLM_F_MULTIPART == 0;
            }
        }
    }
    Ok(progress)
}

/// What an acknowledgement, or the end of a dump, says.
fn verdict(kind: u16, flags: u16, payload: &[u8]) -> Result<(), Refusal> {
    let code = parse_i32(payload.get(..4).unwrap_or_default())?;
    if code == 0 {
        return Ok(());
    }
    let errno = Errno::from_raw(code.saturating_abs());
    let mut words = payload.get(4..).unwrap_or_default();
    if flags & NLM_F_ACK_TLVS == 0 {
        return Err(errno.into());
    }
    if kind == NLMSG_ERROR {
        // The request comes first: its header, and the rest of it where the kernel didn't cut it.
        let length = match flags & NLM_F_CAPPED {
            0 => usize::try_from(parse_u32(words.get(..4).unwrap_or_default())?).unwrap_or(HEADER),
            _ => HEADER,
        };
        words = words.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    let words = NlasIterator::new(words)
        .filter_map(Result::ok)
        .find(|word| word.kind() == WORDS)
        .map(|word| text(word.value()));
    Err(Refusal { errno, text: words })
}

/// Calls `each` with the kind and the bytes of every attribute behind a header of so many bytes.
pub(super) fn attributes(
    payload: &[u8],
    header: usize,
    mut each: impl FnMut(u16, &[u8]) -> Result<(), DecodeError>,
) -> Result<(), Refusal> {
    let Some(bytes) = payload.get(header..) else {
        return Err(Refusal::unreadable("an answer shorter than its header"));
    };
    for attribute in NlasIterator::new(bytes) {
        let attribute = attribute?;
        each(attribute.kind(), attribute.value())?;
    }
    Ok(())
}

/// A text that ends with a NUL. Names of interfaces need not be UTF-8; a foreign one may not fail a dump.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
}

/// An address of the family that it has to have.
pub(super) fn address(family: u8, bytes: &[u8]) -> Result<IpAddr, DecodeError> {
    let ip = parse_ip(bytes)?;
    match super::Family::of(ip) as u8 == family {
        true => Ok(ip),
        false => Err(DecodeError::invalid_ip_address(bytes.len())),
    }
}

#[cfg(test)]
mod tests;
