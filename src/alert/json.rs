//! Alerts as `farol.alerts/1`.
//!
//! Invariant: the shape of the contracts; unknown is `null`, never 0.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::model::Alert;

/// The document of `farol alerts --format json`, in the order given.
pub fn alerts_json(alerts: &[Arc<Alert>], generated_at: Timestamp) -> Value {
    json!({
        "schema": "farol.alerts/1",
        "generated_at": generated_at.rfc3339(),
        "alerts": alerts.iter().map(|a| a.json()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{alert, at};

    #[test]
    fn the_document_has_the_keys_of_the_contract_and_null_for_unknown() {
        let document = alerts_json(&[Arc::new(alert("7k", "memory"))], at(9));
        assert_eq!(document["schema"], "farol.alerts/1");
        assert_eq!(document["generated_at"], "2023-11-14T22:13:29Z");
        let one = &document["alerts"][0];
        let keys = [
            "id",
            "fingerprint",
            "rule",
            "kind",
            "severity",
            "state",
            "labels",
            "metric",
            "value",
            "limit",
            "unit",
            "since",
            "fired_at",
            "resolved_at",
            "level",
            "acknowledged",
            "snoozed",
            "silenced_by",
            "explanation",
        ];
        for key in keys {
            assert!(one.get(key).is_some(), "{key}");
        }
        assert_eq!(
            (&one["severity"], &one["state"], &one["fired_at"]),
            (&json!("warning"), &json!("firing"), &json!("2023-11-14T22:13:21Z"))
        );
        assert!(one["acknowledged"].is_null() && one["resolved_at"].is_null() && one["explanation"]["normal"].is_null());
        assert_eq!(one["unit"], "count");
    }
}
