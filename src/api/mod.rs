//! HTTP and WebSocket server: a translation of `Monitor`.
