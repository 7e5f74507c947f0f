// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A bundle of web servers, as the vendors' manuals make it: containers with Pacemaker Remote and Apache,
//! addresses that go with them, and the third host that asks all of them for their pages.

use crate::asking::{Answers, Asking};
use crate::checks::{Evidence, running_on};
use crate::cluster::Cluster;
use crate::process::Invocation;
use crate::scenarios::{expect_address, settle};
use crate::site::Host;
use crate::status::Status;
use crate::{Error, Result, carry};
use std::time::Duration;

/// The name that the bundle's image has on the nodes.
pub const IMAGE: &str = "pcmktest:http";

/// Where pages of replicas are on the nodes.
pub const CONTAINERS: &str = "/var/local/containers";

/// What a bundle is to be.
#[derive(Debug, Clone, Copy)]
pub struct Bundle {
    /// Its id.
    pub id: &'static str,
    /// The id of what runs in it.
    pub primitive: &'static str,
    /// How many replicas there are.
    pub replicas: usize,
    /// How many of them may be on one node.
    pub per_host: usize,
    /// The last byte of the first address.
    pub first: usize,
    /// What the Engine is told besides (`options`).
    pub options: &'static str,
    /// What its containers run, where that isn't Pacemaker's own choice (`run-command`).
    pub command: Option<&'static str>,
    /// Further words of `pcs resource bundle create`: another storage map, meta attributes.
    pub more: &'static [&'static str],
    /// Parameters and operations of what runs in it.
    pub server: &'static [&'static str],
}

/// Three replicas over two nodes, of Debian's stock server, without a parameter.
pub const THREE: Bundle = Bundle {
    id: "httpd-bundle",
    primitive: "httpd",
    replicas: 3,
    per_host: 3,
    first: 51,
    options: "options=--log-driver=json-file",
    command: None,
    more: &[],
    server: &["op", "monitor", "interval=5s"],
};

impl Bundle {
    /// The id of a replica's container, which is its name too.
    #[must_use]
    pub fn container(&self, replica: usize) -> String {
        format!("{}-docker-{replica}", self.id)
    }

    /// The name of a replica: the host in the container, and the node that it is.
    #[must_use]
    pub fn replica(&self, replica: usize) -> String {
        format!("{}-{replica}", self.id)
    }

    /// A replica's address.
    #[must_use]
    pub fn address(&self, replica: usize) -> String {
        format!("192.0.2.{}", self.first + replica)
    }

    /// The page of a replica on a node.
    #[must_use]
    pub fn page(&self, replica: usize, node: &str) -> String {
        format!("{} on {node}", self.replica(replica))
    }

    /// Puts the pages where the containers are lent them.
    ///
    /// # Errors
    /// A node refuses.
    pub fn write_pages(&self, cluster: &Cluster) -> Result<()> {
        for node in cluster.nodes() {
            for replica in 0..self.replicas {
                let page = format!("{CONTAINERS}/{}/index.html", self.replica(replica));
                let text = format!("{}\n", self.page(replica, &node.name));
                node.write_file(&page, ("root", "root"), "0644", &text)?;
            }
        }
        Ok(())
    }

    /// The words that make it, and those that make what runs in it, as the manuals have them. It is enabled
    /// when it is complete: until then its containers would run the image's own command.
    #[must_use]
    pub fn words(&self) -> [Vec<String>; 3] {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let replicas = format!("replicas={}", self.replicas);
        let per_host = format!("replicas-per-host={}", self.per_host);
        let (image, range) =
            (format!("image={IMAGE}"), format!("ip-range-start={}", self.address(0)));
        let (port, root) = (format!("id={}-port", self.id), format!("id={}-root", self.id));
        let containers = format!("source-dir-root={CONTAINERS}");
        let create = [
            &["resource", "bundle", "create", self.id, "container", "docker", &image][..],
            &[&replicas, &per_host, self.options],
            self.command.as_slice(),
            &["network", &range, "host-interface=eth0", "host-netmask=24"],
            &["port-map", &port, "port=80"],
            &["storage-map", &root, &containers, "target-dir=/var/www/html", "options=rw"],
            self.more,
            &["--disabled"],
        ];
        let server = ["resource", "create", self.primitive, "ocf:heartbeat:apache"];
        let inside = [&server[..], self.server, &["bundle", self.id]];
        [words(&create.concat()), words(&inside.concat()), words(&["resource", "enable", self.id])]
    }

    /// Makes it; what runs in it may still be on its way up.
    ///
    /// # Errors
    /// A node or pcs refuses.
    pub fn create(&self, cluster: &Cluster) -> Result<Evidence> {
        let mut evidence = self.define(cluster)?;
        evidence.push(self.enable(cluster)?);
        Ok(evidence)
    }

    /// Makes it, and leaves it disabled.
    ///
    /// # Errors
    /// A node or pcs refuses.
    pub fn define(&self, cluster: &Cluster) -> Result<Evidence> {
        self.write_pages(cluster)?;
        let [bundle, inside, _] = self.words();
        [bundle, inside].iter().map(|words| run(cluster, words)).collect()
    }

    /// Lets it run.
    ///
    /// # Errors
    /// pcs refuses.
    pub fn enable(&self, cluster: &Cluster) -> Result<String> {
        let [_, _, enable] = self.words();
        run(cluster, &enable)
    }

    /// Brings the image to both nodes, makes the bundle, and waits until every replica answers.
    ///
    /// # Errors
    /// A node or pcs refuses, or they don't answer within two minutes.
    pub fn come_up(&self, cluster: &Cluster, image: &str) -> Result<Evidence> {
        cluster.nodes().try_for_each(|node| carry::image(cluster, node, image, IMAGE))?;
        let mut evidence = self.create(cluster)?;
        let asked = self.ask(cluster)?;
        self.wait_up(cluster, &asked)?;
        for (replica, page) in asked.pages()?.into_iter().enumerate() {
            let (address, page) = (self.address(replica), page.unwrap_or_default());
            evidence.push(format!("http://{address}/ answers: {page}"));
        }
        asked.end()?;
        settle(cluster)?;
        Ok(evidence)
    }

    /// Starts to ask every replica's address.
    ///
    /// # Errors
    /// As [`Asking::start`].
    pub fn ask<'a>(&self, cluster: &'a Cluster) -> Result<Asked<'a>> {
        self.ask_each(|address| Asking::start(cluster, address))
    }

    /// The same, where no question may be lost.
    ///
    /// # Errors
    /// As [`Asking::start_patiently`].
    pub fn ask_patiently<'a>(&self, cluster: &'a Cluster) -> Result<Asked<'a>> {
        self.ask_each(|address| Asking::start_patiently(cluster, address))
    }

    fn ask_each<'a>(&self, start: impl Fn(&str) -> Result<Asking<'a>>) -> Result<Asked<'a>> {
        let start = |replica| start(&format!("{}:80", self.address(replica)));
        (0..self.replicas).map(start).collect::<Result<_>>().map(Asked)
    }

    /// Waits until every replica runs, the third host has the page of each from the node it is on, and says
    /// where they are.
    ///
    /// # Errors
    /// They don't within two minutes.
    pub fn wait_up(&self, cluster: &Cluster, asked: &Asked<'_>) -> Result<Vec<String>> {
        let what = format!("{} replicas of {} answering", self.replicas, self.id);
        let mut missing = String::new();
        let up = cluster.wait(&what, |status| {
            let places = self.places(status, &asked.pages()?);
            missing = places.as_ref().err().cloned().unwrap_or_default();
            Ok(places.ok())
        });
        up.map_err(|error| error.during(missing))
    }

    /// Where the replicas are, at one look; see [`Self::wait_up`].
    ///
    /// # Errors
    /// One of them isn't up.
    pub fn look(&self, cluster: &Cluster, asked: &Asked<'_>) -> Result<Vec<String>> {
        self.places(&cluster.status()?, &asked.pages()?).map_err(Error::new)
    }

    fn places(
        &self,
        status: &Status,
        pages: &[Option<String>],
    ) -> std::result::Result<Vec<String>, String> {
        (0..self.replicas).map(|replica| self.place(status, replica, pages)).collect()
    }

    /// Where a replica is, if all of it is there and its page is answered.
    fn place(
        &self,
        status: &Status,
        replica: usize,
        pages: &[Option<String>],
    ) -> std::result::Result<String, String> {
        let (container, name) = (self.container(replica), self.replica(replica));
        let Some(node) = status.place(&container, "Started") else {
            return Err(format!("{container} isn't started"));
        };
        if !self.serves(status, &name) {
            return Err(format!("{} isn't started on {name}", self.primitive));
        }
        let page = pages.get(replica).cloned().flatten();
        if page.as_deref() != Some(&self.page(replica, node)) {
            let page = page.as_deref().unwrap_or("nothing");
            return Err(format!("{} answers {page}, and is on {node}", self.address(replica)));
        }
        Ok(node.to_owned())
    }

    /// Whether a replica's container runs, and what is to run in it.
    #[must_use]
    pub fn runs(&self, status: &Status, replica: usize) -> bool {
        status.place(&self.container(replica), "Started").is_some()
            && self.serves(status, &self.replica(replica))
    }

    fn serves(&self, status: &Status, replica: &str) -> bool {
        let is_it = |role: &str| role == "Started" || role == "Promoted";
        status.instances(self.primitive).any(|r| is_it(&r.role) && r.node == replica)
    }

    /// Waits until it is up and the cluster has nothing more to do, and says where the replicas are. Nothing may
    /// have failed, and what the nodes themselves have is what Pacemaker says.
    ///
    /// # Errors
    /// It isn't so within two minutes.
    pub fn wait_well(&self, cluster: &Cluster, asked: &Asked<'_>) -> Result<Vec<String>> {
        let up = self.wait_up(cluster, asked).and_then(|_| settle(cluster));
        let places = up.and_then(|()| self.wait_up(cluster, asked));
        if let Some(failure) = cluster.status()?.failures.first() {
            let (id, task, code, reason) =
                (&failure.resource, &failure.task, failure.code, &failure.reason);
            return Err(Error::new(format!("{task} of {id} answered {code} ({reason})")));
        }
        let places = places?;
        self.expect_at(cluster, &places)?;
        Ok(places)
    }

    /// An error unless the nodes have the containers and the addresses of these replicas, each where it is said to
    /// be, and no other container of the bundle.
    ///
    /// # Errors
    /// It isn't so.
    pub fn expect_at(&self, cluster: &Cluster, places: &[String]) -> Result<()> {
        let ours = format!("{}-docker-", self.id);
        for node in cluster.nodes() {
            let list = ["docker", "ps", "--all", "--format", "{{.Names}} {{.State}}"];
            let listed = node.ok(list)?.stdout;
            let mut seen: Vec<_> = listed.lines().filter(|line| line.starts_with(&ours)).collect();
            seen.sort_unstable();
            let is_here = |(_, place): &(usize, &String)| **place == node.name;
            let here = places.iter().enumerate().filter(is_here);
            let mut wanted: Vec<_> =
                here.map(|(replica, _)| format!("{} running", self.container(replica))).collect();
            wanted.sort_unstable();
            if seen != wanted {
                let (seen, wanted) = (seen.join(", "), wanted.join(", "));
                return Err(Error::new(format!("{} has '{seen}', not '{wanted}'", node.name)));
            }
        }
        for (replica, place) in places.iter().enumerate() {
            expect_address(cluster, &self.address(replica), &[place])?;
        }
        Ok(())
    }

    /// The node that runs a replica.
    ///
    /// # Errors
    /// None does.
    pub fn host<'a>(&self, cluster: &'a Cluster, replica: usize) -> Result<&'a Host> {
        cluster.node(running_on(&cluster.status()?, &self.container(replica))?)
    }

    /// What the Engine says of a replica's container, by its own format.
    ///
    /// # Errors
    /// There is no container.
    pub fn inspect(&self, node: &Host, replica: usize, format: &str) -> Result<String> {
        let name = self.container(replica);
        let ask = ["docker", "inspect", "--type", "container", "--format", format, &name];
        Ok(node.ok(ask)?.stdout.trim().to_owned())
    }

    /// The processes of a program in a replica's container, by their numbers on the node.
    ///
    /// # Errors
    /// There is no container.
    pub fn processes(&self, node: &Host, replica: usize, program: &str) -> Result<Vec<String>> {
        let name = self.container(replica);
        let shown = node.ok(["docker", "top", &name, "-eo", "pid,comm"])?.stdout;
        let lines = shown.lines().filter_map(|line| line.trim().split_once(' '));
        let found = lines.filter(|(_, other)| other.trim() == program);
        Ok(found.map(|(pid, _)| pid.to_owned()).collect())
    }
}

/// Runs pcs, and says how.
fn run(cluster: &Cluster, words: &[String]) -> Result<String> {
    cluster.pcs(words.iter().map(String::as_str))?;
    Ok(format!("pcs {}", words.join(" ")))
}

/// The size of an image on this machine, in megabytes.
///
/// # Errors
/// It isn't here.
pub fn size(cluster: &Cluster, tag: &str) -> Result<u64> {
    let ask: Invocation =
        cluster.docker().invocation(["image", "inspect", "--format", "{{.Size}}"]);
    let said = cluster.docker().runner.run_ok(&ask.args([tag]))?.stdout;
    let bytes: u64 = said.trim().parse().map_err(|_| Error::new(format!("{tag} has no size")))?;
    Ok(bytes / 1_000_000)
}

/// Questions to every replica.
#[derive(Debug)]
pub struct Asked<'a>(Vec<Asking<'a>>);

impl Asked<'_> {
    /// The page that each was answered with last, if it was.
    ///
    /// # Errors
    /// As [`Asking::so_far`].
    pub fn pages(&self) -> Result<Vec<Option<String>>> {
        self.0.iter().map(|asking| asking.so_far().map(|answers| answers.now)).collect()
    }

    /// What became of the questions so far, replica by replica.
    ///
    /// # Errors
    /// As [`Asking::so_far`].
    pub fn so_far(&self) -> Result<Vec<Answers>> {
        self.0.iter().map(Asking::so_far).collect()
    }

    /// Ends the questions.
    ///
    /// # Errors
    /// As [`Asking::end`].
    pub fn end(self) -> Result<Vec<Answers>> {
        self.0.into_iter().map(Asking::end).collect()
    }
}

/// The longest time for which one of them had no answer in all.
#[must_use]
pub fn unreachable(answers: &[Answers]) -> Duration {
    answers.iter().map(Answers::unreachable).max().unwrap_or_default()
}
