//! Which files and objects a study needs that no stage makes: the image listing, columns of labels, identities, given features, weight
//! files, training sets. Made of what was found of the data; nothing is written here, and read is only which files an ONNX model says it has
//! beside it, of studies that were opened ([`Sources::of`]).

use crate::study::{
    OpenedStudy,
    model_files::{files_beside, files_named_by},
};
use rayon::prelude::*;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};
use visavis_core::{
    domain::{
        Digest, Fault, Result,
        annotation::annotators_to_text,
        image::Column,
        model::{ModelFile, Network, Source as ModelSource, Weights},
        result::Manifest,
        stage::{Extraction, HashPictures, IndexImages, Input, Location, Ranking, Training, VerifyPairs, Work, role},
        study::{FaceMark, Study},
    },
    store::Workspace,
};

/// Everything outside that the stages of a study consume.
#[derive(Default)]
pub(crate) struct Sources {
    /// Objects that are stored before anything runs, by name: the role in which they are consumed; of training sets, role and set.
    objects: BTreeMap<String, Input>,
    contents: Vec<(String, SourceContent)>,
    files: BTreeMap<PathBuf, Input>,
    /// The files beside an ONNX model that hold its weights, by the model's file, of whole networks; `None` while one of them is
    /// not there.
    beside: BTreeMap<PathBuf, Option<Vec<Input>>>,
    /// The folder that the ids of the evaluation's images are paths in.
    pictures_at: Option<PathBuf>,
    /// The same for training sets, by name.
    training_at: BTreeMap<String, PathBuf>,
    /// The same for verification sets, by name.
    pairs_at: BTreeMap<String, PathBuf>,
    /// How many images training sets have, by name.
    training_images: BTreeMap<String, usize>,
    /// How many images are evaluated; 0 while nobody knows.
    pub images: usize,
}

/// What a source is made of: a column is kept as small numbers until somebody asks for its bytes.
enum SourceContent {
    Bytes(Vec<u8>),
    Column(Column),
    /// An object that a page may carry.
    Carried(Digest),
}

/// What the source is called that a training set is consumed from, in a role.
fn of_training(role: &str, set: &str) -> String {
    format!("{role}/{set}")
}

/// Says of a training set that it is the data set that is evaluated, too, under whatever name.
const EVALUATED_TOO: &str = "evaluated too";

/// Is the source one of a training set?
pub fn is_of_training(name: &str) -> bool {
    [Training::PICTURES, Training::CLASSES, role::LANDMARKS, role::BOXES]
        .iter()
        .any(|role| name.starts_with(&of_training(role, "")))
}

/// How the names of sources begin that are of verification sets.
const VERIFICATION: &str = "verification ";

/// What the source is called that a verification set is consumed from, in a role.
fn of_pairs(role: &str, set: &str) -> String {
    format!("{VERIFICATION}{role}/{set}")
}

/// Is the source one of a verification set?
pub(crate) fn is_of_verification(name: &str) -> bool {
    name.starts_with(VERIFICATION)
}

/// What the source is called that says where faces are in pictures that are measured: it may lack pictures, which a crop's may not.
pub(crate) fn seen_faces(kind: FaceMark) -> String {
    format!("seen {}", kind.role())
}

/// How the names of files begin among the names of sources.
const FILE: &str = "file ";

/// What a file is called among the sources, by its shareable path.
pub(crate) fn file_source(path: &Path) -> String {
    format!("{FILE}{}", path.display())
}

impl Sources {
    /// # Errors
    /// A weight file with another digest than the study names.
    pub(crate) fn of(opened: &OpenedStudy, workspace: &Workspace) -> Result<Self> {
        let (study, survey) = (&opened.file.study, &opened.survey);
        let mut sources =
            Sources { pictures_at: survey.pictures.as_ref().map(|folder| workspace.place(folder)), ..Sources::default() };
        let Some(images) = &survey.images else { return Ok(sources) };
        let taken = study.evaluation.take.as_ref().map_or(usize::MAX, |take| take.images);
        sources.images = images.len().min(taken);
        sources.put_bytes(IndexImages::LISTING.to_owned(), images.to_text().into_bytes());
        // Labels enter as parsed and sorted columns; which file they came from does not matter.
        let labels = survey.labels.iter().map(|(attribute, column)| (role::labels(attribute), column));
        let identities = survey.identities.iter().map(|column| (role::IDENTITIES.to_owned(), column));
        let marks = survey.marks.iter().map(|(kind, column)| (kind.role().to_owned(), column));
        let seen = survey.seen_faces.iter().map(|(kind, column)| (seen_faces(*kind), column));
        sources.put_columns(labels.chain(identities).chain(marks).chain(seen).collect());
        for (attribute, annotators) in &survey.annotators {
            sources.put_bytes(role::annotators(attribute), annotators_to_text(annotators).into_bytes());
        }
        for (name, set) in &survey.training {
            if study.is_evaluated_too(name) {
                sources.put_bytes(of_training(EVALUATED_TOO, name), b"1".to_vec());
            }
            sources.training_images.insert(name.clone(), set.images.len());
            sources.put_bytes(of_training(Training::PICTURES, name), set.images.to_text().into_bytes());
            sources.put_bytes(of_training(Training::CLASSES, name), set.classes.to_text().into_bytes());
            sources.put_columns(set.marks.iter().map(|(kind, column)| (of_training(kind.role(), name), column)).collect());
            sources.training_at.insert(name.clone(), workspace.place(&set.pictures));
        }
        for (place, set) in &survey.verification {
            let name = &study.verification.sets[*place].name;
            sources.put_bytes(of_pairs(role::IMAGES, name), set.images.to_text().into_bytes());
            sources.put_bytes(of_pairs(VerifyPairs::PAIRS, name), set.pairs.to_text().into_bytes());
            sources.put_columns(set.marks.iter().map(|(kind, column)| (of_pairs(kind.role(), name), column)).collect());
            sources.pairs_at.insert(name.clone(), workspace.place(&set.pictures));
        }
        if let Some(truth) = &survey.truth {
            sources.put_bytes(Ranking::TRUTH.to_owned(), truth.clone());
        }
        refuse_other_weights(study, &opened.files)?;
        for (path, digest) in &opened.files {
            let at = Location::File(workspace.place(path));
            sources.files.insert(path.clone(), Input { role: String::new(), digest: *digest, at });
        }
        for file in study.models.iter().filter_map(|model| whole(&model.source)) {
            if !sources.beside.contains_key(&file.file) {
                let beside = files_beside(file).into_iter();
                let beside = beside.map(|(name, path)| sources.file(&format!("{}{name}", Extraction::BESIDE), &path)).collect();
                sources.beside.insert(file.file.clone(), beside);
            }
        }
        Ok(sources)
    }

    /// Those of a study that a page carries: by the digests that it names. Folders of pictures are
    /// nowhere; no key holds a folder. No file is opened: a page may name any.
    pub(crate) fn carried(
        study: &Study,
        digests: &BTreeMap<String, Digest>,
        manifests: &[Manifest],
        shareable: &dyn Fn(&Path) -> PathBuf,
    ) -> Self {
        let mut sources = Sources { pictures_at: Some(PathBuf::from(".")), ..Sources::default() };
        for (name, digest) in digests.iter().filter(|(name, _)| !name.starts_with(FILE)) {
            sources.objects.insert(name.clone(), Input { role: name.clone(), digest: *digest, at: Location::Object });
            sources.contents.push((name.clone(), SourceContent::Carried(*digest)));
            if let Some(set) = name.strip_prefix(&of_training(Training::PICTURES, "")) {
                sources.training_at.insert(set.to_owned(), PathBuf::from("."));
            }
            if let Some(set) = name.strip_prefix(&of_pairs(role::IMAGES, "")) {
                sources.pairs_at.insert(set.to_owned(), PathBuf::from("."));
            }
        }
        // How many images there are, those know that looked at all of them.
        let counted = |of: &Manifest, role: &str| {
            let list = of.inputs.iter().find(|input| input.role == role)?.digest;
            Some((list, of.fact("images").first().map(|images| *images as usize)?))
        };
        for of in manifests {
            match &of.work {
                Work::Index(_) => sources.images = counted(of, IndexImages::LISTING).map_or(sources.images, |(_, images)| images),
                Work::Hashes(_) => {
                    let Some((list, images)) = counted(of, HashPictures::PICTURES) else { continue };
                    let sets = digests.iter().filter(|(_, digest)| **digest == list);
                    let sets = sets.filter_map(|(name, _)| name.strip_prefix(&of_training(Training::PICTURES, "")));
                    sources.training_images.extend(sets.map(|set| (set.to_owned(), images)));
                }
                _ => {}
            }
        }
        for path in study.models.iter().flat_map(|model| files_named_by(&model.source)) {
            let at = shareable(&path);
            if let Some(digest) = digests.get(&file_source(&at)) {
                let input = Input { role: String::new(), digest: *digest, at: Location::File(at) };
                sources.files.insert(path.clone(), input);
            }
        }
        let has_beside = |of: &&Manifest| of.inputs.iter().any(|input| input.role.starts_with(Extraction::BESIDE));
        let manifests: Vec<&Manifest> = manifests.iter().filter(has_beside).collect();
        for ModelFile { file, .. } in study.models.iter().filter_map(|model| whole(&model.source)) {
            let beside = manifests.iter().find_map(|manifest| sources.beside_by(manifest, file, digests, shareable));
            let Some(beside) = beside else { continue };
            sources.beside.insert(file.clone(), Some(beside.iter().map(|(_, input)| input.clone()).collect()));
            sources.files.extend(beside.into_iter().map(|(path, input)| (path, Input { role: String::new(), ..input })));
        }
        sources
    }

    /// What lies beside a model's file by a page's result that consumed it, with where each would be; `None` where the result is not
    /// of this file, or the page does not name all of it among its data.
    fn beside_by(
        &self,
        manifest: &Manifest,
        file: &Path,
        digests: &BTreeMap<String, Digest>,
        shareable: &dyn Fn(&Path) -> PathBuf,
    ) -> Option<Vec<(PathBuf, Input)>> {
        let digest = self.files.get(file)?.digest;
        if !manifest.inputs.iter().any(|input| input.role == Extraction::WEIGHTS && input.digest == digest) {
            return None;
        }
        let is_below =
            |name: &str| Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let named = manifest.inputs.iter().filter_map(|input| Some((input, input.role.strip_prefix(Extraction::BESIDE)?)));
        let located = |(input, name): (&Input, &str)| {
            let path = is_below(name).then(|| file.with_file_name(name))?;
            let at = shareable(&path);
            let is_known = digests.get(&file_source(&at)) == Some(&input.digest);
            is_known.then(|| (path, Input { at: Location::File(at), ..input.clone() }))
        };
        named.map(located).collect()
    }

    fn put_bytes(&mut self, name: String, bytes: Vec<u8>) {
        self.put(name, Digest::of(&bytes), SourceContent::Bytes(bytes));
    }

    fn put_columns(&mut self, columns: Vec<(String, &Column)>) {
        let digests: Vec<Digest> = columns.par_iter().map(|(_, column)| column.digest()).collect();
        for ((name, column), digest) in columns.into_iter().zip(digests) {
            self.put(name, digest, SourceContent::Column(column.clone()));
        }
    }

    fn put(&mut self, name: String, digest: Digest, content: SourceContent) {
        self.objects.insert(name.clone(), Input { role: name.clone(), digest, at: Location::Object });
        self.contents.push((name, content));
    }

    /// An object by the role in which it is consumed.
    pub(crate) fn object(&self, role: &str) -> Option<&Input> {
        self.objects.get(role)
    }

    /// A file, as it is consumed in a role.
    pub(crate) fn file(&self, role: &str, path: &Path) -> Option<Input> {
        Some(Input { role: role.to_owned(), ..self.files.get(path)?.clone() })
    }

    /// The files beside an ONNX model that hold its weights; `None` while one of them is not there.
    pub(crate) fn beside(&self, weights: &Weights) -> Option<Vec<Input>> {
        let Weights::Whole(ModelFile { file, .. }) = weights else { return Some(vec![]) };
        self.beside.get(file).map_or_else(|| Some(vec![]), Clone::clone)
    }

    /// Images and classes of a training set, as a training consumes them.
    pub(crate) fn training_set(&self, name: &str) -> Option<[Input; 2]> {
        let root = self.training_at.get(name)?;
        let input = |role: &str, at: Location| {
            let object = self.objects.get(&of_training(role, name))?;
            Some(Input { role: role.to_owned(), at, ..object.clone() })
        };
        Some([input(Training::PICTURES, Location::Pictures(root.clone()))?, input(Training::CLASSES, Location::Object)?])
    }

    /// The folder of a training set's pictures.
    pub(crate) fn training_set_at(&self, name: &str) -> Option<&Path> {
        self.training_at.get(name).map(PathBuf::as_path)
    }

    /// Is the training set the data set that is evaluated, too?
    pub(crate) fn is_evaluated_too(&self, name: &str) -> bool {
        self.objects.contains_key(&of_training(EVALUATED_TOO, name))
    }

    /// Where the faces are in the pictures of a training set.
    pub(crate) fn training_marks(&self, name: &str, kind: FaceMark) -> Option<Input> {
        Some(Input { role: kind.role().to_owned(), ..self.objects.get(&of_training(kind.role(), name))?.clone() })
    }

    /// The pictures of a verification set.
    pub(crate) fn pictures_of_pairs(&self, name: &str) -> Option<Input> {
        let at = Location::Pictures(self.pairs_at.get(name)?.clone());
        Some(Input { at, ..self.of_verification(name, role::IMAGES)? })
    }

    /// What a verification set has of a role: its pairs, or where the faces are in its pictures.
    pub(crate) fn of_verification(&self, name: &str, role: &str) -> Option<Input> {
        Some(Input { role: role.to_owned(), ..self.objects.get(&of_pairs(role, name))?.clone() })
    }

    /// The folder that the ids of the evaluation's images are paths in.
    pub(crate) fn pictures_at(&self) -> Option<&Path> {
        self.pictures_at.as_deref()
    }

    /// The attributes whose labels are there.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().filter_map(|name| name.strip_prefix(role::LABELS))
    }

    /// The attributes that annotators labelled by name.
    pub(crate) fn annotated(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().filter_map(|name| name.strip_prefix(role::ANNOTATORS))
    }

    /// How many images a training set has; 0 while nobody knows.
    pub(crate) fn training_images(&self, name: &str) -> usize {
        self.training_images.get(name).copied().unwrap_or_default()
    }

    /// The name of every object, also of those that a page only names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    /// The bytes of every object that is here, by name; of a page's objects by `carried`, one at a time.
    pub(crate) fn contents(&self, carried: impl Fn(Digest) -> Result<Vec<u8>>) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.contents.iter().filter_map(move |(name, content)| {
            let bytes = match content {
                SourceContent::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
                SourceContent::Column(column) => Cow::Owned(column.to_text().into_bytes()),
                SourceContent::Carried(digest) => Cow::Owned(carried(*digest).ok()?),
            };
            Some((name.as_str(), bytes))
        })
    }

    /// The labels of an attribute.
    pub(crate) fn labels(&self, attribute: &str) -> Option<&Column> {
        self.column(|name| name.strip_prefix(role::LABELS) == Some(attribute))
    }

    /// Who is on each image.
    pub(crate) fn identities(&self) -> Option<&Column> {
        self.column(|name| name == role::IDENTITIES)
    }

    fn column(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&Column> {
        self.contents.iter().find_map(|(name, content)| match content {
            SourceContent::Column(column) if is_wanted(name) => Some(column),
            _ => None,
        })
    }

    /// The digests of all of it, by name. `shareable` gives files the same names on every machine.
    pub(crate) fn digests(&self, shareable: &dyn Fn(&Path) -> PathBuf) -> BTreeMap<String, Digest> {
        let mut digests: BTreeMap<String, Digest> =
            self.objects.iter().map(|(name, input)| (name.clone(), input.digest)).collect();
        // By content where names are alike: the order of absolute paths is another on another machine.
        let mut files: Vec<_> = self.files.iter().map(|(path, input)| (shareable(path), input.digest)).collect();
        files.sort();
        for (path, digest) in files {
            let name = file_source(&path);
            // Two files of one name, from outside the workspace, are told apart by their order.
            let names = std::iter::once(name.clone()).chain((2..).map(|place| format!("{name} ({place})")));
            let free = names.into_iter().find(|name| !digests.contains_key(name)).unwrap_or(name);
            digests.insert(free, digest);
        }
        digests
    }
}

/// The file of a whole network.
fn whole(source: &ModelSource) -> Option<&ModelFile> {
    match source {
        ModelSource::Network(Network { weights: Weights::Whole(file), .. }) => Some(file),
        _ => None,
    }
}

/// A study may name the digest of its weights: others are not taken for them.
fn refuse_other_weights(study: &Study, files: &BTreeMap<PathBuf, Digest>) -> Result<()> {
    for model in &study.models {
        let ModelSource::Network(network) = &model.source else { continue };
        let Some((file, Some(wanted))) = network.weights.file() else { continue };
        if files.get(file).is_some_and(|digest| digest.to_string() != wanted) {
            return Err(Fault::asked(format!(
                "the weights of {} are not those the study names: their digest is another",
                model.name
            ))
            .in_file(file)
            .next("`visavis weights inspect` prints a file's digest; write it into the study if the file is the right one"));
        }
    }
    Ok(())
}

#[cfg(test)]
impl Sources {
    /// Made up, for tests: objects by name, files and folders.
    pub(crate) fn made_up(objects: &[(&str, &str)], files: &[&Path], pictures_at: &str, training_at: &[(&str, &str)]) -> Self {
        let mut sources = Sources { pictures_at: Some(pictures_at.into()), images: 1, ..Sources::default() };
        for (name, bytes) in objects {
            sources.put_bytes((*name).to_owned(), bytes.as_bytes().to_vec());
        }
        for path in files {
            let digest = Digest::of(path.to_string_lossy().as_bytes());
            let input = Input { role: String::new(), digest, at: Location::File(path.to_path_buf()) };
            sources.files.insert(path.to_path_buf(), input);
        }
        sources.training_at = training_at.iter().map(|(name, at)| ((*name).to_owned(), PathBuf::from(at))).collect();
        let sets = objects.iter().filter_map(|(name, _)| name.strip_prefix(&of_pairs(role::IMAGES, "")));
        sources.pairs_at = sets.map(|set| (set.to_owned(), PathBuf::from(set))).collect();
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{
        steps::Step,
        testing::{result, study},
    };
    use visavis_core::domain::{index::ModelIx, model::ModelFormat};

    #[test]
    fn beside_a_model_of_a_page_is_what_its_results_and_its_data_agree_on() {
        let mut study = study();
        let model = ModelIx(1);
        let ModelSource::Network(network) = &mut study.models[model].source else { panic!("the second model is a network") };
        let file = PathBuf::from("/models/m.onnx");
        let weights = Weights::Whole(ModelFile { file, format: ModelFormat::Onnx, reads: BTreeMap::new(), blake3: None });
        network.weights = weights.clone();
        let found = |name: &str, named: &str| -> Vec<Location> {
            let input = |role: &str, bytes: &str| Input {
                role: role.to_owned(),
                digest: Digest::of(bytes.as_bytes()),
                at: Location::Object,
            };
            let inputs = vec![input(Extraction::WEIGHTS, "graph"), input(&format!("{}{name}", Extraction::BESIDE), "numbers")];
            let manifest = Manifest { inputs, ..result(&study, Step::Extract { model }) };
            let digests = [("file /models/m.onnx", "graph"), ("file /models/m.data", named)];
            let digests = digests.map(|(name, bytes)| (name.to_owned(), Digest::of(bytes.as_bytes()))).into();
            let sources = Sources::carried(&study, &digests, &[manifest], &|path| path.to_owned());
            sources.beside(&weights).unwrap().into_iter().map(|input| input.at).collect()
        };
        assert_eq!(found("m.data", "numbers"), [Location::File("/models/m.data".into())]);
        assert!(found("m.data", "other numbers").is_empty());
        // A name that leads elsewhere is none of a file beside it.
        assert!(found("/models/m.data", "numbers").is_empty());
    }

    #[test]
    fn files_of_one_name_are_told_apart_by_their_content_not_by_their_folders() {
        let names = |first: &str, second: &str| {
            let (first, second) = (PathBuf::from(first).join("a.npy"), PathBuf::from(second).join("a.npy"));
            let mut sources = Sources::made_up(&[("labels/age", "a\t1\n")], &[&first, &second], "faces", &[]);
            sources.files.get_mut(&first).unwrap().digest = Digest::of(b"one");
            sources.files.get_mut(&second).unwrap().digest = Digest::of(b"two");
            sources.digests(&|path| path.file_name().unwrap().into())
        };
        let digests = names("x", "y");
        assert_eq!(digests.keys().collect::<Vec<_>>(), ["file a.npy", "file a.npy (2)", "labels/age"]);
        assert_eq!(digests, names("y", "x"));
    }

    #[test]
    fn a_training_set_is_consumed_with_its_folder() {
        let sources = Sources::made_up(&[("pictures/people", "p"), ("classes/people", "c")], &[], "faces", &[("people", "at")]);
        let [pictures, classes] = sources.training_set("people").unwrap();
        assert_eq!((pictures.role.as_str(), pictures.at), (Training::PICTURES, Location::Pictures("at".into())));
        assert_eq!((classes.role.as_str(), classes.at), (Training::CLASSES, Location::Object));
        assert!(sources.training_set("others").is_none());
        assert!(is_of_training("boxes/people") && !is_of_training("boxes"));
        assert!(is_of_training("pictures/people") && !is_of_training("labels/pictures"));
    }
}
