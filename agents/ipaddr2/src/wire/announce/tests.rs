// SPDX-License-Identifier: Apache-2.0 OR MIT

use super::*;

#[test]
fn the_form_is_the_senders_and_its_options_choose() {
    use Sender::{IputilsArping, LibnetArping, SendArp};
    let of = |sender, options, hardware| Form::of(sender, options, hardware);
    assert_eq!(of(None, "", 1), (Form::Both, vec![]));
    assert_eq!(of(None, "", INFINIBAND), (Form::RequestsToAll, vec![]));
    assert_eq!(of(None, " -A ", INFINIBAND), (Form::Replies, vec![]));
    assert_eq!(of(Some(SendArp), "-A -x", 1), (Form::Both, vec!["-A", "-x"]));
    assert_eq!(of(Some(IputilsArping), "-A -w 3", 1), (Form::Replies, vec!["-w", "3"]));
    assert_eq!(of(Some(IputilsArping), "-A -U", 1), (Form::RequestsToAll, vec![]));
    assert_eq!(of(Some(LibnetArping), "-U", 1), (Form::Requests, vec!["-U"]));
}

#[test]
fn no_announcer_outlives_its_bursts_by_more_than_ten_seconds() {
    crate::wire::world::World::run(|world| {
        let link = world.link();
        let plan = |ip: &str, count, milliseconds| Plan {
            ip: ip.parse().unwrap(),
            prefix: 24,
            label: link.name.clone(),
            link: link.clone(),
            count,
            interval: Duration::from_millis(milliseconds),
            form: Form::Both,
            shared_mac: None,
        };
        assert_eq!(plan("10.0.0.1", 5, 200).longest(), Duration::from_secs(12));
        let most = plan("10.0.0.1", u32::MAX, u64::MAX);
        assert!(most.longest() > Duration::from_secs(u64::from(u32::MAX)));
        // The pace of IPv6 is the interface's, and its bursts have their end in time, too.
        let v6 = plan("2001:db8::1", 5, 200);
        assert_eq!((v6.steps(), v6.pause()), (3, Duration::from_secs(1)));
        assert!(v6.pause() * (v6.steps() - 1) * 2 + Duration::from_secs(3) < v6.longest());
        let slow = plan("2001:db8::1", 2, 1500);
        assert_eq!((slow.steps(), slow.pause()), (2, Duration::from_millis(1500)));
    });
}
