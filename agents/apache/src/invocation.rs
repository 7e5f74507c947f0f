// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a server's command line says: which configuration, which pid file, and whether it is a server at
//! all. The words are those of httpd(8), read as the server reads them (getopt, the last one counts).

use crate::layout;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// The options that a value belongs to; `R` is Apache 1.3's.
const WITH_VALUE: &[u8] = b"CcDdEefkR";

/// The options after which the server says something and ends.
const ASKING: &[u8] = b"tSMvVlLh?";

/// What a command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// `-f`.
    pub(crate) file: Option<PathBuf>,
    /// `-d`.
    pub(crate) root: Option<PathBuf>,
    /// The pid file of `-c` or `-C`.
    pub(crate) pid_file: Option<PathBuf>,
    /// The word by which it doesn't serve: it only asks, or tells a server to stop.
    pub(crate) errand: Option<String>,
    /// The word by which it tells a server to begin anew. Where it finds none it becomes the server, and
    /// keeps this line.
    pub(crate) renewal: Option<String>,
    /// The word by which it doesn't leave the foreground.
    pub(crate) stays: Option<String>,
    /// Whether it serves without workers.
    pub(crate) is_alone: bool,
}

impl Invocation {
    /// What the words behind the program's name say.
    pub(crate) fn parse<S: AsRef<OsStr>>(words: &[S]) -> Self {
        let mut found = Self::default();
        let mut words = words.iter().map(|word| word.as_ref().as_bytes());
        let mut is_passed_over = false;
        while let Some(word) = words.next() {
            let Some(mut letters) = word.strip_prefix(b"-").filter(|letters| !letters.is_empty())
            else {
                break;
            };
            if letters.starts_with(b"-") {
                if is_passed_over {
                    break;
                }
                // The server reads its line twice, and the first reading loses such a word.
                is_passed_over = true;
                continue;
            }
            while let Some((letter, rest)) = letters.split_first() {
                letters = rest;
                if WITH_VALUE.contains(letter) {
                    let value =
                        if rest.is_empty() { words.next().unwrap_or_default() } else { rest };
                    found.option(*letter, value);
                    break;
                }
                found.flag(*letter);
            }
        }
        found
    }

    fn option(&mut self, letter: u8, value: &[u8]) {
        let path = || Some(PathBuf::from(OsString::from_vec(value.to_vec())));
        match (letter, value) {
            (b'f', _) => self.file = path(),
            (b'd', _) => self.root = path(),
            // What the last one tells counts; what asks is no such word, and stays.
            (b'k', told) => {
                self.errand.take_if(|word| word.starts_with("-k "));
                self.renewal = None;
                match told {
                    b"start" => {}
                    b"restart" | b"graceful" => self.renewal = Some(said(letter, value)),
                    _ => {
                        self.errand.get_or_insert_with(|| said(letter, value));
                    }
                }
            }
            (b'D', b"FOREGROUND" | b"NO_DETACH" | b"ONE_PROCESS" | b"DEBUG") => {
                self.stays = Some(said(letter, value));
                self.is_alone |= matches!(value, b"ONE_PROCESS" | b"DEBUG");
            }
            (b'D', b"DUMP_VHOSTS" | b"DUMP_RUN_CFG" | b"DUMP_MODULES" | b"DUMP_INCLUDES") => {
                self.ask(letter, value);
            }
            (b'c' | b'C', directive) => self.directive(directive),
            _ => {}
        }
    }

    fn flag(&mut self, letter: u8) {
        if letter == b'X' {
            self.stays = Some(said(letter, b""));
            self.is_alone = true;
        } else if ASKING.contains(&letter) {
            self.ask(letter, b"");
        }
    }

    /// A word that asks: whatever else is told, nothing is served.
    fn ask(&mut self, letter: u8, value: &[u8]) {
        self.errand = Some(said(letter, value));
    }

    /// A line of configuration on the command line.
    fn directive(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (keyword, value) = line.split_at(end);
        let value = value.trim_ascii();
        let unquoted = [b"\"", b"'"]
            .iter()
            .find_map(|quote| value.strip_prefix(quote.as_slice())?.strip_suffix(quote.as_slice()));
        let path = PathBuf::from(OsString::from_vec(unquoted.unwrap_or(value).to_vec()));
        if keyword.eq_ignore_ascii_case(b"PidFile") {
            self.pid_file = Some(path);
        } else if keyword.eq_ignore_ascii_case(b"ServerRoot") {
            self.root = Some(path);
        }
    }

    /// The configurations that it may read, the program being called so in such a directory: more than
    /// one where what was compiled in decides. `directory` is where it was started.
    pub(crate) fn configurations(&self, program: &Path, directory: &Path) -> Vec<PathBuf> {
        let root = self.root.as_ref().map(|root| directory.join(root));
        match (&self.file, root) {
            (Some(file), Some(root)) => vec![clean(&root.join(file))],
            (Some(file), None) if file.is_absolute() => vec![clean(file)],
            (Some(file), None) => {
                compiled(program).iter().map(|(root, _)| clean(&root.join(file))).collect()
            }
            (None, Some(root)) => {
                compiled(program).iter().map(|(_, file)| clean(&root.join(file))).collect()
            }
            (None, None) => {
                compiled(program).iter().map(|(root, file)| clean(&root.join(file))).collect()
            }
        }
    }
}

/// Directories and configurations that a program may have compiled in, by what distributions do. Debian's
/// calls its program `apache2`, and only Debian's has an `apache2.conf`. A program elsewhere has its own
/// directory: /usr/local/apache2/bin/httpd.
fn compiled(program: &Path) -> Vec<(PathBuf, &'static str)> {
    if !layout::is_distributions(program) {
        let own = program.parent().and_then(Path::parent);
        return own.map(|own| (own.to_owned(), "conf/httpd.conf")).into_iter().collect();
    }
    if program.ends_with("apache2") {
        return vec![(PathBuf::from("/etc/apache2"), "apache2.conf")];
    }
    vec![
        (PathBuf::from("/etc/httpd"), "conf/httpd.conf"),
        (PathBuf::from("/srv/www"), "/etc/apache2/httpd.conf"),
    ]
}

/// A path without what means nothing in it. Links stay: two names of a file may be two servers.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// An option as it is written.
fn said(letter: u8, value: &[u8]) -> String {
    let blank = if letter == b'k' { " " } else { "" };
    let value = String::from_utf8_lossy(value);
    format!("-{}{blank}{value}", char::from(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Invocation {
        Invocation::parse(&line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>())
    }

    fn configurations(program: &str, line: &str) -> Vec<PathBuf> {
        parse(line).configurations(Path::new(program), Path::new("/srv"))
    }

    #[test]
    fn the_configuration_is_found_in_every_form() {
        for line in [
            "-DSTATUS -f /etc/a/a.conf",
            "-f/etc/a/a.conf -k start",
            "-D STATUS -f /etc/b -f /etc/a/a.conf",
            "-d /etc/a -f a.conf",
            "-d/etc/a/ -f./a.conf",
            "-C ServerRoot -d /etc//a -f a.conf -DFOREGROUND",
            "-f /etc/b -- -f /etc/./a/b/../a.conf",
            "--nonsense -f /etc/a/a.conf -- -f /etc/b",
            "-f /etc/a/a.conf more -f /etc/b",
        ] {
            let found = configurations("/usr/sbin/apache2", line);
            assert_eq!(found, [Path::new("/etc/a/a.conf")], "{line}");
        }
    }

    #[test]
    fn what_was_compiled_in_decides_where_the_line_does_not() {
        let found = configurations("/usr/sbin/apache2", "-k start");
        assert_eq!(found, [Path::new("/etc/apache2/apache2.conf")]);
        let found = configurations("/usr/sbin/apache2", "-d /etc/apache2-x");
        assert_eq!(found, [Path::new("/etc/apache2-x/apache2.conf")]);
        let found = configurations("/usr/sbin/httpd", "-DFOREGROUND");
        assert_eq!(found, ["/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf"].map(Path::new));
        let found = configurations("/usr/sbin/apache2", "-d x -f y");
        assert_eq!(found, [Path::new("/srv/x/y")]);
    }

    #[test]
    fn a_program_elsewhere_has_no_configuration_of_a_distribution() {
        for (program, line, configuration) in [
            ("/opt/web/bin/httpd", "", "/opt/web/conf/httpd.conf"),
            ("/opt/web/bin/apache2", "-k start", "/opt/web/conf/httpd.conf"),
            ("/opt/web/bin/httpd", "-d /opt/b", "/opt/b/conf/httpd.conf"),
            ("/opt/web/bin/httpd", "-f a.conf", "/opt/web/a.conf"),
            ("/opt/apache2-exporter", "1000", "/conf/httpd.conf"),
            ("/usr/sbin/apache2-exporter", "1000", "/usr/conf/httpd.conf"),
            ("/opt/IBMHTTPServer/bin/httpd", "", "/opt/IBMHTTPServer/conf/httpd.conf"),
        ] {
            assert_eq!(configurations(program, line), [Path::new(configuration)], "{program}");
        }
    }

    #[test]
    fn a_pid_file_on_the_line_is_read_as_the_server_does() {
        let words = ["-c", "  pidfile   \"/run/a b.pid\" ", "-CServerRoot /x"];
        let found = Invocation::parse(&words);
        assert_eq!(found.pid_file.as_deref(), Some(Path::new("/run/a b.pid")));
        assert_eq!(found.root.as_deref(), Some(Path::new("/x")));
    }

    #[test]
    fn what_only_asks_is_no_server() {
        for line in
            ["-t", "-DSTATUS -t -f /a", "-k graceful-stop", "-kstop", "-S", "-D DUMP_VHOSTS", "-V"]
        {
            assert!(parse(line).errand.is_some(), "{line}");
        }
        for line in ["-k start", "-DSTATUS -f /a", "", "-e debug -E /x", "-D t", "-D DUMP_X"] {
            assert_eq!(parse(line).errand, None, "{line}");
        }
        for line in ["-X", "-DFOREGROUND", "-D ONE_PROCESS -f /a"] {
            assert!(parse(line).stays.is_some(), "{line}");
        }
        for (line, errand, renewal) in [
            ("-k restart", None, Some("-k restart")),
            ("-kgraceful -f /a", None, Some("-k graceful")),
            ("-k stop -k start", None, None),
            ("-k graceful -k stop", Some("-k stop"), None),
            ("-t -k stop -k restart", Some("-t"), Some("-k restart")),
        ] {
            let said = parse(line);
            assert_eq!((said.errand.as_deref(), said.renewal.as_deref()), (errand, renewal));
        }
        assert_eq!(parse("-D FOREGROUND").stays.as_deref(), Some("-DFOREGROUND"));
    }

    #[test]
    fn a_line_without_sense_is_no_trap() {
        for line in ["-f", "-", "--", "-c", "-c PidFile", "-DSTATUS -"] {
            let _found = parse(line);
        }
        assert_eq!(parse("-f").file.as_deref(), Some(Path::new("")));
    }
}
