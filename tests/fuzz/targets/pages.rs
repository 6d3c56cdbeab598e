//! What a workspace and a report hold: study files, journals, evidence, pages.

use super::{FuzzTarget, few, of_repository, place, told};
use crate::{desk::SMALL, hostile_pages};
use std::{fs, path::Path};
use visavis::{
    audit::{EmbeddedObject, Evidence, Examination, MARK},
    config::{self, Text},
};
use visavis_core::{
    domain::{
        annotation::{CombinedLabels, LabelRule, labels_of},
        event::Event,
        image::Images,
    },
    store::{self, Index, Journal},
};

fn study_file(bytes: &[u8]) -> String {
    let Ok(source) = String::from_utf8(bytes.to_vec()) else { return "no text".to_owned() };
    told(config::parse(Text { path: "experiments/x.yaml".into(), source }))
}

fn journal(bytes: &[u8]) -> String {
    let mut told = String::new();
    // As it is, and with checksums that are right again.
    for bytes in [bytes.to_vec(), summed(bytes)] {
        let path = place("000000000000001-1.journal");
        fs::write(&path, bytes).unwrap();
        told += &match store::read_journal(&path, &store::Mark::default()) {
            Ok(part) => {
                let last: String = part.records.last().map_or_else(String::new, |last| format!("{:?}", last.record));
                let last: String = last.chars().take(40).collect();
                format!("{} records, {} damaged, {last}; ", few(part.records.len()), few(part.damage.len()))
            }
            Err(fault) => fault.what,
        };
    }
    told
}

/// The bytes of a journal, each record with the checksum of its payload.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = b"VISAVIS journal 1\n".len();
    while let Some(length) = bytes.get(at..at + 4).map(|length| u32::from_le_bytes(length.try_into().unwrap()) as usize) {
        let payload = at + 40;
        let Some(end) = payload.checked_add(length).filter(|end| *end <= bytes.len()) else { break };
        let mut sum = flate2::Crc::new();
        sum.update(&bytes[payload..end]);
        bytes[at + 4..at + 8].copy_from_slice(&sum.sum().to_le_bytes());
        at = end;
    }
    bytes
}

/// Events as a journal holds them, of labels above all: taken into an index, answers read back and counted by every rule.
fn label_events(bytes: &[u8]) -> String {
    let folder = place("labelled");
    fs::remove_dir_all(&folder).ok();
    let mut journal = Journal::start(&folder.join("journals"), 1).unwrap();
    let mut said = String::new();
    for line in bytes.split(|byte| *byte == b'\n').take(50) {
        match serde_json::from_slice::<Event>(line) {
            Ok(event) => said += &told(journal.append_event(event)),
            Err(error) => said += &error.to_string(),
        }
    }
    let index = Index::open(&folder.join("visavis.db")).and_then(|mut index| {
        index.follow(&folder.join("journals"))?;
        index.answers(None)
    });
    let answers = match index {
        Ok(answers) => answers,
        Err(fault) => return format!("{} {said}", fault.what),
    };
    for answered in answers.values() {
        let pictures = answered.iter().map(|of| (of.annotation.image.clone(), Some(of.annotation.picture))).collect();
        let (annotators, elsewhere) = labels_of(answered, &Images(pictures));
        assert_eq!(elsewhere, 0, "every answer is of a picture that is here");
        for rule in [LabelRule::Agree, LabelRule::Vote, LabelRule::First] {
            let combined = CombinedLabels::of(&annotators, rule);
            assert!(combined.differ <= combined.shared && combined.shared <= combined.labelled);
        }
    }
    format!("{} attributes {said}", few(answers.len()))
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

/// The sample report with a few of its results and claims, and without objects: small enough to be damaged often.
fn small_page() -> (String, String) {
    let sample = include_str!("../../../reports/sample.html");
    let start = sample.find(MARK).unwrap() + MARK.len();
    let end = start + sample[start..].find("</script>").unwrap();
    // Another program's page may lack what this one adds to it: it is not rendered here.
    let mut json: serde_json::Value = serde_json::from_str(&sample[start..end]).unwrap();
    json.as_object_mut().unwrap().remove("context");
    let mut evidence = Evidence::of_text(&json.to_string(), Path::new("sample.html")).unwrap();
    evidence.claims.truncate(6);
    let claimed: Vec<_> = evidence.claims.iter().map(|claim| claim.from.key).collect();
    let mut more = 3;
    evidence.manifests.retain(|manifest| {
        let is_wanted = claimed.contains(&manifest.key) || more > 0;
        more -= i32::from(is_wanted && !claimed.contains(&manifest.key));
        is_wanted
    });
    let mut objects = std::mem::take(&mut evidence.objects).into_iter().collect::<Vec<_>>();
    objects.sort_by_key(|(_, object)| match object {
        EmbeddedObject::Small(bytes) => bytes.len(),
        EmbeddedObject::Packed(packed) => packed.len(),
    });
    evidence.objects = objects.into_iter().take(3).collect();
    let words = "<p>in <b class=\"name\"><bdi>pixels</bdi></b>, <code>visavis audit <bdi>x</bdi></code> <q><bdi>“0.125”</bdi></q></p>\n\
        <figure><div class=\"drawing\" data-result=\"00\"><svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>\n</div></figure>";
    (hostile_pages::page_of(&evidence, words), evidence.to_page().unwrap())
}

/// A label of a person, as an event.
fn labelled(clock: u64, annotator: &str, choice: &str) -> String {
    let picture = "0123456789abcdef".repeat(4);
    format!(
        "{{\"clock\":{clock},\"at\":1790000000000,\"what\":{{\"labelled\":{{\"attribute\":\"race\",\"image\":\"a/1.jpg\",\
         \"picture\":\"{picture}\",\"annotator\":\"{annotator}\",\"by\":\"me\",\"choice\":{choice},\
         \"asked\":{{\"classes\":[\"a\",\"b\"],\"quota\":3}}}}}}}}\n"
    )
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    let (page_text, evidence_text) = small_page();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1/journals");
    let mut journals: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    journals.sort();
    let labels = [
        labelled(1, "one", "{\"class\":\"a\"}"),
        labelled(2, "two", "\"not_obvious\""),
        labelled(3, "one", "\"withdrawn\""),
        labelled(4, "one", "{\"class\":\"b\"}"),
    ];
    vec![
        FuzzTarget {
            name: "study file",
            seeds: vec![SMALL.into(), crate::desk::MICRO.into(), of_repository("experiments/face-attributes.yaml")],
            words: &[
                b": ", b"- ", b"{", b"}", b"[", b"]", b"\"", b"'", b"&a ", b"*a", b"!!int ", b"null", b"~", b"1e400", b"\n  ",
                b"<<: ", b"---\n", b"$X",
            ],
            read: study_file,
        },
        FuzzTarget {
            name: "journal record",
            seeds: journals.iter().map(|path| fs::read(path).unwrap()).collect(),
            words: &[b"{", b"}", b"\"at\":", b"\"event\":", b"null", b"[", b"]", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"],
            read: journal,
        },
        FuzzTarget {
            name: "label events",
            seeds: vec![labels.concat().into_bytes(), labels[0].clone().into_bytes()],
            words: &[
                b"{",
                b"}",
                b"\n",
                b"\"class\":\"a\"",
                b"\"skipped\"",
                b"\"withdrawn\"",
                b"\"annotator\":\"two\"",
                b"\"clock\":18446744073709551615",
                b"\"at\":0",
                b"\"quota\":null",
                b"\"attribute\":\"\"",
                b"\\u0000",
                b"\"what\":{\"closed\":{}}",
            ],
            read: label_events,
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
                b"\"format\":2",
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
