// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every verdict is compared with the real grep's.

use super::Expression;
use ocf::error::Kind;
use std::io::Write;
use std::process::{Command, Stdio};

/// What is searched, line by line.
const LINES: &[&[u8]] = &[
    b"",
    b" ",
    b"a",
    b"A",
    b"b",
    b"ab",
    b"ba",
    b"aa",
    b"aB",
    b"abab",
    b"abcabc",
    b"aaa",
    b"aaaa",
    b"aab",
    b"abc",
    b"abd",
    b"xaby",
    b"a b",
    b"foo bar",
    b"Foo, bar_1!",
    b"foobar",
    b"_",
    b"1",
    b"12",
    b"a1",
    b"11",
    b"a*b",
    b"*",
    b"+",
    b"?",
    b"{",
    b"}",
    b"a{1",
    b"a{1}",
    b"{1}",
    b"a{,",
    b"(",
    b")",
    b"a)",
    b"()",
    b"[",
    b"]",
    b"[a]",
    b"^",
    b"$",
    b"a$b",
    b"^a",
    b"\\",
    b"a\\",
    b"a|b",
    b"|",
    b".",
    b"-",
    b"a-b",
    b":",
    b"=",
    b"<",
    b">",
    b",",
    b"d",
    b"n",
    b"w",
    b"W",
    b"  ",
    b"a\tb",
    b"a\x0bb",
    b"a\rb",
    b"a\r",
    b"\x7f",
    b"\x01",
    b"\xe4",
    b"\xc3\xa4",
    b"\xc3\x84",
    b"a\xffb",
    b"caf\xe9 x",
    b"ss",
    b"K",
    b"k",
    b"\xe2\x84\xaa",
    b"abcdefgh",
    b"</html>",
    b"</HTML >",
    b"</ html  >",
    b"< /html>",
    b"It works!",
    b"hello hello",
    b"hello world",
    b"Total accesses: 12 - Total Traffic: 3 kB",
    b"127.0.0.1",
    b"1271011",
    b"2024-02-29",
    b"aXbX",
];

/// What grep answers: which of the lines match, by number; none where it is no expression to it.
#[expect(clippy::disallowed_methods, reason = "the tool that is compared with")]
fn grep(expression: &str, page: &[u8]) -> Option<Vec<usize>> {
    let mut child = Command::new("grep")
        .args(["-Eina", "-e", expression])
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("grep is part of every system");
    // One that finds no expression doesn't read it.
    let _ = child.stdin.take().expect("piped").write_all(page);
    let output = child.wait_with_output().expect("a child");
    let number = |line: &[u8]| {
        let digits = line.split(|byte| *byte == b':').next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    match output.status.code() {
        Some(0 | 1) => {
            Some(output.stdout.split(|byte| *byte == b'\n').filter_map(number).collect())
        }
        Some(2) => None,
        other => panic!("grep: {other:?}"),
    }
}

/// The same of ours; every refusal is a sentence.
fn ours(expression: &str) -> Option<Vec<usize>> {
    let expression = match Expression::parse("testregex", expression) {
        Ok(expression) => expression,
        Err(error) => {
            assert_eq!(error.kind, Kind::Configured, "{error}");
            assert!(error.reason.starts_with("testregex is no expression: "), "{error}");
            assert!(error.reason.len() <= 128, "{error}");
            return None;
        }
    };
    let is_match = |line: &[u8]| expression.matches(&[line, b"\n"].concat()).expect("in time");
    let (well, unwell): (Vec<_>, Vec<_>) =
        (1..).zip(LINES).partition(|(_, line): &(usize, &&[u8])| is_match(line));
    // Together they are no other lines than each for itself.
    let page: Vec<&[u8]> = unwell.iter().map(|(_, line)| **line).collect();
    let page = page.join(b"\n".as_slice());
    assert!(!expression.matches(&page).expect("in time"), "{expression:?} on all others");
    if let Some((_, line)) = well.last() {
        let page = [page.as_slice(), b"\n", line, b"\n"].concat();
        assert!(expression.matches(&page).expect("in time"), "{expression:?} behind others");
    }
    Some(well.into_iter().map(|(number, _)| number).collect())
}

fn compare(expression: &str, differences: &mut Vec<String>) {
    let page = LINES.join(b"\n".as_slice());
    let (ours, grep) = (ours(expression), grep(expression, &[&page, b"\n".as_slice()].concat()));
    if ours != grep {
        differences.push(format!("{expression:?}: ours {ours:?}, grep {grep:?}"));
    }
}

#[test]
fn grep_s_verdict_on_what_administrators_write_and_on_every_edge() {
    const EXPRESSIONS: &str = r#"</ *html *>
a b .
It works!
total accesses: [0-9]+
^hello (world|there)$
(hello) \1
\<foo\> \bbar \Bb \<foo \>\< foo\> \w+ \W \s \S \sb ^\w*$ \b\b \B \b \< \> \B\B
^$ ^ $ ^^a a$$ a^b a$b (^a) (a$) (^)*a ^* ^*ab $* \`a a\' \`$ \<* \b+a
*a *  a|*b (*) (a|+) (+?)b (+*a) ({1}) (*a) (|a) () ()* a|  | || +  ?a (+a) {1}a {1} {,} {,2}a |* (|)
a** a*? a+* a?+ a{2}{2} (a*)* (a*)+ (a|b)*c ((a)) (a|ab)(c|bcd)
a{2} a{2,} a{,2} a{,} a{0} a{0}b a{0,0}b a{1,3} a{1 a{ a{} a{x} a{1,2,3} a{2,1} a{32768} a{99999999999999999999} a{,1 a{1}} a{-1} a{,,} a{1x} a{1,x} a{1, a{1,2 a{2,1 {} {2,1} {1,2,3} a|{}
(ab){2} (ab){,1}c (a{1,2}){2} [ab]{3} .{4} \.{1} \{1\} a\{1\}
[abc] [^abc] [a-c] [^a-c] [a-] [-a] [--a] []a] [^]a] []] [] [^] [a [ [^a []a []-a] [a\] [\n] [\] [a\]b] [.] [*] [$^] [^^]
[z-a] [a-a] [a-c-e] [%--] [+--] [Z-a] [A-z] [:alpha:] [:a] [a:] [:a:b] [[:a] [:] [::] [^:alpha:] [a:alpha:] [:a-z:] [:[:alpha:]:] [:a::] [a-_] [_-a] [^--a] [^-a] [a-c-] [[:alpha:]-] [a-c-c-e] [[=a=]-] [[.a.]-] [!-~] [:alpha:a]
[[:alpha:]] [[:digit:]]+ [^[:digit:]] [[:upper:]] [[:lower:]] [^[:upper:]] [[:punct:]] [[:space:]] [[:blank:]] [[:cntrl:]] [[:print:]] [[:graph:]] [[:xdigit:]]{2} [[:alnum:]_] [[:foo:]] [[:alpha:] [[:alpha] [[:Alpha:]] [[::]]
[[.a.]] [[=a=]] [[.space.]] [[.a.]-c] [a-[.c.]] [[.-.]] [[.].]] [[=ab=]] [[.a.] [[.a [[:alpha:]-z] [a-[:alpha:]] [[=a=]-c] [[] [[a] [][] [[.
(a)\1 (a|b)\1 (.)\1 ([ab])\1$ (a)(b)\2\1 ((a)b)\2 a\1 (a\1) (a)|b\1 (a)\2 ((a)|b)\2 (a)*\1 (a*)\1 ()\1 (a)\1* (a)\10 (.)(.)\1\2 \1 \1(a) (a|(b))\1 ((a)|(b))\1
a) ) (a)) a( ( (( (a|b \( \) a\) \(a (a\)
\ a\ \\ \. \d \n \_ \/ \- \@ \" \| \+ \? \* \^ \$ \[ \] \{ \} \a\b \x41 \0
ä Ä [ä] [^ä] .ä ß ſ K .
caf. a.b ^.$ ^..$ [^a]b
"#;
    let mut differences = Vec::new();
    let mut count = 0;
    for line in EXPRESSIONS.lines() {
        let whole = std::iter::once(line);
        for expression in whole.chain(line.split(' ')) {
            compare(expression, &mut differences);
            count += 1;
        }
    }
    for several in ["foo\nhello", "(a)\nb\\1", "nothing\n", "\n", "x\ny|z", "(\na", "a\n*b"] {
        compare(several, &mut differences);
    }
    assert!(count > 280, "{count}");
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// Expressions made at random, always the same ones.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX generator.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn expression(&mut self, words: &[&str]) -> String {
        let length = 1 + self.below(7);
        (0..length).map(|_| self.of(words)).collect()
    }
}

#[test]
fn what_explodes_is_refused_or_given_up_in_good_time() {
    // What explodes would take years: that this ends is what is tested.
    let deep = "(".repeat(2000) + "a" + &")".repeat(2000);
    let stars = "(a".repeat(30) + &")*".repeat(30) + "=";
    for expression in [
        "(((a{1000}){1000}){1000}){1000}",
        "(.{30000}){30000}",
        "((a)\\2{30000}){30000}",
        &deep,
        &"a".repeat(5000),
        &"*".repeat(5000),
    ] {
        let error = Expression::parse("testregex", expression).expect_err(expression);
        assert_eq!(error.kind, Kind::Configured, "{error}");
    }
    let page = [b"a".repeat(5000), b"b\n".to_vec()].concat().repeat(100);
    for expression in ["(a*)*c", "(a|a)*c", "(a+)+c", &stars, ".*.*.*.*.*=.*.*"] {
        if let Ok(expression) = Expression::parse("testregex", expression) {
            assert!(!expression.matches(&page).expect("no back-references"), "{expression:?}");
        }
    }
    for expression in ["(a*)*\\1c", "(.*)(.*)(.*)\\1\\2\\3c", "((a|a)*)*\\1c"] {
        let expression = Expression::parse("testregex", expression).expect(expression);
        let error = expression.matches(&page).expect_err("it goes back and forth");
        assert_eq!(error.kind, Kind::Generic);
        assert!(error.reason.contains("testregex takes too long"), "{error}");
    }
}

#[test]
fn lines_end_with_a_newline_or_a_nul() {
    let is_match = |expression, page: &[u8]| {
        Expression::parse("testregex", expression).expect("good").matches(page).expect("in time")
    };
    assert!(is_match("^b$", b"a\0b\0c\n"));
    assert!(is_match("^c$", b"a\nb\nc"));
    assert!(is_match("</ *html *>", b"\x89PNG\r\n\0\xff<html></HTML>\0"));
    assert!(!is_match("", b""), "no line");
    assert!(is_match("^$", b"\n"));
    assert!(!is_match("^$", b"a\n"), "nothing is behind the last newline");
    assert!(!is_match("a.b", b"a\nb"));
    assert!(!is_match("a[^c]b", b"a\nb"));
    assert!(!is_match("a\\sb", b"a\nb"));
    assert!(!is_match("a\\Wb", b"a\0b"));
}

#[test]
fn grep_s_verdict_on_expressions_made_at_random() {
    const JUNK: &[&str] = &[
        "a", "b", "A", "(", ")", "{", "}", "[", "]", "*", "+", "?", "|", "^", "$", "\\", ".", ",",
        "1", "2", "-", ":", "=", "<", ">", "w", " ",
    ];
    const PIECES: &[&str] = &[
        "a",
        "b",
        "c",
        "x",
        ".",
        "1",
        " ",
        "[ab]",
        "[^a]",
        "[[:digit:]]",
        "\\w",
        "\\W",
        "\\<",
        "\\>",
        "\\b",
        "\\B",
        "^",
        "$",
        "(",
        "(",
        ")",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{,2}",
        "{1,}",
        "{0}",
        "\\s",
        "(a|b)",
    ];
    let mut random = Random(7);
    let mut differences = Vec::new();
    for round in 0..600 {
        let words = if round % 2 == 0 { JUNK } else { PIECES };
        let expression = random.expression(words);
        compare(&expression, &mut differences);
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
