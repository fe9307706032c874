//! The channel `phone`: a call that reads the alert aloud, by a Twilio-compatible provider.
//!
//! Invariant: what is spoken is escaped text inside one `Say`, twice, because nobody listens to the first words.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::text::{self, Count};
use super::twilio::Twilio;
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Message, Receipt, Secrets};
use crate::base::escape_attribute;

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "phone",
    about: "Phone call by Twilio or a provider that speaks its form API: keys as `sms`",
    joins_at: 4,
    secrets: &["token"],
    example: "account = \"AC00000000000000000000000000000000\"\nfrom = \"+15005550006\"\nto = [\"+351912345678\"]\n\
              token_file = \"/etc/farol/twilio-token\"\napi = \"https://api.twilio.com\"",
    open,
    ..ChannelKind::PLAIN
};

/// Longest text spoken: half a minute; TwiML has at most 4,000 characters.
const SPOKEN: usize = 400;

struct Phone(Arc<Twilio>);

fn open(map: &Map<String, Value>, secrets: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    Ok(Arc::new(Phone(Twilio::open(map, secrets, context)?)))
}

impl Channel for Phone {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        Box::pin(async move { self.0.send(delivery, "Calls", &[("Twiml", &twiml(&delivery.message))]).await })
    }

    fn verify(&self) -> BoxFuture<'_, Result<Receipt, DeliveryError>> {
        Box::pin(self.0.verify())
    }
}

fn twiml(message: &Message) -> String {
    let text = format!("This is farol on {}. {}. {}", message.host, message.subject, message.lead);
    let text = escape_attribute(&text::cut(&text::line(&text), SPOKEN, Count::Chars));
    format!("<Response><Say>{text}</Say><Pause length=\"1\"/><Say>{text}</Say></Response>")
}
