//! What features still hold of an attribute when their pictures are altered: probes that learned from the pictures as they are, asked of the
//! same pictures without their colour, texture, shape or background.

use super::{
    alteration::{Alteration, Cue},
    score::Estimate,
};
use serde::{Deserialize, Serialize};

/// What a `retained` stage leaves: the features of one model at one layer, on every question whose labels are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetainedSignal {
    /// 1.
    pub format: u32,
    /// How the pictures were altered; answers are in this order.
    pub alterations: Vec<Alteration>,
    /// One a question.
    pub answers: Vec<RetainedAnswer>,
    /// What the features attend to, over all questions.
    pub cues: AttendedCues,
}

/// What is retained of one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetainedAnswer {
    /// The AUC of the probes on the pictures as they are, within half and fold: that of the same probes in
    /// [`FeatureScore`](super::score::FeatureScore). `None` where a class is too small, and for a quantity.
    pub auc: Option<Estimate>,
    /// Why nothing is said of what is retained; `None` where something is.
    pub nothing: Option<NothingToRetain>,
    /// One an alteration.
    pub altered: Vec<AlteredAnswer>,
}

/// Why there is nothing to retain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NothingToRetain {
    /// It is a quantity, which probes of classes are not asked for.
    Quantity,
    /// A class has too few identities, so that the AUC has no interval.
    TooFew,
    /// The AUC's interval reaches to 0.5: the features may hold nothing of it.
    NotKnown,
}

impl NothingToRetain {
    /// In a phrase.
    pub const fn phrase(self) -> &'static str {
        match self {
            NothingToRetain::Quantity => "a quantity has no probe",
            NothingToRetain::TooFew => super::score::TOO_FEW,
            NothingToRetain::NotKnown => "nothing to retain: the interval reaches chance",
        }
    }
}

/// One question asked of altered pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlteredAnswer {
    /// The AUC of the same probes on the same images, altered. Below 0.5 where they are misled.
    pub auc: Option<Estimate>,
    /// (AUC′ − 0.5) / (AUC − 0.5): 1 where nothing is lost, 0 where everything is. More than 1 where the alteration helps, less than 0 where it
    /// misleads. `None` where there is nothing to retain.
    pub retained: Option<Estimate>,
    /// How much more the control retains, where the alteration makes borders and the control was carried out: what is lost beyond them.
    pub beyond_control: Option<Estimate>,
}

/// How much of what features know rests on colour, texture, shape and background.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttendedCues {
    /// The questions that there is something to retain of, by place: each weighs as much as its AUC is above 0.5.
    pub questions: Vec<usize>,
    /// How many they are.
    pub counted: usize,
    /// The questions of which there is nothing to retain.
    pub left_out: usize,
    /// One a cue that an alteration speaks for, in the order of [`Cue::ALL`]. Empty where no question is left.
    pub shares: Vec<CueShare>,
}

/// What is lost without one cue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CueShare {
    /// What is taken away.
    pub cue: Cue,
    /// By which alteration.
    pub by: Alteration,
    /// The share of what the features know that is lost: Σ (AUC − AUC′) / Σ (AUC − 0.5) over the questions. Of shape it is what is lost beyond
    /// the control: Σ (AUC of the control − AUC′) / Σ (AUC − 0.5). Shares of several cues need not add up to 1: one picture may tell a thing
    /// in two ways.
    pub lost: Estimate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stage_leaves_is_read_again() {
        let some = Estimate::new(0.5, 0.25, 0.75);
        let altered = AlteredAnswer { auc: Some(some), retained: Some(Estimate::bare(1.0)), beyond_control: None };
        let signal = RetainedSignal {
            format: 1,
            alterations: vec![Alteration::Grey],
            answers: vec![RetainedAnswer { auc: Some(some), nothing: Some(NothingToRetain::NotKnown), altered: vec![altered] }],
            cues: AttendedCues {
                questions: vec![0],
                counted: 1,
                left_out: 3,
                shares: vec![CueShare { cue: Cue::Colour, by: Alteration::Grey, lost: some }],
            },
        };
        let text = serde_json::to_string(&signal).unwrap();
        assert!(text.contains(r#""cue":"colour","by":"grey""#) && text.contains("not_known"), "{text}");
        assert_eq!(serde_json::from_str::<RetainedSignal>(&text).unwrap(), signal);
    }
}
