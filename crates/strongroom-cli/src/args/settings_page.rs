//! The flags of `settings`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(ClapArgs, Debug)]
pub(crate) struct SettingsPage {
    /// Print the link, and open nothing
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// Listen on this port [default: one that is free]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,

    /// Offer to move the secrets of this configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
