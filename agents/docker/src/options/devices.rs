// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Devices, their limits, and `--ulimit`.

use super::flags::{Flags, quoted, wrong};
use super::{csv, numbers, volumes};
use bollard::models::{
    DeviceMapping, DeviceRequest, HostConfig, ResourcesBlkioWeightDevice, ResourcesUlimits,
    ThrottleDevice,
};
use ocf::Result;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Limits that a process may have, as the Engine names them.
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Fills in everything about devices.
pub(super) fn fill(flags: &Flags, host: &mut HostConfig) -> Result<()> {
    let mut requests = flags.read_many("gpus", gpus)?;
    let (named, mapped): (Vec<&str>, Vec<&str>) =
        flags.many("device").partition(|device| is_cdi_name(device));
    if !named.is_empty() {
        requests.push(DeviceRequest {
            driver: Some("cdi".to_owned()),
            device_ids: Some(named.into_iter().map(str::to_owned).collect()),
            ..DeviceRequest::default()
        });
    }
    let mapped: Result<Vec<DeviceMapping>, String> = mapped.into_iter().map(device).collect();
    host.devices = Some(mapped.map_err(|cause| wrong("device", &cause))?);
    host.device_requests = Some(requests).filter(|requests| !requests.is_empty());
    let rules = flags.read_many("device-cgroup-rule", cgroup_rule)?;
    host.device_cgroup_rules = Some(rules).filter(|rules| !rules.is_empty());
    host.blkio_weight_device = Some(flags.read_many("blkio-weight-device", weight)?);
    let bytes = |name| flags.read_many(name, |value| throttle(value, numbers::size));
    let times = |name| flags.read_many(name, |value| throttle(value, count));
    host.blkio_device_read_bps = Some(bytes("device-read-bps")?);
    host.blkio_device_write_bps = Some(bytes("device-write-bps")?);
    host.blkio_device_read_iops = Some(times("device-read-iops")?);
    host.blkio_device_write_iops = Some(times("device-write-iops")?);
    let ulimits = flags.read_many("ulimit", ulimit)?;
    let by_name: BTreeMap<_, _> =
        ulimits.into_iter().map(|limit| (limit.name.clone(), limit)).collect();
    host.ulimits = Some(by_name.into_values().collect());
    Ok(())
}

/// `HOST[:CONTAINER][:rwm]`.
fn device(value: &str) -> Result<DeviceMapping, String> {
    let parts: Vec<&str> = value.splitn(4, ':').collect();
    let (source, target, rights) = match parts.as_slice() {
        [source] => (volumes::clean(source), String::new(), "rwm"),
        [source, rights] if is_rights(rights) => (volumes::clean(source), String::new(), *rights),
        [source, target] => ((*source).to_owned(), volumes::clean(target), "rwm"),
        [source, target, rights] if is_rights(rights) => {
            ((*source).to_owned(), (*target).to_owned(), *rights)
        }
        _ => return Err(format!("{} is not HOST[:CONTAINER][:rwm]", quoted(value))),
    };
    let inside = if target.is_empty() { source.clone() } else { target };
    // With three parts the CLI looks at the second even where it is empty.
    let is_absolute = inside.starts_with('/') && !value.starts_with(':');
    if !is_absolute || parts.get(1).is_some_and(|part| part.is_empty()) {
        return Err(format!("the path in the container has to be absolute in {}", quoted(value)));
    }
    Ok(DeviceMapping {
        path_on_host: Some(source),
        path_in_container: Some(inside),
        cgroup_permissions: Some(rights.to_owned()),
    })
}

fn is_rights(text: &str) -> bool {
    let mut seen = HashSet::new();
    !text.is_empty() && text.chars().all(|c| "rwm".contains(c) && seen.insert(c))
}

/// `vendor/class=name`, a device of the Container Device Interface.
fn is_cdi_name(text: &str) -> bool {
    let ends_well = |text: &str| text.ends_with(|c: char| c.is_ascii_alphanumeric());
    let holds = |text: &str, more: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c)) && ends_well(text)
    };
    let is_kind =
        |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && holds(text, "_-.");
    let is_name =
        |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric()) && holds(text, "_-.:");
    let parts = text.split_once('=').and_then(|(kind, name)| Some((kind.split_once('/')?, name)));
    parts.is_some_and(|((vendor, class), name)| is_kind(vendor) && is_kind(class) && is_name(name))
}

/// A rule has blanks in it, so no words of run_opts can be one; the CLI would say so too.
fn cgroup_rule(value: &str) -> Result<String, String> {
    let parts: Vec<&str> = value.split(' ').collect();
    let is_number =
        |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()));
    let is_rule = match parts.as_slice() {
        [kind, numbers, rights] => {
            matches!(*kind, "a" | "c" | "b")
                && numbers.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b))
                && (1..=3).contains(&rights.len())
                && rights.chars().all(|c| "rwm".contains(c))
        }
        _ => false,
    };
    if is_rule {
        return Ok(value.to_owned());
    }
    Err(format!(
        "{} is no rule like \"c 1:3 rwm\", and blanks separate words in run_opts",
        quoted(value)
    ))
}

fn path_and_value(value: &str) -> Result<(&str, &str), String> {
    match value.split_once(':') {
        Some((path, value)) if path.starts_with("/dev/") => Ok((path, value)),
        _ => Err(format!("{} is not /dev/NAME:VALUE", quoted(value))),
    }
}

fn count(text: &str) -> Result<i64, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let number = is_plain.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| format!("{} is no number of operations", quoted(text)))
}

fn throttle(
    value: &str,
    read: impl Fn(&str) -> Result<i64, String>,
) -> Result<ThrottleDevice, String> {
    let (path, rate) = path_and_value(value)?;
    Ok(ThrottleDevice { path: Some(path.to_owned()), rate: Some(read(rate)?) })
}

fn weight(value: &str) -> Result<ResourcesBlkioWeightDevice, String> {
    let (path, weight) = path_and_value(value)?;
    let weight = usize::try_from(count(weight)?).unwrap_or(usize::MAX);
    if weight != 0 && !(10..=1000).contains(&weight) {
        return Err(format!("the weight in {} is not between 10 and 1000", quoted(value)));
    }
    Ok(ResourcesBlkioWeightDevice { path: Some(path.to_owned()), weight: Some(weight) })
}

/// `NAME=SOFT[:HARD]`; one value is both.
fn ulimit(value: &str) -> Result<ResourcesUlimits, String> {
    let wrong = || format!("{} is not NAME=SOFT[:HARD]", quoted(value));
    let (name, limits) = value.split_once('=').ok_or_else(wrong)?;
    if !ULIMITS.contains(&name) {
        return Err(format!("{} is no limit: one of {}", quoted(name), ULIMITS.join(", ")));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!("the soft limit is above the hard one in {}", quoted(value)));
    }
    Ok(ResourcesUlimits { name: Some(name.to_owned()), soft: Some(soft), hard: Some(hard) })
}

/// `all`, a number, or `key=value` with commas between.
fn gpus(value: &str) -> Result<DeviceRequest, String> {
    let mut request = DeviceRequest {
        capabilities: Some(vec![vec!["gpu".to_owned()]]),
        options: Some(HashMap::new()),
        ..DeviceRequest::default()
    };
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut seen = HashSet::new();
    let mut is_counted = false;
    for field in csv::fields(value)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value)),
            None => (field.clone(), None),
        };
        if !seen.insert(key.clone()) {
            return Err(format!("{} is given twice", quoted(&key)));
        }
        match (key.as_str(), value) {
            (number, None) | ("count", Some(number)) => {
                seen.insert("count".to_owned());
                is_counted = true;
                request.count = Some(gpu_count(number)?);
            }
            ("driver", Some(value)) => request.driver = Some(value.to_owned()),
            ("device", Some(value)) => request.device_ids = Some(list(value)),
            ("capabilities", Some(value)) => {
                let all = list(value).into_iter().chain(["gpu".to_owned()]).collect();
                request.capabilities = Some(vec![all]);
            }
            ("options", Some(value)) => {
                let pair = |field: String| {
                    let (key, value) = field.split_once('=').unwrap_or((&field, ""));
                    (key.to_owned(), value.to_owned())
                };
                request.options = Some(csv::fields(value)?.into_iter().map(pair).collect());
            }
            (key, _) => return Err(format!("{} is no key of a request for GPUs", quoted(key))),
        }
    }
    if !is_counted && request.device_ids.is_none() {
        request.count = Some(1);
    }
    Ok(request)
}

fn gpu_count(text: &str) -> Result<i64, String> {
    if text == "all" {
        return Ok(-1);
    }
    text.parse().map_err(|_| format!("{} is neither all nor a number of GPUs", quoted(text)))
}
