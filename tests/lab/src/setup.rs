// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab made ready: what it needs of this host, and an Engine.

use crate::docker::{Docker, KEPT_LABEL, LABEL};
use crate::engine::Engine;
use crate::packages::Packages;
use crate::process::Runner;
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::transient::{Spec, Transient};
use crate::{Result, attendant, engine, host, image};
use std::sync::Arc;

/// A lab that is ready. As long as it lives, the Engine stays up.
#[derive(Debug)]
pub struct Lab {
    docker: Docker,
    engine: Engine,
}

impl Lab {
    /// Makes the lab ready; what is ready already is left alone and not mentioned.
    ///
    /// # Errors
    /// We are not root, or packages or an Engine cannot be had.
    pub fn open(runner: Runner, progress: &Progress) -> Result<Self> {
        host::require_root()?;
        engine::make_run_dir()?;
        let docker = Docker::new(Arc::new(runner));
        let engine_answers = host::has_command("docker") && docker.answers()?.is_ok();
        host::install(&docker.runner, progress, &host::missing_packages(engine_answers))?;
        let engine = Engine::start(&docker, progress)?;
        Ok(Self { docker, engine })
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

    /// The tag of an image, which is made first if it isn't here; `packages` are ours, for the
    /// kinds that have them.
    ///
    /// # Errors
    /// As [`image::ensure`].
    pub fn image(
        &self,
        progress: &Progress,
        kind: Kind,
        packages: Option<&Packages>,
    ) -> Result<String> {
        image::ensure(&self.docker, progress, kind, packages)
    }

    /// A container in which nothing runs yet.
    ///
    /// # Errors
    /// As [`Transient::start`].
    pub fn transient(&self, spec: &Spec) -> Result<Transient> {
        Transient::start(&self.docker, spec)
    }

    /// Names of containers that earlier runs kept.
    ///
    /// # Errors
    /// The Engine does not answer.
    pub fn kept(&self) -> Result<Vec<String>> {
        self.docker.list(&["ps", "--all", "--format", "{{.Names}}"], KEPT_LABEL)
    }

    /// Removes every container that was kept, what runs left that were killed with all that was to
    /// clean up behind them, and every image of the lab; containers of runs that go on stay. Gives
    /// what was removed.
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
        let mut containers = docker.list(&["ps", "--all", "--format", "{{.Names}}"], KEPT_LABEL)?;
        containers.extend(attendant::abandoned(&docker)?);
        for name in &containers {
            docker.remove_container(name)?;
        }
        attendant::sweep(&docker)?;
        let format = "{{.Repository}}:{{.Tag}}";
        let mut images = docker.list(&["images", "--format", format], LABEL)?;
        // The others stand on the base: it goes last.
        images.sort_by_key(|image| (image.contains("/base-"), std::cmp::Reverse(image.clone())));
        for image in &images {
            docker.ok(["rmi", image])?;
        }
        Ok(containers.into_iter().chain(images).collect())
    }
}
