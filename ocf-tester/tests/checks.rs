// SPDX-License-Identifier: Apache-2.0 OR MIT
//! All checks on an agent that is right and on agents that are each wrong in one way. An agent
//! stands under the name of the right one, because its name is one of the things that are judged.

use nix::unistd::geteuid;
use ocf_tester::agent::Invocation;
use ocf_tester::check::{Outcome, Summary};
use ocf_tester::checks;
use ocf_tester::event::{Event, Reporter};
use ocf_tester::profile::CLASSIC;
use ocf_tester::scratch::Scratch;
use ocf_tester::session::{self, Options};
use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Notes which checks found what.
#[derive(Default)]
struct Notes {
    failed: BTreeSet<&'static str>,
    skipped: BTreeSet<&'static str>,
    texts: Vec<String>,
}

impl Reporter for Notes {
    fn report(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Event::Judged(check, outcome, _) = event else { return Ok(()) };
        match outcome {
            Outcome::Failed(failures) => {
                self.failed.insert(check.id);
                self.texts.extend(failures.iter().map(|one| format!("{}: {one:?}", check.id)));
            }
            Outcome::Skipped(_) => {
                self.skipped.insert(check.id);
            }
            _ => {}
        }
        Ok(())
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(name)
}

/// A run on `safe` or `further-mutants/NAME`, called safe.
fn test(name: &str) -> io::Result<(Notes, Summary)> {
    let scratch = Scratch::new("checks")?;
    let agents = scratch.directory("agents/further-mutants")?;
    for helper in ["safe", "service"] {
        symlink(fixture(helper), scratch.path().join("agents").join(helper))?;
    }
    let called = if name.contains("service") { "service" } else { "safe" };
    symlink(fixture(name), agents.join(called))?;
    let state = scratch.directory("state")?.join("state");
    let base = Invocation::new(agents.join(called), "meta-data")
        .profile(&CLASSIC, "fixture")
        .parameter("state", state);
    let mut notes = Notes::default();
    let summary = session::run(base, checks::all(), Options::default(), None, &mut notes);
    Ok((notes, summary))
}

#[test]
fn right_agents_pass_every_check() {
    for name in ["safe", "service"] {
        let (notes, summary) = test(name).unwrap();
        assert!(notes.failed.is_empty() && summary.left.is_empty(), "{name}: {:#?}", notes.texts);
        let mut unjudged = notes.skipped;
        if !geteuid().is_root() {
            unjudged.remove("USE-20");
        }
        let known: &[&str] = if name == "safe" { SAFE_UNJUDGED } else { SERVICE_UNJUDGED };
        assert_eq!(unjudged, known.iter().copied().collect(), "{name}");
    }
}

/// What can't be judged on an agent whose resource is a file, or has no roles.
const SAFE_UNJUDGED: &[&str] =
    &["VAL-02", "VAL-03", "VAL-04", "USE-61", "MON-05", "STOP-05", "STOP-02", "STOP-08"];
const SERVICE_UNJUDGED: &[&str] = &["INV-09", "MIG-01", "PRO-01", "PRO-02", "REL-01", "REL-02"];

/// A broken agent, its primary check, and what else that may break.
struct Mutant(&'static str, &'static str, &'static [&'static str]);

const MUTANTS: &[Mutant] = &[
    Mutant("other-name", "MD-01", &[]),
    Mutant("meta-data-text-on-request", "USE-24", &[]),
    Mutant("directory-of-description-matters", "USE-25", &[]),
    Mutant("meta-data-needs-root-variable", "USE-27", &[]),
    Mutant("meta-data-says-more", "USE-26", &[]),
    Mutant("recover-unsupported", "MD-15", &[]),
    Mutant("hidden-recover", "INV-07", &[]),
    Mutant("unset-interval-is-no-probe", "MON-08", &["USE-31", "USE-32", "USE-33"]),
    Mutant("any-api", "ENV-03", &[]),
    Mutant("level-fails", "LVL-02", &["MON-02"]),
    Mutant("level-ends-resource", "MON-02", &[]),
    Mutant("api-version-fails", "USE-30", &["USE-31", "ENV-03", "USE-34"]),
    Mutant("output-format-fails", "USE-31", &["USE-30", "USE-34"]),
    Mutant("search-path-matters", "USE-32", &["USE-33"]),
    Mutant("instance-matters", "USE-33", &[]),
    Mutant("validate-needs-path", "USE-34", &[]),
    Mutant("directory-matters", "USE-35", &[]),
    Mutant("umask-matters", "USE-36", &[]),
    Mutant("reads-input", "USE-37", &[]),
    Mutant("two-reasons", "USE-50", &[]),
    Mutant("long-reason", "USE-50", &[]),
    Mutant("no-reason", "USE-51", &["USE-36"]),
    Mutant("monitor-prints", "USE-52", &[]),
    Mutant("slow-notify", "USE-53", &[]),
    Mutant("slow-meta-data", "USE-54", &[]),
    Mutant("state-open-to-all", "USE-62", &[]),
    Mutant("lock-outlives-stop", "STOP-03", &[]),
    Mutant("monitor-writes", "MON-09", &[]),
    Mutant("monitors-collide", "USE-38", &[]),
    Mutant("service-starts-twice", "START-07", &[]),
    Mutant("state-is-shared", "INV-10", &[]),
    Mutant("service-takes-any-number", "VAL-02", &[]),
    Mutant("service-takes-any-word", "VAL-03", &[]),
    Mutant("service-needs-nothing", "VAL-04", &[]),
    Mutant("service-stops-only-when-valid", "STOP-07", &["USE-60"]),
    Mutant("default-untold", "MD-18", &[]),
    Mutant("values-are-executed", "USE-60", &[]),
    Mutant("service-tells-password", "USE-61", &[]),
    Mutant("service-dead-looks-alive", "MON-05", &["STOP-08"]),
    Mutant("service-fails-to-clear-up", "STOP-05", &["USE-51"]),
    Mutant("service-waits-for-frozen", "STOP-02", &[]),
    Mutant("service-ends-any-number", "STOP-08", &[]),
];

fn find_out(mutant: &Mutant) -> Result<(), String> {
    let Mutant(name, primary, drags) = mutant;
    let (notes, _) = test(&format!("further-mutants/{name}")).map_err(|error| error.to_string())?;
    let said = notes.texts.join("\n    ");
    if !notes.failed.contains(primary) {
        return Err(format!("{name}: {primary} doesn't fail\n    {said}"));
    }
    let mut others = notes.failed.iter().filter(|id| *id != primary && !drags.contains(id));
    match others.next() {
        None => Ok(()),
        Some(other) => Err(format!("{name}: {other} fails, too\n    {said}")),
    }
}

#[test]
fn each_broken_agent_fails_its_check_and_no_unrelated_one() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let rows = MUTANTS.chunks(8).map(|rows| {
            scope.spawn(|| rows.iter().filter_map(|row| find_out(row).err()).collect::<Vec<_>>())
        });
        let rows: Vec<std::thread::ScopedJoinHandle<'_, Vec<String>>> = rows.collect();
        rows.into_iter().flat_map(|row| row.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_new_check_is_broken_by_an_agent() {
    let classic: BTreeSet<&str> =
        ocf_tester::classic::CHECKS.iter().map(|check| check.id).collect();
    let broken: BTreeSet<&str> = MUTANTS.iter().map(|row| row.1).collect();
    let new = checks::all().iter().map(|check| check.id).filter(|id| !classic.contains(id));
    let dead: Vec<&str> = new.filter(|id| !broken.contains(id)).collect();
    assert!(dead.is_empty(), "checks that nothing triggers: {dead:?}");
}
