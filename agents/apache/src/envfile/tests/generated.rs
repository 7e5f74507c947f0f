// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files made of pieces at random, always the same ones, beside a real shell.

use super::*;

/// How many files.
const FILES: usize = 200;

/// Makes text of random pieces (xorshift).
struct Maker(u64);

impl Maker {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn word(&mut self, depth: usize, is_quoted: bool) -> String {
        (0..=self.below(3)).map(|_| self.piece(depth, is_quoted)).collect()
    }

    fn piece(&mut self, depth: usize, is_quoted: bool) -> String {
        let plain = ["a", "/x.y", "\\*", "$A", "${B}", "*", "\\\\", "$EMPTY", "[a-z]", "?"];
        match self.below(if depth > 2 { 2 } else { 7 }) {
            2 if !is_quoted => {
                format!("'{}'", self.pick(&["a b", "*", "", "$A", "\\", "}", "x\ny", "a\"b"]))
            }
            3 if !is_quoted => format!("\"{}\"", self.word(depth + 1, true)),
            4 | 5 => {
                let name = self.pick(&["A", "B", "EMPTY", "NOPE", "HOME"]);
                let change = self.pick(&[":-", "-", ":+", "+", "#", "##", "%", "%%"]);
                format!("${{{name}{change}{}}}", self.word(depth + 1, is_quoted))
            }
            6 => format!("${{#{}}}", self.pick(&["A", "NOPE"])),
            _ => self.pick(&plain).to_owned(),
        }
    }

    fn test(&mut self) -> String {
        let (left, right) = (self.word(1, true), self.word(1, true));
        format!("[ \"{left}\" {} \"{right}\" ]", self.pick(&["=", "!="]))
    }

    fn command(&mut self, depth: usize) -> String {
        let name = self.pick(&["A", "B", "C"]);
        let [one, two, three] = if depth > 3 {
            [":", "false", "true"].map(str::to_owned)
        } else {
            [(); 3].map(|()| self.command(depth + 1))
        };
        match self.below(if depth > 3 { 5 } else { 10 }) {
            0 => format!("{name}={}", self.word(0, false)),
            1 => format!("export {name}=\"{}\"", self.word(1, true)),
            2 => format!("export {name}"),
            3 => self.test(),
            4 => format!("unset {name}"),
            5 => format!("if {one}; then\n{two}\nelse {three}; fi"),
            6 => {
                let (word, pattern) = (self.word(1, false), self.word(2, false));
                format!("case {word} in {pattern}|b) {one};; *) {two}\nesac")
            }
            7 => format!("{one} {} {two}", self.pick(&["&&", "||"])),
            8 => format!("{{ {one}; {two}; }}"),
            _ => format!("! {}", self.test()),
        }
    }
}

#[test]
fn files_made_at_random_come_out_as_a_shell_has_them() {
    let tree = Tree::new("env-random");
    let mut maker = Maker(0x9e37_79b9_7f4a_7c15);
    let mut outcomes = BTreeSet::new();
    for _ in 0..FILES {
        let mut script: String = (0..=maker.below(5)).map(|_| maker.command(1) + "\n").collect();
        script.push_str("export A B C\n");
        let file = tree.write("script", &script);
        let (ours, problems) = by_us(&file);
        assert_eq!(problems, [], "{script}");
        assert_eq!(ours, by_shell(&file), "{script}");
        outcomes.extend(ours.into_values());
    }
    assert!(outcomes.len() > FILES / 4, "they all say the same: {outcomes:?}");
}
