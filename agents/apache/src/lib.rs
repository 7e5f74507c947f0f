// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:apache`: an Apache web server.
//!
//! *Running* is a server process of this configuration that answers as it should: found by its pid file or
//! among all processes, and known by its program, its configuration and when it started, never by a pattern.
//! *Stopped* is when there is neither a server nor a worker that outlived one. All else is *failed*.

mod config;
mod directory;
mod envfile;
mod expression;
mod health;
mod http;
mod invocation;
mod launch;
mod layout;
mod log;
mod monitor;
mod pattern;
mod pidfile;
mod port;
mod process;
mod procfs;
mod program;
mod record;
mod regular;
mod reload;
mod server;
mod settings;
mod signature;
mod site;
mod start;
mod stop;
mod suse;
mod target;
#[cfg(test)]
mod testing;
mod turn;
mod validate;
mod webtest;
mod words;

use ocf::{About, Action, Agent, Context, Result, State};
use process::Seen;
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
        port: port::Port,
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
        /// A file that describes tests for check level 10, each from the word test with its name to the word
        /// end, by the words url, match, user, password, client and client_opts. A password needn't stand in
        /// the cluster's configuration then. Unless client names a program of one's own, the agent asks itself.
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
    /// What a stop has seen of the server.
    seen: RefCell<Seen>,
}

impl Apache {
    fn site<'a>(&'a self, context: &'a Context) -> Site<'a> {
        Site::new(context, &self.parameters)
    }

    fn start(&self, context: &Context) -> Result<()> {
        start::start(&self.site(context), &mut self.seen.borrow_mut())
    }

    fn stop(&self, context: &Context) -> Result<()> {
        let seen = &mut self.seen.borrow_mut();
        let stopped = stop::stop(&self.site(context), seen, &context.deadline);
        turn::forget(context);
        stopped
    }

    fn monitor(&self, context: &Context) -> Result<State> {
        monitor::monitor(&self.site(context))
    }

    fn reload_agent(&self, context: &Context) -> Result<()> {
        reload::reload(&self.site(context))
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

    fn check(&self) -> Result<()> {
        launch::check(&self.parameters)?;
        health::validate(&self.parameters)
    }

    /// Start and reload-agent look at the host themselves.
    fn check_host(&self, context: &Context) -> Result<()> {
        match context.action.as_str() {
            "validate-all" => validate::validate(&self.site(context)),
            _ => health::validate_host(&self.parameters, context),
        }
    }

    /// Start has waited already.
    fn ready(&self, _: &Context) -> Result<bool> {
        Ok(true)
    }

    fn leftovers(&self, context: &Context) -> Result<Vec<String>> {
        stop::leftovers(&self.site(context), &self.seen.borrow())
    }
}
