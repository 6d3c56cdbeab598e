use super::*;
use crate::{
    domain::image::{Column, Images, Labels},
    numeric::multiversion::each_level,
    scoring::design::split::FOLDS,
};

/// Images of people, each with one label `x` (`None`: not known) and a group.
struct Scene {
    images: Images,
    identities: Column,
    labels: Labels,
    features: Matrix,
}

impl Scene {
    fn new(identity: &[usize], features: Matrix, x: &[Option<bool>]) -> Self {
        let id = |i: usize| format!("{i:05}");
        let images = Images((0..identity.len()).map(|i| (id(i), None)).collect());
        let identities = identity.iter().enumerate().map(|(i, of)| (id(i), format!("p{of}"))).collect();
        let label = |i: usize| Some((id(i), u8::from(x[i]?).to_string()));
        let group = |i: usize| (id(i), if identity[i].is_multiple_of(2) { "even" } else { "odd" }.to_owned());
        let labels = [
            ("x".to_owned(), (0..identity.len()).filter_map(label).collect::<Column>()),
            ("group".to_owned(), (0..identity.len()).map(group).collect()),
        ];
        Scene { images, identities, labels: labels.into_iter().collect(), features }
    }

    fn setting(&self) -> Setting<'_> {
        Setting { images: &self.images, labels: &self.labels, identities: Some(&self.identities) }
    }

    fn retrieve(&self, queries: &[&str], bootstraps: usize) -> Retrieval {
        let queries: Vec<Expression> = queries.iter().map(|text| text.parse().unwrap()).collect();
        retrieve(&RetrievalInput {
            setting: &self.setting(),
            features: &self.features,
            queries: &queries,
            groups: (&["group".to_owned()], 1),
            bootstraps,
            seed: 5,
        })
    }
}

/// People of three images each, whose attribute moves the first column by `signal`.
fn drawn(people: usize, d: usize, share: f64, signal: f64, seed: u64) -> Scene {
    let mut stream = PhiloxStream::for_test(seed, 0);
    let identity: Vec<usize> = (0..3 * people).map(|i| i / 3).collect();
    let has: Vec<bool> = (0..people).map(|_| stream.uniform() < share).collect();
    let own: Vec<f64> = (0..people * d).map(|_| stream.normals(1.0)[0]).collect();
    let value = |i: usize, k: usize, stream: &mut PhiloxStream| {
        let moved = if k == 0 && has[identity[i]] { signal } else { 0.0 };
        (own[identity[i] * d + k] + 0.5 * stream.normals(1.0)[0] + moved) as f32
    };
    let values = (0..3 * people).flat_map(|i| (0..d).map(move |k| (i, k))).map(|(i, k)| value(i, k, &mut stream)).collect();
    let x: Vec<Option<bool>> = identity.iter().map(|of| Some(has[*of])).collect();
    Scene::new(&identity, Matrix::new(3 * people, d, values).unwrap(), &x)
}

/// `tests/retrieval.py` wrote what scikit-learn says.
#[test]
fn rankings_from_examples_and_probes_are_the_peers() {
    let fixture: serde_json::Value = serde_json::from_str(include_str!("../../../../../tests/fixtures/retrieval.json")).unwrap();
    let rows: Vec<Vec<f32>> = serde_json::from_value(fixture["features"].clone()).unwrap();
    let features = Matrix::new(rows.len(), rows[0].len(), rows.concat()).unwrap();
    let identity: Vec<usize> = serde_json::from_value(fixture["identity"].clone()).unwrap();
    for query in fixture["queries"].as_array().unwrap() {
        let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(query[key].clone()).unwrap() };
        let wanted: Vec<bool> = serde_json::from_value(query["wanted"].clone()).unwrap();
        let half: Vec<usize> = serde_json::from_value(query["half"].clone()).unwrap();
        let scene = Scene::new(&identity, features.clone(), &wanted.iter().map(|is| Some(*is)).collect::<Vec<_>>());
        let found = scene.retrieve(&["x"], 20).queries.remove(0);
        let examples = numbers("examples");
        let one = &found.found[0];
        assert_eq!((one.by, one.rankings), (AskedBy::Example, examples.len()));
        let mean = sum::mean(&examples);
        assert!((one.average_precision.unwrap().value - mean).abs() < 1e-6, "{one:?} {mean}");
        assert!((one.lift.unwrap() - mean / found.prevalence.unwrap()).abs() < 1e-4);
        // The probe with the peer's halves.
        let target: Vec<Option<bool>> = wanted.iter().map(|is| Some(*is)).collect();
        let log_odds = probe(&features, &[ProbeTask { target: &target, fold: &half, weight: None }]).remove(0);
        for (held_out, peer) in numbers("probes").into_iter().enumerate() {
            let here = (0..wanted.len()).filter(|row| half[*row] == held_out);
            let ranking = RankedGallery::new(here.map(|row| (row as u32, log_odds[row], wanted[row])).collect());
            assert!((ranking.average_precision().unwrap() - peer).abs() < 1e-3, "{peer}");
        }
    }
    assert_eq!(FOLDS, 5, "two of them are the halves");
}

#[test]
fn a_signal_is_found_and_the_more_is_given_the_better() {
    let found = drawn(120, 8, 0.25, 3.0, 1).retrieve(&["x"], 100).queries.remove(0);
    let [one, five, probe] = [0, 1, 2].map(|way| found.found[way].clone());
    let value = |of: &FoundBy| of.average_precision.unwrap().value;
    assert!(found.by_chance.unwrap() < 0.3 && value(&one) > 0.5, "{found:?}");
    assert!(value(&one) < value(&five) && value(&five) < value(&probe), "{found:?}");
    assert!([&one, &five, &probe].iter().all(|of| of.average_precision.unwrap().interval.is_some()), "{found:?}");
    assert_eq!(probe.rankings, 2);
    assert!(one.first[0].recall < one.first[1].recall && one.first[0].precision > 0.6, "{one:?}");
    assert_eq!(found.groups.iter().map(|of| of.examples).sum::<usize>(), one.rankings);
    assert_eq!(found.groups[0].group, [("group".to_owned(), "even".to_owned())]);
}

#[test]
fn without_a_signal_nothing_is_found_beyond_chance() {
    let mut above = [0; 3];
    for seed in 0..40 {
        let found = drawn(120, 6, 0.3, 0.0, 100 + seed).retrieve(&["x"], 100).queries.remove(0);
        for (way, of) in found.found.iter().enumerate() {
            above[way] += usize::from(of.average_precision.unwrap().low().unwrap() > found.by_chance.unwrap());
        }
    }
    assert!(above.iter().all(|times| *times <= 5), "{above:?}");
}

#[test]
fn an_identity_never_finds_itself() {
    // Each person's three images lie on each other, and nothing else tells them apart: whoever is left in the gallery would be perfect.
    let people = 30;
    let identity: Vec<usize> = (0..3 * people).map(|i| i / 3).collect();
    let mut stream = PhiloxStream::for_test(9, 0);
    let own: Vec<f32> = (0..people * 40).map(|_| stream.normals(1.0)[0] as f32).collect();
    let features = Matrix::new(3 * people, 40, identity.iter().flat_map(|of| own[of * 40..][..40].to_vec()).collect()).unwrap();
    let scene = Scene::new(&identity, features, &identity.iter().map(|of| Some(*of < 6)).collect::<Vec<_>>());
    let found = scene.retrieve(&["x"], 20).queries.remove(0);
    let one = found.found[0].average_precision.unwrap();
    assert!(one.value < 0.4 && one.interval.is_none(), "of six people no interval: {one:?}");
    assert_eq!(found.found[1].rankings, 1, "six identities make one set of five");
}

#[test]
fn what_cannot_be_asked_is_said_and_not_scored() {
    let mut scene = drawn(30, 4, 0.3, 1.0, 2);
    let told = |found: &QueryRetrieval| (found.unscored, found.found.len(), found.groups.len());
    let all = scene.retrieve(&["x and not x", "x or not x", "x and group=even", "nothing"], 20).queries;
    assert_eq!(told(&all[0]), (Some(Unscored::Nobody), 0, 0));
    assert_eq!(told(&all[1]), (Some(Unscored::Everybody), 0, 0));
    assert_eq!(told(&all[2]).0, None);
    assert_eq!((told(&all[3]), all[3].labelled, all[3].prevalence), ((Some(Unscored::Unlabelled), 0, 0), 0, None));
    let one: Column = scene.images.ids().enumerate().map(|(i, id)| (id.to_owned(), u8::from(i / 3 == 4).to_string())).collect();
    scene.labels.insert("x".to_owned(), one);
    assert_eq!(told(&scene.retrieve(&["x"], 20).queries[0]).0, Some(Unscored::OneIdentity));
    let mut values = scene.features.values().to_vec();
    values[7] = f32::NAN;
    scene.features = Matrix::new(scene.features.rows(), scene.features.columns(), values).unwrap();
    assert_eq!(told(&scene.retrieve(&["group=even"], 20).queries[0]), (Some(Unscored::NotFinite), 0, 0));
}

#[test]
fn images_without_labels_take_no_part() {
    let mut scene = drawn(40, 4, 0.3, 2.0, 3);
    let whole = scene.retrieve(&["x"], 20).queries.remove(0);
    let kept: Column = scene
        .labels
        .get("x")
        .unwrap()
        .aligned(&scene.images)
        .into_iter()
        .enumerate()
        .filter(|(i, _)| i % 4 != 0)
        .map(|(i, value)| (format!("{i:05}"), value.unwrap().to_owned()))
        .collect();
    scene.labels.insert("x".to_owned(), kept);
    let part = scene.retrieve(&["x"], 20).queries.remove(0);
    assert_eq!((whole.labelled, part.labelled), (120, 90));
    assert!(part.wanted < whole.wanted);
}

#[test]
fn the_bits_depend_neither_on_threads_nor_on_the_machine_nor_on_other_queries() {
    let scene = drawn(150, 20, 0.4, 1.5, 4);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&scene.retrieve(&["x", "not x"], 50)).unwrap())
    };
    let one = with(1);
    assert_eq!(one, with(8));
    each_level(|level| assert_eq!(one, with(2), "{level:?}"));
    let alone = scene.retrieve(&["not x"], 50).queries;
    let both: Retrieval = serde_json::from_str(&one).unwrap();
    assert_eq!(alone[0], both.queries[1]);
    assert_eq!(both.queries[0].found[0].rankings, MOST_EXAMPLES, "60 people of three images");
}

/// As large as CelebA: `cargo test --release … a_set_as_large_as_celeba -- --ignored --nocapture`.
#[test]
#[ignore = "a minute, and gigabytes"]
fn a_set_as_large_as_celeba_is_searched() {
    let images = std::env::var("VISAVIS_IMAGES").ok().and_then(|of| of.parse().ok()).unwrap_or(202_599);
    let scene = drawn(images / 3, 512, 0.1, 3.0, 6);
    let begun = std::time::Instant::now();
    let found = scene.retrieve(&["x"], 1000).queries.remove(0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    println!("{images} x 512: {:.1} s a query, {most}; {:?}", begun.elapsed().as_secs_f64(), found.found);
    assert_eq!(found.found.len(), 3);
}
