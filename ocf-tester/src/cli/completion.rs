// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf-tester completion`: the script that completes the command line in a shell.

use super::commands;
use crate::checks;
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use clap_complete::{Shell, generate};

/// What is completed.
const NAME: &str = "ocf-tester";

/// The shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Script {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// The script for a shell.
#[must_use]
pub fn script(shell: Script) -> String {
    let mut command = with_ids(commands::whole());
    let mut text = Vec::new();
    let generator = match shell {
        Script::Bash => Shell::Bash,
        Script::Zsh => Shell::Zsh,
        Script::Fish => Shell::Fish,
    };
    generate(generator, &mut command, NAME, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    match shell {
        // The generator writes the name of a command with a dash in two ways, and then finds none of
        // its branches.
        Script::Bash => text.replace("ocf__subcmd__tester", "ocf__tester"),
        Script::Zsh => text,
        Script::Fish => text + &words_for_fish(),
    }
}

/// What the generator leaves out for fish: the words that follow a command.
fn words_for_fish() -> String {
    let ids: Vec<&str> = checks::all().iter().map(|check| check.id).collect();
    let shells = Script::value_variants().iter().filter_map(Script::to_possible_value);
    let shells: Vec<String> = shells.map(|shell| shell.get_name().to_owned()).collect();
    let line = |command: &str, words: &str| {
        format!(
            "complete -c {NAME} -n \"__fish_ocf_tester_using_subcommand {command}\" -f -a \"{words}\"\n"
        )
    };
    line("explain", &ids.join(" ")) + &line("completion", &shells.join(" "))
}

/// The command line as if only ids were taken where patterns are, so that they are offered.
fn with_ids(command: clap::Command) -> clap::Command {
    let ids = || PossibleValuesParser::new(checks::all().iter().map(|check| check.id));
    let chosen = |argument: clap::Arg| argument.value_parser(ids());
    command
        .mut_arg("only", chosen)
        .mut_arg("skip", chosen)
        .mut_subcommand("explain", |explain| explain.mut_arg("ids", chosen))
}
