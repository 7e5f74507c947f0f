// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Clients of a test's own: what they are given, and what is made of what they print.

use super::level10::File;
use super::{context_of, parameters, reason};
use crate::health;
use crate::settings::Settings;
use ocf::Error;

/// Level 10 by a client, perhaps with the parameter of that name.
fn by(name: &str, client: &str, parameter: &str, expression: &str) -> Result<(), Error> {
    let text = format!("test x\nurl http://h/x\nmatch {expression}\n{client}\nend\n");
    let file = File::new(name, text);
    let given = parameters(&[("testconffile", file.path()), ("client", parameter)]);
    health::level10(&given, &Settings::default(), &context_of(20, "10"))
}

#[test]
fn a_client_s_own_options_are_options() {
    by("words", "client echo -n a", "", "^a http://h/x$").expect("it isn't all one name");
    by("both", "client echo a\nclient_opts b", "", "^a b http://h/x$").expect("both");
}

#[test]
fn a_quote_in_client_opts_is_what_it_is() {
    for options in ["it's", "{\"a\":\"b\"}", "'a b'"] {
        let expression = options.replace(['{', '}'], ".");
        by("quote", &format!("client echo\nclient_opts {options}"), "", &expression)
            .expect(options);
    }
}

#[test]
fn options_without_a_client_are_the_parameter_s() {
    by("other", "client_opts a", "echo", "^a http://h/x$").expect("it is there");
    let judged = by("none", "client_opts --no-such-option", "no-such-program", "x");
    reason(judged, &["http://h/x: ", " printed nothing, and ended with status 2"]);
}

#[test]
fn a_client_that_prints_nothing_tells_no_status() {
    reason(by("nothing", "client true", "", "."), &["http://h/x: true printed nothing"]);
    let judged = by("failed", "client false", "", ".");
    let reason = reason(judged, &["http://h/x: false printed nothing, and ended with status 1"]);
    assert!(!reason.contains("200"), "{reason}");
}

/// A program that prints so many lines, and one more.
fn printing(name: &str, lines: usize) -> File {
    let file =
        File::new(name, format!("#!/bin/sh\nyes 'a line of a page' | head -n {lines}\necho end\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file.path(), mode).expect("a program");
    file
}

#[test]
fn a_page_of_a_client_is_as_long_as_any_other() {
    let program = printing("long-program", 200_000);
    by("long", &format!("client {}", program.path()), "", "^end$").expect("3.2 MB are read");
    let program = printing("longer-program", 600_000);
    let client = format!("client {}", program.path());
    by("longer", &client, "", "page").expect("what is read matches");
    reason(by("longer", &client, "", "^end$"), &["the first 8 MiB of its page does not match"]);
}
