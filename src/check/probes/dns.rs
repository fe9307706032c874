//! Whether a name server answers, and with the records expected.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::udp;
use crate::check::address::Address;
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::dns::{self, RECORDS, Reply, code_name};
use crate::check::pattern::Pattern;
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::model::catalog::nearest;
use crate::net::{Deadline, NetError, connect_tcp, plain_error};

/// `type = "dns"`.
pub const KIND: ProbeKind = ProbeKind { name: "dns", keys: &["query", "record", "address", "expect"], make };

/// The resolver's own configuration; its first server is asked where none is named.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Port of name servers.
const PORT: u16 = 53;

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let query = config.required("query", &config.query)?;
    let wanted = config.record.as_deref().unwrap_or("A").to_ascii_uppercase();
    let Some((record, number)) = RECORDS.iter().find(|(name, _)| *name == wanted).copied() else {
        let names: Vec<&str> = RECORDS.iter().map(|(name, _)| *name).collect();
        let hint = nearest(&wanted, names.iter().copied()).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        return Err(config.error("record", format!("\"{wanted}\" is unknown{hint} (there are {})", names.join(", "))));
    };
    if dns::question(0, query, number).is_none() {
        return Err(config.error("query", format!("\"{query}\" is no name")));
    }
    let server = if config.address.is_some() { Some(Address::of(config, Some(PORT))?) } else { None };
    let expect = config.pattern("expect", &config.expect)?;
    Ok(Arc::new(Dns { query: query.to_owned(), record, number, server, expect }))
}

struct Dns {
    query: String,
    record: &'static str,
    number: u16,
    server: Option<Address>,
    expect: Option<Pattern>,
}

/// The machine's own name server.
fn own_server() -> Result<Address, NetError> {
    let text = std::fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    let server = text.lines().find_map(|line| line.trim().strip_prefix("nameserver"));
    let host = server.and_then(|s| s.split_whitespace().next());
    let missing = || NetError::Invalid(format!("{RESOLV_CONF} names no server; set address"));
    host.map(|host| Address { host: host.to_owned(), port: PORT }).ok_or_else(missing)
}

impl Dns {
    async fn ask(&self, context: &ProbeContext) -> Result<Reply, NetError> {
        let deadline = Deadline::after(context.timeout);
        let server = self.server.clone().map_or_else(own_server, Ok)?;
        // A number that strangers cannot guess, so that they cannot answer in the server's place.
        let [high, low, ..] = std::hash::RandomState::new().build_hasher().finish().to_be_bytes();
        let question = dns::question(u16::from_be_bytes([high, low]), &self.query, self.number);
        let question = question.expect("the name was written once already");
        let bytes = udp::ask(&server, &question, &deadline).await?;
        let odd = || NetError::Protocol("this is no answer to the question".to_owned());
        let reply = dns::reply(&bytes, &question, self.number);
        match reply {
            Some(reply) if !reply.truncated => Ok(reply),
            None if !is_cut(&bytes) => Err(odd()),
            // Cut off: the rest is asked for over TCP (RFC 7766).
            _ => {
                let asked = async { self.ask_tcp(&server, &question, context).await };
                let bytes = deadline.hold("asking again over TCP", asked).await?;
                dns::reply(&bytes, &question, self.number).ok_or_else(odd)
            }
        }
    }

    async fn ask_tcp(&self, server: &Address, question: &[u8], context: &ProbeContext) -> Result<Vec<u8>, NetError> {
        let (mut stream, _) = connect_tcp(&server.host, server.port, context.timeout).await?;
        let broken = |e: std::io::Error| NetError::Protocol(plain_error(&e));
        let length = u16::try_from(question.len()).expect("a name has at most 255 bytes");
        stream.write_all(&[&length.to_be_bytes(), question].concat()).await.map_err(broken)?;
        let mut answer = vec![0; usize::from(stream.read_u16().await.map_err(broken)?)];
        stream.read_exact(&mut answer).await.map_err(broken)?;
        Ok(answer)
    }

    fn judge(&self, reply: &Reply, took: std::time::Duration) -> Finding {
        let failed = |message: String| Finding { response: Some(took), ..Finding::failed(message) };
        let records = reply.records.join(", ");
        match &self.expect {
            _ if reply.code != 0 => failed(code_name(reply.code).to_owned()),
            None if reply.records.is_empty() => failed(format!("{} has no record {}", self.query, self.record)),
            Some(expect) if !reply.records.iter().any(|r| expect.is_in(r)) => {
                failed(format!("{} is {records}, not what is expected", self.query))
            }
            _ => Finding::ok(took, format!("{records} in {} ms", took.as_millis())),
        }
    }
}

/// Whether an answer that cannot be read to its end says itself that it was cut off.
fn is_cut(bytes: &[u8]) -> bool {
    bytes.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

impl Probe for Dns {
    fn check<'a>(&'a self, context: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move {
            let start = Instant::now();
            match self.ask(context).await {
                Ok(reply) => self.judge(&reply, start.elapsed()),
                Err(error) => Finding::failed(error.to_string()),
            }
        })
    }

    fn target(&self) -> String {
        let server = self.server.as_ref().map(|s| format!(" at {}:{}", s.host, s.port)).unwrap_or_default();
        format!("{} {}{server}", self.query, self.record)
    }
}
