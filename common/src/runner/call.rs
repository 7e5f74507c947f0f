// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One advertised action on one instance, with everything the runner does around the handler.

use super::Outcome;
use crate::action::{Action, Handler, Kind};
use crate::agent::{Agent, monitor};
use crate::code::Code;
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::parameter::{Declared, Reader, Rigour};
use crate::policy::{self, Purpose};
use crate::state::State;
use std::time::{Duration, Instant};

/// An action that used more than this much of its timeout gets a line of advice.
const ADVISE_PERCENT: u32 = 80;

pub(super) fn call<A: Agent>(action: &Action<A>, environment: Environment) -> Outcome {
    let entered = Instant::now();
    let advertised = Duration::from_secs(u64::from(action.row.timeout));
    let repeated = Context::is_repeated(&environment);
    let context = match Context::of(action.row.name, advertised, environment) {
        Ok(context) => context,
        Err(error) => return nameless(action.kind, repeated, error),
    };
    tracing::debug!("{context:?}");
    let purpose = Purpose::of(action.kind, context.probe);
    let mut reader = Reader::new(context.environment(), policy::rigour(action.kind));
    let parameters = A::Parameters::read(&mut reader);
    let judges = matches!(action.kind, Kind::Start | Kind::ReloadAgent | Kind::ValidateAll);
    if A::TRACEABLE && judges {
        crate::trace::judge(&mut reader);
    }
    let Reader { bad, doubtful, .. } = reader;
    if judges {
        doubtful.iter().for_each(|complaint| tracing::warn!("{complaint}"));
    }
    let outcome = match parameters {
        None => unusable(action.kind, purpose, &bad),
        Some(parameters) => {
            let agent = A::new(parameters, &context);
            match act(action, &agent, &context, &doubtful) {
                Ok(state) => found(state, purpose, &context),
                Err(error) => failed(purpose, error),
            }
        }
    };
    advise(entered, &context);
    outcome
}

/// A parameter that names the resource is missing or no value at all. Start and validate-all refuse
/// it on every node, so nothing of that name was ever started: to stop there is nothing, and to find
/// neither.
fn unusable(action: Kind, purpose: Purpose, bad: &[String]) -> Outcome {
    bad.iter().for_each(|complaint| tracing::error!("{complaint}"));
    let reason = bad.first().cloned().unwrap_or_else(|| "a parameter is unusable".to_owned());
    match (purpose, policy::rigour(action)) {
        (Purpose::Stop, _) => Outcome::of(Code::Success),
        // 6 would ban the resource everywhere, because of an action that only takes it away.
        (Purpose::Change | Purpose::Other, Rigour::Lenient) => {
            failed(purpose, Error::generic(reason))
        }
        _ => failed(purpose, Error::configured(reason)),
    }
}

/// The caller names no instance or speaks another API. To a probe that means "can't be asked here",
/// not "not running": nobody has looked.
fn nameless(action: Kind, repeated: bool, error: Error) -> Outcome {
    match Purpose::of(action, !repeated) {
        Purpose::Probe => Outcome::failed(Code::Args, error.reason),
        purpose => failed(purpose, error),
    }
}

/// The state that an action which looks has found; `None` for one that changes something.
fn act<A: Agent>(
    action: &Action<A>,
    agent: &A,
    context: &Context,
    doubtful: &[String],
) -> Result<Option<State>> {
    if policy::is_checked(action.kind) {
        agent.check()?;
        agent.check_host(context)?;
    }
    match (&action.handler, action.kind) {
        (Handler::Look(look), _) => look(agent, context).map(Some),
        (Handler::Runner, _) => validate(agent, context, doubtful).map(|()| None),
        (Handler::Change(change), Kind::Start) => {
            start(agent, context, || change(agent, context)).map(|()| None)
        }
        (Handler::Change(change), Kind::Stop) => {
            stop(agent, context, change(agent, context)).map(|()| None)
        }
        (Handler::Change(change), _) => change(agent, context).map(|()| None),
    }
}

fn validate<A: Agent>(agent: &A, context: &Context, doubtful: &[String]) -> Result<()> {
    if let Some(complaint) = doubtful.first() {
        return Err(Error::configured(complaint.clone()));
    }
    agent.check()?;
    // An unset level looks at the host; level 0 looks at nothing outside.
    if context.check_level.unwrap_or(10) == 0 { Ok(()) } else { agent.check_host(context) }
}

/// Looks once; only a healthy running instance returns early. Then acts, then waits for readiness.
fn start<A: Agent>(agent: &A, context: &Context, act: impl Fn() -> Result<()>) -> Result<()> {
    let looking = context.at_level(0);
    if monitor(agent, &looking) == Ok(State::Running) {
        tracing::debug!("{} runs already", context.instance.name);
        return Ok(());
    }
    act()?;
    if context.wait_until(|| agent.ready(&looking))? {
        return Ok(());
    }
    let seconds = context.deadline.used().as_secs();
    Err(Error::generic(format!(
        "{} is not ready {seconds} s after its start: raise the timeout or look into its log",
        context.instance.name
    )))
}

/// Judged by what is left, not by what the handler says.
fn stop<A: Agent>(agent: &A, context: &Context, handled: Result<()>) -> Result<()> {
    let leftovers = agent.leftovers(context)?;
    match (leftovers.is_empty(), handled) {
        (true, Ok(())) => Ok(()),
        (true, Err(error)) => {
            tracing::warn!("{error}; all the same, nothing of the instance is left");
            Ok(())
        }
        (false, Ok(())) => {
            Err(Error::generic(format!("still there after stop: {}", leftovers.join(", "))))
        }
        // The cause first: an exit reason has room for 128 bytes, and a path may take half of them.
        (false, Err(error)) => {
            let why = error.to_string();
            let unnamed: Vec<_> =
                leftovers.into_iter().filter(|left| !why.contains(left)).collect();
            Err(Error::generic(match unnamed.join(", ") {
                named if named.is_empty() => format!("{why}; it is still there after stop"),
                others => format!("{why}; still there after stop: {others}"),
            }))
        }
    }
}

fn failed(purpose: Purpose, error: Error) -> Outcome {
    let code = policy::code(purpose, error.kind);
    if purpose == Purpose::Probe && code == Code::NotRunning {
        tracing::info!("nothing runs here: {error}");
        return Outcome::of(code);
    }
    Outcome::failed(code, error.reason)
}

fn found(state: Option<State>, purpose: Purpose, context: &Context) -> Outcome {
    let degraded = |why: &str, degraded: Code, plain: Code| {
        tracing::warn!("degraded: {why}");
        Outcome::of(if context.by_pacemaker { degraded } else { plain })
    };
    match state {
        None | Some(State::Running) => Outcome::of(Code::Success),
        Some(State::Promoted) => Outcome::of(Code::RunningPromoted),
        Some(State::Stopped(_)) if purpose == Purpose::Probe => Outcome::of(Code::NotRunning),
        Some(State::Stopped(how)) => Outcome::failed(Code::NotRunning, how),
        Some(State::Degraded(why)) => degraded(&why, Code::Degraded, Code::Success),
        Some(State::DegradedPromoted(why)) => {
            degraded(&why, Code::DegradedPromoted, Code::RunningPromoted)
        }
    }
}

/// The clock of the whole process is read only when our own part was long enough to matter.
fn advise(entered: Instant, context: &Context) {
    let timeout = context.deadline.timeout();
    if entered.elapsed() < timeout / 10 {
        return;
    }
    let used = context.deadline.used();
    if used * 100 > timeout * ADVISE_PERCENT {
        let (action, used) = (&context.action, used.as_secs_f32());
        tracing::warn!(
            "{action} took {used:.1} s of its timeout of {timeout:?}: raise the timeout"
        );
    }
}
