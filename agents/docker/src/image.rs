// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The image that the container is made of: how it is named, whether this node has it, and how it
//! gets here.

mod credentials;
mod platform;
mod progress;
mod pull;
mod reference;

pub(crate) use platform::Platform;
pub(crate) use reference::Reference;

use crate::engine::Engine;
use bollard::Docker;
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, tracing};

/// An image of this node's Engine.
#[derive(Debug, Clone)]
pub(crate) struct ImageFacts {
    /// For which machines it is made.
    pub(crate) platform: Platform,
}

/// The image of that name or ID, if this node has it: the Engine's answer counts only when it has
/// exactly that name, and not one that begins like it.
///
/// # Errors
/// When the Engine doesn't say.
pub(crate) fn find(
    engine: &Engine,
    reference: &Reference,
    deadline: &Deadline,
) -> Result<Option<ImageFacts>> {
    let question = async |docker: &Docker| docker.inspect_image(reference.text()).await;
    let details = match engine.ask(deadline, question) {
        Ok(details) => details,
        Err(failure) if failure.is_absence() => return Ok(None),
        Err(failure) => {
            return Err(engine.error(&format!("look for image {reference}"), &failure));
        }
    };
    let id = details.id.unwrap_or_default();
    let names = [details.repo_tags, details.repo_digests];
    let names: Vec<String> = names.into_iter().flatten().flatten().collect();
    if !reference.is_met_by(&id, names.iter().map(String::as_str)) {
        tracing::debug!("image {reference} isn't here; the Engine takes it for {id}");
        return Ok(None);
    }
    let [system, architecture, variant] =
        [details.os, details.architecture, details.variant].map(Option::unwrap_or_default);
    let platform = Platform::of(&system, &architecture, &variant);
    tracing::debug!("image {reference} is {id}");
    Ok(Some(ImageFacts { platform }))
}

/// The image, brought here first where this node doesn't have it and that is allowed. `platform` is
/// what `--platform` names.
///
/// # Errors
/// `installed` (5): this node lacks it and it may not be pulled. `generic`: it can't be pulled now.
pub(crate) fn ensure(
    context: &Context,
    engine: &Engine,
    reference: &Reference,
    platform: Option<&str>,
    may_pull: bool,
    deadline: &Deadline,
) -> Result<ImageFacts> {
    let wanted = platform.map(Platform::parse);
    let suits =
        |found: &ImageFacts| wanted.as_ref().is_none_or(|wanted| wanted.takes(&found.platform));
    match find(engine, reference, deadline)? {
        Some(found) if suits(&found) => return Ok(found),
        // An Engine may keep one name for several platforms and show only its own: it knows.
        Some(found) if !may_pull => return Ok(found),
        None if !may_pull => {
            return Err(Error::installed(format!(
                "image {reference} is not on this node: load it, or set allow_pull"
            )));
        }
        _ => {}
    }
    pull(context, engine, reference, platform, deadline)?;
    find(engine, reference, deadline)?.ok_or_else(|| {
        Error::generic(format!("image {reference} was pulled, but is not on this node"))
    })
}

/// Brings an image here from its registry, with the credentials of Docker's configuration; the log
/// says how it goes.
///
/// # Errors
/// When it doesn't come before the deadline: why, or how far it got.
pub(crate) fn pull(
    context: &Context,
    engine: &Engine,
    reference: &Reference,
    platform: Option<&str>,
    deadline: &Deadline,
) -> Result<()> {
    let Some(name) = reference.name() else {
        return Err(Error::installed(format!(
            "image {reference} is not on this node, and an ID can't be pulled: name a repository"
        )));
    };
    pull::pull(context, engine, reference, name, platform, deadline)
}
