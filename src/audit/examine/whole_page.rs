//! What is found on a page beside its claims.

use crate::audit::{
    alone::PageAlone,
    container::start,
    findings::MOST_TOLD,
    page::{AuditedPage, DrawnMark},
    verdict::{Audit, Checked, Verdict},
};
use std::collections::HashMap;
use visavis_core::domain::{Key, claim::Claim, stage::Figure};

fn finding(id: &str, why: &str, expected: &str, found: &str) -> Checked {
    Checked {
        id: id.to_owned(),
        verdict: Verdict::Differs,
        stage: "page".into(),
        expected: Some(expected.to_owned()),
        found: Some(found.to_owned()),
        why: why.to_owned(),
        reason: why.to_owned(),
    }
}

/// What cannot be told of a page's words by itself.
pub(super) fn untold(page: &AuditedPage) -> Vec<String> {
    let style = "its style is none that this program knows: what that hides or moves was not looked at".to_owned();
    by_its_word(page).into_iter().chain(page.has_other_style.then_some(style)).collect()
}

/// Numbers in names that its study does not hold: a reader is told which.
fn by_its_word(page: &AuditedPage) -> Option<String> {
    let (line, first) = page.by_its_word.first()?;
    let more = match page.by_its_word.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "only the page itself, and not its study, says that these are names and no numbers: `{first}` in line {line}{more}"
    ))
}

/// As many findings of a kind as are told one by one; one more counts the rest.
fn bounded(mut findings: impl Iterator<Item = Checked>) -> impl Iterator<Item = Checked> {
    let told: Vec<Checked> = findings.by_ref().take(MOST_TOLD).collect();
    let first = findings.next();
    let rest = first.map(|first| {
        let why = format!("and {} more of this kind", 1 + findings.count());
        Checked { expected: None, found: None, why: why.clone(), reason: why, ..first }
    });
    told.into_iter().chain(rest)
}

/// Numbers in the page's words that no claim stands behind, and digits in disguise. A page that is the one its study and results
/// give has none: what looks like one there is a part of a name.
pub(super) fn examine_words(page: &AuditedPage) -> Vec<Checked> {
    let stray = page.stray.iter().map(|(line, number)| {
        let why = format!("line {line}: the page shows a number that no claim stands behind");
        finding("page", &why, "a claim", number)
    });
    let disguised = page.disguised.iter().map(|(line, why)| Checked {
        expected: None,
        found: None,
        ..finding("page", &format!("line {line}: {why}"), "", "")
    });
    stray.chain(disguised).collect()
}

/// Is an interval that of the dot that is drawn behind it: the low and high end beside its value? `true` of other marks.
fn is_of_its_dot(interval: &DrawnMark, dot: &DrawnMark, claims: &HashMap<&str, &Claim>) -> bool {
    let Some((low, high)) = interval.of_interval() else { return true };
    let found = [Some(low), Some(high), dot.of_value()].map(|id| claims.get(id?).map(|claim| &claim.from));
    let [Some(low), Some(high), Some(value)] = found else { return false };
    let estimate = value.pointer.strip_suffix("/value");
    [low, high].iter().all(|end| (end.key, &end.output) == (value.key, &value.output))
        && estimate.is_some()
        && low.pointer.strip_suffix("/low") == estimate
        && high.pointer.strip_suffix("/high") == estimate
}

/// Pictures, numbers of claims that there are not, and objects that are not what they are named by.
pub(super) fn examine_page(page: &AuditedPage, alone: &PageAlone, audit: &mut Audit) {
    for (line, why) in &page.odd {
        audit.checked.push(Checked { expected: None, found: None, ..finding("page", &format!("line {line}: {why}"), "", "") });
    }
    let claims: HashMap<&str, &Claim> = page.evidence.claims.iter().map(|claim| (claim.id.as_str(), claim)).collect();
    let unclaimed = page.shown.iter().filter(|shown| !claims.contains_key(&*shown.claim)).map(|shown| {
        let why = format!("line {}: the page shows a number that no claim stands behind", shown.line);
        finding(&start(&shown.claim), &why, "a claim", &start(&shown.text))
    });
    audit.checked.extend(bounded(unclaimed));
    let number_of = |claim: &str| claims.get(claim).map(|claim| claim.value);
    let moved = page.marks.iter().filter(|mark| !mark.stands(number_of)).map(|mark| {
        let why = format!("line {}: a mark of a chart does not stand where its number is", mark.line);
        finding(&start(mark.claims().next().unwrap_or("mark")), &why, "where its claim puts it", "elsewhere")
    });
    audit.checked.extend(bounded(moved));
    let others = page.marks.windows(2).filter(|pair| !is_of_its_dot(&pair[0], &pair[1], &claims)).map(|pair| {
        let why = format!("line {}: the interval of a chart is not that of the number beside it", pair[0].line);
        finding(&start(pair[0].claims().next().unwrap_or("mark")), &why, "the interval of its number", "another")
    });
    audit.checked.extend(bounded(others));
    let broken = alone.broken.iter().map(|(digest, why)| Checked {
        stage: "object".into(),
        ..finding(&format!("object {digest}"), why, &digest.to_string(), "other bytes")
    });
    audit.checked.extend(bounded(broken));
    let places = page.evidence.places();
    for (key, digest) in &page.figures {
        let manifest = key.parse().ok().and_then(|key: Key| places.get(&key)).map(|place| &page.evidence.manifests[*place]);
        match manifest.and_then(|manifest| manifest.output(Figure::SVG)) {
            Some(output) if output.digest == *digest => {
                let why = "the picture is the one its result names";
                let id = format!("figure {}", key.get(..8).unwrap_or(key));
                let same = digest.to_string();
                audit.checked.push(Checked {
                    verdict: Verdict::Identical,
                    stage: "draw".into(),
                    ..finding(&id, why, &same, &same)
                });
            }
            Some(output) => {
                let why = "the picture is not the one its result names";
                audit.checked.push(finding(&format!("figure {key}"), why, &output.digest.to_string(), &digest.to_string()));
            }
            None => {
                audit.checked.push(finding(
                    &format!("figure {key}"),
                    "no result stands behind the picture",
                    "a draw result",
                    "none",
                ));
            }
        }
    }
    let (bears, should) = &page.seal;
    if bears != should {
        let why = "the page's words, pictures or evidence were changed after it was written";
        audit.checked.push(finding("seal", why, should, bears));
    }
}
