//! The section `verification`: pairs of pictures that networks are asked of.

use super::{data::faces, no_two};
use crate::config::reader::StudyNode;
use std::path::Path;
use visavis_core::domain::{
    Result,
    study::{PairSource, VerificationSet, VerificationSettings},
};

/// `{ far: 0.001, sets: { lfw: ../lfw.bin, own: { pairs: ../pairs.txt, root: ../pictures } } }`.
pub(super) fn verification(node: &StudyNode) -> Result<VerificationSettings> {
    let fields = node.fields(&["far", "sets"])?;
    let entries = fields.need("sets")?.entries()?;
    let set = |(name, node): &(String, StudyNode)| {
        Ok(VerificationSet { name: node.name_of("verification set", name)?, source: source(node)? })
    };
    let sets = entries.iter().map(set).collect::<Result<Vec<_>>>()?;
    let nodes: Vec<StudyNode> = entries.into_iter().map(|(_, node)| node).collect();
    no_two(
        &nodes,
        &sets,
        |set| (set.source.file(), set.source.pictures()),
        |_, first| (format!("these are the pairs of `{}`", first.name), "remove one"),
    )?;
    let usual = VerificationSettings::default();
    Ok(VerificationSettings { far: fields.or("far", usual.far, |node| node.number(1e-6..=0.5))?, sets: sets.into() })
}

const FORMS: &str = "write ../lfw.bin, or { pairs: ../pairs.txt, root: ../pictures }";

/// A pickle by its path; a list with the place of its pictures.
fn source(node: &StudyNode) -> Result<PairSource> {
    let is_pickle = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("bin"));
    if node.text().is_ok() {
        let file = node.path()?;
        if is_pickle(&file) {
            return Ok(PairSource::Pickle(file));
        }
        let what = format!("{}: only a `.bin` file holds the pictures of its pairs", node.name());
        return Err(node.wrong(what).next(FORMS));
    }
    let fields = node.fields(&["pairs", "root", "landmarks", "boxes"]).map_err(|fault| match fault.next {
        None => fault.next(FORMS),
        Some(_) => fault,
    })?;
    let pairs = fields.need("pairs")?;
    if is_pickle(&pairs.path()?) {
        let what = format!("{}: a `.bin` file holds its pictures itself", pairs.name());
        return Err(pairs.wrong(what).next(FORMS));
    }
    Ok(PairSource::List { pairs: pairs.path()?, root: fields.need("root")?.path()?, faces: faces(&fields)? })
}

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use std::path::Path;
    use visavis_core::domain::{
        Result,
        study::{PairSource, VerificationSettings},
    };

    fn read(verification: &str) -> Result<VerificationSettings> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ a: {{ features: {{ embedding: a.npy, images: rows.txt }} }} }} }}\n\
             projections: [pca]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n{verification}\n"
        );
        parse(Text { path: "experiments/s.yaml".into(), source }).map(|file| file.study.verification)
    }

    #[test]
    fn pairs_are_a_pickle_or_a_list_with_the_place_of_its_pictures() {
        assert_eq!(read("").unwrap(), VerificationSettings::default());
        let found = read(
            "verification: { far: 1e-4, sets: { lfw: ../data/lfw.bin, own: { pairs: ../p.txt, root: ../faces, landmarks: ../l.csv } } }",
        );
        let found = found.unwrap();
        assert_eq!(found.far, 0.0001);
        let names: Vec<&str> = found.sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["lfw", "own"]);
        assert_eq!(found.sets.raw[0].source, PairSource::Pickle("data/lfw.bin".into()));
        assert_eq!(
            (found.sets.raw[1].source.file(), found.sets.raw[1].source.pictures()),
            (Path::new("p.txt"), Path::new("faces"))
        );
        assert_eq!(found.sets.raw[1].source.faces().unwrap().landmarks.as_deref(), Some(Path::new("l.csv")));
    }

    #[test]
    fn what_is_no_set_of_pairs_is_refused_with_its_place() {
        let told = |verification: &str| read(verification).unwrap_err().to_string();
        for (verification, what) in [
            ("verification: { sets: { lfw: ../pairs.txt } }", "only a `.bin` file holds the pictures"),
            ("verification: { sets: { lfw: { pairs: ../lfw.bin, root: ../x } } }", "holds its pictures itself"),
            ("verification: { sets: { lfw: { pairs: ../pairs.txt } } }", "verification.sets.lfw lacks the key `root`"),
            ("verification: { sets: { lfw: { pair: ../pairs.txt, root: x } } }", "unknown key `pair`"),
            ("verification: { sets: { lfw: ../lfw.bin, again: ../lfw.bin } }", "these are the pairs of `lfw`"),
            ("verification: { sets: { lfw: [] } }", "expected a map"),
            ("verification: { sets: { \" \": ../lfw.bin } }", "empty name"),
            ("verification: { far: 0, sets: { lfw: ../lfw.bin } }", "a number from 0.000001 to 0.5"),
            ("verification: { fra: 0.1, sets: { lfw: ../lfw.bin } }", "unknown key `fra`"),
            ("verification: { far: 0.1 }", "lacks the key `sets`"),
            ("verification: { sets: [lfw] }", "expected a map"),
        ] {
            let told = told(verification);
            assert!(told.contains(what) && told.contains("experiments/s.yaml:6:"), "{verification}: {told}");
        }
    }
}
