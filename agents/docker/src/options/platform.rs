// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `--platform`, in the form that the Engine is asked for.

use super::flags::quoted;

const SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

const MACHINES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// `OS[/MACHINE[/VARIANT]]`, or a machine alone.
pub(super) fn platform(value: &str) -> Result<String, String> {
    let wrong = || format!("{} is no platform: write linux/amd64 or linux/arm64/v8", quoted(value));
    let is_part = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let parts: Vec<&str> = value.split('/').collect();
    if !parts.iter().all(is_part) {
        return Err(wrong());
    }
    let lower = |text: &str| match text.to_ascii_lowercase().as_str() {
        "macos" => "darwin".to_owned(),
        lower => lower.to_owned(),
    };
    match parts.as_slice() {
        [one] if SYSTEMS.contains(&lower(one).as_str()) => {
            Ok(format!("{}/{}", lower(one), machine_of_host()))
        }
        [one] => {
            let (machine, variant) = machine(one, "");
            if MACHINES.contains(&machine.as_str()) {
                Ok(join("linux", machine, variant))
            } else {
                Err(wrong())
            }
        }
        [system, one] => {
            let (machine, variant) = machine(one, "");
            Ok(join(&lower(system), machine, variant))
        }
        [system, one, variant] => {
            let (machine, variant) = machine(one, variant);
            let variant = match (machine.as_str(), variant.as_str()) {
                ("arm64", "") => "v8".to_owned(),
                _ => variant,
            };
            Ok([lower(system), machine, variant].join("/").trim_end_matches('/').to_owned())
        }
        _ => Err(wrong()),
    }
}

fn machine_of_host() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// The usual variant of 32-bit ARM isn't written where nobody asked for one.
fn join(system: &str, machine: String, variant: String) -> String {
    match (machine.as_str(), variant.as_str()) {
        (_, "") | ("arm", "v7") => format!("{system}/{machine}"),
        _ => format!("{system}/{machine}/{variant}"),
    }
}

fn machine(name: &str, variant: &str) -> (String, String) {
    let (name, variant) = (name.to_ascii_lowercase(), variant.to_ascii_lowercase());
    let (name, variant) = match (name.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        (name, variant) => (name, variant),
    };
    (name.to_owned(), variant.to_owned())
}
