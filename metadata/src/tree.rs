// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A small XML tree: what the rules judge. Keeps the order of elements and every attribute, which a
//! typed reader would drop.

use crate::reader::ReadError;
use quick_xml::events::{BytesStart, Event};
use std::fmt;

/// Deeper nesting than any description needs is refused, so that hostile input can't exhaust
/// memory or the stack.
const MAX_DEPTH: usize = 64;

/// An element, its attributes in order, its children in order, and the text directly in it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// What stands around the root: consumers refuse some of it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Prolog {
    pub(crate) has_encoding: bool,
    pub(crate) has_doctype: bool,
    pub(crate) text_outside: bool,
}

/// The document as a tree.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Prolog, Element), ReadError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ReadError::new(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    // Anywhere: Pacemaker cuts the description at a NUL, and no XML reader takes the others.
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err(ReadError::new(format!(
            "not well-formed XML at byte {at}: {}",
            Forbidden(character)
        )));
    }
    let mut prolog =
        Prolog { text_outside: text.starts_with(char::is_whitespace), ..Prolog::default() };
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        let at = reader.buffer_position();
        let malformed = |why: &dyn fmt::Display| {
            ReadError::new(format!("not well-formed XML near byte {at}: {why}"))
        };
        let event = reader.read_event().map_err(|error| malformed(&error))?;
        let closed = match event {
            Event::Start(start) => {
                if root.is_some() || open.len() >= MAX_DEPTH {
                    return Err(malformed(&"a second root element, or nesting without end"));
                }
                open.push(element(&start).map_err(|error| malformed(&error))?);
                None
            }
            Event::Empty(start) => Some(element(&start).map_err(|error| malformed(&error))?),
            Event::End(_) => open.pop(),
            Event::Decl(declaration) => {
                prolog.has_encoding = declaration.encoding().is_some();
                None
            }
            Event::DocType(_) => {
                prolog.has_doctype = true;
                None
            }
            Event::Text(content) => {
                add_text(&content, &mut open, &mut prolog);
                None
            }
            Event::CData(content) => {
                add_text(&content, &mut open, &mut prolog);
                None
            }
            Event::GeneralRef(reference) => {
                let resolved = quick_xml::escape::unescape(&format!("&{};", &*reference))
                    .map_err(|error| malformed(&error))?
                    .into_owned();
                refuse_forbidden(&resolved).map_err(|error| malformed(&error))?;
                add_text(&resolved, &mut open, &mut prolog);
                None
            }
            Event::Comment(_) | Event::PI(_) => None,
            Event::Eof => break,
        };
        match (closed, open.last_mut()) {
            (Some(element), Some(parent)) => parent.children.push(element),
            (Some(element), None) if root.is_none() => root = Some(element),
            (Some(_), None) => return Err(malformed(&"a second root element")),
            (None, _) => {}
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok((prolog, root)),
        Some(_) | None => Err(ReadError::new("not a whole XML document".to_owned())),
    }
}

/// Whether XML 1.0 lets this character into a document ("2.2 Characters": Char); the surrogates,
/// which it excludes too, are no characters in Rust.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// A character that must not be in a document, neither as itself nor as a reference.
struct Forbidden(char);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the character U+{:04X}, which XML forbids", u32::from(self.0))
    }
}

/// Refuses what a character reference such as `&#1;` stands for, when that is forbidden.
fn refuse_forbidden(text: &str) -> Result<(), Forbidden> {
    match text.chars().find(|character| !is_allowed(*character)) {
        Some(character) => Err(Forbidden(character)),
        None => Ok(()),
    }
}

fn add_text(content: &str, open: &mut [Element], prolog: &mut Prolog) {
    match open.last_mut() {
        Some(parent) => parent.text.push_str(content),
        None => prolog.text_outside |= !content.trim().is_empty(),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key = attribute.key.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value)
            .map_err(|error| error.to_string())?
            .into_owned();
        refuse_forbidden(&value).map_err(|error| error.to_string())?;
        attributes.push((key, value));
    }
    let name = start.name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}
