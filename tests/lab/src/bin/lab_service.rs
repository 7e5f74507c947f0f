// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The service in a container of the lab's: it runs until it is told to end (TERM), and then ends with
//! code 0. With the argument `well` it only says so, by its code: a command for monitors, and for health
//! checks; where there is a file [`ILL`], it isn't well. With `hear PATH` it makes a socket for a system
//! log there, and prints what comes.

use lab::carry::ILL;
use lab::signals::Signals;
use lab::{Error, Result};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Between two looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["well"] if Path::new(ILL).exists() => Err(Error::new(format!("{ILL} is there"))),
        ["well"] => Ok(()),
        ["hear", path] => hear(Path::new(path)),
        _ => serve(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    let _ = writeln!(std::io::stderr(), "lab_service: {error}");
    ExitCode::FAILURE
}

fn serve() -> Result<()> {
    let signals = Signals::catch()?;
    while signals.pause(Duration::from_secs(60)).is_ok() {}
    Ok(())
}

fn hear(path: &Path) -> Result<()> {
    let signals = Signals::catch()?;
    let cannot = |error: std::io::Error| Error::new(format!("{}: {error}", path.display()));
    let socket = UnixDatagram::bind(path).map_err(cannot)?;
    // Whoever logs isn't always root.
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o666)).map_err(cannot)?;
    socket.set_read_timeout(Some(LOOK)).map_err(cannot)?;
    let mut message = [0; 8192];
    while signals.check().is_ok() {
        match socket.recv(&mut message) {
            Ok(length) => {
                let text = String::from_utf8_lossy(message.get(..length).unwrap_or_default());
                let _ = writeln!(std::io::stdout(), "{}", text.trim_end_matches(['\0', '\n']));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(cannot(error)),
        }
    }
    std::fs::remove_file(path).map_err(cannot)
}
