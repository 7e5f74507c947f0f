// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Judges on this host what a server would be started with, and changes nothing.

use crate::launch::Launch;
use crate::layout::Layout;
use crate::site::Site;
use crate::{directory, health};
use ocf::{Result, tracing};
use std::path::Path;

/// The services that distributions have for the server.
const UNITS: [&str; 2] = ["apache2", "httpd"];

/// What is there only while systemd runs (sd_booted(3)): in a container nothing is started at boot.
const SYSTEMD: &str = "/run/systemd/system";

/// Where those are that are started at boot.
const ENABLED: &str = "/etc/systemd/system/multi-user.target.wants";

/// Judges the program, the configuration and the tests.
///
/// # Errors
/// `installed` (5): something is missing here, or the program refuses its configuration; `configured` (6): a
/// parameter is wrong on every node.
pub(crate) fn validate(site: &Site<'_>) -> Result<()> {
    let launch = Launch::new(site)?;
    advise(site);
    health::validate_host(site.parameters, site.context)?;
    let missing = directory::find_missing(site.settings()?);
    for path in &missing {
        tracing::info!("{} is missing: start makes it", path.display());
    }
    if !launch.check(site.context.deadline.clone(), &missing)? {
        // A server that looks for names, or has very many hosts; the shell agent doesn't ask at all.
        tracing::warn!(
            "{}: whether the server takes it isn't known",
            site.configuration().display()
        );
    }
    Ok(())
}

/// Warns of what would run the server beside the cluster: its service, which reads the default configuration.
pub(crate) fn advise(site: &Site<'_>) {
    let is_default = Layout::find(site.context, None, None).configuration == site.configuration();
    if !is_default || !Path::new(SYSTEMD).is_dir() {
        return;
    }
    for unit in UNITS {
        if Path::new(ENABLED).join(unit).with_extension("service").is_symlink() {
            tracing::warn!(
                "{unit}.service is enabled and starts the server at boot, beside the cluster: \
                 systemctl disable {unit}"
            );
        }
    }
}
