//! What the explorer's script is given: the faces, what is known of them, where they stand, and who is near whom.

mod near;
mod packed;
mod places;
mod shown;

pub use shown::{FacesFolder, FacesPlace};

use super::{plan::Plan, results::StudyOutcome, steps::Step};
use places::places;
use serde::Serialize;
use shown::Shown;
use std::collections::{BTreeSet, HashMap};
use visavis_core::{
    domain::{
        Fault, Result,
        clusters::FoundClusters,
        comparison::Measured,
        image::{Column, Labels},
        index::{LayerIx, ModelIx, ProjectionIx},
        nuisance::{MeasuredColumn, MeasuredPictures},
        projection::{Method, View},
        stage::{FindClusters, MeasureNuisances, ProjectFeatures},
        text::{count, thousands},
    },
    scoring::Setting,
    store::Graphs,
};

/// An attribute of more values than this is no set of classes to be coloured.
const MOST_VALUES: usize = 40;
/// Stands for an image that is in no class, or whose label is not known.
const UNKNOWN: u8 = u8::MAX;
/// Steps in which a quantity is shown.
const STEPS: usize = 10;
/// What is explored, and how.
pub struct ExploredStudy<'a> {
    /// The study's images with all their labels.
    pub setting: Setting<'a>,
    /// What says which images these are: [`Labels::mark_of`].
    pub images_mark: Option<String>,
    pub place: FacesPlace,
    /// May the faces be shown?
    pub has_faces: bool,
    /// Neighbours that were kept. An audit finds them anew.
    pub kept: Option<Graphs>,
}

/// As the script reads it. Rows are in the order of `images`, which chance drew: where several overlap, the first is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExplorerContents {
    format: u32,
    study: String,
    /// Sentences on what is not on the page.
    notes: Vec<String>,
    images: Vec<String>,
    /// The name and the value of the column that says which images a saved selection is of.
    mark: [String; 2],
    identities: Option<String>,
    identity_names: Vec<String>,
    /// Pixels a side of a thumbnail; thumbnails in a row of a sheet, and rows of a sheet.
    cell: usize,
    columns: usize,
    rows: usize,
    /// Addresses of the sheets: the pictures themselves, or files of the folder.
    sheets: Vec<String>,
    /// Do they lie beside the page?
    folder: bool,
    attributes: Vec<ExplorerClasses>,
    comparisons: Vec<ExplorerClasses>,
    clusters: Vec<ExplorerClasses>,
    quantities: Vec<ExplorerQuantity>,
    views: Vec<ExplorerView>,
    neighbours: Vec<ExplorerNeighbours>,
    #[serde(skip)]
    beside: FacesFolder,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerClasses {
    name: String,
    values: Vec<String>,
    of: String,
}

/// Steps from `low` up, and what they are called.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerQuantity {
    name: String,
    low: f64,
    step: f64,
    values: Vec<String>,
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerView {
    name: String,
    /// The name of its neighbours.
    features: String,
    /// Nothing of a map, whose axes mean nothing.
    axes: String,
    turns: bool,
    low: [f64; 2],
    high: [f64; 2],
    of: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplorerNeighbours {
    name: String,
    k: usize,
    of: String,
}

/// Bytes that there is room for, before they are base64.
struct Room {
    places: usize,
    neighbours: usize,
}

impl Room {
    /// Beside the faces there is less room.
    fn of(place: &FacesPlace) -> Self {
        match place {
            FacesPlace::Page => Room { places: 1_500_000, neighbours: 800_000 },
            FacesPlace::Folder(_) => Room { places: 8_000_000, neighbours: 25_000_000 },
        }
    }
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

    /// The sheets beside the page.
    pub fn folder(&self) -> Option<&FacesFolder> {
        self.folder.then_some(&self.beside)
    }

    /// Of a study as it stands.
    ///
    /// # Errors
    /// A result that is damaged; a folder is asked for, and thumbnails were made of a sample.
    pub fn of(outcome: &StudyOutcome, explored: &ExploredStudy) -> Result<Self> {
        let plan = outcome.plan;
        let ExploredStudy { setting, images_mark, place, has_faces, kept } = explored;
        let images = setting.images;
        let shown = Shown::of(plan, images, place, *has_faces)?;
        let mut notes = Notes::default();
        notes.add_if(shown.rows.len() < images.len(), || {
            let left = thousands(images.len() - shown.rows.len());
            let all = count(images.len(), "image");
            format!(
                "{left} of {all} are not on this page: a sample is, drawn by chance. \
                 `explore --folder` and `report --explore=folder` show all."
            )
        });
        let (sheets, beside) = shown.sheets(plan, place)?;
        notes.add_if(sheets.is_empty(), || match (has_faces, plan.result(Step::Thumbnails)) {
            (false, Some(_)) => "The faces are not on this page: pictures of data sets may not be handed out. \
                                 Whoever may writes the page with --embed-faces."
                .to_owned(),
            _ => "There are no thumbnails of these images: they are dots.".to_owned(),
        });
        let identities = setting.identities.map(|of| numbered(of, &shown.ids));
        let columns = LabelColumns::of(setting, &shown, &mut notes);
        let quantities = [columns.quantities, nuisances(plan, &shown)?].concat();
        let room = Room::of(place);
        let views = views(outcome, &shown, room.places, &mut notes)?;
        let clusters = views.iter().map(|(at, view)| clusters(plan, *at, &view.name, &shown)).collect::<Result<Vec<_>>>()?;
        let mut layers: Vec<(ModelIx, LayerIx)> = vec![];
        for (at, _) in &views {
            if !layers.contains(&(at.model, at.layer)) {
                layers.push((at.model, at.layer));
            }
        }
        let neighbours = near::neighbours(plan, outcome.names(), &shown, (&layers, room.neighbours), kept.as_ref(), &mut notes)?;
        Ok(ExplorerContents {
            format: 2,
            study: plan.study.name.clone(),
            mark: [Labels::MARK.to_owned(), images_mark.clone().unwrap_or_default()],
            identities: identities.as_ref().map(|(numbers, _)| packed::wholes(numbers)),
            identity_names: identities.map(|(_, names)| names).unwrap_or_default(),
            cell: shown.side,
            columns: shown.columns(),
            rows: shown.columns(),
            sheets,
            folder: matches!(place, FacesPlace::Folder(_)),
            attributes: columns.attributes,
            quantities,
            comparisons: comparisons(outcome, setting, &shown, &mut notes),
            clusters: clusters.into_iter().flatten().collect(),
            views: views.into_iter().map(|(_, view)| view).collect(),
            neighbours,
            beside,
            images: shown.ids,
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
    attributes: Vec<ExplorerClasses>,
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
                all.attributes.push(ExplorerClasses { name, values, of });
            } else if values.iter().all(|value| value.parse::<f32>().is_ok()) {
                let number = |value: &Option<&str>| value.and_then(|value| value.parse().ok()).unwrap_or(f32::NAN);
                all.quantities.push(ExplorerQuantity::of(name, &of.iter().map(number).collect::<Vec<_>>()));
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

impl ExplorerQuantity {
    fn of(name: String, of: &[f32]) -> Self {
        let known = || of.iter().copied().filter(|value| value.is_finite());
        let low = known().reduce(f32::min).unwrap_or(0.0);
        let step = (known().fold(low, f32::max) - low) / STEPS as f32;
        let step = if step > 0.0 && step.is_finite() { step } else { 1.0 };
        let values = (0..STEPS).map(|nth| format!("from {}", three_digits(low + nth as f32 * step))).collect();
        ExplorerQuantity { name, low: low.into(), step: step.into(), values, of: packed::singles(of) }
    }
}

/// To three digits that count.
fn three_digits(value: f32) -> f32 {
    format!("{value:.2e}").parse().unwrap_or(value)
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
        is_known.then(|| ExplorerQuantity::of(column.name.clone(), &of))
    };
    Ok(about.columns.iter().enumerate().take(table.columns()).filter_map(quantity).collect())
}

/// Who is in which class. An image in several classes is in none here, which is said.
fn comparisons(outcome: &StudyOutcome, setting: &Setting, shown: &Shown, notes: &mut Notes) -> Vec<ExplorerClasses> {
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
        all.push(ExplorerClasses {
            name: comparison.name.clone(),
            values: comparison.classes.clone(),
            of: packed::bytes(&shown.rows.iter().map(coded).collect::<Vec<_>>()),
        });
    }
    notes.add_if(in_several > 0, || {
        format!("{} of a face in several classes of a comparison: coloured as in none.", count(in_several, "case"))
    });
    all
}

/// The views whose figures the report shows, the best first; then one of every other projection, in the study's order; while there is room
/// for so many bytes.
fn views(outcome: &StudyOutcome, shown: &Shown, mut room: usize, notes: &mut Notes) -> Result<Vec<(ViewAt, ExplorerView)>> {
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
    let (mut seen, mut views, mut left_out, mut flat) = (BTreeSet::new(), vec![], 0, 0);
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
    let method: &Method = &plan.study.projections[at.projection].method;
    let is_map = method.parameter(Method::AXES).is_none();
    let Some(places) = places(&coordinates, columns, is_map) else { return Ok(None) };
    let [x, y] = columns.map(|column| format!("axis {}", column + 1));
    let of_axes = if is_map { String::new() } else { format!(" · {x} and {y}") };
    Ok(Some(ExplorerView {
        name: format!("{} · {}{of_axes}", names.model_and_layer(at.model, at.layer), names.projection(at.projection)),
        features: names.model_and_layer(at.model, at.layer),
        axes: if is_map { String::new() } else { format!("→{x}   ↑{y}") },
        turns: is_map,
        low: places.low,
        high: places.high,
        of: packed::halves(&places.of),
    }))
}

/// Of each image its cluster in this view, if they were looked for. `name`: the view's.
fn clusters(plan: &Plan, at: ViewAt, name: &str, shown: &Shown) -> Result<Option<ExplorerClasses>> {
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
    let values = (1..=found.views[place].clusters.len()).map(|number| format!("cluster {number}")).collect();
    let of = packed::halves(&(0..members.rows()).map(cluster).collect::<Vec<_>>());
    Ok(Some(ExplorerClasses { name: name.to_owned(), values, of }))
}
