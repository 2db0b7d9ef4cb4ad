//! The grammar, by example and by property.

use std::os::unix::ffi::OsStrExt as _;

use proptest::prelude::*;

use super::*;

const RUNTIME_BUS: &str = "/run/user/7/bus";
const GUID: &str = "0123456789abcdef0123456789ABCDEF";

fn parsed(list: &str) -> Vec<Result<Address, Unusable>> {
    parse(list.as_bytes(), Path::new(RUNTIME_BUS))
}

/// The paths of a list of which every address can be used.
fn paths(list: &str) -> Vec<PathBuf> {
    let path = |address: Result<Address, Unusable>| address.unwrap().path().unwrap().to_owned();
    parsed(list).into_iter().map(path).collect()
}

fn problem(address: &str) -> &'static str {
    match parsed(address).as_slice() {
        [Err(unusable)] => unusable.problem,
        other => panic!("{address}: {other:?}"),
    }
}

#[test]
fn a_list_is_read_in_its_order() {
    let list = format!("unix:path=/a/second,guid={GUID};unix:path=/a/rt%201/bus,guid={GUID}");
    assert_eq!(paths(&list), [Path::new("/a/second"), Path::new("/a/rt 1/bus")]);
    assert_eq!(parsed(&list)[0].as_ref().unwrap().guid, Some(GUID.to_ascii_lowercase()));
    assert_eq!(paths(";unix:path=/a;;unix:path=/b;").len(), 2);
    assert!(parsed("").is_empty() && parsed(";").is_empty());
}

#[test]
fn an_address_that_cannot_be_used_leaves_the_others() {
    let list = parsed("tcp:host=localhost,port=1;unix:path=/a");
    assert_eq!(list[0].as_ref().unwrap_err().address, "tcp:host=localhost,port=1");
    assert_eq!(list[1].as_ref().unwrap().path(), Some(Path::new("/a")));
}

#[test]
fn sockets_without_a_file_have_a_name() {
    let address = parsed("unix:abstract=/tmp/dbus-%41b,guid=").remove(0);
    assert!(address.is_err(), "a guid has 32 digits");
    let address = parsed("unix:abstract=/tmp/dbus-%41b").remove(0).unwrap();
    assert_eq!(address.socket.as_abstract_name(), Some(&b"/tmp/dbus-Ab"[..]));
    assert_eq!(address.to_string(), "abstract socket /tmp/dbus-Ab");
}

#[test]
fn the_login_session_has_its_socket() {
    assert_eq!(paths("unix:runtime=yes"), [Path::new(RUNTIME_BUS)]);
    assert_eq!(paths("autolaunch:"), [Path::new(RUNTIME_BUS)]);
    assert_eq!(paths("autolaunch:scope=x"), [Path::new(RUNTIME_BUS)]);
    assert!(parse(b"autolaunch:", Path::new("bus"))[0].is_err());
}

#[test]
fn keys_that_are_not_known_are_left_to_others() {
    assert_eq!(paths("unix:path=/a,uid=7,new=%ff"), [Path::new("/a")]);
}

#[test]
fn bytes_that_should_be_escaped_are_taken_as_they_are() {
    assert_eq!(paths("unix:path=/home/é é/b=us"), [Path::new("/home/é é/b=us")]);
}

#[test]
fn no_program_is_started_and_no_network_asked() {
    for address in ["unixexec:path=/bin/sh", "unixexec:path=/bin/sh,argv1=-c"] {
        assert!(problem(address).contains("start a program"), "{address}");
    }
    for address in ["tcp:host=127.0.0.1,port=1", "nonce-tcp:noncefile=/n,port=1", "vsock:cid=1"] {
        assert!(problem(address).contains("whose bus"), "{address}");
    }
    for address in ["launchd:env=X", "systemd:", "ibus:", "x:", ":", "UNIX:path=/a"] {
        assert!(problem(address).contains("not supported"), "{address}");
    }
}

#[test]
fn bad_addresses_are_told_by_their_fault() {
    for (address, part) in [
        ("unix", "transport"),
        ("unix:", "names no socket"),
        ("unix:path", "without a value"),
        ("unix:=/a", "without a key"),
        ("unix:path=/a,", "without a value"),
        ("unix:path=/a,path=/b", "twice"),
        ("unix:path=/a,abstract=b", "more than one"),
        ("unix:path=/a,runtime=yes", "more than one"),
        ("unix:runtime=no", "names no socket"),
        ("unix:tmpdir=/tmp", "not to connect to"),
        ("unix:dir=/tmp", "not to connect to"),
        ("unix:path=bus", "not absolute"),
        ("unix:path=", "not absolute"),
        ("unix:path=/a%00b", "no socket's path"),
        ("unix:path=/a%", "two hexadecimal digits"),
        ("unix:path=/a%4", "two hexadecimal digits"),
        ("unix:path=/a%4g", "two hexadecimal digits"),
        ("unix:path=/a,guid=1", "guid"),
    ] {
        assert!(problem(address).contains(part), "{address}: {}", problem(address));
    }
    assert!(problem(&format!("unix:path=/{}", "a".repeat(200))).contains("no socket's path"));
    assert!(problem(&"x".repeat(MAX_BYTES + 1)).contains("too long"));
}

#[test]
fn what_is_shown_does_nothing_to_a_terminal() {
    let shown = &parsed("tcp:\u{1b}[31m'\"\u{202e}").remove(0).unwrap_err().address;
    assert_eq!(shown, r#"tcp:\u{1b}[31m'"\u{202e}"#);
}

/// As the specification has it: bytes that need no escaping may have it all the same.
fn escaped(bytes: &[u8], also: &[bool]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.\\*".contains(&byte);
    let mut also = also.iter().cycle();
    let escape = |byte: &u8| match plain(*byte) && !also.next().copied().unwrap_or_default() {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02x}"),
    };
    bytes.iter().map(escape).collect()
}

/// The bytes of a socket's path, or of its name.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=u8::MAX, 0..100)
}

proptest! {
    #[test]
    fn what_is_escaped_comes_back(
        names in prop::collection::vec(name(), 1..5),
        also in prop::collection::vec(any::<bool>(), 1..8),
        is_abstract: bool,
    ) {
        let address = |name: &Vec<u8>| match is_abstract {
            true => format!("unix:abstract={}", escaped(name, &also)),
            false => format!("unix:guid={GUID},path=/{}", escaped(name, &also)),
        };
        let list: Vec<_> = names.iter().map(address).collect();
        let read = parsed(&list.join(";"));
        prop_assert_eq!(read.len(), names.len());
        for (read, name) in read.into_iter().zip(&names) {
            let socket = read.unwrap().socket;
            if is_abstract {
                prop_assert_eq!(socket.as_abstract_name().unwrap(), name);
            } else {
                let path = [b"/", name.as_slice()].concat();
                prop_assert_eq!(socket.as_pathname().unwrap().as_os_str().as_bytes(), path);
            }
        }
    }

    #[test]
    fn nothing_that_is_read_leaves_the_grammar(list in prop::collection::vec(any::<u8>(), 0..200)) {
        for read in parse(&list, Path::new(RUNTIME_BUS)) {
            match read {
                Ok(address) => prop_assert!(address.path().is_none_or(Path::is_absolute)),
                Err(unusable) => prop_assert!(!unusable.address.chars().any(char::is_control)),
            }
        }
    }

    #[test]
    fn near_misses_never_panic(
        list in "(unix|tcp|autolaunch|unixexec|)(:|)((path|abstract|runtime|guid|x|)(=|)(/a|yes|%2|%20|%zz|)[,;]){0,6}",
    ) {
        parsed(&list);
    }
}
