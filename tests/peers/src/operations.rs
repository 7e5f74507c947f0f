// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The `<op>` rows that pcs writes into a cluster, and the table that explains extra ones.

use crate::Outcome;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// The operations of a CIB: for each, its attributes but the id, and its own parameters, as one line
/// such as `monitor interval=10s timeout=20s`.
///
/// # Errors
/// When the text is no XML.
pub fn of_cib(cib: &str) -> Outcome<Vec<String>> {
    let mut reader = Reader::from_str(cib);
    let mut operations: Vec<String> = Vec::new();
    let mut inside = false;
    loop {
        match reader.read_event()? {
            Event::Eof => break,
            Event::Start(tag) if tag.name().as_ref() == "op" => {
                operations.push(operation(&tag)?);
                inside = true;
            }
            Event::Empty(tag) if tag.name().as_ref() == "op" => operations.push(operation(&tag)?),
            Event::End(tag) if tag.name().as_ref() == "op" => inside = false,
            Event::Empty(tag) if inside && tag.name().as_ref() == "nvpair" => {
                let pair = attributes(&tag)?;
                let [name, value] = ["name", "value"].map(|key| pair.get(key).cloned());
                if let Some(last) = operations.last_mut() {
                    let pair = [name.unwrap_or_default(), value.unwrap_or_default()].join("=");
                    last.push_str(&format!(" {pair}"));
                }
            }
            _ => {}
        }
    }
    operations.sort();
    Ok(operations)
}

fn operation(tag: &BytesStart<'_>) -> Outcome<String> {
    let mut attributes = attributes(tag)?;
    attributes.remove("id");
    let name = attributes.remove("name").unwrap_or_default();
    Ok(attributes.iter().fold(name, |line, (key, value)| format!("{line} {key}={value}")))
}

fn attributes(tag: &BytesStart<'_>) -> Outcome<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for attribute in tag.attributes() {
        let attribute = attribute?;
        all.insert(attribute.key.as_ref().to_owned(), attribute.value.into_owned());
    }
    Ok(all)
}

/// The rows of the table `| op row | why |` of a DIFFERENCES.md that are about an agent: the first
/// cell is `<provider/Type>: +<operation>` for one that only ours has, `-` for one that only the
/// shell's has. Gives the signed operations.
///
/// # Errors
/// A row without a reason.
pub fn explained(markdown: &str, agent: &str) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    let rows = markdown.lines().skip_while(|line| !line.starts_with("| op row |")).skip(2);
    for line in rows.take_while(|line| line.starts_with('|')) {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
        let row = cells.next().unwrap_or_default();
        if cells.next().unwrap_or_default().is_empty() {
            return Err(format!("the op row \"{row}\" has no reason").into());
        }
        if let Some(operation) = row.strip_prefix(&format!("{agent}: ")) {
            found.push(operation.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// What differs between the shell's operations and ours, signed as in [`explained`].
#[must_use]
pub fn difference(shell: &[String], ours: &[String]) -> Vec<String> {
    let extra = ours.iter().filter(|op| !shell.contains(op)).map(|op| format!("+{op}"));
    let missing = shell.iter().filter(|op| !ours.contains(op)).map(|op| format!("-{op}"));
    let mut all: Vec<String> = extra.chain(missing).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<operations><op id="a" name="start" interval="0s" timeout="20s"/>
        <op name="monitor" interval="10s" id="b"><instance_attributes id="c">
        <nvpair id="d" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op></operations>"#;

    #[test]
    fn operations_are_read_with_their_check_level() {
        let rows = of_cib(CIB).unwrap();
        assert_eq!(
            rows,
            ["monitor interval=10s OCF_CHECK_LEVEL=10", "start interval=0s timeout=20s"]
        );
    }

    #[test]
    fn an_explanation_needs_a_reason() {
        let table =
            "| op row | why |\n|---|---|\n| a/B: +`notify` | it has one |\n| a/C: -stop | |\n";
        assert!(explained(table, "a/B").is_err());
        let good = table.replace("| |", "| because |");
        assert_eq!(explained(&good, "a/B").unwrap(), ["+notify"]);
        assert_eq!(difference(&["stop".into()], &["notify".into()]), ["+notify", "-stop"]);
    }
}
