// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Choices at random that one number repeats.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A seed that nobody has chosen; short enough to be typed.
#[must_use]
pub fn any_seed() -> u64 {
    u64::from(RandomState::new().build_hasher().finish() as u16)
}

/// A source of numbers: the same seed makes the same ones (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = self.next().checked_rem(bound as u64).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T; 2]) -> T {
        let [first, second] = *of;
        if self.below(2) == 0 { first } else { second }
    }

    /// Takes one of them out; none if there is none.
    pub fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let position = self.below(from.len());
        (position < from.len()).then(|| from.remove(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_the_seed_only() {
        let numbers = |seed| {
            let mut dice = Dice::new(seed);
            (0..8).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        assert_eq!(Dice::new(1).below(0), 0);
        let mut left = vec![1, 2, 3];
        let mut dice = Dice::new(1);
        let mut taken: Vec<_> = std::iter::from_fn(|| dice.take(&mut left)).collect();
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3]);
    }
}
