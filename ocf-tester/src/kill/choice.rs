// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Which few of all possible kills are made: the first, the last, and others spread between them.

use super::{Kill, Moment, plan};
use crate::kill::Call;
use crate::seed::Dice;

/// Calls that start, name or address processes: shell agents make hundreds of them between two that
/// change something that stays.
const FLEETING: &[&str] = &[
    "clone",
    "clone3",
    "fork",
    "vfork",
    "execve",
    "execveat",
    "setpgid",
    "connect",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "setsockopt",
    "ioctl",
];

/// At most so many kills of those that are possible: before the first call that changes state,
/// after the last one, on both sides of the first and last that change something that stays; the
/// rest spread over the action, one at random in each part, those that stay first.
pub(crate) fn choose(calls: &[Call], budget: usize, dice: &mut Dice) -> Vec<Kill> {
    let all = plan(calls, None);
    let is_lasting = |kill: &Kill| !FLEETING.contains(&kill.call.name);
    let lasting: Vec<usize> = positions(&all, is_lasting);
    let fleeting: Vec<usize> = positions(&all, |kill| !is_lasting(kill));
    let mut chosen: Vec<usize> = Vec::new();
    let ends =
        [Some(0), all.len().checked_sub(1), lasting.first().copied(), lasting.last().copied()];
    ends.into_iter().flatten().for_each(|position| add(&mut chosen, position));
    // Inside the action, after a call is as good as before the next one.
    let after =
        |position: &usize| all.get(*position).is_some_and(|kill| kill.moment == Moment::After);
    let inner: Vec<usize> = lasting.iter().copied().filter(after).collect();
    for group in [&inner, &lasting, &fleeting] {
        let free: Vec<usize> =
            group.iter().copied().filter(|position| !chosen.contains(position)).collect();
        let room = budget.saturating_sub(chosen.len());
        spread(&free, room, dice).for_each(|position| add(&mut chosen, position));
    }
    chosen.truncate(budget);
    chosen.sort_unstable();
    chosen.into_iter().filter_map(|position| all.get(position).cloned()).collect()
}

fn positions(all: &[Kill], wanted: impl Fn(&Kill) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, kill)| wanted(kill)).map(|(position, _)| position).collect()
}

fn add(chosen: &mut Vec<usize>, position: usize) {
    if !chosen.contains(&position) {
        chosen.push(position);
    }
}

/// One of each of so many parts of equal length.
fn spread(from: &[usize], parts: usize, dice: &mut Dice) -> impl Iterator<Item = usize> {
    let parts = parts.min(from.len());
    (0..parts).filter_map(move |part| {
        let (begin, end) = (part * from.len() / parts, (part + 1) * from.len() / parts);
        from.get(begin + dice.below(end - begin)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::Lineage;

    fn calls(names: &[&'static str]) -> Vec<Call> {
        let call = |(index, name): (usize, &&'static str)| Call {
            index,
            process: Lineage::root(),
            ordinal: index,
            name,
            arguments: String::new(),
            result: Some(0),
        };
        names.iter().enumerate().map(call).collect()
    }

    fn chosen(names: &[&'static str], budget: usize, seed: u64) -> Vec<(usize, Moment)> {
        let kills = choose(&calls(names), budget, &mut Dice::new(seed, "test"));
        kills.into_iter().map(|kill| (kill.call.index, kill.moment)).collect()
    }

    #[test]
    fn the_first_and_the_last_call_are_always_among_them() {
        let mut names = vec!["clone"; 100];
        names.extend(["openat", "write", "renameat2"]);
        names.extend(["clone"; 100]);
        for seed in 0..50 {
            let kills = chosen(&names, 6, seed);
            assert_eq!(kills.len(), 6, "{kills:?}");
            assert_eq!(kills.first(), Some(&(0, Moment::Before)), "{kills:?}");
            assert_eq!(kills.last(), Some(&(202, Moment::After)), "{kills:?}");
            // After each of those that make a file: where a file may be left for good.
            for index in [100, 101, 102] {
                assert!(kills.contains(&(index, Moment::After)), "{seed}: {kills:?}");
            }
        }
    }

    #[test]
    fn a_seed_says_which_and_another_seed_says_others() {
        let names = vec!["write"; 200];
        assert_eq!(chosen(&names, 8, 1), chosen(&names, 8, 1));
        assert!((2..10).any(|seed| chosen(&names, 8, seed) != chosen(&names, 8, 1)));
        let parts: Vec<usize> = chosen(&names, 12, 3).iter().map(|kill| kill.0 / 50).collect();
        assert!((0..4).all(|part| parts.contains(&part)), "every quarter has some: {parts:?}");
    }

    #[test]
    fn a_budget_beyond_them_means_all_and_none_means_none() {
        assert_eq!(chosen(&["openat", "write"], 100, 1).len(), 4);
        assert_eq!(chosen(&[], 8, 1).len(), 0);
    }
}
