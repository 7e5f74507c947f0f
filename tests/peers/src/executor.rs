// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A pacemaker-execd of a test's own, and a client for it. Only inside [`crate::place::alone`]: it
//! wants directories of its own, and listens on a socket that there is once in a network namespace.

use crate::collection::Peers;
use crate::{Outcome, place, program};
use nix::unistd::{Group, User, chown};
use ocf_tester::scratch::Scratch;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a client in Pacemaker's own library does, line by line.
const CLIENT: &str = include_str!("../fixtures/executor.py");
/// Directories that Pacemaker's daemons write to; those with `true` belong to them.
const DIRECTORIES: [(&str, bool); 7] = [
    ("/dev/shm", false),
    ("/run", false),
    ("/run/crm", true),
    ("/var/log", false),
    ("/var/log/pacemaker", true),
    ("/var/lib/pacemaker", false),
    ("/var/lib/pacemaker/cores", true),
];
/// How an operation ended, in Pacemaker's numbers (`enum pcmk_exec_status`).
const STATUSES: [(&str, &str); 4] =
    [("0", "done"), ("1", "cancelled"), ("2", "timed out"), ("4", "error")];

/// The daemon with its client.
#[derive(Debug)]
pub struct Executor {
    daemon: Child,
    client: Child,
    say: ChildStdin,
    hear: BufReader<ChildStdout>,
    _scratch: Scratch,
}

/// What Pacemaker makes of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which call it belongs to.
    pub call: u32,
    /// `done`, `timed out`, …
    pub status: String,
    /// The exit code, as Pacemaker counts it.
    pub code: i32,
    /// The exit reason.
    pub reason: String,
}

impl Event {
    /// Whether it ended by itself with a code.
    #[must_use]
    pub fn is_done(&self, code: i32) -> bool {
        self.status == "done" && self.code == code
    }
}

impl Executor {
    /// Starts the daemon and waits until it answers.
    ///
    /// # Errors
    /// What keeps it from answering; its log is part of the sentence.
    pub fn start() -> Outcome<Self> {
        for (path, is_pacemakers) in DIRECTORIES {
            prepare(path, is_pacemakers)?;
        }
        let scratch = Scratch::new("executor")?;
        let script = scratch.path().join("client.py");
        fs::write(&script, CLIENT)?;
        let daemon = command(program::tool("pacemaker-execd")?).stdin(Stdio::null()).spawn()?;
        let mut client = command(program::tool("python3")?)
            .arg(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(say), Some(hear)) = (client.stdin.take(), client.stdout.take()) else {
            return Err("the client has no pipes".into());
        };
        let hear = BufReader::new(hear);
        let mut executor = Self { daemon, client, say, hear, _scratch: scratch };
        match executor.hear()?.as_str() {
            "ready" => Ok(executor),
            other => Err(format!("pacemaker-execd does not answer ({other})\n{}", log()).into()),
        }
    }

    /// Makes a resource known.
    ///
    /// # Errors
    /// When the daemon refuses.
    pub fn register(&mut self, id: &str, agent: &Peers) -> Outcome {
        let name = agent.name.replace('/', " ");
        match self.ask(&format!("register {id} {name}"))?.as_str() {
            "ok" => Ok(()),
            other => Err(format!("{id} can't be registered: {other}\n{}", log()).into()),
        }
    }

    /// Lets an action run, once or every `interval` ms, with a timeout in ms; gives the call's number.
    ///
    /// # Errors
    /// When the daemon refuses.
    pub fn begin(&mut self, id: &str, action: &str, times: [u32; 2], with: &str) -> Outcome<u32> {
        let [interval, timeout] = times;
        // What the controller adds of its own: the interval only where there is one.
        let mut meta = format!("CRM_meta_timeout={timeout}");
        if interval > 0 {
            meta += &format!(" CRM_meta_interval={interval}");
        }
        let answer = self.ask(&format!("exec {id} {action} {interval} {timeout} {meta} {with}"))?;
        let call = answer.strip_prefix("ok ").and_then(|call| call.parse().ok());
        call.ok_or_else(|| format!("{action} of {id} can't be run: {answer}\n{}", log()).into())
    }

    /// The next result of a call; those of other calls that come before are left out.
    ///
    /// # Errors
    /// When none comes within the seconds.
    pub fn result(&mut self, call: u32, seconds: u32) -> Outcome<Event> {
        loop {
            let line = self.ask(&format!("event {seconds}"))?;
            if line == "none" {
                return Err(format!("no result of call {call} in {seconds} s\n{}", log()).into());
            }
            let event = parse(&line)?;
            if event.call == call {
                return Ok(event);
            }
        }
    }

    /// Runs an action once, and gives its result.
    ///
    /// # Errors
    /// As [`Self::begin`] and [`Self::result`].
    pub fn run(&mut self, id: &str, action: &str, timeout: u32, with: &str) -> Outcome<Event> {
        let call = self.begin(id, action, [0, timeout], with)?;
        self.result(call, 60)
    }

    /// Ends a recurring action.
    ///
    /// # Errors
    /// When the daemon refuses.
    pub fn cancel(&mut self, id: &str, action: &str, interval: u32) -> Outcome {
        match self.ask(&format!("cancel {id} {action} {interval}"))?.as_str() {
            "ok" => Ok(()),
            other => Err(format!("{action} of {id} can't be cancelled: {other}").into()),
        }
    }

    fn ask(&mut self, line: &str) -> Outcome<String> {
        writeln!(self.say, "{}", line.trim_end())?;
        self.hear()
    }

    fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.hear.read_line(&mut line)? {
            0 => Err(format!("the client of pacemaker-execd ended\n{}", log()).into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        for child in [&mut self.client, &mut self.daemon] {
            let _ended_already = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn parse(line: &str) -> Outcome<Event> {
    let mut words = line.splitn(5, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (call, _action, status, code, reason) = (next(), next(), next(), next(), next());
    let known = STATUSES.iter().find(|(number, _)| *number == status);
    Ok(Event {
        call: call.parse()?,
        status: known.map_or(status, |(_, name)| name).to_owned(),
        code: code.parse()?,
        reason: reason.to_owned(),
    })
}

#[expect(clippy::disallowed_methods, reason = "a daemon and its client run beside the test")]
fn command(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

fn prepare(path: &str, is_pacemakers: bool) -> Outcome {
    if !is_pacemakers {
        return place::empty(path);
    }
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o750))?;
    let user = User::from_name("hacluster")?.map(|user| user.uid);
    let group = Group::from_name("haclient")?.map(|group| group.gid);
    Ok(chown(Path::new(path), user, group)?)
}

/// The end of the daemon's log, for a message.
fn log() -> String {
    let text = fs::read_to_string("/var/log/pacemaker/pacemaker.log").unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
