//! Real files, threads and processes. A file with a number in it stands in for the store.

mod child;

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use strongroom_testkit::child::Child;
use tempfile::TempDir;

use super::*;

/// Long enough for anything that comes, on a loaded machine.
const PATIENT: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(30);

/// A directory with a service's state and store in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    fn coherence(&self) -> Coherence {
        open(self.path(), "service")
    }
}

fn open(home: &Path, service: &str) -> Coherence {
    let service = ServiceName::new(service).expect("the name is valid");
    let state = StateDir::at(home.join("state")).expect("no other user has it");
    Coherence::open(&state, &service).expect("no other user has it")
}

/// One process's, or thread's, view of a counter.
struct Counter<'a> {
    coherence: &'a Coherence,
    store: PathBuf,
    cache: Option<(u64, Option<Seen>)>,
    reads: usize,
}

impl<'a> Counter<'a> {
    fn new(coherence: &'a Coherence, home: &Path) -> Self {
        Self { coherence, store: home.join("store"), cache: None, reads: 0 }
    }

    fn get(&mut self) -> u64 {
        let observation = self.coherence.observe();
        self.read_if_needed(observation)
    }

    fn increment(&mut self) -> Finished {
        let commit = self.coherence.lock(PATIENT).expect("the lock comes");
        let next = self.read_if_needed(commit.base()) + 1;
        commit.begin().expect("the mark can be made");
        fs::write(&self.store, next.to_string()).expect("the store can be written");
        let finished = commit.finish(revision(next));
        self.cache = Some((next, finished.seen));
        finished
    }

    fn mend(&mut self) {
        let commit = self.coherence.lock(PATIENT).expect("the lock comes");
        let value = self.read();
        self.cache = Some((value, commit.finish(revision(value)).seen));
    }

    fn read_if_needed(&mut self, observation: Observation) -> u64 {
        match &self.cache {
            Some((value, seen)) if decide(seen.as_ref(), &observation) == Decision::UseCache => {
                *value
            }
            _ => {
                let value = self.read();
                self.cache = Some((value, observation.remember(revision(value))));
                value
            }
        }
    }

    fn read(&mut self) -> u64 {
        self.reads += 1;
        let text = fs::read_to_string(&self.store).unwrap_or_else(|_| "0".into());
        text.parse().expect("it is a number")
    }
}

fn revision(generation: u64) -> Revision {
    Revision { vault: [9; 16], generation }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn a_read_costs_no_store_read_until_somebody_commits() {
    let home = Home::new();
    let (mine, others) = (home.coherence(), home.coherence());
    let mut reader = Counter::new(&mine, home.path());
    let mut writer = Counter::new(&others, home.path());
    let _ = writer.increment();
    for expected in 1..5 {
        for _ in 0..10 {
            assert_eq!(reader.get(), expected);
        }
        assert_eq!(reader.reads, usize::try_from(expected).unwrap());
        let _ = writer.increment();
    }
    assert_eq!(writer.reads, 1);
}

#[test]
fn threads_with_one_handle_and_with_many_lose_nothing() {
    let home = Home::new();
    let shared = home.coherence();
    thread::scope(|scope| {
        for thread in 0..8 {
            let (shared, home) = (&shared, &home);
            scope.spawn(move || {
                let own = home.coherence();
                let coherence = if thread % 2 == 0 { shared } else { &own };
                let mut counter = Counter::new(coherence, home.path());
                for _ in 0..50 {
                    assert!(!counter.increment().lost_lock);
                }
            });
        }
    });
    assert_eq!(Counter::new(&shared, home.path()).get(), 400);
}

#[test]
fn processes_lose_nothing_and_the_killed_leave_no_lock() {
    let home = Home::new();
    let counting: Vec<_> = (0..4).map(|_| child::start(&home, "counter")).collect();
    for _ in 0..5 {
        let mut dying = child::start(&home, "holder");
        assert_eq!(dying.next(), "ready");
        dying.kill();
    }
    assert!(counting.into_iter().flat_map(Child::finish).next().is_none());
    let coherence = home.coherence();
    let counter = Counter::new(&coherence, home.path()).get();
    assert_eq!(counter, 4 * child::COUNT + 5);
}

#[test]
fn a_killed_writer_leaves_the_mark_and_no_lock() {
    let home = Home::new();
    let coherence = home.coherence();
    let mut counter = Counter::new(&coherence, home.path());
    let _ = counter.increment();
    assert_eq!((counter.get(), counter.reads), (1, 1));
    let mut dying = child::start(&home, "holder");
    assert_eq!(dying.next(), "ready");
    dying.kill();
    assert_eq!(coherence.observe(), Observation::MustRead);
    assert_eq!((counter.get(), counter.reads), (2, 2));
    assert_eq!((counter.get(), counter.reads), (2, 3));
    counter.mend();
    assert_eq!((counter.get(), counter.reads), (2, 4));
    let _ = counter.increment();
    assert_eq!((counter.get(), counter.reads), (3, 4));
}

#[test]
fn busy_names_the_process_that_holds_the_lock_and_no_dead_one() {
    let home = Home::new();
    let coherence = home.coherence();
    let mut holder = child::start(&home, "holder");
    assert_eq!(holder.next(), "ready");
    let started = Instant::now();
    let error = coherence.lock(BRIEF).expect_err("it is held");
    assert!(started.elapsed() >= BRIEF);
    assert_eq!(error.kind(), ErrorKind::Busy);
    // Windows lets nobody read what stands in a locked file.
    let by = format!("process {}", holder.id());
    assert!(cfg!(windows) || error.to_string().contains(&by), "{error}");
    holder.kill();
    let held = coherence.lock(PATIENT).expect("a dead process holds nothing");
    let other = home.coherence();
    let error = other.lock(BRIEF).expect_err("it is held");
    assert!(error.to_string().contains("this process"), "{error}");
    let error = coherence.lock(Duration::ZERO).expect_err("it is held");
    assert!(error.to_string().contains("this process"), "{error}");
    drop(held);
    assert!(other.lock(PATIENT).is_ok());
}

#[test]
fn a_caller_that_gave_up_leaves_nothing_that_holds_the_lock() {
    let home = Home::new();
    let (one, two) = (home.coherence(), home.coherence());
    let held = one.lock(PATIENT).expect("it is free");
    const CALLERS: usize = 200;
    for _ in 0..CALLERS {
        assert!(two.lock(Duration::from_millis(1)).is_err());
    }
    let waiting = fs::read_dir("/proc/self/task").map(|tasks| {
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
        tasks.flatten().filter_map(name).filter(|name| name.trim() == "strongroom-lock").count()
    });
    // Other tests of this program have a few waiters, too; without reuse there was one per caller.
    assert!(waiting.unwrap_or(0) < CALLERS / 2);
    drop(held);
    for _ in 0..3 {
        drop(one.lock(PATIENT).expect("it comes back"));
        drop(two.lock(PATIENT).expect("it comes back"));
    }
}

#[test]
fn who_waits_gets_the_lock_when_it_is_freed() {
    let home = Home::new();
    let (one, two) = (home.coherence(), home.coherence());
    let held = one.lock(PATIENT).expect("it is free");
    assert!(two.lock(BRIEF).is_err());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            sender.send(()).expect("somebody listens");
            two.lock(PATIENT).map(drop)
        });
        receiver.recv().expect("the thread runs");
        drop(held);
        assert!(waiting.join().expect("it does not panic").is_ok());
    });
}

// Windows deletes no file that is open.
#[cfg(unix)]
#[test]
fn state_that_was_deleted_is_noticed_and_made_again() {
    let home = Home::new();
    let (mine, others) = (home.coherence(), home.coherence());
    let mut reader = Counter::new(&mine, home.path());
    let mut writer = Counter::new(&others, home.path());
    for round in 0..3 {
        let _ = writer.increment();
        assert_eq!(reader.get(), 2 * round + 1);
        fs::remove_dir_all(home.state()).expect("it can be removed");
        assert_eq!(mine.observe(), Observation::MustRead);
        let _ = writer.increment();
        assert_eq!(reader.get(), 2 * round + 2);
    }
    assert_eq!((mode(&home.state()), writer.reads), (0o700, 4));
}

#[test]
fn a_glance_sees_every_commit_at_once_and_a_lost_file_before_long() {
    let home = Home::new();
    let (ours, theirs) = (home.coherence(), home.coherence());
    let (mut reader, mut writer) =
        (Counter::new(&ours, home.path()), Counter::new(&theirs, home.path()));
    let glance = |reader: &mut Counter<'_>| {
        let observation = reader.coherence.glance();
        reader.read_if_needed(observation)
    };
    for commit in 1..=100 {
        let _ = writer.increment();
        assert_eq!((glance(&mut reader), glance(&mut reader)), (commit, commit));
    }
    assert_eq!(reader.reads, 100, "one for each commit");
    if cfg!(windows) {
        fs::remove_dir_all(home.state()).expect_err("no file that is open is lost there");
        return;
    }

    fs::remove_dir_all(home.state()).expect("it can be deleted");
    let _ = writer.increment();
    let deadline = Instant::now() + PATIENT;
    while glance(&mut reader) != 101 {
        assert!(Instant::now() < deadline, "it is noticed");
        thread::yield_now();
    }
}

// Windows deletes no file that is open.
#[cfg(unix)]
#[test]
fn a_backup_that_comes_back_does_not_make_the_old_look_new() {
    let home = Home::new();
    let (mine, others) = (home.coherence(), home.coherence());
    let mut reader = Counter::new(&mine, home.path());
    let mut writer = Counter::new(&others, home.path());
    let _ = writer.increment();
    assert_eq!(reader.get(), 1);
    let file = home.state().join("vault-service.generation");
    let backup = fs::read(&file).expect("it is there");
    for expected in [2, 3] {
        let _ = writer.increment();
        if expected == 3 {
            fs::remove_file(&file).expect("it can be removed");
        }
        fs::write(&file, &backup).expect("it can be written");
        assert_eq!(reader.get(), expected);
    }
    let _ = Counter::new(&mine, home.path()).increment();
    assert_eq!(writer.get(), 4);
}

// Windows deletes no file that is open.
#[cfg(unix)]
#[test]
fn a_lock_that_was_lost_is_told() {
    let home = Home::new();
    let coherence = home.coherence();
    let commit = coherence.lock(PATIENT).expect("it is free");
    fs::remove_dir_all(home.state()).expect("it can be removed");
    assert_eq!(commit.begin().expect_err("it is lost").kind(), ErrorKind::Io);
    drop(commit);
    let commit = coherence.lock(PATIENT).expect("it is made again");
    fs::remove_file(home.state().join("vault-service.lock")).expect("it can be removed");
    assert_eq!(commit.begin().expect_err("it is lost").kind(), ErrorKind::Conflict);
    drop(commit);
    let commit = coherence.lock(PATIENT).expect("it is made again");
    commit.begin().expect("it is held");
    fs::remove_dir_all(home.state()).expect("it can be removed");
    let finished = commit.finish(revision(1));
    assert!(finished.lost_lock && finished.seen.is_none());
    assert_eq!(coherence.observe(), Observation::MustRead);
}

#[test]
fn what_is_no_record_is_not_trusted() {
    let home = Home::new();
    let coherence = home.coherence();
    let mut counter = Counter::new(&coherence, home.path());
    let file = home.state().join("vault-service.generation");
    for content in ["", "srgn", &"x".repeat(40), &"x".repeat(4000)] {
        let _ = counter.increment();
        assert_ne!(coherence.observe(), Observation::MustRead);
        fs::write(&file, content).expect("it can be written");
        assert_eq!(coherence.observe(), Observation::MustRead);
    }
    assert_eq!(counter.get(), 4);
}

#[test]
fn where_nothing_can_be_written_every_read_reads_the_store() {
    let home = Home::new();
    // A file in the directory's place: root may write in any directory.
    fs::write(home.state(), "").expect("it can be written");
    let coherence = home.coherence();
    let mut counter = Counter::new(&coherence, home.path());
    for expected in 1..4 {
        assert!(counter.increment().seen.is_none());
        assert_eq!(counter.get(), expected);
    }
    assert_eq!(counter.reads, 6);
    let held = coherence.lock(PATIENT).expect("there is no lock to wait for");
    assert!(coherence.lock(BRIEF).is_err(), "a handle's own threads still exclude each other");
    drop(held);
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_read_only_directory_it_works_and_says_so_once() {
    child::succeeds_within_permissions("works_in_a_read_only_directory");
}

#[cfg(target_os = "linux")]
fn works_in_a_read_only_directory() {
    let home = Home::new();
    fs::create_dir(home.state()).expect("it can be made");
    let allow = |mode| fs::set_permissions(home.state(), fs::Permissions::from_mode(mode));
    allow(0o500).expect("it is ours");
    fs::write(home.state().join("probe"), "").expect_err("permissions count");
    let warnings = warnings_during(|| {
        let coherence = home.coherence();
        let mut counter = Counter::new(&coherence, home.path());
        for expected in 1..4 {
            assert!(counter.increment().seen.is_none());
            assert_eq!(counter.get(), expected);
        }
    });
    allow(0o700).expect("it is ours");
    assert_eq!(warnings.matches("no lock between processes").count(), 1, "{warnings}");
}

#[test]
fn without_a_directory_it_says_so_once() {
    let home = Home::new();
    fs::write(home.state(), "").expect("it can be written");
    let warnings = warnings_during(|| {
        let coherence = home.coherence();
        for _ in 0..3 {
            drop(coherence.lock(PATIENT).expect("there is no lock to wait for"));
        }
    });
    assert_eq!(warnings.matches("no lock between processes").count(), 1, "{warnings}");
}

fn warnings_during(work: impl FnOnce()) -> String {
    let log = tempfile::NamedTempFile::new().expect("a file can be made");
    let writer = log.reopen().expect("it is there");
    let subscriber = tracing_subscriber::fmt().with_writer(Mutex::new(writer)).finish();
    tracing::subscriber::with_default(subscriber, work);
    fs::read_to_string(log.path()).expect("it is there")
}

#[cfg(unix)]
#[test]
fn only_the_user_can_enter() {
    let home = Home::new();
    let coherence = home.coherence();
    let _ = Counter::new(&coherence, home.path()).increment();
    assert_eq!(mode(&home.state()), 0o700);
    for name in ["vault-service.lock", "vault-service.generation"] {
        assert_eq!(mode(&home.state().join(name)), 0o600, "{name}");
    }
}

#[test]
fn services_do_not_meet() {
    let home = Home::new();
    let long = "x".repeat(255);
    let services = ["a", "A", "a/b", "..", ".", &long, &long[..254]];
    let all = services.map(|service| open(home.path(), service));
    let held = all.each_ref().map(|one| one.lock(Duration::ZERO).expect("it is its own"));
    for (number, commit) in (0..).zip(held) {
        commit.begin().expect("the mark can be made");
        assert!(commit.finish(revision(number)).seen.is_some());
    }
    for (number, one) in (0..).zip(&all) {
        assert!(
            matches!(one.observe(), Observation::Clean(seen) if seen.revision() == revision(number))
        );
    }
    let outside: Vec<_> = fs::read_dir(home.path()).expect("it is there").flatten().collect();
    assert_eq!(outside.len(), 1, "{outside:?}");
}
