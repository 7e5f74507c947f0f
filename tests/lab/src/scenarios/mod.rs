// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the cluster tier goes through beyond the demo: each file is one kind of cluster.

pub mod remote;
