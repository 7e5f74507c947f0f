// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The Engine's states can be made at all: what the other tests stand on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use docker_tests::{Engine, state};

#[test]
fn every_state_of_the_engine_can_be_produced() {
    let engine = Engine::start();
    for state in state::ALL {
        let mut made = state.make(&engine, "one");
        let word = state.name().split([' ', ',']).next().unwrap();
        assert_eq!(engine.status("one"), word);
        made.let_go();
    }
}
