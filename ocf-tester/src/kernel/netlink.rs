// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tables that the kernel shows by netlink only (rtnetlink(7)): asked for whole, and read as far as
//! they are needed here.

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::collections::BTreeMap;
use std::os::fd::AsRawFd;

/// `NLM_F_REQUEST | NLM_F_DUMP`: the whole table.
const WHOLE_TABLE: u16 = 0x301;

/// `NLM_F_DUMP_INTR`: the table has changed while it was told.
const CHANGED_MEANWHILE: u16 = 0x10;

/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// The length of every message's header (`nlmsghdr`).
const HEADER: usize = 16;

/// How often a table is asked for that changes meanwhile.
const ATTEMPTS: usize = 5;

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its fixed part.
    pub(super) fixed: Vec<u8>,
    attributes: BTreeMap<u16, Vec<u8>>,
}

impl Row {
    /// An attribute's bytes.
    pub(super) fn bytes(&self, kind: u16) -> Option<&[u8]> {
        self.attributes.get(&kind).map(Vec::as_slice)
    }

    /// An attribute that is a number.
    pub(super) fn number(&self, kind: u16) -> Option<u32> {
        number(self.bytes(kind)?, 0)
    }

    /// An attribute that is a text.
    pub(super) fn text(&self, kind: u16) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(kind)?);
        Some(text.trim_end_matches('\0').to_owned())
    }

    /// A byte of the fixed part.
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.fixed.get(at).copied().unwrap_or_default()
    }
}

/// Four bytes as a number, in this machine's order.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

/// The table that this kind of request (`RTM_GET…`) is for, whose rows have a fixed part of this
/// length; `None` when the kernel doesn't tell.
pub(super) fn table(request: u16, fixed: usize) -> Option<Vec<Row>> {
    (0..ATTEMPTS).find_map(|_| ask(request, fixed))
}

fn ask(request: u16, fixed: usize) -> Option<Vec<Row>> {
    let kind = (SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute);
    let socket = socket(AddressFamily::Netlink, kind.0, kind.1, kind.2).ok()?;
    let mut question = Vec::new();
    question.extend(u32::try_from(HEADER + fixed).ok()?.to_ne_bytes());
    question.extend(request.to_ne_bytes());
    question.extend(WHOLE_TABLE.to_ne_bytes());
    // Its number and the asker's, then a fixed part of zeros: no family, no filter.
    question.resize(HEADER + fixed, 0);
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), &question, &kernel, MsgFlags::empty()).ok()?;
    let (mut rows, mut answer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty()).ok()?;
        let mut rest = answer.get(..length).filter(|rest| !rest.is_empty())?;
        while let Some(length) = number(rest, 0) {
            let length = usize::try_from(length).ok().filter(|length| *length >= HEADER)?;
            let message = rest.get(..length)?;
            let (kind, flags) = (short(message, 4)?, short(message, 6)?);
            match kind {
                DONE => return Some(rows),
                ERROR => return None,
                _ if flags & CHANGED_MEANWHILE != 0 => return None,
                _ => rows.push(read(message.get(HEADER..)?, fixed)?),
            }
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
    }
}

fn read(body: &[u8], fixed: usize) -> Option<Row> {
    let mut attributes = BTreeMap::new();
    let mut rest = body.get(aligned(fixed)..).unwrap_or_default();
    while let (Some(length), Some(kind)) = (short(rest, 0), short(rest, 2)) {
        let length = usize::from(length).max(4);
        attributes.insert(kind, rest.get(4..length)?.to_vec());
        rest = rest.get(aligned(length)..).unwrap_or_default();
    }
    Some(Row { fixed: body.get(..fixed)?.to_vec(), attributes })
}

/// The next multiple of four: where the next part begins.
fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}
