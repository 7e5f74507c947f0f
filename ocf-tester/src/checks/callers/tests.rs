// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The calls that the checks make, beside those that were recorded.

use super::profiles::{CRM_RESOURCE, CRMSH, DRBD_REACTOR, HALO, PACEMAKER_2, PACEMAKER_3, PCS};
use super::{INTERVAL, made_by};
use crate::agent::Invocation;
use crate::profile::{CLASSIC, Profile};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// A caller, and its recorded calls without `.env`.
const RECORDED: &[(&Profile, &[&str])] = &[
    (
        &PACEMAKER_2,
        &[
            "pacemaker-2.1.5/primitive.start",
            "pacemaker-2.1.5/primitive.monitor",
            "pacemaker-2.1.5/primitive.stop",
        ],
    ),
    (
        &PACEMAKER_3,
        &[
            "pacemaker-3.0.0/primitive.start",
            "pacemaker-3.0.0/primitive.monitor",
            "pacemaker-3.0.0/primitive.stop",
        ],
    ),
    (
        &CRM_RESOURCE,
        &[
            "crm_resource-3.0.0/force-start.start",
            "crm_resource-3.0.0/force-check.monitor",
            "crm_resource-3.0.0/force-stop.stop",
        ],
    ),
    (&PCS, &["pcs-0.12.0/create.validate-all"]),
    (
        &CRMSH,
        &[
            "crmsh-5.0.0-rc1/rsctest.start",
            "crmsh-5.0.0-rc1/rsctest-probe.monitor",
            "crmsh-5.0.0-rc1/rsctest.stop",
        ],
    ),
    (
        &DRBD_REACTOR,
        &[
            "drbd-reactor-1.11.0/wrapper.start",
            "drbd-reactor-1.11.0/wrapper.monitor",
            "drbd-reactor-1.11.0/wrapper.stop",
        ],
    ),
    (
        &HALO,
        &["halo-a0fa0b9/remote.start", "halo-a0fa0b9/remote.monitor", "halo-a0fa0b9/remote.stop"],
    ),
];

/// What the checks don't do as it was recorded: whose, which variable, what they give (nothing: they
/// leave it out), why.
const DIFFERENCES: &[(&str, &str, Option<&str>, &str)] = &[
    ("pacemaker-2.1", "HA_LOGFILE", None, LOG),
    ("pacemaker-2.1", "HA_logfile", None, LOG),
    ("pacemaker-2.1", "PCMK_logfile", None, LOG),
    ("pacemaker-2.1", "HOSTNAME", None, MACHINE),
    ("pacemaker-3", "HA_LOGFILE", None, LOG),
    ("pacemaker-3", "HA_logfile", None, LOG),
    ("pacemaker-3", "PCMK_LOGFILE", None, LOG),
    ("pacemaker-3", "PCMK_logfile", None, LOG),
    ("pacemaker-3", "HOSTNAME", None, MACHINE),
    ("crm_resource", "CIB_file", None, "of the recording: there was no cluster"),
    ("crm_resource", "OCF_RESKEY_CRM_meta_resource_stickiness", None, "of the recorded resource"),
    ("crm_resource", "OCF_OUTPUT_FORMAT", Some("xml"), "as with --output-as=xml: the odder one"),
    ("halo", "HALO_TEST_ID", None, "of the recording"),
];
const LOG: &str = "a shell agent would write into the log of the cluster";
const MACHINE: &str = "of the machine";

/// The two parts of a recording's lines.
fn recorded(name: &str) -> BTreeMap<String, String> {
    let contexts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/tests/contexts");
    let text = std::fs::read_to_string(contexts.join(format!("{name}.env"))).unwrap();
    let halves = text.lines().map(|line| line.split_once('=').unwrap());
    halves.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The call that the checks make in place of the recorded one: the same resource with the same
/// parameters, timeout and interval, in the tester's own words.
fn made(name: &str, profile: &Profile, recorded: &BTreeMap<String, String>) -> Invocation {
    let (_, action) = name.rsplit_once('.').unwrap();
    let of = |variable: &str, default: &str| {
        recorded.get(variable).cloned().unwrap_or_else(|| default.to_owned())
    };
    let provider = of("OCF_RESOURCE_PROVIDER", "heartbeat");
    let agent = format!("/usr/lib/ocf/resource.d/{provider}/Dummy");
    let milliseconds = of("OCF_RESKEY_CRM_meta_timeout", "20000").parse().unwrap();
    let mut call = Invocation::new(agent, action)
        .profile(&CLASSIC, &of("OCF_RESOURCE_INSTANCE", "default"))
        .limit(Duration::from_millis(milliseconds))
        .parameter("fake", of("OCF_RESKEY_fake", ""));
    if action == "monitor" {
        call = call.env(INTERVAL, "10000");
    }
    made_by(&call, profile)
}

/// What is the machine's in a recording, in this machine's words.
fn here(profile: &Profile, mut recorded: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let node = nix::unistd::gethostname().unwrap().to_string_lossy().into_owned();
    for (variable, value) in [
        ("OCF_RESKEY_CRM_meta_on_node", node),
        ("OCF_RESKEY_CRM_meta_on_node_uuid", "1".to_owned()),
    ] {
        recorded.entry(variable.to_owned()).and_modify(|known| *known = value);
    }
    let sets_path = profile.variables.iter().any(|(name, _)| *name == "PATH");
    let inherited = crate::profile::inherited_path().to_string_lossy().into_owned();
    if !sets_path {
        recorded.entry("PATH".to_owned()).and_modify(|known| *known = inherited);
    }
    recorded
}

#[test]
fn each_call_has_the_recorded_variables_and_values() {
    for (profile, names) in RECORDED {
        for name in *names {
            let recorded = recorded(name);
            let call = made(name, profile, &recorded);
            let mut expected = here(profile, recorded);
            for (_, variable, given, _) in DIFFERENCES.iter().filter(|row| row.0 == profile.name) {
                let before = expected.remove(*variable);
                assert!(before.as_deref() != *given, "{name}: {variable} is as recorded");
                expected.extend(given.map(|given| ((*variable).to_owned(), given.to_owned())));
            }
            let environment = call.full_environment().into_iter();
            let text = |text: OsString| text.into_string().unwrap();
            let mut seen: BTreeMap<_, _> =
                environment.map(|(name, value)| (text(name), text(value))).collect();
            if profile.name == PCS.name {
                seen.remove("PATH");
            }
            assert_eq!(seen, expected, "{name}");
        }
    }
}

#[test]
fn every_difference_is_of_a_recorded_caller_and_has_a_reason() {
    for (caller, variable, _, why) in DIFFERENCES {
        let known = RECORDED.iter().any(|(profile, _)| profile.name == *caller);
        assert!(known && !why.is_empty(), "{caller} {variable}");
    }
}
