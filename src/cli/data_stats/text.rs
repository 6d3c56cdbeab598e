//! `data stats` in a terminal: no line is wider than 80 columns.

use super::numbers::{GroupSizes, LabelStatistics, ManyValues};
use console::style;
use visavis_core::domain::text::{count, printable, shorten, thousands};

const NAME: usize = 24;
const BAR: usize = 18;
/// As many columns of the heat map stand beside each other.
const BLOCK: usize = 50;
const STRONGEST: usize = 10;

/// The lines; with colour only where standard output takes it.
pub(super) fn lines(found: &LabelStatistics) -> Vec<String> {
    let mut lines = frequencies(found);
    lines.extend(found.many_values.iter().map(many_values));
    lines.extend(heat_map(found));
    lines.extend(found.sizes.iter().flat_map(sizes));
    lines
}

/// A name in a cell of this many columns.
fn cell(name: &str, width: usize) -> String {
    let name = shorten(&printable(name), width);
    let room = width.saturating_sub(console::measure_text_width(&name));
    format!("{name}{}", " ".repeat(room))
}

/// A bar of a share of all room, to half a column.
fn bar(share: f64, room: usize) -> String {
    let halves = (share.clamp(0.0, 1.0) * 2.0 * room as f64).round() as usize;
    let half = if halves % 2 == 1 { "▌" } else { "" };
    format!("{}{half}", "█".repeat(halves / 2))
}

fn frequencies(found: &LabelStatistics) -> Vec<String> {
    if found.counts.is_empty() {
        return vec![];
    }
    let head = format!("  {}  {:>9}  {:>9}  {:>7}", cell("attribute", NAME), "images", "of", "share");
    let row = |of: &super::numbers::LabelCount| {
        let numbers = format!("{:>9}  {:>9}  {:>5.1} %", thousands(of.positives), thousands(of.n), 100.0 * of.share());
        let line = format!("  {}  {numbers}  {}", cell(&of.name(), NAME), style(bar(of.share(), BAR)).blue());
        line.trim_end().to_owned()
    };
    [String::new(), "How often each attribute occurs".to_owned(), head].into_iter().chain(found.counts.iter().map(row)).collect()
}

fn many_values(of: &ManyValues) -> String {
    let numbers = of.quantiles.map_or(String::new(), |at| format!("; median {}, from {} to {}", at[3], at[0], at[6]));
    format!("  {}: {} of {}{numbers}", cell(&of.attribute, NAME).trim_end(), count(of.values, "value"), count(of.n, "image"))
}

/// One sign a pair: digits for pairs that go together, letters for those that do not.
fn sign(phi: f64) -> char {
    let strength = (phi.abs() * 10.0 + 1e-9).floor().min(9.0) as u8;
    match strength {
        0 => '·',
        tenths if phi > 0.0 => char::from(b'0' + tenths),
        tenths => char::from(b'a' + tenths - 1),
    }
}

fn heat_map(found: &LabelStatistics) -> Vec<String> {
    if found.pairs.is_empty() {
        return vec![];
    }
    let mut lines = vec![
        String::new(),
        "How far each two attributes go together: φ, over images with both labels".to_owned(),
        "  1 to 9: φ is at least 0.1 to 0.9 · a to i: at most −0.1 to −0.9".to_owned(),
        "  · between · blank: not defined, or values of one attribute".to_owned(),
    ];
    let n = found.names.len();
    let number = n.to_string().len();
    for start in (0..n).step_by(BLOCK) {
        let columns = start..n.min(start + BLOCK);
        let indent = " ".repeat(2 + number + 1 + 20 + 1);
        for digit in (0..number).rev() {
            let digit = |column: usize| {
                let text = format!("{:>number$}", column + 1);
                text.as_bytes()[number - 1 - digit] as char
            };
            lines.push(format!("{indent}{}", columns.clone().map(digit).collect::<String>()).trim_end().to_owned());
        }
        for row in start..n {
            let mut line = format!("  {:>number$} {} ", row + 1, cell(&found.names[row], 20));
            for column in columns.clone().take_while(|column| *column < row) {
                line += &match found.phi(row, column) {
                    None => " ".to_owned(),
                    Some(phi) if phi.abs() < 0.1 => "·".to_owned(),
                    Some(phi) if phi > 0.0 => style(sign(phi)).blue().bold().to_string(),
                    Some(phi) => style(sign(phi)).red().bold().to_string(),
                };
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.push(format!("  {:>6}  {:>9}  the strongest pairs", "φ", "images"));
    for ((row, column), phi, table) in found.strongest(STRONGEST) {
        let names = [row, column].map(|place| cell(&found.names[place], 27).trim_end().to_owned());
        lines.push(format!("  {:>6}  {:>9}  {} × {}", signed(phi), thousands(table.n()), names[0], names[1]));
    }
    lines
}

fn signed(phi: f64) -> String {
    format!("{phi:.2}").replace('-', "−")
}

fn sizes(of: &GroupSizes) -> Vec<String> {
    let groups = if of.of == "class" { "classes" } else { "identities" };
    let [least, low, quarter, median, three, high, most] = of.quantiles.map(thousands);
    let mut lines = vec![
        String::new(),
        format!("How many images {groups} have"),
        format!("  least {least} · 5 % {low} · 25 % {quarter} · median {median} · 75 % {three} · 95 % {high} · most {most}"),
    ];
    let greatest = of.ranges.iter().map(|(_, _, n)| *n).max().unwrap_or(0).max(1);
    for (from, to, n) in &of.ranges {
        let range = if from == to { thousands(*from) } else { format!("{}–{}", thousands(*from), thousands(*to)) };
        let bar = style(bar(*n as f64 / greatest as f64, 36)).green();
        lines.push(
            format!("  {range:>15} {:<6}  {:>9}  {bar}", if *to == 1 { "image" } else { "images" }, thousands(*n))
                .trim_end()
                .to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::{dataset::Collection, domain::image::Column};

    #[test]
    fn signs_say_tenths() {
        assert_eq!([0.05, 0.1, 0.35, 1.0, -0.1, -0.99, -0.3].map(sign), ['·', '1', '3', '9', 'a', 'i', 'c']);
        assert_eq!((bar(0.5, 3), bar(0.0, 3), bar(2.0, 2)), ("█▌".to_owned(), String::new(), "██".to_owned()));
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let ids: Vec<String> = (0..300).map(|i| format!("{i:03}")).collect();
        let mut set = Collection { ids: ids.clone(), ..Collection::default() };
        for attribute in 0..120 {
            let column: Column =
                ids.iter().enumerate().map(|(i, id)| (id.clone(), (i * (attribute + 3) / 7 % 2).to_string())).collect();
            set.labels.insert(format!("an_attribute_with_a_very_long_name_{attribute}"), column);
        }
        set.identities = Some(ids.iter().map(|id| (id.clone(), id[..2].to_owned())).collect());
        console::set_colors_enabled(false);
        let lines = lines(&LabelStatistics::of(&set));
        assert!(lines.len() > 300);
        for line in &lines {
            assert!(line.chars().count() <= 80, "{}: {line}", line.chars().count());
            assert!(!line.contains('\u{1b}'), "{line}");
        }
    }
}
