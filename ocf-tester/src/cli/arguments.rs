// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The options of the classic command line.

use crate::check::Level;
use crate::report::Format;
use clap::{ArgAction, Args, Parser};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Tests an OCF resource agent: starts, asks, promotes and stops a resource through it, and says
/// which rules it breaks. It always stops what it has started.
#[derive(Debug, Parser)]
#[command(name = "ocf-tester", version, after_help = AFTER)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) resource: Resource,
    /// A line for every check
    #[arg(short = 'v', conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// The verdict only
    #[arg(short = 'q')]
    pub(super) quiet: bool,
    /// Agents log debug messages (HA_debug=1)
    #[arg(short = 'd')]
    pub(super) debug: bool,
    /// Shell agents trace themselves (OCF_TRACE_RA=1); implies -v
    #[arg(short = 'X', conflicts_with = "quiet")]
    pub(super) trace: bool,
    /// Go on, and stop the resource, when it is active already
    #[arg(long)]
    pub(super) destructive: bool,
    /// Only the checks with these ids; globs, repeatable, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Not the checks with these ids; globs, repeatable, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    /// Make the checks up to this level, and count them all [default: make all, count musts]
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<Level>,
    /// How often each action is killed, and how many bad values of each parameter are tried
    /// [default: as each check can afford]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) budget: Option<u32>,
    /// Repeat the choices of an earlier run, which told this number [default: another one each time]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Checks that are known to fail, each with a reason on a line of its own; one that passes is an
    /// error
    #[arg(long, value_name = "FILE")]
    pub(super) expect_fail: Option<PathBuf>,
    /// List the checks (id, level, section, meaning) and do nothing else
    #[arg(long)]
    pub(super) list: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: Format,
    /// Write the report to this file, and the one for people to the terminal
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// The classic tester's mode through lrmd, which is refused
    #[arg(short = 'L', hide = true)]
    pub(super) old_mode: bool,
    /// Same as --help
    #[arg(short = '?', action = ArgAction::Help, hide = true)]
    pub(super) question: Option<bool>,
    /// The agent's file; a name without a slash is looked up in PATH
    #[arg(value_name = "AGENT", required_unless_present_any = ["list", "old_mode"],
        value_hint = clap::ValueHint::ExecutablePath)]
    pub(super) agent: Option<PathBuf>,
}

/// Which resource, in which environment.
#[derive(Debug, Args)]
pub(super) struct Resource {
    /// Name of the resource [default: OCF_RESOURCE_INSTANCE from the environment]
    #[arg(short = 'n', value_name = "NAME")]
    pub(super) name: Option<OsString>,
    /// Parameter of the resource; repeatable
    #[arg(short = 'o', value_name = "NAME=VALUE", value_parser = assignment())]
    pub(super) options: Vec<(OsString, OsString)>,
    /// Further variable in the agent's environment, HA_SBIN_DIR for one; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment())]
    pub(super) variables: Vec<(OsString, OsString)>,
}

const AFTER: &str =
    "A command is meant by the first word only; an agent of that name is given as ./compare.

Exit codes: 0 passed, 1 violations, 2 wrong usage, 3 the agent can't be run, the \
tester could not do its work or the report can't be written, 4 refused because the resource is active or another tester is at work \
on it, 130 interrupted.

No action gets more than an hour, whatever it advertises, nor more than 5 minutes in the clean-up. \
A signal ends the test and stops the resource; a second one, a second or more later, leaves it.";

/// Splits `name=value`; the value may hold anything, further `=` and bytes that aren't UTF-8 too.
fn assignment() -> impl clap::builder::TypedValueParser<Value = (OsString, OsString)> {
    use clap::builder::{OsStringValueParser, TypedValueParser};
    OsStringValueParser::new().try_map(|text| {
        let bytes = text.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=').unwrap_or(0);
        let (name, rest) = bytes.split_at(equals);
        if name.is_empty() || name.contains(&0) {
            return Err("it has to be name=value");
        }
        let value = rest.iter().skip(1).copied().collect();
        Ok((OsStr::from_bytes(name).to_owned(), OsString::from_vec(value)))
    })
}
