// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether there is room for what is going to be made, asked before it is begun.

use crate::{Error, Result};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Room that is going to be used up in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The directory, which exists.
    pub directory: PathBuf,
    /// How much, in units of 2^20 bytes.
    pub megabytes: u64,
}

/// Looks whether every demand can be met; those on one file system are added up.
///
/// # Errors
/// There is not enough room, or a directory cannot be looked at.
pub fn require(what: &str, demands: &[Demand]) -> Result<()> {
    let looked = |demand: &Demand| {
        let directory = &demand.directory;
        let metadata = std::fs::metadata(directory);
        metadata.map(|found| (found.dev(), demand.clone())).map_err(|e| cannot_look(directory, &e))
    };
    let demands = demands.iter().map(looked).collect::<Result<Vec<_>>>()?;
    for (directories, megabytes) in by_file_system(demands) {
        let Some(directory) = directories.first() else { continue };
        let found = nix::sys::statvfs::statvfs(directory)
            .map_err(|errno| cannot_look(directory, &errno.into()))?;
        let free = found.blocks_available().saturating_mul(found.fragment_size()) >> 20;
        if free < megabytes {
            let names: Vec<_> = directories.iter().map(|d| d.display().to_string()).collect();
            let names = names.join(" and ");
            return Err(Error::new(format!(
                "{what} needs {megabytes} MB in {names}, and {free} MB are free: make room there"
            )));
        }
    }
    Ok(())
}

/// What is demanded of each file system (known by its device number), and where.
fn by_file_system(demands: Vec<(u64, Demand)>) -> Vec<(Vec<PathBuf>, u64)> {
    let mut sums: Vec<(u64, Vec<PathBuf>, u64)> = Vec::new();
    for (device, Demand { directory, megabytes }) in demands {
        match sums.iter_mut().find(|(known, ..)| *known == device) {
            Some((_, directories, sum)) => {
                directories.push(directory);
                *sum = sum.saturating_add(megabytes);
            }
            None => sums.push((device, vec![directory], megabytes)),
        }
    }
    sums.into_iter().map(|(_, directories, sum)| (directories, sum)).collect()
}

fn cannot_look(directory: &std::path::Path, error: &std::io::Error) -> Error {
    Error::new(format!("cannot look how much room is in {}: {error}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(directory: &str, megabytes: u64) -> Demand {
        Demand { directory: directory.into(), megabytes }
    }

    #[test]
    fn demands_on_one_file_system_are_added_up() {
        let demands = vec![(1, demand("/a", 600)), (2, demand("/b", 5)), (1, demand("/c", 900))];
        let sums = by_file_system(demands);
        assert_eq!(sums, [(vec!["/a".into(), "/c".into()], 1500), (vec!["/b".into()], 5)]);
    }

    #[test]
    fn what_has_no_room_is_named_with_how_much_is_missing() {
        let here = std::env::temp_dir();
        let here = here.to_string_lossy();
        require("making nothing", &[demand(&here, 0)]).expect("nothing needs no room");
        let error =
            require("making it", &[demand(&here, u64::MAX)]).expect_err("no disk is so big");
        let start = format!("making it needs {} MB in {here}, and ", u64::MAX);
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(error.to_string().ends_with(" MB are free: make room there"), "{error}");
    }
}
