// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The set of broken agents, each wrong in one way: what they are and how they are stood up.

#[path = "../agents/compiled/table.rs"]
mod compiled;

use ocf_tester::scratch::Scratch;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A broken agent.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) primary: String,
    pub(crate) drags: Vec<String>,
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

/// Those that are text, by what their first lines say.
fn scripts() -> io::Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for entry in fs::read_dir(fixture("mutants"))? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file)?;
        let said = |word: &str| {
            let line = text.lines().take(6).find_map(|line| line.strip_prefix(word));
            line.unwrap_or_default().split(", ").map(|id| id.trim().to_owned())
        };
        let primary = said("# Primary:").next().unwrap_or_default();
        let drags = said("# Drags:").filter(|id| !id.is_empty()).collect();
        mutants.push(Mutant { name, file, primary, drags });
    }
    Ok(mutants)
}

/// The compiled ones are one program that goes by the directory it stands in.
fn programs() -> Result<Vec<Mutant>, String> {
    let build = Path::new(env!("CARGO_BIN_EXE_ocf-tester")).parent().unwrap_or(Path::new(""));
    let file = build.join("examples/broken-agents");
    let time = |path: &Path| fs::metadata(path).and_then(|one| one.modified()).ok();
    let sources = [fixture("compiled/main.rs"), fixture("compiled/table.rs")];
    if sources.iter().any(|source| time(source) > time(&file)) {
        let file = file.display();
        return Err(format!("{file} is missing or old: cargo build -p ocf-tester --examples"));
    }
    let row = |row: &(&str, &str, &str, &[&str])| Mutant {
        name: row.0.to_owned(),
        file: file.clone(),
        primary: row.2.to_owned(),
        drags: row.3.iter().map(|id| (*id).to_owned()).collect(),
    };
    Ok(compiled::ROWS.iter().map(row).collect())
}

pub(crate) fn all() -> Result<Vec<Mutant>, String> {
    let mut all = scripts().map_err(|error| error.to_string())?;
    all.extend(programs()?);
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// Stands an agent up beside `safe`, `service` and `crew`, and under the name of the one it stands on, because
/// its name is one of the things that are judged.
pub(crate) fn stand(
    name: &str,
    file: &Path,
    helper: impl Fn(&str, &Path) -> io::Result<()>,
    scratch: &Scratch,
) -> io::Result<PathBuf> {
    let agents = scratch.directory("agents")?;
    for right in ["safe", "service", "crew"] {
        helper(right, &agents.join(right))?;
    }
    let is_on = |right: &&&str| name.contains(**right);
    let called = ["crew", "service"].iter().find(is_on).copied().unwrap_or("safe");
    let agent = scratch.directory(&format!("agents/a-{name}"))?.join(called);
    symlink(file, &agent)?;
    Ok(agent)
}

/// Does the work for each mutant, several at a time; most of them wait most of their time.
pub(crate) fn for_each<T: Send>(mutants: &[Mutant], work: impl Fn(&Mutant) -> T + Sync) -> Vec<T> {
    let queue = Mutex::new(mutants.iter());
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    let take = || std::iter::from_fn(next).map(&work).collect::<Vec<T>>();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(take)).collect();
        let done = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        done.flat_map(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
