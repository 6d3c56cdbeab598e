//! The sections of a study file, in their order; and what must agree between them.

use super::{
    comparisons::comparisons,
    factors::{self, KnownNames},
    reader::{Fields, StudyNode},
};
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::{
    domain::{
        Result,
        image::Take,
        model::{FACTORS, Source},
        projection::{Method, Metric, ParameterValue, Projection},
        score::Statistics,
        study::{
            Contrast, Crop, Dataset, DeviceClass, Evaluation, Exif, FairnessSettings, Identities, LabelFile, LabelProvenance,
            Numerics, OnMissing, Optimizer, Padding, Partition, PixelScale, Precision, Preparation, Recipe, Resources, RunOn,
            Schedule, Study, Tolerance, Vggface2Split,
        },
    },
    projection::{METHODS, MethodSpec, ParameterKind, ParameterSpec},
};

/// Usual values: of the recipe for faces (InsightFace's, at one card's batch), and of AdamW.
fn usual(optimizer: Optimizer) -> &'static [(&'static str, f64)] {
    match optimizer {
        Optimizer::Sgd => &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.0005)],
        Optimizer::AdamW => &[("rate", 0.001), ("decay", 0.01)],
    }
}

const KEYS: [&str; 20] = [
    "format",
    "study",
    "about",
    "seed",
    "numerics",
    "datasets",
    "preparations",
    "recipes",
    "evaluation",
    "models",
    "layers",
    "projections",
    "comparisons",
    "contrasts",
    "statistics",
    "selection",
    "fairness",
    "audit",
    "resources",
    "run",
];

pub fn study(root: &StudyNode) -> Result<(Study, usize)> {
    let fields = root.fields(&KEYS)?;
    let format = fields.need("format")?;
    if format.whole(0..=u64::MAX)? != 1 {
        return Err(format
            .wrong("this visavis reads study files of format 1")
            .next("a later visavis may read it; see `visavis --version`"));
    }

    let datasets = named(&fields, "datasets", dataset)?;
    let preparations = named(&fields, "preparations", preparation)?;
    let recipes = named(&fields, "recipes", recipe)?;
    let known = KnownNames { datasets: names(&datasets), preparations: names(&preparations), recipes: names(&recipes) };
    let (models, excluded) = factors::models(fields.need("models")?, &known)?;
    let mut evaluation = fields.or("evaluation", Evaluation::default(), |node| evaluation(node, &known.datasets))?;
    if evaluation.dataset.is_none() && models.iter().any(|model| matches!(model.source, Source::Network(_))) {
        return Err(root
            .wrong("the study has no `evaluation.dataset`")
            .next("name the data set whose images are compared; only given features can do without"));
    }
    evaluation.quoted = super::comparisons::quoted(fields.need("comparisons")?)?;
    let layers = fields.get("layers").map(layers).transpose()?;
    if let Some(layers) = &layers {
        let all: BTreeSet<String> = models.iter().flat_map(|model| model.layers(None)).collect();
        if let Some(layer) = layers.iter().find(|layer| !all.contains(*layer)) {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            return Err(fields
                .need("layers")?
                .wrong(format!("no model of this study has the layer `{layer}`"))
                .next(visavis_core::domain::spelling::suggestion(layer, &all)));
        }
    }
    let model_names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let contrasts = fields.or("contrasts", vec![], |node| contrasts(node, &model_names))?;

    let study = Study {
        name: study_name(fields.need("study")?)?,
        about: fields.or("about", String::new(), StudyNode::text)?,
        seed: fields.or("seed", 0, |node| node.whole(0..=u64::MAX))?,
        numerics: fields.or(
            "numerics",
            Numerics { device: DeviceClass::Cpu, precision: Precision::Single, threads: None },
            numerics,
        )?,
        projections: projections(fields.need("projections")?)?.into(),
        comparisons: comparisons(fields.need("comparisons")?)?.into(),
        statistics: fields.or("statistics", Statistics::default(), statistics)?,
        show: fields.or("selection", 12, |node| node.fields(&["show"])?.or("show", 12, |node| node.count(0..=10_000)))?,
        fairness: fields.or("fairness", FairnessSettings { groups: vec![], depth: 1 }, fairness)?,
        tolerance: fields.or("audit", Tolerance { auc: 0.005, features: 0.0001 }, tolerance)?,
        resources: fields.or("resources", Resources { gpu_slots: 1, cpu_slots: 1 }, resources)?,
        run: fields.or("run", RunOn::Local, run_on)?,
        datasets,
        preparations,
        recipes,
        evaluation,
        models: models.into(),
        layers,
        contrasts,
    };
    Ok((study, excluded))
}

fn names<T>(map: &BTreeMap<String, T>) -> Vec<&str> {
    map.keys().map(String::as_str).collect()
}

/// A section that maps names to things of one kind.
fn named<T>(fields: &Fields, section: &'static str, read: impl Fn(&StudyNode) -> Result<T>) -> Result<BTreeMap<String, T>> {
    let Some(node) = fields.get(section) else { return Ok(BTreeMap::new()) };
    let noun = section.trim_end_matches('s');
    node.entries()?.iter().map(|(name, node)| Ok((node.name_of(noun, name)?, read(node)?))).collect()
}

/// The name becomes a file name (`reports/NAME.html`), so it is held to plain characters.
fn study_name(node: &StudyNode) -> Result<String> {
    let name = node.text()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 100 || !name.chars().all(plain) || name.starts_with(['.', '-']) {
        return Err(node
            .wrong("the study's name is not a plain word")
            .next("up to 100 letters, digits, `-`, `_` and `.`: it names files, such as reports/NAME.html"));
    }
    Ok(name)
}

fn numerics(node: &StudyNode) -> Result<Numerics> {
    let fields = node.fields(&["device", "precision", "threads"])?;
    Ok(Numerics {
        device: fields.or("device", DeviceClass::Cpu, |node| node.word_of(DeviceClass::ALL, DeviceClass::word))?,
        precision: fields.or("precision", Precision::Single, |node| node.word_of(Precision::ALL, Precision::word))?,
        threads: fields.or("threads", None, |node| node.count(1..=4096).map(Some))?,
    })
}

fn dataset(node: &StudyNode) -> Result<Dataset> {
    let (word, parameters) = node.variant(&["celeba", "vggface2", "folders", "images"])?;
    let node = parameters.ok_or_else(|| {
        node.wrong(format!("{} says no folder", node.name())).next(format!("write {word}: {{ root: ../data/{word} }}"))
    })?;
    let root = |fields: &Fields| fields.need("root")?.path();
    Ok(match word {
        "celeba" => {
            let fields = node.fields(&["root", "identities"])?;
            Dataset::CelebA { root: root(&fields)?, identities: identities(&fields, "each_image, or { file: ../who.csv }")? }
        }
        "folders" => {
            let fields = node.fields(&["root", "identities"])?;
            let forms = "each_image, folder, or { file: ../who.csv }";
            Dataset::Folders { root: root(&fields)?, identities: identities(&fields, forms)? }
        }
        "vggface2" => {
            let fields = node.fields(&["root", "split"])?;
            Dataset::Vggface2 {
                root: root(&fields)?,
                split: fields.or("split", Vggface2Split::Train, |node| node.word_of(Vggface2Split::ALL, Vggface2Split::word))?,
            }
        }
        _ => {
            let fields = node.fields(&["root", "labels", "identities", "missing"])?;
            let labels = fields.or("labels", None, |node| node.path().map(Some))?;
            let forms = "each_image, folder, { column: person } of the label CSV, or { file: ../who.csv }";
            let identities = identities(&fields, forms)?;
            if let (Identities::Column(column), None, Some(node)) = (&identities, &labels, fields.get("identities")) {
                return Err(node
                    .wrong(format!("the column `{column}` is of a label CSV, and the data set names none"))
                    .next("name it: labels: ../labels.csv"));
            }
            let missing = fields.or("missing", None, |node| missing_words(node).map(Some))?;
            Dataset::Images { root: root(&fields)?, labels, identities, missing }
        }
    })
}

/// Who is on the pictures. A word that is no form of its own is a column of the label CSV, where there may be one.
fn identities(fields: &Fields, forms: &str) -> Result<Identities> {
    let Some(node) = fields.get("identities") else { return Ok(Identities::Unsaid) };
    let wrong = |what: String| node.wrong(what).next(format!("expected {forms}"));
    let (has_columns, has_folders) = (forms.contains("column"), forms.contains("folder"));
    let column = |node: &StudyNode| {
        if has_columns {
            Ok(Identities::Column(node.text()?))
        } else {
            Err(wrong(format!("{}: this data set has no label CSV for a column to be of", node.name())))
        }
    };
    match node.text() {
        Ok(word) if word == "each_image" => Ok(Identities::EachImage),
        Ok(word) if word == "folder" && has_folders => Ok(Identities::Folder),
        Ok(_) => column(node),
        Err(_) => {
            let (word, inner) = node.variant(&["column", "file"])?;
            match (word, inner) {
                ("column", Some(inner)) => column(&inner),
                (_, Some(inner)) => Ok(Identities::File(inner.path()?)),
                (_, None) => Err(wrong(format!("{}: `{word}` says nothing by itself", node.name()))),
            }
        }
    }
}

fn preparation(node: &StudyNode) -> Result<Preparation> {
    let fields = node.fields(&["crop", "size", "pad", "scale", "exif"])?;
    Ok(Preparation {
        crop: fields.or("crop", Crop::Whole, |node| node.word_of(Crop::ALL, Crop::word))?,
        size: fields.or("size", 112, |node| node.count(8..=2048))?,
        pad: fields.or("pad", Padding::Reflect, |node| node.word_of(Padding::ALL, Padding::word))?,
        scale: fields.or("scale", PixelScale::Imagenet, |node| node.word_of(PixelScale::ALL, PixelScale::word))?,
        exif: fields.or("exif", Exif::Apply, |node| node.word_of(Exif::ALL, Exif::word))?,
    })
}

fn recipe(node: &StudyNode) -> Result<Recipe> {
    let fields = node.fields(&["epochs", "batch", "optimizer", "schedule"])?;
    let (optimizer_word, optimizer) = match fields.get("optimizer") {
        None => (Optimizer::Sgd, BTreeMap::new()),
        Some(node) => {
            let (word, parameters) = node.variant(&Optimizer::ALL.map(Optimizer::word))?;
            let optimizer = Optimizer::of_word(word).unwrap_or(Optimizer::Sgd);
            let parameters = match parameters {
                None => BTreeMap::new(),
                Some(node) => {
                    let known: Vec<&str> = usual(optimizer).iter().map(|(name, _)| *name).collect();
                    node.fields(&known)?;
                    node.entries()?.into_iter().map(|(key, node)| Ok((key, node.number(0.0..=100.0)?))).collect::<Result<_>>()?
                }
            };
            (optimizer, parameters)
        }
    };
    // Keys know every value, also those that nobody wrote.
    let mut optimizer: BTreeMap<String, f64> = optimizer;
    for (name, value) in usual(optimizer_word) {
        optimizer.entry((*name).to_owned()).or_insert(*value);
    }
    Ok(Recipe {
        epochs: fields.or("epochs", 8, |node| node.count(1..=100_000))?,
        batch: fields.or("batch", 128, |node| node.count(1..=1_000_000))?,
        optimizer_word,
        optimizer,
        schedule: fields.or("schedule", Schedule::Cosine, |node| node.word_of(Schedule::ALL, Schedule::word))?,
    })
}

fn evaluation(node: &StudyNode, datasets: &[&str]) -> Result<Evaluation> {
    let fields = node.fields(&["dataset", "partition", "take", "on_missing", "labels"])?;
    let take = |node: &StudyNode| {
        let fields = node.fields(&["images", "seed"])?;
        Ok(Some(Take {
            images: fields.need("images")?.count(1..=u64::MAX)?,
            seed: fields.or("seed", 0, |node| node.whole(0..=u64::MAX))?,
        }))
    };
    let label = |node: &StudyNode| {
        let fields = node.fields(&["file", "attribute", "provenance", "missing"])?;
        let attribute = fields.need("attribute")?;
        Ok(LabelFile {
            file: fields.need("file")?.path()?,
            attribute: attribute.name_of("attribute", &attribute.text()?)?,
            provenance: fields
                .or("provenance", None, |node| node.word_of(LabelProvenance::ALL, LabelProvenance::word).map(Some))?,
            missing: fields.or("missing", None, |node| missing_words(node).map(Some))?,
        })
    };
    let labels = |node: &StudyNode| {
        let nodes = node.list()?;
        let labels = nodes.iter().map(label).collect::<Result<Vec<LabelFile>>>()?;
        let same = |a: &LabelFile, b: &LabelFile| (&a.file, &a.attribute) == (&b.file, &b.attribute);
        no_two(&nodes, &labels, same, |of, _| {
            (format!("the attribute `{}` is read from {} twice", of.attribute, of.file.display()), "remove one")
        })?;
        Ok(labels)
    };
    Ok(Evaluation {
        dataset: fields.get("dataset").map(|node| node.reference("data set", datasets)).transpose()?,
        partition: fields.or("partition", None, |node| node.word_of(Partition::ALL, Partition::word).map(Some))?,
        take: fields.or("take", None, take)?,
        on_missing: fields.or("on_missing", OnMissing::Stop, |node| node.word_of(OnMissing::ALL, OnMissing::word))?,
        labels: fields.or("labels", vec![], labels)?,
        quoted: BTreeMap::new(),
    })
}

/// Words as they stand in a label file, less the blanks around them.
fn missing_words(node: &StudyNode) -> Result<Vec<String>> {
    node.list()?.iter().map(|word| Ok(word.text()?.trim().to_owned())).collect()
}

fn layers(node: &StudyNode) -> Result<Vec<String>> {
    let layers = node.list()?.iter().map(StudyNode::text).collect::<Result<Vec<_>>>()?;
    match layers.iter().enumerate().find(|(i, layer)| layers[..*i].contains(layer)) {
        Some((_, layer)) => Err(node.wrong(format!("the layer `{layer}` is listed twice"))),
        None if layers.is_empty() => Err(node.wrong("no layers are listed").next("leave `layers` out to read all there are")),
        None => Ok(layers),
    }
}

fn projections(node: &StudyNode) -> Result<Vec<Projection>> {
    let (specs, mut projections): (Vec<_>, Vec<_>) =
        node.list()?.iter().map(projection).collect::<Result<Vec<_>>>()?.into_iter().unzip();
    if projections.is_empty() {
        return Err(node.wrong("the study has no projections").next("such as `- pca: { axes: 10 }`"));
    }
    // Two of one method are told apart by what differs from the first.
    let parts: Vec<Vec<String>> =
        specs.iter().zip(&projections).map(|(spec, projection)| parameters(spec, &projection.method)).collect();
    for i in 0..projections.len() {
        let rivals: Vec<&Vec<String>> =
            parts.iter().zip(&specs).filter(|(_, spec)| spec.word == specs[i].word).map(|(parts, _)| parts).collect();
        let differs = |place: usize| rivals.iter().any(|other| other[place] != rivals[0][place]);
        let own = parts[i].iter().enumerate().filter(|(place, _)| differs(*place)).map(|(_, part)| format!("-{part}"));
        projections[i].name = format!("{}{}", specs[i].word, own.collect::<String>());
    }
    for (i, projection) in projections.iter().enumerate() {
        if projections[..i].iter().any(|other| other.name == projection.name) {
            return Err(node.list()?[i]
                .wrong(format!("the projection {} is written twice", projection.name))
                .next("change a parameter, or remove one"));
        }
    }
    Ok(projections)
}

/// As names have them, in the method's order: what a method takes is always there.
fn parameters(spec: &MethodSpec, method: &Method) -> Vec<String> {
    let value = |of: &ParameterSpec| match method.parameter(of.name).unwrap_or_else(|| of.default()) {
        ParameterValue::Metric(metric) => metric.word().to_owned(),
        value => format!("{}{value}", of.name),
    };
    spec.parameters.iter().map(value).collect()
}

fn projection(node: &StudyNode) -> Result<(&'static MethodSpec, Projection)> {
    let (word, parameters) = node.variant(&METHODS.map(|of| of.word))?;
    let spec = METHODS.into_iter().find(|of| of.word == word).unwrap_or(METHODS[0]);
    let empty = super::written::Written::Map(vec![]);
    let node = parameters.unwrap_or_else(|| StudyNode { value: &empty, ..node.clone() });
    let gives_axes = spec.usual().parameter(Method::AXES).is_some();
    let own = spec.parameters.iter().map(|of| of.name);
    let known: Vec<&str> = own.chain(gives_axes.then_some("pairs")).chain(spec.seeds.map(|_| "seeds")).collect();
    let fields = node.fields(&known)?;
    let values = spec.parameters.iter().map(|of| parameter(&fields, of)).collect::<Result<Vec<_>>>()?;
    let method = spec.method(&values);
    let pairs = match method.axes() {
        _ if !gives_axes => vec![],
        axes => fields.or("pairs", if axes >= 2 { vec![(1, 2)] } else { vec![] }, |node| pairs(node, axes))?,
    };
    let seeds = spec.seeds.map_or(Ok(1), |usual| fields.or("seeds", usual, |node| node.count(1..=100)))?;
    Ok((spec, Projection { name: word.to_owned(), method, pairs, seeds }))
}

fn parameter(fields: &Fields, of: &ParameterSpec) -> Result<ParameterValue> {
    fields.or(of.name, of.default(), |node| {
        Ok(match of.kind {
            ParameterKind::Count { least, most, .. } => node.count(least as u64..=most as u64)?.into(),
            ParameterKind::Number { least, most, .. } => node.number(least..=most)?.into(),
            ParameterKind::Metric { default } => {
                let word = node.word(&Metric::ALL.map(Metric::word))?;
                Metric::ALL.into_iter().find(|metric| metric.word() == word).unwrap_or(default).into()
            }
        })
    })
}

fn pairs(node: &StudyNode, axes: usize) -> Result<Vec<(usize, usize)>> {
    let nodes = node.list()?;
    let pairs = nodes.iter().map(|node| pair(node, axes)).collect::<Result<Vec<_>>>()?;
    let one = |(first, second): &(usize, usize)| (*first.min(second), *first.max(second));
    no_two(
        &nodes,
        &pairs,
        |a, b| one(a) == one(b),
        |(a, b), (first, second)| {
            let mirrored = if a == first { "" } else { ", the other way round" };
            (format!("the axes {a} and {b} are listed twice{mirrored}: [{first}, {second}]"), "remove one: both are one view")
        },
    )?;
    Ok(pairs)
}

/// Refuses a list in which two entries are one. `told` says what is wrong of the later one beside the first, and what to do.
fn no_two<T>(
    nodes: &[StudyNode],
    items: &[T],
    same: impl Fn(&T, &T) -> bool,
    told: impl Fn(&T, &T) -> (String, &'static str),
) -> Result<()> {
    for (place, item) in items.iter().enumerate() {
        if let Some(first) = items[..place].iter().find(|first| same(first, item)) {
            let (what, next) = told(item, first);
            return Err(nodes[place].wrong(format!("{}: {what}", nodes[place].name())).next(next));
        }
    }
    Ok(())
}

fn pair(node: &StudyNode, axes: usize) -> Result<(usize, usize)> {
    let list = node.list()?;
    let [first, second] = list.as_slice() else {
        return Err(node.wrong(format!("{}: expected two axes, such as [1, 2]", node.name())));
    };
    let (first, second) = (first.count(1..=axes as u64)?, second.count(1..=axes as u64)?);
    if first == second {
        return Err(node.wrong(format!("{}: an axis against itself", node.name())));
    }
    Ok((first, second))
}

fn contrasts(node: &StudyNode, models: &[&str]) -> Result<Vec<Contrast>> {
    let contrast = |(name, node): (String, StudyNode)| {
        let name = node.name_of("contrast", &name)?;
        let fields = node.fields(&["factor", "pair"])?;
        match (fields.get("factor"), fields.get("pair")) {
            (Some(node), None) => Ok(Contrast::Factor { name, factor: node.word(&FACTORS)?.to_owned() }),
            (None, Some(node)) => {
                let pair = node.list()?.iter().map(|node| node.reference("model", models)).collect::<Result<Vec<_>>>()?;
                let models: [String; 2] =
                    pair.try_into().map_err(|_| node.wrong(format!("{}: expected two models", node.name())))?;
                if models[0] == models[1] {
                    return Err(node.wrong(format!("{}: a model against itself", node.name())));
                }
                Ok(Contrast::Pair { name, models })
            }
            _ => Err(node.wrong_key(format!("{}: expected either `factor` or `pair`", node.name()))),
        }
    };
    let entries = node.entries()?;
    let contrasts = entries.iter().cloned().map(contrast).collect::<Result<Vec<_>>>()?;
    let nodes: Vec<StudyNode> = entries.into_iter().map(|(_, node)| node).collect();
    no_two(&nodes, &contrasts, Contrast::asks_the_same, |_, first| {
        (format!("the contrast `{}` asks the same", first.name()), "remove one: a test that is made twice counts twice")
    })?;
    Ok(contrasts)
}

fn statistics(node: &StudyNode) -> Result<Statistics> {
    let usual = Statistics::default();
    let fields = node.fields(&["bootstraps", "permutations", "min_positives", "separates_at"])?;
    Ok(Statistics {
        bootstraps: fields.or("bootstraps", usual.bootstraps, |node| node.count(20..=1_000_000))?,
        permutations: fields.or("permutations", usual.permutations, |node| node.count(20..=1_000_000))?,
        min_positives: fields.or("min_positives", usual.min_positives, |node| node.count(2..=1_000_000))?,
        separates_at: fields.or("separates_at", usual.separates_at, |node| node.number(0.5..=1.0))?,
    })
}

fn fairness(node: &StudyNode) -> Result<FairnessSettings> {
    let fields = node.fields(&["groups", "depth"])?;
    let groups = |node: &StudyNode| {
        let nodes = node.list()?;
        let groups = nodes.iter().map(|node| node.name_of("group", &node.text()?)).collect::<Result<Vec<_>>>()?;
        no_two(&nodes, &groups, PartialEq::eq, |group, _| (format!("`{group}` is listed twice"), "remove one"))?;
        Ok(groups)
    };
    Ok(FairnessSettings { groups: fields.or("groups", vec![], groups)?, depth: fields.or("depth", 1, |node| node.count(1..=3))? })
}

fn tolerance(node: &StudyNode) -> Result<Tolerance> {
    let number = |node: &StudyNode| node.number(0.0..=1.0);
    node.fields(&["tolerance"])?.or("tolerance", Tolerance { auc: 0.005, features: 0.0001 }, |node| {
        let fields = node.fields(&["auc", "features"])?;
        Ok(Tolerance { auc: fields.or("auc", 0.005, number)?, features: fields.or("features", 0.0001, number)? })
    })
}

fn resources(node: &StudyNode) -> Result<Resources> {
    let fields = node.fields(&["gpu", "cpu"])?;
    let slots = |key: &str| fields.or(key, 1, |node| node.fields(&["slots"])?.or("slots", 1, |node| node.count(1..=1024)));
    Ok(Resources { gpu_slots: slots("gpu")?, cpu_slots: slots("cpu")? })
}

fn run_on(node: &StudyNode) -> Result<RunOn> {
    let (word, parameters) = node.variant(&["local", "slurm"])?;
    let settings = |node: &StudyNode| {
        node.fields(&["partition", "gres", "time", "account", "memory", "qos"])?;
        node.entries()?.into_iter().map(|(key, node)| Ok((key, node.text()?))).collect::<Result<BTreeMap<_, _>>>()
    };
    match (word, parameters) {
        ("local", None) => Ok(RunOn::Local),
        ("local", Some(node)) => Err(node.wrong_key("`local` takes no parameters").next("write `run: local`")),
        (_, Some(node)) => Ok(RunOn::Slurm(settings(&node)?)),
        (_, None) => Ok(RunOn::Slurm(BTreeMap::new())),
    }
}
