// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command on agents and arguments that are wrong beyond any agent: a clear sentence, a documented
//! code, bounded memory, an end, and nothing that is left.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test starts the command itself, and its helpers fail by a panic"
)]

#[expect(dead_code, reason = "the fixtures that stand on files are other tests'")]
mod common;

use common::{Label, agent, code, tester_with, text};
use ocf_tester::exit_codes::{ENVIRONMENT, INTERRUPTED, PASSED, USAGE, VIOLATIONS};
use ocf_tester::ledger::Watch;
use ocf_tester::scratch::{Scratch, executable};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the tester itself may have in memory at most, in KiB: two outputs at their cap of 10 MiB,
/// and what is made of them.
const MEMORY: u64 = 100 * 1024;

/// How long a run may take: far less than a hang, far more than a busy machine needs.
const TIME: Duration = Duration::from_secs(60);

/// An agent that does this first, and then what `safe` does.
fn spoilt(script: &str, scratch: &Scratch) -> PathBuf {
    let agents = scratch.directory("agents/spoilt").unwrap();
    let (path, right) = (agents.join("safe"), scratch.path().join("agents/safe"));
    let _ = symlink(agent("safe"), right);
    let text =
        format!("#!/bin/sh\nright() {{ \"${{0%/*}}/../safe\" \"$@\"; }}\n{script}\nright \"$@\"\n");
    executable(&path, text).unwrap();
    path
}

/// The command on it.
fn command(script: &str, options: &[&str], scratch: &Scratch) -> Command {
    tester_with(&[&["-n", "x"], options].concat(), &spoilt(script, scratch), scratch)
}

/// Runs the command; it has to keep to [`MEMORY`] and [`TIME`], and to leave no process of its own.
fn bounded(mut command: Command, scratch: &Scratch) -> Output {
    let begun = Instant::now();
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let waiter = std::thread::spawn(move || child.wait_with_output());
    let mut most = 0;
    while !waiter.is_finished() {
        let said = fs::read_to_string(&status).unwrap_or_default();
        let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = waiter.join().unwrap().unwrap();
    assert!(begun.elapsed() < TIME, "{:?}: {output:?}", begun.elapsed());
    assert!(most > 0 && most < MEMORY, "{most} KiB: {:?}", code(&output));
    let state = scratch.path().join("state");
    let watch = Watch::new().marker(format!("OCF_RESKEY_state={}", state.display()));
    let left = watch.snapshot().unwrap().processes;
    assert!(left.is_empty(), "{left:?}");
    output
}

/// What the command says of an agent that does this first.
fn verdict(script: &str, options: &[&str]) -> (Option<u8>, String) {
    let scratch = Scratch::new("bad-input").unwrap();
    let output = bounded(command(script, options, &scratch), &scratch);
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!scratch.path().join("state").exists(), "{output:?}");
    (code(&output), text(&output.stdout))
}

/// The finding of this check, without the command that shows it again.
fn finding<'a>(said: &'a str, id: &str) -> &'a str {
    let is_it = |line: &&str| line.split_whitespace().nth(1) == Some(id);
    said.lines().find(is_it).unwrap_or_default()
}

#[test]
fn no_description_is_too_bad_to_be_judged() {
    let describe = |what: &str| format!("[ \"$1\" = meta-data ] && {{ {what}\nexit 0; }}");
    for (what, id, sentence) in [
        ("echo hello", "MD-01", "not a whole XML document"),
        ("yes '<a>' | head -n 100000", "MD-01", "nesting without end"),
        (
            "echo '<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]>'
             echo '<resource-agent name=\"safe\"><version>&c;</version></resource-agent>'",
            "MD-01",
            "unrecognized entity `c`",
        ),
        (
            "echo '<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]>'
             echo '<resource-agent name=\"safe\"><version>&b;</version></resource-agent>'",
            "MD-01",
            "unrecognized entity `b`",
        ),
        ("right meta-data | sed 's/^/\\x00/'", "MD-01", "the character U+0000"),
        ("right meta-data | sed 's/A file/\\xe4/'", "MD-01", "not UTF-8 at byte"),
        ("printf '\\377\\376'; right meta-data | sed 's/./&\\x00/g'", "MD-01", "not UTF-8"),
        (
            "right meta-data | sed '/<actions>/q'
             yes '<action name=\"start\" timeout=\"1s\"/>' | head -n 1000000",
            "META-01",
            "10 MiB or more",
        ),
        ("yes | head -c 100000000; yes | head -c 100000000 >&2", "META-01", "10 MiB or more"),
    ] {
        let (code, said) = verdict(&describe(what), &["--only", "META-*"]);
        assert_eq!(code, Some(VIOLATIONS), "{what}: {said}");
        assert!(finding(&said, id).contains(sentence), "{what}: {said}");
    }
}

#[test]
fn a_description_of_everything_costs_a_bounded_number_of_calls() {
    let script = "if [ \"$1\" = meta-data ]; then
        right meta-data | sed '/<parameters>/q'
        seq -f '<parameter name=\"n%.0f\"><longdesc lang=\"en\">x</longdesc><shortdesc lang=\"en\">x\
        </shortdesc><content type=\"integer\" default=\"1\"/></parameter>' 2000
        right meta-data | sed '1,/<parameters>/d'
        exit
    fi";
    let (code, said) = verdict(script, &["--only", "META-*,VAL-02", "--level", "should"]);
    assert_eq!(code, Some(VIOLATIONS), "{said}");
    let findings = said.lines().filter(|line| line.contains(" VAL-02 ")).count();
    // Each with a few bad values.
    assert!((20..=1000).contains(&findings), "{findings} calls for 2000 parameters");
}

/// An agent whose actions get a second and no more.
const HASTY: &str = "[ \"$1\" = meta-data ] && { right meta-data | sed s/20s/1s/; exit; }\n";

#[test]
fn what_an_agent_prints_without_end_ends() {
    let script = format!("{HASTY}[ \"$1\" = monitor ] && exec yes");
    let (code, said) = verdict(&script, &["--only", "MON-03"]);
    assert_eq!(code, Some(VIOLATIONS), "{said}");
    assert!(finding(&said, "MON-03").contains("no answer in time"), "{said}");
    let loud = "[ \"$1\" = monitor ] && { yes | head -c 30000000; yes | head -c 30000000 >&2; }";
    let (code, said) = verdict(loud, &["--only", "MON-03,USE-52"]);
    assert_eq!(code, Some(PASSED), "{said}");
    assert!(finding(&said, "USE-52").contains("nothing on standard output"), "{said}");
}

#[test]
fn any_name_and_any_value_is_passed_on() {
    let long = "v".repeat(65536);
    let cases: [(&str, &[u8]); 7] = [
        ("a/../b", b"fake="),
        ("two\nlines", b"a/b=../../x"),
        ("\u{202e}x", "\u{e9} \u{1b}[2J=\n\u{1b}c".as_bytes()),
        ("x", b"fake=\xff\xfe"),
        ("x", b"=x=x".get(1..).unwrap()),
        ("x", b"fake=$(false)`false`;'\"\\"),
        (&long, b"fake=1"),
    ];
    for (name, option) in cases {
        let scratch = Scratch::new("bad-input").unwrap();
        let mut command = command("", &["--only", "START-01,STOP-01"], &scratch);
        command.args(["--env", &format!("OCF_RESOURCE_INSTANCE={name}")]);
        command.arg("-o").arg(OsString::from_vec(option.to_vec()));
        let output = bounded(command, &scratch);
        assert_eq!(code(&output), Some(PASSED), "{option:?}: {output:?}");
        assert_eq!(text(&output.stdout).lines().count(), 2, "{output:?}");
    }
}

#[test]
fn parameters_may_be_many_and_long() {
    let scratch = Scratch::new("bad-input").unwrap();
    let seen = scratch.path().join("seen");
    let script = format!("[ \"$1\" = start ] && env | grep -c ^OCF_RESKEY_p > {}", seen.display());
    let mut command = command(&script, &["--only", "START-01"], &scratch);
    for number in 0..2000 {
        command.args(["-o", &format!("p{number}=v")]);
    }
    command.args(["-o", &format!("q={}", "v".repeat(65536))]);
    let output = bounded(command, &scratch);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert_eq!(fs::read_to_string(seen).unwrap(), "2000\n");
}

#[test]
fn a_value_that_no_program_can_be_given_is_an_environment_error() {
    // The kernel takes 128 KiB for a word; with the name of its variable this one is longer.
    let option = format!("fake={}", "v".repeat(128 * 1024 - 8));
    let scratch = Scratch::new("bad-input").unwrap();
    let output = bounded(command("", &["-o", &option], &scratch), &scratch);
    assert_eq!(code(&output), Some(ENVIRONMENT), "{output:?}");
    assert!(text(&output.stdout).contains("argument list too long"), "{output:?}");
}

#[test]
fn a_wrong_word_is_repeated_in_part() {
    let long = "x".repeat(100_000);
    for option in ["--level=", "--format=", "--only=", "--skip=", "--"] {
        let scratch = Scratch::new("bad-input").unwrap();
        let word = format!("{option}{long}");
        let output = command("", &[&word], &scratch).output().unwrap();
        assert_eq!(code(&output), Some(USAGE), "{option}");
        let said = text(&output.stderr);
        assert!(said.len() < 3000 && said.contains("xxx"), "{option}: {} bytes", said.len());
    }
}

#[test]
fn a_report_goes_nowhere_but_into_its_file() {
    for (format, place, why) in [
        ("human", "/dev/full", "no space left on device"),
        ("junit", "/dev/full", "no space left on device"),
        ("json", "/dev/full", "no space left on device"),
        ("json", "/", "is a directory"),
        ("json", "/proc/none/x", "no such file or directory"),
        ("json", "the agent", "that is the agent"),
    ] {
        let scratch = Scratch::new("bad-input").unwrap();
        let path = spoilt("", &scratch);
        let before = fs::read(&path).unwrap();
        let place = if place == "the agent" { path.to_str().unwrap() } else { place };
        let options = ["--format", format, "--output", place, "--only", "START-01,STOP-01"];
        let output = bounded(command("", &options, &scratch), &scratch);
        assert_eq!(code(&output), Some(ENVIRONMENT), "{format} {place}: {output:?}");
        assert!(text(&output.stderr).contains(why), "{format} {place}: {output:?}");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(!scratch.path().join("state").exists());
    }
}

/// A lost report is told also where the code speaks of the agent.
#[test]
fn a_failed_run_tells_of_its_lost_report() {
    let scratch = Scratch::new("bad-input").unwrap();
    let options = ["--format", "junit", "--output", "/dev/full", "--only", "MON-03"];
    let script = "[ \"$1\" = monitor ] && exit 1";
    let output = bounded(command(script, &options, &scratch), &scratch);
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    assert!(text(&output.stderr).contains("the report can't be written"), "{output:?}");
}

#[test]
fn without_a_standard_output_the_resource_is_stopped_all_the_same() {
    let scratch = Scratch::new("bad-input").unwrap();
    let tester = command("", &["--only", "START-01"], &scratch);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "exec \"$@\" >&- 2>&- <&-", "sh"]);
    shell.arg(tester.get_program()).args(tester.get_args());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = bounded(shell, &scratch);
    assert_eq!(code(&output), Some(PASSED), "{output:?}");
    assert!(!scratch.path().join("state").exists());
}

#[test]
fn an_agent_that_goes_away_or_changes_is_named_as_the_reason() {
    for (harm, why) in [
        ("rm -f \"$0\"", "now there is no such file"),
        ("chmod 644 \"$0\"", "now not permitted"),
        ("echo exit > \"$0.new\"; chmod 755 \"$0.new\"; mv \"$0.new\" \"$0\"", "begin it with #!"),
    ] {
        let scratch = Scratch::new("bad-input").unwrap();
        let script = format!("[ \"$1\" = start ] && {{ right start; {harm}; exit 0; }}");
        let output = bounded(command(&script, &[], &scratch), &scratch);
        assert_eq!(code(&output), Some(ENVIRONMENT), "{harm}: {output:?}");
        let said = text(&output.stdout);
        for line in ["LEFT ", "BROKEN "] {
            let found = said.lines().find(|found| found.starts_with(line)).unwrap_or_default();
            assert!(found.contains("was changed or removed") && found.contains(why), "{said}");
        }
        assert!(scratch.path().join("state").exists(), "nothing can stop it any more");
    }
}

/// Python, because a shell has no such calls.
fn python(line: &str) -> String {
    format!("[ \"$1\" = start ] && exec python3 -c '\nimport ctypes, os, signal, time\n{line}'")
}

#[test]
fn an_agent_that_stops_or_hides_does_not_keep_the_tester() {
    for (script, seen) in [
        (format!("{HASTY}[ \"$1\" = start ] && kill -STOP $$"), "no answer in time"),
        (
            python("ctypes.CDLL(None).ptrace(0, 0, 0, 0); os.kill(os.getpid(), signal.SIGSTOP)"),
            "killed by SIGKILL",
        ),
        (format!("{HASTY}{}", python("os.setpgid(0, 0); time.sleep(300)")), "no answer in time"),
        ("[ \"$1\" = start ] && kill -KILL 0".to_owned(), "killed by SIGKILL"),
    ] {
        let (code, said) = verdict(&script, &["--only", "START-01"]);
        assert_eq!(code, Some(VIOLATIONS), "{script}: {said}");
        assert!(finding(&said, "START-01").contains(seen), "{script}: {said}");
    }
    let closes = "case $1 in start | monitor) exec >&- 2>&- ;; esac";
    let (code, said) = verdict(closes, &["--only", "START-01,STOP-01,USE-23"]);
    assert_eq!(code, Some(PASSED), "{said}");
    let signals = "[ \"$1\" = start ] && { right start; kill -TERM $PPID; exit 0; }";
    let (code, said) = verdict(signals, &["--only", "START-01"]);
    assert_eq!(code, Some(INTERRUPTED), "{said}");
    assert!(said.contains("nothing was left running"), "{said}");
}

#[test]
fn daemons_by_the_dozen_are_ended_and_counted() {
    for (script, least) in [
        ("for i in $(seq 50); do setsid env -i sleep \"$OCF_RESKEY_seconds\" & done", 50),
        ("i=0; while [ $i -lt 200 ]; do sleep \"$OCF_RESKEY_seconds\" & i=$((i + 1)); done", 200),
    ] {
        let (scratch, label) = (Scratch::new("bad-input").unwrap(), Label::new());
        let script =
            format!("if [ \"$1\" = start ]; then {script}; fi < /dev/null > /dev/null 2>&1");
        let options = ["-o", &label.option(), "--only", "START-01"];
        let output = bounded(command(&script, &options, &scratch), &scratch);
        assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
        assert!(label.processes().is_empty());
        let said = text(&output.stdout);
        let left: Vec<&str> = said.lines().filter(|line| line.starts_with("LEFT ")).collect();
        assert_eq!(left.len(), 21, "{said}");
        let further = format!("{} further processes", least - 20);
        assert!(left.iter().any(|line| line.contains(&further)), "{said}");
    }
}

/// Whoever lists processes mostly sees none of these, as each lives for a moment only.
#[test]
fn a_process_that_starts_itself_anew_for_ever_is_ended() {
    let scratch = Scratch::new("bad-input").unwrap();
    let beat = scratch.path().join("beat");
    let script = format!(
        "if [ \"$1\" = start ]; then setsid python3 -c '
import os, time
for i in range(20000):
    if os.fork(): os._exit(0)
    open(\"{}\", \"w\").write(str(i))
    time.sleep(0.002)' < /dev/null > /dev/null 2>&1 & fi",
        beat.display()
    );
    let options = ["--only", "START-01,STOP-01"];
    let output = bounded(command(&script, &options, &scratch), &scratch);
    assert_eq!(code(&output), Some(VIOLATIONS), "{output:?}");
    assert!(text(&output.stdout).contains("LEFT "), "{output:?}");
    let before = fs::read(&beat).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(fs::read(&beat).unwrap(), before, "it goes on");
}

#[test]
fn odd_paths_are_told_apart() {
    let scratch = Scratch::new("bad-input").unwrap();
    let long = "a".repeat(300);
    for (path, why) in [
        (&b"/nonexistent/agent"[..], "no such file or directory"),
        (b"/", "it isn't a file"),
        (b"/dev/null", "it isn't a file"),
        (b"/etc/passwd", "it isn't executable"),
        (b"/\xff\xfe", "no such file or directory"),
        (long.as_bytes(), "in PATH"),
    ] {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let output = tester_with(&["-n", "x"], path, &scratch).output().unwrap();
        assert_eq!(code(&output), Some(ENVIRONMENT), "{path:?}: {output:?}");
        let said = text(&output.stderr);
        assert!(said.contains(why) && said.lines().count() == 1, "{path:?}: {said}");
    }
}
