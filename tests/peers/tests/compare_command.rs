// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command `ocf-tester compare` on the shell agents and ours: every difference in the scenarios it
//! makes by itself has its row in differences/, and every row its difference.

use ocf_tester::agent::Invocation;
use peers::collection::Peers;
use peers::{Outcome, claim};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// Some hundred scenarios of the slower agent, beside other tests.
const LIMIT: Duration = Duration::from_secs(900);

/// The staged tester compares an agent with the options; what it says has to be that all agrees.
fn compare(name: &'static str, options: &[&str]) -> Outcome {
    let Peers { shell, ours, .. } = Peers::find(name)?;
    let staged = ours.ancestors().nth(5).map(|usr| usr.join("bin/ocf-tester"));
    let tester =
        staged.filter(|path| path.is_file()).ok_or("no staged tester: run `make stage`")?;
    let table = format!("{}.md", name.replace('/', "-"));
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("differences").join(table);
    let mut call = Invocation::new(tester, "compare").limit(LIMIT);
    for word in ["-n", "x", "--ignore", "reasons"].iter().chain(options) {
        call = call.argument(word);
    }
    let call = call.argument("--differences").argument(table).argument(shell).argument(ours);
    let done = call.run()?;
    let said = String::from_utf8_lossy(&done.stdout);
    let mut story = String::new();
    write!(story, "{said}{}", String::from_utf8_lossy(&done.stderr))?;
    claim(done.code() == Some(0), format!("compare answers {done}\n{story}"))?;
    // An empty comparison would agree with an empty table.
    claim(said.contains("0 disagree with the table"), story)
}

#[test]
fn heartbeat_dummy_differs_as_its_table_says() -> Outcome {
    compare("heartbeat/Dummy", &[])
}

/// Its monitor takes half a minute at level 10, fails by chance at level 20 and always at level 30.
#[test]
fn pacemaker_dummy_differs_as_its_table_says() -> Outcome {
    let skip = ["--skip", "* monitor at level ?0, started", "--skip", "probe at level ?0, started"];
    compare("pacemaker/Dummy", &skip)
}

#[test]
fn pacemaker_stateful_differs_as_its_table_says() -> Outcome {
    compare("pacemaker/Stateful", &[])
}

/// Without a key, wherever it runs.
#[test]
fn pacemaker_remote_differs_as_its_table_says() -> Outcome {
    compare("pacemaker/remote", &["--env", "PCMK_authkey_location={scratch}/authkey"])
}
