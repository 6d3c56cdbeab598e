//! Tables of labels, lists of pairs, names that say what a picture shows.

use super::{FuzzTarget, containers::archive, few, next_file, of_repository, place, told};
use std::fs;
use visavis_core::{
    dataset::{self, Collection, DigestCache},
    domain::{
        Result,
        study::{Dataset, FaceFiles, Identities},
    },
};

fn csv_table(bytes: &[u8]) -> String {
    let path = place("labels.csv");
    fs::write(&path, bytes).unwrap();
    format!("{} {}", told(dataset::label_table(&path)), told(dataset::read_rows(bytes, &path, None)))
}

fn celeba(bytes: &[u8]) -> String {
    let root = place("celeba");
    fs::create_dir_all(root.join("img_align_celeba")).unwrap();
    let names = ["list_attr_celeba", "identity_CelebA", "list_eval_partition", "list_landmarks_align_celeba"];
    let mut rest = Some(bytes);
    for name in names {
        let (table, later) = next_file(rest).unwrap_or((b"", None));
        rest = later;
        fs::write(root.join(format!("{name}.txt")), table).unwrap();
    }
    match dataset::recognise(&root) {
        set @ Dataset::CelebA { .. } => told(dataset::collect(&set, &mut DigestCache::none())),
        _ => "not recognised".to_owned(),
    }
}

/// The first thing that is wrong with a data set, or that nothing is.
pub(super) fn wrong_with(found: &dataset::Defects) -> String {
    found.all().next().map_or_else(String::new, |found| format!("{} {}", found.word, found.examples[0].what))
}

/// LFW's `pairs.txt`, or a line a pair.
fn pair_list(bytes: &[u8]) -> String {
    let root = place("pictures");
    if !root.is_dir() {
        fs::create_dir_all(root.join("Ann_Bo")).unwrap();
        for name in ["a.jpg", "b.png", "Ann_Bo/Ann_Bo_0001.jpg", "Ann_Bo/Ann_Bo_0002.jpg"] {
            fs::write(root.join(name), b"x").unwrap();
        }
    }
    let path = place("pairs.txt");
    fs::write(&path, bytes).unwrap();
    match dataset::pair_set(&path, &root) {
        Ok(set) => format!("{} pairs {}", few(set.pairs.len()), wrong_with(&set.defects)),
        Err(fault) => fault.what,
    }
}

/// Names of pictures, a line each: labels are read off them.
fn utkface_names(bytes: &[u8]) -> String {
    let path = place("utkface.tar");
    let names: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|name| !name.is_empty()).take(200).collect();
    fs::write(&path, archive(&names)).unwrap();
    let set = Dataset::UtkFace { root: path.clone(), identities: Identities::default(), faces: FaceFiles::default() };
    let kind = dataset::recognise(&path).word();
    let found: Result<Collection> = dataset::collect(&set, &mut DigestCache::none());
    found.map_or_else(|fault| fault.what, |found| format!("{kind} {} {}", few(found.ids.len()), wrong_with(&found.defects)))
}

fn start(mut bytes: Vec<u8>, most: usize) -> Vec<u8> {
    bytes.truncate(most);
    bytes
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    let celeba_tables = [
        "3\nSmiling Young\n000001.jpg 1 -1\n000002.jpg -1 1\n000003.jpg 1 1\n",
        "000001.jpg 2\n000002.jpg 2\n000003.jpg 7\n",
        "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
        "3\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n\
         000001.jpg 69 109 106 113 77 142 73 152 108 154\n000002.jpg 69 110 107 112 81 135 70 151 108 153\n000003.jpg 1 2 3 4 5 6 7 8 9 10\n",
    ];
    let maad = "Filename,Identity,Male,Young,Middle_Aged,Senior,Asian,White,Black,Rosy_Cheeks,Shiny_Skin,Bald\n\
        n000002/0001_01.jpg,2,1,-1,1,-1,-1,1,-1,0,0,-1\nn000002/0002_01.jpg,2,1,-1,1,-1,-1,1,-1,0,0,-1\n";
    let fair_face = "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,East Asian,True\n\
        train/2.jpg,more than 70,Female,Latino_Hispanic,False\n";
    let lfw = "2\t1\nAnn_Bo\t1\t2\nAnn_Bo\t1\tBo_Ann\t1\nAnn_Bo\t2\t1\nBo_Ann\t1\tAnn_Bo\t2\n";
    let plain = "a.jpg b.png 1\na.jpg Ann_Bo/Ann_Bo_0001.jpg 0\n";
    let comma = "a.jpg,b.png,0\r\nb.png,a.jpg,1\r\n";
    let names = "part1/26_1_0_20170116174525125.jpg\npart2/1_0_4_20170117.jpg.chip.jpg\npart2/x.txt";
    vec![
        FuzzTarget {
            name: "CSV tables",
            seeds: vec![
                start(of_repository("data/digits/labels.csv"), 600),
                start(of_repository("data/digits/images.txt"), 200),
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
            name: "MAAD and FairFace tables",
            seeds: vec![maad.into(), fair_face.into()],
            #[rustfmt::skip]
            words: &[
                b",", b"\n", b"\r\n", b"\t", b"\"", b"-1", b"0", b"1", b"Filename", b"file", b"n000002/", b"../", b"True",
                b"Latino_Hispanic", b"50-59", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\x8b",
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
            name: "lists of pairs",
            seeds: vec![lfw.into(), plain.into(), comma.into()],
            #[rustfmt::skip]
            words: &[
                b"\t", b" ", b",", b"\n", b"\r\n", b"0", b"1", b"300", b"10\t300\n", b"Ann_Bo", b"a.jpg", b"../x", b"\xef\xbb\xbf",
                b"4294967296", b"\xff",
            ],
            read: pair_list,
        },
        FuzzTarget {
            name: "UTKFace names",
            seeds: vec![names.into()],
            #[rustfmt::skip]
            words: &[
                b"_", b"__", b".", b".jpg", b"/", b"151", b"0", b"4", b"5", b"-1", b"\n", b"\xd9\xa1", b"\xff", b"\x00", b"part1/", b"../",
            ],
            read: utkface_names,
        },
    ]
}
