// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf-tester compare`: the two agents, what the scenarios have in common, and the report.

use super::commands::{Compare, Form};
use super::test::{find_agent, wants_colour};
use crate::agent::{Invocation, plain};
use crate::compare::run::{End, Findings, Ignore, News, Plan, Seen};
use crate::compare::{Difference, Setup, stand_in, table};
use crate::interrupt::Interrupt;
use crate::quote::visible;
use crate::report::mask::Secrets;
use crate::{exit_codes, family, profile, turn};
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Compares and reports; the error is the exit code and why.
pub(super) fn compare(arguments: &Compare, name: &OsStr) -> Result<u8, (u8, String)> {
    let broken = |why: String| (exit_codes::ENVIRONMENT, why);
    let wrong = |why: String| (exit_codes::USAGE, why);
    let mut rows = arguments.differences.as_deref().map(read_rows).transpose().map_err(broken)?;
    let setup = setup(arguments, name).map_err(wrong)?;
    let interrupt = Interrupt::install()
        .map_err(|error| broken(format!("cannot wait for signals: {}", plain(&error.into()))))?;
    family::adopt().map_err(|error| {
        broken(format!("cannot keep track of what agents start: {}", plain(&error.into())))
    })?;
    let agents = [&arguments.first, &arguments.second].map(|given| find_agent(given));
    let [first, second] = agents;
    let [first, second] = [first.map_err(broken)?, second.map_err(broken)?];
    let bases = [&first, &second].map(|agent| base(arguments, agent, name));
    let _turns = turns(&bases).ok_or_else(|| {
        let why = "another ocf-tester is at work on this resource; run this one when it has ended";
        (exit_codes::REFUSED, why.to_owned())
    })?;
    let [base, _] = &bases;
    let secrets = Secrets::of(base);
    let mut plan = Plan {
        agents: [&first, &second],
        setup,
        ignore: &arguments.ignore,
        only: &arguments.only,
        skip: &arguments.skip,
        interrupt: Some(&interrupt),
    };
    let mut report = Report::new(arguments, &secrets);
    let findings = plan.run(&mut |news| report.tell(news)).map_err(|end| {
        report.clear();
        ended(end, &secrets)
    })?;
    // Nobody can say of the others whether their difference is there.
    let is_known = |id: &String| plan.is_wanted(id) && !findings.unsteady.contains(id);
    rows.iter_mut().for_each(|rows| rows.retain(|row| is_known(&row.scenario)));
    report
        .finish(&findings, rows.as_deref())
        .map_err(|error| broken(format!("the report can't be written: {}", plain(&error))))
}

/// The exit code of an early end, and the sentence about it.
fn ended(end: End, secrets: &Secrets) -> (u8, String) {
    let (code, why) = match end {
        End::Interrupted(None) => {
            (exit_codes::INTERRUPTED, "interrupted; nothing was left running".to_owned())
        }
        End::Interrupted(Some(why)) => {
            (exit_codes::INTERRUPTED, format!("interrupted, and the resource isn't stopped: {why}"))
        }
        End::Refused(why) => (exit_codes::REFUSED, why),
        End::Broken(why) => (exit_codes::ENVIRONMENT, why),
        End::Left(why) => {
            (exit_codes::VIOLATIONS, format!("the resource could not be stopped: {why}"))
        }
    };
    (code, secrets.text(&why))
}

fn read_rows(path: &Path) -> Result<Vec<table::Row>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("cannot read {shown}: {}; give another --differences", plain(&error))
    })?;
    table::read(&text).map_err(|error| format!("{shown}, {error}"))
}

/// The turns on both agents; only one where they are the same file.
fn turns(bases: &[Invocation; 2]) -> Option<Vec<turn::Turn>> {
    let [first, second] = bases;
    let file = |call: &Invocation| std::fs::canonicalize(&call.agent).ok();
    let mut turns = vec![turn::take(first)?];
    if file(first) != file(second) {
        turns.push(turn::take(second)?);
    }
    Some(turns)
}

fn variables(arguments: &Compare) -> impl Iterator<Item = (OsString, &OsString)> {
    let parameters = arguments.resource.options.iter().map(|(name, value)| {
        let mut variable = OsString::from("OCF_RESKEY_");
        variable.push(name);
        (variable, value)
    });
    let others = arguments.resource.variables.iter();
    parameters.chain(others.map(|(name, value)| (name.clone(), value)))
}

/// What the secrets are found in, and the turn.
fn base(arguments: &Compare, agent: &Path, name: &OsStr) -> Invocation {
    let base = Invocation::new(agent, "meta-data").env("OCF_RESOURCE_INSTANCE", name);
    variables(arguments).fold(base, |base, (variable, value)| base.env(variable, value))
}

fn setup(arguments: &Compare, name: &OsStr) -> Result<Setup, String> {
    let text = |bytes: &OsStr| {
        bytes.to_str().map(str::to_owned).ok_or_else(|| {
            let shown = bytes.to_string_lossy();
            format!("compare takes names and values in UTF-8 only, not {shown}")
        })
    };
    let mut path = OsString::from("{scratch}/sbin:");
    path.push(profile::inherited_path());
    let mut setup = Setup::new().instance(&text(name)?).env("PATH", &text(&path)?);
    let tester = std::env::current_exe()
        .map_err(|error| format!("the tester's own file can't be found: {}", plain(&error)))?;
    for tool in stand_in::TOOLS {
        setup = setup.stand_in(tool, &tester);
    }
    for (variable, value) in variables(arguments) {
        let (variable, value) = (text(&variable)?, text(value)?);
        if value.starts_with('/') && !Path::new(&value).is_dir() {
            setup = setup.place(PathBuf::from(&value));
        }
        setup = setup.env(&variable, &value);
    }
    Ok(setup)
}

/// Tells people or machines.
struct Report<'a> {
    arguments: &'a Compare,
    secrets: &'a Secrets,
    out: io::Stdout,
    /// Whether a line of the terminal tells how far it is.
    moving: bool,
    total: usize,
    done: usize,
}

impl<'a> Report<'a> {
    fn new(arguments: &'a Compare, secrets: &'a Secrets) -> Self {
        let moving = io::stderr().is_terminal() && wants_colour();
        Self { arguments, secrets, out: io::stdout(), moving, total: 0, done: 0 }
    }

    fn is_json(&self) -> bool {
        self.arguments.format == Form::Json
    }

    /// A report nobody reads any more is no reason to leave a resource running.
    fn tell(&mut self, news: &News<'_>) {
        match news {
            News::Begun(total) => self.total = *total,
            News::Compared(id, [a, b], differs) => {
                self.done += 1;
                if self.is_json() {
                    let line = json!({"event": "scenario", "id": id, "differs": differs,
                        "a": self.seen(a), "b": self.seen(b)});
                    let _ = writeln!(self.out, "{line}");
                } else if self.moving {
                    let (done, total) = (self.done, self.total);
                    let id: String = id.chars().take(60).collect();
                    let _ = write!(io::stderr(), "\r\x1b[K[{done}/{total}] {id}");
                }
            }
        }
    }

    fn seen(&self, seen: &Seen) -> Value {
        let effects: Vec<String> = seen.effects.iter().map(|one| self.secrets.text(one)).collect();
        json!({"answer": self.secrets.text(&seen.answer), "effects": effects,
            "exit_reason": self.secrets.text(&seen.reason)})
    }

    fn clear(&self) {
        if self.moving {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    fn masked(&self, one: &Difference) -> Difference {
        let text = |text: &String| self.secrets.text(text);
        Difference {
            scenario: text(&one.scenario),
            shell: text(&one.shell),
            ours: text(&one.ours),
            reasons: one.reasons.as_ref().map(|both| both.each_ref().map(text)),
        }
    }

    /// Tells what came out; the exit code.
    fn finish(&mut self, findings: &Findings, rows: Option<&[table::Row]>) -> io::Result<u8> {
        self.clear();
        let seen: Vec<Difference> =
            findings.differences.iter().map(|one| self.masked(one)).collect();
        let wrong = table::agree(rows.unwrap_or_default(), &seen).err().unwrap_or_default();
        let written = if self.is_json() {
            self.finish_json(findings, &seen, &wrong)
        } else {
            self.finish_human(findings, rows.is_some(), &seen, &wrong)
        };
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
        Ok(if wrong.is_empty() { exit_codes::PASSED } else { exit_codes::VIOLATIONS })
    }

    fn finish_human(
        &mut self,
        findings: &Findings,
        has_table: bool,
        seen: &[Difference],
        wrong: &[table::Mismatch],
    ) -> io::Result<()> {
        let (a, b) = (self.arguments.first.display(), self.arguments.second.display());
        let reasons = !self.arguments.ignore.contains(&Ignore::Reasons);
        let mut text = String::new();
        if has_table {
            wrong.iter().for_each(|one| text.push_str(&format!("{one}\n")));
        } else if !seen.is_empty() {
            text.push_str(&format!("A is {a}, B is {b}.\n\n{}", table::head(reasons)));
            seen.iter().for_each(|one| text.push_str(&format!("{one}\n")));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        for note in &findings.notes {
            text.push_str(&format!("{}\n", self.secrets.text(note)));
        }
        for id in &findings.unsteady {
            text.push_str(&format!("unsteady, not compared: {id}\n"));
        }
        let lines = text.lines().map(|line| visible(line, usize::MAX) + "\n");
        let text: String = lines.collect();
        let (count, total) = (seen.len(), findings.scenarios);
        write!(self.out, "{text}{count} differences in {total} scenarios and the descriptions")?;
        if has_table {
            write!(self.out, "; {} disagree with the table", wrong.len())?;
        }
        writeln!(self.out)?;
        self.out.flush()
    }

    fn finish_json(
        &mut self,
        findings: &Findings,
        seen: &[Difference],
        wrong: &[table::Mismatch],
    ) -> io::Result<()> {
        for one in seen {
            let [reason_a, reason_b] = one.reasons.clone().unwrap_or_default();
            let line = json!({"event": "difference", "scenario": one.scenario, "a": one.shell,
                "b": one.ours, "reason_a": reason_a, "reason_b": reason_b, "row": one.to_string()});
            writeln!(self.out, "{line}")?;
        }
        for one in wrong {
            writeln!(self.out, "{}", json!({"event": "mismatch", "text": one.to_string()}))?;
        }
        let notes: Vec<String> = findings.notes.iter().map(|one| self.secrets.text(one)).collect();
        let line = json!({"event": "finished", "scenarios": findings.scenarios,
            "differences": seen.len(), "mismatches": wrong.len(), "notes": notes,
            "unsteady": findings.unsteady});
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}
