// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the first start on this node remembers below /run, before it changes anything: a stop finds the
//! rules and the hardware address by it, even when the interface's other addresses are gone by then, or its
//! name is another one.

use super::{Mac, identity};
use ocf::process::boot_id;
use ocf::{Result, StateFile};
use std::collections::BTreeMap;

/// The form of the file; another one's is nobody's.
const FORM: &str = "1";

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) interface: String,
    pub(crate) mac: Mac,
    pub(crate) seed: u32,
}

impl Memory {
    /// What is in a file; `None` where there is none, or none of this boot.
    pub(crate) fn read(file: &StateFile) -> Option<Self> {
        let content = file.read().ok().flatten()?;
        let (boot, memory) = Self::parse(std::str::from_utf8(&content).ok()?)?;
        (Some(boot) == boot_id().as_deref()).then_some(memory)
    }

    fn parse(text: &str) -> Option<(&str, Self)> {
        let lines: BTreeMap<&str, &str> =
            text.lines().filter_map(|line| line.split_once(' ')).collect();
        let line = |name: &str| lines.get(name).copied();
        let memory = Self {
            interface: line("interface")?.to_owned(),
            mac: identity::parse_mac(line("mac")?).ok()?,
            seed: identity::parse_seed(line("seed")?).ok()?,
        };
        (line("form")? == FORM).then_some((line("boot")?, memory))
    }

    fn text(&self) -> String {
        let boot = boot_id().unwrap_or_default();
        let (interface, mac, seed) = (&self.interface, crate::kernel::Mac(&self.mac), self.seed);
        format!("form {FORM}\nboot {boot}\ninterface {interface}\nmac {mac}\nseed {seed:#010x}\n")
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
        let memory =
            Memory { interface: "v0".to_owned(), mac: [0x23, 1, 2, 3, 4, 5], seed: 0x1234 };
        let text = memory.text();
        let (boot, read) = Memory::parse(&text).unwrap();
        assert_eq!((read, Some(boot)), (memory, boot_id().as_deref()));
        for (good, bad) in [
            ("form 1", "form 2"),
            ("mac 23", "mac 22"),
            ("seed 0x", "seed "),
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
