//! Writers in processes of their own, of which one after the other is killed: nothing may be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use strongroom::{ErrorKind, ExposeSecret, Result, Secret, SecretKey, blocking};
use strongroom_testkit::child::{self, Child, say};

use super::site::Site;

/// How many writers work at once.
const WRITERS: usize = 8;
/// How often one of them is killed.
const PACE: Duration = Duration::from_millis(200);
/// The longest that all of it may take: several times what it takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(300);

/// What the test tells its writers: who they are, where to go on, and where to end.
const WRITER: &str = "STRONGROOM_TEST_WRITER";
const NEXT: &str = "STRONGROOM_TEST_NEXT";
const END: &str = "STRONGROOM_TEST_END";

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

/// Lets eight writers get as many operations done each, and looks at what is left.
pub(crate) fn nothing_is_lost(site: &Site<'_>, operations: usize) {
    let mut race = Race::start(site, operations);
    race.run();
    let secrets = site.open();
    let stored = stored(&secrets);

    for (key, outcomes) in possible_outcomes(operations) {
        assert!(outcomes.contains(&stored.get(&key).cloned()), "{key}: {:?}", stored.get(&key));
    }
    let count: usize = stored[COUNTER].parse().unwrap();
    let in_flight = race.kills;
    let counted = WRITERS * operations / 5;
    assert!((counted..=counted + in_flight).contains(&count), "{count} of {counted} were counted");
    if secrets.capabilities().counts_generations {
        let generation = usize::try_from(secrets.generation().unwrap()).unwrap();
        let acknowledged = race.commits..=race.commits + in_flight;
        assert!(
            acknowledged.contains(&generation),
            "{generation} commits, {acknowledged:?} of writers"
        );
    }
    assert!(race.kills > 0, "nobody was killed");
}

/// What each secret may be at the end but the counter: what its last operation made of it. Of a
/// secret that several writers change it may be any writer's last one.
fn possible_outcomes(operations: usize) -> BTreeMap<String, BTreeSet<Option<String>>> {
    let mut outcomes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for writer in 0..WRITERS {
        let operations = (0..operations).map(|number| Operation::of(writer, number));
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
    site: &'a Site<'a>,
    operations: usize,
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
    process: Option<Child>,
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
    fn start(site: &'a Site<'a>, operations: usize) -> Self {
        let (sender, events) = mpsc::channel();
        let (writers, victim) = (Vec::new(), 0);
        let (kills, commits, busy) = (0, 0, 0);
        let mut race =
            Self { site, operations, writers, events, sender, victim, kills, commits, busy };
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
        assert!(ended.wait().1 || killed, "writer {number} failed in operation {next}");
        if next < self.operations {
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
            writer.process.is_some() && writer.next < self.operations && !writer.killed && !spared
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

    fn launch(&self, number: usize, next: usize) -> Child {
        let mut command = self.site.command();
        command.env(WRITER, number.to_string()).env(NEXT, next.to_string());
        command.env(END, self.operations.to_string());
        child::enter(&mut command, "writer");
        let mut child = Child::start(command);
        let sender = self.sender.clone();
        child.hear(move |line| {
            let event = line.as_deref().map_or(Event::Ended, event);
            // Sending fails if the test has failed.
            sender.send((number, event)).ok();
        });
        child
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

/// Does the operations of a writer, in a child.
pub(crate) fn write() {
    let number = |name| env::var(name).unwrap().parse::<usize>().unwrap();
    let writer = number(WRITER);
    let secrets = Site::of_environment().open_blocking().unwrap();
    for number in number(NEXT)..number(END) {
        loop {
            match Operation::of(writer, number).perform(&secrets) {
                Ok(commit) => break say(&format!("done {number} {commit}")),
                Err(error) if error.kind() == ErrorKind::Busy => say("busy"),
                Err(error) => panic!("operation {number} of writer {writer}: {error:?}"),
            }
        }
    }
}
