//! The walls of the house: who may know whom. See ARCHITECTURE.md.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each folder and the folders it may import from `crate::`.
const FLOORS: [(&str, &[&str]); 16] = [
    ("domain", &[]),
    ("numeric", &[]),
    ("config", &["domain", "numeric"]),
    ("dataset", &["domain", "numeric"]),
    ("weights", &["domain", "numeric"]),
    ("projection", &["domain", "numeric"]),
    ("scoring", &["domain", "numeric"]),
    ("plot", &["domain", "numeric"]),
    ("store", &["domain", "numeric"]),
    ("stages", &["domain", "numeric", "config", "dataset", "weights", "projection", "scoring", "plot", "store"]),
    ("study", &["domain", "numeric", "config", "dataset", "projection", "weights", "scoring", "plot", "store"]),
    ("audit", &["domain", "numeric", "config", "dataset", "projection", "scoring", "plot", "store"]),
    ("report", &["domain", "study", "audit"]),
    ("tui", &["domain", "study", "audit"]),
    (
        "cli",
        &[
            "domain",
            "numeric",
            "config",
            "dataset",
            "projection",
            "weights",
            "scoring",
            "plot",
            "store",
            "stages",
            "study",
            "audit",
            "report",
            "tui",
        ],
    ),
    ("main.rs", &["cli"]),
];

/// Crates and modules that only some folders may name.
const GUARDED: [(&str, &[&str]); 11] = [
    ("rusqlite", &["store"]),
    ("polars", &["dataset", "scoring", "cli"]),
    ("plotters", &["plot"]),
    ("tera", &["report"]),
    ("ratatui", &["tui"]),
    ("ratatui_image", &["tui"]),
    ("yamlpath", &["config"]),
    ("tch", &[]),
    ("nvml_wrapper", &["study"]),
    ("std::fs", &["config", "dataset", "store", "stages", "audit", "cli", "weights"]),
    ("std::time", &["dataset", "store", "stages", "study", "cli", "tui"]),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// Every source file with the folder it is in, its tests cut off: they may know more.
fn files() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 60, "the walls look at nothing");
    let parted = |path: PathBuf| {
        let folder = path.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = text
            .split("#[cfg(test)]")
            .next()
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        (folder, path, text)
    };
    paths.into_iter().map(parted).collect()
}

/// The modules named by `crate::a::…` and by `use crate::{a::…, b::…}`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let word = |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut part = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => _ = found.insert(word(&std::mem::take(&mut part))),
                    _ => {}
                }
                if depth == 0 && c != ',' {
                    part.push(c);
                }
            }
            found.insert(word(&part));
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

#[test]
fn each_folder_imports_only_from_the_floors_below() {
    for (folder, path, text) in files() {
        if folder == "lib.rs" {
            continue;
        }
        let (_, allowed) =
            FLOORS.iter().find(|(name, _)| *name == folder).unwrap_or_else(|| panic!("{folder} has no floor: give it one"));
        for import in imports(&text) {
            assert!(
                import == folder || allowed.contains(&import.as_str()),
                "{}: {folder}/ may not know {import}/",
                path.display()
            );
        }
    }
}

#[test]
fn guarded_crates_are_named_only_where_they_may_be() {
    for (folder, path, text) in files() {
        for (name, allowed) in GUARDED {
            // `std::{fs, …}` names it too.
            let grouped = name.strip_prefix("std::").is_some_and(|part| {
                text.match_indices("std::{").any(|(at, _)| {
                    let group = &text[at..text[at..].find("};").map_or(text.len(), |end| at + end)];
                    group
                        .split([',', '{', '}', '\n'])
                        .any(|item| item.trim() == part || item.trim().starts_with(&format!("{part}::")))
                })
            });
            let direct = text.match_indices(name).any(|(at, _)| {
                let before = text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
                let after = text[at + name.len()..].starts_with("::")
                    || (name.starts_with("std::") && text[at + name.len()..].starts_with(';'));
                !before && after
            });
            assert!(
                !(direct || grouped) || allowed.contains(&folder.as_str()),
                "{}: {folder}/ may not name {name}",
                path.display()
            );
        }
    }
}

#[test]
fn the_walls_would_see_a_breach() {
    assert_eq!(
        imports("use crate::{\n a::{b, c},\n d,\n};\nlet x = crate::store::Y;"),
        ["a", "d", "store"].map(str::to_owned).into()
    );
}

#[test]
fn the_program_is_not_linked_to_libtorch() {
    let libraries = std::process::Command::new("ldd").arg(env!("CARGO_BIN_EXE_visavis")).output().unwrap();
    let text = String::from_utf8_lossy(&libraries.stdout).into_owned();
    assert!(text.contains("libc.so"), "ldd said nothing: {text}");
    assert!(!text.contains("torch"), "{text}");
}

#[test]
fn the_text_of_the_house_names_no_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Makefile", ".ci/run"] {
        let text = fs::read_to_string(root.join(name)).unwrap();
        assert!(!text.contains(concat!("/wo", "rk/")) && !text.contains(concat!("/ro", "ot/")), "{name} names a machine's path");
    }
}

/// What `deny.toml` says, kept where `cargo deny` is not installed: permissive licences, one registry.
#[test]
fn every_dependency_has_a_permissive_licence_and_comes_from_the_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let deny = fs::read_to_string(root.join("deny.toml")).unwrap();
    let allowed: BTreeSet<&str> =
        deny.split("allow = [").nth(1).unwrap().split(']').next().unwrap().split('"').skip(1).step_by(2).collect();
    assert!(allowed.contains("MIT") && !allowed.contains("GPL-3.0"));
    let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(platform)
        .current_dir(root)
        .output();
    let metadata: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let ours = |package: &&serde_json::Value| !package["name"].as_str().unwrap().starts_with("visavis");
    for package in packages.iter().filter(ours) {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or(""));
        // Any alternative will do; of one, every part must.
        let plain = licence.replace('/', " OR ").replace(['(', ')'], "");
        let fine = plain.split(" OR ").any(|one| one.split(" AND ").all(|part| allowed.contains(part.trim())));
        assert!(fine, "{name} is licensed {licence:?}");
        assert!(package["source"].as_str().is_some_and(|source| source.starts_with("registry+")), "{name} comes from elsewhere");
    }
    // Only the other package may come to libtorch.
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let comes = node["deps"].as_array().unwrap().iter().any(|dependency| dependency["name"] == "tch");
        assert!(!comes || node["id"].as_str().unwrap().contains("visavis-torch"), "{} knows libtorch", node["id"]);
    }
}
