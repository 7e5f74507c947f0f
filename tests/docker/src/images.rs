// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tests' images, made of what is installed.

use crate::Engine;
use ocf_tester::scratch::Scratch;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// busybox and the tests' own services; its default command is `/bin/serve`.
pub const PLAIN: &str = "ocf/plain:1";
/// The same; its default command ends at once.
pub const SHORT: &str = "ocf/short:1";
/// pacemaker-remoted with what it needs: the first process of every bundle.
pub const REMOTE: &str = "ocf/remote:1";

const BUSYBOX: &str = "/usr/bin/busybox";
const REMOTED: &str = "/usr/sbin/pacemaker-remoted";
const APPLETS: [&str; 10] =
    ["sh", "true", "false", "sleep", "cat", "echo", "touch", "test", "kill", "httpd"];

/// Services, by the file they are in: no parameter of the agent can hold a script.
const SERVICES: [(&str, &str); 10] = [
    // Ends at once when it is asked to.
    ("serve", "trap 'exit 0' TERM\nwhile :; do sleep 1000 & wait; done\n"),
    // Needs five seconds for it, and then leaves a sign.
    (
        "slow",
        "trap 'sleep 5; touch /data/done; exit 0' TERM\nwhile :; do sleep 1000 & wait; done\n",
    ),
    // Hears that it is asked to, and doesn't end.
    ("deaf", "trap 'echo no' TERM\nwhile :; do sleep 1000 & wait; done\n"),
    // Has no handler, as the first process of a container ignores TERM; its child has one.
    ("careless", "/bin/serve & while :; do sleep 1000; done\n"),
    // Ends by itself the first time, and serves when it is started again.
    ("once", "test -e /data/was && exec /bin/serve\ntouch /data/was\n"),
    ("fails-once", "test -e /data/was && exec /bin/serve\ntouch /data/was; exit 3\n"),
    // Where Pacemaker Remote would, but late.
    ("late-listener", "sleep 1\nexec httpd -f -p 3121\n"),
    ("exit-126", "exit 126\n"),
    ("exit-127", "exit 127\n"),
    ("fail", "echo 'cannot open the store' >&2\nexit 3\n"),
];

/// Puts the small images into an Engine.
pub fn load(engine: &Engine) {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    let archive = ARCHIVE.get_or_init(plain);
    import(engine, PLAIN, archive, "CMD [\"/bin/serve\"]");
    import(engine, SHORT, archive, "CMD [\"/bin/true\"]");
}

/// Puts the image with pacemaker-remoted into an Engine.
pub fn load_remote(engine: &Engine) {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    import(engine, REMOTE, ARCHIVE.get_or_init(remote), "CMD [\"/usr/sbin/pacemaker-remoted\"]");
}

fn import(engine: &Engine, tag: &str, archive: &[u8], change: &str) {
    let (name, version) = tag.split_once(':').unwrap();
    let change: String = change.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("/images/create?fromSrc=-&repo={name}&tag={version}&changes={change}");
    let answer = engine.api().ask("POST", &path, archive).unwrap();
    assert!(answer.status == 200 && !answer.to_string().contains("error"), "{tag}: {answer}");
}

/// The services, which cargo builds with the tests.
fn inside() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let found = tests.ancestors().skip(1).map(|up| up.join("inside")).find(|path| path.is_file());
    found.expect("no program `inside` beside the tests: cargo builds it with them")
}

/// The layer of an image with one program, `/inside`.
pub(crate) fn small() -> Vec<u8> {
    let root = Scratch::new("small").unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    copy(&inside(), "the workspace", &root.path().join("inside"));
    archive(root.path())
}

fn plain() -> Vec<u8> {
    let root = Scratch::new("plain").unwrap();
    for name in ["bin", "tmp", "etc", "data"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    copy(Path::new(BUSYBOX), "busybox-static", &root.path().join("bin/busybox"));
    copy(&inside(), "the workspace", &root.path().join("inside"));
    for applet in APPLETS {
        symlink("busybox", root.path().join("bin").join(applet)).unwrap();
    }
    for (name, text) in SERVICES {
        let path = root.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(root.path().join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
    archive(root.path())
}

fn remote() -> Vec<u8> {
    let root = Scratch::new("remote").unwrap();
    let put = |path: &Path| {
        let there = root.path().join(path.strip_prefix("/").unwrap());
        fs::create_dir_all(there.parent().unwrap()).unwrap();
        copy(path, "pacemaker-remote", &there);
    };
    put(Path::new(REMOTED));
    libraries(REMOTED).iter().for_each(|path| put(path));
    for file in ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf"] {
        put(Path::new(file));
    }
    for name in ["tmp", "var/log/pacemaker", "var/lib/pacemaker", "var/run", "run", "dev/shm"] {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    archive(root.path())
}

/// What the loader maps for a program, the loader included.
fn libraries(program: &str) -> BTreeSet<PathBuf> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    assert!(listed.status.success(), "ldd {program}: {listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn copy(from: &Path, package: &str, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|error| panic!("{} ({package}): {error}", from.display()));
}

fn archive(root: &Path) -> Vec<u8> {
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "-C"]).arg(root).args(["-c", "."]);
    let made = tar.output().unwrap();
    assert!(made.status.success(), "tar: {}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}
