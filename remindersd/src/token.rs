//! Tokens: which are genuine, and what they say. Whether that is enough, the database decides.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::Jwt;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// Whom a genuine token is about.
#[derive(Clone)]
pub struct Claims {
    /// The database role.
    pub role: String,
    /// The whole payload, as the database reads it.
    pub json: String,
    /// Who asks, across tokens: issuer, subject and organization.
    pub identity: String,
    /// Until when it is taken, in seconds since 1970.
    pub expires: u64,
}

impl Claims {
    /// Of a role of the configuration's, in one organization or in none: nobody's.
    pub fn of_role(role: &str, organization: Option<Uuid>) -> Self {
        let mut json = json!({"role": role});
        if let Some(organization) = organization {
            json["organization_id"] = json!(organization);
        }
        Self { role: role.to_string(), json: json.to_string(), identity: String::new(), expires: 0 }
    }
}

/// Why a token is not taken.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// 401, and what to tell.
    Unauthenticated(&'static str),
    /// 403.
    RoleNotAllowed,
}

/// A key, and the one algorithm that it is for: what a token's header says chooses nothing else.
struct Key {
    id: Option<String>,
    decoding: DecodingKey,
    algorithm: Algorithm,
}

pub struct Verifier {
    keys: Vec<Key>,
    audience: String,
    issuer: Option<String>,
    roles: Vec<String>,
}

impl Verifier {
    pub fn new(config: &Jwt) -> Result<Self, String> {
        let keys = match (&config.secret, &config.jwks_file) {
            (Some(secret), _) => {
                vec![Key {
                    id: None,
                    decoding: DecodingKey::from_secret(secret.as_bytes()),
                    algorithm: Algorithm::HS256,
                }]
            }
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("jwt.jwks_file {}: {error}", file.display()))?;
                public_keys(&text).map_err(|error| format!("jwt.jwks_file {}: {error}", file.display()))?
            }
            (None, None) => Vec::new(),
        };
        Ok(Self { keys, audience: config.audience.clone(), issuer: config.issuer.clone(), roles: config.roles.clone() })
    }

    /// What a genuine token says.
    pub fn claims(&self, token: &str) -> Result<Claims, Refused> {
        let header = decode_header(token).map_err(|_| Refused::Unauthenticated("the token is not a JWT"))?;
        let mut refused = Refused::Unauthenticated("the token is signed with another key");
        // Keys that have no ids of their own are tried one after the other.
        for key in &self.keys {
            if key.algorithm == header.alg && (key.id.is_none() || key.id == header.kid) {
                match self.genuine(token, key) {
                    Ok(claims) => return self.taken(claims),
                    Err(why) => refused = Refused::Unauthenticated(why),
                }
            }
        }
        Err(refused)
    }

    /// What a token says that this key signed, or why it is not taken.
    fn genuine(&self, token: &str, key: &Key) -> Result<Map<String, Value>, &'static str> {
        let mut validation = Validation::new(key.algorithm);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        }
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        decode(token, &key.decoding, &validation).map(|token| token.claims).map_err(|error| {
            use jsonwebtoken::errors::ErrorKind;
            match error.kind() {
                ErrorKind::ExpiredSignature => "the token has expired",
                ErrorKind::ImmatureSignature => "the token is not yet valid",
                ErrorKind::InvalidAudience => "the token is for another audience",
                ErrorKind::InvalidIssuer => "the token is by another issuer",
                ErrorKind::MissingRequiredClaim(_) => "the token lacks exp, aud or iss",
                ErrorKind::InvalidSignature => "the token's signature is wrong",
                _ => "the token is not valid",
            }
        })
    }

    /// Whom a genuine token is about.
    fn taken(&self, claims: Map<String, Value>) -> Result<Claims, Refused> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let role = text("role").filter(|role| self.roles.iter().any(|allowed| allowed == role));
        let role = role.ok_or(Refused::RoleNotAllowed)?.to_string();
        let organization = text("organization_id")
            .or_else(|| claims.get("app_metadata")?.get("organization_id")?.as_str())
            .unwrap_or_default();
        let identity =
            serde_json::json!([text("iss").unwrap_or_default(), text("sub").unwrap_or_default(), organization])
                .to_string();
        let expires = claims.get("exp").and_then(Value::as_f64).map_or(0, seconds) + LEEWAY;
        Ok(Claims { role, identity, expires, json: Value::Object(claims).to_string() })
    }
}

/// Whole ones (RFC 7519 allows parts).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn seconds(moment: f64) -> u64 {
    moment as u64
}

/// Those of RS256 and ES256 for signatures; others are left out.
fn public_keys(text: &str) -> Result<Vec<Key>, String> {
    let set: JwkSet = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let keys: Vec<Key> = set
        .keys
        .iter()
        .filter(|key| !matches!(&key.common.public_key_use, Some(usage) if *usage != PublicKeyUse::Signature))
        .filter_map(|key| {
            let algorithm = match &key.algorithm {
                AlgorithmParameters::RSA(_) => Algorithm::RS256,
                AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
                _ => return None,
            };
            let is_for_another = match key.common.key_algorithm {
                None => false,
                Some(KeyAlgorithm::RS256) => algorithm != Algorithm::RS256,
                Some(KeyAlgorithm::ES256) => algorithm != Algorithm::ES256,
                Some(_) => true,
            };
            (!is_for_another).then(|| {
                DecodingKey::from_jwk(key).map(|decoding| Key { id: key.common.key_id.clone(), decoding, algorithm })
            })
        })
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if keys.is_empty() { Err("no key of RS256 or ES256 is in it".to_string()) } else { Ok(keys) }
}
