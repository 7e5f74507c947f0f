// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The three packages: what is in each, and how it is named there.

use crate::agent::{self, Agent, RESOURCED};
use crate::page::{self, SECTION};
use crate::release::{MAINTAINER, Release};
use crate::tree::Tree;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Our provider, the directory of the binaries, and the first package.
const OWN: &str = "ocf-agents";
/// The binaries are here, and every name of an agent is a link to one of them.
const BINARIES: &str = "usr/lib/ocf-agents";
const PAGES: &str = "usr/share/man/man7";

/// Agents that Debian's package `pacemaker` itself has. No package of ours can conflict with that one,
/// so these names are always taken by diversion, never shipped.
const OF_PACEMAKER: [&str; 3] = ["pacemaker/controld", "pacemaker/o2cb", "pacemaker/remote"];
/// Pacemaker has this one built in under one provider's name; under another it is nothing.
const BUILT_IN: &str = "pacemaker/remote";

const NAMES_SCRIPT: &str = include_str!("../debian/names.sh");
const STANDALONE_ADDITION: &str = include_str!("../debian/ocf-agents-standalone.sh");
const TARGET: &str = include_str!("../debian/resource-agents-deps.target");

/// Builds the three packages into a directory, and gives the names of their files.
///
/// # Errors
/// A sentence about what is missing or can't be written.
pub fn build_all(
    stage: &Path,
    source: &Path,
    output: &Path,
    release: &Release,
) -> Result<Vec<String>> {
    let agents = agent::find_all(stage)?;
    fs::create_dir_all(output).map_err(|error| Error::file("make", output, error))?;
    let output = fs::canonicalize(output).map_err(|error| Error::file("find", output, error))?;
    clear(&output)?;
    let build = Build { stage, source, release, agents: &agents, work: output.join("work") };
    let trees = [
        (build.agents()?, OWN),
        (build.names()?, "ocf-agents-names"),
        (build.standalone()?, "ocf-agents-standalone"),
    ];
    let names = trees
        .iter()
        .map(|(tree, name)| tree.build(&build.control(name), release, &output))
        .collect::<Result<Vec<_>>>()?;
    fs::remove_dir_all(&build.work).map_err(|error| Error::file("remove", &build.work, error))?;
    Ok(names)
}

/// Removes packages of an earlier build: who installs `*.deb` must not meet two versions.
fn clear(output: &Path) -> Result<()> {
    let entries = fs::read_dir(output).map_err(|error| Error::file("read", output, error))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_some_and(|extension| extension == "deb") {
            fs::remove_file(&path).map_err(|error| Error::file("remove", &path, error))?;
        }
    }
    Ok(())
}

struct Build<'a> {
    stage: &'a Path,
    source: &'a Path,
    release: &'a Release,
    agents: &'a [Agent],
    work: PathBuf,
}

impl Build<'_> {
    fn agents(&self) -> Result<Tree> {
        let tree = self.tree(OWN)?;
        for agent in self.agents {
            let path = agent.path();
            tree.copy(&format!("{BINARIES}/{path}"), 0o755, &agent.file)?;
            let found = agent::find_differences(self.source, &agent.provider, &agent.kind)?;
            if let Some((place, file)) = &found {
                tree.copy(place, 0o644, file)?;
            }
            let told = found.map(|(place, _)| format!("/{place}"));
            let text = page::page(&agent.provider, &agent.description, told.as_deref());
            tree.gzip(&format!("{PAGES}/{}.{SECTION}", agent.page()), text)?;
        }
        for (kind, agent) in self.own_names() {
            tree.link(
                &format!("{RESOURCED}/{OWN}/{kind}"),
                &format!("../../../ocf-agents/{}", agent.path()),
            )?;
            let page = format!("{PAGES}/ocf_{OWN}_{kind}.7.gz");
            tree.link(&page, &format!("{}.{SECTION}.gz", agent.page()))?;
        }
        self.tester(&tree)?;
        let debian = self.source.join("packaging/debian");
        tree.copy(
            "usr/lib/tmpfiles.d/ocf-agents.conf",
            0o644,
            &debian.join("ocf-agents.tmpfiles"),
        )?;
        tree.copy("DEBIAN/postinst", 0o755, &debian.join("ocf-agents.postinst"))?;
        let changes = self.read("CHANGELOG.md")?;
        tree.gzip(&format!("usr/share/doc/{OWN}/changelog"), changes)?;
        Ok(tree)
    }

    fn names(&self) -> Result<Tree> {
        let name = "ocf-agents-names";
        let tree = self.tree(name)?;
        // Without resource-agents the directories have to come from here.
        for agent in self.agents {
            tree.directory(&format!("{RESOURCED}/{}", agent.provider))?;
        }
        self.scripts(&tree, name, "", |_| true)?;
        Ok(tree)
    }

    fn standalone(&self) -> Result<Tree> {
        let name = "ocf-agents-standalone";
        let tree = self.tree(name)?;
        let is_diverted = |agent: &Agent| OF_PACEMAKER.contains(&agent.path().as_str());
        for agent in self.agents.iter().filter(|agent| !is_diverted(agent)) {
            let path = agent.path();
            tree.link(&format!("{RESOURCED}/{path}"), &format!("../../../ocf-agents/{path}"))?;
            let page = agent.page();
            tree.link(&format!("{PAGES}/{page}.7.gz"), &format!("{page}.{SECTION}.gz"))?;
        }
        tree.file("usr/lib/systemd/system/resource-agents-deps.target", 0o644, TARGET)?;
        tree.file(&format!("usr/share/{name}/resource-agents-deps.target"), 0o644, TARGET)?;
        self.scripts(&tree, name, STANDALONE_ADDITION, is_diverted)?;
        Ok(tree)
    }

    /// A tree with what every package has.
    fn tree(&self, name: &str) -> Result<Tree> {
        let tree = Tree::new(&self.work.join(name))?;
        let doc = format!("usr/share/doc/{name}");
        let licence = self.read("LICENSE-MIT")?;
        let copyright = include_str!("../debian/copyright");
        tree.file(
            &format!("{doc}/copyright"),
            0o644,
            format!("{copyright}{}", indented(&licence)),
        )?;
        let Release { version, written_date, .. } = self.release;
        let changelog = format!(
            "ocf-agents ({version}) unstable; urgency=medium\n\n  \
             * See /usr/share/doc/{OWN}/changelog.gz.\n\n -- {MAINTAINER}  {written_date}\n"
        );
        tree.gzip(&format!("{doc}/changelog.Debian"), changelog)?;
        let overrides = include_str!("../debian/lintian-overrides").replace("@PACKAGE@", name);
        tree.file(&format!("usr/share/lintian/overrides/{name}"), 0o644, overrides)?;
        Ok(tree)
    }

    fn tester(&self, tree: &Tree) -> Result<()> {
        let staged = |path: &str| self.stage.join(path);
        tree.copy("usr/bin/ocf-tester", 0o755, &staged("usr/bin/ocf-tester"))?;
        let manual = "usr/share/man/man1/ocf-tester.1";
        let text = fs::read(staged(manual));
        let text = text.map_err(|error| Error::file("read", &staged(manual), error))?;
        tree.gzip(manual, text)?;
        for completion in [
            "usr/share/bash-completion/completions/ocf-tester",
            "usr/share/zsh/vendor-completions/_ocf-tester",
            "usr/share/fish/vendor_completions.d/ocf-tester.fish",
        ] {
            tree.copy(completion, 0o644, &staged(completion))?;
        }
        Ok(())
    }

    /// One agent for every type, under our own provider: heartbeat's where two providers have it.
    fn own_names(&self) -> BTreeMap<&str, &Agent> {
        // In the order of providers; the first one stays.
        let mut names = BTreeMap::new();
        for agent in self.agents.iter().filter(|agent| agent.path() != BUILT_IN) {
            names.entry(agent.kind.as_str()).or_insert(agent);
        }
        names
    }

    /// The scripts that take and give back the names of some agents.
    fn scripts(
        &self,
        tree: &Tree,
        package: &str,
        addition: &str,
        is_taken: impl Fn(&Agent) -> bool,
    ) -> Result<()> {
        let rows: Vec<String> =
            self.agents.iter().filter(|agent| is_taken(agent)).flat_map(rows).collect();
        for script in ["postinst", "prerm", "postrm"] {
            let text = format!("{NAMES_SCRIPT}{addition}")
                .replace("@PACKAGE@", package)
                .replace("@SCRIPT@", script)
                .replace("@NAMES@", &rows.join("\n"));
            tree.file(&format!("DEBIAN/{script}"), 0o755, text)?;
        }
        Ok(())
    }

    fn control(&self, name: &str) -> String {
        let text = match name {
            OWN => include_str!("../debian/ocf-agents.control"),
            "ocf-agents-names" => include_str!("../debian/ocf-agents-names.control"),
            _ => include_str!("../debian/ocf-agents-standalone.control"),
        };
        let agents: Vec<String> = self.agents.iter().map(line).collect();
        text.replace("@VERSION@", &self.release.version)
            .replace("@ARCHITECTURE@", self.release.architecture)
            .replace("@MAINTAINER@", MAINTAINER)
            .replace("@AGENTS@", &agents.join("\n"))
    }

    fn read(&self, path: &str) -> Result<String> {
        let file = self.source.join(path);
        fs::read_to_string(&file).map_err(|error| Error::file("read", &file, error))
    }
}

/// The names of an agent for the script: the agent's own and its manual page's.
fn rows(agent: &Agent) -> [String; 2] {
    let (path, page) = (agent.path(), agent.page());
    let (directory, kind) = (format!("/{RESOURCED}/{}", agent.provider), &agent.kind);
    [
        format!("{directory}/{kind} ../../../ocf-agents/{path} {directory}/.{kind}.debian"),
        format!("/{PAGES}/{page}.7.gz {page}.{SECTION}.gz /{PAGES}/{page}.7debian.gz"),
    ]
}

/// A line of a package's description.
fn line(agent: &Agent) -> String {
    let line = format!("  ocf:{}:{}: {}", agent.provider, agent.kind, agent.description.short);
    match line.char_indices().nth(78) {
        Some((end, _)) => format!("{}..", line.get(..end).unwrap_or(&line)),
        None => line,
    }
}

/// Text as the fields of copyright files have it.
fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") };
    text.trim().lines().map(line).collect()
}
