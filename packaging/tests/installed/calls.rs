// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every way in which dpkg calls the scripts of ocf-agents-names when something else went wrong
//! (Debian Policy, "Summary of ways maintainer scripts are called").

use crate::ground::{Ground, Outcome, dpkg, is_ours, run};
use crate::snapshot::Snapshot;

fn call(words: &[&str]) -> Outcome {
    let [script, arguments @ ..] = words else { return Err("no script".into()) };
    let path = format!("/var/lib/dpkg/info/ocf-agents-names.{script}");
    // dpkg tells the scripts whose they are.
    let variables =
        [("DPKG_MAINTSCRIPT_PACKAGE", "ocf-agents-names"), ("DPKG_MAINTSCRIPT_NAME", *script)];
    let done = run(&path, arguments, &variables)?;
    if done.ok && done.text.is_empty() {
        Ok(())
    } else {
        Err(format!("{words:?}: {done:?}").into())
    }
}

#[test]
fn what_only_prepares_or_undoes_something_else_changes_no_name() -> Outcome {
    let ground = Ground::enter()?;
    ground.first.install("ocf-agents-names")?;
    let taken = Snapshot::of_agents()?;
    for words in [
        &["prerm", "upgrade", "0.2.0-1"][..],
        &["prerm", "failed-upgrade", "0.0.1-1", "0.1.0-1"],
        &["prerm", "deconfigure", "in-favour", "ocf-agents", "0.2.0-1"],
        &["postrm", "upgrade", "0.2.0-1"],
        &["postrm", "failed-upgrade", "0.0.1-1", "0.1.0-1"],
        &["postrm", "abort-install"],
        &["postrm", "abort-upgrade", "0.0.1-1", "0.1.0-1"],
        &["postinst", "abort-upgrade", "0.2.0-1"],
        &["postinst", "configure", "0.1.0-1"],
        &["postinst", "abort-deconfigure", "in-favour", "ocf-agents", "0.2.0-1"],
    ] {
        call(words)?;
        Snapshot::of_agents()?.same_as(&taken).map_err(|error| format!("{words:?}: {error}"))?;
    }
    Ok(())
}

#[test]
fn a_removal_that_failed_takes_the_names_again() -> Outcome {
    let ground = Ground::enter()?;
    ground.first.install("ocf-agents-names")?;
    let taken = Snapshot::of_agents()?;
    call(&["prerm", "remove"])?;
    assert!(!is_ours("heartbeat/Dummy"));
    call(&["postinst", "abort-remove"])?;
    Snapshot::of_agents()?.same_as(&taken)
}

#[test]
fn a_package_removed_between_unpacking_and_configuring_gives_the_names_back() -> Outcome {
    let ground = Ground::enter()?;
    let before = Snapshot::of_agents()?;
    ground.first.install("ocf-agents-names")?;
    ground.second.unpack_names()?;
    // dpkg calls no prerm for it, only postrm.
    dpkg(&["--remove", "ocf-agents-names", "ocf-agents"])?;
    Snapshot::of_agents()?.same_as(&before)
}
