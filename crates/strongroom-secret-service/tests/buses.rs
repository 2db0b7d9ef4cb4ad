//! Which bus is spoken to, and which is not.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use strongroom_core::{Deadlines, Error, ErrorKind, KeyringStore, PromptPolicy, Reason, Store};
use strongroom_secret_service::{Config, SecretServiceStore};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, OTHER_USER, Sandbox, children, root_or_skip, unused_name};
use support::{BRIEF, PATIENT, config, get, scripted, secret, set, store};

/// A store on the bus at these addresses.
fn at(bus: &Bus, addresses: &str) -> SecretServiceStore {
    SecretServiceStore::new(config(bus).with_bus_address(addresses))
}

fn refused(store: &SecretServiceStore) -> Error {
    let value = secret("marker");
    let error = store.set_password("app", "u", &value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend, "{error}");
    error
}

#[test]
fn a_list_is_tried_in_its_order_and_escapes_are_read() {
    let sandbox = Sandbox::new();
    let directory = sandbox.path().join("rt 1");
    fs::create_dir(&directory).unwrap();
    let socket = |name: &str| format!("unix:path={}", directory.join(name).display());
    let bus = Bus::builder(&sandbox)
        .listen(socket("second").replace(' ', "%20"))
        .listen(socket("bus").replace(' ', "%20"))
        .start();
    let (list, _service) =
        (bus.address(), ScriptedService::start(&socket("bus"), Script::default()).unwrap());
    assert!(list.contains(';') && list.contains("%20"), "{list}");
    let mut addresses: Vec<_> = list.split(';').map(str::to_owned).collect();
    addresses.push(list.to_owned());
    addresses.push(format!("unix:path=/nonexistent/bus;tcp:host=localhost,port=1;{list}"));
    for addresses in addresses {
        let store = at(&bus, &addresses);
        set(&store, "u", &addresses);
        assert_eq!(get(&store, "u"), Some(addresses));
    }
}

#[test]
fn the_variable_is_a_list_too() {
    let (bus, _service) = scripted(Script::default());
    let list = format!("unix:path=/nonexistent/bus;{}", bus.address());
    let mut command = bus.command(child::program());
    command.env("DBUS_SESSION_BUS_ADDRESS", &list);
    assert_eq!(read_by(command), "absent");
}

#[test]
fn a_bus_of_another_id_is_not_the_one_that_was_meant() {
    let (bus, _service) = scripted(Script::default());
    let path = bus.address().split(',').next().unwrap();
    let error = refused(&at(&bus, &format!("{path},guid=0123456789abcdef0123456789abcdef")));
    assert!(error.to_string().contains("doesn't take this process"), "{error}");
}

#[test]
fn sockets_without_a_file_serve_as_well() {
    let name = unused_name("strongroom-bus");
    let sandbox = Sandbox::new();
    let bus = Bus::builder(&sandbox).listen(format!("unix:abstract={name}")).start();
    let _service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let store = at(&bus, &format!("unix:abstract={name}"));
    set(&store, "u", "v");
    assert_eq!(get(&store, "u").as_deref(), Some("v"));
}

#[test]
fn no_program_is_started_and_no_port_is_asked() {
    let bus = support::bus();
    let trace = bus.sandbox().path().join("started");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for (address, why) in [
        (format!("unixexec:path=/usr/bin/touch,argv1={}", trace.display()), "start a program"),
        (format!("tcp:host=127.0.0.1,port={port}"), "whose bus it is"),
        ("launchd:env=X".to_owned(), "not supported"),
    ] {
        let error = refused(&at(&bus, &address));
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(!trace.exists());
    assert!(listener.accept().is_err(), "nobody connected");
}

#[test]
fn a_socket_that_does_not_speak_ends_in_time() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path().join("silent");
    let _listener = UnixListener::bind(&socket).unwrap();
    let config = Config::default()
        .with_bus_address(format!("unix:path={}", socket.display()))
        .with_state_dir(sandbox.path())
        .with_deadlines(Deadlines::both(BRIEF));
    let error = SecretServiceStore::new(config).probe().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let bus = format!("the session bus at {}", socket.display());
    assert!(error.to_string().contains(&bus), "{error}");
}

#[test]
fn a_bus_of_another_user_gets_nothing() {
    if !root_or_skip() {
        return;
    }
    let sandbox = Sandbox::new();
    let address = format!("unix:abstract={}", unused_name("strongroom-bus"));
    let bus = Bus::builder(&sandbox).listen(&address).user(OTHER_USER).start();
    let service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let error = refused(&store(&bus));
    assert_eq!(error.reason(), Some(Reason::ForeignOwner));
    for text in ["daemon (uid 1)", "root (uid 0)", "nothing was sent"] {
        assert!(error.to_string().contains(text), "{error}");
    }
    for text in ["without sudo", "`su - daemon`", "unset DBUS_SESSION_BUS_ADDRESS"] {
        assert!(error.hint().contains(text), "{}", error.hint());
    }
    assert!(service.calls().is_empty(), "{:?}", service.calls());
}

#[test]
fn a_provider_of_another_user_gets_nothing() {
    if !root_or_skip() {
        return;
    }
    let sandbox = Sandbox::new();
    let address = format!("unix:abstract={}", unused_name("strongroom-bus"));
    let bus = Bus::builder(&sandbox).listen(&address).rule(r#"<allow user="*"/>"#).start();
    let mut command = copy_of_this_program();
    command.1.uid(OTHER_USER).gid(OTHER_USER).current_dir("/");
    child::enter(command.1.env("STRONGROOM_TEST_BUS", bus.address()), "provider");
    let provider = Child::start(command.1);
    assert_eq!(provider.next(), "serving");

    let error = refused(&store(&bus));
    assert_eq!(error.reason(), Some(Reason::ForeignOwner));
    let text = "the Secret Service on the session bus belongs to daemon (uid 1)";
    assert!(error.to_string().contains(text), "{error}");
    assert_eq!(provider.finish(), ["calls: []"]);
}

#[test]
fn a_bus_behind_another_users_directory_is_that_users() {
    if !root_or_skip() {
        return;
    }
    let (program, mut command) = copy_of_this_program();
    let runtime = program.path().join("runtime");
    fs::create_dir(&runtime).unwrap();
    std::os::unix::fs::chown(&runtime, Some(OTHER_USER + 1), None).unwrap();
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
    command.uid(OTHER_USER).gid(OTHER_USER).current_dir("/");
    command.env("XDG_RUNTIME_DIR", runtime);
    let said = read_by(command);
    assert!(said.contains("belongs to bin (uid 2)"), "{said}");
}

#[test]
fn a_policy_that_denies_the_service_is_told_as_a_sandbox() {
    let sandbox = Sandbox::new();
    let rule = r#"<deny send_destination="org.freedesktop.secrets"/>"#;
    let bus = Bus::builder(&sandbox).rule(rule).start();
    let service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let error = store(&bus).probe().unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::AccessDenied, Some(Reason::Sandbox)));
    assert!(error.to_string().contains("keeps this program from the Secret Service"), "{error}");
    for text in ["password-manager-service", "--talk-name=org.freedesktop.secrets"] {
        assert!(error.hint().contains(text), "{}", error.hint());
    }
    assert!(service.calls().is_empty());
}

#[test]
fn an_entry_that_the_provider_denies_is_no_sandbox() {
    let (bus, service) = scripted(Script::default());
    service.add_item("login", "l", &[("service", "app"), ("username", "u")], "v");
    let denied = ("org.freedesktop.DBus.Error.AccessDenied".to_owned(), "it's \"no\"".to_owned());
    service.set(|script| drop(script.fail.insert("Item.GetSecret".into(), denied)));
    let error = store(&bus).get_password("app", "u").unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::AccessDenied, None));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.ends_with("AccessDenied: it's \"no\""), "{cause}");
}

#[test]
fn a_dead_address_gives_way_to_the_users_own_bus() {
    let sandbox = Sandbox::new();
    let bus_of_login = sandbox.runtime().join("bus");
    let bus =
        Bus::builder(&sandbox).listen(format!("unix:path={}", bus_of_login.display())).start();
    let runtime = sandbox.runtime();
    for address in ["unix:path=/nonexistent/bus", "tcp:host=localhost,port=1", "nonsense"] {
        let mut command = bus.command(child::program());
        command.env("DBUS_SESSION_BUS_ADDRESS", address).env("XDG_RUNTIME_DIR", &runtime);
        let said = read_by(command);
        assert!(said.contains("`unset DBUS_SESSION_BUS_ADDRESS`"), "{address}: {said}");
    }
    bus.kill();
    let mut command = bus.command(child::program());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let said = read_by(command);
    assert!(said.contains("no D-Bus session bus") && !said.contains("unset"), "{said}");
}

/// Returns what the [`reader`] says when it is started by this command.
#[track_caller]
fn read_by(mut command: Command) -> String {
    child::enter(&mut command, "reader");
    let [said] = <[String; 1]>::try_from(Child::start(command).finish()).unwrap();
    said
}

/// This program where any user may start it.
fn copy_of_this_program() -> (tempfile::TempDir, Command) {
    let permissions = fs::Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().permissions(permissions).tempdir().unwrap();
    let copy = directory.path().join("tests");
    assert!(Command::new("cp").arg(child::program()).arg(&copy).status().unwrap().success());
    let mut command = Command::new(copy);
    command.env_clear().env("HOME", "/nonexistent").env("TMPDIR", "/tmp");
    (directory, command)
}

children!(provider, reader);

/// Reads an entry by the addresses of the environment.
fn reader() {
    let config =
        Config::default().with_prompt(PromptPolicy::Never).with_deadlines(Deadlines::both(PATIENT));
    let said = match SecretServiceStore::new(config).get_password("app", "u") {
        Ok(None) => "absent".to_owned(),
        Ok(Some(_)) => "there".to_owned(),
        Err(error) => format!("{error} {}", error.hint()),
    };
    say(&said);
}

/// Serves on a bus until its input ends.
fn provider() {
    let bus = std::env::var("STRONGROOM_TEST_BUS").unwrap();
    let service = ScriptedService::start(&bus, Script::default()).unwrap();
    say("serving");
    assert_eq!(told(), None);
    say(&format!("calls: {:?}", service.calls()));
}
