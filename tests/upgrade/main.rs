//! From a real 0.1.0, built from its source (scripts/install-released), to this version: `make test-upgrade`. Both libraries are
//! installed side by side, as on a server whose packages were upgraded.

mod catalog;
mod programme;
#[path = "../server/support.rs"]
#[allow(dead_code)]
mod support;
mod upgrade;
