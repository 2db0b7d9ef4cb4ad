//! A mock store for the tests of applications, in place of every automatic choice.
//!
//! Switch the feature on in `[dev-dependencies]`, next to the plain dependency:
//!
//! ```toml
//! [dependencies]
//! strongroom = "0.1"
//!
//! [dev-dependencies]
//! strongroom = { version = "0.1", features = ["testing"] }
//! ```
//!
//! In that application's tests and benchmarks [`SecretManager::init`](crate::SecretManager::init) and
//! [`SecureStore::open`](crate::SecureStore::open) then use [`mock`] in place of the user's own secrets, and
//! leave no file in the user's home. A backend that the caller or the environment names is still that
//! backend.
//!
//! The program decides at run time: only a program that cargo has built as a test or benchmark, in its
//! directory `deps`, or as an example in documentation, uses the mock. The application itself,
//! `target/debug/app`, never does, so that tests that run it as a process of its own work with a store that
//! lasts.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use strongroom_core::MockKeyringStore;

/// Returns the store of every automatic choice for a service in this process, as a handle to control and
/// inspect it. Its faults apply to the service alone, so that tests with different services don't disturb
/// each other.
///
/// For a store of a single handle, see [`Config::store`](crate::Config::store).
///
/// ```
/// use strongroom::{ErrorKind, SecureStore, testing};
/// use strongroom::error::Operation;
///
/// let secrets = SecureStore::open("example")?;
/// testing::mock("example").fail(Operation::Get, ErrorKind::Locked);
/// assert_eq!(secrets.get_secret("token").unwrap_err().kind(), ErrorKind::Locked);
/// # Ok::<(), strongroom::Error>(())
/// ```
pub fn mock(service: &str) -> MockKeyringStore {
    static MOCKS: LazyLock<Mutex<BTreeMap<String, MockKeyringStore>>> =
        LazyLock::new(Mutex::default);
    let mut mocks = MOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    mocks.entry(service.to_owned()).or_default().clone()
}

/// Returns whether this program is a test, a benchmark or an example in documentation, as cargo builds them.
pub(crate) fn is_test_program() -> bool {
    static IS_TEST: LazyLock<bool> =
        LazyLock::new(|| env::current_exe().is_ok_and(|program| is_test(&program)));
    *IS_TEST
}

/// Returns whether the path is that of a test. cargo puts tests into `deps`, with a hash in their names, and
/// rustdoc puts examples into a directory whose name begins with `rustdoctest`.
fn is_test(program: &Path) -> bool {
    let mut directories = program.ancestors().skip(1).filter_map(name_of);
    let in_documents = directories.any(|it| it.starts_with("rustdoctest"));
    let in_deps = program.parent().and_then(name_of).is_some_and(|it| it == "deps");
    let hash = program.file_stem().and_then(|stem| stem.to_str()?.rsplit_once('-'));
    let has_hash = hash.is_some_and(|(_, hash)| {
        hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    in_documents || (in_deps && has_hash)
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_cargos_tests_alone_are_tests() {
        for program in [
            "/w/target/debug/deps/app-0123456789abcdef",
            "/w/target/release/deps/bench-0123456789abcdef",
            "/w/target/debug/deps/app-0123456789abcdef.exe",
            "/tmp/rustdoctestAbC/merged/rust_out",
        ] {
            assert!(is_test(Path::new(program)), "{program}");
        }
        for program in [
            "/w/target/debug/app",
            "/w/target/debug/examples/app-0123456789abcdef",
            "/w/target/debug/deps/app",
            "/w/target/debug/deps/app-1.2",
            "/opt/deps/app",
            "",
        ] {
            assert!(!is_test(Path::new(program)), "{program}");
        }
    }
}
