// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The sections that decide at reading whether their contents count.

use super::line::{take_word, trim};
use super::reader::Reader;

/// The version that is taken for the server's where it can't be asked: the newest of the branch that
/// all supported distributions have.
const VERSION: [u32; 3] = [2, 4, 99];

/// Whether a condition holds; `None` for a section that is none.
pub(super) fn holds(reader: &Reader<'_>, name: &str, arguments: &[u8]) -> Option<bool> {
    let arguments = trim(arguments);
    if name == "ifversion" {
        return Some(is_version(arguments));
    }
    let stripped = arguments.strip_prefix(b"!");
    let word = take_word(&mut stripped.unwrap_or(arguments)).unwrap_or_default();
    let holds = match name {
        "ifmodule" => reader.modules.has(&word),
        "ifdefine" => reader.defines.contains(&word),
        "iffile" => reader.below_root(&word).exists(),
        // Every directive that matters here is known to every server.
        "ifdirective" | "ifsection" => true,
        _ => return None,
    };
    Some(holds != stripped.is_some())
}

/// `<IfVersion [!][operator] version>`.
fn is_version(arguments: &[u8]) -> bool {
    let stripped = arguments.strip_prefix(b"!");
    let mut rest = stripped.unwrap_or(arguments);
    let first = take_word(&mut rest).unwrap_or_default();
    let (operator, version) = match take_word(&mut rest) {
        Some(version) => (first, version),
        None => (b"=".to_vec(), first),
    };
    let Some(wanted) = parse_version(&version) else { return stripped.is_some() };
    let holds = match operator.as_slice() {
        b"=" | b"==" => VERSION == wanted,
        b">" => VERSION > wanted,
        b">=" => VERSION >= wanted,
        b"<" => VERSION < wanted,
        b"<=" => VERSION <= wanted,
        _ => false,
    };
    holds != stripped.is_some()
}

/// `None` for an expression.
fn parse_version(text: &[u8]) -> Option<[u32; 3]> {
    let mut parts = std::str::from_utf8(text).ok()?.splitn(3, '.').map(str::parse);
    let mut next = || parts.next().unwrap_or(Ok(0)).ok();
    Some([next()?, next()?, next()?])
}
