//! How often a probe decides rightly.

use crate::numeric::special::ln;

/// Shares of right decisions, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Accuracy {
    /// The mean over both classes of the share of their rows that is decided rightly, at log-odds 0. `None` where a class has no row.
    pub balanced: Option<f64>,
    /// The share of all rows that is decided rightly, the odds multiplied by those of the classes. `None` without rows.
    pub plain: Option<f64>,
    /// The share of right decisions if the larger class were predicted for every row. `None` without rows.
    pub majority: Option<f64>,
}

/// Over the rows that have both a decision (log-odds, not NaN) and a target.
pub(crate) fn accuracy(decision: &[f64], target: &[Option<bool>]) -> Accuracy {
    let rows: Vec<(f64, bool)> =
        decision.iter().zip(target).filter_map(|(d, t)| t.filter(|_| !d.is_nan()).map(|t| (*d, t))).collect();
    let count = |class: bool| rows.iter().filter(|row| row.1 == class).count() as f64;
    let prior = ln(count(true)) - ln(count(false));
    let right =
        |class: bool, shift: f64| rows.iter().filter(|row| row.1 == class && (row.0 + shift > 0.0) == class).count() as f64;
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let all = rows.len() as f64;
    let recalls = share(right(true, 0.0), count(true)).zip(share(right(false, 0.0), count(false)));
    Accuracy {
        balanced: recalls.map(|(a, b)| 0.5 * (a + b)),
        plain: share(right(true, prior) + right(false, prior), all),
        majority: share(count(true).max(count(false)), all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_are_counted_by_hand() {
        let target = [true, true, false, false, false, false, false, false].map(Some);
        let decision = [2.0, -0.5, -1.0, -1.0, 0.5, 0.5, 1.5, f64::NAN];
        // Of five negatives two are right at 0, four with the odds 2 : 5 (a shift of −0.92); of two positives one, and one.
        let found = accuracy(&decision, &target);
        assert_eq!(found, Accuracy { balanced: Some(0.5 * (0.5 + 0.4)), plain: Some(5.0 / 7.0), majority: Some(5.0 / 7.0) });
        assert_eq!(accuracy(&[f64::NAN], &[Some(true)]), Accuracy { balanced: None, plain: None, majority: None });
        assert_eq!(accuracy(&[-1.0], &[Some(true)]), Accuracy { balanced: None, plain: Some(1.0), majority: Some(1.0) });
    }
}
