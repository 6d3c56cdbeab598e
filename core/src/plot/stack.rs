//! Several figures in one file, one below the other.

use super::{
    DrawingResult,
    paint::{anchored, ink, sheet, told},
};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

const HEAD: u32 = 34;
const GAP: u32 = 20;
const MARGIN: u32 = 12;

/// Width and height of a figure that this module's siblings drew.
fn size(svg: &str) -> Option<(u32, u32)> {
    let mut numbers = svg.split_once("viewBox=\"0 0 ")?.1.split('"').next()?.split(' ').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Draws figures below each other, each under its heading, as a file of its own: it says its size, and what is foreground is black on white.
///
/// # Errors
/// A drawing that cannot be made.
pub fn stack(title: &str, figures: &[(String, String)]) -> DrawingResult {
    let sized: Vec<(&str, &str, (u32, u32))> = figures
        .iter()
        .map(|(heading, svg)| Some((heading.as_str(), svg.as_str(), size(svg)?)))
        .collect::<Option<_>>()
        .ok_or("a figure says no size")?;
    let width = sized.iter().map(|(_, _, (width, _))| *width).max().unwrap_or(0) + 2 * MARGIN;
    let height = sized.iter().map(|(_, _, (_, height))| HEAD + height + GAP).sum::<u32>() + MARGIN;
    let drawn = sheet(title, width, height, |root| {
        let mut below = String::new();
        let mut top = MARGIN;
        for (heading, svg, (width, height)) in &sized {
            let style = anchored(&ink(18, 1.0), HPos::Left, VPos::Center);
            root.draw(&Text::new((*heading).to_owned(), (MARGIN as i32, (top + HEAD / 2) as i32 - 4), style)).map_err(told)?;
            let place = format!("<svg x=\"{MARGIN}\" y=\"{}\" width=\"{width}\" height=\"{height}\" ", top + HEAD);
            below += &svg.trim_end().replacen("<svg ", &place, 1);
            top += HEAD + height + GAP;
        }
        Ok(below)
    })?;
    let own = format!("<svg width=\"{width}\" height=\"{height}\" style=\"background: white; color: black\" ");
    Ok(drawn.replacen("<svg ", &own, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Bar, SizeBar, frequencies, sizes};

    #[test]
    fn figures_stand_below_each_other() {
        let bars = [Bar { name: "Male & <young>".to_owned(), positives: 3, n: 4 }];
        let first = frequencies(&bars).unwrap();
        let second = sizes("How many images identities have", "image", &[SizeBar { from: 3, to: 4, groups: 2 }]).unwrap();
        let (one, two) = (size(&first).unwrap(), size(&second).unwrap());
        let drawn = stack("Labels", &[("Frequencies".to_owned(), first), ("Identities".to_owned(), second)]).unwrap();
        assert_eq!(drawn.matches("<svg ").count(), 3);
        let below = format!("y=\"{}\" width=\"{}\"", MARGIN + HEAD + one.1 + GAP + HEAD, two.0);
        assert!(drawn.contains(&below) && drawn.starts_with("<svg width="), "{drawn}");
        assert!(drawn.contains("3–4 images") && drawn.contains("Male &amp; &lt;young&gt;"), "{drawn}");
    }
}
