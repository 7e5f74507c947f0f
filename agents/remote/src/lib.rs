// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:remote`: the description of a Pacemaker Remote connection.
//!
//! Pacemaker's controller makes, watches and ends the connection itself and runs this file only for
//! its meta-data. Every other action refuses, except validate-all, which looks for the administrator
//! whether a connection has a chance: the server's name resolves, the port answers, the key is there
//! and readable by Pacemaker alone.
//!
//! It never attempts the TLS handshake: a completed one makes the remote daemon tell its cluster of
//! a new client, and the cluster then drops the connection and may fence the node.

use ocf::{About, Action, Agent, Context, Error, Result, State};
use std::fs;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// Where the shared key is, unless `PCMK_authkey_location` says otherwise.
const KEY: &str = "/etc/pacemaker/authkey";
/// The group that Pacemaker's daemons belong to.
const KEY_GROUP: &str = "haclient";
/// How long a name server or a remote node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

ocf::parameters! {
    /// What the agent can be told.
    #[derive(Debug)]
    pub struct Parameters {
        /// Remote host
        ///
        /// Name or address of the host to connect to. Unset: the name of the resource.
        server: Option<String> => unique_group("address"),
        /// Remote port
        ///
        /// TCP port on which the remote executor listens.
        port: u16 => default("3121").unique_group("address"),
        /// Time between attempts to reconnect
        ///
        /// How long the cluster waits before it tries to reach a lost node again, after any fencing
        /// that is needed. 0 means at once.
        reconnect_interval: String => default("0").reloadable(),
    }
}

/// One connection.
#[derive(Debug)]
pub struct Remote {
    server: String,
    port: u16,
}

impl Remote {
    const REFUSAL: &'static str =
        "Pacemaker's controller manages remote connections itself: run only meta-data here";

    fn refuse(&self, _: &Context) -> Result<()> {
        Err(Error::generic(Self::REFUSAL))
    }

    fn monitor(&self, _: &Context) -> Result<State> {
        Err(Error::generic(Self::REFUSAL))
    }

    /// The server's addresses. The resolver knows no deadline, so it is asked on a thread that ends
    /// with the process.
    fn resolve(&self, patience: Duration) -> Result<Vec<SocketAddr>> {
        let (answer, result) = mpsc::channel();
        let (server, port) = (self.server.clone(), self.port);
        let ask = move || {
            let found = (server.as_str(), port).to_socket_addrs();
            // Nobody waits for an answer that comes too late.
            let _late = answer.send(found.map(Iterator::collect::<Vec<_>>));
        };
        std::thread::Builder::new()
            .spawn(ask)
            .map_err(|error| Error::generic(format!("cannot start a thread: {error}")))?;
        match result.recv_timeout(patience) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(Error::args(format!(
                "server {} does not resolve: check its name and the name service",
                self.server
            ))),
            Err(_) => {
                let sentence = format!("server {}: no answer from the name service", self.server);
                Err(Error::generic(sentence))
            }
        }
    }

    fn reach(&self, context: &Context) -> Result<()> {
        let patience = || context.deadline.left().min(PATIENCE).max(Duration::from_millis(1));
        let mut last = String::new();
        for address in self.resolve(patience())? {
            match TcpStream::connect_timeout(&address, patience()) {
                Ok(_closed_at_once) => return Ok(()),
                Err(error) => last = ocf::error::describe(&error),
            }
        }
        Err(Error::generic(format!(
            "nothing answers on port {} of {}: {last}; start pacemaker_remote there",
            self.port, self.server
        )))
    }
}

/// The key that both ends share has to be there, and to be readable by Pacemaker alone.
fn check_key(context: &Context) -> Result<()> {
    let location = context.environment().filled("PCMK_authkey_location");
    let path = location.map_or_else(|| PathBuf::from(KEY), PathBuf::from);
    let name = path.display();
    let key = fs::metadata(&path).map_err(|error| {
        let why = ocf::error::describe(&error);
        Error::args(format!("key {name}: {why}; copy the cluster's key there"))
    })?;
    if !key.is_file() || key.len() == 0 {
        return Err(Error::args(format!("key {name} is empty or no file; copy the cluster's key")));
    }
    if key.mode() & 0o007 != 0 {
        return Err(Error::permission(format!("key {name} is open to everybody: chmod 640 it")));
    }
    let group = nix::unistd::Group::from_gid(key.gid().into()).ok().flatten();
    if group.is_none_or(|group| group.name != KEY_GROUP) || key.mode() & 0o040 == 0 {
        return Err(Error::permission(format!(
            "key {name} is not readable by group {KEY_GROUP}: chgrp {KEY_GROUP} and chmod 640 it"
        )));
    }
    Ok(())
}

impl Agent for Remote {
    const ABOUT: About = About {
        name: "remote",
        version: env!("CARGO_PKG_VERSION"),
        short: "Connection to a node that runs Pacemaker Remote",
        long: "Makes a host that runs only pacemaker_remote a node of the cluster. The cluster's \
               controller handles the connection itself.",
    };
    const ACTIONS: &'static [Action<Self>] = &[
        Action::start(60, Self::refuse),
        Action::stop(60, Self::refuse),
        Action::monitor(30, 0, Self::monitor).once(),
        Action::migrate_to(60, Self::refuse),
        Action::migrate_from(60, Self::refuse),
        Action::reload(60, Self::refuse),
        Action::reload_agent(60, Self::refuse),
        Action::validate_all(30),
    ];
    /// The controller alone acts, and it traces nothing.
    const TRACEABLE: bool = false;
    type Parameters = Parameters;

    fn new(parameters: Parameters, context: &Context) -> Self {
        let server = parameters.server.unwrap_or_else(|| context.instance.id.clone());
        Self { server, port: parameters.port }
    }

    fn check(&self) -> Result<()> {
        match self.port {
            0 => Err(Error::configured("port 0 is no port: the executor's is usually 3121")),
            _ => Ok(()),
        }
    }

    fn check_host(&self, context: &Context) -> Result<()> {
        if context.action != "validate-all" {
            return Ok(());
        }
        check_key(context)?;
        self.reach(context)
    }

    fn leftovers(&self, _: &Context) -> Result<Vec<String>> {
        Err(Error::generic(Self::REFUSAL))
    }
}
