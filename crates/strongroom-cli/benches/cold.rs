//! How long one whole run of `strongroom` takes that reads a secret, beside its peers.
//!
//! All of them start in turn, in a session of their own with a gnome-keyring that holds a vault of 100
//! secrets and one entry. Each round starts another one first. What counts are the ratios within a
//! round, because what else the machine does then is the same for all.
//!
//! `scripts/bench-cold [--runs N] [--file] [-- ARGUMENTS]` builds what it needs and runs it. The arguments are
//! those of `strongroom` in place of `entry get bench token`. The vault is that of the service `bench`,
//! and has secrets from `SECRET_000` to `SECRET_099` with the entry's value.
//!
//! With `--file` in place of that: `strongroom get` from encrypted files of 10 and of 10,000 secrets.
#![allow(clippy::print_stdout, reason = "it is a program")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::{Duration, Instant};
    use std::{env, iter};

    use strongroom::keys::{KeySource, SealingKey};
    use strongroom::store::secret_service;
    use strongroom::{Backend, Batch, Config, Secret, SecretKey};
    use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, secret_tool};

    const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");
    const SERVICE: &str = "bench";
    const USER: &str = "token";
    const VALUE: &str = "sk-proj-0123456789abcdef0123456789abcdef01234567";
    const VAULT_SIZE: usize = 100;
    /// The encrypted files that are compared, by how many secrets they have.
    const SIZES: [usize; 2] = [10, 10_000];

    /// One of the programs, and the times that its runs took.
    struct Contestant {
        name: String,
        command: Command,
        says: &'static str,
        times: Vec<Duration>,
    }

    struct Arguments {
        runs: usize,
        is_file: bool,
        strongroom: Vec<String>,
    }

    pub(super) fn main() {
        let needed = ["dbus-daemon", "gnome-keyring-daemon", "secret-tool"];
        if !needed.into_iter().all(provider_or_skip) {
            return;
        }
        let arguments = arguments();
        let bus = Bus::start(&Sandbox::new());
        let _keyring = GnomeKeyring::start(&bus, Some("password"));
        store(&bus);
        let mut contestants = match arguments.is_file {
            true => SIZES.map(|size| in_file(&bus, size)).into(),
            false => contestants(&bus, &arguments.strongroom),
        };
        for round in 0..arguments.runs {
            for turn in 0..contestants.len() {
                let next = (round + turn) % contestants.len();
                contestants[next].run();
            }
        }
        report(&contestants);
    }

    /// Without `--bench`, which `cargo bench` gives, one round shows that it works.
    fn arguments() -> Arguments {
        let all: Vec<_> = env::args().skip(1).collect();
        let mut given = all.iter().filter(|argument| *argument != "--bench").cloned();
        let mut runs = if all.iter().any(|argument| argument == "--bench") { 100 } else { 1 };
        let mut strongroom = ["entry", "get", SERVICE, USER].map(str::to_owned).to_vec();
        let mut is_file = false;
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--runs" => runs = given.next().unwrap().parse().unwrap(),
                "--file" => is_file = true,
                "--" => strongroom = given.by_ref().collect(),
                other => panic!(
                    "usage: scripts/bench-cold [--runs N] [--file] [-- ARGUMENTS], not {other}"
                ),
            }
        }
        Arguments { runs, is_file, strongroom }
    }

    fn store(bus: &Bus) {
        secret_tool::store(bus, SERVICE, USER, VALUE);
        let config = Config::new("")
            .backend(Backend::SecretService)
            .store_settings(secret_service::Config::default().with_bus_address(bus.address()))
            .state_dir(bus.sandbox().home().join(".local/state/strongroom"));
        let vault = config.service(SERVICE).open_blocking().unwrap();
        vault.batch(|batch| fill(batch, VAULT_SIZE)).unwrap();
    }

    /// The first one is what the others are compared with.
    fn contestants(bus: &Bus, strongroom: &[String]) -> Vec<Contestant> {
        let name = iter::once("strongroom").chain(strongroom.iter().map(String::as_str));
        let name = name.collect::<Vec<_>>().join(" ");
        let lookup = ["lookup", "service", SERVICE, "username", USER];
        vec![
            Contestant::new(&name, with(bus.command(PROGRAM), strongroom), VALUE),
            Contestant::new("secret-tool lookup", with(bus.command("secret-tool"), &lookup), VALUE),
            Contestant::new(
                "keyring 4",
                with(bus.command(keyring_peer()), &["get", SERVICE, USER]),
                VALUE,
            ),
            Contestant::new(
                "strongroom --version",
                with(bus.command(PROGRAM), &["--version"]),
                concat!("strongroom ", env!("CARGO_PKG_VERSION")),
            ),
            Contestant::new("/bin/true", bus.command("/bin/true"), ""),
        ]
    }

    /// Of the backend `file`, whose key lies in another file.
    fn in_file(bus: &Bus, size: usize) -> Contestant {
        let sandbox = bus.sandbox();
        let (service, key) = (format!("bench-{size}"), sandbox.path().join(format!("key-{size}")));
        SealingKey::generate().unwrap().create_file(&key).unwrap();
        let config = Config::new("")
            .backend(Backend::File)
            .key(KeySource::key_file(&key))
            .state_dir(sandbox.home().join(".local/state/strongroom"))
            .data_dir(sandbox.home().join(".local/share/strongroom"));
        let vault = config.service(&service).open_blocking().unwrap();
        vault.batch(|batch| fill(batch, size)).unwrap();
        let name = name(size / 2);
        let arguments = ["--backend", "file", "get", &name, "--service", &service];
        let mut command = with(bus.command(PROGRAM), &arguments);
        command.env("STRONGROOM_KEY_FILE", key);
        Contestant::new(&format!("strongroom get, of {size}"), command, VALUE)
    }

    fn fill(batch: &mut Batch, size: usize) {
        for number in 0..size {
            let secret = Secret::with_provider(VALUE, "provider");
            batch.set(SecretKey::new(name(number)), secret);
        }
    }

    fn name(number: usize) -> String {
        format!("SECRET_{number:03}")
    }

    /// The smallest program on the `keyring` crate, built by the same profile.
    fn keyring_peer() -> PathBuf {
        let path = PathBuf::from(PROGRAM).with_file_name("examples").join("keyring_peer");
        assert!(path.exists(), "{} is not there: run scripts/bench-cold", path.display());
        path
    }

    fn with<S: AsRef<std::ffi::OsStr>>(mut command: Command, arguments: &[S]) -> Command {
        command.args(arguments);
        command
    }

    impl Contestant {
        fn new(name: &str, command: Command, says: &'static str) -> Self {
            Self { name: name.to_owned(), command, says, times: Vec::new() }
        }

        fn run(&mut self) {
            let started = Instant::now();
            let output = self.command.output().unwrap();
            self.times.push(started.elapsed());
            let stderr = String::from_utf8_lossy(&output.stderr);
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {stderr}", self.name);
            assert_eq!(said.trim_end(), self.says, "{}: {stderr}", self.name);
        }
    }

    fn report(contestants: &[Contestant]) {
        let runs = contestants[0].times.len();
        println!("{runs} runs each, in turn; median (lower to upper quartile)\n");
        println!("{:28}  {:24}  the first one's time / this one's", "program", "milliseconds");
        for contestant in contestants {
            let milliseconds = contestant.times.iter().map(|time| time.as_secs_f64() * 1e3);
            let pairs = contestants[0].times.iter().zip(&contestant.times);
            let ratios = pairs.map(|(first, this)| first.as_secs_f64() / this.as_secs_f64());
            println!(
                "{:28}  {:24}  {}",
                contestant.name,
                quartiles(milliseconds.collect()),
                quartiles(ratios.collect())
            );
        }
    }

    fn quartiles(mut values: Vec<f64>) -> String {
        values.sort_by(f64::total_cmp);
        let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
        format!("{:.2} ({:.2} to {:.2})", at(2), at(1), at(3))
    }
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}
