//! docs/json.md against what `--json` prints: every field that is printed stands on the page, with its type, and every field of the page is
//! printed.

use crate::desk::{Desk, Said};
use serde_json::Value;

const PAGE: &str = include_str!("../docs/json.md");

/// A field of a table of the page.
#[derive(Clone, Debug)]
struct Field {
    /// `results`, `[]`, `key`; a name in capitals stands for any.
    path: Vec<String>,
    kind: String,
    /// The page says that it may be absent.
    may_be_absent: bool,
}

/// The tables of a section, by the beginning of its heading. In a table of events each field belongs to the event above it.
fn tables(section: &str) -> Vec<Vec<(Option<String>, Field)>> {
    let start = PAGE.find(&format!("\n## `visavis {section}")).unwrap_or_else(|| panic!("no section `{section}`"));
    let text = &PAGE[start + 1..];
    let text = &text[..text.find("\n## ").unwrap_or(text.len())];
    let (mut tables, mut event) = (Vec::new(), None);
    let mut inside = false;
    for line in text.lines() {
        let Some(row) = line.strip_prefix('|') else {
            inside = false;
            continue;
        };
        if !std::mem::replace(&mut inside, true) {
            tables.push(Vec::new());
            event = None;
        }
        let row = row.replace("\\|", "¦");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells[0].starts_with("---") || matches!(cells[0], "field" | "`event`") {
            continue;
        }
        let [named, kind, meaning] = if cells.len() == 5 {
            if !cells[0].is_empty() {
                event = Some(in_backticks(cells[0]));
            }
            [cells[1], cells[2], cells[3]]
        } else {
            [cells[0], cells[1], cells[2]]
        };
        let fields = fields(named, kind, meaning);
        let of = event.clone().unwrap_or_default();
        let events: Vec<Option<String>> = if of.is_empty() { vec![None] } else { of.into_iter().map(Some).collect() };
        let table = tables.last_mut().unwrap();
        for event in events {
            table.extend(fields.iter().map(|field| (event.clone(), field.clone())));
        }
    }
    tables
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn fields(named: &str, kind: &str, meaning: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for name in in_backticks(named) {
        let path = match (name.strip_prefix('.'), fields.first()) {
            (Some(last), Some(first)) => {
                let parent = &first.path[..first.path.len() - 1];
                [parent, &[last.to_owned()]].concat()
            }
            _ => path_of(&name),
        };
        // Fields that are meant by `and so on` are not written out.
        let path = if named.contains("and so on") { path[..path.len() - 2].to_vec() } else { path };
        let kind = if named.contains("and so on") { "" } else { kind };
        fields.push(Field {
            path,
            kind: kind.to_owned(),
            may_be_absent: meaning.contains("absent") || meaning.contains(" only:"),
        });
    }
    fields
}

fn path_of(name: &str) -> Vec<String> {
    let mut path = Vec::new();
    for part in name.split('.') {
        let (name, lists) = part.split_at(part.find("[]").unwrap_or(part.len()));
        path.extend(Some(name.to_owned()).filter(|name| !name.is_empty()));
        path.extend(lists.matches("[]").map(str::to_owned));
    }
    path
}

fn is_any(part: &str) -> bool {
    part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase())
}

fn matches(documented: &[String], found: &[String]) -> bool {
    documented.len() == found.len() && documented.iter().zip(found).all(|(page, own)| page == own || is_any(page))
}

/// Is the value of this type of the page? A type that is described elsewhere (`as in check`) is left open.
fn is_of(kind: &str, value: &Value) -> bool {
    if let Some(kind) = kind.strip_suffix(" or null") {
        return value.is_null() || is_of(kind, value);
    }
    let hex =
        |digits: usize| value.as_str().is_some_and(|text| text.len() == digits && text.bytes().all(|c| c.is_ascii_hexdigit()));
    let has_value = || value.get("value").is_some();
    match kind {
        "string" | "kind" | "label" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" | "time" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "share" | "AUC" => value.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)),
        "digest" | "key" => hex(64),
        "job" => hex(16),
        "object" => value.is_object(),
        "estimate" => has_value(),
        "mean" => value.is_number() || has_value(),
        "number; the ends may be null" => value.is_number() || value.is_null(),
        "list of strings" | "lists of strings" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        "list of objects" => value.as_array().is_some_and(|all| all.iter().all(Value::is_object)),
        "list of keys" => value.as_array().is_some_and(|all| all.iter().all(|one| is_of("key", one))),
        "list of jobs" => value.as_array().is_some_and(|all| all.iter().all(|one| is_of("job", one))),
        "" | "mean, object" | "share, integer" | "object or string" | "list of two strings" => true,
        other => panic!("the page has a type that this test does not know: {other}"),
    }
}

/// What is inside it is described elsewhere, or by its type.
fn is_open(kind: &str) -> bool {
    matches!(kind, "" | "estimate" | "estimate or null" | "mean" | "mean or null" | "mean, object or null" | "object or string")
}

/// What is wrong with a value, by its page.
fn check(value: &Value, page: &[Field], at: &mut Vec<String>, wrong: &mut Vec<String>) {
    let told = |at: &[String]| at.join(".");
    let own: Vec<&Field> = page.iter().filter(|field| matches(&field.path, at)).collect();
    if let Some(field) = own.iter().find(|field| !is_of(&field.kind, value)) {
        wrong.push(format!("{} is no {}: {value}", told(at), field.kind));
    }
    let leads_on = page.iter().any(|field| field.path.len() > at.len() && matches(&field.path[..at.len()], at));
    if own.is_empty() && !leads_on {
        return wrong.push(format!("{} is not on the page: {value}", told(at)));
    }
    if !leads_on || own.iter().any(|field| is_open(&field.kind)) {
        return;
    }
    match value {
        Value::Array(all) => {
            for one in all {
                at.push("[]".to_owned());
                check(one, page, at, wrong);
                at.pop();
            }
        }
        Value::Object(fields) => {
            for (name, one) in fields {
                at.push(name.clone());
                check(one, page, at, wrong);
                at.pop();
            }
            let of_it = page.iter().filter(|field| field.path.len() == at.len() + 1 && matches(&field.path[..at.len()], at));
            for field in of_it {
                let name = field.path.last().unwrap();
                if !is_any(name) && !field.may_be_absent && name != "[]" && !fields.contains_key(name) {
                    wrong.push(format!("{}.{name} stands on the page and is not printed", told(at)));
                }
            }
        }
        _ => {}
    }
}

fn holds(section: &str, table: usize, value: &Value) {
    let page: Vec<Field> = tables(section)[table].iter().map(|(_, field)| field.clone()).collect();
    conforms(section, &page, value);
}

fn conforms(section: &str, page: &[Field], value: &Value) {
    let mut wrong = Vec::new();
    check(value, page, &mut Vec::new(), &mut wrong);
    assert!(wrong.is_empty(), "{section}:\n{}\nof {value}", wrong.join("\n"));
}

/// Lines of events, each by the fields of its event.
fn events_hold(section: &str, lines: &str) -> Vec<String> {
    let table = &tables(section)[0];
    let mut seen = Vec::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let event = value["event"].as_str().unwrap().to_owned();
        let mut page: Vec<Field> =
            table.iter().filter(|(of, _)| of.as_deref() == Some(&event)).map(|(_, field)| field.clone()).collect();
        assert!(!page.is_empty(), "the event {event} is not in {section}");
        page.push(Field { path: vec!["event".to_owned()], kind: "string".to_owned(), may_be_absent: false });
        conforms(section, &page, &value);
        seen.push(event);
    }
    seen
}

const STUDY: &str = "experiments/small.yaml";

#[test]
fn a_study_from_its_check_to_its_audit_prints_what_the_page_says() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "statistics:", "contrasts: { shape: { pair: [pixels, blocks] } }\nstatistics:");
    holds("check STUDY", 0, &desk.json(&["check", STUDY]));
    holds("plan STUDY", 0, &desk.json(&["plan", STUDY]));
    let ran = events_hold("run STUDY --json`", &desk.succeed(&["run", STUDY, "--json"]));
    assert!(ran.contains(&"stage_finished".to_owned()) && ran.last().is_some_and(|event| event == "finished"), "{ran:?}");
    holds("status", 0, &desk.json(&["status"]));
    holds("studies", 0, &desk.json(&["studies"]));
    let runs = desk.json(&["studies", STUDY]);
    assert!(runs["runs"][0]["run"].is_string(), "{runs}");
    holds("studies", 1, &runs);
    for line in desk.succeed(&["logs", "project", "pixels", "--json"]).lines() {
        holds("logs", 0, &serde_json::from_str(line).unwrap());
    }
    holds("explain", 0, &desk.json(&["explain", "index"]));
    holds("show", 0, &desk.json(&["show", STUDY]));
    holds("compare", 0, &desk.json(&["compare", STUDY]));
    let figure = desk.json(&["tui", "--screen", "figures"]);
    let row = &figure["rows"][0];
    let part = |name: &str| row[name].as_str().unwrap().to_owned();
    let name =
        format!("{} · {} · {} {} · {}", part("model"), part("layer"), part("projection"), part("view"), part("comparison"));
    holds("pin and unpin", 0, &desk.json(&["pin", STUDY, &name]));
    holds("pin and unpin", 0, &desk.json(&["unpin", STUDY, &name]));
    holds("report", 0, &desk.json(&["report", STUDY]));
    holds("audit", 0, &desk.json(&["audit", "reports/small.html"]));
    holds("store check", 0, &desk.json(&["store", "check"]));
    holds("store rebuild", 0, &desk.json(&["store", "rebuild"]));
    holds("store gc", 0, &desk.json(&["store", "gc"]));
    holds("doctor", 0, &desk.json(&["doctor"]));
    for (place, screen) in ["matrix", "runs", "compare", "figures", "report"].into_iter().enumerate() {
        let shown = desk.json(&["tui", "--screen", screen]);
        let tables = tables("tui --screen");
        let page: Vec<Field> = tables[0].iter().chain(&tables[place + 1]).map(|(_, field)| field.clone()).collect();
        // Columns that hold nothing in any row are absent.
        let page: Vec<Field> = page.into_iter().map(|field| Field { may_be_absent: screen == "compare", ..field }).collect();
        conforms(screen, &page, &shown);
    }
}

#[test]
fn data_sets_and_errors_are_told_as_the_page_says() {
    let desk = Desk::with_digits();
    desk.succeed(&["data", "draw", "data/faces", "--identities", "4", "--images", "12", "--quiet"]);
    holds("data check", 0, &desk.json(&["data", "check", "data/faces"]));
    holds("data stats", 0, &desk.json(&["data", "stats", "data/faces"]));
    let Said { code, err, .. } = desk.visavis(&["check", "experiments/absent.yaml", "--json"]);
    let error: Value = serde_json::from_str(err.trim()).unwrap_or_else(|error| panic!("{error}: {err}"));
    assert_eq!((error["code"].as_i64(), error["format"].as_i64()), (Some(i64::from(code)), Some(1)), "{error}");
    assert!(error["error"].is_string() && error["file"] == "experiments/absent.yaml" && error["line"].is_null(), "{error}");
    desk.edit(STUDY, "study: small", "study: small\nstudie: again");
    let said = desk.visavis(&["check", STUDY, "--json"]);
    let error: Value = serde_json::from_str(said.err.lines().last().unwrap()).unwrap();
    assert!(error["line"].is_u64() && error["column"].is_u64() && error["next"].is_string(), "{error}");
}

/// The reading of the page is itself right: it finds what is not there and what is of another type.
#[test]
fn a_field_too_many_too_few_or_of_another_type_is_found() {
    let page: Vec<Field> = tables("show STUDY")[0].iter().map(|(_, field)| field.clone()).collect();
    let wrong = |value: Value| {
        let mut wrong = Vec::new();
        check(&value, &page, &mut Vec::new(), &mut wrong);
        wrong
    };
    let result =
        serde_json::json!({ "kind": "index", "label": "x", "key": "0".repeat(64), "content": "0".repeat(64), "outputs": [] });
    let whole = serde_json::json!({ "format": 1, "study": "s", "results": [result], "lost_pins": [] });
    assert_eq!(wrong(whole.clone()), [""; 0]);
    let mut changed = whole.clone();
    changed["results"][0]["more"] = 1.into();
    assert!(wrong(changed)[0].starts_with("results.[].more is not on the page"));
    let mut changed = whole.clone();
    changed["results"][0]["key"] = "short".into();
    assert!(wrong(changed)[0].starts_with("results.[].key is no key"));
    let mut changed = whole;
    changed.as_object_mut().unwrap().remove("lost_pins");
    assert_eq!(wrong(changed), [".lost_pins stands on the page and is not printed"]);
}
