//! Conformance tester for OCF resource agents in any language.
