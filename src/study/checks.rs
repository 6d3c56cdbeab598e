//! What a study asks of its labels, held against the labels there are.

use crate::config::{PathStep, StudyFile, Text};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::{
    dataset::{Survey, celeba, taken, utkface},
    domain::{
        Fault, Result,
        comparison::{Comparison, Expression, Measured, Question},
        image::{Column, Images},
        membership::Members,
        missing,
        model::{Network, Source, Weights},
        nuisance::{Nuisance, PictureNuisance, WantedNuisances},
        spelling::{nearest, suggestion},
        study::{Dataset, PARTIAL_FC_FROM, Study},
        text::{count, thousands},
    },
};

/// Puts what comparisons ask into the words of the labels that were read: `smile=yes` of a yes-or-no attribute is `smile`. So
/// equal questions have equal keys, and what is counted, scored and drawn is one thing.
pub(crate) fn in_words_of_labels(study: &mut Study, survey: &Survey) {
    let binary = |attribute: &str| survey.labels.get(attribute).is_some_and(Column::is_binary);
    for comparison in &mut study.comparisons {
        comparison.question = comparison.question.clone().of_labels(&binary);
    }
    for query in &mut study.queries {
        query.wanted = query.wanted.clone().of_labels(&binary);
    }
}

/// Warnings; an attribute or a value that no label has is an error, and so is a study that can score nothing.
pub(crate) fn check(file: &StudyFile, survey: &Survey) -> Result<Vec<String>> {
    let (study, text) = (&file.study, &file.text);
    let Some(known) = attributes(study, survey) else { return Ok(vec![]) };
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut warnings = Vec::new();
    for comparison in &study.comparisons {
        let may_be_absent = comparison.may_be_absent;
        let at = |key: &str| AskedAt { text, path: ["comparisons", &comparison.name, key].map(key_of).to_vec(), may_be_absent };
        match &comparison.question.measured {
            Measured::Quantity(attribute) => quantity(attribute, &known, survey, &at("quantity"))?,
            Measured::Classes(classes) => {
                for (name, class) in comparison.classes.iter().zip(classes) {
                    expression(class, &known, survey, &at(name), &mut warnings)?;
                }
            }
        }
        if let Some(within) = &comparison.question.within {
            expression(within, &known, survey, &at("within"), &mut warnings)?;
        }
    }
    for query in &study.queries {
        let spot = AskedAt { text, path: ["queries", &query.name].map(key_of).to_vec(), may_be_absent: false };
        expression(&query.wanted, &known, survey, &spot, &mut warnings)?;
    }
    let absent = warnings.clone();
    // What was written differently may be one question of these labels.
    let mut firsts: BTreeMap<Question, &Comparison> = BTreeMap::new();
    for later in &study.comparisons {
        if let Some(first) = firsts.insert(later.question.normal(), later) {
            warnings.push(format!(
                "the comparisons `{}` and `{}` ask the same of these labels: every test of one is made again of the other",
                first.name, later.name
            ));
        }
    }
    for (place, group) in study.fairness.groups.iter().enumerate() {
        let path = vec![key_of("fairness"), key_of("groups"), PathStep::Index(place)];
        let spot = AskedAt { text, path, may_be_absent: false };
        there_is(group, &known, &spot)?;
        if survey.labels.get(group).is_some_and(Column::is_empty) {
            warnings.push(format!("fairness.groups: no image has a label of `{group}`, so it makes no groups"));
        }
    }
    if let WantedNuisances::Listed(listed) = &study.nuisances {
        let words: Vec<&str> = known.iter().copied().chain(PictureNuisance::ALL.map(PictureNuisance::word)).collect();
        for (place, of) in listed.iter().enumerate() {
            let Nuisance::Column(name) = of else { continue };
            let spot = AskedAt { text, path: vec![key_of("nuisances"), PathStep::Index(place)], may_be_absent: false };
            there_is(name, &words, &spot)?;
            let Some(column) = survey.labels.get(name) else { continue };
            let numbers = column.iter().filter(|(_, value)| value.parse::<f64>().is_ok_and(f64::is_finite)).count();
            if numbers == 0 {
                let what = format!("`{name}` is no quantity: none of its {} is a number", count(column.len(), "label"));
                return Err(spot.wrong(&what).next("a nuisance is a number an image, such as a year"));
            }
            if numbers < column.len() {
                warnings.push(format!(
                    "nuisances: {} of `{name}` {} no number, and so undefined",
                    count(column.len() - numbers, "label"),
                    if column.len() - numbers == 1 { "is" } else { "are" }
                ));
            }
        }
    }
    if let Some(images) = &survey.images {
        let images = taken(images, study.evaluation.take.as_ref())?;
        let standing: Vec<Scorable> = study.comparisons.raw.par_iter().map(|of| scorable(of, &images, survey)).collect();
        warnings.extend(standing.iter().flat_map(|of| of.oddities().to_vec()));
        if standing.iter().all(|of| matches!(of, Scorable::Not(_))) {
            let (line, column) = text.position(&[key_of("comparisons")], true);
            let why: Vec<&str> = absent.iter().chain(standing.iter().flat_map(Scorable::oddities)).map(String::as_str).collect();
            return Err(Fault::asked(format!("this study can score nothing: {}", why.join("; ")))
                .at(&text.path, line, column)
                .next("ask for what the labels hold: `visavis data stats DIR` counts them"));
        }
    }
    Ok(warnings)
}

/// # Errors
/// A recipe that asks for a share of the classes where all are looked at: it would be in the key of the training, and change nothing.
pub(crate) fn partial_fc(file: &StudyFile, survey: &Survey) -> Result<()> {
    let (study, text) = (&file.study, &file.text);
    for model in &study.models {
        let Source::Network(Network { loss, trained_on, weights: Weights::Recipe { recipe: name, .. }, .. }) = &model.source
        else {
            continue;
        };
        if study.recipes.get(name).is_none_or(|recipe| recipe.partial_fc >= 1.0) {
            continue;
        }
        let why = if loss.spec().is_some_and(|of| of.compares_pictures) {
            format!("the loss {} of `{}` compares pictures and has no classes", loss.word, model.name)
        } else {
            let classes = survey.training.get(trained_on).map(|set| set.classes.values().len());
            let Some(classes) = classes.filter(|classes| *classes < PARTIAL_FC_FROM) else { continue };
            format!("`{trained_on}`, which `{}` learns from, has {}", model.name, count(classes, "class"))
        };
        let path = ["recipes", name, "partial_fc"].map(key_of);
        let (line, column) = text.position(&path, false);
        return Err(Fault::asked(format!(
            "recipes.{name}.partial_fc: a share of the classes is looked at from {} classes on, and {why}",
            thousands(PARTIAL_FC_FROM)
        ))
        .at(&text.path, line, column)
        .next("leave `partial_fc` out; models that need it get a recipe of their own"));
    }
    Ok(())
}

fn key_of(key: &str) -> PathStep {
    PathStep::Key(key.to_owned())
}

/// Every attribute that can be asked for; `None` while that cannot be known.
fn attributes(study: &Study, survey: &Survey) -> Option<BTreeSet<String>> {
    let mut known: BTreeSet<String> = survey.labels.names().map(str::to_owned).collect();
    match study.evaluation.dataset.as_ref().map(|name| &study.datasets[name]) {
        // While its table is absent, CelebA's own list stands in for it.
        Some(of @ Dataset::CelebA { .. }) if !of.is_here() => known.extend(celeba::ATTRIBUTES.map(str::to_owned)),
        Some(of @ Dataset::UtkFace { .. }) if !of.is_here() => known.extend(utkface::ATTRIBUTES.map(str::to_owned)),
        Some(Dataset::Images { labels: Some(file), .. }) if !file.exists() => return None,
        Some(of @ (Dataset::Vggface2 { .. } | Dataset::RecordIo { .. } | Dataset::Folders { .. })) if !of.is_here() => {
            return None;
        }
        Some(_) | None => {}
    }
    known.extend(study.evaluation.labels.iter().map(|file| file.attribute.clone()));
    Some(known)
}

/// Where in the study file something is asked.
struct AskedAt<'a> {
    text: &'a Text,
    path: Vec<PathStep>,
    may_be_absent: bool,
}

impl AskedAt<'_> {
    fn wrong(&self, what: &str) -> Fault {
        let (line, column) = self.text.position(&self.path, false);
        Fault::asked(format!("{}: {what}", self.name())).at(&self.text.path, line, column)
    }

    fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.path {
            match step {
                PathStep::Key(key) if name.is_empty() => name.push_str(key),
                PathStep::Key(key) => name += &format!(".{key}"),
                PathStep::Index(_) => {}
            }
        }
        name
    }
}

fn there_is(attribute: &str, known: &[&str], spot: &AskedAt) -> Result<()> {
    if known.contains(&attribute) {
        return Ok(());
    }
    Err(spot.wrong(&format!("there is no attribute `{attribute}`")).next(suggestion(attribute, known)))
}

fn expression(
    expression: &Expression,
    known: &[&str],
    survey: &Survey,
    spot: &AskedAt,
    warnings: &mut Vec<String>,
) -> Result<()> {
    for (attribute, value) in expression.asked() {
        there_is(attribute, known, spot)?;
        // Labels that are absent are waited for.
        let Some(column) = survey.labels.get(attribute) else { continue };
        let what = match value {
            None if column.is_binary() => continue,
            None => {
                return Err(spot
                    .wrong(&format!("`{attribute}` is not a yes-or-no attribute"))
                    .next(format!("say which value: {attribute}=VALUE, of {}", some_of(column))));
            }
            Some(value) if column.values().contains(value) => continue,
            Some(value) => format!("no label of `{attribute}` is `{value}`"),
        };
        let next = instead(attribute, value.unwrap_or_default(), column);
        if !spot.may_be_absent {
            return Err(spot.wrong(&what).next(next));
        }
        warnings.push(format!("{}: {what}; {next}", spot.name()));
    }
    Ok(())
}

/// The nearest value, and the values there are.
fn instead(attribute: &str, value: &str, column: &Column) -> String {
    if missing::is_usual(value) {
        return format!("`{value}` is read as a missing label; in quotes it is a value: {attribute}=\"{value}\"");
    }
    if column.is_empty() {
        return format!("no image has a label of `{attribute}`");
    }
    if column.is_binary() {
        return format!("it is a yes-or-no attribute: write `{attribute}` or `not {attribute}`");
    }
    let meant = nearest(value, column.values()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    format!("{meant}there are: {}", some_of(column))
}

/// The values there are; the commonest of many.
fn some_of(column: &Column) -> String {
    const MOST: usize = 12;
    let mut counts: Vec<(&str, usize)> = column.counts().into_iter().collect();
    let more = counts.len().saturating_sub(MOST);
    if more > 0 {
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(MOST);
    }
    let values = counts.iter().map(|(value, _)| *value).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{values} and {more} more") } else { values }
}

fn quantity(attribute: &str, known: &[&str], survey: &Survey, spot: &AskedAt) -> Result<()> {
    there_is(attribute, known, spot)?;
    let Some(column) = survey.labels.get(attribute) else { return Ok(()) };
    match column.iter().find(|(_, value)| !value.parse::<f64>().is_ok_and(f64::is_finite)) {
        Some((image, value)) => Err(spot
            .wrong(&format!("`{attribute}` is no quantity: the image `{image}` has `{value}`"))
            .next("a quantity's values are numbers; compare values as classes instead")),
        None => Ok(()),
    }
}

/// Whether a comparison can have a score.
enum Scorable {
    /// Labels that it asks for are absent yet.
    Waits,
    /// It can, with what is odd about it.
    Yes(Vec<String>),
    /// It cannot, and why.
    Not(Vec<String>),
}

impl Scorable {
    fn oddities(&self) -> &[String] {
        match self {
            Scorable::Waits => &[],
            Scorable::Yes(oddities) | Scorable::Not(oddities) => oddities,
        }
    }
}

fn scorable(of: &Comparison, images: &Images, survey: &Survey) -> Scorable {
    let Comparison { name, classes: names, question, may_be_absent: _ } = of;
    if !question.attributes().into_iter().all(|attribute| survey.labels.contains(attribute)) {
        return Scorable::Waits;
    }
    let members = Members::of(images, &survey.labels, question);
    if let (Measured::Quantity(attribute), Some(values)) = (&question.measured, &members.quantity) {
        let differ = values.iter().any(|value| *value != values[0]);
        let why = || vec![format!("{name}: all images have the same `{attribute}`, or none has any")];
        return if differ { Scorable::Yes(vec![]) } else { Scorable::Not(why()) };
    }
    let (sizes, mut oddities, mut able) = (members.sizes(), Vec::new(), true);
    if let Some(&first) = members.lacking.first() {
        oddities.push(format!(
            "{name}: {}, such as `{}`, would be in a class, and take no part: a label that another class needs is missing. \
             What is compared: {}",
            count(members.lacking.len(), "image"),
            images.0[first].0,
            names.iter().zip(&sizes).map(|(name, size)| format!("{name} {}", thousands(*size))).collect::<Vec<_>>().join(", ")
        ));
    }
    for (place, class) in members.classes.iter().enumerate() {
        let (own, size) = (&names[place], sizes[place]);
        let lies_in = |other: usize| sizes[other] > size && !members.exclusive(place, other).contains(&true);
        if size == 0 {
            able = false;
            oddities.push(format!("{name}: no image is in the class `{own}`, so its cells are undefined"));
        } else if let Some(twin) = members.classes[..place].iter().position(|other| other == class) {
            able = false;
            oddities.push(format!("{name}: the classes `{}` and `{own}` hold the same {size} images", names[twin]));
        } else if let Some(whole) = (0..names.len()).find(|&other| lies_in(other)) {
            able = false;
            oddities.push(format!(
                "{name}: every image of the class `{own}` is in `{}` too, so nothing is left to compare",
                names[whole]
            ));
        }
    }
    if able { Scorable::Yes(oddities) } else { Scorable::Not(oddities) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use visavis_core::dataset::TrainingSet;

    const STUDY: &str = "format: 1
study: s
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
evaluation: { labels: [{ file: l.csv, attribute: glasses }, { file: l.csv, attribute: race }, { file: l.csv, attribute: age }] }
projections: [pca]
comparisons:
";

    fn survey() -> Survey {
        let ids: Vec<String> = (0..12).map(|i| format!("{i:02}")).collect();
        let column =
            |value: &dyn Fn(usize) -> &'static str| ids.iter().enumerate().map(|(i, id)| (id.clone(), value(i))).collect();
        let labels = [
            ("glasses", column(&|i| if i % 2 == 0 { "1" } else { "0" })),
            ("race", column(&|i| ["asian", "black", "white"][i % 3])),
            ("age", column(&|i| ["1.5", "2", "30"][i % 3])),
        ];
        let images = Images(ids.iter().map(|id| (id.clone(), None)).collect());
        let mut survey = Survey::default();
        (survey.images, survey.labels) = (Some(images), labels.into_iter().collect());
        survey
    }

    fn asked(comparisons: &str) -> Result<Vec<String>> {
        let text = Text { path: "s.yaml".into(), source: format!("{STUDY}  {comparisons}\n") };
        let mut file = config::parse(text)?;
        in_words_of_labels(&mut file.study, &survey());
        check(&file, &survey())
    }

    fn told(comparisons: &str) -> String {
        asked(comparisons).unwrap_err().to_string()
    }

    #[test]
    fn a_value_that_no_label_has_is_told_wherever_it_is_asked() {
        for asks in [
            "x: { A: \"race=asain\", B: \"race=white\" }",
            "x: { A: \"glasses\", B: \"not glasses\", within: \"not race=asain\" }",
            "x: { A: \"glasses and (race=white or not race=asain)\", B: \"not glasses\" }",
        ] {
            let told = told(asks);
            assert!(told.contains("no label of `race` is `asain`") && told.contains("did you mean `asian`?"), "{told}");
            assert!(told.contains("there are: asian, black, white") && told.contains("s.yaml:7:"), "{told}");
        }
        assert!(told("x: { A: \"race=Asian\", B: \"race=white\" }").contains("did you mean `asian`?"));
        assert!(told("x: { A: \"glasses=perhaps\", B: \"glasses=no\" }").contains("write `glasses` or `not glasses`"));
        assert!(told("x: { A: \"race\", B: \"glasses\" }").contains("say which value: race=VALUE, of asian, black, white"));
        assert!(told("x: { A: \"Glasses=yes\", B: \"glasses\" }").contains("did you mean `glasses`?"));
        let absent = asked("x: { A: \"race=asain or race=white\", B: \"race=black\", may_be_absent: true }").unwrap();
        assert!(absent[0].contains("comparisons.x.A: no label of `race` is `asain`; did you mean `asian`?"), "{absent:?}");
    }

    #[test]
    fn yes_and_no_mean_the_same_on_both_sides() {
        for (yes, no) in [("glasses=yes", "glasses=No"), ("glasses=TRUE", "glasses=-1"), ("glasses=1", "glasses=0")] {
            assert!(asked(&format!("x: {{ A: \"{yes}\", B: \"{no}\" }}")).unwrap().is_empty());
        }
    }

    #[test]
    fn a_study_that_can_score_nothing_is_refused_with_the_reason() {
        let all = "glasses or not glasses";
        for (asks, why) in [
            (format!("x: {{ A: \"glasses and not glasses\", B: \"{all}\" }}"), "no image is in the class `A`"),
            (format!("x: {{ A: \"glasses\", B: \"{all}\" }}"), "every image of the class `A` is in `B` too"),
            ("x: { A: \"glasses\", B: \"glasses=yes\" }".to_owned(), "hold the same 6 images"),
            ("x: { A: \"race=asian\", B: \"race=black\", within: \"race=white\" }".to_owned(), "no image is in the class `A`"),
            ("x: { quantity: age, within: \"race=white\" }".to_owned(), "the same `age`"),
            ("x: { A: \"race=mauve\", B: \"race=black\", may_be_absent: true }".to_owned(), "no image is in the class `A`"),
        ] {
            let told = told(&asks);
            assert!(told.contains("this study can score nothing") && told.contains(why), "{asks}: {told}");
        }
        let twice = asked("x: { A: \"glasses\", B: \"not glasses\" }\n  y: { N: \"glasses=no\", Y: \"glasses=YES\" }").unwrap();
        assert!(twice[0].contains("`x` and `y` ask the same of these labels"), "{twice:?}");
        let one = asked("x: { A: \"glasses and not glasses\", B: \"glasses\" }\n  y: { quantity: age }").unwrap();
        assert!(one[0].contains("no image is in the class `A`"), "another comparison can be scored: {one:?}");
    }

    /// What is said of a recipe that looks at a tenth of the classes, where so many are learned with this loss.
    fn refusal_of_share(loss: &str, classes: usize) -> Option<String> {
        let source = format!(
            "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ p: {{}} }}\n\
             recipes: {{ r: {{ partial_fc: 0.1 }} }}\nmodels: {{ named: {{ m: {{ architecture: resnet34, loss: {loss}, trained_on: f, \
             prepare: p, train: {{ recipe: r }} }} }} }}\nprojections: [pca]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        let file = config::parse(Text { path: "s.yaml".into(), source }).unwrap();
        let ids: Vec<String> = (0..classes).map(|of| format!("{of:06}")).collect();
        let set = TrainingSet {
            pictures: "f".into(),
            images: Images(ids.iter().map(|id| (id.clone(), None)).collect()),
            classes: ids.iter().map(|id| (id.clone(), id.as_str())).collect(),
            marks: BTreeMap::new(),
        };
        let survey = Survey { training: [("f".to_owned(), set)].into(), ..Survey::default() };
        partial_fc(&file, &survey).err().map(|fault| fault.to_string())
    }

    #[test]
    fn a_share_of_the_classes_is_refused_where_all_are_looked_at() {
        let told = refusal_of_share("arcface", 49_999).unwrap();
        assert!(told.contains("from 50,000 classes on, and `f`, which `m` learns from, has 49,999 classes"), "{told}");
        assert!(told.contains("s.yaml:6:"), "{told}");
        assert_eq!(refusal_of_share("arcface", 50_000), None);
        assert!(refusal_of_share("triplet", 50_000).unwrap().contains("the loss triplet of `m` compares pictures"));
    }
}
