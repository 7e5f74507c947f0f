// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What instances of a promotable clone are told of each other, held against what Pacemaker
//! documents: who is what before a change, and what is going to change.

use super::promotion::{is_promoted_on, promotable};
use super::{load, settle};
use crate::checks::{Check, Evidence};
use crate::cluster::{Cluster, NODES};
use crate::journal::{self, Call};
use crate::{Error, Result, executor};
use std::collections::BTreeMap;

/// Notifications.
pub const ALL: &[Check] = &[Check {
    name: "notifications of a promotable clone tell what happens",
    run: notifications_tell,
}];

const ID: &str = "lab-told";

/// The lists that come in pairs: instances, and the nodes they are on.
const PAIRS: [&str; 9] =
    ["start", "stop", "promote", "demote", "active", "promoted", "unpromoted", "master", "slave"];

/// One call of notify: a moment (`pre` or `post`) of an operation, and the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    moment: String,
    operation: String,
    /// Nodes by instance, for each list of [`PAIRS`].
    lists: BTreeMap<&'static str, BTreeMap<String, String>>,
    inactive: Vec<String>,
}

impl Notice {
    /// Reads what the agent was given; whatever isn't as documented is an error.
    fn read(call: &Call) -> Result<Self> {
        let value = |name: &str| {
            let value = call.meta(&format!("notify_{name}"));
            value.ok_or_else(|| Error::new(format!("notify_{name} is not there")))
        };
        let (moment, operation) = (value("type")?.to_owned(), value("operation")?.to_owned());
        let done = match operation.as_str() {
            "start" => "running",
            "stop" => "stopped",
            "promote" => "promoted",
            "demote" => "demoted",
            other => return Err(Error::new(format!("notify_operation is '{other}'"))),
        };
        let key = if moment == "pre" { operation.as_str() } else { done };
        if value("key_type")? != moment || value("key_operation")? != key {
            let (moment, key) = (value("key_type")?, value("key_operation")?);
            return Err(Error::new(format!("the key of {operation} is {moment} {key}")));
        }
        let mut lists = BTreeMap::new();
        for name in PAIRS {
            let instances = words(name, value(&format!("{name}_resource"))?)?;
            let nodes = words(name, value(&format!("{name}_uname"))?)?;
            if instances.len() != nodes.len() {
                return Err(Error::new(format!(
                    "the lists of {name} are {} on {}",
                    instances.join(" "),
                    nodes.join(" ")
                )));
            }
            lists.insert(name, instances.into_iter().zip(nodes).collect());
        }
        for name in ["all_uname", "available_uname"] {
            let mut nodes = words(name, value(name)?)?;
            nodes.sort();
            if nodes != NODES {
                return Err(Error::new(format!("notify_{name} is {}", nodes.join(" "))));
            }
        }
        let inactive = words("inactive", value("inactive_resource")?)?;
        Ok(Self { moment, operation, lists, inactive })
    }

    /// The nodes of a list, sorted.
    fn nodes(&self, name: &str) -> Vec<&str> {
        let list = self.lists.get(name);
        let mut nodes: Vec<_> = list.into_iter().flatten().map(|(_, node)| node.as_str()).collect();
        nodes.sort_unstable();
        nodes
    }

    fn words(&self) -> String {
        format!("{}-{}", self.moment, self.operation)
    }

    /// As a line for people: what isn't empty.
    fn shown(&self) -> String {
        let list = |name: &&str| {
            let nodes = self.nodes(name);
            (!nodes.is_empty()).then(|| format!("{name}={}", nodes.join("+")))
        };
        let shown: Vec<_> = PAIRS[..7].iter().filter_map(list).collect();
        format!("{}: {}", self.words(), shown.join(" "))
    }

    /// What holds in every notice.
    fn check(&self) -> Result<()> {
        let list = |name: &str| self.lists.get(name).cloned().unwrap_or_default();
        let mut active = list("promoted");
        active.extend(list("unpromoted"));
        if active != list("active") {
            return Err(Error::new("active is not promoted and unpromoted together"));
        }
        if list("master") != list("promoted") || list("slave") != list("unpromoted") {
            return Err(Error::new("the old names of the roles have other lists than the new"));
        }
        if self.inactive.iter().any(|instance| active.contains_key(instance)) {
            return Err(Error::new(format!("{} is inactive and active", self.inactive.join(" "))));
        }
        Ok(())
    }

    /// An error unless exactly these lists have these nodes. Those of the state are not asked for.
    fn expect(&self, wanted: &[(&str, &[&str])]) -> Result<()> {
        for (name, nodes) in wanted {
            if self.nodes(name) != *nodes {
                return Err(Error::new(format!(
                    "{name} is '{}', not '{}'",
                    self.nodes(name).join(" "),
                    nodes.join(" ")
                )));
            }
        }
        Ok(())
    }

    /// The nodes that will be promoted when what is announced is done.
    fn promoted_after(&self) -> Vec<&str> {
        let demoted = self.nodes("demote");
        let stays = self.nodes("promoted").into_iter().filter(|node| !demoted.contains(node));
        stays.chain(self.nodes("promote")).collect()
    }
}

/// The words of a list; an empty one is a blank, never nothing.
fn words(name: &str, list: &str) -> Result<Vec<String>> {
    if list.is_empty() {
        return Err(Error::new(format!("the list of {name} is nothing at all, not a blank")));
    }
    Ok(list.split_whitespace().map(str::to_owned).collect())
}

/// The notices on a node since the journal was begun. Where a transition is given up and made anew,
/// Pacemaker announces a thing twice; the last one counts.
fn notices(cluster: &Cluster, node: &str) -> Result<Vec<Notice>> {
    let calls = journal::read(cluster, node)?;
    let mut notices: Vec<Notice> = Vec::new();
    for call in calls.iter().filter(|call| call.action == "notify" && call.instance() == ID) {
        let notice = Notice::read(call)
            .and_then(|notice| notice.check().map(|()| notice))
            .map_err(|error| error.during(format!("a notification on {node}")))?;
        if notices.last().is_some_and(|last| last.words() == notice.words()) {
            notices.pop();
        }
        notices.push(notice);
    }
    Ok(notices)
}

/// An error unless these notices came to a node, in this order and no others.
fn expect_notices(node: &str, notices: &[Notice], wanted: &[&str]) -> Result<()> {
    let seen: Vec<_> = notices.iter().map(Notice::words).collect();
    if seen == wanted {
        return Ok(());
    }
    let (seen, wanted) = (seen.join(", "), wanted.join(", "));
    Err(Error::new(format!("the notifications on {node} are {seen}, not {wanted}")))
}

fn notifications_tell(cluster: &Cluster) -> Result<Evidence> {
    load(cluster, &promotable(ID, "Stateful", "notify=true"))?;
    let from = cluster
        .wait("one being promoted", |status| Ok(status.place(ID, "Promoted").map(str::to_owned)))?;
    is_promoted_on(cluster, ID, "Stateful", &from)?;
    let to = cluster.other(&from);
    let mut evidence = promotion_is_told(cluster, &from, to)?;
    evidence.extend(leaving_is_told(cluster, &from, to)?);
    evidence.extend(every_notify_succeeds(cluster)?);
    Ok(evidence)
}

/// The promoted role goes from one node to the other.
fn promotion_is_told(cluster: &Cluster, from: &str, to: &str) -> Result<Evidence> {
    journal::forget(cluster)?;
    let set = ["crm_attribute", "--promotion=lab-told", "--node", to, "--lifetime", "reboot"];
    cluster.ok(set.into_iter().chain(["--update", "1000"]))?;
    is_promoted_on(cluster, ID, "Stateful", to)?;
    let (first, second) = (notices(cluster, from)?, notices(cluster, to)?);
    let wanted = ["pre-demote", "post-demote", "pre-promote", "post-promote"];
    for (node, notices) in [(from, &first), (to, &second)] {
        expect_notices(node, notices, &wanted)?;
    }
    for (one, other) in first.iter().zip(&second) {
        if one != other {
            let (one, other) = (one.shown(), other.shown());
            return Err(Error::new(format!("{from} was told {one}, and {to} {other}")));
        }
        let roles: &[(&str, &[&str])] = match one.operation.as_str() {
            "demote" => &[("demote", &[from]), ("promoted", &[from]), ("unpromoted", &[to])],
            _ => &[("promote", &[to])],
        };
        let quiet: &[(&str, &[&str])] = &[("start", &[]), ("stop", &[]), ("active", &NODES)];
        let expected = one.expect(roles).and_then(|()| one.expect(quiet));
        expected.map_err(|error| error.during(one.shown()))?;
        let after = one.promoted_after();
        if one.operation == "promote" && after != [to] {
            return Err(Error::new(format!("{}: promoted after it: {after:?}", one.shown())));
        }
    }
    let whole = |action: &str| format!("{action} {ID}");
    let acts = [
        (from, ["notify", "demote", "notify", "notify", "notify"]),
        (to, ["notify", "notify", "notify", "promote", "notify"]),
    ];
    for (node, acts) in acts {
        let acts = acts.map(whole);
        let acts: Vec<_> = acts.iter().map(String::as_str).collect();
        super::expect_order(node, &journal::acts(cluster, node)?, &acts)?;
    }
    Ok(first.iter().map(Notice::shown).collect())
}

/// The unpromoted instance goes, and comes again.
fn leaving_is_told(cluster: &Cluster, left: &str, kept: &str) -> Result<Evidence> {
    let clone = "lab-told-clone";
    let mut evidence = Evidence::new();
    for (operation, at_left, at_kept) in [
        ("stop", ["pre-stop"], ["pre-stop", "post-stop"]),
        ("start", ["post-start"], ["pre-start", "post-start"]),
    ] {
        journal::forget(cluster)?;
        match operation {
            "stop" => cluster.ok(["crm_resource", "--ban", "-r", clone, "--node", left])?,
            _ => cluster.ok(["crm_resource", "--clear", "-r", clone])?,
        };
        let count = if operation == "stop" { 1 } else { 2 };
        cluster.wait(&format!("{ID} having {count} instances"), |status| {
            let active = status.instances(ID).filter(|instance| instance.is_active);
            Ok((active.count() == count).then_some(()))
        })?;
        settle(cluster)?;
        let (here, there) = (notices(cluster, left)?, notices(cluster, kept)?);
        expect_notices(left, &here, &at_left)?;
        expect_notices(kept, &there, &at_kept)?;
        for notice in here.iter().chain(&there) {
            let active: &[&str] = if operation == "stop" { &NODES } else { &[kept] };
            let quiet: &[(&str, &[&str])] = &[("promote", &[]), ("demote", &[])];
            notice
                .expect(&[(operation, &[left]), ("active", active), ("promoted", &[kept])])
                .and_then(|()| notice.expect(quiet))
                .map_err(|error| error.during(notice.shown()))?;
            let inactive = usize::from(operation == "start");
            if notice.inactive.len() != inactive {
                let inactive = notice.inactive.join(" ");
                return Err(Error::new(format!("{}: inactive is {inactive}", notice.shown())));
            }
        }
        evidence.extend(there.iter().map(Notice::shown));
    }
    Ok(evidence)
}

/// Pacemaker ignores a notify that fails, and its controller calls it ok: only the executor knows.
fn every_notify_succeeds(cluster: &Cluster) -> Result<Evidence> {
    let mut evidence = Evidence::new();
    for node in NODES {
        let mut calls = executor::calls(cluster.node(node)?)?;
        calls.retain(|call| call.resource == ID && call.task == "notify");
        if let Some(call) = calls.iter().find(|call| call.code != Some(0)) {
            return Err(Error::new(format!("a notify failed: {}", call.line)));
        }
        if calls.is_empty() {
            return Err(Error::new(format!("the log of {node} tells of no notify")));
        }
        evidence.push(format!("{node}: each of {} calls of notify answered 0", calls.len()));
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call as Pacemaker 2.1.5 made it when node1 was about to be demoted for node2.
    fn call(changes: &[(&str, &str)]) -> Call {
        let mut values = BTreeMap::from([
            ("type", "pre"),
            ("operation", "demote"),
            ("key_type", "pre"),
            ("key_operation", "demote"),
            ("all_uname", "node1 node2"),
            ("available_uname", "node2 node1"),
            ("inactive_resource", " "),
            ("start_resource", " "),
            ("start_uname", " "),
            ("stop_resource", " "),
            ("stop_uname", " "),
            ("promote_resource", "s:1"),
            ("promote_uname", "node2"),
            ("demote_resource", "s:0"),
            ("demote_uname", "node1"),
            ("active_resource", "s:0 s:1"),
            ("active_uname", "node1 node2"),
            ("promoted_resource", "s:0"),
            ("promoted_uname", "node1"),
            ("unpromoted_resource", "s:1"),
            ("unpromoted_uname", "node2"),
            ("master_resource", "s:0"),
            ("master_uname", "node1"),
            ("slave_resource", "s:1"),
            ("slave_uname", "node2"),
        ]);
        values.extend(changes.iter().copied());
        let name = |name: &str| format!("OCF_RESKEY_CRM_meta_notify_{name}");
        let environment = values.iter().map(|(key, value)| (name(key), (*value).to_owned()));
        Call { action: "notify".into(), environment: environment.collect() }
    }

    #[test]
    fn a_notice_tells_who_is_promoted_afterwards() {
        let notice = Notice::read(&call(&[])).expect("as documented");
        assert_eq!(notice.check(), Ok(()));
        assert_eq!(notice.promoted_after(), ["node2"]);
        assert_eq!(notice.expect(&[("demote", &["node1"]), ("start", &[])]), Ok(()));
        assert!(notice.expect(&[("demote", &["node2"])]).is_err());
        assert!(notice.expect(&[("demote", &[])]).is_err());
    }

    #[test]
    fn data_that_is_not_as_documented_is_told() {
        let wrong = |changes: &[(&str, &str)]| {
            let notice = Notice::read(&call(changes));
            notice.and_then(|notice| notice.check()).expect_err("not as documented").to_string()
        };
        assert!(
            wrong(&[("key_operation", "demoted")]).contains("the key of demote is pre demoted")
        );
        assert!(wrong(&[("type", "post")]).contains("the key of demote is pre demote"));
        assert!(wrong(&[("stop_uname", "")]).contains("the list of stop is nothing at all"));
        assert!(wrong(&[("stop_uname", "node1")]).contains("the lists of stop are"));
        assert!(wrong(&[("all_uname", "node1")]).contains("all_uname is node1"));
        assert!(wrong(&[("active_resource", "s:1 s:0")]).contains("active is not"));
        assert!(wrong(&[("master_uname", "node2")]).contains("the old names"));
        assert!(wrong(&[("inactive_resource", "s:1")]).contains("s:1 is inactive and active"));
    }
}
