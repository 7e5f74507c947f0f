// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tools that read and run agents for administrators: pcs, crmsh and crm_resource, each with our
//! agents installed in place of the shell ones, without a cluster.

use ocf_tester::agent::Invocation;
use ocf_tester::scratch::Scratch;
use peers::collection::{AGENTS, Peers};
use peers::operations::{difference, explained, of_cib};
use peers::program::{call, succeed, told};
use peers::{Outcome, claim, place};
use std::fs;
use std::path::PathBuf;

/// Our agents in place of the shell ones, and a configuration in a file.
struct Desk {
    agents: Vec<Peers>,
    scratch: Scratch,
}

impl Desk {
    fn new() -> Outcome<Self> {
        let agents = AGENTS.map(Peers::find).into_iter().collect::<Outcome<Vec<_>>>()?;
        Ok(Self { agents, scratch: Scratch::new("consumers")? })
    }

    fn with_ours() -> Outcome<Self> {
        let desk = Self::new()?;
        desk.agents.iter().try_for_each(place::install)?;
        Ok(desk)
    }

    /// A new configuration with one resource `r`, as pcs makes it; gives its file.
    fn create(&self, agent: &Peers, name: &str) -> Outcome<PathBuf> {
        let file = self.scratch.path().join(format!("{name}.xml"));
        fs::write(&file, succeed(&call("cibadmin", &["--empty"])?)?)?;
        let path = file.to_string_lossy();
        // pcs wants remote nodes made by another command, unless forced.
        let words = ["-f", &path, "resource", "create", "r", &agent.spec(), "--force"];
        succeed(&call("pcs", &words)?)?;
        Ok(file)
    }

    fn crm_resource(&self, file: &PathBuf, words: &[&str]) -> Outcome<Invocation> {
        Ok(call("crm_resource", words)?
            .env("CIB_file", file)
            .env("HA_RSCTMP", self.scratch.path())
            .env("HA_VARRUN", self.scratch.path()))
    }
}

#[test]
fn pcs_and_crmsh_describe_every_agent() -> Outcome {
    place::alone("pcs_and_crmsh_describe_every_agent", || {
        let desk = Desk::with_ours()?;
        for agent in &desk.agents {
            let spec = agent.spec();
            let words = ["resource", "describe", &spec];
            let by_pcs = succeed(&call("pcs", &words)?)?;
            // crmsh keeps things in its user's directory, whatever it is asked.
            let by_crm = call("crm", &["ra", "info", &spec])?.env("HOME", desk.scratch.path());
            let by_crm = succeed(&by_crm)?;
            let metadata = succeed(&call("crm_resource", &["--show-metadata", &spec])?)?;
            for name in names(&metadata, "parameter") {
                claim(by_pcs.contains(&name), format!("pcs leaves out {name}:\n{by_pcs}"))?;
                claim(by_crm.contains(&name), format!("crmsh leaves out {name}:\n{by_crm}"))?;
            }
            let start = by_crm.contains("start") && by_pcs.contains("start");
            claim(start, format!("no start of {spec}:\n{by_pcs}\n{by_crm}"))?;
            let ours = format!("<resource-agent name=\"{}\"", agent.kind());
            claim(metadata.contains(&ours), format!("{spec} is described as:\n{metadata}"))?;
        }
        Ok(())
    })
}

/// The names of all elements of a kind.
fn names(xml: &str, element: &str) -> Vec<String> {
    let opening = format!("<{element} name=\"");
    let rests = xml.split(&opening).skip(1);
    rests.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_schemas_of_pcs_accept_our_metadata() -> Outcome {
    let scratch = Scratch::new("schemas")?;
    for agent in AGENTS.map(Peers::find) {
        let agent = agent?;
        let file = scratch.path().join("metadata.xml");
        fs::write(&file, succeed(&Invocation::new(&agent.ours, "meta-data"))?)?;
        let schema = "/usr/share/pcs/data/ocf-1.1.rng";
        let path = file.to_string_lossy();
        succeed(&call("xmllint", &["--noout", "--relaxng", schema, &path])?)?;
    }
    Ok(())
}

#[test]
fn pcs_writes_the_operations_of_the_shell_agents_or_the_row_says_why() -> Outcome {
    let name = "pcs_writes_the_operations_of_the_shell_agents_or_the_row_says_why";
    const TABLES: [(&str, &str); 6] = [
        ("apache", include_str!("../../../agents/apache/DIFFERENCES.md")),
        ("docker", include_str!("../../../agents/docker/DIFFERENCES.md")),
        ("Dummy", include_str!("../../../agents/dummy/DIFFERENCES.md")),
        ("IPaddr2", include_str!("../../../agents/ipaddr2/DIFFERENCES.md")),
        ("Stateful", include_str!("../../../agents/stateful/DIFFERENCES.md")),
        ("remote", include_str!("../../../agents/remote/DIFFERENCES.md")),
    ];
    place::alone(name, || {
        let desk = Desk::new()?;
        for agent in &desk.agents {
            let shell = of_cib(&fs::read_to_string(desk.create(agent, "shell")?)?)?;
            place::install(agent)?;
            let ours = of_cib(&fs::read_to_string(desk.create(agent, "ours")?)?)?;
            claim(!shell.is_empty(), "pcs writes no operation at all")?;
            let table = TABLES.iter().find(|(kind, _)| *kind == agent.kind());
            let explained = explained(table.map_or("", |(_, text)| text), agent.name)?;
            let seen = difference(&shell, &ours);
            let wrong =
                format!("{}: pcs differs by {seen:#?},\nexplained: {explained:#?}", agent.name);
            claim(seen == explained, wrong)?;
        }
        Ok(())
    })
}

#[test]
fn crm_resource_validates_starts_checks_and_stops() -> Outcome {
    place::alone("crm_resource_validates_starts_checks_and_stops", || {
        let desk = Desk::with_ours()?;
        // Those need a cluster, an Engine and a network, which the lab's scenario of the tools has.
        let is_here =
            |agent: &&Peers| !["remote", "docker", "IPaddr2", "apache"].contains(&agent.kind());
        for agent in desk.agents.iter().filter(is_here) {
            let file = desk.create(agent, "life")?;
            let acts = [
                ("--validate", 0),
                ("--force-check", 7),
                ("--force-start", 0),
                ("--force-check", 0),
                ("--force-promote", 0),
                ("--force-check", 8),
                ("--force-demote", 0),
                ("--force-stop", 0),
                ("--force-check", 7),
            ];
            for (act, code) in acts {
                let done = desk.crm_resource(&file, &["--resource", "r", act])?.run()?;
                let wrong = format!("{} {act} is not {code} but {}", agent.name, told(&done));
                claim(done.code() == Some(code), wrong)?;
            }
        }
        Ok(())
    })
}

#[test]
fn crm_resource_shows_why_a_configuration_is_refused() -> Outcome {
    place::alone("crm_resource_shows_why_a_configuration_is_refused", || {
        let desk = Desk::with_ours()?;
        let dummy = Peers::find("pacemaker/Dummy")?;
        let file = desk.create(&dummy, "refused")?;
        let path = file.to_string_lossy();
        succeed(&call("pcs", &["-f", &path, "resource", "update", "r", "op_sleep=x", "--force"])?)?;
        let done = desk.crm_resource(&file, &["--resource", "r", "--validate"])?.run()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned()
            + &String::from_utf8_lossy(&done.stdout);
        let as_expected = done.code() == Some(6) && said.contains("op_sleep is not a time");
        claim(as_expected, told(&done))
    })
}

/// Only the controller manages a connection; what an administrator tries by hand is refused.
#[test]
fn crm_resource_is_refused_by_remote_with_a_reason() -> Outcome {
    place::alone("crm_resource_is_refused_by_remote_with_a_reason", || {
        let desk = Desk::with_ours()?;
        let file = desk.create(&Peers::find("pacemaker/remote")?, "remote")?;
        for act in ["--force-start", "--force-check", "--force-stop"] {
            let done = desk.crm_resource(&file, &["--resource", "r", act])?.run()?;
            let said = String::from_utf8_lossy(&done.stdout);
            let reason = said.contains("Pacemaker's controller manages remote connections itself");
            claim(done.code() == Some(1) && reason, format!("{act} is {}", told(&done)))?;
        }
        Ok(())
    })
}
