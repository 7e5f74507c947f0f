// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks of what an agent costs, shows and leaves open.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "USE-55",
        "A monitor runs every few seconds for every resource, for years. What it takes, the \
         services of the node don't get.",
        "It makes the monitor as often as it is configured, whatever it costs, and several at once; \
         on a busy node dear monitors run into their timeouts, and healthy services are restarted.",
        "Ask the service or the kernel with one call; move deep looks to a monitor of level 10 or \
         20 with a longer interval.",
    ),
    row(
        "USE-56",
        "Every user of a machine can read the arguments of every process (ps, /proc).",
        "Pacemaker hands parameters over in the environment, which only their owner can read; with \
         a program's arguments the agent gives that away.",
        "Hand secrets over in the environment, on standard input or in a file of mode 0600.",
    ),
    row(
        "USE-57",
        "In /tmp and the like anybody may make a link of any name. An agent that writes through it \
         as root writes where the link's maker wants, into /etc/passwd for one.",
        "Nothing: the action looks like any other. The kernel refuses some of it where \
         fs.protected_symlinks is set; then the start fails instead.",
        "Keep files in /run or another directory that only root may write to; elsewhere make them \
         with O_EXCL, or by mktemp.",
    ),
];
