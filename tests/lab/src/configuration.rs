// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is written on the nodes before they form a cluster.

/// The configuration the cluster starts with. `dc-deadtime` is how long a node waits for another
/// that may be the controller already; the default of 20 s is for hardware that boots for
/// minutes.
pub const FIRST_CIB: &str = r#"<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="5s"/>
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="true"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"#;

/// corosync.conf(5) for members of these names and addresses (`ADDRESS/PREFIX`). The network is
/// a cable between containers, so nobody listens in who isn't root here already.
#[must_use]
pub fn corosync(members: &[(&str, &str)]) -> String {
    let node = |(number, (name, address)): (usize, &(&str, &str))| {
        let address = address.split('/').next().unwrap_or_default();
        let id = number + 1;
        format!("  node {{\n    ring0_addr: {address}\n    name: {name}\n    nodeid: {id}\n  }}\n")
    };
    let nodes: String = members.iter().enumerate().map(node).collect();
    format!(
        "totem {{
  version: 2
  cluster_name: lab
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: 1000
}}
nodelist {{
{nodes}}}
quorum {{
  provider: corosync_votequorum
  two_node: 1
}}
logging {{
  to_stderr: no
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
}}
"
    )
}

/// The key of Pacemaker Remote, the same on all hosts of all labs: it guards nothing.
#[must_use]
pub fn remote_key() -> String {
    "the lab's key, which guards nothing ".repeat(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_in_corosyncs_configuration() {
        let text = corosync(&[("a", "192.0.2.1/24"), ("b", "192.0.2.2/24")]);
        for line in ["ring0_addr: 192.0.2.1\n", "name: b\n", "nodeid: 2\n", "two_node: 1\n"] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
