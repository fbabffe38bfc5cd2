//! What is installed beside the program: units of systemd, completions, manual pages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn remindersd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_remindersd")).args(arguments).output().expect("it runs")
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("remindersd-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_string()
}

/// What systemd-analyze says of a unit, and whether that is well; none where there is none.
fn analyzed(arguments: &[&str], unit: &Path) -> Option<(String, bool)> {
    let output = match Command::new("systemd-analyze").args(arguments).arg(unit).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.expect("it runs"),
    };
    Some((text(&output.stdout) + &text(&output.stderr), output.status.success()))
}

#[test]
fn the_units_are_known_to_systemd_and_exposed_to_little() {
    let folder = folder("units");
    for name in ["remindersd-deliver.service", "remindersd-serve.service"] {
        let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name);
        let text = std::fs::read_to_string(&unit).expect("a unit");
        assert!(text.contains("ExecStart=/usr/local/bin/remindersd "), "{name}");
        // Where the program is here.
        let unit = folder.join(name);
        std::fs::write(&unit, text.replace("/usr/local/bin/remindersd", env!("CARGO_BIN_EXE_remindersd")))
            .expect("a file");
        let Some((said, is_well)) = analyzed(&["security", "--offline=true", "--threshold=20", "--no-pager"], &unit)
        else {
            println!("skipped: systemd-analyze is missing");
            break;
        };
        assert!(is_well, "{name}: {said}");
        let (said, is_well) = analyzed(&["verify", "--man=no"], &unit).expect("systemd-analyze");
        // Of our unit nothing; what the machine's own are like is no matter of ours.
        assert!(is_well && !said.contains("remindersd"), "{name}: {said}");
    }
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn shells_complete_its_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = remindersd(&["completions", shell]);
        let said = text(&output.stdout);
        assert!(
            output.status.success() && ["deliver", "dry-run", "completions"].iter().all(|word| said.contains(word)),
            "{shell}: {said}"
        );
    }
    assert!(!remindersd(&["completions", "cmd"]).status.success());
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = folder("man");
    let pages = folder.join("man1");
    let output = remindersd(&["man", pages.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (page, word) in [("remindersd.1", "config"), ("remindersd-deliver.1", "dry"), ("remindersd-serve.1", "SIGTERM")]
    {
        let text = std::fs::read_to_string(pages.join(page)).expect(page);
        assert!(text.starts_with(".ie") && text.contains(".TH") && text.contains(word), "{page}: {text}");
    }
    // Where a file is in the way, it says so.
    let output = remindersd(&["man", pages.join("remindersd.1").to_str().expect("a path")]);
    assert!(!output.status.success() && text(&output.stderr).contains("remindersd.1"));
    let _ = std::fs::remove_dir_all(folder);
}
