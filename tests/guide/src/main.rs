//! `ocf:example:Link`: a symbolic link that points to its target while the resource runs.

use ocf::{About, Action, Agent, Context, Error, Explain, Result, State};
use std::path::PathBuf;
use std::{fs, io, os::unix::fs::symlink};

ocf::parameters! {
    /// One link.
    struct Link {
        /// Path of the link
        link: PathBuf => unique_group("link"),
        /// What it points to
        target: PathBuf,
    }
}

impl Link {
    fn start(&self, _: &Context) -> Result<()> {
        symlink(&self.target, &self.link).explain("make link", &self.link)
    }

    fn stop(&self, context: &Context) -> Result<()> {
        match self.monitor(context)? {
            State::Running => fs::remove_file(&self.link).explain("remove link", &self.link),
            _ => Ok(()),
        }
    }

    fn monitor(&self, _: &Context) -> Result<State> {
        match fs::read_link(&self.link) {
            Ok(target) if target == self.target => Ok(State::Running),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::stopped("no link")),
            Ok(_) => Err(Error::generic(format!("{} points elsewhere", self.link.display()))),
            Err(error) => Err(error).explain("read link", &self.link),
        }
    }
}

impl Agent for Link {
    const ABOUT: About =
        About { name: "Link", version: "1.0", short: "Symbolic link", long: "Keeps a link." };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(20, Self::start),
        Action::stop(20, Self::stop),
        Action::monitor(20, 10, Self::monitor),
        Action::validate_all(20),
    ];
    type Parameters = Self;

    fn new(parameters: Self, _: &Context) -> Self {
        parameters
    }

    fn leftovers(&self, context: &Context) -> Result<Vec<String>> {
        let is_left = self.monitor(context).is_ok_and(|state| state.is_active());
        Ok(is_left.then(|| format!("link {}", self.link.display())).into_iter().collect())
    }
}

ocf::agent_main!(Link);
