//! The table was made by running the `docker` command (28.2 and 20.10) with the same environments
//! against listeners that write down who came.

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    [("HOME", "/nonexistent")].iter().chain(pairs).copied().collect()
}

fn found(pairs: &[(&str, &str)]) -> Result<String, String> {
    let found = Endpoint::find(&environment(pairs)).map_err(|error| error.to_string())?;
    let tls = matches!(found, Endpoint::Tls(..));
    Ok(format!("{found}{}", if tls { " (TLS)" } else { "" }))
}

#[test]
fn a_host_is_taken_as_the_docker_command_takes_it() {
    for (host, wanted) in [
        ("unix:///x/a.sock", "/x/a.sock"),
        ("unix://a.sock", "a.sock"),
        ("unix://", "/var/run/docker.sock"),
        (" unix:///x/a.sock ", "/x/a.sock"),
        ("", "/var/run/docker.sock"),
        ("tcp://127.0.0.1:7001", "tcp://127.0.0.1:7001"),
        ("tcp://[::1]:7001", "tcp://[::1]:7001"),
        ("tcp://::1", "tcp://[::1]:2375"),
        ("tcp://a-host", "tcp://a-host:2375"),
        ("tcp://:7001", "tcp://localhost:7001"),
        ("tcp://", "tcp://localhost:2375"),
        ("a.host:7001", "tcp://a.host:7001"),
        ("tcp://a.host:7001/pre/fix", "tcp://a.host:7001/pre/fix"),
        ("tcp://a.host:7001/", "tcp://a.host:7001"),
        ("tcp://me:secret@a.host:7001?x=1", "tcp://a.host:7001"),
        // From 29 on; older ones take it for a path on localhost:2375, which nobody means.
        ("/x/a.sock", "/x/a.sock"),
    ] {
        assert_eq!(found(&[("DOCKER_HOST", host)]).as_deref(), Ok(wanted), "{host}");
    }
}

#[test]
fn a_host_that_leads_nowhere_is_one_sentence_without_a_password() {
    for host in [
        "ssh://me:secret@a.host",
        "http://me:secret@a.host:7001",
        "https://a.host:7001",
        "npipe:////./pipe/docker_engine",
        "fd://",
        "bogus://secret",
        "UNIX:///x/a.sock",
        "tcp://secret:secret@a.host:99999",
        "tcp://a.host:secret",
        "tcp://a secret:1",
        "tcp://[::1:7001",
        "unix://tcp://secret",
    ] {
        let error = Endpoint::find(&environment(&[("DOCKER_HOST", host)])).unwrap_err();
        assert_eq!(error.kind, ocf::error::Kind::Generic, "{host}");
        let sentence = error.to_string();
        assert!(sentence.starts_with("DOCKER_HOST names no Docker Engine"), "{sentence}");
        assert!(!sentence.contains("secret") && sentence.len() <= 128, "{host}: {sentence}");
    }
}

#[test]
fn any_value_turns_tls_on_and_only_addresses_use_it() {
    for name in ["DOCKER_TLS", "DOCKER_TLS_VERIFY"] {
        assert_eq!(found(&[(name, "0")]).as_deref(), Ok("tcp://localhost:2376 (TLS)"));
        assert_eq!(found(&[(name, "")]).as_deref(), Ok("/var/run/docker.sock"));
        let socket = [(name, "1"), ("DOCKER_HOST", "unix:///x/a.sock")];
        assert_eq!(found(&socket).as_deref(), Ok("/x/a.sock"));
        let address = [(name, "1"), ("DOCKER_HOST", "tcp://a.host")];
        assert_eq!(found(&address).as_deref(), Ok("tcp://a.host:2375 (TLS)"));
    }
    let given = [("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", "/x"), ("DOCKER_HOST", "tcp://a.host")];
    let Ok(Endpoint::Tls(_, material)) = Endpoint::find(&environment(&given)) else { panic!() };
    assert_eq!((material.directory.to_str(), material.is_verified), (Some("/x"), false));
}

/// A configuration directory with contexts, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("endpoint-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn context(&self, name: &str, endpoints: &str) {
        let directory = self.0.join(format!("contexts/meta/id-of-{name}"));
        std::fs::create_dir_all(&directory).unwrap();
        let meta = format!("{{\"Name\":\"{name}\",\"Metadata\":{{}},\"Endpoints\":{endpoints}}}");
        std::fs::write(directory.join("meta.json"), meta).unwrap();
    }

    fn host(&self, name: &str, host: &str, skips: bool) {
        let docker = format!("{{\"docker\":{{\"Host\":\"{host}\",\"SkipTLSVerify\":{skips}}}}}");
        self.context(name, &docker);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn contexts_are_those_of_the_docker_command() {
    let directory = Directory::new("contexts");
    directory.host("a", "unix:///x/a.sock", false);
    directory.host("b", "tcp://b.host:1", false);
    directory.host("skips", "tcp://s.host:1", true);
    directory.host("http", "http://h.host:1", false);
    directory.host("empty", "", false);
    directory.host("ssh", "ssh://me:secret@s.host", false);
    directory.host("tls", "tcp://t.host:1", false);
    directory.context("none", "{}");
    let tls = directory.0.join("contexts/tls/id-of-tls/docker");
    std::fs::create_dir_all(&tls).unwrap();
    std::fs::write(tls.join("ca.pem"), "").unwrap();
    let of = |name: &str| {
        let given = [("DOCKER_CONFIG", directory.path()), ("DOCKER_CONTEXT", name)];
        found(&given)
    };
    assert_eq!(of("a").as_deref(), Ok("/x/a.sock"));
    assert_eq!(of("b").as_deref(), Ok("tcp://b.host:1"));
    assert_eq!(of("skips").as_deref(), Ok("tcp://s.host:1 (TLS)"));
    assert_eq!(of("tls").as_deref(), Ok("tcp://t.host:1 (TLS)"));
    assert_eq!(of("http").as_deref(), Ok("tcp://h.host:1"));
    assert_eq!(of("empty").as_deref(), Ok("/var/run/docker.sock"));
    assert_eq!(of("default").as_deref(), Ok("/var/run/docker.sock"));
    assert_eq!(of("").as_deref(), Ok("/var/run/docker.sock"));
    for name in ["ssh", "none", "nosuch", "../a"] {
        let sentence = of(name).unwrap_err();
        assert!(sentence.starts_with(&format!("docker context {name}")), "{sentence}");
        assert!(!sentence.contains("secret"), "{sentence}");
    }
}

#[test]
fn the_host_wins_over_the_context_and_that_over_the_current_one() {
    let directory = Directory::new("precedence");
    directory.host("a", "unix:///x/a.sock", false);
    directory.host("b", "unix:///x/b.sock", false);
    let write = |text: &str| std::fs::write(directory.0.join("config.json"), text).unwrap();
    let config = ("DOCKER_CONFIG", directory.path());
    write("{\"currentContext\":\"a\"}");
    assert_eq!(found(&[config]).as_deref(), Ok("/x/a.sock"));
    assert_eq!(found(&[config, ("DOCKER_CONTEXT", "b")]).as_deref(), Ok("/x/b.sock"));
    assert_eq!(found(&[config, ("DOCKER_CONTEXT", "default")]).as_deref(), Ok(SOCKET));
    let all = [config, ("DOCKER_CONTEXT", "nosuch"), ("DOCKER_HOST", "unix:///x/c.sock")];
    assert_eq!(found(&all).as_deref(), Ok("/x/c.sock"));
    // The docker command warns and uses the default; so do we, and the pull says it.
    write("{\"currentContext\":\"a\"");
    assert_eq!(found(&[config]).as_deref(), Ok(SOCKET));
    write("{\"currentContext\":7}");
    assert_eq!(found(&[config]).as_deref(), Ok(SOCKET));
    write("{\"currentContext\":\"nosuch\"}");
    assert!(found(&[config]).unwrap_err().contains("currentContext of"));
}

/// The first line of a request that a client made by an endpoint sends.
fn first_line(client: &Docker, accept: impl FnOnce() -> Box<dyn Conversation> + Send) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let mut stream = accept();
            let mut bytes = Vec::new();
            let mut buffer = [0; 1024];
            while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..count]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            String::from_utf8(bytes).unwrap().lines().next().unwrap().to_owned()
        });
        runtime.block_on(client.inspect_container("x", None)).unwrap();
        asked.join().unwrap()
    })
}

trait Conversation: Read + Write {}
impl<T: Read + Write> Conversation for T {}

#[test]
fn a_request_names_the_version_and_stays_below_the_prefix() {
    let version = ClientVersion { major_version: 1, minor_version: 41 };
    let directory = Directory::new("request");
    let socket = directory.0.join("a.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let client = Endpoint::Unix(socket).connect(10, &version).unwrap();
    let line = first_line(&client, || Box::new(listener.accept().unwrap().0));
    assert_eq!(line, "GET /v1.41/containers/x/json HTTP/1.1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://{}/pre/fix/", listener.local_addr().unwrap());
    let endpoint = Endpoint::find(&environment(&[("DOCKER_HOST", &host)])).unwrap();
    let client = endpoint.connect(10, &version).unwrap();
    let line = first_line(&client, || Box::new(listener.accept().unwrap().0));
    assert_eq!(line, "GET /pre/fix/v1.41/containers/x/json HTTP/1.1");
    let client = endpoint.connect_to_negotiate(10).unwrap();
    let line = first_line(&client, || Box::new(listener.accept().unwrap().0));
    assert_eq!(line, "GET /pre/fix/containers/x/json HTTP/1.1");
}

#[test]
fn a_fixed_version_is_one_or_an_error() {
    let of = |text| {
        fixed_version(&environment(&[("DOCKER_API_VERSION", text)])).map(|v| v.map(str::to_owned))
    };
    assert_eq!(of(""), Ok(None));
    assert_eq!(of("1.41"), Ok(Some("1.41".to_owned())));
    assert_eq!(of("v1.30"), Ok(Some("1.30".to_owned())));
    for text in ["junk", "1", "1.x", "1.41/../..", "."] {
        assert!(of(text).is_err(), "{text}");
    }
}
