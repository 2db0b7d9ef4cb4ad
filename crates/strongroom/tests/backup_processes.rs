//! Backups of a vault that other processes write.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::env;
use std::time::Instant;

use strongroom::backup::{Backup, Protection, RestoreMode, Unlock};
use strongroom::{Backend, Config, ErrorKind, ExposeSecret, Secret, SecretString};
use strongroom_testkit::child::{self, Child};
use strongroom_testkit::{PATIENCE, Sandbox, children, unused_name, wait_until};
use support::{Purged, builder};

const SERVICE: &str = "STRONGROOM_TEST_SERVICE";
const WRITER: &str = "STRONGROOM_TEST_WRITER";

const WRITERS: usize = 4;
/// How many different generations must be seen.
const GENERATIONS: usize = 30;

const RECIPIENT: &str = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
const IDENTITY: &str = "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA";

#[test]
fn a_backup_is_of_one_generation_while_four_processes_write() {
    let (service, sandbox) = (unused_name("backup"), Sandbox::new());
    let config = Config::new("").backend(Backend::Keyutils);
    let secrets = builder(&service, config, &sandbox).open_blocking().unwrap();
    let _purged = Purged(&secrets);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let mut command = sandbox.command(child::program());
            command.env(SERVICE, &service).env(WRITER, writer.to_string());
            child::enter(&mut command, "writer");
            Child::start(command)
        })
        .collect();
    wait_until("somebody has written", PATIENCE, || secrets.generation().unwrap() > 0);
    let protection = Protection::recipients([RECIPIENT]).unwrap();
    let unlock = Unlock::new().with_identities(&SecretString::from(IDENTITY)).unwrap();
    let (mut generations, started) = (BTreeSet::new(), Instant::now());
    while generations.len() < GENERATIONS {
        assert!(started.elapsed() < PATIENCE, "nobody writes: {generations:?}");
        let file = secrets.backup(&protection).unwrap();
        let backup = Backup::open_blocking(&file.text, &unlock).unwrap();
        assert_eq!((backup.generation(), backup.keys().len()), (file.generation, 2));
        let [one, two] = values(&service, &backup);
        assert_eq!(one, two, "a pair of two generations");
        assert!(generations.iter().all(|earlier| *earlier <= file.generation), "it went back");
        generations.insert(file.generation);
    }
    drop(writers);
}

/// The pair of values that a backup holds.
fn values(service: &str, backup: &Backup) -> [String; 2] {
    let copy = Config::new(service).backend(Backend::Memory).open_blocking().unwrap();
    copy.restore(backup, &copy.plan_restore(backup, RestoreMode::Replace).unwrap()).unwrap();
    ["ONE", "TWO"].map(|name| copy.get_value(name).unwrap().unwrap().expose_secret().to_owned())
}

children!(writer);

/// Writes pairs of values until it is killed.
fn writer() {
    let (service, writer) = (env::var(SERVICE).unwrap(), env::var(WRITER).unwrap());
    let secrets = Config::new(service).backend(Backend::Keyutils);
    let secrets = secrets.open_blocking().unwrap();
    // Until it is killed.
    for number in 0_u64.. {
        let value = || Secret::new(format!("{writer}-{number}"));
        let written = secrets.batch(|batch| {
            batch.set("ONE", value()).set("TWO", value());
        });
        assert!(written.is_ok() || written.unwrap_err().kind() == ErrorKind::Busy);
    }
}
