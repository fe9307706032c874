//! Whether an SSH server names itself (RFC 4253 §4.2). Nobody logs in.

use std::sync::Arc;

use tokio::time::Instant;

use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::check::talk::Talk;
use crate::net::{Deadline, NetError, connect_tcp};

/// `type = "ssh"`.
pub const KIND: ProbeKind = ProbeKind { name: "ssh", keys: &["address", "expect"], make };

/// Lines a server may send before its name; the standard sets no bound, servers send a notice at most.
const MAX_LINES_BEFORE: usize = 50;

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let address = Address::of(config, Some(22))?;
    Ok(Arc::new(Ssh { address, expect: config.pattern("expect", &config.expect)? }))
}

struct Ssh {
    address: Address,
    expect: Option<Pattern>,
}

impl Ssh {
    async fn run(&self, context: &ProbeContext) -> Result<Finding, NetError> {
        let deadline = Deadline::after(context.timeout);
        let (stream, mut phases) = connect_tcp(&self.address.host, self.address.port, context.timeout).await?;
        let start = Instant::now();
        let mut talk = Talk::new(Box::new(stream), deadline);
        for _ in 0..MAX_LINES_BEFORE {
            let line = talk.line("waiting for the server's name").await?;
            let Some(name) = line.strip_prefix("SSH-") else { continue };
            // A client that names itself leaves no error in the server's log.
            talk.send(b"SSH-2.0-farol\r\n").await?;
            phases.first_byte = start.elapsed();
            phases.total = phases.dns.unwrap_or_default() + phases.connect + phases.first_byte;
            let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
            let finding = Finding::ok(phases.total, format!("SSH-{name}")).timed(&phases);
            let is_old = !name.starts_with("2.0-") && !name.starts_with("1.99-");
            if is_old || self.expect.as_ref().is_some_and(|e| !e.is_in(&line)) {
                let why = if is_old { "an old protocol" } else { "not what is expected" };
                return Ok(Finding { response: Some(phases.total), ..Finding::failed(format!("SSH-{name}: {why}")) });
            }
            return Ok(finding);
        }
        Ok(Finding::failed("this is no SSH server"))
    }
}

impl Probe for Ssh {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context).await.unwrap_or_else(|e| Finding::failed(e.to_string())) })
    }

    fn target(&self) -> String {
        format!("{}:{}", self.address.host, self.address.port)
    }
}
