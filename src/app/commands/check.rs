//! `farol check KIND`: one probe, once, as a Nagios plugin.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::doctor::two_rounds;
use super::out;
use crate::app::Failure;
use crate::check::{Finding, Service, ServiceConfig, check_once};
use crate::collect::ThisHost;
use crate::model::{CheckOutcome, Host, MeasureKind};

/// Arguments: the keys of a `[[service]]`, with the same meaning and defaults.
#[derive(Debug, Args, Serialize)]
pub struct Check {
    /// http, tcp, udp, tls, dns, icmp, smtp, ssh, process, systemd, file or command.
    #[serde(rename = "type")]
    kind: String,
    /// What is fetched (http).
    #[arg(long)]
    url: Option<String>,
    /// `host:port`, or the host where the protocol has a usual port.
    #[arg(long)]
    address: Option<String>,
    /// Unit of systemd.
    #[arg(long)]
    unit: Option<String>,
    /// Name of a process, or `/regex/` over command lines.
    #[arg(long)]
    process: Option<String>,
    /// Path of a file.
    #[arg(long)]
    path: Option<String>,
    /// Name asked for (dns).
    #[arg(long)]
    query: Option<String>,
    /// Kind of record (dns).
    #[arg(long)]
    record: Option<String>,
    /// Method (http).
    #[arg(long)]
    method: Option<String>,
    /// Body sent (http).
    #[arg(long)]
    body: Option<String>,
    /// File with a bearer's token (http).
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// Most redirects followed (http).
    #[arg(long, value_name = "N")]
    max_redirects: Option<usize>,
    /// Status codes that are well (http).
    #[arg(long, value_name = "CODES")]
    expect_status: Option<String>,
    /// Text or `/regex/` in the body (http).
    #[arg(long, value_name = "TEXT")]
    expect_body: Option<String>,
    /// Condition on the JSON body (http).
    #[arg(long, value_name = "CONDITION")]
    expect_json: Option<String>,
    /// What is sent (tcp, udp).
    #[arg(long, value_name = "TEXT")]
    send: Option<String>,
    /// Text or `/regex/` in the answer (tcp, udp, dns, ssh).
    #[arg(long, value_name = "TEXT")]
    expect: Option<String>,
    /// TLS must be offered and work (smtp).
    #[arg(long, num_args = 0, default_missing_value = "true")]
    starttls: Option<bool>,
    /// Name on the certificate (tls, smtp).
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// PEM file of authorities trusted beside the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// A certificate that ends sooner is a warning.
    #[arg(long, value_name = "TIME")]
    certificate_warning: Option<String>,
    /// A file that is older is critical.
    #[arg(long, value_name = "TIME")]
    max_age: Option<String>,
    /// A file that is smaller is critical.
    #[arg(long, value_name = "SIZE")]
    min_size: Option<String>,
    /// A file that is larger is critical.
    #[arg(long, value_name = "SIZE")]
    max_size: Option<String>,
    /// Slower answers are a warning.
    #[arg(long, value_name = "TIME")]
    degraded_above: Option<String>,
    /// Time the check may take.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// Program and arguments (command).
    #[arg(last = true)]
    command: Vec<String>,
}

/// States of the Nagios plugin API, with their exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Check {
    /// Checks once and prints one line; the exit code is the state.
    ///
    /// # Errors
    /// Where nothing can be printed.
    pub fn run(&self) -> Result<ExitCode, Failure> {
        let (state, line) = match self.service() {
            Ok(service) => {
                let finding = self.check(&service)?;
                let state = judge(&service, &finding);
                (state, line(&service, state, &finding))
            }
            Err(error) => (State::Unknown, format!("{} UNKNOWN - {error}", self.kind.to_uppercase())),
        };
        out::print(&format!("{line}\n"))?;
        Ok(ExitCode::from(state as u8))
    }

    fn service(&self) -> Result<Service, String> {
        let mut keys = serde_json::to_value(self).map_err(|e| e.to_string())?;
        if let Some(keys) = keys.as_object_mut() {
            keys.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
            keys.insert("name".to_owned(), Value::from("check"));
        }
        let config: ServiceConfig = serde_json::from_value(keys).map_err(|e| e.to_string())?;
        config.ready().map_err(|e| format!("--{}: {}", e.key.replace('_', "-").replace("type", "KIND"), e.message))
    }

    fn check(&self, service: &Service) -> Result<Finding, Failure> {
        let processes = if service.kind == "process" {
            let host: Arc<dyn Host> = Arc::new(ThisHost::new());
            two_rounds(&host).processes.apply(&[])
        } else {
            Arc::new([])
        };
        let view = Arc::new(move || Arc::clone(&processes));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        let finding = runtime.block_on(check_once(service, view));
        // A name lookup that hangs must not hold us.
        runtime.shutdown_background();
        Ok(finding)
    }
}

fn judge(service: &Service, finding: &Finding) -> State {
    match finding.outcome {
        CheckOutcome::Failed => State::Critical,
        CheckOutcome::Warning => State::Warning,
        CheckOutcome::Ok if finding.response.is_some_and(|r| r > service.degraded_above) => State::Warning,
        CheckOutcome::Ok => State::Ok,
    }
}

/// `KIND STATE - message | perfdata`.
fn line(service: &Service, state: State, finding: &Finding) -> String {
    let word = format!("{state:?}").to_uppercase();
    // A bar would begin the performance data, a line's end end it.
    let message: String = finding.message.chars().map(|c| if c == '|' || c.is_control() { ' ' } else { c }).collect();
    let mut data = Vec::new();
    if let Some(took) = finding.response {
        data.push(format!("time={:.6}s;{};;0", took.as_secs_f64(), service.degraded_above.as_secs_f64()));
    }
    if let Some(left) = finding.certificate_expires_in_seconds {
        data.push(format!("certificate={left:.0}s"));
    }
    for measure in &finding.measures {
        let (value, unit) = match measure.kind {
            MeasureKind::Phase | MeasureKind::Seconds => (measure.value, "s"),
            MeasureKind::Bytes => (measure.value, "B"),
            MeasureKind::Ratio => (measure.value * 100.0, "%"),
            MeasureKind::Count => (measure.value, ""),
        };
        data.push(format!("'{}'={value}{unit}", measure.label.replace('\'', "''")));
    }
    let data = if data.is_empty() { String::new() } else { format!(" | {}", data.join(" ")) };
    format!("{} {word} - {message}{data}", service.kind.to_uppercase())
}
