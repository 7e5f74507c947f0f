// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether the server runs, by its processes first and then by what it answers. No process is started, and
//! nothing is read of the configuration where start has written down what it said.

use crate::settings::Settings;
use crate::site::{Look, Site};
use crate::{health, target};
use ocf::{Context, Error, Result, State};

/// The part of a start's time that the look before it may take, in percent.
const BEFORE_START: u32 = 25;

/// What the server's state is.
///
/// # Errors
/// `generic` (1): only workers are left, or the server doesn't answer as it should.
pub(crate) fn monitor(site: &Site<'_>) -> Result<State> {
    match site.look()? {
        // Whatever is wrong with a server that is there, it is not stopped.
        Look::Server(_) => match judge(site) {
            Ok(()) => Ok(State::Running),
            Err(error) => Err(Error::generic(error.reason)),
        },
        Look::Orphans(orphans) => {
            let pid = orphans.first().map(|orphan| orphan.pid).unwrap_or_default();
            let configuration = site.configuration().display();
            let reason =
                format!("server of {configuration} is gone, and left its worker {pid}: stop it");
            Err(Error::generic(reason))
        }
        Look::Nothing => {
            let configuration = site.configuration().display();
            Ok(State::stopped(format!("no server process of {configuration}")))
        }
    }
}

/// Asks the server: where it said at its start that it listens, and where its configuration says so now, if
/// that is another place. Somebody may have had it read that again.
fn judge(site: &Site<'_>) -> Result<()> {
    let mut context = Context::clone(site.context);
    if context.action == "start" {
        context.deadline = context.deadline.share(BEFORE_START);
    }
    let ask = |settings| health::check(site.parameters, settings, &context);
    let Some(record) = site.record_of_now() else {
        let is_told = target::filled(site.parameters.statusurl.as_deref()).is_some();
        return match site.settings() {
            // A server can outlive its configuration, and be asked all the same.
            Err(_) if is_told => ask(&Settings::default()),
            settings => ask(settings?),
        };
    };
    ask(&record.settings).or_else(|error| match site.settings() {
        Ok(now) if *now != record.settings && !context.deadline.is_over() => {
            ask(now).map_err(|_| error)
        }
        _ => Err(error),
    })
}
