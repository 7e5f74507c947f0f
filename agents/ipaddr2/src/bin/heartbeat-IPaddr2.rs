// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:heartbeat:IPaddr2`.

ocf::agent_main!(ocf_ipaddr2::IpAddr2);
