// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A test's own client: a program that is given the URL as its last argument, and prints the page. Passwords
//! go to curl and wget through their input, for everybody can read a process's arguments.

use crate::http::{self, LARGEST, Login, Page, Wish};
use ocf::command::{Command, End, find_program};
use ocf::{Context, Error, Result};
use reqwest::Url;
use std::path::{Path, PathBuf};

/// A program and its options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// None is curl or wget, whichever is there.
    program: Option<String>,
    options: Vec<String>,
}

impl Client {
    /// The client that a test names, perhaps with options. For curl and wget without options the agent asks
    /// itself. Blanks divide, and nothing keeps them: what stands in quotes is split, and its quotes stay.
    pub(super) fn of(program: &str, options: &str) -> Option<Self> {
        let mut words = program.split_ascii_whitespace().chain(options.split_ascii_whitespace());
        let program = if program.is_empty() { None } else { words.next() };
        let options: Vec<_> = words.map(str::to_owned).collect();
        match program {
            None | Some("curl" | "wget") if options.is_empty() => None,
            program => Some(Self { program: program.map(str::to_owned), options }),
        }
    }

    /// With a program that there is, where the test names none: the parameter `client`.
    pub(crate) fn or(self, program: &str, context: &Context) -> Self {
        let is_there =
            || !program.is_empty() && find_program(context, Path::new(program)).is_some();
        let program = self.program.or_else(|| is_there().then(|| program.to_owned()));
        Self { program, ..self }
    }

    /// The program on this host.
    ///
    /// # Errors
    /// `installed` (5): there is none.
    pub(crate) fn find(&self, context: &Context) -> Result<PathBuf> {
        // The shell agent of Debian 12 prefers wget.
        let names = self.program.as_deref().map_or(&["wget", "curl"] as &[&str], |_| &[]);
        let mut names = self.program.as_deref().into_iter().chain(names.iter().copied());
        names.find_map(|name| find_program(context, Path::new(name))).ok_or_else(|| {
            let name = self.program.as_deref().unwrap_or("wget or curl");
            Error::installed(format!("client {name} of the test is not installed"))
        })
    }

    /// Has it ask, and returns what it printed for a page.
    ///
    /// # Errors
    /// `installed` (5): it isn't there; `configured` (6): it would show a password to everybody;
    /// `generic` (1): it can't be run, doesn't end in time, or prints nothing.
    pub(crate) fn ask(&self, url: &Url, login: Option<&Login>, context: &Context) -> Result<Page> {
        let program = self.find(context)?;
        let command = Command::new(context, &program);
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut shown = url.clone();
        let of_url = take_login(&mut shown);
        let command = match (name.as_str(), login.cloned().or(of_url.clone())) {
            ("curl", None) => command.args(["-sSL", "-o", "-"]),
            ("curl", Some(login)) => {
                let quoted = format!("{}:{}", login.user, login.password);
                let quoted = quoted.replace('\\', r"\\").replace('"', "\\\"");
                command.args(["-sSL", "-o", "-", "-K", "-"]).stdin(format!("user = \"{quoted}\"\n"))
            }
            ("wget", None) => command.args(["-q", "--no-proxy", "-O", "-"]),
            ("wget", Some(login)) => {
                // It reads no configuration from a pipe, but URLs.
                let text = format!("{}\n", with_login(url.clone(), &login));
                let command = command.args(["-q", "--no-proxy", "-O", "-", "-i", "-"]);
                return run(command.args(&self.options).stdin(text), (&name, url), context);
            }
            _ if of_url.is_some() => {
                let wrong = "would show the URL's password to everybody: take it out";
                return Err(Error::configured(format!("client {name} of the test {wrong}")));
            }
            _ => command,
        };
        run(command.args(&self.options).arg(shown.as_str()), (&name, url), context)
    }
}

fn run(command: Command, (name, url): (&str, &Url), context: &Context) -> Result<Page> {
    let output = command.capture(LARGEST).run(&context.deadline)?;
    let url = http::shown(url);
    let mut body = output.stdout;
    if body.is_empty() {
        let end = match output.end {
            End::Exit(0) => String::new(),
            End::Exit(status) => format!(", and ended with status {status}"),
            End::Signal(signal) => format!(", and died of signal {signal}"),
        };
        return Err(Error::generic(format!("{url}: {name} printed nothing{end}")));
    }
    let is_whole = !output.truncated;
    if !is_whole {
        http::cut(&mut body);
    }
    // Such a program doesn't tell the status; what it prints is taken for the page.
    Ok(Page { url, status: 200, wish: Wish::default(), body, is_whole })
}

fn with_login(mut url: Url, login: &Login) -> Url {
    // Only a URL that has no host can't take them.
    let _is_there =
        url.set_username(&login.user).is_ok() && url.set_password(Some(&login.password)).is_ok();
    url
}

/// The login in a URL, which has none then.
fn take_login(url: &mut Url) -> Option<Login> {
    let decode = |text: &str| {
        let bytes = text.as_bytes();
        let mut decoded = Vec::new();
        let mut rest = bytes;
        while let Some((byte, behind)) = rest.split_first() {
            let hex = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            match hex.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *byte == b'%') {
                Some(escaped) => {
                    decoded.push(escaped);
                    rest = behind.get(2..).unwrap_or_default();
                }
                None => {
                    decoded.push(*byte);
                    rest = behind;
                }
            }
        }
        String::from_utf8_lossy(&decoded).into_owned()
    };
    let login = Login {
        user: decode(url.username()),
        password: decode(url.password().unwrap_or_default()),
    };
    // Only a URL that has no host can't lose them.
    let _is_gone = url.set_username("").is_ok() && url.set_password(None).is_ok();
    Some(login).filter(|login| !login.user.is_empty())
}
