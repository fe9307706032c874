//! Strict local servers that stand for the providers of the channels: documented limits, error bodies, 429.
//!
//! Only for tests. Invariant: a request a provider would refuse is refused, with its status and body.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

/// One request as it came in.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The fields of a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let decoded = |text: &str| {
            let bytes = text.replace('+', " ").into_bytes();
            let mut out = Vec::new();
            let mut at = 0;
            while at < bytes.len() {
                if bytes[at] == b'%' {
                    let hex = std::str::from_utf8(&bytes[at + 1..at + 3]).expect("two digits");
                    out.push(u8::from_str_radix(hex, 16).expect("a number"));
                    at += 3;
                } else {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
            String::from_utf8(out).expect("UTF-8")
        };
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    fn is_json(&self) -> bool {
        self.headers.get("content-type").is_some_and(|t| t.starts_with("application/json"))
    }
}

/// Status, further headers (`name: value`), body.
pub(super) type Answer = (u16, &'static str, String);

pub(super) fn ok(body: impl ToString) -> Answer {
    (200, "", body.to_string())
}

/// A server that judges each request; its address, and what came.
pub(super) fn serve(judge: impl Fn(&Asked, usize) -> Answer + Send + 'static) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, seen) = channel();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let Some(asked) = read(&mut BufReader::new(stream.try_clone().expect("a clone"))) else { continue };
            let (status, headers, body) = judge(&asked, n);
            let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n", body.len());
            // The client may have gone.
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
            if sender.send(asked).is_err() {
                return;
            }
        }
    });
    (address, seen)
}

fn read(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let mut asked = Asked { method: words.next()?.to_owned(), path: words.next()?.to_owned(), ..Asked::default() };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        asked.headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = asked.headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}

fn chars(value: &Value) -> usize {
    value.as_str().map_or(usize::MAX, |s| s.chars().count())
}

fn utf16(value: &Value) -> usize {
    value.as_str().map_or(usize::MAX, |s| s.encode_utf16().count())
}

/// Slack's incoming webhook: 400 `invalid_payload`, 400 `invalid_blocks`, 200 `ok`.
pub(super) fn slack_webhook(asked: &Asked, _: usize) -> Answer {
    let body = asked.json();
    if asked.path != "/services/T/B/X" {
        return (404, "", "no_service".to_owned());
    }
    if !asked.is_json() || body["text"].as_str().is_none_or(str::is_empty) || asked.body.len() > 13_000 * 4 {
        return (400, "", "invalid_payload".to_owned());
    }
    if slack_blocks(&body) { ok("ok") } else { (400, "", "invalid_blocks".to_owned()) }
}

/// Whether blocks keep the documented limits; text alone is escaped.
fn slack_blocks(body: &Value) -> bool {
    let blocks = body["attachments"][0]["blocks"].as_array().cloned().unwrap_or_default();
    let text_fits = |text: &Value, most: usize| text["type"] == "plain_text" && (1..=most).contains(&chars(&text["text"]));
    let fits = |block: &Value| match block["type"].as_str() {
        Some("header") => text_fits(&block["text"], 150),
        Some("section") => {
            let fields = block["fields"].as_array();
            let fields_fit = fields.is_none_or(|f| (1..=10).contains(&f.len()) && f.iter().all(|f| text_fits(f, 2_000)));
            fields_fit && (fields.is_some() || text_fits(&block["text"], 3_000))
        }
        Some("context") => block["elements"].as_array().is_some_and(|e| (1..=10).contains(&e.len())),
        _ => false,
    };
    let raw = body["text"].as_str().is_some_and(|t| t.contains('<') || t.contains('>'));
    !raw && (1..=50).contains(&blocks.len()) && blocks.iter().all(fits)
}

/// Slack's methods for bots: 200 with `ok` false for mistakes.
pub(super) fn slack_bot(asked: &Asked, n: usize) -> Answer {
    let body = asked.json();
    if asked.headers.get("authorization").is_none_or(|a| a != "Bearer xoxb-right") {
        return ok(json!({"ok": false, "error": "invalid_auth"}));
    }
    let fine = slack_blocks(&body);
    match asked.path.as_str() {
        "/auth.test" => ok(json!({"ok": true, "user": "farol"})),
        "/chat.postMessage" if body["channel"] == "#ops" || body["channel"] == "C1" => {
            if fine {
                ok(json!({"ok": true, "channel": "C1", "ts": format!("1.{n}")}))
            } else {
                ok(json!({"ok": false, "error": "invalid_blocks"}))
            }
        }
        "/chat.update" if body["channel"] == "C1" && body["ts"] == "1.0" && fine => {
            ok(json!({"ok": true, "channel": "C1", "ts": "1.0"}))
        }
        "/chat.update" => ok(json!({"ok": false, "error": "message_not_found"})),
        _ => ok(json!({"ok": false, "error": "channel_not_found"})),
    }
}

/// A Teams Workflow: 413 over 28 KB, 400 without a card, 202.
pub(super) fn teams(asked: &Asked, _: usize) -> Answer {
    let body = asked.json();
    let card = &body["attachments"][0];
    if asked.body.len() > 28 * 1024 {
        return (413, "", "RequestEntityTooLarge".to_owned());
    }
    let is_card = body["type"] == "message"
        && card["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["content"]["type"] == "AdaptiveCard"
        && card["content"]["body"]
            .as_array()
            .is_some_and(|b| b.iter().all(|e| e["type"] == "TextBlock" || e["type"] == "FactSet"));
    // The signature in the address is the secret; it must arrive as it was written.
    if asked.path != "/powerautomate/x?api-version=1&sig=a%2Fb-c" {
        return (401, "", json!({"error": {"code": "DirectApiAuthorizationRequired"}}).to_string());
    }
    if is_card {
        (202, "", String::new())
    } else {
        (400, "", json!({"error": {"code": "TriggerInputSchemaMismatch"}}).to_string())
    }
}

/// A Discord webhook: 400 with the field at fault, 204.
pub(super) fn discord(asked: &Asked, _: usize) -> Answer {
    let body = asked.json();
    if asked.path != "/api/webhooks/1/token" {
        return (401, "", json!({"message": "Invalid Webhook Token", "code": 50027}).to_string());
    }
    if asked.method == "GET" {
        return ok(json!({"id": "1"}));
    }
    let embed = &body["embeds"][0];
    let fields = embed["fields"].as_array().cloned().unwrap_or_default();
    let field_fits = |f: &Value| (1..=256).contains(&utf16(&f["name"])) && (1..=1024).contains(&utf16(&f["value"]));
    let all = utf16(&embed["title"]) + utf16(&embed["description"]);
    let all = all
        + fields.iter().map(|f| utf16(&f["name"]) + utf16(&f["value"])).sum::<usize>()
        + embed["footer"]["text"].as_str().map_or(0, str::len);
    let fits = utf16(&embed["title"]) <= 256
        && utf16(&embed["description"]) <= 4096
        && fields.len() <= 25
        && fields.iter().all(field_fits);
    let silent = body["allowed_mentions"] == json!({"parse": []});
    if fits && all <= 6_000 && silent {
        (204, "", String::new())
    } else {
        (400, "", json!({"message": "Invalid Form Body", "code": 50035}).to_string())
    }
}

/// Telegram's Bot API: 401, 400 with a description and the new chat's number, 200.
pub(super) fn telegram(asked: &Asked, _: usize) -> Answer {
    let refuse = |code: u16, text: &str, parameters: Value| {
        (code, "", json!({"ok": false, "error_code": code, "description": text, "parameters": parameters}).to_string())
    };
    if !asked.path.starts_with("/bot12:right/") {
        return refuse(401, "Unauthorized", json!({}));
    }
    if asked.path.ends_with("/getMe") {
        return ok(json!({"ok": true, "result": {"id": 12}}));
    }
    let body = asked.json();
    let text = body["text"].as_str().unwrap_or_default();
    let without_tags =
        ["<b>", "</b>", "&lt;", "&gt;", "&amp;", "&quot;", "&#39;"].iter().fold(text.to_owned(), |t, tag| t.replace(tag, ""));
    if without_tags.contains(['<', '>', '&']) {
        return refuse(400, "Bad Request: can't parse entities", json!({}));
    }
    if without_tags.encode_utf16().count() > 4096 {
        return refuse(400, "Bad Request: message is too long", json!({}));
    }
    match body["chat_id"].as_str() {
        Some("-1") => {
            refuse(400, "Bad Request: group chat was upgraded to a supergroup chat", json!({"migrate_to_chat_id": -1005}))
        }
        Some("-1005" | "-2") => ok(json!({"ok": true, "result": {"message_id": 77}})),
        _ => refuse(400, "Bad Request: chat not found", json!({})),
    }
}

/// ntfy: 401 with its JSON, 400 for a message that would become an attachment.
pub(super) fn ntfy(asked: &Asked, _: usize) -> Answer {
    if asked.headers.get("authorization").is_none_or(|a| a != "Bearer tk_right") {
        return (401, "", json!({"code": 40101, "http": 401, "error": "unauthorized"}).to_string());
    }
    let body = asked.json();
    let fits = body["message"].as_str().is_some_and(|m| m.len() <= 4096)
        && body["priority"].as_u64().is_some_and(|p| (1..=5).contains(&p));
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/alerts/auth") => ok(json!({"success": true})),
        ("POST", "/") if fits && body["topic"] == "alerts" => ok(json!({"id": "abc", "event": "message"})),
        _ => (400, "", json!({"code": 40008, "http": 400, "error": "invalid request"}).to_string()),
    }
}

/// Gotify: 401 without the right key.
pub(super) fn gotify(asked: &Asked, _: usize) -> Answer {
    let body = asked.json();
    if asked.path != "/message" || asked.headers.get("x-gotify-key").is_none_or(|k| k != "right") {
        return (
            401,
            "",
            json!({"error": "Unauthorized", "errorCode": 401, "errorDescription": "you need to provide a valid access token"})
                .to_string(),
        );
    }
    let fine = body["message"].as_str().is_some_and(|m| !m.is_empty()) && body["priority"].is_u64();
    if fine { ok(json!({"id": 5})) } else { (400, "", json!({"error": "Bad Request", "errorCode": 400}).to_string()) }
}

/// Pushover: 400 with its list of errors; priority 2 needs retry and expire.
pub(super) fn pushover(asked: &Asked, _: usize) -> Answer {
    let form = asked.form();
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let refuse = |text: &str| (400, "", json!({"status": 0, "errors": [text]}).to_string());
    if field("token") != "right" {
        return refuse("application token is invalid");
    }
    if asked.path == "/users/validate.json" {
        return ok(json!({"status": 1}));
    }
    let number = |name: &str| field(name).parse::<u32>().unwrap_or(0);
    if field("priority") == "2" && (number("retry") < 30 || !(1..=10_800).contains(&number("expire"))) {
        return refuse("retry and expire are required");
    }
    let fits = (1..=1024).contains(&field("message").chars().count()) && field("title").chars().count() <= 250;
    if fits { ok(json!({"status": 1, "request": "r"})) } else { refuse("message is too long") }
}

/// A Matrix homeserver: 401 `M_UNKNOWN_TOKEN`, 413 over 65,536 bytes; the transaction is in the path.
pub(super) fn matrix(asked: &Asked, _: usize) -> Answer {
    if asked.headers.get("authorization").is_none_or(|a| a != "Bearer right") {
        return (401, "", json!({"errcode": "M_UNKNOWN_TOKEN", "error": "Unknown token"}).to_string());
    }
    if asked.path.ends_with("/account/whoami") {
        return ok(json!({"user_id": "@farol:x"}));
    }
    let body = asked.json();
    if asked.body.len() > 65_000 {
        return (413, "", json!({"errcode": "M_TOO_LARGE"}).to_string());
    }
    let path = "/_matrix/client/v3/rooms/%21abc%3Ax/send/m.room.message/farol-web-1-1";
    let fine = asked.method == "PUT" && asked.path == path && body["msgtype"] == "m.text" && body["m.mentions"] == json!({});
    if fine { ok(json!({"event_id": "$1"})) } else { (400, "", json!({"errcode": "M_BAD_JSON"}).to_string()) }
}

/// PagerDuty's Events API v2: 400 with its list, 202.
pub(super) fn pagerduty(asked: &Asked, _: usize) -> Answer {
    let body = asked.json();
    let payload = &body["payload"];
    let refuse = |text: &str| {
        (400, "", json!({"status": "invalid event", "message": "Event object is invalid", "errors": [text]}).to_string())
    };
    if body["routing_key"] != "right" {
        return refuse("Invalid routing key");
    }
    let action = body["event_action"].as_str().unwrap_or_default();
    let severity = payload["severity"].as_str().unwrap_or_default();
    let fits = ["trigger", "acknowledge", "resolve"].contains(&action)
        && ["critical", "error", "warning", "info"].contains(&severity)
        && (1..=1024).contains(&chars(&payload["summary"]))
        && (1..=255).contains(&chars(&body["dedup_key"]))
        && payload["source"].as_str().is_some_and(|s| !s.is_empty())
        && asked.body.len() <= 512 * 1024;
    if fits { (202, "", json!({"status": "success", "dedup_key": body["dedup_key"]}).to_string()) } else { refuse("payload") }
}

/// Twilio's form API: 401 by account and token, 400 21211 for a number, 21617 for a long body.
pub(super) fn twilio(asked: &Asked, _: usize) -> Answer {
    let refuse =
        |status: u16, code: u32, text: &str| (status, "", json!({"code": code, "message": text, "status": status}).to_string());
    // AC1:right
    if asked.headers.get("authorization").is_none_or(|a| a != "Basic QUMxOnJpZ2h0") {
        return refuse(401, 20003, "Authenticate");
    }
    let form = asked.form();
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    match asked.path.as_str() {
        "/2010-04-01/Accounts/AC1.json" => ok(json!({"sid": "AC1"})),
        _ if field("To") == "+15005550001" => refuse(400, 21211, "The 'To' number is not a valid phone number"),
        "/2010-04-01/Accounts/AC1/Messages.json" if (1..=1600).contains(&field("Body").chars().count()) => {
            (201, "", json!({"sid": "SM1", "status": "queued"}).to_string())
        }
        "/2010-04-01/Accounts/AC1/Messages.json" => {
            refuse(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        }
        "/2010-04-01/Accounts/AC1/Calls.json" if field("Twiml").len() <= 4_000 && field("Twiml").starts_with("<Response>") => {
            (201, "", json!({"sid": "CA1", "status": "queued"}).to_string())
        }
        _ => refuse(404, 20404, "The requested resource was not found"),
    }
}

/// Alertmanager: 400 with a bare text for what it cannot read.
pub(super) fn alertmanager(asked: &Asked, _: usize) -> Answer {
    if asked.path == "/api/v2/status" {
        return ok("{}");
    }
    let list = asked.json().as_array().cloned().unwrap_or_default();
    let is_name = |name: &String| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let fits = |alert: &Value| {
        alert["labels"].as_object().is_some_and(|l| !l.is_empty() && l.keys().all(is_name)) && alert["startsAt"].is_string()
    };
    if asked.path == "/api/v2/alerts" && !list.is_empty() && list.iter().all(fits) {
        ok("")
    } else {
        (400, "", "\"bad request\"".to_owned())
    }
}
