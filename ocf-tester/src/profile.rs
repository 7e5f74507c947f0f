// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Environments in which an agent is run: what each caller of agents sets, and nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What one caller of agents gives them. In the values `{instance}`, `{agent}` (its file), `{type}`,
/// `{provider}` and `{node}` stand for what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// The caller it stands for.
    pub meaning: &'static str,
    /// The variables it sets beside `PATH`.
    pub variables: &'static [(&'static str, &'static str)],
    /// Whether it announces the timeout in `OCF_RESKEY_CRM_meta_timeout` (milliseconds).
    pub announces_timeout: bool,
    /// The working directory, if it can be entered; `/` otherwise.
    pub directory: &'static str,
    /// The umask, if it sets one.
    pub umask: Option<u32>,
}

/// Pacemaker's executor (libcrmservice, 2.1): its variables, working directory and umask.
pub const PACEMAKER: Profile = Profile {
    name: "pacemaker",
    meaning: "Pacemaker's executor",
    variables: &[
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_RESOURCE_TYPE", "{type}"),
        ("OCF_RESOURCE_PROVIDER", "{provider}"),
        ("OCF_RESKEY_crm_feature_set", "3.16.1"),
        ("OCF_RESKEY_CRM_meta_on_node", "{node}"),
        ("OCF_RESKEY_CRM_meta_on_node_uuid", "1"),
        ("PCMK_service", "pacemaker-execd"),
    ],
    announces_timeout: true,
    directory: "/var/lib/pacemaker/cores",
    umask: Some(0o026),
};

/// What the classic tester of resource-agents gives: no API version, no type, no provider.
pub const CLASSIC: Profile = Profile {
    name: "classic",
    meaning: "the classic ocf-tester",
    variables: &[("OCF_ROOT", "/usr/lib/ocf"), ("OCF_RESOURCE_INSTANCE", "{instance}")],
    announces_timeout: true,
    directory: "/",
    umask: None,
};

/// Nothing but a `PATH`.
pub const EMPTY: Profile = Profile {
    name: "empty",
    meaning: "an empty environment",
    variables: &[],
    announces_timeout: false,
    directory: "/",
    umask: None,
};

/// Every profile.
pub const ALL: &[Profile] = &[PACEMAKER, CLASSIC, EMPTY];

impl Profile {
    /// The variables for one agent and instance.
    pub(crate) fn variables(&self, agent: &Path, instance: &str) -> Vec<(OsString, OsString)> {
        let kind = agent.file_name().unwrap_or_default().to_string_lossy();
        let provider = agent
            .parent()
            .and_then(Path::file_name)
            .map_or_else(|| "heartbeat".into(), |name| name.to_string_lossy());
        let node = nix::unistd::gethostname().unwrap_or_default();
        self.variables
            .iter()
            .map(|(name, value)| {
                let value = value
                    .replace("{instance}", instance)
                    .replace("{agent}", &agent.to_string_lossy())
                    .replace("{type}", &kind)
                    .replace("{provider}", &provider)
                    .replace("{node}", &node.to_string_lossy());
                (name.into(), value.into())
            })
            .collect()
    }

    /// The working directory: the caller's own where it exists and can be entered.
    pub(crate) fn working_directory(&self) -> PathBuf {
        let enterable = nix::unistd::AccessFlags::X_OK;
        if nix::unistd::access(self.directory, enterable).is_ok() {
            self.directory.into()
        } else {
            "/".into()
        }
    }
}

/// The tester's own `PATH`: the one variable that agents inherit.
#[expect(clippy::disallowed_methods, reason = "the one variable that is passed on to agents")]
pub(crate) fn inherited_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into())
}
