// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The distributions' own configurations: Debian's as it is installed, and trees that are laid out as Red
//! Hat's and SUSE's are, of Debian's program.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::side_by_side::check;
use apache_tests::{Row, World, server};
use std::fs;
use std::os::unix::fs::symlink;

/// The shell agent polls a server that never comes until the time is over.
const SOON: u64 = 12;

/// Whoever reads the shell agent's defaults has to know that the file there is Debian's.
fn debian(name: &str) -> Row {
    Row::stock(name)
}

/// As on a host whose systemd-tmpfiles never ran, and in a container.
fn empty_run(_: &World) {
    for entry in fs::read_dir("/run").unwrap().flatten() {
        fs::remove_dir(entry.path()).unwrap();
    }
}

/// As a bundle has it: a directory of the host's, with nothing in it.
fn empty_log(_: &World) {
    fs::remove_dir_all("/var/log/apache2").unwrap();
}

fn other_port(world: &World) {
    world.edit("/etc/apache2/ports.conf", "Listen 80", "Listen 8088");
}

#[test]
fn debians_own() {
    check(
        "Debian",
        &[
            debian("as installed").then("validate-all", 0, "").looks(7, "").works(),
            debian("with nothing in /run").prepare(empty_run).works(),
            debian("with nothing in /var/log").prepare(empty_log).works(),
            debian("with nothing in /run and /var/log")
                .prepare(empty_run)
                .prepare(empty_log)
                .works(),
            debian("with its file named").with("configfile", "/etc/apache2/apache2.conf").works(),
            debian("with another port").prepare(other_port).works(),
            debian("with another port and the parameter")
                .prepare(other_port)
                .with("port", "8088")
                .works(),
            debian("without mod_status")
                .prepare(|_| {
                    for name in ["status.load", "status.conf"] {
                        fs::remove_file(format!("/etc/apache2/mods-enabled/{name}")).unwrap();
                    }
                })
                .works(),
            debian("with the envfiles of nobody")
                .with("envfiles", "")
                .limit(SOON)
                .fails(5, "APACHE_RUN_DIR"),
            debian("with envfiles that aren't there")
                .with("envfiles", "/nonexistent/envvars")
                .limit(SOON)
                .fails(5, "APACHE_RUN_DIR"),
            debian("with a syntax error")
                .prepare(|world| {
                    world.write("/etc/apache2/conf-enabled/wrong.conf", "Nonsense on\n");
                })
                .looks(7, "")
                .fails(5, "wrong.conf|line 1|Nonsense"),
            debian("with a site's log in a directory of nobody")
                .prepare(|world| {
                    world.edit(
                        "/etc/apache2/sites-enabled/000-default.conf",
                        "${APACHE_LOG_DIR}/error.log",
                        "/var/log/nowhere/error.log",
                    );
                })
                .works(),
            debian("started as its unit does")
                .prepare(|_| server::start_as_systemd("127.0.0.1:80"))
                .looks(0, "")
                .then("start", 0, "")
                .then("stop", 0, "")
                .then("probe", 7, ""),
            debian("a second instance")
                .prepare(second_instance)
                .with("configfile", "/etc/apache2-two/apache2.conf")
                .with("envfiles", "/etc/apache2-two/envvars")
                .works(),
        ],
    );
}

/// As /usr/share/doc/apache2/examples/setup-instance makes it; the suffix is of the directory's name.
fn second_instance(world: &World) {
    server::call("cp", &["-a", "/etc/apache2", "/etc/apache2-two"]);
    fs::create_dir("/var/log/apache2-two").unwrap();
    world.edit("/etc/apache2-two/ports.conf", "Listen 80", "Listen 8088");
}

/// A tree as httpd has it on Red Hat's distributions, without the parts that Debian's has not got.
fn red_hat(world: &World) {
    for directory in ["conf", "conf.d", "conf.modules.d"] {
        fs::create_dir_all(format!("/etc/httpd/{directory}")).unwrap();
    }
    for (name, target) in [
        ("modules", "/usr/lib/apache2/modules"),
        ("logs", "../../var/log/httpd"),
        ("run", "/run/httpd"),
    ] {
        symlink(target, format!("/etc/httpd/{name}")).unwrap();
    }
    fs::rename("/usr/sbin/apache2", "/usr/sbin/httpd").unwrap();
    fs::remove_dir_all("/etc/apache2").unwrap();
    for (file, text) in RED_HAT {
        world.write(&format!("/etc/httpd/{file}"), text);
    }
    fs::create_dir_all("/var/www/html").unwrap();
    fs::write("/var/www/html/index.html", server::INDEX).unwrap();
}

const RED_HAT: [(&str, &str); 3] = [
    (
        "conf/httpd.conf",
        "\
ServerRoot \"/etc/httpd\"
Listen 80
Include conf.modules.d/*.conf
User www-data
Group www-data
ServerAdmin root@localhost
ServerName localhost
PidFile run/httpd.pid
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot \"/var/www/html\"
<Directory \"/var/www/html\">
    Options Indexes FollowSymLinks
    AllowOverride None
    Require all granted
</Directory>
<IfModule dir_module>
    DirectoryIndex index.html
</IfModule>
ErrorLog \"logs/error_log\"
LogLevel warn
<IfModule log_config_module>
    CustomLog \"logs/access_log\" combined
</IfModule>
AddDefaultCharset UTF-8
IncludeOptional conf.d/*.conf
",
    ),
    (
        "conf.modules.d/00-base.conf",
        "\
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule dir_module modules/mod_dir.so
LoadModule status_module modules/mod_status.so
LoadModule mpm_event_module modules/mod_mpm_event.so
",
    ),
    (
        "conf.d/status.conf",
        "<Location \"/server-status\">\n    SetHandler server-status\n    Require local\n</Location>\n",
    ),
];

#[test]
fn red_hats() {
    let row = |name: &str| Row::stock(name).prepare(red_hat);
    check(
        "Red Hat",
        &[
            row("with its directories")
                .prepare(|_| {
                    for directory in ["/var/log/httpd", "/run/httpd"] {
                        fs::create_dir(directory).unwrap();
                    }
                })
                .then("validate-all", 0, "")
                .looks(7, "")
                .works(),
            row("with nothing in /run and /var/log").prepare(empty_run).limit(SOON).works(),
            row("with another port")
                .prepare(|world| {
                    fs::create_dir("/var/log/httpd").unwrap();
                    fs::create_dir("/run/httpd").unwrap();
                    world.edit("/etc/httpd/conf/httpd.conf", "Listen 80", "Listen *:8088");
                })
                .works(),
        ],
    );
}

/// A tree as apache2 has it on SUSE's distributions: what is generated is below sysconfig.d.
fn suse(world: &World) {
    fs::remove_dir_all("/etc/apache2").unwrap();
    for (file, text) in SUSE {
        world.write(&format!("/etc/apache2/{file}"), text);
    }
    fs::create_dir_all("/srv/www").unwrap();
    fs::rename("/usr/sbin/apache2", "/usr/sbin/httpd-prefork").unwrap();
    symlink("httpd-prefork", "/usr/sbin/httpd2").unwrap();
}

const SUSE: [(&str, &str); 5] = [
    (
        "httpd.conf",
        "\
Include /etc/apache2/uid.conf
ServerRoot /srv/www
PidFile /run/httpd.pid
ErrorLog /var/log/apache2/error_log
Include /etc/apache2/sysconfig.d/loadmodule.conf
Include /etc/apache2/listen.conf
Include /etc/apache2/mod_status.conf
ServerName localhost
DocumentRoot /var/www/html
<Directory /var/www/html>
    Require all granted
</Directory>
",
    ),
    ("uid.conf", "User www-data\nGroup www-data\n"),
    ("listen.conf", "Listen 80\n<IfDefine SSL>\n    Listen 443\n</IfDefine>\n"),
    (
        "sysconfig.d/loadmodule.conf",
        "\
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
",
    ),
    (
        "mod_status.conf",
        "\
<IfModule mod_status.c>
    <Location /server-status>
        SetHandler server-status
        Require local
    </Location>
</IfModule>
",
    ),
];

#[test]
fn suses() {
    let row = |name: &str| Row::stock(name).prepare(suse);
    check(
        "SUSE",
        &[
            row("as installed").then("validate-all", 0, "").looks(7, "").works(),
            row("with nothing in /run and /var/log").prepare(empty_run).prepare(empty_log).works(),
        ],
    );
}
