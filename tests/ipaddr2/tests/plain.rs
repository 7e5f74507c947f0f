// SPDX-License-Identifier: Apache-2.0 OR MIT
//! IPv4, without much about it: every situation of the address itself and of its interface.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use ipaddr2_tests::side_by_side::check;
use ipaddr2_tests::world::VIP;
use ipaddr2_tests::{AGENT, Agent, Row};
use ocf_tester::scratch::executable;

fn row(name: &str) -> Row {
    Row::new(name, VIP)
}

#[test]
fn where_the_address_is() {
    let there = "address add 192.168.144.2/24 brd + dev v0";
    let on_v1 = "address add 192.168.144.2/24 brd + dev v1";
    check(
        "address",
        &[
            row("absent").looks(7).status(7, "").validate(0, "").works().then("stop", 0, ""),
            row("absent, started twice").start(0, "").then("start", 0, "").then("stop", 0, ""),
            row("there").ip(there).looks(0).status(0, "").validate(0, "").start(0, "").stop(0, ""),
            row("there, with its interface")
                .options("nic=v0 cidr_netmask=24")
                .ip(there)
                .looks(0)
                .validate(0, "")
                .start(0, "")
                .stop(0, "")
                .then("probe", 7, ""),
            row("on another interface")
                .options("nic=v0")
                .ip(on_v1)
                .looks(7)
                .start(0, "")
                .stop(0, "")
                .keeps(),
            row("on another interface, and none asked for")
                .ip(on_v1)
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("on both interfaces")
                .options("nic=v0")
                .ip(there)
                .ip(on_v1)
                .looks(0)
                .start(0, "")
                .stop(0, "")
                .keeps(),
            row("there with another prefix")
                .options("nic=v0 cidr_netmask=24")
                .ip("address add 192.168.144.2/32 dev v0")
                .looks(7)
                .start(0, "")
                .stop(0, "")
                .keeps(),
            row("there with a prefix that begins the same")
                .options("nic=v0 cidr_netmask=2")
                .ip(there)
                .looks(7)
                .stop(0, "")
                .keeps(),
            row("the other end of another address")
                .options("nic=v1 cidr_netmask=32")
                .ip("address add 10.9.9.1 peer 192.168.144.2/32 dev v1")
                .looks(7)
                .start(0, "")
                .stop(0, ""),
            Row::new("the interface's own", "192.168.144.1").looks(0).start(0, "").stop(0, ""),
            row("there, not for ever")
                .ip("address add 192.168.144.2/24 brd + dev v0 valid_lft 600 preferred_lft 600")
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("the first of its network")
                .ip("address del 192.168.144.1/24 dev v0\n                     address add 192.168.144.2/24 brd + dev v0\n                     address add 192.168.144.1/24 brd + dev v0\n                     address add 192.168.144.7/24 brd + dev v0")
                .looks(0)
                .stop(0, "")
                .then("probe", 7, ""),
        ],
    );
}

/// A bridge with an address of its own.
const BRIDGE: &str = "\
link add br0 type bridge
link set br0 addrgenmode none
link set br0 up
address add 10.5.0.1/24 dev br0";

#[test]
fn what_the_interface_is_like() {
    check(
        "interface",
        &[
            row("missing").options("nic=nope").looks(7).status(7, "").validate(5, "nope").fails(5, "nope"),
            row("missing, with a prefix")
                .options("nic=nope cidr_netmask=24")
                .looks(7)
                .validate(5, "nope")
                .fails(5, "nope"),
            row("administratively down")
                .options("nic=v1 cidr_netmask=24")
                .ip("link set v1 down")
                .looks(7)
                .works(),
            row("administratively down, without a prefix")
                .options("nic=v0")
                .ip("link set v0 down")
                .looks(7)
                .works(),
            row("administratively down, with the address")
                .options("nic=v0 cidr_netmask=24")
                .ip("address add 192.168.144.2/24 brd + dev v0\nlink set v0 down")
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("named like a word of ip")
                .options("nic=up cidr_netmask=24")
                .ip("link set v1 down\nlink set v1 name up\nlink set dev up up")
                .looks(7)
                .works(),
            row("with a dot in its name")
                .options("nic=v0.100 cidr_netmask=24")
                .ip("link set v1 down\nlink set v1 name v0.100\nlink set v0.100 up")
                .looks(7)
                .works(),
            row("by its alternative name")
                .options("nic=ens1 cidr_netmask=24")
                .ip("link property add dev v0 altname ens1")
                .looks(7)
                .works(),
            row("by its alternative name, without a prefix")
                .options("nic=ens1")
                .ip("link property add dev v0 altname ens1")
                .looks(7)
                .works(),
            row("by its alternative name, with the address")
                .options("nic=ens1 cidr_netmask=24")
                .ip("link property add dev v0 altname ens1\n                     address add 192.168.144.2/24 brd + dev v0")
                .looks(0)
                .stop(0, ""),
            row("the loopback").options("nic=lo cidr_netmask=32").looks(7).works(),
            Row::new("the loopback's network", "127.0.0.3").looks(7).works(),
            Row::new("a bridge that never had a port", "10.5.0.2")
                .options("check_link_status=true")
                .ip(BRIDGE)
                .looks(7)
                .works(),
        ],
    );
}

#[test]
fn what_the_link_is_like() {
    let there = "address add 192.168.144.2/24 brd + dev v0";
    let cut = "link set p0 down";
    check(
        "link",
        &[
            row("without a carrier").neighbour(cut).looks(7).start(0, "").stop(0, ""),
            row("without a carrier, with the address")
                .ip(there)
                .neighbour(cut)
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("without a carrier, looked at")
                .options("check_link_status=true")
                .neighbour(cut)
                .looks(7)
                .fails(1, "v0|link"),
            row("without a carrier, looked at, with the address")
                .options("check_link_status=true")
                .ip(there)
                .neighbour(cut)
                .monitor(1, "v0|link")
                .stop(0, ""),
            row("without a carrier, not quite looked at")
                .options("check_link_status=junk")
                .ip(there)
                .neighbour(cut)
                .looks(0)
                .start(0, "")
                .stop(0, ""),
            row("without a carrier, with another name, looked at")
                .options("check_link_status=true")
                .ip("link property add dev v0 altname ens1")
                .ip(there)
                .neighbour(cut)
                .monitor(1, "v0|link"),
            Row::new("a bridge without its last port, looked at", "10.5.0.2")
                .options("check_link_status=true")
                .ip(BRIDGE)
                .ip("link set v1 master br0
link set v1 nomaster")
                .looks(7)
                .fails(1, "br0|link"),
            Row::new("a bridge without its last port", "10.5.0.2")
                .ip(BRIDGE)
                .ip("link set v1 master br0
link set v1 nomaster")
                .looks(7)
                .works(),
        ],
    );
}

/// Who has no right to change addresses may look at them.
#[test]
fn an_ordinary_user() {
    for agent in [Agent::Ours, Agent::Shell] {
        let world = ipaddr2_tests::World::of(agent).with("ip", VIP);
        // The checkout may be below a closed home.
        let copy = world.path().join("IPaddr2");
        executable(&copy, std::fs::read(agent.path(AGENT)).unwrap()).unwrap();
        let call = |action: &str, code: i32| {
            let mut call = world.call(action).without_env("HA_LOGFILE").without_env("HA_DEBUGLOG");
            call.agent = copy.clone();
            call.directory = "/".into();
            call.user = Some((65534, 65534));
            world.make(&call).is(code);
        };
        call("probe", 7);
        call("monitor", 7);
        call("start", 4);
        world.expect("start", 0);
        call("monitor", 0);
        // Pacemaker runs agents as root; whoever isn't is told so.
        call("stop", if agent == Agent::Ours { 1 } else { 4 });
        world.expect("stop", 0);
    }
}
