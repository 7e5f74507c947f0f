// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reads files that somebody else wrote: regular ones only, and of a bounded size.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The contents of a regular file, of so many bytes at most. Neither a FIFO nor a device is waited for.
///
/// # Errors
/// When it can't be read, isn't a regular file or is bigger.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > most {
        return Err(io::Error::other("it is too big"));
    }
    let mut text = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // Files of /proc say that they are empty.
    file.take(most.saturating_add(1)).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::other("it is too big"));
    }
    Ok(text)
}
