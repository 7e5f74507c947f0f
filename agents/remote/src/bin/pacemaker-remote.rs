// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `ocf:pacemaker:remote`.

ocf::agent_main!(ocf_remote::Remote);
