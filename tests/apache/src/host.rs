// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is in a world: its processes and files, and how two such states differ, in words that are the same
//! in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// `Z` is a zombie.
    pub state: char,
    pub user: u32,
    pub words: Vec<String>,
    pub program: String,
}

/// What a process is to a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The first process of a web server.
    Server,
    /// One of a server's, with its server.
    Worker,
    /// One whose server is gone.
    Orphan,
    /// Anything else.
    Bystander,
}

/// All of this world's but its first one and this one, by their numbers.
#[must_use]
pub fn processes() -> BTreeMap<i32, Process> {
    let own = std::process::id().cast_signed();
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let others = numbers.filter(|pid| *pid != 1 && *pid != own);
    others.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

/// `None` for one that has just ended.
fn read(pid: i32) -> Option<Process> {
    let of = |name: &str| format!("/proc/{pid}/{name}");
    let stat = fs::read_to_string(of("stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let words = fs::read(of("cmdline")).ok()?;
    let words = words.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let words = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let program = fs::read_link(of("exe")).unwrap_or_default().to_string_lossy().into_owned();
    let user = fs::metadata(of("")).ok()?.uid();
    Some(Process { pid, parent, state, user, words, program })
}

impl Process {
    fn is_web_server(&self) -> bool {
        let name = self.program.rsplit('/').next().unwrap_or_default();
        ["apache2", "httpd", "httpd2", "httpd-prefork"]
            .contains(&name.trim_end_matches(" (deleted)"))
    }

    /// What it is among all.
    #[must_use]
    pub fn kind(&self, all: &BTreeMap<i32, Self>) -> Kind {
        let has_server = all.get(&self.parent).is_some_and(Self::is_web_server);
        match (self.is_web_server(), has_server, self.user) {
            (false, ..) => Kind::Bystander,
            (true, true, _) => Kind::Worker,
            (true, false, 0) => Kind::Server,
            (true, false, _) => Kind::Orphan,
        }
    }

    /// The configuration that its command line names.
    #[must_use]
    pub fn configuration(&self) -> &str {
        let place = self.words.iter().position(|word| word == "-f");
        place.and_then(|place| self.words.get(place + 1)).map_or("its default", String::as_str)
    }
}

/// The processes of a kind.
#[must_use]
pub fn all_of(kind: Kind) -> Vec<Process> {
    let all = processes();
    all.values().filter(|process| process.kind(&all) == kind).cloned().collect()
}

/// The server with this configuration (its path ends so); it has to be exactly one.
#[must_use]
pub fn server(configuration: &str) -> Process {
    let mut found = all_of(Kind::Server);
    found.retain(|process| process.configuration().ends_with(configuration));
    assert_eq!(found.len(), 1, "servers with {configuration}: {found:?}");
    found.remove(0)
}

/// Whether there is such a process, and not as a zombie.
#[must_use]
pub fn is_alive(pid: i32) -> bool {
    read(pid).is_some_and(|process| process.state != 'Z')
}

/// What a world has in it: a line for each server, orphan and bystander, and for each file that a server
/// or an agent could have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

/// Where files are looked for, beside the world's own directory.
const PLACES: [&str; 5] = ["/run", "/var/log", "/etc/apache2", "/etc/httpd", "/var/www"];

/// Agents' own records; [`crate::World::records`] has them.
const RECORDS: &str = "/run/resource-agents";

impl Snapshot {
    #[must_use]
    pub fn take(place: &Path) -> Self {
        let mut all = BTreeSet::new();
        let running = processes();
        for process in running.values().filter(|process| process.state != 'Z') {
            let line = match process.kind(&running) {
                Kind::Worker => continue,
                Kind::Server => format!("server with {}", process.configuration()),
                Kind::Orphan => format!("orphans with {}", process.configuration()),
                Kind::Bystander => format!("bystander {}", process.words.join(" ")),
            };
            all.insert(line);
        }
        for directory in PLACES.map(Path::new).iter().chain([&place]) {
            walk(directory, &mut all);
        }
        let text = place.to_string_lossy();
        Self(all.into_iter().map(|line| line.replace(&*text, "{w}")).collect())
    }

    /// The changes from this state to a later one, as `adds …` and `removes …`.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let added = later.0.difference(&self.0).map(|line| format!("adds {line}"));
        let removed = self.0.difference(&later.0).map(|line| format!("removes {line}"));
        removed.chain(added).collect()
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

fn walk(directory: &Path, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_ours = path == Path::new(RECORDS) || name.to_string_lossy().starts_with(".overlay-");
        // What a server writes there is its own affair.
        let is_log = entry.path().components().any(|part| part.as_os_str() == "log");
        if is_ours || is_log && path.is_file() || name == "ha.log" {
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let (word, content) = match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => ("directory", String::new()),
            (_, true) => {
                let target = fs::read_link(&path).unwrap_or_default();
                ("link", format!(" to {}", target.display()))
            }
            _ => ("file", String::new()),
        };
        all.insert(format!("{word} {}{content}", path.display()));
        if kind.is_dir() {
            walk(&path, all);
        }
    }
}
