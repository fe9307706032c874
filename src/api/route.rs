//! The routes, and the one way from an HTTP request to a `Monitor` and back.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Peer, stream};
use crate::base::{TimeRange, Timestamp, parse_duration, parse_time};
use crate::model::Snapshot;
use crate::monitor::{Answer, Monitor, QueryRequest, Refusal, RefusalKind, Request, Scope, Waker, stale_after};

/// Longest wait for an answer; the engine's own limits are shorter.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Makes a reader of the engine for one connection.
pub type MonitorSource = Arc<dyn Fn(Scope, Waker) -> Box<dyn Monitor> + Send + Sync>;

/// Path and meaning of every route.
pub const ROUTES: &[(&str, &str)] = &[
    ("/healthz", "200 while the engine lives"),
    ("/readyz", "200 while samples come in and can be stored, else 503 with the reason"),
    ("/api/v1/snapshot", "the whole present as JSON"),
    ("/api/v1/query_range", "query, start, end, step: the Prometheus HTTP API's envelope"),
    ("/api/v1/stream", "WebSocket: hello, snapshot, then every pulse; takes requests"),
];

/// Name of a user by number.
pub type Namer = Arc<dyn Fn(u32) -> Option<String> + Send + Sync>;

/// What a listener leads to.
#[derive(Clone)]
pub struct Entry {
    /// Makes readers.
    pub monitors: MonitorSource,
    /// Names those who decide.
    pub names: Namer,
}

impl Entry {
    /// The user behind a connection, for what it decides.
    pub(super) fn user(&self, peer: Peer) -> String {
        let named = |uid| (self.names)(uid).unwrap_or_else(|| format!("uid {uid}"));
        peer.uid.map_or_else(|| "unknown user".to_owned(), named)
    }
}

/// All routes.
pub(super) fn router(entry: Entry) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v1/snapshot", get(snapshot))
        .route("/api/v1/query_range", get(query_range))
        .route("/api/v1/stream", get(stream::upgrade))
        .fallback(nowhere)
        .method_not_allowed_fallback(only_get)
        .with_state(entry)
}

/// A refusal as an HTTP answer: status and `{"error": …}`.
pub(super) struct Refused(pub(super) Refusal);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.kind {
            RefusalKind::Invalid => StatusCode::BAD_REQUEST,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        // Prometheus' error envelope, so that its clients show the text.
        let kind = match self.0.kind {
            RefusalKind::Invalid => "bad_data",
            RefusalKind::NotFound => "not_found",
            RefusalKind::Unavailable => "unavailable",
            RefusalKind::Forbidden | RefusalKind::Failed => "execution",
        };
        (status, Json(json!({"status": "error", "errorType": kind, "error": self.0.message}))).into_response()
    }
}

async fn nowhere(uri: Uri) -> Refused {
    let paths: Vec<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    Refused(Refusal::new(RefusalKind::NotFound, format!("there is no {}; there are {}", uri.path(), paths.join(", "))))
}

async fn only_get() -> Response {
    let refused = Refused(Refusal::new(RefusalKind::Invalid, "only GET is served"));
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], refused).into_response()
}

/// The peer's scope.
pub(super) fn scope_of(peer: Peer) -> Result<Scope, Refused> {
    peer.scope.ok_or_else(|| Refused(Refusal::new(RefusalKind::Forbidden, "not permitted: this engine belongs to another user")))
}

/// Asks and waits for the answer.
async fn ask(monitors: &MonitorSource, scope: Scope, request: Request) -> Result<Answer, Refused> {
    let notify = Arc::new(Notify::new());
    let waker = Arc::clone(&notify);
    let mut monitor = monitors(scope, Arc::new(move || waker.notify_one()));
    let ticket = monitor.ask(request);
    let answer = tokio::time::timeout(ANSWER_LIMIT, async {
        loop {
            if let Some(answer) = monitor.poll(ticket) {
                return answer;
            }
            notify.notified().await;
        }
    });
    let late = || Refusal::new(RefusalKind::Unavailable, "no answer within 30 s; ask for a shorter span");
    answer.await.unwrap_or_else(|_| Err(late())).map_err(Refused)
}

async fn healthz(ConnectInfo(peer): ConnectInfo<Peer>) -> Result<&'static str, Refused> {
    scope_of(peer).map(|_| "ok\n")
}

async fn readyz(State(entry): State<Entry>, ConnectInfo(peer): ConnectInfo<Peer>) -> Result<Response, Refused> {
    let scope = scope_of(peer)?;
    let snapshot = (entry.monitors)(scope, Arc::new(|| {})).snapshot();
    let age = Timestamp::now().since(snapshot.at);
    let reason = if age > stale_after(&snapshot) {
        Some(format!("the newest sample is {} s old\n", age.as_secs()))
    } else if !snapshot.recorder.store.ok {
        let problem = snapshot.recorder.store.problem.as_deref().unwrap_or("history cannot be written");
        Some(format!("{problem}\n"))
    } else {
        None
    };
    Ok(match reason {
        None => (StatusCode::OK, "ready\n").into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason).into_response(),
    })
}

/// A snapshot with what every object of the contract has.
#[derive(Serialize)]
struct Described<'a> {
    schema: &'static str,
    generated_at: String,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

async fn snapshot(State(entry): State<Entry>, ConnectInfo(peer): ConnectInfo<Peer>) -> Result<Response, Refused> {
    let scope = scope_of(peer)?;
    let snapshot = (entry.monitors)(scope, Arc::new(|| {})).snapshot();
    let body = serde_json::to_string(&Described {
        schema: "farol.snapshot/1",
        generated_at: Timestamp::now().rfc3339(),
        snapshot: &snapshot,
    })
    .map_err(|e| Refused(Refusal::new(RefusalKind::Failed, format!("the snapshot cannot be written: {e}"))))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Parameters of a range query, as Prometheus names them; all are needed.
#[derive(Debug, Deserialize)]
struct RangeParams {
    query: Option<String>,
    start: Option<String>,
    end: Option<String>,
    step: Option<String>,
}

impl RangeParams {
    fn request(&self) -> Result<QueryRequest, Refusal> {
        let invalid = |name: &str, why: String| Refusal::new(RefusalKind::Invalid, format!("parameter {name}: {why}"));
        let needed = |name: &str, value: &Option<String>| value.clone().ok_or_else(|| invalid(name, "is missing".to_owned()));
        let (expr, step) = (needed("query", &self.query)?, needed("step", &self.step)?);
        let now = Timestamp::now();
        let time = |name: &str, text: &str| match text.parse::<f64>() {
            // Milliseconds in an i64 reach beyond any date; a wilder number saturates.
            Ok(seconds) if seconds.is_finite() => Ok(Timestamp((seconds * 1000.0) as i64)),
            _ => parse_time(text, now).map_err(|e| invalid(name, e.to_string())),
        };
        let (start, end) = (needed("start", &self.start)?, needed("end", &self.end)?);
        let range = TimeRange { from: time("start", &start)?, to: time("end", &end)? };
        let step = match step.parse::<f64>() {
            Ok(seconds) if seconds > 0.0 && seconds < 1e9 => Duration::from_secs_f64(seconds),
            _ => parse_duration(&step).map_err(|e| invalid("step", e.to_string()))?,
        };
        if range.to < range.from {
            return Err(invalid("end", "lies before start".to_owned()));
        }
        Ok(QueryRequest { expr, range, step })
    }
}

async fn query_range(
    State(entry): State<Entry>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    params: Result<Query<RangeParams>, QueryRejection>,
) -> Result<Json<Value>, Refused> {
    let scope = scope_of(peer)?;
    let Query(params) = params.map_err(|e| Refused(Refusal::new(RefusalKind::Invalid, e.body_text())))?;
    let request = params.request().map_err(Refused)?;
    match ask(&entry.monitors, scope, Request::Query(request)).await? {
        Answer::Query { series, .. } => Ok(Json(envelope(&series, Timestamp::now()))),
        other => Err(Refused(Refusal::new(RefusalKind::Failed, format!("unexpected answer: {other:?}")))),
    }
}

/// The Prometheus HTTP API's envelope of a matrix, with what every object of ours has.
fn envelope(series: &[crate::monitor::QuerySeries], now: Timestamp) -> Value {
    let result: Vec<Value> = series
        .iter()
        .map(|s| {
            let values: Vec<Value> = s.values.iter().map(|(at, v)| json!([at.seconds(), v.to_string()])).collect();
            json!({"metric": s.metric, "values": values})
        })
        .collect();
    let (schema, generated_at) = ("farol.query/1", now.rfc3339());
    json!({"schema": schema, "generated_at": generated_at, "status": "success", "data": {"resultType": "matrix", "result": result}})
}
