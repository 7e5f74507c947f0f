// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Sets of bytes: what stands in brackets (POSIX.1-2017, section 9.3.5), and what stands for such a set.

/// Which bytes a place may have. Upper-case letters are never among them: pages are folded.
#[derive(Clone, Copy)]
pub(super) struct Set([bool; 256]);

/// One thing in brackets.
enum Element {
    Byte(u8),
    /// That no range begins or ends with.
    Class(fn(&u8) -> bool),
    Equals(u8),
}

/// Letters, digits and the underscore: what words are made of.
pub(super) fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// isspace(3) in the C locale.
pub(super) fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl Set {
    /// The bytes for which something holds.
    pub(super) fn of(holds: impl Fn(&u8) -> bool) -> Self {
        let mut set = Self([false; 256]);
        (0..=u8::MAX).filter(holds).for_each(|byte| set.add(byte));
        set
    }

    /// The bytes that aren't in it.
    pub(super) fn inverted(&self) -> Self {
        let Self(is_in) = self;
        let mut inverted = Self(is_in.map(|is_in| !is_in));
        (b'A'..=b'Z').for_each(|byte| inverted.put(byte, false));
        inverted
    }

    fn add(&mut self, byte: u8) {
        self.put(byte.to_ascii_lowercase(), true);
    }

    fn put(&mut self, byte: u8, is_in: bool) {
        if let Some(place) = self.0.get_mut(usize::from(byte)) {
            *place = is_in;
        }
    }

    fn add_element(&mut self, element: &Element) {
        match element {
            Element::Byte(byte) | Element::Equals(byte) => self.add(*byte),
            Element::Class(holds) => {
                (0..=u8::MAX).filter(holds).for_each(|byte| self.add(byte));
            }
        }
    }

    /// As the engine writes it.
    pub(super) fn write(&self, pattern: &mut String) {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        // No line has a newline or a NUL.
        let is_there = |(byte, is_in): &(u8, bool)| *is_in && !matches!(byte, b'\n' | 0);
        for (byte, _) in (0..=u8::MAX).zip(self.0).filter(is_there) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(byte) => *last = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        match *ranges.as_slice() {
            // What can't be.
            [] => pattern.push_str(r"[^\x00-\xFF]"),
            [(only, last)] if only == last => write_byte(only, pattern),
            _ => {
                pattern.push('[');
                for (first, last) in ranges {
                    write_byte(first, pattern);
                    if first != last {
                        pattern.push('-');
                        write_byte(last, pattern);
                    }
                }
                pattern.push(']');
            }
        }
    }
}

/// One byte, as the engine writes it.
pub(super) fn write_byte(byte: u8, pattern: &mut String) {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    pattern.extend(['\\', 'x', digit(byte >> 4), digit(byte & 15)]);
}

/// What stands behind an opening bracket, and what follows the closing one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<(Set, &[u8]), String> {
    let (is_inverted, mut rest) = match text {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut set = Set([false; 256]);
    let begin = rest;
    let mut is_plain = true;
    while rest.first() != Some(&b']') || rest.len() == begin.len() {
        if rest.len() < begin.len() && rest.starts_with(b"-") && !rest.starts_with(b"-]") {
            return Err("a hyphen in brackets stands neither first nor last".to_owned());
        }
        let (first, behind) = element(rest)?;
        rest = match behind {
            [b'-', last, ..] if *last != b']' => {
                let (last, behind) = element(behind.get(1..).unwrap_or_default())?;
                add_range(&mut set, &first, &last)?;
                is_plain = false;
                behind
            }
            _ => {
                set.add_element(&first);
                is_plain &= matches!(first, Element::Byte(_));
                behind
            }
        };
    }
    let inside = begin.get(..begin.len() - rest.len()).unwrap_or_default();
    let has_colons = inside.starts_with(b":") && inside.ends_with(b":");
    if is_plain && has_colons && inside.iter().any(|byte| *byte != b':') {
        return Err("a class of characters has two brackets: [[:space:]]".to_owned());
    }
    let set = if is_inverted { set.inverted() } else { set };
    Ok((set, rest.get(1..).unwrap_or_default()))
}

/// A range begins and ends as it does in capitals, so that `[_-a]` is none.
fn add_range(set: &mut Set, first: &Element, last: &Element) -> Result<(), String> {
    match (first, last) {
        (Element::Byte(first), Element::Byte(last))
            if first.to_ascii_uppercase() <= last.to_ascii_uppercase() =>
        {
            (*first..=*last).for_each(|byte| set.add(byte));
            Ok(())
        }
        _ => Err("a range in brackets ends before it begins".to_owned()),
    }
}

fn element(text: &[u8]) -> Result<(Element, &[u8]), String> {
    match text {
        [b'[', kind @ (b':' | b'.' | b'='), rest @ ..] => named(*kind, rest),
        [byte, rest @ ..] => Ok((Element::Byte(*byte), rest)),
        [] => Err("a bracket [ is not closed".to_owned()),
    }
}

/// `[:alpha:]`, `[.a.]`, `[=a=]`.
fn named(kind: u8, text: &[u8]) -> Result<(Element, &[u8]), String> {
    let end = text.windows(2).position(|two| two == [kind, b']']);
    let split = end.and_then(|end| Some((text.get(..end)?, text.get(end + 2..)?)));
    let (name, rest) = split.ok_or("a bracket [ is not closed")?;
    let element = match (kind, name) {
        (b':', name) => Element::Class(class(name)?),
        (b'.', [byte]) => Element::Byte(*byte),
        (_, [byte]) => Element::Equals(*byte),
        _ => return Err("a name in brackets is of more than one character".to_owned()),
    };
    Ok((element, rest))
}

fn class(name: &[u8]) -> Result<fn(&u8) -> bool, String> {
    Ok(match name {
        // Case doesn't count.
        b"alpha" | b"upper" | b"lower" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"xdigit" => u8::is_ascii_hexdigit,
        b"punct" => u8::is_ascii_punctuation,
        b"cntrl" => u8::is_ascii_control,
        b"graph" => u8::is_ascii_graphic,
        b"space" => is_space,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        _ => {
            let name = String::from_utf8_lossy(name);
            return Err(format!("there is no class [:{name}:]"));
        }
    })
}
