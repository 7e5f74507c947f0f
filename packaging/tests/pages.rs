// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The manual pages made from the checked-in descriptions are the checked-in pages, and man finds
//! nothing odd in them. `make manual` writes them anew.

use ocf_metadata::reader::{self, Document};
use packaging::agent::find_differences;
use packaging::page::{SECTION, page};
use packaging::tool;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Provider and description of every agent that has a golden description.
fn agents() -> Outcome<Vec<(String, Document)>> {
    let mut agents = Vec::new();
    for entry in fs::read_dir(repository("metadata/golden"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (provider, _) = name.split_once('-').ok_or("not provider-Type.xml")?;
        agents.push((provider.to_owned(), reader::read(&fs::read(&path)?)?));
    }
    assert!(!agents.is_empty(), "no golden description was found");
    Ok(agents)
}

fn golden(provider: &str, agent: &Document) -> PathBuf {
    repository("packaging/man").join(format!("ocf_{provider}_{}.7", agent.name))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn the_pages_are_what_the_descriptions_give() -> Outcome {
    for (provider, agent) in agents()? {
        let found = find_differences(&repository(""), &provider, &agent.name)?;
        let (place, _) = found.ok_or("an agent of ours without DIFFERENCES.md")?;
        let made = page(&provider, &agent, Some(&format!("/{place}")));
        let file = golden(&provider, &agent);
        if std::env::var_os("OCF_BLESS").is_some() {
            fs::write(&file, &made)?;
        }
        let there = fs::read_to_string(&file).unwrap_or_default();
        assert!(there == made, "{} isn't what the description gives: make manual", file.display());
    }
    Ok(())
}

/// What man shows, without overstriking, as one line of words.
fn shown(file: &Path) -> Outcome<String> {
    let options = ["--warnings=w", "--no-hyphenation", "--no-justification", "--local-file"];
    let arguments = options.iter().map(AsRef::as_ref).chain([file.as_os_str()]).collect::<Vec<_>>();
    let variables = [("MANWIDTH", "200"), ("MAN_KEEP_FORMATTING", "")];
    let text = tool::output(Path::new("man"), &arguments, Path::new("/"), &variables)?;
    Ok(words(&String::from_utf8(text)?))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn man_shows_every_parameter_action_and_word() -> Outcome {
    for (provider, agent) in agents()? {
        let shown = shown(&golden(&provider, &agent))?;
        let spec = format!("ocf:{provider}:{}", agent.name);
        let mut wanted = vec![agent.short.clone(), words(&agent.long), spec];
        for parameter in &agent.parameters {
            // Of a choice the page names what there is to choose from.
            let kind = match parameter.kind.as_str() {
                "select" => format!("one of {}", parameter.options.join(", ")),
                kind => kind.to_owned(),
            };
            wanted.push(format!("{} ({kind}", parameter.name));
            wanted.push(words(&parameter.long));
            let default = parameter.default.as_deref().filter(|text| !text.is_empty());
            wanted.extend(default.map(|text| format!("default {text}")));
        }
        for action in &agent.actions {
            let timeout = action.timeout.ok_or("an action without a timeout")?.as_secs();
            wanted.push(format!("{} timeout {timeout}s", action.name));
        }
        for text in wanted {
            assert!(shown.contains(&text), "{provider}:{}: {text:?} is not in {shown}", agent.name);
        }
    }
    Ok(())
}

/// Where man finds the page of a name, in a tree of pages.
fn found(tree: &Path, words: &[&str]) -> Outcome<PathBuf> {
    let path = format!("--manpath={}", tree.display());
    let arguments = [&[path.as_str(), "--where"], words].concat();
    let text = tool::output(Path::new("man"), &arguments, Path::new("/"), &[])?;
    Ok(PathBuf::from(String::from_utf8(text)?.trim()))
}

#[test]
fn man_finds_our_page_unless_another_has_the_plain_name() -> Outcome {
    let tree = std::env::temp_dir().join(format!("ocf-pages-{}", std::process::id()));
    let (name, pages) = ("ocf_heartbeat_Dummy", tree.join("man7"));
    fs::create_dir_all(&pages)?;
    let place = |end: &str| pages.join(format!("{name}.{end}"));
    fs::copy(repository("packaging/man").join(format!("{name}.7")), place(SECTION))?;
    let alone = found(&tree, &[name])?;
    fs::copy(place(SECTION), place("7"))?;
    let beside = found(&tree, &[name])?;
    // As ocf-agents-names and ocf-agents-standalone leave it.
    fs::rename(place("7"), place("7debian"))?;
    symlink(format!("{name}.{SECTION}"), place("7"))?;
    let (taken, aside) = (found(&tree, &[name])?, found(&tree, &["7debian", name])?);
    fs::remove_dir_all(&tree)?;
    assert_eq!(alone, place(SECTION));
    assert_eq!(beside, place("7"));
    assert!(taken == place(SECTION) || taken == place("7"), "{}", taken.display());
    assert_eq!(aside, place("7debian"));
    Ok(())
}

const EVERYTHING: &str = r#"<resource-agent name="Odd" version="1"><version>1.1</version>
<longdesc lang="en">.TH first
'quoted' back\slash -dash

Second paragraph.</longdesc><shortdesc lang="en">Odd 'things'</shortdesc><parameters>
<parameter name="ip" required="1" unique-group="address"><longdesc lang="en">Long.</longdesc>
<shortdesc lang="en">Short</shortdesc><content type="string"/></parameter>
<parameter name="port" unique-group="address"><longdesc lang="en">Long.</longdesc>
<shortdesc lang="en">Short</shortdesc><content type="integer" default="80"/></parameter>
<parameter name="old"><deprecated><replaced-with name="ip"/></deprecated><longdesc lang="en">Long.</longdesc>
<shortdesc lang="en">Short</shortdesc><content type="string"/></parameter>
<parameter name="kind"><longdesc lang="en">Long.</longdesc><shortdesc lang="en">Short</shortdesc>
<content type="select" default="a"><option value="a"/><option value="b"/></content></parameter></parameters>
<actions><action name="start" timeout="500ms"/><action name="monitor" timeout="20s" interval="10s" role="Promoted" depth="10"/>
</actions></resource-agent>"#;

#[test]
fn text_that_means_something_to_roff_is_shown_as_it_is() -> Outcome {
    let agent = reader::read(EVERYTHING.as_bytes())?;
    let file = std::env::temp_dir().join(format!("ocf_test_Odd.{}.7", std::process::id()));
    fs::write(&file, page("test", &agent, None))?;
    let shown = shown(&file);
    fs::remove_file(&file)?;
    let shown = shown?;
    for text in [
        ".TH first 'quoted' back\\slash -dash",
        "Second paragraph.",
        "ocf_test_Odd - Odd 'things'",
        "ip (string, required, unique together with others of group address) Short. Long.",
        "port (integer, default 80, unique together",
        "old (string, deprecated) Short. Long. Use ip instead.",
        "kind (one of a, b, default a)",
        "start timeout 500ms",
        "monitor timeout 20s, interval 10s, role Promoted, OCF_CHECK_LEVEL=10",
        "pcs resource create name ocf:test:Odd ip=VALUE",
        "params ip=VALUE \\ op monitor interval=10s timeout=20s role=Promoted OCF_CHECK_LEVEL=10",
    ] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    assert!(!shown.contains("promotable"), "{shown}");
    Ok(())
}
