//! Who labelled how many, how far annotators agree, and one annotator's labels as a table.

use super::{
    super::{
        Context,
        output::{TextColumns, remark, say, say_json},
    },
    images::LabelledImages,
};
use crate::study::labelling::agreements;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        annotation::{Answered, Choice, labels_of},
        score::Estimate,
        study::LabelProvenance,
        text::{count, printable},
    },
    store::write_out,
};

/// An annotator's answers on the data set's pictures.
#[derive(Default)]
struct Given<'a> {
    classes: BTreeMap<&'a str, usize>,
    not_obvious: usize,
    skipped: usize,
}

pub(super) fn summary(context: &Context, attribute: &str, answers: &[Answered], images: &LabelledImages) -> Result<()> {
    let here: HashMap<Digest, &str> = images.images.0.iter().filter_map(|(id, of)| Some(((*of)?, id.as_str()))).collect();
    let mut annotators: BTreeMap<&str, Given> = BTreeMap::new();
    for Answered { annotation, .. } in answers.iter().filter(|of| here.contains_key(&of.annotation.picture)) {
        if annotation.choice == Choice::Withdrawn {
            continue;
        }
        let given = annotators.entry(&annotation.annotator).or_default();
        match &annotation.choice {
            Choice::Class(class) => *given.classes.entry(class).or_default() += 1,
            Choice::NotObvious => given.not_obvious += 1,
            Choice::Skipped => given.skipped += 1,
            Choice::Withdrawn => {}
        }
    }
    let (labels, elsewhere) = labels_of(answers, &images.images);
    let agreements = agreements(&labels);
    if context.json {
        let of = |(annotator, given): (&&str, &Given)| json!({ "annotator": annotator, "classes": given.classes, "not_obvious": given.not_obvious, "skipped": given.skipped });
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
    for (annotator, given) in &annotators {
        let classes: Vec<String> = given.classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
        table.row(&[
            (*annotator).to_owned(),
            given.classes.values().sum::<usize>().to_string(),
            classes.join(" · "),
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
