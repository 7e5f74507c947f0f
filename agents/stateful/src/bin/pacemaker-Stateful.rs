// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:Stateful`.

ocf::agent_main!(ocf_stateful::Stateful);
