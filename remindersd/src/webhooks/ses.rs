//! Amazon SES, by SNS: its notifications and published events, in messages that SNS signs with RSA.
//!
//! Signature: <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>, messages:
//! <https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html>, events:
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html> and
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::Value;

use super::certificates::{Certificates, Digest};
use super::event::{Event, Report, Said, Status, joined, moment, text, words};
use super::{Delivery, Refused};

/// An hour of repeats (SNS's default for HTTP), and one.
const MAX_AGE: u64 = 2 * 3600;

pub struct Source {
    topic: String,
    /// Where the topic's region keeps its certificates.
    host: String,
    certificates: Certificates,
    max_age: u64,
}

impl Source {
    pub fn new(topic: &str, certificate_files: &[PathBuf], max_age: Option<u64>) -> Result<Self, String> {
        let host = host_of(topic).ok_or_else(|| format!("topic_arn {topic} is not the ARN of an SNS topic"))?;
        let certificates = Certificates::new(certificate_files)?;
        Ok(Self { topic: topic.to_string(), host, certificates, max_age: max_age.unwrap_or(MAX_AGE) })
    }

    pub async fn reports(&self, delivery: &Delivery<'_>) -> Result<Vec<Report>, Refused> {
        let message = delivery.json()?;
        self.verify(delivery, &message).await?;
        match text(&message, "/Type") {
            Some("SubscriptionConfirmation") => {
                // Whoever subscribed us is not asked back: that is for whoever runs this to decide.
                let url = text(&message, "/SubscribeURL").unwrap_or_default();
                tracing::warn!(
                    topic = self.topic,
                    url,
                    "SNS asks to confirm the subscription: open this URL if it was you"
                );
                return Ok(vec![Report::Ignored]);
            }
            Some("UnsubscribeConfirmation") => {
                tracing::warn!(topic = self.topic, "SNS tells that the topic's subscription has ended");
                return Ok(vec![Report::Ignored]);
            }
            _ => {}
        }
        // What SES says when the topic is set up is a sentence.
        let Some(Ok(event)) = text(&message, "/Message").map(serde_json::from_str::<Value>) else {
            return Ok(vec![Report::Ignored]);
        };
        // When SNS was told, which repeats say again.
        match report(&event, moment(&message, "/Timestamp")) {
            Report::Malformed(what) => Err(Refused::Malformed(what.to_string())),
            report => Ok(vec![report]),
        }
    }

    async fn verify(&self, delivery: &Delivery<'_>, message: &Value) -> Result<(), Refused> {
        if text(message, "/TopicArn") != Some(&self.topic) {
            return Err(Refused::Forged("the message is not of the topic that is configured"));
        }
        let timestamp = text(message, "/Timestamp").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        delivery.require_fresh(timestamp.map(|timestamp| timestamp.timestamp()), self.max_age)?;
        let digest = match text(message, "/SignatureVersion") {
            Some("1") => Digest::Sha1,
            Some("2") => Digest::Sha256,
            _ => return Err(Refused::Forged("SignatureVersion is neither 1 nor 2")),
        };
        let signature = text(message, "/Signature").and_then(|encoded| STANDARD.decode(encoded).ok());
        let signature = signature.ok_or(Refused::Forged("the signature is missing or not base64"))?;
        let signed = signed(message).ok_or(Refused::Forged("the message lacks what SNS signs"))?;
        let url = text(message, "/SigningCertURL").filter(|url| is_certificate_of(&self.host, url));
        let url = url.ok_or(Refused::Forged("SigningCertURL is not where SNS keeps its certificates"))?;
        self.certificates.verify(url, signed.as_bytes(), &signature, digest, delivery.now).await
    }
}

/// arn:aws:sns:eu-north-1:123456789012:topic
fn host_of(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let &["arn", partition, "sns", region, _, name] = parts.as_slice() else { return None };
    let is_region = region.contains('-') && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let domain = match partition {
        "aws" | "aws-us-gov" => "amazonaws.com",
        "aws-cn" => "amazonaws.com.cn",
        _ => return None,
    };
    (is_region && !name.is_empty()).then(|| format!("sns.{region}.{domain}"))
}

/// No more of a URL than that: nothing else on that host is taken for a certificate.
fn is_certificate_of(host: &str, url: &str) -> bool {
    url.strip_prefix("https://")
        .and_then(|rest| rest.strip_prefix(host))
        .and_then(|rest| rest.strip_prefix("/SimpleNotificationService-"))
        .and_then(|rest| rest.strip_suffix(".pem"))
        .is_some_and(|name| {
            !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// The text that SNS signs: names and values, each with a line end.
fn signed(message: &Value) -> Option<String> {
    let names: &[&str] = match text(message, "/Type")? {
        "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        }
        _ => return None,
    };
    let mut signed = String::new();
    for name in names {
        match message.get(name) {
            Some(Value::String(value)) => signed.extend([name, "\n", value, "\n"]),
            None | Some(Value::Null) if *name == "Subject" => {}
            _ => return None,
        }
    }
    Some(signed)
}

fn report(event: &Value, at: Option<i64>) -> Report {
    let Some(name) = text(event, "/eventType").or_else(|| text(event, "/notificationType")) else {
        return Report::Ignored; // another message of the topic's
    };
    let Some((said, part)) = said(name, event) else { return Report::Ignored };
    let message = text(event, "/mail/messageId");
    let which = text(event, &format!("/{part}/feedbackId")).or_else(|| text(event, &format!("/{part}/timestamp")));
    let id = message.map(|message| format!("ses:{message}/{name}/{}", which.unwrap_or_default()));
    // As it was given to SES, which sends it with a Message-ID of its own.
    Event::report(said, text(event, "/mail/commonHeaders/messageId"), message, id, at)
}

/// And the member that tells of it.
fn said(name: &str, event: &Value) -> Option<(Said, &'static str)> {
    Some(match name {
        "Delivery" => {
            let response = text(event, "/delivery/smtpResponse").map(ToString::to_string);
            ((Status::Delivered, response, None), "delivery")
        }
        "Bounce" => (bounce(event), "bounce"),
        "Complaint" => match text(event, "/complaint/complaintFeedbackType") {
            // The contrary of one.
            Some("not-spam") => return None,
            feedback => ((Status::Complained, feedback.map(ToString::to_string), None), "complaint"),
        },
        "DeliveryDelay" => {
            let told = recipient(event, "/deliveryDelay/delayedRecipients/0");
            let kind = text(event, "/deliveryDelay/delayType").map(words);
            ((Status::Bounced, told.or(kind), Some(false)), "deliveryDelay")
        }
        "Reject" => {
            let told = joined([Some("message rejected:"), text(event, "/reject/reason")]);
            ((Status::Rejected, told, None), "reject")
        }
        "Rendering Failure" => {
            let told = joined([Some("message rejected:"), text(event, "/failure/errorMessage")]);
            ((Status::Rejected, told, None), "failure")
        }
        "Subscription"
            if event.pointer("/subscription/newTopicPreferences/unsubscribeAll") == Some(&Value::Bool(true)) =>
        {
            ((Status::Unsubscribed, None, None), "subscription")
        }
        _ => return None,
    })
}

fn bounce(event: &Value) -> Said {
    let permanent = match text(event, "/bounce/bounceType") {
        Some("Permanent") => Some(true),
        Some("Transient") => Some(false),
        _ => None,
    };
    let kind = text(event, "/bounce/bounceSubType");
    if kind == Some("UnsubscribedRecipient") {
        return (Status::Unsubscribed, None, None);
    }
    // Where the remote server's words are missing, as of what SES did not even try.
    let kind = match kind {
        Some("AttachmentRejected") => Some("content rejected: attachment".to_string()),
        kind => kind.map(words),
    };
    (Status::Bounced, recipient(event, "/bounce/bouncedRecipients/0").or(kind), permanent)
}

/// What is told of the recipient; ours have one each.
fn recipient(event: &Value, at: &str) -> Option<String> {
    let diagnostic = text(event, &format!("{at}/diagnosticCode"))?;
    joined([text(event, &format!("{at}/status")), Some(diagnostic)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_its_certificates_in_its_region() {
        for (topic, host) in [
            ("arn:aws:sns:eu-north-1:123456789012:mail", Some("sns.eu-north-1.amazonaws.com")),
            ("arn:aws-cn:sns:cn-north-1:123456789012:mail", Some("sns.cn-north-1.amazonaws.com.cn")),
            ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:mail", Some("sns.us-gov-west-1.amazonaws.com")),
            ("arn:aws:sqs:eu-north-1:123456789012:mail", None),
            ("arn:aws:sns:evil.example.org/:123456789012:mail", None),
            ("arn:evil:sns:eu-north-1:123456789012:mail", None),
            ("arn:aws:sns:eu-north-1:123456789012:", None),
            ("mail", None),
        ] {
            assert_eq!(host_of(topic).as_deref(), host, "{topic}");
        }
    }

    #[test]
    fn a_certificate_is_nowhere_else() {
        let is_one = |url: &str| is_certificate_of("sns.eu-north-1.amazonaws.com", url);
        assert!(is_one(
            "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem"
        ));
        for url in [
            "http://sns.eu-north-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://sns.eu-north-1.amazonaws.com.evil.example.org/SimpleNotificationService-01.pem",
            "https://sns.eu-north-1.amazonaws.com@evil.example.org/SimpleNotificationService-01.pem",
            "https://sns.eu-north-1.amazonaws.com:8443/SimpleNotificationService-01.pem",
            "https://evil.example.org/sns.eu-north-1.amazonaws.com/SimpleNotificationService-01.pem",
            "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-../01.pem",
            "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-01.pem?x",
            "https://sns.eu-north-1.amazonaws.com/?Action=X&y=SimpleNotificationService-01.pem",
            "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-.pem",
            "",
        ] {
            assert!(!is_one(url), "{url}");
        }
    }

    #[test]
    fn what_sns_signs_is_as_it_says() {
        let message = serde_json::json!({
            "Type": "Notification", "MessageId": "1", "TopicArn": "t", "Message": "a\nb", "Timestamp": "now", "Signature": "s",
        });
        assert_eq!(
            signed(&message).as_deref(),
            Some("Message\na\nb\nMessageId\n1\nTimestamp\nnow\nTopicArn\nt\nType\nNotification\n")
        );
        let mut with_subject = message.clone();
        with_subject["Subject"] = "s".into();
        assert!(signed(&with_subject).is_some_and(|signed| signed.contains("MessageId\n1\nSubject\ns\nTimestamp\n")));
        let mut without = message;
        without["Message"] = 7.into();
        assert_eq!(signed(&without), None);
    }
}
