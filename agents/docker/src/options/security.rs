// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Namespaces, capabilities, `--security-opt` and `--sysctl`.

use super::flags::{Flags, quoted, wrong};
use bollard::models::{HostConfig, HostConfigCgroupnsModeEnum, HostConfigIsolationEnum};
use ocf::Result;
use std::collections::{BTreeSet, HashMap};

/// Kernel parameters outside `net.` and `fs.mqueue.` that belong to a namespace.
const SYSCTLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Fills in everything about what a container may.
pub(super) fn fill(flags: &Flags, host: &mut HostConfig) -> Result<()> {
    host.pid_mode = Some(flags.read_one("pid", pid)?.unwrap_or_default());
    host.uts_mode = Some(flags.read_one("uts", host_or_own)?.unwrap_or_default());
    host.userns_mode = Some(flags.read_one("userns", host_or_own)?.unwrap_or_default());
    host.ipc_mode = flags.text("ipc");
    let cgroupns = flags.read_one("cgroupns", cgroup_namespace)?;
    host.cgroupns_mode = Some(cgroupns.unwrap_or(HostConfigCgroupnsModeEnum::EMPTY));
    let isolation = flags.read_one("isolation", isolation)?;
    host.isolation = Some(isolation.unwrap_or(HostConfigIsolationEnum::EMPTY));
    host.privileged = Some(flags.is_on("privileged")?);
    host.readonly_rootfs = Some(flags.is_on("read-only")?);
    host.cap_add = capabilities(flags, "cap-add");
    host.cap_drop = capabilities(flags, "cap-drop");
    host.group_add = flags.list("group-add");
    host.sysctls = Some(flags.read_many("sysctl", sysctl)?.into_iter().collect());
    let options = flags.read_many("security-opt", security_option)?;
    let is_bare = |option: &String| option == "systempaths=unconfined";
    if options.iter().any(is_bare) {
        host.masked_paths = Some(Vec::new());
        host.readonly_paths = Some(Vec::new());
    }
    let options: Vec<String> = options.into_iter().filter(|option| !is_bare(option)).collect();
    host.security_opt = Some(options).filter(|options| !options.is_empty());
    Ok(())
}

/// A profile of seccomp that stands in a file; the Engine wants its text.
pub(super) fn seccomp_file(option: &str) -> Option<&str> {
    let (key, value) = option.split_once('=').or_else(|| option.split_once(':'))?;
    (key == "seccomp" && !["builtin", "unconfined"].contains(&value)).then_some(value)
}

fn pid(value: &str) -> Result<String, String> {
    let is_container = value.strip_prefix("container:").is_some_and(|name| !name.is_empty());
    if value.is_empty() || value == "host" || is_container {
        return Ok(value.to_owned());
    }
    Err(format!("{} is neither host nor container:NAME", quoted(value)))
}

fn host_or_own(value: &str) -> Result<String, String> {
    match value {
        "" | "host" => Ok(value.to_owned()),
        _ => Err(format!("{} is not host", quoted(value))),
    }
}

fn cgroup_namespace(value: &str) -> Result<HostConfigCgroupnsModeEnum, String> {
    value.parse().map_err(|_| format!("{} is neither host nor private", quoted(value)))
}

fn isolation(value: &str) -> Result<HostConfigIsolationEnum, String> {
    value.parse().map_err(|_| format!("{} is no isolation: on Linux it is default", quoted(value)))
}

/// In capitals, with the prefix, sorted, each once: as the client of today sends them.
fn capabilities(flags: &Flags, name: &str) -> Option<Vec<String>> {
    let normal = |value: &str| {
        let upper = value.to_uppercase();
        match upper.as_str() {
            "ALL" => upper,
            _ if upper.starts_with("CAP_") => upper,
            _ => format!("CAP_{upper}"),
        }
    };
    let all: BTreeSet<String> = flags.many(name).map(normal).collect();
    Some(all.into_iter().collect::<Vec<_>>()).filter(|all| !all.is_empty())
}

fn sysctl(value: &str) -> Result<(String, String), String> {
    let Some((name, setting)) = value.split_once('=') else {
        return Err(format!("{} is not NAME=VALUE", quoted(value)));
    };
    let is_ours = name.starts_with("net.") || name.starts_with("fs.mqueue.");
    if is_ours || SYSCTLS.contains(&name) {
        return Ok((name.to_owned(), setting.to_owned()));
    }
    Err(format!("{} belongs to the whole host, not to a container", quoted(name)))
}

fn security_option(value: &str) -> Result<String, String> {
    let parts = value.split_once('=').or_else(|| value.split_once(':'));
    let is_alone = value == "no-new-privileges" || value.starts_with("no-new-privileges=");
    match parts {
        Some((_, setting)) if !setting.is_empty() => Ok(value.to_owned()),
        Some(("no-new-privileges", _)) => Ok(value.to_owned()),
        _ if is_alone => Ok(value.to_owned()),
        _ => Err(format!("{} is not NAME=VALUE", quoted(value))),
    }
}

/// `--storage-opt`.
pub(super) fn storage(flags: &Flags) -> Result<HashMap<String, String>> {
    let pair = |value: &str| match value.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(format!("{} is not NAME=VALUE", quoted(value))),
    };
    Ok(flags.read_many("storage-opt", pair)?.into_iter().collect())
}

/// `--log-opt`: a name alone has an empty value; the driver `none` takes no options.
pub(super) fn log_options(flags: &Flags) -> Result<HashMap<String, String>> {
    let options: HashMap<String, String> = pairs(flags, "log-opt");
    if flags.one("log-driver") == Some("none") && !options.is_empty() {
        return Err(wrong("log-opt", "the log driver none takes no options: leave them out"));
    }
    Ok(options)
}

/// Values `NAME[=VALUE]` as a map; the last of a name counts.
pub(super) fn pairs(flags: &Flags, name: &str) -> HashMap<String, String> {
    let pair = |value: &str| {
        let (key, value) = value.split_once('=').unwrap_or((value, ""));
        (key.to_owned(), value.to_owned())
    };
    flags.many(name).map(pair).collect()
}
