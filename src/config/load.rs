//! Finding and reading the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::bounds;
use super::layer::Layers;
use super::place::place;
use super::{Config, ConfigError, KeyError, Origin};

/// Prefix of environment variables that set a key: `FAROL_GENERAL__INTERVAL`.
const PREFIX: &str = "FAROL_";

/// What a configuration is made from.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The user's file; `None`: none.
    pub file: Option<PathBuf>,
    /// Data folder, where `overrides.toml` may be.
    pub data_dir: Option<PathBuf>,
    /// Environment variables; those that begin with `FAROL_` and hold `__` are keys.
    pub environment: Vec<(String, String)>,
    /// Dotted key, value and the flag as written.
    pub flags: Vec<(String, Value, String)>,
    /// Texts to read in place of files, by path; `None`: as if there were no such file.
    pub instead: BTreeMap<PathBuf, Option<String>>,
}

/// A configuration and where each value came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// Dotted key → origin, for all values.
    pub origins: BTreeMap<String, Origin>,
    /// All values, as they hold.
    pub values: Table,
}

impl Loaded {
    /// A mistake a room found, with the place of its key.
    pub fn located(&self, error: &KeyError) -> ConfigError {
        ConfigError::new(place(&self.origins, &error.path), &error.message)
    }
}

/// The file to read: the one named, else the first that exists of `FAROL_CONFIG`, `own` (the user's folder) and `/etc/farol`.
///
/// # Errors
/// A file that was named but is not there.
pub fn search(named: Option<&Path>, variable: Option<&Path>, own: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    let named = named.map(|p| (p, "--config")).or(variable.map(|p| (p, "FAROL_CONFIG")));
    if let Some((path, how)) = named {
        return if path.exists() {
            Ok(Some(path.to_owned()))
        } else {
            Err(ConfigError::new(how, format!("there is no file {}", path.display())))
        };
    }
    let folders = own.into_iter().chain([Path::new("/etc/farol")]);
    Ok(folders.flat_map(|f| ["config.toml", "config.json"].map(|n| f.join(n))).find(|p| p.exists()))
}

/// Reads and checks everything.
///
/// # Errors
/// The first mistake, with its place.
pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::default();
    let defaults = Table::try_from(Config::default()).expect("the defaults are plain data");
    layers.add(defaults, &Origin::Default);
    if let Some(path) = &inputs.file {
        layers.add(read_file(path, inputs)?, &Origin::File(path.display().to_string()));
    }
    let is_there = |p: &PathBuf| inputs.instead.get(p).map_or_else(|| p.exists(), Option::is_some);
    if let Some(path) = inputs.overrides().filter(is_there) {
        layers.add_by_name(read_file(&path, inputs)?, "rule", &Origin::File(path.display().to_string()));
    }
    for (name, text) in &inputs.environment {
        let Some(path) = name.strip_prefix(PREFIX).filter(|key| key.contains("__")) else { continue };
        let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let origin = Origin::Environment(name.clone());
        // A name may look like a number: what is wrong as a number or list is tried as the text it is.
        set(&mut layers, &path, scalar(text), &origin)
            .or_else(|error| set(&mut layers, &path, Value::String(text.clone()), &origin).map_err(|_| error))?;
    }
    for (key, value, flag) in &inputs.flags {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        set(&mut layers, &path, value.clone(), &Origin::Flag(flag.clone()))?;
    }
    let config: Config = layers.merged.clone().try_into().map_err(|e| ConfigError::new("configuration", e.message()))?;
    bounds::check(&config).map_err(|(key, message)| {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        ConfigError::new(place(&layers.origins, &path), format!("{}: {message}", section(key)))
    })?;
    super::names::check_channels(&config).map_err(|e| ConfigError::new(place(&layers.origins, &e.path), e.message))?;
    Ok(Loaded { config, file: inputs.file.clone(), origins: layers.origins, values: layers.merged })
}

/// `[store] flush` for `store.flush`.
fn section(key: &str) -> String {
    key.split_once('.').map_or_else(|| key.to_owned(), |(section, key)| format!("[{section}] {key}"))
}

/// Sets one value and checks all, so that a mistake is known to be in this one.
fn set(layers: &mut Layers, path: &[String], value: Value, origin: &Origin) -> Result<(), ConfigError> {
    layers.set(path, value, origin);
    let checked: Result<Config, _> = layers.merged.clone().try_into();
    checked.map(drop).map_err(|e| ConfigError::new(origin.to_string(), e.message()))
}

/// Reads one file and checks it by itself, so that mistakes have a line.
fn read_file(path: &Path, inputs: &Inputs) -> Result<Table, ConfigError> {
    let name = path.display().to_string();
    let read = || {
        std::fs::read_to_string(path).map_err(|e| {
            let why = if e.kind() == std::io::ErrorKind::InvalidData { "is not UTF-8 text".to_owned() } else { e.to_string() };
            ConfigError::new(name.clone(), why)
        })
    };
    let text = inputs.instead.get(path).cloned().flatten().map_or_else(read, Ok)?;
    if path.extension().is_some_and(|e| e == "json") {
        let place = |e: &serde_json::Error| format!("{name}:{}:{}", e.line(), e.column());
        serde_json::from_str::<Config>(&text).map_err(|e| ConfigError::new(place(&e), strip_place(&e.to_string())))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| ConfigError::new(place(&e), e.to_string()))?;
        return Table::try_from(without_nulls(value)).map_err(|e| ConfigError::new(name, e.to_string()));
    }
    toml::from_str::<Config>(&text).map_err(|e| ConfigError::in_toml(&name, &text, &e))?;
    text.parse::<Table>().map_err(|e| ConfigError::in_toml(&name, &text, &e))
}

/// serde_json ends its messages with the place, which we put in front.
fn strip_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

/// A key set to null is a key not set.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::Object(map) => {
            Json::Object(map.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect())
        }
        Json::Array(list) => Json::Array(list.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// A value from a variable: what TOML reads as number, boolean, list or table is that, all else is text.
fn scalar(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
    match parsed {
        Some(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_) | Value::Table(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, Inputs) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        let inputs = Inputs { file: Some(path), ..Inputs::default() };
        (dir, inputs)
    }

    #[test]
    fn a_typo_is_an_error_with_line_column_and_suggestion() {
        let (_dir, inputs) = file("config.toml", "[general]\nhost = \"a\"\nintervall = \"1s\"\n");
        let error = load(&inputs).expect_err("a typo").to_string();
        assert!(error.ends_with("config.toml:3:1: unknown key \"intervall\"; did you mean \"interval\"?"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_an_error_with_its_line() {
        let (_dir, inputs) = file("config.toml", "[general]\ninterval = 5\n");
        let error = load(&inputs).expect_err("a number").to_string();
        assert!(error.contains("config.toml:2:12") && error.contains("expected a string"), "{error}");
    }

    #[test]
    fn json_has_the_same_keys() {
        let (_dir, inputs) = file("config.json", "{\"general\": {\"interval\": \"2s\", \"host\": null}}");
        assert_eq!(load(&inputs).expect("fine").config.general.interval.as_secs(), 2);
        let (_dir, inputs) = file("config.json", "{\"general\": {\"hosst\": \"x\"}}");
        let error = load(&inputs).expect_err("a typo").to_string();
        assert!(error.contains("config.json:1:") && error.contains("did you mean \"host\""), "{error}");
    }

    #[test]
    fn environment_beats_file_and_flags_beat_both() {
        let (_dir, mut inputs) = file("config.toml", "[general]\ninterval = \"2s\"\nhost = \"file\"\n");
        inputs.environment = vec![("FAROL_GENERAL__INTERVAL".into(), "3s".into()), ("FAROL_CONFIG".into(), "x".into())];
        inputs.flags = vec![("general.host".into(), Value::String("flag".into()), "--host flag".into())];
        let loaded = load(&inputs).expect("fine");
        assert_eq!((loaded.config.general.interval.as_secs(), loaded.config.general.host.as_deref()), (3, Some("flag")));
        assert_eq!(loaded.origins["general.interval"], Origin::Environment("FAROL_GENERAL__INTERVAL".into()));
        inputs.environment = vec![("FAROL_GENERAL__INTERVAL".into(), "soon".into())];
        let error = load(&inputs).expect_err("no duration").to_string();
        assert!(error.starts_with("$FAROL_GENERAL__INTERVAL: \"soon\" is no duration"), "{error}");
    }

    #[test]
    fn a_variable_for_text_may_look_like_a_number() {
        let variable = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
        let inputs = Inputs { environment: variable("FAROL_GENERAL__HOST", "123"), ..Inputs::default() };
        assert_eq!(load(&inputs).expect("a name").config.general.host.as_deref(), Some("123"));
        let inputs = Inputs { environment: variable("FAROL_GENERAL__LABELS__RACK", "7"), ..Inputs::default() };
        assert_eq!(load(&inputs).expect("a label").config.general.labels["rack"], "7");
        let inputs = Inputs { environment: variable("FAROL_COLLECT__MAX_INSTANCES", "9"), ..Inputs::default() };
        assert_eq!(load(&inputs).expect("a number").config.collect.max_instances, 9);
        let inputs = Inputs { environment: variable("FAROL_COLLECT__MAX_INSTANCES", "true"), ..Inputs::default() };
        let error = load(&inputs).expect_err("no number").to_string();
        assert!(error.starts_with("$FAROL_COLLECT__MAX_INSTANCES: ") && error.contains("boolean"), "{error}");
    }

    #[test]
    fn garbage_is_refused_with_its_place() {
        let (dir, inputs) = file("config.toml", "general = = 1");
        assert!(load(&inputs).expect_err("garbage").to_string().contains("config.toml:1:"));
        std::fs::write(dir.path().join("config.toml"), b"\xff\xfe\x00").expect("written");
        assert!(load(&inputs).expect_err("binary").to_string().contains("is not UTF-8 text"));
    }

    #[test]
    fn an_interval_out_of_bounds_is_refused() {
        let (_dir, inputs) = file("config.toml", "[general]\ninterval = \"1ms\"\n");
        let error = load(&inputs).expect_err("too fast").to_string();
        assert!(error.contains("config.toml:2:12: [general] interval must lie between 100ms and 1h"), "{error}");
    }

    #[test]
    fn values_that_make_no_sense_have_their_place() {
        let wrong = [
            ("[store]\nflush = \"0s\"\n", "config.toml:2:9: [store] flush: flush must lie between 100ms and 1h"),
            ("[store]\nraw = \"0s\"\n", "config.toml:2:7: [store] raw: history cannot be kept for less than 10m"),
            ("[store]\nmax_size = \"1B\"\n", "config.toml:2:12: [store] max_size: history needs at least 8 MiB"),
            (
                "[collect]\n\nwithout = [\"cpuu\"]\n",
                "config.toml:3:11: [collect] without: there is no source \"cpuu\"; did you mean \"cpu\"?",
            ),
            ("[analyze]\ntrain_on = \"0s\"\n", "config.toml:2:12: [analyze] train_on: train_on must be at least 1h"),
            (
                "[analyze]\nwarn_per_week = -1.0\n",
                "config.toml:2:17: [analyze] warn_per_week: a number of anomalies is 0 or more",
            ),
            ("[heartbeat]\nevery = \"0s\"\n", "config.toml:2:9: [heartbeat] every: every must be at least 1s"),
            ("[ui]\ngraph = \"x\"\n", "config.toml:2:9: [ui] graph: \"x\" is none of braille, block, ascii"),
        ];
        for (text, expected) in wrong {
            let (_dir, inputs) = file("config.toml", text);
            let error = load(&inputs).expect_err(text).to_string();
            assert!(error.ends_with(expected), "{error}");
        }
        let inputs = Inputs { environment: vec![("FAROL_STORE__FLUSH".into(), "2h".into())], ..Inputs::default() };
        let error = load(&inputs).expect_err("too seldom").to_string();
        assert!(error.starts_with("$FAROL_STORE__FLUSH: [store] flush: "), "{error}");
    }
}
