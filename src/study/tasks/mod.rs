//! With which inputs a step becomes a task, once the results that it consumes are there.

use super::{
    names::StudyNames,
    plan::sources::{Sources, seen_faces},
    steps::{
        Step, baseline_of, clicked_views, contrasted_retained, features, features_name, fields_of_view, last_layer, projected,
        run_as, shared_scores, steps,
    },
};
use std::collections::{BTreeSet, HashMap};
use visavis_core::{
    dataset::duplicates::PictureHash,
    domain::{
        alteration::Alteration,
        comparison::{Expression, Question},
        contrast::{self, ContrastSides},
        embedding::EmbeddingForm,
        image::Take,
        index::{ComparisonIx, DatasetIx, LayerIx, ModelIx, PairSetIx, ProjectionIx},
        ledger::CellId,
        model::{EMBEDDING, Network, Source, WeightFamily, Weights},
        nuisance::{MEASURES, Nuisance},
        projection::View,
        result::Manifest,
        shared_crop::{Recropped, SharedCrops},
        stage::{
            AdjustScores, ArrayFormat, AxisNames, Baseline, CompareLayers, ContrastAttention, Extraction, FeatureImport, Figure,
            FindClusters, FindOverlap, FindSubgroups, GroupFairness, HashPictures, IndexImages, Input, Location, MakeThumbnails,
            MeasureAgreement, MeasureNuisances, MeasureQuality, MeasureRetained, MeasureVisibility, Probes, ProjectFeatures,
            Ranking, RetrieveImages, Robustness, ScoreFeatures, ScoreNuisances, ScoreSlot, ScoreViews, SimulateClicks,
            Simultaneous, Task, ThumbnailForm, Training, VerifyIdentities, VerifyPairs, WholeNetwork, Work, features_at,
            ranks_of, role,
        },
        study::{Crop, DeviceClass, FaceMark, Preparation, Study, Thumbnails},
        visibility::Heads,
    },
    projection,
};

/// Pictures of a set that a report shows, so that a reader knows what it is about; and how wide.
const SAMPLE: usize = 6;
const SAMPLE_SIDE: usize = 96;

/// What the plan knows of the world when it makes tasks.
pub(crate) struct KnownResults<'a> {
    pub study: &'a Study,
    pub sources: &'a Sources,
    pub results: &'a HashMap<Step, Manifest>,
    /// A model that is looked at through another's crop: its steps stand for those on its own.
    pub recropped: Option<Recropped>,
}

impl KnownResults<'_> {
    /// The task of a step; `None` while something it consumes is not there, or when this program cannot carry it out.
    pub(crate) fn task(&self, step: Step) -> Option<Task> {
        let study = self.study;
        let (work, inputs) = match step {
            Step::Recropped(of, _) => {
                return KnownResults { recropped: Some(of), ..*self }.task(step.on_own_crop());
            }
            Step::Train { model } => self.train(model)?,
            Step::Extract { model } => self.extract(model, None)?,
            Step::ExtractAltered { model, alteration } => self.extract(model, Some(alteration))?,
            Step::Retained { model, layer } => self.retained(model, layer)?,
            Step::Baseline { model } => self.baseline(model)?,
            Step::Index => (Work::Index(IndexImages { take: study.evaluation.take }), vec![self.source(IndexImages::LISTING)?]),
            Step::HashEvaluation => hashed(self.pictures()?),
            Step::HashTraining { set } => hashed(self.training_set(set)?[0].clone()),
            Step::SampleEvaluation => self.sampled(self.pictures()?, self.sources.images),
            Step::SampleTraining { set } => {
                let images = self.sources.training_images(self.study.dataset(set)?.0);
                self.sampled(self.training_set(set)?[0].clone(), images)
            }
            Step::Thumbnails => self.thumbnails()?,
            Step::Overlap { set } => self.overlap(set)?,
            Step::Agreement => self.agreement()?,
            Step::Features { model, layer } => {
                let Source::Given(given) = &study.models[model].source else { return None };
                let layer = &StudyNames::of(study).layer(model, layer);
                let array = &given.layers[layer];
                let format = ArrayFormat::of(array);
                (
                    Work::Features(FeatureImport { layer: layer.clone(), format }),
                    vec![
                        self.sources.file(FeatureImport::ARRAY, array)?,
                        self.sources.file(FeatureImport::ROWS, &given.images)?,
                        self.images()?,
                    ],
                )
            }
            Step::Project { model, layer, projection, seed } => {
                let features = self.features(model, layer, role::FEATURES)?;
                let seed = if study.projections[projection].seeds > 1 { study.seed.wrapping_add(seed as u64) } else { 0 };
                let method = study.projections[projection].method.clone();
                let mut inputs = vec![features];
                let labels = study.projections[projection].labels.clone();
                if method.is_of_cosines() || labels.is_some() {
                    inputs.push(self.images()?);
                }
                if method.is_of_cosines() {
                    inputs.extend(self.output(
                        self::features(study, model, layer),
                        FeatureImport::OFFSETS,
                        ProjectFeatures::OFFSETS,
                    ));
                }
                if let Some(labels) = &labels {
                    inputs.append(&mut self.labels(labels.attributes())?);
                }
                (Work::Project(ProjectFeatures { method, seed, labels }), inputs)
            }
            Step::Score { model, layer, projection, comparison } => self.score(model, layer, projection, comparison)?,
            Step::Quality { model, layer, projection } => {
                let features = self.features(model, layer, role::FEATURES)?;
                let inputs = [vec![features], self.points(model, layer, projection)?].concat();
                let views = study.projections[projection].pictures();
                (Work::Quality(MeasureQuality { views, seed: study.seed }), inputs)
            }
            Step::Clusters { model, layer, projection } => {
                let views = study.projections[projection].pictures();
                let work = FindClusters { views, method: study.clusters?, seed: study.seed };
                (Work::Clusters(work), self.points(model, layer, projection)?)
            }
            Step::Retrieval { model, layer } => self.retrieval(model, layer)?,
            Step::Clicks { model } => self.clicks(model)?,
            Step::Nuisances => self.nuisances()?,
            Step::NuisanceScores { model, layer, projection } => {
                let points = self.points(model, layer, projection)?;
                self.nuisance_scores(points, study.projections[projection].views())?
            }
            Step::FeatureNuisances { model, layer } => {
                self.nuisance_scores(vec![self.features(model, layer, role::FEATURES)?], vec![View::Features])?
            }
            Step::AdjustedScores(cell) => self.adjusted(cell)?,
            Step::Verify { model } => self.verify(model)?,
            Step::ExtractPairs { model, set } => self.extract_pairs(model, set)?,
            Step::VerifyPairs { model, set } => self.verify_pairs(model, set)?,
            Step::DrawCurves { model } => {
                (Work::Draw(Figure::Curves), vec![self.output(Step::Train { model }, Training::CURVES, Figure::CURVES)?])
            }
            Step::FeatureScores { model, layer } => self.feature_scores(model, layer)?,
            Step::Fairness { model } => self.fairness(model)?,
            Step::Visibility => self.visibility()?,
            Step::Attention => self.attention()?,
            Step::LayerDifferences { model } => self.layer_differences(model)?,
            Step::Simultaneous => self.all_cells()?,
            Step::SharedCropTests => self.on_shared_crops()?,
            Step::Rank => self.rank()?,
            Step::DrawFrequencies => {
                (Work::Draw(Figure::Frequencies), vec![self.output(Step::Rank, Ranking::FREQUENCIES, Figure::FREQUENCIES)?])
            }
            Step::Robustness(cell) => self.robustness(cell)?,
            Step::Subgroups(cell) => self.subgroups(cell)?,
            Step::Draw(cell) => self.draw(cell)?,
        };
        Some(Task { work, inputs })
    }

    fn train(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let Source::Network(network) = &study.models[model].source else { return None };
        let Weights::Recipe { recipe, seed } = &network.weights else { return None };
        let pretends = study.numerics.device == DeviceClass::Pretend;
        let preparation = study.preparations.get(&network.prepare)?;
        let training = Training {
            architecture: network.architecture.clone(),
            loss: network.loss.clone(),
            preparation: preparation.clone(),
            recipe: study.recipes[recipe].clone(),
            seed: self.training_seed(*seed),
            numerics: study.numerics.clone(),
            pretended: pretends.then(|| network.trained_on.clone()),
        };
        if pretends {
            return Some((Work::Train(training), vec![]));
        }
        let mut inputs = self.sources.training_set(&network.trained_on)?.to_vec();
        if let Some(kind) = preparation.crop.needs() {
            inputs.push(self.sources.training_marks(&network.trained_on, kind)?);
        }
        Some((Work::Train(training), inputs))
    }

    fn training_seed(&self, seed: usize) -> u64 {
        self.study.seed.wrapping_add(seed as u64)
    }

    fn extract(&self, model: ModelIx, alteration: Option<Alteration>) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let Source::Network(network) = &study.models[model].source else { return None };
        let layers: Vec<String> = StudyNames::of(study).layers(model).into();
        let (preparation, embedding) = (self.preparation(&network.prepare)?, study.models[model].embedding_among(&layers));
        let (extraction, weights) = self.extraction(model, network, layers, embedding, preparation)?;
        let extraction = Extraction { alteration, ..extraction };
        let mut images = if study.pretends() { vec![self.images()?] } else { self.prepared(&extraction.preparation)? };
        // Where the head is, beyond what the crop needs to know.
        if alteration == Some(Alteration::BackgroundMasked) && !images.iter().any(|of| of.role == role::LANDMARKS) {
            images.extend(self.source(role::LANDMARKS).filter(|_| !study.pretends()));
        }
        Some((Work::Extract(extraction), [weights, images].concat()))
    }

    /// The same of the pictures of a verification set, at the embedding alone.
    fn extract_pairs(&self, model: ModelIx, set: PairSetIx) -> Option<(Work, Vec<Input>)> {
        let (study, set) = (self.study, &self.study.verification.sets[set]);
        let Source::Network(network) = &study.models[model].source else { return None };
        let preparation = set.preparation(study.preparations.get(&network.prepare)?);
        let layers = vec![EMBEDDING.to_owned()];
        let (extraction, weights) = self.extraction(model, network, layers, EmbeddingForm::OF_PAIRS, preparation)?;
        let pictures = self.sources.pictures_of_pairs(&set.name)?;
        if study.pretends() {
            return Some((Work::Extract(extraction), [weights, vec![Input { at: Location::Object, ..pictures }]].concat()));
        }
        let marks = match extraction.preparation.crop.needs() {
            Some(kind) => vec![self.sources.of_verification(&set.name, kind.role())?],
            None => vec![],
        };
        Some((Work::Extract(extraction), [weights, vec![pictures], marks].concat()))
    }

    /// What a network is asked for, and its weights.
    fn extraction(
        &self,
        model: ModelIx,
        network: &Network,
        layers: Vec<String>,
        embedding: EmbeddingForm,
        preparation: Preparation,
    ) -> Option<(Extraction, Vec<Input>)> {
        let study = self.study;
        let (family, untrained, weights) = match &network.weights {
            Weights::File { file, family, .. } => (family.clone(), None, Some(self.sources.file(Extraction::WEIGHTS, file)?)),
            Weights::Whole(of) => (of.format.family(), None, Some(self.sources.file(Extraction::WEIGHTS, &of.file)?)),
            Weights::Untrained { seed } => (WeightFamily::own(), Some(self.training_seed(*seed)), None),
            Weights::Recipe { .. } => {
                (WeightFamily::own(), None, Some(self.output(Step::Train { model }, Training::WEIGHTS, Extraction::WEIGHTS)?))
            }
        };
        let (architecture, numerics) = run_as(study, network);
        let whole = match &network.weights {
            Weights::Whole(of) => {
                let reads = layers.iter().map(|layer| Some((layer.clone(), of.reads.get(layer)?.clone())));
                Some(WholeNetwork::new(of.format, reads.collect::<Option<_>>()?))
            }
            _ => None,
        };
        let weights = weights.into_iter().chain(self.sources.beside(&network.weights)?).collect();
        Some((
            Extraction { architecture, preparation, embedding, layers, family, untrained, numerics, whole, alteration: None },
            weights,
        ))
    }

    /// The images and the classes of a training set.
    fn training_set(&self, set: DatasetIx) -> Option<[Input; 2]> {
        self.sources.training_set(self.study.dataset(set)?.0)
    }

    /// A few pictures of a set.
    fn sampled(&self, pictures: Input, of: usize) -> (Work, Vec<Input>) {
        let sample = (of > SAMPLE).then_some(Take { images: SAMPLE, seed: self.study.seed });
        made_small(pictures, MakeThumbnails { side: SAMPLE_SIDE, sample, form: ThumbnailForm::Row })
    }

    /// All pictures of the evaluation, or a sample of very many.
    fn thumbnails(&self) -> Option<(Work, Vec<Input>)> {
        let many = self.sources.images;
        let images = match self.study.evaluation.thumbnails {
            Thumbnails::All => many,
            Thumbnails::Sample => many.min(MakeThumbnails::MOST),
        };
        let sample = Some(Take { images, seed: self.study.seed });
        let side = MakeThumbnails::side_of(many);
        Some(made_small(self.pictures()?, MakeThumbnails { side, sample, form: ThumbnailForm::Sheets }))
    }

    /// What a training set shares with the evaluation.
    fn overlap(&self, set: DatasetIx) -> Option<(Work, Vec<Input>)> {
        let [learned, classes] = self.training_set(set)?;
        let is_one_data_set = self.sources.is_evaluated_too(self.study.dataset(set)?.0);
        let inputs = vec![
            self.images()?,
            self.output(Step::HashEvaluation, HashPictures::HASHES, FindOverlap::HASHES)?,
            Input { role: FindOverlap::LEARNED.to_owned(), at: Location::Object, ..learned },
            self.output(Step::HashTraining { set }, HashPictures::HASHES, FindOverlap::LEARNED_HASHES)?,
            classes,
        ];
        let identities = self.source(role::IDENTITIES).into_iter();
        Some((Work::Overlap(FindOverlap { is_one_data_set }), inputs.into_iter().chain(identities).collect()))
    }

    /// How far annotators agree, of attributes that somebody labelled.
    fn agreement(&self) -> Option<(Work, Vec<Input>)> {
        let attributes: Vec<String> = self.sources.annotated().map(str::to_owned).collect();
        let labels: Option<Vec<Input>> = attributes.iter().map(|of| self.source(&role::annotators(of))).collect();
        let inputs = [vec![self.images()?], labels.filter(|labels| !labels.is_empty())?].concat();
        Some((Work::Agreement(MeasureAgreement { attributes }), inputs))
    }

    fn baseline(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let Source::Baseline { word, prepare } = &self.study.models[model].source else { return None };
        let baseline = Baseline { word: *word, preparation: self.preparation(prepare)? };
        let inputs = self.prepared(&baseline.preparation)?;
        Some((Work::Baseline(baseline), inputs))
    }

    /// The preparation of that name; with the crop that the model is looked at through.
    fn preparation(&self, name: &str) -> Option<Preparation> {
        match self.recropped {
            Some(of) => of.preparation(self.study),
            None => self.study.preparations.get(name).cloned(),
        }
    }

    /// The features of a model at a layer, in a role.
    fn features(&self, model: ModelIx, layer: LayerIx, role: &str) -> Option<Input> {
        self.output(features(self.study, model, layer), &features_name(self.study, model, layer), role)
    }

    /// The pictures, with where the faces are in them if that is needed to prepare them so.
    fn prepared(&self, preparation: &Preparation) -> Option<Vec<Input>> {
        let marks = match preparation.crop.needs() {
            Some(kind) => Some(self.source(kind.role())?),
            None => None,
        };
        Some([self.pictures()?].into_iter().chain(marks).collect())
    }

    /// The images with the folder their pictures are in.
    fn pictures(&self) -> Option<Input> {
        Some(Input { at: Location::Pictures(self.sources.pictures_at()?.to_owned()), ..self.images()? })
    }

    fn source(&self, role: &str) -> Option<Input> {
        self.sources.object(role).cloned()
    }

    fn output(&self, step: Step, name: &str, role: &str) -> Option<Input> {
        let step = self.recropped.map_or(step, |of| step.through(of));
        let digest = self.results.get(&step)?.output(name)?.digest;
        Some(Input { role: role.to_owned(), digest, at: Location::Object })
    }

    fn images(&self) -> Option<Input> {
        self.output(Step::Index, IndexImages::IMAGES, role::IMAGES)
    }

    /// The columns of these attributes, and the identities.
    fn labels<'a>(&self, attributes: impl IntoIterator<Item = &'a str>) -> Option<Vec<Input>> {
        let columns: Option<Vec<Input>> = attributes.into_iter().map(|attribute| self.source(&role::labels(attribute))).collect();
        Some(columns?.into_iter().chain(self.source(role::IDENTITIES)).collect())
    }

    /// The coordinates of a projection, one a seed.
    fn points(&self, model: ModelIx, layer: LayerIx, projection: ProjectionIx) -> Option<Vec<Input>> {
        let of = |seed: usize| {
            let step = Step::Project { model, layer, projection, seed };
            self.output(step, ProjectFeatures::COORDINATES, &role::numbered(role::POINTS_BY_SEED, seed))
        };
        (0..self.study.projections[projection].seeds).map(of).collect()
    }

    fn score(
        &self,
        model: ModelIx,
        layer: LayerIx,
        projection: ProjectionIx,
        comparison: ComparisonIx,
    ) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[comparison].question.clone();
        let (points, views) = (self.points(model, layer, projection)?, study.projections[projection].views());
        let supervised = study.projections[projection].labels.is_some();
        let inputs = [vec![self.images()?], points, self.labels(question.attributes())?].concat();
        Some((Work::Score(ScoreViews { question, views, statistics: study.statistics, seed: study.seed, supervised }), inputs))
    }

    /// The comparisons whose labels are all there.
    fn labelled(&self) -> Vec<ComparisonIx> {
        let questions = self.study.comparisons.iter_enumerated();
        let there = |question: &Question| question.attributes().iter().all(|of| self.source(&role::labels(of)).is_some());
        questions.filter(|(_, comparison)| there(&comparison.question)).map(|(place, _)| place).collect()
    }

    fn questions(&self, comparisons: &[ComparisonIx]) -> Vec<Question> {
        comparisons.iter().map(|&place| self.study.comparisons[place].question.clone()).collect()
    }

    /// The columns that questions ask for, each once.
    fn labels_of(&self, questions: &[Question]) -> Option<Vec<Input>> {
        let attributes: BTreeSet<&str> = questions.iter().flat_map(Question::attributes).collect();
        self.labels(attributes)
    }

    fn feature_scores(&self, model: ModelIx, layer: LayerIx) -> Option<(Work, Vec<Input>)> {
        let questions = self.questions(&self.labelled());
        let features = self.features(model, layer, role::FEATURES)?;
        let inputs = [vec![self.images()?, features], self.labels_of(&questions)?].concat();
        let work = ScoreFeatures { questions, statistics: self.study.statistics, seed: self.study.seed };
        Some((Work::FeatureScores(work), inputs))
    }

    /// Of the queries whose labels are all there.
    fn retrieval(&self, model: ModelIx, layer: LayerIx) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let there = |attribute: &str| self.source(&role::labels(attribute)).is_some();
        let attributes = |wanted: &'_ Expression| -> BTreeSet<String> {
            let mut names = BTreeSet::new();
            wanted.collect(&mut names);
            names.into_iter().map(str::to_owned).collect()
        };
        let wanted = study.queries.iter().map(|query| &query.wanted);
        let queries: Vec<Expression> = wanted.filter(|of| attributes(of).iter().all(|of| there(of))).cloned().collect();
        if queries.is_empty() {
            return None;
        }
        let groups: Vec<String> = study.fairness.groups.iter().filter(|group| there(group)).cloned().collect();
        let asked: BTreeSet<String> = queries.iter().flat_map(attributes).chain(groups.iter().cloned()).collect();
        let labels = self.labels(asked.iter().map(String::as_str))?;
        let inputs = [vec![self.images()?, self.features(model, layer, role::FEATURES)?], labels].concat();
        let (depth, bootstraps, seed) = (study.fairness.depth, study.statistics.bootstraps, study.seed);
        Some((Work::Retrieval(RetrieveImages { queries, groups, depth, bootstraps, seed }), inputs))
    }

    fn clicks(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let (study, layer) = (self.study, last_layer(self.study, model));
        let questions = self.questions(&self.labelled());
        let labels = self.labels_of(&questions)?;
        let mut inputs = vec![self.images()?, self.features(model, layer, role::FEATURES)?];
        let clicked = clicked_views(study);
        for (place, (projection, _)) in clicked.iter().enumerate() {
            let step = Step::Project { model, layer, projection: *projection, seed: 0 };
            inputs.push(self.output(step, ProjectFeatures::COORDINATES, &role::numbered(role::POINTS_BY_SEED, place))?);
        }
        inputs.extend(labels);
        let views = clicked.into_iter().map(|(_, view)| view).collect();
        Some((Work::Clicks(SimulateClicks { questions, views, settings: study.clicks?, seed: study.seed }), inputs))
    }

    /// What the features hold of each comparison when their pictures are altered.
    fn retained(&self, model: ModelIx, layer: LayerIx) -> Option<(Work, Vec<Input>)> {
        let (study, questions) = (self.study, self.questions(&self.labelled()));
        let alterations = study.alterations_of(model);
        let name = features_name(study, model, layer);
        let altered = alterations.iter().enumerate().map(|(place, &alteration)| {
            let role = role::numbered(MeasureRetained::ALTERED, place);
            self.output(Step::ExtractAltered { model, alteration }, &name, &role)
        });
        let altered: Vec<Input> = altered.collect::<Option<_>>()?;
        let features = self.features(model, layer, role::FEATURES)?;
        let inputs = [vec![self.images()?, features], altered, self.labels_of(&questions)?].concat();
        let work = MeasureRetained { questions, alterations, statistics: study.statistics, seed: study.seed };
        Some((Work::Retained(work), inputs))
    }

    /// The sides of contrasts, by what their models retain. What is missing is left out.
    fn attention(&self) -> Option<(Work, Vec<Input>)> {
        let (mut models, mut inputs) = (Vec::new(), Vec::new());
        for step in contrasted_retained(self.study).into_iter().filter(|step| self.results.contains_key(step)) {
            let Some(model) = step.model() else { continue };
            let outputs = [
                (MeasureRetained::RETAINED, ContrastAttention::RETAINED),
                (MeasureRetained::RESAMPLED, ContrastAttention::RESAMPLED),
            ];
            for (output, role) in outputs {
                inputs.push(self.output(step, output, &role::numbered(role, models.len()))?);
            }
            models.push(model);
        }
        let held = contrast::held(self.study);
        (!models.is_empty()).then_some((Work::Attention(ContrastAttention { models, held }), inputs))
    }

    fn fairness(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let (study, layer) = (self.study, last_layer(self.study, model));
        let questions = self.questions(&self.labelled());
        let there = |group: &&String| self.source(&role::labels(group)).is_some();
        let groups: Vec<String> = study.fairness.groups.iter().filter(there).cloned().collect();
        let attributes = questions.iter().flat_map(Question::attributes).chain(groups.iter().map(String::as_str));
        let labels = self.labels(attributes.collect::<BTreeSet<_>>())?;
        let decisions = self.output(Step::FeatureScores { model, layer }, ScoreFeatures::DECISIONS, GroupFairness::DECISIONS)?;
        let beside = baseline_of(study, model).map(|model| {
            let step = Step::FeatureScores { model, layer: last_layer(study, model) };
            self.output(step, ScoreFeatures::DECISIONS, GroupFairness::BASELINE)
        });
        let beside: Vec<Input> = beside.into_iter().collect::<Option<_>>()?;
        let inputs = [vec![self.images()?, self.features(model, layer, role::FEATURES)?, decisions], beside, labels].concat();
        let (statistics, seed) = (study.statistics, study.seed);
        Some((Work::Fairness(GroupFairness { questions, groups, depth: study.fairness.depth, statistics, seed }), inputs))
    }

    /// The tests of all cells together.
    fn all_cells(&self) -> Option<(Work, Vec<Input>)> {
        let on_own_crop = |step: Step| match step {
            Step::Score { model, .. } | Step::FeatureScores { model, .. } => Some((model, step)),
            _ => None,
        };
        let scores = steps(self.study).into_iter().filter_map(|node| on_own_crop(node.step));
        self.simultaneous(scores, contrast::held(self.study))
    }

    /// The tests of the contrasts whose crops differ.
    fn on_shared_crops(&self) -> Option<(Work, Vec<Input>)> {
        let shared = SharedCrops::of(self.study);
        let steps: Vec<Step> = steps(self.study).into_iter().map(|node| node.step).collect();
        let scores = shared_scores(&shared, steps.into_iter());
        self.simultaneous(scores.into_iter(), shared.contrasts.into_iter().map(|of| of.sides).collect())
    }

    /// The tests of these scores together: each with the place of its model, which `held` speaks of. What is missing is left out.
    fn simultaneous(
        &self,
        scores: impl Iterator<Item = (ModelIx, Step)>,
        held: Vec<ContrastSides>,
    ) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (mut slots, mut inputs) = (Vec::new(), vec![self.images()?]);
        let (mut spaces, mut inputs_of_spaces) = (Vec::new(), Vec::new());
        for (model, step) in scores.filter(|(_, step)| self.results.contains_key(step)) {
            match step.on_own_crop() {
                Step::Score { layer, projection, comparison, .. } => {
                    for (output, role) in [
                        (ScoreViews::SCORES, role::SCORES),
                        (ScoreViews::RANKS, Simultaneous::RANKS),
                        (ScoreViews::PERMUTED, Simultaneous::PERMUTED),
                    ] {
                        inputs.push(self.output(step, output, &role::numbered(role, slots.len()))?);
                    }
                    slots.push(ScoreSlot { model, layer, projection, comparison });
                }
                Step::FeatureScores { layer, .. } => {
                    for (place, comparison) in self.labelled().into_iter().enumerate() {
                        if let Some(input) = self.output(step, &ranks_of(place), &role::numbered(role::SPACES, spaces.len())) {
                            spaces.push((model, layer, comparison));
                            inputs_of_spaces.push(input);
                        }
                    }
                }
                _ => {}
            }
        }
        if slots.is_empty() {
            return None;
        }
        inputs.append(&mut inputs_of_spaces);
        let questions = study.comparisons.iter().map(|comparison| comparison.question.clone()).collect();
        inputs.extend(self.labels_of(&self.questions(&self.labelled()))?);
        let (statistics, seed) = (study.statistics, study.seed);
        Some((Work::Simultaneous(Simultaneous { slots, spaces, questions, held, statistics, seed }), inputs))
    }

    /// The layers of a model, by their scores that are there.
    fn layer_differences(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let (mut slots, mut inputs) = (Vec::new(), vec![self.images()?]);
        for (slot, step) in self.scored().into_iter().filter(|(slot, _)| slot.model == model) {
            for (output, role) in [(ScoreViews::SCORES, role::SCORES), (ScoreViews::RANKS, CompareLayers::RANKS)] {
                inputs.push(self.output(step, output, &role::numbered(role, slots.len()))?);
            }
            slots.push(slot);
        }
        if slots.is_empty() {
            return None;
        }
        let questions = self.study.comparisons.iter().map(|comparison| comparison.question.clone()).collect();
        inputs.extend(self.labels_of(&self.questions(&self.labelled()))?);
        let (statistics, seed) = (self.study.statistics, self.study.seed);
        Some((Work::LayerDifferences(CompareLayers { slots, questions, statistics, seed }), inputs))
    }

    /// Scores of projections that are there. What is missing is left out.
    fn scored(&self) -> Vec<(ScoreSlot, Step)> {
        let of = |step: Step| match step {
            Step::Score { model, layer, projection, comparison } if self.results.contains_key(&step) => {
                Some((ScoreSlot { model, layer, projection, comparison }, step))
            }
            _ => None,
        };
        steps(self.study).into_iter().filter_map(|node| of(node.step)).collect()
    }

    fn verify(&self, model: ModelIx) -> Option<(Work, Vec<Input>)> {
        let points = self.features(model, last_layer(self.study, model), VerifyIdentities::FEATURES)?;
        let work = VerifyIdentities { bootstraps: self.study.statistics.bootstraps, seed: self.study.seed };
        Some((Work::Verify(work), vec![self.images()?, points, self.source(role::IDENTITIES)?]))
    }

    fn verify_pairs(&self, model: ModelIx, set: PairSetIx) -> Option<(Work, Vec<Input>)> {
        let (verification, features) = (&self.study.verification, Step::ExtractPairs { model, set });
        let features = self.output(features, &features_at(EMBEDDING), VerifyPairs::FEATURES)?;
        let pairs = self.sources.of_verification(&verification.sets[set].name, VerifyPairs::PAIRS)?;
        Some((Work::VerifyPairs(VerifyPairs { far: verification.far }), vec![features, pairs]))
    }

    fn visibility(&self) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let heads = if self.source(Ranking::TRUTH).is_some() { Heads::Drawn } else { Heads::Photographed };
        let regions = study.visibility.regions_of(study.comparisons.iter().map(|comparison| &comparison.question));
        let fields = fields_of_view(study);
        // Landmarks say where the face is in its box: both are used, and only of the crop `face`.
        let is_in_box = fields.iter().any(|field| field.crop() == Crop::Face);
        let marks = [self.source(role::LANDMARKS), self.source(role::BOXES)];
        let marks = marks.into_iter().collect::<Option<Vec<_>>>().filter(|_| is_in_box).unwrap_or_default();
        let work =
            MeasureVisibility { fields, regions: regions.into_iter().map(|region| region.rectangles(heads).to_vec()).collect() };
        Some((Work::Visibility(work), [vec![self.images()?], marks].concat()))
    }

    fn rank(&self) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (mut slots, mut scores) = (Vec::new(), Vec::new());
        for (slot, step) in self.scored() {
            scores.push(self.output(step, ScoreViews::SCORES, &role::numbered(role::SCORES, scores.len()))?);
            slots.push(slot);
        }
        if scores.is_empty() {
            return None;
        }
        let questions = study.comparisons.iter().map(|comparison| comparison.question.clone()).collect();
        let attributes: Vec<String> = self.sources.attributes().map(str::to_owned).collect();
        let truth: Vec<Input> = self.source(Ranking::TRUTH).into_iter().collect();
        let (probes, spaces) = if truth.is_empty() { Default::default() } else { self.probes() };
        let tests = self.output(Step::Simultaneous, Simultaneous::TESTS, Ranking::TESTS)?;
        let inputs =
            [vec![self.images()?, tests], scores, self.labels(attributes.iter().map(String::as_str))?, truth, spaces].concat();
        let ranking = Ranking {
            slots,
            separates_at: study.statistics.separates_at,
            show: study.show,
            seed: study.seed,
            attributes,
            groups: study.fairness.groups.clone(),
            depth: study.fairness.depth,
            questions,
            probes,
        };
        Some((Work::Rank(ranking), inputs))
    }

    /// Feature spaces that are there, with their probes.
    fn probes(&self) -> (Probes, Vec<Input>) {
        let (mut spaces, mut inputs) = (Vec::new(), Vec::new());
        for step in steps(self.study).into_iter().map(|node| node.step) {
            let Step::FeatureScores { model, layer } = step else { continue };
            if let Some(input) = self.output(step, ScoreFeatures::SCORES, &role::numbered(role::SPACES, spaces.len())) {
                spaces.push((model, layer));
                inputs.push(input);
            }
        }
        (Probes { spaces, asked: self.labelled() }, inputs)
    }

    fn robustness(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let projection = &study.projections[cell.projection];
        let question = study.comparisons[cell.comparison].question.clone();
        let inputs = [
            vec![self.images()?, self.features(cell.model, cell.layer, role::FEATURES)?],
            vec![self.output(projected(cell), ProjectFeatures::COORDINATES, role::POINTS)?],
            self.labels(question.attributes())?,
        ];
        let projection_seed = if projection.seeds > 1 { study.seed } else { 0 };
        let (view, method, seed) = (cell.view, projection.method.clone(), study.seed);
        Some((Work::Robustness(Robustness { question, view, method, projected: projection_seed, seed }), inputs.concat()))
    }

    fn subgroups(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[cell.comparison].question.clone();
        let there = |group: &&String| self.source(&role::labels(group)).is_some();
        let groups: Vec<String> = study.fairness.groups.iter().filter(there).cloned().collect();
        let attributes: BTreeSet<&str> = question.attributes().into_iter().chain(groups.iter().map(String::as_str)).collect();
        let inputs = [
            vec![self.images()?, self.output(projected(cell), ProjectFeatures::COORDINATES, role::POINTS)?],
            self.labels(attributes)?,
        ];
        let (depth, statistics, seed) = (study.fairness.depth, study.statistics, study.seed);
        let work = FindSubgroups { question, view: cell.view, groups, depth, statistics, seed };
        Some((Work::Subgroups(work), inputs.concat()))
    }

    /// What is measured of the pictures, with where faces are in them as far as that is known.
    fn nuisances(&self) -> Option<(Work, Vec<Input>)> {
        let seen = |kind: FaceMark| Some(Input { role: kind.role().to_owned(), ..self.source(&seen_faces(kind))? });
        let inputs = [self.pictures()?].into_iter().chain(FaceMark::ALL.into_iter().filter_map(seen)).collect();
        Some((Work::Nuisances(MeasureNuisances { measures: MEASURES }), inputs))
    }

    /// Of these nuisances those whose labels are there, and what their values are read from.
    fn values_of(&self, nuisances: Vec<Nuisance>, others: &BTreeSet<&str>) -> Option<(Vec<Nuisance>, Vec<Input>)> {
        let there = |of: &Nuisance| match of {
            Nuisance::Measured(_) => true,
            Nuisance::Column(name) => self.source(&role::labels(name)).is_some(),
        };
        let nuisances: Vec<Nuisance> = nuisances.into_iter().filter(there).collect();
        let is_measured = nuisances.iter().any(|of| matches!(of, Nuisance::Measured(_)));
        let table = || self.output(Step::Nuisances, MeasureNuisances::TABLE, ScoreNuisances::TABLE);
        let table = if is_measured { vec![table()?] } else { vec![] };
        let own = nuisances.iter().filter_map(|of| match of {
            Nuisance::Measured(_) => None,
            Nuisance::Column(name) => Some(name.as_str()),
        });
        let columns: BTreeSet<&str> = others.iter().copied().chain(own).collect();
        let inputs = [table, self.labels(columns)?].concat();
        Some((nuisances, inputs))
    }

    /// How much of each nuisance these points hold, or these features.
    fn nuisance_scores(&self, points: Vec<Input>, views: Vec<View>) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let (nuisances, values) = self.values_of(study.nuisances_looked_for(), &BTreeSet::new())?;
        let work = ScoreNuisances { nuisances, views, bootstraps: study.statistics.bootstraps, seed: study.seed };
        Some((Work::NuisanceScores(work), [vec![self.images()?], points, values].concat()))
    }

    fn adjusted(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let question = study.comparisons[cell.comparison].question.clone();
        let (held, values) = self.values_of(study.nuisances_held(), &question.attributes())?;
        let points = self.points(cell.model, cell.layer, cell.projection)?;
        let (statistics, seed) = (study.statistics, study.seed);
        let work = AdjustScores { question, view: cell.view, held, statistics, seed };
        Some((Work::AdjustedScores(work), [vec![self.images()?], points, values].concat()))
    }

    fn draw(&self, cell: CellId) -> Option<(Work, Vec<Input>)> {
        let study = self.study;
        let comparison = &study.comparisons[cell.comparison];
        let method = projection::title(&study.projections[cell.projection].method);
        let axes = match cell.view {
            View::Map => AxisNames::Map { method },
            _ => AxisNames::Explained { method, shares: self.results.get(&projected(cell))?.fact("explained").to_vec() },
        };
        let figure = Figure::View {
            view: cell.view,
            question: comparison.question.clone(),
            classes: comparison.classes.clone(),
            axes,
            seed: study.seed,
        };
        let inputs = [
            vec![self.images()?, self.output(projected(cell), ProjectFeatures::COORDINATES, role::POINTS)?],
            self.labels(comparison.question.attributes())?,
        ]
        .concat();
        Some((Work::Draw(figure), inputs))
    }
}

/// What pictures show, in few bits.
fn hashed(pictures: Input) -> (Work, Vec<Input>) {
    let pictures = Input { role: HashPictures::PICTURES.to_owned(), ..pictures };
    (Work::Hashes(HashPictures { hash: PictureHash::VERSION }), vec![pictures])
}

fn made_small(pictures: Input, of: MakeThumbnails) -> (Work, Vec<Input>) {
    (Work::Thumbnails(of), vec![Input { role: MakeThumbnails::PICTURES.to_owned(), ..pictures }])
}

#[cfg(test)]
mod tests;
