//! Files that hold many pictures, and pictures.

use super::{FuzzTarget, NEXT_FILE, next_file, of_repository, place, seeds, tables::wrong_with, told};
use std::fs;
use visavis_core::{
    dataset::{self, Collection, DigestCache, PictureSource},
    domain::{Result, study::Dataset},
};

/// What a data set holds; some of its pictures are taken out and looked at.
fn looked_through(collection: Result<Collection>) -> String {
    let opened = collection.and_then(|collection| {
        let source = PictureSource::open(&collection.pictures)?;
        Ok((collection, source))
    });
    let (collection, source) = match opened {
        Ok(opened) => opened,
        Err(fault) => return fault.what,
    };
    let few: Vec<String> = collection.ids.iter().take(3).cloned().collect();
    let seen: Vec<String> = few.iter().map(|id| told(dataset::examine_picture(&source, id))).collect();
    format!("{} {} {seen:?} {}", few.len(), wrong_with(&collection.defects), told(source.digested(few, &mut DigestCache::none())))
}

/// A `.rec`, and where the input goes on, its `.idx` and its `property`.
fn record_io(bytes: &[u8]) -> String {
    let root = place("records");
    fs::remove_dir_all(&root).ok();
    fs::create_dir_all(&root).unwrap();
    let mut rest = Some(bytes);
    for name in ["train.rec", "train.idx", "property"] {
        let Some((file, later)) = next_file(rest) else { break };
        rest = later;
        fs::write(root.join(name), file).unwrap();
    }
    match dataset::recognise(&root) {
        set @ Dataset::RecordIo { .. } => looked_through(dataset::collect(&set, &mut DigestCache::none())),
        _ => "not recognised".to_owned(),
    }
}

fn tar_archive(bytes: &[u8]) -> String {
    let path = place("set.tar");
    fs::write(&path, bytes).unwrap();
    looked_through(dataset::collect(&dataset::recognise(&path), &mut DigestCache::none()))
}

/// A pickle of pictures and answers.
fn pair_pickle(bytes: &[u8]) -> String {
    let path = place("pairs.bin");
    fs::write(&path, bytes).unwrap();
    match dataset::pair_set(&path, &path) {
        Ok(set) => {
            assert_eq!(set.pairs.len(), set.is_same.len());
            let source = PictureSource::open(&path).unwrap();
            let seen = set.pairs.iter().flatten().take(4).map(|id| told(dataset::examine_picture(&source, id)));
            seen.collect::<Vec<_>>().join("; ")
        }
        Err(fault) => fault.what,
    }
}

fn picture(bytes: &[u8]) -> String {
    let root = place("one");
    fs::create_dir_all(&root).unwrap();
    let source = PictureSource::Folder(root.clone());
    let read = |name: &str| {
        fs::write(root.join(name), bytes).unwrap();
        told(dataset::examine_picture(&source, name))
    };
    ["x.jpg", "x.png"].map(read).concat()
}

/// A tar archive of empty files of these names, as much of each as fits into a header.
pub(super) fn archive(names: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![];
    for name in names {
        let mut header = [0u8; 512];
        let length = name.len().min(100);
        header[..length].copy_from_slice(&name[..length]);
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
    }
    bytes.extend([0; 1024]);
    bytes
}

/// Files as they stand in one input.
fn together(files: &[&str]) -> Vec<u8> {
    seeds(files).join(NEXT_FILE)
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    vec![
        FuzzTarget {
            name: "RecordIO",
            seeds: vec![
                together(&["recordio/insightface/train.rec", "recordio/insightface/train.idx", "recordio/insightface/property"]),
                together(&["recordio/plain/train.rec", "recordio/plain/train.idx"]),
                together(&["recordio/parts/train.rec", "recordio/parts/train.idx"]),
                together(&["recordio/scanned/train.rec"]),
            ],
            words: &[
                b"\x0a\x23\xd7\xce",
                b"\x00\x00\x00\x20",
                b"\x00\x00\x00\x40",
                b"\x00\x00\x00\x60",
                b"\xff\xff\xff\x1f",
                b"\n=====\n",
                b"0\t0\n",
                b"\t",
                b"18446744073709551615",
                b"1,112,112",
            ],
            read: record_io,
        },
        FuzzTarget {
            name: "tar",
            seeds: vec![
                archive(&[b"cats/1.jpg", b"dogs/1.jpg", b"dogs/2.png"]),
                archive(&[b"part1/26_1_0_20170116.jpg", b"x.txt"]),
            ],
            #[rustfmt::skip]
            words: &[
                b"ustar\x0000", b"ustar  \x00", b"00000000000\x00", b"77777777777\x00", b"\x80\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff",
                b"L", b"x", b"g", b"5", b"2", b"S", b"../", b"/", b"27 path=a/b/c/d/e/f/g.jpg\n", b"GNU.sparse.size=9", b"\x00",
            ],
            read: tar_archive,
        },
        FuzzTarget {
            name: "pickled pairs",
            seeds: seeds(&[
                "pairs/python2.bin",
                "pairs/protocol2.bin",
                "pairs/protocol4.bin",
                "pairs/arrays.bin",
                "pairs/uneven.bin",
            ]),
            #[rustfmt::skip]
            words: &[
                b"\x80\x02", b"\x80\x04", b"]", b"(", b"l", b"e", b"a", b"U", b"T", b"B\xff\xff\xff\x7f", b"C", b"\x88", b"\x89",
                b"I01\n", b"I00\n", b"q\x00", b"h\x00", b"c_codecs\nencode\n", b"cnumpy\nndarray\n", b"R", b"\x86", b".",
            ],
            read: pair_pickle,
        },
        FuzzTarget {
            name: "pictures",
            seeds: [seeds(&["pairs/0.jpg", "pairs/3.jpg"]), vec![of_repository("data/digits/images/0242.png")]].concat(),
            #[rustfmt::skip]
            words: &[
                b"\xff\xd8", b"\xff\xc0", b"\xff\xc2", b"\xff\xc4", b"\xff\xda", b"\xff\xdd", b"\xff\xd0", b"\xff\x00", b"\xff\xd9", b"\xff\xff",
                b"Exif\x00\x00", b"IHDR", b"IDAT", b"PLTE",
            ],
            read: picture,
        },
    ]
}
