use super::*;

fn outline(page: &str) -> String {
    let tree = parse(&[page], &|| false).unwrap();
    let mut out = String::new();
    tree.walk(DOCUMENT, |at, entered| match (tree.what(at), entered) {
        (NodeKind::Element(name, _), true) => out += &format!("<{}", &*name.local),
        (NodeKind::Element(..), false) => out.push('>'),
        (NodeKind::Text(text), true) => out += text,
        (NodeKind::Comment, true) => out.push('!'),
        _ => {}
    });
    out
}

#[test]
fn a_page_is_read_as_a_browser_reads_it() {
    assert_eq!(outline("<!DOCTYPE html><p>a<b>c"), "<html<head><body<pa<bc>>>>");
    // Text in a table is moved before it; what is in a template is no part of the page.
    assert_eq!(outline("<table>x<tr><td>y</table>"), "<html<head><bodyx<table<tbody<tr<tdy>>>>>>");
    assert_eq!(outline("<template><data>1</data></template><!-- c -->z"), "<html<head<template>!><bodyz>>");
    assert_eq!(outline("<b><p>1</b>2</p>"), "<html<head><body<b><p<b1>2>>>");
}

#[test]
fn attributes_and_entities_are_read_whatever_their_order_and_quotes() {
    let tree = parse(&["<!DOCTYPE html><data class=x data-claim='c1'>&#46;8&#x37;1</data>"], &|| false).unwrap();
    let mut found = Vec::new();
    tree.walk(DOCUMENT, |at, entered| {
        if entered && tree.name(at) == Some((NameSpace::Html, "data")) {
            found.push((tree.attribute(at, "data-claim").unwrap().to_owned(), tree.text(at)));
        }
    });
    assert_eq!(found, [("c1".to_owned(), ".871".to_owned())]);
    assert!(tree.is_standard && tree.errors.is_empty(), "{:?}", tree.errors);
    assert!(!parse(&["<p>"], &|| false).unwrap().is_standard);
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let parse = |page: &str, enough: &dyn Fn() -> bool| super::parse(&[page], enough);
    let many: String = (0..400_000).map(|i| format!("a{i}=1 ")).collect();
    assert!(parse(&format!("<p {many}>"), &|| false).unwrap_err().contains("attributes"));
    // Every tag of the body adds to the one that is open.
    for tag in ["html", "body"] {
        let more: String = (0..200).map(|i| format!("<{tag} a{i}>")).collect();
        assert!(parse(&more, &|| false).unwrap_err().contains("attributes"), "{tag}");
    }
    assert!(parse(&"<div>".repeat(1_000_000), &|| false).unwrap_err().contains("deep"));
    // Every paragraph takes up again whatever is open.
    let open: String = (0..100_000).map(|i| format!("<p><b x{i}>")).collect();
    assert!(parse(&open, &|| false).unwrap_err().contains("deep"));
    assert!(parse(&"<p>text".repeat(10_000), &|| true).unwrap_err().contains("too long"));
    // A long value is no many attributes.
    assert!(parse(&format!("<a href=\"{}\">", "QUJD".repeat(1_000_000)), &|| false).is_ok());
}
