//! What is wrong with the stores, and the commands that mend it, as plain data.
//!
//! Nothing is looked up here: whoever calls brings what was found, prints what comes back, or shows
//! it on a page.

use std::error::Error as _;

use strongroom_core::{Error, ErrorKind, Probe};

use crate::{Backend, Inspection};

/// What the commands have to fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct System<'a> {
    /// The text of `/etc/os-release`; empty where there is none.
    pub os_release: &'a str,
    /// Whether the user is root, who needs no `sudo`.
    pub is_root: bool,
}

/// Something that was found out about a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The backend that it is about; `None` where it is about all of them.
    pub backend: Option<Backend>,
    /// What kind of error the store's users meet; `None` where they meet none.
    pub kind: Option<ErrorKind>,
    /// What is the case, in words for the user.
    pub problem: String,
    /// What can be done, the best first. One is enough.
    pub fixes: Vec<Fix>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// All is well.
    Fine,
    /// Good to know.
    Note,
    /// The store can't be used as it is.
    Problem,
}

/// A way to mend something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// When or why to do this, in words for the user.
    pub text: String,
    /// The commands to type, in this order; none where it is nothing to type.
    pub commands: Vec<String>,
}

/// Says what is wrong with the stores that [`inspect`](crate::inspect) found, and how to mend it.
///
/// A pure function. There is at least one finding for each of the system's own stores in this
/// build, the worst first, and none for the others.
///
/// ```
/// use strongroom::{Options, System, diagnose, inspect};
///
/// let found = inspect(&Options::new());
/// for finding in diagnose(&found, &System::default()) {
///     println!("{:?}: {}", finding.severity, finding.problem);
/// }
/// ```
pub fn diagnose(found: &[Inspection], system: &System<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let in_this_build = found.iter().filter(|inspection| inspection.capabilities.is_some());
    for Inspection { backend, state, .. } in in_this_build {
        match backend {
            Backend::SecretService => findings.extend(secret_service(state, system)),
            Backend::Keychain => findings.push(keychain(state)),
            Backend::CredentialManager => findings.push(credential_manager(state)),
            Backend::Keyutils => findings.push(keyutils(state)),
            Backend::File => findings.push(file(state)),
            _ => {}
        }
    }
    // What is worst comes first; what is equally bad stays in the order of the backends.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// What the users of this provider have to know, though it works; `provider` is
/// [`Probe::provider`].
pub fn provider_caveat(provider: &str) -> Option<&'static str> {
    let is_kwallet = provider.contains("kwalletd") || provider.contains("ksecretd");
    is_kwallet.then_some(
        "KWallet says that a value is stored some 5 seconds before it has written it to disk: \
         don't switch off or kill it right after storing",
    )
}

fn secret_service(state: &Result<Probe, Error>, system: &System<'_>) -> Vec<Finding> {
    let backend = Backend::SecretService;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("secrets are kept by {provider}, until you delete them");
            let caveat = provider_caveat(provider);
            let caveat = caveat.map(|it| finding(backend, Severity::Note, None, it.to_owned()));
            let fine = finding(backend, Severity::Fine, None, problem);
            [Some(fine), caveat].into_iter().flatten().collect()
        }
        Err(error) => {
            let mut problem = problem(backend, error);
            problem.fixes = fixes(error, system);
            vec![problem]
        }
    }
}

/// Its errors know the commands: what is wrong with a Keychain is the same on every Mac.
fn keychain(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::Keychain;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("secrets are kept in {provider}, until you delete them");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) => {
            let mut problem = problem(backend, error);
            problem.fixes = vec![advice(error.hint())];
            problem
        }
    }
}

fn credential_manager(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::CredentialManager;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("secrets are kept by {provider}, until you delete them");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) => {
            let mut problem = problem(backend, error);
            problem.fixes = vec![advice(error.hint())];
            if error.kind() == ErrorKind::NoLogonSession {
                problem.fixes.push(fix(
                    "Or keep secrets in an encrypted file, which opens in any session (in PowerShell).",
                    &["$env:STRONGROOM_BACKEND = 'file'"],
                ));
            }
            problem
        }
    }
}

fn keyutils(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::Keyutils;
    match state {
        Ok(Probe { provider, .. }) => finding(
            backend,
            Severity::Fine,
            None,
            format!("the {provider} works, and keeps secrets until reboot"),
        ),
        Err(error) => {
            let mut note = problem(backend, error);
            note.severity = Severity::Note;
            note.fixes = vec![advice(error.hint())];
            note
        }
    }
}

/// A file that has no key yet is nothing wrong: most never use one.
fn file(state: &Result<Probe, Error>) -> Finding {
    let backend = Backend::File;
    match state {
        Ok(Probe { provider, .. }) => {
            let problem = format!("there are keys for {provider}, which keep secrets for good");
            finding(backend, Severity::Fine, None, problem)
        }
        Err(error) if error.kind() == ErrorKind::KeyMissing => {
            let problem = format!("{backend}: an encrypted file needs a key: {}", error.problem());
            let mut note = finding(backend, Severity::Note, Some(error.kind()), problem);
            note.fixes = vec![fix(
                "Put a passphrase into a file that only you may read, and name it. On a terminal it \
                 is asked for.",
                &["export STRONGROOM_PASSPHRASE_FILE=~/.config/strongroom-passphrase"],
            )];
            note
        }
        Err(error) => {
            let mut note = problem(backend, error);
            note.fixes = vec![advice(error.hint())];
            note
        }
    }
}

fn fixes(error: &Error, system: &System<'_>) -> Vec<Fix> {
    match error.kind() {
        ErrorKind::NoBackend if bus_answered(error) => no_daemon(system),
        ErrorKind::NoBackend => no_bus(system),
        ErrorKind::NoDefaultCollection => no_collection(system),
        ErrorKind::Locked => locked(),
        _ => vec![advice(error.hint())],
    }
}

/// Whether somebody on the bus refused, as opposed to there being no bus.
fn bus_answered(error: &Error) -> bool {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    cause.starts_with("org.freedesktop.DBus.Error.")
}

fn no_bus(system: &System<'_>) -> Vec<Fix> {
    vec![
        fix("On a desktop: run it in a terminal of the desktop session, where a bus is.", &[]),
        Fix {
            text: "On a server or in a container: install a keyring, start a shell with a bus, \
                   and open the keyring in it with a password of your choice."
                .to_owned(),
            commands: [
                install(system, "dbus gnome-keyring"),
                "dbus-run-session -- bash".to_owned(),
                UNLOCK.to_owned(),
            ]
            .into(),
        },
        session_only(),
    ]
}

fn no_daemon(system: &System<'_>) -> Vec<Fix> {
    vec![
        Fix {
            text: "Install a keyring, log out and in again: the login opens it.".to_owned(),
            commands: vec![install(system, "gnome-keyring")],
        },
        fix("Or start it here and now, with your login password.", &[UNLOCK]),
        session_only(),
    ]
}

fn no_collection(system: &System<'_>) -> Vec<Fix> {
    vec![
        fix(
            "On a desktop: store something. A window then asks for the new keyring's password.",
            &["strongroom setup test"],
        ),
        fix("In gnome-keyring, without a window: create it with your login password.", &[UNLOCK]),
        Fix {
            text: "Or make one by hand, and set it as default.".to_owned(),
            commands: vec![install(system, "seahorse"), "seahorse".to_owned()],
        },
    ]
}

fn locked() -> Vec<Fix> {
    vec![
        fix(
            "On a desktop: ask for something, and answer the window that appears.",
            &["strongroom entry list"],
        ),
        fix("In gnome-keyring, without a window: open it with its password.", &[UNLOCK]),
    ]
}

/// Reads the password without showing it. Works whether the daemon runs or not; without `--replace`,
/// a second daemon would start beside the first and open nothing.
const UNLOCK: &str = "read -rsp 'Password: ' p; printf %s \"$p\" | gnome-keyring-daemon \
                      --replace --unlock --components=secrets >/dev/null; unset p";

fn session_only() -> Fix {
    fix(
        "Or do without: the kernel keeps secrets until reboot, and this silences the warning.",
        &["export STRONGROOM_BACKEND=keyutils"],
    )
}

/// The command that installs packages of these names, which are Debian's.
fn install(system: &System<'_>, packages: &str) -> String {
    let sudo = if system.is_root { "" } else { "sudo " };
    let doas = if system.is_root { "" } else { "doas " };
    match Distribution::of(system.os_release) {
        Distribution::Alpine => format!("{doas}apk add {packages}"),
        Distribution::Arch => format!("{sudo}pacman -S {packages}"),
        Distribution::Debian => format!("{sudo}apt install {packages}"),
        Distribution::Fedora => {
            format!("{sudo}dnf install {}", packages.replace("dbus ", "dbus-daemon "))
        }
        Distribution::Nixos => match packages {
            "seahorse" => "nix-shell -p seahorse".to_owned(),
            _ => "in configuration.nix: services.gnome.gnome-keyring.enable = true; then: sudo \
                  nixos-rebuild switch"
                .to_owned(),
        },
        Distribution::Suse => {
            format!("{sudo}zypper install {}", packages.replace("dbus ", "dbus-1 "))
        }
        Distribution::Other => format!("with your system's package manager, install: {packages}"),
    }
}

/// Who packs the programs, for the command that installs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distribution {
    Alpine,
    Arch,
    Debian,
    Fedora,
    Nixos,
    Other,
    Suse,
}

impl Distribution {
    /// By `ID`, else by what it is like, the most similar first.
    fn of(os_release: &str) -> Self {
        let value = |key: &str| {
            let lines = os_release.lines().filter_map(|line| line.trim().split_once('='));
            let mut values = lines.filter(|(name, _)| *name == key).map(|(_, value)| value);
            values.next_back().unwrap_or_default().trim_matches(['"', '\''])
        };
        let ids = value("ID").split_whitespace().chain(value("ID_LIKE").split_whitespace());
        ids.map(Self::of_id).find(|known| *known != Self::Other).unwrap_or(Self::Other)
    }

    fn of_id(id: &str) -> Self {
        match id {
            "alpine" => Self::Alpine,
            "arch" => Self::Arch,
            "debian" | "ubuntu" => Self::Debian,
            "fedora" | "rhel" | "centos" => Self::Fedora,
            "nixos" => Self::Nixos,
            "suse" | "opensuse" | "sles" => Self::Suse,
            _ if id.starts_with("opensuse-") => Self::Suse,
            _ => Self::Other,
        }
    }
}

fn problem(backend: Backend, error: &Error) -> Finding {
    finding(backend, Severity::Problem, Some(error.kind()), error.problem().to_owned())
}

fn finding(
    backend: Backend,
    severity: Severity,
    kind: Option<ErrorKind>,
    problem: String,
) -> Finding {
    Finding { severity, backend: Some(backend), kind, problem, fixes: Vec::new() }
}

fn fix(text: &str, commands: &[&str]) -> Fix {
    Fix { text: text.to_owned(), commands: commands.iter().map(|&it| it.to_owned()).collect() }
}

/// An error's own advice; what stands there in backquotes is a command.
fn advice(hint: &str) -> Fix {
    let commands = hint.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Fix { text: hint.to_owned(), commands }
}

#[cfg(test)]
mod tests {
    use strongroom_core::{Capabilities, Operation, Persistence};

    use super::*;

    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n";

    fn found(backend: Backend, state: Result<Probe, Error>) -> Inspection {
        let capabilities = Some(Capabilities::new(Persistence::Permanent));
        Inspection { backend, capabilities, state }
    }

    fn error(kind: ErrorKind) -> Error {
        Error::new(kind, Operation::Probe).with_store("secret-service")
    }

    fn first(state: Result<Probe, Error>, system: &System<'_>) -> Finding {
        let findings = diagnose(&[found(Backend::SecretService, state)], system);
        findings.into_iter().next().unwrap()
    }

    fn commands(finding: &Finding) -> Vec<&str> {
        finding.fixes.iter().flat_map(|fix| &fix.commands).map(String::as_str).collect()
    }

    #[test]
    fn a_bus_without_a_daemon_is_told_from_no_bus() {
        let system = System { os_release: DEBIAN, is_root: false };
        let no_bus = error(ErrorKind::NoBackend).with_source("I/O error: no such file");
        let no_bus = first(Err(no_bus), &system);
        assert!(commands(&no_bus).contains(&"dbus-run-session -- bash"), "{no_bus:?}");

        let refused = "org.freedesktop.DBus.Error.ServiceUnknown: the name is not activatable";
        let no_daemon = first(Err(error(ErrorKind::NoBackend).with_source(refused)), &system);
        assert_eq!(commands(&no_daemon)[0], "sudo apt install gnome-keyring");
        assert!(!commands(&no_daemon).contains(&"dbus-run-session -- bash"), "{no_daemon:?}");
    }

    #[test]
    fn each_state_that_is_wrong_has_a_kind_and_a_command() {
        let hung = error(ErrorKind::TimedOut).with_hint("Let it go on with `kill -CONT 7`.");
        let states =
            [hung, error(ErrorKind::Locked), error(ErrorKind::NoDefaultCollection)].map(|error| {
                let kind = error.kind();
                (kind, first(Err(error), &System::default()))
            });
        for (kind, finding) in &states {
            assert_eq!((finding.severity, finding.kind), (Severity::Problem, Some(*kind)));
            assert!(!commands(finding).is_empty(), "{finding:?}");
        }
        assert_eq!(commands(&states[0].1), ["kill -CONT 7"]);
    }

    #[test]
    fn kwallet_works_and_has_its_caveat() {
        let kwallet = Probe::new("kwalletd5 (process 7), collection \"kdewallet\"");
        let found = [
            found(Backend::SecretService, Ok(kwallet)),
            found(Backend::Keyutils, Ok(Probe::new("kernel keyring of user 0"))),
        ];
        let findings = diagnose(&found, &System::default());
        let severities: Vec<_> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Note, Severity::Fine, Severity::Fine]);
        assert!(findings[0].problem.contains("5 seconds"), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.kind.is_none()));
    }

    #[test]
    fn a_kernel_keyring_that_is_forbidden_is_a_note() {
        let error = Error::new(ErrorKind::NoBackend, Operation::Probe).with_store("keyutils");
        let findings = diagnose(&[found(Backend::Keyutils, Err(error))], &System::default());
        assert_eq!(findings[0].severity, Severity::Note);
        assert!(!findings[0].fixes.is_empty());
    }

    #[test]
    fn a_logon_without_credentials_is_a_problem_with_another_way() {
        let error = Error::new(ErrorKind::NoLogonSession, Operation::Probe);
        let findings =
            diagnose(&[found(Backend::CredentialManager, Err(error))], &System::default());
        assert_eq!(findings[0].severity, Severity::Problem);
        assert_eq!(findings[0].kind, Some(ErrorKind::NoLogonSession));
        assert_eq!(commands(&findings[0]), ["$env:STRONGROOM_BACKEND = 'file'"]);

        let works = Ok(Probe::new("the Windows Credential Manager"));
        let findings = diagnose(&[found(Backend::CredentialManager, works)], &System::default());
        assert_eq!((findings[0].severity, findings[0].kind), (Severity::Fine, None));
    }

    #[test]
    fn a_keychain_is_told_in_its_own_words() {
        let fine = Ok(Probe::new("the user's default keychain"));
        let locked = Err(Error::new(ErrorKind::Locked, Operation::Probe)
            .with_store("keychain")
            .with_hint("Unlock it with `security unlock-keychain`."));
        let [fine, locked] = [fine, locked]
            .map(|state| diagnose(&[found(Backend::Keychain, state)], &System::default()));
        assert_eq!(fine[0].severity, Severity::Fine);
        assert!(fine[0].problem.contains("the user's default keychain"), "{fine:?}");
        assert_eq!(
            (locked[0].severity, locked[0].kind),
            (Severity::Problem, Some(ErrorKind::Locked))
        );
        assert_eq!(commands(&locked[0]), ["security unlock-keychain"]);
    }

    #[test]
    fn the_install_command_fits_the_distribution_and_the_user() {
        let command =
            |os_release| install(&System { os_release, is_root: false }, "dbus gnome-keyring");
        for (os_release, expected) in [
            (DEBIAN, "sudo apt install dbus gnome-keyring"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "sudo apt install dbus gnome-keyring"),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
                "sudo dnf install dbus-daemon gnome-keyring",
            ),
            ("ID=manjaro\nID_LIKE=arch", "sudo pacman -S dbus gnome-keyring"),
            ("ID=\"opensuse-leap\"", "sudo zypper install dbus-1 gnome-keyring"),
            ("ID=alpine", "doas apk add dbus gnome-keyring"),
        ] {
            assert_eq!(command(os_release), expected);
        }
        assert!(command("ID=nixos").contains("services.gnome.gnome-keyring.enable = true"));
        assert!(command("").contains("package manager"));
        let root = System { os_release: DEBIAN, is_root: true };
        assert_eq!(install(&root, "seahorse"), "apt install seahorse");
    }
}
