//! Webhooks of mail providers, signed here as they sign.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use rsa::RsaPrivateKey;
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::service::{Answer, Clients, Request, Service, now};
use crate::support::{row, rows, run};

const A: &str = "a0000000-0000-4000-8000-000000000000";
const B: &str = "b0000000-0000-4000-8000-000000000000";
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/keys");
const TOPIC: &str = "arn:aws:sns:eu-north-1:123456789012:mail";
const SIGNING_KEY: &str = "key-of-mailgun";
const PASSWORD: &str = "a password of sixteen bytes or more";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const CERTIFICATE: &str =
    "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem";

const SENDGRID: &str = include_str!("webhooks/sendgrid.json");
const MAILGUN: &str = include_str!("webhooks/mailgun.json");
const POSTMARK: &str = include_str!("webhooks/postmark.json");
const SES: &str = include_str!("webhooks/ses.json");

/// Of a and b, whose secrets differ.
fn sources() -> String {
    let public = |number| {
        let key = sendgrid_key(number).verifying_key().to_public_key_der().expect("a key");
        STANDARD.encode(key.as_bytes())
    };
    let (first, second) = (public(1), public(2));
    format!(
        "[webhooks]
         role = '{{worker}}'
         sources = [
           {{ provider = 'sendgrid', organization = '{A}', public_key = '{first}' }},
           {{ provider = 'sendgrid', organization = '{B}', public_key = '{second}' }},
           {{ provider = 'mailgun', organization = '{A}', signing_key = '{SIGNING_KEY}' }},
           {{ provider = 'mailgun', organization = '{B}', signing_key = 'another' }},
           {{ provider = 'postmark', organization = '{A}', user = 'postmark', password = '{PASSWORD}' }},
           {{ provider = 'postmark', organization = '{B}', user = 'postmark', password = '{PASSWORD}, of b' }},
           {{ provider = 'ses', organization = '{A}', topic_arn = '{TOPIC}', certificate_files = ['{KEYS}/sns-expired.pem', '{KEYS}/sns.pem'] }},
           {{ provider = 'ses', organization = '{B}', topic_arn = '{TOPIC}', certificate_files = ['{KEYS}/sns-expired.pem'] }},
           {{ provider = 'generic', organization = '{A}', secret = '{OTHER_SECRET}' }},
           {{ provider = 'generic', organization = '{A}', secret = '{SECRET}' }},
           {{ provider = 'generic', organization = '{B}', secret = '{OTHER_SECRET}' }},
         ]
        ",
    )
    .replace("\n           ", " ")
    .replace("\n         ]", " ]")
    .replace(", ]", " ]")
}

/// The service, with a message of each id that was sent to the student of a.
fn service(messages: &[&str]) -> Service {
    let mut service = Service::configured(&sources());
    for message in messages {
        run(
            &mut service.owner,
            &format!(
                "INSERT INTO send_logs (organization_id, to_email, message_id) VALUES ('{A}', 'student@example.org', '{message}')"
            ),
        );
    }
    service
}

fn sendgrid_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).expect("a key")
}

/// A request, before it is sent.
#[derive(Clone)]
struct Hook {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Hook {
    fn new(provider: &str, headers: Vec<(&'static str, String)>, body: impl Into<String>) -> Self {
        Self { path: format!("/webhooks/{provider}/{A}"), headers, body: body.into() }
    }

    fn to(&self, organization: &str) -> Self {
        Self { path: self.path.replace(A, organization), ..self.clone() }
    }

    fn send(&self, service: &Clients) -> Answer {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        service.send(&Request {
            method: "POST",
            path: &self.path,
            token: None,
            headers: &headers,
            body: Some(&self.body),
        })
    }
}

fn sendgrid_by(key: &SigningKey, timestamp: u64, body: &str) -> Hook {
    let signature: Signature = key.sign(format!("{timestamp}{body}").as_bytes());
    let headers = vec![
        ("x-twilio-email-event-webhook-signature", STANDARD.encode(signature.to_der())),
        ("x-twilio-email-event-webhook-timestamp", timestamp.to_string()),
    ];
    Hook::new("sendgrid", headers, body)
}

fn sendgrid(body: &str) -> Hook {
    sendgrid_by(&sendgrid_key(1), now(), body)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).expect("a key").chain_update(text).finalize().into_bytes().to_vec()
}

fn mailgun_by(key: &str, timestamp: u64, token: &str, event: &Value) -> Hook {
    let signature = base16ct::lower::encode_string(&hmac(key.as_bytes(), &format!("{timestamp}{token}")));
    let body = json!({
        "signature": {"timestamp": timestamp.to_string(), "token": token, "signature": signature},
        "event-data": event["event-data"],
    });
    Hook::new("mailgun", Vec::new(), body.to_string())
}

fn mailgun(event: &Value) -> Hook {
    mailgun_by(SIGNING_KEY, now(), &event.to_string(), event)
}

fn postmark_by(credentials: &str, body: &str) -> Hook {
    Hook::new("postmark", vec![("authorization", format!("Basic {}", STANDARD.encode(credentials)))], body)
}

fn postmark(body: &str) -> Hook {
    postmark_by(&format!("postmark:{PASSWORD}"), body)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A notification that holds this event, not signed yet.
fn notification(event: &str, timestamp: u64) -> Value {
    let timestamp = chrono::DateTime::from_timestamp(timestamp.cast_signed(), 0).expect("a moment");
    json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Subject": "Amazon SES Email Event Notification",
        "Message": event, "Timestamp": timestamp.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), "SignatureVersion": "2", "SigningCertURL": CERTIFICATE,
    })
}

fn rsa_key(name: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(&std::fs::read_to_string(format!("{KEYS}/{name}")).expect("a key")).expect("a key")
}

fn sns_by(key: &str, mut message: Value) -> Hook {
    let names: &[&str] = if message["Type"] == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let mut signed = String::new();
    for name in names {
        if let Some(value) = message[name].as_str() {
            signed.extend([name, "\n", value, "\n"]);
        }
    }
    let signature = if message["SignatureVersion"] == "1" {
        pkcs1v15::SigningKey::<sha1::Sha1>::new(rsa_key(key)).sign(signed.as_bytes()).to_vec()
    } else {
        pkcs1v15::SigningKey::<Sha256>::new(rsa_key(key)).sign(signed.as_bytes()).to_vec()
    };
    message["Signature"] = STANDARD.encode(signature).into();
    let headers = vec![("content-type", "text/plain; charset=UTF-8".to_string())];
    Hook::new("ses", headers, message.to_string())
}

fn ses(event: &str) -> Hook {
    sns_by("rs256.pem", notification(event, now()))
}

fn generic_by(secret: &str, id: &str, timestamp: u64, body: &Value) -> Hook {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let signature = STANDARD.encode(hmac(&key, &format!("{id}.{timestamp}.{body}")));
    let headers = vec![
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", format!("v1a,abc v1,c2lnbmF0dXJl v1,{signature}")),
    ];
    Hook::new("generic", headers, body.to_string())
}

fn bounced() -> Value {
    json!({"type": "bounced", "data": {"message_id": "<m@example.org>", "error": "550 5.1.1 no such user"}})
}

fn generic(id: &str, body: &Value) -> Hook {
    generic_by(SECRET, id, now(), body)
}

#[track_caller]
fn assert_counts(answer: &Answer, counts: [u32; 5]) {
    let [recorded, repeated, unknown, ignored, refused] = counts;
    let expected =
        json!({"recorded": recorded, "repeated": repeated, "unknown": unknown, "ignored": ignored, "refused": refused});
    assert_eq!((answer.status, &answer.body), (200, &expected), "{answer:?}");
}

fn events(service: &mut Service) -> Vec<String> {
    rows(
        &mut service.owner,
        "SELECT message_id, status, verdict, event_id FROM send_logs WHERE status <> 'queued' ORDER BY created_at, id",
    )
}

fn opt_out(service: &mut Service) -> String {
    row(
        &mut service.owner,
        "SELECT contact_opt_out, contact_opt_out_reason FROM users WHERE email = 'student@example.org' AND organization_id::text LIKE 'a%'",
    )
}

#[test]
fn a_batch_of_sendgrids_is_recorded_once_and_what_comes_later_is_found_by_its_own_name() {
    let mut service = service(&["<14c5d75ce93.dfd.64b469@ismtpd-555>"]);
    let hook = sendgrid(SENDGRID);
    assert_counts(&hook.send(&service), [3, 0, 1, 2, 0]);
    let recorded = events(&mut service);
    assert_eq!(
        recorded,
        [
            "<14c5d75ce93.dfd.64b469@ismtpd-555>|bounced|soft|sendgrid:t7LEShmowp86DTdUW8M-GQ==",
            "<14c5d75ce93.dfd.64b469@ismtpd-555>|delivered|-|sendgrid:rWVYmVk90MjZJ9iohOBa3w==",
            // Which has no smtp-id.
            "<14c5d75ce93.dfd.64b469@ismtpd-555>|complained|-|sendgrid:37nvH5QBz858KGVYCM4uOA==",
        ]
    );
    assert_eq!(opt_out(&mut service), "t|complained");
    assert_eq!(
        row(
            &mut service.owner,
            "SELECT provider_message_id FROM send_logs WHERE status = 'queued' AND message_id LIKE '<%'"
        ),
        "14c5d75ce93.dfd.64b469"
    );
    assert_counts(&hook.send(&service), [0, 3, 1, 2, 0]);
    assert_eq!(events(&mut service), recorded);
    let measures =
        service.send(&Request { method: "GET", path: "/metrics", token: None, headers: &[], body: None }).body;
    let measures = measures.as_str().expect("text");
    assert!(
        measures.contains(r#"remindersd_webhook_events_total{provider="sendgrid",outcome="recorded"} 3"#),
        "{measures}"
    );
    assert!(measures.contains(r#"route="/webhooks/{provider}/{organization}",status="200"} 2"#), "{measures}");
}

#[test]
fn what_mailgun_postmark_and_ses_report_is_recorded_once() {
    for (message, hook, event) in [
        (
            "<20130503192659.13651.20287@mg.example.org>",
            mailgun(&parsed(MAILGUN)),
            "<20130503192659.13651.20287@mg.example.org>|bounced|hard|mailgun:G9Bn5sl1TC6nu79C8C0bwg",
        ),
        (
            "883953f4-6105-42a2-a16a-77a8eac79483",
            postmark(POSTMARK),
            "883953f4-6105-42a2-a16a-77a8eac79483|bounced|hard|postmark:Bounce/883953f4-6105-42a2-a16a-77a8eac79483/4323372036854775807",
        ),
        (
            "<ours@example.org>",
            ses(SES),
            "<ours@example.org>|bounced|hard|ses:EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000/Bounce/01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        ),
        (
            "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            ses(SES),
            "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000|bounced|hard|ses:EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000/Bounce/01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
        ),
        ("<m@example.org>", generic("e1", &bounced()), "<m@example.org>|bounced|hard|generic:e1"),
    ] {
        let mut service = service(&[message]);
        assert_counts(&hook.send(&service), [1, 0, 0, 0, 0]);
        assert_counts(&hook.send(&service), [0, 1, 0, 0, 0]);
        assert_eq!(events(&mut service), [event]);
        assert!(opt_out(&mut service).starts_with("t|hard bounce"), "{event}");
    }
}

/// Sends an event of a message, with this id of its own, and compares what was logged with what is expected; None: nothing.
fn assert_logged(service: &mut Service, number: usize, hook: &dyn Fn(&str) -> Hook, expected: Option<&str>) {
    let answer = hook(&format!("event-{number}")).send(service);
    assert_counts(&answer, if expected.is_some() { [1, 0, 0, 0, 0] } else { [0, 0, 0, 1, 0] });
    if let Some(expected) = expected {
        let logged = row(
            &mut service.owner,
            "SELECT status, verdict, error FROM send_logs WHERE status <> 'queued' ORDER BY created_at DESC, id DESC LIMIT 1",
        );
        assert_eq!(logged, expected, "{answer:?}");
    }
}

#[test]
fn each_kind_of_event_of_sendgrid_is_what_the_database_calls_it() {
    let mut service = service(&["m"]);
    for (number, (event, expected)) in [
        (json!({"event": "delivered", "response": "250 OK"}), Some("delivered|-|250 OK")),
        (
            json!({"event": "bounce", "type": "bounce", "status": "5.0.0", "reason": "550 gone"}),
            Some("bounced|hard|5.0.0 550 gone"),
        ),
        (
            json!({"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "550 5.7.1 no"}),
            Some("bounced|sender|5.7.1 550 5.7.1 no blocked"),
        ),
        (
            json!({"event": "bounce", "type": "blocked", "status": "4.2.2", "reason": "452 4.2.2 mailbox full"}),
            Some("bounced|soft|4.2.2 452 4.2.2 mailbox full blocked"),
        ),
        (
            json!({"event": "bounce", "type": "bounce", "reason": "gone", "bounce_classification": "Unclassified"}),
            Some("bounced|soft|gone"),
        ),
        (
            json!({"event": "bounce", "type": "bounce", "reason": "no", "bounce_classification": "Reputation"}),
            Some("bounced|sender|no Reputation"),
        ),
        (json!({"event": "dropped", "reason": "Bounced Address"}), Some("rejected|hard|Bounced Address")),
        (json!({"event": "dropped", "reason": "Spam Content"}), Some("rejected|sender|message rejected: Spam Content")),
        (json!({"event": "dropped", "reason": "Unsubscribed Address"}), Some("unsubscribed|-|-")),
        (json!({"event": "dropped", "reason": "Spam Reporting Address"}), Some("complained|-|-")),
        (json!({"event": "group_unsubscribe"}), Some("unsubscribed|-|-")),
        (json!({"event": "unsubscribe"}), Some("unsubscribed|-|-")),
        (json!({"event": "group_resubscribe"}), None),
        (json!({"event": "click"}), None),
        (json!({"event": "of tomorrow"}), None),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = |id: &str| {
            let mut event = event.clone();
            event["sg_event_id"] = id.into();
            event["sg_message_id"] = "m.recvd-1".into();
            sendgrid(&json!([event]).to_string())
        };
        assert_logged(&mut service, number, &hook, expected);
    }
}

#[test]
fn each_kind_of_event_of_mailgun_is_what_the_database_calls_it() {
    let mut service = service(&["m"]);
    let failed = |severity: &str, reason: &str, code: u16, message: &str| json!({"event": "failed", "severity": severity, "reason": reason, "delivery-status": {"code": code, "message": message}});
    for (number, (event, expected)) in [
        (json!({"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}}), Some("delivered|-|250 OK")),
        (failed("temporary", "generic", 550, "5.1.1 unknown"), Some("bounced|soft|550 5.1.1 unknown")),
        (failed("permanent", "bounce", 554, "gone"), Some("bounced|hard|554 gone")),
        (failed("permanent", "old", 602, "Too old"), Some("bounced|soft|602 Too old")),
        (failed("permanent", "espblock", 550, "no"), Some("bounced|sender|550 no blocked")),
        (failed("permanent", "suppress-unsubscribe", 606, "x"), Some("unsubscribed|-|606 x")),
        (failed("permanent", "suppress-complaint", 607, "x"), Some("complained|-|607 x")),
        (
            json!({"event": "rejected", "reject": {"reason": "Sandbox"}}),
            Some("rejected|sender|message rejected: Sandbox"),
        ),
        (json!({"event": "complained"}), Some("complained|-|-")),
        (json!({"event": "unsubscribed"}), Some("unsubscribed|-|-")),
        (json!({"event": "opened"}), None),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = |id: &str| {
            let mut event = event.clone();
            event["id"] = id.into();
            event["message"] = json!({"headers": {"message-id": "m"}});
            mailgun(&json!({"event-data": event}))
        };
        assert_logged(&mut service, number, &hook, expected);
    }
}

#[test]
fn each_kind_of_event_of_postmark_is_what_the_database_calls_it() {
    let mut service = service(&["m"]);
    let bounce = |kind: &str, details: &str| json!({"RecordType": "Bounce", "Type": kind, "Details": details});
    let suppressed = |reason: &str, origin: &str| json!({"RecordType": "SubscriptionChange", "SuppressSending": true, "SuppressionReason": reason, "Origin": origin});
    for (number, (event, expected)) in [
        (json!({"RecordType": "Delivery", "Details": "ok"}), Some("delivered|-|ok")),
        (bounce("HardBounce", "gone"), Some("bounced|hard|hard bounce: gone")),
        (bounce("SoftBounce", "550 5.1.1 gone"), Some("bounced|soft|soft bounce: 550 5.1.1 gone")),
        (bounce("Transient", "try later"), Some("bounced|soft|transient: try later")),
        (bounce("SpamNotification", "no"), Some("rejected|sender|spam notification: no")),
        (bounce("Blocked", "no"), Some("rejected|sender|blocked: no")),
        (bounce("DMARCPolicy", "no"), Some("rejected|sender|dmarcpolicy: no")),
        (bounce("SMTPApiError", "no"), Some("rejected|sender|message rejected: smtpapi error: no")),
        (bounce("Unknown", "no"), Some("rejected|soft|unknown: no")),
        (bounce("SpamComplaint", ""), Some("complained|-|-")),
        (bounce("AutoResponder", "I am away"), None),
        (json!({"RecordType": "SpamComplaint"}), Some("complained|-|-")),
        (suppressed("ManualSuppression", "Recipient"), Some("unsubscribed|-|-")),
        (suppressed("ManualSuppression", "Admin"), None),
        (json!({"RecordType": "SubscriptionChange", "SuppressSending": false}), None),
        (json!({"RecordType": "Open"}), None),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = |id: &str| {
            let mut event = event.clone();
            event["ID"] = id.into();
            event["MessageID"] = "m".into();
            postmark(&event.to_string())
        };
        assert_logged(&mut service, number, &hook, expected);
    }
}

#[test]
fn each_kind_of_event_of_ses_is_what_the_database_calls_it() {
    let mut service = service(&["m"]);
    let bounce = |kind: &str, sub: &str, diagnostic: Value| json!({"notificationType": "Bounce", "bounce": {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [{"diagnosticCode": diagnostic}]}});
    for (number, (event, expected)) in [
        (json!({"eventType": "Delivery", "delivery": {"smtpResponse": "250 ok"}}), Some("delivered|-|250 ok")),
        (bounce("Permanent", "General", json!("smtp; 554 gone")), Some("bounced|hard|smtp; 554 gone")),
        (bounce("Permanent", "Suppressed", Value::Null), Some("bounced|hard|suppressed")),
        (bounce("Transient", "MailboxFull", Value::Null), Some("bounced|soft|mailbox full")),
        (bounce("Transient", "ContentRejected", Value::Null), Some("bounced|sender|content rejected")),
        (bounce("Transient", "AttachmentRejected", Value::Null), Some("bounced|sender|content rejected: attachment")),
        (bounce("Transient", "MessageTooLarge", Value::Null), Some("bounced|sender|message too large")),
        (bounce("Undetermined", "Undetermined", Value::Null), Some("bounced|soft|undetermined")),
        (bounce("Permanent", "UnsubscribedRecipient", Value::Null), Some("unsubscribed|-|-")),
        (
            json!({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}}),
            Some("complained|-|abuse"),
        ),
        (json!({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}), None),
        (
            json!({"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}}),
            Some("bounced|soft|mailbox full"),
        ),
        (
            json!({"eventType": "Reject", "reject": {"reason": "Bad content"}}),
            Some("rejected|sender|message rejected: Bad content"),
        ),
        (
            json!({"eventType": "Rendering Failure", "failure": {"errorMessage": "no x"}}),
            Some("rejected|sender|message rejected: no x"),
        ),
        (
            json!({"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": true}}}),
            Some("unsubscribed|-|-"),
        ),
        (json!({"eventType": "Open"}), None),
        (json!({"of": "another sender to the topic"}), None),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = |id: &str| {
            let mut event = event.clone();
            let part = ["bounce", "complaint", "delivery", "deliveryDelay", "reject", "failure", "subscription"]
                .into_iter()
                .find(|part| event.get(part).is_some());
            if let Some(part) = part {
                event[part]["timestamp"] = id.into();
            }
            event["mail"] = json!({"messageId": "m"});
            ses(&event.to_string())
        };
        assert_logged(&mut service, number, &hook, expected);
    }
}

#[test]
fn each_kind_of_event_of_generic_is_what_the_database_calls_it() {
    let mut service = service(&["m"]);
    for (number, (kind, data, expected)) in [
        ("delivered", json!({}), Some("delivered|-|-")),
        ("bounced", json!({"error": "gone", "permanent": true}), Some("bounced|hard|gone")),
        ("delayed", json!({"error": "550 5.1.1 gone"}), Some("bounced|soft|550 5.1.1 gone")),
        ("rejected", json!({"error": "5.7.1"}), Some("rejected|sender|5.7.1")),
        ("complained", json!({}), Some("complained|-|-")),
        ("unsubscribed", json!({}), Some("unsubscribed|-|-")),
    ]
    .into_iter()
    .enumerate()
    {
        let hook = |id: &str| {
            let mut data = data.clone();
            data["provider_message_id"] = "m".into();
            generic(id, &json!({"type": kind, "data": data}))
        };
        assert_logged(&mut service, number, &hook, expected);
    }
}

#[test]
fn a_type_that_generic_does_not_define_is_refused_and_named() {
    let mut service = service(&["m"]);
    for kind in ["bounce", "opened", "Bounced"] {
        let answer = generic("e", &json!({"type": kind, "data": {"message_id": "m"}})).send(&service);
        assert_eq!((answer.status, answer.field("field")), (422, "type"), "{answer:?}");
        assert!(answer.field("detail").contains(&format!("{kind:?} is none of delivered, bounced")), "{answer:?}");
    }
    assert_eq!(events(&mut service), [""; 0]);
}

#[test]
fn an_event_that_comes_before_the_workers_answer_is_asked_for_again_and_recorded_then() {
    let mut service = service(&[]);
    let moment = |seconds_ago: u64| {
        let at = chrono::DateTime::from_timestamp((now() - seconds_ago).cast_signed(), 0).expect("a moment");
        at.to_rfc3339()
    };
    let bounced_at = |seconds_ago: u64| {
        let mut event = bounced();
        event["timestamp"] = moment(seconds_ago).into();
        event
    };
    let early = generic("e1", &bounced_at(10));
    let answer = early.send(&service);
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("retry-after")),
        (503, Some("application/problem+json"), Some("60")),
        "{answer:?}"
    );
    assert!(answer.field("detail").contains("1 of the events are of messages that are not known"), "{answer:?}");
    assert_counts(&generic("e2", &bounced_at(1000)).send(&service), [0, 0, 1, 0, 0]);
    assert_counts(&generic("e3", &bounced()).send(&service), [0, 0, 1, 0, 0]);
    // Each provider says when in its own way; SES, when SNS was told.
    let mut by_mailgun = parsed(MAILGUN);
    by_mailgun["event-data"]["timestamp"] = json!(f64::from(u32::try_from(now()).expect("before 2106")) - 20.5);
    let by_postmark = |member: &str, kind: &str| json!({"RecordType": kind, "Type": "HardBounce", "ID": 1, "MessageID": "m", member: moment(5)});
    for hook in [
        sendgrid(
            &json!([{"event": "delivered", "sg_message_id": "m", "sg_event_id": "1", "timestamp": now() - 30}])
                .to_string(),
        ),
        mailgun(&by_mailgun),
        postmark(&by_postmark("BouncedAt", "Bounce").to_string()),
        postmark(&by_postmark("DeliveredAt", "Delivery").to_string()),
        ses(SES),
    ] {
        let answer = hook.send(&service);
        assert_eq!(answer.status, 503, "{}: {answer:?}", hook.body);
    }
    // What is known of a batch is recorded, and known when the batch comes again.
    let insert = |service: &mut Service, message: &str| {
        run(
            &mut service.owner,
            &format!(
                "INSERT INTO send_logs (organization_id, to_email, message_id) VALUES ('{A}', 'student@example.org', '{message}')"
            ),
        );
    };
    insert(&mut service, "known");
    let event = |message: &str| json!({"event": "delivered", "sg_message_id": message, "sg_event_id": message, "timestamp": now() - 30});
    let batch = sendgrid(&json!([event("later"), event("known")]).to_string());
    assert_eq!(batch.send(&service).status, 503);
    assert_eq!(events(&mut service), ["known|delivered|-|sendgrid:known"]);
    insert(&mut service, "later");
    assert_counts(&batch.send(&service), [1, 1, 0, 0, 0]);
    insert(&mut service, "<m@example.org>");
    assert_counts(&early.send(&service), [1, 0, 0, 0, 0]);
    assert_eq!(opt_out(&mut service), "t|hard bounce: 550 5.1.1 no such user");
}

#[test]
fn a_timestamp_of_generic_that_is_none_is_refused_and_named() {
    let mut service = service(&["m"]);
    let at = |timestamp: Value| {
        generic("e", &json!({"type": "delivered", "timestamp": timestamp, "data": {"message_id": "m"}})).send(&service)
    };
    for timestamp in [
        json!("yesterday"),
        json!(""),
        json!("2026-11-26"),
        json!("2026-11-26T12:00:00"),
        json!(now() * 1000),
        json!(true),
    ] {
        let answer = at(timestamp.clone());
        assert_eq!((answer.status, answer.field("field")), (400, "timestamp"), "{timestamp}: {answer:?}");
        assert!(answer.field("detail").contains("RFC 3339"), "{answer:?}");
    }
    assert_counts(&at(Value::Null), [1, 0, 0, 0, 0]);
    assert_eq!(events(&mut service), ["m|delivered|-|generic:e"]);
}

/// Of somebody whom another transaction has locked, in organization a.
fn locked(service: &Service) -> postgres::Client {
    let mut holder = service.database.connect();
    run(
        &mut holder,
        &format!("BEGIN; SELECT FROM users WHERE email = 'student@example.org' AND organization_id = '{A}' FOR UPDATE"),
    );
    holder
}

#[test]
fn an_event_of_somebody_who_is_locked_is_asked_for_again_and_loses_no_other() {
    let mut service = service(&["m1", "m2"]);
    run(
        &mut service.owner,
        &format!(
            "INSERT INTO send_logs (organization_id, to_email, message_id) VALUES ('{A}', 'mentor@example.org', 'other')"
        ),
    );
    let mut holder = locked(&service);
    let event = |kind: &str, message: &str, id: usize| json!({"event": kind, "sg_message_id": message, "sg_event_id": id.to_string()});
    let complaints = (0..100).map(|id| event("spamreport", "m1", id));
    let others = [event("delivered", "m2", 100), event("spamreport", "other", 101), event("delivered", "m1", 102)];
    let batch = sendgrid(&json!(complaints.chain(others).collect::<Vec<Value>>()).to_string());
    let answer = batch.send(&service);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("60")), "{answer:?}");
    assert!(
        answer.field("detail").contains("100 of the events are about what another transaction has locked"),
        "{answer:?}"
    );
    let recorded = ["m2|delivered|-|sendgrid:100", "other|complained|-|sendgrid:101", "m1|delivered|-|sendgrid:102"];
    assert_eq!(events(&mut service), recorded);
    // The worker's answer that ties a message to its other name may be what somebody holds, too.
    run(&mut holder, "ROLLBACK; BEGIN; SELECT FROM send_logs WHERE message_id = 'm2' FOR UPDATE");
    let tied = json!([{"event": "delivered", "smtp-id": "m2", "sg_message_id": "by-sendgrid", "sg_event_id": "103"}, event("delivered", "m1", 104)]);
    assert_eq!(sendgrid(&tied.to_string()).send(&service).status, 503);
    assert_eq!(events(&mut service).len(), 4);
    run(&mut holder, "ROLLBACK");
    assert_counts(&batch.send(&service), [100, 3, 0, 0, 0]);
    assert_eq!(opt_out(&mut service), "t|complained");
}

#[test]
fn one_organizations_events_take_half_of_the_connections_at_most() {
    const MOST: i64 = 2;
    let service = Service::configured(&format!("max_connections = 4\n{}", sources()));
    let mut owner = service.database.connect();
    for (organization, message) in [(A, "<m@example.org>"), (B, "of b")] {
        run(
            &mut owner,
            &format!(
                "INSERT INTO send_logs (organization_id, to_email, message_id) VALUES ('{organization}', 'student@example.org', '{message}')"
            ),
        );
    }
    let mut holder = locked(&service);
    let waiting = |owner: &mut postgres::Client| -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remindersd' AND wait_event_type = 'Lock'";
        owner.query_one(sql, &[]).expect("a number").get(0)
    };
    let service: &Clients = &service;
    std::thread::scope(|scope| {
        let posts: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || generic(&format!("e{number}"), &bounced()).send(service).status))
            .collect();
        while waiting(&mut owner) < MOST {
            assert!(!posts.iter().all(std::thread::ScopedJoinHandle::is_finished), "two wait at once");
        }
        let of_b = json!({"type": "delivered", "data": {"message_id": "of b"}});
        assert_counts(&generic_by(OTHER_SECRET, "b", now(), &of_b).to(B).send(service), [1, 0, 0, 0, 0]);
        let mut most = 0;
        while !posts.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            most = most.max(waiting(&mut owner));
        }
        assert_eq!(most, MOST);
        for post in posts {
            assert_eq!(post.join().expect("a status"), 503);
        }
    });
    run(&mut holder, "ROLLBACK");
}

#[test]
fn a_programme_that_shares_its_account_asks_for_nothing_again() {
    let service = Service::configured(&sources().replace("[webhooks]", "[webhooks]\nretry_unknown_seconds = 0"));
    let event = json!([{"event": "delivered", "sg_message_id": "m", "sg_event_id": "1", "timestamp": now()}]);
    assert_counts(&sendgrid(&event.to_string()).send(&service), [0, 0, 1, 0, 0]);
}

#[test]
fn the_log_tells_why_a_webhook_was_refused_and_which_message_nobody_knows_and_no_address() {
    let path = std::env::temp_dir().join(format!("remindersd-webhooks-{}.log", std::process::id()));
    let log = std::fs::File::create(&path).expect("a log");
    let service = Service::configured_with(&sources(), &[("REMINDERSD_LOG", "info")], std::process::Stdio::from(log));
    assert_counts(&generic("e1", &bounced()).send(&service), [0, 0, 1, 0, 0]);
    assert_eq!(generic_by("whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", "e", now(), &bounced()).send(&service).status, 401);
    assert_eq!(generic_by(SECRET, "e", now() - 400, &bounced()).send(&service).status, 401);
    assert_eq!(generic("e", &json!({"type": "bounce", "data": {"message_id": "m"}})).send(&service).status, 422);
    assert_eq!(sendgrid("{}").send(&service).status, 400);
    assert_eq!(postmark_by("postmark:another", POSTMARK).send(&service).status, 401);
    let log = std::fs::read_to_string(&path).expect("the log");
    for told in [
        "m@example.org",
        A,
        "the signature is wrong",
        "the timestamp is too old",
        "\"bounce\" is none of delivered",
        "not an array of events",
        "the user or password is wrong",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert!(!log.contains("student@example.org") && !log.contains("another"), "{log}");
    let _ = std::fs::remove_file(&path);
}

#[test]
fn what_is_not_genuine_is_refused_and_changes_nothing() {
    let mut service = service(&["<m@example.org>", "<ours@example.org>", "<14c5d75ce93.dfd.64b469@ismtpd-555>"]);
    let altered = |hook: &Hook, from: &str, to: &str| {
        assert!(hook.body.contains(from), "{}", hook.body);
        Hook { body: hook.body.replace(from, to), ..hook.clone() }
    };
    let without = |hook: &Hook, name: &str| {
        let mut hook = hook.clone();
        hook.headers.retain(|(header, _)| *header != name);
        hook
    };
    let (day, mail) = (86_400, parsed(MAILGUN));
    let by_mailgun = mailgun_by(SIGNING_KEY, now(), "token", &mail);
    let topic = |change: &dyn Fn(&mut Value)| {
        let mut message = notification(SES, now());
        change(&mut message);
        sns_by("rs256.pem", message)
    };
    let sendgrid_signature = "x-twilio-email-event-webhook-signature";
    for (what, hook) in [
        ("sendgrid, another key", sendgrid_by(&sendgrid_key(3), now(), SENDGRID)),
        ("sendgrid, altered", altered(&sendgrid(SENDGRID), "deferred", "spamreport")),
        ("sendgrid, old", sendgrid_by(&sendgrid_key(1), now() - 2 * day, SENDGRID)),
        ("sendgrid, of tomorrow", sendgrid_by(&sendgrid_key(1), now() + day, SENDGRID)),
        ("sendgrid, unsigned", without(&sendgrid(SENDGRID), sendgrid_signature)),
        ("sendgrid, without a timestamp", without(&sendgrid(SENDGRID), "x-twilio-email-event-webhook-timestamp")),
        ("sendgrid, to another organization", sendgrid(SENDGRID).to(B)),
        ("mailgun, another key", mailgun_by("another", now(), "t", &mail)),
        ("mailgun, old", mailgun_by(SIGNING_KEY, now() - day, "t", &mail)),
        ("mailgun, of tomorrow", mailgun_by(SIGNING_KEY, now() + day, "t", &mail)),
        ("mailgun, another token", altered(&by_mailgun, "\"token\":\"token\"", "\"token\":\"other\"")),
        ("mailgun, unsigned", Hook::new("mailgun", Vec::new(), MAILGUN)),
        ("mailgun, to another organization", by_mailgun.to(B)),
        ("postmark, another password", postmark_by("postmark:another", POSTMARK)),
        ("postmark, another user", postmark_by(&format!("other:{PASSWORD}"), POSTMARK)),
        ("postmark, no password", Hook::new("postmark", Vec::new(), POSTMARK)),
        ("postmark, a token", Hook::new("postmark", vec![("authorization", format!("Bearer {PASSWORD}"))], POSTMARK)),
        ("postmark, to another organization", postmark(POSTMARK).to(B)),
        ("ses, another key", sns_by("rs256-other.pem", notification(SES, now()))),
        ("ses, altered", altered(&ses(SES), "Permanent", "Transient")),
        ("ses, old", sns_by("rs256.pem", notification(SES, now() - day))),
        ("ses, of tomorrow", sns_by("rs256.pem", notification(SES, now() + day))),
        ("ses, another topic", topic(&|message| message["TopicArn"] = "arn:aws:sns:eu-north-1:666:mail".into())),
        ("ses, another version", topic(&|message| message["SignatureVersion"] = "3".into())),
        ("ses, as the other version", altered(&ses(SES), "\"SignatureVersion\":\"2\"", "\"SignatureVersion\":\"1\"")),
        (
            "ses, another place",
            topic(&|message| {
                message["SigningCertURL"] = "https://sns.eu-north-1.amazonaws.com.evil.example.org/x.pem".into();
            }),
        ),
        ("ses, unsigned", Hook::new("ses", Vec::new(), notification(SES, now()).to_string())),
        ("ses, raw", Hook::new("ses", Vec::new(), SES)),
        ("ses, by a certificate that has expired", ses(SES).to(B)),
        ("generic, another secret", generic_by("whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", "e", now(), &bounced())),
        ("generic, altered", altered(&generic("e", &bounced()), "bounced", "complained")),
        ("generic, old", generic_by(SECRET, "e", now() - 400, &bounced())),
        ("generic, of later", generic_by(SECRET, "e", now() + 400, &bounced())),
        ("generic, unsigned", without(&generic("e", &bounced()), "webhook-signature")),
        ("generic, without an id", without(&generic("e", &bounced()), "webhook-id")),
        ("generic, to another organization", generic("e", &bounced()).to(B)),
    ] {
        let answer = hook.send(&service);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (401, Some("application/problem+json")),
            "{what}: {answer:?}"
        );
        let scheme = if what.starts_with("postmark") { "Basic realm=\"webhooks\"" } else { "Signature" };
        assert_eq!(answer.header("www-authenticate"), Some(scheme), "{what}");
    }
    // A token that somebody has seen is good for no other body.
    assert_counts(&by_mailgun.send(&service), [0, 0, 1, 0, 0]);
    assert_counts(&by_mailgun.send(&service), [0, 0, 1, 0, 0]);
    let other = altered(&by_mailgun, "20130503192659.13651.20287@mg.example.org", "m@example.org").send(&service);
    assert_eq!(other.status, 401, "{other:?}");
    assert_eq!(events(&mut service), [""; 0]);
    assert_eq!(opt_out(&mut service), "f|-");
}

#[test]
fn a_message_of_another_organization_is_none() {
    let mut service = service(&[]);
    run(
        &mut service.owner,
        &format!(
            "INSERT INTO send_logs (organization_id, to_email, message_id, provider_message_id) VALUES ('{B}', 'student@example.org', '<m@example.org>', 'p')"
        ),
    );
    assert_counts(&generic("e1", &bounced()).send(&service), [0, 0, 1, 0, 0]);
    let both = json!({"type": "complained", "data": {"message_id": "<m@example.org>", "provider_message_id": "p"}});
    assert_counts(&generic("e2", &both).send(&service), [0, 0, 1, 0, 0]);
    assert_counts(&generic_by(OTHER_SECRET, "e1", now(), &bounced()).to(B).send(&service), [1, 0, 0, 0, 0]);
}

#[test]
fn which_webhooks_there_are_is_not_told() {
    let service = service(&[]);
    let answers: Vec<Answer> = [
        "/webhooks/sendgrid/c0000000-0000-4000-8000-000000000000".to_string(),
        "/webhooks/sendgrid/sam".to_string(),
        format!("/webhooks/sparkpost/{A}"),
        format!("/webhooks/SendGrid/{A}"),
        "/webhooks/%ff/%ff".to_string(),
    ]
    .into_iter()
    .map(|path| Hook { path, ..sendgrid(SENDGRID) }.send(&service))
    .collect();
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (404, &answers[0].body), "{answer:?}");
    }
    // Without any, the same.
    let unconfigured = sendgrid(SENDGRID).send(&Service::start());
    assert_eq!((unconfigured.status, &unconfigured.body), (404, &answers[0].body), "{unconfigured:?}");
}

#[test]
fn a_body_that_cannot_be_read_is_told_and_a_bad_event_loses_no_other() {
    let mut service = service(&["m1", "m2"]);
    for hook in [
        sendgrid("{"),
        sendgrid("{}"),
        sendgrid(""),
        Hook::new("mailgun", Vec::new(), "["),
        mailgun(&json!({"event-data": {"event": "complained", "id": "x"}})),
        mailgun(&json!({"event-data": {"event": "complained", "message": {"headers": {"message-id": "m1"}}}})),
        mailgun(&json!({"event-data": []})),
        postmark("no JSON"),
        postmark("{}"),
        postmark(r#"{"RecordType": "Bounce", "Type": "HardBounce", "MessageID": "m1"}"#),
        Hook::new("ses", Vec::new(), "{"),
        ses(r#"{"eventType": "Bounce", "mail": {}}"#),
        generic("e", &json!({"data": {"message_id": "m1"}})),
        generic("e", &json!({"type": "bounced", "data": {}})),
        generic("e", &json!({"type": "bounced", "data": {"message_id": "m1", "permanent": "yes"}})),
    ] {
        let answer = hook.send(&service);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, Some("application/problem+json")),
            "{}: {answer:?}",
            hook.body
        );
    }
    // One that the database refuses, too: a trigger of the programme's.
    run(
        &mut service.owner,
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.event_id = 'sendgrid:bad' THEN RAISE 'no'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON send_logs FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    );
    let event = |message: &str, id: &str| json!({"event": "delivered", "sg_message_id": message, "sg_event_id": id});
    let batch = json!([
        event("m1", "1"), 7, null, {}, {"event": 7}, {"event": "delivered"}, {"event": "delivered", "sg_message_id": "m1"}, event("m1", "bad"),
        {"event": "deferred", "sg_message_id": "m1", "sg_event_id": "nul", "response": "a\u{0}b"}, event("m2", "2"),
    ]);
    assert_counts(&sendgrid(&batch.to_string()).send(&service), [3, 0, 0, 0, 7]);
    assert_eq!(
        events(&mut service),
        ["m1|delivered|-|sendgrid:1", "m1|bounced|soft|sendgrid:nul", "m2|delivered|-|sendgrid:2"]
    );
}

#[test]
fn a_body_is_as_long_as_a_provider_makes_it_and_no_longer() {
    let mut service = service(&["m"]);
    let batch = |number: usize| {
        let padding = "x".repeat(400);
        let events: Vec<Value> = (0..number)
            .map(|id| json!({"event": "delivered", "sg_message_id": "m", "sg_event_id": id.to_string(), "useragent": padding}))
            .collect();
        json!(events).to_string()
    };
    let long = batch(1500);
    assert!(long.len() > 700_000 && long.len() < 800_000, "{}", long.len());
    assert_counts(&sendgrid(&long).send(&service), [1500, 0, 0, 0, 0]);
    assert_eq!(events(&mut service).len(), 1500);
    let longer = sendgrid(&batch(3000)).send(&service);
    assert_eq!(longer.status, 413, "{longer:?}");
    // To a webhook that there is not, no more than to anything else.
    let elsewhere = sendgrid(&long).to("c0000000-0000-4000-8000-000000000000").send(&service);
    assert_eq!(elsewhere.status, 413, "{elsewhere:?}");
}

#[test]
fn what_cannot_be_recorded_now_is_to_be_sent_again() {
    let mut service = service(&["<m@example.org>"]);
    let hook = generic("e1", &bounced());
    let name = service.database.name.clone();
    let mut postgres = crate::support::connect("postgres");
    run(
        &mut postgres,
        &format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'remindersd'"
        ),
    );
    let answer = hook.send(&service);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    run(&mut postgres, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    // A right that is missing is ours to mend.
    let worker = row(
        &mut service.owner,
        "SELECT grantee FROM information_schema.routine_privileges WHERE routine_name = 'record_delivery_event' AND grantee LIKE 'role%'",
    );
    run(&mut service.owner, &format!("REVOKE INSERT ON send_logs FROM {worker}"));
    let answer = hook.send(&service);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.body.to_string().contains("send_logs"), "{answer:?}");
    run(&mut service.owner, &format!("GRANT INSERT ON send_logs TO {worker}"));
    assert_counts(&hook.send(&service), [1, 0, 0, 0, 0]);
    assert_eq!(events(&mut service), ["<m@example.org>|bounced|hard|generic:e1"]);
}

#[test]
fn a_subscription_is_confirmed_by_nobody_but_the_operator() {
    let service = service(&["<ours@example.org>"]);
    let confirmation = |kind: &str, topic: &str| {
        let mut message = notification("You have chosen to subscribe to the topic.", now());
        message["Type"] = kind.into();
        message["TopicArn"] = topic.into();
        message["Token"] = "2336412f37".into();
        // Nobody listens there: whoever followed it would wait or fail.
        message["SubscribeURL"] = "https://192.0.2.1/?Action=ConfirmSubscription".into();
        message.as_object_mut().expect("an object").remove("Subject");
        sns_by("rs256.pem", message)
    };
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        assert_counts(&confirmation(kind, TOPIC).send(&service), [0, 0, 0, 1, 0]);
        assert_eq!(confirmation(kind, "arn:aws:sns:eu-north-1:666:mail").send(&service).status, 401);
        assert_eq!(confirmation(kind, TOPIC).to(B).send(&service).status, 401);
    }
    // By SHA-1, and without a subject.
    let mut message = notification(SES, now());
    message["SignatureVersion"] = "1".into();
    message.as_object_mut().expect("an object").remove("Subject");
    assert_counts(&sns_by("rs256.pem", message).send(&service), [1, 0, 0, 0, 0]);
    assert_counts(
        &ses("Successfully validated SNS topic for Amazon SES event publishing.").send(&service),
        [0, 0, 0, 1, 0],
    );
}

/// A proxy that everybody finds SNS behind: it answers with this, over TLS, by a certificate of an authority that only tests know. Returns
/// its address, and how often it was asked.
fn sns(answer: String) -> (String, Arc<std::sync::atomic::AtomicU32>) {
    let read = |name: &str| std::fs::read(format!("{KEYS}/{name}")).expect("a file");
    let chain = vec![CertificateDer::from_pem_slice(&read("tls.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_slice(&read("rs256.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = serve(&mut stream, &config, &answer);
        }
    });
    (address, asked)
}

fn head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).to_string())
}

fn serve(stream: &mut TcpStream, config: &Arc<rustls::ServerConfig>, answer: &str) -> std::io::Result<()> {
    assert!(head(stream)?.starts_with("CONNECT sns.eu-north-1.amazonaws.com:443 "));
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut connection = rustls::ServerConnection::new(Arc::clone(config)).expect("a connection");
    let mut tls = rustls::Stream::new(&mut connection, stream);
    assert!(head(&mut tls)?.starts_with("GET /SimpleNotificationService-"));
    tls.write_all(answer.as_bytes())?;
    tls.flush()
}

#[test]
fn a_certificate_is_fetched_once_from_where_sns_keeps_it_and_nowhere_else() {
    let certificate = std::fs::read_to_string(format!("{KEYS}/sns.pem")).expect("a certificate");
    let ok =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{certificate}", certificate.len());
    let sources = format!(
        "[webhooks]\nrole = '{{worker}}'\nsources = [{{ provider = 'ses', organization = '{A}', topic_arn = '{TOPIC}' }}]\n"
    );
    let asking = |answer: String, authority: &str| {
        let (proxy, asked) = sns(answer);
        let service = Service::configured_in(
            &sources,
            &[("HTTPS_PROXY", &proxy), ("SSL_CERT_FILE", &format!("{KEYS}/{authority}")), ("NO_PROXY", "")],
        );
        (service, asked)
    };
    let number = |asked: &Arc<std::sync::atomic::AtomicU32>| asked.load(std::sync::atomic::Ordering::SeqCst);
    let (mut service, asked) = asking(ok.clone(), "authority.pem");
    run(
        &mut service.owner,
        &format!(
            "INSERT INTO send_logs (organization_id, to_email, message_id) VALUES ('{A}', 'student@example.org', '<ours@example.org>')"
        ),
    );
    // Of what is no message of the topic, nothing is fetched.
    let mut elsewhere = notification(SES, now());
    elsewhere["SigningCertURL"] = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem".into();
    assert_eq!(sns_by("rs256.pem", elsewhere).send(&service).status, 401);
    assert_eq!(number(&asked), 0);
    assert_counts(&ses(SES).send(&service), [1, 0, 0, 0, 0]);
    assert_counts(&ses(SES).send(&service), [0, 1, 0, 0, 0]);
    assert_eq!(sns_by("rs256-other.pem", notification(SES, now())).send(&service).status, 401);
    assert_eq!(number(&asked), 1);
    // Many names make us ask ten times a minute.
    for name in 0..12 {
        let mut message = notification(SES, now());
        message["SigningCertURL"] =
            format!("https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-{name}.pem").into();
        let status = sns_by("rs256-other.pem", message).send(&service).status;
        assert!([401, 503].contains(&status), "{status}");
    }
    assert!(number(&asked) <= 11, "{}", number(&asked));
    for (what, answer, authority) in [
        ("by an authority that the machine does not know", ok, "sns.pem"),
        (
            "somewhere else",
            "HTTP/1.1 302 Found\r\nlocation: https://evil.example.org/x.pem\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_string(),
            "authority.pem",
        ),
        ("not there", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_string(), "authority.pem"),
        ("no certificate", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno".to_string(), "authority.pem"),
    ] {
        let (service, _) = asking(answer, authority);
        let answer = ses(SES).send(&service);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{what}: {answer:?}");
    }
}
