// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where the modules `layout` and `config` go.

use crate::Parameters;
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// What distributions call the server.
const PROGRAMS: &[&str] = &["/usr/sbin/httpd2", "/usr/sbin/apache2", "/usr/sbin/httpd"];

pub(crate) fn programs(parameters: &Parameters) -> Vec<PathBuf> {
    parameters.httpd.iter().cloned().chain(PROGRAMS.iter().map(PathBuf::from)).collect()
}

pub(crate) fn configuration(parameters: &Parameters) -> PathBuf {
    parameters.configfile.clone().unwrap_or_else(|| PathBuf::from("/etc/apache2/apache2.conf"))
}

pub(crate) fn settings(_: &Parameters, _: &Path) -> Settings {
    Settings::default()
}
