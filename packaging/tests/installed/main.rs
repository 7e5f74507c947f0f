// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The packages beside Debian's shell agents and in their place, with dpkg itself. `make test-peers` runs
//! this in a container of the lab's: it installs, removes and kills on the machine it runs on.

mod ground;
mod monitors;
mod snapshot;

mod beside;
mod calls;
mod killed;
mod refused;
mod standalone;
