// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The model of an agent's description. Everything is `const`: a description is the same on every
//! machine and in every environment, so tools may cache it and golden files may hold it.

/// The version of the OCF Resource Agent API that every description written here claims.
pub const API_VERSION: &str = "1.1";

/// What an agent is: the first lines of its description.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The resource type, equal to the name of the installed file (`IPaddr2`).
    pub name: &'static str,
    /// The agent's own version, not the API's.
    pub version: &'static str,
    /// One line.
    pub short: &'static str,
    /// Paragraphs, separated by empty lines.
    pub long: &'static str,
}

/// The type of a parameter's value (OCF 1.1, `content@type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Any text.
    String,
    /// A whole number, decimal.
    Integer,
    /// A truth value, in the words of the shell helpers.
    Boolean,
    /// One of these words.
    Select(&'static [&'static str]),
}

impl Content {
    /// The word in `content@type`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Select(_) => "select",
        }
    }
}

/// One parameter: the one place it is named.
#[derive(Debug, Clone, Copy)]
pub struct ParameterRow {
    /// The name, as in `OCF_RESKEY_<name>`.
    pub name: &'static str,
    /// First line: the short description; the rest: the long one.
    pub doc: &'static str,
    /// The type of the value.
    pub content: Content,
    /// The text that counts when the parameter is unset; parsed like a user's.
    pub default: Option<&'static str>,
    /// Whether the parameter's type has a value for "unset".
    pub optional: bool,
    /// Whether the parameter is declared as required all the same: a start refuses to do without it, and
    /// a stop needn't have it.
    pub required: bool,
    /// A change takes effect through `reload-agent`, without a restart.
    pub reloadable: bool,
    /// Parameters of one group are together unique among instances of a type.
    pub unique_group: Option<&'static str>,
    /// An old name that still works and is declared as deprecated.
    pub alias: Option<&'static str>,
}

impl ParameterRow {
    /// A parameter of a name, its description and the type of its value.
    #[must_use]
    pub const fn new(
        name: &'static str,
        doc: &'static str,
        content: Content,
        optional: bool,
    ) -> Self {
        Self {
            name,
            doc,
            content,
            default: None,
            optional,
            required: false,
            reloadable: false,
            unique_group: None,
            alias: None,
        }
    }

    /// The same under another name than the field's (for Rust's keywords).
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// With a default, written as a user would.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// Required by those who bring something about, although its type has a value for "unset": the
    /// agent judges that itself, in its `check`.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Changed without a restart.
    #[must_use]
    pub const fn reloadable(mut self) -> Self {
        self.reloadable = true;
        self
    }

    /// Unique among the instances of the type, together with the others of the group.
    #[must_use]
    pub const fn unique_group(mut self, group: &'static str) -> Self {
        self.unique_group = Some(group);
        self
    }

    /// Also understood under an old name.
    #[must_use]
    pub const fn alias(mut self, old: &'static str) -> Self {
        self.alias = Some(old);
        self
    }

    /// Whether there is a value where the user gives none: the default's, or the type's for "unset".
    #[must_use]
    pub const fn can_be_unset(&self) -> bool {
        self.optional || self.default.is_some()
    }

    /// Required is derived where it can be: there is nothing to go by without it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.required || !self.can_be_unset()
    }

    /// The first line of the description.
    #[must_use]
    pub fn short(&self) -> String {
        self.doc.trim().lines().next().unwrap_or_default().trim().to_owned()
    }

    /// Everything after the first line; the first line itself where there is nothing else.
    #[must_use]
    pub fn long(&self) -> String {
        match self.doc.trim().split_once('\n') {
            Some((_, rest)) if !rest.trim().is_empty() => paragraphs(rest),
            _ => self.short(),
        }
    }
}

/// The text with each paragraph on one line: every reader breaks lines to its own width.
pub(crate) fn paragraphs(text: &str) -> String {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in text.trim().lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() && last.is_empty() => last.push_str(line),
            Some(last) if !line.is_empty() => {
                last.push(' ');
                last.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// A role of a promotable clone's instance, as Pacemaker's schema spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that leads.
    Promoted,
    /// The ones that follow.
    Unpromoted,
}

impl Role {
    /// The capitalised word: the standard's text has it in lower case, but `pcs` copies it into the
    /// CIB, whose schema knows only this form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Promoted => "Promoted",
            Self::Unpromoted => "Unpromoted",
        }
    }
}

/// One advertised action. Times are whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct ActionRow {
    /// The action's name.
    pub name: &'static str,
    /// The least timeout that makes sense, in seconds.
    pub timeout: u32,
    /// How often to repeat it, in seconds (monitors).
    pub interval: Option<u32>,
    /// The check level (`OCF_CHECK_LEVEL`) of this row.
    pub depth: Option<u32>,
    /// The role in which this row applies.
    pub role: Option<Role>,
}

/// A whole description, ready to be written.
#[derive(Debug, Clone)]
pub struct Description {
    /// What the agent is.
    pub about: About,
    /// Its parameters, in the order in which a person should read them.
    pub parameters: Vec<ParameterRow>,
    /// Its actions.
    pub actions: Vec<ActionRow>,
}
