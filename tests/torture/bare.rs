//! A Postgres that lacks the extension, or parts of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cluster::installation;

/// The option of pg_config that tells a file's directory, and its name there.
pub type Part = [&'static str; 2];

/// What makes this version of the extension.
pub const THIS: [Part; 2] = [
    ["--pkglibdir", concat!("assignment_reminders-", env!("CARGO_PKG_VERSION"), ".so")],
    ["--sharedir", "extension/assignment_reminders.control"],
];

/// A copy of the tested Postgres without some files. Postgres finds its files beside its programs.
pub struct Bare {
    home: PathBuf,
}

fn installed(option: &str) -> PathBuf {
    let output = Command::new(installation().join("pg_config")).arg(option).output().expect("pg_config");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

impl Bare {
    pub fn without(parts: &[Part]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let home = format!("/tmp/asrm.bare.{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let bare = Self { home: home.into() };
        for directory in ["--bindir", "--pkglibdir", "--sharedir"] {
            let (from, to) = (installed(directory), bare.copy_of(directory));
            fs::create_dir_all(to.parent().expect("a parent")).expect("a directory");
            assert!(
                Command::new("cp").arg("-a").arg(&from).arg(&to).status().expect("cp").success(),
                "{}",
                from.display()
            );
        }
        for [directory, file] in parts {
            fs::remove_file(bare.copy_of(directory).join(file)).expect("what can be removed is installed");
        }
        bare
    }

    fn copy_of(&self, directory: &str) -> PathBuf {
        self.home.join(installed(directory).strip_prefix("/").expect("an absolute path"))
    }

    pub fn bin(&self) -> PathBuf {
        self.copy_of("--bindir")
    }

    /// Installs them here too.
    pub fn mend(&self, parts: &[Part]) {
        for [directory, file] in parts {
            fs::copy(installed(directory).join(file), self.copy_of(directory).join(file)).expect("a copy");
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}
