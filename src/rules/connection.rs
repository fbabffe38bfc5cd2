//! Whether pg_cron will be able to connect for a job, judged from the settings, before it has tried.

/// How pg_cron will start a job, as far as the caller may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The role that schedules, and that the job will run as.
    pub role: String,
    pub can_log_in: bool,
    pub uses_background_workers: bool,
    /// cron.host: a name or an address, a directory of sockets, or nothing for the default one of those.
    pub host: String,
    /// listen_addresses; empty: no TCP.
    pub listen_addresses: String,
    /// What pg_hba.conf asks of each address of the host; `None` where the role may not read it.
    pub demands: Option<Vec<Demand>>,
}

/// What pg_hba.conf asks of a connection from an address: the first rule that fits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub line: i32,
    pub method: String,
}

/// What is said to whoever schedules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Whether the jobs will fail, and not just may.
    pub is_warning: bool,
    pub message: String,
    pub detail: String,
    pub hint: String,
}

/// Where hosts lead that are this machine, whatever its addresses.
pub const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

impl Facts {
    /// Whether pg_cron looks for a socket, and not for an address.
    #[must_use]
    pub fn uses_socket(host: &str) -> bool {
        host.is_empty() || host.starts_with('/') || host.starts_with('@')
    }

    /// The addresses that a connection may come from; none for a socket, and for names that only the network knows.
    #[must_use]
    pub fn addresses(host: &str) -> Vec<&str> {
        match host {
            "localhost" => LOOPBACK.to_vec(),
            _ if host.parse::<std::net::IpAddr>().is_ok() => vec![host],
            _ => vec![],
        }
    }
}

/// Why the jobs will fail, or might; `None` where nothing speaks against them.
#[must_use]
pub fn doubt(facts: &Facts) -> Option<Doubt> {
    const REMEDY: &str = "Set cron.use_background_workers = on in postgresql.conf and restart the server: pg_cron then \
        starts jobs without connecting.";
    let Facts { role, host, .. } = facts;
    if !facts.can_log_in {
        return Some(Doubt {
            is_warning: true,
            message: format!("pg_cron will not be able to run the jobs as {role}, which may not log in"),
            detail: "A job runs as the role that scheduled it.".to_string(),
            hint: format!("ALTER ROLE {role} LOGIN, or schedule the jobs as a role that may log in."),
        });
    }
    if facts.uses_background_workers {
        return None;
    }
    let place = if Facts::uses_socket(host) { "by its socket".to_string() } else { format!("at {host}") };
    let warning = |detail: String| {
        Some(Doubt {
            is_warning: true,
            message: "pg_cron will probably not be able to connect, and the jobs will fail with \"connection failed\""
                .to_string(),
            detail: format!(
                "cron.use_background_workers is off: pg_cron connects as {role}, as any client does, to this server {place}. {detail}"
            ),
            hint: REMEDY.to_string(),
        })
    };
    if !Facts::uses_socket(host) && !listens(host, &facts.listen_addresses) {
        return warning(format!("listen_addresses is '{}': it does not listen there.", facts.listen_addresses));
    }
    match &facts.demands {
        None => Some(Doubt {
            is_warning: false,
            message: "pg_cron will have to connect, and whether pg_hba.conf lets it is not visible to this role"
                .to_string(),
            detail: format!(
                "cron.use_background_workers is off: pg_cron connects as {role}, as any client does, to this server {place}. If \
                 pg_hba.conf asks for a password there, the jobs fail with \"connection failed\"."
            ),
            hint: format!("{REMEDY} evaluation_health() tells when a job has failed."),
        }),
        Some(demands) => match demands.iter().find(|demand| !lets_in(&demand.method, role)) {
            Some(Demand { line, method }) => warning(format!(
                "Line {line} of pg_hba.conf asks for {method} there, which pg_cron can only meet if the server's own \
                 system user has a password file."
            )),
            None if demands.is_empty() && is_known(host) => warning("pg_hba.conf has no rule that fits.".to_string()),
            None => None,
        },
    }
}

/// Whether the server listens where this host leads, as far as the settings tell.
fn listens(host: &str, listen_addresses: &str) -> bool {
    let mut addresses = listen_addresses.split(',').map(str::trim).filter(|address| !address.is_empty()).peekable();
    if addresses.peek().is_none() {
        return false;
    }
    if host != "localhost" && !LOOPBACK.contains(&host) {
        return true;
    }
    addresses.any(|address| matches!(address, "*" | "localhost" | "0.0.0.0" | "::") || LOOPBACK.contains(&address))
}

/// Whether its rules can be told from the name.
fn is_known(host: &str) -> bool {
    Facts::uses_socket(host) || !Facts::addresses(host).is_empty()
}

/// Whether pg_cron gets in without being asked. `peer` lets in who has the name of the server's system user, which is postgres
/// nearly everywhere.
fn lets_in(method: &str, role: &str) -> bool {
    method == "trust" || matches!(method, "peer" | "ident") && role == "postgres"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pg_cron and Debian come.
    fn as_delivered() -> Facts {
        Facts {
            role: "owner".to_string(),
            can_log_in: true,
            uses_background_workers: false,
            host: "localhost".to_string(),
            listen_addresses: "localhost".to_string(),
            demands: Some(vec![demand("scram-sha-256")]),
        }
    }

    fn demand(method: &str) -> Demand {
        Demand { line: 97, method: method.to_string() }
    }

    fn detail(facts: &Facts) -> String {
        let doubt = doubt(facts).expect("a doubt");
        assert!(doubt.is_warning && doubt.hint.contains("cron.use_background_workers = on"), "{doubt:?}");
        doubt.detail
    }

    #[test]
    fn a_rule_that_asks_for_a_password_is_named() {
        let detail = detail(&as_delivered());
        assert!(detail.contains("Line 97 of pg_hba.conf asks for scram-sha-256"), "{detail}");
        let either = Facts { demands: Some(vec![demand("trust"), demand("md5")]), ..as_delivered() };
        assert!(doubt(&either).is_some(), "either address may be the one that is taken");
    }

    #[test]
    fn background_workers_need_no_connection() {
        assert_eq!(doubt(&Facts { uses_background_workers: true, ..as_delivered() }), None);
    }

    #[test]
    fn who_is_let_in_unasked_needs_no_warning() {
        assert_eq!(doubt(&Facts { demands: Some(vec![demand("trust")]), ..as_delivered() }), None);
        let peer = Facts { host: String::new(), demands: Some(vec![demand("peer")]), ..as_delivered() };
        assert!(doubt(&peer).is_some());
        assert_eq!(doubt(&Facts { role: "postgres".to_string(), ..peer }), None);
    }

    #[test]
    fn a_server_that_does_not_listen_there_is_told_whoever_asks() {
        for (host, listen_addresses) in [("localhost", ""), ("127.0.0.1", "10.0.0.5"), ("db.example.org", " ")] {
            let facts = Facts {
                host: host.to_string(),
                listen_addresses: listen_addresses.to_string(),
                demands: None,
                ..as_delivered()
            };
            assert!(detail(&facts).contains(&format!("listen_addresses is '{listen_addresses}'")), "{host}");
        }
        for listen_addresses in ["*", "0.0.0.0", "10.0.0.5, localhost", "::"] {
            let facts = Facts { listen_addresses: listen_addresses.to_string(), ..as_delivered() };
            assert!(detail(&facts).contains("pg_hba.conf"), "{listen_addresses}");
        }
        let socket = Facts {
            host: "/run/postgresql".to_string(),
            listen_addresses: String::new(),
            demands: Some(vec![demand("trust")]),
            ..as_delivered()
        };
        assert_eq!(doubt(&socket), None, "a socket needs no TCP");
    }

    #[test]
    fn no_rule_at_all_is_a_warning_unless_the_name_leads_nobody_knows_where() {
        assert!(detail(&Facts { demands: Some(vec![]), ..as_delivered() }).contains("no rule"));
        let named = Facts { host: "db.example.org".to_string(), listen_addresses: "*".to_string(), ..as_delivered() };
        assert_eq!(doubt(&Facts { demands: Some(vec![]), ..named }), None);
    }

    #[test]
    fn whoever_may_not_read_the_rules_is_told_what_would_go_wrong() {
        let doubt = doubt(&Facts { demands: None, ..as_delivered() }).expect("a doubt");
        assert!(!doubt.is_warning && doubt.hint.contains("cron.use_background_workers = on"), "{doubt:?}");
    }

    #[test]
    fn a_role_that_may_not_log_in_runs_no_job_either_way() {
        for uses_background_workers in [true, false] {
            let doubt = doubt(&Facts { can_log_in: false, uses_background_workers, ..as_delivered() });
            assert!(doubt.expect("a doubt").message.contains("owner, which may not log in"));
        }
    }

    #[test]
    fn addresses_are_those_that_the_name_itself_tells() {
        assert_eq!(Facts::addresses("localhost"), LOOPBACK);
        assert_eq!(Facts::addresses("10.0.0.5"), ["10.0.0.5"]);
        assert!(Facts::addresses("/tmp").is_empty() && Facts::addresses("db.example.org").is_empty());
    }
}
