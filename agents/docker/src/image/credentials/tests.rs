use super::super::reference::Reference;
use super::*;
use ocf::environment::Environment;
use ocf_tester::scratch::executable;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn pair(found: Option<DockerCredentials>) -> Option<(String, String)> {
    found.and_then(|found| Some((found.username?, found.password?)))
}

fn own(user: &str, password: &str) -> Option<(String, String)> {
    Some((user.to_owned(), password.to_owned()))
}

#[test]
fn the_file_is_read_as_docker_login_wrote_it() {
    let encoded = STANDARD.encode("me:pass:word");
    let configuration = serde_json::json!({"auths": {
        "reg.io:5000": {"auth": encoded},
        "https://old.io/v1/": {"auth": STANDARD.encode("old:x\0")},
        "plain.io": {"username": "a", "password": "b"},
        "token.io": {"identitytoken": "t"},
        "empty.io": {},
        "bad.io": {"auth": "%%%"},
        HUB: {"auth": STANDARD.encode("hub:y")},
    }});
    let of = |address| from_file(&configuration, address);
    assert_eq!(pair(of("reg.io:5000")), own("me", "pass:word"));
    assert_eq!(pair(of("old.io")), own("old", "x"));
    assert_eq!(pair(of("plain.io")), own("a", "b"));
    assert_eq!(pair(of(HUB)), own("hub", "y"));
    assert_eq!(of("token.io").unwrap().identitytoken.as_deref(), Some("t"));
    for address in ["empty.io", "bad.io", "reg.io", "other.io"] {
        assert!(of(address).is_none(), "{address}");
    }
    for wrong in ["null", "[]", "{\"auths\":7}", "{\"auths\":{\"reg.io\":7}}"] {
        assert!(from_file(&serde_json::from_str(wrong).unwrap(), "reg.io").is_none(), "{wrong}");
    }
}

/// A configuration with helpers that note how they were called.
struct Helpers(PathBuf);

impl Helpers {
    fn new(name: &str, configuration: &str) -> Self {
        let path = std::env::temp_dir().join(format!("helpers-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("config.json"), configuration).unwrap();
        Self(path)
    }

    fn add(&self, helper: &str, body: &str) {
        let file = self.0.join(format!("docker-credential-{helper}"));
        executable(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    }

    fn find(&self, image: &str) -> Found {
        let directory = self.0.to_str().unwrap();
        let environment: Environment = [
            ("DOCKER_CONFIG", directory),
            ("PATH", directory),
            ("HELPER_SETTING", "kept"),
            ("OCF_RESKEY_run_opts", "secret"),
        ]
        .into_iter()
        .collect();
        let context = Context::of("start", Duration::from_secs(30), environment).unwrap();
        let reference = Reference::parse(image).unwrap();
        let deadline = Deadline::since(Instant::now(), Duration::from_secs(20));
        find(&context, reference.name().unwrap(), &deadline)
    }

    fn noted(&self) -> String {
        std::fs::read_to_string(self.0.join("noted")).unwrap_or_default()
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_registrys_own_helper_is_asked_before_the_general_one() {
    let helpers = Helpers::new(
        "order",
        "{\"credsStore\":\"all\",\"credHelpers\":{\"reg.io:5000\":\"one\"},\
         \"auths\":{\"reg.io:5000\":{\"username\":\"file\",\"password\":\"file\"}}}",
    );
    let note = "read -r server; echo \"$server $# $1 $HELPER_SETTING $OCF_RESKEY_run_opts\" \
                >> \"$DOCKER_CONFIG/noted\"";
    helpers.add("one", &format!("{note}\necho '{{\"Username\":\"u\",\"Secret\":\"s\"}}'"));
    helpers.add("all", &format!("{note}\necho '{{\"Username\":\"<token>\",\"Secret\":\"t\"}}'"));
    assert_eq!(pair(helpers.find("reg.io:5000/a").credentials), own("u", "s"));
    let found = helpers.find("busybox").credentials.unwrap();
    assert_eq!((found.username, found.identitytoken.as_deref()), (None, Some("t")));
    assert_eq!(helpers.noted(), format!("reg.io:5000 1 get kept \n{HUB} 1 get kept \n"));
}

#[test]
fn a_helper_that_fails_is_said_when_the_registry_refuses() {
    let helpers = Helpers::new("failing", "{\"credsStore\":\"bad\"}");
    let refusal = "pull access denied for a";
    let missing = helpers.find("reg.io/a");
    assert_eq!(missing.hint(refusal), " (docker-credential-bad is not installed)");
    assert_eq!(missing.hint("no route to host"), "");
    helpers.add("bad", "echo locked; exit 1");
    assert_eq!(helpers.find("reg.io/a").hint(refusal), " (docker-credential-bad failed: locked)");
    helpers.add("bad", "echo 'credentials not found in native keychain'; exit 1");
    let none = helpers.find("reg.io/a");
    assert_eq!(none.hint(refusal), " (this node has no login for it: see docker login)");
    helpers.add("bad", "echo nonsense");
    let nonsense = helpers.find("reg.io/a");
    assert_eq!(nonsense.hint(refusal), " (docker-credential-bad answered no JSON)");
    let path = Helpers::new("path", "{\"credsStore\":\"../../bin/x\"}");
    assert!(path.find("reg.io/a").hint(refusal).contains("is no program's name"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_said_too() {
    let helpers = Helpers::new("unread", "{\"auths\":");
    assert!(helpers.find("reg.io/a").hint("unauthorized").contains("config.json can't be used"));
}
