// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers as no kernel should give them. None may panic, and none may be taken for "there is none".

use super::super::event::{self, Event};
use super::super::{Assigned, address, label, link, route};
use super::*;
use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR};
use nix::libc::{EINVAL, ENODEV, RTM_NEWADDR, RTM_NEWLINK};
use std::collections::VecDeque;

const SEQUENCE: u32 = 7;

/// One message with the right length.
fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).expect("short");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).expect("short");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The payload of an address: 10.0.0.LAST/24 on interface 2.
fn an_address(last: u8) -> Vec<u8> {
    let mut payload = vec![2, 24, 0x80, 0, 2, 0, 0, 0];
    payload.extend(attribute(1, &[10, 0, 0, last]));
    payload.extend(attribute(2, &[10, 0, 0, last]));
    payload.extend(attribute(3, b"v0\0"));
    payload.extend(attribute(8, &0x280_u32.to_ne_bytes()));
    payload.extend(attribute(6, &[0xff; 16]));
    payload
}

fn a_link() -> Vec<u8> {
    let mut payload = vec![0; 16];
    payload[4] = 2;
    payload.extend(attribute(3, b"v0\0"));
    payload.extend(attribute(1, &[2, 0, 0, 0, 0, 1]));
    payload.extend(attribute(16, &[6]));
    payload.extend(attribute(33, &[1]));
    payload.extend(attribute(35, &[9, 0, 0, 0]));
    payload.extend(attribute(52 | 0x8000, &attribute(53, b"other\0")));
    payload
}

fn a_route() -> Vec<u8> {
    let mut payload = vec![2, 24, 0, 0, 254, 2, 253, 1, 0, 0, 0, 0];
    payload.extend(attribute(1, &[10, 0, 0, 0]));
    payload.extend(attribute(4, &[2, 0, 0, 0]));
    payload.extend(attribute(7, &[10, 0, 0, 1]));
    payload
}

fn a_label() -> Vec<u8> {
    let mut payload = vec![10, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    payload.extend(attribute(1, &[0x20; 16]));
    payload.extend(attribute(2, &[99, 0, 0, 0]));
    payload
}

/// Collects the addresses that these datagrams tell of.
fn collected(datagrams: Vec<Vec<u8>>) -> Result<(Vec<Assigned>, End), Refusal> {
    let mut datagrams = VecDeque::from(datagrams);
    let mut found = Vec::new();
    let receive = |datagram: &mut Vec<u8>| match datagrams.pop_front() {
        Some(bytes) => {
            *datagram = bytes;
            Ok(true)
        }
        None => Ok(false),
    };
    let end = collect(SEQUENCE, receive, &mut |_, payload| {
        found.push(address::read(payload)?);
        Ok(())
    })?;
    Ok((found, end))
}

fn part(payload: &[u8]) -> Vec<u8> {
    message(RTM_NEWADDR, NLM_F_MULTIPART, SEQUENCE, payload)
}

fn done(code: i32) -> Vec<u8> {
    message(NLMSG_DONE, NLM_F_MULTIPART, SEQUENCE, &code.to_ne_bytes())
}

#[test]
fn a_dump_has_all_parts_of_all_datagrams() {
    let first = [part(&an_address(1)), part(&an_address(2))].concat();
    // An answer to a question that was given up is no answer to this one.
    let stale = message(NLMSG_DONE, 0, SEQUENCE - 1, &0_i32.to_ne_bytes());
    let (found, end) = collected(vec![stale, first, part(&an_address(3)), done(0)]).expect("all");
    assert!(!end.is_interrupted);
    assert_eq!(found.len(), 3);
    assert_eq!((found[0].flags, found[0].label.as_deref()), (0x280, Some("v0")));
    assert_eq!((found[0].valid, found[0].preferred), (None, None));
}

#[test]
fn a_dump_without_an_end_is_no_empty_one() {
    for datagrams in [vec![], vec![part(&an_address(1))], vec![vec![]]] {
        let refusal = collected(datagrams).expect_err("it isn't over");
        assert_eq!(refusal.errno, Errno::EBADMSG);
    }
}

#[test]
fn a_dump_that_fails_at_its_end_has_failed() {
    let refusal = collected(vec![part(&an_address(1)), done(-ENODEV)]).expect_err("ENODEV");
    assert_eq!(refusal, Refusal { errno: Errno::ENODEV, text: None });
    assert_eq!(
        collected(vec![message(NLMSG_DONE, 0, SEQUENCE, &[])]).expect_err("no code").errno,
        Errno::EBADMSG
    );
    let overrun = message(NLMSG_OVERRUN, 0, SEQUENCE, &[]);
    assert_eq!(collected(vec![overrun]).expect_err("overrun").errno, Errno::ENOBUFS);
    // A number that no error has.
    assert!(collected(vec![done(i32::MIN)]).is_err());
}

#[test]
fn a_dump_is_asked_for_again_until_nothing_changed() {
    let mut flagged = part(&an_address(1));
    flagged[6] |= u8::try_from(NLM_F_DUMP_INTR).expect("a byte");
    let mut asked = 0;
    let found = until_consistent(|| {
        asked += 1;
        match asked {
            1 => collected(vec![flagged.clone(), done(0)]),
            2 => Err(Errno::ENOBUFS.into()),
            _ => collected(vec![part(&an_address(1)), part(&an_address(2)), done(0)]),
        }
    });
    assert_eq!((found.expect("found").len(), asked), (2, 3));

    // What never holds still, and what is lost every time, is unknown: not absent.
    let never = until_consistent(|| collected(vec![flagged.clone(), done(0)]));
    assert_eq!(never.expect_err("never").errno, Errno::EAGAIN);
    let lost = until_consistent(|| Err::<((), End), _>(Errno::ENOBUFS.into()));
    assert_eq!(lost.expect_err("lost").errno, Errno::ENOBUFS);
    let mut asked = 0;
    let other = until_consistent(|| {
        asked += 1;
        Err::<((), End), _>(Errno::EPERM.into())
    });
    assert_eq!((other.expect_err("refused").errno, asked), (Errno::EPERM, 1));
}

#[test]
fn the_kernels_words_are_found_behind_the_request() {
    let words = attribute(1, b"Invalid prefix length\0");
    let request = message(20, 5, SEQUENCE, &[0; 24]);
    let code = (-EINVAL).to_ne_bytes();
    let refusal = |flags, payload: &[u8]| {
        collected(vec![message(NLMSG_ERROR, flags, SEQUENCE, payload)]).expect_err("refused")
    };
    let whole = [code.as_slice(), &request, &attribute(2, &[0; 4]), &words].concat();
    let capped = [code.as_slice(), &request[..16], &words].concat();
    let expected = Some("Invalid prefix length".to_owned());
    assert_eq!(refusal(NLM_F_ACK_TLVS, &whole).text, expected);
    assert_eq!(refusal(NLM_F_ACK_TLVS | NLM_F_CAPPED, &capped).text, expected);
    assert_eq!(refusal(0, &whole).text, None);
    let shown = refusal(NLM_F_ACK_TLVS, &whole).to_string();
    assert_eq!(shown, "invalid argument (Invalid prefix length)");
    // Cut anywhere, it is still the refusal, or an answer that can't be read.
    for length in 0..whole.len() {
        let errno = refusal(NLM_F_ACK_TLVS, &whole[..length]).errno;
        assert!(errno == Errno::EINVAL || errno == Errno::EBADMSG, "{length}: {errno}");
    }
    let lying = [code.as_slice(), &[0xff; 16], &words].concat();
    assert_eq!(refusal(NLM_F_ACK_TLVS, &lying).errno, Errno::EINVAL);
}

#[test]
fn a_message_that_is_cut_is_unreadable() {
    let whole = [part(&an_address(1)), done(0)].concat();
    assert!(collected(vec![whole.clone()]).is_ok());
    let first = part(&an_address(1)).len();
    for length in (0..whole.len()).filter(|&length| length != first) {
        assert!(collected(vec![whole[..length].to_vec()]).is_err(), "{length}");
    }
    for length in [0_u32, 1, 15, 17, u32::MAX] {
        let mut lying = whole.clone();
        lying[..4].copy_from_slice(&length.to_ne_bytes());
        assert!(collected(vec![lying]).is_err(), "{length}");
    }
}

/// Whatever is in an answer, reading it ends; a shorter one is never another answer.
#[test]
fn any_garbage_is_read_to_its_end() {
    for whole in [an_address(1), a_link(), a_route(), a_label()] {
        let is_read = |bytes: &[u8]| {
            let one = [address::read(bytes).is_ok(), link::read(bytes).is_ok()];
            let two = [route::read(bytes).is_ok(), label::read(bytes).is_ok()];
            one.into_iter().chain(two).any(|is_read| is_read)
        };
        assert!(is_read(&whole));
        assert!(!is_read(&[]));
        for length in 0..whole.len() {
            is_read(&whole[..length]);
        }
        for place in 0..whole.len() {
            for value in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[place] = value;
                is_read(&changed);
            }
        }
    }
}

#[test]
fn an_attribute_of_the_wrong_length_is_unreadable() {
    for length in [0, 1, 3, 5, 15, 17] {
        let value = vec![1; length];
        let with = |head: &[u8], kind| [head, &attribute(kind, &value)].concat();
        for kind in [1, 2, 4, 8, 9] {
            assert!(address::read(&with(&an_address(1), kind)).is_err(), "address {kind}/{length}");
        }
        for kind in [1, 4, 6, 7, 15] {
            assert!(route::read(&with(&a_route(), kind)).is_err(), "route {kind}/{length}");
        }
        assert!(link::read(&with(&a_link(), 35)).is_err(), "link {length}");
        assert!(label::read(&with(&a_label(), 2)).is_err(), "label {length}");
    }
    // The other family's length is wrong, too.
    let mut mixed = an_address(1);
    mixed.extend(attribute(2, &[1; 16]));
    assert!(address::read(&mixed).is_err());
}

#[test]
fn what_a_newer_kernel_tells_is_passed_over() {
    let unknown: Vec<u8> = (60..400).flat_map(|kind| attribute(kind, &[0xa5; 5])).collect();
    let more = |payload: Vec<u8>| [payload, unknown.clone()].concat();
    assert_eq!(address::read(&more(an_address(1))), address::read(&an_address(1)));
    assert_eq!(link::read(&more(a_link())), link::read(&a_link()));
    assert_eq!(route::read(&more(a_route())), route::read(&a_route()));
    assert_eq!(label::read(&more(a_label())), label::read(&a_label()));
    let link = link::read(&a_link()).expect("a link");
    assert_eq!((link.altnames, link.has_carrier), (vec!["other".to_owned()], true));
    // A name that is no UTF-8 is one all the same.
    let odd = [an_address(1), attribute(3, b"v\xff0\0")].concat();
    assert!(address::read(&odd).is_ok());
}

#[test]
fn an_event_that_cannot_be_read_was_missed() {
    let whole = message(RTM_NEWLINK, 0, 0, &a_link());
    assert!(matches!(event::read(&whole)[..], [Event::Link(_)]));
    for length in 1..whole.len() {
        assert_eq!(event::read(&whole[..length]), [Event::Lost], "{length}");
    }
    let broken = message(RTM_NEWADDR, 0, 0, &an_address(1)[..11]);
    let both = [broken, whole].concat();
    assert!(matches!(event::read(&both)[..], [Event::Lost, Event::Link(_)]));
    // A bridge about its port.
    let mut port = a_link();
    port[0] = 7;
    assert_eq!(event::read(&message(RTM_NEWLINK, 0, 0, &port)), []);
    assert_eq!(event::read(&[]), []);
}
