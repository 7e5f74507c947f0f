// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The description ("meta-data") of an OCF resource agent: a model made of constants, its writer,
//! a reader for the descriptions of foreign agents, and the rules every description must keep.
//!
//! What an agent links is [`model`] and [`writer`]; [`reader`] and [`rules`] are for tools.
//! Nothing here looks at the machine: text in, text out. Standard: OCF Resource Agent API 1.1,
//! "Resource Agent Metadata".

pub mod model;
pub mod reader;
pub mod rules;
mod tree;
pub mod writer;

pub use model::{About, ActionRow, Content, Description, ParameterRow, Role};
