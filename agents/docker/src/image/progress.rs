// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How far a pull has got, from what the Engine says about every layer.

use bollard::models::CreateImageInfo;
use ocf::tracing;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How often the log says how far it is.
const PAUSE: Duration = Duration::from_secs(5);

/// The states of the layers.
#[derive(Debug)]
pub(super) struct Progress {
    image: String,
    layers: BTreeMap<String, Layer>,
    begun: Instant,
    said: Instant,
}

#[derive(Debug, Default)]
struct Layer {
    status: String,
    current: u64,
    total: u64,
}

impl Layer {
    fn is_here(&self) -> bool {
        matches!(self.status.as_str(), "Pull complete" | "Already exists")
    }
}

impl Progress {
    pub(super) fn of(image: String) -> Self {
        let now = Instant::now();
        Self { image, layers: BTreeMap::new(), begun: now, said: now }
    }

    /// Takes in what the Engine says; a summary goes into the log now and then.
    pub(super) fn take(&mut self, said: &CreateImageInfo) {
        let status = said.status.as_deref().unwrap_or_default();
        match said.id.as_deref() {
            Some(id) if is_layer(id) => self.take_layer(id, status, said),
            _ => tracing::debug!("pull of {}: {status}", self.image),
        }
        if self.said.elapsed() >= PAUSE {
            self.said = Instant::now();
            tracing::info!("pulling {}: {self}", self.image);
        }
    }

    fn take_layer(&mut self, id: &str, status: &str, said: &CreateImageInfo) {
        let layer = self.layers.entry(id.to_owned()).or_default();
        if layer.status != status {
            tracing::debug!("pull of {}: layer {id}: {status}", self.image);
            status.clone_into(&mut layer.status);
        }
        let detail = said.progress_detail.as_ref().filter(|_| status == "Downloading");
        let number = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
        if let Some(current) = detail.and_then(|detail| number(detail.current)) {
            layer.current = current;
        }
        if let Some(total) = detail.and_then(|detail| number(detail.total)) {
            layer.total = total;
        }
        if matches!(status, "Download complete" | "Pull complete") {
            layer.current = layer.total;
        }
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Layers have short IDs; a line about the whole has the tag in that place.
fn is_layer(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.layers.is_empty() {
            return f.write_str("the registry has named no layer yet");
        }
        let here = self.layers.values().filter(|layer| layer.is_here()).count();
        write!(f, "{here} of {} layers", self.layers.len())?;
        let total: u64 = self.layers.values().map(|layer| layer.total).sum();
        if total == 0 {
            return Ok(());
        }
        let current: u64 = self.layers.values().map(|layer| layer.current).sum();
        write!(f, ", {} of {} MB", current / 1_000_000, total.div_ceil(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ProgressDetail;

    fn say(id: &str, status: &str, detail: Option<(i64, i64)>) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: detail.map(|(current, total)| ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn layers_and_megabytes_are_counted() {
        let mut progress = Progress::of("x".to_owned());
        assert_eq!(progress.to_string(), "the registry has named no layer yet");
        for said in [
            say("1.25", "Pulling from nginx", None),
            say("0123456789ab", "Pulling fs layer", None),
            say("0123456789ac", "Already exists", None),
            say("0123456789ab", "Downloading", Some((2_000_000, 40_000_000))),
            say("0123456789ab", "Downloading", Some((-1, -1))),
        ] {
            progress.take(&said);
        }
        assert_eq!(progress.to_string(), "1 of 2 layers, 2 of 40 MB");
        progress.take(&say("0123456789ab", "Download complete", None));
        assert_eq!(progress.to_string(), "1 of 2 layers, 40 of 40 MB");
        progress.take(&say("0123456789ab", "Extracting", Some((1, 2))));
        progress.take(&say("0123456789ab", "Pull complete", None));
        assert_eq!(progress.to_string(), "2 of 2 layers, 40 of 40 MB");
    }
}
