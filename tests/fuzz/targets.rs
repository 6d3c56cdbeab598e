//! What reads files of other people, as targets of the driver.

use super::driver::FuzzTarget;
use crate::{desk::SMALL, hostile_pages};
use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
};
use visavis::{
    audit::{Evidence, Examination, MARK},
    config::{self, Text},
};
use visavis_core::{
    dataset::{self, DigestCache, Numbers, array},
    domain::{Result, study::Dataset},
    store,
    weights::{self, containers, onnx},
};

/// What a reader answered, in words.
fn told<T>(answer: Result<T>) -> String {
    answer.map_or_else(|fault| fault.what, |_| "read".to_owned())
}

/// A file or folder of this thread, in memory where that can be.
fn place(name: &str) -> PathBuf {
    thread_local!(static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() });
    let made = || {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
    };
    FOLDER.with(|folder| folder.get_or_init(made).path().join(name))
}

fn study_file(bytes: &[u8]) -> String {
    let Ok(source) = String::from_utf8(bytes.to_vec()) else { return "no text".to_owned() };
    told(config::parse(Text { path: "experiments/x.yaml".into(), source }))
}

fn npy(bytes: &[u8]) -> String {
    let path = Path::new("x.npy");
    let numbers = Numbers::of_npy(bytes, path);
    if let Ok(numbers) = &numbers {
        let mut row = vec![];
        (0..numbers.rows().min(100)).for_each(|place| numbers.row(place, &mut row));
        numbers.first_not_finite(0..numbers.rows().min(100));
    }
    format!("{} {}", told(numbers), told(array::from_npy(bytes, path)))
}

fn safetensors(bytes: &[u8]) -> String {
    let path = Path::new("x.safetensors");
    format!("{} {}", told(Numbers::of_safetensors(bytes, "a", path)), weight_file(bytes))
}

/// Checkpoints of `torch.save` and pickles of NumPy arrays: read, looked through, and each tensor's numbers taken.
fn weight_file(bytes: &[u8]) -> String {
    let file = match containers::of_bytes(bytes, Path::new("x.pt")) {
        Ok(file) => file,
        Err(fault) => return fault.what,
    };
    format!("{} {}", told(weights::inspect(&file)), told(weights::recognised(&file)))
}

fn onnx_model(bytes: &[u8]) -> String {
    match onnx::of_bytes(bytes, Path::new("x.onnx")) {
        Ok(model) => {
            let ends = onnx::stage_ends(&model);
            drop(ends);
            "read".to_owned()
        }
        Err(fault) => fault.what,
    }
}

fn csv_table(bytes: &[u8]) -> String {
    let path = place("labels.csv");
    fs::write(&path, bytes).unwrap();
    format!("{} {}", told(dataset::label_table(&path)), told(dataset::read_rows(bytes, &path, None)))
}

/// Between the tables of CelebA in one input.
const NEXT_TABLE: &[u8] = b"\n=====\n";

fn celeba(bytes: &[u8]) -> String {
    let root = place("celeba");
    fs::create_dir_all(root.join("img_align_celeba")).unwrap();
    let names = ["list_attr_celeba", "identity_CelebA", "list_eval_partition", "list_landmarks_align_celeba"];
    let mut rest = bytes;
    for name in names {
        let at = rest.windows(NEXT_TABLE.len()).position(|window| window == NEXT_TABLE);
        let (table, later) = at.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + NEXT_TABLE.len()..]));
        rest = later;
        fs::write(root.join(format!("{name}.txt")), table).unwrap();
    }
    match dataset::recognise(&root) {
        set @ Dataset::CelebA { .. } => told(dataset::collect(&set, &mut DigestCache::none())),
        _ => "not recognised".to_owned(),
    }
}

fn journal(bytes: &[u8]) -> String {
    let path = place("000000000000001-1.journal");
    fs::write(&path, bytes).unwrap();
    let part = store::read_journal(&path, &store::Mark::default());
    match part {
        Ok(part) => format!("{} records, {} damaged", part.records.len().min(3), part.damage.len().min(3)),
        Err(fault) => fault.what,
    }
}

fn evidence(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "no text".to_owned() };
    match Evidence::of_text(text, Path::new("x.html")) {
        Ok(evidence) => {
            let sizes = evidence.sizes();
            let opened = evidence.objects.keys().map(|digest| evidence.object(*digest, sizes.get(digest).copied()));
            let broken = opened.flatten().filter(Result::is_err).count();
            format!("read, broken: {}", broken > 0)
        }
        Err(fault) => fault.what,
    }
}

fn page(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "no text".to_owned() };
    match Examination::of_page(text, Path::new("x.html"), &|| false) {
        Ok(examination) => {
            let audit = examination.conclude_alone();
            let found: Vec<&str> = audit.differs().map(|found| found.why.as_str()).take(2).collect();
            format!("{:?} {}", audit.verdict(), found.join("; "))
        }
        Err(fault) => fault.what,
    }
}

fn seed(name: &str) -> Vec<u8> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    fs::read(here.join("fuzz/seeds").join(name)).or_else(|_| fs::read(here.join("fixtures").join(name))).unwrap()
}

fn seeds(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| seed(name)).collect()
}

/// The sample report with a few of its results and claims, and without objects: small enough to be damaged often.
fn small_page() -> (String, String) {
    let sample = include_str!("../../reports/sample.html");
    let start = sample.find(MARK).unwrap() + MARK.len();
    let end = start + sample[start..].find("</script>").unwrap();
    let mut evidence = Evidence::of_text(&sample[start..end], Path::new("sample.html")).unwrap();
    evidence.claims.truncate(6);
    let claimed: Vec<_> = evidence.claims.iter().map(|claim| claim.from.key).collect();
    let mut more = 3;
    evidence.manifests.retain(|manifest| {
        let is_wanted = claimed.contains(&manifest.key) || more > 0;
        more -= i32::from(is_wanted && !claimed.contains(&manifest.key));
        is_wanted
    });
    let mut objects = std::mem::take(&mut evidence.objects).into_iter().collect::<Vec<_>>();
    objects.sort_by_key(|(_, packed)| packed.len());
    evidence.objects = objects.into_iter().take(3).collect();
    let words = "<p>in <b class=\"name\"><bdi>pixels</bdi></b>, <code>visavis audit <bdi>x</bdi></code> <q><bdi>“0.125”</bdi></q></p>\n\
        <figure><div class=\"drawing\" data-result=\"00\"><svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>\n</div></figure>";
    (hostile_pages::page_of(&evidence, words), evidence.to_page().unwrap())
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read(root.join(name)).unwrap();
    let start = |mut bytes: Vec<u8>, most: usize| {
        bytes.truncate(most);
        bytes
    };
    let (page_text, evidence_text) = small_page();
    let celeba_tables = [
        "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 1\n000003.jpg 1 1\n",
        "000001.jpg 2\n000002.jpg 2\n000003.jpg 7\n",
        "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
        "3\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n\
         000001.jpg 69 109 106 113 77 142 73 152 108 154\n000002.jpg 69 110 107 112 81 135 70 151 108 153\n000003.jpg 1 2 3 4 5 6 7 8 9 10\n",
    ];
    let mut journals: Vec<_> =
        fs::read_dir(root.join("tests/fixtures/v1/journals")).unwrap().map(|entry| entry.unwrap().path()).collect();
    journals.sort();
    vec![
        FuzzTarget {
            name: "study file",
            seeds: vec![SMALL.into(), crate::desk::MICRO.into(), read("experiments/face-attributes.yaml")],
            words: &[
                b": ", b"- ", b"{", b"}", b"[", b"]", b"\"", b"'", b"&a ", b"*a", b"!!int ", b"null", b"~", b"1e400", b"\n  ",
                b"<<: ", b"---\n", b"$X",
            ],
            read: study_file,
        },
        FuzzTarget {
            name: "npy",
            seeds: seeds(&["plain.npy", "columns.npy", "fortran.npy"]),
            words: &[
                b"'descr': ",
                b"'shape': (",
                b"),",
                b"[",
                b"]",
                b"(",
                b")",
                b"True",
                b"'<f8'",
                b"'|O'",
                b"('x', '<f4', (2,))",
                b"\\x00",
                b"\x93NUMPY\x02\x00",
            ],
            read: npy,
        },
        FuzzTarget {
            name: "safetensors",
            seeds: seeds(&["two.safetensors"]),
            words: &[
                b"{",
                b"}",
                b"[",
                b"]",
                b"\"dtype\":\"F32\"",
                b"\"shape\":[",
                b"\"data_offsets\":[",
                b"\"__metadata__\":{",
                b"\\u0000",
                b",",
                b"BF16",
            ],
            read: safetensors,
        },
        FuzzTarget {
            name: "pickle",
            seeds: seeds(&["numpy0.pkl", "numpy2.pkl", "numpy4.pkl", "zip.pt", "legacy.pt"]),
            words: &[
                b"\x80\x02",
                b"cnumpy\nndarray\n",
                b"ctorch._utils\n_rebuild_tensor_v2\n",
                b"ccollections\nOrderedDict\n",
                b"R",
                b"b",
                b"(",
                b"t",
                b"}",
                b"q\x00",
                b"h\x00",
                b".",
                b"0",
                b"2",
                b"\x85",
                b"\x8a\x08",
                b"]",
                b"a",
                b"e",
                b"u",
                b"s",
                b"PK\x03\x04",
            ],
            read: weight_file,
        },
        FuzzTarget {
            name: "onnx",
            seeds: seeds(&["whole/faces.onnx", "whole/residual.onnx", "whole/strange.onnx", "whole/outside.onnx"]),
            words: &[
                b"\x08\x01",
                b"\x0a\xff\xff\xff\xff\x0f",
                b"\x12\x00",
                b"\x3a",
                b"Conv",
                b"Gemm",
                b"external",
                b"location",
                b"../x",
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            ],
            read: onnx_model,
        },
        FuzzTarget {
            name: "CSV tables",
            seeds: vec![
                start(read("data/digits/labels.csv"), 600),
                start(read("data/digits/images.txt"), 200),
                b"image;smile\r\n\"a b.png\";yes\r\n'c.png';NA\r\n".to_vec(),
                b"\xef\xbb\xbfid\tx\na\t1\n".to_vec(),
            ],
            words: &[
                b",",
                b";",
                b"\t",
                b"\"",
                b"\"\"",
                b"\r\n",
                b"\n",
                b"NA",
                b"-1",
                b"1e9",
                b"image_id",
                b"\xff",
                b"\xe2\x80\xae",
                b"\x00",
            ],
            read: csv_table,
        },
        FuzzTarget {
            name: "CelebA tables",
            seeds: vec![celeba_tables.join("\n=====\n").into_bytes()],
            words: &[b" ", b"  ", b"\n", b"\r\n", b",", b"-1", b"1", b"0", b"000001.jpg", b"=====", b"Smiling", b"\xff", b"nan"],
            read: celeba,
        },
        FuzzTarget {
            name: "journal record",
            seeds: journals.iter().map(|path| fs::read(path).unwrap()).collect(),
            words: &[b"{", b"}", b"\"at\":", b"\"event\":", b"null", b"[", b"]", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"],
            read: journal,
        },
        FuzzTarget {
            name: "evidence",
            seeds: vec![evidence_text.into_bytes()],
            words: &[
                b"{",
                b"}",
                b"[",
                b"]",
                b"\"",
                b"null",
                b"1e400",
                b"-1",
                b"\"format\":1",
                b"\\u003c",
                b"AAAA",
                b"\"claims\":",
                b"\"manifests\":",
            ],
            read: evidence,
        },
        FuzzTarget {
            name: "page",
            seeds: vec![page_text.into_bytes()],
            words: &[
                b"<bdi>",
                b"</bdi>",
                b"<code>",
                b"</code>",
                b"<data data-claim=\"c0\">",
                b"</data>",
                b"<table>",
                b"<tr>",
                b"<svg>",
                b"<script>",
                b"</script>",
                b"<!--",
                b"-->",
                b"<p>",
                b"&#46;",
                b".871",
                b"\xe2\x80\x8b",
                b"<template>",
                b"<title>",
                b"</title>",
                b"<select>",
                b"<a href=\"",
                b"\"",
                b">",
            ],
            read: page,
        },
    ]
}
