//! A small study with a hand-built outcome, for tests of sections: two models, one axis, two comparisons.
//!
//! `pixels` separates zero from one, `blocks` is above chance there; neither tells even from odd.

use super::{
    claims::{Claims, OutputSource},
    sections::Section,
    source::ReportSource,
    templates::Templates,
};
use crate::study::{self, Plan, ScoreOf, ScoreSource, SharedCropOutcome, StudyOutcome, StudyResults, StudyVisibility};
use serde::Serialize;
use std::{collections::BTreeMap, fs, sync::Arc};
use visavis_core::{
    domain::{
        Key, Result, contrast,
        index::{ComparisonIx, ModelIx},
        index::{LayerIx, ProjectionIx},
        ledger::{Candidate, CellId, Frequencies, Frequency, Group, Ledger, LedgerRow, ModelStanding, Rate, ShownAs},
        projection::View,
        score::{Counts, Estimate, Scores, Spread, ViewScore},
        simultaneous::{CellTest, Detectable, Difference, Family, Familywise, SimultaneousTests, ViewBesideFeatures},
        stage::ScoreViews,
    },
    store::Workspace,
};

const STUDY: &str = "format: 1
study: tiny
about: Do blocks of pixels separate digits as well as pixels do?
datasets: { digits: { images: { root: digits, labels: labels.csv, identities: each_image } } }
evaluation: { dataset: digits }
models:
  named:
    pixels: { features: { embedding: pixels.npy, images: rows.txt } }
    blocks: { features: { embedding: blocks.npy, images: rows.txt } }
projections: [pca: { axes: 2 }]
comparisons:
  zero or one: { Zero: \"digit=0\", One: \"digit=1\" }
  even or odd: { Even: even, Odd: not even }
contrasts: { detail: { pair: [pixels, blocks] } }
";

/// By model and comparison: AUC on the selection and the evaluation half, the corrected lower bound, and its adjusted p.
const CELLS: [(usize, usize, [f64; 4]); 4] = [
    (0, 0, [0.95, 0.90, 0.80, 0.001]),
    (0, 1, [0.57, 0.52, 0.46, 0.700]),
    (1, 0, [0.75, 0.70, 0.60, 0.010]),
    (1, 1, [0.56, 0.51, 0.45, 0.800]),
];

pub(crate) struct Fixture {
    /// Where the study file is.
    _folder: tempfile::TempDir,
    text: String,
    plan: Plan,
    scores: bool,
    pub grid: SimultaneousTests,
    pub ledger: Ledger,
    pub frequencies: Frequencies,
    pub visibility: StudyVisibility,
}

fn key() -> Key {
    "a".repeat(64).parse().unwrap()
}

/// Some output of some result.
pub(crate) fn output() -> OutputSource {
    OutputSource { key: key(), output: "x.json", of: "x".to_owned() }
}

fn around(value: f64) -> Estimate {
    Estimate::new(value, value - 0.05, value + 0.05)
}

fn cell(model: usize, comparison: usize) -> CellId {
    let (model, comparison) = (ModelIx(model), ComparisonIx(comparison));
    CellId { model, layer: LayerIx(0), projection: ProjectionIx(0), view: View::Axis(1), comparison }
}

fn share(positives: usize, n: usize) -> Rate {
    let value = positives as f64 / n as f64;
    let (low, high) = if n == 3 { (0.2, 0.9) } else { (0.2, 0.8) };
    Rate { positives, n, identities: n, share: Some(Estimate::new(value, low, high)) }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Fixture::of_text(STUDY.to_owned()).unwrap()
    }

    /// With names of these for its models, comparisons, classes, contrast, and one for what it is about. `None` where the study is
    /// refused, as one whose names are no names.
    pub(crate) fn named(names: &[String]) -> Option<Self> {
        let quoted: Vec<String> = names.iter().map(|name| serde_json::to_string(name).unwrap()).collect();
        let of = ["pixels:", "blocks:", "zero or one:", "even or odd:", "Zero:", "One:", "Even:", "Odd:", "detail:"];
        let renamed = of.iter().zip(&quoted).fold(STUDY.to_owned(), |text, (from, to)| text.replacen(from, &format!("{to}:"), 1));
        let pair = format!("pair: [{}, {}]", quoted[0], quoted[1]);
        let about = format!("about: {}", serde_json::to_string(&names.join("\n")).unwrap());
        let renamed = renamed.replacen("pair: [pixels, blocks]", &pair, 1);
        let old_about = STUDY.lines().find(|line| line.starts_with("about: ")).unwrap();
        Fixture::of_text(renamed.replacen(old_about, &about, 1)).ok()
    }

    /// With a section of claims.
    pub(crate) fn with_claims(claims: &str) -> Self {
        Fixture::of_text(format!("{STUDY}{claims}")).unwrap()
    }

    /// With a study of this name.
    pub(crate) fn called(study: &str) -> Result<Self> {
        Fixture::of_text(STUDY.replacen("study: tiny", &format!("study: {}", serde_json::to_string(study).unwrap()), 1))
    }

    /// The text of its study.
    pub(crate) fn study_text(&self) -> &str {
        &self.text
    }

    fn of_text(text: String) -> Result<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.yaml");
        fs::write(&file, &text).unwrap();
        fs::write(folder.path().join("labels.csv"), "image_id,digit,even\na.png,0,1\nb.png,1,0\nc.png,2,1\nd.png,3,0\n").unwrap();
        // What is kept of files is kept here, and not in the user's cache.
        fs::create_dir_all(folder.path().join("data/journals")).unwrap();
        let workspace = Workspace::new(folder.path().to_owned(), None).unwrap();
        let opened = study::open(&file, &workspace)?;
        let plan = Plan::new(&opened, &workspace, study::Pins::default()).unwrap();
        Ok(Fixture {
            _folder: folder,
            text,
            plan,
            scores: false,
            grid: grid(),
            ledger: ledger(),
            frequencies: frequencies(),
            visibility: StudyVisibility::default(),
        })
    }

    /// With the scores that the figures' captions are of.
    pub(crate) fn with_scores(mut self) -> Self {
        self.scores = true;
        self
    }

    /// With two groups, of one attribute that is asked and one that is not.
    pub(crate) fn with_groups(mut self) -> Self {
        let group = |attribute: &str| Group {
            members: vec![(attribute.to_owned(), "1".to_owned())],
            n: 2,
            identities: 2,
            rates: vec![vec![share(1, 2); 2]; 2].into(),
        };
        self.frequencies.groups = vec![group("bold"), group("even")];
        self
    }

    pub(crate) fn outcome(&self) -> StudyOutcome<'_> {
        let held = contrast::held(&self.plan.study);
        let chosen = self.ledger.rows.iter().enumerate().filter(|(_, row)| row.chosen);
        let shown = self.ledger.rows.iter().filter(|row| !row.shown_as.is_empty());
        StudyOutcome {
            plan: &self.plan,
            results: StudyResults::of(&self.plan),
            scores: if self.scores { scores() } else { BTreeMap::new() },
            verdicts: self.grid.verdicts(&held, &self.ledger),
            shared_crops: SharedCropOutcome::default(),
            visibility: self.visibility.clone(),
            grid: self.grid.clone(),
            gridded: key(),
            held,
            chosen: chosen.map(|(place, row)| ((row.candidate.cell.model, row.candidate.cell.comparison), place)).collect(),
            shown: shown.map(|row| (row.candidate.cell, row.shown_as.clone())).collect(),
            ledger: self.ledger.clone(),
            frequencies: self.frequencies.clone(),
            ranked: key(),
            truth: None,
        }
    }

    /// A section as it reads; nothing where there is none.
    pub(crate) fn text<S: Section>(&self, fill: impl Fn(&ReportSource) -> Option<S>) -> String {
        let (outcome, claims) = (self.outcome(), Claims::default());
        let section = fill(&ReportSource { outcome: &outcome, claims: &claims });
        section.map_or(String::new(), |section| text_of(&section, &claims))
    }
}

/// A section as it reads: without markup, with single blanks.
pub(crate) fn text_of<S: Section>(section: &S, claims: &Claims) -> String {
    rendered(S::TEMPLATE, section, claims)
}

/// A template as it reads.
pub(crate) fn rendered(template: &str, fields: &impl Serialize, claims: &Claims) -> String {
    let html = Templates::new(claims).unwrap().render(template, fields).unwrap_or_else(|fault| panic!("{fault}"));
    let mut text = String::new();
    for part in html.split('<') {
        let (tag, words) = part.split_once('>').unwrap_or(("", part));
        // Cells, items and lines stand apart; what is set within a line does not.
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        if ["td", "th", "tr", "p", "li", "dt", "dd", "br", "h3", "summary", "span", "small", "figure"].contains(&name) {
            text.push(' ');
        }
        text.push_str(words);
    }
    let text = text.replace("&nbsp;", " ").replace("&#x2F;", "/").replace("&quot;", "\"").replace("&#x27;", "'");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    [(" .", "."), (" ,", ","), (" ;", ";"), (" :", ":"), ("( ", "("), (" )", ")")]
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

fn ledger() -> Ledger {
    let row = |(place, (model, comparison, [a, b, low, _])): (usize, (usize, usize, [f64; 4]))| LedgerRow {
        candidate: Candidate { cell: cell(model, comparison), a: Some(around(a)), b: Some(around(b)), unranked: None },
        rank: Some([1, 3, 2, 4][place]),
        picked: place == 0,
        chosen: true,
        low: Some(low),
        shown_as: if place == 0 { vec![ShownAs::Best] } else { vec![] },
        reason: "as the rank stage wrote it".to_owned(),
    };
    Ledger {
        format: 1,
        cells: 4,
        ranked: 4,
        unranked: 0,
        picked: 1,
        optimism: Some(0.05),
        projections: vec![],
        standings: vec![
            ModelStanding { model: ModelIx(0), compared: 2, separates: 1 },
            ModelStanding { model: ModelIx(1), compared: 2, separates: 0 },
        ],
        rows: CELLS.into_iter().enumerate().map(row).collect(),
    }
}

fn grid() -> SimultaneousTests {
    let test = |(model, comparison, [_, _, low, adjusted]): (usize, usize, [f64; 4])| {
        let corrected = Familywise { adjusted, low };
        CellTest { cell: cell(model, comparison), z: 1.0, p: 0.1, q: 0.1, all: corrected, chosen: Some(corrected) }
    };
    let difference = |comparison: usize, [left, right, q]: [f64; 3]| Difference {
        held: 0,
        comparison: ComparisonIx(comparison),
        left,
        right,
        difference: around(right - left),
        error: 0.1,
        p: q,
        q,
        beyond: None,
    };
    SimultaneousTests {
        format: 1,
        permutations: 1000,
        chosen: Family { cells: 4, critical: Some(2.5) },
        all: Family { cells: 4, critical: Some(2.5) },
        cells: CELLS.into_iter().map(test).collect(),
        differences: vec![difference(0, [0.90, 0.70, 0.01]), difference(1, [0.52, 0.51, 0.80])],
        interactions: vec![],
        beside: vec![ViewBesideFeatures {
            model: ModelIx(0),
            comparison: ComparisonIx(0),
            cell: cell(0, 0),
            features: Some(0.98),
            probe: None,
            kept: Estimate::new(-0.08, -0.12, -0.04),
        }],
        detectable: Detectable { auc: Some(Spread { median: 0.62, low: 0.60, high: 0.65 }), difference: None },
    }
}

fn frequencies() -> Frequencies {
    let even = Frequency { attribute: "even".to_owned(), value: None, rate: share(2, 3) };
    Frequencies { format: 1, images: 4, identities: 4, attributes: vec![even], groups: vec![] }
}

/// Of the figure that is shown.
fn scores() -> BTreeMap<ScoreOf, ScoreSource> {
    let counts = |classes: [usize; 2]| Counts {
        n: classes.iter().sum(),
        classes: classes.to_vec(),
        exclusive: classes.to_vec(),
        identities: classes.to_vec(),
        people: classes.iter().sum(),
        several: 0,
        none: 0,
    };
    let view = ViewScore { view: View::Axis(1), whole: None, a: None, b: None, least: None, monotone: None };
    let scores = Scores {
        format: 1,
        counts: counts([20, 22]),
        counts_a: counts([10, 10]),
        counts_b: counts([10, 12]),
        unranked: None,
        seeds: 1,
        permuted: [0, 0],
        permuted_sample: None,
        views: vec![view],
    };
    let place = ScoreOf { model: ModelIx(0), layer: LayerIx(0), projection: Some(ProjectionIx(0)), comparison: ComparisonIx(0) };
    let source =
        ScoreSource { key: key(), output: ScoreViews::SCORES, pointer: String::new(), scores: Arc::new(scores), probe: None };
    [(place, source)].into()
}
