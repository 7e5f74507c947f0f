// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every check on shell agents that can really run in namespaces of a test's own: what the tester
//! says of them is in these tables, where each finding was confirmed by hand. One that isn't there is
//! a false alarm or a new check's first find; a row that is not found any more fails, too.

use ocf_tester::agent::Invocation;
use ocf_tester::scratch::Scratch;
use peers::collection::{INSTALLED, Peers};
use peers::program::{call, succeed, told};
use peers::{Outcome, claim, place};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// No run takes longer on any machine.
const LIMIT: Duration = Duration::from_secs(280);

/// What chance decides: at which call a start is killed, and which of two is quicker.
const OF_CHANCE: &str = "KILL-*,START-07";

/// With another target a link is somebody else's for symlink, which it is right not to remove: after
/// a life with odd values the usual stop can't succeed.
const OF_LINKS: &str = "VAL-05";

/// What no check of the shell agents' library is about: it never looks at the version of its caller.
const ANY_API: &str = "ENV-03";

/// A check that fails, what it has to have seen, and why that is true.
type Row = (&'static str, &'static str, &'static str);

const STRICT: &str = "it counts its arguments, and refuses a further one";
const VALIDATES: &str = "it validates before every action, stop included";
const TAKES_ALL: &str = "validate-all doesn't look at it";

/// One agent with its parameters.
struct Case {
    agent: &'static str,
    parameters: &'static [&'static str],
    known: &'static [Row],
}

/// Runs the command on an agent in its place, and compares what it finds with the table.
fn judge(case: &Case) -> Outcome {
    // Other tests' resources have the same name, and keep their states there.
    place::empty("/run")?;
    std::fs::create_dir_all("/run/resource-agents")?;
    let stand_ins = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ocf-tester/tests/stand-ins");
    for name in ["attrd_updater", "crm_attribute"] {
        place::replace(&Path::new("/usr/sbin").join(name), &Path::new(stand_ins).join(name))?;
    }
    succeed(&call("ip", &["link", "set", "lo", "up"])?)?;
    let mut test = Invocation::new(tester()?, "").limit(LIMIT);
    let options =
        ["-n", "peer", "--level", "should", "--seed", "1", "--skip", OF_CHANCE, "--format", "json"];
    test.arguments = options.map(Into::into).to_vec();
    test = test.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if case.agent == "heartbeat/symlink" {
        test = test.argument("--skip").argument(OF_LINKS);
    }
    for parameter in case.parameters {
        test = test.argument("-o").argument(parameter);
    }
    let done = test.argument(Path::new(INSTALLED).join(case.agent)).run()?;
    compare(case, &String::from_utf8_lossy(&done.stdout)).map_err(|why| {
        format!("{why:?}\n(the command answered {})", told(&done).lines().next().unwrap_or(""))
            .into()
    })
}

/// The command as it ships, beside the staged agents.
fn tester() -> Outcome<std::path::PathBuf> {
    let agents = Peers::find("heartbeat/Dummy")?.ours;
    let usr = agents.ancestors().nth(5).ok_or("the stage has no usr")?;
    let path = usr.join("bin/ocf-tester");
    claim(path.is_file(), format!("there is no {}: run `make stage`", path.display()))?;
    Ok(path)
}

fn compare(case: &Case, report: &str) -> Outcome {
    let events: Vec<Value> =
        report.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = events.last().ok_or("the tester says nothing")?;
    claim(last["event"] == "finished", format!("the run has no end: {last}"))?;
    claim(last["left"] == serde_json::json!([]), format!("left: {}", last["left"]))?;
    let of = |verdict: &'static str| {
        events.iter().filter(move |one| one["event"] == "check" && one["verdict"] == verdict)
    };
    let passed = of("passed").count();
    claim(passed > 40, format!("only {passed} checks passed: it can't have run"))?;
    claim(of("broken").count() == 0, "the tester could not do its work")?;
    let mut unexpected = Vec::new();
    let mut found = BTreeSet::new();
    for check in of("failed") {
        let id = check["id"].as_str().unwrap_or_default();
        for failure in check["failures"].as_array().into_iter().flatten() {
            let text = format!("{} / {}", failure["expected"], failure["seen"]);
            let row =
                case.known.iter().find(|(known, what, _)| *known == id && text.contains(what));
            match row {
                _ if id == ANY_API => drop(found.insert((ANY_API, "", ""))),
                Some(row) => drop(found.insert(*row)),
                None => unexpected.push(format!("{id}: {text}")),
            }
        }
    }
    claim(unexpected.is_empty(), format!("{}: {}", case.agent, unexpected.join("\n")))?;
    let mut known: BTreeSet<Row> = case.known.iter().copied().collect();
    known.insert((ANY_API, "", ""));
    let gone: Vec<_> = known.difference(&found).collect();
    claim(gone.is_empty(), format!("{}: not found any more: {gone:#?}", case.agent))
}

/// A network device with an address, and its other end.
fn make_device() -> Outcome {
    for words in [
        "link add d0 type veth peer name d1",
        "link set d1 up",
        "address add 10.9.0.1/24 dev d0",
        "link set d0 up",
    ] {
        succeed(&call("ip", &words.split(' ').collect::<Vec<_>>())?)?;
    }
    Ok(())
}

fn plain(test: &str, case: &Case) -> Outcome {
    place::alone(test, || judge(case))
}

fn with_device(test: &str, case: &Case) -> Outcome {
    place::alone(test, || make_device().and_then(|()| judge(case)))
}

#[test]
fn heartbeat_dummy() -> Outcome {
    let case = Case { agent: "heartbeat/Dummy", parameters: &[], known: &[] };
    plain("heartbeat_dummy", &case)
}

#[test]
fn pacemaker_dummy() -> Outcome {
    let case = Case { agent: "pacemaker/Dummy", parameters: &[], known: &[] };
    plain("pacemaker_dummy", &case)
}

const STOPS_ONLY_UNPROMOTED: Row =
    ("PRO-06", "8", "its stop asks monitor first and gives up when that says promoted");

const WRITES_BLINDLY: Row =
    ("START-04", "monitor 7", "its start doesn't look whether its file could be written");

#[test]
fn heartbeat_stateful() -> Outcome {
    let known = &[STOPS_ONLY_UNPROMOTED, WRITES_BLINDLY];
    plain("heartbeat_stateful", &Case { agent: "heartbeat/Stateful", parameters: &[], known })
}

#[test]
fn pacemaker_stateful() -> Outcome {
    let known = &[STOPS_ONLY_UNPROMOTED, WRITES_BLINDLY];
    plain("pacemaker_stateful", &Case { agent: "pacemaker/Stateful", parameters: &[], known })
}

#[test]
fn symlink() -> Outcome {
    let known = &[("INV-02", "2", STRICT), ("STOP-07", "link is unset", VALIDATES)];
    place::alone("symlink", || {
        let scratch = Scratch::new("symlink")?;
        let target = scratch.path().join("target");
        std::fs::write(&target, "x")?;
        let parameters = [
            format!("target={}", target.display()),
            format!("link={}", scratch.path().join("link").display()),
        ];
        let parameters: Vec<&'static str> =
            parameters.into_iter().map(|text| &*Box::leak(text.into_boxed_str())).collect();
        judge(&Case { agent: "heartbeat/symlink", parameters: Vec::leak(parameters), known })
    })
}

#[test]
fn route() -> Outcome {
    let known = &[
        ("STOP-07", "numeric destination", VALIDATES),
        ("USE-50", "2 exit reasons", "it says one for the address family and one for the rest"),
        ("USE-51", "1", "what ip(8) refuses of hostile values is only logged"),
    ];
    let parameters = &["destination=10.77.0.0/24", "device=d0", "gateway=10.9.0.254"];
    with_device("route", &Case { agent: "heartbeat/Route", parameters, known })
}

#[test]
fn address() -> Outcome {
    let known = &[
        ("VAL-02", "lvs_ipv6_addrlabel_value", TAKES_ALL),
        ("VAL-02", "arp_count_refresh", TAKES_ALL),
        ("STOP-07", "arp_interval", VALIDATES),
        (
            "EXIT-01",
            "255",
            "a hostile value ends the shell in the middle of an arithmetic expression",
        ),
        ("USE-51", "255", "the same, in start"),
        ("VAL-05", "network_namespace", "a name of two words ends the shell with 255"),
        ("MD-19", "netmask", "the older agent's parameter, which it still reads"),
        ("VAL-06", "lvs_support", TAKES_ALL),
        ("VAL-06", "lvs_ipv6_addrlabel", TAKES_ALL),
        ("VAL-06", "unique_clone_address", TAKES_ALL),
        ("VAL-06", "flush_routes", TAKES_ALL),
    ];
    let parameters = &["ip=10.9.0.5", "cidr_netmask=24", "nic=d0"];
    with_device("address", &Case { agent: "heartbeat/IPaddr2", parameters, known })
}

#[test]
fn source_address() -> Outcome {
    let known = &[
        ("INV-02", "2", STRICT),
        (
            "STOP-04",
            "does not match",
            "after its stop the route has a source, which isn't the address",
        ),
        ("STOP-03", "from 10.9.0.1", "a route without a source gets one, and keeps it"),
        ("STOP-07", "does not match", "as STOP-04"),
        ("VAL-05", "does not match", "as STOP-04"),
    ];
    let parameters = &["ipaddress=10.9.0.7", "cidr_netmask=24"];
    place::alone("source_address", || {
        make_device()?;
        for words in ["address add 10.9.0.7/24 dev d0", "route add default via 10.9.0.254 dev d0"] {
            succeed(&call("ip", &words.split(' ').collect::<Vec<_>>())?)?;
        }
        judge(&Case { agent: "heartbeat/IPsrcaddr", parameters, known })
    })
}

#[test]
fn system_information() -> Outcome {
    let known = &[("INV-02", "2", STRICT), ("VAL-03", "disk_unit", TAKES_ALL), WRITES_BLINDLY];
    let parameters = &["min_disk_free=1M", "disks=/"];
    plain("system_information", &Case { agent: "pacemaker/SysInfo", parameters, known })
}

#[test]
fn older_system_information() -> Outcome {
    let known = &[("INV-02", "2", STRICT), WRITES_BLINDLY];
    plain("older_system_information", &Case { agent: "heartbeat/SysInfo", parameters: &[], known })
}

#[test]
fn speed_of_interface() -> Outcome {
    let known = &[
        ("VAL-02", "weight_base", TAKES_ALL),
        ("VAL-02", "dampen", TAKES_ALL),
        ("USE-51", "1", "a start that can't tell the speed gives no reason"),
        WRITES_BLINDLY,
    ];
    with_device(
        "speed_of_interface",
        &Case { agent: "pacemaker/ifspeed", parameters: &["iface=d0"], known },
    )
}

#[test]
fn reachable_hosts() -> Outcome {
    let known = &[
        ("META-03", "dampen", "an integer that is a time with a unit"),
        ("VAL-02", "dampen", TAKES_ALL),
        ("VAL-02", "multiplier", TAKES_ALL),
        ("VAL-02", "attempts", TAKES_ALL),
        ("VAL-02", "timeout", TAKES_ALL),
        ("VAL-02", "failure_score", TAKES_ALL),
        ("VAL-06", "use_fping", TAKES_ALL),
        ("MD-18", "7", "with the default of name set, the state is kept in another file"),
        WRITES_BLINDLY,
    ];
    let parameters = &["host_list=127.0.0.1", "attempts=1", "timeout=1"];
    plain("reachable_hosts", &Case { agent: "pacemaker/ping", parameters, known })
}
