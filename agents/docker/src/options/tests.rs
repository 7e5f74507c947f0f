// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Sentences, secrets, and words that nobody would write. That the requests are right is shown by
//! `tests/grammar`, against the CLI.

use super::flags::{FLAGS, HOSTS_ENTRY, LEFT_TO_CLI, WINDOWS};
use super::*;
use ocf::error::Kind;

fn input(options: &str) -> Input<'_> {
    Input { name: "web", options, image: "web:1", command: "" }
}

fn environment() -> Environment {
    [("DOCKER_CONFIG", "/nonexistent"), ("OCF_RESKEY_secret", "hunter2")].into_iter().collect()
}

fn read(options: &str) -> Result<Launch> {
    parse(&input(options), &environment())
}

fn refusal(options: &str) -> Error {
    match read(options) {
        Ok(launch) => panic!("{options}: {launch:?}"),
        Err(error) => error,
    }
}

#[test]
fn a_refusal_names_the_flag_and_is_the_same_on_every_node() {
    for (options, flag) in [
        ("-p 70000:80", "--publish"),
        ("-v /a:/b:ro:x", "--volume"),
        ("--mount type=bind,src=/a", "--mount"),
        ("-m lots", "--memory"),
        ("-m", "--memory"),
        ("--tty=perhaps", "--tty"),
        ("--net=a --net=a", "--network"),
        ("--ip 10.0.0.300 --net=a", "--ip"),
        ("--name=other", "--name"),
        ("-a stdout", "--attach"),
        ("-d=false", "--detach"),
        ("--help", "--help"),
        ("--cpu-count 2", "--cpu-count"),
        ("--rm --restart=always", "--rm"),
        ("--log-driver none --log-opt a=b", "--log-opt"),
        ("--health-interval 5", "--health-interval"),
        ("--device x", "--device"),
        ("--gpus some", "--gpus"),
        ("--platform a/b/c/d", "--platform"),
        ("--pull often", "--pull"),
        ("--security-opt apparmor", "--security-opt"),
        ("-e A=\"b c\"", "\"c\\\"\""),
        ("-e A=b -- x", "\"x\""),
        ("-e A=b --", "\"--\""),
        ("-", "\"-\""),
        ("word -e A=b", "\"word\""),
    ] {
        let error = refusal(options);
        assert_eq!(error.kind, Kind::Configured, "{options}: {error}");
        assert!(error.reason.starts_with("run_opts: "), "{options}: {error}");
        assert!(error.reason.contains(flag), "{options}: {error}");
        assert!(error.reason.len() < 300 && !error.reason.contains('\n'), "{options}: {error}");
    }
}

#[test]
fn an_unknown_flag_is_left_to_the_cli_by_name() {
    for (options, flag) in [
        ("-e A=b --future=x y", "--future"),
        ("--future", "--future"),
        ("-itX", "-X"),
        ("--use-api-socket", "--use-api-socket"),
        ("--disable-content-trust=false", "--disable-content-trust=false"),
    ] {
        assert_eq!(read(options).unwrap().unmapped, [flag], "{options}");
    }
    let error = update(&input("--future 5 -m 64m")).unwrap_err();
    assert_eq!(error.kind, Kind::Args);
    assert!(error.reason.contains("--future"), "{error}");
}

#[test]
fn no_secret_is_part_of_a_sentence() {
    for options in [
        "-e =hunter2",
        "-e PASSWORD=hunter2 -m x",
        "--env= -e A=hunter2",
        "-e A=hunter2 --hosts-entry=x -m x",
    ] {
        assert!(!refusal(options).reason.contains("hunter2"), "{options}");
    }
    // The value itself gets where it belongs.
    let launch = read("-e OCF_RESKEY_secret --kernel-memory 1m -v d:/x --hosts-entry=x").unwrap();
    assert_eq!(launch.body.env.unwrap(), ["OCF_RESKEY_secret=hunter2"]);
    assert_eq!(launch.warnings.len(), 3, "{:?}", launch.warnings);
    assert!(!launch.warnings.concat().contains("hunter2"));
}

#[test]
fn what_is_wrong_in_a_file_is_wrong_on_this_node_and_stays_in_the_file() {
    let folder = std::env::temp_dir().join(format!("ocf-docker-options-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("variables");
    let shown = file.display();
    std::fs::write(&file, "PASSWORD=hunter2\nPASS WORD=hunter2\n").unwrap();
    for options in [
        format!("--env-file {shown}"),
        format!("--label-file {shown}"),
        format!("--security-opt seccomp={shown}"),
        format!("--env-file {}", folder.display()),
        "--env-file /nonexistent/x".to_owned(),
        "--env-file /dev/zero".to_owned(),
    ] {
        let mut launch = read(&options).unwrap();
        let error = launch.complete(&environment(), "unix:///x").unwrap_err();
        assert_eq!(error.kind, Kind::Args, "{options}");
        assert!(error.reason.contains("run_opts: --"), "{error}");
        assert!(!error.reason.contains("hunter2"), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_the_engine_can_change_live_is_what_was_given() {
    let body =
        update(&input(" -m 64m --memory-swap -1 --cpus 1.5 --pids-limit 9 --restart=no -e A=b "))
            .unwrap();
    assert_eq!(body.memory, Some(64 << 20));
    assert_eq!(
        (body.memory_swap, body.nano_cpus, body.pids_limit),
        (Some(-1), Some(1_500_000_000), Some(9))
    );
    assert_eq!(body.restart_policy.and_then(|policy| policy.maximum_retry_count), Some(0));
    let nothing = update(&input("-e A=b -v /a:/b")).unwrap();
    assert_eq!(nothing, ContainerUpdateBody::default());
    assert!(update(&input("-m lots")).is_err());
    let known = |name: &&&str| FLAGS.iter().any(|flag| flag.name == **name);
    assert_eq!(LIVE.iter().filter(known).count(), LIVE.len());
}

#[test]
fn what_an_old_engine_would_leave_out_is_an_error() {
    for (options, flag) in [
        ("--annotation a=b", "--annotation"),
        ("--health-cmd x --health-start-interval 5s", "--health-start-interval"),
    ] {
        let error = read(options).unwrap().suit((1, 41)).unwrap_err();
        assert_eq!(error.kind, Kind::Args);
        assert!(error.reason.contains(flag) && error.reason.contains("1.41"), "{error}");
        read(options).unwrap().suit((1, 44)).unwrap();
    }
    let mut launch = read("--mac-address 92:d0:c6:0a:29:33").unwrap();
    launch.suit((1, 41)).unwrap();
    assert_eq!(launch.unmapped, ["--mac-address"]);
}

#[test]
fn a_megabyte_of_words_is_read_to_its_end() {
    for word in ["-e A=b ", "-it ", "-v /a:/b ", "word "] {
        let options = word.repeat((1 << 20) / word.len() + 1);
        assert_eq!(read(&options).is_ok(), word.starts_with('-'), "{word}");
    }
}

/// More than the kernel hands to a process in one variable (128 KiB).
#[test]
fn any_amount_of_anything_is_read_to_its_end() {
    let many = |word: &str| word.repeat((1 << 17) / word.len() + 1);
    for word in [
        "-e A=b ",
        "-it ",
        "-m1 ",
        "-v /a:/b ",
        "-p 80 ",
        "--net a ",
        "-l a=b ",
        "--mount dst=/a ",
        "--tmpfs /a ",
        "--add-host a:::1 ",
        "--ulimit nofile=1 ",
        "--device /dev/x ",
        "--dns ::1 ",
        "--cap-add a ",
        "--expose 1 ",
        "--hosts-entry=1=a ",
        "--security-opt a=b ",
        "--log-opt a ",
        "--name web ",
        "--restart no ",
    ] {
        let options = many(word);
        match read(&options) {
            Ok(launch) => assert!(launch.warnings.len() < 3, "{word}"),
            Err(error) => assert!(error.reason.len() < 300, "{word}: {error}"),
        }
    }
    for word in [
        "a",
        " ",
        "-",
        "--",
        "-- ",
        "-e ",
        "--net=a,a=b,",
        "=",
        "-i",
        "\"",
        "é",
        "--x=",
        "-p 1-65535 ",
    ] {
        let error = read(&many(word)).map(|launch| launch.unmapped);
        match error {
            Ok(unmapped) => assert!(unmapped.len() < 2, "{word}"),
            Err(error) => assert!(error.reason.len() < 300, "{word}: {error}"),
        }
    }
    let long = |flag: &str, value: &str| format!("{flag}={}", many(value));
    for options in [
        long("--mount", "\"\""),
        long("--network", "a=b,"),
        long("-p", ":"),
        long("-p", "1-"),
        long("-v", "a:"),
        long("-m", "1"),
        long("--cpus", "1"),
        long("--health-interval", "1s"),
        long("--gpus", "\",\""),
        long("--ulimit", "nofile="),
        long("--platform", "a/"),
        long("--mac-address", "aa:"),
        long("--dns-search", "a."),
        long("--device", "/x"),
        long("--add-host", "a:"),
        long("--restart", "no:"),
        long("--pids-limit", "1_"),
    ] {
        if let Err(error) = read(&options) {
            assert!(error.reason.len() < 400, "{error}");
        }
    }
}

/// A generator that gives the same numbers every time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

const PIECES: &[&str] = &[
    "",
    "=",
    ":",
    ",",
    "-",
    "--",
    "/",
    ".",
    "..",
    "\"",
    "'",
    "\\",
    "a",
    "0",
    "1",
    "9",
    "-1",
    "65536",
    "é",
    "☃",
    "\u{0}",
    "1e99",
    "99999999999999999999",
    "0x",
    "_",
    "[",
    "]",
    "::",
    "::1",
    "10.0.0.1",
    "/dev/x",
    "rw",
    "rwm",
    "type=",
    "bind",
    "src=",
    "dst=",
    "name=",
    "ip=",
    "tcp",
    "udp",
    "all",
    "none",
    "host",
    "container:",
    "on-failure",
    "k",
    "mb",
    "GiB",
    "s",
    "ms",
    "h",
    "seccomp=",
    "\u{feff}",
    "\u{a0}",
    "\r",
    "true",
    "false",
    "%",
    "{",
    "}",
    "ß",
    "İ",
    "ﬁ",
];

#[test]
fn random_words_are_read_or_refused_with_one_sentence() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut read_well, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut options = String::new();
        for _ in 0..=dice.roll(3) {
            let flag = FLAGS[dice.roll(FLAGS.len())];
            let written = match (flag.short, dice.roll(3)) {
                (Some(short), 0) => format!("-{short}"),
                (_, 1) => format!("--{} ", flag.name),
                _ => format!("--{}=", flag.name),
            };
            options.push_str(&written);
            for _ in 0..dice.roll(6) {
                options.push_str(PIECES[dice.roll(PIECES.len())]);
            }
            options.push(' ');
        }
        let mut launch = match read(&options) {
            Ok(launch) => launch,
            Err(error) => {
                assert!(
                    !error.reason.contains('\n') && error.reason.len() < 500,
                    "{options:?}: {error:?}"
                );
                refused += 1;
                continue;
            }
        };
        read_well += 1;
        // Files are named at random, too; none of them is there.
        let _ = launch.complete(&environment(), "unix:///x");
        serde_json::to_string(&launch.body).unwrap();
        let _ = update(&input(&options));
    }
    assert!(read_well > 100 && refused > 100, "{read_well} {refused}");
}

#[test]
fn every_flag_has_its_row_in_the_manual() {
    let manual = include_str!("../../OPTIONS.md");
    let rows: Vec<&str> = manual.lines().filter_map(|line| line.strip_prefix("| `--")).collect();
    let all = FLAGS.iter().chain(WINDOWS).chain(LEFT_TO_CLI);
    let names: Vec<&str> = all.map(|flag| flag.name).chain(["…"]).collect();
    for name in names.iter().filter(|name| **name != "…") {
        let is_its = |row: &&&str| row.starts_with(&format!("{name}`"));
        assert_eq!(rows.iter().filter(is_its).count(), 1, "--{name}");
    }
    for row in &rows {
        let name = row.split('`').next().unwrap();
        assert!(names.contains(&name), "--{name}");
    }
    assert!(names.contains(&HOSTS_ENTRY));
}
