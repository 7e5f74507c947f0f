// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A server that has something to do.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

use apache_tests::host::{Kind, all_of};
use apache_tests::{World, inside, pause, server};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Who asks at once.
const CLIENTS: u32 = 4;
/// How often all together ask, in a second, at least.
const RATE: u32 = 300;
const MONITORS: u32 = 1000;

/// Asks until the end, at the rate; whether every answer that began was whole.
struct Load<'a> {
    is_over: &'a AtomicBool,
    answers: &'a AtomicU32,
    failures: &'a AtomicU32,
}

impl Load<'_> {
    fn ask(&self) {
        let pace = Duration::from_secs(1) * CLIENTS / (RATE + RATE / 3);
        while !self.is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            match server::get("127.0.0.1:8088", "/index.html") {
                Some((200, page)) if page == server::INDEX => self.answers,
                _ => self.failures,
            }
            .fetch_add(1, Ordering::Relaxed);
            pause(pace.saturating_sub(begun.elapsed()));
        }
    }
}

/// Does something under load, and says how many answers a second there were meanwhile, and failures.
fn under_load(work: impl FnOnce()) -> (u32, u32) {
    let (is_over, answers, failures) =
        (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let load = Load { is_over: &is_over, answers: &answers, failures: &failures };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| load.ask());
        }
        work();
        is_over.store(true, Ordering::Relaxed);
    });
    let rate = f64::from(answers.load(Ordering::Relaxed)) / begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    (rate as u32, failures.load(Ordering::Relaxed))
}

#[test]
fn a_thousand_monitors_under_load_never_alarm() {
    inside(|| {
        let world = World::ours();
        world.configure("CustomLog {w}/log/access.log \"%U\"\n");
        world.expect("start", 0);
        let mut longest: f64 = 0.0;
        let (rate, failures) = under_load(|| {
            for _ in 0..MONITORS {
                longest = longest.max(world.expect("monitor", 0).seconds());
            }
        });
        println!("{MONITORS} monitors beside {rate} answers a second, the longest {longest:.2} s");
        assert_eq!(failures, 0);
        assert!(rate >= RATE * 2 / 3, "{rate} answers a second are no load");
        world.expect("stop", 0);
    });
}

/// Nobody's answer is cut off: what began is finished, and what comes later is refused.
#[test]
fn a_stop_under_load_drains() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let (is_over, answers, cut) =
            (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        match whole_answer() {
                            Some(true) => &answers,
                            Some(false) => &cut,
                            None => continue,
                        }
                        .fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            // The passing of time is what is tested: there is a load when stop begins.
            pause(Duration::from_secs(1));
            let seen = world.expect("stop", 0);
            is_over.store(true, Ordering::Relaxed);
            println!("a stop under load takes {:.1} s", seen.seconds());
        });
        let (answers, cut) = (answers.into_inner(), cut.into_inner());
        println!("{answers} whole answers, {cut} cut off");
        assert!(answers > 50, "{answers}");
        assert_eq!(cut, 0);
        assert!(all_of(Kind::Server).is_empty() && all_of(Kind::Orphan).is_empty());
        assert!(
            world.log().contains("it has no worker left"),
            "the server isn't left to its second"
        );
    });
}

/// Whether an answer that began is whole; none where nobody took the connection, or closed it before the
/// first byte.
fn whole_answer() -> Option<bool> {
    let (_, page) = server::get("127.0.0.1:8088", "/index.html")?;
    Some(page == server::INDEX)
}

/// M13, and what a graceful restart by somebody else does to the pid file.
#[test]
fn reloads_meanwhile_never_alarm() {
    inside(|| {
        let world = World::ours();
        world.expect("start", 0);
        let (file, is_over) = (world.text("{w}/httpd.conf"), AtomicBool::new(false));
        let mut reloads = 0;
        std::thread::scope(|scope| {
            let reloader = scope.spawn(|| {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    server::call("apache2", &["-f", &file, "-k", "graceful"]);
                    count += 1;
                    pause(Duration::from_millis(20));
                }
                count
            });
            for _ in 0..200 {
                world.expect("monitor", 0);
            }
            is_over.store(true, Ordering::Relaxed);
            reloads = reloader.join().unwrap();
        });
        println!("200 monitors beside {reloads} graceful restarts");
        assert!(reloads > 10, "{reloads}");
        world.expect("stop", 0);
    });
}
