// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Shares on an interface of a real namespace, with the real iptables.

#![allow(clippy::disallowed_methods, reason = "tests run iptables(8) and read what it leaves")]

mod agreement;
mod former;
mod mishaps;
mod others;

use super::{Rest, Share, Sharing, multicast, tables};
use crate::Parameters;
use crate::kernel::{Kernel, Link};
use crate::testing::{in_namespace, ip};
use crate::wanted::Wanted;
use ocf::environment::Environment;
use ocf::parameter::{Declared, Reader, Rigour};
use ocf::{Context, State};
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const VIP: &str = "10.9.0.100";
const VIP6: &str = "2001:db8::100";

/// A directory for what is remembered, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ocf-sharing-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One instance, as its environment makes it.
struct Instance {
    sharing: Option<Sharing>,
    parameters: Parameters,
    context: Context,
    wanted: Wanted,
    ip: IpAddr,
}

impl Instance {
    fn new(folder: &Folder, ip: &str, number: u32, more: &[(&str, &str)]) -> Self {
        let meta = |name: &str| format!("OCF_RESKEY_CRM_meta_{name}");
        let mut variables = vec![
            ("OCF_RESOURCE_INSTANCE".to_owned(), format!("vip:{number}")),
            ("HA_RSCTMP".to_owned(), folder.0.display().to_string()),
            ("OCF_RESKEY_ip".to_owned(), ip.to_owned()),
            (meta("clone"), number.to_string()),
            (meta("clone_max"), "2".to_owned()),
            (meta("globally_unique"), "true".to_owned()),
        ];
        for (name, value) in more {
            let name = if name.starts_with("OCF_") || *name == "PATH" {
                (*name).to_owned()
            } else {
                format!("OCF_RESKEY_{name}")
            };
            variables.retain(|(there, _)| *there != name);
            variables.push((name, (*value).to_owned()));
        }
        let environment: Environment = variables.into_iter().collect();
        let mut reader = Reader::new(&environment, Rigour::Lenient);
        let parameters = Parameters::read(&mut reader).unwrap();
        let context = Context::of("start", Duration::from_secs(20), environment).unwrap();
        let ip = ip.parse::<IpAddr>().unwrap();
        let (prefix, broadcast) =
            if ip.is_ipv4() { (24, "10.9.0.255".parse().ok()) } else { (64, None) };
        let wanted = Wanted::of(&parameters, &context).unwrap();
        let sharing = Sharing::of(&parameters, &context, &wanted, Some(prefix), broadcast, None);
        Self { sharing, parameters, context, wanted, ip }
    }

    fn sharing(&self) -> &Sharing {
        self.sharing.as_ref().unwrap()
    }

    fn start(&self) {
        self.sharing().start(&self.context, &link()).unwrap();
    }

    fn stop(&self) -> Rest {
        let rest = self.sharing().stop(&self.context).unwrap();
        if rest == Rest::Nobody {
            self.sharing().clear(&self.context, Some(&link())).unwrap();
        }
        rest
    }

    fn state(&self) -> Share {
        // Whoever is asked, the kernel or iptables, it is the same rules.
        let sharing = self.sharing();
        let listed = sharing.in_chain(&self.context).rules().unwrap();
        assert_eq!(tables::rules(self.ip, &sharing.table, &sharing.chain), Ok(listed));
        sharing.state(&self.context, &link()).unwrap()
    }

    fn left(&self) -> Vec<String> {
        self.sharing().leftovers(&self.context, Some(&link())).unwrap().1
    }
}

fn link() -> Link {
    Kernel::open().unwrap().find_link("v0").unwrap().unwrap()
}

/// A namespace with one interface.
fn with_interface(test: impl FnOnce() + Send + 'static) {
    in_namespace(|| {
        ip("link add v0 type veth peer name p0");
        ip("link set v0 up");
        test();
    });
}

fn run(words: &str) -> String {
    let mut words = words.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The rules of the chain that they are in by default.
fn rules(ip: &str) -> Vec<String> {
    let program = if ip.contains(':') { "ip6tables" } else { "iptables" };
    let list = run(&format!("{program} -t mangle -S PREROUTING"));
    list.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect()
}

/// What the shell agent of August 2026 made for this address, run in such a namespace.
const DROP: &str = "-A PREROUTING -d 10.9.0.100/32 -i v0 -j DROP";

fn bucket(mask: u32) -> String {
    format!(
        "-A PREROUTING -d 10.9.0.100/32 -i v0 -m cluster --cluster-local-nodemask {mask:#010x} \
         --cluster-total-nodes 2 --cluster-hash-seed 0x2374d100 -j ACCEPT"
    )
}

#[test]
fn two_instances_make_the_shell_agents_rules_and_leave_none() {
    with_interface(|| {
        let folder = Folder::new("two");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let two = Instance::new(&folder, VIP, 1, &[]);
        assert_eq!((one.state(), two.state()), (Share::Nothing, Share::Nothing));
        one.start();
        assert_eq!(rules(VIP), [bucket(1), DROP.to_owned()]);
        assert_eq!((one.state(), two.state()), (Share::Served, Share::NotThis));
        two.start();
        let both = [bucket(2), bucket(1), DROP.to_owned()];
        assert_eq!(rules(VIP), both);
        assert!(multicast::is_taken(&link(), &[0x23, 0x74, 0xd1, 0, 0xa3, 0x5f]).unwrap());
        one.start();
        two.start();
        assert_eq!(rules(VIP), both, "a second start doubles nothing");
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        assert_eq!(one.stop(), Rest::Others);
        assert_eq!(rules(VIP), [bucket(2), DROP.to_owned()]);
        assert_eq!((one.left(), two.left().len()), (Vec::new(), 3));
        assert_eq!(one.stop(), Rest::Others);
        assert_eq!(two.stop(), Rest::Nobody);
        assert_eq!(rules(VIP), Vec::<String>::new());
        assert!(!multicast::is_taken(&link(), &[0x23, 0x74, 0xd1, 0, 0xa3, 0x5f]).unwrap());
        assert_eq!((two.stop(), two.left()), (Rest::Nobody, Vec::new()));
        assert!(folder.is_empty());
    });
}

#[test]
fn an_ipv6_address_lets_advertisements_through() {
    with_interface(|| {
        let folder = Folder::new("six");
        let one = Instance::new(&folder, VIP6, 0, &[]);
        one.start();
        one.start();
        let rule = |rest: &str| format!("-A PREROUTING -d 2001:db8::100/128 -i v0 {rest}");
        let made = [
            rule(
                "-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 \
                 --cluster-hash-seed 0x38848739 -j ACCEPT",
            ),
            rule("-p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT"),
            rule("-j DROP"),
        ];
        assert_eq!(rules(VIP6), made);
        assert!(multicast::is_taken(&link(), &[0x33, 0x33, 0x87, 0x39, 0x90, 0xf1]).unwrap());
        assert_eq!(one.state(), Share::Served);
        run(&format!("ip6tables -t mangle -D {}", made[1].trim_start_matches("-A ")));
        assert!(matches!(one.state(), Share::Broken(why) if why.contains("advertisements")));
        one.start();
        assert_eq!(one.state(), Share::Served);
        assert_eq!((one.stop(), one.left()), (Rest::Nobody, Vec::new()));
        assert_eq!(rules(VIP6), Vec::<String>::new());
    });
}

/// Whatever becomes of the rules: monitor says so, start makes them whole, and stop leaves none.
#[test]
fn start_mends_what_became_of_the_rules() {
    with_interface(|| {
        let folder = Folder::new("mend");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let two = Instance::new(&folder, VIP, 1, &[]);
        let delete = |rule: &str| run(&format!("iptables -t mangle -D {}", &rule[3..]));
        let append = |rule: &str| run(&format!("iptables -t mangle {rule}"));
        let flushed = || drop(run("iptables -t mangle -F PREROUTING"));
        let dropless = || drop(delete(DROP));
        let behind = || {
            delete(DROP);
            run(&format!("iptables -t mangle -I {}", &DROP[3..]));
        };
        let doubled = || {
            append(DROP);
            append(&bucket(1));
        };
        let reseeded = || {
            delete(&bucket(1));
            let other = bucket(1).replace("0x2374d100", "0x00000007");
            run(&format!("iptables -t mangle -I {}", &other[3..]));
        };
        let unheard = || drop(run("ip maddr del 23:74:d1:00:a3:5f dev v0"));
        type Damage<'a> = (&'a str, &'a dyn Fn(), &'a str);
        let damages: [Damage<'_>; 6] = [
            ("flushed", &flushed, ""),
            ("dropless", &dropless, "no rule drops"),
            ("behind", &behind, "comes before"),
            ("doubled", &doubled, ""),
            ("reseeded", &reseeded, "seed"),
            ("unheard", &unheard, "does not take frames"),
        ];
        for (name, damage, why) in damages {
            one.start();
            two.start();
            damage();
            match one.state() {
                Share::Broken(what) => assert!(!why.is_empty() && what.contains(why), "{what}"),
                Share::Nothing => assert_eq!(name, "flushed"),
                Share::Served => assert_eq!(name, "doubled"),
                Share::NotThis => panic!("{name}"),
            }
            two.start();
            one.start();
            assert_eq!((one.state(), two.state()), (Share::Served, Share::Served), "{name}");
            assert_eq!((one.stop(), two.stop()), (Rest::Others, Rest::Nobody), "{name}");
            assert_eq!(rules(VIP), Vec::<String>::new(), "{name}");
            assert!(one.left().is_empty() && folder.is_empty(), "{name}");
        }
    });
}

#[test]
fn rules_of_others_stay() {
    with_interface(|| {
        let folder = Folder::new("others");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let others = [
            "-A PREROUTING -d 10.9.0.10/32 -i v0 -j DROP",
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -p tcp -j DROP",
            "-A PREROUTING -d 10.9.0.100/32 -i other -j DROP",
            "-A PREROUTING -d 10.9.0.100/32 -i v0 -m comment --comment \"a b\" -j DROP",
        ];
        for rule in &others[..3] {
            run(&format!("iptables -t mangle {rule}"));
        }
        let mut commented = Command::new("iptables");
        commented.args(["-t", "mangle", "-A", "PREROUTING", "-d", "10.9.0.100", "-i", "v0"]);
        commented.args(["-m", "comment", "--comment", "a b", "-j", "DROP"]);
        assert!(commented.status().unwrap().success());
        one.start();
        assert_eq!(one.stop(), Rest::Nobody);
        assert_eq!(rules(VIP), others);
    });
}

#[test]
fn arp_answers_name_the_shared_address_while_it_is_shared() {
    with_interface(|| {
        let folder = Folder::new("arp");
        let one = Instance::new(&folder, VIP, 0, &[("clusterip_mac_mangle", "true")]);
        let two = Instance::new(&folder, VIP, 1, &[("clusterip_mac_mangle", "true")]);
        run("arptables -I OUTPUT -s 10.9.0.100 -j mangle --mangle-mac-s 01:02:03:04:05:06");
        one.start();
        two.start();
        one.start();
        let made = "-A OUTPUT -j mangle -s 10.9.0.100 --mangle-mac-s 23:74:d1:00:a3:5f\n";
        assert_eq!(run("arptables -S OUTPUT"), format!("-P OUTPUT ACCEPT\n{made}"));
        run("arptables -F OUTPUT");
        assert!(matches!(one.state(), Share::Broken(why) if why.contains("ARP")));
        two.start();
        assert_eq!((one.state(), two.state()), (Share::Served, Share::Served));
        assert_eq!((one.stop(), two.stop()), (Rest::Others, Rest::Nobody));
        assert_eq!(run("arptables -S OUTPUT"), "-P OUTPUT ACCEPT\n");
        assert!(two.left().is_empty() && folder.is_empty());
    });
}

#[test]
fn an_address_is_shared_by_instances_that_have_the_same_one() {
    with_interface(|| {
        let folder = Folder::new("shared");
        let is_shared =
            |more: &[(&str, &str)]| Instance::new(&folder, VIP, 0, more).sharing.is_some();
        assert!(is_shared(&[]));
        assert!(!is_shared(&[("CRM_meta_clone_max", "1")]));
        assert!(!is_shared(&[("unique_clone_address", "true")]));
        let one = Instance::new(&folder, VIP, 0, &[]);
        let lo = Kernel::open().unwrap().find_link("lo").unwrap();
        let of =
            |link| Sharing::of(&one.parameters, &one.context, &one.wanted, Some(32), None, link);
        assert!(of(lo.as_ref()).is_none(), "no client's frame comes in by lo");
        assert!(of(Some(&link())).is_some());
    });
}

#[test]
fn a_monitor_says_who_is_served() {
    with_interface(|| {
        let folder = Folder::new("verdict");
        let one = Instance::new(&folder, VIP, 0, &[]);
        let two = Instance::new(&folder, VIP, 1, &[]);
        let verdict = |of: &Instance| of.sharing().verdict(&of.context, &link());
        let failed = verdict(&one).unwrap_err();
        assert!(failed.reason.contains("answers all clients"), "{failed:?}");
        assert!(failed.reason.len() <= 128, "{failed:?}");
        one.start();
        assert_eq!(verdict(&one), Ok(State::Running));
        assert!(matches!(verdict(&two), Ok(State::Stopped(why)) if why.contains("bucket 2 of 2")));
        one.stop();
    });
}

#[test]
fn instances_take_turns() {
    let folder = Folder::new("turns");
    let one = Instance::new(&folder, VIP, 0, &[]);
    let turn = one.sharing().turn(&one.context).unwrap().unwrap();
    let waiting = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let other = Instance::new(&folder, VIP, 1, &[]);
            other.sharing().turn(&other.context).map(|turn| turn.is_some())
        });
        // That it is still waiting can't be seen from here; what it gets is a file of its own.
        drop(turn);
        other.join().unwrap()
    });
    assert_eq!(waiting, Ok(true));
    assert!(folder.is_empty());
    let held = one.sharing().turn(&one.context).unwrap().unwrap();
    let mut late = one.context.clone();
    late.deadline = one.context.deadline.within(Duration::from_millis(50));
    assert!(one.sharing().turn(&late).unwrap_err().reason.contains("held by another"));
    drop(held);
    assert!(one.sharing().turn_or_not(&one.context).is_some(), "a holder that ended holds nothing");
}
