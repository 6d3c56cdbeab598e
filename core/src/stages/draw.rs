//! `draw`: one figure. Pictures show class names, attributes and numbers, and no other names.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Fault, Result,
        comparison::{Measured, Question},
        ledger::Frequencies,
        membership::Members,
        projection::View,
        stage::{AxisNames, Figure, role},
    },
    numeric::{PhiloxStream, Purpose},
    plot,
};

pub(super) fn draw(figure: &Figure, inputs: &Inputs) -> Result<StageOutput> {
    let svg = match figure {
        Figure::Frequencies => frequencies(inputs)?,
        Figure::Curves => curves(inputs)?,
        Figure::View { view, question, classes, axes, seed } => draw_view(*view, question, classes, axes, *seed, inputs)?,
    };
    let svg = svg.map_err(|error| Fault::unexpected(format!("cannot draw the figure: {error}")))?;
    Ok(StageOutput::default().with(Figure::SVG, svg.into_bytes()))
}

fn frequencies(inputs: &Inputs) -> Result<plot::DrawingResult> {
    let counted: Frequencies =
        serde_json::from_slice(&inputs.bytes(Figure::FREQUENCIES)?).map_err(|error| Fault::unexpected(error.to_string()))?;
    let name =
        |attribute: String, value: Option<String>| value.map_or(attribute.clone(), |value| format!("{attribute} = {value}"));
    let mut bars: Vec<plot::Bar> = counted
        .attributes
        .into_iter()
        .map(|f| plot::Bar { name: name(f.attribute, f.value), positives: f.rate.positives, n: f.rate.n })
        .collect();
    bars.sort_by(|a, b| b.positives.cmp(&a.positives).then(a.name.cmp(&b.name)));
    Ok(plot::frequencies(&bars))
}

fn curves(inputs: &Inputs) -> Result<plot::DrawingResult> {
    #[derive(serde::Deserialize)]
    struct Curves {
        loss: Vec<f64>,
        accuracy: Vec<f64>,
        #[serde(default)]
        validation: Vec<f64>,
    }
    let curves: Curves =
        serde_json::from_slice(&inputs.bytes(Figure::CURVES)?).map_err(|error| Fault::unexpected(error.to_string()))?;
    Ok(plot::curves(&curves.loss, &curves.accuracy, &curves.validation))
}

fn draw_view(
    view: View,
    question: &Question,
    names: &[String],
    axes: &AxisNames,
    seed: u64,
    inputs: &Inputs,
) -> Result<plot::DrawingResult> {
    let Measured::Classes(_) = &question.measured else {
        return Err(Fault::unexpected("a quantity has no classes to draw"));
    };
    let (images, labels, points) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.matrix(role::POINTS)?);
    let columns = view.columns(points.columns());
    if columns.iter().any(|&column| column >= points.columns()) {
        return Err(Fault::unexpected(format!("there is no {view} to draw")));
    }
    let mut drawn: Vec<plot::PlottedClass> =
        names.iter().map(|name| plot::PlottedClass { name, share: 0.0, points: vec![] }).collect();
    let members = Members::of(&images, &labels, question);
    // A shuffled order, so that no class lies on top of another by the alphabet.
    let mut order = members.by_row(images.len());
    PhiloxStream::new(seed, Purpose::DrawingOrder, 0).shuffle(&mut order);
    for member in order.into_iter().flatten() {
        let row = points.row(members.rows[member]);
        let point = std::array::from_fn(|axis| columns.get(axis).map_or(0.0, |&column| f64::from(row[column])));
        members.classes_of(member).for_each(|class| drawn[class].points.push(point));
    }
    let shown = members.rows.len().max(1) as f64;
    drawn.iter_mut().for_each(|class| class.share = class.points.len() as f64 / shown);

    let name = |axis: usize| match axes {
        AxisNames::Explained { method, shares } => match shares.get(columns[axis]) {
            Some(share) => format!("{method} axis {} · {:.1} % of variance", columns[axis] + 1, 100.0 * share),
            None => format!("{method} axis {}", columns[axis] + 1),
        },
        AxisNames::Map { method } => format!("{method} {}", columns[axis] + 1),
    };
    Ok(match columns.len() {
        1 => plot::ridges(&drawn, &name(0)),
        _ => plot::scatter(&drawn, [&name(0), &name(1)], matches!(axes, AxisNames::Explained { .. })),
    })
}
