//! Marks of charts: each must stand where the numbers of its claims put it.

use crate::audit::markup::{MarkupTree, NodeIx};
use visavis_core::plot::{
    ABSENT, LINES_BOX, MOST_LINES, RANGE_BOX, RangeMark, RangeScale, line_class, line_of_nothing, line_points,
};

/// A chart that is drawn from claims.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chart {
    /// A number, its interval and what it is held against, on one line.
    Range(RangeScale),
    /// A number at each of several steps.
    Lines(RangeScale),
}

/// A mark that the page draws.
pub(crate) struct DrawnMark {
    pub line: u32,
    /// Ids of the claims that it is of, between spaces.
    claims: Box<str>,
    mark: MarkKind,
    /// What says where it stands, as the page has it: `x1=8.0;`.
    geometry: Box<str>,
}

enum MarkKind {
    OfRange(RangeMark, RangeScale),
    /// Where nothing is, across lines.
    Nothing(RangeScale),
    /// And its place among the lines.
    Line(RangeScale, usize),
}

/// Ids that a mark may name: a line has a step for each.
const MOST_IDS: usize = 512;
/// Rings of a row: a study has as many models.
const MOST_RINGS: usize = 2000;

impl Chart {
    /// Are these the marks of one chart, in the order in which a report draws them? Anything else could draw other things.
    pub(super) fn is_drawn_by(self, marks: &[DrawnMark]) -> bool {
        match self {
            Chart::Range(_) => {
                let kinds: Vec<RangeMark> = marks
                    .iter()
                    .filter_map(|of| if let MarkKind::OfRange(mark, _) = of.mark { Some(mark) } else { None })
                    .collect();
                let count = |kind: RangeMark| kinds.iter().filter(|of| **of == kind).count();
                let once = [RangeMark::Zero, RangeMark::Threshold, RangeMark::Diamond, RangeMark::Interval];
                kinds.is_sorted_by_key(|mark| mark.order())
                    && once.into_iter().all(|kind| count(kind) <= 1)
                    && count(RangeMark::Value) == 1
                    && count(RangeMark::Ring) <= MOST_RINGS
            }
            Chart::Lines(_) => {
                let lines: Vec<&DrawnMark> = marks.iter().filter(|of| matches!(of.mark, MarkKind::Line(..))).collect();
                let zeros = marks.iter().take_while(|of| matches!(of.mark, MarkKind::Nothing(_))).count();
                let steps = |of: &DrawnMark| of.claims.split_whitespace().count();
                zeros <= 1
                    && zeros + lines.len() == marks.len()
                    && lines.iter().enumerate().all(|(place, of)| matches!(of.mark, MarkKind::Line(_, own) if own == place))
                    && lines.iter().all(|of| steps(of) == steps(lines[0]))
            }
        }
    }

    /// `None` of a drawing that is no chart as reports write it.
    pub(super) fn of(tree: &MarkupTree, at: NodeIx) -> Option<Self> {
        let has_only = tree.attributes(at).all(|(name, _)| matches!(&*name, "aria-hidden" | "class" | "viewBox"));
        if !has_only || tree.attribute(at, "aria-hidden") != Some("true") {
            return None;
        }
        let (kind, scale) = tree.attribute(at, "class")?.split_once(' ')?;
        let scale = RangeScale::of_word(scale)?;
        match (kind, tree.attribute(at, "viewBox")?) {
            ("range", RANGE_BOX) => Some(Chart::Range(scale)),
            ("lines", LINES_BOX) => Some(Chart::Lines(scale)),
            _ => None,
        }
    }
}

impl DrawnMark {
    /// `None` of an element that is no mark as reports write them.
    pub(super) fn of(tree: &MarkupTree, at: NodeIx, chart: Chart) -> Option<Self> {
        let (_, name) = tree.name(at)?;
        let class = tree.attribute(at, "class")?;
        let claims = tree.attribute(at, "data-claim").unwrap_or("");
        let numbers = claims.split_whitespace().count();
        let (mark, is_whole) = match (chart, name) {
            (Chart::Range(scale), _) => {
                let mark = RangeMark::of_words(name, class)?;
                (MarkKind::OfRange(mark, scale), numbers == mark.numbers())
            }
            (Chart::Lines(scale), "line") => (MarkKind::Nothing(scale), class == "zero" && numbers == 0),
            (Chart::Lines(scale), "polyline") => {
                let place = (0..MOST_LINES).find(|place| line_class(*place).as_deref() == Some(class))?;
                (MarkKind::Line(scale, place), numbers > 0)
            }
            (Chart::Lines(_), _) => return None,
        };
        let placed = tree.attributes(at).filter(|(name, _)| !matches!(&**name, "class" | "data-claim"));
        let geometry = written(placed).into();
        let is_whole = is_whole && numbers <= MOST_IDS && tree.children(at).next().is_none();
        is_whole.then_some(DrawnMark { line: tree.line(at), claims: claims.into(), mark, geometry })
    }

    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        self.claims.split_whitespace().filter(|claim| *claim != ABSENT)
    }

    /// What the row is about: the claim of its dot.
    pub(crate) fn of_value(&self) -> Option<&str> {
        matches!(self.mark, MarkKind::OfRange(RangeMark::Value, _)).then_some(&*self.claims)
    }

    /// What it is held to.
    pub(super) fn of_threshold(&self) -> Option<&str> {
        matches!(self.mark, MarkKind::OfRange(RangeMark::Threshold, _)).then_some(&*self.claims)
    }

    /// The ends of its interval.
    pub(crate) fn of_interval(&self) -> Option<(&str, &str)> {
        if !matches!(self.mark, MarkKind::OfRange(RangeMark::Interval, _)) {
            return None;
        }
        self.claims.split_once(' ')
    }

    /// Does it stand where the numbers of its claims put it? Of one without a number it does not.
    pub(crate) fn stands(&self, number_of: impl Fn(&str) -> Option<f64>) -> bool {
        let number = |claim: &str| match claim {
            ABSENT => Some(None),
            claim => number_of(claim).map(Some),
        };
        let found: Option<Vec<Option<f64>>> = self.claims.split_whitespace().map(number).collect();
        let Some(numbers) = found else { return false };
        let wanted = match self.mark {
            MarkKind::Line(scale, _) => written([("points", line_points(scale, &numbers))]),
            MarkKind::Nothing(scale) => line_of_nothing(scale).map(written).unwrap_or_default(),
            MarkKind::OfRange(mark, scale) => {
                let Some(numbers) = numbers.into_iter().collect::<Option<Vec<f64>>>() else { return false };
                written(mark.geometry(scale, &numbers))
            }
        };
        *self.geometry == wanted
    }
}

fn written(attributes: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> String {
    attributes.into_iter().map(|(name, value)| format!("{}={};", name.as_ref(), value.as_ref())).collect()
}
