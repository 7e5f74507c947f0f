// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a monitor finds: processes first, then what the server answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::side_by_side::check;
use apache_tests::{Row, World, stub, wait_for};
use std::fs;
use std::os::unix::fs::symlink;

/// Clients without a time of their own use up all there is.
const SOON: u64 = 6;

fn row(name: &str) -> Row {
    Row::new(name)
}

/// A process that has nothing to do with any web server.
fn bystander(world: &World) {
    let pid = world.begin("sleep", &["1000"]);
    world.write_pid(&format!("{pid}\n"));
}

/// The same, and nobody has buried it.
fn zombie(world: &World) {
    let pid = world.begin("true", &[]);
    wait_for("a zombie", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.contains(") Z ").then_some(())
    });
    world.write_pid(&format!("{pid}\n"));
}

#[test]
fn whose_process_it_is() {
    check(
        "process",
        &[
            row("M01 no pid file").limit(15).looks(7, "").then("stop", 0, ""),
            row("M02 a foreign process in the pid file")
                .prepare(bystander)
                .looks(7, "")
                .then("start", 0, "")
                .then("monitor", 0, "")
                .then("stop", 0, ""),
            row("M02 a foreign process in the pid file, to be stopped")
                .prepare(bystander)
                .then("stop", 0, ""),
            row("M03 a zombie in the pid file").limit(SOON).prepare(zombie).looks(7, "").works(),
            row("M05 no pid file of a running server")
                .running()
                .limit(15)
                .prepare(|world| fs::remove_file(world.place().join("run/httpd.pid")).unwrap())
                .looks(0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            row("another server with a longer name")
                .prepare(|world| {
                    world
                        .write("httpd.conf2", &apache_tests::server::SMALL.replace("8088", "8089"));
                    world.edit("httpd.conf2", "httpd.pid", "other.pid");
                    let file = world.text("{w}/httpd.conf2");
                    apache_tests::server::start(&["-f", &file], "127.0.0.1:8089");
                })
                .keeps()
                .works(),
        ],
    );
}

/// A server that runs, and a page that somebody else answers for.
fn page(name: &str, path: &str) -> Row {
    let url = format!("http://127.0.0.1:{}{path}", stub::PORT);
    row(name).running().prepare(|_| stub::serve()).with("statusurl", &url)
}

/// The same with the client that resource-agents asks first since 4.13.
fn by_curl(name: &str, path: &str) -> Row {
    page(&format!("{name}, by curl"), path).with("client", "curl")
}

#[test]
fn what_is_answered() {
    let mut rows = vec![
        page("M06 a page", "/ok").looks(0, ""),
        page("M08 no tag", "/text").looks(1, "/text"),
        page("M08 nothing in it", "/empty").looks(1, ""),
        page("M08 no content", "/none").looks(1, "/none"),
        page("M09 moved", "/moved").looks(0, ""),
        page("M10 a loop of redirections", "/loop").looks(1, "redirect"),
        page("M09 moved to another host", "/away").limit(SOON).looks(1, "192.0.2.1"),
        page("moved to another protocol", "/ftp").looks(1, "ftp"),
        page("M11 closed at once", "/close").limit(SOON).looks(1, "8099"),
        page("M12 slow, three seconds", "/slow/3").looks(0, ""),
        page("M12 slow, thirty seconds", "/slow/30").limit(SOON).looks(1, "8099"),
        page("never an answer", "/silent").limit(SOON).looks(1, "8099"),
        page("half a head", "/head").limit(SOON).looks(1, "8099"),
        page("half a page", "/half").limit(SOON).looks(1, "8099"),
        page("half a page, and closed", "/cut").limit(SOON).looks(1, "8099"),
        page("a byte now and then", "/drip").limit(SOON).looks(1, "8099"),
        page("garbage", "/garbage").limit(SOON).looks(1, "8099"),
        page("a header of a megabyte", "/long").limit(SOON).looks(1, "8099"),
        page("a page of 100 MB", "/huge").looks(1, "8099"),
        page("M21 a binary page", "/binary").looks(0, ""),
    ];
    for status in ["401", "403", "404", "500", "503"] {
        let path = format!("/status/{status}");
        let name = format!("M07 status {status}");
        let words: &'static str = Box::leak(status.to_owned().into_boxed_str());
        rows.push(page(&name, &path).looks(1, words));
        rows.push(by_curl(&name, &path).looks(1, words));
    }
    check("answer", &rows);
}

#[test]
fn how_it_is_asked() {
    let at = |name: &str, url: &str| row(name).running().with("statusurl", url);
    let own = "http://127.0.0.1:8088/server-status";
    check(
        "asked",
        &[
            at("its own page", own).looks(0, ""),
            at("M14 nobody listens", "http://127.0.0.1:8077/").looks(1, "8077"),
            at("M14 no such host", "http://nowhere.invalid/")
                .limit(SOON)
                .looks(1, "nowhere.invalid"),
            at("M14 a path alone", "/server-status").looks(1, "statusurl"),
            at("a protocol that isn't one of the web", "ftp://127.0.0.1/").looks(1, "statusurl"),
            at("M20 a matching expression", own).with("testregex", "server status").looks(0, ""),
            at("M20 another expression", own)
                .with("testregex", "no such words")
                .looks(1, "testregex"),
            at("M20 no expression at all", own).with("testregex", "(a").looks(1, "testregex"),
            at("M17 IPv6", "http://[::1]:8090/server-status")
                .prepare(|world| listen_also(world, "[::1]:8090"))
                .looks(0, ""),
            at("M18 use_ipv6 and an IPv4 URL", own).with("use_ipv6", "true").looks(0, ""),
            at("M19 a proxy in the environment", own)
                .prepare(|_| stub::serve())
                .environment("http_proxy", "http://127.0.0.1:8099/")
                .looks(0, ""),
            row("M19 a proxy in the environment, by curl")
                .running()
                .with("client", "curl")
                .environment("http_proxy", "http://127.0.0.1:8077/")
                .looks(0, ""),
            row("a client that isn't there").running().with("client", "nothing").looks(0, ""),
            row("a client that is no client").running().with("client", "true").looks(0, ""),
            row("no path for programs")
                .running()
                .environment("PATH", "/bin-of-nothing")
                .looks(0, ""),
        ],
    );
}

fn listen_also(world: &World, address: &str) {
    world.configure(&format!("Listen {address}"));
    let arguments = ["-f", &world.text("{w}/httpd.conf"), "-k", "restart"];
    apache_tests::server::call("apache2", &arguments);
    apache_tests::server::answers(address);
}

#[test]
fn with_nothing_configured() {
    check(
        "fallback",
        &[
            row("no status page").edit("SetHandler server-status", "").running().looks(0, ""),
            row("a status page for nobody")
                .edit("Require local", "Require all denied")
                .running()
                .looks(0, ""),
            row("a status page for nobody, and an expression")
                .edit("Require local", "Require all denied")
                .with("testregex", "</html>")
                .running()
                .looks(1, "403"),
            row("an index for nobody")
                .edit("SetHandler server-status", "")
                .edit("Require all granted", "Require all denied")
                .running()
                .looks(0, ""),
            row("an index that breaks")
                .edit("SetHandler server-status", "")
                .prepare(|world| {
                    symlink(world.text("{w}/htdocs/.htaccess"), world.text("{w}/a")).unwrap();
                    world.write("htdocs/.htaccess", "Nonsense on\n");
                    world.edit(
                        "httpd.conf",
                        "Require all granted",
                        "Require all granted\nAllowOverride All",
                    );
                })
                .running()
                .looks(1, "500"),
        ],
    );
}

#[test]
fn check_level_10() {
    let own = |name: &str| row(name).running();
    check(
        "level 10",
        &[
            own("D02 nothing configured").then("monitor 10", 0, ""),
            own("D02 the other expression").with("testregex", "html").then("monitor 10", 0, ""),
            own("D03 an expression alone").with("testregex10", "It works").then(
                "monitor 10",
                0,
                "",
            ),
            own("D03 another expression alone").with("testregex10", "It fails").then(
                "monitor 10",
                1,
                "testregex10",
            ),
            own("D04 a path").with("testurl", "/index.html").with("testregex10", "works").then(
                "monitor 10",
                0,
                "",
            ),
            own("D04 a path that isn't there")
                .with("testurl", "/none.html")
                .with("testregex10", "works")
                .then("monitor 10", 1, "404"),
            own("D05 a path without a slash")
                .with("testurl", "index.html")
                .with("testregex10", "works")
                .then("monitor 10", 0, ""),
            own("D05 a path that begins like a URL")
                .with("testurl", "httpx")
                .with("testregex10", "works")
                .then("monitor 10", 1, "404"),
            own("a whole URL")
                .with("testurl", "http://127.0.0.1:8088/index.html")
                .with("testregex10", "works")
                .then("monitor 10", 0, ""),
            tests("D06 a test", FILE, "").then("monitor 10", 0, ""),
            tests("D06 the second test", FILE, "second").then("monitor 10", 1, "second"),
            tests("D06 a test that isn't there", FILE, "third").then("monitor 10", 1, "third"),
            tests("D07 an unknown word", "test a\nurl /\nmatch works\nnonsense x\nend\n", "").then(
                "monitor 10",
                0,
                "",
            ),
            tests("D08 a user without a password", "test a\nurl /\nmatch works\nuser u\nend\n", "")
                .then("monitor 10", 1, "password"),
            tests("D11 lines as DOS ends them", "test a\r\nurl /\r\nmatch works\r\nend\r\n", "")
                .then("monitor 10", 0, ""),
            tests("D12 nothing in it", "", "").then("monitor 10", 1, "{w}/tests"),
        ],
    );
}

const FILE: &str = "\
# what they are for
test first
 url /index.html
 match It works
end
test second
 url /index.html
 match It fails
end
";

fn tests(name: &str, text: &'static str, test: &str) -> Row {
    let row = row(name).file("tests", text).running().with("testconffile", "{w}/tests");
    if test.is_empty() { row } else { row.with("testname", test) }
}
