//! The `models` section: the matrix of factors, and models named one by one.

use super::reader::{Fields, StudyNode};
use std::collections::{BTreeMap, HashSet};
use visavis_core::{
    domain::{
        Result,
        embedding::{EmbeddingForm, Flip, Norm},
        loss::{LOSSES, Loss, LossParameter, LossSpec},
        made_with::{MadeItem, MadeWith},
        matrix::{Exclusion, Multiplied, StudyMatrix},
        model::{
            Architecture, BaselineKind, EMBEDDING, GivenFeatures, Model, ModelFile, ModelFormat, Network, Source, WeightFamily,
            Weights,
        },
        text::{is_steering, thousands},
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
    let keys =
        ["architecture", "loss", "trained_on", "prepare", "embedding", "weights", "layers", "train", "features", "baseline"];
    let fields = node.fields(&keys)?;
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
            let written = node.fields(&["file", "family", "blake3"])?;
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
            let whole = ModelFormat::ALL.map(ModelFormat::word);
            let family = written.need("family")?.word(&[&families::family_words()[..], &whole[..]].concat())?;
            let (file, blake3) = (written.need("file")?.path()?, written.or("blake3", None, digest)?);
            match (ModelFormat::of_word(family), fields.get("layers")) {
                (Some(format), Some(layers)) => {
                    return whole_network(&fields, layers, known, ModelFile { file, format, reads: BTreeMap::new(), blake3 });
                }
                (Some(format), None) => {
                    return Err(node
                        .wrong_key(format!("a whole network of the family {format} lacks `layers`: what is read of it"))
                        .next("such as layers: { embedding: \"OUTPUT\" }; `visavis weights inspect FILE` writes them"));
                }
                (None, _) => Weights::File { file, family: WeightFamily::of(family), blake3 },
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
    if let Some(node) = fields.get("layers") {
        return Err(node
            .wrong_key("`layers` of a model are for whole networks: the layers of this one are those of its architecture")
            .next("leave them out here; the study's own `layers` choose which are read"));
    }
    let trained_on = fields.need("trained_on")?;
    let prepare = match (&weights, fields.get("prepare")) {
        (Weights::File { family, .. }, None) if families::input_of(family).is_some() => as_trained(family),
        _ => fields.need("prepare")?.reference("preparation", &known.preparations)?,
    };
    let architecture = architecture(fields.need("architecture")?)?;
    let layers = match &weights {
        Weights::File { family, .. } => layers_of(&architecture, family),
        Weights::Whole(_) | Weights::Recipe { .. } | Weights::Untrained { .. } => layers_of(&architecture, &WeightFamily::own()),
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
        prepare,
        embedding: fields.or("embedding", EmbeddingForm::default(), embedding)?,
        weights,
    }))
}

/// A network that its file holds whole. Architecture, loss and training set are labels.
fn whole_network(fields: &Fields, layers: &StudyNode, known: &KnownNames, mut of: ModelFile) -> Result<Source> {
    let mut names = Vec::new();
    for (name, node) in layers.entries()? {
        let name = node.name_of("layer", &name)?;
        let read = node.text()?;
        if read.is_empty() || read.chars().count() > 1000 || read.chars().any(is_steering) {
            return Err(node.wrong(format!("{}: not the name of a tensor, a node or an output", node.name())));
        }
        if let Some((first, _)) = of.reads.iter().find(|(_, other)| **other == read) {
            return Err(node
                .wrong(format!("{}: the layer `{first}` reads the same", node.name()))
                .next("remove one: the same features are one layer"));
        }
        of.reads.insert(name.clone(), read);
        names.push(name);
    }
    if names.is_empty() {
        return Err(layers.wrong(format!("{} has no layer", layers.name())));
    }
    let form = fields.or("embedding", EmbeddingForm::default(), embedding)?;
    if let (Some(node), false) = (fields.get("embedding"), names.iter().any(|name| name == EMBEDDING)) {
        return Err(node
            .wrong_key(format!("{}: the model has no layer `{EMBEDDING}`", node.name()))
            .next(format!("name a layer so in `layers`: {EMBEDDING}: \"OUTPUT\"")));
    }
    let label = |key: &str, noun: &str| {
        let node = fields.need(key)?;
        node.name_of(noun, &node.text()?)
    };
    Ok(Source::Network(Network {
        architecture: Architecture { word: label("architecture", "architecture")?, width: 1.0 },
        layers: names,
        loss: loss(fields.need("loss")?)?,
        trained_on: label("trained_on", "training set")?,
        prepare: fields.need("prepare")?.reference("preparation", &known.preparations)?,
        embedding: form,
        weights: Weights::Whole(of),
    }))
}

/// What a network is held against: `pixels` and `colours` take none, `untrained` is one that never learned.
fn baseline(of: &StudyNode, fields: &Fields, known: &KnownNames) -> Result<Source> {
    let words: Vec<&str> = BaselineKind::ALL.map(BaselineKind::word).into_iter().chain(["untrained"]).collect();
    let word = of.word(&words)?;
    // `None`: untrained, a network.
    let kind = BaselineKind::of_word(word);
    let prepare = fields.need("prepare")?.reference("preparation", &known.preparations)?;
    let mut takes_no = vec!["loss", "trained_on", "embedding", "weights", "layers", "train"];
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
        embedding: EmbeddingForm::default(),
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

/// `{ flip: sum, norm: l2 }`.
fn embedding(node: &StudyNode) -> Result<EmbeddingForm> {
    let fields = node.fields(&["flip", "norm"])?;
    Ok(EmbeddingForm {
        flip: fields.or("flip", None, |node| node.word_of(Flip::ALL, Flip::word).map(Some))?,
        norm: fields.or("norm", None, |node| node.word_of(Norm::ALL, Norm::word).map(Some))?,
    })
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

/// What a preparation is called that no study file names: that of the family's training.
fn as_trained(family: &WeightFamily) -> String {
    format!("as {family}")
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
    let (word, given) = node.variant(&LOSSES.map(|of| of.word))?;
    let spec = LossSpec::of(word).expect("variant returns a known word");
    let mut loss = spec.usual();
    for (key, node) in given.map_or(Ok(vec![]), |node| node.entries())? {
        let known: Vec<&str> = spec.parameters.iter().map(|of| of.name).collect();
        let Some(parameter) = spec.parameter(&key) else {
            return Err(node
                .wrong_key(format!("{word} has no parameter `{key}`"))
                .next(visavis_core::domain::spelling::suggestion(&key, &known)));
        };
        loss.parameters.insert(key, value(&node, parameter)?);
    }
    Ok(loss)
}

fn value(node: &StudyNode, parameter: &LossParameter) -> Result<f64> {
    if !parameter.is_whole {
        return node.number(parameter.range());
    }
    let (least, most) = parameter.range;
    node.whole(least as u64..=most as u64).map(|number| number as f64)
}

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::{
        Result,
        index::ModelIx,
        model::{Model, ModelFormat, Source, Weights},
    };

    /// What is said of how features were made, in a phrase.
    fn made_with(said: &str) -> Result<String> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt{said} }} }} }} }}\n\
             projections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        let file = parse(Text { path: "s.yaml".into(), source })?;
        Ok(file.study.how_made(ModelIx(0)).unwrap_or_default())
    }

    /// The model `m` of a study, written so.
    fn model(written: &str) -> Result<Model> {
        let source = format!(
            "format: 1\nstudy: s\nevaluation: {{ dataset: f }}\ndatasets: {{ f: {{ images: {{ root: pics, labels: l.csv }} }} }}\n\
             preparations: {{ p: {{ size: 16 }} }}\nmodels: {{ named: {{ m: {{ loss: arcface, trained_on: glint, prepare: p, {written} }} \
             }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        let file = parse(Text { path: "s.yaml".into(), source })?;
        Ok(file.study.models.first().cloned().unwrap())
    }

    #[test]
    fn a_whole_network_names_what_is_read_of_it_in_order_of_depth() {
        let written =
            "architecture: r50 of ours, weights: { file: m.onnx, family: onnx }, layers: { layer4: \"542\", embedding: 683 }";
        let model = model(written).unwrap();
        let Source::Network(network) = &model.source else { panic!("a network") };
        assert_eq!(network.layers, ["layer4", "embedding"]);
        assert_eq!(model.factors()["architecture"], "r50 of ours");
        let Weights::Whole(of) = &network.weights else { panic!("a whole one") };
        assert_eq!((of.format, of.reads["embedding"].as_str(), of.reads["layer4"].as_str()), (ModelFormat::Onnx, "683", "542"));
    }

    #[test]
    fn layers_are_asked_of_whole_networks_and_of_no_others() {
        let told = |written: &str| model(written).unwrap_err().what;
        let onnx = "architecture: r50, weights: { file: m.onnx, family: onnx }";
        assert!(told(onnx).contains("lacks `layers`"));
        assert!(told(&format!("{onnx}, layers: {{}}")).contains("has no layer"));
        assert!(told(&format!("{onnx}, layers: {{ a: \"\" }}")).contains("not the name of a tensor"));
        assert!(told(&format!("{onnx}, layers: {{ a: x, b: x }}")).contains("the layer `a` reads the same"));
        let built = "architecture: resnet50, weights: { file: w.pth, family: torchvision }, layers: { a: x }";
        assert!(told(built).contains("are for whole networks"));
        assert!(told("architecture: r50, weights: { file: m, family: onxx }").contains("`onxx` is not known"));
    }

    #[test]
    fn an_embedding_may_be_the_sum_over_a_picture_and_its_mirror_image() {
        let form = |said: &str| {
            let written = format!("architecture: resnet50, weights: {{ file: w.pth, family: torchvision }}{said}");
            model(&written).map(|model| model.factors().get("embedding").cloned())
        };
        assert_eq!(form("").unwrap(), None);
        assert_eq!(form(", embedding: { flip: sum }").unwrap().unwrap(), "flip sum");
        assert_eq!(form(", embedding: { flip: sum, norm: l2 }").unwrap().unwrap(), "flip sum, norm l2");
        assert!(form(", embedding: { flip: both }").unwrap_err().what.contains("`both` is not known"));
        let whole = "architecture: r50, weights: { file: m.onnx, family: onnx }, embedding: { flip: sum }, layers: { layer4: x }";
        assert!(model(whole).unwrap_err().what.contains("the model has no layer `embedding`"));
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
