// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `package`: builds the Debian packages from the stage and prints their names. `make deb` calls it.

use clap::Parser;
use packaging::release::Release;
use packaging::{Result, package};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Build the Debian packages from the stage
#[derive(Debug, Parser)]
#[command(name = "package")]
struct Cli {
    /// What `make stage` made: a tree with usr/lib/ocf/resource.d/PROVIDER/TYPE and usr/bin/ocf-tester
    #[arg(long, value_name = "DIR")]
    stage: PathBuf,
    /// The repository, for licences, the changelog and what agents say of their differences
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,
    /// Where the packages go; packages that are there are removed
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// The packages' version, with Debian's revision [default: this project's, revision 1]
    #[arg(long, default_value = concat!(env!("CARGO_PKG_VERSION"), "-1"))]
    version: String,
    /// The time that everything in the packages bears, in seconds since 1970
    /// [default: $SOURCE_DATE_EPOCH, or the last commit's]
    #[arg(long, value_name = "SECONDS")]
    date: Option<u64>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(names) => {
            // Whoever closed the pipe has read enough.
            let _ = writeln!(std::io::stdout(), "{}", names.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "package: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<Vec<String>> {
    let release = Release::new(&cli.source, &cli.version, cli.date)?;
    package::build_all(&cli.stage, &cli.source, &cli.output, &release)
}
