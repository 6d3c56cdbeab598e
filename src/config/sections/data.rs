//! The sections `datasets` and `evaluation`: where images and labels are, and which of them are compared.

use super::no_two;
use crate::config::reader::{Fields, StudyNode};
use std::collections::BTreeMap;
use visavis_core::domain::{
    Result,
    image::Take,
    study::{Dataset, Evaluation, FaceFiles, Identities, LabelFile, LabelProvenance, OnMissing, Partition, Vggface2Split},
};

pub(super) fn dataset(node: &StudyNode) -> Result<Dataset> {
    let (word, parameters) = node.variant(&["celeba", "vggface2", "recordio", "folders", "images"])?;
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
fn faces(fields: &Fields) -> Result<FaceFiles> {
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
    let fields = node.fields(&["dataset", "partition", "take", "on_missing", "labels"])?;
    let take = |node: &StudyNode| {
        let fields = node.fields(&["images", "seed"])?;
        Ok(Some(Take {
            images: fields.need("images")?.count(1..=u64::MAX)?,
            seed: fields.or("seed", 0, |node| node.whole(0..=u64::MAX))?,
        }))
    };
    let label = |node: &StudyNode| {
        let fields = node.fields(&["file", "attribute", "provenance", "missing"])?;
        let attribute = fields.need("attribute")?;
        Ok(LabelFile {
            file: fields.need("file")?.path()?,
            attribute: attribute.name_of("attribute", &attribute.text()?)?,
            provenance: fields
                .or("provenance", None, |node| node.word_of(LabelProvenance::ALL, LabelProvenance::word).map(Some))?,
            missing: fields.or("missing", None, |node| missing_words(node).map(Some))?,
        })
    };
    let labels = |node: &StudyNode| {
        let nodes = node.list()?;
        let labels = nodes.iter().map(label).collect::<Result<Vec<LabelFile>>>()?;
        no_two(
            &nodes,
            &labels,
            |of| (of.file.clone(), of.attribute.clone()),
            |label, _| (format!("the attribute `{}` is read from {} twice", label.attribute, label.file.display()), "remove one"),
        )?;
        Ok(labels)
    };
    Ok(Evaluation {
        dataset: fields.get("dataset").map(|node| node.reference("data set", datasets)).transpose()?,
        partition: fields.or("partition", None, |node| node.word_of(Partition::ALL, Partition::word).map(Some))?,
        take: fields.or("take", None, take)?,
        on_missing: fields.or("on_missing", OnMissing::Stop, |node| node.word_of(OnMissing::ALL, OnMissing::word))?,
        labels: fields.or("labels", vec![], labels)?,
        quoted: BTreeMap::new(),
    })
}

/// Words as they stand in a label file, less the blanks around them.
fn missing_words(node: &StudyNode) -> Result<Vec<String>> {
    node.list()?.iter().map(|word| Ok(word.text()?.trim().to_owned())).collect()
}
