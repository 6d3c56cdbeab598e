//! The section `claims`: sentences that the study tests.

use super::no_two;
use crate::config::reader::{Fields, StudyNode};
use visavis_core::domain::{
    Result,
    alteration::{Alteration, Cue},
    hypothesis::{Hypothesis, HypothesisTest, Separation},
    index::{ComparisonIx, ModelIx, ProjectionIx},
    nuisance::Nuisance,
    spelling::suggestion,
    study::{Contrast, Study},
};

const TESTS: [&str; 7] = ["separates", "misses", "follows", "attends_to", "contrast", "better_than", "rescues"];
/// The least R² of a nuisance, and the least share lost without a cue, that counts where the study does not say.
const USUAL_LEAST: f64 = 0.1;
/// In the place of a model's name: every model.
const ALL: &str = "all";

/// `sentence: { model: M, separates: hair colour }`, `{ model: [M, N], misses: hat, layer: layer4, projection: pca }`,
/// `{ contrast: loss, higher: arcface, on: [hair colour] }`, `{ projection: umap, better_than: [tsne, pca] }`, `{ projection: pca, rescues: umap }`,
/// `{ model: M, follows: background, at_least: 0.2 }`, `{ model: M, attends_to: colour }`, `{ contrast: loss, higher: arcface, attends_to: colour }`.
///
/// `study`: the other sections.
pub(super) fn claims(node: &StudyNode, study: &Study) -> Result<Vec<Hypothesis>> {
    let entries = node.entries()?;
    let claim = |(sentence, node): &(String, StudyNode)| {
        Ok(Hypothesis { sentence: node.name_of("claim", sentence)?, test: test(node, study)? })
    };
    let claims = entries.iter().map(claim).collect::<Result<Vec<_>>>()?;
    let nodes: Vec<StudyNode> = entries.into_iter().map(|(_, node)| node).collect();
    no_two(
        &nodes,
        &claims,
        |of| format!("{:?}", of.test),
        |_, first| (format!("the claim `{}` tests the same", first.sentence), "remove one"),
    )?;
    Ok(claims)
}

fn test(node: &StudyNode, study: &Study) -> Result<HypothesisTest> {
    let fields = node.fields(&[
        "model",
        "separates",
        "misses",
        "layer",
        "projection",
        "contrast",
        "higher",
        "on",
        "better_than",
        "rescues",
        "follows",
        "attends_to",
        "at_least",
    ])?;
    // Of a contrast, a cue is what its sides are held against each other in.
    let is_of_contrast = fields.get("contrast").is_some();
    let is_asked = |key: &&str| fields.get(key).is_some() && !(is_of_contrast && *key == "attends_to");
    let asked: Vec<&str> = TESTS.into_iter().filter(is_asked).collect();
    let [asked] = asked[..] else {
        return Err(node.wrong_key(format!(
            "{}: expected one of {}",
            node.name(),
            TESTS.map(|key| format!("`{key}`")).join(", ")
        )));
    };
    let others: &[&str] = match asked {
        "separates" | "misses" => &["higher", "on", "at_least"],
        "follows" | "attends_to" => &["higher", "on", "layer", "projection"],
        "contrast" if fields.get("attends_to").is_some() => &["model", "layer", "projection", "on", "at_least"],
        "contrast" => &["model", "layer", "projection", "at_least"],
        _ => &["model", "layer", "higher", "on", "at_least"],
    };
    if let Some(other) = others.iter().find_map(|key| fields.get(key)) {
        return Err(other.wrong_key(format!("{} says nothing beside `{asked}`", other.name())).next("remove it"));
    }
    Ok(match asked {
        "separates" => HypothesisTest::Separates(separation(&fields, asked, study)?),
        "misses" => HypothesisTest::Misses(separation(&fields, asked, study)?),
        "follows" => HypothesisTest::Follows {
            models: models(fields.need("model")?, study)?,
            nuisance: nuisance(fields.need("follows")?, study)?,
            at_least: fields.or("at_least", USUAL_LEAST, |node| node.number(0.0..=1.0))?,
        },
        "attends_to" => HypothesisTest::Attends {
            models: models(fields.need("model")?, study)?,
            cue: cue(fields.need("attends_to")?, study)?,
            at_least: fields.or("at_least", USUAL_LEAST, |node| node.number(0.0..=1.0))?,
        },
        "contrast" => higher(&fields, study)?,
        _ => {
            let (projection, others) = (projection(fields.need("projection")?, study)?, projections(fields.need(asked)?, study)?);
            if others.contains(&projection) {
                return Err(fields.need(asked)?.wrong(format!("{}: a projection against itself", node.name())));
            }
            match asked {
                "better_than" => HypothesisTest::BetterThan { projection, others },
                _ => HypothesisTest::Rescues { projection, others },
            }
        }
    })
}

/// One that the study looks for.
fn nuisance(node: &StudyNode, study: &Study) -> Result<Nuisance> {
    let looked_for = study.nuisances_looked_for();
    let words: Vec<&str> = looked_for.iter().map(Nuisance::word).collect();
    let place = place_of(node, "nuisance", &words)?;
    Ok(looked_for[place].clone())
}

/// One that an alteration of the study speaks for.
fn cue(node: &StudyNode, study: &Study) -> Result<Cue> {
    let carried_out = Alteration::with_control(&study.alterations);
    let spoken: Vec<Cue> = Cue::ALL.into_iter().filter(|cue| cue.spoken_for(&carried_out).is_some()).collect();
    let words: Vec<&str> = spoken.iter().map(|cue| cue.word()).collect();
    let name = node.text()?;
    let place = words.iter().position(|word| *word == name);
    let unknown = || node.wrong(format!("{}: no alteration of this study takes away `{name}`", node.name()));
    Ok(spoken[place.ok_or_else(|| unknown().next(suggestion(&name, &words)))?])
}

fn projection_names(study: &Study) -> Vec<&str> {
    study.projections.iter().map(|of| of.name.as_str()).collect()
}

fn projection(node: &StudyNode, study: &Study) -> Result<ProjectionIx> {
    place_of(node, "projection", &projection_names(study)).map(ProjectionIx)
}

fn projections(node: &StudyNode, study: &Study) -> Result<Vec<ProjectionIx>> {
    Ok(some_of(node, "projection", &projection_names(study))?.into_iter().map(ProjectionIx).collect())
}

fn separation(fields: &Fields, asked: &str, study: &Study) -> Result<Separation> {
    let models = models(fields.need("model")?, study)?;
    let layer = fields.get("layer").map(|node| layer(node, &models, study)).transpose()?;
    Ok(Separation {
        comparisons: comparisons(fields.need(asked)?, study)?,
        projection: fields.get("projection").map(|node| projection(node, study)).transpose()?,
        models,
        layer,
    })
}

/// A layer that each of the models has.
fn layer(node: &StudyNode, models: &[ModelIx], study: &Study) -> Result<String> {
    let layer = node.text()?;
    for &model in models {
        let layers = study.models[model].layers(study.layers.as_deref());
        if !layers.iter().any(|of| *of == layer) {
            let known: Vec<&str> = layers.iter().map(String::as_str).collect();
            let what = format!("{}: the model `{}` is not read at a layer `{layer}`", node.name(), study.models[model].name);
            return Err(node.wrong(what).next(suggestion(&layer, &known)));
        }
    }
    Ok(layer)
}

fn models(node: &StudyNode, study: &Study) -> Result<Vec<ModelIx>> {
    let names: Vec<&str> = study.models.iter().map(|model| model.name.as_str()).collect();
    let is_all = node.text().is_ok_and(|text| text == ALL) && !names.contains(&ALL);
    if is_all {
        Ok(study.models.keys().collect())
    } else {
        Ok(some_of(node, "model", &names)?.into_iter().map(ModelIx).collect())
    }
}

fn comparisons(node: &StudyNode, study: &Study) -> Result<Vec<ComparisonIx>> {
    let names: Vec<&str> = study.comparisons.iter().map(|of| of.name.as_str()).collect();
    Ok(some_of(node, "comparison", &names)?.into_iter().map(ComparisonIx).collect())
}

fn higher(fields: &Fields, study: &Study) -> Result<HypothesisTest> {
    let contrasts: Vec<&str> = study.contrasts.iter().map(Contrast::name).collect();
    let contrast = place_of(fields.need("contrast")?, "contrast", &contrasts)?;
    let levels = match &study.contrasts[contrast] {
        Contrast::Pair { models, .. } => models.to_vec(),
        Contrast::Factor { factor, .. } => study.levels(factor).into_iter().collect(),
        Contrast::Baseline { .. } => study.models.iter().map(|model| model.name.clone()).collect(),
    };
    let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
    let level = fields.need("higher")?.reference("side of this contrast", &levels)?;
    match fields.get("attends_to") {
        Some(node) => Ok(HypothesisTest::AttendsMore { contrast, level, cue: cue(node, study)? }),
        None => Ok(HypothesisTest::Higher { contrast, level, on: fields.or("on", vec![], |node| comparisons(node, study))? }),
    }
}

/// The places of a name, or of each of a list.
fn some_of(node: &StudyNode, noun: &str, known: &[&str]) -> Result<Vec<usize>> {
    let Ok(nodes) = node.list() else { return Ok(vec![place_of(node, noun, known)?]) };
    if nodes.is_empty() {
        return Err(node.wrong(format!("{}: no {noun} is listed", node.name())));
    }
    let places = nodes.iter().map(|node| place_of(node, noun, known)).collect::<Result<Vec<_>>>()?;
    no_two(&nodes, &places, |place| *place, |_, _| (format!("the {noun} is listed twice"), "remove one"))?;
    Ok(places)
}

fn place_of(node: &StudyNode, noun: &str, known: &[&str]) -> Result<usize> {
    let name = node.reference(noun, known)?;
    Ok(known.iter().position(|of| **of == name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    fn read(claims: &str) -> Result<Vec<Hypothesis>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ one: {{ features: {{ embedding: a.npy, images: i.txt }} }}, two: {{ features: {{ \
             embedding: b.npy, images: i.txt }} }} }} }}\nprojections: [pca, umap]\ncomparisons: {{ hat: {{ A: d, B: not d }}, age: {{ A: e, \
             B: not e }} }}\ncontrasts: {{ files: {{ pair: [one, two] }}, made: {{ factor: features }} }}\nclaims:\n  It holds: {claims}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.claims)
    }

    #[test]
    fn a_claim_is_of_models_or_of_a_contrast() {
        let separation = |models: &[usize], comparisons: &[usize]| Separation {
            models: models.iter().map(|&place| ModelIx(place)).collect(),
            comparisons: comparisons.iter().map(|&place| ComparisonIx(place)).collect(),
            layer: None,
            projection: None,
        };
        let test = |claims: &str| read(claims).unwrap().remove(0).test;
        assert_eq!(test("{ model: one, separates: age }"), HypothesisTest::Separates(separation(&[0], &[1])));
        assert_eq!(test("{ model: all, misses: [hat, age] }"), HypothesisTest::Misses(separation(&[0, 1], &[0, 1])));
        let narrow =
            Separation { layer: Some("embedding".to_owned()), projection: Some(ProjectionIx(1)), ..separation(&[1], &[0]) };
        assert_eq!(
            test("{ model: [two], separates: hat, layer: embedding, projection: umap }"),
            HypothesisTest::Separates(narrow)
        );
        let higher = |contrast, on| HypothesisTest::Higher { contrast, level: "two".to_owned(), on };
        assert_eq!(test("{ contrast: files, higher: two }"), higher(0, vec![]));
        let others = vec![ProjectionIx(0)];
        assert_eq!(
            test("{ projection: umap, better_than: [pca] }"),
            HypothesisTest::BetterThan { projection: ProjectionIx(1), others: others.clone() }
        );
        assert_eq!(test("{ projection: umap, rescues: pca }"), HypothesisTest::Rescues { projection: ProjectionIx(1), others });
        assert_eq!(test("{ contrast: made, higher: two, on: age }"), higher(1, vec![ComparisonIx(1)]));
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        for (claims, why) in [
            (
                "{ model: one }",
                "expected one of `separates`, `misses`, `follows`, `attends_to`, `contrast`, `better_than`, `rescues`",
            ),
            ("{ model: one, separates: age, misses: hat }", "expected one of"),
            ("{ model: three, separates: age }", "there is no model `three`"),
            ("{ model: one, separates: ages }", "there is no comparison `ages`"),
            ("{ model: one, separates: [age, age] }", "listed twice"),
            ("{ model: one, separates: [] }", "no comparison is listed"),
            ("{ model: one, separates: age, layer: layer4 }", "is not read at a layer `layer4`"),
            ("{ model: one, separates: age, higher: one }", "says nothing beside `separates`"),
            ("{ contrast: files, higher: three }", "there is no side of this contrast `three`"),
            ("{ contrast: files, higher: one, model: two }", "says nothing beside `contrast`"),
            ("{ projection: umap, better_than: umap }", "a projection against itself"),
            ("{ projection: umap, rescues: pca, model: one }", "says nothing beside `rescues`"),
            ("{ model: one, follows: background }", "there is no nuisance `background`"),
            ("{ model: one, attends_to: colour }", "no alteration of this study takes away `colour`"),
            ("{ model: one, attends_to: colour, higher: one }", "says nothing beside `attends_to`"),
            ("{ contrast: files, higher: one, attends_to: colour, on: age }", "says nothing beside `contrast`"),
            ("{ contrast: files }", "lacks the key `higher`"),
            ("{ model: one, separates: age }\n  Again: { model: one, separates: age }", "the claim `It holds` tests the same"),
        ] {
            let fault = read(claims).unwrap_err();
            assert!(fault.what.contains(why), "{claims}: {}", fault.what);
        }
    }
}
