// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Pid files, listeners, virtual hosts, locations and directories.

use super::*;
use crate::settings::Host;

const STATUS: &str = "LoadModule status_module modules/mod_status.so\n";
const TLS: &str = "LoadModule ssl_module modules/mod_ssl.so\n";

fn status(tree: &Tree, text: &str) -> Option<String> {
    tree.read(&format!("{STATUS}{text}")).status
}

/// What Debian's own files come to, with the variables that its envvars has.
#[test]
fn debians_own_configuration_is_understood() {
    let tree = Tree::new("debian");
    tree.write("mods-enabled/status.load", "LoadModule status_module /usr/lib/mod_status.so\n");
    tree.write(
        "mods-enabled/status.conf",
        "<Location /server-status>\n\tSetHandler server-status\n\tRequire local\n</Location>\n",
    );
    tree.write("ports.conf", "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\n");
    tree.write("sites-enabled/000-default.conf", "<VirtualHost *:80>\n</VirtualHost>\n");
    let text = "ServerRoot \"@\"\nMutex file:${LOCK} default\nDefaultRuntimeDir ${RUN}\n\
                PidFile ${PID}\nUser ${USER}\nErrorLog ${LOG}/error.log\n\
                IncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\n\
                Include ports.conf\nIncludeOptional conf-enabled/*.conf\n\
                IncludeOptional sites-enabled/*.conf\n";
    let run = [
        ("RUN", "/var/run/apache2"),
        ("PID", "/var/run/apache2/apache2.pid"),
        ("LOCK", "/var/lock/apache2"),
        ("LOG", "/var/log/apache2"),
        ("USER", "www-data"),
    ];
    let expected = Settings {
        root: Some(tree.0.clone()),
        pid_file: Some("/var/run/apache2/apache2.pid".into()),
        listens: vec![listen(None, 80, false)],
        status: Some("/server-status".to_owned()),
        directories: ["/var/run/apache2", "/var/lock/apache2", "/var/log/apache2"]
            .map(PathBuf::from)
            .to_vec(),
        lock_directories: vec!["/var/lock/apache2".into()],
        user: Some("www-data".to_owned()),
        error_log: Some("/var/log/apache2/error.log".into()),
        hosts: vec![Host { status: Some("/server-status".to_owned()), name: None }],
        name: None,
    };
    assert_eq!(tree.read_with(text, &run, &[]), expected);
}

/// P04: a listener speaks TLS where an engine is on for who comes by it, whatever it is called.
#[test]
fn tls_is_known_by_the_engine_of_the_virtual_host() {
    let tree = Tree::new("tls");
    let is_https = |text: &str| -> Vec<bool> {
        tree.read(text).listens.iter().map(|listen| listen.is_https).collect()
    };
    // Each seen of apache2 2.4.71 itself.
    let tls = |text: &str| is_https(&format!("{TLS}{text}"));
    assert_eq!(tls("Listen 443\nListen 8443 https\nListen 80\n"), [false; 3]);
    assert_eq!(tls("Listen 443\n<VirtualHost *:443>\n</VirtualHost>\n"), [false]);
    let hosts = "Listen 80\nListen 8443\n<VirtualHost *:80>\n</VirtualHost>\n\
        <VirtualHost *:8443>\nSSLEngine on\n</VirtualHost>\n";
    assert_eq!(tls(hosts), [false, true]);
    assert_eq!(tls(&format!("SSLEngine ON\n{hosts}")), [true, true]);
    let off = "SSLEngine on\nListen 443\nListen 80\n<VirtualHost _default_:443>\n\
        sslengine Off\n</VirtualHost>\n";
    assert_eq!(tls(off), [false, true]);
    let loopback = "Listen 81\n<VirtualHost 127.0.0.1:81>\nSSLEngine on\n</VirtualHost>\n";
    assert_eq!(tls(loopback), [true]);
    assert_eq!(tls("Listen 81\nSSLEngine optional\n"), [false]);
    let places =
        "Listen 443\nListen 127.0.0.1:444\nListen 445\nTLSEngine 443\nTLSEngine 127.0.0.1:444\n";
    assert_eq!(is_https(places), [true, true, false]);
    let by_address = "Listen 127.0.0.1:81\n<VirtualHost *:81>\n</VirtualHost>\n\
        <VirtualHost 127.0.0.1:81>\nSSLEngine on\n</VirtualHost>\n";
    assert_eq!(tls(by_address), [true], "an address is nearer than any");
}

/// A15–A19: the pid file.
#[test]
fn the_pid_file_is_the_servers_and_nothing_is_run() {
    let tree = Tree::new("pid");
    let root = tree.0.to_str().unwrap().to_owned();
    let cases = [
        ("PidFile /run/a.pid", Some("/run/a.pid".to_owned())),
        ("pidfile \"/run/a.pid\"", Some("/run/a.pid".to_owned())),
        ("PidFile \"/run/a b.pid\"", Some("/run/a b.pid".to_owned())),
        ("PidFile run/a.pid", Some(format!("{root}/run/a.pid"))),
        ("PidFile run/../a.pid", Some(format!("{root}/a.pid"))),
        ("PidFile ./a.pid", None),
        ("PidFile ${NOPE}/a.pid", None),
        ("PidFile ${RUN}/a.pid", Some("/run/x/a.pid".to_owned())),
        ("PidFile /a\nPidFile /b", Some("/b".to_owned())),
        ("#PidFile /a", None),
        ("# \\\nPidFile /a", None),
        ("PidFile /run/`touch @/hacked`$(touch @/hacked).pid", Some("/run/`touch".to_owned())),
        ("PidFile \"/run/$(touch @/hacked)\"", Some(format!("/run/$(touch {root}/hacked)"))),
    ];
    for (text, expected) in cases {
        let found = tree.read_with(&format!("ServerRoot @\n{text}\n"), &[("RUN", "/run/x")], &[]);
        assert_eq!(found.pid_file, expected.map(PathBuf::from), "{text}");
    }
    assert!(!tree.0.join("hacked").exists());
}

/// P08, P13–P16: the location of the status page.
#[test]
fn the_status_page_is_the_last_that_the_first_listener_serves() {
    let tree = Tree::new("status");
    let of = |path: &str| format!("<Location {path}>\nSetHandler server-status\n</Location>\n");
    assert_eq!(status(&tree, &of("/a")).as_deref(), Some("/a"));
    assert_eq!(status(&tree, &(of("/a") + &of("\"/b\""))).as_deref(), Some("/b"));
    let texts = [
        "<LocationMatch \"^/s\">\nSetHandler server-status\n</LocationMatch>",
        "<Location ~ ^/s$>\nSetHandler server-status\n</Location>",
        "<location /s>\n sethandler \"server-status\"\n</location>",
        "<Location '/s' >\nSetHandler 'server-status'\n</Location>",
        "<IfModule mod_status.c>\n<Location /s>\n<IfModule mod_so.c>\nSetHandler server-status\n\
         </IfModule>\n</Location>\n</IfModule>",
    ];
    for text in texts {
        assert_eq!(status(&tree, text).as_deref(), Some("/s"), "{text}");
    }
    for text in [
        "#<Location /s>\nSetHandler server-status\n#</Location>",
        "<Location /s>\n#SetHandler server-status\n</Location>",
        "<Location /s>\nSetHandler server-info\n</Location>",
        "<Directory /s>\nSetHandler server-status\n</Directory>",
        "<Location /s>\n<If \"true\">\nSetHandler server-status\n</If>\n</Location>",
    ] {
        assert_eq!(status(&tree, text), None, "{text}");
    }
    assert_eq!(tree.read(&format!("LoadModule x_module x.so\n{}", of("/s"))).status, None);
    assert_eq!(tree.read(&of("/s")).status.as_deref(), Some("/s"), "all may be built in");
}

/// P15: a page that another virtual host has is nobody's here.
#[test]
fn the_virtual_host_of_the_first_listener_counts() {
    let tree = Tree::new("hosts");
    let of = |path: &str| format!("<Location {path}>\nSetHandler server-status\n</Location>\n");
    let host = |address: &str, name: &str, path: &str| {
        format!("<VirtualHost {address}>\nServerName {name}\n{}</VirtualHost>\n", of(path))
    };
    let cases = [
        (format!("Listen 80\n{}", host("*:80", "a", "/a")), Some("/a")),
        (format!("Listen 80\n{}", host("*:81", "a", "/a")), None),
        (format!("Listen 80\nListen 81\n{}{}", of("/top"), host("*:81", "a", "/a")), Some("/top")),
        (format!("Listen 80\n{}{}", host("*:80", "a", "/a"), host("*:80", "b", "/b")), Some("/a")),
        (
            format!("Listen 80\n{}{}", host("*:80", "a", "/a"), host("*:80", "localhost:80", "/b")),
            Some("/b"),
        ),
        (format!("Listen 80\n{}{}", host("*", "a", "/a"), of("/top")), Some("/a")),
        // Each as apache2 2.4.71 answered.
        (format!("Listen 80\n{}{}", host("*:*", "a", "/a"), host("*:80", "b", "/b")), Some("/b")),
        (
            format!(
                "Listen 80\n{}{}",
                host("*", "localhost", "/a"),
                host("_default_:80", "b", "/b")
            ),
            Some("/b"),
        ),
        (
            format!("Listen 80\n{}{}", host("*:80", "a", "/a"), host("127.0.0.1", "b", "/b")),
            Some("/b"),
        ),
        (
            format!(
                "ServerName localhost\nListen 80\n{}<VirtualHost *:80>\n{}</VirtualHost>\n",
                host("*:80", "a", "/a"),
                of("/b")
            ),
            Some("/b"),
        ),
        (
            format!(
                "Listen 127.0.0.2:80\n{}{}",
                host("*:80", "a", "/a"),
                host("127.0.0.2", "b", "/b")
            ),
            Some("/b"),
        ),
        (format!("Listen [::1]:80\n{}", host("[::1]:80 127.0.0.1:80", "b", "/b")), Some("/b")),
    ];
    for (text, expected) in &cases {
        assert_eq!(status(&tree, text).as_deref(), *expected, "{text}");
    }
    // Who asks by another listener meets its host.
    let text = format!("{STATUS}Listen 80\nListen 81\n{}", host("*:81", "b", "/b"));
    let found = tree.read(&text);
    assert_eq!((found.status.as_deref(), found.name.as_deref()), (None, None));
    assert_eq!(found.host(&found.listens[0]), Host::default());
    let by_second = found.host(&found.listens[1]);
    assert_eq!((by_second.status.as_deref(), by_second.name.as_deref()), (Some("/b"), Some("b")));
    let named = tree.read(
        "ServerName top\nListen 1\n<VirtualHost *:1>\nServerName https://a.b:443\n</VirtualHost>\n",
    );
    assert_eq!(named.name.as_deref(), Some("a.b"));
    assert_eq!(tree.read("ServerName [::1]:80\nListen 1\n").name.as_deref(), Some("::1"));
}

/// What a macro holds counts where it is used.
#[test]
fn macros_are_put_in_where_they_are_used() {
    let tree = Tree::new("macro");
    let text = "<Macro Site $n $name>\nListen 80$n\n<Location /$name>\nSetHandler server-status\n\
        </Location>\n</Macro>\nUse site 1 x\nUse Site 2 y\nUse nope 3\n";
    let found = tree.read(&format!("{STATUS}{text}"));
    assert_eq!(found.listens, [listen(None, 801, false), listen(None, 802, false)]);
    assert_eq!(found.status.as_deref(), Some("/y"));
}

/// The directories that the server writes in: none for programs and services.
#[test]
fn directories_are_those_that_the_server_writes_in() {
    let tree = Tree::new("directories");
    let text = "ServerRoot @\nDefaultRuntimeDir run\nPidFile /run/p/a.pid\nMutex file:/run/l default\n\
        Mutex sem ssl-cache\nMutex flock:locks rewrite-map\nErrorLog logs/error\n\
        ErrorLog \"|/bin/logger -t x\"\nCustomLog /var/log/c/access common\n\
        TransferLog syslog:local1\nErrorLog /dev/stderr\nScoreBoardFile /run/s/board\n\
        <VirtualHost *:80>\nErrorLog /var/log/v/error\n</VirtualHost>\nUser #33\n";
    let found = tree.read(text);
    let root = tree.0.to_str().unwrap();
    let expected = [
        format!("{root}/run"),
        "/run/p".to_owned(),
        "/run/l".to_owned(),
        format!("{root}/run/locks"),
        format!("{root}/logs"),
        "/var/log/c".to_owned(),
        "/run/s".to_owned(),
        "/var/log/v".to_owned(),
    ];
    assert_eq!(found.directories, expected.map(PathBuf::from));
    assert_eq!(found.lock_directories, [PathBuf::from("/run/l"), tree.0.join("run/locks")]);
    assert_eq!((found.user.as_deref(), found.error_log), (Some("#33"), None));
    std::os::unix::fs::symlink("/nope/run", tree.0.join("run")).unwrap();
    std::os::unix::fs::symlink("/nope/logs", tree.0.join("logs")).unwrap();
    let found = tree.read("ServerRoot @\n");
    assert_eq!(found.directories, [tree.0.join("logs"), tree.0.join("run")]);
    assert_eq!(found.error_log, Some(tree.0.join("logs/error_log")));
}
