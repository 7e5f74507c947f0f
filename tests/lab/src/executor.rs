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
    /// The agent's exit code; none if it was killed for taking too long, or could not be run.
    pub code: Option<i32>,
    /// The line of the log.
    pub line: String,
}

/// Every call on a node since its disk was new, in the order in which they ended.
///
/// # Errors
/// The node does not answer.
pub fn calls(node: &Host) -> Result<Vec<Call>> {
    let log = node.run(["grep", "-F", "(async_action_complete)", PACEMAKER_LOG])?;
    Ok(log.stdout.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<Call> {
    // `<resource>_<task>_<interval>[<process>] exited with status <code>`
    let (_, said) = line.split_once("debug: ")?;
    let (key, rest) = said.split_once('[')?;
    let (key, interval) = key.rsplit_once('_')?;
    let (resource, task) = key.rsplit_once('_')?;
    let code = rest.split_once("exited with status ").map(|(_, code)| code);
    let code = code.and_then(|code| code.split_whitespace().next()?.parse().ok());
    Some(Call {
        resource: resource.to_owned(),
        task: task.to_owned(),
        interval: interval.parse().ok()?,
        code,
        line: line.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_with_its_code_or_without_one() {
        // As Pacemaker 2.1.5 wrote it.
        let line = "Nov 22 04:43:57.474 node1 pacemaker-execd     [193] (async_action_complete) \
                    \tdebug: my_stateful_monitor_10000[1183] exited with status 8";
        let call = parse(line).expect("a call");
        assert_eq!((call.resource.as_str(), call.task.as_str()), ("my_stateful", "monitor"));
        assert_eq!((call.interval, call.code), (10000, Some(8)));
        let killed = parse(&line.replace("exited with status 8", "timed out after 20s"));
        assert_eq!(killed.expect("a call").code, None);
        assert_eq!(parse("pacemaker-execd: something else"), None);
    }
}
