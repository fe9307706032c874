//! The system's fonts for signs the report's own have not.
//!
//! Reads directories and tables of signs, and whole files only of what is used. Invariant: the same files give the same choice:
//! folders and names are gone through in order, and a font that cannot be read is passed by.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::report::{SystemFont, covered};

/// Where Linux systems keep fonts (the folders of fontconfig's own configuration); beside them the user's.
const FOLDERS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];

/// Files looked at: more fonts than a desktop has, a second at most.
const MOST_FILES: usize = 3000;

/// Largest file used: the faces of all of Chinese, Japanese and Korean in one file have about 20 MB.
const LARGEST: u64 = 48 << 20;

/// Largest table of signs.
const LARGEST_TABLE: usize = 1 << 20;

/// Fonts that have the signs, as few as go; signs no font here has stay without.
pub(super) fn with(signs: &BTreeSet<char>) -> Vec<SystemFont> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share/fonts"));
    let folders: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).chain(home).collect();
    among(&folders, signs)
}

fn among(folders: &[PathBuf], signs: &BTreeSet<char>) -> Vec<SystemFont> {
    let mut missing = signs.clone();
    let mut found = Vec::new();
    if missing.is_empty() {
        return found;
    }
    let mut files = Vec::new();
    folders.iter().for_each(|folder| gather(folder, &mut files));
    for path in files.into_iter().take(MOST_FILES) {
        if missing.is_empty() {
            break;
        }
        let Some((index, has)) = best_face(&path, &missing) else { continue };
        if let Ok(bytes) = std::fs::read(&path) {
            missing.retain(|sign| !has.contains(sign));
            found.push(SystemFont { bytes: Arc::new(bytes), index });
        }
    }
    found
}

/// Font files below a folder by name; upright faces of usual weight first, because words stand beside such.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    let is_special = |path: &Path| {
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        ["bold", "italic", "oblique", "light", "thin", "black"].iter().any(|word| name.contains(word))
    };
    entries.sort_by_key(|path| (is_special(path), path.clone()));
    for path in entries {
        if path.is_dir() && files.len() < MOST_FILES {
            gather(&path, files);
        } else if path.extension().is_some_and(|e| ["ttf", "otf", "ttc"].iter().any(|known| e.eq_ignore_ascii_case(known))) {
            files.push(path);
        }
    }
}

/// The face of a file that has most of the signs, and those; `None` where none has any.
fn best_face(path: &Path, signs: &BTreeSet<char>) -> Option<(u32, BTreeSet<char>)> {
    let mut file = File::open(path).ok()?;
    if file.metadata().ok()?.len() > LARGEST {
        return None;
    }
    let mut best: Option<(u32, BTreeSet<char>)> = None;
    for (index, start) in (0_u32..).zip(faces(&mut file)?) {
        let Some(table) = table_of_signs(&mut file, start) else { continue };
        let has = covered(&table, signs);
        if has.len() > best.as_ref().map_or(0, |(_, had)| had.len()) {
            best = Some((index, has));
        }
    }
    best
}

/// Where the faces of a file begin: one, or those of a collection (OpenType: `ttcf`).
fn faces(file: &mut File) -> Option<Vec<u64>> {
    let head = bytes(file, 0, 12)?;
    if head.get(..4)? != b"ttcf" {
        return Some(vec![0]);
    }
    // More faces than any collection has.
    let n = u64::from(number(&head, 8)?).min(64);
    let offsets = bytes(file, 12, usize::try_from(n * 4).ok()?)?;
    (0..usize::try_from(n).ok()?).map(|i| number(&offsets, i * 4).map(u64::from)).collect()
}

/// The table `cmap` of a face.
fn table_of_signs(file: &mut File, start: u64) -> Option<Vec<u8>> {
    let head = bytes(file, start, 12)?;
    let n = u16::from_be_bytes(head.get(4..6)?.try_into().ok()?);
    let records = bytes(file, start + 12, usize::from(n) * 16)?;
    let record = records.chunks_exact(16).find(|r| r.starts_with(b"cmap"))?;
    let length = usize::try_from(number(record, 12)?).ok().filter(|l| *l <= LARGEST_TABLE)?;
    bytes(file, u64::from(number(record, 8)?), length)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn bytes(file: &mut File, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/format/pdf/fonts/DejaVuSansCondensed.ttf");
        std::fs::read(path).expect("the report's own font")
    }

    #[test]
    fn the_font_that_has_the_signs_is_found_and_broken_ones_are_passed_by() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("truetype/own");
        std::fs::create_dir_all(&below).expect("room");
        std::fs::write(folder.path().join("broken.ttf"), b"ttcf\0\x01\0\0\xff\xff\xff\xff").expect("room");
        std::fs::write(folder.path().join("empty.otf"), b"").expect("room");
        std::fs::write(folder.path().join("cut.ttf"), &own()[..300]).expect("room");
        std::fs::write(folder.path().join("readme.txt"), b"no font").expect("room");
        std::fs::write(below.join("Own-Bold.ttf"), own()).expect("room");
        std::fs::write(below.join("Own.ttf"), own()).expect("room");
        let folders = [folder.path().to_owned(), folder.path().join("none")];
        let found = among(&folders, &BTreeSet::from(['Ж', '漢']));
        assert_eq!((found.len(), found[0].index, found[0].bytes.len()), (1, 0, own().len()));
        assert!(among(&folders, &BTreeSet::from(['漢'])).is_empty() && among(&folders, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_face_within_a_collection_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let font = own();
        let mut file = std::fs::File::create(folder.path().join("x.ttf")).expect("room");
        std::io::Write::write_all(&mut file, &font).expect("room");
        let mut file = File::open(folder.path().join("x.ttf")).expect("there");
        assert_eq!(faces(&mut file), Some(vec![0]));
        let head: Vec<u8> =
            [b"ttcf".as_slice(), &[0, 1, 0, 0], &2_u32.to_be_bytes(), &20_u32.to_be_bytes(), &99_u32.to_be_bytes()].concat();
        std::fs::write(folder.path().join("c.ttc"), head).expect("room");
        let mut file = File::open(folder.path().join("c.ttc")).expect("there");
        assert_eq!(faces(&mut file), Some(vec![20, 99]));
    }
}
