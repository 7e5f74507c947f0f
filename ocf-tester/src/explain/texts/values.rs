// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks that give parameters values that make no sense.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "MD-19",
        "A parameter that isn't advertised can't be set: tools refuse names that the description \
         doesn't have. Mostly it is one that was forgotten, or a name that is written in two ways. This \
         check looks for names in the agent's own file; it sees that they are read, not what for.",
        "It passes every parameter on. pcs and crmsh refuse the unknown one, so nobody gets to use it.",
        "Advertise it, or take the code that reads it away; for values within the agent use variables \
         with other names.",
    ),
    row(
        "VAL-05",
        "Values come from people and scripts, and have typing errors, blanks, quotes and bytes of \
         other encodings in them. An agent may refuse such a value or take it, but it has to end in a \
         defined way, and what it starts with the value it has to stop with the value. Which values \
         are tried is a choice that --seed repeats; --budget says how many of each parameter.",
        "A stop is made with the parameters that start was given, the bad value among them: when it \
         fails, or crashes, the node is fenced. A signal or a code that isn't defined says nothing \
         about why.",
        "Check every parameter before it is used; put variables in quotes, and -- before a value that \
         is a command's argument; let stop work without looking at tunables.",
    ),
    row(
        "VAL-06",
        "A word that is no boolean is a mistake of whoever wrote it. Taken for false, it does the \
         opposite of what was meant, and nobody is told.",
        "pcs and crmsh run validate-all when a resource is made, and show what it says; later nobody \
         looks.",
        "Accept true, yes, on and 1 and their opposites in any case, and refuse everything else with 6.",
    ),
    row(
        "USE-70",
        "The announced timeout is in milliseconds. Read as seconds it is a thousand times too long; \
         with a fixed margin taken off, a small one becomes nothing, or less than nothing.",
        "It announces what is configured, or its default of 20 s, and kills the action when that time \
         is over. It announces nothing when an agent is called by others.",
        "Divide by 1000, take off a share and not a fixed time, and go on with a default when nothing \
         is left.",
    ),
    row(
        "USE-71",
        "Only the announced timeout says how much time there is. A stop that waits longer for a \
         service to end by itself is killed before it uses force.",
        "A stop that is over its timeout is a failed stop, and the node is fenced, although force would \
         have ended the service in time.",
        "Let stop keep a part of the announced time for force, and for the proof that it worked.",
    ),
    row(
        "USE-72",
        "The directory from which a caller was started may have been removed since; nothing that an \
         agent does depends on it.",
        "Pacemaker runs agents in a directory of its own, which stays. Tools run them where they are.",
        "Use absolute paths, or change to a directory that exists before anything is read or written.",
    ),
    row(
        "MIG-02",
        "An action that has succeeded can be repeated: it succeeds again, and changes nothing. Nor may \
         a second migrate_from start the resource a second time.",
        "After a transition that was broken off, an action may be made again; its failure leads to a \
         stop on both nodes and a start, the outage that migration is meant to avoid.",
        "Let migrate_from look first, and answer 0 when the resource is there.",
    ),
    row(
        "MIG-03",
        "migrate_to gives a resource away. Where it doesn't run there is nothing to give, and starting \
         it for that would make it run where nobody has asked for it.",
        "It calls migrate_to only where it believes the resource to run. When that was wrong and the \
         agent starts it, it may run on two nodes.",
        "Let migrate_to of a stopped resource answer 7 or another error, and start nothing.",
    ),
];
