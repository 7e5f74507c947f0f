// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The directories that a server needs and doesn't make: after a boot or in a container /run and /var/log may
//! be empty.

use crate::settings::Settings;
use nix::unistd::{Uid, User, chown};
use ocf::error::describe;
use ocf::{Error, Result, tracing};
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What others may do there: read, and not write.
const MODE: u32 = 0o755;

/// How many links one path may lead through.
const MOST_LINKS: usize = 16;

/// Those that are missing.
pub(crate) fn find_missing(settings: &Settings) -> Vec<&Path> {
    let all = settings.directories.iter().chain(&settings.lock_directories);
    let is_whole = |path: &&Path| !path.as_os_str().as_bytes().windows(2).any(|two| two == b"${");
    // What has no value is no name: the server says which variable that is.
    all.map(PathBuf::as_path).filter(is_whole).filter(|path| !path.is_dir()).collect()
}

/// Makes those that are missing, root's own; those of mutexes belong to the server's user.
///
/// # Errors
/// `installed` (5): one of them can't be made.
pub(crate) fn ensure_all(settings: &Settings) -> Result<()> {
    for path in find_missing(settings) {
        let made = ensure(path, MOST_LINKS).map_err(|error| {
            let (path, why) = (path.display(), describe(&error));
            Error::installed(format!("cannot make directory {path}: {why}"))
        })?;
        tracing::info!("made directory {}", made.display());
        if settings.lock_directories.iter().any(|lock| lock == path) {
            hand_over(&made, settings.user.as_deref());
        }
    }
    Ok(())
}

/// Makes a directory and those above it; where a link leads nowhere, what it leads to. Returns what was
/// made.
fn ensure(path: &Path, links: usize) -> io::Result<PathBuf> {
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    let parent = path.parent().unwrap_or_else(|| Path::new("/"));
    if let Ok(target) = fs::read_link(path) {
        let links =
            links.checked_sub(1).ok_or_else(|| io::Error::from(nix::errno::Errno::ELOOP))?;
        return ensure(&parent.join(target), links);
    }
    ensure(parent, links)?;
    match DirBuilder::new().mode(MODE).create(path) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        other => other?,
    }
    // Pacemaker's own mask takes more away than is meant.
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok(path.to_owned())
}

/// Gives a directory to the server's user. Where that fails the server says what it can't do.
fn hand_over(path: &Path, user: Option<&str>) {
    let Some(name) = user else { return };
    let uid = match name.strip_prefix('#') {
        Some(number) => number.parse().ok().map(Uid::from_raw),
        None => User::from_name(name).ok().flatten().map(|user| user.uid),
    };
    let given = uid.map(|uid| chown(path, Some(uid), None));
    if !matches!(given, Some(Ok(()))) {
        tracing::warn!("cannot give {} to user {name}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_leads_nowhere_gets_its_directory() {
        let base = std::env::temp_dir().join(format!("ocf-apache-dir-{}", std::process::id()));
        let (etc, log) = (base.join("etc"), base.join("var/log/web"));
        fs::create_dir_all(&etc).unwrap();
        symlink("../var/log/web", etc.join("logs")).unwrap();
        symlink("round", etc.join("round")).unwrap();
        let settings = Settings {
            directories: vec![etc.join("logs"), base.join("a/b"), base.join("${NOWHERE}/x")],
            ..Settings::default()
        };
        assert_eq!(find_missing(&settings).len(), 2);
        ensure_all(&settings).unwrap();
        assert!(log.is_dir() && base.join("a/b").is_dir());
        let mode = fs::metadata(&log).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, MODE, "{mode:o}");
        assert_eq!(find_missing(&settings), Vec::<&Path>::new());
        fs::write(base.join("file"), "").unwrap();
        for (bad, why) in
            [("file", "file exists"), ("file/x", "file exists"), ("etc/round", "too many")]
        {
            let directories = vec![base.join(bad)];
            let error = ensure_all(&Settings { directories, ..Settings::default() }).unwrap_err();
            assert!(error.reason.contains(why), "{bad}: {error}");
        }
        fs::remove_dir_all(&base).unwrap();
    }
}
