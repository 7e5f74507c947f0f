// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every action needs: the container's name, the Engine, what is remembered, how long there is.

use crate::container::Container;
use crate::engine::{self, Answer, Endpoint, Engine, Failure, Look, look};
use crate::evidence::{self, Owner, Remains};
use crate::record::{self, Record};
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, StateFile};
use std::cell::OnceCell;

/// One container's place: on which Engine, under which name.
pub(crate) struct Site<'a> {
    /// The call.
    pub(crate) context: &'a Context,
    /// The container's exact name.
    pub(crate) name: &'a str,
    /// Which Engine.
    pub(crate) endpoint: Endpoint,
    /// Where its record is.
    pub(crate) file: StateFile,
    fixed_version: Option<&'a str>,
    record: OnceCell<Option<Record>>,
    engine: OnceCell<Engine>,
}

impl<'a> Site<'a> {
    /// The site of a container. Neither the record is read nor the Engine asked yet: a monitor that finds
    /// its container needs no more than one look.
    ///
    /// # Errors
    /// When the environment names no Engine that can be talked to.
    pub(crate) fn new(context: &'a Context, name: &'a str) -> Result<Self> {
        let endpoint = Endpoint::find(context.environment())?;
        let file = record::file(context, name);
        let fixed_version = engine::fixed_version(context.environment())?;
        let (record, engine) = (OnceCell::new(), OnceCell::new());
        Ok(Self { context, name, endpoint, file, fixed_version, record, engine })
    }

    /// The record, as it was when it was needed first: before this action has written any.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.get_or_init(|| Record::read(&self.file)).as_ref()
    }

    /// The Engine.
    pub(crate) fn engine(&self) -> &Engine {
        self.engine.get_or_init(|| {
            let remembered = || self.record().map(|record| record.api.as_str());
            Engine::new(self.endpoint.clone(), self.fixed_version.or_else(remembered))
        })
    }

    /// The container, if there is one. Who asks nothing else does without the client.
    pub(crate) fn find(&self, deadline: &Deadline) -> Answer<Option<Container>> {
        if let (Some(socket), None) = (self.endpoint.socket(), self.engine.get()) {
            match look(socket, self.name, deadline) {
                Look::Found(found) => return Container::called(self.name, *found),
                Look::Absent => return Ok(None),
                Look::Silent(failure) => return Err(failure),
                Look::Unclear => {}
            }
        }
        self.engine().find(self.name, deadline)
    }

    /// The error of something that the Engine was asked.
    pub(crate) fn error(&self, what: &str, failure: &Failure) -> Error {
        failure.explain(what, &self.endpoint)
    }

    /// What runs of the container, found without the Engine.
    ///
    /// # Errors
    /// When that can't be known: the Engine is on another host, or its data can't be read.
    pub(crate) fn remains(&self, failure: &Failure) -> Result<Option<Remains>> {
        evidence::find(self.context, self.name, &self.owner(failure)?)
    }

    /// The restart policy by which the Engine would start the stopped container again when it is back.
    ///
    /// # Errors
    /// As [`Site::remains`].
    pub(crate) fn returning(&self, failure: &Failure) -> Result<Option<String>> {
        evidence::find_returning(self.name, &self.owner(failure)?)
    }

    fn owner(&self, failure: &Failure) -> Result<Owner<'_>> {
        let Some(socket) = self.endpoint.socket() else {
            return Err(self.error(&format!("look at container {}", self.name), failure));
        };
        let containers = self.record().and_then(|record| record.root.as_deref());
        Ok(Owner { socket, containers })
    }
}
