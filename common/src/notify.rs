// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What Pacemaker tells the instances of a clone about each other. Present in `notify`, and in start,
//! stop, promote and demote of a clone with `notify=true`, but not in its monitors. All of it
//! describes the state *before* the transition.

use crate::environment::Environment;

/// When a notification comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the operation.
    Pre,
    /// After it.
    Post,
}

/// The operation it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Instances are started.
    Start,
    /// Instances are stopped.
    Stop,
    /// Instances are promoted.
    Promote,
    /// Instances are demoted.
    Demote,
}

/// An instance and the node it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The instance's name. In an anonymous clone it carries a number as well, which the instance's
    /// own name doesn't: to find oneself there, compare nodes.
    pub resource: String,
    /// The node's name.
    pub node: String,
}

/// The lists, with the planned changes not yet applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Before or after; `None` outside the `notify` action.
    pub moment: Option<Moment>,
    /// What is done; `None` outside the `notify` action.
    pub operation: Option<Operation>,
    /// To be started.
    pub start: Vec<Member>,
    /// To be stopped.
    pub stop: Vec<Member>,
    /// To be promoted.
    pub promote: Vec<Member>,
    /// To be demoted.
    pub demote: Vec<Member>,
    /// Active in any role.
    pub active: Vec<Member>,
    /// Promoted.
    pub promoted: Vec<Member>,
    /// Unpromoted.
    pub unpromoted: Vec<Member>,
    /// Names of instances that are not active.
    pub inactive: Vec<String>,
    /// Nodes where instances may run.
    pub available: Vec<String>,
    /// Every node, in the order of [`Self::all_hosts`].
    pub all_nodes: Vec<String>,
    /// The physical host of every node (bundles); `NA` where unknown, the node itself where its
    /// container doesn't run yet.
    pub all_hosts: Vec<String>,
}

impl Notification {
    /// The data of a call, `None` when it carries none.
    #[must_use]
    pub fn of(environment: &Environment) -> Option<Self> {
        let get = |name: &str| environment.meta(&format!("notify_{name}"));
        get("type").or_else(|| get("all_uname")).or_else(|| get("active_uname"))?;
        // Lists are separated by blanks; an empty one is a single blank.
        let words = |name: &str| -> Vec<String> {
            get(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let members = |name: &str, legacy: &str| -> Vec<Member> {
            let name = if get(&format!("{name}_resource")).is_some() { name } else { legacy };
            let pair = words(&format!("{name}_resource")).into_iter();
            pair.zip(words(&format!("{name}_uname")))
                .map(|(resource, node)| Member { resource, node })
                .collect()
        };
        Some(Self {
            moment: get("type").and_then(|word| match word {
                "pre" => Some(Moment::Pre),
                "post" => Some(Moment::Post),
                _ => None,
            }),
            operation: get("operation").and_then(operation),
            start: members("start", "start"),
            stop: members("stop", "stop"),
            promote: members("promote", "promote"),
            demote: members("demote", "demote"),
            active: members("active", "active"),
            promoted: members("promoted", "master"),
            unpromoted: members("unpromoted", "slave"),
            inactive: words("inactive_resource"),
            available: words("available_uname"),
            all_nodes: words("all_uname"),
            all_hosts: words("all_hosts"),
        })
    }

    /// The physical host of a node, where Pacemaker knows one (bundles).
    #[must_use]
    pub fn host_of(&self, node: &str) -> Option<&str> {
        let at = self.all_nodes.iter().position(|name| name == node)?;
        self.all_hosts.get(at).map(String::as_str).filter(|host| *host != "NA")
    }
}

fn operation(word: &str) -> Option<Operation> {
    match word {
        "start" => Some(Operation::Start),
        "stop" => Some(Operation::Stop),
        "promote" => Some(Operation::Promote),
        "demote" => Some(Operation::Demote),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_one_blank_and_old_names_still_count() {
        let environment: Environment = [
            ("OCF_RESKEY_CRM_meta_notify_type", "post"),
            ("OCF_RESKEY_CRM_meta_notify_operation", "promote"),
            ("OCF_RESKEY_CRM_meta_notify_stop_resource", " "),
            ("OCF_RESKEY_CRM_meta_notify_stop_uname", " "),
            ("OCF_RESKEY_CRM_meta_notify_master_resource", "r:0 r:1"),
            ("OCF_RESKEY_CRM_meta_notify_master_uname", "a b"),
            ("OCF_RESKEY_CRM_meta_notify_all_uname", "a b"),
            ("OCF_RESKEY_CRM_meta_notify_all_hosts", "host NA"),
        ]
        .into_iter()
        .collect();
        let data = Notification::of(&environment).unwrap();
        assert_eq!(data.moment, Some(Moment::Post));
        assert_eq!(data.operation, Some(Operation::Promote));
        assert!(data.stop.is_empty());
        let second = Member { resource: "r:1".into(), node: "b".into() };
        assert_eq!(data.promoted.get(1), Some(&second));
        assert_eq!((data.host_of("a"), data.host_of("b")), (Some("host"), None));
        assert_eq!(Notification::of(&Environment::default()), None);
    }
}
