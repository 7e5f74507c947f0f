// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks of the classic sequence.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "META-01",
        "The description is how everybody else learns which parameters and actions an agent has. \
         Without it nobody can configure the resource.",
        "The controller reads it before every start. Any code but 0, or no output, counts as an \
         input/output error, and pcs and crmsh refuse to create the resource.",
        "Answer meta-data before anything else is looked at: no parameter, no tool, no file of the \
         service is needed for it. Print to standard output and exit 0.",
    ),
    row(
        "META-02",
        "The description has a schema, and its readers have demands of their own beyond it. Each \
         finding carries the id of the narrower rule and says which reader stumbles.",
        "Pacemaker itself validates little: it looks at the API version, at reload-agent (which \
         counts from version 1.1 on) and at reloadable and private parameters. pcs and crmsh refuse \
         descriptions that they can't read.",
        "Correct the XML as the finding says; check it against the schema of OCF 1.1. Nothing may \
         stand before the XML, log messages least of all.",
    ),
    row(
        "USE-20",
        "crm_resource, pcs and crmsh are run by ordinary users too, and show descriptions to them.",
        "The cluster's daemons don't notice; crm_resource --show-metadata fails for such a user.",
        "Make the file readable and executable for all (chmod 755), and don't ask for root, write \
         files or read protected ones before meta-data is answered.",
    ),
    row(
        "USE-21",
        "A resource is often configured on a node that doesn't have its software: an administrator's \
         host, or one the resource may never run on.",
        "The controller can't read the description there, and pcs and crmsh refuse to create the \
         resource.",
        "Look for the software after meta-data has been answered.",
    ),
    row(
        "VAL-01",
        "validate-all says whether the parameters are good. If it refuses those it was given here, \
         either they are wrong or the action is.",
        "Pacemaker doesn't call it by itself; crm_resource --validate does, and pcs and crmsh use it \
         before they accept a change.",
        "Give the parameters the agent needs with -o; its exit reason should name the bad one. Where \
         they are right, correct the action: 0 when they are good.",
    ),
    row(
        "MON-03",
        "Before the first start there is no state at all, and monitor has to cope: 7 says cleanly \
         stopped, which is what the manager needs to know before it starts anything.",
        "Every resource is probed on every node first. 0 or 8 means found active there, and a \
         resource found on two nodes is stopped and recovered; 1 counts as failed and 6 keeps the \
         resource off every node.",
        "Answer 7 when nothing of the service is there: a missing pid file, directory or socket is no \
         error.",
    ),
    row(
        "USE-22",
        "A resource is probed also on nodes on which its software isn't installed. Nothing can run \
         there.",
        "A probe that answers 7, 5 or 2 counts as not running. 1 is a failure to be recovered, 4 a \
         hard error, and 6 keeps the resource from starting on any node.",
        "In a probe, treat missing software as not running: 7, or 5 with an exit reason.",
    ),
    row(
        "INV-03",
        "Every use has a defined answer, improper use too: without an action the agent has to exit \
         and not hang, crash or wait for input.",
        "Pacemaker always gives an action; people and scripts forget it.",
        "Print a line on how it is used and exit 3 or 2.",
    ),
    row(
        "INV-04",
        "3 tells an action that isn't there from one that went wrong, and lets a manager find out \
         what an agent can do.",
        "3 to a recurring action is taken for not supported and ignored; to any other one it is a \
         hard error, not tried on this node again. 0 would pass for a success that never happened.",
        "Let the last branch of the action's dispatch answer 3.",
    ),
    row(
        "START-01",
        "0 promises that the resource is up and available; what is started next builds on that.",
        "A failed start is recovered by a stop and, unless start-failure-is-fatal is false, isn't \
         tried on this node again. If start answers 0 and the resource is down, the first recurring \
         monitor finds it failed and it is started again, in a circle.",
        "Check at the end of start with the test that monitor uses; answer an error with an exit \
         reason when it doesn't come up.",
    ),
    row(
        "START-02",
        "A start that returns before the resource is up lets others start that depend on it, and the \
         first monitor may come too early.",
        "The first recurring monitor that finds it down is a failure: the resource is stopped and \
         started again.",
        "Wait inside start until monitor would say running. There is no need for a limit of its own: \
         Pacemaker ends a start that lasts longer than its timeout.",
    ),
    row(
        "START-06",
        "Which instance is promoted is the manager's choice. One that promotes itself makes two.",
        "Pacemaker expects the unpromoted role after start; an instance seen as promoted where it \
         shouldn't be is a failure.",
        "Start as unpromoted, whatever the role was when the service ended.",
    ),
    row(
        "MON-01",
        "monitor is the manager's only eye: 0 for properly active, both as a recurring monitor and as \
         a probe.",
        "Any code but the expected one is a failure of the resource, by default recovered by a stop \
         and a start. A probe that says 7 of a running resource may lead to a second start elsewhere.",
        "Use the same test for both; a probe is a monitor whose interval is 0 or unset.",
    ),
    row(
        "INV-02",
        "Later versions of the standard may add arguments; today's agents have to ignore them.",
        "Pacemaker gives the action alone, so nothing happens today.",
        "Look at the first argument only; don't check how many there are.",
    ),
    row(
        "NOT-01",
        "notify tells the instances of a clone about each other's changes. An agent that advertises \
         it has to take it without an error.",
        "A failed notify is logged and ignored: what the agent should have done is simply missing.",
        "Answer 0, also to types and operations that don't concern the agent. Without a use for it, \
         don't advertise it and answer 3.",
    ),
    row(
        "PRO-01",
        "After promote the instance has the promoted role, and monitor says so with 8.",
        "If monitor answers anything but 8 on a promoted instance, that is a failure. By default the \
         instance is stopped and recovered, and another node may be promoted.",
        "Return from promote when the role is reached; let monitor ask the service for its role and \
         answer 8.",
    ),
    row(
        "PRO-02",
        "demote has to give the role up for real: another instance is promoted next.",
        "A failed demote is recovered by stopping the instance. One that answers 0 and stays promoted \
         makes two promoted instances.",
        "Return from demote when the role is given up; monitor answers 0 then.",
    ),
    row(
        "INV-09",
        "Whatever succeeded may be asked for once more and has to succeed again without changing \
         anything: the manager repeats an action whose answer it lost.",
        "The second answer counts like the first: an error makes a healthy resource a failed one.",
        "Look at the state first: a promoted instance answers 0 to promote, an unpromoted one 0 to \
         demote.",
    ),
    row(
        "STOP-01",
        "0 promises that nothing of the resource is active and that it may be started elsewhere. A \
         process that stays behind may write to the same data as the new one.",
        "A failed stop is the worst failure: the node is fenced, or, without fencing, the resource is \
         blocked until somebody cleans up. If stop answers 0 wrongly, the resource is started on \
         another node while it still runs here.",
        "Wait inside stop until every process has gone, also children and those in other sessions; \
         use KILL when TERM doesn't help; answer 1 when something remains.",
    ),
    row(
        "START-03",
        "start of what is running already is a success: the wanted state is reached.",
        "An error counts as a failed start: the running resource is stopped and, by default, isn't \
         started on this node again.",
        "Look with monitor's test first and answer 0 when the resource runs properly.",
    ),
    row(
        "REL-01",
        "reload makes the service read its own configuration again without an interruption. What is \
         advertised has to work.",
        "Pacemaker uses it as a substitute for a restart only with agents that claim a version before \
         1.1; a failure is recovered like that of any other action.",
        "Answer 0 and leave the service running, or don't advertise it.",
    ),
    row(
        "REL-02",
        "reload-agent makes changed parameters that are marked reloadable effective without a \
         restart.",
        "Pacemaker calls it instead of stop and start when only reloadable parameters have changed, \
         if the description claims version 1.1. A failure is recovered like that of any other action.",
        "Take over the new values and answer 0 with the service still running; where the agent keeps \
         nothing between calls, 0 is all there is to do.",
    ),
    row(
        "STOP-06",
        "7 is monitor's answer for a stopped resource. stop has reached its aim when nothing runs, \
         and that is a success: 0.",
        "0 is the one code that is expected of stop, so 7 is a failed stop: the node is fenced, or, \
         without fencing, the resource is blocked.",
        "Don't hand on monitor's code. In stop, turn not running into 0.",
    ),
    row(
        "STOP-04",
        "stop of what is stopped already is a success, whatever is missing: pid file, configuration, \
         mounted file system, the software itself.",
        "A failed stop gets the node fenced, or, without fencing, the resource blocked: here for a \
         resource that isn't even running.",
        "Look what is there; when nothing is, answer 0 before parameters or tools are checked.",
    ),
    row(
        "MIG-01",
        "OCF 1.1 doesn't describe migration; Pacemaker uses it with agents that advertise both \
         halves: migrate_to on the source, then migrate_from on the target.",
        "When a half fails, the resource is stopped and started in full, which is the interruption \
         that migration was to avoid.",
        "Answer 0 to both with the resource running on the target, or don't advertise them.",
    ),
    row(
        "EXIT-01",
        "OCF 1.1 gives a meaning to 0 to 9, 190 and 191, and to no other code.",
        "Every other code becomes 1, and what it was to say is lost. 2 and 5, for example, would have \
         told it not to try this node again.",
        "Map the codes of the tools you call to OCF's; don't end with the code of the last command \
         by chance.",
    ),
    row(
        "USE-23",
        "A daemon that keeps the agent's standard output or standard error open has a pipe whose \
         reader goes away when the agent ends.",
        "Pacemaker stops reading when the agent exits, so nothing hangs; the daemon gets SIGPIPE or \
         an error when it writes a line later, and may die of it. Other callers wait for the end of \
         output and hang.",
        "Start daemons with standard output and standard error sent to a log or to /dev/null.",
    ),
];
