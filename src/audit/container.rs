//! What a report may be made of: these elements, these attributes, these kinds of address. Whatever else a page holds could run,
//! ask for something, hide a number or show one that no claim stands behind, so it is told.

use super::markup::{MarkupTree, NameSpace, NodeIx};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// Elements of HTML that say nothing but how their text is set.
#[rustfmt::skip]
const PLAIN: &[&str] = &[
    "abbr", "article", "b", "bdi", "blockquote", "body", "br", "caption", "cite", "code", "col", "colgroup", "dd", "div", "dl", "dt",
    "em", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "kbd",
    "li", "main", "mark", "nav", "ol", "p", "pre", "q", "s", "section", "small", "span", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "u", "ul", "var", "wbr",
];

/// What any element of HTML may have.
#[rustfmt::skip]
const EVERYWHERE: &[&str] = &[
    "class", "id", "title", "lang", "role", "aria-label", "aria-labelledby", "aria-hidden", "tabindex",
];

/// Elements of a drawing.
#[rustfmt::skip]
const DRAWING: &[&str] = &[
    "svg", "g", "line", "polyline", "polygon", "path", "rect", "circle", "ellipse", "text", "tspan", "title", "desc", "image",
    "defs", "clipPath", "pattern", "linearGradient", "stop", "use",
];

/// What any element of a drawing may have; none of these runs or asks for anything once its value is looked at.
#[rustfmt::skip]
const DRAWN: &[&str] = &[
    "xmlns", "viewBox", "preserveAspectRatio", "class", "id", "role", "aria-label", "aria-labelledby", "aria-hidden", "x", "y",
    "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "width", "height", "points", "d", "transform", "opacity",
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin",
    "stroke-dasharray", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline",
    "clip-path", "clipPathUnits", "patternUnits", "offset", "stop-color", "stop-opacity", "gradientUnits", "href",
    "vector-effect", "shape-rendering", "image-rendering", "data-claim",
];

/// What is wrong with an element, if anything is.
pub(crate) fn fault(tree: &MarkupTree, at: NodeIx) -> Option<String> {
    let (space, name) = tree.name(at)?;
    let own: &[&str] = match (space, name) {
        (NameSpace::Html, "a") => &["href", "download"],
        (NameSpace::Html, "data") => &["data-claim"],
        (NameSpace::Html, "details") => &["open"],
        (NameSpace::Html, "div") => &["data-result"],
        (NameSpace::Html, "link") => &["rel", "href"],
        (NameSpace::Html, "meta") => return meta(tree, at),
        (NameSpace::Html, "td" | "th") => &["colspan", "rowspan", "scope", "headers"],
        (NameSpace::Html, "col" | "colgroup") => &["span"],
        (NameSpace::Html, "ol") => &["start", "reversed"],
        // The one script is data, and the one style is looked at by itself.
        (NameSpace::Html, "script") => &["type"],
        (NameSpace::Html, "style") => &[],
        (NameSpace::Html, name) if PLAIN.contains(&name) => &[],
        (NameSpace::Svg, name) if DRAWING.contains(&name) => DRAWN,
        _ => return Some(format!("the element <{name}> has no place in a report")),
    };
    let common: &[&str] = if space == NameSpace::Html { EVERYWHERE } else { &[] };
    for (attribute, value) in tree.attributes(at) {
        if !own.contains(&&*attribute) && !common.contains(&&*attribute) {
            return Some(format!("the attribute {attribute} of <{name}> has no place in a report"));
        }
        let stays = match (space, name, &*attribute) {
            (NameSpace::Html, "a", "href") => {
                value.starts_with('#')
                    || ["text/csv", "application/gzip"].iter().any(|kind| value.starts_with(&format!("data:{kind};base64,")))
            }
            (NameSpace::Html, "link", "href") => value == "data:,",
            (NameSpace::Html, "link", "rel") => value == "icon",
            (NameSpace::Svg, "image", "href") => is_picture(value),
            (NameSpace::Svg, _, "href") => value.starts_with('#'),
            (NameSpace::Svg, ..) => is_still(value),
            _ => true,
        };
        if !stays {
            return Some(format!("the attribute {attribute} of <{name}> leads out of the page: {}", start(value)));
        }
    }
    None
}

/// A picture that is in the page: a raster, for a drawing could hold more.
fn is_picture(address: &str) -> bool {
    ["data:image/png;base64,", "data:image/jpeg;base64,"].iter().any(|kind| address.starts_with(kind))
}

/// A value that names nothing elsewhere.
fn is_still(value: &str) -> bool {
    if !value.contains(['(', '\\', '@']) {
        return true;
    }
    let value = value.to_ascii_lowercase();
    !value.contains(['\\', '@']) && value.matches("url(").count() == value.matches("url(#").count() && !value.contains("image(")
}

fn meta(tree: &MarkupTree, at: NodeIx) -> Option<String> {
    let mut attributes: Vec<_> = tree.attributes(at).collect();
    attributes.sort();
    let names: Vec<&str> = attributes.iter().map(|(name, _)| &**name).collect();
    let is_usual = match names[..] {
        ["charset"] => attributes[0].1.eq_ignore_ascii_case("utf-8"),
        ["content", "name"] => matches!(attributes[1].1, "viewport" | "generator" | "visavis-made-of" | "visavis-seal"),
        // What it says is looked at with the style.
        ["content", "http-equiv"] => attributes[1].1.eq_ignore_ascii_case("content-security-policy"),
        _ => false,
    };
    (!is_usual).then(|| "the element <meta> says what no report says".to_owned())
}

/// The style of the reports that this program writes.
const STYLE: &str = include_str!("../../templates/report.css");

/// Is the style the one that this program writes? Of another nobody here knows what it hides or moves.
pub(crate) fn is_own_style(style: &str) -> bool {
    style == STYLE
}

/// What is wrong with a style, if this program is said to have written it: a style can hide text, or move it beside a number.
pub(crate) fn other_style(style: &str, program: &str) -> Option<String> {
    let own = concat!("visavis ", env!("CARGO_PKG_VERSION"));
    (program == own && !is_own_style(style)).then(|| format!("its style is not the one that {own} writes"))
}

/// What is wrong with the page's style, and with the policy that lets a browser use it and nothing else.
pub(crate) fn style_fault(style: &str, policy: Option<&str>) -> Option<String> {
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let expected = format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    if policy != Some(&*expected) {
        return Some("its content security policy is not a report's: a browser could load, run or style more".to_owned());
    }
    // Without comments and blanks, which may stand nearly anywhere.
    let mut lower = String::new();
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        lower += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    lower += rest;
    lower.retain(|c| !c.is_whitespace());
    let lower = lower.to_ascii_lowercase().replace("flex-direction:", "flex:");
    let forbidden = ["url(", "@import", "\\", "image(", "image-set(", "counter", "attr(", "unicode-bidi", "direction:"];
    if let Some(found) = forbidden.iter().find(|word| lower.contains(**word)) {
        return Some(format!("its style holds `{found}`, which no report's does"));
    }
    // What a style writes into the page is no text of it.
    let mut written = lower.split("content:").skip(1).map(|rest| rest.split([';', '}']).next().unwrap_or(""));
    let number = written.find(|text| text.contains(char::is_numeric));
    number.map(|text| format!("its style writes a number: {}", start(text)))
}

/// The start of what a page says, for a message.
pub(crate) fn start(text: &str) -> String {
    visavis_core::domain::text::shorten(&visavis_core::domain::text::quoted(text), 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::markup::{DOCUMENT, parse};

    fn faults(page: &str) -> Vec<String> {
        let tree = parse(&[&format!("<!DOCTYPE html>{page}")], &|| false).unwrap();
        let mut found = Vec::new();
        tree.walk(DOCUMENT, |at, entered| found.extend(entered.then(|| fault(&tree, at)).flatten()));
        found
    }

    #[test]
    fn what_a_report_is_made_of_is_let_be() {
        let fine = "<meta charset=utf-8><link rel=icon href='data:,'><p class=x>a<a href='#b'>b</a><data data-claim=c1>.8</data>\
            <svg viewBox='0 0 1 1'><g clip-path='url(#a)'><text x=1>.5</text><image href='data:image/png;base64,AA'/></g></svg>";
        assert_eq!(faults(fine), Vec::<String>::new());
    }

    #[test]
    fn whatever_could_run_or_ask_for_something_is_told() {
        for page in [
            "<script>1</script><iframe src=x>",
            "<img src='http://a.example/x.png'>",
            "<img src='data:image/png;base64,AA'>",
            "<svg><image href='data:image/svg+xml;base64,AA'/></svg>",
            "<meta http-equiv=refresh content='0;url=//a.example'>",
            "<meta charset=utf-7>",
            "<base href='//a.example/'>",
            "<link rel=stylesheet href='x.css'>",
            "<link rel=icon href='//a.example/i.png'>",
            "<link rel=prefetch href='data:,'>",
            "<p onclick='x()'>",
            "<P ONCLICK='x()'>",
            "<p style='background:url(x)'>",
            "<p hidden>",
            "<p dir=rtl>0<span dir=ltr>.999</span></p>",
            "<a href='javascript:x()'>x</a>",
            "<a href=' JaVaScRiPt:x()'>x</a>",
            "<a href='//a.example'>x</a>",
            "<a href='#x' ping='//a.example'>x</a>",
            "<form action='//a.example'><button>x</button></form>",
            "<svg><use href='//a.example/x.svg#a'/></svg>",
            "<svg><use xlink:href='//a.example/x.svg#a'/></svg>",
            "<svg><script>1</script></svg>",
            "<svg><style>*{}</style></svg>",
            "<svg><foreignObject><p>x</p></foreignObject></svg>",
            "<svg><rect fill='url(//a.example/x)'/></svg>",
            "<svg><rect fill='u\\72l(//a.example/x)'/></svg>",
            "<svg><image href='x.png'/></svg>",
            "<svg><a href='#'><text>x</text></a></svg>",
            "<svg><set attributeName='href' to='//a.example'/></svg>",
            "<template><p>x</p></template>",
            "<noscript><p>x</p></noscript>",
            "<object data=x></object>",
            "<embed src=x>",
            "<video src=x></video>",
            "<math><mi>x</mi></math>",
            "<data data-claim=c1 value=2>1</data>",
            "<textarea>x</textarea>",
            "<body background='//a.example/x.png'>",
        ] {
            assert!(!faults(page).is_empty(), "{page}");
        }
    }

    #[test]
    fn a_style_that_asks_for_something_or_writes_a_number_is_told() {
        let policy = |style: &str| {
            let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
            format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
        };
        let of = |style: &str| style_fault(style, Some(&policy(style)));
        assert_eq!(of("p{color:red}a::after{content:\"→\"}"), None);
        for style in
            ["p{background:URL(x)}", "@import 'x'", "p::after{content:'.999'}", "p::after{content/**/: '.9'}", "p{b:u\\72l(x)}"]
        {
            assert!(of(style).is_some(), "{style}");
        }
        assert!(style_fault("p{}", None).is_some() && style_fault("p{}", Some(&policy("q{}"))).is_some());
    }
}
