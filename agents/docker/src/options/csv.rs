// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One line of comma separated values, as the long forms of `--mount`, `--network` and `--gpus` are
//! written: a value that holds a comma stands in double quotes, and a quote in it is doubled.

use super::flags::quoted;

/// The fields of a line.
pub(crate) fn fields(line: &str) -> Result<Vec<String>, String> {
    if line.is_empty() {
        return Err("the value is empty".to_owned());
    }
    let mut fields = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let (field, after) = match text.strip_prefix('"') {
            Some(text) => quoted_field(text).ok_or_else(|| misplaced(line))?,
            None => plain_field(text).ok_or_else(|| misplaced(line))?,
        };
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

fn misplaced(line: &str) -> String {
    format!("a double quote is misplaced in {}", quoted(line))
}

fn plain_field(text: &str) -> Option<(String, Option<&str>)> {
    let (field, after) = match text.split_once(',') {
        Some((field, after)) => (field, Some(after)),
        None => (text, None),
    };
    (!field.contains('"')).then(|| (field.to_owned(), after))
}

fn quoted_field(text: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None if after.is_empty() => return Some((field, None)),
            None => return Some((field, Some(after.strip_prefix(',')?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn quotes_hold_commas_together() {
        assert_eq!(fields("a,b=c").unwrap(), ["a", "b=c"]);
        assert_eq!(fields(r#""device=0,1",x"#).unwrap(), ["device=0,1", "x"]);
        assert_eq!(fields(r#""a""b""#).unwrap(), [r#"a"b"#]);
        assert_eq!(fields("a,").unwrap(), ["a", ""]);
        for wrong in ["", r#"""#, r#"a"b"#, r#""a"b"#] {
            assert!(fields(wrong).is_err(), "{wrong}");
        }
    }
}
