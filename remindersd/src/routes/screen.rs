//! The count screen: three files, compiled in. What it shows it asks of the API, with the token of whoever looks at it.

use axum::http::header;
use axum::response::IntoResponse;

/// Nothing from elsewhere, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn page() -> impl IntoResponse {
    served("text/html; charset=utf-8", include_str!("../../screen/index.html"))
}

pub async fn script() -> impl IntoResponse {
    served("text/javascript; charset=utf-8", include_str!("../../screen/screen.js"))
}

pub async fn style() -> impl IntoResponse {
    served("text/css; charset=utf-8", include_str!("../../screen/screen.css"))
}

fn served(media: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, media), (header::CONTENT_SECURITY_POLICY, POLICY)], text)
}
