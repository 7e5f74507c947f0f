// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Flags that only the installed CLI knows: whether it lists them in `docker run --help`, and a start
//! through it. What an Engine of this node can't be asked for over its API goes the same way.

use crate::options::{self, Foreign, Input, Launch};
use ocf::command::{Command, find_program};
use ocf::deadline::Deadline;
use ocf::environment::Environment;
use ocf::{Context, Error, Result};
use std::path::Path;
use std::time::Duration;

/// Longer than any CLI needs to print its help, also when it asks an Engine that doesn't answer.
const HELP: Duration = Duration::from_secs(10);

/// Reads an input to its end: where a flag isn't known here, with the help of the installed CLI.
/// With the version of the Engine's API, also what that can't be asked for. A launch with `unmapped`
/// flags has to go through [`run`].
///
/// # Errors
/// When the words aren't what `docker run` takes on this node; the sentence names the flag.
pub fn settle(
    context: &Context,
    deadline: &Deadline,
    input: &Input<'_>,
    api: Option<(usize, usize)>,
) -> Result<Launch> {
    let environment = context.environment();
    let mut launch = options::parse(input, environment)?;
    if let Some(api) = api {
        launch.suit(api)?;
    }
    if launch.unmapped.is_empty() {
        return Ok(launch);
    }
    let listed = listed(context, deadline, &launch)?;
    let foreign = options::foreign(&listed);
    let mut launch = options::parse_with(input, environment, &foreign)?;
    if let Some(api) = api {
        launch.suit(api)?;
    }
    let name = |flag: &str| flag.trim_start_matches('-').split('=').next().unwrap_or("").to_owned();
    let is_listed = |flag: &&String| listed.iter().any(|one| one.name == name(flag));
    match launch.unmapped.iter().find(|flag| !is_listed(flag)) {
        Some(flag) => Err(options::unknown(flag)),
        None => Ok(launch),
    }
}

/// Makes and starts the container through the CLI, as the shell agent does.
///
/// # Errors
/// When the CLI is missing, fails, or doesn't end in time.
pub fn run(
    context: &Context,
    deadline: &Deadline,
    input: &Input<'_>,
    launch: &Launch,
    allow_pull: bool,
) -> Result<()> {
    ocf::tracing::warn!(
        "starting {} through Docker's CLI, because this agent can't ask the Engine for {}",
        input.name,
        launch.unmapped.join(", ")
    );
    let (arguments, variables) = arguments(input, launch, context.environment(), allow_pull);
    let mut command = docker(context).args(arguments);
    for (name, value) in variables {
        command = command.env(name, value);
    }
    let output = command.run(deadline)?;
    if output.is_success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let cause = text.lines().find_map(|line| line.strip_prefix("docker: "));
    let cause =
        cause.map_or_else(|| output.last_words(), |cause| cause.trim_end_matches('.').to_owned());
    Err(Error::generic(format!("docker run of {} failed: {cause}", input.name)))
}

/// What the CLI is called with, and what its environment holds besides. A variable of the container
/// stands in the environment alone: everybody may read the arguments of a process.
fn arguments(
    input: &Input<'_>,
    launch: &Launch,
    environment: &Environment,
    allow_pull: bool,
) -> (Vec<String>, Vec<(String, String)>) {
    let mut arguments = vec!["run".to_owned(), "-d".to_owned(), format!("--name={}", input.name)];
    let mut variables = Vec::new();
    for (name, value) in &launch.given {
        match name.as_str() {
            "name" | "detach" => {}
            "pull" if !allow_pull => {}
            "env" => match value.split_once('=') {
                Some((name, _)) if changes_the_cli(name) => {
                    arguments.push(format!("--env={value}"));
                }
                Some((name, text)) => {
                    arguments.push(format!("--env={name}"));
                    variables.push((name.to_owned(), text.to_owned()));
                }
                None => {
                    arguments.push(format!("--env={value}"));
                    let own = environment.get(value).and_then(|own| own.to_str());
                    variables.extend(own.map(|own| (value.clone(), own.to_owned())));
                }
            },
            _ => arguments.push(format!("--{name}={value}")),
        }
    }
    if !allow_pull {
        arguments.push("--pull=never".to_owned());
    }
    arguments.extend(
        options::words(input.image).chain(options::words(input.command)).map(str::to_owned),
    );
    (arguments, variables)
}

/// Whether a variable means something to the CLI itself, which then would do something else. None of
/// these is a secret, so they may stand in the arguments.
fn changes_the_cli(name: &str) -> bool {
    const ITS_OWN: &[&str] = &[
        "DOCKER_API_VERSION",
        "DOCKER_BUILDKIT",
        "DOCKER_CERT_PATH",
        "DOCKER_CONFIG",
        "DOCKER_CONTENT_TRUST",
        "DOCKER_CONTENT_TRUST_SERVER",
        "DOCKER_CONTEXT",
        "DOCKER_DEFAULT_PLATFORM",
        "DOCKER_HIDE_LEGACY_COMMANDS",
        "DOCKER_HOST",
        "DOCKER_TLS",
        "DOCKER_TLS_VERIFY",
        "GODEBUG",
        "GOGC",
        "GOMAXPROCS",
        "GOMEMLIMIT",
        "GOTRACEBACK",
        "HOME",
        "PATH",
    ];
    ITS_OWN.contains(&name) || name.starts_with("LD_")
}

/// The CLI, with everything in the environment that leads it to its Engine.
fn docker(context: &Context) -> Command {
    let mut command = Command::new(context, "docker");
    for (name, value) in context.environment().iter() {
        if name.as_encoded_bytes().starts_with(b"DOCKER_") {
            command = command.env(name, value);
        }
    }
    command
}

/// The flags in `docker run --help`.
fn listed(context: &Context, deadline: &Deadline, launch: &Launch) -> Result<Vec<Foreign>> {
    if find_program(context, Path::new("docker")).is_none() {
        let flag = launch.unmapped.first().map_or("", String::as_str);
        return Err(Error::args(format!(
            "run_opts: this agent doesn't know {flag}, and Docker's CLI isn't installed: correct the flag, \
             or install the CLI"
        )));
    }
    let output = docker(context).args(["run", "--help"]).run(&deadline.within(HELP))?;
    if !output.is_success() {
        return Err(Error::generic(format!("docker run --help failed: {}", output.last_words())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(flag).collect())
}

/// One line of the help: `-a, --attach list   Attach to …`.
fn flag(line: &str) -> Option<Foreign> {
    let line = line.trim_start();
    let (short, long) = match line.split_once(", --") {
        Some((short, long)) if short.len() == 2 => (short.strip_prefix('-')?.chars().next(), long),
        _ => (None, line.strip_prefix("--")?),
    };
    let end = long.find(' ').unwrap_or(long.len());
    let (name, rest) = long.split_at_checked(end)?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    // The kind of value stands one blank behind the name, the description two or more.
    let takes_value =
        rest.strip_prefix(' ').is_some_and(|rest| !rest.starts_with(' ') && !rest.is_empty());
    is_name.then(|| Foreign { name: name.to_owned(), short, takes_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_which_flags_take_a_value() {
        let taken = |line: &str| flag(line).map(|flag| (flag.name, flag.short, flag.takes_value));
        let attach =
            taken("  -a, --attach list                    Attach to STDIN, STDOUT or STDERR");
        assert_eq!(attach, Some(("attach".to_owned(), Some('a'), true)));
        let init = taken("      --init                           Run an init inside the container");
        assert_eq!(init, Some(("init".to_owned(), None, false)));
        let long = taken("      --health-start-interval duration   Time between running the check");
        assert_eq!(long, Some(("health-start-interval".to_owned(), None, true)));
        for other in ["Usage:  docker run [OPTIONS] IMAGE", "", "  'host':    Run", "   - a dash"] {
            assert_eq!(taken(other), None, "{other}");
        }
    }

    #[test]
    fn no_variable_of_the_container_stands_in_the_arguments() {
        let environment: Environment = [("TOKEN", "from-outside")].into_iter().collect();
        let input = Input {
            name: "web",
            options: "-e PASSWORD=secret --future x -e TOKEN -e PATH=/bin --pull always -d",
            image: "web:1",
            command: "sleep 5",
        };
        let foreign = [Foreign { name: "future".to_owned(), short: None, takes_value: true }];
        let launch = options::parse_with(&input, &environment, &foreign).unwrap();
        assert_eq!(launch.unmapped, ["--future"]);
        let (words, variables) = arguments(&input, &launch, &environment, false);
        let expected = "run -d --name=web --env=PASSWORD --future=x --env=TOKEN --env=PATH=/bin --pull=never \
                        web:1 sleep 5";
        assert_eq!(words.join(" "), expected);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(variables, [pair("PASSWORD", "secret"), pair("TOKEN", "from-outside")]);
        let (words, _) = arguments(&input, &launch, &environment, true);
        assert!(words.contains(&"--pull=always".to_owned()), "{words:?}");
    }
}
