// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who else needs the address, and who only seems to.

use super::*;

fn two_of(folder: &Folder) -> [Instance; 2] {
    [0, 1].map(|number| Instance::new(folder, VIP, number, &[]))
}

/// Rules that were saved while the other instance was here, and restored when it no longer was.
fn restore(rule: &str) {
    run(&format!("iptables -t mangle -I {}", &rule[3..]));
}

#[test]
fn a_restored_rule_of_an_instance_that_runs_nowhere_keeps_no_address() {
    with_interface(|| {
        let folder = Folder::new("restored");
        let [one, two] = two_of(&folder);
        one.start();
        two.start();
        assert_eq!((one.stop(), two.stop()), (Rest::Others, Rest::Nobody));
        // All of them came back before the start...
        restore(DROP);
        restore(&bucket(1));
        restore(&bucket(2));
        one.start();
        assert_eq!(rules(VIP), [bucket(1), DROP.to_owned()]);
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert!(rules(VIP).is_empty() && folder.is_empty());
        // ... the other one's came back later...
        one.start();
        restore(&bucket(2));
        assert_eq!(one.stop(), Rest::Nobody);
        assert!(rules(VIP).is_empty() && one.left().is_empty() && folder.is_empty());
        // ... or nobody ever started.
        restore(DROP);
        restore(&bucket(2));
        assert_eq!(one.left().len(), 2);
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert!(rules(VIP).is_empty() && folder.is_empty());
    });
}

/// The shell agent started both; ours took its place while they ran.
#[test]
fn an_instance_that_the_shell_agent_started_is_known_once_it_was_monitored() {
    with_interface(|| {
        let folder = Folder::new("monitored");
        let [one, two] = two_of(&folder);
        let shell_start = || {
            restore(DROP);
            restore(&bucket(1));
            restore(&bucket(2));
            ip("maddr add 23:74:d1:00:a3:5f dev v0");
        };
        shell_start();
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        two.sharing().note_running(&two.context, &link());
        assert!(two.sharing().is_started() && !one.sharing().is_started());
        assert_eq!((one.stop(), one.left()), (Rest::Others, Vec::new()));
        assert_eq!(rules(VIP), [bucket(2), DROP.to_owned()]);
        one.start();
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        assert_eq!((two.stop(), one.stop()), (Rest::Others, Rest::Nobody));
        assert!(rules(VIP).is_empty() && one.left().is_empty() && folder.is_empty());
        // Nobody looked before the first stop: the address goes, and every monitor says so.
        shell_start();
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert_eq!((rules(VIP).is_empty(), two.state()), (true, Share::Nothing));
        assert!(folder.is_empty());
    });
}

/// Where nothing can be remembered no instance takes the other one's rule for a stranger's.
#[test]
fn instances_without_a_memory_leave_each_other_alone() {
    with_interface(|| {
        let folder = Folder::new("forgetful");
        let [one, two] = two_of(&folder);
        fs::create_dir(one.sharing().memory_file.path()).unwrap();
        one.start();
        two.start();
        one.start();
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        two.sharing().note_running(&two.context, &link());
        // A stop can't tell then whether it is the last one, and takes the address away.
        assert_eq!(one.stop(), Rest::Nobody);
        assert!(rules(VIP).is_empty() && one.left().is_empty());
    });
}

/// A start may write nothing down any more: what it needs is remembered already.
#[test]
fn a_start_goes_on_when_only_who_started_can_not_be_written() {
    with_interface(|| {
        let folder = Folder::new("unwritable");
        let [one, two] = two_of(&folder);
        one.start();
        let memory = one.sharing().memory_file.path().to_owned();
        let text = fs::read(&memory).unwrap();
        // A write puts its file beside this one first.
        let beside = memory.with_file_name(format!(
            "{}.{}.new",
            memory.file_name().unwrap().to_str().unwrap(),
            std::process::id()
        ));
        fs::create_dir(&beside).unwrap();
        two.start();
        assert_eq!(fs::read(&memory).unwrap(), text);
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        fs::remove_dir(&beside).unwrap();
        two.start();
        assert_eq!((one.stop(), two.stop()), (Rest::Others, Rest::Nobody));
    });
}

/// The same address on another interface is another resource's.
#[test]
fn the_same_address_on_two_interfaces_is_shared_on_each_by_itself() {
    with_interface(|| {
        ip("link add u0 type veth peer name q0");
        ip("link set u0 up");
        let folder = Folder::new("interfaces");
        let mangle = ("clusterip_mac_mangle", "true");
        let on = |nic: &str, number| Instance::new(&folder, VIP, number, &[("nic", nic), mangle]);
        let [one, two] = [on("v0", 0), on("u0", 1)];
        let other = Kernel::open().unwrap().find_link("u0").unwrap().unwrap();
        let on_other = |rule: &str| rule.replace("v0", "u0");
        one.start();
        let first = [bucket(1), DROP.to_owned()];
        two.sharing().start(&two.context, &other).unwrap();
        let second = [on_other(&bucket(2)), on_other(DROP)];
        assert_eq!(rules(VIP), [second.clone(), first.clone()].concat());
        assert_eq!(one.state(), Share::Served);
        assert_eq!(two.sharing().state(&two.context, &other), Ok(Share::Served));
        // One stops, whichever: the other one keeps all that it needs.
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert_eq!(rules(VIP), second);
        assert_eq!(two.sharing().state(&two.context, &other), Ok(Share::Served));
        one.start();
        assert_eq!(rules(VIP), [first.clone(), second].concat());
        assert_eq!(two.sharing().stop(&two.context), Ok(Rest::Nobody));
        two.sharing().clear(&two.context, Some(&other)).unwrap();
        assert_eq!(rules(VIP), first);
        assert_eq!(one.state(), Share::Served);
        // The same bucket's rule on the other interface isn't this instance's either.
        let same = on("u0", 0);
        same.sharing().start(&same.context, &other).unwrap();
        assert_eq!(one.stop(), Rest::Nobody);
        assert_eq!(rules(VIP), [on_other(&bucket(1)), on_other(DROP)]);
        assert_eq!(same.sharing().stop(&same.context), Ok(Rest::Nobody));
        same.sharing().clear(&same.context, Some(&other)).unwrap();
        assert!(rules(VIP).is_empty() && folder.is_empty());
        assert_eq!(run("arptables -S OUTPUT"), "-P OUTPUT ACCEPT\n");
    });
}
