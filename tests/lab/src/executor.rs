// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What Pacemaker's executor ran on a node, every single call: its debug messages tell, which
//! hosts of the lab have switched on (see [`crate::site`]).
//!
//! The cluster's own record is no substitute: of a monitor it keeps only answers that change.

use crate::Result;
use crate::cluster::PACEMAKER_LOG;
use crate::site::Host;

/// One call of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The resource; for an instance of a globally unique clone, with its number.
    pub resource: String,
    /// `start`, `monitor`…
    pub task: String,
    /// How often it is repeated, in milliseconds; 0 for once.
    pub interval: u64,
    /// The agent's exit code; none if it was killed for taking too long.
    pub code: Option<i32>,
    /// The line of the log.
    pub line: String,
}

/// Every call on a node since its disk was new, in the order in which they ended, but those that
/// were cancelled before they did.
///
/// # Errors
/// The node does not answer.
pub fn calls(node: &Host) -> Result<Vec<Call>> {
    let said = ["-e", "(async_action_complete)", "-e", "(services_action_cancel)"];
    let grep = ["grep", "-F"].into_iter().chain(said).chain([PACEMAKER_LOG]);
    Ok(read(&node.run(grep)?.stdout))
}

fn read(log: &str) -> Vec<Call> {
    let mut cancelled: Vec<&str> = Vec::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Terminating in-flight op ") {
            cancelled.extend(rest.split(' ').next());
        } else if let Some((process, call)) = parse(line)
            && !(call.code.is_none() && cancelled.contains(&process))
        {
            calls.push(call);
        }
    }
    calls
}

/// A call, and what the log names it by: `<resource>_<task>_<interval>[<process>]`.
fn parse(line: &str) -> Option<(&str, Call)> {
    // A plain end is a debug message; one by a signal or a timeout is worth more to Pacemaker.
    let (_, said) = line.split_once("debug: ").or_else(|| line.split_once("info: "))?;
    let said = said.strip_prefix("Resource agent ").unwrap_or(said);
    let (process, end) = said.split_once(' ')?;
    let key = process.strip_suffix(']')?.split_once('[')?.0;
    let (key, interval) = key.rsplit_once('_')?;
    let (resource, task) = key.rsplit_once('_')?;
    let code = end.strip_prefix("exited with status ");
    let code = code.and_then(|code| code.split_whitespace().next()?.parse().ok());
    let call = Call {
        resource: resource.to_owned(),
        task: task.to_owned(),
        interval: interval.parse().ok()?,
        code,
        line: line.to_owned(),
    };
    Some((process, call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_with_its_code_or_without_one() {
        // As Pacemaker 2.1.5 wrote it.
        let line = "Nov 22 04:43:57.474 node1 pacemaker-execd     [193] (async_action_complete) \
                    \tdebug: my_stateful_monitor_10000[1183] exited with status 8";
        let calls = read(line);
        let call = calls.first().expect("a call");
        assert_eq!((call.resource.as_str(), call.task.as_str()), ("my_stateful", "monitor"));
        assert_eq!((call.interval, call.code), (10000, Some(8)));
        assert_eq!(read("pacemaker-execd: something else"), []);
    }

    #[test]
    fn a_call_that_timed_out_is_not_overlooked() {
        // As Pacemaker 2.1.5 and 3.0.0 write it: at another level, and with other words before it.
        let line = "node1 pacemaker-execd     [182] (async_action_complete) \tinfo: Resource \
                    agent lab-slow_monitor_1000[7843] timed out after 2s";
        let calls = read(line);
        let call = calls.first().expect("a call");
        assert_eq!((call.resource.as_str(), call.interval), ("lab-slow", 1000));
        assert_eq!(call.code, None);
    }

    #[test]
    fn a_call_that_was_cancelled_says_nothing_of_the_agent() {
        let killed = "execd [92] (async_action_complete) \tinfo: lab-slow_monitor_1000[4057] \
                      terminated with signal 9 (Killed)\n";
        assert_eq!(read(killed).len(), 1);
        let cancelled = "execd [92] (services_action_cancel) \tinfo: Terminating in-flight op \
                         lab-slow_monitor_1000[4057] early because it was cancelled\n";
        assert_eq!(read(&format!("{cancelled}{killed}")), []);
    }
}
