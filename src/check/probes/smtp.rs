//! Whether a mail server greets, takes EHLO and, where wished, speaks TLS (RFC 5321, RFC 3207). No mail is sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::tls::{CERTIFICATE_WARNING, certified, refused};
use crate::base::Timestamp;
use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::check::talk::Talk;
use crate::net::{Client, Deadline, NetConfig, NetError, connect_tcp};

/// `type = "smtp"`.
pub const KIND: ProbeKind =
    ProbeKind { name: "smtp", keys: &["address", "starttls", "server_name", "ca_file", "certificate_warning"], make };

/// Most lines of one reply; servers list some twenty extensions.
const MAX_LINES: usize = 100;

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let address = Address::of(config, Some(25))?;
    Ok(Arc::new(Smtp {
        name: config.server_name.clone().unwrap_or_else(|| address.host.clone()),
        address,
        starttls: config.starttls.unwrap_or_default(),
        warning: config.certificate_warning.unwrap_or(CERTIFICATE_WARNING),
        client: Client::new(&NetConfig { ca_file: config.ca_file.clone() }),
    }))
}

struct Smtp {
    address: Address,
    name: String,
    starttls: bool,
    warning: Duration,
    client: Client,
}

/// The lines of a reply without their codes, where the code is the one wanted.
async fn reply(talk: &mut Talk, wanted: &str, phase: &'static str) -> Result<Vec<String>, NetError> {
    let mut lines = Vec::new();
    for _ in 0..MAX_LINES {
        let line = talk.line(phase).await?;
        let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
        if code != wanted {
            let said: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(NetError::Protocol(format!("\"{said}\" while {phase}")));
        }
        let is_last = !rest.starts_with('-');
        lines.push(rest.trim_start_matches(['-', ' ']).to_owned());
        if is_last {
            return Ok(lines);
        }
    }
    Err(NetError::Protocol("a reply that does not end".to_owned()))
}

impl Smtp {
    async fn run(&self, context: &ProbeContext) -> Result<Finding, NetError> {
        let deadline = Deadline::after(context.timeout);
        let (stream, mut phases) = connect_tcp(&self.address.host, self.address.port, context.timeout).await?;
        let start = Instant::now();
        let mut talk = Talk::new(Box::new(stream), deadline);
        let greeting = reply(&mut talk, "220", "waiting for the greeting").await?;
        phases.first_byte = start.elapsed();
        talk.send(b"EHLO farol\r\n").await?;
        let offered = reply(&mut talk, "250", "waiting for the answer to EHLO").await?;
        let mut shown = None;
        if self.starttls {
            if !offered.iter().any(|o| o.eq_ignore_ascii_case("STARTTLS")) {
                return Ok(Finding::failed("the server does not offer STARTTLS"));
            }
            talk.send(b"STARTTLS\r\n").await?;
            reply(&mut talk, "220", "waiting for the answer to STARTTLS").await?;
            let opened = self.client.secure(talk.into_stream()?, &self.name, &deadline).await?;
            (phases.tls, shown) = (opened.phases.tls, opened.shown);
            talk = Talk::new(opened.stream, deadline);
            talk.send(b"EHLO farol\r\n").await?;
            reply(&mut talk, "250", "waiting for the answer to EHLO").await?;
        }
        phases.total = phases.dns.unwrap_or_default() + phases.connect + start.elapsed();
        talk.send(b"QUIT\r\n").await?;
        let who: String = greeting.concat().chars().filter(|c| !c.is_control()).take(80).collect();
        let secured = if self.starttls { ", STARTTLS" } else { "" };
        let finding = Finding::ok(phases.total, format!("{who}{secured} in {} ms", phases.total.as_millis())).timed(&phases);
        Ok(match shown {
            Some(shown) => certified(finding, shown, self.warning, Timestamp::now()),
            None => finding,
        })
    }
}

impl Probe for Smtp {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move { self.run(context).await.unwrap_or_else(|e| refused(&e, Timestamp::now())) })
    }

    fn target(&self) -> String {
        format!("{}:{}", self.address.host, self.address.port)
    }
}
