// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What start is going to ask for: the parameters read, the files they name read, the image here,
//! and nothing in the way that would make the Engine fail half-way.

use crate::Parameters;
use crate::cli;
use crate::engine::Engine;
use crate::image::{self, Reference};
use crate::options::{self, Input, Launch, Pull};
use crate::preflight;
use ocf::deadline::Deadline;
use ocf::{Context, Error, Result, tracing};

/// How much of the time may go by before the container is made, in percent: a pull takes long.
const PREPARING: u32 = 85;

/// The container that the parameters describe.
pub(crate) struct Plan<'a> {
    name: &'a str,
    parameters: &'a Parameters,
    reference: Reference,
    options: String,
}

impl<'a> Plan<'a> {
    /// Reads the parameters; nothing outside is looked at.
    ///
    /// # Errors
    /// `configured` (6), naming the parameter and the flag.
    pub(crate) fn new(name: &'a str, parameters: &'a Parameters) -> Result<Self> {
        let image = parameters.image.as_deref().filter(|image| !image.is_empty());
        let image =
            image.ok_or_else(|| Error::configured("parameter image is required and not set"))?;
        let reference = Reference::parse(image)?;
        options::check_live(&parameters.live_opts)?;
        let options = format!("{} {}", parameters.run_opts, parameters.live_opts);
        Ok(Self { name, parameters, reference, options })
    }

    fn input(&self) -> Input<'_> {
        let (options, command) = (&self.options, &self.parameters.run_cmd);
        Input { name: self.name, options, image: self.reference.text(), command }
    }

    /// Judges every word of it, with no look outside.
    ///
    /// # Errors
    /// As the words deserve.
    pub(crate) fn check(&self) -> Result<()> {
        let nobody = ocf::environment::Environment::default();
        options::parse(&self.input(), &nobody).map(drop)
    }

    /// The change that makes a running container follow it, as far as that can be done.
    ///
    /// # Errors
    /// As the words deserve.
    pub(crate) fn update(&self) -> Result<bollard::models::ContainerUpdateBody> {
        options::update(&self.input())
    }

    /// Judges it on this node: the flags that only the CLI knows, the files it names.
    ///
    /// # Errors
    /// `args` (2), naming what this node lacks.
    pub(crate) fn settle(&self, context: &Context, engine: Option<&Engine>) -> Result<Launch> {
        let deadline = context.deadline.share(PREPARING);
        let api = engine.map(Engine::api);
        let mut launch = cli::settle(context, &deadline, &self.input(), api)?;
        // As the client's configuration names it.
        let site = engine.map(Engine::endpoint).map(|endpoint| match endpoint.socket() {
            Some(path) => format!("unix://{}", path.display()),
            None => endpoint.to_string(),
        });
        launch.complete(context.environment(), site.as_deref().unwrap_or_default())?;
        Ok(launch)
    }

    /// Whether the image is on this node, or may be brought.
    ///
    /// # Errors
    /// `installed` (5): it isn't and mayn't.
    pub(crate) fn check_image(
        &self,
        context: &Context,
        engine: &Engine,
        launch: &Launch,
    ) -> Result<()> {
        if self.parameters.allow_pull {
            return Ok(());
        }
        let (platform, deadline) = (launch.platform.as_deref(), &context.deadline);
        image::ensure(context, engine, &self.reference, platform, false, deadline).map(drop)
    }

    /// Everything that making the container needs, brought about or found.
    ///
    /// # Errors
    /// When something is missing and can't be brought: nothing was made then.
    pub(crate) fn prepare(&self, context: &Context, engine: &Engine) -> Result<Launch> {
        let launch = self.settle(context, Some(engine))?;
        launch.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let (points, deadline) = (&self.parameters.mount_points, context.deadline.share(PREPARING));
        self.check_mount_points()?;
        preflight::check(engine, &launch.body, self.name, points, &deadline)?;
        self.bring_image(context, engine, &launch, &deadline)?;
        self.make_mount_points()?;
        Ok(launch)
    }

    /// Whether the directories of `mount_points` are there or can be made.
    ///
    /// # Errors
    /// `args` (2): a file is in the way.
    pub(crate) fn check_mount_points(&self) -> Result<()> {
        preflight::check_mount_points(&self.parameters.mount_points)
    }

    /// Makes the directories of `mount_points`.
    ///
    /// # Errors
    /// `args` (2): a file is in the way. Else the kernel's.
    pub(crate) fn make_mount_points(&self) -> Result<()> {
        preflight::make_mount_points(&self.parameters.mount_points)
    }

    fn bring_image(
        &self,
        context: &Context,
        engine: &Engine,
        launch: &Launch,
        deadline: &Deadline,
    ) -> Result<()> {
        let platform = launch.platform.as_deref();
        // Who writes --pull=always has allowed it.
        if launch.pull == Pull::Always {
            return image::pull(context, engine, &self.reference, platform, deadline);
        }
        let may_pull = self.parameters.allow_pull && launch.pull != Pull::Never;
        image::ensure(context, engine, &self.reference, platform, may_pull, deadline).map(drop)
    }

    /// Starts it through the CLI, which makes it as well.
    ///
    /// # Errors
    /// As the CLI says.
    pub(crate) fn run_by_cli(&self, context: &Context, launch: &Launch) -> Result<()> {
        let may_pull = self.parameters.allow_pull;
        cli::run(context, &context.deadline.share(95), &self.input(), launch, may_pull)
    }
}
