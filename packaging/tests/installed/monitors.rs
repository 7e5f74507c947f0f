// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Monitors of running resources that never pause, as if Pacemaker had no interval.

use crate::ground::{Outcome, RESOURCED, run};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) const VARIABLES: [(&str, &str); 5] = [
    ("OCF_ROOT", "/usr/lib/ocf"),
    ("OCF_RA_VERSION_MAJOR", "1"),
    ("OCF_RA_VERSION_MINOR", "1"),
    ("OCF_RESOURCE_INSTANCE", "packaging"),
    ("OCF_RESKEY_CRM_meta_timeout", "20000"),
];

/// Runs an action of an agent under its name, as Pacemaker would.
pub(crate) fn act(agent: &str, action: &str) -> Outcome<String> {
    let path = format!("{RESOURCED}/{agent}");
    let done = run(&path, &[action], &VARIABLES)?;
    if done.ok { Ok(done.text) } else { Err(format!("{agent} {action}: {}", done.text).into()) }
}

/// Resources that run and are monitored until [`Monitors::stop`].
#[derive(Debug)]
pub(crate) struct Monitors {
    ended: Arc<AtomicBool>,
    threads: Vec<(Arc<AtomicUsize>, JoinHandle<Option<String>>)>,
    agents: &'static [&'static str],
}

impl Monitors {
    /// Starts a resource of each agent by whatever answers to its name now.
    pub(crate) fn start(agents: &'static [&'static str]) -> Outcome<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for agent in agents {
            act(agent, "start")?;
            let (count, ended) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&ended));
            let counter = Arc::clone(&count);
            threads.push((count, std::thread::spawn(move || monitor(agent, &ended, &counter))));
        }
        let monitors = Self { ended, threads, agents };
        monitors.see_some()?;
        Ok(monitors)
    }

    /// Waits until every resource has been monitored some times more.
    pub(crate) fn see_some(&self) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(30);
        for (count, thread) in &self.threads {
            let wanted = count.load(Ordering::Relaxed) + 5;
            while count.load(Ordering::Relaxed) < wanted && !thread.is_finished() {
                if Instant::now() > deadline {
                    return Err("no five monitors in 30 seconds".into());
                }
                std::thread::yield_now();
            }
        }
        Ok(())
    }

    /// Ends the monitors and the resources. Gives how many monitors there were.
    ///
    /// # Errors
    /// The first answer that was not 0, with how it looked in the agents' directory.
    pub(crate) fn stop(self) -> Outcome<usize> {
        self.see_some()?;
        self.ended.store(true, Ordering::Relaxed);
        let (mut all, mut failures) = (0, Vec::new());
        for (count, thread) in self.threads {
            failures.extend(thread.join().map_err(|_| "a monitoring thread panicked")?);
            all += count.load(Ordering::Relaxed);
        }
        for agent in self.agents {
            act(agent, "stop")?;
        }
        if failures.is_empty() { Ok(all) } else { Err(failures.join("\n").into()) }
    }
}

fn monitor(agent: &str, ended: &AtomicBool, count: &AtomicUsize) -> Option<String> {
    let path = Path::new(RESOURCED).join(agent);
    let told = |what: String| {
        let link = std::fs::read_link(&path);
        Some(format!(
            "{agent}: monitor {} {what}; the name is {link:?}",
            count.load(Ordering::Relaxed)
        ))
    };
    while !ended.load(Ordering::Relaxed) {
        #[expect(clippy::disallowed_methods, reason = "as fast as can be")]
        let mut command = Command::new(&path);
        command.arg("monitor").env("OCF_RESKEY_CRM_meta_interval", "1000").stdin(Stdio::null());
        match command.envs(VARIABLES).output() {
            Err(error) => return told(format!("can't be run: {error}")),
            Ok(done) if done.status.code() != Some(0) => {
                return told(format!("{}: {}", done.status, String::from_utf8_lossy(&done.stderr)));
            }
            Ok(_) => count.fetch_add(1, Ordering::Relaxed),
        };
    }
    None
}
