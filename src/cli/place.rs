//! `visavis place STUDY`: other images on a map of the study, by features of the same layer of the same model. The map stays as it is.

use super::{
    Context,
    chosen::{self, UnnamedLayer},
    export::table::{ExportFormat, ExportTable},
    output::{remark, say_json, write_out},
};
use crate::study::{
    self, Plan,
    placing::{FittedMap, NEAREST},
};
use std::path::PathBuf;
use visavis_core::{
    dataset::{Numbers, read_rows},
    domain::{
        Fault, Result,
        index::{LayerIx, ModelIx, ProjectionIx},
        text::{count, thousands},
    },
    files,
    numeric::Matrix,
    store::write_out as write_out_whole,
};

#[derive(clap::Args)]
pub(crate) struct PlaceCommand {
    /// The study file
    study: PathBuf,
    /// Features of the other images, at the same layer of the same model: N × D, .npy or .safetensors
    #[arg(long, value_name = "FILE")]
    features: PathBuf,
    /// The image of each row, one a line or a table with a column of them (default: rows are numbered)
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// The model of the map (default: the study's only one)
    #[arg(long)]
    model: Option<String>,
    /// The layer (default: the model's only one)
    #[arg(long)]
    layer: Option<String>,
    /// The projection (default: the study's only one)
    #[arg(long)]
    projection: Option<String>,
    /// Which projection seed, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    seed: u16,
    /// Where to write the table (CSV; with --json JSON lines; default: standard output)
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl PlaceCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        let map = FittedMap::of(&plan, self.map(&plan)?, usize::from(self.seed) - 1)?;
        let others = self.others()?;
        let names = self.names(others.rows())?;
        let placed = map.place(&others)?;
        remark(
            context,
            format!(
                "{} placed among {}: of the {NEAREST} nearest by features {:.0} % are among the {NEAREST} nearest on the map (by chance {:.1} %)",
                count(others.rows(), "image"),
                thousands(placed.fitted),
                100.0 * placed.mean,
                100.0 * placed.by_chance
            ),
        );
        let mut table = ExportTable::default();
        table.text("image", names.into_iter().map(Some));
        table.axes(&placed.coordinates);
        table.number("neighbours_kept", placed.neighbours_kept.iter().copied().map(Some));
        let bytes = table.write(if context.json { ExportFormat::JsonLines } else { ExportFormat::Csv })?;
        let Some(file) = &self.output else {
            write_out(&bytes);
            return Ok(());
        };
        write_out_whole(file, &bytes)?;
        if context.json {
            say_json(&serde_json::json!({
                "format": 1, "written": file.display().to_string(), "placed": others.rows(), "neighbours_kept": placed.mean, "by_chance": placed.by_chance,
            }));
        }
        Ok(())
    }

    /// Which map is meant.
    fn map(&self, plan: &Plan) -> Result<(ModelIx, LayerIx, ProjectionIx)> {
        let study = &plan.study;
        let model = chosen::model(study, "--model", self.model.as_deref())?;
        let layer = chosen::layer(study, model, self.layer.as_deref(), UnnamedLayer::Only)?;
        Ok((model, layer, chosen::projection(study, self.projection.as_deref())?))
    }

    fn others(&self) -> Result<Matrix> {
        let file = &self.features;
        let bytes = std::fs::read(file).map_err(|error| Fault::io("read", file, &error))?;
        let is_tensors = file.extension().is_some_and(|ending| ending == "safetensors");
        let numbers = if is_tensors { Numbers::of_safetensors(&bytes, "", file) } else { Numbers::of_npy(&bytes, file) }?;
        if !numbers.kind().fits_single() {
            return Err(Fault::asked("numbers of another kind than single or half precision would lose what tells images apart")
                .in_file(file)
                .next("save the array as float32"));
        }
        Ok(numbers.in_single())
    }

    fn names(&self, images: usize) -> Result<Vec<String>> {
        let Some(file) = &self.rows else { return Ok((0..images).map(|row| row.to_string()).collect()) };
        let bytes = files::read_up_to(file, files::LARGEST_TEXT).map_err(|error| Fault::io("read", file, &error))?;
        let rows = read_rows(&bytes, file, None)?;
        if rows.len() != images {
            let what = format!("{} are named, and the array has {}", count(rows.len(), "row"), thousands(images));
            return Err(Fault::asked(what).in_file(file).next(rows.hint(images)));
        }
        Ok(rows.in_order().map(|(id, _)| id.to_owned()).collect())
    }
}
