// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Asks an IPv4 address for an echo (ICMP) every few milliseconds until it is told to end (TERM), and says
//! then how many were lost and for how long nothing was answered. It runs on the third host of the lab, see
//! [`lab::probing`].
//!
//! Questions don't wait for answers: each has a number, so that a late answer is late, and not lost.

use lab::probing::END;
use lab::signals::Signals;
use lab::{Error, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// An answer that doesn't come within this time doesn't come.
const LATEST: Duration = Duration::from_secs(1);

/// Echo request and echo reply.
const REQUEST: u8 = 8;
const REPLY: u8 = 0;

/// The length of a header of IPv4 is in words of this many bytes, in the first byte's lower half.
const WORD: usize = 4;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("lab_probes: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let signals = Signals::catch()?;
    let address = std::env::args().nth(1).unwrap_or_default();
    let address: Ipv4Addr =
        address.parse().map_err(|_| Error::new(format!("'{address}' is no IPv4 address")))?;
    let mut probes = Probes::new(address)?;
    while signals.pause(PAUSE).is_ok() {
        probes.send()?;
        probes.receive()?;
    }
    let end = Instant::now();
    while !probes.open.is_empty() && end.elapsed() < LATEST {
        probes.receive()?;
        let _ = nix::poll::poll(&mut [], 1u8);
    }
    let silence = probes.silence.as_millis();
    say(&format!("{END} {} {} {silence}", probes.sent, probes.open.len()));
    Ok(())
}

struct Probes {
    socket: OwnedFd,
    to: SockaddrIn,
    /// Tells these probes from another program's.
    mark: u16,
    sent: u64,
    /// The numbers that no answer has come to.
    open: BTreeSet<u64>,
    /// When the last answer came.
    last: Option<Instant>,
    silence: Duration,
}

impl Probes {
    fn new(address: Ipv4Addr) -> Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Icmp)
            .map_err(|errno| Error::new(format!("cannot make a socket of ICMP: {errno}")))?;
        let to = SockaddrIn::from(SocketAddrV4::new(address, 0));
        let mark = u16::try_from(std::process::id() & 0xffff).unwrap_or_default();
        let (open, silence) = (BTreeSet::new(), Duration::ZERO);
        Ok(Self { socket, to, mark, sent: 0, open, last: None, silence })
    }

    /// Asks once. That there is no way to the address for a moment is what is measured, and no error.
    fn send(&mut self) -> Result<()> {
        self.sent += 1;
        self.open.insert(self.sent);
        let packet = request(self.mark, self.sent);
        match sendto(self.socket.as_raw_fd(), &packet, &self.to, MsgFlags::empty()) {
            Ok(_) | Err(Errno::EHOSTUNREACH | Errno::EHOSTDOWN | Errno::ENOBUFS) => Ok(()),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            Err(errno) => Err(Error::new(format!("cannot send: {errno}"))),
        }
    }

    /// Takes the answers that are there.
    fn receive(&mut self) -> Result<()> {
        let mut buffer = [0; 256];
        loop {
            let length = match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => return Ok(()),
                // The kernel tells of questions that found no way, too.
                Err(Errno::EINTR | Errno::EHOSTUNREACH | Errno::EHOSTDOWN) => continue,
                Err(errno) => return Err(Error::new(format!("cannot receive: {errno}"))),
            };
            let number = find_number(buffer.get(..length).unwrap_or_default(), self.mark);
            if number.is_some_and(|number| self.open.remove(&number)) {
                let now = Instant::now();
                let silence = self.last.map_or(Duration::ZERO, |last| now - last);
                (self.last, self.silence) = (Some(now), self.silence.max(silence));
            }
        }
    }
}

/// An echo request with a number.
fn request(mark: u16, number: u64) -> Vec<u8> {
    let mut packet = vec![REQUEST, 0, 0, 0];
    packet.extend(mark.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(number.to_be_bytes());
    let sum = checksum(&packet);
    packet.splice(2..4, sum.to_be_bytes());
    packet
}

/// The number in a whole packet, if it is an answer to one of ours.
fn find_number(packet: &[u8], mark: u16) -> Option<u64> {
    let header = usize::from(packet.first()? & 0x0f) * WORD;
    let (head, data) = packet.get(header..)?.split_at_checked(8)?;
    let is_ours = *head.first()? == REPLY && head.get(4..6)? == mark.to_be_bytes();
    let number = data.get(..8)?.try_into().ok()?;
    is_ours.then(|| u64::from_be_bytes(number))
}

/// The sum of RFC 1071, of an even number of bytes.
fn checksum(packet: &[u8]) -> u16 {
    let words = packet.chunks_exact(2).filter_map(|pair| Some([*pair.first()?, *pair.get(1)?]));
    let mut sum: u32 = words.map(|pair| u32::from(u16::from_be_bytes(pair))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_to_a_question_of_ours_has_a_number() {
        let mut packet = vec![0x45; 20];
        packet.extend(request(7, 300));
        assert_eq!(find_number(&packet, 7), None, "a question is no answer");
        packet.splice(20..21, [REPLY]);
        assert_eq!(find_number(&packet, 7), Some(300));
        assert_eq!(find_number(&packet, 8), None);
        assert_eq!(find_number(packet.get(..30).unwrap_or_default(), 7), None);
        assert_eq!(checksum(&request(7, 300)), 0);
    }
}
