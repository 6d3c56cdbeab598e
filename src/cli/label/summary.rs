//! Who labelled how many, how far annotators agree, and one annotator's labels as a table.

use super::{
    super::{
        Context,
        output::{TextColumns, remark, say, say_json},
    },
    images::LabelledImages,
};
use crate::study::labelling::LabellingProgress;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        annotation::{Answered, labels_of},
        score::Estimate,
        study::LabelProvenance,
        text::{count, printable},
    },
    scoring::agreements,
    store::write_out,
};

pub(super) fn summary(context: &Context, attribute: &str, answers: &[Answered], images: &LabelledImages) -> Result<()> {
    let here: HashSet<Digest> = images.images.0.iter().filter_map(|(_, picture)| *picture).collect();
    let annotators = LabellingProgress::of(attribute, answers.iter().filter(|of| here.contains(&of.annotation.picture)));
    let (labels, elsewhere) = labels_of(answers, &images.images);
    let agreements = agreements(&labels);
    if context.json {
        let of = |given: &LabellingProgress| json!({ "annotator": given.annotator, "classes": given.classes, "not_obvious": given.not_obvious, "skipped": given.skipped });
        let agreed = agreements.iter().map(|of| {
            json!({
                "annotators": of.annotators, "shared": of.shared, "differ": of.differ,
                "kappa": of.kappa.map(|kappa| kappa.value), "low": of.kappa.and_then(Estimate::low), "high": of.kappa.and_then(Estimate::high),
            })
        });
        say_json(&json!({
            "format": 1, "attribute": attribute, "images": images.images.len(), "elsewhere": elsewhere,
            "annotators": annotators.iter().map(of).collect::<Vec<_>>(), "agreements": agreed.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    if annotators.is_empty() {
        say(printable(&format!("nobody has labelled `{attribute}` on these {}", count(images.images.len(), "picture"))));
        return Ok(());
    }
    let mut table = TextColumns::new(&["annotator", "labels", "by class", "not obvious", "skipped"]);
    for given in &annotators {
        table.row(&[
            given.annotator.clone(),
            given.labels().to_string(),
            given.by_class(),
            given.not_obvious.to_string(),
            given.skipped.to_string(),
        ]);
    }
    say(printable(&format!("{attribute}, on {}", count(images.images.len(), "picture"))));
    table.print("  ");
    agreements.iter().for_each(|of| say(printable(&of.sentence())));
    if elsewhere > 0 {
        remark(context, format!("{} on other pictures than these", count(elsewhere, "label")));
    }
    Ok(())
}

/// As ISO 8601 has it, in UTC.
fn moment(milliseconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(milliseconds)).to_string()
}

/// One row a label: who, when, and the picture's digest stand beside it.
pub(super) fn export(
    context: &Context,
    file: &Path,
    (attribute, annotator): (&str, &str),
    answers: &[Answered],
    images: &LabelledImages,
) -> Result<()> {
    let own = answers.iter().filter(|of| of.annotation.annotator == annotator);
    let own: HashMap<Digest, &Answered> = own.map(|of| (of.annotation.picture, of)).collect();
    let mut rows = vec![];
    for (id, picture) in &images.images.0 {
        let Some(Answered { annotation, at, .. }) = picture.and_then(|picture| own.get(&picture)) else { continue };
        let Some(class) = annotation.choice.class() else { continue };
        rows.push([id.clone(), class.to_owned(), annotator.to_owned(), moment(*at), annotation.picture.to_string()]);
    }
    if rows.is_empty() {
        return Err(Fault::asked(format!("`{}` has not labelled `{attribute}` on these pictures", printable(annotator)))
            .next("--summary says who has; --annotator NAME names another"));
    }
    let mut table = csv::Writer::from_writer(vec![]);
    let head = ["image_id", attribute, "annotator", "labelled_at", "picture", "provenance"];
    let written = table.write_record(head).and_then(|()| {
        rows.iter()
            .try_for_each(|row| table.write_record(row.iter().map(String::as_str).chain([LabelProvenance::Perceived.word()])))
    });
    let refused = |error: String| Fault::unexpected(format!("the table cannot be written: {error}"));
    written.map_err(|error| refused(error.to_string()))?;
    let bytes = table.into_inner().map_err(|error| refused(error.to_string()))?;
    write_out(file, &bytes)?;
    remark(context, format!("wrote {} to {}", count(rows.len(), "label"), file.display()));
    Ok(())
}
