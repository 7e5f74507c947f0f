// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab made ready: packages, Engine, image.

use crate::docker::{Docker, KEPT_LABEL, LABEL};
use crate::engine::Engine;
use crate::node::{Node, Spec};
use crate::process::Runner;
use crate::progress::Progress;
use crate::{Result, engine, host, image};
use std::sync::Arc;

/// A lab that is ready. As long as it lives, the Engine stays up.
#[derive(Debug)]
pub struct Lab {
    docker: Docker,
    image: String,
    engine: Engine,
}

impl Lab {
    /// Makes the lab ready; what is ready already is left alone and not mentioned.
    ///
    /// # Errors
    /// We are not root, or packages, Engine or image cannot be had.
    pub fn open(runner: Runner, progress: &Progress) -> Result<Self> {
        host::require_root()?;
        engine::make_run_dir()?;
        let docker = Docker::new(Arc::new(runner));
        let engine_answers = host::has_command("docker") && docker.answers()?.is_ok();
        host::install(&docker.runner, progress, &host::missing_packages(engine_answers))?;
        let engine = Engine::start(&docker, progress)?;
        let image = image::ensure(&docker, progress)?;
        Ok(Self { docker, image, engine })
    }

    /// Leaves the lab, with a step of its own if that may mean to end the Engine's server.
    ///
    /// # Errors
    /// The server was started by the lab, nobody uses it, and it does not end.
    pub fn close(self, progress: &Progress) -> Result<()> {
        let release = || self.engine.release();
        if engine::own_server().is_none() {
            return release();
        }
        progress.step("the lab's Docker Engine ends, unless it is in use", release)
    }

    /// The Engine.
    #[must_use]
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Tag of the node image.
    #[must_use]
    pub fn image(&self) -> &str {
        &self.image
    }

    /// A container of the node image in which nothing runs yet.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn node(&self, spec: Spec) -> Result<Node> {
        Node::start(&self.docker, &Spec { image: self.image.clone(), ..spec })
    }

    /// Names of containers that earlier runs kept.
    ///
    /// # Errors
    /// The Engine does not answer.
    pub fn kept(&self) -> Result<Vec<String>> {
        self.docker.list(&["ps", "--all", "--format", "{{.Names}}"], KEPT_LABEL)
    }

    /// Removes every container that was kept and every image of the lab; containers of other
    /// runs go on and go away by themselves. Gives what was removed.
    ///
    /// # Errors
    /// The Engine refuses.
    pub fn clean(runner: Runner, progress: &Progress) -> Result<Vec<String>> {
        host::require_root()?;
        engine::make_run_dir()?;
        let docker = Docker::new(Arc::new(runner));
        if !host::has_command("docker") {
            return Ok(Vec::new());
        }
        let _engine = Engine::start(&docker, progress)?;
        let containers = docker.list(&["ps", "--all", "--format", "{{.Names}}"], KEPT_LABEL)?;
        for name in &containers {
            docker.remove_container(name)?;
        }
        let format = "{{.Repository}}:{{.Tag}}";
        let mut images = docker.list(&["images", "--format", format], LABEL)?;
        // The node's image stands on the base: the later one goes first.
        images.sort_by(|a, b| b.cmp(a));
        for image in &images {
            docker.ok(["rmi", image])?;
        }
        Ok(containers.into_iter().chain(images).collect())
    }
}
