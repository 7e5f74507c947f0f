// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One tester at a time on a resource: two would see each other's starts and stops and report
//! violations that aren't there.
//!
//! The turn is a name among the abstract sockets of unix(7): it goes with the process that holds
//! it, however that ends, and leaves no file. Testers in different network namespaces, or with
//! other parameters for the same resource, don't see each other.

use crate::agent::Invocation;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _name: Option<UnixDatagram>,
}

/// Takes the turn for the resource of this call: its agent, name and parameters. `None` when
/// somebody else has it.
pub(crate) fn take(call: &Invocation) -> Option<Turn> {
    let mut hasher = DefaultHasher::new();
    std::fs::canonicalize(&call.agent).unwrap_or_else(|_| call.agent.clone()).hash(&mut hasher);
    call.environment.iter().filter(|(name, _)| *name != "PATH").for_each(|pair| {
        pair.hash(&mut hasher);
    });
    let name = format!("ocf-tester/{:016x}", hasher.finish());
    match SocketAddr::from_abstract_name(name).and_then(|name| UnixDatagram::bind_addr(&name)) {
        Ok(socket) => Some(Turn { _name: Some(socket) }),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
        // Where there are no such sockets nobody can tell, and that is no reason not to test.
        Err(_) => Some(Turn { _name: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_tested_by_one_and_another_resource_at_the_same_time() {
        let call = Invocation::new("/nonexistent/turn", "start").parameter("a", "1");
        let first = take(&call).unwrap();
        assert!(first._name.is_some());
        assert!(take(&call).is_none());
        assert!(take(&call.clone().env("PATH", "/elsewhere")).is_none());
        assert!(take(&call.clone().parameter("a", "2")).is_some());
        drop(first);
        assert!(take(&call).is_some());
    }
}
