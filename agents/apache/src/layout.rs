// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where distributions put a server: its program, its configuration and its compiled-in root.

use ocf::command::find_program;
use ocf::{Context, Error, Result};
use std::path::{Path, PathBuf};

/// The server's program, by the names that distributions give it; the first that is there counts.
const PROGRAMS: &[&str] = &[
    "/sbin/httpd2",
    "/usr/sbin/httpd2",
    "/usr/sbin/apache2",
    "/sbin/httpd",
    "/usr/sbin/httpd",
    "/usr/sbin/apache",
    "/opt/IBMHTTPServer/bin/httpd",
    // Where a SUSE host has no link `httpd2`, the name says which processing module is built in.
    "/usr/sbin/httpd-prefork",
    "/usr/sbin/httpd-worker",
    "/usr/sbin/httpd-event",
    "/usr/sbin/httpd2-prefork",
    "/usr/sbin/httpd2-worker",
    "/usr/sbin/httpd2-event",
];

/// SUSE's own configuration.
pub(crate) const SUSE: &str = "/etc/apache2/httpd.conf";
const DEBIAN: &str = "/etc/apache2/apache2.conf";
const RED_HAT: &str = "/etc/httpd/conf/httpd.conf";

/// The programs that may be meant: the one that the parameter `httpd` names, and the distributions'.
pub(crate) fn programs(httpd: Option<&Path>) -> Vec<PathBuf> {
    let wanted = httpd.into_iter().filter(|name| name.is_absolute());
    wanted.chain(PROGRAMS.iter().map(Path::new)).map(Path::to_owned).collect()
}

/// Whether a program is a distribution's own, so that what was compiled in is known. What is elsewhere may be
/// called the same, and be anything.
pub(crate) fn is_distributions(program: &Path) -> bool {
    program.parent().is_some_and(|directory| directory.ends_with("sbin"))
        && PROGRAMS.iter().any(|known| Path::new(known) == program)
}

/// Which server is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Its program; `None` where this host has none.
    pub(crate) program: Option<PathBuf>,
    /// Its main configuration file, whether it is there or not.
    pub(crate) configuration: PathBuf,
    wanted: Option<PathBuf>,
}

impl Layout {
    /// Of the parameters `httpd` and `configfile`, and of this host where they say nothing of use.
    pub(crate) fn find(context: &Context, httpd: Option<&Path>, configfile: Option<&Path>) -> Self {
        let wanted = httpd.map(Path::to_owned);
        let program = programs(httpd).iter().find_map(|name| find_program(context, name));
        let configuration = configfile.map_or_else(default_configuration, Path::to_owned);
        Self { program, configuration, wanted }
    }

    /// The program.
    ///
    /// # Errors
    /// `installed` (5): there is none on this host.
    pub(crate) fn program(&self) -> Result<&Path> {
        let wanted = self.wanted.as_ref().map(|wanted| format!("{} or ", wanted.display()));
        self.program.as_deref().ok_or_else(|| {
            Error::installed(format!(
                "no program {}apache2, httpd or httpd2 here: install the web server",
                wanted.unwrap_or_default()
            ))
        })
    }

    /// The program that runs instead of the one that the parameter names, for a line in the log.
    pub(crate) fn substitute(&self) -> Option<(&Path, &Path)> {
        let (wanted, program) = (self.wanted.as_deref()?, self.program.as_deref()?);
        (wanted != program).then_some((wanted, program))
    }
}

/// The distribution's own configuration file.
fn default_configuration() -> PathBuf {
    let is_there = |name: &&str| Path::new(name).exists();
    [SUSE, DEBIAN].into_iter().find(is_there).unwrap_or(RED_HAT).into()
}

/// The configurations that a server may have that runs with the distribution's own: one may have come or gone
/// since. Where none is left, whichever it may have been.
pub(crate) fn default_configurations() -> Vec<PathBuf> {
    let is_there = |name: &str| Path::new(name).exists();
    let all: &[&str] = match [SUSE, DEBIAN].into_iter().any(is_there) {
        true => &[SUSE, DEBIAN],
        false if is_there(RED_HAT) => &[RED_HAT],
        false => &[SUSE, DEBIAN, RED_HAT],
    };
    all.iter().map(PathBuf::from).collect()
}

/// The root that is compiled into the server that a configuration is for, as far as the distributions'
/// habits tell: the server itself isn't asked here.
pub(crate) fn compiled_root(configuration: &Path) -> PathBuf {
    let root = if configuration.starts_with("/etc/httpd") {
        "/etc/httpd"
    } else if configuration.starts_with("/opt/IBMHTTPServer") {
        "/opt/IBMHTTPServer"
    } else if configuration == Path::new(SUSE) {
        "/srv/www"
    } else {
        // The first of the programs decides, as it does where none is named.
        let program = PROGRAMS.iter().find(|name| Path::new(name).exists());
        match program.copied() {
            Some("/usr/sbin/apache2") => "/etc/apache2",
            Some("/sbin/httpd" | "/usr/sbin/httpd") => "/etc/httpd",
            Some("/opt/IBMHTTPServer/bin/httpd") => "/opt/IBMHTTPServer",
            Some("/usr/sbin/apache") => "/usr/local/apache2",
            Some(_) => "/srv/www",
            None => "/etc/apache2",
        }
    };
    root.into()
}
