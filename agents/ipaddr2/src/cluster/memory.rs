// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What starts on this node remember below /run, before they change anything: a stop finds the rules and the
//! hardware address by it, even when the interface's other addresses are gone by then, or its name is another
//! one; and it knows by it which other instances need the address.

use super::{Mac, identity};
use crate::record::{head, lines};
use ocf::{Result, StateFile};

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) interface: String,
    pub(crate) mac: Mac,
    pub(crate) seed: u32,
    /// The buckets of the instances that started here and haven't stopped, a bit each.
    pub(crate) started: u32,
}

impl Memory {
    /// What is in a file; `None` where there is none, or none of this boot.
    pub(crate) fn read(file: &StateFile) -> Option<Self> {
        Self::parse(std::str::from_utf8(&file.read().ok().flatten()?).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = lines(text)?;
        let line = |name: &str| lines.get(name).copied();
        Some(Self {
            interface: line("interface")?.to_owned(),
            mac: identity::parse_mac(line("mac")?).ok()?,
            seed: identity::parse_seed(line("seed")?).ok()?,
            started: identity::parse_seed(line("started")?).ok()?,
        })
    }

    fn text(&self) -> String {
        let (interface, mac, seed) = (&self.interface, crate::kernel::Mac(&self.mac), self.seed);
        let started = self.started;
        let head = head();
        format!(
            "{head}interface {interface}\nmac {mac}\nseed {seed:#010x}\nstarted {started:#010x}\n"
        )
    }

    /// Whether both ask for the same, whoever started.
    pub(crate) fn asks_for_the_same(&self, other: &Self) -> bool {
        *self == Self { started: self.started, ..other.clone() }
    }

    /// Puts it in place.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, file: &StateFile) -> Result<()> {
        file.write(self.text().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let (interface, mac) = ("v0".to_owned(), [0x23, 1, 2, 3, 4, 5]);
        let memory = Memory { interface, mac, seed: 0x1234, started: 5 };
        let text = memory.text();
        assert_eq!(Memory::parse(&text), Some(memory));
        for (good, bad) in [
            ("form 1", "form 2"),
            ("mac 23", "mac 22"),
            ("seed 0x", "seed "),
            ("started 0x", "started -"),
            ("boot", "bot"),
            ("interface v0\n", ""),
        ] {
            assert!(text.contains(good), "{good}");
            assert_eq!(Memory::parse(&text.replace(good, bad)), None, "{bad}");
        }
        for cut in 0..text.len() {
            let _no_panic = Memory::parse(text.get(..cut).unwrap());
        }
    }
}
