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
use super::certificate::not_after;
use crate::base::Timestamp;

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

    /// Shakes hands; the end of the server's certificate comes with the stream and with a failure.
    ///
    /// # Errors
    /// A certificate that is not trusted, a server that speaks no TLS.
    pub async fn handshake<S>(self: &Arc<Self>, stream: S, host: &str) -> Result<(TlsStream<S>, Option<Timestamp>), NetError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NetError::Invalid(format!("\"{host}\" is no host name")))?;
        let witness = Arc::new(Witness { trust: Arc::clone(self), end: Mutex::new(None) });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        // A resumed session shows no certificate, so an expired one would go unseen.
        config.resumption = Resumption::disabled();
        let result = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let certificate_ends_at = *witness.end.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(stream) => Ok((stream, certificate_ends_at)),
            Err(error) => Err(NetError::Tls { reason: reason(&error, host, certificate_ends_at), certificate_ends_at }),
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

/// Verifies one handshake and notes when the certificate ends.
#[derive(Debug)]
struct Witness {
    trust: Arc<Trust>,
    end: Mutex<Option<Timestamp>>,
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
        let end = not_after(end_entity);
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        let verdict = self.trust.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // A self-signed certificate is refused as an authority's; named in the user's own file it is meant.
        if verdict.is_err() && self.trust.own.iter().any(|own| own == end_entity) {
            rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            let now = Timestamp::from_seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
            return if end.is_some_and(|end| now <= end) {
                Ok(ServerCertVerified::assertion())
            } else {
                Err(Error::InvalidCertificate(CertificateError::Expired))
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
