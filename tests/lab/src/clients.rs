// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Many clients of a web server, each with an address of its own, and by whom each is answered.
//!
//! The clients are the third host: a route makes a part of the lab's network its own, so that it answers
//! for, and asks from, each address in it.

use crate::cluster::{Cluster, OUTSIDE};
use crate::site::{Host, sibling};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Where the third host finds the program that asks (`bin/lab_clients.rs`).
const ASKER: &str = "/usr/sbin/lab_clients";

/// The clients' addresses; hosts' and resources' are lower.
const NETWORK: &str = "192.0.2.64/26";

const FIRST: &str = "192.0.2.65";

/// How many clients there are.
pub const COUNT: usize = 60;

/// The clients; their addresses are the third host's no more when this is dropped.
#[derive(Debug)]
pub struct Clients<'a> {
    outside: &'a Host,
}

/// What each client was answered: the page's first line, which is empty where there was no answer.
pub type Answered = BTreeMap<String, String>;

impl Drop for Clients<'_> {
    fn drop(&mut self) {
        let _ = self.outside.run(["ip", "route", "del", "local", NETWORK, "dev", "lo"]);
    }
}

impl<'a> Clients<'a> {
    /// Gives the third host their addresses.
    ///
    /// # Errors
    /// The third host refuses.
    pub fn new(cluster: &'a Cluster) -> Result<Self> {
        let outside = cluster.site.host(OUTSIDE)?;
        if outside.run(["test", "-x", ASKER])?.code != 0 {
            let (program, there) = (sibling("lab_clients")?, format!("{}:{ASKER}", outside.name()));
            let copy = cluster.docker().invocation(["cp"]);
            cluster.docker().runner.run_ok(&copy.args([program.as_os_str(), there.as_ref()]))?;
        }
        outside.ok(["ip", "route", "replace", "local", NETWORK, "dev", "lo"])?;
        Ok(Self { outside })
    }

    /// Has each ask `ADDRESS:PORT` once, all at the same time.
    ///
    /// # Errors
    /// The program's words aren't understood.
    pub fn ask(&self, server: &str) -> Result<Answered> {
        let count = COUNT.to_string();
        let answers = parse(&self.outside.ok([ASKER, server, FIRST, &count])?.stdout);
        match answers.len() {
            COUNT => Ok(answers),
            other => Err(Error::new(format!("{other} of {COUNT} clients asked"))),
        }
    }
}

fn parse(said: &str) -> Answered {
    let pairs = said.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(client, page)| (client.to_owned(), page.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_without_an_answer_is_a_client() {
        let answers = parse("192.0.2.65 node1\n192.0.2.66 \n");
        assert_eq!(answers.get("192.0.2.65").map(String::as_str), Some("node1"));
        assert_eq!(answers.get("192.0.2.66").map(String::as_str), Some(""));
    }
}
