// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The types a parameter may have. Text from outside becomes a type here, at the border: what can't
//! is told apart into *doubtful* (it has always counted as something) and *bad*.

use ocf_metadata::Content;
use std::ffi::OsStr;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What became of a text. The complaint completes the sentence "parameter x …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<T> {
    /// The value meant.
    Good(T),
    /// The value it has always counted as; warned about at start, refused by validate-all.
    Doubtful(T, String),
    /// No value.
    Bad(String),
}

impl<T> Parsed<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Parsed<U> {
        match self {
            Self::Good(value) => Parsed::Good(convert(value)),
            Self::Doubtful(value, complaint) => Parsed::Doubtful(convert(value), complaint),
            Self::Bad(complaint) => Parsed::Bad(complaint),
        }
    }
}

/// A type that a parameter may have.
pub trait Value: Sized {
    /// How it is declared.
    const CONTENT: Content;
    /// Whether there is a value for "unset".
    const OPTIONAL: bool = false;
    /// Whether an empty text is a value; otherwise it counts as unset.
    const EMPTY_IS_VALUE: bool = false;

    /// The value of a text.
    fn parse(raw: &OsStr) -> Parsed<Self>;

    /// The value for "unset".
    #[must_use]
    fn unset() -> Option<Self> {
        None
    }
}

/// The text, or why it is none. Values never stand in the complaint: they may be secrets.
fn text(raw: &OsStr) -> Result<&str, String> {
    raw.to_str().ok_or_else(|| "is not valid UTF-8".to_owned())
}

impl<T: Value> Value for Option<T> {
    const CONTENT: Content = T::CONTENT;
    const OPTIONAL: bool = true;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        T::parse(raw).map(Some)
    }

    fn unset() -> Option<Self> {
        Some(None)
    }
}

impl Value for String {
    const CONTENT: Content = Content::String;
    const EMPTY_IS_VALUE: bool = true;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        text(raw).map_or_else(Parsed::Bad, |text| Parsed::Good(text.to_owned()))
    }
}

/// Any bytes: the kernel's paths are no text.
impl Value for PathBuf {
    const CONTENT: Content = Content::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        Parsed::Good(Self::from(raw))
    }
}

/// The words of the shell helpers are exact: theirs for true, their mirror images for false. Any
/// other word has always counted as false.
impl Value for bool {
    const CONTENT: Content = Content::Boolean;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        match raw.as_encoded_bytes() {
            b"yes" | b"true" | b"1" | b"YES" | b"TRUE" | b"True" | b"ja" | b"on" | b"ON" => {
                Parsed::Good(true)
            }
            b"no" | b"false" | b"0" | b"NO" | b"FALSE" | b"False" | b"nein" | b"off" | b"OFF" => {
                Parsed::Good(false)
            }
            _ => Parsed::Doubtful(
                false,
                "is neither a true nor a false word and counts as false".to_owned(),
            ),
        }
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Value for $int {
            const CONTENT: Content = Content::Integer;

            fn parse(raw: &OsStr) -> Parsed<Self> {
                let number = text(raw).ok().and_then(|text| text.trim().parse().ok());
                number.map_or_else(
                    || Parsed::Bad(format!(
                        "is not a whole number from {} to {}", Self::MIN, Self::MAX
                    )),
                    Parsed::Good,
                )
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, i32, i64);

/// A time: `20`, `20s`, `2min`, `500ms`; a bare number counts seconds. More than a year is none.
impl Value for Duration {
    const CONTENT: Content = Content::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let time = text(raw).ok().and_then(ocf_metadata::reader::parse_time);
        let time = time.filter(|time| *time <= Self::from_secs(366 * 24 * 3600));
        time.map_or_else(
            || Parsed::Bad("is not a time such as 20, 20s or 2min".to_owned()),
            Parsed::Good,
        )
    }
}

impl Value for IpAddr {
    const CONTENT: Content = Content::String;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let address = text(raw).ok().and_then(|text| text.trim().parse().ok());
        address
            .map_or_else(|| Parsed::Bad("is not an IPv4 or IPv6 address".to_owned()), Parsed::Good)
    }
}

/// Words separated by blanks or commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl Value for Words {
    const CONTENT: Content = Content::String;
    const EMPTY_IS_VALUE: bool = true;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        let split = |text: &str| {
            let words = text.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty());
            Self(words.map(str::to_owned).collect())
        };
        text(raw).map_or_else(Parsed::Bad, |text| Parsed::Good(split(text)))
    }
}

/// A value that no log line, exit reason or `{:?}` ever shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Value for Secret {
    const CONTENT: Content = Content::String;
    const EMPTY_IS_VALUE: bool = true;

    fn parse(raw: &OsStr) -> Parsed<Self> {
        String::parse(raw).map(Self)
    }
}

/// Declares an enum whose values are words; the description lists them as a `select`.
///
/// ```
/// ocf::choice! {
///     /// How to announce an address.
///     pub enum Family { Inet = "inet", Inet6 = "inet6" }
/// }
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $(#[doc = concat!("`", $word, "`")] $variant),+ }

        impl $crate::value::Value for $name {
            const CONTENT: $crate::value::ContentType =
                $crate::value::ContentType::Select(&[$($word),+]);

            fn parse(raw: &::std::ffi::OsStr) -> $crate::value::Parsed<Self> {
                $(if raw == $word { return $crate::value::Parsed::Good(Self::$variant); })+
                $crate::value::Parsed::Bad(
                    concat!("is none of", $(" ", $word),+).to_owned()
                )
            }
        }
    };
}
pub use choice;
/// The declared type of a value, for [`choice!`].
pub use ocf_metadata::Content as ContentType;

#[cfg(test)]
mod tests {
    use super::*;

    crate::choice! {
        enum Colour { Red = "red", Green = "green" }
    }

    #[test]
    fn any_other_word_counts_as_false_and_is_doubtful() {
        for word in ["Yes", "On", "t", "2", " true", "", "Off"] {
            let parsed = bool::parse(OsStr::new(word));
            assert!(matches!(parsed, Parsed::Doubtful(false, _)), "{word}: {parsed:?}");
        }
        for word in ["yes", "true", "1", "YES", "TRUE", "True", "ja", "on", "ON"] {
            assert_eq!(bool::parse(OsStr::new(word)), Parsed::Good(true));
        }
        for word in ["no", "false", "0", "NO", "FALSE", "False", "nein", "off", "OFF"] {
            assert_eq!(bool::parse(OsStr::new(word)), Parsed::Good(false));
        }
    }

    #[test]
    fn a_secret_shows_in_no_debug_output() {
        let Parsed::Good(secret) = Secret::parse(OsStr::new("hunter2")) else { panic!() };
        assert_eq!(format!("{secret:?}"), "<secret>");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn a_complaint_never_repeats_the_value() {
        let complaint = |parsed: Parsed<u16>| match parsed {
            Parsed::Bad(complaint) => complaint,
            other => panic!("{other:?}"),
        };
        assert!(!complaint(u16::parse(OsStr::new("hunter2"))).contains("hunter2"));
    }

    #[test]
    fn words_times_and_choices() {
        let words = Words::parse(OsStr::new(" a, b\tc ,"));
        assert_eq!(words, Parsed::Good(Words(vec!["a".into(), "b".into(), "c".into()])));
        assert_eq!(Duration::parse(OsStr::new("2min")), Parsed::Good(Duration::from_secs(120)));
        for bad in ["1x", "18446744073709551615"] {
            assert!(matches!(Duration::parse(OsStr::new(bad)), Parsed::Bad(_)));
        }
        assert_eq!(Colour::parse(OsStr::new("green")), Parsed::Good(Colour::Green));
        assert!(matches!(Colour::parse(OsStr::new("blue")), Parsed::Bad(_)));
        assert_eq!(Colour::CONTENT, Content::Select(&["red", "green"]));
        let _ = Colour::Red;
    }
}
