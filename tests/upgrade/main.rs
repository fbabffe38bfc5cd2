//! From a real 0.1.0, built from its source (scripts/install-released), to this version: `make test-upgrade`. Both libraries are
//! installed side by side, as on a server whose packages were upgraded.

#[path = "../torture/bare.rs"]
mod bare;
mod catalog;
#[path = "../torture/cluster.rs"]
#[allow(dead_code)]
mod cluster;
mod pg_upgrade;
mod programme;
#[path = "../server/support.rs"]
#[allow(dead_code)]
mod support;
mod upgrade;
