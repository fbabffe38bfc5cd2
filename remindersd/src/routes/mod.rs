//! What is served, one file per thing. The path of each route stands beside what it does, and the description is made from both.

mod assignments;
mod body;
mod due;
mod explain;
mod live;
mod me;
mod page;
mod peer_mentors;
mod process;
mod screen;
mod statement;
mod unsubscribe;
mod version;
mod webhooks;

pub use body::read;
pub use unsubscribe::{Links, is_link, longest};

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::App;

/// All of it, with its description.
pub fn all() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(assignments::list, assignments::create))
        .routes(routes!(assignments::read, assignments::replace, assignments::change, assignments::delete))
        .routes(routes!(assignments::last_contact))
        .routes(routes!(assignments::participants))
        .routes(routes!(assignments::register_activity))
        .routes(routes!(explain::explanation))
        .routes(routes!(explain::timeline))
        .routes(routes!(peer_mentors::list))
        .routes(routes!(peer_mentors::read))
        .routes(routes!(statement::statement))
        .routes(routes!(due::due_assignments))
        .routes(routes!(me::me))
        .routes(routes!(me::health))
        .routes(routes!(me::silent_assignments))
        .routes(routes!(live::live));
    OpenApiRouter::new()
        .nest("/api/v1", api)
        .routes(routes!(due::due_assignments_of_worker))
        .routes(routes!(webhooks::record))
        .routes(routes!(unsubscribe::ask, unsubscribe::unsubscribe))
        .routes(routes!(process::healthz))
        .route("/", get(screen::page))
        .route("/screen.js", get(screen::script))
        .route("/screen.css", get(screen::style))
}
