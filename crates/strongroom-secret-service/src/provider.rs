//! The provider, which is the process that serves secrets, and the calls of its own interface.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::Deadlines;
use strongroom_core::advice::Sentence;
use strongroom_files::{Source, read};
use zbus::ObjectPath;

use crate::budget::Budget;
use crate::bus::Bus;
use crate::text::printable;

/// The time limit for identifying the provider, even after a deadline that has already passed.
const INQUIRY: Duration = Duration::from_millis(200);

/// The objects and the interface of KWallet itself, in KDE 5 and 6.
const KWALLET_PATHS: [&str; 2] = ["/modules/kwalletd5", "/modules/kwalletd6"];
const KWALLET: &str = "org.kde.KWallet";

/// The bus name of the program that shows gnome-keyring's prompts.
pub(crate) const PROMPTER: &str = "org.gnome.keyring.SystemPrompter";

/// The process that serves secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    name: String,
    pid: u32,
    stopped: bool,
}

impl Provider {
    /// Identifies the provider by the bus and the system; `None` if they do not tell. The bus answers even if
    /// the provider hangs.
    pub(crate) async fn find(bus: &Bus) -> Option<Self> {
        let budget = Budget::start(Deadlines::both(INQUIRY), bus.runtime());
        let pid = bus.owner_pid(&budget).await?;
        Some(Self { name: process_name(pid)?, pid, stopped: is_stopped(pid) })
    }

    /// Returns whether it is KWallet, of any version.
    pub(crate) fn is_kwallet(&self) -> bool {
        self.name.starts_with("kwalletd") || self.name.starts_with("ksecretd")
    }

    /// Returns whether it is gnome-keyring.
    pub(crate) fn is_gnome_keyring(&self) -> bool {
        self.name.starts_with("gnome-keyring")
    }

    /// Returns whether it is KeePassXC.
    pub(crate) fn is_keepassxc(&self) -> bool {
        self.name.starts_with("keepassxc")
    }

    /// Returns whether dismissing a prompt that is on the screen harms the provider.
    pub(crate) fn breaks_on_dismissal(&self) -> bool {
        self.is_gnome_keyring() || self.is_kwallet()
    }

    /// Returns the message and the hint for a provider that does not answer.
    pub(crate) fn explain_silence(&self) -> (String, Sentence) {
        let Self { name, pid, .. } = self;
        if self.stopped {
            (
                format!("{name} (process {pid}) is stopped and does not answer"),
                Sentence::from("Let it go on with ")
                    .shell(format!("kill -CONT {pid}"))
                    .text(", or restart it."),
            )
        } else {
            (
                format!("{name} (process {pid}) hangs, or waits for an answer to a prompt"),
                format!("Look for a prompt on the screen; if there is none, restart {name}.")
                    .into(),
            )
        }
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Returns whether KWallet has this wallet open. The property `Locked` of its Secret Service can't tell: it
/// is true until a client first uses the wallet through that service.
pub(crate) async fn kwallet_is_open(bus: &mut Bus, budget: &Budget, wallet: &str) -> bool {
    for path in KWALLET_PATHS {
        let Ok(path) = ObjectPath::try_from(path) else {
            continue;
        };
        if let Ok(open) = bus.call(budget, &path, (KWALLET, "isOpen"), &wallet).await {
            return open;
        }
    }
    false
}

/// Returns the name of a process's program, from its command line. The kernel's own short name is cut at 15
/// bytes.
fn process_name(pid: u32) -> Option<String> {
    let command_line = read_process(pid, "cmdline")?;
    let program = command_line.split(|byte| *byte == 0).next()?;
    let program = String::from_utf8_lossy(program).into_owned();
    let name = Path::new(&program).file_name()?.to_string_lossy().into_owned();
    Some(printable(&name))
}

/// Reads a process's file in `/proc`.
fn read_process(pid: u32, name: &str) -> Option<Vec<u8>> {
    /// The largest file that is read, in bytes: more than any command line that the kernel shows.
    const LARGEST: u64 = 4 << 20;
    let path = PathBuf::from(format!("/proc/{pid}/{name}"));
    read(&path, Source::System, LARGEST).ok().map(|bytes| bytes.to_vec())
}

/// Returns whether the process is stopped, by a signal or a debugger (states `T` and `t` in
/// `proc_pid_stat(5)`).
fn is_stopped(pid: u32) -> bool {
    let stat = read_process(pid, "stat").unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The name stands in parentheses and may itself contain some, so the last counts.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    matches!(after_name.split_whitespace().next(), Some("T" | "t"))
}
