// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Promotion scores: how much an instance is fit to be promoted. They are transient node attributes,
//! written by Pacemaker's crm_attribute, which picks the node by the same rule as
//! [`Context::attribute_node`]. When all are unset or 0, nobody is promoted.

use crate::command::Command;
use crate::context::Context;
use crate::error::{Error, Result};
use std::time::Duration;

/// The attribute daemon answers in milliseconds; one that hangs must not cost the whole action.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sets this instance's score.
///
/// # Errors
/// When crm_attribute is missing, fails or hangs.
pub fn set_score(context: &Context, score: i32) -> Result<()> {
    crm_attribute(context, &["-v", &score.to_string()])
}

/// Removes this instance's score.
///
/// # Errors
/// As for [`set_score`].
pub fn delete_score(context: &Context) -> Result<()> {
    crm_attribute(context, &["-D"])
}

fn crm_attribute(context: &Context, arguments: &[&str]) -> Result<()> {
    let program = context.directories.sbin.join("crm_attribute");
    let mut command = Command::new(context, program)
        .arg("--promotion")
        .args(arguments)
        .env("OCF_RESOURCE_INSTANCE", &context.instance.name);
    for name in ["on_node", "on_node_uuid", "physical_host", "container_attribute_target"] {
        if let Some(value) = context.environment().meta(name) {
            command = command.env(format!("OCF_RESKEY_CRM_meta_{name}"), value);
            // Pacemaker 2.1's crm_attribute looks for what makes a score the host's by names without the
            // prefix, which nobody else gives it: in a bundle that says so nobody would be promoted.
            if matches!(name, "physical_host" | "container_attribute_target") {
                command = command.env(format!("CRM_meta_{name}"), value);
            }
        }
    }
    let output = command.run(&context.deadline.share(50).within(PATIENCE))?;
    if output.is_success() {
        return Ok(());
    }
    let words = output.last_words();
    Err(Error::generic(format!("crm_attribute cannot write the promotion score: {words}")))
}
