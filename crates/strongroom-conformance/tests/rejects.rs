//! The suite can fail: each of these broken stores is caught by the case that is named for it.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use strongroom_core::{
    Capabilities, EntryName, Error, ErrorKind, ExposeSecret, MemoryStore, Operation, Persistence,
    Probe, Result, SecretBytes, ServiceName, Store, UserName, WriteMode, secret_bytes,
};

#[test]
fn a_store_without_flaws_passes() {
    let store = Broken::new(Flaw::None);
    let skipped = strongroom_conformance::run_all(&|| Arc::new(store.clone()));
    assert_eq!(skipped, ["refuses_bytes_that_are_not_text", "refuses_to_list_where_it_cannot"]);
}

#[test]
fn a_store_with_few_capabilities_is_asked_for_little() {
    let store = Broken::new(Flaw::TextOnlyWithoutList);
    let skipped = strongroom_conformance::run_all(&|| Arc::new(store.clone()));
    assert!(skipped.contains(&"round_trips_every_byte"), "{skipped:?}");
    assert!(skipped.contains(&"names_each_entry_once"), "{skipped:?}");
    assert!(!skipped.contains(&"refuses_bytes_that_are_not_text"), "{skipped:?}");
}

#[test]
fn colliding_names_are_caught() {
    rejects(Flaw::JoinsNames, "names_that_join_alike_stay_apart");
    rejects(Flaw::JoinsNames, "leaves_out_services_of_similar_names");
    rejects(Flaw::IgnoresCase, "case_tells_names_apart");
    rejects(Flaw::CutsNames, "takes_the_longest_names");
    rejects(Flaw::TrimsNames, "awkward_users_stay_apart");
    rejects(Flaw::TrimsNames, "awkward_services_stay_apart");
    rejects(Flaw::TrimsNames, "lists_awkward_names_as_they_are");
}

#[test]
fn damaged_values_are_caught() {
    rejects(Flaw::TrimsNewline, "round_trips_line_breaks_and_tabs");
    rejects(Flaw::TrimsSpaces, "round_trips_surrounding_spaces");
    rejects(Flaw::DropsByteOrderMark, "round_trips_a_byte_order_mark");
    rejects(Flaw::Truncates, "round_trips_four_kibibytes");
    rejects(Flaw::Truncates, "round_trips_the_largest_value");
    rejects(Flaw::EmptyIsMissing, "round_trips_an_empty_value");
    rejects(Flaw::EmptyIsMissing, "exists_follows_writes_and_deletes");
    rejects(Flaw::DecodesArmor, "round_trips_what_looks_like_armor");
    rejects(Flaw::DecodesArmor, "round_trips_an_armored_value");
    rejects(Flaw::LossyText, "round_trips_every_byte");
    rejects(Flaw::KeepsTheTail, "overwrites_with_a_shorter_value");
}

#[test]
fn wrong_answers_are_caught() {
    rejects(Flaw::IgnoresCreateNew, "create_new_leaves_an_existing_entry_alone");
    rejects(Flaw::IgnoresCreateNew, "one_of_eight_creators_wins");
    rejects(Flaw::DeletesAlwaysTrue, "says_false_when_deleting_what_is_missing");
    rejects(Flaw::DeletesAlwaysTrue, "a_handle_sees_what_another_deleted");
    rejects(Flaw::NeverDeletes, "deletes_an_entry");
    rejects(Flaw::ListsEverything, "an_unknown_service_has_no_entries");
    rejects(Flaw::ListsEverything, "leaves_out_services_of_similar_names");
    rejects(Flaw::ListsTwice, "names_each_entry_once");
    rejects(Flaw::ProbeWrites, "probing_changes_nothing");
}

#[test]
fn racy_writes_are_caught() {
    rejects(Flaw::ChecksThenCreates, "one_of_eight_creators_wins");
    rejects(Flaw::TearsWrites, "writers_of_one_entry_leave_a_whole_value");
}

#[test]
fn values_in_the_open_are_caught() {
    rejects(Flaw::DebugShowsValues, "debug_shows_no_value");
    rejects(Flaw::DebugShowsBytes, "debug_shows_no_value");
    rejects(Flaw::ErrorsShowValues, "errors_show_no_value");
}

#[test]
fn errors_without_their_context_are_caught() {
    for flaw in [Flaw::ErrorsNameNoEntry, Flaw::ErrorsNameNoStore, Flaw::ErrorsNameProbe] {
        rejects(flaw, "errors_name_their_context");
    }
}

#[test]
fn a_case_that_fails_leaves_nothing_behind() {
    let store = Broken::new(Flaw::TrimsNewline);
    rejects_in(&store, "round_trips_line_breaks_and_tabs");
    assert!(store.entries().is_empty(), "{:?}", store.entries());
}

#[test]
fn a_handle_that_sees_nothing_of_the_others_is_caught() {
    for case in ["a_handle_sees_what_another_wrote", "an_entry_outlives_its_handle"] {
        let alone =
            catch_unwind(|| strongroom_conformance::run(case, &|| Arc::new(MemoryStore::new())));
        assert!(alone.is_err(), "{case} passed");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    TextOnlyWithoutList,
    ChecksThenCreates,
    CutsNames,
    DebugShowsBytes,
    DebugShowsValues,
    DecodesArmor,
    DeletesAlwaysTrue,
    DropsByteOrderMark,
    EmptyIsMissing,
    ErrorsNameNoEntry,
    ErrorsNameNoStore,
    ErrorsNameProbe,
    ErrorsShowValues,
    IgnoresCase,
    IgnoresCreateNew,
    JoinsNames,
    KeepsTheTail,
    ListsEverything,
    ListsTwice,
    LossyText,
    NeverDeletes,
    ProbeWrites,
    TearsWrites,
    TrimsNames,
    TrimsNewline,
    TrimsSpaces,
    Truncates,
}

fn rejects(flaw: Flaw, case: &str) {
    rejects_in(&Broken::new(flaw), case);
}

fn rejects_in(store: &Broken, case: &str) {
    let outcome = catch_unwind(|| strongroom_conformance::run(case, &|| Arc::new(store.clone())));
    assert!(outcome.is_err(), "{:?} passed {case}: {outcome:?}", store.flaw);
}

/// A memory store with one flaw, and a record of what it holds.
#[derive(Clone)]
struct Broken {
    memory: MemoryStore,
    flaw: Flaw,
    services: Arc<Mutex<BTreeSet<ServiceName>>>,
    checks: Arc<(Mutex<u32>, Condvar)>,
}

impl Broken {
    fn new(flaw: Flaw) -> Self {
        Self { memory: MemoryStore::new(), flaw, services: Arc::default(), checks: Arc::default() }
    }

    fn entries(&self) -> Vec<EntryName> {
        let services = self.services.lock().unwrap();
        let listed = services.iter().flat_map(|service| self.memory.list_entries(service).unwrap());
        listed.collect()
    }

    /// So that two threads have looked before either writes.
    fn wait_for_a_second_check(&self) {
        let (checks, another) = &*self.checks;
        let mut count = checks.lock().unwrap();
        *count += 1;
        another.notify_all();
        let limit = Duration::from_secs(20);
        drop(another.wait_timeout_while(count, limit, |count| *count < 2));
    }

    /// Where an entry of this name lies.
    fn place(&self, entry: &EntryName) -> EntryName {
        let (service, user) = (entry.service().as_str(), entry.user().as_str());
        let cut = |name: &str| {
            String::from_utf8_lossy(&name.as_bytes()[..name.len().min(254)]).into_owned()
        };
        let (service, user) = match self.flaw {
            Flaw::JoinsNames => {
                let joined = format!("{service}.{user}");
                let (first, rest) = joined.split_once('.').unwrap();
                (first.to_owned(), rest.to_owned())
            }
            Flaw::IgnoresCase => (service.to_lowercase(), user.to_lowercase()),
            Flaw::CutsNames => (cut(service), cut(user)),
            Flaw::TrimsNames if user.trim().is_empty() => {
                (service.trim().to_owned(), "-".to_owned())
            }
            Flaw::TrimsNames => (service.trim().to_owned(), user.trim().to_owned()),
            _ => (service.to_owned(), user.to_owned()),
        };
        EntryName::new(service, user).unwrap()
    }

    /// What it keeps of a value.
    fn damage(&self, place: &EntryName, value: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(value).into_owned();
        match self.flaw {
            Flaw::DecodesArmor => {
                strongroom_core::armor::decode(value.to_vec()).expose_secret().to_vec()
            }
            Flaw::DropsByteOrderMark => text.trim_start_matches('\u{feff}').into(),
            Flaw::KeepsTheTail => {
                let old = self.memory.read_entry(place).unwrap();
                let old = old.map(|old| old.expose_secret().to_vec()).unwrap_or_default();
                [value, old.get(value.len()..).unwrap_or_default()].concat()
            }
            Flaw::LossyText => text.into(),
            Flaw::TearsWrites => {
                let old = self.memory.read_entry(place).unwrap();
                let start = old.map(|old| old.expose_secret()[..1].to_vec());
                [&start.unwrap_or_default(), &value[1..]].concat()
            }
            Flaw::TrimsNewline => text.trim_end_matches('\n').into(),
            Flaw::TrimsSpaces => text.trim_matches(' ').into(),
            Flaw::Truncates => value[..value.len().min(4095)].to_vec(),
            _ => value.to_vec(),
        }
    }
}

impl Store for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = Capabilities::new(Persistence::Session).with_max_secret_len(10_000);
        match self.flaw {
            Flaw::TextOnlyWithoutList => capabilities,
            _ => capabilities.with_binary_safe().with_list(),
        }
    }

    fn probe(&self) -> Result<Probe> {
        if self.flaw == Flaw::ProbeWrites {
            for service in &*self.services.lock().unwrap() {
                let entry = EntryName::new(service.as_str(), "probe").unwrap();
                self.memory.write_entry(&entry, &secret_bytes(vec![]), WriteMode::Overwrite)?;
            }
        }
        Ok(Probe::new("a broken store"))
    }

    fn read_entry(&self, entry: &EntryName) -> Result<Option<SecretBytes>> {
        let value = self.memory.read_entry(&self.place(entry))?;
        let hidden = |value: &SecretBytes| {
            self.flaw == Flaw::EmptyIsMissing && value.expose_secret().is_empty()
        };
        Ok(value.filter(|value| !hidden(value)))
    }

    fn write_entry(&self, entry: &EntryName, value: &SecretBytes, mode: WriteMode) -> Result<()> {
        let place = self.place(entry);
        self.services.lock().unwrap().insert(place.service().clone());
        let kept = secret_bytes(self.damage(&place, value.expose_secret()));
        let mode = match self.flaw {
            Flaw::IgnoresCreateNew => WriteMode::Overwrite,
            Flaw::ChecksThenCreates if mode == WriteMode::CreateNew => {
                if self.memory.contains_entry(&place)? {
                    return Err(Error::new(ErrorKind::AlreadyExists, Operation::Set));
                }
                self.wait_for_a_second_check();
                WriteMode::Overwrite
            }
            _ => mode,
        };
        self.memory.write_entry(&place, &kept, mode).map_err(|error| match self.flaw {
            Flaw::ErrorsNameNoEntry => {
                error.into_fault().during(Operation::Set).with_store(self.name())
            }
            Flaw::ErrorsNameNoStore => error.into_fault().during(Operation::Set).with_entry(entry),
            Flaw::ErrorsNameProbe => error.during(Operation::Probe).with_store(self.name()),
            Flaw::ErrorsShowValues => {
                let text = String::from_utf8_lossy(value.expose_secret()).into_owned();
                error.with_source(std::io::Error::other(text))
            }
            _ => error.with_store(self.name()),
        })
    }

    fn remove_entry(&self, entry: &EntryName) -> Result<bool> {
        match self.flaw {
            Flaw::NeverDeletes => self.contains_entry(entry),
            Flaw::DeletesAlwaysTrue => self.memory.remove_entry(&self.place(entry)).map(|_| true),
            _ => self.memory.remove_entry(&self.place(entry)),
        }
    }

    fn contains_entry(&self, entry: &EntryName) -> Result<bool> {
        self.read_entry(entry).map(|value| value.is_some())
    }

    fn list_entries(&self, service: &ServiceName) -> Result<Vec<EntryName>> {
        let mut entries = self.memory.list_entries(service)?;
        match self.flaw {
            Flaw::ListsTwice => entries.extend(entries.clone()),
            Flaw::ListsEverything => {
                let user = UserName::new("of another service").unwrap();
                entries.push(EntryName::from_parts(service.clone(), user));
            }
            _ => {}
        }
        Ok(entries)
    }
}

impl std::fmt::Debug for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !matches!(self.flaw, Flaw::DebugShowsBytes | Flaw::DebugShowsValues) {
            return f.write_str("Broken");
        }
        for entry in self.entries() {
            let value = self.memory.read_entry(&entry).unwrap().unwrap();
            let bytes = value.expose_secret();
            match self.flaw {
                Flaw::DebugShowsBytes => write!(f, "{bytes:?}")?,
                _ => write!(f, "{}", String::from_utf8_lossy(bytes))?,
            }
        }
        Ok(())
    }
}
