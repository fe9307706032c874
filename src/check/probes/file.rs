//! Whether a file is there, fresh and of the size it should have: backups, exports, flags.
//!
//! Looks at the file's facts on a thread that may hang; never reads it.

use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::{Unit, format_duration, format_value, parse_quantity};
use crate::check::config::{ServiceConfig, ServiceConfigError};
use crate::check::probe::{Finding, Probe, ProbeContext, ProbeFuture, ProbeKind};
use crate::net::plain_error;

/// `type = "file"`.
pub const KIND: ProbeKind = ProbeKind { name: "file", keys: &["path", "max_age", "min_size", "max_size"], make };

fn make(config: &ServiceConfig) -> Result<Arc<dyn Probe>, ServiceConfigError> {
    let path = PathBuf::from(config.required("path", &config.path)?);
    if !path.is_absolute() {
        return Err(config.error("path", format!("\"{}\" must begin with /", path.display())));
    }
    let size = |key, value: &Option<String>| {
        let read = value.as_deref().map(|text| parse_quantity(text).and_then(|q| q.for_unit(Unit::Bytes)));
        read.transpose().map_err(|e| config.error(key, e.to_string()))
    };
    let (min_size, max_size) = (size("min_size", &config.min_size)?, size("max_size", &config.max_size)?);
    Ok(Arc::new(File { limits: Limits { max_age: config.max_age, min_size, max_size }, path }))
}

#[derive(Clone, Copy)]
struct Limits {
    max_age: Option<Duration>,
    min_size: Option<f64>,
    max_size: Option<f64>,
}

struct File {
    path: PathBuf,
    limits: Limits,
}

impl Limits {
    fn judge(&self, found: io::Result<Metadata>, now: SystemTime) -> Finding {
        let found = match found {
            Ok(found) => found,
            Err(error) => return Finding::failed(plain_error(&error)),
        };
        // A time in the future is as fresh as can be.
        let age = found.modified().map(|at| now.duration_since(at).unwrap_or_default()).unwrap_or_default();
        let size = found.len() as f64;
        let facts = format!("{}, {} old", format_value(size, Unit::Bytes), format_duration(age));
        let bytes = |limit: f64| format_value(limit, Unit::Bytes);
        match self {
            Self { max_age: Some(limit), .. } if age > *limit => {
                Finding::failed(format!("{facts}; older than {}", format_duration(*limit)))
            }
            Self { min_size: Some(limit), .. } if size < *limit => {
                Finding::failed(format!("{facts}; smaller than {}", bytes(*limit)))
            }
            Self { max_size: Some(limit), .. } if size > *limit => {
                Finding::failed(format!("{facts}; larger than {}", bytes(*limit)))
            }
            _ => Finding::ok(None, facts),
        }
    }
}

impl Probe for File {
    fn check<'a>(&'a self, _: &'a ProbeContext) -> ProbeFuture<'a> {
        Box::pin(async move {
            let path = self.path.clone();
            // A dead network mount holds the thread, not us.
            let looked = tokio::task::spawn_blocking(move || std::fs::metadata(path)).await;
            match looked {
                Ok(found) => self.limits.judge(found, SystemTime::now()),
                Err(error) => Finding::failed(error.to_string()),
            }
        })
    }

    fn target(&self) -> String {
        self.path.display().to_string()
    }
}
