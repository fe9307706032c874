//! The services of the simulated machine and what their checks find.
//!
//! Invariant: a check finds what the scene and the figures say, at the service's own times.

use std::time::Duration;

use super::figures::Figures;
use super::noise::Noise;
use super::story::Scene;
use crate::base::Timestamp;
use crate::model::{CheckOutcome, CheckResult};

/// A service of the simulated machine, as a configuration would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimService {
    /// Its name.
    pub name: &'static str,
    /// How it is checked (`http`, `tcp`, `systemd`).
    pub kind: &'static str,
    /// What is checked.
    pub target: &'static str,
    /// Time between two checks.
    pub interval: Duration,
    /// Slower answers are degraded.
    pub degraded_above: Duration,
}

const fn service(name: &'static str, kind: &'static str, target: &'static str) -> SimService {
    SimService { name, kind, target, interval: Duration::from_secs(10), degraded_above: Duration::from_secs(2) }
}

/// All of them.
pub(super) const SERVICES: &[SimService] = &[
    service("backup", "systemd", "backup.timer"),
    service("checkout-api", "http", "https://127.0.0.1:8443/pay"),
    service("dns", "tcp", "127.0.0.1:53"),
    service("images", "http", "https://127.0.0.1/img"),
    service("login", "http", "https://127.0.0.1/auth"),
    service("mail-relay", "tcp", "127.0.0.1:25"),
    service("nginx", "http", "https://127.0.0.1/ping"),
    service("postgres", "tcp", "127.0.0.1:5432"),
    service("redis", "tcp", "127.0.0.1:6379"),
    service("search", "http", "https://127.0.0.1/q"),
    service("shop-web", "http", "https://127.0.0.1/"),
    service("ssh", "tcp", "127.0.0.1:22"),
];

/// Usual time to the answer, in seconds, and what slows it: visitors, memory that is short, a flood.
struct Pace(&'static str, f64, f64, f64, f64);

const PACES: &[Pace] = &[
    Pace("backup", 0.001, 0.0, 0.0, 0.0),
    Pace("checkout-api", 0.074, 0.6, 32.0, 1.0),
    Pace("dns", 0.004, 0.1, 0.2, 0.5),
    Pace("images", 0.019, 0.5, 1.0, 4.0),
    Pace("login", 0.061, 0.4, 2.0, 7.0),
    Pace("mail-relay", 0.011, 0.1, 0.5, 0.5),
    Pace("nginx", 0.009, 0.5, 0.6, 6.0),
    Pace("postgres", 0.009, 0.8, 3.2, 0.2),
    Pace("redis", 0.001, 0.2, 0.6, 0.1),
    Pace("search", 0.082, 0.5, 2.5, 1.0),
    Pace("shop-web", 0.138, 0.6, 2.2, 9.0),
    Pace("ssh", 0.003, 0.0, 0.5, 40.0),
];

/// While a new version starts, the shop answers nothing for this share of the deploy's strength.
const DEPLOY_DOWN_ABOVE: f64 = 0.9;
/// The certificate of the shop ends 13 days after the start of the story, which leaves the twelve of the reference screens by then.
const CERTIFICATE_SECONDS: f64 = 13.0 * 86_400.0;

/// What a check finds.
pub(super) struct Surroundings<'a> {
    pub noise: Noise,
    pub start: Timestamp,
    pub scene: &'a Scene,
    pub figures: &'a Figures,
}

impl Surroundings<'_> {
    /// The check of service `index` that ends at `at`.
    pub(super) fn check(&self, index: usize, at: Timestamp) -> Option<CheckResult> {
        let service = SERVICES.get(index)?;
        let pace = PACES.iter().find(|p| p.0 == service.name)?;
        let failed = match service.name {
            "mail-relay" if self.scene.outage => Some("connection refused"),
            "shop-web" if self.scene.deploy > DEPLOY_DOWN_ABOVE => Some("503 Service Unavailable"),
            _ => None,
        };
        let slower = 1.0 + pace.2 * self.scene.visitors + pace.3 * self.figures.starved + pace.4 * self.scene.attack;
        let seconds = pace.1 * slower * (1.0 + 0.3 * self.noise.cell(900 + index as u32, at.millis()));
        let response = Duration::from_secs_f64(seconds.max(0.0002));
        let milliseconds = (seconds * 1000.0).ceil();
        let message = match (failed, service.kind) {
            (Some(why), _) => why.to_owned(),
            (None, "http") => format!("200 in {milliseconds:.0} ms"),
            (None, "systemd") => "active (waiting)".to_owned(),
            (None, _) => format!("connected in {milliseconds:.0} ms"),
        };
        // A refusal is an answer to nobody; a 503 came back in time.
        let answered = failed.is_none() || service.kind == "http";
        let certificate = (service.name == "shop-web").then(|| CERTIFICATE_SECONDS - at.since(self.start).as_secs_f64());
        Some(CheckResult {
            service: service.name.to_owned(),
            at,
            outcome: if failed.is_some() { CheckOutcome::Failed } else { CheckOutcome::Ok },
            response: answered.then_some(response),
            message,
            measures: Vec::new(),
            certificate_expires_in_seconds: certificate,
        })
    }
}
