//! The project's own files, as the tests about them read them.
//!
//! Splits Rust text into what ships and what is a test, and drops comments and strings. Invariant: line
//! numbers are kept, so that a finding can be looked up.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One Rust file.
pub struct Source {
    /// Path below the package's folder, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Without comments, texts and what is compiled for tests only; blank in a file that is a test.
    pub shipped: String,
    /// Without comments and texts.
    pub code: String,
}

impl Source {
    /// The room it belongs to; none for `src/lib.rs`, `src/main.rs` and files elsewhere.
    pub fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/").and_then(|p| p.split_once('/')).map(|(room, _)| room)
    }

    /// Whether all of it is a test.
    pub fn is_test(&self) -> bool {
        self.shipped.trim().is_empty()
    }
}

/// Every Rust file of these folders, by path.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut paths);
    }
    paths.retain(|p| p.extension().is_some_and(|e| e == "rs"));
    paths.sort();
    let files: Vec<(PathBuf, String)> = paths.into_iter().map(|p| (p.clone(), read(&p))).collect();
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let source = |(path, text): (PathBuf, String)| {
        let code = without_comments(&text);
        let name = relative(&path);
        let is_test = name.starts_with("tests/") || path.ancestors().any(|a| tests.contains(&a.with_extension("")));
        let shipped = if is_test { String::new() } else { without_tests(&code) };
        Source { path: name, text, shipped, code }
    };
    files.into_iter().map(source).collect()
}

/// Every file of the package that a person writes, by path.
pub fn all_files() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "scripts", ".ci", "themes"] {
        walk(&root().join(folder), &mut paths);
    }
    let top = std::fs::read_dir(root()).expect("the package's folder").map(|e| e.expect("an entry").path());
    paths.extend(top.filter(|p| p.is_file() && p.file_name().is_some_and(|n| n != "Cargo.lock" && n != ".git")));
    paths.sort();
    paths
}

/// A file's text; what is no text is blank.
pub fn read(path: &Path) -> String {
    String::from_utf8(std::fs::read(path).unwrap_or_default()).unwrap_or_default()
}

/// Path below the package's folder.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the package").to_string_lossy().into_owned()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|e| e.expect("an entry").path()) {
        if path.is_dir() && !path.is_symlink() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

/// Paths without extension of the modules that a file declares for tests only.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
    let folder = path.parent().expect("a folder");
    let folder = if matches!(stem.as_str(), "mod" | "lib" | "main") { folder.to_owned() } else { folder.join(stem) };
    let mut found = Vec::new();
    let mut only_tests = false;
    for line in text.lines() {
        if line.starts_with("#[cfg(test)]") {
            only_tests = true;
        } else if !line.starts_with("#[") {
            let name = line.split_once("mod ").and_then(|(_, rest)| rest.strip_suffix(';'));
            found.extend(name.filter(|_| only_tests).map(|name| folder.join(name)));
            only_tests = false;
        }
    }
    found
}

/// Blanks `#[cfg(test)]` modules that stand in the file itself; rustfmt ends them with a brace in the first column.
fn without_tests(code: &str) -> String {
    let mut lines = Vec::new();
    let (mut marked, mut inside) = (false, false);
    for line in code.lines() {
        inside |= marked && line.contains("mod ") && line.ends_with('{');
        marked = line.starts_with("#[cfg(test)]") || marked && line.starts_with("#[");
        lines.push(if inside { "" } else { line });
        inside &= line != "}";
    }
    lines.join("\n")
}

/// Blanks comments, and the insides of texts and characters, keeping lines.
pub fn without_comments(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let end = match (c, chars.get(at + 1)) {
            ('/', Some('/')) => find(&chars, at, "\n"),
            ('/', Some('*')) => find(&chars, at + 2, "*/") + 2,
            ('"', _) => quoted(&chars, at),
            ('r', Some('"' | '#')) if !before(&chars, at).is_alphanumeric() && raw(&chars, at).is_some() => {
                raw(&chars, at).expect("just seen")
            }
            ('\'', Some('\\')) => find(&chars, at + 3, "'") + 1,
            ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
            _ => {
                out.push(c);
                at += 1;
                continue;
            }
        };
        let end = end.min(chars.len());
        out.extend(chars[at..end].iter().filter(|c| **c == '\n'));
        out.push(' ');
        at = end;
    }
    out
}

fn before(chars: &[char], at: usize) -> char {
    at.checked_sub(1).map_or(' ', |i| if chars[i] == '_' { 'a' } else { chars[i] })
}

fn find(chars: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    (from..chars.len()).find(|i| chars[*i..].starts_with(&what)).unwrap_or(chars.len())
}

fn quoted(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while let Some(c) = chars.get(i) {
        match c {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then(|| {
        let end = format!("\"{}", "#".repeat(hashes));
        find(chars, at + 2 + hashes, &end) + end.len()
    })
}

/// The names that stand right after `crate::` (or `farol::`), groups included: `use crate::{a, b::C}` gives `a` and `b`.
pub fn rooms_named(code: &str, from: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(from) {
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + from.len()..];
        match rest.strip_prefix('{') {
            None => found.push((line, identifier(rest))),
            Some(group) => found.extend(group_heads(group).into_iter().map(|name| (line, name))),
        }
    }
    found
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                heads.push(identifier(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

#[test]
fn comments_texts_and_tests_are_told_from_code() {
    let text = "use crate::a; // crate::b\nlet s = \"crate::c\\\"\"; let r = r#\"\"crate::d\"#; let q = '\"'; /* crate::e\n*/ crate::f\n\
                #[cfg(test)]\nmod tests {\n    use crate::g;\n}\nuse crate::{h, i::{J, k}, l};";
    let code = without_comments(text);
    assert_eq!(code.matches('\n').count(), text.matches('\n').count());
    let names = |code: &str| rooms_named(code, "crate::").into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&code), "a f g h i l");
    assert_eq!(names(&without_tests(&code)), "a f h i l");
}
