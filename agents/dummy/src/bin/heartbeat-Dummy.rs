// SPDX-License-Identifier: Apache-2.0 OR MIT

#![allow(missing_docs)]
ocf::agent_main!(ocf_dummy::Heartbeat);
