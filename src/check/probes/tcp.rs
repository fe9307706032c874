//! Whether somebody takes TCP connections at an address, and answers as expected.
//!
//! Without `send` and `expect` it connects and closes.

use std::sync::Arc;

use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::check::talk::Talk;
use crate::net::{Deadline, NetError, connect_tcp};

/// `type = "tcp"`.
pub const KIND: ProbeKind = ProbeKind { name: "tcp", keys: &["address", "send", "expect"], make };

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    Ok(Arc::new(Tcp {
        address: Address::of(config, None)?,
        target: config.required("address", &config.address)?.to_owned(),
        send: config.send.clone(),
        expect: config.pattern("expect", &config.expect)?,
    }))
}

struct Tcp {
    address: Address,
    target: String,
    send: Option<String>,
    expect: Option<Pattern>,
}

impl Tcp {
    async fn run(&self, context: &ProbeContext) -> Result<Finding, NetError> {
        let deadline = Deadline::after(context.timeout);
        let (stream, mut phases) = connect_tcp(&self.address.host, self.address.port, context.timeout).await?;
        if self.send.is_none() && self.expect.is_none() {
            return Ok(Finding::ok(phases.connect, format!("connected in {} ms", phases.connect.as_millis())).timed(&phases));
        }
        let start = tokio::time::Instant::now();
        let mut talk = Talk::new(Box::new(stream), deadline);
        talk.send(self.send.as_deref().unwrap_or_default().as_bytes()).await?;
        if let Some(expect) = &self.expect
            && !talk.until(expect).await?
        {
            return Ok(Finding::failed(format!("the answer does not hold what is expected: \"{}\"", talk.heard())));
        }
        phases.total = phases.dns.unwrap_or_default() + phases.connect + start.elapsed();
        Ok(Finding::ok(phases.total, format!("answered in {} ms", phases.total.as_millis())).timed(&phases))
    }
}

impl Probe for Tcp {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context).await.unwrap_or_else(|e| Finding::failed(e.to_string())) })
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}
