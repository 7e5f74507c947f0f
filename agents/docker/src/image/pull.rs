// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pulls an image: the Engine does it, and we listen.

use super::credentials;
use super::progress::Progress;
use super::reference::{Name, Reference};
use crate::engine::{Engine, Failure};
use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, tracing};
use std::cell::RefCell;

pub(super) fn pull(
    context: &Context,
    engine: &Engine,
    reference: &Reference,
    name: &Name,
    platform: Option<&str>,
    deadline: &Deadline,
) -> Result<()> {
    let found = credentials::find(context, name, deadline);
    let options = CreateImageOptionsBuilder::new()
        .from_image(&name.repository())
        .tag(name.version())
        .platform(platform.unwrap_or_default())
        .build();
    tracing::info!("pulling image {reference}");
    let progress = RefCell::new(Progress::of(reference.to_string()));
    let answer = engine.ask(deadline, async |docker: &Docker| {
        let credentials = found.credentials.clone();
        let mut said = docker.create_image(Some(options.clone()), None, credentials);
        while let Some(piece) = said.next().await {
            progress.borrow_mut().take(&piece?);
        }
        Ok(())
    });
    let progress = progress.into_inner();
    let seconds = progress.elapsed().as_secs_f32();
    match answer {
        Ok(()) => {
            tracing::info!("pulled image {reference} in {seconds:.1} s: {progress}");
            Ok(())
        }
        Err(Failure::Silent(_)) => Err(Error::generic(format!(
            "image {reference} isn't here after {seconds:.0} s of pulling ({progress}): raise the \
             timeout or pull it before"
        ))),
        Err(Failure::Refused { status, message }) => {
            let why = explain(&message);
            tracing::error!("pull of {reference}: the Engine says {status}: {message}");
            let hint = found.hint(&message);
            Err(Error::generic(format!("cannot pull image {reference}: {why}{hint}")))
        }
        Err(failure) => Err(engine.error(&format!("pull image {reference}"), &failure)),
    }
}

/// The Engine's words, without the address that it asked: the cause comes first, and a reason is short.
fn explain(message: &str) -> &str {
    let is_request = |text: &&str| {
        ["Get ", "Head ", "Post "].iter().any(|verb| text.starts_with(&format!("{verb}\"")))
    };
    let behind = Some(message).filter(is_request).and_then(|text| text.split_once("\": "));
    behind.map_or(message, |(_, cause)| cause)
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn the_cause_comes_first() {
        let said =
            "Get \"http://127.0.0.1:5/v2/\": dial tcp 127.0.0.1:5: connect: connection refused";
        assert_eq!(explain(said), "dial tcp 127.0.0.1:5: connect: connection refused");
        let said = "manifest for x:1 not found: manifest unknown";
        assert_eq!(explain(said), said);
    }
}
