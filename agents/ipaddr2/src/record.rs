// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What start remembers of an address, below /run: a hint that saves the kernel questions, and that finds
//! the interface again when it got another name. It is written *before* the address is added.

use crate::kernel::Link;
use crate::namespace::Identity;
use ocf::process::boot_id;
use ocf::{Context, Result, StateFile};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// The form of the file; another one's is nobody's.
const FORM: &str = "1";

/// An address that waits on the loopback interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnLo {
    /// `RT_SCOPE_*`.
    pub(crate) scope: u8,
    pub(crate) broadcast: Option<Ipv4Addr>,
}

impl OnLo {
    fn parse(text: &str) -> Option<Self> {
        let (scope, broadcast) = text.split_once(' ')?;
        let broadcast = match broadcast {
            "none" => None,
            address => Some(address.parse().ok()?),
        };
        Some(Self { scope: scope.parse().ok()?, broadcast })
    }
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whose address it is; empty in what an earlier version wrote.
    pub(crate) resource: String,
    /// The interface, by its index.
    pub(crate) index: u32,
    /// The length of the prefix.
    pub(crate) prefix: u8,
    /// The network namespace.
    pub(crate) namespace: Identity,
    /// The hardware address that was announced.
    pub(crate) mac: Vec<u8>,
    /// How often the interface's carrier had come or gone then.
    pub(crate) carrier_changes: u32,
    /// How the loopback interface had the address, if it did: it gets it back like that.
    pub(crate) on_lo: Option<OnLo>,
    /// The label by which the address is no source of connections.
    pub(crate) address_label: Option<u32>,
}

impl Record {
    /// The record in a file; `None` where there is none, or none of this boot and form.
    pub(crate) fn read(file: &StateFile) -> Option<Self> {
        Self::parse(std::str::from_utf8(&file.read().ok().flatten()?).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = lines(text)?;
        let line = |name: &str| lines.get(name).copied();
        let mac = line("mac")?.split(':').filter(|byte| !byte.is_empty());
        Some(Self {
            resource: line("resource").unwrap_or_default().to_owned(),
            index: line("index")?.parse().ok()?,
            prefix: line("prefix")?.parse().ok()?,
            namespace: Identity {
                inode: line("namespace")?.parse().ok()?,
                cookie: line("cookie").and_then(|cookie| cookie.parse().ok()),
            },
            mac: mac.map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<_>>()?,
            carrier_changes: line("carrier_changes")?.parse().ok()?,
            on_lo: line("on_lo").map(OnLo::parse).map_or(Some(None), |on_lo| on_lo.map(Some))?,
            address_label: line("address_label").and_then(|label| label.parse().ok()),
        })
    }

    fn text(&self) -> String {
        let (head, mac) = (head(), crate::kernel::Mac(&self.mac));
        let mut text = format!(
            "{head}index {}\nprefix {}\nnamespace {}\nmac {mac}\n\
             carrier_changes {}\n",
            self.index, self.prefix, self.namespace.inode, self.carrier_changes
        );
        if let Some(cookie) = self.namespace.cookie {
            text.push_str(&format!("cookie {cookie}\n"));
        }
        if let Some(OnLo { scope, broadcast }) = self.on_lo {
            let broadcast = broadcast.map_or_else(|| "none".to_owned(), |b| b.to_string());
            text.push_str(&format!("on_lo {scope} {broadcast}\n"));
        }
        let resource = self.resource.replace(char::is_control, "");
        if !resource.is_empty() {
            text.push_str(&format!("resource {resource}\n"));
        }
        if let Some(label) = self.address_label {
            text.push_str(&format!("address_label {label}\n"));
        }
        text
    }

    /// Puts it in place.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, file: &StateFile) -> Result<()> {
        file.write(self.text().as_bytes())
    }
}

/// The first lines of every file of these.
pub(crate) fn head() -> String {
    format!("form {FORM}\nboot {}\n", boot_id().unwrap_or_default())
}

/// What the lines of a file say, by their first words; `None` where it isn't one of this boot and form.
pub(crate) fn lines(text: &str) -> Option<BTreeMap<&str, &str>> {
    let lines: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once(' ')).collect();
    let is_of_now = lines.get("boot").copied() == boot_id().as_deref();
    (is_of_now && lines.get("form") == Some(&FORM)).then_some(lines)
}

/// Where something of an address is kept below /run: `kind` is the end of its name. What isn't of all
/// resources with that address has the interface in its name that was asked for: another one's is another
/// resource's.
pub(crate) fn file(
    context: &Context,
    ip: IpAddr,
    nic: Option<&str>,
    namespace: Option<&str>,
    kind: &str,
) -> StateFile {
    let part = |mark: char, name: Option<&str>| {
        name.map_or_else(String::new, |name| format!("{mark}{}", fitted(name)))
    };
    let (nic, namespace) = (part('%', nic), part('@', namespace));
    StateFile::at(context.directories.rsctmp.join(format!("IPaddr2-{ip}{nic}{namespace}.{kind}")))
}

/// What another resource than this one remembers of the address, for which it asked for that interface.
pub(crate) fn of_another(
    context: &Context,
    ip: IpAddr,
    link: &Link,
    namespace: Option<&str>,
) -> Option<Record> {
    let names = [&link.name].into_iter().chain(&link.altnames);
    let files = names.map(|name| file(context, ip, Some(name), namespace, "record"));
    let mut records = files.filter_map(|file| Record::read(&file));
    records.find(|record| record.resource != context.instance.name)
}

/// Whether a start of some address in this namespace remembers an interface.
pub(crate) fn is_remembered(context: &Context, index: u32) -> bool {
    let is_record = |path: &Path| path.extension() == Some(OsStr::new("record"));
    let mut records = files(context).filter(|path| is_record(path)).map(StateFile::at);
    records.any(|file| {
        Record::read(&file).is_some_and(|one| one.index == index && one.namespace.is_own())
    })
}

/// What is kept below /run.
fn files(context: &Context) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(&context.directories.rsctmp).into_iter().flatten().flatten().map(|one| one.path())
}

/// A name as a part of a file's. One that doesn't fit is told from others by its hash (FNV-1a, which doesn't
/// change with the compiler).
fn fitted(name: &str) -> String {
    let start: String = name.chars().take(48).map(|c| if c == '/' { '-' } else { c }).collect();
    if start == name {
        return start;
    }
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{start}-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            resource: "vip one".to_owned(),
            index: 7,
            prefix: 24,
            namespace: Identity { inode: 4_026_531_840, cookie: Some(9) },
            mac: vec![2, 0, 0x1f, 0, 0, 0xfe],
            carrier_changes: 3,
            on_lo: Some(OnLo { scope: 0, broadcast: Some(Ipv4Addr::BROADCAST) }),
            address_label: Some(99),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let silent = OnLo { scope: 254, broadcast: None };
        let others = [
            Record { mac: Vec::new(), address_label: None, ..record() },
            Record { on_lo: None, ..record() },
            // An earlier version's.
            Record { resource: String::new(), ..record() },
            Record { namespace: Identity { cookie: None, ..record().namespace }, ..record() },
            Record { on_lo: Some(silent), ..record() },
        ];
        for other in others.into_iter().chain([record()]) {
            assert_eq!(Record::parse(&other.text()), Some(other));
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        let text = record().text();
        for (name, bad) in [
            ("index 7", "index -7"),
            ("prefix 24", "prefix 256"),
            ("prefix 24\n", ""),
            ("mac 02", "mac zz"),
            ("namespace", "name"),
            ("form 1", "form 2"),
            ("boot ", "boot 0"),
            ("on_lo 0", "on_lo"),
        ] {
            assert!(text.contains(name), "{name}");
            assert_eq!(Record::parse(&text.replace(name, bad)), None, "{bad}");
        }
        for cut in 0..text.len() {
            let _no_panic = Record::parse(text.get(..cut).unwrap());
        }
    }

    #[test]
    fn names_that_do_not_fit_stay_apart() {
        let (one, other) = ("n".repeat(200), "n".repeat(201));
        assert_ne!(fitted(&one), fitted(&other));
        assert!(fitted(&one).len() < 80);
        assert_eq!(fitted("blue"), "blue");
        assert_ne!(fitted("a/b"), fitted("a-b"));
        assert!(!fitted("../a/b").contains('/'));
        let _whole_characters = fitted(&"é".repeat(100));
    }
}
