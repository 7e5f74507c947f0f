// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Asks a web server for its page from many addresses, each once, and says what each was answered. It runs
//! on the third host of the lab, see [`lab::clients`].
//!
//! Its arguments are `ADDRESS:PORT`, the first client's address, and how many there are. A line is a
//! client's address and the page's first line, or nothing.

use lab::asking::page;
use lab::{Error, Result};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::Duration;

/// A connection that isn't there within this time isn't answered.
const LIMIT: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "lab_clients: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let wrong = || Error::new(format!("ADDRESS:PORT FIRST COUNT, not '{}'", words.join(" ")));
    let [server, first, count] = words.as_slice() else { return Err(wrong()) };
    let server: SocketAddrV4 = server.parse().map_err(|_| wrong())?;
    let first: Ipv4Addr = first.parse().map_err(|_| wrong())?;
    let count: u32 = count.parse().map_err(|_| wrong())?;
    std::thread::scope(|scope| {
        for client in (0..count).map(|number| Ipv4Addr::from_bits(first.to_bits() + number)) {
            scope.spawn(move || {
                let answer = ask(client, server).unwrap_or_default();
                let _ = writeln!(std::io::stdout(), "{client} {answer}");
            });
        }
    });
    Ok(())
}

/// The first line of the page that a client gets.
fn ask(client: Ipv4Addr, server: SocketAddrV4) -> Option<String> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None).ok()?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(client, 0))).ok()?;
    let stream = TcpStream::from(socket);
    // It holds for the connection, too.
    stream.set_write_timeout(Some(LIMIT)).ok()?;
    connect(stream.as_raw_fd(), &SockaddrIn::from(server)).ok()?;
    page(stream, LIMIT)
}
