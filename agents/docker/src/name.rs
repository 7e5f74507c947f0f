// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the container is called. A name is what makes a container ours, so nothing is guessed.

use crate::Parameters;
use ocf::{Context, Error, Result};

/// The parameter, or the instance: in a globally unique clone with a hyphen before its number.
pub(crate) fn of(parameters: &Parameters, context: &Context) -> String {
    let instance = || context.file_name().replace(':', "-");
    let name = parameters.name.clone().unwrap_or_else(instance);
    // The Engine's own form of a name, which it takes as well.
    name.strip_prefix('/').map_or(name.clone(), str::to_owned)
}

/// Whether the Engine takes it: letters, digits, `_`, `.` and `-`, at least two, the first a letter or
/// a digit.
///
/// # Errors
/// `configured` (6): no Engine does.
pub(crate) fn check(name: &str) -> Result<()> {
    let is_first = |b: &u8| b.is_ascii_alphanumeric();
    let is_other = |b: &u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
    let bytes = name.as_bytes();
    let is_name =
        bytes.len() > 1 && bytes.first().is_some_and(is_first) && bytes.iter().all(is_other);
    if is_name {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    Err(Error::configured(format!(
        "\"{shown}\" can't be a container's name: use two or more letters, digits, _ . and -"
    )))
}

/// Whether several instances on one node would share a name.
///
/// # Errors
/// `configured` (6).
pub(crate) fn check_clone(parameters: &Parameters, context: &Context) -> Result<()> {
    let Some(clone) = context.clone.as_ref().filter(|clone| clone.globally_unique) else {
        return Ok(());
    };
    let promoted = context.promotable.as_ref().and_then(|promotable| promotable.promoted_node_max);
    let is_plural = [clone.node_max, promoted].into_iter().flatten().any(|most| most != 1);
    if parameters.name.is_some() && is_plural {
        return Err(Error::configured(
            "parameter name names one container, and the clone may have several on a node: unset it",
        ));
    }
    Ok(())
}
