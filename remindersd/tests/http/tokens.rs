//! Which tokens are taken.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::service::{Answer, Request, SECRET, Service, now, token};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/keys");
const LIST: &str = "/api/v1/assignments";

fn with(service: &Service, token: &str) -> Answer {
    service.send(&Request { method: "GET", path: LIST, token: Some(token), headers: &[], body: None })
}

fn changed(claims: &Value, name: &str, value: Value) -> String {
    let mut claims = claims.clone();
    claims[name] = value;
    token(&claims)
}

#[test]
fn a_token_is_taken_while_it_is_valid_for_us_and_no_longer() {
    let service = Service::start();
    let claims = service.claims("coordinator");
    assert_eq!(with(&service, &token(&claims)).status, 200);
    assert_eq!(with(&service, &changed(&claims, "aud", json!(["another", "authenticated"]))).status, 200);
    let mut without_exp = claims.clone();
    without_exp.as_object_mut().expect("an object").remove("exp");
    let mut without_aud = claims.clone();
    without_aud.as_object_mut().expect("an object").remove("aud");
    let other_secret = encode(&Header::default(), &claims, &EncodingKey::from_secret(&[7; 32])).expect("a token");
    let hs512 =
        encode(&Header::new(Algorithm::HS512), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token");
    // alg none, with a signature and without.
    let [_, payload, signature]: [&str; 3] =
        token(&claims).leak().split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for (what, token) in [
        ("expired", changed(&claims, "exp", json!(now() - 60))),
        ("not yet valid", changed(&claims, "nbf", json!(now() + 300))),
        ("for another audience", changed(&claims, "aud", json!("another"))),
        ("without exp", token(&without_exp)),
        ("without aud", token(&without_aud)),
        ("signed with another secret", other_secret),
        ("signed by another algorithm", hs512),
        ("unsigned", format!("{none}.{payload}.")),
        ("unsigned, with a signature", format!("{none}.{payload}.{signature}")),
        ("nothing", String::new()),
        ("no JWT", "a.b.c".to_string()),
    ] {
        let answer = with(&service, &token);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{what}: {answer:?}");
        assert!(token.is_empty() || !answer.body.to_string().contains(&token), "{what}: {answer:?}");
    }
}

#[test]
fn a_role_that_the_configuration_does_not_allow_is_not_taken() {
    let service = Service::start();
    let claims = service.claims("coordinator");
    for role in [json!("postgres"), json!("service_role"), json!(""), Value::Null, json!(7), json!([service.member])] {
        let answer = with(&service, &changed(&claims, "role", role.clone()));
        assert_eq!(answer.status, 403, "{role}: {answer:?}");
    }
}

#[test]
fn public_keys_verify_rs256_and_es256_and_a_public_key_is_no_secret() {
    let service = Service::configured(&format!(
        "[jwt]\njwks_file = '{KEYS}/jwks.json'\naudience = 'authenticated'\nissuer = 'https://auth.example.org'\nroles = ['{{member}}']\n[http]\nlisten = '127.0.0.1:0'\n"
    ));
    let claims = service.claims("coordinator");
    let file = |name: &str| std::fs::read(format!("{KEYS}/{name}")).expect("a key");
    let rsa = EncodingKey::from_rsa_pem(&file("rs256.pem")).expect("a key");
    let curve = EncodingKey::from_ec_pem(&file("es256.pem")).expect("a key");
    let signed = |algorithm: Algorithm, id: Option<&str>, key: &EncodingKey, claims: &Value| {
        let header = Header { kid: id.map(ToString::to_string), ..Header::new(algorithm) };
        encode(&header, claims, key).expect("a token")
    };
    assert_eq!(with(&service, &signed(Algorithm::RS256, Some("rsa"), &rsa, &claims)).status, 200);
    assert_eq!(with(&service, &signed(Algorithm::ES256, Some("ec"), &curve, &claims)).status, 200);
    let mut by_another = claims.clone();
    by_another["iss"] = json!("https://elsewhere.example.org");
    let public = EncodingKey::from_secret(&file("rs256.pub.pem"));
    for (what, token) in [
        ("another issuer", signed(Algorithm::RS256, Some("rsa"), &rsa, &by_another)),
        ("an unknown key", signed(Algorithm::RS256, Some("other"), &rsa, &claims)),
        ("no key's name", signed(Algorithm::RS256, None, &rsa, &claims)),
        ("another key's name", signed(Algorithm::RS256, Some("ec"), &rsa, &claims)),
        ("an algorithm that is not the key's", signed(Algorithm::RS512, Some("rsa"), &rsa, &claims)),
        ("the public key as a secret", signed(Algorithm::HS256, Some("rsa"), &public, &claims)),
    ] {
        let answer = with(&service, &token);
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
    }
}

#[test]
fn of_keys_without_names_each_is_tried() {
    let service = Service::configured(&format!(
        "[jwt]\njwks_file = '{KEYS}/unnamed.json'\naudience = 'authenticated'\nroles = ['{{member}}']\n[http]\nlisten = '127.0.0.1:0'\n"
    ));
    let rsa = EncodingKey::from_rsa_pem(&std::fs::read(format!("{KEYS}/rs256.pem")).expect("a key")).expect("a key");
    let by = |id: Option<&str>| {
        let header = Header { kid: id.map(ToString::to_string), ..Header::new(Algorithm::RS256) };
        encode(&header, &service.claims("coordinator"), &rsa).expect("a token")
    };
    assert_eq!(with(&service, &by(None)).status, 200);
    assert_eq!(with(&service, &by(Some("second"))).status, 200);
    let mut other = by(None);
    other.replace_range(other.len() - 8..other.len() - 4, "AAAA");
    assert_eq!(with(&service, &other).status, 401);
}
