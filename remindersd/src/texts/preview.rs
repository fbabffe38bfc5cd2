//! `remindersd preview`: what would go out, written to files. Nothing is claimed, and nothing is sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::Address;
use lettre::message::Mailbox;
use uuid::Uuid;

use super::check::StoredTemplates;
use super::kinds::Kind;
use super::{Rendered, Texts, check, locales, samples};
use crate::config;
use crate::deliver::letter::{Letter, Sender};
use crate::deliver::message::Message;
use crate::deliver::queue::Queue;

/// What somebody wants to see.
#[derive(clap::Args)]
pub struct Wish {
    /// In this locale alone, such as nb-NO. Without it: samples in each that there are texts in, an assignment in its people's.
    #[arg(long)]
    locale: Option<String>,
    /// Of this kind alone: contact-reminder, contact-escalation, due, daily-summary, notice, general or digest.
    #[arg(long)]
    kind: Option<String>,
    /// What would go out about this assignment, as the database has it. Without it: samples.
    #[arg(long)]
    assignment: Option<Uuid>,
    /// Samples in the words of this organization, also those that it has stored, where the configuration names a database.
    #[arg(long, conflicts_with = "assignment")]
    organization: Option<Uuid>,
    /// The directory to write to.
    #[arg(long, default_value = "preview")]
    out: PathBuf,
}

/// Writes each message as .eml, .html and .txt, and says which.
pub async fn preview(config: config::Texting, mut wish: Wish) -> Result<(), String> {
    let kind = wish.kind.take().map(|name| kind_called(&name)).transpose()?;
    if let Some(locale) = wish.locale.as_deref().filter(|locale| locales::parsed(locale).is_none()) {
        return Err(format!("{locale:?} is no locale, such as nb-NO"));
    }
    let is_sample = wish.assignment.is_none();
    let mut settings = config.texts.clone();
    if is_sample && settings.links.is_empty() {
        // Otherwise the samples would not show where links stand.
        settings.links = check::example_links();
    }
    let mut texts = Texts::new(&settings).map_err(|complaints| complaints.join("\n"))?;
    let messages = match wish.assignment {
        None => of_samples(&texts, wish.locale.as_deref(), kind, wish.organization),
        Some(assignment) => {
            let messages = queue(&config)?.messages_about(assignment).await.map_err(|trouble| trouble.to_string())?;
            of_assignment(messages, wish.locale.as_deref(), kind)
        }
    };
    let organization =
        wish.organization.or(messages.first().filter(|_| !is_sample).map(|(_, told)| told.organization_id));
    if let Some(organization) = organization.filter(|_| config.database_url().is_some()) {
        let templates = stored(&config, Some(organization)).await?.remove(&organization);
        texts.store(organization, templates.unwrap_or_default());
    }
    if messages.is_empty() {
        println!("nothing of this kind would go out");
        return Ok(());
    }
    std::fs::create_dir_all(&wish.out).map_err(|error| format!("{}: {error}", wish.out.display()))?;
    for (name, message) in messages {
        let rendered = if is_sample { texts.render_at(&message, samples::now()) } else { texts.render(&message) };
        let rendered = rendered.map_err(|error| format!("{name}: {error}"))?;
        let path = wish.out.join(&name);
        write(&path, "txt", &format!("Subject: {}\n\n{}", rendered.subject, rendered.text))?;
        write(&path, "html", &rendered.html)?;
        println!("{}.eml, in {}", path.display(), rendered.locale);
        write(&path, "eml", &mail(&message, &rendered)?)?;
    }
    Ok(())
}

fn queue(config: &config::Texting) -> Result<Queue, String> {
    let url = config.database_url().ok_or("configuration: database.url is missing")?;
    Queue::new(url, 1, Duration::ZERO)
}

/// The words that an organization, or (none) each, has stored.
pub async fn stored(config: &config::Texting, organization: Option<Uuid>) -> Result<StoredTemplates, String> {
    queue(config)?.templates(organization).await.map_err(|trouble| trouble.to_string())
}

fn kind_called(name: &str) -> Result<Kind, String> {
    let kinds = || Kind::ALL.map(Kind::name).join(", ");
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("{name:?} is no kind of message: {}", kinds()))
}

fn of_samples(
    texts: &Texts,
    locale: Option<&str>,
    kind: Option<Kind>,
    organization: Option<Uuid>,
) -> Vec<(String, Message)> {
    let locales = locale.map_or_else(|| texts.library.locales(), |locale| vec![locale.to_string()]);
    let kinds = Kind::ALL.into_iter().filter(|of| kind.is_none_or(|kind| kind == *of));
    let of_kind = |kind: Kind| {
        locales.iter().map(move |locale| {
            let mut message = samples::typical(kind, locale);
            message.organization_id = organization.unwrap_or(message.organization_id);
            (format!("{}-{locale}", kind.name()), message)
        })
    };
    kinds.flat_map(of_kind).collect()
}

fn of_assignment(messages: Vec<Message>, locale: Option<&str>, kind: Option<Kind>) -> Vec<(String, Message)> {
    let wanted = messages.into_iter().filter(|message| kind.is_none() || kind == Kind::of_message(message));
    let named = wanted.map(|mut message| {
        if let Some(locale) = locale {
            message.recipient_locale = Some(locale.to_string());
        }
        let reminder_type = message.items.first().map_or("nothing", |item| item.reminder_type.as_str());
        // A type is any text: not every one names a file.
        let name = reminder_type.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
        (format!("{name}-{}", message.recipient_locale.as_deref().unwrap_or(locales::LAST)), message)
    });
    named.collect()
}

fn write(path: &Path, extension: &str, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), String> {
    // A name may hold a full stop, which is no extension.
    let mut name = path.as_os_str().to_os_string();
    name.push(format!(".{extension}"));
    std::fs::write(&name, content).map_err(|error| format!("{}: {error}", Path::new(&name).display()))
}

/// As a mail program opens it. Who sends it is not known here.
fn mail(message: &Message, rendered: &Rendered) -> Result<Vec<u8>, String> {
    let mut message = message.clone();
    message.recipient_email.get_or_insert_with(|| "recipient@example.invalid".to_string());
    let sender = Sender {
        from: Mailbox::new(None, Address::new("reminders", "example.invalid").map_err(|error| error.to_string())?),
        reply_to: None,
    };
    Letter::new(&message, rendered, &sender).map(|letter| letter.bytes).map_err(|why| why.0)
}
