// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where an Engine keeps the directory of a container that runs, told by the container's own mounts.

use crate::processes::{all, groups_of, words_of};
use ocf::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// Where Docker's images and containers are layered, below the data root.
const LAYERS: &[&str] = &["/overlay2/", "/overlay/", "/fuse-overlayfs/"];

/// The directory in which an Engine keeps a container's description: in one of the usual places, or
/// where the container's mounts come from. `/etc/hostname` and its like are files in it, or in that of
/// another container of the same Engine; its root is a layer that the same Engine keeps.
pub(super) fn directory_of(id: &str, pid: i32, places: &[PathBuf]) -> Option<PathBuf> {
    let usual = places.iter().map(|place| place.join(id)).find(|path| path.is_dir());
    if usual.is_some() {
        return usual;
    }
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).ok()?;
    let ours = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let from_files = mounts.lines().filter_map(|line| {
        let (device, root) = source(line)?;
        let end = containers_end(root)?;
        on_this_host(&ours, device, root.get(..end)?)
    });
    let from_layers = mounts.lines().filter_map(layers_root).map(|root| root.join("containers"));
    from_files.chain(from_layers).map(|place| place.join(id)).find(|path| path.is_dir())
}

/// Whether a container is one of Docker's: by its control group, or by the shim that keeps it.
pub(super) fn is_of_an_engine(id: &str, pid: i32) -> Result<bool> {
    let groups = groups_of(pid)?;
    if groups.contains(&format!("/docker/{id}")) || groups.contains(&format!("docker-{id}.scope")) {
        return Ok(true);
    }
    for pid in all()? {
        let words = words_of(pid)?;
        if ["moby", id].iter().all(|wanted| words.iter().any(|word| word == wanted)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where `…/containers` ends in the path of one of Docker's files: `…/containers/<id>/hostname`.
fn containers_end(path: &str) -> Option<usize> {
    const MARKER: &str = "/containers/";
    let end = path.find(MARKER)? + MARKER.len() - 1;
    let id = path.get(end + 1..)?.split('/').next()?;
    (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(end)
}

/// The data root, by the layer that is a container's root.
fn layers_root(line: &str) -> Option<PathBuf> {
    let upper = line.split(['=', ',', ' ']).skip_while(|word| *word != "upperdir").nth(1)?;
    let end = LAYERS.iter().find_map(|layers| upper.find(layers))?;
    upper.get(..end).map(PathBuf::from)
}

/// Device and root of a mount (proc_pid_mountinfo(5), fields 3 and 4).
fn source(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split(' ').skip(2);
    Some((fields.next()?, fields.next()?))
}

/// The path of what is at `root` in the file system of a device, by one of our own mounts of it.
fn on_this_host(mounts: &str, device: &str, root: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (_, mounted) = source(line).filter(|(of, _)| *of == device)?;
        let rest = Path::new(root).strip_prefix(mounted).ok()?;
        let path = Path::new(line.split(' ').nth(4)?).join(rest);
        path.is_dir().then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_root_is_read_out_of_a_mount() {
        let id = "a".repeat(64);
        let path = format!("/var/lib/docker/containers/{id}/hostname");
        assert_eq!(path.get(..containers_end(&path).unwrap()), Some("/var/lib/docker/containers"));
        assert_eq!(containers_end("/srv/containers/web/hostname"), None);
        let line = "99 1 0:50 / / rw - overlay overlay rw,lowerdir=/d/overlay2/l/X,\
                    upperdir=/d/overlay2/y/diff,workdir=/d/overlay2/y/work";
        assert_eq!(layers_root(line), Some(PathBuf::from("/d")));
    }
}
