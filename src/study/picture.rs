//! A figure's points with their classes, for whoever draws them where no picture file will do.

use super::{
    Plan,
    steps::{Step, projected},
    watch::Watch,
};
use std::path::Path;
use visavis_core::{
    dataset::array,
    domain::{
        Fault, Result,
        comparison::Measured,
        image::{Images, Labels},
        ledger::CellId,
        membership::Members,
        projection::View,
        stage::{IndexImages, ProjectFeatures},
    },
    numeric::{PhiloxStream, Purpose},
};

/// Points of one figure, in a shuffled order, so that no class lies on top of another by the alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct FigurePoints {
    pub cell: CellId,
    /// One coordinate where the view is an axis; two otherwise. And the class.
    pub points: Vec<([f32; 2], u8)>,
    pub one_axis: bool,
    /// Name and number of points, class by class.
    pub classes: Vec<(String, usize)>,
}

/// Fifths of a quantity are shown as classes.
const FIFTHS: usize = 5;

impl Watch {
    /// # Errors
    /// Coordinates that are not there yet, or are damaged.
    pub fn picture(&self, cell: CellId) -> Result<FigurePoints> {
        picture(self.plan.as_ref().ok_or_else(absent)?, cell)
    }
}

fn absent() -> Fault {
    Fault::missing("this projection was not made yet").next("r runs the study")
}

fn picture(plan: &Plan, cell: CellId) -> Result<FigurePoints> {
    let step = projected(cell);
    let points = array::from_npy(
        &plan.bytes(step, ProjectFeatures::COORDINATES)?.ok_or_else(absent)?,
        Path::new(ProjectFeatures::COORDINATES),
    )?;
    let images =
        plan.bytes(Step::Index, IndexImages::IMAGES)?.and_then(|bytes| Images::from_text(&String::from_utf8(bytes).ok()?));
    let images = images.ok_or_else(absent)?;
    // A cell from before the study file was edited may be of nothing.
    let comparison = plan.study.comparisons.get(cell.comparison).ok_or_else(absent)?;
    let wanted = comparison.question.attributes();
    let labels: Labels = wanted.iter().filter_map(|attribute| Some((*attribute, plan.labels(attribute)?.clone()))).collect();
    let columns = cell.view.columns(points.columns());
    if columns.iter().any(|&column| column >= points.columns()) || images.len() != points.rows() {
        return Err(Fault::missing("this projection has no such axis"));
    }
    let members = Members::of(&images, &labels, &comparison.question);
    let mut quantity = members.quantity.clone().unwrap_or_default();
    quantity.sort_by(f64::total_cmp);
    let bounds: Vec<f64> = (1..FIFTHS).filter_map(|fifth| quantity.get(fifth * quantity.len() / FIFTHS).copied()).collect();
    let classes_of = |member: usize| -> Vec<usize> {
        match &members.quantity {
            None => members.classes_of(member).collect(),
            Some(quantity) => vec![bounds.iter().filter(|bound| quantity[member] >= **bound).count()],
        }
    };
    let names: Vec<String> = match &comparison.question.measured {
        Measured::Classes(_) => comparison.classes.clone(),
        Measured::Quantity(of) => {
            let name = |fifth: usize| match fifth {
                0 => format!("least {of}"),
                4 => format!("most {of}"),
                _ => format!("{}", fifth + 1),
            };
            (0..FIFTHS).map(name).collect()
        }
    };
    let mut order = members.by_row(images.len());
    PhiloxStream::new(plan.study.seed, Purpose::DrawingOrder, 0).shuffle(&mut order);
    let mut picture = FigurePoints {
        cell,
        points: vec![],
        one_axis: !matches!(cell.view, View::Map | View::Pair(..)),
        classes: names.into_iter().map(|name| (name, 0)).collect(),
    };
    for member in order.into_iter().flatten() {
        let row = points.row(members.rows[member]);
        let point = std::array::from_fn(|axis| columns.get(axis).map_or(0.0, |&column| row[column]));
        for class in classes_of(member) {
            picture.classes[class].1 += 1;
            picture.points.push((point, class.min(255) as u8));
        }
    }
    Ok(picture)
}
