//! The one HTTP client, TLS, proxy and CA settings.
