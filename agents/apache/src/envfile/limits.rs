// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ulimit` and `umask`: what the server is started with.

use ocf::command::{Height, Limit, RLIM_INFINITY, Resource};

/// The limits, the letters they have, and their units in bytes or pieces.
const LIMITS: &[(char, Resource, u64)] = &[
    ('c', Resource::RLIMIT_CORE, 512),
    ('d', Resource::RLIMIT_DATA, 1024),
    ('f', Resource::RLIMIT_FSIZE, 512),
    ('l', Resource::RLIMIT_MEMLOCK, 1024),
    ('m', Resource::RLIMIT_RSS, 1024),
    ('n', Resource::RLIMIT_NOFILE, 1),
    ('p', Resource::RLIMIT_NPROC, 1),
    ('s', Resource::RLIMIT_STACK, 1024),
    ('t', Resource::RLIMIT_CPU, 1),
    ('u', Resource::RLIMIT_NPROC, 1),
    ('v', Resource::RLIMIT_AS, 1024),
];

/// The limit that `ulimit` sets with these words: none where it only shows one. `Err` where it isn't understood.
pub(super) fn parse_limit(words: &[Vec<u8>]) -> Result<Option<Limit>, ()> {
    let (mut soft, mut hard, mut letter, mut height) = (false, false, 'f', None);
    for word in words {
        let word = std::str::from_utf8(word).map_err(|_| ())?;
        let Some(letters) = word.strip_prefix('-') else {
            if height.replace(word).is_some() {
                return Err(());
            }
            continue;
        };
        for next in letters.chars() {
            match next {
                'S' => soft = true,
                'H' => hard = true,
                'a' => return Ok(None),
                next => letter = next,
            }
        }
    }
    let (_, resource, unit) = LIMITS.iter().find(|(known, ..)| *known == letter).ok_or(())?;
    let Some(height) = height else { return Ok(None) };
    let height = match height {
        "unlimited" => Height::Number(RLIM_INFINITY),
        "soft" => Height::Soft,
        "hard" => Height::Hard,
        number => {
            let number: u64 = number.parse().map_err(|_| ())?;
            Height::Number(number.checked_mul(*unit).ok_or(())?)
        }
    };
    // Without a letter for either it is both.
    let is_both = soft == hard;
    Ok(Some(Limit { resource: *resource, soft: soft || is_both, hard: hard || is_both, height }))
}

/// The mask of `umask`: none where it only shows it. `Err` where it isn't understood, as with letters.
pub(super) fn parse_mask(words: &[Vec<u8>]) -> Result<Option<u32>, ()> {
    match words {
        [] => Ok(None),
        [word] if word == b"-S" || word == b"-p" => Ok(None),
        [word] => {
            let text = std::str::from_utf8(word).map_err(|_| ())?;
            let mask = u32::from_str_radix(text, 8).map_err(|_| ())?;
            Some(mask).filter(|mask| *mask <= 0o777).map(Some).ok_or(())
        }
        _ => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn limits_are_read_in_the_shells_units() {
        let limit = |resource, soft, hard, height| {
            let height = Height::Number(height);
            Ok(Some(Limit { resource, soft, hard, height }))
        };
        let files = Resource::RLIMIT_NOFILE;
        assert_eq!(parse_limit(&words("-n 777")), limit(files, true, true, 777));
        assert_eq!(parse_limit(&words("-Sn 777")), limit(files, true, false, 777));
        assert_eq!(parse_limit(&words("-H -n 777")), limit(files, false, true, 777));
        let core = Resource::RLIMIT_CORE;
        assert_eq!(parse_limit(&words("-c unlimited")), limit(core, true, true, RLIM_INFINITY));
        assert_eq!(parse_limit(&words("-c 2")), limit(core, true, true, 1024));
        for text in ["-n", "", "-a"] {
            assert_eq!(parse_limit(&words(text)), Ok(None), "{text}");
        }
        for text in ["-n x", "-z 1", "-n 1 2", "-n -1", "-f 99999999999999999999"] {
            assert_eq!(parse_limit(&words(text)), Err(()), "{text}");
        }
        assert_eq!(parse_mask(&words("027")), Ok(Some(0o27)));
        assert_eq!(parse_mask(&words("")), Ok(None));
        for text in ["u=rwx", "8", "7777", "1 2"] {
            assert_eq!(parse_mask(&words(text)), Err(()), "{text}");
        }
    }
}
