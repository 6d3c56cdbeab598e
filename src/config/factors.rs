//! The `models` section: the matrix of factors, and models named one by one.

use super::reader::{Fields, StudyNode};
use std::collections::{BTreeMap, HashSet};
use visavis_core::{
    domain::{
        Result,
        made_with::{MadeItem, MadeWith},
        matrix::{Exclusion, Multiplied, StudyMatrix},
        model::{Architecture, BaselineKind, GivenFeatures, LOSSES, Loss, Model, Network, Source, WeightFamily, Weights},
        text::thousands,
    },
    weights::families,
};

/// What models may refer to.
pub(crate) struct KnownNames<'a> {
    pub datasets: Vec<&'a str>,
    pub preparations: Vec<&'a str>,
    pub recipes: Vec<&'a str>,
}

/// All models, those of the matrix first, and how many combinations were excluded.
pub(crate) fn models(node: &StudyNode, known: &KnownNames) -> Result<(Vec<Model>, usize)> {
    let fields = node.fields(&["matrix", "named"])?;
    let (mut models, mut excluded) = (Vec::new(), 0);
    if let Some(node) = fields.get("matrix") {
        let matrix = matrix(node, known)?;
        not_too_many(node, &matrix.count())?;
        let (of_matrix, left_out) = matrix.models(|of| layers_of(of, &WeightFamily::own()));
        if of_matrix.is_empty() {
            return Err(node
                .wrong_key(format!("every one of the {left_out} combinations of the matrix is excluded"))
                .next("remove an entry of `exclude`, or the matrix"));
        }
        let mut names = HashSet::new();
        for model in &of_matrix {
            if !names.insert(&model.name) {
                return Err(node
                    .wrong_key(format!("two models of the matrix are named `{}`", model.name))
                    .next("a level is written twice: remove one"));
            }
        }
        models = of_matrix;
        excluded = left_out;
    }
    if let Some(node) = fields.get("named") {
        for (name, node) in node.entries()? {
            let name = node.name_of("model", &name)?;
            if models.iter().any(|other| other.name == name) {
                return Err(node
                    .wrong_key(format!("the model `{name}` is there already: in the matrix, or named before"))
                    .next("give it another name"));
            }
            models.push(Model { name, source: named(&node, known)? });
        }
    }
    if models.len() > MOST_MODELS {
        return Err(node.wrong_key(too_many(models.len())).next("compare fewer: a study is one question"));
    }
    if models.is_empty() {
        return Err(node.wrong("the study has no models").next("give `matrix` or `named`"));
    }
    Ok((models, excluded))
}

/// What a study can be of: every model is held against every other.
const MOST_MODELS: usize = 2000;

fn too_many(models: usize) -> String {
    format!("the study has {} models, and {} are the most", thousands(models), thousands(MOST_MODELS))
}

/// # Errors
/// More models than a study can have, told before they are made.
fn not_too_many(node: &StudyNode, count: &Multiplied) -> Result<()> {
    if count.product <= MOST_MODELS {
        return Ok(());
    }
    let (factor, n) = count.largest();
    let factors: Vec<String> = count.factors.iter().map(|(name, n)| format!("{n} {name}")).collect();
    Err(node
        .wrong_key(format!("{} ({})", too_many(count.product), factors.join(" × ")))
        .next(format!("the largest factor is `{factor}`, with {n}: list fewer; what `exclude` leaves out is counted too")))
}

fn matrix(node: &StudyNode, known: &KnownNames) -> Result<StudyMatrix> {
    let fields = node.fields(&["architecture", "loss", "trained_on", "prepare", "train", "exclude"])?;
    let levels = |key: &str| -> Result<Vec<StudyNode>> {
        let node = fields.need(key)?;
        let levels = node.list()?;
        if levels.is_empty() { Err(node.wrong(format!("{} has no levels", node.name()))) } else { Ok(levels) }
    };
    let each = |key: &str, noun: &str, known: &[&str]| {
        levels(key)?.iter().map(|node| node.reference(noun, known)).collect::<Result<Vec<_>>>()
    };
    let train = fields.need("train")?.fields(&["recipe", "seeds"])?;
    let mut matrix = StudyMatrix {
        architecture: levels("architecture")?.iter().map(architecture).collect::<Result<_>>()?,
        loss: levels("loss")?.iter().map(loss).collect::<Result<_>>()?,
        trained_on: each("trained_on", "data set", &known.datasets)?,
        prepare: each("prepare", "preparation", &known.preparations)?,
        recipe: train.need("recipe")?.reference("recipe", &known.recipes)?,
        seeds: train.or("seeds", 1, |node| node.count(1..=1000))?,
        exclude: Vec::new(),
    };
    if let Some(node) = fields.get("exclude") {
        let nodes = node.list()?;
        for (place, node) in nodes.iter().enumerate() {
            let exclusion = exclusion(node, &matrix)?;
            if let Some(first) = matrix.exclude.iter().position(|other| *other == exclusion) {
                return Err(node
                    .wrong(format!("{}: entry {} excludes the same", nodes[place].name(), first + 1))
                    .next("remove one"));
            }
            matrix.exclude.push(exclusion);
        }
    }
    Ok(matrix)
}

/// Excluding a level that the matrix does not have would silently exclude nothing.
fn exclusion(node: &StudyNode, matrix: &StudyMatrix) -> Result<Exclusion> {
    let fields = node.fields(&["architecture", "loss", "trained_on", "prepare"])?;
    let level = |key: &str, levels: Vec<String>| -> Result<Option<String>> {
        let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
        fields.get(key).map(|node| node.reference(&format!("level of {key}"), &levels)).transpose()
    };
    let exclusion = Exclusion {
        architecture: level("architecture", matrix.architecture.iter().flat_map(|a| [a.to_string(), a.word.clone()]).collect())?,
        loss: level("loss", matrix.loss.iter().flat_map(|l| [l.to_string(), l.word.clone()]).collect())?,
        trained_on: level("trained_on", matrix.trained_on.clone())?,
        prepare: level("prepare", matrix.prepare.clone())?,
    };
    if exclusion == Exclusion::default() {
        return Err(node
            .wrong("this excludes everything")
            .next("name at least one level, such as { loss: arcface, trained_on: imagenet }"));
    }
    Ok(exclusion)
}

fn named(node: &StudyNode, known: &KnownNames) -> Result<Source> {
    let fields = node.fields(&["architecture", "loss", "trained_on", "prepare", "weights", "train", "features", "baseline"])?;
    if let Some(given) = fields.get("features") {
        if let Some((key, other)) = node.entries()?.iter().find(|(key, _)| key != "features") {
            return Err(other.wrong_key(format!("a model with given `features` has no `{key}`")));
        }
        return features(given).map(Source::Given);
    }
    if let Some(node) = fields.get("baseline") {
        return baseline(node, &fields, known);
    }
    let weights = match (fields.get("weights"), fields.get("train")) {
        (Some(node), None) => {
            let fields = node.fields(&["file", "family", "blake3"])?;
            let digest = |node: &StudyNode| {
                let text = node.text()?;
                // An ellipsis stands for a digest not known yet; `plan` says so.
                let known = text.parse::<visavis_core::domain::Digest>().is_ok();
                if known {
                    Ok(Some(text))
                } else if matches!(text.as_str(), "…" | "...") {
                    Ok(None)
                } else {
                    Err(node
                        .wrong(format!("{}: not a BLAKE3 digest (64 hexadecimal digits)", node.name()))
                        .next("`b3sum FILE` prints it; write \"…\" while it is not known"))
                }
            };
            Weights::File {
                file: fields.need("file")?.path()?,
                family: WeightFamily::of(fields.need("family")?.word(&families::family_words())?),
                blake3: fields.or("blake3", None, digest)?,
            }
        }
        (None, Some(node)) => {
            let fields = node.fields(&["recipe", "seed"])?;
            Weights::Recipe {
                recipe: fields.need("recipe")?.reference("recipe", &known.recipes)?,
                seed: fields.or("seed", 1, |node| node.count(1..=1000))?,
            }
        }
        (None, None) => {
            return Err(node
                .wrong_key(format!("{} has neither `weights`, nor `train`, nor `features`", node.name()))
                .next("say where the network comes from"));
        }
        (Some(_), Some(node)) => {
            return Err(node.wrong_key(format!("{} has both `weights` and `train`: one of them", node.name())));
        }
    };
    let trained_on = fields.need("trained_on")?;
    let architecture = architecture(fields.need("architecture")?)?;
    let layers = match &weights {
        Weights::File { family, .. } => layers_of(&architecture, family),
        Weights::Recipe { .. } | Weights::Untrained { .. } => layers_of(&architecture, &WeightFamily::own()),
    };
    Ok(Source::Network(Network {
        architecture,
        layers,
        loss: loss(fields.need("loss")?)?,
        // Where weights are given it is a label; where the network is trained here it must be a data set.
        trained_on: if matches!(weights, Weights::File { .. }) {
            trained_on.name_of("training set", &trained_on.text()?)?
        } else {
            trained_on.reference("data set", &known.datasets)?
        },
        prepare: fields.need("prepare")?.reference("preparation", &known.preparations)?,
        weights,
    }))
}

/// What a network is held against: `pixels` and `colours` take none, `untrained` is one that never learned.
fn baseline(of: &StudyNode, fields: &Fields, known: &KnownNames) -> Result<Source> {
    let words: Vec<&str> = BaselineKind::ALL.map(BaselineKind::word).into_iter().chain(["untrained"]).collect();
    let word = of.word(&words)?;
    // `None`: untrained, a network.
    let kind = BaselineKind::of_word(word);
    let prepare = fields.need("prepare")?.reference("preparation", &known.preparations)?;
    let mut takes_no = vec!["loss", "trained_on", "weights", "train"];
    if kind.is_some() {
        takes_no.push("architecture");
    }
    if let Some((key, node)) = takes_no.into_iter().find_map(|key| Some((key, fields.get(key)?))) {
        return Err(node.wrong_key(format!("the baseline `{word}` has no `{key}`")));
    }
    if let Some(word) = kind {
        return Ok(Source::Baseline { word, prepare });
    }
    let architecture = architecture(fields.need("architecture")?)?;
    Ok(Source::Network(Network {
        layers: layers_of(&architecture, &WeightFamily::own()),
        architecture,
        loss: Loss { word: "softmax".to_owned(), parameters: BTreeMap::new() },
        trained_on: "nothing".to_owned(),
        prepare,
        weights: Weights::Untrained { seed: 1 },
    }))
}

fn features(node: &StudyNode) -> Result<GivenFeatures> {
    let (mut layers, mut images) = (BTreeMap::new(), None);
    let mut made_with = MadeWith::default();
    for (key, node) in node.entries()? {
        if key == "made_with" {
            made_with = self::made_with(&node)?;
            continue;
        }
        let path = node.path()?;
        if key == "images" {
            images = Some(path);
            continue;
        }
        let layer = node.name_of("layer", &key)?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_owned();
        if !matches!(ending.as_str(), "npy" | "safetensors") {
            let next = if families::all_layers().contains(&key.as_str()) {
                "features are .npy or .safetensors files"
            } else {
                "expected a layer with its .npy or .safetensors file, and `images`"
            };
            return Err(node.wrong(format!("{}: cannot tell the format of `{}`", node.name(), path.display())).next(next));
        }
        // An .npy file holds one array; a safetensors file may hold one a layer.
        if let Some((first, _)) = layers.iter().find(|(_, other)| ending == "npy" && **other == path) {
            return Err(node
                .wrong(format!("{}: `{first}` has the same file: {}", node.name(), path.display()))
                .next("name the file of this layer, or remove it: the same features are one layer"));
        }
        layers.insert(layer, path);
    }
    let Some(images) = images else {
        return Err(node
            .wrong_key(format!("{} lacks `images`", node.name()))
            .next("a text file that names the image of each row: one id a line, or a CSV with a column of them"));
    };
    if layers.is_empty() {
        return Err(node
            .wrong_key(format!("{} has no features", node.name()))
            .next("name a layer with its file: embedding: ../data/mine.npy"));
    }
    Ok(GivenFeatures { layers, images, made_with })
}

/// The longest text that says how features were made: it stands beside the model wherever that is ranked.
const LONGEST_SAYING: usize = 200;

fn made_with(node: &StudyNode) -> Result<MadeWith> {
    let fields = node.fields(&MadeItem::ALL.map(MadeItem::word))?;
    let mut said = BTreeMap::new();
    for item in MadeItem::ALL {
        let Some(node) = fields.get(item.word()) else { continue };
        let text = node.text()?.trim().to_owned();
        if text.chars().count() > LONGEST_SAYING {
            return Err(node
                .wrong(format!("{}: longer than {LONGEST_SAYING} characters", node.name()))
                .next("say it in a few words"));
        }
        if !text.is_empty() {
            said.insert(item, text);
        }
    }
    Ok(MadeWith::new(said))
}

/// The layers of a network of this family.
fn layers_of(architecture: &Architecture, family: &WeightFamily) -> Vec<String> {
    families::layers_of(&architecture.word, family).iter().map(|layer| (*layer).to_owned()).collect()
}

fn architecture(node: &StudyNode) -> Result<Architecture> {
    let (word, parameters) = node.variant(&families::architecture_words())?;
    let width = match parameters {
        Some(node) => node.fields(&["width"])?.or("width", 1.0, |node| node.number(0.01..=8.0))?,
        None => 1.0,
    };
    Ok(Architecture { word: word.to_owned(), width })
}

fn loss(node: &StudyNode) -> Result<Loss> {
    let (word, given) = node.variant(&LOSSES.map(|(word, _)| word))?;
    let (_, usual) = LOSSES.iter().find(|(name, _)| *name == word).expect("variant returns a known word");
    let mut parameters: BTreeMap<String, f64> = usual.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    for (key, node) in given.map_or(Ok(vec![]), |node| node.entries())? {
        let known: Vec<&str> = usual.iter().map(|(name, _)| *name).collect();
        let Some(parameter) = parameters.get_mut(&key) else {
            return Err(node
                .wrong_key(format!("{word} has no parameter `{key}`"))
                .next(visavis_core::domain::spelling::suggestion(&key, &known)));
        };
        *parameter = node.number(0.0..=1000.0)?;
    }
    Ok(Loss { word: word.to_owned(), parameters })
}

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::{Result, model::Model};

    /// What is said of how features were made, in a phrase.
    fn made_with(said: &str) -> Result<String> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt{said} }} }} }} }}\n\
             projections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        let file = parse(Text { path: "s.yaml".into(), source })?;
        Ok(file.study.models.first().and_then(Model::made_elsewhere).unwrap_or_default())
    }

    #[test]
    fn how_given_features_were_made_is_free_text_and_all_of_it_optional() {
        assert!(made_with("").unwrap().starts_with("not stated: detector"));
        let said = made_with(", made_with: { detector: MTCNN, size: 112, flip: no }").unwrap();
        assert_eq!(said, "detector MTCNN; size 112; flip no; not stated: alignment, mean, scale, channels, weights");
        assert!(made_with(", made_with: { detecter: MTCNN }").unwrap_err().what.contains("detecter"));
        let long = made_with(&format!(", made_with: {{ weights: {} }}", "w".repeat(201))).unwrap_err();
        assert!(long.what.contains("longer than 200 characters"), "{long}");
    }
}
