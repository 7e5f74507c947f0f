// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the agents for testing write into `envfile`: the same names and values in both, except the
//! password, which ours leaves out.

use ocf_tester::agent::Invocation;
use ocf_tester::profile::PACEMAKER;
use ocf_tester::scratch::Scratch;
use peers::collection::Peers;
use peers::{Outcome, claim};
use std::path::Path;

/// The blocks of a file: each the action of its title, and the variables that a manager sets.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            let action = title.split(" @ ").next().unwrap_or_default();
            blocks.push((action.to_owned(), Vec::new()));
        } else if let Some((_, variables)) = blocks.last_mut()
            && (line.starts_with("OCF_RESKEY_") || line.starts_with("OCF_RESOURCE_"))
        {
            variables.push(line.to_owned());
        }
    }
    blocks
}

/// Runs a life with an agent, and gives what it wrote. The paths are the same for both.
fn record(agent: &Path, place: &Path) -> Outcome<Vec<(String, Vec<String>)>> {
    let envfile = place.join("envfile");
    let call = Invocation::new(agent, "")
        .profile(&PACEMAKER, "x")
        .parameter("state", place.join("x.state"))
        .parameter("envfile", &envfile)
        .parameter("passwd", "hunter2")
        .parameter("fake", "a value with blanks")
        .env("HA_SBIN_DIR", place);
    for (action, code) in
        [("start", 0), ("start", 0), ("monitor", 0), ("reload-agent", 0), ("stop", 0)]
    {
        let done = call.action(action).run()?;
        claim(done.code() == Some(code), format!("{action} is {done}"))?;
    }
    let text = std::fs::read_to_string(&envfile)?;
    std::fs::remove_file(&envfile)?;
    Ok(blocks(&text))
}

fn compare(name: &'static str, leaves_out_the_password: bool) -> Outcome {
    let peers = Peers::find(name)?;
    let scratch = Scratch::new("envfile")?;
    let is_secret = |line: &String| line.starts_with("OCF_RESKEY_passwd=");
    let mut shell = record(&peers.shell, scratch.path())?;
    let ours = record(&peers.ours, scratch.path())?;
    claim(shell.iter().any(|(_, lines)| lines.iter().any(is_secret)), "no password to leave out")?;
    if leaves_out_the_password {
        shell.iter_mut().for_each(|(_, lines)| lines.retain(|line| !is_secret(line)));
    }
    let actions: Vec<&str> = ours.iter().map(|(action, _)| action.as_str()).collect();
    let every_call = actions == ["start", "start", "monitor", "reload-agent", "stop"];
    claim(every_call, format!("{name} wrote for {actions:?}"))?;
    claim(shell == ours, format!("{name}: the shell agent wrote {shell:#?}\nours {ours:#?}"))
}

#[test]
fn dummy_writes_what_the_shell_agent_writes_but_the_password() -> Outcome {
    compare("pacemaker/Dummy", true)
}

/// It has no parameter `passwd`: what a manager passes beyond its parameters is written as it is.
#[test]
fn stateful_writes_what_the_shell_agent_writes() -> Outcome {
    compare("pacemaker/Stateful", false)
}
