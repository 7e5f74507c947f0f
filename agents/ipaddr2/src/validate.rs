// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Says what a start would do, and touches nothing.

use crate::interface::{self, Place};
use crate::site::Site;
use ocf::{Result, tracing};

/// Looks for the place that the address would get.
pub(crate) fn validate(site: &Site<'_>) -> Result<()> {
    let place = interface::find_place(&site.kernel, site.wanted)?;
    site.wanted.check_label(&place.link.name)?;
    let Place { link, prefix, .. } = &place;
    if let Some(sharing) = site.share_at(&place).filter(|sharing| !sharing.is_former()) {
        sharing.check_host(site.context)?;
    }
    tracing::info!("start would add {}/{} to {}", site.wanted.ip, prefix, link.name);
    Ok(())
}
