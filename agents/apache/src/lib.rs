// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:apache`: an Apache web server.
//!
//! *Running* is a server process of this configuration that answers as it should: found by its pid file or
//! among all processes, and known by its program, its configuration and when it started, never by a pattern.
//! *Stopped* is when there is neither a server nor a worker that outlived one. All else is *failed*.

#[allow(dead_code, reason = "wired by the actions")]
mod config;
#[allow(dead_code, reason = "wired by the actions")]
mod envfile;
#[allow(dead_code, reason = "wired by the actions")]
mod expression;
#[allow(dead_code, reason = "wired by the actions")]
mod health;
#[allow(dead_code, reason = "wired by the actions")]
mod http;
mod invocation;
#[allow(dead_code, reason = "wired by the actions")]
mod layout;
mod monitor;
mod pidfile;
mod process;
mod record;
mod seam;
#[allow(dead_code, reason = "wired by the actions")]
mod server;
#[allow(dead_code, reason = "wired by the actions")]
mod settings;
mod site;
mod stop;
#[allow(dead_code, reason = "wired by the actions")]
mod target;
#[allow(dead_code, reason = "wired by the actions")]
mod words;

use ocf::process::Identity;
use ocf::{About, Action, Agent, Context, Result, State};
use site::Site;
use std::cell::RefCell;
use std::path::PathBuf;

ocf::parameters! {
    /// One server.
    #[derive(Debug)]
    pub struct Parameters {
        /// Configuration file
        ///
        /// The main configuration file. Unset, it is the one that the distribution's server reads:
        /// /etc/apache2/httpd.conf, /etc/apache2/apache2.conf or /etc/httpd/conf/httpd.conf, the first
        /// that is there.
        configfile: Option<PathBuf> => unique_group("configfile"),
        /// Server program
        ///
        /// The server's program. Where it is unset or can't be run, the first that is there of the
        /// names that distributions give it.
        httpd: Option<PathBuf>,
        /// Port of the status page
        ///
        /// The port that the status page is asked for on, where statusurl is unset. Unset, it is the
        /// first that the server listens on.
        port: Option<u16>,
        /// URL of the status page
        ///
        /// What every monitor asks for, http or https. Unset, it is the location of the server's
        /// status page as the configuration has it. It has to be this server that answers, so the URL
        /// is best one that means this host only.
        statusurl: Option<String> => reloadable(),
        /// What the status page matches
        ///
        /// An extended regular expression (grep -E), in which case doesn't count, that some line of the
        /// status page has to match. Unset, it is the end of an HTML page.
        testregex: Option<String> => reloadable(),
        /// HTTP client
        ///
        /// Accepted and unnecessary: the agent asks the server itself.
        client: String => default("").reloadable(),
        /// URL of the test
        ///
        /// What a monitor at check level 10 asks for: a URL, or what stands behind the server's address.
        testurl: Option<String> => reloadable(),
        /// What the test's page matches
        ///
        /// An extended regular expression, in which case doesn't count, that some line of testurl's page
        /// has to match.
        testregex10: Option<String> => reloadable(),
        /// File of tests
        ///
        /// A file that describes tests for check level 10 by the words test, url, match, user, password
        /// and end. A password needn't stand in the cluster's configuration then.
        testconffile: Option<PathBuf> => reloadable(),
        /// Name of the test
        ///
        /// The test of testconffile that is meant. Unset, it is the first.
        testname: Option<String> => reloadable(),
        /// Options of the server
        ///
        /// Further arguments for the server's program, separated by blanks; quotes and backslashes keep
        /// blanks in one.
        options: String => default(""),
        /// Files of environment variables
        ///
        /// Files, separated by blanks, that assign variables which the configuration uses. Empty, none
        /// is read.
        envfiles: String => default("/etc/apache2/envvars"),
        /// Whether IPv6 is asked first
        ///
        /// Whether the status page of a server that listens on every address is asked for by way of IPv6.
        use_ipv6: bool => default("false").reloadable(),
    }
}

/// One server.
#[derive(Debug)]
pub struct Apache {
    parameters: Parameters,
    /// The servers that a stop has seen: what they leave in their sessions is theirs.
    seen: RefCell<Vec<Identity>>,
}

impl Apache {
    fn start(&self, _context: &Context) -> Result<()> {
        Err(ocf::Error::generic("start is not there yet"))
    }

    fn stop(&self, context: &Context) -> Result<()> {
        stop::stop(&Site::new(context, &self.parameters), &mut self.seen.borrow_mut())
    }

    fn monitor(&self, context: &Context) -> Result<State> {
        monitor::monitor(&Site::new(context, &self.parameters))
    }

    fn reload_agent(&self, _context: &Context) -> Result<()> {
        Err(ocf::Error::generic("reload-agent is not there yet"))
    }
}

impl Agent for Apache {
    const ABOUT: About = About {
        name: "apache",
        version: "1.0",
        short: "Apache web server",
        long: "Runs an Apache web server, and judges it by its processes and by what it answers.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(40, Self::start),
        Action::stop(60, Self::stop),
        Action::status(30, Self::monitor),
        Action::monitor(20, 10, Self::monitor).depth(0),
        Action::reload_agent(20, Self::reload_agent),
        Action::validate_all(5),
    ];
    type Parameters = Parameters;

    fn new(parameters: Parameters, _context: &Context) -> Self {
        Self { parameters, seen: RefCell::default() }
    }

    fn leftovers(&self, context: &Context) -> Result<Vec<String>> {
        stop::leftovers(&Site::new(context, &self.parameters), &self.seen.borrow())
    }
}
