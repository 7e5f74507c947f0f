// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What somebody else has done to a name: one sentence, and nothing half done or lost.

use crate::ground::{Ground, Outcome, RESOURCED, dpkg, is_ours, run};
use crate::snapshot::Snapshot;
use std::fs;
use std::path::Path;

const NAME: &str = "/usr/lib/ocf/resource.d/pacemaker/Stateful";

/// The lines that our package said.
fn said(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("ocf-agents-names: ")).collect()
}

#[test]
fn a_foreign_diversion_is_named_before_anything_is_taken() -> Outcome {
    let ground = Ground::enter()?;
    let divert =
        |action: &str| run("dpkg-divert", &["--quiet", "--local", "--rename", action, NAME], &[]);
    divert("--add")?;
    fs::write(NAME, "#!/bin/sh\n")?;
    ground.first.unpack_names()?;
    let before = Snapshot::of_agents()?;
    let done = run("dpkg", &["--configure", "ocf-agents-names"], &[])?;
    assert!(!done.ok);
    let said = said(&done.text);
    assert!(
        said.len() == 1 && said.concat().contains(NAME) && said.concat().contains("--remove"),
        "{done:?}"
    );
    Snapshot::of_agents()?.same_as(&before)?;
    fs::remove_file(NAME)?;
    divert("--remove")?;
    dpkg(&["--configure", "ocf-agents-names"])?;
    assert!(is_ours("pacemaker/Stateful"));
    Ok(())
}

#[test]
fn a_directory_at_a_name_is_named_before_anything_is_taken() -> Outcome {
    let ground = Ground::enter()?;
    let aside = format!("{NAME}.aside");
    fs::rename(NAME, &aside)?;
    fs::create_dir(NAME)?;
    ground.first.unpack_names()?;
    let before = Snapshot::of_agents()?;
    let done = run("dpkg", &["--configure", "ocf-agents-names"], &[])?;
    assert!(!done.ok && said(&done.text).len() == 1, "{done:?}");
    Snapshot::of_agents()?.same_as(&before)?;
    fs::remove_dir(NAME)?;
    fs::rename(&aside, NAME)?;
    dpkg(&["--configure", "ocf-agents-names"]).map(|_| ())
}

#[test]
fn a_shell_agent_that_was_changed_here_is_given_back_as_it_was() -> Outcome {
    let ground = Ground::enter()?;
    let original = fs::read(NAME)?;
    fs::write(NAME, [original.as_slice(), b"# ours\n"].concat())?;
    let before = Snapshot::of_agents()?;
    ground.first.install("ocf-agents-names")?;
    assert!(is_ours("pacemaker/Stateful"));
    dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?;
    Snapshot::of_agents()?.same_as(&before)?;
    fs::write(NAME, original)?;
    Ok(())
}

#[test]
fn a_file_put_over_our_link_is_kept() -> Outcome {
    let ground = Ground::enter()?;
    let before = Snapshot::of_agents()?;
    let kept = Path::new(RESOURCED).join("pacemaker/.Stateful.kept");
    for verb in ["--purge", "--install"] {
        ground.first.install("ocf-agents-names")?;
        fs::remove_file(NAME)?;
        fs::write(NAME, "an administrator's\n")?;
        let text = match verb {
            "--purge" => dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?,
            _ => ground.first.install("ocf-agents-names")?,
        };
        assert!(said(&text).concat().contains("kept as"), "{text}");
        assert_eq!(fs::read_to_string(&kept)?, "an administrator's\n");
        fs::remove_file(&kept)?;
    }
    assert!(is_ours("pacemaker/Stateful"));
    dpkg(&["--purge", "ocf-agents-names", "ocf-agents"])?;
    Snapshot::of_agents()?.same_as(&before)
}
