//! Whether a datagram is answered, and as expected.
//!
//! A port that is silent cannot be told from one that is not there, so something must be sent that is answered.

use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::net::{Deadline, NetError, lookup, plain_error};

/// `type = "udp"`.
pub const KIND: ProbeKind = ProbeKind { name: "udp", keys: &["address", "send", "expect"], make };

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    Ok(Arc::new(Udp {
        address: Address::of(config, None)?,
        target: config.required("address", &config.address)?.to_owned(),
        send: config.required("send", &config.send)?.as_bytes().to_vec(),
        expect: config.pattern("expect", &config.expect)?,
    }))
}

struct Udp {
    address: Address,
    target: String,
    send: Vec<u8>,
    expect: Option<Pattern>,
}

/// Asks and takes the first answer; a refusal comes back as an error of the socket.
pub(super) async fn ask(address: &Address, bytes: &[u8], deadline: &Deadline) -> Result<Vec<u8>, NetError> {
    let found = deadline.hold("looking up the name", lookup(&address.host, address.port)).await?;
    let failed =
        |e: std::io::Error| NetError::Connect { address: format!("{}:{}", address.host, address.port), reason: plain_error(&e) };
    let Some(to) = found.first() else { return Err(NetError::Protocol("no address".to_owned())) };
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let exchange = async {
        let socket = UdpSocket::bind(any).await.map_err(failed)?;
        socket.connect(to).await.map_err(failed)?;
        socket.send(bytes).await.map_err(failed)?;
        // The largest datagram there is.
        let mut answer = vec![0; 65_535];
        let n = socket.recv(&mut answer).await.map_err(failed)?;
        answer.truncate(n);
        Ok(answer)
    };
    deadline.hold("waiting for the answer", exchange).await
}

impl Udp {
    async fn run(&self, context: &ProbeContext) -> Result<Finding, NetError> {
        let start = Instant::now();
        let answer = ask(&self.address, &self.send, &Deadline::after(context.timeout)).await?;
        let took = start.elapsed();
        if self.expect.as_ref().is_some_and(|e| !e.is_in(&String::from_utf8_lossy(&answer))) {
            let message = format!("{} bytes, but not what is expected", answer.len());
            return Ok(Finding { response: Some(took), ..Finding::failed(message) });
        }
        Ok(Finding::ok(took, format!("{} bytes in {} ms", answer.len(), took.as_millis())))
    }
}

impl Probe for Udp {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context).await.unwrap_or_else(|e| Finding::failed(e.to_string())) })
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}
