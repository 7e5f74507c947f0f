// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The same address somewhere else: waiting on lo, in another namespace, on another interface. What isn't
//! the resource's is never taken for it, and never taken away.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::World;
use ipaddr2_tests::world::{VIP, VIP6};

/// The real server's own copy stays, whatever became of the director's interface.
#[test]
fn what_waits_on_lo_stays_there_when_the_network_is_lost() {
    for (vip, bits) in [(VIP, 32), (VIP6, 128)] {
        let wait = format!("address add {vip}/{bits} dev lo\n");
        for options in [&[][..], &[("cidr_netmask", if bits == 32 { "32" } else { "128" })]] {
            // A copy, and nothing was ever started.
            let world = World::ours().with("ip", vip).with_all(options);
            world.node.ip(&wait);
            let waiting = world.has(vip);
            world.expect("probe", 7);
            world.node.ip("link set v0 down\n");
            for action in ["probe", "monitor"] {
                world.expect(action, 7);
            }
            world.expect("stop", 0);
            assert_eq!(world.has(vip), waiting);

            // Started on the interface while lo has a copy, too.
            let world = World::ours().with("ip", vip).with_all(options).with("nodad", "true");
            world.node.ip(&wait);
            world.expect("start", 0);
            assert_eq!(world.has(vip).len(), 2);
            world.node.ip("link set v0 down\n");
            world.expect("stop", 0);
            world.expect("stop", 0);
            assert_eq!(world.has(vip), waiting);
        }
    }
}

#[test]
fn what_stop_put_back_on_lo_stays_there_when_the_network_is_lost() {
    let world = World::ours().with_all(&[("lvs_support", "true"), ("cidr_netmask", "32")]);
    world.node.ip(&format!("address add {VIP}/32 dev lo\n"));
    let waiting = world.has(VIP);
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.node.ip("link set v0 down\n");
    for _ in 0..2 {
        world.expect("stop", 0);
        assert_eq!(world.has(VIP), waiting);
        world.expect("monitor", 7);
    }
}
