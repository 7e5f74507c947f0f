// SPDX-License-Identifier: Apache-2.0 OR MIT
use super::*;

/// `tail -f FILE` looks just like a server of that configuration to whoever takes it for the program.
struct Tail(std::process::Child);

impl Tail {
    #[expect(clippy::disallowed_methods, reason = "a process to look at")]
    fn follow(words: &[&str]) -> Self {
        let mut tail = std::process::Command::new("/usr/bin/tail");
        let silent = std::process::Stdio::null;
        let tail = Self(tail.args(words).stdout(silent()).stderr(silent()).spawn().unwrap());
        // It has its words a moment after it is the program.
        while words_of(tail.pid()).is_empty() {
            std::thread::yield_now();
        }
        tail
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _buried = self.0.wait();
    }
}

fn fits(signature: &Signature, pid: i32) -> bool {
    signature.fit(pid).is_some()
}

fn signature(configuration: &str) -> Signature {
    Signature::new(
        Programs::new(&[PathBuf::from("/usr/bin/tail")], &[]),
        &[PathBuf::from(configuration)],
    )
}

#[test]
fn a_process_is_known_by_program_and_configuration_together() {
    let base = std::env::temp_dir().join(format!("ocf-apache-sig-{}", std::process::id()));
    let etc = base.join("etc");
    fs::create_dir_all(&etc).unwrap();
    std::os::unix::fs::symlink("etc", base.join("link")).unwrap();
    let name = |name: &str| etc.join(name).to_str().unwrap().to_owned();
    for file in ["a.conf", "a.conf2"] {
        fs::write(etc.join(file), "").unwrap();
    }
    std::os::unix::fs::symlink("a.conf", etc.join("other.conf")).unwrap();
    let tail = Tail::follow(&["-f", &name("a.conf"), "--retry"]);
    let is_fit = |configuration: &str| fits(&signature(configuration), tail.pid());
    assert!(is_fit(&name("a.conf")) && is_fit(&name("./x/../a.conf")));
    assert!(is_fit(base.join("link/a.conf").to_str().unwrap()), "by its directory's link");
    assert!(!is_fit(&name("a.conf2")) && !is_fit(&name("a.con")), "a sibling");
    assert!(!is_fit(&name("other.conf")), "another name may be another server");
    let cat = Signature::new(
        Programs::new(&[PathBuf::from("/bin/cat")], &[]),
        &[PathBuf::from(name("a.conf"))],
    );
    assert!(!fits(&cat, tail.pid()), "an editor");
    fs::remove_file(etc.join("a.conf")).unwrap();
    assert!(is_fit(&name("a.conf")), "the file need not be there");
    fs::remove_dir_all(&base).unwrap();
}

#[test]
fn what_another_instance_was_given_is_its() {
    let etc = std::env::temp_dir().join(format!("ocf-apache-given-{}", std::process::id()));
    fs::write(&etc, "").unwrap();
    let file = etc.to_str().unwrap();
    // To tail that is a number of bytes, and a list of files.
    let tail = Tail::follow(&["-f", file, "-c+0"]);
    assert!(fits(&signature(file), tail.pid()));
    drop(tail);
    let given = signature(file).with_pid_files(
        Path::new("/run"),
        [b"tail-".to_vec()],
        &[PathBuf::from("/run/tail-web.pid")],
    );
    for (pid_file, is_anothers) in [
        ("/run/tail-web.pid", false),
        ("/run/../run/tail-web2.pid", true),
        ("/run/tail.pid", false),
        ("/srv/tail-web2.pid", false),
    ] {
        assert_eq!(given.is_of_another(Path::new(pid_file)), is_anothers, "{pid_file}");
    }
    fs::remove_file(&etc).unwrap();
}

#[test]
fn a_pid_file_is_of_the_server_whose_configuration_names_it() {
    let base = std::env::temp_dir().join(format!("ocf-apache-claim-{}", std::process::id()));
    fs::create_dir_all(&base).unwrap();
    let (conf, file) = (base.join("a.conf"), base.join("a.pid"));
    fs::write(&conf, format!("PidFile {}\n", file.display())).unwrap();
    let tail = Tail::follow(&["-f", conf.to_str().unwrap()]);
    let other = signature("/etc/b.conf");
    assert!(other.claims(tail.pid(), &file), "whichever configuration it has");
    assert!(!other.claims(tail.pid(), &base.join("b.pid")));
    fs::remove_dir_all(&base).unwrap();
}

#[test]
fn nobody_fits_who_is_gone() {
    let file = "/nonexistent/a.conf";
    let tail = Tail::follow(&["-f", file, "--retry"]);
    let pid = tail.pid();
    drop(tail);
    let pid_file = Path::new("/run/x.pid");
    assert!(!fits(&signature(file), pid) && !signature(file).claims(pid, pid_file));
    assert!(!fits(&signature(file), 1) && !fits(&signature(file), -1));
}
