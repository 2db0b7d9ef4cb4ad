//! Processes that are killed while they move secrets: no value is lost, and the next one goes on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::env;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_config::{ConfigFile, ConfigPath, Format, Marker, Prefer, Progress, Rules};
use support::process::{Process, say, wait};
use support::{FORMATS, Home, builder_in, file, read, secure, stored};

/// How often a process is killed at a random moment, unless this says another number.
const KILLS: usize = 200;
const KILLS_WANTED: &str = "STRONGROOM_TEST_KILLS";

/// What the other process is told: where its home is, which file it secures, and whether to wait at each step.
const HOME: &str = "STRONGROOM_TEST_HOME";
const FILE: &str = "STRONGROOM_TEST_FILE";
const IN_STEPS: &str = "STRONGROOM_TEST_IN_STEPS";

const SECRETS: [&str; 3] = ["API_KEY", "PASSWORD", "TOKEN"];

#[test]
fn a_process_killed_at_any_step_loses_nothing_and_the_next_one_goes_on() {
    let home = Home::new();
    for format in FORMATS {
        let mut step = 0;
        loop {
            let case = Case::prepare(&home, format);
            let mut process = case.start(true);
            let mut said = process.next();
            for _ in 0..step {
                if said != "Done" {
                    process.tell();
                    said = process.next();
                }
            }
            process.kill();
            case.check(said == "Done");
            if said == "Done" {
                break;
            }
            step += 1;
        }
        // Ready, three of Storing and Comparing each, Writing, Replacing, Done.
        assert_eq!(step, 9, "{format}");
    }
}

#[test]
fn a_process_killed_at_any_moment_loses_nothing_and_the_next_one_goes_on() {
    let home = Home::new();
    let longest = {
        let mut times = [0; 3].map(|_| {
            let case = Case::prepare(&home, Format::Json);
            let mut process = case.start(false);
            process.next();
            process.tell();
            process.time_until("Done")
        });
        times.sort();
        times[1]
    };
    let random = RandomState::new();
    let mut outcomes = Outcomes::default();
    let kills = env::var(KILLS_WANTED).map_or(KILLS, |kills| kills.parse().unwrap());
    for number in 0..kills {
        let case = Case::prepare(&home, FORMATS[number % FORMATS.len()]);
        let thousandth = u32::try_from(random.hash_one(number) % 1_000).unwrap();
        let mut process = case.start(false);
        process.next();
        process.tell();
        let last = process.kill_after(longest * thousandth / 1_000);
        outcomes.count(case.check(last.as_deref() == Some("Done")));
    }
    outcomes.report(longest);
}

/// A file with three secrets, and a store that has none of them.
struct Case<'a> {
    home: &'a Home,
    path: PathBuf,
    text: String,
}

/// Where the secrets were after a kill.
enum Found {
    /// In the file; this many of them in the store, too.
    InFile {
        stored: usize,
    },
    InStore,
}

impl<'a> Case<'a> {
    fn prepare(home: &'a Home, format: Format) -> Self {
        for name in home.files() {
            fs::remove_file(home.path(&name)).unwrap();
        }
        let secrets = home.open();
        for name in SECRETS {
            secrets.delete(name).unwrap();
        }
        let lines: Vec<_> = SECRETS.iter().map(|name| line(format, name)).collect();
        let text = match format {
            Format::Json => format!("{{\n{}\n}}\n", lines.join(",\n")),
            _ => format!("# c\n{}\n", lines.join("\n")),
        };
        let path = home.write(&format!("config.{format}"), &text);
        Self { home, path, text }
    }

    fn start(&self, in_steps: bool) -> Process {
        let (home, path) = (self.home.path(""), self.path.to_str().unwrap());
        let mut environment = vec![(HOME, home.to_str().unwrap()), (FILE, path)];
        if in_steps {
            environment.push((IN_STEPS, "1"));
        }
        Process::start("secures_in_a_process_of_its_own", &environment)
    }

    /// Looks at what a killed process left, and goes on where it was.
    fn check(&self, was_done: bool) -> Found {
        let (secrets, now) = (self.home.open(), read(&self.path));
        let in_store = SECRETS.iter().filter_map(|name| Some((*name, stored(&secrets, name)?)));
        let in_store: Vec<_> = in_store.collect();
        assert!(in_store.iter().all(|(name, stored)| *stored == value(name)));
        for name in self.home.files().iter().filter(|name| name.contains("strongroom-new")) {
            let new = read(self.home.path(name));
            assert!(SECRETS.iter().all(|name| !new.contains(&value(name))), "{new}");
        }
        let found = if now == self.text {
            assert!(!was_done, "it said that it was done");
            Found::InFile { stored: in_store.len() }
        } else {
            assert_eq!(in_store.len(), SECRETS.len(), "{now}");
            Found::InStore
        };

        secure(&configuration(&self.path), &secrets);
        assert!(SECRETS.iter().all(|name| stored(&secrets, name) == Some(value(name))));
        let moved = read(&self.path);
        assert!(
            SECRETS.iter().all(|name| moved.contains(&format!("strongroom:{name}"))),
            "{moved}"
        );
        assert!(moved.contains("keychain") && !moved.contains("not-so-secret"), "{moved}");
        assert!(matches!(found, Found::InFile { .. }) || moved == now);
        found
    }
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn secures_in_a_process_of_its_own() {
    let in_steps = env::var_os(IN_STEPS).is_some();
    let home = PathBuf::from(env::var_os(HOME).unwrap());
    let file = configuration(Path::new(&env::var_os(FILE).unwrap()));
    let secrets = builder_in(&home).open_blocking().unwrap();
    say("Ready");
    wait();
    let plan = file.plan(&secrets, Prefer::Ask).unwrap();
    let tell = |progress: Progress<'_>| {
        let step = format!("{progress:?}");
        say(step.split('(').next().unwrap());
        if in_steps {
            wait();
        }
    };
    file.secure(&secrets, &plan, tell).unwrap();
    wait();
}

fn configuration(path: &Path) -> ConfigFile {
    let marker = Marker::new(ConfigPath::new(["credentialStorage"]), "keychain");
    file(path, Rules::detecting().with_marker(marker))
}

fn value(name: &str) -> String {
    format!("not-so-secret-{}", name.to_lowercase())
}

fn line(format: Format, name: &str) -> String {
    let value = value(name);
    match format {
        Format::Json => format!("  \"{name}\": \"{value}\""),
        Format::Toml => format!("{name} = \"{value}\""),
        Format::Yaml => format!("{name}: {value}"),
        _ => format!("{name}={value}"),
    }
}

#[derive(Default)]
struct Outcomes {
    before: usize,
    in_between: usize,
    after: usize,
}

impl Outcomes {
    fn count(&mut self, found: Found) {
        match found {
            Found::InFile { stored: 0 } => self.before += 1,
            Found::InFile { .. } => self.in_between += 1,
            Found::InStore => self.after += 1,
        }
    }

    #[expect(clippy::print_stdout, reason = "for whoever asks by --nocapture")]
    fn report(&self, longest: Duration) {
        let Self { before, in_between, after } = self;
        println!("{longest:?}: {before} in the file, {in_between} in both, {after} in the store");
    }
}
