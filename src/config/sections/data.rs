//! The sections `datasets` and `evaluation`: where images and labels are, and which of them are compared.

use super::no_two;
use crate::config::reader::{Fields, StudyNode};
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    annotation::LabelRule,
    image::Take,
    study::{
        Dataset, Evaluation, FaceFiles, Identities, LabelEntry, LabelProvenance, LabelSource, OnMissing, Partition, Thumbnails,
        Vggface2Split,
    },
};

pub(super) fn dataset(node: &StudyNode) -> Result<Dataset> {
    let (word, parameters) = node.variant(&["celeba", "vggface2", "recordio", "folders", "utkface", "images"])?;
    let node = parameters.ok_or_else(|| {
        node.wrong(format!("{} says no folder", node.name())).next(format!("write {word}: {{ root: ../data/{word} }}"))
    })?;
    let root = |fields: &Fields| fields.need("root")?.path();
    Ok(match word {
        "celeba" => {
            let fields = node.fields(&["root", "identities", "landmarks", "boxes"])?;
            Dataset::CelebA {
                root: root(&fields)?,
                identities: identities(&fields, "each_image, or { file: ../who.csv }")?,
                faces: faces(&fields)?,
            }
        }
        "recordio" => {
            let fields = node.fields(&["root", "identities", "landmarks", "boxes"])?;
            let identities = identities(&fields, "each_image, or { file: ../who.csv }")?;
            Dataset::RecordIo { root: root(&fields)?, identities, faces: faces(&fields)? }
        }
        "folders" => {
            let fields = node.fields(&["root", "identities", "landmarks", "boxes"])?;
            let forms = "each_image, folder, or { file: ../who.csv }";
            Dataset::Folders { root: root(&fields)?, identities: identities(&fields, forms)?, faces: faces(&fields)? }
        }
        "utkface" => {
            let fields = node.fields(&["root", "identities", "landmarks", "boxes"])?;
            let identities = identities(&fields, "each_image, or { file: ../who.csv }")?;
            Dataset::UtkFace { root: root(&fields)?, identities, faces: faces(&fields)? }
        }
        "vggface2" => {
            let fields = node.fields(&["root", "split", "landmarks", "boxes"])?;
            Dataset::Vggface2 {
                root: root(&fields)?,
                split: fields.or("split", Vggface2Split::Train, |node| node.word_of(Vggface2Split::ALL, Vggface2Split::word))?,
                faces: faces(&fields)?,
            }
        }
        _ => {
            let fields = node.fields(&["root", "labels", "identities", "missing", "landmarks", "boxes"])?;
            let labels = fields.or("labels", None, |node| node.path().map(Some))?;
            let forms = "each_image, folder, { column: person } of the label CSV, or { file: ../who.csv }";
            let identities = identities(&fields, forms)?;
            if let (Identities::Column(column), None, Some(node)) = (&identities, &labels, fields.get("identities")) {
                return Err(node
                    .wrong(format!("the column `{column}` is of a label CSV, and the data set names none"))
                    .next("name it: labels: ../labels.csv"));
            }
            let missing = fields.or("missing", None, |node| missing_words(node).map(Some))?;
            Dataset::Images { root: root(&fields)?, labels, identities, missing, faces: faces(&fields)? }
        }
    })
}

/// Tables of landmarks and of boxes.
pub(super) fn faces(fields: &Fields) -> Result<FaceFiles> {
    let file = |key: &str| fields.or(key, None, |node| node.path().map(Some));
    Ok(FaceFiles { landmarks: file("landmarks")?, boxes: file("boxes")? })
}

/// Who is on the pictures. A word that is no form of its own is a column of the label CSV, where there may be one.
fn identities(fields: &Fields, forms: &str) -> Result<Identities> {
    let Some(node) = fields.get("identities") else { return Ok(Identities::Unsaid) };
    let wrong = |what: String| node.wrong(what).next(format!("expected {forms}"));
    let (has_columns, has_folders) = (forms.contains("column"), forms.contains("folder"));
    let column = |node: &StudyNode| {
        if has_columns {
            Ok(Identities::Column(node.text()?))
        } else {
            Err(wrong(format!("{}: this data set has no label CSV for a column to be of", node.name())))
        }
    };
    match node.text() {
        Ok(word) if word == "each_image" => Ok(Identities::EachImage),
        Ok(word) if word == "folder" && has_folders => Ok(Identities::Folder),
        Ok(_) => column(node),
        Err(_) => {
            let (word, inner) = node.variant(&["column", "file"])?;
            match (word, inner) {
                ("column", Some(inner)) => column(&inner),
                (_, Some(inner)) => Ok(Identities::File(inner.path()?)),
                (_, None) => Err(wrong(format!("{}: `{word}` says nothing by itself", node.name()))),
            }
        }
    }
}

pub(super) fn evaluation(node: &StudyNode, datasets: &[&str]) -> Result<Evaluation> {
    let fields = node.fields(&["dataset", "partition", "take", "on_missing", "thumbnails", "labels"])?;
    let take = |node: &StudyNode| {
        let fields = node.fields(&["images", "seed"])?;
        Ok(Some(Take {
            images: fields.need("images")?.count(1..=u64::MAX)?,
            seed: fields.or("seed", 0, |node| node.whole(0..=u64::MAX))?,
        }))
    };
    let label = |node: &StudyNode| {
        let fields = node.fields(&["file", "journal", "attribute", "annotator", "rule", "provenance", "missing"])?;
        let name = |node: &StudyNode, of: &str| node.name_of(of, &node.text()?);
        let (source, attribute) = match fields.get("journal") {
            // Words of a file say nothing of what was labelled here.
            Some(_) if ["file", "annotator", "missing"].iter().any(|key| fields.get(key).is_some()) => {
                return Err(node
                    .wrong(format!("{}: labels are from a file or from the journal", node.name()))
                    .next("write { journal: race }, or { file: ../race.csv, attribute: race, annotator: anna }"));
            }
            Some(journal) => {
                let asked = name(journal, "attribute")?;
                let attribute = fields.or("attribute", asked.clone(), |node| name(node, "attribute"))?;
                (LabelSource::Journal { asked }, attribute)
            }
            None => {
                let annotator = fields.or("annotator", None, |node| name(node, "annotator").map(Some))?;
                let attribute = name(fields.need("attribute")?, "attribute")?;
                (LabelSource::File { file: fields.need("file")?.path()?, annotator }, attribute)
            }
        };
        let usual = matches!(source, LabelSource::Journal { .. }).then_some(LabelProvenance::Perceived);
        Ok(LabelEntry {
            source,
            attribute,
            rule: fields.or("rule", None, |node| node.word_of(LabelRule::ALL, LabelRule::word).map(Some))?,
            provenance: fields
                .or("provenance", usual, |node| node.word_of(LabelProvenance::ALL, LabelProvenance::word).map(Some))?,
            missing: fields.or("missing", None, |node| missing_words(node).map(Some))?,
        })
    };
    let labels = |node: &StudyNode| {
        let nodes = node.list()?;
        let labels = nodes.iter().map(label).collect::<Result<Vec<LabelEntry>>>()?;
        no_two(
            &nodes,
            &labels,
            |of| (of.file().cloned(), of.attribute.clone()),
            |label, _| {
                let from = label.file().map_or("the journal".to_owned(), |file| file.display().to_string());
                (format!("the attribute `{}` is read from {from} twice", label.attribute), "remove one")
            },
        )?;
        for (place, entry) in labels.iter().enumerate() {
            let of_same = || labels[..place].iter().filter(|other| other.attribute == entry.attribute);
            let wrong = |what: String| nodes[place].wrong(format!("{}: {what}", nodes[place].name()));
            if of_same().any(|other| other.is_by_annotators() != entry.is_by_annotators()) {
                return Err(wrong(format!("some labels of `{}` name their annotator, and others do not", entry.attribute))
                    .next("write `annotator: NAME` for each file, or give one of them another `attribute:`"));
            }
            if let Some(annotator) = entry.annotator()
                && of_same().any(|other| other.annotator() == Some(annotator))
            {
                return Err(wrong(format!("the annotator `{annotator}` of `{}` is there twice", entry.attribute))
                    .next("two people need two names; the files of one are joined into one"));
            }
            if of_same().any(|other| other.rule.is_some() && entry.rule.is_some() && other.rule != entry.rule) {
                return Err(
                    wrong(format!("there are two rules for the labels of `{}`", entry.attribute)).next("keep one `rule:`")
                );
            }
            if entry.rule.is_some() && !entry.is_by_annotators() {
                return Err(wrong("a rule is for labels of several annotators".to_owned()).next("write `annotator: NAME` too"));
            }
        }
        Ok(labels)
    };
    Ok(Evaluation {
        dataset: fields.get("dataset").map(|node| node.reference("data set", datasets)).transpose()?,
        partition: fields.or("partition", None, |node| node.word_of(Partition::ALL, Partition::word).map(Some))?,
        take: fields.or("take", None, take)?,
        on_missing: fields.or("on_missing", OnMissing::Stop, |node| node.word_of(OnMissing::ALL, OnMissing::word))?,
        thumbnails: fields.or("thumbnails", Thumbnails::Sample, |node| node.word_of(Thumbnails::ALL, Thumbnails::word))?,
        labels: fields.or("labels", vec![], labels)?,
        quoted: BTreeMap::new(),
    })
}

/// Words as they stand in a label file, less the blanks around them.
fn missing_words(node: &StudyNode) -> Result<Vec<String>> {
    node.list()?.iter().map(|word| Ok(word.text()?.trim().to_owned())).collect()
}
