// SPDX-License-Identifier: Apache-2.0 OR MIT
//! By what a server's processes are known: what the kernel says they run, the configuration on their command
//! line, and where they run. Never a pattern: a sibling whose configuration's name only begins the same, an
//! editor with that name on its line, a stranger with a recycled pid are none of them.

use crate::config;
use crate::envfile::Variables;
use crate::invocation::{Invocation, clean};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most of a command line that is read.
const LONGEST_LINE: u64 = 256 * 1024;

/// Whether a program's name is one that servers have, wherever it is: `httpd`, `apache2`, `httpd-prefork`.
/// `apache` alone is an agent's.
fn is_servers_name(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"httpd").or_else(|| name.strip_prefix(b"apache2"));
    rest.is_some_and(|rest| {
        rest.first().is_none_or(|next| next.is_ascii_digit() || matches!(next, b'-' | b'.'))
    })
}

/// A file as the kernel knows it: device and inode.
type FileId = (u64, u64);

fn id_of(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// A program that servers run.
#[derive(Debug)]
struct Program {
    /// Without links in it, as the kernel names what a process runs.
    path: PathBuf,
    id: Option<FileId>,
}

impl Program {
    fn at(path: &Path) -> Self {
        Self { path: without_links(path), id: id_of(path) }
    }
}

/// A path whose directories' links are followed. The last part need not be there.
fn without_links(path: &Path) -> PathBuf {
    if let Ok(whole) = fs::canonicalize(path) {
        return whole;
    }
    let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => clean(path),
    }
}

/// By what this server's processes are known.
#[derive(Debug)]
pub(crate) struct Signature {
    programs: Vec<Program>,
    /// The configuration's path, as it is written and with its directory's links followed.
    configuration: [PathBuf; 2],
    /// Pid files of this instance.
    pid_files: Vec<PathBuf>,
    /// Where the pid files are that are given to instances, and the beginnings of their names.
    given: (PathBuf, Vec<Vec<u8>>),
    /// This agent's own program, which is called as a server may be.
    own: Option<FileId>,
    /// The root directory and the process namespace that we see.
    here: [Option<FileId>; 2],
}

/// The configuration's path with its directory's links followed. A link that is the file itself stays: two
/// names of one file may be two servers.
fn in_true_directory(path: &Path) -> PathBuf {
    let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok());
    match (directory, path.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    }
}

impl Signature {
    /// Of a server that one of those programs runs, with that configuration.
    pub(crate) fn new(programs: &[PathBuf], configuration: &Path) -> Self {
        let written = clean(configuration);
        let followed = in_true_directory(&written);
        Self {
            programs: programs.iter().map(|path| Program::at(path)).collect(),
            configuration: [written, followed],
            own: id_of(Path::new("/proc/self/exe")),
            pid_files: Vec::new(),
            given: (PathBuf::new(), Vec::new()),
            here: [id_of(Path::new("/")), id_of(Path::new("/proc/self/ns/pid"))],
        }
    }

    /// The same, where instances are given pid files in a directory, in names that begin so, and these are
    /// our own: a process with another one's is another instance's, although the configuration is the same.
    pub(crate) fn with_pid_files(
        mut self,
        directory: &Path,
        beginnings: impl IntoIterator<Item = Vec<u8>>,
        own: &[PathBuf],
    ) -> Self {
        self.given = (without_links(directory), beginnings.into_iter().collect());
        self.pid_files = own.iter().map(|path| in_true_directory(path)).collect();
        self
    }

    /// Whether a process is this server's, or one of its workers: a fork has its parent's command line.
    pub(crate) fn fits(&self, pid: i32) -> bool {
        let Some(program) = self.program_of(pid) else { return false };
        self.is_here(pid) && self.reads(pid, &program)
    }

    /// The program that a process runs, if it is one of ours: the same file, what was at its place before an
    /// upgrade, or another server's that a wrapper has run.
    fn program_of(&self, pid: i32) -> Option<PathBuf> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let id = id_of(&link).filter(|id| Some(*id) != self.own)?;
        if let Some(program) = self.programs.iter().find(|program| program.id == Some(id)) {
            return Some(program.path.clone());
        }
        let path = fs::read_link(&link).ok()?.into_os_string().into_vec();
        let was = path.strip_suffix(b" (deleted)").unwrap_or(&path);
        let program = Path::new(OsStr::from_bytes(was));
        let name = program.file_name()?.as_bytes();
        let is_known =
            self.programs.iter().any(|known| known.path == program) || is_servers_name(name);
        is_known.then(|| program.to_owned())
    }

    /// Whether it runs where we do, and not in a container.
    fn is_here(&self, pid: i32) -> bool {
        let there =
            ["root", "ns/pid"].map(|name| id_of(&PathBuf::from(format!("/proc/{pid}/{name}"))));
        there == self.here
    }

    /// Whether its command line is that of a server with our configuration.
    fn reads(&self, pid: i32, program: &Path) -> bool {
        let words = words_of(pid);
        let Some((_, words)) = words.split_first() else { return false };
        let said = Invocation::parse(words);
        let is_named = || {
            let found = said.configurations(program, &directory_of(&variables_of(pid)));
            found.iter().any(|path| self.is_configuration(path))
        };
        said.errand.is_none()
            && !said.pid_file.as_deref().is_some_and(|file| self.is_of_another(file))
            && is_named()
    }

    fn is_configuration(&self, path: &Path) -> bool {
        self.configuration.iter().any(|own| own == path)
            || self.configuration.contains(&in_true_directory(path))
    }

    /// Whether a pid file is one that another instance was given.
    fn is_of_another(&self, file: &Path) -> bool {
        let file = in_true_directory(file);
        let (directory, beginnings) = &self.given;
        let name = file.file_name().unwrap_or_default().as_bytes();
        file.parent() == Some(directory)
            && beginnings.iter().any(|beginning| name.starts_with(beginning))
            && !self.pid_files.contains(&file)
    }

    /// Whether a process is a server, whoever's, that a pid file is meant to be of.
    pub(crate) fn claims(&self, pid: i32, pid_file: &Path) -> bool {
        let Some(program) = self.program_of(pid) else { return false };
        let words = words_of(pid);
        let Some((_, words)) = words.split_first() else { return false };
        let said = Invocation::parse(words);
        if said.errand.is_some() {
            return false;
        }
        let variables = variables_of(pid);
        let texts: Vec<String> =
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let found = said.configurations(&program, &directory_of(&variables));
        let files = found.iter().filter_map(|path| {
            config::read(path, &variables, &texts).ok().and_then(|settings| settings.pid_file)
        });
        let pid_file = in_true_directory(pid_file);
        files.chain(said.pid_file.clone()).any(|file| in_true_directory(&file) == pid_file)
    }
}

/// The words of a command line; none when the process is gone.
pub(crate) fn words_of(pid: i32) -> Vec<OsString> {
    let mut line = Vec::new();
    let read = File::open(format!("/proc/{pid}/cmdline"))
        .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut line));
    if read.is_err() || line.is_empty() {
        return Vec::new();
    }
    if line.last() == Some(&0) {
        line.pop();
    }
    line.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect()
}

/// The variables that a process was started with.
fn variables_of(pid: i32) -> Variables {
    let mut text = Vec::new();
    let read = File::open(format!("/proc/{pid}/environ"))
        .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut text));
    let lines = text.split(|byte| *byte == 0).filter(|_| read.is_ok());
    let pairs = lines.filter_map(|line| {
        let end = line.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (line.get(..end)?, line.get(end + 1..)?);
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()))
    });
    pairs.collect()
}

/// Where a process was started: what its starter's shell said. A server itself goes to the root directory.
fn directory_of(variables: &Variables) -> PathBuf {
    let said = variables.get(OsStr::new("PWD")).map(PathBuf::from);
    said.filter(|path| path.is_absolute()).unwrap_or_else(|| PathBuf::from("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tail -f FILE` looks just like a server of that configuration to whoever takes it for the program.
    struct Tail(std::process::Child);

    impl Tail {
        #[expect(clippy::disallowed_methods, reason = "a process to look at")]
        fn follow(words: &[&str]) -> Self {
            let mut tail = std::process::Command::new("/usr/bin/tail");
            let silent = std::process::Stdio::null;
            Self(tail.args(words).stdout(silent()).stderr(silent()).spawn().unwrap())
        }

        fn pid(&self) -> i32 {
            i32::try_from(self.0.id()).unwrap()
        }
    }

    impl Drop for Tail {
        fn drop(&mut self) {
            let _gone = self.0.kill();
            let _buried = self.0.wait();
        }
    }

    fn signature(configuration: &str) -> Signature {
        Signature::new(&[PathBuf::from("/usr/bin/tail")], Path::new(configuration))
    }

    #[test]
    fn a_process_is_known_by_program_and_configuration_together() {
        let base = std::env::temp_dir().join(format!("ocf-apache-sig-{}", std::process::id()));
        let etc = base.join("etc");
        fs::create_dir_all(&etc).unwrap();
        std::os::unix::fs::symlink("etc", base.join("link")).unwrap();
        let name = |name: &str| etc.join(name).to_str().unwrap().to_owned();
        for file in ["a.conf", "a.conf2"] {
            fs::write(etc.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink("a.conf", etc.join("other.conf")).unwrap();
        let tail = Tail::follow(&["-f", &name("a.conf"), "--retry"]);
        let fits = |configuration: &str| signature(configuration).fits(tail.pid());
        assert!(fits(&name("a.conf")) && fits(&name("./x/../a.conf")));
        assert!(fits(base.join("link/a.conf").to_str().unwrap()), "by its directory's link");
        assert!(!fits(&name("a.conf2")) && !fits(&name("a.con")), "a sibling");
        assert!(!fits(&name("other.conf")), "another name may be another server");
        let cat = Signature::new(&[PathBuf::from("/bin/cat")], Path::new(&name("a.conf")));
        assert!(!cat.fits(tail.pid()), "an editor");
        fs::remove_file(etc.join("a.conf")).unwrap();
        assert!(fits(&name("a.conf")), "the file need not be there");
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn what_another_instance_was_given_is_its() {
        let etc = std::env::temp_dir().join(format!("ocf-apache-given-{}", std::process::id()));
        fs::write(&etc, "").unwrap();
        let file = etc.to_str().unwrap();
        // To tail that is a number of bytes, and a list of files.
        let tail = Tail::follow(&["-f", file, "-c+0"]);
        assert!(signature(file).fits(tail.pid()));
        drop(tail);
        let given = signature(file).with_pid_files(
            Path::new("/run"),
            [b"tail-".to_vec()],
            &[PathBuf::from("/run/tail-web.pid")],
        );
        for (pid_file, is_anothers) in [
            ("/run/tail-web.pid", false),
            ("/run/../run/tail-web2.pid", true),
            ("/run/tail.pid", false),
            ("/srv/tail-web2.pid", false),
        ] {
            assert_eq!(given.is_of_another(Path::new(pid_file)), is_anothers, "{pid_file}");
        }
        fs::remove_file(&etc).unwrap();
    }

    #[test]
    fn a_pid_file_is_of_the_server_whose_configuration_names_it() {
        let base = std::env::temp_dir().join(format!("ocf-apache-claim-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let (conf, file) = (base.join("a.conf"), base.join("a.pid"));
        fs::write(&conf, format!("PidFile {}\n", file.display())).unwrap();
        let tail = Tail::follow(&["-f", conf.to_str().unwrap()]);
        let other = signature("/etc/b.conf");
        assert!(other.claims(tail.pid(), &file), "whichever configuration it has");
        assert!(!other.claims(tail.pid(), &base.join("b.pid")));
        fs::remove_dir_all(&base).unwrap();
    }

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
        let words = words_of(i32::try_from(std::process::id()).unwrap());
        assert!(!words.is_empty());
        let signature = Signature::new(&[own], Path::new("/etc/httpd/conf/httpd.conf"));
        assert!(signature.program_of(i32::try_from(std::process::id()).unwrap()).is_none());
    }

    #[test]
    fn nobody_fits_who_is_gone() {
        let file = "/nonexistent/a.conf";
        let tail = Tail::follow(&["-f", file, "--retry"]);
        let pid = tail.pid();
        drop(tail);
        let pid_file = Path::new("/run/x.pid");
        assert!(!signature(file).fits(pid) && !signature(file).claims(pid, pid_file));
        assert!(!signature(file).fits(1) && !signature(file).fits(-1));
    }
}
