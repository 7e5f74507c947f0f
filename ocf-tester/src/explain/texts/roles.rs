// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks of promoted resources, of calls that ask for nothing, and of words in values.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "PRO-03",
        "0 from stop says that nothing of the resource is left on this node.",
        "It promotes another instance, or starts the resource elsewhere, while this one is promoted \
         still: the same data is written twice.",
        "Let stop look at the state afterwards, in whatever role the resource was, and answer an error \
         if anything is left.",
    ),
    row(
        "PRO-06",
        "Stop ends the resource from any state. Refusing because it is promoted leaves it running.",
        "It demotes before it stops. When the demote fails or times out, it stops the promoted \
         resource to recover it; if that fails, too, the node is fenced.",
        "Let stop end the service in whatever role it is; demote first inside stop if need be.",
    ),
    row(
        "PRO-04",
        "An action that answers 0 says that the resource is active in the wanted role.",
        "It takes the resource for promoted, or running, and starts what depends on it; only the next \
         monitor finds out, and that is counted as a failure of the resource.",
        "Look at the state first, and answer 7 when the resource is stopped.",
    ),
    row(
        "PRO-05",
        "A probe asks what is there, in whatever role.",
        "After a restart of the cluster on a node it probes every resource. A promoted one that is \
         reported as unpromoted may be promoted a second time on another node.",
        "Let the role be seen whatever the interval is, and when none is set.",
    ),
    row(
        "REL-04",
        "reload-agent makes new values of reloadable parameters effective; the service goes on.",
        "It goes on as if nothing had changed. A resource that has lost its role is a failed promoted \
         one at the next monitor: demoted, stopped and started again.",
        "Apply the parameters without a restart, or don't advertise them as reloadable.",
    ),
    row(
        "USE-39",
        "meta-data and validate-all are questions, and a call with no action or an unknown one asks \
         for nothing: tools make them on any node at any time.",
        "The controller reads meta-data before every start, and pcs and crm_resource validate while \
         the resource runs: one that is changed by it fails at its next monitor, or runs twice.",
        "Decide on the action first; touch the service only in start, stop, promote and demote.",
    ),
    row(
        "START-04",
        "A start that didn't fully work is an error, whatever kept it from working: a full or \
         read-only file system is a common one.",
        "After 0 it starts what depends on the resource and looks again only at the next monitor. \
         After an error it stops the resource and tries another node.",
        "Look at the result of every step of start, and ask monitor's question at the end.",
    ),
    row(
        "USE-41",
        "A description is about the type of resource; every resource of it has the same parameters \
         and actions.",
        "The controller asks for it without parameters and keeps the answer for every resource of the \
         type, while pcs shows what it gets with others: what one configures, the other ignores.",
        "Print the same text whatever is set.",
    ),
    row(
        "STOP-11",
        "A file that a crash or a full disk has left empty tells no number, and there is nothing left \
         to stop.",
        "It stops what has failed. When that stop fails because the file can't be understood, the node \
         is fenced over an empty file.",
        "Take an empty or unreadable number for none, look for the service in another way, and remove \
         the file.",
    ),
    row(
        "REL-05",
        "reload-agent makes parameters effective that need no restart; one that restarts the service \
         hides an outage.",
        "It counts on a service that isn't interrupted, and stops nothing that depends on it.",
        "Tell the running service, or don't mark the parameter as reloadable: then it is restarted in \
         the right order.",
    ),
    row(
        "ENV-01",
        "What an instance parameter says is what the agent works with; a unique one makes the resource \
         a different one.",
        "It keeps two resources apart by their parameters alone. An agent that ignores one lets both \
         work on the same thing: the stop of one ends the other.",
        "Use the parameter in every action, and the default only where it isn't set.",
    ),
    row(
        "USE-40",
        "A parameter reaches the agent unchanged, whatever is in it: blanks, quotes, a dollar sign.",
        "It passes the value through the environment and interprets nothing. A start that fails over \
         a quote is a failed resource, moved to the next node, where it fails again.",
        "In a shell, quote every use of a parameter; or refuse the value in validate-all and say why.",
    ),
    row(
        "NOT-02",
        "notify comes before and after every start, stop, promote and demote of any instance; empty \
         lists are one blank.",
        "A failed notify is a failed action of the resource: the instance is recovered because of \
         something that happened to another one.",
        "Answer 0 to every operation, also to those that need nothing done, and change no role.",
    ),
];
