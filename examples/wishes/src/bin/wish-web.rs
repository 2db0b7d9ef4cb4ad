//! A web application whose keys leave its configuration file at the first run, and come back by an export.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::PathBuf;

use strongroom::{Config, Layout, Result};
use strongroom_config::{ConfigFile, FirstRun, Rule, Rules};

fn main() -> Result<()> {
    let path: PathBuf = std::env::args_os().nth(1).expect("the configuration file is named").into();
    let rules = Rules::new()
        .with_rule(Rule::new("apiKeys.anthropic".parse()?, "anthropic-api-key"))
        .with_rule(Rule::new("apiKeys.openai".parse()?, "openai-api-key"));
    let file = ConfigFile::new(path, rules)?;
    let secrets = Config::new("choragen").layout(Layout::Entries);
    match file.first_run(secrets)? {
        FirstRun::Secured(done) => println!("{} keys are in {}", done.secrets.len(), done.backend),
        FirstRun::NoStore(error) => println!("keys stay in the file: {error}"),
        _ => println!("there is nothing to do"),
    }
    Ok(())
}
