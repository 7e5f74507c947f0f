// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The only module of this agent that may say `unsafe`: calls that have no safe wrapper in `nix`. Each
//! block is one call, with its reason.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::{ForkResult, fork as nix_fork};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The longest hardware address that the kernel has room for (`MAX_ADDR_LEN`, linux/netdevice.h).
const LONGEST_ADDRESS: usize = 32;

/// `struct sockaddr_ll` (packet(7)), with room for more than Ethernet's six bytes: InfiniBand has 20.
#[repr(C)]
struct LinkAddress {
    family: u16,
    /// `ETH_P_*`, in the network's byte order.
    protocol: u16,
    index: i32,
    hardware: u16,
    kind: u8,
    length: u8,
    address: [u8; LONGEST_ADDRESS],
}

impl LinkAddress {
    fn of(index: u32, protocol: u16, address: &[u8]) -> Result<Self, Errno> {
        let mut room = [0; LONGEST_ADDRESS];
        room.get_mut(..address.len()).ok_or(Errno::EINVAL)?.copy_from_slice(address);
        Ok(Self {
            family: libc::AF_PACKET as u16,
            protocol: protocol.to_be(),
            index: i32::try_from(index).map_err(|_| Errno::ENODEV)?,
            hardware: 0,
            kind: 0,
            length: u8::try_from(address.len()).map_err(|_| Errno::EINVAL)?,
            address: room,
        })
    }
}

/// Has a packet socket hear one interface and one protocol (`ETH_P_*`) only.
pub(crate) fn bind_packets(fd: BorrowedFd<'_>, index: u32, protocol: u16) -> Result<(), Errno> {
    let address = LinkAddress::of(index, protocol, &[])?;
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the pointer is to a live value that is at least as long as said.
    let done = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
    Errno::result(done).map(drop)
}

/// Sends one packet from an interface to a hardware address; the kernel writes the link's header.
pub(crate) fn send_packet(
    fd: BorrowedFd<'_>,
    index: u32,
    protocol: u16,
    destination: &[u8],
    payload: &[u8],
) -> Result<(), Errno> {
    let address = LinkAddress::of(index, protocol, destination)?;
    let length = size_of::<LinkAddress>() as libc::socklen_t;
    // SAFETY: both pointers are to live values of the lengths given.
    let sent = unsafe {
        libc::sendto(
            fd.as_raw_fd(),
            payload.as_ptr().cast(),
            payload.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            length,
        )
    };
    Errno::result(sent).map(drop)
}

/// Has a socket receive only what a classic BPF program lets pass.
pub(crate) fn attach_filter(
    fd: BorrowedFd<'_>,
    program: &mut [libc::sock_filter],
) -> Result<(), Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let whole = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    let length = size_of::<libc::sock_fprog>() as libc::socklen_t;
    // SAFETY: the kernel copies the program, which lives as long as the call and has the length said.
    let done = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const whole).cast(),
            length,
        )
    };
    Errno::result(done).map(drop)
}

/// The number of this thread's network namespace, which no other one gets as long as the kernel runs;
/// `ENOPROTOOPT` before Linux 5.14.
pub(crate) fn namespace_cookie() -> Result<u64, Errno> {
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: both pointers are to live values, of which the second one is the length of the first.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    Errno::result(done).map(|_| cookie)
}

/// Makes a second process of this one (fork(2)). The child must end with [`end_process`].
pub(crate) fn fork() -> Result<ForkResult, Errno> {
    // SAFETY: an agent has one thread, so no lock can be held by one that the child doesn't have.
    unsafe { nix_fork() }
}

/// Ends this process at once: nothing that was to be done at the end of the agent is done twice.
pub(crate) fn end_process() -> ! {
    // SAFETY: takes an integer, and nothing of this process goes on.
    unsafe { libc::_exit(0) }
}

/// Whether a descriptor is closed when another program is run; `None` where it isn't open.
pub(crate) fn closes_on_exec(number: i32) -> Option<bool> {
    // SAFETY: takes integers, touches no memory of ours.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    (flags >= 0).then_some(flags & libc::FD_CLOEXEC != 0)
}

/// Lets a descriptor mean what another one means, whatever it was before.
pub(crate) fn replace_descriptor(with: BorrowedFd<'_>, number: i32) -> Result<(), Errno> {
    // SAFETY: takes integers; whoever owns the number finds an open descriptor there, as before.
    let done = unsafe { libc::dup3(with.as_raw_fd(), number, libc::O_CLOEXEC) };
    Errno::result(done).map(drop)
}

/// Has an interface take frames to a group's hardware address (netdevice(7)).
pub(crate) fn add_multicast(interface: &str, mac: &[u8; 6]) -> Result<(), Errno> {
    change_multicast(libc::SIOCADDMULTI, interface, mac)
}

/// Ends that.
pub(crate) fn delete_multicast(interface: &str, mac: &[u8; 6]) -> Result<(), Errno> {
    change_multicast(libc::SIOCDELMULTI, interface, mac)
}

fn change_multicast(how: libc::Ioctl, interface: &str, mac: &[u8; 6]) -> Result<(), Errno> {
    // SAFETY: all-zero is a valid `ifreq`: bytes, integers and null pointers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let name = interface.as_bytes();
    // The last byte stays the NUL that ends a name.
    if name.len() >= request.ifr_name.len() {
        return Err(Errno::ENODEV);
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(name) {
        *place = libc::c_char::from_ne_bytes([*byte]);
    }
    let mut hardware = libc::sockaddr { sa_family: 0, sa_data: [0; 14] };
    for (place, byte) in hardware.sa_data.iter_mut().zip(mac) {
        *place = libc::c_char::from_ne_bytes([*byte]);
    }
    request.ifr_ifru.ifru_hwaddr = hardware;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: the kernel reads one `ifreq`, which lives until the call returns.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), how, &raw const request) };
    Errno::result(done).map(drop)
}

/// `struct ifreq` (netdevice(7)) with an IPv4 address in it.
#[repr(C)]
struct AddressRequest {
    label: [u8; libc::IFNAMSIZ],
    family: u16,
    port: u16,
    address: [u8; 4],
    /// The rest of the kernel's union.
    rest: [u8; 16],
}

/// What one of netdevice(7)'s questions (`SIOCGIFADDR`, `SIOCGIFNETMASK`) has as its answer for the address
/// with this label; the kernel takes the label's first address where it has no such one.
pub(crate) fn ask_address(
    socket: BorrowedFd<'_>,
    question: libc::c_ulong,
    label: &str,
    ip: Ipv4Addr,
) -> Result<Ipv4Addr, Errno> {
    let mut request = AddressRequest {
        label: [0; libc::IFNAMSIZ],
        family: libc::AF_INET as u16,
        port: 0,
        address: ip.octets(),
        rest: [0; 16],
    };
    // The last byte stays 0.
    let room = request.label.get_mut(..label.len()).filter(|room| room.len() < libc::IFNAMSIZ);
    room.ok_or(Errno::ENODEV)?.copy_from_slice(label.as_bytes());
    // SAFETY: the request is live, and as large as the kernel's `struct ifreq` on every architecture.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), question as _, &raw mut request) };
    Errno::result(done)?;
    Ok(Ipv4Addr::from(request.address))
}
