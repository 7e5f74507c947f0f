// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether the server runs, by its processes first and then by what it answers. No process is started, and
//! nothing is read of the configuration where start has written down what it said.

use crate::health;
use crate::site::{Look, Site};
use ocf::{Context, Error, Result, State};

/// The part of a start's time that the look before it may take, in percent.
const BEFORE_START: u32 = 25;

/// What the server's state is.
///
/// # Errors
/// `generic` (1): only workers are left, or the server doesn't answer as it should.
pub(crate) fn monitor(site: &Site<'_>) -> Result<State> {
    match site.look()? {
        Look::Server(_) => judge(site).map(|()| State::Running),
        Look::Orphans(orphans) => {
            let pid = orphans.first().map(|orphan| orphan.pid).unwrap_or_default();
            let configuration = site.configuration().display();
            let reason = format!("server of {configuration} is gone, and left its worker {pid}");
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
    let Some(record) = site.record_of_now() else { return ask(site.settings()?) };
    ask(&record.settings).or_else(|error| match site.settings() {
        Ok(now) if *now != record.settings && !context.deadline.is_over() => {
            ask(now).map_err(|_| error)
        }
        _ => Err(error),
    })
}
