// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks that kill actions in the middle.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "KILL-01",
        "An action can end at any instant: its timeout is over, somebody kills it. What it had done by \
         then is there, half done, and nobody but the agent can clear it away. The action is killed \
         with its process group before and after calls that change something; --budget says how \
         often, --seed repeats the choice.",
        "A start that is over its time gets SIGKILL, with its whole process group and without a TERM \
         before. Then Pacemaker stops the resource and starts it again, here or elsewhere. If that stop \
         fails the node is fenced; if it answers 0 with the service still running, it runs twice.",
        "Write state to a new file and rename it; let stop find the service by what it is, not only by \
         a file that start writes last; take locks that end with the process (flock).",
    ),
    row(
        "KILL-02",
        "A stop that was killed has done half of its work. The next one has to do the rest, and must \
         not conclude from what the first one has removed that nothing is left.",
        "A stop that is over its time means fencing. Where that isn't configured, the administrator \
         cleans up, and stop and probes are made again: a wrong 0 or 7 then lets the resource run twice.",
        "End the service first and remove its state last; in stop look for what really runs.",
    ),
    row(
        "KILL-03",
        "A promote that was killed leaves a resource between two roles, and it has to be got out of \
         there.",
        "After a promote that failed, Pacemaker demotes, stops and starts the resource; when stop \
         fails, the node is fenced.",
        "Let demote and stop cope with every state that promote passes through; write the role at \
         once, by a rename.",
    ),
    row(
        "KILL-04",
        "A demote that was killed leaves a resource between two roles, and it has to be got out of \
         there.",
        "After a demote that failed, Pacemaker stops and starts the resource; when stop fails, the \
         node is fenced.",
        "Let stop cope with every state that demote passes through; write the role at once, by a \
         rename.",
    ),
    row(
        "KILL-05",
        "A file that a killed action made, and that no later start or stop removes, stays for ever; \
         with a new name each time they become many.",
        "Pacemaker doesn't look at files. The next start may find the directory full, or take a stale \
         file for a true one.",
        "Give temporary files a name that the next start and stop know, and remove them there; keep \
         them beside the state they become.",
    ),
];
