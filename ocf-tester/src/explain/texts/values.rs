// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks that give parameters values that make no sense.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "VAL-05",
        "Values come from people and scripts, and have typing errors, blanks, quotes and bytes of \
         other encodings in them. An agent may refuse such a value or take it, but it has to end in a \
         defined way, and what it starts with the value it has to stop with the value. Which values \
         are tried is a choice that --seed repeats; --budget says how many of each parameter.",
        "A stop is made with the parameters that start was given, the bad value among them: when it \
         fails, or crashes, the node is fenced. A signal or a code that isn't defined says nothing \
         about why.",
        "Check every parameter before it is used; put variables in quotes, and -- before a value that \
         is a command's argument; let stop work without looking at tunables.",
    ),
    row(
        "VAL-06",
        "A word that is no boolean is a mistake of whoever wrote it. Taken for false, it does the \
         opposite of what was meant, and nobody is told.",
        "pcs and crmsh run validate-all when a resource is made, and show what it says; later nobody \
         looks.",
        "Accept true, yes, on and 1 and their opposites in any case, and refuse everything else with 6.",
    ),
];
