//! /metrics and /healthz of `deliver`, for whoever watches over it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::net::TcpListener;

use super::Office;
use crate::config;
use crate::problem::Problem;
use crate::server::serve_until;

/// Nobody but monitoring asks; but whoever opens connections and says nothing is not to keep it out.
const CONNECTIONS: usize = 256;

#[derive(Serialize)]
struct Health {
    healthy: bool,
    /// Why it is not.
    reason: Option<String>,
    ways: Vec<Way>,
}

#[derive(Serialize)]
struct Way {
    name: String,
    /// Why nothing can be sent by it now.
    outage: Option<String>,
}

pub struct Watched {
    listener: TcpListener,
    recorder: PrometheusHandle,
}

impl Watched {
    pub async fn at(address: SocketAddr, recorder: PrometheusHandle) -> Result<Self, String> {
        let of = |error: std::io::Error| format!("deliver.metrics: cannot listen on {address}: {error}");
        let listener = TcpListener::bind(address).await.map_err(of)?;
        let address = listener.local_addr().map_err(of)?;
        tracing::info!("metrics and health at http://{address}");
        Ok(Self { listener, recorder })
    }

    /// For as long as the process runs.
    pub async fn serve(self, office: Arc<Office>) {
        let Self { listener, recorder } = self;
        let nothing = || std::future::ready(Problem::new(StatusCode::NOT_FOUND, "there is nothing here"));
        let router = Router::new()
            .route("/metrics", get(move || std::future::ready(recorder.render())))
            .route("/healthz", get(move || health(Arc::clone(&office))))
            .fallback(nothing);
        let limits = config::Http { max_open_connections: CONNECTIONS, ..config::Http::default() };
        serve_until(std::future::pending(), listener, router, &limits).await;
    }
}

/// Well while the database answers, and something can be sent by at least one way.
async fn health(office: Arc<Office>) -> Response {
    let ways: Vec<Way> =
        office.mail.outages().map(|outage| Way { name: outage.of().to_string(), outage: outage.reason() }).collect();
    let reason = match office.queue.answers().await {
        Err(trouble) => Some(format!("the database does not answer: {trouble}")),
        Ok(()) if ways.iter().all(|way| way.outage.is_some()) => {
            Some("nothing can be sent by any way that is configured".to_string())
        }
        Ok(()) => None,
    };
    let status = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { healthy: reason.is_none(), reason, ways })).into_response()
}
