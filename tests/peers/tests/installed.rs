// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The checks that touch no resource, on every agent that Debian installs: no crash, no hang, and no
//! must or should that isn't in this table, where each was confirmed by hand. A row that is not found
//! any more fails, too.

use ocf_tester::agent::Invocation;
use ocf_tester::check::{Check, Failure, Level, Outcome as Judged, Phase};
use ocf_tester::checks;
use ocf_tester::event::{Event, Reporter};
use ocf_tester::profile::CLASSIC;
use ocf_tester::session::{self, Options};
use peers::{Outcome, claim};
use std::fs;
use std::io;
use std::path::PathBuf;

/// Agent, rule, what it is about, and why it is true.
const CONFIRMED: &[(&str, &str, &str, &str)] = &[
    ("heartbeat/AoEtarget", "MD-17", "nic", REQUIRED),
    ("heartbeat/WinPopup", "MD-17", "hostfile", REQUIRED),
    ("heartbeat/Xen", "MD-17", "xmfile", REQUIRED),
    ("heartbeat/aliyun-vpc-move-ip", "MD-17", "interface", REQUIRED),
    ("heartbeat/aws-vpc-move-ip", "MD-17", "interface", REQUIRED),
    ("heartbeat/gcp-vpc-move-ip", "MD-17", "vpc_network", REQUIRED),
    ("heartbeat/jboss", "MD-08", "rotate_logsuffix", "an integer that is a pattern"),
    ("heartbeat/pingd", "MD-08", "dampen", TIME),
    ("heartbeat/pingd", "MD-08", "name", "an integer that is a name"),
    ("pacemaker/HealthSMART", "MD-08", "dampen", TIME),
    ("pacemaker/ping", "MD-08", "dampen", TIME),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "mnesia_base", "a boolean that is a path"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "host_ip", "a boolean that is an address"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "node_port", "a boolean that is a port"),
    ("heartbeat/rabbitmq-server-ha", "MD-08", "erlang_cookie_file", "a boolean that is a path"),
    ("heartbeat/AoEtarget", "USE-02", "encoding", "`crm ra info ocf:heartbeat:AoEtarget` fails"),
    ("heartbeat/gcp-vpc-move-ip", "USE-26", "deprecated", "it warns before it prints"),
    ("heartbeat/redis", "USE-26", "redis", "it runs redis-server, which isn't installed here"),
];
const REQUIRED: &str = "a required parameter's default can never count";
const TIME: &str = "an integer that is a time with a unit";

/// Every executable file below the providers, hidden ones aside.
fn installed() -> Outcome<Vec<(String, PathBuf)>> {
    let mut agents = Vec::new();
    let root = "/usr/lib/ocf/resource.d";
    for provider in
        fs::read_dir(root).map_err(|e| format!("{root}: {e}: install resource-agents"))?
    {
        let provider = provider?;
        for agent in fs::read_dir(provider.path())? {
            let agent = agent?;
            let name = agent.file_name().to_string_lossy().into_owned();
            let path = agent.path();
            if !name.starts_with('.') && path.is_file() {
                agents.push((format!("{}/{name}", provider.file_name().display()), path));
            }
        }
    }
    Ok(agents)
}

/// Names of parameters in the agent's own file, of which Debian's have many: a should, and no row here.
const READS_THE_FILE: &str = "MD-19";

/// Keeps what was found, by its rule, and what couldn't be judged at all.
#[derive(Default)]
struct Findings {
    failures: Vec<(&'static str, Failure)>,
    broken: Vec<String>,
    judged: usize,
}

impl Reporter for Findings {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Judged(check, outcome, _) = event else { return Ok(()) };
        self.judged += 1;
        match outcome {
            Judged::Failed(failures) => {
                let rule = |failure: &Failure| (failure.rule.unwrap_or(check.id), failure.clone());
                self.failures.extend(failures.iter().map(rule));
            }
            Judged::Broken(why) => self.broken.push(format!("{}: {why}", check.id)),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn the_checks_of_descriptions_find_in_debians_agents_what_is_wrong_and_nothing_else() -> Outcome {
    let agents = installed()?;
    claim(agents.len() > 100, format!("only {} agents: install resource-agents", agents.len()))?;
    let is_asked = |check: &&Check| {
        check.phase == Phase::Description
            && check.level <= Level::Should
            && check.id != READS_THE_FILE
    };
    let asked: Vec<_> = checks::all().iter().filter(is_asked).copied().collect();
    let mut unexpected = Vec::new();
    let mut found = vec![false; CONFIRMED.len()];
    for (name, path) in &agents {
        let base = Invocation::new(path, "meta-data").profile(&CLASSIC, "peer");
        let mut findings = Findings::default();
        session::run(base, &asked, Options::default(), None, &mut findings);
        claim(findings.judged == asked.len(), format!("{name}: {} judged", findings.judged))?;
        unexpected.extend(findings.broken.iter().map(|why| format!("{name}: {why}")));
        for (rule, failure) in findings.failures {
            let row = CONFIRMED.iter().position(|(agent, known, what, _)| {
                agent == name && *known == rule && failure.seen.contains(what)
            });
            match row.and_then(|at| found.get_mut(at)) {
                Some(row) => *row = true,
                None => unexpected.push(format!("{name}: {rule}: {}", failure.seen)),
            }
        }
    }
    claim(unexpected.is_empty(), unexpected.join("\n"))?;
    let rows = CONFIRMED.iter().zip(found);
    let gone: Vec<_> = rows.filter(|(_, found)| !found).map(|(row, _)| row).collect();
    claim(gone.is_empty(), format!("not found any more: {gone:#?}"))
}
