//! A process that was forked: stores that it inherited say so at once, new ones work, and the parent
//! notices nothing.

#![cfg(all(target_os = "linux", feature = "secret-service", not(feature = "testing")))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use fork::{Fork, fork};
use strongroom::error::Reason;
use strongroom::store::secret_service;
use strongroom::{Config, ErrorKind, KeyringStore, SecretString, SecureStore};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, Sandbox, children};

/// Far below any deadline, and enough for a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(3);

fn open(config: &Config) -> SecureStore {
    config.clone().service("app").open_store().unwrap()
}

#[test]
fn an_inherited_store_says_so_at_once_and_a_new_one_works() {
    let sandbox = Sandbox::new();
    let bus = Bus::start(&sandbox);
    let _service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let mut command = sandbox.command(child::program());
    child::enter(&mut command, "forks");
    let mut child = Child::start(command);
    child.tell(bus.address());
    let said = ["forked: inherited NoBackend Some(Forked), new v", "parent: v"];
    assert_eq!(child.finish(), said);
}

children!(forks);

fn forks() {
    let config = Config::new("")
        .store_settings(secret_service::Config::default().with_bus_address(told().unwrap()));
    let config = config.backend(strongroom::Backend::SecretService);
    let inherited = open(&config);
    inherited.set_secret("token", &SecretString::from("v")).unwrap();
    match fork().unwrap() {
        Fork::Child => in_fork(inherited, &config),
        Fork::Parent(child) => {
            fork::waitpid(child).unwrap();
            let value = inherited.require_secret("token").unwrap();
            say(&format!("parent: {}", strongroom::ExposeSecret::expose_secret(&value)));
        }
    }
}

/// What the forked process does, to its end.
#[expect(clippy::exit, reason = "the test harness is the parent's")]
fn in_fork(inherited: SecureStore, config: &Config) -> ! {
    let started = Instant::now();
    let error = inherited.get_secret("token").unwrap_err();
    let value = SecretString::from("w");
    let written = inherited.store().set_password("app", "token", &value);
    assert_eq!(written.unwrap_err().reason(), Some(Reason::Forked));
    drop(inherited);
    let new = open(config).require_secret("token").unwrap();
    assert!(started.elapsed() < AT_ONCE);
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    let (kind, reason) = (error.kind(), error.reason());
    let new = strongroom::ExposeSecret::expose_secret(&new).to_owned();
    say(&format!("forked: inherited {kind:?} {reason:?}, new {new}"));
    std::process::exit(0)
}
