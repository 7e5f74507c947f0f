// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which processes are this server's. Known by what the kernel says they run, by the configuration on
//! their command line and by where they run, never by a pattern: a sibling whose configuration's name
//! only begins the same, an editor with that name on its line, a stranger with a recycled pid are none.

use crate::invocation::{Invocation, clean};
use ocf::process::Identity;
use ocf::{Explain, Result};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most of a command line that is read.
const LONGEST_LINE: u64 = 256 * 1024;

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
    own: Vec<PathBuf>,
    /// Where the pid files are that are given to instances, and the beginnings of their names.
    given: (PathBuf, Vec<Vec<u8>>),
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
            own: Vec::new(),
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
        self.own = own.iter().map(|path| in_true_directory(path)).collect();
        self
    }

    /// Whether a process is this server's, or one of its workers: a fork has its parent's command line.
    pub(crate) fn fits(&self, pid: i32) -> bool {
        let Some(program) = self.program_of(pid) else { return false };
        self.is_here(pid) && self.reads(pid, &program)
    }

    /// The program that a process runs, if it is one of ours: the same file, or what was at its place
    /// before an upgrade.
    fn program_of(&self, pid: i32) -> Option<PathBuf> {
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let id = id_of(&link)?;
        if let Some(program) = self.programs.iter().find(|program| program.id == Some(id)) {
            return Some(program.path.clone());
        }
        let path = fs::read_link(&link).ok()?.into_os_string().into_vec();
        let was = path.strip_suffix(b" (deleted)")?;
        let program =
            self.programs.iter().find(|program| program.path.as_os_str().as_bytes() == was)?;
        Some(program.path.clone())
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
            let found = said.configurations(program, &directory_of(pid));
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
            && !self.own.contains(&file)
    }

    /// Whether a process runs one of our programs as a server at all, whoever's.
    pub(crate) fn is_some_server(&self, pid: i32) -> bool {
        self.program_of(pid).is_some()
            && words_of(pid)
                .split_first()
                .is_some_and(|(_, words)| Invocation::parse(words).errand.is_none())
    }
}

/// The words of a command line; none when the process is gone.
fn words_of(pid: i32) -> Vec<OsString> {
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

/// Where a process was started: what its starter's shell said. A server itself goes to the root directory.
fn directory_of(pid: i32) -> PathBuf {
    let mut text = Vec::new();
    let read = File::open(format!("/proc/{pid}/environ"))
        .and_then(|file| file.take(LONGEST_LINE).read_to_end(&mut text));
    let find = |text: &[u8]| {
        let mut lines = text.split(|byte| *byte == 0);
        let found = lines.find_map(|line| line.strip_prefix(b"PWD="))?;
        Some(PathBuf::from(OsStr::from_bytes(found)))
    };
    let said = read.ok().and_then(|_| find(&text)).filter(|path| path.is_absolute());
    said.unwrap_or_else(|| PathBuf::from("/"))
}

/// What the kernel says of a process (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    identity: Identity,
    state: char,
    parent: i32,
    session: i32,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let mut buffer = [0; 1024];
        let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut buffer).ok()?;
        Self::parse(pid, &String::from_utf8_lossy(buffer.get(..length)?))
    }

    /// The name in parentheses may hold anything, parentheses too.
    fn parse(pid: i32, text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        // The session is field 6, the start 22.
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { identity: Identity { pid, started }, state, parent, session })
    }

    fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }

    fn leads_session(&self) -> bool {
        self.session == self.identity.pid
    }
}

/// The processes of a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes {
    /// Servers: more than one only while one is being replaced, or by mistake.
    pub(crate) parents: Vec<Identity>,
    /// Their workers.
    pub(crate) workers: Vec<Identity>,
    /// Workers whose server is gone.
    pub(crate) orphans: Vec<Identity>,
    /// What a server started and didn't leave its session: loggers, scripts.
    pub(crate) others: Vec<Identity>,
}

impl Processes {
    /// All of them, servers first: they would replace a worker.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Identity> {
        self.parents.iter().chain(&self.workers).chain(&self.orphans).chain(&self.others)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }
}

/// Every process of this server. `known` are servers that are remembered, gone or not, `named` the pids that
/// pid files name.
///
/// # Errors
/// When the processes can't be listed: nothing is known then, and not that there is none.
pub(crate) fn scan(signature: &Signature, known: &[Identity], named: &[i32]) -> Result<Processes> {
    let everybody: BTreeMap<i32, Stat> = pids()?
        .into_iter()
        .filter_map(|pid| Some((pid, Stat::of(pid)?)))
        .filter(|(_, stat)| stat.lives())
        .collect();
    let is_known = |stat: &Stat| known.contains(&stat.identity);
    let fitting: BTreeMap<i32, Stat> = everybody
        .iter()
        .filter(|(pid, stat)| is_known(stat) || signature.fits(**pid))
        .map(|(pid, stat)| (*pid, *stat))
        .collect();
    let mut found = Processes::default();
    for (pid, stat) in &fitting {
        let place = if fitting.contains_key(&stat.parent) {
            &mut found.workers
        } else if is_known(stat) || named.contains(pid) || is_server(stat, &fitting) {
            &mut found.parents
        } else {
            &mut found.orphans
        };
        place.push(stat.identity);
    }
    let sessions = sessions(&found, known, &everybody);
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    found.others = everybody
        .values()
        .filter(|stat| stat.identity.pid != own && !fitting.contains_key(&stat.identity.pid))
        .filter(|stat| sessions.get(&stat.session).is_some_and(|led| stat.identity.started >= *led))
        .map(|stat| stat.identity)
        .collect();
    Ok(found)
}

/// Whether a process without a server above it is one itself, and not a worker that is left over. A server
/// leads its session, unless it stays in the foreground: then it has workers, or needs none.
fn is_server(stat: &Stat, fitting: &BTreeMap<i32, Stat>) -> bool {
    let pid = stat.identity.pid;
    stat.leads_session()
        || fitting.values().any(|other| other.parent == pid)
        || words_of(pid).split_first().is_some_and(|(_, words)| Invocation::parse(words).is_alone)
}

/// The sessions that are a server's own, and when each began. That of a server that is gone is known only
/// where it is remembered: its number isn't given to anybody else while a process is in it.
fn sessions(
    found: &Processes,
    known: &[Identity],
    everybody: &BTreeMap<i32, Stat>,
) -> BTreeMap<i32, u64> {
    let leads = |identity: &&Identity| {
        everybody
            .get(&identity.pid)
            .is_none_or(|stat| stat.identity == **identity && stat.leads_session())
    };
    let candidates = found.parents.iter().chain(known).filter(leads);
    candidates.map(|identity| (identity.pid, identity.started)).collect()
}

/// The pids that there are.
fn pids() -> Result<Vec<i32>> {
    let proc = Path::new("/proc");
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).explain("list", proc)? {
        let name = entry.explain("list", proc)?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(found)
}
