// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The configuration as the server itself understands it: where it listens, and where its status page is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::Row;
use apache_tests::side_by_side::check;

const LISTEN: &str = "Listen 127.0.0.1:8088";

/// What is found is proved by a monitor that wants the status page's own words.
fn row(name: &str) -> Row {
    Row::new(name).with("testregex", "apache server status")
}

fn listening(name: &str, lines: &'static str) -> Row {
    row(name).edit(LISTEN, lines)
}

#[test]
fn where_it_listens() {
    check(
        "listens",
        &[
            listening("P01 a port", "Listen 8088").works(),
            listening("P02 127.0.0.1", "Listen 127.0.0.1:8088").works(),
            listening("P02 0.0.0.0", "Listen 0.0.0.0:8088").works(),
            listening("P02 ::1", "Listen [::1]:8088").works(),
            listening("P02 ::", "Listen [::]:8088").works(),
            listening("P03 every address", "Listen *:8088").works(),
            listening("P05 two", "Listen 8088\nListen 8090").works(),
            listening("P06 below a module that isn't there", "<IfModule nothing_module>\nListen 443\n</IfModule>\nListen 8088").works(),
            listening("P06 below a definition", "<IfDefine !NOTHING>\nListen 8088\n</IfDefine>").works(),
            listening("P06 below a definition of the options", "<IfDefine YES>\nListen 8088\n</IfDefine>\n<IfDefine !YES>\nListen 8077\n</IfDefine>")
                .with("options", "-D YES")
                .works(),
            listening("P07 after a continued line", "Listen \\\n8088").works(),
            listening("P07 in an optional file", "IncludeOptional {w}/listen*.conf")
                .file("listen.conf", "Listen 8088\n")
                .works(),
            listening("P07 in an included file, in capitals", "INCLUDE {w}/listen.conf")
                .file("listen.conf", "Listen 8088\n")
                .works(),
            listening("P08 in small letters and quotes", "listen \"127.0.0.1:8088\"").works(),
            listening("P09 a variable of envfiles", "Listen ${THE_PORT}")
                .file("env", "export THE_PORT=8088\n")
                .with("envfiles", "{w}/env")
                .works(),
            listening("P10 a variable of Define", "Define THE_PORT 8088\nListen ${THE_PORT}").works(),
            listening("P11 in a directory of files", "Include {w}/conf.d")
                .file("conf.d/sub/listen.conf", "Listen 8088\n")
                .works(),
            listening("P12 relative to the server's root", "Include listen.conf")
                .file("listen.conf", "Listen 8088\n")
                .works(),
            listening("a port of the parameter", "Listen 8088\nListen 8090").with("port", "8090").works(),
        ],
    );
}

const LOCATION: &str =
    "<Location /server-status>\nSetHandler server-status\nRequire local\n</Location>\n";

fn located(name: &str, lines: &'static str) -> Row {
    row(name).edit(LOCATION, lines)
}

#[test]
fn where_its_status_page_is() {
    check(
        "status page",
        &[
            located("somewhere else", "<Location /how/it/is>\nSetHandler server-status\n</Location>").works(),
            located("P14 in quotes", "<Location \"/how\">\nSetHandler \"server-status\"\n</Location>").works(),
            located("P13 two", "<Location /a>\nSetHandler server-status\n</Location>\n<Location /b>\nSetHandler server-status\n</Location>").works(),
            located("P15 in a virtual host", "<VirtualHost *:8088>\n<Location /in>\nSetHandler server-status\n</Location>\n</VirtualHost>").works(),
            located("P15 in another virtual host", "<VirtualHost *:8090>\n<Location /in>\nSetHandler server-status\n</Location>\n</VirtualHost>\n<Location /out>\nSetHandler server-status\n</Location>")
                .edit(LISTEN, "Listen 8088\nListen 8090")
                .works(),
            located("P16 in a comment", "#<Location /no>\n#SetHandler server-status\n#</Location>\n<Location /yes>\nSetHandler server-status\n</Location>").works(),
            located("of small letters", "<location /small>\nsethandler server-status\n</location>").works(),
        ],
    );
}
