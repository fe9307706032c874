//! TLS as a client: who is trusted, and what certificate was shown.
//!
//! Trust is the system's authorities and those of one more file. Invariant: no connection is made
//! unverified; a certificate that fails is read for its end all the same.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::NetError;
use super::certificate::{not_after, validity};
use crate::base::Timestamp;

/// What a server showed of its certificate chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// End of the server's own certificate.
    pub ends_at: Option<Timestamp>,
    /// Earliest end among the others it sent.
    pub chain_ends_at: Option<Timestamp>,
    /// Number of certificates.
    pub certificates: usize,
    /// The server chose HTTP/2 of what was offered.
    pub http2: bool,
}

/// Which protocols a server may choose from (ALPN, RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// None: it speaks what its port is for.
    Nothing,
    /// HTTP/2, else HTTP/1.1.
    Http,
    /// HTTP/1.1 alone.
    Http1,
}

impl Offer {
    /// The protocols as they are named in a handshake, the preferred one first.
    fn names(self) -> &'static [&'static [u8]] {
        match self {
            Self::Nothing => &[],
            Self::Http => &[HTTP2, HTTP1],
            Self::Http1 => &[HTTP1],
        }
    }
}

/// HTTP/2 over TLS, as it is named in a handshake (RFC 9113 §3.1).
const HTTP2: &[u8] = b"h2";

/// HTTP/1.1, as it is named in a handshake.
const HTTP1: &[u8] = b"http/1.1";

/// Who is trusted; made once and shared.
#[derive(Debug)]
pub struct Trust {
    authorities: Arc<WebPkiServerVerifier>,
    /// Certificates of the user's own file: one of them shown by a server is trusted as it is.
    own: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    /// The system's authorities and those of a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate; no authority at all.
    pub fn load(ca_file: Option<&Path>) -> Result<Self, NetError> {
        let own = ca_file.map(read_pem).transpose()?.unwrap_or_default();
        let mut roots = RootCertStore::clone(system_roots());
        roots.add_parsable_certificates(own.iter().cloned());
        if roots.is_empty() {
            let message = "this system has no trusted authorities; install ca-certificates or set ca_file";
            return Err(NetError::Invalid(message.to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|e| NetError::Invalid(format!("trusted authorities: {e}")))?;
        Ok(Self { authorities, own, provider })
    }

    /// Shakes hands; what the server showed comes with the stream, its end with a failure.
    ///
    /// # Errors
    /// A certificate that is not trusted, a server that speaks no TLS.
    pub async fn handshake<S>(self: &Arc<Self>, stream: S, host: &str, offer: Offer) -> Result<(TlsStream<S>, Shown), NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NetError::Invalid(format!("\"{host}\" is no host name")))?;
        let witness = Arc::new(Witness { trust: Arc::clone(self), shown: Mutex::new(Shown::default()) });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        // A resumed session shows no certificate, so an expired one would go unseen.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = offer.names().iter().map(|name| name.to_vec()).collect();
        let result = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let shown = *witness.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(stream) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
                Ok((stream, Shown { http2, ..shown }))
            }
            Err(error) => Err(NetError::Tls { reason: reason(&error, host, shown.ends_at), certificate_ends_at: shown.ends_at }),
        }
    }
}

/// The system's authorities, read once: about 140 names and keys.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let bad = |why: String| NetError::Invalid(format!("ca_file {}: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(found) if found.is_empty() => Err(bad("holds no PEM certificate".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(bad(error.to_string())),
    }
}

/// Verifies one handshake and notes what was shown.
#[derive(Debug)]
struct Witness {
    trust: Arc<Trust>,
    shown: Mutex<Shown>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let own = validity(end_entity);
        let end = own.map(|(_, end)| end);
        let chain_ends_at = intermediates.iter().filter_map(|c| not_after(c)).min();
        let shown = Shown { ends_at: end, chain_ends_at, certificates: 1 + intermediates.len(), http2: false };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        let verdict = self.trust.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // A self-signed certificate is refused as an authority's; named in the user's own file it is meant.
        if verdict.is_err() && self.trust.own.iter().any(|own| own == end_entity) {
            rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            let now = Timestamp::from_seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
            return match own {
                Some((start, end)) if (start..=end).contains(&now) => Ok(ServerCertVerified::assertion()),
                Some((start, _)) if now < start => Err(Error::InvalidCertificate(CertificateError::NotValidYet)),
                _ => Err(Error::InvalidCertificate(CertificateError::Expired)),
            };
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.authorities.supported_verify_schemes()
    }
}

/// What went wrong, for people.
fn reason(error: &std::io::Error, host: &str, end: Option<Timestamp>) -> String {
    let Some(Error::InvalidCertificate(verdict)) = error.get_ref().and_then(|e| e.downcast_ref::<Error>()) else {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the server closed the connection during the handshake".to_owned(),
            _ => error.to_string(),
        };
    };
    match verdict {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => match end {
            Some(end) => format!("the certificate expired at {end}"),
            None => "the certificate expired".to_owned(),
        },
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate is not for {host}")
        }
        CertificateError::UnknownIssuer => {
            "the certificate is signed by an unknown authority; name its PEM file as ca_file".to_owned()
        }
        other => format!("the certificate is refused: {other}"),
    }
}
