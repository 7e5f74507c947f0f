// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `$((…))`: whole numbers of 64 bits, and variables that hold such. Nothing is assigned.

/// The bound on what stands inside one another.
const DEEPEST: usize = 32;

/// The operators of two sides, those that bind weakest first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// The value of an expression, with the values of names; `None` where it is none.
pub(super) fn evaluate(text: &str, value: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    let mut reader = Reader { rest: text, value, depth: 0 };
    if text.trim().is_empty() {
        return Some(0);
    }
    let result = reader.choice()?;
    reader.rest.trim_start().is_empty().then_some(result)
}

/// A number in C's forms.
pub(super) fn parse_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let number = match (hex, digits.strip_prefix('0').filter(|octal| !octal.is_empty())) {
        (Some(hex), _) => i64::from_str_radix(hex, 16),
        (None, Some(octal)) => i64::from_str_radix(octal, 8),
        (None, None) => digits.parse(),
    };
    let number = number.ok()?;
    Some(if is_negative { number.wrapping_neg() } else { number })
}

struct Reader<'a> {
    rest: &'a str,
    value: &'a dyn Fn(&str) -> Option<i64>,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, operator: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(operator) else { return false };
        // `&&` isn't `&`, `<<` isn't `<`, and `|=` assigns, which nobody here does.
        let is_longer = match operator {
            "&" | "|" => rest.starts_with([operator.chars().next().unwrap_or(' '), '=']),
            "<" | ">" => rest.starts_with(['<', '>', '=']),
            "+" | "-" => rest.starts_with([operator.chars().next().unwrap_or(' '), '=']),
            "*" | "/" | "%" | "^" | "<<" | ">>" => rest.starts_with('='),
            _ => false,
        };
        if !is_longer {
            self.rest = rest;
        }
        !is_longer
    }

    /// `a ? b : c`, or less.
    fn choice(&mut self) -> Option<i64> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let test = self.level(0)?;
        let result = if self.take("?") {
            let then = self.choice()?;
            let otherwise = self.take(":").then(|| self.choice())??;
            if test == 0 { otherwise } else { then }
        } else {
            test
        };
        self.depth -= 1;
        Some(result)
    }

    fn level(&mut self, level: usize) -> Option<i64> {
        let Some(operators) = LEVELS.get(level) else { return self.single() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.level(level + 1)?;
            left = apply(left, operator, right)?;
        }
        Some(left)
    }

    fn single(&mut self) -> Option<i64> {
        let mut signs = Vec::new();
        while let Some(sign) = self.rest.trim_start().chars().next().filter(|c| "-+!~".contains(*c))
        {
            self.rest = self.rest.trim_start().strip_prefix(sign)?;
            signs.push(sign);
        }
        let mut result = self.operand()?;
        for sign in signs.into_iter().rev() {
            result = match sign {
                '-' => result.wrapping_neg(),
                '!' => i64::from(result == 0),
                '~' => !result,
                _ => result,
            };
        }
        Some(result)
    }

    fn operand(&mut self) -> Option<i64> {
        if self.take("(") {
            let inner = self.choice()?;
            return self.take(")").then_some(inner);
        }
        let text = self.rest.trim_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (word, rest) = text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()));
        self.rest = rest;
        match word.chars().next()? {
            first if first.is_ascii_digit() => parse_number(word),
            _ => (self.value)(word),
        }
    }
}

fn apply(left: i64, operator: &str, right: i64) -> Option<i64> {
    let shift = u32::try_from(right & 63).ok()?;
    Some(match operator {
        "||" => i64::from(left != 0 || right != 0),
        "&&" => i64::from(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "<<" => left.wrapping_shl(shift),
        ">>" => left.wrapping_shr(shift),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right)?,
        "%" => left.checked_rem(right)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_come_out_as_in_c() {
        let value = |name: &str| (name == "X").then_some(5);
        for (text, expected) in [
            ("1+2*3", Some(7)),
            (" ( 1 + 2 ) * 3 ", Some(9)),
            ("-X - -2", Some(-3)),
            ("X<<2|1", Some(21)),
            ("X > 4 && X != 6", Some(1)),
            ("X?2:3", Some(2)),
            ("!X", Some(0)),
            ("0x10 + 010", Some(24)),
            ("7 % 4 / 2", Some(1)),
            ("~0", Some(-1)),
            ("", Some(0)),
            ("1/0", None),
            ("X=1", None),
            ("X+=1", None),
            ("X++", None),
            ("1 2", None),
            ("Y", None),
            ("08", None),
            ("9223372036854775808", None),
            ("-9223372036854775807-2", Some(i64::MAX)),
        ] {
            assert_eq!(evaluate(text, &value), expected, "{text}");
        }
        for flood in ["(", "-", "1?", "1+", "!"] {
            assert_eq!(evaluate(&flood.repeat(100_000), &value), None, "{flood}");
        }
    }
}
