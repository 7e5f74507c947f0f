// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks of crowds, faults, leavings and values.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "INV-10",
        "An agent may serve many resources on one node, and their actions run at the same time. Each \
         of them needs files, locks and processes of its own.",
        "Actions of different resources run in parallel. With a shared state the stop of one ends the \
         other, whose next monitor is a failure, and the two recover each other in a circle.",
        "Put the resource's name (OCF_RESOURCE_INSTANCE) into the default of every path, and find \
         processes by what only this resource has.",
    ),
    row(
        "USE-38",
        "A monitor that only looks can be made by several callers at once: the cluster, an \
         administrator, a supervision tool.",
        "Pacemaker itself runs one operation of a resource at a time. crm_resource --force-check, run \
         by hand beside it, makes the cluster's own monitor fail, and the healthy resource is \
         restarted.",
        "Take no lock in monitor that a second one would find taken, and write to no file of a fixed \
         name.",
    ),
    row(
        "START-07",
        "Two starts may overlap: a start that was killed may have left a half that goes on, or \
         somebody starts by hand. Either both succeed or one fails, but one resource comes of it.",
        "A service that was started twice has one process which no stop knows of. It goes on when the \
         resource is started on another node.",
        "Hold a lock while start works (the kernel's, which ends with the process), and look whether \
         the resource runs after the lock was got.",
    ),
    row(
        "STOP-02",
        "stop may use force as long as no data is harmed. A service that answers nothing, because it \
         hangs or is stopped by a signal, has to end, too.",
        "A stop that waits in vain is killed at its timeout and counts as failed: the node is fenced, \
         or, without fencing, the resource is blocked.",
        "After a part of the timeout send KILL, which ends a stopped process as well; then wait until \
         it has gone.",
    ),
    row(
        "STOP-03",
        "What is left of a stopped resource may harm it elsewhere, or fill the node: an address that \
         is still set, a mounted file system, lock files, shared memory.",
        "A stop that answers 0 frees the resource: it is started on another node while the leftover \
         is still here. Two nodes with one address or one mounted file system are the worst of it.",
        "Remove in stop all that start has made, also what an earlier start left behind when it was \
         killed.",
    ),
    row(
        "STOP-05",
        "A service that died has left files, locks and perhaps children. To stop it is to clear those \
         up, and that succeeds: nothing runs afterwards.",
        "The recovery of every failed resource begins with a stop. If that fails because the service \
         is dead, a crash that a restart would have cured ends with the node fenced.",
        "Take a missing process for stopped, remove what it left, and answer 0.",
    ),
    row(
        "STOP-07",
        "What is needed to start a resource need not be needed to stop it. A parameter that is wrong \
         or missing now doesn't change that nothing may run afterwards.",
        "A resource whose first start was refused over a wrong parameter is stopped with that \
         parameter. If stop is refused, too, a slip of the pen gets the node fenced.",
        "Look first what is running. Check parameters in stop only as far as they are needed to find \
         it; when nothing is there, answer 0.",
    ),
    row(
        "STOP-08",
        "Numbers of processes are used again. A pid file that outlived its service, after a crash or \
         a reboot, may hold the number of anything.",
        "If monitor takes the other process for the service, a dead resource counts as running and is \
         never recovered; if stop does, a process that has nothing to do with it is killed.",
        "Compare more than the number: the program's file, its arguments or environment, its start \
         time, or a lock that the service holds.",
    ),
    row(
        "MON-05",
        "0 is a statement about the service, not about what start left behind. A pid file of a dead \
         process says nothing.",
        "A failure that monitor doesn't see is no failure: the service stays down until somebody \
         notices, and the cluster shows it as started.",
        "Ask the service itself, or at least look whether its process is alive; a file alone is no \
         proof.",
    ),
    row(
        "MON-09",
        "A monitor runs every few seconds for years, and before the first start on every node. What \
         it writes wears, fills and sometimes breaks something.",
        "A full or read-only file system makes such a monitor fail, and the healthy resource is \
         stopped and started, or moved.",
        "Read, and write nothing. Where something must be remembered, write it in start, or only when \
         it has changed.",
    ),
    row(
        "MD-18",
        "A default in the description is what an agent does without the parameter. Whoever reads it \
         relies on it and leaves the parameter out.",
        "Pacemaker gives agents no defaults: it doesn't read them. pcs and crmsh show them; writing \
         the shown value into the configuration makes another resource of it.",
        "Take description and behaviour from one place; correct whichever is wrong.",
    ),
    row(
        "USE-54",
        "The description is read often, and somebody waits for it.",
        "The controller reads it anew before each start and delays that start by it; after 20 seconds \
         it gives up. pcs and crmsh read it for nearly every command about the resource.",
        "Answer meta-data before anything else is loaded, looked up or waited for.",
    ),
    row(
        "USE-60",
        "Agents run as root, and their parameters come from people who may configure resources, which \
         isn't the same. A value that is executed gives them root on every node.",
        "Values reach agents in the environment as they stand; Pacemaker neither checks nor quotes \
         them.",
        "Quote every expansion in shell, never use eval on a value, don't build command lines as \
         text for sh -c; start programs with a list of arguments.",
    ),
    row(
        "USE-61",
        "What an agent prints ends up in logs and in mails, and there more people read than in the \
         configuration.",
        "Standard error goes to the system's log. The exit reason is kept in the cluster's status, \
         where crm_mon shows it to everybody.",
        "Leave values of secret parameters out of messages, and mind tools that print their own \
         command line when they fail.",
    ),
    row(
        "USE-62",
        "A file of a root process that everybody may write lets every user of the node say what root \
         is to do: which process to end, which state to believe.",
        "Pacemaker runs agents with umask 0026, so only an explicit mode or chmod makes such a file. \
         It doesn't look at them.",
        "Create files with mode 0600 or 0644; where a service of another user has to write, make that \
         user the owner.",
    ),
    row(
        "VAL-02",
        "The description promises an integer, so a word can't be valid; better said when it is \
         configured than at the next start.",
        "crm_resource --validate and pcs accept the value. The mistake shows when the resource is \
         started, perhaps during a failover.",
        "Parse the whole value as a number in validate-all, and answer 2 or 6 with an exit reason that \
         names the parameter.",
    ),
    row(
        "VAL-03",
        "A select lists its values, so any other one is wrong.",
        "crm_resource --validate and pcs accept the value, since neither looks at the list. What the \
         agent makes of it shows only when it runs.",
        "Compare with the advertised list in validate-all, and answer 2 or 6 to what isn't in it.",
    ),
    row(
        "VAL-04",
        "Without a required parameter the resource can't run; that is what required says.",
        "pcs refuses to leave it out; Pacemaker doesn't look. The start fails, with 6 on no node \
         tried again, with other codes on one node after another.",
        "Check in validate-all that each required parameter is set and not empty, and answer 6 if it \
         isn't: it is wrong on every node.",
    ),
];
