// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What goes wrong around a share, and what is refused.

use super::*;
use crate::cluster::check;
use crate::testing::without_proc;
use ocf::error::Kind;
use std::path::Path;

/// A renamed interface's rules fit nothing any more, and the node would answer everybody.
#[test]
fn a_renamed_interface_is_followed() {
    with_interface(|| {
        let folder = Folder::new("renamed");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let renamed = || Kernel::open().unwrap().find_link("w0").unwrap().unwrap();
        one.start();
        ip("link set v0 down");
        ip("link set v0 name w0");
        assert_eq!(one.sharing().state(&one.context, &renamed()), Ok(Share::Nothing));
        one.sharing().start(&one.context, &renamed()).unwrap();
        assert_eq!(rules(VIP), [bucket(1), DROP.to_owned()].map(|rule| rule.replace("v0", "w0")));
        ip("link set w0 name v0");
        // The interface that is asked for is v0 again; the rules are of w0.
        assert_eq!(one.stop(), Rest::Nobody);
        assert!(rules(VIP).is_empty() && one.left().is_empty() && folder.is_empty());
    });
}

/// Nothing is known of the address any more but that it was shared.
#[test]
fn a_stop_needs_neither_interface_nor_prefix_nor_sound_parameters() {
    with_interface(|| {
        let folder = Folder::new("bare");
        Instance::new(&folder, VIP, 0, &[]).start();
        let bad =
            [("mac", "nonsense"), ("clusterip_hash_seed", "010"), ("clusterip_firewall", "junk")];
        let one = Instance::new(&folder, VIP, 0, &bad);
        let sharing =
            Sharing::of(&one.parameters, &one.context, &one.wanted, None, None, None).unwrap();
        assert_eq!(sharing.stop(&one.context), Ok(Rest::Nobody));
        sharing.clear(&one.context, Some(&link())).unwrap();
        assert!(rules(VIP).is_empty() && one.left().is_empty() && folder.is_empty());
        for (name, value) in [("clusterip_chain", "NOSUCH"), ("clusterip_table", "nosuch")] {
            let one = Instance::new(&folder, VIP, 0, &[(name, value)]);
            assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()), "{name}");
        }
    });
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    with_interface(|| {
        let folder = Folder::new("fails");
        for (name, value) in [("clusterip_chain", "NOSUCH"), ("clusterip_table", "nosuch")] {
            let one = Instance::new(&folder, VIP, 0, &[(name, value)]);
            let failed = one.sharing().start(&one.context, &link()).unwrap_err();
            assert_eq!(failed.kind, Kind::Installed, "{failed:?}");
            assert_eq!(one.sharing().check_host(&one.context), Err(failed));
        }
        // A host whose iptables has no such match.
        let tools = folder.0.join("tools");
        fs::create_dir(&tools).unwrap();
        let script = "#!/bin/sh\nfor word; do [ \"$word\" = cluster ] && exec env \
                      XTABLES_LIBDIR=/nowhere /usr/sbin/iptables \"$@\"; done\n\
                      exec /usr/sbin/iptables \"$@\"\n";
        write_program(&tools.join("iptables"), script);
        let one = Instance::new(&folder, VIP, 0, &[("PATH", tools.to_str().unwrap())]);
        let failed = one.sharing().start(&one.context, &link()).unwrap_err();
        assert_eq!(failed.kind, Kind::Installed);
        assert!(failed.reason.starts_with("no cluster match in iptables or kernel"), "{failed:?}");
        assert!(failed.reason.len() <= 128, "{failed:?}");
        assert!(rules(VIP).is_empty() && one.left().is_empty());
        assert!(!multicast::is_taken(&link(), &one.sharing().mac().unwrap()).unwrap());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    });
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Without iptables nothing can be started, and no stop fails.
#[test]
fn a_host_without_iptables() {
    with_interface(|| {
        let folder = Folder::new("bare-host");
        let without = [("OCF_TESTER_FAIL_HAVE_BINARY", "1")];
        let bare = Instance::new(&folder, VIP, 0, &without);
        let failed = bare.sharing().start(&bare.context, &link()).unwrap_err();
        assert_eq!(failed.kind, Kind::Installed);
        assert!(failed.reason.contains("iptables is not installed"), "{failed:?}");
        assert_eq!((bare.stop(), bare.left()), (Rest::Nobody, Vec::new()));
        let one = Instance::new(&folder, VIP, 0, &[]);
        one.start();
        // The address may go: the rules do no harm without it, and the log names them.
        assert_eq!((bare.stop(), bare.left()), (Rest::Nobody, Vec::new()));
        assert_eq!(rules(VIP), [bucket(1), DROP.to_owned()]);
        one.start();
        let two = Instance::new(&folder, VIP, 1, &[]);
        two.start();
        assert_eq!((bare.stop(), bare.left()), (Rest::Others, Vec::new()));
        // Its stop said that the first one is gone, so the rule that stayed keeps nothing.
        assert_eq!((two.stop(), two.left()), (Rest::Nobody, Vec::new()));
        assert_eq!(rules(VIP), Vec::<String>::new());
    });
}

/// KILL may come after any call: what a start did so far, a stop undoes.
#[test]
fn what_a_killed_start_left_is_stopped() {
    with_interface(|| {
        let folder = Folder::new("killed");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let parts = [DROP.to_owned(), bucket(1)];
        for count in 0..=parts.len() {
            for is_heard in [false, true] {
                for part in &parts[..count] {
                    run(&format!("iptables -t mangle -I {}", &part[3..]));
                }
                if is_heard {
                    ip("maddr add 23:74:d1:00:a3:5f dev v0");
                }
                assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()), "{count}");
                assert!(rules(VIP).is_empty() && folder.is_empty(), "{count}");
            }
        }
    });
}

#[test]
fn what_can_work_nowhere_is_refused() {
    let folder = Folder::new("check");
    let refused = |ip: &str, more: &[(&str, &str)]| {
        let one = Instance::new(&folder, ip, 0, more);
        check(&one.parameters, &one.context, one.ip).map_err(|error| {
            assert_eq!(error.kind, Kind::Configured);
            assert!(error.reason.len() <= 128, "{error:?}");
            error.reason.into_owned()
        })
    };
    assert_eq!(refused(VIP, &[]), Ok(()));
    assert_eq!(
        refused(VIP, &[("clusterip_table", "filter"), ("clusterip_chain", "INPUT")]),
        Ok(())
    );
    for (name, value) in [
        ("clusterip_hash_seed", "010"),
        ("mac", "00:11:22:33:44:55"),
        ("clusterip_table", "nat"),
        ("clusterip_table", "raw"),
        ("clusterip_table", "nosuch"),
        ("clusterip_chain", "-F"),
        ("clusterip_chain", "a b"),
        ("clusterip_firewall", "nft"),
        ("clusterip_firewall", "junk"),
    ] {
        let why = refused(VIP, &[(name, value)]).unwrap_err();
        assert!(why.contains(name), "{why}");
    }
    let mangled = [("clusterip_mac_mangle", "true")];
    assert_eq!(refused(VIP, &mangled), Ok(()));
    assert!(refused(VIP6, &mangled).unwrap_err().contains("clusterip_mac_mangle"));
    assert!(refused(VIP, &[("CRM_meta_clone_max", "33")]).unwrap_err().contains("clone-max"));
    assert!(refused(VIP, &[("CRM_meta_clone", "2")]).unwrap_err().contains("clone number 2"));
    // Outside of load sharing they mean nothing.
    let unshared = [("CRM_meta_clone_max", "1"), ("mac", "junk")];
    assert_eq!(refused(VIP, &unshared), Ok(()));
}

/// The shell agent of 2026 uses nft where it finds it, and its table drops what our rules accept.
#[test]
fn tables_that_the_shell_agent_made_by_nft_go() {
    with_interface(|| {
        let filter = crate::kernel::PacketFilter::open().unwrap();
        let folder = Folder::new("nft");
        let theirs = [(VIP, 2, "IPaddr2_10_9_0_100"), (VIP, 3, "IPaddr2_10_9_0_100")];
        for (vip, family, table) in theirs.into_iter().chain([(VIP6, 10, "IPaddr2_2001_db8__100")])
        {
            let one = Instance::new(&folder, vip, 0, &[]);
            // To make one that is there fails.
            let is_there = || filter.add_table(family, table).is_err();
            assert!(!is_there() && is_there(), "{table}");
            one.start();
            assert!(!is_there() && is_there(), "start leaves {table}");
            assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
            assert!(!is_there(), "stop leaves {table}");
            filter.delete_table(family, table).unwrap();
            filter.delete_table(family, table).unwrap();
        }
        // Somebody else's stays.
        filter.add_table(2, "IPaddr2_10_9_0_10").unwrap();
        let one = Instance::new(&folder, VIP, 0, &[]);
        one.start();
        one.stop();
        assert!(filter.add_table(2, "IPaddr2_10_9_0_10").is_err());
    });
}

/// A chroot or container without /proc: which hardware addresses an interface takes frames for isn't told there.
#[test]
fn a_host_without_proc_monitors_and_stops() {
    with_interface(|| {
        let folder = Folder::new("procless");
        let one = Instance::new(&folder, VIP, 0, &[]);
        one.start();
        without_proc();
        assert!(multicast::is_taken(&link(), &[0; 6]).is_err());
        assert_eq!((one.state(), one.left().len()), (Share::Served, 2));
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert_eq!(rules(VIP), Vec::<String>::new());
        let listed = ip("maddress show dev v0");
        assert!(!listed.contains("23:74:d1:00:a3:5f"), "{listed}");
        one.start();
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert!(folder.is_empty());
    });
}
