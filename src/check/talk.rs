//! A conversation by lines over any stream: what SMTP, SSH and plain ports need.
//!
//! Invariant: every wait ends at the deadline, and no answer is read past its bound.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pattern::Pattern;
use crate::net::{Deadline, NetError, Stream, plain_error};

/// Longest line that is read; SMTP's limit is 512 bytes, SSH's 255.
const MAX_LINE: usize = 4096;

/// Most bytes looked through for an expected text: a banner or a prompt comes long before.
const MAX_ANSWER: usize = 64 * 1024;

/// A stream, what was read of it but not used yet, and when all must be over.
pub struct Talk {
    stream: Stream,
    pending: Vec<u8>,
    deadline: Deadline,
}

impl Talk {
    /// Over a fresh stream.
    pub fn new(stream: Stream, deadline: Deadline) -> Self {
        Self { stream, pending: Vec::new(), deadline }
    }

    /// Sends.
    ///
    /// # Errors
    /// The connection broke or the time was over.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let stream = &mut self.stream;
        let write = async { stream.write_all(bytes).await.map_err(|e| NetError::Protocol(plain_error(&e))) };
        self.deadline.hold("sending", write).await
    }

    /// The next line without its end; bytes that are no text are replaced.
    ///
    /// # Errors
    /// The connection ended, the line does not, or the time was over; `phase` names what was waited for.
    pub async fn line(&mut self, phase: &'static str) -> Result<String, NetError> {
        loop {
            if let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
                let rest = self.pending.split_off(end + 1);
                let line = std::mem::replace(&mut self.pending, rest);
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.pending.len() > MAX_LINE {
                return Err(NetError::Protocol("a line that does not end".to_owned()));
            }
            if self.more(phase).await? == 0 {
                return Err(NetError::Protocol("the server closed the connection".to_owned()));
            }
        }
    }

    /// Reads until the text holds what is expected; false where the server ended or wrote too much without it.
    ///
    /// # Errors
    /// The connection broke or the time was over.
    pub async fn until(&mut self, expected: &Pattern) -> Result<bool, NetError> {
        loop {
            if expected.is_in(&String::from_utf8_lossy(&self.pending)) {
                return Ok(true);
            }
            if self.pending.len() >= MAX_ANSWER || self.more("waiting for the expected answer").await? == 0 {
                return Ok(false);
            }
        }
    }

    /// What was read and not used, cut for people.
    pub fn heard(&self) -> String {
        let text = String::from_utf8_lossy(&self.pending);
        text.chars().filter(|c| !c.is_control()).take(60).collect()
    }

    /// The stream itself, for another protocol on top; bytes that came too early are refused.
    ///
    /// # Errors
    /// The server sent more than its turn allowed.
    pub fn into_stream(self) -> Result<Stream, NetError> {
        if self.pending.is_empty() {
            Ok(self.stream)
        } else {
            Err(NetError::Protocol("the server sent text after it agreed to TLS".to_owned()))
        }
    }

    async fn more(&mut self, phase: &'static str) -> Result<usize, NetError> {
        let mut chunk = [0_u8; 2048];
        let stream = &mut self.stream;
        let read = async { stream.read(&mut chunk).await.map_err(|e| NetError::Protocol(plain_error(&e))) };
        let n = self.deadline.hold(phase, read).await?;
        self.pending.extend(chunk.iter().take(n));
        Ok(n)
    }
}
