// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:Dummy`.

ocf::agent_main!(ocf_dummy::Heartbeat);
