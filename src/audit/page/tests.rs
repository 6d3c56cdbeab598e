use super::*;

fn reading(body: &str) -> PageReading {
    let tree = parse(&[&format!("<!DOCTYPE html><body>{body}")], &|| false).unwrap();
    let mut reading = PageReading::default();
    reading.look_at(&tree);
    reading
}

fn odd(body: &str) -> String {
    reading(body).odd.told().into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")
}

fn strays(body: &str) -> Vec<String> {
    let names = Names::of_texts(&["resnet34-width0.0625.", "min_dist: 1e-3", "<b>95.5 %</b>", "0.125", "a = 0.5", "x.html"]);
    let (mut stray, mut odd) = (BoundedFindings::default(), BoundedFindings::default());
    let texts = reading::without_names(reading(body).lines, &names, &mut odd, &mut BoundedFindings::default());
    search(&texts, &|| false, &mut stray, &mut odd);
    stray.told().into_iter().chain(odd.told()).map(|(_, what)| what).collect()
}

#[test]
fn numbers_that_are_put_together_are_seen() {
    assert_eq!(
        strays("<p>AUC .999 <data data-claim=c1>.871</data> and <code>.123</code> <code>．１２４ of code</code></p>"),
        [".999", ".123", ".124"]
    );
    for body in [
        "<p>.8<b>71</b></p>",
        "<p title='.871'>x</p>",
        "<p>&#46;8&#x37;1</p>",
        "<p>.8&shy;71</p>",
        "<p>.8&#x200b;<i>71</i></p>",
        "<p>.8<span class=class>71</span></p>",
        "<p>.8<meta name=generator content=x>71</p>",
        "<p>.8<wbr>71</p>",
        "<svg class=strip><text>.871</text></svg>",
        "<svg class=strip aria-label='.871'></svg>",
    ] {
        assert_eq!(strays(body), [".871"], "{body}");
    }
    assert_eq!(strays("<p>.8</p><p>71</p>"), [""; 0]);
    assert_eq!(strays("<td><span class=class>b <data data-claim=c1>7</data></span><span class=class>1</span></td>"), [""; 0]);
    for joined in [
        "<p>9<data data-claim=c1>.8</data></p>",
        "<p><data data-claim=c1>.8</data><b>9</b></p>",
        "<p><data data-claim=c1>.8</data><span class=class>9</span></p>",
        "<p>−<data data-claim=c1>.8</data></p>",
        "<p>AUC .9<bdi>x.html</bdi></p>",
        "<p>AUC .9<code>87a</code></p>",
        "<p><data data-claim=c1>6</data><data data-claim=c2>0.996</data></p>",
        "<p><data data-claim=c1>6</data><bdi>x.html</bdi></p>",
        "<p><bdi>x.html</bdi><b>.5</b></p>",
        "<p>–<data data-claim=c1>.8</data></p>",
        "<p><data data-claim=c1>.8</data> %</p>",
    ] {
        assert!(!strays(joined).is_empty(), "{joined}");
    }
    assert_eq!(
        strays("<p>to <data data-claim=c1>.8</data>. (<data data-claim=c1>.8</data>–<data data-claim=c1>.8</data>)</p>"),
        [""; 0]
    );
}

#[test]
fn what_is_marked_up_as_a_name_is_one_or_is_told() {
    for held in [
        "<p>in <bdi>resnet34-width0.0625.</bdi>, <b class=name><bdi>min_dist: 1e-3</bdi></b> and <bdi>&lt;b&gt;95.5 %&lt;/b&gt;</bdi>.</p>",
        "<p>(<bdi>“0.125”</bdi>) <code>visavis audit <bdi>x.html</bdi></code></p>",
        "<title>min_dist: 1e-3 · Visavis</title>",
        "<title>0.125 · Visavis</title>",
    ] {
        assert_eq!(strays(held), [""; 0], "{held}");
    }
    for (body, number) in [
        ("<p><bdi>resnet34-width0.0625.</bdi> .912</p>", ".912"),
        ("<p><bdi>“0.125”</bdi> 0.125</p>", "0.125"),
        ("<p>resnet34-width0.0625.</p>", "0.0625"),
        ("<p><q>min .999</q></p>", ".999"),
        ("<title>AUC .999</title>", ".999"),
    ] {
        assert_eq!(strays(body), [number], "{body}");
    }
    for (body, number) in [
        ("<p><bdi>resnet34-width0.0625</bdi></p>", "0.0625"),
        ("<p><bdi>0.125</bdi></p>", "0.125"),
        ("<p><bdi>AUC .999</bdi></p>", ".999"),
        ("<p>AUC .9<bdi>99</bdi></p>", ".999"),
        ("<title>AUC .999 · Visavis</title>", ".999"),
    ] {
        let found = strays(body);
        assert!(found.len() == 2 && found[0] == number && found[1].contains("holds no such name"), "{body}: {found:?}");
    }
    for body in ["<bdi>a<b>x</b></bdi>", "<bdi></bdi>", "<bdi title=x>min_dist: 1e-3</bdi>", "<code><b>x</b></code>"] {
        assert!(!odd(body).is_empty(), "{body}");
    }
}

#[test]
fn a_row_of_a_chart_has_marks_that_stand_where_their_claims_put_them() {
    use std::collections::HashMap;
    use visavis_core::plot::{RangeMark, RangeScale, range};
    let marks = |value: f64, high: f64| {
        let (interval, ring) = (vec![("c1", 0.7), ("c2", high)], vec![("c4", 0.6)]);
        let of = [
            (RangeMark::Threshold, vec![("c3", 0.7)]),
            (RangeMark::Ring, ring),
            (RangeMark::Interval, interval),
            (RangeMark::Value, vec![("c0", value)]),
        ];
        range(RangeScale::Auc, &of)
    };
    let numbers = HashMap::from([("c0", 0.8), ("c1", 0.7), ("c2", 0.9), ("c3", 0.7), ("c4", 0.6)]);
    let within = |row: &str, figure: &str, body: &str| {
        let shown = |claim: &str| format!("<data data-claim={claim}>x</data>");
        let (row, figure) = (shown(row), shown(figure));
        format!("<figure><p>{figure}</p><table><tbody><tr><td>{row}</td><td>{body}</td></tr></tbody></table></figure>")
    };
    let read = |page: &str| {
        let reading = reading(page);
        let odd = reading.odd.told().into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ");
        (odd, reading.chart_marks.iter().filter(|mark| !mark.stands(|claim| numbers.get(claim).copied())).count())
    };
    let in_row = |body: &str| read(&within("c0", "c3", body));
    let honest = marks(0.8, 0.9);
    assert_eq!(in_row(&honest), (String::new(), 0));
    assert_eq!(in_row(&format!("{honest}{honest}")), (String::new(), 0), "charts have many rows");
    assert_eq!(in_row(&marks(0.81, 0.9)), (String::new(), 1));
    assert_eq!(in_row(&marks(0.8, 0.95)), (String::new(), 1));
    assert_eq!(in_row(&honest.replace("r=\"4.5\"", "r=\"9\"")), (String::new(), 1));
    for claim in ["c4", "c9"] {
        let other = in_row(&honest.replace("data-claim=\"c0\"", &format!("data-claim=\"{claim}\"")));
        assert!(other.0.contains("whose number is not in its row") && other.1 == 1, "{other:?}");
    }
    assert!(read(&within("c0", "c4", &honest)).0.contains("whose number is not in its figure"));
    assert!(read(&format!("<figure><p>{honest}</p></figure>")).0.contains("a drawing outside a figure"), "of no row");
    let (dot, ring) = ("<circle class=\"value\"", "<circle class=\"ring\"");
    for (from, to) in [
        ("data-claim=\"c1 c2\"", "data-claim=\"c1\""),
        ("class=\"ring\"", "class=\"picked\""),
        ("range auc", "range x"),
        ("0 0 300 18", "0 0 300 180"),
        ("</svg>", "<text>1</text></svg>"),
        ("</svg>", "<svg></svg></svg>"),
        // Another order, no dot, two thresholds.
        (ring, dot),
        (dot, ring),
        ("class=\"zero\"", "class=\"zero\" x1=\"9\"/><line class=\"zero\""),
    ] {
        assert!(honest.contains(from), "{from}");
        assert!(in_row(&honest.replacen(from, to, 1)).0.contains("a drawing outside a figure"), "{to}");
    }
}

#[test]
fn lines_of_a_chart_go_where_their_claims_put_them() {
    use std::collections::HashMap;
    use visavis_core::plot::{RangeScale, lines};
    let numbers = HashMap::from([("c0", 0.6), ("c1", 0.9)]);
    let read = |body: &str| {
        let reading = reading(body);
        (
            reading.odd.told().len(),
            reading.chart_marks.iter().filter(|mark| !mark.stands(|claim| numbers.get(claim).copied())).count(),
        )
    };
    let honest = lines(RangeScale::Auc, &[vec![Some(("c0", 0.6)), None, Some(("c1", 0.9))], vec![Some(("c1", 0.9)); 3]]);
    assert_eq!(read(&honest), (0, 0));
    for (from, to) in
        [("c0 - c1", "c0 c1 -"), ("c0 - c1", "c0 - c9"), ("points=\"6.0", "points=\"7.0"), ("y1=\"83.1\"", "y1=\"40.0\"")]
    {
        assert!(honest.contains(from));
        assert_eq!(read(&honest.replacen(from, to, 1)), (0, 1), "{to}");
    }
    for (from, to) in [("class=\"l0\"", "class=\"l9\""), ("polyline class", "path class"), ("lines auc", "lines x")] {
        assert!(read(&honest.replacen(from, to, 1)).0 > 0, "{to}");
    }
}

#[test]
fn nothing_is_drawn_outside_a_figure_but_a_strip() {
    let strip = |line: &str| format!("<svg class=strip viewBox='0 0 1000 46' role=img aria-label=x>{line}</svg>");
    for line in [
        "<line class=mark x1=7 x2=7 y1=0 y2=46 />",
        "<line class=picked y1=2 x1=1000 x2=1000 y2=44 /><line y1=20 x1=0 x2=0 y2=44 />",
    ] {
        assert_eq!(odd(&strip(line)), "", "{line}");
    }
    // Short lines beside and above each other draw digits.
    for line in [
        "<line x1=3 x2=3 y1=0 y2=3 />",
        "<line x1=3 x2=3 y1=20 y2=23 />",
        "<line x1=3 x2=3 y1=30 y2=44 />",
        "<line x1=3.5 x2=3.5 y1=0 y2=46 />",
        "<line x1=3 x2=3 y1=0 y2=46 stroke-dasharray='1 2' />",
        "<line class=h1 x1=3 x2=3 y1=0 y2=46 />",
        "<line x1=3 x2=4 y1=0 y2=46 />",
        "<line y1=0 y2=46 />",
    ] {
        assert!(odd(&strip(line)).contains("a drawing outside a figure"), "{line}");
    }
    let one = strip("<line x1=3 x2=3 y1=0 y2=46 />");
    assert!(odd(&format!("{one}{one}")).contains("a second drawing"));
    assert_eq!(odd("<div data-result=k><svg><text>.9</text></svg></div>"), "");
    for body in [
        "<svg><line x1=1 x2=1 /></svg>",
        "<svg class=strip viewBox='0 0 100 21'><line x1=1 x2=1 y1=0 y2=46 /></svg>",
        "<svg class=strip viewBox='0 0 1000 46' width=9></svg>",
        "<svg class=strip><text>1</text></svg>",
        "<svg class=strip><line x1=1 x2=2 /></svg>",
        "<svg class=strip><path d='M0 0h9'/></svg>",
        "<svg class=strip><image href='data:image/png;base64,AA'/></svg>",
    ] {
        assert!(odd(body).contains("a drawing outside a figure"), "{body}: {}", odd(body));
    }
    assert!(odd("<p>.8<img src='data:image/png;base64,AA'>71</p>").contains("<img>"));
    for hidden in ["<meta name=generator content=x>", "<title>x</title>", "<link rel=icon href='data:,'>"] {
        assert!(odd(&format!("<p>.8{hidden}71</p>")).contains("outside the page's head"), "{hidden}");
    }
}

#[test]
fn a_claim_is_one_text_whatever_surrounds_it() {
    assert_eq!(odd("<p><data data-claim='c1'>.8</data></p>"), "");
    assert!(odd("<data data-claim=c1>.8<b>9</b></data>").contains("not one text"));
    assert!(odd("<data data-claim=c1></data>").contains("not one text"));
    assert!(odd("<data>.8</data>").contains("without a claim"));
    assert!(odd("<!-- <data data-claim=c1>.8</data> -->").contains("comment"));
    assert!(odd("<template><data data-claim=c1>.8</data></template>").contains("template"));
    assert!(odd("<script>1</script>").contains("script"));
    assert!(odd("<code>AUC <data data-claim=c1>.8</data></code>").contains("within <code>"));
    // A number in a comment or a template is not shown.
    assert!(reading("<!-- <data data-claim=c1>.8</data> --><template><data data-claim=c1>.8</data></template>").shown.is_empty());
    let both = reading("<data class=x data-claim=c1>.8</data><DATA data-claim='c1'>.9</DATA>").shown;
    assert_eq!(both.iter().map(|shown| (&*shown.claim, &*shown.text)).collect::<Vec<_>>(), [("c1", ".8"), ("c1", ".9")]);
}

#[test]
fn evidence_is_taken_from_the_text_only_where_a_browser_has_it() {
    let parts =
        |page: &str| PageParts::of(page).map(|parts| (parts.before.len(), parts.evidence.to_owned(), parts.after.into_owned()));
    assert_eq!(
        parts(&format!("<p>{MARK}{{}}</script></p>")),
        Some((3 + MARK.len(), "{}".to_owned(), "</script></p>".to_owned()))
    );
    assert_eq!(parts(&format!("{MARK}{{}}")), Some((MARK.len(), "{}".to_owned(), String::new())));
    assert_eq!(parts("<p>x</p>"), None);
    let read = |page: &str| read(page, Path::new("x.html"), &|| false).map(|_| ()).unwrap_err().what;
    for hidden in [
        format!("<!-- {MARK}{{}}</script> -->"),
        format!("<p title='{MARK}{{}}</script>'>"),
        format!("<title>{MARK}{{}}</script></title>"),
        format!("<style>{MARK}{{}}</script></style>"),
        // Another element that holds what stands for the evidence.
        format!("<title>{MARK}{{}}</script></title><script id=visavis-evidence>{SIGN}</script>"),
    ] {
        let why = read(&hidden);
        assert!(why.contains("carries no evidence") || why.contains("a tag within a tag"), "{hidden}: {why}");
    }
    assert!(read(&format!("{MARK}{{}}</script><script id=visavis-evidence></script>")).contains("a second element"));
    assert!(read(&format!("{MARK}{{}}</script>")).contains("damaged"));
    let large = "x".repeat(usize::try_from(LARGEST_SHOWN).unwrap());
    assert!(read(&format!("{MARK}{{}}</script>{large}")).contains("more than the 67.1 MB"));
}

#[test]
fn tables_to_download_are_no_part_of_what_is_read() {
    let cut = |page: &str| {
        let (text, tables) = without_tables(page);
        (text.into_owned(), tables)
    };
    let (link, end) = ("<p><a class=\"download\" href=\"data:text/csv;base64,", "\">x.csv</a>");
    assert_eq!(cut(&format!("{link}AA/+==={end} .9")), (format!("{link}{TABLE_SIGN}{end} .9"), 1));
    assert_eq!(cut(&format!("{link}{end}{link}QQ{end}")), (format!("{link}{TABLE_SIGN}{end}{link}{TABLE_SIGN}{end}"), 2));
    // What is no table stays.
    for other in [format!("{link}AA"), format!("{link}A A{end}"), "<p>AA".to_owned(), String::new()] {
        assert_eq!(cut(&other), (other.clone(), 0));
    }
    let tables = |page: &str| reading(&cut(page).0).tables;
    assert_eq!(tables(&format!("{link}AA{end}{link}AA{end}")), 2);
    // What is cut out elsewhere than in a link's address is no table, so their numbers are not the same.
    for hidden in ["<p>href=\"data:text/csv;base64,separates\"</p>", "<p title='href=\"data:text/csv;base64,AUC\"'>x</p>"] {
        assert_eq!((cut(hidden).1, tables(hidden)), (1, 0), "{hidden}");
    }
    assert!(PageParts::of(&format!("<p>{TABLE_SIGN}</p>{MARK}{{}}")).is_none());
    let large = "QQ".repeat(usize::try_from(LARGEST_SHOWN).unwrap() / 2);
    let page = format!("{link}{large}{end}{MARK}{{}}</script>");
    assert_eq!(PageParts::of(&page).unwrap().too_large(), None);
    assert!(too_large(&page).is_some_and(|why| why.contains("damaged")), "then its evidence is looked at");
    assert!(too_large(&page.replace("csv;", "csv,")).is_some_and(|why| why.contains("more than the 67.1 MB")));
}
