// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab's own Engine on a machine that is somebody else's: in namespaces of their own, so the
//! Engine of this machine is neither seen nor disturbed.
#![expect(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::{Command, Output};

/// Runs `lab setup` as if it were the first on its machine, where a bridge `docker0` is and the
/// Engine has little room.
#[expect(clippy::disallowed_methods, reason = "the lab itself is what is tested")]
fn set_up_a_fresh_machine() -> Output {
    let script = "mount -t tmpfs none /run && mkdir -p /var/lib/docker && \
                  mount -t tmpfs -o size=250m none /var/lib/docker && ip link set lo up && \
                  ip link add docker0 type bridge && ip address add 192.0.2.1/24 dev docker0 && \
                  \"$0\" setup; code=$?; ip -brief address show docker0; exit $code";
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    unshare.args(["sh", "-c", script, env!("CARGO_BIN_EXE_lab")]);
    unshare.output().expect("unshare runs")
}

#[test]
#[ignore = "needs root and dockerd"]
fn an_administrators_bridge_stays_and_a_full_disk_is_noticed_first() {
    let output = set_up_a_fresh_machine();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (shown, aside) = (text(&output.stdout), text(&output.stderr));
    // Without this line the rest would say nothing about an Engine of the lab's own.
    assert!(aside.contains("ok Docker Engine (none was running)"), "{aside}");
    assert!(shown.starts_with("docker0 ") && shown.contains(" 192.0.2.1/24"), "{shown}{aside}");
    let last = aside.lines().last().unwrap_or_default();
    assert!(
        last.starts_with(
            "lab: making an image of Debian 12's Pacemaker and shell agents needs 1500 MB in "
        ),
        "{aside}"
    );
    assert_eq!(output.status.code(), Some(1), "{aside}");
}
