// SPDX-License-Identifier: Apache-2.0 OR MIT
//! About the rules of descriptions, which META-02 judges together.

use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "MD-01",
        "What isn't well-formed no XML reader reads: an unescaped & or <, a tag that isn't closed, a \
         second root, a character that XML forbids.",
        "The controller treats the agent as one without a description; crm_resource, pcs and crmsh \
         refuse it.",
        "Escape what is put into the text (&amp;, &lt;), and look at the output with xmllint.",
    ),
    row(
        "MD-03",
        "The schema fixes the order: version, longdesc, shortdesc, parameters, actions, special. A \
         reader that validates refuses any other.",
        "Pacemaker and pcs look elements up by name; checkers of packages and tools with the schema \
         refuse the description.",
        "Put the elements into that order, and remove those the schema doesn't know.",
    ),
    row(
        "MD-04",
        "A description may hold the same text in several languages, so each has to say which it is.",
        "Nobody in the cluster minds; readers that validate against the schema do.",
        "Write lang=\"en\" on every longdesc, shortdesc and desc.",
    ),
    row(
        "MD-05",
        "The schema wants at least one parameter, and nothing between them.",
        "Unknown elements are skipped; readers that validate refuse the description.",
        "Move other elements out of <parameters>; an agent without parameters of its own can declare \
         trace_ra and trace_file, which pcs knows.",
    ),
    row(
        "MD-06",
        "Attributes and flags say how a parameter is to be set. One that isn't understood is taken \
         for not there, or for a mistake.",
        "pcs refuses the agent for an unknown attribute and for a flag that is neither 0 nor 1. \
         Pacemaker itself reads private, which the standard doesn't have.",
        "Use 0 and 1 for unique, required and reloadable; leave out private and attributes of your \
         own.",
    ),
    row(
        "MD-07",
        "A parameter's own children have an order, too: deprecated, longdesc, shortdesc, content. A \
         parameter without content has no type.",
        "pcs and crmsh show a parameter without a text or a type; readers that validate refuse it.",
        "Give each parameter a longdesc, a shortdesc and a content, in this order.",
    ),
    row(
        "MD-08",
        "There are the types string, integer, boolean and select. A default that isn't of the type \
         can't be what the agent does.",
        "pcs refuses an agent of version 1.1 with an unknown type, such as int or numeric.",
        "Use one of the four types; list the values of a select as options; correct the default.",
    ),
    row(
        "MD-09",
        "deprecated says which parameter is used instead, and why, in two elements that tools can \
         show.",
        "Nobody in the cluster acts on it; pcs shows what replaces the parameter.",
        "Write <replaced-with name=\"...\"/> and <desc lang=\"en\">...</desc>.",
    ),
    row(
        "MD-10",
        "An action's timeout is the recommended least one; without it nobody knows how long to wait.",
        "Pacemaker uses its own default of 20 seconds, and pcs and crmsh have nothing to fill in or to \
         warn with.",
        "Give every action a name and a timeout, and only the attributes of the schema.",
    ),
    row(
        "MD-11",
        "Monitors are told apart by depth and role. Of two that are alike in both nobody knows which \
         is meant.",
        "pcs copies both into the configuration, where two monitors with the same interval clash.",
        "Advertise one monitor for each depth and role.",
    ),
    row(
        "MD-12",
        "A time is a number, by itself or with a unit such as s, m or h.",
        "Pacemaker ignores a time it can't read and uses its default, after pcs has copied it into \
         the configuration.",
        "Write whole seconds with their unit, as in 20s.",
    ),
    row(
        "MD-17",
        "A required parameter has to be set by its user; a default says what happens when it isn't. \
         One of the two is wrong.",
        "pcs insists on the parameter and never uses the default.",
        "Take out required where the default is good; otherwise take out the default.",
    ),
    row(
        "INST-07",
        "A parameter reaches the agent as a variable in its environment. A name with a dash, a blank \
         or a digit in front can't be read by a shell.",
        "Pacemaker passes the name as it stands, and a shell agent never sees the value.",
        "Use letters, digits and underscores, and begin with a letter.",
    ),
    row(
        "INV-06",
        "start, stop, monitor and meta-data are mandatory, and the description has to list them with \
         their timeouts.",
        "Pacemaker calls them in any case, with its default timeout; crmsh warns where start or stop is \
         missing.",
        "List all four in <actions>, each with a timeout.",
    ),
    row(
        "REL-03",
        "A reloadable parameter is one that can be changed while the service runs, and reload-agent \
         is the action that does it.",
        "Without the action Pacemaker restarts the resource, as for any other parameter.",
        "Advertise reload-agent and write it, or take out reloadable.",
    ),
    row(
        "USE-01",
        "The version says by which edition of the standard the description is to be read.",
        "pcs refuses any text but 1.0 and 1.1. Pacemaker warns where it is missing or 2 and above.",
        "Write <version>1.1</version> as the root's first child; the agent's own version is an \
         attribute of the root.",
    ),
    row(
        "USE-02",
        "crmsh reads the description as text that is decoded already, and its XML reader refuses such \
         text when it names an encoding.",
        "The cluster doesn't mind; crm ra info and crm configure fail for the agent.",
        "Begin with <?xml version=\"1.0\"?> and print UTF-8.",
    ),
    row(
        "USE-03",
        "The XML declaration has to be the first of all, and nothing but the XML can be read.",
        "pcs refuses a description with text around it, crmsh one that begins with a blank line.",
        "Send messages to standard error, and begin the output with < in its first byte.",
    ),
    row(
        "USE-04",
        "Two parameters of one name are one variable: which of the two texts, types and defaults \
         holds nobody can tell.",
        "Pacemaker, pcs and crmsh each take one of them without a word, not necessarily the same.",
        "Remove one of them, or give it a name of its own.",
    ),
    row(
        "USE-05",
        "A role that can be taken has to be given back, and the other way round.",
        "pcs takes an agent for promotable only if it has both. Pacemaker calls both for a promotable \
         clone, and the missing one fails.",
        "Advertise and write both, or neither.",
    ),
    row(
        "USE-06",
        "The standard's text writes roles in small letters, the cluster's configuration with a \
         capital one; pcs copies the text as it stands.",
        "pcs refuses such a role under version 1.0; under 1.1 the cluster refuses the configuration \
         that pcs makes of it, and no resource of this agent can be created.",
        "Write Promoted and Unpromoted, with a capital letter.",
    ),
    row(
        "USE-07",
        "Pacemaker knows a recurring action by its name and interval, so two monitors need two \
         intervals.",
        "Of two monitors with one interval Pacemaker makes only one, so pcs shifts the other, and \
         crmsh warns. One of zero is a probe and never repeated.",
        "Give the monitors of different depths and roles different intervals, such as 10s and 11s.",
    ),
    row(
        "USE-08",
        "reload-agent came with version 1.1 of the standard.",
        "The controller ignores it in a description of 1.0: it restarts the resource when a \
         reloadable parameter changes.",
        "Claim version 1.1: <version>1.1</version>.",
    ),
];
