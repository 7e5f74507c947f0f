// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which program a process runs, and whether it is one that this server may be run by.

use crate::invocation::clean;
use crate::procfs::{FileId, Link, id_of, words_of};
use nix::unistd::geteuid;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whether a program's name is one that servers have, wherever it is: `httpd`, `apache2`, `httpd-prefork`.
/// `apache` alone is an agent's.
pub(crate) fn is_servers_name(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"httpd").or_else(|| name.strip_prefix(b"apache2"));
    rest.is_some_and(|rest| {
        rest.first().is_none_or(|next| next.is_ascii_digit() || matches!(next, b'-' | b'.'))
    })
}

/// A path whose directories' links are followed. The last part need not be there.
pub(crate) fn without_links(path: &Path) -> PathBuf {
    if let Ok(whole) = fs::canonicalize(path) {
        return whole;
    }
    let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => clean(path),
    }
}

/// A program that the server may be run by.
#[derive(Debug)]
struct Program {
    written: PathBuf,
    /// Without links in it, as the kernel names what a process runs.
    path: PathBuf,
    id: Option<FileId>,
}

/// The programs that the server may be run by.
#[derive(Debug)]
pub(crate) struct Programs {
    all: Vec<Program>,
    /// How many of them, the first, were said to be this server's; the others are distributions'.
    said: usize,
    /// This agent's own program, which is called as a server may be.
    own: Option<FileId>,
}

/// What a process runs.
#[derive(Debug)]
pub(crate) struct Run {
    /// The program.
    pub(crate) program: PathBuf,
    /// Whether only the first word of its command line says so: that isn't enough for guesses.
    pub(crate) is_hearsay: bool,
}

impl Programs {
    /// Of those that were said to be the server's, and what distributions call theirs.
    pub(crate) fn new(said: &[PathBuf], distributions: &[PathBuf]) -> Self {
        let program = |path: &PathBuf| Program {
            written: path.clone(),
            path: without_links(path),
            id: id_of(path),
        };
        let all = said.iter().chain(distributions).map(program).collect();
        Self { all, said: said.len(), own: id_of(Path::new("/proc/self/exe")) }
    }

    /// What a process runs, if it is one of them: the same file, what was at its place before an upgrade, or
    /// another server's that a wrapper has run.
    pub(crate) fn run_by(&self, pid: i32) -> Option<Run> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        match Link::at(&link) {
            Link::To(file) => self.by_file(pid, &link, &file),
            Link::Hidden => self.by_word(words_of(pid).first()?),
            Link::Nowhere => None,
        }
    }

    fn by_file(&self, pid: i32, link: &Path, file: &fs::Metadata) -> Option<Run> {
        let id = Some((file.dev(), file.ino()));
        if id == self.own {
            return None;
        }
        let certain = |program: &Path| Run { program: program.to_owned(), is_hearsay: false };
        if let Some(program) = self.all.iter().find(|program| program.id == id) {
            return Some(certain(&program.path));
        }
        let path = fs::read_link(link).ok()?.into_os_string().into_vec();
        let was = path.strip_suffix(b" (deleted)").unwrap_or(&path);
        let program = Path::new(OsStr::from_bytes(was));
        if self.all.iter().any(|known| known.path == program) {
            return Some(certain(program));
        }
        // What it is called proves nothing of a file that anybody may have made.
        if !is_trusted(file) {
            return None;
        }
        if is_servers_name(program.file_name()?.as_bytes()) {
            return Some(certain(program));
        }
        // By a link that now leads elsewhere, and what it was is gone.
        let said = self.all.get(..self.said).filter(|said| !said.is_empty())?;
        let words = words_of(pid);
        let first = Path::new(words.first()?);
        let is_said = said.iter().any(|known| known.written == first);
        is_said.then(|| Run { program: first.to_owned(), is_hearsay: true })
    }

    /// The same by the first word of the command line, where no more can be seen: without the right to trace
    /// whom it likes (CAP_SYS_PTRACE), as in a container, root sees nothing of a worker that runs as another
    /// user.
    fn by_word(&self, word: &OsStr) -> Option<Run> {
        let word = Path::new(word);
        let name = word.file_name()?;
        let is_whole = word.is_absolute();
        let path = if is_whole { without_links(word) } else { PathBuf::from(name) };
        let is_it = |known: &&Program| match is_whole {
            true => known.written == word || known.path == path,
            false => known.written.file_name() == Some(name),
        };
        let known = self.all.iter().find(is_it).map(|known| known.path.clone());
        let is_believable = || {
            is_servers_name(name.as_bytes())
                && fs::metadata(&path).map_or(true, |file| !is_whole || is_trusted(&file))
        };
        let program = known.or_else(|| is_believable().then(|| path.clone()))?;
        Some(Run { program, is_hearsay: false })
    }
}

/// Whether nobody but root and us can have made a file what it is.
fn is_trusted(file: &fs::Metadata) -> bool {
    [0, geteuid().as_raw()].contains(&file.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_are_not_only_beginnings() {
        for name in ["httpd", "apache2", "httpd2", "httpd-prefork", "httpd.worker"] {
            assert!(is_servers_name(name.as_bytes()), "{name}");
        }
        for name in ["apache", "apache_world", "httpdump", "apachectl", "vim", ""] {
            assert!(!is_servers_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn an_agent_is_no_server() {
        let own = fs::read_link("/proc/self/exe").unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(!words_of(pid).is_empty());
        assert!(Programs::new(&[own], &[]).run_by(pid).is_none());
    }

    #[test]
    fn a_program_that_cannot_be_seen_is_known_by_what_it_is_called() {
        let path = |path: &str| PathBuf::from(path);
        let programs = Programs::new(&[path("/opt/web/bin/webd")], &[path("/usr/sbin/httpd")]);
        for (word, program) in [
            ("/opt/web/bin/webd", Some("/opt/web/bin/webd")),
            ("webd", Some("/opt/web/bin/webd")),
            ("httpd", Some("/usr/sbin/httpd")),
            ("./httpd", Some("/usr/sbin/httpd")),
            ("/srv/nonexistent/httpd-prefork", Some("/srv/nonexistent/httpd-prefork")),
            ("apache2", Some("apache2")),
            ("/usr/bin/tail", None),
            ("apachectl", None),
            ("", None),
        ] {
            let run = programs.by_word(OsStr::new(word)).map(|run| run.program);
            assert_eq!(run.as_deref(), program.map(Path::new), "{word}");
        }
    }
}
