//! The channel `email`: SMTP, by default with STARTTLS required.
//!
//! Invariant: a message counts as taken only after the server's 250 to the final dot; a password never leaves without TLS unless
//! `security = "plain"` says so.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport};
use lettre::{AsyncTransport, Tokio1Executor};
use serde::Deserialize;
use serde_json::Value;

use crate::base::time::duration_text;

use super::{Channel, ChannelContext, ChannelKind, DeliveryError, DeliveryFault, Message, Reason};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "email",
    joins_at: 2,
    example: "server = \"mail.example.org\"\nsecurity = \"starttls\"            # starttls (587), tls (465), plain (25)\n\
              from = \"farol@example.org\"\nto = [\"ops@example.org\"]\nuser = \"farol\"\npassword_file = \"/etc/farol/smtp-password\"",
    open,
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
    /// A file whose first line is the password.
    password_file: Option<PathBuf>,
    /// A command whose first line of output is the password.
    password_command: Option<String>,
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
    from: Mailbox,
    to: Vec<Mailbox>,
}

fn open(settings: &Value, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let mut config = EmailConfig::deserialize(settings).map_err(|e| e.to_string())?;
    let mailbox = |key: &str, text: &str| text.parse::<Mailbox>().map_err(|e| format!("{key}: \"{text}\" is no address: {e}"));
    let from = mailbox("from", &config.from)?;
    let to = config.to.iter().map(|t| mailbox("to", t)).collect::<Result<Vec<_>, _>>()?;
    if to.is_empty() {
        return Err("to must name at least one address".to_owned());
    }
    match (&config.user, &config.password_file, &config.password_command) {
        (_, Some(_), Some(_)) => return Err("write one of password_file and password_command".to_owned()),
        (None, None, None) => {}
        (Some(_), None, None) => return Err("user needs a password_file or a password_command".to_owned()),
        (None, ..) => return Err("a password needs a user".to_owned()),
        (Some(_), ..) => {}
    }
    config.password_file = config.password_file.map(|p| context.folder.join(p));
    config.ca_file = config.ca_file.map(|p| context.folder.join(p));
    Ok(Arc::new(EmailChannel { config, from, to }))
}

impl Channel for EmailChannel {
    fn deliver<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), DeliveryError>> {
        Box::pin(async move {
            let mail = self.mail(message).map_err(|e| DeliveryError::new(DeliveryFault::Permanent, format!("e-mail: {e}")))?;
            let transport =
                self.transport().await.map_err(|e| DeliveryError::new(DeliveryFault::Transient, format!("e-mail: {e}")))?;
            transport.send(mail).await.map(|_| ()).map_err(|e| self.failed(&e))
        })
    }

    /// Connect, TLS, log in, hand over: each of them has the configured time.
    fn timeout(&self) -> Duration {
        self.config.timeout * 4
    }
}

impl EmailChannel {
    fn mail(&self, message: &Message) -> Result<lettre::Message, lettre::error::Error> {
        let mut mail = lettre::Message::builder().from(self.from.clone()).subject(&message.subject);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        // The same for every attempt, so that mail programs drop a double; one alert is one thread.
        let domain = self.from.email.domain();
        let thread = format!("<farol.{}.{}@{domain}>", message.alert, "alert");
        if message.reason != Reason::Fired {
            mail = mail.in_reply_to(thread.clone()).references(thread.clone());
        }
        let own = match message.reason {
            Reason::Fired => thread,
            reason => format!("<farol.{}.{reason:?}.{}@{domain}>", message.alert, message.at.millis()).replace(['(', ')'], "-"),
        };
        mail.message_id(Some(own)).header(ContentType::TEXT_PLAIN).body(message.body.clone())
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let config = &self.config;
        let tls = self.tls().await?;
        let (port, tls) = match config.security {
            Security::Plain => (25, Tls::None),
            Security::Starttls => (587, Tls::Required(tls)),
            Security::Tls => (465, Tls::Wrapper(tls)),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server);
        builder = builder.port(config.port.unwrap_or(port)).tls(tls).timeout(Some(config.timeout));
        if let Some(user) = &config.user {
            builder = builder.credentials(Credentials::new(user.clone(), self.password().await?));
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

    /// Read for each message, so that a changed password needs no reload.
    async fn password(&self) -> Result<String, String> {
        let text = if let Some(path) = &self.config.password_file {
            read(path.clone()).await.map_err(|e| format!("password_file {}: {e}", path.display()))?
        } else if let Some(command) = &self.config.password_command {
            let mut shell = tokio::process::Command::new("/bin/sh");
            shell.args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            let out = shell.output().await.map_err(|e| format!("password_command: {e}"))?;
            if !out.status.success() {
                return Err(format!("password_command: {}", out.status));
            }
            String::from_utf8(out.stdout).map_err(|_| "password_command: output is not UTF-8".to_owned())?
        } else {
            String::new()
        };
        Ok(text.lines().next().unwrap_or("").to_owned())
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
        DeliveryError::new(fault, text)
    }
}

async fn read(path: PathBuf) -> std::io::Result<String> {
    tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
}

#[cfg(test)]
mod tests;
