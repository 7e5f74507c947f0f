// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A container as the Engine describes it, with what this agent needs of it in types of its own.

use crate::engine::Failure;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum};
use std::fmt;
use std::path::{Path, PathBuf};

/// What the Engine says a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Made and never started.
    Created,
    /// Its init runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its init has ended, and the Engine is about to start it again.
    Restarting,
    /// The Engine is about to take it away.
    Removing,
    /// Its init has ended.
    Exited,
    /// The Engine has failed to take it away.
    Dead,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "being removed",
            Self::Exited => "exited",
            Self::Dead => "dead",
        })
    }
}

/// What the image's own health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// There is none.
    None,
    /// It hasn't decided yet.
    Starting,
    /// Well.
    Healthy,
    /// Not well.
    Unhealthy,
}

/// A container.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    /// Its whole ID, 64 hexadecimal digits.
    pub(crate) id: String,
    /// Its name, without the slash.
    pub(crate) name: String,
    /// What it does.
    pub(crate) status: Status,
    /// Its init's pid on the Engine's host; `None` where none runs.
    pub(crate) pid: Option<i32>,
    /// Everything else.
    pub(crate) details: Box<ContainerInspectResponse>,
}

impl Container {
    /// What the Engine's answer says.
    ///
    /// # Errors
    /// When the answer lacks what every Engine says of a container.
    pub(crate) fn of(mut details: ContainerInspectResponse) -> Result<Self, Failure> {
        let lacks = |what: &str| Failure::Garbage(format!("a container without {what}"));
        let id = details.id.take().filter(|id| !id.is_empty()).ok_or_else(|| lacks("an ID"))?;
        let name = details.name.take().ok_or_else(|| lacks("a name"))?;
        let state = details.state.as_ref().ok_or_else(|| lacks("a state"))?;
        let status = match state.status {
            Some(ContainerStateStatusEnum::CREATED) => Status::Created,
            Some(ContainerStateStatusEnum::RUNNING) => Status::Running,
            Some(ContainerStateStatusEnum::PAUSED) => Status::Paused,
            Some(ContainerStateStatusEnum::RESTARTING) => Status::Restarting,
            Some(ContainerStateStatusEnum::REMOVING) => Status::Removing,
            Some(ContainerStateStatusEnum::EXITED) => Status::Exited,
            Some(ContainerStateStatusEnum::DEAD) => Status::Dead,
            // Podman's words, for one that is on its way out, say.
            _ if state.running == Some(true) => Status::Running,
            _ => return Err(lacks("a known state")),
        };
        let pid = state.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
        let name = name.strip_prefix('/').unwrap_or(&name).to_owned();
        Ok(Self { id, name, status, pid, details: Box::new(details) })
    }

    /// The same, if it has exactly that name: an Engine also takes the beginning of an ID for a name.
    ///
    /// # Errors
    /// As [`Container::of`].
    pub(crate) fn called(
        name: &str,
        details: ContainerInspectResponse,
    ) -> Result<Option<Self>, Failure> {
        Ok(Some(Self::of(details)?).filter(|found| found.name == name))
    }

    /// Whether its init runs, or may at any moment without anybody's asking.
    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused | Status::Restarting)
    }

    /// What its health check says.
    pub(crate) fn health(&self) -> Health {
        let health = self.details.state.as_ref().and_then(|state| state.health.as_ref());
        match health.and_then(|health| health.status) {
            Some(HealthStatusEnum::STARTING) => Health::Starting,
            Some(HealthStatusEnum::HEALTHY) => Health::Healthy,
            Some(HealthStatusEnum::UNHEALTHY) => Health::Unhealthy,
            _ => Health::None,
        }
    }

    /// What its health check said last, as an addition to a sentence.
    pub(crate) fn last_probe(&self) -> String {
        let health = self.details.state.as_ref().and_then(|state| state.health.as_ref());
        let log = health.and_then(|health| health.log.as_ref()?.last());
        let line = log.and_then(|probe| probe.output.as_deref()?.lines().next_back());
        line.map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| format!(": {line}"))
            .unwrap_or_default()
    }

    /// How often the Engine has started it again by itself.
    pub(crate) fn restarts(&self) -> i64 {
        self.details.restart_count.unwrap_or(0)
    }

    /// When it was started last, as the Engine writes it.
    pub(crate) fn started_at(&self) -> Option<&str> {
        self.details.state.as_ref()?.started_at.as_deref()
    }

    /// Its restart policy: `no`, `always`, `unless-stopped`, `on-failure`.
    pub(crate) fn restart_policy(&self) -> String {
        let host = self.details.host_config.as_ref();
        let policy = host.and_then(|host| host.restart_policy.as_ref()?.name);
        policy.map(|name| name.to_string()).filter(|n| !n.is_empty()).unwrap_or("no".to_owned())
    }

    /// Where its Engine keeps the directories of its containers: this one's files in it are mounted.
    pub(crate) fn root(&self) -> Option<PathBuf> {
        let paths = [&self.details.hostname_path, &self.details.resolv_conf_path];
        let own = paths.into_iter().flatten().map(Path::new).find_map(Path::parent)?;
        own.ends_with(&self.id).then(|| own.parent().map(Path::to_path_buf))?
    }

    /// The number of the signal that asks it to end: SIGTERM unless the image or the user says
    /// otherwise.
    pub(crate) fn stop_signal(&self) -> Option<i32> {
        let config = self.details.config.as_ref();
        let name = config.and_then(|config| config.stop_signal.as_deref()).unwrap_or_default();
        parse_signal(name)
    }

    /// How its last life ended: `exited with code 3`, `was killed by SIGKILL`.
    pub(crate) fn ending(&self) -> String {
        let Some(state) = self.details.state.as_ref() else { return "has ended".to_owned() };
        let code = state.exit_code.unwrap_or(0);
        let signal = i32::try_from(code - 128).ok().and_then(signal_name);
        let mut text = match signal {
            Some(signal) => format!("exited with code {code} ({signal})"),
            None => format!("exited with code {code}"),
        };
        if state.oom_killed == Some(true) {
            text.push_str(": it ran out of memory");
        }
        if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
            text.push_str(": ");
            text.push_str(error);
        }
        text
    }
}

fn signal_name(number: i32) -> Option<&'static str> {
    nix::sys::signal::Signal::try_from(number).ok().map(nix::sys::signal::Signal::as_str)
}

/// `TERM`, `SIGTERM`, `15`, `SIGRTMIN+3`; empty is SIGTERM. `None` for what isn't a signal.
pub(crate) fn parse_signal(name: &str) -> Option<i32> {
    if name.is_empty() {
        return Some(nix::libc::SIGTERM);
    }
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(offset) = short.strip_prefix("RTMIN") {
        let offset = if offset.is_empty() { Some(0) } else { offset.parse::<i32>().ok() };
        return offset.map(|offset| nix::libc::SIGRTMIN() + offset);
    }
    format!("SIG{short}").parse::<nix::sys::signal::Signal>().ok().map(|signal| signal as i32)
}
