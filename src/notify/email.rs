//! The channel `email`: SMTP, by default with STARTTLS required.
//!
//! Invariant: a message counts as taken only after the server's 250 to the final dot; a password never leaves without TLS unless
//! `security = "plain"` says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport, Tokio1Executor};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base::escape_attribute;
use crate::base::time::duration_text;
use crate::model::Severity;

use super::channel::settings;
use super::{
    Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, DeliveryFault, Enclosure, Message, Reason, Receipt, Secret,
    Secrets,
};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "email",
    about: "E-mail by SMTP: `server`, `from`, `to`, and `user` with `password_file` where the server asks for it",
    joins_at: 2,
    secrets: &["password"],
    example: "server = \"mail.example.org\"\nsecurity = \"starttls\"            # starttls (587), tls (465), plain (25)\n\
              from = \"farol@example.org\"\nto = [\"ops@example.org\"]\nuser = \"farol\"\npassword_file = \"/etc/farol/smtp-password\"",
    open,
    ..ChannelKind::PLAIN
};

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Security {
    /// Not at all.
    Plain,
    /// Plain first, then TLS; a server without it is refused.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// Its keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailConfig {
    server: String,
    /// By default 25, 587 or 465, as `security` says.
    port: Option<u16>,
    #[serde(default)]
    security: Security,
    from: String,
    to: Vec<String>,
    user: Option<String>,
    /// Certificates (PEM) trusted beside the system's.
    ca_file: Option<PathBuf>,
    #[serde(default = "default_timeout", with = "duration_text")]
    timeout: Duration,
}

/// A mail server may look up the sender and wait before it greets; RFC 5321 allows minutes, people do not.
fn default_timeout() -> Duration {
    Duration::from_secs(20)
}

struct EmailChannel {
    config: EmailConfig,
    password: Option<Secret>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let mut config: EmailConfig = settings(map)?;
    let mailbox = |key: &str, text: &str| text.parse::<Mailbox>().map_err(|e| format!("{key}: \"{text}\" is no address: {e}"));
    let from = mailbox("from", &config.from)?;
    let to = config.to.iter().map(|t| mailbox("to", t)).collect::<Result<Vec<_>, _>>()?;
    if to.is_empty() {
        return Err("to must name at least one address".to_owned());
    }
    let password = secrets.get("password");
    match (&config.user, &password) {
        (Some(_), None) => return Err("user needs a password_file, password_command or password_env".to_owned()),
        (None, Some(_)) => return Err("a password needs a user".to_owned()),
        _ => {}
    }
    config.ca_file = config.ca_file.map(|p| context.folder.join(p));
    Ok(Arc::new(EmailChannel { config, password, from, to }))
}

impl Channel for EmailChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let file = match &delivery.message.enclosure {
                Some(enclosure) => Some((enclosure, enclosure.read().await?)),
                None => None,
            };
            let mail = self.mail(&delivery.message, file).map_err(|e| DeliveryError::permanent(format!("e-mail: {e}")))?;
            let answer = self.transport().await?.send(mail).await.map_err(|e| self.failed(&e))?;
            let said = answer.first_line().map(super::text::line).unwrap_or_default();
            Ok(Receipt::new(format!("{} {said}", answer.code())))
        })
    }

    /// Connects, speaks TLS and logs in, as for a mail.
    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(async move {
            let found = self.transport().await?.test_connection().await.map_err(|e| self.failed(&e))?;
            let (server, user) = (&self.config.server, self.config.user.is_some());
            let text = if user { format!("{server} takes the password") } else { format!("{server} answers") };
            if found { Ok(Receipt::new(text)) } else { Err(DeliveryError::transient(format!("{server} does not answer"))) }
        })
    }

    /// Connect, TLS, log in, hand over: each of them has the configured time.
    fn timeout(&self) -> Duration {
        self.config.timeout * 4
    }
}

impl EmailChannel {
    fn mail(&self, message: &Message, file: Option<(&Enclosure, Vec<u8>)>) -> Result<lettre::Message, lettre::error::Error> {
        let mut mail = lettre::Message::builder().from(self.from.clone()).subject(&message.subject);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        // The same for every attempt, so that mail programs drop a double; all about the same is one thread.
        let domain = self.from.email.domain();
        let word =
            |text: &str| -> String { text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(64).collect() };
        let thread = format!("<farol.{}.{}.alert@{domain}>", word(&message.host), word(&message.thread));
        if !matches!(message.reason, Reason::Fired | Reason::Report) {
            mail = mail.in_reply_to(thread.clone()).references(thread.clone());
        }
        let own = match message.reason {
            Reason::Fired | Reason::Report => thread,
            reason => {
                let (host, thread, reason) = (word(&message.host), word(&message.thread), word(&reason.phrase()));
                format!("<farol.{host}.{thread}.{reason}.{}@{domain}>", message.at.millis())
            }
        };
        // No program must answer it with "I am on holiday" (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mail = mail.message_id(Some(own)).raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let text = MultiPart::alternative_plain_html(message.body(), rich(message));
        let Some((enclosure, bytes)) = file else { return mail.multipart(text) };
        let media_type = ContentType::parse(&enclosure.media_type).unwrap_or(ContentType::TEXT_PLAIN);
        let attached = Attachment::new(enclosure.name.clone()).body(bytes, media_type);
        mail.multipart(MultiPart::mixed().multipart(text).singlepart(attached))
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
        let config = &self.config;
        let tls = self.tls().await.map_err(|e| DeliveryError::transient(format!("e-mail: {e}")))?;
        let (port, tls) = match config.security {
            Security::Plain => (25, Tls::None),
            Security::Starttls => (587, Tls::Required(tls)),
            Security::Tls => (465, Tls::Wrapper(tls)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server);
        builder = builder.port(config.port.unwrap_or(port)).tls(tls).timeout(Some(config.timeout));
        if let (Some(user), Some(password)) = (&config.user, &self.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.read().await?));
        }
        Ok(builder.build())
    }

    async fn tls(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.config.server.clone());
        if let Some(path) = &self.config.ca_file {
            let shown = path.display();
            let pem = read(path.clone()).await.map_err(|e| format!("ca_file {shown}: {e}"))?;
            let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|e| format!("ca_file {shown}: {e}"))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build().map_err(|e| e.to_string())
    }

    /// A server's 5xx is final; everything else may pass.
    fn failed(&self, error: &smtp::Error) -> DeliveryError {
        let fault = if error.is_permanent() { DeliveryFault::Permanent } else { DeliveryFault::Transient };
        let mut text = format!("e-mail: {}: {error}", self.config.server);
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let more = inner.to_string();
            if !text.contains(&more) {
                text.push_str(&format!(": {more}"));
            }
            cause = inner.source();
        }
        let hint = if text.contains("535") || text.contains("530") { "; is the password right?" } else { "" };
        let in_doubt = fault == DeliveryFault::Transient && error.status().is_none() && !text.contains("Connection error");
        DeliveryError { in_doubt, ..DeliveryError::new(fault, format!("{}{hint}", super::text::line(&text))) }
    }
}

/// The text as HTML: a bar in the color of the severity, facts as a table.
fn rich(message: &Message) -> String {
    let color = match (message.reason, message.severity) {
        (Reason::Resolved, _) => "#2e7d32",
        (_, Severity::Critical) => "#c62828",
        (_, Severity::Warning) => "#b26a00",
        (_, Severity::Info) => "#1565c0",
    };
    let lead = escape_attribute(&message.lead).replace('\n', "<br>");
    let row = |(name, value): &(String, String)| {
        format!(
            "<tr><td style=\"color:#666;padding-right:1em;vertical-align:top\">{}</td><td>{}</td></tr>",
            escape_attribute(name),
            escape_attribute(value)
        )
    };
    let rows: String = message.facts.iter().map(row).collect();
    format!(
        "<!DOCTYPE html><html><body style=\"font-family:sans-serif\"><div style=\"border-left:4px solid {color};padding-left:1em\">\
         <h3 style=\"color:{color}\">{}</h3><p>{lead}</p><table>{rows}</table><p style=\"color:#666\">{}</p></div></body></html>",
        escape_attribute(&message.subject),
        escape_attribute(&message.hint)
    )
}

async fn read(path: PathBuf) -> std::io::Result<String> {
    tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
}

#[cfg(test)]
mod tests;
