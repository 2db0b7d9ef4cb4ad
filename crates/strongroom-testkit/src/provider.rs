//! Detection of the programs that a test needs.

use std::{env, path::PathBuf};

use crate::skip;

const PACKAGES: &[(&str, &str)] = &[
    ("/usr/bin/keyring", "python3-keyring python3-secretstorage"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("Xvfb", "xvfb"),
    ("cc", "gcc"),
    ("chromium", "chromium"),
    ("dbus-daemon", "dbus-daemon"),
    ("gcore", "gdb"),
    ("gcr-prompter", "gcr"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("import", "imagemagick"),
    ("keyctl", "keyutils"),
    ("kwalletd5", "libkf5wallet-bin libqca-qt5-2-plugins"),
    ("node", "nodejs"),
    ("secret-tool", "libsecret-tools"),
    ("setsid", "util-linux"),
    ("strace", "strace"),
    ("ssh-keygen", "openssh-client"),
    ("xdotool", "xdotool"),
];

/// The programs that scripts of this repository install.
const TOOLS: &[(&str, &str)] =
    &[("playwright-core", "scripts/e2e-tools"), ("rage", "scripts/tools")];

/// The directories of programs that are not meant for the command line.
const LIBEXEC: &[&str] = &["/usr/libexec", "/usr/lib/gcr", "/usr/lib"];

/// Returns whether `program` is installed. Prints a message to stderr if it is not.
///
/// # Panics
///
/// If the program is not installed and `STRONGROOM_REQUIRE_PROVIDERS=1` is set, as in CI, where a
/// skipped test proves nothing.
pub fn provider_or_skip(program: &str) -> bool {
    if find(program).is_some() {
        return true;
    }
    skip(&complaint(program));
    false
}

fn complaint(program: &str) -> String {
    if let Some((_, script)) = TOOLS.iter().find(|(name, _)| *name == program) {
        return format!("{program} is not on the PATH ({script} installs it, and says where)");
    }
    let package =
        PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package);
    format!("{program} is not installed (apt install {package})")
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(LIBEXEC.iter().map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_there() {
        assert!(provider_or_skip("sh"));
        assert_eq!(find("no-such-program"), None);
    }

    #[test]
    fn names_the_package() {
        assert_eq!(
            complaint("secret-tool"),
            "secret-tool is not installed (apt install libsecret-tools)"
        );
        assert!(complaint("rage").contains("scripts/tools"));
    }
}
