//! Sandboxes that keep a program from the Secret Service, and instructions for allowing access.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fmt};

use strongroom_core::advice::Sentence;

use crate::protocol::BUS_NAME;

/// The sandbox that this process runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// A Flatpak, with its application id if that is known.
    Flatpak(Option<String>),
    /// A snap, by its name.
    Snap(String),
    /// No known sandbox: the policy of the bus, or AppArmor.
    Unknown,
}

impl Sandbox {
    /// Detects the sandbox of this process.
    pub(crate) fn detect() -> Self {
        Self::from_environment(Path::new("/.flatpak-info").exists(), |name| env::var_os(name))
    }

    fn from_environment(is_flatpak: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        if is_flatpak {
            return Self::Flatpak(variable("FLATPAK_ID").and_then(word));
        }
        if variable("SNAP").is_none_or(|value| value.is_empty()) {
            return Self::Unknown;
        }
        let name = ["SNAP_INSTANCE_NAME", "SNAP_NAME"]
            .into_iter()
            .find_map(|name| variable(name).and_then(word));
        Self::Snap(name.unwrap_or_else(|| "NAME".into()))
    }

    /// Returns instructions for allowing access, in sentences.
    pub(crate) fn hint(&self) -> Sentence {
        let way_in = match self {
            Self::Flatpak(Some(id)) => Sentence::from("Allow it: ")
                .shell(format!("flatpak override --user --talk-name={BUS_NAME} {id}"))
                .text(", then start it again."),
            Self::Flatpak(None) => format!(
                "Allow it: start it with --talk-name={BUS_NAME}, as `flatpak override` sets for good."
            )
            .into(),
            Self::Snap(name) => Sentence::from("Allow it: ")
                .shell(format!("sudo snap connect {name}:password-manager-service"))
                .text("."),
            Self::Unknown => format!(
                "The policy of the bus or AppArmor has to allow {BUS_NAME}: in a snap the interface \
                 password-manager-service, in a Flatpak --talk-name={BUS_NAME}."
            )
            .into(),
        };
        way_in.text(" Or keep secrets in an encrypted file, the backend file.")
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flatpak(_) => "the Flatpak's sandbox",
            Self::Snap(_) => "the snap's sandbox",
            Self::Unknown => "a sandbox, or a policy of the session bus,",
        })
    }
}

/// Returns the value of a variable as a word of a shell command; `None` if it would need quotes, or be an
/// option. The names of sandboxes end up in commands that the user may copy into a shell.
fn word(value: OsString) -> Option<String> {
    let text = value.into_string().ok()?;
    let is_word = !text.is_empty()
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    is_word.then_some(text)
}

#[cfg(test)]
mod tests {
    use strongroom_core::advice::Neutral;

    use super::*;

    fn hint(sandbox: &Sandbox) -> String {
        sandbox.hint().spoken_by(&Neutral).unwrap_or_default()
    }

    fn in_environment(is_flatpak: bool, known: &[(&str, &str)]) -> Sandbox {
        Sandbox::from_environment(is_flatpak, |name| {
            known.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn each_sandbox_is_told_with_its_own_way_in() {
        let snap = in_environment(false, &[("SNAP", "/snap/tracker/1"), ("SNAP_NAME", "tracker")]);
        assert!(hint(&snap).contains("`sudo snap connect tracker:password-manager-service`"));
        let flatpak = in_environment(true, &[("FLATPAK_ID", "org.example.Tracker")]);
        let command =
            "`flatpak override --user --talk-name=org.freedesktop.secrets org.example.Tracker`";
        assert!(hint(&flatpak).contains(command), "{}", hint(&flatpak));
        let unknown = in_environment(false, &[("SNAP", "")]);
        assert_eq!(unknown, Sandbox::Unknown);
        for text in ["password-manager-service", "--talk-name=org.freedesktop.secrets"] {
            assert!(hint(&unknown).contains(text), "{}", hint(&unknown));
        }
    }

    #[test]
    fn a_name_that_is_no_word_stands_in_no_command() {
        let snap = in_environment(false, &[("SNAP", "/snap"), ("SNAP_NAME", "x; rm -rf ~")]);
        assert_eq!(snap, Sandbox::Snap("NAME".into()));
        assert_eq!(in_environment(true, &[("FLATPAK_ID", "$(id)")]), Sandbox::Flatpak(None));
    }
}
