//! A change is on the disk when it returns, for the price of one sync, however many secrets there are.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::Write;
use std::process::Command;

use strongroom_core::{Secret, SecretKey};
use strongroom_sealed::SealedFile;
use strongroom_testkit::{self as testkit, children, provider_or_skip, skip};
use support::{Sandbox, child, put, vault_of_child};

/// How many changes are watched.
const CHANGES: usize = 5;

children!(changes);

#[test]
fn each_change_is_one_sync_with_ten_secrets_and_with_ten_thousand() {
    if !provider_or_skip("strace") {
        return;
    }
    for count in [10, 10_000] {
        let sandbox = Sandbox::new();
        let fill = |change: &mut strongroom_sealed::Change<'_>| {
            (0..count).try_for_each(|number| {
                change.put(&SecretKey::new(format!("name-{number}")), &Secret::new("value"))
            })
        };
        sandbox.create().change(fill).unwrap();
        let Some(syncs) = watched(&child("changes", &sandbox)) else {
            return skip("strace may not trace here");
        };
        assert_eq!(syncs, CHANGES, "{count} secrets");
    }
}

/// How many syncs of a file there were between the two marks; `None` if nobody can watch.
fn watched(command: &Command) -> Option<usize> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=fsync,fdatasync,write"]).arg(command.get_program());
    strace.args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = testkit::child::output(&mut strace);
    let text = String::from_utf8_lossy(&output.stderr);
    let between = text.split("mark:begin").nth(1)?.split("mark:end").next()?;
    Some(between.lines().filter(|line| line.contains("sync(")).count())
}

fn changes() {
    let config = vault_of_child();
    let file = SealedFile::open(&config).unwrap();
    // Seen by strace, which has another output.
    let mut stdout = std::io::stdout();
    // The first one makes the log, which takes two more.
    put(&file, "first", "value");
    stdout.write_all(b"mark:begin\n").unwrap();
    (0..CHANGES).for_each(|number| put(&file, &format!("name-{number}"), "changed"));
    stdout.write_all(b"mark:end\n").unwrap();
}
