//! Weak supervision: how many labels does a person save who labels whole clusters at once?

use super::canonical::Value;
use serde::{Deserialize, Serialize};

/// What a study asks of simulated clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClickSettings {
    /// Clusters that images are cut into, without labels.
    pub clusters: usize,
    /// Simulated people.
    pub draws: usize,
}

impl Default for ClickSettings {
    fn default() -> Self {
        ClickSettings { clusters: 12, draws: 200 }
    }
}

impl ClickSettings {
    /// What of it enters a key.
    pub fn canonical(self) -> Value {
        let ClickSettings { clusters, draws } = self;
        Value::map().with("clusters", Value::count(clusters)).with("draws", Value::count(draws)).done()
    }
}

/// Images of each cluster that a person looks at: odd, so that there is a majority.
pub const LOOKS: [usize; 5] = [1, 3, 5, 7, 9];
/// The place in [`LOOKS`] at which ways are compared: three looks a cluster.
pub const COMPARED: usize = 1;
/// Of a question with more images so many are drawn.
pub const MOST_IMAGES: usize = 5_000;

/// What a `clicks` stage leaves: of one model, every question of two classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clicks {
    /// 1.
    pub format: u32,
    /// Simulated people.
    pub draws: usize,
    /// One a question.
    pub questions: Vec<QuestionClicks>,
}

/// What clicks are worth on one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionClicks {
    /// Images that are in one of the two classes.
    pub images: usize,
    /// Identities of those.
    pub identities: usize,
    /// One a way of spending clicks, none where the question has not two classes, of two identities or more each.
    pub curves: Vec<ClickCurve>,
}

/// How clicks are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickWay {
    /// On clusters of a projection's view, by its place: each cluster takes the majority of what was looked at in it.
    View(usize),
    /// On clusters of the features.
    Features,
    /// On images at random; the others are of the class whose labelled mean is nearer.
    Random,
    /// First at random, then on what is nearest to the boundary of these means.
    Active,
    /// On images at random; the others by a linear probe of their labels.
    Probe,
}

/// What so many clicks are worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClickCurve {
    /// How they are spent.
    pub way: ClickWay,
    /// By the number of looks a cluster: [`LOOKS`].
    pub points: Vec<ClickPoint>,
    /// Of clusters: how their clicks at [`COMPARED`] looks compare with single ones.
    pub beside_probe: Option<BesideProbe>,
}

/// Clicks on clusters beside clicks for a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesideProbe {
    /// As many random clicks a probe needs for the accuracy that clusters have; `None`: more than any that were tried.
    pub needed: Option<usize>,
    /// How many fewer the clusters need; 0 where they need as many or more.
    pub saved: Option<usize>,
}

/// The balanced accuracy after some clicks, on the images of identities that were not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClickPoint {
    /// Images that were labelled.
    pub clicks: usize,
    /// Mean over draws.
    pub accuracy: f64,
    /// The central 95 % of draws: what one person may have.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl QuestionClicks {
    /// The curve of a way.
    pub fn curve(&self, way: ClickWay) -> Option<&ClickCurve> {
        self.curves.iter().find(|curve| curve.way == way)
    }
}

impl ClickCurve {
    /// Beside a probe's curve, at [`COMPARED`] looks; `None` where this one has no such point.
    pub fn beside(&self, probe: &ClickCurve) -> Option<BesideProbe> {
        let own = self.points.get(COMPARED)?;
        let needed = probe.clicks_for(own.accuracy).map(|clicks| clicks.ceil() as usize);
        Some(BesideProbe { needed, saved: needed.map(|needed| needed.saturating_sub(own.clicks)) })
    }

    /// The clicks after which the mean accuracy first reaches so much, between points by a straight line; `None` where it never does.
    pub fn clicks_for(&self, accuracy: f64) -> Option<f64> {
        let at = self.points.iter().position(|point| point.accuracy >= accuracy)?;
        let reached = self.points[at];
        let Some(before) = at.checked_sub(1).map(|at| self.points[at]) else { return Some(reached.clicks as f64) };
        let share = (accuracy - before.accuracy) / (reached.accuracy - before.accuracy);
        Some(before.clicks as f64 + share * (reached.clicks - before.clicks) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_read_off_between_the_points() {
        let point = |clicks, accuracy| ClickPoint { clicks, accuracy, low: 0.0, high: 1.0 };
        let curve = ClickCurve {
            way: ClickWay::Random,
            points: vec![point(10, 0.6), point(20, 0.7), point(30, 0.7)],
            beside_probe: None,
        };
        assert!((curve.clicks_for(0.65).unwrap() - 15.0).abs() < 1e-9);
        assert_eq!((curve.clicks_for(0.5), curve.clicks_for(0.7), curve.clicks_for(0.71)), (Some(10.0), Some(20.0), None));
    }
}
