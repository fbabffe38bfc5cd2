//! Signatures of webhooks as Standard Webhooks has them: HMAC-SHA256 over id, timestamp and body with a dot between them.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// By `whsec_` and the base64 of 24 bytes or more. What is wrong with it follows its name.
    pub fn new(secret: &str) -> Result<Self, String> {
        let secret = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
            .map_err(|_| "is not whsec_ and base64".to_string())?;
        if secret.len() < 24 {
            return Err("has fewer than 24 bytes, which Standard Webhooks asks for".to_string());
        }
        Hmac::new_from_slice(&secret).map(Self).map_err(|error| format!("is no key: {error}"))
    }

    /// What stands in webhook-signature.
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, timestamp, body).finalize().into_bytes()))
    }

    /// Whether one of the signatures is ours: several, where a secret is being replaced. Other versions are not ours to read.
    pub fn has_signed(&self, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
        let mac = self.mac(id, timestamp, body);
        signatures
            .split_whitespace()
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .any(|encoded| STANDARD.decode(encoded).is_ok_and(|signature| mac.clone().verify_slice(&signature).is_ok()))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let named = self.0.clone().chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".");
        named.chain_update(body)
    }
}
