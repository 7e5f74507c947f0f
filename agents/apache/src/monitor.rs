// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether the server runs, by its processes first and then by what it answers. No process is started, and
//! nothing is read of the configuration where start has written down what it said.

use crate::site::{Look, Site};
use ocf::{Error, Result, State};

/// What the server's state is.
///
/// # Errors
/// `generic` (1): only workers are left, or the server doesn't answer as it should.
pub(crate) fn monitor(site: &Site<'_>) -> Result<State> {
    let configuration = site.configuration.display();
    match site.look()? {
        Look::Server(_) => Ok(State::Running),
        Look::Orphans(orphans) => {
            let pid = orphans.first().map(|orphan| orphan.pid).unwrap_or_default();
            let reason = format!("server of {configuration} is gone, and left its worker {pid}");
            Err(Error::generic(reason))
        }
        Look::Nothing => Ok(State::stopped(format!("no server process of {configuration}"))),
    }
}
