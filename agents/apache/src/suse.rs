// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What SUSE's own configuration needs beside its file: parts of it are generated before every start, and
//! the status module is loaded by whoever starts the server.

use crate::layout::SUSE;
use ocf::command::Command;
use ocf::{Context, tracing};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// What is generated, as the configuration includes it, and the tool that does it.
const GENERATED: (&str, &str) =
    ("/etc/apache2/sysconfig.d/include.conf", "/usr/sbin/start_apache2");

/// What the status page's part needs, as the configuration includes that.
const STATUS: (&str, &str) =
    ("/etc/apache2/mod_status.conf", "/usr/lib64/apache2-prefork/mod_status.so");

/// The most of the configuration that is looked through.
const LONGEST: u64 = 1 << 20;

/// The part of the time that generating may take, in percent.
const FOR_GENERATING: u32 = 40;

/// Has the generated parts made where the configuration includes them.
pub(crate) fn generate(context: &Context, configuration: &Path) {
    let (part, tool) = GENERATED;
    if !includes(configuration, part) || !Path::new(tool).is_file() {
        return;
    }
    match Command::new(context, tool).arg("-t").run(&context.deadline.share(FOR_GENERATING)) {
        Ok(output) if output.is_success() => {}
        // The server says what is missing then.
        Ok(output) => tracing::warn!("{tool} -t fails: {}", output.last_words()),
        Err(failure) => tracing::warn!("{failure}"),
    }
}

/// The words that load the status module where the configuration includes its page.
pub(crate) fn status_words(configuration: &Path) -> Vec<String> {
    let (part, module) = STATUS;
    if includes(configuration, part) && Path::new(module).is_file() {
        return vec!["-C".to_owned(), format!("LoadModule status_module {module}")];
    }
    Vec::new()
}

/// Whether this is SUSE's own configuration, and includes a part.
fn includes(configuration: &Path, part: &str) -> bool {
    if configuration != Path::new(SUSE) || !fs::metadata(SUSE).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut text = Vec::new();
    let read = File::open(SUSE).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
    read.is_ok() && is_in(&String::from_utf8_lossy(&text), part)
}

fn is_in(text: &str, part: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        words.next() == Some("Include") && words.next() == Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_includes() {
        let text = "#Include /a\n Include  /b\nInclude /cc\nIncludeOptional /d\n";
        let found = ["/a", "/b", "/c", "/d"].map(|part| is_in(text, part));
        assert_eq!(found, [false, true, false, false]);
        assert!(!includes(Path::new("/etc/other.conf"), "/b"));
    }
}
