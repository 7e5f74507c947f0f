// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Docker's own configuration of this host: the directory that the `docker` command reads, and
//! `config.json` in it.

use nix::unistd::Uid;
use ocf::environment::Environment;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Nobody's configuration is larger; what is says something else.
const LARGEST: u64 = 16 << 20;

/// `config.json`, as far as it can be read.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// What it says; null where there is none.
    pub(crate) value: Value,
    /// Why it says nothing although it is there. The `docker` command warns and goes on without it.
    pub(crate) trouble: Option<String>,
}

impl Configuration {
    /// The configuration that the `docker` command would read with that environment.
    pub(crate) fn of(environment: &Environment) -> Self {
        let file = directory(environment).join("config.json");
        let (value, trouble) = match read(&file).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(value)) => (value, None),
            Ok(Err(error)) => (Value::Null, Some(format!("it is no JSON: {error}"))),
            Err(error) if error.kind() == ErrorKind::NotFound => (Value::Null, None),
            Err(error) => (Value::Null, Some(ocf::error::describe(&error))),
        };
        Self { file, value, trouble }
    }
}

/// `DOCKER_CONFIG`, or `.docker` in the user's home.
pub(crate) fn directory(environment: &Environment) -> PathBuf {
    match environment.filled("DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => home(environment).join(".docker"),
    }
}

/// `HOME`; the account's own where that is unset, as it is below systemd.
fn home(environment: &Environment) -> PathBuf {
    let of_account = || {
        let accounts = read(Path::new("/etc/passwd")).unwrap_or_default();
        find_home(&accounts, Uid::effective().as_raw())
    };
    let home = environment.filled("HOME").map(PathBuf::from);
    home.or_else(of_account).unwrap_or_else(|| PathBuf::from("/root"))
}

/// The home of a user (passwd(5)).
fn find_home(accounts: &[u8], user: u32) -> Option<PathBuf> {
    let user = user.to_string();
    accounts.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let is_users = fields.get(2) == Some(&user.as_bytes());
        let home = fields.get(5).filter(|home| is_users && !home.is_empty())?;
        Some(PathBuf::from(OsString::from_vec(home.to_vec())))
    })
}

/// A file of the configuration, as a whole. What is no file is an error: a FIFO would never end.
///
/// # Errors
/// When it can't be read, or isn't what an administrator has written.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    #[test]
    fn the_directory_is_the_docker_commands_own() {
        let given = environment(&[("DOCKER_CONFIG", "/x/y"), ("HOME", "/home/me")]);
        assert_eq!(directory(&given), Path::new("/x/y"));
        let home = environment(&[("DOCKER_CONFIG", ""), ("HOME", "/home/me")]);
        assert_eq!(directory(&home), Path::new("/home/me/.docker"));
    }

    #[test]
    fn without_home_it_is_the_accounts_own() {
        let accounts = b"root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/srv/me:/bin/sh\nbad\n";
        assert_eq!(find_home(accounts, 1000), Some(PathBuf::from("/srv/me")));
        assert_eq!(find_home(accounts, 0), Some(PathBuf::from("/root")));
        assert_eq!(find_home(accounts, 7), None);
        let home = home(&environment(&[("HOME", "")]));
        assert!(home.is_absolute(), "{}", home.display());
    }

    #[test]
    fn what_is_no_file_is_trouble_and_not_a_hang() {
        let directory = std::env::temp_dir().join(format!("configuration-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let given = environment(&[("DOCKER_CONFIG", directory.to_str().unwrap())]);
        assert_eq!(Configuration::of(&given).trouble, None);
        let file = directory.join("config.json");
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(Configuration::of(&given).trouble.is_some());
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "{\"auths\":").unwrap();
        let read = Configuration::of(&given);
        assert!(read.trouble.is_some() && read.value.is_null(), "{read:?}");
        std::fs::write(&file, "{\"currentContext\":\"x\"}").unwrap();
        let read = Configuration::of(&given);
        assert_eq!((read.trouble, read.value["currentContext"].as_str()), (None, Some("x")));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
