//! The channel `file`: one JSON line for each message.
//!
//! Invariant: a line is written by one call in append mode, so that two writers never mix lines, and is on disk
//! when the delivery is reported.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::base::system;

use super::channel::settings;
use super::{Channel, ChannelContext, ChannelKind, Delivery, DeliveryError, Receipt, Secrets};

pub(super) const KIND: ChannelKind = ChannelKind {
    name: "file",
    about: "A file (`path`) with one line of `farol.message/1` for each message",
    example: "path = \"alerts.jsonl\"            # relative to the data directory",
    open,
    ..ChannelKind::PLAIN
};

/// Its keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    path: PathBuf,
}

struct FileChannel {
    path: PathBuf,
}

fn open(map: &Map<String, Value>, _: Secrets, context: &ChannelContext) -> Result<Arc<dyn Channel>, String> {
    let config: FileConfig = settings(map)?;
    if config.path.as_os_str().is_empty() {
        return Err("path must name a file".to_owned());
    }
    Ok(Arc::new(FileChannel { path: context.folder.join(config.path) }))
}

impl Channel for FileChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Result<Receipt, DeliveryError>> {
        let path = self.path.clone();
        let mut line = delivery.message.json.to_string();
        line.push('\n');
        Box::pin(async move {
            let shown = path.display().to_string();
            // A disk may hang: off the runtime's thread.
            let written = tokio::task::spawn_blocking(move || append(&path, line.as_bytes())).await;
            let result = written.unwrap_or_else(|e| Err(io::Error::other(e)));
            result.map(|()| Receipt::new("written")).map_err(|e| DeliveryError::transient(format!("{shown}: {e}")))
        })
    }
}

fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    let mut file = system::owner_only(&mut options).open(path)?;
    // One call, not `write_all`: half a line would be finished in the middle of somebody else's.
    let written = file.write(line)?;
    if written < line.len() {
        // What is there is no line; end it, so that the next one is.
        let _ = file.write(b"\n");
        return Err(io::Error::new(io::ErrorKind::StorageFull, format!("only {written} of {} bytes were written", line.len())));
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::DeliveryFault;
    use crate::notify::tests::{delivery, message, opened, run};

    #[test]
    fn messages_are_appended_as_lines_that_only_the_owner_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let channel = opened("file", &serde_json::json!({"path": "alerts.jsonl"}), folder.path());
        for title in ["one", "two\nlines"] {
            assert!(run(channel.deliver(&delivery(message(title)))).is_ok());
        }
        let path = folder.path().join("alerts.jsonl");
        let text = std::fs::read_to_string(&path).expect("the file");
        let titles: Vec<String> =
            text.lines().map(|l| serde_json::from_str::<Value>(l).expect("JSON")["alert"]["title"].to_string()).collect();
        assert_eq!(titles, ["\"one\"", "\"two\\nlines\""]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_tried_again_later() {
        let channel = opened("file", &serde_json::json!({"path": "no/alerts.jsonl"}), Path::new("/nonexistent"));
        let error = run(channel.deliver(&delivery(message("one")))).expect_err("no such folder");
        assert!(error.fault == DeliveryFault::Transient && error.text.contains("/nonexistent/no/alerts.jsonl"), "{error:?}");
    }
}
