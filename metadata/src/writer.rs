// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Writes a description as XML, in the form every consumer accepts: no encoding declaration (crmsh
//! refuses one), no DOCTYPE, the order of elements of the 1.1 schema, capitalised roles, and an `s`
//! behind every time.

use crate::model::{API_VERSION, ActionRow, Description, ParameterRow, paragraphs};
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::Writer;
use std::io;

/// The description as an XML document, ending in a newline.
///
/// # Errors
/// Only what the writer below would give; writing to memory has none in practice.
pub fn to_xml(description: &Description) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::with_capacity(8192), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", None, None)))?;
    let about = description.about;
    xml.create_element("resource-agent")
        .with_attributes([("name", about.name), ("version", about.version)])
        .write_inner_content(|xml| {
            text(xml, "version", API_VERSION)?;
            describe(xml, "longdesc", &paragraphs(about.long))?;
            describe(xml, "shortdesc", about.short)?;
            xml.create_element("parameters").write_inner_content(|xml| {
                for row in &description.parameters {
                    parameter(xml, row)?;
                    if let Some(alias) = row.alias {
                        deprecated(xml, row, alias)?;
                    }
                }
                Ok(())
            })?;
            xml.create_element("actions").write_inner_content(|xml| {
                description.actions.iter().try_for_each(|row| action(xml, row))
            })?;
            Ok(())
        })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(io::Error::other)
}

type Xml = Writer<Vec<u8>>;

fn text(xml: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(content))?;
    Ok(())
}

fn describe(xml: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    xml.create_element(name)
        .with_attribute(("lang", "en"))
        .write_text_content(BytesText::new(content))?;
    Ok(())
}

fn parameter(xml: &mut Xml, row: &ParameterRow) -> io::Result<()> {
    let mut element = xml.create_element("parameter").with_attribute(("name", row.name));
    if let Some(group) = row.unique_group {
        element = element.with_attribute(("unique-group", group));
    }
    if row.is_required() {
        element = element.with_attribute(("required", "1"));
    }
    if row.reloadable {
        element = element.with_attribute(("reloadable", "1"));
    }
    element.write_inner_content(|xml| {
        describe(xml, "longdesc", &row.long())?;
        describe(xml, "shortdesc", &row.short())?;
        content(xml, row)
    })?;
    Ok(())
}

/// The row of an old name: its type, and the name to use instead.
fn deprecated(xml: &mut Xml, row: &ParameterRow, alias: &str) -> io::Result<()> {
    let hint = format!("Old name of {}.", row.name);
    xml.create_element("parameter").with_attribute(("name", alias)).write_inner_content(|xml| {
        xml.create_element("deprecated").write_inner_content(|xml| {
            xml.create_element("replaced-with").with_attribute(("name", row.name)).write_empty()?;
            Ok(())
        })?;
        describe(xml, "longdesc", &hint)?;
        describe(xml, "shortdesc", &hint)?;
        content(xml, &ParameterRow { default: None, ..*row })
    })?;
    Ok(())
}

fn content(xml: &mut Xml, row: &ParameterRow) -> io::Result<()> {
    let mut element = xml.create_element("content").with_attribute(("type", row.content.word()));
    if let Some(default) = row.default {
        element = element.with_attribute(("default", default));
    }
    match row.content {
        crate::Content::Select(words) => {
            element.write_inner_content(|xml| {
                for word in words {
                    xml.create_element("option").with_attribute(("value", *word)).write_empty()?;
                }
                Ok(())
            })?;
        }
        _ => {
            element.write_empty()?;
        }
    }
    Ok(())
}

fn action(xml: &mut Xml, row: &ActionRow) -> io::Result<()> {
    let seconds = |n: u32| format!("{n}s");
    let mut element = xml.create_element("action").with_attribute(("name", row.name));
    element = element.with_attribute(("timeout", seconds(row.timeout).as_str()));
    if let Some(interval) = row.interval {
        element = element.with_attribute(("interval", seconds(interval).as_str()));
    }
    if let Some(depth) = row.depth {
        element = element.with_attribute(("depth", depth.to_string().as_str()));
    }
    if let Some(role) = row.role {
        element = element.with_attribute(("role", role.word()));
    }
    element.write_empty()?;
    Ok(())
}
