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
