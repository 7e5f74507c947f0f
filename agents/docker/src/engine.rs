// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Docker Engine, asked one question at a time: every question has a deadline, and every way in
//! which it isn't answered is told apart, because each means something else for the container.

mod endpoint;
mod failure;
mod look;

pub(crate) use endpoint::{Endpoint, fixed_version};
pub(crate) use failure::Failure;
pub(crate) use look::{Look, look};

use crate::container::Container;
use bollard::{ClientVersion, Docker};
use ocf::Error;
use ocf::deadline::Deadline;
use std::cell::{OnceCell, RefCell};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// The newest version of the API that bollard's types describe.
const NEWEST: &ClientVersion = &ClientVersion { major_version: 1, minor_version: 52 };
/// What is tried first where nobody remembers what the Engine speaks: every Engine from 25 on does.
const GUESS: &ClientVersion = &ClientVersion { major_version: 1, minor_version: 44 };
/// How long bollard itself would wait, in seconds: longer than any deadline of ours.
const FOR_EVER: u64 = 10 * 365 * 24 * 3600;

/// The answer to a question.
pub(crate) type Answer<T> = Result<T, Failure>;

/// A Docker Engine.
pub(crate) struct Engine {
    endpoint: Endpoint,
    version: RefCell<ClientVersion>,
    client: OnceCell<(Runtime, RefCell<Docker>)>,
}

impl Engine {
    /// The Engine at an endpoint; nothing is asked yet. `version` is what it is remembered to speak.
    pub(crate) fn new(endpoint: Endpoint, version: Option<&str>) -> Self {
        let version = version.and_then(parse_version);
        let version = version.unwrap_or_else(|| copy(GUESS));
        Self { endpoint, version: RefCell::new(version), client: OnceCell::new() }
    }

    /// The client, made when it is needed first.
    fn client(&self) -> Answer<&(Runtime, RefCell<Docker>)> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Unusable(ocf::error::describe(&error)))?;
        let client = self.endpoint.connect(FOR_EVER, &self.version.borrow())?;
        Ok(self.client.get_or_init(|| (runtime, RefCell::new(client))))
    }

    /// The error of something that it was asked.
    pub(crate) fn error(&self, what: &str, failure: &Failure) -> Error {
        failure.explain(what, &self.endpoint)
    }

    /// Where it is.
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same as two numbers.
    pub(crate) fn api(&self) -> (usize, usize) {
        let version = self.version.borrow();
        (version.major_version, version.minor_version)
    }

    /// The version of the API that is spoken with it.
    pub(crate) fn version(&self) -> String {
        self.version.borrow().to_string()
    }

    /// Agrees with the Engine on the newest version of the API that both know.
    pub(crate) fn negotiate(&self, deadline: &Deadline) -> Answer<()> {
        let client = self.endpoint.connect_to_negotiate(FOR_EVER)?;
        let answer = self.wait(deadline, client.version())?;
        let known = answer.api_version.as_deref().and_then(parse_version);
        let theirs = known.ok_or_else(|| Failure::Garbage("it names no API version".to_owned()))?;
        let agreed = if theirs < *NEWEST { theirs } else { copy(NEWEST) };
        self.client()?.1.replace(self.endpoint.connect(FOR_EVER, &agreed)?);
        self.version.replace(agreed);
        Ok(())
    }

    /// Asks a question; once more, in another version of the API, when the Engine doesn't speak ours.
    pub(crate) fn ask<T>(
        &self,
        deadline: &Deadline,
        question: impl AsyncFn(&Docker) -> Result<T, bollard::errors::Error>,
    ) -> Answer<T> {
        let client = self.client()?.1.borrow().clone();
        match self.wait(deadline, question(&client)) {
            Err(Failure::Refused { status: 400, message }) if is_about_version(&message) => {
                self.negotiate(deadline)?;
                let client = self.client()?.1.borrow().clone();
                self.wait(deadline, question(&client))
            }
            other => other,
        }
    }

    fn wait<T>(
        &self,
        deadline: &Deadline,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Answer<T> {
        let patience = deadline.left();
        match self.client()?.0.block_on(async { timeout(patience, answer).await }) {
            Ok(answer) => answer.map_err(|error| Failure::of(error, patience)),
            Err(_) => Err(Failure::Silent(patience)),
        }
    }

    /// The container of exactly that name.
    pub(crate) fn find(&self, name: &str, deadline: &Deadline) -> Answer<Option<Container>> {
        let question = async |docker: &Docker| docker.inspect_container(name, None).await;
        match self.ask(deadline, question) {
            Ok(found) => Container::called(name, found),
            Err(failure) if failure.is_absence() => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

const fn copy(version: &ClientVersion) -> ClientVersion {
    ClientVersion { major_version: version.major_version, minor_version: version.minor_version }
}

impl Drop for Engine {
    /// The look-up of a host's name may still go on, in a thread that the runtime would wait for: longer
    /// than the deadline, when no name server answers.
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.client.take() {
            runtime.shutdown_background();
        }
    }
}

/// `1.41`.
fn parse_version(text: &str) -> Option<ClientVersion> {
    let (major, minor) = text.trim().split_once('.')?;
    Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
}

/// "client version 1.44 is too new. Maximum supported API version is 1.41", and the other way round.
fn is_about_version(message: &str) -> bool {
    message.contains("client version")
}
