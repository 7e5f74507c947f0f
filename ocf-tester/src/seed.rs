// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Choices at random that one number repeats: the seed, which every report tells.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A seed that nobody has chosen; short enough to be typed.
#[must_use]
pub fn any() -> u64 {
    u64::from(RandomState::new().build_hasher().finish() as u16)
}

/// A source of numbers: the same seed and purpose make the same ones (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// For one purpose, so that what another one has used makes no difference.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Self(purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let number = self.next().checked_rem(bound as u64).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    /// So many of them at random, in the order in which they are; all, when there aren't more.
    pub(crate) fn some<T: Clone>(&mut self, from: &[T], wanted: usize) -> Vec<T> {
        let mut left: Vec<usize> = (0..from.len()).collect();
        while left.len() > wanted {
            left.remove(self.below(left.len()));
        }
        left.into_iter().filter_map(|position| from.get(position).cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_the_seed_and_the_purpose_only() {
        let numbers = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..8).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, "a"), numbers(1, "a"));
        assert_ne!(numbers(1, "a"), numbers(2, "a"));
        assert_ne!(numbers(1, "a"), numbers(1, "b"));
        assert_eq!(Dice::new(1, "a").below(0), 0);
        let all: Vec<u32> = (0..9).collect();
        assert_eq!(Dice::new(1, "a").some(&all, 9), all);
        let some = Dice::new(1, "a").some(&all, 4);
        assert!(some.len() == 4 && some.is_sorted(), "{some:?}");
    }
}
