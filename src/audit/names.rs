//! What a page's evidence holds as a name: what stands marked up as one on the page must be there, or it is no name.
//!
//! A page marks names up by `<bdi>`; numbers are looked for everywhere else. So whoever could mark up anything could hide any number. What is
//! called by people (the study and its parts, attributes, groups, what the study is about) may stand anywhere. Other texts of theirs (paths,
//! notes, remarks, machines) stand in `<code>` or `<q>` alone, where they are told from the page's own words.

use super::{
    evidence::Evidence,
    objects::OpenedObject,
    stray::{has_letter, holds_number},
};
use crate::config::{self, Text};
use serde::de::DeserializeOwned;
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::faces::Truth,
    domain::{
        Digest,
        agreement::Agreements,
        comparison::{Measured, Question},
        ledger::Frequencies,
        model::{Source, Weights},
        overlap::Overlap,
        result::Manifest,
        score::FigureRobustness,
        shared_crop::FieldOfView,
        stage::{FindOverlap, Location, MeasureAgreement, Ranking, Robustness, WEIGHTS_PREFIX, Work, role},
        study::{PreparationField, Study},
        text::shell,
    },
    store::Workspace,
};

/// The largest study files have a hundredth of it; of a longer one no name is known.
const LONGEST_STUDY: usize = 4 << 20;
/// Counts of labels, planted truths and figures of a study of ten thousand numbers have some hundred kB.
const LARGEST_OUTPUTS: u64 = 32 << 20;
/// A folder that no system has: what the study's text names from it is nowhere.
const ROOT: &str = "/dev/null/page";

/// The name as a page shows it: in quotes where no letter is in it, so that it is not read as a number, or as a part of one.
pub(crate) fn shown_name(name: &str) -> Cow<'_, str> {
    if name.is_empty() || has_letter(name) { Cow::Borrowed(name) } else { Cow::Owned(format!("“{name}”")) }
}

/// What a page names that its study's text has otherwise, since paths in it were shortened: a name may read as a path, or the text be no
/// study any more. `about`: as the page has it.
pub(crate) fn lost_names(
    study: &Study,
    about: &str,
    study_file: &str,
    shortened: &str,
    shareable: &dyn Fn(&Path) -> PathBuf,
) -> Vec<String> {
    let mut kept = Names::default();
    let is_read = kept.of_study(study_file, shortened);
    let mut own = Names { names: [about.to_owned()].into(), ..Names::default() };
    if is_read {
        own.of_named(study);
    } else {
        own.of_parts(study, shareable);
        if about != study.about {
            own.names.remove(&study.about);
        }
    }
    let all = own.names.into_iter().chain(own.texts);
    let lost: BTreeSet<String> = all.filter(|name| !kept.hold(&shown_name(name), MarkedIn::Words)).collect();
    lost.into_iter().collect()
}

/// The name that is shown so, and whether it can be told from a number: one without a letter stands in quotes.
fn named(shown: &str) -> (&str, bool) {
    let quoted = shown.strip_prefix('“').and_then(|rest| rest.strip_suffix('”')).filter(|name| !has_letter(name));
    (quoted.unwrap_or(shown), quoted.is_some() || has_letter(shown))
}

/// A character that neither text holds: it stands for the sign of variables, for those of this machine are not taken in. `None`: they hold
/// every one that nothing is written with.
fn unused(texts: [&str; 2]) -> Option<char> {
    let mut free = ('\u{e000}'..='\u{f8ff}').chain('\u{f0000}'..='\u{ffffd}');
    let is_private = |c: &char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}');
    let used: HashSet<char> = texts.into_iter().flat_map(str::chars).filter(is_private).collect();
    free.find(|c| !used.contains(c))
}

/// Where something is marked up as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkedIn {
    /// In the page's words.
    Words,
    /// In code or a quotation.
    Quoted,
}

#[derive(Default)]
pub(crate) struct Names {
    /// What people call something, by the study.
    names: HashSet<String>,
    /// What else the study says.
    texts: HashSet<String>,
    /// What the rest of the page's evidence calls a name: its results, the data that it says it read, names that its study's text lost.
    told: HashSet<String>,
    /// And what else that says.
    told_texts: HashSet<String>,
}

impl Names {
    /// Those that the evidence holds; not all of them once there was `enough`.
    pub(crate) fn of(evidence: &Evidence, enough: &(dyn Fn() -> bool + Sync)) -> Self {
        let mut names = Names::default();
        if evidence.study_text.len() <= LONGEST_STUDY {
            names.of_study(&evidence.study_file, &evidence.study_text);
        }
        let mut rest = Names::default();
        for name in evidence.sources.keys() {
            rest.names.extend(name.strip_prefix(role::LABELS).map(str::to_owned));
            rest.texts.insert(name.clone());
        }
        rest.of_context(evidence);
        let mut outputs = NamingOutputs { evidence, seen: HashSet::new(), room: LARGEST_OUTPUTS };
        for manifest in &evidence.manifests {
            if enough() {
                break;
            }
            rest.of_result(&mut outputs, manifest);
        }
        (names.told, names.told_texts) = (rest.names, rest.texts);
        names
    }

    /// Is the text that is marked up as a name one?
    pub(crate) fn hold(&self, shown: &str, at: MarkedIn) -> bool {
        let (name, is_told) = named(shown);
        let is_at = |names: &HashSet<String>, texts: &HashSet<String>| {
            names.contains(name) || at == MarkedIn::Quoted && texts.contains(name)
        };
        is_told && (self.is_of_study(name, at) || is_at(&self.told, &self.told_texts))
    }

    /// Does a name that they [hold](Self::hold) show a number, and does nothing but the page itself, and not its study, say that it is one?
    /// Nobody can tell it from a number that the page's author made up.
    pub(crate) fn is_a_number_by_its_word(&self, shown: &str, at: MarkedIn) -> bool {
        let (name, _) = named(shown);
        self.hold(shown, at) && !self.is_of_study(name, at) && holds_number(name)
    }

    fn is_of_study(&self, name: &str, at: MarkedIn) -> bool {
        self.names.contains(name) || at == MarkedIn::Quoted && self.texts.contains(name)
    }

    /// Is the text a study's? Of one that is none any more, since paths in it were shortened, whatever may be a name is taken for one.
    fn of_study(&mut self, study_file: &str, study_text: &str) -> bool {
        let Some(variable) = unused([study_file, study_text]) else { return false };
        let path = Path::new(ROOT).join(study_file);
        let text = || Text { path: path.clone(), source: study_text.replace('$', variable.encode_utf8(&mut [0; 4])) };
        let as_written = |name: String| name.replace(variable, "$");
        self.texts.insert(shell(study_file));
        let parsed = config::parse(text()).ok().zip(Workspace::new(ROOT.into(), None).ok());
        let mut of_study = Names::default();
        match &parsed {
            Some((file, workspace)) => of_study.of_parts(&file.study, &|path| workspace.shareable(path)),
            None => of_study.names = config::names_in(&text()),
        }
        self.names.extend(of_study.names.into_iter().map(as_written));
        self.texts.extend(of_study.texts.into_iter().map(as_written));
        parsed.is_some()
    }

    /// What people named in a study.
    fn of_named(&mut self, study: &Study) {
        let Names { names, .. } = self;
        names.insert(study.name.clone());
        names.extend(study.datasets.keys().chain(study.preparations.keys()).chain(study.recipes.keys()).cloned());
        names.extend(study.evaluation.dataset.clone());
        names.extend(study.evaluation.labels.iter().map(|labels| labels.attribute.clone()));
        names.extend(study.fairness.groups.iter().cloned());
        names.extend(study.nuisances.columns().map(str::to_owned));
        names.extend(study.projections.iter().map(|of| of.name.clone()));
        names.extend(study.verification.sets.iter().map(|of| of.name.clone()));
        names.extend(study.contrasts.iter().map(|of| of.name().to_owned()));
        names.extend(study.claims.iter().map(|of| of.sentence.clone()));
        for comparison in &study.comparisons {
            names.insert(comparison.name.clone());
            names.extend(comparison.classes.iter().cloned());
        }
        names.extend(study.queries.iter().map(|query| query.name.clone()));
        for model in &study.models {
            names.insert(model.name.clone());
            // A side of a contrast: several trainings of one.
            names.extend(model.name.rsplit_once('@').map(|(family, _)| family.to_owned()));
            names.extend(model.layers(study.layers.as_deref()));
            match &model.source {
                Source::Given(given) => _ = names.insert(given.made_with.phrase()),
                Source::Network(of) => _ = names.insert(of.trained_on.clone()),
                Source::Baseline { .. } => {}
            }
        }
    }

    /// The names of a study's parts, those that it multiplies among them, and what pages say of these parts.
    fn of_parts(&mut self, study: &Study, shareable: &dyn Fn(&Path) -> PathBuf) {
        self.of_named(study);
        self.names.insert(study.about.clone());
        self.names.extend(study.preparations.values().map(|of| FieldOfView::of(of).to_string()));
        for comparison in &study.comparisons {
            self.of_question(&comparison.question);
        }
        self.names.extend(study.queries.iter().map(|query| query.wanted.to_string()));
        for (place, model) in study.models.iter_enumerated() {
            self.of_source(&model.source, shareable);
            self.texts.extend(study.how_made(place));
            if let Some(prepare) = model.prepared_by() {
                self.of_unwritten(study, prepare);
            }
        }
    }

    /// What a study leaves to the family of its weights: some of the fields that it does not write. Which of them are as the family was
    /// trained is not known here.
    fn of_unwritten(&mut self, study: &Study, prepare: &str) {
        let Some((preparation, origin)) = study.preparations.get(prepare).zip(study.origins.get(prepare)) else { return };
        let unwritten = PreparationField::TRAINED.into_iter().filter(|field| !origin.written.contains(field));
        let mut some: Vec<Vec<PreparationField>> = vec![vec![]];
        for field in unwritten {
            let with: Vec<_> = some.iter().map(|fields| [fields.as_slice(), &[field]].concat()).collect();
            some.extend(with);
        }
        self.texts.extend(some.into_iter().skip(1).map(|fields| preparation.phrase(fields)));
    }

    fn of_source(&mut self, source: &Source, shareable: &dyn Fn(&Path) -> PathBuf) {
        let mut files: Vec<&Path> = vec![];
        match source {
            Source::Given(given) => {
                files.extend(given.layers.values().map(PathBuf::as_path).chain([given.images.as_path()]));
                self.texts.insert(given.made_with.phrase());
            }
            Source::Baseline { prepare, .. } => _ = self.texts.insert(prepare.clone()),
            Source::Network(of) => {
                let words = [of.architecture.to_string(), of.loss.to_string(), of.trained_on.clone(), of.prepare.clone()];
                self.texts.extend(words.into_iter().chain([of.embedding.to_string()]));
                match &of.weights {
                    Weights::File { file, family, .. } => {
                        self.texts.insert(family.to_string());
                        files.push(file);
                    }
                    Weights::Whole(whole) => {
                        self.texts.extend(whole.reads.values().cloned());
                        files.push(&whole.file);
                    }
                    Weights::Recipe { recipe, .. } => _ = self.texts.insert(recipe.clone()),
                    Weights::Untrained { .. } => {}
                }
            }
        }
        for file in files {
            // Of a file from outside of the workspace the page has the last name alone.
            self.texts.extend(file.file_name().map(|name| name.to_string_lossy().into_owned()));
            self.texts.insert(shareable(file).display().to_string());
        }
    }

    fn of_question(&mut self, question: &Question) {
        let classes = match &question.measured {
            Measured::Classes(classes) => classes.as_slice(),
            Measured::Quantity(attribute) => {
                self.names.insert(attribute.clone());
                &[]
            }
        };
        self.names.extend(classes.iter().chain(&question.within).map(ToString::to_string));
        self.names.extend(question.attributes().into_iter().map(str::to_owned));
    }

    fn of_context(&mut self, evidence: &Evidence) {
        if let Some(context) = &evidence.context {
            self.names.extend(context.lost_names.iter().cloned());
            self.texts.extend(context.remarks.iter().cloned());
            self.names.extend(context.missing_labels.keys().cloned());
            self.texts.extend(context.missing_labels.values().flatten().cloned());
            self.texts.extend(context.pinned.iter().flat_map(|of| [of.name.clone(), of.note.clone()]));
        }
    }

    fn of_result(&mut self, outputs: &mut NamingOutputs, manifest: &Manifest) {
        let provenance = &manifest.provenance;
        self.texts.extend([provenance.environment(), provenance.machine_kind()]);
        self.texts.extend(manifest.facts.keys().filter_map(|fact| fact.strip_prefix(WEIGHTS_PREFIX)).map(str::to_owned));
        self.texts.extend(manifest.inputs.iter().filter_map(|input| match &input.at {
            Location::File(path) | Location::Pictures(path) => Some(path.display().to_string()),
            Location::Object => None,
        }));
        match &manifest.work {
            Work::Rank(of) => {
                self.names.extend(of.attributes.iter().chain(&of.groups).cloned());
                of.questions.iter().for_each(|question| self.of_question(question));
                if let Some(found) = outputs.read::<Frequencies>(manifest, Ranking::FREQUENCIES) {
                    let valued = found.attributes.iter().filter_map(|of| Some((&of.attribute, of.value.as_ref()?)));
                    let members = found.groups.iter().flat_map(|of| &of.members).map(|(attribute, value)| (attribute, value));
                    self.names.extend(valued.chain(members).map(|(attribute, value)| format!("{attribute} = {value}")));
                    self.names.extend(found.attributes.iter().map(|of| of.attribute.clone()));
                }
                if let Some(truth) = outputs.read::<Truth>(manifest, Ranking::PLANTED) {
                    let correlates = truth.attributes.iter().flat_map(|of| &of.correlates).map(|(name, _)| name);
                    self.names.extend(truth.attributes.iter().map(|of| &of.attribute).chain(correlates).cloned());
                }
            }
            Work::Robustness(_) => {
                let found = outputs.read::<FigureRobustness>(manifest, Robustness::FIGURE);
                self.names.extend(found.into_iter().flat_map(|of| of.other).map(|of| of.method));
            }
            Work::Overlap(_) => {
                if let Some(found) = outputs.read::<Overlap>(manifest, FindOverlap::OVERLAP) {
                    let pictures =
                        found.near.into_iter().map(|near| near.shared).chain([found.same]).flat_map(|shared| shared.first);
                    self.texts.extend(pictures.flat_map(|pair| [pair.evaluated, pair.learned]).chain(found.identities.first));
                }
            }
            Work::Agreement(_) => {
                let found = outputs.read::<Agreements>(manifest, MeasureAgreement::AGREEMENT);
                let annotators = found.into_iter().flat_map(|of| of.attributes).flat_map(|of| of.annotators);
                self.names.extend(annotators.map(|of| of.annotator));
            }
            _ => {}
        }
    }

    #[cfg(test)]
    pub(crate) fn of_texts(names: &[&str]) -> Self {
        Names { names: names.iter().map(|name| (*name).to_owned()).collect(), ..Names::default() }
    }
}

/// Embedded outputs that hold names: each is read once, however many results name it, and no more of them than there is room for.
struct NamingOutputs<'a> {
    evidence: &'a Evidence,
    seen: HashSet<Digest>,
    /// How many bytes may still be inflated.
    room: u64,
}

impl NamingOutputs<'_> {
    /// What an output says, if it is there, is what it is named by, and was not read before.
    fn read<T: DeserializeOwned>(&mut self, manifest: &Manifest, output: &str) -> Option<T> {
        let output = manifest.output(output)?;
        if output.bytes > self.room || !self.seen.insert(output.digest) {
            return None;
        }
        let OpenedObject { bytes, inflated } = self.evidence.opened(output.digest, Some(output.bytes))?;
        self.room = self.room.saturating_sub(inflated);
        serde_json::from_slice(&bytes.ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{evidence::FORMAT, packing::pack};

    #[test]
    fn a_name_without_a_letter_stands_in_quotes() {
        for (name, shown) in [
            ("pixels", "pixels"),
            ("resnet34-width0.0625.", "resnet34-width0.0625."),
            ("3", "“3”"),
            ("−", "“−”"),
            ("%", "“%”"),
            ("9.", "“9.”"),
            ("男", "男"),
            ("", ""),
            ("0.125", "“0.125”"),
            ("95.5 %", "“95.5 %”"),
            ("−.871", "“−.871”"),
            ("９９", "“９９”"),
            ("“0.125”", "““0.125””"),
        ] {
            assert_eq!(shown_name(name), shown);
        }
        let names = Names::of_texts(&["pixels", "0.125", "a 0.5"]);
        let hold = |shown: &str| names.hold(shown, MarkedIn::Words);
        assert!(hold("pixels") && hold("“0.125”") && hold("a 0.5"));
        assert!(Names::of_texts(&["9"]).hold("“9”", MarkedIn::Words) && !Names::of_texts(&["9"]).hold("9", MarkedIn::Words));
        assert!(!hold("0.125") && !hold("“0.126”") && !hold("pixel") && !hold("“pixels”") && !hold(""));
    }

    #[test]
    fn what_is_no_name_is_taken_for_one_in_code_alone() {
        let names = Names { texts: ["CPU of 2.999 GHz".to_owned()].into(), ..Names::default() };
        assert!(names.hold("CPU of 2.999 GHz", MarkedIn::Quoted) && !names.hold("CPU of 2.999 GHz", MarkedIn::Words));
    }

    #[test]
    fn a_number_that_the_page_alone_calls_a_name_is_known() {
        let told = ["AUC .999", "a/b", "0.125"].map(str::to_owned).into();
        let told_texts = ["CPU of 2.999 GHz".to_owned()].into();
        let names = Names { names: ["a 0.5".to_owned()].into(), told, told_texts, ..Names::default() };
        let of = |shown: &str| (names.hold(shown, MarkedIn::Words), names.is_a_number_by_its_word(shown, MarkedIn::Words));
        let cpu = "CPU of 2.999 GHz";
        assert!(!names.hold(cpu, MarkedIn::Words) && names.is_a_number_by_its_word(cpu, MarkedIn::Quoted));
        assert_eq!(
            (of("AUC .999"), of("“0.125”"), of("a/b"), of("a 0.5")),
            ((true, true), (true, true), (true, false), (true, false))
        );
        assert!(!of("0.125").0);
    }

    fn evidence(study_text: &str) -> Evidence {
        let text = serde_json::json!({
            "format": FORMAT, "program": "", "study": "tiny", "study_file": "tiny.yaml", "study_text": study_text,
            "tolerance_auc": 0.0, "tolerance_features": 0.0, "objects": {},
            "sources": { "labels/AUC .999": "a".repeat(64), "labels/even": "b".repeat(64) },
            "manifests": pack(b"[]"), "claims": pack(b"[]"),
        });
        Evidence::of_text(&text.to_string(), Path::new("x.html")).unwrap()
    }

    const STUDY: &str = "format: 1
study: tiny
about: 'Costs \u{e000} and $5, .912'
datasets: { digits: { images: { root: digits, labels: labels.csv, identities: each_image } } }
evaluation: { dataset: digits }
models: { named: { 'a\u{e000} .5': { features: { embedding: p.npy, images: rows.txt } } } }
projections: [pca: { axes: 2 }]
comparisons: { even or odd: { Even: even, Odd: not even } }
";

    #[test]
    fn of_a_study_its_names_are_names_and_the_words_of_its_format_are_not() {
        let names = Names::of(&evidence(STUDY), &|| false);
        for name in
            ["tiny", "Costs \u{e000} and $5, .912", "a\u{e000} .5", "digits", "pca", "even or odd", "Odd", "even", "embedding"]
        {
            assert!(names.hold(name, MarkedIn::Words) && !names.is_a_number_by_its_word(name, MarkedIn::Words), "{name}");
        }
        for none in ["format", "about", "comparisons", "axes", "Costs $ and $5, .912"] {
            assert!(!names.hold(none, MarkedIn::Words), "{none}");
        }
        // Where it is no study any more, nobody knows which of its words are names.
        let names = Names::of(&evidence(&STUDY.replace("format: 1", "format: one")), &|| false);
        assert!(names.hold("a\u{e000} .5", MarkedIn::Words) && names.hold("comparisons", MarkedIn::Words));
    }

    #[test]
    fn what_the_page_says_beside_its_study_vouches_for_no_number() {
        let names = Names::of(&evidence(STUDY), &|| false);
        assert!(names.hold("AUC .999", MarkedIn::Words) && names.is_a_number_by_its_word("AUC .999", MarkedIn::Words));
    }

    #[test]
    fn a_character_that_no_text_holds_is_found_where_there_is_one() {
        assert_eq!(unused(["a", "b"]), Some('\u{e000}'));
        assert_eq!(unused(["\u{e001}", "\u{e000}"]), Some('\u{e002}'));
        let all: String = ('\u{e000}'..='\u{f8ff}').chain('\u{f0000}'..='\u{ffffd}').collect();
        assert_eq!(unused([&all, ""]), None);
    }
}
