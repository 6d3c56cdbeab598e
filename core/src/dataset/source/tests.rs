use super::*;
use std::{collections::BTreeMap, fs, io::Write};

/// Files that MXNet 1.9.1 wrote: `make.py` beside them.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordio").join(name)
}

/// What was given to MXNet: set → key → bytes.
fn payloads() -> BTreeMap<String, BTreeMap<u64, Vec<u8>>> {
    let text = fs::read_to_string(fixture("payloads.json")).unwrap();
    let hex: BTreeMap<String, BTreeMap<u64, String>> = serde_json::from_str(&text).unwrap();
    let bytes = |hex: String| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    hex.into_iter().map(|(set, of)| (set, of.into_iter().map(|(key, hex)| (key, bytes(hex))).collect())).collect()
}

/// A copy of a fixture's file and index.
fn copied(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let rec = folder.path().join("train.rec");
    (folder, rec)
}

fn told(path: &Path) -> String {
    RecordFile::open(path).unwrap_err().to_string()
}

#[test]
fn what_mxnet_wrote_is_read_bit_for_bit() {
    for (set, payloads) in payloads() {
        let rec = fixture(&set).join("train.rec");
        let records = RecordFile::open(&rec).unwrap();
        assert_eq!(records.keys().collect::<Vec<_>>(), payloads.keys().copied().collect::<Vec<_>>(), "{set}");
        assert!(records.torn().is_none());
        for (key, payload) in &payloads {
            assert!(records.read(&id_of(*key)).unwrap() == *payload, "{set}, record {key}");
            assert_eq!(records.header(*key).unwrap().1, !payload.is_empty(), "{set}, record {key}");
        }
    }
    let records = RecordFile::open(&fixture("parts/train.rec")).unwrap();
    let header = |flag, id, labels: &[f32]| RecordHeader { flag, id, labels: labels.to_vec() };
    assert_eq!(records.header(0).unwrap().0, header(3, 0, &[1.0, 0.5, 7.0]));
    assert_eq!(records.header(2).unwrap().0, header(1, 2, &[1.0]));
    assert_eq!(RecordFile::open(&fixture("plain/train.rec")).unwrap().header(3).unwrap().0, header(0, 3, &[1.0]));
}

#[test]
fn what_is_written_here_has_the_bytes_that_mxnet_writes() {
    for set in ["insightface", "plain", "parts"] {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("train");
        let records = RecordFile::open(&fixture(set).join("train.rec")).unwrap();
        let index = fs::read_to_string(fixture(set).join("train.idx")).unwrap();
        let mut writer = RecordWriter::create(&stem).unwrap();
        for line in index.lines() {
            let key: u64 = line.split_once('\t').unwrap().0.parse().unwrap();
            let (header, _) = records.header(key).unwrap();
            let id2 = u64::from(set == "insightface" && key == 0);
            writer.append(&header, id2, &records.read(&id_of(key)).unwrap()).unwrap();
        }
        writer.finish().unwrap();
        for ending in ["rec", "idx"] {
            let theirs = fs::read(fixture(set).join("train").with_extension(ending)).unwrap();
            assert!(fs::read(stem.with_extension(ending)).unwrap() == theirs, "{set}.{ending}");
        }
        assert!(RecordWriter::create(&stem).is_err(), "nothing is overwritten");
    }
}

#[test]
fn without_an_index_the_records_are_found_and_repeated_numbers_are_places() {
    let (_folder, rec) = copied("insightface");
    let with = RecordFile::open(&rec).unwrap();
    fs::remove_file(rec.with_extension("idx")).unwrap();
    let without = RecordFile::open(&rec).unwrap();
    assert!(with.keys().eq(without.keys()) && with.table() == without.table());
    // MXNet's own example gives every record the same number.
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("x");
    let mut writer = RecordWriter::create(&stem).unwrap();
    for picture in [b"first", b"other"] {
        writer.append(&RecordHeader { flag: 0, id: 2574, labels: vec![1.0] }, 0, picture).unwrap();
    }
    writer.finish().unwrap();
    fs::remove_file(stem.with_extension("idx")).unwrap();
    let records = RecordFile::open(&stem.with_extension("rec")).unwrap();
    assert_eq!(records.keys().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(records.read("00000001").unwrap(), b"other");
}

#[test]
fn a_torn_last_record_is_left_out_and_named() {
    for is_indexed in [true, false] {
        let (_folder, rec) = copied("plain");
        if !is_indexed {
            fs::remove_file(rec.with_extension("idx")).unwrap();
        }
        let bytes = fs::read(&rec).unwrap();
        fs::write(&rec, &bytes[..bytes.len() - 100]).unwrap();
        let records = RecordFile::open(&rec).unwrap();
        assert_eq!(records.keys().collect::<Vec<_>>(), [0, 1, 2]);
        let fault = records.torn().unwrap().to_string();
        assert!(fault.contains("torn") && fault.contains("train.rec, record 3 (offset 1616)"), "{fault}");
    }
}

#[test]
fn records_that_claim_too_much_or_stand_out_of_order_are_refused_with_their_place() {
    let (_folder, rec) = copied("plain");
    let whole = fs::read(&rec).unwrap();
    let with = |at: usize, word: u32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        fs::write(&rec, bytes).unwrap();
    };
    let read = |key: u64| match RecordFile::open(&rec) {
        Ok(records) => records.read(&id_of(key)).unwrap_err().to_string(),
        Err(fault) => fault.to_string(),
    };
    // Two gigabytes, in the greatest length that a frame can say.
    with(4, 0x1fff_ffff);
    let fault = read(0);
    assert!(fault.contains("record 0 (offset 0)") && fault.contains("claims 536870911 bytes, and 2328 are left"), "{fault}");
    with(4, 2 << 29 | 8);
    assert!(read(0).contains("out of order"));
    with(8, 70_000);
    assert!(read(0).contains("shorter than its header says"));
    // Of a file without an index this is where reading ends.
    fs::remove_file(rec.with_extension("idx")).unwrap();
    with(4, 0x1fff_ffff);
    let fault = told(&rec);
    assert!(fault.contains("record 0 (offset 0)") && fault.contains("claims 536870911 bytes"), "others follow it: {fault}");
    with(4, 4);
    let fault = told(&rec);
    assert!(fault.contains("shorter than its header") && fault.contains("record 0 (offset 0)"), "{fault}");
}

#[test]
fn an_index_of_another_file_is_refused() {
    let (_folder, rec) = copied("plain");
    let idx = rec.with_extension("idx");
    let own = fs::read_to_string(&idx).unwrap();
    let with = |text: &str| {
        fs::write(&idx, text).unwrap();
        told(&rec)
    };
    assert!(with(&fs::read_to_string(fixture("insightface/train.idx")).unwrap()).contains("not of train.rec"));
    assert!(with("").contains("empty"));
    assert!(with("0\t0\n1\tfar\n").contains("train.idx:2:1"));
    assert!(with("0\t0\n0\t8\n").contains("names the key 0 twice"));
    assert!(with(&own.replace("0\t0\n", "")).contains("its first record is at offset"));
    let outside = with(&format!("{own}9\t2336\n12\t4000000000\n"));
    assert!(outside.contains("2 of its 6 records begin behind the end of the file (2336 bytes), such as record 9"), "{outside}");
    // The records of keys 0 and 1 change places.
    let swapped = own.replace("0\t", "x\t").replacen("1\t", "0\t", 1).replace("x\t", "1\t");
    let swapped = with(&swapped);
    assert!(swapped.contains("says that its key is"), "{swapped}");
    let last = own.lines().last().unwrap();
    assert!(with(&own.replace(last, "")).contains("and the next one is said to begin at 2336"));
    fs::write(&idx, &own).unwrap();
    assert!(RecordFile::open(&rec).is_ok());
}

#[test]
fn an_index_is_taken_of_records_that_all_say_one_number() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("train");
    let mut writer = RecordWriter::create(&stem).unwrap();
    for label in [3.0, 4.0, 5.0] {
        writer.append(&RecordHeader { flag: 0, id: 1, labels: vec![label] }, 0, b"a picture").unwrap();
    }
    writer.finish().unwrap();
    let idx = stem.with_extension("idx");
    let offsets = fs::read_to_string(&idx).unwrap();
    let lines = offsets.lines().zip(0..).map(|(line, key)| format!("{key}\t{}\n", line.split_once('\t').unwrap().1));
    fs::write(&idx, lines.collect::<String>()).unwrap();
    let records = RecordFile::open(&stem.with_extension("rec")).unwrap();
    assert!(records.keys().eq(0..3));
    assert_eq!(records.header(2).unwrap().0.labels, [5.0]);
}

#[test]
fn a_file_that_is_no_recordio_file_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let rec = folder.path().join("a.rec");
    for bytes in [&b""[..], b"abc", b"\xff\xd8\xff\xe0 a picture"] {
        fs::write(&rec, bytes).unwrap();
        let found = RecordFile::open(&rec);
        assert!(bytes.is_empty() || found.unwrap_err().to_string().contains("not a RecordIO file"));
    }
}

/// A tar archive of these members.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_tar_of_tars_is_read_in_place_with_the_ids_of_what_it_would_unpack_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ILSVRC2012_img_train.tar");
    let long = format!("{}.JPEG", "a_long_name_".repeat(20));
    let first = archive(&[("n01440764_18.JPEG", b"one"), ("n01440764_3.JPEG", b"two"), ("._n01440764_3.JPEG", b"resource")]);
    let second = archive(&[(long.as_str(), b"three")]);
    fs::write(&path, archive(&[("n01440764.tar", &first), ("n01443537.tar", &second)])).unwrap();
    let source = PictureSource::open(&path).unwrap();
    let PictureSource::Tar(tar) = &source else { panic!("an archive") };
    let expected = ["n01440764/n01440764_18.JPEG".to_owned(), "n01440764/n01440764_3.JPEG".into(), format!("n01443537/{long}")];
    assert!(tar.paths().eq(expected.iter()));
    assert_eq!(expected.each_ref().map(|id| source.read(id).unwrap()), [&b"one"[..], b"two", b"three"]);
    let place = source.place(&expected[1]).display().to_string();
    assert!(place.ends_with("ILSVRC2012_img_train.tar, member n01440764/n01440764_3.JPEG (offset 2048)"), "{place}");
    assert!(source.has(&expected[0]) && !source.has("n01440764/gone.JPEG"));
    assert_eq!(source.read("gone").unwrap_err().ending, crate::domain::Ending::Missing);
}

#[test]
fn folders_above_the_classes_are_no_part_of_ids_and_paths_out_of_the_archive_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.tar");
    let ids = |members: &[(&str, &[u8])]| {
        fs::write(&path, archive(members)).unwrap();
        TarFile::open(&path).map(|tar| tar.paths().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(ids(&[("./data/train/b/1.png", b"x"), ("data/train/a/2.png", b"y")]).unwrap(), ["a/2.png", "b/1.png"]);
    assert_eq!(ids(&[("a/1.png", b"x"), ("2.png", b"y")]).unwrap(), ["2.png", "a/1.png"]);
    assert_eq!(ids(&[("a/1.png", b"x"), ("a/2.png", b"y")]).unwrap(), ["a/1.png", "a/2.png"]);
    // The library that writes archives refuses such a path; a header of our own does not.
    let mut bytes = archive(&[("aaaa.png", b"x")]);
    bytes[..8].copy_from_slice(b"../a.png");
    let sum: u32 = (0..512).map(|at| if (148..156).contains(&at) { 32 } else { u32::from(bytes[at]) }).sum();
    write!(&mut bytes[148..156], "{sum:06o}\0 ").unwrap();
    fs::write(&path, &bytes).unwrap();
    assert!(TarFile::open(&path).unwrap_err().what.contains("leads out of the archive"));
    // Cut inside of the last member, and inside of a header.
    let whole = archive(&[("a/1.png", &[7; 2000]), ("a/2.png", &[8; 2000])]);
    for (length, what) in [
        (3500, "cut short: its member a/2.png has 2000 bytes, and 428 are left"),
        (2700, "not a whole tar archive behind a/1.png"),
    ] {
        fs::write(&path, &whole[..length]).unwrap();
        let fault = TarFile::open(&path).unwrap_err().what;
        assert!(fault.contains(what), "{fault}");
    }
}

#[test]
fn digests_are_those_of_the_pictures() {
    let rec = fixture("plain/train.rec");
    let ids: Vec<String> = [3, 2].map(id_of).to_vec();
    let images = PictureSource::open(&rec).unwrap().digested(ids.clone(), &mut DigestCache::none()).unwrap();
    let expected = [3, 2].map(|key| Some(Digest::of(&payloads()["plain"][&key])));
    assert!(images.0.iter().map(|(_, digest)| *digest).eq(expected) && images.ids().eq(&ids));
    let absent = PictureSource::open(&rec).unwrap().digested(vec![id_of(9)], &mut DigestCache::none()).unwrap_err();
    assert!(absent.to_string().contains("train.rec, record 00000009"), "{absent}");
}

/// Whatever the bytes are: an answer or an error, and soon.
#[test]
fn damaged_containers_are_refused_or_read_and_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = [("a/1.png", &[7; 700][..]), ("b/2.png", &[8; 100])];
    let set = |name: &str| fs::read(fixture(name)).unwrap();
    let files = [
        ("train.rec", set("insightface/train.rec"), Some(set("insightface/train.idx"))),
        ("train.rec", set("parts/train.rec"), Some(set("parts/train.idx"))),
        ("train.rec", set("parts/train.rec"), None),
        ("set.tar", archive(&[("x.tar", &archive(&pictures)), ("c/3.png", b"x")]), None),
        ("lfw.bin", set("../pairs/protocol2.bin"), None),
        ("lfw.bin", set("../pairs/python2.bin"), None),
    ];
    let mut state = 1u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut opened = 0;
    for (name, bytes, index) in files {
        let path = folder.path().join(name);
        for round in 0..300 {
            let damaged = |bytes: &[u8], next: &mut dyn FnMut(usize) -> usize| {
                let mut bytes = bytes.to_vec();
                for _ in 0..=next(3) {
                    // Near the start stand the numbers that decide what is read.
                    let place = if next(2) == 0 { next(bytes.len().min(128)) } else { next(bytes.len()) };
                    bytes[place] = [0, 0xff, 0x7f, b'9', next(256) as u8][next(5)];
                }
                let length = if next(4) == 0 { next(bytes.len()) } else { bytes.len() };
                bytes.truncate(length);
                bytes
            };
            let is_of_the_index = index.is_some() && round % 2 == 0;
            fs::write(&path, if is_of_the_index { bytes.clone() } else { damaged(&bytes, &mut next) }).unwrap();
            match &index {
                Some(index) if is_of_the_index => fs::write(path.with_extension("idx"), damaged(index, &mut next)).unwrap(),
                Some(index) => fs::write(path.with_extension("idx"), index).unwrap(),
                None => _ = fs::remove_file(path.with_extension("idx")),
            }
            let Ok(source) = PictureSource::open(&path) else { continue };
            opened += 1;
            let ids: Vec<String> = match &source {
                PictureSource::Records(records) => records.keys().map(id_of).collect(),
                PictureSource::Tar(archive) => archive.paths().map(str::to_owned).collect(),
                PictureSource::Pairs(pairs) => pairs.ids().collect(),
                PictureSource::Folder(_) => vec![],
            };
            for id in ids {
                source.read(&id).ok();
                assert!(source.has(&id));
            }
            crate::dataset::collect(&crate::dataset::recognise(&path), &mut DigestCache::none()).ok();
        }
    }
    assert!(opened > 200, "{opened} of 1800 could still be opened");
}
