// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `[ … ]`.

use nix::unistd::{AccessFlags, access};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether a condition holds; `None` where it is none.
pub(super) fn holds(words: &[Vec<u8>]) -> Option<bool> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    evaluate(&words, 0)
}

fn evaluate(words: &[&[u8]], depth: usize) -> Option<bool> {
    if depth > 32 {
        return None;
    }
    match words {
        [] => Some(false),
        [word] => Some(!word.is_empty()),
        // With two and three words their number decides what they are, whatever they are.
        [b"!", word] => Some(word.is_empty()),
        [operator, word] => unary(operator, word),
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        [b"!", rest @ ..] if rest.len() < 4 => Some(!evaluate(rest, depth + 1)?),
        [b"(", inner @ .., b")"] if inner.len() < 3 => evaluate(inner, depth + 1),
        words => joined(words, depth),
    }
}

/// With `-o` and `-a` between.
fn joined(words: &[&[u8]], depth: usize) -> Option<bool> {
    for (operator, is_or) in [(b"-o".as_slice(), true), (b"-a", false)] {
        if let Some(at) = words.iter().position(|word| *word == operator) {
            let (left, right) = words.split_at_checked(at)?;
            let right = right.split_first()?.1;
            let (left, right) = (evaluate(left, depth + 1)?, evaluate(right, depth + 1)?);
            return Some(if is_or { left || right } else { left && right });
        }
    }
    match words {
        [b"!", rest @ ..] => Some(!evaluate(rest, depth + 1)?),
        _ => None,
    }
}

/// Whether it compares numbers.
pub(super) fn is_numeric(operator: &[u8]) -> bool {
    matches!(operator, b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge")
}

fn is_binary(operator: &[u8]) -> bool {
    let all = ["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-a", "-o"];
    all.iter().any(|known| known.as_bytes() == operator)
}

/// Whether a comparison holds; `None` where it is none.
pub(super) fn binary(left: &[u8], operator: &[u8], right: &[u8]) -> Option<bool> {
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.trim().parse::<i64>().ok();
    Some(match operator {
        b"=" | b"==" => left == right,
        b"!=" => left != right,
        b"-a" => !left.is_empty() && !right.is_empty(),
        b"-o" => !left.is_empty() || !right.is_empty(),
        b"-eq" => number(left)? == number(right)?,
        b"-ne" => number(left)? != number(right)?,
        b"-lt" => number(left)? < number(right)?,
        b"-le" => number(left)? <= number(right)?,
        b"-gt" => number(left)? > number(right)?,
        b"-ge" => number(left)? >= number(right)?,
        _ => return None,
    })
}

/// Whether something is so of a word; `None` where nothing is asked.
pub(super) fn unary(operator: &[u8], word: &[u8]) -> Option<bool> {
    let path = Path::new(OsStr::from_bytes(word));
    let may = |flag| access(path, flag).is_ok();
    Some(match operator {
        b"-n" => !word.is_empty(),
        b"-z" => word.is_empty(),
        b"-e" => path.exists(),
        b"-f" => path.is_file(),
        b"-d" => path.is_dir(),
        b"-h" | b"-L" => path.is_symlink(),
        b"-s" => path.metadata().is_ok_and(|metadata| metadata.len() > 0),
        // The agents have no terminal, and neither has a server.
        b"-t" => false,
        b"-r" => may(AccessFlags::R_OK),
        b"-w" => may(AccessFlags::W_OK),
        b"-x" => may(AccessFlags::X_OK),
        _ => return None,
    })
}
