// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Dummy`.

ocf::agent_main!(ocf_dummy::Pacemaker);
