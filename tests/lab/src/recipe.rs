// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the lab's images hold. The tag carries a hash of everything that decides the content, so
//! a changed recipe is a new image and an unchanged one is found again.

use crate::release::Release;

/// An image of the lab's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The smallest Debian; the others stand on it.
    Base(Release),
    /// Debian's Pacemaker, its shells, an Engine, and Debian's shell agents: beside these our agents
    /// are judged.
    Peers(Release),
    /// A cluster node on our packages, with an Engine of its own and not one shell agent.
    Node(Release),
    /// A Pacemaker Remote host on our packages.
    Remote(Release),
    /// An Engine, Debian's shell agents, and what containers are made of in the tests of our agent.
    Engine(Release),
    /// What runs in the containers of a bundle: Pacemaker Remote and Apache, on our packages.
    Bundle(Release),
    /// The same with Debian's shell agents.
    ShellBundle(Release),
}

/// To be raised when a step of the build changes what ends up in an image.
const STEPS: u32 = 4;

/// What people look into a host with.
const TOOLS: [&str; 6] =
    ["procps", "psmisc", "iproute2", "iputils-ping", "less", "systemd-standalone-tmpfiles"];

/// Everything of a cluster node but the agents.
const CLUSTER: [&str; 5] = ["pacemaker", "corosync", "pcs", "crmsh", "pacemaker-cli-utils"];

/// An Engine of the node's own.
const ENGINE: [&str; 2] = ["docker.io", "iptables"];

/// The shell agents; the programs that are put into containers (pacemaker-remoted is the first
/// process of every bundle); what makes an Engine slow and its files immovable; and its certificates.
const INSIDE: [&str; 7] = [
    "resource-agents",
    "busybox-static",
    "pacemaker-remote",
    "tini",
    "strace",
    "e2fsprogs",
    "openssl",
];

/// Debian's agents and what they run: upstream's ocf-tester needs libxml2-utils; the agent ping,
/// iputils-ping; IPaddr2, arping; apache, a client of HTTP, of which either is asked in its own way.
const SHELL_AGENTS: [&str; 6] =
    ["resource-agents", "libxml2-utils", "strace", "iputils-arping", "curl", "wget"];

/// A web server, and what makes certificates for it.
const SERVER: [&str; 2] = ["apache2", "openssl"];

/// A web server under Pacemaker Remote; an agent with roles sets its scores by `crm_attribute`.
const WEB: [&str; 3] = ["pacemaker-remote", "pacemaker-cli-utils", "apache2"];

/// The shell agents for that, and what they ask it with.
const SHELL_WEB: [&str; 3] = ["resource-agents", "wget", "procps"];

impl Kind {
    /// The release it is made of.
    #[must_use]
    pub fn release(self) -> Release {
        match self {
            Self::Base(release)
            | Self::Peers(release)
            | Self::Node(release)
            | Self::Remote(release)
            | Self::Engine(release)
            | Self::Bundle(release)
            | Self::ShellBundle(release) => release,
        }
    }

    /// What it has beyond the smallest Debian.
    #[must_use]
    pub fn packages(self) -> Vec<&'static str> {
        let more: &[&[&str]] = match self {
            Self::Base(_) => &[],
            Self::Peers(release) => {
                &[&CLUSTER, &TOOLS, &ENGINE, client(release), &SHELL_AGENTS, &SERVER]
            }
            Self::Node(release) => &[&CLUSTER, &TOOLS, &ENGINE, client(release), &SERVER],
            Self::Remote(_) => &[&["pacemaker-remote", "pacemaker-cli-utils"], &TOOLS],
            Self::Engine(release) => &[&TOOLS, &ENGINE, client(release), &INSIDE],
            Self::Bundle(_) => &[&WEB],
            Self::ShellBundle(_) => &[&WEB, &SHELL_WEB],
        };
        more.concat()
    }

    /// Files that are written into it when its packages are in: path and content.
    #[must_use]
    pub fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Bundle(_) | Self::ShellBundle(_) => &[("/etc/httpd/conf/httpd.conf", HTTPD_CONF)],
            _ => &[],
        }
    }

    /// Whether our own packages are in it, in the place of the shell agents.
    #[must_use]
    pub fn has_our_packages(self) -> bool {
        matches!(self, Self::Node(_) | Self::Remote(_) | Self::Bundle(_))
    }

    /// How its making is announced.
    #[must_use]
    pub fn title(self) -> String {
        let debian = self.release().title();
        match self {
            Self::Base(_) => format!("the base system of {debian}"),
            Self::Peers(_) => format!("an image of {debian}'s Pacemaker and shell agents"),
            Self::Node(_) => format!("an image of a {debian} cluster node"),
            Self::Remote(_) => format!("an image of a {debian} host for Pacemaker Remote"),
            Self::Engine(_) => format!("an image of {debian}'s Engine and shell agents"),
            Self::Bundle(_) => format!("an image of a bundle's containers, {debian}"),
            Self::ShellBundle(_) => {
                format!("an image of a bundle's containers with shell agents, {debian}")
            }
        }
    }

    /// Room its making takes on the Engine's disk, in megabytes, the base's not counted.
    #[must_use]
    pub fn megabytes(self) -> u64 {
        match self {
            Self::Base(_) => 300,
            Self::Peers(_) => 1200,
            Self::Node(_) => 1100,
            Self::Remote(_) | Self::Bundle(_) | Self::ShellBundle(_) => 500,
            Self::Engine(_) => 900,
        }
    }

    /// The image's name without its tag.
    #[must_use]
    pub fn repository(self) -> String {
        let kind = match self {
            Self::Base(_) => "base",
            Self::Peers(_) => "peers",
            Self::Node(_) => "node",
            Self::Remote(_) => "remote",
            Self::Engine(_) => "engine",
            Self::Bundle(_) => "bundle",
            Self::ShellBundle(_) => "shell-bundle",
        };
        format!("ocf-agents-lab/{kind}-{}", self.release().code_name())
    }

    /// The image's name and tag, our own packages aside.
    #[must_use]
    pub fn tag(self) -> String {
        let release = self.release().code_name();
        let packages = self.packages().join(" ");
        let mut recipe = format!("{release} {STEPS} {} {packages}", std::env::consts::ARCH);
        self.files().iter().for_each(|(path, text)| recipe += &format!(" {path} {text}"));
        format!("{}:{:016x}", self.repository(), fnv1a(&[recipe.as_bytes()]))
    }
}

/// The Engine's client, where it is in a package of its own.
fn client(release: Release) -> &'static [&'static str] {
    match release {
        Release::Bookworm => &[],
        Release::Trixie => &["docker-cli"],
    }
}

/// A web server where the vendors' manuals have it: its logs are in /etc/httpd/logs, because Pacemaker
/// mounts a directory of its own over /var/log.
const HTTPD_CONF: &str = "\
ServerRoot /etc/httpd
ServerName bundle
Listen 80
PidFile /run/httpd.pid
ErrorLog /etc/httpd/logs/error_log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
DocumentRoot /var/www/html
DirectoryIndex index.html
<Location /server-status>
SetHandler server-status
Require local
</Location>
";

/// FNV-1a, 64 bit, over all parts: a hash that is the same in every build, unlike the standard
/// library's.
#[must_use]
pub fn fnv1a(parts: &[&[u8]]) -> u64 {
    parts.iter().flat_map(|part| part.iter()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // The published test vector for "foobar".
        assert_eq!(fnv1a(&[b"foo", b"bar"]), 0x85944171f73967e8);
    }

    #[test]
    fn no_two_images_have_one_tag_and_no_node_has_shell_agents() {
        let kinds = [
            Kind::Base(Release::Bookworm),
            Kind::Base(Release::Trixie),
            Kind::Peers(Release::Bookworm),
            Kind::Peers(Release::Trixie),
            Kind::Node(Release::Bookworm),
            Kind::Node(Release::Trixie),
            Kind::Remote(Release::Bookworm),
            Kind::Engine(Release::Bookworm),
            Kind::Engine(Release::Trixie),
            Kind::Bundle(Release::Bookworm),
            Kind::Bundle(Release::Trixie),
            Kind::ShellBundle(Release::Bookworm),
            Kind::ShellBundle(Release::Trixie),
        ];
        let tags: std::collections::BTreeSet<_> = kinds.iter().map(|kind| kind.tag()).collect();
        assert_eq!(tags.len(), kinds.len());
        for kind in kinds.into_iter().filter(|kind| kind.has_our_packages()) {
            assert!(!kind.packages().contains(&"resource-agents"), "{kind:?}");
        }
    }
}
