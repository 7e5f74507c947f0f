// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A registry that is none: it speaks as much of the distribution's protocol (HTTP API V2) as a pull
//! needs, offers one image, and can be as unhelpful as real ones. An Engine takes one on 127.0.0.1
//! without TLS.

use crate::images;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The one repository.
pub const REPOSITORY: &str = "ocf/pulled";
/// Its one tag.
pub const TAG: &str = "1";

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// How it deals with requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Serves everybody.
    Open,
    /// Serves who says `Authorization: Basic <this>`.
    Login(String),
    /// Takes requests and never answers.
    Silent,
    /// Sends half of the layer, and then nothing more.
    Stuck,
    /// Answers every request for the image with this status.
    Status(u16),
}

/// A registry, until it is dropped.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    digest: String,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    manner: Mutex<Manner>,
    requests: Mutex<Vec<String>>,
    ended: AtomicBool,
    config: Vec<u8>,
    layer: Vec<u8>,
    manifest: Vec<u8>,
}

impl Registry {
    /// Listens somewhere on this host.
    #[must_use]
    pub fn listen(manner: Manner) -> Self {
        let layer = images::small();
        let config = json!({
            "architecture": if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" },
            "os": "linux",
            "config": {"Cmd": ["/inside", "0"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        });
        let config = config.to_string().into_bytes();
        let blob = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "size": bytes.len(), "digest": digest(bytes)});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(CONFIG, &config), "layers": [blob(LAYER, &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let digest = digest(&manifest);
        let shared = Arc::new(Shared {
            manner: Mutex::new(manner),
            requests: Mutex::default(),
            ended: AtomicBool::new(false),
            config,
            layer,
            manifest,
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, &of_thread));
        Self { port, digest, shared, thread: Some(thread) }
    }

    /// Its address, as it stands in front of an image's name.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The image by its tag.
    #[must_use]
    pub fn image(&self) -> String {
        format!("{}/{REPOSITORY}:{TAG}", self.address())
    }

    /// The image by its digest.
    #[must_use]
    pub fn image_by_digest(&self) -> String {
        format!("{}/{REPOSITORY}@{}", self.address(), self.digest)
    }

    /// Deals with requests in another manner from now on.
    pub fn become_of(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// What it was asked so far: the first lines of requests.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // So that the listener sees it.
        let _gone = TcpStream::connect(("127.0.0.1", self.port));
        let _ended = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// A digest as registries write it.
fn digest(bytes: &[u8]) -> String {
    let mut program = Command::new("sha256sum");
    let child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("sha256sum (package coreutils)");
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    format!("sha256:{}", said.split(' ').next().unwrap())
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), shared) = (stream, Arc::clone(shared)) else { continue };
        // Who hangs up in the middle of an answer is right to do so.
        std::thread::spawn(move || answer(stream, &shared));
    }
}

/// One request a connection.
fn answer(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut login = String::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        if name.eq_ignore_ascii_case("authorization") {
            value.clone_into(&mut login);
        }
    }
    shared.requests.lock().unwrap().push(first.clone());
    let manner = shared.manner.lock().unwrap().clone();
    let path = first.split(' ').nth(1).unwrap_or_default();
    match manner {
        Manner::Silent => return wait(shared),
        Manner::Login(wanted) if login != format!("Basic {wanted}") => {
            let body =
                br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
            let head = "401 Unauthorized\r\nWww-Authenticate: Basic realm=\"fake\"";
            return send(&stream, &first, head, "application/json", body, body.len());
        }
        Manner::Status(status) if path != "/v2/" => {
            let body = br#"{"errors":[{"code":"UNKNOWN","message":"the fake refuses"}]}"#;
            let head = format!("{status} Refused");
            return send(&stream, &first, &head, "application/json", body, body.len());
        }
        _ => {}
    }
    let (kind, body) = match path.rsplit('/').next().unwrap_or_default() {
        "" => ("application/json", b"{}".as_slice()),
        last if path.contains("/manifests/")
            && (last == TAG || last == digest(&shared.manifest)) =>
        {
            (MANIFEST, shared.manifest.as_slice())
        }
        last if last == digest(&shared.config) => (CONFIG, shared.config.as_slice()),
        last if last == digest(&shared.layer) && manner == Manner::Stuck => {
            let half = shared.layer.len() / 2;
            let layer = &shared.layer[..half];
            send(&stream, &first, "200 OK", LAYER, layer, shared.layer.len())?;
            return wait(shared);
        }
        last if last == digest(&shared.layer) => (LAYER, shared.layer.as_slice()),
        _ => {
            let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
            return send(&stream, &first, "404 Not Found", "application/json", body, body.len());
        }
    };
    send(&stream, &first, "200 OK", kind, body, body.len())
}

fn send(
    mut stream: &TcpStream,
    first: &str,
    head: &str,
    kind: &str,
    body: &[u8],
    length: usize,
) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {head}\r\nDocker-Distribution-Api-Version: registry/2.0\r\n\
         Docker-Content-Digest: {}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n",
        digest(body)
    )?;
    if first.starts_with("HEAD ") { Ok(()) } else { stream.write_all(body) }
}

/// Until the registry ends.
fn wait(shared: &Shared) -> std::io::Result<()> {
    while !shared.ended.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
