// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What `crm_attribute` is told when an agent sets its promotion score.
#![allow(clippy::unwrap_used, reason = "test code")]

use ocf::Context;
use ocf::environment::Environment;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Pacemaker 2.1's crm_attribute knows the variables of a bundle without the prefix only: the score stayed
/// with the bundle's node, and nobody was promoted.
#[test]
fn a_score_that_is_to_be_the_hosts_was_set_for_the_bundles_node() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("promotion");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join("crm_attribute");
    fs::write(&program, "#!/bin/sh\nenv >\"$0.told\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let meta =
        [("on_node", "bun-0"), ("physical_host", "node2"), ("container_attribute_target", "host")];
    let meta = meta.map(|(name, value)| (format!("OCF_RESKEY_CRM_meta_{name}"), value.to_owned()));
    let sbin = ("HA_SBIN_DIR".to_owned(), directory.to_string_lossy().into_owned());
    let instance = ("OCF_RESOURCE_INSTANCE".to_owned(), "role".to_owned());
    let all = meta.into_iter().chain([sbin, instance]);
    let all = all.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let context =
        Context::of("start", Duration::from_secs(20), Environment::from_iter(all)).unwrap();
    ocf::promotion::set_score(&context, 5).unwrap();
    let told = fs::read_to_string(directory.join("crm_attribute.told")).unwrap();
    for line in [
        "OCF_RESKEY_CRM_meta_physical_host=node2",
        "OCF_RESKEY_CRM_meta_container_attribute_target=host",
        "CRM_meta_physical_host=node2",
        "CRM_meta_container_attribute_target=host",
    ] {
        assert!(told.lines().any(|other| other == line), "{line} is not in\n{told}");
    }
}
