//! A small chart of lines: a number at each of several steps, from left to right. What the lines and steps are called stands beside it as
//! text; like a row ([`super::range()`]) it is drawn from numbers alone, so an audit draws it again from the page's claims.

use super::RangeScale;

/// The sheet of every such chart.
pub const LINES_BOX: &str = "0 0 300 120";
/// Lines that a chart may have: as many as there are classes for them.
pub const MOST_LINES: usize = 8;
const LEFT: f64 = 6.0;
const WIDTH: f64 = 288.0;
const TOP: f64 = 6.0;
const HEIGHT: f64 = 108.0;
/// Stands for a number that is not there.
pub const ABSENT: &str = "-";

/// Where a line goes: the value of its `points`. A step without a number is passed over.
pub fn line_points(scale: RangeScale, numbers: &[Option<f64>]) -> String {
    let steps = numbers.len().saturating_sub(1).max(1) as f64;
    let place = |(step, number): (usize, &Option<f64>)| {
        let height = HEIGHT * (1.0 - scale.share((*number)?));
        Some(format!("{:.1},{:.1}", LEFT + WIDTH * step as f64 / steps, TOP + height))
    };
    let places: Vec<String> = numbers.iter().enumerate().filter_map(place).collect();
    match &places[..] {
        // A line of one point has no length, and is drawn as a dot.
        [one] => format!("{one} {one}"),
        places => places.join(" "),
    }
}

/// Where nothing is, as a line across the sheet: its attributes.
pub fn line_of_nothing(scale: RangeScale) -> Option<Vec<(&'static str, String)>> {
    let y = format!("{:.1}", TOP + HEIGHT * (1.0 - scale.share(scale.zero()?)));
    let [x1, x2] = [LEFT, LEFT + WIDTH].map(|x| format!("{x:.1}"));
    Some(vec![("x1", x1), ("x2", x2), ("y1", y.clone()), ("y2", y)])
}

/// The class of a line, by its place.
pub fn line_class(place: usize) -> Option<String> {
    (place < MOST_LINES).then(|| format!("l{place}"))
}

/// Draws lines, each a list of the id of a claim and its number, or nothing, by step. All have as many steps as the longest; a line without
/// any number is drawn nowhere. Of more than [`MOST_LINES`] the others are left out.
pub fn lines(scale: RangeScale, lines: &[Vec<Option<(&str, f64)>>]) -> String {
    let zero = line_of_nothing(scale).map(|attributes| {
        let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        format!("<line class=\"zero\"{attributes}/>")
    });
    let longest = lines.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let line = |(place, steps): (usize, &Vec<Option<(&str, f64)>>)| {
        let class = line_class(place)?;
        let steps = steps.iter().copied().chain(std::iter::repeat(None)).take(longest);
        let (claims, numbers): (Vec<&str>, Vec<Option<f64>>) =
            steps.map(|step| step.map_or((ABSENT, None), |(id, number)| (id, Some(number)))).unzip();
        let points = line_points(scale, &numbers);
        Some(format!("<polyline class=\"{class}\" data-claim=\"{}\" points=\"{points}\"/>", claims.join(" ")))
    };
    let drawn: String = lines.iter().enumerate().filter_map(line).collect();
    let zero = zero.unwrap_or_default();
    format!("<svg class=\"lines {}\" viewBox=\"{LINES_BOX}\" aria-hidden=\"true\">{zero}{drawn}</svg>", scale.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_through_their_numbers_and_pass_over_what_is_absent() {
        let drawn =
            lines(RangeScale::Share, &[vec![Some(("c0", 0.0)), None, Some(("c1", 1.0))], vec![None, Some(("c2", 0.5)), None]]);
        assert_eq!(
            drawn,
            "<svg class=\"lines share\" viewBox=\"0 0 300 120\" aria-hidden=\"true\">\
             <polyline class=\"l0\" data-claim=\"c0 - c1\" points=\"6.0,114.0 294.0,6.0\"/>\
             <polyline class=\"l1\" data-claim=\"- c2 -\" points=\"150.0,60.0 150.0,60.0\"/></svg>"
        );
        assert!(lines(RangeScale::Auc, &[]).contains("<line class=\"zero\" x1=\"6.0\" x2=\"294.0\" y1=\"83.1\" y2=\"83.1\"/>"));
        assert_eq!(line_points(RangeScale::Auc, &[]), "");
        let short = lines(RangeScale::Share, &[vec![], vec![Some(("c0", 0.0))], vec![Some(("c1", 1.0)); 2]]);
        assert!(short.contains("data-claim=\"- -\" points=\"\"") && short.contains("data-claim=\"c0 -\""), "{short}");
    }

    #[test]
    fn more_lines_than_there_are_classes_are_left_out() {
        let many = vec![vec![Some(("c0", 0.5))]; MOST_LINES + 1];
        assert_eq!(lines(RangeScale::Share, &many).matches("<polyline").count(), MOST_LINES);
    }
}
