// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What an agent is told under each caller. `contexts/<caller>/<case>.<action>.env` is the
//! environment of one call as it was recorded (contexts/README.md says how); the `.txt` beside it is
//! the Context that comes of it. `OCF_BLESS=1 cargo test -p ocf --test contexts` writes the latter
//! anew; read what changed before committing it.

use ocf::Context;
use ocf::environment::Environment;
use ocf::error::Kind;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the toy agent advertises for every action.
const ADVERTISED: Duration = Duration::from_secs(20);

const META: &str = "OCF_RESKEY_CRM_meta_";

fn recordings_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contexts")
}

/// A recording: one `NAME=value` a line, sorted; no value recorded so far holds a newline.
fn parse_recording(bytes: &[u8]) -> Result<Environment, String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let pair = |line: &[u8]| {
        let at = line.iter().position(|byte| *byte == b'=');
        let (name, value) = at.and_then(|at| line.split_at_checked(at)).ok_or_else(|| {
            format!("line without an equals sign: {}", String::from_utf8_lossy(line))
        })?;
        let value = value.strip_prefix(b"=").unwrap_or(value);
        Ok((OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())))
    };
    lines.map(pair).collect::<Result<Vec<_>, String>>().map(Environment::from_iter)
}

/// What the golden holds: the Context, and what is derived from it.
fn golden_of(recording: &Path) -> Result<String, String> {
    let stem = recording.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let (_, action) = stem.rsplit_once('.').ok_or("its name is not <case>.<action>.env")?;
    let bytes = std::fs::read(recording).map_err(|e| e.to_string())?;
    let context = Context::of(action, ADVERTISED, parse_recording(&bytes)?);
    let context = context.map_err(|e| format!("{:?}: {e}", e.kind))?;
    let mut text = format!("{context:#?}\n");
    let derived = writeln!(text, "file_name: {:?}", context.file_name())
        .and_then(|()| writeln!(text, "attribute_node: {:?}", context.attribute_node()));
    derived.map(|()| text).map_err(|e| e.to_string())
}

/// Every file below the directory, by extension.
fn files(extension: &str) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    for caller in entries(&recordings_dir())?.into_iter().filter(|path| path.is_dir()) {
        for file in entries(&caller)? {
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("env" | "txt") => {
                    if file.extension().is_some_and(|its| its == extension) {
                        found.insert(file);
                    }
                }
                _ => return Err(format!("{} is neither .env nor .txt", file.display())),
            }
        }
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let read = std::fs::read_dir(dir).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = read.map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

#[test]
fn every_recorded_environment_leads_to_its_context() {
    let is_bless = Environment::of_process().filled("OCF_BLESS").is_some();
    let recordings = files("env").unwrap();
    let mut wrong = Vec::new();
    for recording in &recordings {
        let golden = recording.with_extension("txt");
        match golden_of(recording) {
            Err(error) => wrong.push(format!("{}: {error}", recording.display())),
            Ok(now) if is_bless => std::fs::write(&golden, now).unwrap(),
            Ok(now) => match std::fs::read_to_string(&golden) {
                Err(error) => wrong.push(format!("{}: {error}", golden.display())),
                Ok(then) if then != now => wrong.push(format!(
                    "{}: changed\n--- golden\n{then}--- now\n{now}",
                    golden.display()
                )),
                Ok(_) => {}
            },
        }
    }
    let orphans = files("txt").unwrap();
    let orphans = orphans.iter().filter(|path| !recordings.contains(&path.with_extension("env")));
    wrong.extend(orphans.map(|golden| format!("{}: no recording", golden.display())));
    assert!(wrong.is_empty(), "{}\nOCF_BLESS=1 writes the goldens anew", wrong.join("\n"));
}

#[test]
fn every_caller_is_recorded() {
    let callers: BTreeSet<String> = files("env")
        .unwrap()
        .iter()
        .filter_map(|file| Some(file.parent()?.file_name()?.to_str()?.to_owned()))
        .collect();
    let wanted = [
        "pacemaker-2.1",
        "pacemaker-3",
        "graph-of-pacemaker-",
        "crm_resource-2.1",
        "crm_resource-3",
        "pcs-",
        "crmsh-",
        "drbd-reactor-",
        "halo-",
        "ocft-",
        "ocf-tester-",
        "empty",
    ];
    for caller in wanted {
        let is_recorded = callers.iter().any(|found| found.starts_with(caller));
        assert!(is_recorded, "no recording of {caller}* among {callers:?}");
    }
}

#[test]
fn recordings_are_as_they_were_made() {
    for recording in files("env").unwrap() {
        let text = std::fs::read_to_string(&recording).unwrap();
        let names: Vec<&str> =
            text.lines().map(|line| line.split_once('=').unwrap_or((line, "")).0).collect();
        let sorted: BTreeSet<&str> = names.iter().copied().collect();
        assert!(names.iter().eq(sorted.iter()), "{}: unsorted or twice", recording.display());
    }
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

/// A call by Pacemaker with these meta attributes.
#[expect(clippy::unwrap_used, reason = "only tests call it")]
fn call(action: &str, meta: &[(&str, &str)]) -> Context {
    let base = [
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESOURCE_INSTANCE", "toy"),
        ("OCF_RESKEY_crm_feature_set", "3.16.1"),
    ];
    let meta = meta.iter().map(|(name, value)| (format!("{META}{name}"), (*value).to_owned()));
    let base = base.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context::of(action, ADVERTISED, base.chain(meta).collect()).unwrap()
}

#[expect(clippy::unwrap_used, reason = "only tests call it")]
fn refusal(pairs: &[(&str, &str)]) -> Kind {
    Context::of("start", ADVERTISED, environment(pairs)).unwrap_err().kind
}

#[test]
fn a_monitor_without_an_interval_is_a_probe() {
    for absent in [&[][..], &[("interval", "")], &[("interval", "0")], &[("interval", " 0 ")]] {
        let context = call("monitor", absent);
        assert!(context.probe, "{absent:?}");
        assert_eq!(context.interval, None, "{absent:?}");
    }
    let recurring = call("monitor", &[("interval", "10000")]);
    assert!(!recurring.probe);
    assert_eq!(recurring.interval, Some(Duration::from_secs(10)));
    assert!(!call("start", &[]).probe, "only a monitor is a probe");
    assert!(!call("status", &[]).probe, "Pacemaker never probes by status");
}

/// Upstream's tester gives one to every action.
#[test]
fn only_what_recurs_has_an_interval() {
    assert_eq!(call("start", &[("interval", "20000")]).interval, None);
    assert_eq!(call("validate-all", &[("interval", "20000")]).interval, None);
    assert_eq!(call("status", &[("interval", "20000")]).interval, Some(Duration::from_secs(20)));
}

#[test]
fn a_timeout_is_milliseconds_and_else_what_the_action_advertises() {
    let timeout = |meta: &[(&str, &str)]| call("start", meta).deadline.timeout();
    assert_eq!(timeout(&[("timeout", "1500")]), Duration::from_millis(1500));
    for unusable in ["", "0", "-1", "20s", "x", "99999999999999999999999"] {
        assert_eq!(timeout(&[("timeout", unusable)]), ADVERTISED, "{unusable:?}");
    }
    assert_eq!(timeout(&[]), ADVERTISED);
}

#[test]
fn an_instance_is_named_by_a_manager_and_else_default() {
    let plain = Context::of("start", ADVERTISED, environment(&[])).unwrap();
    assert_eq!(plain.instance.name, "default");
    let empty = environment(&[("OCF_RESOURCE_INSTANCE", "")]);
    assert_eq!(Context::of("start", ADVERTISED, empty).unwrap().instance.name, "default");
    assert_eq!(refusal(&[("OCF_RA_VERSION_MAJOR", "1")]), Kind::Args);
    let named_empty = [("OCF_RA_VERSION_MAJOR", "1"), ("OCF_RESOURCE_INSTANCE", "")];
    assert_eq!(refusal(&named_empty), Kind::Args);
}

#[test]
fn a_clone_number_is_the_part_behind_the_last_colon() {
    let parse = |name: &str| {
        let pairs = environment(&[("OCF_RESOURCE_INSTANCE", name)]);
        let instance = Context::of("start", ADVERTISED, pairs).unwrap().instance;
        (instance.id, instance.number)
    };
    assert_eq!(parse("x"), ("x".to_owned(), None));
    assert_eq!(parse("x:0"), ("x".to_owned(), Some(0)));
    assert_eq!(parse("a:b:12"), ("a:b".to_owned(), Some(12)));
    assert_eq!(parse("x:y"), ("x:y".to_owned(), None));
    assert_eq!(parse("x:"), ("x:".to_owned(), None));
}

#[test]
fn an_instance_that_is_no_file_name_is_refused() {
    for name in ["a/b", "/", "../x", "a\nb", ".", ".."] {
        assert_eq!(refusal(&[("OCF_RESOURCE_INSTANCE", name)]), Kind::Args, "{name:?}");
    }
    let odd = OsString::from_vec(vec![b'a', 0xff]);
    let pairs = [(OsString::from("OCF_RESOURCE_INSTANCE"), odd)];
    let refused = Context::of("start", ADVERTISED, pairs.into_iter().collect()).unwrap_err();
    assert_eq!(refused.kind, Kind::Args);
    for name in ["a b", "ä", "a:0", "...", "-x", "$(id)"] {
        let pairs = environment(&[("OCF_RESOURCE_INSTANCE", name)]);
        assert_eq!(Context::of("start", ADVERTISED, pairs).unwrap().instance.name, name);
    }
}

#[test]
fn another_major_version_of_the_standard_is_refused() {
    for major in ["2", "0", "1.1", "x"] {
        let pairs = [("OCF_RA_VERSION_MAJOR", major), ("OCF_RESOURCE_INSTANCE", "toy")];
        assert_eq!(refusal(&pairs), Kind::Args, "{major:?}");
    }
    let minor = [
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "9"),
        ("OCF_RESOURCE_INSTANCE", "toy"),
    ];
    assert!(Context::of("start", ADVERTISED, environment(&minor)).is_ok(), "a minor is no reason");
}

#[test]
fn a_level_that_is_not_implemented_falls_back_to_the_next_lower_one() {
    let level = |asked: &str| {
        let pairs = environment(&[("OCF_CHECK_LEVEL", asked)]);
        Context::of("monitor", ADVERTISED, pairs).unwrap().level_among(&[0, 10, 20])
    };
    assert_eq!(["", "0", "9", "10", "15", "20", "99"].map(level), [0, 0, 0, 10, 10, 20, 20]);
}

#[test]
fn a_check_level_is_a_number_or_none() {
    let level = |text: &str| {
        let pairs = environment(&[("OCF_CHECK_LEVEL", text)]);
        Context::of("monitor", ADVERTISED, pairs).unwrap().check_level
    };
    assert_eq!((level("0"), level("10"), level(" 20 ")), (Some(0), Some(10), Some(20)));
    for garbage in ["", "x", "-1", "1.5", "0x10", "99999999999", "10 20"] {
        assert_eq!(level(garbage), None, "{garbage:?}");
    }
}

/// As an administrator may write them; the scheduler makes `true` of them, crm_resource doesn't.
#[test]
fn a_meta_attribute_takes_every_word_of_pacemakers_for_true() {
    let clone = |word: &'static str| {
        let words = ["globally_unique", "notify", "promotable"].map(|name| (name, word));
        call("start", &[&words[..], &[("clone", "0")]].concat())
    };
    for word in ["true", "TRUE", "Yes", "y", "on", "1"] {
        let context = clone(word);
        assert_eq!(context.clone.map(|c| (c.globally_unique, c.notify)), Some((true, true)));
        assert!(context.promotable.is_some(), "{word}");
    }
    for word in ["false", "no", "0", "off", "", "2", "truex"] {
        let context = clone(word);
        assert_eq!(context.clone.map(|c| (c.globally_unique, c.notify)), Some((false, false)));
        assert!(context.promotable.is_none(), "{word}");
    }
}

#[test]
fn the_files_of_a_clone_carry_its_number_only_where_instances_are_distinct() {
    let file_name = |unique: Option<&str>| {
        let mut pairs = vec![("OCF_RESOURCE_INSTANCE", "toy:1")];
        pairs.extend(unique.map(|word| ("OCF_RESKEY_CRM_meta_globally_unique", word)));
        let context = Context::of("start", ADVERTISED, environment(&pairs)).unwrap();
        context.file_name().to_owned()
    };
    assert_eq!(file_name(Some("true")), "toy:1");
    assert_eq!(file_name(Some("Yes")), "toy:1");
    for not in [None, Some("false"), Some("no"), Some("")] {
        assert_eq!(file_name(not), "toy", "{not:?}");
    }
}

#[test]
fn an_empty_notify_list_is_no_member() {
    let blank = call(
        "notify",
        &[
            ("notify_type", "pre"),
            ("notify_operation", "stop"),
            ("notify_stop_resource", " "),
            ("notify_stop_uname", " "),
            ("notify_inactive_resource", " "),
            ("notify_active_resource", ""),
            ("notify_active_uname", ""),
        ],
    );
    let data = blank.notification.unwrap();
    assert!(data.stop.is_empty() && data.active.is_empty() && data.inactive.is_empty());
    assert!(data.all_nodes.is_empty(), "a list that isn't there is empty too");
    assert_eq!(call("notify", &[("notify", "true")]).notification, None);
}

#[test]
fn attributes_belong_to_the_host_only_where_the_bundle_says_so() {
    let node = |meta: &[(&str, &str)]| call("start", meta).attribute_node().map(str::to_owned);
    let inside = [("on_node", "bun-0"), ("physical_host", "node2")];
    let with = |target: &'static str| {
        node(&[inside[0], inside[1], ("container_attribute_target", target)])
    };
    assert_eq!(with("host").as_deref(), Some("node2"));
    assert_eq!(with("").as_deref(), Some("bun-0"));
    assert_eq!(with("remote").as_deref(), Some("bun-0"));
    assert_eq!(node(&inside).as_deref(), Some("bun-0"));
    let no_host = [inside[0], ("container_attribute_target", "host")];
    assert_eq!(node(&no_host).as_deref(), Some("bun-0"), "host unknown");
    assert_eq!(node(&[]), None);
}
