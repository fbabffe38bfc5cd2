//! What would be sent: all of it is claimed and rendered, said, and given back.

use std::collections::BTreeMap;

use chrono::Utc;
use tokio::sync::watch;

use super::Office;
use super::dispatch::LAST;
use super::message::{Held, Message};
use super::queue::Claimed;
use super::send::{NoLetter, Written, write};

/// Says it on standard output, a line for each message.
pub async fn rehearse(office: &Office, stopping: watch::Receiver<bool>) -> Result<(), String> {
    let mut held: Vec<Held> = Vec::new();
    let (mut messages, mut faults) = (0_usize, 0_usize);
    let done = loop {
        if *stopping.borrow() {
            break Ok(());
        }
        // Held until the end, or they would come again.
        let claimed = match office.queue.claim(office.batch).await {
            Ok(claimed) if claimed.is_empty() => break Ok(()),
            Ok(claimed) => claimed,
            Err(trouble) => break Err(trouble.to_string()),
        };
        for claimed in claimed {
            messages += 1;
            let said = match claimed {
                Claimed::Unreadable { claim_id, reminder_ids, why } => {
                    let claimed_until = Utc::now() + office.lease;
                    held.push(Held { organization_id: claim_id, claim_id, claimed_until, reminder_ids });
                    Err(format!("a message cannot be read: {why}"))
                }
                Claimed::Readable(mut message) => {
                    held.push(Held::from((*message).clone()));
                    let to = message.recipient_email.clone().unwrap_or_default();
                    let about = about(&message);
                    match office.mail.of(message.organization_id) {
                        None => Err(format!(
                            "{to}: no mail server or webhook is configured for {}",
                            message.organization_id
                        )),
                        Some(way) => match write(office, way, &mut message).await {
                            Ok(Written::Parcel(hook, body)) => Ok(format!(
                                "{to} by {}: {} ({about}), {} bytes",
                                hook.name(),
                                message.idempotency_key,
                                body.len()
                            )),
                            Ok(Written::Letter(server, letter)) => Ok(format!(
                                "{} from {} by {}: {} ({about}), {} bytes",
                                letter.envelope.to,
                                letter.envelope.from,
                                server.name(),
                                letter.message_id,
                                letter.bytes.len()
                            )),
                            Err(NoLetter::NotNow(why) | NoLetter::Never(why, _)) => Err(format!("{to}: {why}")),
                        },
                    }
                }
            };
            match said {
                Ok(line) => println!("would send to {line}"),
                Err(line) => {
                    faults += 1;
                    println!("could not send to {line}");
                }
            }
        }
    };
    office.queue.give_back(held).await;
    let given_back = async {
        while office.queue.late_answers() > 0 {
            office.queue.settles().await;
        }
    };
    // Where it takes longer, what is still held is counted below.
    let _ = tokio::time::timeout(LAST, given_back).await;
    let kept = office.queue.unrecorded() + office.queue.late_answers();
    done?;
    if kept > 0 {
        return Err(format!(
            "{messages} messages, {kept} of which were not given back, and are due again when their lease ends: the log says why"
        ));
    }
    println!("{messages} messages, {faults} of which could not be sent; all given back");
    if faults > 0 { Err(format!("{faults} messages could not be sent")) } else { Ok(()) }
}

/// The types of its items, and how many of each there are.
fn about(message: &Message) -> String {
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &message.items {
        *types.entry(item.reminder_type.as_str()).or_default() += 1;
    }
    let said = types.into_iter().take(5).map(|(name, number)| match number {
        1 => name.to_string(),
        number => format!("{number} {name}"),
    });
    said.collect::<Vec<_>>().join(", ")
}
