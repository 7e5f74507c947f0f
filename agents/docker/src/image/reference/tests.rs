use super::*;

/// The names that an Engine listed for the one image of the tests.
const LISTED: [&str; 9] = [
    "img:latest",
    "nginx:1.25",
    "lib/x:2",
    "reg:5000/foo/bar:3",
    "bar:3",
    "quay.io/a/b:latest",
    "localhost/pcmktest:http",
    "a.b:1",
    "img@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];
const DIGITS: &str = "eeb27ad1111f0d2031e23daba5b4f791cba5d187a6f87f6c7e092d7734c49ac7";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn is_met(text: &str) -> bool {
    let id = format!("sha256:{DIGITS}");
    Reference::parse(text).unwrap().is_met_by(&id, LISTED.into_iter())
}

#[test]
fn an_image_is_met_by_its_exact_name_only() {
    for text in [
        "img",
        " img ",
        "img:latest",
        "nginx:1.25",
        "docker.io/nginx:1.25",
        "docker.io/library/nginx:1.25",
        "index.docker.io/nginx:1.25",
        "library/nginx:1.25",
        "docker.io/lib/x:2",
        "reg:5000/foo/bar:3",
        "quay.io/a/b",
        "localhost/pcmktest:http",
        "a.b:1",
    ] {
        assert!(is_met(text), "{text}");
    }
    // The shell agent takes the first five for the image: a registry's name is optional to it, and
    // a name is a pattern.
    for text in [
        "other:5000/zzz/bar:3",
        "foo/bar:3",
        "img:lates.",
        "quay.io/img",
        "im.g",
        "nginx",
        "pcmktest:http",
        "localhost/img",
        "docker.io/a/b",
        "reg:5001/foo/bar:3",
        "bar",
    ] {
        assert!(!is_met(text), "{text}");
    }
}

#[test]
fn a_digest_and_an_id_are_met_exactly() {
    assert!(is_met(&format!("img@{DIGEST}")));
    assert!(is_met(&format!("docker.io/library/img:other@{DIGEST}")), "the digest alone counts");
    assert!(!is_met(&format!("other@{DIGEST}")));
    assert!(!is_met(&format!("img@sha256:{DIGITS}")), "an ID is no digest of a repository");
    for length in [12, 20, 63, 64] {
        let start = &DIGITS[..length];
        assert!(is_met(start) && is_met(&format!("sha256:{start}")), "{length}");
        let other = format!("{}0", &start[..length - 1]);
        assert!(!is_met(&other), "{other}");
    }
}

#[test]
fn the_beginning_of_an_id_is_a_name() {
    for text in ["eeb2", "eeb27ad1111", "sha256:eeb2", "sha256:eeb27ad1111"] {
        assert!(!is_met(text), "{text}");
        assert!(Reference::parse(text).unwrap().name().is_some(), "{text}");
    }
    // A repository whose name could be an ID is found by its name, too.
    let named = Reference::parse("cafecafecafe").unwrap();
    assert!(named.is_met_by("sha256:00", ["cafecafecafe:latest"].into_iter()));
    assert!(Reference::parse(DIGITS).unwrap().name().is_none());
}

#[test]
fn what_is_no_reference_is_one_sentence() {
    let long = "a/".repeat(200) + "a";
    for text in [
        "",
        " ",
        "im(g:latest",
        "IMG:latest",
        "reg.io/Foo",
        "img:",
        ":latest",
        "img::x",
        "@x",
        "img@",
        "img@sha256:12",
        "img@md5:0123456789abcdef0123456789abcdef",
        "a b",
        "img sleep 3600",
        "../containers/json",
        "img/../img",
        "img%2f",
        "img?x=1",
        "img#x",
        "/img",
        "img/",
        "a//b",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "reg:x/img",
        "-reg.io/img",
        "https://reg.io/img",
        "[::1/img",
        "é",
        "a\nb",
        &format!("img:{}", "x".repeat(129)),
        &long,
    ] {
        let error = Reference::parse(text).unwrap_err();
        assert_eq!(error.kind, ocf::error::Kind::Configured, "{text}");
        let sentence = error.to_string();
        assert!(sentence.contains("is no reference: "), "{sentence}");
        assert!(!sentence.contains('\n') && sentence.chars().count() < 160, "{sentence}");
    }
}

#[test]
fn a_pull_asks_the_registry_for_what_is_meant() {
    for (text, registry, repository, version) in [
        ("img", "docker.io", "img", "latest"),
        ("docker.io/library/img:1", "docker.io", "img", "1"),
        ("me/img", "docker.io", "me/img", "latest"),
        ("a__b---c/d.e", "docker.io", "a__b---c/d.e", "latest"),
        (
            "192.168.24.1:8787/a/b:pcmklatest",
            "192.168.24.1:8787",
            "192.168.24.1:8787/a/b",
            "pcmklatest",
        ),
        ("[::1]:5000/a:1", "[::1]:5000", "[::1]:5000/a", "1"),
        ("Host/a", "Host", "Host/a", "latest"),
        (&format!("reg:5000/a:1@{DIGEST}"), "reg:5000", "reg:5000/a", DIGEST),
    ] {
        let reference = Reference::parse(text).unwrap();
        let name = reference.name().unwrap();
        let got = (name.registry.as_str(), name.repository(), name.version());
        assert_eq!(got, (registry, repository.to_owned(), version), "{text}");
    }
}
