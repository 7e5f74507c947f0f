//! The model of a resource agent's description.
