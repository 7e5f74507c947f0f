// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command `ocf-tester`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ocf_tester::cli::main()
}
