//! Commands that install packages, by distribution.

use super::finding::System;

/// Returns the command that installs packages, which are named as in Debian.
pub(super) fn install(system: &System<'_>, packages: &str) -> String {
    let sudo = if system.is_root { "" } else { "sudo " };
    let doas = if system.is_root { "" } else { "doas " };
    match Distribution::of(system.os_release) {
        Distribution::Alpine => format!("{doas}apk add {packages}"),
        Distribution::Arch => format!("{sudo}pacman -S {packages}"),
        Distribution::Debian => format!("{sudo}apt install {packages}"),
        // The package of the bus daemon has another name in Fedora and SUSE.
        Distribution::Fedora => {
            format!("{sudo}dnf install {}", packages.replace("dbus ", "dbus-daemon "))
        }
        Distribution::Nixos => match packages {
            "seahorse" => "nix-shell -p seahorse".to_owned(),
            // A service is configured in NixOS: its package alone would not be started.
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

/// A Linux distribution, for the command that installs packages.
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

/// Returns the value of a variable; empty if it is not set.
fn value<'a>(os_release: &'a str, key: &str) -> &'a str {
    let lines = os_release.lines().filter_map(|line| line.trim().split_once('='));
    let mut values = lines.filter(|(name, _)| *name == key).map(|(_, value)| value);
    // The file is a shell script in which the last assignment counts.
    values.next_back().unwrap_or_default().trim_matches(['"', '\''])
}

impl Distribution {
    /// Returns the distribution by `ID`, else by `ID_LIKE`, which lists the most similar first.
    fn of(os_release: &str) -> Self {
        let ids =
            ["ID", "ID_LIKE"].into_iter().flat_map(|key| value(os_release, key).split_whitespace());
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
