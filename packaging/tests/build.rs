// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command `package` on the stage: the same bytes each time, and a sentence for what is wrong.

use packaging::tool;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn package(stage: &Path, output: &Path, more: &[&str]) -> packaging::Result<Vec<u8>> {
    let paths = [stage, &repository(""), output].map(|path| path.to_string_lossy().into_owned());
    let arguments = ["--stage", &paths[0], "--source", &paths[1], "--output", &paths[2]];
    let quick = [("DPKG_DEB_COMPRESSOR_LEVEL", "0")];
    let program = Path::new(env!("CARGO_BIN_EXE_package"));
    tool::output(program, &[&arguments[..], more].concat(), Path::new("/"), &quick)
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ocf-{name}-{}", std::process::id()))
}

/// The packages in a directory.
fn packages(directory: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let mut packages = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        packages.insert(name, fs::read(path)?);
    }
    Ok(packages)
}

#[test]
fn one_commit_gives_the_same_bytes_wherever_it_is_built() -> Outcome {
    let (stage, copy) = (repository("target/stage"), scratch("stage"));
    let outputs = [scratch("first"), scratch("second")];
    let copying = [stage.to_string_lossy(), copy.to_string_lossy()];
    let copying = ["--recursive", &copying[0], &copying[1]];
    tool::output(Path::new("cp"), &copying, Path::new("/"), &[])?;
    // Another umask, another time: neither may be seen in the packages.
    let tester = copy.join("usr/bin/ocf-tester");
    fs::set_permissions(&tester, fs::Permissions::from_mode(0o700))?;
    let more = ["--date", "1700000000"];
    let printed = package(&stage, &outputs[0], &more)?;
    package(&copy, &outputs[1], &more)?;
    let [first, second] = [packages(&outputs[0])?, packages(&outputs[1])?];
    for directory in outputs.iter().chain([&copy]) {
        fs::remove_dir_all(directory)?;
    }
    assert!(first == second, "differs: {:?}, {:?}", first.keys(), second.keys());
    let names: Vec<String> = first.into_keys().collect();
    let mut told: Vec<String> = String::from_utf8(printed)?.lines().map(str::to_owned).collect();
    told.sort();
    assert_eq!(told, names);
    Ok(())
}

#[test]
fn what_is_wrong_is_said_with_its_remedy() {
    let (stage, output) = (repository("target/stage"), scratch("wrong"));
    for (stage, more, wanted) in [
        (
            Path::new("/nonexistent"),
            &["--date", "1"][..],
            "no agent in /nonexistent: run make stage",
        ),
        (&stage, &["--date", "1", "--version", "1_2"], "1_2 can't be a package's version"),
    ] {
        let error = package(stage, &output, more).err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|error| error.contains(wanted)), "{wanted}: {error:?}");
    }
    assert!(!output.exists() || fs::read_dir(&output).is_ok_and(|mut left| left.next().is_none()));
}
