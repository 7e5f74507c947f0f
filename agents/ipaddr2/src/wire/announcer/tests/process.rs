// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The announcer's file, and the announcer as a process among others.

use super::*;

#[test]
fn it_ends_with_its_file() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        for number in 0..2 {
            start(&world.kernel, &path, &plan, Bursts::First).unwrap();
            let process = Identity::of(holder(&path).unwrap()).unwrap();
            fs::remove_file(&path).unwrap();
            if number == 1 {
                fs::write(&path, "another one").unwrap();
            }
            until("it ends", || !process.is_alive());
            expect_silence(world, milliseconds(300));
        }
    });
}

#[test]
fn killed_it_leaves_nothing_that_matters() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        for _ in 0..3 {
            start(&world.kernel, &path, &plan, Bursts::First).unwrap();
            let process = Identity::of(holder(&path).unwrap()).unwrap();
            process.signal(Signal::SIGKILL).unwrap();
            until("it is gone", || !is_running(&path).unwrap());
        }
        end(&path, &seconds(5)).unwrap();
        assert!(!path.exists());
    });
}

#[test]
fn two_starts_at_once_make_one_announcer() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 3, 100));
        let path = directory.file();
        std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let kernel = Kernel::open().unwrap();
                        start(&kernel, &path, &plan, Bursts::Second(milliseconds(300)))
                    })
                })
                .collect();
            starts.into_iter().for_each(|started| started.join().unwrap().unwrap());
        });
        assert!(is_running(&path).unwrap());
        let seen = world.collect(7, milliseconds(2000), Seen::is_arp);
        assert_eq!(seen.len(), 6, "{seen:?}");
        until("it ends by itself", || !is_running(&path).unwrap());
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process that is nobody's")]
fn a_file_that_names_somebody_else_signals_nobody() {
    let directory = Directory::new();
    let path = directory.file();
    let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(&path, format!("{}\n", other.id())).unwrap();
    assert!(!is_running(&path).unwrap());
    end(&path, &seconds(5)).unwrap();
    assert!(!path.exists());
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn what_is_no_file_stays_and_is_in_the_way_of_a_start() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 3, 100));
        let path = directory.file();
        let target = directory.0.join("target");
        let make: [&dyn Fn(); 3] = [
            &|| fs::create_dir(&path).unwrap(),
            &|| std::os::unix::fs::symlink(&target, &path).unwrap(),
            &|| nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap(),
        ];
        for make in make {
            make();
            assert!(!is_running(&path).unwrap());
            end(&path, &seconds(5)).unwrap();
            assert!(fs::symlink_metadata(&path).is_ok());
            let error = start(&world.kernel, &path, &plan, Bursts::First).unwrap_err();
            assert!(error.reason.contains(&path.display().to_string()), "{error}");
            let _either = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        }
        assert!(!target.exists());
        let nowhere = directory.0.join("missing/address.announcer");
        assert!(start(&world.kernel, &nowhere, &plan, Bursts::First).is_err());
        assert!(!is_running(&nowhere).unwrap());
        end(&nowhere, &seconds(5)).unwrap();
    });
}

/// Two stops and a start at once: the file of the start's announcer was removed by the stop that was late.
#[test]
fn the_file_of_a_newer_announcer_stays() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        fs::write(&path, "").unwrap();
        let old = find(&path).unwrap().unwrap();
        fs::remove_file(&path).unwrap();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        let newer = Identity::of(holder(&path).unwrap()).unwrap();
        assert!(!end_holder(&path, &old, &seconds(5)).unwrap());
        assert!(path.exists() && newer.is_alive());
        end(&path, &seconds(5)).unwrap();
        assert!(!path.exists() && !newer.is_alive());
    });
}

/// As it is for some where /proc is mounted with hidepid.
#[test]
fn an_announcer_whose_name_cannot_be_read_ends_with_its_file() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        let process = Identity::of(holder(&path).unwrap()).unwrap();
        let file = path.clone();
        let hidden = move || {
            crate::testing::hide_processes();
            assert!(is_running(&file).unwrap());
            end(&file, &seconds(5)).unwrap();
        };
        std::thread::spawn(hidden).join().unwrap();
        assert!(!path.exists());
        until("it ends", || !process.is_alive());
    });
}

#[test]
fn it_holds_nothing_of_whoever_started_it() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        // As Pacemaker's pipe comes: open in whatever is run.
        let (ours, theirs) = nix::unistd::pipe().unwrap();
        let kept = directory.0.join("lock");
        let lock = nix::fcntl::Flock::lock(
            File::create(&kept).unwrap(),
            nix::fcntl::FlockArg::LockExclusive,
        );
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        drop(lock);
        drop(theirs);
        // The end of the pipe: the announcer doesn't hold the other one.
        let mut fds = [PollFd::new(ours.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut fds, 5000_u16).unwrap(), 1);
        assert_eq!(File::from(ours).read(&mut [0]).unwrap(), 0);
        let again = File::open(&kept).unwrap();
        nix::fcntl::Flock::lock(again, nix::fcntl::FlockArg::LockExclusiveNonblock)
            .expect("the lock went with its file");

        let pid = holder(&path).unwrap();
        let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
        assert_eq!(link("cwd"), Path::new("/"));
        assert_eq!(
            link("ns/net"),
            fs::read_link("/proc/thread-self/ns/net").unwrap(),
            "the namespace of the address"
        );
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let session = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(3).unwrap();
        assert_eq!(session, pid.to_string());
        let is_expected = |what: &PathBuf| {
            let is_socket = what.to_string_lossy().starts_with("socket:");
            what == Path::new("/dev/null") || *what == path || is_socket
        };
        let open = || {
            let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
            let open = entries.map(|entry| fs::read_link(entry.unwrap().path()));
            open.map(Result::unwrap_or_default).collect::<Vec<_>>()
        };
        // The pipe by which it said that it is ready goes a moment later.
        until("nothing else is open", || open().iter().all(is_expected));
        end(&path, &seconds(5)).unwrap();
    });
}

#[test]
fn a_log_that_is_open_stays_open_and_other_sockets_do_not() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        let (log, inherited) = std::os::unix::net::UnixStream::pair().unwrap();
        // As what came from whoever started us: its flag isn't set.
        fcntl(&inherited, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        let pid = holder(&path).unwrap();
        let is_socket = |number: i32| {
            let what = fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap();
            what.to_string_lossy().starts_with("socket:")
        };
        assert!(is_socket(log.as_raw_fd()));
        assert!(!is_socket(inherited.as_raw_fd()));
        end(&path, &seconds(5)).unwrap();
    });
}

#[test]
fn who_is_not_visible_is_waited_for() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        assert!(is_running(&path).unwrap());
        // From a pid namespace that the announcer isn't in, as in a container.
        let (answer, tell) = pipe2(OFlag::O_CLOEXEC).unwrap();
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).unwrap();
        if let ForkResult::Child = sys::fork().unwrap() {
            let was = is_running(&path).is_ok_and(|is| is) && holder(&path).is_none();
            let done = end(&path, &seconds(10)).is_ok() && !path.exists();
            let _told = File::from(tell).write_all(if was && done { b"y" } else { b"n" });
            sys::end_process();
        }
        drop(tell);
        let mut said = [0];
        File::from(answer).read_exact(&mut said).unwrap();
        assert_eq!(&said, b"y");
        expect_silence(world, milliseconds(300));
    });
}

/// Another process that has the file locked; it ends with its pipe.
fn locker(path: &Path, how: Lock) -> (Identity, OwnedFd) {
    let (wait, go) = pipe2(OFlag::O_CLOEXEC).unwrap();
    let (ready, tell) = pipe2(OFlag::O_CLOEXEC).unwrap();
    match sys::fork().unwrap() {
        ForkResult::Child => {
            drop(go);
            let file = create(path).unwrap();
            if lock(&file, how).unwrap() {
                File::from(tell).write_all(b"1").unwrap();
            }
            let _its_end = File::from(wait).read(&mut [0]);
            sys::end_process()
        }
        ForkResult::Parent { child } => {
            drop((tell, wait));
            File::from(ready).read_exact(&mut [0]).unwrap();
            (Identity::of(child.as_raw()).unwrap(), go)
        }
    }
}

#[test]
fn whoever_else_looks_at_the_file_is_not_ended() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        fs::write(&path, "").unwrap();
        let (other, its_pipe) = locker(&path, Lock::Shared);
        assert!(!is_running(&path).unwrap());
        assert!(start(&world.kernel, &path, &plan, Bursts::First).is_err(), "it is being ended");
        end(&path, &seconds(5)).unwrap();
        assert!(other.is_alive() && !path.exists());
        drop(its_pipe);
    });
}

#[test]
fn whoever_locks_the_file_for_another_reason_is_not_ended() {
    let directory = Directory::new();
    let path = directory.file();
    let (other, its_pipe) = locker(&path, Lock::Announcer);
    assert!(!is_running(&path).unwrap());
    end(&path, &seconds(5)).unwrap();
    assert!(!path.exists());
    assert!(other.is_alive());
    drop(its_pipe);
    // A lock that is an open file's, not a process's.
    let file = create(&path).unwrap();
    fcntl(&file, FcntlArg::F_OFD_SETLK(&Lock::Announcer.whole())).unwrap();
    end(&path, &seconds(5)).unwrap();
    assert!(!path.exists());
}

#[test]
fn one_that_does_not_end_is_not_waited_for_for_long() {
    World::run(|world| {
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        let process = Identity::of(holder(&path).unwrap()).unwrap();
        process.signal(Signal::SIGSTOP).unwrap();
        // As from another container: it can't be seen, and it doesn't look for its file.
        let (answer, tell) = pipe2(OFlag::O_CLOEXEC).unwrap();
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).unwrap();
        if let ForkResult::Child = sys::fork().unwrap() {
            let began = Instant::now();
            let reason = end(&path, &seconds(60)).map_err(|error| error.reason.to_string());
            let is_told = reason.is_err_and(|reason| reason.ends_with("see lslocks"));
            let is_soon = began.elapsed() < Duration::from_secs(10);
            let _told = File::from(tell).write_all(if is_told && is_soon { b"y" } else { b"n" });
            sys::end_process();
        }
        drop(tell);
        let mut said = [0];
        File::from(answer).read_exact(&mut said).unwrap();
        assert_eq!(&said, b"y");
        // When it goes on, it ends.
        drain(world);
        process.signal(Signal::SIGCONT).unwrap();
        until("it ends by itself", || !process.is_alive());
        expect_silence(world, milliseconds(300));
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "mount(8)")]
fn a_file_system_that_went_read_only_keeps_nobody_announcing() {
    World::run(|world| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        let mount = |words: &str| {
            let done = std::process::Command::new("mount").args(words.split(' ')).status();
            assert!(done.unwrap().success(), "mount {words}");
        };
        mount("--make-rprivate /");
        let (directory, plan) = (Directory::new(), v4(world, 1000, 50));
        let path = directory.file();
        let unwritable = directory.0.join("unwritable");
        fs::create_dir(&unwritable).unwrap();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        mount(&format!("--bind {} {}", directory.0.display(), unwritable.display()));
        mount(&format!("-o remount,bind,ro {}", unwritable.display()));
        let same = unwritable.join(path.file_name().unwrap());
        assert!(is_running(&same).unwrap());
        end(&same, &seconds(5)).unwrap();
        assert!(!is_running(&same).unwrap() && same.exists());
        expect_silence(world, milliseconds(300));
        // What can't be removed is in nobody's way.
        end(&same, &seconds(5)).unwrap();
        start(&world.kernel, &path, &plan, Bursts::First).unwrap();
        end(&path, &seconds(5)).unwrap();
        let done = std::process::Command::new("umount").arg(&unwritable).status();
        assert!(done.unwrap().success());
    });
}
