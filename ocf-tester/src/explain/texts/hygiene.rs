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
    row(
        "USE-58",
        "A process that has ended keeps its number until its parent takes note of that, which can \
         take for ever: below a parent that hangs, or in a container without an init.",
        "A service that is down counts as running: no failure is seen, and nothing is recovered.",
        "Signal 0 (kill -0) says only that the number is taken: look at the state in /proc/PID/stat, \
         or better, ask the service.",
    ),
    row(
        "MON-04",
        "7 says that nothing of the service is there, so that it may be started here or elsewhere.",
        "It starts the service anew, here or on another node, beside the processes that still have \
         its files open: two at the same data.",
        "Answer 7 only when every process of the service is gone; else 1, which is followed by a stop.",
    ),
    row(
        "STOP-09",
        "After a stop that answers 0 no part of the service is active, whatever had become of its \
         main process.",
        "It believes that the service is down and starts it elsewhere while a part works on here.",
        "Find every process: by control group, process group or command line; end them all, and \
         answer 0 when none is left.",
    ),
    row(
        "STOP-10",
        "A file with a process number is a hint. It can be lost: by hand, a clean-up of /run, a full \
         file system.",
        "Stop answers 0 while the service runs: it is then started a second time, here or elsewhere.",
        "Without the file look for the process itself, by its command line, socket or environment.",
    ),
];
