// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An address that a clone shared, in the hands of a plain resource.

use super::*;
use ocf::error::Kind;

/// The resource out of its clone; `None` where no clone shared its address.
fn plain(folder: &Folder, more: &[(&str, &str)]) -> Instance {
    Instance::new(folder, VIP, 0, &[&[("OCF_RESKEY_CRM_meta_clone_max", "1")], more].concat())
}

fn clone(folder: &Folder) -> [Instance; 2] {
    let instances = [0, 1].map(|number| Instance::new(folder, VIP, number, &[]));
    instances.iter().for_each(Instance::start);
    instances
}

#[test]
fn a_plain_stop_takes_away_what_a_clone_left() {
    with_interface(|| {
        let folder = Folder::new("plain-stop");
        assert!(plain(&folder, &[]).sharing.is_none());
        let _running = clone(&folder);
        let mac = plain(&folder, &[]).sharing().memory().unwrap().mac;
        let plain = plain(&folder, &[]);
        assert!(plain.sharing().is_former() && plain.sharing().mac().is_none());
        assert_eq!(plain.left().len(), 4);
        assert_eq!((plain.stop(), plain.left()), (Rest::Nobody, Vec::new()));
        assert!(rules(VIP).is_empty() && folder.is_empty());
        assert!(!multicast::is_taken(&link(), &mac).unwrap());
    });
}

#[test]
fn a_plain_monitor_tells_of_a_clones_rules_and_a_plain_start_ends_them() {
    with_interface(|| {
        let folder = Folder::new("plain-start");
        let [one, _two] = clone(&folder);
        let plain = |more: &[(&str, &str)]| plain(&folder, more);
        let verdict = |of: &Instance| of.sharing().verdict(&of.context, &link());
        let failed = verdict(&plain(&[])).unwrap_err();
        assert!(failed.reason.contains("a clone's rules"), "{failed:?}");
        assert!(failed.reason.len() <= 128, "{failed:?}");
        // Without iptables they would stay.
        let bare = plain(&[("OCF_TESTER_FAIL_HAVE_BINARY", "1")]);
        let refused = bare.sharing().end_former(&bare.context, &link()).unwrap_err();
        assert_eq!(refused.kind, Kind::Installed);
        let start = |plain: Instance| plain.sharing().end_former(&plain.context, &link()).unwrap();
        start(plain(&[]));
        assert!(rules(VIP).is_empty() && one.left().is_empty() && folder.is_empty());
        assert!(plain(&[]).sharing.is_none());
        // Only what is remembered is there: nothing keeps clients away, whatever is installed.
        one.start();
        run("iptables -t mangle -F PREROUTING");
        assert_eq!(verdict(&plain(&[])), Ok(State::Running));
        let bare = [("OCF_TESTER_FAIL_HAVE_BINARY", "1")];
        assert_eq!(verdict(&plain(&bare)), Ok(State::Running));
        start(plain(&bare));
        assert!(one.left().is_empty() && folder.is_empty());
    });
}

/// Another interface's rules aren't in its way, nor are they its to take away.
#[test]
fn a_plain_resource_leaves_another_interfaces_rules() {
    with_interface(|| {
        let folder = Folder::new("plain-elsewhere");
        let [one, two] = clone(&folder);
        run("iptables -t mangle -I PREROUTING -d 10.9.0.100 -i other -j DROP");
        let plain = plain(&folder, &[]);
        assert_eq!((one.stop(), two.stop()), (Rest::Others, Rest::Nobody));
        assert_eq!(rules(VIP), [DROP.replace("v0", "other")]);
        one.start();
        assert_eq!(plain.stop(), Rest::Nobody);
        assert_eq!(rules(VIP), [DROP.replace("v0", "other")]);
    });
}
