// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What some commands say of this host. None of them is run.

use super::expansion::Fields;
use super::shell::Shell;
use super::syntax::{self, Command, Item};
use crate::regular;
use nix::unistd::{AccessFlags, Uid, User, access, getegid, geteuid};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How deep they may stand in one another.
const DEEPEST: usize = 8;

/// What every shell has built in.
const BUILT_IN: &[&str] = &[
    ".", ":", "[", "alias", "cd", "command", "echo", "eval", "exec", "exit", "export", "false",
    "getopts", "hash", "kill", "printf", "pwd", "read", "readonly", "return", "set", "shift",
    "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait",
];

/// What a command would say; `None` where it isn't known, which has been noted then.
pub(super) fn output_of(shell: &mut Shell, text: &[u8]) -> Option<Vec<u8>> {
    shell.depth += 1;
    let problems = shell.problems.len();
    let known = if shell.depth > DEEPEST { None } else { said(shell, text) };
    shell.depth -= 1;
    if known.is_none() && shell.problems.len() == problems {
        shell.problem("the output of a command", false);
    }
    known
}

fn said(shell: &mut Shell, text: &[u8]) -> Option<Vec<u8>> {
    let (list, fault) = syntax::parse(text);
    let [Item { command: Command::Simple(words), is_negated: false, .. }] = list.as_slice() else {
        return None;
    };
    if fault.is_some() {
        return None;
    }
    let fields = Fields::split(shell, words)?;
    let words: Vec<&str> =
        fields.iter().map(|field| std::str::from_utf8(field)).collect::<Result<_, _>>().ok()?;
    let kernel = |name: &str| {
        let text = std::fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?;
        Some(text.trim().to_owned())
    };
    let host = || kernel("hostname");
    let known = match words.as_slice() {
        ["hostname"] | ["uname", "-n"] => host(),
        ["hostname", "-s" | "--short"] => Some(host()?.split('.').next()?.to_owned()),
        ["hostname", "-f" | "--fqdn" | "--long"] => full_name(&host()?),
        ["uname"] | ["uname", "-s"] => kernel("ostype"),
        ["uname", "-r"] => kernel("osrelease"),
        ["uname", "-m"] => Some(std::env::consts::ARCH.to_owned()),
        ["id", "-u"] => Some(geteuid().to_string()),
        ["id", "-g"] => Some(getegid().to_string()),
        ["id", "-un"] | ["whoami"] => user(geteuid()),
        ["command", "-v", name] => Some(find(shell, name).unwrap_or_default()),
        _ => None,
    };
    known.map(String::into_bytes)
}

fn user(uid: Uid) -> Option<String> {
    User::from_uid(uid).ok().flatten().map(|user| user.name)
}

/// The name with its domain: of this machine's list, or the name itself where it has one.
fn full_name(host: &str) -> Option<String> {
    let list = regular::read(Path::new("/etc/hosts"), 1 << 20).unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let listed = list.lines().find_map(|line| {
        let names = line.split('#').next().unwrap_or_default();
        let mut names = names.split_ascii_whitespace().skip(1);
        let first = names.next()?;
        let is_host = first == host || names.any(|name| name == host);
        is_host.then(|| first.to_owned())
    });
    listed.or_else(|| host.contains('.').then(|| host.to_owned()))
}

/// What `command -v` says of a name.
pub(super) fn find(shell: &Shell, name: &str) -> Option<String> {
    let runs = |path: &Path| path.is_file() && access(path, AccessFlags::X_OK).is_ok();
    if name.contains('/') {
        return runs(Path::new(name)).then(|| name.to_owned());
    }
    if BUILT_IN.contains(&name) {
        return Some(name.to_owned());
    }
    let search = OsStr::from_bytes(shell.value(b"PATH").unwrap_or_default());
    let found =
        std::env::split_paths(search).map(|directory| directory.join(name)).find(|path| runs(path));
    found.map(|path| path.to_string_lossy().into_owned())
}
