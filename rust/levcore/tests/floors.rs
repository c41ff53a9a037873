//! The rooms of the crate stand on floors, and a file uses what lies below its room only; no files form a circle.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the sources has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by floor, the highest first. Rooms of one floor do not use each other.
const FLOORS: [&[&str]; 11] = [
    &["what_if", "replay"],
    &["evaluate", "live"],
    &["accounts"],
    &["job"],
    &["tiles"],
    &["rules", "scenarios", "closing", "fills", "labels"],
    &["book", "formulas"],
    &["machine"],
    &["codes"],
    &["memory"],
    &["error"],
];

/// Modules by their path (`room::file`), each with those that it uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn room(module: &str) -> &str {
    module.split("::").next().unwrap()
}

fn floor(room: &str) -> usize {
    FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{room} stands on no floor"))
}

/// The code of a file without comments, texts and white space.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.flat_map(str::chars).filter(|character| !character.is_whitespace()).collect()
}

/// Paths below `crate::` in compact code, also those of a group: `crate::{a::b,c::{d,e}}`.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        collect(&code[start + "crate::".len()..], "", &mut found);
    }
    found
}

/// Reads one path, or a group of them, and returns how much of `code` that was.
fn collect(code: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    let name = code.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(code.len());
    let (head, rest) = code.split_at(name);
    let path = format!("{prefix}{head}");
    if head.is_empty() && rest.starts_with('{') {
        let mut read = 1;
        while !code[read..].starts_with('}') {
            read += collect(&code[read..], prefix, found).max(1);
            read += usize::from(code[read..].starts_with(','));
        }
        return read + 1;
    }
    if let Some(below) = rest.strip_prefix("::") {
        return name + 2 + collect(below, &format!("{path}::"), found);
    }
    found.push(path);
    name
}

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The code of every file, by its path.
fn codes() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let mut codes = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let module = file.strip_prefix(&root).unwrap().with_extension("");
        let module = module.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("::");
        codes.insert(module, code_of(&text));
    }
    codes
}

/// The arrows between the files of the crate; the doors of rooms (`mod.rs`, `lib.rs`) only say what is public.
fn arrows() -> Arrows {
    let codes = codes();
    let doors = |module: &String| module == "lib" || module.ends_with("::mod");
    let modules: BTreeSet<String> = codes.keys().filter(|module| !doors(module)).cloned().collect();
    let mut arrows = Arrows::new();
    for (module, code) in codes.iter().filter(|(module, _)| !doors(module)) {
        let outside_of_tests = code.split("modtests{").next().unwrap();
        assert!(
            !outside_of_tests.contains("super::"),
            "{module}: paths start at the crate, so that they can be read here"
        );
        let used = arrows.entry(module.clone()).or_default();
        for path in paths(code) {
            let target = modules.iter().find(|other| path == **other || path.starts_with(&format!("{other}::")));
            used.insert(target.unwrap_or_else(|| panic!("{module} uses {path}, which is no item of a file")).clone());
        }
        used.remove(module);
    }
    arrows
}

#[test]
fn every_arrow_goes_to_a_lower_floor() {
    for (module, used) in arrows() {
        for other in used.iter().filter(|other| room(other) != room(&module)) {
            assert!(floor(room(&module)) < floor(room(other)), "{module} uses {other}, which does not lie below it");
        }
    }
}

#[test]
fn no_files_form_a_circle() {
    let mut left = arrows();
    assert!(left.len() > 40, "the sources were not found");
    while !left.is_empty() {
        let free = |(module, used): (&String, &BTreeSet<String>)| {
            used.iter().all(|other| !left.contains_key(other)).then(|| module.clone())
        };
        let done: Vec<String> = left.iter().filter_map(free).collect();
        assert!(!done.is_empty(), "these files use each other in a circle, or files that do: {:?}", left.keys());
        left.retain(|module, _| !done.contains(module));
    }
}

#[test]
fn all_unsafe_code_is_in_one_room() {
    let outside = codes().into_iter().filter(|(module, code)| room(module) != "machine" && code.contains("unsafe"));
    assert_eq!(outside.map(|(module, _)| module).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_room_stands_on_a_floor() {
    let rooms: BTreeSet<String> = arrows().keys().map(|module| room(module).to_owned()).collect();
    assert_eq!(rooms, FLOORS.concat().into_iter().map(str::to_owned).collect());
}

#[test]
fn groups_and_single_paths_are_read_alike() {
    let code =
        code_of("use crate::a::b::{C, d::{E, F}}; // crate::no\nlet g = crate::h::i::j(1);\nuse crate::{k::l::M};");
    assert_eq!(paths(&code), ["a::b::C", "a::b::d::E", "a::b::d::F", "h::i::j", "k::l::M"]);
}
