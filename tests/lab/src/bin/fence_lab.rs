// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The fence agent of the lab: it asks the device outside to cut a host's power.
//!
//! Called as Pacemaker calls every fence agent: options as `name=value` lines on standard input,
//! the result in the exit code (0 done, 1 failed; for `status` 0 on, 2 off).

use lab::fence::{Request, SOCKET_ON_NODE};
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

const METADATA: &str = r#"<?xml version="1.0" ?>
<resource-agent name="fence_lab" shortdesc="Power switch of the lab">
<longdesc>Cuts the power of a host of the lab, which is a container, and gives it back.</longdesc>
<vendor-url></vendor-url>
<parameters>
  <parameter name="action" unique="0" required="0">
    <getopt mixed="-o, --action=[action]"/>
    <content type="string" default="reboot"/>
    <shortdesc lang="en">What to do</shortdesc>
  </parameter>
  <parameter name="plug" unique="0" required="0" obsoletes="port">
    <getopt mixed="-n, --plug=[id]"/>
    <content type="string"/>
    <shortdesc lang="en">The host, by its name in the cluster</shortdesc>
  </parameter>
  <parameter name="port" unique="0" required="0" deprecated="1">
    <getopt mixed="-n, --plug=[id]"/>
    <content type="string"/>
    <shortdesc lang="en">The host, by its name in the cluster</shortdesc>
  </parameter>
</parameters>
<actions>
  <action name="on" automatic="0"/>
  <action name="off"/>
  <action name="reboot"/>
  <action name="status"/>
  <action name="monitor"/>
  <action name="list"/>
  <action name="metadata"/>
  <action name="validate-all"/>
</actions>
</resource-agent>
"#;

fn main() -> ExitCode {
    let mut options = String::new();
    let read = std::io::stdin().take(65536).read_to_string(&mut options);
    let outcome = read
        .map_err(|e| format!("the options on standard input cannot be read: {e}"))
        .and_then(|_| run(&options));
    match outcome {
        Ok((said, code)) => {
            let _ = std::io::stdout().write_all(said.as_bytes());
            ExitCode::from(code)
        }
        Err(sentence) => {
            let _ = writeln!(std::io::stderr(), "fence_lab: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// What to print, and the exit code.
fn run(options: &str) -> Result<(String, u8), String> {
    let option = |names: &[&str]| {
        options.lines().rev().find_map(|line| {
            let (name, value) = line.trim().split_once('=')?;
            names.contains(&name).then(|| value.to_owned())
        })
    };
    let action = option(&["action", "option"]).unwrap_or_else(|| "reboot".into());
    let host = option(&["plug", "port", "nodename"]);
    let ask = |action: &str, host: &str| {
        let asker = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let asker = asker.trim().to_owned();
        Request { action: action.into(), host: host.into(), asker }.ask(Path::new(SOCKET_ON_NODE))
    };
    match action.as_str() {
        "metadata" => Ok((METADATA.into(), 0)),
        "validate-all" => Ok((String::new(), 0)),
        "monitor" | "list" => Ok((ask("list", "-")?.replace(' ', "\n") + "\n", 0)),
        "status" | "on" | "off" | "reboot" => {
            let host = host.ok_or("no host is named: give plug=HOST")?;
            let answer = ask(&action, &host)?;
            let code = if action == "status" && answer == "off" { 2 } else { 0 };
            Ok((answer + "\n", code))
        }
        other => Err(format!("there is no action '{other}'")),
    }
}
