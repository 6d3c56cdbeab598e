//! Which module may import which. See ARCHITECTURE.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Where each package's source is, and what its folders are called by the other packages.
const PACKAGES: [(&str, &str); 4] =
    [("core/src", "visavis_core"), ("src", "visavis"), ("torch/src", "visavis_torch"), ("onnx/src", "visavis_onnx")];

/// Packages that count as one folder each: what they name of their own are files.
const PROGRAMS: [&str; 2] = ["torch", "onnx"];

/// Each folder, or file beside folders, and the folders that it imports from: these and no others.
const LAYERS: [(&str, &[&str]); 20] = [
    ("domain", &[]),
    ("files", &[]),
    ("numeric", &[]),
    ("pickle", &["domain", "files"]),
    ("config", &["domain", "files", "weights", "projection"]),
    ("dataset", &["domain", "files", "numeric", "pickle"]),
    ("weights", &["domain", "files", "numeric", "pickle"]),
    ("projection", &["domain", "numeric"]),
    ("clustering", &["domain", "numeric"]),
    ("scoring", &["domain", "numeric"]),
    ("plot", &["domain"]),
    ("store", &["domain", "files", "numeric"]),
    ("stages", &["domain", "files", "numeric", "dataset", "projection", "clustering", "scoring", "plot", "store"]),
    ("study", &["domain", "numeric", "config", "dataset", "weights", "projection", "scoring", "store"]),
    // Charts are drawn from claims, and an audit draws them again.
    ("audit", &["domain", "config", "dataset", "store", "plot"]),
    ("report", &["domain", "study", "audit", "plot"]),
    ("tui", &["domain", "study"]),
    (
        "cli",
        &[
            "domain", "files", "numeric", "dataset", "weights", "scoring", "plot", "store", "stages", "study", "audit", "report",
            "tui",
        ],
    ),
    ("torch", &["domain", "numeric", "dataset", "weights", "store", "stages"]),
    ("onnx", &["domain", "dataset", "weights", "store", "stages"]),
];

/// Folders that hand on what another defines.
const HANDED_ON: [(&str, &str); 6] = [
    ("study", "config"),
    ("study", "dataset"),
    ("study", "domain"),
    ("study", "weights"),
    ("study", "projection"),
    ("study", "store"),
];

/// Crates and modules that only some folders may name, and do.
const GUARDED: [(&str, &[&str]); 14] = [
    ("rusqlite", &["store"]),
    ("linfa_clustering", &["clustering"]),
    ("polars", &["cli"]),
    ("plotters", &["plot"]),
    ("tera", &["report"]),
    ("html5ever", &["audit"]),
    ("ratatui", &["tui"]),
    ("ratatui_image", &["tui"]),
    ("yamlpath", &["config"]),
    ("tch", &["torch"]),
    ("ort", &["onnx"]),
    ("nvml_wrapper", &["store", "study"]),
    ("std::fs", &["files", "pickle", "dataset", "store", "audit", "cli", "torch"]),
    ("std::time", &["dataset", "store", "stages", "study", "cli", "tui", "torch"]),
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
        for (name, ..) in test_modules(without_tests(&text)) {
            let (file, folder) = (below.join(format!("{name}.rs")), below.join(name));
            let of_it: Vec<&PathBuf> = paths.iter().filter(|path| **path == file || path.starts_with(&folder)).collect();
            assert!(!of_it.is_empty(), "{} is not there", file.display());
            found.extend(of_it.into_iter().cloned());
        }
    }
    found
}

struct Source {
    /// `torch` for all of that package, `onnx` likewise; `main.rs` and `lib.rs` are folders too.
    folder: String,
    path: PathBuf,
    /// How many folders and modules its own module is below the package's root.
    depth: usize,
    /// Without tests and comments.
    text: String,
}

/// Every source file of every package, but for files that are tests as a whole.
fn files() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for (below, name) in PACKAGES {
        let below = root.join(below);
        let mut paths = Vec::new();
        sources(&below, &mut paths);
        let tests = tests_only(&paths);
        for path in paths.into_iter().filter(|path| !tests.contains(path)) {
            let place = path.strip_prefix(&below).unwrap();
            let first = place.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
            let depth = place.components().count() - usize::from(matches!(path.file_name(), Some(name) if name == "mod.rs"));
            let text = fs::read_to_string(&path).unwrap();
            let code = |line: &&str| !line.trim_start().starts_with("//");
            let text = without_tests(&text).lines().filter(code).collect::<Vec<_>>().join("\n");
            let program = name.strip_prefix("visavis_").filter(|name| PROGRAMS.contains(name));
            let folder = program.map_or(first, str::to_owned);
            all.push(Source { folder, path, depth, text });
        }
    }
    assert!(all.len() > 250, "the walls look at {} files", all.len());
    all
}

/// The modules named behind `root::`: `root::a::…` and `use root::{a::…, b::…}`.
fn named(text: &str, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let start = format!("{root}::");
    for (at, _) in text.match_indices(&start) {
        if text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &text[at + start.len()..];
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

/// The folders that a file imports from, in its own package or in core.
fn imports(source: &Source) -> BTreeSet<String> {
    let up = vec!["super"; source.depth].join("::");
    ["crate", "visavis_core", &up].into_iter().flat_map(|root| named(&source.text, root)).collect()
}

#[test]
fn each_folder_imports_only_from_the_layers_below() {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in files() {
        let Source { folder, path, .. } = &source;
        assert!(
            !source.text.contains("visavis::") || path.ends_with("src/main.rs"),
            "{} names the other package",
            path.display()
        );
        if ["lib.rs", "main.rs"].contains(&folder.as_str()) {
            continue;
        }
        let imports = if PROGRAMS.contains(&folder.as_str()) { named(&source.text, "visavis_core") } else { imports(&source) };
        seen.entry(folder.clone()).or_default().extend(imports.into_iter().filter(|import| import != folder));
    }
    let layers = LAYERS.map(|(folder, allowed)| (folder.to_owned(), allowed.iter().map(|name| (*name).to_owned()).collect()));
    assert_eq!(seen, BTreeMap::from(layers), "left: what is imported; right: what may be, and is if a layer is to be believed");
}

#[test]
fn a_module_with_parts_is_a_file_mod_rs_in_its_folder() {
    let both = files().into_iter().filter(|source| source.path.with_extension("").is_dir()).map(|source| source.path);
    assert_eq!(both.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "files beside a folder of their name");
}

/// What stands on the same line before this place.
fn line_before(text: &str, at: usize) -> &str {
    text[..at].rsplit('\n').next().unwrap_or("").trim()
}

/// Nothing, `pub`, or `pub(…)`: what may stand before `use` and `mod`.
fn is_visibility(word: &str) -> bool {
    word.is_empty() || word == "pub" || (word.starts_with("pub(") && word.ends_with(')') && !word.contains(' '))
}

#[test]
fn what_a_folder_hands_on_is_written_here() {
    let mut seen = BTreeSet::new();
    for source in files().into_iter().filter(|source| !source.path.ends_with("lib.rs")) {
        let is_handed_on =
            |at: &usize| is_visibility(line_before(&source.text, *at)) && !line_before(&source.text, *at).is_empty();
        for at in source.text.match_indices("use ").map(|(at, _)| at).filter(is_handed_on) {
            let end = source.text[at..].find(';').map_or(source.text.len(), |end| at + end);
            let handed = Source {
                text: source.text[at..end].to_owned(),
                path: source.path.clone(),
                folder: source.folder.clone(),
                depth: source.depth,
            };
            seen.extend(
                imports(&handed).into_iter().filter(|from| *from != source.folder).map(|from| (source.folder.clone(), from)),
            );
        }
    }
    seen.retain(|(folder, _)| !PROGRAMS.contains(&folder.as_str()));
    assert_eq!(seen, HANDED_ON.map(|(folder, from)| (folder.to_owned(), from.to_owned())).into());
}

#[test]
fn guarded_crates_are_named_where_they_may_be_and_nowhere_else() {
    let mut breaches = Vec::new();
    let mut unused: BTreeSet<(&str, &str)> =
        GUARDED.iter().flat_map(|(name, allowed)| allowed.iter().map(|folder| (*name, *folder))).collect();
    for Source { folder, path, text, .. } in files() {
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
            if direct || grouped {
                unused.retain(|needed| *needed != (name, folder.as_str()));
            }
            if (direct || grouped) && !allowed.contains(&folder.as_str()) {
                breaches.push(format!("{}: {folder}/ may not name {name}", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    assert!(unused.is_empty(), "allowed, and not needed by anyone: {unused:?}");
}

#[test]
fn the_walls_would_see_a_breach() {
    assert_eq!(
        named("use crate::{\n a::{b, c},\n d,\n};\nlet x = crate::store::Y;", "crate"),
        ["a", "d", "store"].map(str::to_owned).into()
    );
    let source = |depth, text: &str| Source { folder: "a".to_owned(), path: PathBuf::new(), depth, text: text.to_owned() };
    assert_eq!(imports(&source(1, "pub use super::store::X;")), ["store".to_owned()].into());
    assert_eq!(imports(&source(2, "use super::{b, c}; use super::super::{store::X}; a::crate::z")), ["store".to_owned()].into());
    // A file of tests that is declared at the top hides nothing of what stands below it.
    let text = "mod a;\n#[cfg(test)]\nmod b;\nuse std::fs;\n#[cfg(test)]\nfn c() {}\nlet d;\n#[cfg(test)]\nmod tests {\n e }\n";
    assert_eq!(without_tests(text), &text[..text.rfind("#[cfg").unwrap()]);
    let modules: Vec<(&str, bool)> = test_modules(text).map(|(name, is_a_file, _)| (name, is_a_file)).collect();
    assert_eq!(modules, [("b", true), ("tests", false)]);
}

#[test]
fn the_program_is_linked_to_no_library_that_runs_networks() {
    let libraries = std::process::Command::new("ldd").arg(env!("CARGO_BIN_EXE_visavis")).output().unwrap();
    let text = String::from_utf8_lossy(&libraries.stdout).into_owned();
    assert!(text.contains("libc.so"), "ldd said nothing: {text}");
    assert!(!text.contains("torch") && !text.contains("onnx"), "{text}");
}

#[test]
fn no_text_of_the_repository_names_a_machine() {
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
    // Only one package may come to libtorch, and one to onnxruntime.
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        for (library, package) in [("tch", "visavis-torch"), ("ort", "visavis-onnx")] {
            let comes = node["deps"].as_array().unwrap().iter().any(|dependency| dependency["name"] == library);
            assert!(!comes || node["id"].as_str().unwrap().contains(package), "{} knows {library}", node["id"]);
        }
    }
}

/// The packages of this repository, each with its features, as cargo builds the workspace with these flags.
fn packages_with_features(flags: &[&str]) -> BTreeMap<String, String> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--workspace", "--edges", "normal", "--depth", "1", "--prefix", "none", "--format", "{p}|{f}"])
        .args(flags)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.starts_with("visavis"));
    let parts = lines.filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    parts.map(|(package, features)| (package.split(' ').next().unwrap().to_owned(), features.to_owned())).collect()
}

#[test]
fn what_users_build_has_no_fault_injection_and_what_tests_build_has_it() {
    for (flags, features) in [(&[][..], ""), (&["--features", "fault-injection"], "fault-injection")] {
        let expected =
            ["visavis", "visavis-core", "visavis-onnx", "visavis-torch"].map(|package| (package.to_owned(), features.to_owned()));
        assert_eq!(packages_with_features(flags), expected.into(), "{flags:?}");
    }
    let makefile = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Makefile")).unwrap();
    let recipe = |target: &str| {
        let (_, rest) = makefile.split_once(&format!("\n{target}:")).unwrap();
        rest.split("\n\n").next().unwrap().contains("$(WITH_FAULTS)")
    };
    for target in ["test", "test-long", "build-for-tests", "kills", "screens", "oracle"] {
        assert!(recipe(target), "`make {target}` tests without fault injection");
    }
    for target in ["build", "demo", "bench", "install"] {
        assert!(!recipe(target), "`make {target}` has fault injection");
    }
}

/// Folders whose files import each other in one direction only.
const WITHOUT_CIRCLES: [&str; 2] = ["src/tui", "core/src/dataset"];

/// The paths of a use tree: `a::{b, c::d}` → `a::b`, `a::c::d`.
fn flattened(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let body = &tree[open + 1..tree.rfind('}').unwrap()];
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in body.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| flattened(part)).map(|path| format!("{}{path}", &tree[..open])).collect()
}

type Module = Vec<String>;

/// The modules of a folder that one of them imports or declares; `crate_path`: what the folder is called from everywhere.
fn imported(module: &Module, text: &str, crate_path: &str, all: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let declared = line.split_once("mod ").filter(|(before, _)| is_visibility(before.trim()));
        let declared = declared.and_then(|(_, rest)| rest.strip_suffix(';'));
        found.extend(declared.map(|name| [&module[..], &[name.to_owned()]].concat()));
    }
    let uses = text.match_indices("use ").filter(|(at, _)| is_visibility(line_before(text, *at)));
    let mut paths: Vec<String> = uses.flat_map(|(at, _)| flattened(text[at + 4..].split(';').next().unwrap_or(""))).collect();
    // What is named where it is used; a path that ends in `::` begins a tree.
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    paths.extend(
        text.split(|c: char| !is_of_path(c)).filter(|word| word.contains("::") && !word.ends_with(':')).map(str::to_owned),
    );
    for path in paths {
        let mut segments: Vec<&str> = path.split("::").map(str::trim).collect();
        let mut base = module.clone();
        if let Some(rest) = path.strip_prefix(crate_path) {
            base.clear();
            segments = rest.split("::").skip(1).map(str::trim).collect();
        } else if segments[0] == "crate" {
            continue;
        }
        while segments.first() == Some(&"super") && base.pop().is_some() {
            segments.remove(0);
        }
        if segments.is_empty() || segments[0] == "super" {
            continue;
        }
        let whole: Module = base.iter().cloned().chain(segments.iter().map(|name| (*name).to_owned())).collect();
        found.extend((base.len()..=whole.len()).rev().map(|end| whole[..end].to_vec()).find(|path| all.contains(path)));
    }
    found.remove(module);
    found.retain(|of| all.contains(of));
    found
}

#[test]
fn files_of_a_folder_without_circles_import_each_other_in_one_direction() {
    for folder in WITHOUT_CIRCLES {
        let below = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let crate_path = format!("crate::{}", folder.rsplit('/').next().unwrap());
        let mut modules: BTreeMap<Module, String> = BTreeMap::new();
        for source in files().into_iter().filter(|source| source.path.starts_with(&below)) {
            let place = source.path.strip_prefix(&below).unwrap().with_extension("");
            let mut module: Module = place.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            module.pop_if(|name| name == "mod");
            modules.insert(module, source.text);
        }
        assert!(modules.len() > 20, "{folder} has {} files", modules.len());
        let all: BTreeSet<Module> = modules.keys().cloned().collect();
        let mut edges: BTreeMap<&Module, BTreeSet<Module>> =
            modules.iter().map(|(module, text)| (module, imported(module, text, &crate_path, &all))).collect();
        assert!(edges.values().map(BTreeSet::len).sum::<usize>() > modules.len(), "the imports of {folder} are not found");
        // Files that import nothing that is left are taken away; what cannot be taken away stands in a circle.
        loop {
            let done: BTreeSet<Module> =
                edges.iter().filter(|(_, to)| to.is_empty()).map(|(module, _)| (*module).clone()).collect();
            if done.is_empty() {
                break;
            }
            edges.retain(|module, _| !done.contains(*module));
            edges.values_mut().for_each(|to| to.retain(|module| !done.contains(module)));
        }
        assert!(edges.is_empty(), "in or above a circle of {folder}: {edges:#?}");
    }
}

#[test]
fn a_circle_of_files_would_be_seen() {
    assert_eq!(flattened("super::{a::{B, c as d}, e}"), ["super::a::B", "super::a::c", "super::e"]);
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    let all: BTreeSet<Module> = ["a", "b", "b/c", "b/d"].map(module).into();
    let of = |path: &str, text: &str| imported(&module(path), text, "crate::tui", &all);
    assert_eq!(of("b/c", "use super::d::X;\nuse crate::{study::a, tui::a::Y};"), ["a", "b/d"].map(module).into());
    assert_eq!(of("b/c", "use super::X;\nuse crate::study::a;"), [module("b")].into());
    assert_eq!(of("b", "mod c;\nuse d::X;"), ["b/c", "b/d"].map(module).into());
    assert_eq!(of("b", "pub(super) mod c;\npub(crate) use d::X;"), ["b/c", "b/d"].map(module).into());
    assert_eq!(of("b/c", "fn f() { super::super::a::g() }"), [module("a")].into());
}
