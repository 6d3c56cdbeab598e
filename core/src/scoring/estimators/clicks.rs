//! Weak supervision, simulated: a person looks at some images of each cluster, and the whole cluster takes the label of most of them. The
//! clusters are found without labels. Beside it what as many labels are worth where they are spent image by image: at random, on what is
//! nearest to the boundary, or for a linear probe. Images of identities that were looked at are not counted.
//!
//! Labelled one by one, an image is of the class whose labelled mean is nearer (in directions: features less their mean, of length 1). The probe
//! is a ridge regression on such directions with Fisher's coding of the classes, so that both weigh the same (Bishop 2006, section 4.1.5); its
//! penalty is the mean square of a labelled image, so that a handful of labels is shrunk much and hundreds little.

use super::retrieval::Directions;
use crate::{
    domain::{
        clicks::{ClickCurve, ClickPoint, ClickWay, LOOKS, MOST_IMAGES, QuestionClicks},
        comparison::Question,
    },
    numeric::{Matrix, PhiloxStream, Purpose, cholesky::solve_small, sum},
    scoring::design::members::{Setting, groups},
};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// What clicks are simulated on.
pub struct ClickInput<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// N × D, rows in the order of the setting's images.
    pub features: &'a Matrix,
    /// The cluster of each image, by way; `None`: in none.
    pub clusters: &'a [(ClickWay, Vec<Option<usize>>)],
    /// Simulated people.
    pub draws: usize,
    /// The study's.
    pub seed: u64,
}

/// What clicks are worth on questions of two classes; on others, and where a class is of fewer than two identities, there is no curve.
pub fn simulate_clicks(input: &ClickInput, questions: &[Question]) -> Vec<QuestionClicks> {
    let identity = groups(input.setting);
    let finite = input.features.columns() > 0 && input.features.first_not_finite().is_none();
    let directions = if finite { Directions::of(input.features) } else { Directions::default() };
    questions
        .iter()
        .map(|question| {
            let images = ClickableImages::of(input, question, &identity);
            let possible = finite && images.identities_of(true) >= 2 && images.identities_of(false) >= 2;
            let curves = if possible { images.curves(input, &directions) } else { vec![] };
            let all: BTreeSet<usize> = images.identity.iter().copied().collect();
            QuestionClicks { images: images.rows.len(), identities: all.len(), curves }
        })
        .collect()
}

/// The images of one of two classes. A member is a place among them.
struct ClickableImages {
    /// By member, its row.
    rows: Vec<usize>,
    /// By member: of the first class?
    label: Vec<bool>,
    /// By member.
    identity: Vec<usize>,
}

/// What was labelled, and what the others are taken for: of the first class where positive. NaN: for none.
struct Labelled {
    seen: Vec<usize>,
    decisions: Vec<f64>,
}

impl ClickableImages {
    fn of(input: &ClickInput, question: &Question, identity: &[usize]) -> Self {
        let members = input.setting.members(question);
        let mut own: Vec<(usize, bool)> = Vec::new();
        if members.classes.len() == 2 && members.quantity.is_none() {
            let [first, second] = [members.exclusive(0, 1), members.exclusive(1, 0)];
            let of = |member: usize| (first[member] || second[member]).then_some((members.rows[member], first[member]));
            own = (0..members.rows.len()).filter_map(of).collect();
        }
        if own.len() > MOST_IMAGES {
            PhiloxStream::new(input.seed, Purpose::SimulatedClicks, 0).shuffle(&mut own);
            own.truncate(MOST_IMAGES);
            own.sort_unstable();
        }
        let (rows, label): (Vec<usize>, Vec<bool>) = own.into_iter().unzip();
        ClickableImages { identity: rows.iter().map(|&row| identity[row]).collect(), rows, label }
    }

    fn identities_of(&self, class: bool) -> usize {
        (0..self.rows.len())
            .filter(|&member| self.label[member] == class)
            .map(|member| self.identity[member])
            .collect::<BTreeSet<_>>()
            .len()
    }

    fn curves(&self, input: &ClickInput, directions: &Directions) -> Vec<ClickCurve> {
        // Image by image there are as many clicks as the last clusters ask for.
        let of_clusters = |clusters: &[Option<usize>]| -> Vec<Vec<usize>> {
            let count = clusters.iter().flatten().max().map_or(0, |most| most + 1);
            let mut members = vec![vec![]; count];
            for (member, &row) in self.rows.iter().enumerate() {
                if let Some(cluster) = clusters[row] {
                    members[cluster].push(member);
                }
            }
            members.retain(|members| !members.is_empty());
            members
        };
        let clustered: Vec<(ClickWay, Vec<Vec<usize>>)> =
            input.clusters.iter().map(|(way, clusters)| (*way, of_clusters(clusters))).filter(|(_, of)| !of.is_empty()).collect();
        let clicks = |of: &[Vec<usize>], looks: usize| of.iter().map(|members| members.len().min(looks)).sum::<usize>();
        let budgets: Vec<usize> =
            clustered.last().map_or(vec![], |(_, of)| LOOKS.iter().map(|&looks| clicks(of, looks)).collect());
        let draw = |draw: usize| -> Vec<Vec<Option<f64>>> {
            crate::numeric::pulse::beat();
            let stream = |way: u64| PhiloxStream::new(input.seed, Purpose::SimulatedClicks, 1 + 4 * draw as u64 + way);
            let by_clusters = |(_, of): &(ClickWay, Vec<Vec<usize>>)| -> Vec<Option<f64>> {
                LOOKS.iter().map(|&looks| self.accuracy(&self.by_majority(of, looks, &mut stream(0)))).collect()
            };
            let mut curves: Vec<Vec<Option<f64>>> = clustered.iter().map(by_clusters).collect();
            let mut order: Vec<usize> = (0..self.rows.len()).collect();
            stream(1).shuffle(&mut order);
            let at_random = |clicks: usize| order[..clicks.min(order.len())].to_vec();
            curves.push(budgets.iter().map(|&clicks| self.accuracy(&self.by_means(at_random(clicks), directions))).collect());
            curves.push(self.actively(&budgets, &order, directions));
            curves.push(budgets.iter().map(|&clicks| self.accuracy(&self.by_probe(at_random(clicks), directions))).collect());
            curves
        };
        let draws: Vec<Vec<Vec<Option<f64>>>> = (0..input.draws).into_par_iter().map(draw).collect();
        let ways = clustered.iter().map(|(way, _)| *way).chain([ClickWay::Random, ClickWay::Active, ClickWay::Probe]);
        let curve = |(place, way): (usize, ClickWay)| {
            let own = clustered.get(place).map(|(_, of)| of);
            let point = |(budget, &looks): (usize, &usize)| {
                let mut values: Vec<f64> = draws.iter().filter_map(|of| of[place][budget]).collect();
                values.sort_unstable_by(f64::total_cmp);
                let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
                let clicks = own.map_or(budgets[budget], |of| clicks(of, looks));
                (!values.is_empty()).then(|| ClickPoint { clicks, accuracy: sum::mean(&values), low: at(0.025), high: at(0.975) })
            };
            let points = if budgets.is_empty() { vec![] } else { LOOKS.iter().enumerate().filter_map(point).collect() };
            ClickCurve { way, points, beside_probe: None }
        };
        let mut curves: Vec<ClickCurve> = ways.enumerate().map(curve).collect();
        if let Some(probe) = curves.last().cloned() {
            let of_clusters = curves.iter_mut().filter(|curve| matches!(curve.way, ClickWay::View(_) | ClickWay::Features));
            of_clusters.for_each(|curve| curve.beside_probe = curve.beside(&probe));
        }
        curves
    }

    /// Each cluster takes the class of most of those that were looked at, of as many as of the other the first one's.
    fn by_majority(&self, clusters: &[Vec<usize>], looks: usize, stream: &mut PhiloxStream) -> Labelled {
        let (mut seen, mut decisions) = (Vec::new(), vec![f64::NAN; self.rows.len()]);
        for members in clusters {
            let mut members = members.clone();
            let looked_at = looks.min(members.len());
            for place in 0..looked_at {
                let left = (members.len() - place) as u64;
                members.swap(place, place + stream.below(left) as usize);
            }
            let first = members[..looked_at].iter().filter(|&&member| self.label[member]).count();
            let is_first = 2 * first > looked_at || (2 * first == looked_at && self.label[members[0]]);
            seen.extend(&members[..looked_at]);
            members.iter().for_each(|&member| decisions[member] = if is_first { 1.0 } else { -1.0 });
        }
        Labelled { seen, decisions }
    }

    /// By the nearer of the two classes' labelled means.
    fn by_means(&self, seen: Vec<usize>, directions: &Directions) -> Labelled {
        let rows_of = |class: bool| -> Vec<usize> {
            seen.iter().filter(|&&member| self.label[member] == class).map(|&member| self.rows[member]).collect()
        };
        let [first, other] = [true, false].map(rows_of);
        if first.is_empty() || other.is_empty() {
            return self.all_of(seen, !first.is_empty());
        }
        let [first, other] = [first, other].map(|rows| directions.centre(&rows));
        let difference: Vec<f64> = first.iter().zip(&other).map(|(a, b)| a - b).collect();
        let middle = 0.5 * (sum::dot_lanes(&first, &first) - sum::dot_lanes(&other, &other));
        let decisions = directions.likeness(&self.rows, &[difference]).remove(0).into_iter().map(|of| of - middle).collect();
        Labelled { seen, decisions }
    }

    /// The first clicks at random, then those nearest to the boundary; accuracy after each number of clicks.
    fn actively(&self, budgets: &[usize], order: &[usize], directions: &Directions) -> Vec<Option<f64>> {
        let (mut seen, mut is_seen): (Vec<usize>, Vec<bool>) = (vec![], vec![false; self.rows.len()]);
        let mut margins: Option<Vec<f64>> = None;
        let mut accuracies = Vec::new();
        for &clicks in budgets {
            let mut unseen: Vec<usize> = order.iter().copied().filter(|&member| !is_seen[member]).collect();
            if let Some(margins) = &margins {
                unseen.sort_by(|&a, &b| margins[a].abs().total_cmp(&margins[b].abs()));
            }
            for &member in unseen.iter().take(clicks.saturating_sub(seen.len())) {
                is_seen[member] = true;
                seen.push(member);
            }
            let labelled = self.by_means(seen.clone(), directions);
            accuracies.push(self.accuracy(&labelled));
            // While one class is labelled alone there is no boundary: the next are at random too.
            let both = [true, false].iter().all(|class| seen.iter().any(|&member| self.label[member] == *class));
            margins = both.then_some(labelled.decisions);
        }
        accuracies
    }

    /// By a ridge regression of the labelled images, solved among them: there are fewer than columns.
    fn by_probe(&self, seen: Vec<usize>, directions: &Directions) -> Labelled {
        let n = seen.len();
        let firsts = seen.iter().filter(|&&member| self.label[member]).count();
        if firsts == 0 || firsts == n {
            return self.all_of(seen, firsts > 0);
        }
        let rows: Vec<usize> = seen.iter().map(|&member| self.rows[member]).collect();
        // The middle of both classes' means, so that neither is favoured.
        let rows_of = |class: bool| -> Vec<usize> {
            seen.iter().filter(|&&member| self.label[member] == class).map(|&member| self.rows[member]).collect()
        };
        let [first, other] = [true, false].map(|class| directions.centre(&rows_of(class)));
        let middle: Vec<f64> = first.iter().zip(&other).map(|(a, b)| 0.5 * (a + b)).collect();
        let centred: Vec<Vec<f64>> = rows.iter().map(|&row| directions.minus(row, &middle)).collect();
        let mut gram = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let product = sum::dot_lanes(&centred[i], &centred[j]);
                (gram[i * n + j], gram[j * n + i]) = (product, product);
            }
        }
        let penalty = (0..n).map(|i| gram[i * n + i]).sum::<f64>() / n as f64;
        (0..n).for_each(|i| gram[i * n + i] += penalty);
        let code =
            |member: &usize| if self.label[*member] { n as f64 / firsts as f64 } else { -(n as f64) / (n - firsts) as f64 };
        let mut weights: Vec<f64> = seen.iter().map(code).collect();
        if solve_small(&mut gram, &mut weights).is_none() {
            return self.by_means(seen, directions);
        }
        let mut direction = vec![0.0; middle.len()];
        for (centred, weight) in centred.iter().zip(&weights) {
            direction.iter_mut().zip(centred).for_each(|(sum, value)| *sum += weight * value);
        }
        let at_middle = sum::dot_lanes(&direction, &middle);
        let decisions = directions.likeness(&self.rows, &[direction]).remove(0).into_iter().map(|of| of - at_middle).collect();
        Labelled { seen, decisions }
    }

    fn all_of(&self, seen: Vec<usize>, first: bool) -> Labelled {
        Labelled { seen, decisions: vec![if first { 1.0 } else { -1.0 }; self.rows.len()] }
    }

    /// Balanced, over the images of identities that were not looked at; `None` where none of a class is left. What is taken for neither class
    /// is wrong.
    fn accuracy(&self, labelled: &Labelled) -> Option<f64> {
        let seen: BTreeSet<usize> = labelled.seen.iter().map(|&member| self.identity[member]).collect();
        let (mut right, mut all) = ([0.0; 2], [0.0; 2]);
        for member in (0..self.rows.len()).filter(|member| !seen.contains(&self.identity[*member])) {
            let (label, decision) = (self.label[member], labelled.decisions[member]);
            let is_right = !decision.is_nan() && (decision > 0.0) == label;
            all[usize::from(label)] += 1.0;
            right[usize::from(label)] += f64::from(u8::from(is_right));
        }
        (all[0] > 0.0 && all[1] > 0.0).then(|| 0.5 * (right[0] / all[0] + right[1] / all[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        clicks::BesideProbe,
        comparison::Measured,
        image::{Column, Images, Labels},
    };

    struct Scene {
        images: Images,
        identities: Column,
        labels: Labels,
        features: Matrix,
        clusters: Vec<(ClickWay, Vec<Option<usize>>)>,
    }

    /// People of two images in two clouds; the cloud is the class, but of one person in `noise`.
    fn scene(people: usize, apart: f64, noise: usize) -> Scene {
        let mut stream = PhiloxStream::for_test(14, 0);
        let (n, id) = (2 * people, |i: usize| format!("{i:04}"));
        let cloud = |i: usize| (i / 2).is_multiple_of(2);
        let class = |i: usize| cloud(i) != (noise > 0 && (i / 2).is_multiple_of(noise));
        let values = (0..n).flat_map(|i| (0..8).map(move |k| (i, k)));
        let values =
            values.map(|(i, k)| (stream.normals(1.0)[0] + if k == 0 && cloud(i) { apart } else { 0.0 }) as f32).collect();
        let column: Column = (0..n).map(|i| (id(i), u8::from(class(i)).to_string())).collect();
        Scene {
            images: Images((0..n).map(|i| (id(i), None)).collect()),
            identities: (0..n).map(|i| (id(i), format!("p{}", i / 2))).collect(),
            labels: [("x".to_owned(), column)].into_iter().collect(),
            features: Matrix::new(n, 8, values).unwrap(),
            clusters: vec![(ClickWay::View(0), (0..n).map(|i| Some(usize::from(cloud(i)))).collect())],
        }
    }

    fn question(classes: &[&str]) -> Question {
        Question { measured: Measured::Classes(classes.iter().map(|text| text.parse().unwrap()).collect()), within: None }
    }

    fn clicks(scene: &Scene, questions: &[Question], draws: usize) -> Vec<QuestionClicks> {
        let setting = Setting { images: &scene.images, labels: &scene.labels, identities: Some(&scene.identities) };
        let input = ClickInput { setting: &setting, features: &scene.features, clusters: &scene.clusters, draws, seed: 4 };
        simulate_clicks(&input, questions)
    }

    #[test]
    fn clusters_that_are_the_classes_need_a_click_each_and_single_labels_need_many() {
        let found = clicks(&scene(150, 2.5, 0), &[question(&["x", "not x"])], 40).remove(0);
        assert_eq!((found.images, found.identities, found.curves.len()), (300, 150, 4));
        let at = |way, point: usize| found.curve(way).unwrap().points[point];
        assert_eq!((at(ClickWay::View(0), 0).accuracy, at(ClickWay::View(0), 0).clicks), (1.0, 2));
        for way in [ClickWay::Random, ClickWay::Active, ClickWay::Probe] {
            assert!(at(way, 0).accuracy < 0.85 && at(way, 4).accuracy > 0.7, "{way:?}: {found:?}");
            assert!(at(way, 4).accuracy > at(way, 0).accuracy && at(way, 4).clicks == 18, "{way:?}: {found:?}");
        }
        assert_eq!(found.curve(ClickWay::Probe).unwrap().clicks_for(1.0), None);
        assert_eq!(found.curve(ClickWay::View(0)).unwrap().beside_probe, Some(BesideProbe { needed: None, saved: None }));
        assert_eq!(found.curve(ClickWay::Random).unwrap().beside_probe, None);
    }

    #[test]
    fn a_majority_forgives_what_one_look_does_not() {
        // One person in five is in the other's cloud: a cluster is right to four fifths, one look to as much.
        let found = clicks(&scene(200, 2.5, 5), &[question(&["x", "not x"])], 200).remove(0);
        let points = &found.curve(ClickWay::View(0)).unwrap().points;
        assert!(points[0].accuracy < 0.75 && points[0].accuracy > 0.6, "{points:?}");
        assert!(points[4].accuracy > 0.78 && points[4].accuracy < 0.81, "{points:?}");
        assert!(points.iter().all(|point| point.low <= point.accuracy && point.accuracy <= point.high));
    }

    #[test]
    fn features_without_a_signal_are_worth_nothing_however_they_are_labelled() {
        // The clusters are the classes of nothing, and identities share nothing.
        let mut scene = scene(200, 0.0, 0);
        scene.clusters[0].1 = (0..400).map(|i| Some(i % 3)).collect();
        let found = clicks(&scene, &[question(&["x", "not x"])], 60).remove(0);
        for curve in &found.curves {
            assert!(curve.points.iter().all(|point| (point.accuracy - 0.5).abs() < 0.05), "{curve:?}");
        }
    }

    #[test]
    fn what_has_not_two_classes_of_two_identities_has_no_curve() {
        let found = clicks(
            &scene(20, 1.0, 0),
            &[question(&["x", "x", "not x"]), question(&["x", "x and not x"]), question(&["x", "not x"])],
            4,
        );
        assert_eq!(found.iter().map(|of| of.curves.len()).collect::<Vec<_>>(), [0, 0, 4]);
    }

    #[test]
    fn images_in_no_cluster_are_taken_for_neither_class() {
        let mut scene = scene(40, 2.5, 0);
        scene.clusters[0].1.iter_mut().skip(40).for_each(|cluster| *cluster = None);
        let found = clicks(&scene, &[question(&["x", "not x"])], 20).remove(0);
        let accuracy = found.curve(ClickWay::View(0)).unwrap().points[0].accuracy;
        assert!((0.4..0.52).contains(&accuracy), "half of them are in none: {accuracy}");
    }

    #[test]
    fn the_bits_do_not_depend_on_threads() {
        let scene = scene(60, 1.0, 4);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| serde_json::to_string(&clicks(&scene, &[question(&["x", "not x"])], 30)).unwrap())
        };
        assert_eq!(with(1), with(7));
    }
}
