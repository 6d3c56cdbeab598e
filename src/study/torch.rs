//! What visavis-torch of this release can train and run.

use visavis_core::{
    domain::model::{Network, WeightFamily, Weights},
    weights::families,
};

/// What a network would need that this release cannot do.
pub(crate) fn beyond(network: &Network) -> Option<String> {
    let word = network.architecture.word.as_str();
    match &network.weights {
        Weights::File { family, .. } if families::find(word, family).is_none() => Some(format!("{word} of the family {family}")),
        Weights::Recipe { .. } | Weights::Untrained { .. } if families::find(word, &WeightFamily::own()).is_none() => {
            Some(format!("{word} trained here"))
        }
        Weights::File { .. } | Weights::Whole(_) | Weights::Recipe { .. } | Weights::Untrained { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::study, beyond};
    use visavis_core::domain::{
        loss::LOSSES,
        model::{Network, Source, WeightFamily, Weights},
    };

    /// What a network of the study in memory lacks, changed so.
    fn lacks(change: impl Fn(&mut Network)) -> Option<String> {
        let study = study();
        let network = study.models.iter().find_map(|model| match &model.source {
            Source::Network(network) if model.name == "trained" => Some(network.clone()),
            _ => None,
        });
        let mut network = network.unwrap();
        change(&mut network);
        beyond(&network)
    }

    fn from_file(network: &mut Network, word: &str, family: &str) {
        network.architecture.word = word.into();
        network.weights = Weights::File { file: "w.safetensors".into(), family: WeightFamily::of(family), blake3: None };
    }

    #[test]
    fn a_network_can_be_run_where_the_register_has_it_with_the_family_of_its_weights() {
        assert_eq!(lacks(|_| ()), None);
        assert_eq!(lacks(|network| from_file(network, "resnet34", "torchvision")), None);
        assert_eq!(lacks(|network| from_file(network, "resnet34", "visavis")), None);
        assert_eq!(lacks(|network| from_file(network, "iresnet50", "arcface_torch")), None);
        assert_eq!(lacks(|network| from_file(network, "resnet34", "timm")).unwrap(), "resnet34 of the family timm");
        assert_eq!(lacks(|network| from_file(network, "resnet50", "cydonia")), None);
        assert_eq!(lacks(|network| from_file(network, "irse50", "timm")).unwrap(), "irse50 of the family timm");
    }

    #[test]
    fn a_network_is_trained_here_only_if_its_family_is() {
        let trained = |word: &str| lacks(|network| network.architecture.word = word.into());
        assert_eq!(trained("seresnet34"), None);
        assert_eq!(trained("seresnet50"), None);
        assert_eq!(trained("iresnet50").unwrap(), "iresnet50 trained here");
        assert_eq!(trained("senet50").unwrap(), "senet50 trained here");
        for loss in &LOSSES {
            assert_eq!(lacks(|network| network.loss = loss.usual()), None, "{}", loss.word);
        }
    }
}
