//! The sections of a study file, in their order; and what must agree between them.

mod alterations;
mod claims;
mod clicks;
mod cluster;
mod clusters;
mod data;
mod nuisances;
mod projections;
mod queries;
mod training;
mod verification;

use super::{
    comparisons::comparisons,
    factors::{self, KnownNames},
    prepared::{Prepared, prepared},
    reader::{Fields, StudyNode},
};
use data::{dataset, evaluation};
use projections::projections;
use std::collections::{BTreeMap, BTreeSet};
use training::{numerics, preparation, recipe};
use visavis_core::{
    domain::{
        Result, matrix,
        model::{FACTORS, Model, Network, Source, WeightFamily, Weights},
        score::Statistics,
        study::{
            Contrast, DeviceClass, Evaluation, FairnessSettings, Numerics, Precision, Preparation, Recipe, Resources, RunOn,
            Study, Tolerance, VerificationSettings,
        },
        text::{printable, thousands},
        visibility::{FaceRegion, Visibility},
    },
    weights,
};

const KEYS: [&str; 29] = [
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
    "baseline",
    "claims",
    "statistics",
    "selection",
    "fairness",
    "visibility",
    "clusters",
    "queries",
    "clicks",
    "nuisances",
    "alterations",
    "verification",
    "audit",
    "resources",
    "run",
];

pub(crate) fn study(root: &StudyNode) -> Result<(Study, usize)> {
    let fields = root.fields(&KEYS)?;
    let format = fields.need("format")?;
    if format.whole(0..=u64::MAX)? != 1 {
        return Err(format
            .wrong("this visavis reads study files of format 1")
            .next("a later visavis may read it; see `visavis --version`"));
    }

    let datasets = named(&fields, "datasets", dataset)?;
    let written = named(&fields, "preparations", preparation)?;
    let recipes = named(&fields, "recipes", recipe)?;
    let known = KnownNames { datasets: names(&datasets), preparations: names(&written), recipes: names(&recipes) };
    let (mut models, excluded) = factors::models(fields.need("models")?, &known)?;
    let mut evaluation = fields.or("evaluation", Evaluation::default(), |node| evaluation(node, &known.datasets))?;
    if evaluation.dataset.is_none() && models.iter().any(|model| matches!(model.source, Source::Network(_))) {
        return Err(root
            .wrong("the study has no `evaluation.dataset`")
            .next("name the data set whose images are compared; only given features can do without"));
    }
    let evaluated = evaluation.dataset.as_ref().map(|name| &datasets[name]);
    let Prepared { preparations, origins } = prepared(&written, &mut models, evaluated);
    picture_sizes(fields.need("models")?, &models, &preparations)?;
    compared_pictures(fields.need("models")?, &models, &recipes)?;
    evaluation.quoted = super::comparisons::quoted(fields.need("comparisons")?)?;
    if let Some(node) = fields.get("queries") {
        queries::quoted(node, &mut evaluation.quoted)?;
    }
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
    let mut contrasts = fields.or("contrasts", vec![], |node| contrasts(node, &model_names))?;
    if let Some(node) = fields.get("baseline") {
        let baseline = baseline(node, &model_names)?;
        if contrasts.iter().any(|of| of.name() == baseline.name()) {
            let text = format!("{}: a contrast is called `{}` already", node.name(), baseline.name());
            return Err(node.wrong(text).next("give that contrast another name"));
        }
        contrasts.push(baseline);
    }

    let comparisons = comparisons(fields.need("comparisons")?)?;
    let has_pictures = evaluation.dataset.is_some();
    let mut study = Study {
        name: study_name(fields.need("study")?)?,
        about: fields.or("about", String::new(), |node| Ok(shown(&node.text()?)))?,
        seed: fields.or("seed", 0, |node| node.whole(0..=u64::MAX))?,
        numerics: fields.or(
            "numerics",
            Numerics { device: DeviceClass::Cpu, precision: Precision::Single, threads: None },
            numerics,
        )?,
        projections: projections(fields.need("projections")?, &comparisons)?.into(),
        comparisons: comparisons.into(),
        statistics: fields.or("statistics", Statistics::default(), statistics)?,
        show: fields.or("selection", 12, |node| node.fields(&["show"])?.or("show", 12, |node| node.count(0..=10_000)))?,
        fairness: fields.or("fairness", FairnessSettings { groups: vec![], depth: 1 }, fairness)?,
        visibility: fields.or("visibility", Visibility::default(), visibility)?,
        clusters: fields.get("clusters").map(clusters::clusters).transpose()?,
        clicks: fields.get("clicks").map(clicks::clicks).transpose()?,
        queries: fields.or("queries", vec![], queries::queries)?,
        nuisances: fields.get("nuisances").map(|node| nuisances::nuisances(node, has_pictures)).transpose()?.unwrap_or_default(),
        alterations: fields.or("alterations", vec![], alterations::alterations)?,
        verification: fields.or("verification", VerificationSettings::default(), verification::verification)?,
        tolerance: fields.or("audit", Tolerance { auc: 0.005, features: 0.0001 }, tolerance)?,
        resources: fields.or("resources", Resources { gpu_slots: 1, cpu_slots: 1 }, resources)?,
        run: fields.or("run", RunOn::Local, cluster::run_on)?,
        datasets,
        preparations,
        origins,
        recipes,
        evaluation,
        models: models.into(),
        layers,
        contrasts,
        claims: vec![],
    };
    study.claims = fields.or("claims", vec![], |node| claims::claims(node, &study))?;
    not_too_large(&fields, &study)?;
    Ok((study, excluded))
}

/// Refuses trainings whose loss compares pictures of two identities, and whose batch is too small for two of each.
fn compared_pictures(node: &StudyNode, models: &[Model], recipes: &BTreeMap<String, Recipe>) -> Result<()> {
    for model in models {
        let Source::Network(Network { loss, weights: Weights::Recipe { recipe: name, .. }, .. }) = &model.source else {
            continue;
        };
        let Some(recipe) = recipes.get(name) else { continue };
        if recipe.pictures_of_each(loss).is_some_and(|of_each| recipe.batch < 2 * of_each) {
            return Err(node
                .wrong_key(format!(
                    "the model `{}`: the loss {} compares two pictures each of two identities, and a batch of `{name}` has {}",
                    model.name, loss.word, recipe.batch
                ))
                .next(format!("give the recipe `{name}` a batch of four or more")));
        }
    }
    Ok(())
}

/// The most cells and stages of a study: both are held in memory, and every screen shows all cells.
const MOST_CELLS: usize = 2_000_000;
const MOST_STAGES: usize = 500_000;

/// # Errors
/// A study of more cells or stages than can be planned, told before they are made.
fn not_too_large(fields: &Fields, study: &Study) -> Result<()> {
    let (cells, stages) = (matrix::count_cells(study), matrix::count_stages(study));
    if cells.product <= MOST_CELLS && stages <= MOST_STAGES {
        return not_too_many_on_shared_crops(fields, study, stages);
    }
    let (factor, n) = cells.largest();
    let section = match factor {
        "comparisons" => "comparisons",
        "models × layers" => "models",
        _ => "projections",
    };
    let factors: Vec<String> = cells.factors.iter().map(|(name, n)| format!("{} {name}", thousands(*n))).collect();
    Err(fields
        .need(section)?
        .wrong_key(format!(
            "the study has {} cells ({}) and {} stages; {} cells and {} stages are the most",
            thousands(cells.product),
            factors.join(" × "),
            thousands(stages),
            thousands(MOST_CELLS),
            thousands(MOST_STAGES)
        ))
        .next(format!("the largest factor is that of {factor}, with {}: ask for fewer, or make several studies", thousands(n))))
}

/// # Errors
/// Contrasts of models whose crops differ that make a study of more stages than can be planned. `others`: its other stages.
fn not_too_many_on_shared_crops(fields: &Fields, study: &Study, others: usize) -> Result<()> {
    let shared = matrix::count_stages_on_shared_crops(study);
    if shared == 0 || others.saturating_add(shared) <= MOST_STAGES {
        return Ok(());
    }
    let section = if fields.get("contrasts").is_some() { "contrasts" } else { "baseline" };
    Err(fields
        .need(section)?
        .wrong_key(format!(
            "models of the contrasts are cropped differently, so they are scored on shared crops too: that is {} stages beside {}; {} are the \
             most",
            thousands(shared),
            thousands(others),
            thousands(MOST_STAGES)
        ))
        .next("hold models of fewer crops against each other, or make several studies"))
}

/// A text as people read it: line by line, with characters spelled out that steer a terminal or are invisible.
pub(super) fn shown(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Refuses networks that cannot take pictures of the size of their preparation.
fn picture_sizes(node: &StudyNode, models: &[Model], preparations: &BTreeMap<String, Preparation>) -> Result<()> {
    for model in models {
        let Source::Network(Network { architecture, prepare, weights, .. }) = &model.source else { continue };
        let family = match weights {
            Weights::File { family, .. } => family,
            // What its file says of pictures is held against the preparation when the file is read.
            Weights::Whole(_) => continue,
            Weights::Recipe { .. } | Weights::Untrained { .. } => &WeightFamily::own(),
        };
        // What is not built here is told as missing.
        let (Some(preparation), Ok(network)) = (preparations.get(prepare), weights::describe(architecture, family)) else {
            continue;
        };
        network.columns(preparation.size).map_err(|fault| {
            let next = format!("give `{}` a preparation of another `size`", model.name);
            node.wrong_key(format!("the model `{}`: {}", model.name, fault.what)).next(next)
        })?;
    }
    Ok(())
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

fn layers(node: &StudyNode) -> Result<Vec<String>> {
    let layers = node.list()?.iter().map(StudyNode::text).collect::<Result<Vec<_>>>()?;
    let mut seen = BTreeSet::new();
    match layers.iter().enumerate().find(|(_, layer)| !seen.insert(*layer)) {
        Some((_, layer)) => Err(node.wrong(format!("the layer `{layer}` is listed twice"))),
        None if layers.is_empty() => Err(node.wrong("no layers are listed").next("leave `layers` out to read all there are")),
        None => Ok(layers),
    }
}

/// Refuses a list in which two entries are one: have one `key`. `told` says what is wrong of the later one beside the first, and what to do.
fn no_two<'t, T, K: Ord>(
    nodes: &[StudyNode],
    items: &'t [T],
    key: impl Fn(&'t T) -> K,
    told: impl Fn(&T, &T) -> (String, &'static str),
) -> Result<()> {
    let mut firsts: BTreeMap<K, &T> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        if let Some(first) = firsts.insert(key(item), item) {
            let (what, next) = told(item, first);
            return Err(nodes[place].wrong(format!("{}: {what}", nodes[place].name())).next(next));
        }
    }
    Ok(())
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
    no_two(&nodes, &contrasts, Contrast::asked, |_, first| {
        (format!("the contrast `{}` asks the same", first.name()), "remove one: a test that is made twice counts twice")
    })?;
    Ok(contrasts)
}

/// The model that every other one is held against.
fn baseline(node: &StudyNode, models: &[&str]) -> Result<Contrast> {
    let model = node.reference("model", models)?;
    if models.len() < 2 {
        return Err(node.wrong(format!("{}: there is no other model", node.name())).next("remove the key, or add a model"));
    }
    Ok(Contrast::Baseline { name: format!("{model} as baseline"), model })
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
        no_two(&nodes, &groups, String::clone, |group, _| (format!("`{group}` is listed twice"), "remove one"))?;
        Ok(groups)
    };
    Ok(FairnessSettings { groups: fields.or("groups", vec![], groups)?, depth: fields.or("depth", 1, |node| node.count(1..=3))? })
}

/// `{ least: 0.5, regions: { badge: chest } }`.
fn visibility(node: &StudyNode) -> Result<Visibility> {
    let fields = node.fields(&["least", "regions"])?;
    let regions = |node: &StudyNode| {
        let region = |(attribute, node): (String, StudyNode)| {
            Ok((node.name_of("attribute", &attribute)?, node.word_of(FaceRegion::ALL, FaceRegion::word)?))
        };
        node.entries()?.into_iter().map(region).collect::<Result<BTreeMap<_, _>>>()
    };
    Ok(Visibility {
        least: fields.or("least", Visibility::default().least, |node| node.number(0.01..=1.0))?,
        regions: fields.or("regions", BTreeMap::new(), regions)?,
    })
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

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};

    /// A study of one model of features in a file of weights, at pictures of that many pixels a side.
    fn study(architecture: &str, family: &str, size: usize) -> String {
        format!(
            r#"format: 1
study: network
evaluation: {{ dataset: f }}
datasets: {{ f: {{ images: {{ root: pics, labels: labels.csv }} }} }}
preparations: {{ p: {{ crop: whole, size: {size}, pad: zero, scale: imagenet }} }}
models: {{ named: {{ m: {{ architecture: {architecture}, loss: softmax, trained_on: x, prepare: p, weights: {{ file: w.safetensors, family: {family} }} }} }} }}
projections: [pca: {{ axes: 1 }}]
comparisons: {{ x: {{ A: "x", B: "not x" }} }}
"#
        )
    }

    fn refusal(source: String) -> Option<String> {
        parse(Text { path: "s.yaml".into(), source }).err().map(|fault| fault.what)
    }

    #[test]
    fn a_network_that_takes_one_size_of_pictures_is_refused_at_another() {
        assert_eq!(refusal(study("iresnet50", "arcface_torch", 112)), None);
        let refused = refusal(study("iresnet50", "arcface_torch", 96)).unwrap();
        assert!(refused.starts_with("the model `m`: iresnet50 (arcface_torch) takes no pictures of 96 × 96"), "{refused}");
        assert_eq!(refusal(study("resnet34", "torchvision", 96)), None);
        assert!(refusal(study("irse50", "treb1en", 96)).is_some());
        // Not built here: whether it can take them is not known.
        assert_eq!(refusal(study("irse50", "timm", 96)), None);
    }

    fn given(models: &str, projections: &str, comparisons: &str) -> String {
        format!("format: 1\nstudy: s\nmodels: {models}\nprojections: {projections}\ncomparisons: {comparisons}\n")
    }

    const ONE: &str = "{ named: { m: { features: { embedding: a.npy, images: i.txt } } } }";
    const ASKED: &str = "{ x: { A: a, B: b } }";

    #[test]
    fn every_other_model_is_held_against_the_baseline_once() {
        let models = "{ named: { a: { features: { embedding: a.npy, images: i.txt } }, b: { features: { embedding: b.npy, images: i.txt } }, \
                      c: { features: { embedding: c.npy, images: i.txt } } } }";
        let study = |more: &str| given(models, "[pca]", ASKED) + more;
        let sides = |more: &str| {
            let study = parse(Text { path: "s.yaml".into(), source: study(more) }).unwrap().study;
            let held = visavis_core::domain::contrast::held(&study);
            held.iter().map(|of| (of.contrast, of.left[0].0, of.right[0].0)).collect::<Vec<_>>()
        };
        assert_eq!(sides("baseline: b\n"), [(0, 1, 0), (0, 1, 2)]);
        assert_eq!(sides("contrasts: { one: { pair: [a, b] } }\nbaseline: b\n"), [(0, 0, 1), (1, 1, 2)], "a pair is held once");
        assert!(refusal(study("baseline: x\n")).unwrap().contains("there is no model `x`"));
        let twice = refusal(study("contrasts: { b as baseline: { pair: [a, c] } }\nbaseline: b\n")).unwrap();
        assert!(twice.contains("is called `b as baseline` already"), "{twice}");
        let alone = refusal(given(ONE, "[pca]", ASKED) + "baseline: m\n").unwrap();
        assert!(alone.contains("there is no other model"), "{alone}");
    }

    #[test]
    fn what_multiplies_is_counted_before_it_is_made_and_refused_with_its_largest_factor() {
        let begun = std::time::Instant::now();
        let losses: String = (0..400)
            .map(|i| format!("arcface: {{ m: {} }}", f64::from(i) / 400.0))
            .map(|loss| format!("{{ {loss} }}, "))
            .collect();
        let widths: String = (0..400).map(|i| format!("{{ resnet34: {{ width: {} }} }}, ", 0.1 + f64::from(i) / 400.0)).collect();
        let matrix = format!(
            "{{ matrix: {{ architecture: [{widths}], loss: [{losses}], trained_on: [t], prepare: [p], train: {{ recipe: r, seeds: 1000 }} }} }}\n\
             datasets: {{ t: {{ folders: {{ root: t }} }} }}\nrecipes: {{ r: {{}} }}\npreparations: {{ p: {{}} }}\nevaluation: {{ dataset: t }}"
        );
        let told = refusal(given(&matrix, "[pca]", ASKED)).unwrap();
        assert!(told.contains("160,000,000 models") && told.contains("2,000 are the most"), "{told}");
        let comparisons: String = (0..3000).map(|i| format!("c{i}: {{ A: a{i}, B: b{i} }}, ")).collect();
        let told = refusal(given(ONE, "[pca: { axes: 1000 }]", &format!("{{ {comparisons} }}"))).unwrap();
        assert!(told.contains("3,003,000 cells (1 models × layers × 1,001 views of projections × 3,000 comparisons)"), "{told}");
        let stages = refusal(given(ONE, "[pca: { axes: 200 }]", &format!("{{ {comparisons} }}")));
        assert_eq!(stages, None, "600,000 cells and 3,000 stages are no more than can be planned");
        let lists = refusal(given(ONE, &format!("[{}]", "pca, ".repeat(6000)), ASKED)).unwrap();
        assert!(lists.contains("6000 entries"), "{lists}");
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    /// 40 networks on 40 crops: each is held against itself on every narrower one.
    #[test]
    fn stages_on_shared_crops_are_counted_before_they_are_made() {
        let begun = std::time::Instant::now();
        let list = |of: &dyn Fn(usize) -> String, n: usize| (0..n).map(of).collect::<Vec<_>>().join(", ");
        let study = |crops: usize, contrasts: &str| {
            let margins = list(&|i| format!("p{i}: {{ crop: face, margin: {} }}", 1.0 + i as f64 / 100.0), crops);
            let networks = list(&|i| format!("{{ resnet34: {{ width: {} }} }}", 0.1 + i as f64 / 100.0), 40);
            let prepare = list(&|i| format!("p{i}"), crops);
            let models = format!(
                "{{ matrix: {{ architecture: [{networks}], loss: [softmax], trained_on: [t], prepare: [{prepare}], train: {{ recipe: r }} }} }}\n\
                 datasets: {{ t: {{ folders: {{ root: t, boxes: b.csv }} }} }}\nrecipes: {{ r: {{}} }}\npreparations: {{ {margins} }}\n\
                 evaluation: {{ dataset: t }}\n{contrasts}"
            );
            refusal(given(&models, "[pca: { axes: 1 }]", ASKED))
        };
        let contrasts = "contrasts: { crops: { factor: prepare } }";
        let told = study(40, contrasts).unwrap();
        // 40 × (40 × 39 / 2) models on another crop, of 5 layers: an extraction, and of each layer features, a projection and a score.
        assert!(told.contains("that is 499,201 stages beside 83,209; 500,000 are the most"), "{told}");
        assert_eq!(study(40, ""), None);
        assert_eq!(study(20, contrasts), None);
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_invisible_in_the_text_about_a_study_is_spelled_out() {
        let source = format!("{}about: \"a\\u202eb\\nc\\u00ad\"\n", given(ONE, "[pca]", ASKED));
        let about = parse(Text { path: "s.yaml".into(), source }).unwrap().study.about;
        assert_eq!(about, "a\\u{202e}b\nc\\u{ad}");
    }

    #[test]
    fn a_study_says_which_region_an_attribute_needs_by_words_that_are_known() {
        let with = |section: &str| study("resnet34", "torchvision", 96) + section + "\n";
        let parsed = parse(Text { path: "s.yaml".into(), source: with("visibility: { least: 0.6, regions: { x: chest } }") });
        let visibility = parsed.unwrap().study.visibility;
        assert_eq!((visibility.least, visibility.region("x").unwrap().word()), (0.6, "chest"));
        assert!(refusal(with("visibility: { regions: { x: chset } }")).unwrap().contains("`chset` is not known"));
        assert!(refusal(with("visibility: { least: 0 }")).unwrap().contains("a number from 0.01 to 1"));
        assert!(refusal(with("visibility: { most: 1 }")).is_some());
    }

    #[test]
    fn words_of_networks_and_families_are_those_of_the_register() {
        assert!(refusal(study("resnet35", "torchvision", 96)).unwrap().contains("`resnet35` is not known"));
        assert!(refusal(study("resnet34", "torchvison", 96)).unwrap().contains("`torchvison` is not known"));
    }
}
