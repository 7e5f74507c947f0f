// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Servers: configurations for tests, and servers that no agent started.

use crate::{World, host, wait_for};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Debian's server.
pub const PROGRAM: &str = "/usr/sbin/apache2";

/// The port of [`SMALL`].
pub const PORT: u16 = 8088;

/// A small configuration that needs nothing of Debian's.
pub const SMALL: &str = "\
ServerRoot {w}
ServerName localhost
PidFile {w}/run/httpd.pid
Listen 127.0.0.1:8088
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule status_module /usr/lib/apache2/modules/mod_status.so
TypesConfig /etc/mime.types
User www-data
Group www-data
StartServers 1
ThreadsPerChild 8
MinSpareThreads 2
MaxSpareThreads 16
MaxRequestWorkers 16
ErrorLog {w}/log/error.log
DocumentRoot {w}/htdocs
<Directory {w}/htdocs>
Require all granted
</Directory>
<Location /server-status>
SetHandler server-status
Require local
</Location>
";

/// What the server's index says.
pub const INDEX: &str = "<html><body>It works</body></html>\n";

/// The directories and files that [`SMALL`] needs.
pub(crate) fn furnish(world: &World) {
    for directory in ["run", "log", "htdocs"] {
        fs::create_dir_all(world.place().join(directory)).unwrap();
    }
    fs::write(world.place().join("htdocs/index.html"), INDEX).unwrap();
    world.write("httpd.conf", SMALL);
}

/// Begins a server in a container inside the world, with the small configuration and the same command line as the
/// resource's; its number as the world sees it. In the pid file that it has written, that is another one.
#[must_use]
pub fn begin_in_container(world: &World) -> i32 {
    let file = world.text("{w}/httpd.conf");
    let arguments = ["--pid", "--net", "--mount-proc", "--fork", PROGRAM, "-X", "-f", &file];
    let _first = world.begin("unshare", &arguments);
    let other = wait_for("a server in a container", || {
        let found = host::processes();
        found.values().find(|one| one.program == PROGRAM).map(|one| one.pid)
    });
    wait_for("its pid file", || fs::read(world.place().join("run/httpd.pid")).ok());
    other
}

/// Starts a server as somebody would by hand, and waits until it answers at this address.
pub fn start(arguments: &[&str], address: &str) {
    start_as(PROGRAM, arguments, address);
}

/// The same by another name of the program.
pub fn start_as(program: &str, arguments: &[&str], address: &str) {
    let mut command = Command::new(program);
    run(command.args(arguments));
    answers(address);
}

/// Starts Debian's own server as its unit does.
pub fn start_as_systemd(address: &str) {
    fs::create_dir_all("/run/lock/apache2").unwrap();
    let script = ". /etc/apache2/envvars && mkdir -p $APACHE_RUN_DIR && exec apache2 -k start";
    run(Command::new("sh").args(["-c", script]).env("APACHE_CONFDIR", "/etc/apache2"));
    answers(address);
}

/// Runs a program that ends by itself, and has to succeed.
pub fn call(program: &str, arguments: &[&str]) -> String {
    run(Command::new(program).args(arguments))
}

/// The same of a command.
pub fn run(command: &mut Command) -> String {
    let done = command.stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {}\n{said}", done.status);
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Waits until somebody answers there.
pub fn answers(address: &str) {
    wait_for(&format!("a server at {address}"), || get(address, "/").map(|_| ()));
}

/// The status and the body of a page; `None` where nobody answers.
#[must_use]
pub fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let address: SocketAddr = address.parse().unwrap();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// The number that a pid file has.
#[must_use]
pub fn pid_of(file: &Path) -> i32 {
    wait_for(&format!("a number in {}", file.display()), || {
        fs::read_to_string(file).ok()?.trim().parse().ok()
    })
}

/// Kills a server and leaves its workers.
pub fn behead(configuration: &str) {
    let pid = host::server(configuration).pid;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
    wait_for("the server's end", || (!host::is_alive(pid)).then_some(()));
}
