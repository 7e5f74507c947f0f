// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Packets: what tells the network of an address, and what asks it whether somebody has it.
