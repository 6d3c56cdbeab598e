//! `visavis data stats`: what a data set's labels are, in the terminal, as a figure and as JSON.

mod numbers;
mod text;

use super::{
    Context,
    data_labels::{AddedLabels, LabelledSet},
    output::{remark, say, say_json},
};
use numbers::{GroupSizes, LabelStatistics, ManyValues, SHARES};
use serde_json::{Value, json};
use std::path::PathBuf;
use visavis_core::{
    dataset::Collection,
    domain::{Fault, Result, image::Column},
    plot::{self, Bar, SizeBar},
    store::write_out,
};

#[derive(clap::Args)]
pub(crate) struct Stats {
    /// The data set, as for `check`, or a label table
    dir: PathBuf,
    #[command(flatten)]
    added: AddedLabels,
    /// Write the figures to this file, as SVG: frequencies, co-occurrence (φ), sizes of identities
    #[arg(long, value_name = "FILE.svg")]
    figure: Option<PathBuf>,
}

impl Stats {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let LabelledSet { kind, set } = self.added.opened(context, &self.dir)?;
        let found = LabelStatistics::of(&set);
        if let Some(file) = &self.figure {
            let drawn = figure(&found).map_err(|error| Fault::unexpected(format!("the figure cannot be drawn: {error}")))?;
            write_out(file, drawn.as_bytes())?;
            remark(context, format!("wrote the figures to {}", file.display()));
        }
        if context.json {
            say_json(&json(&kind, &set, &found));
            return Ok(());
        }
        say(super::data::summary(&kind, &set));
        text::lines(&found).iter().for_each(say);
        Ok(())
    }
}

/// All figures below each other; those that have nothing to show are left out.
fn figure(found: &LabelStatistics) -> plot::DrawingResult {
    let mut figures = Vec::new();
    if !found.counts.is_empty() {
        let bars: Vec<Bar> = found.counts.iter().map(|of| Bar { name: of.name(), positives: of.positives, n: of.n }).collect();
        figures.push(("How often each attribute occurs".to_owned(), plot::frequencies(&bars)?));
    }
    if !found.pairs.is_empty() {
        let heading = "How far each two attributes go together: φ, over images with both labels";
        figures.push((heading.to_owned(), plot::heat_map(&found.names, |row, column| found.phi(row, column))?));
    }
    if let Some(GroupSizes { of, quantiles, ranges }) = &found.sizes {
        let groups = if *of == "class" { "classes" } else { "identities" };
        let heading =
            format!("How many images {groups} have: median {}, from {} to {}", quantiles[3], quantiles[0], quantiles[6]);
        let bars: Vec<SizeBar> = ranges.iter().map(|(from, to, n)| SizeBar { from: *from, to: *to, groups: *n }).collect();
        let drawn = plot::sizes(&heading, "image", &bars)?;
        figures.push((heading, drawn));
    }
    plot::stack("What the labels of a data set are", &figures)
}

fn json(kind: &str, set: &Collection, found: &LabelStatistics) -> Value {
    let rate = |column: &Column| json!({ "positives": column.counts().get("1").copied().unwrap_or_default(), "n": column.len() });
    let attributes: serde_json::Map<String, Value> =
        set.labels.iter().map(|(name, column)| (name.to_owned(), rate(column))).collect();
    let frequencies = found.counts.iter().map(
        |of| json!({ "attribute": of.attribute, "value": of.value, "positives": of.positives, "n": of.n, "share": of.share() }),
    );
    let pairs = found.pairs.iter().map(|((row, column), table)| {
        json!({
            "first": found.names[*row], "second": found.names[*column], "n": table.n(), "both": table.both,
            "first_only": table.first_only, "second_only": table.second_only, "neither": table.neither, "phi": table.phi(),
        })
    });
    let missing: serde_json::Map<String, Value> =
        set.missing.iter().map(|(name, of)| (name.clone(), json!({ "count": of.count(), "spelled": of.spelled }))).collect();
    json!({
        "format": 1, "kind": kind, "images": set.ids.len(), "identities": super::data::identities(set),
        "identities_known": set.identities.is_some(),
        "classes": set.classes.as_ref().map(|classes| classes.values().len()), "attributes": attributes,
        "frequencies": frequencies.collect::<Vec<_>>(),
        "many_values": found.many_values.iter().map(many_values).collect::<Vec<_>>(),
        "cooccurrence": pairs.collect::<Vec<_>>(), "missing": missing,
        "sizes": found.sizes.as_ref().map(sizes),
    })
}

fn at_shares<T: Copy + serde::Serialize>(values: [T; 7]) -> Vec<Value> {
    SHARES.iter().zip(values).map(|(share, value)| json!({ "share": share, "value": value })).collect()
}

fn many_values(of: &ManyValues) -> Value {
    json!({ "attribute": of.attribute, "n": of.n, "values": of.values, "quantiles": of.quantiles.map(at_shares) })
}

fn sizes(of: &GroupSizes) -> Value {
    let ranges = of.ranges.iter().map(|(from, to, n)| json!({ "from": from, "to": to, "count": n }));
    json!({ "of": of.of, "quantiles": at_shares(of.quantiles), "histogram": ranges.collect::<Vec<_>>() })
}
