// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configurations and what they come to.

use super::*;
use crate::settings::Listen;
use std::fs;

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

/// A directory of a test's own, gone with it.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ocf-apache-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text.replace("@", self.0.to_str().unwrap())).unwrap();
        path
    }

    fn read(&self, text: &str) -> Settings {
        self.read_with(text, &[], &[])
    }

    fn read_with(&self, text: &str, pairs: &[(&str, &str)], words: &[&str]) -> Settings {
        let file = self.write("main.conf", text);
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(&file, &variables(pairs), &words).unwrap()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn listen(address: Option<&str>, port: u16, is_https: bool) -> Listen {
    Listen { address: address.map(|address| address.parse().unwrap()), port, is_https }
}

#[test]
fn listeners_are_read_in_every_form() {
    let tree = Tree::new("listen");
    let text = "Listen 8088\nlisten *:81\nLISTEN \"127.0.0.1:82\"\nListen 0.0.0.0:83\n\
                Listen [::1]:84\nListen [::]:85\nListen localhost:86\nListen 8443 https\n\
                Listen [fe80::1%lo]:88\nListen 70000\nListen 0\nListen x\nListen\n";
    let expected = [
        listen(None, 8088, false),
        listen(None, 81, false),
        listen(Some("127.0.0.1"), 82, false),
        listen(Some("0.0.0.0"), 83, false),
        listen(Some("::1"), 84, false),
        listen(Some("::"), 85, false),
        listen(Some("127.0.0.1"), 86, false),
        listen(None, 8443, true),
        listen(Some("fe80::1"), 88, false),
    ];
    assert_eq!(tree.read(text).listens, expected);
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
        name: None,
    };
    assert_eq!(tree.read_with(text, &run, &[]), expected);
}
