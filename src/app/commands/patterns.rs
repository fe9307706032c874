//! `farol patterns`: what stands out among parts, over days and among programs.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::out;
use crate::app::Failure;
use crate::app::cli::{Format, Global};
use crate::app::reach::Reach;
use crate::base::Timestamp;
use crate::model::{Cluster, Outlier, Patterns, Shift};

/// Arguments of `patterns`.
#[derive(Debug, Args)]
pub struct PatternsArgs {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is said where there is nothing: without an engine nobody compares.
const NOTHING: &str = "nothing stands out; farol compares while it runs: parts each minute, courses and groups each half hour\n";

/// Members of a group that are named on a line.
const NAMED: usize = 8;

impl PatternsArgs {
    /// Prints parts unlike their siblings, changes of the week and groups of what behaves alike.
    ///
    /// # Errors
    /// No engine and no history.
    pub fn run(&self, global: &Global) -> Result<ExitCode, Failure> {
        let snapshot = Reach::find(global)?.snapshot()?;
        let patterns = &snapshot.patterns;
        match self.format {
            Format::Json => {
                let body = json!({
                    "outliers": patterns.outliers.iter().map(outlier_json).collect::<Vec<Value>>(),
                    "shifts": patterns.shifts.iter().map(shift_json).collect::<Vec<Value>>(),
                    "clusters": patterns.clusters.iter().map(cluster_json).collect::<Vec<Value>>(),
                });
                out::print(&out::object("patterns", Timestamp::now(), body))?;
            }
            Format::Text => {
                let zone = out::zone(global);
                out::print(&text(patterns, &|at| out::local(at, &zone)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(patterns: &Patterns, time: &dyn Fn(Timestamp) -> String) -> String {
    let mut lines = String::new();
    for outlier in patterns.outliers.iter() {
        lines.push_str(&format!("unlike its siblings  {}: {}\n", outlier.key, outlier.reason));
    }
    for shift in patterns.shifts.iter() {
        lines.push_str(&format!("changed  {}  {}\n", time(shift.at), shift.text));
    }
    for cluster in patterns.clusters.iter() {
        let named = cluster.members.iter().take(NAMED).cloned().collect::<Vec<String>>().join(", ");
        let rest = cluster.members.len().saturating_sub(NAMED);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let differs = if cluster.differs.is_empty() { "as most are".to_owned() } else { cluster.differs.join(", ") };
        lines.push_str(&format!("{} {} alike: {differs}: {named}{rest}\n", cluster.members.len(), cluster.of));
    }
    if lines.is_empty() { NOTHING.to_owned() } else { lines }
}

fn outlier_json(outlier: &Outlier) -> Value {
    json!({
        "key": outlier.key,
        "value": outlier.value,
        "siblings": {"n": outlier.n_siblings, "low": outlier.siblings.0, "high": outlier.siblings.1},
        "distance": outlier.distance,
        "since": out::time(Some(outlier.since)),
        "reason": outlier.reason,
    })
}

fn shift_json(shift: &Shift) -> Value {
    json!({
        "key": shift.key,
        "at": out::time(Some(shift.at)),
        "kind": shift.kind,
        "before": shift.before,
        "after": shift.after,
        "size": shift.size,
        "with": shift.with,
        "text": shift.text,
    })
}

fn cluster_json(cluster: &Cluster) -> Value {
    json!({"of": cluster.of, "members": cluster.members, "differs": cluster.differs})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_changes_are_lines_for_people() {
        let members = (0..10).map(|i| format!("shell-{i}")).collect();
        let cluster =
            Cluster { of: "programs".to_owned(), members, differs: vec!["less memory (4 MiB, others 2 GiB)".to_owned()] };
        let patterns = Patterns { clusters: vec![cluster].into(), ..Patterns::default() };
        let lines = text(&patterns, &|at| at.0.to_string());
        assert!(lines.starts_with("10 programs alike: less memory (4 MiB, others 2 GiB): shell-0, "), "{lines}");
        assert!(lines.ends_with("shell-7 and 2 more\n"), "{lines}");
        assert_eq!(text(&Patterns::default(), &|_| String::new()), NOTHING);
    }
}
