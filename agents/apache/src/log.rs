// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a server says of why it doesn't run: on stderr until it has detached, in its error log afterwards.

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use ocf::{Error, tracing};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most that is read of an error log.
const LONGEST: u64 = 16 * 1024;

/// How many lines of it go into ours.
const LINES: usize = 10;

/// The end of an error log, as it was before a start.
#[derive(Debug)]
pub(crate) struct Mark {
    path: Option<PathBuf>,
    length: u64,
}

impl Mark {
    /// The end of the log as it is now; a program that logs are sent to has none.
    pub(crate) fn of(path: Option<&Path>) -> Self {
        let length = path.and_then(|path| fs::metadata(path).ok()).map_or(0, |found| found.len());
        Self { path: path.map(Path::to_owned), length }
    }

    /// The error of a server that is gone.
    pub(crate) fn ended(&self, how: &str) -> Error {
        Error::generic(match self.complaint() {
            Some(said) => {
                let said = told(&said);
                fitting([format!("{how}: {said}"), format!("it ended: {said}"), said])
            }
            None => format!("{how}: its error log says why"),
        })
    }

    /// What was logged since, the last of it; it goes into our own log, too.
    pub(crate) fn complaint(&self) -> Option<String> {
        let text = read_from(self.path.as_deref()?, self.length)?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
        last.iter().for_each(|line| tracing::error!("{line}"));
        complaint(&text)
    }
}

fn read_from(path: &Path, from: u64) -> Option<String> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut file = File::from(openat(AT_FDCWD, path, flags, Mode::empty()).ok()?);
    let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let from = if found.len() < from { 0 } else { from };
    file.seek(SeekFrom::Start(from.max(found.len().saturating_sub(LONGEST)))).ok()?;
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// What stands in lines that don't say what is wrong: levels, a name that isn't needed, and consequences.
const HARMLESS: [&str; 11] = [
    "warn]",
    "notice]",
    "info]",
    "debug]",
    "AH00558",
    "AH02311: ",
    "AH02312: ",
    "AH00016: ",
    "SSL Library Error: ",
    "Unable to read pass phrase",
    "mod_ssl (Pass Phrase Dialog)",
];

/// The line that says what is wrong: the first that is neither a warning nor a consequence, without what
/// stands before its text.
pub(crate) fn complaint(text: &str) -> Option<String> {
    let is_harmless = |line: &&str| HARMLESS.iter().any(|word| line.contains(word));
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_harmless(line));
    let line = without_head(lines.next()?);
    // Where it is comes before what it is.
    let rest = lines.next().filter(|_| line.ends_with(':')).map(without_head);
    Some(rest.map_or_else(|| line.to_owned(), |rest| format!("{line} {rest}")))
}

/// How many bytes a reason has room for; what is longer is cut.
const ROOM: usize = 128;

/// The first that a reason has room for. Where there is none, the first that it has room for with its files' names
/// alone: where they are is in the log.
pub(crate) fn fitting<const N: usize>(sentences: [String; N]) -> String {
    let short = |sentence: &String| {
        let words: Vec<_> = sentence.split(' ').map(without_directory).collect();
        words.join(" ")
    };
    let fits = |sentence: &String| sentence.len() <= ROOM;
    let found = sentences.iter().find(|sentence| fits(sentence)).cloned();
    let found = found.or_else(|| sentences.iter().map(short).find(fits));
    found.or_else(|| sentences.last().map(short)).unwrap_or_default()
}

/// A word without the directories of the path that it is, if it is one.
fn without_directory(word: &str) -> String {
    let path = word.trim_start_matches(['\'', '"']);
    let (quotes, _) = word.split_at(word.len() - path.len());
    let end = path.trim_end_matches(['\'', '"', ':', ',', '/']).len();
    match path.get(..end).and_then(|name| name.rfind('/')) {
        Some(at) if at > 0 && path.starts_with('/') => {
            format!("{quotes}...{}", path.get(at..).unwrap_or_default())
        }
        _ => word.to_owned(),
    }
}

/// How the server begins to say that a name has no address; looking for one may take it long.
const UNRESOLVED: [&str; 4] = ["AH00547: ", "AH00548: ", "AH00549: ", "AH00557: "];

/// What the server couldn't find the address of, in its own words.
pub(crate) fn unresolved(text: &str) -> Option<String> {
    let said = |line: &str| {
        UNRESOLVED.iter().find_map(|number| Some(line.split_once(number)?.1.to_owned()))
    };
    let said = text.lines().find_map(said)?;
    let said = said.split(" -- ").next().unwrap_or_default();
    let mut letters = bare(said).chars();
    let first = letters.next()?.to_ascii_lowercase();
    Some(std::iter::once(first).chain(letters).collect())
}

/// A line without the groups in brackets that a log puts before it.
fn without_head(line: &str) -> &str {
    let mut rest = line;
    while let Some((_, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = behind.trim_start();
    }
    rest
}

/// A message without the number that stands before it, and without the program's name.
pub(crate) fn bare(said: &str) -> &str {
    let mut rest = said;
    while let Some((head, behind)) = rest.split_once(": ") {
        let is_number = head.strip_prefix("AH").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_cause = head.starts_with('(') && head.contains(')') && behind.starts_with("AH");
        let is_program =
            !head.contains([' ', '/']) && head.contains(|c: char| c.is_ascii_lowercase());
        if !is_number && !is_cause && !is_program {
            break;
        }
        rest = behind;
    }
    rest
}

/// The address of a complaint that somebody has it already.
pub(crate) fn taken(complaint: &str) -> Option<&str> {
    address(complaint).filter(|_| complaint.contains("Address already in use"))
}

fn address(complaint: &str) -> Option<&str> {
    complaint.split_once("could not bind to address ").map(|(_, address)| address)
}

/// The sentence of a complaint, with the remedy where one is known.
pub(crate) fn sentence(complaint: &str) -> String {
    fitting([told(complaint)])
}

/// The same, however long: what is wrong comes before the kernel's words for it.
fn told(complaint: &str) -> String {
    match (taken(complaint), address(complaint)) {
        (Some(address), _) => {
            return format!("port {address} is taken by another program: ss -ltnp names it");
        }
        (None, Some(address)) if complaint.contains("Cannot assign requested address") => {
            return format!(
                "this host has no address for Listen {address}: start the address first"
            );
        }
        _ => {}
    }
    let what = bare(complaint);
    let cause = complaint.strip_prefix('(').and_then(|rest| rest.split_once(": AH"));
    let cause = cause.and_then(|(cause, _)| Some(cause.split_once(')')?.1.to_lowercase()));
    cause.map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: &str = "AH00558: apache2: Could not reliably determine the server's name\n\
        [Sun Nov 22 14:52:04.298480 2026] [core:warn] [pid 1:tid 1] AH00111: not defined\n\
        (98)Address already in use: AH00072: make_sock: could not bind to address [::]:80\n\
        no listening sockets available, shutting down\nAH00015: Unable to open logs\n";

    #[test]
    fn the_cause_counts_and_not_its_consequences() {
        let found = complaint(BUSY).unwrap();
        assert!(found.starts_with("(98)Address already in use"), "{found}");
        assert_eq!(sentence(&found), "port [::]:80 is taken by another program: ss -ltnp names it");
        assert_eq!(complaint("\n[a] [core:notice] x\n"), None);
        let line = "[Sun Nov 22] [core:emerg] [pid 1] AH00023: Couldn't create the mutex\n";
        assert_eq!(complaint(line).as_deref(), Some("AH00023: Couldn't create the mutex"));
        let lines = "AH00526: Syntax error on line 3 of /a:\nInvalid command 'X'\n";
        let found = complaint(lines).unwrap();
        assert_eq!(found, "AH00526: Syntax error on line 3 of /a: Invalid command 'X'");
    }

    #[test]
    fn a_reason_that_is_too_long_loses_what_matters_least() {
        let said =
            "(13)Permission denied: AH10231: apache2: Failed creating pid file /run/a/httpd.pid.x";
        assert_eq!(
            sentence(said),
            "Failed creating pid file /run/a/httpd.pid.x: permission denied"
        );
        let deep = format!("/srv{}", "/directory".repeat(9));
        let said = said.replace("/run/a", &deep);
        let short = "Failed creating pid file .../httpd.pid.x: permission denied";
        assert_eq!(sentence(&said), short);
        let ended = |how: &str| {
            let said = told(&said);
            fitting([format!("{how}: {said}"), format!("it ended: {said}"), said])
        };
        assert_eq!(ended("/usr/sbin/apache2 ended"), format!(".../apache2 ended: {short}"));
        assert_eq!(ended(&"x".repeat(ROOM)), format!("it ended: {short}"));
        let long = "x".repeat(ROOM);
        let found = fitting([format!("{long} first"), format!("{long} '/a/b/c', \"/d/e/\": /f")]);
        assert_eq!(found, format!("{long} '.../c', \".../e/\": /f"));
    }

    #[test]
    fn a_name_without_an_address_is_told() {
        let line = "[Sun] [core:error] [pid 1] (EAI 3)Temporary failure in name resolution: AH00547: \
                    Could not resolve host name a.example -- ignoring!";
        let expected = "could not resolve host name a.example";
        assert_eq!(unresolved(line).as_deref(), Some(expected));
        let line = "AH00557: apache2: apr_sockaddr_info_get() failed for node1";
        let expected = "apr_sockaddr_info_get() failed for node1";
        assert_eq!(unresolved(line).as_deref(), Some(expected));
        assert_eq!(unresolved("AH00558: x\n"), None);
    }

    #[test]
    fn what_tls_lacks_is_said_and_not_that_it_is_over() {
        let log = "[Sun] [ssl:error] [pid 52:tid 52] SSL Library Error: error:068000A8:wrong tag\n\
            [Sun] [ssl:emerg] [pid 52:tid 52] AH02312: Fatal error initialising mod_ssl, \
            exiting.\n[Sun] [ssl:emerg] [pid 52:tid 52] AH02564: Failed to configure encrypted (?) \
            private key web.example:8443:0, check /run/w/k.pem\nAH00016: Configuration Failed\n";
        let found = complaint(log).unwrap();
        let said = "Failed to configure encrypted (?) private key web.example:8443:0, check \
            /run/w/k.pem";
        assert_eq!(sentence(&found), said);
        let dialog = "Apache/2.4.71 mod_ssl (Pass Phrase Dialog)\n\
            Unable to read pass phrase [Hint: key introduced or changed before restart?]\n";
        assert_eq!(complaint(dialog), None);
        assert_eq!(complaint("AH00016: Configuration Failed\n"), None);
    }

    #[test]
    fn only_what_was_logged_since_counts() {
        let path = std::env::temp_dir().join(format!("ocf-apache-log-{}", std::process::id()));
        fs::write(&path, "[a] [core:error] old\n").unwrap();
        let mark = Mark::of(Some(&path));
        assert_eq!(mark.complaint(), None);
        fs::write(&path, "[a] [core:error] old\n[b] [core:crit] new\n").unwrap();
        assert_eq!(mark.complaint().as_deref(), Some("new"));
        // Rotated meanwhile.
        fs::write(&path, "fresh\n").unwrap();
        assert_eq!(mark.complaint().as_deref(), Some("fresh"));
        fs::remove_file(&path).unwrap();
        assert_eq!(mark.complaint(), None);
        assert_eq!(Mark::of(None).complaint(), None);
    }
}
