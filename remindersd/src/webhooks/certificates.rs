//! The certificates that SNS signs with: those that the operator gives, or else those that its URL has, fetched once each.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use rsa::{RsaPublicKey, pkcs8};
use rustls_native_certs::load_native_certs;
use tokio::sync::Mutex;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode};

use super::Refused;
use crate::problem::explained;

#[derive(Clone, Copy)]
pub enum Digest {
    Sha1,
    Sha256,
}

#[derive(Clone)]
struct Key {
    rsa: RsaPublicKey,
    /// In seconds since 1970.
    not_before: i64,
    not_after: i64,
}

pub struct Certificates {
    given: Vec<Key>,
    fetched: Mutex<HashMap<String, Key>>,
    /// Whoever knows the topic's name can make us fetch.
    fetches: DefaultDirectRateLimiter,
}

impl Certificates {
    /// Those in the files. None: they are fetched.
    pub fn new(files: &[PathBuf]) -> Result<Self, String> {
        const A_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("ten");
        let given = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
        Ok(Self { given, fetched: Mutex::default(), fetches: RateLimiter::direct(Quota::per_minute(A_MINUTE)) })
    }

    /// Whether this was signed with a certificate of SNS's that is valid now. The URL is one of SNS's.
    pub async fn verify(
        &self,
        url: &str,
        text: &[u8],
        signature: &[u8],
        digest: Digest,
        now: i64,
    ) -> Result<(), Refused> {
        let fetched;
        let keys = if self.given.is_empty() {
            fetched = [self.key(url).await?];
            &fetched
        } else {
            self.given.as_slice()
        };
        if keys.iter().filter(|key| key.is_valid(now)).any(|key| key.has_signed(text, signature, digest)) {
            return Ok(());
        }
        Err(Refused::Forged("the signature is wrong, or by a certificate that is not valid now"))
    }

    async fn key(&self, url: &str) -> Result<Key, Refused> {
        const MOST: usize = 100;
        // One at a time: all the others want the same one.
        let mut fetched = self.fetched.lock().await;
        if let Some(key) = fetched.get(url) {
            return Ok(key.clone());
        }
        let failed = |why: &str| {
            tracing::error!(url, "cannot fetch the certificate of SNS: {why}");
            Refused::Undecided("the certificate of SNS cannot be fetched")
        };
        if self.fetches.check().is_err() {
            return Err(failed("too many in the last minute"));
        }
        let address = url.to_string();
        let text =
            tokio::task::spawn_blocking(move || fetch(&address)).await.map_err(|error| failed(&error.to_string()))?;
        let key =
            parsed(text.map_err(|error| failed(&explained(&error)))?.as_bytes()).map_err(|error| failed(&error))?;
        if fetched.len() >= MOST {
            fetched.clear();
        }
        fetched.insert(url.to_string(), key.clone());
        Ok(key)
    }
}

impl Key {
    const fn is_valid(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    fn has_signed(&self, text: &[u8], signature: &[u8], digest: Digest) -> bool {
        let Ok(signature) = Signature::try_from(signature) else { return false };
        let key = self.rsa.clone();
        match digest {
            Digest::Sha1 => VerifyingKey::<sha1::Sha1>::new(key).verify(text, &signature).is_ok(),
            Digest::Sha256 => VerifyingKey::<sha2::Sha256>::new(key).verify(text, &signature).is_ok(),
        }
    }
}

fn read(file: &Path) -> Result<Key, String> {
    let wrong = |error: String| format!("certificate_files {}: {error}", file.display());
    parsed(&std::fs::read(file).map_err(|error| wrong(error.to_string()))?).map_err(wrong)
}

fn parsed(pem: &[u8]) -> Result<Key, String> {
    let certificate =
        Certificate::from_pem(pem).map_err(|_| "it is no certificate in PEM".to_string())?.tbs_certificate;
    let key = certificate.subject_public_key_info.to_der().map_err(|error| error.to_string())?;
    let rsa = RsaPublicKey::from_public_key_der(&key)
        .map_err(|error: pkcs8::spki::Error| format!("its key is not one of RSA: {error}"))?;
    if rsa.size() < 256 {
        return Err("its key has fewer than 2048 bits".to_string());
    }
    let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Ok(Key {
        rsa,
        not_before: seconds(certificate.validity.not_before),
        not_after: seconds(certificate.validity.not_after),
    })
}

/// From this URL, and from nowhere that it leads to, over TLS that the machine's own certificate authorities vouch for.
fn fetch(url: &str) -> Result<String, ureq::Error> {
    const LONGEST: u64 = 64 * 1024;
    let authorities: Vec<ureq::tls::Certificate> =
        load_native_certs().certs.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned()).collect();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(authorities)))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .https_only(true)
        .max_redirects(0)
        .max_redirects_will_error(true)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .new_agent();
    agent.get(url).call()?.body_mut().with_config().limit(LONGEST).read_to_string()
}
