//! The vault between real processes: nothing acknowledged is lost, and nobody sees what is over.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use strongroom::{
    Backend, ErrorKind, ExposeSecret, Options, Result, Secret, SecretKey, SecretManager, blocking,
};
use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, PATIENCE, Sandbox, provider_or_skip, unused_name};
use support::{
    Process, Purged, Said, builder, gnome_keyring, lines, manager, on, say, this_program, told,
};

/// How many writers work at once.
const WRITERS: usize = 8;
/// How many operations each of them has to get done.
const OPERATIONS: usize = 250;
/// How often one of them is killed.
const PACE: Duration = Duration::from_millis(200);
/// The longest that all of it may take: several times what it takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(300);

/// What the test tells its other processes: who they are, where to go on, and which vault it is.
const WRITER: &str = "STRONGROOM_TEST_WRITER";
const NEXT: &str = "STRONGROOM_TEST_NEXT";
const BACKEND: &str = "STRONGROOM_TEST_BACKEND";
const SERVICE: &str = "STRONGROOM_TEST_SERVICE";

/// The secret that all writers count up.
const COUNTER: &str = "counter";

/// What an operation does to its secret.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Set,
    UpdateValue,
    Update,
    Delete,
    Count,
}

/// One operation: it depends on the writer and its number alone, so that a writer's successor and
/// the test know it, too.
struct Operation {
    key: String,
    change: Change,
    value: String,
}

impl Operation {
    /// Of five operations three are on secrets of the writer's own, each of which goes through a
    /// cycle of its own, and two on such as all writers change.
    fn of(writer: usize, number: usize) -> Self {
        use Change::{Count, Delete, Set, Update, UpdateValue};
        let (round, which) = (number / 5, number % 5);
        let own = |cycle: &[Change]| (format!("own-{writer}-{which}"), cycle[round % cycle.len()]);
        let (key, change) = match which {
            0 => own(&[Set, UpdateValue, Update, Delete]),
            1 => own(&[Set, Update, Delete]),
            2 => own(&[Set, Delete]),
            3 => (format!("shared-{}", round % 3), [Set, Update, Delete][(round + writer) % 3]),
            _ => (COUNTER.to_owned(), Count),
        };
        Self { key, change, value: format!("{writer}-{number}") }
    }

    /// Does it, and says whether that was a commit.
    fn perform(self, secrets: &blocking::SecretManager) -> Result<bool> {
        let key = SecretKey::new(self.key.as_str());
        match self.change {
            Change::Set => secrets.set(&key, &Secret::new(self.value))?,
            Change::UpdateValue => secrets.update_value(&self.key, self.value)?,
            Change::Update => secrets.update(&key, |_| Some(Secret::new(self.value)))?,
            Change::Delete => return secrets.delete(&key),
            Change::Count => secrets.update(&key, |old| Some(one_more(old)))?,
        }
        Ok(true)
    }

    /// What its secret is afterwards.
    fn outcome(self) -> Option<String> {
        (self.change != Change::Delete).then_some(self.value)
    }
}

fn one_more(old: Option<Secret>) -> Secret {
    let count = old.map_or(0, |old| old.value.expose_secret().parse::<usize>().unwrap());
    Secret::new((count + 1).to_string())
}

#[test]
fn eight_processes_lose_nothing_although_one_is_killed_every_200_ms() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let mut race = Race::start(&bus);
    race.run();
    let secrets = manager(&bus);
    let stored = stored(&secrets);

    for (key, outcomes) in possible_outcomes() {
        assert!(outcomes.contains(&stored.get(&key).cloned()), "{key}: {:?}", stored.get(&key));
    }
    let count: usize = stored[COUNTER].parse().unwrap();
    let in_flight = race.kills;
    let counted = WRITERS * OPERATIONS / 5;
    assert!((counted..=counted + in_flight).contains(&count), "{count} of {counted} were counted");
    let generation = usize::try_from(secrets.generation().unwrap()).unwrap();
    let acknowledged = race.commits..=race.commits + in_flight;
    assert!(
        acknowledged.contains(&generation),
        "{generation} commits, {acknowledged:?} of writers"
    );
    assert!(race.kills > 0, "nobody was killed");
}

/// What each secret may be at the end but the counter: what its last operation made of it. Of a
/// secret that several writers change it may be any writer's last one.
fn possible_outcomes() -> BTreeMap<String, BTreeSet<Option<String>>> {
    let mut outcomes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for writer in 0..WRITERS {
        let operations = (0..OPERATIONS).map(|number| Operation::of(writer, number));
        let last: BTreeMap<_, _> =
            operations.map(|operation| (operation.key.clone(), operation)).collect();
        for (key, operation) in last {
            outcomes.entry(key).or_default().insert(operation.outcome());
        }
    }
    outcomes.remove(COUNTER);
    outcomes
}

fn stored(secrets: &blocking::SecretManager) -> BTreeMap<String, String> {
    let keys = secrets.list().unwrap().into_iter().map(|info| info.key);
    keys.map(|key| {
        let secret = secrets.get(&key).unwrap().expect("it is in the list");
        (key.name().to_owned(), secret.value.expose_secret().to_owned())
    })
    .collect()
}

/// Writers at work, of which one after the other is killed and replaced.
struct Race<'a> {
    bus: &'a Bus,
    writers: Vec<Writer>,
    events: Receiver<(usize, Event)>,
    sender: Sender<(usize, Event)>,
    /// Whose turn it is to be killed.
    victim: usize,
    kills: usize,
    commits: usize,
    busy: usize,
}

struct Writer {
    /// Until it has ended, and been waited for.
    process: Option<Process>,
    /// The first operation that was not acknowledged.
    next: usize,
    /// The same when this process was started.
    first: usize,
    killed: bool,
    /// Its predecessor was killed before it got anything done.
    delayed: bool,
}

enum Event {
    Acknowledged { number: usize, commit: bool },
    Busy,
    Ended,
}

impl<'a> Race<'a> {
    fn start(bus: &'a Bus) -> Self {
        let (sender, events) = mpsc::channel();
        let (writers, victim) = (Vec::new(), 0);
        let mut race = Self { bus, writers, events, sender, victim, kills: 0, commits: 0, busy: 0 };
        for number in 0..WRITERS {
            let process = Some(race.launch(number, 0));
            let writer = Writer { process, next: 0, first: 0, killed: false, delayed: false };
            race.writers.push(writer);
        }
        race
    }

    /// Until all operations are acknowledged, and all processes have ended.
    fn run(&mut self) {
        let started = Instant::now();
        let mut kill_at = started + PACE;
        while self.writers.iter().any(|writer| writer.process.is_some()) {
            let now = Instant::now();
            assert!(now < started + LIMIT, "not done after {LIMIT:?}");
            match self.events.recv_timeout(kill_at.saturating_duration_since(now)) {
                Ok((number, event)) => self.take(number, event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("the sender is kept"),
            }
            if Instant::now() >= kill_at {
                self.kill_one();
                kill_at += PACE;
            }
        }
        self.report(started.elapsed());
    }

    #[expect(clippy::print_stdout, reason = "for whoever asks by --nocapture")]
    fn report(&self, took: Duration) {
        let Self { kills, commits, busy, .. } = self;
        println!("{took:?}: {kills} kills, {commits} commits, {busy} times busy");
    }

    fn take(&mut self, number: usize, event: Event) {
        let writer = &mut self.writers[number];
        match event {
            Event::Acknowledged { number, commit } => {
                assert_eq!(number, writer.next, "each operation is acknowledged once");
                writer.next += 1;
                self.commits += usize::from(commit);
            }
            Event::Busy => self.busy += 1,
            Event::Ended => self.bury(number),
        }
    }

    /// Takes leave of a process that has ended, and starts its successor if there is work left.
    fn bury(&mut self, number: usize) {
        let Writer { next, first, .. } = self.writers[number];
        let ended = self.writers[number].process.take().expect("a process ends once");
        let killed = self.writers[number].killed;
        assert!(ended.succeeded() || killed, "writer {number} failed in operation {next}");
        if next < OPERATIONS {
            assert!(killed, "writer {number} ended after operation {next}");
            let process = Some(self.launch(number, next));
            let delayed = next == first;
            self.writers[number] = Writer { process, next, first: next, killed: false, delayed };
        }
    }

    /// Kills the one whose turn it is. A second one in a row that gets nothing done is spared: on a
    /// machine where starting takes longer than the pace nothing would ever get done.
    fn kill_one(&mut self) {
        let may_be_killed = |writer: &Writer| {
            let spared = writer.delayed && writer.next == writer.first;
            writer.process.is_some() && writer.next < OPERATIONS && !writer.killed && !spared
        };
        let turns = (self.victim..self.victim + WRITERS).map(|turn| turn % WRITERS);
        let Some(victim) = turns.into_iter().find(|turn| may_be_killed(&self.writers[*turn]))
        else {
            return;
        };
        let writer = &mut self.writers[victim];
        writer.process.as_mut().expect("it may be killed").kill();
        writer.killed = true;
        self.victim = victim + 1;
        self.kills += 1;
    }

    fn launch(&self, number: usize, next: usize) -> Process {
        let mut command = self.bus.command(this_program());
        command.env(WRITER, number.to_string()).env(NEXT, next.to_string());
        let (process, stdout) = Process::start(command, "writes_in_a_process_of_its_own");
        let sender = self.sender.clone();
        thread::spawn(move || {
            let events = lines(stdout).map(|line| event(&line)).chain([Event::Ended]);
            // Nobody listens any more where the test has failed.
            events.map(|event| sender.send((number, event))).take_while(|sent| sent.is_ok()).count()
        });
        process
    }
}

fn event(line: &str) -> Event {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["done", number, commit] => {
            Event::Acknowledged { number: number.parse().unwrap(), commit: commit == "true" }
        }
        ["busy"] => Event::Busy,
        _ => panic!("a writer says {line}"),
    }
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn writes_in_a_process_of_its_own() {
    let number = |name| env::var(name).unwrap().parse::<usize>().unwrap();
    let (writer, next) = (number(WRITER), number(NEXT));
    let secrets = SecretManager::builder("app").backend(Backend::SecretService);
    let secrets = secrets.open_blocking().unwrap();
    for number in next..OPERATIONS {
        loop {
            match Operation::of(writer, number).perform(&secrets) {
                Ok(commit) => break say(&format!("done {number} {commit}")),
                Err(error) if error.kind() == ErrorKind::Busy => say("busy"),
                Err(error) => panic!("operation {number} of writer {writer}: {error:?}"),
            }
        }
    }
}

#[test]
fn a_long_lived_reader_on_gnome_keyring_sees_a_set_at_its_next_get() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    sees_at_its_next_get("app", on(&bus), bus.sandbox(), bus.command(this_program()));
}

#[test]
fn a_long_lived_reader_on_keyutils_sees_a_set_at_its_next_get() {
    let (service, sandbox) = (unused_name("reader"), Sandbox::new());
    let options = Options::new().with_backend(Backend::Keyutils);
    sees_at_its_next_get(&service, options, &sandbox, sandbox.command(this_program()));
}

/// How often the reader is asked about each change.
const ROUNDS: usize = 10;

fn sees_at_its_next_get(service: &str, options: Options, sandbox: &Sandbox, reader: Command) {
    let secrets = builder(service, options, sandbox).open_blocking().unwrap();
    let _purged = Purged(&secrets);
    let mut reader = Peer::start(reader, service, secrets.backend());
    assert_eq!(reader.get(), "nothing");
    for round in 0..ROUNDS {
        secrets.set(&SecretKey::new(KEY), &Secret::new(format!("set {round}"))).unwrap();
        assert_eq!(reader.get(), format!("set {round}"));
        secrets.update_value(KEY, format!("updated {round}")).unwrap();
        assert_eq!(reader.get(), format!("updated {round}"));
        assert_eq!(reader.get(), format!("updated {round}"), "it is still so");
        assert!(secrets.delete(&SecretKey::new(KEY)).unwrap());
        assert_eq!(reader.get(), "nothing");
    }
}

#[test]
fn what_a_killed_writer_left_in_the_store_is_read_and_kept() {
    let Some((bus, service)) = scripted() else { return };
    let (reader, writer) = (manager(&bus), manager(&bus));
    for round in 0..4 {
        writer.set(&SecretKey::new(KEY), &Secret::new("before")).unwrap();
        assert_eq!(get(&reader), "before");
        let mut killed = Peer::start(bus.command(this_program()), "app", Backend::SecretService);
        assert_eq!(killed.get(), "before");
        // What comes after the write, and before the writer tells the others that it is done.
        service.set(|script| script.hang.extend([CHECK.to_owned()]));
        service.clear_calls();
        killed.process.tell(&format!("killed {round}"));
        assert!(service.wait_for_call(CHECK, 1, PATIENCE), "the value is written");
        killed.process.kill();
        drop(killed);
        service.set(|script| script.hang.clear());

        if round % 2 == 0 {
            assert_eq!(get(&reader), format!("killed {round}"));
        }
        writer.set(&SecretKey::new("OTHER"), &Secret::new("value")).unwrap();
        assert_eq!(get(&writer), format!("killed {round}"));
        assert_eq!(get(&reader), format!("killed {round}"));
    }
}

/// The call by which the store makes sure of a write.
const CHECK: &str = "Get:Collection.Locked";

/// The secret that peers get and set.
const KEY: &str = "KEY";

fn scripted() -> Option<(Bus, ScriptedService)> {
    provider_or_skip("dbus-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let service = ScriptedService::start(bus.address(), Script::default()).unwrap();
        (bus, service)
    })
}

fn get(secrets: &blocking::SecretManager) -> String {
    let value = secrets.get_value(KEY).unwrap();
    value.map_or("nothing".to_owned(), |value| value.expose_secret().to_owned())
}

/// A process that keeps a manager open, and does what it is told.
struct Peer {
    process: Process,
    said: Said,
}

impl Peer {
    fn start(mut command: Command, service: &str, backend: Backend) -> Self {
        command.env(SERVICE, service).env(BACKEND, backend.to_string());
        let (process, stdout) = Process::start(command, "works_in_a_process_of_its_own");
        Self { process, said: Said::by(stdout) }
    }

    fn get(&mut self) -> String {
        self.process.tell("get");
        self.said.next()
    }
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn works_in_a_process_of_its_own() {
    let backend: Backend = env::var(BACKEND).unwrap().parse().unwrap();
    let secrets = SecretManager::builder(env::var(SERVICE).unwrap()).backend(backend);
    let secrets = secrets.open_blocking().unwrap();
    while let Some(line) = told() {
        match line.as_str() {
            "get" => say(&get(&secrets)),
            value => secrets.set(&SecretKey::new(KEY), &Secret::new(value)).unwrap(),
        }
    }
}
