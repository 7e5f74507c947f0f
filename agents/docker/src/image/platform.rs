// SPDX-License-Identifier: Apache-2.0 OR MIT
//! For which machines an image is made.

/// `os/architecture/variant`; what is empty isn't said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Platform {
    system: String,
    architecture: String,
    variant: String,
}

impl Platform {
    /// As `--platform` takes it: `linux/arm64/v8`, `arm64`, `linux`.
    pub(crate) fn parse(text: &str) -> Self {
        let parts: Vec<&str> = text.trim().split('/').collect();
        match parts.as_slice() {
            [one] if ["linux", "windows", "freebsd"].contains(one) => Self::of(one, "", ""),
            [one] => Self::of("linux", one, ""),
            [system, architecture] => Self::of(system, architecture, ""),
            [system, architecture, variant, ..] => Self::of(system, architecture, variant),
            [] => Self::default(),
        }
    }

    /// Of its parts, with other names for the same machine made equal.
    pub(crate) fn of(system: &str, architecture: &str, variant: &str) -> Self {
        let system = system.to_ascii_lowercase();
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("i386" | "i686" | "x86", _) => ("386", ""),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            (architecture, variant) => (architecture, variant),
        };
        let variant = match (architecture, variant) {
            ("amd64", "v1") | ("arm64", "v8" | "8") => "",
            (_, variant) => variant,
        };
        Self { system, architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// Whether an image made for `other` runs where this is asked for: what isn't said doesn't count,
    /// and a newer machine runs what was made for an older one.
    pub(crate) fn takes(&self, other: &Self) -> bool {
        let is_same = |wanted: &str, there: &str| wanted.is_empty() || wanted == there;
        is_same(&self.system, &other.system)
            && is_same(&self.architecture, &other.architecture)
            && (self.variant.is_empty() || other.variant <= self.variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_takes_what_runs_there() {
        for (wanted, there, runs) in [
            ("linux/amd64", ("linux", "amd64", ""), true),
            ("linux/x86_64", ("linux", "amd64", ""), true),
            ("amd64", ("linux", "amd64", ""), true),
            ("linux", ("linux", "s390x", ""), true),
            ("linux/arm64", ("linux", "amd64", ""), false),
            ("linux/arm64/v8", ("linux", "arm64", ""), true),
            ("linux/arm64", ("linux", "arm64", "v8"), true),
            ("linux/arm/v7", ("linux", "arm", "v6"), true),
            ("linux/arm/v6", ("linux", "arm", "v7"), false),
            ("windows", ("linux", "amd64", ""), false),
        ] {
            let (system, architecture, variant) = there;
            let there = Platform::of(system, architecture, variant);
            assert_eq!(Platform::parse(wanted).takes(&there), runs, "{wanted} {there:?}");
        }
    }
}
