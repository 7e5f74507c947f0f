// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can't be right in parameters: one sentence, the documented code, and nothing is made.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, World, images};
use serde_json::Value;

type Parameters<'a> = &'a [(&'a str, &'a str)];

/// Starts with these parameters, which has to fail with one of the codes and the words in the reason;
/// validate-all has to agree wherever it needs no Engine and no other file. Nothing is left.
fn refused(
    engine: &Engine,
    parameters: Parameters<'_>,
    codes: &[i32],
    words: &str,
) -> Result<(), String> {
    let world = World::ours(engine, "refused").with_all(parameters);
    let before = world_of(engine);
    let seen = world.run("start");
    let reason = seen.reason.to_lowercase();
    let has_words = words.split('|').all(|word| reason.contains(&word.to_lowercase()));
    let is_sentence = !seen.reason.contains('\n') && seen.reason.len() <= 128;
    let is_code = seen.code().is_some_and(|code| codes.contains(&code));
    let shown: Vec<_> = parameters.iter().map(|(n, v)| format!("{n}={v:.60}")).collect();
    let what = shown.join(" ");
    let left = world_of(engine);
    if !(is_code && has_words && is_sentence) {
        return Err(format!(
            "{what}: not {codes:?} with \"{words}\": {:?} {}",
            seen.code(),
            seen.reason
        ));
    }
    if left != before {
        return Err(format!("{what}: made {left:?}"));
    }
    let stop = world.run("stop");
    match stop.code() {
        Some(0) => Ok(()),
        _ => Err(format!("{what}: the stop after it: {:?} {}", stop.code(), stop.reason)),
    }
}

/// Everything an Engine has, by name.
fn world_of(engine: &Engine) -> [Vec<String>; 3] {
    let networks = engine.api().done("GET", "/networks", &Value::Null).json();
    let names = networks.as_array().unwrap().iter().map(|one| one["Name"].to_string());
    let mut all = [engine.api().containers(), engine.api().volumes(), names.collect()];
    all.iter_mut().for_each(|names| names.sort());
    all
}

/// What the grammar refuses: wrong on every node.
const FLAGS: [(&str, &str); 24] = [
    ("--no-such-flag", "--no-such-flag"),
    ("--memory=lots", "--memory"),
    ("-m", "-m"),
    ("--memory-swappiness=many", "--memory-swappiness"),
    ("-p 99999:80", "-p|99999"),
    ("-p 8000-8002:80-81", "-p"),
    ("-p 300.1.1.1:80:80", "-p"),
    ("-v :/x", "-v"),
    ("-v /a:/b:/c:/d", "-v"),
    ("--mount type=bind,source=/x", "--mount"),
    ("--mount nonsense", "--mount"),
    ("--restart=on-failure:many", "--restart"),
    ("--restart=always --rm", "--rm"),
    ("--ulimit nofile", "--ulimit"),
    ("--ulimit nosuch=1", "--ulimit"),
    ("--cpus=many", "--cpus"),
    ("--health-interval=5", "--health-interval"),
    ("--add-host nobody", "--add-host"),
    ("--log-opt a=b --log-driver none", "--log"),
    ("--device relative", "--device"),
    ("--sysctl kernel.x=1", "--sysctl"),
    ("--dns=nowhere", "--dns"),
    ("--init=perhaps", "--init"),
    ("--env", "--env"),
];

#[test]
fn malformed_options_name_the_option() {
    let engine = Engine::start();
    let results = FLAGS
        .iter()
        .map(|(options, words)| refused(&engine, &[("run_opts", options)], &[6, 2], words));
    let wrong: Vec<String> = results.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), FLAGS.len(), wrong.join("\n"));
}

/// validate-all parses all of it, too, with no Engine at hand.
#[test]
fn malformed_options_are_found_by_validate_all() {
    let engine = Engine::start();
    engine.kill();
    let results = FLAGS.iter().map(|(options, words)| {
        let seen = World::ours(&engine, "refused").with("run_opts", options).run("validate-all");
        let has_words = words.split('|').all(|word| seen.reason.contains(word));
        match seen.code() {
            Some(6 | 2) if has_words => Ok(()),
            code => Err(format!("{options}: {code:?} {}", seen.reason)),
        }
    });
    let wrong: Vec<String> = results.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), FLAGS.len(), wrong.join("\n"));
    engine.restart();
}

#[test]
fn image_references_that_are_none() {
    let engine = Engine::start();
    let references = [
        "IMAGE",
        "a b",
        ":",
        "a:b:c:d/e",
        "im(g:latest",
        "a//b",
        "-v",
        "a@sha256:123",
        "a:",
        "/a",
        "a/",
        "a:tag with",
        "ünicode",
        "a\nb",
    ];
    let results = references.map(|image| refused(&engine, &[("image", image)], &[6], "image"));
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The shell agent has these as patterns: they are no image that is here.
#[test]
fn an_image_that_is_only_like_one_that_is_here() {
    let engine = Engine::start();
    for image in ["ocf/plai:1", "plain:1", "other:5000/ocf/plain:1", "ocf/plain", "ocf/plain:11"] {
        refused(&engine, &[("image", image)], &[5], "image").unwrap();
    }
    for image in [images::PLAIN, "docker.io/ocf/plain:1"] {
        let world = World::ours(&engine, "same").with("image", image);
        world.expect("start", 0);
        world.expect("stop", 0);
    }
}

/// Its own ID, whole and in part, and offline.
#[test]
fn an_image_by_its_id() {
    let engine = Engine::start();
    let path = format!("/images/{}/json", images::PLAIN);
    let found = engine.api().done("GET", &path, &Value::Null).json();
    let id = found["Id"].as_str().unwrap().to_owned();
    let bare = id.strip_prefix("sha256:").unwrap();
    for image in [id.as_str(), bare, &bare[..12]] {
        let world = World::ours(&engine, "by-id").with("image", image);
        world.expect("start", 0);
        world.expect("monitor", 0);
        world.expect("stop", 0);
    }
}

#[test]
fn mount_points_that_can_not_be_directories() {
    let engine = Engine::start();
    let world = World::ours(&engine, "points");
    let file = world.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let below = file.join("below");
    for point in [&file, &below] {
        let point = point.display().to_string();
        // Whether it is one is this node's affair.
        refused(&engine, &[("mount_points", &point)], &[5, 2, 1], "file").unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn mount_points_are_made_with_all_above_them_and_duplicates_are_fine() {
    let engine = Engine::start();
    let world = World::ours(&engine, "made");
    let [one, two] = ["a/b/c", "d"].map(|name| world.path().join(name));
    let points = format!("{},{},{}", one.display(), two.display(), two.display());
    let world = world.with("mount_points", &points);
    world.expect("start", 0);
    assert!(one.is_dir() && two.is_dir());
    world.expect("stop", 0);
    assert!(one.is_dir() && two.is_dir(), "they stay: the service's data is in them");
}

#[test]
fn names_that_the_engine_refuses() {
    let engine = Engine::start();
    for name in ["a b", "/x", "-x", "x", "ü", "a/b", "", "a\nb", "a;touch x"] {
        let world = World::ours(&engine, "named").with("name", name);
        let seen = world.run("start");
        if name.is_empty() {
            // As if it weren't given.
            seen.is(0);
            world.expect("stop", 0);
            continue;
        }
        assert!(matches!(seen.code(), Some(6 | 2)), "{name:?}: {seen}");
        seen.says("name");
        world.expect("probe", 7);
        world.expect("stop", 0);
    }
    assert_eq!(engine.api().containers(), [""; 0]);
}

/// It takes names that no file could have: what it takes is looked at.
#[test]
fn a_name_of_any_length() {
    let engine = Engine::start();
    let world = World::ours(&engine, "long").with("name", &"n".repeat(300));
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
    assert_eq!(engine.api().containers(), [""; 0]);
}

/// The kernel starts nobody with a variable of more than 128 KiB: a megabyte of options reaches no agent.
/// The longest that do are dealt with in their time.
#[test]
fn options_as_long_as_they_can_be() {
    let engine = Engine::start();
    let most = 128 * 1024 - 64;
    let labels = |length: usize| {
        let mut text = String::new();
        for number in 0.. {
            let next = format!("--label l{number}=v ");
            if text.len() + next.len() > length {
                break;
            }
            text += &next;
        }
        text
    };
    let world = World::ours(&engine, "long").with("run_opts", &labels(most));
    world.expect("validate-all", 0);
    world.expect("start", 0);
    world.expect("monitor", 0);
    world.expect("stop", 0);
    for unsaid in ["x".repeat(most), "-".repeat(most), "-e ".repeat(most / 3), " ".repeat(most)] {
        let world = World::ours(&engine, "long").with("run_opts", &unsaid);
        let seen = world.run("start");
        assert!(matches!(seen.code(), Some(0 | 1 | 2 | 5 | 6)), "{:?}", seen.execution.verdict);
        assert!(seen.reason.len() <= 128 && !seen.reason.contains('\n'), "{}", seen.reason);
        world.expect("stop", 0);
    }
    assert_eq!(engine.api().containers(), [""; 0]);
}

/// Pacemaker's own mistake, with add-host="false" in a bundle: the user wished for no entries.
#[test]
fn an_option_of_another_engines_is_dropped() {
    let engine = Engine::start();
    let options =
        " --restart=no -h web-0  --hosts-entry=192.0.2.1=web-0 --hosts-entry=192.0.2.2=web-1";
    let world = World::ours(&engine, "entries").with("run_opts", options);
    let seen = world.expect("start", 0);
    assert!(seen.stderr().contains("hosts-entry"), "no warning: {seen}");
    let made = engine.api().inspect("entries").unwrap();
    assert!(made["HostConfig"]["ExtraHosts"].as_array().is_none_or(Vec::is_empty), "{made}");
    assert_eq!(made["Config"]["Hostname"], "web-0");
    world.expect("stop", 0);
}
