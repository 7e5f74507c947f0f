// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the check of what a description says, as far as no tool refuses it.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[row(
    "META-03",
    "The schema takes any text for a default. Whoever configures a resource by the description is \
     misled by a number that is a word, a choice that isn't on the list, or a required parameter \
     whose default never counts.",
    "Pacemaker reads neither types nor defaults. Shells and graphical tools show them, and ask for \
     a required parameter whatever its default is.",
    "Give the parameter the type that its values have (a time with a unit is a string), or a default \
     that is one of them; drop either required or the default.",
)];
