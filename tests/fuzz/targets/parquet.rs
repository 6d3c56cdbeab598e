//! Parquet, read by a library within the program's bounds: so the program itself is given the files.

use super::{FuzzTarget, place};
use crate::desk::program;
use std::{
    fs,
    process::{Command, Output},
};

/// `data convert` of one file to another, with two GB of addresses.
fn converted(from: &str, to: &str) -> Output {
    let (from, to) = (place(from), place(to));
    fs::remove_file(&to).ok();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 2000000; exec \"$@\"", "sh", &program(), "data", "convert"]).arg(from).arg(to);
    command.env("POLARS_MAX_THREADS", "1").env("RAYON_NUM_THREADS", "1").output().unwrap()
}

fn parquet(bytes: &[u8]) -> String {
    fs::write(place("labels.parquet"), bytes).unwrap();
    let said = converted("labels.parquet", "converted.csv");
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(matches!(said.status.code(), Some(0 | 2)), "{} {told}", said.status);
    assert!(!told.contains("panicked"), "{told}");
    format!("{:?} {}", said.status.code(), told.lines().next().unwrap_or(""))
}

pub(super) fn targets() -> Vec<FuzzTarget> {
    fs::write(place("table.csv"), "image_id,smile,age,note\na.jpg,1,3.5,x\nb.jpg,-1,4,y\nc.jpg,1,5,\n").unwrap();
    let said = converted("table.csv", "table.parquet");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    vec![FuzzTarget {
        name: "Parquet",
        seeds: vec![fs::read(place("table.parquet")).unwrap()],
        #[rustfmt::skip]
        words: &[
            b"PAR1", b"\x15\x04", b"\x15\x00", b"\x15\xfe\xff\xff\xff\x0f", b"\x16\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x1c", b"\x19\xfc", b"\x18\x05",
            b"schema", b"\x28\xb5\x2f\xfd", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff",
        ],
        read: parquet,
    }]
}
