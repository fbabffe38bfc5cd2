//! remindersd: what speaks to the world on behalf of the database. It decides nothing.

mod caller;
mod config;
mod database;
mod deliver;
mod limits;
mod openapi;
mod problem;
mod routes;
mod server;
mod signals;
mod texts;
mod token;
mod unsubscribe;
mod webhooks;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;

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
    /// Send the messages that are due, by SMTP, until SIGTERM or SIGINT; then finish what is on the wire, and give back the rest.
    Deliver(deliver::Options),
    /// Check the configuration, and that the database is there and allows what it says.
    Check,
    /// Print the OpenAPI description.
    Openapi,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("REMINDERSD_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("remindersd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    if matches!(arguments.command, Command::Openapi) {
        println!("{}", openapi::routes().into_openapi().to_pretty_json().map_err(|error| error.to_string())?);
        return Ok(());
    }
    let config = Config::read(arguments.config.as_deref())?;
    match arguments.command {
        Command::Serve => server::serve(config).await,
        Command::Deliver(options) => deliver::run(&config, options).await,
        Command::Check => check(&config).await,
        Command::Openapi => Ok(()),
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
