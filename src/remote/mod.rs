//! HTTP and WebSocket client: a translation of `Monitor`.
