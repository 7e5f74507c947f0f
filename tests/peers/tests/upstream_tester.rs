// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Upstream's ocf-tester (of resource-agents) on our agents. It wants meta-data that conforms to a DTD
//! of API 1.0; meta-data of API 1.1 can't (its own 1.1 agents fail likewise), so this is the one line
//! that is expected, and any other is a defect of ours.

use ocf_tester::scratch::Scratch;
use peers::collection::Peers;
use peers::program::{call, told};
use peers::{Outcome, claim, place};

const DTD: &str = "* rc=4: Your agent produces meta-data which does not conform to ra-api-1.dtd";
const NO_RELOAD: &str = "* Your agent does not support the reload action (optional)";

/// What it prints for an agent, on stdout, and as the last line on stderr.
fn test(name: &'static str, parameters: &[&str]) -> Outcome<(Vec<String>, String)> {
    let peers = Peers::find(name)?;
    let scratch = Scratch::new("upstream")?;
    let path = scratch.path().to_string_lossy();
    let mut call = call("ocf-tester", &["-n", "upstream"])?;
    // Nor may a cluster of this machine hear of the scores.
    for variable in ["HA_RSCTMP", "HA_VARRUN", "HA_SBIN_DIR"] {
        call = call.env(variable, scratch.path());
    }
    for parameter in parameters {
        call = call.argument("-o").argument(parameter.replace("{scratch}", &path));
    }
    let done = call.argument(&peers.ours).run()?;
    claim(done.code() == Some(1), format!("ocf-tester answers {}", told(&done)))?;
    let said = String::from_utf8_lossy(&done.stdout);
    let mut lines = said.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    claim(first.starts_with("Beginning tests for "), told(&done))?;
    let last = String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or_default().to_owned();
    Ok((lines.collect(), last))
}

fn only_the_dtd(name: &'static str, remarks: &[&str]) -> Outcome {
    let (lines, last) = test(name, &[])?;
    let wanted: Vec<&str> = [&[DTD], remarks].concat();
    claim(lines == wanted, format!("{name}: {lines:#?}"))?;
    claim(last.ends_with(&format!("{name} failed 1 tests")), format!("{name}: {last}"))
}

#[test]
fn heartbeat_dummy_fails_by_the_dtd_alone() -> Outcome {
    only_the_dtd("heartbeat/Dummy", &[])
}

#[test]
fn pacemaker_dummy_fails_by_the_dtd_alone() -> Outcome {
    only_the_dtd("pacemaker/Dummy", &[])
}

/// It has no reload, as the shell agent has none: a remark, no failure.
#[test]
fn stateful_fails_by_the_dtd_alone() -> Outcome {
    only_the_dtd("pacemaker/Stateful", &[NO_RELOAD])
}

/// The shell agent refuses every action but meta-data, so the tester gives up at validate-all with two
/// errors. Ours refuses them too; its validate-all diagnoses, and with nothing to connect to says so
/// with 1 or 2 and a reason, where the shell agent has none. In a network of its own, where no name
/// resolves and nothing answers.
#[test]
fn remote_is_given_up_at_validate_all_like_the_shell_agent() -> Outcome {
    place::alone("remote_is_given_up_at_validate_all_like_the_shell_agent", || {
        let (lines, _) = test("pacemaker/remote", &["server=127.0.0.1"])?;
        let [dtd, validation, reason, end] = lines.as_slice() else {
            return Err(format!("not four lines: {lines:#?}").into());
        };
        let failed = "Validation failed.  Did you supply enough options with -o ?";
        let as_expected = dtd == DTD
            && ["* rc=1: ", "* rc=2: "].iter().any(|rc| *validation == format!("{rc}{failed}"))
            && reason.starts_with("ocf-exit-reason:")
            && end == "Aborting tests";
        claim(as_expected, format!("{lines:#?}"))
    })
}
