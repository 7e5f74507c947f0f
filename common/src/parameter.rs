// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One declaration per parameter: from one line come the typed field, the parser, the default,
//! required or not, and the row in the description. An agent can't advertise what it doesn't read.

use crate::environment::Environment;
use crate::value::{Parsed, Value};
use ocf_metadata::ParameterRow;
use std::ffi::OsStr;

/// Declares an agent's parameters.
///
/// The first line of a field's comment is the short description, the rest the long one. A type that
/// has no value for "unset", without a default, is required; a default is text and parsed like a
/// user's. Types are those that are a [`Value`](crate::value::Value): text, paths, `bool`, integers,
/// `Duration`, `IpAddr`, [`Words`](crate::value::Words), [`Secret`](crate::Secret),
/// [`choice!`](crate::choice), and `Option` of each.
///
/// Behind `=>` stand builders, in any number and order: `default("text")`; `required()`, for an `Option`
/// that a start needs and a stop doesn't (the agent's `check` refuses it); `reloadable()`, for what
/// reload-agent makes effective; `unique_group("name")`; `alias("old_name")`, which still works and is
/// declared as deprecated; `name("type")`, where the name is a keyword of Rust.
///
/// ```
/// use std::path::PathBuf;
///
/// ocf::parameters! {
///     /// What the agent can be told.
///     #[derive(Debug)]
///     pub struct Parameters {
///         /// State file
///         ///
///         /// Where the agent remembers that it runs.
///         state: Option<PathBuf> => unique_group("state"),
///         /// A value whose change causes a reload
///         fake: String => default("dummy").reloadable(),
///     }
/// }
/// ```
#[macro_export]
macro_rules! parameters {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {$(
        $(#[doc = $doc:literal])+
        $field:ident : $type:ty
        $(=> $build:ident($($argument:expr),*) $(.$more:ident($($further:expr),*))*)?
    ),* $(,)?}) => {
        $(#[$meta])*
        $vis struct $name {$(
            $(#[doc = $doc])+
            pub $field: $type,
        )*}

        impl $crate::parameter::Declared for $name {
            const ROWS: &'static [$crate::private::ParameterRow] = &[$(
                $crate::private::ParameterRow::new(
                    stringify!($field),
                    concat!($($doc, "\n"),+),
                    <$type as $crate::value::Value>::CONTENT,
                    <$type as $crate::value::Value>::OPTIONAL,
                )$(.$build($($argument),*)$(.$more($($further),*))*)?
            ),*];

            fn read(reader: &mut $crate::parameter::Reader<'_>) -> Option<Self> {
                let mut rows = Self::ROWS.iter();
                $(let $field = rows.next().and_then(|row| reader.value(row));)*
                Some(Self {$($field: $field?),*})
            }
        }
    };
    ($($other:tt)*) => {
        compile_error!(
            "parameters! takes one struct whose every field has a comment (its description), a type \
             and, behind =>, builders: /// Text\n name: String => default(\"x\").reloadable(),"
        );
    };
}

/// A declared set of parameters; implemented by [`parameters!`].
pub trait Declared: Sized {
    /// The declarations, in order.
    const ROWS: &'static [ParameterRow];

    /// The values, `None` when one of them is bad. Every field is read, so that every complaint is
    /// known.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

/// How to take a malformed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rigour {
    /// It is an error: for actions that bring something about.
    Strict,
    /// It counts as unset where that has a meaning: a stop or a monitor acts on what is really
    /// there, whatever became of a tunable.
    Lenient,
}

/// Reads parameters out of an environment, collecting complaints.
#[derive(Debug)]
pub struct Reader<'a> {
    environment: &'a Environment,
    rigour: Rigour,
    /// Values that are none; one of them is the reason of a failure.
    pub bad: Vec<String>,
    /// Values that count as something else than they say.
    pub doubtful: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader of that rigour.
    #[must_use]
    pub fn new(environment: &'a Environment, rigour: Rigour) -> Self {
        Self { environment, rigour, bad: Vec::new(), doubtful: Vec::new() }
    }

    /// The value of one row: the user's, else the default's, else the type's own for "unset".
    pub fn value<T: Value>(&mut self, row: &ParameterRow) -> Option<T> {
        let user = match self.raw::<T>(row) {
            None => None,
            Some(raw) => match T::parse(raw) {
                Parsed::Good(value) => Some(value),
                Parsed::Doubtful(value, complaint) => {
                    self.doubtful.push(format!("parameter {} {complaint}", row.name));
                    Some(value)
                }
                Parsed::Bad(complaint) => {
                    let complaint = format!("parameter {} {complaint}", row.name);
                    if self.rigour == Rigour::Strict || !row.can_be_unset() {
                        self.bad.push(complaint);
                        return None;
                    }
                    self.doubtful.push(complaint + " and counts as unset");
                    None
                }
            },
        };
        user.or_else(|| self.unset(row))
    }

    /// What the user set, under the name or an old one; empty is unset where it says nothing.
    fn raw<T: Value>(&mut self, row: &ParameterRow) -> Option<&'a OsStr> {
        let says_something =
            |raw: &&OsStr| !raw.is_empty() || (T::EMPTY_IS_VALUE && !row.is_required());
        let find = |name: &str| self.environment.parameter(name).filter(says_something);
        find(row.name).or_else(|| {
            let (alias, raw) = row.alias.and_then(|alias| Some((alias, find(alias)?)))?;
            self.doubtful.push(format!("parameter {alias} is the old name of {}", row.name));
            Some(raw)
        })
    }

    fn unset<T: Value>(&mut self, row: &ParameterRow) -> Option<T> {
        match row.default {
            None => {
                let value = T::unset();
                if value.is_none() {
                    self.bad.push(format!("parameter {} is required and not set", row.name));
                }
                value
            }
            Some(text) => match T::parse(OsStr::new(text)) {
                Parsed::Good(value) => Some(value),
                Parsed::Doubtful(_, complaint) | Parsed::Bad(complaint) => {
                    self.bad.push(format!("the default of parameter {} {complaint}", row.name));
                    None
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    crate::parameters! {
        /// All sorts.
        #[derive(Debug)]
        struct Sample {
            /// Needed
            needed: u16,
            /// With a default
            ///
            /// And a long story.
            tunable: u32 => default("7").reloadable(),
            /// Optional
            path: Option<PathBuf> => unique_group("path"),
            /// Flag
            flag: bool => default("false"),
            /// A keyword
            r#type: String => name("type").default("plain").alias("kind"),
        }
    }

    fn read(rigour: Rigour, pairs: &[(&str, &str)]) -> (Option<Sample>, Vec<String>, Vec<String>) {
        let environment = pairs.iter().copied().collect();
        let mut reader = Reader::new(&environment, rigour);
        let sample = Sample::read(&mut reader);
        (sample, reader.bad, reader.doubtful)
    }

    #[test]
    fn required_is_derived_from_the_type_and_the_default() {
        let required: Vec<bool> = Sample::ROWS.iter().map(ParameterRow::is_required).collect();
        assert_eq!(required, [true, false, false, false, false]);
        assert_eq!(Sample::ROWS[1].short(), "With a default");
        assert_eq!(Sample::ROWS[1].long(), "And a long story.");
        assert_eq!(Sample::ROWS[4].name, "type");
    }

    #[test]
    fn every_default_passes_its_own_parser() {
        let (sample, bad, doubtful) = read(Rigour::Strict, &[("OCF_RESKEY_needed", "1")]);
        let sample = sample.unwrap();
        assert_eq!((sample.needed, sample.tunable, sample.flag), (1, 7, false));
        assert_eq!((sample.path, sample.r#type.as_str()), (None, "plain"));
        assert!(bad.is_empty() && doubtful.is_empty());
    }

    #[test]
    fn a_malformed_tunable_counts_as_unset_only_where_leniency_is_right() {
        let pairs = [("OCF_RESKEY_needed", "1"), ("OCF_RESKEY_tunable", "lots")];
        let (sample, bad, _) = read(Rigour::Strict, &pairs);
        assert!(sample.is_none());
        assert_eq!(bad, ["parameter tunable is not a whole number from 0 to 4294967295"]);
        let (sample, bad, doubtful) = read(Rigour::Lenient, &pairs);
        assert_eq!(sample.unwrap().tunable, 7);
        assert!(bad.is_empty() && doubtful.len() == 1);
    }

    #[test]
    fn a_required_parameter_is_never_guessed() {
        for rigour in [Rigour::Strict, Rigour::Lenient] {
            assert!(read(rigour, &[]).0.is_none());
            assert!(read(rigour, &[("OCF_RESKEY_needed", "")]).0.is_none());
            assert!(read(rigour, &[("OCF_RESKEY_needed", "x")]).0.is_none());
        }
    }

    #[test]
    fn an_old_name_works_and_is_mentioned() {
        let pairs = [("OCF_RESKEY_needed", "1"), ("OCF_RESKEY_kind", "odd")];
        let (sample, _, doubtful) = read(Rigour::Strict, &pairs);
        assert_eq!(sample.unwrap().r#type, "odd");
        assert_eq!(doubtful, ["parameter kind is the old name of type"]);
    }
}
