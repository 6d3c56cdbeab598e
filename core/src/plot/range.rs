//! A row of a chart: a number, its interval, and what it is held against, as marks on one line. Names and numbers stand beside it as text:
//! a row has no letter in it. It is drawn from numbers alone, so an audit draws it again from the page's claims.

/// What the line runs over; a number beyond it stands at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeScale {
    /// An AUC, from somewhat below chance to one.
    Auc,
    /// A difference of two AUCs, from −0.5 to 0.5.
    Difference,
    /// A difference of two rates, from −1 to 1.
    Gap,
    /// A share, from 0 to 1.
    Share,
}

/// A mark on the line. In a page its element has the mark's word as its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeMark {
    /// Where nothing is: chance, or no difference. Of no number.
    Zero,
    /// What the number is held to: a dashed upright line.
    Threshold,
    /// From the low to the high end of an interval: of two numbers.
    Interval,
    /// The same of another, such as of another model: a ring.
    Ring,
    /// A number of another kind, such as a probe's or the best that labels allow: a diamond.
    Diamond,
    /// The number that the row is of: a dot.
    Value,
}

/// The sheet of every row.
pub const RANGE_BOX: &str = "0 0 300 18";
const LEFT: f64 = 8.0;
const WIDTH: f64 = 284.0;

impl RangeScale {
    const ALL: [RangeScale; 4] = [RangeScale::Auc, RangeScale::Difference, RangeScale::Gap, RangeScale::Share];

    /// As templates and classes name it.
    pub fn word(self) -> &'static str {
        match self {
            RangeScale::Auc => "auc",
            RangeScale::Difference => "difference",
            RangeScale::Gap => "gap",
            RangeScale::Share => "share",
        }
    }

    /// The scale of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.word() == word)
    }

    /// Low end, high end.
    fn ends(self) -> (f64, f64) {
        match self {
            RangeScale::Auc => (0.3, 1.0),
            RangeScale::Difference => (-0.5, 0.5),
            RangeScale::Gap => (-1.0, 1.0),
            RangeScale::Share => (0.0, 1.0),
        }
    }

    /// Chance, or no difference; a share has none.
    pub(super) fn zero(self) -> Option<f64> {
        match self {
            RangeScale::Auc => Some(0.5),
            RangeScale::Difference | RangeScale::Gap => Some(0.0),
            RangeScale::Share => None,
        }
    }

    /// How far along the line a number is: from 0 to 1.
    pub(super) fn share(self, number: f64) -> f64 {
        let (low, high) = self.ends();
        ((number - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl RangeMark {
    const ALL: [RangeMark; 6] =
        [RangeMark::Zero, RangeMark::Threshold, RangeMark::Interval, RangeMark::Ring, RangeMark::Diamond, RangeMark::Value];

    /// The name of its element, and its class.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            RangeMark::Zero => ("line", "zero"),
            RangeMark::Threshold => ("line", "threshold"),
            RangeMark::Interval => ("line", "interval"),
            RangeMark::Ring => ("circle", "ring"),
            RangeMark::Diamond => ("path", "diamond"),
            RangeMark::Value => ("circle", "value"),
        }
    }

    /// The mark of an element of this name and class.
    pub fn of_words(element: &str, class: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.words() == (element, class))
    }

    /// Where it stands among the marks of a row: those that come later lie over others.
    pub fn order(self) -> usize {
        match self {
            RangeMark::Zero => 0,
            RangeMark::Threshold => 1,
            RangeMark::Ring => 2,
            RangeMark::Diamond => 3,
            RangeMark::Interval => 4,
            RangeMark::Value => 5,
        }
    }

    /// Of how many numbers it is.
    pub fn numbers(self) -> usize {
        match self {
            RangeMark::Zero => 0,
            RangeMark::Interval => 2,
            RangeMark::Threshold | RangeMark::Ring | RangeMark::Diamond | RangeMark::Value => 1,
        }
    }

    /// What says where it stands, in the order of its element; `numbers`: as many as [`RangeMark::numbers`] says.
    pub fn geometry(self, scale: RangeScale, numbers: &[f64]) -> Vec<(&'static str, String)> {
        let zero = scale.zero().unwrap_or(scale.ends().0);
        let at = |number: Option<&f64>| LEFT + WIDTH * scale.share(*number.unwrap_or(&zero));
        let (first, last) = (at(numbers.first()), at(numbers.last()));
        let fixed = |name, value: &str| (name, value.to_owned());
        let placed = |name, value: f64| (name, format!("{value:.1}"));
        match self {
            RangeMark::Zero | RangeMark::Threshold => {
                vec![placed("x1", first), placed("x2", first), fixed("y1", "0"), fixed("y2", "18")]
            }
            RangeMark::Interval => vec![placed("x1", first), placed("x2", last), fixed("y1", "9"), fixed("y2", "9")],
            RangeMark::Ring => vec![placed("cx", first), fixed("cy", "9"), fixed("r", "4")],
            RangeMark::Diamond => vec![("d", format!("M{first:.1} 3.5l5 5.5-5 5.5-5-5.5z"))],
            RangeMark::Value => vec![placed("cx", first), fixed("cy", "9"), fixed("r", "4.5")],
        }
    }

    /// `claims`: the ids of its numbers.
    fn element(self, scale: RangeScale, claims: &[&str], numbers: &[f64]) -> String {
        let (name, class) = self.words();
        let mut element = format!("<{name} class=\"{class}\"");
        if !claims.is_empty() {
            element += &format!(" data-claim=\"{}\"", claims.join(" "));
        }
        for (attribute, value) in self.geometry(scale, numbers) {
            element += &format!(" {attribute}=\"{value}\"");
        }
        element + "/>"
    }
}

/// Draws a row. `marks`: each with the ids of its claims and their numbers; later ones lie over earlier ones. Where nothing is need not be
/// among them.
pub fn range(scale: RangeScale, marks: &[(RangeMark, Vec<(&str, f64)>)]) -> String {
    let zero = scale.zero().map(|_| RangeMark::Zero.element(scale, &[], &[])).unwrap_or_default();
    let drawn = marks.iter().map(|(mark, numbers)| {
        let (claims, numbers): (Vec<&str>, Vec<f64>) = numbers.iter().copied().unzip();
        mark.element(scale, &claims, &numbers)
    });
    let drawn: String = drawn.collect();
    format!("<svg class=\"range {}\" viewBox=\"{RANGE_BOX}\" aria-hidden=\"true\">{zero}{drawn}</svg>", scale.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_their_numbers_are() {
        let drawn = range(
            RangeScale::Share,
            &[(RangeMark::Interval, vec![("c1", 0.25), ("c2", 0.75)]), (RangeMark::Value, vec![("c0", 0.5)])],
        );
        assert_eq!(
            drawn,
            "<svg class=\"range share\" viewBox=\"0 0 300 18\" aria-hidden=\"true\">\
             <line class=\"interval\" data-claim=\"c1 c2\" x1=\"79.0\" x2=\"221.0\" y1=\"9\" y2=\"9\"/>\
             <circle class=\"value\" data-claim=\"c0\" cx=\"150.0\" cy=\"9\" r=\"4.5\"/></svg>"
        );
        let of_auc = range(RangeScale::Auc, &[]);
        assert!(of_auc.contains("<line class=\"zero\" x1=\"89.1\" x2=\"89.1\" y1=\"0\" y2=\"18\"/>"), "{of_auc}");
    }

    #[test]
    fn what_is_beyond_the_line_stands_at_its_end() {
        let at = |number| RangeMark::Value.geometry(RangeScale::Auc, &[number])[0].1.clone();
        assert_eq!([at(-1.0), at(0.3), at(1.0), at(7.0)], ["8.0", "8.0", "292.0", "292.0"].map(str::to_owned));
    }

    #[test]
    fn words_lead_back_to_scales_and_marks() {
        assert!(RangeScale::ALL.iter().all(|scale| RangeScale::of_word(scale.word()) == Some(*scale)));
        assert!(RangeMark::ALL.iter().all(|mark| RangeMark::of_words(mark.words().0, mark.words().1) == Some(*mark)));
        assert_eq!((RangeScale::of_word("x"), RangeMark::of_words("circle", "zero")), (None, None));
    }
}
