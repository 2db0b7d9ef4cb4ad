//! The states of the model, and the steps between them.

use strongroom_files::Stamp;

use super::super::record::{Record, Revision};
use super::super::{Decision, Observation, Seen};

/// The parts of the protocol that a test can change or leave out.
#[derive(Clone, Copy)]
pub(super) struct Protocol {
    pub(super) decide: fn(Option<&Seen>, &Observation) -> Decision,
    pub(super) locks: bool,
    pub(super) marks_before: bool,
    pub(super) marks_after: bool,
    pub(super) rereads_base: bool,
    pub(super) compares_path: bool,
    pub(super) compares_lock: bool,
}

/// The events that can happen at any moment, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Events {
    pub(super) crashes: bool,
    pub(super) generation_deleted: u8,
    pub(super) lock_deleted: u8,
    pub(super) lock_deleted_while_storing: bool,
    /// Restorations of the first record from a backup, into the file or in its place.
    pub(super) restored: u8,
}

/// A broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// A write to the store dropped an effect that was acknowledged or had been read.
    Lost,
    /// A read returned a state that was replaced before the read began.
    Stale,
    /// The store's generation did not grow.
    Generation,
    /// No process can move, and a process is not done.
    Deadlock,
}

/// A set of commits.
type Effects = u8;
/// The number of a file that once was at the path.
type File = usize;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    store: Content,
    /// All generation files with the number of changes to each: the file at the path, and files that a
    /// process may still have open.
    files: Vec<(Option<Record>, u8)>,
    generation_path: Option<File>,
    /// The process that holds each lock file.
    locks: Vec<Option<usize>>,
    processes: [Process; 3],
    /// The effects that must stay, because they were acknowledged or read.
    promised: Effects,
    events: Events,
    /// Set if a record was restored. It hides that a killed commit was under way, so that the unacknowledged
    /// effects of that commit may be replaced under the same generation.
    was_restored: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Content {
    generation: u8,
    effects: Effects,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Process {
    at: At,
    /// The remaining commits of a writer, or reads of the reader.
    left: u8,
    is_writer: bool,
    open: Option<File>,
    looked: Option<Record>,
    observation: Observation,
    cache: Option<(Content, Option<Seen>)>,
    lock: Option<File>,
    /// The effects that were promised when the read began.
    floor: Effects,
}

/// The next step of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Start,
    Look(Why),
    Compare(Why),
    Recall(Why),
    OpenLock,
    TakeLock,
    CheckLock,
    Mend,
    Mark,
    CompareMark,
    RecheckLock,
    Store,
    Clean,
    CompareClean,
    Unlock,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Why {
    Read,
    Base,
}

type Moved = Result<Vec<World>, Violation>;

impl World {
    /// Returns the first states: a store with a single commit, with and without its generation file.
    pub(super) fn first(events: Events) -> [Self; 2] {
        let absent = Self {
            store: Content { generation: 1, effects: 0 },
            files: Vec::new(),
            generation_path: None,
            locks: vec![None],
            processes: [Process::new(true, 1), Process::new(true, 1), Process::new(false, 2)],
            promised: 0,
            events,
            was_restored: false,
        };
        let mut present = absent.clone();
        present.replace_file(Some(Record::Clean(revision(1))));
        [absent, present]
    }

    /// Returns all states that can follow.
    pub(super) fn next(&self, protocol: &Protocol) -> Moved {
        let mut next = Vec::new();
        for who in 0..self.processes.len() {
            next.extend(self.clone().step(who, protocol)?);
        }
        if next.is_empty() && self.processes.iter().any(|process| process.at != At::End) {
            return Err(Violation::Deadlock);
        }
        next.extend(self.events());
        Ok(next)
    }

    fn events(&self) -> Vec<Self> {
        let mut next = Vec::new();
        let mut happens = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            next.push(world);
        };
        for who in (0..3).filter(|who| self.events.crashes && self.processes[*who].at != At::End) {
            happens(&|world| world.end(who));
        }
        if self.events.generation_deleted > 0 && self.generation_path.is_some() {
            happens(&|world| {
                world.events.generation_deleted -= 1;
                world.generation_path = None;
            });
        }
        let storing = self.processes.iter().any(Process::is_storing);
        let may_delete = self.events.lock_deleted_while_storing || !storing;
        if self.events.lock_deleted > 0 && may_delete {
            happens(&|world| {
                world.events.lock_deleted -= 1;
                world.locks.push(None);
            });
        }
        if self.events.restored > 0 {
            happens(&|world| world.restore(None));
            happens(&|world| world.restore(world.generation_path));
        }
        next
    }

    fn restore(&mut self, into: Option<File>) {
        self.events.restored -= 1;
        self.was_restored = true;
        let record = Some(Record::Clean(revision(1)));
        match into {
            Some(file) => self.write(file, record),
            None => self.replace_file(record),
        }
    }

    fn step(mut self, who: usize, protocol: &Protocol) -> Moved {
        match self.processes[who].at {
            At::Start => {
                self.processes[who].floor = self.promised;
                self.look(who, Why::Read);
            }
            At::Look(why) => self.look(who, why),
            At::Compare(why) => self.compare(who, why, protocol),
            At::Recall(Why::Read) => return self.answer(who, protocol),
            At::Recall(Why::Base) => self.take_base(who, protocol),
            At::OpenLock => {
                self.processes[who].lock = Some(self.locks.len() - 1);
                self.go(who, At::TakeLock);
            }
            At::TakeLock => return Ok(self.take_lock(who)),
            At::CheckLock if self.processes[who].is_writer => {
                self.check_lock(who, At::Look(Why::Base), protocol);
            }
            At::CheckLock => self.check_lock(who, At::Mend, protocol),
            At::Mend => {
                self.processes[who].cache = Some((self.store, None));
                self.go(who, At::Clean);
            }
            At::Mark => self.put(who, Record::Dirty, At::CompareMark),
            At::CompareMark if !self.is_current(who, protocol) => self.go(who, At::Mark),
            At::CompareMark if protocol.marks_after => self.go(who, At::Clean),
            At::CompareMark => self.go(who, At::RecheckLock),
            At::RecheckLock => self.check_lock(who, At::Store, protocol),
            At::Store => self.write_store(who, protocol)?,
            At::Clean => self.clean(who, protocol),
            At::CompareClean if self.is_current(who, protocol) => self.acknowledge(who),
            At::CompareClean => self.go(who, At::Clean),
            At::Unlock => self.unlock(who),
            At::End => return Ok(Vec::new()),
        }
        Ok(vec![self])
    }

    fn look(&mut self, who: usize, why: Why) {
        let process = &mut self.processes[who];
        process.open = process.open.or(self.generation_path);
        if let Some(file) = process.open {
            process.looked = self.files[file].0;
            process.at = At::Compare(why);
        } else {
            process.observation = Observation::MustRead;
            process.at = At::Recall(why);
        }
    }

    fn compare(&mut self, who: usize, why: Why, protocol: &Protocol) {
        if let (true, Some(file)) = (self.is_current(who, protocol), self.processes[who].open) {
            let stamp = self.stamp(file);
            let process = &mut self.processes[who];
            process.observation = Observation::of(process.looked.take(), stamp);
            process.at = At::Recall(why);
        } else {
            self.processes[who].open = None;
            self.go(who, At::Look(why));
        }
    }

    /// Ends a read. A reader that had to read the store may repair the file.
    fn answer(mut self, who: usize, protocol: &Protocol) -> Moved {
        let must_read = self.decide(who, protocol) == Decision::MustRead;
        let content = self.recall(who, must_read);
        let process = &mut self.processes[who];
        if process.floor & !content.effects != 0 {
            return Err(Violation::Stale);
        }
        process.floor = 0;
        // If a record can be restored, only acknowledged effects are promised: see `was_restored`.
        if self.events.restored == 0 && !self.was_restored {
            self.promised |= content.effects;
        }
        if process.is_writer {
            process.at = if protocol.locks { At::OpenLock } else { At::Look(Why::Base) };
            return Ok(vec![self]);
        }
        let mut mends = self.clone();
        mends.go(who, At::OpenLock);
        self.finish_round(who);
        Ok(if must_read && protocol.locks { vec![self, mends] } else { vec![self] })
    }

    fn take_base(&mut self, who: usize, protocol: &Protocol) {
        let must_read = protocol.rereads_base && self.decide(who, protocol) == Decision::MustRead;
        self.recall(who, must_read);
        self.go(who, if protocol.marks_before { At::Mark } else { At::Store });
    }

    fn decide(&self, who: usize, protocol: &Protocol) -> Decision {
        let process = &self.processes[who];
        let seen = process.cache.as_ref().and_then(|(_, seen)| seen.as_ref());
        (protocol.decide)(seen, &process.observation)
    }

    fn recall(&mut self, who: usize, must_read: bool) -> Content {
        let process = &mut self.processes[who];
        // Reset after use, so that states that differ only in their past are the same state.
        let observation = std::mem::replace(&mut process.observation, Observation::MustRead);
        match process.cache {
            Some((content, _)) if !must_read => content,
            _ => {
                let seen = observation.remember(revision(self.store.generation));
                process.cache = Some((self.store, seen));
                self.store
            }
        }
    }

    fn take_lock(mut self, who: usize) -> Vec<Self> {
        let lock = self.processes[who].lock.map(|file| &mut self.locks[file]);
        // A process that waits for a lock has no next state.
        let Some(holder @ None) = lock else { return Vec::new() };
        *holder = Some(who);
        self.go(who, At::CheckLock);
        vec![self]
    }

    fn check_lock(&mut self, who: usize, then: At, protocol: &Protocol) {
        if self.has_lock(who, protocol) {
            self.go(who, then);
        } else {
            self.release(who);
            self.go(who, At::OpenLock);
        }
    }

    fn has_lock(&self, who: usize, protocol: &Protocol) -> bool {
        let is_at_path = self.processes[who].lock == Some(self.locks.len() - 1);
        !protocol.locks || !protocol.compares_lock || is_at_path
    }

    fn write_store(&mut self, who: usize, protocol: &Protocol) -> Result<(), Violation> {
        let base = self.processes[who].cache.map_or(self.store, |(content, _)| content);
        let effect = self.effect(who);
        let new = Content { generation: base.generation + 1, effects: base.effects | effect };
        if self.promised & !new.effects != 0 {
            return Err(Violation::Lost);
        }
        if new.generation <= self.store.generation && !self.was_restored {
            return Err(Violation::Generation);
        }
        self.store = new;
        self.processes[who].cache = Some((new, None));
        self.go(who, if protocol.marks_after { At::Mark } else { At::Clean });
        Ok(())
    }

    fn clean(&mut self, who: usize, protocol: &Protocol) {
        let Some((content, _)) = self.processes[who].cache else { return };
        if self.has_lock(who, protocol) {
            self.put(who, Record::Clean(revision(content.generation)), At::CompareClean);
        } else {
            self.go(who, At::Unlock);
        }
    }

    fn acknowledge(&mut self, who: usize) {
        let stamp = self.processes[who].open.map(|file| self.stamp(file));
        if self.processes[who].is_writer {
            self.promised |= self.effect(who);
        }
        if let (Some((content, seen)), Some(stamp)) = (&mut self.processes[who].cache, stamp) {
            *seen = Some(Seen::written(revision(content.generation), stamp));
        }
        self.go(who, At::Unlock);
    }

    fn unlock(&mut self, who: usize) {
        self.release(who);
        self.finish_round(who);
    }

    fn finish_round(&mut self, who: usize) {
        self.processes[who].left -= 1;
        match self.processes[who].left {
            0 => self.end(who),
            _ => self.go(who, At::Start),
        }
    }

    /// Ends a process, killed or not, and drops all that it held.
    fn end(&mut self, who: usize) {
        self.release(who);
        let gone = Process::new(self.processes[who].is_writer, 0);
        self.processes[who] = Process { at: At::End, ..gone };
    }

    fn release(&mut self, who: usize) {
        let lock = self.processes[who].lock.take();
        if let Some(holder) = lock.map(|file| &mut self.locks[file]) {
            holder.take_if(|holder| *holder == who);
        }
    }

    /// Writes the file at the path, and creates it if it is missing.
    fn put(&mut self, who: usize, record: Record, then: At) {
        match self.generation_path {
            Some(file) => self.write(file, Some(record)),
            None => self.replace_file(Some(record)),
        }
        self.processes[who].open = self.generation_path;
        self.go(who, then);
    }

    fn write(&mut self, file: File, record: Option<Record>) {
        self.files[file] = (record, self.files[file].1 + 1);
    }

    fn replace_file(&mut self, record: Option<Record>) {
        self.generation_path = Some(self.files.len());
        self.files.push((record, 0));
    }

    fn is_current(&self, who: usize, protocol: &Protocol) -> bool {
        !protocol.compares_path || self.processes[who].open == self.generation_path
    }

    fn stamp(&self, file: File) -> Stamp {
        Stamp::modelled(u8::try_from(file).unwrap_or(u8::MAX), self.files[file].1)
    }

    fn effect(&self, who: usize) -> Effects {
        1 << (2 * who + usize::from(self.processes[who].left) - 1)
    }

    fn go(&mut self, who: usize, at: At) {
        self.processes[who].at = at;
    }
}

impl Process {
    fn new(is_writer: bool, rounds: u8) -> Self {
        Self {
            at: At::Start,
            left: rounds,
            is_writer,
            open: None,
            looked: None,
            observation: Observation::MustRead,
            cache: None,
            lock: None,
            floor: 0,
        }
    }

    /// Returns whether the process is between its last look at the lock and the release of the lock.
    fn is_storing(&self) -> bool {
        matches!(self.at, At::Mend | At::Store | At::Clean | At::CompareClean | At::Unlock)
    }
}

fn revision(generation: u8) -> Revision {
    Revision { vault: [1; 16], generation: generation.into() }
}
