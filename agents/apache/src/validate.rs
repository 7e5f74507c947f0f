// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Judges on this host what a server would be started with, and changes nothing.

use crate::launch::Launch;
use crate::site::Site;
use crate::{directory, health};
use ocf::{Result, tracing};

/// Judges the program, the configuration and the tests.
///
/// # Errors
/// `installed` (5): something is missing here, or the program refuses its configuration; `configured` (6): a
/// parameter is wrong on every node.
pub(crate) fn validate(site: &Site<'_>) -> Result<()> {
    let launch = Launch::new(site)?;
    health::validate_host(site.parameters, site.context)?;
    let missing = directory::find_missing(site.settings()?);
    if let Some(path) = missing.first() {
        // The program would refuse its configuration for want of it.
        let path = path.display();
        tracing::info!("{path} is missing: start makes it, and asks the program then");
        return Ok(());
    }
    launch.ask().map(|_| ())
}
