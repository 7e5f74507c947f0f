// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `bench FLOOR OURS SHELL`: the CPU of one monitor of a running Dummy, for a static C program that
//! only stats the file, for our agent, and for the shell agent, in turns in one run. Figures are
//! ratios: the machine's speed drifts, and the turns drift with it. A measurement, not a test.

use bench::{children_cpu, median};
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Turns, and monitors of one kind in a turn.
const TURNS: usize = 40;
const MONITORS: i64 = 25;

/// One thing to measure: its name, its program, its argument.
struct Subject {
    name: &'static str,
    program: String,
    argument: String,
    /// CPU of one monitor in microseconds, one figure a turn.
    costs: Vec<i64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [floor, ours, shell] = arguments.as_slice() else {
        return fail("usage: bench FLOOR OURS SHELL (the Makefile knows the paths)");
    };
    let state = std::env::temp_dir().join(format!("ocf-bench-{}.state", std::process::id()));
    if let Err(error) = std::fs::write(&state, "") {
        return fail(&format!("cannot write {}: {error}", state.display()));
    }
    let subject = |name, program: &str, argument: &str| Subject {
        name,
        program: program.to_owned(),
        argument: argument.to_owned(),
        costs: Vec::new(),
    };
    let mut subjects = vec![
        subject("floor (C)", floor, &state.to_string_lossy()),
        subject("ours", ours, "monitor"),
    ];
    if Path::new(shell).exists() {
        subjects.push(subject("shell", shell, "monitor"));
    }
    let measured = measure(&mut subjects, &state);
    let _gone = std::fs::remove_file(&state);
    match measured.and_then(|()| report(&subjects).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

fn fail(why: &str) -> ExitCode {
    let _nobody_listens = writeln!(std::io::stderr(), "bench: {why}");
    ExitCode::FAILURE
}

fn measure(subjects: &mut [Subject], state: &Path) -> Result<(), String> {
    // The first turn warms the page cache and is not counted.
    for turn in 0..=TURNS {
        for subject in &mut *subjects {
            let before = children_cpu()?;
            for _ in 0..MONITORS {
                monitor(subject, state)?;
            }
            let cost = (children_cpu()? - before) / MONITORS;
            if turn > 0 {
                subject.costs.push(cost);
            }
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the bare start of a process")]
fn monitor(subject: &Subject, state: &Path) -> Result<(), String> {
    let status = Command::new(&subject.program)
        .arg(&subject.argument)
        .env_clear()
        .envs([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("OCF_ROOT", "/usr/lib/ocf"),
            ("OCF_RA_VERSION_MAJOR", "1"),
            ("OCF_RA_VERSION_MINOR", "1"),
            ("OCF_RESOURCE_INSTANCE", "bench"),
            ("OCF_RESOURCE_TYPE", "Dummy"),
            ("OCF_RESOURCE_PROVIDER", "heartbeat"),
            ("OCF_RESKEY_crm_feature_set", "3.16.1"),
            ("OCF_RESKEY_CRM_meta_interval", "10000"),
            ("OCF_RESKEY_CRM_meta_timeout", "20000"),
            ("OCF_RESKEY_CRM_meta_on_node", "node1"),
            ("PCMK_service", "pacemaker-execd"),
            ("HA_LOGFACILITY", "daemon"),
            ("HA_debug", "0"),
        ])
        .env("OCF_RESKEY_state", state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", subject.program))?;
    match status.code() {
        Some(0) => Ok(()),
        _ => Err(format!("{} monitor ended with {status}, not 0", subject.program)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds are small")]
fn report(subjects: &[Subject]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (Some(floor), Some(ours)) = (subjects.first(), subjects.get(1)) else { return Ok(()) };
    let costs = |subject: &Subject| subject.costs.iter().map(|cost| *cost as f64).collect();
    let ratio = |a: &Subject, b: &Subject| {
        median(a.costs.iter().zip(&b.costs).map(|(a, b)| *a as f64 / *b as f64).collect())
    };
    writeln!(out, "one monitor of Dummy, CPU, medians of {TURNS} turns of {MONITORS}:")?;
    for subject in subjects {
        let micros = median(costs(subject));
        let times = ratio(subject, floor);
        writeln!(out, "  {:<10} {micros:>7.0} us   {times:>5.2} x the floor", subject.name)?;
    }
    match subjects.get(2) {
        Some(shell) => writeln!(out, "the shell agent costs {:.1} x ours", ratio(shell, ours))?,
        None => writeln!(out, "the shell agent is not installed here (package resource-agents)")?,
    }
    for subject in subjects.iter().take(2) {
        let size = std::fs::metadata(&subject.program)?.len() / 1024;
        writeln!(out, "size of {}: {size} KiB", subject.program)?;
    }
    Ok(())
}
