// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What every action needs: the container's name, the Engine, what is remembered, how long there is.

use crate::container::Container;
use crate::engine::{self, Answer, Endpoint, Engine, Failure};
use crate::evidence::{self, Owner, Remains};
use crate::record::{self, Record};
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, StateFile};

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
    /// The record, as it was when the action began.
    pub(crate) record: Option<Record>,
    engine: Engine,
}

impl<'a> Site<'a> {
    /// The site of a container; the Engine isn't asked yet.
    ///
    /// # Errors
    /// When the environment names no Engine that can be talked to.
    pub(crate) fn new(context: &'a Context, name: &'a str) -> Result<Self> {
        let endpoint = Endpoint::find(context.environment())?;
        let file = record::file(context, name);
        let record = Record::read(&file);
        let fixed = engine::fixed_version(context.environment())?;
        let remembered = record.as_ref().map(|one| one.api.as_str());
        let engine = Engine::new(endpoint.clone(), fixed.or(remembered));
        Ok(Self { context, name, endpoint, file, record, engine })
    }

    /// The Engine, if there is one to be asked.
    pub(crate) fn engine(&self) -> Answer<&Engine> {
        Ok(&self.engine)
    }

    /// The container, if there is one.
    pub(crate) fn find(&self, deadline: &Deadline) -> Answer<Option<Container>> {
        self.engine.find(self.name, deadline)
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
        evidence::find(self.name, &self.owner(failure)?)
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
        let containers = self.record.as_ref().and_then(|record| record.root.as_deref());
        Ok(Owner { socket, containers })
    }
}
