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
const GUARDED: [(&str, &[&str]); 12] = [
    ("rusqlite", &["store"]),
    ("polars", &["dataset", "scoring", "cli"]),
    ("plotters", &["plot"]),
    ("tera", &["report"]),
    ("html5ever", &["audit"]),
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

/// What follows each mark of tests that is a module: its name, whether it is a file of its own, and where the mark stands.
fn test_modules(text: &str) -> impl Iterator<Item = (&str, bool, usize)> {
    text.match_indices("#[cfg(test)]").filter_map(|(at, mark)| {
        let rest = text[at + mark.len()..].trim_start().strip_prefix("mod ")?;
        let name = &rest[..rest.find([' ', ';', '{'])?];
        Some((name, rest[name.len()..].trim_start().starts_with(';'), at))
    })
}

/// A file's text without the tests at its end: they may know more. What else is for tests alone stays and is judged.
fn without_tests(text: &str) -> &str {
    let tests = test_modules(text).find(|(_, is_a_file, _)| !is_a_file);
    tests.map_or(text, |(_, _, at)| &text[..at])
}

/// The files that are tests as a whole, as the files that declare them say.
fn tests_only(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap();
        let below = match path.file_stem().unwrap().to_str().unwrap() {
            "mod" | "lib" | "main" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        let declared = test_modules(without_tests(&text)).map(|(name, _, _)| below.join(format!("{name}.rs")));
        found.extend(declared.inspect(|file| assert!(paths.contains(file), "{} is not there", file.display())));
    }
    found
}

/// Every source file with the folder it is in, its tests cut off, but for files that are tests as a whole.
fn files() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 60, "the walls look at nothing");
    let tests = tests_only(&paths);
    assert!(tests.contains(&root.join("domain/stage/perturbed.rs")) && tests.len() < 10, "{tests:?}");
    let parted = |path: PathBuf| {
        let folder = path.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text =
            without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (folder, path, text)
    };
    paths.into_iter().filter(|path| !tests.contains(path)).map(parted).collect()
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
    // A file of tests that is declared at the top hides nothing of what stands below it.
    let text = "mod a;\n#[cfg(test)]\nmod b;\nuse std::fs;\n#[cfg(test)]\nfn c() {}\nlet d;\n#[cfg(test)]\nmod tests {\n e }\n";
    assert_eq!(without_tests(text), &text[..text.rfind("#[cfg").unwrap()]);
    let modules: Vec<(&str, bool)> = test_modules(text).map(|(name, is_a_file, _)| (name, is_a_file)).collect();
    assert_eq!(modules, [("b", true), ("tests", false)]);
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
