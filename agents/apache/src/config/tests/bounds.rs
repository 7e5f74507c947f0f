// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configurations that are more than anybody can read: a stop reads them, too.

use super::*;

/// Where a configuration ends that takes too long or becomes too big: what stands before it counts.
fn comes_to_an_end(name: &str, text: &str) {
    let tree = Tree::new(name);
    let file = tree.write("main.conf", &format!("PidFile /run/a.pid\nListen 1\n{text}"));
    let deadline = Deadline::since(Instant::now(), Duration::from_secs(60));
    let nothing = variables(&[]);
    let files = Files::read(&file, Cow::Borrowed(&nothing), &[], None, &deadline).unwrap();
    assert!(!deadline.is_over(), "{name}");
    assert_eq!(files.pid_file(), Some("/run/a.pid".into()), "{name}");
}

#[test]
fn a_variable_that_doubles_itself_fills_no_memory() {
    let doubling = format!("Define A {}\n{}", "x".repeat(16), "Define A ${A}${A}\n".repeat(40));
    comes_to_an_end("doubling", &doubling);
    let tree = Tree::new("doubled");
    let found = tree.read(&format!("{doubling}Listen 2\nListen ${{A}}\nErrorLog /${{A}}\n"));
    assert_eq!(found.listens.len(), 1);
    assert!(found.error_log.unwrap().as_os_str().len() <= 2 << 20);
    let many = format!("Define A {}\n{}", "x".repeat(1 << 19), "ServerAlias ${A}\n".repeat(9999));
    comes_to_an_end("many values", &many);
}

#[test]
fn openings_without_an_end_cost_no_square() {
    comes_to_an_end("openings", &format!("X {}\n", "${".repeat(500_000)));
    comes_to_an_end("openings-closed", &format!("X }} {}}}\n", "${".repeat(500_000)));
    comes_to_an_end("openings-words", &format!("X {}\n", "a ".repeat(2_000_000)));
}

#[test]
fn a_macro_of_many_parameters_costs_no_product() {
    let parameters: Vec<String> = (0..20_000).map(|number| format!("$p{number}")).collect();
    let text = format!(
        "<Macro M {}>\n{}\n</Macro>\nUse M {}\n",
        parameters.join(" "),
        "$".repeat(1 << 20),
        "v ".repeat(20_000)
    );
    comes_to_an_end("parameters", &text);
    comes_to_an_end("parameters-used", &(text + &"Use M v\n".repeat(10_000)));
    let tree = Tree::new("macro");
    let found = tree.read(
        "<Macro M $a $ab>\nListen $ab\nListen $a$a\nListen $\n</Macro>\nUse M 1 2\nUse m 3 4\n",
    );
    let ports: Vec<u16> = found.listens.iter().map(|listen| listen.port).collect();
    assert_eq!(ports, [2, 11, 4, 33]);
}

#[test]
fn conditions_about_many_modules_cost_no_product() {
    let loads: String = (0..50_000)
        .map(|number| format!("LoadModule m{number}_module m/mod_m{number}.so\n"))
        .collect();
    let conditions = "<IfModule nothing.c>\n</IfModule>\n".repeat(50_000);
    comes_to_an_end("modules", &(loads + &conditions));
}

/// Nothing is asked of the network by a look: the name is where somebody listens, or anywhere.
#[test]
fn a_listener_by_name_needs_no_resolver() {
    let tree = Tree::new("names");
    let own = std::net::TcpListener::bind("127.0.0.97:0").unwrap();
    let port = own.local_addr().unwrap().port();
    let found = tree.read(&format!("Listen web.invalid:{port}\nListen web.invalid:1\n"));
    assert_eq!(found.listens, [listen(Some("127.0.0.97"), port, false), listen(None, 1, false)]);
}

#[test]
fn reading_ends_with_its_time() {
    let tree = Tree::new("no-time");
    let file =
        tree.write("main.conf", &format!("PidFile /run/a.pid\n{}", "ServerAlias a\n".repeat(1000)));
    let deadline = Deadline::since(Instant::now(), Duration::ZERO);
    let nothing = variables(&[]);
    let files = Files::read(&file, Cow::Borrowed(&nothing), &[], None, &deadline).unwrap();
    assert_eq!(files.pid_file(), Some("/run/a.pid".into()));
}
