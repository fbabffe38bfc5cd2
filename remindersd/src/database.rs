//! The database: each request is one transaction, in the role and with the claims of its caller, and one statement.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

use crate::config;
use crate::problem::{Problem, explained, is_passing};
use crate::token::Claims;

/// How often a transaction is tried that others came between.
const TRIES: usize = 3;

#[derive(Clone)]
pub struct Database {
    pool: Pool,
    /// One connection that no request takes: whether the database is there does not depend on how busy we are.
    watch: Pool,
}

/// A parameter, and its type as the statement has it.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl Database {
    pub fn new(config: &config::Database) -> Result<Self, String> {
        let mut connection: tokio_postgres::Config =
            config.url.parse().map_err(|error| format!("configuration: database.url: {error}"))?;
        // Moments are shown in UTC. A statement that takes longer is ended, also where its client is gone.
        let options = format!(
            "{} -c timezone=UTC -c datestyle=ISO -c statement_timeout={}s -c idle_in_transaction_session_timeout=30s",
            connection.get_options().unwrap_or_default(),
            config.statement_timeout_seconds
        );
        connection.options(options).application_name("remindersd");
        let wait = Some(Duration::from_secs(config.statement_timeout_seconds.into()));
        let pool = |size| {
            let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            Pool::builder(Manager::from_config(connection.clone(), NoTls, recycling))
                .max_size(size)
                .timeouts(Timeouts { wait, create: wait, recycle: wait })
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|error| error.to_string())
        };
        Ok(Self { pool: pool(config.max_connections)?, watch: pool(1)? })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Problem> {
        let client = self.watch.get().await.map_err(|error| Problem::unavailable(&error))?;
        client.batch_execute("").await.map_err(|error| Problem::unavailable(&error))
    }

    /// What may be wrong between the configuration and the database: none for nothing.
    pub async fn complaint(&self, config: &config::Config) -> Result<Option<String>, String> {
        let roles = config.jwt.as_ref().map(|jwt| jwt.roles.as_slice()).unwrap_or_default();
        let (webhooks, unsubscribe) = (&config.webhooks.role, &config.unsubscribe.role);
        let client = self.pool.get().await.map_err(|error| explained(&error))?;
        let found = client.query_opt(include_str!("../sql/check.sql"), &[&roles, webhooks, unsubscribe]).await;
        let complaint = found.and_then(|row| row.map(|row| row.try_get(0)).transpose());
        if let Some(complaint) = complaint.map_err(|error| explained(&error))? {
            return Ok(Some(complaint));
        }
        drop(client);
        self.missing_organization(&config.webhooks).await.map_err(|failure| failure.to_string())
    }

    /// Whether the role of webhooks sees each organization whose events it is to record: those of another id would all be of unknown messages.
    async fn missing_organization(&self, webhooks: &config::Webhooks) -> Result<Option<String>, Failure> {
        let Some(role) = webhooks.role.as_ref().filter(|_| !webhooks.sources.is_empty()) else { return Ok(None) };
        let organizations: Vec<Uuid> = webhooks.sources.iter().map(config::Source::organization).collect();
        let claims = Claims::of_role(role, None);
        let sql = include_str!("../sql/missing_organization.sql");
        let missing = self.transaction(None, &claims, sql, &[(&organizations, Type::UUID_ARRAY)]).await?;
        let complaint = missing.first().map(|row| {
            let (number, organization): (i64, Uuid) = (row.try_get("number")?, row.try_get("organization")?);
            Ok(format!(
                "webhooks.sources, number {number}: the role {role} sees no organization {organization} with reminder_settings; all of its events would be of unknown messages"
            ))
        });
        complaint.transpose().map_err(Failure::Statement)
    }

    /// The rows of a statement that runs as the caller does. It is planned for its parameters, and not kept.
    pub async fn rows(
        &self,
        claims: &Claims,
        method: &Method,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Problem> {
        self.rows_within(None, claims, method, sql, parameters).await
    }

    /// The same, where no lock is waited for longer than `patience`: 55P03 beyond.
    pub async fn rows_within(
        &self,
        patience: Option<Duration>,
        claims: &Claims,
        method: &Method,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Problem> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.transaction(patience, claims, sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Statement(error)) => match error.as_db_error() {
                    Some(error) if is_passing(error.code()) && tries < TRIES => {}
                    Some(error) => return Err(Problem::refused(error, method)),
                    // A value that the wire has no room for is the client's; all else is between us and the database.
                    None if error.to_string().starts_with("error serializing") => {
                        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "a value is out of range"));
                    }
                    None => return Err(Problem::unavailable(&error)),
                },
                Err(Failure::Pool(error)) => return Err(Problem::unavailable(&error)),
            }
        }
    }

    async fn transaction(
        &self,
        patience: Option<Duration>,
        claims: &Claims,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let patience = patience.map(|wait| wait.as_millis().to_string());
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        transaction
            .query_typed(
                "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true), CASE WHEN $3 IS NOT NULL THEN set_config('lock_timeout', $3, true) END",
                &[(&claims.role, Type::TEXT), (&claims.json, Type::TEXT), (&patience, Type::TEXT)],
            )
            .await?;
        let rows = transaction.query_typed(sql, parameters).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

enum Failure {
    Pool(deadpool_postgres::PoolError),
    Statement(tokio_postgres::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Pool(error) => formatter.write_str(&explained(error)),
            Self::Statement(error) => formatter.write_str(&explained(error)),
        }
    }
}

impl From<deadpool_postgres::PoolError> for Failure {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(error)
    }
}
