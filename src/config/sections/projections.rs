//! The section `projections`: methods with their parameters, what supervised ones learn, and the names that tell two of one method apart.

use super::no_two;
use crate::config::{
    reader::{Fields, StudyNode},
    written::Written,
};
use visavis_core::{
    domain::{
        Fault, Result,
        comparison::Comparison,
        projection::{LearnedLabels, Method, Metric, ParameterValue, Projection},
        spelling::suggestion,
    },
    projection::{METHODS, MethodSpec, ParameterKind, ParameterSpec, refusal, word, words},
};

/// A list of values of one parameter is as many projections: `umap: { neighbors: [5, 15, 50] }`.
pub(super) fn projections(node: &StudyNode, comparisons: &[Comparison]) -> Result<Vec<Projection>> {
    let mut written = Vec::new();
    for item in node.list()? {
        written.extend(read(&item, comparisons)?.into_iter().map(|read| (item.clone(), read)));
        if written.len() > MOST_PROJECTIONS {
            return Err(item.wrong(format!("a study has at most {MOST_PROJECTIONS} projections")).next("shorten the list"));
        }
    }
    if written.is_empty() {
        return Err(node.wrong("the study has no projections").next("such as `- pca: { axes: 10 }`"));
    }
    // Two of one method are told apart by what differs from the first.
    let parts: Vec<Vec<String>> = written.iter().map(|(_, of)| of.parts()).collect();
    let mut projections: Vec<Projection> = Vec::new();
    for (place, (item, of)) in written.iter().enumerate() {
        let rivals: Vec<&Vec<String>> = parts
            .iter()
            .zip(&written)
            .filter(|(_, (_, other))| other.spec.word == of.spec.word)
            .map(|(parts, _)| parts)
            .collect();
        let differs = |place: usize| rivals.iter().any(|other| other[place] != rivals[0][place]);
        let own = parts[place].iter().enumerate().filter(|(place, _)| differs(*place)).map(|(_, part)| format!("-{part}"));
        let name = format!("{}{}", of.spec.word, own.collect::<String>());
        if projections.iter().any(|other| other.name == name) {
            return Err(item.wrong(format!("the projection {name} is written twice")).next("change a parameter, or remove one"));
        }
        projections.push(Projection { name, ..of.projection.clone() });
    }
    Ok(projections)
}

/// A projection that has no name yet.
struct Unnamed {
    spec: &'static MethodSpec,
    projection: Projection,
    /// The comparison whose classes are learned, or `identity`.
    labels: Option<String>,
}

impl Unnamed {
    /// As names have them, in the method's order: what a method takes is always there.
    fn parts(&self) -> Vec<String> {
        let method = &self.projection.method;
        let value = |of: &ParameterSpec| match method.parameter(of.name).unwrap_or_else(|| of.default()) {
            ParameterValue::Metric(metric) => metric.word().to_owned(),
            ParameterValue::Word(word) => word.as_str().to_owned(),
            value => format!("{}{value}", of.name),
        };
        let is_plain = |letter: char| letter.is_alphanumeric() || letter == '_';
        let plain = |name: &String| name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        self.spec.parameters.iter().map(value).chain(self.labels.iter().map(plain)).collect()
    }
}

/// The projections of one item of the list.
fn read(node: &StudyNode, comparisons: &[Comparison]) -> Result<Vec<Unnamed>> {
    let (name, node) = node.variant_or_usual(&words())?;
    let spec = METHODS.iter().copied().find(|of| of.word == name).unwrap_or(METHODS[0]);
    let gives_axes = spec.usual().parameter(Method::AXES).is_some();
    let own = spec.parameters.iter().map(|of| of.name);
    let labels = spec.supervised.then_some(LABELS);
    let known: Vec<&str> = own.chain(gives_axes.then_some("pairs")).chain(labels).chain(spec.seeds.map(|_| "seeds")).collect();
    let fields = node.fields(&known)?;
    let labels = labels.map(|_| learned(&node, &fields, spec, comparisons)).transpose()?;
    let seeds = spec.seeds.map_or(Ok(1), |usual| fields.or("seeds", usual, |node| node.count(1..=100)))?;
    let values = spec.parameters.iter().map(|of| values(&fields, of)).collect::<Result<Vec<_>>>()?;
    let projection = |mut values: Vec<ParameterValue>| {
        if let Some(most) = labels.as_ref().and_then(Learned::most_axes) {
            narrow_axes(&fields, spec, &mut values, most)?;
        }
        let method = spec.method(&values);
        if let Some(Fault { what, next, .. }) = refusal(&method) {
            let refused = node.wrong(format!("{}: {what}", spec.word));
            return Err(next.into_iter().fold(refused, Fault::next));
        }
        let pairs = match method.axes() {
            _ if !gives_axes => vec![],
            axes => fields.or("pairs", if axes >= 2 { vec![(1, 2)] } else { vec![] }, |node| pairs(node, axes))?,
        };
        let (learned, labels) = (labels.as_ref().map(|of| of.labels.clone()), labels.as_ref().map(|of| of.name.clone()));
        Ok(Unnamed { spec, projection: Projection { name: String::new(), method, labels: learned, pairs, seeds }, labels })
    };
    let all = values.iter().map(Vec::len).fold(1, usize::saturating_mul);
    if all > MOST_PROJECTIONS {
        let text = format!(
            "every combination of these lists is {all} projections by {}, and a study has at most {MOST_PROJECTIONS}",
            spec.title
        );
        return Err(node.wrong(text).next("shorten a list"));
    }
    combinations(&values).into_iter().map(projection).collect()
}

/// They are compared with each other by name. A study is limited by its cells besides.
const MOST_PROJECTIONS: usize = 1000;

/// Every combination of one value a parameter; the last parameter varies first.
fn combinations(values: &[Vec<ParameterValue>]) -> Vec<Vec<ParameterValue>> {
    values.iter().fold(vec![vec![]], |all, values| {
        all.iter().flat_map(|before| values.iter().map(|value| [before.as_slice(), &[*value]].concat())).collect()
    })
}

/// What a parameter is set to: one value, or each of a list.
fn values(fields: &Fields, of: &ParameterSpec) -> Result<Vec<ParameterValue>> {
    let one = |node: &StudyNode| {
        Ok(match of.kind {
            ParameterKind::Count { least, most, .. } => node.count(least as u64..=most as u64)?.into(),
            ParameterKind::Number { least, most, .. } => node.number(least..=most)?.into(),
            ParameterKind::Metric { default } => {
                let word = node.word(&Metric::ALL.map(Metric::word))?;
                Metric::ALL.into_iter().find(|metric| metric.word() == word).unwrap_or(default).into()
            }
            ParameterKind::Word { words } => word(node.word(words)?),
        })
    };
    let Some(node) = fields.get(of.name) else { return Ok(vec![of.default()]) };
    if !matches!(node.value, Written::List(_)) {
        return Ok(vec![one(node)?]);
    }
    let nodes = node.list()?;
    if nodes.is_empty() {
        return Err(node.wrong(format!("`{}` has no value", of.name)).next("name one value or more, or leave it out"));
    }
    let values: Vec<ParameterValue> = nodes.iter().map(one).collect::<Result<_>>()?;
    match values.iter().enumerate().find(|(place, value)| values[..*place].contains(value)) {
        Some((place, value)) => {
            Err(nodes[place].wrong(format!("`{}` is {value} twice", of.name)).next("remove one: both are one projection"))
        }
        None => Ok(values),
    }
}

/// The key under which a supervised method is told what to learn.
const LABELS: &str = "labels";

/// What a supervised method learns, and what the study file calls it.
struct Learned {
    labels: LearnedLabels,
    name: String,
}

impl Learned {
    /// Discriminant axes, one fewer than classes; `None` where only the data says how many there are.
    fn most_axes(&self) -> Option<usize> {
        match &self.labels {
            LearnedLabels::Identity => None,
            LearnedLabels::Classes(question) => Some(question.width() - 1),
        }
    }
}

fn learned(node: &StudyNode, fields: &Fields, spec: &MethodSpec, comparisons: &[Comparison]) -> Result<Learned> {
    let with_classes = || comparisons.iter().filter(|of| of.question.width() > 1);
    let Some(named) = fields.get(LABELS) else {
        let example = with_classes().next().map_or("identity", |of| of.name.as_str());
        return Err(node
            .wrong(format!("{} learns from labels, and the study does not say which", spec.title))
            .next(format!("such as `{LABELS}: {example}`: a comparison, or `identity`")));
    };
    let known: Vec<&str> = with_classes().map(|of| of.name.as_str()).chain(["identity"]).collect();
    let name = named.text()?;
    if let Some(comparison) = with_classes().find(|of| of.name == name) {
        return Ok(Learned { labels: LearnedLabels::Classes(comparison.question.clone()), name });
    }
    if name == "identity" {
        return Ok(Learned { labels: LearnedLabels::Identity, name });
    }
    let what = match comparisons.iter().any(|of| of.name == name) {
        true => format!("{} learns classes, and the comparison `{name}` is of a quantity", spec.title),
        false => format!("`{name}` is no comparison of this study"),
    };
    Err(named.wrong(what).next(suggestion(&name, &known)))
}

/// As many axes as there can be: those that nobody asked for are left out, those that were asked for are refused.
fn narrow_axes(fields: &Fields, spec: &MethodSpec, values: &mut [ParameterValue], most: usize) -> Result<()> {
    let Some(place) = spec.parameters.iter().position(|of| of.name == Method::AXES) else { return Ok(()) };
    match (values[place], fields.get(Method::AXES)) {
        (ParameterValue::Count(asked), Some(node)) if asked > most => Err(node
            .wrong(format!("{} of {} classes has {most} {}, and {asked} are asked for", spec.title, most + 1, axes_of(most)))
            .next(format!("write `axes: {most}`, or leave it out"))),
        (ParameterValue::Count(asked), None) => {
            values[place] = asked.min(most).into();
            Ok(())
        }
        _ => Ok(()),
    }
}

fn axes_of(count: usize) -> &'static str {
    if count == 1 { "axis" } else { "axes" }
}

fn pairs(node: &StudyNode, axes: usize) -> Result<Vec<(usize, usize)>> {
    let nodes = node.list()?;
    let pairs = nodes.iter().map(|node| pair(node, axes)).collect::<Result<Vec<_>>>()?;
    let one = |(first, second): &(usize, usize)| (*first.min(second), *first.max(second));
    no_two(&nodes, &pairs, one, |(a, b), (first, second)| {
        let mirrored = if a == first { "" } else { ", the other way round" };
        (format!("the axes {a} and {b} are listed twice{mirrored}: [{first}, {second}]"), "remove one: both are one view")
    })?;
    Ok(pairs)
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

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::{
        Result,
        projection::{LearnedLabels, Projection},
    };

    fn read(projections: &str) -> Result<Vec<Projection>> {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: {projections}\n\
             comparisons: {{ hair colour: {{ A: a, B: b, C: c }}, hat: {{ A: d, B: not d }}, age: {{ quantity: age }} }}\n"
        );
        Ok(parse(Text { path: "s.yaml".into(), source })?.study.projections.into_iter().collect())
    }

    fn names(projections: &str) -> Vec<String> {
        read(projections).unwrap().into_iter().map(|of| of.name).collect()
    }

    fn refused(projections: &str) -> String {
        let fault = read(projections).unwrap_err();
        format!("{} {}", fault.what, fault.next.unwrap_or_default())
    }

    #[test]
    fn parameters_that_do_not_go_together_are_refused_where_they_are_written() {
        for (written, why) in
            [("lle: { variant: hessian }", "6 neighbors or more"), ("kernel_pca: { kernel: rbf, degree: 5 }", "no `degree`")]
        {
            let fault = read(&format!("[{written}]")).unwrap_err();
            assert!(fault.what.contains(why) && fault.place.is_some(), "{fault:?}");
        }
        assert!(read("[lle: { variant: hessian, neighbors: 6 }, kernel_pca: { kernel: poly, degree: 5 }]").is_ok());
    }

    #[test]
    fn a_list_of_values_is_as_many_projections_named_by_what_differs() {
        assert_eq!(names("[umap: { neighbors: [5, 15, 50] }]"), ["umap-neighbors5", "umap-neighbors15", "umap-neighbors50"]);
        assert_eq!(
            names("[umap: { neighbors: [5, 15], metric: [euclidean, cosine] }, pca]"),
            [
                "umap-neighbors5-euclidean",
                "umap-neighbors5-cosine",
                "umap-neighbors15-euclidean",
                "umap-neighbors15-cosine",
                "pca"
            ]
        );
        assert_eq!(names("[tsne: { perplexity: [30] }]"), ["tsne"], "one value tells nothing apart");
        // A list and an item of its own.
        assert_eq!(names("[tsne: { perplexity: [10, 30] }, tsne: { perplexity: 50 }]").len(), 3);
        assert!(refused("[tsne: { perplexity: [10, 30] }, tsne: { perplexity: 30 }]").contains("written twice"));
    }

    #[test]
    fn lists_that_say_nothing_or_too_much_are_refused() {
        assert!(refused("[umap: { neighbors: [] }]").contains("`neighbors` has no value"));
        assert!(refused("[umap: { neighbors: [5, 15, 5] }]").contains("`neighbors` is 5 twice"));
        assert!(refused("[umap: { neighbors: [[5]] }]").contains("neighbors"));
        let many: Vec<String> = (2..60).map(|n| n.to_string()).collect();
        let many = many.join(", ");
        let lists = format!(
            "[umap: {{ neighbors: [{many}], min_dist: [0.1, 0.2, {}] }}]",
            (3..40).map(|n| format!("0.{n}1")).collect::<Vec<_>>().join(", ")
        );
        assert!(refused(&lists).contains("every combination of these lists is 2262 projections by UMAP"), "{}", refused(&lists));
    }

    #[test]
    fn a_supervised_method_is_told_what_to_learn() {
        let lda = read("[lda: { labels: hair colour }]").unwrap();
        assert_eq!((lda[0].name.as_str(), lda[0].method.axes(), lda[0].pairs.as_slice()), ("lda", 2, &[(1, 2)][..]));
        assert!(matches!(lda[0].labels, Some(LearnedLabels::Classes(_))));
        let two = read("[lda: { labels: hat }, lda: { labels: identity, axes: 5 }]").unwrap();
        assert_eq!((two[0].name.as_str(), two[0].method.axes()), ("lda-axes1-hat", 1));
        assert_eq!((two[1].name.as_str(), &two[1].labels), ("lda-axes5-identity", &Some(LearnedLabels::Identity)));
        assert_eq!(names("[lda: { labels: hair colour, axes: 1 }, lda: { labels: hat }]"), ["lda-hair_colour", "lda-hat"]);
    }

    #[test]
    fn what_a_supervised_method_cannot_learn_is_refused() {
        let nothing = refused("[lda]");
        assert!(
            nothing.contains("LDA learns from labels, and the study does not say which such as `labels: hair colour`"),
            "{nothing}"
        );
        assert!(refused("[lda: { labels: age }]").contains("the comparison `age` is of a quantity"));
        assert!(refused("[lda: { labels: hair }]").contains("`hair` is no comparison of this study"));
        let many = refused("[lda: { labels: hat, axes: 3 }]");
        assert!(many.contains("LDA of 2 classes has 1 axis, and 3 are asked for write `axes: 1`"), "{many}");
        assert!(refused("[pca: { labels: hat }]").contains("labels"), "others learn nothing");
    }
}
