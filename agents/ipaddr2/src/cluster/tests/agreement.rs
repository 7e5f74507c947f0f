// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is read from the kernel is what iptables lists.

use super::*;
use crate::cluster::rule::parse_rules;

/// Rules that are like ours in all but one thing, and the same ones written otherwise.
#[test]
fn the_kernel_and_iptables_agree_on_whose_a_rule_is() {
    with_interface(|| {
        const CLUSTER: &str = "-m cluster --cluster-total-nodes 2 --cluster-hash-seed 7";
        for rule in [
            "-d VIP -i v0 -j DROP",
            "-d VIP -i v+ -j DROP",
            "-d VIP -j DROP",
            "-d VIP ! -i v0 -j DROP",
            "! -d VIP -i v0 -j DROP",
            "-d NET -i v0 -j DROP",
            "-s VIP -i v0 -j DROP",
            "-d VIP -i v0 -p tcp -j DROP",
            "-d VIP -i v0 -m mark --mark 1 -j DROP",
            "-d VIP -i v0 -j ACCEPT",
            "-d VIP -i v0 -j RETURN",
            "-d VIP -i v0 -j MARK --set-mark 1",
            "-d VIP -i v0 CLUSTER --cluster-local-node 2 -j ACCEPT",
            "-d VIP -i v0 CLUSTER --cluster-local-nodemask 3 -j ACCEPT",
            "-d VIP -i v0 CLUSTER ! --cluster-local-node 2 -j ACCEPT",
            "-d VIP -i v0 CLUSTER --cluster-local-node 2 -j DROP",
            "-d VIP -i v0 -p icmpv6 --icmpv6-type 136 -j ACCEPT",
            "-d VIP -i v0 -p icmpv6 --icmpv6-type 136/0 -j ACCEPT",
            "-d VIP -i v0 -p icmpv6 --icmpv6-type 135 -j ACCEPT",
            "-d VIP -i v0 -p icmpv6 ! --icmpv6-type 136 -j ACCEPT",
            "-d VIP -i v0 -p icmpv6 -j ACCEPT",
        ] {
            for (vip, net, program) in
                [(VIP, "10.9.0.100/31", "iptables"), (VIP6, "2001:db8::100/127", "ip6tables")]
            {
                if rule.contains("icmpv6") && program == "iptables" {
                    continue;
                }
                let rule = rule.replace("VIP", vip).replace("NET", net).replace("CLUSTER", CLUSTER);
                run(&format!("{program} -t mangle -A PREROUTING {rule}"));
                let ip = vip.parse().unwrap();
                let list = run(&format!("{program} -t mangle -S PREROUTING"));
                let listed = parse_rules(&list, ip);
                assert_eq!(tables::rules(ip, "mangle", "PREROUTING"), Ok(listed), "{rule}");
                run(&format!("{program} -t mangle -F PREROUTING"));
            }
        }
    });
}
