// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:apache`.
ocf::agent_main!(ocf_apache::Apache);
