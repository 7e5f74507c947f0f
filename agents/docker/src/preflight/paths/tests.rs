use super::*;
use bollard::models::{Mount, MountBindOptions};
use ocf::error::Kind;
use std::path::PathBuf;

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("paths-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn binds(sources: &[&str]) -> HostConfig {
    let binds = sources.iter().map(|source| format!("{source}:/inside:ro")).collect();
    HostConfig { binds: Some(binds), ..HostConfig::default() }
}

fn mount(typ: MountType, source: &str, is_made: Option<bool>) -> HostConfig {
    let options = MountBindOptions { create_mountpoint: is_made, ..MountBindOptions::default() };
    let mount = Mount {
        typ: Some(typ),
        source: Some(source.to_owned()),
        bind_options: Some(options),
        ..Mount::default()
    };
    HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() }
}

#[test]
fn a_missing_file_is_never_made_a_directory() {
    let directory = Directory::new("files");
    for name in ["a.conf", "tls/server.KEY", "run/my.sock", "run/bus_socket", "x.pem"] {
        let path = directory.path(name);
        let error = check_sources(&binds(&[&path]), "").unwrap_err();
        assert_eq!(error.kind, Kind::Args);
        assert!(error.reason.starts_with(&format!("{path} is missing on this node")), "{error}");
    }
    for path in ["/dev/nosuch", "/proc/nosuch/x", "/sys/nosuch", "/proc/nosuch.d"] {
        assert!(check_sources(&binds(&[path]), "").is_err(), "{path}");
    }
    assert!(is_file_like(Path::new("/etc/pacemaker/authkey")));
    assert!(is_file_like(Path::new("/etc/localtime")));
}

#[test]
fn a_missing_directory_is_the_engines_to_make() {
    let directory = Directory::new("directories");
    for name in ["data", "conf.d", "httpd-bundle-0", "a.b/c", ".conf", "key", "v1.2"] {
        check_sources(&binds(&[&directory.path(name)]), "").unwrap();
    }
    // Volumes have names, and what is there is nobody's business.
    check_sources(&binds(&["volume.conf", "/etc/passwd", "/dev/null", "/"]), "").unwrap();
    assert!(fs::read_dir(&directory.0).unwrap().next().is_none(), "a check makes nothing");
}

#[test]
fn a_mount_needs_its_source() {
    let directory = Directory::new("mount");
    let (there, missing) = (directory.path(""), directory.path("missing"));
    check_sources(&mount(MountType::BIND, &there, None), "").unwrap();
    let error = check_sources(&mount(MountType::BIND, &missing, None), "").unwrap_err();
    assert!(error.kind == Kind::Args && error.reason.contains(&missing), "{error}");
    check_sources(&mount(MountType::BIND, &missing, Some(true)), "").unwrap();
    check_sources(&mount(MountType::BIND, &missing, None), &format!("/x,{missing}")).unwrap();
    check_sources(&mount(MountType::VOLUME, "missing", None), "").unwrap();
    check_sources(&mount(MountType::TMPFS, "", None), "").unwrap();
}

#[test]
fn mount_points_are_made_with_what_is_above_them() {
    let directory = Directory::new("points");
    let [one, two, blank] = ["a/b", "c", " d e"].map(|name| directory.path(name));
    let points = format!("{one},,{two},{two}, ,{blank}");
    check_mount_points(&points).unwrap();
    assert!(!Path::new(&one).exists());
    make_mount_points(&points).unwrap();
    make_mount_points(&points).unwrap();
    for path in [&one, &two, &blank] {
        assert!(Path::new(path).is_dir(), "{path}");
    }
    make_mount_points("").unwrap();
    make_mount_points(", ,").unwrap();
}

#[test]
fn a_mount_point_that_is_a_file_is_named() {
    let directory = Directory::new("file");
    let (file, dangling) = (directory.path("file"), directory.path("dangling"));
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &dangling).unwrap();
    let last = directory.path("last");
    for (bad, what) in [
        (file.clone(), "is a file: remove it"),
        (format!("{file}/below"), "is a file"),
        (dangling.clone(), "is a link to nothing: remove it"),
    ] {
        for act in [check_mount_points, make_mount_points] {
            let error = act(&format!("{last},{bad}")).unwrap_err();
            assert_eq!(error.kind, Kind::Args);
            assert!(error.reason.contains(&bad) && error.reason.contains(what), "{error}");
        }
    }
    assert!(!Path::new(&last).exists(), "nothing is made when one of them can't be");
}
