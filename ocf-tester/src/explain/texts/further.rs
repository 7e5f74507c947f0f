// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the checks of descriptions, levels, callers and outputs.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "MD-01",
        "Tools show and compare the name in the description; the one they call the agent by is the \
         file's.",
        "Pacemaker goes by the file's name and doesn't compare; people and tools that read the \
         description look for an agent that isn't there.",
        "Give the root element the file's name, also after a copy or a rename.",
    ),
    row(
        "USE-24",
        "OCF_OUTPUT_FORMAT says how output is wanted; XML is what meta-data prints by default, and \
         the only form its readers understand.",
        "The variable reaches agents as a side effect of Pacemaker's own output: log from the \
         controller, text or xml from crm_resource. An agent that answers with anything but XML \
         can't be configured.",
        "Print the XML whatever the variable says.",
    ),
    row(
        "USE-25",
        "Each caller has a working directory of its own, and none is promised.",
        "Agents run in Pacemaker's directory for core files, tools run them where the user is: there \
         the description can't be read.",
        "Use absolute paths; don't read files from the working directory.",
    ),
    row(
        "USE-26",
        "Messages beside the description tell its reader that something is wrong when nothing is.",
        "Every line on standard error is logged as error output, at each reading: before every start. \
         Callers that read both streams as one get XML they can't read.",
        "Log nothing while meta-data is answered.",
    ),
    row(
        "USE-27",
        "The description is the same for everybody, so nothing has to be set for it.",
        "Pacemaker sets OCF_ROOT and the version; documentation tools and packagers' scripts often \
         set nothing, and get no description.",
        "Have a default for OCF_ROOT, and for whatever else is read before meta-data is answered.",
    ),
    row(
        "MD-15",
        "What is advertised has to be there: managers plan with it.",
        "3 to an action that isn't recurring is a hard error: the resource is not tried on this node \
         again, because of an action it needn't have had.",
        "Write the action, or take it out of the description.",
    ),
    row(
        "INV-07",
        "What an agent can do is what its description says. An action that isn't there is never \
         used by a manager, and surprises whoever calls it.",
        "Pacemaker calls only what is advertised or configured; nobody uses the action.",
        "Advertise the action, or answer 3 to it.",
    ),
    row(
        "MON-08",
        "A probe is a monitor whose interval is 0 or not set: both forms occur.",
        "Pacemaker leaves the interval out for probes. An agent that takes that for a recurring \
         monitor answers an error on every node on which something is missing.",
        "Treat unset, empty and 0 alike.",
    ),
    row(
        "ENV-03",
        "The major version is a promise about everything else: with another one an agent can't know \
         what it is asked for, and has to say so.",
        "Pacemaker announces 1.1, so nothing happens today. Many agents don't look.",
        "Answer an error when OCF_RA_VERSION_MAJOR is set and isn't 1.",
    ),
    row(
        "LVL-02",
        "A depth in the description promises a monitor of that level; administrators configure it.",
        "The recurring monitor with that OCF_CHECK_LEVEL fails, and the healthy resource is stopped \
         and started again, each time.",
        "Implement the level, or take it out; an unknown level falls back to the next lower one.",
    ),
    row(
        "MON-02",
        "A monitor only looks. The service stays available during one of any level.",
        "A service that its own monitor ends is found failed by the next one and recovered, again and \
         again.",
        "Let no level do more than read or use the service like a client.",
    ),
    row(
        "USE-30",
        "Pacemaker 2.1 and 3 give different variables, a directory and a umask of their own.",
        "It is the caller that this is about: what fails here fails in the cluster.",
        "Look in the report which variable or directory makes the difference, and don't depend on it.",
    ),
    row(
        "USE-31",
        "crm_resource and crmsh run agents by hand, for validation and for tests, in other \
         environments than the cluster's.",
        "crm_resource --force-start, --force-check and --validate fail, and with them the tools \
         that use them; the cluster itself doesn't notice.",
        "Don't depend on variables that only the cluster's daemons set.",
    ),
    row(
        "USE-32",
        "drbd-reactor runs agents from systemd, without an API version, without a timeout, and takes \
         any code but 0 from monitor for a failure.",
        "Nothing; the agent can't be used under drbd-reactor.",
        "Treat the version and the CRM_meta variables as optional.",
    ),
    row(
        "USE-33",
        "halo gives parameters and OCF_ROOT, and no name of the instance.",
        "Nothing: Pacemaker always gives the name.",
        "Fall back to a default name when neither version nor name is set.",
    ),
    row(
        "USE-34",
        "pcs runs validate-all without a search path when a resource is created.",
        "Nothing, the cluster's daemons have a search path; pcs shows an error or a warning to whoever \
         creates the resource.",
        "Set PATH, or call tools by their full path.",
    ),
    row(
        "USE-35",
        "The working directory is the caller's, and may be one the agent can't even read.",
        "Agents run in Pacemaker's directory for core files. Relative paths lead there, and the state \
         one call leaves is not found by the next tool.",
        "Use absolute paths only, or change to / first.",
    ),
    row(
        "USE-36",
        "What is created gets the permissions that the caller's umask leaves.",
        "Pacemaker runs agents with umask 0026, so files become 0640: a service that runs as another \
         user can't read them, although it could in a test by hand.",
        "Set the mode of what the service has to read, don't rely on the umask.",
    ),
    row(
        "USE-37",
        "Standard input belongs to the caller; an agent that reads it waits for somebody to type.",
        "In a cluster it is /dev/null in practice, so the read ends at once; under other callers the \
         action hangs until its timeout.",
        "Give tools that read standard input (ssh, for one) /dev/null.",
    ),
    row(
        "USE-50",
        "The exit reason is the sentence people see in the cluster's status.",
        "Pacemaker takes the last one in standard error, to the end of its line: an empty last one \
         hides those before it, and up to 3.0.1 what is longer than 128 bytes is cut off.",
        "Print one line that begins with ocf-exit-reason: when an action fails, short, in UTF-8.",
    ),
    row(
        "USE-51",
        "A code says what kind of failure it is, the exit reason what went wrong.",
        "The cluster's status shows the code alone, and somebody has to search logs.",
        "Print a line that begins with ocf-exit-reason: to standard error before the error is \
         answered; ocf_exit_reason does that in the shell library.",
    ),
    row(
        "USE-52",
        "Standard output is for meta-data and usage. What is printed there in other actions is \
         nobody's message.",
        "It is logged at debug level, where nobody looks; up to 10 MiB are kept in memory first.",
        "Send messages to the log or to standard error, and tools' output to /dev/null.",
    ),
    row(
        "USE-53",
        "The advertised timeout is what administrators configure. It has to be enough on a busy day.",
        "An action that lasts longer is killed with its process group, and counts as failed: for stop \
         the node is fenced, or, without fencing, the resource is blocked.",
        "Advertise a realistic worst case, or make the action quicker.",
    ),
];
