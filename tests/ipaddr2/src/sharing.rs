// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One node's share of an address: a clone's instance, and the rules that it makes.

use crate::World;

/// What Pacemaker says of a clone's first instance.
pub const CLONE: [(&str, &str); 3] =
    [("CRM_meta_clone", "0"), ("CRM_meta_clone_max", "2"), ("CRM_meta_globally_unique", "true")];

/// A world with such an instance.
#[must_use]
pub fn shared() -> World {
    World::ours().with_all(&CLONE)
}

/// The rules on the node.
#[must_use]
pub fn rules(world: &World) -> Vec<String> {
    let list = world.node.run("iptables", &["-t", "mangle", "-S", "PREROUTING"], "");
    list.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
}
