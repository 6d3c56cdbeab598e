//! What the explorer's script is given: the faces, what is known of them, where they stand, and who is near whom.

mod packed;
mod places;

use super::{
    names::StudyNames,
    plan::Plan,
    results::StudyOutcome,
    steps::{Step, features, features_name},
};
use places::places;
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Fault, Result,
        clusters::FoundClusters,
        comparison::Measured,
        image::{Column, Images},
        index::{LayerIx, ModelIx, ProjectionIx},
        nuisance::{MeasuredColumn, MeasuredPictures},
        projection::{Method, View},
        stage::{FindClusters, MakeThumbnails, MeasureNuisances, ProjectFeatures, ThumbnailForm},
        text::{count, thousands},
    },
    numeric::{
        Matrix,
        neighbours::{NeighbourMetric, Neighbours},
    },
    scoring::Setting,
};

/// More images than this are not on one page: a sample is.
const MOST_IMAGES: usize = MakeThumbnails::MOST;
/// Bytes of places, and of neighbours, before they are base64.
const ROOM_FOR_PLACES: usize = 1_500_000;
const ROOM_FOR_NEIGHBOURS: usize = 800_000;
/// Nearest images of an image.
const NEAREST: usize = 15;
/// An attribute of more values than this is no set of classes to be coloured.
const MOST_VALUES: usize = 40;
/// Stands for an image that is in no class, or whose label is not known.
const UNKNOWN: u8 = u8::MAX;

/// As the script reads it. Rows are in the order of `images`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExplorerContents {
    format: u32,
    study: String,
    /// Sentences on what is not on the page.
    notes: Vec<String>,
    images: Vec<String>,
    identities: Option<String>,
    identity_names: Vec<String>,
    /// Pixels a side of a thumbnail; thumbnails in a row of a sheet, and rows of a sheet.
    cell: usize,
    columns: usize,
    rows: usize,
    sheets: Vec<String>,
    attributes: Vec<ExplorerAttribute>,
    quantities: Vec<ExplorerQuantity>,
    comparisons: Vec<ExplorerComparison>,
    views: Vec<ExplorerView>,
    neighbours: Vec<ExplorerNeighbours>,
    /// Which image is shown first where several overlap: chance says it, and no class.
    order: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerAttribute {
    name: String,
    values: Vec<String>,
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerQuantity {
    name: String,
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerComparison {
    name: String,
    classes: Vec<ExplorerClass>,
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerClass {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerView {
    model: String,
    layer: String,
    method: String,
    title: String,
    /// `None` of a map, whose axes mean nothing.
    axes: Option<[String; 2]>,
    turns: bool,
    low: [f64; 2],
    high: [f64; 2],
    of: String,
    clusters: Option<String>,
    cluster_names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerNeighbours {
    model: String,
    layer: String,
    k: usize,
    of: String,
}

/// Of these features, this view of this projection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ViewAt {
    model: ModelIx,
    layer: LayerIx,
    projection: ProjectionIx,
    view: View,
}

impl ExplorerContents {
    /// The study's name.
    pub fn study(&self) -> &str {
        &self.study
    }

    /// Of a study as it stands. `setting`: its images with all their labels. `has_faces`: they may be on the page.
    ///
    /// # Errors
    /// A result that is damaged, or no index of the images.
    pub fn of(outcome: &StudyOutcome, setting: &Setting, has_faces: bool) -> Result<Self> {
        let plan = outcome.plan;
        let (names, images) = (outcome.names(), setting.images);
        let shown = Shown::of(plan, images)?;
        let mut notes = Notes::default();
        notes.add_if(shown.rows.len() < images.len(), || {
            let left = thousands(images.len() - shown.rows.len());
            format!("{left} of {} are not on this page: a sample is, drawn by chance.", count(images.len(), "image"))
        });
        let sheets = shown.sheets(plan, has_faces)?;
        notes.add_if(sheets.is_empty(), || match (has_faces, plan.result(Step::Thumbnails)) {
            (false, Some(_)) => "The faces are not on this page: pictures of data sets may not be handed out. \
                                 Whoever may writes the page with --embed-faces."
                .to_owned(),
            _ => "There are no thumbnails of these images: they are dots.".to_owned(),
        });
        let identities = setting.identities.map(|of| numbered(of, &shown.ids));
        let columns = LabelColumns::of(setting, &shown, &mut notes);
        let quantities = [columns.quantities, nuisances(plan, &shown)?].concat();
        let views = views(outcome, &shown, &mut notes)?;
        let neighbours = neighbours(plan, names, &shown, &views, &mut notes)?;
        Ok(ExplorerContents {
            format: 1,
            study: plan.study.name.clone(),
            images: shown.ids.clone(),
            identities: identities.as_ref().map(|(numbers, _)| packed::wholes(numbers)),
            identity_names: identities.map(|(_, names)| names).unwrap_or_default(),
            cell: shown.side,
            columns: shown.columns,
            rows: shown.columns,
            sheets,
            attributes: columns.attributes,
            quantities,
            comparisons: comparisons(outcome, setting, &shown, &mut notes),
            views: views.into_iter().map(|(_, view)| view).collect(),
            neighbours,
            order: packed::wholes(&shown.order(plan.study.seed)),
            notes: notes.0,
        })
    }
}

#[cfg(test)]
impl ExplorerContents {
    /// Of no image.
    pub(crate) fn of_name(study: &str) -> Self {
        ExplorerContents { study: study.to_owned(), ..ExplorerContents::default() }
    }
}

/// What is said of the page.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add_if(&mut self, is_so: bool, note: impl FnOnce() -> String) {
        if is_so {
            self.0.push(note());
        }
    }
}

/// The images on the page.
struct Shown {
    /// Their rows in features and coordinates.
    rows: Vec<usize>,
    ids: Vec<String>,
    side: usize,
    columns: usize,
    /// They are those of the sheets.
    has_sheets: bool,
}

impl Shown {
    /// Those of the sheets; without sheets all, or a sample.
    fn of(plan: &Plan, images: &Images) -> Result<Self> {
        let side = MakeThumbnails::side_of(images.len());
        let columns = MakeThumbnails { side, sample: None, form: ThumbnailForm::Sheets }.columns();
        let row_of: HashMap<&str, usize> = images.ids().enumerate().map(|(row, id)| (id, row)).collect();
        let listed = plan.bytes(Step::Thumbnails, MakeThumbnails::SHOWN)?;
        let on_sheets = listed.and_then(|bytes| Images::from_text(&String::from_utf8_lossy(&bytes)));
        let on_sheets: Option<Vec<usize>> = on_sheets.and_then(|of| of.ids().map(|id| row_of.get(id).copied()).collect());
        let has_sheets = on_sheets.is_some();
        let rows = on_sheets.unwrap_or_else(|| {
            let mut rows = by_chance(images.ids(), plan.study.seed);
            rows.truncate(MOST_IMAGES);
            rows.sort_unstable();
            rows
        });
        let ids = rows.iter().map(|row| images.0[*row].0.clone()).collect();
        Ok(Shown { rows, ids, side, columns, has_sheets })
    }

    /// Their rows of an array of all images.
    ///
    /// # Errors
    /// An array that is damaged, or has fewer rows.
    fn taken(&self, npy: &[u8], name: &str) -> Result<Matrix> {
        let all: Matrix = array::from_npy(npy, Path::new(name))?;
        if self.rows.iter().any(|row| *row >= all.rows()) {
            return Err(Fault::differs(format!("`{name}` is of other images")));
        }
        Ok(all.take(&self.rows))
    }

    /// JPEGs; none where faces may not be shown.
    fn sheets(&self, plan: &Plan, has_faces: bool) -> Result<Vec<String>> {
        let mut sheets = vec![];
        if has_faces && self.has_sheets {
            while let Some(sheet) = plan.bytes(Step::Thumbnails, &MakeThumbnails::sheet(sheets.len()))? {
                sheets.push(packed::bytes(&sheet));
            }
        }
        Ok(sheets)
    }

    fn order(&self, seed: u64) -> Vec<u32> {
        by_chance(self.ids.iter().map(String::as_str), seed).into_iter().map(|place| place as u32).collect()
    }
}

/// Places of names in an order that the seed draws, and that no other name moves.
fn by_chance<'a>(names: impl Iterator<Item = &'a str>, seed: u64) -> Vec<usize> {
    let mut drawn: Vec<(Digest, usize)> =
        names.enumerate().map(|(place, name)| (Digest::of(format!("{seed} {name}").as_bytes()), place)).collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, place)| place).collect()
}

/// Of each image the number of its identity, and the names of these; an unknown identity has a number that no other image has, and no name.
fn numbered(identities: &Column, ids: &[String]) -> (Vec<u32>, Vec<String>) {
    let (mut numbers, mut names): (HashMap<&str, u32>, Vec<String>) = Default::default();
    let mut fresh = |name: &str| {
        names.push(name.to_owned());
        (names.len() - 1) as u32
    };
    let of = |id: &String| match identities.get(id) {
        Some(identity) => *numbers.entry(identity).or_insert_with(|| fresh(identity)),
        None => fresh(""),
    };
    (ids.iter().map(of).collect(), names)
}

/// Labels, as classes to be coloured or as numbers.
#[derive(Default)]
struct LabelColumns {
    attributes: Vec<ExplorerAttribute>,
    quantities: Vec<ExplorerQuantity>,
}

impl LabelColumns {
    fn of(setting: &Setting, shown: &Shown, notes: &mut Notes) -> Self {
        let mut all = LabelColumns::default();
        let mut left_out = 0;
        for (name, column) in setting.labels.iter() {
            let of: Vec<Option<&str>> = shown.ids.iter().map(|id| column.get(id)).collect();
            let values: BTreeSet<&str> = of.iter().flatten().copied().collect();
            let name = name.to_owned();
            if values.len() <= MOST_VALUES {
                let is_binary = values.iter().all(|value| ["0", "1"].contains(value));
                // A condition of a yes-or-no attribute reads the same where all images have it, or none.
                let values: Vec<&str> = if is_binary { vec!["0", "1"] } else { values.into_iter().collect() };
                let code = |value: &Option<&str>| {
                    value.and_then(|value| values.binary_search(&value).ok()).map_or(UNKNOWN, |place| place as u8)
                };
                let of = packed::bytes(&of.iter().map(code).collect::<Vec<_>>());
                let words = if is_binary { vec!["no", "yes"] } else { values };
                let values = words.into_iter().map(str::to_owned).collect();
                all.attributes.push(ExplorerAttribute { name, values, of });
            } else if values.iter().all(|value| value.parse::<f32>().is_ok()) {
                let number = |value: &Option<&str>| value.and_then(|value| value.parse().ok()).unwrap_or(f32::NAN);
                all.quantities.push(ExplorerQuantity { name, of: packed::singles(&of.iter().map(number).collect::<Vec<_>>()) });
            } else {
                left_out += 1;
            }
        }
        notes.add_if(left_out > 0, || {
            format!("{} not on this page, for each has more than {MOST_VALUES} values.", count(left_out, "attribute"))
        });
        all
    }
}

/// What was measured of the pictures.
fn nuisances(plan: &Plan, shown: &Shown) -> Result<Vec<ExplorerQuantity>> {
    let (about, table) = (MeasureNuisances::ABOUT, MeasureNuisances::TABLE);
    let Some((about, table)) = plan.bytes(Step::Nuisances, about)?.zip(plan.bytes(Step::Nuisances, table)?) else {
        return Ok(vec![]);
    };
    let about: MeasuredPictures = serde_json::from_slice(&about).map_err(|error| Fault::differs(error.to_string()))?;
    let table = shown.taken(&table, MeasureNuisances::TABLE)?;
    let quantity = |(place, column): (usize, &MeasuredColumn)| {
        let of: Vec<f32> = (0..table.rows()).map(|image| table.row(image)[place]).collect();
        let is_known = of.iter().any(|value| value.is_finite());
        is_known.then(|| ExplorerQuantity { name: column.name.clone(), of: packed::singles(&of) })
    };
    Ok(about.columns.iter().enumerate().take(table.columns()).filter_map(quantity).collect())
}

/// Who is in which class. An image in several classes is in none here, which is said.
fn comparisons(outcome: &StudyOutcome, setting: &Setting, shown: &Shown, notes: &mut Notes) -> Vec<ExplorerComparison> {
    let mut in_several = 0;
    let mut all = vec![];
    for comparison in &outcome.plan.study.comparisons {
        let Measured::Classes(classes) = &comparison.question.measured else { continue };
        let members = setting.members(&comparison.question);
        let mut of = vec![UNKNOWN; setting.images.len()];
        let mut times = vec![0u8; of.len()];
        for class in 0..classes.len().min(usize::from(UNKNOWN)) {
            for row in members.rows_of(class) {
                of[row] = class as u8;
                times[row] = times[row].saturating_add(1);
            }
        }
        let coded = |row: &usize| if times[*row] > 1 { UNKNOWN } else { of[*row] };
        in_several += shown.rows.iter().filter(|row| times[**row] > 1).count();
        all.push(ExplorerComparison {
            name: comparison.name.clone(),
            classes: comparison.classes.iter().map(|name| ExplorerClass { name: name.clone() }).collect(),
            of: packed::bytes(&shown.rows.iter().map(coded).collect::<Vec<_>>()),
        });
    }
    notes.add_if(in_several > 0, || {
        format!("{} of a face in several classes of a comparison: coloured as in none.", count(in_several, "case"))
    });
    all
}

/// The views whose figures the report shows, the best first; then one of every other projection, in the study's order; while there is room.
fn views(outcome: &StudyOutcome, shown: &Shown, notes: &mut Notes) -> Result<Vec<(ViewAt, ExplorerView)>> {
    let plan = outcome.plan;
    let of_figures = outcome.shown.iter().map(|(cell, _)| ViewAt {
        model: cell.model,
        layer: cell.layer,
        projection: cell.projection,
        view: cell.view,
    });
    let of_projections = plan.results().filter_map(|(step, _)| {
        let Step::Project { model, layer, projection, seed: 0 } = step else { return None };
        let view = plan.study.projections[projection].pictures().into_iter().next()?;
        Some(ViewAt { model, layer, projection, view })
    });
    let (mut seen, mut views, mut room, mut left_out, mut flat) = (BTreeSet::new(), vec![], ROOM_FOR_PLACES, 0, 0);
    for at in of_figures.chain(of_projections) {
        let columns = columns_of(at.view);
        if !seen.insert((at.model, at.layer, at.projection, columns)) {
            continue;
        }
        let Some(left) = room.checked_sub(4 * shown.rows.len()) else {
            left_out += 1;
            continue;
        };
        match view(outcome, at, columns, shown)? {
            Some(view) => {
                room = left;
                views.push((at, view));
            }
            None => flat += 1,
        }
    }
    notes.add_if(flat > 0, || format!("{} without two axes, or without its coordinates: not on this page.", count(flat, "view")));
    notes.add_if(left_out > 0, || {
        format!("{} of the study: not on this page, for which there is no room.", count(left_out, "view"))
    });
    Ok(views)
}

/// Two columns: an axis by itself stands beside the first other one.
pub(super) fn columns_of(view: View) -> [usize; 2] {
    match view {
        View::Axis(1) | View::Map | View::Features => [0, 1],
        View::Axis(axis) => [axis - 1, 0],
        View::Pair(one, other) => [one - 1, other - 1],
    }
}

/// `None` where the coordinates are not there, or have one column.
fn view(outcome: &StudyOutcome, at: ViewAt, columns: [usize; 2], shown: &Shown) -> Result<Option<ExplorerView>> {
    let (plan, names) = (outcome.plan, outcome.names());
    let step = Step::Project { model: at.model, layer: at.layer, projection: at.projection, seed: 0 };
    let Some(bytes) = plan.bytes(step, ProjectFeatures::COORDINATES)? else { return Ok(None) };
    let coordinates = shown.taken(&bytes, ProjectFeatures::COORDINATES)?;
    let Some(places) = places(&coordinates, columns) else { return Ok(None) };
    let method: &Method = &plan.study.projections[at.projection].method;
    let is_map = method.parameter(Method::AXES).is_none();
    let axes = (!is_map).then(|| columns.map(|column| format!("axis {}", column + 1)));
    let projection = names.projection(at.projection).to_owned();
    let shown_axes = axes.as_ref().map_or(String::new(), |[x, y]| format!(" · {x} and {y}"));
    let (clusters, cluster_names) = clusters(plan, at, shown)?.unzip();
    Ok(Some(ExplorerView {
        model: names.model(at.model).to_owned(),
        layer: names.layer(at.model, at.layer),
        title: format!("{} · {projection}{shown_axes}", names.model_and_layer(at.model, at.layer)),
        method: projection,
        axes,
        turns: is_map,
        low: places.low,
        high: places.high,
        of: packed::halves(&places.of),
        clusters,
        cluster_names: cluster_names.unwrap_or_default(),
    }))
}

/// Of each image its cluster in this view, and what they are called.
fn clusters(plan: &Plan, at: ViewAt, shown: &Shown) -> Result<Option<(String, Vec<String>)>> {
    let step = Step::Clusters { model: at.model, layer: at.layer, projection: at.projection };
    let bytes = plan.bytes(step, FindClusters::CLUSTERS)?.zip(plan.bytes(step, FindClusters::MEMBERS)?);
    let Some((found, members)) = bytes else { return Ok(None) };
    let found: FoundClusters = serde_json::from_slice(&found).map_err(|error| Fault::differs(error.to_string()))?;
    let members = shown.taken(&members, FindClusters::MEMBERS)?;
    let Some(place) = found.views.iter().position(|of| of.view == at.view) else { return Ok(None) };
    if place >= members.columns() {
        return Err(Fault::differs(format!("`{}` has too few columns", FindClusters::MEMBERS)));
    }
    let cluster = |image: usize| {
        let cluster = members.row(image)[place];
        if cluster >= 0.0 { cluster as u16 } else { u16::MAX }
    };
    let names = (1..=found.views[place].clusters.len()).map(|number| format!("cluster {number}")).collect();
    Ok(Some((packed::halves(&(0..members.rows()).map(cluster).collect::<Vec<_>>()), names)))
}

/// Of the features that each view is of, while there is room: among the shown images.
fn neighbours(
    plan: &Plan,
    names: StudyNames,
    shown: &Shown,
    views: &[(ViewAt, ExplorerView)],
    notes: &mut Notes,
) -> Result<Vec<ExplorerNeighbours>> {
    let mut spaces: Vec<(ModelIx, LayerIx)> = vec![];
    for (at, _) in views {
        if !spaces.contains(&(at.model, at.layer)) {
            spaces.push((at.model, at.layer));
        }
    }
    let k = NEAREST.min(shown.rows.len().saturating_sub(1));
    let are_halves = shown.rows.len() < usize::from(u16::MAX);
    let bytes = k * shown.rows.len() * if are_halves { 2 } else { 4 };
    let most = (ROOM_FOR_NEIGHBOURS / bytes.max(1)).min(spaces.len());
    notes.add_if(most < spaces.len(), || {
        format!("The nearest faces are on this page for {most} of {}.", count(spaces.len(), "layer"))
    });
    let mut all = vec![];
    for (model, layer) in spaces.into_iter().take(most).filter(|_| k > 0) {
        let output = features_name(&plan.study, model, layer);
        let Some(bytes) = plan.bytes(features(&plan.study, model, layer), &output)? else { continue };
        let features = shown.taken(&bytes, &output)?;
        let Some(found) = Neighbours::exact(&features, k, NeighbourMetric::Euclidean) else { continue };
        let of: Vec<u32> = (0..shown.rows.len()).flat_map(|row| found.of(row).to_vec()).collect();
        let (model, layer) = (names.model(model).to_owned(), names.layer(model, layer));
        let halves = |of: &[u32]| packed::halves(&of.iter().map(|row| *row as u16).collect::<Vec<_>>());
        let of = if are_halves { halves(&of) } else { packed::wholes(&of) };
        all.push(ExplorerNeighbours { model, layer, k, of });
    }
    Ok(all)
}
