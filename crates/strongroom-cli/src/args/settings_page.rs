//! The flags of `settings`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(ClapArgs, Debug)]
pub(crate) struct SettingsPage {
    /// Print the link, and open nothing
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// Listen on this port of 127.0.0.1, as a tunnel needs [default: an address that is new each time]
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,

    /// Offer to move the secrets of this configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
