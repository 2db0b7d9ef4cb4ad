//! The layout `entries` beside others: what is there already, moves, and processes that are killed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use strongroom::store::choose_unbound;
use strongroom::{Backend, Error, ErrorKind, KeyringStore, Layout, Secret, SecretKey};
use strongroom_testkit::child::{say, told};
use strongroom_testkit::children;
use support::apart::{Machine, content, value};
use support::site::Site;
use support::worker::{Moments, Worker, deed, kills, report};
use support::{gnome_keyring, on};

#[test]
fn who_names_no_layout_finds_the_entries_that_are_there() {
    let machine = Machine::new();
    let early = machine.open(Layout::Inline);
    machine.open(Layout::Entries).set_api_key("A", "1", None).unwrap();
    let late = machine.open(Layout::Inline);
    assert_eq!((late.layout(), value(&late, "A").as_deref()), (Layout::Entries, Some("1")));
    let refused = early.set_api_key("B", "2", None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BoundElsewhere, "no vault is started beside them");
    assert_eq!(machine.users(), ["A"]);
}

#[test]
fn a_vault_that_is_there_stays_as_it_lies_until_it_is_moved() {
    let machine = Machine::new();
    machine.open(Layout::Inline).set_api_key("A", "1", Some("p")).unwrap();
    for forget in [false, true] {
        if forget {
            fs::remove_file(machine.binding()).unwrap();
        }
        let secrets = machine.open(Layout::Entries);
        assert_eq!((secrets.layout(), content(&secrets).len()), (Layout::Inline, 1));
        assert!(secrets.capabilities().keeps_metadata);
    }
    let refused = machine.move_to(Layout::Entries).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "the provider would be lost");
    assert_eq!(machine.users(), ["vault"]);

    let open = machine.open(Layout::Inline);
    open.update("A", |old| Some(Secret::new(old.unwrap().value))).unwrap();
    open.set(SecretKey::with_target("B", "t"), &Secret::new("2")).unwrap();
    let before = content(&open);
    assert_eq!(machine.move_to(Layout::Entries).unwrap().secrets, 2);
    assert_eq!(machine.users(), ["A", "B::t"]);
    assert_eq!(open.list().unwrap_err().kind(), ErrorKind::BoundElsewhere);
    let secrets = machine.open(Layout::Inline);
    assert_eq!((secrets.layout(), content(&secrets)), (Layout::Entries, before.clone()));
    assert_eq!(machine.move_to(Layout::Entries).unwrap_err().kind(), ErrorKind::Invalid);

    assert_eq!(machine.move_to(Layout::Inline).unwrap().secrets, 2);
    assert_eq!(machine.users(), ["vault"]);
    assert_eq!((secrets.layout(), content(&secrets)), (Layout::Entries, before.clone()));
    assert_eq!(secrets.layout(), Layout::Inline, "after a look");
    assert_eq!(machine.move_to(Layout::Inline).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_vault_beside_entries_is_a_conflict_that_a_move_ends() {
    for forget in [false, true] {
        let machine = Machine::new();
        machine.open(Layout::Inline).set_api_key("A", "1", None).unwrap();
        machine.write("X", "theirs");
        if forget {
            fs::remove_file(machine.binding()).unwrap();
        }
        let both = machine.builder(Layout::Entries).open_blocking().unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Conflict);
        let advised = |error: &Error| error.commands()[0].arguments().contains("--layout entries");
        assert!(advised(&both), "{:?}", both.commands());
        assert_eq!(content(&machine.open(Layout::Inline)).len(), 1, "for who never meant entries");

        machine.write("A", "another");
        let refused = machine.move_to(Layout::Entries).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        assert_eq!(machine.users(), ["A", "X", "vault"]);
        machine.write("A", "1");
        machine.move_to(Layout::Entries).unwrap();
        assert_eq!(machine.users(), ["A", "X"]);
        assert_eq!(value(&machine.open(Layout::Entries), "X").as_deref(), Some("theirs"));

        // By somebody who did not know of the entries.
        machine.write("vault", r#"{"B":"2"}"#);
        let both = machine.builder(Layout::Inline).open_blocking().unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Conflict);
    }
}

/// What a move leaves that is killed at one of its steps, and the layout that then counts.
const KILLED: [(&str, Layout, Layout); 4] = [
    (
        r#"{"version":1,"backend":"keyutils","moving_to":"keyutils/entries"}"#,
        Layout::Inline,
        Layout::Entries,
    ),
    (
        r#"{"version":1,"backend":"keyutils/entries","moved_from":"keyutils"}"#,
        Layout::Entries,
        Layout::Entries,
    ),
    (
        r#"{"version":1,"backend":"keyutils/entries","moving_to":"keyutils"}"#,
        Layout::Entries,
        Layout::Inline,
    ),
    (
        r#"{"version":1,"backend":"keyutils","moved_from":"keyutils/entries"}"#,
        Layout::Inline,
        Layout::Inline,
    ),
];

#[test]
fn a_move_that_was_stopped_between_layouts_is_finished_by_another() {
    for (binding, counts, to) in KILLED {
        let machine = Machine::new();
        let secrets = machine.open(Layout::Inline);
        secrets.set_api_key("A", "1", None).unwrap();
        secrets.set_api_key("B", "2", None).unwrap();
        let whole = content(&secrets);
        machine.write("A", "1");
        machine.write("B", "2");
        fs::write(machine.binding(), binding).unwrap();
        // As one finds it who had it open.
        secrets.forget();
        let change = secrets.set_api_key("A", "1", None).map_err(|error| error.kind());
        let is_over = counts == Layout::Entries;
        assert_eq!(change, if is_over { Err(ErrorKind::BoundElsewhere) } else { Ok(()) });
        for wanted in [Layout::Inline, Layout::Entries] {
            let open = machine.open(wanted);
            assert_eq!((open.layout(), content(&open)), (counts, whole.clone()), "{binding}");
        }
        machine.move_to(to).unwrap();
        let left = if to == Layout::Entries { vec!["A", "B"] } else { vec!["vault"] };
        assert_eq!(machine.users(), left, "{binding}");
        let secrets = machine.open(Layout::Entries);
        assert_eq!((secrets.layout(), content(&secrets)), (to, whole));
    }
}

#[cfg(feature = "sealed")]
#[test]
fn entries_move_to_another_backend_and_back() {
    let machine = Machine::new();
    let secrets = machine.open(Layout::Entries);
    secrets.set_api_key("A", "1", None).unwrap();
    secrets.set(SecretKey::with_target("B", "t"), &Secret::new("2")).unwrap();
    let whole = content(&secrets);
    let key = strongroom::keys::KeySource::key(strongroom::keys::SealingKey::generate().unwrap());
    let anywhere = || {
        let config = strongroom::Config::new("").environment(|_| None);
        let config = config.key(key.clone());
        support::builder(&machine.service, config.layout(Layout::Entries), &machine.sandbox)
    };
    for (to, layout) in [(Backend::File, Layout::Sealed), (Backend::Keyutils, Layout::Entries)] {
        anywhere().move_to(to, Layout::Entries, |_| ()).unwrap();
        let open = anywhere().open_blocking().unwrap();
        assert_eq!((open.backend(), open.layout(), content(&open)), (to, layout, whole.clone()));
    }
    assert_eq!(machine.users(), ["A", "B::t"]);
}

/// How often a process is killed in each of the tests.
const KILLS: usize = 30;

#[test]
fn a_killed_rename_loses_nothing() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Entries);
    let (one, two) = (SecretKey::new("ONE"), SecretKey::new("TWO"));
    let worker = || Worker::start(site.command(), "rename");
    let prepared = || {
        let secrets = site.open();
        secrets.purge().unwrap();
        secrets.set(&one, &Secret::new("value")).unwrap();
        secrets
    };
    let mut moments = Moments::of(|| {
        // The worker before may have been killed within a rename.
        prepared();
        worker().times(2)
    });
    let (mut renamed, mut both) = (0, 0);
    for _ in 0..kills(KILLS) {
        let secrets = prepared();
        renamed += worker().killed_after(moments.next());
        let found = [&one, &two].map(|key| value(&secrets, key));
        assert!(found.iter().flatten().all(|value| value == "value"));
        match found.iter().flatten().count() {
            1 => {}
            2 => both += 1,
            _ => panic!("it is lost"),
        }
    }
    report(&format!("{renamed} renamed, {both} times both names were left"));
}

#[test]
fn a_killed_move_between_layouts_loses_nothing_and_the_next_one_ends_it() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Entries);
    let filled = site.open().batch(|batch| {
        (0..20).for_each(|number| {
            batch.set(SecretKey::new(format!("SECRET_{number}")), Secret::new(number.to_string()));
        });
    });
    filled.unwrap();
    let whole = content(&site.open());
    let other = || match site.open().layout() {
        Layout::Entries => Layout::Inline,
        _ => Layout::Entries,
    };
    let worker = |to: Layout| Worker::start(site.command(), &format!("move {to:?}"));
    let mut moments = Moments::of(|| worker(other()).times(1));
    let (mut before, mut after) = (0, 0);
    for _ in 0..kills(KILLS) {
        let to = other();
        let moved = worker(to).killed_after(moments.next());
        let found = site.open();
        assert_eq!(content(&found), whole, "to {to:?}: something is lost");
        match found.layout() == to {
            true => after += 1,
            false => before += 1,
        }
        assert!(moved == 0 || found.layout() == to, "a move was told, and not done");
        let ended = site.builder().move_to(Backend::SecretService, to, |_| ());
        // It may have been all done, and then there is nothing to do.
        assert!(ended.map_or_else(|error| error.kind() == ErrorKind::Invalid, |_| true));
        let users = choose_unbound(&on(&bus)).unwrap().store().list("app").unwrap();
        let has_vault = users.iter().any(|user| user.as_str() == "vault");
        assert_eq!(
            (users.len(), has_vault),
            if to == Layout::Inline { (1, true) } else { (20, false) }
        );
        assert_eq!(content(&site.open()), whole);
    }
    report(&format!("{before} before, {after} after the switch"));
}

children!(worker);

fn worker() {
    let site = Site::of_environment();
    match deed().as_str() {
        "rename" => {
            let secrets = site.open_blocking().unwrap();
            let mut keys = [SecretKey::new("ONE"), SecretKey::new("TWO")];
            say("ready");
            told();
            loop {
                secrets.rename(&keys[0], &keys[1]).unwrap();
                keys.reverse();
                say("done");
            }
        }
        deed => {
            let to = if deed == "move Inline" { Layout::Inline } else { Layout::Entries };
            say("ready");
            told();
            site.move_to(Backend::SecretService, to, |_| ()).unwrap();
            say("done");
            told();
        }
    }
}
