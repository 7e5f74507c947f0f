// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tree of files of one package: modes that don't depend on the builder's umask, and a build that
//! gives the same bytes each time.

use crate::release::Release;
use crate::{Error, Result, tool};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A package's files below a directory of its own.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty tree in a directory that is emptied first.
    ///
    /// # Errors
    /// When the directory can't be made.
    pub fn new(root: &Path) -> Result<Self> {
        match fs::remove_dir_all(root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("remove", root, error));
            }
            _ => {}
        }
        let tree = Self { root: root.to_owned() };
        tree.directory("")?;
        Ok(tree)
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn directory(&self, path: &str) -> Result<()> {
        let place = self.root.join(path);
        fs::create_dir_all(&place).map_err(|error| Error::file("make", &place, error))?;
        for directory in place.ancestors().take_while(|above| above.starts_with(&self.root)) {
            set_mode(directory, 0o755)?;
        }
        Ok(())
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn file(&self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Result<()> {
        let place = self.place(path)?;
        fs::write(&place, content).map_err(|error| Error::file("write", &place, error))?;
        set_mode(&place, mode)
    }

    /// Copies a file.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub fn copy(&self, path: &str, mode: u32, from: &Path) -> Result<()> {
        let content = fs::read(from).map_err(|error| Error::file("read", from, error))?;
        self.file(path, mode, content)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn link(&self, path: &str, target: &str) -> Result<()> {
        let place = self.place(path)?;
        symlink(target, &place).map_err(|error| Error::file("make the link", &place, error))
    }

    /// Writes a file as gzip does, with no name and time in it; `path` is without `.gz`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn gzip(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        self.file(path, 0o644, content)?;
        tool::output(Path::new("gzip"), &["--no-name", "--best", path], &self.root, &[])?;
        Ok(())
    }

    /// The package of these files and a control file (with `@SIZE@` in it), in a directory that is named
    /// from the root on, as the tree is.
    ///
    /// # Errors
    /// What dpkg-deb says.
    pub fn build(&self, control: &str, release: &Release, output: &Path) -> Result<String> {
        let mut files = Vec::new();
        let mut size = 0;
        self.walk(Path::new(""), &mut files, &mut size)?;
        files.sort();
        if !files.is_empty() {
            let arguments = ["--".to_owned()].into_iter().chain(files).collect::<Vec<_>>();
            let sums = tool::output(Path::new("md5sum"), &arguments, &self.root, &[])?;
            self.file("DEBIAN/md5sums", 0o644, sums)?;
        }
        self.file("DEBIAN/control", 0o644, control.replace("@SIZE@", &size.to_string()))?;
        let date = release.date.to_string();
        let output =
            fs::canonicalize(output).map_err(|error| Error::file("find", output, error))?;
        let arguments = [
            "--root-owner-group".as_ref(),
            "-Zxz".as_ref(),
            "--build".as_ref(),
            self.root.as_os_str(),
            output.as_os_str(),
        ];
        let variables = [("SOURCE_DATE_EPOCH", date.as_str())];
        tool::output(Path::new("dpkg-deb"), &arguments, Path::new("/"), &variables)?;
        field(control, "Package").zip(field(control, "Architecture")).map_or_else(
            || Err(Error::new("a control file without Package and Architecture")),
            |(name, architecture)| Ok(format!("{name}_{}_{architecture}.deb", release.version)),
        )
    }

    fn place(&self, path: &str) -> Result<PathBuf> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above)?;
        }
        Ok(self.root.join(path))
    }

    /// Every regular file but those of DEBIAN, and Debian's measure of the whole: KiB, rounded up for
    /// each file, one for anything else.
    fn walk(&self, path: &Path, files: &mut Vec<String>, size: &mut u64) -> Result<()> {
        let directory = self.root.join(path);
        let unreadable = |error| Error::file("read", &directory, error);
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (path, about) = (path.join(entry.file_name()), entry.metadata());
            let about = about.map_err(|error| Error::file("read", &entry.path(), error))?;
            if path == Path::new("DEBIAN") {
                continue;
            }
            *size += if about.is_file() { about.len().div_ceil(1024) } else { 1 };
            if about.is_dir() {
                self.walk(&path, files, size)?;
            } else if about.is_file() {
                files.push(path.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
}

fn field<'a>(control: &'a str, name: &str) -> Option<&'a str> {
    control.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| Error::file("set the mode of", path, error))
}
