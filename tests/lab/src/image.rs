// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab's images: made when they are wanted, kept between runs.

use crate::build::{Build, WORK_DIR, upgrade};
use crate::docker::Docker;
use crate::packages::Packages;
use crate::progress::Progress;
use crate::recipe::Kind;
use crate::space::{self, Demand};
use crate::{Error, Result};
use std::path::PathBuf;

/// Room for an unpacked base system and its archive, in megabytes.
const WORK_ROOM: u64 = 600;

/// Makes an image unless it is here, with our packages if it is to have them, and gives its tag.
///
/// Where our packages are in an image, they are brought up to date by dpkg in a layer of its own:
/// they change with every build, and all the rest only with a recipe.
///
/// # Errors
/// No mirror, no network, no room, no packages, or the Engine fails.
pub fn ensure(
    docker: &Docker,
    progress: &Progress,
    kind: Kind,
    packages: Option<&Packages>,
) -> Result<String> {
    let packages = packages.filter(|_| kind.has_our_packages());
    if kind.has_our_packages() && packages.is_none() {
        return Err(Error::new(format!("no packages are given for {}", kind.title())));
    }
    let wanted = match packages {
        Some(packages) => format!("{}-{:016x}", kind.tag(), packages.hash()?),
        None => kind.tag(),
    };
    if docker.has_image(&wanted)? {
        return Ok(wanted);
    }
    let lock = crate::engine::lock_file("image.lock")?;
    crate::engine::wait_for_lock(docker, &lock)?;
    if docker.has_image(&wanted)? {
        return Ok(wanted);
    }
    if !docker.has_image(&kind.tag())? {
        make(docker, progress, kind, packages)?;
    }
    if let Some(packages) = packages {
        let label = format!("our packages in {}", kind.title());
        progress.step(&label, || upgrade(docker, &kind.tag(), packages, &wanted))?;
        forget_older(docker, &kind.tag(), &wanted)?;
    }
    Ok(wanted)
}

fn make(
    docker: &Docker,
    progress: &Progress,
    kind: Kind,
    packages: Option<&Packages>,
) -> Result<()> {
    progress.note("making an image from this machine's Debian mirror: a minute or two");
    let base = Kind::Base(kind.release());
    let has_base = docker.has_image(&base.tag())?;
    // First, for it removes what a killed build left.
    let build = Build::begin(docker)?;
    require_room(docker, kind, if has_base { None } else { Some(base) })?;
    if !has_base {
        progress.step(&base.title(), || build.make_base(base))?;
    }
    progress.step(&kind.title(), || build.make(kind, packages))
}

/// Asks before a build what would otherwise end in the middle of it.
fn require_room(docker: &Docker, kind: Kind, base: Option<Kind>) -> Result<()> {
    let work = PathBuf::from(WORK_DIR);
    let engine =
        PathBuf::from(docker.ok(["info", "--format", "{{.DockerRootDir}}"])?.stdout.trim());
    let mut demands =
        vec![Demand { directory: work.parent().unwrap_or(&work).to_owned(), megabytes: WORK_ROOM }];
    // An Engine in a file system of its own (a container, a snap) keeps things where we can't look.
    if engine.is_dir() {
        let megabytes = kind.megabytes() + base.map_or(0, Kind::megabytes);
        demands.push(Demand { directory: engine, megabytes });
    }
    space::require(&format!("making {}", kind.title()), &demands)
}

/// Removes images with earlier builds of our packages; one that a container stands on stays.
fn forget_older(docker: &Docker, stem: &str, wanted: &str) -> Result<()> {
    let stem = format!("{stem}-");
    let all = docker.ok(["images", "--format", "{{.Repository}}:{{.Tag}}"])?.stdout;
    for older in all.lines().filter(|tag| tag.starts_with(&stem) && *tag != wanted) {
        docker.runner.run(&docker.invocation(["rmi", older]))?;
    }
    Ok(())
}
