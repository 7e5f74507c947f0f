// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The cases of the shell agent's own test suite (apache of ocft), with Debian's configuration.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::Row;
use apache_tests::side_by_side::check;

#[test]
fn ocft_of_the_agent() {
    check(
        "ocft apache",
        &[
            Row::stock("its defaults").then("start", 0, "").then("stop", 0, ""),
            Row::stock("a status URL that isn't one")
                .with("statusurl", "yoyoyoyo")
                .then("start", 1, "yoyoyoyo"),
            Row::stock("a configuration that isn't there")
                .with("configfile", "/some/path/that/does/not/exist")
                .then("start", 5, "/some/path/that/does/not/exist"),
            Row::stock("started twice").then("start", 0, "").then("start", 0, ""),
            Row::stock("stopped while stopped").then("stop", 0, ""),
            Row::stock("monitored while it runs").then("start", 0, "").then("monitor", 0, ""),
            Row::stock("monitored while stopped").then("monitor", 7, ""),
            Row::stock("an action that there isn't").then("no_cmd", 3, "no_cmd"),
        ],
    );
}
