//! Pairs of pictures to verify: InsightFace's pickles, LFW's `pairs.txt` beside its folders, and plain lists of two pictures and an
//! answer.

use super::{
    defects::Defects,
    source::{PictureSource, is_plain},
};
use crate::domain::{
    Fault, Result,
    image::ImageId,
    text::{count, printable},
};
use std::path::{Path, PathBuf};

/// Pairs of pictures in their order, which decides the folds of the protocol.
#[derive(Debug)]
pub struct PairSet {
    /// Where the pictures are ([`PictureSource`]).
    pub pictures: PathBuf,
    /// The pictures of each pair.
    pub pairs: Vec<[ImageId; 2]>,
    /// Whether they are of one identity.
    pub is_same: Vec<bool>,
    /// Pairs that are left out, and why.
    pub defects: Defects,
}

/// Reads a set of pairs: a pickle, or a list of pictures below `root`.
///
/// # Errors
/// A list that cannot be read, a line that is no pair, no pair whose pictures are there.
pub fn pair_set(file: &Path, root: &Path) -> Result<PairSet> {
    let is_pickle = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("bin"));
    if is_pickle && let PictureSource::Pairs(pickled) = PictureSource::open(file)? {
        let ids: Vec<ImageId> = pickled.ids().collect();
        let pairs = ids.as_chunks::<2>().0.to_vec();
        return Ok(PairSet {
            pictures: file.to_owned(),
            pairs,
            is_same: pickled.answers().to_vec(),
            defects: Defects::default(),
        });
    }
    let text = crate::files::read_text(file, crate::files::LARGEST_TEXT)
        .map_err(|error| Fault::io("read the list of pairs", file, &error))?;
    let wrong = |line: usize, what: &str| {
        Fault::asked(what)
            .at(file, line, 1)
            .next("a line is two pictures and 1 or 0, or as in LFW's pairs.txt: name n m, or name n name m")
    };
    let source = PictureSource::open(root)?;
    let mut set = PairSet { pictures: root.to_owned(), pairs: vec![], is_same: vec![], defects: Defects::default() };
    for (number, line) in listed(&text, &|id| source.has(id)).map_err(|(line, what)| wrong(line, &what))? {
        let [one, other, answer] = line;
        let absent = [&one, &other].into_iter().find(|id| !is_plain(id) || !source.has(id));
        if let Some(absent) = absent {
            let what = format!("the pair names a picture that is not here: {}", printable(absent));
            set.defects.defect("absent-picture", 1, Fault::asked(what).at(file, number, 1));
            continue;
        }
        set.pairs.push([one, other]);
        set.is_same.push(answer == SAME);
    }
    if set.pairs.is_empty() {
        let found = set.defects.all().next();
        let (left_out, first) = found.map_or((0, None), |found| (found.count, found.examples.first()));
        let at = first.and_then(|first| first.place.as_ref()?.at);
        let fault = Fault::asked(format!("the list has no pair whose pictures are here: {} left out", count(left_out, "pair")));
        return Err(at
            .map_or_else(|| fault.clone().in_file(file), |(line, column)| fault.clone().at(file, line, column))
            .next("is the folder of the pictures the one that the list is of?"));
    }
    Ok(set)
}

const SAME: &str = "1";
const DIFFERENT: &str = "0";

/// Lines of two ids and an answer, with their numbers from 1.
type Lines = Vec<(usize, [String; 3])>;

/// The lines of a list; the error is a line and what is wrong with it. `has`: is there a picture of this name?
fn listed(text: &str, has: &dyn Fn(&str) -> bool) -> std::result::Result<Lines, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    // LFW's first line: folds and pairs of each kind in one, or pairs of each kind alone.
    let is_count = |line: &str| {
        let mut fields = line.split_whitespace();
        (1..=2).contains(&line.split_whitespace().count()) && fields.all(|field| field.parse::<u32>().is_ok())
    };
    let is_counted = lines.next_if(|(_, line)| is_count(line)).is_some();
    // Names of pictures may be numbers: `00000007 00000008 1` reads either way. What is there decides, and where all lines read as plain
    // ones, they are.
    let first = lines.peek().and_then(|(_, line)| lfw(line));
    let reads_as_plain = || lines.clone().all(|(_, line)| plain(line).is_some());
    let is_lfw = is_counted || first.is_some_and(|[picture, ..]| has(&picture) || !reads_as_plain());
    let mut out = vec![];
    let mut is_first = true;
    for (number, line) in lines {
        let pair = if is_lfw { lfw(line) } else { plain(line) };
        match pair {
            Some(pair) => out.push((number, pair)),
            // Names of columns, and no pair with a slip in it.
            None if is_first && !is_lfw && fields(line).len() == 3 && !fields(line).iter().any(|field| has(field)) => {}
            None => return Err((number, format!("not a pair: `{}`", printable(&line.chars().take(80).collect::<String>())))),
        }
        is_first = false;
    }
    Ok(out)
}

/// Separated by tabs or commas, else by blanks.
fn fields(line: &str) -> Vec<&str> {
    let line = line.trim_end_matches('\r');
    match ['\t', ',', ';'].into_iter().find(|separator| line.matches(*separator).count() >= 2) {
        Some(separator) => line.split(separator).map(|field| field.trim().trim_matches('"')).collect(),
        None => line.split_whitespace().collect(),
    }
}

/// `name 1 4`: two pictures of one person; `name 1 other 2`: of two.
fn lfw(line: &str) -> Option<[String; 3]> {
    let picture = |name: &str, number: &str| Some(format!("{name}/{name}_{:04}.jpg", number.parse::<u32>().ok()?));
    match fields(line)[..] {
        [name, one, other] => Some([picture(name, one)?, picture(name, other)?, SAME.to_owned()]),
        [name, one, person, other] => Some([picture(name, one)?, picture(person, other)?, DIFFERENT.to_owned()]),
        _ => None,
    }
}

/// Two pictures and an answer, or the answer first.
fn plain(line: &str) -> Option<[String; 3]> {
    let answer = |word: &str| match word.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(SAME.to_owned()),
        "0" | "-1" | "false" => Some(DIFFERENT.to_owned()),
        _ => None,
    };
    let id = |word: &str| word.strip_prefix("./").unwrap_or(word).to_owned();
    let [first, second, third] = fields(line)[..] else { return None };
    match (answer(third), answer(first)) {
        (Some(same), _) => Some([id(first), id(second), same]),
        (None, Some(same)) => Some([id(second), id(third), same]),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(text: &str) -> std::result::Result<Vec<String>, (usize, String)> {
        Ok(listed(text, &|id| id == "7/7_0001.jpg")?
            .into_iter()
            .map(|(number, pair)| format!("{number}: {}", pair.join(" ")))
            .collect())
    }

    #[test]
    fn lists_of_lfw_and_plain_ones_are_told_apart() {
        let lfw = "10\t300\nAbel_Pacheco\t1\t4\nAbdel_Madi_Shabneh\t1\tDean_Barker\t12\n";
        let expected = [
            "2: Abel_Pacheco/Abel_Pacheco_0001.jpg Abel_Pacheco/Abel_Pacheco_0004.jpg 1",
            "3: Abdel_Madi_Shabneh/Abdel_Madi_Shabneh_0001.jpg Dean_Barker/Dean_Barker_0012.jpg 0",
        ];
        assert_eq!(read(lfw).unwrap(), expected);
        assert_eq!(read(&lfw.replace("10\t300\n", "2\n").replace('\t', " ")).unwrap(), expected);
        assert_eq!(read(lfw.strip_prefix("10\t300\n").unwrap()).unwrap().len(), 2);
        let plain = ["1: a/x.jpg b/y z.jpg 1", "2: a/x.jpg c.png 0"];
        assert_eq!(read("a/x.jpg,b/y z.jpg,1\na/x.jpg,./c.png,-1\n").unwrap(), plain);
        assert_eq!(read("1\ta/x.jpg\tb/y z.jpg\r\n0\ta/x.jpg\tc.png\r\n").unwrap(), plain);
        assert_eq!(read("\u{feff}one,other,same\na.jpg,b.jpg,True\n").unwrap(), ["2: a.jpg b.jpg 1"]);
        assert_eq!(read("a.jpg b.jpg 1\n\nc.jpg d.jpg\n").unwrap_err().0, 3);
        assert_eq!(read("7/7_0001.jpg b.jpg l\na.jpg b.jpg 1\n").unwrap_err().0, 1, "the name of a picture is no column's");
        // Keys of records are numbers, and so may be the names of people.
        assert_eq!(
            read("00000001 00000002 1\n00000001 00000003 0\n").unwrap(),
            ["1: 00000001 00000002 1", "2: 00000001 00000003 0"]
        );
        assert_eq!(read("7 1 1\n7 2 0\n").unwrap()[0], "1: 7/7_0001.jpg 7/7_0001.jpg 1", "there is such a picture");
        assert_eq!(read("8 1 2\n8 1 9 1\n").unwrap()[0], "1: 8/8_0001.jpg 8/8_0002.jpg 1", "2 is no answer");
        assert_eq!(read("2\nA 1 2\nB one 2\n").unwrap_err(), (3, "not a pair: `B one 2`".to_owned()));
    }

    #[test]
    fn pairs_of_absent_pictures_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (root, list) = (folder.path().join("lfw"), folder.path().join("pairs.txt"));
        for name in ["A/A_0001.jpg", "A/A_0002.jpg", "B/B_0001.jpg"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), b"x").unwrap();
        }
        fs::write(&list, "1\t2\nA\t1\t2\nA\t1\t3\nA\t1\tB\t1\nA\t2\t../B\t1\n").unwrap();
        let set = pair_set(&list, &root).unwrap();
        assert_eq!(set.is_same, [true, false]);
        assert_eq!(set.pairs[1], ["A/A_0001.jpg".to_owned(), "B/B_0001.jpg".to_owned()]);
        let found = set.defects.all().next().unwrap();
        assert_eq!((found.word, found.count), ("absent-picture", 2));
        let example = found.examples[0].to_string();
        assert!(example.contains("A/A_0003.jpg") && example.contains("pairs.txt:3:1"), "{example}");
        assert!(pair_set(&list, folder.path()).unwrap_err().what.contains("4 pairs left out"));
    }

    #[test]
    fn pickles_of_python_2_and_3_are_read_and_none_is_run() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pairs");
        let pictures: Vec<Vec<u8>> = (0..6).map(|place| fs::read(fixtures.join(format!("{place}.jpg"))).unwrap()).collect();
        for name in ["python2", "protocol2", "protocol4", "arrays"] {
            let set = pair_set(&fixtures.join(name).with_extension("bin"), Path::new("")).unwrap();
            assert_eq!(set.is_same, [true, false, true], "{name}");
            let source = PictureSource::open(&set.pictures).unwrap();
            let read: Vec<Vec<u8>> = set.pairs.iter().flatten().map(|id| source.read(id).unwrap()).collect();
            assert!(read == pictures, "{name}");
        }
        let told = |name: &str| PictureSource::open(&fixtures.join(name)).unwrap_err().to_string();
        let evil = told("calls.bin");
        assert!(evil.contains("would call `posix.system`") && evil.contains("calls.bin"), "{evil}");
        assert!(told("uneven.bin").contains("it has 6 pictures and answers of 2 pairs"));
        assert!(told("other.bin").contains("it is not two lists"));
    }
}
