//! remindersd: what speaks to the world on behalf of the database. It decides nothing.

mod caller;
mod config;
mod database;
mod deliver;
mod limits;
mod logs;
mod measures;
mod openapi;
mod problem;
mod routes;
mod server;
mod signals;
mod standard_webhooks;
mod texts;
mod token;
mod unsubscribe;
mod webhooks;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{Config, Texting};

#[derive(Parser)]
#[command(version, about = "What speaks to the world for assignment_reminders", disable_help_subcommand = true)]
struct Arguments {
    /// The configuration file (TOML). Environment variables such as REMINDERSD_HTTP__LISTEN come before it.
    #[arg(long, short, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API over HTTP until SIGTERM or SIGINT, then finish what is under way.
    Serve,
    /// Send the messages that are due, by SMTP or to a webhook, until SIGTERM or SIGINT; then finish what is on the wire, and give back the rest.
    Deliver(deliver::Options),
    /// Check the configuration, and that the database is there and allows what it says.
    Check,
    /// Print what a shell completes our commands by.
    Completions { shell: Shell },
    /// Write the manual pages, one for each command.
    Man {
        /// The directory, such as /usr/local/share/man/man1; it is made where it is missing.
        directory: PathBuf,
    },
    /// Print the OpenAPI description.
    Openapi,
    /// Check templates: read each, and fill it in with samples of everything that may happen.
    CheckTemplates {
        /// A directory of templates, which come before those that are shipped. Without it: texts.directory of the configuration, or else the shipped ones.
        directory: Option<PathBuf>,
        /// Also what organizations have stored in the table message_templates, as far as the role of the configuration sees it.
        #[arg(long)]
        stored: bool,
    },
    /// Tell messages in the words of templates that organizations have stored: `deliver` starts it, and orders by standard input.
    #[command(name = texts::COMMAND, hide = true)]
    Tell,
    /// Write what would go out to files, from samples or about an assignment. Nothing is claimed, and nothing is sent.
    Preview(texts::Wish),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("remindersd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let config = arguments.config.as_deref();
    let format = logs::Format::wanted()?.unwrap_or_else(|| config::log_format(config));
    logs::start(format)?;
    match arguments.command {
        Command::Serve => server::serve(Config::read(config)?).await,
        Command::Deliver(options) => deliver::run(&Config::read(config)?, options).await,
        Command::Check => check(&Config::read(config)?).await,
        Command::Openapi => {
            println!("{}", openapi::routes().into_openapi().to_pretty_json().map_err(|error| error.to_string())?);
            Ok(())
        }
        Command::Completions { shell } => completions(shell),
        Command::Man { directory } => man(&directory),
        Command::CheckTemplates { directory, stored } => {
            check_templates(&Texting::read(config)?, directory.as_deref(), stored).await
        }
        Command::Tell => {
            // It ends with whoever started it, who finishes what is under way first.
            let _ended = signals::stop()?;
            tokio::task::block_in_place(texts::serve)
        }
        Command::Preview(wish) => texts::preview(Texting::read(config)?, wish).await,
    }
}

/// Checks what the configuration has sections for.
async fn check(config: &Config) -> Result<(), String> {
    if config.deliver.is_some() {
        deliver::check(config).await?;
    }
    if config.jwt.is_some() || config.deliver.is_none() {
        server::check(config).await?;
    }
    println!("the configuration and the database fit");
    Ok(())
}

fn completions(shell: Shell) -> Result<(), String> {
    // Written at once, since a pipe may be closed, which is no fault of ours.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "remindersd", &mut text);
    std::io::stdout().write_all(&text).map_err(|error| error.to_string())
}

fn man(directory: &Path) -> Result<(), String> {
    let written =
        std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(Arguments::command(), directory));
    written.map_err(|error| format!("{}: {error}", directory.display()))
}

async fn check_templates(config: &Texting, directory: Option<&Path>, stored: bool) -> Result<(), String> {
    let (stored, seen) = if stored {
        let stored = texts::stored(config, None).await?;
        let templates: usize = stored.values().map(Vec::len).sum();
        let seen = format!(", of those stored {templates} of {} organizations", stored.len());
        (stored, seen)
    } else {
        (HashMap::new(), String::new())
    };
    let complaints = texts::check(directory.or(config.texts.directory.as_deref()), stored)?;
    if complaints.is_empty() {
        println!("every template can be read and filled in{seen}");
        return Ok(());
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    Err(format!("{} {} to mend", complaints.len(), if complaints.len() == 1 { "mistake" } else { "mistakes" }))
}
