// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The manual page and the completions in packaging/ are what the command line's definitions give.
//! `make manual` writes them anew.

#[expect(dead_code, reason = "the runs on fixtures are other tests'")]
mod common;

use clap_mangen::Man;
use common::{code, text};
use ocf_tester::checks;
use ocf_tester::cli::{Script, command_line, script};
use ocf_tester::exit_codes::{ENVIRONMENT, INTERRUPTED, PASSED, REFUSED, USAGE, VIOLATIONS};
use ocf_tester::scratch::Scratch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn packaging(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(path)
}

/// Compares a file with what it should be, or writes it where `OCF_BLESS` says so.
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test's own setting")]
fn hold(path: &str, wanted: &str) {
    let file = packaging(path);
    if std::env::var_os("OCF_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == wanted, "packaging/{path} isn't what the command line gives: make manual");
}

/// Text in which nothing means anything to roff.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.chars().next() {
        Some('.' | '\'') => format!("\\&{text}"),
        _ => text,
    }
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn page() -> String {
    let mut command = command_line();
    command.build();
    let man = Man::new(command.clone())
        .title("OCF-TESTER")
        .section("1")
        .source(concat!("ocf-tester ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut page = b".\\\" SPDX-License-Identifier: Apache-2.0 OR MIT\n\
        .\\\" Made by `make manual`: change the definitions, or the texts beside this file.\n"
        .to_vec();
    man.render_title(&mut page).unwrap();
    page.extend(b".SH NAME\nocf\\-tester \\- test a resource agent against OCF 1.1\n");
    man.render_synopsis_section(&mut page).unwrap();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.extend(format!(".SH DESCRIPTION\n{}.\n", plain(&about)).bytes());
    page.extend(fs::read(packaging("man/description.man")).unwrap());
    man.render_options_section(&mut page).unwrap();
    page.extend(b".SH COMMANDS\n");
    for command in command.get_subcommands() {
        let mut options = Vec::new();
        Man::new(command.clone()).render_options_section(&mut options).unwrap();
        let options = text(&options);
        // The options of a command stand below its name, not in a section of their own.
        let options = options.split_once(".SH OPTIONS\n").map_or("", |(_, options)| options);
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let (name, about) = (plain(command.get_name()), plain(&about));
        page.extend(format!(".SS {name}\n{about}.\n{options}").bytes());
    }
    page.extend(b".SH CHECKS\n");
    for check in checks::all() {
        let (id, section) = (plain(check.id), plain(check.section));
        let (level, meaning) = (check.level, plain(check.meaning));
        page.extend(format!(".TP\n.B {id}\n({level}) {meaning} [{section}]\n").bytes());
    }
    page.extend(fs::read(packaging("man/closing.man")).unwrap());
    text(&page)
}

#[test]
fn the_manual_page_is_what_the_command_line_gives() {
    hold("man/ocf-tester.1", &page());
}

#[test]
fn the_completions_are_what_the_command_line_gives() {
    for (path, shell) in [
        ("completions/ocf-tester.bash", Script::Bash),
        ("completions/_ocf-tester", Script::Zsh),
        ("completions/ocf-tester.fish", Script::Fish),
    ] {
        hold(path, &script(shell));
    }
}

#[test]
fn the_page_tells_every_option_check_and_exit_code() {
    let page = page();
    let command = command_line();
    let commands = command.get_subcommands();
    let arguments = command.get_arguments().chain(commands.flat_map(clap::Command::get_arguments));
    for long in arguments.filter(|one| !one.is_hide_set()).filter_map(clap::Arg::get_long) {
        assert!(page.contains(&plain(&format!("--{long}"))), "--{long} is missing");
    }
    for check in checks::all() {
        assert!(page.contains(&plain(check.id)), "{} is missing", check.id);
    }
    let codes = [PASSED, VIOLATIONS, USAGE, ENVIRONMENT, REFUSED, INTERRUPTED];
    let (_, statuses) = page.split_once(".SH EXIT STATUS").unwrap();
    for code in codes {
        assert!(statuses.contains(&format!("\n.B {code}\n")), "{code} is missing");
    }
    for part in ["[practice]", ".B skipped", ".B \\-L", "second one"] {
        assert!(page.contains(part), "{part} is missing");
    }
}

#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test's helper")]
fn words(words: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_ocf-tester")).args(words).output().unwrap()
}

#[test]
fn the_command_prints_the_script_of_a_shell() {
    for (shell, wanted) in [("bash", Script::Bash), ("zsh", Script::Zsh), ("fish", Script::Fish)] {
        let output = words(&["completion", shell]);
        assert_eq!(code(&output), Some(PASSED), "{output:?}");
        assert_eq!(text(&output.stdout), script(wanted));
        assert!(text(&output.stdout).contains("STOP-06"), "{shell}");
    }
    for bad in [&["completion"][..], &["completion", "tcsh"]] {
        assert_eq!(code(&words(bad)), Some(USAGE), "{bad:?}");
    }
}

/// What bash offers for the last word.
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test's helper")]
fn offered(line: &[&str]) -> Vec<String> {
    let scratch = Scratch::new("manual").unwrap();
    let file = scratch.path().join("completion");
    fs::write(&file, script(Script::Bash)).unwrap();
    let [.., before, last] = line else { return Vec::new() };
    let program = format!(
        "source '{}'; [[ $(complete -p ocf-tester) =~ -F\\ ([^ ]+) ]]; COMP_WORDS=({}); \
         COMP_CWORD={}; ${{BASH_REMATCH[1]}} ocf-tester '{last}' '{before}'; echo ${{COMPREPLY[@]}}",
        file.display(),
        line.join(" "),
        line.len() - 1,
    );
    let output = Command::new("bash").args(["-c", &program]).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    text(&output.stdout).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_ids() {
    assert!(offered(&["ocf-tester", "comp"]).contains(&"compare".to_owned()));
    assert_eq!(offered(&["ocf-tester", "--destr"]), ["--destructive"]);
    for line in [
        &["ocf-tester", "explain", "STOP-0"][..],
        &["ocf-tester", "-n", "x", "--only", "STOP-0"],
        &["ocf-tester", "--skip", "STOP-0"],
    ] {
        let ids = offered(line);
        let all = checks::all().iter().map(|check| check.id);
        let wanted: Vec<&str> = all.filter(|id| id.starts_with("STOP-0")).collect();
        assert_eq!(ids, wanted, "{line:?}");
    }
    assert_eq!(offered(&["ocf-tester", "completion", "f"]), ["fish"]);
    assert_eq!(offered(&["ocf-tester", "compare", "--differ"]), ["--differences"]);
}
