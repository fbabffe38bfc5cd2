//! The server: routes behind limits, until it is told to stop; then what is under way is finished.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::{Service, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::SwaggerUi;

use crate::caller::App;
use crate::config::{self, Config};
use crate::database::Database;
use crate::limits::{Limits, Streams};
use crate::measures;
use crate::openapi;
use crate::problem::Problem;
use crate::routes::{Links, is_link, longest as longest_of_link, read};
use crate::signals;
use crate::texts::Texts;
use crate::token::Verifier;
use crate::webhooks::Webhooks;

/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// What the description's page may load.
const BROWSED: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How long what is under way may take when we are to stop.
const GRACE: Duration = Duration::from_secs(30);

/// Checks what can be checked before anything is served.
pub async fn check(config: &Config) -> Result<(), String> {
    Verifier::new(config.jwt()?)?;
    Webhooks::new(&config.webhooks, &config.database)?;
    Texts::new(&config.texts).map_err(|complaints| complaints.join("\n"))?;
    let database = Database::new(&config.database)?;
    if let Some(complaint) = database.complaint(config).await? {
        return Err(complaint);
    }
    Ok(())
}

pub async fn serve(config: Config) -> Result<(), String> {
    let (stopping, is_stopping) = watch::channel(false);
    let app = App {
        database: Database::new(&config.database)?,
        verifier: Arc::new(Verifier::new(config.jwt()?)?),
        limits: Arc::new(Limits::per_minute(config.http.requests_per_minute)),
        streams: Streams::default(),
        webhooks: Webhooks::new(&config.webhooks, &config.database)?,
        links: config.unsubscribe.role.as_deref().map(|role| Arc::new(Links::new(role, &config.database))),
        stopping: is_stopping,
    };
    let recorder = measures::record()?;
    let router = router(&config.http, app, recorder)?;
    let listener = TcpListener::bind(config.http.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.http.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let signal = signals::stop()?;
    let stop = async move {
        signal.await;
        // Nobody listening is fine.
        let _ = stopping.send(true);
    };
    // For whoever started us with port 0.
    println!("listening on http://{address}");
    serve_until(stop, listener, router, &config.http).await;
    Ok(())
}

fn router(config: &config::Http, app: App, recorder: PrometheusHandle) -> Result<Router, String> {
    let webhooks = app.webhooks.clone();
    let (router, description) = openapi::routes().with_state(app).split_for_parts();
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    // The page's own styles are inline.
    let browsed = Router::new()
        .merge(SwaggerUi::new("/docs").url("/openapi.json", description))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, BROWSED));
    let origins: Vec<HeaderValue> = config
        .cors_origins
        .iter()
        .map(|origin| origin.parse().map_err(|_| format!("configuration: http.cors_origins: {origin:?}")))
        .collect::<Result<_, _>>()?;
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| {
            origins.contains(origin) && !is_link(request.uri.path())
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::ETAG, header::LINK, header::LOCATION]);
    let (longest, patience) = (config.max_body_bytes, Duration::from_secs(config.request_timeout_seconds));
    Ok(router
        .merge(browsed)
        .route("/metrics", get(move || std::future::ready(recorder.render())))
        .fallback(|| std::future::ready(Problem::new(StatusCode::NOT_FOUND, "there is nothing here")))
        .method_not_allowed_fallback(|| {
            std::future::ready(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not one of this path's"))
        })
        .layer(from_fn(move |request: Request, next: Next| async move {
            match tokio::time::timeout(patience, next.run(request)).await {
                Ok(response) => response,
                Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it took too long").into_response(),
            }
        }))
        .layer(from_fn(move |request: Request, next: Next| {
            // Batches of events are longer than what people send.
            let path = request.uri().path();
            let longest = webhooks.longest(path).or_else(|| longest_of_link(path)).unwrap_or(longest);
            read(longest, patience, request, next)
        }))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::unexpected(&std::io::Error::other("a request panicked")).into_response()
        }))
        .layer(cors)
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(from_fn(measured)))
}

/// Counts and times a request, and logs it without what it carries.
async fn measured(request: Request, next: Next) -> Response {
    let started = Instant::now();
    // What a client calls a method of its own is no label.
    let is_known =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
            .contains(request.method());
    let method = if is_known { request.method().to_string() } else { "other".to_string() };
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_string(), |path| path.as_str().to_string());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let labels = [("method", method.clone()), ("route", route.clone()), ("status", status.to_string())];
    metrics::counter!("remindersd_requests_total", &labels).increment(1);
    metrics::histogram!("remindersd_request_seconds", "route" => route.clone()).record(started.elapsed().as_secs_f64());
    tracing::info!(method, route, status, milliseconds = started.elapsed().as_millis(), "answered");
    response
}

pub async fn serve_until(stop: impl Future<Output = ()>, listener: TcpListener, router: Router, config: &config::Http) {
    let places = Arc::new(Semaphore::new(config.max_open_connections));
    let unread = Some(Duration::from_secs(config.request_timeout_seconds));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // Those for whom there is no place wait in the kernel's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Such as too many open files: others must close first.
                tracing::error!("cannot accept: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Small answers go out at once; where that is refused, they go out a little later.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut router = router.clone();
            async move {
                let response: Result<Response, Infallible> = match ServiceExt::<Request>::ready(&mut router).await {
                    Ok(router) => router.call(request.map(Body::new)).await,
                    Err(never) => match never {},
                };
                response
            }
        });
        // Whoever does not read what was asked for holds no place for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(unread);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .half_close(true)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that went away is no matter of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    tracing::info!("stopping: what is under way is finished");
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::error!("some requests took longer than {} s", GRACE.as_secs()),
    }
}
