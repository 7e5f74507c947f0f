// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the first word can ask for beside the test of an agent.

use super::arguments::{Arguments, Resource};
use super::completion::Script;
use crate::compare::run::Ignore;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The command line when its first word names a command.
#[derive(Debug, Parser)]
#[command(name = "ocf-tester", disable_help_subcommand = true)]
pub(super) struct Commanded {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Says why there is a check, what Pacemaker does about an agent that fails it, and how that is
    /// mostly mended
    Explain {
        /// The checks, and rules of descriptions such as MD-08, which META-02 judges; globs
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Runs the same scenarios on two implementations of an agent and tells how they differ
    #[command(after_help = COMPARE)]
    Compare(Compare),
    /// Prints the script that completes this command line in a shell
    Completion {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Script,
    },
}

/// The options of the comparison.
#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    #[command(flatten)]
    pub(super) resource: Resource,
    /// The table of known differences, in Markdown: each needs its row, and each row its difference
    #[arg(long, value_name = "FILE")]
    pub(super) differences: Option<PathBuf>,
    /// Don't compare this; repeatable, comma-separated
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(super) ignore: Vec<Ignore>,
    /// Only the scenarios with these names; globs, repeatable
    #[arg(long, value_name = "SCENARIO")]
    pub(super) only: Vec<String>,
    /// Not the scenarios with these names; globs, repeatable
    #[arg(long, value_name = "SCENARIO")]
    pub(super) skip: Vec<String>,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: Form,
    /// The implementation that is compared with
    #[arg(value_name = "A")]
    pub(super) first: PathBuf,
    /// The implementation that is compared
    #[arg(value_name = "B")]
    pub(super) second: PathBuf,
}

/// The form of the comparison's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A table in Markdown, whose rows can be pasted
    Human,
    /// JSON lines, one scenario a line
    Json,
}

const COMPARE: &str =
    "The scenarios come from both descriptions: every action in every state that both reach, further \
arguments, unknown actions, wrong values, check levels, environments, and each agent on what the other \
started. Codes, exit reasons, descriptions and effects are compared: changed files, processes, calls of \
crm_attribute and its kin.

Each scenario has a directory of its own, which stands for /run; {scratch} in a value is its path, as in \
-o state={scratch}/state. What a parameter names elsewhere is shared by all scenarios. Paths, process \
numbers and times that differ in every run are replaced by what they are. A scenario that differs is \
run again; if it isn't the same then, it is told as unsteady and doesn't count.

The table has the columns scenario, A, B, reason of A, reason of B, and why, which is for you to fill \
in. Two implementations seldom use the same words: --ignore wording compares only whether there is an \
exit reason, --ignore reasons nothing about it.

Exit codes: 0 no difference without its row and no row without its difference, 1 there is one, or the \
resource was left running; else as without a command.";

const USAGE: &str = "ocf-tester [OPTIONS] -n NAME AGENT
       ocf-tester --list
       ocf-tester explain ID...
       ocf-tester compare [OPTIONS] -n NAME A B
       ocf-tester completion SHELL";

/// The whole command line, for help, the man page and completion.
#[must_use]
pub fn whole() -> clap::Command {
    let classic = Arguments::command();
    let about = classic.get_about().cloned().unwrap_or_default();
    Command::augment_subcommands(classic)
        .about(about)
        .long_about(None)
        .override_usage(USAGE)
        .disable_help_subcommand(true)
        .subcommand_negates_reqs(true)
        .args_conflicts_with_subcommands(true)
}

/// Whether the first word after the program's name is a command.
pub(super) fn is_commanded(words: &[OsString]) -> bool {
    let first = words.get(1);
    let commands = Commanded::command();
    let mut names = commands.get_subcommands().map(clap::Command::get_name);
    first.is_some_and(|first| names.any(|name| first == name))
}
