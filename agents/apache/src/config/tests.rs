// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configurations and what they come to.

mod bounds;
mod places;

use super::*;
use crate::settings::Listen;
use crate::testing::Tree;
use std::fs;

/// What files say, whoever asks.
fn read(
    file: &Path,
    environment: &BTreeMap<OsString, OsString>,
    words: &[String],
) -> Result<Settings> {
    let deadline = Deadline::since(Instant::now(), Duration::from_secs(60));
    let files = Files::read(file, Cow::Borrowed(environment), words, None, &deadline)?;
    let settings = files.settings(Asking::Nobody);
    assert_eq!(files.pid_file(), settings.pid_file);
    Ok(settings)
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

impl Tree {
    fn read(&self, text: &str) -> Settings {
        self.read_with(text, &[], &[])
    }

    fn read_with(&self, text: &str, pairs: &[(&str, &str)], words: &[&str]) -> Settings {
        let file = self.write("main.conf", text);
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(&file, &variables(pairs), &words).unwrap()
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
        listen(None, 8443, false),
        listen(Some("fe80::1"), 88, false),
    ];
    assert_eq!(tree.read(text).listens, expected);
}

/// Texts, and the ports that are listened on with `-D A` and PORT=8088.
const CONDITIONS: &[(&str, &[u16])] = &[
    ("<IfModule ssl_module>\nListen 443\n</IfModule>\nListen 80\n", &[80]),
    ("<IfModule !ssl_module>\nListen 81\n</IfModule>\n", &[81]),
    ("LoadModule ssl_module m/mod_ssl.so\n<IfModule mod_ssl.c>\nListen 82\n</IfModule>\n", &[82]),
    (
        "LoadModule mpm_event_module m/mod_mpm_event.so\n<IfModule event.c>\nListen 1\n</IfModule>\n\
      <IfModule mod_mpm_event.c>\nListen 2\n</IfModule>\n",
        &[1],
    ),
    (
        "<IfModule MOD_SO.C>\nListen 1\n</IfModule>\n<IfModule mod_so.c>\nListen 2\n</IfModule>\n",
        &[2],
    ),
    ("<IfModule \"core.c\">\nListen 3\n</IfModule>\n", &[3]),
    ("<IfDefine STATUS>\nListen 1\n</IfDefine>\n<IfDefine !STATUS>\nListen 2\n</IfDefine>\n", &[1]),
    ("<ifdefine A>\nlisten 1\n</ifdefine>\n<IfDefine status>\nListen 2\n</IfDefine>\n", &[1]),
    ("<IfDefine B>\n<IfDefine A>\n</IfDefine>\nListen 1\n</IfDefine>\nListen 2\n", &[2]),
    ("Define P 81\nListen ${p}\nUnDefine P\nListen ${P}\n", &[81]),
    ("Define P 81\nDefine Q ${P}2\nListen ${Q}\n", &[812]),
    ("Listen ${PORT}\nListen ${port}\n", &[8088]),
    ("Define PORT 9\nListen ${PORT}\n", &[9]),
    (
        "<IfVersion >= 2.4>\nListen 1\n</IfVersion>\n<IfVersion < 2.4>\nListen 2\n</IfVersion>\n",
        &[1],
    ),
    ("<IfVersion !>= 2.4>\nListen 1\n</IfVersion>\n<IfVersion 2.4>\nListen 2\n</IfVersion>\n", &[]),
    (
        "<IfFile @/main.conf>\nListen 1\n</IfFile>\n<IfFile !@/main.conf>\nListen 2\n</IfFile>\n",
        &[1],
    ),
    ("<If \"true\">\n</If>\n<Directory />\n</Directory>\nListen 7\n", &[7]),
    ("Define D\n<IfDefine D>\nListen 5\n</IfDefine>\n", &[5]),
    ("<IfModule nope>\n<Directory /x>\nListen 1\n</Directory>\n</IfModule>\nListen 2\n", &[2]),
    ("Port 8080\n", &[8080]),
    ("Port 8080\nListen 1\n", &[1]),
];

/// P06, P09, P10: conditions and variables.
#[test]
fn conditions_and_variables_are_the_servers() {
    let tree = Tree::new("conditions");
    let ports = |text: &str, pairs: &[(&str, &str)], words: &[&str]| -> Vec<u16> {
        let settings = tree.read_with(text, pairs, words);
        settings.listens.iter().map(|listen| listen.port).collect()
    };
    for (text, expected) in CONDITIONS {
        let found = ports(text, &[("PORT", "8088")], &["-D", "A"]);
        assert_eq!(found, *expected, "{text}");
    }
    let found = ports("Listen 1\nListen ${X}\n", &[], &["-CDefine X 3", "-c", "Listen 2"]);
    assert_eq!(found, [1, 3, 2]);
}

/// P07, P11, P12: whatever is included is read, in the server's order.
#[test]
fn includes_are_followed_in_the_servers_order() {
    let tree = Tree::new("include");
    for (name, port) in [("a", 1), (".hidden", 2), ("z.bak", 3), ("deep/q", 4), ("b.conf", 5)] {
        tree.write(&format!("inc.d/{name}"), &format!("Listen {port}\n"));
    }
    tree.write("more.conf", "INCLUDE \"inc.d/a\"\n");
    let cases: &[(&str, &[u16])] = &[
        ("Include inc.d/a", &[1]),
        ("  include \"inc.d/a\"", &[1]),
        ("IncludeOptional 'inc.d/a'", &[1]),
        ("Include @/inc.d/b.conf", &[5]),
        ("Include inc.d", &[2, 1, 5, 4, 3]),
        ("Include inc.d/", &[2, 1, 5, 4, 3]),
        ("Include inc.d/*", &[1, 5, 4, 3]),
        ("Include in?.d/[a-b]*", &[1, 5]),
        ("Include */.h*", &[2]),
        ("IncludeOptional nope/*.conf\nIncludeOptional nope\nListen 9", &[9]),
        ("Include ./inc.d/../more.conf", &[1]),
        ("Include \\\n inc.d/a", &[1]),
        ("Define D inc.d\nInclude ${D}/a", &[1]),
        ("#Include inc.d/a\nListen 9", &[9]),
        ("<VirtualHost *:1>\nInclude inc.d/nope\n</VirtualHost>\nListen 9", &[9]),
    ];
    for (text, expected) in cases {
        let found = tree.read(&format!("ServerRoot @\n{text}\n")).listens;
        let found: Vec<u16> = found.iter().map(|listen| listen.port).collect();
        assert_eq!(found, *expected, "{text}");
    }
    // The options' root counts where the configuration has none.
    let root = tree.0.to_str().unwrap();
    let found = tree.read_with("Include more.conf\n", &[], &["-d", root]);
    assert_eq!((found.listens.len(), found.root.as_deref()), (1, Some(tree.0.as_path())));
}

/// A20: loops and floods come to an end.
#[test]
fn what_includes_itself_comes_to_an_end() {
    let tree = Tree::new("loop");
    assert_eq!(tree.read("Listen 1\nInclude @/main.conf\nListen 2\n").listens.len(), 2);
    tree.write("d/a", "Include @/d\nInclude @/main.conf\n");
    tree.write("d/b", "Listen 3\nInclude @/d/*\n");
    std::os::unix::fs::symlink("..", tree.0.join("d/up")).unwrap();
    assert!(!tree.read("Include @/d\n").listens.is_empty());
    let more = "<Macro A>\nListen 5\nUse A\nUse A\n</Macro>\nUse A\n";
    assert!(!tree.read(more).listens.is_empty());
}

/// Neither a FIFO nor a device nor garbage holds anybody up.
#[test]
fn what_is_no_configuration_is_a_sentence_or_nothing() {
    let tree = Tree::new("garbage");
    let fifo = tree.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let none = variables(&[]);
    let big = tree.0.join("big");
    fs::File::create(&big).unwrap().set_len(1 << 40).unwrap();
    for path in [&fifo, &tree.0, Path::new("/dev/zero"), Path::new("/nope/x"), &big] {
        let error = read(path, &none, &[]).unwrap_err();
        assert_eq!(error.kind, ocf::error::Kind::Installed, "{error}");
        assert!(error.reason.contains(path.to_str().unwrap()), "{error}");
    }
    let binary: Vec<u8> = (0..=255_u8).cycle().take(1 << 20).collect();
    fs::write(tree.0.join("binary"), binary).unwrap();
    read(&tree.0.join("binary"), &none, &[]).unwrap();
    let text = "<\n</\n</VirtualHost>\n<VirtualHost\nListen\nDefine\nInclude\nMutex\nPidFile\n\
        <Location>\nSetHandler server-status\nErrorLog\n${\n\"\n'\n\\\n<IfVersion>\n<IfModule\n";
    let found = tree.read(&format!("Listen 1\nInclude @/fifo\nInclude /dev/zero\n{text}"));
    assert_eq!(found.listens.len(), 1);
}
