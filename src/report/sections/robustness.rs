//! How robust a figure's score is: to another sample of identities, to a fit without those that are scored, to other settings, to wrong
//! labels; and measures that rank nothing.

use crate::report::{
    claims::{ClaimId, Claims, OutputSource, SpreadClaims},
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    ledger::CellId,
    score::{ClusterValidity, FigureRobustness, LabelNoise, OtherSettings},
};

#[derive(Serialize)]
pub(crate) struct Robustness {
    re_projection: Option<ReProjection>,
    held_out: Option<HeldOutRow>,
    other_settings: Vec<SettingRow>,
    label_noise: Vec<NoiseRow>,
    measures: Vec<MeasureRow>,
}

#[derive(Serialize)]
struct ReProjection {
    auc: SpreadClaims,
    times: ClaimId,
    /// Of many images: how many were projected again at once, at most.
    images: Option<ClaimId>,
}

/// Half of the identities were not in the fit.
#[derive(Serialize)]
struct HeldOutRow {
    auc: ClaimId,
    fitted: ClaimId,
    placed: ClaimId,
}

#[derive(Serialize)]
struct SettingRow {
    setting: String,
    auc: ClaimId,
}

#[derive(Serialize)]
struct NoiseRow {
    /// Labels taken to be wrong.
    share: ClaimId,
    auc: SpreadClaims,
}

#[derive(Serialize)]
struct MeasureRow {
    name: &'static str,
    value: ClaimId,
}

impl Robustness {
    /// `None` where the stage was not run.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of_figure(source: &ReportSource, cell: &CellId) -> Result<Option<Self>> {
        let found = source.outcome.results.robustness(cell)?;
        Ok(found.map(|of| Robustness::of(source.claims, &source.output(&of, source.cell(cell)), &of.value)))
    }

    pub(crate) fn of(claims: &Claims, output: &OutputSource, found: &FigureRobustness) -> Self {
        let setting = |(place, of): (usize, &OtherSettings)| {
            let what = format!("AUC on the evaluation half, {}", of.method);
            let auc = claims.enter(output, &format!("/other/{place}/auc"), &what, NumberForm::Score, of.auc);
            SettingRow { setting: of.method.clone(), auc }
        };
        let noise = |(place, of): (usize, &LabelNoise)| {
            let at = format!("/mislabelled/{place}");
            NoiseRow {
                share: claims.enter(output, &format!("{at}/share"), "labels replaced", NumberForm::Percent, of.share),
                auc: claims.spread(output, &format!("{at}/again"), "AUC on the evaluation half with label noise", of.again),
            }
        };
        Robustness {
            re_projection: found.again.map(|again| ReProjection {
                auc: claims.spread(output, "/again", "AUC after re-projection", again),
                times: claims.count(output, "/times", "re-projections", found.times),
                images: found.images.map(|images| claims.count(output, "/images", "images projected again, at most", images)),
            }),
            held_out: found.held_out.map(|of| HeldOutRow {
                auc: claims.enter(
                    output,
                    "/held_out/auc",
                    "AUC on the evaluation half, placed in a fit without its identities",
                    NumberForm::Score,
                    of.auc,
                ),
                fitted: claims.count(output, "/held_out/fitted", "images that were fitted", of.fitted),
                placed: claims.count(output, "/held_out/placed", "images that were placed", of.placed),
            }),
            other_settings: found.other.iter().enumerate().map(setting).collect(),
            label_noise: found.mislabelled.iter().enumerate().map(noise).collect(),
            measures: measures(claims, output, &found.beside.clone().unwrap_or_default()),
        }
    }
}

fn measures(claims: &Claims, output: &OutputSource, of: &ClusterValidity) -> Vec<MeasureRow> {
    let measures = [
        ("distance consistency", "distance_consistency", of.distance_consistency),
        ("purity of neighbours", "purity", of.purity),
        ("silhouette", "silhouette", of.silhouette),
        ("Davies–Bouldin", "davies_bouldin", of.davies_bouldin),
        ("Fisher’s ratio", "fisher", of.fisher),
        ("compactness", "compactness", of.compactness),
        ("average precision", "average_precision", of.average_precision),
        ("average precision by chance", "prevalence", of.prevalence),
        ("LISI", "lisi", of.lisi),
        ("mutual information", "mutual_information", of.mutual_information),
    ];
    let row = |(name, field, value): (&'static str, &str, Option<f64>)| {
        let value = claims.enter(output, &format!("/beside/{field}"), name, NumberForm::Score, value?);
        Some(MeasureRow { name, value })
    };
    measures.into_iter().filter_map(row).collect()
}
