// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which Debian mirror this machine uses, and how.
//!
//! No mirror is named in this project: the machine's own apt sources say where packages come
//! from, and apt's own settings (proxy, certificates, dates) how they are fetched.

use crate::process::{Invocation, Output, Runner};
use crate::{Error, Result};
use std::path::Path;

/// What every tool says on ENOSPC, in the lab's fixed locale.
const NO_SPACE: &str = "No space left on device";

/// One source of binary packages, as apt's files declare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Base address; as it stands, `mirror+file:` resolved.
    pub uri: String,
    /// Suites, such as `bookworm` or `bookworm-security`.
    pub suites: Vec<String>,
    /// Components, such as `main`.
    pub components: Vec<String>,
    /// Keyring file, if one is named.
    pub keyring: Option<String>,
}

/// Where a Debian release and its security updates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The release itself.
    pub main: Source,
    /// Its security updates, if this machine uses them.
    pub security: Option<Source>,
}

impl Mirror {
    /// Reads this machine's apt sources.
    ///
    /// # Errors
    /// None of them is a Debian archive.
    pub fn of_this_host() -> Result<Self> {
        let mut files = vec!["/etc/apt/sources.list".into()];
        if let Ok(dir) = std::fs::read_dir("/etc/apt/sources.list.d") {
            files.extend(dir.flatten().map(|entry| entry.path()));
        }
        files.sort();
        let mut sources = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            match file.extension().and_then(|e| e.to_str()) {
                Some("sources") => sources.extend(parse_deb822(&text)),
                Some("list") => sources.extend(parse_one_line(&text)),
                _ => {}
            }
        }
        Self::pick(sources.into_iter().map(resolve).collect()).ok_or_else(|| {
            Error::new(
                "no Debian mirror found in /etc/apt/sources.list or /etc/apt/sources.list.d: \
                 the lab makes its image from the mirror this machine uses",
            )
        })
    }

    fn pick(sources: Vec<Source>) -> Option<Self> {
        let has_main = |source: &Source| source.components.iter().any(|c| c == "main");
        let security = |source: &Source| source.suites.iter().any(|s| s.ends_with("-security"));
        // The archive is known by its update suite or a Debian code name, so that a third party's
        // repository with a component "main" is not taken for it.
        let archive = |source: &Source| {
            source.suites.iter().any(|s| {
                let name = s.strip_suffix("-updates").unwrap_or(s);
                ["bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable"]
                    .contains(&name)
            })
        };
        let pick = |wanted: &dyn Fn(&Source) -> bool| {
            let debian = |s: &&Source| has_main(s) && wanted(s) && s.uri.contains("debian");
            sources.iter().find(debian).or(sources.iter().find(|s| has_main(s) && wanted(s)))
        };
        Some(Self {
            main: pick(&|s| archive(s) && !security(s)).or_else(|| pick(&archive))?.clone(),
            security: pick(&security).cloned(),
        })
    }

    /// The `sources.list` for a container with this release, keyrings at `keyring_dir`.
    #[must_use]
    pub fn sources_list(&self, release: &str, keyring_dir: &str) -> String {
        let line = |source: &Source, suite: &str| {
            let name = source.keyring.as_deref().and_then(|k| Path::new(k).file_name());
            let signed = name.map_or(String::new(), |name| {
                format!("[signed-by={keyring_dir}/{}] ", name.to_string_lossy())
            });
            format!("deb {signed}{} {suite} main\n", source.uri)
        };
        let mut text = line(&self.main, release);
        if self.main.suites.iter().any(|suite| suite.ends_with("-updates")) {
            text += &line(&self.main, &format!("{release}-updates"));
        }
        if let Some(security) = &self.security {
            text += &line(security, &format!("{release}-security"));
        }
        text
    }

    /// What to say of a tool that fetched from here and failed: the tool, the mirror, the cause and
    /// the remedy.
    #[must_use]
    pub fn failure(&self, tool: &str, output: &Output) -> Error {
        // It is seldom the last thing that is said, and never the mirror's fault.
        let full = [&output.stderr, &output.stdout]
            .into_iter()
            .flat_map(|text| text.lines())
            .find(|line| line.contains(NO_SPACE));
        if let Some(line) = full {
            return Error::new(format!(
                "{tool} failed: {}; make room on that file system, then run the lab again",
                line.trim()
            ));
        }
        Error::new(format!(
            "{tool} failed: {}; packages come from {}, the mirror in this host's apt sources: see \
             that it answers ('apt-get update'), or name another one in /etc/apt/sources.list or \
             /etc/apt/sources.list.d",
            output.complaint(),
            without_credentials(&self.main.uri)
        ))
    }

    /// The keyring files that the sources name.
    pub fn keyrings(&self) -> impl Iterator<Item = &str> {
        let security = self.security.as_ref().and_then(|s| s.keyring.as_deref());
        self.main.keyring.as_deref().into_iter().chain(security)
    }
}

/// This machine's settings for fetching packages, in apt's own syntax.
///
/// Only what fetches: the hooks and paths of the host mean nothing in a container.
///
/// # Errors
/// `apt-config` is not here or fails.
pub fn fetch_settings(runner: &Runner) -> Result<String> {
    let dump = runner.run_ok(&Invocation::new("apt-config").args(["dump"]))?.stdout;
    Ok(dump
        .lines()
        .filter(|line| is_fetch_setting(line))
        .fold(String::new(), |text, line| text + line + "\n"))
}

fn is_fetch_setting(line: &str) -> bool {
    // A script that finds the proxy lives on the host and cannot be run elsewhere.
    let fetches =
        line.starts_with("Acquire::") && !line.to_ascii_lowercase().contains("auto-detect");
    fetches && !line.starts_with("Acquire::IndexTargets")
}

/// A mirror's address, fit to be printed: it may carry a name and a password.
fn without_credentials(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}/{path}")
}

fn resolve(mut source: Source) -> Source {
    // Cloud images name a file whose first line is the mirror.
    if let Some(file) = source.uri.strip_prefix("mirror+file:") {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let first =
            text.lines().find_map(|l| l.split_whitespace().next().filter(|w| !w.starts_with('#')));
        source.uri = first.unwrap_or_default().to_owned();
    }
    source.uri = source.uri.trim_end_matches('/').to_owned();
    source
}

fn parse_deb822(text: &str) -> Vec<Source> {
    let without_comments: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    without_comments.split(|line| line.trim().is_empty()).filter_map(parse_stanza).collect()
}

fn parse_stanza(lines: &[&str]) -> Option<Source> {
    let field = |name: &str| -> Vec<String> {
        let mut inside = false;
        let mut words = Vec::new();
        for line in lines {
            let value = if line.starts_with([' ', '\t']) {
                inside.then_some(*line)
            } else {
                let (key, value) = line.split_once(':').unwrap_or((line, ""));
                inside = key.eq_ignore_ascii_case(name);
                inside.then_some(value)
            };
            words.extend(value.into_iter().flat_map(str::split_whitespace).map(str::to_owned));
        }
        words
    };
    let disabled = field("Enabled").first().is_some_and(|word| word == "no");
    if disabled || !field("Types").iter().any(|t| t == "deb") {
        return None;
    }
    Some(Source {
        uri: field("URIs").into_iter().next()?,
        suites: field("Suites"),
        components: field("Components"),
        // A key written into the file itself is not a path.
        keyring: field("Signed-By").into_iter().next().filter(|k| k.starts_with('/')),
    })
}

fn parse_one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let mut rest = line.trim().strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let mut keyring = None;
    if let Some(inside) = rest.strip_prefix('[') {
        let (options, after) = inside.split_once(']')?;
        keyring = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        rest = after;
    }
    let mut words = rest.split('#').next()?.split_whitespace().map(str::to_owned);
    Some(Source {
        uri: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
        keyring: keyring.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB822: &str = "\
Types: deb deb-src
# an archive of the past
URIs: http://mirror.invalid/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://other.invalid/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://mirror.invalid/debian-security
Suites: bookworm-security
Components: main
";

    fn pick(sources: Vec<Source>) -> Mirror {
        Mirror::pick(sources.into_iter().map(resolve).collect()).expect("a mirror")
    }

    #[test]
    fn deb822_sources_are_read() {
        let mirror = pick(parse_deb822(DEB822));
        assert_eq!(mirror.main.uri, "http://mirror.invalid/debian");
        assert_eq!(
            mirror.sources_list("bookworm", "/keys"),
            "deb [signed-by=/keys/debian-archive-keyring.gpg] http://mirror.invalid/debian bookworm main\n\
             deb [signed-by=/keys/debian-archive-keyring.gpg] http://mirror.invalid/debian bookworm-updates main\n\
             deb http://mirror.invalid/debian-security bookworm-security main\n"
        );
    }

    #[test]
    fn one_line_sources_are_read() {
        let text = "# deb http://commented.invalid/debian bookworm main\n\
                    deb-src http://mirror.invalid/debian bookworm main\n\
                    deb [arch=amd64 signed-by=/k.gpg] http://mirror.invalid/debian bookworm main # ours\n";
        let mirror = pick(parse_one_line(text));
        assert_eq!(mirror.main.keyring.as_deref(), Some("/k.gpg"));
        assert_eq!(mirror.security, None);
        assert_eq!(
            mirror.sources_list("bookworm", "/keys"),
            "deb [signed-by=/keys/k.gpg] http://mirror.invalid/debian bookworm main\n"
        );
    }

    #[test]
    fn a_third_partys_repository_is_not_the_archive() {
        let text = "deb http://vendor.invalid/apt nodistro main\n\
                    deb http://mirror.invalid/debian trixie main\n";
        assert_eq!(pick(parse_one_line(text)).main.uri, "http://mirror.invalid/debian");
        assert_eq!(
            Mirror::pick(parse_one_line("deb http://vendor.invalid/apt stable other")),
            None
        );
    }

    fn failure(mirror: &str, stderr: &str) -> String {
        let mirror = pick(parse_one_line(&format!("deb {mirror} bookworm main\n")));
        let output = Output { code: 1, stderr: stderr.into(), ..Output::default() };
        mirror.failure("debootstrap on this host", &output).to_string()
    }

    #[test]
    fn a_mirror_that_does_not_answer_is_named_with_the_remedy() {
        // The first lab named setpriv, which starts debootstrap.
        let why = "E: Failed getting release file";
        let said = failure("http://mirror.invalid/debian", &format!("I: Retrieving\n{why}\n"));
        let start = "debootstrap on this host failed: E: Failed getting release file; packages \
                     come from http://mirror.invalid/debian, the mirror in this host's apt sources";
        assert!(said.starts_with(start) && said.contains("/etc/apt/sources.list"), "{said}");
    }

    #[test]
    fn a_mirrors_password_is_not_shown() {
        let said = failure("https://me:secret@mirror.invalid/debian", "E: 401\n");
        assert!(
            said.contains("https://mirror.invalid/debian") && !said.contains("secret"),
            "{said}"
        );
    }

    #[test]
    fn a_full_disk_is_not_blamed_on_the_mirror() {
        let cause = "dpkg: error: cannot copy data: No space left on device";
        let said = failure("http://mirror.invalid/debian", &format!("{cause}\nE: dpkg (1)\n"));
        assert!(said.contains(cause) && said.contains("make room"), "{said}");
        assert!(!said.contains("mirror.invalid"), "{said}");
    }

    #[test]
    fn hooks_and_finders_of_the_host_stay_on_the_host() {
        assert!(is_fetch_setting("Acquire::http::Proxy \"http://proxy.invalid:3128\";"));
        assert!(!is_fetch_setting("Acquire::http::Proxy-Auto-Detect \"/usr/bin/find-proxy\";"));
        assert!(!is_fetch_setting("DPkg::Post-Invoke:: \"something\";"));
    }
}
