// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The agents in `main.rs`: name, what is wrong, primary check, and what that may drag along.

/// One row per agent.
pub(crate) const ROWS: &[(&str, &str, &str, &[&str])] = &[
    ("compiled-aborts", "an unknown action ends it by SIGABRT", "INV-04", &[]),
    (
        "compiled-daemon-in-hiding",
        "start makes a daemon that has no environment and no parent, and stop doesn't know it",
        "STOP-01",
        &[],
    ),
    ("compiled-exit-255", "notify answers 255", "NOT-01", &["NOT-02", "EXIT-01"]),
    (
        "compiled-keeps-promoted",
        "stop of a promoted resource answers 0 and does nothing",
        "PRO-03",
        &[],
    ),
    ("compiled-promotes-nothing", "promote of a stopped resource answers 0", "PRO-04", &[]),
    ("compiled-forks-at-monitor", "each monitor leaves a process behind", "STOP-01", &[]),
];
