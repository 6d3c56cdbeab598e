use super::*;
use proptest::{prelude::*, test_runner::TestRunner};
use std::cell::Cell;

fn parse(text: &str) -> Expression {
    text.parse().unwrap()
}

#[test]
fn not_binds_tighter_than_and_and_tighter_than_or() {
    assert_eq!(parse("a or not b and c"), parse("a or ((not b) and c)"));
    assert_eq!(parse("race=caucasian and not Male").to_string(), "race=caucasian and not Male");
}

#[test]
fn values_in_quotes_are_told_from_words() {
    let quoted = |text: &str| {
        quoted_values(text).into_iter().map(|(attribute, value)| format!("{attribute}:{value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(quoted("region=\"NA\" and not (\"eye colour\"=\"n/a\" or x=NA)"), "region:NA eye colour:n/a");
    assert_eq!(quoted("region=NA or \"region\"=NA or \"x\""), "");
    assert_eq!(parse("region=\"NA\"").to_string(), "region=\"NA\"", "printed as it must be written");
    assert_eq!(parse("region=\"EU\"").to_string(), "region=EU");
}

#[test]
fn a_missing_label_puts_an_image_in_no_class() {
    let labels = |name: &str| match name {
        "Young" => Some("1"),
        "digit" => Some("7"),
        _ => None,
    };
    assert_eq!(parse("Young").holds(&labels), Some(true));
    assert_eq!(parse("not Young or digit=7").holds(&labels), Some(true));
    assert_eq!(parse("Young or Bald").holds(&labels), None);
    assert_eq!(parse("not Bald").holds(&labels), None);
}

#[test]
fn questions_are_one_however_they_are_written() {
    let question = |classes: &[&str], within: Option<&str>| Question {
        measured: Measured::Classes(classes.iter().map(|class| parse(class)).collect()),
        within: within.map(parse),
    };
    let one = question(&["a and b", "not a"], Some("c or d"));
    assert!(one.asks_the_same(&question(&["not a", "b and a and b"], Some("(d or c) or d"))));
    assert!(one.asks_the_same(&question(&["b and a", "not not not a"], Some("not not (c or d)"))));
    assert!(!one.asks_the_same(&question(&["a and b", "not a"], None)));
    assert!(!one.asks_the_same(&question(&["a or b", "not a"], Some("c or d"))));
    assert!(!one.asks_the_same(&question(&["a and b", "not a", "c"], Some("c or d"))));
}

#[test]
fn spellings_of_yes_and_no_are_one_question_of_a_yes_or_no_attribute() {
    let binary = |name: &str| name != "race";
    let rewritten = |text: &str| parse(text).of_labels(&binary).to_string();
    for yes in ["smile=yes", "smile=YES", "smile=True", "smile=1", "smile=1.0", "not smile=no", "not smile=-1", "smile"] {
        assert_eq!(rewritten(yes), "smile", "{yes}");
    }
    for no in ["smile=No", "smile=false", "smile=0", "smile=-1", "smile=-1.0", "not smile=True", "not smile"] {
        assert_eq!(rewritten(no), "not smile", "{no}");
    }
    assert_eq!(rewritten("race=no and (smile=no or hat=YES)"), "race=no and (not smile or hat)");
    assert_eq!(rewritten("smile=maybe"), "smile=maybe", "left for whoever knows the values");
}

#[test]
fn a_misread_says_where() {
    let misread = |text: &str| text.parse::<Expression>().unwrap_err().offset;
    assert_eq!(misread("Young and"), 9);
    assert_eq!(misread("Young Male"), 6);
    assert_eq!(misread("(Young"), 6);
    assert_eq!(misread("a & b"), 2);
    assert_eq!(misread("\"a"), 0);
    assert_eq!(misread(""), 0);
    assert!("not ".repeat(500).parse::<Expression>().is_err());
}

/// Any expression: names that must be quoted, values that are words for a missing label, operators within each other.
fn expressions() -> impl Strategy<Value = Expression> {
    let word = || prop_oneof!["[a-cé0-9_.+ ()=-]{1,6}", "not|and|or|NA|null"];
    let leaf =
        prop_oneof![word().prop_map(Expression::Has), (word(), word()).prop_map(|(of, value)| Expression::Equals(of, value))];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            several.clone().prop_map(Expression::And),
            several.prop_map(Expression::Or),
        ]
    })
}

/// Without groups that change nothing (`a or (b or c)`), which printing leaves out.
fn regrouped(expression: &Expression) -> Expression {
    let all = |parts: &[Expression], is: fn(Expression) -> Vec<Expression>| {
        parts.iter().flat_map(|part| is(regrouped(part))).collect::<Vec<_>>()
    };
    match expression {
        Expression::Has(_) | Expression::Equals(..) => expression.clone(),
        Expression::Not(inner) => Expression::Not(Box::new(regrouped(inner))),
        Expression::And(parts) => {
            Expression::And(all(parts, |part| if let Expression::And(parts) = part { parts } else { vec![part] }))
        }
        Expression::Or(parts) => {
            Expression::Or(all(parts, |part| if let Expression::Or(parts) = part { parts } else { vec![part] }))
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_the_same(expression in expressions()) {
        let printed = expression.to_string();
        prop_assert_eq!(printed.parse::<Expression>(), Ok(regrouped(&expression)), "{}", printed);
    }
}

#[test]
fn whatever_is_typed_is_misread_or_reads_back_from_its_print() {
    let (read, misread) = (Cell::new(0), Cell::new(0));
    let typed = |text: String| {
        let Ok(expression) = text.parse::<Expression>() else {
            misread.set(misread.get() + 1);
            return Ok(());
        };
        read.set(read.get() + 1);
        prop_assert_eq!(expression.to_string().parse::<Expression>(), Ok(regrouped(&expression)), "{}", text);
        Ok(())
    };
    TestRunner::deterministic().run(&"[ab() =\"not]{0,12}", typed).unwrap();
    assert!(read.get() > 10 && misread.get() > 10, "{} were read, {} misread", read.get(), misread.get());
}
