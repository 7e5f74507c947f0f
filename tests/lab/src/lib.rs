//! A real Pacemaker in a container of its own.
