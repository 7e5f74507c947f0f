// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the cluster says of itself: `crm_mon`'s XML, as far as the lab asks for it.

use crate::{Error, Result};
use quick_xml::events::{BytesStart, Event};

/// One look at the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether a designated controller has been elected.
    pub has_dc: bool,
    /// Every node, remote ones too.
    pub nodes: Vec<Member>,
    /// The ids of bundles; what Pacemaker makes of them is among the resources.
    pub bundles: Vec<String>,
    /// Every instance of every resource.
    pub resources: Vec<Resource>,
    /// Operations in the history, the newest of each kind.
    pub operations: Vec<Operation>,
    /// Failed actions.
    pub failures: Vec<Failure>,
    /// Resources with a fail count, and the count.
    pub fail_counts: Vec<(String, String)>,
    /// Node attributes.
    pub attributes: Vec<Attribute>,
}

/// A node, as the cluster sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "crm_mon says each of them by itself")]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it is part of the cluster and running the controller (or connected, if remote).
    pub is_online: bool,
    /// Whether it is in a state that only fencing ends.
    pub is_unclean: bool,
    /// Whether it still joins or leaves.
    pub is_pending: bool,
    /// Whether it may run nothing.
    pub is_standby: bool,
    /// Whether it is the designated controller.
    pub is_dc: bool,
}

impl Member {
    /// Whether it is online with nothing in the way.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.is_online && !self.is_unclean && !self.is_pending && !self.is_standby
    }
}

/// An attribute of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribute {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An instance of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// What manages it: `ocf:<provider>:<type>`, or `stonith:<agent>`.
    pub agent: String,
    /// `Started`, `Stopped`, `Promoted`, `Unpromoted`…
    pub role: String,
    /// Whether it runs anywhere.
    pub is_active: bool,
    /// Where it runs; empty if nowhere.
    pub node: String,
}

/// An operation that was carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// The node it was carried out on.
    pub node: String,
    /// Id of the resource.
    pub resource: String,
    /// `start`, `monitor`, `promote`…; a reload is kept as `start`.
    pub task: String,
    /// Its number; later ones are higher.
    pub call: u32,
    /// The agent's exit code.
    pub code: i32,
    /// Whether it is repeated.
    pub is_recurring: bool,
    /// How long it took, as Pacemaker's executor measured it, in milliseconds.
    pub milliseconds: u64,
}

/// An action that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Id of the resource.
    pub resource: String,
    /// `start`, `monitor`…
    pub task: String,
    /// The node it failed on.
    pub node: String,
    /// The agent's exit code.
    pub code: i32,
    /// The exit reason; empty if the agent gave none.
    pub reason: String,
    /// What became of the action: `complete`, `Timed Out`…
    pub status: String,
}

/// What the elements of a history belong to.
#[derive(Debug, Default)]
struct History {
    node: String,
    resource: String,
}

impl Status {
    /// Reads the output of `crm_mon --output-as xml`.
    ///
    /// # Errors
    /// It is not well-formed XML.
    pub fn parse(xml: &str) -> Result<Self> {
        let mut reader = quick_xml::Reader::from_str(xml);
        let mut status = Self::default();
        let mut history = History::default();
        loop {
            match reader.read_event() {
                Ok(Event::Start(element) | Event::Empty(element)) => {
                    status.take(&element, &mut history);
                }
                Ok(Event::Eof) => return Ok(status),
                Ok(_) => {}
                Err(e) => return Err(Error::new(format!("crm_mon's XML cannot be read: {e}"))),
            }
        }
    }

    fn take(&mut self, element: &BytesStart<'_>, history: &mut History) {
        let value = |name: &str| attribute(element, name).unwrap_or_default();
        match element.name().as_ref() {
            // Inside a resource or a history the same element only refers to a node.
            "node" if attribute(element, "online").is_some() => {
                let is = |name: &str| value(name) == "true";
                self.nodes.push(Member {
                    name: value("name"),
                    is_online: is("online"),
                    is_unclean: is("unclean"),
                    is_pending: is("pending"),
                    is_standby: is("standby"),
                    is_dc: is("is_dc"),
                });
            }
            "node" if value("cached") == "true" => {
                if let Some(resource) = self.resources.last_mut() {
                    resource.node = value("name");
                }
            }
            "current_dc" => self.has_dc = value("present") == "true",
            "bundle" => self.bundles.push(value("id")),
            "resource" => self.resources.push(Resource {
                id: value("id"),
                agent: value("resource_agent").replace("::", ":"),
                role: value("role"),
                is_active: value("active") == "true",
                node: String::new(),
            }),
            // Of a history, or of a list of attributes.
            "node" => history.node = value("name"),
            "resource_history" => {
                history.resource = value("id");
                if let Some(count) = attribute(element, "fail-count") {
                    self.fail_counts.push((history.resource.clone(), count));
                }
            }
            "operation_history" => self.operations.push(Operation {
                node: history.node.clone(),
                resource: history.resource.clone(),
                task: value("task"),
                call: value("call").parse().unwrap_or(0),
                code: value("rc").parse().unwrap_or(-1),
                is_recurring: attribute(element, "interval").is_some(),
                milliseconds: value("exec-time").trim_end_matches("ms").parse().unwrap_or(0),
            }),
            "failure" => self.failures.push(Failure {
                resource: resource_of_key(&value("op_key")),
                task: value("task"),
                node: value("node"),
                code: value("exitcode").parse().unwrap_or(-1),
                reason: value("exitreason"),
                status: value("status"),
            }),
            "attribute" => self.attributes.push(Attribute {
                node: history.node.clone(),
                name: value("name"),
                value: value("value"),
            }),
            _ => {}
        }
    }

    /// A node by its name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Member> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Whether a node is online with nothing in the way.
    #[must_use]
    pub fn is_healthy(&self, node: &str) -> bool {
        self.node(node).is_some_and(Member::is_healthy)
    }

    /// Where a resource is in a role, the first place if there are several.
    #[must_use]
    pub fn place(&self, id: &str, role: &str) -> Option<&str> {
        let mut instances = self.instances(id);
        instances.find(|r| r.role == role && !r.node.is_empty()).map(|r| r.node.as_str())
    }

    /// Every instance of a resource; those of a clone have its id, or `<id>:<number>` if it is
    /// globally unique.
    pub fn instances(&self, id: &str) -> impl Iterator<Item = &Resource> {
        let is_it = move |r: &&Resource| {
            r.id == id || r.id.split_once(':').is_some_and(|(stem, _)| stem == id)
        };
        self.resources.iter().filter(is_it)
    }

    /// Every instance of every resource that is no fence device.
    pub fn ours(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(|resource| !resource.agent.starts_with("stonith:"))
    }

    /// An attribute of a node.
    #[must_use]
    pub fn attribute(&self, node: &str, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|a| a.node == node && a.name == name);
        attribute.map(|a| a.value.as_str())
    }

    /// The role of a resource with one instance; empty if there is no such resource.
    #[must_use]
    pub fn role(&self, id: &str) -> &str {
        self.resources.iter().find(|r| r.id == id).map_or("", |r| &r.role)
    }

    /// The newest operation of this kind.
    #[must_use]
    pub fn last(&self, id: &str, task: &str) -> Option<&Operation> {
        let kind = self.operations.iter().filter(|o| o.resource == id && o.task == task);
        kind.max_by_key(|o| o.call)
    }

    /// A failed action of this resource and kind.
    #[must_use]
    pub fn failure(&self, id: &str, task: &str) -> Option<&Failure> {
        self.failures.iter().find(|f| f.resource == id && f.task == task)
    }

    /// The first sign of trouble with a resource, in words; `None` if there is none.
    #[must_use]
    pub fn trouble(&self, id: &str) -> Option<String> {
        if let Some(f) = self.failures.iter().find(|f| f.resource == id) {
            let reason = if f.reason.is_empty() { "no exit reason" } else { &f.reason };
            return Some(format!("{} of {id} answered {} ({reason})", f.task, f.code));
        }
        let counted = self.fail_counts.iter().find(|(resource, _)| resource == id);
        counted.map(|(_, count)| format!("{id} has a fail count of {count}"))
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

/// The resource of an operation key, `<resource>_<task>_<interval>`.
fn resource_of_key(key: &str) -> String {
    let resource = key.rsplit_once('_').and_then(|(rest, _)| rest.rsplit_once('_'));
    resource.map_or(key, |(resource, _)| resource).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    // What crm_mon of Pacemaker 2.1.5 printed, shortened.
    const XML: &str = r#"<pacemaker-result api-version="2.25">
  <summary><current_dc present="true" version="2.1.5" name="node1"/></summary>
  <nodes>
    <node name="node1" id="1" online="true" type="member"/>
    <node name="remote1" id="remote1" online="false" type="remote"/>
  </nodes>
  <resources>
    <resource id="a_b" role="Started" active="true" failed="false" nodes_running_on="1">
      <node name="node1" id="1" cached="true"/>
    </resource>
    <clone id="s-clone" multi_state="true">
      <resource id="s" role="Promoted" active="true" failed="false"/>
    </clone>
  </resources>
  <node_attributes><node name="node1"><attribute name="master-s" value="10"/></node></node_attributes>
  <node_history><node name="node1">
    <resource_history id="a_b" orphan="false" fail-count="1">
      <operation_history call="12" task="monitor" rc="7" interval="1000ms"/>
      <operation_history call="26" task="start" rc="0"/>
      <operation_history call="27" task="monitor" rc="0" interval="1000ms"/>
    </resource_history>
  </node></node_history>
  <failures>
    <failure op_key="a_b_monitor_1000" exitreason="state file &quot;x&quot; is gone" exitcode="7" task="monitor"/>
  </failures>
</pacemaker-result>"#;

    #[test]
    fn crm_mons_xml_is_read() {
        let status = Status::parse(XML).expect("well-formed");
        assert!(status.has_dc);
        assert!(status.is_healthy("node1") && !status.is_healthy("remote1"));
        assert_eq!(status.place("a_b", "Started"), Some("node1"));
        assert_eq!(status.resources[0].node, "node1");
        assert_eq!(status.resources[1].node, "");
        assert_eq!((status.role("a_b"), status.role("s")), ("Started", "Promoted"));
        assert_eq!(status.role("none"), "");
        let monitor = status.last("a_b", "monitor").expect("a monitor");
        assert_eq!((monitor.call, monitor.code, monitor.is_recurring), (27, 0, true));
        assert!(status.last("a_b", "start").is_some_and(|start| !start.is_recurring));
        assert_eq!(status.attribute("node1", "master-s"), Some("10"));
        assert_eq!(status.attribute("remote1", "master-s"), None);
    }

    #[test]
    fn a_failed_action_is_found_under_an_id_with_underscores() {
        let status = Status::parse(XML).expect("well-formed");
        let failure = status.failure("a_b", "monitor").expect("a failure");
        assert_eq!((failure.code, failure.reason.as_str()), (7, "state file \"x\" is gone"));
        assert_eq!(
            status.trouble("a_b").as_deref(),
            Some("monitor of a_b answered 7 (state file \"x\" is gone)")
        );
        assert_eq!(status.trouble("s"), None);
    }

    #[test]
    fn a_fail_count_alone_is_trouble() {
        let xml = XML.replace("<failure ", "<other ");
        let status = Status::parse(&xml).expect("well-formed");
        assert_eq!(status.trouble("a_b").as_deref(), Some("a_b has a fail count of 1"));
    }

    #[test]
    fn text_that_is_not_xml_is_an_error() {
        assert!(Status::parse("<a></b>").is_err());
    }
}
