// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A cluster of one real node: corosync, Pacemaker, and our agents in place of the shell ones.

use crate::docker::Docker;
use crate::node::Node;
use crate::process::Output;
use crate::status::Status;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where Debian's Pacemaker looks for agents.
pub const AGENT_DIR: &str = "/usr/lib/ocf/resource.d";

/// Name of the one node.
pub const NODE: &str = "node1";

/// What corosync and Pacemaker need beyond an ordinary container: real-time priority, and memory
/// that is not swapped out. Nothing of the host is theirs.
pub const CAPABILITIES: [&str; 2] = ["SYS_NICE", "IPC_LOCK"];

const PACEMAKER_LOG: &str = "/var/log/pacemaker/pacemaker.log";
const COROSYNC_LOG: &str = "/var/log/corosync/corosync.log";

/// The node is alone, so it talks to itself on loopback: the container needs no network at all.
const COROSYNC_CONF: &str = "\
totem {
  version: 2
  cluster_name: lab
  transport: knet
  crypto_cipher: none
  crypto_hash: none
}
nodelist {
  node {
    ring0_addr: 127.0.0.1
    name: node1
    nodeid: 1
  }
}
quorum {
  provider: corosync_votequorum
  expected_votes: 1
}
logging {
  to_stderr: no
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
}
";

/// The configuration the cluster starts with. `dc-deadtime` is how long a node waits for others
/// before it elects itself, and there are none. Without fencing (`stonith-enabled`) because
/// a single node has nobody to fence it: a real cluster must not run so.
const FIRST_CIB: &str = r#"<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="2s"/>
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"#;

/// One of our agents, as built on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// `heartbeat`, `pacemaker`…
    pub provider: String,
    /// The OCF type.
    pub kind: String,
    /// The file on the host.
    pub path: PathBuf,
}

impl Agent {
    /// `ocf:<provider>:<type>`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("ocf:{}:{}", self.provider, self.kind)
    }

    /// The file it takes the place of on the node.
    #[must_use]
    pub fn installed_path(&self) -> String {
        format!("{AGENT_DIR}/{}/{}", self.provider, self.kind)
    }
}

/// The agents in a directory laid out `<provider>/<type>`.
///
/// # Errors
/// The directory cannot be read, or there are none in it.
pub fn find_agents(dir: &Path) -> Result<Vec<Agent>> {
    let mut agents = Vec::new();
    for provider in entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&provider)?.into_iter().filter(|path| path.is_file()) {
            let (Some(provider), Some(kind)) = (provider.file_name(), file.file_name()) else {
                continue;
            };
            agents.push(Agent {
                provider: provider.to_string_lossy().into_owned(),
                kind: kind.to_string_lossy().into_owned(),
                path: file.clone(),
            });
        }
    }
    if agents.is_empty() {
        let dir = dir.display();
        return Err(Error::new(format!("no agents in {dir}: they are expected as PROVIDER/TYPE")));
    }
    agents.sort_by_key(Agent::name);
    Ok(agents)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(dir).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = read.map_err(|e| Error::new(format!("cannot read {}: {e}", dir.display())))?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

/// The step that [`install`] is, as it is shown.
pub const INSTALLING: &str = "our agents are put on the node";

/// Puts agents in the place of the shell ones, or beside them, and names where they are now.
///
/// # Errors
/// A file cannot be copied.
pub fn install(agents: &[Agent], node: &Node) -> Result<Vec<String>> {
    let put = |agent: &Agent| {
        let path = agent.installed_path();
        let copied = node.copy_in(agent.path.as_os_str(), &path);
        copied.map(|()| path).map_err(|error| {
            error.during(format_args!("putting {} on the node", agent.path.display()))
        })
    };
    agents.iter().map(put).collect()
}

/// The cluster on its node.
#[derive(Debug)]
pub struct Cluster {
    /// The container.
    pub node: Node,
    /// Our agents, on the node once [`install`] put them there.
    pub agents: Vec<Agent>,
}

impl Cluster {
    /// Starts corosync and Pacemaker.
    ///
    /// # Errors
    /// Something does not start, or no controller is elected.
    pub fn boot(&self) -> Result<()> {
        let root = ("root", "root");
        self.node.write_file("/etc/corosync/corosync.conf", root, "0644", COROSYNC_CONF)?;
        let cib = "/var/lib/pacemaker/cib/cib.xml";
        self.node.write_file(cib, ("hacluster", "haclient"), "0600", FIRST_CIB)?;
        self.node.start_in_background(&["corosync", "-f"])?;
        let limit = Duration::from_secs(60);
        self.docker().runner.poll("corosync having quorum", limit, || {
            let quorum = self.node.run(["corosync-quorumtool", "-s"])?.stdout;
            Ok(quorum
                .lines()
                .any(|l| l.starts_with("Quorate:") && l.ends_with("Yes"))
                .then_some(()))
        })?;
        self.node.start_in_background(&["pacemakerd", "-f"])?;
        self.docker().runner.poll("a controller (DC) being elected", limit, || {
            let monitor = self.node.run(CRM_MON_XML)?;
            let is_up = monitor.code == 0 && Status::parse(&monitor.stdout)?.has_dc;
            Ok(is_up.then_some(()))
        })
    }

    /// One look at the cluster.
    ///
    /// # Errors
    /// Pacemaker does not answer.
    pub fn status(&self) -> Result<Status> {
        Status::parse(&self.node.ok(CRM_MON_XML)?.stdout)
    }

    /// `crm_mon` as a person sees it: resources, failed actions with exit reasons, fail counts.
    ///
    /// # Errors
    /// Pacemaker does not answer.
    pub fn crm_mon(&self) -> Result<Vec<String>> {
        let args = ["crm_mon", "--one-shot", "--inactive", "--failcounts"];
        Ok(self.node.ok(args)?.stdout.lines().map(str::to_owned).collect())
    }

    /// The lines of [`Self::crm_mon`] that speak of a resource.
    ///
    /// # Errors
    /// Pacemaker does not answer.
    pub fn crm_mon_about(&self, id: &str) -> Result<Vec<String>> {
        let about = |line: &String| line.split([' ', ':', '\t', '[', ']']).any(|word| word == id);
        Ok(self.crm_mon()?.into_iter().filter(about).map(|l| l.trim().to_owned()).collect())
    }

    /// Looks at the cluster until `find` finds what it wants.
    ///
    /// # Errors
    /// It doesn't within a minute (`what`, in words), or `find` gives up.
    pub fn wait<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&Status) -> Result<Option<T>>,
    ) -> Result<T> {
        let limit = Duration::from_secs(60);
        self.docker().runner.poll(what, limit, || find(&self.status()?))
    }

    /// Runs pcs as an operator would.
    ///
    /// # Errors
    /// pcs refuses.
    pub fn pcs<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Result<Output> {
        self.node.ok(std::iter::once("pcs").chain(args))
    }

    /// The operations Pacemaker's log tells of for a resource, in order, with their results.
    ///
    /// # Errors
    /// The node does not answer.
    pub fn logged_operations(&self, id: &str) -> Result<Vec<(String, String)>> {
        let log = self.node.run([
            "grep",
            "-F",
            &format!("operation for {id} on {NODE}:"),
            PACEMAKER_LOG,
        ])?;
        Ok(log.stdout.lines().filter_map(parse_result).collect())
    }

    /// The ends of the node's logs, for when something went wrong.
    #[must_use]
    pub fn log_tails(&self) -> Vec<String> {
        let tail = |lines: usize, file: &str, words: &str| -> Vec<String> {
            // Pacemaker also logs every step it takes; what it wants noticed says so.
            let show = self.node.invocation(["grep", "-E", words, file]).uninterruptible();
            let text = self.docker().runner.run(&show).unwrap_or_default().stdout;
            let skipped = text.lines().count().saturating_sub(lines);
            let head = format!("--- end of {NODE}:{file}");
            std::iter::once(head).chain(text.lines().skip(skipped).map(str::to_owned)).collect()
        };
        let noticed = "[[:space:]](notice|warning|error|crit|alert|emerg):";
        [tail(10, COROSYNC_LOG, ""), tail(40, PACEMAKER_LOG, noticed)].concat()
    }

    fn docker(&self) -> &Docker {
        self.node.docker()
    }
}

const CRM_MON_XML: [&str; 8] = [
    "crm_mon",
    "--one-shot",
    "--output-as",
    "xml",
    "--inactive",
    "--operations",
    "--failcounts",
    "--show-node-attributes",
];

/// Operation and result in a line of the controller's log.
fn parse_result(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("Result of ")?;
    let (operation, rest) = rest.split_once(" operation for ")?;
    let (_, result) = rest.split_once(": ")?;
    let result = result.split([' ', '|', '(']).next().unwrap_or(result);
    Some((operation.to_owned(), result.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_operations_are_read_from_the_log() {
        // As Pacemaker 2.1.5 wrote it.
        let line = "Nov 21 22:14:49.089 node1 pacemaker-controld  [65] (log_executor_event) \
                    \tnotice: Result of reload-agent operation for pdummy on node1: ok | CIB update 72";
        let expected = ("reload-agent".to_owned(), "ok".to_owned());
        assert_eq!(parse_result(line), Some(expected));
        assert_eq!(
            parse_result("Requesting local execution of start operation for x on node1"),
            None
        );
    }

    #[test]
    fn a_directory_without_agents_is_named() {
        let dir = std::env::temp_dir().join(format!("lab-empty-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let error = find_agents(&dir).expect_err("no agents");
        std::fs::remove_dir(&dir).expect("removed");
        assert!(error.to_string().contains(&*dir.to_string_lossy()), "{error}");
    }
}
