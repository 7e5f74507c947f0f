// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `--mount`.

use super::flags::quoted;
use super::{csv, numbers, volumes};
use bollard::models::{
    Mount, MountBindOptions, MountBindOptionsPropagationEnum, MountImageOptions, MountTmpfsOptions,
    MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig,
};
use std::collections::HashMap;

type Read<T> = Result<T, String>;

/// One value of the flag.
pub(super) fn mount(value: &str) -> Read<Mount> {
    let mut mount = Mount { typ: Some(MountType::VOLUME), ..Mount::default() };
    for field in csv::fields(value.trim())? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.as_str(), None),
        };
        if key.trim() != key || value.is_some_and(|value| value.trim() != value) {
            return Err(format!("no blanks around the parts of {}", quoted(&field)));
        }
        let key = key.to_ascii_lowercase();
        match value {
            None => alone(&mut mount, &key)?,
            Some("") => return Err(format!("the value of {} is empty", quoted(&key))),
            Some(value) => pair(&mut mount, &key, value)?,
        }
    }
    check(&mount)?;
    Ok(mount)
}

fn alone(mount: &mut Mount, key: &str) -> Read<()> {
    match key {
        "readonly" | "ro" | "volume-nocopy" | "bind-nonrecursive" | "bind-create-src" => {
            pair(mount, key, "true")
        }
        _ => Err(format!("{} has to be name=value", quoted(key))),
    }
}

fn pair(mount: &mut Mount, key: &str, value: &str) -> Read<()> {
    match key {
        "type" => mount.typ = Some(kind(value)?),
        "source" | "src" => mount.source = Some(source(value)),
        "target" | "dst" | "destination" => mount.target = Some(value.to_owned()),
        "readonly" | "ro" => mount.read_only = Some(truth(value)?),
        "consistency" => mount.consistency = Some(value.to_lowercase()),
        _ if key.starts_with("bind-") => {
            bind(mount.bind_options.get_or_insert_default(), key, value)?;
        }
        _ if key.starts_with("volume-") => {
            volume(mount.volume_options.get_or_insert_default(), key, value)?;
        }
        "image-subpath" => {
            let options = mount.image_options.get_or_insert_with(MountImageOptions::default);
            options.subpath = Some(value.to_owned());
        }
        "tmpfs-size" => tmpfs(mount).size_bytes = Some(numbers::size(value)?),
        "tmpfs-mode" => tmpfs(mount).mode = Some(mode(value)?),
        _ => return Err(unknown(key)),
    }
    Ok(())
}

fn unknown(key: &str) -> String {
    format!("{} is no option of a mount", quoted(key))
}

fn tmpfs(mount: &mut Mount) -> &mut MountTmpfsOptions {
    mount.tmpfs_options.get_or_insert_with(MountTmpfsOptions::default)
}

fn source(value: &str) -> String {
    if value.starts_with('.') { volumes::absolute(value) } else { value.to_owned() }
}

fn mode(value: &str) -> Read<i64> {
    let mode = u32::from_str_radix(value, 8).ok().filter(|_| !value.starts_with('+'));
    mode.map(i64::from).ok_or_else(|| format!("{} is no octal mode", quoted(value)))
}

fn truth(value: &str) -> Read<bool> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("{} is neither true nor false", quoted(value))),
    }
}

fn kind(value: &str) -> Read<MountType> {
    match value.to_lowercase().as_str() {
        "bind" => Ok(MountType::BIND),
        "volume" => Ok(MountType::VOLUME),
        "tmpfs" => Ok(MountType::TMPFS),
        "image" => Ok(MountType::IMAGE),
        "cluster" => Ok(MountType::CLUSTER),
        "npipe" => Ok(MountType::NPIPE),
        _ => Err(format!("{} is no type of mount: bind, volume, tmpfs or image", quoted(value))),
    }
}

fn bind(options: &mut MountBindOptions, key: &str, value: &str) -> Read<()> {
    match key {
        "bind-propagation" => options.propagation = Some(propagation(value)?),
        "bind-nonrecursive" => options.non_recursive = Some(truth(value)?),
        "bind-create-src" => options.create_mountpoint = Some(truth(value)?),
        "bind-recursive" => match value {
            "enabled" => {}
            "disabled" => options.non_recursive = Some(true),
            "writable" => options.read_only_non_recursive = Some(true),
            "readonly" => options.read_only_force_recursive = Some(true),
            _ => {
                return Err(format!(
                    "bind-recursive is {}: enabled, disabled, writable or readonly",
                    quoted(value)
                ));
            }
        },
        _ => return Err(unknown(key)),
    }
    Ok(())
}

fn propagation(value: &str) -> Read<MountBindOptionsPropagationEnum> {
    use MountBindOptionsPropagationEnum as Mode;
    match value.to_lowercase().as_str() {
        "private" => Ok(Mode::PRIVATE),
        "rprivate" => Ok(Mode::RPRIVATE),
        "shared" => Ok(Mode::SHARED),
        "rshared" => Ok(Mode::RSHARED),
        "slave" => Ok(Mode::SLAVE),
        "rslave" => Ok(Mode::RSLAVE),
        _ => {
            Err(format!("bind-propagation is {}: (r)private, (r)shared or (r)slave", quoted(value)))
        }
    }
}

fn volume(options: &mut MountVolumeOptions, key: &str, value: &str) -> Read<()> {
    match key {
        "volume-subpath" => options.subpath = Some(value.to_owned()),
        "volume-nocopy" => options.no_copy = Some(truth(value)?),
        "volume-label" => add(&mut options.labels, value),
        "volume-driver" => driver(options).name = Some(value.to_owned()),
        "volume-opt" => add(&mut driver(options).options, value),
        _ => return Err(unknown(key)),
    }
    Ok(())
}

fn driver(options: &mut MountVolumeOptions) -> &mut MountVolumeOptionsDriverConfig {
    options.driver_config.get_or_insert_with(MountVolumeOptionsDriverConfig::default)
}

fn add(map: &mut Option<HashMap<String, String>>, value: &str) {
    let (key, value) = value.split_once('=').unwrap_or((value, ""));
    if !key.is_empty() {
        map.get_or_insert_default().insert(key.to_owned(), value.to_owned());
    }
}

/// Options of another type of mount, and such as need each other.
fn check(mount: &Mount) -> Read<()> {
    let kind = mount.typ;
    let strangers = [
        ("bind", mount.bind_options.is_some() && kind != Some(MountType::BIND)),
        ("volume", mount.volume_options.is_some() && kind != Some(MountType::VOLUME)),
        ("image", mount.image_options.is_some() && kind != Some(MountType::IMAGE)),
        ("tmpfs", mount.tmpfs_options.is_some() && kind != Some(MountType::TMPFS)),
    ];
    if let Some((name, _)) = strangers.iter().find(|(_, is_stranger)| *is_stranger) {
        return Err(format!("an option {name}-… needs type={name}"));
    }
    if mount.target.is_none() {
        return Err("target=PATH is missing".to_owned());
    }
    let Some(bind) = &mount.bind_options else { return Ok(()) };
    let is_readonly = mount.read_only == Some(true);
    if bind.read_only_non_recursive == Some(true) && !is_readonly {
        return Err("bind-recursive=writable needs readonly".to_owned());
    }
    if bind.read_only_force_recursive == Some(true)
        && !(is_readonly && bind.propagation == Some(MountBindOptionsPropagationEnum::RPRIVATE))
    {
        return Err(
            "bind-recursive=readonly needs readonly and bind-propagation=rprivate".to_owned()
        );
    }
    Ok(())
}
