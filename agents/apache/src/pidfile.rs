// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pid files: which there may be, and what they say. What they say is a claim that is checked: the file
//! may be empty while the server restarts, older than the last boot, or of a stranger that has the pid now.

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use ocf::{Error, Result, tracing};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// A larger file is none that a server wrote.
const LONGEST: u64 = 64;

/// The pid that a file names; `None` where there is no such file, or nothing in it that could be one.
pub(crate) fn read(path: &Path) -> Option<i32> {
    // A FIFO in its place must not hold us up.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = File::from(openat(AT_FDCWD, path, flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text).ok()?;
    if text.len() as u64 > LONGEST {
        return None;
    }
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|pid| is_number && *pid > 0)
}

/// Whether what is there can be a pid file, a useless one too: a short regular file, or a link that leads to a
/// file or nowhere. Only the link goes then; the server would put its own file in its place, too.
pub(crate) fn is_one(path: &Path) -> bool {
    let is_file = || fs::metadata(path).map_or(true, |target| target.is_file());
    fs::symlink_metadata(path).is_ok_and(|found| {
        let is_short = found.is_file() && found.len() <= LONGEST;
        is_short || found.is_symlink() && is_file()
    })
}

/// Judges what is where a server is to write its pid file. It reads what is there first: it waits at a FIFO for
/// ever, and ends where there is no number.
///
/// # Errors
/// `installed` (5): something is there that is none of the server's.
pub(crate) fn check(path: &Path) -> Result<()> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let what = match found.file_type() {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a FIFO",
        kind if !kind.is_file() => "no file",
        _ if found.len() > LONGEST => "too long for a pid file",
        _ => return Ok(()),
    };
    let name = path.display();
    Err(Error::installed(format!("{name} is {what}: remove it or set another PidFile")))
}

/// Removes a pid file that means nobody.
pub(crate) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => tracing::info!("removed the stale pid file {}", path.display()),
        Err(error) => {
            let why = ocf::error::describe(&error);
            tracing::warn!("cannot remove the stale pid file {}: {why}", path.display());
        }
    }
}

/// How the names begin of the pid files that instances of a program are given where their configuration
/// names none: the program's name up to its first dash.
pub(crate) fn beginning(program: &Path) -> Vec<u8> {
    let name = program.file_name().unwrap_or_default().as_bytes();
    let short = name.split(|byte| *byte == b'-').next().unwrap_or_default();
    [short, b"-"].concat()
}

/// The pid file that an instance of a program is given where its configuration names none.
pub(crate) fn given(directory: &Path, program: &Path, instance: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(std::ffi::OsStr::from_bytes(&beginning(program)));
    name.push(instance);
    name.push(".pid");
    directory.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tree;

    #[test]
    fn only_a_number_is_a_pid() {
        let path = std::env::temp_dir().join(format!("ocf-apache-pid-{}", std::process::id()));
        for (text, pid) in [
            ("42\n", Some(42)),
            (" 42", Some(42)),
            ("", None),
            ("\n", None),
            ("self\n", None),
            ("-1", None),
            ("+42", None),
            ("0", None),
            ("99999999999999999999", None),
            ("42 43", None),
            ("42\0", None),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path), pid, "{text:?}");
        }
        fs::write(&path, " ".repeat(100) + "42").unwrap();
        assert_eq!(read(&path), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&path), None);
        assert_eq!(read(&std::env::temp_dir()), None);
    }

    #[test]
    fn what_is_no_file_is_neither_removed_nor_waited_for() {
        let tree = Tree::new("pidfile");
        let path = |name: &str| tree.0.join(name);
        tree.write("garbage", "garbage");
        tree.write("long", &"4711 ".repeat(20));
        nix::unistd::mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        fs::create_dir(path("directory")).unwrap();
        for (link, target) in
            [("a", "garbage"), ("b", "long"), ("c", "nowhere"), ("d", "d"), ("e", "fifo")]
        {
            std::os::unix::fs::symlink(target, path(link)).unwrap();
        }
        for (name, is_ours, why) in [
            ("garbage", true, ""),
            ("a", true, ""),
            ("b", true, "too long"),
            ("c", true, ""),
            ("d", true, ""),
            ("e", false, "e is a FIFO: remove it"),
            ("fifo", false, "fifo is a FIFO: remove it"),
            ("directory", false, "directory is a directory: remove it"),
            ("long", false, "long is too long for a pid file: remove it"),
            ("nothing", false, ""),
        ] {
            assert_eq!(is_one(&path(name)), is_ours, "{name}");
            match check(&path(name)) {
                Ok(()) => assert_eq!(why, "", "{name}"),
                Err(error) => assert!(!why.is_empty() && error.reason.contains(why), "{error}"),
            }
        }
        remove(&path("a"));
        assert!(!path("a").is_symlink() && path("garbage").is_file());
    }

    #[test]
    fn a_given_name_is_the_one_that_the_shell_agent_gives() {
        let run = Path::new("/var/run");
        assert_eq!(given(run, Path::new("/usr/sbin/apache2"), "web"), run.join("apache2-web.pid"));
        let prefork = Path::new("/usr/sbin/httpd-prefork");
        assert_eq!(given(run, prefork, "web:0"), run.join("httpd-web:0.pid"));
    }
}
