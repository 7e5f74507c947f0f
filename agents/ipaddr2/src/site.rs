// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Where an address is looked after: its namespace, the kernel there, and what was remembered.

use crate::Parameters;
use crate::cluster::Sharing;
use crate::interface::{self, Held, Place};
use crate::kernel::{Kernel, Link};
use crate::namespace;
use crate::record::{self, Record};
use crate::wanted::Wanted;
use nix::libc::IFF_LOOPBACK;
use ocf::{Context, Result, StateFile};
use std::fs;
use std::net::Ipv4Addr;

/// One address's place on this node.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub(crate) context: &'a Context,
    pub(crate) parameters: &'a Parameters,
    pub(crate) wanted: &'a Wanted,
    pub(crate) kernel: Kernel,
    /// Where the record is kept.
    pub(crate) file: StateFile,
    /// Where the announcer keeps its lock.
    pub(crate) announcer: StateFile,
    /// What start remembered, if it was in this namespace.
    pub(crate) record: Option<Record>,
}

impl<'a> Site<'a> {
    /// Enters the namespace of the name that is asked for, if one is; `None` where there is none.
    ///
    /// # Errors
    /// When it can't be entered, or the kernel can't be asked.
    pub(crate) fn enter(
        context: &'a Context,
        parameters: &'a Parameters,
        wanted: &'a Wanted,
    ) -> Result<Option<Self>> {
        let name = parameters.network_namespace.as_deref();
        if !name.map_or(Ok(true), namespace::enter)? {
            return Ok(None);
        }
        let mut site = Self::here(context, parameters, wanted)?;
        site.record = site.record.filter(|record| record.namespace.is_own());
        Ok(Some(site))
    }

    /// Enters the namespace in which start was, if the name means another one by now or none, as the site
    /// tells that it led to. Processes keep a namespace alive, with its addresses, that has no name any more.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn enter_left(
        site: Option<&Self>,
        context: &'a Context,
        parameters: &'a Parameters,
        wanted: &'a Wanted,
    ) -> Result<Option<Self>> {
        if parameters.network_namespace.is_none() || site.is_some_and(|site| site.record.is_some())
        {
            return Ok(None);
        }
        let left = Self::record_file(context, parameters, wanted);
        match Record::read(&left) {
            Some(record) if record.namespace.enter() => {
                Self::here(context, parameters, wanted).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The place in the namespace that this process is in.
    fn here(context: &'a Context, parameters: &'a Parameters, wanted: &'a Wanted) -> Result<Self> {
        let (nic, name) = (wanted.nic.as_deref(), parameters.network_namespace.as_deref());
        let file = Self::record_file(context, parameters, wanted);
        let announcer = record::file(context, wanted.ip, nic, name, "announcer");
        let (kernel, record) = (Kernel::open()?, Record::read(&file));
        Ok(Self { context, parameters, wanted, kernel, file, announcer, record })
    }

    /// Whether a start remembered something of the address.
    pub(crate) fn has_record(context: &Context, parameters: &Parameters, wanted: &Wanted) -> bool {
        Record::read(&Self::record_file(context, parameters, wanted)).is_some()
    }

    fn record_file(context: &Context, parameters: &Parameters, wanted: &Wanted) -> StateFile {
        let (nic, name) = (wanted.nic.as_deref(), parameters.network_namespace.as_deref());
        record::file(context, wanted.ip, nic, name, "record")
    }

    /// The address that is the resource's: where start put it, or else where it is as it is wanted.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn find(&self) -> Result<Option<Held>> {
        if let Some(held) = self.find_as_recorded()? {
            return Ok(Some(held));
        }
        if self.wanted.never().is_some() {
            return Ok(None);
        }
        let namespace = self.parameters.network_namespace.as_deref();
        let is_anothers = |held: &Held| {
            let one = record::of_another(self.context, self.wanted.ip, &held.link, namespace);
            let place = (held.link.index, held.address.prefix);
            one.is_some_and(|one| (one.index, one.prefix) == place && one.namespace.is_own())
        };
        let held = interface::find_held_but(&self.kernel, self.wanted, &is_anothers)?;
        // With a prefix that is none, lo's own addresses could be meant as well.
        let is_odd = self.wanted.odd_prefix.is_some();
        Ok(held.filter(|held| !is_odd || !held.link.has(IFF_LOOPBACK)))
    }

    /// The address on one interface, where start put it: copies of it elsewhere are others'.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn find_on(&self, index: u32) -> Result<Option<Held>> {
        if let Some(held) = self.find_as_recorded()? {
            return Ok(Some(held));
        }
        let Some(link) = self.kernel.find_link_by_index(index)? else { return Ok(None) };
        let there = Wanted { nic: Some(link.name), ..self.wanted.clone() };
        interface::find_held(&self.kernel, &there)
    }

    /// The address where start put it, even if the interface has another name now, or another prefix is wanted.
    ///
    /// # Errors
    /// When the kernel can't be asked.
    pub(crate) fn find_as_recorded(&self) -> Result<Option<Held>> {
        let Some(record) = &self.record else { return Ok(None) };
        let Some(link) = self.kernel.find_link_by_index(record.index)? else { return Ok(None) };
        let label = self.wanted.label_on(&link.name);
        let name = label.as_deref().unwrap_or(&link.name);
        let address = self.kernel.holds(name, link.index, self.wanted.ip, record.prefix)?;
        Ok(address.map(|address| Held { link, address }))
    }

    /// Whether an address that start put somewhere is still as it is wanted: its interface may have another
    /// name now.
    pub(crate) fn is_as_wanted(&self, Held { link, address }: &Held) -> bool {
        let wanted = self.wanted;
        wanted.prefix.is_none_or(|prefix| prefix == address.prefix)
            && wanted.nic.as_deref().is_none_or(|nic| is_called(link, nic))
    }

    /// The share that this instance has in the address of a clone.
    pub(crate) fn sharing(
        &self,
        prefix: Option<u8>,
        broadcast: Option<Ipv4Addr>,
        link: Option<&Link>,
    ) -> Option<Sharing> {
        Sharing::of(self.parameters, self.context, self.wanted, prefix, broadcast, link)
    }

    /// The share that a start takes at a place. What a clone left of an address that isn't shared any more goes.
    ///
    /// # Errors
    /// When some of that stays.
    pub(crate) fn share_to_take(&self, place: &Place) -> Result<Option<Sharing>> {
        match self.share_at(place) {
            Some(former) if former.is_former() => {
                former.end_former(self.context, &place.link).map(|()| None)
            }
            sharing => Ok(sharing),
        }
    }

    /// The same, of an address that is to be at a place.
    pub(crate) fn share_at(&self, place: &Place) -> Option<Sharing> {
        let Place { link, prefix, broadcast, .. } = place;
        let sharing = self.sharing(Some(*prefix), *broadcast, Some(link))?;
        match interface::broadcast_around(&self.kernel, self.wanted, place) {
            Ok(around) if around != *broadcast => self.sharing(Some(*prefix), around, Some(link)),
            _ => Some(sharing),
        }
    }

    /// The same, of an address that is there. The quick look at that leaves out what the seed is made of.
    pub(crate) fn share_in(&self, Held { link, address }: &Held) -> Option<Sharing> {
        let sharing = self.sharing(Some(address.prefix), address.broadcast, Some(link))?;
        if sharing.is_remembered() {
            return Some(sharing);
        }
        let details = self.kernel.details(address).ok().flatten();
        let broadcast = details.and_then(|all| all.broadcast);
        self.sharing(Some(address.prefix), broadcast, Some(link))
    }

    /// Makes the directory of the record; the first agent of a boot may come before whoever else does.
    pub(crate) fn ensure_directory(&self) {
        // If it isn't there afterwards, writing the record says so.
        let _there = fs::create_dir_all(&self.context.directories.rsctmp);
    }
}

/// Whether an interface goes by a name.
fn is_called(link: &Link, name: &str) -> bool {
    link.name == name || link.altnames.iter().any(|other| other == name)
}
