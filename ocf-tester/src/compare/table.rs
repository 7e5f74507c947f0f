// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tables of differences in Markdown, kept true in both directions: a difference without a row is
//! wrong, and so is a row whose difference is gone.

use super::Difference;
use std::collections::HashSet;
use std::fmt;

/// The columns that make a table one of differences; each by any of its names.
const COLUMNS: [&[&str]; 4] = [&["scenario"], &["shell", "A"], &["ours", "B"], &["why"]];

/// The columns of exit reasons, which a table may have as well.
const REASONS: [&str; 2] = ["reason of A", "reason of B"];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The scenario's id.
    pub scenario: String,
    /// What the first agent does.
    pub shell: String,
    /// What the second does.
    pub ours: String,
    /// The exit reasons of both, where the table has them.
    pub reasons: Option<[String; 2]>,
    /// Why that is right.
    pub why: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

/// A table that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    line: usize,
    problem: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for TableError {}

/// The rows of every table with the columns scenario, shell (or A), ours (or B) and why, in any
/// order.
///
/// # Errors
/// When a row of such a table has another number of cells, or a scenario has two rows.
pub fn read(markdown: &str) -> Result<Vec<Row>, TableError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut seen = HashSet::new();
    let mut columns: Option<Columns> = None;
    for (number, text) in markdown.lines().enumerate() {
        let line = number + 1;
        let error = |problem| Err(TableError { line, problem });
        let Some(cells) = cells(text) else {
            columns = None;
            continue;
        };
        let Some(Columns { places, reasons, width }) = &columns else {
            columns = Columns::find(&cells);
            continue;
        };
        if cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-: ".contains(c))) {
            continue;
        }
        if cells.len() != *width {
            return error(format!("{} cells in a table of {width} columns", cells.len()));
        }
        let cell = |place: usize| cells.get(place).cloned().unwrap_or_default();
        let [scenario, shell, ours, why] = places.map(cell);
        let row =
            Row { scenario, shell, ours, why, reasons: reasons.map(|two| two.map(cell)), line };
        if !seen.insert(row.scenario.clone()) {
            return error(format!("a second row for \"{}\"", row.scenario));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The cells of a table row; `None` for any other line. A pipe in a cell is written `\|`.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inner);
    let cells = inner.replace("\\|", "\0");
    Some(cells.split('|').map(|cell| plain(&cell.replace('\0', "|"))).collect())
}

/// A cell without the marks that only set it in another type.
fn plain(cell: &str) -> String {
    cell.trim().replace('`', "")
}

/// Where the columns of a table are.
struct Columns {
    places: [usize; 4],
    reasons: Option<[usize; 2]>,
    width: usize,
}

impl Columns {
    /// Those of a table of differences.
    fn find(header: &[String]) -> Option<Self> {
        let of = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        let any = |names: &[&str]| names.iter().find_map(|name| of(name));
        let [scenario, shell, ours, why] = COLUMNS.map(any);
        let [first, second] = REASONS.map(of);
        Some(Self {
            places: [scenario?, shell?, ours?, why?],
            reasons: first.zip(second).map(|(first, second)| [first, second]),
            width: header.len(),
        })
    }
}

/// The head of a table that takes differences as rows, with or without exit reasons.
#[must_use]
pub fn head(reasons: bool) -> String {
    let middle = if reasons { REASONS.join(" | ") + " | " } else { String::new() };
    let rule = "|---".repeat(if reasons { 6 } else { 4 });
    format!("| scenario | A | B | {middle}why |\n{rule}|\n")
}

impl Row {
    /// Whether the row has the cells of this difference. Exit reasons count where both have them.
    fn says(&self, seen: &Difference) -> bool {
        let reasons = match (&self.reasons, &seen.reasons) {
            (Some(own), Some(seen)) => *own == seen.each_ref().map(|text| plain(text)),
            (None, Some(seen)) => seen.iter().all(String::is_empty),
            (_, None) => true,
        };
        reasons && self.shell == plain(&seen.shell) && self.ours == plain(&seen.ours)
    }
}

/// A disagreement between a table and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Seen, and not in the table.
    NoRow(Difference),
    /// In the table, and not seen.
    Gone(Row),
    /// In the table as something else.
    Changed(Row, Difference),
    /// In the table without a reason.
    NoReason(Row),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRow(seen) => {
                write!(f, "a difference without a row; add with its reason: {seen}")
            }
            Self::Gone(row) => write!(
                f,
                "line {}: \"{}\" shows no difference any more (or isn't a scenario); remove the row",
                row.line, row.scenario
            ),
            Self::Changed(row, seen) => write!(
                f,
                "line {}: the row says \"{}\" and \"{}\"; it has to be: {seen}",
                row.line, row.shell, row.ours
            ),
            Self::NoReason(row) => {
                write!(f, "line {}: \"{}\" has no reason", row.line, row.scenario)
            }
        }
    }
}

/// Checks that the rows are exactly the differences, each with a reason.
///
/// # Errors
/// Every disagreement.
pub fn agree(rows: &[Row], differences: &[Difference]) -> Result<(), Vec<Mismatch>> {
    let mut wrong = Vec::new();
    for seen in differences {
        match rows.iter().find(|row| row.scenario == plain(&seen.scenario)) {
            None => wrong.push(Mismatch::NoRow(seen.clone())),
            Some(row) if !row.says(seen) => {
                wrong.push(Mismatch::Changed(row.clone(), seen.clone()));
            }
            Some(_) => {}
        }
    }
    for row in rows {
        if !differences.iter().any(|seen| plain(&seen.scenario) == row.scenario) {
            wrong.push(Mismatch::Gone(row.clone()));
        } else if row.why.is_empty() {
            wrong.push(Mismatch::NoReason(row.clone()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Differences

| action | note |
|---|---|
| start | not a table of differences |

| scenario | shell | ours | why |
|---|:--:|---|---|
| `Dummy stop` | 8 | 0; removed a\\|b | upstream doesn't stop |
";

    fn seen(shell: &str) -> Difference {
        Difference {
            scenario: "Dummy stop".to_owned(),
            shell: shell.to_owned(),
            ours: "0; removed a|b".to_owned(),
            reasons: None,
        }
    }

    #[test]
    fn a_true_table_agrees() {
        let rows = read(TABLE).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(agree(&rows, &[seen("8")]), Ok(()));
    }

    #[test]
    fn a_difference_survives_being_pasted() {
        let pasted = seen("1").to_string().replace("| |", "| because |");
        let rows = read(&format!("|scenario|shell|ours|why|\n|-|-|-|-|\n{pasted}\n")).unwrap();
        assert_eq!(agree(&rows, &[seen("1")]), Ok(()));
    }

    #[test]
    fn exit_reasons_are_compared_where_both_have_them() {
        let with =
            |one: &str| Difference { reasons: Some([one.to_owned(), String::new()]), ..seen("1") };
        let paste = |one: &Difference| {
            let text = one.to_string();
            format!("{}| because |", text.strip_suffix("| |").unwrap())
        };
        let rows = read(&(head(true) + &paste(&with("no | here")))).unwrap();
        assert_eq!(agree(&rows, &[with("no | here")]), Ok(()));
        assert!(agree(&rows, &[with("other")]).is_err());
        assert_eq!(agree(&rows, &[seen("1")]), Ok(()), "reasons weren't looked at");
        let rows = read(&(head(false) + &paste(&seen("1")))).unwrap();
        assert!(agree(&rows, &[with("x")]).is_err());
        assert_eq!(agree(&rows, &[with("")]), Ok(()));
    }

    #[test]
    fn every_disagreement_is_found() {
        let rows = read(TABLE).unwrap();
        let other = Difference { scenario: "other".to_owned(), ..seen("8") };
        let wrong = agree(&rows, &[seen("1"), other]).unwrap_err();
        assert!(matches!(wrong.as_slice(), [Mismatch::Changed(..), Mismatch::NoRow(_)]));
        let wrong = agree(&rows, &[]).unwrap_err();
        assert!(matches!(wrong.as_slice(), [Mismatch::Gone(_)]));
        let bare = [Row { why: String::new(), ..rows[0].clone() }];
        let wrong = agree(&bare, &[seen("8")]).unwrap_err();
        assert!(matches!(wrong.as_slice(), [Mismatch::NoReason(_)]));
    }

    #[test]
    fn broken_tables_are_refused() {
        let head = "| scenario | shell | ours | why |\n|--|--|--|--|\n";
        assert!(read(&format!("{head}| a | b |\n")).is_err());
        assert!(read(&format!("{head}| a | 0 | 1 | x |\n| a | 0 | 1 | x |\n")).is_err());
    }
}
