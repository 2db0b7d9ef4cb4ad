//! `man`: the manual, as a single page or as a page per command.

use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use strongroom_files::replace_readable;

use crate::args;
use crate::exit::{self, Exit};
use crate::failure::{Failure, Result};
use crate::output::Output;

/// Prints a single page about everything, or writes a page per command into a directory.
pub(super) fn run(dir: Option<&Path>, output: &mut Output) -> Result<Exit> {
    // The manual needs no pages for `help`, which clap adds at each level.
    let mut command = args::command().disable_help_subcommand(true);
    command.build();
    match dir {
        None => {
            let mut page = Vec::new();
            write_page(&command, &mut page)?;
            output.raw(&page)?;
        }
        Some(dir) => {
            let count = write_files(&command, dir).map_err(|cause| {
                let message = format!("cannot write the manual to {}", dir.display());
                Failure::io(message, &cause, "Choose a directory that you may write to.")
            })?;
            output.confirm(format_args!("Wrote {count} pages to {}.", dir.display()));
        }
    }
    Ok(Exit::Done)
}

fn write_files(command: &Command, dir: &Path) -> io::Result<usize> {
    std::fs::create_dir_all(dir)?;
    let mut count = 0;
    for command in with_all_below(command) {
        let mut page = Vec::new();
        write_page(command, &mut page)?;
        // All users may read the manual, unlike the other files that this program writes.
        replace_readable(&dir.join(Man::new(command.clone()).get_filename()), &page)?;
        count += 1;
    }
    Ok(count)
}

fn write_page(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        commands(command).to_writer(page)?;
    } else if let Some(notes) = command.get_after_help() {
        lines("NOTES", &notes.to_string()).to_writer(page)?;
    }
    let codes = exit::help();
    let (_title, codes) = codes.split_once('\n').unwrap_or_default();
    lines("EXIT STATUS", codes).to_writer(page)
}

/// Returns a section on all commands below a command: their usage and their purpose.
fn commands(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in with_all_below(command).into_iter().filter(|command| !command.has_subcommands())
    {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").to_owned();
        roff.control("TP", []);
        roff.text([bold(usage)]);
        roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    }
    roff
}

/// Returns a section whose lines are not filled.
fn lines(title: &str, text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

fn with_all_below(command: &Command) -> Vec<&Command> {
    let mut all = vec![command];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        all.extend(with_all_below(below));
    }
    all
}
