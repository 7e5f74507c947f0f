// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files and directories of the host: what the container is to see of them, and what is made for it.

use bollard::models::{HostConfig, MountType};
use ocf::{Error, Explain, Result, tracing};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What a last component ends with when it names a file.
const FILES: [&str; 26] = [
    ".cfg", ".cnf", ".conf", ".config", ".crt", ".cer", ".csr", ".env", ".ini", ".json", ".key",
    ".keytab", ".log", ".p12", ".pem", ".pid", ".pub", ".py", ".sh", ".so", ".sock", ".socket",
    ".toml", ".xml", ".yaml", ".yml",
];

/// Files without such an end, which a directory in their place would spoil for the whole host.
const KNOWN_FILES: [&str; 12] = [
    "/etc/corosync/authkey",
    "/etc/group",
    "/etc/gshadow",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/pacemaker/authkey",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/timezone",
    "/run/dbus/system_bus_socket",
];

/// Where nothing is a directory that somebody may make.
const KERNELS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What the container is to see of this host, judged: a missing source of `--mount` fails, of `-v` the
/// Engine makes an empty directory, which existing clusters rely on; but not where a file is meant.
pub(super) fn check_sources(host: &HostConfig, mount_points: &str) -> Result<()> {
    let made: Vec<&Path> = split(mount_points).map(Path::new).collect();
    for bind in host.binds.iter().flatten() {
        let source = bind.split(':').next().unwrap_or_default();
        if source.starts_with('/') && is_missing(source) && !made.contains(&Path::new(source)) {
            check_made_by_engine(source)?;
        }
    }
    for mount in host.mounts.iter().flatten() {
        let source = mount.source.as_deref().unwrap_or_default();
        let is_bind = mount.typ == Some(MountType::BIND);
        if !is_bind || !is_missing(source) || made.contains(&Path::new(source)) {
            continue;
        }
        let is_made = mount.bind_options.as_ref().and_then(|options| options.create_mountpoint);
        if is_made == Some(true) {
            check_made_by_engine(source)?;
        } else {
            return Err(Error::args(format!(
                "{source} is missing on this node, and --mount doesn't make it: make it here"
            )));
        }
    }
    Ok(())
}

/// A source that the Engine would make as an empty directory.
fn check_made_by_engine(source: &str) -> Result<()> {
    if is_file_like(Path::new(source)) {
        return Err(Error::args(format!(
            "{source} is missing on this node, and Docker would make a directory of it: put it there"
        )));
    }
    tracing::warn!("{source} is missing on this node: Docker makes an empty directory of it");
    Ok(())
}

fn is_missing(source: &str) -> bool {
    !source.is_empty()
        && fs::metadata(source).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether a directory at that place would be poison.
fn is_file_like(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    KERNELS.iter().any(|directory| path.starts_with(directory))
        || KNOWN_FILES.iter().any(|file| path == Path::new(file))
        || FILES.iter().any(|end| name.len() > end.len() && name.ends_with(end))
        || name.ends_with("_socket")
}

/// The directories of `mount_points`: split at commas, and blanks are part of a name, as they always
/// were.
fn split(mount_points: &str) -> impl Iterator<Item = &str> {
    mount_points.split(',').filter(|field| !field.trim().is_empty())
}

/// Whether the directories of `mount_points` are there or can be made.
///
/// # Errors
/// `args` (2): a file is in the way.
pub(crate) fn check_mount_points(mount_points: &str) -> Result<()> {
    split(mount_points).try_for_each(|point| check_mount_point(Path::new(point)))
}

fn check_mount_point(point: &Path) -> Result<()> {
    let there = point.ancestors().find(|path| fs::symlink_metadata(path).is_ok());
    let Some(there) = there else { return Ok(()) };
    match fs::metadata(there) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(in_the_way(point, there, "is a file")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(in_the_way(point, there, "is a link to nothing"))
        }
        // What can't be looked at may be a directory for whoever makes it.
        Err(_) => Ok(()),
    }
}

fn in_the_way(point: &Path, there: &Path, what: &str) -> Error {
    let there = there.display();
    let sentence = if Path::new(&there.to_string()) == point {
        format!("mount point {there} {what}: remove it, or name a directory")
    } else {
        format!("mount point {} can't be made: {there} {what}", point.display())
    };
    Error::args(sentence)
}

/// Makes the directories of `mount_points`, with those above them, where they are missing.
///
/// # Errors
/// `args` (2): a file is in the way. Else the kernel's, when one can't be made.
pub(crate) fn make_mount_points(mount_points: &str) -> Result<()> {
    check_mount_points(mount_points)?;
    for point in split(mount_points).map(Path::new) {
        if !point.is_absolute() {
            tracing::warn!("mount point {} is relative to where agents run", point.display());
        }
        fs::create_dir_all(point).explain("make mount point", point)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
