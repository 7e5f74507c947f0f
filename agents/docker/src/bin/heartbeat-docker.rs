// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:docker`.

ocf::agent_main!(ocf_docker::Docker);
