//! Who serves secrets, and what only that provider's own interface tells.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strongroom_core::Deadlines;
use strongroom_files::{Source, read};
use zbus::ObjectPath;

use crate::budget::Budget;
use crate::bus::Bus;
use crate::text::printable;

/// How long finding out who hangs may take, after a deadline that has already passed.
const INQUIRY: Duration = Duration::from_millis(200);

/// The objects and the interface of KWallet's own, in KDE 5 and 6.
const KWALLET_PATHS: [&str; 2] = ["/modules/kwalletd5", "/modules/kwalletd6"];
const KWALLET: &str = "org.kde.KWallet";

/// Who shows gnome-keyring's prompts.
pub(crate) const PROMPTER: &str = "org.gnome.keyring.SystemPrompter";

/// The process that serves secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    name: String,
    pid: u32,
    stopped: bool,
}

impl Provider {
    /// Asks the bus and the system who it is. The bus answers even where the provider hangs.
    pub(crate) async fn find(bus: &Bus) -> Option<Self> {
        let budget = Budget::start(Deadlines::both(INQUIRY), bus.runtime());
        let pid = bus.owner_pid(&budget).await?;
        Some(Self { name: process_name(pid)?, pid, stopped: is_stopped(pid) })
    }

    /// Whether it is KWallet, of any version.
    pub(crate) fn is_kwallet(&self) -> bool {
        self.name.starts_with("kwalletd") || self.name.starts_with("ksecretd")
    }

    /// Whether it is gnome-keyring.
    pub(crate) fn is_gnome_keyring(&self) -> bool {
        self.name.starts_with("gnome-keyring")
    }

    /// Whether it is KeePassXC.
    pub(crate) fn is_keepassxc(&self) -> bool {
        self.name.starts_with("keepassxc")
    }

    /// Whether dismissing a prompt that is on the screen does it harm.
    pub(crate) fn breaks_on_dismissal(&self) -> bool {
        self.is_gnome_keyring() || self.is_kwallet()
    }

    /// What it does in place of answering, and what to do about it.
    pub(crate) fn explain_silence(&self) -> (String, String) {
        let Self { name, pid, .. } = self;
        if self.stopped {
            (
                format!("{name} (process {pid}) is stopped and does not answer"),
                format!("Let it go on with `kill -CONT {pid}`, or restart it."),
            )
        } else {
            (
                format!("{name} (process {pid}) hangs, or waits for an answer to a prompt"),
                format!("Look for a prompt on the screen; if there is none, restart {name}."),
            )
        }
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Whether KWallet has this wallet open, whatever its Secret Service says: its `Locked` is true
/// until somebody first uses the wallet through that.
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

/// The program's name. The kernel's own short name is cut at 15 bytes.
fn process_name(pid: u32) -> Option<String> {
    let command_line = read_process(pid, "cmdline")?;
    let program = command_line.split(|byte| *byte == 0).next()?;
    let program = String::from_utf8_lossy(program).into_owned();
    let name = Path::new(&program).file_name()?.to_string_lossy().into_owned();
    Some(printable(&name))
}

/// Reads a file of the kernel's about a process.
fn read_process(pid: u32, name: &str) -> Option<Vec<u8>> {
    /// More than any command line that is shown, in bytes.
    const LARGEST: u64 = 4 << 20;
    let path = PathBuf::from(format!("/proc/{pid}/{name}"));
    read(&path, Source::System, LARGEST).ok().map(|bytes| bytes.to_vec())
}

/// Whether a signal stopped the process (state `T` in `proc_pid_stat(5)`).
fn is_stopped(pid: u32) -> bool {
    let stat = read_process(pid, "stat").unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    matches!(after_name.split_whitespace().next(), Some("T" | "t"))
}
