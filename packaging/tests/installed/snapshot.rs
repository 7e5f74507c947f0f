// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a machine's files and dpkg's records are, to be compared.

use crate::ground::{Outcome, diversions, run};
use packaging::tool;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The trees that packages write to, and those of dpkg's own in them.
const EVERYTHING: [&str; 4] = ["/etc", "/run/resource-agents", "/usr", "/var"];
const AGENTS: [&str; 2] = ["/usr/lib/ocf", "/usr/share/man/man7"];
const OF_DPKG: [&str; 3] = ["/var/cache", "/var/lib/dpkg", "/var/log"];

/// Every path with all that can be told of it: kind, mode, owner, time, links, inode, content. Of
/// directories neither time nor links: every file that comes and goes changes them; of our own files
/// neither, nor the inode: each installation makes them anew.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, String>);

impl Snapshot {
    /// Everything that a package may touch.
    pub(crate) fn of_everything() -> Outcome<Self> {
        let mut snapshot = Self::of(&EVERYTHING)?;
        let packages = "${Package} ${Version} ${Status}\n";
        let packages = run("dpkg-query", &["--show", "--showformat", packages], &[])?;
        for (what, said) in [("packages", packages), ("dpkg -V", run("dpkg", &["--verify"], &[])?)]
        {
            // Known by name only: never installed, or purged.
            let lines = said.text.lines().filter(|line| !line.ends_with("not-installed"));
            let mut lines: Vec<&str> = lines.collect();
            lines.sort_unstable();
            snapshot.0.insert(what.into(), lines.join("\n"));
        }
        Ok(snapshot)
    }

    /// The agents and their manual pages only, which is quicker.
    pub(crate) fn of_agents() -> Outcome<Self> {
        Self::of(&AGENTS)
    }

    fn of(roots: &[&str]) -> Outcome<Self> {
        let (mut paths, mut files) = (BTreeMap::new(), Vec::new());
        for root in roots.iter().map(Path::new).filter(|root| root.exists()) {
            walk(root, &mut paths, &mut files)?;
        }
        for some in files.chunks(500) {
            let sums = tool::output(Path::new("sha256sum"), some, Path::new("/"), &[])?;
            let sums = String::from_utf8_lossy(&sums).into_owned();
            for (file, sum) in some.iter().zip(sums.lines()) {
                let about = paths.entry(file.clone()).or_default();
                about.push_str(sum.trim_start_matches('\\').get(..64).unwrap_or(sum));
            }
        }
        paths.insert("dpkg-divert".into(), diversions()?.join("\n"));
        Ok(Self(paths))
    }

    /// Fails with what differs from an earlier one.
    pub(crate) fn same_as(&self, before: &Self) -> Outcome {
        let paths =
            before.0.keys().chain(self.0.keys().filter(|path| !before.0.contains_key(*path)));
        let differing = paths.filter(|path| self.0.get(*path) != before.0.get(*path));
        let lines: Vec<String> = differing
            .map(|path| {
                format!("{}: {:?}, was {:?}", path.display(), self.0.get(path), before.0.get(path))
            })
            .collect();
        if lines.is_empty() { Ok(()) } else { Err(lines.join("\n").into()) }
    }
}

fn walk(path: &Path, paths: &mut BTreeMap<PathBuf, String>, files: &mut Vec<PathBuf>) -> Outcome {
    if OF_DPKG.iter().any(|tree| path == Path::new(tree)) {
        return Ok(());
    }
    let about = fs::symlink_metadata(path)?;
    let mut told = format!("mode {:o}, owner {}:{}", about.mode(), about.uid(), about.gid());
    let target = if about.is_symlink() { fs::read_link(path)? } else { PathBuf::new() };
    let is_ours = [path, &target].iter().any(|path| path.to_string_lossy().contains("ocf-agents"));
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            walk(&entry?.path(), paths, files)?;
        }
    } else if !is_ours {
        let time = format!("{}.{:09}", about.mtime(), about.mtime_nsec());
        told += &format!(", time {time}, links {}, inode {}, ", about.nlink(), about.ino());
    }
    if about.is_dir() {
        // Told by what is in it.
    } else if about.is_symlink() {
        told += &format!("to {}", target.display());
    } else if AGENTS.iter().any(|tree| path.starts_with(tree)) {
        files.push(path.to_owned());
    } else {
        // Nothing can write to a file without this; reading all of them takes half a minute.
        told +=
            &format!("size {}, changed {}.{:09}", about.size(), about.ctime(), about.ctime_nsec());
    }
    paths.insert(path.to_owned(), told);
    Ok(())
}
